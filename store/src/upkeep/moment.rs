//! Which backup has a moment, and which commit that is.

use std::path::Path;

use ropewalk_props::FileTime;

use super::{
    RestorePoint, UpkeepError,
    copy::Source,
    files::{FileKind, LogName},
    manifest::{FileEntry, Manifest, Manifests},
    restore::bad,
    utc,
    walk::Piece,
};
use crate::{disk::Disk, log::segment::SEGMENT_HEADER};

/// The backup to restore from, and the last commit that is wanted of it.
pub fn choose<'a>(
    manifests: &'a Manifests,
    files: (&dyn Disk, &Path),
    dir: &Path,
    point: RestorePoint,
) -> Result<(&'a Manifest, u64), UpkeepError> {
    let newest_first = || manifests.good.iter().rev().map(|(_, manifest)| manifest);
    let Some(newest) = newest_first().next() else {
        return Err(match manifests.bad.first() {
            Some((path, reason)) => bad(path, reason),
            None => UpkeepError::NoBackup {
                dir: dir.to_owned(),
            },
        });
    };
    let out_of_reach = |wished| UpkeepError::OutOfReach {
        wished,
        have: reach(manifests),
    };
    match point {
        RestorePoint::Latest => Ok((newest, newest.lsn)),
        RestorePoint::Lsn(lsn) => {
            let reaches =
                |manifest: &&Manifest| (manifest.min_lsn.max(1)..=manifest.lsn).contains(&lsn);
            let found = best(newest_first().filter(reaches));
            let found = found.ok_or_else(|| out_of_reach(format!("commit {lsn}")))?;
            Ok((found, lsn))
        }
        RestorePoint::Time(time) => {
            let reaches = |manifest: &&Manifest| {
                manifest.min_time != 0 && (manifest.min_time..=manifest.time).contains(&time.0)
            };
            let found = best(newest_first().filter(reaches));
            let found = found.ok_or_else(|| out_of_reach(utc(time)))?;
            Ok((found, last_until(found, files, time)?))
        }
    }
}

/// The first one without damage, or the first one.
fn best<'a>(mut manifests: impl Iterator<Item = &'a Manifest>) -> Option<&'a Manifest> {
    let first = manifests.next()?;
    let damaged = |manifest: &Manifest| manifest.files.iter().any(|file| file.damaged > 0);
    match damaged(first) {
        true => manifests
            .find(|manifest| !damaged(manifest))
            .or(Some(first)),
        false => Some(first),
    }
}

/// Which moments can be restored.
fn reach(manifests: &Manifests) -> String {
    let ranges = manifests.good.iter().map(|(_, manifest)| {
        let (first, last) = (manifest.min_lsn.max(1), manifest.lsn);
        let made = utc(FileTime(manifest.time));
        match manifest.min_time {
            0 => format!("commits {first} to {last} ({made})"),
            from => format!(
                "commits {first} to {last} ({} to {made})",
                utc(FileTime(from))
            ),
        }
    });
    let ranges: Vec<String> = ranges.collect();
    format!("the backups reach {}", ranges.join(", "))
}

/// The segments of a backup, ascending.
pub fn segments(manifest: &Manifest) -> Vec<(&FileEntry, LogName)> {
    let files = manifest.files.iter();
    let mut found: Vec<_> = files
        .filter_map(|entry| Some((entry, entry.parsed()?)))
        .filter(|(_, name)| name.kind == FileKind::Segment)
        .collect();
    found.sort_by_key(|(_, name)| name.first);
    found
}

/// The last commit before the first one that was made after `time`.
fn last_until(
    manifest: &Manifest,
    (disk, dir): (&dyn Disk, &Path),
    time: FileTime,
) -> Result<u64, UpkeepError> {
    let mut last = manifest.min_lsn;
    for (entry, name) in segments(manifest) {
        let path = dir.join(&entry.stored);
        let file = disk.open_to_read(&path).map_err(UpkeepError::io(&path))?;
        let source = Source {
            file,
            name,
            len: entry.len,
            store: manifest.store(),
            next_lsn: None,
            last_lsn: u64::MAX,
        };
        let mut walk = source.walk(u64::from(SEGMENT_HEADER));
        while let Some(stretch) = walk.next().map_err(UpkeepError::io(&path))? {
            match stretch.piece {
                Piece::Frame(header) if header.lsn <= manifest.min_lsn => {}
                Piece::Frame(header) if header.time > time => return Ok(last.max(1)),
                Piece::Frame(header) => last = header.lsn,
                _ => {}
            }
        }
    }
    Ok(manifest.lsn)
}
