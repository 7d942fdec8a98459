//! Reading, writing and closing streams (MS-OXCPRPT 3.2.5.12 to 3.2.5.18).

use std::borrow::Cow;

use ropewalk_props::{PropTag, PropType, PropValue, Utf16Text};
use ropewalk_wire::{
    ErrorCode, Put,
    rop::{ReadStreamRequest, SeekStreamRequest, SetStreamSizeRequest, WriteStreamRequest},
};

use super::{
    Origin, Owner, STREAM_ACCESS_DENIED, STREAM_INVALID_PARAM, StreamObject, Value, pending, shared,
};
use crate::{
    context::Session,
    exec::{Exec, Fail, blocking},
    limits::DRAFT_BYTES_MAX,
    object::Object,
    store_error,
};

/// RopId, handle index, ReturnValue and DataSize of a RopReadStream response.
const READ_HEADER: usize = 1 + 1 + 4 + 2;

/// The input stream and the store behind it.
fn stream<'e>(exec: &'e mut Exec<'_>) -> Result<&'e mut StreamObject, ErrorCode> {
    exec.object_mut()?.stream_mut()
}

/// RopReadStream: as many bytes as were asked for, are left, and fit the response.
pub fn read_stream(exec: &mut Exec<'_>, request: &ReadStreamRequest) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    let entered = shared::enter(exec.session, exec.logon_id, handle)?;
    let result = read(exec, request, handle, entered.base());
    shared::leave(exec.session, exec.logon_id, entered);
    result
}

fn read(
    exec: &mut Exec<'_>,
    request: &ReadStreamRequest,
    handle: u32,
    base: u32,
) -> Result<(), Fail> {
    let logon_id = exec.logon_id;
    let stream = exec.session.objects.get(base, logon_id)?.stream()?;
    let left = stream.len().saturating_sub(stream.position);
    let wanted = u64::from(request.limit())
        .min(left)
        .min(u64::from(u16::MAX)) as usize;
    let count = wanted.min(exec.room().saturating_sub(READ_HEADER));
    if count == 0 && wanted > 0 {
        return Err(Fail::NoRoom(READ_HEADER + wanted));
    }
    if !stream.locks.is_empty() {
        stream.check_region(handle, stream.position, count as u64, false)?;
    }
    exec.begin();
    exec.out.put_u16(count as u16);
    let stream = exec.session.objects.get_mut(base, logon_id)?.stream_mut()?;
    let read = stream.read(count, exec.out)?;
    debug_assert_eq!(read, count);
    Ok(())
}

/// Writes at the position of the input stream; what was written is visible on the object at once.
fn write(exec: &mut Exec<'_>, data: &[u8]) -> Result<(), ErrorCode> {
    let handle = exec.handle_at(exec.handle_index)?;
    change(exec, |stream, store| {
        if data.is_empty() {
            return Ok(());
        }
        if !stream.locks.is_empty() {
            stream.check_region(handle, stream.position, data.len() as u64, true)?;
        }
        stream.write(store, data)
    })
}

fn change(
    exec: &mut Exec<'_>,
    work: impl FnOnce(&mut StreamObject, &ropewalk_store::Store) -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    track(exec, |stream, store| {
        if stream.writable {
            work(stream, store)
        } else {
            Err(STREAM_ACCESS_DENIED)
        }
    })
}

/// Does something with the input stream, and notes at its object if that changed the value.
fn track(
    exec: &mut Exec<'_>,
    work: impl FnOnce(&mut StreamObject, &ropewalk_store::Store) -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    let handle = exec.handle_at(exec.handle_index)?;
    track_handle(exec, handle, work)
}

/// As [`track`], with the stream behind a handle.
pub(super) fn track_handle(
    exec: &mut Exec<'_>,
    handle: u32,
    work: impl FnOnce(&mut StreamObject, &ropewalk_store::Store) -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    let entered = shared::enter(exec.session, exec.logon_id, handle)?;
    let result = track_base(exec, entered.base(), work);
    shared::leave(exec.session, exec.logon_id, entered);
    result
}

fn track_base(
    exec: &mut Exec<'_>,
    handle: u32,
    work: impl FnOnce(&mut StreamObject, &ropewalk_store::Store) -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    let session = &mut *exec.session;
    let owner = session.objects.get(handle, exec.logon_id)?.stream()?.owner;
    let frozen = is_read_only(session, exec.logon_id, owner);
    let stream = session
        .objects
        .get_mut(handle, exec.logon_id)?
        .stream_mut()?;
    // A save can have left its object read-only.
    stream.writable &= !frozen;
    let was_dirty = stream.dirty;
    let result = work(stream, &session.store);
    let (owner, is_dirty) = (stream.owner, stream.dirty);
    if is_dirty && !was_dirty {
        pending::note(session, exec.logon_id, handle, owner);
    }
    result
}

fn is_read_only(session: &Session, logon_id: u8, owner: Owner) -> bool {
    let Owner::Object(owner) = owner else {
        return false;
    };
    match session.objects.get(owner, logon_id) {
        Ok(Object::Message(message)) => !message.writable,
        Ok(Object::Attachment(attachment)) => !attachment.writable,
        _ => false,
    }
}

/// RopWriteStream.
pub fn write_stream(exec: &mut Exec<'_>, request: &WriteStreamRequest<'_>) -> Result<(), Fail> {
    exec.need(2)?;
    write(exec, &request.data)?;
    exec.begin();
    // A Bytes16 has no more than u16::MAX bytes.
    exec.out.put_u16(request.data.len() as u16);
    Ok(())
}

