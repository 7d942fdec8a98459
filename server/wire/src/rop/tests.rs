//! Tests about every ROP.

use std::sync::LazyLock;

use proptest::prelude::*;
use ropewalk_props::PropTag;

use super::*;
use crate::{DecodeError, EncodeError, ErrorCode, Reader};

#[test]
fn every_rop_has_its_name_and_section_and_no_two_share_an_id() {
    assert_eq!(RopId::OPEN_FOLDER.name(), "RopOpenFolder");
    assert_eq!(RopId::OPEN_FOLDER.section(), "2.2.4.1");
    assert_eq!(RopId::LOGON.to_string(), "RopLogon (0xFE)");
    assert_eq!(RopId(0x00).name(), "reserved RopId");
    let mut all = RopId::ALL.to_vec();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), RopId::ALL.len());
    assert!(
        RopId::ALL
            .iter()
            .all(|rop| rop.section().starts_with("2.2."))
    );
}

/// MS-OXCROPS 2.2.2: the ids that the table leaves out.
#[test]
fn the_reserved_ids_are_those_of_the_specification() {
    let reserved = [
        0x00, 0x28, 0x3C, 0x3D, 0x62, 0x65, 0x6A, 0x71, 0x7C, 0x7D, 0x87, 0x88,
    ];
    let ranges = [
        0x83..=0x85,
        0x8A..=0x8F,
        0x94..=0x9C,
        0x9E..=0xA2,
        0xA4..=0xF8,
        0xFA..=0xFD,
    ];
    for id in 0..=u8::MAX {
        let listed = reserved.contains(&id) || ranges.iter().any(|range| range.contains(&id));
        assert_eq!(RopId(id).section().is_empty(), listed, "0x{id:02X}");
    }
}

/// The shortest request of every ROP: almost all of its fields are zero.
fn zero_requests() -> &'static [Request<'static>] {
    static REQUESTS: LazyLock<Vec<Request<'static>>> = LazyLock::new(|| {
        RopId::ALL
            .iter()
            .map(|rop_id| zero_request(*rop_id))
            .collect()
    });
    &REQUESTS
}

fn zero_request(rop_id: RopId) -> Request<'static> {
    let mut bytes = [0; 300];
    bytes[..3].copy_from_slice(&[rop_id.0, 1, 2]);
    // A size that counts the count after it.
    match rop_id {
        RopId::SET_PROPERTIES | RopId::SET_PROPERTIES_NO_REPLICATE => bytes[3] = 2,
        RopId::SET_LOCAL_REPLICA_MIDSET_DELETED => bytes[3] = 4,
        _ => {}
    }
    let bytes: &'static [u8] = bytes.to_vec().leak();
    let mut input = Reader::new(bytes);
    let request = Request::decode(&mut input, &DecodeContext::default())
        .unwrap_or_else(|error| panic!("{rop_id}: {error}"));
    let mut out = Vec::new();
    request.encode(&mut out).unwrap();
    assert_eq!(out, bytes[..input.position()], "{rop_id}");
    request
}

pub(super) fn request_of(rop_id: RopId) -> &'static Request<'static> {
    zero_requests()
        .iter()
        .find(|request| request.rop_id == rop_id)
        .unwrap()
}

fn encoded(response: &Response<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    response.encode(&mut out).map(|()| out)
}

fn decoded<'a>(bytes: &'a [u8], request: &Request<'_>) -> Result<Response<'a>, DecodeError> {
    let mut input = Reader::new(bytes);
    let response = Response::decode(&mut input, request, &[])?;
    input.finish()?;
    Ok(response)
}

#[test]
fn the_shortest_request_and_response_of_every_rop_round_trip() {
    for request in zero_requests() {
        let mut bytes = [0; 300];
        bytes[0] = request.rop_id.0;
        let mut input = Reader::new(&bytes);
        let response = Response::decode(&mut input, request, &[]).unwrap();
        assert_eq!(response.return_value, ErrorCode::SUCCESS);
        let len = input.position();
        assert_eq!(
            encoded(&response).unwrap(),
            bytes[..len],
            "{}",
            request.rop_id
        );
        for short in 0..len {
            assert!(
                decoded(&bytes[..short], request).is_err(),
                "{} {short}",
                request.rop_id
            );
        }
    }
}

#[test]
fn what_put_failure_writes_is_read_as_that_failure() {
    let codes = [
        ErrorCode::NOT_FOUND,
        ErrorCode::DST_NULL_OBJECT,
        ErrorCode::WRONG_SERVER,
        ErrorCode::SERVER_BUSY,
    ];
    for request in zero_requests() {
        for code in codes {
            let mut out = Vec::new();
            put_failure(&mut out, request, code);
            let response = decoded(&out, request).unwrap();
            assert_eq!(response.return_value, code);
            assert_eq!(response.handle_index, request.response_handle_index());
            assert_eq!(encoded(&response).unwrap(), out);
        }
    }
}

