//! Public folders: one store for all, and what each user has read of it (MS-OXCSTOR 2.2.1.1.4, 3.2.5).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, NO_HANDLE, Result, Rop, Value, logon_rop},
    fixture::{code, fails, legacy_dn, tag, text},
    server::{TestServer, add_user},
};
use ropewalk_wire::Reader;

const PASSWORD: &str = "counterweight";
const ADA: &str = "ada@example.test";
const BOB: &str = "bob@example.test";

const PUBLIC: u32 = 0x0000_0002;
const ALTERNATE_SERVER: u32 = 0x0000_0100;
const PER_MDB_REPLID: u32 = 0x0100_0000;
const LOGIN_FAILURE: u32 = 0x8004_0111;
const CORRUPT_DATA: u32 = 0x8004_011B;

const READ: i32 = 1;

fn server() -> (tempfile::TempDir, TestServer) {
    let dir = tempfile::tempdir().unwrap();
    let server = TestServer::start_in(dir.path(), &[]);
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    add_user(dir.path(), BOB, "Bob", PASSWORD);
    (dir, server)
}

fn connect(server: &TestServer, dir: &std::path::Path, email: &str) -> Client {
    Client::connect(server.http(), email, PASSWORD, &legacy_dn(dir, email)).expect("Connect")
}

fn post(client: &mut Client, folder: Handle, folder_id: u64, subject: &str) -> u64 {
    let message = client.create_message(folder, folder_id).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, text(subject))])
        .unwrap();
    let id = client.save_message(message).unwrap();
    client.release(message).unwrap();
    id
}

/// The subjects of a folder's messages, and whether they were read; PidTagContentUnreadCount agrees.
fn messages(client: &mut Client, folder: Handle) -> Vec<(String, bool)> {
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let columns = [tag::SUBJECT, tag::MESSAGE_FLAGS];
    client.set_columns(table, &columns).unwrap();
    let rows = client.query_all_rows(table, &columns).unwrap();
    client.release(table).unwrap();
    let mut all: Vec<_> = rows
        .iter()
        .map(|row| (row.text(0), row.int(1) & READ != 0))
        .collect();
    all.sort();
    let row = client
        .get_props(folder, &[tag::CONTENT_UNREAD_COUNT])
        .unwrap();
    let unread = all.iter().filter(|(_, read)| !read).count();
    assert_eq!(usize::try_from(row.int(0)), Ok(unread));
    all
}

fn set_read_flags(client: &mut Client, folder: Handle, flags: u8, ids: &[u64]) -> u8 {
    let rop = Rop::new(0x66, 0).u8(0).u8(flags).ids(ids);
    let answer = client.rop(&rop, &[folder]).unwrap();
    answer.read(Reader::u8).unwrap()
}

#[test]
fn there_is_one_public_store_for_all() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let public = ada.public_logon().unwrap();
    assert_eq!((public.logon_flags, public.repl_id), (0, 1));
    assert_ne!(public.repl_guid, [0; 16]);
    assert_eq!(public.per_user_guid, [0; 16], "not used");
    assert!(public.folder_ids[..6].iter().all(|id| *id != 0));
    assert!(public.folder_ids[6..].iter().all(|id| *id == 0));
    let subtree = ada
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let made = ada.create_folder(subtree, "Notices").unwrap();
    let id = post(&mut ada, made.handle, made.folder_id, "twelve fathoms");

    let mut bob = connect(&server, dir.path(), BOB);
    let public = bob.public_logon().unwrap();
    let (hierarchy, count) = {
        let subtree = bob
            .open_folder(public.handle, public.ipm_subtree())
            .unwrap();
        bob.hierarchy_table(subtree, 0).unwrap()
    };
    assert_eq!(count, 1);
    let columns = [tag::FOLDER_ID, tag::DISPLAY_NAME];
    bob.set_columns(hierarchy, &columns).unwrap();
    let rows = bob.query_all_rows(hierarchy, &columns).unwrap();
    assert_eq!(
        (rows[0].id(0), rows[0].text(1)),
        (made.folder_id, "Notices".into())
    );
    let message = bob
        .open_message(public.handle, made.folder_id, id, 0)
        .unwrap();
    let row = bob
        .get_props(message.handle, &[tag::SUBJECT, tag::ENTRY_ID])
        .unwrap();
    assert_eq!(row.text(0), "twelve fathoms");
    // MS-OXCDATA 2.2.4.2: of a public message.
    assert_eq!(row.binary(1)[20..22], [0x09, 0x00]);
    assert_eq!(row.binary(1)[4..8], [0x1A, 0x44, 0x73, 0x90]);
}

