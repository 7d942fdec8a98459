//! Reading a mailbox from the index.

use std::sync::Arc;

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
        })
    }
}

/// Reads the messages of one folder.
pub fn contents(kv: &dyn Kv, mailbox: Guid, folder: GlobCnt) -> Result<FolderContents, IndexError> {
    let mut entries = Vec::new();
    scan(kv, &keys::messages(mailbox, folder), &mut |_, bytes| {
        entries.push(value::decode::<MessageEntry>(bytes)?);
        Ok(())
    })?;
    Ok(FolderContents::of(entries))
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
        let contents = contents(kv, mailbox, id)?;
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
