//! Reading a large value.

use std::sync::Arc;

use rkyv::util::AlignedVec;
use ropewalk_props::BlobRef;

use super::{map, pins::Pin};
use crate::{
    StoreError,
    core::Core,
    log::frame::{Location, RECORD_HEADER, RecordKind},
    sync::Mutex,
};

/// Where the chunks are, and what keeps them there.
#[derive(Debug)]
struct Chunks {
    at: Vec<Location>,
    _pin: Pin,
}

/// Reads a large value. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct BlobReader {
    core: Arc<Core>,
    len: u64,
    chunks: Arc<Chunks>,
    /// The chunk read last: streams come in steps smaller than a chunk.
    last: Arc<Mutex<Option<(usize, AlignedVec)>>>,
}

#[allow(clippy::len_without_is_empty)]
impl BlobReader {
    pub(crate) fn open(core: Arc<Core>, blob: BlobRef) -> Result<Self, StoreError> {
        let (len, at, pin) = map::open(&core, blob.id)?;
        Ok(Self {
            core,
            len,
            chunks: Arc::new(Chunks { at, _pin: pin }),
            last: Arc::default(),
        })
    }

    /// Bytes in the value.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads at `offset` until `buffer` is full or the value ends; returns the bytes read.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        map::read_range(self.len, offset, buffer, |number, start, out| {
            self.read_chunk(number, start, out)
        })
    }

    fn read_chunk(&self, number: usize, start: usize, out: &mut [u8]) -> Result<(), StoreError> {
        let at = self.chunks.at.get(number).copied().unwrap_or_default();
        if at.len == 0 {
            out.fill(0);
            return Ok(());
        }
        let mut last = self.last.lock();
        let record = match last.take() {
            Some((known, record)) if known == number => record,
            _ => self.core.log.read(at, RecordKind::Chunk)?,
        };
        let chunk = record.get(RECORD_HEADER..).unwrap_or_default();
        map::copy_from_chunk(chunk, start, out);
        *last = Some((number, record));
        Ok(())
    }
}
