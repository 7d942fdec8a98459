//! Making a store of a backup.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crc32fast::Hasher;
use rkyv::rancor;
use ropewalk_props::{FileTime, Guid};

use super::{
    OnProgress, UpkeepError,
    backup::lock,
    copy::Source,
    files::{FileKind, LogName, each_step},
    manifest::{FILES, FileEntry, Manifest, Manifests},
    moment::{choose, segments},
    walk::Piece,
};
use crate::{
    Clock as _, OpenError, Progress, SystemClock,
    disk::{Disk, OsDisk},
    log::{
        frame::{FrameBuilder, Position, RecordKind},
        segment::{SEGMENT_HEADER, SegmentHeader},
    },
    records::{Batch, Op},
};

/// Present in a store's directory: it is not restored whole yet, and does not open.
pub const MARKER: &str = "restore.part";

/// Which moment is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestorePoint {
    /// The end of the last backup.
    Latest,
    /// Right after this commit, as the latest backup that reaches it has it, and that has no damage if
    /// there is one.
    Lsn(u64),
    /// Right after the last commit up to this moment; from such a backup too.
    Time(FileTime),
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// The store.
    pub store: Guid,
    /// The last commit that it has.
    pub lsn: u64,
    /// When that was made; zero if that is not known.
    pub time: FileTime,
    /// The number of the backup that it came from.
    pub backup: u64,
    /// Files that were written.
    pub files: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Places that were damaged in the store already when the backup was made.
    pub damaged: u64,
}

/// Makes a store in `to`, which must be missing or empty, of the backups in `from`. Checksums are verified
/// on the way. The counters of its mailboxes move on, since clients may remember numbers that were given
/// after that moment.
///
/// If it is interrupted, `to` cannot be opened; restoring again starts anew there.
pub fn restore(
    from: &Path,
    to: &Path,
    point: RestorePoint,
    progress: &mut OnProgress<'_>,
) -> Result<RestoreReport, UpkeepError> {
    restore_on((&OsDisk, from), (&OsDisk, to), point, progress)
}

/// Restores from one disk to another.
pub fn restore_on(
    (from_disk, from): (&dyn Disk, &Path),
    (to_disk, to): (&dyn Disk, &Path),
    point: RestorePoint,
    progress: &mut OnProgress<'_>,
) -> Result<RestoreReport, UpkeepError> {
    let _from_lock = match lock(from) {
        Ok(lock) => Some(lock),
        Err(error @ UpkeepError::BackupInUse { .. }) => return Err(error),
        // Nobody can write to it either.
        Err(_) => None,
    };
    let manifests = Manifests::read(from_disk, from)?;
    let files = from.join(FILES);
    let (manifest, lsn) = choose(&manifests, (from_disk, &files), from, point)?;
    let _to_lock = prepare(to_disk, to)?;
    let log = to.join("log");
    let mut restoring = Restoring {
        from: (from_disk, &files),
        to: (to_disk, &log),
        store: manifest.store(),
        lsn,
        written: 0,
        at: Progress::default(),
        progress,
    };
    let wanted = restoring.wanted(manifest)?;
    restoring.at.total = wanted.iter().map(|(entry, _)| entry.len).sum();
    for (entry, _) in &wanted {
        restoring.copy(entry)?;
    }
    let last = wanted
        .iter()
        .rfind(|(_, name)| name.kind == FileKind::Segment);
    let last = last.ok_or_else(|| bad(&files, "it has no segment of the log"))?;
    let time = restoring.cut(&last.1, last.0.len)?;
    restoring.fence(last.1.last)?;
    let report = RestoreReport {
        store: restoring.store,
        lsn,
        time,
        backup: manifest.number,
        files: wanted.len() as u64 + 1,
        bytes: restoring.written,
        damaged: wanted.iter().map(|(entry, _)| entry.damaged).sum(),
    };
    let finish = || {
        to_disk.sync_dir(&log)?;
        to_disk.sync_dir(to)?;
        to_disk.remove(&to.join(MARKER))?;
        to_disk.sync_dir(to)
    };
    finish().map_err(UpkeepError::io(to))?;
    Ok(report)
}