// MS-OXCSTOR 3.2.5.1.2.
#[test]
fn the_public_store_is_asked_for_by_both_flags() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let dn = legacy_dn(dir.path(), ADA);
    for (logon_flags, open_flags) in [(0, PER_MDB_REPLID), (1, PUBLIC)] {
        let rop = logon_rop(logon_flags, open_flags, &dn);
        fails(ada.rop(&rop, &[NO_HANDLE]), LOGIN_FAILURE);
    }
    // There is no other server with public folders.
    let alternate = logon_rop(0, PUBLIC | PER_MDB_REPLID | ALTERNATE_SERVER, "");
    fails(ada.rop(&alternate, &[NO_HANDLE]), LOGIN_FAILURE);
    // MS-OXCSTOR 2.2.1.1.1: with or without USE_PER_MDB_REPLID_MAPPING, beside a mailbox too.
    ada.logon().unwrap();
    let other = logon_rop(0, PUBLIC, "").logon_id(1);
    ada.rop(&other, &[NO_HANDLE]).unwrap();
    ada.public_logon().unwrap();
}

#[test]
fn each_user_has_read_what_that_user_has_read_also_after_a_restart() {
    let (dir, mut server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let public = ada.public_logon().unwrap();
    let subtree = ada
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let folder = ada.create_folder(subtree, "Notices").unwrap();
    let (handle, folder_id) = (folder.handle, folder.folder_id);
    let ids: Vec<u64> = ["one", "three", "two"]
        .iter()
        .map(|subject| post(&mut ada, handle, folder_id, subject))
        .collect();
    let expect = |read: [bool; 3]| -> Vec<(String, bool)> {
        let subjects = ["one", "three", "two"].map(str::to_owned);
        subjects.into_iter().zip(read).collect()
    };

    let mut bob = connect(&server, dir.path(), BOB);
    let to_bob = bob.public_logon().unwrap();
    let bobs = bob.open_folder(to_bob.handle, folder_id).unwrap();
    assert_eq!(set_read_flags(&mut bob, bobs, 0, &ids[..2]), 0);
    assert_eq!(messages(&mut bob, bobs), expect([true, true, false]));
    assert_eq!(set_read_flags(&mut bob, bobs, 4, &ids[..1]), 0);
    assert_eq!(set_read_flags(&mut bob, bobs, 0, &[0x7777_0000_0001]), 1);
    assert_eq!(messages(&mut bob, bobs), expect([false, true, false]));
    set_read_flags(&mut ada, handle, 4, &[]);
    assert_eq!(messages(&mut ada, handle), expect([false; 3]));

    // Of an open message (MS-OXCMSG 3.2.5.11): what the client gave comes back if the state changed.
    let two = bob
        .open_message(to_bob.handle, folder_id, ids[2], 0)
        .unwrap();
    let mut flag = |flags: u8| {
        let rop = Rop::new(0x11, 1).u8(0).u8(flags).bytes(&[9; 24]);
        bob.rop(&rop, &[two.handle, bobs]).unwrap().body
    };
    let mut changed = vec![1, 0];
    changed.extend([9; 24]);
    assert_eq!(flag(0), changed);
    assert_eq!(flag(0), [0]);
    assert_eq!(messages(&mut bob, bobs), expect([false, true, true]));

    // What is changed is unread again, but not to who changed it.
    let three = ada
        .open_message(public.handle, folder_id, ids[1], 1)
        .unwrap();
    ada.set_props(
        three.handle,
        &[(tag::IMPORTANCE, ropewalk_tests::client::Value::Integer32(2))],
    )
    .unwrap();
    ada.save_message(three.handle).unwrap();
    assert_eq!(messages(&mut bob, bobs), expect([false, false, true]));

    server.stop();
    let mut server = TestServer::start_in(dir.path(), &[]);
    let mut bob = connect(&server, dir.path(), BOB);
    let to_bob = bob.public_logon().unwrap();
    let bobs = bob.open_folder(to_bob.handle, folder_id).unwrap();
    assert_eq!(messages(&mut bob, bobs), expect([false, false, true]));
    server.stop();
}

#[test]
fn what_only_a_mailbox_has_is_not_supported() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let public = ada.public_logon().unwrap();
    for rop in [
        Rop::new(0x27, 0).ascii_z("IPM"),
        Rop::new(0x26, 0)
            .u64(public.ipm_subtree())
            .ascii_z("IPM.Notice"),
        Rop::new(0x68, 0),
        Rop::new(0x7B, 0),
    ] {
        fails(ada.rop(&rop, &[public.handle]), code::NOT_SUPPORTED);
    }
    let subtree = ada
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let search = ropewalk_tests::client::NewFolder {
        folder_type: 2,
        ..ropewalk_tests::client::NewFolder::named("Search")
    };
    fails(
        ada.create_folder_with(subtree, &search),
        code::NOT_SUPPORTED,
    );
}

