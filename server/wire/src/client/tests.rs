use ropewalk_props::{PropType, PropValue};

use super::*;
use crate::{
    ErrorCode, Fid,
    ext_buffer::{COMPRESSED, LAST, XOR_MAGIC},
    rop::*,
    row::RowCell,
};

const COLUMNS: [PropTag; 1] = [PropTag(0x674E_0003)];

/// A folder is opened, its contents table read, and the folder released.
fn batch() -> RopBatch<'static> {
    let mut batch = RopBatch::new();
    let logon = batch.handle(5);
    let (folder, table) = (batch.slot(), batch.slot());
    let open = OpenFolderRequest {
        output_handle_index: folder,
        folder_id: Fid::from_u64(1),
        open_mode_flags: 0,
    };
    let contents = GetTableRequest {
        output_handle_index: table,
        table_flags: 0,
    };
    let query = QueryRowsRequest {
        query_rows_flags: 0,
        forward_read: true,
        row_count: 50,
    };
    batch
        .push(Request::new(0, logon, RequestBody::OpenFolder(open)))
        .push(Request::new(
            0,
            folder,
            RequestBody::GetContentsTable(contents),
        ))
        .push(Request::new(
            0,
            folder,
            RequestBody::Release(EmptyRequest {}),
        ))
        .push_with_columns(
            Request::new(0, table, RequestBody::QueryRows(query)),
            &COLUMNS,
        );
    batch
}

fn response(rop_id: RopId, handle_index: u8, body: ResponseBody<'_>) -> OutputRop<'_> {
    let return_value = match body {
        ResponseBody::Failed(_) => ErrorCode::NOT_FOUND,
        _ => ErrorCode::SUCCESS,
    };
    OutputRop::Response(Response {
        rop_id,
        handle_index,
        return_value,
        body,
    })
}

fn opened() -> OutputRop<'static> {
    let body = ResponseBody::OpenFolder(OpenFolderResponse::default());
    response(RopId::OPEN_FOLDER, 1, body)
}

fn table() -> OutputRop<'static> {
    let body = ResponseBody::GetContentsTable(RowCountResponse { row_count: 1 });
    response(RopId::GET_CONTENTS_TABLE, 2, body)
}

fn rows(value: i32) -> Vec<u8> {
    [&[0], &value.to_le_bytes()[..]].concat()
}

fn queried(row_data: &[u8]) -> OutputRop<'_> {
    let body = ResponseBody::QueryRows(QueryRowsResponse {
        origin: 2,
        row_count: 1,
        row_data,
    });
    response(RopId::QUERY_ROWS, 2, body)
}