/// MS-OXCROPS 2.2: what stands after the ReturnValue of a failure, by its length.
#[test]
fn failures_have_the_lengths_of_the_specification() {
    let len = |rop_id: RopId, code| {
        let request = request_of(rop_id);
        let mut out = Vec::new();
        put_failure(&mut out, request, code);
        out.len() - 6
    };
    use ErrorCode as E;
    assert_eq!(len(RopId::OPEN_FOLDER, E::NOT_FOUND), 0);
    assert_eq!(len(RopId::DELETE_FOLDER, E::NOT_FOUND), 1);
    assert_eq!(len(RopId::DELETE_FOLDER, E::DST_NULL_OBJECT), 1);
    assert_eq!(len(RopId::MOVE_COPY_MESSAGES, E::NOT_FOUND), 1);
    assert_eq!(len(RopId::MOVE_COPY_MESSAGES, E::DST_NULL_OBJECT), 5);
    assert_eq!(len(RopId::COPY_TO, E::NOT_FOUND), 0);
    assert_eq!(len(RopId::COPY_TO, E::DST_NULL_OBJECT), 4);
    assert_eq!(len(RopId::COPY_TO_STREAM, E::DST_NULL_OBJECT), 20);
    assert_eq!(len(RopId::READ_STREAM, E::NOT_FOUND), 2);
    assert_eq!(len(RopId::WRITE_STREAM, E::NOT_FOUND), 2);
    assert_eq!(len(RopId::WRITE_STREAM_EXTENDED, E::NOT_FOUND), 4);
    assert_eq!(
        len(RopId::FAST_TRANSFER_DESTINATION_PUT_BUFFER, E::NOT_FOUND),
        9
    );
    assert_eq!(
        len(
            RopId::FAST_TRANSFER_DESTINATION_PUT_BUFFER_EXTENDED,
            E::NOT_FOUND
        ),
        13
    );
    assert_eq!(len(RopId::FAST_TRANSFER_SOURCE_GET_BUFFER, E::NOT_FOUND), 9);
    assert_eq!(
        len(RopId::FAST_TRANSFER_SOURCE_GET_BUFFER, E::SERVER_BUSY),
        13
    );
    assert_eq!(len(RopId::LOGON, E::LOGON_FAILED), 0);
    assert_eq!(len(RopId::LOGON, E::WRONG_SERVER), 3);
}

#[test]
fn reserved_rop_ids_are_refused() {
    let bytes = [0x00, 0, 0, 0, 0, 0];
    let refused = Request::decode(&mut Reader::new(&bytes), &DecodeContext::default());
    assert_eq!(refused, Err(DecodeError::ReservedRop(0)));
    // A client does not send RopNotify.
    let bytes = [RopId::NOTIFY.0, 0, 0, 0, 0, 0];
    let refused = Request::decode(&mut Reader::new(&bytes), &DecodeContext::default());
    assert_eq!(refused, Err(DecodeError::ReservedRop(RopId::NOTIFY.0)));
}

#[test]
fn a_response_to_another_rop_is_refused() {
    let request = request_of(RopId::ABORT);
    let bytes = [RopId::OPEN_FOLDER.0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(
        decoded(&bytes, request),
        Err(DecodeError::UnexpectedResponse {
            found: RopId::OPEN_FOLDER,
            wanted: RopId::ABORT
        })
    );
}

/// MS-OXCROPS 2.2.6.11.1 and 2.2.3.13.1.
#[test]
fn two_requests_differ_between_private_and_public_logons() {
    let mut context = DecodeContext::default();
    context.set_public(200, true);
    assert!(context.is_public(200));
    assert!(!context.is_public(201));
    let body_len = |rop_id: RopId, logon_id: u8| {
        let mut bytes = [0; 300];
        bytes[..2].copy_from_slice(&[rop_id.0, logon_id]);
        let mut input = Reader::new(&bytes);
        let request = Request::decode(&mut input, &context).unwrap();
        let mut out = Vec::new();
        request.encode(&mut out).unwrap();
        assert_eq!(out.len(), input.position());
        out.len() - 3
    };
    assert_eq!(body_len(RopId::SET_MESSAGE_READ_FLAG, 0), 2);
    assert_eq!(body_len(RopId::SET_MESSAGE_READ_FLAG, 200), 26);
    assert_eq!(
        body_len(RopId::WRITE_PER_USER_INFORMATION, 0),
        24 + 1 + 4 + 2 + 16
    );
    assert_eq!(
        body_len(RopId::WRITE_PER_USER_INFORMATION, 200),
        24 + 1 + 4 + 2
    );
}

#[test]
fn responses_echo_the_output_handle_index_of_what_opens() {
    let open = |body| Request::new(0, 3, body).response_handle_index();
    let table = GetTableRequest {
        output_handle_index: 7,
        table_flags: 0,
    };
    assert_eq!(open(RequestBody::GetContentsTable(table)), 7);
    assert_eq!(open(RequestBody::Abort(EmptyRequest {})), 3);
    assert_eq!(open(RequestBody::Logon(LogonRequest::default())), 3);
    let save = SaveChangesRequest {
        input_handle_index: 9,
        save_flags: 0,
    };
    assert_eq!(open(RequestBody::SaveChangesMessage(save)), 3);
}

/// Bytes that counts, lengths and flags are likely to make sense of: most are small.
fn likely_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        6 => Just(0),
        3 => 1u8..4,
        1 => any::<u8>(),
    ];
    prop::collection::vec(byte, 0..120)
}

