//! What is done to many messages of a folder at once, each ROP in one commit (MS-OXCFOLD 3.2.5.6,
//! 3.2.5.11, 3.2.5.12; MS-OXCMSG 3.2.5.10).

use ropewalk_props::{BagView, GlobCnt, PropValue, tags::PID_TAG_MESSAGE_FLAGS};
use ropewalk_store::{ContentsView, FolderKind, Mailbox, StoreError};
use ropewalk_wire::{
    ErrorCode, Mid,
    list::List,
    rop::{
        DeleteMessagesRequest, MoveCopyMessagesRequest, PartialCompletionResponse,
        SetReadFlagsRequest,
    },
};

use super::current;
use crate::{
    exec::{Exec, Fail, blocking},
    ids,
};

/// The messages that a request names.
struct Named {
    ids: Vec<GlobCnt>,
    /// Whether some of the MIDs cannot be those of messages in this mailbox.
    foreign: bool,
}

impl Named {
    fn new(mids: &List<'_, Mid>) -> Self {
        let ids: Vec<GlobCnt> = mids
            .iter()
            .filter_map(|mid| ids::message_id(mid).ok())
            .collect();
        let foreign = ids.len() != mids.len();
        Self { ids, foreign }
    }
}

fn answer(exec: &mut Exec<'_>, partial_completion: bool) -> Result<(), Fail> {
    exec.answer(&PartialCompletionResponse { partial_completion })
}

/// RopDeleteMessages, and with `hard` RopHardDeleteMessages. An asynchronous request is answered
/// when it is done, which it is at once.
pub fn delete_messages(
    exec: &mut Exec<'_>,
    request: &DeleteMessagesRequest<'_>,
    hard: bool,
) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(1)?;
    let named = Named::new(&request.message_ids);
    let mailbox = exec.mailbox()?;
    let missing = blocking(|| mailbox.delete_messages(folder, &named.ids, hard))?;
    answer(exec, named.foreign || !missing.is_empty())
}

/// RopMoveCopyMessages.
pub fn move_copy_messages(
    exec: &mut Exec<'_>,
    request: &MoveCopyMessagesRequest<'_>,
) -> Result<(), Fail> {
    let from = exec.object()?.folder()?.id;
    // MS-OXCROPS 2.2.4.6.3.
    let to = exec
        .object_at(request.dest_handle_index)
        .map_err(|_| ErrorCode::NULL_DESTINATION_OBJECT)?
        .folder()?
        .id;
    exec.need(1)?;
    let mailbox = exec.mailbox()?;
    if current(&mailbox, to)?.kind == FolderKind::Search {
        return Err(ErrorCode::SEARCH_FOLDER.into());
    }
    let named = Named::new(&request.message_ids);
    let transfer = blocking(|| {
        if request.want_copy {
            mailbox.copy_messages(from, to, &named.ids)
        } else {
            mailbox.move_messages(from, to, &named.ids)
        }
    })?;
    answer(exec, named.foreign || !transfer.missing.is_empty())
}

/// ReadFlags (MS-OXCMSG 2.2.3.10.1).
mod read_flags {
    pub const CLEAR_READ_FLAG: u8 = 0x04;
    pub const GENERATE_RECEIPT_ONLY: u8 = 0x10;
    pub const CLEAR_NOTIFY_READ: u8 = 0x20;
    pub const CLEAR_NOTIFY_UNREAD: u8 = 0x40;
    pub const UNKNOWN: u8 = 0x80;
}

/// The read state that ReadFlags ask for; `None` if they are about receipts alone.
/// `ecInvalidParam` for flags that the specification does not know.
pub fn read_state(flags: u8) -> Result<Option<bool>, ErrorCode> {
    use read_flags::*;
    if flags & UNKNOWN != 0 {
        return Err(ErrorCode::INVALID_PARAM);
    }
    Ok(match flags {
        flags if flags & CLEAR_READ_FLAG != 0 => Some(false),
        flags if flags & (GENERATE_RECEIPT_ONLY | CLEAR_NOTIFY_READ | CLEAR_NOTIFY_UNREAD) != 0 => {
            None
        }
        _ => Some(true),
    })
}

/// The bits of PidTagMessageFlags that ReadFlags ask to clear: those of receipts that are not to be
/// sent any more.
pub fn notify_bits(flags: u8) -> u32 {
    use crate::message::properties::flags::{NOTIFY_READ, NOTIFY_UNREAD};
    let bit = |flag: u8, bit: u32| if flags & flag != 0 { bit } else { 0 };
    bit(read_flags::CLEAR_NOTIFY_READ, NOTIFY_READ)
        | bit(read_flags::CLEAR_NOTIFY_UNREAD, NOTIFY_UNREAD)
}

/// Clears bits of PidTagMessageFlags, of the messages that are there.
pub fn clear_notify(
    mailbox: &Mailbox,
    folder: GlobCnt,
    ids: &[GlobCnt],
    bits: u32,
) -> Result<(), StoreError> {
    for id in ids.iter().filter(|_| bits != 0) {
        let cleared = mailbox.amend_message(folder, *id, |message| {
            let old = message.props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0) as u32;
            let value = PropValue::Integer32((old & !bits) as i32);
            (old & bits != 0).then(|| message.props.set(PID_TAG_MESSAGE_FLAGS, &value))
        });
        match cleared {
            Ok(_) | Err(StoreError::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// RopSetReadFlags: of the messages named, or of all if none is.
pub fn set_read_flags(exec: &mut Exec<'_>, request: &SetReadFlagsRequest<'_>) -> Result<(), Fail> {
    // MS-OXCMSG 3.2.5.10 has another code here than MS-OXCFOLD.
    let folder = exec
        .object()?
        .folder()
        .map_err(|_| ErrorCode::NULL_OBJECT)?
        .id;
    exec.need(1)?;
    let state = read_state(request.read_flags)?;
    let mailbox = exec.mailbox()?;
    let mut named = Named::new(&request.message_ids);
    let contents = mailbox.contents(folder, ContentsView::Normal)?;
    if request.message_ids.is_empty() {
        named.ids = contents.iter().map(|entry| entry.id).collect();
    }
    let bits = notify_bits(request.read_flags);
    blocking(|| clear_notify(&mailbox, folder, &named.ids, bits))?;
    let missing = match state {
        Some(read) => !blocking(|| mailbox.set_read(folder, &named.ids, read))?
            .missing
            .is_empty(),
        None => named.ids.iter().any(|id| contents.get(*id).is_none()),
    };
    answer(exec, named.foreign || missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_flags_set_clear_or_leave_the_state() {
        for (flags, state) in [
            (0x00, Some(true)),
            (0x01, Some(true)),
            (0x0A, Some(true)),
            (0x04, Some(false)),
            (0x05, Some(false)),
            (0x10, None),
            (0x60, None),
        ] {
            assert_eq!(read_state(flags), Ok(state), "{flags:#x}");
        }
        assert_eq!(read_state(0x80), Err(ErrorCode::INVALID_PARAM));
    }
}
