//! What is done to many messages at once is one commit and one fsync, and writes as much as changed,
//! however large the messages are.

use std::sync::Arc;

use ropewalk_props::{Bag, BagView as _, GlobCnt, PropValue, tags};

use super::{
    disk::SimDisk,
    history::{guid_of, new_user},
    model,
};
use crate::{
    Compaction, ContentsView, EmptyFolder, FolderKind, IndexKind, Mailbox, Message, MessageEntry,
    NewFolder, SaveMessage, Store, StoreOptions, open::Tuning,
};

const INBOX: GlobCnt = GlobCnt(model::INBOX);
const ROOT: GlobCnt = GlobCnt(model::ROOT);
const HARD: EmptyFolder = EmptyFolder {
    associated: true,
    hard: true,
};
const SOFT: EmptyFolder = EmptyFolder {
    associated: true,
    hard: false,
};

struct Bulk {
    disk: SimDisk,
    dir: tempfile::TempDir,
    store: Store,
    mailbox: Arc<Mailbox>,
}

/// What some work took.
#[derive(Debug)]
struct Cost {
    commits: u64,
    fsyncs: u64,
    bytes: u64,
}

fn open(disk: &SimDisk, dir: &std::path::Path) -> (Store, Arc<Mailbox>) {
    let options = StoreOptions {
        index: IndexKind::Memory,
        compaction: Compaction::Manual,
        ..StoreOptions::default()
    };
    let store = Store::open_with(dir, options, Tuning::new(Arc::new(disk.clone()))).unwrap();
    if store.users().is_empty() {
        store.add_user(new_user(1)).unwrap();
    }
    let mailbox = store.mailbox(guid_of(1)).unwrap();
    (store, mailbox)
}

impl Bulk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let disk = SimDisk::new(7);
        let (store, mailbox) = open(&disk, dir.path());
        Self {
            disk,
            dir,
            store,
            mailbox,
        }
    }

    /// The same store, opened anew without its end having been written out.
    fn again(self) -> Self {
        let Self {
            disk,
            dir,
            store,
            mailbox,
        } = self;
        store.close().unwrap();
        drop((store, mailbox));
        let (store, mailbox) = open(&disk, dir.path());
        Self {
            disk,
            dir,
            store,
            mailbox,
        }
    }

    fn fill(&self, count: usize, associated: bool) -> Vec<GlobCnt> {
        let save = SaveMessage {
            folder: INBOX,
            id: None,
            associated,
            read: None,
            expected_cn: None,
            message: Message {
                props: Bag::from_iter([
                    (tags::PID_TAG_SUBJECT, PropValue::text("twine")),
                    (tags::PID_TAG_BODY, PropValue::text(&"x".repeat(2500))),
                ]),
                ..Message::default()
            },
        };
        let saved = self.mailbox.save_messages(vec![save; count]).unwrap();
        saved.iter().map(|entry| entry.id).collect()
    }

    fn cost(&self, work: impl FnOnce(&Mailbox)) -> Cost {
        let bytes = || {
            let names = self.disk.file_names();
            names
                .iter()
                .map(|name| self.disk.get(name).len() as u64)
                .sum::<u64>()
        };
        let lsn = || self.store.core().log.last_lsn();
        let before = (lsn(), self.disk.counts().1, bytes());
        work(&self.mailbox);
        Cost {
            commits: lsn() - before.0,
            fsyncs: self.disk.counts().1 - before.1,
            bytes: bytes() - before.2,
        }
    }

    fn entry(&self, id: GlobCnt) -> MessageEntry {
        self.mailbox.entry(INBOX, id).unwrap().unwrap()
    }

    /// Messages of each view of the Inbox.
    fn views(&self) -> [usize; 4] {
        use ContentsView::*;
        [Normal, Associated, SoftDeleted, SoftDeletedAssociated]
            .map(|view| self.mailbox.contents(INBOX, view).unwrap().len())
    }

    fn empty(&self, how: EmptyFolder) {
        assert!(self.mailbox.empty_folder(INBOX, how, &|_| false).unwrap());
    }
}

fn check(cost: &Cost, bytes: u64) {
    assert_eq!((cost.commits, cost.fsyncs), (1, 1));
    assert!(cost.bytes <= bytes, "{cost:?}");
}

#[test]
fn what_is_done_to_2000_messages_is_one_commit_whose_size_is_not_that_of_the_messages() {
    let bulk = Bulk::new();
    let ids = bulk.fill(2000, false);
    // An entry takes about this much.
    let entries = 2000 * 300;
    let read = bulk.cost(|mailbox| {
        let outcome = mailbox.set_read(INBOX, &ids, true).unwrap();
        assert_eq!(outcome.changed.len(), 2000);
    });
    check(&read, entries);
    let props = Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text("to"))]);
    let (parent, kind) = (ROOT, FolderKind::Generic);
    let new = NewFolder {
        parent,
        kind,
        props,
    };
    let to = bulk.mailbox.create_folder(new).unwrap().id;
    let mut moved = Vec::new();
    let cost = bulk.cost(|mailbox| {
        let outcome = mailbox.move_messages(INBOX, to, &ids).unwrap();
        moved = outcome.done.iter().map(|(_, new)| *new).collect();
    });
    check(&cost, entries + 2000 * 64);
    let copied = bulk.cost(|mailbox| {
        mailbox.copy_messages(to, INBOX, &moved).unwrap();
    });
    check(&copied, entries);
    let soft = bulk.cost(|mailbox| {
        let missing = mailbox.delete_messages(to, &moved[..1000], false).unwrap();
        assert!(missing.is_empty());
    });
    check(&soft, entries / 2);
    let hard = bulk.cost(|mailbox| {
        let missing = mailbox.delete_messages(to, &moved, true).unwrap();
        assert!(missing.is_empty());
    });
    check(&hard, 2000 * 40);
}

