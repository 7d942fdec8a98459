//! Large values in chunks: equal ones are stored once, and a value is what was written to it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use proptest::{prelude::*, test_runner::TestRunner};
use ropewalk_props::{BagView, BlobRef, PropValue, Slot};

use super::{
    blobs::{DATA, LARGE, bytes, save, with_blob, with_mailbox, write, write_all},
    content::read_blob,
    history::{History, dump, guid_of, new_user},
    random::Random,
};
use crate::{
    Durability, Message, Store, StoreError,
    blob::{CHUNK, MAX_BLOB, map},
    index::{IndexError, Kv, Visit, Write, memory::MemoryKv},
    log::frame::Location,
};

/// Bytes in the log's files.
fn log_bytes(history: &History) -> usize {
    let names = history.disk.file_names();
    names.iter().map(|name| history.disk.get(name).len()).sum()
}

/// Where a value's chunks are.
fn chunks(store: &Store, blob: BlobRef) -> Vec<Location> {
    map::open(store.core(), blob.id).unwrap().1
}

#[test]
fn an_attachment_that_is_sent_to_many_mailboxes_is_stored_once() {
    const MAILBOXES: u64 = 50;
    let mut history = History::new(11, Durability::Always);
    let store = history.store();
    let users = (0..MAILBOXES).map(|number| store.add_user(new_user(number)));
    users.for_each(|user| drop(user.unwrap()));
    let data = Random::new(3).bytes(1 << 20);
    let before = log_bytes(&history);
    let mut saved = Vec::new();
    for number in 0..MAILBOXES {
        let mailbox = store.mailbox(guid_of(number)).unwrap();
        let blob = write_all(store.blob_writer(), &data);
        let written = mailbox.save_message(save(with_blob(blob))).unwrap();
        let mut inline = Message::default();
        inline.props.set(DATA, &PropValue::Binary(data.clone()));
        let twice = [save(inline.clone()), save(inline)];
        let inline = mailbox.save_messages(twice.to_vec()).unwrap();
        let entries = [written].into_iter().chain(inline);
        saved.extend(entries.map(|entry| (mailbox.clone(), entry)));
    }
    let grown = log_bytes(&history) - before;
    let each = (grown - (1 << 20)) / saved.len();
    assert!(each < 2000, "{grown} bytes, {each} for each message");
    drop(store);
    for (mailbox, entry) in &saved {
        let stored = mailbox.read_message(entry).unwrap();
        let Some((_, Slot::External(blob))) = stored.view().props.slot(DATA.id()) else {
            panic!("a large value")
        };
        assert!(read_blob(&history.store(), blob).unwrap() == data);
    }
}

#[test]
fn a_chunk_that_is_damaged_or_being_rewritten_is_not_shared() {
    let mut history = with_mailbox();
    let store = history.store();
    let data = Random::new(3).bytes(CHUNK);
    let first = write_all(store.blob_writer(), &data);
    let second = write_all(store.blob_writer(), &data);
    let at = chunks(&store, first)[0];
    assert_eq!(chunks(&store, second), [at]);

    let name = format!("{:08}.seg", at.segment);
    history
        .disk
        .tamper(&name, |bytes| bytes[at.offset as usize + 100] ^= 1);
    assert!(matches!(
        read_blob(&store, first),
        Err(StoreError::Damaged { .. })
    ));
    let third = write_all(store.blob_writer(), &data);
    let again = chunks(&store, third)[0];
    assert_ne!(again, at);
    assert_eq!(read_blob(&store, third).unwrap(), data);
    // From now on this one is found, by the index too.
    let lsn = store.core().log.last_lsn();
    store.add_user(new_user(1)).unwrap();
    store.core().index.wait_applied(lsn).unwrap();
    store.core().tick();
    assert_eq!(
        chunks(&store, write_all(store.blob_writer(), &data)),
        [again]
    );

    *store.core().packing.lock() = BTreeSet::from([again.segment]);
    let fourth = write_all(store.blob_writer(), &data);
    assert_ne!(chunks(&store, fourth), [again]);
    assert_eq!(read_blob(&store, fourth).unwrap(), data);
}

#[test]
fn chunks_of_zeros_and_zeros_at_the_end_of_chunks_are_not_stored() {
    let mut history = with_mailbox();
    let store = history.store();
    let before = log_bytes(&history);
    let mut data = vec![0; 20 * CHUNK + 5];
    data[3 * CHUNK] = 7;
    let blob = write_all(store.blob_writer(), &data);
    assert!(log_bytes(&history) - before < 2000);
    assert_eq!(read_blob(&store, blob).unwrap(), data);
}

#[test]
fn a_large_sparse_value_and_a_copy_of_a_large_value_cost_their_lists() {
    let mut history = with_mailbox();
    let store = history.store();
    let before = log_bytes(&history);
    let mut writer = store.blob_writer();
    writer.set_len(1 << 30).unwrap();
    writer.write_at((1 << 30) - 1, &[9]).unwrap();
    let blob = writer.finish().unwrap();
    let written = log_bytes(&history) - before;
    assert!(written < 300 << 10, "{written}");

    let before = log_bytes(&history);
    let mut copy = store.blob_editor(blob).unwrap();
    copy.write_at(500, b"changed").unwrap();
    let copy = copy.finish().unwrap();
    let written = log_bytes(&history) - before;
    assert!(written < 1 << 20, "{written}");
    for (blob, start) in [(blob, [0; 7]), (copy, *b"changed")] {
        let reader = store.blob_reader(blob).unwrap();
        let (mut found, mut last) = ([1; 7], [0; 9]);
        assert_eq!(reader.read_at(500, &mut found).unwrap(), 7);
        assert_eq!(found, start);
        assert_eq!(reader.read_at((1 << 30) - 1, &mut last).unwrap(), 1);
        assert_eq!(last[0], 9);
    }
    let mut writer = store.blob_writer();
    assert!(writer.set_len(MAX_BLOB).is_ok());
    assert!(matches!(
        writer.set_len(MAX_BLOB + 1),
        Err(StoreError::TooLarge)
    ));
    assert!(matches!(
        writer.write_at(MAX_BLOB, b"x"),
        Err(StoreError::TooLarge)
    ));
}

