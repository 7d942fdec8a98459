//! Giving back space: what is in use stays, whatever happens meanwhile, and the rest goes.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use ropewalk_props::{BagView, BlobRef, FileTime, GlobCnt, PropTag, PropValue, Slot, tags};

use super::{
    content::{MessageSpec, read_blob},
    disk::{Fault, SimDisk},
    histories::setting,
    history::{History, MailboxOp, Op, TestClock, guid_of, new_user, random_op},
    model::INBOX,
    random::Random,
};
use crate::{
    BlobReader, BlobWriter, CompactOptions, Compaction, ContentsView, Durability, IndexKind,
    Message, MessageEntry, SaveMessage, Store, StoreError, StoreOptions,
    disk::{Disk, OsDisk},
    index::{IndexError, Kv, Visit, Write, keys, memory::MemoryKv, value},
    log::frame::Location,
    open::Tuning,
};

/// A closed store that has seen so much.
fn grown(seed: u64, ops: u64) -> History {
    let mut history = History::new(seed, Durability::Always);
    for _ in 0..ops {
        let op = random_op(&mut history.random, &history.model);
        history.step(&op);
    }
    history.close_keeping_index();
    history
}

fn packs(disk: &SimDisk) -> usize {
    let names = disk.file_names();
    let is_pack = |name: &&String| name.ends_with(".seg") && name.contains('-');
    names.iter().filter(is_pack).count()
}

fn parts(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.file_names();
    names.retain(|name| name.ends_with(".part"));
    names
}

#[test]
fn what_is_not_in_use_goes_and_all_else_is_there_with_the_index_and_without() {
    for seed in 1..6 {
        let mut history = grown(seed, 300);
        let before = history.disk.bytes();
        let report = history.compact(true, 0).unwrap();
        assert!(report.packs_written > 0 && report.files_replaced >= report.packs_written);
        assert!(history.disk.bytes() < before * 3 / 4, "{report:?}");
        let files = history.disk.bytes();
        assert_eq!(report.bytes_after, files, "{:?}", history.disk.file_names());
        assert!(report.live_bytes <= files && files <= report.live_bytes + (16 << 10));
        assert_eq!(parts(&history.disk), [""; 0]);
        history.check();
        history.check_all();
        // There is nothing left to do.
        let again = history.compact(false, 0).unwrap();
        assert_eq!((again.packs_written, again.blobs_removed), (0, 0));
        history.check_all();
    }
}

#[test]
fn whatever_is_done_during_a_run_is_kept() {
    for seed in 1..25 {
        let mut history = grown(seed, 60);
        for round in 0..6 {
            let report = history.compact(round % 2 == 0, 9).unwrap();
            assert!(report.damaged.is_empty());
            history.check();
        }
        history.check_all();
    }
}

type Faults = (fn(u64) -> Fault, u64, usize);

const FAULTS: [Faults; 3] = [
    (Fault::Stop, 0, 1),
    (|at| Fault::Fail(at, io::ErrorKind::Other), 1, 5),
    (|at| Fault::Fail(at, io::ErrorKind::StorageFull), 2, 5),
];

#[test]
fn a_run_that_is_interrupted_at_any_disk_call_loses_nothing() {
    let mut base = grown(11, 90);
    let mut packed = base.fork(0);
    packed.compact(false, 0).unwrap();
    for _ in 0..40 {
        let op = random_op(&mut packed.random, &packed.model);
        packed.step(&op);
    }
    packed.close_keeping_index();
    base.forget_index();
    for (base, full) in [(&base, true), (&packed, true), (&packed, false)] {
        let calls = {
            let mut clean = base.fork(1);
            clean.store();
            let before = clean.disk.calls();
            clean.compact(full, 0).unwrap();
            clean.disk.calls() - before
        };
        assert!(calls > 15);
        // Failures of a single call matter less than stops: every fifth of them.
        for (fault, offset, step) in FAULTS {
            let step = if setting("ROPEWALK_ALL").is_some() {
                1
            } else {
                step
            };
            for at in (offset..calls).step_by(step) {
                let mut history = base.fork(at);
                history.store();
                history.disk.set_fault(Some(fault(at)));
                let _ = history.compact(full, 0);
                if history.disk.is_on() {
                    // The store goes on, or says that it does not.
                    history.check();
                    for _ in 0..3 {
                        let op = random_op(&mut history.random, &history.model);
                        history.step(&op);
                    }
                } else {
                    history.crash(&None);
                }
                history.check();
                // Again, with what was left behind.
                if at % 2 == 0 {
                    let again = history.random.below(calls);
                    history.disk.set_fault(Some(Fault::Stop(again)));
                    let _ = history.compact(full, 0);
                    history.crash(&None);
                    history.check();
                }
                history.compact(full, 0).unwrap();
                assert_eq!(parts(&history.disk), [""; 0]);
                history.check_all();
            }
        }
    }
}

#[test]
fn a_full_disk_ends_a_run_and_nothing_else() {
    let base = grown(3, 200);
    let mut history = base.fork(1);
    history.store();
    let mut ended = 0;
    for at in 0..40 {
        history.store();
        history
            .disk
            .set_fault(Some(Fault::Fail(at, io::ErrorKind::StorageFull)));
        let done = history.compact(false, 0);
        history.disk.set_fault(None);
        if history.store().core().check_writable().is_err() {
            // The log itself found no room for its mark.
            history.crash(&None);
            continue;
        }
        ended += usize::from(done.is_err());
        assert!(parts(&history.disk).len() <= usize::from(done.is_err()));
        history.step(&Op::SetPassword(0, format!("{at}")));
    }
    assert!(ended > 3, "{ended}");
    history.compact(true, 0).unwrap();
    history.check_all();
}

