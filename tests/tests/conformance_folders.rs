//! Folders as the specification's cases have them (MS-OXCFOLD 3.2.5 and 2.2.2).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NewFolder, Result, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::Reader;

const DEL_MESSAGES: u8 = 0x01;
const DEL_FOLDERS: u8 = 0x04;
const HARD_DELETE: u8 = 0x10;
const OPEN_SOFT_DELETED: u8 = 0x04;
const SOFT_DELETES: u8 = 0x20;
const ASSOCIATED: u8 = 0x02;
const FOLDER_SEARCH: u8 = 2;

const DELETED_ON: u32 = 0x668F_0040;
const MESSAGE_SIZE_EXTENDED: u32 = 0x0E08_0014;
const DELETED_COUNT_TOTAL: u32 = 0x670B_0003;
const HIERARCHY_CHANGE_NUMBER: u32 = 0x663E_0003;
const RIGHTS: u32 = 0x6639_0003;
/// MAPI_E_COMPUTED.
const COMPUTED: u32 = 0x8004_011A;

/// RopEmptyFolder (0x58) or RopHardDeleteMessagesAndSubfolders (0x92): PartialCompletion.
fn empty(client: &mut Client, id: u8, folder: Handle, associated: bool) -> Result<u8> {
    let rop = Rop::new(id, 0).u8(0).u8(u8::from(associated));
    client.rop(&rop, &[folder])?.read(Reader::u8)
}

fn rows(client: &mut Client, folder: Handle, flags: u8) -> u32 {
    client.contents_table(folder, flags).unwrap().1
}

fn search_folder(client: &mut Client, parent: Handle, name: &str) -> Handle {
    let folder = NewFolder {
        folder_type: FOLDER_SEARCH,
        ..NewFolder::named(name)
    };
    client.create_folder_with(parent, &folder).unwrap().handle
}

// MS-OXCFOLD 3.2.5.1.
#[test]
fn a_folder_opens_from_logons_and_folders_by_an_id_of_this_mailbox() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for from in [logon.handle, folder] {
        let opened = client.open_folder_with(from, folder_id, 0).unwrap();
        assert_eq!((opened.has_rules, opened.is_ghosted), (0, 0));
    }
    let (message, message_id) = new_message(&mut client, folder, folder_id, "no folder");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    for from in [message, table] {
        fails(client.open_folder(from, folder_id), code::NOT_SUPPORTED);
    }
    let foreign = (folder_id & !0xFFFF) | 0x7FFF;
    for fid in [0, folder_id & 0xFFFF, foreign, message_id, u64::MAX] {
        for flags in [0, OPEN_SOFT_DELETED] {
            fails(
                client.open_folder_with(logon.handle, fid, flags),
                code::NOT_FOUND,
            );
        }
    }
}

// MS-OXCFOLD 2.2.1.1.1, 3.2.5.1, 3.2.5.3 and 2.2.2.2.1.3.
#[test]
fn a_soft_deleted_folder_tells_when_it_was_deleted() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let gone = client.create_folder(parent, "Gone").unwrap();
    let stays = client.create_folder(parent, "Stays").unwrap();
    let row = client.get_props(stays.handle, &[DELETED_ON]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    assert_eq!(
        client
            .delete_folder(parent, gone.folder_id, DEL_FOLDERS)
            .unwrap(),
        0
    );
    fails(client.open_folder(parent, gone.folder_id), code::NOT_FOUND);
    // The bit opens both kinds.
    for folder in [&gone, &stays] {
        client
            .open_folder_with(logon.handle, folder.folder_id, OPEN_SOFT_DELETED)
            .unwrap();
    }
    let soft = client
        .open_folder_with(parent, gone.folder_id, OPEN_SOFT_DELETED)
        .unwrap();
    let row = client.get_props(soft.handle, &[DELETED_ON]).unwrap();
    assert_ne!(row.time(0), 0);
    // Nothing is made below it, whichever handle it is tried with (3.2.5.2).
    for handle in [gone.handle, soft.handle] {
        fails(client.create_folder(handle, "Below"), code::NOT_FOUND);
    }
    // It can still be deleted for good.
    let hard = DEL_FOLDERS | HARD_DELETE;
    assert_eq!(
        client.delete_folder(parent, gone.folder_id, hard).unwrap(),
        0
    );
    fails(
        client.open_folder_with(parent, gone.folder_id, OPEN_SOFT_DELETED),
        code::NOT_FOUND,
    );
}

