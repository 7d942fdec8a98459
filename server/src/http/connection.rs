//! One connection: HTTP/1.1 or HTTP/2, plain or over TLS.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Instant};

use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};
use tokio_rustls::TlsAcceptor;

use super::{
    activity::Activity,
    service::{Server, WrongPassword},
};

/// Bytes of a request's headers, and of what is read ahead of its body.
const READ_BUFFER_MAX: usize = 64 << 10;
/// Bytes of a request's headers in HTTP/2.
const HEADER_LIST_MAX: u32 = 32 << 10;
/// Requests at a time on one HTTP/2 connection, waits for notifications among them (RFC 9113 6.5.2
/// recommends no fewer).
const STREAMS_MAX: u32 = 100;
/// Bytes of request bodies that come before they are read, on one HTTP/2 stream.
const STREAM_WINDOW: u32 = 128 << 10;
/// The same on one HTTP/2 connection: about what a connection can make the server keep before it
/// has shown a password.
const CONNECTION_WINDOW: u32 = 256 << 10;
/// Bytes of a response that wait for a slow client on one HTTP/2 stream.
const SEND_BUFFER_MAX: usize = 64 << 10;

/// Serves a connection until it ends, is idle for too long, or is told to stop.
pub async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    server: Arc<Server>,
    stopped: watch::Receiver<bool>,
) {
    let began = Instant::now();
    let origin = |tls| Origin { peer, tls, began };
    // A response is one write, and must not wait for the acknowledgement of the one before it.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let Some(tls) = tls else {
        return serve_stream(stream, origin(false), server, stopped).await;
    };
    let handshake = tokio::time::timeout(server.timing.first_request, tls.accept(stream));
    match handshake.await {
        Ok(Ok(stream)) => serve_stream(stream, origin(true), server, stopped).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "TLS handshake"),
        Err(_) => tracing::debug!(%peer, "TLS handshake: too slow"),
    }
}

/// Where a connection comes from.
#[derive(Clone, Copy)]
struct Origin {
    peer: SocketAddr,
    tls: bool,
    began: Instant,
}

async fn serve_stream<S: AsyncRead + AsyncWrite + Unpin + 'static>(
    stream: S,
    origin: Origin,
    server: Arc<Server>,
    mut stopped: watch::Receiver<bool>,
) {
    let activity = Activity::new();
    let Origin { peer, tls, began } = origin;
    let timing = server.timing;
    let service = {
        let (server, activity) = (Arc::clone(&server), activity.clone());
        service_fn(move |request: Request<Incoming>| {
            let under_way = activity.begin();
            let server = Arc::clone(&server);
            async move {
                let response = server.answer(request, tls).await;
                if response.extensions().get::<WrongPassword>().is_some() {
                    tracing::warn!(%peer, "wrong user name or password");
                }
                Ok::<_, Infallible>(response.map(|body| body.until_sent(under_way)))
            }
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // The idle time of the connection bounds the headers too.
        .header_read_timeout(None)
        // hyper allows 100 header fields, and makes room for them sooner if it is not told so.
        .max_buf_size(READ_BUFFER_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_LIST_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);

    let mut stopping = false;
    loop {
        let deadline = if activity.any_yet() {
            activity.idle_since().unwrap_or_else(Instant::now) + timing.idle
        } else {
            began + timing.first_request
        };
        tokio::select! {
            // What has come is looked at before the time that it took.
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(%error, "connection");
                }
                return;
            }
            _ = stopped.wait_for(|stopped| *stopped), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(deadline.into()) => {
                let idle = activity
                    .idle_since()
                    .is_some_and(|since| since.elapsed() >= timing.idle);
                let silent = !activity.any_yet() && began.elapsed() >= timing.first_request;
                if idle || silent {
                    return;
                }
            }
        }
    }
}
