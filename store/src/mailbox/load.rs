//! Reading a mailbox from the index.

use std::sync::{Arc, mpsc};

use ropewalk_props::{Bag, GlobCnt, Guid, PropValue, tags};

use super::{
    Mailbox, Writer,
    state::{FolderContents, FolderState, State},
    types::{FolderCounts, MessageEntry, ReceiveFolder},
};
use crate::{
    StoreError,
    core::Core,
    index::{
        IndexError, Kv,
        keys::{self, Part},
        scan, value,
    },
    records::{FolderMeta, MailboxMeta, NameRecord, ReceiveRecord},
    sync::{Mutex, RwLock, atomic::AtomicU64},
};

/// How far a counter is moved on after commits were lost.
const LOST_NUMBERS: u64 = 1 << 26;

impl Mailbox {
    /// Reads all of a mailbox but the contents of its folders. The index must be up to date.
    pub(crate) fn load(core: Arc<Core>, guid: Guid, owner: &str) -> Result<Self, StoreError> {
        let kv = core.index.kv()?;
        let meta = kv.get(&keys::part(guid, Part::Meta))?;
        let meta: MailboxMeta = value::decode(&meta.ok_or(StoreError::NotFound)?)?;
        let counter = kv.get(&keys::part(guid, Part::Counter))?;
        let mut counter: u64 = value::decode(&counter.ok_or(StoreError::NotFound)?)?;
        let mut state = State {
            props: undamaged(core.read_bag(meta.props), "the mailbox", Bag::new)?,
            props_at: meta.props,
            ..State::default()
        };
        load_folders(&core, &*kv, guid, &mut state)?;
        load_names(&*kv, guid, &mut state)?;
        state.replids.insert(super::ids::OWN_REPLID, meta.repl_guid);
        if core.recount {
            recount(&*kv, guid, &mut state)?;
            // The lost commits may have handed out numbers, which clients remember.
            counter = counter.saturating_add(LOST_NUMBERS).min(GlobCnt::MAX.0);
        }
        Ok(Self {
            core,
            guid,
            repl_guid: meta.repl_guid,
            owner: owner.to_owned(),
            state: RwLock::new(state),
            writer: Mutex::new(Writer { counter }),
            placed: AtomicU64::new(0),
            loader: Mutex::default(),
            due: Default::default(),
            derived: Default::default(),
        })
    }
}

/// Messages of a folder that two threads read together.
const MANY: u32 = 4096;
/// Messages that one thread hands to the other at a time, and how many times ahead.
const AHEAD: (usize, usize) = (512, 8);

/// Values of the index, one behind the other.
#[derive(Default)]
struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Values {
    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    fn decode(&self, entries: &mut Vec<MessageEntry>) -> Result<(), IndexError> {
        let mut from = 0;
        for end in &self.ends {
            let value = self.bytes.get(from..*end).unwrap_or_default();
            entries.push(value::decode(value)?);
            from = *end;
        }
        Ok(())
    }
}

/// Reads the messages of one folder, about `count` of them.
pub fn contents(
    kv: &dyn Kv,
    mailbox: Guid,
    folder: GlobCnt,
    count: u32,
) -> Result<FolderContents, IndexError> {
    let prefix = keys::messages(mailbox, folder);
    if count >= MANY {
        return many(kv, &prefix);
    }
    let mut entries = Vec::new();
    scan(kv, &prefix, &mut |_, bytes| {
        entries.push(value::decode::<MessageEntry>(bytes)?);
        Ok(())
    })?;
    Ok(FolderContents::of(entries))
}

/// One thread finds the values, which takes the engine about half of the time, and another makes
/// entries of them.
fn many(kv: &dyn Kv, prefix: &[u8]) -> Result<FolderContents, IndexError> {
    std::thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel::<Values>(AHEAD.1);
        let decoder = std::thread::Builder::new().name("ropewalk-load".into());
        let decoder = decoder.spawn_scoped(scope, move || {
            let mut contents = FolderContents::of([]);
            let mut entries = Vec::new();
            for values in receive {
                values.decode(&mut entries)?;
                entries.drain(..).for_each(|entry| contents.add(entry));
            }
            Ok(contents)
        });
        let decoder = decoder.map_err(|error| IndexError(error.to_string()))?;
        let mut values = Values::default();
        // Whoever is not there any more to take them has failed, and says how.
        let scanned = scan(kv, prefix, &mut |_, bytes| {
            values.push(bytes);
            if values.ends.len() == AHEAD.0 && send.send(std::mem::take(&mut values)).is_err() {
                return Err(IndexError("a value of the index is damaged".into()));
            }
            Ok(())
        });
        let _ = send.send(values);
        drop(send);
        let contents = decoder.join();
        let contents = contents.unwrap_or_else(|_| Err(IndexError("reading panicked".into())))?;
        scanned.map(|()| contents)
    })
}

/// What was read, or something in its place if it is damaged: the rest of the mailbox is not to be
/// out of reach for it.
fn undamaged(
    read: Result<Arc<Bag>, StoreError>,
    whose: &str,
    instead: impl FnOnce() -> Bag,
) -> Result<Arc<Bag>, StoreError> {
    match read {
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::error!(%error, "the properties of {whose} are lost");
            Ok(Arc::new(instead()))
        }
        other => other,
    }
}

