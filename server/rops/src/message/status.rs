//! RopGetMessageStatus and RopSetMessageStatus, of messages that need not be open (MS-OXCMSG
//! 2.2.3.8, 2.2.3.9, 3.2.5.8, 3.2.5.9).

use ropewalk_props::{BagView, GlobCnt, PropValue, tags::PID_TAG_MESSAGE_STATUS};
use ropewalk_store::MessageEntry;
use ropewalk_wire::{
    ErrorCode, Mid,
    rop::{GetMessageStatusRequest, MessageStatusResponse, SetMessageStatusRequest},
};

use crate::{
    exec::{Exec, Fail, blocking},
    ids,
    object::Object,
    rights::messages::MessageAccess,
    search, store_error,
};

/// Bytes of the response's body.
const RESPONSE_LEN: usize = 4;

fn folder(exec: &Exec<'_>) -> Result<GlobCnt, ErrorCode> {
    match exec.object()? {
        Object::Folder(folder) => Ok(folder.id),
        _ => Err(ErrorCode::NULL_OBJECT),
    }
}

/// A message of a folder, or that a search folder has found.
fn entry(exec: &Exec<'_>, folder: GlobCnt, id: Mid) -> Result<MessageEntry, ErrorCode> {
    let id = ids::message_id(id)?;
    search::entry(&exec.session.store, exec.logon()?, folder, id)?
        .filter(|entry| !entry.soft_deleted)
        .ok_or(ErrorCode::NOT_FOUND)
}

/// RopGetMessageStatus.
pub fn get_message_status(
    exec: &mut Exec<'_>,
    request: &GetMessageStatusRequest,
) -> Result<(), Fail> {
    let folder = folder(exec)?;
    let mailbox = exec.mailbox()?;
    let entry = entry(exec, folder, request.message_id)?;
    let message = mailbox.read_message(&entry).map_err(store_error::fail)?;
    exec.need_access(entry.folder, &message.view().props, MessageAccess::READ)?;
    answer(exec, status(&message.view().props))
}

/// RopSetMessageStatus: changes the bits of the mask, and answers what they were before. Neither the
/// change key nor a time changes (3.2.5.8).
pub fn set_message_status(
    exec: &mut Exec<'_>,
    request: &SetMessageStatusRequest,
) -> Result<(), Fail> {
    let folder = folder(exec)?;
    exec.need(RESPONSE_LEN)?;
    let mailbox = exec.mailbox()?;
    let entry = entry(exec, folder, request.message_id)?;
    let (folder, id) = (entry.folder, entry.id);
    if !exec.logon()?.is_owner() {
        let message = mailbox.read_message(&entry).map_err(store_error::fail)?;
        exec.need_access(folder, &message.view().props, MessageAccess::MODIFY)?;
    }
    let mask = request.message_status_mask;
    let mut old = 0;
    let amended = blocking(|| {
        mailbox.amend_message(folder, id, |message| {
            old = status(&message.props);
            let new = (old & !mask) | (request.message_status_flags & mask);
            let value = PropValue::Integer32(new as i32);
            (new != old).then(|| message.props.set(PID_TAG_MESSAGE_STATUS, &value))
        })
    });
    amended.map_err(store_error::fail)?;
    answer(exec, old)
}

fn status(props: &dyn BagView) -> u32 {
    props.get_i32(PID_TAG_MESSAGE_STATUS).unwrap_or(0) as u32
}

fn answer(exec: &mut Exec<'_>, message_status_flags: u32) -> Result<(), Fail> {
    exec.answer(&MessageStatusResponse {
        message_status_flags,
    })
}
