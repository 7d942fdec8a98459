//! Large values: who refers to them, and what compaction must leave alone.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use ropewalk_props::{Bag, BlobRef, GlobCnt, PropTag, PropValue, tags};

use super::{
    content::read_blob,
    disk::SimDisk,
    history::{History, guid_of, new_user},
    model::INBOX,
    random::Random,
};
use crate::{
    Attachment, BlobWriter, ContentsView, Durability, Mailbox, Message, MessageEntry, Recipient,
    SaveMessage, Store, StoreError,
    blob::{CHUNK, map},
    index::{scan, value},
    log::frame::Location,
    message::for_each_external,
    records::{Batch, BlobRecord, Op},
};

const BODY: PropTag = tags::PID_TAG_BODY_HTML.with_type(ropewalk_props::PropType::BINARY);
pub const DATA: PropTag = tags::PID_TAG_ATTACH_DATA_BINARY;
pub const LARGE: usize = 9000;

pub fn with_mailbox() -> History {
    let mut history = History::new(11, Durability::Always);
    history.store().add_user(new_user(0)).unwrap();
    history
}

pub fn save(message: Message) -> SaveMessage {
    SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

pub fn bytes(byte: u8) -> PropValue {
    PropValue::Binary(vec![byte; LARGE])
}

pub fn with_blob(blob: BlobRef) -> Message {
    let mut message = Message::default();
    message.props.set_external(DATA, blob);
    message
}

pub fn write(store: &Store, byte: u8) -> BlobRef {
    let mut writer = store.blob_writer();
    writer.write_at(0, &vec![byte; LARGE]).unwrap();
    writer.finish().unwrap()
}

/// Completes a value with these bytes.
pub fn write_all(mut writer: BlobWriter, bytes: &[u8]) -> BlobRef {
    // In steps that fit no chunk.
    for (index, piece) in bytes.chunks(10_000).enumerate() {
        writer.write_at(index as u64 * 10_000, piece).unwrap();
    }
    writer.finish().unwrap()
}

/// The large values of a message, by its content and by its entry.
fn blobs(mailbox: &Mailbox, entry: &MessageEntry) -> (Vec<u64>, Option<Vec<u64>>) {
    let stored = mailbox.read_message(entry).unwrap();
    let mut found = Vec::new();
    for_each_external(stored.view(), &mut |blob| found.push(blob.id));
    found.sort_unstable();
    found.dedup();
    (found, entry.blobs.as_deref().map(<[u64]>::to_vec))
}

#[test]
fn an_entry_names_the_large_values_of_all_bags_of_its_message() {
    let mut history = with_mailbox();
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let before = write(&store, 1);
    let mut inner = with_blob(before);
    inner.props.set(BODY, &bytes(2));
    let message = Message {
        props: Bag::from_iter([(BODY, bytes(3))]),
        recipients: vec![Recipient {
            row_id: 0,
            kind: 1,
            props: Bag::from_iter([(DATA, bytes(4))]),
        }],
        attachments: vec![Attachment {
            number: 0,
            props: Bag::from_iter([(DATA, bytes(5))]),
            embedded: Some(Box::new(inner)),
        }],
    };
    let saved = mailbox.save_message(save(message)).unwrap();
    let (content, entry) = blobs(&mailbox, &saved);
    assert_eq!(content.len(), 5);
    assert!(content.contains(&before.id));
    assert_eq!(entry.as_ref(), Some(&content));

    let copied = mailbox.copy_messages(GlobCnt(INBOX), GlobCnt(INBOX), &[saved.id]);
    let copy = copied.unwrap().done[0].1;
    let copy = mailbox.entry(GlobCnt(INBOX), copy).unwrap().unwrap();
    assert_eq!(copy.blobs, saved.blobs);

    let amended = mailbox.amend_message(GlobCnt(INBOX), saved.id, |message| {
        message.attachments.clear();
        message.props.set(DATA, &bytes(6));
        Some(())
    });
    amended.unwrap();
    let entry = mailbox.entry(GlobCnt(INBOX), saved.id).unwrap().unwrap();
    let (content, entry) = blobs(&mailbox, &entry);
    assert_eq!(content.len(), 3);
    assert_eq!(entry, Some(content));

    let plain = mailbox.save_message(save(Message::default())).unwrap();
    assert_eq!(blobs(&mailbox, &plain), (vec![], Some(vec![])));
    let many = Message {
        recipients: (0..33)
            .map(|row_id| Recipient {
                row_id,
                kind: 1,
                props: Bag::from_iter([(DATA, bytes(row_id as u8))]),
            })
            .collect(),
        ..Message::default()
    };
    let many = mailbox.save_message(save(many)).unwrap();
    let (content, entry) = blobs(&mailbox, &many);
    assert_eq!((content.len(), entry), (33, None));
}

#[test]
fn a_message_cannot_refer_to_a_large_value_that_is_not_there() {
    let mut history = with_mailbox();
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let refused = mailbox.save_message(save(with_blob(BlobRef { id: 7, len: 1 })));
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    let mut props = new_user(1);
    props.store_props = with_blob(BlobRef { id: 7, len: 1 }).props;
    let refused = store.add_user(props);
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");

    let blob = write(&store, 1);
    let saved = mailbox.save_message(save(with_blob(blob))).unwrap();
    assert_eq!(saved.blobs.as_deref(), Some(&[blob.id][..]));
    mailbox
        .delete_messages(GlobCnt(INBOX), &[saved.id], true)
        .unwrap();
    let removed = Batch::of_store(vec![Op::RemoveBlobs(vec![blob.id])]);
    store.core().append(store.core().frame(), removed).unwrap();
    // The index does not know yet.
    let refused = mailbox.save_message(save(with_blob(blob)));
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
    assert!(matches!(store.blob_reader(blob), Err(StoreError::NotFound)));
    drop((mailbox, store));
    history.close_keeping_index();
    let store = history.store();
    assert!(matches!(store.blob_reader(blob), Err(StoreError::NotFound)));
}

#[test]
fn a_value_is_unsaved_until_a_commit_refers_to_it() {
    let mut history = with_mailbox();
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let unsaved = || store.core().unsaved.all().into_keys().collect::<Vec<_>>();
    let blob = write(&store, 1);
    assert_eq!(unsaved(), [blob.id]);
    let refused = mailbox.save_message(SaveMessage {
        folder: GlobCnt(0x7777),
        ..save(with_blob(blob))
    });
    assert!(refused.is_err());
    assert_eq!(unsaved(), [blob.id]);
    // Nor does one that is given up after its content was looked at.
    let refused = mailbox.save_messages(vec![
        save(with_blob(blob)),
        save(with_blob(BlobRef { id: 7, len: 1 })),
    ]);
    assert!(refused.is_err());
    assert_eq!(unsaved(), [blob.id]);
    mailbox.save_message(save(with_blob(blob))).unwrap();
    assert_eq!(unsaved(), [0; 0]);
    // Those that come with a message are never unsaved.
    let message = Message {
        props: Bag::from_iter([(BODY, bytes(3))]),
        ..Message::default()
    };
    mailbox.save_message(save(message)).unwrap();
    assert_eq!(unsaved(), [0; 0]);
}

#[test]
fn readers_and_writers_pin_the_segments_that_they_point_into() {
    let mut history = with_mailbox();
    let store = history.store();
    let pinned = || store.core().pins.segments().into_iter().collect::<Vec<_>>();
    let chunk = |byte: u8| vec![byte; CHUNK];
    // Segments are small here: each frame is in its own.
    let mut writer = store.blob_writer();
    for number in 0..9 {
        let at = u64::from(number) * CHUNK as u64;
        writer.write_at(at, &chunk(number + 1)).unwrap();
    }
    let spilled = pinned();
    assert_eq!(spilled.len(), 2, "{spilled:?}");
    let blob = writer.finish().unwrap();
    assert_eq!(pinned(), [0; 0]);

    let reader = store.blob_reader(blob).unwrap();
    let read = pinned();
    assert_eq!(read.len(), 3, "{read:?}");
    assert_eq!(read[..2], spilled);
    let (other, editor) = (reader.clone(), store.blob_editor(blob).unwrap());
    drop(reader);
    assert_eq!(pinned(), read);
    drop(other);
    assert_eq!(pinned(), read);
    drop(editor);
    assert_eq!(pinned(), [0; 0]);
    assert_eq!(read_blob(&store, blob).unwrap()[..], {
        let chunks: Vec<_> = (0..9).map(|number| chunk(number + 1)).collect();
        chunks.concat()
    });
}

/// What compaction does, as far as large values go: tells under the lock what is dead, and makes that
/// unreadable. Returns how many chunks were.
fn kill_what_is_dead(store: &Store, disk: &SimDisk) -> usize {
    let core = store.core();
    let refs = core.refs.write();
    // Nothing that refers to large values is appended meanwhile.
    let last = core.log.last_lsn();
    core.log.sync(last).unwrap();
    core.index.advance(last);
    core.index.wait_applied(last).unwrap();
    let kv = core.index.kv().unwrap();
    let mut live: BTreeSet<u64> = core.unsaved.all().into_keys().collect();
    scan(&*kv, &[0x10], &mut |key, bytes| {
        if key.get(17) == Some(&4) {
            let entry: MessageEntry = value::decode(bytes)?;
            live.extend(entry.blobs.expect("they have few"));
        }
        Ok(())
    })
    .unwrap();
    let (mut dead, mut kept) = (Vec::new(), BTreeSet::new());
    scan(&*kv, &[3], &mut |_, bytes| {
        let blob: BlobRecord = value::decode(bytes)?;
        match live.contains(&blob.id) {
            true => kept.extend(map::read(core, &blob).unwrap()),
            false => dead.push(blob.id),
        }
        Ok(())
    })
    .unwrap();
    let pinned = core.pins.segments();
    let mut chunks = Vec::new();
    let mut hashes = Vec::new();
    scan(&*kv, &[4], &mut |key, bytes| {
        let at: Location = value::decode(bytes)?;
        if !kept.contains(&at) && !pinned.contains(&at.segment) {
            chunks.push(at);
            hashes.push(key[1..].try_into().unwrap());
        }
        Ok(())
    })
    .unwrap();
    let ops = vec![Op::RemoveBlobs(dead), Op::RemoveChunks(hashes)];
    let remove = Batch::of_store(ops);
    core.append(core.frame(), remove).unwrap();
    *core.packing.lock() = chunks.iter().map(|at| at.segment).collect();
    drop(refs);
    for at in &chunks {
        let name = format!("{:08}.seg", at.segment);
        let first = at.offset as usize + 16;
        disk.tamper(&name, |bytes| bytes[first] ^= 0xFF);
    }
    core.packing.lock().clear();
    chunks.len()
}

#[test]
fn what_compaction_finds_dead_is_not_referred_to_by_anybody() {
    const WRITERS: u64 = 4;
    let mut history = History::new(12, Durability::None);
    let store = history.store();
    for number in 0..WRITERS {
        store.add_user(new_user(number)).unwrap();
    }
    let disk = history.disk.clone();
    // Values that have chunks in common, and more chunks than a writer keeps in memory.
    let parts: Vec<_> = (0..12).map(|n| Random::new(n).bytes(CHUNK)).collect();
    let value = |random: &mut Random| {
        let count = 1 + random.below(9);
        let parts = (0..count).map(|_| random.pick(&parts).unwrap());
        parts.collect::<Vec<_>>().concat()
    };
    let busy = AtomicU64::new(WRITERS);
    let killed = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (store, value, busy) = (&store, &value, &busy);
            scope.spawn(move || {
                let done = Done(busy);
                let mut random = Random::new(writer + 100);
                let mailbox = store.mailbox(guid_of(writer)).unwrap();
                for _ in 0..40 {
                    let data = value(&mut random);
                    let mut message = Message::default();
                    let how = random.below(4);
                    match how {
                        0 => message.props.set(DATA, &PropValue::Binary(data.clone())),
                        1 => {
                            let mut given_up = store.blob_writer();
                            given_up.write_at(0, &data).unwrap();
                            continue;
                        }
                        _ => {
                            let blob = write_all(store.blob_writer(), &data);
                            message.props.set_external(DATA, blob);
                        }
                    }
                    let entry = mailbox.save_message(save(message)).unwrap();
                    let stored = mailbox.read_message(&entry).unwrap();
                    let mut blobs = Vec::new();
                    for_each_external(stored.view(), &mut |blob| blobs.push(blob));
                    let reader = store.blob_reader(blobs[0]).unwrap();
                    // Few stay, so that chunks die, and are written again.
                    if !random.once_in(10) {
                        mailbox
                            .delete_messages(GlobCnt(INBOX), &[entry.id], true)
                            .unwrap();
                    }
                    std::thread::yield_now();
                    let mut found = vec![0; data.len()];
                    assert_eq!(reader.read_at(0, &mut found).unwrap(), data.len());
                    assert!(found == data);
                }
                drop(done);
            });
        }
        let mut killed = 0;
        while busy.load(Ordering::Relaxed) > 0 {
            killed += kill_what_is_dead(&store, &disk);
        }
        killed
    });
    assert!(killed > 10, "{killed}");
    for number in 0..WRITERS {
        let mailbox = store.mailbox(guid_of(number)).unwrap();
        let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
        for entry in contents.unwrap().iter() {
            let stored = mailbox.read_message(entry).unwrap();
            for_each_external(stored.view(), &mut |blob| {
                read_blob(&store, blob).unwrap();
            });
        }
    }
}

/// Counts a thread out, whatever happens to it.
struct Done<'a>(&'a AtomicU64);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
