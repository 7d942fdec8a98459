//! What users, mailboxes and large values share: the log, the index and the cache.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    fs::File,
    sync::{Arc, OnceLock},
    time::Duration,
};

use rkyv::rancor;
use ropewalk_props::{Bag, FileTime, Guid};

use crate::{
    Clock, Durability, StoreError, StoredMessage,
    blob::{
        dedup::{ChunkHasher, Hash},
        pins::{Pins, Referring, Unsaved},
    },
    cache::MessageCache,
    compact::Compactor,
    index::{Index, Job, keys, value},
    log::{
        Log, Purpose,
        frame::{FrameBuilder, Location, Position, RECORD_HEADER, RecordKind},
    },
    records::{Batch, BlobRecord, Op},
    sync::{
        Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        thread::Thread,
    },
};

/// The engine under the store.
pub struct Core {
    pub log: Log,
    pub index: Index,
    pub cache: MessageCache,
    pub clock: Arc<dyn Clock>,
    pub durability: Durability,
    /// Commits were lost to damage: the folders' counts must be taken anew, and counters may lag.
    pub recount: bool,
    /// Read-held by whoever needs the log's files to stay as they are for a while, write-held while
    /// compaction puts others in their place.
    pub files: RwLock<()>,
    /// The time when it was last noted, for what need not know it to the second.
    noted_time: AtomicU64,
    /// The index was made anew from the log when the store was opened.
    pub index_is_new: bool,
    closed: AtomicBool,
    /// Held while the store is being closed.
    closing: Mutex<()>,
    wrote: AtomicBool,
    /// Held for reading from when an existing large value or chunk is looked up until a frame that
    /// refers to it is in the log, or a pin is registered; for writing by compaction while it tells
    /// what is dead. Never taken twice by a thread, nor with the log's tail.
    pub refs: RwLock<()>,
    /// Segments that readers and writers of large values point into.
    pub pins: Pins,
    /// Large values that no commit refers to yet.
    pub unsaved: Unsaved,
    /// Segments that compaction is rewriting: what it found dead there must stay so. Changed under
    /// `refs`, held for writing.
    pub packing: Mutex<BTreeSet<u32>>,
    /// Makes the hashes by which equal chunks are found; `None` if there can be none.
    pub hasher: Option<ChunkHasher>,
    /// Gives back space.
    pub compactor: Compactor,
    next_blob: AtomicU64,
    /// Large values that the index may not have yet, or may have still (`None`), with the frame that
    /// completes or removes them.
    new_blobs: Mutex<HashMap<u64, (u64, Option<BlobRecord>)>>,
    /// Chunks that the index may not have yet, with the frame that brings them.
    new_chunks: Mutex<HashMap<Hash, (u64, Location)>>,
    /// The thread that ticks.
    looks_after: OnceLock<Thread>,
    /// Keeps other processes out of the directory.
    lock: Mutex<Option<File>>,
}

/// Blob ids of one run of the program begin at the number of the next frame times this, and stay
/// below the number of the frame after times this, so that no run repeats those of an earlier one.
const BLOBS_PER_FRAME: u64 = 1 << 20;
/// Chunks are known here until the index has them, but not more than this.
const MAX_NEW_CHUNKS: usize = 1 << 16;

/// Bytes of other records in a frame that frees space, at most: a folder's bag is some.
const SMALL_FRAME: usize = 64 << 10;

/// How long a file of the log that was replaced can still be read: longer than anybody holds the
/// location of something that died meanwhile.
const RETIRED: Duration = Duration::from_secs(60);

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").finish_non_exhaustive()
    }
}

/// The parts that a core is made of.
pub struct Parts {
    pub log: Log,
    pub index: Index,
    pub cache_bytes: usize,
    pub clock: Arc<dyn Clock>,
    pub durability: Durability,
    pub recount: bool,
    pub index_is_new: bool,
    pub lock: File,
}

