//! What is done step by step comes to what one commit does, wherever steps end; each step leaves whole
//! messages and right counts.

use std::{path::Path, sync::Arc};

use ropewalk_props::{Bag, BagView, GlobCnt, PropValue, Utf16Text, tags};

use super::{
    history::{guid_of, new_user},
    model,
    random::Random,
};
use crate::{
    Compaction, ContentsView, DeleteFolder, Durability, EmptyFolder, FolderCopy, FolderEmptying,
    FolderKind, IndexKind, Mailbox, Message, NewFolder, Quota, SaveMessage, Store, StoreError,
    StoreOptions,
};

const ROOT: GlobCnt = GlobCnt(model::ROOT);
const INBOX: GlobCnt = GlobCnt(model::INBOX);
const SOFT_ALL: DeleteFolder = DeleteFolder {
    messages: true,
    folders: true,
    hard: false,
};

fn open(dir: &Path) -> (Store, Arc<Mailbox>) {
    let options = StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
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

fn nobody(_: GlobCnt) -> bool {
    false
}

fn create(mailbox: &Mailbox, parent: GlobCnt, name: &str) -> GlobCnt {
    let new = NewFolder {
        parent,
        kind: FolderKind::Generic,
        props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]),
    };
    mailbox.create_folder(new).unwrap().id
}

fn message(folder: GlobCnt, subject: &str, associated: bool, read: bool) -> SaveMessage {
    let mut message = Message::default();
    message.props.set_text(tags::PID_TAG_SUBJECT, subject);
    SaveMessage {
        folder,
        id: None,
        associated,
        read: Some(read),
        expected_cn: None,
        message,
    }
}

fn save(mailbox: &Mailbox, folder: GlobCnt, count: usize) -> Vec<GlobCnt> {
    let saves = (0..count).map(|number| message(folder, &format!("{number}"), false, false));
    let saved = mailbox.save_messages(saves.collect()).unwrap();
    saved.iter().map(|entry| entry.id).collect()
}

/// Folders below the Inbox with messages of every kind, the same for a seed; all folders.
fn grow(mailbox: &Mailbox, seed: u64) -> Vec<GlobCnt> {
    let mut random = Random::new(seed);
    let mut folders = vec![create(mailbox, INBOX, "top")];
    for number in 0..random.below(12) {
        let parent = random.pick(&folders).unwrap();
        folders.push(create(mailbox, parent, &format!("f{number}")));
    }
    for folder in &folders {
        let mut saves = Vec::new();
        for number in 0..random.below(9) {
            let (associated, read) = (random.once_in(4), random.once_in(2));
            saves.push(message(*folder, &format!("m{number}"), associated, read));
        }
        for entry in mailbox.save_messages(saves).unwrap() {
            if random.once_in(5) {
                mailbox
                    .delete_messages(*folder, &[entry.id], false)
                    .unwrap();
            }
        }
    }
    for folder in folders.iter().skip(1) {
        if random.once_in(6) && mailbox.has_folder(*folder) {
            mailbox.delete_folder(*folder, SOFT_ALL).unwrap();
        }
    }
    folders
}

/// All that there is to see of a folder but ids, change numbers and times.
fn describe(mailbox: &Mailbox, id: GlobCnt, depth: usize, out: &mut Vec<String>) {
    use ContentsView::*;
    let folder = mailbox.folder(id).unwrap();
    let mut props = (*folder.props).clone();
    let was_marked = props.position(tags::PID_TAG_DELETED_ON.id()).is_some();
    props.remove(tags::PID_TAG_DELETED_ON.id());
    let name = props.get_text(tags::PID_TAG_DISPLAY_NAME).unwrap();
    let (deleted, counts) = (folder.deleted, folder.counts);
    assert_eq!(deleted, was_marked);
    out.push(format!(
        "{depth} {name} {deleted} {counts:?} {}",
        props.len()
    ));
    for view in [Normal, Associated, SoftDeleted, SoftDeletedAssociated] {
        let mut lines: Vec<String> = Vec::new();
        for entry in mailbox.contents(id, view).unwrap().iter() {
            let stored = mailbox.read_message(entry).unwrap();
            let subject = stored.view().props.get_text(tags::PID_TAG_SUBJECT).unwrap();
            lines.push(format!(
                "  {view:?} {subject} {} {}",
                entry.read, entry.size
            ));
        }
        // Their ids are those of their order.
        out.append(&mut lines);
    }
    let live = mailbox.hierarchy(id, false, false);
    let gone = mailbox.hierarchy(id, false, true);
    for (child, _) in live.into_iter().chain(gone) {
        describe(mailbox, child, depth + 1, out);
    }
}

