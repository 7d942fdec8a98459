//! What has a wire form, and the field types that ROPs are made of.

use std::{fmt, marker::PhantomData, ops::Deref};

use ropewalk_props::{FileTime, Guid, PropTag};

use crate::{DecodeError, EncodeError, Put, Reader};

/// A structure with one wire form.
pub trait Wire<'a>: Sized {
    /// Bytes on the wire, for a type where they are always as many.
    const FIXED_SIZE: Option<usize> = None;

    /// Reads one, borrowing from the input.
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError>;

    /// Appends it. After an error `out` may hold a part of it.
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Passes over one, checking it as [`Wire::decode`] does.
    fn skip(input: &mut Reader<'a>) -> Result<(), DecodeError> {
        match Self::FIXED_SIZE {
            Some(size) => input.bytes(size).map(drop),
            None => Self::decode(input).map(drop),
        }
    }
}

macro_rules! wire_integers {
    ($($ty:ty: $get:ident $put:ident;)*) => {$(
        impl<'a> Wire<'a> for $ty {
            const FIXED_SIZE: Option<usize> = Some(size_of::<$ty>());
            fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
                input.$get()
            }
            fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                out.$put(*self);
                Ok(())
            }
        }
    )*};
}

wire_integers! {
    u8: u8 put_u8;
    u16: u16 put_u16;
    u32: u32 put_u32;
    u64: u64 put_u64;
    i32: i32 put_i32;
    i64: i64 put_i64;
    bool: bool put_bool;
    Guid: guid put_guid;
}

impl<'a> Wire<'a> for PropTag {
    const FIXED_SIZE: Option<usize> = Some(4);
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.u32().map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.0);
        Ok(())
    }
}

impl<'a> Wire<'a> for FileTime {
    const FIXED_SIZE: Option<usize> = Some(8);
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.u64().map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u64(self.0);
        Ok(())
    }
}

impl<'a, const N: usize> Wire<'a> for [u8; N] {
    const FIXED_SIZE: Option<usize> = Some(N);
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.array()
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_bytes(self);
        Ok(())
    }
}

/// A byte that says whether a value follows: `HasMessageId u8; MessageId` and its like.
impl<'a, T: Wire<'a>> Wire<'a> for Option<T> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.bool()?.then(|| T::decode(input)).transpose()
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_bool(self.is_some());
        self.as_ref().map_or(Ok(()), |value| value.encode(out))
    }
}

/// The integer that a length or count is written as.
pub trait Count {
    /// Reads it.
    fn take(input: &mut Reader<'_>) -> Result<usize, DecodeError>;
    /// Appends it; an error if `len` is too large for it.
    fn put(out: &mut Vec<u8>, what: &'static str, len: usize) -> Result<(), EncodeError>;
}

macro_rules! counts {
    ($($ty:ty: $get:ident $put:ident;)*) => {$(
        impl Count for $ty {
            fn take(input: &mut Reader<'_>) -> Result<usize, DecodeError> {
                input.$get().map(|len| len as usize)
            }
            fn put(out: &mut Vec<u8>, what: &'static str, len: usize) -> Result<(), EncodeError> {
                out.$put(<$ty>::try_from(len).map_err(|_| EncodeError::TooLong { what, len })?);
                Ok(())
            }
        }
    )*};
}

counts! {
    u8: u8 put_u8;
    u16: u16 put_u16;
    u32: u32 put_u32;
}

/// Bytes behind their length: a `…Size u16` field and the bytes it counts.
pub struct Bytes<'a, C = u16>(&'a [u8], PhantomData<C>);

/// Bytes behind a u8 length.
pub type Bytes8<'a> = Bytes<'a, u8>;
/// Bytes behind a u16 length.
pub type Bytes16<'a> = Bytes<'a, u16>;
/// Bytes behind a u32 length.
pub type Bytes32<'a> = Bytes<'a, u32>;

impl<'a, C> Bytes<'a, C> {
    /// The bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes, PhantomData)
    }

    /// The bytes, for as long as what they were read from.
    pub const fn get(self) -> &'a [u8] {
        self.0
    }
}

impl<'a, C: Count> Wire<'a> for Bytes<'a, C> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let len = C::take(input)?;
        input.bytes(len).map(Self::new)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        C::put(out, "a byte field", self.0.len())?;
        out.put_bytes(self.0);
        Ok(())
    }
}

/// A NUL-terminated 8-bit string, without its NUL.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct AsciiZ<'a>(pub &'a [u8]);

/// A NUL-terminated UTF-16LE string: its bytes, without the terminator.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Utf16Z<'a>(pub &'a [u8]);

impl<'a> Wire<'a> for AsciiZ<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.ascii_z().map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_text(out, self.0, false)
    }
}

impl<'a> Wire<'a> for Utf16Z<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        input.utf16_z().map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_text(out, self.0, true)
    }
}

/// Reads a NUL-terminated string: UTF-16LE or 8-bit, as a flag beside it says.
pub(crate) fn take_text<'a>(
    input: &mut Reader<'a>,
    unicode: bool,
) -> Result<&'a [u8], DecodeError> {
    if unicode {
        input.utf16_z()
    } else {
        input.ascii_z()
    }
}

