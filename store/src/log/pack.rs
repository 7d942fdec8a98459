//! Packs: what is left of neighbouring segments, under its old places. FORMAT.md has the layout.

use std::{io, path::PathBuf, sync::Arc};

use ropewalk_props::Guid;

use super::{
    frame::{ALIGN, Location, RECORD_HEADER, crc, padding},
    header::{MAGIC, SEGMENT_HEADER, SegmentHeader, SegmentKind, field},
    segment::{Segments, Span, read_header},
};
use crate::disk::DiskFile;

/// The name of a pack that is being written.
pub const PACK_PART: &str = "pack.part";
/// Bytes of what follows the directory: the file's header once more, and where the directory is.
pub const TRAILER: usize = 96;
/// Bytes of an entry of the directory.
const ENTRY: usize = 16;
const TRAILER_MAGIC: [u8; 4] = *b"RWpd";
/// Bytes gathered before they are written.
const WRITE: usize = 1 << 20;
/// Bytes written before they are made durable: a commit that comes meanwhile is not to wait for more.
const SYNC: u64 = 4 << 20;
/// Bytes looked at together while an end is searched for.
const WINDOW: u64 = 1 << 20;

/// Where a record is in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The segment that it was written to.
    pub segment: u32,
    /// Its offset there.
    pub offset: u32,
    /// The offset of its header in the pack.
    pub physical: u32,
    /// Bytes of its data as stored, without header and padding.
    pub len: u32,
}

impl Entry {
    fn encode(self) -> [u8; ENTRY] {
        let mut out = [0; ENTRY];
        let numbers = [self.segment, self.offset, self.physical, self.len];
        for (place, number) in out.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        out
    }

    fn decode(bytes: &[u8; ENTRY]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
        Self {
            segment: u32::from_le_bytes([a, b, c, d]),
            offset: u32::from_le_bytes([e, f, g, h]),
            physical: u32::from_le_bytes([i, j, k, l]),
            len: u32::from_le_bytes([m, n, o, p]),
        }
    }
}

/// The end of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// The file's header once more.
    pub header: SegmentHeader,
    count: u32,
    directory: u32,
    directory_crc: u32,
}