// MS-OXCSTOR 3.2.5.6, 3.2.5.7.
// MS-OXCPRPT 3.2.5.8, 3.2.5.11.
#[test]
fn a_public_folder_is_not_copied_and_its_streams_are_for_reading() {
    const BINARY: u32 = 0x7803_0102;
    let (dir, server) = server();
    let mut client = connect(&server, dir.path(), ADA);
    let public = client.public_logon().unwrap();
    let top = client
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let [source, dest] =
        ["source", "dest"].map(|name| client.create_folder(top, name).unwrap().handle);
    let value = [(BINARY, Value::Binary(vec![1, 2, 3]))];
    client.set_props(source, &value).unwrap();
    let (stream, size) = client.open_stream(source, BINARY, 0).unwrap();
    assert_eq!(
        (size, client.read_stream(stream).unwrap()),
        (3, vec![1, 2, 3])
    );
    for mode in [1, 2, 3] {
        fails(
            client.open_stream(source, BINARY, mode),
            code::NOT_SUPPORTED,
        );
    }
    let copy = Rop::new(0x39, 0).u8(1).u8(0).u8(0).u8(0).tags(&[]);
    fails(client.rop(&copy, &[source, dest]), code::NOT_SUPPORTED);
}

#[test]
fn the_one_replica_is_here() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let public = ada.public_logon().unwrap();
    let owning = |id: u64| Rop::new(0x42, 0).u64(id);
    let ghosted = |id: u64| Rop::new(0x45, 0).u64(id);
    let there = public.folder_ids[1];
    let answer = ada.rop(&owning(there), &[public.handle]).unwrap();
    // The ESSDN of the public folder mailbox, which a logon to it takes too (2.2.1.1.1).
    assert_eq!(answer.body[..4], [1, 0, 1, 0]);
    let essdn = answer.body[4..].strip_suffix(b"\0").unwrap();
    let essdn = std::str::from_utf8(essdn).unwrap();
    assert!(
        essdn.starts_with("/o=") && essdn.contains("/cn="),
        "{essdn}"
    );
    let again = logon_rop(0, PUBLIC, essdn).logon_id(7);
    ada.rop(&again, &[NO_HANDLE]).unwrap();
    let answer = ada.rop(&ghosted(there), &[public.handle]).unwrap();
    assert_eq!(answer.body, [0]);
    let nowhere = 0x7766_0000_0000_0001;
    for rop in [owning(nowhere), ghosted(nowhere)] {
        fails(ada.rop(&rop, &[public.handle]), code::NOT_FOUND);
    }
    let private = ada.logon().unwrap();
    fails(
        ada.rop(&owning(there), &[private.handle]),
        code::NOT_SUPPORTED,
    );
}

// MS-OXCFOLD 2.2.1.2.2.
#[test]
fn a_folder_that_is_there_is_told_of_in_full() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let public = ada.public_logon().unwrap();
    let subtree = ada
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let made = ada.create_folder(subtree, "Notices").unwrap();
    let rop = Rop::new(0x1C, 0).u8(1).u8(1).u8(1).u8(1).u8(0);
    let rop = rop.utf16_z("Notices").utf16_z("");
    let answer = ada.rop(&rop, &[subtree, NO_HANDLE]).unwrap();
    let mut wanted = made.folder_id.to_le_bytes().to_vec();
    wanted.extend([1, 0, 0]);
    assert_eq!(answer.body, wanted);
}