fn seen(mailbox: &Mailbox) -> Vec<String> {
    let mut out = vec![format!("{} bytes", mailbox.size())];
    describe(mailbox, ROOT, 0, &mut out);
    out
}

/// Steps until it is done; how many items there were.
fn copy_all(mailbox: &Mailbox, copy: &mut FolderCopy, step: impl Fn() -> usize) -> u64 {
    let mut items = 0;
    while !copy.is_done() {
        let most = step();
        let done = mailbox.copy_on(copy, most).unwrap();
        assert!(done == most || copy.is_done(), "{done} of {most}");
        items += done as u64;
    }
    items
}

fn empty_all(mailbox: &Mailbox, emptying: &mut FolderEmptying, step: impl Fn() -> usize) -> u64 {
    let mut items = 0;
    while !emptying.is_done() {
        let most = step();
        let done = mailbox.empty_on(emptying, most, &nobody).unwrap();
        assert!(done == most || emptying.is_done(), "{done} of {most}");
        items += done as u64;
    }
    items
}

#[test]
fn a_copy_in_steps_is_the_copy() {
    for seed in 0..40 {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (_at_once, expected) = open(one.path());
        let (store, mailbox) = open(two.path());
        let (folders, same) = (grow(&expected, seed), grow(&mailbox, seed));
        assert_eq!(folders, same);
        let deep = seed % 4 != 0;
        let name = Utf16Text::from("copy");
        expected
            .copy_folder(folders[0], INBOX, Some(&name), deep)
            .unwrap();
        let mut copy = mailbox
            .begin_copy(folders[0], INBOX, Some(&name), deep)
            .unwrap();
        let total = copy.total();
        let items = copy_all(&mailbox, &mut copy, || 1 + seed as usize % 7);
        assert_eq!(items, total, "{seed}");
        assert_eq!(seen(&mailbox), seen(&expected), "{seed}");
        store.close().unwrap();
        drop((mailbox, store));
        let (_store, mailbox) = open(two.path());
        assert_eq!(seen(&mailbox), seen(&expected), "{seed}");
    }
}

#[test]
fn emptied_in_steps_is_empty() {
    for seed in 0..80 {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (_at_once, expected) = open(one.path());
        let (store, mailbox) = open(two.path());
        let (folders, same) = (grow(&expected, seed), grow(&mailbox, seed));
        assert_eq!(folders, same);
        let how = EmptyFolder {
            associated: seed % 2 == 0,
            hard: seed % 4 < 2,
        };
        // One that stays, somewhere below.
        let kept = folders
            .get(seed as usize % 5)
            .copied()
            .filter(|_| seed % 3 == 0);
        let keep = |id: GlobCnt| Some(id) == kept;
        let complete = expected.empty_folder(folders[0], how, &keep).unwrap();
        let mut emptying = mailbox.begin_emptying(folders[0], how, &keep).unwrap();
        let total = emptying.total();
        let mut items = 0;
        while !emptying.is_done() {
            let most = 1 + seed as usize % 6;
            items += mailbox.empty_on(&mut emptying, most, &keep).unwrap() as u64;
        }
        // Nothing there to clear is an item that was none.
        assert!(items == total || (how.hard && items + 1 == total), "{seed}");
        assert_eq!(emptying.has_kept(), !complete, "{seed}");
        assert_eq!(seen(&mailbox), seen(&expected), "{seed} {how:?}");
        store.close().unwrap();
        drop((mailbox, store));
        let (_store, mailbox) = open(two.path());
        assert_eq!(seen(&mailbox), seen(&expected), "{seed} {how:?}");
    }
}

