//! Writing a large value.

use std::sync::Arc;

use ropewalk_props::BlobRef;

use super::{
    CHUNK, MAX_BLOB,
    map::{self, chunk_count},
};
use crate::{
    StoreError,
    core::Core,
    log::frame::{FrameBuilder, Location, RECORD_HEADER, RecordKind},
    records::{Batch, BlobRecord, Op},
};

/// Changed chunks kept in memory; the one touched longest ago goes to the log first.
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
    /// Chunks that are newer here, the one touched last at the end.
    dirty: Vec<Dirty>,
}

impl std::fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlobWriter({} bytes)", self.len)
    }
}

#[allow(clippy::len_without_is_empty)]
impl BlobWriter {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            len: 0,
            chunks: Vec::new(),
            dirty: Vec::new(),
        }
    }

    pub(crate) fn edit(core: Arc<Core>, blob: BlobRef) -> Result<Self, StoreError> {
        let record = core.blob(blob.id)?;
        let chunks = map::read(&core, &record)?;
        Ok(Self {
            core,
            len: record.len,
            chunks,
            dirty: Vec::new(),
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

    /// Completes the value. It is durable once a message that refers to it is.
    pub fn finish(mut self) -> Result<BlobRef, StoreError> {
        let mut frame = FrameBuilder::new();
        for dirty in std::mem::take(&mut self.dirty) {
            let at = frame.add(RecordKind::Chunk, &dirty.bytes);
            if let Some(chunk) = self.chunks.get_mut(dirty.number) {
                *chunk = at;
            }
        }
        let list = map::encode(&self.chunks, frame.len() as u32);
        let record = BlobRecord {
            id: self.core.new_blob_id()?,
            len: self.len,
            map: frame.add(RecordKind::BlobMap, &list),
        };
        let batch = Batch::of_store(vec![Op::PutBlob(record)]);
        self.core.append(frame, batch)?;
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
                    self.spill_oldest()?;
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

    fn spill_oldest(&mut self) -> Result<(), StoreError> {
        let oldest = self.dirty.remove(0);
        let mut frame = FrameBuilder::new();
        let relative = frame.add(RecordKind::Chunk, &oldest.bytes);
        let at = self.core.append_data(frame)?;
        if let Some(chunk) = self.chunks.get_mut(oldest.number) {
            *chunk = relative.resolve(at);
        }
        Ok(())
    }
}
