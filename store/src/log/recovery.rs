//! Reading the log from some frame to its end, and making the end whole.
//!
//! Each frame says up to which frame the log was known to be on disk when it was written. So damage
//! can be told from a torn tail: if a later frame vouches for the damaged one, acknowledged changes
//! are lost there; the stretch is fenced (skipped and reported) and what follows is kept. If none
//! does, nothing from there on was ever acknowledged, and it is moved to a side file and cut.

use std::{io, path::PathBuf};

use rkyv::util::AlignedVec;
use ropewalk_props::Guid;

use super::{
    Tail,
    frame::{ALIGN, BadFrame, FRAME_HEADER, FrameHeader, Position, crc},
    segment::{BadSegment, SEGMENT_HEADER, SegmentHeader, Segments},
};
use crate::FencedFrame;

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("format {0} is newer than this program")]
    Newer(u16),
    #[error("{0}")]
    Bad(String),
}

/// What was found.
pub struct Recovered {
    /// Where the log goes on.
    pub tail: Tail,
    /// Frames handed to the visitor.
    pub frames: u64,
    /// Bytes moved to a side file.
    pub cut: u64,
    /// Stretches that were skipped.
    pub fenced: Vec<FencedFrame>,
}

/// The GUID of the store that the segments belong to; `None` if there is no store yet.
pub fn identify(segments: &Segments) -> Result<Option<Guid>, RecoveryError> {
    let numbers = segments.numbers()?;
    let mut store = None;
    for (index, number) in numbers.iter().enumerate() {
        if *number as usize != index + 1 {
            let missing = index + 1;
            return Err(RecoveryError::Bad(format!("segment {missing} is missing")));
        }
        match segments.header(*number)?.0 {
            Err(BadSegment::Newer(version)) => return Err(RecoveryError::Newer(version)),
            Err(BadSegment::Damaged) => {}
            Ok(header) if header.number != *number => {
                let reason = format!("segment {number} has the contents of {}", header.number);
                return Err(RecoveryError::Bad(reason));
            }
            Ok(header) if *store.get_or_insert(header.store) != header.store => {
                let reason = format!("segment {number} is another store's");
                return Err(RecoveryError::Bad(reason));
            }
            Ok(_) => {}
        }
    }
    if store.is_none() && numbers == [1] {
        let (_, len) = segments.header(1)?;
        if len <= u64::from(SEGMENT_HEADER) {
            // The machine stopped while the store was being created; nothing was in it.
            rename_aside(segments, 1, 0)?;
            return Ok(None);
        }
    }
    match (store, numbers.is_empty()) {
        (None, false) => Err(RecoveryError::Bad("no segment has a whole header".into())),
        _ => Ok(store),
    }
}

/// Creates the first segment of a new store.
pub fn create(segments: &Segments, store: Guid) -> io::Result<Tail> {
    let header = SegmentHeader {
        number: 1,
        store,
        base_lsn: 1,
    };
    Ok(Tail {
        file: segments.create(header)?,
        segment: 1,
        end: SEGMENT_HEADER,
        next_lsn: 1,
    })
}

/// Whether a whole frame with this number is at this place, and where the next one would be.
pub fn frame_after(segments: &Segments, store: Guid, at: Position) -> io::Result<Option<u32>> {
    let scanner = Scanner::new(segments, store)?;
    if !scanner.numbers.contains(&at.segment) {
        return Ok(None);
    }
    Ok(match scanner.frame_at(at.segment, at.offset)? {
        Found::Frame(header, _) if header.lsn == at.lsn => Some(at.offset + frame_len(&header)),
        _ => None,
    })
}

/// Hands every whole frame's payload from `from` on to `visit`, and makes the log's end whole.
/// `from` is where the frame with that number is expected.
pub fn recover<E: From<RecoveryError>>(
    segments: &Segments,
    store: Guid,
    from: Position,
    mut visit: impl FnMut(Position, &[u8]) -> Result<(), E>,
) -> Result<Recovered, E> {
    let scanner = Scanner::new(segments, store).map_err(RecoveryError::from)?;
    let mut at = from;
    let (mut frames, mut cut) = (0, 0);
    let mut fenced = Vec::new();
    loop {
        match scanner
            .frame_at(at.segment, at.offset)
            .map_err(RecoveryError::from)?
        {
            Found::Frame(header, payload) if header.lsn == at.lsn => {
                visit(at, &payload)?;
                frames += 1;
                at.offset += frame_len(&header);
                at.lsn += 1;
            }
            Found::Newer(version) => return Err(RecoveryError::Newer(version).into()),
            Found::End if scanner.numbers.contains(&(at.segment + 1)) => {
                at.segment += 1;
                at.offset = SEGMENT_HEADER;
            }
            Found::End => break,
            Found::Frame(..) | Found::Damaged => {
                let Some(next) = scanner.vouched_after(at).map_err(RecoveryError::from)? else {
                    cut = scanner.cut(&mut at).map_err(RecoveryError::from)?;
                    break;
                };
                tracing::error!(
                    segment = at.segment,
                    offset = at.offset,
                    lsn = at.lsn,
                    "damage in the log: skipped"
                );
                fenced.push(FencedFrame {
                    segment: at.segment,
                    offset: u64::from(at.offset),
                    lsn: at.lsn,
                    frames: next.lsn - at.lsn,
                });
                at = next;
            }
        }
    }
    let file = segments.file(at.segment).map_err(RecoveryError::from)?;
    // What was read may so far be in the page cache only.
    file.sync_data().map_err(RecoveryError::from)?;
    Ok(Recovered {
        tail: Tail {
            file,
            segment: at.segment,
            end: at.offset,
            next_lsn: at.lsn,
        },
        frames,
        cut,
        fenced,
    })
}

