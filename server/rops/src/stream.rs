//! Stream objects: one property's value as a run of bytes (MS-OXCPRPT 2.2.14 ff.).

use ropewalk_props::{PropTag, PropType};
use ropewalk_store::{BlobReader, BlobWriter, Store, StoreError};
use ropewalk_wire::ErrorCode;

use super::{limits::STREAM_BYTES_MAX, store_error};

/// An open stream.
pub struct StreamObject {
    /// The handle of the object whose property it is.
    pub parent: u32,
    /// The property, with the type that the client asked for.
    pub tag: PropTag,
    /// Whether this handle may change it.
    pub writable: bool,
    /// Whether it holds changes that its object does not have yet.
    pub dirty: bool,
    /// Where the next read or write begins.
    pub position: u64,
    content: Content,
}

/// The bytes of a stream.
enum Content {
    /// Small, or converted from another code page.
    Memory(Vec<u8>),
    /// Large and unchanged, in the store.
    Stored(BlobReader),
    /// Large and changed; keeps a chunk at a time in memory.
    Pending(BlobWriter),
}

/// Bytes of a stream that is kept in memory; longer ones go to the store as they grow.
const MEMORY_MAX: u64 = 64 << 10;

/// Where a stream is sought from (MS-OXCPRPT 2.2.20.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The start.
    Beginning,
    /// The position.
    Current,
    /// The end.
    End,
}

impl StreamObject {
    /// A stream over bytes at hand.
    pub fn in_memory(parent: u32, tag: PropTag, bytes: Vec<u8>, writable: bool) -> Self {
        Self {
            parent,
            tag,
            writable,
            dirty: false,
            position: 0,
            content: Content::Memory(bytes),
        }
    }

    /// A stream over a large stored value.
    pub fn stored(parent: u32, tag: PropTag, reader: BlobReader) -> Self {
        Self {
            parent,
            tag,
            writable: false,
            dirty: false,
            position: 0,
            content: Content::Stored(reader),
        }
    }

    /// A stream that changes a large stored value.
    pub fn pending(parent: u32, tag: PropTag, writer: BlobWriter) -> Self {
        Self {
            parent,
            tag,
            writable: true,
            dirty: false,
            position: 0,
            content: Content::Pending(writer),
        }
    }

