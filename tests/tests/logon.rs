//! Logon and what the Logon object can do (MS-OXCSTOR 3.2.5).

use ropewalk_tests::{
    client::{Cells as _, Client, NO_HANDLE, Rop, Value, logon_rop},
    fixture::{ADA, PASSWORD, ada, code, fails, legacy_dn, new_folder, shared, tag, user},
    server::add_user,
};

// MS-OXCSTOR 2.2.1.1.3.
#[test]
fn logon_tells_thirteen_folders_rights_and_the_replica() {
    let (_, logon) = ada();
    assert_eq!(logon.logon_flags, 0x01);
    assert_eq!(logon.response_flags, 0x07, "Reserved, owner, send as");
    assert_eq!(logon.store_state, 0);
    for (i, fid) in logon.folder_ids.iter().enumerate() {
        assert_eq!(*fid as u16, logon.repl_id, "REPLID of folder {i}");
        assert_ne!(fid >> 16, 0, "counter of folder {i}");
        assert!(!logon.folder_ids[..i].contains(fid), "folder {i} twice");
    }
    assert_ne!(logon.mailbox_guid, [0; 16]);
    assert_ne!(logon.repl_guid, [0; 16]);
    assert_eq!(
        user(shared().server.data_dir(), ADA)["email"],
        ADA,
        "the same user"
    );
}

#[test]
fn logon_tells_the_same_identities_every_time() {
    let (mut client, first) = ada();
    let second = client.connect_again().unwrap().logon().unwrap();
    assert_eq!(first.folder_ids, second.folder_ids);
    assert_eq!(first.mailbox_guid, second.mailbox_guid);
    assert_eq!(
        (first.repl_id, first.repl_guid),
        (second.repl_id, second.repl_guid)
    );
    client.disconnect().unwrap();
}

// MS-OXCSTOR 3.2.5.1.1.
#[test]
fn logon_refuses_what_it_cannot_serve() {
    let (mut client, _) = ada();
    let dn = client.user_dn().to_owned();
    fails(
        client.logon_with(0x01, 0x0100_0004, "/o=nobody/cn=nowhere"),
        code::UNKNOWN_USER,
    );
    fails(client.logon_with(0x01, 0x0100_0004, ""), code::UNKNOWN_USER);
    // Undefined bits of LogonFlags and OpenFlags.
    fails(client.logon_with(0x81, 0x0100_0004, &dn), code::ERROR);
    fails(client.logon_with(0x01, 0x4000_0004, &dn), code::ERROR);
    // The session lives on.
    client.logon_with(0x01, 0x0100_0004, &dn).unwrap();
}

#[test]
fn the_mailbox_of_another_user_is_not_opened() {
    let dir = shared().server.data_dir();
    add_user(dir, "eve@example.test", "Eve", "eve's secret");
    let eve = user(dir, "eve@example.test")["legacy_dn"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut client, _) = ada();
    let error = client.logon_with(0x01, 0x0100_0008, &eve).unwrap_err();
    // MS-OXCSTOR 3.2.5.1.1: no rights is ecAccessDenied or ecLoginPerm; a mailbox that is not the
    // user's own, without USE_ADMIN_PRIVILEGE, ecProfileNotConfigured.
    assert!(
        [code::ACCESS_DENIED, 0x0000_03F2, 0x0000_011C].contains(&error.code()),
        "{error}"
    );
}

// MS-OXCSTOR 3.2.5.1.1: REPLIDs are the first mailbox's, unless the client has them per mailbox.
#[test]
fn a_second_mailbox_needs_replids_of_its_own() {
    let dir = shared().server.data_dir();
    add_user(dir, "mallory@example.test", "Mallory", "mallory's secret");
    let mallory = user(dir, "mallory@example.test")["legacy_dn"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut client, logon) = ada();
    let mut fresh = client.connect_again().unwrap();
    let error = fresh.logon_with(0x01, 0x08, &mallory).unwrap_err();
    assert_ne!(error.code(), code::INVALID_PARAMETER, "the first logon");
    fresh.disconnect().unwrap();
    let dn = client.user_dn().to_owned();
    let rop = logon_rop(0x01, 0x08, &mallory).logon_id(3);
    fails(client.rop(&rop, &[NO_HANDLE]), code::INVALID_PARAMETER);
    let same = logon_rop(0x01, 0x0C, &dn).logon_id(3);
    client.rop(&same, &[NO_HANDLE]).unwrap();
    client.open_folder(logon.handle, logon.inbox()).unwrap();
}

