//! RopGetMessageStatus (MS-OXCMSG 2.2.3.9, 3.2.5.9).

use ropewalk_props::{BagView, tags::PID_TAG_MESSAGE_STATUS};
use ropewalk_wire::{
    ErrorCode,
    rop::{GetMessageStatusRequest, MessageStatusResponse},
};

use crate::{
    exec::{Exec, Fail},
    ids,
    object::Object,
    store_error,
};

/// RopGetMessageStatus: of a message that need not be open.
pub fn get_message_status(
    exec: &mut Exec<'_>,
    request: &GetMessageStatusRequest,
) -> Result<(), Fail> {
    let folder = match exec.object()? {
        Object::Folder(folder) => folder.id,
        _ => return Err(ErrorCode::NULL_OBJECT.into()),
    };
    let mailbox = exec.mailbox()?;
    let entry = mailbox
        .entry(folder, ids::message_id(request.message_id)?)
        .map_err(store_error::fail)?
        .filter(|entry| !entry.soft_deleted)
        .ok_or(ErrorCode::NOT_FOUND)?;
    let message = mailbox.read_message(&entry).map_err(store_error::fail)?;
    let bits = message
        .view()
        .props
        .get_i32(PID_TAG_MESSAGE_STATUS)
        .unwrap_or(0);
    exec.answer(&MessageStatusResponse {
        message_status_flags: bits as u32,
    })
}
