//! Folders: opening, making, deleting, listing (MS-OXCFOLD 3.2.5).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NO_HANDLE, NewFolder, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

const DEL_MESSAGES: u8 = 0x01;
const DEL_FOLDERS: u8 = 0x04;
const HARD_DELETE: u8 = 0x10;
const DEPTH: u8 = 0x04;
const SOFT_DELETES: u8 = 0x20;
const OPEN_SOFT_DELETED: u8 = 0x04;

/// Names and FIDs of the folders below one.
fn children(client: &mut Client, folder: Handle, flags: u8) -> Vec<(String, u64)> {
    let (table, count) = client.hierarchy_table(folder, flags).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::DISPLAY_NAME, tag::FOLDER_ID])
        .unwrap();
    client.release(table).unwrap();
    assert_eq!(rows.len(), count as usize, "RowCount");
    rows.iter().map(|row| (row.text(0), row.id(1))).collect()
}

// MS-OXCFOLD 3.2.5.1.
#[test]
fn opening_a_folder_that_is_not_there_fails() {
    let (mut client, logon) = ada();
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    for fid in [0, nothing, logon.inbox() ^ 1, u64::MAX] {
        fails(client.open_folder(logon.handle, fid), code::NOT_FOUND);
    }
}

#[test]
fn every_folder_of_the_logon_opens_and_has_no_ghosts() {
    let (mut client, logon) = ada();
    for fid in logon.folder_ids {
        let folder = client.open_folder_with(logon.handle, fid, 0).unwrap();
        assert_eq!((folder.has_rules, folder.is_ghosted), (0, 0));
        let row = client.get_props(folder.handle, &[tag::FOLDER_ID]).unwrap();
        assert_eq!(row.id(0), fid);
    }
}

#[test]
fn other_bits_of_open_mode_flags_are_ignored() {
    let (mut client, logon) = ada();
    for flags in [0x01, 0x02, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFB] {
        client
            .open_folder_with(logon.handle, logon.inbox(), flags)
            .unwrap();
    }
}

#[test]
fn a_folder_opens_from_any_other_folder() {
    let (mut client, logon) = ada();
    let outbox = client
        .open_folder(logon.handle, logon.folder_ids[Logon::OUTBOX])
        .unwrap();
    let inbox = client.open_folder(outbox, logon.inbox()).unwrap();
    let row = client.get_props(inbox, &[tag::FOLDER_ID]).unwrap();
    assert_eq!(row.id(0), logon.inbox());
}

// MS-OXCFOLD 2.2.1.2 and 3.2.5.2.
#[test]
fn a_new_folder_is_there_at_once_with_its_name_and_comment() {
    let (mut client, logon) = ada();
    let (parent, parent_id) = new_folder(&mut client, &logon);
    let made = client
        .create_folder_with(
            parent,
            &NewFolder {
                comment: "rigging",
                ..NewFolder::named("Tauwerk \u{2693} \u{1F6A2}")
            },
        )
        .unwrap();
    assert_eq!(made.is_existing_folder, 0);
    assert_eq!(made.folder_id as u16, logon.repl_id);
    let (mut other, other_logon) = ada();
    let folder = other
        .open_folder(other_logon.handle, made.folder_id)
        .unwrap();
    let row = other
        .get_props(
            folder,
            &[
                tag::DISPLAY_NAME,
                tag::COMMENT,
                tag::PARENT_FOLDER_ID,
                tag::FOLDER_TYPE,
                tag::CONTENT_COUNT,
                tag::SUBFOLDERS,
                tag::FOLDER_ID,
            ],
        )
        .unwrap();
    assert_eq!(row.text(0), "Tauwerk \u{2693} \u{1F6A2}");
    assert_eq!(row.text(1), "rigging");
    assert_eq!(row.id(2), parent_id);
    assert_eq!(row.int(3), 1);
    assert_eq!(row.int(4), 0);
    assert!(!row.flag(5));
    assert_eq!(row.id(6), made.folder_id);
    let parents = client.get_props(parent, &[tag::SUBFOLDERS]).unwrap();
    assert!(parents.flag(0));
}

