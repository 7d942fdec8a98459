//! Whether a store is whole.

use std::{path::Path, sync::Arc};

use ropewalk_props::{Bag, BagView as _, GlobCnt, Guid, tags};

use super::{
    OnProgress, UpkeepError,
    against::IndexCopy,
    backup::sources,
    closed::Closed,
    copy::Source,
    files::FileKind,
    findings::Findings,
    frames::Reading,
    reach::{Reach, mailboxes, of_entry, owners},
};
use crate::{
    MessageEntry, Store, StoreError, StoreOptions,
    core::Core,
    crypto::Keyring,
    disk::{Disk, OsDisk},
    index::{
        Applier, Kv,
        keys::{self, Part},
        memory::MemoryKv,
        scan, value,
    },
    log::{
        Log,
        frame::{Position, RECORD_HEADER, RecordKind},
    },
    records::FolderMeta,
};

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
    /// The file, by its name in the store's directory; empty if it is in none.
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
    /// [`verify`]. Compaction waits. Takes about as much memory as the index is large. The index itself is
    /// not compared, since it goes on.
    pub fn verify(&self, progress: &mut OnProgress<'_>) -> Result<VerifyReport, UpkeepError> {
        verify_running(self.core(), progress)
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
    verify_on(Arc::new(OsDisk), dir, options, progress)
}

fn verify_running(core: &Core, progress: &mut OnProgress<'_>) -> Result<VerifyReport, UpkeepError> {
    let _files_stay = core.files.read_recursive();
    let mut end = core.log.end();
    if core.log.sync(end.lsn).is_err() {
        end.lsn = core.log.durable();
    }
    let sources = sources(core, end)?;
    let mut findings = Findings::new(&sources, progress);
    let mut index = FromLog::new(None);
    let keys = &core.log.segments().keys;
    read_log(&sources, keys, true, &mut findings, &mut index)?;
    let live = core.index.kv()?;
    tell_lost(&core.log, &*live, &mut findings)?;
    let (kv, recount) = index.finish(&findings)?;
    tell_lost(&core.log, &*kv, &mut findings)?;
    Reach::new(&core.log, &*kv, &mut findings, recount).check()?;
    findings.report.index = IndexState::NotCompared("the store is running".into());
    Ok(findings.finish())
}

/// Checks a closed store on a disk.
pub fn verify_on(
    disk: Arc<dyn Disk>,
    dir: &Path,
    options: &StoreOptions,
    progress: &mut OnProgress<'_>,
) -> Result<VerifyReport, UpkeepError> {
    let closed = Closed::open(disk, dir, options)?;
    let sources = closed.sources()?;
    let mut copy = IndexCopy::open(dir, closed.store, closed.keys.current().cloned());
    let mut findings = Findings::new(&sources, progress);
    let mut index = FromLog::new(copy.kv.clone().zip(copy.applied));
    let end = read_log(&sources, &closed.keys, false, &mut findings, &mut index)?;
    if let Some(applied) = copy.applied
        && applied.lsn >= end.lsn
        && let Some(last) = sources
            .iter()
            .rfind(|source| source.name.first == end.segment)
    {
        // Only what counted as done is ever in the index.
        let lost = DamageKind::Frames(applied.lsn + 1 - end.lsn);
        findings.damage(last.damage(lost, u64::from(end.offset), Some(end.lsn)));
    }
    let log = closed.log(&sources, end)?;
    if let Some(kv) = &copy.kv
        && let Err(error) = tell_lost(&log, &**kv, &mut findings)
    {
        tracing::debug!(%error, "the index does not tell what was lost");
    }
    let damaged = findings.report.damage_total > 0;
    let (kv, recount) = index.finish(&findings)?;
    tell_lost(&log, &*kv, &mut findings)?;
    Reach::new(&log, &*kv, &mut findings, recount).check()?;
    findings.report.index = match damaged {
        true => IndexState::NotCompared("the log is damaged".into()),
        false => copy.compare(&*kv),
    };
    Ok(findings.finish())
}

