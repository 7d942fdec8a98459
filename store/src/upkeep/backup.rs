//! Copying a store while it works.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use ropewalk_props::{FileTime, Guid};

use super::{
    Damage, OnProgress, UpkeepError,
    copy::Source,
    files::{FileKind, log_files},
    manifest::{self, FILES, Manifest, Manifests, log_name},
    share::Backup,
};
use crate::{
    Progress, Store,
    core::Core,
    disk::{Disk, OsDisk, PRIVATE_FILE},
    log::{checkpoint, frame::Position, segment::Span},
};

/// A backup that can be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupInfo {
    /// Its manifest.
    pub manifest: PathBuf,
    /// The store that it is of.
    pub store: Guid,
    /// Later backups into the same directory have larger numbers.
    pub number: u64,
    /// The last commit that it has.
    pub lsn: u64,
    /// The earliest commit that can be restored from it.
    pub min_lsn: u64,
    /// When it was made: it has all that was acknowledged by then.
    pub time: FileTime,
    /// From when on moments in between can be restored by time; `None` if the frames do not tell.
    pub min_time: Option<FileTime>,
    /// Its files.
    pub files: u64,
    /// Bytes of its files, those included that it shares with other backups.
    pub bytes: u64,
    /// Places that were damaged in the store when they were copied.
    pub damaged: u64,
}

/// The backups in a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupList {
    /// Those that can be restored, oldest first.
    pub backups: Vec<BackupInfo>,
    /// Manifests that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// What a backup did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The backup.
    pub backup: BackupInfo,
    /// Bytes that were written.
    pub bytes_copied: u64,
    /// Bytes that an earlier backup had.
    pub bytes_shared: u64,
    /// Damage in the store that was found on the way. Where an earlier backup had a good copy, that one is
    /// kept and nothing is lost; else the damage is copied as it is. Also copies of earlier backups that were
    /// damaged (`files/...`) and are made anew; each backup looks at some. The first 1000 places.
    pub damage: Vec<Damage>,
    /// Files of earlier backups that were removed since no manifest names them any more.
    pub files_removed: u64,
}

