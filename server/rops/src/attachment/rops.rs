//! The attachment ROPs (MS-OXCMSG 3.2.5.12 to 3.2.5.16).

use ropewalk_props::{Bag, BagView, PropValue, tags::*};
use ropewalk_store::{Attachment, Message};
use ropewalk_wire::{
    ErrorCode, Put,
    rop::{
        DeleteAttachmentRequest, OpenAttachmentRequest, OpenEmbeddedMessageRequest,
        OpenOnlyRequest, SaveChangesRequest,
    },
};

use super::{AttachmentObject, modified};
use crate::{
    code_page::CodePage,
    exec::{Exec, Fail},
    limits::{ATTACHMENTS_MAX, EMBEDDING_MAX, MESSAGE_BYTES_MAX},
    message::{
        MessageObject, Place, create, message_at, message_at_mut,
        open::{Mode, put_open_response},
        save::{SaveFlags, save_flags},
    },
    object::Object,
    stream::pending,
    view::{AttachmentView, MessageView},
};

/// PidTagAttachMethod of an attachment that is a message (MS-OXCMSG 2.2.2.9).
const EMBEDDED_MESSAGE: i32 = 5;

/// The attachment whose handle stands at an index; `code` for another kind of object.
fn attachment_at_mut<'e>(
    exec: &'e mut Exec<'_>,
    index: u8,
    code: ErrorCode,
) -> Result<&'e mut AttachmentObject, ErrorCode> {
    match exec.object_at_mut(index)? {
        Object::Attachment(attachment) => Ok(attachment),
        _ => Err(code),
    }
}

/// RopOpenAttachment.
pub fn open_attachment(exec: &mut Exec<'_>, request: &OpenAttachmentRequest) -> Result<(), Fail> {
    exec.check_output(request.output_handle_index)?;
    let handle = exec.handle_at(exec.handle_index)?;
    let message = message_at(exec, exec.handle_index)?;
    let writable = Mode::from_flags(request.open_attachment_flags).writable(message.writable)?;
    let view = message.view();
    let (position, attachment) = view
        .attachments()
        .enumerate()
        .find(|(_, attachment)| attachment.number() == request.attachment_id)
        .ok_or(ErrorCode::NOT_FOUND)?;
    let mut share = exec.session.budget.share();
    let (stored, draft) = match attachment {
        AttachmentView::Stored(_) => (
            message.stored.as_ref().map(|stored| stored.child(position)),
            None,
        ),
        AttachmentView::Draft(draft) => {
            share.resize(attachment.memory())?;
            (None, Some(Box::new(draft.clone())))
        }
    };
    let object = AttachmentObject {
        message: handle,
        number: request.attachment_id,
        is_new: false,
        stored,
        draft,
        writable,
        depth: message.place.depth(),
        code_page: message.code_page,
        streams: pending::PendingStreams::default(),
        modified: modified(attachment),
        share,
    };
    exec.open(
        request.output_handle_index,
        Object::Attachment(Box::new(object)),
    )?;
    exec.begin();
    Ok(())
}

/// RopGetValidAttachments: the numbers of the attachments that RopSaveChangesAttachment saved
/// (MS-OXCMSG 2.2.3.18). Exchange 2010 and later do not serve it.
pub fn get_valid_attachments(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let view = message_at(exec, exec.handle_index)?.view();
    let numbers: Vec<u32> = view
        .attachments()
        .map(|attachment| attachment.number())
        .collect();
    let count = u16::try_from(numbers.len()).map_err(|_| ErrorCode::ERROR)?;
    exec.need(2 + size_of_val(&*numbers))?;
    exec.begin();
    exec.out.put_u16(count);
    numbers
        .into_iter()
        .for_each(|number| exec.out.put_u32(number));
    Ok(())
}

