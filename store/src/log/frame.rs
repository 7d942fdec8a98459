//! Frames and records: how one commit lies in a segment. FORMAT.md has the layout byte by byte.

use std::sync::Arc;

use rkyv::util::AlignedVec;
use ropewalk_props::{FileTime, Guid};

use super::header::SEGMENT_HEADER;
use crate::crypto::{Cipher, OVERHEAD};

/// The newest format of segments and frames that this program reads and the one that it writes.
pub const FORMAT_VERSION: u16 = 2;
/// Bytes of a frame's header.
pub const FRAME_HEADER: usize = 64;
/// Bytes of a record's header.
pub const RECORD_HEADER: usize = 16;
/// Everything in a segment starts at a multiple of this.
pub const ALIGN: usize = 16;
/// A frame's payload is never longer: what one commit may hold, large values that travel in it
/// included. A commit is put together in memory, so this bounds what it can take.
pub const MAX_PAYLOAD: usize = 256 << 20;

/// How a frame begins.
pub const FRAME_MAGIC: [u8; 4] = *b"RWfr";

/// Where a record lies. Segment 0 means: in the same frame, `offset` bytes from its start.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Location {
    /// The segment's number; numbers start at 1.
    pub segment: u32,
    /// Byte offset of the record's header.
    pub offset: u32,
    /// Bytes of the record's data, without header, encryption and padding.
    pub len: u32,
}

impl Location {
    /// The absolute location of a record of a frame that starts at `frame`.
    pub fn resolve(self, frame: Position) -> Self {
        if self.segment != 0 || self.len == 0 {
            return self;
        }
        Self {
            segment: frame.segment,
            offset: frame.offset.saturating_add(self.offset),
            len: self.len,
        }
    }
}

/// Where a frame starts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct Position {
    /// The segment's number.
    pub segment: u32,
    /// Byte offset of the frame's header.
    pub offset: u32,
    /// The frame's number.
    pub lsn: u64,
}

impl Position {
    /// Where the first frame of a log starts.
    pub const FIRST: Self = Self {
        segment: 1,
        offset: SEGMENT_HEADER,
        lsn: 1,
    };
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// The archive of a [`crate::records::Batch`]: what the commit changes.
    Batch = 1,
    /// The archive of a [`crate::Message`].
    Message = 2,
    /// The archive of a [`ropewalk_props::Bag`].
    Bag = 3,
    /// Bytes of a large value.
    Chunk = 4,
    /// Where a large value's chunks are.
    BlobMap = 5,
}

impl RecordKind {
    /// The kind that a record's header says.
    pub const fn from_byte(kind: u8) -> Option<Self> {
        Some(match kind {
            1 => Self::Batch,
            2 => Self::Message,
            3 => Self::Bag,
            4 => Self::Chunk,
            5 => Self::BlobMap,
            _ => return None,
        })
    }

    /// The version in which the data of such a record is written; earlier ones are read as well.
    pub const fn version(self) -> u8 {
        match self {
            Self::Batch => 2,
            Self::Message | Self::Bag | Self::Chunk | Self::BlobMap => 1,
        }
    }
}

/// The decoded header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The frame's number: one more than that of the frame before.
    pub lsn: u64,
    /// Frames up to this one were known to be on disk when this one was written.
    pub durable: u64,
    /// Bytes of the payload, a multiple of [`ALIGN`].
    pub payload_len: u32,
    /// CRC-32 of the payload.
    pub payload_crc: u32,
    /// When it was written; 0 in format 1, which did not note it.
    pub time: FileTime,
}

/// Why bytes are not a frame header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadFrame {
    /// Not a header, a damaged one, or one from another place or store.
    Damaged,
    /// A whole header of a later format.
    Newer(u16),
}

/// Collects the records of one frame.
pub struct FrameBuilder {
    bytes: AlignedVec,
    cipher: Option<Arc<Cipher>>,
    /// A record was too long to be encrypted.
    broken: bool,
}

/// Bytes from `len` to the next multiple of [`ALIGN`].
pub const fn padding(len: usize) -> usize {
    len.wrapping_neg() % ALIGN
}

impl FrameBuilder {
    /// A frame without records, which are encrypted as they are added if there is a cipher. It goes
    /// into a file of that key only.
    pub fn new(cipher: Option<Arc<Cipher>>) -> Self {
        let mut bytes = AlignedVec::new();
        bytes.resize(FRAME_HEADER, 0);
        Self {
            bytes,
            cipher,
            broken: false,
        }
    }

    /// Bytes so far, header included.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is more in it than a frame may hold.
    pub fn is_too_large(&self) -> bool {
        self.broken || self.bytes.len() > MAX_PAYLOAD + FRAME_HEADER
    }

    /// The number of the key that it is encrypted with; 0 for none.
    pub fn key(&self) -> u16 {
        self.cipher.as_ref().map_or(0, |cipher| cipher.number())
    }

