//! Stream objects: one property's value as a run of bytes (MS-OXCPRPT 2.2.14 ff.).

pub mod copy;
pub mod open;
pub mod pending;
pub mod rops;
pub mod shared;
#[cfg(test)]
mod tests;

use ropewalk_props::{BlobRef, GlobCnt, PropTag, PropType, Utf16Text};
use ropewalk_store::{BlobReader, BlobWriter, Store, StoreError};
use ropewalk_wire::ErrorCode;

use self::shared::RegionLock;
use super::{
    budget::Share, code_page::CodePage, exec::blocking, limits::STREAM_BYTES_MAX, store_error,
};

/// An open stream.
pub struct StreamObject {
    /// Whose property it is.
    pub owner: Owner,
    /// The property, with the type that the client asked for.
    pub tag: PropTag,
    /// Whether this handle may change it.
    pub writable: bool,
    /// Whether it holds changes that its object does not have yet.
    pub dirty: bool,
    /// Where the next read or write begins.
    pub position: u64,
    /// The code page of a PtypString8 stream.
    code_page: CodePage,
    content: Content,
    /// What it keeps in memory.
    share: Share,
    /// The handle that has the bytes, if that is another one.
    base: Option<u32>,
    /// Regions that handles have to themselves.
    locks: Vec<RegionLock>,
}

/// The object whose property a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A message or an attachment, by its handle.
    Object(u32),
    /// A folder, which takes the value at a commit or when the stream is released.
    Folder(GlobCnt),
}

/// The bytes of a stream.
pub enum Content {
    /// Small, or converted from another code page.
    Memory(Vec<u8>),
    /// Large and unchanged, in the store.
    Stored(BlobReader),
    /// Large and changed; keeps a chunk at a time in memory.
    Pending(BlobWriter),
    /// Changed, and the store could not keep it. It can be neither read nor saved.
    Lost,
}

/// Bytes of a stream that is kept in memory; longer ones go to the store as they grow.
const MEMORY_MAX: u64 = 64 << 10;

/// Bytes of text that is converted from or to another code page as a whole.
pub const CONVERTED_BYTES_MAX: u64 = 16 << 20;

/// StreamAccessDenied (MS-OXCPRPT 3.2.5.13).
pub const STREAM_ACCESS_DENIED: ErrorCode = ErrorCode(0x8003_0005);
/// StreamSeekError (MS-OXCPRPT 3.2.5.18).
pub const STREAM_SEEK_ERROR: ErrorCode = ErrorCode(0x8003_0019);
/// StreamInvalidParam (MS-OXCPRPT 3.2.5.18).
pub const STREAM_INVALID_PARAM: ErrorCode = ErrorCode(0x8003_0057);

/// Bytes of a value that the store reads or writes at a time.
const CHUNK: usize = 64 << 10;

/// Bytes that it takes to know where the chunks of a value are.
fn places(len: u64) -> usize {
    const PLACE: usize = 12;
    usize::try_from(len / CHUNK as u64)
        .unwrap_or(usize::MAX)
        .saturating_mul(PLACE)
}

