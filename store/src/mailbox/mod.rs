//! One mailbox: folders, messages, identifiers and names.

mod folders;
mod ids;
mod load;
mod messages;
mod named;
mod state;
mod transfer;
mod txn;
mod types;

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use ropewalk_props::{GlobCnt, Guid};

pub use state::folded_name;
pub use types::{
    Contents, ContentsChange, ContentsView, DeleteFolder, EmptyFolder, Folder, FolderCounts,
    FolderKind, MessageEntry, Missing, NewFolder, ReadOutcome, ReceiveFolder, SaveMessage,
    Transfer,
};

use crate::{StoreError, core::Core};
use state::{FolderContents, State};

/// One user's mailbox. Reads work on snapshots; writes come one at a time, each one commit.
pub struct Mailbox {
    core: Arc<Core>,
    guid: Guid,
    repl_guid: Guid,
    owner: String,
    state: RwLock<State>,
    /// Held by a writer from its first look until its commit is durable and shown.
    writer: Mutex<Writer>,
}

/// What only the mailbox's writer needs.
struct Writer {
    /// The next counter value.
    counter: u64,
    /// The mailbox's last commit.
    last_lsn: u64,
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
        {
            let state = self.state.read();
            if state.removed || !state.folders.contains_key(&folder) {
                return Err(StoreError::NotFound);
            }
            if let Some(contents) = state.contents.get(&folder) {
                return Ok(read(contents));
            }
        }
        // Only the first reader of a folder comes here, and waits for the writer.
        let writer = self.writer.lock();
        self.ensure_contents(folder, &writer)?;
        let state = self.state.read();
        let contents = state.contents.get(&folder).ok_or(StoreError::NotFound)?;
        Ok(read(contents))
    }

    /// Brings a folder's contents into memory. No commit can come in between: the caller holds the
    /// writer's lock.
    fn ensure_contents(&self, folder: GlobCnt, writer: &Writer) -> Result<(), StoreError> {
        {
            let state = self.state.read();
            if state.contents.contains_key(&folder) || !state.folders.contains_key(&folder) {
                return Ok(());
            }
        }
        self.core.index.wait_applied(writer.last_lsn)?;
        let kv = self.core.index.kv()?;
        let contents = load::contents(&*kv, self.guid, folder)?;
        self.state.write().contents.insert(folder, contents);
        Ok(())
    }
}
