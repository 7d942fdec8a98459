//! RopSaveChangesMessage (MS-OXCMSG 2.2.3.3, 3.2.5.3).

use ropewalk_props::{BagView, PropValue, tags::*};
use ropewalk_store::{Mailbox, Message, MessageEntry, SaveMessage, StoreError};
use ropewalk_wire::{
    ErrorCode, Mid,
    rop::{SaveChangesMessageResponse, SaveChangesRequest},
};

use super::{
    MessageObject, Place, body::Parts, conversation, message_at, message_at_mut, properties::flags,
};
use crate::{
    context::Session,
    exec::{Exec, Fail, blocking},
    ids,
    limits::MESSAGE_BYTES_MAX,
    object::Object,
    public::reads,
    store_error,
    stream::pending,
    view::{MessageView, StoredPart},
};

/// SaveFlags of messages and attachments (MS-OXCMSG 2.2.3.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveFlags {
    /// None: the handle stays what it is.
    None,
    /// The handle can no longer change the object.
    KeepOpenReadOnly,
    /// The handle can go on changing it.
    KeepOpenReadWrite,
    /// As before, and whatever another handle saved meanwhile is overwritten.
    ForceSave,
}

/// Reads SaveFlags; bits without meaning are ignored, and `ecNotSupported` is for the two that
/// exclude each other: open for reading only, and for writing too.
pub fn save_flags(flags: u8) -> Result<SaveFlags, ErrorCode> {
    Ok(match flags & 0x07 {
        0x00 => SaveFlags::None,
        0x01 => SaveFlags::KeepOpenReadOnly,
        0x02 => SaveFlags::KeepOpenReadWrite,
        // Whatever it is combined with.
        0x04..=0x06 => SaveFlags::ForceSave,
        _ => return Err(ErrorCode::NOT_SUPPORTED),
    })
}

/// RopSaveChangesMessage.
pub fn save_changes_message(exec: &mut Exec<'_>, request: &SaveChangesRequest) -> Result<(), Fail> {
    const RESPONSE_LEN: usize = 9;
    exec.need(RESPONSE_LEN)?;
    let index = request.input_handle_index;
    let handle = exec.handle_at(index)?;
    message_at(exec, index)?;
    let flags = save_flags(request.save_flags)?;
    if !message_at(exec, index)?.writable {
        return Err(ErrorCode::GENERAL_FAILURE.into());
    }
    pending::settle(exec.session, exec.logon_id, handle)?;
    if message_at(exec, index)?.dirty {
        match message_at(exec, index)?.place {
            Place::Folder { .. } => save_in_folder(exec, index, flags)?,
            Place::Attachment { handle, .. } => save_in_attachment(exec, index, handle)?,
        }
    } else {
        check_current(exec, index, flags)?;
    }
    let message = message_at_mut(exec, index)?;
    if flags == SaveFlags::KeepOpenReadOnly {
        message.writable = false;
    }
    let message_id = message
        .entry
        .as_ref()
        .map_or(Mid::default(), |entry| ids::mid(entry.id));
    exec.answer(&SaveChangesMessageResponse {
        input_handle_index: index,
        message_id,
    })
}

/// A save with nothing to save fails as any other once another handle has saved the message
/// (MS-OXCMSG 3.2.5.3).
fn check_current(exec: &Exec<'_>, index: u8, flags: SaveFlags) -> Result<(), ErrorCode> {
    let Some(opened) = &message_at(exec, index)?.entry else {
        return Ok(());
    };
    let now = exec.mailbox()?.entry(opened.folder, opened.id);
    match now.map_err(store_error::fail)? {
        None => Err(ErrorCode::OBJECT_DELETED),
        Some(now) if now.soft_deleted && !opened.soft_deleted => Err(ErrorCode::OBJECT_DELETED),
        Some(now) if now.cn != opened.cn && flags != SaveFlags::ForceSave => {
            Err(ErrorCode::OBJECT_MODIFIED)
        }
        Some(_) => Ok(()),
    }
}