#[test]
fn nobody_can_be_the_user_of_the_public_store() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    ada.public_logon().unwrap();
    let mut client =
        Client::connect(server.http(), ADA, PASSWORD, &legacy_dn(dir.path(), ADA)).unwrap();
    let rop = logon_rop(1, PER_MDB_REPLID, "/o=ropewalk/cn=public folders");
    fails(client.rop(&rop, &[NO_HANDLE]), code::UNKNOWN_USER);
    assert!(Client::connect(server.http(), "public-folders@ropewalk.invalid", "", "").is_err());
    let listed = ropewalk_tests::server::run([
        "user",
        "list",
        "--json",
        "--data-dir",
        dir.path().to_str().unwrap(),
    ]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed.contains(ADA) && !listed.contains("ropewalk.invalid"),
        "{listed}"
    );
}

/// RopReadPerUserInformation: HasFinished and the data.
fn read_per_user(
    client: &mut Client,
    logon: Handle,
    folder: &[u8],
    offset: u32,
    size: u16,
) -> Result<(bool, Vec<u8>)> {
    let rop = Rop::new(0x63, 0).bytes(folder).u8(0).u32(offset).u16(size);
    client.rop(&rop, &[logon])?.read(|input| {
        let finished = input.bool()?;
        let len = usize::from(input.u16()?);
        Ok((finished, input.bytes(len)?.to_vec()))
    })
}

/// RopWritePerUserInformation.
fn write_per_user(
    client: &mut Client,
    logon: Handle,
    folder: &[u8],
    (finished, offset, data): (bool, u32, &[u8]),
    repl_guid: Option<[u8; 16]>,
) -> Result<()> {
    let rop = Rop::new(0x64, 0).bytes(folder).u8(finished.into());
    let rop = rop.u32(offset).sized(data);
    let rop = repl_guid.iter().fold(rop, |rop, guid| rop.bytes(guid));
    client.rop(&rop, &[logon])?.empty()
}

/// A set of change numbers of some store, as many: every second number (MS-OXCFXICS 2.2.2.4.2).
fn read_set(count: u64) -> Vec<u8> {
    let mut set = vec![0xCC; 16];
    for n in 1..=count {
        set.push(6);
        set.extend(&(2 * n).to_be_bytes()[2..]);
    }
    set.push(0);
    set
}

/// RopLongTermIdFromId.
fn long_term_id(client: &mut Client, logon: Handle, id: u64) -> Vec<u8> {
    let rop = Rop::new(0x43, 0).u64(id);
    client.rop(&rop, &[logon]).unwrap().body
}