    /// Adds a record; its location is relative to the frame.
    pub fn add(&mut self, kind: RecordKind, data: &[u8]) -> Location {
        let start = self.bytes.len();
        let location = Location {
            segment: 0,
            offset: start as u32,
            len: data.len() as u32,
        };
        self.bytes
            .reserve(RECORD_HEADER + data.len() + OVERHEAD + ALIGN);
        self.bytes.extend_from_slice(&[0; RECORD_HEADER]);
        self.bytes.extend_from_slice(data);
        let sealed = complete_record(
            &mut self.bytes,
            start,
            kind as u8,
            kind.version(),
            self.cipher.as_deref(),
        );
        self.broken |= sealed.is_none();
        let padded = self.bytes.len() + padding(self.bytes.len());
        self.bytes.resize(padded, 0);
        location
    }

    /// The whole frame, for exactly this place of exactly this store.
    pub fn seal(mut self, store: Guid, at: Position, durable: u64, time: FileTime) -> AlignedVec {
        let payload_crc = crc(&[self.bytes.get(FRAME_HEADER..).unwrap_or_default()]);
        let header = FrameHeader {
            lsn: at.lsn,
            durable,
            payload_len: (self.bytes.len() - FRAME_HEADER) as u32,
            payload_crc,
            time,
        };
        if let Some(start) = self.bytes.get_mut(..FRAME_HEADER) {
            start.copy_from_slice(&header.encode(store, at));
        }
        self.bytes
    }
}

impl FrameHeader {
    fn encode(&self, store: Guid, at: Position) -> [u8; FRAME_HEADER] {
        let mut out = [0; FRAME_HEADER];
        out[0..4].copy_from_slice(&FRAME_MAGIC);
        out[4..6].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        out[6..8].copy_from_slice(&(FRAME_HEADER as u16).to_le_bytes());
        out[8..16].copy_from_slice(&self.lsn.to_le_bytes());
        out[16..24].copy_from_slice(&self.durable.to_le_bytes());
        out[24..28].copy_from_slice(&self.payload_len.to_le_bytes());
        out[28..32].copy_from_slice(&self.payload_crc.to_le_bytes());
        out[32..36].copy_from_slice(&at.segment.to_le_bytes());
        out[36..40].copy_from_slice(&at.offset.to_le_bytes());
        out[40..48].copy_from_slice(&self.time.0.to_le_bytes());
        let check = crc(&[&store.0, &out[..60]]);
        out[60..64].copy_from_slice(&check.to_le_bytes());
        out
    }

    /// Reads the header of a frame at `segment` and `offset` of `store`.
    pub fn decode(bytes: &[u8], store: Guid, segment: u32, offset: u32) -> Result<Self, BadFrame> {
        let bytes: &[u8; FRAME_HEADER] = bytes
            .first_chunk::<FRAME_HEADER>()
            .ok_or(BadFrame::Damaged)?;
        let [body @ .., c0, c1, c2, c3] = bytes;
        if bytes[0..4] != FRAME_MAGIC
            || crc(&[&store.0, body]) != u32::from_le_bytes([*c0, *c1, *c2, *c3])
            || read_u32(bytes, 32) != segment
            || read_u32(bytes, 36) != offset
        {
            return Err(BadFrame::Damaged);
        }
        let version = u16::from_le_bytes([bytes[4], bytes[5]]);
        if version > FORMAT_VERSION {
            return Err(BadFrame::Newer(version));
        }
        let payload_len = read_u32(bytes, 24);
        if payload_len as usize > MAX_PAYLOAD || padding(payload_len as usize) != 0 {
            return Err(BadFrame::Damaged);
        }
        Ok(Self {
            lsn: read_u64(bytes, 8),
            durable: read_u64(bytes, 16),
            payload_len,
            payload_crc: read_u32(bytes, 28),
            time: FileTime(read_u64(bytes, 40)),
        })
    }
}

/// Encrypts the data of the record at `start`, which reaches to the end of `bytes`, if there is a
/// cipher, and writes its header. `None` if there is too much of it.
pub fn complete_record(
    bytes: &mut AlignedVec,
    start: usize,
    kind: u8,
    version: u8,
    cipher: Option<&Cipher>,
) -> Option<()> {
    let at = start + RECORD_HEADER;
    if let Some(cipher) = cipher {
        let end = cipher.seal_record(kind, version, bytes.get_mut(at..)?)?;
        bytes.extend_from_slice(&end);
    }
    let stored = bytes.get(at..)?;
    let header = record_header(kind, version, stored.len() as u32, crc(&[stored]));
    bytes.get_mut(start..at)?.copy_from_slice(&header);
    Some(())
}

