//! Many threads at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use ropewalk_props::{BagView, GlobCnt, PropValue, tags};

use super::{
    history::{History, guid_of, new_user},
    model::INBOX,
};
use crate::{ContentsView, Durability, Message, SaveMessage, Store, StoreOptions};

fn message(number: u64) -> SaveMessage {
    let mut message = Message::default();
    let value = PropValue::Integer64(number as i64);
    message
        .props
        .set(tags::PID_TAG_MESSAGE_SIZE_EXTENDED, &value);
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
fn writers_of_several_mailboxes_and_readers_get_along() {
    const MAILBOXES: u64 = 3;
    const SAVES: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
    for number in 0..MAILBOXES {
        store.add_user(new_user(number)).unwrap();
    }
    let done = AtomicBool::new(false);
    let looks = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..MAILBOXES * 2)
            .map(|writer| {
                let store = &store;
                scope.spawn(move || {
                    let mailbox = store.mailbox(guid_of(writer % MAILBOXES)).unwrap();
                    for number in 0..SAVES {
                        let saved = mailbox.save_message(message(number)).unwrap();
                        let entry = mailbox.entry(GlobCnt(INBOX), saved.id).unwrap();
                        assert_eq!(entry, Some(saved), "one reads one's own writes");
                    }
                })
            })
            .collect();
        for reader in 0..2 {
            let (store, done, looks) = (&store, &done, &looks);
            scope.spawn(move || {
                let mut seen = 0;
                while !done.load(Ordering::Relaxed) {
                    let mailbox = store.mailbox(guid_of(reader)).unwrap();
                    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
                    let contents = contents.unwrap();
                    assert!(contents.len() >= seen, "nothing shown goes away");
                    seen = contents.len();
                    for entry in contents.iter().rev().take(5) {
                        let stored = mailbox.read_message(entry).unwrap();
                        let tag = tags::PID_TAG_MESSAGE_SIZE_EXTENDED;
                        assert!(stored.view().props.get(tag).is_some());
                    }
                    looks.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(looks.load(Ordering::Relaxed) > 0);
    store.close().unwrap();
    let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
    for number in 0..MAILBOXES {
        let mailbox = store.mailbox(guid_of(number)).unwrap();
        let counts = mailbox.folder(GlobCnt(INBOX)).unwrap().counts;
        assert_eq!(u64::from(counts.content), SAVES * 2);
        let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
        let contents = contents.unwrap();
        assert_eq!(contents.len() as u64, SAVES * 2);
        let mut numbers: Vec<u64> = contents.iter().map(|entry| entry.cn.0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len() as u64, SAVES * 2, "no change number twice");
    }
}

#[test]
fn commits_that_wait_together_share_an_fsync() {
    const WRITERS: u64 = 8;
    let mut history = History::new(3, Durability::Always);
    let store = history.store();
    for number in 0..WRITERS {
        store.add_user(new_user(number)).unwrap();
    }
    let mailboxes = (0..WRITERS).map(|number| store.mailbox(guid_of(number)).unwrap());
    let mailboxes: Vec<_> = mailboxes.collect();
    let before = history.disk.counts();
    history.disk.hold_syncs(true);
    std::thread::scope(|scope| {
        for mailbox in &mailboxes {
            scope.spawn(|| mailbox.save_message(message(1)).unwrap());
        }
        // The first one waits in its fsync until all others have written.
        while history.disk.counts().0 - before.0 < WRITERS {
            std::thread::yield_now();
        }
        history.disk.hold_syncs(false);
    });
    let after = history.disk.counts();
    assert_eq!(after.0 - before.0, WRITERS);
    assert!(after.1 - before.1 <= 2, "{} fsyncs", after.1 - before.1);
}

#[test]
fn a_reader_never_waits_for_an_fsync() {
    let mut history = History::new(4, Durability::Always);
    let store = history.store();
    store.add_user(new_user(0)).unwrap();
    store.add_user(new_user(1)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    mailbox.save_message(message(1)).unwrap();
    history.close(&None);
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    history.disk.hold_syncs(true);
    std::thread::scope(|scope| {
        let writer: Arc<crate::Mailbox> = mailbox.clone();
        let writing = scope.spawn(move || writer.save_message(message(2)).unwrap());
        history.disk.wait_for_sync();
        // The folder was not looked at before; the commit is not done.
        let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
        assert_eq!(contents.unwrap().len(), 1);
        // Another mailbox is loaded, and a user's removal does not keep others waiting.
        store.mailbox(guid_of(1)).unwrap();
        let removing = scope.spawn(|| store.remove_user("u1@example.test").unwrap());
        while store.mailbox(guid_of(0)).is_err() || history.disk.counts().0 < 1 {
            std::thread::yield_now();
        }
        assert!(store.user_by_email("u0@example.test").is_some());
        history.disk.hold_syncs(false);
        writing.join().unwrap();
        removing.join().unwrap();
    });
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    assert_eq!(contents.unwrap().len(), 2);
    assert!(store.mailbox(guid_of(1)).is_err());
}
