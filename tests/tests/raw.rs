//! A round trip without the codec: every byte of the requests is laid out here by hand from
//! MS-OXCMAPIHTTP 2.2.4, MS-OXCRPC 2.2.2.1 and MS-OXCROPS 2.2, and every byte of the responses is
//! compared or taken apart by hand, so that a mistake that both halves of the codec share shows.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ropewalk_tests::{
    client::Connection,
    fixture::{PASSWORD, legacy_dn},
    server::{TestServer, add_user},
};

const MAX: &str = "max@example.test";

/// Bytes, laid out field by field.
macro_rules! bytes {
    ($($part:expr),* $(,)?) => {{
        let mut bytes: Vec<u8> = Vec::new();
        $(bytes.extend_from_slice(&$part);)*
        bytes
    }};
}

struct Raw {
    connection: Connection,
    authorization: String,
    cookies: String,
}

impl Raw {
    /// Sends a request type; returns the body after the blank line.
    fn request(&mut self, request_type: &str, body: &[u8]) -> Vec<u8> {
        let mut headers = vec![
            ("Content-Type", "application/mapi-http"),
            ("Authorization", self.authorization.as_str()),
            ("X-RequestType", request_type),
            (
                "X-RequestId",
                "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456",
            ),
            ("X-ClientInfo", "{2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:123"),
            ("X-ClientApplication", "Outlook/15.00.0856.000"),
        ];
        if !self.cookies.is_empty() {
            headers.push(("Cookie", &self.cookies));
        }
        let response = self
            .connection
            .post("/mapi/emsmdb/", &headers, body)
            .unwrap();
        assert_eq!(response.status, 200);
        // MS-OXCMAPIHTTP 2.2.3.3: what every response has.
        assert_eq!(response.header("X-ResponseCode"), Some("0"));
        assert_eq!(response.header("X-RequestType"), Some(request_type));
        assert_eq!(
            response.header("X-RequestId"),
            Some("{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456")
        );
        assert_eq!(
            response.header("X-ClientInfo"),
            Some("{2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:123")
        );
        assert_eq!(
            response.header("Content-Type"),
            Some("application/mapi-http")
        );
        assert!(
            response
                .header("X-ServerApplication")
                .is_some_and(|version| version.starts_with("Exchange/15.")),
            "{:?}",
            response.headers
        );
        let cookies: Vec<&str> = response
            .headers("Set-Cookie")
            .map(|cookie| cookie.split(';').next().unwrap())
            .collect();
        assert!(!cookies.is_empty(), "{:?}", response.headers);
        self.cookies = cookies.join("; ");
        let start = response.body;
        assert!(start.starts_with(b"PROCESSING\r\n"), "{start:?}");
        let blank = start
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(start[..blank].to_vec()).unwrap();
        assert!(head.contains("\r\nDONE\r\n"), "{head}");
        assert!(head.contains("\r\nX-ElapsedTime: "), "{head}");
        assert!(head.contains("\r\nX-StartTime: "), "{head}");
        start[blank + 4..].to_vec()
    }