impl Trailer {
    fn encode(&self, at: u32) -> [u8; TRAILER] {
        let mut out = [0; TRAILER];
        out[..64].copy_from_slice(&self.header.encode());
        out[64..68].copy_from_slice(&TRAILER_MAGIC);
        out[68..72].copy_from_slice(&self.count.to_le_bytes());
        out[72..76].copy_from_slice(&self.directory.to_le_bytes());
        out[76..80].copy_from_slice(&self.directory_crc.to_le_bytes());
        out[80..84].copy_from_slice(&at.to_le_bytes());
        let check = crc(&[&out[..92]]);
        out[92..96].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// The trailer that begins at offset `at`, if these are its bytes.
    fn decode(bytes: &[u8; TRAILER], at: u64) -> Option<Self> {
        let number = |place| field(bytes, place).ok().map(u32::from_le_bytes);
        if bytes[64..68] != TRAILER_MAGIC
            || number(92) != Some(crc(&[&bytes[..92]]))
            || number(80).map(u64::from) != Some(at)
        {
            return None;
        }
        Some(Self {
            header: SegmentHeader::decode(bytes.first_chunk::<64>()?).ok()?,
            count: number(68)?,
            directory: number(72)?,
            directory_crc: number(76)?,
        })
    }
}

fn trailer_at(file: &dyn DiskFile, at: u64) -> io::Result<Option<Trailer>> {
    let mut bytes = [0; TRAILER];
    file.read_exact_at(&mut bytes, at)?;
    Ok(Trailer::decode(&bytes, at))
}

/// Whether a file ends as a pack does.
pub fn has_end(file: &dyn DiskFile) -> io::Result<bool> {
    match file.len()?.checked_sub(TRAILER as u64) {
        Some(at) => Ok(trailer_at(file, at)?.is_some()),
        None => Ok(false),
    }
}

/// The last whole trailer of a file of `len` bytes, which is at its end unless that is damaged.
pub fn last_trailer(file: &dyn DiskFile, len: u64) -> io::Result<Option<Trailer>> {
    let Some(end) = len.checked_sub(TRAILER as u64) else {
        return Ok(None);
    };
    match trailer_at(file, end)? {
        None => trailer_before(file, end),
        found => Ok(found),
    }
}

/// The last whole trailer that begins before `end`, which is no offset of the first one.
fn trailer_before(file: &dyn DiskFile, end: u64) -> io::Result<Option<Trailer>> {
    let mut stop = end - end % ALIGN as u64;
    while stop > u64::from(SEGMENT_HEADER) {
        let start = stop.saturating_sub(WINDOW).max(u64::from(SEGMENT_HEADER));
        let mut window = vec![0; (stop - start) as usize];
        file.read_exact_at(&mut window, start)?;
        for (index, place) in window.chunks(ALIGN).enumerate().rev() {
            let at = start + (index * ALIGN) as u64;
            if place.starts_with(&MAGIC)
                && at + TRAILER as u64 <= end
                && let Some(found) = trailer_at(file, at)?
            {
                return Ok(Some(found));
            }
        }
        stop = start;
    }
    Ok(None)
}

/// A pack that is open.
pub struct Pack {
    /// The file.
    pub file: Arc<dyn DiskFile>,
    /// What its end says of it.
    pub header: SegmentHeader,
    /// Whether all of it is whole but, perhaps, its records: both directories and the header.
    pub whole: bool,
    /// Ascending by segment and offset.
    entries: Vec<Entry>,
}

impl Pack {
    /// Reads the directory of the pack of these segments. [`io::ErrorKind::InvalidData`] if neither it
    /// nor its second copy is whole.
    pub fn open(file: Arc<dyn DiskFile>, span: Span) -> io::Result<Self> {
        let len = file.len()?;
        let (header, _) = read_header(&*file)?;
        let mut whole = true;
        let mut end = len;
        // The second copy, at the end of the file; the first one if that is damaged.
        while let Some(at) = end.checked_sub(TRAILER as u64) {
            let found = match trailer_at(&*file, at)? {
                None => {
                    whole = false;
                    trailer_before(&*file, at)?
                }
                found => found,
            };
            let Some(trailer) = found else { break };
            if let Some(entries) = directory(&*file, &trailer, len)? {
                let copy = u64::from(trailer.directory);
                return Ok(Self {
                    whole: whole && header == Ok(trailer.header) && twin(&*file, &trailer, copy)?,
                    file,
                    header: fitting(trailer.header, span)?,
                    entries,
                });
            }
            whole = false;
            // The first copy ends where the directory of the second begins.
            end = u64::from(trailer.directory).min(end.saturating_sub(1));
        }
        Err(damaged())
    }

    /// The records, ascending by segment and offset.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where a record is.
    pub fn find(&self, segment: u32, offset: u32) -> Option<Entry> {
        let key = |entry: &Entry| (entry.segment, entry.offset);
        let found = self
            .entries
            .binary_search_by_key(&(segment, offset), key)
            .ok()?;
        self.entries.get(found).copied()
    }
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "the directory of a pack is damaged",
    )
}

fn fitting(header: SegmentHeader, span: Span) -> io::Result<SegmentHeader> {
    let fits =
        header.kind == SegmentKind::Pack && (header.number, header.last) == (span.first, span.last);
    fits.then_some(header).ok_or_else(damaged)
}

/// The entries of a directory, if they are whole.
fn directory(file: &dyn DiskFile, trailer: &Trailer, len: u64) -> io::Result<Option<Vec<Entry>>> {
    let bytes = trailer.count as usize * ENTRY;
    if u64::from(trailer.directory) + bytes as u64 > len {
        return Ok(None);
    }
    let mut raw = vec![0; bytes];
    file.read_exact_at(&mut raw, u64::from(trailer.directory))?;
    if crc(&[&raw]) != trailer.directory_crc {
        return Ok(None);
    }
    let (entries, _) = raw.as_chunks::<ENTRY>();
    Ok(Some(entries.iter().map(Entry::decode).collect()))
}

/// Whether the other copy, which ends where this directory begins, is whole and the same.
fn twin(file: &dyn DiskFile, trailer: &Trailer, end: u64) -> io::Result<bool> {
    let Some(at) = end.checked_sub(TRAILER as u64) else {
        return Ok(false);
    };
    let Some(other) = trailer_at(file, at)? else {
        return Ok(false);
    };
    let same = Trailer {
        directory: trailer.directory,
        ..other
    };
    Ok(same == *trailer && directory(file, &other, end)?.is_some())
}

