//! ROP buffers, handles and what is refused (MS-OXCROPS 3.2.5, MS-OXCRPC 3.1.4.2, MS-OXCMAPIHTTP
//! 3.2.5.2): whatever is refused, the session lives on.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{
        Client, Error, InputForm, Logon, MAX_ROP_OUT, NO_HANDLE, Rop, Value, concat,
        framing::{self, COMPRESSED, LAST, XOR_MAGIC},
        logon_rop, tagged_values,
    },
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    client::RopBatch,
    rop::{GetTableRequest, QueryRowsRequest, Request, RequestBody, SetColumnsRequest},
};

fn open_folder(from: u8, to: u8, fid: u64) -> Rop {
    Rop::new(0x02, from).u8(to).u64(fid).u8(0)
}

fn get_display_name(index: u8) -> Rop {
    Rop::new(0x07, index)
        .u16(0)
        .u16(1)
        .tags(&[tag::DISPLAY_NAME])
}

/// The session and its logon still work.
fn lives(client: &mut Client, logon: &Logon) {
    client
        .open_folder(logon.handle, logon.inbox())
        .and_then(|folder| client.release(folder))
        .expect("the session lives on");
}

/// Every ROP of the slice, complete, each with input handle index 0 and output handle index 1.
fn slice(fid: u64, mid: u64) -> Vec<(&'static str, Rop)> {
    let long_term_id = [7; 24];
    vec![
        ("RopRelease", Rop::new(0x01, 0)),
        ("RopOpenFolder", open_folder(0, 1, fid)),
        (
            "RopOpenMessage",
            Rop::new(0x03, 0).u8(1).u16(0x0FFF).u64(fid).u8(0).u64(mid),
        ),
        ("RopGetHierarchyTable", Rop::new(0x04, 0).u8(1).u8(0)),
        ("RopGetContentsTable", Rop::new(0x05, 0).u8(1).u8(0)),
        (
            "RopCreateMessage",
            Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(fid).u8(0),
        ),
        ("RopGetPropertiesSpecific", get_display_name(0)),
        ("RopGetPropertiesAll", Rop::new(0x08, 0).u16(0).u16(1)),
        ("RopGetPropertiesList", Rop::new(0x09, 0)),
        (
            "RopSetProperties",
            Rop::new(0x0A, 0).sized(&tagged_values(&[(0x7801_001F, text("x"))])),
        ),
        (
            "RopDeleteProperties",
            Rop::new(0x0B, 0).tags(&[0x7801_001F]),
        ),
        ("RopSaveChangesMessage", Rop::new(0x0C, 1).u8(0).u8(2)),
        ("RopRemoveAllRecipients", Rop::new(0x0D, 0).u32(0)),
        (
            "RopModifyRecipients",
            Rop::new(0x0E, 0).tags(&[]).u16(1).u32(0).u8(1).u16(0),
        ),
        ("RopReadRecipients", Rop::new(0x0F, 0).u32(0).u16(0)),
        ("RopReloadCachedInformation", Rop::new(0x10, 0).u16(0)),
        ("RopSetMessageReadFlag", Rop::new(0x11, 1).u8(0).u8(1)),
        ("RopSetColumns", Rop::new(0x12, 0).u8(0).tags(&[tag::MID])),
        (
            "RopSortTable",
            Rop::new(0x13, 0)
                .u8(0)
                .u16(1)
                .u16(0)
                .u16(0)
                .u32(tag::SUBJECT)
                .u8(0),
        ),
        ("RopRestrict", Rop::new(0x14, 0).u8(0).sized(&[])),
        ("RopQueryRows", Rop::new(0x15, 0).u8(0).u8(1).u16(1)),
        ("RopQueryPosition", Rop::new(0x17, 0)),
        ("RopSeekRow", Rop::new(0x18, 0).u8(0).u32(1).u8(1)),
        (
            "RopCreateFolder",
            Rop::new(0x1C, 0)
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(1)
                .u8(0)
                .utf16_z("slice")
                .utf16_z(""),
        ),
        (
            "RopDeleteFolder",
            Rop::new(0x1D, 0).u8(0).u64(fid ^ 0x7700_0000),
        ),
        (
            "RopDeleteMessages",
            Rop::new(0x1E, 0).u8(0).u8(0).ids(&[mid ^ 0x7700_0000]),
        ),
        ("RopGetAttachmentTable", Rop::new(0x21, 0).u8(1).u8(0)),
        ("RopOpenAttachment", Rop::new(0x22, 0).u8(1).u8(0).u32(0)),
        ("RopCreateAttachment", Rop::new(0x23, 0).u8(1)),
        ("RopDeleteAttachment", Rop::new(0x24, 0).u32(77)),
        ("RopSaveChangesAttachment", Rop::new(0x25, 1).u8(0).u8(2)),
        ("RopGetReceiveFolder", Rop::new(0x27, 0).ascii_z("IPM")),
        (
            "RopOpenStream",
            Rop::new(0x2B, 0).u8(1).u32(0x7801_0102).u8(2),
        ),
        ("RopReadStream", Rop::new(0x2C, 0).u16(4)),
        ("RopWriteStream", Rop::new(0x2D, 0).sized(b"data")),
        ("RopSeekStream", Rop::new(0x2E, 0).u8(0).u64(0)),
        ("RopSetStreamSize", Rop::new(0x2F, 0).u64(4)),
        (
            "RopMoveCopyMessages",
            Rop::new(0x33, 0)
                .u8(0)
                .ids(&[mid ^ 0x7700_0000])
                .u8(0)
                .u8(1),
        ),
        ("RopLongTermIdFromId", Rop::new(0x43, 0).u64(mid)),
        (
            "RopIdFromLongTermId",
            Rop::new(0x44, 0).bytes(&long_term_id),
        ),
        (
            "RopOpenEmbeddedMessage",
            Rop::new(0x46, 0).u8(1).u16(0x0FFF).u8(0),
        ),
        (
            "RopFindRow",
            // RES_EXIST.
            Rop::new(0x4F, 0)
                .u8(0)
                .sized(&[0x08, 0x14, 0, 0x4A, 0x67])
                .u8(0)
                .sized(&[]),
        ),
        (
            "RopGetNamesFromPropertyIds",
            Rop::new(0x55, 0).u16(1).u16(0x0037),
        ),
        (
            "RopGetPropertyIdsFromNames",
            Rop::new(0x56, 0)
                .u8(0)
                .u16(1)
                .u8(0)
                .bytes(&[5; 16])
                .u32(0x8501),
        ),
        ("RopCommitStream", Rop::new(0x5D, 0)),
        ("RopGetStreamSize", Rop::new(0x5E, 0)),
        ("RopSetReadFlags", Rop::new(0x66, 0).u8(0).u8(1).ids(&[mid])),
        ("RopLogon", logon_rop(1, 0x0100_000C, "/o=x")),
    ]
}

