//! What a server is, and which part of it answers a request.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode, Uri, Version,
    body::Body,
    header::{AUTHORIZATION, HOST, HeaderValue, WWW_AUTHENTICATE},
};
use ropewalk_store::Store;
use tokio::sync::{Semaphore, watch};

use super::{
    BindError, ServeConfig, Timing, autodiscover, body,
    load::Load,
    mapi,
    payload::Payload,
    reply::{self, Constant, ReplyBody},
    route::Route,
};
use crate::{
    auth::{self, Authenticator},
    autodiscover::urls::Urls,
    session::{Clock, Memory, Sessions},
};

/// How often session contexts are looked through for expired ones, at most.
const REAP_PERIOD: Duration = Duration::from_secs(30);

/// Everything that requests share.
pub struct Server {
    /// The users and their mailboxes.
    pub store: Store,
    /// All session contexts.
    pub sessions: Sessions<Payload>,
    /// What their objects keep in memory.
    pub memory: Memory,
    /// The Execute requests that run.
    pub load: Load,
    /// How long things may take.
    pub timing: Timing,
    /// The host that clients are told to use, if it is configured.
    public_host: Option<String>,
    /// Header values of all responses.
    pub constant: Constant,
    auth: Authenticator,
    /// One for each large request body that may be in memory.
    pub large_bodies: Semaphore,
    stopping: AtomicBool,
}

impl Server {
    /// A server without session contexts.
    pub fn new(config: &ServeConfig, clock: Arc<dyn Clock>) -> Result<Self, BindError> {
        Ok(Self {
            auth: Authenticator::new(config.store.clone())?,
            store: config.store.clone(),
            sessions: Sessions::new(config.contexts, clock),
            memory: Memory::new(config.contexts.memory),
            load: Load::new(config.running_requests),
            timing: config.timing,
            public_host: config.public_host.clone(),
            constant: Constant {
                pending_period: millis(config.timing.pending_period).into(),
                expiration_info: millis(config.contexts.idle_timeout).into(),
            },
            large_bodies: Semaphore::new(mapi::LARGE_BODIES_MAX),
            stopping: AtomicBool::new(false),
        })
    }

    /// Answers a request that came over TLS or not.
    pub async fn answer<B>(
        self: Arc<Self>,
        request: Request<B>,
        secure: bool,
    ) -> Response<ReplyBody>
    where
        B: Body<Data = Bytes>,
    {
        if !one_host(&request) {
            body::discard(request.into_body(), self.timing.body).await;
            let sentence = "a request has exactly one Host header";
            return reply::plain(StatusCode::BAD_REQUEST, sentence);
        }
        let route = Route::of(request.uri().path());
        if matches!(route, Route::Unknown | Route::UnknownMapi) {
            body::discard(request.into_body(), self.timing.body).await;
            let sentence = "there is nothing under this path";
            let mut response = reply::plain(StatusCode::NOT_FOUND, sentence);
            if route == Route::UnknownMapi {
                // MS-OXCMAPIHTTP 2.2.3.3.3: Invalid Path.
                let invalid_path = ropewalk_wire::mapihttp::ResponseCode::InvalidPath;
                response
                    .headers_mut()
                    .insert(reply::X_RESPONSE_CODE, invalid_path.number().into());
            }
            return response;
        }
        if route == Route::AutodiscoverJson {
            return autodiscover::answer_json(&self, request, secure).await;
        }
        let user = match self
            .auth
            .authenticate(request.headers().get(AUTHORIZATION))
            .await
        {
            Ok(user) => user,
            Err(refused) => {
                body::discard(request.into_body(), self.timing.body).await;
                return unauthorized(refused);
            }
        };
        match route {
            Route::Mapi(endpoint) => mapi::answer(&self, endpoint, user, request, secure).await,
            _ => autodiscover::answer_xml(&self, request, secure).await,
        }
    }

    /// Where a client that used this host is told to go; `None` if that is no host.
    pub fn urls(&self, host: Option<&str>, secure: bool) -> Option<Urls> {
        Urls::new(self.public_host.as_deref(), host, secure)
    }

    /// Whether new requests are refused.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends all session contexts and refuses requests that come from now on.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.sessions.clear();
    }
}

/// Whole milliseconds.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// RFC 7617 2.
fn unauthorized(refused: auth::Refused) -> Response<ReplyBody> {
    if refused == auth::Refused::Busy {
        return reply::busy(&refused.to_string());
    }
    let mut response = reply::plain(StatusCode::UNAUTHORIZED, &refused.to_string());
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static(auth::CHALLENGE));
    if refused == auth::Refused::Wrong {
        response.extensions_mut().insert(WrongPassword);
    }
    response
}

/// Marks the response to a request with a wrong password for the log, which names the peer.
#[derive(Clone, Copy)]
pub struct WrongPassword;

/// RFC 9112 3.2: a server in front of this one may have gone by another Host header than this one
/// would.
fn one_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let first = hosts.next().is_some() || request.version() != Version::HTTP_11;
    first && hosts.next().is_none()
}

/// The host, perhaps with a port, that a request was sent to.
pub fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    // HTTP/2 has it in the URI.
    let authority = uri
        .authority()
        .map(|authority| authority.as_str().to_owned());
    authority.or_else(|| Some(headers.get(HOST)?.to_str().ok()?.to_owned()))
}

/// Ends session contexts that have been idle for too long, until `stopped` becomes true.
pub async fn reap_contexts(server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    let period =
        (server.sessions.limits().idle_timeout / 4).clamp(Duration::from_millis(100), REAP_PERIOD);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = tokio::time::sleep(period) => {
                let store = &server.store;
                server.sessions.reap(|owner| store.user_by_mailbox(owner).is_some());
            }
        }
    }
}

/// Ends all session contexts, and with them the waits for notifications, once `stopped` is true.
pub async fn end_contexts(server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    // An error is a stop as well: nobody is left who could say so.
    let _ = stopped.wait_for(|stopped| *stopped).await;
    server.stop();
}

/// How far ahead the runtime looks for the next timer at most.
const TIMER_PERIOD: Duration = Duration::from_millis(250);

/// Keeps a timer that is always due sooner than those of requests, until `stopped` becomes true.
///
/// A timer that is due before all others makes tokio wake the thread that sleeps in `epoll_wait`,
/// which costs a request that hardly ever needs its time-outs two system calls and a thread switch
/// for each (`benches/execute.rs`).
pub async fn keep_time(mut stopped: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TIMER_PERIOD);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
    }
}
