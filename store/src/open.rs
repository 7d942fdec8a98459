//! Opening a store: place, lock, keys, log and index.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::{Arc, Weak},
    time::Duration,
};

use ropewalk_props::Guid;

use crate::{
    Durability, FencedFrame, IndexKind, OpenError, Progress, RecoveryReport, StoreOptions,
    catch_up::ComingUp,
    compact,
    core::{Core, Parts},
    crypto::Unlocking,
    directory::Directory,
    disk::{Disk, OsDisk, PRIVATE_FILE},
    index::{
        Index, Kv, keys,
        open::{NOWHERE_ELSE, Source},
        says_full,
    },
    log::{
        Log,
        checkpoint::{self, Checkpoint},
        frame::{FORMAT_VERSION, FRAME_HEADER, Position},
        recovery::{self, RecoveryError},
        segment::{SEGMENT_BYTES, Segments},
    },
    place::{self, Os},
    sync::thread,
    upkeep::restore,
};

/// Bytes that may be missing at the log's end without anybody having cut it: a drive that says that
/// it has written what it has not can lose some in a power failure. Whoever copied a store by half misses more.
const TORN: u64 = 12 << 10;
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
    let Prepared {
        lock,
        segments,
        store,
        is_new,
        checkpoint,
    } = context.prepare(&options, tuning.disk, true)?;
    let tail = match is_new {
        true => Some(recovery::create(&segments, store).map_err(|e| context.io(e))?),
        false => None,
    };
    let mut source = Source {
        dir,
        kind: options.index,
        given: tuning.index,
        cipher: segments.keys.current().cloned(),
        nowhere_else: segments.packed() > 0 && checkpoint.is_none(),
    };
    let mut coming_up = ComingUp {
        context: &context,
        segments: &segments,
        store,
        checkpoint: checkpoint.as_ref(),
        seen: 0,
        may_end_early: options.accept_loss || options.durability != Durability::Always,
        progress: &mut |_| {},
        report: RecoveryReport::default(),
    };
    let ready = match coming_up.index(&source, tail.clone()) {
        Err(OpenError::Index { reason, .. }) if says_full(&reason) && !source.nowhere_else => {
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
    let mut report = coming_up.report;
    for span in segments.broken_packs().map_err(|e| context.io(e))? {
        tracing::error!(file = %span.name(), "a pack without its end: what it held cannot be read");
        report.fenced.push(FencedFrame {
            segment: span.first,
            offset: 0,
            lsn: 0,
            frames: 0,
        });
    }
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
        index_is_new: report.index_rebuilt,
        lock,
    }));
    look_after(&core).map_err(|e| context.io(e))?;
    // Until then the index is the only one to know what packs hold.
    compact::start(&core, options.compaction, source.nowhere_else).map_err(|e| context.io(e))?;
    Ok(Opened {
        core,
        directory,
        recovery: report,
    })
}

