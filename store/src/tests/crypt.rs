//! Encryption at rest, from the outside: what is on the disk, and who can open it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use ropewalk_props::{
    Bag, BagView, GlobCnt, PropValue, PropertyName, named::PS_PUBLIC_STRINGS, tags,
};

use super::{
    content::{content, read_blob},
    disk::Fault,
    history::{History, Op, guid_of, master, new_user, random_op},
    model::INBOX,
};
use crate::{
    Attachment, CompactOptions, Compaction, ContentsView, Durability, Message, NewUser, OpenError,
    Recipient, SaveMessage, Store, StoreOptions, change_master_key,
    crypto::{FileKey, KeysError, Unlocking},
    disk::OsDisk,
    index::scan,
};

/// What is looked for on the disk, in both encodings.
const MARK: &str = "Rumpelstilzchen";

fn options(key: Option<char>) -> StoreOptions {
    StoreOptions {
        master_key: key.map(master),
        ..StoreOptions::default()
    }
}

fn open(dir: &Path, key: Option<char>) -> Store {
    Store::open(dir, options(key)).unwrap_or_else(|error| panic!("{error}"))
}

/// Every place where a text can be, with `mark` in it.
fn fill(store: &Store, number: u64, mark: &str) {
    let mut user = NewUser {
        email: format!("{mark}{number}@example.test"),
        display_name: format!("{mark} {number}"),
        legacy_dn: format!("/o=Ropewalk/cn={mark}{number}"),
        password_hash: format!("hash {mark}"),
        ..new_user(number)
    };
    user.store_props
        .set(tags::PID_TAG_COMMENT, &PropValue::text(mark));
    store.add_user(user).unwrap();
    let mailbox = store.mailbox(guid_of(number)).unwrap();
    let text = |tag| Bag::from_iter([(tag, PropValue::text(mark))]);
    mailbox
        .create_folder(crate::NewFolder {
            parent: GlobCnt(INBOX),
            kind: crate::FolderKind::Generic,
            props: text(tags::PID_TAG_DISPLAY_NAME),
        })
        .unwrap();
    let name = PropertyName::Name(PS_PUBLIC_STRINGS, mark.into());
    mailbox.named_ids(&[name], true).unwrap();
    let mut writer = store.blob_writer();
    writer.write_at(0, mark.repeat(20_000).as_bytes()).unwrap();
    let blob = writer.finish().unwrap();
    let mut props = text(tags::PID_TAG_SUBJECT);
    props.set(tags::PID_TAG_BODY, &PropValue::text(&mark.repeat(1000)));
    let mut data = Bag::new();
    data.set_external(tags::PID_TAG_ATTACH_DATA_BINARY, blob);
    data.set(tags::PID_TAG_ATTACH_LONG_FILENAME, &PropValue::text(mark));
    let embedded = Message {
        props: text(tags::PID_TAG_SUBJECT),
        ..Message::default()
    };
    mailbox
        .save_message(SaveMessage {
            folder: GlobCnt(INBOX),
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message: Message {
                props,
                recipients: vec![Recipient {
                    row_id: 0,
                    kind: 1,
                    props: text(tags::PID_TAG_DISPLAY_NAME),
                }],
                attachments: vec![Attachment {
                    number: 0,
                    props: data,
                    embedded: Some(Box::new(embedded)),
                }],
            },
        })
        .unwrap();
}

/// Everything that [`fill`] wrote is there.
fn check(store: &Store, number: u64, mark: &str) {
    let email = format!("{mark}{number}@example.test");
    let user = store.user_by_email(&email).expect("the user is there");
    assert_eq!(user.display_name, format!("{mark} {number}"));
    let mailbox = store.mailbox(user.mailbox_guid).unwrap();
    let name = PropertyName::Name(PS_PUBLIC_STRINGS, mark.into());
    assert!(mailbox.named_ids(&[name], false).unwrap()[0].is_some());
    let contents = mailbox
        .contents(GlobCnt(INBOX), ContentsView::Normal)
        .unwrap();
    assert_eq!(contents.len(), 1);
    let message = mailbox.read_message(contents.iter().next().unwrap());
    let message = message.unwrap().to_message();
    assert_eq!(
        message.props.get_text(tags::PID_TAG_SUBJECT).as_deref(),
        Some(mark)
    );
    let values = content(&message, &|blob| read_blob(store, blob).unwrap());
    let data = values
        .iter()
        .find(|(_, tag, _)| *tag == tags::PID_TAG_ATTACH_DATA_BINARY);
    assert_eq!(data.unwrap().2, mark.repeat(20_000).as_bytes());
}