/// RopWriteStreamExtended, with what further extended buffers have for it: one write (MS-OXCRPC
/// 3.1.4.2.1.2.1).
pub fn write_stream_extended(
    exec: &mut Exec<'_>,
    request: &WriteStreamRequest<'_>,
) -> Result<(), Fail> {
    exec.need(4)?;
    let data = match exec.packed {
        [] => Cow::Borrowed(&request.data[..]),
        packed => Cow::Owned([&[&request.data[..]], packed].concat().concat()),
    };
    write(exec, &data)?;
    exec.begin();
    // A request has no more bytes than that.
    exec.out
        .put_u32(u32::try_from(data.len()).unwrap_or(u32::MAX));
    Ok(())
}

/// RopWriteAndCommitStream.
pub fn write_and_commit_stream(
    exec: &mut Exec<'_>,
    request: &WriteStreamRequest<'_>,
) -> Result<(), Fail> {
    // MS-OXCPRPT 2.2.26: not of a folder.
    if matches!(stream(exec)?.owner, Owner::Folder(_)) {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    exec.need(2)?;
    write(exec, &request.data)?;
    commit(exec)?;
    exec.begin();
    exec.out.put_u16(request.data.len() as u16);
    Ok(())
}

/// RopCommitStream.
pub fn commit_stream(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.need(0)?;
    commit(exec)?;
    exec.begin();
    Ok(())
}

/// Sets the property from the stream (MS-OXCPRPT 3.2.5.15): on a message or attachment, which is
/// then saved on its own, or in the folder itself.
fn commit(exec: &mut Exec<'_>) -> Result<(), ErrorCode> {
    let handle = exec.handle_at(exec.handle_index)?;
    let stream = exec.session.objects.get(handle, exec.logon_id)?.stream()?;
    let base = stream.base.unwrap_or(handle);
    settle(exec.session, exec.logon_id, base)
}

fn settle(session: &mut Session, logon_id: u8, handle: u32) -> Result<(), ErrorCode> {
    let stream = session.objects.get_mut(handle, logon_id)?.stream_mut()?;
    let Owner::Folder(folder) = stream.owner else {
        return pending::settle_one(session, logon_id, handle);
    };
    if stream.dirty && stream.len() > DRAFT_BYTES_MAX as u64 {
        return Err(ErrorCode::TOO_BIG);
    }
    let Some(change) = stream.take_change(&session.store)? else {
        return Ok(());
    };
    let bytes = match change.value {
        Value::Inline(bytes) => bytes,
        Value::External(blob) => store_error::load(&session.store, blob, DRAFT_BYTES_MAX as u64)?,
    };
    let logon = session
        .logons
        .get(&logon_id)
        .ok_or(ErrorCode::NULL_OBJECT)?;
    let value = owned(change.tag, bytes);
    blocking(|| {
        logon
            .mailbox
            .update_folder(folder, &[(change.tag, value)], &[])
    })
    .map_err(store_error::fail)
}

fn owned(tag: PropTag, bytes: Vec<u8>) -> PropValue {
    match tag.ty() {
        PropType::STRING => PropValue::String(Utf16Text::from_le_bytes(&bytes)),
        PropType::OBJECT => PropValue::Object(bytes),
        _ => PropValue::Binary(bytes),
    }
}

/// What has to be done before a handle is released: the value of a stream goes to its object, that
/// of a folder's into the folder (MS-OXCPRPT 3.2.5.13). With a logon, all its streams are released.
pub fn before_release(session: &mut Session, logon_id: u8, handle: u32) {
    if shared::before_release(session, logon_id, handle) {
        return;
    }
    let streams = match session.objects.get(handle, logon_id) {
        Ok(Object::Stream(stream)) if stream.dirty => vec![handle],
        Ok(Object::Logon(_)) => session
            .objects
            .iter()
            .filter(|(_, entry)| {
                entry.logon_id == logon_id
                    && matches!(&entry.object, Object::Stream(stream) if stream.dirty)
            })
            .map(|(handle, _)| handle)
            .collect(),
        _ => return,
    };
    for stream in streams {
        if let Err(code) = settle(session, logon_id, stream) {
            // A release has no response that could tell.
            tracing::warn!(%code, "what was written to a stream is lost");
        }
    }
}

/// RopSeekStream.
pub fn seek_stream(exec: &mut Exec<'_>, request: &SeekStreamRequest) -> Result<(), Fail> {
    let origin = match request.origin {
        0 => Origin::Beginning,
        1 => Origin::Current,
        2 => Origin::End,
        _ => {
            stream(exec)?;
            return Err(STREAM_INVALID_PARAM.into());
        }
    };
    exec.need(8)?;
    let handle = exec.handle_at(exec.handle_index)?;
    let mut position = 0;
    track(exec, |stream, store| {
        position = stream.seek(store, handle, origin, request.offset)?;
        Ok(())
    })?;
    exec.begin();
    exec.out.put_u64(position);
    Ok(())
}

/// RopSetStreamSize.
pub fn set_stream_size(exec: &mut Exec<'_>, request: &SetStreamSizeRequest) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    change(exec, |stream, store| {
        // What lies between both lengths comes or goes.
        let changed = stream.len().abs_diff(request.stream_size);
        let from = stream.len().min(request.stream_size);
        stream.check_region(handle, from, changed, true)?;
        stream.set_len(store, request.stream_size)
    })?;
    exec.begin();
    Ok(())
}

/// RopGetStreamSize.
pub fn get_stream_size(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    let base = stream(exec)?.base.unwrap_or(handle);
    let stream = exec.session.objects.get(base, exec.logon_id)?.stream()?;
    let size = u32::try_from(stream.len()).unwrap_or(u32::MAX);
    exec.begin();
    exec.out.put_u32(size);
    Ok(())
}
