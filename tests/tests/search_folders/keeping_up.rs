//! What was found, as messages change (MS-OXCFOLD 3.2.5.4).

use super::world::*;

// MS-OXCFOLD 3.2.5.4: a dynamic search.
#[test]
fn a_dynamic_search_is_kept_up_to_date_also_by_other_sessions_and_in_open_tables() {
    let mut here = place();
    let first = here.mail("red fox");
    here.mail("grey owl");
    here.set(&content("FOX"), RESTART);
    assert_eq!(here.found(), [first]);
    let (table, _) = here.client.contents_table(here.search, 0).unwrap();
    let rows = |client: &mut Client| {
        client.seek_row(table, 0, 0, false).unwrap();
        let rows = client
            .query_rows(table, &[tag::SUBJECT], 0, true, 50)
            .unwrap();
        let subjects = rows.rows.iter().map(|row| row.text(0));
        subjects.collect::<Vec<_>>()
    };
    here.client.set_columns(table, &[tag::SUBJECT]).unwrap();
    here.client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    assert_eq!(rows(&mut here.client), ["red fox"]);

    let (mut other, other_logon) = ada();
    let folder = other
        .open_folder(other_logon.handle, here.folder_id)
        .unwrap();
    let (message, second) = new_message(&mut other, folder, here.folder_id, "arctic fox");
    assert_eq!(rows(&mut here.client), ["arctic fox", "red fox"]);
    other
        .set_props(message, &[(tag::SUBJECT, text("arctic hare"))])
        .unwrap();
    other.save_message(message).unwrap();
    assert_eq!(rows(&mut here.client), ["red fox"]);
    other
        .set_props(message, &[(tag::SUBJECT, text("a fox again"))])
        .unwrap();
    other.save_message(message).unwrap();
    assert_eq!(rows(&mut here.client), ["a fox again", "red fox"]);
    other.delete_messages(folder, &[first]).unwrap();
    assert_eq!(rows(&mut here.client), ["a fox again"]);
    let (elsewhere, _) = new_folder(&mut other, &other_logon);
    other
        .move_copy_messages(folder, elsewhere, &[second], false)
        .unwrap();
    assert!(rows(&mut here.client).is_empty());
    assert!(here.found().is_empty());
}

