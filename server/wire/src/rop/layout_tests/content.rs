//! Folders, tables, messages, properties and streams (MS-OXCROPS 2.2.4 to 2.2.9).

use super::*;

#[test]
fn folder_requests_and_responses() {
    let restriction = bytes("08 1F003700");
    request(
        "0500 081F003700 0200 0100000000000007 0100000000000008 06000000",
        RequestBody::SetSearchCriteria(SetSearchCriteriaRequest {
            restriction_data: Bytes::new(&restriction),
            folder_ids: (&[fid(7), fid(8)]).into(),
            search_flags: 6,
        }),
    );
    response(
        RopId::GET_SEARCH_CRITERIA,
        "0500 081F003700 03 0100 0100000000000007 01100000",
        ResponseBody::GetSearchCriteria(GetSearchCriteriaResponse {
            restriction_data: Bytes::new(&restriction),
            logon_id: 3,
            folder_ids: (&[fid(7)]).into(),
            search_flags: 0x1001,
        }),
    );
    let empty = EmptyFolderRequest {
        want_asynchronous: false,
        want_delete_associated: true,
    };
    request("00 01", RequestBody::EmptyFolder(empty));
    request("00 01", RequestBody::HardDeleteMessagesAndSubfolders(empty));
    request(
        "01 00 0100 0100000000000009",
        RequestBody::HardDeleteMessages(DeleteMessagesRequest {
            want_asynchronous: true,
            notify_non_read: false,
            message_ids: (&[mid(9)]).into(),
        }),
    );
    response(
        RopId::CREATE_FOLDER,
        "0100000000000007 01 01 01 0100 0000 4100",
        ResponseBody::CreateFolder(CreateFolderResponse {
            folder_id: fid(7),
            existing_folder: Some(ExistingFolder {
                has_rules: true,
                servers: Some(GhostServers {
                    cheap_server_count: 0,
                    servers: (&[AsciiZ(b"A")]).into(),
                }),
            }),
        }),
    );
}

#[test]
fn table_requests_and_responses() {
    request("", RequestBody::Abort(EmptyRequest {}));
    request("", RequestBody::GetStatus(EmptyRequest {}));
    request("", RequestBody::CreateBookmark(EmptyRequest {}));
    request("", RequestBody::QueryColumnsAll(EmptyRequest {}));
    request("", RequestBody::ResetTable(EmptyRequest {}));
    request(
        "0200 AABB FEFFFFFF 01",
        RequestBody::SeekRowBookmark(SeekRowBookmarkRequest {
            bookmark: Bytes::new(&[0xAA, 0xBB]),
            row_count: -2,
            want_row_moved_count: true,
        }),
    );
    request(
        "01000000 0A000000",
        RequestBody::SeekRowFractional(SeekRowFractionalRequest {
            numerator: 1,
            denominator: 10,
        }),
    );
    request(
        "0100 AA",
        RequestBody::FreeBookmark(FreeBookmarkRequest {
            bookmark: Bytes::new(&[0xAA]),
        }),
    );
    request(
        "0500 0100000000000007",
        RequestBody::ExpandRow(ExpandRowRequest {
            max_row_count: 5,
            category_id: 0x0700_0000_0000_0001,
        }),
    );
    request(
        "0100000000000007",
        RequestBody::CollapseRow(CollapseRowRequest {
            category_id: 0x0700_0000_0000_0001,
        }),
    );
    request(
        "0100000000000007 03000000",
        RequestBody::GetCollapseState(GetCollapseStateRequest {
            row_id: 0x0700_0000_0000_0001,
            row_instance_number: 3,
        }),
    );
    request(
        "0200 AABB",
        RequestBody::SetCollapseState(SetCollapseStateRequest {
            collapse_state: Bytes::new(&[0xAA, 0xBB]),
        }),
    );
    response(
        RopId::SEEK_ROW_BOOKMARK,
        "01 00 FFFFFFFF",
        ResponseBody::SeekRowBookmark(SeekRowBookmarkResponse {
            row_no_longer_visible: true,
            has_sought_less: false,
            rows_sought: -1,
        }),
    );
    response(
        RopId::CREATE_BOOKMARK,
        "0200 AABB",
        ResponseBody::CreateBookmark(BookmarkResponse {
            bookmark: Bytes::new(&[0xAA, 0xBB]),
        }),
    );
    response(
        RopId::EXPAND_ROW,
        "02000000 0100 00 07000000",
        ResponseBody::ExpandRow(ExpandRowResponse {
            expanded_row_count: 2,
            row_count: 1,
            row_data: &[0, 7, 0, 0, 0],
        }),
    );
    response(
        RopId::COLLAPSE_ROW,
        "02000000",
        ResponseBody::CollapseRow(CollapseRowResponse {
            collapsed_row_count: 2,
        }),
    );
    response(
        RopId::GET_COLLAPSE_STATE,
        "0100 AA",
        ResponseBody::GetCollapseState(GetCollapseStateResponse {
            collapse_state: Bytes::new(&[0xAA]),
        }),
    );
}