impl Content {
    /// Bytes that it keeps in memory: chunks that are being read or written, and where the others
    /// are.
    fn memory(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Stored(reader) => CHUNK.saturating_add(places(reader.len())),
            Self::Pending(writer) => Self::pending_memory(writer.len()),
            Self::Lost => 0,
        }
    }

    /// The same for [`Content::Pending`] of this length.
    fn pending_memory(len: u64) -> usize {
        const WRITTEN_CHUNKS: usize = 4;
        (WRITTEN_CHUNKS * CHUNK).saturating_add(places(len))
    }
}

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
    /// A stream at its beginning.
    pub fn new(
        owner: Owner,
        tag: PropTag,
        content: Content,
        writable: bool,
        code_page: CodePage,
        mut share: Share,
    ) -> Result<Self, ErrorCode> {
        share.resize(content.memory())?;
        Ok(Self {
            owner,
            tag,
            writable,
            dirty: false,
            position: 0,
            code_page,
            content,
            share,
            base: None,
            locks: Vec::new(),
        })
    }

    /// One with the bytes of another one, at the same position.
    fn clone_of(base: u32, stream: &Self, share: Share) -> Self {
        Self {
            owner: stream.owner,
            tag: stream.tag,
            writable: stream.writable,
            dirty: false,
            position: stream.position,
            code_page: stream.code_page,
            content: Content::Lost,
            share,
            base: Some(base),
            locks: Vec::new(),
        }
    }

    /// Its size in bytes.
    #[allow(clippy::len_without_is_empty)] // Nobody asks whether a stream is empty.
    pub fn len(&self) -> u64 {
        match &self.content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Stored(reader) => reader.len(),
            Content::Pending(writer) => writer.len(),
            Content::Lost => 0,
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
                    if let Some((to, from)) = rest.get_mut(..count).zip(from.get(..count)) {
                        to.copy_from_slice(from);
                    }
                    count
                }
                Content::Stored(reader) => reader.read_at(at, rest)?,
                Content::Pending(writer) => writer.read_at(at, rest)?,
                Content::Lost => 0,
            };
            if read == 0 {
                break;
            }
            done += read;
        }
        Ok(())
    }

    /// Writes at the position and moves on. `TooBig` past the limit, and nothing is written
    /// (MS-OXCPRPT 3.2.5.13).
    pub fn write(&mut self, store: &Store, bytes: &[u8]) -> Result<(), ErrorCode> {
        let end = self.position.saturating_add(bytes.len() as u64);
        if end > self.bytes_max() {
            return Err(ErrorCode::TOO_BIG);
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
                let at = self.position;
                // Stepping aside for others takes longer than a copy.
                let written = if writer.stays_in_memory(at, bytes.len()) {
                    writer.write_at(at, bytes)
                } else {
                    blocking(|| writer.write_at(at, bytes))
                };
                written.map_err(store_error::fail)?;
            }
            Content::Stored(_) => return Err(STREAM_ACCESS_DENIED),
            Content::Lost => return Err(ErrorCode::GENERAL_FAILURE),
        }
        self.position = end;
        Ok(())
    }

    /// Bytes that it may grow to: no more than can be converted to what is kept.
    fn bytes_max(&self) -> u64 {
        match self.tag.ty() {
            PropType::STRING8 => CONVERTED_BYTES_MAX,
            _ => STREAM_BYTES_MAX,
        }
    }

    /// Cuts the stream or fills it with zeros.
    pub fn set_len(&mut self, store: &Store, len: u64) -> Result<(), ErrorCode> {
        if len > self.bytes_max() {
            return Err(ErrorCode::TOO_BIG);
        }
        self.make_room(store, len)?;
        self.dirty = true;
        match &mut self.content {
            Content::Memory(content) => content.resize(len as usize, 0),
            Content::Pending(writer) => writer.set_len(len).map_err(store_error::fail)?,
            Content::Stored(_) => return Err(STREAM_ACCESS_DENIED),
            Content::Lost => return Err(ErrorCode::GENERAL_FAILURE),
        }
        // MS-OXCPRPT 2.2.19: the position stays within the stream.
        self.position = self.position.min(len);
        Ok(())
    }

    /// Moves the position; `StreamSeekError` before the start or beyond 2^31. Beyond the end, a
    /// stream that can be written grows by zeros (MS-OXCPRPT 3.2.5.18), unless another handle than
    /// `handle` has locked bytes of these.
    pub fn seek(
        &mut self,
        store: &Store,
        handle: u32,
        origin: Origin,
        offset: i64,
    ) -> Result<u64, ErrorCode> {
        let base = match origin {
            Origin::Beginning => 0,
            Origin::Current => self.position,
            Origin::End => self.len(),
        };
        let target = base
            .checked_add_signed(offset)
            .filter(|target| *target <= STREAM_BYTES_MAX)
            .ok_or(STREAM_SEEK_ERROR)?;
        if target > self.len() && self.writable {
            self.check_region(handle, self.len(), target - self.len(), true)?;
            self.set_len(store, target)?;
        }
        self.position = target;
        Ok(target)
    }

    /// What the owner's property becomes; `None` without changes since the last time.
    pub fn take_change(&mut self, store: &Store) -> Result<Option<Change>, ErrorCode> {
        if !self.dirty {
            return Ok(None);
        }
        if matches!(self.content, Content::Lost) {
            return Err(ErrorCode::GENERAL_FAILURE);
        }
        let tag = stored_tag(self.tag);
        let value = if self.tag.ty() == PropType::STRING8 {
            let text = self.code_page.to_utf16(&self.to_vec(CONVERTED_BYTES_MAX)?);
            store_bytes(store, text.into_bytes())?
        } else {
            match &mut self.content {
                Content::Memory(bytes) if tag.ty() == PropType::STRING => {
                    Value::Inline(Utf16Text::from_le_bytes(bytes).into_bytes())
                }
                Content::Memory(bytes) => store_bytes(store, bytes.clone())?,
                // Long once, and short now.
                Content::Pending(writer) if writer.len() <= MEMORY_MAX => {
                    let bytes = self.to_vec(MEMORY_MAX)?;
                    Value::Inline(match tag.ty() {
                        PropType::STRING => Utf16Text::from_le_bytes(&bytes).into_bytes(),
                        _ => bytes,
                    })
                }
                Content::Pending(writer) => {
                    if tag.ty() == PropType::STRING {
                        // Half a character at the end is none.
                        let whole = writer.len() & !1;
                        writer.set_len(whole).map_err(store_error::fail)?;
                        self.position = self.position.min(whole);
                    }
                    Value::External(self.finish(store)?)
                }
                Content::Stored(_) | Content::Lost => return Ok(None),
            }
        };
        self.dirty = false;
        Ok(Some(Change { tag, value }))
    }

    /// The whole content; `ecMAPIOOM` if it is more than `max` bytes.
    pub fn to_vec(&self, max: u64) -> Result<Vec<u8>, ErrorCode> {
        if self.len() > max {
            return Err(ErrorCode::NOT_ENOUGH_MEMORY);
        }
        let mut bytes = vec![0; self.len() as usize];
        self.read_exact_at(0, &mut bytes)
            .map_err(store_error::fail)?;
        Ok(bytes)
    }

    /// Makes a blob of the pending value, and goes on with it as an editor of that blob.
    fn finish(&mut self, store: &Store) -> Result<BlobRef, ErrorCode> {
        let taken = std::mem::replace(&mut self.content, Content::Lost);
        let Content::Pending(writer) = taken else {
            self.content = taken;
            return Err(ErrorCode::GENERAL_FAILURE);
        };
        let blob = blocking(|| writer.finish()).map_err(store_error::fail)?;
        self.content = Content::Pending(store.blob_editor(blob).map_err(store_error::fail)?);
        Ok(blob)
    }

    /// Takes what a stream of `len` bytes keeps in memory, and moves one that is to grow long out of
    /// it. What fails here leaves the stream as it was.
    fn make_room(&mut self, store: &Store, len: u64) -> Result<(), ErrorCode> {
        let Content::Memory(content) = &self.content else {
            return self.share.grow(Content::pending_memory(len));
        };
        if len <= MEMORY_MAX || len <= content.len() as u64 {
            return self.share.grow(usize::try_from(len).unwrap_or(usize::MAX));
        }
        self.share.grow(Content::pending_memory(len))?;
        let mut writer = store.blob_writer();
        blocking(|| writer.write_at(0, content)).map_err(store_error::fail)?;
        self.content = Content::Pending(writer);
        Ok(())
    }
}

