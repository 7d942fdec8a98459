//! RopMoveFolder and RopCopyFolder (MS-OXCFOLD 3.2.5.7 and 3.2.5.8). Each is one commit, all or
//! nothing, but for an asynchronous copy of much. Moving a folder takes no longer for what is in it.

use ropewalk_props::{GlobCnt, Utf16Text};
use ropewalk_store::FolderKind;
use ropewalk_wire::{
    ErrorCode, Fid,
    rop::{CopyFolderRequest, MoveFolderRequest, PartialCompletionResponse},
};

use super::{current, is_special, open::Text};
use crate::{
    exec::{Exec, Fail, blocking},
    ids,
    logon::special,
    operation::{self, Work, body_len},
};

/// What both ROPs ask for.
struct Asked {
    folder: GlobCnt,
    to: GlobCnt,
    name: Option<Utf16Text>,
}

/// RopMoveFolder. The folder keeps its id, and what is in it stays as it is.
pub fn move_folder(exec: &mut Exec<'_>, request: &MoveFolderRequest<'_>) -> Result<(), Fail> {
    let text = (request.use_unicode, request.new_folder_name);
    let asked = asked(exec, request.dest_handle_index, request.folder_id, text)?;
    if is_special(asked.folder) {
        // As when it is to be deleted: every mailbox keeps it in its place.
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    let mailbox = exec.mailbox()?;
    blocking(|| mailbox.move_folder(asked.folder, asked.to, asked.name.as_ref()))?;
    done(exec)
}

/// RopCopyFolder: the folder with its messages, and if wanted its subfolders with theirs.
pub fn copy_folder(exec: &mut Exec<'_>, request: &CopyFolderRequest<'_>) -> Result<(), Fail> {
    let text = (request.use_unicode, request.new_folder_name);
    exec.need(body_len(request.want_asynchronous, 1))?;
    let asked = asked(exec, request.dest_handle_index, request.folder_id, text)?;
    let mailbox = exec.mailbox()?;
    let deep = request.want_recursive;
    if request.want_asynchronous {
        let (source, dest) = (asked.folder, asked.to);
        let copy = blocking(|| mailbox.begin_copy(source, dest, asked.name.as_ref(), deep))?;
        if operation::is_worthwhile(exec, copy.total()) {
            let work = Work::CopyFolder {
                copy,
                source,
                deep,
                dest,
            };
            return operation::begin(exec, work);
        }
    }
    blocking(|| mailbox.copy_folder(asked.folder, asked.to, asked.name.as_ref(), deep))?;
    done(exec)
}

fn asked(
    exec: &Exec<'_>,
    dest_handle_index: u8,
    folder: Fid,
    (use_unicode, name): (bool, &[u8]),
) -> Result<Asked, Fail> {
    exec.object()?.folder()?;
    // MS-OXCROPS 2.2.4.7.3 and 2.2.4.8.3.
    let to = exec
        .object_at(dest_handle_index)
        .map_err(|_| ErrorCode::NULL_DESTINATION_OBJECT)?
        .folder()?
        .id;
    exec.need(1)?;
    let folder = ids::folder_id(folder)?;
    if folder == special::ROOT {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let mailbox = exec.mailbox()?;
    if !mailbox.has_folder(folder) || !mailbox.has_folder(to) {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    if current(&mailbox, to)?.kind == FolderKind::Search {
        // MS-OXCFOLD 1.1: a search folder holds links alone.
        return Err(ErrorCode::SEARCH_FOLDER.into());
    }
    let name = Text {
        code_page: exec.session.code_page,
        unicode: use_unicode,
    }
    .decode(name);
    // Without a name it has the one it had, as IMAPIFolder::CopyFolder has it.
    let name = Some(name).filter(|name| !name.as_bytes().is_empty());
    Ok(Asked { folder, to, name })
}

fn done(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.answer(&PartialCompletionResponse {
        partial_completion: false,
    })
}
