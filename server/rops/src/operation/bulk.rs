//! What is done to many messages of a folder: to all at once or to some at a time, each time in one
//! commit. Before a read state is set, receipts are forgotten, in commits of their own.

use std::borrow::Cow;

use ropewalk_props::{BagView, GlobCnt, PropValue, tags::PID_TAG_MESSAGE_FLAGS};
use ropewalk_store::{ContentsView, Mailbox, MessagePlace, Missing, StoreError, Transfer};
use ropewalk_wire::ErrorCode;

use crate::{
    exec::{Exec, blocking},
    object::LogonObject,
    public::reads,
    rights::{Rights, messages::MessageAccess},
    store_error,
};

/// What is done to each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is deleted, for good or softly.
    Delete {
        /// For good.
        hard: bool,
    },
    /// It is moved to a folder.
    Move {
        /// That folder.
        dest: GlobCnt,
    },
    /// It is copied to a folder.
    Copy {
        /// That folder.
        dest: GlobCnt,
    },
    /// It gets a read state, or receipts are forgotten.
    SetRead {
        /// The read state, if it gets one.
        read: Option<bool>,
        /// The bits of PidTagMessageFlags to clear.
        clear: u32,
    },
}

/// Messages by where they lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// In one folder.
    In(GlobCnt, Vec<GlobCnt>),
    /// Anywhere: what a search folder has found. What is done to them there is done to the messages
    /// themselves (MS-OXCFOLD 3.2.5.4: they appear as links).
    At(Vec<MessagePlace>),
}

/// Something that is done to many messages.
#[derive(Debug)]
pub struct Bulk {
    act: Act,
    places: Places,
    /// How many it was done to, or left out.
    done: usize,
    needed: MessageAccess,
    /// Whether some of the messages are not there, or the user may not do that with them.
    left_out: bool,
    /// Whether the user may do that with none so far.
    is_denied: bool,
}

impl Bulk {
    /// Does that to these messages; nothing is done yet. `left_out`: there were others which it cannot
    /// be done to.
    pub fn new(logon: &LogonObject, act: Act, places: Places, left_out: bool) -> Self {
        let needed = match act {
            Act::Delete { .. } => MessageAccess::DELETE,
            Act::Move { .. } => MessageAccess::READ.and_also(MessageAccess::DELETE),
            Act::Copy { .. } => MessageAccess::READ,
            // In public folders everybody has read states of his own.
            Act::SetRead { .. } if logon.is_public() => MessageAccess::READ,
            Act::SetRead { .. } => MessageAccess::MODIFY,
        };
        Self {
            act,
            places,
            done: 0,
            needed,
            left_out,
            is_denied: false,
        }
    }

    /// Messages.
    pub fn count(&self) -> usize {
        match &self.places {
            Places::In(_, ids) => ids.len(),
            Places::At(places) => places.len(),
        }
    }

    /// Bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        match &self.places {
            Places::In(_, ids) => size_of_val(ids.as_slice()),
            Places::At(places) => size_of_val(places.as_slice()),
        }
    }

    /// Whether it was done to all.
    pub fn is_done(&self) -> bool {
        self.done >= self.count()
    }

    /// Whether some were left out: they are not there, or the user may not do that with them.
    pub fn left_out(&self) -> bool {
        self.left_out
    }

    /// Whether the user may put messages where they go.
    pub fn check_rights(&self, exec: &Exec<'_>) -> Result<(), ErrorCode> {
        match self.act {
            Act::Move { dest } | Act::Copy { dest } => exec.need_rights(dest, Rights::CREATE),
            Act::Delete { .. } | Act::SetRead { .. } => Ok(()),
        }
    }

    /// Does it to all messages; whether some were left out. `ecAccessDenied` if the user may do it with
    /// none.
    pub fn all(mut self, exec: &Exec<'_>) -> Result<bool, ErrorCode> {
        self.take(exec, self.count())?;
        self.finish()?;
        Ok(self.left_out)
    }

    /// Does it to at most so many more messages; returns to how many.
    pub fn step(&mut self, exec: &Exec<'_>, most: usize) -> Result<usize, ErrorCode> {
        /// Of messages whose receipts are forgotten: each is read, and written anew if it changes.
        const READ_AT_ONCE: usize = 64;
        let most = match self.act {
            Act::SetRead { clear, .. } if clear != 0 => most.min(READ_AT_ONCE),
            _ => most,
        };
        self.take(exec, most)
    }

    /// `ecAccessDenied` if the user may do it with none of the messages.
    pub fn finish(&self) -> Result<(), ErrorCode> {
        if self.is_denied {
            Err(ErrorCode::ACCESS_DENIED)
        } else {
            Ok(())
        }
    }

    fn take(&mut self, exec: &Exec<'_>, most: usize) -> Result<usize, ErrorCode> {
        let from = self.done;
        let to = from.saturating_add(most).min(self.count());
        let (is_permitted, lacks_some) = match &self.places {
            Places::In(folder, ids) => {
                let ids = ids.get(from..to).unwrap_or_default();
                match permitted(exec, *folder, ids, self.needed) {
                    Ok((ids, left_out)) => {
                        (true, act_in(exec, self.act, *folder, &ids)? | left_out)
                    }
                    Err(ErrorCode::ACCESS_DENIED) => (false, true),
                    Err(code) => return Err(code),
                }
            }
            Places::At(places) => {
                let places = places.get(from..to).unwrap_or_default();
                let may = permitted_at(exec, places, self.needed)?;
                let left_out = may.len() < places.len();
                let is_permitted = !may.is_empty() || places.is_empty();
                (is_permitted, act_at(exec, self.act, &may)? | left_out)
            }
        };
        // As long as all were denied.
        self.is_denied = !is_permitted && (from == 0 || self.is_denied);
        self.left_out |= lacks_some;
        self.done = to;
        Ok(to - from)
    }
}