fn save_in_folder(exec: &mut Exec<'_>, index: u8, flags: SaveFlags) -> Result<(), ErrorCode> {
    let mailbox = exec.mailbox()?;
    let object = message_at(exec, index)?;
    let Place::Folder { folder, associated } = object.place else {
        return Err(ErrorCode::NOT_SUPPORTED);
    };
    let is_new = object.entry.is_none();
    let mut message = finished(exec.session, object.view(), is_new && !associated)?;
    // Until it is modified after its first save or its delivery (MS-OXCMSG 2.2.1.6).
    set_flag(&mut message, flags::UNMODIFIED, is_new);
    if let Some(entry) = &object.entry {
        keep_status(&mailbox, entry, &mut message)?;
    }
    let save = SaveMessage {
        folder,
        id: object.entry.as_ref().map(|entry| entry.id),
        associated,
        read: is_new.then(|| is_read(object)),
        expected_cn: match (&object.entry, flags) {
            (_, SaveFlags::ForceSave) | (None, _) => None,
            (Some(entry), _) => Some(entry.cn),
        },
        message,
    };
    let read = object
        .entry
        .as_ref()
        .map_or(is_read(object), |entry| entry.read);
    let mut saved = blocking(|| mailbox.save_message(save)).map_err(|error| match error {
        StoreError::NotFound if !is_new => ErrorCode::OBJECT_DELETED,
        error => store_error::fail(error),
    })?;
    if read && exec.logon()?.is_public() {
        // Who wrote it has read it; nobody else has.
        reads::set_read(exec.logon()?, folder, &[saved.id], true)?;
    }
    reads::settle(exec.logon()?, &mut saved)?;
    let stored = StoredPart::root(mailbox.read_message(&saved).map_err(store_error::fail)?);
    let object = message_at_mut(exec, index)?;
    object.entry = Some(saved);
    object.stored = Some(stored);
    object.draft = None;
    object.dirty = false;
    object.body_set = Parts::default();
    // What is saved is saved. A share that cannot be made larger stays as it was.
    let bytes = object.view().memory();
    let _ = object.share.resize(bytes);
    Ok(())
}

/// A status that was set while the message was open stays: it is no change of the message (MS-OXCMSG
/// 3.2.5.8).
fn keep_status(
    mailbox: &Mailbox,
    opened: &MessageEntry,
    message: &mut Message,
) -> Result<(), ErrorCode> {
    let now = mailbox.entry(opened.folder, opened.id);
    let Ok(Some(now)) = now.map(|now| now.filter(|now| now != opened)) else {
        return Ok(());
    };
    let stored = mailbox.read_message(&now).map_err(store_error::fail)?;
    if let Some(status) = stored.view().props.get_i32(PID_TAG_MESSAGE_STATUS) {
        let status = PropValue::Integer32(status);
        message.props.set(PID_TAG_MESSAGE_STATUS, &status);
    }
    Ok(())
}

fn set_flag(message: &mut Message, flag: u32, is_set: bool) {
    let old = message.props.get_i32(PID_TAG_MESSAGE_FLAGS).unwrap_or(0) as u32;
    let bits = if is_set { old | flag } else { old & !flag };
    if bits != old {
        let bits = PropValue::Integer32(bits as i32);
        message.props.set(PID_TAG_MESSAGE_FLAGS, &bits);
    }
}

fn is_read(object: &MessageObject) -> bool {
    super::properties::stored_flags(object.view()) & flags::READ != 0
}

/// Puts an embedded message into its attachment, which has yet to be saved itself (MS-OXCMSG
/// 3.2.5.16).
fn save_in_attachment(exec: &mut Exec<'_>, index: u8, attachment: u32) -> Result<(), ErrorCode> {
    let object = message_at(exec, index)?;
    let message = finished(exec.session, object.view(), false)?;
    let bytes = MessageView::Draft(&message).memory();
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    match exec.session.objects.get_mut(attachment, exec.logon_id)? {
        Object::Attachment(attachment) => {
            attachment.edit()?;
            let bytes = attachment.view().memory().saturating_add(bytes);
            attachment.share.grow(bytes)?;
            attachment.edit()?.embedded = Some(Box::new(message.clone()));
        }
        _ => return Err(ErrorCode::NULL_OBJECT),
    }
    let object = message_at_mut(exec, index)?;
    object.draft = Some(Box::new(message));
    object.dirty = false;
    object.body_set = Parts::default();
    Ok(())
}

/// The content to save, with what the server sets at each save.
fn finished(
    session: &Session,
    view: MessageView<'_>,
    starts_conversation: bool,
) -> Result<Message, ErrorCode> {
    let now = session.store.now();
    let user = &session.user;
    let mut message = view.to_message();
    let props = &mut message.props;
    props.set(PID_TAG_LAST_MODIFICATION_TIME, &PropValue::Time(now));
    props.set_text(PID_TAG_LAST_MODIFIER_NAME, &user.display_name);
    let entry_id = ids::address_book_entry_id(&user.legacy_dn);
    props.set(PID_TAG_LAST_MODIFIER_ENTRY_ID, &PropValue::Binary(entry_id));
    if starts_conversation {
        if props.slot(PID_TAG_CONVERSATION_TOPIC.id()).is_none()
            && let Some(topic) = props.value(PID_TAG_NORMALIZED_SUBJECT)
        {
            props.set(PID_TAG_CONVERSATION_TOPIC, &topic);
        }
        if props.slot(PID_TAG_CONVERSATION_INDEX.id()).is_none() {
            let index = conversation::new_index(now)?;
            props.set(PID_TAG_CONVERSATION_INDEX, &PropValue::Binary(index));
        }
    }
    Ok(message)
}