#[test]
fn folder_names_are_unique_among_siblings_in_any_case() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let first = client.create_folder(parent, "Hawser").unwrap();
    fails(client.create_folder(parent, "Hawser"), code::DUPLICATE_NAME);
    fails(client.create_folder(parent, "hAWSER"), code::DUPLICATE_NAME);
    let again = client
        .create_folder_with(
            parent,
            &NewFolder {
                open_existing: 1,
                ..NewFolder::named("Hawser")
            },
        )
        .unwrap();
    assert_eq!(again.folder_id, first.folder_id);
    // MS-OXCFOLD 2.2.1.2.2: IsExistingFolder is for public folders alone.
    assert_eq!(again.is_existing_folder, 0);
    // OpenExisting makes one that is not there.
    let new = client
        .create_folder_with(
            parent,
            &NewFolder {
                open_existing: 1,
                ..NewFolder::named("Painter")
            },
        )
        .unwrap();
    assert_eq!(new.is_existing_folder, 0);
    // The same name elsewhere is another folder.
    client.create_folder(new.handle, "Hawser").unwrap();
    assert_eq!(children(&mut client, parent, 0).len(), 2);
}

#[test]
fn folders_that_cannot_be_made() {
    let (mut client, logon) = ada();
    let (parent, folder_id) = new_folder(&mut client, &logon);
    for folder_type in [0, 3, 0xFF] {
        fails(
            client.create_folder_with(
                parent,
                &NewFolder {
                    folder_type,
                    ..NewFolder::named("x")
                },
            ),
            code::INVALID_PARAMETER,
        );
    }
    fails(client.create_folder(parent, ""), code::INVALID_PARAMETER);
    let message = client.create_message(parent, folder_id).unwrap();
    fails(client.create_folder(message, "x"), code::NOT_SUPPORTED);
    assert!(children(&mut client, parent, 0).is_empty());
}

#[test]
fn a_name_in_the_code_page_of_the_logon_is_understood() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let made = client
        .create_folder_with(
            parent,
            &NewFolder {
                unicode: false,
                ..NewFolder::named("Plain")
            },
        )
        .unwrap();
    // Windows-1252: 0x80 is the euro sign.
    let rop = Rop::new(0x1C, 0)
        .u8(1)
        .u8(1)
        .u8(0)
        .u8(0)
        .u8(0)
        .bytes(b"\x80uro\0")
        .bytes(b"\0");
    client.rop(&rop, &[parent, NO_HANDLE]).unwrap();
    let mut names: Vec<String> = children(&mut client, parent, 0)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort();
    assert_eq!(names, ["Plain", "\u{20AC}uro"]);
    assert_ne!(made.folder_id, 0);
}

// MS-OXCFOLD 3.2.5.3.
#[test]
fn a_folder_with_messages_or_subfolders_needs_the_flags_to_go() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let full = client.create_folder(parent, "Full").unwrap();
    new_message(&mut client, full.handle, full.folder_id, "stays");
    let nested = client.create_folder(full.handle, "Nested").unwrap();
    for flags in [0, DEL_MESSAGES, DEL_FOLDERS] {
        let partial = client
            .delete_folder(parent, full.folder_id, flags | HARD_DELETE)
            .unwrap();
        assert_ne!(partial, 0, "{flags}");
        let row = client
            .get_props(full.handle, &[tag::CONTENT_COUNT, tag::SUBFOLDERS])
            .unwrap();
        assert_eq!((row.int(0), row.flag(1)), (1, true), "{flags}");
    }
    let both = DEL_MESSAGES | DEL_FOLDERS | HARD_DELETE;
    assert_eq!(
        client.delete_folder(parent, full.folder_id, both).unwrap(),
        0
    );
    for fid in [full.folder_id, nested.folder_id] {
        fails(client.open_folder(logon.handle, fid), code::NOT_FOUND);
        fails(
            client.open_folder_with(logon.handle, fid, OPEN_SOFT_DELETED),
            code::NOT_FOUND,
        );
    }
    assert!(children(&mut client, parent, 0).is_empty());
    fails(
        client.delete_folder(parent, full.folder_id, both),
        code::NOT_FOUND,
    );
    // Its name is free.
    client.create_folder(parent, "Full").unwrap();
}