    /// Its size in bytes.
    #[allow(clippy::len_without_is_empty)] // Nobody asks whether a stream is empty.
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Stored(reader) => reader.len(),
            Content::Pending(writer) => writer.len(),
        }
    }

    /// Appends up to `count` bytes from the position to `out` and moves on; returns how many.
    pub fn read(&mut self, count: usize, out: &mut Vec<u8>) -> Result<usize, ErrorCode> {
        let left = self.len().saturating_sub(self.position);
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        let start = out.len();
        out.resize(start + count, 0);
        let result = out
            .get_mut(start..)
            .map_or(Ok(()), |target| self.read_exact_at(self.position, target));
        if let Err(error) = result {
            out.truncate(start);
            return Err(store_error::code(&error));
        }
        self.position += count as u64;
        Ok(count)
    }

    fn read_exact_at(&self, offset: u64, target: &mut [u8]) -> Result<(), StoreError> {
        let mut done = 0;
        while done < target.len() {
            let Some(rest) = target.get_mut(done..) else {
                break;
            };
            let at = offset + done as u64;
            let read = match &self.content {
                Content::Memory(bytes) => {
                    let from = bytes.get(at as usize..).unwrap_or_default();
                    let count = from.len().min(rest.len());
                    rest[..count].copy_from_slice(&from[..count]);
                    count
                }
                Content::Stored(reader) => reader.read_at(at, rest)?,
                Content::Pending(writer) => writer.read_at(at, rest)?,
            };
            if read == 0 {
                break;
            }
            done += read;
        }
        Ok(())
    }

    /// Writes at the position and moves on. `StreamSizeError` past the limit.
    pub fn write(&mut self, store: &Store, bytes: &[u8]) -> Result<(), ErrorCode> {
        let end = self.position.saturating_add(bytes.len() as u64);
        if end > STREAM_BYTES_MAX {
            return Err(ErrorCode::STREAM_SIZE_ERROR);
        }
        self.make_room(store, end)?;
        self.dirty = true;
        match &mut self.content {
            Content::Memory(content) => {
                let start = self.position as usize;
                if content.len() < end as usize {
                    content.resize(end as usize, 0);
                }
                if let Some(target) = content.get_mut(start..end as usize) {
                    target.copy_from_slice(bytes);
                }
            }
            Content::Pending(writer) => {
                writer
                    .write_at(self.position, bytes)
                    .map_err(store_error::fail)?;
            }
            Content::Stored(_) => return Err(ErrorCode(0x8003_0005)),
        }
        self.position = end;
        Ok(())
    }

    /// Cuts the stream or fills it with zeros.
    pub fn set_len(&mut self, store: &Store, len: u64) -> Result<(), ErrorCode> {
        if len > STREAM_BYTES_MAX {
            return Err(ErrorCode::STREAM_SIZE_ERROR);
        }
        self.make_room(store, len)?;
        self.dirty = true;
        match &mut self.content {
            Content::Memory(content) => content.resize(len as usize, 0),
            Content::Pending(writer) => writer.set_len(len).map_err(store_error::fail)?,
            Content::Stored(_) => return Err(ErrorCode(0x8003_0005)),
        }
        // MS-OXCPRPT 2.2.19: the position stays within the stream.
        self.position = self.position.min(len);
        Ok(())
    }

    /// Moves the position; `StreamSeekError` if it would leave 0..=2^31 (MS-OXCPRPT 3.2.5.17).
    pub fn seek(&mut self, origin: Origin, offset: i64) -> Result<u64, ErrorCode> {
        let base = match origin {
            Origin::Beginning => 0,
            Origin::Current => self.position,
            Origin::End => self.len(),
        };
        let target = base
            .checked_add_signed(offset)
            .filter(|target| *target <= STREAM_BYTES_MAX)
            .ok_or(ErrorCode(0x8003_0019))?;
        self.position = target;
        Ok(target)
    }

    /// The whole content, if it is at most `max` bytes.
    pub fn to_vec(&self, max: u64) -> Result<Option<Vec<u8>>, ErrorCode> {
        if self.len() > max {
            return Ok(None);
        }
        let mut bytes = vec![0; self.len() as usize];
        self.read_exact_at(0, &mut bytes)
            .map_err(store_error::fail)?;
        Ok(Some(bytes))
    }

    /// The pending large value, to be finished into a blob; `None` for one held in memory.
    pub fn take_pending(&mut self) -> Option<BlobWriter> {
        match std::mem::replace(&mut self.content, Content::Memory(Vec::new())) {
            Content::Pending(writer) => Some(writer),
            other => {
                self.content = other;
                None
            }
        }
    }

    /// Goes on as an editor of the blob that the pending value became.
    pub fn resume(&mut self, writer: BlobWriter) {
        self.content = Content::Pending(writer);
    }

    fn make_room(&mut self, store: &Store, len: u64) -> Result<(), ErrorCode> {
        let Content::Memory(content) = &self.content else {
            return Ok(());
        };
        if len <= MEMORY_MAX {
            return Ok(());
        }
        let mut writer = store.blob_writer();
        writer.write_at(0, content).map_err(store_error::fail)?;
        self.content = Content::Pending(writer);
        Ok(())
    }
}

/// True for the property types that open as a stream (MS-OXCPRPT 2.2.14).
pub fn is_streamable(ty: PropType) -> bool {
    matches!(
        ty,
        PropType::STRING | PropType::STRING8 | PropType::BINARY | PropType::OBJECT
    )
}
