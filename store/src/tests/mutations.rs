//! Stores with any bytes changed, with and without the checksums put right afterwards: they open or are
//! refused, can be checked, read and compacted, and nothing panics.
//!
//! `ROPEWALK_MUTATIONS` and `ROPEWALK_SEED` say how many and from where.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ropewalk_props::{BagView, GlobCnt, PropValue, Slot, tags};

use super::{
    history::{guid_of, master, new_user},
    model::{INBOX, ROOT},
    random::Random,
};
use crate::{
    CompactOptions, Compaction, ContentsView, Durability, IndexKind, MasterKey, Message,
    RestorePoint, SaveMessage, Store, StoreOptions, list_backups, log::frame::crc,
    message::for_each_external, restore, verify,
};

fn options(key: Option<&MasterKey>) -> StoreOptions {
    StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
        compaction: Compaction::Manual,
        accept_loss: true,
        master_key: key.cloned(),
        ..StoreOptions::default()
    }
}

fn number(env: &str, default: u64) -> u64 {
    let text = std::env::var(env).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn message(random: &mut Random) -> Message {
    let mut message = Message::default();
    message.props.set_text(tags::PID_TAG_SUBJECT, "fathoms");
    for (tag, most) in [
        (tags::PID_TAG_HTML, 900),
        (tags::PID_TAG_RTF_COMPRESSED, 90_000),
    ] {
        let len = random.below(most) as usize;
        let value = PropValue::Binary(random.bytes(len));
        message.props.set(tag, &value);
    }
    message
}

/// A store with packs, a checkpoint and segments after them, and a backup of it.
fn make(dir: &Path, backup: &Path, key: Option<&MasterKey>) {
    let store = Store::open(dir, options(key)).unwrap();
    let mut random = Random::new(7);
    for user in 0..2 {
        store.add_user(new_user(user)).unwrap();
    }
    for round in 0..3 {
        for user in 0..2 {
            let mailbox = store.mailbox(guid_of(user)).unwrap();
            for _ in 0..4 {
                let save = SaveMessage {
                    folder: GlobCnt(INBOX),
                    id: None,
                    associated: false,
                    read: None,
                    expected_cn: None,
                    message: message(&mut random),
                };
                let saved = mailbox.save_message(save).unwrap();
                if random.once_in(3) {
                    let id = [saved.id];
                    mailbox.delete_messages(GlobCnt(INBOX), &id, true).unwrap();
                }
            }
        }
        if round < 2 {
            let all = CompactOptions {
                full: true,
                ..CompactOptions::default()
            };
            store.compact(all, &mut |_| {}).unwrap();
        }
    }
    store.backup(backup, &mut |_| {}).unwrap();
    store.close().unwrap();
}

/// Looks at everything there is.
fn read_all(store: &Store) {
    for user in store.users() {
        let Ok(mailbox) = store.mailbox(user.mailbox_guid) else {
            continue;
        };
        let folders = mailbox.hierarchy(GlobCnt(ROOT), true, false).into_iter();
        for folder in folders.map(|(id, _)| id).chain([GlobCnt(ROOT)]) {
            let Ok(contents) = mailbox.contents(folder, ContentsView::Normal) else {
                continue;
            };
            for entry in contents.iter() {
                let _ = (entry.change_key(), entry.predecessor_change_list());
                let Ok(stored) = mailbox.read_message(entry) else {
                    continue;
                };
                let view = stored.view();
                for (_, slot) in view.props.iter() {
                    if let Slot::Inline(value) = slot {
                        let _ = value.to_value();
                    }
                }
                let mut blobs = Vec::new();
                for_each_external(view, &mut |blob| blobs.push(blob));
                for blob in blobs {
                    let mut start = vec![0; 1 << 17];
                    if let Ok(reader) = store.blob_reader(blob) {
                        let _ = reader.read_at(0, &mut start);
                        let _ = reader.read_at(reader.len() / 2, &mut start);
                    }
                }
                let _ = stored.to_message();
            }
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let found = bytes.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*found) as usize)
}

fn put_crc(bytes: &mut [u8], at: usize, salt: &[u8], from: usize, to: usize) {
    if let Some(part) = bytes.get(from..to) {
        let check = crc(&[salt, part]).to_le_bytes();
        if let Some(place) = bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&check);
        }
    }
}

