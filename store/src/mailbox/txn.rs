//! One commit of a mailbox: gathered first, then written, then shown to readers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rkyv::rancor;
use ropewalk_props::{Bag, FileTime, GlobCnt, Guid, PropertyName};

use super::{
    Mailbox, Writer,
    state::{FolderContents, FolderState},
    types::{Contents, FolderCounts, MessageEntry, ReceiveFolder},
};
use crate::{
    StoreError,
    blob::{Spill, Spilled},
    index::value,
    log::frame::{FrameBuilder, Location, MAX_PAYLOAD, Position, RecordKind},
    records::{Batch, MailboxMeta, NameRecord, Op, ReceiveRecord},
    sync::{MutexGuard, atomic::Ordering},
};

/// Bytes of one object's archive, large values apart.
const MAX_ARCHIVE: usize = 64 << 20;

/// A commit in the making. Dropped without [`Txn::commit`], it leaves nothing behind.
pub struct Txn<'a> {
    pub mailbox: &'a Mailbox,
    writer: MutexGuard<'a, Writer>,
    pub frame: FrameBuilder,
    pub now: FileTime,
    spill: Spill<'a>,
    counter: u64,
    ops: Vec<Op>,
    folders: BTreeMap<GlobCnt, Option<FolderState>>,
    messages: BTreeMap<(GlobCnt, GlobCnt), Option<MessageEntry>>,
    /// Folders that lose all messages but those in `messages`.
    cleared: BTreeSet<GlobCnt>,
    names: Vec<(u16, PropertyName)>,
    replids: Vec<(u16, Guid)>,
    receive: Vec<(String, Option<ReceiveFolder>)>,
    props: Option<(Arc<Bag>, Location)>,
}

impl<'a> Txn<'a> {
    /// Waits for the mailbox's other writers.
    pub fn begin(mailbox: &'a Mailbox) -> Result<Self, StoreError> {
        mailbox.core.compactor.pressure.wait();
        let writer = mailbox.writer.lock();
        mailbox.core.check_writable()?;
        if mailbox.state.read().removed {
            return Err(StoreError::NotFound);
        }
        Ok(Self {
            mailbox,
            counter: writer.counter,
            writer,
            frame: mailbox.core.frame(),
            now: mailbox.core.now(),
            spill: Spill::default(),
            ops: Vec::new(),
            folders: BTreeMap::new(),
            messages: BTreeMap::new(),
            cleared: BTreeSet::new(),
            names: Vec::new(),
            replids: Vec::new(),
            receive: Vec::new(),
            props: None,
        })
    }

    /// The next counter value: an id or a change number.
    pub fn next(&mut self) -> Result<GlobCnt, StoreError> {
        self.take(1)
    }

    /// The next counter value, which is not taken.
    pub fn upcoming(&self) -> GlobCnt {
        GlobCnt(self.counter)
    }

    /// The next `count` counter values; returns the first.
    pub fn take(&mut self, count: u64) -> Result<GlobCnt, StoreError> {
        let first = GlobCnt(self.counter);
        let next = self.counter.saturating_add(count);
        if next > GlobCnt::MAX.0 {
            return Err(StoreError::TooMany);
        }
        self.counter = next;
        Ok(first)
    }

    /// A folder as this commit has it so far; not a soft-deleted one.
    pub fn folder(&self, id: GlobCnt) -> Result<FolderState, StoreError> {
        let found = Some(self.any_folder(id)?);
        let found = found.filter(|folder| !folder.deleted);
        found.ok_or(StoreError::NotFound)
    }

    /// As [`Txn::folder`], soft-deleted or not.
    pub fn any_folder(&self, id: GlobCnt) -> Result<FolderState, StoreError> {
        let found = match self.folders.get(&id) {
            Some(changed) => changed.clone(),
            None => self.mailbox.state.read().folders.get(&id).cloned(),
        };
        found.ok_or(StoreError::NotFound)
    }

    /// The folders that this commit changes, as it has them so far; `None` for those that go.
    pub fn changed_folders(&self) -> impl Iterator<Item = (GlobCnt, Option<&FolderState>)> {
        let folders = self.folders.iter();
        folders.map(|(id, folder)| (*id, folder.as_ref()))
    }

    /// Changes a folder, soft-deleted or not; its version rises.
    pub fn change_folder(
        &mut self,
        id: GlobCnt,
        change: impl FnOnce(&mut FolderState),
    ) -> Result<(), StoreError> {
        if !self.folders.contains_key(&id) {
            let folder = self.any_folder(id)?;
            self.folders.insert(id, Some(folder));
        }
        let folder = self.folders.get_mut(&id).and_then(Option::as_mut);
        let folder = folder.ok_or(StoreError::NotFound)?;
        change(folder);
        folder.meta.version += 1;
        Ok(())
    }

    /// Adds a folder.
    pub fn put_folder(&mut self, folder: FolderState) {
        self.folders.insert(folder.meta.id, Some(folder));
    }

