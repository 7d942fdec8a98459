//! One file of a backup: shared with an earlier one, gone on with, or copied.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Damage, DamageKind, OnProgress, UpkeepError,
    copy::{Found, Source, Target, crc_of, mark},
    files::FileKind,
    manifest::{FILES, FileEntry, Manifest, Manifests},
    walk::Piece,
};
use crate::{
    Progress,
    disk::{Disk, DiskFile},
    log::segment::SEGMENT_HEADER,
};

/// Each backup looks at one in so many of the files that it shares, so that what an old disk of backups
/// forgets is found while the store still has it.
const LOOK_AT: u64 = 16;
/// Damaged places that a report names, at most.
const MOST_DAMAGE: usize = 1000;

/// A backup in the making.
pub struct Backup<'a, 'p> {
    pub disk: &'a dyn Disk,
    pub files: &'a Path,
    pub earlier: &'a Manifests,
    /// The names of the files that are there.
    pub here: HashSet<String>,
    pub manifest: Manifest,
    pub copied: u64,
    pub shared: u64,
    pub damage: Vec<Damage>,
    pub progress: &'a mut OnProgress<'p>,
    pub at: Progress,
}

/// An earlier backup's copy of a file.
#[derive(Clone, Copy)]
struct Earlier<'a> {
    entry: &'a FileEntry,
    /// The last commit of that backup.
    lsn: u64,
}

impl Backup<'_, '_> {
    /// Adds a file: shares an earlier copy, goes on with one, or copies it.
    pub fn add(&mut self, source: &Source, growing: bool) -> Result<(), UpkeepError> {
        let label = PathBuf::from("log").join(&source.name.name);
        let earlier = self.earlier;
        let known: Vec<Earlier<'_>> = earlier
            .good
            .iter()
            .rev()
            .flat_map(|(_, manifest)| {
                let lsn = manifest.lsn;
                let same = manifest.files.iter();
                same.filter(|entry| entry.name == source.name.name)
                    .map(move |entry| Earlier { entry, lsn })
            })
            .filter(|known| self.is_here(known.entry))
            .collect();
        if !growing
            && self
                .share(source, &known)
                .map_err(UpkeepError::io(&label))?
        {
            return Ok(());
        }
        if source.name.kind == FileKind::Segment
            && let Some(known) = self.to_extend(source, &known)
            && self
                .extend(source, known)
                .map_err(UpkeepError::io(&label))?
        {
            return Ok(());
        }
        self.copy(source, growing).map_err(UpkeepError::io(&label))
    }

    /// Whether a file that a manifest names is there, and long enough.
    fn is_here(&self, entry: &FileEntry) -> bool {
        let path = self.files.join(&entry.stored);
        let len = self.disk.open_to_read(&path).and_then(|file| file.len());
        len.is_ok_and(|len| len >= entry.len)
    }

