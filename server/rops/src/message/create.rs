//! RopCreateMessage (MS-OXCMSG 2.2.3.2, 3.2.5.2).

use ropewalk_props::{PropValue, tags::*};
use ropewalk_store::{FolderKind, Message};
use ropewalk_wire::{ErrorCode, Put, rop::CreateMessageRequest};

use super::{MessageObject, Place, properties::flags};
use crate::{
    code_page::CodePage,
    context::Session,
    exec::{Exec, Fail},
    ids,
    object::Object,
    rights::messages::MessageAccess,
};

/// RopCreateMessage: a message that nobody sees before it is saved.
pub fn create_message(exec: &mut Exec<'_>, request: &CreateMessageRequest) -> Result<(), Fail> {
    exec.check_output(request.output_handle_index)?;
    exec.need(1)?;
    match exec.object()? {
        Object::Folder(_) | Object::Logon(_) => {}
        _ => return Err(ErrorCode::NULL_OBJECT.into()),
    }
    let mailbox = exec.mailbox()?;
    let folder = ids::folder_id(request.folder_id)?;
    let found = mailbox.folder(folder).filter(|folder| !folder.deleted);
    // What a search folder holds lies elsewhere.
    if found.ok_or(ErrorCode::NOT_FOUND)?.kind == FolderKind::Search {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let code_page = exec.code_page(request.code_page_id)?;
    let place = Place::Folder {
        folder,
        associated: request.associated_flag,
    };
    let draft = new_message(exec.session, code_page)?;
    let mut object =
        MessageObject::draft(place, draft, true, code_page, exec.session.budget.share());
    object.dirty = true;
    object.access = MessageAccess::of(exec.rights(folder)?, true);
    exec.open(
        request.output_handle_index,
        Object::Message(Box::new(object)),
    )?;
    exec.begin();
    // HasMessageId: the MID is known when the message is saved.
    exec.out.put_bool(false);
    Ok(())
}

/// A message with the properties that a new one has (MS-OXCMSG 3.2.5.2). Those that follow from
/// others or from the handle are worked out on demand.
pub fn new_message(session: &Session, code_page: CodePage) -> Result<Message, ErrorCode> {
    let now = PropValue::Time(session.store.now());
    let user = &session.user;
    let entry_id = PropValue::Binary(ids::address_book_entry_id(&user.legacy_dn));
    let mut message = Message::default();
    let props = &mut message.props;
    props.set(PID_TAG_IMPORTANCE, &PropValue::Integer32(1));
    props.set_text(PID_TAG_MESSAGE_CLASS, "IPM.Note");
    props.set(PID_TAG_SENSITIVITY, &PropValue::Integer32(0));
    for tag in [PID_TAG_DISPLAY_BCC, PID_TAG_DISPLAY_CC, PID_TAG_DISPLAY_TO] {
        props.set_text(tag, "");
    }
    let bits = flags::READ | flags::UNSENT;
    props.set(PID_TAG_MESSAGE_FLAGS, &PropValue::Integer32(bits as i32));
    props.set(PID_TAG_TRUST_SENDER, &PropValue::Integer32(1));
    props.set(PID_TAG_CREATION_TIME, &now);
    props.set(PID_TAG_LAST_MODIFICATION_TIME, &now);
    props.set(PID_TAG_SEARCH_KEY, &PropValue::Binary(new_search_key()?));
    let locale = PropValue::Integer32(session.string_lcid as i32);
    props.set(PID_TAG_MESSAGE_LOCALE_ID, &locale);
    props.set(PID_TAG_LOCALE_ID, &locale);
    props.set(
        PID_TAG_MESSAGE_CODEPAGE,
        &PropValue::Integer32(code_page.id() as i32),
    );
    props.set_text(PID_TAG_CREATOR_NAME, &user.display_name);
    props.set(PID_TAG_CREATOR_ENTRY_ID, &entry_id);
    props.set_text(PID_TAG_LAST_MODIFIER_NAME, &user.display_name);
    props.set(PID_TAG_LAST_MODIFIER_ENTRY_ID, &entry_id);
    Ok(message)
}

/// A PidTagSearchKey that no other message has (MS-OXCPRPT 2.2.1.9).
fn new_search_key() -> Result<Vec<u8>, ErrorCode> {
    let mut key = vec![0; 16];
    getrandom::fill(&mut key).map_err(|_| ErrorCode::GENERAL_FAILURE)?;
    Ok(key)
}
