//! From a request to its handler. The match names every ROP, so that none can be half there.

use ropewalk_wire::{
    ErrorCode,
    rop::{Request, RequestBody as Body},
};

use super::{
    exec::{Exec, Fail},
    folder, logon, table,
};

/// Executes one ROP and appends its success response; what it appended before it failed is of no
/// use.
pub fn execute(exec: &mut Exec<'_>, request: &Request<'_>) -> Result<(), Fail> {
    match &request.body {
        Body::Release(_) => {
            logon::release(exec);
            Ok(())
        }

        Body::Logon(request) => logon::open::logon(exec, request),
        Body::GetReceiveFolder(request) => logon::receive_folder::get_receive_folder(exec, request),
        Body::SetReceiveFolder(request) => logon::receive_folder::set_receive_folder(exec, request),
        Body::GetReceiveFolderTable(_) => logon::receive_folder::get_receive_folder_table(exec),
        Body::GetStoreState(_) => logon::get_store_state(exec),
        Body::LongTermIdFromId(request) => logon::identifiers::long_term_id_from_id(exec, request),
        Body::IdFromLongTermId(request) => logon::identifiers::id_from_long_term_id(exec, request),

        Body::OpenFolder(request) => folder::open::open_folder(exec, request),
        Body::CreateFolder(request) => folder::open::create_folder(exec, request),
        Body::DeleteFolder(request) => folder::remove::delete_folder(exec, request),
        Body::EmptyFolder(request) => folder::remove::empty_folder(exec, request, false),
        Body::HardDeleteMessagesAndSubfolders(request) => {
            folder::remove::empty_folder(exec, request, true)
        }
        Body::DeleteMessages(request) => folder::messages::delete_messages(exec, request, false),
        Body::HardDeleteMessages(request) => folder::messages::delete_messages(exec, request, true),
        Body::MoveCopyMessages(request) => folder::messages::move_copy_messages(exec, request),
        Body::SetReadFlags(request) => folder::messages::set_read_flags(exec, request),

        Body::GetHierarchyTable(request) => table::open::get_hierarchy_table(exec, request),
        Body::GetContentsTable(request) => table::open::get_contents_table(exec, request),
        Body::GetAttachmentTable(request) => table::open::get_attachment_table(exec, request),
        Body::SetColumns(request) => table::columns::set_columns(exec, request),
        Body::SortTable(request) => table::columns::sort_table(exec, request),
        Body::QueryColumnsAll(_) => table::columns::query_columns_all(exec),
        Body::Restrict(request) => table::restrict::restrict(exec, request),
        Body::ResetTable(_) => table::restrict::reset_table(exec),
        Body::Abort(_) => table::restrict::abort(exec),
        Body::GetStatus(_) => table::restrict::get_status(exec),
        Body::QueryRows(request) => table::query::query_rows(exec, request),
        Body::FindRow(request) => table::find::find_row(exec, request),
        Body::QueryPosition(_) => table::position::query_position(exec),
        Body::SeekRow(request) => table::position::seek_row(exec, request),
        Body::SeekRowBookmark(request) => table::position::seek_row_bookmark(exec, request),
        Body::SeekRowFractional(request) => table::position::seek_row_fractional(exec, request),
        Body::CreateBookmark(_) => table::position::create_bookmark(exec),
        Body::FreeBookmark(request) => table::position::free_bookmark(exec, request),

        // Messages, attachments, properties and streams.
        Body::OpenMessage(_)
        | Body::CreateMessage(_)
        | Body::SaveChangesMessage(_)
        | Body::RemoveAllRecipients(_)
        | Body::ModifyRecipients(_)
        | Body::ReadRecipients(_)
        | Body::ReloadCachedInformation(_)
        | Body::SetMessageStatus(_)
        | Body::GetMessageStatus(_)
        | Body::SetMessageReadFlag(_)
        | Body::OpenAttachment(_)
        | Body::CreateAttachment(_)
        | Body::DeleteAttachment(_)
        | Body::SaveChangesAttachment(_)
        | Body::OpenEmbeddedMessage(_)
        | Body::GetValidAttachments(_)
        | Body::GetPropertyIdsFromNames(_)
        | Body::GetNamesFromPropertyIds(_)
        | Body::GetPropertiesSpecific(_)
        | Body::GetPropertiesAll(_)
        | Body::GetPropertiesList(_)
        | Body::SetProperties(_)
        | Body::SetPropertiesNoReplicate(_)
        | Body::DeleteProperties(_)
        | Body::DeletePropertiesNoReplicate(_)
        | Body::QueryNamedProperties(_)
        | Body::CopyProperties(_)
        | Body::CopyTo(_)
        | Body::OpenStream(_)
        | Body::ReadStream(_)
        | Body::WriteStream(_)
        | Body::WriteStreamExtended(_)
        | Body::CommitStream(_)
        | Body::GetStreamSize(_)
        | Body::SetStreamSize(_)
        | Body::SeekStream(_)
        | Body::CopyToStream(_)
        | Body::LockRegionStream(_)
        | Body::UnlockRegionStream(_)
        | Body::WriteAndCommitStream(_)
        | Body::CloneStream(_) => Err(ErrorCode::NOT_SUPPORTED.into()),

        // What this server does not do (MS-OXCDATA 2.4: ecNotSupported).
        Body::GetOwningServers(_)
        | Body::PublicFolderIsGhosted(_)
        | Body::GetPerUserLongTermIds(_)
        | Body::GetPerUserGuid(_)
        | Body::ReadPerUserInformation(_)
        | Body::WritePerUserInformation(_)
        | Body::SetSearchCriteria(_)
        | Body::GetSearchCriteria(_)
        | Body::MoveFolder(_)
        | Body::CopyFolder(_)
        | Body::ExpandRow(_)
        | Body::CollapseRow(_)
        | Body::GetCollapseState(_)
        | Body::SetCollapseState(_)
        | Body::SubmitMessage(_)
        | Body::AbortSubmit(_)
        | Body::GetAddressTypes(_)
        | Body::SetSpooler(_)
        | Body::SpoolerLockMessage(_)
        | Body::TransportSend(_)
        | Body::TransportNewMail(_)
        | Body::GetTransportFolder(_)
        | Body::OptionsData(_)
        | Body::Progress(_)
        | Body::ModifyPermissions(_)
        | Body::GetPermissionsTable(_)
        | Body::ModifyRules(_)
        | Body::GetRulesTable(_)
        | Body::UpdateDeferredActionMessages(_)
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
        | Body::RegisterNotification(_) => Err(ErrorCode::NOT_SUPPORTED.into()),
    }
}
