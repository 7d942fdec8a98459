//! Which ROPs a user who does not own the mailbox may ask for (MS-OXCPERM 2.2.7).
//!
//! Each request comes by here before it is executed, if its session has a logon to a mailbox that is
//! not the user's own. The match names every ROP, and those about which nothing was decided are not
//! for such a user. What takes a look at single messages is decided where they are looked at
//! ([`super::messages`]); tables show what may be seen ([`crate::table`]). A request on the wrong kind
//! of object passes: its handler says what is wrong with it.

use ropewalk_props::GlobCnt;
use ropewalk_wire::{
    ErrorCode, Fid,
    rop::{
        CopyFolderRequest, DeleteFolderRequest, MoveFolderRequest, Request, RequestBody as Body,
    },
};

use super::{Rights, messages::MessageAccess};
use crate::{exec::Exec, ids, message::Place, object::Object, property::copy_parts::is_subobject};

/// Fails if the user of the request's logon may not have it executed: with `ecAccessDenied`, and with
/// `ecNotFound` for what the user may not even see (MS-OXCFOLD 3.2.5.1).
pub fn check(exec: &Exec<'_>, request: &Request<'_>) -> Result<(), ErrorCode> {
    let Ok(logon) = exec.logon() else {
        // There is none, or one is asked for.
        return Ok(());
    };
    if logon.is_owner() {
        return Ok(());
    }
    match &request.body {
        // What tells nothing of what is in the mailbox.
        Body::Release(_)
        | Body::Logon(_)
        | Body::GetReceiveFolder(_)
        | Body::GetReceiveFolderTable(_)
        | Body::GetStoreState(_)
        | Body::PublicFolderIsGhosted(_)
        | Body::LongTermIdFromId(_)
        | Body::IdFromLongTermId(_)
        | Body::GetPropertyIdsFromNames(_)
        | Body::GetNamesFromPropertyIds(_) => Ok(()),

        // What is the user's own, and where public folders are.
        Body::GetOwningServers(request) => visible(exec, request.folder_id),
        Body::GetPerUserLongTermIds(_)
        | Body::GetPerUserGuid(_)
        | Body::ReadPerUserInformation(_)
        | Body::WritePerUserInformation(_) => exec
            .logon()?
            .is_public()
            .then_some(())
            .ok_or(ErrorCode::ACCESS_DENIED),

        // What is the mailbox's own, and no public store has.
        Body::SetReceiveFolder(_) | Body::UpdateDeferredActionMessages(_) => match exec.object() {
            Ok(Object::Logon(logon)) if !logon.is_public() => Err(ErrorCode::ACCESS_DENIED),
            _ => Ok(()),
        },

        Body::OpenFolder(request) => visible(exec, request.folder_id),
        Body::CreateFolder(_) => on_folder(exec, Rights::CREATE_SUBFOLDER),
        Body::DeleteFolder(request) => delete_folder(exec, request),
        Body::EmptyFolder(_) | Body::HardDeleteMessagesAndSubfolders(_) => match exec.object() {
            Ok(Object::Folder(folder)) => may_empty_folder(exec, folder.id),
            _ => Ok(()),
        },
        Body::MoveFolder(request) => move_folder(exec, request),
        Body::CopyFolder(request) => copy_folder(exec, request),
        // By what it goes on with: the operation asks for what the ROP needs that began it.
        Body::Progress(_) => Ok(()),
        Body::MoveCopyMessages(request) => at(exec, request.dest_handle_index, Rights::CREATE),
        // Message by message.
        Body::DeleteMessages(_) | Body::HardDeleteMessages(_) | Body::SetReadFlags(_) => Ok(()),

        Body::GetHierarchyTable(_) | Body::GetContentsTable(_) => {
            on_folder(exec, Rights::FOLDER_VISIBLE)
        }
        Body::GetRulesTable(_) | Body::ModifyRules(_) | Body::ModifyPermissions(_) => {
            on_folder(exec, Rights::FOLDER_OWNER)
        }
        // Row by row, or not at all: the rights on what a table is over are asked when it is read.
        Body::GetPermissionsTable(_)
        | Body::GetAttachmentTable(_)
        | Body::SetColumns(_)
        | Body::SortTable(_)
        | Body::QueryColumnsAll(_)
        | Body::Restrict(_)
        | Body::ResetTable(_)
        | Body::Abort(_)
        | Body::GetStatus(_)
        | Body::QueryRows(_)
        | Body::FindRow(_)
        | Body::ExpandRow(_)
        | Body::CollapseRow(_)
        | Body::GetCollapseState(_)
        | Body::SetCollapseState(_)
        | Body::QueryPosition(_)
        | Body::SeekRow(_)
        | Body::SeekRowBookmark(_)
        | Body::SeekRowFractional(_)
        | Body::CreateBookmark(_)
        | Body::FreeBookmark(_) => Ok(()),

        // By the message.
        Body::OpenMessage(_) | Body::GetMessageStatus(_) | Body::SetMessageStatus(_) => Ok(()),
        Body::CreateMessage(request) => {
            let folder = ids::folder_id(request.folder_id)?;
            need(exec, folder, Rights::CREATE)
        }
        Body::SaveChangesMessage(request) => change_message(exec, request.input_handle_index),
        // In public folders everybody has read states of his own.
        Body::SetMessageReadFlag(_) if logon.is_public() => Ok(()),
        Body::SetMessageReadFlag(request) => change_message(exec, request.input_handle_index),
        // What is open was opened to be read, and is changed in memory until it is saved.
        Body::RemoveAllRecipients(_)
        | Body::ModifyRecipients(_)
        | Body::ReadRecipients(_)
        | Body::ReloadCachedInformation(_)
        | Body::OpenAttachment(_)
        | Body::CreateAttachment(_)
        | Body::DeleteAttachment(_)
        | Body::SaveChangesAttachment(_)
        | Body::OpenEmbeddedMessage(_)
        | Body::GetValidAttachments(_) => Ok(()),

        Body::QueryNamedProperties(_)
        | Body::GetPropertiesSpecific(_)
        | Body::GetPropertiesAll(_)
        | Body::GetPropertiesList(_)
        | Body::GetSearchCriteria(_)
        | Body::OpenStream(_) => on_folder(exec, Rights::FOLDER_VISIBLE),
        Body::SetProperties(_)
        | Body::SetPropertiesNoReplicate(_)
        | Body::DeleteProperties(_)
        | Body::DeletePropertiesNoReplicate(_) => match exec.object() {
            Ok(Object::Logon(_)) => Err(ErrorCode::ACCESS_DENIED),
            _ => on_folder(exec, Rights::FOLDER_OWNER),
        },
        Body::CopyProperties(request) => {
            let contents = request.property_tags.iter().any(is_subobject);
            copy_to(exec, request.dest_handle_index, contents, false)
        }
        Body::CopyTo(request) => {
            const MOVE: u8 = 0x01;
            let moves = request.copy_flags & MOVE != 0;
            copy_to(
                exec,
                request.dest_handle_index,
                request.want_sub_objects,
                moves,
            )
        }
        // A stream was opened for what may be done with it.
        Body::CopyToStream(_)
        | Body::ReadStream(_)
        | Body::WriteStream(_)
        | Body::WriteStreamExtended(_)
        | Body::WriteAndCommitStream(_)
        | Body::CommitStream(_)
        | Body::GetStreamSize(_)
        | Body::SetStreamSize(_)
        | Body::SeekStream(_)
        | Body::LockRegionStream(_)
        | Body::UnlockRegionStream(_)
        | Body::CloneStream(_) => Ok(()),

        // There are none in the public store.
        Body::SetSearchCriteria(_) if logon.is_public() => Ok(()),
        // How many messages it finds would tell of those that are not to be seen.
        Body::SetSearchCriteria(_)
        | Body::SubmitMessage(_)
        | Body::AbortSubmit(_)
        | Body::GetAddressTypes(_)
        | Body::SetSpooler(_)
        | Body::SpoolerLockMessage(_)
        | Body::TransportSend(_)
        | Body::TransportNewMail(_)
        | Body::GetTransportFolder(_)
        | Body::OptionsData(_)
        | Body::FastTransferDestinationConfigure(_)
        | Body::FastTransferDestinationPutBuffer(_)
        | Body::FastTransferDestinationPutBufferExtended(_)
        | Body::FastTransferSourceGetBuffer(_)
        | Body::FastTransferSourceCopyFolder(_)
        | Body::FastTransferSourceCopyMessages(_)
        | Body::FastTransferSourceCopyTo(_)
        | Body::FastTransferSourceCopyProperties(_)
        | Body::TellVersion(_)
        | Body::SynchronizationConfigure(_)
        | Body::SynchronizationImportMessageChange(_)
        | Body::SynchronizationImportReadStateChanges(_)
        | Body::SynchronizationImportHierarchyChange(_)
        | Body::SynchronizationImportDeletes(_)
        | Body::SynchronizationImportMessageMove(_)
        | Body::SynchronizationOpenCollector(_)
        | Body::SynchronizationGetTransferState(_)
        | Body::SynchronizationUploadStateStreamBegin(_)
        | Body::SynchronizationUploadStateStreamContinue(_)
        | Body::SynchronizationUploadStateStreamEnd(_)
        | Body::SetLocalReplicaMidsetDeleted(_)
        | Body::GetLocalReplicaIds(_)
        | Body::RegisterNotification(_) => Err(ErrorCode::ACCESS_DENIED),
    }
}