fn load_folders(
    core: &Core,
    kv: &dyn Kv,
    mailbox: Guid,
    state: &mut State,
) -> Result<(), StoreError> {
    let mut metas = Vec::new();
    scan(kv, &keys::part(mailbox, Part::Folder), &mut |_, bytes| {
        metas.push(value::decode::<FolderMeta>(bytes)?);
        Ok(())
    })?;
    for meta in metas {
        let id = meta.id.0;
        let props = undamaged(core.read_bag(meta.props), "a folder", || {
            let name = format!("Damaged folder {id:X}");
            Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(&name))])
        })?;
        state.put_folder(FolderState::new(meta, props));
    }
    scan(
        kv,
        &keys::part(mailbox, Part::ReceiveFolder),
        &mut |_, bytes| {
            let record: ReceiveRecord = value::decode(bytes)?;
            let folder = ReceiveFolder {
                message_class: record.message_class.clone(),
                folder: record.folder,
                modified: record.modified,
            };
            state.receive.insert(record.message_class, folder);
            Ok(())
        },
    )?;
    Ok(())
}

fn load_names(kv: &dyn Kv, mailbox: Guid, state: &mut State) -> Result<(), StoreError> {
    let bad_key = || IndexError("a key of the index is too short".into());
    scan(kv, &keys::part(mailbox, Part::Name), &mut |key, bytes| {
        let id = keys::number_of(key).ok_or_else(bad_key)?;
        state.put_name(id, value::decode::<NameRecord>(bytes)?.into());
        Ok(())
    })?;
    scan(kv, &keys::part(mailbox, Part::Replid), &mut |key, bytes| {
        let id = keys::number_of(key).ok_or_else(bad_key)?;
        state.replids.insert(id, value::decode::<Guid>(bytes)?);
        Ok(())
    })?;
    Ok(())
}

/// Counts messages and subfolders anew: commits were lost to damage, so that the stored counts may
/// not fit what is there.
fn recount(kv: &dyn Kv, mailbox: Guid, state: &mut State) -> Result<(), StoreError> {
    let ids: Vec<GlobCnt> = state.folders.keys().copied().collect();
    for id in ids {
        let counts = state.folders.get(&id).map(|folder| folder.meta.counts);
        let count = counts.map_or(0, |counts| counts.all());
        let contents = contents(kv, mailbox, id, count)?;
        let children = state.children.get(&id).map_or(0, |children| children.len());
        if let Some(folder) = state.folders.get_mut(&id) {
            folder.meta.counts = FolderCounts {
                child_folders: u32::try_from(children).unwrap_or(u32::MAX),
                ..contents.counts(folder.meta.counts)
            };
        }
        state.contents.insert(id, contents);
    }
    let sizes = state
        .folders
        .values()
        .map(|folder| folder.meta.counts.bytes());
    state.size = sizes.fold(0, u64::saturating_add);
    Ok(())
}

#[cfg(test)]
mod tests {
    use ropewalk_props::FileTime;

    use super::*;
    use crate::{
        ContentsView,
        index::{Write, memory::MemoryKv},
        log::frame::Location,
    };

    const MAILBOX: Guid = Guid([7; 16]);
    const FOLDER: GlobCnt = GlobCnt(5);

    fn put(id: u64) -> Write {
        let entry = MessageEntry {
            id: GlobCnt(id),
            folder: FOLDER,
            cn: GlobCnt(id),
            read_cn: GlobCnt(id),
            read: false,
            associated: id.is_multiple_of(7),
            soft_deleted: id.is_multiple_of(5),
            size: id,
            created: FileTime(id),
            modified: FileTime(id),
            delivered: None,
            deleted_on: None,
            subject: None,
            repl_guid: MAILBOX,
            versions: None,
            content: Location {
                segment: 1,
                offset: 2,
                len: 3,
            },
            blobs: None,
        };
        let key = keys::message(MAILBOX, FOLDER, entry.id);
        Write::Put(key, value::encode(&entry).unwrap())
    }

    #[test]
    fn a_folder_of_many_messages_is_read_by_two_threads_as_by_one() {
        let kv = MemoryKv::default();
        let all: Vec<Write> = (1..=5000).map(put).collect();
        kv.apply(&all).unwrap();
        let read = |count| contents(&kv, MAILBOX, FOLDER, count).unwrap();
        let (one, two) = (read(MANY - 1), read(MANY));
        let views = [
            ContentsView::Normal,
            ContentsView::Associated,
            ContentsView::SoftDeleted,
            ContentsView::SoftDeletedAssociated,
        ];
        for view in views {
            assert!(one.view(view).iter().eq(two.view(view).iter()));
        }
        assert_eq!(two.iter().count(), 5000);
        let none = contents(&kv, MAILBOX, GlobCnt(6), MANY).unwrap();
        assert_eq!(none.iter().count(), 0);
    }

    #[test]
    fn a_damaged_value_is_told_wherever_it_is() {
        for id in [1, 600, 3000, 5000] {
            let kv = MemoryKv::default();
            let mut all: Vec<Write> = (1..=5000).map(put).collect();
            if let Some(Write::Put(_, value)) = all.get_mut(id - 1) {
                value[9] ^= 1;
            }
            kv.apply(&all).unwrap();
            assert!(contents(&kv, MAILBOX, FOLDER, MANY).is_err(), "{id}");
        }
    }
}
