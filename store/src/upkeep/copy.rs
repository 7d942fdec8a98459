//! Reading a file of the log with its checksums verified, and copying it on the way.

use std::{io, sync::Arc};

use crc32fast::Hasher;
use ropewalk_props::Guid;

use super::{
    Damage, DamageKind,
    files::{FileKind, LogName, each_step},
    walk::{Piece, Walk},
};
use crate::{
    disk::DiskFile,
    log::{
        checkpoint::CHECKPOINT_SEGMENT,
        frame::{FrameHeader, RECORD_HEADER, RecordKind, check_record, crc},
        pack::{Entry, Pack},
        segment::{BadSegment, SEGMENT_HEADER, SegmentHeader, Span},
    },
};

/// Bytes at a file's end that its mark is made of, with its header.
const MARK_TAIL: u64 = 4096;
/// Bytes gathered before they are written.
const GATHER: usize = 1 << 20;

/// A file of a log to be read.
#[derive(Clone)]
pub struct Source {
    /// The file.
    pub file: Arc<dyn DiskFile>,
    /// What it is.
    pub name: LogName,
    /// The bytes that count.
    pub len: u64,
    /// The store that it belongs to.
    pub store: Guid,
    /// Of a segment: the number of the frame after its last one, if known.
    pub next_lsn: Option<u64>,
    /// Frames after this one do not count.
    pub last_lsn: u64,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub struct Found {
    /// Where the last frame that counts ends, or the file.
    pub end: u64,
    /// Damaged places.
    pub damage: Vec<Damage>,
}

/// Where a file's bytes go.
pub struct Target {
    file: Option<Arc<dyn DiskFile>>,
    at: u64,
    gathered: Vec<u8>,
    hasher: Hasher,
}

impl Target {
    /// Writes to `file` from `at` on; `crc` is that of the bytes before.
    pub fn new(file: Option<Arc<dyn DiskFile>>, at: u64, crc: u32) -> Self {
        Self {
            file,
            at,
            gathered: Vec::new(),
            hasher: Hasher::new_with_initial(crc),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        if self.file.is_some() {
            self.gathered.extend_from_slice(bytes);
            if self.gathered.len() >= GATHER {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &self.file {
            file.write_all_at(&self.gathered, self.at)?;
        }
        self.at += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }

    /// Makes the file durable; returns the CRC of all its bytes.
    pub fn finish(mut self) -> io::Result<u32> {
        if !self.gathered.is_empty() {
            self.flush()?;
        }
        if let Some(file) = &self.file {
            file.sync_data()?;
        }
        Ok(self.hasher.finalize())
    }
}

/// Says whether a file of the same name and length is the same: its header, and its end.
pub fn mark(file: &dyn DiskFile, len: u64) -> io::Result<u32> {
    let mut head = vec![0; len.min(u64::from(SEGMENT_HEADER)) as usize];
    file.read_exact_at(&mut head, 0)?;
    let start = len.saturating_sub(MARK_TAIL);
    let mut tail = vec![0; (len - start) as usize];
    file.read_exact_at(&mut tail, start)?;
    Ok(crc(&[&head, &tail]))
}

/// CRC-32 of a file's first bytes.
pub fn crc_of(file: &dyn DiskFile, len: u64) -> io::Result<u32> {
    let mut hasher = Hasher::new();
    each_step(file, 0, len, |bytes| {
        hasher.update(bytes);
        Ok::<_, io::Error>(())
    })?;
    Ok(hasher.finalize())
}

impl Source {
    /// A damaged place in it.
    pub fn damage(&self, kind: DamageKind, offset: u64, lsn: Option<u64>) -> Damage {
        Damage {
            kind,
            file: format!("log/{}", self.name.name),
            offset,
            lsn,
            affected: Vec::new(),
        }
    }

    /// Its header, or what is wrong with it.
    pub fn raw_header(&self) -> io::Result<Result<SegmentHeader, BadSegment>> {
        let mut header = [0; SEGMENT_HEADER as usize];
        if self.len < u64::from(SEGMENT_HEADER) {
            return Ok(Err(BadSegment::Damaged));
        }
        self.file.read_exact_at(&mut header, 0)?;
        Ok(SegmentHeader::decode(&header))
    }

    /// The format that its header names; 0 if it is damaged.
    pub fn format(&self) -> io::Result<u16> {
        let mut version = [0; 2];
        if self.header()?.is_some() {
            self.file.read_exact_at(&mut version, 8)?;
        }
        Ok(u16::from_le_bytes(version))
    }

    /// Its header, if that is whole and of the right store.
    pub fn header(&self) -> io::Result<Option<SegmentHeader>> {
        let header = self.raw_header()?.ok();
        Ok(header.filter(|header| header.store == self.store))
    }

    /// Reads it without copying.
    pub fn scan(&self, step: &mut dyn FnMut(u64)) -> io::Result<Found> {
        self.copy(0, &mut Target::new(None, 0, 0), step)
    }

    /// Copies it from `from` on, which is 0 or where a frame begins. Damage is copied as it is.
    pub fn copy(&self, from: u64, to: &mut Target, step: &mut dyn FnMut(u64)) -> io::Result<Found> {
        let mut found = Found {
            end: self.len,
            damage: Vec::new(),
        };
        match self.name.kind {
            FileKind::Segment => self.frames(self.name.first, from, to, &mut found, step)?,
            FileKind::Checkpoint => self.frames(CHECKPOINT_SEGMENT, from, to, &mut found, step)?,
            FileKind::Pack => {
                self.raw(from, self.len, to, step)?;
                found.damage = self.pack(&mut |_| {})?;
            }
            FileKind::Keys => self.raw(from, self.len, to, step)?,
        }
        Ok(found)
    }

    /// Opens it as a pack; `None` if its directory is damaged.
    pub fn open_pack(&self) -> io::Result<Option<Pack>> {
        let span = Span {
            first: self.name.first,
            last: self.name.last,
            pack: true,
        };
        match Pack::open(self.file.clone(), span) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            other => other.map(Some),
        }
    }

    /// Reads all records of a pack; what is damaged in it.
    pub fn pack(&self, step: &mut dyn FnMut(u64)) -> io::Result<Vec<Damage>> {
        let mut damage = Vec::new();
        let Some(pack) = self.open_pack()? else {
            return Ok(vec![self.damage(DamageKind::PackDirectory, 0, None)]);
        };
        if !pack.whole {
            damage.push(self.damage(DamageKind::Header, 0, None));
        }
        let mut entries: Vec<Entry> = pack.entries().to_vec();
        entries.sort_unstable_by_key(|entry| entry.physical);
        let mut record = Vec::new();
        for entry in entries {
            let whole = RECORD_HEADER as u64 + u64::from(entry.len);
            let at = u64::from(entry.physical);
            let fits = at + whole <= self.len;
            if fits {
                record.resize(whole as usize, 0);
                self.file.read_exact_at(&mut record, at)?;
            }
            let kind = record.first().copied().and_then(RecordKind::from_byte);
            let good = kind.is_some_and(|kind| check_record(&record, kind, entry.len).is_some());
            if !fits || !good {
                damage.push(self.damage(DamageKind::Record, at, None));
            }
            step(whole);
        }
        Ok(damage)
    }

    fn raw(
        &self,
        from: u64,
        end: u64,
        to: &mut Target,
        step: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        each_step(&*self.file, from, end, |bytes| {
            to.put(bytes)?;
            step(bytes.len() as u64);
            Ok(())
        })
    }

    fn head(&self, found: &mut Found) -> io::Result<Option<SegmentHeader>> {
        let header = self.header()?;
        if header.is_none() {
            found.damage.push(self.damage(DamageKind::Header, 0, None));
        }
        Ok(header)
    }

    fn frames(
        &self,
        segment: u32,
        from: u64,
        to: &mut Target,
        found: &mut Found,
        step: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let head = u64::from(SEGMENT_HEADER).min(self.len);
        let mut expected = None;
        if from < head {
            let header = self.head(found)?;
            expected = header
                .filter(|_| self.name.kind == FileKind::Segment)
                .map(|header| header.base_lsn);
            self.raw(from, head, to, step)?;
        }
        let start = u32::try_from(from.max(head)).map_err(io::Error::other)?;
        let mut walk = Walk::new(&*self.file, self.store, segment, start, self.len);
        // A damaged stretch whose end is not known yet.
        let mut open: Option<u64> = None;
        found.end = u64::from(start);
        while let Some(stretch) = walk.next()? {
            let at = u64::from(stretch.at);
            match stretch.piece {
                Piece::Frame(header) if header.lsn > self.last_lsn => break,
                Piece::Frame(header) => {
                    let gap = expected.is_some_and(|expected| expected != header.lsn);
                    if gap || open.is_some() {
                        let from = open.take().unwrap_or(at);
                        found.damage.push(self.lost(expected, header, from));
                    }
                    expected = Some(header.lsn + 1);
                    to.put(walk.frame(stretch)?)?;
                }
                Piece::Damaged | Piece::Newer(_) => {
                    open.get_or_insert(at);
                    self.raw(at, at + u64::from(stretch.len), to, &mut |_| {})?;
                }
            }
            found.end = at + u64::from(stretch.len);
            step(u64::from(stretch.len));
        }
        let missing = match (expected, self.next_lsn) {
            (Some(expected), Some(next)) => next.saturating_sub(expected),
            _ => 0,
        };
        if open.is_some() || missing > 0 {
            let at = open.unwrap_or(found.end);
            let kind = DamageKind::Frames(missing.max(1));
            found.damage.push(self.damage(kind, at, expected));
        }
        Ok(())
    }

    fn lost(&self, expected: Option<u64>, next: FrameHeader, at: u64) -> Damage {
        let frames = expected.map_or(1, |expected| next.lsn.saturating_sub(expected).max(1));
        self.damage(DamageKind::Frames(frames), at, expected)
    }

    /// Goes through a segment's frames from an offset on.
    pub fn walk(&self, from: u64) -> Walk<'_> {
        let start = u32::try_from(from).unwrap_or(u32::MAX);
        Walk::new(&*self.file, self.store, self.name.first, start, self.len)
    }
}