// ---- damage and failures ----

fn plain(seed: u64) -> MessageSpec {
    MessageSpec {
        seed,
        body: 2000,
        recipients: 0,
        attachments: 0,
        nested: false,
        blob: None,
    }
}

fn saved(spec: MessageSpec) -> MailboxOp {
    MailboxOp::Save {
        folder: INBOX,
        associated: false,
        specs: vec![spec],
    }
}

/// A user with messages of 2,000 bytes, of which every second one was deleted for good.
fn half_deleted() -> History {
    let mut history = History::new(1, Durability::Always);
    history.step(&Op::AddUser(0));
    let mut ids = Vec::new();
    for seed in 0..120 {
        history.step(&Op::In(0, saved(plain(seed))));
    }
    let mailbox = history.store().mailbox(guid_of(0)).unwrap();
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    ids.extend(contents.unwrap().iter().map(|entry| entry.id.0));
    let gone: Vec<u64> = ids.iter().copied().step_by(2).collect();
    let op = MailboxOp::Delete {
        folder: INBOX,
        ids: gone,
        hard: true,
    };
    history.step(&Op::In(0, op));
    history
}

fn places(history: &mut History) -> Vec<Location> {
    let mailbox = history.store().mailbox(guid_of(0)).unwrap();
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    contents
        .unwrap()
        .iter()
        .map(|entry| entry.content)
        .collect()
}

#[test]
fn a_file_with_damage_in_something_that_is_in_use_stays_as_it_is_and_the_others_go() {
    let mut history = half_deleted();
    let places = places(&mut history);
    let victim = places[places.len() / 2];
    let name = format!("{:08}.seg", victim.segment);
    history
        .disk
        .tamper(&name, |bytes| bytes[victim.offset as usize + 100] ^= 1);
    let before = history.disk.get(&name);
    for _ in 0..2 {
        let report = history.compact(true, 0).unwrap();
        assert_eq!(report.damaged, [victim.segment]);
        assert_eq!(history.disk.get(&name), before);
    }
    assert!(packs(&history.disk) >= 2);
    let names = history.disk.file_names();
    assert!(!names.contains(&"00000001.seg".to_owned()), "{names:?}");
    let mailbox = history.store().mailbox(guid_of(0)).unwrap();
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    for entry in contents.unwrap().iter() {
        let read = mailbox.read_message(entry);
        assert_eq!(read.is_err(), entry.content == victim);
    }
}

#[test]
fn an_index_that_lost_something_is_found_out_and_nothing_goes() {
    let mut base = half_deleted();
    let large = MessageSpec {
        body: 20_000,
        ..plain(7)
    };
    base.step(&Op::In(0, saved(large)));
    base.close_keeping_index();
    let keys = [
        keys::messages(guid_of(0), GlobCnt(INBOX)),
        keys::folder(guid_of(0), GlobCnt(INBOX)),
        keys::part(guid_of(0), keys::Part::Meta),
        keys::blob(0)[..1].to_vec(),
    ];
    for lost in keys {
        let mut history = base.fork(1);
        let one = std::cell::Cell::new(true);
        history.damage_index(|key| key.starts_with(&lost) && one.replace(false), None);
        let refused = history.compact(true, 0);
        assert!(
            matches!(refused, Err(StoreError::Index(_))),
            "{lost:?}: {refused:?}"
        );
        assert_eq!((packs(&history.disk), parts(&history.disk).len()), (0, 0));
        assert!(history.suspects_index());
        history.close_keeping_index();
        history.forget_index();
        history.compact(true, 0).unwrap();
        history.check_all();
    }
}

#[test]
fn an_index_with_a_damaged_value_or_an_unknown_key_ends_the_run() {
    let mut history = half_deleted();
    history.close_keeping_index();
    let folders = keys::part(guid_of(0), keys::Part::Message);
    history.damage_index(|key| key.starts_with(&folders), Some(b"garbage"));
    assert!(matches!(
        history.compact(false, 0),
        Err(StoreError::Index(_))
    ));
    assert_eq!((packs(&history.disk), parts(&history.disk).len()), (0, 0));
}

/// Fails, or panics, when it is read on behalf of compaction.
struct Broken {
    kv: MemoryKv,
    armed: Arc<AtomicBool>,
}

