//! Listening sockets.

use std::{fs, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::{connection, service::Server};

/// Files that the store and everything else but connections may have open.
const OTHER_FILES: usize = 256;
/// Connections at a time, if the system allows so many.
const CONNECTIONS_MAX: usize = 8192;
/// Open files that a process may have, if the system does not say.
const USUAL_FILES_MAX: usize = 1024;
/// How long to wait when a connection cannot be accepted, as without free files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on an address.
pub fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

/// One for each connection that may be open, on all sockets together.
pub fn slots() -> Arc<Semaphore> {
    let files = open_files_max().unwrap_or(USUAL_FILES_MAX);
    let connections = files.saturating_sub(OTHER_FILES);
    Arc::new(Semaphore::new(connections.clamp(64, CONNECTIONS_MAX)))
}

/// The soft limit of open files, where the system tells it in a file.
fn open_files_max() -> Option<usize> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(usize::MAX),
        number => number.parse().ok(),
    }
}

/// Serves a socket's connections until `stopped` becomes true, and then until they have ended.
pub async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    server: Arc<Server>,
    slots: Arc<Semaphore>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let server = Arc::clone(&server);
                let (tls, stopped) = (tls.clone(), stopped.clone());
                connections.spawn(async move {
                    let _slot = slot;
                    connection::serve(stream, peer, tls, server, stopped).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
