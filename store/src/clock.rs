//! Time, so that tests can own it.

use std::time::SystemTime;

use ropewalk_props::FileTime;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> FileTime;
}

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> FileTime {
        SystemTime::now().into()
    }
}
