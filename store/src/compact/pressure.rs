//! Holding writers back when they make garbage faster than compaction can give it back.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

/// How long a commit is held back at most, in milliseconds.
const LONGEST: u64 = 200;
/// And at least, if it is.
const SHORTEST: u64 = 5;

/// How long each commit waits before it begins.
#[derive(Debug, Default)]
pub struct Pressure {
    millis: AtomicU32,
    /// What the last run found to be in use or could not rewrite: waiting does not give that back.
    floor: AtomicU64,
}

impl Pressure {
    /// Holds the caller back if there is pressure. The caller holds no lock that others need.
    pub fn wait(&self) {
        let millis = self.millis.load(Ordering::Relaxed);
        if millis > 0 {
            std::thread::sleep(Duration::from_millis(u64::from(millis)));
        }
    }

    /// Compaction can do no more: nobody waits for it.
    pub fn lift(&self) {
        self.millis.store(0, Ordering::Relaxed);
    }

    /// A run ended that could not give back so many bytes.
    pub fn ran(&self, bytes: u64) {
        self.floor.store(bytes, Ordering::Relaxed);
    }

    /// The files take `bytes`, of which `live` are in use. Beyond twice that, and two segments, a commit
    /// waits, the longer the more it is.
    pub fn set(&self, bytes: u64, live: u64, segment: u64) {
        let floor = self.floor.load(Ordering::Relaxed);
        let fair = (live.saturating_mul(2)).max(floor + floor / 4) + 2 * segment;
        let over = bytes.saturating_sub(fair);
        let millis = match over {
            0 => 0,
            over => {
                let millis = over.saturating_mul(100) / (live + segment).max(1);
                millis.clamp(SHORTEST, LONGEST)
            }
        };
        self.millis.store(millis as u32, Ordering::Relaxed);
    }

    /// Whether commits are held back.
    pub fn is_on(&self) -> bool {
        self.millis.load(Ordering::Relaxed) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_wait_the_longer_the_more_there_is_to_give_back_and_not_for_what_cannot_be() {
        let pressure = Pressure::default();
        let millis = |bytes, live| {
            pressure.set(bytes, live, 64);
            pressure.millis.load(Ordering::Relaxed)
        };
        assert_eq!(millis(2 * 1000 + 128, 1000), 0);
        assert_eq!(millis(2 * 1000 + 129, 1000), 5);
        let (some, more) = (millis(3000, 1000), millis(4000, 1000));
        assert!(5 < some && some < more && more < 200, "{some} {more}");
        assert_eq!(millis(u64::MAX, 1000), 200);
        assert!(pressure.is_on());
        // A run could give back no more than this.
        pressure.ran(10_000);
        assert_eq!(millis(12_000, 1000), 0);
        assert_eq!(millis(13_000, 1000), 34);
        pressure.lift();
        assert!(!pressure.is_on());
        pressure.wait();
    }
}
