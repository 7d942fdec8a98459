//! RopSetMessageReadFlag (MS-OXCMSG 2.2.3.11, 3.2.5.11).

use ropewalk_props::{PropValue, tags::PID_TAG_MESSAGE_FLAGS};
use ropewalk_wire::{
    ErrorCode,
    rop::{SetMessageReadFlagRequest, SetMessageReadFlagResponse},
};

use super::{
    message_at, message_at_mut,
    properties::{flags, stored_flags},
};
use crate::{
    exec::{Exec, Fail, blocking},
    folder::messages::read_state,
    store_error,
};

/// RopSetMessageReadFlag: committed at once, without a save, and without a new change key.
pub fn set_message_read_flag(
    exec: &mut Exec<'_>,
    request: &SetMessageReadFlagRequest,
) -> Result<(), Fail> {
    let index = request.input_handle_index;
    // The folder's handle only matters in public folders, but it has to be one.
    exec.object_at(exec.handle_index)
        .map_err(|_| ErrorCode::NULL_OBJECT)?;
    let message = message_at(exec, index).map_err(|_| ErrorCode::NULL_OBJECT)?;
    exec.need(1)?;
    if let Some(read) = read_state(request.read_flags)? {
        match message.entry.clone() {
            Some(entry) => {
                let mailbox = exec.mailbox()?;
                let outcome = blocking(|| mailbox.set_read(entry.folder, &[entry.id], read))
                    .map_err(store_error::fail)?;
                if !outcome.missing.is_empty() {
                    return Err(ErrorCode::OBJECT_DELETED.into());
                }
                let message = message_at_mut(exec, index)?;
                if let Some(entry) = &mut message.entry {
                    entry.read = read;
                }
            }
            None if message.writable => {
                let message = message_at_mut(exec, index)?;
                let bits = stored_flags(message.view());
                let bits = if read {
                    bits | flags::READ
                } else {
                    bits & !flags::READ
                };
                let value = PropValue::Integer32(bits as i32);
                message.edit()?.props.set(PID_TAG_MESSAGE_FLAGS, &value);
            }
            None => {}
        }
    }
    // ReadStatusChanged is for public folders.
    exec.answer(&SetMessageReadFlagResponse {
        read_status_changed: None,
    })
}
