//! Reading the log from some frame to its end, and making the end whole.
//!
//! Each frame says up to which frame the log was known to be on disk when it was written. So damage
//! can be told from a torn tail: if a later frame vouches for the damaged one, acknowledged changes
//! are lost there; the stretch is fenced (skipped and reported) and what follows is kept. If none
//! does, nothing from there on was ever acknowledged, and it is moved to a side file and cut.

use std::{collections::VecDeque, io, path::Path};

use ropewalk_props::Guid;

pub use super::arrange::{Leftovers, tidy};
use super::{
    Tail, arrange, checkpoint, cut,
    frame::Position,
    scan::{Found, Scanner, frame_len},
    segment::{BadSegment, SEGMENT_HEADER, SegmentHeader, SegmentKind, Segments, Span},
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

/// The store that the files belong to.
#[derive(Debug)]
pub struct Identity {
    /// Its GUID; `None` if there is no store yet.
    pub store: Option<Guid>,
    /// What an interrupted compaction left behind.
    pub leftovers: Leftovers,
}

/// Finds out which files count and of which store they are. Nothing is changed, unless there is but a
/// first segment that was never finished.
pub fn identify(segments: &Segments) -> Result<Identity, RecoveryError> {
    let leftovers = arrange::arrange(segments)?;
    let spans = segments.spans();
    let mut store = None;
    for span in &spans {
        let name = span.name();
        let kind = match span.pack {
            true => SegmentKind::Pack,
            false => SegmentKind::Log,
        };
        match segments.header_of(*span)?.0 {
            Err(BadSegment::Newer(version)) => return Err(RecoveryError::Newer(version)),
            Err(BadSegment::Damaged) => {}
            Ok(header) if (header.number, header.last) != (span.first, span.last) => {
                let reason = format!("{name} has the contents of {}", header.number);
                return Err(RecoveryError::Bad(reason));
            }
            Ok(header) if header.kind != kind => {
                let reason = format!("{name} holds what its name does not say");
                return Err(RecoveryError::Bad(reason));
            }
            Ok(header) if *store.get_or_insert(header.store) != header.store => {
                return Err(RecoveryError::Bad(format!("{name} is another store's")));
            }
            Ok(_) => {}
        }
    }
    // A checkpoint tells of a store that was more than begun.
    if store.is_none() && spans == [Span::plain(1)] && checkpoint::files(segments)?.is_empty() {
        let (_, len) = segments.header(1)?;
        if len <= u64::from(SEGMENT_HEADER) {
            // The machine stopped while the store was being created; nothing was in it.
            cut::rename_aside(segments, 1, 0)?;
            return Ok(Identity { store, leftovers });
        }
    }
    match (store, spans.is_empty()) {
        (None, false) => Err(RecoveryError::Bad("no segment has a whole header".into())),
        _ => Ok(Identity { store, leftovers }),
    }
}

/// Creates the first segment of a new store.
pub fn create(segments: &Segments, store: Guid) -> io::Result<Tail> {
    let header = SegmentHeader {
        base_lsn: 1,
        key: segments.keys.current_number(),
        ..SegmentHeader::log(1, store)
    };
    let file = segments.create(header)?;
    sync_parents(segments)?;
    Ok(Tail {
        file,
        segment: 1,
        end: SEGMENT_HEADER,
        next_lsn: 1,
        reserved: 0,
        closed: false,
    })
}

/// Makes the names of the log's and of the store's directory survive a power failure.
fn sync_parents(segments: &Segments) -> io::Result<()> {
    let store = segments.dir().parent();
    for dir in [store, store.and_then(|dir| dir.parent())]
        .into_iter()
        .flatten()
    {
        let dir = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        match segments.disk().sync_dir(dir) {
            // A directory that others own may not be ours to open; its owner made it durable.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            other => other?,
        }
    }
    Ok(())
}

/// Whether a whole frame with this number is at this place, and where the next one would be.
pub fn frame_after(segments: &Segments, store: Guid, at: Position) -> io::Result<Option<u32>> {
    let scanner = Scanner::new(segments, store);
    if !scanner.has(at.segment) {
        return Ok(None);
    }
    Ok(match scanner.frame_at(at.segment, at.offset)? {
        Found::Frame(header, _) if header.lsn == at.lsn => {
            at.offset.checked_add(frame_len(&header))
        }
        _ => None,
    })
}

/// Makes the log's end whole, and then hands every whole frame's payload from `from` on to `visit`.
/// `from` is where the frame with that number is expected. `read` is told of bytes that were read: of
/// each frame twice.
///
/// In this order, since whatever `visit` makes of a frame may reach the disk at any time: an index
/// must not have a frame that the log loses when the power fails before the end is whole.
pub fn recover<E: From<RecoveryError>>(
    segments: &Segments,
    store: Guid,
    from: Position,
    read: &mut dyn FnMut(u64),
    mut visit: impl FnMut(Position, &[u8]) -> Result<(), E>,
) -> Result<Recovered, E> {
    let (runs, mut recovered) = make_whole(segments, store, from, read)?;
    let scanner = Scanner::new(segments, store);
    for run in runs {
        let mut at = run.from;
        while at.offset < run.end {
            let found = scanner.frame_at(at.segment, at.offset);
            match found.map_err(RecoveryError::from)? {
                Found::Frame(header, payload) if header.lsn == at.lsn => {
                    visit(at, &payload)?;
                    read(u64::from(frame_len(&header)));
                    recovered.frames += 1;
                    at.offset = at.offset.saturating_add(frame_len(&header));
                    at.lsn += 1;
                }
                _ => {
                    let reason = format!("frame {} was whole and is not any more", at.lsn);
                    return Err(RecoveryError::Bad(reason).into());
                }
            }
        }
    }
    Ok(recovered)
}

/// Frames that follow each other in one segment.
struct Run {
    from: Position,
    /// Where the last one ends.
    end: u32,
}

/// Finds the whole frames from `from` on and makes the log's end whole and durable.
fn make_whole(
    segments: &Segments,
    store: Guid,
    from: Position,
    read: &mut dyn FnMut(u64),
) -> Result<(Vec<Run>, Recovered), RecoveryError> {
    let scanner = Scanner::new(segments, store);
    let mut at = from;
    let mut bytes_cut = 0;
    let mut fenced = Vec::new();
    let mut unvouched = Unvouched::default();
    let mut runs = Vec::new();
    let mut run = from;
    let mut end_run = |run: &mut Position, end: u32, next: Position| {
        if end > run.offset {
            runs.push(Run { from: *run, end });
        }
        *run = next;
    };
    loop {
        match scanner.frame_at(at.segment, at.offset)? {
            Found::Frame(header, _) if header.lsn == at.lsn => {
                unvouched.add(at, header.durable);
                read(u64::from(frame_len(&header)));
                at.offset = at.offset.saturating_add(frame_len(&header));
                at.lsn += 1;
            }
            Found::Newer(version) => return Err(RecoveryError::Newer(version)),
            // A lower segment's end is right only if the next one goes on with the next frame.
            Found::End if scanner.goes_on(at)? => {
                // One that was only begun, on a full disk, says nothing of what came after that.
                if scanner.next_vouches(at)? {
                    unvouched.until(at.lsn.saturating_sub(1));
                }
                let end = at.offset;
                at.segment += 1;
                at.offset = SEGMENT_HEADER;
                end_run(&mut run, end, at);
            }
            Found::End if scanner.may_end(at)? => break,
            Found::Frame(..) | Found::Damaged | Found::End => {
                let Some(next) = scanner.vouched_after(at)? else {
                    // What is cut may take the segment that it is in along.
                    end_run(&mut run, at.offset, at);
                    bytes_cut += cut::cut(&scanner, &mut at)?;
                    run = at;
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
                end_run(&mut run, at.offset, next);
                at = next;
            }
        }
    }
    end_run(&mut run, at.offset, at);
    let file = segments.file(at.segment)?;
    unvouched.write_again(segments, at)?;
    file.sync_data()?;
    // The last segment's name may be as new as what is in it.
    segments.disk().sync_dir(segments.dir())?;
    let recovered = Recovered {
        tail: Tail {
            file,
            segment: at.segment,
            end: at.offset,
            next_lsn: at.lsn,
            reserved: 0,
            closed: false,
        },
        frames: 0,
        cut: bytes_cut,
        fenced,
    };
    Ok((runs, recovered))
}

/// Frames of which no later one says that they are on disk.
#[derive(Default)]
struct Unvouched {
    frames: VecDeque<Position>,
}

impl Unvouched {
    fn add(&mut self, at: Position, durable: u64) {
        self.frames.push_back(at);
        self.until(durable);
    }

    /// Frames up to this one are on disk.
    fn until(&mut self, lsn: u64) {
        while self.frames.front().is_some_and(|frame| frame.lsn <= lsn) {
            self.frames.pop_front();
        }
    }

    /// Writes these frames once more, as they are, up to `end`. They were read, but perhaps from
    /// memory only: after a failed fsync Linux keeps the pages and calls them clean, so that a
    /// later fsync would not write them.
    fn write_again(&self, segments: &Segments, end: Position) -> io::Result<()> {
        if end.offset == SEGMENT_HEADER {
            let file = segments.file(end.segment)?;
            cut::copy(&*file, 0, u64::from(SEGMENT_HEADER), |bytes, at| {
                file.write_all_at(bytes, at)
            })?;
        }
        let Some(first) = self.frames.front() else {
            return Ok(());
        };
        for segment in first.segment..=end.segment {
            let file = segments.file(segment)?;
            let mut offset = u64::from(SEGMENT_HEADER);
            if segment == first.segment {
                offset = u64::from(first.offset);
            }
            let stop = match segment == end.segment {
                true => u64::from(end.offset),
                false => file.len()?,
            };
            cut::copy(&*file, offset, stop, |bytes, at| {
                file.write_all_at(bytes, at)
            })?;
            file.sync_data()?;
        }
        Ok(())
    }
}