// MS-OXCFOLD 2.2.1.2.1 and 3.2.5.2.
#[test]
fn names_and_comments_come_in_either_form_and_any_length() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let longest = "n".repeat(255);
    let comment = "c".repeat(5000);
    for (unicode, name, comment) in [
        (false, "Eight bits", "a comment"),
        (false, "Without", ""),
        (true, "Sixteen bits", "a comment"),
        (true, longest.as_str(), comment.as_str()),
        (true, " spaces ", " "),
    ] {
        let folder = NewFolder {
            unicode,
            comment,
            ..NewFolder::named(name)
        };
        let made = client.create_folder_with(parent, &folder).unwrap();
        assert_eq!(made.is_existing_folder, 0);
        let tags = [tag::DISPLAY_NAME, tag::COMMENT, MESSAGE_SIZE_EXTENDED];
        let row = client.get_props(made.handle, &tags).unwrap();
        assert_eq!((row.text(0), row.text(1)), (name.into(), comment.into()));
        assert_eq!(row.id(2), 0);
        // The existing one opens, and keeps its comment.
        let again = NewFolder {
            open_existing: 1,
            comment: "another",
            ..folder
        };
        let again = client.create_folder_with(parent, &again).unwrap();
        assert_eq!(
            (again.folder_id, again.is_existing_folder),
            (made.folder_id, 0)
        );
        let row = client.get_props(again.handle, &[tag::COMMENT]).unwrap();
        assert_eq!(row.text(0), comment);
        fails(
            client.create_folder_with(parent, &folder),
            code::DUPLICATE_NAME,
        );
    }
    let too_long = "n".repeat(256);
    for unicode in [false, true] {
        for name in ["", &too_long] {
            let folder = NewFolder {
                unicode,
                ..NewFolder::named(name)
            };
            fails(
                client.create_folder_with(parent, &folder),
                code::INVALID_PARAMETER,
            );
        }
    }
    fails(client.create_folder(logon.handle, "x"), code::NOT_SUPPORTED);
    let (table, _) = client.contents_table(parent, 0).unwrap();
    fails(client.create_folder(table, "x"), code::NOT_SUPPORTED);
}

// MS-OXCFOLD 3.2.5.3.
#[test]
fn what_is_no_folder_is_not_deleted() {
    let (mut client, logon) = ada();
    let (parent, parent_id) = new_folder(&mut client, &logon);
    let made = client.create_folder(parent, "Here").unwrap();
    let (_, message_id) = new_message(&mut client, parent, parent_id, "no folder");
    let all = DEL_MESSAGES | DEL_FOLDERS | HARD_DELETE;
    let foreign = (made.folder_id & !0xFFFF) | 0x7FFF;
    for fid in [0, u64::MAX, foreign, message_id] {
        fails(client.delete_folder(parent, fid, all), code::NOT_FOUND);
    }
    let (table, _) = client.contents_table(parent, 0).unwrap();
    for handle in [table, logon.handle] {
        fails(
            client.delete_folder(handle, made.folder_id, all),
            code::NOT_SUPPORTED,
        );
    }
    fails(
        client.delete_folder(logon.handle, logon.root(), DEL_FOLDERS),
        code::NOT_SUPPORTED,
    );
    for flags in [0x02, 0x08, 0x20, 0x40, 0x80] {
        fails(
            client.delete_folder(parent, made.folder_id, flags),
            code::INVALID_PARAMETER,
        );
    }
    assert_eq!(client.hierarchy_table(parent, 0).unwrap().1, 1);
    // Any folder's handle will do: a FID is of the whole mailbox.
    assert_eq!(
        client
            .delete_folder(made.handle, made.folder_id, HARD_DELETE)
            .unwrap(),
        0
    );
    assert_eq!(client.hierarchy_table(parent, 0).unwrap().1, 0);
}

