//! Random histories, and one history interrupted at each of its disk calls.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use ropewalk_props::{GlobCnt, Guid, PropertyName};

use super::{
    content::{Content, content, read_blob},
    disk::Fault,
    history::{History, Op, Plan, guid_of, master, perform, random_op},
    model::Model,
    random::Random,
};
use crate::{CompactOptions, ContentsView, Durability, OpenError, Store, StoreError};

/// Histories of a normal run; `ROPEWALK_HISTORIES` asks for another number, `ROPEWALK_SEED` for the
/// first seed.
const HISTORIES: u64 = 30;

pub fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Says which seed it was when a test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "seed {} (ROPEWALK_SEED={} ROPEWALK_HISTORIES=1)",
                self.0, self.0
            );
        }
    }
}

fn live(seed: u64) {
    let _seed = Seed(seed);
    let durability = match seed % 4 {
        0 => Durability::None,
        _ => Durability::Always,
    };
    let mut history = History::new(seed, durability);
    match seed % 3 {
        0 => {}
        1 => history.key = Some(master('a')),
        _ => history.later_key = Some(master('a')),
    }
    let ops = 40 + history.random.below(160);
    history.run(Plan { ops });
}

#[test]
fn random_histories_with_crashes_keep_every_acknowledged_change() {
    let first = setting("ROPEWALK_SEED").unwrap_or(1);
    let count = setting("ROPEWALK_HISTORIES").unwrap_or(HISTORIES);
    let started = Instant::now();
    for seed in first..first.saturating_add(count) {
        live(seed);
        if (seed - first + 1).is_multiple_of(1000) {
            let done = seed - first + 1;
            eprintln!("{done} histories in {} s", started.elapsed().as_secs());
        }
    }
}

#[test]
fn random_histories_on_a_disk_that_gets_full_lose_and_half_do_nothing() {
    let first = setting("ROPEWALK_SEED").unwrap_or(1);
    let count = setting("ROPEWALK_HISTORIES").unwrap_or(HISTORIES);
    let seeds = first..first.saturating_add(count);
    let refused: u64 = seeds.map(full).sum();
    assert!(refused > count, "{refused} changes were refused");
}

/// A life on a disk that gets full; how many changes were refused.
fn full(seed: u64) -> u64 {
    let _seed = Seed(seed);
    let mut history = History::new(seed, Durability::Always);
    history.space = Some(Random::new(seed ^ 0xF011));
    if seed.is_multiple_of(3) {
        history.disk.cannot_reserve();
    }
    let ops = 40 + history.random.below(160);
    history.run(Plan { ops });
    history.refused
}

/// Emptying a folder for good once took soft-deleted associated messages that it was to keep.
#[test]
fn a_folder_that_is_emptied_for_good_keeps_what_it_should() {
    full(13);
}

/// A start that stops midway, before the log's end is durable, must not have told the index of it.
#[test]
fn a_start_that_loses_power_leaves_nothing_in_the_index_that_the_log_lost() {
    live(709_365);
}

/// A segment that could only be begun, since the disk was full, is no sign that frames which went into
/// the one before after that are on disk.
#[test]
fn a_segment_that_was_begun_on_a_full_disk_vouches_for_nothing() {
    live(1202);
}

#[test]
fn a_crash_at_any_disk_call_leaves_all_of_a_change_or_nothing() {
    let seed = setting("ROPEWALK_SEED").unwrap_or(7);
    let _seed = Seed(seed);
    for fault in [
        Fault::Stop,
        |at| Fault::Fail(at, io::ErrorKind::Other),
        |at| Fault::Fail(at, io::ErrorKind::StorageFull),
    ] {
        for at in 0.. {
            let mut history = History::new(seed, Durability::Always);
            history.step(&Op::AddUser(0));
            history.disk.set_fault(Some(fault(at)));
            let mut whole = true;
            for _ in 0..20 {
                let op = random_op(&mut history.random, &history.model);
                whole &= history.step(&op);
            }
            history.check();
            history.close(&None);
            history.check();
            if whole {
                assert!(at > 20, "the history has more calls than that");
                break;
            }
        }
    }
}

type Known = HashMap<(u64, GlobCnt, GlobCnt), Arc<Content>>;

fn remember(known: &mut Known, model: &Model) {
    for (user, (_, mailbox)) in &model.users {
        for folder in mailbox.folders.values() {
            for (id, message) in &folder.messages {
                let key = (*user, GlobCnt(*id), GlobCnt(message.cn));
                known.insert(key, message.content.clone());
            }
        }
    }
}

/// Whatever a damaged store shows is something that was once in it.
fn check_nothing_invented(store: &Store, known: &Known) {
    for number in 0..3 {
        let Ok(mailbox) = store.mailbox(guid_of(number)) else {
            continue;
        };
        let mut folders = vec![GlobCnt(super::model::ROOT)];
        let below = mailbox.hierarchy(folders[0], true, false);
        folders.extend(below.into_iter().map(|(id, _)| id));
        for folder in folders {
            let Ok(contents) = mailbox.contents(folder, ContentsView::Normal) else {
                continue;
            };
            let counts = mailbox.folder(folder).map(|folder| folder.counts.content);
            assert_eq!(counts, Some(contents.len() as u32));
            for entry in contents.iter() {
                let expected = &known[&(number, entry.id, entry.cn)];
                let stored = match mailbox.read_message(entry) {
                    Ok(stored) => stored.to_message(),
                    Err(StoreError::Damaged { .. }) => continue,
                    Err(error) => panic!("{error:?}"),
                };
                let damaged = vec![0xDA; 3];
                let blob = |blob| match read_blob(store, blob) {
                    Ok(bytes) => bytes,
                    Err(StoreError::Damaged { .. } | StoreError::NotFound) => damaged.clone(),
                    Err(error) => panic!("{error:?}"),
                };
                let found = content(&stored, &blob);
                for value in found.iter().filter(|(_, _, bytes)| *bytes != damaged) {
                    let time = value.2.len() == 8 && value.0.is_empty();
                    assert!(time || expected.contains(value), "{value:?}");
                }
            }
        }
    }
}

