//! Writing a large value.

use std::sync::Arc;

use ropewalk_props::BlobRef;

use super::{
    CHUNK, MAX_BLOB,
    dedup::Chunks,
    map::{self, chunk_count},
    pins::Pin,
};
use crate::{
    StoreError,
    core::Core,
    log::frame::{FrameBuilder, Location, Position, RECORD_HEADER, RecordKind},
    records::{Batch, BlobRecord, Op},
};

/// A writer sees to it that not more of its bytes than this wait for being written to the disk: others
/// who commit would have to wait for that.
const UNSETTLED: usize = 8 << 20;
/// Changed chunks kept in memory; when there would be more they go to the log, all in one frame.
const IN_MEMORY: usize = 4;

struct Dirty {
    number: usize,
    bytes: Vec<u8>,
}

/// Writes a large value; memory stays bounded. Dropped without [`BlobWriter::finish`], it leaves
/// nothing that can be read.
pub struct BlobWriter {
    core: Arc<Core>,
    len: u64,
    /// Where each chunk is; length 0 is all zeros.
    chunks: Vec<Location>,
    /// Keeps them there.
    pin: Pin,
    /// Chunks that are newer here, the one touched last at the end.
    dirty: Vec<Dirty>,
    /// Bytes written to the log since its end was waited for.
    unsettled: usize,
}

impl std::fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobWriter({} bytes)", self.len)
    }
}