impl Exec<'_> {
    /// How an act on a folder or in it is refused: with `ecAccessDenied`, but with `ecNotFound` if the
    /// user may not see the folder.
    pub fn denied(&self, folder: GlobCnt) -> ErrorCode {
        match self.rights(folder) {
            Ok(rights) if rights.contains(Rights::FOLDER_VISIBLE) => ErrorCode::ACCESS_DENIED,
            _ => ErrorCode::NOT_FOUND,
        }
    }
}

/// Fails as [`Exec::denied`] does without one of these rights on a folder.
fn need(exec: &Exec<'_>, folder: GlobCnt, needed: Rights) -> Result<(), ErrorCode> {
    if exec.rights(folder)?.contains(needed) {
        Ok(())
    } else {
        Err(exec.denied(folder))
    }
}

/// The same for the object whose handle stands at an index, if it is a folder: that an open one is there
/// is no secret.
fn at(exec: &Exec<'_>, index: u8, needed: Rights) -> Result<(), ErrorCode> {
    match exec.object_at(index) {
        Ok(Object::Folder(folder)) => exec.need_rights(folder.id, needed),
        _ => Ok(()),
    }
}

/// The same for the input object.
fn on_folder(exec: &Exec<'_>, needed: Rights) -> Result<(), ErrorCode> {
    at(exec, exec.handle_index, needed)
}

