//! Opening a store: lock, log, index, and catching the index up.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use rkyv::rancor;
use ropewalk_props::Guid;

use crate::{
    Durability, FencedFrame, IndexKind, OpenError, RecoveryReport, StoreOptions,
    core::{Core, Parts},
    crypto::{FileKey, Keyring, Unlocking},
    directory::Directory,
    disk::{Disk, OsDisk, PRIVATE_FILE},
    index::{Applier, Index, IndexError, Kv, keys, open::Source, says_full},
    log::{
        Log, Tail,
        frame::{BadRecord, FORMAT_VERSION, FRAME_HEADER, Position, RecordKind, find_record},
        recovery::{self, RecoveryError},
        sealed::plain_data,
        segment::{SEGMENT_BYTES, SEGMENT_HEADER, Segments},
    },
    place::{self, Os},
    records::{Batch, v1},
    sync::thread,
    upkeep::restore,
};

/// How often the store looks after itself.
const TICK: Duration = Duration::from_secs(1);

/// What tests change.
pub struct Tuning {
    pub disk: Arc<dyn Disk>,
    pub segment_bytes: u64,
    /// An index instead of the one in the store's directory.
    pub index: Option<Arc<dyn Kv>>,
}

impl Tuning {
    /// What everybody else uses.
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            segment_bytes: SEGMENT_BYTES,
            index: None,
        }
    }
}

/// A store that is ready.
pub struct Opened {
    pub core: Arc<Core>,
    pub directory: Directory,
    pub recovery: RecoveryReport,
}

/// Opens the store in `dir`.
pub fn open(dir: &Path, options: StoreOptions, tuning: Tuning) -> Result<Opened, OpenError> {
    place::check(dir, options.allow_network, &Os)?;
    let context = Context { dir };
    let lock = context.lock()?;
    let disk = tuning.disk;
    context.check_restored(&*disk)?;
    let log_dir = dir.join("log");
    let mut segments = Segments::new(disk.clone(), log_dir.clone()).map_err(|e| context.io(e))?;
    let unlocking = Unlocking::begin(&*disk, &log_dir, options.master_key.as_ref())
        .map_err(|e| context.keys(e))?;
    let identity = recovery::identify(&segments).map_err(|e| context.recovery(e))?;
    let (store, is_new) = match (identity, unlocking.store()) {
        (Some(store), _) => (store, false),
        // The machine stopped between keys and log.
        (None, Some(store)) => (store, true),
        (None, None) => (context.new_guid()?, true),
    };
    let used = segments.keys_in_use().map_err(|e| context.io(e))?;
    if let Some(reason) = unlocking.misfit(store, &used) {
        return Err(context.recovery(RecoveryError::Bad(reason)));
    }
    segments.keys = unlocking
        .finish(store, &used, options.new_data_key)
        .map_err(|e| context.keys(e))?;
    let tail = match is_new {
        true => Some(recovery::create(&segments, store).map_err(|e| context.io(e))?),
        false => None,
    };
    let mut source = Source {
        dir,
        kind: options.index,
        given: tuning.index,
        cipher: segments.keys.current().cloned(),
    };
    let mut coming_up = ComingUp {
        context: &context,
        segments: &segments,
        store,
        may_end_early: options.accept_loss || options.durability != Durability::Always,
        report: RecoveryReport::default(),
    };
    let ready = match coming_up.index(&source, tail.clone()) {
        Err(OpenError::Index { reason, .. }) if says_full(&reason) => {
            tracing::error!(
                %reason,
                "the disk is too full for the index, which is kept in memory until the next start"
            );
            (source.kind, source.given) = (IndexKind::Memory, None);
            coming_up.index(&source, tail)
        }
        ready => ready,
    };
    let (kv, tail, directory) = ready?;
    let report = coming_up.report;
    let recount = kv.get(keys::FENCED).map_err(|e| context.index(&e.0))?;
    let applied = tail.next_lsn.saturating_sub(1);
    let log = Log::new(
        segments,
        store,
        options.durability,
        tuning.segment_bytes,
        tail,
    );
    log.use_current_key()
        .map_err(|e| context.io(io::Error::other(e)))?;
    let core = Arc::new(Core::new(Parts {
        log,
        index: Index::start(kv, dir.to_owned(), applied).map_err(|e| context.io(e))?,
        cache_bytes: options.cache_bytes,
        clock: options.clock,
        durability: options.durability,
        recount: recount.is_some(),
        lock,
    }));
    look_after(&core).map_err(|e| context.io(e))?;
    Ok(Opened {
        core,
        directory,
        recovery: report,
    })
}

