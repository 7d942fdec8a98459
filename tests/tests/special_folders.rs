//! The folders of a fresh mailbox (MS-OXOSFLD, MS-OXCSTOR 2.2.1.1.3 and 3.2.3).

use std::collections::BTreeMap;

use ropewalk_tests::{
    client::{Cells as _, Client, Logon, Value},
    fixture::{ADA, PASSWORD, code, legacy_dn, log_on, tag},
    server::{TestServer, add_user},
};

/// A mailbox that nothing has been done to.
fn fresh() -> (TestServer, Client, Logon) {
    let server = TestServer::start(&[]);
    add_user(server.data_dir(), ADA, "Ada Lovelace", PASSWORD);
    let dn = legacy_dn(server.data_dir(), ADA);
    let (client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    (server, client, logon)
}

struct Folder {
    parent: u64,
    name: String,
    class: Option<String>,
    hidden: bool,
    folder_type: i32,
}

/// Everything below the root.
fn tree(client: &mut Client, logon: &Logon) -> BTreeMap<u64, Folder> {
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let (table, _) = client.hierarchy_table(root, 0x04).unwrap();
    let columns = [
        tag::FOLDER_ID,
        tag::PARENT_FOLDER_ID,
        tag::DISPLAY_NAME,
        tag::CONTAINER_CLASS,
        tag::ATTRIBUTE_HIDDEN,
        tag::FOLDER_TYPE,
    ];
    client
        .query_all_rows(table, &columns)
        .unwrap()
        .iter()
        .map(|row| {
            let class = row.cells[3].value().map(|_| row.text(3));
            let hidden = row.cells[4].value().is_some() && row.flag(4);
            let folder = Folder {
                parent: row.id(1),
                name: row.text(2),
                class: class.filter(|class| !class.is_empty()),
                hidden,
                folder_type: row.int(5),
            };
            (row.id(0), folder)
        })
        .collect()
}

/// A Folder EntryID (MS-OXCDATA 2.2.4.1) of this mailbox, as its FID.
fn fid_of(entry_id: &[u8], logon: &Logon) -> u64 {
    assert_eq!(entry_id.len(), 46, "{entry_id:02x?}");
    assert_eq!(entry_id[..4], [0; 4], "Flags");
    assert_eq!(entry_id[4..20], logon.mailbox_guid, "ProviderUID");
    assert_eq!(entry_id[20..22], [1, 0], "FolderType");
    assert_eq!(entry_id[22..38], logon.repl_guid, "DatabaseGuid");
    assert_eq!(entry_id[44..], [0, 0], "Pad");
    let mut fid = [0; 8];
    fid[..2].copy_from_slice(&logon.repl_id.to_le_bytes());
    fid[2..].copy_from_slice(&entry_id[38..44]);
    u64::from_le_bytes(fid)
}

#[test]
fn the_tree_of_a_fresh_mailbox_is_whole() {
    let (_server, mut client, logon) = fresh();
    let tree = tree(&mut client, &logon);
    let (root, ipm) = (logon.root(), logon.ipm_subtree());

    // The folders that RopLogon tells, under their parents.
    for index in [1, 2, 3, 8, 9, 10, 11, 12] {
        let folder = &tree[&logon.folder_ids[index]];
        assert_eq!(folder.parent, root, "{}", folder.name);
        assert_eq!(folder.class, None, "{}", folder.name);
    }
    for index in [4, 5, 6, 7] {
        let folder = &tree[&logon.folder_ids[index]];
        assert_eq!(folder.parent, ipm, "{}", folder.name);
        assert_eq!(folder.class.as_deref(), Some("IPF.Note"), "{}", folder.name);
    }
    // MS-OXCSTOR 2.2.1.1.3: the spooler queue is a search folder.
    assert_eq!(tree[&logon.folder_ids[Logon::SPOOLER_QUEUE]].folder_type, 2);
    assert_eq!(tree[&logon.inbox()].folder_type, 1);
    assert_eq!(tree[&logon.inbox()].name, "Inbox");
    assert_eq!(
        tree[&logon.folder_ids[Logon::SENT_ITEMS]].name,
        "Sent Items"
    );
    assert_eq!(
        tree[&logon.folder_ids[Logon::DELETED_ITEMS]].name,
        "Deleted Items"
    );

    // Every parent is in the tree too, and no name stands twice below one.
    for (fid, folder) in &tree {
        assert!(
            folder.parent == root || tree.contains_key(&folder.parent),
            "{}",
            folder.name
        );
        assert!(
            !tree.iter().any(|(other, sibling)| other != fid
                && sibling.parent == folder.parent
                && sibling.name.eq_ignore_ascii_case(&folder.name)),
            "{}",
            folder.name
        );
    }
}

#[test]
fn identification_properties_stand_on_the_inbox_and_on_the_root() {
    let (_server, mut client, logon) = fresh();
    let tree = tree(&mut client, &logon);
    let (root, ipm) = (logon.root(), logon.ipm_subtree());
    for on in [logon.inbox(), root] {
        let folder = client.open_folder(logon.handle, on).unwrap();
        let row = client
            .get_props(
                folder,
                &[
                    0x36D0_0102,
                    0x36D1_0102,
                    0x36D2_0102,
                    0x36D3_0102,
                    0x36D4_0102,
                    0x36D7_0102,
                    0x36D8_1102,
                    0x36D9_0102,
                    0x36E4_1102,
                ],
            )
            .unwrap();
        let check = |entry_id: &[u8], class: &str, parent: u64| {
            let fid = fid_of(entry_id, &logon);
            let folder = &tree[&fid];
            assert_eq!(folder.class.as_deref(), Some(class), "{}", folder.name);
            assert_eq!(folder.parent, parent, "{}", folder.name);
            fid
        };
        check(row.binary(0), "IPF.Appointment", ipm);
        let contacts = check(row.binary(1), "IPF.Contact", ipm);
        check(row.binary(2), "IPF.Journal", ipm);
        check(row.binary(3), "IPF.StickyNote", ipm);
        check(row.binary(4), "IPF.Task", ipm);
        check(row.binary(5), "IPF.Note", ipm);
        // MS-OXOSFLD 2.2.4: Conflicts, Sync Issues, Local Failures, Server Failures, Junk E-mail.
        let Value::MultipleBinary(more) = row.value(6) else {
            panic!("{row:?}")
        };
        assert!(more.len() >= 5, "{more:02x?}");
        let sync_issues = check(&more[1], "IPF.Note", ipm);
        for index in [0, 2, 3] {
            check(&more[index], "IPF.Note", sync_issues);
        }
        check(&more[4], "IPF.Note", ipm);
        // MS-OXOSFLD 2.2.5: blocks of persisted elements, each with one entry id.
        let mut rest = row.binary(7);
        let mut found = Vec::new();
        while rest.len() >= 4 {
            let id = u16::from_le_bytes([rest[0], rest[1]]);
            let size = usize::from(u16::from_le_bytes([rest[2], rest[3]]));
            let data = &rest[4..4 + size];
            rest = &rest[4 + size..];
            if id == 0 {
                break;
            }
            assert_eq!(data[..4], [1, 0, 46, 0], "block {id:#x}");
            let fid = fid_of(&data[4..50], &logon);
            assert!(tree.contains_key(&fid), "block {id:#x}");
            found.push((id, fid));
        }
        for (id, fid) in &found {
            let folder = &tree[fid];
            let class = folder.class.as_deref();
            match id {
                0x8006 => {
                    assert_eq!(class, Some("IPF.Configuration"));
                    assert!(folder.hidden, "{}", folder.name);
                    assert_eq!(folder.parent, ipm);
                }
                0x800A | 0x800B => {
                    assert!(folder.hidden, "{}", folder.name);
                    assert_eq!(folder.parent, contacts);
                }
                _ => {}
            }
        }
        // MS-OXOSFLD 2.2.6: Freebusy Data is the fourth.
        let Value::MultipleBinary(free_busy) = row.value(8) else {
            panic!("{row:?}")
        };
        assert!(free_busy.len() >= 4, "{free_busy:02x?}");
        let fid = fid_of(&free_busy[3], &logon);
        assert_eq!(tree[&fid].parent, root, "{}", tree[&fid].name);
    }
}

// MS-OXCSTOR 3.2.3.
#[test]
fn the_receive_folder_table_of_a_fresh_mailbox() {
    let (_server, mut client, logon) = fresh();
    let (inbox, root) = (logon.inbox(), logon.root());
    for (class, fid) in [
        ("", inbox),
        ("IPM", inbox),
        ("REPORT.IPM", inbox),
        ("IPC", root),
    ] {
        let (found, explicit) = client.get_receive_folder(logon.handle, class).unwrap();
        assert_eq!(found, fid, "{class}");
        assert!(explicit.eq_ignore_ascii_case(class), "{explicit}");
    }
}

#[test]
fn a_special_folder_of_a_fresh_mailbox_is_empty_and_can_be_written_to() {
    let (_server, mut client, logon) = fresh();
    for index in 3..8 {
        let fid = logon.folder_ids[index];
        let folder = client.open_folder(logon.handle, fid).unwrap();
        let row = client
            .get_props(folder, &[tag::CONTENT_COUNT, tag::CONTENT_UNREAD_COUNT])
            .unwrap();
        assert_eq!((row.int(0), row.int(1)), (0, 0));
        let message = client.create_message(folder, fid).unwrap();
        client.save_message(message).unwrap();
        let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
        assert_eq!(row.int(0), 1);
    }
    // MS-OXOSFLD: entry ids on the logon's folders name the folders themselves.
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    let row = client
        .get_props(
            inbox,
            &[
                tag::ENTRY_ID,
                tag::PARENT_ENTRY_ID,
                tag::SOURCE_KEY,
                0x36D5_0003,
            ],
        )
        .unwrap();
    assert_eq!(fid_of(row.binary(0), &logon), logon.inbox());
    assert_eq!(fid_of(row.binary(1), &logon), logon.ipm_subtree());
    assert_eq!(row.binary(2)[..16], logon.repl_guid);
    assert_eq!(row.binary(2)[16..], logon.inbox().to_le_bytes()[2..]);
    assert_eq!(row.error(3), code::NOT_FOUND);
}