/// A file of a backup that cannot be used.
pub fn bad(path: &Path, reason: &str) -> UpkeepError {
    UpkeepError::BadBackup {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Makes the directory ready and says in it that it is not whole yet. Returns its lock.
fn prepare(disk: &dyn Disk, dir: &Path) -> Result<std::fs::File, UpkeepError> {
    let io = || UpkeepError::io(dir);
    OsDisk.create_dir(dir).map_err(io())?;
    let lock = lock(dir).map_err(|error| match error {
        UpkeepError::BackupInUse { dir } => OpenError::InUse { dir }.into(),
        other => other,
    })?;
    let names = |dir: &Path| -> io::Result<Vec<String>> {
        let paths = disk.list(dir)?.into_iter();
        let names = paths.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        Ok(names.collect())
    };
    let here = names(dir).map_err(io())?;
    let begun = here.iter().any(|name| name == MARKER);
    let ours = |name: &String| {
        let begun_too = [MARKER, "log"].contains(&name.as_str()) || LogName::parse(name).is_some();
        name == "lock" || begun && begun_too
    };
    if !here.iter().all(ours) {
        return Err(UpkeepError::NotEmpty {
            dir: dir.to_owned(),
        });
    }
    let log = dir.join("log");
    let ready = || {
        if !begun {
            let marker = disk.create(&dir.join(MARKER))?;
            marker.write_all_at(
                b"A restore into this directory was not finished: run it again.\n",
                0,
            )?;
            marker.sync_data()?;
            disk.sync_dir(dir)?;
        }
        disk.create_dir(&log)?;
        for name in names(&log)? {
            if LogName::parse(&name).is_some() {
                disk.remove(&log.join(name))?;
            }
        }
        Ok(())
    };
    ready().map_err(io())?;
    Ok(lock)
}

struct Restoring<'a, 'p> {
    from: (&'a dyn Disk, &'a Path),
    to: (&'a dyn Disk, &'a Path),
    store: Guid,
    /// The last commit that is wanted.
    lsn: u64,
    written: u64,
    at: Progress,
    progress: &'a mut OnProgress<'p>,
}

impl Restoring<'_, '_> {
    /// The files that are needed for the wished moment, segments last and ascending.
    fn wanted<'m>(
        &self,
        manifest: &'m Manifest,
    ) -> Result<Vec<(&'m FileEntry, LogName)>, UpkeepError> {
        let others = manifest.files.iter();
        let mut wanted: Vec<_> = others
            .filter_map(|entry| Some((entry, entry.parsed()?)))
            .filter(|(_, name)| name.kind != FileKind::Segment)
            .collect();
        for (entry, name) in segments(manifest) {
            let first = match entry.first_lsn {
                0 => self.first_frame(entry, &name)?,
                known => known,
            };
            if name.first == 1 || first <= self.lsn {
                wanted.push((entry, name));
            } else {
                break;
            }
        }
        Ok(wanted)
    }

    /// The first frame of a segment whose header does not tell.
    fn first_frame(&self, entry: &FileEntry, name: &LogName) -> Result<u64, UpkeepError> {
        let path = self.from.1.join(&entry.stored);
        let first = || {
            let file = self.from.0.open_to_read(&path)?;
            let mut walk = self.source(file, name.clone(), entry.len);
            Ok(first_lsn(&mut walk)?.unwrap_or(0))
        };
        first().map_err(UpkeepError::io(&path))
    }

    fn source(&self, file: Arc<dyn crate::disk::DiskFile>, name: LogName, len: u64) -> Source {
        Source {
            file,
            name,
            len,
            store: self.store,
            next_lsn: None,
            last_lsn: u64::MAX,
        }
    }

    /// Copies a file and checks it on the way.
    fn copy(&mut self, entry: &FileEntry) -> Result<(), UpkeepError> {
        let from = self.from.1.join(&entry.stored);
        let to = self.to.1.join(&entry.name);
        let source = self.from.0.open_to_read(&from);
        let source = source.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => bad(&from, "it is missing"),
            _ => UpkeepError::io(&from)(error),
        })?;
        if source.len().map_err(UpkeepError::io(&from))? < entry.len {
            return Err(bad(&from, "it is cut short"));
        }
        let target = self.to.0.create(&to).map_err(UpkeepError::io(&to))?;
        let mut hasher = Hasher::new();
        let mut at = 0;
        each_step(&*source, 0, entry.len, |bytes| {
            hasher.update(bytes);
            target
                .write_all_at(bytes, at)
                .map_err(|error| Failed(to.clone(), error))?;
            at += bytes.len() as u64;
            self.at.done += bytes.len() as u64;
            (self.progress)(self.at);
            Ok(())
        })
        .map_err(|Failed(path, error)| {
            let path = if path.as_os_str().is_empty() {
                &from
            } else {
                &path
            };
            UpkeepError::io(path)(error)
        })?;
        if hasher.finalize() != entry.crc {
            return Err(bad(&from, "its checksum is wrong"));
        }
        target.sync_data().map_err(UpkeepError::io(&to))?;
        self.written += entry.len;
        Ok(())
    }

    /// Cuts the last segment after the last frame that is wanted; returns when that was written.
    fn cut(&mut self, name: &LogName, len: u64) -> Result<FileTime, UpkeepError> {
        let path = self.to.1.join(&name.name);
        let cut = || {
            let file = self.to.0.open(&path)?;
            let source = self.source(file.clone(), name.clone(), len);
            let mut walk = source.walk(u64::from(SEGMENT_HEADER));
            let (mut end, mut time) = (u64::from(SEGMENT_HEADER), FileTime(0));
            while let Some(stretch) = walk.next()? {
                match stretch.piece {
                    Piece::Frame(header) if header.lsn > self.lsn => {
                        file.set_len(end)?;
                        file.sync_data()?;
                        break;
                    }
                    Piece::Frame(header) => {
                        end = u64::from(stretch.at) + u64::from(stretch.len);
                        time = header.time;
                    }
                    Piece::Damaged | Piece::Newer(_) => {}
                }
            }
            Ok(time)
        };
        cut().map_err(UpkeepError::io(&path))
    }

    /// Adds a segment with a commit which says that later ones may have been taken back. It is not
    /// encrypted: it tells nothing.
    fn fence(&mut self, last: u32) -> Result<(), UpkeepError> {
        let header = SegmentHeader {
            base_lsn: self.lsn + 1,
            ..SegmentHeader::log(last + 1, self.store)
        };
        let path = self.to.1.join(format!("{:08}.seg", header.number));
        let write = || {
            let batch = Batch::of_store(vec![Op::Fenced]);
            let archive = rkyv::to_bytes::<rancor::Error>(&batch).map_err(io::Error::other)?;
            let mut frame = FrameBuilder::new(None);
            frame.add(RecordKind::Batch, &archive);
            let at = Position {
                segment: header.number,
                offset: SEGMENT_HEADER,
                lsn: self.lsn + 1,
            };
            let frame = frame.seal(self.store, at, self.lsn, SystemClock.now());
            let file = self.to.0.create(&path)?;
            file.write_all_at(&header.encode(), 0)?;
            file.write_all_at(&frame, u64::from(SEGMENT_HEADER))?;
            file.sync_data()
        };
        write().map_err(UpkeepError::io(&path))
    }
}

/// An error, and the file that it is about; without a name it is the one that is read.
struct Failed(PathBuf, io::Error);

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self(PathBuf::new(), error)
    }
}

fn first_lsn(source: &mut Source) -> io::Result<Option<u64>> {
    let mut walk = source.walk(u64::from(SEGMENT_HEADER));
    while let Some(stretch) = walk.next()? {
        if let Piece::Frame(header) = stretch.piece {
            return Ok(Some(header.lsn));
        }
    }
    Ok(None)
}