    /// Removes a folder and its messages.
    pub fn remove_folder(&mut self, id: GlobCnt) {
        self.folders.insert(id, None);
    }

    /// A message as this commit has it so far.
    pub fn entry(&self, folder: GlobCnt, id: GlobCnt) -> Result<Option<MessageEntry>, StoreError> {
        if let Some(changed) = self.messages.get(&(folder, id)) {
            return Ok(changed.clone());
        }
        self.mailbox.ensure_contents(folder)?;
        let state = self.mailbox.state.read();
        let contents = state.contents.get(&folder);
        Ok(contents.and_then(|contents| contents.get(id)).cloned())
    }

    /// All messages of a folder, whatever view they are in, as they were before this commit.
    pub fn entries(&self, folder: GlobCnt) -> Result<[Contents; 4], StoreError> {
        self.mailbox.ensure_contents(folder)?;
        let state = self.mailbox.state.read();
        let contents = state.contents.get(&folder);
        Ok(contents.map(FolderContents::all).unwrap_or_default())
    }

    /// Deletes all messages of a folder for good but the folder-associated ones in `kept`, soft-deleted or not. This
    /// takes no more of the log than the kept ones do, and nothing of the others is looked at.
    pub fn clear_folder(&mut self, id: GlobCnt, kept: Vec<MessageEntry>) -> Result<(), StoreError> {
        let now = self.now;
        self.change_folder(id, |folder| {
            let counts = &mut folder.meta.counts;
            let kept_count = kept.iter().filter(|entry| !entry.soft_deleted).count();
            let deleted = counts.content.saturating_add(counts.associated);
            let deleted = deleted.saturating_sub(u32::try_from(kept_count).unwrap_or(u32::MAX));
            *counts = FolderCounts {
                child_folders: counts.child_folders,
                deleted_total: counts.deleted_total.saturating_add(deleted),
                ..FolderCounts::default()
            };
            kept.iter().for_each(|entry| counts.add(entry));
            folder.meta.local_commit_time_max = now;
        })?;
        self.cleared.insert(id);
        self.messages.retain(|(folder, _), _| *folder != id);
        let kept = kept.into_iter().map(|entry| ((id, entry.id), Some(entry)));
        self.messages.extend(kept);
        Ok(())
    }

    /// Adds or changes a message and keeps its folder's counts.
    pub fn put_message(
        &mut self,
        old: Option<&MessageEntry>,
        new: MessageEntry,
    ) -> Result<(), StoreError> {
        let now = self.now;
        self.change_folder(new.folder, |folder| {
            if let Some(old) = old {
                folder.meta.counts.remove(old);
            }
            folder.meta.counts.add(&new);
            folder.meta.local_commit_time_max = now;
        })?;
        self.messages.insert((new.folder, new.id), Some(new));
        Ok(())
    }

    /// Removes a message and keeps its folder's counts.
    pub fn remove_message(&mut self, old: &MessageEntry) -> Result<(), StoreError> {
        let now = self.now;
        self.change_folder(old.folder, |folder| {
            folder.meta.counts.remove(old);
            folder.meta.local_commit_time_max = now;
        })?;
        self.messages.insert((old.folder, old.id), None);
        Ok(())
    }

    /// Deletes a message, for good or softly.
    pub fn delete_message(&mut self, old: &MessageEntry, hard: bool) -> Result<(), StoreError> {
        if !old.soft_deleted {
            self.change_folder(old.folder, |folder| folder.meta.counts.deleted_total += 1)?;
        }
        if hard {
            return self.remove_message(old);
        }
        let new = MessageEntry {
            soft_deleted: true,
            deleted_on: Some(self.now),
            ..old.clone()
        };
        self.put_message(Some(old), new)
    }

    /// Gives a name an id.
    pub fn put_name(&mut self, id: u16, name: PropertyName) {
        self.ops
            .push(Op::PutName(id, Box::new(NameRecord::from(&name))));
        self.names.push((id, name));
    }

    /// Gives a replica GUID a REPLID.
    pub fn put_replid(&mut self, id: u16, guid: Guid) {
        self.ops.push(Op::PutReplid(id, guid));
        self.replids.push((id, guid));
    }

    /// Gives a message class a receive folder.
    pub fn put_receive_folder(&mut self, folder: ReceiveFolder) {
        self.ops.push(Op::PutReceiveFolder(Box::new(ReceiveRecord {
            message_class: folder.message_class.clone(),
            folder: folder.folder,
            modified: folder.modified,
        })));
        self.receive
            .push((folder.message_class.clone(), Some(folder)));
    }

    /// Takes its receive folder from a message class.
    pub fn remove_receive_folder(&mut self, class: String) {
        self.ops.push(Op::RemoveReceiveFolder(class.clone()));
        self.receive.push((class, None));
    }

