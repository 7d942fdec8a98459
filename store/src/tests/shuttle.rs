//! The hand-locked parts under a scheduler that tries out orders of events: `cargo test -p
//! ropewalk-store --lib --features shuttle shuttle`. `ROPEWALK_SCHEDULES` asks for another number of
//! orders; a failing one is printed, for `shuttle::replay`.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool as Flag, AtomicU64 as Number, Ordering},
    },
};

use ropewalk_props::{Bag, BlobRef, GlobCnt, Guid, PropValue, tags};
use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler},
    thread,
};

use super::{
    disk::{Fault, SimDisk},
    history::{TestClock, guid_of, new_user},
    model::INBOX,
};
use crate::{
    CompactOptions, Compaction, ContentsView, Durability, IndexKind, Mailbox, Message, SaveMessage,
    Store, StoreError, StoreOptions,
    index::{Index, Job, Kv, keys, memory::MemoryKv, value},
    log::{frame::Position, group_commit::GroupCommit},
    open::Tuning,
    records::{Batch, Op},
    sync::Mutex,
};

/// Runs `test` in many orders: half of them at random, half with few changes of the thread that goes
/// first (PCT), which finds rare orders.
fn in_many_orders(schedules: usize, test: impl Fn() + Send + Sync + 'static) {
    let asked = std::env::var("ROPEWALK_SCHEDULES").ok();
    let schedules = asked.and_then(|n| n.parse().ok()).unwrap_or(schedules);
    let config = || {
        let mut config = Config::new();
        config.stack_size = 2 << 20;
        config
    };
    let test = Arc::new(test);
    let same = test.clone();
    Runner::new(RandomScheduler::new(schedules.div_ceil(2)), config()).run(move || same());
    Runner::new(PctScheduler::new(3, schedules.div_ceil(2)), config()).run(move || test());
}