/// All that can be read of a store: its folders' properties and its messages.
fn readable(store: &Store) -> BTreeMap<(u64, u64, u64), String> {
    let mut all = BTreeMap::new();
    for number in 0..3 {
        let Ok(mailbox) = store.mailbox(guid_of(number)) else {
            continue;
        };
        let mut folders = vec![GlobCnt(super::model::ROOT)];
        for deleted in [false, true] {
            let below = mailbox.hierarchy(folders[0], true, deleted);
            folders.extend(below.into_iter().map(|(id, _)| id));
        }
        for id in folders {
            let Some(folder) = mailbox.folder(id) else {
                continue;
            };
            all.insert((number, id.0, 0), format!("{:?}", folder.props));
            let views = [
                ContentsView::Normal,
                ContentsView::Associated,
                ContentsView::SoftDeleted,
                ContentsView::SoftDeletedAssociated,
            ];
            for view in views {
                let Ok(contents) = mailbox.contents(id, view) else {
                    continue;
                };
                for entry in contents.iter() {
                    let read = mailbox.read_message(entry).map(|stored| {
                        let blob = |blob| read_blob(store, blob).unwrap_or_else(|_| vec![0xDA; 3]);
                        content(&stored.to_message(), &blob)
                    });
                    let read = format!("{view:?} {:?}", read.map_err(|_| "damaged"));
                    all.insert((number, id.0, entry.id.0), read);
                }
            }
        }
    }
    all
}

#[test]
fn what_can_be_read_of_a_damaged_store_is_there_after_space_was_given_back() {
    let first = setting("ROPEWALK_SEED").unwrap_or(1);
    let count = setting("ROPEWALK_HISTORIES").unwrap_or(10);
    let mut read = 0;
    for seed in first..first.saturating_add(count) {
        let _seed = Seed(seed);
        let mut history = History::new(seed, Durability::Always);
        history.key = (seed % 2 == 0).then(|| master('a'));
        for _ in 0..3 {
            for _ in 0..25 {
                let op = random_op(&mut history.random, &history.model);
                history.step(&op);
            }
            if history.random.once_in(2) {
                let full = history.random.once_in(2);
                history.compact(full, 0).expect("a whole store");
            }
        }
        history.close(&None);
        history.new_data_key = false;
        let (name, _) = history.disk.flip_a_bit_of(&[".seg", ".ckp"]);
        let store = match history.try_open_again() {
            // The index is gone as well.
            Err(OpenError::BadLog { .. }) if name.ends_with(".ckp") => continue,
            opened => opened.expect("a damaged store opens"),
        };
        let before = readable(&store);
        read += before.len();
        for full in [false, true] {
            let options = CompactOptions {
                full,
                grace: Duration::ZERO,
                bytes_per_second: None,
            };
            store
                .compact(options, &mut |_| {})
                .expect("space is given back");
            assert!(readable(&store) == before, "{name}");
        }
        store.close().expect("a damaged store closes");
        drop(store);
        history.forget_index();
        let store = history.open_damaged();
        let after = readable(&store);
        for (key, value) in &before {
            assert_eq!(after.get(key), Some(value), "{name} {key:?}");
        }
        assert!(after == before, "{name}");
    }
    assert!(read as u64 > 5 * count, "there was little to read");
}

#[test]
fn a_flipped_bit_is_found_and_never_served() {
    let first = setting("ROPEWALK_SEED").unwrap_or(1);
    let count = setting("ROPEWALK_HISTORIES").unwrap_or(20);
    for seed in first..first.saturating_add(count) {
        let _seed = Seed(seed);
        let mut history = History::new(seed, Durability::Always);
        history.key = (seed % 2 == 0).then(|| master('a'));
        let mut known = Known::new();
        for _ in 0..40 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
            remember(&mut known, &history.model);
        }
        history.close(&None);
        history.disk.flip_a_bit();
        let store = history.open_damaged();
        check_nothing_invented(&store, &known);
        // No number is given twice, whatever was lost.
        for (user, (_, mailbox)) in &history.model.users {
            if let Ok(found) = store.mailbox(guid_of(*user)) {
                let next = found.reserve_ids(1).expect("the store takes changes");
                assert!(next.0 >= mailbox.counter, "{next:?} was given before");
                let name = PropertyName::Lid(Guid([0xEE; 16]), 1);
                let id = found.named_ids(&[name], true).expect("there are ids left")[0];
                assert!(id >= Some(0x8001 + mailbox.names.len() as u16), "{id:?}");
                let id = found.replid_of(Guid([0xEE; 16]), true);
                let id = id.expect("there are ids left");
                assert!(id >= Some(2 + mailbox.replids.len() as u16), "{id:?}");
            }
        }
        for _ in 0..20 {
            let op = random_op(&mut history.random, &history.model);
            if let Err(error) = perform(&store, &op) {
                let usual = !matches!(error, StoreError::ReadOnly { .. } | StoreError::Index(_));
                assert!(usual, "{error:?}");
            }
        }
        store.close().expect("a damaged store closes");
        history.open_damaged().close().expect("and does so again");
    }
}