/// RopCreateAttachment: in the message only after RopSaveChangesAttachment.
pub fn create_attachment(exec: &mut Exec<'_>, request: &OpenOnlyRequest) -> Result<(), Fail> {
    exec.check_output(request.output_handle_index)?;
    exec.need(4)?;
    let handle = exec.handle_at(exec.handle_index)?;
    let now = exec.session.store.now();
    let message = message_at(exec, exec.handle_index)?;
    if !message.writable {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    if message.view().attachment_count() >= ATTACHMENTS_MAX {
        return Err(ErrorCode::MAX_ATTACHMENT_EXCEEDED.into());
    }
    let depth = message.place.depth();
    let message = message_at_mut(exec, exec.handle_index)?;
    let number = message.next_attachment;
    message.next_attachment = number
        .checked_add(1)
        .ok_or(ErrorCode::MAX_ATTACHMENT_EXCEEDED)?;
    let code_page = message.code_page;
    let mut props = Bag::new();
    // MS-OXCMSG 3.2.5.13; the number, the size and the access level are worked out on demand.
    props.set(PID_TAG_RENDERING_POSITION, &PropValue::Integer32(-1));
    props.set(PID_TAG_CREATION_TIME, &PropValue::Time(now));
    props.set(PID_TAG_LAST_MODIFICATION_TIME, &PropValue::Time(now));
    let object = AttachmentObject {
        message: handle,
        number,
        is_new: true,
        stored: None,
        draft: Some(Box::new(Attachment {
            number,
            props,
            embedded: None,
        })),
        writable: true,
        depth,
        code_page,
        streams: pending::PendingStreams::default(),
        modified: Some(now),
        share: exec.session.budget.share(),
    };
    exec.open(
        request.output_handle_index,
        Object::Attachment(Box::new(object)),
    )?;
    exec.begin();
    exec.out.put_u32(number);
    Ok(())
}

/// RopSaveChangesAttachment: into the message, which has yet to be saved itself.
pub fn save_changes_attachment(
    exec: &mut Exec<'_>,
    request: &SaveChangesRequest,
) -> Result<(), Fail> {
    exec.need(0)?;
    let index = request.input_handle_index;
    let handle = exec.handle_at(index)?;
    let flags = save_flags(request.save_flags)?;
    let now = exec.session.store.now();
    let logon_id = exec.logon_id;
    attachment_at_mut(exec, index, ErrorCode::NOT_SUPPORTED)?;
    pending::settle(exec.session, logon_id, handle)?;
    let attachment = attachment_at_mut(exec, index, ErrorCode::NOT_SUPPORTED)?;
    if !attachment.writable {
        return Err(ErrorCode::GENERAL_FAILURE.into());
    }
    if attachment.draft.is_some() {
        // A time that the client gave is that of the file (MS-OXCMSG 2.2.2.2).
        let time = modified(attachment.view());
        let is_given = time.is_some() && time != attachment.modified;
        let draft = attachment.edit()?;
        if !is_given {
            draft
                .props
                .set(PID_TAG_LAST_MODIFICATION_TIME, &PropValue::Time(now));
        }
        if draft.embedded.is_some() && draft.props.slot(PID_TAG_ATTACH_METHOD.id()).is_none() {
            draft.props.set(
                PID_TAG_ATTACH_METHOD,
                &PropValue::Integer32(EMBEDDED_MESSAGE),
            );
        }
        let saved = draft.clone();
        let (message, is_new) = (attachment.message, attachment.is_new);
        put_into_message(exec, message, saved, is_new)?;
    }
    let attachment = attachment_at_mut(exec, index, ErrorCode::NOT_SUPPORTED)?;
    attachment.is_new = false;
    attachment.modified = modified(attachment.view());
    if flags == SaveFlags::KeepOpenReadOnly {
        attachment.writable = false;
    }
    exec.begin();
    Ok(())
}

fn put_into_message(
    exec: &mut Exec<'_>,
    message: u32,
    saved: Attachment,
    is_new: bool,
) -> Result<(), ErrorCode> {
    let message = exec
        .session
        .objects
        .get_mut(message, exec.logon_id)?
        .message_mut()?;
    // Both counts are taken before anything changes, and after the share is that of a draft.
    message.edit()?;
    let bytes = message
        .view()
        .memory()
        .saturating_add(AttachmentView::Draft(&saved).memory());
    if bytes > MESSAGE_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    message.share.grow(bytes)?;
    let attachments = &mut message.edit()?.attachments;
    let count = attachments.len();
    match attachments
        .iter_mut()
        .find(|known| known.number == saved.number)
    {
        Some(known) => *known = saved,
        // It was deleted from the message meanwhile.
        None if !is_new => return Err(ErrorCode::OBJECT_DELETED),
        None if count >= ATTACHMENTS_MAX => return Err(ErrorCode::MAX_ATTACHMENT_EXCEEDED),
        None => attachments.push(saved),
    }
    Ok(())
}

/// RopDeleteAttachment: for good once the message is saved.
pub fn delete_attachment(
    exec: &mut Exec<'_>,
    request: &DeleteAttachmentRequest,
) -> Result<(), Fail> {
    let message = message_at_mut(exec, exec.handle_index)?;
    if !message.writable {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    if message.view().attachment(request.attachment_id).is_none() {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    message
        .edit()?
        .attachments
        .retain(|known| known.number != request.attachment_id);
    exec.begin();
    Ok(())
}

/// RopOpenEmbeddedMessage.
pub fn open_embedded_message(
    exec: &mut Exec<'_>,
    request: &OpenEmbeddedMessageRequest,
) -> Result<(), Fail> {
    /// OpenModeFlags (MS-OXCMSG 2.2.3.16.1).
    const READ_WRITE: u8 = 0x01;
    const CREATE: u8 = 0x02;
    exec.check_output(request.output_handle_index)?;
    let handle = exec.handle_at(exec.handle_index)?;
    let code_page = exec.code_page(request.code_page_id)?;
    let mut share = exec.session.budget.share();
    let attachment = attachment_at_mut(exec, exec.handle_index, ErrorCode::NULL_OBJECT)?;
    let wants_write = request.open_mode_flags & (READ_WRITE | CREATE) != 0;
    if wants_write && !attachment.writable {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    if attachment.depth >= EMBEDDING_MAX {
        return Err(ErrorCode::TOO_COMPLEX.into());
    }
    let place = Place::Attachment {
        handle,
        depth: attachment.depth + 1,
    };
    let object = match attachment.view().embedded() {
        Some(MessageView::Stored(_)) => {
            let part = attachment.stored.clone().ok_or(ErrorCode::NOT_FOUND)?;
            MessageObject::stored(place, None, part, wants_write, code_page, share)?
        }
        Some(MessageView::Draft(draft)) => {
            share.resize(MessageView::Draft(draft).memory())?;
            MessageObject::draft(place, draft.clone(), wants_write, code_page, share)
        }
        None if request.open_mode_flags & CREATE != 0 => {
            let draft = new_embedded(exec, code_page)?;
            let mut object = MessageObject::draft(place, draft, true, code_page, share);
            object.dirty = true;
            object
        }
        None => return Err(ErrorCode::NOT_FOUND.into()),
    };
    exec.open(
        request.output_handle_index,
        Object::Message(Box::new(object)),
    )?;
    exec.begin();
    exec.out.put_u8(0);
    // An embedded message has no MID of its own.
    exec.out.put_u64(0);
    put_open_response(exec, request.output_handle_index)
}

fn new_embedded(exec: &Exec<'_>, code_page: CodePage) -> Result<Message, ErrorCode> {
    create::new_message(exec.session, code_page)
}
