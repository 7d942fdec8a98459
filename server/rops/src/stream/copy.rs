//! RopCopyToStream (MS-OXCPRPT 2.2.22, 3.2.5.19).

use ropewalk_wire::{
    ErrorCode,
    rop::{CopyToStreamRequest, CopyToStreamResponse},
};

use super::{STREAM_ACCESS_DENIED, rops::track_handle};
use crate::exec::{Exec, Fail};

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
    let stream = exec.object()?.stream()?;
    // A stream that is copied onto itself grows meanwhile.
    let left = stream.len().saturating_sub(stream.position);
    let mut left = left.min(request.byte_count);
    let mut copied = 0;
    let mut buffer = Vec::new();
    loop {
        let count = left.min(CHUNK);
        buffer.clear();
        let stream = exec.session.objects.get_mut(source, exec.logon_id)?;
        let read = stream.stream_mut()?.read(count as usize, &mut buffer)?;
        track_handle(exec, dest, |stream, store| {
            if !stream.writable {
                return Err(STREAM_ACCESS_DENIED);
            }
            match buffer.is_empty() {
                true => Ok(()),
                false => stream.write(store, &buffer),
            }
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
