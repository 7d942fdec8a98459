//! What was soft-deleted long ago goes for good.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

use ropewalk_props::{BagView, FileTime, GlobCnt, tags};

use super::{
    Mailbox,
    txn::Txn,
    types::{Expired, FolderCounts, MessageEntry},
};
use crate::{
    StoreError,
    index::{Kv, keys, scan, value},
    records::FolderMeta,
    sync::Mutex,
};

/// Messages that go in one commit.
const MESSAGES_AT_ONCE: usize = 2_000;
/// Folders that go in one commit.
const FOLDERS_AT_ONCE: usize = 500;

/// When something in a folder may be due, so that those where nothing is are not read every time.
#[derive(Default)]
pub struct Due(Mutex<HashMap<GlobCnt, FolderDue>>);

#[derive(Clone, Copy)]
struct FolderDue {
    /// No message was soft-deleted before.
    earliest: FileTime,
    /// Those of which nobody noted when they were soft-deleted were so by then.
    unknown: FileTime,
}

/// Whether a mailbox that is not loaded has anything soft-deleted: going by its folders as the index
/// has them. A soft-deleted folder is not among the subfolders that its parent counts.
pub fn has_soft_deleted(kv: &dyn Kv, prefix: &[u8]) -> Result<bool, StoreError> {
    let mut has_messages = false;
    let (mut counted, mut seen) = (0_u64, 0_u64);
    scan(kv, prefix, &mut |_, bytes| {
        let meta = value::decode::<FolderMeta>(bytes)?;
        has_messages |= has_any(meta.counts);
        counted += u64::from(meta.counts.child_folders);
        seen += u64::from(meta.parent != meta.id);
        Ok(())
    })?;
    Ok(has_messages || seen > counted)
}

fn has_any(counts: FolderCounts) -> bool {
    counts.deleted > 0 || counts.deleted_associated > 0
}

impl Mailbox {
    /// Deletes for good what was soft-deleted before a moment.
    pub(crate) fn expire(&self, before: FileTime) -> Result<Expired, StoreError> {
        let mut expired = Expired::default();
        self.expire_folders(before, &mut expired)?;
        let folders: Vec<(GlobCnt, FileTime)> = {
            let state = self.state.read();
            let all = state.folders.values().map(|folder| &folder.meta);
            let with_any = all.filter(|meta| has_any(meta.counts));
            with_any
                .map(|meta| (meta.id, meta.local_commit_time_max))
                .collect()
        };
        for (folder, changed) in folders {
            self.expire_messages(folder, changed, before, &mut expired)?;
        }
        Ok(expired)
    }

    fn expire_folders(&self, before: FileTime, expired: &mut Expired) -> Result<(), StoreError> {
        loop {
            let mut txn = Txn::begin(self)?;
            let mut due = self.due_folders(before);
            // Those below others first. Their parents may go in a later commit.
            due.sort_unstable_by_key(|(id, depth)| (Reverse(*depth), *id));
            due.truncate(FOLDERS_AT_ONCE);
            if due.is_empty() {
                return Ok(());
            }
            for (id, _) in &due {
                let folder = txn.any_folder(*id)?;
                let counts = folder.meta.counts;
                expired.folders += 1;
                expired.messages +=
                    u64::from(counts.deleted) + u64::from(counts.deleted_associated);
                txn.delete_tree(folder.meta.parent, *id, true)?;
            }
            txn.commit()?;
        }
    }

    /// The soft-deleted folders that are due, and how deep they lie.
    fn due_folders(&self, before: FileTime) -> Vec<(GlobCnt, usize)> {
        let state = self.state.read();
        let deleted = state.folders.values().filter(|folder| folder.deleted);
        let due = deleted.filter(|folder| {
            let when = folder.props.get(tags::PID_TAG_DELETED_ON);
            let when = when.and_then(|when| when.as_time());
            when.unwrap_or(folder.meta.local_commit_time) <= before
        });
        let depth = |id| {
            let (mut at, mut depth) = (id, 0);
            while let Some(folder) = state.folders.get(&at) {
                if folder.meta.parent == at || depth > state.folders.len() {
                    break;
                }
                (at, depth) = (folder.meta.parent, depth + 1);
            }
            depth
        };
        due.map(|folder| (folder.meta.id, depth(folder.meta.id)))
            .collect()
    }

