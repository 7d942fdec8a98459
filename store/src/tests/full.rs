//! Full disks.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use ropewalk_props::{Bag, GlobCnt, PropValue, tags};

use super::{
    disk::{Fault, SimDisk},
    history::{History, guid_of, new_user},
    model::INBOX,
};
use crate::{
    ContentsView, Durability, Mailbox, Message, MessageEntry, OpenError, SaveMessage, Store,
    StoreError, StoreOptions,
    index::{IndexError, Kv, Visit, Write},
};

fn save(mailbox: &Mailbox, bytes: usize) -> Result<MessageEntry, StoreError> {
    let text = "x".repeat(bytes / 2);
    mailbox.save_message(SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message: Message {
            props: Bag::from_iter([(tags::PID_TAG_BODY, PropValue::text(&text))]),
            ..Message::default()
        },
    })
}

fn len(mailbox: &Mailbox) -> usize {
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    contents.unwrap().len()
}

fn is_full<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::DiskFull))
}

/// A store with one user on a disk that the test fills.
fn with_user(reserves: bool) -> (History, Store) {
    let mut history = History::new(11, Durability::Always);
    if !reserves {
        history.disk.cannot_reserve();
    }
    let store = history.store();
    store.add_user(new_user(0)).unwrap();
    (history, store)
}

/// Saves messages until the disk is full; returns those that were saved.
fn fill(mailbox: &Mailbox) -> Vec<MessageEntry> {
    let mut saved = Vec::new();
    loop {
        match save(mailbox, 4000) {
            Ok(entry) => saved.push(entry),
            Err(error) => {
                assert!(matches!(error, StoreError::DiskFull), "{error}");
                return saved;
            }
        }
        assert!(saved.len() < 100_000, "the disk gets full");
    }
}

#[test]
fn a_full_disk_refuses_changes_and_keeps_all_there_is_until_there_is_room_again() {
    for reserves in [true, false] {
        let (mut history, store) = with_user(reserves);
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        history.disk.set_free(6 << 20);
        let saved = fill(&mailbox);
        assert!(saved.len() > 100, "{}", saved.len());
        for _ in 0..3 {
            assert!(is_full(&save(&mailbox, 4000)));
        }
        assert_eq!(len(&mailbox), saved.len(), "readers go on");
        assert!(mailbox.read_message(&saved[0]).is_ok());
        // Deleting works.
        let first: Vec<GlobCnt> = saved.iter().take(50).map(|entry| entry.id).collect();
        mailbox
            .delete_messages(GlobCnt(INBOX), &first, true)
            .unwrap();
        assert_eq!(len(&mailbox), saved.len() - 50);
        history.disk.set_capacity(None);
        save(&mailbox, 4000).unwrap();
        // Nothing of what was refused is in the log.
        drop((mailbox, store));
        history.close(&None);
        history.forget_index();
        let store = history.store();
        assert_eq!(store.recovery().fenced, []);
        assert_eq!(store.recovery().tail_bytes_cut, 0);
        assert_eq!(len(&store.mailbox(guid_of(0)).unwrap()), saved.len() - 49);
    }
}

#[test]
fn a_store_on_a_full_disk_closes_and_opens() {
    for reserves in [true, false] {
        let (mut history, store) = with_user(reserves);
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        history.disk.set_free(1 << 20);
        let saved = fill(&mailbox).len();
        history.disk.set_free(0);
        assert!(is_full(&save(&mailbox, 100)));
        drop((mailbox, store));
        history.close(&None);
        history.disk.set_free(0);
        let store = history.store();
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        assert_eq!(len(&mailbox), saved);
        assert!(is_full(&save(&mailbox, 100)));
        assert!(is_full(&store.add_user(new_user(1))));
        history.disk.set_capacity(None);
        store.add_user(new_user(1)).unwrap();
        save(&mailbox, 100).unwrap();
    }
}

#[test]
fn a_write_that_finds_the_disk_full_is_taken_back() {
    let (mut history, store) = with_user(false);
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let full = Fault::Fail(0, io::ErrorKind::StorageFull);
    for round in 0..5 {
        let before = last_segment(&history.disk);
        history.disk.set_fault(Some(full));
        assert!(is_full(&save(&mailbox, 4000)));
        assert_eq!(last_segment(&history.disk), before);
        save(&mailbox, 4000).unwrap();
        assert_eq!(len(&mailbox), round + 1);
    }
    drop((mailbox, store));
    history.crash(&None);
    let store = history.store();
    assert_eq!(len(&store.mailbox(guid_of(0)).unwrap()), 5);
}

fn last_segment(disk: &SimDisk) -> (String, Vec<u8>) {
    let name = disk.file_names().pop().unwrap();
    let bytes = disk.get(&name);
    (name, bytes)
}

#[test]
fn what_cannot_be_taken_back_or_synced_makes_the_store_read_only() {
    // The write leaves a part behind; then cutting it off fails as well.
    let (mut history, store) = with_user(false);
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    history.disk.set_free(100);
    history
        .disk
        .set_fault(Some(Fault::Fail(1, io::ErrorKind::Other)));
    for _ in 0..2 {
        let refused = save(&mailbox, 4000);
        assert!(
            matches!(refused, Err(StoreError::ReadOnly { .. })),
            "{refused:?}"
        );
        history.disk.set_capacity(None);
    }
    drop((mailbox, store));
    history.crash(&None);
    assert_eq!(len(&history.store().mailbox(guid_of(0)).unwrap()), 0);
}

