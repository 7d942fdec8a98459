//! Listening sockets.

use std::{
    collections::HashMap,
    fs, io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
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

/// The connections that may be open, on all sockets together. One peer may have half of them, so
/// that it cannot keep everybody else out.
#[derive(Clone)]
pub struct Slots {
    all: Arc<Semaphore>,
    of_peers: Arc<Mutex<HashMap<IpAddr, usize>>>,
    of_peer_max: usize,
}

/// One of a peer's connections, until it is dropped.
struct PeerSlot {
    peer: IpAddr,
    slots: Slots,
}

impl Slots {
    /// As many as the limit of open files leaves room for.
    pub fn new() -> Self {
        let files = open_files_max().unwrap_or(USUAL_FILES_MAX);
        let connections = files.saturating_sub(OTHER_FILES);
        Self::of(connections.clamp(64, CONNECTIONS_MAX))
    }

    fn of(connections: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(connections)),
            of_peers: Arc::default(),
            of_peer_max: connections / 2,
        }
    }

    /// One for this peer; `None` if it has as many as it may have.
    fn of_peer(&self, address: IpAddr) -> Option<PeerSlot> {
        let peer = network(address);
        let mut of_peers = self.of_peers.lock();
        let count = of_peers.entry(peer).or_default();
        if *count >= self.of_peer_max {
            return None;
        }
        *count += 1;
        drop(of_peers);
        Some(PeerSlot {
            peer,
            slots: self.clone(),
        })
    }
}

impl Drop for PeerSlot {
    fn drop(&mut self) {
        let mut of_peers = self.slots.of_peers.lock();
        if let Some(count) = of_peers.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                of_peers.remove(&self.peer);
            }
        }
    }
}

/// What one subscriber has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
        v4 => v4,
    }
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
    slots: Slots,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accept = async {
            let slot = Arc::clone(&slots.all).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(of_peer) = slots.of_peer(peer.ip()) else {
                    tracing::warn!(%peer, "too many connections of one peer");
                    continue;
                };
                let server = Arc::clone(&server);
                let (tls, stopped) = (tls.clone(), stopped.clone());
                connections.spawn(async move {
                    let _slots = (slot, of_peer);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_half_of_the_connections() {
        let slots = Slots::of(4);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let first = slots.of_peer(one).unwrap();
        let _second = slots.of_peer("::ffff:192.0.2.1".parse().unwrap()).unwrap();
        assert!(slots.of_peer(one).is_none());
        drop(first);
        assert!(slots.of_peer(one).is_some());
        // Neighbours in one IPv6 network are one.
        let of = |address: &str| slots.of_peer(address.parse().unwrap());
        let near = (of("2001:db8::1").unwrap(), of("2001:db8::2:1").unwrap());
        assert!(of("2001:db8::3").is_none());
        assert!(of("2001:db8:0:1::3").is_some());
        drop(near);
        assert_eq!(slots.of_peers.lock().len(), 1);
    }
}