#[test]
fn rops_of_one_buffer_run_in_order_and_pass_handles() {
    let (mut client, logon) = ada();
    let payload = client
        .execute(
            &[
                open_folder(0, 1, logon.inbox()),
                get_display_name(1),
                open_folder(1, 2, logon.folder_ids[Logon::OUTBOX]),
                get_display_name(2),
                Rop::new(0x01, 1),
            ],
            &[logon.handle, NO_HANDLE, NO_HANDLE],
        )
        .unwrap();
    let mut expected = Vec::new();
    for (index, name) in [(1, "Inbox"), (2, "Outbox")] {
        expected.extend([0x02, index, 0, 0, 0, 0, 0, 0]);
        expected.extend([0x07, index, 0, 0, 0, 0, 0]);
        let units = name.encode_utf16().chain([0]);
        expected.extend(units.flat_map(u16::to_le_bytes));
    }
    assert_eq!(payload.rops, expected);
    assert_eq!(payload.handles[0], logon.handle);
    assert_eq!(payload.handles.len(), 3);
    assert_ne!(payload.handles[2], NO_HANDLE);
    assert_ne!(payload.handles[2], payload.handles[0]);
    // The released one is gone, the other stays for the next request.
    assert!(client.hierarchy_table(payload.handles[1], 0).is_err());
    client.hierarchy_table(payload.handles[2], 0).unwrap();
}

