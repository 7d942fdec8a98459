//! Deleting and emptying folders (MS-OXCFOLD 3.2.5.3, 3.2.5.9, 3.2.5.10).

use ropewalk_store::{DeleteFolder, EmptyFolder, FolderKind};
use ropewalk_wire::{
    ErrorCode,
    rop::{DeleteFolderRequest, EmptyFolderRequest, PartialCompletionResponse},
};

use super::{current, is_special};
use crate::{
    exec::{Exec, Fail, blocking},
    ids,
    logon::special,
    operation::{self, Work, body_len},
};

/// DeleteFolderFlags (MS-OXCFOLD 2.2.1.3.1).
mod flags {
    pub const DEL_MESSAGES: u8 = 0x01;
    pub const DEL_FOLDERS: u8 = 0x04;
    pub const DELETE_HARD_DELETE: u8 = 0x10;
    pub const ALL: u8 = DEL_MESSAGES | DEL_FOLDERS | DELETE_HARD_DELETE;
}

/// RopDeleteFolder: the folder with all in it, for good or softly, or nothing at all.
pub fn delete_folder(exec: &mut Exec<'_>, request: &DeleteFolderRequest) -> Result<(), Fail> {
    exec.object()?.folder()?;
    exec.need(1)?;
    let given = request.delete_folder_flags;
    if given & !flags::ALL != 0 {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let id = ids::folder_id(request.folder_id)?;
    let hard = given & flags::DELETE_HARD_DELETE != 0;
    // What is soft-deleted can still be deleted for good.
    match exec.logon()?.mailbox.is_folder_deleted(id) {
        Some(soft_deleted) if hard || !soft_deleted => {}
        _ => return Err(ErrorCode::NOT_FOUND.into()),
    }
    if id == special::ROOT {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    if is_special(id) {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    let mailbox = exec.mailbox()?;
    let how = DeleteFolder {
        messages: given & flags::DEL_MESSAGES != 0,
        folders: given & flags::DEL_FOLDERS != 0,
        hard,
    };
    let deleted = blocking(|| mailbox.delete_folder(id, how))?;
    exec.answer(&PartialCompletionResponse {
        partial_completion: !deleted,
    })
}

/// RopEmptyFolder, and with `hard` RopHardDeleteMessagesAndSubfolders.
pub fn empty_folder(
    exec: &mut Exec<'_>,
    request: &EmptyFolderRequest,
    hard: bool,
) -> Result<(), Fail> {
    let id = exec.object()?.folder()?.id;
    exec.need(body_len(request.want_asynchronous, 1))?;
    let mailbox = exec.mailbox()?;
    if id == special::ROOT || current(&mailbox, id)?.kind == FolderKind::Search {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let how = EmptyFolder {
        associated: request.want_delete_associated,
        hard,
    };
    if request.want_asynchronous {
        let emptying = blocking(|| mailbox.begin_emptying(id, how, &is_special))?;
        if operation::is_worthwhile(exec, emptying.total()) {
            let folder = id;
            return operation::begin(exec, Work::EmptyFolder { emptying, folder });
        }
    }
    let complete = blocking(|| mailbox.empty_folder(id, how, &is_special))?;
    exec.answer(&PartialCompletionResponse {
        partial_completion: !complete,
    })
}
