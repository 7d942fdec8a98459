use std::sync::Arc;

use ropewalk_props::{PropTag, tags};
use ropewalk_wire::{ErrorCode, client::RopBatch, ext_buffer, rop::*};

use super::reuse;
use crate::{
    ConnectParams, RopContext,
    budget::{Budget, Pool},
    handles::{OBJECTS_MAX, TABLES_MAX},
    ids,
    logon::special,
    test_support::*,
};

const COLUMNS: [PropTag; 2] = [tags::PID_TAG_MID, tags::PID_TAG_SUBJECT];

#[test]
fn the_memory_for_requests_is_kept() {
    let mut requests = reuse(Vec::with_capacity(50));
    assert!(requests.capacity() >= 50);
    requests = reuse(requests);
    assert!(requests.capacity() >= 50);
}

#[test]
fn handles_are_passed_on_within_a_buffer() {
    let mut fixture = Fixture::new();
    fixture.add_mail(special::INBOX, "hello", 1);
    let essdn = essdn(&fixture.user);
    let mut batch = RopBatch::new();
    let (logon, folder, table) = (batch.slot(), batch.slot(), batch.slot());
    batch.push(Request::new(0, logon, logon_request(&essdn)));
    let open = OpenFolderRequest {
        output_handle_index: folder,
        folder_id: ids::fid(special::INBOX),
        open_mode_flags: 0,
    };
    batch.push(Request::new(0, logon, RequestBody::OpenFolder(open)));
    let contents = GetTableRequest {
        output_handle_index: table,
        table_flags: 0,
    };
    batch.push(Request::new(
        0,
        folder,
        RequestBody::GetContentsTable(contents),
    ));
    batch.push(Request::new(
        0,
        folder,
        RequestBody::Release(EmptyRequest {}),
    ));
    let columns = SetColumnsRequest {
        set_columns_flags: 0,
        property_tags: (&COLUMNS).into(),
    };
    batch.push(Request::new(0, table, RequestBody::SetColumns(columns)));
    let query = Request::new(0, table, RequestBody::QueryRows(forward(10)));
    batch.push_with_columns(query, &COLUMNS);
    fixture.run(&batch, |output| {
        let codes: Vec<_> = output
            .responses()
            .map(|response| response.return_value.0)
            .collect();
        assert_eq!(codes, [0; 5]);
        let ResponseBody::QueryRows(body) = &output.responses().last().unwrap().body else {
            panic!()
        };
        assert_eq!((body.row_count, body.origin), (1, 2));
        assert_eq!(output.handles.len(), 3);
        assert!(output.handles.iter().all(|handle| *handle != u32::MAX));
    });
}

#[test]
fn a_failed_rop_does_not_stop_the_others_and_indexes_are_checked() {
    let (mut fixture, logon) = Fixture::logged_on();
    let mut batch = RopBatch::new();
    let input = batch.handle(logon);
    batch.push(Request::new(0, 9, open_folder(ids::fid(special::INBOX))));
    let far = OpenFolderRequest {
        output_handle_index: 200,
        folder_id: ids::fid(special::INBOX),
        open_mode_flags: 0,
    };
    batch.push(Request::new(0, input, RequestBody::OpenFolder(far)));
    batch.push(Request::new(
        5,
        input,
        open_folder(ids::fid(special::INBOX)),
    ));
    batch.push(Request::new(
        0,
        input,
        RequestBody::GetStoreState(EmptyRequest {}),
    ));
    let address_types = RequestBody::GetAddressTypes(EmptyRequest {});
    batch.push(Request::new(0, input, address_types));
    fixture.run(&batch, |output| {
        let codes: Vec<_> = output
            .responses()
            .map(|response| response.return_value)
            .collect();
        assert_eq!(
            codes,
            [
                ErrorCode::NULL_OBJECT,
                ErrorCode::NULL_OBJECT,
                ErrorCode::ACCESS_DENIED,
                ErrorCode(0),
                ErrorCode::NOT_SUPPORTED,
            ]
        );
    });
}

