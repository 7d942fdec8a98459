//! Logon ROPs (MS-OXCROPS 2.2.3).

use super::*;

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