    /// Executes ROPs; returns RopsList and handle table of the response.
    fn execute(&mut self, rops: &[u8], handles: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let rop_size = u16::try_from(rops.len() + 2).unwrap();
        let payload = bytes![rop_size.to_le_bytes(), rops, handles];
        let size = u16::try_from(payload.len()).unwrap().to_le_bytes();
        let rop_buffer = bytes![[0, 0], [4, 0], size, size, payload];
        let request = bytes![
            // Flags: NoCompression and NoXorMagic.
            [3, 0, 0, 0],
            u32::try_from(rop_buffer.len()).unwrap().to_le_bytes(),
            rop_buffer,
            // MaxRopOut.
            [8, 0x80, 0, 0],
            // AuxiliaryBufferSize.
            [0, 0, 0, 0],
        ];
        let response = self.request("Execute", &request);
        // StatusCode, ErrorCode, Flags.
        assert_eq!(response[..12], [0; 12]);
        let size = u32::from_le_bytes(response[12..16].try_into().unwrap()) as usize;
        let buffer = &response[16..16 + size];
        check_aux(&response[16 + size..]);
        // RPC_HEADER_EXT: Version 0, Flags Last, Size and SizeActual equal.
        assert_eq!(buffer[..4], [0, 0, 4, 0]);
        let length = u16::try_from(size - 8).unwrap().to_le_bytes();
        assert_eq!(buffer[4..6], length);
        assert_eq!(buffer[6..8], length);
        let rop_size = usize::from(u16::from_le_bytes([buffer[8], buffer[9]]));
        let (rops, handles) = buffer[10..].split_at(rop_size - 2);
        (rops.to_vec(), handles.to_vec())
    }
}

/// AuxiliaryBufferSize, and that many bytes.
fn check_aux(rest: &[u8]) {
    let size = u32::from_le_bytes(rest[..4].try_into().unwrap()) as usize;
    assert_eq!(rest.len(), 4 + size);
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16()
        .chain([0])
        .flat_map(u16::to_le_bytes)
        .collect()
}