#[test]
fn each_step_is_one_commit_of_whole_messages() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mailbox) = open(dir.path());
    let top = create(&mailbox, INBOX, "top");
    let below = create(&mailbox, top, "below");
    save(&mailbox, top, 10);
    save(&mailbox, below, 10);
    let name = Utf16Text::from("copy");
    let mut copy = mailbox.begin_copy(top, INBOX, Some(&name), true).unwrap();
    let lsn = || store.core().log.last_lsn();
    let mut contents = Vec::new();
    while !copy.is_done() {
        let before = lsn();
        mailbox.copy_on(&mut copy, 4).unwrap();
        assert!(lsn() <= before + 1);
        let copies = mailbox.hierarchy(INBOX, true, false);
        let copies = copies.iter().filter(|(id, _)| *id > below);
        let counts = copies.map(|(id, _)| mailbox.folder(*id).unwrap().counts.content);
        contents.push(counts.collect::<Vec<_>>());
    }
    assert_eq!(
        contents,
        [
            vec![3],
            vec![7],
            vec![10, 0],
            vec![10, 4],
            vec![10, 8],
            vec![10, 10],
        ]
    );
}

#[test]
fn what_comes_while_a_folder_is_copied_is_left_alone_and_what_goes_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, mailbox) = open(dir.path());
    let top = create(&mailbox, INBOX, "top");
    let [a, b, c] = ["a", "b", "c"].map(|name| create(&mailbox, top, name));
    let deep = create(&mailbox, b, "deep");
    let ids = save(&mailbox, top, 6);
    for folder in [a, b, c, deep] {
        save(&mailbox, folder, 3);
    }
    let name = Utf16Text::from("copy");
    let mut copy = mailbox.begin_copy(top, INBOX, Some(&name), true).unwrap();
    mailbox.copy_on(&mut copy, 3).unwrap();
    mailbox.delete_messages(top, &ids[1..4], true).unwrap();
    save(&mailbox, top, 5);
    create(&mailbox, a, "new");
    mailbox.delete_folder(b, SOFT_ALL).unwrap();
    // Out of what is copied: it was there.
    mailbox.move_folder(c, INBOX, None).unwrap();
    copy_all(&mailbox, &mut copy, || 2);
    let children = mailbox.hierarchy(INBOX, false, false);
    let made = children.iter().map(|(id, _)| *id).max().unwrap();
    let counts = |id| mailbox.folder(id).unwrap().counts.content;
    // 0, 1 before they went; 4 and 5 after.
    assert_eq!(counts(made), 4);
    let names = mailbox.child_folders(made);
    let names = names.iter().map(|folder| {
        let name = folder.props.get_text(tags::PID_TAG_DISPLAY_NAME);
        (
            name.unwrap(),
            folder.counts.content,
            folder.counts.child_folders,
        )
    });
    let expected = [("a".to_owned(), 3, 0), ("c".to_owned(), 3, 0)];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[test]
fn a_copy_ends_when_it_has_no_room_or_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, mailbox) = open(dir.path());
    let top = create(&mailbox, INBOX, "top");
    save(&mailbox, top, 400);
    let name = |name: &str| Utf16Text::from(name);
    let size = mailbox.size();
    assert!(size > 4096, "{size}");
    let quota = |bytes: u64| {
        let kilobytes = u32::try_from(bytes / 1024).unwrap();
        let quota = Quota {
            prohibit_receive: Some(kilobytes),
            ..Quota::default()
        };
        mailbox.set_quota(quota).unwrap();
    };
    // Not for all: nothing is copied.
    quota(size + 1024);
    let before = seen(&mailbox);
    let mut copy = mailbox
        .begin_copy(top, INBOX, Some(&name("x")), true)
        .unwrap();
    let copied = mailbox.copy_on(&mut copy, 5);
    assert!(
        matches!(copied, Err(StoreError::QuotaExceeded)),
        "{copied:?}"
    );
    assert_eq!(seen(&mailbox), before);
    // For all, and then not any more: what was copied stays.
    quota(size * 2 + 4096);
    let mut copy = mailbox
        .begin_copy(top, INBOX, Some(&name("x")), true)
        .unwrap();
    mailbox.copy_on(&mut copy, 5).unwrap();
    quota(size);
    let copied = mailbox.copy_on(&mut copy, 5);
    assert!(
        matches!(copied, Err(StoreError::QuotaExceeded)),
        "{copied:?}"
    );
    let children = mailbox.hierarchy(INBOX, false, false);
    let half = children.iter().map(|(id, _)| *id).max().unwrap();
    assert_eq!(mailbox.folder(half).unwrap().counts.content, 4);
    // The copy itself goes.
    quota(size * 4);
    let mut copy = mailbox
        .begin_copy(top, INBOX, Some(&name("y")), true)
        .unwrap();
    mailbox.copy_on(&mut copy, 5).unwrap();
    let children = mailbox.hierarchy(INBOX, false, false);
    let made = children.iter().map(|(id, _)| *id).max().unwrap();
    mailbox.delete_folder(made, SOFT_ALL).unwrap();
    let copied = mailbox.copy_on(&mut copy, 5);
    assert!(matches!(copied, Err(StoreError::NotFound)), "{copied:?}");
    // Places where it cannot be.
    for (to, name, why) in [(top, "x", "FolderCycle"), (INBOX, "X", "DuplicateName")] {
        let mut copy = mailbox
            .begin_copy(top, to, Some(&Utf16Text::from(name)), true)
            .unwrap();
        let error = mailbox.copy_on(&mut copy, 5).unwrap_err();
        assert!(format!("{error:?}").starts_with(why), "{error:?}");
    }
    let root = mailbox.begin_copy(ROOT, INBOX, None, true);
    assert!(matches!(root, Err(StoreError::Invalid(_))), "{root:?}");
    let none = mailbox.begin_copy(GlobCnt(0x9999), INBOX, None, true);
    assert!(matches!(none, Err(StoreError::NotFound)), "{none:?}");
}

