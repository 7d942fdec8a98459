//! What is in an object and is copied along with it: recipients and attachments, the message in an
//! attachment, the messages and subfolders in a folder (MS-OXCPRPT 2.2.11.1, WantSubObjects).

use std::collections::HashSet;

use ropewalk_props::{GlobCnt, PropTag, tags::*};
use ropewalk_store::{ContentsView, Folder, FolderKind, Mailbox, folded_name};
use ropewalk_wire::ErrorCode;

use super::copy::{CopyFlags, Pair};
use crate::{
    context::Session,
    exec::{Exec, blocking},
    folder::{current, is_special, messages},
    limits::{EMBEDDING_MAX, MESSAGE_BYTES_MAX},
    message::{Place, next_attachment_number, recipients::settle_display_names},
    object::Object,
    rights::messages::MessageAccess,
    search, store_error,
    view::MessageView,
};

/// PidTagMessageRecipients and PidTagMessageAttachments.
const RECIPIENTS: PropTag = PropTag(0x0E12_000D);
const ATTACHMENTS: PropTag = PropTag(0x0E13_000D);
/// PidTagContainerContents, PidTagFolderAssociatedContents, PidTagContainerHierarchy.
const CONTENTS: PropTag = PropTag(0x360F_000D);
const ASSOCIATED_CONTENTS: PropTag = PropTag(0x3610_000D);
const HIERARCHY: PropTag = PropTag(0x360E_000D);

/// True for the tags that stand for what is in an object.
pub fn is_subobject(tag: PropTag) -> bool {
    [
        RECIPIENTS,
        ATTACHMENTS,
        CONTENTS,
        ASSOCIATED_CONTENTS,
        HIERARCHY,
        PID_TAG_ATTACH_DATA_OBJECT,
    ]
    .contains(&tag)
}

/// Copies what is in the source and wanted.
///
/// `MessageCycle` and `FolderCycle` if the destination is in the source, `ecDuplicateName` if a
/// subfolder's name is taken in it.
pub fn copy(
    exec: &mut Exec<'_>,
    pair: &Pair,
    wanted: impl Fn(PropTag) -> bool,
) -> Result<(), ErrorCode> {
    match exec.session.objects.get(pair.source, exec.logon_id)? {
        Object::Message(_) => copy_message(exec, pair, wanted),
        Object::Attachment(_) => copy_attachment(exec, pair, wanted),
        Object::Folder(source) => {
            let source = source.id;
            let dest = exec.session.objects.get(pair.dest, exec.logon_id)?;
            let dest = dest.folder()?.id;
            copy_folder(exec, pair, source, dest, wanted)
        }
        _ => Err(ErrorCode::NOT_SUPPORTED),
    }
}

fn copy_message(
    exec: &mut Exec<'_>,
    pair: &Pair,
    wanted: impl Fn(PropTag) -> bool,
) -> Result<(), ErrorCode> {
    let (recipients, attachments) = (wanted(RECIPIENTS), wanted(ATTACHMENTS));
    if !recipients && !attachments {
        return Ok(());
    }
    let logon_id = exec.logon_id;
    if attachments && is_inside(exec.session, logon_id, pair.dest, pair.source)? {
        return Err(ErrorCode::MESSAGE_CYCLE);
    }
    let source = exec.session.objects.get(pair.source, logon_id)?.message()?;
    let bytes = source.view().memory();
    let from = source.view().to_message();
    let dest = exec.session.objects.get_mut(pair.dest, logon_id)?;
    let dest = dest.message_mut()?;
    let bytes = bytes.saturating_add(dest.view().memory());
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    if attachments && dest.place.depth() + depth(MessageView::Draft(&from)) > EMBEDDING_MAX {
        return Err(ErrorCode::TOO_COMPLEX);
    }
    dest.share.grow(bytes)?;
    let keeps = pair.flags == CopyFlags::NoOverwrite;
    let to = dest.edit()?;
    if recipients && (!keeps || to.recipients.is_empty()) {
        to.recipients = from.recipients;
        settle_display_names(to);
    }
    if attachments && (!keeps || to.attachments.is_empty()) {
        to.attachments = from.attachments;
    }
    let next = next_attachment_number(dest.view());
    dest.next_attachment = dest.next_attachment.max(next);
    if pair.flags == CopyFlags::Move {
        let source = exec.session.objects.get_mut(pair.source, logon_id)?;
        let source = source.message_mut()?.edit()?;
        if recipients {
            source.recipients.clear();
            settle_display_names(source);
        }
        if attachments {
            source.attachments.clear();
        }
    }
    Ok(())
}

/// Levels of messages in the attachments of a message.
fn depth(message: MessageView<'_>) -> usize {
    let embedded = message
        .attachments()
        .filter_map(|attachment| attachment.embedded());
    embedded
        .map(|embedded| 1 + depth(embedded))
        .max()
        .unwrap_or(0)
}

