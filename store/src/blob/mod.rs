//! Large values, written and read by range.

use ropewalk_props::BlobRef;

use crate::StoreError;

/// Reads a large value. Cloning it copies a pointer.
#[derive(Clone, Debug)]
pub struct BlobReader {
    pub(crate) len: u64,
}

#[allow(clippy::len_without_is_empty)]
impl BlobReader {
    /// Bytes in the value.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Reads at `offset` until `buffer` is full or the value ends; returns the bytes read.
    pub fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> Result<usize, StoreError> {
        Err(StoreError::Closed)
    }
}

/// Writes a large value; memory stays bounded. Dropped without [`BlobWriter::finish`], it leaves
/// nothing that can be read.
#[derive(Debug)]
pub struct BlobWriter {
    pub(crate) len: u64,
}

#[allow(clippy::len_without_is_empty)]
impl BlobWriter {
    /// Bytes in the value so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Cuts the value, or extends it with zeros.
    pub fn set_len(&mut self, _len: u64) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Reads at `offset` until `buffer` is full or the value ends; returns the bytes read.
    pub fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> Result<usize, StoreError> {
        Err(StoreError::Closed)
    }

    /// Writes at `offset`; a gap behind the end is filled with zeros.
    pub fn write_at(&mut self, _offset: u64, _bytes: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::Closed)
    }

    /// Completes the value. It is durable once a message that refers to it is.
    pub fn finish(self) -> Result<BlobRef, StoreError> {
        Err(StoreError::Closed)
    }
}