/// Starts the thread that looks after the store until it is closed or gone.
fn look_after(core: &Arc<Core>) -> io::Result<()> {
    let pause = match core.durability {
        Durability::Interval(interval) => interval.clamp(Duration::from_millis(1), TICK),
        Durability::Always | Durability::None => TICK,
    };
    let weak: Weak<Core> = Arc::downgrade(core);
    let thread = thread::Builder::new()
        .name("ropewalk-store".into())
        .spawn(move || {
            loop {
                thread::park_timeout(pause);
                match weak.upgrade() {
                    Some(core) if !core.is_closed() => core.tick(),
                    _ => return,
                }
            }
        })?;
    core.looked_after_by(thread.thread().clone());
    Ok(())
}

/// What bringing the index up to date needs.
struct ComingUp<'a> {
    context: &'a Context<'a>,
    segments: &'a Segments,
    store: Guid,
    /// Whether the log may end before what the index has seen.
    may_end_early: bool,
    report: RecoveryReport,
}

/// An index that is up to date, the log's end, and the users.
type Ready = (Arc<dyn Kv>, Tail, Directory);

impl ComingUp<'_> {
    /// Opens the index and brings it up to date, or makes it anew if it cannot be trusted. `tail` is
    /// the end of a log that is new.
    fn index(&mut self, source: &Source<'_>, tail: Option<Tail>) -> Result<Ready, OpenError> {
        let failed = |e: IndexError| self.context.index(&e.0);
        let (kv, tail) = if let Some(tail) = tail {
            (source.renew(self.store).map_err(failed)?, tail)
        } else {
            let opened = source.open(self.store).map_err(failed)?;
            if let Some(at) = opened.1.filter(|_| !self.may_end_early) {
                self.context.check_end(self.segments, at)?;
            }
            self.catch_up(source, opened)?
        };
        match Directory::load(&*kv) {
            Ok(directory) => Ok((kv, tail, directory)),
            Err(reason) => {
                tracing::warn!(%reason, "the index is made anew");
                drop(kv);
                let new = source.renew(self.store);
                let new = new.map_err(|e| self.context.index(&e.0))?;
                let (kv, tail) = self.catch_up(source, (new, None))?;
                let directory = Directory::load(&*kv);
                let directory = directory.map_err(|e| self.context.index(&e.to_string()))?;
                Ok((kv, tail, directory))
            }
        }
    }

    /// Replays what the index does not have yet; makes it anew if it does not fit the log.
    fn catch_up(
        &mut self,
        source: &Source<'_>,
        opened: (Arc<dyn Kv>, Option<Position>),
    ) -> Result<(Arc<dyn Kv>, Tail), OpenError> {
        let Self {
            context,
            segments,
            store,
            report,
            ..
        } = self;
        let store = *store;
        let (mut kv, applied) = opened;
        let mut from = None;
        let reflected = applied.map_or(0, |at| at.lsn);
        if let Some(at) = applied {
            from = recovery::frame_after(segments, store, at)
                .map_err(|e| context.io(e))?
                .map(|offset| Position {
                    segment: at.segment,
                    offset,
                    lsn: at.lsn + 1,
                });
            if from.is_none() {
                tracing::warn!("the index does not fit the log and is made anew");
                drop(kv);
                kv = source.renew(store).map_err(|e| context.index(&e.0))?;
            }
        }
        report.index_rebuilt = from.is_none();
        let from = from.unwrap_or(Position {
            segment: 1,
            offset: SEGMENT_HEADER,
            lsn: 1,
        });
        let mut replay = Replay {
            applier: Applier::new(kv.clone()),
            next: from.lsn,
        };
        if applied.is_some() && report.index_rebuilt {
            // What it reflected is lost, in part at least.
            replay.fenced().map_err(|e| context.index(&e.0))?;
        }
        let recovered = recovery::recover(segments, store, from, |at, payload| {
            let key = segments
                .open_file(at.segment)
                .map_err(RecoveryError::from)?;
            replay.frame(at, payload, (&segments.keys, key.key))
        })
        .map_err(|error| match error {
            ReplayError::Log(error) => context.recovery(error),
            ReplayError::Index(error) => context.index(&error.0),
        })?;
        report.frames_replayed = recovered.frames;
        report.tail_bytes_cut += recovered.cut;
        report.fenced = recovered.fenced;
        let tail = recovered.tail;
        if tail.next_lsn <= reflected {
            // Only what counted as done is ever in the index.
            tracing::error!(
                from = tail.next_lsn,
                to = reflected,
                "the log is older than the index: its last commits are lost"
            );
            report.fenced.push(FencedFrame {
                segment: tail.segment,
                offset: u64::from(tail.end),
                lsn: tail.next_lsn,
                frames: reflected - tail.next_lsn + 1,
            });
        }
        replay
            .finish(!report.fenced.is_empty())
            .and_then(|()| kv.flush())
            .map_err(|e| context.index(&e.0))?;
        Ok((kv, tail))
    }
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    Log(#[from] RecoveryError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

struct Replay {
    applier: Applier,
    /// The frame that comes next if nothing is lost.
    next: u64,
}

impl Replay {
    fn frame(
        &mut self,
        at: Position,
        payload: &[u8],
        key: (&Keyring, FileKey),
    ) -> Result<(), ReplayError> {
        let nonsense = || RecoveryError::Bad(format!("frame {} makes no sense", at.lsn));
        // Frames without a batch hold parts of large values only.
        let batch = match find_record(payload, RecordKind::Batch) {
            Ok(Some(found)) => read_batch(found, key).ok_or_else(nonsense)?,
            Ok(None) => Batch::default(),
            Err(BadRecord) => return Err(nonsense().into()),
        };
        if at.lsn != self.next {
            self.fenced()?;
        }
        self.next = at.lsn + 1;
        self.applier.push(at, &resolved(batch, at))?;
        if self.applier.is_full() {
            self.applier.commit()?;
        }
        Ok(())
    }

    /// Notes that commits are lost, before the index reflects a later one: a start that is
    /// interrupted after that does not come across the damage again.
    fn fenced(&mut self) -> Result<(), IndexError> {
        self.applier.put(keys::FENCED.to_vec(), &true)
    }

    fn finish(&mut self, fenced: bool) -> Result<(), IndexError> {
        if fenced {
            self.fenced()?;
        }
        self.applier.commit()
    }
}

/// The batch of a record that was found, as it is stored.
fn read_batch(found: (u8, &[u8]), key: (&Keyring, FileKey)) -> Option<Batch> {
    let aligned = plain_data(found, RecordKind::Batch, key)?;
    match found.0 {
        1 => {
            let old = rkyv::from_bytes::<v1::Batch, rancor::Error>(&aligned).ok()?;
            Some(old.into())
        }
        _ => rkyv::from_bytes::<Batch, rancor::Error>(&aligned).ok(),
    }
}

fn resolved(mut batch: Batch, at: Position) -> Batch {
    batch.ops.iter_mut().for_each(|op| op.resolve(at));
    batch
}

/// Says where, in errors.
pub struct Context<'a> {
    pub dir: &'a Path,
}