// MS-OXCROPS 2.2.3.1: each LogonId, 0 to 255, is a logon of its own.
#[test]
fn one_session_has_logons_side_by_side() {
    let (mut client, logon) = ada();
    let dn = client.user_dn().to_owned();
    let second = logon_rop(0x01, 0x0100_000C, &dn).logon_id(255);
    let answer = client.rop(&second, &[NO_HANDLE]).unwrap();
    let handle = answer.handle(0).unwrap();
    let open = Rop::new(0x02, 0).u8(1).u64(logon.inbox()).u8(0);
    client
        .rop(&open.clone().logon_id(255), &[handle, NO_HANDLE])
        .unwrap();
    client.open_folder(logon.handle, logon.inbox()).unwrap();
    // A handle belongs to its logon.
    assert!(
        client
            .rop(&open.logon_id(255), &[logon.handle, NO_HANDLE])
            .is_err()
    );
}

// MS-OXCROPS 3.1.5.3.
#[test]
fn releasing_a_logon_releases_its_objects() {
    let (mut client, logon) = ada();
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    client.release(logon.handle).unwrap();
    assert!(client.contents_table(inbox, 0).is_err());
    assert!(client.open_folder(logon.handle, logon.inbox()).is_err());
    let logon = client.logon().unwrap();
    client.open_folder(logon.handle, logon.inbox()).unwrap();
}

// MS-OXCSTOR 3.2.5.2, and the table of 3.2.3.
#[test]
fn the_receive_folder_is_the_longest_prefix_match() {
    let (mut client, logon) = ada();
    let mut receive = |class: &str| {
        let (fid, found) = client.get_receive_folder(logon.handle, class).unwrap();
        (fid, found.to_ascii_uppercase())
    };
    let inbox = logon.inbox();
    assert_eq!(receive(""), (inbox, String::new()));
    assert_eq!(receive("IPM"), (inbox, "IPM".into()));
    assert_eq!(receive("ipm.note"), (inbox, "IPM".into()));
    assert_eq!(receive("IPM.MY.Class"), (inbox, "IPM".into()));
    assert_eq!(receive("MY.Class"), (inbox, String::new()));
    // A prefix is made of whole parts.
    assert_eq!(receive("IPMORE"), (inbox, String::new()));
    assert_eq!(receive("REPORT.IPM.Note.NDR"), (inbox, "REPORT.IPM".into()));
    assert_eq!(receive("IPC"), (logon.root(), "IPC".into()));
    assert_eq!(
        receive("IPC.Microsoft Exchange 4.0"),
        (logon.root(), "IPC".into())
    );
}

// MS-OXCSTOR 2.2.1.2.1 and 3.2.5.2.
#[test]
fn a_message_class_that_breaks_the_rules_has_no_receive_folder() {
    let (mut client, logon) = ada();
    let long = "A".repeat(255);
    for class in [".IPM", "IPM.", "IPM..Note", "IPM\u{1}", "IPM\u{7f}", &long] {
        fails(
            client.get_receive_folder(logon.handle, class),
            code::INVALID_PARAMETER,
        );
    }
    let longest = "A".repeat(254);
    client.get_receive_folder(logon.handle, &longest).unwrap();
}

// MS-OXCSTOR 3.2.5.8 and 3.2.5.9.
#[test]
fn long_term_ids_round_trip() {
    let (mut client, logon) = ada();
    for fid in logon.folder_ids {
        let long = client.long_term_id_from_id(logon.handle, fid).unwrap();
        assert_eq!(long[..16], logon.repl_guid);
        assert_eq!(long[16..22], fid.to_le_bytes()[2..]);
        assert_eq!(long[22..], [0, 0]);
        assert_eq!(
            client.id_from_long_term_id(logon.handle, &long).unwrap(),
            fid
        );
    }
    // The id need not exist.
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    let mut long = client.long_term_id_from_id(logon.handle, nothing).unwrap();
    // Padding is ignored.
    long[22..].copy_from_slice(&[9, 9]);
    assert_eq!(
        client.id_from_long_term_id(logon.handle, &long).unwrap(),
        nothing
    );
}

#[test]
fn ids_of_unknown_replicas() {
    let (mut client, logon) = ada();
    fails(
        client.long_term_id_from_id(logon.handle, 0x0100_0000_0000_FFF0),
        code::NOT_FOUND,
    );
    fails(
        client.id_from_long_term_id(logon.handle, &[0; 24]),
        code::INVALID_PARAMETER,
    );
    // An unknown REPLGUID gets a REPLID of its own, always the same.
    let mut foreign = [0x5A; 24];
    foreign[22..].copy_from_slice(&[0, 0]);
    let id = client.id_from_long_term_id(logon.handle, &foreign).unwrap();
    assert_ne!(id as u16, logon.repl_id);
    assert_eq!(id.to_le_bytes()[2..], foreign[16..22]);
    assert_eq!(
        client.id_from_long_term_id(logon.handle, &foreign).unwrap(),
        id
    );
    assert_eq!(
        client.long_term_id_from_id(logon.handle, id).unwrap(),
        foreign
    );
    let (mut other, other_logon) = ada();
    assert_eq!(
        other
            .id_from_long_term_id(other_logon.handle, &foreign)
            .unwrap(),
        id
    );
}