#[test]
fn a_session_laid_out_by_hand_byte_for_byte() {
    let server = TestServer::start(&[]);
    add_user(server.data_dir(), MAX, "Max Mustermann", PASSWORD);
    let dn = legacy_dn(server.data_dir(), MAX);
    let mut raw = Raw {
        connection: Connection::new(server.http()),
        authorization: format!(
            "Basic {}",
            BASE64_STANDARD.encode(format!("{MAX}:{PASSWORD}"))
        ),
        cookies: String::new(),
    };

    // Connect: UserDn, Flags, DefaultCodePage 1252, LcidSort and LcidString 1033, no aux.
    let response = raw.request(
        "Connect",
        &bytes![
            dn.as_bytes(),
            [0],
            [0, 0, 0, 0],
            [0xE4, 4, 0, 0],
            [9, 4, 0, 0],
            [9, 4, 0, 0],
            [0, 0, 0, 0],
        ],
    );
    // StatusCode and ErrorCode; PollsMax, RetryCount, RetryDelay; DnPrefix; DisplayName.
    assert_eq!(response[..8], [0; 8]);
    let prefix_end = 20 + response[20..].iter().position(|byte| *byte == 0).unwrap();
    let name = utf16("Max Mustermann");
    assert_eq!(
        response[prefix_end + 1..prefix_end + 1 + name.len()],
        name[..]
    );
    check_aux(&response[prefix_end + 1 + name.len()..]);

    // RopLogon: Private; HOME_LOGON, TAKE_OWNERSHIP, USE_PER_MDB_REPLID_MAPPING.
    let essdn_size = u16::try_from(dn.len() + 1).unwrap().to_le_bytes();
    let (rops, handles) = raw.execute(
        &bytes![
            [0xFE, 0, 0],
            [1],
            [0x0C, 0, 0, 1],
            [0, 0, 0, 0],
            essdn_size,
            dn.as_bytes(),
            [0],
        ],
        &[0xFF; 4],
    );
    // RopId, OutputHandleIndex, ReturnValue, LogonFlags.
    assert_eq!(rops[..7], [0xFE, 0, 0, 0, 0, 0, 1]);
    // 13 FolderIds, ResponseFlags, MailboxGuid, ReplId, ReplGuid, LogonTime, GwartTime, StoreState.
    assert_eq!(rops.len(), 7 + 13 * 8 + 1 + 16 + 2 + 16 + 8 + 8 + 4);
    let fids: Vec<&[u8]> = rops[7..111].chunks(8).collect();
    let repl_id = [rops[128], rops[129]];
    for fid in &fids {
        // A REPLID and six bytes of counter, most significant first: small numbers stand at the end.
        assert_eq!(fid[..2], repl_id);
        assert_eq!(fid[2..4], [0, 0]);
        assert_ne!(fid[4..], [0; 4]);
    }
    // Reserved, OwnerRight, SendAsRight; not out of office.
    assert_eq!(rops[111], 0x07);
    let time = &rops[146..154];
    assert!(time[0] < 60 && time[1] < 60 && time[2] < 24, "{time:?}");
    assert!(time[3] < 7 && (1..32).contains(&time[4]) && (1..13).contains(&time[5]));
    assert!(u16::from_le_bytes([time[6], time[7]]) >= 2024, "{time:?}");
    assert_eq!(rops[162..166], [0; 4]);
    assert_eq!(handles.len(), 4);
    assert_ne!(handles, [0xFF; 4]);
    let logon = handles;
    let inbox = fids[4];

    // RopCreateMessage, RopSetProperties of PidTagSubject, RopSaveChangesMessage, RopRelease.
    let subject = utf16("Rope");
    let values = bytes![[1, 0], [0x1F, 0, 0x37, 0], subject];
    let value_size = u16::try_from(values.len()).unwrap().to_le_bytes();
    let (rops, handles) = raw.execute(
        &bytes![
            [0x06, 0, 0, 1],
            [0xFF, 0x0F],
            inbox,
            [0],
            [0x0A, 0, 1],
            value_size,
            values,
            // ResponseHandleIndex 0, InputHandleIndex 1, KeepOpenReadOnly.
            [0x0C, 0, 0, 1, 1],
            [0x01, 0, 1],
        ],
        &bytes![logon, [0xFF; 4]],
    );
    let create = if rops[6] == 0 { 7 } else { 15 };
    assert_eq!(rops[..6], [0x06, 1, 0, 0, 0, 0]);
    assert_eq!(rops[create..create + 8], [0x0A, 1, 0, 0, 0, 0, 0, 0]);
    let save = create + 8;
    assert_eq!(rops[save..save + 7], [0x0C, 0, 0, 0, 0, 0, 1]);
    assert_eq!(rops.len(), save + 15);
    let mid = rops[save + 7..].to_vec();
    assert_eq!(mid[..2], repl_id);
    assert_eq!(handles[..4], logon[..]);

    // RopOpenFolder, RopGetContentsTable, RopSetColumns of PidTagMid and PidTagSubject,
    // RopQueryRows forward of 10 rows, each on the handle that the one before it opened.
    let (rops, handles) = raw.execute(
        &bytes![
            [0x02, 0, 0, 1],
            inbox,
            [0],
            [0x05, 0, 1, 2, 0],
            [0x12, 0, 2, 0],
            [2, 0],
            [0x14, 0, 0x4A, 0x67],
            [0x1F, 0, 0x37, 0],
            [0x15, 0, 2, 0, 1, 10, 0],
        ],
        &bytes![logon, [0xFF; 8]],
    );
    let expected = bytes![
        // HasRules, IsGhosted.
        [0x02, 1, 0, 0, 0, 0, 0, 0],
        // RowCount.
        [0x05, 2, 0, 0, 0, 0, 1, 0, 0, 0],
        // TableStatus.
        [0x12, 2, 0, 0, 0, 0, 0],
        // Origin BOOKMARK_END, RowCount, a StandardPropertyRow.
        [0x15, 2, 0, 0, 0, 0, 2, 1, 0],
        [0],
        mid,
        subject,
    ];
    assert_eq!(rops, expected);
    assert_eq!(handles.len(), 12);
    assert_eq!(handles[..4], logon[..]);
    assert_ne!(handles[4..8], handles[8..12]);

    // Disconnect: an auxiliary buffer of 0 bytes; StatusCode and ErrorCode.
    let response = raw.request("Disconnect", &[0; 4]);
    assert_eq!(response[..8], [0; 8]);
    check_aux(&response[8..]);
}