/// A pack that is all written and durable, but has no name yet.
pub struct FinishedPack {
    /// The segments that it stands for.
    pub span: Span,
    /// Where it is by now.
    pub(super) part: PathBuf,
    pub(super) pack: Pack,
}

/// Writes a pack. One at a time.
pub struct PackWriter {
    file: Arc<dyn DiskFile>,
    part: PathBuf,
    header: SegmentHeader,
    entries: Vec<Entry>,
    /// What is not written yet.
    gathered: Vec<u8>,
    /// Where that goes.
    at: u64,
    /// Bytes written since the last fsync.
    unsynced: u64,
}

impl PackWriter {
    /// Begins the pack that is to stand for the segments `first` to `last`, with records that are
    /// encrypted with `key`. It lacks only what nothing referred to any more after the frame `mark_lsn`.
    pub fn create(
        segments: &Segments,
        first: u32,
        last: u32,
        store: Guid,
        mark_lsn: u64,
        key: u16,
    ) -> io::Result<Self> {
        let missing = || io::Error::other(format!("segment {first} is missing"));
        let replaced = segments.span(first).ok_or_else(missing)?;
        let (replaced, _) = segments.header_of(replaced)?;
        let header = SegmentHeader {
            kind: SegmentKind::Pack,
            last,
            base_lsn: replaced.map_or(0, |header| header.base_lsn),
            mark_lsn,
            key,
            ..SegmentHeader::log(first, store)
        };
        Ok(Self {
            file: segments.create_part(PACK_PART)?,
            part: segments.dir().join(PACK_PART),
            header,
            entries: Vec::new(),
            gathered: header.encode().to_vec(),
            at: 0,
            unsynced: 0,
        })
    }

    /// Bytes of the records so far.
    pub fn bytes(&self) -> u64 {
        self.at + self.gathered.len() as u64
    }

    /// Adds the record at `at`: its header and data as stored. They come in ascending order.
    pub fn add(&mut self, at: Location, record: &[u8]) -> io::Result<()> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidInput, "a record out of its place");
        let key = (at.segment, at.offset);
        let ascending = self
            .entries
            .last()
            .is_none_or(|last| (last.segment, last.offset) < key);
        if !ascending || !(self.header.number..=self.header.last).contains(&at.segment) {
            return Err(wrong());
        }
        let len = record.len().checked_sub(RECORD_HEADER).ok_or_else(wrong)?;
        self.entries.push(Entry {
            segment: at.segment,
            offset: at.offset,
            physical: place(self.bytes())?,
            len: place(len as u64)?,
        });
        self.gather(record)?;
        self.pad()
    }

    fn gather(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while self.gathered.len() + bytes.len() >= WRITE {
            let room = WRITE.saturating_sub(self.gathered.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.gathered.extend_from_slice(now);
            bytes = later;
            self.write()?;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(())
    }

    fn pad(&mut self) -> io::Result<()> {
        self.gather(&vec![0; padding(self.bytes() as usize)])
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.gathered, self.at)?;
        self.at += self.gathered.len() as u64;
        self.unsynced += self.gathered.len() as u64;
        self.gathered.clear();
        if self.unsynced >= SYNC {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Writes the directory, twice, and makes the file durable; [`super::Log::install_pack`] gives it
    /// its name.
    pub fn finish(mut self) -> io::Result<FinishedPack> {
        let raw: Vec<u8> = self.entries.iter().flat_map(|e| e.encode()).collect();
        for _ in 0..2 {
            let trailer = Trailer {
                header: self.header,
                count: place(self.entries.len() as u64)?,
                directory: place(self.bytes())?,
                directory_crc: crc(&[&raw]),
            };
            self.gather(&raw)?;
            let at = place(self.bytes())?;
            self.gather(&trailer.encode(at))?;
        }
        self.write()?;
        self.file.sync_data()?;
        Ok(FinishedPack {
            span: Span {
                first: self.header.number,
                last: self.header.last,
                pack: true,
            },
            part: self.part,
            pack: Pack {
                file: self.file,
                header: self.header,
                whole: true,
                entries: self.entries,
            },
        })
    }
}

/// A number of bytes as files have it.
fn place(bytes: u64) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| io::Error::other("a pack would be too large"))
}
