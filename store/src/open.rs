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
    Durability, FencedFrame, OpenError, RecoveryReport, StoreOptions,
    core::{Core, Parts},
    crypto::{FileKey, Keyring},
    directory::Directory,
    disk::{Disk, OsDisk, PRIVATE_FILE},
    index::{Applier, Index, IndexError, Kv, keys, open::Source},
    log::{
        Log,
        frame::{BadRecord, FORMAT_VERSION, Position, RecordKind, find_record},
        recovery::{self, RecoveryError},
        sealed::plain_data,
        segment::{SEGMENT_BYTES, SEGMENT_HEADER, Segments},
    },
    records::{Batch, v1},
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
    let context = Context { dir };
    let lock = context.lock()?;
    context.check_restored(&*tuning.disk)?;
    let segments = Segments::new(tuning.disk, dir.join("log")).map_err(|e| context.io(e))?;
    let identity = recovery::identify(&segments).map_err(|e| context.recovery(e))?;
    let (store, is_new) = match identity {
        Some(store) => (store, false),
        None => (context.new_guid()?, true),
    };
    let source = Source {
        dir,
        kind: options.index,
        given: tuning.index,
    };
    let mut report = RecoveryReport::default();
    let (kv, tail) = if is_new {
        let tail = recovery::create(&segments, store).map_err(|e| context.io(e))?;
        let kv = source.renew(store).map_err(|e| context.index(&e.0))?;
        (kv, tail)
    } else {
        let opened = source.open(store).map_err(|e| context.index(&e.0))?;
        catch_up(&context, &segments, store, &source, opened, &mut report)?
    };
    let (kv, tail, directory) = match Directory::load(&*kv) {
        Ok(directory) => (kv, tail, directory),
        Err(reason) => {
            tracing::warn!(%reason, "the index is made anew");
            drop(kv);
            let new = source.renew(store).map_err(|e| context.index(&e.0))?;
            let (kv, tail) = catch_up(
                &context,
                &segments,
                store,
                &source,
                (new, None),
                &mut report,
            )?;
            let directory = Directory::load(&*kv).map_err(|e| context.index(&e.to_string()))?;
            (kv, tail, directory)
        }
    };
    let recount = kv.get(keys::FENCED).map_err(|e| context.index(&e.0))?;
    let applied = tail.next_lsn.saturating_sub(1);
    let log = Log::new(
        segments,
        store,
        options.durability,
        tuning.segment_bytes,
        tail,
    );
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
    let thread = std::thread::Builder::new()
        .name("ropewalk-store".into())
        .spawn(move || {
            loop {
                std::thread::park_timeout(pause);
                match weak.upgrade() {
                    Some(core) if !core.is_closed() => core.tick(),
                    _ => return,
                }
            }
        })?;
    core.looked_after_by(thread.thread().clone());
    Ok(())
}

/// Replays what the index does not have yet; makes it anew if it does not fit the log.
fn catch_up(
    context: &Context<'_>,
    segments: &Segments,
    store: Guid,
    source: &Source<'_>,
    opened: (Arc<dyn Kv>, Option<Position>),
    report: &mut RecoveryReport,
) -> Result<(Arc<dyn Kv>, crate::log::Tail), OpenError> {
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
struct Context<'a> {
    dir: &'a Path,
}

impl Context<'_> {
    /// Takes the directory for this process.
    fn lock(&self) -> Result<File, OpenError> {
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

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::Io {
            dir: self.dir.to_owned(),
            source,
        }
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
            RecoveryError::Io(source) => OpenError::Io { dir, source },
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
