//! The one thread that writes to the index, and who waits for it.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Applier, IndexError, Kv, Visit, Write, open::suspect_path};
use crate::{
    StoreError,
    log::frame::Position,
    records::Batch,
    sync::{
        Condvar, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
        thread::{self, JoinHandle},
    },
};

/// Commits applied together, at most.
const BATCH: usize = 1024;
/// The engine is told to hand its data to the operating system this often.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
/// Commits are gathered this long, unless somebody waits: the engine writes to the disk for every
/// batch, and the log needs the disk more.
/// Where time does not pass, until then.
const GATHER: Duration = Duration::from_millis(match cfg!(all(test, feature = "shuttle")) {
    true => 1 << 40,
    false => 20,
});
/// Commits may wait here; more make writers wait for a moment.
const CROWDED: usize = 65_536;
const THROTTLE: Duration = Duration::from_millis(100);
/// A call that takes longer may mean that the engine hangs.
const SLOW: Duration = Duration::from_secs(1);
/// A call that takes longer means that the engine hangs.
const STUCK: Duration = Duration::from_secs(30);

/// One commit to apply, its locations absolute.
pub struct Job {
    /// Where its frame is.
    pub at: Position,
    /// What it changes.
    pub batch: Batch,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Frames up to this one may be applied: they count as done.
    visible: u64,
    applied: u64,
    /// How many wait for commits to be applied.
    waiting: usize,
    /// Whether the thread has nothing to do.
    idle: bool,
    closing: bool,
    failed: Option<IndexError>,
    /// When the thread last called the engine, while it is at work.
    busy_since: Option<Instant>,
    stopped: bool,
}

struct Shared {
    state: Mutex<State>,
    /// Something was applied, or the thread stopped.
    changed: Condvar,
    /// There is something to do for the thread.
    work: Condvar,
    dir: PathBuf,
    /// The mark that says so could not be made yet.
    unmarked: AtomicBool,
}