// MS-OXCROPS 3.2.5.1.
#[test]
fn a_rop_on_a_handle_that_was_not_opened_fails_and_later_ones_run() {
    let (mut client, logon) = ada();
    let payload = client
        .execute(
            &[
                open_folder(0, 1, 0x7766_5544_3322_0001),
                get_display_name(1),
                open_folder(0, 2, logon.inbox()),
            ],
            &[logon.handle, NO_HANDLE, NO_HANDLE],
        )
        .unwrap();
    assert_eq!(payload.rops[..6], [0x02, 1, 0x0F, 0x01, 0x04, 0x80]);
    assert_eq!(payload.rops[6..12], [0x07, 1, 0xB9, 0x04, 0, 0]);
    assert_eq!(payload.rops[12..], [0x02, 2, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn the_codec_of_the_client_reads_what_the_server_writes() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    for name in ["One", "Two"] {
        client.create_folder(parent, name).unwrap();
    }
    let columns = [PropTag(tag::DISPLAY_NAME)];
    let mut batch = RopBatch::new();
    let parent = batch.handle(parent);
    let table = batch.slot();
    batch.push(Request::new(
        0,
        parent,
        RequestBody::GetHierarchyTable(GetTableRequest {
            output_handle_index: table,
            table_flags: 0,
        }),
    ));
    batch.push(Request::new(
        0,
        table,
        RequestBody::SetColumns(SetColumnsRequest {
            set_columns_flags: 0,
            property_tags: (&columns).into(),
        }),
    ));
    batch.push_with_columns(
        Request::new(
            0,
            table,
            RequestBody::QueryRows(QueryRowsRequest {
                query_rows_flags: 0,
                forward_read: true,
                row_count: 9,
            }),
        ),
        &columns,
    );
    let (codes, handle) = client
        .execute_batch(&batch, |output| {
            let codes: Vec<u32> = output.responses().map(|r| r.return_value.0).collect();
            (codes, output.handle(table))
        })
        .unwrap();
    assert_eq!(codes, [0, 0, 0]);
    assert_eq!(client.query_position(handle.unwrap()).unwrap(), (2, 2));
}

#[test]
fn an_empty_rops_list_is_answered_with_an_empty_one() {
    let (mut client, logon) = ada();
    assert!(client.execute(&[], &[]).unwrap().rops.is_empty());
    assert!(
        client
            .execute(&[], &[logon.handle])
            .unwrap()
            .rops
            .is_empty()
    );
}

#[test]
fn input_is_understood_plain_compressed_and_obfuscated() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let body = "a long body of rope, ".repeat(600);
    for (compress, xor) in [(false, false), (true, false), (false, true), (true, true)] {
        client.form = InputForm { compress, xor };
        let message = client.create_message(folder, folder_id).unwrap();
        client
            .set_props(message, &[(tag::BODY, text(&body))])
            .unwrap();
        let row = client.get_props(message, &[tag::BODY]).unwrap();
        assert_eq!(row.cells[0].value(), Some(&text(&body)));
    }
}

#[test]
fn output_is_as_plain_as_the_flags_ask() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "plain");
    let body = "rope ".repeat(2000);
    client
        .set_props(message, &[(tag::BODY, text(&body))])
        .unwrap();
    let rop = Rop::new(0x07, 0).u16(0).u16(1).tags(&[tag::BODY]);
    let mut answers = Vec::new();
    for flags in 0..4 {
        client.flags = flags;
        let payload = client
            .execute(std::slice::from_ref(&rop), &[message])
            .unwrap();
        if flags & 1 != 0 {
            assert_eq!(payload.flags & COMPRESSED, 0, "NoCompression");
        }
        if flags & 2 != 0 {
            assert_eq!(payload.flags & XOR_MAGIC, 0, "NoXorMagic");
        }
        answers.push(payload.rops);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

// MS-OXCROPS 2.2.15.1 and 3.2.5.2.
#[test]
fn what_does_not_fit_is_handed_back_in_rop_buffer_too_small() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "big");
    client
        .set_props(message, &[(0x7801_0102, Value::Binary(vec![7; 20_000]))])
        .unwrap();
    let get = Rop::new(0x07, 0).u16(0).u16(1).tags(&[0x7801_0102]);
    let position = Rop::new(0x09, 0);
    client.max_rop_out = 0x8008;
    let payload = client
        .execute(&[get.clone(), get.clone(), position.clone()], &[message])
        .unwrap();
    let first = 6 + 1 + 2 + 20_000;
    assert_eq!(payload.rops[..7], [0x07, 0, 0, 0, 0, 0, 0]);
    let rest = &payload.rops[first..];
    assert_eq!(rest[0], 0xFF);
    let needed = usize::from(u16::from_le_bytes([rest[1], rest[2]]));
    assert!(needed >= first, "SizeNeeded {needed}");
    assert_eq!(rest[3..], concat(&[get.clone(), position]));
    // What was handed back can be sent again.
    let payload = client.execute(&[get], &[message]).unwrap();
    assert_eq!(payload.rops.len(), first);
    lives(&mut client, &logon);
}