/// Puts the checksums of a file of the log right: its header's, and those of frames and records that can
/// be told.
fn put_right(bytes: &mut [u8]) {
    let store = bytes.get(16..32).unwrap_or_default().to_vec();
    put_crc(bytes, 60, &[], 0, 60);
    let mut frame = 64;
    while bytes.get(frame..frame + 4) == Some(b"RWfr") {
        let Some(payload) = u32_at(bytes, frame + 24) else {
            return;
        };
        let end = (frame + 64).saturating_add(payload).min(bytes.len());
        let mut record = frame + 64;
        while record + 16 <= end {
            let len = u32_at(bytes, record + 4).unwrap_or(0);
            put_crc(
                bytes,
                record + 8,
                &[],
                record + 16,
                (record + 16 + len).min(end),
            );
            put_crc(bytes, record + 12, &[], record, record + 12);
            record += (16 + len).next_multiple_of(16);
        }
        put_crc(bytes, frame + 28, &[], frame + 64, end);
        put_crc(bytes, frame + 60, &store, frame, frame + 60);
        frame = end;
    }
}

/// Changes a file somehow.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64) as usize;
        let len = random.below(40) as usize;
        let end = (at + len).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => bytes.extend(random.bytes(len)),
            2 => {
                bytes.drain(at..end);
            }
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            4 => bytes[at..end].fill([0, 0xFF, 0x7F][random.below(3) as usize]),
            _ => {
                let new = random.bytes(end - at);
                bytes[at..end].copy_from_slice(&new);
            }
        }
    }
    if random.once_in(2) {
        put_right(bytes);
    }
}

#[test]
fn whatever_is_changed_in_a_store_nothing_panics() {
    let first = number("ROPEWALK_SEED", 1);
    for keyed in [false, true] {
        let key = keyed.then(|| master('5'));
        let made = tempfile::tempdir().unwrap();
        let (dir, backup) = (made.path().join("store"), made.path().join("backup"));
        make(&dir, &backup, key.as_ref());
        let whole = files(&dir.join("log"));
        for seed in first..first + number("ROPEWALK_MUTATIONS", 15) {
            let mut random = Random::new(seed);
            let place = tempfile::tempdir().unwrap();
            let copy = place.path().join("store");
            fs::create_dir_all(copy.join("log")).unwrap();
            for path in &whole {
                fs::copy(path, copy.join("log").join(path.file_name().unwrap())).unwrap();
            }
            for _ in 0..=random.below(2) {
                let path = random.pick(&files(&copy.join("log"))).unwrap();
                let mut bytes = fs::read(&path).unwrap();
                mutate(&mut random, &mut bytes);
                fs::write(&path, &bytes).unwrap();
            }
            eprintln!("seed {seed} keyed {keyed}");
            let _ = verify(&copy, &options(key.as_ref()), &mut |_| {});
            if let Ok(store) = Store::open(&copy, options(key.as_ref())) {
                read_all(&store);
                let _ = store.verify(&mut |_| {});
                let _ = store.compact(CompactOptions::default(), &mut |_| {});
                read_all(&store);
                let _ = store.close();
            }
        }
    }
}

#[test]
fn whatever_is_changed_in_a_backup_nothing_panics_and_nothing_wrong_is_restored() {
    let made = tempfile::tempdir().unwrap();
    let (dir, backup) = (made.path().join("store"), made.path().join("backup"));
    make(&dir, &backup, None);
    let whole = files(&backup);
    let first = number("ROPEWALK_SEED", 1);
    for seed in first..first + number("ROPEWALK_MUTATIONS", 15) {
        let mut random = Random::new(seed);
        let place = tempfile::tempdir().unwrap();
        let copy = place.path().join("backup");
        fs::create_dir_all(&copy).unwrap();
        for path in &whole {
            fs::copy(path, copy.join(path.file_name().unwrap())).unwrap();
        }
        let path = random.pick(&files(&copy)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        if bytes.is_empty() {
            continue;
        }
        mutate(&mut random, &mut bytes);
        let same = bytes == fs::read(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        eprintln!("seed {seed}");
        let _ = list_backups(&copy);
        let to = place.path().join("restored");
        let restored = restore(&copy, &to, RestorePoint::Latest, &mut |_| {});
        if restored.is_ok() {
            let report = verify(&to, &options(None), &mut |_| {}).unwrap();
            assert!(report.is_ok(), "{same} {report:?}");
        }
    }
}
