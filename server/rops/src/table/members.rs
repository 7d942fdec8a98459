//! The members of a conversation: in a folder, and in all of them (MS-OXCFOLD 2.2.1.14.1,
//! ConversationMembers).

use ropewalk_props::{GlobCnt, PropType, tags::PID_TAG_CONVERSATION_ID};
use ropewalk_store::{Contents, ContentsChange, ContentsView, FolderKind, Mailbox, MessageEntry};
use ropewalk_wire::ErrorCode;

use super::{
    conversations::{ConversationId, Conversations},
    gathered::GatheredMembers,
    kept::Kept,
    message_row::MessageRow,
};
use crate::{
    exec::blocking,
    logon::special,
    object::LogonObject,
    property::value::{Found, Properties},
    rights::{Rights, messages::MessageAccess},
    store_error,
};

/// Changes that are taken in at once.
const FEW: usize = 64;

/// The normal messages of a conversation, wherever in the mailbox they are, as far as the logon's user
/// may read them.
pub fn contents(logon: &LogonObject, conversation: ConversationId) -> Result<Contents, ErrorCode> {
    if !logon.is_owner() {
        return gather(logon, conversation).map(Contents::of);
    }
    let kept = (logon.mailbox)
        .derived::<GatheredMembers>(special::ROOT)
        .map_err(|error| store_error::code(&error))?;
    // Asked first: what changes meanwhile is found next time.
    let version = logon.mailbox.folders_version();
    if let Some(known) = kept.get(conversation, version) {
        return Ok(known);
    }
    let members = gather(logon, conversation)?;
    Ok(kept.put(conversation, version, members))
}

/// The same, if it is known without a look at the folders: only to the owner, who may read them all.
pub fn at_hand(logon: &LogonObject, conversation: ConversationId) -> Option<Contents> {
    if !logon.is_owner() {
        return None;
    }
    let kept = logon.mailbox.derived::<GatheredMembers>(special::ROOT);
    kept.ok()?
        .get(conversation, logon.mailbox.folders_version())
}

fn gather(
    logon: &LogonObject,
    conversation: ConversationId,
) -> Result<Vec<MessageEntry>, ErrorCode> {
    let mailbox = &*logon.mailbox;
    let folders = mailbox.hierarchy(special::ROOT, true, false);
    let mut found = Vec::new();
    for (folder, _) in folders {
        // One that is gone by now has none.
        if (mailbox.folder_kind(folder)).is_none_or(|kind| kind == FolderKind::Search) {
            continue;
        }
        if !logon.may(folder, Rights::READ_ANY) {
            continue;
        }
        let contents = if mailbox.has_contents(folder) {
            mailbox.contents(folder, ContentsView::Normal)
        } else {
            blocking(|| mailbox.contents(folder, ContentsView::Normal))
        };
        let contents = match contents {
            Err(ropewalk_store::StoreError::NotFound) => continue,
            contents => contents.map_err(|error| store_error::code(&error))?,
        };
        let members = match in_folder(mailbox, &contents, conversation) {
            Some(members) => members,
            None => contents.iter().map(|entry| entry.id).collect(),
        };
        let members = members.into_iter().filter_map(|id| contents.get(id));
        let members = members.filter(|entry| of(mailbox, entry) == Some(conversation));
        found.extend(members.cloned());
    }
    Ok(found)
}

/// The messages of a folder that may be in a conversation, by ascending id; `None` if that takes a
/// look at all of them.
pub fn in_folder(mailbox: &Mailbox, now: &Contents, id: ConversationId) -> Option<Vec<GlobCnt>> {
    let kept = now.companion::<Kept>()?;
    let update = |known: &mut Conversations, seen: &Contents| {
        if now.changes_since(seen).take(FEW).count() < FEW {
            take_in(mailbox, known, seen, now);
        } else {
            blocking(|| take_in(mailbox, known, seen, now));
        }
    };
    Some((kept.conversations).with(now, update, |known| known.may_be_in(id)))
}

fn take_in(mailbox: &Mailbox, known: &mut Conversations, seen: &Contents, now: &Contents) {
    for change in now.changes_since(seen) {
        match change {
            ContentsChange::Added(entry) => known.put(entry.id, of(mailbox, entry)),
            ContentsChange::Changed(entry) => {
                let earlier = seen.get(entry.id).map(|seen| seen.cn);
                // Else it was read, or is unread again.
                if earlier != Some(entry.cn) {
                    known.put(entry.id, of(mailbox, entry));
                }
            }
            ContentsChange::Removed(id) => known.remove(id),
        }
    }
}

/// The conversation that a message is in; a message that cannot be read is in none.
fn of(mailbox: &Mailbox, entry: &MessageEntry) -> Option<ConversationId> {
    let content = mailbox.read_message(entry).inspect_err(|error| {
        tracing::error!(%error, id = entry.id.0, "a message cannot be read for its conversation");
    });
    let content = content.ok()?;
    let row = MessageRow::new(
        (None, mailbox),
        entry,
        Some(&content),
        0,
        MessageAccess::ALL,
    );
    let found = row.find(PID_TAG_CONVERSATION_ID);
    let value = found.as_ref().and_then(Found::value_ref)?;
    let is_binary = value.ty == PropType::BINARY;
    is_binary.then(|| value.data.try_into().ok()).flatten()
}