/// The index, read by all, written by one thread.
pub struct Index {
    kv: RwLock<Option<Arc<dyn Kv>>>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Index {
    /// Starts the thread. `kv` reflects everything up to the frame `applied`.
    pub fn start(kv: Arc<dyn Kv>, dir: PathBuf, applied: u64) -> std::io::Result<Self> {
        let state = State {
            visible: applied,
            applied,
            ..State::default()
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            work: Condvar::new(),
            dir,
            unmarked: AtomicBool::new(false),
        });
        let (worker, engine) = (shared.clone(), kv.clone());
        let thread = thread::Builder::new()
            .name("ropewalk-index".into())
            .spawn(move || worker.run_to_end(engine))?;
        Ok(Self {
            kv: RwLock::new(Some(kv)),
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// The engine, for reading.
    pub fn kv(&self) -> Result<Arc<dyn Kv>, StoreError> {
        self.kv.read().clone().ok_or(StoreError::Closed)
    }

    /// Queues a commit; they come in the order of the log.
    pub fn push(&self, job: Job) {
        let mut state = self.shared.state.lock();
        if state.failed.is_none() {
            state.jobs.push_back(job);
        }
    }

    /// Commits up to `lsn` count as done and may be applied.
    pub fn advance(&self, lsn: u64) {
        let mut state = self.shared.state.lock();
        state.visible = state.visible.max(lsn);
        if state.idle {
            self.shared.work.notify_one();
        }
    }

    /// Commits up to this frame count as done.
    pub fn visible(&self) -> u64 {
        self.shared.state.lock().visible
    }

    /// Everything up to this frame is in the index.
    pub fn applied(&self) -> u64 {
        self.shared.state.lock().applied
    }

    /// Returns once everything up to `lsn`, which counts as done, is in the index.
    pub fn wait_applied(&self, lsn: u64) -> Result<(), StoreError> {
        let mut state = self.shared.state.lock();
        while state.applied < lsn {
            if let Some(error) = &state.failed {
                return Err(error.clone().into());
            }
            if state.closing {
                return Err(StoreError::Closed);
            }
            state.waiting += 1;
            self.shared.work.notify_one();
            self.shared.changed.wait(&mut state);
            state.waiting -= 1;
        }
        Ok(())
    }

    /// Whether the engine may be asked for what one can do without: it has not failed, and it is not
    /// stuck in a call.
    pub fn is_well(&self) -> bool {
        let state = self.shared.state.lock();
        state.failed.is_none() && state.busy_since.is_none_or(|at| at.elapsed() < SLOW)
    }

    /// Makes writers wait for a moment if the index lags far behind.
    pub fn throttle(&self) {
        let mut state = self.shared.state.lock();
        if state.jobs.len() > CROWDED && state.failed.is_none() {
            self.shared.changed.wait_for(&mut state, THROTTLE);
        }
    }

    /// What was read from the index is not right: it is made anew at the next start.
    pub fn distrust(&self, why: &str) {
        tracing::error!(why, "the index is wrong; it is made anew at the next start");
        self.shared.mark_suspect();
    }

    /// Looks whether the engine hangs; if so nobody waits for it any longer, and the index is made
    /// anew at the next start.
    pub fn watch(&self) {
        self.shared.mark_if_owed();
        let mut state = self.shared.state.lock();
        let busy = state.busy_since.map_or(Duration::ZERO, |at| at.elapsed());
        if busy > STUCK && state.failed.is_none() {
            self.shared
                .fail(&mut state, IndexError("the engine hangs".into()));
        }
    }

    /// Applies what counts as done, hands it to the operating system and stops. An engine that
    /// hangs is left alone.
    pub fn close(&self) -> Result<(), StoreError> {
        self.shared.mark_if_owed();
        let kv = self.kv.write().take();
        let mut state = self.shared.state.lock();
        state.closing = true;
        self.shared.work.notify_one();
        self.shared.changed.notify_all();
        while !state.stopped {
            self.shared.changed.wait_for(&mut state, STUCK);
            let busy = state.busy_since.map_or(Duration::ZERO, |at| at.elapsed());
            if !state.stopped && busy > STUCK {
                self.shared
                    .fail(&mut state, IndexError("the engine hangs".into()));
                std::mem::forget(kv);
                return Err(IndexError("the engine hangs".into()).into());
            }
        }
        let failed = state.failed.clone();
        drop(state);
        if let Some(thread) = self.thread.lock().take() {
            let _ = thread.join();
        }
        let gone = catch_unwind(AssertUnwindSafe(|| drop(kv)));
        match (failed, gone) {
            (Some(error), _) => Err(error.into()),
            (None, Err(_)) => Err(IndexError("the engine panicked at the end".into()).into()),
            (None, Ok(())) => Ok(()),
        }
    }
}

/// The engine as the thread sees it: each call is noted.
struct Watched {
    kv: Arc<dyn Kv>,
    shared: Arc<Shared>,
}

impl Watched {
    fn engine(&self) -> &dyn Kv {
        self.shared.state.lock().busy_since = Some(Instant::now());
        &*self.kv
    }
}

impl Kv for Watched {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        self.engine().get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        self.engine().range(from, to, visit)
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        self.engine().apply(writes)
    }

    fn flush(&self) -> Result<(), IndexError> {
        self.engine().flush()
    }
}

impl Shared {
    /// Whatever happens to the thread, nobody waits for it for ever.
    fn run_to_end(self: &Arc<Self>, kv: Arc<dyn Kv>) {
        let ended = catch_unwind(AssertUnwindSafe(|| self.run(kv)));
        let mut state = self.state.lock();
        if ended.is_err() {
            self.fail(&mut state, IndexError("the index's thread panicked".into()));
        }
        state.stopped = true;
        self.changed.notify_all();
    }

    fn run(self: &Arc<Self>, kv: Arc<dyn Kv>) {
        let shared = self.clone();
        let kv: Arc<dyn Kv> = Arc::new(Watched { kv, shared });
        let mut applier = Applier::new(kv.clone());
        let mut flushed = Instant::now();
        let mut dirty = false;
        loop {
            let (jobs, stop) = self.next_jobs(dirty);
            let mut result = jobs
                .iter()
                .try_for_each(|job| {
                    applier.push(job.at, &job.batch)?;
                    match applier.is_full() {
                        true => applier.commit(),
                        false => Ok(()),
                    }
                })
                .and_then(|()| applier.commit());
            dirty |= !jobs.is_empty();
            if result.is_ok() && dirty && (stop || flushed.elapsed() >= FLUSH_EVERY) {
                result = kv.flush();
                (dirty, flushed) = (false, Instant::now());
            }
            let reached = jobs.last().map(|job| job.at.lsn);
            if !self.finish(reached, result) || stop {
                break;
            }
        }
    }

    /// The next commits that count as done, none if there is something to flush; and whether it is
    /// time to stop.
    fn next_jobs(&self, dirty: bool) -> (Vec<Job>, bool) {
        let mut state = self.state.lock();
        let mut gathered = None;
        loop {
            state.idle = false;
            if state.failed.is_some() {
                return (Vec::new(), true);
            }
            let visible = state.visible;
            let ready = state.jobs.iter().take(BATCH);
            let ready = ready.take_while(|job| job.at.lsn <= visible).count();
            if ready > 0 {
                let until = *gathered.get_or_insert_with(|| Instant::now() + GATHER);
                let hurry = state.closing || state.waiting > 0 || ready == BATCH;
                if !hurry && Instant::now() < until {
                    self.work.wait_until(&mut state, until);
                    continue;
                }
                state.busy_since = Some(Instant::now());
                return (state.jobs.drain(..ready).collect(), false);
            }
            if state.closing {
                state.busy_since = Some(Instant::now());
                return (Vec::new(), true);
            }
            state.idle = true;
            if dirty {
                if self.work.wait_for(&mut state, FLUSH_EVERY).timed_out() {
                    state.busy_since = Some(Instant::now());
                    return (Vec::new(), false);
                }
            } else {
                self.work.wait(&mut state);
            }
        }
    }

    fn finish(&self, reached: Option<u64>, result: Result<(), IndexError>) -> bool {
        let mut state = self.state.lock();
        state.busy_since = None;
        match result {
            Ok(()) if state.failed.is_none() => {
                state.applied = reached.unwrap_or(0).max(state.applied);
            }
            Ok(()) => {}
            Err(error) => self.fail(&mut state, error),
        }
        self.changed.notify_all();
        state.failed.is_none()
    }

    /// Gives the index up until the next start, when it is made anew.
    fn fail(&self, state: &mut State, error: IndexError) {
        tracing::error!(%error, "the index failed; it is made anew at the next start");
        state.failed.get_or_insert(error);
        state.jobs.clear();
        self.changed.notify_all();
        self.mark_suspect();
    }

    fn mark_suspect(&self) {
        let marked = std::fs::write(suspect_path(&self.dir), b"");
        let unmarked = self.unmarked.swap(marked.is_err(), Ordering::Relaxed);
        if let Err(error) = marked
            && !unmarked
        {
            tracing::error!(%error, "the index cannot be marked as suspect yet");
        }
    }

    /// Tries again to mark the index, if that failed: the disk may not be full any more.
    fn mark_if_owed(&self) {
        if self.unmarked.load(Ordering::Relaxed) {
            self.mark_suspect();
        }
    }
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{GlobCnt, Guid};

    use super::*;
    use crate::{
        index::{keys, memory::MemoryKv, scan},
        records::Op,
    };

    /// Slow, and sees to it that it gets its time for each call.
    #[derive(Default)]
    struct Slow {
        kv: MemoryKv,
        shared: Mutex<Option<Arc<Shared>>>,
        largest: Mutex<usize>,
    }

    impl Kv for Slow {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
            self.kv.get(key)
        }

        fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
            self.kv.range(from, to, visit)
        }

        fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
            let mut largest = self.largest.lock();
            *largest = writes.len().max(*largest);
            if let Some(shared) = &*self.shared.lock() {
                let busy = shared.state.lock().busy_since;
                assert!(busy.is_some_and(|at| at.elapsed() < Duration::from_millis(100)));
            }
            std::thread::sleep(Duration::from_millis(100));
            self.kv.apply(writes)
        }

