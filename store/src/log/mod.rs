//! The commit log: the truth of the store. Append-only segments of checksummed frames.

mod cut;
pub mod frame;
mod group_commit;
pub mod recovery;
mod scan;
pub mod segment;

use std::{io, sync::Arc};

use parking_lot::Mutex;
use rkyv::util::AlignedVec;
use ropewalk_props::Guid;

use crate::{Durability, StoreError, disk::DiskFile};
use frame::{
    FRAME_HEADER, FrameBuilder, Location, MAX_PAYLOAD, Position, RECORD_HEADER, RecordKind,
    check_record,
};
use group_commit::GroupCommit;
use segment::{SEGMENT_HEADER, SegmentHeader, Segments};

/// The end of the log, where frames are appended.
pub struct Tail {
    /// The last segment.
    pub file: Arc<dyn DiskFile>,
    /// Its number.
    pub segment: u32,
    /// Where the next frame goes.
    pub end: u32,
    /// The number of the next frame.
    pub next_lsn: u64,
    /// No frame may follow.
    pub closed: bool,
}

/// The commit log.
pub struct Log {
    segments: Segments,
    store: Guid,
    durability: Durability,
    segment_bytes: u64,
    tail: Mutex<Tail>,
    group: GroupCommit,
}

impl Log {
    /// A log that goes on at `tail`, everything before which is on disk.
    pub fn new(
        segments: Segments,
        store: Guid,
        durability: Durability,
        segment_bytes: u64,
        tail: Tail,
    ) -> Self {
        let group = GroupCommit::new(tail.next_lsn.saturating_sub(1));
        Self {
            segments,
            store,
            durability,
            segment_bytes,
            tail: Mutex::new(tail),
            group,
        }
    }

    /// The store's GUID.
    pub fn store_guid(&self) -> Guid {
        self.store
    }

    /// The number of the last frame that was written.
    pub fn last_lsn(&self) -> u64 {
        self.tail.lock().next_lsn.saturating_sub(1)
    }

    /// An error if the log takes no more frames.
    pub fn check(&self) -> Result<(), StoreError> {
        self.group.check()
    }

    /// Appends a frame. `placed` is called with its place before any later frame can be appended.
    pub fn append(
        &self,
        frame: FrameBuilder,
        placed: impl FnOnce(Position),
    ) -> Result<Position, StoreError> {
        let mut tail = self.tail.lock();
        if tail.closed {
            return Err(StoreError::Closed);
        }
        self.append_at(&mut tail, frame, placed)
    }

    /// Ends the log: refuses further frames, syncs those that there are and, with `mark`, appends one
    /// that vouches for them, so that later damage to the last commit can be told from a torn tail.
    pub fn close(&self, mark: Option<FrameBuilder>) -> Result<(), StoreError> {
        let last = {
            let mut tail = self.tail.lock();
            tail.closed = true;
            tail.next_lsn.saturating_sub(1)
        };
        self.sync(last)?;
        let marked = mark.map_or(Ok(()), |mark| {
            let at = self.append_at(&mut self.tail.lock(), mark, |_| {})?;
            self.sync(at.lsn)
        });
        if let Err(error) = marked {
            tracing::warn!(%error, "the log has no end mark; what it holds is on disk");
        }
        Ok(())
    }

    fn append_at(
        &self,
        tail: &mut Tail,
        frame: FrameBuilder,
        placed: impl FnOnce(Position),
    ) -> Result<Position, StoreError> {
        if frame.len() > MAX_PAYLOAD + FRAME_HEADER {
            return Err(StoreError::TooLarge);
        }
        self.group.check()?;
        if u64::from(tail.end) + frame.len() as u64 > self.segment_bytes
            && tail.end > SEGMENT_HEADER
        {
            self.roll(tail)
                .map_err(|error| self.group.fail("a new log segment cannot be made", &error))?;
        }
        let at = Position {
            segment: tail.segment,
            offset: tail.end,
            lsn: tail.next_lsn,
        };
        let bytes = frame.seal(self.store, at, self.group.durable());
        tail.file
            .write_all_at(&bytes, u64::from(at.offset))
            .map_err(|error| self.group.fail("writing to the log failed", &error))?;
        tail.end += bytes.len() as u32;
        tail.next_lsn += 1;
        placed(at);
        Ok(at)
    }

    /// Returns once this frame counts as done, as the durability level has it.
    pub fn wait(&self, lsn: u64) -> Result<(), StoreError> {
        match self.durability {
            Durability::Always => self.sync(lsn),
            Durability::Interval(_) | Durability::None => Ok(()),
        }
    }

    /// Returns once this frame is on disk, whatever the durability level.
    pub fn sync(&self, lsn: u64) -> Result<(), StoreError> {
        self.group.wait(lsn, || {
            let (file, written) = {
                let tail = self.tail.lock();
                (tail.file.clone(), tail.next_lsn.saturating_sub(1))
            };
            file.sync_data()?;
            Ok(written)
        })
    }

    /// Reads one record's header and data, and verifies its checksum.
    pub fn read(&self, at: Location, kind: RecordKind) -> Result<AlignedVec, StoreError> {
        let damaged = || StoreError::Damaged {
            segment: at.segment,
            offset: u64::from(at.offset),
        };
        if at.segment == 0 || at.len as usize > MAX_PAYLOAD {
            return Err(damaged());
        }
        let mut record = AlignedVec::new();
        record.resize(RECORD_HEADER + at.len as usize, 0);
        let file = self.segments.file(at.segment)?;
        match file.read_exact_at(&mut record, u64::from(at.offset)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged()),
            other => other?,
        }
        check_record(&record, kind, at.len).ok_or_else(damaged)?;
        Ok(record)
    }

    /// Goes on in a new segment. The old one is on disk first, so that syncing the last segment is
    /// always enough.
    fn roll(&self, tail: &mut Tail) -> io::Result<()> {
        tail.file.sync_data()?;
        self.group.advance(tail.next_lsn.saturating_sub(1));
        let header = SegmentHeader {
            number: tail.segment + 1,
            store: self.store,
            base_lsn: tail.next_lsn,
        };
        tail.file = self.segments.create(header)?;
        tail.segment = header.number;
        tail.end = SEGMENT_HEADER;
        Ok(())
    }
}