impl Kv for Broken {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.kv.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        if self.armed.load(Ordering::SeqCst) && from > keys::CHUNKS {
            return Err(IndexError("on purpose".into()));
        }
        self.kv.range(from, to, visit)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        self.kv.apply(writes)
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

fn options(clock: &Arc<TestClock>) -> StoreOptions {
    StoreOptions {
        index: IndexKind::Memory,
        durability: Durability::None,
        clock: clock.clone(),
        compaction: Compaction::Manual,
        ..StoreOptions::default()
    }
}

fn tuning(disk: Arc<dyn Disk>) -> Tuning {
    Tuning {
        segment_bytes: 48 << 10,
        ..Tuning::new(disk)
    }
}

fn at_once(full: bool) -> CompactOptions {
    CompactOptions {
        full,
        grace: Duration::ZERO,
        bytes_per_second: None,
    }
}

fn text(number: u64, len: usize) -> Message {
    let mut message = Message::default();
    let bytes = Random::new(number).bytes(len);
    message
        .props
        .set(tags::PID_TAG_RTF_COMPRESSED, &PropValue::Binary(bytes));
    message
}

fn save(message: Message) -> SaveMessage {
    SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

#[test]
fn an_index_that_fails_during_a_run_costs_nothing_but_the_run() {
    let (disk, dir) = (SimDisk::new(1), tempfile::tempdir().unwrap());
    let clock = Arc::new(TestClock::default());
    let armed = Arc::new(AtomicBool::new(false));
    let store =
        Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap();
    store.add_user(new_user(0)).unwrap();
    store.close().unwrap();
    let kv = Arc::new(Broken {
        kv: MemoryKv::default(),
        armed: armed.clone(),
    });
    let identity = {
        let store =
            Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap();
        let identity = super::history::dump(&*store.core().index.kv().unwrap());
        store.close().unwrap();
        identity
    };
    kv.apply(&identity).unwrap();
    let with_broken = Tuning {
        index: Some(kv),
        ..tuning(Arc::new(disk.clone()))
    };
    let store = Store::open_with(dir.path(), options(&clock), with_broken).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    for number in 0..60 {
        mailbox.save_message(save(text(number, 2000))).unwrap();
    }
    armed.store(true, Ordering::SeqCst);
    let refused = store.compact(at_once(true), &mut |_| {});
    assert!(matches!(refused, Err(StoreError::Index(_))), "{refused:?}");
    assert_eq!((packs(&disk), parts(&disk).len()), (0, 0));
    mailbox.save_message(save(text(99, 2000))).unwrap();
    armed.store(false, Ordering::SeqCst);
    store.compact(at_once(true), &mut |_| {}).unwrap();
    let contents = mailbox
        .contents(GlobCnt(INBOX), ContentsView::Normal)
        .unwrap();
    assert_eq!(contents.len(), 61);
    for entry in contents.iter() {
        mailbox.read_message(entry).unwrap();
    }
}

/// Hangs when compaction reads it, until it is let go.
struct Hanging {
    kv: MemoryKv,
    /// Whether it hangs, and whether somebody waits.
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Kv for Hanging {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.kv.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        let mut state = self.state.lock();
        while state.0 && from > keys::CHUNKS {
            state.1 = true;
            self.changed.notify_all();
            self.changed.wait(&mut state);
        }
        drop(state);
        self.kv.range(from, to, visit)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        self.kv.apply(writes)
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

#[test]
fn an_index_that_hangs_during_a_run_stops_neither_writers_nor_closing() {
    let (disk, dir) = (SimDisk::new(1), tempfile::tempdir().unwrap());
    let clock = Arc::new(TestClock::default());
    let store =
        Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap();
    store.add_user(new_user(0)).unwrap();
    let hanging = Arc::new(Hanging {
        kv: MemoryKv::default(),
        state: Mutex::new((false, false)),
        changed: Condvar::new(),
    });
    store.close().unwrap();
    let store =
        Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap();
    let all = super::history::dump(&*store.core().index.kv().unwrap());
    hanging.apply(&all).unwrap();
    store.close().unwrap();
    let with_hanging = Tuning {
        index: Some(hanging.clone()),
        ..tuning(Arc::new(disk.clone()))
    };
    let store = Store::open_with(dir.path(), options(&clock), with_hanging).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    hanging.state.lock().0 = true;
    std::thread::scope(|scope| {
        let running = scope.spawn(|| store.compact(at_once(true), &mut |_| {}));
        let mut state = hanging.state.lock();
        while !state.1 {
            hanging.changed.wait(&mut state);
        }
        drop(state);
        store.set_password("u0@example.test", "another").unwrap();
        mailbox
            .create_folder(crate::NewFolder {
                parent: GlobCnt(INBOX),
                kind: crate::FolderKind::Generic,
                props: ropewalk_props::Bag::from_iter([(
                    tags::PID_TAG_DISPLAY_NAME,
                    PropValue::text("meanwhile"),
                )]),
            })
            .unwrap();
        store.close().unwrap();
        let files = disk.file_names();
        hanging.state.lock().0 = false;
        hanging.changed.notify_all();
        let ended = running.join().unwrap();
        assert!(matches!(ended, Err(StoreError::Closed)), "{ended:?}");
        assert_eq!(disk.file_names(), files, "nothing is changed afterwards");
    });
    let store = Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk))).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert_eq!(mailbox.child_folders(GlobCnt(INBOX)).len(), 1);
}

#[test]
fn who_found_a_message_before_it_was_deleted_can_read_it_for_a_while() {
    let (disk, dir) = (SimDisk::new(1), tempfile::tempdir().unwrap());
    let clock = Arc::new(TestClock::default());
    let uncached = StoreOptions {
        cache_bytes: 0,
        ..options(&clock)
    };
    let store = Store::open_with(dir.path(), uncached, tuning(Arc::new(disk.clone()))).unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    for number in 0..60 {
        mailbox.save_message(save(text(number, 2000))).unwrap();
    }
    let before = mailbox
        .contents(GlobCnt(INBOX), ContentsView::Normal)
        .unwrap();
    let ids: Vec<GlobCnt> = before.iter().map(|entry| entry.id).collect();
    mailbox.delete_messages(GlobCnt(INBOX), &ids, true).unwrap();
    let minute = CompactOptions {
        grace: Duration::from_secs(60),
        ..at_once(true)
    };
    let report = store.compact(minute, &mut |_| {}).unwrap();
    assert!(report.bytes_after < report.bytes_before / 4, "{report:?}");
    for entry in before.iter() {
        mailbox.read_message(entry).unwrap();
    }
    mailbox.save_message(save(text(99, 2000))).unwrap();
    store.compact(at_once(true), &mut |_| {}).unwrap();
    for entry in before.iter() {
        let gone = mailbox.read_message(entry);
        assert!(matches!(gone, Err(StoreError::Damaged { .. })), "{gone:?}");
    }
}

#[test]
fn a_store_that_became_read_only_is_not_rewritten() {
    let mut history = half_deleted();
    history
        .disk
        .set_fault(Some(Fault::Fail(1, io::ErrorKind::Other)));
    let store = history.store();
    assert!(store.set_password("u0@example.test", "x").is_err());
    let names = history.disk.file_names();
    let calls = history.disk.calls();
    let refused = history.compact(true, 0);
    assert!(
        matches!(refused, Err(StoreError::ReadOnly { .. })),
        "{refused:?}"
    );
    assert_eq!(
        (history.disk.file_names(), history.disk.calls()),
        (names, calls)
    );
}

#[test]
fn closing_during_a_run_ends_it_soon() {
    let mut history = half_deleted();
    let store = history.store();
    let slow = CompactOptions {
        full: true,
        bytes_per_second: Some(1000),
        ..at_once(true)
    };
    let started = Instant::now();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| store.compact(slow, &mut |_| {}));
        while parts(&history.disk).is_empty() {
            std::thread::yield_now();
        }
        store.close().unwrap();
        let files = history.disk.file_names();
        let ended = running.join().unwrap();
        assert!(matches!(ended, Err(StoreError::Closed)), "{ended:?}");
        assert_eq!(
            history.disk.file_names(),
            files,
            "nothing is changed afterwards"
        );
    });
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[test]
fn what_format_1_wrote_is_read_to_know_its_large_values() {
    let mut history = super::fixture::of_format_1();
    history.check();
    for full in [true, false] {
        let report = history.compact(full, 0).unwrap();
        assert!(report.damaged.is_empty());
        history.check_all();
    }
    assert!(packs(&history.disk) > 0);
}