/// Reads all files of a log in order, and gives the changes to an index. Returns the position behind
/// the last frame.
fn read_log(
    sources: &[Source],
    keys: &Keyring,
    acknowledged: bool,
    findings: &mut Findings<'_, '_>,
    index: &mut FromLog,
) -> Result<Position, UpkeepError> {
    let mut reading = Reading {
        sources,
        keys,
        acknowledged,
        done: 0,
    };
    reading.files(findings);
    reading.packs(findings)?;
    let checkpoint = sources
        .iter()
        .find(|source| source.name.kind == FileKind::Checkpoint);
    if let Some(checkpoint) = checkpoint {
        let header = checkpoint
            .header()
            .map_err(UpkeepError::io("log".as_ref()))?;
        reading.checkpoint(checkpoint, findings, &mut |at, batch| {
            index.checkpoint(at, &batch)
        })?;
        reading.done = header.map_or(0, |header| header.base_lsn);
    }
    let end = reading.segments_in_order(findings, &mut |at, batch| index.take(at, &batch))?;
    findings.report.last_lsn = end.lsn.saturating_sub(1);
    Ok(end)
}

/// An index that is made from the log alone, in memory.
struct FromLog {
    kv: Arc<MemoryKv>,
    applier: Applier,
    /// A copy of the store's index, which is caught up, and the last frame that it has.
    other: Option<(Applier, u64)>,
}

impl FromLog {
    fn new(other: Option<(Arc<dyn Kv>, Position)>) -> Self {
        let kv = Arc::new(MemoryKv::default());
        Self {
            applier: Applier::new(kv.clone()),
            kv,
            other: other.map(|(kv, at)| (Applier::new(kv), at.lsn)),
        }
    }

    fn checkpoint(
        &mut self,
        at: Position,
        batch: &crate::records::Batch,
    ) -> Result<(), UpkeepError> {
        push(&mut self.applier, at, batch)
    }

    fn take(&mut self, at: Position, batch: &crate::records::Batch) -> Result<(), UpkeepError> {
        push(&mut self.applier, at, batch)?;
        if let Some((other, applied)) = &mut self.other
            && at.lsn > *applied
        {
            push(other, at, batch)?;
        }
        Ok(())
    }

    /// The index, and whether its counts may be wrong since commits are lost.
    fn finish(mut self, findings: &Findings<'_, '_>) -> Result<(Arc<MemoryKv>, bool), UpkeepError> {
        self.applier.commit().map_err(StoreError::from)?;
        if let Some((mut other, _)) = self.other.take() {
            other.commit().map_err(StoreError::from)?;
        }
        let fenced = self
            .kv
            .get(keys::FENCED)
            .map_err(StoreError::from)?
            .is_some();
        Ok((self.kv, fenced || !findings.lost.is_empty()))
    }
}

fn push(
    applier: &mut Applier,
    at: Position,
    batch: &crate::records::Batch,
) -> Result<(), UpkeepError> {
    let mut push = || {
        applier.push(at, batch)?;
        match applier.is_full() {
            true => applier.commit(),
            false => Ok(()),
        }
    };
    push().map_err(|error| StoreError::from(error).into())
}

/// Notes which messages were in stretches that are lost, as far as an index knows.
fn tell_lost(log: &Log, kv: &dyn Kv, findings: &mut Findings<'_, '_>) -> Result<(), StoreError> {
    if findings.lost.is_empty() {
        return Ok(());
    }
    let owners = owners(kv)?;
    for guid in mailboxes(kv)? {
        let whose = Affected {
            mailbox: Some(guid),
            owner: owners.get(&guid).cloned(),
            ..Affected::default()
        };
        let mut hits = Vec::new();
        scan(kv, &keys::part(guid, Part::Message), &mut |_, bytes| {
            let entry: MessageEntry = value::decode(bytes)?;
            if let Some(lost) = findings.lost_at(entry.content) {
                hits.push((lost, entry.folder, of_entry(&whose, &entry)));
            }
            Ok(())
        })?;
        for (lost, folder, whose) in hits {
            let folder_name = kv.get(&keys::folder(guid, folder))?.and_then(|bytes| {
                let meta: FolderMeta = value::decode(&bytes).ok()?;
                folder_name(log, &meta)
            });
            let affected = Affected {
                folder: Some(folder),
                folder_name,
                ..whose
            };
            findings.affect(lost, affected);
        }
    }
    Ok(())
}

fn folder_name(log: &Log, meta: &FolderMeta) -> Option<String> {
    let record = log.read(meta.props, RecordKind::Bag).ok()?;
    let archive = record.get(RECORD_HEADER..)?;
    let bag = rkyv::from_bytes::<Bag, rkyv::rancor::Error>(archive).ok()?;
    bag.get_text(tags::PID_TAG_DISPLAY_NAME)
}
