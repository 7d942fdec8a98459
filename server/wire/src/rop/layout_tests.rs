//! Bytes laid out by hand from the field tables of MS-OXCROPS 2.2, for the ROPs that
//! tests/vectors/ms-oxcrops-layout.toml leaves out: one group of digits a field.

use ropewalk_props::{FileTime, GlobCnt, Guid, PropTag, PropValue};

use super::*;
use crate::{
    ErrorCode, Fid, LongTermId, Mid, Reader,
    codec::{AsciiZ, Bytes, Bytes16, Bytes32},
    list::{List, SizedList},
    property_name::PropertyNameRef,
    value::{PropertyProblem, TaggedPropertyValue},
};

fn bytes(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A request with LogonId 1 and handle index 2: its body's bytes and meaning.
fn request(digits: &str, body: RequestBody<'_>) {
    request_in(&DecodeContext::default(), digits, body);
}

fn request_in(context: &DecodeContext, digits: &str, body: RequestBody<'_>) {
    let expected = Request::new(1, 2, body);
    let bytes = [vec![expected.rop_id.0, 1, 2], bytes(digits)].concat();
    let mut input = Reader::new(&bytes);
    let decoded = Request::decode(&mut input, context).unwrap();
    assert_eq!(decoded, expected);
    assert!(input.is_empty(), "{expected:?}");
    let mut out = Vec::new();
    expected.encode(&mut out).unwrap();
    assert_eq!(out, bytes, "{expected:?}");
    for len in 0..bytes.len() {
        let cut = Request::decode(&mut Reader::new(&bytes[..len]), context);
        assert!(cut.is_err(), "{expected:?} cut to {len}");
    }
}

/// A success response to a ROP: its body's bytes and meaning.
fn response(rop_id: RopId, digits: &str, body: ResponseBody<'_>) {
    response_with(rop_id, ErrorCode::SUCCESS, digits, body);
}

fn response_with(rop_id: RopId, code: ErrorCode, digits: &str, body: ResponseBody<'_>) {
    let request = super::tests::request_of(rop_id);
    let mut bytes_of_all = vec![rop_id.0, 0];
    bytes_of_all.extend(code.0.to_le_bytes());
    bytes_of_all.extend(bytes(digits));
    let mut input = Reader::new(&bytes_of_all);
    let decoded = Response::decode(&mut input, request, &COLUMNS).unwrap();
    assert!(input.is_empty(), "{decoded:?}");
    assert_eq!(decoded.return_value, code);
    assert_eq!(decoded.body, body);
    let mut out = Vec::new();
    decoded.encode(&mut out).unwrap();
    assert_eq!(out, bytes_of_all, "{decoded:?}");
}

const COLUMNS: [PropTag; 1] = [PropTag(0x674E_0003)];
/// A REPLGUID and a GLOBCNT with padding: 24 bytes.
const LONG_TERM: &str = "11111111111111111111111111111111 000000001A2B 0000";
const GUID: Guid = Guid([0x11; 16]);

fn long_term() -> LongTermId {
    LongTermId {
        replguid: GUID,
        globcnt: GlobCnt(0x1A2B),
    }
}

const fn fid(counter: u64) -> Fid {
    Fid::new(1, GlobCnt(counter))
}

const fn mid(counter: u64) -> Mid {
    Mid::new(1, GlobCnt(counter))
}

fn int32(tag: u32, value: i32) -> TaggedPropertyValue {
    TaggedPropertyValue {
        tag: PropTag(tag),
        value: PropValue::Integer32(value),
    }
}

#[test]
fn logon_requests() {
    request(
        "01000000000000 0D 4950 4D00",
        RequestBody::SetReceiveFolder(SetReceiveFolderRequest {
            folder_id: Fid::from_u64(0x0D00_0000_0000_0001),
            message_class: AsciiZ(b"IPM"),
        }),
    );
    request("", RequestBody::GetReceiveFolderTable(EmptyRequest {}));
    request("", RequestBody::GetStoreState(EmptyRequest {}));
    request(
        "0100 00000000000D",
        RequestBody::GetOwningServers(GetOwningServersRequest { folder_id: fid(13) }),
    );
    request(
        "0100 00000000000D",
        RequestBody::PublicFolderIsGhosted(PublicFolderIsGhostedRequest { folder_id: fid(13) }),
    );
    request(
        "11111111111111111111111111111111",
        RequestBody::GetPerUserLongTermIds(GetPerUserLongTermIdsRequest {
            database_guid: GUID,
        }),
    );
    request(
        LONG_TERM,
        RequestBody::GetPerUserGuid(GetPerUserGuidRequest {
            long_term_id: long_term(),
        }),
    );
    request(
        &format!("{LONG_TERM} 00 04030201 0010"),
        RequestBody::ReadPerUserInformation(ReadPerUserInformationRequest {
            folder_id: long_term(),
            reserved: 0,
            data_offset: 0x0102_0304,
            max_data_size: 0x1000,
        }),
    );
}

#[test]
fn per_user_information_has_a_guid_where_it_begins_in_a_private_mailbox() {
    let mut public = DecodeContext::default();
    public.set_public(1, true);
    let body = |data_offset, repl_guid| {
        RequestBody::WritePerUserInformation(WritePerUserInformationRequest {
            folder_id: long_term(),
            has_finished: true,
            data_offset,
            data: Bytes::new(b"ab"),
            repl_guid,
        })
    };
    let at_start = format!("{LONG_TERM} 01 00000000 0200 6162");
    request(
        &format!("{at_start} 11111111111111111111111111111111"),
        body(0, Some(GUID)),
    );
    request_in(&public, &at_start, body(0, None));
    request(&format!("{LONG_TERM} 01 02000000 0200 6162"), body(2, None));
}

#[test]
fn logon_responses() {
    let servers = GhostServers {
        cheap_server_count: 1,
        servers: (&[AsciiZ(b"A"), AsciiZ(b"BC")]).into(),
    };
    response(
        RopId::GET_RECEIVE_FOLDER_TABLE,
        "01000000 00 010000000000000D 49504D00 0080 3ED5 DEB1 9D01",
        ResponseBody::GetReceiveFolderTable(GetReceiveFolderTableResponse {
            row_count: 1,
            rows: &bytes("00 010000000000000D 49504D00 00803ED5DEB19D01"),
        }),
    );
    response(
        RopId::GET_STORE_STATE,
        "00000001",
        ResponseBody::GetStoreState(GetStoreStateResponse {
            store_state: 0x0100_0000,
        }),
    );
    response(
        RopId::GET_OWNING_SERVERS,
        "0200 0100 4100 424300",
        ResponseBody::GetOwningServers(servers),
    );
    response(
        RopId::PUBLIC_FOLDER_IS_GHOSTED,
        "01 0200 0100 4100 424300",
        ResponseBody::PublicFolderIsGhosted(PublicFolderIsGhostedResponse {
            servers: Some(servers),
        }),
    );
    response(
        RopId::GET_PER_USER_LONG_TERM_IDS,
        &format!("0100 {LONG_TERM}"),
        ResponseBody::GetPerUserLongTermIds(GetPerUserLongTermIdsResponse {
            long_term_ids: (&[long_term()]).into(),
        }),
    );
    response(
        RopId::GET_PER_USER_GUID,
        "11111111111111111111111111111111",
        ResponseBody::GetPerUserGuid(GetPerUserGuidResponse {
            database_guid: GUID,
        }),
    );
    response(
        RopId::READ_PER_USER_INFORMATION,
        "01 0200 6162",
        ResponseBody::ReadPerUserInformation(ReadPerUserInformationResponse {
            has_finished: true,
            data: Bytes::new(b"ab"),
        }),
    );
    let folder_ids = format!("{} ", "0100000000000007").repeat(13);
    response(
        RopId::LOGON,
        &format!("00 {folder_ids} 0100 {0} {0}", "11".repeat(16)),
        ResponseBody::Logon(LogonResponse::Public(PublicLogonResponse {
            logon_flags: 0,
            folder_ids: [fid(7); 13],
            repl_id: 1,
            repl_guid: GUID,
            per_user_guid: GUID,
        })),
    );
}

#[test]
fn the_receive_folder_table_has_its_own_columns() {
    let rows = bytes("00 010000000000000D 49504D00 00803ED5DEB19D01");
    let body = GetReceiveFolderTableResponse {
        row_count: 1,
        rows: &rows,
    };
    let cells = body.rows().next().unwrap().unwrap().cells;
    assert_eq!(cells[1].value(), Some(&PropValue::String8(b"IPM".to_vec())));
    assert_eq!(
        cells[2].value(),
        Some(&PropValue::Time(FileTime(0x019D_B1DE_D53E_8000)))
    );
}

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

#[test]
fn permission_and_rule_requests() {
    let values = [int32(0x6673_0003, 0x0400)];
    let row = PermissionData {
        permission_data_flags: 1,
        property_values: (&values).into(),
    };
    request(
        "02 0100 01 0100 03007366 00040000",
        RequestBody::ModifyPermissions(ModifyPermissionsRequest {
            modify_flags: 2,
            permissions_data: (&[row]).into(),
        }),
    );
    // PidTagRuleCondition (an exist restriction) and PidTagRuleActions (one OP_DELETE).
    let values = [
        TaggedPropertyValue {
            tag: PropTag(0x6679_00FD),
            value: PropValue::Restriction(bytes("08 1F003700")),
        },
        TaggedPropertyValue {
            tag: PropTag(0x6680_00FE),
            value: PropValue::RuleAction(bytes("0100 0900 0A 00000000 00000000")),
        },
    ];
    let row = RuleData {
        rule_data_flags: 1,
        property_values: (&values).into(),
    };
    request(
        "01 0100 01 0200 FD007966 08 1F003700 FE008066 0100 0900 0A 00000000 00000000",
        RequestBody::ModifyRules(ModifyRulesRequest {
            modify_rules_flags: 1,
            rules_data: (&[row]).into(),
        }),
    );
    request(
        "0100 AA 0200 BBCC",
        RequestBody::UpdateDeferredActionMessages(UpdateDeferredActionMessagesRequest {
            server_entry_id: Bytes::new(&[0xAA]),
            client_entry_id: Bytes::new(&[0xBB, 0xCC]),
        }),
    );
}

#[test]
fn transfer_requests_and_responses() {
    request(
        "05 03 01",
        RequestBody::FastTransferDestinationConfigure(FastTransferDestinationConfigureRequest {
            output_handle_index: 5,
            source_operation: 3,
            copy_flags: 1,
        }),
    );
    let data = FastTransferDestinationPutBufferRequest {
        transfer_data: Bytes::new(b"ab"),
    };
    request(
        "0200 6162",
        RequestBody::FastTransferDestinationPutBuffer(data),
    );
    request(
        "0200 6162",
        RequestBody::FastTransferDestinationPutBufferExtended(data),
    );
    request(
        "BEBA 0070",
        RequestBody::FastTransferSourceGetBuffer(FastTransferSourceGetBufferRequest {
            buffer_size: SIZE_FOLLOWS,
            maximum_buffer_size: Some(0x7000),
        }),
    );
    request(
        "0010",
        RequestBody::FastTransferSourceGetBuffer(FastTransferSourceGetBufferRequest {
            buffer_size: 0x1000,
            maximum_buffer_size: None,
        }),
    );
    request(
        "05 10 01",
        RequestBody::FastTransferSourceCopyFolder(FastTransferSourceCopyFolderRequest {
            output_handle_index: 5,
            copy_flags: 0x10,
            send_options: 1,
        }),
    );
    request(
        "05 0100 0100000000000009 20 01",
        RequestBody::FastTransferSourceCopyMessages(FastTransferSourceCopyMessagesRequest {
            output_handle_index: 5,
            message_ids: (&[mid(9)]).into(),
            copy_flags: 0x20,
            send_options: 1,
        }),
    );
    request(
        "05 01 00200000 09 0100 03004E67",
        RequestBody::FastTransferSourceCopyTo(FastTransferSourceCopyToRequest {
            output_handle_index: 5,
            level: 1,
            copy_flags: 0x2000,
            send_options: 9,
            property_tags: (&COLUMNS).into(),
        }),
    );
    request(
        "05 01 01 09 0100 03004E67",
        RequestBody::FastTransferSourceCopyProperties(FastTransferSourceCopyPropertiesRequest {
            output_handle_index: 5,
            level: 1,
            copy_flags: 1,
            send_options: 9,
            property_tags: (&COLUMNS).into(),
        }),
    );
    request(
        "0F00 0100 D007",
        RequestBody::TellVersion(TellVersionRequest {
            major: 15,
            minor: 1,
            build: 2000,
        }),
    );
    response(
        RopId::FAST_TRANSFER_DESTINATION_PUT_BUFFER,
        "0100 0200 0300 00 0040",
        ResponseBody::FastTransferDestinationPutBuffer(FastTransferDestinationPutBufferResponse {
            transfer_status: 1,
            in_progress_count: 2,
            total_step_count: 3,
            reserved: 0,
            buffer_used_size: 0x4000,
        }),
    );
    response(
        RopId::FAST_TRANSFER_DESTINATION_PUT_BUFFER_EXTENDED,
        "0100 02000000 03000000 00 0040",
        ResponseBody::FastTransferDestinationPutBufferExtended(
            FastTransferDestinationPutBufferExtendedResponse {
                transfer_status: 1,
                in_progress_count: 2,
                total_step_count: 3,
                reserved: 0,
                buffer_used_size: 0x4000,
            },
        ),
    );
    response(
        RopId::FAST_TRANSFER_SOURCE_GET_BUFFER,
        "0300 0200 0300 00 0200 6162",
        ResponseBody::FastTransferSourceGetBuffer(FastTransferSourceGetBufferResponse {
            transfer_status: 3,
            in_progress_count: 2,
            total_step_count: 3,
            reserved: 0,
            transfer_buffer: Bytes::new(b"ab"),
        }),
    );
    response_with(
        RopId::FAST_TRANSFER_SOURCE_GET_BUFFER,
        ErrorCode::SERVER_BUSY,
        "0100 0000 0000 00 0000 E8030000",
        ResponseBody::Failed(Failure::Backoff(FastTransferBackoff {
            transfer_status: 1,
            backoff_time: 1000,
            ..FastTransferBackoff::default()
        })),
    );
}

#[test]
fn synchronization_requests_and_responses() {
    request(
        "05 01 09 3900 0500 081F003700 0F000000 0100 03004E67",
        RequestBody::SynchronizationConfigure(SynchronizationConfigureRequest {
            output_handle_index: 5,
            synchronization_type: 1,
            send_options: 9,
            synchronization_flags: 0x39,
            restriction_data: Bytes::new(&bytes("081F003700")),
            synchronization_extra_flags: 0xF,
            property_tags: (&COLUMNS).into(),
        }),
    );
    let values = [TaggedPropertyValue {
        tag: PropTag(0x65E0_0102),
        value: PropValue::Binary(vec![0xAA]),
    }];
    request(
        "05 40 0100 0201E065 0100 AA",
        RequestBody::SynchronizationImportMessageChange(
            SynchronizationImportMessageChangeRequest {
                output_handle_index: 5,
                import_flag: 0x40,
                property_values: (&values).into(),
            },
        ),
    );
    let states = [
        MessageReadState {
            message_id: Bytes16::new(&[0xAA, 0xBB]),
            mark_as_read: true,
        },
        MessageReadState {
            message_id: Bytes16::new(&[0xCC]),
            mark_as_read: false,
        },
    ];
    request(
        "0900 0200 AABB 01 0100 CC 00",
        RequestBody::SynchronizationImportReadStateChanges(
            SynchronizationImportReadStateChangesRequest {
                message_read_states: SizedList((&states).into()),
            },
        ),
    );
    request(
        "0100 0201E065 0100 AA 0000",
        RequestBody::SynchronizationImportHierarchyChange(
            SynchronizationImportHierarchyChangeRequest {
                hierarchy_values: (&values).into(),
                property_values: List::default(),
            },
        ),
    );
    let deleted = [TaggedPropertyValue {
        tag: PropTag(0x0000_1102),
        value: PropValue::MultipleBinary(vec![vec![0xAA], vec![0xBB, 0xCC]]),
    }];
    request(
        "02 0100 02110000 02000000 0100 AA 0200 BBCC",
        RequestBody::SynchronizationImportDeletes(SynchronizationImportDeletesRequest {
            import_delete_flags: 2,
            property_values: (&deleted).into(),
        }),
    );
    request(
        "01000000 A1 02000000 B1B2 01000000 C1 01000000 D1 00000000",
        RequestBody::SynchronizationImportMessageMove(SynchronizationImportMessageMoveRequest {
            source_folder_id: Bytes32::new(&[0xA1]),
            source_message_id: Bytes32::new(&[0xB1, 0xB2]),
            predecessor_change_list: Bytes32::new(&[0xC1]),
            destination_message_id: Bytes32::new(&[0xD1]),
            change_number: Bytes32::new(&[]),
        }),
    );
    request(
        "05 01",
        RequestBody::SynchronizationOpenCollector(SynchronizationOpenCollectorRequest {
            output_handle_index: 5,
            is_contents_collector: true,
        }),
    );
    request(
        "05",
        RequestBody::SynchronizationGetTransferState(OpenOnlyRequest {
            output_handle_index: 5,
        }),
    );
    request(
        "02019667 00010000",
        RequestBody::SynchronizationUploadStateStreamBegin(
            SynchronizationUploadStateStreamBeginRequest {
                state_property: PropTag(0x6796_0102),
                transfer_buffer_size: 0x100,
            },
        ),
    );
    request(
        "02000000 6162",
        RequestBody::SynchronizationUploadStateStreamContinue(
            SynchronizationUploadStateStreamContinueRequest {
                stream_data: Bytes32::new(b"ab"),
            },
        ),
    );
    request(
        "",
        RequestBody::SynchronizationUploadStateStreamEnd(EmptyRequest {}),
    );
    let range = LongTermIdRange {
        min_long_term_id: long_term(),
        max_long_term_id: long_term(),
    };
    request(
        &format!("3400 01000000 {LONG_TERM} {LONG_TERM}"),
        RequestBody::SetLocalReplicaMidsetDeleted(SetLocalReplicaMidsetDeletedRequest {
            long_term_id_ranges: (&[range]).into(),
        }),
    );
    request(
        "00000100",
        RequestBody::GetLocalReplicaIds(GetLocalReplicaIdsRequest { id_count: 0x1_0000 }),
    );
    response(
        RopId::SYNCHRONIZATION_IMPORT_MESSAGE_CHANGE,
        "0000000000000000",
        ResponseBody::SynchronizationImportMessageChange(MessageIdResponse::default()),
    );
    // 0x00040821 is a warning: the success body follows.
    response_with(
        RopId::SYNCHRONIZATION_IMPORT_MESSAGE_MOVE,
        ErrorCode(0x0004_0821),
        "0000000000000000",
        ResponseBody::SynchronizationImportMessageMove(MessageIdResponse::default()),
    );
    response(
        RopId::SYNCHRONIZATION_IMPORT_HIERARCHY_CHANGE,
        "0100000000000007",
        ResponseBody::SynchronizationImportHierarchyChange(FolderIdResponse { folder_id: fid(7) }),
    );
    response(
        RopId::GET_LOCAL_REPLICA_IDS,
        "11111111111111111111111111111111 000000001A2B",
        ResponseBody::GetLocalReplicaIds(GetLocalReplicaIdsResponse {
            repl_guid: GUID,
            global_count: GlobCnt(0x1A2B),
        }),
    );
}

#[test]
fn notification_requests() {
    let scope = NotificationScope {
        folder_id: fid(7),
        message_id: Mid::default(),
    };
    request(
        "05 7C00 00 0100000000000007 0000000000000000",
        RequestBody::RegisterNotification(RegisterNotificationRequest {
            output_handle_index: 5,
            notification_types: 0x007C,
            reserved: 0,
            scope: Some(scope),
        }),
    );
    request(
        "05 0201 01",
        RequestBody::RegisterNotification(RegisterNotificationRequest {
            output_handle_index: 5,
            notification_types: 0x0102,
            reserved: 0,
            scope: None,
        }),
    );
    request(
        "05 0204 00 01",
        RequestBody::RegisterNotification(RegisterNotificationRequest {
            output_handle_index: 5,
            notification_types: 0x0402,
            reserved: 0,
            scope: None,
        }),
    );
}

/// A RopNotify with NotificationHandle 6 and LogonId 1.
fn notify(digits: &str, data: NotificationData<'_>) {
    let bytes = [vec![0x2A, 6, 0, 0, 0, 1], bytes(digits)].concat();
    let expected = OutputRop::Notify(NotifyResponse {
        notification_handle: 6,
        logon_id: 1,
        notification_data: data,
    });
    let mut input = Reader::new(&bytes);
    assert_eq!(OutputRop::decode(&mut input, None, &[]).unwrap(), expected);
    assert!(input.is_empty(), "{expected:?}");
    let mut out = Vec::new();
    expected.encode(&mut out).unwrap();
    assert_eq!(out, bytes);
    for len in 0..bytes.len() {
        let cut = OutputRop::decode(&mut Reader::new(&bytes[..len]), None, &[]);
        assert!(cut.is_err(), "{expected:?} cut to {len}");
    }
}

fn plain(event: NotificationEvent<'_>) -> NotificationData<'_> {
    NotificationData {
        search_folder: false,
        event,
        total_message_count: None,
        unread_message_count: None,
    }
}

/// MS-OXCNOTIF 2.2.1.4.1.2.
#[test]
fn notifications_of_objects() {
    let folder = NotificationObject {
        folder_id: fid(7),
        message_id: None,
    };
    let message = NotificationObject {
        folder_id: fid(7),
        message_id: Some(mid(9)),
    };
    let (folder_digits, message_digits) = ("0100000000000007", "0100000000000009");
    notify(
        &format!("0280 {folder_digits} {message_digits} 01000000 01 49004D000000"),
        plain(NotificationEvent::NewMail {
            object: message,
            message_flags: 1,
            unicode: true,
            message_class: b"I\0M\0",
        }),
    );
    notify(
        &format!("0400 {folder_digits} 0100000000000008 0000"),
        plain(NotificationEvent::Created {
            object: folder,
            parent_folder_id: Some(fid(8)),
            tags: NotificationTags::Known(List::default()),
        }),
    );
    // A message has no ParentFolderId, but in a search folder.
    notify(
        &format!("0880 {folder_digits} {message_digits}"),
        plain(NotificationEvent::Deleted {
            object: message,
            parent_folder_id: None,
        }),
    );
    notify(
        &format!("08C0 {folder_digits} {message_digits} 0100000000000008"),
        NotificationData {
            search_folder: true,
            ..plain(NotificationEvent::Deleted {
                object: message,
                parent_folder_id: Some(fid(8)),
            })
        },
    );
    notify(
        &format!("1030 {folder_digits} 0200 03000236 03000336 2A000000 05000000"),
        NotificationData {
            total_message_count: Some(42),
            unread_message_count: Some(5),
            ..plain(NotificationEvent::Modified {
                object: folder,
                tags: NotificationTags::Known(
                    (&[PropTag(0x3602_0003), PropTag(0x3603_0003)]).into(),
                ),
            })
        },
    );
    notify(
        &format!("1080 {folder_digits} {message_digits} FFFF"),
        plain(NotificationEvent::Modified {
            object: message,
            tags: NotificationTags::Unknown,
        }),
    );
    notify(
        &format!("2000 {folder_digits} 0100000000000008 0100000000000005 0100000000000006"),
        plain(NotificationEvent::MovedOrCopied {
            copied: false,
            object: folder,
            parent_folder_id: Some(fid(8)),
            old_folder_id: fid(5),
            old_message_id: None,
            old_parent_folder_id: Some(fid(6)),
        }),
    );
    notify(
        &format!("4080 {folder_digits} {message_digits} 0100000000000005 0100000000000006"),
        plain(NotificationEvent::MovedOrCopied {
            copied: true,
            object: message,
            parent_folder_id: None,
            old_folder_id: fid(5),
            old_message_id: Some(mid(6)),
            old_parent_folder_id: None,
        }),
    );
    notify(
        &format!("8000 {folder_digits}"),
        plain(NotificationEvent::SearchComplete { object: folder }),
    );
}

/// MS-OXCNOTIF 2.2.1.4.1.2 and 2.2.1.1.1.
#[test]
fn notifications_of_tables() {
    notify(
        "0001 0100",
        plain(NotificationEvent::Table {
            table_event_type: 1,
            message: false,
        }),
    );
    let row = TableRowId {
        folder_id: fid(7),
        message: Some((mid(9), 0)),
    };
    let insert_after = TableRowId {
        folder_id: fid(7),
        message: Some((mid(8), 1)),
    };
    let event = NotificationEvent::TableRow {
        modified: false,
        row,
        insert_after,
        table_row_data: Bytes::new(&[0, 7, 0, 0, 0]),
    };
    let decoded = event.table_row(&COLUMNS).unwrap().unwrap();
    assert_eq!(decoded.cells[0].value(), Some(&PropValue::Integer32(7)));
    notify(
        "0081 0300 0100000000000007 0100000000000009 00000000 \
         0100000000000007 0100000000000008 01000000 0500 00 07000000",
        plain(event),
    );
    // In a hierarchy table.
    let folder = |counter| TableRowId {
        folder_id: fid(counter),
        message: None,
    };
    notify(
        "0001 0500 0100000000000007 0100000000000008 0500 00 07000000",
        plain(NotificationEvent::TableRow {
            modified: true,
            row: folder(7),
            insert_after: folder(8),
            table_row_data: Bytes::new(&[0, 7, 0, 0, 0]),
        }),
    );
    notify(
        "0081 0400 0100000000000007 0100000000000009 00000000",
        plain(NotificationEvent::TableRowDeleted { row }),
    );
}

#[test]
fn a_backoff_lists_rops() {
    let bytes = bytes("F9 01 E8030000 01 15 D0070000 0200 AABB");
    let expected = OutputRop::Backoff(BackoffResponse {
        logon_id: 1,
        duration: 1000,
        backoff_rop_data: (&[BackoffRop {
            rop_id_backoff: 0x15,
            duration: 2000,
        }])
            .into(),
        additional_data: Bytes::new(&[0xAA, 0xBB]),
    });
    let read = OutputRop::decode(&mut Reader::new(&bytes), None, &[]).unwrap();
    assert_eq!(read, expected);
    let mut out = Vec::new();
    expected.encode(&mut out).unwrap();
    assert_eq!(out, bytes);
}
