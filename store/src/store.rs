//! The store as a whole.

use std::{path::Path, sync::Arc};

use ropewalk_props::{BlobRef, Guid};

use crate::{BlobReader, BlobWriter, Mailbox, NewUser, OpenError, StoreError, StoreOptions, User};

/// A damaged stretch of the log that held acknowledged changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FencedFrame {
    /// The log segment's number.
    pub segment: u32,
    /// Byte offset in the segment.
    pub offset: u64,
    /// The first frame that is lost.
    pub lsn: u64,
    /// The number of frames that are lost.
    pub frames: u64,
}

/// What opening the store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Frames read from the log to catch the index up.
    pub frames_replayed: u64,
    /// Bytes at the log's end that were no whole acknowledged frame, moved to a side file.
    pub tail_bytes_cut: u64,
    /// Damaged stretches that were skipped.
    pub fenced: Vec<FencedFrame>,
    /// Whether the index was made anew from the whole log.
    pub index_rebuilt: bool,
}

/// A store: all users and mailboxes in one directory. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct Store {
    recovery: Arc<RecoveryReport>,
}

impl Store {
    /// Opens the store in `dir`, which is created if missing. One process at a time.
    pub fn open(dir: &Path, _options: StoreOptions) -> Result<Self, OpenError> {
        Err(OpenError::InUse { dir: dir.into() })
    }

    /// The store's own GUID, made when it was created.
    pub fn store_guid(&self) -> Guid {
        Guid::NIL
    }

    /// What opening the store found and did.
    pub fn recovery(&self) -> &RecoveryReport {
        &self.recovery
    }

    /// Writes everything out and stops; later writes fail with [`StoreError::Closed`].
    pub fn close(&self) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Adds a user with a mailbox, in one commit.
    pub fn add_user(&self, _new: NewUser) -> Result<Arc<User>, StoreError> {
        Err(StoreError::Closed)
    }

    /// Removes a user and the mailbox.
    pub fn remove_user(&self, _email: &str) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Replaces a user's password hash.
    pub fn set_password(&self, _email: &str, _password_hash: &str) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// All users, by ascending minimal id.
    pub fn users(&self) -> Vec<Arc<User>> {
        Vec::new()
    }

    /// The user with this e-mail address, without regard to case.
    pub fn user_by_email(&self, _email: &str) -> Option<Arc<User>> {
        None
    }

    /// The user with this distinguished name, without regard to case.
    pub fn user_by_legacy_dn(&self, _dn: &str) -> Option<Arc<User>> {
        None
    }

    /// The user whose mailbox this is.
    pub fn user_by_mailbox(&self, _guid: Guid) -> Option<Arc<User>> {
        None
    }

    /// A mailbox, loaded when first asked for.
    pub fn mailbox(&self, _guid: Guid) -> Result<Arc<Mailbox>, StoreError> {
        Err(StoreError::Closed)
    }

    /// Starts a new large value.
    pub fn blob_writer(&self) -> BlobWriter {
        BlobWriter { len: 0 }
    }

    /// Starts a large value that begins as a copy of another, whose bytes are shared.
    pub fn blob_editor(&self, _blob: BlobRef) -> Result<BlobWriter, StoreError> {
        Err(StoreError::Closed)
    }

    /// Reads a large value.
    pub fn blob_reader(&self, _blob: BlobRef) -> Result<BlobReader, StoreError> {
        Err(StoreError::Closed)
    }
}
