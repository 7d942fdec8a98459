//! Checkpoints: what the index holds, as batches, so that the log before it need not be read again.
//! FORMAT.md has the layout.

use std::{io, path::PathBuf, sync::Arc};

use rkyv::rancor;
use ropewalk_props::{FileTime, Guid};

use super::{
    frame::{FrameBuilder, Position, RecordKind, find_record},
    header::{BadSegment, SEGMENT_HEADER, SegmentHeader, SegmentKind},
    recovery::RecoveryError,
    scan::{Found, frame_in, frame_len, next_frame_in},
    segment::{LogFile, Segments, read_header},
};
use crate::{
    FencedFrame, StoreError,
    crypto::{Cipher, Keyring},
    disk::DiskFile,
    records::Batch,
};

/// The name of a checkpoint that is being written.
pub const CHECKPOINT_PART: &str = "checkpoint.part";
/// What frames of a checkpoint have in place of their segment's number.
pub const CHECKPOINT_SEGMENT: u32 = u32::MAX;
/// Changes in one frame. Each is the value of a key of the index and so about 1 KiB at most.
const OPS: usize = 1024;
/// Bytes written before they are made durable: a commit that comes meanwhile is not to wait for more.
const SYNC: u64 = 4 << 20;

/// The name of the checkpoint that ends with the frame `mark_lsn`.
pub fn name(mark_lsn: u64) -> String {
    format!("checkpoint-{mark_lsn}.ckp")
}

/// The last frame of the checkpoint that has this name, if it is one's.
pub fn mark_of_name(file: &str) -> Option<u64> {
    let mark = file.strip_prefix("checkpoint-")?.strip_suffix(".ckp")?;
    mark.parse().ok().filter(|mark| name(*mark) == file)
}

/// Writes a checkpoint. One at a time.
pub struct CheckpointWriter {
    file: Arc<dyn DiskFile>,
    part: PathBuf,
    header: SegmentHeader,
    cipher: Option<Arc<Cipher>>,
    time: FileTime,
    /// The next frame.
    at: Position,
    pending: Batch,
    /// Bytes written since the last fsync.
    unsynced: u64,
}

/// A checkpoint that is all written and durable, but has no name yet.
pub struct FinishedCheckpoint {
    /// Where it is by now.
    pub(super) part: PathBuf,
    header: SegmentHeader,
    bytes: u64,
}

impl FinishedCheckpoint {
    /// The last frame whose changes it may have.
    pub fn mark_lsn(&self) -> u64 {
        self.header.mark_lsn
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn path(&self) -> PathBuf {
        self.part.with_file_name(name(self.header.mark_lsn))
    }
}

impl CheckpointWriter {
    /// Begins a checkpoint that has all changes up to the frame at `start`, made at `time`; it is encrypted
    /// if new segments are.
    pub fn create(
        segments: &Segments,
        store: Guid,
        start: Position,
        time: FileTime,
    ) -> io::Result<Self> {
        let cipher = segments.keys.current().cloned();
        let header = SegmentHeader {
            kind: SegmentKind::Checkpoint,
            base_lsn: start.lsn,
            offset: start.offset,
            key: segments.keys.current_number(),
            ..SegmentHeader::log(start.segment, store)
        };
        Ok(Self {
            file: segments.create_part(CHECKPOINT_PART)?,
            part: segments.dir().join(CHECKPOINT_PART),
            header,
            cipher,
            time,
            at: Position {
                segment: CHECKPOINT_SEGMENT,
                offset: SEGMENT_HEADER,
                lsn: 1,
            },
            pending: Batch::default(),
            unsynced: 0,
        })
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        u64::from(self.at.offset)
    }

    /// Adds changes, whose locations are absolute. Batches of one mailbox that follow each other are put
    /// together, and large ones taken apart; a counter of 0 says nothing.
    pub fn add(&mut self, batch: Batch) -> Result<(), StoreError> {
        if batch.mailbox != self.pending.mailbox {
            self.flush()?;
            self.pending.mailbox = batch.mailbox;
        }
        if batch.counter != 0 {
            self.pending.counter = batch.counter;
        }
        for op in batch.ops {
            if self.pending.ops.len() >= OPS {
                self.flush()?;
            }
            self.pending.ops.push(op);
        }
        Ok(())
    }

    /// Writes what is pending; the mailbox stays.
    fn flush(&mut self) -> Result<(), StoreError> {
        let mailbox = self.pending.mailbox;
        let pending = std::mem::replace(
            &mut self.pending,
            Batch {
                mailbox,
                ..Batch::default()
            },
        );
        // An empty batch would be the end.
        if pending.ops.is_empty() && pending.counter == 0 {
            return Ok(());
        }
        self.write(&pending)
    }

    fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let archive = rkyv::to_bytes::<rancor::Error>(batch).map_err(|_| StoreError::TooLarge)?;
        let mut frame = FrameBuilder::new(self.cipher.clone());
        frame.add(RecordKind::Batch, &archive);
        if frame.is_too_large() {
            return Err(StoreError::TooLarge);
        }
        let bytes = frame.seal(self.header.store, self.at, self.at.lsn - 1, self.time);
        let end = u64::from(self.at.offset) + bytes.len() as u64;
        let end = u32::try_from(end).map_err(|_| StoreError::TooLarge)?;
        self.file.write_all_at(&bytes, u64::from(self.at.offset))?;
        self.at.offset = end;
        self.at.lsn += 1;
        self.unsynced += bytes.len() as u64;
        if self.unsynced >= SYNC {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }

    /// Ends the checkpoint, which has no change after the frame `mark_lsn`, and makes the file durable;
    /// [`super::Log::install_checkpoint`] gives it its name.
    pub fn finish(mut self, mark_lsn: u64) -> Result<FinishedCheckpoint, StoreError> {
        self.flush()?;
        self.write(&Batch::default())?;
        self.header.mark_lsn = mark_lsn;
        self.file.write_all_at(&self.header.encode(), 0)?;
        self.file.sync_data()?;
        Ok(FinishedCheckpoint {
            bytes: self.bytes(),
            part: self.part,
            header: self.header,
        })
    }
}

/// The checkpoints that end before the frame `mark_lsn`.
pub fn earlier(segments: &Segments, mark_lsn: u64) -> io::Result<Vec<PathBuf>> {
    let mut names = segments.names()?;
    names.retain(|name| mark_of_name(name).is_some_and(|mark| mark < mark_lsn));
    Ok(names
        .into_iter()
        .map(|name| segments.dir().join(name))
        .collect())
}

/// The files that have the names of checkpoints, the latest first.
pub fn files(segments: &Segments) -> io::Result<Vec<LogFile>> {
    let mut marks: Vec<u64> = segments
        .names()?
        .iter()
        .filter_map(|name| mark_of_name(name))
        .collect();
    marks.sort_unstable_by(|a, b| b.cmp(a));
    marks
        .into_iter()
        .map(|mark| {
            let path = segments.dir().join(name(mark));
            let (header, len) = read_header(&*segments.disk().open(&path)?)?;
            let header = header.ok();
            let first = header.map_or(0, |header| header.number);
            Ok(LogFile {
                kind: SegmentKind::Checkpoint,
                first,
                last: first,
                len,
                header,
                path,
            })
        })
        .collect()
}

/// A checkpoint whose header and end are whole.
pub struct Checkpoint {
    /// Its header.
    pub header: SegmentHeader,
    /// The frame whose changes, and those of all before it, it surely has: the log is read from here.
    pub start: Position,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes of the file.
    pub len: u64,
    file: Arc<dyn DiskFile>,
}

/// The latest checkpoint of this store whose header and end are whole and which lies behind all packs.
pub fn latest(segments: &Segments, store: Guid) -> Result<Option<Checkpoint>, RecoveryError> {
    let packed = segments.packed();
    for found in files(segments)? {
        let file = segments.disk().open(&found.path)?;
        let header = match read_header(&*file)?.0 {
            Ok(header) => header,
            Err(BadSegment::Newer(version)) => return Err(RecoveryError::Newer(version)),
            Err(BadSegment::Damaged) => {
                tracing::error!(file = %found.path.display(), "a damaged checkpoint");
                continue;
            }
        };
        let fits = header.kind == SegmentKind::Checkpoint
            && header.store == store
            && header.number > packed
            && found.path.ends_with(name(header.mark_lsn));
        if !fits {
            tracing::error!(file = %found.path.display(), "a checkpoint that does not fit the log");
            continue;
        }
        let checkpoint = Checkpoint {
            header,
            start: Position {
                segment: header.number,
                offset: header.offset,
                lsn: header.base_lsn,
            },
            path: found.path,
            len: found.len,
            file,
        };
        if checkpoint.is_complete(&segments.keys)? {
            return Ok(Some(checkpoint));
        }
        tracing::error!(file = %checkpoint.path.display(), "a checkpoint without its end");
    }
    Ok(None)
}

/// What a checkpoint holds at a place.
pub enum Part {
    /// Changes.
    Batch(Batch),
    /// Damage.
    Fenced(FencedFrame),
}

impl Checkpoint {
    /// The checkpoints that this one replaces.
    pub fn earlier(&self, segments: &Segments) -> io::Result<Vec<PathBuf>> {
        earlier(segments, self.header.mark_lsn)
    }