#[test]
fn a_response_that_fits_no_buffer_of_the_client_fails_the_request_or_tells_the_size() {
    let (mut client, logon) = ada();
    client.max_rop_out = 64;
    let open = open_folder(0, 1, logon.inbox());
    // The response, its headers and the handle table take less than 64 bytes.
    client.rop(&open, &[logon.handle, NO_HANDLE]).unwrap();
    let list = Rop::new(0x09, 0);
    match client.execute(std::slice::from_ref(&list), &[logon.handle]) {
        Ok(payload) => {
            assert_eq!(payload.rops[0], 0xFF);
            assert_eq!(payload.rops[3..], *list.as_bytes());
        }
        Err(error) => assert_eq!(error.code(), code::BUFFER_TOO_SMALL),
    }
    client.max_rop_out = MAX_ROP_OUT;
    lives(&mut client, &logon);
}

// MS-OXCRPC 3.1.4.2: pcbOut.
#[test]
fn max_rop_out_has_bounds() {
    let (mut client, logon) = ada();
    for max_rop_out in [0, 7, 8, 10] {
        client.max_rop_out = max_rop_out;
        assert!(client.list_props(logon.handle).is_err(), "{max_rop_out}");
    }
    for max_rop_out in [0x0004_0001, 0x0010_0001, u32::MAX] {
        client.max_rop_out = max_rop_out;
        // Refused or cut down to what there is; never a crash.
        let _ = client.list_props(logon.handle);
    }
    for max_rop_out in [0x8000, 0x8008, 0x1_0008, 0x4_0000] {
        client.max_rop_out = max_rop_out;
        lives(&mut client, &logon);
    }
}

