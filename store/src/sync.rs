//! Locks, atomics and threads: those of everyone, or in tests with the feature `shuttle` those of a
//! scheduler that tries out orders of events.
//!
//! All locks that are held over a call of another part of the store come from here: shuttle runs all
//! threads on one, which a lock that it does not know would stop for good.

#[cfg(not(all(test, feature = "shuttle")))]
mod real {
    pub use std::{sync::atomic, thread};

    pub use parking_lot::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
}

#[cfg(all(test, feature = "shuttle"))]
mod model;

#[cfg(all(test, feature = "shuttle"))]
pub use model::*;
#[cfg(not(all(test, feature = "shuttle")))]
pub use real::*;