fn payload(rops: &[OutputRop<'_>]) -> Cow<'static, [u8]> {
    let mut bytes = Vec::new();
    rops.iter().for_each(|rop| rop.encode(&mut bytes).unwrap());
    let buffer = RopBuffer {
        rops: &bytes,
        handles: (&[5, 6, NO_HANDLE]).into(),
    };
    let mut out = Vec::new();
    buffer.encode(&mut out).unwrap();
    Cow::Owned(out)
}

#[test]
fn requests_come_out_of_the_buffer_they_went_into_in_every_form() {
    let batch = batch();
    for form in [0, COMPRESSED, XOR_MAGIC, COMPRESSED | XOR_MAGIC] {
        let bytes = batch.encode(form | LAST).unwrap();
        let payloads = ext_buffer::decode(&bytes).unwrap();
        let buffer = RopBuffer::decode(&mut Reader::new(&payloads[0])).unwrap();
        assert!(buffer.handles.iter().eq([5, NO_HANDLE, NO_HANDLE]));
        let mut input = Reader::new(buffer.rops);
        for request in batch.requests() {
            let read = Request::decode(&mut input, &DecodeContext::default()).unwrap();
            assert_eq!(read, *request);
        }
        assert!(input.is_empty());
    }
}

#[test]
fn responses_are_read_in_order_and_a_release_has_none() {
    let row = rows(43);
    let payloads = [payload(&[opened(), table(), queried(&row)])];
    let output = batch().decode(&payloads).unwrap();
    assert_eq!(output.rops, [opened(), table(), queried(&row)]);
    assert_eq!(output.handle(1), Some(6));
    assert_eq!(output.handle(2), None);
    assert_eq!(output.handle(3), None);
    let Some(ResponseBody::QueryRows(body)) = output.responses().last().map(|last| &last.body)
    else {
        panic!("{output:?}");
    };
    let rows: Vec<_> = body.rows(&COLUMNS).collect::<Result<_, _>>().unwrap();
    assert_eq!(rows[0].cells, [RowCell::Value(PropValue::Integer32(43))]);
    assert_eq!(COLUMNS[0].ty(), PropType::INTEGER32);
}

#[test]
fn notifications_stand_after_the_responses() {
    let row = rows(1);
    let event = NotificationEvent::Table {
        table_event_type: 1,
        message: false,
    };
    let notify = OutputRop::Notify(NotifyResponse {
        notification_handle: 6,
        logon_id: 0,
        notification_data: NotificationData {
            search_folder: false,
            event,
            total_message_count: None,
            unread_message_count: None,
        },
    });
    let pending = OutputRop::Pending(PendingResponse { session_index: 0 });
    let rops = [opened(), table(), queried(&row), notify, pending];
    let payloads = [payload(&rops)];
    let output = batch().decode(&payloads).unwrap();
    assert_eq!(output.responses().count(), 3);
    assert_eq!(output.notifications().count(), 1);
    // And without any request.
    let payloads = [payload(&rops[3..])];
    assert_eq!(RopBatch::new().decode(&payloads).unwrap().rops, rops[3..]);
}

#[test]
fn chained_buffers_answer_the_last_request_again() {
    let (one, two) = (rows(1), rows(2));
    let payloads = [
        payload(&[opened(), table(), queried(&one)]),
        payload(&[queried(&two)]),
        payload(&[queried(&one)]),
    ];
    let output = batch().decode(&payloads).unwrap();
    assert_eq!(output.chained, [queried(&two), queried(&one)]);
    assert_eq!(output.responses().count(), 5);
}

#[test]
fn requests_after_a_buffer_too_small_or_a_backoff_need_no_answer() {
    let too_small = OutputRop::BufferTooSmall(BufferTooSmallResponse {
        size_needed: 0x1000,
        request_buffers: &[1, 2, 3],
    });
    let payloads = [payload(&[opened(), too_small.clone()])];
    let output = batch().decode(&payloads).unwrap();
    assert_eq!(output.buffer_too_small().unwrap().size_needed, 0x1000);

    let backoff = OutputRop::Backoff(BackoffResponse {
        duration: 100,
        ..BackoffResponse::default()
    });
    let payloads = [payload(&[opened(), backoff])];
    let output = batch().decode(&payloads).unwrap();
    assert_eq!(output.backoff().unwrap().duration, 100);
}

#[test]
fn answers_to_other_questions_are_refused() {
    let decode = |rops: &[OutputRop<'_>]| {
        let payloads = [payload(rops)];
        batch().decode(&payloads).map(|_| ())
    };
    let row = rows(1);
    assert_eq!(
        decode(&[opened()]),
        Err(DecodeError::Unanswered(RopId::GET_CONTENTS_TABLE))
    );
    assert_eq!(
        decode(&[table()]),
        Err(DecodeError::UnexpectedResponse {
            found: RopId::GET_CONTENTS_TABLE,
            wanted: RopId::OPEN_FOLDER,
        })
    );
    assert_eq!(
        decode(&[opened(), table(), queried(&row), opened()]),
        Err(DecodeError::Unrequested(RopId::OPEN_FOLDER))
    );
    let wrong_index = response(
        RopId::OPEN_FOLDER,
        0,
        ResponseBody::OpenFolder(OpenFolderResponse::default()),
    );
    assert!(matches!(
        decode(&[wrong_index]),
        Err(DecodeError::Value { value: 0, .. })
    ));
    assert!(batch().decode(&[]).is_err());
}

#[test]
fn a_failure_and_a_task_in_the_background_are_responses_too() {
    let failed = response(RopId::OPEN_FOLDER, 1, ResponseBody::Failed(Failure::Plain));
    let mut batch = RopBatch::new();
    let move_copy = MoveCopyMessagesRequest {
        dest_handle_index: 1,
        want_asynchronous: true,
        ..MoveCopyMessagesRequest::default()
    };
    batch.push(Request::new(0, 0, RequestBody::MoveCopyMessages(move_copy)));
    let progress = response(
        RopId::PROGRESS,
        0,
        ResponseBody::Progress(ProgressResponse::default()),
    );
    let payloads = [payload(std::slice::from_ref(&progress))];
    assert_eq!(batch.decode(&payloads).unwrap().rops, [progress]);
    let OutputRop::Response(failed) = failed else {
        unreachable!()
    };
    assert_eq!(failed.into_result(), Err(ErrorCode::NOT_FOUND));
    // Once it is done, RopProgress has the response to what it asks about (MS-OXCPRPT 3.2.5.20).
    let mut batch = RopBatch::new();
    let progress = ProgressRequest::default();
    batch.push(Request::new(0, 0, RequestBody::Progress(progress)));
    let done = |rop_id, return_value: u32, body: ResponseBody<'static>| {
        OutputRop::Response(Response {
            rop_id,
            handle_index: 0,
            return_value: ErrorCode(return_value),
            body,
        })
    };
    let partial = PartialCompletionResponse {
        partial_completion: true,
    };
    for (response, is_one) in [
        (
            done(RopId::EMPTY_FOLDER, 0, ResponseBody::EmptyFolder(partial)),
            true,
        ),
        (
            done(RopId::COPY_FOLDER, 0x4D9, ResponseBody::CopyFolder(partial)),
            true,
        ),
        (
            done(
                RopId::SET_READ_FLAGS,
                0,
                ResponseBody::SetReadFlags(partial),
            ),
            true,
        ),
        (
            done(RopId::COPY_TO, 0, ResponseBody::CopyTo(Default::default())),
            true,
        ),
        (
            done(
                RopId::COPY_PROPERTIES,
                0x8004_0113,
                ResponseBody::Failed(Failure::Plain),
            ),
            true,
        ),
        (
            done(
                RopId::PROGRESS,
                0x8004_0102,
                ResponseBody::Failed(Failure::Plain),
            ),
            true,
        ),
        (
            done(RopId::DELETE_FOLDER, 0, ResponseBody::DeleteFolder(partial)),
            false,
        ),
    ] {
        let payloads = [payload(std::slice::from_ref(&response))];
        match batch.decode(&payloads) {
            Ok(output) => assert!(is_one && output.rops == [response]),
            Err(error) => assert!(!is_one, "{response:?}: {error}"),
        }
    }
}