/// MS-OXCTABL 3.2.5.9.
#[test]
fn nothing_follows_a_seek_on_something_that_is_no_table() {
    let (mut fixture, logon) = Fixture::logged_on();
    let state = [0x7B, 0, 0];
    let rops = [&state[..], &[0x18, 0, 0, 0, 1, 0, 0, 0, 0], &state].concat();
    let size = (rops.len() as u16 + 2).to_le_bytes();
    let payload = [&size[..], &rops, &logon.to_le_bytes()].concat();
    let reply = execute(&mut fixture, &payload).unwrap();
    let seek = [0x18, 0, 2, 1, 4, 0x80];
    let answered = [&[18, 0, 0x7B, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &seek].concat();
    assert_eq!(reply[8..26], answered);
    assert_eq!(reply.len(), 30);
}

/// Executes a payload as it is.
fn execute(fixture: &mut Fixture, payload: &[u8]) -> Result<Vec<u8>, ErrorCode> {
    let mut buffer = Vec::new();
    ext_buffer::encode(&mut buffer, payload, ext_buffer::LAST).unwrap();
    let mut out = Vec::new();
    fixture
        .context
        .execute(0, &buffer, MAX_ROP_OUT, &mut out)
        .map(|()| out)
}

#[test]
fn a_buffer_that_cannot_be_parsed_has_no_effect() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    // RopRelease of the folder, then something that is no ROP.
    let release = [0x01, 0x00, 0x00];
    let table = folder.to_le_bytes();
    for broken in [
        &[0x28, 0, 0][..],
        &[0x00, 0, 0],
        &[0x02, 0],
        &[0x02, 0, 0, 1, 9],
    ] {
        let rops = [&release, broken].concat();
        let size = (rops.len() as u16 + 2).to_le_bytes();
        let payload = [&size[..], &rops, &table].concat();
        assert_eq!(
            execute(&mut fixture, &payload),
            Err(ErrorCode::RPC_FORMAT),
            "{broken:?}"
        );
    }
    for payload in [
        &[][..],
        &[5],
        &[0, 0],
        &[1, 0],
        &[9, 0, 1, 0, 0],          // RopSize beyond the payload
        &[5, 0, 1, 0, 0, 1, 2, 3], // half a handle
    ] {
        assert_eq!(
            execute(&mut fixture, payload),
            Err(ErrorCode::RPC_FORMAT),
            "{payload:?}"
        );
    }
    // The folder was not released, and an empty buffer is one.
    fixture.ok(folder, RequestBody::GetContentsTable(table_request(0)));
    assert_eq!(execute(&mut fixture, &[2, 0]).unwrap()[8..], [2, 0]);
}

#[test]
fn buffers_without_room_for_a_header_are_refused() {
    let mut fixture = Fixture::new();
    let mut out = Vec::new();
    let header = [0, 0, 4, 0, 2, 0, 2, 0, 2, 0];
    let context = &mut fixture.context;
    assert_eq!(
        context.execute(0, &header[..7], 0x8000, &mut out),
        Err(ErrorCode::RPC_FAILED)
    );
    assert_eq!(
        context.execute(0, &header, 7, &mut out),
        Err(ErrorCode::RPC_FAILED)
    );
    assert_eq!(
        context.execute(0, &header, 9, &mut out),
        Err(ErrorCode::BUFFER_TOO_SMALL)
    );
    assert_eq!(context.execute(0, &header, 10, &mut out), Ok(()));
    assert_eq!(out, header);
}

/// RopOpenFolder to the last slot of a batch, and a table whose length nobody knows beforehand.
fn open_and_list(batch: &mut RopBatch<'_>, logon: u8) {
    let slot = batch.slot();
    let open = OpenFolderRequest {
        output_handle_index: slot,
        folder_id: ids::fid(special::INBOX),
        open_mode_flags: 0,
    };
    batch.push(Request::new(0, logon, RequestBody::OpenFolder(open)));
    let list = RequestBody::GetReceiveFolderTable(EmptyRequest {});
    batch.push(Request::new(0, logon, list));
}

