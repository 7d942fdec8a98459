//! How a store is opened.

use std::{fmt, sync::Arc, time::Duration};

use crate::{Clock, Compaction, MasterKey, SystemClock};

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
    /// Open a store on a network file system. Only for one whose locks hold and whose fsync means what
    /// it says.
    pub allow_network: bool,
    /// Go on although the index proves that the end of the log is missing
    /// ([`OpenError::LogEndsEarly`](crate::OpenError::LogEndsEarly)). What is missing cannot be put back
    /// afterwards.
    pub accept_loss: bool,
    /// How long folders' messages and messages' contents stay in memory that nobody looks at.
    pub idle: Duration,
    /// After what time soft-deleted messages and folders are deleted for good; `None` for never.
    pub retention: Option<Duration>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The user's key of an encrypted store. A store that is not encrypted is from the first opening
    /// with a key on: what is written then and later; what was there before, once it is packed anew.
    pub master_key: Option<MasterKey>,
    /// Makes another data key for all that is written from now on. Nothing without a master key.
    pub new_data_key: bool,
    /// When the space of what is not in use is given back.
    pub compaction: Compaction,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Always,
            index: IndexKind::Sled,
            cache_bytes: 64 << 20,
            allow_network: false,
            accept_loss: false,
            idle: Duration::from_secs(600),
            retention: Some(Duration::from_secs(14 * 24 * 3600)),
            clock: Arc::new(SystemClock),
            master_key: None,
            new_data_key: false,
            compaction: Compaction::default(),
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("durability", &self.durability)
            .field("index", &self.index)
            .field("cache_bytes", &self.cache_bytes)
            .field("encrypted", &self.master_key.is_some())
            .field("idle", &self.idle)
            .field("retention", &self.retention)
            .field("compaction", &self.compaction)
            .finish_non_exhaustive()
    }
}