#[test]
fn a_soft_deleted_folder_can_still_be_opened_as_one() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let made = client.create_folder(parent, "Soft").unwrap();
    assert_eq!(client.delete_folder(parent, made.folder_id, 0).unwrap(), 0);
    fails(
        client.open_folder(logon.handle, made.folder_id),
        code::NOT_FOUND,
    );
    assert!(children(&mut client, parent, 0).is_empty());
    assert_eq!(
        children(&mut client, parent, SOFT_DELETES),
        [("Soft".to_owned(), made.folder_id)]
    );
    let soft = client
        .open_folder_with(logon.handle, made.folder_id, OPEN_SOFT_DELETED)
        .unwrap();
    fails(client.create_folder(soft.handle, "x"), code::NOT_FOUND);
}

#[test]
fn folders_that_cannot_be_deleted() {
    let (mut client, logon) = ada();
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let ipm = client
        .open_folder(logon.handle, logon.ipm_subtree())
        .unwrap();
    let (parent, parent_id) = new_folder(&mut client, &logon);
    let made = client.create_folder(parent, "Here").unwrap();
    let both = DEL_MESSAGES | DEL_FOLDERS;
    fails(
        client.delete_folder(ipm, logon.inbox(), both),
        code::ACCESS_DENIED,
    );
    fails(
        client.delete_folder(root, logon.ipm_subtree(), both),
        code::ACCESS_DENIED,
    );
    fails(
        client.delete_folder(root, logon.root(), both),
        code::NOT_SUPPORTED,
    );
    // An invalid bit.
    fails(
        client.delete_folder(parent, made.folder_id, 0x80),
        code::INVALID_PARAMETER,
    );
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    fails(client.delete_folder(parent, nothing, both), code::NOT_FOUND);
    let message = client.create_message(parent, parent_id).unwrap();
    fails(
        client.delete_folder(message, made.folder_id, both),
        code::NOT_SUPPORTED,
    );
    client.open_folder(logon.handle, made.folder_id).unwrap();
    client.open_folder(logon.handle, logon.inbox()).unwrap();
}

#[test]
fn a_failed_delete_folder_still_tells_partial_completion() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    // MS-OXCROPS 2.2.4.3.2: PartialCompletion follows a failing ReturnValue too.
    let rop = Rop::new(0x1D, 0).u8(0).u64(logon.inbox() ^ 0x0100_0000);
    let payload = client.execute(&[rop], &[parent]).unwrap();
    assert_eq!(payload.rops.len(), 7, "{:02x?}", payload.rops);
}

// MS-OXCFOLD 2.2.1.13.1 and 3.2.5.13.
#[test]
fn a_hierarchy_table_lists_children_or_with_depth_everything_below() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let a = client.create_folder(parent, "A").unwrap();
    let b = client.create_folder(parent, "B").unwrap();
    let c = client.create_folder(a.handle, "C").unwrap();
    let d = client.create_folder(c.handle, "D").unwrap();
    let ids = |rows: Vec<(String, u64)>| {
        let mut ids: Vec<u64> = rows.into_iter().map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids
    };
    let mut direct = vec![a.folder_id, b.folder_id];
    direct.sort_unstable();
    assert_eq!(ids(children(&mut client, parent, 0)), direct);
    let mut all = vec![a.folder_id, b.folder_id, c.folder_id, d.folder_id];
    all.sort_unstable();
    assert_eq!(ids(children(&mut client, parent, DEPTH)), all);
    let (table, _) = client.hierarchy_table(parent, DEPTH).unwrap();
    let depths: Vec<(String, i32)> = client
        .query_all_rows(table, &[tag::DISPLAY_NAME, tag::DEPTH])
        .unwrap()
        .iter()
        .map(|row| (row.text(0), row.int(1)))
        .collect();
    // MS-OXCFOLD 2.2.2.2.2.7 counts from the folder that the table is of: a parent stands before
    // its children and is one less deep.
    let depth = |name: &str| depths.iter().position(|(found, _)| found == name).unwrap();
    assert_eq!(depths[depth("C")].1, depths[depth("A")].1 + 1, "{depths:?}");
    assert_eq!(depths[depth("D")].1, depths[depth("C")].1 + 1, "{depths:?}");
    assert_eq!(depths[depth("A")].1, depths[depth("B")].1, "{depths:?}");
    assert!(depth("A") < depth("C") && depth("C") < depth("D"));
}

