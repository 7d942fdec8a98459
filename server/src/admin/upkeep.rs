//! What looking after the store tells, as scripts see it.

use ropewalk_props::FileTime;
use ropewalk_store::{
    Affected, BackupInfo, BackupReport, CompactReport, Damage, DamageKind, FileStats, IndexState,
    RestoreReport, StoreStats, VerifyReport,
};
use serde::{Deserialize, Serialize};

use crate::moment;

/// `ropewalk store stats`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsInfo {
    /// The store's own GUID.
    pub store: String,
    /// The newest format version among the log's files.
    pub format: u16,
    /// Whether new records are encrypted.
    pub encrypted: bool,
    /// The last commit.
    pub last_lsn: u64,
    /// When it was written, if that is known.
    pub last_time: Option<String>,
    /// Bytes of everything in the store's directory.
    pub disk_bytes: u64,
    /// Segments of the log as they were written.
    pub segments: Files,
    /// What compaction made of others.
    pub packs: Files,
    /// Checkpoints.
    pub checkpoints: Files,
    /// What was moved away from an unfinished end of the log.
    pub cut: Files,
    /// The index.
    pub index: Files,
    /// Bytes of the log that were in use at the last compaction, if there was one.
    pub live_bytes: Option<u64>,
    /// What the mailboxes hold, if the index can tell.
    pub mailboxes: Option<MailboxCounts>,
}

/// Files of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// How many.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

/// What the mailboxes hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxCounts {
    /// Users, each with one mailbox.
    pub users: u64,
    /// Folders.
    pub folders: u64,
    /// Messages that are not deleted.
    pub messages: u64,
    /// Deleted messages that can be recovered still.
    pub deleted_messages: u64,
    /// Bytes of the messages as their owners see them.
    pub message_bytes: u64,
    /// Large values, each stored once.
    pub large_values: u64,
    /// Bytes of the large values.
    pub large_value_bytes: u64,
}

/// `ropewalk store verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyInfo {
    /// Whether there is no damage.
    pub whole: bool,
    /// The store's own GUID.
    pub store: String,
    /// Bytes that were read.
    pub bytes: u64,
    /// Whole frames of the log.
    pub frames: u64,
    /// The last one: the state that was checked.
    pub last_lsn: u64,
    /// Messages that were read.
    pub messages: u64,
    /// Large values that were read.
    pub large_values: u64,
    /// Bytes at the log's end that were never acknowledged, which is no damage.
    pub torn_tail_bytes: u64,
    /// Whether the index fits the log: `good`, `missing`, `needs_rebuild` or `not_compared`.
    pub index: String,
    /// Why it does not, or was not compared.
    pub index_reason: Option<String>,
    /// How many places are damaged.
    pub damaged_places: u64,
    /// The first of them.
    pub damage: Vec<DamageInfo>,
}

/// A damaged place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamageInfo {
    /// What is wrong, in words.
    pub what: String,
    /// The file, in the store's directory.
    pub file: String,
    /// Byte offset in the file.
    pub offset: u64,
    /// The first commit that is concerned, if known.
    pub lsn: Option<u64>,
    /// What was there, as far as is known.
    pub affected: Vec<AffectedInfo>,
}

/// What damage is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AffectedInfo {
    /// The mailbox's owner, or the mailbox.
    pub mailbox: Option<String>,
    /// The folder's name, or its id.
    pub folder: Option<String>,
    /// The message's id.
    pub message: Option<String>,
    /// The message's subject.
    pub subject: Option<String>,
}

/// `ropewalk store compact`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactInfo {
    /// Bytes of the log before.
    pub bytes_before: u64,
    /// Bytes of the log after.
    pub bytes_after: u64,
    /// Bytes of the log that are in use.
    pub live_bytes: u64,
    /// Files that were replaced.
    pub files_replaced: u64,
    /// Files that took their place.
    pub packs_written: u64,
    /// Large values that nothing referred to any more.
    pub large_values_removed: u64,
    /// Segments that were left as they are, because something in them is damaged.
    pub damaged_segments: Vec<u32>,
}

/// A backup that can be restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupEntry {
    /// The file that lists what belongs to it.
    pub manifest: String,
    /// When it was made.
    pub time: String,
    /// The last commit that it has.
    pub lsn: u64,
    /// The first commit that can be restored from it.
    pub first_lsn: u64,
    /// The moment of that commit, if known.
    pub first_time: Option<String>,
    /// Its files.
    pub files: u64,
    /// Their bytes, shared ones included.
    pub bytes: u64,
    /// Places that were damaged in the store when it was made.
    pub damaged_places: u64,
}

/// `ropewalk store backup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupOutcome {
    /// The backup.
    #[serde(flatten)]
    pub backup: BackupEntry,
    /// Bytes that were written.
    pub bytes_copied: u64,
    /// Bytes that were there from an earlier backup.
    pub bytes_shared: u64,
    /// Damage in the store that was found on the way.
    pub damage: Vec<DamageInfo>,
}

/// `ropewalk store restore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreInfo {
    /// The store's own GUID.
    pub store: String,
    /// The last commit that was restored.
    pub lsn: u64,
    /// When that was made, if known.
    pub time: Option<String>,
    /// Files that were written.
    pub files: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Places that were damaged in the store already when the backup was made.
    pub damaged_places: u64,
}