#[allow(clippy::len_without_is_empty)]
impl BlobWriter {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        let pin = core.pins.pin();
        Self {
            core,
            pin,
            len: 0,
            chunks: Vec::new(),
            dirty: Vec::new(),
            unsettled: 0,
        }
    }

    pub(crate) fn edit(core: Arc<Core>, blob: BlobRef) -> Result<Self, StoreError> {
        let (len, chunks, pin) = map::open(&core, blob.id)?;
        Ok(Self {
            core,
            len,
            chunks,
            pin,
            dirty: Vec::new(),
            unsettled: 0,
        })
    }

    /// Bytes in the value so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Cuts the value, or extends it with zeros. [`StoreError::TooLarge`] beyond 2 GiB.
    pub fn set_len(&mut self, len: u64) -> Result<(), StoreError> {
        if len > MAX_BLOB {
            return Err(StoreError::TooLarge);
        }
        let count = chunk_count(len);
        if len < self.len {
            self.cut_last_chunk(len)?;
            self.dirty.retain(|dirty| dirty.number < count);
            self.chunks.truncate(count);
        }
        self.chunks.resize(count, Location::default());
        self.len = len;
        Ok(())
    }

    /// Reads at `offset` until `buffer` is full or the value ends; returns the bytes read.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        map::read_range(self.len, offset, buffer, |number, start, out| {
            if let Some(dirty) = self.dirty.iter().find(|dirty| dirty.number == number) {
                map::copy_from_chunk(&dirty.bytes, start, out);
            } else {
                map::copy_from_chunk(&self.load(number)?, start, out);
            }
            Ok(())
        })
    }

    /// Writes at `offset`; a gap behind the end is filled with zeros. [`StoreError::TooLarge`]
    /// beyond 2 GiB.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let end = offset.saturating_add(bytes.len() as u64);
        if end > self.len && !bytes.is_empty() {
            self.set_len(end)?;
        }
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let start = (at % CHUNK as u64) as usize;
            let (part, tail) = rest.split_at(rest.len().min(CHUNK - start));
            let chunk = self.touch((at / CHUNK as u64) as usize)?;
            if chunk.len() < start + part.len() {
                chunk.resize(start + part.len(), 0);
            }
            if let Some(target) = chunk.get_mut(start..start + part.len()) {
                target.copy_from_slice(part);
            }
            at += part.len() as u64;
            rest = tail;
        }
        Ok(())
    }

    /// Whether writing so much there neither reads nor writes the log.
    pub fn stays_in_memory(&self, offset: u64, len: usize) -> bool {
        let Some(last) = (len as u64).checked_sub(1) else {
            return true;
        };
        let numbers = offset / CHUNK as u64..=offset.saturating_add(last) / CHUNK as u64;
        let mut room = IN_MEMORY.saturating_sub(self.dirty.len());
        numbers.map(|number| number as usize).all(|number| {
            if self.dirty.iter().any(|dirty| dirty.number == number) {
                return true;
            }
            let is_new = self.chunks.get(number).is_none_or(|at| at.len == 0);
            let fits = room > 0;
            room = room.saturating_sub(1);
            is_new && fits
        })
    }

    /// Completes the value. It is durable once a message that refers to it is.
    pub fn finish(mut self) -> Result<BlobRef, StoreError> {
        let mut frame = self.core.frame();
        let core = self.core.clone();
        let _refs = core.refs.read();
        let mut chunks = Chunks::default();
        for (number, at) in self.add_dirty(&mut frame, &mut chunks) {
            if let Some(chunk) = self.chunks.get_mut(number) {
                *chunk = at;
            }
        }
        let list = map::encode(&self.chunks, frame.len() as u32);
        let record = BlobRecord {
            id: core.new_blob_id()?,
            len: self.len,
            map: frame.add(RecordKind::BlobMap, &list),
        };
        chunks.ops.push(Op::PutBlob(Box::new(record)));
        let batch = Batch::of_store(chunks.ops);
        let unsaved = &core.unsaved;
        unsaved.add(record.id, core.now());
        let appended = core.append(frame, batch);
        appended.inspect_err(|_| unsaved.remove(&[record.id]))?;
        Ok(BlobRef {
            id: record.id,
            len: record.len,
        })
    }

    /// Drops what the last chunk has behind the value's new end, lest it come back when the value
    /// grows.
    fn cut_last_chunk(&mut self, len: u64) -> Result<(), StoreError> {
        let within = (len % CHUNK as u64) as usize;
        if within != 0 {
            self.touch((len / CHUNK as u64) as usize)?.truncate(within);
        }
        Ok(())
    }

    /// A chunk, in memory and to be changed.
    fn touch(&mut self, number: usize) -> Result<&mut Vec<u8>, StoreError> {
        let known = self.dirty.iter().position(|dirty| dirty.number == number);
        let dirty = match known {
            Some(index) => self.dirty.remove(index),
            None => {
                let bytes = self.load(number)?;
                if self.dirty.len() >= IN_MEMORY {
                    self.spill()?;
                }
                Dirty { number, bytes }
            }
        };
        self.dirty.push(dirty);
        let touched = self.dirty.last_mut().ok_or(StoreError::NotFound)?;
        Ok(&mut touched.bytes)
    }

    fn load(&self, number: usize) -> Result<Vec<u8>, StoreError> {
        let at = self.chunks.get(number).copied().unwrap_or_default();
        if at.len == 0 {
            return Ok(Vec::new());
        }
        let record = self.core.log.read(at, RecordKind::Chunk)?;
        Ok(record.get(RECORD_HEADER..).unwrap_or_default().to_vec())
    }

    /// Adds all changed chunks to a frame, unless the store has them already: their numbers, and where
    /// they are. The caller holds [`Core::refs`].
    fn add_dirty(&self, frame: &mut FrameBuilder, chunks: &mut Chunks) -> Vec<(usize, Location)> {
        let dirty = self.dirty.iter();
        dirty
            .map(|dirty| (dirty.number, chunks.add(&self.core, frame, &dirty.bytes)))
            .collect()
    }

    /// Moves the changed chunks to the log. They stay where they are if that fails.
    fn spill(&mut self) -> Result<(), StoreError> {
        let core = self.core.clone();
        core.compactor.pressure.wait();
        let refs = core.refs.read();
        let mut frame = core.frame();
        let mut chunks = Chunks::default();
        let added = self.add_dirty(&mut frame, &mut chunks);
        let is_new = |(_, at): &(usize, Location)| at.segment == 0 && at.len != 0;
        let written = match added.iter().any(is_new) {
            true => {
                self.unsettled += frame.len();
                core.append(frame, Batch::of_store(chunks.ops))?
            }
            false => Position::default(),
        };
        for (number, at) in added {
            let at = at.resolve(written);
            self.pin.add([at.segment]);
            if let Some(chunk) = self.chunks.get_mut(number) {
                *chunk = at;
            }
        }
        drop(refs);
        self.dirty.clear();
        if self.unsettled >= UNSETTLED {
            self.unsettled = 0;
            core.settle(written)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Store, StoreOptions};

    #[test]
    fn a_write_stays_in_memory_until_there_are_too_many_changed_chunks() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let mut writer = store.blob_writer();
        let start = |number: usize| (number * CHUNK) as u64;
        let byte = |number: usize| vec![number as u8 + 1; CHUNK];
        assert!(writer.stays_in_memory(u64::MAX, 0));
        assert!(writer.stays_in_memory(0, IN_MEMORY * CHUNK));
        assert!(!writer.stays_in_memory(1, IN_MEMORY * CHUNK));
        for number in 0..IN_MEMORY {
            assert!(writer.stays_in_memory(start(number), CHUNK));
            writer.write_at(start(number), &byte(number)).unwrap();
        }
        assert!(writer.stays_in_memory(0, IN_MEMORY * CHUNK));
        assert!(!writer.stays_in_memory(start(IN_MEMORY), 1));
        writer.write_at(start(IN_MEMORY), &byte(IN_MEMORY)).unwrap();
        // The others went to the log, all at once, and have to be read to be changed.
        assert!(writer.stays_in_memory(start(IN_MEMORY), 2 * CHUNK));
        assert!(!writer.stays_in_memory(start(0), 1));
        for number in 0..=IN_MEMORY {
            let mut found = vec![0; CHUNK];
            writer.read_at(start(number), &mut found).unwrap();
            assert_eq!(found, byte(number));
        }
    }
}
