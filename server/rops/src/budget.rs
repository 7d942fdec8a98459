//! What the open objects of one session may keep in memory, all together, and what those of many
//! sessions may.
//!
//! A request of a few bytes can make the server copy a message of megabytes, as often as there are
//! handles, in as many sessions as there may be. Each object that holds something large therefore
//! has a share of its session's budget, which is a part of a [`Pool`] that sessions have in common,
//! and gives it back when it is released.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ropewalk_wire::ErrorCode;

use super::limits::SESSION_BYTES_MAX;

/// Bytes of memory that may be in use at a time, within those of another pool.
#[derive(Debug)]
pub struct Pool {
    used: AtomicUsize,
    max: usize,
    whole: Option<Arc<Self>>,
}

impl Pool {
    /// So many bytes.
    pub const fn new(max: usize) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
            whole: None,
        }
    }

    /// So many bytes of a larger pool.
    pub const fn within(max: usize, whole: Arc<Self>) -> Self {
        Self {
            used: AtomicUsize::new(0),
            max,
            whole: Some(whole),
        }
    }

    /// Bytes in use.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// An empty share.
    pub fn share(self: &Arc<Self>) -> Share {
        Share {
            pool: Arc::clone(self),
            bytes: 0,
        }
    }

    /// Takes bytes from this pool and all around it, or from none; true if there were enough.
    fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.max);
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        if taken.is_err() {
            return false;
        }
        if self.whole.as_ref().is_some_and(|whole| !whole.take(bytes)) {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
            return false;
        }
        true
    }

    /// Gives back what was taken.
    fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(whole) = &self.whole {
            whole.give(bytes);
        }
    }
}

/// The budget of a session.
#[derive(Debug)]
pub struct Budget(Arc<Pool>);

/// What one object has of it.
#[derive(Debug)]
pub struct Share {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Default for Budget {
    /// That of a session which shares it with no other.
    fn default() -> Self {
        Self(Arc::new(Pool::new(SESSION_BYTES_MAX)))
    }
}

impl Budget {
    /// That of a session which shares `pool` with others.
    pub fn within(pool: Arc<Pool>) -> Self {
        Self(Arc::new(Pool::within(SESSION_BYTES_MAX, pool)))
    }

    /// An empty share.
    pub fn share(&self) -> Share {
        self.0.share()
    }
}

impl Share {
    /// Takes or gives back, so that the share is `bytes`; `ecMAPIOOM`, and no change, if the
    /// session, or those that it shares with, have no more.
    pub fn resize(&mut self, bytes: usize) -> Result<(), ErrorCode> {
        match bytes.checked_sub(self.bytes) {
            Some(more) if !self.pool.take(more) => return Err(ErrorCode::NOT_ENOUGH_MEMORY),
            Some(_) => {}
            None => self.pool.give(self.bytes.saturating_sub(bytes)),
        }
        self.bytes = bytes;
        Ok(())
    }

    /// An empty one of the same budget.
    pub fn beside(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            bytes: 0,
        }
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
        self.pool.give(self.bytes);
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

    #[test]
    fn sessions_share_what_is_around_them() {
        let server = Arc::new(Pool::new(100));
        let user = Arc::new(Pool::within(60, Arc::clone(&server)));
        let (one, two) = (
            Budget::within(Arc::clone(&user)),
            Budget::within(Arc::clone(&user)),
        );
        let other = Budget::within(Arc::clone(&server));
        let mut of_one = one.share();
        let mut of_two = two.share();
        let mut of_other = other.share();
        assert_eq!(of_one.resize(40), Ok(()));
        assert_eq!(of_two.resize(21), Err(ErrorCode::NOT_ENOUGH_MEMORY));
        assert_eq!(of_two.resize(20), Ok(()));
        assert_eq!(of_other.resize(41), Err(ErrorCode::NOT_ENOUGH_MEMORY));
        assert_eq!(of_other.resize(40), Ok(()));
        assert_eq!((user.used(), server.used()), (60, 100));
        // What was refused has left nothing behind.
        assert_eq!(of_one.resize(10), Ok(()));
        assert_eq!((user.used(), server.used()), (30, 70));
        drop((of_one, of_two));
        assert_eq!((user.used(), server.used()), (0, 40));
        drop(of_other);
        assert_eq!(server.used(), 0);
    }
}