#[test]
fn what_is_put_elsewhere_while_its_folder_is_emptied_stays() {
    for hard in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open(dir.path());
        let top = create(&mailbox, INBOX, "top");
        let [a, b] = ["a", "b"].map(|name| create(&mailbox, top, name));
        let deep = create(&mailbox, a, "deep");
        let deeper = create(&mailbox, deep, "deeper");
        for folder in [a, b, deep, deeper] {
            save(&mailbox, folder, 3);
        }
        let how = EmptyFolder {
            associated: true,
            hard,
        };
        let mut emptying = mailbox.begin_emptying(top, how, &nobody).unwrap();
        // One item is the first of `deeper`, or that folder.
        mailbox.empty_on(&mut emptying, 1, &nobody).unwrap();
        mailbox.move_folder(deep, INBOX, None).unwrap();
        let late = create(&mailbox, b, "late");
        save(&mailbox, late, 2);
        let after = save(&mailbox, top, 1);
        let beside = create(&mailbox, top, "beside");
        empty_all(&mailbox, &mut emptying, || 2);
        let live = |id| mailbox.has_folder(id);
        assert_eq!([a, b, late].map(live), [false; 3], "{hard}");
        assert_eq!([top, deep, beside].map(live), [true; 3], "{hard}");
        // With `hard` it is cleared as a whole, once.
        assert!(mailbox.entry(top, after[0]).unwrap().is_some());
        assert_eq!(mailbox.folder(deep).unwrap().counts.content, 3);
        let below = if hard { 0 } else { 1 };
        assert_eq!(mailbox.folder(deep).unwrap().counts.child_folders, below);
        assert_eq!(mailbox.folder(top).unwrap().counts.child_folders, 1);
        // Nothing is counted twice.
        let mut out = Vec::new();
        describe(&mailbox, ROOT, 0, &mut out);
        let counted: u32 = [top, deep]
            .map(|id| mailbox.hierarchy(id, false, false).len() as u32)
            .iter()
            .sum();
        assert_eq!(counted, 1 + below);
    }
}

#[test]
fn emptying_ends_when_the_folder_itself_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, mailbox) = open(dir.path());
    let top = create(&mailbox, INBOX, "top");
    save(&mailbox, top, 5);
    let how = EmptyFolder {
        associated: false,
        hard: false,
    };
    let mut emptying = mailbox.begin_emptying(top, how, &nobody).unwrap();
    assert_eq!(mailbox.empty_on(&mut emptying, 2, &nobody).unwrap(), 2);
    mailbox.delete_folder(top, SOFT_ALL).unwrap();
    let emptied = mailbox.empty_on(&mut emptying, 2, &nobody);
    assert!(matches!(emptied, Err(StoreError::NotFound)), "{emptied:?}");
    let begun = mailbox.begin_emptying(top, how, &nobody);
    assert!(matches!(begun, Err(StoreError::NotFound)), "{begun:?}");
}
