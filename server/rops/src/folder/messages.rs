//! What is done to many messages of a folder at once, each ROP in one commit (MS-OXCFOLD 3.2.5.6,
//! 3.2.5.11, 3.2.5.12; MS-OXCMSG 3.2.5.10).

use ropewalk_props::{BagView, GlobCnt, PropValue, tags::PID_TAG_MESSAGE_FLAGS};
use ropewalk_store::{ContentsView, FolderKind, Mailbox, MessagePlace, StoreError};
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
    public::reads,
    rights::{Rights, messages::MessageAccess},
    search,
};

/// The messages that a request names.
struct Named {
    ids: Vec<GlobCnt>,
    /// Whether some of the MIDs cannot be those of messages in this mailbox, or are those of messages
    /// with which the user may not do what is asked for.
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

    /// Those with which the user may do that, and where they lie if the folder is a search folder.
    fn found(
        self,
        exec: &Exec<'_>,
        folder: GlobCnt,
        needed: MessageAccess,
    ) -> Result<(Self, Option<Found>), ErrorCode> {
        if search::is_search(&exec.logon()?.mailbox, folder) {
            let found = places(exec, folder, &self.ids, needed)?;
            return Ok((self, Some(found)));
        }
        Ok((self.permitted(exec, folder, needed)?, None))
    }

    /// Those with which the user may do that; `ecAccessDenied` if there are others alone.
    fn permitted(
        self,
        exec: &Exec<'_>,
        folder: GlobCnt,
        needed: MessageAccess,
    ) -> Result<Self, ErrorCode> {
        let (ids, left_out) = exec.permitted(folder, self.ids, needed)?;
        let left_out = left_out || self.left_out;
        Ok(Self { ids, left_out })
    }
}

/// Messages that a search folder has found, where they lie.
pub struct Found {
    /// Folders and ids.
    pub places: Vec<MessagePlace>,
    /// Whether it has not found some of those asked for.
    lacks_some: bool,
}

/// Where messages lie that a search folder has found: what is done to them there is done to the
/// messages themselves (MS-OXCFOLD 3.2.5.4: they appear as links). Those with which the user may do
/// that; `ecAccessDenied` if there are others alone.
pub fn places(
    exec: &Exec<'_>,
    folder: GlobCnt,
    ids: &[GlobCnt],
    needed: MessageAccess,
) -> Result<Found, ErrorCode> {
    let mut places = search::places(
        &exec.session.store,
        exec.logon()?,
        folder,
        ids,
        Rights::READ_ANY,
    )?;
    if !exec.logon()?.is_owner() {
        let all = places.len();
        places.retain(|(folder, id)| exec.permitted(*folder, vec![*id], needed).is_ok());
        if places.is_empty() && all > 0 {
            return Err(ErrorCode::ACCESS_DENIED);
        }
    }
    let lacks_some = places.len() != ids.len();
    Ok(Found { places, lacks_some })
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
    let (named, found) = named.found(exec, folder, MessageAccess::DELETE)?;
    let mailbox = exec.mailbox()?;
    let missing = match &found {
        None => !blocking(|| mailbox.delete_messages(folder, &named.ids, hard))?.is_empty(),
        Some(found) => {
            let missing = blocking(|| mailbox.delete_messages_at(&found.places, hard))?;
            found.lacks_some || !missing.is_empty()
        }
    };
    answer(exec, named.left_out || missing)
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
    let needed = if request.want_copy {
        MessageAccess::READ
    } else {
        MessageAccess::READ.and_also(MessageAccess::DELETE)
    };
    let (named, found) = Named::new(&request.message_ids).found(exec, from, needed)?;
    let transfer = blocking(|| match (&found, request.want_copy) {
        (None, true) => mailbox.copy_messages(from, to, &named.ids),
        (None, false) => mailbox.move_messages(from, to, &named.ids),
        (Some(found), true) => mailbox.copy_messages_at(&found.places, to),
        (Some(found), false) => mailbox.move_messages_at(&found.places, to),
    })?;
    let lacks_some = found.is_some_and(|found| found.lacks_some);
    answer(
        exec,
        named.left_out || lacks_some || !transfer.missing.is_empty(),
    )
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
    if search::is_search(&mailbox, folder) {
        return set_read_flags_of_found(exec, request, (folder, state), named);
    }
    let contents = mailbox.contents(folder, ContentsView::Normal)?;
    if request.message_ids.is_empty() {
        named.ids = contents.iter().map(|entry| entry.id).collect();
    }
    // In public folders everybody has read states of his own.
    let needed = if exec.logon()?.is_public() {
        MessageAccess::READ
    } else {
        MessageAccess::MODIFY
    };
    let named = named.permitted(exec, folder, needed)?;
    let bits = notify_bits(request.read_flags);
    blocking(|| clear_notify(&mailbox, folder, &named.ids, bits))?;
    if let Some(read) = state
        && let Some(missing) = reads::set_read(exec.logon()?, folder, &named.ids, read)?
    {
        return answer(exec, named.left_out || missing);
    }
    let missing = match state {
        Some(read) => !blocking(|| mailbox.set_read(folder, &named.ids, read))?
            .missing
            .is_empty(),
        None => named.ids.iter().any(|id| contents.get(*id).is_none()),
    };
    answer(exec, named.left_out || missing)
}

/// RopSetReadFlags of a search folder: of the messages themselves.
fn set_read_flags_of_found(
    exec: &mut Exec<'_>,
    request: &SetReadFlagsRequest<'_>,
    (folder, state): (GlobCnt, Option<bool>),
    mut named: Named,
) -> Result<(), Fail> {
    let mailbox = exec.mailbox()?;
    if request.message_ids.is_empty() {
        let contents = search::contents(&exec.session.store, exec.logon()?, folder)?;
        named.ids = contents.iter().map(|entry| entry.id).collect();
    }
    let Found { places, lacks_some } = places(exec, folder, &named.ids, MessageAccess::MODIFY)?;
    let bits = notify_bits(request.read_flags);
    let missing = blocking(|| {
        for (folder, id) in &places {
            match clear_notify(&mailbox, *folder, &[*id], bits) {
                Ok(()) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(match state {
            Some(read) => !mailbox.set_read_at(&places, read)?.missing.is_empty(),
            None => false,
        })
    })?;
    answer(exec, named.left_out || lacks_some || missing)
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
