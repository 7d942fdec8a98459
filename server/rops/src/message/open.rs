//! RopOpenMessage and RopReloadCachedInformation (MS-OXCMSG 2.2.3.1, 2.2.3.7).

use ropewalk_props::{PropTag, tags::*};
use ropewalk_wire::{ErrorCode, Put, codec::Wire, rop::OpenMessageRequest, value::TypedString};

use super::{MessageObject, Place, message_at, recipients};
use crate::{
    exec::{Exec, Fail},
    ids,
    object::Object,
    public::reads,
    rights::{Rights, messages::MessageAccess},
    search, store_error,
    stream::pending,
    view::{MessageView, StoredPart},
};

/// OpenModeFlags and OpenAttachmentFlags (MS-OXCMSG 2.2.3.1.1, 2.2.3.12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For reading.
    ReadOnly,
    /// For reading and writing.
    ReadWrite,
    /// For writing too, if that is allowed.
    BestAccess,
}

impl Mode {
    /// From the flags; bits without meaning are ignored.
    pub fn from_flags(flags: u8) -> Self {
        match flags & 0x03 {
            0x01 => Self::ReadWrite,
            0x03 => Self::BestAccess,
            _ => Self::ReadOnly,
        }
    }

    /// Whether the object may be changed; `ecAccessDenied` if it may not but has to.
    pub fn writable(self, allowed: bool) -> Result<bool, ErrorCode> {
        match self {
            Self::ReadOnly => Ok(false),
            Self::BestAccess => Ok(allowed),
            Self::ReadWrite if allowed => Ok(true),
            Self::ReadWrite => Err(ErrorCode::ACCESS_DENIED),
        }
    }
}

/// RopOpenMessage. The input folder need not be the one that the message is in: FolderId says
/// which that is (MS-OXCMSG 2.2.3.1).
pub fn open_message(exec: &mut Exec<'_>, request: &OpenMessageRequest) -> Result<(), Fail> {
    const OPEN_SOFT_DELETED: u8 = 0x04;
    exec.check_output(request.output_handle_index)?;
    match exec.object()? {
        Object::Folder(_) | Object::Logon(_) => {}
        _ => return Err(ErrorCode::NULL_OBJECT.into()),
    }
    let mode = Mode::from_flags(request.open_mode_flags);
    let soft_deleted_too = request.open_mode_flags & OPEN_SOFT_DELETED != 0;
    let mailbox = &exec.logon()?.mailbox;
    let (folder, id) = (
        ids::folder_id(request.folder_id)?,
        ids::message_id(request.message_id)?,
    );
    if exec.rights(folder)? == Rights::NONE {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    let mut entry = search::entry(&exec.session.store, exec.logon()?, folder, id)?
        .filter(|entry| !entry.soft_deleted || soft_deleted_too)
        .ok_or(ErrorCode::NOT_FOUND)?;
    reads::settle(exec.logon()?, &mut entry)?;
    let stored = StoredPart::root(mailbox.read_message(&entry).map_err(store_error::fail)?);
    let access = match stored.message() {
        Some(message) => exec.need_access(entry.folder, &message.props, MessageAccess::READ)?,
        None => return Err(ErrorCode::NOT_FOUND.into()),
    };
    let writable = mode.writable(access.allows(MessageAccess::MODIFY))?;
    let place = Place::Folder {
        // What a search folder has found lies elsewhere.
        folder: entry.folder,
        associated: entry.associated,
    };
    let code_page = exec.code_page(request.code_page_id)?;
    let mut object = {
        let share = exec.session.budget.share();
        MessageObject::stored(place, Some(entry), stored, writable, code_page, share)?
    };
    object.access = access;
    exec.open(
        request.output_handle_index,
        Object::Message(Box::new(object)),
    )?;
    exec.begin();
    put_open_response(exec, request.output_handle_index)
}

/// RopReloadCachedInformation: what RopOpenMessage answers, of the message as it is on this handle.
pub fn reload_cached_information(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    message_at(exec, exec.handle_index)?;
    pending::settle(exec.session, exec.logon_id, handle)?;
    exec.begin();
    put_open_fields(exec, exec.handle_index)
}

/// Appends the fields of an open response from HasNamedProperties on, with as many recipients as
/// fit, for the message whose handle stands at an index.
fn put_open_fields(exec: &mut Exec<'_>, index: u8) -> Result<(), Fail> {
    let handle = exec.handle_at(index)?;
    let message = exec
        .session
        .objects
        .get_mut(handle, exec.logon_id)?
        .message_mut()?;
    let columns = recipients::columns(message.view());
    let (out, view) = (&mut *exec.out, message.view());
    out.put_bool(message.has_named_properties());
    put_subject(out, view, PID_TAG_SUBJECT_PREFIX);
    put_subject(out, view, PID_TAG_NORMALIZED_SUBJECT);
    let count = view.recipient_count();
    out.put_u16(u16::try_from(count).unwrap_or(u16::MAX));
    out.put_u16(u16::try_from(columns.len()).unwrap_or(u16::MAX));
    columns.iter().for_each(|column| out.put_u32(column.0));
    if out.len() >= exec.out_max {
        return Err(Fail::NoRoom(out.len() + 1));
    }
    recipients::put_open_rows(out, exec.out_max, view, &columns, message.code_page);
    message.recipient_columns = columns;
    Ok(())
}

/// As [`put_open_fields`] for a message just opened, which is closed again if there is no room to
/// tell of it.
pub fn put_open_response(exec: &mut Exec<'_>, index: u8) -> Result<(), Fail> {
    let result = put_open_fields(exec, index);
    if result.is_err()
        && let Ok(handle) = exec.handle_at(index)
    {
        exec.session.objects.remove(handle);
    }
    result
}

/// A part of the subject as a TypedString (MS-OXCDATA 2.11.7): in the reduced form if it is ASCII.
fn put_subject(out: &mut Vec<u8>, view: MessageView<'_>, tag: PropTag) {
    let text = view.props().get(tag).map(|value| value.data);
    let Some(text) = text else {
        return out.put_u8(TYPE_NONE);
    };
    let units = || ropewalk_props::text::units(text);
    if !text.is_empty() && units().all(|unit| (0x01..0x80).contains(&unit)) {
        out.put_u8(TYPE_REDUCED);
        out.extend(units().map(|unit| unit as u8));
        return out.put_u8(0);
    }
    let start = out.len();
    if TypedString::unicode(text).encode(out).is_err() {
        // Text with a NUL inside, which a stream can have made: there is no way to say it.
        out.truncate(start);
        out.put_u8(TYPE_NONE);
    }
}

/// StringType (MS-OXCDATA 2.11.7): no string, and UTF-16 without its high bytes.
const TYPE_NONE: u8 = 0x00;
const TYPE_REDUCED: u8 = 0x03;
