//! The commit log: the truth of the store. Append-only segments of checksummed frames.

mod arrange;
pub mod checkpoint;
mod cut;
pub mod frame;
pub mod group_commit;
pub mod header;
pub mod pack;
pub mod recovery;
mod scan;
pub mod sealed;
pub mod segment;
mod space;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rkyv::util::AlignedVec;
use ropewalk_props::{FileTime, Guid};

use crate::{
    Durability, StoreError,
    crypto::Cipher,
    disk::{DiskFile, has_no_handle, is_full},
    sync::Mutex,
};
use checkpoint::FinishedCheckpoint;
use frame::{FrameBuilder, Location, Position, RecordKind, check_stored};
use group_commit::GroupCommit;
use pack::FinishedPack;
use segment::{SEGMENT_HEADER, SegmentHeader, Segments, Stored};
pub use space::Purpose;

/// The end of the log, where frames are appended.
#[derive(Clone)]
pub struct Tail {
    /// The last segment.
    pub file: Arc<dyn DiskFile>,
    /// Its number.
    pub segment: u32,
    /// Where the next frame goes.
    pub end: u32,
    /// The number of the next frame.
    pub next_lsn: u64,
    /// Up to where space was taken for the file.
    pub reserved: u64,
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
    /// Whether an fsync failed; held during each.
    sync_failed: Mutex<bool>,
    /// Whether the last frame found no space.
    full: AtomicBool,
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
            sync_failed: Mutex::new(false),
            full: AtomicBool::new(false),
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

    /// Bytes of a segment, at which the log goes on in another.
    pub fn segment_bytes(&self) -> u64 {
        self.segment_bytes
    }

    /// The last frame that was written, and where it ends.
    pub fn end(&self) -> Position {
        let tail = self.tail.lock();
        Position {
            segment: tail.segment,
            offset: tail.end,
            lsn: tail.next_lsn.saturating_sub(1),
        }
    }

    /// Everything up to this frame is on disk.
    pub fn durable(&self) -> u64 {
        self.group.durable()
    }

    /// The files.
    pub fn segments(&self) -> &Segments {
        &self.segments
    }

    /// An error if the log takes no more frames.
    pub fn check(&self) -> Result<(), StoreError> {
        self.group.check()
    }

    /// Appends a frame, written at `time`. `placed` is called with its place before any later frame can be appended.
    /// [`StoreError::DiskFull`] changes nothing; the last of the space is for frames that free some.
    pub fn append(
        &self,
        frame: FrameBuilder,
        time: FileTime,
        purpose: Purpose,
        placed: impl FnOnce(Position),
    ) -> Result<Position, StoreError> {
        let mut tail = self.tail.lock();
        if tail.closed {
            return Err(StoreError::Closed);
        }
        self.append_at(&mut tail, frame, time, purpose, placed)
    }

    /// Ends the log: refuses further frames, syncs those that there are and, with `mark`, appends one
    /// that vouches for them, so that later damage to the last commit can be told from a torn tail.
    pub fn close(&self, mark: Option<FrameBuilder>, time: FileTime) -> Result<(), StoreError> {
        let last = {
            let mut tail = self.tail.lock();
            tail.closed = true;
            tail.next_lsn.saturating_sub(1)
        };
        self.sync(last)?;
        let marked = mark.map_or(Ok(()), |mark| {
            let mut tail = self.tail.lock();
            let at = self.append_at(&mut tail, mark, time, Purpose::Relief, |_| {})?;
            drop(tail);
            self.sync(at.lsn)
        });
        if let Err(error) = marked {
            tracing::warn!(%error, "the log has no end mark; what it holds is on disk");
        }
        if self.check().is_ok() {
            // What was taken ahead. The file gets no shorter, and if this fails, it may stay.
            let tail = self.tail.lock();
            let _ = tail.file.set_len(u64::from(tail.end));
        }
        Ok(())
    }

