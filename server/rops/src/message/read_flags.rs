//! RopSetMessageReadFlag (MS-OXCMSG 2.2.3.11, 3.2.5.11).

use ropewalk_props::{PropValue, tags::PID_TAG_MESSAGE_FLAGS};
use ropewalk_store::MessageEntry;
use ropewalk_wire::{
    ErrorCode,
    rop::{ReadStatusChanged, SetMessageReadFlagRequest, SetMessageReadFlagResponse},
};

use super::{
    message_at, message_at_mut,
    properties::{flags, stored_flags},
};
use crate::{
    exec::{Exec, Fail, blocking},
    folder::messages::{notify_bits, read_state},
    operation::clear_notify,
    public::reads,
    store_error,
    view::StoredPart,
};

/// Bytes of the response's body at most: ReadStatusChanged, and in public folders LogonId and ClientData.
pub fn response_len(request: &SetMessageReadFlagRequest) -> usize {
    1 + request.client_data.map_or(0, |data| 1 + data.len())
}

/// RopSetMessageReadFlag: committed at once, without a save, and without a new change key.
pub fn set_message_read_flag(
    exec: &mut Exec<'_>,
    request: &SetMessageReadFlagRequest,
) -> Result<(), Fail> {
    let index = request.input_handle_index;
    // ResponseHandleIndex means the folder, which matters in public folders only; clients of
    // private mailboxes leave its slot empty.
    message_at(exec, index).map_err(|_| ErrorCode::NULL_OBJECT)?;
    exec.need(response_len(request))?;
    let state = read_state(request.read_flags)?;
    let mut changed = false;
    forget_receipts(exec, index, request.read_flags)?;
    if let Some(read) = state {
        let message = message_at(exec, index)?;
        match message.entry.clone() {
            Some(entry) => {
                changed = entry.read != read;
                if is_missing(exec, &entry, read)? {
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
    // ReadStatusChanged is for public folders, as the data is that comes back with it.
    let client_data = request.client_data.filter(|_| changed);
    let logon_id = exec.logon_id;
    exec.answer(&SetMessageReadFlagResponse {
        read_status_changed: client_data.map(|client_data| ReadStatusChanged {
            logon_id,
            client_data,
        }),
    })
}

/// Sets a message's read state, in public folders that of the logon's user; true if the message is gone.
fn is_missing(exec: &Exec<'_>, entry: &MessageEntry, read: bool) -> Result<bool, ErrorCode> {
    let logon = exec.logon()?;
    if let Some(missing) = reads::set_read(logon, entry.folder, &[entry.id], read)? {
        return Ok(missing);
    }
    let outcome = blocking(|| logon.mailbox.set_read(entry.folder, &[entry.id], read));
    let outcome = outcome.map_err(store_error::fail)?;
    Ok(!outcome.missing.is_empty())
}

/// Clears mfNotifyRead and mfNotifyUnread as ReadFlags ask, in the store and on this handle.
fn forget_receipts(exec: &mut Exec<'_>, index: u8, read_flags: u8) -> Result<(), ErrorCode> {
    let bits = notify_bits(read_flags);
    let message = message_at(exec, index)?;
    let old = stored_flags(message.view());
    let Some(entry) = message.entry.clone().filter(|_| bits != 0) else {
        return Ok(());
    };
    let mailbox = exec.mailbox()?;
    blocking(|| clear_notify(&mailbox, &[(entry.folder, entry.id)], bits))
        .map_err(store_error::fail)?;
    let message = message_at_mut(exec, index)?;
    if let Some(draft) = &mut message.draft {
        let value = PropValue::Integer32((old & !bits) as i32);
        draft.props.set(PID_TAG_MESSAGE_FLAGS, &value);
        return Ok(());
    }
    // What is stored, if it is still what this handle opened.
    let now = mailbox
        .entry(entry.folder, entry.id)
        .map_err(store_error::fail)?;
    if let Some(now) = now.filter(|now| now.cn == entry.cn) {
        let stored = mailbox.read_message(&now).map_err(store_error::fail)?;
        message.stored = Some(StoredPart::root(stored));
        message.entry = Some(now);
    }
    Ok(())
}