#[test]
fn message_and_attachment_requests_and_responses() {
    request(
        "0100000000000009 00080000 000C0000",
        RequestBody::SetMessageStatus(SetMessageStatusRequest {
            message_id: mid(9),
            message_status_flags: 0x800,
            message_status_mask: 0xC00,
        }),
    );
    request(
        "0100000000000009",
        RequestBody::GetMessageStatus(GetMessageStatusRequest { message_id: mid(9) }),
    );
    request("", RequestBody::GetValidAttachments(EmptyRequest {}));
    for rop_id in [RopId::SET_MESSAGE_STATUS, RopId::GET_MESSAGE_STATUS] {
        let body = MessageStatusResponse {
            message_status_flags: 0x800,
        };
        let body = if rop_id == RopId::SET_MESSAGE_STATUS {
            ResponseBody::SetMessageStatus(body)
        } else {
            ResponseBody::GetMessageStatus(body)
        };
        response(rop_id, "00080000", body);
    }
    response(
        RopId::GET_VALID_ATTACHMENTS,
        "0200 00000000 05000000",
        ResponseBody::GetValidAttachments(GetValidAttachmentsResponse {
            attachment_ids: (&[0, 5]).into(),
        }),
    );
    response(
        RopId::SET_MESSAGE_READ_FLAG,
        &format!("01 03 {}", "22".repeat(24)),
        ResponseBody::SetMessageReadFlag(SetMessageReadFlagResponse {
            read_status_changed: Some(ReadStatusChanged {
                logon_id: 3,
                client_data: [0x22; 24],
            }),
        }),
    );
}

#[test]
fn transport_requests_and_responses() {
    request(
        "02",
        RequestBody::SubmitMessage(SubmitMessageRequest { submit_flags: 2 }),
    );
    request(
        "0100000000000007 0100000000000009",
        RequestBody::AbortSubmit(AbortSubmitRequest {
            folder_id: fid(7),
            message_id: mid(9),
        }),
    );
    request("", RequestBody::GetAddressTypes(EmptyRequest {}));
    request("", RequestBody::SetSpooler(EmptyRequest {}));
    request(
        "0100000000000009 01",
        RequestBody::SpoolerLockMessage(SpoolerLockMessageRequest {
            message_id: mid(9),
            lock_state: 1,
        }),
    );
    request("", RequestBody::TransportSend(EmptyRequest {}));
    request(
        "0100000000000009 0100000000000007 49504D00 01000000",
        RequestBody::TransportNewMail(TransportNewMailRequest {
            message_id: mid(9),
            folder_id: fid(7),
            message_class: AsciiZ(b"IPM"),
            message_flags: 1,
        }),
    );
    request("", RequestBody::GetTransportFolder(EmptyRequest {}));
    request(
        "534D545000 01",
        RequestBody::OptionsData(OptionsDataRequest {
            address_type: AsciiZ(b"SMTP"),
            want_win32: true,
        }),
    );
    response(
        RopId::GET_ADDRESS_TYPES,
        "0200 0800 455800 534D545000",
        ResponseBody::GetAddressTypes(GetAddressTypesResponse {
            address_types: (&[AsciiZ(b"EX"), AsciiZ(b"SMTP")]).into(),
        }),
    );
    response(
        RopId::TRANSPORT_SEND,
        "00 0100 03001710 02000000",
        ResponseBody::TransportSend(TransportSendResponse {
            no_properties_returned: false,
            property_values: (&[int32(0x1017_0003, 2)]).into(),
        }),
    );
    response(
        RopId::GET_TRANSPORT_FOLDER,
        "0100000000000007",
        ResponseBody::GetTransportFolder(GetTransportFolderResponse { folder_id: fid(7) }),
    );
    response(
        RopId::OPTIONS_DATA,
        "01 0200 6162 0000",
        ResponseBody::OptionsData(OptionsDataResponse {
            reserved: 1,
            options_info: Bytes::new(b"ab"),
            help_file: Bytes::default(),
            help_file_name: None,
        }),
    );
    response(
        RopId::OPTIONS_DATA,
        "01 0000 0100 61 6800",
        ResponseBody::OptionsData(OptionsDataResponse {
            reserved: 1,
            options_info: Bytes::default(),
            help_file: Bytes::new(b"a"),
            help_file_name: Some(AsciiZ(b"h")),
        }),
    );
}

