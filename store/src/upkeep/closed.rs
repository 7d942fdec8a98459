//! A closed store that is only looked at.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ropewalk_props::Guid;

use super::{
    UpkeepError,
    copy::Source,
    files::{FileKind, LogName, log_files},
    restore::MARKER,
};
use crate::{
    Durability, OpenError, StoreOptions,
    crypto::{Keyring, Keys, Nonces},
    disk::{Disk, DiskFile},
    log::{
        Log, Tail,
        frame::Position,
        segment::{SEGMENT_BYTES, SEGMENT_HEADER, SegmentHeader, Segments, Span},
    },
    open::Context,
};

/// A disk on which nothing can be changed.
struct ReadOnly(Arc<dyn Disk>);

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::ReadOnlyFilesystem.into())
}

impl Disk for ReadOnly {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.0.open_to_read(path)
    }

    fn create(&self, _: &Path) -> io::Result<Arc<dyn DiskFile>> {
        refused()
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        self.0.list(path)
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        refused()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        refused()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        refused()
    }
}

/// A closed store.
pub struct Closed {
    /// Its GUID.
    pub store: Guid,
    /// Its keys.
    pub keys: Keyring,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    names: Vec<LogName>,
    /// Keeps others out, if there is a file to lock.
    _lock: Option<File>,
}

impl Closed {
    /// Takes the store in `dir`, without making or changing a file.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: &StoreOptions,
    ) -> Result<Self, UpkeepError> {
        let mut closed = Self::begin(disk, dir)?;
        let log = dir.join("log");
        let context = Context { dir };
        let found = Keys::read(&*closed.disk, &log, options.master_key.as_ref());
        if let Some(keys) = found.map_err(|error| context.keys(error))? {
            let nonces = Nonces::new().map_err(UpkeepError::io(dir))?;
            closed.keys = keys.ring(&Arc::new(nonces));
        }
        Ok(closed)
    }

    /// As [`Closed::open`], without its keys.
    pub fn begin(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, UpkeepError> {
        let disk: Arc<dyn Disk> = Arc::new(ReadOnly(disk));
        let lock = lock(dir)?;
        let nothing = |_| UpkeepError::NoStore {
            dir: dir.to_owned(),
        };
        if disk.list(dir).map_err(nothing)?.contains(&dir.join(MARKER)) {
            return Err(OpenError::HalfRestored {
                dir: dir.to_owned(),
            }
            .into());
        }
        let log = dir.join("log");
        let names = log_files(&*disk, &log).map_err(nothing)?;
        let mut closed = Self {
            store: Guid::NIL,
            keys: Keyring::default(),
            dir: log,
            disk,
            names,
            _lock: lock,
        };
        let store = closed.identity()?;
        closed.store = store.ok_or_else(|| match closed.names.is_empty() {
            true => UpkeepError::NoStore {
                dir: dir.to_owned(),
            },
            false => closed.not_whole("no file of it has a whole header"),
        })?;
        Ok(closed)
    }

    /// The store that the files are of.
    fn identity(&self) -> Result<Option<Guid>, UpkeepError> {
        let mut newer = None;
        for name in self.names.iter().filter(|name| name.kind != FileKind::Keys) {
            let path = self.dir.join(&name.name);
            let header = || {
                let file = self.disk.open_to_read(&path)?;
                let mut bytes = [0; SEGMENT_HEADER as usize];
                if file.len()? < bytes.len() as u64 {
                    return Ok(None);
                }
                file.read_exact_at(&mut bytes, 0)?;
                Ok(Some(SegmentHeader::decode(&bytes)))
            };
            match header().map_err(UpkeepError::io(&path))? {
                Some(Ok(header)) => return Ok(Some(header.store)),
                Some(Err(crate::log::segment::BadSegment::Newer(found))) => newer = Some(found),
                _ => {}
            }
        }
        match newer {
            Some(found) => Err(OpenError::NewerFormat {
                dir: self.dir.parent().unwrap_or(&self.dir).to_owned(),
                found,
                known: crate::log::frame::FORMAT_VERSION,
            }
            .into()),
            None => Ok(None),
        }
    }

    fn not_whole(&self, reason: &str) -> UpkeepError {
        let dir = self.dir.parent().unwrap_or(&self.dir).to_owned();
        let reason = reason.to_owned();
        OpenError::BadLog { dir, reason }.into()
    }

    /// The files of its log.
    pub fn sources(&self) -> Result<Vec<Source>, UpkeepError> {
        let names = self.names.iter();
        names
            .map(|name| {
                let path = self.dir.join(&name.name);
                let file = self
                    .disk
                    .open_to_read(&path)
                    .map_err(UpkeepError::io(&path))?;
                Ok(Source {
                    len: file.len().map_err(UpkeepError::io(&path))?,
                    file,
                    name: name.clone(),
                    store: self.store,
                    next_lsn: None,
                    last_lsn: u64::MAX,
                })
            })
            .collect()
    }

    /// Its log, to be read only, which ends at `end`.
    pub fn log(&self, sources: &[Source], end: Position) -> Result<Log, UpkeepError> {
        let io = || UpkeepError::io(&self.dir);
        let last = sources
            .iter()
            .rfind(|source| source.name.kind == FileKind::Segment);
        let last = last.ok_or_else(|| self.not_whole("its last segment is missing"))?;
        let mut segments = Segments::new(self.disk.clone(), self.dir.clone()).map_err(io())?;
        segments.keys = self.keys.clone();
        let spans = sources.iter().map(|source| &source.name);
        let spans = spans.filter(|name| matches!(name.kind, FileKind::Segment | FileKind::Pack));
        let spans: Vec<Span> = spans
            .map(|name| Span {
                first: name.first,
                last: name.last,
                pack: name.kind == FileKind::Pack,
            })
            .collect();
        segments.set_files(&spans);
        let tail = Tail {
            file: last.file.clone(),
            segment: last.name.first,
            end: end.offset,
            next_lsn: end.lsn,
            reserved: 0,
            closed: true,
        };
        Ok(Log::new(
            segments,
            self.store,
            Durability::None,
            SEGMENT_BYTES,
            tail,
        ))
    }
}

/// Keeps other processes out of a store's directory, if anyone ever was in it.
fn lock(dir: &Path) -> Result<Option<File>, UpkeepError> {
    let path = dir.join("lock");
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(OpenError::NotADirectory {
                dir: dir.to_owned(),
            }
            .into());
        }
        other => other.map_err(UpkeepError::io(&path))?,
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            dir: dir.to_owned(),
        }
        .into()),
        Err(TryLockError::Error(error)) => Err(UpkeepError::io(&path)(error)),
    }
}
