//! RopLogon beside other logons of the session (MS-OXCSTOR 2.2.1.1 and 3.2.5.1).

use ropewalk_tests::{
    client::{Client, NO_HANDLE, NewFolder, Rop, logon_rop, permission::modify_row},
    fixture::{ADA, PASSWORD, ada, code, fails, legacy_dn, log_on},
    server::{TestServer, add_user},
};
use ropewalk_wire::{Reader, restriction::Restriction};

use crate::{PRIVATE, USE_PER_MDB_REPLID_MAPPING};

const BOB: &str = "bob@example.test";
const PUBLIC: u32 = 0x0000_0002;

/// The default user's row of a permissions list, and FolderVisible.
const DEFAULT: u64 = 0;
const VISIBLE: u32 = 0x0000_0400;

/// A server with two users, each of whom may log on to the other one's mailbox.
fn of_two() -> (TestServer, String, String) {
    let server = TestServer::start(&[]);
    let dns = [(ADA, "Ada"), (BOB, "Bob")].map(|(email, name)| {
        add_user(server.data_dir(), email, name, PASSWORD);
        let dn = legacy_dn(server.data_dir(), email);
        let (mut client, logon) = log_on(&server, email, PASSWORD, &dn);
        let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
        client
            .modify_permissions(inbox, 0, &[modify_row(DEFAULT, VISIBLE)])
            .unwrap();
        dn
    });
    let [ada, bob] = dns;
    (server, ada, bob)
}

// 3.2.5.1.1: what counts is the mailbox of the first logon; 2.2.1.1.1: logons to the public store do not.
#[test]
fn the_first_mailbox_has_the_replids_of_those_that_know_no_others() {
    let (server, ada, bob) = of_two();
    let mut client = Client::connect(server.http(), ADA, PASSWORD, &ada).unwrap();
    let mut log_on = |logon_id, flags, open_flags, dn: &str| {
        let rop = logon_rop(flags, open_flags, dn).logon_id(logon_id);
        client.rop(&rop, &[NO_HANDLE])?.handle(0)
    };
    log_on(9, 0, PUBLIC, "").unwrap();
    log_on(0, PRIVATE, 0, &ada).unwrap();
    fails(log_on(1, PRIVATE, 0, &bob), code::INVALID_PARAMETER);
    log_on(1, PRIVATE, USE_PER_MDB_REPLID_MAPPING, &bob).unwrap();
    // The first mailbox again, beside another one.
    log_on(2, PRIVATE, 0, &ada).unwrap();
    fails(log_on(3, PRIVATE, 0, &bob), code::INVALID_PARAMETER);
    log_on(4, 0, PUBLIC, "").unwrap();

    // The first one need not be the user's own.
    let mut client = client.connect_again().unwrap();
    let mut log_on = |logon_id, dn: &str| {
        let rop = logon_rop(PRIVATE, 0, dn).logon_id(logon_id);
        client.rop(&rop, &[NO_HANDLE])?.handle(0)
    };
    let first = log_on(0, &bob).unwrap();
    fails(log_on(1, &ada), code::INVALID_PARAMETER);
    // When nothing is left of it, the next one is the first.
    client.release(first).unwrap();
    let rop = logon_rop(PRIVATE, 0, &ada).logon_id(1);
    client.rop(&rop, &[NO_HANDLE]).unwrap();
}

// 2.2.1.1.3: StoreState MUST be zero; 2.2.1.5.2: RopGetStoreState has what there is to tell.
#[test]
fn a_logon_does_not_tell_whether_there_are_searches() {
    let (mut client, logon) = ada();
    let finder = client
        .open_folder(logon.handle, logon.folder_ids[10])
        .unwrap();
    let folder = NewFolder {
        folder_type: 2,
        ..NewFolder::named("a_logon_does_not_tell")
    };
    let search = client.create_folder_with(finder, &folder).unwrap();
    let all = Restriction::And(Vec::new());
    client
        .set_search_criteria(search.handle, Some(&all), &[logon.inbox()], 0)
        .unwrap();
    let answer = client.rop(&Rop::new(0x7B, 0), &[logon.handle]).unwrap();
    assert_eq!(answer.read(Reader::u32).unwrap(), 0x0100_0000);
    let (_, again) = ada();
    assert_eq!(again.store_state, 0);
    client.delete_folder(finder, search.folder_id, 0).unwrap();
}

// 2.2.1.1.1: StoreState of the request is reserved, HOME_LOGON and TAKE_OWNERSHIP are ignored; and Essdn
// is one in whatever case, with its NUL.
#[test]
fn what_is_ignored_in_a_request_changes_nothing() {
    const IGNORED: u32 = 0x0000_000C;
    let (mut client, first) = ada();
    let dn = client.user_dn().to_owned();
    for (open_flags, store_state, essdn) in [
        (IGNORED, 0, dn.clone()),
        (0, u32::MAX, dn.clone()),
        (0, 0, dn.to_uppercase()),
        (0, 0, dn.to_lowercase()),
    ] {
        let essdn = [essdn.as_bytes(), b"\0"].concat();
        let rop = Rop::new(0xFE, 0).u8(PRIVATE).u32(open_flags);
        let rop = rop.u32(store_state).sized(&essdn);
        let answer = client.rop(&rop, &[NO_HANDLE]).unwrap();
        assert_eq!(answer.body.len(), 160);
        assert_eq!(answer.body[0], PRIVATE);
        assert_eq!(answer.body[1..9], first.folder_ids[0].to_le_bytes());
        assert_eq!(answer.body[156..], [0; 4], "StoreState");
    }
}