// ---- large values ----

const DATA: PropTag = tags::PID_TAG_ATTACH_DATA_BINARY;

/// What somebody has in his hands while space is given back.
#[derive(Default)]
struct Hands {
    writers: Vec<(BlobWriter, Vec<u8>)>,
    readers: Vec<(BlobReader, Vec<u8>)>,
    finished: Vec<(BlobRef, Vec<u8>)>,
    /// Messages, what they have, and the large value again.
    saved: Vec<(GlobCnt, BlobRef, Vec<u8>)>,
}

impl Hands {
    fn act(&mut self, store: &Store, random: &mut Random) {
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        match random.below(9) {
            0 => self.writers.push((store.blob_writer(), Vec::new())),
            1 if !self.saved.is_empty() => {
                let (_, blob, bytes) = random.pick(&self.saved).unwrap();
                self.writers.push((store.blob_editor(blob).unwrap(), bytes));
            }
            2..5 if !self.writers.is_empty() => {
                let index = random.below(self.writers.len() as u64) as usize;
                let (writer, bytes) = &mut self.writers[index];
                let at = random.below(bytes.len() as u64 + 70_000) as usize;
                let len = random.below(150_000) as usize;
                // Of two kinds, so that there are equal chunks.
                let piece = match random.once_in(2) {
                    true => vec![7; len],
                    false => random.bytes(len),
                };
                writer.write_at(at as u64, &piece).unwrap();
                if !piece.is_empty() {
                    bytes.resize(bytes.len().max(at + len), 0);
                    bytes[at..at + len].copy_from_slice(&piece);
                }
            }
            5 if !self.writers.is_empty() => {
                let index = random.below(self.writers.len() as u64) as usize;
                let (writer, bytes) = self.writers.remove(index);
                self.finished.push((writer.finish().unwrap(), bytes));
            }
            6 if !self.finished.is_empty() => {
                let index = random.below(self.finished.len() as u64) as usize;
                let (blob, bytes) = self.finished.remove(index);
                let mut message = text(random.next(), 100);
                message.props.set_external(DATA, blob);
                let saved = mailbox.save_message(save(message)).unwrap();
                self.saved.push((saved.id, blob, bytes));
            }
            7 if !self.saved.is_empty() => {
                let index = random.below(self.saved.len() as u64) as usize;
                let (id, blob, bytes) = self.saved.remove(index);
                if random.once_in(2) {
                    // Who reads it now reads on, whatever becomes of it.
                    self.readers.push((store.blob_reader(blob).unwrap(), bytes));
                } else if random.once_in(2) {
                    let moved = mailbox.move_messages(GlobCnt(INBOX), GlobCnt(INBOX), &[id]);
                    self.saved.push((moved.unwrap().done[0].1, blob, bytes));
                    return;
                }
                mailbox
                    .delete_messages(GlobCnt(INBOX), &[id], true)
                    .unwrap();
            }
            8 if self.readers.len() > 3 => drop(self.readers.remove(0)),
            _ => {}
        }
    }

