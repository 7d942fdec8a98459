//! The files that a log consists of, whatever they hold, by their names.

use crate::disk::{Disk, DiskFile};
use std::{io, path::Path};

/// What a file of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// The data keys, wrapped.
    Keys,
    /// What is left of some segments.
    Pack,
    /// Frames.
    Segment,
    /// All there was at one moment.
    Checkpoint,
}

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogName {
    /// Its name in the log's directory.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// The first segment that it stands for; 0 if it stands for none.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// Of a checkpoint: the last frame whose changes it may have.
    pub lsn: u64,
}

impl LogName {
    /// What a file of this name is; `None` if it is no part of the log.
    pub fn parse(name: &str) -> Option<Self> {
        let parsed = |kind, first, last, lsn| Self {
            name: name.to_owned(),
            kind,
            first,
            last,
            lsn,
        };
        if name == "keys" {
            return Some(parsed(FileKind::Keys, 0, 0, 0));
        }
        if let Some(stem) = name.strip_suffix(".ckp") {
            let lsn = stem.strip_prefix("checkpoint-")?.parse().ok()?;
            return Some(parsed(FileKind::Checkpoint, 0, 0, lsn));
        }
        let stem = name.strip_suffix(".seg")?;
        let (kind, first, last) = match stem.split_once('-') {
            Some((first, last)) => (FileKind::Pack, first.parse().ok()?, last.parse().ok()?),
            None => {
                let number = stem.parse().ok()?;
                (FileKind::Segment, number, number)
            }
        };
        let written = match kind {
            FileKind::Pack => format!("{first:08}-{last:08}.seg"),
            _ => format!("{first:08}.seg"),
        };
        // Files under similar names do not count.
        (written == name && first > 0 && first <= last).then(|| parsed(kind, first, last, 0))
    }

    /// Whether this one is a leftover, since `other` stands for all that it stands for.
    fn is_replaced_by(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (FileKind::Checkpoint, FileKind::Checkpoint) => self.lsn < other.lsn,
            (FileKind::Segment, FileKind::Pack) => {
                other.first <= self.first && self.last <= other.last
            }
            (FileKind::Pack, FileKind::Pack) => {
                self.name != other.name && other.first <= self.first && self.last <= other.last
            }
            _ => false,
        }
    }
}

/// The files of the log in a directory, without leftovers, by kind and number.
pub fn log_files(disk: &dyn Disk, dir: &Path) -> io::Result<Vec<LogName>> {
    let paths = disk.list(dir)?;
    let names = paths.iter().filter_map(|path| path.file_name()?.to_str());
    let mut found: Vec<LogName> = names.filter_map(LogName::parse).collect();
    found.sort_by_key(|file| (file.kind, file.first, file.last, file.lsn));
    let replacing: Vec<LogName> = found
        .iter()
        .filter(|file| file.kind != FileKind::Segment)
        .cloned()
        .collect();
    found.retain(|file| !replacing.iter().any(|other| file.is_replaced_by(other)));
    Ok(found)
}

/// Hands a file's bytes from `from` to `to` on in steps of at most 1 MiB.
pub fn each_step<E: From<io::Error>>(
    file: &dyn DiskFile,
    from: u64,
    to: u64,
    mut step: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    const STEP: u64 = 1 << 20;
    let mut bytes = vec![0; STEP.min(to.saturating_sub(from)) as usize];
    let mut at = from;
    while at < to {
        let take = (to - at).min(STEP) as usize;
        let part = bytes.get_mut(..take).unwrap_or_default();
        file.read_exact_at(part, at)?;
        step(part)?;
        at += take as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::disk::SimDisk;

    #[test]
    fn leftovers_and_similar_names_are_no_part_of_the_log() {
        let disk = SimDisk::new(1);
        for name in [
            "00000001-00000003.seg",
            "00000001-00000002.seg",
            "00000002.seg",
            "00000004.seg",
            "00000005-00000005.seg",
            "00000005.seg",
            "checkpoint-9.ckp",
            "checkpoint-12.ckp",
            "checkpoint.part",
            "cut-4.bin",
            "keys",
            "4.seg",
            "00000000.seg",
            "00000007-00000006.seg",
        ] {
            disk.put(name, b"");
        }
        let found = log_files(&disk, Path::new("log")).unwrap();
        let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "keys",
                "00000001-00000003.seg",
                "00000005-00000005.seg",
                "00000004.seg",
                "checkpoint-12.ckp"
            ]
        );
    }
}