#[test]
fn what_does_not_fit_is_given_back_and_can_be_sent_again() {
    let (mut fixture, logon) = Fixture::logged_on();
    let mut batch = RopBatch::new();
    let input = batch.handle(logon);
    (0..4).for_each(|_| open_and_list(&mut batch, input));
    let requests: Vec<Request<'_>> = batch.requests().cloned().collect();
    let encoded = |requests: &[Request<'_>]| {
        let mut out = Vec::new();
        requests
            .iter()
            .for_each(|request| request.encode(&mut out).unwrap());
        out
    };
    let all: usize = fixture.run(&batch, |output| output.responses().map(response_len).sum());
    // Half of the responses and the requests that are left, behind RopId and SizeNeeded.
    let rops_len = all / 2 + 3 + encoded(&requests[4..]).len();
    let max_rop_out = (8 + 2 + rops_len + 5 * 4) as u32;
    let (done, needed) = fixture
        .run_into(&batch, max_rop_out, |output| {
            let done = output.responses().count();
            let too_small = output.buffer_too_small().unwrap();
            assert_eq!(too_small.request_buffers, encoded(&requests[done..]));
            let opened = (1..5).filter(|slot| output.handle(*slot).is_some()).count();
            assert_eq!(opened, done.div_ceil(2));
            (done, too_small.size_needed)
        })
        .unwrap();
    assert!((4..8).contains(&done), "{done}");
    // As much as the response says is enough for the next one at least.
    let mut rest = RopBatch::new();
    rest.handle(logon);
    for _ in 0..4 {
        rest.slot();
    }
    for request in &requests[done..] {
        rest.push(request.clone());
    }
    fixture
        .run_into(&rest, u32::from(needed), |output| {
            assert!(output.responses().count() >= 1)
        })
        .unwrap();
    // No room even to give everything back.
    assert_eq!(
        fixture.run_into(&batch, 60, |_| ()).unwrap_err(),
        ErrorCode::BUFFER_TOO_SMALL
    );
}

fn response_len(response: &Response<'_>) -> usize {
    let mut out = Vec::new();
    response.encode(&mut out).unwrap();
    out.len()
}

#[test]
fn a_rop_whose_response_does_not_fit_has_no_effect() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let mut partly = 0;
    for max_rop_out in 10..200 {
        let mail = fixture.add_mail(special::INBOX, "mail", 1);
        let mids = [ids::mid(mail)];
        let delete = DeleteMessagesRequest {
            want_asynchronous: false,
            notify_non_read: false,
            message_ids: (&mids).into(),
        };
        let mut batch = RopBatch::new();
        let (input, logon) = (batch.handle(folder), batch.handle(logon));
        open_and_list(&mut batch, logon);
        batch.push(Request::new(0, input, RequestBody::DeleteMessages(delete)));
        open_and_list(&mut batch, logon);
        let answered = fixture
            .run_into(&batch, max_rop_out, |output| {
                let mut answers = output.responses();
                partly += usize::from(output.buffer_too_small().is_some());
                answers.any(|response| response.rop_id == RopId::DELETE_MESSAGES)
            })
            .unwrap_or(false);
        let entry = fixture
            .mailbox()
            .entry(special::INBOX, mail)
            .unwrap()
            .unwrap();
        assert_eq!(entry.soft_deleted, answered, "{max_rop_out}");
    }
    assert!(partly > 20, "{partly}");
}

