//! What a backup consists of: a JSON file of the store's files, their lengths and checksums.

use std::{
    io,
    path::{Path, PathBuf},
};

use ropewalk_props::{FileTime, Guid};
use serde::{Deserialize, Serialize};

use super::{BackupInfo, UpkeepError, files::LogName, utc};
use crate::{disk::Disk, log::frame::crc};

/// The newest format of manifests that this program reads and the one that it writes.
const FORMAT: u32 = 1;
/// A manifest has no more bytes: that would be a million files.
const MAX_BYTES: u64 = 256 << 20;
/// Where the files of backups are, in the backup directory.
pub const FILES: &str = "files";
/// A manifest that is not whole.
pub const PART: &str = "backup.part";

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the store's log.
    pub name: String,
    /// Its name among the backups' files.
    pub stored: String,
    /// The bytes that count; the stored file may be longer.
    pub len: u64,
    /// CRC-32 of these.
    pub crc: u32,
    /// CRC-32 of its first and last bytes: says whether a file of the same name and length is the same.
    pub mark: u32,
    /// Of a segment: the number of its first frame; 0 if that is not known.
    pub first_lsn: u64,
    /// Places that were damaged when it was copied.
    pub damaged: u64,
}

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub store: String,
    pub number: u64,
    pub lsn: u64,
    pub min_lsn: u64,
    /// For people.
    pub made: String,
    pub time: u64,
    /// 0 if it is not known.
    pub min_time: u64,
    pub files: Vec<FileEntry>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    backup: Manifest,
    /// CRC-32 of the backup as it is written without any space.
    crc: u32,
}

/// The name of the manifest of a backup that ends with this commit; there may be several.
fn name(lsn: u64, again: u64) -> String {
    match again {
        0 => format!("backup-{lsn}.json"),
        n => format!("backup-{lsn}-{}.json", n + 1),
    }
}

/// Whether a file of this name is a manifest.
fn is_manifest(name: &str) -> bool {
    let stem = name
        .strip_prefix("backup-")
        .and_then(|rest| rest.strip_suffix(".json"));
    stem.is_some_and(|stem| {
        !stem.is_empty()
            && stem
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_digit())
    })
}

/// The name in the store's log of a file stored under this name, which has a number behind it if the
/// name was taken. `None` if it is no file of a backup.
pub fn log_name(stored: &str) -> Option<LogName> {
    let parsed = LogName::parse(stored);
    parsed.or_else(|| {
        let (name, number) = stored.rsplit_once('~')?;
        number.parse::<u32>().ok()?;
        LogName::parse(name)
    })
}

impl FileEntry {
    /// What the file is.
    pub fn parsed(&self) -> Option<LogName> {
        let parsed = log_name(&self.stored)?;
        (parsed.name == self.name).then_some(parsed)
    }
}

impl Manifest {
    /// A backup without files.
    pub fn new(store: Guid, number: u64, lsn: u64, time: FileTime) -> Self {
        Self {
            format: FORMAT,
            store: store.to_string(),
            number,
            lsn,
            min_lsn: 0,
            made: utc(time),
            time: time.0,
            min_time: 0,
            files: Vec::new(),
        }
    }

    /// The store that it is of.
    pub fn store(&self) -> Guid {
        self.store.parse().unwrap_or_default()
    }

    /// The file's bytes.
    fn encode(self) -> serde_json::Result<Vec<u8>> {
        let crc = crc(&[&serde_json::to_vec(&self)?]);
        serde_json::to_vec_pretty(&Sealed { backup: self, crc })
    }

    /// A manifest from a file's bytes, or what is wrong with it.
    fn decode(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        #[derive(Deserialize)]
        struct Outer {
            backup: Version,
        }
        let damaged = |error: serde_json::Error| format!("it is damaged ({error})");
        let outer: Outer = serde_json::from_slice(bytes).map_err(damaged)?;
        if outer.backup.format > FORMAT {
            let found = outer.backup.format;
            return Err(format!(
                "it was written by a newer Ropewalk (format {found}, this one knows up to {FORMAT})"
            ));
        }
        let sealed: Sealed = serde_json::from_slice(bytes).map_err(damaged)?;
        let written = serde_json::to_vec(&sealed.backup).map_err(damaged)?;
        if crc(&[&written]) != sealed.crc {
            return Err("it is damaged (its checksum is wrong)".into());
        }
        let manifest = sealed.backup;
        if manifest.store.parse::<Guid>().is_err() {
            return Err("it names no store".into());
        }
        match manifest.files.iter().find(|file| file.parsed().is_none()) {
            Some(file) => Err(format!("{:?} is no file of a store", file.name)),
            None => Ok(manifest),
        }
    }

