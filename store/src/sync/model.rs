//! Shuttle's locks behind parking_lot's names and signatures.
//!
//! Time does not pass here: waits with a limit wait for ever, so that a wake-up which is lost is a
//! deadlock, and not one that a limit hides.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{PoisonError, TryLockError},
    time::{Duration, Instant},
};

use shuttle::sync as inner;
pub use shuttle::{sync::atomic, thread};

/// As `parking_lot::Mutex`.
#[derive(Default)]
pub struct Mutex<T>(inner::Mutex<T>);

/// As `parking_lot::MutexGuard`.
pub struct MutexGuard<'a, T>(Option<inner::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    /// A lock.
    pub fn new(value: T) -> Self {
        Self(inner::Mutex::new(value))
    }

    /// Waits for it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Takes it if nobody has it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(Some(guard))),
            Err(TryLockError::Poisoned(guard)) => Some(MutexGuard(Some(guard.into_inner()))),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mutex")
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("it is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("it is held")
    }
}

/// As `parking_lot::Condvar`.
#[derive(Default)]
pub struct Condvar(inner::Condvar);

/// As `parking_lot::WaitTimeoutResult`.
pub struct WaitTimeoutResult;

impl WaitTimeoutResult {
    /// It never is.
    pub fn timed_out(&self) -> bool {
        false
    }
}

impl Condvar {
    /// One that nobody waits for.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wakes up one who waits.
    pub fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Wakes up all who wait.
    pub fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Lets go of the lock until someone notifies.
    pub fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.0.take().expect("it is held");
        let held = self.0.wait(held).unwrap_or_else(PoisonError::into_inner);
        guard.0 = Some(held);
    }

    /// As [`Condvar::wait`].
    pub fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _: Duration) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult
    }

    /// As [`Condvar::wait`].
    pub fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> WaitTimeoutResult {
        self.wait(guard);
        WaitTimeoutResult
    }

    /// Waits as long as `condition` is true.
    pub fn wait_while<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) {
        while condition(&mut *guard) {
            self.wait(guard);
        }
    }

    /// As [`Condvar::wait_while`].
    pub fn wait_while_for<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        condition: impl FnMut(&mut T) -> bool,
        _: Duration,
    ) {
        self.wait_while(guard, condition);
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condvar")
    }
}

/// As `parking_lot::RwLock`: a writer who waits keeps new readers out, but for those who say that they
/// may have it already.
#[derive(Default)]
pub struct RwLock<T> {
    state: Mutex<Holders>,
    changed: Condvar,
    /// Always free for who the state says may have it.
    data: std::sync::RwLock<T>,
}

#[derive(Default)]
struct Holders {
    readers: usize,
    writer: bool,
    waiting: usize,
}

/// As `parking_lot::RwLockReadGuard`.
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    held: Option<std::sync::RwLockReadGuard<'a, T>>,
}

/// As `parking_lot::RwLockWriteGuard`.
pub struct RwLockWriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    held: Option<std::sync::RwLockWriteGuard<'a, T>>,
}

impl<T> RwLock<T> {
    /// A lock.
    pub fn new(value: T) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            data: std::sync::RwLock::new(value),
        }
    }

    /// Waits for writers.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.read_unless(|state| state.writer || state.waiting > 0)
    }

    /// Waits for the writer, not for those who wait.
    pub fn read_recursive(&self) -> RwLockReadGuard<'_, T> {
        self.read_unless(|state| state.writer)
    }

    fn read_unless(&self, busy: impl Fn(&Holders) -> bool) -> RwLockReadGuard<'_, T> {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| busy(state));
        state.readers += 1;
        RwLockReadGuard {
            lock: self,
            held: Some(match self.data.try_read() {
                Ok(held) => held,
                Err(TryLockError::Poisoned(held)) => held.into_inner(),
                Err(TryLockError::WouldBlock) => panic!("the state says that it is free"),
            }),
        }
    }

    /// None if others have it.
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        let mut state = self.state.lock();
        if state.writer || state.readers > 0 {
            return None;
        }
        state.writer = true;
        Some(RwLockWriteGuard {
            lock: self,
            held: Some(self.free()),
        })
    }

    /// Waits for all others.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            lock: self,
            held: Some(self.take()),
        }
    }

    fn take(&self) -> std::sync::RwLockWriteGuard<'_, T> {
        let mut state = self.state.lock();
        state.waiting += 1;
        let busy = |state: &mut Holders| state.writer || state.readers > 0;
        self.changed.wait_while(&mut state, busy);
        state.waiting -= 1;
        state.writer = true;
        self.free()
    }

    /// The data, which the state says is free.
    fn free(&self) -> std::sync::RwLockWriteGuard<'_, T> {
        match self.data.try_write() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(held)) => held.into_inner(),
            Err(TryLockError::WouldBlock) => panic!("the state says that it is free"),
        }
    }

    fn let_go(&self, change: impl FnOnce(&mut Holders)) {
        change(&mut self.state.lock());
        self.changed.notify_all();
    }
}

impl<T> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RwLock")
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        self.held = None;
        self.lock.let_go(|state| state.readers -= 1);
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if self.held.take().is_some() {
            self.lock.let_go(|state| state.writer = false);
        }
    }
}

impl<T> RwLockWriteGuard<'_, T> {
    /// Lets go of the lock while `call` runs.
    pub fn unlocked_fair<U>(guard: &mut Self, call: impl FnOnce() -> U) -> U {
        guard.held = None;
        guard.lock.let_go(|state| state.writer = false);
        let result = call();
        guard.held = Some(guard.lock.take());
        result
    }
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("it is held")
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().expect("it is held")
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().expect("it is held")
    }
}