/// The stored data of a record, given header and data, if kind, length and checksum are right and its
/// version is a known one. An encrypted record is not opened.
pub fn check_record(record: &[u8], kind: RecordKind, len: u32) -> Option<&[u8]> {
    let (header, rest) = record.split_first_chunk::<RECORD_HEADER>()?;
    let data = rest.get(..len as usize)?;
    let version = header[1];
    let known = (1..=kind.version()).contains(&version);
    (known && *header == record_header(kind as u8, version, len, crc(&[data]))).then_some(data)
}

/// The bytes of data that a record's header says are stored; not verified.
pub fn record_len(header: &[u8; RECORD_HEADER]) -> u32 {
    read_u32(header, 4)
}

/// Whether a record of any kind is as a file has it, given header and data: its checksums are right.
pub fn check_stored(record: &[u8]) -> bool {
    let Some((header, data)) = record.split_first_chunk::<RECORD_HEADER>() else {
        return false;
    };
    read_u32(header, 12) == crc(&[&header[..12]])
        && read_u32(header, 4) as usize == data.len()
        && read_u32(header, 8) == crc(&[data])
}

/// A frame's payload has the right checksum, but its records make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadRecord;

/// The version and the stored data of the first record of this kind in a payload that was checked; `None`
/// without one.
pub fn find_record(payload: &[u8], kind: RecordKind) -> Result<Option<(u8, &[u8])>, BadRecord> {
    let mut rest = payload;
    while let Some(header) = rest.first_chunk::<RECORD_HEADER>() {
        let len = record_len(header);
        if header[0] == kind as u8 {
            let data = check_record(rest, kind, len).ok_or(BadRecord)?;
            return Ok(Some((header[1], data)));
        }
        let whole = RECORD_HEADER + len as usize;
        rest = rest.get(whole + padding(whole)..).ok_or(BadRecord)?;
    }
    if rest.is_empty() {
        Ok(None)
    } else {
        Err(BadRecord)
    }
}

/// CRC-32 (IEEE) of several stretches of bytes, one after the other.
pub fn crc(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

fn record_header(kind: u8, version: u8, len: u32, data_crc: u32) -> [u8; RECORD_HEADER] {
    let mut out = [0; RECORD_HEADER];
    out[0] = kind;
    out[1] = version;
    out[4..8].copy_from_slice(&len.to_le_bytes());
    out[8..12].copy_from_slice(&data_crc.to_le_bytes());
    let check = crc(&[&out[..12]]);
    out[12..16].copy_from_slice(&check.to_le_bytes());
    out
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|tail| tail.first_chunk::<4>());
    found.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..).and_then(|tail| tail.first_chunk::<8>());
    found.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: Guid = Guid([7; 16]);
    const AT: Position = Position {
        segment: 3,
        offset: 4096,
        lsn: 99,
    };

    fn sample() -> AlignedVec {
        let mut frame = FrameBuilder::new(None);
        assert_eq!(frame.add(RecordKind::Chunk, b"abc").offset, 64);
        assert_eq!(frame.add(RecordKind::Batch, b"defghi").offset, 96);
        frame.seal(STORE, AT, 98, FileTime(5))
    }

    #[test]
    fn a_frame_reads_back_only_at_its_own_place_and_store() {
        let bytes = sample();
        let header = FrameHeader::decode(&bytes, STORE, 3, 4096).unwrap();
        assert_eq!((header.lsn, header.durable), (99, 98));
        assert_eq!(header.payload_len as usize, bytes.len() - 64);
        assert_eq!(header.payload_crc, crc(&[&bytes[64..]]));
        assert_eq!(
            find_record(&bytes[64..], RecordKind::Batch),
            Ok(Some((2, &b"defghi"[..])))
        );
        assert_eq!(find_record(&bytes[64..], RecordKind::Bag), Ok(None));
        assert_eq!(
            find_record(&bytes[64..bytes.len() - 16], RecordKind::Bag),
            Err(BadRecord)
        );
        for (store, segment, offset) in [(STORE, 3, 0), (STORE, 2, 4096), (Guid::NIL, 3, 4096)] {
            let other = FrameHeader::decode(&bytes, store, segment, offset);
            assert_eq!(other, Err(BadFrame::Damaged));
        }
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let bytes = sample();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let whole = FrameHeader::decode(&damaged, STORE, 3, 4096)
                .is_ok_and(|header| header.payload_crc == crc(&[&damaged[64..]]));
            assert!(!whole, "bit {bit}");
            if (96 * 8..(96 + 16 + 6) * 8).contains(&bit) {
                assert_eq!(check_record(&damaged[96..], RecordKind::Batch, 6), None);
            }
        }
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let mut bytes = sample();
        bytes[4] = 3;
        let check = crc(&[&STORE.0, &bytes[..60]]);
        bytes[60..64].copy_from_slice(&check.to_le_bytes());
        let found = FrameHeader::decode(&bytes, STORE, 3, 4096);
        assert_eq!(found, Err(BadFrame::Newer(3)));
    }
}
