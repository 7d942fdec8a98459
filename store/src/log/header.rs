//! How every file of the log begins.

use ropewalk_props::Guid;

use super::frame::{FORMAT_VERSION, crc};

/// Bytes of a file's header; the first frame or record follows.
pub const SEGMENT_HEADER: u32 = 64;

/// How a header begins.
pub const MAGIC: [u8; 8] = *b"RopeLog\0";

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
    /// Of a checkpoint: where in segment `number` the frame `base_lsn` begins. Else 0.
    pub offset: u32,
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
            offset: 0,
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
        out[56..60].copy_from_slice(&self.offset.to_le_bytes());
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
            offset: u32::from_le_bytes(field(bytes, 56)?),
        })
    }
}

/// `N` bytes from `at` on.
pub fn field<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], BadSegment> {
    let found = bytes.get(at..).and_then(|tail| tail.first_chunk::<N>());
    found.copied().ok_or(BadSegment::Damaged)
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
            offset: 4096,
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