// MS-OXCROPS 3.2.5.1: ecNullObject.
#[test]
fn a_handle_index_outside_of_the_table_is_a_null_object() {
    let (mut client, logon) = ada();
    for index in [1, 5, 0xFF] {
        for (name, rop) in slice(logon.inbox(), logon.inbox()) {
            let mut bytes = rop.as_bytes().to_vec();
            // RopLogon has no input; the others have theirs here, or one byte later.
            let at = match bytes[0] {
                0xFE => continue,
                0x0C | 0x11 | 0x25 => 3,
                _ => 2,
            };
            bytes[at] = index;
            let payload = client
                .execute_payload(&framing::rop_buffer(&bytes, &[logon.handle]))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            if bytes[0] == 0x01 {
                assert!(payload.rops.is_empty(), "{name}");
            } else {
                assert_eq!(payload.rops[0], bytes[0], "{name}");
                let code = u32::from_le_bytes(payload.rops[2..6].try_into().unwrap());
                assert_eq!(code, code::NULL_OBJECT, "{name}");
            }
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn handles_that_are_not_open_are_refused() {
    let (mut client, logon) = ada();
    let folder = client.open_folder(logon.handle, logon.inbox()).unwrap();
    client.release(folder).unwrap();
    for handle in [folder, NO_HANDLE, 0x1234_5678, 0] {
        if handle == logon.handle {
            continue;
        }
        let error = client.hierarchy_table(handle, 0).unwrap_err();
        assert_ne!(error.code(), 0, "{handle:#x}");
        // Releasing it is no error, and no news either.
        client.release(handle).unwrap();
    }
    // A handle of another session is not one of this.
    let (mut other, _) = ada();
    let mut theirs = 0;
    for _ in 0..40 {
        let from = other.logon().unwrap().handle;
        theirs = other.open_folder(from, logon.inbox()).unwrap();
    }
    assert!(client.hierarchy_table(theirs, 0).is_err());
    lives(&mut client, &logon);
}

/// What a ROP can be called on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Logon,
    Folder,
    Message,
    Attachment,
    Stream,
    Contents,
    Hierarchy,
    Attachments,
}

use Kind::{Attachment, Attachments, Contents, Folder, Hierarchy, Logon as Store, Message, Stream};

/// Which kinds a ROP is for, and what it answers on others; 0 for any error, since the
/// specification names none.
fn accepts(rop_id: u8) -> Option<(&'static [Kind], u32)> {
    const TABLES: &[Kind] = &[Contents, Hierarchy, Attachments];
    const OBJECTS: &[Kind] = &[Store, Folder, Message, Attachment];
    Some(match rop_id {
        // MS-OXCFOLD 3.2.5.
        0x02 => (&[Store, Folder], code::NOT_SUPPORTED),
        0x04 | 0x05 | 0x1C | 0x1D | 0x1E | 0x33 => (&[Folder], code::NOT_SUPPORTED),
        // MS-OXCTABL 3.2.5.
        0x12 | 0x15 | 0x17 | 0x18 => (TABLES, code::NOT_SUPPORTED),
        0x13 => (&[Contents], code::NOT_SUPPORTED),
        0x14 | 0x4F => (&[Contents, Hierarchy], code::NOT_SUPPORTED),
        // MS-OXCMSG 3.2.5.
        0x03 => (&[Store, Folder], code::NULL_OBJECT),
        0x06 => (&[Store, Folder], 0),
        0x0D..=0x11 | 0x21..=0x24 => (&[Message], code::NULL_OBJECT),
        0x0C => (&[Message], 0),
        0x25 => (&[Attachment], code::NOT_SUPPORTED),
        0x46 => (&[Attachment], code::NULL_OBJECT),
        0x66 => (&[Folder], code::NULL_OBJECT),
        // MS-OXCPRPT 3.2.5.
        0x07..=0x0B => (OBJECTS, 0),
        0x2B => (OBJECTS, code::NOT_SUPPORTED),
        0x2C..=0x2F | 0x5D | 0x5E => (&[Stream], 0),
        // MS-OXCSTOR 3.2.5.2.
        0x27 => (&[Store], 0),
        _ => return None,
    })
}

#[test]
fn every_rop_refuses_objects_of_the_wrong_kind() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, mid) = new_message(&mut client, folder, folder_id, "kinds");
    let (attachment, _) = client.create_attachment(message).unwrap();
    let (stream, _) = client.open_stream(message, tag::HTML, 2).unwrap();
    let (contents, _) = client.contents_table(folder, 0).unwrap();
    let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
    let attachments = client.attachment_table(message).unwrap();
    let objects = [
        (Store, logon.handle),
        (Folder, folder),
        (Message, message),
        (Attachment, attachment),
        (Stream, stream),
        (Contents, contents),
        (Hierarchy, hierarchy),
        (Attachments, attachments),
    ];
    let mut wrong = Vec::new();
    for (name, rop) in slice(folder_id, mid) {
        let Some((kinds, expected)) = accepts(rop.id()) else {
            continue;
        };
        for (kind, handle) in objects {
            if kinds.contains(&kind) {
                continue;
            }
            let payload = client
                .execute(std::slice::from_ref(&rop), &[handle, NO_HANDLE])
                .unwrap_or_else(|error| panic!("{name} on {kind:?}: {error}"));
            let got = u32::from_le_bytes(payload.rops[2..6].try_into().unwrap());
            // MS-OXCROPS 2.2: what a failure has after ReturnValue.
            let more = match rop.id() {
                0x1D | 0x1E | 0x33 | 0x66 => 1,
                0x2C | 0x2D => 2,
                _ => 0,
            };
            let code_is_right = if expected == 0 {
                got != 0
            } else {
                got == expected
            };
            if !code_is_right || payload.rops.len() != 6 + more {
                wrong.push(format!(
                    "{name} on {kind:?}: {got:#010x} instead of {expected:#010x}, {:02x?}",
                    payload.rops
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    lives(&mut client, &logon);
}

// MS-OXCTABL 3.2.5.9.
#[test]
fn a_seek_row_on_no_table_ends_the_buffer() {
    let (mut client, logon) = ada();
    let folder = client.open_folder(logon.handle, logon.inbox()).unwrap();
    let seek = Rop::new(0x18, 0).u8(0).u32(1).u8(1);
    let payload = client
        .execute(&[seek, get_display_name(0)], &[folder])
        .unwrap();
    assert_eq!(payload.rops, [0x18, 0, 0x02, 0x01, 0x04, 0x80]);
}

// MS-OXCROPS 2.2.2 and 3.2.5.1.
#[test]
fn reserved_rop_ids_fail_the_request() {
    let (mut client, logon) = ada();
    let reserved = [
        0x00, 0x28, 0x3C, 0x3D, 0x62, 0x65, 0x6A, 0x71, 0x7C, 0x7D, 0xFA, 0xFD,
    ]
    .into_iter()
    .chain(0x83..=0x85)
    .chain(0x8A..=0x8F)
    .chain(0x94..=0x9C)
    .chain(0xA4..=0xF8);
    for id in reserved {
        let result = client.execute(&[Rop::new(id, 0)], &[logon.handle]);
        match result {
            Err(error) => assert_ne!(error.code(), 0, "{id:#04x}"),
            Ok(payload) => panic!("{id:#04x}: {:02x?}", payload.rops),
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn a_rop_that_is_not_served_fails_alone() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let more = [
        ("RopGetStatus", Rop::new(0x16, 0), table),
        ("RopAbort", Rop::new(0x38, 0), table),
        ("RopCreateBookmark", Rop::new(0x1B, 0), table),
        ("RopQueryColumnsAll", Rop::new(0x37, 0), table),
        ("RopResetTable", Rop::new(0x81, 0), table),
        ("RopGetStoreState", Rop::new(0x7B, 0), logon.handle),
        ("RopGetReceiveFolderTable", Rop::new(0x68, 0), logon.handle),
        ("RopGetAddressTypes", Rop::new(0x49, 0), logon.handle),
        ("RopGetTransportFolder", Rop::new(0x6D, 0), logon.handle),
        (
            "RopGetLocalReplicaIds",
            Rop::new(0x7F, 0).u32(4),
            logon.handle,
        ),
        ("RopEmptyFolder", Rop::new(0x58, 0).u8(0).u8(0), folder),
        (
            "RopSetMessageStatus",
            Rop::new(0x20, 0).u64(1).u32(0).u32(0),
            folder,
        ),
        ("RopSubmitMessage", Rop::new(0x32, 0).u8(0), folder),
        (
            "RopGetPermissionsTable",
            Rop::new(0x3E, 0).u8(1).u8(0),
            folder,
        ),
        ("RopGetRulesTable", Rop::new(0x3F, 0).u8(1).u8(0), folder),
        (
            "RopSynchronizationOpenCollector",
            Rop::new(0x7E, 0).u8(1).u8(1),
            folder,
        ),
    ];
    for (name, rop, handle) in more {
        // A ROP after it is still understood and answered.
        let after = Rop::new(0x09, 2);
        let payload = client
            .execute(&[rop.clone(), after], &[handle, NO_HANDLE, folder])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(payload.rops[0], rop.id(), "{name}");
        let rest = &payload.rops[6..];
        assert!(
            rest.windows(6).any(|part| part == [0x09, 2, 0, 0, 0, 0]),
            "{name}: {:02x?}",
            payload.rops
        );
    }
    lives(&mut client, &logon);
}

#[test]
fn a_rop_cut_short_fails_the_request_with_rpc_format() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, mid) = new_message(&mut client, folder, folder_id, "cut");
    let ahead = get_display_name(0);
    for (name, rop) in slice(folder_id, mid) {
        let bytes = rop.as_bytes();
        for length in 1..bytes.len() {
            for before in [&[][..], ahead.as_bytes()] {
                let rops = [before, &bytes[..length]].concat();
                let payload = framing::rop_buffer(&rops, &[folder, NO_HANDLE]);
                match client.execute_payload(&payload) {
                    Err(error) => {
                        assert_eq!(error.code(), code::RPC_FORMAT, "{name} cut to {length}");
                    }
                    Ok(payload) => panic!("{name} cut to {length}: {:02x?}", payload.rops),
                }
            }
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn counts_that_do_not_fit_fail_the_request() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let lies = [
        Rop::new(0x07, 0).u16(0).u16(1).u16(0xFFFF).u32(tag::MID),
        Rop::new(0x0A, 0).u16(0xFFFF).u16(0xFFFF),
        Rop::new(0x0B, 0).u16(2).u32(tag::MID),
        Rop::new(0x0E, 0).u16(0xFFFF).u32(0),
        Rop::new(0x0E, 0).u16(0).u16(0xFFFF).u32(0).u8(1).u16(0),
        Rop::new(0x0E, 0).u16(0).u16(1).u32(0).u8(1).u16(0xFFFF),
        Rop::new(0x12, 0).u8(0).u16(0xFFFF).u32(tag::MID),
        Rop::new(0x13, 0).u8(0).u16(0xFFFF).u16(0).u16(0),
        Rop::new(0x14, 0).u8(0).u16(0xFFFF).bytes(&[0; 9]),
        Rop::new(0x1C, 0)
            .u8(1)
            .u8(1)
            .u8(1)
            .u8(0)
            .u8(0)
            .bytes(b"no terminator"),
        Rop::new(0x1E, 0).u8(0).u8(0).u16(0xFFFF).u64(1),
        Rop::new(0x27, 0).bytes(b"IPM"),
        Rop::new(0x2D, 0).u16(0xFFFF).bytes(b"x"),
        Rop::new(0x33, 0).u8(0).u16(0xFFFF).u64(1),
        Rop::new(0x4F, 0).u8(0).u16(0xFFFF),
        Rop::new(0x55, 0).u16(0xFFFF).u16(1),
        Rop::new(0x56, 0).u8(2).u16(0xFFFF).u8(0),
        Rop::new(0x66, 0).u8(0).u8(0).u16(0xFFFF).u64(1),
        Rop::new(0xFE, 0)
            .u8(1)
            .u32(0)
            .u32(0)
            .u16(0xFFFF)
            .bytes(b"/o=x\0"),
    ];
    for rop in lies {
        fails(
            client.execute(std::slice::from_ref(&rop), &[folder, NO_HANDLE]),
            code::RPC_FORMAT,
        );
        lives(&mut client, &logon);
    }
}

#[test]
fn extended_buffers_and_rop_sizes_that_lie_fail_the_request() {
    let (mut client, logon) = ada();
    let payload = framing::rop_buffer(
        open_folder(0, 1, logon.inbox()).as_bytes(),
        &[logon.handle, NO_HANDLE],
    );
    let header = |version: u16, flags: u16, size: u16, size_actual: u16| {
        let mut buffer = Vec::new();
        for field in [version, flags, size, size_actual] {
            buffer.extend(field.to_le_bytes());
        }
        buffer.extend(&payload);
        buffer
    };
    let length = u16::try_from(payload.len()).unwrap();
    // The honest one works.
    client
        .execute_raw(&header(0, LAST, length, length))
        .unwrap();
    let mut lies = vec![
        Vec::new(),
        vec![0; 7],
        vec![0; 8],
        header(7, LAST, length, length),
        header(0, LAST, length + 1, length + 1),
        header(0, LAST, length - 1, length - 1),
        header(0, LAST, length, length + 4),
        header(0, LAST, length, length - 4),
        header(0, LAST, 0xFFFF, 0xFFFF),
        header(0, LAST, 0, 0),
        header(0, 0, length, length),
        header(0, LAST | COMPRESSED, length, 0xFFFF),
        header(0, LAST | COMPRESSED, length, length + 1),
        header(0, LAST | XOR_MAGIC, length, length),
    ];
    // RopSize beyond the payload, less than itself, and short of the ROP.
    for rop_size in [0_u16, 1, 3, 0x00FF, 0xFFFF] {
        let mut lie = header(0, LAST, length, length);
        lie[8..10].copy_from_slice(&rop_size.to_le_bytes());
        lies.push(lie);
    }
    // A bomb: one literal and matches up to the end.
    let mut bomb = vec![0; 8];
    bomb.extend(0x7FFF_FFFF_u32.to_le_bytes());
    bomb.extend([0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let size = u16::try_from(bomb.len() - 8).unwrap();
    bomb[2] = 0x05;
    bomb[4..6].copy_from_slice(&size.to_le_bytes());
    bomb[6..8].copy_from_slice(&0xFFFF_u16.to_le_bytes());
    lies.push(bomb);
    // More than a request may have (MS-OXCRPC 3.1.4.2).
    lies.push(header(0, LAST, length, length).repeat(10_000));
    for (i, lie) in lies.iter().enumerate() {
        let error = client.execute_raw(lie).expect_err(&format!("lie {i}"));
        assert!(
            matches!(error, Error::Request { .. } | Error::ResponseCode { .. }),
            "lie {i}: {error}"
        );
        lives(&mut client, &logon);
    }
}

#[test]
fn a_request_body_cut_short_is_refused_at_every_byte() {
    let (mut client, logon) = ada();
    let payload = framing::rop_buffer(
        open_folder(0, 1, logon.inbox()).as_bytes(),
        &[logon.handle, NO_HANDLE],
    );
    let buffer = framing::extended_buffer(&payload, InputForm::default());
    let mut body = Vec::new();
    body.extend(3_u32.to_le_bytes());
    body.extend(u32::try_from(buffer.len()).unwrap().to_le_bytes());
    body.extend(&buffer);
    body.extend(MAX_ROP_OUT.to_le_bytes());
    body.extend(0_u32.to_le_bytes());
    for length in 0..body.len() {
        let refused = match client.request("Execute", &body[..length]) {
            // StatusCode or ErrorCode.
            Ok(response) => response.body[..response.body.len().min(8)] != [0; 8],
            Err(Error::ResponseCode { .. }) => true,
            Err(error) => panic!("cut to {length}: {error}"),
        };
        assert!(refused, "cut to {length}");
    }
    let response = client.request("Execute", &body).unwrap();
    assert_eq!(response.body[..8], [0; 8]);
    // RopBufferSize and AuxiliaryBufferSize beyond the body.
    for at in [4, body.len() - 4] {
        let mut lie = body.clone();
        lie[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        match client.request("Execute", &lie) {
            Ok(response) => assert_ne!(response.body[..8], [0; 8]),
            Err(Error::ResponseCode { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn mutated_requests_never_end_the_session_or_the_server() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, mid) = new_message(&mut client, folder, folder_id, "mutated");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rops = slice(folder_id, mid);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..1500 {
        let mut bytes = Vec::new();
        for _ in 0..=random(3) {
            bytes.extend(rops[random(rops.len())].1.as_bytes());
        }
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = 0xFF,
                1 => bytes[at] ^= 1 << random(8),
                2 => bytes.insert(at, random(256) as u8),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let payload = framing::rop_buffer(&bytes, &[folder, message, table]);
        match client.execute_payload(&payload) {
            Ok(_) | Err(Error::Request { .. }) => {}
            Err(error) => panic!("round {round}: {bytes:02x?}: {error}"),
        }
    }
    lives(&mut client, &logon);
}

// MS-OXCMAPIHTTP 3.2.5.
#[test]
fn a_session_outlives_its_connection_and_not_its_disconnect() {
    let (mut client, logon) = ada();
    client.connection().close();
    lives(&mut client, &logon);
    client.disconnect().unwrap();
    match client.open_folder(logon.handle, logon.inbox()) {
        // Context Not Found.
        Err(Error::ResponseCode { code, .. }) => assert_eq!(code, 10),
        other => panic!("{other:?}"),
    }
    // A Connect with the old cookies makes a new session context.
    client.send_connect().unwrap();
    let logon = client.logon().unwrap();
    lives(&mut client, &logon);
}

#[test]
fn connecting_again_with_its_cookies_frees_the_handles_of_a_session() {
    let (mut client, logon) = ada();
    client.send_connect().unwrap();
    assert!(client.open_folder(logon.handle, logon.inbox()).is_err());
    let again = client.logon().unwrap();
    lives(&mut client, &again);
}
