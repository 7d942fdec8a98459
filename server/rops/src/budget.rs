//! What the open objects of one session may keep in memory, all together.
//!
//! A request of a few bytes can make the server copy a message of megabytes, as often as there are
//! handles. Each object that holds something large therefore has a share of its session's budget,
//! and gives it back when it is released.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ropewalk_wire::ErrorCode;

use super::limits::SESSION_BYTES_MAX;

/// The budget of a session.
#[derive(Debug, Default)]
pub struct Budget {
    used: Arc<AtomicUsize>,
}

/// What one object has of it.
#[derive(Debug)]
pub struct Share {
    used: Arc<AtomicUsize>,
    bytes: usize,
}

impl Budget {
    /// An empty share.
    pub fn share(&self) -> Share {
        Share {
            used: Arc::clone(&self.used),
            bytes: 0,
        }
    }
}

impl Share {
    /// Takes or gives back, so that the share is `bytes`; `ecMAPIOOM`, and no change, if the
    /// session has no more.
    pub fn resize(&mut self, bytes: usize) -> Result<(), ErrorCode> {
        // A session executes one request at a time, so nobody else takes in between.
        let others = self.used.load(Ordering::Relaxed).saturating_sub(self.bytes);
        let total = others.saturating_add(bytes);
        if bytes > self.bytes && total > SESSION_BYTES_MAX {
            return Err(ErrorCode::NOT_ENOUGH_MEMORY);
        }
        self.used.store(total, Ordering::Relaxed);
        self.bytes = bytes;
        Ok(())
    }

    /// As [`Share::resize`], but never gives back.
    pub fn grow(&mut self, bytes: usize) -> Result<(), ErrorCode> {
        if bytes > self.bytes {
            self.resize(bytes)
        } else {
            Ok(())
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let left = self.used.load(Ordering::Relaxed).saturating_sub(self.bytes);
        self.used.store(left, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_taken_up_to_the_bound_and_given_back() {
        let budget = Budget::default();
        let (mut one, mut two) = (budget.share(), budget.share());
        assert_eq!(one.resize(SESSION_BYTES_MAX - 10), Ok(()));
        assert_eq!(two.resize(11), Err(ErrorCode::NOT_ENOUGH_MEMORY));
        assert_eq!(two.resize(10), Ok(()));
        assert_eq!(one.grow(5), Ok(()));
        assert_eq!(two.grow(11), Err(ErrorCode::NOT_ENOUGH_MEMORY));
        drop(one);
        assert_eq!(two.grow(SESSION_BYTES_MAX), Ok(()));
    }
}
