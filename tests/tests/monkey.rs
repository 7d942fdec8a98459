//! A client that does things at random: nothing ends the session, and what the folder tells of its
//! messages stays true.
//!
//! `ROPEWALK_MONKEY_SEED` and `ROPEWALK_MONKEY_ROUNDS` repeat or lengthen a run.

use std::env;

use ropewalk_tests::{
    client::{Cells as _, Client, Handle},
    fixture::{ada, new_folder, shared, tag},
    monkey::Monkey,
};

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

#[test]
fn a_monkey_breaks_nothing() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let seed = number("ROPEWALK_MONKEY_SEED").unwrap_or(0x5EED);
    // Shown when the test fails.
    println!("ROPEWALK_MONKEY_SEED={seed}");
    let rounds = number("ROPEWALK_MONKEY_ROUNDS").unwrap_or(6000);
    Monkey::new(seed as u64, &logon, folder, folder_id).run(&mut client, rounds, check);
    let log = shared().server.log();
    assert!(!log.contains("panicked"), "{log}");
}
