//! Message contents kept in memory, up to a number of bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::{Weighter, sync::Cache};
use ropewalk_props::FileTime;

use crate::{StoredMessage, log::frame::Location};

/// What an entry costs besides its bytes.
const OVERHEAD: u64 = 96;
/// A guess at the size of a message, to size the cache's tables.
const TYPICAL: usize = 4096;

#[derive(Clone)]
struct ByBytes;

impl Weighter<Location, StoredMessage> for ByBytes {
    fn weight(&self, _: &Location, message: &StoredMessage) -> u64 {
        message.bytes() as u64 + OVERHEAD
    }
}

/// Contents by where they lie in the log.
pub struct MessageCache {
    cache: Cache<Location, StoredMessage, ByBytes>,
    /// When somebody last looked for a content.
    used: AtomicU64,
}

impl MessageCache {
    /// A cache of at most about this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            cache: Cache::with_weighter(bytes / TYPICAL, bytes as u64, ByBytes),
            used: AtomicU64::new(0),
        }
    }

    /// The content at this place, if it is in memory.
    pub fn get(&self, at: Location, now: FileTime) -> Option<StoredMessage> {
        self.used.store(now.0, Ordering::Relaxed);
        self.cache.get(&at)
    }

    /// Forgets all, if nobody looked for anything since a moment.
    pub fn rest(&self, before: FileTime) {
        if self.used.load(Ordering::Relaxed) <= before.0 {
            self.cache.clear();
        }
    }

    /// True if it has nothing.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Keeps a content.
    pub fn insert(&self, at: Location, message: StoredMessage) {
        self.cache.insert(at, message);
    }
}
