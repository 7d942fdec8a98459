//! What goes into a buffer and comes out of one.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{
        Error, InputForm, Logon, MAX_ROP_OUT, NO_HANDLE, Rop, Value, concat,
        framing::{COMPRESSED, XOR_MAGIC},
    },
    fixture::{ada, code, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    client::RopBatch,
    rop::{GetTableRequest, QueryRowsRequest, Request, RequestBody, SetColumnsRequest},
};

use crate::slice::{get_display_name, lives, open_folder};

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
