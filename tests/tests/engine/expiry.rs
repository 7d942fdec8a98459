//! Deleted items can be recovered for `store.keep_deleted`, and are gone for good after it.

use std::time::{Duration, Instant};

use ropewalk_tests::{
    client::{Cells as _, Client, Logon},
    command::{bytes_on_disk, json},
    fixture::{ADA, PASSWORD, new_folder, tag},
    server::add_user,
};

use super::house::{dn, eventually, message_with, pattern, serve_with, session};

/// SoftDeletes of a table (MS-OXCFOLD 2.2.1.14.1, 2.2.1.13.1).
const SOFT_DELETES: u8 = 0x20;

fn deleted_messages(client: &mut Client, folder: u32) -> Vec<u64> {
    let (table, _) = client.contents_table(folder, SOFT_DELETES).unwrap();
    let rows = client.query_all_rows(table, &[tag::MID]).unwrap();
    client.release(table).unwrap();
    rows.iter().map(|row| row.id(0)).collect()
}

fn deleted_folders(client: &mut Client, folder: u32) -> Vec<u64> {
    let (table, _) = client.hierarchy_table(folder, SOFT_DELETES).unwrap();
    let rows = client.query_all_rows(table, &[tag::FOLDER_ID]).unwrap();
    client.release(table).unwrap();
    rows.iter().map(|row| row.id(0)).collect()
}

fn find(client: &mut Client, logon: &Logon, folder_id: u64, id: u64) -> bool {
    // OpenSoftDeleted (MS-OXCMSG 2.2.3.1.1).
    client
        .open_message(logon.handle, folder_id, id, 0x04)
        .is_ok()
}

#[test]
fn deleted_items_stay_for_their_time_and_no_longer() {
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    add_user(&store, ADA, "Ada", PASSWORD);
    let dn = dn(&store);
    let config = |keep: &str| format!("[store]\nkeep_deleted = \"{keep}\"\n");
    let mut server = serve_with(&store, &config("1 h"));
    let (mut client, logon) = session(&server, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let inner = client.create_folder(folder, "inner").unwrap();
    let in_it = message_with(
        &mut client,
        &logon,
        inner.folder_id,
        "in it",
        &pattern(1, 3_000_000),
    );
    let in_it = in_it.unwrap();
    let first = message_with(&mut client, &logon, folder_id, "1", &pattern(2, 4_000_000)).unwrap();
    let second = message_with(&mut client, &logon, folder_id, "2", &pattern(3, 1000)).unwrap();
    let kept = message_with(&mut client, &logon, folder_id, "3", &pattern(4, 500_000)).unwrap();
    assert_eq!(client.delete_messages(folder, &[first]).unwrap(), 0);
    // DEL_MESSAGES | DEL_FOLDERS, soft.
    assert_eq!(
        client.delete_folder(folder, inner.folder_id, 0x05).unwrap(),
        0
    );
    json(&store, None, &["store", "compact"]);
    assert_eq!(deleted_messages(&mut client, folder), [first]);
    assert_eq!(deleted_folders(&mut client, folder), [inner.folder_id]);
    assert!(find(&mut client, &logon, folder_id, first));
    let full = bytes_on_disk(&store.join("log"));
    assert!(full > 7_000_000, "{full}");
    assert!(server.stop().success());

    // The time counts from the deletion.
    let keep = Duration::from_secs(6);
    let mut server = serve_with(&store, &config("6 s"));
    let (mut client, logon) = session(&server, &dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    assert_eq!(client.delete_messages(folder, &[second]).unwrap(), 0);
    let deleted = Instant::now();
    // Long after the first two are due, the third one is not.
    eventually(Duration::from_secs(60), "the first ones expire", || {
        let messages = deleted_messages(&mut client, folder);
        let folders = deleted_folders(&mut client, folder);
        if deleted.elapsed() < keep {
            assert!(messages.contains(&second), "{messages:?}");
        }
        !messages.contains(&first) && folders.is_empty()
    });
    println!("gone after {:?}", deleted.elapsed());
    assert!(!find(&mut client, &logon, folder_id, first));
    assert!(!find(&mut client, &logon, inner.folder_id, in_it));
    eventually(Duration::from_secs(60), "the second one expires", || {
        deleted_messages(&mut client, folder).is_empty()
    });
    println!("all gone after {:?}", deleted.elapsed());
    assert!(deleted.elapsed() >= keep);
    assert!(!find(&mut client, &logon, folder_id, second));
    // Their bytes come back, the rest stays.
    json(&store, None, &["store", "compact"]);
    let left = bytes_on_disk(&store.join("log"));
    assert!(left < 1_500_000, "{left} bytes of {full} are left");
    assert!(find(&mut client, &logon, folder_id, kept));
    let stats = json(&store, None, &["store", "stats"]);
    assert_eq!(stats["mailboxes"]["deleted_messages"], 0);
    assert_eq!(stats["mailboxes"]["messages"], 1);
    assert!(server.stop().success());
    assert_eq!(json(&store, None, &["store", "verify"])["whole"], true);
}