#[test]
fn property_requests_and_responses() {
    let values = SetPropertiesRequest {
        property_values: List::from(&[]),
    };
    request("0200 0000", RequestBody::SetPropertiesNoReplicate(values));
    let deleted = DeletePropertiesRequest {
        property_tags: (&COLUMNS).into(),
    };
    request(
        "0100 03004E67",
        RequestBody::DeletePropertiesNoReplicate(deleted),
    );
    request(
        "02 01 11111111111111111111111111111111",
        RequestBody::QueryNamedProperties(QueryNamedPropertiesRequest {
            query_flags: 2,
            property_guid: Some(GUID),
        }),
    );
    request(
        "01 00",
        RequestBody::QueryNamedProperties(QueryNamedPropertiesRequest {
            query_flags: 1,
            property_guid: None,
        }),
    );
    request(
        "05 00 01 0100 03004E67",
        RequestBody::CopyProperties(CopyPropertiesRequest {
            dest_handle_index: 5,
            want_asynchronous: false,
            copy_flags: 1,
            property_tags: (&COLUMNS).into(),
        }),
    );
    request(
        "05 00 01 02 0100 03004E67",
        RequestBody::CopyTo(CopyToRequest {
            dest_handle_index: 5,
            want_asynchronous: false,
            want_sub_objects: true,
            copy_flags: 2,
            excluded_tags: (&COLUMNS).into(),
        }),
    );
    request(
        "01",
        RequestBody::Progress(ProgressRequest { want_cancel: true }),
    );
    response(
        RopId::QUERY_NAMED_PROPERTIES,
        "0200 0180 0280 00 11111111111111111111111111111111 03850000 \
         01 11111111111111111111111111111111 04 4B00 0000",
        ResponseBody::QueryNamedProperties(QueryNamedPropertiesResponse {
            property_ids: (&[0x8001, 0x8002]).into(),
            property_names: (&[
                PropertyNameRef::Lid(GUID, 0x8503),
                PropertyNameRef::Name(GUID, b"K\0"),
            ])
                .into(),
        }),
    );
    response(
        RopId::COPY_TO,
        "0100 0300 03004E67 05000780",
        ResponseBody::CopyTo(PropertyProblemsResponse {
            property_problems: (&[PropertyProblem {
                index: 3,
                property_tag: COLUMNS[0],
                error_code: ErrorCode(0x8007_0005),
            }])
                .into(),
        }),
    );
    response(
        RopId::PROGRESS,
        "03 01000000 0A000000",
        ResponseBody::Progress(ProgressResponse {
            logon_id: 3,
            completed_task_count: 1,
            total_task_count: 10,
        }),
    );
}

#[test]
fn stream_requests_and_responses() {
    let data = WriteStreamRequest {
        data: Bytes::new(b"abc"),
    };
    request("0300 616263", RequestBody::WriteStreamExtended(data));
    request("0300 616263", RequestBody::WriteAndCommitStream(data));
    request(
        "05 0000010000000000",
        RequestBody::CopyToStream(CopyToStreamRequest {
            dest_handle_index: 5,
            byte_count: 0x1_0000,
        }),
    );
    let region = RegionStreamRequest {
        region_offset: 1,
        region_size: 2,
        lock_flags: 1,
    };
    let digits = "0100000000000000 0200000000000000 01000000";
    request(digits, RequestBody::LockRegionStream(region));
    request(digits, RequestBody::UnlockRegionStream(region));
    request(
        "05",
        RequestBody::CloneStream(OpenOnlyRequest {
            output_handle_index: 5,
        }),
    );
    response(
        RopId::WRITE_STREAM_EXTENDED,
        "00000100",
        ResponseBody::WriteStreamExtended(WriteStreamExtendedResponse {
            written_size: 0x1_0000,
        }),
    );
    response(
        RopId::WRITE_AND_COMMIT_STREAM,
        "0300",
        ResponseBody::WriteAndCommitStream(WriteStreamResponse { written_size: 3 }),
    );
    let counts = CopyToStreamResponse {
        read_byte_count: 1,
        written_byte_count: 2,
    };
    let digits = "0100000000000000 0200000000000000";
    response(
        RopId::COPY_TO_STREAM,
        digits,
        ResponseBody::CopyToStream(counts),
    );
    let to_nothing = RequestBody::CopyToStream(CopyToStreamRequest {
        dest_handle_index: 0,
        byte_count: 0,
    });
    assert_eq!(to_nothing.dest_handle_index(), Some(0));
    response_with(
        RopId::COPY_TO_STREAM,
        ErrorCode::NULL_DESTINATION_OBJECT,
        &format!("05000000 {digits}"),
        ResponseBody::Failed(Failure::NullDestination {
            dest_handle_index: 5,
            partial_completion: None,
            byte_counts: Some(counts),
        }),
    );
}
