//! Segment files: their names, their headers, and the ones that are open.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ropewalk_props::Guid;

use super::frame::{FORMAT_VERSION, crc};
use crate::{
    crypto::{FileKey, Keyring},
    disk::{Disk, DiskFile, is_full},
    sync::RwLock,
};

/// Bytes of a segment's header; the first frame follows.
pub const SEGMENT_HEADER: u32 = 64;
/// A segment that has reached this many bytes gets no more frames.
pub const SEGMENT_BYTES: u64 = 64 << 20;

const MAGIC: [u8; 8] = *b"RopeLog\0";
/// Space for the header and some small frames: what is made has at least that.
const FIRST_SPACE: u64 = 64 << 10;
/// Files kept open for reading.
const OPEN_FILES: usize = 256;

/// What a file of the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Frames, in the order in which they were written.
    Log,
    /// What is left of one or several neighbouring segments: records alone, under their old places.
    Pack,
    /// All there was at one moment, as batches.
    Checkpoint,
}

/// The decoded header of a file of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentHeader {
    /// What it holds.
    pub kind: SegmentKind,
    /// The segment's number; numbers start at 1. Of a pack: the first segment that it stands for.
    pub number: u32,
    /// Of a pack: the last segment that it stands for; else the same as `number`.
    pub last: u32,
    /// The store that it belongs to.
    pub store: Guid,
    /// The number of its first frame. Of a checkpoint: the last frame whose changes it surely has.
    pub base_lsn: u64,
    /// Of a checkpoint: no change after this frame is in it. Of a pack: it lacks nothing that was there
    /// after this frame. Else 0.
    pub mark_lsn: u64,
    /// The number of the key that its records are encrypted with; 0: they are not.
    pub key: u16,
}

/// Why bytes are not a segment header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSegment {
    /// Not a header, or a damaged one.
    Damaged,
    /// A whole header of a later format.
    Newer(u16),
}

impl SegmentHeader {
    /// That of a segment of frames.
    pub const fn log(number: u32, store: Guid) -> Self {
        Self {
            kind: SegmentKind::Log,
            number,
            last: number,
            store,
            base_lsn: 0,
            mark_lsn: 0,
            key: 0,
        }
    }

    /// The header's bytes.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER as usize] {
        let mut out = [0; SEGMENT_HEADER as usize];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        let kind: u16 = match self.kind {
            SegmentKind::Log => 0,
            SegmentKind::Pack => 1,
            SegmentKind::Checkpoint => 2,
        };
        out[10..12].copy_from_slice(&kind.to_le_bytes());
        out[12..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..32].copy_from_slice(&self.store.0);
        out[32..40].copy_from_slice(&self.base_lsn.to_le_bytes());
        out[40..44].copy_from_slice(&self.last.to_le_bytes());
        out[44..46].copy_from_slice(&self.key.to_le_bytes());
        out[48..56].copy_from_slice(&self.mark_lsn.to_le_bytes());
        let check = crc(&[&out[..60]]);
        out[60..64].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// Reads a header.
    pub fn decode(bytes: &[u8; SEGMENT_HEADER as usize]) -> Result<Self, BadSegment> {
        let check = u32::from_le_bytes(field(bytes, 60)?);
        if !bytes.starts_with(&MAGIC) || check != crc(&[&bytes[..60]]) {
            return Err(BadSegment::Damaged);
        }
        let version = u16::from_le_bytes(field(bytes, 8)?);
        if version > FORMAT_VERSION {
            return Err(BadSegment::Newer(version));
        }
        let kind = match u16::from_le_bytes(field(bytes, 10)?) {
            0 => SegmentKind::Log,
            1 => SegmentKind::Pack,
            2 => SegmentKind::Checkpoint,
            _ => return Err(BadSegment::Damaged),
        };
        let number = u32::from_le_bytes(field(bytes, 12)?);
        let last = match kind {
            // Format 1 has a zero there.
            SegmentKind::Log => number,
            _ => u32::from_le_bytes(field(bytes, 40)?),
        };
        if last < number {
            return Err(BadSegment::Damaged);
        }
        Ok(Self {
            kind,
            number,
            last,
            store: Guid(field(bytes, 16)?),
            base_lsn: u64::from_le_bytes(field(bytes, 32)?),
            mark_lsn: u64::from_le_bytes(field(bytes, 48)?),
            key: u16::from_le_bytes(field(bytes, 44)?),
        })
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], BadSegment> {
    let found = bytes.get(at..).and_then(|tail| tail.first_chunk::<N>());
    found.copied().ok_or(BadSegment::Damaged)
}

/// A file of the log.
#[derive(Clone)]
pub struct OpenFile {
    /// The file.
    pub file: Arc<dyn DiskFile>,
    /// What its records are encrypted with.
    pub key: FileKey,
}

/// The segment files of one log.
pub struct Segments {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    open: RwLock<HashMap<u32, OpenFile>>,
    /// The keys that the files are encrypted with.
    pub keys: Keyring,
}

impl Segments {
    /// The segments in `dir`, which is created if missing.
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> io::Result<Self> {
        disk.create_dir(&dir)?;
        Ok(Self {
            disk,
            dir,
            open: RwLock::default(),
            keys: Keyring::default(),
        })
    }

