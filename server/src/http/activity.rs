//! Whether a connection is idle.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;

/// The requests of one connection.
#[derive(Clone)]
pub struct Activity(Arc<Mutex<State>>);

struct State {
    under_way: usize,
    any_yet: bool,
    last_end: Instant,
}

/// A request under way, until the end of its response.
pub struct UnderWay(Activity);

impl Activity {
    /// No request yet.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            under_way: 0,
            any_yet: false,
            last_end: Instant::now(),
        })))
    }

    /// A request has come.
    pub fn begin(&self) -> UnderWay {
        let mut state = self.0.lock();
        state.under_way += 1;
        state.any_yet = true;
        UnderWay(self.clone())
    }

    /// Since when there has been no request; `None` while there is one.
    pub fn idle_since(&self) -> Option<Instant> {
        let state = self.0.lock();
        (state.under_way == 0).then_some(state.last_end)
    }

    /// Whether there has been a request.
    pub fn any_yet(&self) -> bool {
        self.0.lock().any_yet
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut state = self.0.0.lock();
        state.under_way = state.under_way.saturating_sub(1);
        state.last_end = Instant::now();
    }
}