/// RopReadStream takes what room there is but that for giving the ROPs behind it back.
#[test]
fn what_is_given_back_behind_a_long_response_has_no_effect() {
    let (mut fixture, logon) = Fixture::logged_on();
    let create = CreateMessageRequest {
        output_handle_index: OUTPUT,
        code_page_id: 0x0FFF,
        folder_id: ids::fid(special::INBOX),
        associated_flag: false,
    };
    let message = fixture.open(logon, RequestBody::CreateMessage(create));
    let open = OpenStreamRequest {
        output_handle_index: OUTPUT,
        property_tag: PropTag(0x6801_0102),
        open_mode_flags: 2,
    };
    let stream = fixture.open(message, RequestBody::OpenStream(open));
    let stream_size = 100_000;
    let set = SetStreamSizeRequest { stream_size };
    fixture.ok(stream, RequestBody::SetStreamSize(set));
    let seek = SeekStreamRequest {
        origin: 1,
        offset: 5,
    };
    let output_handle_index = 2;
    let attach = OpenOnlyRequest {
        output_handle_index,
    };
    for (slot, body) in [
        (0, RequestBody::CreateAttachment(attach)),
        (1, RequestBody::SeekStream(seek)),
        (
            1,
            RequestBody::WriteStream(WriteStreamRequest {
                data: (&b"x"[..]).into(),
            }),
        ),
    ] {
        let mut batch = RopBatch::new();
        batch.handle(message);
        batch.handle(stream);
        batch.slot();
        let read = ReadStreamRequest {
            byte_count: 0x7FFF,
            maximum_byte_count: None,
        };
        batch.push(Request::new(0, 1, RequestBody::ReadStream(read)));
        batch.push(Request::new(0, slot, body));
        let list = RequestBody::GetPropertiesList(EmptyRequest {});
        batch.push(Request::new(0, 0, list));
        let opened = fixture.run(&batch, |output| {
            assert_eq!(output.responses().count(), 1);
            assert!(output.buffer_too_small().is_some());
            output.handle(2)
        });
        assert_eq!(opened, None);
    }
    // Three reads, and nothing else has moved the stream.
    let position = fixture.call(
        stream,
        RequestBody::SeekStream(SeekStreamRequest {
            origin: 1,
            offset: 0,
        }),
        &[],
        |response, _| match &response.body {
            ResponseBody::SeekStream(response) => response.new_position,
            _ => panic!(),
        },
    );
    assert!((3 * 32_000..3 * 32_760).contains(&position), "{position}");
    let number = fixture.call(
        message,
        RequestBody::CreateAttachment(OpenOnlyRequest {
            output_handle_index: OUTPUT,
        }),
        &[],
        |response, _| match &response.body {
            ResponseBody::CreateAttachment(response) => response.attachment_id,
            _ => panic!(),
        },
    );
    assert_eq!(number, 0);
}

#[test]
fn rops_that_surely_fit_need_no_room_to_be_given_back() {
    let (mut fixture, logon) = Fixture::logged_on();
    let class = [b'a'; 200];
    let mut batch = RopBatch::new();
    let input = batch.handle(logon);
    for n in 0..9 {
        let folder_id = ids::fid(special::INBOX);
        let message_class = ropewalk_wire::codec::AsciiZ(&class[n..]);
        let set = SetReceiveFolderRequest {
            folder_id,
            message_class,
        };
        batch.push(Request::new(0, input, RequestBody::SetReceiveFolder(set)));
    }
    let max_rop_out = 8 + 2 + 9 * 6 + 4;
    fixture
        .run_into(&batch, max_rop_out, |output| {
            assert_eq!(output.responses().count(), 9)
        })
        .unwrap();
}

#[test]
fn handles_are_told_apart_and_never_come_back_to_life() {
    let (mut fixture, logon) = Fixture::logged_on();
    let first = fixture.open_folder(logon, special::INBOX);
    fixture.release(first);
    let second = fixture.open_folder(logon, special::INBOX);
    assert_ne!(first, second);
    let table = RequestBody::GetContentsTable(table_request(0));
    assert_eq!(
        fixture.code(first, table.clone()),
        ErrorCode::INVALID_OBJECT
    );
    assert_eq!(
        fixture.code(0x0001_3FFF, table.clone()),
        ErrorCode::NULL_OBJECT
    );
    fixture.ok(second, table);
}

