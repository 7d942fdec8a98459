//! Saving and reading messages.

use std::collections::HashSet;

use rkyv::rancor;
use ropewalk_props::{BagView, FileTime, GlobCnt, PropTag, PropType, PropValue, Slot, tags};

use super::{
    Mailbox, MessagePlace,
    transfer::Finder,
    txn::Txn,
    types::{Contents, ContentsView, MessageEntry, SaveMessage},
};
use crate::{
    Message, StoreError, StoredMessage,
    blob::Spilled,
    index::value,
    log::frame::{Location, RecordKind},
    message::for_each_bag,
    versions,
};

/// Bytes of a subject that an entry has: 255 units, what a table shows (MS-OXCDATA 2.8.2).
const MAX_SUBJECT: usize = 510;

impl Mailbox {
    /// A folder's messages. [`StoreError::NotFound`] without the folder.
    pub fn contents(&self, folder: GlobCnt, view: ContentsView) -> Result<Contents, StoreError> {
        self.with_contents(folder, |contents| contents.view(view))
    }

    /// Whether a folder's messages are in memory, so that [`Mailbox::contents`] does not read them.
    pub fn has_contents(&self, folder: GlobCnt) -> bool {
        self.state.read().contents.contains_key(&folder)
    }

    /// Keeps the messages of these folders in memory, as far as they are there, as if somebody looked at
    /// them.
    pub fn note_use<'a>(&self, folders: impl IntoIterator<Item = &'a GlobCnt>) {
        let now = self.core.noted_time();
        let state = self.state.read();
        let contents = folders
            .into_iter()
            .filter_map(|folder| state.contents.get(folder));
        contents.for_each(|contents| contents.note_use(now));
    }

    /// One message of a folder, whatever view it is in. [`StoreError::NotFound`] without the folder.
    pub fn entry(&self, folder: GlobCnt, id: GlobCnt) -> Result<Option<MessageEntry>, StoreError> {
        self.with_contents(folder, |contents| contents.get(id).cloned())
    }

    /// A message's content, from memory or by one positioned read. [`StoreError::Damaged`] if its
    /// checksum does not match, [`StoreError::NotFound`] for an entry without content.
    pub fn read_message(&self, entry: &MessageEntry) -> Result<StoredMessage, StoreError> {
        if !entry.has_content() {
            return Err(StoreError::NotFound);
        }
        self.core.read_message(entry.content)
    }

    /// Saves a new message or the new content of an existing one; durable when it returns.
    ///
    /// PidTagCreationTime and PidTagLastModificationTime are put into the message unless they are
    /// there; a modification time that is still the stored message's counts as not there.
    ///
    /// [`StoreError::NotFound`] without the folder, or if the message is gone;
    /// [`StoreError::Conflict`] if it is not at `expected_cn`; [`StoreError::TooLarge`] beyond 64 MiB
    /// apart from values over 8 KiB, or 256 MiB in all, blobs that were written before not counted;
    /// [`StoreError::TooDeep`] beyond 32 levels of embedded messages; [`StoreError::QuotaExceeded`] if
    /// it makes the mailbox larger than it may get.
    pub fn save_message(&self, save: SaveMessage) -> Result<MessageEntry, StoreError> {
        let mut saved = self.save_messages(vec![save])?;
        saved.pop().ok_or(StoreError::NotFound)
    }

    /// Saves several messages in one commit: all or none; at most 256 MiB together. Fails as
    /// [`Mailbox::save_message`] does.
    pub fn save_messages(&self, saves: Vec<SaveMessage>) -> Result<Vec<MessageEntry>, StoreError> {
        if saves.is_empty() {
            return Ok(Vec::new());
        }
        let mut txn = Txn::begin(self)?;
        let saved = saves.into_iter().map(|save| stage(&mut txn, save));
        let mut saved = saved.collect::<Result<Vec<_>, _>>()?;
        txn.check_quota()?;
        let at = txn.commit()?;
        for entry in &mut saved {
            entry.content = entry.content.resolve(at);
        }
        Ok(saved)
    }

    /// Changes a message's content without a new change number or modification time; durable when
    /// it returns what `amend` returned. `None` from `amend` leaves the message as it is.
    ///
    /// [`StoreError::NotFound`] without the folder, or if the message is gone; otherwise fails as
    /// [`Mailbox::save_message`] does.
    pub fn amend_message<T>(
        &self,
        folder: GlobCnt,
        id: GlobCnt,
        amend: impl FnOnce(&mut Message) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut txn = Txn::begin(self)?;
        txn.folder(folder)?;
        let old = txn
            .entry(folder, id)?
            .filter(|entry| !entry.soft_deleted)
            .ok_or(StoreError::NotFound)?;
        let mut message = self.read_message(&old)?.to_message();
        let Some(outcome) = amend(&mut message) else {
            return Ok(None);
        };
        put_amended(&mut txn, &old, message)?;
        txn.commit()?;
        Ok(Some(outcome))
    }

    /// Changes messages' contents without new change numbers or modification times, those for which
    /// `amend` returns true; durable when it returns. In commits of at most [`AMENDED_AT_ONCE`] messages.
    /// Messages that are not there are passed over.
    ///
    /// Fails as [`Mailbox::save_message`] does; earlier commits stay.
    pub fn amend_messages(
        &self,
        places: &[MessagePlace],
        mut amend: impl FnMut(&mut Message) -> bool,
    ) -> Result<(), StoreError> {
        for some in places.chunks(AMENDED_AT_ONCE) {
            self.amend_some(some, &mut amend)?;
        }
        Ok(())
    }

    fn amend_some(
        &self,
        places: &[MessagePlace],
        amend: &mut impl FnMut(&mut Message) -> bool,
    ) -> Result<(), StoreError> {
        let mut txn = Txn::begin(self)?;
        let mut finder = Finder::default();
        // What was changed cannot be read before it is committed.
        let mut changed = HashSet::new();
        let mut bytes = 0;
        for place in places {
            if changed.contains(place) {
                continue;
            }
            let found = finder.find(&txn, *place)?;
            let Some(old) = found.filter(|entry| !entry.soft_deleted) else {
                continue;
            };
            let mut message = self.read_message(&old)?.to_message();
            if !amend(&mut message) {
                continue;
            }
            bytes += put_amended(&mut txn, &old, message)?;
            changed.insert(*place);
            if bytes > AMENDED_BYTES {
                txn.commit()?;
                txn = Txn::begin(self)?;
                finder = Finder::default();
                changed.clear();
                bytes = 0;
            }
        }
        if !changed.is_empty() {
            txn.commit()?;
        }
        Ok(())
    }
}

