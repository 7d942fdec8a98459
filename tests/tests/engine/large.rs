//! A large attachment streams in and out in little memory, and is stored once.

use std::fs;

use ropewalk_tests::{
    client::Value,
    command::{bytes_on_disk, json},
    fixture::{PASSWORD, legacy_dn, log_on, tag},
    server::{TestServer, add_user},
};

use super::house::{pattern, setting};

const USERS: [&str; 3] = ["ada@example.test", "bob@example.test", "eve@example.test"];
const PIECE: usize = 1 << 20;

/// The most that the process ever had in memory, in KiB.
fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.unwrap().split_whitespace().nth(1).unwrap();
    kib.parse().unwrap()
}

#[test]
fn a_large_attachment_of_three_mailboxes_takes_the_room_of_one_and_little_memory() {
    let mib = setting("ROPEWALK_ENGINE_MIB", 40);
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    for user in USERS {
        add_user(&store, user, user, PASSWORD);
    }
    let dns = USERS.map(|user| legacy_dn(&store, user));
    let server = TestServer::start_in(&store, &[]);
    // To check a password takes memory of its own.
    for (user, dn) in USERS.iter().zip(&dns) {
        log_on(&server, user, PASSWORD, dn);
    }
    let before = peak(server.pid());
    let mut made = Vec::new();
    for (user, dn) in USERS.iter().zip(&dns) {
        let (mut client, logon) = log_on(&server, user, PASSWORD, dn);
        let message = client.create_message(logon.handle, logon.inbox()).unwrap();
        let (attachment, _) = client.create_attachment(message).unwrap();
        client
            .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])
            .unwrap();
        let (stream, _) = client
            .open_stream(attachment, tag::ATTACH_DATA_BINARY, 2)
            .unwrap();
        for piece in 0..mib {
            client
                .write_all(stream, &pattern(piece + 1, PIECE))
                .unwrap();
        }
        client.commit_stream(stream).unwrap();
        client.release(stream).unwrap();
        client.save_attachment(message, attachment).unwrap();
        made.push(client.save_message(message).unwrap());
        println!("{user}: {} KiB on disk", bytes_on_disk(&store) >> 10);
    }
    let on_disk = bytes_on_disk(&store);
    let written = peak(server.pid());
    for ((user, dn), id) in USERS.iter().zip(&dns).zip(&made) {
        let (mut client, logon) = log_on(&server, user, PASSWORD, dn);
        let opened = client
            .open_message(logon.handle, logon.inbox(), *id, 0)
            .unwrap();
        let attachment = client.open_attachment(opened.handle, 0, 0).unwrap();
        let (stream, size) = client
            .open_stream(attachment, tag::ATTACH_DATA_BINARY, 0)
            .unwrap();
        assert_eq!(u64::from(size), mib << 20);
        for piece in 0..mib {
            let expected = pattern(piece + 1, PIECE);
            let mut read = Vec::new();
            while read.len() < PIECE {
                let room = (PIECE - read.len()).min(0x7000) as u16;
                let more = client.read_stream_once(stream, room, None).unwrap();
                assert!(!more.is_empty());
                read.extend(more);
            }
            assert!(read == expected, "{user}: piece {piece}");
        }
    }
    let read = peak(server.pid());
    println!(
        "peak in KiB: {before} before, {written} written, {read} read; {on_disk} bytes on disk"
    );
    let bound = before + (64 << 10);
    assert!(
        written <= bound && read <= bound,
        "{before} {written} {read} KiB"
    );
    let stats = json(&store, None, &["store", "stats"]);
    println!("{stats}");
    // Whoever sent it: once, and what describes it.
    let once = mib << 20;
    assert!(
        on_disk < once + once / 4 + (8 << 20),
        "{on_disk} for {once}"
    );
    // The last one that is deleted gives it back, not the first.
    let (mut client, logon) = log_on(&server, USERS[0], PASSWORD, &dns[0]);
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    assert_eq!(client.hard_delete_messages(inbox, &[made[0]]).unwrap(), 0);
    json(&store, None, &["store", "compact"]);
    assert_eq!(json(&store, None, &["store", "verify"])["whole"], true);
    let (mut client, logon) = log_on(&server, USERS[2], PASSWORD, &dns[2]);
    let opened = client
        .open_message(logon.handle, logon.inbox(), made[2], 0)
        .unwrap();
    let attachment = client.open_attachment(opened.handle, 0, 0).unwrap();
    let (stream, _) = client
        .open_stream(attachment, tag::ATTACH_DATA_BINARY, 0)
        .unwrap();
    let begin = client.read_stream_once(stream, 0x7000, None).unwrap();
    assert!(begin == pattern(1, 0x7000));
}