/// Whether a message is embedded in another one, however deep.
fn is_inside(session: &Session, logon_id: u8, message: u32, outer: u32) -> Result<bool, ErrorCode> {
    let mut at = message;
    for _ in 0..=EMBEDDING_MAX {
        let message = session.objects.get(at, logon_id)?.message()?;
        let Place::Attachment { handle, .. } = message.place else {
            return Ok(false);
        };
        // What it is in may have been closed meanwhile.
        let Ok(Object::Attachment(attachment)) = session.objects.get(handle, logon_id) else {
            return Ok(false);
        };
        at = attachment.message;
        if at == outer {
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy_attachment(
    exec: &mut Exec<'_>,
    pair: &Pair,
    wanted: impl Fn(PropTag) -> bool,
) -> Result<(), ErrorCode> {
    let logon_id = exec.logon_id;
    let source = exec.session.objects.get(pair.source, logon_id)?;
    let Some(from) = source.attachment()?.view().embedded() else {
        return Ok(());
    };
    if !wanted(PID_TAG_ATTACH_DATA_OBJECT) {
        return Ok(());
    }
    let (bytes, levels) = (from.memory(), 1 + depth(from));
    let from = from.to_message();
    let dest = exec.session.objects.get_mut(pair.dest, logon_id)?;
    let dest = dest.attachment_mut()?;
    if dest.depth + levels > EMBEDDING_MAX {
        return Err(ErrorCode::TOO_COMPLEX);
    }
    let bytes = bytes.saturating_add(dest.view().memory());
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    dest.share.grow(bytes)?;
    let keeps = pair.flags == CopyFlags::NoOverwrite;
    let to = dest.edit()?;
    if !keeps || to.embedded.is_none() {
        to.embedded = Some(Box::new(from));
    }
    if pair.flags == CopyFlags::Move {
        let source = exec.session.objects.get_mut(pair.source, logon_id)?;
        source.attachment_mut()?.edit()?.embedded = None;
    }
    Ok(())
}

fn copy_folder(
    exec: &Exec<'_>,
    pair: &Pair,
    source: GlobCnt,
    dest: GlobCnt,
    wanted: impl Fn(PropTag) -> bool,
) -> Result<(), ErrorCode> {
    let mailbox = exec.mailbox()?;
    if wanted(HIERARCHY) {
        copy_subfolders(&mailbox, pair, source, dest)?;
    }
    if wanted(CONTENTS) && search::is_search(&mailbox, source) {
        return copy_found(exec, &mailbox, pair, source, dest);
    }
    for (tag, view) in [
        (CONTENTS, ContentsView::Normal),
        (ASSOCIATED_CONTENTS, ContentsView::Associated),
    ] {
        if !wanted(tag) {
            continue;
        }
        let contents = mailbox.contents(source, view).map_err(store_error::fail)?;
        let ids: Vec<GlobCnt> = contents.iter().map(|entry| entry.id).collect();
        if ids.is_empty() {
            continue;
        }
        if current(&mailbox, dest)?.kind == FolderKind::Search {
            return Err(ErrorCode::SEARCH_FOLDER);
        }
        blocking(|| match pair.flags {
            CopyFlags::Move => mailbox.move_messages(source, dest, &ids),
            _ => mailbox.copy_messages(source, dest, &ids),
        })
        .map_err(store_error::fail)?;
    }
    Ok(())
}

/// Moves or copies the messages that a search folder has found; it has no others.
fn copy_found(
    exec: &Exec<'_>,
    mailbox: &Mailbox,
    pair: &Pair,
    source: GlobCnt,
    dest: GlobCnt,
) -> Result<(), ErrorCode> {
    let needed = match pair.flags {
        CopyFlags::Move => MessageAccess::READ.and_also(MessageAccess::DELETE),
        _ => MessageAccess::READ,
    };
    let found = search::contents(&exec.session.store, exec.logon()?, source)?;
    let ids: Vec<GlobCnt> = found.iter().map(|entry| entry.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    if current(mailbox, dest)?.kind == FolderKind::Search {
        return Err(ErrorCode::SEARCH_FOLDER);
    }
    let found = messages::places(exec, source, &ids, needed)?;
    blocking(|| match pair.flags {
        CopyFlags::Move => mailbox.move_messages_at(&found.places, dest),
        _ => mailbox.copy_messages_at(&found.places, dest),
    })
    .map(drop)
    .map_err(store_error::fail)
}

/// Moves or copies all subfolders of a folder into another one; none of them if a name of theirs is
/// taken there (MS-OXCPRPT 3.2.5.8).
fn copy_subfolders(
    mailbox: &Mailbox,
    pair: &Pair,
    source: GlobCnt,
    dest: GlobCnt,
) -> Result<(), ErrorCode> {
    let children = mailbox.child_folders(source);
    if children.is_empty() {
        return Ok(());
    }
    if is_below(mailbox, dest, source)? {
        return Err(ErrorCode::FOLDER_CYCLE);
    }
    if current(mailbox, dest)?.kind == FolderKind::Search {
        return Err(ErrorCode::SEARCH_FOLDER);
    }
    let moves = pair.flags == CopyFlags::Move;
    if moves && children.iter().any(|child| is_special(child.id)) {
        return Err(ErrorCode::ACCESS_DENIED);
    }
    let taken = mailbox.child_folders(dest);
    let name = |folder: &Folder| folded_name(&folder.props);
    let taken: HashSet<String> = taken.iter().map(name).collect();
    if children.iter().any(|child| taken.contains(&name(child))) {
        return Err(ErrorCode::DUPLICATE_NAME);
    }
    blocking(|| {
        children.iter().try_for_each(|child| {
            if moves {
                mailbox.move_folder(child.id, dest, None)
            } else {
                mailbox.copy_folder(child.id, dest, None, true).map(|_| ())
            }
        })
    })
    .map_err(store_error::fail)
}

/// Whether a folder is another one or below it.
fn is_below(mailbox: &Mailbox, folder: GlobCnt, above: GlobCnt) -> Result<bool, ErrorCode> {
    /// More than folders can be nested.
    const LEVELS: usize = 1024;
    let mut at = folder;
    for _ in 0..LEVELS {
        if at == above {
            return Ok(true);
        }
        let parent = current(mailbox, at)?.parent;
        if parent == at {
            return Ok(false);
        }
        at = parent;
    }
    Ok(false)
}