// MS-OXCFOLD 3.2.5.6.
#[test]
fn messages_are_copied_and_moved_between_folders() {
    let (mut client, logon) = ada();
    let (from, from_id) = new_folder(&mut client, &logon);
    let (to, to_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, from, from_id, "travels");
    assert_eq!(client.move_copy_messages(from, to, &[id], true).unwrap(), 0);
    assert_eq!(
        (rows(&mut client, from, 0), rows(&mut client, to, 0)),
        (1, 1)
    );
    assert_eq!(
        client.move_copy_messages(from, to, &[id], false).unwrap(),
        0
    );
    assert_eq!(
        (rows(&mut client, from, 0), rows(&mut client, to, 0)),
        (0, 2)
    );
    fails(client.open_message(from, from_id, id, 0), code::NOT_FOUND);
    // What is not there any more is left out.
    assert_ne!(
        client.move_copy_messages(from, to, &[id], false).unwrap(),
        0
    );
    assert_ne!(
        client.move_copy_messages(from, to, &[to_id], true).unwrap(),
        0
    );
    // MS-OXCROPS 2.2.4.6: no message, nothing to do.
    assert_eq!(client.move_copy_messages(from, to, &[], false).unwrap(), 0);
    for (source, destination) in [(logon.handle, to), (from, logon.handle), (message, to)] {
        fails(
            client.move_copy_messages(source, destination, &[id], false),
            code::NOT_SUPPORTED,
        );
    }
    fails(
        client.move_copy_messages(from, 0x7777, &[id], false),
        code::NULL_DESTINATION_OBJECT,
    );
}

// MS-OXCFOLD 3.2.5.6: a soft-deleted folder has soft-deleted messages alone, and takes none.
#[test]
fn no_message_moves_out_of_a_soft_deleted_folder_or_into_one() {
    let (mut client, logon) = ada();
    let (parent, parent_id) = new_folder(&mut client, &logon);
    let soft = client.create_folder(parent, "Soft").unwrap();
    let (_, inside) = new_message(&mut client, soft.handle, soft.folder_id, "inside");
    let (_, outside) = new_message(&mut client, parent, parent_id, "outside");
    let both = DEL_MESSAGES | DEL_FOLDERS;
    assert_eq!(
        client.delete_folder(parent, soft.folder_id, both).unwrap(),
        0
    );
    for copy in [false, true] {
        match client.move_copy_messages(soft.handle, parent, &[inside], copy) {
            Ok(partial) => assert_ne!(partial, 0),
            Err(error) => assert_eq!(error.code(), code::NOT_FOUND),
        }
        match client.move_copy_messages(parent, soft.handle, &[outside], copy) {
            Ok(partial) => assert_ne!(partial, 0),
            Err(error) => assert_eq!(error.code(), code::NOT_FOUND),
        }
    }
    assert_eq!(rows(&mut client, parent, 0), 1);
    assert_eq!(rows(&mut client, soft.handle, SOFT_DELETES), 1);
}

