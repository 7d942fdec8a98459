//! Under churn the store stays under twice what is live.

use std::time::{Duration, Instant};

use ropewalk_tests::{
    client::Value,
    command::{bytes_on_disk, json},
    fixture::{ADA, PASSWORD, new_folder, tag},
    server::add_user,
};

use super::house::{attachment_of, dn, message_with, pattern, serve_with, session, setting};

const MIB: u64 = 1 << 20;
const ATTACHMENT: usize = 3 << 20;
const LIVE: usize = 12;
/// What is being written, what was not looked at yet, and the file that is just being made in the place of
/// others: segments of 16 MiB. On a busy machine compaction gets as little time as the client.
const SLACK: u64 = 96 * MIB;

#[test]
fn a_store_that_is_overwritten_for_long_stays_under_twice_what_is_live() {
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    add_user(&store, ADA, "Ada", PASSWORD);
    let dn = dn(&store);
    let server = serve_with(&store, "log = \"info\"\n");
    let (mut client, logon) = session(&server, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    // (MID, seed), of which each has an attachment of its own.
    let mut live: Vec<(u64, u64)> = Vec::new();
    let start = Instant::now();
    let long = Duration::from_secs(setting("ROPEWALK_ENGINE_SECONDS", 25));
    let (mut written, mut most) = (0, 0);
    let mut seed = 0;
    while start.elapsed() < long {
        seed += 1;
        let data = pattern(seed, ATTACHMENT);
        written += data.len() as u64;
        let victim = seed as usize % LIVE;
        if live.len() < LIVE {
            let id = message_with(&mut client, &logon, folder_id, "new", &data).unwrap();
            live.push((id, seed));
        } else if seed.is_multiple_of(2) {
            // Overwritten in place.
            let (id, _) = live[victim];
            let opened = client.open_message(logon.handle, folder_id, id, 1).unwrap();
            let attachment = client.open_attachment(opened.handle, 0, 1).unwrap();
            client
                .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])
                .unwrap();
            client
                .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &data)
                .unwrap();
            client.save_attachment(opened.handle, attachment).unwrap();
            client.save_message(opened.handle).unwrap();
            client.release(attachment).unwrap();
            client.release(opened.handle).unwrap();
            live[victim].1 = seed;
        } else {
            let (id, _) = live[victim];
            assert_eq!(client.hard_delete_messages(folder, &[id]).unwrap(), 0);
            let id = message_with(&mut client, &logon, folder_id, "instead", &data).unwrap();
            live[victim] = (id, seed);
        }
        let on_disk = bytes_on_disk(&store);
        most = most.max(on_disk);
        let bound = 2 * live.len() as u64 * ATTACHMENT as u64 + SLACK;
        assert!(
            on_disk <= bound,
            "{} MiB on disk after {} MiB written, of which {} MiB are live\n{}",
            on_disk / MIB,
            written / MIB,
            (live.len() * ATTACHMENT) >> 20,
            server.log()
        );
    }
    println!(
        "{} MiB written, at most {} MiB on disk, {} MiB live",
        written / MIB,
        most / MIB,
        (live.len() * ATTACHMENT) >> 20
    );
    for (id, seed) in &live {
        let data = attachment_of(&mut client, &logon, folder_id, *id);
        assert!(data == pattern(*seed, ATTACHMENT), "message {id:#x}");
    }
    json(&store, None, &["store", "compact"]);
    let after = bytes_on_disk(&store);
    println!("{} MiB after compaction\n{}", after / MIB, server.log());
    for (id, seed) in &live {
        let data = attachment_of(&mut client, &logon, folder_id, *id);
        assert!(data == pattern(*seed, ATTACHMENT), "message {id:#x}");
    }
    assert_eq!(json(&store, None, &["store", "verify"])["whole"], true);
}
