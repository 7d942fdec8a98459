//! RopOpenFolder and RopCreateFolder (MS-OXCFOLD 3.2.5.1 and 3.2.5.2).

use ropewalk_props::{Bag, PropValue, Utf16Text, tags};
use ropewalk_store::{FolderKind, NewFolder, StoreError};
use ropewalk_wire::{
    ErrorCode,
    rop::{
        CreateFolderRequest, CreateFolderResponse, ExistingFolder, OpenFolderRequest,
        OpenFolderResponse,
    },
};

use super::current;
use crate::{
    code_page::CodePage,
    exec::{Exec, Fail, blocking},
    ids,
    object::{FolderObject, Object},
    rights::{self, Rights},
    rules, store_error,
};

/// Code units of a folder's name.
const NAME_UNITS_MAX: usize = 255;

/// OpenModeFlags (MS-OXCFOLD 2.2.1.1.1): also a soft-deleted folder. The other bits have no meaning.
const OPEN_SOFT_DELETED: u8 = 0x04;

/// RopOpenFolder.
pub fn open_folder(exec: &mut Exec<'_>, request: &OpenFolderRequest) -> Result<(), Fail> {
    match exec.object()? {
        Object::Folder(_) | Object::Logon(_) => {}
        _ => return Err(ErrorCode::NOT_SUPPORTED.into()),
    }
    exec.need(2)?;
    let id = ids::folder_id(request.folder_id)?;
    let soft_deleted = request.open_mode_flags & OPEN_SOFT_DELETED != 0;
    let has_rules = match exec.logon()?.mailbox.folder_props(id) {
        Some((props, deleted)) if !deleted || soft_deleted => rules::has_rules(&props),
        _ => return Err(ErrorCode::NOT_FOUND.into()),
    };
    exec.open(
        request.output_handle_index,
        Object::Folder(FolderObject::new(id)),
    )?;
    exec.answer(&OpenFolderResponse {
        has_rules,
        servers: None,
    })
}

/// RopCreateFolder.
pub fn create_folder(exec: &mut Exec<'_>, request: &CreateFolderRequest<'_>) -> Result<(), Fail> {
    let parent = exec.object()?.folder()?.id;
    exec.check_output(request.output_handle_index)?;
    exec.need(11)?;
    let kind = match request.folder_type {
        1 => FolderKind::Generic,
        2 => FolderKind::Search,
        _ => return Err(ErrorCode::INVALID_PARAM.into()),
    };
    let mailbox = exec.mailbox()?;
    if !mailbox.has_folder(parent) {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    let above = current(&mailbox, parent)?;
    if above.kind == FolderKind::Search {
        // MS-OXCFOLD 1.1: a search folder holds links alone.
        return Err(ErrorCode::SEARCH_FOLDER.into());
    }
    let text = Text {
        code_page: exec.session.code_page,
        unicode: request.use_unicode_strings,
    };
    let mut props = folder_props(
        text.decode(request.display_name),
        text.decode(request.comment),
    )?;
    let is_public = exec.logon()?.is_public();
    if is_public && kind == FolderKind::Search {
        // MS-OXCFOLD 3.2.5.2.
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let access = exec.logon()?.access;
    rights::inherit(access, &above, kind, &mut props);
    let mut existing_folder = None;
    let id = match blocking(|| {
        mailbox.create_folder(NewFolder {
            parent,
            kind,
            props,
        })
    }) {
        Ok(folder) => folder.id,
        Err(StoreError::DuplicateName(existing)) if request.open_existing => {
            // As RopOpenFolder does (MS-OXCFOLD 3.2.5.2).
            if !exec.rights(existing)?.contains(Rights::FOLDER_VISIBLE) {
                return Err(ErrorCode::NOT_FOUND.into());
            }
            // IsExistingFolder is for public folders; in a private mailbox it is zero
            // (MS-OXCFOLD 2.2.1.2.2).
            let found = mailbox.folder_props(existing).filter(|_| is_public);
            existing_folder = found.map(|(props, _)| ExistingFolder {
                has_rules: rules::has_rules(&props),
                servers: None,
            });
            existing
        }
        Err(error) => return Err(create_error(&error).into()),
    };
    exec.open(
        request.output_handle_index,
        Object::Folder(FolderObject::new(id)),
    )?;
    exec.answer(&CreateFolderResponse {
        folder_id: ids::fid(id),
        existing_folder,
    })
}

/// How strings of a request are written.
#[derive(Clone, Copy)]
pub(super) struct Text {
    pub code_page: CodePage,
    pub unicode: bool,
}

impl Text {
    pub fn decode(self, bytes: &[u8]) -> Utf16Text {
        if self.unicode {
            Utf16Text::from_le_bytes(bytes)
        } else {
            self.code_page.to_utf16(bytes)
        }
    }
}

fn folder_props(name: Utf16Text, comment: Utf16Text) -> Result<Bag, ErrorCode> {
    let units = name.as_bytes().len() / 2;
    if units == 0 || units > NAME_UNITS_MAX {
        return Err(ErrorCode::INVALID_PARAM);
    }
    let mut props = Bag::new();
    props.set(tags::PID_TAG_DISPLAY_NAME, &PropValue::String(name));
    if !comment.as_bytes().is_empty() {
        props.set(tags::PID_TAG_COMMENT, &PropValue::String(comment));
    }
    Ok(props)
}

fn create_error(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::TooDeep | StoreError::TooMany => ErrorCode::ERROR,
        error => store_error::code(error),
    }
}