/// Messages that [`Mailbox::amend_messages`] changes in one commit, at most.
const AMENDED_AT_ONCE: usize = 64;
/// Bytes of them, apart from their large values, after which it commits.
const AMENDED_BYTES: usize = 4 << 20;

/// Puts a message's new content in the place of its old one, and nothing else; returns the bytes of its
/// record.
fn put_amended(
    txn: &mut Txn<'_>,
    old: &MessageEntry,
    message: Message,
) -> Result<usize, StoreError> {
    let subject = subject_of(&message);
    let added = add_content(txn, message, Some(old))?;
    let mut new = MessageEntry {
        size: added.size,
        content: added.at,
        subject,
        blobs: added.blobs,
        ..old.clone()
    };
    fit(&mut new);
    txn.put_message(Some(old), new)?;
    Ok(added.bytes)
}

fn stage(txn: &mut Txn<'_>, save: SaveMessage) -> Result<MessageEntry, StoreError> {
    txn.folder(save.folder)?;
    let old = match save.id {
        None => None,
        Some(id) => {
            let entry = txn.entry(save.folder, id)?;
            Some(
                entry
                    .filter(|entry| !entry.soft_deleted)
                    .ok_or(StoreError::NotFound)?,
            )
        }
    };
    if let (Some(expected), Some(old)) = (save.expected_cn, &old)
        && expected != old.cn
    {
        return Err(StoreError::Conflict);
    }
    let mut message = save.message;
    let created = old.as_ref().map_or(txn.now, |old| old.created);
    let created = time_or_set(&mut message, tags::PID_TAG_CREATION_TIME, created);
    let modified = tags::PID_TAG_LAST_MODIFICATION_TIME;
    if let (Some(old), Some(given)) = (&old, time_of(&message, modified))
        && given == old.modified
    {
        // Nobody set it: it came along with the old content (MS-OXCMSG 2.2.2.2).
        message.props.remove(modified.id());
    }
    let modified = time_or_set(&mut message, modified, txn.now);
    let delivered = message.props.get(tags::PID_TAG_MESSAGE_DELIVERY_TIME);
    let delivered = delivered.and_then(|value| value.as_time());
    let subject = subject_of(&message);
    let added = add_content(txn, message, old.as_ref())?;
    let id = match &old {
        Some(old) => old.id,
        None => txn.next()?,
    };
    let cn = txn.next()?;
    let replica = txn.mailbox.repl_guid;
    let old_versions = old.as_ref().and_then(|old| old.versions.as_deref());
    let mut entry = MessageEntry {
        id,
        folder: save.folder,
        cn,
        read_cn: cn,
        read: save
            .read
            .unwrap_or(old.as_ref().is_some_and(|old| old.read)),
        associated: old.as_ref().map_or(save.associated, |old| old.associated),
        soft_deleted: false,
        size: added.size,
        created,
        modified,
        delivered,
        deleted_on: None,
        subject,
        repl_guid: replica,
        versions: versions::changed(replica, cn, old_versions),
        content: added.at,
        blobs: added.blobs,
    };
    fit(&mut entry);
    txn.put_message(old.as_ref(), entry.clone())?;
    Ok(entry)
}

