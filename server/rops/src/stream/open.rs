//! RopOpenStream: from a property to a stream (MS-OXCPRPT 2.2.14, 3.2.5.11).

use std::sync::Arc;

use ropewalk_props::{PropTag, PropType, tags::*};
use ropewalk_store::Store;
use ropewalk_wire::{ErrorCode, Put, rop::OpenStreamRequest};

use super::{CONVERTED_BYTES_MAX, Content, Owner, StreamObject, is_streamable, pending};
use crate::{
    attachment,
    code_page::CodePage,
    exec::{Exec, Fail},
    folder,
    folder::properties::FolderProperties,
    message,
    object::Object,
    property::{
        value::{Found, Packed, Properties},
        write::check_id,
    },
    rights::{Rights, messages::says_creator},
    store_error,
};

/// OpenModeFlags (MS-OXCPRPT 2.2.14.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    ReadOnly,
    ReadWrite,
    Create,
    BestAccess,
}

impl Mode {
    fn from_flags(flags: u8) -> Result<Self, ErrorCode> {
        Ok(match flags {
            0x00 => Self::ReadOnly,
            0x01 => Self::ReadWrite,
            0x02 => Self::Create,
            0x03 => Self::BestAccess,
            _ => return Err(ErrorCode::INVALID_PARAM),
        })
    }
}

/// What is opened, and what may be done with it.
struct Opening {
    owner: Owner,
    content: Option<Content>,
    writable: bool,
    code_page: CodePage,
}

/// RopOpenStream.
pub fn open_stream(exec: &mut Exec<'_>, request: &OpenStreamRequest) -> Result<(), Fail> {
    exec.check_output(request.output_handle_index)?;
    exec.need(4)?;
    let handle = exec.handle_at(exec.handle_index)?;
    pending::settle(exec.session, exec.logon_id, handle)?;
    let (tag, mode) = (
        request.property_tag,
        Mode::from_flags(request.open_mode_flags)?,
    );
    let opening = find(exec, handle, tag, mode)?;
    let is_new = mode == Mode::Create;
    let content = match opening.content {
        Some(content) if !is_new => content,
        _ if is_new => Content::Memory(Vec::new()),
        _ => return Err(ErrorCode::NOT_FOUND.into()),
    };
    let mut stream = StreamObject::new(
        opening.owner,
        tag,
        content,
        opening.writable,
        opening.code_page,
        exec.session.budget.share(),
    )?;
    // Creating deletes the value that was there.
    stream.dirty = is_new;
    let size = u32::try_from(stream.len()).unwrap_or(u32::MAX);
    let stream = exec.open(
        request.output_handle_index,
        Object::Stream(Box::new(stream)),
    )?;
    if is_new {
        pending::note(exec.session, exec.logon_id, stream, opening.owner);
    }
    exec.begin();
    exec.out.put_u32(size);
    Ok(())
}

