//! Threads that go on with searches while nobody waits for them: as many for all searches, which
//! take turns.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use ropewalk_props::GlobCnt;
use ropewalk_store::{Mailbox, Store};

use super::{Search, chunk::Place};

/// Threads at most. They end when there is nothing to do.
const THREADS: usize = 2;

/// How long a search is worked on before the next one gets its turn.
const TURN: Duration = Duration::from_millis(50);

/// A search to go on with. It does not keep it, nor the store.
struct Job {
    store: Store,
    mailbox: Weak<Mailbox>,
    folder: GlobCnt,
    search: Weak<Search>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    threads: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    jobs: VecDeque::new(),
    threads: 0,
});

fn lock() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a search gone on with. False if it cannot be.
pub fn queue(at: Place<'_>, folder: GlobCnt, search: &Arc<Search>) -> bool {
    let Ok(mailbox) = at.store.mailbox(at.mailbox.guid()) else {
        return false;
    };
    let mut queue = lock();
    queue.jobs.push_back(Job {
        store: at.store.beside(),
        mailbox: Arc::downgrade(&mailbox),
        folder,
        search: Arc::downgrade(search),
    });
    if queue.threads < THREADS {
        let name = String::from("ropewalk-search");
        match thread::Builder::new().name(name).spawn(run) {
            Ok(_) => queue.threads += 1,
            Err(error) if queue.threads == 0 => {
                tracing::error!(%error, "no thread for a search");
                queue.jobs.pop_back();
                return false;
            }
            Err(_) => {}
        }
    }
    true
}

/// Counts a thread out, however it ends.
struct Counted;

impl Drop for Counted {
    fn drop(&mut self) {
        let mut queue = lock();
        queue.threads = queue.threads.saturating_sub(1);
    }
}

fn run() {
    let counted = Counted;
    loop {
        let mut queue = lock();
        let Some(job) = queue.jobs.pop_front() else {
            // Counted out before the next one looks whether to start a thread.
            queue.threads = queue.threads.saturating_sub(1);
            std::mem::forget(counted);
            return;
        };
        drop(queue);
        if job.take_turn() {
            lock().jobs.push_back(job);
        }
    }
}

impl Job {
    /// True if there is more to do.
    fn take_turn(&self) -> bool {
        let (Some(mailbox), Some(search)) = (self.mailbox.upgrade(), self.search.upgrade()) else {
            return false;
        };
        let at = Place {
            store: &self.store,
            mailbox: &mailbox,
        };
        let more = search.help(at, self.folder, Instant::now() + TURN);
        if !more {
            search.is_queued.store(false, Ordering::Relaxed);
        }
        more
    }
}
