//! Several sessions at once on one mailbox.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use ropewalk_tests::{
    client::{Cells as _, Value},
    fixture::{ada, code, new_folder, new_message, tag, text},
};

const WRITERS: usize = 4;
const EACH: usize = 20;

#[test]
fn writers_do_not_lose_messages_and_readers_see_whole_ones() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let done = AtomicBool::new(false);
    let mut all = HashSet::new();
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut client, logon) = ada();
            let folder = client.open_folder(logon.handle, folder_id).unwrap();
            let mut reads = 0;
            let mut least = 0;
            while !done.load(Ordering::Relaxed) || reads == 0 {
                let (table, _) = client.contents_table(folder, 0).unwrap();
                let rows = client
                    .query_all_rows(table, &[tag::SUBJECT, tag::COMMENT, tag::MID])
                    .unwrap();
                client.release(table).unwrap();
                for row in &rows {
                    // Both were set before the save.
                    assert_eq!(row.text(0), row.text(1));
                }
                assert!(rows.len() >= least, "a message has gone");
                least = rows.len();
                reads += 1;
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                scope.spawn(move || {
                    let (mut client, logon) = ada();
                    let folder = client.open_folder(logon.handle, folder_id).unwrap();
                    (0..EACH)
                        .map(|i| {
                            let message = client.create_message(folder, folder_id).unwrap();
                            let name = text(&format!("{writer} {i}"));
                            client
                                .set_props(
                                    message,
                                    &[(tag::SUBJECT, name.clone()), (tag::COMMENT, name)],
                                )
                                .unwrap();
                            let id = client.save_message(message).unwrap();
                            client.release(message).unwrap();
                            id
                        })
                        .collect::<Vec<u64>>()
                })
            })
            .collect();
        for writer in writers {
            all.extend(writer.join().unwrap());
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    assert_eq!(all.len(), WRITERS * EACH, "every MID is another");
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count as usize, WRITERS * EACH);
    let rows = client
        .query_all_rows(table, &[tag::MID, tag::CHANGE_NUMBER])
        .unwrap();
    let mids: HashSet<u64> = rows.iter().map(|row| row.id(0)).collect();
    let changes: HashSet<u64> = rows.iter().map(|row| row.id(1)).collect();
    assert_eq!(mids, all);
    assert_eq!(changes.len(), all.len(), "every change number is another");
    let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0) as usize, WRITERS * EACH);
}

// MS-OXCMSG 3.2.5.3: of many transactions that began alike, one is committed.
#[test]
fn one_of_many_concurrent_saves_of_a_message_wins() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "contended");
    client.release(message).unwrap();
    for round in 0..5 {
        let ready = std::sync::Barrier::new(WRITERS);
        let winners: Vec<i32> = thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS as i32)
                .map(|writer| {
                    let ready = &ready;
                    scope.spawn(move || {
                        let (mut client, logon) = ada();
                        let opened = client.open_message(logon.handle, folder_id, id, 1).unwrap();
                        let value = Value::Integer32(round * 100 + writer);
                        client
                            .set_props(opened.handle, &[(0x7801_0003, value)])
                            .unwrap();
                        ready.wait();
                        match client.save_message(opened.handle) {
                            Ok(_) => Some(round * 100 + writer),
                            Err(error) => {
                                assert_eq!(error.code(), code::OBJECT_MODIFIED);
                                None
                            }
                        }
                    })
                })
                .collect();
            writers
                .into_iter()
                .filter_map(|writer| writer.join().unwrap())
                .collect()
        });
        assert_eq!(winners.len(), 1, "{winners:?}");
        let opened = client.open_message(folder, folder_id, id, 0).unwrap();
        let row = client.get_props(opened.handle, &[0x7801_0003]).unwrap();
        assert_eq!(row.int(0), winners[0]);
    }
}

#[test]
fn concurrent_folders_of_one_name_are_made_once() {
    let (mut client, logon) = ada();
    let (parent, parent_id) = new_folder(&mut client, &logon);
    let made: Vec<bool> = thread::scope(|scope| {
        let makers: Vec<_> = (0..WRITERS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut client, logon) = ada();
                    let parent = client.open_folder(logon.handle, parent_id).unwrap();
                    match client.create_folder(parent, "Only") {
                        Ok(_) => true,
                        Err(error) => {
                            assert_eq!(error.code(), code::DUPLICATE_NAME);
                            false
                        }
                    }
                })
            })
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect()
    });
    assert_eq!(made.iter().filter(|made| **made).count(), 1);
    assert_eq!(client.hierarchy_table(parent, 0).unwrap().1, 1);
}