#[test]
fn tables_refuse_flags_and_objects_that_make_no_sense() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    // MS-OXCFOLD 3.2.5.13 and 3.2.5.14 name different codes.
    for flags in [0x01, 0x02] {
        fails(client.hierarchy_table(folder, flags), code::NOT_SUPPORTED);
    }
    for flags in [0x01, 0x04] {
        fails(
            client.contents_table(folder, flags),
            code::INVALID_PARAMETER,
        );
    }
    let message = client.create_message(folder, folder_id).unwrap();
    fails(client.hierarchy_table(message, 0), code::NOT_SUPPORTED);
    fails(client.contents_table(message, 0), code::NOT_SUPPORTED);
}

// MS-OXCFOLD 2.2.2: what the server computes.
#[test]
fn counts_of_a_folder_follow_its_messages() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let counts = |client: &mut Client| {
        let row = client
            .get_props(
                folder,
                &[
                    tag::CONTENT_COUNT,
                    tag::CONTENT_UNREAD_COUNT,
                    tag::ASSOCIATED_CONTENT_COUNT,
                ],
            )
            .unwrap();
        (row.int(0), row.int(1), row.int(2))
    };
    assert_eq!(counts(&mut client), (0, 0, 0));
    let (_, first) = new_message(&mut client, folder, folder_id, "one");
    let (_, second) = new_message(&mut client, folder, folder_id, "two");
    // A message that a client made is read (MS-OXCMSG 3.2.5.2).
    assert_eq!(counts(&mut client), (2, 0, 0));
    // rfClearReadFlag and rfSuppressReceipt, which has to go with it.
    assert_eq!(client.set_read_flags(folder, &[first], 0x05).unwrap(), 0);
    assert_eq!(counts(&mut client), (2, 1, 0));
    let associated = client.create_message_with(folder, folder_id, true).unwrap();
    client.save_message(associated.handle).unwrap();
    assert_eq!(counts(&mut client), (2, 1, 1));
    assert_eq!(client.delete_messages(folder, &[first, second]).unwrap(), 0);
    assert_eq!(counts(&mut client), (0, 0, 1));
}

#[test]
fn a_folder_takes_properties_at_once_and_keeps_computed_ones() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    client
        .set_props(
            folder,
            &[
                (tag::COMMENT, text("spliced")),
                (tag::CONTAINER_CLASS, text("IPF.Note")),
                (0x36DF_0102, Value::Binary(vec![1, 2, 3])),
            ],
        )
        .unwrap();
    let (mut other, other_logon) = ada();
    let same = other.open_folder(other_logon.handle, folder_id).unwrap();
    let row = other
        .get_props(same, &[tag::COMMENT, tag::CONTAINER_CLASS, 0x36DF_0102])
        .unwrap();
    assert_eq!(row.text(0), "spliced");
    assert_eq!(row.text(1), "IPF.Note");
    assert_eq!(row.binary(2), [1, 2, 3]);
    // Computed ones are never set, whatever RopSetProperties says.
    let _ = client.try_set_props(
        folder,
        &[
            (tag::CONTENT_COUNT, Value::Integer32(77)),
            (tag::FOLDER_ID, Value::Integer64(5)),
            (tag::FOLDER_TYPE, Value::Integer32(2)),
        ],
    );
    let row = other
        .get_props(
            same,
            &[tag::CONTENT_COUNT, tag::FOLDER_ID, tag::FOLDER_TYPE],
        )
        .unwrap();
    assert_eq!(row.int(0), 0);
    assert_eq!(row.id(1), folder_id);
    assert_eq!(row.int(2), 1);
    assert!(
        client
            .delete_props(folder, &[tag::COMMENT])
            .unwrap()
            .is_empty()
    );
    let row = other.get_props(same, &[0x36DF_0102, 0x36E0_0102]).unwrap();
    assert_eq!(row.binary(0), [1, 2, 3]);
    assert_eq!(row.error(1), code::NOT_FOUND);
}