/// A new value of the property behind a stream.
#[derive(Debug)]
pub struct Change {
    /// The property, with the type that is kept.
    pub tag: PropTag,
    /// Its value.
    pub value: Value,
}

/// The packed bytes of a value.
#[derive(Debug)]
pub enum Value {
    /// At hand.
    Inline(Vec<u8>),
    /// In the store.
    External(BlobRef),
}

/// Keeps short bytes at hand and puts others into the store.
pub fn store_bytes(store: &Store, bytes: Vec<u8>) -> Result<Value, ErrorCode> {
    if bytes.len() as u64 <= MEMORY_MAX {
        return Ok(Value::Inline(bytes));
    }
    let mut writer = store.blob_writer();
    blocking(|| writer.write_at(0, &bytes).and_then(|()| writer.finish()))
        .map(Value::External)
        .map_err(store_error::fail)
}

/// The tag that a property is kept under: text is kept in Unicode.
fn stored_tag(tag: PropTag) -> PropTag {
    if tag.ty() == PropType::STRING8 {
        tag.with_type(PropType::STRING)
    } else {
        tag
    }
}

/// True for the property types that open as a stream (MS-OXCPRPT 2.2.14).
pub fn is_streamable(ty: PropType) -> bool {
    matches!(
        ty,
        PropType::STRING | PropType::STRING8 | PropType::BINARY | PropType::OBJECT
    )
}