impl Store {
    /// Makes a backup in `dir`, which is created if missing, while the store goes on working. It has all
    /// that was acknowledged when this was called. Files that an earlier backup in `dir` has are not copied
    /// again. Compaction waits.
    ///
    /// If it is interrupted, the earlier backups stay as they are and the next one goes on from there. To
    /// forget an old backup, delete its manifest; the next backup removes what only that one needed.
    pub fn backup(
        &self,
        dir: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<BackupReport, UpkeepError> {
        back_up(self.core(), &OsDisk, dir, progress)
    }
}

/// The backups in `dir`.
pub fn list_backups(dir: &Path) -> Result<BackupList, UpkeepError> {
    let found = Manifests::read(&OsDisk, dir)?;
    let backups = found.good.iter();
    Ok(BackupList {
        backups: backups
            .map(|(path, manifest)| manifest.info(path))
            .collect(),
        unreadable: found.bad,
    })
}

/// Takes the directory of backups for this process.
pub fn lock(dir: &Path) -> Result<File, UpkeepError> {
    let path = dir.join("lock");
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = options.mode(PRIVATE_FILE).open(&path);
    let file = file.map_err(UpkeepError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(UpkeepError::BackupInUse {
            dir: dir.to_owned(),
        }),
        Err(fs::TryLockError::Error(error)) => Err(UpkeepError::io(&path)(error)),
    }
}

/// A directory that is, or is in, a store's.
fn check_place(core: &Core, dir: &Path) -> Result<(), UpkeepError> {
    let dir = dir.to_owned();
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let own = core.log.segments().dir().parent().map(real);
    if own.is_some_and(|own| real(&dir).starts_with(own)) {
        return Err(UpkeepError::InsideStore { dir });
    }
    if dir.join("log").exists() {
        return Err(UpkeepError::HoldsStore { dir });
    }
    Ok(())
}

/// Makes a backup on a disk.
pub fn back_up(
    core: &Core,
    disk: &dyn Disk,
    dir: &Path,
    progress: &mut OnProgress<'_>,
) -> Result<BackupReport, UpkeepError> {
    check_place(core, dir)?;
    OsDisk.create_dir(dir).map_err(UpkeepError::io(dir))?;
    let _lock = lock(dir)?;
    let files = dir.join(FILES);
    disk.create_dir(&files).map_err(UpkeepError::io(&files))?;
    let earlier = Manifests::read(disk, dir)?;
    let store = core.store_guid();
    if earlier.good.iter().any(|(_, old)| old.store() != store) {
        return Err(UpkeepError::AnotherStore {
            dir: dir.to_owned(),
        });
    }
    // From here on no file of the log is replaced by another one.
    let _files_stay = core.files.read_recursive();
    let time = core.now();
    let mut end = core.log.end();
    if core.log.sync(end.lsn).is_err() {
        // The store is read-only: what was acknowledged is what is durable.
        end.lsn = core.log.durable();
    }
    let number = earlier.good.last().map_or(0, |(_, old)| old.number) + 1;
    let sources = sources(core, end)?;
    let mut backup = Backup {
        disk,
        files: &files,
        earlier: &earlier,
        here: names(disk, &files).map_err(UpkeepError::io(&files))?,
        manifest: Manifest::new(store, number, end.lsn, time),
        copied: 0,
        shared: 0,
        damage: Vec::new(),
        progress,
        at: Progress {
            done: 0,
            total: sources.iter().map(|source| source.len).sum(),
        },
    };
    for source in &sources {
        let growing = source.name.kind == FileKind::Segment && source.name.first == end.segment;
        backup.add(source, growing)?;
    }
    backup.reach(&sources)?;
    let Backup {
        manifest,
        copied,
        shared,
        damage,
        ..
    } = backup;
    // Files and names first, then the manifest that names them.
    let path = disk
        .sync_dir(&files)
        .and_then(|()| manifest::write(disk, dir, manifest.clone()))
        .map_err(UpkeepError::io(dir))?;
    let files_removed = remove_unused(disk, dir).unwrap_or_else(|error| {
        tracing::warn!(%error, "what old backups left behind was not removed");
        0
    });
    Ok(BackupReport {
        backup: manifest.info(&path),
        bytes_copied: copied,
        bytes_shared: shared,
        damage,
        files_removed,
    })
}

/// The log's files up to `end`.
pub fn sources(core: &Core, end: Position) -> Result<Vec<Source>, UpkeepError> {
    let segments = core.log.segments();
    let io = || UpkeepError::io(segments.dir());
    let mut names = log_files(segments.disk(), segments.dir()).map_err(io())?;
    // Those that count; what an interrupted compaction left behind may still be there.
    let spans: Vec<String> = segments.spans().into_iter().map(Span::name).collect();
    let latest = checkpoint::latest(segments, core.store_guid());
    let latest = latest.map_err(|error| io()(io::Error::other(error)))?;
    let latest = latest.map(|found| checkpoint::name(found.header.mark_lsn));
    names.retain(|name| match name.kind {
        FileKind::Segment | FileKind::Pack => spans.contains(&name.name),
        FileKind::Checkpoint => latest.as_ref().is_none_or(|latest| *latest == name.name),
        FileKind::Keys => true,
    });
    let mut sources = Vec::new();
    for name in names {
        if name.kind == FileKind::Segment && name.first > end.segment {
            continue;
        }
        let path = segments.dir().join(&name.name);
        let open = || {
            let file = segments.disk().open_to_read(&path)?;
            let len = match name.kind == FileKind::Segment && name.first == end.segment {
                true => u64::from(end.offset),
                false => file.len()?,
            };
            Ok((file, len))
        };
        let (file, len) = open().map_err(UpkeepError::io(&path))?;
        sources.push(Source {
            file,
            name,
            len,
            store: core.store_guid(),
            next_lsn: None,
            last_lsn: end.lsn,
        });
    }
    // Each segment ends where the next one begins.
    let mut next = (end.segment + 1, Some(end.lsn + 1));
    for source in sources.iter_mut().rev() {
        if source.name.kind == FileKind::Segment {
            source.next_lsn = next.1.filter(|_| next.0 == source.name.last + 1);
            let header = source.header();
            let first = header.ok().flatten().map(|header| header.base_lsn);
            next = (source.name.first, first);
        } else if source.name.kind == FileKind::Checkpoint {
            source.last_lsn = u64::MAX;
        }
    }
    Ok(sources)
}

fn names(disk: &dyn Disk, dir: &Path) -> io::Result<HashSet<String>> {
    let paths = disk.list(dir)?.into_iter();
    Ok(paths
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect())
}

/// Removes files that no manifest names, if all manifests can be read. Returns their number.
fn remove_unused(disk: &dyn Disk, dir: &Path) -> Result<u64, UpkeepError> {
    let all = Manifests::read(disk, dir)?;
    if !all.bad.is_empty() {
        return Ok(0);
    }
    let used: HashSet<&str> = all.entries().map(|entry| entry.stored.as_str()).collect();
    let files = dir.join(FILES);
    let mut removed = 0;
    let here = names(disk, &files).map_err(UpkeepError::io(&files))?;
    for name in here {
        let stored = name.strip_suffix(".part").unwrap_or(&name);
        if log_name(stored).is_some() && !used.contains(name.as_str()) {
            let path = files.join(&name);
            disk.remove(&path).map_err(UpkeepError::io(&path))?;
            removed += 1;
        }
    }
    Ok(removed)
}