#[test]
fn a_renamed_folder_must_not_take_the_name_of_a_sibling() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    client.create_folder(parent, "Warp").unwrap();
    let weft = client.create_folder(parent, "Weft").unwrap();
    client
        .set_props(weft.handle, &[(tag::DISPLAY_NAME, text("Woof"))])
        .unwrap();
    // MS-OXCFOLD 2.2.2.2.2.5: PidTagDisplayName is unique among siblings.
    let result = client.try_set_props(weft.handle, &[(tag::DISPLAY_NAME, text("warp"))]);
    match result {
        Ok(problems) => {
            assert_eq!(problems.len(), 1, "{problems:x?}");
            assert_eq!(problems[0].code, code::DUPLICATE_NAME);
        }
        Err(error) => assert_eq!(error.code(), code::DUPLICATE_NAME),
    }
    let mut names: Vec<String> = children(&mut client, parent, 0)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    names.sort();
    assert_eq!(names, ["Warp", "Woof"]);
}

// MS-OXCFOLD 3.2.5.2 and 3.2.5.6.
#[test]
fn a_search_folder_can_be_made_and_takes_no_messages() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let finder = client
        .open_folder(logon.handle, logon.folder_ids[Logon::SEARCH])
        .unwrap();
    let search = client
        .create_folder_with(
            finder,
            &NewFolder {
                folder_type: 2,
                ..NewFolder::named("Everything")
            },
        )
        .unwrap();
    let row = client
        .get_props(search.handle, &[tag::FOLDER_TYPE, tag::CONTENT_COUNT])
        .unwrap();
    assert_eq!((row.int(0), row.int(1)), (2, 0));
    let (_, id) = new_message(&mut client, folder, folder_id, "real");
    fails(
        client.move_copy_messages(folder, search.handle, &[id], true),
        0x0000_0460,
    );
    assert_eq!(client.contents_table(search.handle, 0).unwrap().1, 0);
    assert_eq!(
        client
            .delete_folder(finder, search.folder_id, 0x10)
            .unwrap(),
        0
    );
}

/// A folder with one message, and with a subfolder that has one too: handle and FID, and the FID of the subfolder.
fn tree(client: &mut Client, parent: Handle, name: &str) -> (Handle, u64, u64) {
    let outer = client.create_folder(parent, name).unwrap();
    let inner = client.create_folder(outer.handle, "inner").unwrap();
    for (folder, id) in [
        (outer.handle, outer.folder_id),
        (inner.handle, inner.folder_id),
    ] {
        new_message(client, folder, id, "a");
    }
    (outer.handle, outer.folder_id, inner.folder_id)
}

/// Counts of messages and of subfolders.
fn held(client: &mut Client, folder: Handle) -> (i32, usize) {
    let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
    (row.int(0), children(client, folder, 0).len())
}

// MS-OXCFOLD 2.2.1.7 and 3.2.5.7.
#[test]
fn a_moved_folder_keeps_its_id_and_all_that_is_in_it() {
    let (mut client, logon) = ada();
    let (from, _) = new_folder(&mut client, &logon);
    let (to, to_id) = new_folder(&mut client, &logon);
    let (outer, outer_id, inner_id) = tree(&mut client, from, "outer");
    assert_eq!(
        client
            .move_folder(from, to, outer_id, "Neu \u{2693}")
            .unwrap(),
        0
    );
    assert_eq!(children(&mut client, from, 0), []);
    assert_eq!(
        children(&mut client, to, 0),
        [("Neu \u{2693}".to_owned(), outer_id)]
    );
    // The handle from before goes on.
    assert_eq!(held(&mut client, outer), (1, 1));
    assert_eq!(children(&mut client, outer, 0)[0].1, inner_id);
    let row = client.get_props(outer, &[tag::PARENT_FOLDER_ID]).unwrap();
    assert_eq!(row.id(0), to_id);
    // An empty name leaves it the one it has.
    assert_eq!(client.move_folder(to, from, outer_id, "").unwrap(), 0);
    assert_eq!(children(&mut client, from, 0)[0].0, "Neu \u{2693}");
}