// MS-OXCFOLD 3.2.5.11 and 3.2.5.12.
#[test]
fn deleted_messages_are_soft_deleted_and_hard_deleted_ones_are_not() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (open, first) = new_message(&mut client, folder, folder_id, "one");
    let (_, second) = new_message(&mut client, folder, folder_id, "two");
    let (_, third) = new_message(&mut client, folder, folder_id, "three");
    let (_, fourth) = new_message(&mut client, folder, folder_id, "four");
    client.open_message(folder, folder_id, first, 1).unwrap();
    assert_eq!(client.delete_messages(folder, &[first]).unwrap(), 0);
    assert_eq!(client.delete_messages(folder, &[second, third]).unwrap(), 0);
    assert_eq!(rows(&mut client, folder, 0), 1);
    assert_eq!(rows(&mut client, folder, SOFT_DELETES), 3);
    let hard = Rop::new(0x91, 0).u8(0).u8(0).ids(&[fourth]);
    let partial = client.rop(&hard, &[folder]).unwrap().read(Reader::u8);
    assert_eq!(partial.unwrap(), 0);
    assert_eq!(rows(&mut client, folder, 0), 0);
    assert_eq!(rows(&mut client, folder, SOFT_DELETES), 3);
    fails(
        client.open_message(folder, folder_id, fourth, 0x04),
        code::NOT_FOUND,
    );
    let row = client.get_props(folder, &[DELETED_COUNT_TOTAL]).unwrap();
    assert_eq!(row.int(0), 4);
    assert_ne!(client.delete_messages(folder, &[first]).unwrap(), 0);
    for handle in [logon.handle, open] {
        fails(
            client.delete_messages(handle, &[first]),
            code::NOT_SUPPORTED,
        );
        fails(client.rop(&hard, &[handle]), code::NOT_SUPPORTED);
    }
}

// MS-OXCFOLD 3.2.5.9 and 3.2.5.10.
#[test]
fn an_emptied_folder_stays_and_keeps_its_associated_messages_unless_asked() {
    let (mut client, logon) = ada();
    for (rop, soft_deleted) in [(0x58, 1), (0x92, 0)] {
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let below = client.create_folder(folder, "Below").unwrap();
        new_message(&mut client, folder, folder_id, "goes");
        let associated = client.create_message_with(folder, folder_id, true).unwrap();
        client.save_message(associated.handle).unwrap();
        assert_eq!(empty(&mut client, rop, folder, false).unwrap(), 0);
        client.open_folder(logon.handle, folder_id).unwrap();
        fails(
            client.open_folder(logon.handle, below.folder_id),
            code::NOT_FOUND,
        );
        assert_eq!(rows(&mut client, folder, 0), 0);
        assert_eq!(rows(&mut client, folder, ASSOCIATED), 1);
        assert_eq!(rows(&mut client, folder, SOFT_DELETES), soft_deleted);
        assert_eq!(empty(&mut client, rop, folder, true).unwrap(), 0);
        assert_eq!(rows(&mut client, folder, ASSOCIATED), 0);
    }
    let (parent, _) = new_folder(&mut client, &logon);
    let search = search_folder(&mut client, parent, "Search");
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    for handle in [search, root, logon.handle] {
        for rop in [0x58, 0x92] {
            fails(empty(&mut client, rop, handle, true), code::NOT_SUPPORTED);
        }
    }
}

// MS-OXCFOLD 2.2.2.2.1.
#[test]
fn what_the_server_counts_of_a_folder() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    new_message(&mut client, folder, folder_id, "mail");
    let associated = client.create_message_with(folder, folder_id, true).unwrap();
    client.save_message(associated.handle).unwrap();
    let tags = [
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
        tag::FOLDER_ID,
        tag::SUBFOLDERS,
        tag::MESSAGE_SIZE,
        MESSAGE_SIZE_EXTENDED,
        DELETED_COUNT_TOTAL,
        HIERARCHY_CHANGE_NUMBER,
    ];
    let before = client.get_props(folder, &tags).unwrap();
    // What the client made itself is read, and an FAI message is no content.
    assert_eq!((before.int(0), before.int(1)), (1, 0));
    assert_eq!(before.id(2), folder_id);
    assert!(!before.flag(3));
    assert_ne!(before.int(4), 0);
    assert_eq!(before.int(4) as u64, before.id(5));
    assert_eq!(before.int(6), 0);
    let below = client.create_folder(folder, "Below").unwrap();
    let with = client.get_props(folder, &tags).unwrap();
    assert!(with.flag(3));
    let both = DEL_FOLDERS | DEL_MESSAGES;
    assert_eq!(
        client.delete_folder(folder, below.folder_id, both).unwrap(),
        0
    );
    let after = client.get_props(folder, &tags).unwrap();
    assert!(!after.flag(3));
    // PidTagHierarchyChangeNumber grows with each subfolder that comes or goes.
    assert!(before.int(7) < with.int(7) && with.int(7) < after.int(7));
}