    /// Reads the checkpoint, in order.
    pub fn parts<'a>(&'a self, keys: &'a Keyring) -> Parts<'a> {
        Parts {
            checkpoint: self,
            keys,
            at: Position {
                segment: CHECKPOINT_SEGMENT,
                offset: SEGMENT_HEADER,
                lsn: 1,
            },
            ended: false,
        }
    }

    /// Whether it has its end; what is damaged before that is told by [`Parts`].
    fn is_complete(&self, keys: &Keyring) -> Result<bool, RecoveryError> {
        // The last frame that there is must be an empty batch. Its length is not known beforehand, so
        // frames are looked for in ever larger stretches at the end.
        let len = u32::try_from(self.len).unwrap_or(u32::MAX);
        let mut back: u32 = 512;
        loop {
            let from = len.saturating_sub(back).max(SEGMENT_HEADER);
            let mut last = None;
            let mut offset = from;
            while let Some((start, header)) = self.next_frame(offset, 0)? {
                last = Some((start, header));
                offset = start.saturating_add(frame_len(&header));
            }
            if let Some((start, header)) = last {
                let end = u64::from(start) + u64::from(frame_len(&header));
                let batch =
                    match frame_in(&*self.file, self.header.store, CHECKPOINT_SEGMENT, start)? {
                        Found::Frame(_, payload) => self.batch_of(&payload, keys),
                        _ => None,
                    };
                return Ok(end == self.len && batch.is_some_and(|batch| is_end(&batch)));
            }
            if from == SEGMENT_HEADER {
                return Ok(false);
            }
            back = back.saturating_mul(64);
        }
    }

    fn batch_of(&self, payload: &[u8], keys: &Keyring) -> Option<Batch> {
        let found = find_record(payload, RecordKind::Batch).ok()??;
        Batch::read(found, (keys, self.header.key.into()))
    }

    fn next_frame(
        &self,
        offset: u32,
        lsn: u64,
    ) -> Result<Option<(u32, super::frame::FrameHeader)>, RecoveryError> {
        next_frame_in(
            &*self.file,
            self.header.store,
            CHECKPOINT_SEGMENT,
            offset,
            lsn,
        )
    }
}

fn is_end(batch: &Batch) -> bool {
    batch.ops.is_empty() && batch.counter == 0
}

/// What a checkpoint holds, piece by piece.
pub struct Parts<'a> {
    checkpoint: &'a Checkpoint,
    keys: &'a Keyring,
    at: Position,
    ended: bool,
}

impl Parts<'_> {
    /// Bytes that were read.
    pub fn bytes(&self) -> u64 {
        u64::from(self.at.offset)
    }

    /// The next piece. A frame that is damaged is skipped; so is the end, should it be missing.
    pub fn next(&mut self) -> Result<Option<Part>, RecoveryError> {
        if self.ended {
            return Ok(None);
        }
        let Checkpoint { file, header, .. } = self.checkpoint;
        let at = self.at;
        match frame_in(&**file, header.store, CHECKPOINT_SEGMENT, at.offset)? {
            Found::Frame(frame, payload) if frame.lsn == at.lsn => {
                self.at.offset = at.offset.saturating_add(frame_len(&frame));
                self.at.lsn += 1;
                let batch = self
                    .checkpoint
                    .batch_of(&payload, self.keys)
                    .ok_or_else(|| {
                        RecoveryError::Bad(format!(
                            "frame {} of the checkpoint makes no sense",
                            at.lsn
                        ))
                    })?;
                self.ended = is_end(&batch);
                return Ok((!self.ended).then_some(Part::Batch(batch)));
            }
            Found::Newer(version) => return Err(RecoveryError::Newer(version)),
            _ => {}
        }
        let next = self.checkpoint.next_frame(at.offset, at.lsn)?;
        self.ended = next.is_none();
        let (offset, lsn) = next.map_or((at.offset, at.lsn + 1), |(offset, frame)| {
            (offset, frame.lsn)
        });
        self.at.offset = offset;
        self.at.lsn = lsn;
        Ok(Some(Part::Fenced(FencedFrame {
            segment: CHECKPOINT_SEGMENT,
            offset: u64::from(at.offset),
            lsn: at.lsn,
            frames: lsn - at.lsn,
        })))
    }
}