    fn check(&self, store: &Store) {
        for (writer, bytes) in &self.writers {
            let mut found = vec![0; bytes.len()];
            writer.read_at(0, &mut found).unwrap();
            assert!(found == *bytes, "a writer's");
        }
        for (reader, bytes) in &self.readers {
            let mut found = vec![0; bytes.len()];
            reader.read_at(0, &mut found).unwrap();
            assert!(found == *bytes, "a reader's");
        }
        for (blob, bytes) in &self.finished {
            assert!(read_blob(store, *blob).unwrap() == *bytes, "unsaved");
        }
        for (_, blob, bytes) in &self.saved {
            assert!(read_blob(store, *blob).unwrap() == *bytes, "saved");
        }
    }
}

#[test]
fn large_values_in_anybodys_hands_stay_whole_over_many_runs() {
    for seed in 0..6 {
        let (disk, dir) = (SimDisk::new(seed), tempfile::tempdir().unwrap());
        let clock = Arc::new(TestClock::default());
        let open = || {
            Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap()
        };
        let store = open();
        store.add_user(new_user(0)).unwrap();
        let mut random = Random::new(seed);
        let mut hands = Hands::default();
        let mut removed = 0;
        for round in 0..12 {
            for _ in 0..25 {
                hands.act(&store, &mut random);
            }
            let report = store.compact(at_once(round % 3 == 0), &mut |_| {
                if random.once_in(2) {
                    hands.act(&store, &mut random);
                }
            });
            let report = report.unwrap();
            assert!(report.damaged.is_empty());
            removed += report.blobs_removed;
            hands.check(&store);
        }
        assert!(removed > 10, "{removed}");
        // Without all that nobody has any more, at last.
        hands.writers.clear();
        hands.readers.clear();
        hands.finished.clear();
        store.close().unwrap();
        let store = open();
        hands.check(&store);
        store.compact(at_once(true), &mut |_| {}).unwrap();
        let report = store.compact(at_once(true), &mut |_| {}).unwrap();
        hands.check(&store);
        let raw: usize = hands.saved.iter().map(|(_, _, bytes)| bytes.len()).sum();
        assert!(
            report.bytes_after < raw as u64 * 5 / 4 + (64 << 10),
            "{raw} bytes take {}",
            report.bytes_after
        );
    }
}

#[test]
fn a_large_value_that_nothing_refers_to_has_its_time_of_grace() {
    let (disk, dir) = (SimDisk::new(1), tempfile::tempdir().unwrap());
    let clock = Arc::new(TestClock::default());
    let store =
        Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    // Next to what is in use it is little.
    mailbox.save_message(save(text(2, 1_000_000))).unwrap();
    let saved = mailbox.save_message(save(text(1, 100_000))).unwrap();
    let stored = mailbox.read_message(&saved).unwrap().to_message();
    mailbox
        .delete_messages(GlobCnt(INBOX), &[saved.id], true)
        .unwrap();
    let minute = CompactOptions {
        full: true,
        grace: Duration::from_secs(60),
        bytes_per_second: None,
    };
    let run = || store.compact(minute, &mut |_| {}).unwrap().blobs_removed;
    assert_eq!(run(), 0);
    clock.0.fetch_add(599_999_999, Ordering::Relaxed);
    assert_eq!(run(), 0);
    // Somebody saves what he has read before, and removes it again.
    let again = mailbox.save_message(save(stored.clone())).unwrap();
    clock.0.fetch_add(600_000_000, Ordering::Relaxed);
    assert_eq!(run(), 0);
    mailbox
        .delete_messages(GlobCnt(INBOX), &[again.id], true)
        .unwrap();
    assert_eq!(run(), 0);
    clock.0.fetch_add(600_000_000, Ordering::Relaxed);
    assert_eq!(run(), 1);
    // From now on nobody can save it, rather than save what cannot be read.
    let late = mailbox.save_message(save(stored));
    assert!(matches!(late, Err(StoreError::NotFound)), "{late:?}");
}

#[test]
fn large_values_that_nothing_refers_to_go_soon_if_they_are_most_of_the_store() {
    let (disk, dir) = (SimDisk::new(1), tempfile::tempdir().unwrap());
    let clock = Arc::new(TestClock::default());
    let store =
        Store::open_with(dir.path(), options(&clock), tuning(Arc::new(disk.clone()))).unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let churn = |count| {
        for number in 0..count {
            let saved = mailbox.save_message(save(text(number, 30_000))).unwrap();
            mailbox
                .delete_messages(GlobCnt(INBOX), &[saved.id], true)
                .unwrap();
        }
    };
    churn(1);
    let minute = CompactOptions {
        full: true,
        grace: Duration::from_secs(60),
        bytes_per_second: None,
    };
    let run = || store.compact(minute, &mut |_| {}).unwrap();
    let report = run();
    assert!(report.runs_away, "{report:?}");
    assert_eq!((report.blobs_removed, report.blobs_waiting), (0, 1));
    clock.0.fetch_add(20_000_000, Ordering::Relaxed);
    assert_eq!(run().blobs_removed, 1);
    churn(20);
    let report = run();
    assert_eq!((report.blobs_removed, report.blobs_waiting), (20, 0));
    assert!(report.bytes_after < 100_000, "{report:?}");
}