    /// The directory that they are in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The disk that they are on.
    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// The path of a segment.
    pub fn path(&self, number: u32) -> PathBuf {
        self.dir.join(format!("{number:08}.seg"))
    }

    /// The numbers of the segments that exist, ascending.
    pub fn numbers(&self) -> io::Result<Vec<u32>> {
        let mut numbers: Vec<u32> = self
            .disk
            .list(&self.dir)?
            .iter()
            .filter(|path| path.extension().is_some_and(|ext| ext == "seg"))
            .filter_map(|path| {
                let number = path.file_stem()?.to_str()?.parse().ok()?;
                // Files under similar names do not count.
                (self.path(number) == *path).then_some(number)
            })
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Creates a segment with its header and makes both survive a power failure.
    pub fn create(&self, header: SegmentHeader) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.path(header.number);
        let file = match self.disk.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // An earlier try found the disk full.
                let file = self.disk.open(&path)?;
                if file.len()? > u64::from(SEGMENT_HEADER) {
                    return Err(error);
                }
                file.set_len(0)?;
                file
            }
            other => other?,
        };
        match file.reserve(FIRST_SPACE) {
            Err(error) if is_full(&error) => return Err(error),
            _ => {}
        }
        file.write_all_at(&header.encode(), 0)?;
        file.sync_data()?;
        self.disk.sync_dir(&self.dir)?;
        let key = header.key.into();
        let open = OpenFile {
            file: file.clone(),
            key,
        };
        self.keep_open(header.number, open);
        Ok(file)
    }

    fn keep_open(&self, number: u32, file: OpenFile) {
        let mut open = self.open.write();
        if open.len() >= OPEN_FILES {
            let victim = open.keys().next().copied();
            victim.map(|number| open.remove(&number));
        }
        open.insert(number, file);
    }

    /// A segment's file.
    pub fn file(&self, number: u32) -> io::Result<Arc<dyn DiskFile>> {
        self.open_file(number).map(|open| open.file)
    }

    /// A segment's file and its key.
    pub fn open_file(&self, number: u32) -> io::Result<OpenFile> {
        if let Some(open) = self.open.read().get(&number) {
            return Ok(open.clone());
        }
        let file = self.disk.open(&self.path(number))?;
        let key = match read_header(&*file)?.0 {
            Ok(header) => header.key.into(),
            Err(_) => FileKey::Unknown,
        };
        let open = OpenFile { file, key };
        self.keep_open(number, open.clone());
        Ok(open)
    }

    /// Forgets a file that was renamed.
    pub fn forget(&self, number: u32) {
        self.open.write().remove(&number);
    }

    /// What each file is encrypted with, in no order.
    pub fn keys_in_use(&self) -> io::Result<Vec<FileKey>> {
        let numbers = self.numbers()?.into_iter();
        let keys = numbers.map(|number| Ok(self.open_file(number)?.key));
        keys.collect()
    }

    /// A segment's header and its file's length; the header may be damaged or cut short.
    pub fn header(&self, number: u32) -> io::Result<(Result<SegmentHeader, BadSegment>, u64)> {
        read_header(&*self.file(number)?)
    }
}

fn read_header(file: &dyn DiskFile) -> io::Result<(Result<SegmentHeader, BadSegment>, u64)> {
    let len = file.len()?;
    if len < u64::from(SEGMENT_HEADER) {
        return Ok((Err(BadSegment::Damaged), len));
    }
    let mut bytes = [0; SEGMENT_HEADER as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok((SegmentHeader::decode(&bytes), len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_and_any_flipped_bit_is_found() {
        let header = SegmentHeader {
            kind: SegmentKind::Pack,
            last: 19,
            base_lsn: 77,
            mark_lsn: 1 << 40,
            key: 3,
            ..SegmentHeader::log(12, Guid([9; 16]))
        };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header));
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes;
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&damaged), Err(BadSegment::Damaged));
        }
    }
}