impl Core {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        let next_lsn = parts.log.last_lsn() + 1;
        let hasher = ChunkHasher::of(parts.log.cipher());
        let now = parts.clock.now();
        Self {
            log: parts.log,
            index: parts.index,
            cache: MessageCache::new(parts.cache_bytes),
            clock: parts.clock,
            durability: parts.durability,
            recount: parts.recount,
            files: RwLock::default(),
            noted_time: AtomicU64::new(now.0),
            index_is_new: parts.index_is_new,
            closed: AtomicBool::new(false),
            closing: Mutex::default(),
            wrote: AtomicBool::new(false),
            refs: RwLock::default(),
            pins: Pins::default(),
            unsaved: Unsaved::default(),
            packing: Mutex::default(),
            hasher,
            compactor: Compactor::default(),
            next_blob: AtomicU64::new(next_lsn.saturating_mul(BLOBS_PER_FRAME)),
            new_blobs: Mutex::default(),
            new_chunks: Mutex::default(),
            looks_after: OnceLock::new(),
            lock: Mutex::new(Some(parts.lock)),
        }
    }

    /// The current time.
    pub fn now(&self) -> FileTime {
        self.clock.now()
    }

    /// The time as it was a moment ago.
    pub fn noted_time(&self) -> FileTime {
        FileTime(self.noted_time.load(Ordering::Relaxed))
    }

    /// Brings [`Core::noted_time`] up to date.
    pub fn note_time(&self) {
        self.noted_time.store(self.now().0, Ordering::Relaxed);
    }

    /// The store's GUID.
    pub fn store_guid(&self) -> Guid {
        self.log.store_guid()
    }

    /// A frame to be filled and appended.
    pub fn frame(&self) -> FrameBuilder {
        self.log.frame()
    }

    /// A number for a new large value. [`StoreError::TooMany`] if a million were taken without any
    /// commit that uses them.
    pub fn new_blob_id(&self) -> Result<u64, StoreError> {
        let next_frame = self.log.last_lsn() + 1;
        let end = (next_frame + 1).saturating_mul(BLOBS_PER_FRAME);
        self.next_blob
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |id| {
                (id < end).then_some(id + 1)
            })
            .map_err(|_| StoreError::TooMany)
    }

    /// An error if the store takes no changes.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        self.log.check()
    }

    /// Writes one commit and returns once it counts as done.
    pub fn commit(&self, frame: FrameBuilder, batch: Batch) -> Result<Position, StoreError> {
        self.commit_with(frame, batch, None, |_| {})
    }

    /// [`Core::commit`] of what refers to large values; it tells `placed` the commit's place before
    /// anyone can see its effects.
    pub fn commit_with(
        &self,
        frame: FrameBuilder,
        batch: Batch,
        refs: Option<Referring<'_>>,
        placed: impl FnOnce(Position),
    ) -> Result<Position, StoreError> {
        self.index.throttle();
        let at = self.append_with(frame, batch, placed)?;
        if let Some(refs) = refs {
            refs.done();
        }
        self.settle(at)?;
        Ok(at)
    }

    /// Writes one commit that counts as done when a later one does.
    pub fn append(&self, frame: FrameBuilder, batch: Batch) -> Result<Position, StoreError> {
        self.append_with(frame, batch, |_| {})
    }

    fn append_with(
        &self,
        mut frame: FrameBuilder,
        batch: Batch,
        placed: impl FnOnce(Position),
    ) -> Result<Position, StoreError> {
        self.check_writable()?;
        let purpose = match batch.frees_space() && frame.len() <= SMALL_FRAME {
            true => Purpose::Relief,
            false => Purpose::Any,
        };
        add_batch(&mut frame, &batch)?;
        self.wrote.store(true, Ordering::Release);
        self.log.append(frame, self.clock.now(), purpose, |at| {
            placed(at);
            self.queue(at, batch);
        })
    }

    /// Returns once a frame, and all before it, counts as done.
    pub fn settle(&self, at: Position) -> Result<(), StoreError> {
        self.log.wait(at.lsn)?;
        self.index.advance(at.lsn);
        Ok(())
    }

    fn queue(&self, at: Position, mut batch: Batch) {
        for op in &mut batch.ops {
            op.resolve(at);
            match op {
                Op::PutBlob(blob) => {
                    let known = (at.lsn, Some(**blob));
                    self.new_blobs.lock().insert(blob.id, known);
                }
                Op::RemoveBlobs(ids) => {
                    let gone = ids.iter().map(|id| (*id, (at.lsn, None)));
                    self.new_blobs.lock().extend(gone);
                }
                Op::PutChunk(chunk) => {
                    let mut new = self.new_chunks.lock();
                    if new.len() >= MAX_NEW_CHUNKS {
                        // The index lags far behind. Those will not be found until it has them.
                        new.clear();
                    }
                    new.insert(chunk.hash, (at.lsn, chunk.at));
                }
                Op::RemoveChunks(hashes) => {
                    let mut new = self.new_chunks.lock();
                    hashes.iter().for_each(|hash| {
                        new.remove(hash);
                    });
                }
                _ => {}
            }
        }
        self.compactor.note(&batch);
        self.index.push(Job { at, batch });
    }

    /// Finds a large value. Who goes on to refer to it holds [`Core::refs`].
    pub fn blob(&self, id: u64) -> Result<BlobRecord, StoreError> {
        let applied = self.index.applied();
        {
            let mut new = self.new_blobs.lock();
            if let Some((_, blob)) = new.get(&id) {
                return blob.ok_or(StoreError::NotFound);
            }
            new.retain(|_, (lsn, _)| *lsn > applied);
        }
        let found = self.index.kv()?.get(&keys::blob(id))?;
        Ok(value::decode(&found.ok_or(StoreError::NotFound)?)?)
    }

    /// Finds a chunk with these bytes and this hash; the caller holds [`Core::refs`] and goes on to
    /// refer to it. One that was damaged, removed or is about to be does not count.
    pub fn find_chunk(&self, hash: &Hash, bytes: &[u8]) -> Option<Location> {
        let new = self.new_chunks.lock().get(hash).map(|(_, at)| *at);
        let at = match new {
            Some(at) => at,
            None if self.index.is_well() => {
                let found = self.index.kv().ok()?.get(&keys::chunk(hash)).ok()??;
                let decoded = value::decode::<Location>(&found);
                decoded
                    .inspect_err(|why| self.index.distrust(&why.0))
                    .ok()?
            }
            None => return None,
        };
        if at.len as usize != bytes.len() || self.packing.lock().contains(&at.segment) {
            return None;
        }
        // It could be read from a file that a pack has replaced, which is gone before long.
        if !self.log.contains(at) {
            return None;
        }
        let record = self.log.read(at, RecordKind::Chunk).ok()?;
        (record.get(RECORD_HEADER..) == Some(bytes)).then_some(at)
    }

    /// Reads a bag.
    pub fn read_bag(&self, at: Location) -> Result<Arc<Bag>, StoreError> {
        if at.len == 0 {
            return Ok(Arc::default());
        }
        let record = self.log.read(at, RecordKind::Bag)?;
        let archive = record.get(RECORD_HEADER..).unwrap_or_default();
        let bag = rkyv::from_bytes::<Bag, rancor::Error>(archive);
        Ok(Arc::new(bag.map_err(|_| StoreError::Damaged {
            segment: at.segment,
            offset: u64::from(at.offset),
        })?))
    }

    /// Reads a message's content, from memory if it is there.
    pub fn read_message(&self, at: Location) -> Result<StoredMessage, StoreError> {
        if let Some(message) = self.cache.get(at, self.noted_time()) {
            return Ok(message);
        }
        let record = self.log.read(at, RecordKind::Message)?;
        let message = StoredMessage::new(record).ok_or(StoreError::Damaged {
            segment: at.segment,
            offset: u64::from(at.offset),
        })?;
        self.cache.insert(at, message.clone());
        Ok(message)
    }

    /// What has to be done now and then: see to the interval's fsync, look after the index.
    pub fn tick(&self) {
        self.note_time();
        self.index.watch();
        if matches!(self.durability, Durability::Interval(_)) {
            // A failure makes the log read-only, which the next writer is told.
            let _ = self.log.sync(self.log.last_lsn());
        }
        self.log.forget_retired(RETIRED);
        let applied = self.index.applied();
        self.new_blobs.lock().retain(|_, (lsn, _)| *lsn > applied);
        self.new_chunks.lock().retain(|_, (lsn, _)| *lsn > applied);
    }

    /// Names the thread that calls [`Core::tick`], to be woken when there is no more to do.
    pub fn looked_after_by(&self, thread: Thread) {
        let _ = self.looks_after.set(thread);
    }

    /// True once closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Writes everything out and stops. Closing again does nothing.
    pub fn close(&self) -> Result<(), StoreError> {
        let _closing = self.closing.lock();
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // From here on no file is rewritten.
        let _still = self.compactor.stop();
        let mut mark = self.frame();
        let mark = match self.wrote.load(Ordering::Acquire) {
            true => add_batch(&mut mark, &Batch::default()).ok().map(|()| mark),
            false => None,
        };
        let synced = self.log.close(mark, self.clock.now());
        if synced.is_ok() {
            self.index.advance(self.log.last_lsn());
        }
        let closed = self.index.close();
        if let Some(thread) = self.looks_after.get() {
            thread.unpark();
        }
        // Nothing is written any more: another process may have the directory.
        if let Some(lock) = self.lock.lock().take() {
            // Said outright: a child process that is just being started may have a copy of it.
            let _ = lock.unlock();
        }
        synced.and(closed)
    }
}

fn add_batch(frame: &mut FrameBuilder, batch: &Batch) -> Result<(), StoreError> {
    let archive = rkyv::to_bytes::<rancor::Error>(batch).map_err(|_| StoreError::TooLarge)?;
    frame.add(RecordKind::Batch, &archive);
    Ok(())
}
