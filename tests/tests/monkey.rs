//! A client that does things at random: nothing ends the session, and what the folder tells of its
//! messages stays true.
//!
//! `ROPEWALK_MONKEY_SEED` and `ROPEWALK_MONKEY_ROUNDS` repeat or lengthen a run.

use std::env;

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NewFolder},
    fixture::{ada, new_folder, shared, tag},
    monkey::Monkey,
};
use ropewalk_wire::restriction::Restriction;

fn number(variable: &str) -> Option<usize> {
    env::var(variable).ok()?.parse().ok()
}

/// Counts, rows and messages of a folder agree.
fn check(client: &mut Client, folder: Handle, folder_id: u64) {
    let row = client
        .get_props(
            folder,
            &[
                tag::CONTENT_COUNT,
                tag::CONTENT_UNREAD_COUNT,
                tag::ASSOCIATED_CONTENT_COUNT,
                tag::SUBFOLDERS,
            ],
        )
        .unwrap();
    for (flags, count) in [(0x00, row.int(0)), (0x02, row.int(2))] {
        let (table, rows) = client.contents_table(folder, flags).unwrap();
        assert_eq!(rows as i32, count);
        let columns = [tag::MID, tag::MESSAGE_FLAGS, tag::HAS_ATTACHMENTS];
        let rows = client.query_all_rows(table, &columns).unwrap();
        assert_eq!(rows.len() as i32, count);
        if flags == 0 {
            let unread = rows.iter().filter(|row| row.int(1) & 1 == 0).count();
            assert_eq!(unread as i32, row.int(1), "PidTagContentUnreadCount");
        }
        for row in rows {
            let opened = client
                .open_message(folder, folder_id, row.id(0), 0)
                .unwrap();
            let attachments = client.attachment_table(opened.handle).unwrap();
            let numbers = client
                .query_all_rows(attachments, &[tag::ATTACH_NUMBER])
                .unwrap();
            assert_eq!(row.flag(2), !numbers.is_empty(), "PidTagHasAttachments");
            client.release(attachments).unwrap();
            client.release(opened.handle).unwrap();
        }
        client.release(table).unwrap();
    }
    let (_, subfolders) = client.hierarchy_table(folder, 0).unwrap();
    assert_eq!(row.flag(3), subfolders > 0, "PidTagSubfolders");
}

/// A search folder that the monkey does not know of.
fn search_folder(client: &mut Client, logon: &Logon) -> u64 {
    let finder = logon.folder_ids[Logon::SEARCH];
    let finder = client.open_folder(logon.handle, finder).unwrap();
    let search = NewFolder {
        folder_type: 2,
        ..NewFolder::named("What the monkey left unread")
    };
    client
        .create_folder_with(finder, &search)
        .unwrap()
        .folder_id
}

/// MIDs of the messages of a folder that are unread, or of all.
fn mids(client: &mut Client, folder: Handle, all: bool) -> Vec<u64> {
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let columns = [tag::MID, tag::MESSAGE_FLAGS];
    let rows = client.query_all_rows(table, &columns).unwrap();
    client.release(table).unwrap();
    let rows = rows.iter().filter(|row| all || row.int(1) & 1 == 0);
    rows.map(|row| row.id(0)).collect()
}

/// What a search has found is what there is to find; how much that is. It searches the folder that is
/// the monkey's now.
fn check_search(client: &mut Client, search: u64, folder: Handle, folder_id: u64) -> usize {
    const RECURSIVE: u32 = 0x4;
    let search = client.open_folder(folder, search).unwrap();
    let unread = Restriction::BitMask {
        bitmap_rel_op: 0,
        prop_tag: PropTag(tag::MESSAGE_FLAGS),
        mask: 1,
    };
    let known = client.search_criteria(search, [true; 3]);
    if known.map_or(true, |(_, folders, _)| folders != [folder_id]) {
        client
            .set_search_criteria(search, Some(&unread), &[folder_id], RECURSIVE)
            .unwrap();
    }
    let mut found = mids(client, search, true);
    let mut expected = mids(client, folder, false);
    let (table, _) = client.hierarchy_table(folder, 0x04).unwrap();
    let columns = [tag::FOLDER_ID, tag::FOLDER_TYPE];
    for row in client.query_all_rows(table, &columns).unwrap() {
        if row.int(1) == 1 {
            let below = client.open_folder(folder, row.id(0)).unwrap();
            expected.extend(mids(client, below, false));
            client.release(below).unwrap();
        }
    }
    client.release(table).unwrap();
    client.release(search).unwrap();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "a search");
    found.len()
}

#[test]
fn a_monkey_breaks_nothing() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let seed = number("ROPEWALK_MONKEY_SEED").unwrap_or(0x5EED);
    // Shown when the test fails.
    println!("ROPEWALK_MONKEY_SEED={seed}");
    let rounds = number("ROPEWALK_MONKEY_ROUNDS").unwrap_or(6000);
    let search = search_folder(&mut client, &logon);
    let mut found = 0;
    Monkey::new(seed as u64, &logon, folder, folder_id).run(
        &mut client,
        rounds,
        |client, folder, folder_id| {
            check(client, folder, folder_id);
            found += check_search(client, search, folder, folder_id);
        },
    );
    assert!(found > 0, "there was something to find");
    let log = shared().server.log();
    assert!(!log.contains("panicked"), "{log}");
}
