//! What a store does by itself as time goes by, and how large mailboxes may get.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ropewalk_props::{Bag, FileTime, GlobCnt, PropValue, tags};

use super::{
    history::{guid_of, new_user},
    model,
};
use crate::{
    Clock, Compaction, ContentsView, DeleteFolder, Durability, EmptyFolder, Expired, FolderKind,
    IndexKind, Mailbox, Message, NewFolder, Quota, SaveMessage, Store, StoreError, StoreOptions,
};

const INBOX: GlobCnt = GlobCnt(model::INBOX);
const ROOT: GlobCnt = GlobCnt(model::ROOT);
const MINUTE: u64 = 600_000_000;
const DAY: u64 = 24 * 60 * MINUTE;
const RETENTION: Option<Duration> = Some(Duration::from_secs(14 * 24 * 3600));
const SOFT: DeleteFolder = DeleteFolder {
    messages: true,
    folders: true,
    hard: false,
};

struct Manual(AtomicU64);

impl Manual {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1000 * DAY)))
    }

    fn forward(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for Manual {
    fn now(&self) -> FileTime {
        FileTime(self.0.load(Ordering::Relaxed))
    }
}

fn open(clock: &Arc<Manual>, dir: &Path, retention: Option<Duration>) -> (Store, Arc<Mailbox>) {
    let options = StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
        clock: clock.clone(),
        retention,
        // Its commits would be counted.
        compaction: Compaction::Manual,
        ..StoreOptions::default()
    };
    let store = Store::open(dir, options).unwrap();
    if store.users().is_empty() {
        store.add_user(new_user(1)).unwrap();
    }
    let mailbox = store.mailbox(guid_of(1)).unwrap();
    (store, mailbox)
}

/// A new message with a body of so many bytes.
fn message(bytes: usize) -> SaveMessage {
    let body = (tags::PID_TAG_BODY, PropValue::text(&"x".repeat(bytes / 2)));
    SaveMessage {
        folder: INBOX,
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message: Message {
            props: Bag::from_iter([body]),
            ..Message::default()
        },
    }
}

fn save(mailbox: &Mailbox, bytes: usize) -> GlobCnt {
    mailbox.save_message(message(bytes)).unwrap().id
}

fn save_many(mailbox: &Mailbox, count: usize) -> Vec<GlobCnt> {
    let saves = (0..count).map(|_| message(0)).collect();
    let saved = mailbox.save_messages(saves).unwrap();
    saved.iter().map(|entry| entry.id).collect()
}

fn create(mailbox: &Mailbox, parent: GlobCnt, name: &str) -> GlobCnt {
    let props = Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]);
    let kind = FolderKind::Generic;
    let new = NewFolder {
        parent,
        kind,
        props,
    };
    mailbox.create_folder(new).unwrap().id
}

fn expired(store: &Store) -> (u64, u64) {
    let Expired { messages, folders } = store.expire_now().unwrap();
    (messages, folders)
}

#[test]
fn a_folder_that_nobody_looks_at_leaves_memory_and_is_the_same_when_it_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Manual(AtomicU64::new(1000 * MINUTE)));
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let id = save(&mailbox, 0);
    let seen = mailbox.contents(INBOX, ContentsView::Normal).unwrap();
    mailbox.read_message(seen.get(id).unwrap()).unwrap();
    for _ in 0..3 {
        clock.0.fetch_add(6 * MINUTE, Ordering::Relaxed);
        store.rest();
        assert!(mailbox.has_contents(INBOX));
        mailbox.contents(INBOX, ContentsView::Normal).unwrap();
    }
    for _ in 0..3 {
        clock.0.fetch_add(6 * MINUTE, Ordering::Relaxed);
        store.rest();
        assert!(mailbox.has_contents(INBOX), "somebody who has them says so");
        mailbox.note_use(&[INBOX, GlobCnt(0x7777)]);
    }
    assert!(store.core().cache.is_empty(), "nobody read a message");
    clock.0.fetch_add(10 * MINUTE, Ordering::Relaxed);
    mailbox.busy(|| {
        store.rest();
        assert!(mailbox.has_contents(INBOX), "a writer is at work");
    });
    store.rest();
    assert!(!mailbox.has_contents(INBOX));
    assert_eq!(seen.len(), 1, "who holds it has it");
    // What is saved meanwhile does not bring it back, but is in it when it comes.
    save(&mailbox, 0);
    assert!(!mailbox.has_contents(INBOX));
    let again = mailbox.contents(INBOX, ContentsView::Normal).unwrap();
    assert_eq!(again.len(), 2);
    assert_eq!(again.get(id), seen.get(id));
    assert_eq!(again.changes_since(&seen).count(), 1);
}

