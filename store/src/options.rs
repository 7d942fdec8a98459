//! How a store is opened.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Clock, SystemClock};

/// When a change counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Durability {
    /// Once it is on disk. The only choice for real mail.
    #[default]
    Always,
    /// Once it is handed to the operating system, which is told to write at least this often.
    Interval(Duration),
    /// Once it is handed to the operating system.
    None,
}

/// Where the index is kept. It can always be rebuilt from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IndexKind {
    /// In sled, in the store's directory.
    #[default]
    Sled,
    /// In memory: built anew from the whole log at every start.
    Memory,
}

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// When a change counts as done.
    pub durability: Durability,
    /// Where the index is kept.
    pub index: IndexKind,
    /// Bytes of message content to keep in memory.
    pub cache_bytes: usize,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Always,
            index: IndexKind::Sled,
            cache_bytes: 64 << 20,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("durability", &self.durability)
            .field("index", &self.index)
            .field("cache_bytes", &self.cache_bytes)
            .finish_non_exhaustive()
    }
}