// MS-OXCSTOR 3.2.5.12, 3.2.5.13.
#[test]
fn what_a_user_has_read_is_carried_to_another_place_and_back() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let public = ada.public_logon().unwrap();
    let subtree = ada
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let folder = ada.create_folder(subtree, "Notices").unwrap();
    let (handle, folder_id) = (folder.handle, folder.folder_id);
    let ids: Vec<u64> = (0..5)
        .map(|n| post(&mut ada, handle, folder_id, &format!("notice {n}")))
        .collect();
    let id = long_term_id(&mut ada, public.handle, folder_id);
    set_read_flags(&mut ada, handle, 4, &[]);
    let nothing = read_per_user(&mut ada, public.handle, &id, 0, 0).unwrap();
    assert_eq!(nothing, (true, Vec::new()));
    set_read_flags(&mut ada, handle, 0, &[ids[1], ids[3]]);
    let (finished, data) = read_per_user(&mut ada, public.handle, &id, 0, 0).unwrap();
    assert!(finished);
    assert_eq!(data[..16], id[..16], "the REPLGUID of the public store");

    // In parts.
    let (finished, first) = read_per_user(&mut ada, public.handle, &id, 0, 10).unwrap();
    assert_eq!((finished, &first[..]), (false, &data[..10]));
    let (finished, rest) = read_per_user(&mut ada, public.handle, &id, 10, 1000).unwrap();
    assert_eq!((finished, &rest[..]), (true, &data[10..]));
    fails(
        read_per_user(&mut ada, public.handle, &id, 1000, 10),
        code::ERROR,
    );

    // Another user gets it, in parts as well.
    let mut bob = connect(&server, dir.path(), BOB);
    let to_bob = bob.public_logon().unwrap();
    let bobs = bob.open_folder(to_bob.handle, folder_id).unwrap();
    let mut write = |part| write_per_user(&mut bob, to_bob.handle, &id, part, None);
    write((false, 0, &data[..20])).unwrap();
    fails(write((true, 7, &data[20..])), code::ERROR);
    fails(write((true, 20, &data[20..])), code::ERROR);
    write((false, 0, &data[..20])).unwrap();
    write((true, 20, &data[20..])).unwrap();
    fails(write((true, 0, b"no set of numbers")), CORRUPT_DATA);
    let read: Vec<bool> = messages(&mut bob, bobs).iter().map(|row| row.1).collect();
    assert_eq!(read, [false, true, false, true, false]);
    write_per_user(&mut bob, to_bob.handle, &id, (true, 0, &[]), None).unwrap();
    assert!(messages(&mut bob, bobs).iter().all(|row| !row.1));

    // A folder that is not there.
    let mut unknown = id.clone();
    unknown[20] ^= 0x40;
    fails(
        read_per_user(&mut bob, to_bob.handle, &unknown, 0, 0),
        code::NOT_FOUND,
    );
    for rop in [
        Rop::new(0x60, 0).bytes(&[7; 16]),
        Rop::new(0x61, 0).bytes(&id),
    ] {
        fails(bob.rop(&rop, &[to_bob.handle]), code::NOT_SUPPORTED);
    }
}

