//! Giving back the space of what is not in use any more.
//!
//! A run looks through the index once. What it holds goes to a checkpoint, so that older parts of the log
//! need not be read again at any start; what it refers to is in use. Then files of the log with much
//! that is not in use are rewritten as packs, a few at a time. Places in the log stay valid throughout.

mod barrier;
mod groups;
mod live;
mod mark;
mod pace;
mod pressure;
mod purge;
mod run;
mod thread;

use std::{
    collections::BTreeSet,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::Thread,
    time::Duration,
};

pub use barrier::{Barrier, Notes};
use mark::Mark;
pub use pressure::Pressure;
pub use run::run;
pub use thread::start;

use crate::{
    StoreError,
    core::Core,
    records::{Batch, Op},
    sync::{Condvar, Mutex, MutexGuard},
};

/// When space is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compaction {
    /// On a thread of its own, whenever it is worth it.
    Background {
        /// Bytes that are read and written in a second, at most. More if space runs away.
        bytes_per_second: u64,
    },
    /// Only when [`crate::Store::compact`] is called.
    Manual,
}

impl Default for Compaction {
    fn default() -> Self {
        Self::Background {
            bytes_per_second: 32 << 20,
        }
    }
}

/// How to give back space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactOptions {
    /// Give back as much as possible, not only what is worth the work; all is written with the newest
    /// key of an encrypted store.
    pub full: bool,
    /// Large values go once nothing has referred to them for so long, and files that were replaced are
    /// kept open for so long, for those who have just found them. Zero is right if nobody else uses the
    /// store. Large values go sooner, or at once, if the files take much more space than is in use.
    pub grace: Duration,
    /// Bytes that are read and written in a second, at most.
    pub bytes_per_second: Option<u64>,
}

/// What is kept for those who may be using it.
pub const GRACE: Duration = Duration::from_secs(60);
/// How long large values are kept at most if the files take much more space than is in use.
pub const GRACE_IF_MUCH: Duration = Duration::from_secs(2);

impl Default for CompactOptions {
    fn default() -> Self {
        Self {
            full: false,
            grace: GRACE,
            bytes_per_second: None,
        }
    }
}

/// What a compaction did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactReport {
    /// Bytes of the log's files before.
    pub bytes_before: u64,
    /// Bytes of the log's files after.
    pub bytes_after: u64,
    /// Bytes of the log's files that are in use.
    pub live_bytes: u64,
    /// Files that were replaced.
    pub files_replaced: u64,
    /// Files that took their place.
    pub packs_written: u64,
    /// Bytes of the checkpoint.
    pub checkpoint_bytes: u64,
    /// Large values that nothing referred to, and that are gone.
    pub blobs_removed: u64,
    /// Large values that nothing referred to, and that stay for their time of grace.
    pub blobs_waiting: u64,
    /// Whether the files took so much space that those go sooner.
    pub runs_away: bool,
    /// Files that were left as they are, since something in them is damaged: their first segments.
    pub damaged: Vec<u32>,
    /// The last commit that was looked at.
    pub mark_lsn: u64,
}

/// What compaction knows and holds.
#[derive(Debug, Default)]
pub struct Compactor {
    /// Notes what commits refer to during a run.
    pub barrier: Barrier,
    /// Whether a run is going on: one at a time.
    running: Mutex<bool>,
    /// A run has ended.
    ended: Condvar,
    /// Held while files are changed, and by whoever closes the store, from then on.
    changing: Mutex<()>,
    state: Mutex<State>,
    /// Holds writers back.
    pub pressure: Pressure,
    /// About how many messages were removed since the last run.
    removed: AtomicU64,
    thread: OnceLock<Thread>,
}

/// What one run leaves for the next.
#[derive(Debug, Default)]
struct State {
    unreferenced: purge::Unreferenced,
    /// Bytes in use at the last run, and the last commit that was looked at.
    live: Option<(u64, u64)>,
    /// The number of messages then.
    messages: u64,
    /// Segments in which something in use was found to be damaged.
    damaged: BTreeSet<u32>,
}

impl Compactor {
    /// Notes a commit whose locations are absolute. Called with the log's tail locked.
    pub fn note(&self, batch: &Batch) {
        /// A folder or mailbox that goes counts as so many messages.
        const MANY: u64 = 1000;
        let removed = batch.ops.iter().map(|op| match op {
            Op::RemoveMessage { .. } => 1,
            Op::RemoveFolder(_) | Op::RemoveMailbox(_) => MANY,
            _ => 0,
        });
        let removed: u64 = removed.sum();
        if removed > 0 {
            self.removed.fetch_add(removed, Ordering::Relaxed);
        }
        self.barrier.note(batch);
    }

    /// Bytes of the log's files that were in use at the last run since the store was opened, and the
    /// last commit that it looked at.
    pub fn live(&self) -> Option<(u64, u64)> {
        self.state.lock().live
    }

    /// Ends a run that is going on, and sees to it that no file is changed any more as long as this is
    /// held. The caller has noted that the store is closed.
    pub fn stop(&self) -> MutexGuard<'_, ()> {
        /// A run that hangs in the index's engine is left alone.
        const PATIENCE: Duration = match cfg!(test) {
            true => Duration::from_millis(20),
            false => Duration::from_secs(5),
        };
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
        // It sees soon that the store is closed, and lets go of the engine.
        let mut running = self.running.lock();
        if *running {
            self.ended.wait_for(&mut running, PATIENCE);
        }
        drop(running);
        self.changing.lock()
    }

    /// Waits for the run that is going on, if there is one, and begins another.
    fn begin(&self) -> Running<'_> {
        let mut running = self.running.lock();
        while *running {
            self.ended.wait(&mut running);
        }
        *running = true;
        Running(self)
    }

    /// Does one step that changes files, unless the store is closed.
    fn step<T>(
        &self,
        core: &Core,
        change: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        /// Who waits for a lock makes others wait; a backup may have this one for long.
        const AGAIN: Duration = Duration::from_millis(20);
        let _files = loop {
            core.check_writable()?;
            match core.files.try_write() {
                Some(files) => break files,
                None => std::thread::sleep(AGAIN),
            }
        };
        let _changing = self.changing.lock();
        core.check_writable()?;
        change()
    }
}

/// A run that is going on.
struct Running<'a>(&'a Compactor);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        *self.0.running.lock() = false;
        self.0.ended.notify_all();
    }
}