#[test]
fn open_objects_are_bounded() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let contents = RequestBody::GetContentsTable(table_request(0));
    let mut tables = Vec::new();
    for _ in 0..TABLES_MAX {
        tables.push(fixture.open(folder, contents.clone()));
    }
    assert_eq!(
        fixture.code(folder, contents.clone()),
        ErrorCode::MAX_OBJS_EXCEEDED
    );
    fixture.release(tables[0]);
    fixture.ok(folder, contents);
    let open = open_folder(ids::fid(special::INBOX));
    for _ in TABLES_MAX + 2..OBJECTS_MAX {
        fixture.ok(logon, open.clone());
    }
    assert_eq!(fixture.code(logon, open), ErrorCode::MAX_OBJS_EXCEEDED);
    // A new logon under the same id makes room.
    let logon = fixture.logon(0);
    fixture.open_folder(logon, special::INBOX);
}

#[test]
fn no_folder_is_created_that_there_is_no_handle_for() {
    const MAX: usize = 1 << 20;
    let mut fixture = Fixture::new();
    let pool = Arc::new(Pool::new(MAX));
    let connect = ConnectParams {
        code_page: 1252,
        sort_lcid: 0x409,
        string_lcid: 0x409,
    };
    let (store, user) = (fixture.store.clone(), Arc::clone(&fixture.user));
    let budget = Budget::within(Arc::clone(&pool));
    fixture.context = RopContext::with_budget(store, user, connect, budget);
    let logon = fixture.logon(0);
    let folder = fixture.open_folder(logon, special::INBOX);
    let others = Budget::within(Arc::clone(&pool));
    let mut rest = others.share();
    rest.resize(MAX - pool.used()).unwrap();
    let open = || open_folder(ids::fid(special::INBOX));
    while fixture.code(logon, open()) == ErrorCode(0) {}
    let create = || {
        RequestBody::CreateFolder(CreateFolderRequest {
            output_handle_index: OUTPUT,
            folder_type: 1,
            use_unicode_strings: false,
            open_existing: false,
            reserved: 0,
            display_name: b"new",
            comment: b"",
        })
    };
    assert_eq!(fixture.code(folder, create()), ErrorCode::NOT_ENOUGH_MEMORY);
    drop(rest);
    assert_eq!(fixture.code(folder, create()), ErrorCode(0));
}

/// MS-OXCROPS 2.2.15.2, 3.1.5.1.1: RopBackoff is in the place of the delayed response, and nothing after it
/// is executed.
#[test]
fn a_client_that_is_to_wait_is_told_so_once_its_handles_are_released() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let create = |index: u8| [&[0x02, 7, index, 2][..], &[0; 9]].concat();
    let rops = [&[0x01, 0, 1][..], &create(0), &create(0)].concat();
    let size = (rops.len() as u16 + 2).to_le_bytes();
    let handles = [logon, folder, u32::MAX].map(u32::to_le_bytes).concat();
    let payload = [&size[..], &rops, &handles].concat();
    let mut buffer = Vec::new();
    ext_buffer::encode(&mut buffer, &payload, ext_buffer::LAST).unwrap();
    let mut back_off = |max_rop_out: u32| {
        let mut out = Vec::new();
        let result = fixture
            .context
            .back_off(250, &buffer, max_rop_out, &mut out);
        result.map(|()| out)
    };
    let backoff = [0xF9, 7, 250, 0, 0, 0, 0, 0, 0];
    let answered = [&[11, 0][..], &backoff, &handles].concat();
    assert_eq!(back_off(0x8008).unwrap()[8..], answered);
    // No more room than that is needed, and with less the request fails as a whole.
    assert_eq!(back_off(8 + 2 + 9 + 12).unwrap()[8..], answered);
    assert_eq!(back_off(8 + 2 + 9 + 11), Err(ErrorCode::BUFFER_TOO_SMALL));
    // RopGetPropertiesList of the released folder: ecInvalidObject.
    let list = [&[5, 0, 0x09, 0, 0][..], &folder.to_le_bytes()].concat();
    let reply = execute(&mut fixture, &list).unwrap();
    assert_eq!(reply[10..16], [0x09, 0, 0x08, 0x01, 0x04, 0x80]);
}