/// Makes the index of a closed store anew, from its checkpoint and log, even if the log ends before
/// what the old one has seen. `progress` is told of bytes read; those of the log are read twice.
pub fn rebuild(
    dir: &Path,
    options: StoreOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<RecoveryReport, OpenError> {
    rebuild_with(dir, options, Tuning::new(Arc::new(OsDisk)), progress)
}

pub(crate) fn rebuild_with(
    dir: &Path,
    options: StoreOptions,
    tuning: Tuning,
    progress: &mut dyn FnMut(Progress),
) -> Result<RecoveryReport, OpenError> {
    let context = Context { dir };
    // Nothing is made where no store is.
    let listed = tuning.disk.list(&dir.join("log"));
    listed.map_err(|e| context.io(e))?;
    let Prepared {
        lock,
        segments,
        store,
        checkpoint,
        ..
    } = context.prepare(&options, tuning.disk, false)?;
    let source = Source {
        dir,
        kind: options.index,
        given: tuning.index,
        cipher: segments.keys.current().cloned(),
        nowhere_else: segments.packed() > 0 && checkpoint.is_none(),
    };
    // It may know of commits that are lost, whose numbers must not be given again.
    let old = source.open(store).ok().and_then(|(_, at)| at);
    let kv = source.renew(store).map_err(|e| context.index(&e.0))?;
    let mut coming_up = ComingUp {
        context: &context,
        segments: &segments,
        store,
        checkpoint: checkpoint.as_ref(),
        seen: old.map_or(0, |at| at.lsn),
        may_end_early: true,
        progress,
        report: RecoveryReport::default(),
    };
    let (kv, _) = coming_up.catch_up(&source, (kv, None))?;
    Directory::load(&*kv).map_err(|e| context.index(&e.to_string()))?;
    let report = coming_up.report;
    drop((kv, lock));
    Ok(report)
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

/// A directory that is this process's, and what is in it.
struct Prepared {
    /// Keeps other processes out.
    lock: File,
    segments: Segments,
    store: Guid,
    /// Whether there is no log yet.
    is_new: bool,
    checkpoint: Option<Checkpoint>,
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

    /// Looks at the directory and takes it, refuses what cannot be opened, reads the keys, and then
    /// removes what an interrupted compaction left behind. Without a log yet: `may_create` says whether
    /// there may be one.
    fn prepare(
        &self,
        options: &StoreOptions,
        disk: Arc<dyn Disk>,
        may_create: bool,
    ) -> Result<Prepared, OpenError> {
        place::check(self.dir, options.allow_network, &Os)?;
        let has_lock = place::has_lock(self.dir);
        if !has_lock && self.dir.exists() {
            place::check_files(self.dir, &Os)?;
        }
        let lock = self.lock()?;
        if has_lock {
            place::check_files(self.dir, &Os)?;
        }
        self.check_restored(&*disk)?;
        let log_dir = self.dir.join("log");
        let mut segments = Segments::new(disk.clone(), log_dir.clone()).map_err(|e| self.io(e))?;
        let unlocking = Unlocking::begin(&*disk, &log_dir, options.master_key.as_ref())
            .map_err(|e| self.keys(e))?;
        let failed = |error| self.recovery(error);
        let identity = recovery::identify(&segments).map_err(failed)?;
        let (store, is_new) = match (identity.store, unlocking.store()) {
            (Some(store), _) => (store, false),
            (None, _) if !may_create => {
                return Err(failed(RecoveryError::Bad("segment 1 is missing".into())));
            }
            // The machine stopped between keys and log.
            (None, Some(store)) => (store, true),
            (None, None) => (self.new_guid()?, true),
        };
        let used = segments.keys_in_use().map_err(|e| self.io(e))?;
        if let Some(reason) = unlocking.misfit(store, &used) {
            return Err(failed(RecoveryError::Bad(reason)));
        }
        segments.keys = unlocking.look().map_err(|e| self.keys(e))?;
        let checkpoint = checkpoint::latest(&segments, store).map_err(failed)?;
        // With another key the index is made anew.
        if unlocking.makes_key(options.new_data_key)
            && segments.packed() > 0
            && checkpoint.is_none()
        {
            return Err(self.index(NOWHERE_ELSE));
        }
        segments.keys = unlocking
            .finish(store, &used, options.new_data_key)
            .map_err(|e| self.keys(e))?;
        let mut leftovers = identity.leftovers;
        if let Some(checkpoint) = &checkpoint {
            leftovers.add(checkpoint.earlier(&segments).map_err(|e| self.io(e))?);
        }
        recovery::tidy(&segments, &leftovers).map_err(|e| self.io(e))?;
        Ok(Prepared {
            lock,
            segments,
            store,
            is_new,
            checkpoint,
        })
    }

    fn new_guid(&self) -> Result<Guid, OpenError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| self.io(io::Error::other(error)))?;
        // Version 4, variant 1 (RFC 9562 5.4); the version is in the high byte of a little-endian field.
        bytes[7] = (bytes[7] & 0x0F) | 0x40;
        bytes[8] = (bytes[8] & 0x3F) | 0x80;
        Ok(Guid(bytes))
    }

    /// The log is refused if it ends well before the last frame that the index has seen. Going on would
    /// write other frames in the place of those that are missing, which could then not be put back. An
    /// end that is only a little short is a torn one, which is reported.
    pub fn check_end(&self, segments: &Segments, known: Position) -> Result<(), OpenError> {
        let last = segments.numbers().last().copied();
        let ends_early = match last {
            Some(last) if last == known.segment => {
                let file = segments.file(last).map_err(|e| self.io(e))?;
                let len = file.len().map_err(|e| self.io(e))?;
                len + TORN < u64::from(known.offset) + FRAME_HEADER as u64
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

    pub fn io(&self, source: io::Error) -> OpenError {
        OpenError::of_io(self.dir, source)
    }

    pub fn index(&self, reason: &str) -> OpenError {
        if reason == NOWHERE_ELSE {
            return self.recovery(RecoveryError::Bad(reason.to_owned()));
        }
        OpenError::Index {
            dir: self.dir.to_owned(),
            reason: reason.to_owned(),
        }
    }

    pub fn recovery(&self, error: RecoveryError) -> OpenError {
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