/// Appends a NUL-terminated string, UTF-16LE or 8-bit; refuses one that holds a NUL or, in
/// UTF-16LE, half a code unit.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8], unicode: bool) -> Result<(), EncodeError> {
    let broken = if unicode {
        !text.len().is_multiple_of(2) || text.chunks_exact(2).any(|unit| unit == [0, 0])
    } else {
        text.contains(&0)
    };
    if broken {
        return Err(EncodeError::EmbeddedNul);
    }
    out.put_bytes(text);
    out.put_bytes(if unicode { &[0, 0] } else { &[0] });
    Ok(())
}

impl<C> Clone for Bytes<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<C> Copy for Bytes<'_, C> {}
impl<C> Default for Bytes<'_, C> {
    fn default() -> Self {
        Self::new(&[])
    }
}
impl<C> PartialEq for Bytes<'_, C> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<C> Eq for Bytes<'_, C> {}
impl<C> Deref for Bytes<'_, C> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.0
    }
}
impl<'a, C> From<&'a [u8]> for Bytes<'a, C> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(bytes)
    }
}
impl<C> fmt::Debug for Bytes<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt_hex(f, self.0)
    }
}
impl fmt::Debug for AsciiZ<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}
impl fmt::Debug for Utf16Z<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", ropewalk_props::text::decode_utf16le(self.0))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn fmt_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str("[")?;
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
    f.write_str("]")
}

/// Declares structures whose wire form is that of their fields, one after another.
macro_rules! wire_struct {
    ($(
        $(#[$meta:meta])*
        $name:ident $(<$lt:lifetime>)? { $($(#[$field_meta:meta])* $field:ident: $ty:ty),* $(,)? }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)] // The fields have the names of the specification.
        pub struct $name $(<$lt>)? {
            $($(#[$field_meta])* pub $field: $ty,)*
        }

        impl<'a> $crate::codec::Wire<'a> for $name $(<$lt>)? {
            #[allow(unused_variables)]
            fn decode(
                input: &mut $crate::Reader<'a>,
            ) -> Result<Self, $crate::DecodeError> {
                Ok(Self { $($field: $crate::codec::Wire::decode(input)?,)* })
            }
            #[allow(unused_variables)]
            fn encode(&self, out: &mut Vec<u8>) -> Result<(), $crate::EncodeError> {
                $($crate::codec::Wire::encode(&self.$field, out)?;)*
                Ok(())
            }
        }
    )*};
}
pub(crate) use wire_struct;

#[cfg(test)]
mod tests {
    use super::*;

    wire_struct! {
        /// Every kind of field.
        Example<'a> {
            number: u16,
            flag: bool,
            optional: Option<u32>,
            bytes: Bytes8<'a>,
            name: AsciiZ<'a>,
            title: Utf16Z<'a>,
        }
    }

    #[test]
    fn fields_stand_one_after_another() {
        let example = Example {
            number: 0x0102,
            flag: true,
            optional: Some(3),
            bytes: Bytes::new(&[0xAA]),
            name: AsciiZ(b"n"),
            title: Utf16Z(b"t\0"),
        };
        let bytes = b"\x02\x01\x01\x01\x03\0\0\0\x01\xAAn\0t\0\0\0";
        let mut out = Vec::new();
        example.encode(&mut out).unwrap();
        assert_eq!(out, bytes);
        assert_eq!(Example::decode(&mut Reader::new(bytes)), Ok(example));
        for len in 0..bytes.len() {
            assert!(Example::decode(&mut Reader::new(&bytes[..len])).is_err());
            assert!(Example::skip(&mut Reader::new(&bytes[..len])).is_err());
        }
    }

    #[test]
    fn an_optional_field_that_is_absent_takes_one_byte() {
        let mut out = Vec::new();
        None::<u32>.encode(&mut out).unwrap();
        assert_eq!(out, [0]);
        // Any value but zero says that it is there.
        let present = Option::<u8>::decode(&mut Reader::new(&[0x80, 7]));
        assert_eq!(present, Ok(Some(7)));
    }

    #[test]
    fn text_that_would_end_early_is_refused() {
        let mut out = Vec::new();
        assert_eq!(
            AsciiZ(b"a\0b").encode(&mut out),
            Err(EncodeError::EmbeddedNul)
        );
        assert_eq!(
            Utf16Z(b"a\0\0\0").encode(&mut out),
            Err(EncodeError::EmbeddedNul)
        );
        assert_eq!(Utf16Z(b"a").encode(&mut out), Err(EncodeError::EmbeddedNul));
        // Two zero bytes across a unit boundary are no NUL.
        assert!(Utf16Z(b"\x01\0\0\x01").encode(&mut out).is_ok());
    }

    #[test]
    fn bytes_beyond_their_size_field_are_refused() {
        let long = [0; 256];
        let refused = Bytes8::new(&long).encode(&mut Vec::new());
        assert!(matches!(
            refused,
            Err(EncodeError::TooLong { len: 256, .. })
        ));
        assert!(Bytes16::new(&long).encode(&mut Vec::new()).is_ok());
    }
}
