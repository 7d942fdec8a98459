//! The command line's side: the store itself, or the server that has it open.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use ropewalk_store::{OpenError, Store, StoreError, StoreOptions};

use super::{
    operations::Operations,
    protocol::{LINE_BYTES_MAX, Request, Response},
    socket,
};
use crate::import;

/// How long a store may be in use without a server that answers: another command is at work, or a
/// server is starting or stopping.
const BUSY_PATIENCE: Duration = Duration::from_secs(15);
/// How long the server may take for a request; the largest import batch takes seconds.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// Between two attempts.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No store there.
    #[error(
        "there is no store in {0}; give its directory with --data-dir, or make one with 'ropewalk user add'"
    )]
    NoStore(PathBuf),
    /// Some process has the store and does not answer.
    #[error(
        "the store in {0} is in use by a process that does not answer; stop that process and try again"
    )]
    Busy(PathBuf),
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store does not close.
    #[error("cannot close the store: {0}")]
    Close(#[from] StoreError),
    /// The server went away or talks nonsense.
    #[error("the running server did not answer: {0}; see what it logged and try again")]
    Talk(#[from] io::Error),
    /// The request was refused; a sentence for the user.
    #[error("{0}")]
    Refused(String),
}

/// Whoever carries out requests for a data directory.
pub struct Admin(Side);

enum Side {
    Here(Operations),
    Server(BufReader<UnixStream>),
}

impl Admin {
    /// Opens the store, or connects to the server that has it. With `create`, makes the store if
    /// there is none.
    pub fn open(data_dir: &Path, create: bool) -> Result<Self, AdminError> {
        // Opening would make a store of whatever directory it is. One that may not be looked at is
        // opened all the same, which tells why that fails.
        let absent = |name| data_dir.join(name).try_exists().is_ok_and(|there| !there);
        // A copy of the log alone is a whole store.
        if !create && absent("lock") && absent("log") {
            return Err(AdminError::NoStore(data_dir.to_owned()));
        }
        let deadline = Instant::now() + BUSY_PATIENCE;
        loop {
            match Store::open(data_dir, StoreOptions::default()) {
                Ok(store) => {
                    let operations = Operations::new(store, import::Limits::default());
                    return Ok(Self(Side::Here(operations)));
                }
                Err(OpenError::InUse { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            if let Ok(stream) = socket::connect(data_dir) {
                stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
                stream.set_write_timeout(Some(ANSWER_PATIENCE))?;
                return Ok(Self(Side::Server(BufReader::new(stream))));
            }
            if Instant::now() >= deadline {
                return Err(AdminError::Busy(data_dir.to_owned()));
            }
            thread::sleep(BUSY_PAUSE);
        }
    }

    /// Has a request carried out; `data` holds the bytes of an import's items.
    pub fn call(&mut self, request: Request, data: Vec<Vec<u8>>) -> Result<Response, AdminError> {
        let response = match &mut self.0 {
            Side::Here(operations) => operations.execute(request, data),
            Side::Server(stream) => ask(stream, &request, &data).map_err(plain)?,
        };
        match response {
            Response::Failed(sentence) => Err(AdminError::Refused(sentence)),
            response => Ok(response),
        }
    }

    /// Ends the work. What was answered is on disk already; this lets the store go in good order.
    pub fn close(self) -> Result<(), AdminError> {
        match self.0 {
            Side::Here(operations) => Ok(operations.store().close()?),
            Side::Server(_) => Ok(()),
        }
    }
}

/// What an expired time-out says of itself is of no use to anyone.
fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it took more than {} s", ANSWER_PATIENCE.as_secs()),
        ),
        _ => error,
    }
}

fn ask(
    stream: &mut BufReader<UnixStream>,
    request: &Request,
    data: &[Vec<u8>],
) -> io::Result<Response> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let socket = stream.get_mut();
    socket.write_all(&line)?;
    data.iter().try_for_each(|item| socket.write_all(item))?;
    let mut answer = Vec::new();
    stream.take(LINE_BYTES_MAX).read_until(b'\n', &mut answer)?;
    if answer.last() != Some(&b'\n') {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the connection ended",
        ));
    }
    Ok(serde_json::from_slice(&answer)?)
}
