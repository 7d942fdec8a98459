//! One mailbox: folders, messages, identifiers and names.

mod deletion;
mod derived;
mod expiry;
mod folders;
mod ids;
mod load;
mod messages;
mod named;
mod quota;
mod relocate;
mod rest;
mod state;
mod stepwise;
mod survey;
mod transfer;
mod txn;
mod types;

use std::sync::Arc;

use ropewalk_props::{BlobRef, GlobCnt, Guid};

pub use expiry::has_soft_deleted;
pub use quota::{Quota, STORAGE_QUOTA_LIMIT};
pub use state::folded_name;
pub use stepwise::{FolderCopy, FolderEmptying};
pub use survey::{Survey, Surveyed};
pub use transfer::MessagePlace;
pub use types::{
    Contents, ContentsChange, ContentsView, DeleteFolder, EmptyFolder, Expired, Folder,
    FolderCounts, FolderEdit, FolderKind, MessageEntry, Missing, NewFolder, ReadOutcome,
    ReceiveFolder, SaveMessage, Transfer,
};

use crate::{
    BlobReader, StoreError,
    core::Core,
    sync::{
        Mutex, RwLock, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
        thread,
    },
};
use state::{FolderContents, Missed, State};

/// One user's mailbox. Reads work on snapshots; writes come one at a time, each one commit.
pub struct Mailbox {
    core: Arc<Core>,
    guid: Guid,
    repl_guid: Guid,
    owner: String,
    state: RwLock<State>,
    /// Held by a writer from its first look until its commit is durable and shown.
    writer: Mutex<Writer>,
    /// The commit that is in the log but not shown yet; 0 without one.
    placed: AtomicU64,
    /// Held while a folder's contents are read from the index. Taken after `writer`, before `state`.
    loader: Mutex<()>,
    due: expiry::Due,
    derived: derived::Derived,
}

/// What only the mailbox's writer needs.
struct Writer {
    /// The next counter value.
    counter: u64,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mailbox({})", self.guid)
    }
}

impl Mailbox {
    /// The mailbox's GUID.
    pub fn guid(&self) -> Guid {
        self.guid
    }

    /// The GUID of the mailbox's own replica, REPLID 1.
    pub fn repl_guid(&self) -> Guid {
        self.repl_guid
    }

    /// The e-mail address of the user whose mailbox this is.
    pub fn owner_email(&self) -> String {
        self.owner.clone()
    }

    /// Reads a large value of one of its messages. [`StoreError::NotFound`] if there is none with this
    /// number.
    pub fn blob_reader(&self, blob: BlobRef) -> Result<BlobReader, StoreError> {
        BlobReader::open(self.core.clone(), blob)
    }

    /// The next counter value, for tests.
    #[cfg(test)]
    pub(crate) fn counter(&self) -> u64 {
        self.writer.lock().counter
    }

    /// Keeps writers out, for tests.
    #[cfg(test)]
    pub(crate) fn busy(&self, during: impl FnOnce()) {
        let _writer = self.writer.lock();
        during();
    }

    /// Does `remove` while nobody writes; no one does afterwards, if it succeeds.
    pub(crate) fn retire(
        &self,
        remove: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let _writer = self.writer.lock();
        remove()?;
        self.state.write().removed = true;
        Ok(())
    }

    fn with_contents<T>(
        &self,
        folder: GlobCnt,
        read: impl Fn(&FolderContents) -> T,
    ) -> Result<T, StoreError> {
        // They may be dropped again before they are looked at, if nobody used them for a while by
        // then, which cannot go on for ever.
        loop {
            {
                let state = self.state.read();
                if state.removed || !state.folders.contains_key(&folder) {
                    return Err(StoreError::NotFound);
                }
                if let Some(contents) = state.contents.get(&folder) {
                    contents.note_use(self.core.noted_time());
                    return Ok(read(contents));
                }
            }
            self.ensure_contents(folder)?;
        }
    }

    /// Brings a folder's contents into memory, from the index. It waits for the index to catch up
    /// with what is shown, not for a commit that is being made: what is shown meanwhile is gathered
    /// and put on top of what was read.
    fn ensure_contents(&self, folder: GlobCnt) -> Result<(), StoreError> {
        let _one_at_a_time = self.loader.lock();
        let (shown, count) = {
            let mut state = self.state.write();
            if let Some(contents) = state.contents.get(&folder) {
                contents.note_use(self.core.noted_time());
                return Ok(());
            }
            let Some(known) = state.folders.get(&folder) else {
                return Ok(());
            };
            let count = known.meta.counts.all();
            state.loading.insert(folder, Missed::default());
            (state.shown, count)
        };
        let read = self
            .core
            .index
            .wait_applied(shown)
            .and_then(|()| self.core.index.kv())
            .and_then(|kv| Ok(load::contents(&*kv, self.guid, folder, count)?));
        if let Err(StoreError::Index(why)) = &read {
            self.core.index.distrust(why);
        }
        let mut state = self.state.write();
        let read = read.inspect_err(|_| {
            state.loading.remove(&folder);
        });
        let mut contents = read?;
        while self.is_half_read() {
            // The commit is on disk; its writer shows it as soon as it gets the lock.
            RwLockWriteGuard::unlocked_fair(&mut state, thread::yield_now);
        }
        let missed = state.loading.remove(&folder).unwrap_or_default();
        if missed.cleared {
            contents.take();
        }
        for (id, entry) in missed.changes {
            contents.change(id, entry);
        }
        if let Some(known) = state.folders.get(&folder) {
            if contents.counts(known.meta.counts) != known.meta.counts {
                self.core
                    .index
                    .distrust("a folder does not have as many messages as it should");
            }
            contents.note_use(self.core.noted_time());
            state.contents.insert(folder, contents);
        }
        Ok(())
    }

    /// Whether the index may have begun to take up a commit that is not shown yet. The caller holds
    /// the state's lock, so that none can be shown meanwhile.
    fn is_half_read(&self) -> bool {
        match self.placed.load(Ordering::Acquire) {
            0 => false,
            placed => self.core.index.visible() >= placed,
        }
    }
}
