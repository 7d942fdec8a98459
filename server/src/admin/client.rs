//! The command line's side: the store itself, or the server that has it open.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use ropewalk_store::{OpenError, Progress, Store, StoreError, StoreOptions, UpkeepError};

use super::{
    operations::Operations,
    protocol::{LINE_BYTES_MAX, Request, Response},
    socket,
};

/// How long a store may be in use without a server that answers: another command is at work, or a
/// server is starting or stopping.
const BUSY_PATIENCE: Duration = Duration::from_secs(15);
/// How long the server may be silent; the largest import batch takes seconds, and of work that takes
/// longer it tells the progress.
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
    /// The store does not open, or not what was asked for.
    #[error(transparent)]
    Store(#[from] UpkeepError),
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

/// Where a store was found.
pub enum Reached<T> {
    /// Here, and this is what was done with it.
    Here(T),
    /// At a server.
    Server(Admin),
}

enum Side {
    Here(Operations),
    Server(BufReader<UnixStream>),
}

impl Admin {
    /// Opens the store, or connects to the server that has it. With `create`, makes the store if
    /// there is none.
    pub fn open(data_dir: &Path, options: &StoreOptions, create: bool) -> Result<Self, AdminError> {
        if !create {
            must_exist(data_dir)?;
        }
        let reached = Self::reach(data_dir, || Store::open(data_dir, options.clone()))?;
        Ok(match reached {
            Reached::Here(store) => Self(Side::Here(Operations::alone(store))),
            Reached::Server(admin) => admin,
        })
    }

    /// Opens the store, which no server may have.
    pub fn open_here(data_dir: &Path, options: &StoreOptions) -> Result<Self, AdminError> {
        must_exist(data_dir)?;
        let store = Store::open(data_dir, options.clone()).map_err(UpkeepError::from)?;
        Ok(Self(Side::Here(Operations::alone(store))))
    }

    /// Does what has to be done on a closed store, or connects to the server that has it.
    pub fn reach<T, E>(
        data_dir: &Path,
        mut here: impl FnMut() -> Result<T, E>,
    ) -> Result<Reached<T>, AdminError>
    where
        E: Into<UpkeepError>,
    {
        let deadline = Instant::now() + BUSY_PATIENCE;
        loop {
            match here().map_err(Into::into) {
                Ok(done) => return Ok(Reached::Here(done)),
                Err(UpkeepError::Open(OpenError::InUse { .. })) => {}
                Err(error) => return Err(error.into()),
            }
            if let Ok(stream) = socket::connect(data_dir) {
                stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
                stream.set_write_timeout(Some(ANSWER_PATIENCE))?;
                let admin = Self(Side::Server(BufReader::new(stream)));
                return Ok(Reached::Server(admin));
            }
            if Instant::now() >= deadline {
                return Err(AdminError::Busy(data_dir.to_owned()));
            }
            thread::sleep(BUSY_PAUSE);
        }
    }

    /// Has a request carried out; `data` holds the bytes of an import's items.
    pub fn call(&mut self, request: Request, data: Vec<Vec<u8>>) -> Result<Response, AdminError> {
        self.call_with(request, data, &mut |_| {})
    }

    /// As [`Admin::call`]; tells `progress` how far long work has come.
    pub fn call_with(
        &mut self,
        request: Request,
        data: Vec<Vec<u8>>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Response, AdminError> {
        let response = match &mut self.0 {
            Side::Here(operations) => operations.execute(request, data, progress),
            Side::Server(stream) => ask(stream, &request, &data, progress).map_err(plain)?,
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

/// Opening would make a store of whatever directory it is. One that may not be looked at is opened all the
/// same, which tells why that fails.
pub fn must_exist(data_dir: &Path) -> Result<(), AdminError> {
    let absent = |name| data_dir.join(name).try_exists().is_ok_and(|there| !there);
    // A copy of the log alone is a whole store. A backup has a lock and neither of these.
    match absent("index") && absent("log") {
        true => Err(AdminError::NoStore(data_dir.to_owned())),
        false => Ok(()),
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
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Response> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    let socket = stream.get_mut();
    socket.write_all(&line)?;
    data.iter().try_for_each(|item| socket.write_all(item))?;
    loop {
        match read_response(stream)? {
            Response::Progress { done, total } => progress(Progress { done, total }),
            response => return Ok(response),
        }
    }
}

fn read_response(stream: &mut BufReader<UnixStream>) -> io::Result<Response> {
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