// MS-OXCSTOR 2.2.2.1, with the values of special-folders.md section 7.
#[test]
fn the_logon_object_has_the_properties_of_the_store() {
    let (mut client, logon) = ada();
    let row = client
        .get_props(
            logon.handle,
            &[
                tag::OBJECT_TYPE,
                tag::MAILBOX_OWNER_NAME,
                tag::RECORD_KEY,
                tag::STORE_RECORD_KEY,
                tag::MAPPING_SIGNATURE,
                0x0E08_0014,
                0x661B_0102,
                0x6619_0102,
                0x66A1_0003,
                0x661D_000B,
            ],
        )
        .unwrap();
    assert_eq!(row.int(0), 1);
    assert_eq!(row.text(1), "Ada Lovelace");
    assert_eq!(row.binary(2), logon.mailbox_guid);
    assert_eq!(row.binary(3), logon.mailbox_guid);
    assert_eq!(row.binary(4), logon.repl_guid);
    row.id(5);
    // MS-OXCDATA 2.2.5.2: the permanent entry id of the owner.
    let entry_id = row.binary(6);
    assert_eq!(
        entry_id[..28],
        [
            0, 0, 0, 0, 0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00,
            0x2B, 0x2F, 0xE1, 0x82, 1, 0, 0, 0, 0, 0, 0, 0
        ]
    );
    let dn = &entry_id[28..entry_id.len() - 1];
    assert!(
        dn.eq_ignore_ascii_case(client.user_dn().as_bytes()),
        "{}",
        dn.escape_ascii()
    );
    assert_eq!(row.binary(7), entry_id);
    assert_eq!(row.int(8), 1033);
    assert!(!row.flag(9));
}

// MS-OXCSTOR 3.2.5.1.1 and MS-OXCROPS 2.2.1: 8-bit strings are in the code page of the Connect.
#[test]
fn a_logon_speaks_the_code_page_of_its_session() {
    let shared = shared();
    let dn = legacy_dn(shared.server.data_dir(), ADA);
    let connect = |code_page| {
        let mut client = Client::new(shared.server.http(), ADA, PASSWORD, &dn);
        client.code_page = code_page;
        client.send_connect().map(|_| client)
    };
    let name = "\u{41f}\u{440}\u{438}\u{432}\u{435}\u{442}";
    let mut client = connect(1251).unwrap();
    let logon = client.logon().unwrap();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let narrow = (tag::COMMENT & 0xFFFF_0000) | 0x001E;
    let cyrillic = Value::String8(vec![0xCF, 0xF0, 0xE8, 0xE2, 0xE5, 0xF2]);
    client
        .set_props(folder, &[(narrow, cyrillic.clone())])
        .unwrap();
    let row = client.get_props(folder, &[tag::COMMENT, narrow]).unwrap();
    assert_eq!(row.text(0), name);
    assert_eq!(*row.value(1), cyrillic);
    // In Windows-1252 there are no such letters: something comes, and the session lives on.
    let mut latin = connect(1252).unwrap();
    let logon = latin.logon().unwrap();
    let same = latin.open_folder(logon.handle, folder_id).unwrap();
    let row = latin.get_props(same, &[tag::COMMENT, narrow]).unwrap();
    assert_eq!(row.text(0), name);
    assert!(matches!(row.value(1), Value::String8(text) if text.len() == 6));
    // No code page has such a number: ecUnknownCodePage at the logon, if the Connect says nothing.
    match connect(u32::MAX) {
        Ok(mut client) => fails(client.logon(), code::UNKNOWN_CODE_PAGE),
        Err(error) => assert_ne!(error.code(), 0),
    }
}

// MS-OXCSTOR 2.2.1.1.3 and 3.2.5.1.2.
#[test]
fn logon_flags_come_back() {
    let (mut client, _) = ada();
    let dn = client.user_dn().to_owned();
    // Private with Undercover.
    let logon = client.logon_with(0x03, 0x0100_000C, &dn).unwrap();
    assert_eq!(logon.logon_flags, 0x03);
    client.open_folder(logon.handle, logon.inbox()).unwrap();
}