#[test]
fn whoever_reads_and_writes_while_folders_are_dropped_all_the_time_misses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Manual(AtomicU64::new(1000 * MINUTE)));
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while done.load(Ordering::Relaxed) < 3 {
                clock.0.fetch_add(60 * MINUTE, Ordering::Relaxed);
                store.rest();
                std::thread::yield_now();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..300 {
                    let id = save(&mailbox, 0);
                    let found = mailbox.entry(INBOX, id).unwrap();
                    assert!(found.is_some());
                    let outcome = mailbox.set_read(INBOX, &[id], true).unwrap();
                    assert_eq!(outcome.changed, [id]);
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            let mut most = 0;
            for _ in 0..500 {
                let seen = mailbox.contents(INBOX, ContentsView::Normal).unwrap();
                assert!(seen.len() >= most);
                most = seen.len();
            }
            done.fetch_add(1, Ordering::Relaxed);
        });
    });
    let all = mailbox.contents(INBOX, ContentsView::Normal).unwrap();
    assert_eq!(all.len(), 600);
    assert_eq!(all.iter().filter(|entry| entry.read).count(), 600);
    assert_eq!(mailbox.folder(INBOX).unwrap().counts.content, 600);
}

#[test]
fn soft_deleted_messages_go_after_their_time_and_no_others() {
    for loaded in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let clock = Manual::new();
        let (mut store, mut mailbox) = open(&clock, dir.path(), RETENTION);
        let ids = save_many(&mailbox, 5000);
        mailbox.delete_messages(INBOX, &ids[..4500], false).unwrap();
        clock.forward(DAY);
        mailbox
            .delete_messages(INBOX, &ids[4500..4600], false)
            .unwrap();
        if !loaded {
            store.close().unwrap();
            drop((store, mailbox));
            (store, mailbox) = open(&clock, dir.path(), RETENTION);
        }
        assert_eq!(expired(&store), (0, 0));
        clock.forward(13 * DAY - 1);
        assert_eq!(expired(&store), (0, 0));
        clock.forward(1);
        let before = store.core().log.last_lsn();
        assert_eq!(expired(&store), (4500, 0));
        assert_eq!(store.core().log.last_lsn(), before + 3);
        assert_eq!(expired(&store), (0, 0));
        assert_eq!(mailbox.has_contents(INBOX), loaded);
        let counts = mailbox.folder(INBOX).unwrap().counts;
        assert_eq!((counts.content, counts.deleted), (400, 100));
        clock.forward(DAY);
        assert_eq!(expired(&store), (100, 0));
        let left = mailbox.contents(INBOX, ContentsView::Normal).unwrap();
        let left: Vec<GlobCnt> = left.iter().map(|entry| entry.id).collect();
        assert_eq!(left, ids[4600..]);
        let deleted = mailbox.contents(INBOX, ContentsView::SoftDeleted).unwrap();
        assert!(deleted.is_empty());
        assert_eq!(expired(&store), (0, 0));
    }
}

#[test]
fn a_mailbox_that_is_not_loaded_is_found_to_have_soft_deleted_folders() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Manual::new();
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let outer = create(&mailbox, ROOT, "outer");
    let inner = create(&mailbox, outer, "inner");
    create(&mailbox, ROOT, "stays");
    let save = SaveMessage {
        folder: inner,
        ..message(0)
    };
    mailbox.save_message(save).unwrap();
    mailbox.delete_folder(outer, SOFT).unwrap();
    store.close().unwrap();
    drop((store, mailbox));
    let options = || StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
        clock: clock.clone(),
        ..StoreOptions::default()
    };
    let store = Store::open(dir.path(), options()).unwrap();
    clock.forward(14 * DAY - 1);
    assert_eq!(expired(&store), (0, 0));
    clock.forward(1);
    assert_eq!(expired(&store), (1, 2));
    let mailbox = store.mailbox(guid_of(1)).unwrap();
    assert!(mailbox.folder(outer).is_none() && mailbox.folder(inner).is_none());
    assert_eq!(mailbox.hierarchy(ROOT, true, true), []);
    assert_eq!(mailbox.hierarchy(ROOT, true, false).len(), 2);
    store.close().unwrap();
    drop((store, mailbox));
    // Without anything soft-deleted, a mailbox is not even loaded.
    let store = Store::open(dir.path(), options()).unwrap();
    clock.forward(30 * DAY);
    assert_eq!(expired(&store), (0, 0));
    assert!(store.loaded().is_empty());
}

