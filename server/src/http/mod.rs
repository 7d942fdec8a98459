//! HTTP: listeners, connections, and from a request to its response.
//!
//! [`service`] routes and authenticates, [`mapi`] holds requests to MS-OXCMAPIHTTP and finds their
//! session contexts, [`mailbox`] and [`address_book`] are the two endpoints. [`autodiscover`] is the
//! way to them.

mod activity;
mod address_book;
mod autodiscover;
mod body;
mod connection;
mod deliver;
mod listen;
mod load;
mod mailbox;
mod mapi;
mod payload;
mod reply;
mod route;
mod service;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use ropewalk_store::Store;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::{
    config,
    session::{self, SystemClock},
};
use service::Server;

pub use tls::TlsError;

/// What to serve, and where.
pub struct ServeConfig {
    /// Where plain HTTP is served; port 0 takes a free port.
    pub http: SocketAddr,
    /// Where HTTPS is served; port 0 takes a free port.
    pub https: SocketAddr,
    /// The certificate; without one a self-signed one is made.
    pub tls: config::Tls,
    /// Where the self-signed certificate is kept.
    pub data_dir: PathBuf,
    /// The host that clients are told to use, in place of the one that they came with.
    pub public_host: Option<String>,
    /// What session contexts may take.
    pub contexts: session::Limits,
    /// Execute requests that may run at a time.
    pub running_requests: usize,
    /// How long things may take.
    pub timing: Timing,
    /// The users and their mailboxes.
    pub store: Store,
}

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From the connection, through the TLS handshake, to the end of the first request's headers.
    pub first_request: Duration,
    /// A connection without a request under way.
    pub idle: Duration,
    /// The body of a request.
    pub body: Duration,
    /// A response that comes whole; one that takes longer begins without its body
    /// (MS-OXCMAPIHTTP 2.2.7).
    pub prompt: Duration,
    /// Between two PENDING tags.
    pub pending_period: Duration,
    /// A NotificationWait without events (MS-OXCMAPIHTTP 2.2.4.4).
    pub notification_wait: Duration,
    /// What one request does of an asynchronous ROP.
    pub asynchronous_slice: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            first_request: Duration::from_secs(20),
            idle: Duration::from_secs(5 * 60),
            body: Duration::from_secs(60),
            prompt: Duration::from_secs(1),
            pending_period: Duration::from_secs(15),
            notification_wait: Duration::from_secs(5 * 60),
            asynchronous_slice: ropewalk_rops::Slice::default().time,
        }
    }
}

/// Why it cannot be served. Each message is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose another with {option}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The option that chooses it.
        option: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system has no random numbers for keys.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

/// Listening sockets, not yet served.
pub struct Bound {
    http: (TcpListener, SocketAddr),
    https: (TcpListener, SocketAddr),
    tls: TlsAcceptor,
    server: Arc<Server>,
}

/// Listens. Runs within a tokio runtime.
pub fn bind(config: &ServeConfig) -> Result<Bound, BindError> {
    let tls = tls::acceptor(&config.tls, &config.data_dir, config.public_host.as_deref())?;
    let server = Server::new(config, Arc::new(SystemClock))?;
    Ok(Bound {
        http: listen_on(config.http, "--http")?,
        https: listen_on(config.https, "--https")?,
        tls,
        server: Arc::new(server),
    })
}

fn listen_on(
    address: SocketAddr,
    option: &'static str,
) -> Result<(TcpListener, SocketAddr), BindError> {
    listen::bind(address).map_err(|source| BindError::Listen {
        address,
        option,
        source,
    })
}

impl Bound {
    /// Where plain HTTP is served.
    pub fn http_addr(&self) -> SocketAddr {
        self.http.1
    }

    /// Where HTTPS is served.
    pub fn https_addr(&self) -> SocketAddr {
        self.https.1
    }

    /// Serves until `stopped` becomes true; requests that have begun are finished.
    pub async fn run(self, stopped: watch::Receiver<bool>) {
        let slots = listen::Slots::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(listen::accept(
            self.http.0,
            None,
            Arc::clone(&self.server),
            slots.clone(),
            stopped.clone(),
        ));
        tasks.spawn(listen::accept(
            self.https.0,
            Some(self.tls),
            Arc::clone(&self.server),
            slots,
            stopped.clone(),
        ));
        tasks.spawn(service::reap_contexts(
            Arc::clone(&self.server),
            stopped.clone(),
        ));
        tasks.spawn(service::keep_time(stopped.clone()));
        tasks.spawn(service::end_contexts(self.server, stopped));
        while tasks.join_next().await.is_some() {}
    }
}
