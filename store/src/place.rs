//! Looking at the place of a store before anything there is touched.
//!
//! Nothing is written here, and every refusal is a sentence that says what to do.

use std::{
    ffi::OsStr,
    fs,
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, AtFlags, CWD, StatVfsMountFlags, accessat, statfs, statvfs};

use crate::{
    OpenError,
    log::segment::{BadSegment, SEGMENT_HEADER, SegmentHeader},
    upkeep::restore,
};

const HEADER: u64 = SEGMENT_HEADER as u64;

/// The file system that a path is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The number by which Linux knows its kind.
    pub kind: u64,
    /// Nobody may write to it.
    pub read_only: bool,
}

/// What the operating system tells, so that tests can tell something else.
pub trait System {
    /// The file system of an existing path.
    fn mount(&self, path: &Path) -> io::Result<Mount>;
    /// Who this process is.
    fn user(&self) -> u32;
    /// An error unless this process may read and write an existing path.
    fn may_write(&self, path: &Path) -> io::Result<()>;
}

/// The operating system itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Os;

impl System for Os {
    fn mount(&self, path: &Path) -> io::Result<Mount> {
        let flags = statvfs(path)?.f_flag;
        Ok(Mount {
            // The kinds have 32 bits; some platforms extend their sign.
            kind: statfs(path)?.f_type as u64 & 0xFFFF_FFFF,
            read_only: flags.contains(StatVfsMountFlags::RDONLY),
        })
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn may_write(&self, path: &Path) -> io::Result<()> {
        let how = Access::READ_OK | Access::WRITE_OK;
        Ok(accessat(CWD, path, how, AtFlags::empty())?)
    }
}

/// What a kind of file system means for a store (numbers: statfs(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// On a disk of this machine.
    Local,
    /// On a disk of this machine; all files seem to be of one user.
    OneOwner,
    /// On another machine: locks may not hold, and an fsync may not mean what it says.
    Network(&'static str),
    /// Whoever serves it decides what an fsync means.
    Unknown(&'static str),
}

fn kind(number: u64) -> Kind {
    match number {
        0x6969 => Kind::Network("NFS"),
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => Kind::Network("SMB"),
        0x5346_414F | 0x6B41_4653 => Kind::Network("AFS"),
        0x00C3_6400 => Kind::Network("Ceph"),
        0x7375_7245 => Kind::Network("Coda"),
        0x564C => Kind::Network("NCP"),
        0x0BD0_0BD0 => Kind::Network("Lustre"),
        0x6573_5546 => Kind::Unknown("FUSE"),
        0x0102_1997 => Kind::Unknown("9p"),
        0x4D44 | 0x2011_BAB0 | 0x7366_746E => Kind::OneOwner,
        _ => Kind::Local,
    }
}

/// Whether a store can be in `dir`, which need not be there yet. Changes nothing.
pub fn check(dir: &Path, allow_network: bool, system: &dyn System) -> Result<(), OpenError> {
    let there = match fs::metadata(dir) {
        Ok(found) if !found.is_dir() => {
            return Err(OpenError::NotADirectory {
                dir: dir.to_owned(),
            });
        }
        Ok(_) => true,
        Err(error) if is_absent(&error) => {
            if fs::symlink_metadata(dir).is_ok() {
                return Err(OpenError::DanglingLink {
                    dir: dir.to_owned(),
                });
            }
            false
        }
        Err(error) => return Err(OpenError::of_io(dir, error)),
    };
    let nearest = match there {
        true => dir.to_owned(),
        false => nearest(dir)?,
    };
    let mount = system.mount(&nearest);
    let mount = mount.map_err(|error| OpenError::of_io(&nearest, error))?;
    let kind = kind(mount.kind);
    match kind {
        Kind::Network(name) if !allow_network => {
            return Err(OpenError::Network {
                dir: dir.to_owned(),
                kind: name,
            });
        }
        Kind::Network(name) | Kind::Unknown(name) => tracing::warn!(
            dir = %dir.display(),
            kind = name,
            "the store is not on a disk of this machine: what counts as written may not survive a failure there"
        ),
        Kind::Local | Kind::OneOwner => {}
    }
    if mount.read_only {
        return Err(OpenError::ReadOnlyDisk {
            dir: dir.to_owned(),
        });
    }
    if !there {
        return Ok(());
    }
    check_log_is_there(dir, &list(dir)?)
}

/// Whether this user may use what the store has in `dir`. Changes nothing.
///
/// To be asked once the store is known not to be in use: what root asks of a running server of
/// another user goes through that one. [`has_lock`] says whether that can be found out without making
/// a file.
pub fn check_files(dir: &Path, system: &dyn System) -> Result<(), OpenError> {
    let mount = system.mount(dir);
    let mount = mount.map_err(|error| OpenError::of_io(dir, error))?;
    let owned = matches!(kind(mount.kind), Kind::Local);
    let mut all = vec![dir.to_owned()];
    for path in list(dir)?.into_iter().filter(|path| is_ours(path)) {
        if path.is_dir() {
            all.extend(list(&path)?.into_iter().filter(|inner| inner.is_file()));
        }
        all.push(path);
    }
    for path in &all {
        check_owner(dir, path, owned, system)?;
    }
    Ok(())
}

/// Whether the directory has the file that is locked.
pub fn has_lock(dir: &Path) -> bool {
    dir.join("lock").exists()
}

/// Not there; perhaps since something above it is not a directory.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// The nearest directory above `dir` that is there.
fn nearest(dir: &Path) -> Result<PathBuf, OpenError> {
    for above in dir.ancestors().skip(1) {
        let above = match above.as_os_str().is_empty() {
            true => Path::new("."),
            false => above,
        };
        match fs::metadata(above) {
            Ok(found) if found.is_dir() => return Ok(above.to_owned()),
            Ok(_) => {
                return Err(OpenError::NotADirectory {
                    dir: above.to_owned(),
                });
            }
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(OpenError::of_io(above, error)),
        }
    }
    Ok(PathBuf::from("/"))
}

fn list(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let entries = fs::read_dir(dir).and_then(|entries| {
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths.collect::<io::Result<Vec<_>>>()
    });
    entries.map_err(|error| OpenError::of_io(dir, error))
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or("?")
}

/// Whether this is something that the store makes in its directory.
fn is_ours(path: &Path) -> bool {
    matches!(
        name(path),
        "lock" | "log" | "index" | "index.old" | "index.suspect" | restore::MARKER
    )
}

/// Whether something else may be in a directory in which a store is made: what the server keeps
/// beside it, what file systems make, and what people put beside a program's data.
fn is_harmless(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    name(path).starts_with(['.', '~'])
        || name(path) == "lost+found"
        || name(path).starts_with("ropewalk")
        || name(path).starts_with("admin")
        || matches!(
            extension,
            "conf" | "key" | "log" | "md" | "pem" | "pid" | "sock" | "toml" | "txt"
        )
}

/// Whether a file is one of the log's.
fn is_of_log(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    matches!(extension, "seg" | "ckp" | "bin" | "part") || name(path) == "keys"
}

/// Whether a segment has less than its header: that of a store whose making was interrupted, which has
/// no index yet.
fn is_empty(segment: &Path) -> bool {
    let Ok(bytes) = fs::metadata(segment).and_then(|found| match found.len() {
        0..=HEADER => fs::read(segment),
        _ => Err(ErrorKind::FileTooLarge.into()),
    }) else {
        return false;
    };
    match bytes.first_chunk() {
        Some(header) => matches!(SegmentHeader::decode(header), Err(BadSegment::Damaged)),
        None => true,
    }
}

/// A directory without a log is to become a store only if it is nobody's.
fn check_log_is_there(dir: &Path, found: &[PathBuf]) -> Result<(), OpenError> {
    if found.contains(&dir.join(restore::MARKER)) {
        return Err(OpenError::HalfRestored {
            dir: dir.to_owned(),
        });
    }
    let log = dir.join("log");
    let in_log = match log.is_dir() {
        true => list(&log)?,
        false => Vec::new(),
    };
    let is_segment = |path: &PathBuf| path.extension().is_some_and(|ext| ext == "seg");
    if in_log
        .iter()
        .any(|path| is_segment(path) && !is_empty(path))
    {
        return Ok(());
    }
    let index = dir.join("index");
    if index.is_dir() && !list(&index)?.is_empty() {
        return Err(OpenError::LogMissing {
            dir: dir.to_owned(),
        });
    }
    let foreign = found
        .iter()
        .find(|path| !is_ours(path) && !is_harmless(path))
        .or_else(|| in_log.iter().find(|path| !is_of_log(path)));
    match foreign {
        Some(path) => Err(OpenError::NotAStore {
            dir: dir.to_owned(),
            found: name(path).to_owned(),
        }),
        None => Ok(()),
    }
}

fn check_owner(dir: &Path, path: &Path, owned: bool, system: &dyn System) -> Result<(), OpenError> {
    let found = match fs::metadata(path) {
        // Gone since: whoever has the store open is at work.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| OpenError::of_io(path, error))?,
    };
    // The directory itself may be someone else's, if it can be written to. What root writes into
    // another user's store, that user cannot read.
    if owned && path != dir && found.uid() != system.user() {
        return Err(OpenError::OtherUser {
            path: path.to_owned(),
            owner: found.uid(),
            user: system.user(),
        });
    }
    match system.may_write(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other.map_err(|error| OpenError::of_io(path, error)),
    }
}