/// One thing that is done to a large value.
#[derive(Clone, Debug)]
enum Step {
    /// Where, how much, and which of some patterns.
    Write(u64, usize, u8),
    SetLen(u64),
    Read(u64, usize),
    /// Complete it and go on with a copy.
    Again,
}

fn step() -> impl Strategy<Value = Step> {
    const END: u64 = 9 * CHUNK as u64;
    // Often at the edges of chunks.
    let at = prop_oneof![
        0..END,
        (0..9u64, 0..3u64).prop_map(|(chunk, by)| (chunk * CHUNK as u64 + by).saturating_sub(1)),
    ];
    let len = prop_oneof![0..200usize, 0..3 * CHUNK, Just(CHUNK), Just(2 * CHUNK)];
    prop_oneof![
        6 => (at.clone(), len.clone(), 0..4u8).prop_map(|(at, len, p)| Step::Write(at, len, p)),
        2 => at.clone().prop_map(Step::SetLen),
        3 => (at, len).prop_map(|(at, len)| Step::Read(at, len)),
        1 => Just(Step::Again),
    ]
}

/// Bytes that depend on the place alone, so that chunks come again; pattern 0 is zeros.
fn pattern(at: u64, len: usize, pattern: u8) -> Vec<u8> {
    let places = at..at + len as u64;
    let byte = |place: u64| ((place % CHUNK as u64) as u8 ^ (place >> 3) as u8).max(1);
    places
        .map(|place| match pattern {
            0 => 0,
            _ => byte(place).wrapping_mul(pattern),
        })
        .collect()
}

#[test]
fn a_large_value_is_as_it_was_written_in_whatever_order() {
    let mut history = with_mailbox();
    let store = history.store();
    let config = ProptestConfig {
        cases: 60,
        ..ProptestConfig::default()
    };
    let steps = prop::collection::vec(step(), 1..25);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        let mut model: Vec<u8> = Vec::new();
        let mut writer = store.blob_writer();
        let mut finished = Vec::new();
        for step in steps {
            match step {
                Step::Write(at, len, which) => {
                    let bytes = pattern(at, len, which);
                    writer.write_at(at, &bytes).unwrap();
                    if len > 0 {
                        let end = at as usize + len;
                        model.resize(model.len().max(end), 0);
                        model[at as usize..end].copy_from_slice(&bytes);
                    }
                }
                Step::SetLen(len) => {
                    writer.set_len(len).unwrap();
                    model.resize(len as usize, 0);
                }
                Step::Read(at, len) => {
                    let mut found = vec![0xEE; len];
                    let read = writer.read_at(at, &mut found).unwrap();
                    let expected = model.get(at as usize..).unwrap_or_default();
                    let expected = &expected[..expected.len().min(len)];
                    prop_assert!(found[..read] == *expected);
                }
                Step::Again => {
                    let blob = writer.finish().unwrap();
                    writer = store.blob_editor(blob).unwrap();
                    finished.push((blob, model.clone()));
                }
            }
            prop_assert_eq!(writer.len(), model.len() as u64);
        }
        finished.push((writer.finish().unwrap(), model));
        for (blob, model) in finished {
            prop_assert_eq!(blob.len, model.len() as u64);
            prop_assert!(read_blob(&store, blob).unwrap() == model);
        }
        Ok(())
    });
    outcome.unwrap();
}

/// An index that can be made to fail.
#[derive(Default)]
struct Failing {
    kv: MemoryKv,
    fails: AtomicBool,
    known_to_fail: AtomicBool,
}

impl Failing {
    fn works(&self) -> Result<(), IndexError> {
        match self.fails.load(Ordering::Relaxed) {
            true => Err(IndexError("on purpose".into())),
            false => Ok(()),
        }
    }
}

impl Kv for Failing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let known_to_fail = self.known_to_fail.load(Ordering::Relaxed);
        assert!(!known_to_fail, "nobody asks any more");
        self.works()?;
        self.kv.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        self.works()?;
        self.kv.range(from, to, visit)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        self.works()?;
        self.kv.apply(writes)
    }

    fn flush(&self) -> Result<(), IndexError> {
        self.works()
    }
}

#[test]
fn large_values_are_saved_while_the_index_fails() {
    let mut history = with_mailbox();
    history.close_keeping_index();
    let kv = Arc::new(Failing::default());
    let old = history.index().expect("the index was kept");
    kv.kv.apply(&dump(&*old)).unwrap();
    history.use_index(kv.clone());
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    mailbox.save_message(save(Message::default())).unwrap();
    kv.fails.store(true, Ordering::Relaxed);
    let mut message = Message::default();
    message.props.set(DATA, &bytes(1));
    mailbox.save_message(save(message.clone())).unwrap();
    while store.core().index.is_well() {
        std::thread::yield_now();
    }
    kv.known_to_fail.store(true, Ordering::Relaxed);
    mailbox.save_message(save(message)).unwrap();
    let blob = write(&store, 1);
    mailbox.save_message(save(with_blob(blob))).unwrap();
    assert_eq!(read_blob(&store, blob).unwrap(), vec![1; LARGE]);
}