    fn append_at(
        &self,
        tail: &mut Tail,
        frame: FrameBuilder,
        time: FileTime,
        purpose: Purpose,
        placed: impl FnOnce(Position),
    ) -> Result<Position, StoreError> {
        if frame.is_too_large() {
            return Err(StoreError::TooLarge);
        }
        if frame.key() != self.segments.keys.current_number() {
            return Err(StoreError::Invalid("a frame of another key"));
        }
        self.group.check()?;
        let written = self.write_frame(tail, frame, time, purpose);
        self.note_space(&written);
        let at = written?;
        placed(at);
        Ok(at)
    }

    /// Writes a frame behind the last one. If that fails, none of it counts.
    fn write_frame(
        &self,
        tail: &mut Tail,
        frame: FrameBuilder,
        time: FileTime,
        purpose: Purpose,
    ) -> Result<Position, StoreError> {
        let len = frame.len() as u64;
        if u64::from(tail.end) + len > self.segment_bytes && tail.end > SEGMENT_HEADER {
            self.roll(tail)?;
        }
        let (disk, dir) = (self.segments.disk(), self.segments.dir());
        space::make_room(disk, dir, tail, self.segment_bytes, len, purpose)?;
        let at = Position {
            segment: tail.segment,
            offset: tail.end,
            lsn: tail.next_lsn,
        };
        let bytes = frame.seal(self.store, at, self.group.durable(), time);
        if let Err(error) = tail.file.write_all_at(&bytes, u64::from(at.offset)) {
            // A part of it may be there. Without that, all is as it was.
            if is_full(&error) && tail.file.set_len(u64::from(tail.end)).is_ok() {
                tail.reserved = 0;
                return Err(StoreError::DiskFull);
            }
            return Err(self.group.fail("writing to the log failed", &error));
        }
        tail.end += bytes.len() as u32;
        tail.next_lsn += 1;
        Ok(at)
    }