#[test]
fn a_segment_that_finds_no_room_is_begun_again_later() {
    // Segments hold 48 KiB in these tests.
    let (mut history, store) = with_user(true);
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let mut saved = 0;
    while history.disk.file_names().len() < 3 {
        history.disk.set_free(0);
        // What fits into the space that the last segment has.
        while save(&mailbox, 4000).is_ok() {
            saved += 1;
        }
        assert!(is_full(&save(&mailbox, 4000)));
        history.disk.set_capacity(None);
        save(&mailbox, 4000).unwrap();
        saved += 1;
    }
    assert_eq!(len(&mailbox), saved);
    drop((mailbox, store));
    history.crash(&None);
    let store = history.store();
    assert_eq!(len(&store.mailbox(guid_of(0)).unwrap()), saved);
}

#[test]
fn a_store_whose_next_segment_found_no_room_opens() {
    let (mut history, store) = with_user(true);
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let mut saved = 0;
    while history.disk.file_names().len() < 2 {
        // The name of the next segment fits, its header does not.
        history.disk.set_free(10);
        match save(&mailbox, 4000) {
            Ok(_) => {}
            Err(_) if history.disk.file_names().len() > 1 => break,
            Err(error) => {
                assert!(matches!(error, StoreError::DiskFull), "{error}");
                history.disk.set_capacity(None);
                save(&mailbox, 4000).unwrap();
            }
        }
        saved += 1;
    }
    drop((mailbox, store));
    history.crash(&None);
    let store = history.store();
    assert_eq!(len(&store.mailbox(guid_of(0)).unwrap()), saved);
    assert_eq!(store.recovery().fenced, []);
}

/// An index on a full disk.
struct Full;

impl Full {
    fn error() -> IndexError {
        IndexError(format!("IO error: {}", io::Error::from_raw_os_error(28)))
    }
}

impl Kv for Full {
    fn get(&self, _: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Err(Self::error())
    }

    fn range(&self, _: &[u8], _: &[u8], _: &mut Visit<'_>) -> Result<(), IndexError> {
        Err(Self::error())
    }

    fn apply(&self, _: &[Write]) -> Result<(), IndexError> {
        Err(Self::error())
    }

    fn flush(&self) -> Result<(), IndexError> {
        Err(Self::error())
    }
}

#[test]
fn an_index_that_the_disk_has_no_room_for_is_kept_in_memory() {
    let (mut history, store) = with_user(true);
    save(&store.mailbox(guid_of(0)).unwrap(), 100).unwrap();
    drop(store);
    history.close(&None);
    history.use_index(Arc::new(Full));
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert_eq!(len(&mailbox), 1);
    save(&mailbox, 100).unwrap();
    assert_eq!(len(&mailbox), 2);
}

#[test]
fn a_new_store_on_a_full_disk_is_refused_with_a_sentence_and_made_once_there_is_room() {
    let mut history = History::new(12, Durability::Always);
    history.disk.set_free(10);
    for _ in 0..2 {
        let refused = history.try_open_again().unwrap_err();
        assert!(matches!(refused, OpenError::DiskFull { .. }), "{refused}");
    }
    history.disk.set_capacity(None);
    history.store().add_user(new_user(0)).unwrap();
}

/// Fills a file as long as the disk takes anything.
fn eat(path: &Path) -> u64 {
    let mut file = fs::File::create(path).unwrap();
    let mut eaten = 0;
    for step in [1 << 20, 4096, 512] {
        while let Ok(more) = file.write(&vec![1; step]) {
            eaten += more as u64;
        }
    }
    eaten
}

/// `ROPEWALK_FULL_DISK=DIR cargo test -p ropewalk-store real_disk -- --nocapture`, where DIR is on a file
/// system of some 100 MiB of its own (a mounted image).
#[test]
fn a_real_disk_gets_full_and_has_room_again() {
    let Some(dir) = std::env::var_os("ROPEWALK_FULL_DISK").map(PathBuf::from) else {
        return;
    };
    let (filler, dir) = (dir.join("filler"), dir.join("store"));
    let _ = fs::remove_file(&filler);
    let _ = fs::remove_dir_all(&dir);
    let open = || Store::open(&dir, StoreOptions::default());
    let store = open().unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let saved = fill(&mailbox);
    println!("{} messages fit", saved.len());
    println!("{} bytes were left for others", eat(&filler));
    assert!(is_full(&save(&mailbox, 4000)));
    let some: Vec<GlobCnt> = saved.iter().take(100).map(|entry| entry.id).collect();
    let deleted = mailbox.delete_messages(GlobCnt(INBOX), &some, true);
    println!("deleting with nothing left: {:?}", deleted.map(|_| ()));
    let there = len(&mailbox);
    drop(mailbox);
    println!("closing: {:?}", store.close());
    drop(store);
    match open() {
        Ok(store) => {
            println!("it opens: {:?}", store.recovery());
            let mailbox = store.mailbox(guid_of(0)).unwrap();
            assert_eq!(len(&mailbox), there);
            println!("saving: {:?}", save(&mailbox, 4000).map(|_| ()));
            println!("closing: {:?}", store.close());
        }
        Err(error) => println!("it does not open: {error}"),
    }
    fs::remove_file(&filler).unwrap();
    let store = open().unwrap();
    println!("with room: {:?}", store.recovery());
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert_eq!(len(&mailbox), there);
    assert!(store.recovery().fenced.is_empty());
    // The last of the space is kept for deleting; here messages must go before others come.
    println!("saving: {:?}", save(&mailbox, 4000).map(|_| ()));
    store.close().unwrap();
}