/// What is put off is done by the rest, and the client sees no difference.
#[test]
fn a_request_is_executed_in_two_parts_as_in_one() {
    let (mut fixture, logon) = Fixture::logged_on();
    for i in 0..3 {
        fixture.add_mail(special::INBOX, "hello", i);
    }
    let mut batch = RopBatch::new();
    let (input, folder, table) = (batch.handle(logon), batch.slot(), batch.slot());
    let open = OpenFolderRequest {
        output_handle_index: folder,
        folder_id: ids::fid(special::INBOX),
        open_mode_flags: 0,
    };
    batch.push(Request::new(0, input, RequestBody::OpenFolder(open)));
    let contents = GetTableRequest {
        output_handle_index: table,
        table_flags: 0,
    };
    batch.push(Request::new(
        0,
        folder,
        RequestBody::GetContentsTable(contents),
    ));
    let columns = SetColumnsRequest {
        set_columns_flags: 0,
        property_tags: (&COLUMNS).into(),
    };
    batch.push(Request::new(0, table, RequestBody::SetColumns(columns)));
    let query = Request::new(0, table, RequestBody::QueryRows(forward(10)));
    batch.push_with_columns(query, &COLUMNS);
    for handle in [table, folder] {
        batch.push(Request::new(
            0,
            handle,
            RequestBody::Release(EmptyRequest {}),
        ));
    }
    let buffer = batch.encode(ext_buffer::LAST).unwrap();
    let context = &mut fixture.context;
    // Behind something else, which stays.
    let mut parts = b"before".to_vec();
    let rest = context
        .execute_brief(0, &buffer, MAX_ROP_OUT, &mut parts)
        .unwrap();
    let rest = rest.expect("rows that nobody looked at yet");
    let asked = (0, &buffer[..], MAX_ROP_OUT);
    context.execute_rest(rest, 0, asked, &mut parts).unwrap();
    assert_eq!(parts[..6], *b"before");
    let mut whole = Vec::new();
    context
        .execute(0, &buffer, MAX_ROP_OUT, &mut whole)
        .unwrap();
    // The same but for the numbers of the handles.
    let rops = |out: &[u8]| {
        let size = usize::from(u16::from_le_bytes([out[8], out[9]]));
        (size, out.len(), out[10..8 + size].to_vec())
    };
    assert_eq!(rops(&parts[6..]), rops(&whole));
    // What is not brief at all is put off too, whoever let it through.
    let write = [&[5, 0, 0x5D, 0, 0][..], &logon.to_le_bytes()].concat();
    let mut commit = Vec::new();
    ext_buffer::encode(&mut commit, &write, ext_buffer::LAST).unwrap();
    let mut out = Vec::new();
    let rest = context.execute_brief(0, &commit, MAX_ROP_OUT, &mut out);
    assert!(matches!(rest, Ok(Some(_))), "{rest:?}");
    // What was sent before is at hand: nothing is put off.
    let mut brief = Vec::new();
    let rest = context
        .execute_brief(0, &buffer, MAX_ROP_OUT, &mut brief)
        .unwrap();
    assert!(rest.is_none());
    assert_eq!(rops(&brief), rops(&whole));
    // A rest that is to wait is told so in the place of its first response.
    fixture.add_mail(special::INBOX, "hello", 9);
    let context = &mut fixture.context;
    let mut parts = Vec::new();
    let rest = context
        .execute_brief(0, &buffer, MAX_ROP_OUT, &mut parts)
        .unwrap();
    let begun = parts.len();
    context
        .execute_rest(rest.unwrap(), 7, asked, &mut parts)
        .unwrap();
    assert_eq!(parts[begun..begun + 9], [0xF9, 0, 7, 0, 0, 0, 0, 0, 0]);
    // No object is left over but the logon and those of the request that was put off.
    assert_eq!(fixture.context.session.objects.iter().count(), 3);
}