// A row is that of the message where it lies; what is done through the search folder is done to it.
#[test]
fn the_messages_found_are_the_real_ones() {
    let mut here = place();
    let ids: Vec<u64> = (0..4).map(|i| here.mail(&format!("found {i}"))).collect();
    here.set(&content("found"), 0);
    let columns = [
        tag::MID,
        tag::FOLDER_ID,
        tag::PARENT_ENTRY_ID,
        tag::ENTRY_ID,
    ];
    let parent = here
        .client
        .get_props(here.folder, &[tag::ENTRY_ID])
        .unwrap();
    let (table, _) = here.client.contents_table(here.search, 0).unwrap();
    let rows = here.client.query_all_rows(table, &columns).unwrap();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(row.id(1), here.folder_id);
        assert_eq!(row.binary(2), parent.binary(0));
    }

    // By the FID of the search folder or of its own, for writing too.
    for folder_id in [here.search_id, here.folder_id] {
        let opened = here
            .client
            .open_message(here.search, folder_id, ids[0], 1)
            .unwrap();
        let row = here.client.get_props(opened.handle, &columns).unwrap();
        assert_eq!((row.id(0), row.id(1)), (ids[0], here.folder_id));
        let comment = [(tag::COMMENT, text("changed"))];
        here.client.set_props(opened.handle, &comment).unwrap();
        assert_eq!(here.client.save_message(opened.handle).unwrap(), ids[0]);
        here.client.release(opened.handle).unwrap();
    }

    // RopSetMessageStatus and RopGetMessageStatus.
    let status = |client: &mut Client, folder: Handle| {
        let rop = Rop::new(0x1F, 0).u64(ids[1]);
        client
            .rop(&rop, &[folder])
            .unwrap()
            .read(Reader::u32)
            .unwrap()
    };
    let rop = Rop::new(0x20, 0).u64(ids[1]).u32(0x2).u32(0x2);
    here.client.rop(&rop, &[here.search]).unwrap();
    assert_eq!(status(&mut here.client, here.search), 2);
    assert_eq!(status(&mut here.client, here.folder), 2);

    // RopSetReadFlags: those named, and all.
    let cleared = here
        .client
        .set_read_flags(here.search, &[], CLEAR_READ_FLAG);
    assert_eq!(cleared.unwrap(), 0);
    let unread = |client: &mut Client, folder: Handle| {
        let tags = [tag::CONTENT_UNREAD_COUNT];
        client.get_props(folder, &tags).unwrap().int(0)
    };
    assert_eq!(
        here.client
            .set_read_flags(here.search, &ids[..1], 0)
            .unwrap(),
        0
    );
    assert_eq!(unread(&mut here.client, here.folder), 3);
    assert_eq!(unread(&mut here.client, here.search), 3);
    assert_eq!(here.client.set_read_flags(here.search, &[], 0).unwrap(), 0);
    assert_eq!(unread(&mut here.client, here.folder), 0);
    assert_eq!(unread(&mut here.client, here.search), 0);

    // RopMoveCopyMessages with a search folder as the source, and RopDeleteMessages.
    let (to, _) = new_folder(&mut here.client, &here.logon);
    let copied = here
        .client
        .move_copy_messages(here.search, to, &ids[..1], true);
    assert_eq!(copied.unwrap(), 0);
    let moved = here
        .client
        .move_copy_messages(here.search, to, &ids[..2], false);
    assert_eq!(moved.unwrap(), 0);
    assert_eq!(found(&mut here.client, to).len(), 3);
    assert_eq!(here.found(), ids[2..]);
    assert_eq!(
        here.client
            .delete_messages(here.search, &ids[2..3])
            .unwrap(),
        0
    );
    let hard = here.client.hard_delete_messages(here.search, &ids[3..]);
    assert_eq!(hard.unwrap(), 0);
    assert!(found(&mut here.client, here.folder).is_empty());
    assert_eq!(here.client.contents_table(here.folder, 0x20).unwrap().1, 1);

    // What it has not found, it does not have.
    let outside = here.mail("outside");
    assert_ne!(
        here.client
            .delete_messages(here.search, &[outside])
            .unwrap(),
        0
    );
    assert_ne!(
        here.client
            .set_read_flags(here.search, &[outside], 0)
            .unwrap(),
        0
    );
    let moved = here
        .client
        .move_copy_messages(here.search, to, &[outside], false);
    assert_ne!(moved.unwrap(), 0);
    fails(
        here.client
            .open_message(here.search, here.search_id, outside, 0),
        code::NOT_FOUND,
    );
    let rop = Rop::new(0x1F, 0).u64(outside);
    fails(here.client.rop(&rop, &[here.search]), code::NOT_FOUND);
    assert_eq!(found(&mut here.client, here.folder), [outside]);
}

#[test]
fn a_search_folder_takes_nothing_and_is_neither_emptied_nor_missed_by_its_messages() {
    let mut here = place();
    let id = here.mail("found");
    here.set(&content("found"), 0);
    for associated in [false, true] {
        fails(
            here.client
                .create_message_with(here.search, here.search_id, associated),
            code::NOT_SUPPORTED,
        );
    }
    fails(here.client.create_folder(here.search, "x"), SEARCH_FOLDER);
    for copy in [false, true] {
        fails(
            here.client
                .move_copy_messages(here.folder, here.search, &[id], copy),
            SEARCH_FOLDER,
        );
    }
    for hard in [false, true] {
        fails(
            here.client.empty_folder(here.search, hard),
            code::NOT_SUPPORTED,
        );
    }
    // Its messages are not in it: it goes without a flag that says so, and they stay.
    let deleted = here.client.delete_folder(here.folder, here.search_id, 0);
    assert_eq!(deleted.unwrap(), 0);
    fails(
        here.client.open_folder(here.logon.handle, here.search_id),
        code::NOT_FOUND,
    );
    assert_eq!(found(&mut here.client, here.folder), [id]);
}
