//! What is in a message or an attachment and is copied along with it: recipients and attachments, the
//! message in an attachment (MS-OXCPRPT 2.2.11.1, WantSubObjects). What is in a folder is for
//! [`super::copy_folder`].

use ropewalk_props::{PropTag, tags::*};
use ropewalk_wire::ErrorCode;

use super::copy::{CopyFlags, Pair};
use crate::{
    context::Session,
    exec::Exec,
    limits::{EMBEDDING_MAX, MESSAGE_BYTES_MAX},
    message::{Place, next_attachment_number, recipients::settle_display_names},
    object::Object,
    view::MessageView,
};

/// PidTagMessageRecipients and PidTagMessageAttachments.
const RECIPIENTS: PropTag = PropTag(0x0E12_000D);
const ATTACHMENTS: PropTag = PropTag(0x0E13_000D);
/// PidTagContainerContents.
pub const CONTENTS: PropTag = PropTag(0x360F_000D);
/// PidTagFolderAssociatedContents.
pub const ASSOCIATED_CONTENTS: PropTag = PropTag(0x3610_000D);
/// PidTagContainerHierarchy.
pub const HIERARCHY: PropTag = PropTag(0x360E_000D);

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
/// `MessageCycle` if the destination is in the source.
pub fn copy(
    exec: &mut Exec<'_>,
    pair: &Pair,
    wanted: impl Fn(PropTag) -> bool,
) -> Result<(), ErrorCode> {
    match exec.session.objects.get(pair.source, exec.logon_id)? {
        Object::Message(_) => copy_message(exec, pair, wanted),
        Object::Attachment(_) => copy_attachment(exec, pair, wanted),
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
