//! Many writers, one fsync: the first one to wait does it for all that have written so far.

use std::io;

use crate::{
    StoreError,
    sync::{Condvar, Mutex},
};

#[derive(Debug, Default)]
struct State {
    durable: u64,
    syncing: bool,
    failed: Option<String>,
}

/// How far the log is on disk, and who is seeing to the rest.
#[derive(Debug, Default)]
pub struct GroupCommit {
    state: Mutex<State>,
    changed: Condvar,
}

impl GroupCommit {
    /// Starts with everything up to `durable` on disk.
    pub fn new(durable: u64) -> Self {
        let group = Self::default();
        group.state.lock().durable = durable;
        group
    }

    /// Everything up to this frame is on disk.
    pub fn durable(&self) -> u64 {
        self.state.lock().durable
    }

    /// Notes that everything up to `lsn` is on disk.
    pub fn advance(&self, lsn: u64) {
        let mut state = self.state.lock();
        state.durable = state.durable.max(lsn);
        self.changed.notify_all();
    }

    /// Makes the log read-only for good. A failed fsync is never tried again: the kernel may have
    /// dropped the pages that it could not write, and a second call would report success.
    pub fn fail(&self, what: &str, error: &io::Error) -> StoreError {
        self.set_failed(&mut self.state.lock(), what, error)
    }

    fn set_failed(&self, state: &mut State, what: &str, error: &io::Error) -> StoreError {
        let cause = state
            .failed
            .get_or_insert_with(|| format!("{what}: {error}"))
            .clone();
        tracing::error!(%cause, "the store is read-only from now on");
        self.changed.notify_all();
        StoreError::ReadOnly { cause }
    }

    /// The error that made the log read-only, if one did.
    pub fn check(&self) -> Result<(), StoreError> {
        match &self.state.lock().failed {
            Some(cause) => Err(StoreError::ReadOnly {
                cause: cause.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Returns once everything up to `lsn` is on disk. `sync` does the fsync and returns the last
    /// frame that it covers.
    pub fn wait(
        &self,
        lsn: u64,
        sync: impl Fn() -> Result<u64, io::Error>,
    ) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        loop {
            if state.durable >= lsn {
                return Ok(());
            }
            if let Some(cause) = &state.failed {
                let cause = cause.clone();
                return Err(StoreError::ReadOnly { cause });
            }
            if state.syncing {
                self.changed.wait(&mut state);
                continue;
            }
            state.syncing = true;
            drop(state);
            let result = sync();
            state = self.state.lock();
            state.syncing = false;
            match result {
                Ok(covered) => state.durable = state.durable.max(covered),
                // Noted before the lock is let go: nobody may become the next leader.
                Err(error) => {
                    return Err(self.set_failed(&mut state, "fsync of the log failed", &error));
                }
            }
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_fsync_serves_all_who_wrote_before_it() {
        let group = GroupCommit::new(0);
        let (written, syncs) = (AtomicU64::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let lsn = written.fetch_add(1, Ordering::SeqCst) + 1;
                    let sync = || {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        let covered = written.load(Ordering::SeqCst);
                        // The first one goes on once all have written.
                        while covered == 0 || written.load(Ordering::SeqCst) < 16 {
                            std::thread::yield_now();
                        }
                        Ok(covered)
                    };
                    group.wait(lsn, sync).unwrap();
                    assert!(group.durable() >= lsn);
                });
            }
        });
        // One for those who wrote before it began, one for all others.
        assert!(syncs.load(Ordering::SeqCst) <= 2);
    }

    #[test]
    fn all_who_wait_for_an_fsync_that_fails_are_told_and_none_tries_again() {
        let group = GroupCommit::new(0);
        let (written, syncs) = (AtomicU64::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    let lsn = written.fetch_add(1, Ordering::SeqCst) + 1;
                    let sync = || {
                        syncs.fetch_add(1, Ordering::SeqCst);
                        while written.load(Ordering::SeqCst) < 16 {
                            std::thread::yield_now();
                        }
                        Err(io::Error::other("no"))
                    };
                    let refused = group.wait(lsn, sync);
                    assert!(matches!(refused, Err(StoreError::ReadOnly { .. })));
                });
            }
        });
        assert_eq!(syncs.load(Ordering::SeqCst), 1);
        assert_eq!(group.durable(), 0);
    }

    #[test]
    fn a_failed_fsync_is_final() {
        let group = GroupCommit::new(3);
        assert!(group.wait(4, || Err(io::Error::other("no"))).is_err());
        let tried_again = group.wait(5, || panic!("an fsync must not be repeated"));
        assert!(matches!(tried_again, Err(StoreError::ReadOnly { .. })));
        assert!(group.wait(3, || Ok(3)).is_ok());
        assert!(group.check().is_err());
    }
}
