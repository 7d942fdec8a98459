//! All session contexts.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use ropewalk_props::Guid;
use ropewalk_wire::mapihttp::{Endpoint, ResponseCode};

use super::{
    clock::Clock,
    context::{Context, Turn, Wait},
    cookie::{ContextId, Cookies, Presented},
};

/// What session contexts may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long one without requests lives.
    pub idle_timeout: Duration,
    /// How many one user may have.
    pub per_user: usize,
    /// How many there may be.
    pub total: usize,
    /// Bytes that the objects of all of them keep in memory; those of one user's half as many.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle_timeout: Duration::from_secs(15 * 60),
            per_user: 1024,
            total: 16_384,
            memory: 1 << 30,
        }
    }
}

/// Why no session context was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMany {
    /// The user has as many as one user may have.
    #[error("the user has too many sessions")]
    OfUser,
    /// There are as many as there may be.
    #[error("there are too many sessions")]
    InTotal,
    /// The system gave no random numbers to name it.
    #[error("no random numbers: {0}")]
    Random(getrandom::Error),
}

/// The session contexts of a server.
pub struct Sessions<P> {
    limits: Limits,
    clock: Arc<dyn Clock>,
    table: Mutex<Table<P>>,
}

struct Table<P> {
    contexts: HashMap<ContextId, Arc<Context<P>>>,
    /// How many each user has; nobody with none is in it.
    per_user: HashMap<Guid, usize>,
}

impl<P> Sessions<P> {
    /// None yet.
    pub fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            table: Mutex::new(Table {
                contexts: HashMap::new(),
                per_user: HashMap::new(),
            }),
        }
    }

    /// What they may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes one.
    pub fn create(
        &self,
        endpoint: Endpoint,
        owner: Guid,
        payload: P,
    ) -> Result<Arc<Context<P>>, TooMany> {
        let id = ContextId::random().map_err(TooMany::Random)?;
        let sequence = getrandom::u64().map_err(TooMany::Random)?;
        let clock = Arc::clone(&self.clock);
        let context = Context::new(id, endpoint, owner, payload, clock, sequence);
        let context = Arc::new(context);
        let mut table = self.table.lock();
        if table.contexts.len() >= self.limits.total {
            return Err(TooMany::InTotal);
        }
        let count = table.per_user.get(&owner).copied().unwrap_or(0);
        if count >= self.limits.per_user {
            return Err(TooMany::OfUser);
        }
        table.per_user.insert(owner, count + 1);
        table.contexts.insert(id, Arc::clone(&context));
        Ok(context)
    }

    /// The session context of a cookie, if it is this user's at this endpoint. It says the same of
    /// one that never was and of another user's (MS-OXCMAPIHTTP 2.2.3.3.3).
    pub fn find(
        &self,
        endpoint: Endpoint,
        owner: Guid,
        cookie: Presented<ContextId>,
    ) -> Result<Arc<Context<P>>, ResponseCode> {
        let id = match cookie {
            Presented::Missing => return Err(ResponseCode::MissingCookie),
            Presented::Malformed => return Err(ResponseCode::InvalidContextCookie),
            Presented::Value(id) => id,
        };
        let found = self.table.lock().contexts.get(&id).cloned();
        let context = found
            .filter(|context| context.endpoint() == endpoint && context.owner() == owner)
            .ok_or(ResponseCode::ContextNotFound)?;
        if context.is_expired(self.clock.now(), self.limits.idle_timeout) {
            self.remove(&context);
            return Err(ResponseCode::ContextNotFound);
        }
        Ok(context)
    }

    /// Starts a request of a session context.
    pub fn begin(
        &self,
        endpoint: Endpoint,
        owner: Guid,
        cookies: &Cookies,
    ) -> Result<Turn<P>, ResponseCode> {
        let context = self.find(endpoint, owner, cookies.context)?;
        context.begin(cookies)
    }

    /// Starts to wait for notifications of a session context.
    pub fn begin_wait(
        &self,
        endpoint: Endpoint,
        owner: Guid,
        cookies: &Cookies,
    ) -> Result<Wait<P>, ResponseCode> {
        let context = self.find(endpoint, owner, cookies.context)?;
        context.begin_wait()
    }

    /// A PING with cookies: the session context's idle time begins anew.
    pub fn touch(
        &self,
        endpoint: Endpoint,
        owner: Guid,
        cookies: &Cookies,
    ) -> Result<Arc<Context<P>>, ResponseCode> {
        let context = self.find(endpoint, owner, cookies.context)?;
        context.touch();
        Ok(context)
    }

    /// Ends one. A request under way finishes.
    pub fn remove(&self, context: &Context<P>) {
        // Dropped after the lock is released: its objects may be many.
        let removed = {
            let mut table = self.table.lock();
            let removed = table.contexts.remove(&context.id());
            if removed.is_some() {
                table.uncount(context.owner());
            }
            removed
        };
        context.end();
        drop(removed);
    }

    /// Ends those that have been idle for too long and those whose owner does not exist any more.
    pub fn reap(&self, owner_exists: impl Fn(Guid) -> bool) {
        let now = self.clock.now();
        let all: Vec<_> = self.table.lock().contexts.values().cloned().collect();
        for context in all {
            if context.is_expired(now, self.limits.idle_timeout) || !owner_exists(context.owner()) {
                self.remove(&context);
            }
        }
    }

    /// Ends all.
    pub fn clear(&self) {
        self.reap(|_| false);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.lock().contexts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<P> Table<P> {
    fn uncount(&mut self, owner: Guid) {
        if let Some(count) = self.per_user.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.per_user.remove(&owner);
            }
        }
    }
}
