//! Checks of stores, whole and damaged.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use ropewalk_props::{GlobCnt, PropValue, tags};

use super::{
    content::MessageSpec,
    disk::Fault,
    history::{History, MailboxOp, Op, guid_of, new_user, random_op},
    model::INBOX,
};
use crate::{
    DamageKind, Durability, IndexKind, IndexState, MasterKey, Message, OpenError, SaveMessage,
    Store, StoreOptions, UpkeepError, VerifyReport, upkeep::verify::verify_on, verify,
};

fn quiet(_: crate::Progress) {}

/// Checks the closed store of a history, which must change nothing.
fn checked(history: &History) -> VerifyReport {
    let names = history.disk.file_names();
    let before: Vec<_> = names.iter().map(|name| history.disk.get(name)).collect();
    let options = StoreOptions {
        master_key: history.key.clone(),
        ..StoreOptions::default()
    };
    let disk = Arc::new(history.disk.clone());
    let report = verify_on(disk, history.dir(), &options, &mut quiet).unwrap();
    assert_eq!(names, history.disk.file_names());
    let after: Vec<_> = names.iter().map(|name| history.disk.get(name)).collect();
    assert!(before == after, "a check changes nothing");
    report
}

fn save(seed: u64) -> Op {
    let spec = MessageSpec {
        seed,
        body: 2000,
        recipients: 1,
        attachments: 1,
        nested: true,
        blob: None,
    };
    Op::In(
        0,
        MailboxOp::Save {
            folder: INBOX,
            associated: false,
            specs: vec![spec],
        },
    )
}

#[test]
fn whole_stores_are_found_whole() {
    for seed in 1..12 {
        let mut history = History::new(seed, Durability::Always);
        for _ in 0..60 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
            if history.random.once_in(20) {
                let running = history.store().verify(&mut quiet).unwrap();
                assert_eq!(running.damage, [], "seed {seed}");
                history.crash(&None);
                assert_eq!(checked(&history).damage, [], "seed {seed}");
            }
        }
        let lsn = history.store().core().log.last_lsn();
        let messages = history.model.users.values().map(|(_, mailbox)| {
            let folders = mailbox.folders.values();
            folders
                .map(|folder| folder.messages.len() as u64)
                .sum::<u64>()
        });
        let messages = messages.sum::<u64>();
        history.close(&None);
        let report = checked(&history);
        assert!(report.is_ok(), "seed {seed}: {report:?}");
        assert_eq!(report.messages, messages);
        assert!(report.last_lsn >= lsn && report.torn_tail_bytes == 0);
    }
}

#[test]
fn any_flipped_bit_is_found_and_named() {
    for seed in 1..40 {
        let mut history = History::new(seed, Durability::Always);
        for _ in 0..40 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
        }
        history.close(&None);
        let whole = checked(&history);
        let (name, at) = history.disk.flip_a_bit();
        let report = checked(&history);
        if report.torn_tail_bytes > 0 {
            // In the mark at the end, which nobody vouches for.
            assert_eq!(report.last_lsn + 1, whole.last_lsn, "seed {seed}");
            continue;
        }
        assert!(!report.is_ok(), "seed {seed}: {name} {at}");
        let found = report
            .damage
            .iter()
            .any(|damage| damage.file == format!("log/{name}") && damage.offset <= at);
        assert!(found, "seed {seed}: {name} {at}: {report:?}");
    }
}

#[test]
fn damage_is_told_with_the_message_that_was_there() {
    let mut history = History::new(5, Durability::Always);
    history.step(&Op::AddUser(0));
    history.step(&save(1));
    let before = history.disk.get("00000001.seg").len();
    history.step(&save(2));
    history.step(&save(3));
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let contents = mailbox
        .contents(GlobCnt(INBOX), crate::ContentsView::Normal)
        .unwrap();
    let second = contents.iter().nth(1).unwrap().clone();
    let subject = mailbox.read_message(&second).unwrap().to_message();
    let subject = ropewalk_props::BagView::get_text(&subject.props, tags::PID_TAG_SUBJECT);
    drop((mailbox, store));
    let flip = |history: &History| {
        history
            .disk
            .tamper("00000001.seg", |bytes| bytes[before + 200] ^= 1);
    };
    flip(&history);
    let running = history.store().verify(&mut quiet).unwrap();
    flip(&history);
    // The entry is written again later, so that the log alone tells what was there.
    let ids = vec![second.id.0];
    history.step(&Op::In(
        0,
        MailboxOp::SetRead {
            folder: INBOX,
            ids,
            read: true,
        },
    ));
    history.close(&None);
    flip(&history);
    for report in [running, checked(&history)] {
        assert_eq!(report.damage_total, 1, "{report:?}");
        let damage = &report.damage[0];
        assert_eq!(damage.kind, DamageKind::Frames(1));
        assert_eq!(
            (damage.file.as_str(), damage.offset),
            ("log/00000001.seg", before as u64)
        );
        assert_eq!(damage.lsn, Some(3));
        let affected = &damage.affected[0];
        assert_eq!(affected.message, Some(second.id));
        assert_eq!(affected.subject, subject);
        assert_eq!(affected.folder_name.as_deref(), Some("Inbox"));
        assert_eq!(affected.owner.as_deref(), Some("u0@example.test"));
    }
}