/// All files below a directory, with their contents.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => drop(found.insert(path.clone(), fs::read(&path).unwrap())),
        }
    }
    found
}

/// The files that have the mark in any case and encoding.
fn files_with(dir: &Path, mark: &str) -> Vec<PathBuf> {
    let wide = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16();
        units.flat_map(u16::to_le_bytes).collect()
    };
    let texts = [mark.to_owned(), mark.to_lowercase(), mark.to_uppercase()];
    let wanted = texts
        .iter()
        .flat_map(|text| [text.as_bytes().to_vec(), wide(text)]);
    let wanted: Vec<Vec<u8>> = wanted.collect();
    let has = |bytes: &[u8]| {
        let mut wanted = wanted.iter();
        wanted.any(|text| bytes.windows(text.len()).any(|part| part == text))
    };
    let found = files(dir).into_iter().filter(|(_, bytes)| has(bytes));
    found.map(|(path, _)| path).collect()
}

#[test]
fn an_encrypted_store_shows_no_text_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Some('a'));
    fill(&store, 0, MARK);
    check(&store, 0, MARK);
    store.close().unwrap();
    assert_eq!(files_with(dir.path(), MARK), [] as [PathBuf; 0]);
    let again = open(dir.path(), Some('a'));
    assert!(!again.recovery().index_rebuilt);
    check(&again, 0, MARK);
    again.close().unwrap();
    // A killed program leaves nothing more.
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let rebuilt = open(dir.path(), Some('a'));
    assert!(rebuilt.recovery().index_rebuilt);
    check(&rebuilt, 0, MARK);
    drop(rebuilt);
    assert_eq!(files_with(dir.path(), MARK), [] as [PathBuf; 0]);
}

#[test]
fn a_store_without_a_key_shows_what_the_other_test_looks_for() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), None);
    fill(&store, 0, MARK);
    check(&store, 0, MARK);
    store.close().unwrap();
    let found = files_with(dir.path(), MARK);
    let below = |name: &str| {
        found
            .iter()
            .any(|path| path.starts_with(dir.path().join(name)))
    };
    assert!(below("log") && below("index"));
    assert!(!dir.path().join("log/keys").exists());
}

#[test]
fn a_wrong_or_missing_key_is_refused_and_nothing_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), Some('a'));
    fill(&store, 0, MARK);
    store.close().unwrap();
    let before = files(dir.path());
    let missing = Store::open(dir.path(), options(None)).unwrap_err();
    assert!(matches!(missing, OpenError::KeyNeeded { .. }), "{missing}");
    let wrong = Store::open(dir.path(), options(Some('b'))).unwrap_err();
    assert!(matches!(wrong, OpenError::WrongKey { .. }), "{wrong}");
    let wrong = change_master_key(dir.path(), &master('b'), &master('c')).unwrap_err();
    assert!(matches!(wrong, OpenError::WrongKey { .. }), "{wrong}");
    assert!(files(dir.path()) == before);
    check(&open(dir.path(), Some('a')), 0, MARK);
}

#[test]
fn a_store_that_gets_a_key_is_encrypted_from_then_on_its_index_too() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), None);
    fill(&store, 0, "Schneewittchen");
    store.close().unwrap();
    let store = open(dir.path(), Some('a'));
    assert!(store.recovery().index_rebuilt);
    check(&store, 0, "Schneewittchen");
    fill(&store, 1, MARK);
    store.close().unwrap();
    let old = files_with(dir.path(), "Schneewittchen");
    assert_eq!(old, [dir.path().join("log/00000001.seg")]);
    assert_eq!(files_with(dir.path(), MARK), [] as [PathBuf; 0]);
    let store = open(dir.path(), Some('a'));
    assert!(!store.recovery().index_rebuilt);
    check(&store, 0, "Schneewittchen");
    check(&store, 1, MARK);
    store.close().unwrap();
    let missing = Store::open(dir.path(), options(None)).unwrap_err();
    assert!(matches!(missing, OpenError::KeyNeeded { .. }), "{missing}");
}