fn find(exec: &Exec<'_>, handle: u32, tag: PropTag, mode: Mode) -> Result<Opening, ErrorCode> {
    let mailbox = Arc::clone(&exec.logon()?.mailbox);
    let is_owner = exec.logon()?.is_owner();
    let store = &exec.session.store;
    let object = exec.session.objects.get(handle, exec.logon_id)?;
    // A logon has no streams; what a table or a stream has is no property.
    if !matches!(
        object,
        Object::Message(_) | Object::Attachment(_) | Object::Folder(_)
    ) || !is_streamable(tag.ty())
    {
        return Err(ErrorCode::NOT_SUPPORTED);
    }
    // MS-OXCPRPT 2.2.14: of a folder, binary properties alone.
    if matches!(object, Object::Folder(_)) && tag.ty() != PropType::BINARY {
        return Err(ErrorCode::NOT_SUPPORTED);
    }
    // MS-OXCPRPT 3.2.5.11: of a public folder, for reading alone.
    if matches!(object, Object::Folder(_)) && exec.logon()?.is_public() && mode != Mode::ReadOnly {
        return Err(ErrorCode::NOT_SUPPORTED);
    }
    let (owner, may_write, code_page) = match object {
        Object::Message(message) => (
            Owner::Object(handle),
            message.writable
                && (is_owner || !says_creator(tag))
                && !message::properties::is_read_only(tag)
                && !message::properties::is_kept_by_copies(tag)
                // Integers, whatever the type that they are asked for with.
                && !message::properties::is_read_only_once_saved(tag),
            message.code_page,
        ),
        Object::Attachment(attachment) => (
            Owner::Object(handle),
            attachment.writable && !attachment::is_read_only(tag),
            attachment.code_page,
        ),
        Object::Folder(folder) => (
            Owner::Folder(folder.id),
            !folder::properties::is_read_only(tag)
                && exec.rights(folder.id)?.contains(Rights::FOLDER_OWNER),
            exec.session.code_page,
        ),
        _ => return Err(ErrorCode::NOT_SUPPORTED),
    };
    let writable = match mode {
        Mode::ReadOnly => false,
        Mode::BestAccess => may_write,
        Mode::ReadWrite | Mode::Create if may_write => true,
        Mode::ReadWrite | Mode::Create => return Err(ErrorCode::ACCESS_DENIED),
    };
    if mode == Mode::Create {
        check_id(&mailbox, tag)?;
        return Ok(Opening {
            owner,
            content: None,
            writable,
            code_page,
        });
    }
    let open = |found: Option<Found<'_>>, html: CodePage| {
        found
            .map(|found| content(store, found, tag, writable, [code_page, html]))
            .transpose()
    };
    let content = match object {
        Object::Message(message) => open(
            message.properties(store, &mailbox).find(tag),
            message::properties::html_code_page(message.view()),
        ),
        Object::Attachment(attachment) => {
            open(attachment.properties(&mailbox).find(tag), code_page)
        }
        Object::Folder(folder) => {
            let folder = mailbox.folder(folder.id).ok_or(ErrorCode::NOT_FOUND)?;
            let properties = FolderProperties {
                store,
                mailbox: &mailbox,
                folder: &folder,
                depth: 0,
                access: exec.logon()?.access,
            };
            open(properties.find(tag), code_page)
        }
        _ => Ok(None),
    }?;
    Ok(Opening {
        owner,
        content,
        writable,
        code_page,
    })
}

/// From bytes in one form to bytes in another.
type Convert = fn(CodePage, &[u8]) -> Vec<u8>;

/// The bytes of a property as a stream of the type that was asked for. A string has no terminator
/// in a stream.
fn content(
    store: &Store,
    found: Found<'_>,
    tag: PropTag,
    writable: bool,
    [code_page, html]: [CodePage; 2],
) -> Result<Content, ErrorCode> {
    let (have, want) = (found.ty(), tag.ty());
    let is_html = tag.id() == PID_TAG_HTML.id();
    let code_page = if is_html && [have, want].contains(&PropType::BINARY) {
        html
    } else {
        code_page
    };
    let convert: Option<Convert> = match (have, want) {
        (have, want) if have == want => None,
        (PropType::BINARY | PropType::OBJECT, PropType::BINARY | PropType::OBJECT) => None,
        (PropType::STRING, PropType::STRING8) => Some(CodePage::from_utf16),
        (PropType::STRING8, PropType::STRING) => Some(to_utf16),
        // PidTagHtml and PidTagBodyHtml are one property (MS-OXCMSG 2.2.1.56).
        (PropType::BINARY, PropType::STRING) if is_html => Some(html_to_utf16),
        (PropType::BINARY, PropType::STRING8) if is_html => None,
        (PropType::STRING, PropType::BINARY) if is_html => Some(CodePage::html_from_utf16),
        _ => return Err(ErrorCode::NOT_FOUND),
    };
    let blob = match (&found, convert) {
        (Found::Large(_, blob), None) if writable => {
            let editor = store.blob_editor(*blob).map_err(store_error::fail)?;
            return Ok(Content::Pending(editor));
        }
        (Found::Large(_, blob), None) => {
            let reader = store.blob_reader(*blob).map_err(store_error::fail)?;
            return Ok(Content::Stored(reader));
        }
        (Found::Large(_, blob), Some(_)) => Some(*blob),
        _ => None,
    };
    let bytes = match blob {
        Some(blob) => store_error::load(store, blob, CONVERTED_BYTES_MAX)?,
        None => match found {
            Found::Computed(_, Packed::Long(bytes)) => bytes,
            Found::TooLarge(_) => return Err(ErrorCode::NOT_ENOUGH_MEMORY),
            found => found
                .value_ref()
                .map(|value| value.data.to_vec())
                .unwrap_or_default(),
        },
    };
    Ok(Content::Memory(match convert {
        None => bytes,
        Some(convert) => convert(code_page, &bytes),
    }))
}

fn to_utf16(code_page: CodePage, bytes: &[u8]) -> Vec<u8> {
    code_page.to_utf16(bytes).into_bytes()
}

fn html_to_utf16(code_page: CodePage, bytes: &[u8]) -> Vec<u8> {
    code_page.html_to_utf16(bytes).into_bytes()
}
