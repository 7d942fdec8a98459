//! Finding frames in segments, damaged ones left out.

use std::io;

use rkyv::util::AlignedVec;
use ropewalk_props::Guid;

use super::{
    frame::{ALIGN, BadFrame, FRAME_HEADER, FRAME_MAGIC, FrameHeader, Position, crc},
    recovery::RecoveryError,
    segment::{SEGMENT_HEADER, SegmentHeader, Segments},
};
use crate::disk::DiskFile;

/// Bytes looked at together while frames are searched for.
const WINDOW: usize = 1 << 20;

/// What is at a place in a segment.
pub enum Found {
    /// A whole frame and its payload.
    Frame(FrameHeader, AlignedVec),
    /// The file ends exactly here.
    End,
    /// Anything else.
    Damaged,
    /// A frame of a later format.
    Newer(u16),
}

/// Bytes of a frame. A header is read only if this fits.
pub fn frame_len(header: &FrameHeader) -> u32 {
    FRAME_HEADER as u32 + header.payload_len
}

/// Looks into the segments that there are when it is made.
pub struct Scanner<'a> {
    /// The files.
    pub segments: &'a Segments,
    store: Guid,
    /// The segments' numbers, ascending.
    pub numbers: Vec<u32>,
}

impl<'a> Scanner<'a> {
    /// Looks into `segments`.
    pub fn new(segments: &'a Segments, store: Guid) -> Self {
        let numbers = segments.numbers();
        Self {
            segments,
            store,
            numbers,
        }
    }

    /// Whether there is a segment with this number.
    pub fn has(&self, segment: u32) -> bool {
        self.numbers.binary_search(&segment).is_ok()
    }

    /// Whether the log goes on with frame `at.lsn` at the start of the segment after `at`'s.
    pub fn goes_on(&self, at: Position) -> io::Result<bool> {
        if !self.has(at.segment + 1) {
            return Ok(false);
        }
        Ok(match self.good_header(at.segment + 1)? {
            Some(header) => header.base_lsn == at.lsn,
            // Its own frames will tell.
            None => true,
        })
    }

    /// Whether the next segment, with which the log goes on after `at`, was made when all before it was
    /// on disk: its header is whole, and names the frame that it was made for.
    pub fn next_vouches(&self, at: Position) -> io::Result<bool> {
        Ok(self.good_header(at.segment + 1)?.is_some())
    }

    /// Whether the log may end at `at`, which is a file's end: not in a segment whose header is not
    /// whole, since the machine stopped while that one was being made.
    pub fn may_end(&self, at: Position) -> io::Result<bool> {
        let half_made = at.offset == SEGMENT_HEADER
            && at.segment > 1
            && self.segments.header(at.segment)?.0.is_err();
        Ok(!self.has(at.segment + 1) && !half_made)
    }

    fn good_header(&self, segment: u32) -> io::Result<Option<SegmentHeader>> {
        let (header, _) = self.segments.header(segment)?;
        Ok(header
            .ok()
            .filter(|header| header.store == self.store && header.number == segment))
    }

    /// What is at this place.
    pub fn frame_at(&self, segment: u32, offset: u32) -> io::Result<Found> {
        frame_in(&*self.segments.file(segment)?, self.store, segment, offset)
    }

    /// Where the log goes on after damage at `at`, if something later vouches that what is missing
    /// was on disk: a whole frame's header, or a segment, which is made only once all before it is.
    pub fn vouched_after(&self, at: Position) -> Result<Option<Position>, RecoveryError> {
        let mut first = None;
        for segment in self.numbers.iter().copied().filter(|n| *n >= at.segment) {
            let mut offset = SEGMENT_HEADER;
            if segment == at.segment {
                offset = at.offset.max(SEGMENT_HEADER);
            } else if let Some(header) = self.good_header(segment)?
                && header.base_lsn > at.lsn
            {
                return Ok(Some(first.unwrap_or(Position {
                    segment,
                    offset: SEGMENT_HEADER,
                    lsn: header.base_lsn,
                })));
            }
            while let Some((start, header)) = self.next_frame(segment, offset, at.lsn)? {
                let first = *first.get_or_insert(Position {
                    segment,
                    offset: start,
                    lsn: header.lsn,
                });
                if header.durable >= at.lsn {
                    return Ok(Some(first));
                }
                offset = start.saturating_add(frame_len(&header));
            }
        }
        Ok(None)
    }

    /// The first whole frame at or after `offset` of a segment that is later than `lsn`.
    fn next_frame(
        &self,
        segment: u32,
        offset: u32,
        lsn: u64,
    ) -> Result<Option<(u32, FrameHeader)>, RecoveryError> {
        next_frame_in(
            &*self.segments.file(segment)?,
            self.store,
            segment,
            offset,
            lsn,
        )
    }
}

/// What is at this place of a file whose frames say that they are in `segment`.
pub fn frame_in(file: &dyn DiskFile, store: Guid, segment: u32, offset: u32) -> io::Result<Found> {
    let len = file.len()?;
    let left = match len.checked_sub(u64::from(offset)) {
        Some(0) if offset >= SEGMENT_HEADER => return Ok(Found::End),
        Some(left) if left >= FRAME_HEADER as u64 => left - FRAME_HEADER as u64,
        _ => return Ok(Found::Damaged),
    };
    let mut header = [0; FRAME_HEADER];
    file.read_exact_at(&mut header, u64::from(offset))?;
    let header = match FrameHeader::decode(&header, store, segment, offset) {
        Ok(header) if u64::from(header.payload_len) <= left => header,
        Ok(_) | Err(BadFrame::Damaged) => return Ok(Found::Damaged),
        Err(BadFrame::Newer(version)) => return Ok(Found::Newer(version)),
    };
    let mut payload = AlignedVec::new();
    payload.resize(header.payload_len as usize, 0);
    file.read_exact_at(&mut payload, u64::from(offset) + FRAME_HEADER as u64)?;
    if crc(&[&payload]) != header.payload_crc {
        return Ok(Found::Damaged);
    }
    Ok(Found::Frame(header, payload))
}

/// The first whole frame at or after `offset` of a file that is later than `lsn`.
pub fn next_frame_in(
    file: &dyn DiskFile,
    store: Guid,
    segment: u32,
    offset: u32,
    lsn: u64,
) -> Result<Option<(u32, FrameHeader)>, RecoveryError> {
    let len = u32::try_from(file.len()?).unwrap_or(u32::MAX);
    let mut start = offset.next_multiple_of(ALIGN as u32);
    while start < len {
        let mut window = vec![0; WINDOW.min((len - start) as usize)];
        file.read_exact_at(&mut window, u64::from(start))?;
        for (index, place) in window.chunks(ALIGN).enumerate() {
            if !place.starts_with(&FRAME_MAGIC) {
                continue;
            }
            let offset = start + (index * ALIGN) as u32;
            match frame_in(file, store, segment, offset)? {
                Found::Frame(header, _) if header.lsn > lsn => {
                    return Ok(Some((offset, header)));
                }
                Found::Newer(version) => return Err(RecoveryError::Newer(version)),
                _ => {}
            }
        }
        start = start.saturating_add(WINDOW as u32);
    }
    Ok(None)
}