        fn flush(&self) -> Result<(), IndexError> {
            Ok(())
        }
    }

    #[test]
    fn a_large_commit_goes_to_the_engine_in_small_calls_each_with_its_own_time() {
        const COUNT: u64 = 10_000;
        let dir = tempfile::tempdir().unwrap();
        let kv = Arc::new(Slow::default());
        let index = Index::start(kv.clone(), dir.path().to_owned(), 0).unwrap();
        *kv.shared.lock() = Some(index.shared.clone());
        let mailbox = Guid([1; 16]);
        let ops = (0..COUNT).map(|id| Op::PutReplid(id as u16, mailbox));
        let batch = Batch {
            mailbox: Some(mailbox),
            counter: GlobCnt(5).0,
            ops: ops.collect(),
        };
        let at = Position {
            segment: 1,
            offset: 64,
            lsn: 1,
        };
        index.push(Job { at, batch });
        index.advance(1);
        index.wait_applied(1).unwrap();
        let mut found = 0;
        let all = keys::part(mailbox, keys::Part::Replid);
        scan(&*kv, &all, &mut |_, _| {
            found += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(found, COUNT);
        assert!(*kv.largest.lock() <= 512);
        index.close().unwrap();
    }

    /// Panics when it is written to.
    struct Broken(MemoryKv);

    impl Kv for Broken {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
            self.0.get(key)
        }

        fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
            self.0.range(from, to, visit)
        }

        fn apply(&self, _: &[Write]) -> Result<(), IndexError> {
            panic!("on purpose")
        }

        fn flush(&self) -> Result<(), IndexError> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_ever_for_a_thread_that_panicked() {
        let dir = tempfile::tempdir().unwrap();
        let kv = Arc::new(Broken(MemoryKv::default()));
        let index = Index::start(kv, dir.path().to_owned(), 0).unwrap();
        let at = Position {
            segment: 1,
            offset: 64,
            lsn: 1,
        };
        let batch = Batch::default();
        index.push(Job { at, batch });
        index.advance(1);
        assert!(index.wait_applied(1).is_err());
        assert!(suspect_path(dir.path()).exists());
        assert!(index.close().is_err());
    }
}