/// Fails with `ecNotFound` if a folder is not to be seen.
fn visible(exec: &Exec<'_>, folder: Fid) -> Result<(), ErrorCode> {
    need(exec, ids::folder_id(folder)?, Rights::FOLDER_VISIBLE)
}

/// All of these rights on each folder below one, soft-deleted or not.
fn below(exec: &Exec<'_>, folder: GlobCnt, needed: Rights) -> Result<(), ErrorCode> {
    let mailbox = &exec.logon()?.mailbox;
    let live = mailbox.hierarchy(folder, true, false);
    let gone = mailbox.hierarchy(folder, true, true);
    let all = live.into_iter().chain(gone);
    let lacks = |(id, _): (GlobCnt, u32)| {
        // One that went meanwhile is in nobody's way.
        exec.rights(id).is_ok_and(|rights| !rights.contains(needed))
    };
    if all.into_iter().any(lacks) {
        Err(ErrorCode::ACCESS_DENIED)
    } else {
        Ok(())
    }
}

/// Owners of a folder may delete it, with what is in it if they may delete that.
fn delete_folder(exec: &Exec<'_>, request: &DeleteFolderRequest) -> Result<(), ErrorCode> {
    const DEL_MESSAGES: u8 = 0x01;
    const DEL_FOLDERS: u8 = 0x04;
    let folder = ids::folder_id(request.folder_id)?;
    let given = request.delete_folder_flags;
    let needed = if given & DEL_MESSAGES != 0 {
        Rights::FOLDER_OWNER | Rights::DELETE_ANY
    } else {
        Rights::FOLDER_OWNER
    };
    need(exec, folder, needed)?;
    if given & DEL_FOLDERS != 0 {
        below(exec, folder, needed)?;
    }
    Ok(())
}

