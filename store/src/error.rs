//! What can go wrong, as callers and users see it.

use std::{io, path::PathBuf, sync::Arc};

use ropewalk_props::GlobCnt;

/// Why a store could not be opened. Each sentence is shown to users as it is.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the directory.
    #[error("the store in {} is in use by another process: stop that one first", dir.display())]
    InUse {
        /// The store's directory.
        dir: PathBuf,
    },
    /// A segment or frame was written by a later version of this program.
    #[error(
        "the store in {} was written by a newer Ropewalk (format {found}, this one knows up to {known}): start that newer version instead",
        dir.display()
    )]
    NewerFormat {
        /// The store's directory.
        dir: PathBuf,
        /// The format version found.
        found: u16,
        /// The newest format version that this program knows.
        known: u16,
    },
    /// The log's segments do not belong together.
    #[error("the log in {} is not whole: {reason}; restore the missing files or a backup", dir.display())]
    BadLog {
        /// The store's directory.
        dir: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// The index could not be opened, nor made anew.
    #[error("the index in {} can be neither opened nor rebuilt ({reason}): check the disk's free space and permissions", dir.display())]
    Index {
        /// The store's directory.
        dir: PathBuf,
        /// What the index engine said.
        reason: String,
    },
    /// A restore into the directory was interrupted.
    #[error("the store in {} is not restored whole: run the restore again, into the same directory", dir.display())]
    HalfRestored {
        /// The store's directory.
        dir: PathBuf,
    },
    /// The operating system refused something.
    #[error("the store in {} cannot be opened: {source}; check the directory and its permissions", dir.display())]
    Io {
        /// The store's directory.
        dir: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such user, mailbox, folder, message or blob (any more).
    #[error("not found")]
    NotFound,
    /// The message was changed since the caller read it.
    #[error("the message was changed by someone else")]
    Conflict,
    /// A sibling folder with this id has the same name.
    #[error("a folder with this name exists already: {0:?}")]
    DuplicateName(GlobCnt),
    /// A user with this e-mail address, legacy DN or mailbox GUID exists.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The object or value is larger than the store takes.
    #[error("too large")]
    TooLarge,
    /// Folders or messages are nested more deeply than the store takes.
    #[error("nested too deeply")]
    TooDeep,
    /// There are more of these than the store takes.
    #[error("too many")]
    TooMany,
    /// The request makes no sense, for instance a folder without a name.
    #[error("not valid: {0}")]
    Invalid(&'static str),
    /// All 65,535 REPLIDs of the mailbox are taken.
    #[error("no replica id is left in this mailbox")]
    ReplidsExhausted,
    /// All named property ids of the mailbox are taken.
    #[error("no named property id is left in this mailbox")]
    NamedPropertiesExhausted,
    /// Bytes on disk do not match their checksum.
    #[error("damaged data in log segment {segment} at offset {offset}")]
    Damaged {
        /// The log segment's number.
        segment: u32,
        /// Byte offset in the segment.
        offset: u64,
    },
    /// There is no space for it on the disk. Nothing was changed; the store goes on, and takes changes
    /// again once there is space.
    #[error("the disk is full: nothing was changed; make room on the disk, then try again")]
    DiskFull,
    /// A write or an fsync failed earlier; the store takes no more changes until it is opened anew.
    #[error("the store is read-only since a write failed: {cause}")]
    ReadOnly {
        /// The failure that made it so.
        cause: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The index failed; the log is not affected.
    #[error("the index failed: {0}")]
    Index(String),
    /// Reading failed.
    #[error("cannot read: {0}")]
    Io(Arc<io::Error>),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(Arc::new(error))
    }
}