#[test]
fn emptying_a_folder_takes_a_few_bytes_whatever_was_in_it() {
    let bulk = Bulk::new();
    let ids = bulk.fill(3000, false);
    bulk.fill(20, true);
    bulk.mailbox
        .delete_messages(INBOX, &ids[..500], false)
        .unwrap();
    let soft = bulk.cost(|_| bulk.empty(SOFT));
    check(&soft, 2520 * 300);
    assert_eq!(bulk.views(), [0, 0, 3000, 20]);
    bulk.fill(3000, false);
    let seen = bulk.mailbox.contents(INBOX, ContentsView::Normal).unwrap();
    let hard = bulk.cost(|_| bulk.empty(HARD));
    check(&hard, 2048);
    assert_eq!(bulk.views(), [0; 4]);
    assert_eq!(seen.len(), 3000, "who looks at them has them");
    assert_eq!(bulk.mailbox.size(), 0);
    let counts = bulk.mailbox.folder(INBOX).unwrap().counts;
    assert_eq!(counts.deleted_total, 6020);
    // What comes afterwards is there, and again when the store is opened anew.
    let after = bulk.fill(3, false);
    let bulk = bulk.again();
    assert_eq!(bulk.views(), [3, 0, 0, 0]);
    assert!(bulk.mailbox.entry(INBOX, after[0]).unwrap().is_some());
    let nothing = bulk.cost(|_| {
        bulk.empty(HARD);
        bulk.empty(HARD);
    });
    assert_eq!(nothing.commits, 1);
}

#[test]
fn a_folder_that_is_emptied_keeps_all_its_associated_messages_unless_they_are_to_go_too() {
    let bulk = Bulk::new();
    bulk.fill(1000, false);
    let associated = bulk.fill(5, true);
    let gone = bulk.fill(5, true);
    bulk.mailbox.delete_messages(INBOX, &gone, false).unwrap();
    let how = EmptyFolder {
        associated: false,
        hard: true,
    };
    let before = bulk.mailbox.entry(INBOX, associated[0]).unwrap();
    let cost = bulk.cost(|_| bulk.empty(how));
    check(&cost, 8192);
    let bulk = bulk.again();
    assert_eq!(bulk.views(), [0, 5, 0, 5]);
    assert_eq!(bulk.mailbox.entry(INBOX, associated[0]).unwrap(), before);
    let counts = bulk.mailbox.folder(INBOX).unwrap().counts;
    assert_eq!((counts.content, counts.associated), (0, 5));
    assert_eq!((counts.deleted_total, counts.deleted_associated), (1005, 5));
    assert!(bulk.mailbox.size() > 5 * 5000 && bulk.mailbox.size() < 6 * 6000);
    assert_eq!(bulk.cost(|_| bulk.empty(how)).commits, 0);
}

#[test]
fn a_folder_that_is_not_in_memory_is_emptied_without_being_read() {
    let bulk = Bulk::new();
    bulk.fill(100, false);
    let bulk = bulk.again();
    assert!(!bulk.mailbox.has_contents(INBOX));
    bulk.empty(HARD);
    assert!(!bulk.mailbox.has_contents(INBOX));
    assert_eq!(bulk.views(), [0; 4]);
}

#[test]
fn many_messages_are_amended_in_few_commits() {
    let bulk = Bulk::new();
    let ids = bulk.fill(200, false);
    let gone = bulk.fill(1, false);
    bulk.mailbox.delete_messages(INBOX, &gone, true).unwrap();
    let before: Vec<_> = ids.iter().map(|id| bulk.entry(*id)).collect();
    // Each twice, and one that is gone.
    let twice = ids.iter().flat_map(|id| [(INBOX, *id); 2]);
    let places: Vec<_> = twice.chain([(INBOX, gone[0])]).collect();
    let mut amended = 0;
    let cost = bulk.cost(|mailbox| {
        let amend = |message: &mut Message| {
            let amends = message.props.get(tags::PID_TAG_MESSAGE_STATUS).is_none();
            if amends {
                amended += 1;
                let value = PropValue::Integer32(7);
                message.props.set(tags::PID_TAG_MESSAGE_STATUS, &value);
            }
            amends
        };
        mailbox.amend_messages(&places, amend).unwrap();
    });
    assert_eq!(amended, 200, "each once");
    // 401 places, 64 at a time.
    assert_eq!(cost.commits, 7);
    let bulk = bulk.again();
    for before in before {
        let now = bulk.entry(before.id);
        let message = bulk.mailbox.read_message(&now).unwrap().to_message();
        let status = message.props.get(tags::PID_TAG_MESSAGE_STATUS);
        assert_eq!(status.and_then(|status| status.as_i32()), Some(7));
        assert_eq!((now.cn, now.modified), (before.cn, before.modified));
        assert!(message.props.get(tags::PID_TAG_BODY).is_some());
    }
    let nothing = bulk.cost(|mailbox| mailbox.amend_messages(&places, |_| false).unwrap());
    assert_eq!(nothing.commits, 0);
}