// MS-OXCFOLD 2.2.2.2.2.
#[test]
fn what_a_client_sets_of_a_folder() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let folder = client
        .create_folder_with(
            parent,
            &NewFolder {
                comment: "first",
                ..NewFolder::named("First")
            },
        )
        .unwrap();
    let search = search_folder(&mut client, parent, "Second");
    let tags = [
        tag::ATTRIBUTE_HIDDEN,
        tag::COMMENT,
        tag::CONTAINER_CLASS,
        tag::DISPLAY_NAME,
        tag::FOLDER_TYPE,
        RIGHTS,
    ];
    let row = client.get_props(folder.handle, &tags).unwrap();
    assert!(!row.flag(0));
    assert_eq!((row.text(1), row.text(3)), ("first".into(), "First".into()));
    assert_eq!(row.int(4), 1);
    let rights = row.int(5);
    // The request succeeds; what only the server sets stays.
    client
        .try_set_props(
            folder.handle,
            &[
                (tag::ATTRIBUTE_HIDDEN, Value::Boolean(true)),
                (tag::COMMENT, text("third")),
                (tag::CONTAINER_CLASS, text("IPF.Note")),
                (tag::DISPLAY_NAME, text("Third")),
                (tag::FOLDER_TYPE, Value::Integer32(2)),
                (RIGHTS, Value::Integer32(0x400)),
            ],
        )
        .unwrap();
    let row = client.get_props(folder.handle, &tags).unwrap();
    assert!(row.flag(0));
    let texts = (row.text(1), row.text(2), row.text(3));
    assert_eq!(texts, ("third".into(), "IPF.Note".into(), "Third".into()));
    assert_eq!((row.int(4), row.int(5)), (1, rights));
    let row = client.get_props(search, &tags).unwrap();
    assert_eq!((row.text(1), row.int(4)), (String::new(), 2));
    let problems = client
        .try_set_props(search, &[(tag::DISPLAY_NAME, text("Third"))])
        .unwrap();
    assert_eq!(problems[0].code, code::DUPLICATE_NAME);
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    assert_eq!(client.get_props(root, &tags).unwrap().int(4), 0);
}

// MS-OXCMSG 2.2.3.2.1: FolderId says where, the input object only that it is a folder or a logon.
#[test]
fn a_message_is_made_in_the_folder_that_the_request_names() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let search = search_folder(&mut client, folder, "Search");
    for from in [search, logon.handle, folder] {
        let message = client.create_message(from, folder_id).unwrap();
        client.save_message(message).unwrap();
    }
    assert_eq!(rows(&mut client, folder, 0), 3);
    assert_eq!(rows(&mut client, search, 0), 0);
}