/// Who empties an open folder owns all folders below it, and may delete what is in them.
pub fn may_empty_folder(exec: &Exec<'_>, folder: GlobCnt) -> Result<(), ErrorCode> {
    exec.need_rights(folder, Rights::DELETE_ANY)?;
    below(exec, folder, Rights::FOLDER_OWNER | Rights::DELETE_ANY)
}

fn move_folder(exec: &Exec<'_>, request: &MoveFolderRequest<'_>) -> Result<(), ErrorCode> {
    need(
        exec,
        ids::folder_id(request.folder_id)?,
        Rights::FOLDER_OWNER,
    )?;
    at(exec, request.dest_handle_index, Rights::CREATE_SUBFOLDER)
}

fn copy_folder(exec: &Exec<'_>, request: &CopyFolderRequest<'_>) -> Result<(), ErrorCode> {
    let folder = ids::folder_id(request.folder_id)?;
    may_read_folder(exec, folder, request.want_recursive)?;
    at(exec, request.dest_handle_index, Rights::CREATE_SUBFOLDER)
}

/// Who copies a folder into another one may read what is in it, and make folders there.
pub fn may_copy_folder(
    exec: &Exec<'_>,
    folder: GlobCnt,
    deep: bool,
    dest: GlobCnt,
) -> Result<(), ErrorCode> {
    may_read_folder(exec, folder, deep)?;
    exec.need_rights(dest, Rights::CREATE_SUBFOLDER)
}

fn may_read_folder(exec: &Exec<'_>, folder: GlobCnt, deep: bool) -> Result<(), ErrorCode> {
    let needed = Rights::FOLDER_VISIBLE | Rights::READ_ANY;
    need(exec, folder, needed)?;
    if deep {
        below(exec, folder, needed)?;
    }
    Ok(())
}

/// From folder to folder: what is in them as well, if that is wanted.
fn copy_to(exec: &Exec<'_>, dest: u8, contents: bool, moves: bool) -> Result<(), ErrorCode> {
    let Ok(Object::Folder(source)) = exec.object() else {
        return Ok(());
    };
    on_folder(exec, Rights::FOLDER_VISIBLE)?;
    at(exec, dest, Rights::FOLDER_OWNER)?;
    match exec.object_at(dest) {
        Ok(Object::Folder(dest)) if contents => may_copy_contents(exec, source.id, dest.id, moves),
        _ => Ok(()),
    }
}

/// Who copies what is in a folder into another one may read it, and make messages and folders there;
/// who moves it may delete it as well, and owns the folders that go.
pub fn may_copy_contents(
    exec: &Exec<'_>,
    source: GlobCnt,
    dest: GlobCnt,
    moves: bool,
) -> Result<(), ErrorCode> {
    exec.need_rights(dest, Rights::CREATE | Rights::CREATE_SUBFOLDER)?;
    let read = Rights::FOLDER_VISIBLE | Rights::READ_ANY;
    let needed = if moves {
        read | Rights::DELETE_ANY
    } else {
        read
    };
    exec.need_rights(source, needed)?;
    let needed = if moves {
        needed | Rights::FOLDER_OWNER
    } else {
        needed
    };
    below(exec, source, needed)
}

/// A message that is open: a new one is created, one that is there is changed.
fn change_message(exec: &Exec<'_>, index: u8) -> Result<(), ErrorCode> {
    let Ok(Object::Message(message)) = exec.object_at(index) else {
        return Ok(());
    };
    let Place::Folder { folder, .. } = message.place else {
        // Embedded: it is saved with the message that it is in.
        return Ok(());
    };
    let stored = message.stored.as_ref().and_then(|stored| stored.message());
    match stored {
        // As it was saved: on the handle it may be said to be anyone's.
        Some(stored) => exec
            .need_access(folder, &stored.props, MessageAccess::MODIFY)
            .map(drop),
        None => need(exec, folder, Rights::CREATE),
    }
}