    /// Replaces the properties of the mailbox itself.
    pub fn put_props(&mut self, bag: Bag) -> Result<(), StoreError> {
        let (bag, at) = self.add_bag(bag)?;
        self.ops.push(Op::PutMailbox(Box::new(MailboxMeta {
            guid: self.mailbox.guid,
            repl_guid: self.mailbox.repl_guid,
            props: at,
        })));
        self.props = Some((bag, at));
        Ok(())
    }

    /// Adds a bag to the frame, large values apart.
    pub fn add_bag(&mut self, mut bag: Bag) -> Result<(Arc<Bag>, Location), StoreError> {
        self.spill(&mut bag, &mut Spilled::default())?;
        let archive = rkyv::to_bytes::<rancor::Error>(&bag).map_err(|_| StoreError::TooLarge)?;
        let at = self.add_record(RecordKind::Bag, &archive)?;
        Ok((Arc::new(bag), at))
    }

    /// Adds a record to the frame, within its bounds.
    pub fn add_record(&mut self, kind: RecordKind, archive: &[u8]) -> Result<Location, StoreError> {
        if archive.len() > MAX_ARCHIVE || self.frame.len() + archive.len() > MAX_PAYLOAD {
            return Err(StoreError::TooLarge);
        }
        Ok(self.frame.add(kind, archive))
    }

    /// Moves a bag's large values into the frame; see [`Spill::bag`].
    pub fn spill(&mut self, bag: &mut Bag, found: &mut Spilled) -> Result<(), StoreError> {
        let core = &self.mailbox.core;
        self.spill.bag(core, &mut self.frame, bag, found)
    }

    /// Writes the commit, waits until it counts as done, shows it to readers; returns its place.
    pub fn commit(mut self) -> Result<Position, StoreError> {
        self.check_versions()?;
        let (mut ops, refs) = std::mem::take(&mut self.spill).finish();
        ops.append(&mut self.ops);
        for (id, folder) in &self.folders {
            if self.cleared.contains(id) && folder.is_some() {
                // It goes with its messages and comes back without them.
                ops.push(Op::RemoveFolder(*id));
            }
            ops.push(match folder {
                Some(folder) => Op::PutFolder(Box::new(folder.meta.clone())),
                None => Op::RemoveFolder(*id),
            });
        }
        for ((folder, id), entry) in &self.messages {
            let (folder, id) = (*folder, *id);
            ops.push(match entry {
                Some(entry) => Op::PutMessage(Box::new(entry.clone())),
                None => Op::RemoveMessage { folder, id },
            });
        }
        let batch = Batch {
            mailbox: Some(self.mailbox.guid),
            counter: self.counter,
            ops,
        };
        let frame = std::mem::replace(&mut self.frame, self.mailbox.core.frame());
        let placed = &self.mailbox.placed;
        let committed = self.mailbox.core.commit_with(frame, batch, refs, |at| {
            placed.store(at.lsn, Ordering::Release);
        });
        let at = committed.inspect_err(|_| placed.store(0, Ordering::Release))?;
        self.writer.counter = self.counter;
        self.show(at);
        Ok(at)
    }

    /// The index could not take a history of changes by very many replicas.
    fn check_versions(&self) -> Result<(), StoreError> {
        let folders = self.folders.values().flatten();
        for folder in folders.filter(|folder| folder.meta.versions.is_some()) {
            value::encode(&folder.meta).map_err(|_| StoreError::TooLarge)?;
        }
        let entries = self.messages.values().flatten();
        for entry in entries.filter(|entry| entry.versions.is_some()) {
            value::encode(entry).map_err(|_| StoreError::TooLarge)?;
        }
        Ok(())
    }

    fn show(self, at: Position) {
        // Freed when nobody has to wait for the state any more.
        let mut gone = Vec::new();
        let mut state = self.mailbox.state.write();
        state.shown = at.lsn;
        self.mailbox.placed.store(0, Ordering::Release);
        for (id, folder) in self.folders {
            match folder {
                Some(mut folder) => {
                    folder.meta.props = folder.meta.props.resolve(at);
                    state.put_folder(folder);
                }
                None => gone.extend(state.remove_folder(id)),
            }
        }
        for id in self.cleared {
            gone.extend(state.clear_messages(id));
        }
        for ((folder, id), entry) in self.messages {
            let entry = entry.map(|mut entry| {
                entry.content = entry.content.resolve(at);
                entry
            });
            state.put_message(folder, id, entry);
        }
        for (id, name) in self.names {
            state.put_name(id, name);
        }
        state.replids.extend(self.replids);
        for (class, folder) in self.receive {
            match folder {
                Some(folder) => state.receive.insert(class, folder),
                None => state.receive.remove(&class),
            };
        }
        if let Some((props, location)) = self.props {
            state.props = props;
            state.props_at = location.resolve(at);
        }
        drop(state);
        drop(gone);
    }
}