    /// Tells of a disk that has become full, and of one that is not any more, once each.
    fn note_space(&self, written: &Result<Position, StoreError>) {
        let full = matches!(written, Err(StoreError::DiskFull));
        if full != self.full.load(Ordering::Relaxed) && (full || written.is_ok()) {
            self.full.store(full, Ordering::Relaxed);
            match full {
                true => tracing::error!(
                    "the disk is full: no changes are taken until there is room on it"
                ),
                false => tracing::warn!("there is room on the disk again: changes are taken"),
            }
        }
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
            self.sync_file(&*file)?;
            Ok(written)
        })
    }

    /// One fsync at a time, and none after one that failed: the operating system tells only one of
    /// those who wait for a file that it could not be written.
    fn sync_file(&self, file: &dyn DiskFile) -> io::Result<()> {
        let mut failed = self.sync_failed.lock();
        if *failed {
            return Err(io::Error::other("an fsync failed before"));
        }
        file.sync_data().inspect_err(|_| *failed = true)
    }

    /// A frame to be filled for this log.
    pub fn frame(&self) -> FrameBuilder {
        FrameBuilder::new(self.segments.keys.current().cloned())
    }

    /// Reads one record's header and plain data, and verifies its checksum.
    pub fn read(&self, at: Location, kind: RecordKind) -> Result<AlignedVec, StoreError> {
        let record = self.segments.record(at, kind)?;
        record.ok_or_else(|| damaged(at))
    }

    /// Reads one record of any kind as its file has it, and verifies its checksums, for copying.
    pub fn read_stored(&self, at: Location) -> Result<Stored, StoreError> {
        let stored = self.segments.stored(at)?;
        let whole = stored.filter(|stored| check_stored(&stored.bytes));
        whole.ok_or_else(|| damaged(at))
    }

    /// Whether there is a record at this place by now; of a plain segment only that it is long enough.
    /// Files that were replaced and are kept for a while do not count.
    pub fn contains(&self, at: Location) -> bool {
        self.segments.contains(at).unwrap_or(false)
    }

    /// Goes on in a new segment, unless the last one has no frame yet. Returns the number of the
    /// segment that the next frame goes to; all before it is on disk.
    pub fn roll_now(&self) -> Result<u32, StoreError> {
        let mut tail = self.tail.lock();
        if tail.closed {
            return Err(StoreError::Closed);
        }
        self.group.check()?;
        if tail.end > SEGMENT_HEADER {
            self.roll(&mut tail)?;
        }
        Ok(tail.segment)
    }

    /// Puts a pack in the place of the files that it stands for: gives it its name, removes the others,
    /// and keeps them open for those who still read them until [`Log::forget_retired`]. Only
    /// segments below the last can be replaced.
    pub fn install_pack(&self, pack: FinishedPack) -> Result<(), StoreError> {
        self.check()?;
        if pack.span.last >= self.tail.lock().segment {
            return Err(StoreError::Invalid("a pack of the last segment"));
        }
        let mut failed = None;
        let installed = self.segments.install_pack(pack, || {
            self.sync_names()
                .inspect_err(|error| failed = self.names_failed(error))
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(installed?),
        }
    }

    /// Gives a checkpoint its name and removes the earlier ones.
    pub fn install_checkpoint(&self, checkpoint: FinishedCheckpoint) -> Result<(), StoreError> {
        self.check()?;
        // What it says must not be ahead of the log after a power failure.
        self.sync(checkpoint.mark_lsn())?;
        let path = checkpoint.path();
        self.segments.disk().rename(&checkpoint.part, &path)?;
        self.sync_names()
            .map_err(|error| self.names_failed(&error).unwrap_or_else(|| error.into()))?;
        for path in checkpoint::earlier(&self.segments, checkpoint.mark_lsn())? {
            if let Err(error) = self.segments.disk().remove(&path) {
                tracing::warn!(%error, file = %path.display(), "an earlier checkpoint stays");
            }
        }
        Ok(())
    }

    /// Closes files that were replaced by packs at least this long ago.
    pub fn forget_retired(&self, older_than: Duration) {
        self.segments.forget_retired(older_than);
    }

    /// Makes the names in the log's directory durable: like an fsync of a file, see [`Log::sync_file`].
    fn sync_names(&self) -> io::Result<()> {
        let mut failed = self.sync_failed.lock();
        if *failed {
            return Err(io::Error::other("an fsync failed before"));
        }
        let synced = self.segments.disk().sync_dir(self.segments.dir());
        synced.inspect_err(|error| *failed = !has_no_handle(error))
    }

    /// Makes the log read-only, unless the directory could not even be opened.
    fn names_failed(&self, error: &io::Error) -> Option<StoreError> {
        let failed = !has_no_handle(error);
        failed.then(|| {
            self.group
                .fail("the log's directory cannot be synced", error)
        })
    }

    /// Goes on in a new segment if the last one is not encrypted with the key of new files.
    pub fn use_current_key(&self) -> Result<(), StoreError> {
        let number = self.segments.keys.current_number();
        let mut tail = self.tail.lock();
        if number == 0 || self.segments.key(tail.segment)? == number.into() {
            return Ok(());
        }
        self.roll(&mut tail)
    }

    /// The key of new files.
    pub fn cipher(&self) -> Option<&Cipher> {
        self.segments.keys.current().map(|cipher| &**cipher)
    }

    /// Goes on in a new segment. The old one is on disk first, so that syncing the last segment is
    /// always enough.
    fn roll(&self, tail: &mut Tail) -> Result<(), StoreError> {
        let failed = |error| self.group.fail("a new log segment cannot be made", &error);
        // What was taken ahead. The file gets no shorter.
        tail.file.set_len(u64::from(tail.end)).map_err(failed)?;
        tail.reserved = 0;
        self.sync_file(&*tail.file).map_err(failed)?;
        self.group.advance(tail.next_lsn.saturating_sub(1));
        let header = SegmentHeader {
            base_lsn: tail.next_lsn,
            key: self.segments.keys.current_number(),
            ..SegmentHeader::log(tail.segment + 1, self.store)
        };
        let created = {
            let mut poisoned = self.sync_failed.lock();
            if *poisoned {
                return Err(failed(io::Error::other("an fsync failed before")));
            }
            let created = self.segments.create(header);
            let may_try_again = |error: &io::Error| is_full(error) || has_no_handle(error);
            *poisoned = created.as_ref().is_err_and(|error| !may_try_again(error));
            created
        };
        tail.file = match created {
            // The next try begins it anew; there is no frame in it.
            Err(error) if is_full(&error) => return Err(StoreError::DiskFull),
            Err(error) if has_no_handle(&error) => return Err(error.into()),
            other => other.map_err(failed)?,
        };
        tail.segment = header.number;
        tail.end = SEGMENT_HEADER;
        Ok(())
    }
}