enum Found {
    Frame(FrameHeader, AlignedVec),
    /// The file ends exactly here.
    End,
    Damaged,
    Newer(u16),
}

fn frame_len(header: &FrameHeader) -> u32 {
    FRAME_HEADER as u32 + header.payload_len
}

struct Scanner<'a> {
    segments: &'a Segments,
    store: Guid,
    numbers: Vec<u32>,
}

impl<'a> Scanner<'a> {
    fn new(segments: &'a Segments, store: Guid) -> io::Result<Self> {
        let numbers = segments.numbers()?;
        Ok(Self {
            segments,
            store,
            numbers,
        })
    }

    fn frame_at(&self, segment: u32, offset: u32) -> io::Result<Found> {
        let file = self.segments.file(segment)?;
        let len = file.len()?;
        let left = match len.checked_sub(u64::from(offset)) {
            Some(0) if offset >= SEGMENT_HEADER => return Ok(Found::End),
            Some(left) if left >= FRAME_HEADER as u64 => left - FRAME_HEADER as u64,
            _ => return Ok(Found::Damaged),
        };
        let mut header = [0; FRAME_HEADER];
        file.read_exact_at(&mut header, u64::from(offset))?;
        let header = match FrameHeader::decode(&header, self.store, segment, offset) {
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

    /// The next whole frame after damage at `at`, if some later frame vouches that the damaged one
    /// was on disk.
    fn vouched_after(&self, at: Position) -> io::Result<Option<Position>> {
        let mut first = None;
        for segment in self.numbers.iter().copied().filter(|n| *n >= at.segment) {
            let start = if segment == at.segment {
                at.offset + ALIGN as u32
            } else {
                SEGMENT_HEADER
            };
            let mut offset = start;
            let bytes = self.read_from(segment, start)?;
            while let Some(rest) = bytes.get((offset - start) as usize..) {
                if rest.len() < FRAME_HEADER {
                    break;
                }
                let Some(header) = self.whole_frame(rest, segment, offset, at.lsn) else {
                    offset += ALIGN as u32;
                    continue;
                };
                let lsn = header.lsn;
                let first = *first.get_or_insert(Position {
                    segment,
                    offset,
                    lsn,
                });
                if header.durable >= at.lsn {
                    return Ok(Some(first));
                }
                offset += frame_len(&header);
            }
        }
        Ok(None)
    }

    /// The header of a whole frame at the start of `bytes` that is later than `lsn`.
    fn whole_frame(
        &self,
        bytes: &[u8],
        segment: u32,
        offset: u32,
        lsn: u64,
    ) -> Option<FrameHeader> {
        let header = FrameHeader::decode(bytes, self.store, segment, offset).ok()?;
        let payload = bytes.get(FRAME_HEADER..FRAME_HEADER + header.payload_len as usize)?;
        (header.lsn > lsn && crc(&[payload]) == header.payload_crc).then_some(header)
    }

    fn read_from(&self, segment: u32, offset: u32) -> io::Result<Vec<u8>> {
        let file = self.segments.file(segment)?;
        let len = file.len()?.saturating_sub(u64::from(offset));
        let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, u64::from(offset))?;
        Ok(bytes)
    }

    /// Moves everything from `at` on to side files; `at` becomes the place for the next frame.
    fn cut(&self, at: &mut Position) -> io::Result<u64> {
        let mut cut = 0;
        for segment in self.numbers.iter().copied().filter(|n| *n > at.segment) {
            cut += self.segments.file(segment)?.len()?;
            rename_aside(self.segments, segment, at.lsn)?;
        }
        let file = self.segments.file(at.segment)?;
        let header_is_bad = self.segments.header(at.segment)?.0.is_err();
        if header_is_bad && at.offset <= SEGMENT_HEADER && at.segment > 1 {
            // The machine stopped while the segment was being created: go on in the one before.
            cut += file.len()?;
            rename_aside(self.segments, at.segment, at.lsn)?;
            at.segment -= 1;
            let len = self.segments.file(at.segment)?.len()?;
            at.offset = u32::try_from(len).map_err(io::Error::other)?;
        } else {
            let bytes = self.read_from(at.segment, at.offset)?;
            cut += bytes.len() as u64;
            write_aside(self.segments, at.lsn, &bytes)?;
            file.set_len(u64::from(at.offset))?;
            file.sync_data()?;
        }
        tracing::warn!(
            lsn = at.lsn,
            bytes = cut,
            "an unfinished end of the log was moved aside"
        );
        Ok(cut)
    }
}

/// A name for a side file that no file has yet.
fn side_path(segments: &Segments, lsn: u64) -> io::Result<PathBuf> {
    let taken = segments.disk().list(segments.dir())?;
    let names = (0..).map(|n| match n {
        0 => format!("cut-{lsn}.bin"),
        n => format!("cut-{lsn}.{n}.bin"),
    });
    names
        .map(|name| segments.dir().join(name))
        .find(|path| !taken.contains(path))
        .ok_or_else(|| io::Error::other("no name is left for a side file"))
}

fn write_aside(segments: &Segments, lsn: u64, bytes: &[u8]) -> io::Result<()> {
    let side = segments.disk().create(&side_path(segments, lsn)?)?;
    side.write_all_at(bytes, 0)?;
    side.sync_data()?;
    segments.disk().sync_dir(segments.dir())
}

fn rename_aside(segments: &Segments, number: u32, lsn: u64) -> io::Result<()> {
    let side = side_path(segments, lsn)?;
    segments.disk().rename(&segments.path(number), &side)?;
    segments.forget(number);
    segments.disk().sync_dir(segments.dir())
}