/// PidTagSubject for the entry, unless it is longer than what a table shows.
fn subject_of(message: &Message) -> Option<Box<[u8]>> {
    match message.props.slot(tags::PID_TAG_SUBJECT.id())? {
        (_, Slot::Inline(value))
            if value.ty == PropType::STRING && value.data.len() <= MAX_SUBJECT =>
        {
            Some(value.data.into())
        }
        _ => None,
    }
}

/// Leaves out of an entry what the content tells as well, if the index could not take it otherwise.
fn fit(entry: &mut MessageEntry) {
    if entry.versions.is_some() && value::encode(entry).is_err() {
        entry.blobs = None;
        if value::encode(entry).is_err() {
            entry.subject = None;
        }
    }
}

/// The time in the message's own bag, which is put there if it is missing.
fn time_or_set(message: &mut Message, tag: PropTag, default: FileTime) -> FileTime {
    time_of(message, tag).unwrap_or_else(|| {
        message.props.set(tag, &PropValue::Time(default));
        default
    })
}

fn time_of(message: &Message, tag: PropTag) -> Option<FileTime> {
    match message.props.slot(tag.id())? {
        (_, Slot::Inline(value)) => value.as_time(),
        _ => None,
    }
}

/// A content that was added to the frame.
struct Added {
    /// Bytes of its record.
    bytes: usize,
    at: Location,
    size: u64,
    blobs: Option<Box<[u64]>>,
}

