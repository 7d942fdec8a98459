//! What can go wrong, as users see it.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{OpenError, StoreError};

/// Why a store was not looked after as asked. Each sentence is shown to users as it is.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store's own answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused something.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
    /// There is no store in the directory.
    #[error("there is no store in {}", dir.display())]
    NoStore {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory has the backups of another store.
    #[error("{} holds the backups of another store: give each store a directory of its own", dir.display())]
    AnotherStore {
        /// The backup directory.
        dir: PathBuf,
    },
    /// Another process backs up into the directory, or restores from it.
    #[error("{} is in use by another backup or restore: wait until that one is done", dir.display())]
    BackupInUse {
        /// The backup directory.
        dir: PathBuf,
    },
    /// The directory is the store's own.
    #[error("{} is in the store's own directory: a backup belongs elsewhere, best on another disk", dir.display())]
    InsideStore {
        /// The backup directory.
        dir: PathBuf,
    },
    /// The directory has a store in it.
    #[error("{} holds a store: a backup belongs elsewhere, best on another disk", dir.display())]
    HoldsStore {
        /// The backup directory.
        dir: PathBuf,
    },
    /// There is no backup in the directory.
    #[error("there is no backup in {}", dir.display())]
    NoBackup {
        /// The backup directory.
        dir: PathBuf,
    },
    /// A file of a backup is damaged, missing, or of a later version of this program.
    #[error("the backup's file {} cannot be used: {reason}", path.display())]
    BadBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The directory to restore to has something in it.
    #[error("{} is not empty: a store is restored into an empty directory only", dir.display())]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// No backup reaches the wished moment.
    #[error("no backup reaches {wished}; {have}")]
    OutOfReach {
        /// The moment.
        wished: String,
        /// What can be had instead.
        have: String,
    },
}

impl UpkeepError {
    /// Names the file or directory that the operating system refused.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::PermissionDenied => OpenError::Denied { path }.into(),
            _ => Self::Io { path, source },
        }
    }
}
