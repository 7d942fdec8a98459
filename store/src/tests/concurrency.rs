//! Many threads at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use ropewalk_props::{
    Bag, BagView, BlobRef, GlobCnt, Guid, PropValue, PropertyName, named::PS_PUBLIC_STRINGS, tags,
};

use super::{
    history::{History, guid_of, new_user},
    model::{INBOX, ROOT},
};
use crate::{
    ContentsView, Durability, FolderKind, Message, NewFolder, SaveMessage, Store, StoreOptions,
};

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

/// What [`look_at_everything`] looks at.
struct Known {
    folder: GlobCnt,
    blob: BlobRef,
    name: PropertyName,
    name_id: u16,
    replica: Guid,
}

/// A mailbox with something of each kind in it.
fn furnish(store: &Store) -> Known {
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let made = mailbox.create_folder(NewFolder {
        parent: GlobCnt(ROOT),
        kind: FolderKind::Generic,
        props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text("Sub"))]),
    });
    let folder = made.unwrap().id;
    let mut writer = store.blob_writer();
    writer.write_at(0, &[7; 100_000]).unwrap();
    let blob = writer.finish().unwrap();
    for folder in [GlobCnt(INBOX), folder] {
        let mut save = message(1);
        let tag = tags::PID_TAG_RTF_COMPRESSED;
        save.message.props.set_external(tag, blob);
        mailbox
            .save_message(SaveMessage { folder, ..save })
            .unwrap();
    }
    let name = PropertyName::Lid(PS_PUBLIC_STRINGS, 0x8501);
    let name_id = mailbox.named_ids(std::slice::from_ref(&name), true);
    let replica = Guid([9; 16]);
    mailbox.replid_of(replica, true).unwrap();
    Known {
        folder,
        blob,
        name,
        name_id: name_id.unwrap()[0].unwrap(),
        replica,
    }
}

/// Calls everything public that reads.
fn look_at_everything(store: &Store, known: &Known) {
    assert!(store.users().len() >= 2);
    let user = store.user_by_email("u0@example.test").unwrap();
    assert!(store.user_by_legacy_dn(&user.legacy_dn).is_some());
    assert!(store.user_by_mailbox(guid_of(0)).is_some());
    assert_ne!(store.store_guid(), Guid::NIL);
    assert_eq!(store.recovery().fenced, []);
    // Not loaded so far.
    let other = store.mailbox(guid_of(1)).unwrap();
    assert!(other.folder(GlobCnt(INBOX)).is_some());
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert_ne!(mailbox.repl_guid(), mailbox.guid());
    assert!(!mailbox.owner_email().is_empty());
    assert!(mailbox.folder(known.folder).is_some());
    assert!(mailbox.has_folder(known.folder));
    assert_eq!(mailbox.is_folder_deleted(known.folder), Some(false));
    assert!(!mailbox.child_folders(GlobCnt(ROOT)).is_empty());
    assert!(!mailbox.hierarchy(GlobCnt(ROOT), true, false).is_empty());
    assert_eq!(mailbox.soft_deleted_folders(GlobCnt(ROOT)), 0);
    mailbox.folders_version();
    mailbox.receive_folders();
    assert!(mailbox.has_contents(GlobCnt(INBOX)));
    // One folder that was looked at before, and one that was not.
    for folder in [GlobCnt(INBOX), known.folder] {
        let contents = mailbox.contents(folder, ContentsView::Normal).unwrap();
        assert_eq!(contents.len(), 1);
        let entry = contents.iter().next().unwrap();
        let found = mailbox.entry(folder, entry.id).unwrap();
        assert!(found.is_some());
        let stored = mailbox.read_message(entry).unwrap();
        assert!(
            stored
                .view()
                .props
                .position(tags::PID_TAG_RTF_COMPRESSED.id())
                .is_some()
        );
    }
    let names = std::slice::from_ref(&known.name);
    for create in [false, true] {
        let found = mailbox.named_ids(names, create).unwrap();
        assert_eq!(found, [Some(known.name_id)]);
        assert!(mailbox.replid_of(known.replica, create).unwrap().is_some());
    }
    assert!(mailbox.named_property(known.name_id).is_some());
    assert_eq!(mailbox.all_named().len(), 1);
    assert!(mailbox.replguid_of(1).is_some());
    mailbox.store_props();
    let reader = store.blob_reader(known.blob).unwrap();
    let mut bytes = [0; 10];
    assert_eq!(reader.read_at(70_000, &mut bytes).unwrap(), 10);
    assert_eq!(bytes, [7; 10]);
    let editor = store.blob_editor(known.blob).unwrap();
    assert_eq!(editor.read_at(0, &mut bytes).unwrap(), 10);
}

#[test]
fn nothing_that_reads_waits_while_commits_wait_for_the_disk_be_it_for_a_new_segment() {
    // Segments hold 48 KiB in these tests, so that the larger commit needs a new one, and waits with
    // the log's end held.
    for bytes in [10, 60_000] {
        let mut history = History::new(6, Durability::Always);
        let store = history.store();
        for number in 0..3 {
            store.add_user(new_user(number)).unwrap();
        }
        let known = furnish(&store);
        drop(store);
        history.close(&None);
        let store = history.store();
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        mailbox
            .contents(GlobCnt(INBOX), ContentsView::Normal)
            .unwrap();
        history.disk.hold_syncs(true);
        let (done, finished) = mpsc::channel();
        let in_time = std::thread::scope(|scope| {
            for number in [0, 2, 0] {
                let store = &store;
                scope.spawn(move || {
                    let mut save = message(2);
                    let text = PropValue::text(&"x".repeat(bytes / 20));
                    for id in 0..10 {
                        save.message.props.set_id(0x6600 + id, &text);
                    }
                    let mailbox = store.mailbox(guid_of(number)).unwrap();
                    mailbox.save_message(save).unwrap();
                });
            }
            history.disk.wait_for_sync();
            scope.spawn(|| {
                look_at_everything(&store, &known);
                done.send(()).unwrap();
            });
            let in_time = finished.recv_timeout(Duration::from_secs(60));
            history.disk.hold_syncs(false);
            in_time
        });
        in_time.expect("readers are not kept waiting");
        let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
        assert_eq!(contents.unwrap().len(), 3);
    }
}

#[test]
fn one_writer_of_a_mailbox_waits_for_the_other_and_those_of_other_mailboxes_go_on() {
    let mut history = History::new(7, Durability::Always);
    let store = history.store();
    for number in 0..3 {
        store.add_user(new_user(number)).unwrap();
    }
    let before = history.disk.counts().0;
    history.disk.hold_syncs(true);
    std::thread::scope(|scope| {
        for number in [0, 0, 0, 1, 2] {
            let store = &store;
            scope.spawn(move || {
                let mailbox = store.mailbox(guid_of(number)).unwrap();
                mailbox.save_message(message(1)).unwrap();
            });
        }
        // One of each mailbox has written, and no more can.
        while history.disk.counts().0 - before < 3 {
            std::thread::yield_now();
        }
        for _ in 0..1000 {
            std::thread::yield_now();
        }
        assert_eq!(history.disk.counts().0 - before, 3);
        history.disk.hold_syncs(false);
    });
    assert_eq!(history.disk.counts().0 - before, 5);
}