fn dedup_key(store: &Store) -> Option<[u8; 32]> {
    store.core().log.cipher()?.dedup_key()
}

#[test]
fn the_users_key_can_be_changed_and_the_data_key_too() {
    let dir = tempfile::tempdir().unwrap();
    let refused = change_master_key(dir.path(), &master('a'), &master('b'));
    assert!(matches!(refused, Err(OpenError::NotEncrypted { .. })));
    let store = open(dir.path(), Some('a'));
    fill(&store, 0, MARK);
    let in_use = change_master_key(dir.path(), &master('a'), &master('b'));
    assert!(matches!(in_use, Err(OpenError::InUse { .. })));
    let first = dedup_key(&store);
    store.close().unwrap();
    change_master_key(dir.path(), &master('a'), &master('b')).unwrap();
    let wrong = Store::open(dir.path(), options(Some('a'))).unwrap_err();
    assert!(matches!(wrong, OpenError::WrongKey { .. }), "{wrong}");
    let store = open(dir.path(), Some('b'));
    assert!(!store.recovery().index_rebuilt);
    assert_eq!(dedup_key(&store), first);
    store.close().unwrap();
    for number in 1..4 {
        let store = Store::open(
            dir.path(),
            StoreOptions {
                new_data_key: true,
                ..options(Some('b'))
            },
        );
        let store = store.unwrap();
        assert_ne!(dedup_key(&store), first);
        fill(&store, number, MARK);
        store.close().unwrap();
    }
    let store = open(dir.path(), Some('b'));
    (0..4).for_each(|number| check(&store, number, MARK));
    store.close().unwrap();
    assert_eq!(files_with(dir.path(), MARK), [] as [PathBuf; 0]);
}

#[test]
fn an_encrypted_store_whose_keys_are_gone_foreign_or_damaged_is_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&dir, &other] {
        let store = open(dir.path(), Some('a'));
        fill(&store, 0, MARK);
        store.close().unwrap();
    }
    let path = dir.path().join("log/keys");
    let keys = fs::read(&path).unwrap();
    let foreign = fs::read(other.path().join("log/keys")).unwrap();
    let cut = keys[..keys.len() - 1].to_vec();
    for (bytes, why) in [
        (None, "missing"),
        (Some(foreign), "another store's"),
        (Some(cut), "damaged"),
    ] {
        match &bytes {
            None => fs::remove_file(&path).unwrap(),
            Some(bytes) => fs::write(&path, bytes).unwrap(),
        }
        let before = files(dir.path());
        let refused = Store::open(dir.path(), options(Some('a'))).unwrap_err();
        assert!(matches!(refused, OpenError::BadLog { .. }), "{refused}");
        assert!(refused.to_string().contains(why), "{refused}");
        assert!(files(dir.path()) == before);
    }
    fs::write(&path, keys).unwrap();
    check(&open(dir.path(), Some('a')), 0, MARK);
}

/// Everything is packed anew with the newest key.
fn compact(store: &Store) {
    let options = CompactOptions {
        full: true,
        grace: Duration::ZERO,
        bytes_per_second: None,
    };
    store.compact(options, &mut |_| {}).unwrap();
}

fn chunk_hashes(store: &Store) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let core = store.core();
    core.index.wait_applied(core.index.visible()).unwrap();
    let kv = core.index.kv().unwrap();
    scan(&*kv, &[4], &mut |key, _| {
        found.push(key.to_vec());
        Ok(())
    })
    .unwrap();
    found
}

#[test]
fn compaction_encrypts_what_was_plain_and_what_has_an_older_key() {
    let dir = tempfile::tempdir().unwrap();
    let another = |key| StoreOptions {
        new_data_key: true,
        compaction: Compaction::Manual,
        ..options(Some(key))
    };
    let store = open(dir.path(), None);
    fill(&store, 0, MARK);
    let plain = chunk_hashes(&store);
    assert!(!plain.is_empty());
    store.close().unwrap();
    let keys = || fs::metadata(dir.path().join("log/keys")).unwrap().len();
    for round in 1..4 {
        let store = Store::open(dir.path(), another('a')).unwrap();
        fill(&store, round, MARK);
        assert!(round > 1 || !files_with(dir.path(), MARK).is_empty());
        compact(&store);
        (0..=round).for_each(|number| check(&store, number, MARK));
        store.close().unwrap();
        assert_eq!(files_with(dir.path(), MARK), [] as [PathBuf; 0]);
        // The one before and this one.
        assert_eq!(keys(), 64 + 80 * round.min(2));
        let used = store.core().log.segments().keys_in_use().unwrap();
        let newest = FileKey::from(round as u16);
        assert!(used.iter().all(|key| *key == newest), "{used:?}");
        fs::remove_dir_all(dir.path().join("index")).unwrap();
        let rebuilt = open(dir.path(), Some('a'));
        assert!(rebuilt.recovery().index_rebuilt);
        (0..=round).for_each(|number| check(&rebuilt, number, MARK));
        let hashes = chunk_hashes(&rebuilt);
        assert!(!hashes.iter().any(|hash| plain.contains(hash)));
        rebuilt.close().unwrap();
    }
}

