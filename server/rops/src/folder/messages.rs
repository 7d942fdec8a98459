//! What is done to many messages of a folder at once, each ROP in one commit, or an asynchronous one in
//! several (MS-OXCFOLD 3.2.5.6, 3.2.5.11, 3.2.5.12; MS-OXCMSG 3.2.5.10).

use ropewalk_props::GlobCnt;
use ropewalk_store::{ContentsView, FolderKind, MessagePlace};
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
    exec::{Exec, Fail},
    ids,
    operation::{self, Act, Bulk, Places, Work, body_len},
    search, store_error,
};

/// The messages that a request names.
struct Named {
    ids: Vec<GlobCnt>,
    /// Whether some of the MIDs cannot be those of messages in this mailbox.
    left_out: bool,
}

impl Named {
    fn new(mids: &List<'_, Mid>) -> Self {
        let ids: Vec<GlobCnt> = mids
            .iter()
            .filter_map(|mid| ids::message_id(mid).ok())
            .collect();
        let left_out = ids.len() != mids.len();
        Self { ids, left_out }
    }
}

/// Where messages lie that a search folder has found, those that it has.
pub fn places(
    exec: &Exec<'_>,
    folder: GlobCnt,
    ids: &[GlobCnt],
) -> Result<Vec<MessagePlace>, ErrorCode> {
    let store = &exec.session.store;
    search::places(store, exec.logon()?, folder, ids)
}

/// Does something to the messages of a folder that are named, and answers.
fn run(
    exec: &mut Exec<'_>,
    folder: GlobCnt,
    named: Named,
    act: Act,
    want_asynchronous: bool,
) -> Result<(), Fail> {
    let Named { ids, mut left_out } = named;
    let logon = exec.logon()?;
    let places = if search::is_search(&logon.mailbox, folder) {
        let places = places(exec, folder, &ids)?;
        left_out |= places.len() < ids.len();
        Places::At(places)
    } else {
        Places::In(folder, ids)
    };
    let bulk = Bulk::new(logon, act, places, left_out);
    if want_asynchronous && operation::is_worthwhile(exec, bulk.count() as u64) {
        return operation::begin(exec, Work::Messages(bulk));
    }
    let partial_completion = bulk.all(exec)?;
    exec.answer(&PartialCompletionResponse { partial_completion })
}

/// RopDeleteMessages, and with `hard` RopHardDeleteMessages.
pub fn delete_messages(
    exec: &mut Exec<'_>,
    request: &DeleteMessagesRequest<'_>,
    hard: bool,
) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(body_len(request.want_asynchronous, 1))?;
    let named = Named::new(&request.message_ids);
    let act = Act::Delete { hard };
    run(exec, folder, named, act, request.want_asynchronous)
}

/// RopMoveCopyMessages.
pub fn move_copy_messages(
    exec: &mut Exec<'_>,
    request: &MoveCopyMessagesRequest<'_>,
) -> Result<(), Fail> {
    let from = exec.object()?.folder()?.id;
    // MS-OXCROPS 2.2.4.6.3.
    let dest = exec
        .object_at(request.dest_handle_index)
        .map_err(|_| ErrorCode::NULL_DESTINATION_OBJECT)?
        .folder()?
        .id;
    exec.need(body_len(request.want_asynchronous, 1))?;
    let mailbox = exec.mailbox()?;
    if current(&mailbox, dest)?.kind == FolderKind::Search {
        return Err(ErrorCode::SEARCH_FOLDER.into());
    }
    let named = Named::new(&request.message_ids);
    let act = if request.want_copy {
        Act::Copy { dest }
    } else {
        Act::Move { dest }
    };
    run(exec, from, named, act, request.want_asynchronous)
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

/// RopSetReadFlags: of the messages named, or of all if none is.
pub fn set_read_flags(exec: &mut Exec<'_>, request: &SetReadFlagsRequest<'_>) -> Result<(), Fail> {
    // MS-OXCMSG 3.2.5.10 has another code here than MS-OXCFOLD.
    let folder = exec
        .object()?
        .folder()
        .map_err(|_| ErrorCode::NULL_OBJECT)?
        .id;
    // MS-OXCMSG 3.2.5.10: only for who says at the logon that it understands RopProgress.
    let is_asynchronous = request.want_asynchronous && exec.logon()?.progress;
    exec.need(body_len(is_asynchronous, 1))?;
    let act = Act::SetRead {
        read: read_state(request.read_flags)?,
        clear: notify_bits(request.read_flags),
    };
    let mut named = Named::new(&request.message_ids);
    if request.message_ids.is_empty() {
        let logon = exec.logon()?;
        let contents = if search::is_search(&logon.mailbox, folder) {
            search::contents(&exec.session.store, logon, folder)?
        } else {
            let contents = logon.mailbox.contents(folder, ContentsView::Normal);
            contents.map_err(store_error::fail)?
        };
        named.ids = contents.iter().map(|entry| entry.id).collect();
    }
    run(exec, folder, named, act, is_asynchronous)
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
