//! ROP requests and responses.

use ropewalk_props::PropTag;
use ropewalk_wire::{
    ErrorCode, Fid, Put as _, Reader, client::RopBatch, codec::Wire, ext_buffer,
    restriction::Restriction, rop::*, value::Form,
};

use super::{check_again, vectors};
use crate::load::{Direction, Subject};

/// Columns of the tables that rows are read from.
pub const COLUMNS: [PropTag; 5] = [
    PropTag(0x674E_0003),
    PropTag(0x0037_001F),
    PropTag(0x0E1F_0000),
    PropTag(0x65E2_0102),
    PropTag(0x8008_301F),
];

/// A request for each ROP with as few bytes as can be.
pub fn shortest_request(rop_id: RopId) -> Vec<u8> {
    let mut bytes = vec![0; 80];
    bytes[0] = rop_id.0;
    match rop_id {
        RopId::SET_PROPERTIES | RopId::SET_PROPERTIES_NO_REPLICATE => bytes[3] = 2,
        RopId::SET_LOCAL_REPLICA_MIDSET_DELETED => bytes[3] = 4,
        _ => {}
    }
    let mut input = Reader::new(&bytes);
    Request::decode(&mut input, &DecodeContext::default())
        .unwrap_or_else(|error| panic!("{rop_id}: {error}"));
    let len = input.position();
    bytes.truncate(len);
    bytes
}

pub fn context() -> DecodeContext {
    let mut context = DecodeContext::default();
    context.set_public(1, true);
    context
}

pub fn rop_requests() -> Vec<Vec<u8>> {
    let mut corpus = vectors(|vector| {
        matches!(vector.subject, Subject::Rop(_)) && vector.direction == Direction::Request
    });
    corpus.extend(RopId::ALL.iter().map(|rop_id| shortest_request(*rop_id)));
    corpus
}

pub fn check_rop_request(bytes: &[u8]) -> bool {
    let context = context();
    let Ok(request) = Request::decode(&mut Reader::new(bytes), &context) else {
        return false;
    };
    assert!(!request.rop_id.section().is_empty());
    let _ = request.response_handle_index();
    check_again(&request, Request::encode, |bytes| {
        let mut input = Reader::new(bytes);
        let request = Request::decode(&mut input, &context)?;
        Ok((format!("{request:?}"), input.position()))
    });
    // The client understands the failure that a server answers with.
    let mut failure = Vec::new();
    put_failure(&mut failure, &request, ErrorCode::NOT_FOUND);
    let mut input = Reader::new(&failure);
    Response::decode(&mut input, &request, &[]).unwrap();
    assert!(input.is_empty());
    check_parts(&request);
    true
}

/// What stands in a request as bytes.
pub fn check_parts(request: &Request<'_>) {
    match &request.body {
        RequestBody::ModifyRecipients(body) => {
            for row in &body.recipient_rows {
                let _ = row.row(body.recipient_columns.iter());
            }
        }
        RequestBody::Restrict(body) => {
            let _ = Restriction::from_bytes(&body.restriction_data, Form::Rop);
        }
        _ => {}
    }
}

pub fn rop_responses() -> Vec<Vec<u8>> {
    let mut corpus = vectors(|vector| {
        matches!(vector.subject, Subject::Rop(_)) && vector.direction == Direction::Response
    });
    let ids = RopId::ALL
        .iter()
        .copied()
        .chain([RopId::NOTIFY, RopId::BACKOFF]);
    corpus.extend(ids.map(|rop_id| [&[rop_id.0][..], &[0; 40]].concat()));
    // RopNotify with each type and kind.
    for ty in [0x02u16, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x100] {
        for bits in [0u16, 0x8000, 0xB000, 0xC000] {
            let mut notify = vec![RopId::NOTIFY.0, 1, 0, 0, 0, 0];
            notify.put_u16(ty | bits);
            notify.put_u16(3);
            notify.put_bytes(&[0; 60]);
            corpus.push(notify);
        }
    }
    corpus
}

pub fn check_rop_response(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else {
        return false;
    };
    let request = RopId::ALL
        .contains(&RopId(*first))
        .then(|| shortest_request(RopId(*first)));
    let request = request
        .as_ref()
        .map(|bytes| Request::decode(&mut Reader::new(bytes), &DecodeContext::default()).unwrap());
    let Ok(rop) = OutputRop::decode(&mut Reader::new(bytes), request.as_ref(), &COLUMNS) else {
        return false;
    };
    check_again(&rop, OutputRop::encode, |bytes| {
        let mut input = Reader::new(bytes);
        let rop = OutputRop::decode(&mut input, request.as_ref(), &COLUMNS)?;
        Ok((format!("{rop:?}"), input.position()))
    });
    if let OutputRop::Response(Response {
        body: ResponseBody::QueryRows(body),
        ..
    }) = &rop
    {
        assert!(body.rows(&COLUMNS).all(|row| row.is_ok()));
    }
    true
}

pub fn batch() -> RopBatch<'static> {
    let mut batch = RopBatch::new();
    let logon = batch.handle(5);
    let folder = batch.slot();
    let open = OpenFolderRequest {
        output_handle_index: folder,
        folder_id: Fid::default(),
        open_mode_flags: 0,
    };
    let query = QueryRowsRequest {
        query_rows_flags: 0,
        forward_read: true,
        row_count: 2,
    };
    batch
        .push(Request::new(0, logon, RequestBody::OpenFolder(open)))
        .push_with_columns(Request::new(0, 1, RequestBody::QueryRows(query)), &COLUMNS);
    batch
}

pub fn rop_outputs() -> Vec<Vec<u8>> {
    let mut rops = Vec::new();
    put_response_header(&mut rops, RopId::OPEN_FOLDER, 1, ErrorCode::SUCCESS);
    rops.put_bytes(&[0, 0]);
    put_response_header(&mut rops, RopId::QUERY_ROWS, 1, ErrorCode::SUCCESS);
    rops.put_bytes(&[2, 0, 0]);
    let handles = [5, 6];
    let mut payload = Vec::new();
    RopBuffer {
        rops: &rops,
        handles: (&handles).into(),
    }
    .encode(&mut payload)
    .unwrap();
    let input = batch().to_payload().unwrap();
    [payload, input]
        .iter()
        .flat_map(|payload| {
            [0, ext_buffer::XOR_MAGIC, ext_buffer::COMPRESSED].map(|form| {
                let mut out = Vec::new();
                ext_buffer::encode(&mut out, payload, form | ext_buffer::LAST).unwrap();
                out
            })
        })
        .collect()
}

pub fn check_rop_output(bytes: &[u8]) -> bool {
    let Ok(payloads) = ext_buffer::decode(bytes) else {
        return false;
    };
    let _ = RopBatch::new().decode(&payloads);
    batch().decode(&payloads).is_ok()
}