// ---- many at once ----

/// Saves, moves, marks and deletes in one mailbox; what it should have in the end.
fn work(store: &Store, user: u64, until: &AtomicBool) -> BTreeMap<GlobCnt, (GlobCnt, u64)> {
    let mailbox = store.mailbox(guid_of(user)).unwrap();
    let root = GlobCnt(super::model::ROOT);
    let mut random = Random::new(user);
    let mut has: BTreeMap<GlobCnt, (GlobCnt, u64)> = BTreeMap::new();
    for number in 0.. {
        if until.load(Ordering::Relaxed) && has.len() > 20 {
            break;
        }
        let some = has.iter().nth(random.below(has.len() as u64) as usize);
        let some = some.map(|(id, (folder, number))| (*id, *folder, *number));
        match (random.below(8), some) {
            (0, Some((id, from, number))) => {
                let to = if from == root { GlobCnt(INBOX) } else { root };
                let moved = mailbox.move_messages(from, to, &[id]).unwrap();
                has.remove(&id);
                has.insert(moved.done[0].1, (to, number));
            }
            (1, Some((id, folder, _))) => {
                mailbox.set_read(folder, &[id], random.once_in(2)).unwrap();
            }
            (2, Some((id, folder, _))) => {
                mailbox.delete_messages(folder, &[id], true).unwrap();
                has.remove(&id);
            }
            (3, Some((id, folder, number))) => {
                let copied = mailbox.copy_messages(folder, folder, &[id]).unwrap();
                has.insert(copied.done[0].1, (folder, number));
            }
            _ => {
                let number = (user << 32) | (number % 40);
                let saved = mailbox.save_message(save(numbered(number))).unwrap();
                has.insert(saved.id, (GlobCnt(INBOX), number));
            }
        }
        if has.len() > 150 {
            let gone: Vec<GlobCnt> = has
                .iter()
                .filter(|(_, (folder, _))| *folder == GlobCnt(INBOX))
                .map(|(id, _)| *id)
                .take(100)
                .collect();
            mailbox
                .delete_messages(GlobCnt(INBOX), &gone, true)
                .unwrap();
            has.retain(|id, _| !gone.contains(id));
        }
    }
    has
}

/// Some small, some with large values.
fn numbered(number: u64) -> Message {
    text(number, 1000 + (number % 7 * 3000) as usize)
}

fn check_work(store: &Store, user: u64, has: &BTreeMap<GlobCnt, (GlobCnt, u64)>) {
    let mailbox = store.mailbox(guid_of(user)).unwrap();
    let mut found = 0;
    for folder in [GlobCnt(INBOX), GlobCnt(super::model::ROOT)] {
        let contents = mailbox.contents(folder, ContentsView::Normal).unwrap();
        for entry in contents.iter() {
            found += 1;
            let (expected, number) = has[&entry.id];
            assert_eq!(expected, folder);
            let message = mailbox.read_message(entry).unwrap().to_message();
            let expected = numbered(number);
            for (tag, slot) in expected.props.iter() {
                let found = match message.props.slot(tag.id()).unwrap().1 {
                    Slot::Inline(value) => value.data.to_vec(),
                    Slot::External(blob) => read_blob(store, blob).unwrap(),
                };
                let Slot::Inline(expected) = slot else {
                    continue;
                };
                assert!(found == expected.data, "{number}");
            }
        }
    }
    assert_eq!(found, has.len());
}

#[test]
fn writers_readers_and_compaction_get_along_with_the_index_on_disk() {
    const WRITERS: u64 = 3;
    let runs = setting("ROPEWALK_RUNS").unwrap_or(12);
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let open = || {
        let on_disk = StoreOptions {
            index: IndexKind::Sled,
            cache_bytes: 0,
            ..options(&clock)
        };
        let tuning = Tuning {
            segment_bytes: 256 << 10,
            ..Tuning::new(Arc::new(OsDisk))
        };
        Store::open_with(dir.path(), on_disk, tuning).unwrap()
    };
    let store = open();
    for user in 0..WRITERS {
        store.add_user(new_user(user)).unwrap();
    }
    let done = AtomicBool::new(false);
    let has: Vec<_> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|user| {
                let (store, done) = (&store, &done);
                scope.spawn(move || work(store, user, done))
            })
            .collect();
        let mut packs = 0;
        for run in 0..runs {
            let written = store.core().log.end().segment;
            let report = store.compact(at_once(run % 2 == 0), &mut |_| {}).unwrap();
            assert!(report.damaged.is_empty());
            packs += report.packs_written;
            while store.core().log.end().segment < written + 2 {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(packs > 5, "{packs}");
        writers.into_iter().map(|w| w.join().unwrap()).collect()
    });
    let check = |store: &Store| {
        for (user, has) in has.iter().enumerate() {
            check_work(store, user as u64, has);
        }
    };
    check(&store);
    store.close().unwrap();
    drop(store);
    let store = open();
    check(&store);
    store.compact(at_once(true), &mut |_| {}).unwrap();
    check(&store);
    store.close().unwrap();
    drop(store);
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let store = open();
    assert!(store.recovery().index_rebuilt);
    check(&store);
}

// ---- bounds ----