#[test]
fn shuttle_group_commit_acknowledges_only_what_an_fsync_covered() {
    in_many_orders(4000, || {
        let group = Arc::new(GroupCommit::new(0));
        // As the log has it: numbers are given and written under one lock.
        let written = Arc::new(Mutex::new(0));
        let (synced, syncing) = (Arc::new(Number::new(0)), Arc::new(Flag::new(false)));
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let (group, written) = (group.clone(), written.clone());
                let (synced, syncing) = (synced.clone(), syncing.clone());
                thread::spawn(move || {
                    let lsn = {
                        let mut written = written.lock();
                        *written += 1;
                        *written
                    };
                    let sync = || {
                        assert!(!syncing.swap(true, Ordering::SeqCst), "one at a time");
                        let covered = *written.lock();
                        thread::yield_now();
                        synced.fetch_max(covered, Ordering::SeqCst);
                        assert!(syncing.swap(false, Ordering::SeqCst));
                        Ok(covered)
                    };
                    group.wait(lsn, sync).unwrap();
                    assert!(synced.load(Ordering::SeqCst) >= lsn);
                    assert!(group.durable() >= lsn);
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

#[test]
fn shuttle_after_an_fsync_that_failed_nothing_more_is_acknowledged_and_nobody_waits() {
    in_many_orders(4000, || {
        let group = Arc::new(GroupCommit::new(0));
        let written = Arc::new(Mutex::new(0));
        let (synced, failed) = (Arc::new(Number::new(0)), Arc::new(Flag::new(false)));
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let (group, written) = (group.clone(), written.clone());
                let (synced, failed) = (synced.clone(), failed.clone());
                thread::spawn(move || {
                    let lsn = {
                        let mut written = written.lock();
                        *written += 1;
                        *written
                    };
                    let sync = || {
                        assert!(!failed.load(Ordering::SeqCst), "none after one that failed");
                        let covered = *written.lock();
                        thread::yield_now();
                        if covered >= 3 {
                            failed.store(true, Ordering::SeqCst);
                            return Err(io::Error::other("no"));
                        }
                        synced.store(covered, Ordering::SeqCst);
                        Ok(covered)
                    };
                    match group.wait(lsn, sync) {
                        Ok(()) => assert!(synced.load(Ordering::SeqCst) >= lsn),
                        Err(error) => {
                            assert!(matches!(error, StoreError::ReadOnly { .. }));
                            assert!(failed.load(Ordering::SeqCst));
                            assert!(synced.load(Ordering::SeqCst) < lsn);
                        }
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        assert!(group.check().is_err());
    });
}

const MAILBOX: Guid = Guid([1; 16]);

fn job(lsn: u64) -> Job {
    let batch = Batch {
        mailbox: Some(MAILBOX),
        counter: lsn,
        ops: vec![Op::PutReplid(lsn as u16, MAILBOX)],
    };
    let at = Position {
        segment: 1,
        offset: 64 * lsn as u32,
        lsn,
    };
    Job { at, batch }
}

/// The last frame that the index has.
fn reflected(kv: &dyn Kv) -> u64 {
    kv.get(keys::APPLIED)
        .unwrap()
        .map_or(0, |bytes| value::decode::<Position>(&bytes).unwrap().lsn)
}

#[test]
fn shuttle_who_waits_for_the_index_finds_what_he_waited_for_and_closing_ends_all_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    in_many_orders(2000, move || {
        let kv = Arc::new(MemoryKv::default());
        let index = Arc::new(Index::start(kv.clone(), path.clone(), 0).unwrap());
        // As commits have it: queued in the order of the log, counted as done in any order (one that does
        // takes all before it along).
        let last = Arc::new(Mutex::new(0));
        let committers: Vec<_> = (0..3)
            .map(|_| {
                let (index, last, kv) = (index.clone(), last.clone(), kv.clone());
                thread::spawn(move || {
                    let lsn = {
                        let mut last = last.lock();
                        *last += 1;
                        index.push(job(*last));
                        *last
                    };
                    index.advance(lsn);
                    match index.wait_applied(lsn) {
                        Ok(()) => {
                            assert!(index.applied() >= lsn);
                            assert!(reflected(&*kv) >= lsn);
                        }
                        Err(error) => assert!(matches!(error, StoreError::Closed), "{error}"),
                    }
                })
            })
            .collect();
        let closer = index.clone();
        let closing = thread::spawn(move || closer.close().unwrap());
        for committer in committers {
            committer.join().unwrap();
        }
        closing.join().unwrap();
    });
    assert!(!dir.path().join("index.suspect").exists());
}

#[test]
fn shuttle_who_waits_for_a_commit_before_it_counts_as_done_is_woken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    in_many_orders(1000, move || {
        let kv = Arc::new(MemoryKv::default());
        let index = Arc::new(Index::start(kv, path.clone(), 0).unwrap());
        let waiters: Vec<_> = (1..=2)
            .map(|lsn| {
                let index = index.clone();
                thread::spawn(move || index.wait_applied(lsn).unwrap())
            })
            .collect();
        for lsn in 1..=2 {
            index.push(job(lsn));
            index.advance(lsn);
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
        index.close().unwrap();
    });
}

#[test]
fn shuttle_closing_the_index_takes_up_everything_that_counts_as_done() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    in_many_orders(1000, move || {
        let kv = Arc::new(MemoryKv::default());
        let index = Arc::new(Index::start(kv.clone(), path.clone(), 0).unwrap());
        let pusher = index.clone();
        let pushing = thread::spawn(move || {
            for lsn in 1..=4 {
                pusher.push(job(lsn));
                if lsn % 2 == 0 {
                    pusher.advance(lsn);
                }
            }
            pusher.push(job(5));
        });
        let watcher = index.clone();
        let watching = thread::spawn(move || watcher.watch());
        pushing.join().unwrap();
        index.close().unwrap();
        watching.join().unwrap();
        // Not the fifth: nobody said that it counts.
        assert_eq!(reflected(&*kv), 4);
    });
}

fn store_on(dir: &std::path::Path, disk: &SimDisk) -> Store {
    let options = StoreOptions {
        durability: Durability::Always,
        index: IndexKind::Memory,
        compaction: Compaction::Manual,
        clock: Arc::new(TestClock::default()),
        ..StoreOptions::default()
    };
    let tuning = Tuning {
        segment_bytes: 16 << 10,
        ..Tuning::new(Arc::new(disk.clone()))
    };
    Store::open_with(dir, options, tuning).unwrap()
}

fn save(mailbox: &Mailbox, number: i64) -> Result<u64, StoreError> {
    let saved = mailbox.save_message(SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message: Message {
            props: Bag::from_iter([(
                tags::PID_TAG_MESSAGE_SIZE_EXTENDED,
                PropValue::Integer64(number),
            )]),
            ..Message::default()
        },
    });
    saved.map(|entry| entry.id.0)
}

fn len(mailbox: &Mailbox) -> usize {
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    contents.unwrap().len()
}

/// The first look at a folder reads the index while commits are placed, taken up by the index and
/// shown.
#[test]
fn shuttle_a_folder_looked_at_while_others_write_has_each_commit_once_and_whole() {
    in_many_orders(400, || {
        let dir = tempfile::tempdir().unwrap();
        let disk = SimDisk::new(1);
        let store = store_on(dir.path(), &disk);
        store.add_user(new_user(0)).unwrap();
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        let shown = Arc::new(Number::new(0));
        let writers: Vec<_> = (0..2)
            .map(|number| {
                let (mailbox, shown) = (mailbox.clone(), shown.clone());
                thread::spawn(move || {
                    for _ in 0..2 {
                        let id = save(&mailbox, number).unwrap();
                        shown.fetch_add(1, Ordering::SeqCst);
                        let found = mailbox.entry(GlobCnt(INBOX), GlobCnt(id));
                        assert!(found.unwrap().is_some(), "one reads one's own writes");
                    }
                })
            })
            .collect();
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let (mailbox, shown) = (mailbox.clone(), shown.clone());
                thread::spawn(move || {
                    let mut seen = 0;
                    for _ in 0..2 {
                        let before = shown.load(Ordering::SeqCst) as usize;
                        let counted = mailbox.folder(GlobCnt(INBOX)).unwrap().counts.content;
                        let found = len(&mailbox);
                        assert!(found >= before, "what was acknowledged is seen");
                        assert!(found >= counted as usize && found <= 4);
                        assert!(found >= seen, "nothing shown goes away");
                        seen = found;
                    }
                })
            })
            .collect();
        for thread in writers.into_iter().chain(readers) {
            thread.join().unwrap();
        }
        assert_eq!(len(&mailbox), 4);
        assert!(!dir.path().join("index.suspect").exists(), "counts fit");
        drop(mailbox);
        store.close().unwrap();
        let store = store_on(dir.path(), &disk);
        assert_eq!(len(&store.mailbox(guid_of(0)).unwrap()), 4);
        store.close().unwrap();
    });
}

#[test]
fn shuttle_what_was_acknowledged_is_there_after_a_failed_fsync_and_a_power_failure() {
    in_many_orders(300, || {
        let dir = tempfile::tempdir().unwrap();
        let disk = SimDisk::new(shuttle::rand::Rng::r#gen(&mut shuttle::rand::thread_rng()));
        let store = store_on(dir.path(), &disk);
        for number in 0..3 {
            store.add_user(new_user(number)).unwrap();
        }
        let fails = shuttle::rand::Rng::gen_range(&mut shuttle::rand::thread_rng(), 0..10);
        disk.set_fault(Some(Fault::Fail(fails, io::ErrorKind::Other)));
        let writers: Vec<_> = (0..3)
            .map(|number| {
                let mailbox = store.mailbox(guid_of(number)).unwrap();
                thread::spawn(move || {
                    let saved: Vec<_> = (0..2).map(|n| save(&mailbox, n)).collect();
                    for result in &saved {
                        let refused = matches!(result, Err(StoreError::ReadOnly { .. }));
                        assert!(refused || result.is_ok(), "{result:?}");
                    }
                    let acknowledged = saved.iter().filter(|saved| saved.is_ok()).count();
                    assert_eq!(len(&mailbox), acknowledged, "readers see that and no more");
                    acknowledged
                })
            })
            .collect();
        let acknowledged: Vec<_> = writers.into_iter().map(|w| w.join().unwrap()).collect();
        disk.stop();
        let _ = store.close();
        drop(store);
        disk.power_failure();
        let store = store_on(dir.path(), &disk);
        assert_eq!(store.recovery().fenced, []);
        for (number, acknowledged) in acknowledged.into_iter().enumerate() {
            let mailbox = store.mailbox(guid_of(number as u64)).unwrap();
            assert!(len(&mailbox) >= acknowledged);
        }
        store.close().unwrap();
    });
}

#[test]
fn shuttle_closing_while_others_write_and_read_ends_and_loses_nothing() {
    in_many_orders(300, || {
        let dir = tempfile::tempdir().unwrap();
        let disk = SimDisk::new(1);
        let store = store_on(dir.path(), &disk);
        store.add_user(new_user(0)).unwrap();
        store.add_user(new_user(1)).unwrap();
        let writers: Vec<_> = (0..2)
            .map(|number| {
                let mailbox = store.mailbox(guid_of(number)).unwrap();
                thread::spawn(move || {
                    let saved: Vec<_> = (0..2).map(|n| save(&mailbox, n)).collect();
                    saved.iter().filter(|saved| saved.is_ok()).count()
                })
            })
            .collect();
        let reader = store.mailbox(guid_of(0)).unwrap();
        let reading =
            thread::spawn(
                move || match reader.contents(GlobCnt(INBOX), ContentsView::Normal) {
                    Ok(_) | Err(StoreError::Closed) => {}
                    Err(error) => panic!("{error}"),
                },
            );
        let (closer, ticker) = (store.clone(), store.clone());
        let closing = thread::spawn(move || closer.close().unwrap());
        let ticking = thread::spawn(move || ticker.core().tick());
        let acknowledged: Vec<_> = writers.into_iter().map(|w| w.join().unwrap()).collect();
        for thread in [reading, closing, ticking] {
            thread.join().unwrap();
        }
        drop(store);
        let store = store_on(dir.path(), &disk);
        assert_eq!(store.recovery().fenced, []);
        for (number, acknowledged) in acknowledged.into_iter().enumerate() {
            let mailbox = store.mailbox(guid_of(number as u64)).unwrap();
            assert_eq!(len(&mailbox), acknowledged);
        }
        store.close().unwrap();
    });
}

const LARGE: usize = 70_000;

fn save_large(store: &Store, mailbox: &Mailbox, fill: u8) -> Result<(u64, BlobRef), StoreError> {
    let mut writer = store.blob_writer();
    writer.write_at(0, &[fill; LARGE])?;
    let blob = writer.finish()?;
    let mut message = Message::default();
    message
        .props
        .set_external(tags::PID_TAG_RTF_COMPRESSED, blob);
    let saved = mailbox.save_message(SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    })?;
    Ok((saved.id.0, blob))
}

fn assert_filled(store: &Store, blob: BlobRef, fill: u8) -> Result<(), StoreError> {
    let mut bytes = vec![0; LARGE];
    let reader = store.blob_reader(blob)?;
    assert_eq!(reader.read_at(0, &mut bytes)?, LARGE);
    assert!(bytes.iter().all(|byte| *byte == fill));
    Ok(())
}

/// Equal large values are saved, read and deleted while what nobody uses is removed: the lock and the
/// notes by which compaction learns what is in use.
#[test]
fn shuttle_compaction_keeps_what_is_saved_copied_or_read_meanwhile() {
    in_many_orders(100, || {
        let dir = tempfile::tempdir().unwrap();
        let disk = SimDisk::new(1);
        let store = store_on(dir.path(), &disk);
        store.add_user(new_user(0)).unwrap();
        store.add_user(new_user(1)).unwrap();
        let mailbox = |number| store.mailbox(guid_of(number)).unwrap();
        let (first, second) = (mailbox(0), mailbox(1));
        let (kept, _) = save_large(&store, &first, 1).unwrap();
        let (gone, blob) = save_large(&store, &first, 2).unwrap();
        let (ours, its) = (store.clone(), first.clone());
        let compacting = thread::spawn(move || {
            let options = CompactOptions {
                full: true,
                ..CompactOptions::default()
            };
            for _ in 0..2 {
                ours.compact(options, &mut |_| {}).unwrap();
            }
        });
        let deleting = thread::spawn(move || {
            its.delete_messages(GlobCnt(INBOX), &[GlobCnt(gone)], true)
                .unwrap();
        });
        let (ours, its) = (store.clone(), second.clone());
        // The same bytes as in what is being deleted, and as in what is kept.
        let saving = thread::spawn(move || {
            [2, 1].map(|fill| (fill, save_large(&ours, &its, fill).unwrap().1))
        });
        let ours = store.clone();
        let reading = thread::spawn(move || match assert_filled(&ours, blob, 2) {
            Ok(()) | Err(StoreError::NotFound) => {}
            Err(error) => panic!("{error}"),
        });
        compacting.join().unwrap();
        deleting.join().unwrap();
        reading.join().unwrap();
        let mut saved: Vec<(u8, BlobRef)> = saving.join().unwrap().into();
        let moved = first.copy_messages(GlobCnt(INBOX), GlobCnt(INBOX), &[GlobCnt(kept)]);
        assert_eq!(moved.unwrap().done.len(), 1);
        saved.push(
            save_large(&store, &second, 3)
                .map(|(_, blob)| (3, blob))
                .unwrap(),
        );
        for (fill, blob) in &saved {
            assert_filled(&store, *blob, *fill).unwrap();
        }
        let report = store.verify(&mut |_| {}).unwrap();
        assert!(report.is_ok(), "{report:?}");
        drop((first, second));
        store.close().unwrap();
        let store = store_on(dir.path(), &disk);
        assert_eq!(store.recovery().fenced, []);
        for (fill, blob) in &saved {
            assert_filled(&store, *blob, *fill).unwrap();
        }
        store.close().unwrap();
    });
}