impl Context<'_> {
    /// Takes the directory for this process.
    pub fn lock(&self) -> Result<File, OpenError> {
        OsDisk.create_dir(self.dir).map_err(|e| self.io(e))?;
        let mut options = OpenOptions::new();
        // A file that others could open, they could lock.
        let options = options.create(true).truncate(false).write(true);
        let file = options
            .mode(PRIVATE_FILE)
            .open(self.dir.join("lock"))
            .map_err(|e| self.io(e))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
                dir: self.dir.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(self.io(error)),
        }
    }

    /// An error if a restore into the directory was interrupted.
    fn check_restored(&self, disk: &dyn Disk) -> Result<(), OpenError> {
        let here = disk.list(self.dir).map_err(|e| self.io(e))?;
        match here.contains(&self.dir.join(restore::MARKER)) {
            true => Err(OpenError::HalfRestored {
                dir: self.dir.to_owned(),
            }),
            false => Ok(()),
        }
    }

    fn new_guid(&self) -> Result<Guid, OpenError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| self.io(io::Error::other(error)))?;
        // Version 4, variant 1 (RFC 9562 5.4); the version is in the high byte of a little-endian field.
        bytes[7] = (bytes[7] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        Ok(Guid(bytes))
    }

    /// The log is refused if it ends before the last frame that the index has seen. Going on would
    /// write other frames in the place of those that are missing, which could then not be put back.
    fn check_end(&self, segments: &Segments, known: Position) -> Result<(), OpenError> {
        let last = segments.numbers().map_err(|e| self.io(e))?.last().copied();
        let ends_early = match last {
            Some(last) if last == known.segment => {
                let file = segments.file(last).map_err(|e| self.io(e))?;
                let len = file.len().map_err(|e| self.io(e))?;
                len < u64::from(known.offset) + FRAME_HEADER as u64
            }
            last => last < Some(known.segment),
        };
        match ends_early {
            true => Err(OpenError::LogEndsEarly {
                dir: self.dir.to_owned(),
                segment: known.segment,
                known: known.lsn,
            }),
            false => Ok(()),
        }
    }

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::of_io(self.dir, source)
    }

    fn index(&self, reason: &str) -> OpenError {
        OpenError::Index {
            dir: self.dir.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn recovery(&self, error: RecoveryError) -> OpenError {
        let dir = self.dir.to_owned();
        match error {
            RecoveryError::Io(source) => self.io(source),
            RecoveryError::Newer(found) => OpenError::NewerFormat {
                dir,
                found,
                known: FORMAT_VERSION,
            },
            RecoveryError::Bad(reason) => OpenError::BadLog { dir, reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        index::memory::MemoryKv,
        log::frame::{FrameBuilder, RecordKind},
    };

    #[test]
    fn what_is_lost_is_noted_before_the_index_reflects_a_later_frame() {
        let kv = Arc::new(MemoryKv::default());
        let mut replay = Replay {
            applier: Applier::new(kv.clone()),
            next: 5,
        };
        let fenced = || kv.get(keys::FENCED).unwrap().is_some();
        let archive = rkyv::to_bytes::<rancor::Error>(&Batch::default()).unwrap();
        let mut frame = FrameBuilder::new(None);
        frame.add(RecordKind::Batch, &archive);
        let at = |lsn| Position {
            segment: 1,
            offset: 64,
            lsn,
        };
        let frame = frame.seal(Guid::NIL, at(5), 0, ropewalk_props::FileTime(1));
        for (lsn, lost) in [(5, false), (6, false), (9, true)] {
            let key = (&Keyring::default(), FileKey::Plain);
            replay.frame(at(lsn), &frame[64..], key).unwrap();
            // As a long log has it now and then. The machine may stop after that.
            replay.applier.commit().unwrap();
            assert!(kv.get(keys::APPLIED).unwrap().is_some());
            assert_eq!(fenced(), lost, "{lsn}");
        }
    }
}