fn known(time: FileTime) -> Option<String> {
    (time != FileTime::default()).then(|| moment::text(time))
}

impl From<FileStats> for Files {
    fn from(stats: FileStats) -> Self {
        Self {
            files: stats.files,
            bytes: stats.bytes,
        }
    }
}

impl From<&StoreStats> for StatsInfo {
    fn from(stats: &StoreStats) -> Self {
        Self {
            store: stats.store.to_string(),
            format: stats.format,
            encrypted: stats.encrypted,
            last_lsn: stats.last_lsn,
            last_time: known(stats.last_time),
            disk_bytes: stats.total.bytes,
            segments: stats.segments.into(),
            packs: stats.packs.into(),
            checkpoints: stats.checkpoints.into(),
            cut: stats.cut.into(),
            index: stats.index.into(),
            live_bytes: stats.live.map(|(bytes, _)| bytes),
            mailboxes: stats.counts.map(|counts| MailboxCounts {
                users: counts.users,
                folders: counts.folders,
                messages: counts.messages,
                deleted_messages: counts.deleted_messages,
                message_bytes: counts.message_bytes,
                large_values: counts.blobs,
                large_value_bytes: counts.blob_bytes,
            }),
        }
    }
}

impl From<&VerifyReport> for VerifyInfo {
    fn from(report: &VerifyReport) -> Self {
        let (index, index_reason) = match &report.index {
            IndexState::Good => ("good", None),
            IndexState::Missing => ("missing", None),
            IndexState::NeedsRebuild(why) => ("needs_rebuild", Some(why.clone())),
            IndexState::NotCompared(why) => ("not_compared", Some(why.clone())),
        };
        Self {
            whole: report.is_ok(),
            store: report.store.to_string(),
            bytes: report.bytes,
            frames: report.frames,
            last_lsn: report.last_lsn,
            messages: report.messages,
            large_values: report.blobs,
            torn_tail_bytes: report.torn_tail_bytes,
            index: index.to_owned(),
            index_reason,
            damaged_places: report.damage_total,
            damage: report.damage.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Damage> for DamageInfo {
    fn from(damage: &Damage) -> Self {
        let what = match &damage.kind {
            DamageKind::Header => "the file's header is damaged".to_owned(),
            DamageKind::Frames(1) => "a commit is lost".to_owned(),
            DamageKind::Frames(count) => format!("{count} commits are lost"),
            DamageKind::Record => "a record is damaged".to_owned(),
            DamageKind::PackDirectory => {
                "the directory of the file's records is damaged".to_owned()
            }
            DamageKind::MissingFile => "the file is missing".to_owned(),
            DamageKind::Message => "a message cannot be read".to_owned(),
            DamageKind::Properties => {
                "the properties of a folder or mailbox cannot be read".to_owned()
            }
            DamageKind::LargeValue => "a large value cannot be read".to_owned(),
            DamageKind::Hierarchy(what) => what.clone(),
        };
        Self {
            what,
            file: damage.file.clone(),
            offset: damage.offset,
            lsn: damage.lsn,
            affected: damage.affected.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Affected> for AffectedInfo {
    fn from(affected: &Affected) -> Self {
        let mailbox = affected.mailbox.map(|guid| guid.to_string());
        let folder = affected.folder.map(|id| format!("{:X}", id.0));
        Self {
            mailbox: affected.owner.clone().or(mailbox),
            folder: affected.folder_name.clone().or(folder),
            message: affected.message.map(|id| format!("{:X}", id.0)),
            subject: affected.subject.clone(),
        }
    }
}

impl From<&BackupInfo> for BackupEntry {
    fn from(backup: &BackupInfo) -> Self {
        Self {
            manifest: backup.manifest.display().to_string(),
            time: moment::text(backup.time),
            lsn: backup.lsn,
            first_lsn: backup.min_lsn,
            first_time: backup.min_time.map(moment::text),
            files: backup.files,
            bytes: backup.bytes,
            damaged_places: backup.damaged,
        }
    }
}

impl From<&BackupReport> for BackupOutcome {
    fn from(report: &BackupReport) -> Self {
        Self {
            backup: (&report.backup).into(),
            bytes_copied: report.bytes_copied,
            bytes_shared: report.bytes_shared,
            damage: report.damage.iter().map(Into::into).collect(),
        }
    }
}

impl From<CompactReport> for CompactInfo {
    fn from(report: CompactReport) -> Self {
        Self {
            bytes_before: report.bytes_before,
            bytes_after: report.bytes_after,
            live_bytes: report.live_bytes,
            files_replaced: report.files_replaced,
            packs_written: report.packs_written,
            large_values_removed: report.blobs_removed,
            damaged_segments: report.damaged,
        }
    }
}

impl From<&RestoreReport> for RestoreInfo {
    fn from(report: &RestoreReport) -> Self {
        Self {
            store: report.store.to_string(),
            lsn: report.lsn,
            time: known(report.time),
            files: report.files,
            bytes: report.bytes,
            damaged_places: report.damaged,
        }
    }
}
