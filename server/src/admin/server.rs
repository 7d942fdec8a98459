//! The server's side of the admin socket.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use ropewalk_store::Progress;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::{JoinSet, spawn_blocking},
};

use super::{
    operations::Operations,
    protocol::{BATCH_BYTES, BATCH_ITEMS_MAX, LINE_BYTES_MAX, Request, Response},
    socket,
};

/// How often the client of long work is told how far it has come.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
/// Connections served at a time; the others wait.
const CONNECTIONS_MAX: usize = 8;

/// A listening admin socket.
pub struct AdminServer {
    listener: UnixListener,
    data_dir: PathBuf,
}

/// A request that cannot be read; the connection ends after the answer.
#[derive(Debug, thiserror::Error)]
enum BadRequest {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("the request is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    #[error("the request is not understood, so both sides may be of different versions: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the items of the request are more than a batch may have")]
    BatchTooLarge,
    #[error("the items of the request are cut short")]
    Cut,
}

impl AdminServer {
    /// Listens in a data directory whose store this process has open. Runs within a tokio runtime.
    pub fn bind(data_dir: &Path) -> io::Result<Self> {
        let listener = socket::listen(data_dir)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener: UnixListener::from_std(listener)?,
            data_dir: data_dir.to_owned(),
        })
    }

    /// Answers requests until `stop` becomes true; requests that have begun are finished.
    pub async fn run(self, operations: Operations, mut stop: watch::Receiver<bool>) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut connections = JoinSet::new();
        loop {
            let accept = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                (slot, self.listener.accept().await)
            };
            let (slot, accepted) = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = accept => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (operations, stop) = (operations.clone(), stop.clone());
                    connections.spawn(async move {
                        let _slot = slot;
                        serve(stream, operations, stop).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "admin socket: cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
        if let Err(error) = socket::remove(&self.data_dir) {
            tracing::warn!(%error, "admin socket: cannot remove");
        }
        while connections.join_next().await.is_some() {}
    }
}

/// Answers the requests of one connection, one after the other.
async fn serve(stream: UnixStream, operations: Operations, mut stop: watch::Receiver<bool>) {
    let mut stream = BufReader::new(stream);
    let item_max = operations.limits().message_bytes_max;
    loop {
        let request = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            request = read_request(&mut stream, item_max) => request,
        };
        let (response, last) = match request {
            Ok(None) => return,
            Ok(Some((request, data))) => {
                match execute(&mut stream, operations.clone(), request, data).await {
                    Ok(response) => (response, false),
                    Err(error) => {
                        tracing::error!(%error, "admin request");
                        let sentence = "the server failed at this request; see its log";
                        (Response::Failed(sentence.to_owned()), true)
                    }
                }
            }
            Err(error) => (Response::Failed(error.to_string()), true),
        };
        if write_response(&mut stream, &response).await.is_err() || last {
            return;
        }
    }
}

/// Carries out a request; tells the client now and then how far it has come. A client that went away
/// does not end what it asked for.
async fn execute(
    stream: &mut BufReader<UnixStream>,
    operations: Operations,
    request: Request,
    data: Vec<Vec<u8>>,
) -> Result<Response, tokio::task::JoinError> {
    let (tell, told) = watch::channel(None);
    let mut work = spawn_blocking(move || {
        operations.execute(request, data, &mut |progress| {
            tell.send_replace(Some(progress));
        })
    });
    let mut ticks = tokio::time::interval(PROGRESS_EVERY);
    ticks.tick().await; // The first one comes at once.
    loop {
        tokio::select! {
            response = &mut work => return response,
            _ = ticks.tick() => {
                let progress: Option<Progress> = *told.borrow();
                if let Some(Progress { done, total }) = progress {
                    let _ = write_response(stream, &Response::Progress { done, total }).await;
                }
            }
        }
    }
}

async fn write_response(stream: &mut BufReader<UnixStream>, response: &Response) -> io::Result<()> {
    let mut line = serde_json::to_vec(response)?;
    line.push(b'\n');
    stream.get_mut().write_all(&line).await
}

/// Reads a request with the bytes of its items; `None` at the end of the connection.
async fn read_request(
    stream: &mut (impl AsyncBufRead + Unpin),
    item_max: u64,
) -> Result<Option<(Request, Vec<Vec<u8>>)>, BadRequest> {
    let mut line = Vec::new();
    let mut limited = (&mut *stream).take(LINE_BYTES_MAX);
    limited.read_until(b'\n', &mut line).await?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(BadRequest::TooLong);
    }
    let request: Request = serde_json::from_slice(&line)?;
    let mut data = Vec::new();
    if let Request::Import { items, .. } = &request {
        let total = items
            .iter()
            .try_fold(0_u64, |sum, item| sum.checked_add(item.length));
        let fits = total.is_some_and(|total| total <= item_max.saturating_add(BATCH_BYTES as u64));
        if items.len() > BATCH_ITEMS_MAX || !fits {
            return Err(BadRequest::BatchTooLarge);
        }
        for item in items {
            data.push(read_item(stream, item.length).await?);
        }
    }
    Ok(Some((request, data)))
}

/// Reads `length` bytes; memory grows with what has really come.
async fn read_item(
    stream: &mut (impl AsyncBufRead + Unpin),
    length: u64,
) -> Result<Vec<u8>, BadRequest> {
    let mut item = Vec::new();
    stream.take(length).read_to_end(&mut item).await?;
    if (item.len() as u64) < length {
        return Err(BadRequest::Cut);
    }
    Ok(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::{ItemHeader, Kind};

    fn import_of(lengths: &[u64]) -> Vec<u8> {
        let items = lengths
            .iter()
            .map(|&length| ItemHeader {
                kind: Kind::Message,
                read: false,
                length,
            })
            .collect();
        let request = Request::Import {
            user: "a@b.test".to_owned(),
            folder: None,
            items,
        };
        let mut line = serde_json::to_vec(&request).unwrap();
        line.push(b'\n');
        line
    }

    async fn read(bytes: &[u8]) -> Result<Option<(Request, Vec<Vec<u8>>)>, BadRequest> {
        let mut stream = bytes;
        read_request(&mut stream, 1 << 20).await
    }

    #[tokio::test]
    async fn items_follow_their_line() {
        let mut bytes = import_of(&[3, 0, 2]);
        bytes.extend(b"abcde");
        let (_, data) = read(&bytes).await.unwrap().unwrap();
        assert_eq!(data, [&b"abc"[..], b"", b"de"]);
        assert!(read(b"").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn lying_requests_are_refused() {
        assert!(matches!(read(&import_of(&[5])).await, Err(BadRequest::Cut)));
        for lengths in [&[u64::MAX, 2][..], &[1 << 40], &[0; 257]] {
            let result = read(&import_of(lengths)).await;
            assert!(matches!(result, Err(BadRequest::BatchTooLarge)));
        }
        assert!(matches!(read(b"{}\n").await, Err(BadRequest::Json(_))));
        assert!(matches!(read(b"{").await, Err(BadRequest::TooLong)));
    }
}
