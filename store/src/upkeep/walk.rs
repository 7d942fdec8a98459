//! Going through the frames of one file, damaged or not, without changing it.

use std::io;

use ropewalk_props::Guid;

use crate::{
    disk::DiskFile,
    log::frame::{ALIGN, BadFrame, FRAME_HEADER, FRAME_MAGIC, FrameHeader, crc},
};

/// Bytes read at a time, if no frame is longer.
const WINDOW: usize = 1 << 20;

/// What is at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A whole frame.
    Frame(FrameHeader),
    /// No whole frame, up to the next one or to the end.
    Damaged,
    /// The header of a frame of a later format.
    Newer(u16),
}

/// One stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// What it is.
    pub piece: Piece,
    /// Where it begins.
    pub at: u32,
    /// Its bytes.
    pub len: u32,
}

/// Goes through the frames of a segment, or of a checkpoint. Holds at most one frame in memory, or
/// a MiB.
pub struct Walk<'a> {
    file: &'a dyn DiskFile,
    store: Guid,
    segment: u32,
    at: u32,
    end: u32,
    window: Vec<u8>,
    window_at: u32,
}

impl<'a> Walk<'a> {
    /// Begins at `at`; what is behind `end` does not count.
    pub fn new(file: &'a dyn DiskFile, store: Guid, segment: u32, at: u32, end: u64) -> Self {
        Self {
            file,
            store,
            segment,
            at,
            end: u32::try_from(end).unwrap_or(u32::MAX),
            window: Vec::new(),
            window_at: 0,
        }
    }

    /// The next stretch; `None` at the end.
    pub fn next(&mut self) -> io::Result<Option<Stretch>> {
        let at = self.at;
        if at >= self.end {
            return Ok(None);
        }
        let mut stretch = Stretch {
            piece: self.look(at)?,
            at,
            len: 0,
        };
        stretch.len = match stretch.piece {
            Piece::Frame(header) => FRAME_HEADER as u32 + header.payload_len,
            Piece::Newer(_) => self.end - at,
            Piece::Damaged => self.next_whole(at)? - at,
        };
        self.at = at + stretch.len;
        Ok(Some(stretch))
    }

    /// The bytes of the stretch that was found last, if it is a frame.
    pub fn frame(&mut self, frame: Stretch) -> io::Result<&[u8]> {
        self.bytes(frame.at, frame.len as usize)
    }

    /// Where the next whole frame begins, or the end.
    fn next_whole(&mut self, after: u32) -> io::Result<u32> {
        let mut at = after;
        loop {
            at = match at
                .checked_add(1)
                .and_then(|at| at.checked_next_multiple_of(ALIGN as u32))
            {
                Some(at) if self.end.saturating_sub(at) as usize >= FRAME_HEADER => at,
                _ => return Ok(self.end),
            };
            if self.bytes(at, FRAME_MAGIC.len())? == FRAME_MAGIC && self.look(at)? != Piece::Damaged
            {
                return Ok(at);
            }
        }
    }

    fn look(&mut self, at: u32) -> io::Result<Piece> {
        let left = (self.end - at) as usize;
        if left < FRAME_HEADER {
            return Ok(Piece::Damaged);
        }
        let (store, segment) = (self.store, self.segment);
        let header = FrameHeader::decode(self.bytes(at, FRAME_HEADER)?, store, segment, at);
        let header = match header {
            Ok(header) if header.payload_len as usize <= left - FRAME_HEADER => header,
            Err(BadFrame::Newer(version)) => return Ok(Piece::Newer(version)),
            Ok(_) | Err(BadFrame::Damaged) => return Ok(Piece::Damaged),
        };
        let whole = self.bytes(at, FRAME_HEADER + header.payload_len as usize)?;
        let payload = whole.get(FRAME_HEADER..).unwrap_or_default();
        Ok(match crc(&[payload]) == header.payload_crc {
            true => Piece::Frame(header),
            false => Piece::Damaged,
        })
    }

    /// Bytes of the file, which must be before the end.
    fn bytes(&mut self, at: u32, len: usize) -> io::Result<&[u8]> {
        let start = (at as usize).checked_sub(self.window_at as usize);
        let covered = start.filter(|start| start + len <= self.window.len());
        let start = match covered {
            Some(start) => start,
            None => {
                let wanted = WINDOW.min((self.end - at) as usize).max(len);
                if self.window.capacity() > 4 * WINDOW {
                    self.window = Vec::new();
                }
                self.window.clear();
                self.window.resize(wanted, 0);
                self.window_at = at;
                let read = self.file.read_exact_at(&mut self.window, u64::from(at));
                if read.is_err() {
                    self.window.clear();
                }
                read?;
                0
            }
        };
        let found = self.window.get(start..start + len);
        found.ok_or(io::ErrorKind::UnexpectedEof.into())
    }
}
