//! What is in a store, in numbers.

use std::path::Path;

use ropewalk_props::{FileTime, Guid};

use super::UpkeepError;
use crate::Store;

/// Files of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileStats {
    /// How many.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// What the mailboxes hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The last commit that these numbers reflect.
    pub lsn: u64,
    /// Users, each with one mailbox.
    pub users: u64,
    /// Folders, soft-deleted ones included.
    pub folders: u64,
    /// Normal and folder-associated messages.
    pub messages: u64,
    /// Soft-deleted messages.
    pub deleted_messages: u64,
    /// Bytes of the normal and folder-associated messages, as their owners see it: a value that is stored
    /// once for many counts for each.
    pub message_bytes: u64,
    /// Large values, each stored once.
    pub blobs: u64,
    /// Bytes of the large values.
    pub blob_bytes: u64,
}

/// What is in a store, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStats {
    /// The store's own GUID.
    pub store: Guid,
    /// The newest format version among the log's files.
    pub format: u16,
    /// The last frame of the log.
    pub last_lsn: u64,
    /// When it was written; zero if that is not known.
    pub last_time: FileTime,
    /// Segments of the log, compacted ones not included.
    pub segments: FileStats,
    /// What compaction made of segments.
    pub packs: FileStats,
    /// Checkpoints.
    pub checkpoints: FileStats,
    /// What starts moved away from an unfinished end of the log. May be deleted.
    pub cut: FileStats,
    /// The index.
    pub index: FileStats,
    /// Everything in the store's directory.
    pub total: FileStats,
    /// Bytes of the log that were in use at the last compaction, and the last commit before that.
    pub live: Option<(u64, u64)>,
    /// Whether new records are encrypted.
    pub encrypted: bool,
    /// What the mailboxes hold; `None` if the index cannot tell.
    pub counts: Option<Counts>,
}

impl Store {
    /// What is in the store, in numbers. Looks at each folder, not at messages.
    pub fn stats(&self) -> Result<StoreStats, UpkeepError> {
        Err(UpkeepError::NoStore {
            dir: Default::default(),
        })
    }
}

/// What is in a store that is closed, in numbers. Changes nothing in `dir`; the index is copied to the
/// directory for temporary files to be read.
pub fn stats(dir: &Path) -> Result<StoreStats, UpkeepError> {
    Err(UpkeepError::NoStore {
        dir: dir.to_owned(),
    })
}