/// Those of a folder's messages with which the user may do that, and whether there are others;
/// `ecAccessDenied` if there are others alone.
fn permitted<'i>(
    exec: &Exec<'_>,
    folder: GlobCnt,
    ids: &'i [GlobCnt],
    needed: MessageAccess,
) -> Result<(Cow<'i, [GlobCnt]>, bool), ErrorCode> {
    if exec.logon()?.is_owner() {
        return Ok((Cow::Borrowed(ids), false));
    }
    let (ids, left_out) = exec.permitted(folder, ids.to_vec(), needed)?;
    Ok((Cow::Owned(ids), left_out))
}

/// The same of messages anywhere.
fn permitted_at<'p>(
    exec: &Exec<'_>,
    places: &'p [MessagePlace],
    needed: MessageAccess,
) -> Result<Cow<'p, [MessagePlace]>, ErrorCode> {
    if exec.logon()?.is_owner() {
        return Ok(Cow::Borrowed(places));
    }
    let may = |(folder, id): &MessagePlace| exec.permitted(*folder, vec![*id], needed).is_ok();
    let may = places.iter().copied().filter(may);
    Ok(Cow::Owned(may.collect()))
}

/// Does it to messages of one folder; whether some are not there.
fn act_in(exec: &Exec<'_>, act: Act, folder: GlobCnt, ids: &[GlobCnt]) -> Result<bool, ErrorCode> {
    let logon = exec.logon()?;
    let mailbox = &logon.mailbox;
    let missing = match act {
        Act::Delete { hard } => blocking(|| mailbox.delete_messages(folder, ids, hard)),
        Act::Move { dest } => transferred(|| mailbox.move_messages(folder, dest, ids)),
        Act::Copy { dest } => transferred(|| mailbox.copy_messages(folder, dest, ids)),
        Act::SetRead { read, clear } => {
            let places: Vec<_> = ids.iter().map(|id| (folder, *id)).collect();
            blocking(|| clear_notify(mailbox, &places, clear)).map_err(store_error::fail)?;
            return set_read(logon, folder, ids, read);
        }
    };
    Ok(!missing.map_err(store_error::fail)?.is_empty())
}

/// The ids that were not there.
fn transferred(
    transfer: impl FnOnce() -> Result<Transfer, StoreError>,
) -> Result<Missing, StoreError> {
    Ok(blocking(transfer)?.missing)
}

fn set_read(
    logon: &LogonObject,
    folder: GlobCnt,
    ids: &[GlobCnt],
    read: Option<bool>,
) -> Result<bool, ErrorCode> {
    let mailbox = &logon.mailbox;
    let Some(read) = read else {
        let contents = mailbox.contents(folder, ContentsView::Normal);
        let contents = contents.map_err(store_error::fail)?;
        return Ok(ids.iter().any(|id| contents.get(*id).is_none()));
    };
    if let Some(lacks_some) = reads::set_read(logon, folder, ids, read)? {
        return Ok(lacks_some);
    }
    let outcome = blocking(|| mailbox.set_read(folder, ids, read));
    Ok(!outcome.map_err(store_error::fail)?.missing.is_empty())
}

/// Does it to messages anywhere; whether some are not there.
fn act_at(exec: &Exec<'_>, act: Act, places: &[MessagePlace]) -> Result<bool, ErrorCode> {
    let mailbox = &exec.logon()?.mailbox;
    let missing = match act {
        Act::Delete { hard } => blocking(|| mailbox.delete_messages_at(places, hard)),
        Act::Move { dest } => transferred(|| mailbox.move_messages_at(places, dest)),
        Act::Copy { dest } => transferred(|| mailbox.copy_messages_at(places, dest)),
        Act::SetRead { read, clear } => blocking(|| {
            clear_notify(mailbox, places, clear)?;
            match read {
                Some(read) => Ok(mailbox.set_read_at(places, read)?.missing),
                None => Ok(Missing::new()),
            }
        }),
    };
    Ok(!missing.map_err(store_error::fail)?.is_empty())
}

/// Clears bits of PidTagMessageFlags, of the messages that are there.
pub fn clear_notify(
    mailbox: &Mailbox,
    places: &[MessagePlace],
    bits: u32,
) -> Result<(), StoreError> {
    if bits == 0 {
        return Ok(());
    }
    mailbox.amend_messages(places, |message| {
        let old = message.props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0) as u32;
        let value = PropValue::Integer32((old & !bits) as i32);
        let changes = old & bits != 0;
        if changes {
            message.props.set(PID_TAG_MESSAGE_FLAGS, &value);
        }
        changes
    })
}
