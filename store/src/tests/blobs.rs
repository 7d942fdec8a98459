//! Large values: who refers to them, and what compaction must leave alone.

use ropewalk_props::{Bag, BlobRef, GlobCnt, PropTag, PropValue, tags};

use super::{
    content::read_blob,
    history::{History, guid_of, new_user},
    model::INBOX,
};
use crate::{
    Attachment, Durability, Mailbox, Message, MessageEntry, Recipient, SaveMessage, Store,
    StoreError,
    message::for_each_external,
    records::{Batch, Op},
};

const BODY: PropTag = tags::PID_TAG_BODY_HTML.with_type(ropewalk_props::PropType::BINARY);
const DATA: PropTag = tags::PID_TAG_ATTACH_DATA_BINARY;
const LARGE: usize = 9000;

fn with_mailbox() -> History {
    let mut history = History::new(11, Durability::Always);
    history.store().add_user(new_user(0)).unwrap();
    history
}

fn save(message: Message) -> SaveMessage {
    SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

fn bytes(byte: u8) -> PropValue {
    PropValue::Binary(vec![byte; LARGE])
}

fn with_blob(blob: BlobRef) -> Message {
    let mut message = Message::default();
    message.props.set_external(DATA, blob);
    message
}

fn write(store: &Store, byte: u8) -> BlobRef {
    let mut writer = store.blob_writer();
    writer.write_at(0, &vec![byte; LARGE]).unwrap();
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
    let chunk = |byte: u8| vec![byte; crate::blob::CHUNK];
    // Segments are small here: each frame is in its own.
    let mut writer = store.blob_writer();
    for number in 0..9 {
        let at = u64::from(number) * crate::blob::CHUNK as u64;
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
