//! RopCopyToStream (MS-OXCPRPT 2.2.22, 3.2.5.19).

use ropewalk_wire::{
    ErrorCode,
    rop::{CopyToStreamRequest, CopyToStreamResponse},
};

use super::{STREAM_ACCESS_DENIED, rops::track_handle, shared};
use crate::{
    exec::{Exec, Fail},
    object::Object,
};

/// Bytes that are copied at a time.
const CHUNK: u64 = 64 << 10;

/// RopCopyToStream: bytes from the position of one stream to the position of another, both of which
/// move on.
pub fn copy_to_stream(exec: &mut Exec<'_>, request: &CopyToStreamRequest) -> Result<(), Fail> {
    const RESPONSE_LEN: usize = 16;
    exec.need(RESPONSE_LEN)?;
    let source = exec.handle_at(exec.handle_index)?;
    exec.object()?;
    let null_destination = |_| ErrorCode::NULL_DESTINATION_OBJECT;
    let dest = exec
        .handle_at(request.dest_handle_index)
        .map_err(null_destination)?;
    exec.object_at(request.dest_handle_index)
        .map_err(null_destination)?
        .stream()?;
    // A stream that is copied onto itself grows meanwhile.
    let mut left = left(exec, source)?.min(request.byte_count);
    let mut copied = 0;
    let mut buffer = Vec::new();
    loop {
        let count = left.min(CHUNK);
        buffer.clear();
        let read = read(exec, source, count, &mut buffer)?;
        track_handle(exec, dest, |stream, store| {
            if !stream.writable {
                return Err(STREAM_ACCESS_DENIED);
            }
            if buffer.is_empty() {
                return Ok(());
            }
            stream.check_region(dest, stream.position, buffer.len() as u64, true)?;
            stream.write(store, &buffer)
        })?;
        copied += read as u64;
        left -= count;
        if left == 0 {
            break;
        }
    }
    exec.answer(&CopyToStreamResponse {
        read_byte_count: copied,
        written_byte_count: copied,
    })
}

/// Bytes from the position of a stream to its end.
fn left(exec: &mut Exec<'_>, handle: u32) -> Result<u64, ErrorCode> {
    let entered = shared::enter(exec.session, exec.logon_id, handle)?;
    let stream = exec.session.objects.get(entered.base(), exec.logon_id);
    let left = stream.and_then(Object::stream).map(|stream| {
        let len = stream.len();
        len.saturating_sub(stream.position)
    });
    shared::leave(exec.session, exec.logon_id, entered);
    left
}

/// Reads from the position of a stream.
fn read(
    exec: &mut Exec<'_>,
    handle: u32,
    count: u64,
    buffer: &mut Vec<u8>,
) -> Result<usize, ErrorCode> {
    let entered = shared::enter(exec.session, exec.logon_id, handle)?;
    let stream = exec.session.objects.get_mut(entered.base(), exec.logon_id);
    let read = stream.and_then(Object::stream_mut).and_then(|stream| {
        stream.check_region(handle, stream.position, count, false)?;
        stream.read(count as usize, buffer)
    });
    shared::leave(exec.session, exec.logon_id, entered);
    read
}