/// Adds a message's content to the frame, large values apart. The large values of `old`, in whose place
/// it comes, are there as long as the commit is not.
fn add_content(
    txn: &mut Txn<'_>,
    mut message: Message,
    old: Option<&MessageEntry>,
) -> Result<Added, StoreError> {
    let mut found = Spilled::replacing(old.and_then(|old| old.blobs.as_deref()));
    for_each_bag(&mut message, 0, &mut |bag| txn.spill(bag, &mut found))?;
    let archive = rkyv::to_bytes::<rancor::Error>(&message).map_err(|_| StoreError::TooLarge)?;
    Ok(Added {
        bytes: archive.len(),
        at: txn.add_record(RecordKind::Message, &archive)?,
        size: found.size,
        blobs: found.listed(),
    })
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{Bag, Guid};

    use super::*;
    use crate::{Durability, FolderKind, NewUser, Store, StoreOptions, TemplateFolder};

    const ROOT: GlobCnt = GlobCnt(1);
    const MAILBOX: Guid = Guid([7; 16]);

    fn open(dir: &std::path::Path) -> Store {
        let options = StoreOptions {
            durability: Durability::None,
            ..StoreOptions::default()
        };
        Store::open(dir, options).unwrap()
    }

    fn open_with_user(dir: &std::path::Path) -> (Store, std::sync::Arc<Mailbox>) {
        let store = open(dir);
        store
            .add_user(NewUser {
                email: "ada@example.test".into(),
                display_name: "Ada".into(),
                legacy_dn: "/o=Ropewalk/cn=ada".into(),
                mailbox_guid: MAILBOX,
                repl_guid: Guid([8; 16]),
                password_hash: String::new(),
                folders: vec![TemplateFolder {
                    id: ROOT,
                    parent: ROOT,
                    kind: FolderKind::Root,
                    props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text("Root"))]),
                }],
                receive_folders: Vec::new(),
                store_props: Bag::new(),
            })
            .unwrap();
        let mailbox = store.mailbox(MAILBOX).unwrap();
        (store, mailbox)
    }

    fn status(mailbox: &Mailbox, entry: &MessageEntry) -> Option<i32> {
        let message = mailbox.read_message(entry).unwrap();
        message.view().props.get_i32(tags::PID_TAG_MESSAGE_STATUS)
    }

    #[test]
    fn an_amended_message_has_its_old_version_and_keeps_its_new_content() {
        let dir = tempfile::tempdir().unwrap();
        let (store, mailbox) = open_with_user(dir.path());
        let saved = mailbox
            .save_message(SaveMessage {
                folder: ROOT,
                id: None,
                associated: false,
                read: None,
                expected_cn: None,
                message: Message::default(),
            })
            .unwrap();
        let amended = mailbox.amend_message(ROOT, saved.id, |message| {
            let value = PropValue::Integer32(0x1000);
            message.props.set(tags::PID_TAG_MESSAGE_STATUS, &value);
            Some("done")
        });
        assert_eq!(amended.unwrap(), Some("done"));
        let left = mailbox.amend_message(ROOT, saved.id, |message| {
            message.props = Bag::new();
            None::<()>
        });
        assert_eq!(left.unwrap(), None);
        let gone = mailbox.amend_message(ROOT, GlobCnt(0x7777), |_| Some(()));
        assert!(matches!(gone, Err(StoreError::NotFound)));
        drop((mailbox, store));

        let store = open(dir.path());
        let mailbox = store.mailbox(MAILBOX).unwrap();
        let entry = mailbox.entry(ROOT, saved.id).unwrap().unwrap();
        assert_eq!(status(&mailbox, &saved), None);
        assert_eq!(status(&mailbox, &entry), Some(0x1000));
        assert_eq!((entry.cn, entry.modified), (saved.cn, saved.modified));
        assert_eq!(entry.change_key(), saved.change_key());
        assert!(entry.size > saved.size);
    }

    #[test]
    fn an_entry_has_the_subject_unless_it_is_longer_than_a_table_shows() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open_with_user(dir.path());
        let subject = |text: Option<&str>| {
            let mut message = Message::default();
            if let Some(text) = text {
                message.props.set_text(tags::PID_TAG_SUBJECT, text);
            }
            message
        };
        let saved = |message| {
            let save = SaveMessage {
                folder: ROOT,
                id: None,
                associated: false,
                read: None,
                expected_cn: None,
                message,
            };
            mailbox.save_message(save).unwrap()
        };
        assert_eq!(saved(subject(None)).subject, None);
        assert_eq!(saved(subject(Some(&"x".repeat(256)))).subject, None);
        let empty = saved(subject(Some(""))).subject;
        assert_eq!(empty.as_deref(), Some(&[][..]));
        let entry = saved(subject(Some(&"ä".repeat(255))));
        assert_eq!(entry.subject.unwrap().len(), 510);
        let mut number = Message::default();
        let tag = tags::PID_TAG_SUBJECT.with_type(PropType::INTEGER32);
        number.props.set(tag, &PropValue::Integer32(7));
        assert_eq!(saved(number).subject, None);
        let amended = mailbox.amend_message(ROOT, entry.id, |message| {
            message.props.set_text(tags::PID_TAG_SUBJECT, "b");
            Some(())
        });
        assert_eq!(amended.unwrap(), Some(()));
        let known = mailbox.entry(ROOT, entry.id).unwrap().unwrap();
        assert_eq!(known.subject.as_deref(), Some(&b"b\0"[..]));
    }

    #[test]
    fn a_long_history_of_changes_takes_the_room_of_the_subject() {
        let dir = tempfile::tempdir().unwrap();
        let (_store, mailbox) = open_with_user(dir.path());
        let mut message = Message::default();
        let text = "x".repeat(255);
        message.props.set_text(tags::PID_TAG_SUBJECT, &text);
        let saved = mailbox.save_message(SaveMessage {
            folder: ROOT,
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message,
        });
        let mut entry = saved.unwrap();
        let subject = entry.subject.clone();
        fit(&mut entry);
        assert_eq!(entry.subject, subject);
        entry.versions = Some(Box::new(versions::Versions {
            change_key: vec![1; 22],
            predecessors: vec![1; 500],
        }));
        fit(&mut entry);
        assert_eq!(entry.subject, None);
        assert!(value::encode(&entry).is_ok());
        // The list of large values goes first.
        entry.subject = subject;
        entry.blobs = Some((0..32).collect());
        entry.versions = None;
        fit(&mut entry);
        assert!(value::encode(&entry).is_ok());
        assert!(entry.blobs.is_some());
        entry.versions = Some(Box::new(versions::Versions {
            change_key: vec![1; 22],
            predecessors: vec![1; 100],
        }));
        fit(&mut entry);
        assert!(value::encode(&entry).is_ok());
        assert_eq!((entry.blobs, entry.subject.is_some()), (None, true));
    }
}
