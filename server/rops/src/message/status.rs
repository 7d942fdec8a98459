//! RopGetMessageStatus and RopSetMessageStatus, of messages that need not be open (MS-OXCMSG
//! 2.2.3.8, 2.2.3.9, 3.2.5.8, 3.2.5.9).

use ropewalk_props::{BagView, GlobCnt, PropValue, tags::PID_TAG_MESSAGE_STATUS};
use ropewalk_store::{Mailbox, MessageEntry, SaveMessage, StoreError};
use ropewalk_wire::{
    ErrorCode, Mid,
    rop::{GetMessageStatusRequest, MessageStatusResponse, SetMessageStatusRequest},
};

use crate::{
    exec::{Exec, Fail, blocking},
    ids,
    object::Object,
    store_error,
};

/// Bytes of the response's body.
const RESPONSE_LEN: usize = 4;

/// How often a status is set anew when someone else saves the message in between.
const ATTEMPTS: usize = 8;

fn folder(exec: &Exec<'_>) -> Result<GlobCnt, ErrorCode> {
    match exec.object()? {
        Object::Folder(folder) => Ok(folder.id),
        _ => Err(ErrorCode::NULL_OBJECT),
    }
}

fn entry(mailbox: &Mailbox, folder: GlobCnt, id: Mid) -> Result<MessageEntry, ErrorCode> {
    mailbox
        .entry(folder, ids::message_id(id)?)
        .map_err(store_error::fail)?
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
    let entry = entry(&mailbox, folder, request.message_id)?;
    let message = mailbox.read_message(&entry).map_err(store_error::fail)?;
    answer(
        exec,
        message
            .view()
            .props
            .get_i32(PID_TAG_MESSAGE_STATUS)
            .unwrap_or(0) as u32,
    )
}

/// RopSetMessageStatus: changes the bits of the mask, and answers what they were before.
pub fn set_message_status(
    exec: &mut Exec<'_>,
    request: &SetMessageStatusRequest,
) -> Result<(), Fail> {
    let folder = folder(exec)?;
    exec.need(RESPONSE_LEN)?;
    let mailbox = exec.mailbox()?;
    let mask = request.message_status_mask;
    for _ in 0..ATTEMPTS {
        let entry = entry(&mailbox, folder, request.message_id)?;
        let stored = mailbox.read_message(&entry).map_err(store_error::fail)?;
        let old = stored
            .view()
            .props
            .get_i32(PID_TAG_MESSAGE_STATUS)
            .unwrap_or(0) as u32;
        let new = (old & !mask) | (request.message_status_flags & mask);
        if new == old {
            return answer(exec, old);
        }
        let mut message = stored.to_message();
        message
            .props
            .set(PID_TAG_MESSAGE_STATUS, &PropValue::Integer32(new as i32));
        let save = SaveMessage {
            folder,
            id: Some(entry.id),
            associated: entry.associated,
            read: None,
            expected_cn: Some(entry.cn),
            message,
        };
        match blocking(|| mailbox.save_message(save)) {
            Err(StoreError::Conflict) => {}
            result => {
                result.map_err(store_error::fail)?;
                return answer(exec, old);
            }
        }
    }
    Err(ErrorCode::OBJECT_MODIFIED.into())
}

fn answer(exec: &mut Exec<'_>, message_status_flags: u32) -> Result<(), Fail> {
    exec.answer(&MessageStatusResponse {
        message_status_flags,
    })
}
