//! Message contents kept in memory, up to a number of bytes.

use quick_cache::{Weighter, sync::Cache};

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
}

impl MessageCache {
    /// A cache of at most about this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            cache: Cache::with_weighter(bytes / TYPICAL, bytes as u64, ByBytes),
        }
    }

    /// The content at this place, if it is in memory.
    pub fn get(&self, at: Location) -> Option<StoredMessage> {
        self.cache.get(&at)
    }

    /// Keeps a content.
    pub fn insert(&self, at: Location, message: StoredMessage) {
        self.cache.insert(at, message);
    }
}
