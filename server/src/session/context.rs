//! One session context: whose turn it is.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use ropewalk_props::Guid;
use ropewalk_wire::mapihttp::{Endpoint, ResponseCode};
use tokio::sync::watch;

use super::{
    clock::Clock,
    cookie::{ContextId, Cookies, Presented},
};

/// A session context with the state `P` of its endpoint.
pub struct Context<P> {
    id: ContextId,
    endpoint: Endpoint,
    /// The mailbox of the user who made it.
    owner: Guid,
    clock: Arc<dyn Clock>,
    payload: Mutex<P>,
    state: Mutex<State>,
    /// The number of the latest wait, the only one that goes on.
    latest_wait: watch::Sender<u64>,
}

struct State {
    /// What the next request has to present.
    sequence: u64,
    /// A request is being executed.
    busy: bool,
    /// The client has been told the sequence after it already.
    told: bool,
    /// Waits for notifications under way.
    waiting: usize,
    /// When the last request ended.
    idle_since: Instant,
    /// No request may begin any more.
    gone: bool,
}

impl<P> Context<P> {
    pub(super) fn new(
        id: ContextId,
        endpoint: Endpoint,
        owner: Guid,
        payload: P,
        clock: Arc<dyn Clock>,
        sequence: u64,
    ) -> Self {
        Self {
            id,
            endpoint,
            owner,
            payload: Mutex::new(payload),
            state: Mutex::new(State {
                sequence,
                busy: false,
                told: false,
                waiting: 0,
                idle_since: clock.now(),
                gone: false,
            }),
            clock,
            latest_wait: watch::Sender::new(0),
        }
    }

    /// What names it to its client.
    pub fn id(&self) -> ContextId {
        self.id
    }

    /// The endpoint that made it.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The mailbox of the user who made it.
    pub fn owner(&self) -> Guid {
        self.owner
    }

    /// The sequence that the next request has to present.
    pub fn sequence(&self) -> u64 {
        self.state.lock().sequence
    }

    /// The endpoint's state. Only the request whose turn it is takes the lock, so it never waits.
    pub fn payload(&self) -> MutexGuard<'_, P> {
        self.payload.lock()
    }

    /// Starts a request. [`ResponseCode::InvalidSequence`] if another one is under way or this is
    /// not the next one (MS-OXCMAPIHTTP 2.2.3.3.3). A client that lost the response to a request
    /// connects anew (3.1.7.2), so no response is kept.
    pub(super) fn begin(self: Arc<Self>, cookies: &Cookies) -> Result<Turn<P>, ResponseCode> {
        let presented = match cookies.sequence {
            Presented::Missing => return Err(ResponseCode::MissingCookie),
            Presented::Malformed => return Err(ResponseCode::InvalidContextCookie),
            Presented::Value(sequence) => sequence,
        };
        let mut state = self.state.lock();
        if state.gone {
            return Err(ResponseCode::ContextNotFound);
        }
        if state.busy || presented != state.sequence {
            return Err(ResponseCode::InvalidSequence);
        }
        state.busy = true;
        drop(state);
        Ok(Turn {
            sequence: presented,
            context: self,
            rotate: false,
        })
    }

    /// Starts to wait for notifications, which may go on beside a request. An earlier wait ends.
    pub(super) fn begin_wait(self: Arc<Self>) -> Result<Wait<P>, ResponseCode> {
        let mut number = 0;
        {
            let mut state = self.state.lock();
            if state.gone {
                return Err(ResponseCode::ContextNotFound);
            }
            state.waiting += 1;
            // Under the lock, so that an end that comes later is seen as one.
            self.latest_wait.send_modify(|latest| {
                *latest = latest.wrapping_add(1);
                number = *latest;
            });
        }
        Ok(Wait {
            latest: self.latest_wait.subscribe(),
            context: self,
            number,
        })
    }

    /// The sequence of the next request, for a response that begins while the request that
    /// presented `sequence` is being executed: the sequence moves on whatever comes of it. `None`
    /// if that request has ended.
    pub fn promise_next(&self, sequence: u64) -> Option<u64> {
        let mut state = self.state.lock();
        if !state.busy || state.sequence != sequence {
            return None;
        }
        state.told = true;
        Some(next(sequence))
    }

    /// The idle time begins anew, as after a PING.
    pub(super) fn touch(&self) {
        self.state.lock().idle_since = self.clock.now();
    }

    /// Whether it has been idle for that long at `now`, or has ended.
    pub(super) fn is_expired(&self, now: Instant, timeout: Duration) -> bool {
        let state = self.state.lock();
        let idle = !state.busy
            && state.waiting == 0
            && now.saturating_duration_since(state.idle_since) >= timeout;
        idle || state.gone
    }

    /// No request begins any more, and waits end; a request under way finishes.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.gone = true;
        self.latest_wait
            .send_modify(|latest| *latest = latest.wrapping_add(1));
    }
}

fn next(sequence: u64) -> u64 {
    sequence.wrapping_add(1)
}

/// The right to execute a request; the next one can begin when it is dropped. A panic while it is
/// held ends the session context.
pub struct Turn<P> {
    context: Arc<Context<P>>,
    sequence: u64,
    rotate: bool,
}

impl<P> Turn<P> {
    /// The session context.
    pub fn context(&self) -> &Arc<Context<P>> {
        &self.context
    }

    /// The sequence that this request presented.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The sequence of the next request, once this one is executed.
    pub fn next_sequence(&self) -> u64 {
        next(self.sequence)
    }

    /// The request is executed: the sequence moves on.
    pub fn finish(mut self) {
        self.rotate = true;
    }
}

impl<P> Drop for Turn<P> {
    fn drop(&mut self) {
        let now = self.context.clock.now();
        let mut state = self.context.state.lock();
        if self.rotate || state.told {
            state.sequence = next(self.sequence);
        }
        if thread::panicking() {
            // Nobody knows in what state the request has left it.
            state.gone = true;
        }
        state.told = false;
        state.busy = false;
        state.idle_since = now;
    }
}

/// A wait for notifications.
pub struct Wait<P> {
    context: Arc<Context<P>>,
    number: u64,
    latest: watch::Receiver<u64>,
}

impl<P> Wait<P> {
    /// The session context.
    pub fn context(&self) -> &Arc<Context<P>> {
        &self.context
    }

    /// Returns when the session context ends or another wait takes this one's place.
    pub async fn cancelled(&mut self) {
        // The sender lives in the context, which lives as long as this.
        let number = self.number;
        let _ = self.latest.wait_for(|latest| *latest != number).await;
    }
}

impl<P> Drop for Wait<P> {
    fn drop(&mut self) {
        let now = self.context.clock.now();
        let mut state = self.context.state.lock();
        state.waiting = state.waiting.saturating_sub(1);
        state.idle_since = now;
    }
}