// MS-OXCFOLD 2.2.1.8 and 3.2.5.8.
#[test]
fn a_copied_folder_is_another_one_with_its_subfolders_if_wanted() {
    let (mut client, logon) = ada();
    let (from, _) = new_folder(&mut client, &logon);
    let (to, _) = new_folder(&mut client, &logon);
    let (outer, outer_id, inner_id) = tree(&mut client, from, "outer");
    for (name, deep) in [("deep", true), ("flat", false)] {
        assert_eq!(
            client.copy_folder(from, to, outer_id, name, deep).unwrap(),
            0
        );
    }
    assert_eq!(held(&mut client, outer), (1, 1));
    let copies = children(&mut client, to, 0);
    assert_eq!(
        (copies[0].0.as_str(), copies[1].0.as_str()),
        ("deep", "flat")
    );
    let deep = client.open_folder(logon.handle, copies[0].1).unwrap();
    let flat = client.open_folder(logon.handle, copies[1].1).unwrap();
    assert_eq!(held(&mut client, deep), (1, 1));
    assert_eq!(held(&mut client, flat), (1, 0));
    let below = children(&mut client, deep, 0)[0].1;
    assert_ne!(below, inner_id);
    let below = client.open_folder(logon.handle, below).unwrap();
    assert_eq!(held(&mut client, below), (1, 0));
}

#[test]
fn moving_and_copying_fail_as_specified_and_change_nothing() {
    const FOLDER_CYCLE: u32 = 0x8004_060B;
    let (mut client, logon) = ada();
    let (from, _) = new_folder(&mut client, &logon);
    let (outer, outer_id, inner_id) = tree(&mut client, from, "outer");
    let inner = client.open_folder(from, inner_id).unwrap();
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    let root = logon.folder_ids[0];
    let (message, _) = new_message(&mut client, outer, outer_id, "b");
    for copy in [false, true] {
        let mut both = |source, dest, id, name: &str| match copy {
            true => client.copy_folder(source, dest, id, name, true),
            false => client.move_folder(source, dest, id, name),
        };
        fails(both(from, inner, outer_id, "x"), FOLDER_CYCLE);
        fails(both(from, outer, outer_id, "x"), FOLDER_CYCLE);
        fails(both(outer, from, inner_id, "OUTER"), code::DUPLICATE_NAME);
        fails(both(from, outer, nothing, "x"), code::NOT_FOUND);
        fails(both(from, outer, root, "x"), code::NOT_SUPPORTED);
        fails(both(message, outer, inner_id, "x"), code::NOT_SUPPORTED);
        fails(both(outer, message, inner_id, "x"), code::NOT_SUPPORTED);
        fails(
            both(outer, NO_HANDLE, inner_id, "x"),
            code::NULL_DESTINATION_OBJECT,
        );
        fails(both(NO_HANDLE, outer, inner_id, "x"), code::NULL_OBJECT);
    }
    // What every mailbox begins with stays where it is.
    fails(
        client.move_folder(logon.handle, outer, logon.inbox(), "x"),
        code::NOT_SUPPORTED,
    );
    fails(
        client.move_folder(from, outer, logon.inbox(), "x"),
        code::ACCESS_DENIED,
    );
    assert_eq!(held(&mut client, outer), (2, 1));
    assert_eq!(children(&mut client, from, 0).len(), 1);
}

// MS-OXCPRPT 2.2.11.1, WantSubObjects, and 3.2.5.8.
#[test]
fn copy_to_takes_subfolders_along_or_none() {
    let (mut client, logon) = ada();
    let (from, _) = new_folder(&mut client, &logon);
    let (to, _) = new_folder(&mut client, &logon);
    tree(&mut client, from, "one");
    tree(&mut client, from, "two");
    // With the display name left out.
    let copy = |flags: u8| {
        Rop::new(0x39, 0)
            .u8(1)
            .u8(0)
            .u8(1)
            .u8(flags)
            .u16(1)
            .u32(tag::DISPLAY_NAME)
    };
    client.rop(&copy(0), &[from, to]).unwrap();
    let names = |children: Vec<(String, u64)>| {
        let names = children.into_iter().map(|(name, _)| name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(children(&mut client, to, 0)), ["one", "two"]);
    assert_eq!(names(children(&mut client, from, 0)), ["one", "two"]);
    let failed = client.rop(&copy(0), &[from, to]).map(|_| ());
    fails(failed, code::DUPLICATE_NAME);
    let (other, _) = new_folder(&mut client, &logon);
    client.rop(&copy(1), &[from, other]).unwrap();
    assert_eq!(names(children(&mut client, other, 0)), ["one", "two"]);
    assert_eq!(children(&mut client, from, 0), []);
}