// MS-OXCFOLD 2.2.1.13.1.
#[test]
fn a_hierarchy_table_has_the_levels_and_the_deletions_asked_for() {
    let (mut client, logon) = ada();
    let (top, _) = new_folder(&mut client, &logon);
    let one = client.create_folder(top, "One").unwrap();
    let two = client.create_folder(one.handle, "Two").unwrap();
    let three = client.create_folder(two.handle, "Three").unwrap();
    client.create_folder(top, "Four").unwrap();
    let count =
        |client: &mut Client, folder, flags| client.hierarchy_table(folder, flags).unwrap().1;
    assert_eq!(count(&mut client, top, 0), 2);
    assert_eq!(count(&mut client, top, 0x04), 4);
    assert_eq!(count(&mut client, two.handle, 0x24), 0);
    let both = DEL_FOLDERS | DEL_MESSAGES;
    assert_eq!(
        client
            .delete_folder(two.handle, three.folder_id, both)
            .unwrap(),
        0
    );
    assert_eq!(count(&mut client, two.handle, 0x20), 1);
    assert_eq!(count(&mut client, top, 0x44), 3);
    for (tag, flags) in [(tag::DISPLAY_NAME, 0x44), (0x3001_001E, 0x04)] {
        let (table, _) = client.hierarchy_table(top, flags).unwrap();
        let rows = client.query_all_rows(table, &[tag]).unwrap();
        assert_eq!(rows.len(), 3);
        for row in &rows {
            match row.value(0) {
                Value::String(_) => assert_eq!(tag, tag::DISPLAY_NAME),
                Value::String8(_) => assert_ne!(tag, tag::DISPLAY_NAME),
                other => panic!("{other:?}"),
            }
        }
    }
    for flags in [0x01, 0x02, 0x03] {
        fails(client.hierarchy_table(top, flags), code::NOT_SUPPORTED);
    }
}

// MS-OXCROPS 3.2.5.1: what the handle of a deleted folder is good for.
#[test]
fn a_folder_deleted_by_another_session_is_gone_for_open_handles() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let made = client.create_folder(parent, "Gone").unwrap();
    let (table, _) = client.contents_table(made.handle, 0).unwrap();
    client.set_columns(table, &[tag::MID]).unwrap();
    let (mut other, other_logon): (Client, Logon) = ada();
    let inbox = other
        .open_folder(other_logon.handle, other_logon.inbox())
        .unwrap();
    let all = DEL_MESSAGES | DEL_FOLDERS | HARD_DELETE;
    assert_eq!(other.delete_folder(inbox, made.folder_id, all).unwrap(), 0);
    fails(client.contents_table(made.handle, 0), code::NOT_FOUND);
    fails(client.hierarchy_table(made.handle, 0), code::NOT_FOUND);
    fails(
        client.query_rows(table, &[tag::MID], 0, true, 1),
        code::NOT_FOUND,
    );
    fails(client.create_folder(made.handle, "x"), code::NOT_FOUND);
    fails(client.delete_messages(made.handle, &[1]), code::NOT_FOUND);
    fails(
        client.create_message(made.handle, made.folder_id),
        code::NOT_FOUND,
    );
    client.release(table).unwrap();
    client.create_folder(parent, "Gone").unwrap();
}

// MS-OXCFOLD 2.2.2.2.1: each has a problem of its own, and nothing is changed.
#[test]
fn what_only_the_server_sets_of_a_folder_is_a_problem_when_set_or_deleted() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let ints = [
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
        tag::MESSAGE_SIZE,
        tag::FOLDER_TYPE,
        DELETED_COUNT_TOTAL,
        HIERARCHY_CHANGE_NUMBER,
        RIGHTS,
    ];
    let before = client.get_props(folder, &ints).unwrap();
    let values = ints.map(|tag| (tag, Value::Integer32(77)));
    let set = client.try_set_props(folder, &values).unwrap();
    let deleted = client.delete_props(folder, &ints).unwrap();
    for problems in [set, deleted] {
        let found: Vec<_> = problems.iter().map(|problem| problem.tag).collect();
        assert_eq!(found, ints);
        assert!(problems.iter().all(|problem| problem.code == COMPUTED));
    }
    let after = client.get_props(folder, &ints).unwrap();
    for (index, tag) in ints.iter().enumerate() {
        assert_eq!(before.int(index), after.int(index), "{tag:#x}");
    }
}
