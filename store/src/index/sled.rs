//! The index in sled 0.34.7, used the way that keeps it well: one tree, small values, one writer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::mpsc,
    thread,
    time::Duration,
};

use super::{IndexError, Kv, Visit, Write};

/// sled lets go of its lock some time after its handle is dropped.
const LOCK_RETRIES: u32 = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Opening an index takes no longer, unless the engine hangs.
const OPEN_TIME: Duration = Duration::from_secs(60);
/// Bytes of pages that sled keeps in memory; it counts them as they are on disk, where they take less. What
/// is looked up again and again is kept by the store, so that more makes nothing faster.
const PAGE_CACHE: u64 = 16 << 20;

/// A sled database.
pub struct SledKv {
    db: ::sled::Db,
}

impl SledKv {
    /// Opens or creates a database. sled may panic or hang on damaged files, which becomes an error
    /// here.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        let path = path.to_owned();
        within(OPEN_TIME, move || Self::open_now(&path))
    }

    fn open_now(path: &Path) -> Result<Self, IndexError> {
        let config = ::sled::Config::new()
            .path(path)
            .cache_capacity(PAGE_CACHE)
            .flush_every_ms(None);
        let mut tries = 0;
        loop {
            let opened = guarded(|| config.open());
            match opened {
                Err(IndexError(reason)) if is_lock(&reason) && tries < LOCK_RETRIES => {
                    tries += 1;
                    thread::sleep(LOCK_PAUSE);
                }
                other => return Ok(Self { db: other? }),
            }
        }
    }
}

/// Does `call` on a thread of its own, which is left alone if it takes longer than `time`.
fn within<T: Send + 'static>(
    time: Duration,
    call: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    let (done, result) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("ropewalk-index-open".into())
        .spawn(move || {
            // Nobody listens any more if it took too long; then what was opened is dropped here.
            let _ = done.send(call());
        })
        .map_err(|error| IndexError(error.to_string()))?;
    result
        .recv_timeout(time)
        .unwrap_or_else(|_| Err(IndexError("the engine does not come up".into())))
}

fn is_lock(reason: &str) -> bool {
    reason.contains("WouldBlock") || reason.contains("acquire lock")
}

/// Runs a call of sled; a panic becomes an error.
fn guarded<T>(call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| IndexError(error.to_string())),
        Err(_) => Err(IndexError("sled panicked".into())),
    }
}

impl Kv for SledKv {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let value = guarded(|| self.db.get(key))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        if from >= to {
            return Ok(());
        }
        let mut pairs = self.db.range(from..to);
        while let Some((key, value)) = guarded(|| pairs.next().transpose())? {
            visit(&key, &value)?;
        }
        Ok(())
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        let mut batch = ::sled::Batch::default();
        for write in writes {
            match write {
                Write::Put(key, value) => batch.insert(key.as_slice(), value.as_slice()),
                Write::Remove(key) => batch.remove(key.as_slice()),
            }
        }
        guarded(|| self.db.apply_batch(batch))
    }

    fn flush(&self) -> Result<(), IndexError> {
        guarded(|| self.db.flush()).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_hangs_or_panics_on_opening_becomes_an_error() {
        let hang = within(Duration::from_millis(10), || {
            thread::sleep(Duration::from_secs(1));
            Ok(())
        });
        assert!(hang.is_err());
        let panic = within(Duration::from_secs(10), || {
            guarded(|| -> ::sled::Result<()> { panic!("on purpose") })
        });
        assert!(panic.is_err());
        assert_eq!(within(Duration::from_secs(10), || Ok(7)).unwrap(), 7);
    }
}
