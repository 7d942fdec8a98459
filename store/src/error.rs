//! What can go wrong, as callers and users see it.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ropewalk_props::GlobCnt;

use crate::disk::is_full;

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
    /// The index has seen more of the log than there is.
    #[error("the log in {} ends early: it should reach frame {known} in segment {segment}, so files of it are missing, cut short or from an older copy; copy them again or restore a backup, or, if they are gone for good, run 'ropewalk store rebuild' to go on without them", dir.display())]
    LogEndsEarly {
        /// The store's directory.
        dir: PathBuf,
        /// The segment in which the log must not end before this frame.
        segment: u32,
        /// The last frame that the index has seen.
        known: u64,
    },
    /// There is an index, and no log.
    #[error("the store in {} has its index but not its log, which holds the mail: copy its 'log' directory too, or restore a backup", dir.display())]
    LogMissing {
        /// The store's directory.
        dir: PathBuf,
    },
    /// A directory without a store has something else in it.
    #[error("{} is not the directory of a store, as it holds other files ({found}): choose an empty or a new one", dir.display())]
    NotAStore {
        /// The directory.
        dir: PathBuf,
        /// One of the files.
        found: String,
    },
    /// A file is where a directory should be.
    #[error("{} is not a directory: choose another place for the store", dir.display())]
    NotADirectory {
        /// What is not one.
        dir: PathBuf,
    },
    /// A symbolic link that leads nowhere.
    #[error("{} is a link to a directory that is not there: mount or make it, or choose another place for the store", dir.display())]
    DanglingLink {
        /// The link.
        dir: PathBuf,
    },
    /// The directory is another machine's.
    #[error("the store in {} would be on a network file system ({kind}), where locks and fsync cannot be relied on: choose a directory on a disk of this machine, or set allow_network = true if that server keeps both promises", dir.display())]
    Network {
        /// The store's directory.
        dir: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// A file of the store is another user's.
    #[error("{} belongs to user {owner} and this is user {user}: run as the user whose store it is, or give the whole directory to this one with chown", path.display())]
    OtherUser {
        /// The file.
        path: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// This process's user.
        user: u32,
    },
    /// A file or directory may not be read or written.
    #[error("{} may not be read and written by this user: run as the user whose store it is, or change the permissions", path.display())]
    Denied {
        /// The file or directory.
        path: PathBuf,
    },
    /// The file system is mounted read-only.
    #[error("{} is on a read-only file system: mount it for writing, or choose another place for the store", dir.display())]
    ReadOnlyDisk {
        /// What cannot be written.
        dir: PathBuf,
    },
    /// There is no space left.
    #[error("the disk of {} is full: make room on it and start again; nothing is lost", dir.display())]
    DiskFull {
        /// The store's directory.
        dir: PathBuf,
    },
    /// The store is encrypted and no key was given.
    #[error(
        "the store in {} is encrypted: give its key with key_file under [store], or in ROPEWALK_STORE_KEY",
        dir.display()
    )]
    KeyNeeded {
        /// The store's directory.
        dir: PathBuf,
    },
    /// The store is encrypted with another key.
    #[error(
        "the key that was given does not open the store in {}: give the one that it was encrypted with",
        dir.display()
    )]
    WrongKey {
        /// The store's directory.
        dir: PathBuf,
    },
    /// A key is to be changed and there is none.
    #[error(
        "the store in {} is not encrypted, so its key cannot be changed: start Ropewalk once with a key to encrypt it",
        dir.display()
    )]
    NotEncrypted {
        /// The store's directory.
        dir: PathBuf,
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

impl OpenError {
    /// What an answer of the operating system about `path` means.
    pub(crate) fn of_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnlyDisk { dir: path },
            io::ErrorKind::NotADirectory => Self::NotADirectory { dir: path },
            _ if is_full(&source) => Self::DiskFull { dir: path },
            _ => Self::Io { dir: path, source },
        }
    }
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
    /// A folder would be in itself.
    #[error("a folder cannot be put into itself or below itself")]
    FolderCycle,
    /// A user with this e-mail address, legacy DN or mailbox GUID exists.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The mailbox would get larger than it may.
    #[error("the mailbox is full")]
    QuotaExceeded,
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
