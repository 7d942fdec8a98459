//! Reading and writing little-endian fields.

use ropewalk_props::Guid;

use crate::DecodeError;

/// A position in borrowed bytes. Copying it is remembering the position.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

macro_rules! little_endian {
    ($($(#[$doc:meta])* $name:ident: $ty:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(&mut self) -> Result<$ty, DecodeError> {
            Ok(<$ty>::from_le_bytes(self.array()?))
        }
    )*};
}

impl<'a> Reader<'a> {
    /// At the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    little_endian! {
        /// The next byte.
        u8: u8;
        /// The next two bytes.
        u16: u16;
        /// The next four bytes.
        u32: u32;
        /// The next eight bytes.
        u64: u64;
        /// The next two bytes, signed.
        i16: i16;
        /// The next four bytes, signed.
        i32: i32;
        /// The next eight bytes, signed.
        i64: i64;
    }

    /// The next byte as a Boolean: any value but zero is true.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.u8()? != 0)
    }

    /// The next `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let Some((bytes, _)) = self.rest().split_at_checked(len) else {
            return Err(DecodeError::UnexpectedEnd {
                wanted: len,
                remaining: self.remaining(),
            });
        };
        self.position += len;
        Ok(bytes)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(array) = self.rest().first_chunk::<N>() else {
            return Err(DecodeError::UnexpectedEnd {
                wanted: N,
                remaining: self.remaining(),
            });
        };
        self.position += N;
        Ok(*array)
    }

    /// The next sixteen bytes, a GUID.
    pub fn guid(&mut self) -> Result<Guid, DecodeError> {
        self.array().map(Guid)
    }

    /// A NUL-terminated 8-bit string, without its NUL.
    pub fn ascii_z(&mut self) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|byte| *byte == 0)
            .ok_or(DecodeError::MissingTerminator)?;
        self.position += len + 1;
        Ok(rest.get(..len).unwrap_or_default())
    }

    /// A NUL-terminated UTF-16LE string: its bytes, without the terminator.
    pub fn utf16_z(&mut self) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        let len = rest
            .chunks_exact(2)
            .position(|unit| unit == [0, 0])
            .ok_or(DecodeError::MissingTerminator)?
            * 2;
        self.position += len + 2;
        Ok(rest.get(..len).unwrap_or_default())
    }

    /// Number of bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    /// True at the end.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The bytes left; they are not passed.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// The bytes left, passing them.
    pub fn take_rest(&mut self) -> &'a [u8] {
        let rest = self.rest();
        self.position = self.bytes.len();
        rest
    }

    /// Number of bytes passed.
    pub const fn position(&self) -> usize {
        self.position
    }

    /// The bytes between an earlier position of this reader and here.
    pub fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.position).unwrap_or_default()
    }

    /// A reader of the next `len` bytes alone.
    pub fn sub(&mut self, len: usize) -> Result<Self, DecodeError> {
        self.bytes(len).map(Self::new)
    }

    /// Succeeds only at the end.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.remaining() {
            0 => Ok(()),
            trailing => Err(DecodeError::TrailingBytes(trailing)),
        }
    }
}

/// Appending little-endian fields.
pub trait Put {
    /// Appends bytes as they are.
    fn put_bytes(&mut self, bytes: &[u8]);

    /// Appends one byte.
    fn put_u8(&mut self, value: u8) {
        self.put_bytes(&[value]);
    }
    /// Appends two bytes.
    fn put_u16(&mut self, value: u16) {
        self.put_bytes(&value.to_le_bytes());
    }
    /// Appends four bytes.
    fn put_u32(&mut self, value: u32) {
        self.put_bytes(&value.to_le_bytes());
    }
    /// Appends eight bytes.
    fn put_u64(&mut self, value: u64) {
        self.put_bytes(&value.to_le_bytes());
    }
    /// Appends four bytes, signed.
    fn put_i32(&mut self, value: i32) {
        self.put_bytes(&value.to_le_bytes());
    }
    /// Appends eight bytes, signed.
    fn put_i64(&mut self, value: i64) {
        self.put_bytes(&value.to_le_bytes());
    }
    /// Appends a byte, 0 or 1.
    fn put_bool(&mut self, value: bool) {
        self.put_u8(u8::from(value));
    }
    /// Appends a GUID.
    fn put_guid(&mut self, guid: Guid) {
        self.put_bytes(&guid.0);
    }
    /// Appends an 8-bit string and its NUL. The string ends at its first NUL, if it has one.
    fn put_ascii_z(&mut self, text: &[u8]) {
        let end = text.iter().position(|byte| *byte == 0);
        self.put_bytes(text.get(..end.unwrap_or(text.len())).unwrap_or_default());
        self.put_u8(0);
    }
    /// Appends UTF-16LE bytes and their terminator. The string ends at its first NUL unit, if it
    /// has one; an odd last byte is left out.
    fn put_utf16_z(&mut self, text: &[u8]) {
        self.put_bytes(ropewalk_props::text::until_nul(text));
        self.put_u16(0);
    }
}

impl Put for Vec<u8> {
    fn put_bytes(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes a u16 over two bytes at `at`, such as a count that is known only when what it counts has
/// been written. Nothing happens if the two bytes are not there.
pub fn patch_u16(out: &mut [u8], at: usize, value: u16) {
    if let Some(field) = out.get_mut(at..at.saturating_add(2)) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}

/// Writes a byte over the one at `at`. Nothing happens if it is not there.
pub fn patch_u8(out: &mut [u8], at: usize, value: u8) {
    if let Some(field) = out.get_mut(at) {
        *field = value;
    }
}

/// Writes a u32 over four bytes at `at`. Nothing happens if they are not there.
pub fn patch_u32(out: &mut [u8], at: usize, value: u32) {
    if let Some(field) = out.get_mut(at..at.saturating_add(4)) {
        field.copy_from_slice(&value.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_was_put_and_stops_at_the_end() {
        let mut out = Vec::new();
        out.put_u8(1);
        out.put_u16(0x0203);
        out.put_i32(-4);
        out.put_u64(5);
        out.put_ascii_z(b"ab\0c");
        out.put_utf16_z(&[b'x', 0, 0, 0, b'y', 0]);
        assert_eq!(out.len(), 1 + 2 + 4 + 8 + 3 + 4);
        let mut reader = Reader::new(&out);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.i32(), Ok(-4));
        assert_eq!(reader.u64(), Ok(5));
        assert_eq!(reader.ascii_z(), Ok(&b"ab"[..]));
        let remembered = reader;
        assert_eq!(reader.utf16_z(), Ok(&[b'x', 0][..]));
        assert_eq!(remembered.remaining(), 4);
        assert_eq!(reader.finish(), Ok(()));
        assert_eq!(
            reader.u32(),
            Err(DecodeError::UnexpectedEnd {
                wanted: 4,
                remaining: 0
            })
        );
    }

    #[test]
    fn strings_without_terminator_are_refused() {
        assert_eq!(
            Reader::new(b"abc").ascii_z(),
            Err(DecodeError::MissingTerminator)
        );
        // The two zero bytes do not stand on a unit boundary.
        assert_eq!(
            Reader::new(&[1, 0, 0, 1, 0]).utf16_z(),
            Err(DecodeError::MissingTerminator)
        );
    }
}
