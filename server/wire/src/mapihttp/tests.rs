use proptest::prelude::*;

use super::{framing::*, *};
use crate::codec::{AsciiZ, Bytes32, Utf16Z, Wire};

fn encoded<'a>(body: &impl Wire<'a>) -> Vec<u8> {
    let mut out = Vec::new();
    body.encode(&mut out).unwrap();
    out
}

/// The bytes of `tests/vectors/ms-oxcmapihttp-layout.toml`, 2.2.4.1.1.
#[test]
fn a_connect_request_has_the_bytes_of_its_field_table() {
    let request = ConnectRequest {
        user_dn: AsciiZ(b"/o=First/ou=Site/cn=Recipients/cn=user7"),
        flags: 0,
        default_code_page: 1252,
        lcid_sort: 0x409,
        lcid_string: 0x407,
        auxiliary_buffer: Bytes32::default(),
    };
    let mut bytes = b"/o=First/ou=Site/cn=Recipients/cn=user7\0".to_vec();
    bytes.extend([
        0, 0, 0, 0, 0xE4, 4, 0, 0, 9, 4, 0, 0, 7, 4, 0, 0, 0, 0, 0, 0,
    ]);
    assert_eq!(encoded(&request), bytes);
    assert_eq!(decode_body::<ConnectRequest>(&bytes), Ok(request));
}

/// 2.2.4.1.2.
#[test]
fn a_connect_response_has_the_bytes_of_its_field_table() {
    let response = Response::Success(ConnectSuccess {
        error_code: 0,
        polls_max: 60_000,
        retry_count: 6,
        retry_delay: 10_000,
        dn_prefix: AsciiZ(b"/o=First"),
        display_name: Utf16Z(b"U\0s\0e\0r\0 \0\x37\0"),
        auxiliary_buffer: Bytes32::default(),
    });
    let mut bytes = vec![
        0, 0, 0, 0, 0, 0, 0, 0, 0x60, 0xEA, 0, 0, 6, 0, 0, 0, 0x10, 0x27, 0, 0,
    ];
    bytes.extend(b"/o=First\0U\0s\0e\0r\0 \x007\0\0\0\0\0\0\0");
    assert_eq!(encoded(&response), bytes);
    assert_eq!(
        decode_body::<Response<ConnectSuccess>>(&bytes),
        Ok(response)
    );
}

/// 2.2.4.1.3: the fields of a success are not there.
#[test]
fn a_failure_has_a_status_code_and_an_auxiliary_buffer() {
    let bytes = [5, 0, 7, 0x80, 0, 0, 0, 0];
    let response: Response<ConnectSuccess> = decode_body(&bytes).unwrap();
    let Response::Failure(failure) = &response else {
        panic!("{response:?}")
    };
    assert_eq!(failure.status_code, 0x8007_0005);
    assert_eq!(encoded(&response), bytes);
    // The same bytes for every other type.
    assert!(matches!(
        decode_body::<Response<ExecuteSuccess>>(&bytes),
        Ok(Response::Failure(_))
    ));
}

const ROP_BUFFER: [u8; 31] = [
    0, 0, 4, 0, 0x17, 0, 0x17, 0, 0x0F, 0, 2, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0x0D, 0, 5, 0, 0, 0,
    0xFF, 0xFF, 0xFF, 0xFF,
];

/// 2.2.4.2.1 and 2.2.4.2.2.
#[test]
fn execute_has_the_bytes_of_its_field_tables() {
    let request = ExecuteRequest {
        flags: execute_flags::NO_COMPRESSION | execute_flags::NO_XOR_MAGIC,
        rop_buffer: Bytes32::new(&ROP_BUFFER),
        max_rop_out: 0x4_0000,
        auxiliary_buffer: Bytes32::default(),
    };
    let mut bytes = vec![3, 0, 0, 0, 0x1F, 0, 0, 0];
    bytes.extend(ROP_BUFFER);
    bytes.extend([0, 0, 4, 0, 0, 0, 0, 0]);
    assert_eq!(encoded(&request), bytes);
    assert_eq!(decode_body::<ExecuteRequest>(&bytes), Ok(request));

    let response = Response::Success(ExecuteSuccess {
        rop_buffer: Bytes32::new(&ROP_BUFFER),
        ..ExecuteSuccess::default()
    });
    let mut bytes = vec![0; 12];
    bytes.extend([0x1F, 0, 0, 0]);
    bytes.extend(ROP_BUFFER);
    bytes.extend([0; 4]);
    assert_eq!(encoded(&response), bytes);
    assert_eq!(
        decode_body::<Response<ExecuteSuccess>>(&bytes),
        Ok(response)
    );
}

/// 2.2.4.3 and 2.2.4.4, PING 2.2.6.
#[test]
fn the_small_bodies_have_the_bytes_of_their_field_tables() {
    assert_eq!(encoded(&DisconnectRequest::default()), [0; 4]);
    assert_eq!(
        encoded(&Response::Success(DisconnectSuccess::default())),
        [0; 12]
    );
    assert_eq!(encoded(&NotificationWaitRequest::default()), [0; 8]);
    let wait = NotificationWaitSuccess {
        event_pending: 1,
        ..NotificationWaitSuccess::default()
    };
    let bytes = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(encoded(&Response::Success(wait)), bytes);
    assert_eq!(encoded(&PingRequest {}), [0; 0]);
    assert_eq!(encoded(&PingSuccess {}), [0; 0]);
}

#[test]
fn bodies_that_lie_are_refused() {
    // RopBufferSize reaches past the end; a missing NUL; bytes after the end.
    assert!(decode_body::<ExecuteRequest>(&[0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1]).is_err());
    assert!(decode_body::<ConnectRequest>(b"/o=First").is_err());
    assert!(decode_body::<DisconnectRequest>(&[0; 5]).is_err());
    assert!(decode_body::<DisconnectRequest>(&[]).is_err());
}