    /// What callers get to know of it.
    pub fn info(&self, path: &Path) -> BackupInfo {
        BackupInfo {
            manifest: path.to_owned(),
            store: self.store(),
            number: self.number,
            lsn: self.lsn,
            min_lsn: self.min_lsn,
            time: FileTime(self.time),
            min_time: (self.min_time != 0).then_some(FileTime(self.min_time)),
            files: self.files.len() as u64,
            bytes: self.files.iter().map(|file| file.len).sum(),
            damaged: self.files.iter().map(|file| file.damaged).sum(),
        }
    }
}

/// The manifests in a directory.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Those that can be read, oldest first.
    pub good: Vec<(PathBuf, Manifest)>,
    /// The others, and what is wrong with them.
    pub bad: Vec<(PathBuf, String)>,
}

impl Manifests {
    /// Reads them.
    pub fn read(disk: &dyn Disk, dir: &Path) -> Result<Self, UpkeepError> {
        let mut found = Self::default();
        let mut paths = disk.list(dir).map_err(UpkeepError::io(dir))?;
        paths.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(is_manifest)
        });
        paths.sort();
        for path in paths {
            let bytes = read_all(disk, &path).map_err(UpkeepError::io(&path))?;
            match bytes.map_or(Err("it is too large".into()), |bytes| {
                Manifest::decode(&bytes)
            }) {
                Ok(manifest) => found.good.push((path, manifest)),
                Err(reason) => found.bad.push((path, reason)),
            }
        }
        found.good.sort_by_key(|(_, manifest)| manifest.number);
        Ok(found)
    }

    /// All files of all backups, those of the newest first.
    pub fn entries(&self) -> impl Iterator<Item = &FileEntry> {
        let newest_first = self.good.iter().rev();
        newest_first.flat_map(|(_, manifest)| &manifest.files)
    }
}

fn read_all(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = disk.open_to_read(path)?;
    let len = file.len()?;
    if len > MAX_BYTES {
        return Ok(None);
    }
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(Some(bytes))
}

/// Writes a manifest, whose files are on disk already, and makes it durable; returns where it is.
pub fn write(disk: &dyn Disk, dir: &Path, manifest: Manifest) -> io::Result<PathBuf> {
    let part = dir.join(PART);
    let taken = disk.list(dir)?;
    if taken.contains(&part) {
        disk.remove(&part)?;
    }
    let lsn = manifest.lsn;
    let bytes = manifest.encode().map_err(io::Error::other)?;
    let file = disk.create(&part)?;
    file.write_all_at(&bytes, 0)?;
    file.sync_data()?;
    let names = (0..).map(|again| dir.join(name(lsn, again)));
    let path = { names }.find(|path| !taken.contains(path));
    let path = path.ok_or_else(|| io::Error::other("no name is left for a manifest"))?;
    disk.rename(&part, &path)?;
    disk.sync_dir(dir)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let mut manifest = Manifest::new(Guid([7; 16]), 3, 99, FileTime(1 << 57));
        manifest.files.push(FileEntry {
            name: "00000001.seg".into(),
            stored: "00000001.seg~2".into(),
            len: 77,
            crc: 5,
            mark: 6,
            first_lsn: 1,
            damaged: 0,
        });
        manifest
    }

    #[test]
    fn a_manifest_reads_back_and_no_change_of_a_value_goes_unseen() {
        let bytes = sample().encode().unwrap();
        assert_eq!(Manifest::decode(&bytes), Ok(sample()));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                // Space may be another one.
                let found = Manifest::decode(&damaged);
                assert!(found.is_err() || found == Ok(sample()), "{at}");
            }
        }
    }

    #[test]
    fn a_manifest_of_a_later_format_or_with_a_file_elsewhere_is_refused() {
        let mut newer = sample();
        newer.format = 2;
        let refused = Manifest::decode(&newer.encode().unwrap()).unwrap_err();
        assert!(refused.contains("newer"), "{refused}");
        for (name, stored) in [
            ("../x", "../x"),
            ("00000001.seg", "/etc/passwd"),
            ("00000001.seg", "00000002.seg"),
            ("00000001.seg", "../00000001.seg"),
        ] {
            let mut elsewhere = sample();
            elsewhere.files[0].name = name.into();
            elsewhere.files[0].stored = stored.into();
            assert!(Manifest::decode(&elsewhere.encode().unwrap()).is_err());
        }
    }

    #[test]
    fn a_second_backup_of_the_same_commit_gets_another_name() {
        let disk = crate::tests::disk::SimDisk::new(1);
        let dir = Path::new("backups");
        let first = write(&disk, dir, sample()).unwrap();
        let second = write(&disk, dir, sample()).unwrap();
        assert_eq!(first, dir.join("backup-99.json"));
        assert_eq!(second, dir.join("backup-99-2.json"));
        assert_eq!(Manifests::read(&disk, dir).unwrap().good.len(), 2);
    }
}