#[test]
fn a_folder_that_went_before_the_one_above_it_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Manual::new();
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let outer = create(&mailbox, ROOT, "outer");
    let inner = create(&mailbox, outer, "inner");
    mailbox.delete_folder(inner, SOFT).unwrap();
    clock.forward(DAY);
    mailbox.delete_folder(outer, SOFT).unwrap();
    clock.forward(13 * DAY);
    assert_eq!(expired(&store), (0, 1));
    assert!(mailbox.folder(outer).is_some() && mailbox.folder(inner).is_none());
    clock.forward(DAY);
    assert_eq!(expired(&store), (0, 1));
    assert!(mailbox.folder(outer).is_none());
    assert_eq!(mailbox.folder(ROOT).unwrap().counts.child_folders, 1);
}

#[test]
fn what_was_soft_deleted_at_an_unknown_time_goes_too_however_busy_its_folder_is() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Manual::new();
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let id = save(&mailbox, 0);
    mailbox.delete_messages(INBOX, &[id], false).unwrap();
    mailbox.forget_when_deleted(INBOX, id);
    let mut gone = 0;
    for _ in 0..15 {
        clock.forward(DAY);
        save(&mailbox, 0);
        gone += expired(&store).0;
    }
    assert_eq!(gone, 1);
    assert_eq!(mailbox.entry(INBOX, id).unwrap(), None);
}

#[test]
fn without_a_retention_everything_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Manual::new();
    let (store, mailbox) = open(&clock, dir.path(), None);
    let id = save(&mailbox, 0);
    mailbox.delete_messages(INBOX, &[id], false).unwrap();
    clock.forward(10_000 * DAY);
    assert_eq!(expired(&store), (0, 0));
    assert!(mailbox.entry(INBOX, id).unwrap().is_some());
}

#[test]
fn the_size_of_a_mailbox_is_that_of_its_messages_whatever_happens_to_them() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Manual::new();
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let check = |mailbox: &Mailbox| {
        let mut size = 0;
        for folder in mailbox.hierarchy(ROOT, true, false) {
            for view in [ContentsView::Normal, ContentsView::Associated] {
                let contents = mailbox.contents(folder.0, view).unwrap();
                size += contents.iter().map(|entry| entry.size).sum::<u64>();
            }
        }
        assert_eq!(mailbox.size(), size);
        size
    };
    assert_eq!(check(&mailbox), 0);
    let ids = [
        save(&mailbox, 1000),
        save(&mailbox, 2000),
        save(&mailbox, 20_000),
    ];
    assert!(check(&mailbox) > 23_000);
    let folder = create(&mailbox, ROOT, "other");
    mailbox.move_messages(INBOX, folder, &ids[..1]).unwrap();
    mailbox.copy_messages(INBOX, folder, &ids[1..]).unwrap();
    check(&mailbox);
    mailbox.delete_messages(INBOX, &ids[1..2], false).unwrap();
    check(&mailbox);
    store.close().unwrap();
    drop((store, mailbox));
    let (_store, mailbox) = open(&clock, dir.path(), RETENTION);
    let before = check(&mailbox);
    mailbox.delete_folder(folder, SOFT).unwrap();
    assert!(check(&mailbox) < before);
    mailbox
        .empty_folder(
            INBOX,
            EmptyFolder {
                associated: true,
                hard: true,
            },
            &|_| false,
        )
        .unwrap();
    assert_eq!(check(&mailbox), 0);
}