#[test]
fn looking_at_a_closed_stores_keys_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path(), None).close().unwrap();
    let log = dir.path().join("log");
    let look = |key: Option<char>| {
        let master = key.map(master);
        Unlocking::begin(&OsDisk, &log, master.as_ref())?.look()
    };
    let before = files(dir.path());
    assert_eq!(look(Some('a')).ok().unwrap().current_number(), 0);
    assert!(files(dir.path()) == before);
    open(dir.path(), Some('a')).close().unwrap();
    let before = files(dir.path());
    assert_eq!(look(Some('a')).ok().unwrap().current_number(), 1);
    assert!(matches!(look(Some('b')), Err(KeysError::Wrong)));
    assert!(matches!(look(None), Err(KeysError::Needed)));
    assert!(files(dir.path()) == before);
}

#[test]
fn a_data_key_that_no_file_names_any_more_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let another = || StoreOptions {
        new_data_key: true,
        ..options(Some('a'))
    };
    let keys = || fs::metadata(dir.path().join("log/keys")).unwrap().len();
    // The log goes on in one that has no frame yet as in any other.
    for _ in 0..3 {
        Store::open(dir.path(), another()).unwrap().close().unwrap();
    }
    assert_eq!(keys(), 64 + 80 * 3);
    // As if they had been packed.
    let segment = |number: u32| dir.path().join(format!("log/{number:08}.seg"));
    let last = fs::read(segment(3)).unwrap();
    fs::write(segment(1), &last).unwrap();
    fs::remove_file(segment(2)).unwrap();
    fs::remove_file(segment(3)).unwrap();
    let header = crate::log::segment::SegmentHeader {
        base_lsn: 1,
        key: 3,
        ..crate::log::segment::SegmentHeader::log(1, open_guid(&last))
    };
    fs::write(segment(1), header.encode()).unwrap();
    // Not in passing: what is missing may be found again.
    open(dir.path(), Some('a')).close().unwrap();
    assert_eq!(keys(), 64 + 80 * 3);
    Store::open(dir.path(), another()).unwrap().close().unwrap();
    assert_eq!(keys(), 64 + 80 * 2);
    open(dir.path(), Some('a')).close().unwrap();
}

fn open_guid(segment: &[u8]) -> ropewalk_props::Guid {
    ropewalk_props::Guid(segment[16..32].try_into().unwrap())
}

#[test]
fn a_crash_at_any_disk_call_while_a_store_gets_a_key_loses_nothing() {
    for (seed, first) in [(3, None), (4, None), (5, Some(master('a')))] {
        for at in 0.. {
            let mut history = History::new(seed, Durability::Always);
            history.key = first.clone();
            history.step(&Op::AddUser(0));
            for _ in 0..12 {
                let op = random_op(&mut history.random, &history.model);
                history.step(&op);
            }
            history.close(&None);
            history.key = Some(master('a'));
            history.new_data_key = first.is_some();
            history.disk.set_fault(Some(Fault::Stop(at)));
            let whole = match history.try_open_again() {
                Ok(store) => {
                    let _ = store.close();
                    history.disk.is_on()
                }
                Err(OpenError::Io { .. }) => false,
                Err(error) => panic!("{error}"),
            };
            match at % 2 {
                0 => history.disk.kill(),
                _ => history.disk.power_failure(),
            }
            history.new_data_key = false;
            history.check();
            history.step(&Op::AddUser(2));
            history.close(&None);
            history.check();
            if whole {
                assert!(at > 8, "getting a key takes more calls than that");
                break;
            }
        }
    }
}