#[test]
fn a_large_value_that_is_damaged_names_its_message() {
    let mut history = History::new(6, Durability::Always);
    history.step(&Op::AddUser(0));
    let store = history.store();
    let mut writer = store.blob_writer();
    // More than stays in memory, all of it different.
    let bytes: Vec<u8> = (0..400_000u32)
        .map(|n| (n % 251 + n / 1000) as u8)
        .collect();
    writer.write_at(0, &bytes).unwrap();
    let mut message = Message::default();
    message.props.set_text(tags::PID_TAG_SUBJECT, "with a film");
    let tag = tags::PID_TAG_RTF_COMPRESSED;
    message.props.set_external(tag, writer.finish().unwrap());
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let saved = mailbox.save_message(in_inbox(message)).unwrap();
    drop((mailbox, store));
    history.close(&None);
    assert_eq!(checked(&history).blobs, 1);
    // A frame that has a part of the value and no commit.
    history
        .disk
        .tamper("00000002.seg", |bytes| bytes[5000] ^= 1);
    let report = checked(&history);
    assert_eq!(report.damage_total, 1, "{report:?}");
    let damage = &report.damage[0];
    assert_eq!(damage.kind, DamageKind::Frames(1));
    assert_eq!(damage.file, "log/00000002.seg");
    assert_eq!(damage.affected[0].message, Some(saved.id));
    assert_eq!(damage.affected[0].subject.as_deref(), Some("with a film"));
}

#[test]
fn a_torn_tail_is_no_damage() {
    for at in 0..6 {
        let mut history = History::new(7, Durability::Always);
        history.step(&Op::AddUser(0));
        history.step(&save(1));
        history.disk.set_fault(Some(Fault::Stop(at % 2)));
        let store = history.store();
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        let message = Message::default();
        assert!(mailbox.save_message(in_inbox(message)).is_err());
        drop((mailbox, store));
        history.disk.stop();
        history.crash(&None);
        let report = checked(&history);
        assert_eq!(report.damage, []);
        assert!(report.last_lsn >= 2);
    }
    let mut history = History::new(8, Durability::Always);
    history.step(&Op::AddUser(0));
    history.step(&save(1));
    history.close(&None);
    history
        .disk
        .tamper("00000001.seg", |bytes| bytes.extend([7; 333]));
    let report = checked(&history);
    assert!(report.is_ok());
    assert_eq!(report.torn_tail_bytes, 333);
}

#[test]
fn a_missing_file_is_damage() {
    let mut history = History::new(9, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..60 {
        history.step(&save(seed));
    }
    history.close(&None);
    history.disk.remove("00000002.seg");
    let report = checked(&history);
    let missing = report
        .damage
        .iter()
        .find(|damage| damage.kind == DamageKind::MissingFile);
    assert_eq!(missing.unwrap().file, "log/00000002.seg");
}

fn in_inbox(message: Message) -> SaveMessage {
    SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

fn options() -> StoreOptions {
    StoreOptions {
        index: IndexKind::Sled,
        ..StoreOptions::default()
    }
}

fn fill(dir: &Path, options: StoreOptions, count: i32) {
    let store = Store::open(dir, options).unwrap();
    if store.users().is_empty() {
        store.add_user(new_user(0)).unwrap();
    }
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    for number in 0..count {
        let mut message = Message::default();
        message
            .props
            .set(tags::PID_TAG_IMPORTANCE, &PropValue::Integer32(number));
        mailbox.save_message(in_inbox(message)).unwrap();
    }
    store.close().unwrap();
}

type Tree = BTreeMap<PathBuf, (Option<Vec<u8>>, SystemTime)>;

/// All files of a directory: their bytes and times.
fn tree(dir: &Path, found: &mut Tree) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let changed = fs::metadata(&path).unwrap().modified().unwrap();
        if path.is_dir() {
            found.insert(path.clone(), (None, changed));
            tree(&path, found);
        } else {
            found.insert(path.clone(), (Some(fs::read(&path).unwrap()), changed));
        }
    }
}