/// There is nothing whole at this place.
pub fn damaged(at: Location) -> StoreError {
    StoreError::Damaged {
        segment: at.segment,
        offset: u64::from(at.offset),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        path::{Path, PathBuf},
        time::Duration,
    };

    use crate::sync::Condvar;

    use super::*;
    use crate::{disk::Disk, tests::disk::SimDisk};

    /// Fsyncs of a file that cannot be written: who asks first is told last, and one alone is told
    /// that it failed.
    #[derive(Default)]
    struct Failing {
        armed: bool,
        asked: usize,
        told: usize,
    }

    #[derive(Clone)]
    struct ToldOnce {
        disk: SimDisk,
        state: Arc<(Mutex<Failing>, Condvar)>,
    }

    struct File(Arc<dyn DiskFile>, ToldOnce);

    impl DiskFile for File {
        fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
            self.0.read_exact_at(buffer, offset)
        }

        fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            self.0.write_all_at(bytes, offset)
        }

        fn sync_data(&self) -> io::Result<()> {
            let (state, changed) = &*self.1.state;
            let mut state = state.lock();
            if !state.armed {
                return self.0.sync_data();
            }
            state.asked += 1;
            changed.notify_all();
            if state.asked == 1 {
                // Nobody else may come; then this is the only one.
                changed.wait_while_for(
                    &mut state,
                    |state| state.told == 0,
                    Duration::from_millis(200),
                );
            }
            state.told += 1;
            changed.notify_all();
            match state.told {
                1 => Err(io::Error::other("no")),
                _ => Ok(()),
            }
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }

        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
    }

    impl Disk for ToldOnce {
        fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
            Ok(Arc::new(File(self.disk.open(path)?, self.clone())))
        }

        fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
            Ok(Arc::new(File(self.disk.create(path)?, self.clone())))
        }

        fn create_dir(&self, path: &Path) -> io::Result<()> {
            self.disk.create_dir(path)
        }

        fn list(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
            self.disk.list(path)
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.disk.rename(from, to)
        }

        fn remove(&self, path: &Path) -> io::Result<()> {
            Disk::remove(&self.disk, path)
        }

        fn sync_dir(&self, path: &Path) -> io::Result<()> {
            self.disk.sync_dir(path)
        }
    }

    #[test]
    fn nothing_is_acknowledged_if_another_segment_is_begun_while_an_fsync_fails() {
        let disk = ToldOnce {
            disk: SimDisk::new(1),
            state: Arc::default(),
        };
        let segments = Segments::new(Arc::new(disk.clone()), "log".into()).unwrap();
        let store = Guid([7; 16]);
        let tail = recovery::create(&segments, store).unwrap();
        let log = Log::new(segments, store, Durability::Always, 4096, tail);
        let frame = || {
            let mut frame = FrameBuilder::new(None);
            frame.add(RecordKind::Chunk, &[1; 3000]);
            frame
        };
        disk.state.0.lock().armed = true;
        let first = log
            .append(frame(), FileTime(1), Purpose::Any, |_| {})
            .unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| log.wait(first.lsn));
            let (state, changed) = &*disk.state;
            changed.wait_while(&mut state.lock(), |state| state.asked == 0);
            // It does not fit into the first segment.
            assert!(
                log.append(frame(), FileTime(1), Purpose::Any, |_| {})
                    .is_err()
            );
            assert!(waiting.join().unwrap().is_err());
        });
        assert!(log.check().is_err());
    }
}