/// Saves, replaces and deletes for long; the files never take twice what is in use, but for a few segments.
fn churn(disk: Arc<dyn Disk>, dir: &Path, rounds: u64, size: impl Fn() -> u64) {
    const SEGMENT: u64 = 48 << 10;
    const SLACK: u64 = 4 * SEGMENT;
    let clock = Arc::new(TestClock::default());
    let store = Store::open_with(dir, options(&clock), tuning(disk)).unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let mut random = Random::new(9);
    let mut messages: Vec<(GlobCnt, u64)> = Vec::new();
    let (mut written, mut live, mut runs) = (0, 0, 0);
    for number in 0..rounds {
        let len = match random.once_in(12) {
            true => 8_000 + random.below(100_000),
            false => 300 + random.below(4_000),
        };
        let old = match random.below(5) {
            0 => random.below(messages.len() as u64),
            _ => u64::MAX,
        };
        let mut save = save(text(number, len as usize));
        save.id = messages.get(old as usize).map(|(id, _)| *id);
        let saved = mailbox.save_message(save).unwrap();
        match messages.get_mut(old as usize) {
            Some(message) => message.1 = len,
            None => messages.push((saved.id, len)),
        }
        written += len;
        // Grows, shrinks, grows: up to some hundred messages.
        let most = 200 + 150 * (number / 1000 % 2);
        while messages.len() as u64 > most {
            let index = random.below(messages.len() as u64) as usize;
            let (id, _) = messages.swap_remove(index);
            mailbox
                .delete_messages(GlobCnt(INBOX), &[id], true)
                .unwrap();
        }
        // As the thread has it.
        if written > (live / 4).max(SEGMENT) {
            let before = size();
            let report = store.compact(at_once(false), &mut |_| {}).unwrap();
            let raw: u64 = messages.iter().map(|(_, len)| *len).sum();
            assert!(report.live_bytes < raw * 5 / 4 + 300 * messages.len() as u64 + SLACK);
            let most = 2 * live.max(report.live_bytes) + SLACK;
            assert!(before < most, "{before} before {report:?}");
            assert!(size() < 2 * report.live_bytes + SLACK, "{report:?}");
            assert_eq!(size(), report.bytes_after);
            (written, live, runs) = (0, report.live_bytes, runs + 1);
        }
    }
    assert!(runs > 10);
    let contents = mailbox
        .contents(GlobCnt(INBOX), ContentsView::Normal)
        .unwrap();
    assert_eq!(contents.len(), messages.len());
    for entry in contents.iter() {
        mailbox.read_message(entry).unwrap();
    }
    let report = store.compact(at_once(true), &mut |_| {}).unwrap();
    let raw: u64 = messages.iter().map(|(_, len)| *len).sum();
    assert!(
        report.bytes_after - report.checkpoint_bytes < raw * 11 / 10,
        "{raw} bytes take {report:?}"
    );
}

#[test]
fn files_take_less_than_twice_what_is_in_use_under_churn() {
    let disk = SimDisk::new(4);
    let dir = tempfile::tempdir().unwrap();
    let files = disk.clone();
    churn(Arc::new(disk), dir.path(), 6000, || files.bytes());
}

#[test]
fn files_take_less_than_twice_what_is_in_use_under_churn_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    churn(Arc::new(OsDisk), dir.path(), 1500, || {
        let files = std::fs::read_dir(&log).unwrap();
        files
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum()
    });
}

#[test]
fn commits_and_large_values_wait_while_compaction_is_far_behind() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let store = Store::open_with(dir.path(), options(&clock), tuning(Arc::new(OsDisk))).unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let pressure = &store.core().compactor.pressure;
    pressure.set(u64::MAX, 0, 1);
    let begun = Instant::now();
    mailbox.save_message(save(text(1, 100))).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
    let begun = Instant::now();
    let mut writer = store.blob_writer();
    writer.write_at(0, &Random::new(2).bytes(400_000)).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
    // A run that has done what can be done holds nobody back.
    store.compact(at_once(false), &mut |_| {}).unwrap();
    assert!(!pressure.is_on());
}

/// Says that it has very many messages, without having any.
struct Million(MemoryKv);

impl Kv for Million {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.0.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        let messages = keys::messages(guid_of(0), GlobCnt(INBOX));
        let (first, after) = (messages.clone(), keys::after_prefix(&messages));
        self.0.range(from, to.min(&first), visit)?;
        if from < &after[..] && to > &first[..] {
            let start = match from.strip_prefix(&messages[..]) {
                Some(id) if id.len() >= 6 => {
                    let mut number = [0; 8];
                    number[2..].copy_from_slice(&id[..6]);
                    u64::from_be_bytes(number) + u64::from(id.len() > 6)
                }
                _ => 0,
            };
            for number in start..1_000_000 {
                let entry = MessageEntry {
                    content: Location {
                        segment: 100 + (number / 15_000) as u32,
                        offset: (number % 15_000) as u32 * 4096,
                        len: 4000,
                    },
                    ..entry_of(number)
                };
                let key = keys::message(guid_of(0), GlobCnt(INBOX), GlobCnt(number));
                visit(&key, &value::encode(&entry)?)?;
            }
        }
        self.0.range(from.max(&after), to, visit)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        self.0.apply(writes)
    }

    fn flush(&self) -> Result<(), IndexError> {
        Ok(())
    }
}