#[test]
fn a_response_stream_is_taken_apart() {
    let mut stream = [PROCESSING, PENDING, PENDING, DONE].concat();
    put_header(&mut stream, "X-ElapsedTime", "12");
    put_header(&mut stream, "X-StartTime", "Wed, 25 Nov 2026 22:00:00 GMT");
    put_end_of_headers(&mut stream);
    stream.extend(b"\r\nbody");
    let framed = Framed::parse(&stream).unwrap();
    assert_eq!(framed.pending, 2);
    assert_eq!(framed.header("x-elapsedtime"), Some("12"));
    assert_eq!(
        framed.header("X-StartTime"),
        Some("Wed, 25 Nov 2026 22:00:00 GMT")
    );
    assert_eq!(framed.header("X-ResponseCode"), None);
    assert_eq!(framed.body, b"\r\nbody");
}

#[test]
fn streams_of_another_form_are_told_apart() {
    for (stream, error) in [
        (&b""[..], FramingError::Unfinished),
        (b"PROCESSING\r\nPENDING\r\n", FramingError::Unfinished),
        (
            b"PROCESSING\r\nDONE\r\nX-ElapsedTime: 1\r\n",
            FramingError::Unfinished,
        ),
        (b"PENDING\r\nPROCESSING\r\n\r\n", FramingError::MetaTag),
        (b"<html>\r\n", FramingError::MetaTag),
        (b"DONE\r\nnothing\r\n\r\n", FramingError::Header),
    ] {
        assert_eq!(
            Framed::parse(stream),
            Err(error),
            "{}",
            stream.escape_ascii()
        );
    }
}

#[test]
fn request_types_are_known_by_name_and_endpoint() {
    for name in [
        "Connect",
        "Execute",
        "Disconnect",
        "NotificationWait",
        "PING",
    ] {
        let ty = RequestType::from_name(name).unwrap();
        assert_eq!(ty.name(), name);
        assert_eq!(RequestType::from_name(&name.to_lowercase()), Some(ty));
    }
    let bind = RequestType::AddressBook(crate::nspi::RequestType::Bind);
    assert_eq!(RequestType::from_name("bind"), Some(bind));
    assert_eq!(RequestType::from_name("Explode"), None);
    assert!(RequestType::Ping.is_of(Endpoint::Mailbox));
    assert!(RequestType::Ping.is_of(Endpoint::AddressBook));
    assert!(!RequestType::Execute.is_of(Endpoint::AddressBook));
    assert!(!bind.is_of(Endpoint::Mailbox));
}

#[test]
fn response_codes_have_their_numbers() {
    for (number, code) in ResponseCode::ALL.iter().enumerate() {
        assert_eq!(code.number() as usize, number);
        assert_eq!(ResponseCode::from_header(&number.to_string()), Some(*code));
    }
    assert_eq!(ResponseCode::from_header("19"), None);
    assert_eq!(ResponseCode::from_header("x"), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode_body::<ConnectRequest>(&bytes);
        let _ = decode_body::<ExecuteRequest>(&bytes);
        let _ = decode_body::<NotificationWaitRequest>(&bytes);
        let _ = decode_body::<Response<ConnectSuccess>>(&bytes);
        let _ = decode_body::<Response<ExecuteSuccess>>(&bytes);
        let _ = decode_body::<Response<NotificationWaitSuccess>>(&bytes);
        let _ = Framed::parse(&bytes);
    }

    #[test]
    fn execute_comes_back_as_it_went(
        flags: u32,
        max_rop_out: u32,
        rops in prop::collection::vec(any::<u8>(), 0..200),
        aux in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let request = ExecuteRequest {
            flags,
            rop_buffer: Bytes32::new(&rops),
            max_rop_out,
            auxiliary_buffer: Bytes32::new(&aux),
        };
        let bytes = encoded(&request);
        prop_assert_eq!(decode_body::<ExecuteRequest>(&bytes), Ok(request));
        let response = Response::Success(ExecuteSuccess {
            error_code: max_rop_out,
            flags,
            rop_buffer: Bytes32::new(&rops),
            auxiliary_buffer: Bytes32::new(&aux),
        });
        let bytes = encoded(&response);
        prop_assert_eq!(decode_body::<Response<ExecuteSuccess>>(&bytes), Ok(response));
    }

    #[test]
    fn connect_comes_back_as_it_went(
        name in "[^\0]{0,20}",
        dn in "[ -~]{0,80}",
        numbers: [u32; 4],
        aux in prop::collection::vec(any::<u8>(), 0..50),
    ) {
        let [error_code, polls_max, retry_count, retry_delay] = numbers;
        let request = ConnectRequest {
            user_dn: AsciiZ(dn.as_bytes()),
            flags: error_code,
            default_code_page: polls_max,
            lcid_sort: retry_count,
            lcid_string: retry_delay,
            auxiliary_buffer: Bytes32::new(&aux),
        };
        let bytes = encoded(&request);
        prop_assert_eq!(decode_body::<ConnectRequest>(&bytes), Ok(request));
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let response = Response::Success(ConnectSuccess {
            error_code,
            polls_max,
            retry_count,
            retry_delay,
            dn_prefix: AsciiZ(dn.as_bytes()),
            display_name: Utf16Z(&name),
            auxiliary_buffer: Bytes32::new(&aux),
        });
        let bytes = encoded(&response);
        prop_assert_eq!(decode_body::<Response<ConnectSuccess>>(&bytes), Ok(response));
    }
}
