//! Streams that are one: a clone has a seek pointer of its own and the bytes of the stream that it was
//! made of (MS-OXCPRPT 2.2.27, 3.2.5.23), and regions of them can be locked (2.2.24, 2.2.25, 3.2.5.21,
//! 3.2.5.22).
//!
//! The bytes are with one of the handles, the base; the others name it. When it is released, another one
//! takes its place.

use ropewalk_wire::{
    ErrorCode,
    rop::{OpenOnlyRequest, RegionStreamRequest},
};

use super::{StreamObject, pending};
use crate::{
    context::Session,
    exec::{Exec, Fail},
    limits::REGION_LOCKS_MAX,
    object::Object,
};

/// LockFlags (2.2.24.1): others may read what is locked.
const OTHERS_MAY_READ: u32 = 0x0000_0001;

/// A region of a stream that one of its handles has to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionLock {
    holder: u32,
    start: u64,
    end: u64,
    others_may_read: bool,
}

/// A stream's base, with the seek pointer of the handle that is at work.
#[must_use]
pub struct Entered {
    handle: u32,
    base: u32,
    /// The seek pointer of the base itself.
    position: u64,
}

impl Entered {
    /// The handle with the bytes.
    pub fn base(&self) -> u32 {
        self.base
    }
}

/// Begins to work on the stream behind a handle; [`leave`] has to follow. `ecNotSupported` if it is
/// none.
pub fn enter(session: &mut Session, logon_id: u8, handle: u32) -> Result<Entered, ErrorCode> {
    let stream = session.objects.get(handle, logon_id)?.stream()?;
    let (base, position) = (stream.base.unwrap_or(handle), stream.position);
    if base == handle {
        return Ok(Entered {
            handle,
            base,
            position,
        });
    }
    let shared = session.objects.get_mut(base, logon_id)?.stream_mut()?;
    let position = std::mem::replace(&mut shared.position, position);
    Ok(Entered {
        handle,
        base,
        position,
    })
}

/// Ends what [`enter`] began.
pub fn leave(session: &mut Session, logon_id: u8, entered: Entered) {
    if entered.handle == entered.base {
        return;
    }
    let shared = session.objects.get_mut(entered.base, logon_id);
    let Ok(Object::Stream(shared)) = shared else {
        return;
    };
    let position = std::mem::replace(&mut shared.position, entered.position);
    if let Ok(Object::Stream(stream)) = session.objects.get_mut(entered.handle, logon_id) {
        stream.position = position;
    }
}

impl StreamObject {
    /// Fails with `ecAccessDenied` if another handle has locked bytes that this one would read or
    /// write.
    pub fn check_region(
        &self,
        handle: u32,
        start: u64,
        len: u64,
        writes: bool,
    ) -> Result<(), ErrorCode> {
        let end = start.saturating_add(len);
        let is_in_the_way = |lock: &RegionLock| {
            let is_other = lock.holder != handle && (writes || !lock.others_may_read);
            is_other && start < lock.end && lock.start < end
        };
        if self.locks.iter().any(is_in_the_way) {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        Ok(())
    }
}

/// RopCloneStream.
pub fn clone_stream(exec: &mut Exec<'_>, request: &OpenOnlyRequest) -> Result<(), Fail> {
    exec.need(0)?;
    exec.check_output(request.output_handle_index)?;
    let handle = exec.handle_at(exec.handle_index)?;
    let stream = exec.object()?.stream()?;
    let base = stream.base.unwrap_or(handle);
    let clone = StreamObject::clone_of(base, stream, exec.session.budget.share());
    exec.open(request.output_handle_index, Object::Stream(Box::new(clone)))?;
    exec.begin();
    Ok(())
}

/// RopLockRegionStream. `ecAccessDenied` if some of the region is locked already, by whichever handle;
/// `ecMAPIOOM` for more locks than a stream may have.
pub fn lock_region_stream(exec: &mut Exec<'_>, request: &RegionStreamRequest) -> Result<(), Fail> {
    on_base(exec, |stream, handle| {
        let lock = region(request, handle);
        let overlaps = |known: &RegionLock| lock.start < known.end && known.start < lock.end;
        if stream.locks.iter().any(overlaps) {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        if stream.locks.len() >= REGION_LOCKS_MAX {
            return Err(ErrorCode::NOT_ENOUGH_MEMORY);
        }
        stream.locks.push(lock);
        Ok(())
    })
}

/// RopUnlockRegionStream: what this handle has locked of the region is free again. Without such a lock
/// nothing changes, and those of others stay (3.2.5.22). That LockFlags are those of the lock is for the
/// client to see to (2.2.25.1): every lock of its own on the region goes.
pub fn unlock_region_stream(
    exec: &mut Exec<'_>,
    request: &RegionStreamRequest,
) -> Result<(), Fail> {
    on_base(exec, |stream, handle| {
        let freed = region(request, handle);
        stream.locks.retain(|lock| {
            lock.holder != handle || lock.end <= freed.start || freed.end <= lock.start
        });
        Ok(())
    })
}

fn region(request: &RegionStreamRequest, holder: u32) -> RegionLock {
    RegionLock {
        holder,
        start: request.region_offset,
        end: request.region_offset.saturating_add(request.region_size),
        others_may_read: request.lock_flags & OTHERS_MAY_READ != 0,
    }
}

fn on_base(
    exec: &mut Exec<'_>,
    work: impl FnOnce(&mut StreamObject, u32) -> Result<(), ErrorCode>,
) -> Result<(), Fail> {
    exec.need(0)?;
    let handle = exec.handle_at(exec.handle_index)?;
    let base = exec.object()?.stream()?.base.unwrap_or(handle);
    let objects = &mut exec.session.objects;
    work(objects.get_mut(base, exec.logon_id)?.stream_mut()?, handle)?;
    exec.begin();
    Ok(())
}

/// What has to be done before the handle of a stream is released: its locks go, and if it is the base of
/// clones, one of them becomes it. True if the bytes live on.
pub fn before_release(session: &mut Session, logon_id: u8, handle: u32) -> bool {
    let Ok(Object::Stream(stream)) = session.objects.get(handle, logon_id) else {
        return false;
    };
    let base = stream.base.unwrap_or(handle);
    if let Ok(Object::Stream(shared)) = session.objects.get_mut(base, logon_id) {
        shared.locks.retain(|lock| lock.holder != handle);
    }
    if base != handle {
        return true;
    }
    let is_clone =
        |object: &Object| matches!(object, Object::Stream(stream) if stream.base == Some(handle));
    let all = session.objects.iter();
    let clones = all.filter(|(_, entry)| entry.logon_id == logon_id && is_clone(&entry.object));
    let clones: Vec<u32> = clones.map(|(clone, _)| clone).collect();
    let Some((first, others)) = clones.split_first() else {
        return false;
    };
    for clone in others {
        if let Ok(Object::Stream(clone)) = session.objects.get_mut(*clone, logon_id) {
            clone.base = Some(*first);
        }
    }
    promote(session, logon_id, handle, *first)
}

/// Makes a clone the base, and the base a clone.
fn promote(session: &mut Session, logon_id: u8, base: u32, clone: u32) -> bool {
    let Ok(Object::Stream(object)) = session.objects.get(clone, logon_id) else {
        return false;
    };
    let position = object.position;
    if !session.objects.swap(base, clone) {
        return false;
    }
    let Ok(Object::Stream(shared)) = session.objects.get_mut(clone, logon_id) else {
        return false;
    };
    shared.position = position;
    if shared.dirty {
        let owner = shared.owner;
        pending::note(session, logon_id, clone, owner);
    }
    true
}