fn any_rop() -> impl Strategy<Value = RopId> {
    prop::sample::select(RopId::ALL)
}

fn context() -> DecodeContext {
    let mut context = DecodeContext::default();
    context.set_public(1, true);
    context
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_request_read_from_any_bytes_is_written_and_read_as_the_same(
        rop_id in any_rop(),
        rest in likely_bytes(),
    ) {
        let bytes = [&[rop_id.0][..], &rest].concat();
        if let Ok(request) = Request::decode(&mut Reader::new(&bytes), &context()) {
            let mut out = Vec::new();
            request.encode(&mut out).unwrap();
            let mut input = Reader::new(&out);
            let again = Request::decode(&mut input, &context()).unwrap();
            prop_assert!(input.is_empty());
            // As text, for a NaN does not equal itself.
            prop_assert_eq!(format!("{again:?}"), format!("{request:?}"));
        }
    }

    #[test]
    fn a_response_read_from_any_bytes_is_written_and_read_as_the_same(
        rop_id in any_rop(),
        code in prop_oneof![Just(0), Just(0x503u32), Just(0x478), Just(0x480), Just(0x8004_010F)],
        rest in likely_bytes(),
    ) {
        let columns = [PropTag(0x6748_0014), PropTag(0x0037_0000), PropTag(0x0037_001F)];
        let request = request_of(rop_id);
        let bytes = [&[rop_id.0, 0][..], &code.to_le_bytes(), &rest].concat();
        let mut input = Reader::new(&bytes);
        if let Ok(response) = Response::decode(&mut input, request, &columns) {
            let out = encoded(&response).unwrap();
            let mut input = Reader::new(&out);
            let again = Response::decode(&mut input, request, &columns).unwrap();
            prop_assert!(input.is_empty());
            prop_assert_eq!(format!("{again:?}"), format!("{response:?}"));
        }
    }

    #[test]
    fn what_servers_send_unasked_is_written_and_read_as_the_same(
        rop_id in prop::sample::select(
            &[RopId::NOTIFY, RopId::PENDING, RopId::BUFFER_TOO_SMALL, RopId::BACKOFF][..],
        ),
        rest in likely_bytes(),
    ) {
        let bytes = [&[rop_id.0][..], &rest].concat();
        if let Ok(rop) = OutputRop::decode(&mut Reader::new(&bytes), None, &[]) {
            let mut out = Vec::new();
            rop.encode(&mut out).unwrap();
            let again = OutputRop::decode(&mut Reader::new(&out), None, &[]).unwrap();
            prop_assert_eq!(again, rop);
        }
    }

    #[test]
    fn every_event_of_a_notification_is_written_and_read_as_the_same(
        ty in prop::sample::select(
            &[0x0002u16, 0x0004, 0x0008, 0x0010, 0x0020, 0x0040, 0x0080, 0x0100, 0x0400][..],
        ),
        bits in 0u16..16,
        rest in likely_bytes(),
    ) {
        let flags = ty | bits << 12;
        let mut bytes = vec![RopId::NOTIFY.0, 1, 0, 0, 0, 0];
        bytes.extend(flags.to_le_bytes());
        bytes.extend(&rest);
        // Enough for any event without rows or strings.
        bytes.extend([0; 120]);
        let mut input = Reader::new(&bytes);
        if let Ok(rop) = OutputRop::decode(&mut input, None, &[]) {
            let mut out = Vec::new();
            rop.encode(&mut out).unwrap();
            prop_assert_eq!(out.len(), input.position());
            prop_assert_eq!(&out[6..8], &flags.to_le_bytes());
            let again = OutputRop::decode(&mut Reader::new(&out), None, &[]).unwrap();
            prop_assert_eq!(again, rop);
        }
    }
}