fn entry_of(number: u64) -> MessageEntry {
    MessageEntry {
        id: GlobCnt(number),
        folder: GlobCnt(INBOX),
        cn: GlobCnt(number),
        read_cn: GlobCnt(number),
        read: true,
        associated: false,
        soft_deleted: false,
        size: 4000,
        created: FileTime(1),
        modified: FileTime(1),
        delivered: Some(FileTime(1)),
        deleted_on: None,
        subject: Some(vec![7; 60].into()),
        repl_guid: guid_of(0),
        versions: None,
        content: Location::default(),
        blobs: Some(Box::new([])),
    }
}

fn memory(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Alone in its process: `cargo test --release -p ropewalk-store -- --ignored a_million`.
#[test]
#[ignore = "it measures the memory of the whole process"]
fn a_million_messages_take_little_memory_to_look_through() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), Arc::new(TestClock::default()));
    let open = |index| {
        let tuning = Tuning {
            index,
            ..Tuning::new(Arc::new(OsDisk))
        };
        Store::open_with(dir.path(), options(&clock), tuning).unwrap()
    };
    let store = open(None);
    store.add_user(new_user(0)).unwrap();
    drop(store);
    let store = open(None);
    let all = super::history::dump(&*store.core().index.kv().unwrap());
    drop(store);
    let million = Million(MemoryKv::default());
    million.apply(&all).unwrap();
    let store = open(Some(Arc::new(million)));
    let before = memory("VmRSS");
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let started = Instant::now();
    let report = store.compact(at_once(false), &mut |_| {}).unwrap();
    let grown = memory("VmHWM") - before;
    eprintln!("{grown} KiB more, {:?}, {report:?}", started.elapsed());
    assert!(report.checkpoint_bytes > 100_000_000);
    assert!(grown < 60_000, "{grown} KiB");
}

/// Whether something comes true before long.
fn before_long(is_so: impl Fn() -> bool) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// A store that gives back space by itself, in segments of 16 KiB.
fn by_itself(disk: &SimDisk, dir: &Path, index: &Arc<MemoryKv>) -> Store {
    let options = StoreOptions {
        compaction: Compaction::default(),
        ..options(&Arc::new(TestClock::default()))
    };
    let tuning = Tuning {
        segment_bytes: 16 << 10,
        index: Some(index.clone()),
        ..Tuning::new(Arc::new(disk.clone()))
    };
    Store::open_with(dir, options, tuning).unwrap()
}

/// An index of a store that does not exist yet.
fn first_index(disk: &SimDisk, dir: &Path) -> Arc<MemoryKv> {
    let store = Store::open_with(
        dir,
        options(&Arc::new(TestClock::default())),
        Tuning::new(Arc::new(disk.clone())),
    );
    let store = store.unwrap();
    store.add_user(new_user(0)).unwrap();
    let kv = MemoryKv::default();
    store
        .core()
        .index
        .wait_applied(store.core().log.last_lsn())
        .unwrap();
    let all = super::history::dump(&*store.core().index.kv().unwrap());
    kv.apply(&all).unwrap();
    store.close().unwrap();
    Arc::new(kv)
}

#[test]
fn space_is_given_back_without_being_asked_and_a_run_that_failed_is_tried_again() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimDisk::new(5));
    let index = first_index(&disk, dir.path());
    let store = by_itself(&disk, dir.path(), &index);
    let has = |what: &str| disk.file_names().iter().any(|name| name.ends_with(what));
    // No change, and no file, makes another run due after that.
    disk.cannot_create(Some("checkpoint.part"));
    for number in 0..150 {
        let hash = format!("{number}");
        store.set_password("u0@example.test", &hash).unwrap();
    }
    assert!(before_long(|| disk.refused() > 1));
    assert_eq!((has(".ckp"), packs(&disk)), (false, 0));
    disk.cannot_create(None);
    assert!(before_long(|| has(".ckp") && packs(&disk) > 0));
    assert_eq!(store.users()[0].password_hash, "149");
    store.close().unwrap();
    drop(store);
    // A checkpoint that is missing is made again, though there is nothing to gain.
    for name in disk.file_names() {
        if name.ends_with(".ckp") {
            disk.remove(&name);
        }
    }
    let store = by_itself(&disk, dir.path(), &index);
    assert!(before_long(|| has(".ckp")));
    store.close().unwrap();
}

#[test]
fn few_replaced_files_are_open_at_a_time_however_many_there_were() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), SimDisk::new(6));
    let small = Tuning {
        segment_bytes: 4 << 10,
        ..tuning(Arc::new(disk.clone()))
    };
    let clock = Arc::new(TestClock::default());
    let store = Store::open_with(dir.path(), options(&clock), small).unwrap();
    store.add_user(new_user(0)).unwrap();
    let segments = store.core().log.segments();
    while segments.spans().len() < 400 {
        store.set_password("u0@example.test", "another").unwrap();
    }
    let briefly = CompactOptions {
        grace: Duration::from_millis(100),
        ..at_once(false)
    };
    let mut most = 0;
    let report = store.compact(briefly, &mut |_| most = most.max(segments.retired()));
    let report = report.unwrap();
    assert!(
        report.files_replaced > 390 && report.packs_written > 5,
        "{report:?}"
    );
    assert!((1..=128).contains(&most), "{most}");
    store.close().unwrap();
}