/// Checks a closed store, in whose directory nothing may change.
fn check_dir(dir: &Path, options: &StoreOptions) -> VerifyReport {
    let (mut before, mut after) = (Tree::new(), Tree::new());
    tree(dir, &mut before);
    let report = verify(dir, options, &mut quiet).unwrap();
    tree(dir, &mut after);
    assert!(before == after, "a check changes nothing");
    report
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn the_index_is_compared_and_what_is_wrong_with_it_is_no_damage() {
    let root = tempfile::tempdir().unwrap();
    let (dir, other) = (root.path().join("a"), root.path().join("b"));
    let (index, older) = (dir.join("index"), root.path().join("older"));
    fill(&other, options(), 9);
    fill(&dir, options(), 2);
    copy_dir(&index, &older);
    fill(&dir, options(), 3);
    let report = check_dir(&dir, &options());
    assert_eq!((report.index, report.messages), (IndexState::Good, 5));
    let replace = |with: &Path| {
        fs::remove_dir_all(&index).unwrap();
        copy_dir(with, &index);
    };
    let good = root.path().join("good");
    copy_dir(&index, &good);
    replace(&older);
    let report = check_dir(&dir, &options());
    assert_eq!(report.index, IndexState::Good, "it would be caught up");
    replace(&other.join("index"));
    let report = check_dir(&dir, &options());
    assert!(
        report.is_ok() && matches!(report.index, IndexState::NeedsRebuild(_)),
        "{report:?}"
    );
    replace(&good);
    fs::write(dir.join("index.suspect"), b"").unwrap();
    let report = check_dir(&dir, &options());
    assert!(
        report.is_ok() && matches!(report.index, IndexState::NeedsRebuild(_)),
        "{report:?}"
    );
    fs::remove_file(dir.join("index.suspect")).unwrap();
    {
        // One entry is missing.
        let db = sled::open(&index).unwrap();
        let key = db.scan_prefix([0x10]).last().unwrap().unwrap().0;
        db.remove(key).unwrap();
        db.flush().unwrap();
    }
    let report = check_dir(&dir, &options());
    let wrong = IndexState::NeedsRebuild("1 of its entries differ from the log".into());
    assert_eq!((report.is_ok(), report.index), (true, wrong));
    fs::remove_dir_all(&index).unwrap();
    let report = check_dir(&dir, &options());
    assert_eq!((report.is_ok(), report.index), (true, IndexState::Missing));
    // An index that has seen more than there is shows that the log's end is missing.
    copy_dir(&good, &index);
    let segment = dir.join("log/00000001.seg");
    let len = fs::metadata(&segment).unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(&segment).unwrap();
    file.set_len(len - 1000).unwrap();
    let report = check_dir(&dir, &options());
    assert!(!report.is_ok(), "{report:?}");
}

#[test]
fn stores_that_cannot_be_looked_at_are_errors() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a");
    let refused = verify(&dir, &options(), &mut quiet);
    assert!(
        matches!(refused, Err(UpkeepError::NoStore { .. })),
        "{refused:?}"
    );
    assert!(!dir.exists());
    let key = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
    let encrypted = StoreOptions {
        master_key: Some(key),
        ..options()
    };
    fill(&dir, encrypted.clone(), 5);
    let refused = verify(&dir, &options(), &mut quiet);
    assert!(
        matches!(refused, Err(UpkeepError::Open(OpenError::KeyNeeded { .. }))),
        "{refused:?}"
    );
    let report = check_dir(&dir, &encrypted);
    assert_eq!(
        (report.is_ok(), report.index, report.messages),
        (true, IndexState::Good, 5)
    );
    let store = Store::open(&dir, encrypted.clone()).unwrap();
    let refused = verify(&dir, &encrypted, &mut quiet);
    assert!(
        matches!(refused, Err(UpkeepError::Open(OpenError::InUse { .. }))),
        "{refused:?}"
    );
    assert!(store.verify(&mut quiet).unwrap().is_ok());
}

#[test]
fn a_store_is_checked_while_it_is_written_to() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path(), options()).unwrap();
    for number in 0..3 {
        store.add_user(new_user(number)).unwrap();
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..3 {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                let mailbox = store.mailbox(guid_of(number)).unwrap();
                let mut last = None;
                while !done.load(Ordering::Relaxed) {
                    let saved = mailbox.save_message(in_inbox(Message::default())).unwrap();
                    if let Some(last) = last.replace(saved.id) {
                        mailbox
                            .delete_messages(GlobCnt(INBOX), &[last], true)
                            .unwrap();
                    }
                }
            });
        }
        for _ in 0..5 {
            let before = store.core().log.last_lsn();
            let report = store.verify(&mut quiet).unwrap();
            assert_eq!(report.damage, []);
            assert!(report.last_lsn >= before);
            assert!(report.messages <= 6);
        }
        done.store(true, Ordering::Relaxed);
    });
}
