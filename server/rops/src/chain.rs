//! Chained responses: further extended buffers, in each of which the last ROP of a request goes on
//! where the one before left off, as if it had been asked again for the rest (MS-OXCRPC
//! 3.1.4.2.1.2).

use ropewalk_wire::{
    ErrorCode,
    cursor::Put,
    ext_buffer,
    rop::{QueryRowsRequest, ReadStreamRequest, Request, RequestBody as Body, SIZE_FOLLOWS},
};

use super::{
    context::Session,
    dispatch,
    exec::Exec,
    limits::PAYLOAD_BYTES_MAX,
    table::query::flags::{ENABLE_PACKED_BUFFERS, NO_ADVANCE},
};

/// Bytes that RopReadStream must have left for another buffer.
const READ_STREAM_ROOM: usize = 0x2000;
/// Bytes that RopQueryRows must have left for another buffer.
const QUERY_ROWS_ROOM: usize = PAYLOAD_BYTES_MAX;
/// Where the responses of both have how much they return: behind RopId, handle index and
/// ReturnValue, and with RopQueryRows also behind Origin.
const DATA_SIZE_AT: usize = 6;
const ROW_COUNT_AT: usize = 7;

/// A response that further extended buffers are chained to.
pub struct Chain<'c> {
    /// The session context.
    pub session: &'c mut Session,
    /// The handle table after the request, which every buffer repeats.
    pub handles: &'c mut [u32],
    /// The RopBuffer, so far of one extended buffer.
    pub out: &'c mut Vec<u8>,
    /// Where the header of the last extended buffer is.
    pub header_at: usize,
    /// Length that `out` may grow to.
    pub out_max: usize,
}

impl Chain<'_> {
    /// Adds buffers as long as `last`, the last ROP of the request, has more to return and there is
    /// room; `response_at` is where its response begins.
    ///
    /// Nothing goes wrong for the client here: a ROP that fails is not part of the response, and
    /// fails alike when the client asks again.
    pub fn extend(mut self, last: &Request<'_>, response_at: usize) {
        let mut response_at = response_at;
        let mut next = rest(last, self.out.get(response_at..).unwrap_or_default());
        for _ in 1..ext_buffer::BUFFERS_MAX {
            let Some(request) = next else { break };
            let before = self.out.len();
            let Ok(at) = self.add(&request) else {
                self.out.truncate(before);
                break;
            };
            response_at = at;
            let response = self.out.get(response_at..).unwrap_or_default();
            next = rest(&request, response);
            if returned(&request.body, response) == Some(0) {
                self.out.truncate(before);
                break;
            }
            ext_buffer::clear_last(self.out, self.header_at);
            self.header_at = before;
            ext_buffer::finish_plain(self.out, before);
        }
    }

    /// One more buffer with one response; returns where that begins.
    fn add(&mut self, request: &Request<'_>) -> Result<usize, ErrorCode> {
        let header_at = self.out.len();
        let room = self.out_max.saturating_sub(header_at);
        if room < room_min(&request.body) {
            return Err(ErrorCode::BUFFER_TOO_SMALL);
        }
        let table_len = size_of_val(self.handles);
        let room = room
            .saturating_sub(ext_buffer::HEADER_LEN)
            .min(PAYLOAD_BYTES_MAX)
            .checked_sub(table_len)
            .ok_or(ErrorCode::BUFFER_TOO_SMALL)?;
        self.out.put_bytes(&[0; ext_buffer::HEADER_LEN]);
        let payload_at = self.out.len();
        self.out.put_u16(0);
        let response_at = self.out.len();
        let mut exec = Exec {
            session: self.session,
            handles: self.handles,
            out: self.out,
            out_max: payload_at + room,
            rop_id: request.rop_id,
            logon_id: request.logon_id,
            handle_index: request.handle_index,
            response_index: request.response_handle_index(),
            is_first: true,
            is_brief: false,
            packed: &[],
        };
        dispatch::execute(&mut exec, request).map_err(|_| ErrorCode::ERROR)?;
        if self.out.len() > payload_at + room {
            return Err(ErrorCode::BUFFER_TOO_SMALL);
        }
        let rop_size = self.out.len() - payload_at;
        ropewalk_wire::cursor::patch_u16(self.out, payload_at, rop_size as u16);
        self.handles
            .iter()
            .for_each(|handle| self.out.put_u32(*handle));
        Ok(response_at)
    }
}

/// The room without which a ROP is not asked again.
fn room_min(body: &Body<'_>) -> usize {
    match body {
        Body::ReadStream(_) => READ_STREAM_ROOM,
        _ => QUERY_ROWS_ROOM,
    }
}

/// How much a response returned: bytes or rows; `None` for a ROP that is not chained, or failed.
fn returned(body: &Body<'_>, response: &[u8]) -> Option<u16> {
    let at = match body {
        Body::ReadStream(_) => DATA_SIZE_AT,
        Body::QueryRows(request) if is_chained(request) => ROW_COUNT_AT,
        _ => return None,
    };
    let (count, _) = response.get(at..)?.split_first_chunk()?;
    Some(u16::from_le_bytes(*count))
}

/// The client has to allow it; rows that the cursor does not pass would only come again.
fn is_chained(request: &QueryRowsRequest) -> bool {
    request.query_rows_flags & (ENABLE_PACKED_BUFFERS | NO_ADVANCE) == ENABLE_PACKED_BUFFERS
}

/// The ROP that asks for the rest; `None` if there is none to ask for.
fn rest<'a>(request: &Request<'a>, response: &[u8]) -> Option<Request<'a>> {
    let returned = returned(&request.body, response).filter(|count| *count > 0)?;
    let body = match &request.body {
        Body::ReadStream(request) => Body::ReadStream(ReadStreamRequest {
            byte_count: SIZE_FOLLOWS,
            maximum_byte_count: Some(
                (request.limit().checked_sub(returned.into())).filter(|left| *left > 0)?,
            ),
        }),
        Body::QueryRows(request) => Body::QueryRows(QueryRowsRequest {
            row_count: (request.row_count.checked_sub(returned)).filter(|left| *left > 0)?,
            ..*request
        }),
        _ => return None,
    };
    Some(Request::new(request.logon_id, request.handle_index, body))
}
