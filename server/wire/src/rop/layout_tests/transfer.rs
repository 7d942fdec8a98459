//! Permissions, rules, fast transfer and synchronization (MS-OXCROPS 2.2.10 to 2.2.13).

use super::*;

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
