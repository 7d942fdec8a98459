//! How many Execute requests run at a time. One that would be too many is delayed by its client: a busy
//! server says so with RopBackoff (MS-OXCROPS 3.2.4.2).

use std::sync::atomic::{AtomicUsize, Ordering};

/// How long a client waits before it tries again, in milliseconds.
pub const BACKOFF_MS: u32 = 1000;

/// The Execute requests that run.
pub struct Load {
    running: AtomicUsize,
    max: usize,
}

impl Load {
    /// None runs; `max` may at a time.
    pub const fn new(max: usize) -> Self {
        Self {
            running: AtomicUsize::new(0),
            max,
        }
    }

    /// One more runs, until what this returns is dropped.
    pub fn enter(&self) -> Running<'_> {
        // A count that nothing else is ordered by.
        let before = self.running.fetch_add(1, Ordering::Relaxed);
        Running {
            load: self,
            is_one_too_many: before >= self.max,
        }
    }
}

/// A request that is counted.
pub struct Running<'l> {
    load: &'l Load,
    is_one_too_many: bool,
}

impl Running<'_> {
    /// How long its client is to wait instead, in milliseconds: 0 for one that is to be executed.
    pub const fn delay(&self) -> u32 {
        if self.is_one_too_many { BACKOFF_MS } else { 0 }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.load.running.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_makes_room() {
        let load = Load::new(2);
        let (first, second) = (load.enter(), load.enter());
        assert_eq!((first.delay(), second.delay()), (0, 0));
        assert_eq!(load.enter().delay(), BACKOFF_MS);
        drop(first);
        assert_eq!(load.enter().delay(), 0);
        drop(second);
    }
}