    /// Shares an earlier copy of a file that does not change any more, if there is one of the same. A good
    /// earlier copy is not given up for a damaged file.
    fn share(&mut self, source: &Source, known: &[Earlier<'_>]) -> io::Result<bool> {
        let same_len = known.iter().filter(|known| known.entry.len == source.len);
        let same_len: Vec<&FileEntry> = same_len.map(|known| known.entry).collect();
        if same_len.is_empty() {
            return Ok(false);
        }
        let mark = mark(&*source.file, source.len)?;
        let same = |entry: &&&FileEntry| entry.mark == mark;
        let good = |entry: &&&FileEntry| entry.damaged == 0;
        if let Some(entry) = same_len.iter().filter(same).find(good) {
            let whole = source.name.kind != FileKind::Keys
                || crc_of(&*source.file, source.len)? == entry.crc;
            if whole && (!self.is_due() || self.is_good(entry)?) {
                self.put_shared(entry, entry.damaged, source.len);
                return Ok(true);
            }
            if whole {
                return self.mend(source, entry).map(|()| true);
            }
        }
        let any = same_len.iter().find(good);
        let any = any.or_else(|| same_len.iter().find(same));
        let Some(entry) = any else {
            return Ok(false);
        };
        // Another file, or the same one which is damaged by now, or was before.
        let found = source.scan(&mut |_| {})?;
        if found.damage.is_empty() {
            return Ok(false);
        }
        self.put_shared(entry, entry.damaged, source.len);
        self.report(found.damage);
        Ok(true)
    }

    /// Whether this backup looks at its copy of the next file: each one does at some of them.
    fn is_due(&self) -> bool {
        let file = self.manifest.files.len() as u64;
        (self.manifest.number + file).is_multiple_of(LOOK_AT)
    }

    /// Whether an earlier copy is as it was written.
    fn is_good(&self, entry: &FileEntry) -> io::Result<bool> {
        let file = self.disk.open_to_read(&self.files.join(&entry.stored))?;
        Ok(crc_of(&*file, entry.len)? == entry.crc)
    }

    /// Copies a file anew whose earlier copy was damaged, for all backups that have it.
    fn mend(&mut self, source: &Source, entry: &FileEntry) -> io::Result<()> {
        let file = format!("{FILES}/{}", entry.stored);
        self.report(vec![Damage {
            file,
            ..source.damage(DamageKind::Record, 0, None)
        }]);
        let (part, file) = self.part(&entry.stored)?;
        let mut target = Target::new(Some(file), 0, 0);
        let found = self.copied(source, 0, &mut target)?;
        if target.finish()? != entry.crc {
            // The store's is another one by now, or damaged as well.
            self.disk.remove(&part)?;
            return self.copy(source, false);
        }
        self.disk.rename(&part, &self.files.join(&entry.stored))?;
        self.manifest.files.push(entry.clone());
        self.copied += found.end;
        Ok(())
    }

    /// An empty file that is to get this name.
    fn part(&mut self, stored: &str) -> io::Result<(PathBuf, Arc<dyn DiskFile>)> {
        let name = format!("{stored}.part");
        let path = self.files.join(&name);
        if self.here.remove(&name) {
            self.disk.remove(&path)?;
        }
        let file = self.disk.create(&path)?;
        Ok((path, file))
    }

    fn put_shared(&mut self, entry: &FileEntry, damaged: u64, bytes: u64) {
        self.manifest.files.push(FileEntry {
            damaged,
            ..entry.clone()
        });
        self.shared += bytes;
        self.step(bytes);
    }

    /// The earlier copy of a segment that was growing then, to go on with: what other backups need of
    /// its file is not written over.
    fn to_extend<'e>(&self, source: &Source, known: &[Earlier<'e>]) -> Option<Earlier<'e>> {
        let fits = known.iter().filter(|known| known.entry.len <= source.len);
        fits.copied().find(|known| {
            let entries = self.earlier.entries();
            let mut same = entries.filter(|entry| entry.stored == known.entry.stored);
            same.all(|entry| entry.len <= known.entry.len)
        })
    }

    /// Goes on with an earlier copy; false if it is not of the same file.
    fn extend(&mut self, source: &Source, known: Earlier<'_>) -> io::Result<bool> {
        let entry = known.entry;
        let mut damaged = entry.damaged;
        let mut rotten = Vec::new();
        if crc_of(&*source.file, entry.len)? != entry.crc {
            // Another one, unless it is damaged by now and goes on as it should.
            let prefix = Source {
                len: entry.len,
                next_lsn: None,
                ..source.clone()
            };
            let found = prefix.scan(&mut |_| {})?;
            let goes_on = match source.walk(entry.len).next()?.map(|next| next.piece) {
                Some(Piece::Frame(header)) => header.lsn == known.lsn + 1,
                Some(_) => false,
                None => true,
            };
            if found.damage.is_empty() || !goes_on || entry.damaged > 0 {
                return Ok(false);
            }
            rotten = found.damage;
        }
        let path = self.files.join(&entry.stored);
        let file = self.disk.open(&path)?;
        let before = file.len()?;
        let others = !self.earlier.bad.is_empty() && before > entry.len;
        if others || !self.is_good(entry)? {
            return Ok(false);
        }
        let mut target = Target::new(Some(file.clone()), entry.len, entry.crc);
        self.step(entry.len);
        let found = self.copied(source, entry.len, &mut target)?;
        if found.end < before {
            // Of a backup that was interrupted.
            file.set_len(found.end)?;
        }
        let crc = target.finish()?;
        damaged += found.damage.len() as u64;
        self.manifest.files.push(FileEntry {
            len: found.end,
            crc,
            mark: mark(&*file, found.end)?,
            damaged,
            ..entry.clone()
        });
        self.shared += entry.len;
        self.copied += found.end - entry.len;
        self.report(rotten);
        self.report(found.damage);
        Ok(true)
    }

    /// Copies a file whole, unless an interrupted backup has done so.
    fn copy(&mut self, source: &Source, growing: bool) -> io::Result<()> {
        let name = &source.name.name;
        let first_lsn = match source.name.kind {
            FileKind::Segment => source.header()?.map_or(0, |header| header.base_lsn),
            _ => 0,
        };
        if !growing && let Some(entry) = self.adopt(source, first_lsn)? {
            self.put_shared(&entry, 0, source.len);
            return Ok(());
        }
        let entries = self.earlier.entries();
        let mut taken: HashSet<&str> = entries.map(|entry| entry.stored.as_str()).collect();
        if !self.earlier.bad.is_empty() {
            // Another version may be able to read the manifests that name them.
            taken.extend(self.here.iter().map(String::as_str));
        }
        let names = (1..u32::MAX).map(|n| match n {
            1 => name.clone(),
            n => format!("{name}~{n}"),
        });
        let free = { names }.find(|name| !taken.contains(name.as_str()));
        let stored = free.ok_or_else(|| io::Error::other("no name is left for a file"))?;
        let path = self.files.join(&stored);
        if self.here.remove(&stored) {
            self.disk.remove(&path)?;
        }
        let (part, file) = self.part(&stored)?;
        let mut target = Target::new(Some(file.clone()), 0, 0);
        let found = self.copied(source, 0, &mut target)?;
        let crc = target.finish()?;
        self.disk.rename(&part, &path)?;
        self.manifest.files.push(FileEntry {
            name: name.clone(),
            stored,
            len: found.end,
            crc,
            mark: mark(&*file, found.end)?,
            first_lsn,
            damaged: found.damage.len() as u64,
        });
        self.copied += found.end;
        self.report(found.damage);
        Ok(())
    }

    fn copied(&mut self, source: &Source, from: u64, target: &mut Target) -> io::Result<Found> {
        let (at, progress) = (&mut self.at, &mut *self.progress);
        source.copy(from, target, &mut |bytes| {
            at.done = (at.done + bytes).min(at.total);
            progress(*at);
        })
    }

    /// A whole copy that no manifest names, since the backup that made it was interrupted.
    fn adopt(&self, source: &Source, first_lsn: u64) -> io::Result<Option<FileEntry>> {
        let name = &source.name.name;
        let known = self.earlier.entries().any(|entry| entry.stored == *name);
        if known || !self.here.contains(name) || !self.earlier.bad.is_empty() {
            return Ok(None);
        }
        let file = self.disk.open_to_read(&self.files.join(name))?;
        let mark = mark(&*source.file, source.len)?;
        if file.len()? != source.len || self::mark(&*file, source.len)? != mark {
            return Ok(None);
        }
        let mut target = Target::new(None, 0, 0);
        let copy = Source {
            file,
            ..source.clone()
        };
        let found = copy.copy(0, &mut target, &mut |_| {})?;
        if !found.damage.is_empty() || source.name.kind == FileKind::Keys {
            return Ok(None);
        }
        Ok(Some(FileEntry {
            name: name.clone(),
            stored: name.clone(),
            len: source.len,
            crc: target.finish()?,
            mark,
            first_lsn,
            damaged: 0,
        }))
    }

    fn report(&mut self, damage: Vec<Damage>) {
        let room = MOST_DAMAGE.saturating_sub(self.damage.len());
        self.damage.extend(damage.into_iter().take(room));
    }

    fn step(&mut self, bytes: u64) {
        self.at.done = (self.at.done + bytes).min(self.at.total);
        (self.progress)(self.at);
    }

    /// Notes from which commit on moments can be restored, and when that was.
    pub fn reach(&mut self, sources: &[Source]) -> Result<(), UpkeepError> {
        let lsn = self.manifest.lsn;
        let mut min_lsn = 0;
        for source in sources {
            if matches!(source.name.kind, FileKind::Pack | FileKind::Checkpoint) {
                let header = match source.name.kind {
                    FileKind::Pack => source.open_pack().map(|pack| pack.map(|pack| pack.header)),
                    _ => source.header(),
                };
                let header = header.map_err(UpkeepError::io(self.files))?;
                min_lsn = header.map_or(lsn, |header| header.mark_lsn).max(min_lsn);
            }
        }
        self.manifest.min_lsn = min_lsn.min(lsn);
        self.manifest.min_time = first_time(sources, self.manifest.min_lsn.max(1))
            .map_err(UpkeepError::io(self.files))?;
        Ok(())
    }
}

/// When the first frame from `lsn` on that tells it was written; 0 if none does.
fn first_time(sources: &[Source], lsn: u64) -> io::Result<u64> {
    let segments = sources
        .iter()
        .filter(|source| source.name.kind == FileKind::Segment)
        .filter(|source| source.next_lsn.is_none_or(|next| next > lsn));
    let mut segments = segments.peekable();
    while let Some(source) = segments.next() {
        // Frames of format 1 do not tell.
        if let Some(next) = segments.peek()
            && next.format()? == 1
        {
            continue;
        }
        let mut walk = source.walk(u64::from(SEGMENT_HEADER));
        while let Some(stretch) = walk.next()? {
            match stretch.piece {
                Piece::Frame(header) if header.lsn >= lsn && header.time.0 != 0 => {
                    return Ok(header.time.0);
                }
                _ => {}
            }
        }
    }
    Ok(0)
}
