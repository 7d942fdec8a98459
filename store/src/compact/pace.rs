//! How fast compaction may go, and when it has to stop.

use std::time::{Duration, Instant};

use crate::{StoreError, core::Core};

/// It waits in steps of this, to see in time that the store is being closed.
const STEP: Duration = Duration::from_millis(20);
/// Time that was not used is made up for up to this much.
const BURST: Duration = Duration::from_millis(200);

/// Keeps reads and writes to a number of bytes per second.
pub struct Pace<'a> {
    core: &'a Core,
    per_second: Option<u64>,
    /// What was spent so far is paid for then.
    paid: Instant,
    /// All that was spent.
    pub spent: u64,
}

impl<'a> Pace<'a> {
    /// At most so many bytes per second; as fast as it goes without.
    pub fn new(core: &'a Core, per_second: Option<u64>) -> Self {
        Self {
            core,
            per_second,
            paid: Instant::now(),
            spent: 0,
        }
    }

    /// From now on as fast as it goes.
    pub fn lift(&mut self) {
        self.per_second = None;
    }

    /// An error if the store is closed, or takes no changes.
    pub fn check(&self) -> Result<(), StoreError> {
        self.core.check_writable()
    }

    /// Notes that so many bytes are read or written now, and waits until that is due.
    pub fn spend(&mut self, bytes: u64) -> Result<(), StoreError> {
        // A look at the log's state costs a lock: not for every key of the index.
        let spent = self.spent.saturating_add(bytes);
        if self.spent >> 12 != spent >> 12 {
            self.check()?;
        }
        self.spent = spent;
        let Some(per_second) = self.per_second else {
            return Ok(());
        };
        let cost = Duration::from_secs_f64(bytes as f64 / per_second.max(1) as f64);
        let now = Instant::now();
        self.paid = self.paid.max(now.checked_sub(BURST).unwrap_or(now)) + cost;
        loop {
            let wait = self.paid.saturating_duration_since(Instant::now());
            // Little is put off until it is worth it.
            if wait < STEP / 4 {
                return Ok(());
            }
            self.check()?;
            std::thread::sleep(wait.min(STEP));
        }
    }
}
