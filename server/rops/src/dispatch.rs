//! From a request to its handler. The match names every ROP, so that none can be half there.

use ropewalk_wire::{
    ErrorCode,
    rop::{Request, RequestBody as Body},
};

use super::{
    attachment,
    exec::{Exec, Fail},
    folder, logon, message, operation, property, public, rights, rules, search, stream, table,
};

/// Executes one ROP and appends its success response; what it appended before it failed is of no
/// use.
pub fn execute(exec: &mut Exec<'_>, request: &Request<'_>) -> Result<(), Fail> {
    if exec.session.guarded {
        rights::gate::check(exec, request)?;
    }
    match &request.body {
        Body::Release(_) => logon::release(exec),

        Body::Logon(request) => logon::open::logon(exec, request),
        Body::GetReceiveFolder(request) => logon::receive_folder::get_receive_folder(exec, request),
        Body::SetReceiveFolder(request) => logon::receive_folder::set_receive_folder(exec, request),
        Body::GetReceiveFolderTable(_) => logon::receive_folder::get_receive_folder_table(exec),
        Body::GetStoreState(_) => logon::get_store_state(exec),
        Body::PublicFolderIsGhosted(request) => logon::public_folder_is_ghosted(exec, request),
        Body::GetOwningServers(request) => logon::get_owning_servers(exec, request),
        Body::GetPerUserLongTermIds(request) => {
            public::per_user::get_per_user_long_term_ids(exec, request)
        }
        Body::GetPerUserGuid(request) => public::per_user::get_per_user_guid(exec, request),
        Body::ReadPerUserInformation(request) => {
            public::per_user::read_per_user_information(exec, request)
        }
        Body::WritePerUserInformation(request) => {
            public::per_user::write_per_user_information(exec, request)
        }
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
        Body::MoveFolder(request) => folder::relocate::move_folder(exec, request),
        Body::CopyFolder(request) => folder::relocate::copy_folder(exec, request),
        Body::SetSearchCriteria(request) => search::rops::set_search_criteria(exec, request),
        Body::GetSearchCriteria(request) => search::rops::get_search_criteria(exec, request),
        Body::SetReadFlags(request) => folder::messages::set_read_flags(exec, request),

        Body::GetHierarchyTable(request) => table::open::get_hierarchy_table(exec, request),
        Body::GetContentsTable(request) => table::open::get_contents_table(exec, request),
        Body::GetPermissionsTable(request) => table::open::get_permissions_table(exec, request),
        Body::ModifyPermissions(request) => rights::modify::modify_permissions(exec, request),
        Body::GetAttachmentTable(request) => table::open::get_attachment_table(exec, request),
        Body::GetRulesTable(request) => table::open::get_rules_table(exec, request),
        Body::SetColumns(request) => table::columns::set_columns(exec, request),
        Body::SortTable(request) => table::columns::sort_table(exec, request),
        Body::QueryColumnsAll(_) => table::columns::query_columns_all(exec),
        Body::Restrict(request) => table::restrict::restrict(exec, request),
        Body::ResetTable(_) => table::restrict::reset_table(exec),
        Body::Abort(_) => table::restrict::abort(exec),
        Body::GetStatus(_) => table::restrict::get_status(exec),
        Body::QueryRows(request) => table::query::query_rows(exec, request),
        Body::FindRow(request) => table::find::find_row(exec, request),
        Body::ExpandRow(request) => table::collapse::expand_row(exec, request),
        Body::CollapseRow(request) => table::collapse::collapse_row(exec, request),
        Body::GetCollapseState(request) => table::collapse::get_collapse_state(exec, request),
        Body::SetCollapseState(request) => table::collapse::set_collapse_state(exec, request),
        Body::QueryPosition(_) => table::position::query_position(exec),
        Body::SeekRow(request) => table::position::seek_row(exec, request),
        Body::SeekRowBookmark(request) => table::position::seek_row_bookmark(exec, request),
        Body::SeekRowFractional(request) => table::position::seek_row_fractional(exec, request),
        Body::CreateBookmark(_) => table::position::create_bookmark(exec),
        Body::FreeBookmark(request) => table::position::free_bookmark(exec, request),

        Body::OpenMessage(request) => message::open::open_message(exec, request),
        Body::CreateMessage(request) => message::create::create_message(exec, request),
        Body::SaveChangesMessage(request) => message::save::save_changes_message(exec, request),
        Body::RemoveAllRecipients(_) => message::recipients::remove_all_recipients(exec),
        Body::ModifyRecipients(request) => message::recipients::modify_recipients(exec, request),
        Body::ReadRecipients(request) => message::recipients::read_recipients(exec, request),
        Body::ReloadCachedInformation(_) => message::open::reload_cached_information(exec),
        Body::GetMessageStatus(request) => message::status::get_message_status(exec, request),
        Body::SetMessageStatus(request) => message::status::set_message_status(exec, request),
        Body::SetMessageReadFlag(request) => {
            message::read_flags::set_message_read_flag(exec, request)
        }

        Body::OpenAttachment(request) => attachment::rops::open_attachment(exec, request),
        Body::CreateAttachment(request) => attachment::rops::create_attachment(exec, request),
        Body::DeleteAttachment(request) => attachment::rops::delete_attachment(exec, request),
        Body::SaveChangesAttachment(request) => {
            attachment::rops::save_changes_attachment(exec, request)
        }
        Body::GetValidAttachments(_) => attachment::rops::get_valid_attachments(exec),
        Body::OpenEmbeddedMessage(request) => {
            attachment::rops::open_embedded_message(exec, request)
        }

        Body::GetPropertyIdsFromNames(request) => {
            property::named::get_property_ids_from_names(exec, request)
        }
        Body::GetNamesFromPropertyIds(request) => {
            property::named::get_names_from_property_ids(exec, request)
        }
        Body::QueryNamedProperties(request) => {
            property::named::query_named_properties(exec, request)
        }
        Body::GetPropertiesSpecific(request) => {
            property::read::get_properties_specific(exec, request)
        }
        Body::GetPropertiesAll(request) => property::read::get_properties_all(exec, request),
        Body::GetPropertiesList(_) => property::read::get_properties_list(exec),
        Body::SetProperties(request) | Body::SetPropertiesNoReplicate(request) => {
            property::write::set_properties(exec, request)
        }
        Body::DeleteProperties(request) | Body::DeletePropertiesNoReplicate(request) => {
            property::write::delete_properties(exec, request)
        }

        Body::ModifyRules(request) => rules::modify::modify_rules(exec, request),
        Body::UpdateDeferredActionMessages(request) => {
            rules::deferred::update_deferred_action_messages(exec, request)
        }

        Body::CopyProperties(request) => property::copy::copy_properties(exec, request),
        Body::CopyTo(request) => property::copy::copy_to(exec, request),
        Body::CopyToStream(request) => stream::copy::copy_to_stream(exec, request),
        Body::OpenStream(request) => stream::open::open_stream(exec, request),
        Body::ReadStream(request) => stream::rops::read_stream(exec, request),
        Body::WriteStream(request) => stream::rops::write_stream(exec, request),
        Body::WriteStreamExtended(request) => stream::rops::write_stream_extended(exec, request),
        Body::WriteAndCommitStream(request) => stream::rops::write_and_commit_stream(exec, request),
        Body::CommitStream(_) => stream::rops::commit_stream(exec),
        Body::GetStreamSize(_) => stream::rops::get_stream_size(exec),
        Body::SetStreamSize(request) => stream::rops::set_stream_size(exec, request),
        Body::CloneStream(request) => stream::shared::clone_stream(exec, request),
        Body::LockRegionStream(request) => stream::shared::lock_region_stream(exec, request),
        Body::UnlockRegionStream(request) => stream::shared::unlock_region_stream(exec, request),
        Body::SeekStream(request) => stream::rops::seek_stream(exec, request),

        Body::Progress(request) => operation::progress(exec, request),

        // What this server does not do (MS-OXCDATA 2.4: ecNotSupported).
        Body::SubmitMessage(_)
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
        | Body::RegisterNotification(_) => Err(ErrorCode::NOT_SUPPORTED.into()),
    }
}