// MS-OXCSTOR 3.2.5.10 to 3.2.5.13.
#[test]
fn a_mailbox_keeps_what_was_read_elsewhere() {
    let (dir, mut server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let logon = ada.logon().unwrap();
    let folder = |n: u8| {
        let mut id = vec![n; 22];
        id.extend([0, 0]);
        id
    };
    let of = |client: &mut Client, logon: Handle, guid: u8| {
        let rop = Rop::new(0x60, 0).bytes(&[guid; 16]);
        client.rop(&rop, &[logon]).unwrap().body
    };
    assert_eq!(of(&mut ada, logon.handle, 0xAA), [0, 0]);
    let store = Some([0xAA; 16]);
    let mut write = |n: u8, part| {
        let repl_guid = store.filter(|_| matches!(part, (_, 0, _)));
        write_per_user(&mut ada, logon.handle, &folder(n), part, repl_guid)
    };
    let (few, many) = (read_set(2), read_set(2860));
    write(1, (false, 0, &few[..12])).unwrap();
    write(1, (true, 12, &few[12..])).unwrap();
    write(2, (true, 0, &many)).unwrap();
    write(3, (true, 0, &few)).unwrap();
    // Nothing is something that the server keeps as well (3.2.5.13.2).
    write(3, (true, 0, b"")).unwrap();
    fails(write(4, (true, 0, b"no set of numbers")), CORRUPT_DATA);
    // More than there is room for.
    for offset in 0..4 {
        let last = write(4, (false, offset * 20_000, &[9; 20_000]));
        match offset {
            3 => fails(last, code::MEMORY),
            _ => last.unwrap(),
        }
    }

    server.stop();
    let mut server = TestServer::start_in(dir.path(), &[]);
    let mut ada = connect(&server, dir.path(), ADA);
    let logon = ada.logon().unwrap().handle;
    let (finished, data) = read_per_user(&mut ada, logon, &folder(1), 0, 0).unwrap();
    assert_eq!((finished, data), (true, few));
    let (finished, data) = read_per_user(&mut ada, logon, &folder(2), 0, 0).unwrap();
    assert_eq!((finished, data.len()), (false, 0x1000));
    // 3.2.5.12.1: 4096 bytes are the most too.
    let mut all = Vec::new();
    loop {
        let (finished, data) =
            read_per_user(&mut ada, logon, &folder(2), all.len() as u32, 0x7000).unwrap();
        all.extend(data);
        if finished {
            break;
        }
        assert_eq!(all.len() % 0x1000, 0);
    }
    assert_eq!(all, many);
    let end = all.len() as u32;
    let at_end = read_per_user(&mut ada, logon, &folder(2), end, 0).unwrap();
    assert_eq!(at_end, (true, Vec::new()));
    for beyond in [end + 1, u32::MAX] {
        fails(
            read_per_user(&mut ada, logon, &folder(2), beyond, 0),
            code::ERROR,
        );
    }
    let nothing = read_per_user(&mut ada, logon, &folder(3), 0, 0).unwrap();
    assert_eq!(nothing, (true, Vec::new()));
    let ids = of(&mut ada, logon, 0xAA);
    assert_eq!(ids[..2], [3, 0]);
    assert_eq!(ids[2..], [folder(1), folder(2), folder(3)].concat());
    assert_eq!(of(&mut ada, logon, 0xBB), [0, 0]);
    let guid = |n: u8| Rop::new(0x61, 0).bytes(&folder(n));
    assert_eq!(ada.rop(&guid(1), &[logon]).unwrap().body, [0xAA; 16]);
    assert_eq!(ada.rop(&guid(3), &[logon]).unwrap().body, [0xAA; 16]);
    fails(ada.rop(&guid(4), &[logon]), code::NOT_FOUND);
    server.stop();
}

// PublishingAuthor in MS-OXCPERM's terms; and MS-OXCPERM 2.2.7.
#[test]
fn each_user_changes_and_deletes_what_is_his_own() {
    let (dir, server) = server();
    let mut ada = connect(&server, dir.path(), ADA);
    let mut bob = connect(&server, dir.path(), BOB);
    let hers = ada.public_logon().unwrap();
    let his = bob.public_logon().unwrap();
    let subtree_id = hers.folder_ids[1];
    let ada_subtree = ada.open_folder(hers.handle, subtree_id).unwrap();
    let made = ada.create_folder(ada_subtree, "Notices").unwrap();
    let folder_id = made.folder_id;
    let folder = bob.open_folder(his.handle, folder_id).unwrap();
    let of_ada = post(&mut ada, made.handle, folder_id, "hers");
    let of_bob = post(&mut bob, folder, folder_id, "his");
    let mut open = |id, mode| bob.open_message(his.handle, folder_id, id, mode);
    open(of_ada, 0).unwrap();
    fails(open(of_ada, 1), code::ACCESS_DENIED);
    let own = open(of_bob, 1).unwrap().handle;
    bob.set_props(own, &[(tag::SUBJECT, text("his still"))])
        .unwrap();
    bob.save_message(own).unwrap();
    // Everybody reads for himself.
    assert_eq!(bob.set_read_flags(folder, &[of_ada], 0).unwrap(), 0);
    fails(bob.delete_messages(folder, &[of_ada]), code::ACCESS_DENIED);
    assert_eq!(bob.delete_messages(folder, &[of_ada, of_bob]).unwrap(), 1);
    // The folder is Ada's, who made it.
    fails(bob.permissions(folder), code::ACCESS_DENIED);
    fails(
        bob.set_props(folder, &[(tag::COMMENT, text("his"))]),
        code::ACCESS_DENIED,
    );
    let subtree = bob.open_folder(his.handle, subtree_id).unwrap();
    fails(
        bob.delete_folder(subtree, folder_id, 0x05),
        code::ACCESS_DENIED,
    );
    assert!(ada.permissions(made.handle).unwrap().len() >= 3);
    ada.set_props(made.handle, &[(tag::COMMENT, text("hers"))])
        .unwrap();
    assert_eq!(ada.delete_folder(ada_subtree, folder_id, 0x05).unwrap(), 0);
    // Nobody sees what the server keeps for itself.
    let root = bob.open_folder(his.handle, his.folder_ids[0]).unwrap();
    let (_, count) = bob.hierarchy_table(root, 0).unwrap();
    assert_eq!(count, 2);
    fails(
        bob.open_folder(his.handle, (0x45_u64 << 56) | 1),
        code::NOT_FOUND,
    );
}