    fn expire_messages(
        &self,
        folder: GlobCnt,
        changed: FileTime,
        before: FileTime,
        expired: &mut Expired,
    ) -> Result<(), StoreError> {
        let known = self.due.0.lock().get(&folder).copied();
        if known.is_some_and(|known| known.earliest > before) {
            return Ok(());
        }
        // What is soft-deleted without a time now was so when this was first looked at.
        let unknown = known.map_or(changed, |known| known.unknown.min(changed));
        let when = |entry: &MessageEntry| entry.deleted_on.unwrap_or(unknown);
        let mut due = Vec::new();
        // Whatever is soft-deleted from now on is not before this.
        let mut earliest = self.core.now();
        self.each_entry(folder, &mut |entry| {
            if entry.soft_deleted && when(entry) <= before {
                due.push(entry.id);
            } else if entry.soft_deleted {
                earliest = earliest.min(when(entry));
            }
        })?;
        for ids in due.chunks(MESSAGES_AT_ONCE) {
            let mut txn = Txn::begin(self)?;
            if txn.any_folder(folder).is_err() {
                return Ok(());
            }
            for id in ids {
                let entry = self.entry_as_it_is(folder, *id)?;
                let still = entry.filter(|entry| entry.soft_deleted && when(entry) <= before);
                if let Some(entry) = still {
                    txn.remove_message(&entry)?;
                    expired.messages += 1;
                }
            }
            txn.commit()?;
        }
        let due = FolderDue { earliest, unknown };
        self.due.0.lock().insert(folder, due);
        Ok(())
    }

    /// Looks at all messages of a folder, without bringing them into memory if they are not there.
    fn each_entry(
        &self,
        folder: GlobCnt,
        look: &mut dyn FnMut(&MessageEntry),
    ) -> Result<(), StoreError> {
        let shown = {
            let state = self.state.read();
            if let Some(contents) = state.contents.get(&folder) {
                let views = contents.all();
                drop(state);
                views.iter().flat_map(|view| view.iter()).for_each(look);
                return Ok(());
            }
            state.shown
        };
        self.core.index.wait_applied(shown)?;
        let kv = self.core.index.kv()?;
        scan(&*kv, &keys::messages(self.guid, folder), &mut |_, bytes| {
            look(&value::decode(bytes)?);
            Ok(())
        })?;
        Ok(())
    }

    /// A message, without bringing those of its folder into memory. Only for a writer: nothing else
    /// is being committed.
    fn entry_as_it_is(
        &self,
        folder: GlobCnt,
        id: GlobCnt,
    ) -> Result<Option<MessageEntry>, StoreError> {
        let shown = {
            let state = self.state.read();
            if let Some(contents) = state.contents.get(&folder) {
                return Ok(contents.get(id).cloned());
            }
            state.shown
        };
        self.core.index.wait_applied(shown)?;
        let found = self
            .core
            .index
            .kv()?
            .get(&keys::message(self.guid, folder, id))?;
        Ok(found.map(|bytes| value::decode(&bytes)).transpose()?)
    }

    /// Whether it has anything soft-deleted.
    pub(crate) fn has_soft_deleted(&self) -> bool {
        let state = self.state.read();
        let mut folders = state.folders.values();
        folders.any(|folder| folder.deleted || has_any(folder.meta.counts))
    }

    /// Makes a message as an earlier version had soft-deleted it, for tests.
    #[cfg(test)]
    pub(crate) fn forget_when_deleted(&self, folder: GlobCnt, id: GlobCnt) {
        let mut txn = Txn::begin(self).unwrap();
        let old = txn.entry(folder, id).unwrap().unwrap();
        let new = MessageEntry {
            deleted_on: None,
            ..old.clone()
        };
        txn.put_message(Some(&old), new).unwrap();
        txn.commit().unwrap();
    }

    /// Forgets what it knows of folders that are gone.
    pub(crate) fn forget_gone(&self) {
        let there: HashSet<GlobCnt> = self.state.read().folders.keys().copied().collect();
        self.due.0.lock().retain(|id, _| there.contains(id));
    }
}
