//! The one declaration of every ROP (MS-OXCROPS 2.2.2).

/// Hands the table to another macro. A row is: RopId, constant, name without `Rop`, section of
/// MS-OXCROPS, which request byte the response echoes as its handle index, the request's body, the
/// success response's body, and what a failure response has after its ReturnValue:
///
/// - `plain`: nothing;
/// - `same`: what a success response has;
/// - `partial`: PartialCompletion, and DestHandleIndex before it for ReturnValue 0x503;
/// - `dest`: DestHandleIndex for ReturnValue 0x503, else nothing;
/// - `dest_stream`: the same with two byte counts;
/// - `redirect`: the name of another server for ReturnValue 0x478, else nothing;
/// - `get_buffer`: what a success response has, and BackoffTime for ReturnValue 0x480.
macro_rules! for_each_rop {
    ($then:ident) => { $then! {
        0xFE LOGON Logon "2.2.3.1" byte3 LogonRequest<'a> => LogonResponse, redirect;
        0x27 GET_RECEIVE_FOLDER GetReceiveFolder "2.2.3.2" byte3
            GetReceiveFolderRequest<'a> => GetReceiveFolderResponse<'a>, plain;
        0x26 SET_RECEIVE_FOLDER SetReceiveFolder "2.2.3.3" byte3
            SetReceiveFolderRequest<'a> => EmptyResponse, plain;
        0x68 GET_RECEIVE_FOLDER_TABLE GetReceiveFolderTable "2.2.3.4" byte3
            EmptyRequest => GetReceiveFolderTableResponse<'a>, plain;
        0x7B GET_STORE_STATE GetStoreState "2.2.3.5" byte3
            EmptyRequest => GetStoreStateResponse, plain;
        0x42 GET_OWNING_SERVERS GetOwningServers "2.2.3.6" byte3
            GetOwningServersRequest => GhostServers<'a>, plain;
        0x45 PUBLIC_FOLDER_IS_GHOSTED PublicFolderIsGhosted "2.2.3.7" byte3
            PublicFolderIsGhostedRequest => PublicFolderIsGhostedResponse<'a>, plain;
        0x43 LONG_TERM_ID_FROM_ID LongTermIdFromId "2.2.3.8" byte3
            LongTermIdFromIdRequest => LongTermIdFromIdResponse, plain;
        0x44 ID_FROM_LONG_TERM_ID IdFromLongTermId "2.2.3.9" byte3
            IdFromLongTermIdRequest => IdFromLongTermIdResponse, plain;
        0x60 GET_PER_USER_LONG_TERM_IDS GetPerUserLongTermIds "2.2.3.10" byte3
            GetPerUserLongTermIdsRequest => GetPerUserLongTermIdsResponse<'a>, plain;
        0x61 GET_PER_USER_GUID GetPerUserGuid "2.2.3.11" byte3
            GetPerUserGuidRequest => GetPerUserGuidResponse, plain;
        0x63 READ_PER_USER_INFORMATION ReadPerUserInformation "2.2.3.12" byte3
            ReadPerUserInformationRequest => ReadPerUserInformationResponse<'a>, plain;
        0x64 WRITE_PER_USER_INFORMATION WritePerUserInformation "2.2.3.13" byte3
            WritePerUserInformationRequest<'a> => EmptyResponse, plain;
        0x02 OPEN_FOLDER OpenFolder "2.2.4.1" output_handle_index
            OpenFolderRequest => OpenFolderResponse<'a>, plain;
        0x1C CREATE_FOLDER CreateFolder "2.2.4.2" output_handle_index
            CreateFolderRequest<'a> => CreateFolderResponse<'a>, plain;
        0x1D DELETE_FOLDER DeleteFolder "2.2.4.3" byte3
            DeleteFolderRequest => PartialCompletionResponse, partial;
        0x30 SET_SEARCH_CRITERIA SetSearchCriteria "2.2.4.4" byte3
            SetSearchCriteriaRequest<'a> => EmptyResponse, plain;
        0x31 GET_SEARCH_CRITERIA GetSearchCriteria "2.2.4.5" byte3
            GetSearchCriteriaRequest => GetSearchCriteriaResponse<'a>, plain;
        0x33 MOVE_COPY_MESSAGES MoveCopyMessages "2.2.4.6" byte3
            MoveCopyMessagesRequest<'a> => PartialCompletionResponse, partial;
        0x35 MOVE_FOLDER MoveFolder "2.2.4.7" byte3
            MoveFolderRequest<'a> => PartialCompletionResponse, partial;
        0x36 COPY_FOLDER CopyFolder "2.2.4.8" byte3
            CopyFolderRequest<'a> => PartialCompletionResponse, partial;
        0x58 EMPTY_FOLDER EmptyFolder "2.2.4.9" byte3
            EmptyFolderRequest => PartialCompletionResponse, partial;
        0x92 HARD_DELETE_MESSAGES_AND_SUBFOLDERS HardDeleteMessagesAndSubfolders "2.2.4.10" byte3
            EmptyFolderRequest => PartialCompletionResponse, partial;
        0x1E DELETE_MESSAGES DeleteMessages "2.2.4.11" byte3
            DeleteMessagesRequest<'a> => PartialCompletionResponse, partial;
        0x91 HARD_DELETE_MESSAGES HardDeleteMessages "2.2.4.12" byte3
            DeleteMessagesRequest<'a> => PartialCompletionResponse, partial;
        0x04 GET_HIERARCHY_TABLE GetHierarchyTable "2.2.4.13" output_handle_index
            GetTableRequest => RowCountResponse, plain;
        0x05 GET_CONTENTS_TABLE GetContentsTable "2.2.4.14" output_handle_index
            GetTableRequest => RowCountResponse, plain;
        0x12 SET_COLUMNS SetColumns "2.2.5.1" byte3
            SetColumnsRequest<'a> => TableStatusResponse, plain;
        0x13 SORT_TABLE SortTable "2.2.5.2" byte3
            SortTableRequest<'a> => TableStatusResponse, plain;
        0x14 RESTRICT Restrict "2.2.5.3" byte3
            RestrictRequest<'a> => TableStatusResponse, plain;
        0x15 QUERY_ROWS QueryRows "2.2.5.4" byte3
            QueryRowsRequest => QueryRowsResponse<'a>, plain;
        0x38 ABORT Abort "2.2.5.5" byte3 EmptyRequest => TableStatusResponse, plain;
        0x16 GET_STATUS GetStatus "2.2.5.6" byte3 EmptyRequest => TableStatusResponse, plain;
        0x17 QUERY_POSITION QueryPosition "2.2.5.7" byte3
            EmptyRequest => QueryPositionResponse, plain;
        0x18 SEEK_ROW SeekRow "2.2.5.8" byte3 SeekRowRequest => SeekRowResponse, plain;
        0x19 SEEK_ROW_BOOKMARK SeekRowBookmark "2.2.5.9" byte3
            SeekRowBookmarkRequest<'a> => SeekRowBookmarkResponse, plain;
        0x1A SEEK_ROW_FRACTIONAL SeekRowFractional "2.2.5.10" byte3
            SeekRowFractionalRequest => EmptyResponse, plain;
        0x1B CREATE_BOOKMARK CreateBookmark "2.2.5.11" byte3
            EmptyRequest => BookmarkResponse<'a>, plain;
        0x37 QUERY_COLUMNS_ALL QueryColumnsAll "2.2.5.12" byte3
            EmptyRequest => PropertyTagsResponse<'a>, plain;
        0x4F FIND_ROW FindRow "2.2.5.13" byte3 FindRowRequest<'a> => FindRowResponse<'a>, plain;
        0x89 FREE_BOOKMARK FreeBookmark "2.2.5.14" byte3
            FreeBookmarkRequest<'a> => EmptyResponse, plain;
        0x81 RESET_TABLE ResetTable "2.2.5.15" byte3 EmptyRequest => EmptyResponse, plain;
        0x59 EXPAND_ROW ExpandRow "2.2.5.16" byte3
            ExpandRowRequest => ExpandRowResponse<'a>, plain;
        0x5A COLLAPSE_ROW CollapseRow "2.2.5.17" byte3
            CollapseRowRequest => CollapseRowResponse, plain;
        0x6B GET_COLLAPSE_STATE GetCollapseState "2.2.5.18" byte3
            GetCollapseStateRequest => GetCollapseStateResponse<'a>, plain;
        0x6C SET_COLLAPSE_STATE SetCollapseState "2.2.5.19" byte3
            SetCollapseStateRequest<'a> => BookmarkResponse<'a>, plain;
        0x03 OPEN_MESSAGE OpenMessage "2.2.6.1" output_handle_index
            OpenMessageRequest => OpenMessageResponse<'a>, plain;
        0x06 CREATE_MESSAGE CreateMessage "2.2.6.2" output_handle_index
            CreateMessageRequest => CreateMessageResponse, plain;
        0x0C SAVE_CHANGES_MESSAGE SaveChangesMessage "2.2.6.3" byte3
            SaveChangesRequest => SaveChangesMessageResponse, plain;
        0x0D REMOVE_ALL_RECIPIENTS RemoveAllRecipients "2.2.6.4" byte3
            RemoveAllRecipientsRequest => EmptyResponse, plain;
        0x0E MODIFY_RECIPIENTS ModifyRecipients "2.2.6.5" byte3
            ModifyRecipientsRequest<'a> => EmptyResponse, plain;
        0x0F READ_RECIPIENTS ReadRecipients "2.2.6.6" byte3
            ReadRecipientsRequest => ReadRecipientsResponse<'a>, plain;
        0x10 RELOAD_CACHED_INFORMATION ReloadCachedInformation "2.2.6.7" byte3
            ReloadCachedInformationRequest => OpenMessageResponse<'a>, plain;
        0x20 SET_MESSAGE_STATUS SetMessageStatus "2.2.6.8" byte3
            SetMessageStatusRequest => MessageStatusResponse, plain;
        0x1F GET_MESSAGE_STATUS GetMessageStatus "2.2.6.9" byte3
            GetMessageStatusRequest => MessageStatusResponse, plain;
        0x66 SET_READ_FLAGS SetReadFlags "2.2.6.10" byte3
            SetReadFlagsRequest<'a> => PartialCompletionResponse, partial;
        0x11 SET_MESSAGE_READ_FLAG SetMessageReadFlag "2.2.6.11" byte3
            SetMessageReadFlagRequest => SetMessageReadFlagResponse, plain;
        0x22 OPEN_ATTACHMENT OpenAttachment "2.2.6.12" output_handle_index
            OpenAttachmentRequest => EmptyResponse, plain;
        0x23 CREATE_ATTACHMENT CreateAttachment "2.2.6.13" output_handle_index
            OpenOnlyRequest => CreateAttachmentResponse, plain;
        0x24 DELETE_ATTACHMENT DeleteAttachment "2.2.6.14" byte3
            DeleteAttachmentRequest => EmptyResponse, plain;
        0x25 SAVE_CHANGES_ATTACHMENT SaveChangesAttachment "2.2.6.15" byte3
            SaveChangesRequest => EmptyResponse, plain;
        0x46 OPEN_EMBEDDED_MESSAGE OpenEmbeddedMessage "2.2.6.16" output_handle_index
            OpenEmbeddedMessageRequest => OpenEmbeddedMessageResponse<'a>, plain;
        0x21 GET_ATTACHMENT_TABLE GetAttachmentTable "2.2.6.17" output_handle_index
            GetTableRequest => EmptyResponse, plain;
        0x52 GET_VALID_ATTACHMENTS GetValidAttachments "2.2.6.18" byte3
            EmptyRequest => GetValidAttachmentsResponse<'a>, plain;
        0x32 SUBMIT_MESSAGE SubmitMessage "2.2.7.1" byte3
            SubmitMessageRequest => EmptyResponse, plain;
        0x34 ABORT_SUBMIT AbortSubmit "2.2.7.2" byte3
            AbortSubmitRequest => EmptyResponse, plain;
        0x49 GET_ADDRESS_TYPES GetAddressTypes "2.2.7.3" byte3
            EmptyRequest => GetAddressTypesResponse<'a>, plain;
        0x47 SET_SPOOLER SetSpooler "2.2.7.4" byte3 EmptyRequest => EmptyResponse, plain;
        0x48 SPOOLER_LOCK_MESSAGE SpoolerLockMessage "2.2.7.5" byte3
            SpoolerLockMessageRequest => EmptyResponse, plain;
        0x4A TRANSPORT_SEND TransportSend "2.2.7.6" byte3
            EmptyRequest => TransportSendResponse<'a>, plain;
        0x51 TRANSPORT_NEW_MAIL TransportNewMail "2.2.7.7" byte3
            TransportNewMailRequest<'a> => EmptyResponse, plain;
        0x6D GET_TRANSPORT_FOLDER GetTransportFolder "2.2.7.8" byte3
            EmptyRequest => GetTransportFolderResponse, plain;
        0x6F OPTIONS_DATA OptionsData "2.2.7.9" byte3
            OptionsDataRequest<'a> => OptionsDataResponse<'a>, plain;
        0x56 GET_PROPERTY_IDS_FROM_NAMES GetPropertyIdsFromNames "2.2.8.1" byte3
            GetPropertyIdsFromNamesRequest<'a> => PropertyIdsResponse<'a>, plain;
        0x55 GET_NAMES_FROM_PROPERTY_IDS GetNamesFromPropertyIds "2.2.8.2" byte3
            GetNamesFromPropertyIdsRequest<'a> => PropertyNamesResponse<'a>, plain;
        0x07 GET_PROPERTIES_SPECIFIC GetPropertiesSpecific "2.2.8.3" byte3
            GetPropertiesSpecificRequest<'a> => GetPropertiesSpecificResponse<'a>, plain;
        0x08 GET_PROPERTIES_ALL GetPropertiesAll "2.2.8.4" byte3
            GetPropertiesAllRequest => GetPropertiesAllResponse<'a>, plain;
        0x09 GET_PROPERTIES_LIST GetPropertiesList "2.2.8.5" byte3
            EmptyRequest => PropertyTagsResponse<'a>, plain;
        0x0A SET_PROPERTIES SetProperties "2.2.8.6" byte3
            SetPropertiesRequest<'a> => PropertyProblemsResponse<'a>, plain;
        0x79 SET_PROPERTIES_NO_REPLICATE SetPropertiesNoReplicate "2.2.8.7" byte3
            SetPropertiesRequest<'a> => PropertyProblemsResponse<'a>, plain;
        0x0B DELETE_PROPERTIES DeleteProperties "2.2.8.8" byte3
            DeletePropertiesRequest<'a> => PropertyProblemsResponse<'a>, plain;
        0x7A DELETE_PROPERTIES_NO_REPLICATE DeletePropertiesNoReplicate "2.2.8.9" byte3
            DeletePropertiesRequest<'a> => PropertyProblemsResponse<'a>, plain;
        0x5F QUERY_NAMED_PROPERTIES QueryNamedProperties "2.2.8.10" byte3
            QueryNamedPropertiesRequest => QueryNamedPropertiesResponse<'a>, plain;
        0x67 COPY_PROPERTIES CopyProperties "2.2.8.11" byte3
            CopyPropertiesRequest<'a> => PropertyProblemsResponse<'a>, dest;
        0x39 COPY_TO CopyTo "2.2.8.12" byte3
            CopyToRequest<'a> => PropertyProblemsResponse<'a>, dest;
        0x50 PROGRESS Progress "2.2.8.13" byte3 ProgressRequest => ProgressResponse, plain;
        0x2B OPEN_STREAM OpenStream "2.2.9.1" output_handle_index
            OpenStreamRequest => StreamSizeResponse, plain;
        0x2C READ_STREAM ReadStream "2.2.9.2" byte3
            ReadStreamRequest => ReadStreamResponse<'a>, same;
        0x2D WRITE_STREAM WriteStream "2.2.9.3" byte3
            WriteStreamRequest<'a> => WriteStreamResponse, same;
        0xA3 WRITE_STREAM_EXTENDED WriteStreamExtended "2.2.9.4" byte3
            WriteStreamRequest<'a> => WriteStreamExtendedResponse, same;
        0x5D COMMIT_STREAM CommitStream "2.2.9.5" byte3 EmptyRequest => EmptyResponse, plain;
        0x5E GET_STREAM_SIZE GetStreamSize "2.2.9.6" byte3
            EmptyRequest => StreamSizeResponse, plain;
        0x2F SET_STREAM_SIZE SetStreamSize "2.2.9.7" byte3
            SetStreamSizeRequest => EmptyResponse, plain;
        0x2E SEEK_STREAM SeekStream "2.2.9.8" byte3
            SeekStreamRequest => SeekStreamResponse, plain;
        0x3A COPY_TO_STREAM CopyToStream "2.2.9.9" byte3
            CopyToStreamRequest => CopyToStreamResponse, dest_stream;
        0x5B LOCK_REGION_STREAM LockRegionStream "2.2.9.10" byte3
            RegionStreamRequest => EmptyResponse, plain;
        0x5C UNLOCK_REGION_STREAM UnlockRegionStream "2.2.9.11" byte3
            RegionStreamRequest => EmptyResponse, plain;
        0x90 WRITE_AND_COMMIT_STREAM WriteAndCommitStream "2.2.9.12" byte3
            WriteStreamRequest<'a> => WriteStreamResponse, same;
        0x3B CLONE_STREAM CloneStream "2.2.9.13" output_handle_index
            OpenOnlyRequest => EmptyResponse, plain;
        0x40 MODIFY_PERMISSIONS ModifyPermissions "2.2.10.1" byte3
            ModifyPermissionsRequest<'a> => EmptyResponse, plain;
        0x3E GET_PERMISSIONS_TABLE GetPermissionsTable "2.2.10.2" output_handle_index
            GetTableRequest => EmptyResponse, plain;
        0x41 MODIFY_RULES ModifyRules "2.2.11.1" byte3
            ModifyRulesRequest<'a> => EmptyResponse, plain;
        0x3F GET_RULES_TABLE GetRulesTable "2.2.11.2" output_handle_index
            GetTableRequest => EmptyResponse, plain;
        0x57 UPDATE_DEFERRED_ACTION_MESSAGES UpdateDeferredActionMessages "2.2.11.3" byte3
            UpdateDeferredActionMessagesRequest<'a> => EmptyResponse, plain;
        0x53 FAST_TRANSFER_DESTINATION_CONFIGURE FastTransferDestinationConfigure "2.2.12.1"
            output_handle_index FastTransferDestinationConfigureRequest => EmptyResponse, plain;
        0x54 FAST_TRANSFER_DESTINATION_PUT_BUFFER FastTransferDestinationPutBuffer "2.2.12.2"
            byte3 FastTransferDestinationPutBufferRequest<'a>
            => FastTransferDestinationPutBufferResponse, same;
        0x9D FAST_TRANSFER_DESTINATION_PUT_BUFFER_EXTENDED
            FastTransferDestinationPutBufferExtended "2.2.12.3"
            byte3 FastTransferDestinationPutBufferRequest<'a>
            => FastTransferDestinationPutBufferExtendedResponse, same;
        0x4E FAST_TRANSFER_SOURCE_GET_BUFFER FastTransferSourceGetBuffer "2.2.12.4" byte3
            FastTransferSourceGetBufferRequest
            => FastTransferSourceGetBufferResponse<'a>, get_buffer;
        0x4C FAST_TRANSFER_SOURCE_COPY_FOLDER FastTransferSourceCopyFolder "2.2.12.5"
            output_handle_index FastTransferSourceCopyFolderRequest => EmptyResponse, plain;
        0x4B FAST_TRANSFER_SOURCE_COPY_MESSAGES FastTransferSourceCopyMessages "2.2.12.6"
            output_handle_index FastTransferSourceCopyMessagesRequest<'a> => EmptyResponse, plain;
        0x4D FAST_TRANSFER_SOURCE_COPY_TO FastTransferSourceCopyTo "2.2.12.7"
            output_handle_index FastTransferSourceCopyToRequest<'a> => EmptyResponse, plain;
        0x69 FAST_TRANSFER_SOURCE_COPY_PROPERTIES FastTransferSourceCopyProperties "2.2.12.8"
            output_handle_index FastTransferSourceCopyPropertiesRequest<'a>
            => EmptyResponse, plain;
        0x86 TELL_VERSION TellVersion "2.2.12.9" byte3
            TellVersionRequest => EmptyResponse, plain;
        0x70 SYNCHRONIZATION_CONFIGURE SynchronizationConfigure "2.2.13.1" output_handle_index
            SynchronizationConfigureRequest<'a> => EmptyResponse, plain;
        0x72 SYNCHRONIZATION_IMPORT_MESSAGE_CHANGE SynchronizationImportMessageChange "2.2.13.2"
            output_handle_index SynchronizationImportMessageChangeRequest<'a>
            => MessageIdResponse, plain;
        0x80 SYNCHRONIZATION_IMPORT_READ_STATE_CHANGES SynchronizationImportReadStateChanges
            "2.2.13.3" byte3 SynchronizationImportReadStateChangesRequest<'a>
            => EmptyResponse, plain;
        0x73 SYNCHRONIZATION_IMPORT_HIERARCHY_CHANGE SynchronizationImportHierarchyChange
            "2.2.13.4" byte3 SynchronizationImportHierarchyChangeRequest<'a>
            => FolderIdResponse, plain;
        0x74 SYNCHRONIZATION_IMPORT_DELETES SynchronizationImportDeletes "2.2.13.5" byte3
            SynchronizationImportDeletesRequest<'a> => EmptyResponse, plain;
        0x78 SYNCHRONIZATION_IMPORT_MESSAGE_MOVE SynchronizationImportMessageMove "2.2.13.6"
            byte3 SynchronizationImportMessageMoveRequest<'a> => MessageIdResponse, plain;
        0x7E SYNCHRONIZATION_OPEN_COLLECTOR SynchronizationOpenCollector "2.2.13.7"
            output_handle_index SynchronizationOpenCollectorRequest => EmptyResponse, plain;
        0x82 SYNCHRONIZATION_GET_TRANSFER_STATE SynchronizationGetTransferState "2.2.13.8"
            output_handle_index OpenOnlyRequest => EmptyResponse, plain;
        0x75 SYNCHRONIZATION_UPLOAD_STATE_STREAM_BEGIN SynchronizationUploadStateStreamBegin
            "2.2.13.9" byte3 SynchronizationUploadStateStreamBeginRequest
            => EmptyResponse, plain;
        0x76 SYNCHRONIZATION_UPLOAD_STATE_STREAM_CONTINUE
            SynchronizationUploadStateStreamContinue "2.2.13.10" byte3
            SynchronizationUploadStateStreamContinueRequest<'a> => EmptyResponse, plain;
        0x77 SYNCHRONIZATION_UPLOAD_STATE_STREAM_END SynchronizationUploadStateStreamEnd
            "2.2.13.11" byte3 EmptyRequest => EmptyResponse, plain;
        0x93 SET_LOCAL_REPLICA_MIDSET_DELETED SetLocalReplicaMidsetDeleted "2.2.13.12" byte3
            SetLocalReplicaMidsetDeletedRequest<'a> => EmptyResponse, plain;
        0x7F GET_LOCAL_REPLICA_IDS GetLocalReplicaIds "2.2.13.13" byte3
            GetLocalReplicaIdsRequest => GetLocalReplicaIdsResponse, plain;
        0x29 REGISTER_NOTIFICATION RegisterNotification "2.2.14.1" output_handle_index
            RegisterNotificationRequest => EmptyResponse, plain;
        0x01 RELEASE Release "2.2.15.3" byte3 EmptyRequest => EmptyResponse, plain;
    } };
}
pub(crate) use for_each_rop;
