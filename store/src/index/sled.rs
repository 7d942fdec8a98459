//! The index in sled 0.34.7, used the way that keeps it well: one tree, small values, one writer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    thread,
    time::Duration,
};

use super::{IndexError, Kv, Visit, Write};

/// sled lets go of its lock some time after its handle is dropped.
const LOCK_RETRIES: u32 = 60;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of pages that sled keeps in memory.
const PAGE_CACHE: u64 = 64 << 20;

/// A sled database.
pub struct SledKv {
    db: ::sled::Db,
}

impl SledKv {
    /// Opens or creates a database. sled may panic on damaged files, which becomes an error here.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
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