#[test]
fn a_full_mailbox_takes_nothing_in_but_can_be_tidied() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Manual::new();
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let quota = Quota {
        warning: Some(10),
        prohibit_send: Some(20),
        prohibit_receive: Some(40),
    };
    store.set_quota("U1@example.test", quota).unwrap();
    let refused = |result: Result<(), StoreError>| matches!(result, Err(StoreError::QuotaExceeded));
    let first = save(&mailbox, 15_000);
    assert!(mailbox.check_send().is_ok());
    let second = save(&mailbox, 15_000);
    assert!(refused(mailbox.check_send()));
    assert!(refused(mailbox.save_message(message(15_000)).map(|_| ())));
    let copy = |ids: &[GlobCnt]| mailbox.copy_messages(INBOX, INBOX, ids).map(|_| ());
    assert!(refused(copy(&[first, second])));
    let larger = SaveMessage {
        id: Some(first),
        ..message(35_000)
    };
    assert!(refused(mailbox.save_message(larger).map(|_| ())));
    // All or none, and nothing was changed.
    let several = vec![message(10), message(15_000)];
    assert!(refused(mailbox.save_messages(several).map(|_| ())));
    assert_eq!(mailbox.folder(INBOX).unwrap().counts.content, 2);
    // A stricter limit: what is there may be read, moved, made smaller and deleted.
    let stricter = Quota {
        prohibit_send: None,
        prohibit_receive: Some(0),
        ..quota
    };
    mailbox.set_quota(stricter).unwrap();
    assert!(refused(mailbox.check_send()));
    mailbox.set_read(INBOX, &[first], true).unwrap();
    let smaller = SaveMessage {
        id: Some(first),
        ..message(100)
    };
    mailbox.save_message(smaller).unwrap();
    let folder = create(&mailbox, ROOT, "other");
    let moved = mailbox.move_messages(INBOX, folder, &[second]).unwrap();
    mailbox
        .delete_messages(folder, &[moved.done[0].1], false)
        .unwrap();
    assert!(refused(mailbox.save_message(message(0)).map(|_| ())));
    mailbox.delete_messages(INBOX, &[first], true).unwrap();
    assert_eq!(mailbox.size(), 0);
    store.close().unwrap();
    drop((store, mailbox));
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    assert_eq!(mailbox.quota(), stricter);
    store
        .set_quota("u1@example.test", Quota::default())
        .unwrap();
    assert_eq!(mailbox.quota(), Quota::default());
    save(&mailbox, 50_000);
    assert!(mailbox.check_send().is_ok());
    let unfit = Quota {
        prohibit_send: Some(5),
        prohibit_receive: Some(4),
        warning: None,
    };
    assert!(matches!(
        mailbox.set_quota(unfit),
        Err(StoreError::Invalid(_))
    ));
    let huge = Quota {
        warning: Some(1 << 31),
        ..Quota::default()
    };
    assert!(matches!(
        mailbox.set_quota(huge),
        Err(StoreError::Invalid(_))
    ));
    let nobody = store.set_quota("nobody@example.test", Quota::default());
    assert!(matches!(nobody, Err(StoreError::NotFound)));
}

// What readers work out of a folder.

#[test]
fn what_was_worked_out_of_a_folder_is_dropped_when_nobody_asks_or_it_is_gone() {
    type Kept = std::sync::Mutex<Vec<u8>>;
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Manual(AtomicU64::new(1000 * MINUTE)));
    let (store, mailbox) = open(&clock, dir.path(), RETENTION);
    let derived = |folder| mailbox.derived::<Kept>(folder).unwrap();
    derived(INBOX).lock().unwrap().push(1);
    for _ in 0..3 {
        clock.0.fetch_add(6 * MINUTE, Ordering::Relaxed);
        store.rest();
        assert_eq!(
            *derived(INBOX).lock().unwrap(),
            [1],
            "it is asked for now and then"
        );
    }
    let other = mailbox.derived::<String>(INBOX).unwrap();
    assert_eq!(*other, "", "another type is another thing");
    let nowhere = mailbox.derived::<Kept>(GlobCnt(0x7777));
    assert!(matches!(nowhere, Err(StoreError::NotFound)), "{nowhere:?}");
    let gone = create(&mailbox, INBOX, "gone");
    let weak = Arc::downgrade(&derived(gone));
    let how = DeleteFolder {
        messages: true,
        folders: true,
        hard: true,
    };
    assert!(mailbox.delete_folder(gone, how).unwrap());
    store.rest();
    assert!(weak.upgrade().is_none());
    assert_eq!(*derived(INBOX).lock().unwrap(), [1]);
    clock.0.fetch_add(11 * MINUTE, Ordering::Relaxed);
    store.rest();
    assert!(derived(INBOX).lock().unwrap().is_empty());
}
