//! Counted lists that stay in the bytes they came in.

use std::{fmt, marker::PhantomData};

use ropewalk_props::PropTag;

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Count, Wire},
    cursor::patch_u16,
};

/// A count of type `C` and as many items: either still in the bytes they were read from, decoded
/// one by one by [`List::iter`], or a borrowed slice to be encoded.
///
/// Every item has been checked when the list was decoded; nothing is allocated for it.
pub struct List<'a, T, C = u16> {
    items: Items<'a, T>,
    count: PhantomData<C>,
}

enum Items<'a, T> {
    Raw { count: usize, bytes: &'a [u8] },
    Slice(&'a [T]),
}

/// PropertyTags behind their u16 count (MS-OXCDATA 2.10.1 and its like in MS-OXCROPS).
pub type TagArray<'a> = List<'a, PropTag>;

impl<'a, T: Wire<'a>, C> List<'a, T, C> {
    /// The next `count` items. Passes over them, so `count` is checked against the input.
    pub fn take(input: &mut Reader<'a>, count: usize) -> Result<Self, DecodeError> {
        let start = input.position();
        match T::FIXED_SIZE {
            Some(size) => {
                input.bytes(count.saturating_mul(size))?;
            }
            None => (0..count).try_for_each(|_| T::skip(input))?,
        }
        Ok(Self::raw(count, input.since(start)))
    }

    /// Every item up to the end of the input.
    pub fn take_all(mut input: Reader<'a>) -> Result<Self, DecodeError> {
        let bytes = input.rest();
        let mut count = 0;
        while !input.is_empty() {
            T::skip(&mut input)?;
            count += 1;
        }
        Ok(Self::raw(count, bytes))
    }

    /// Appends the items without their count.
    pub fn put_items(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.items {
            Items::Raw { bytes, .. } => {
                out.put_bytes(bytes);
                Ok(())
            }
            Items::Slice(items) => items.iter().try_for_each(|item| item.encode(out)),
        }
    }
}

impl<'a, T, C> List<'a, T, C> {
    const fn raw(count: usize, bytes: &'a [u8]) -> Self {
        Self {
            items: Items::Raw { count, bytes },
            count: PhantomData,
        }
    }

    /// Number of items.
    pub const fn len(&self) -> usize {
        match self.items {
            Items::Raw { count, .. } => count,
            Items::Slice(items) => items.len(),
        }
    }

    /// True without items.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a, T: Wire<'a> + Clone, C> List<'a, T, C> {
    /// The items, in order.
    pub fn iter(&self) -> Iter<'a, T> {
        match self.items {
            Items::Raw { count, bytes } => Iter {
                raw: Reader::new(bytes),
                left: count,
                slice: &[],
            },
            Items::Slice(slice) => Iter {
                raw: Reader::new(&[]),
                left: slice.len(),
                slice,
            },
        }
    }
}

/// The items of a [`List`].
#[derive(Clone)]
pub struct Iter<'a, T> {
    raw: Reader<'a>,
    left: usize,
    slice: &'a [T],
}

impl<'a, T: Wire<'a> + Clone> Iterator for Iter<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.left = self.left.checked_sub(1)?;
        if let Some((first, rest)) = self.slice.split_first() {
            self.slice = rest;
            return Some(first.clone());
        }
        // Checked when the list was decoded, so this does not fail.
        T::decode(&mut self.raw).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a, T: Wire<'a> + Clone> ExactSizeIterator for Iter<'a, T> {}

impl<'a, T: Wire<'a> + Clone, C> IntoIterator for &List<'a, T, C> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<'a, T: Wire<'a>, C: Count> Wire<'a> for List<'a, T, C> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = C::take(input)?;
        Self::take(input, count)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        C::put(out, "a list", self.len())?;
        self.put_items(out)
    }
}

impl<T, C> Clone for List<'_, T, C> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T, C> Copy for List<'_, T, C> {}
impl<T> Clone for Items<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Items<'_, T> {}
impl<T, C> Default for List<'_, T, C> {
    fn default() -> Self {
        Self::raw(0, &[])
    }
}
impl<'a, T: Wire<'a> + Clone + PartialEq, C> PartialEq for List<'a, T, C> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}
impl<'a, T: Wire<'a> + Clone + fmt::Debug, C> fmt::Debug for List<'a, T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
impl<'a, T, C> From<&'a [T]> for List<'a, T, C> {
    fn from(items: &'a [T]) -> Self {
        Self {
            items: Items::Slice(items),
            count: PhantomData,
        }
    }
}
impl<'a, T, C> From<&'a Vec<T>> for List<'a, T, C> {
    fn from(items: &'a Vec<T>) -> Self {
        items.as_slice().into()
    }
}
impl<'a, T, C, const N: usize> From<&'a [T; N]> for List<'a, T, C> {
    fn from(items: &'a [T; N]) -> Self {
        items.as_slice().into()
    }
}

/// A u16 size in bytes and the items that fill it.
pub struct SizedList<'a, T>(pub List<'a, T>);

impl<'a, T: Wire<'a>> Wire<'a> for SizedList<'a, T> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let size = usize::from(input.u16()?);
        List::take_all(input.sub(size)?).map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_sized(out, |out| self.0.put_items(out))
    }
}

impl<T> Clone for SizedList<'_, T> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}
impl<'a, T: Wire<'a> + Clone + PartialEq> PartialEq for SizedList<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<'a, T: Wire<'a> + Clone + fmt::Debug> fmt::Debug for SizedList<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Appends something behind the u16 number of bytes that it takes.
pub fn put_sized(
    out: &mut Vec<u8>,
    put: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let at = out.len();
    out.put_u16(0);
    put(out)?;
    let len = out.len() - at - 2;
    let size = u16::try_from(len).map_err(|_| EncodeError::TooLong {
        what: "a sized structure",
        len,
    })?;
    patch_u16(out, at, size);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::AsciiZ;

    #[test]
    fn a_list_from_bytes_equals_one_from_a_slice() {
        let tags = [PropTag(0x0037_001F), PropTag(0x6748_0014)];
        let list: TagArray<'_> = (&tags).into();
        let mut out = Vec::new();
        list.encode(&mut out).unwrap();
        assert_eq!(out, [2, 0, 0x1F, 0, 0x37, 0, 0x14, 0, 0x48, 0x67]);
        let read = TagArray::decode(&mut Reader::new(&out)).unwrap();
        assert_eq!(read, list);
        assert_eq!(read.iter().collect::<Vec<_>>(), tags);
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_count_beyond_the_input_is_refused() {
        assert!(List::<u64, u32>::decode(&mut Reader::new(&[0xFF; 12])).is_err());
        assert!(List::<AsciiZ<'_>>::decode(&mut Reader::new(&[3, 0, 0, 0])).is_err());
    }

    #[test]
    fn variable_items_are_read_in_order() {
        let bytes = [2, 0, b'a', 0, 0];
        let list = List::<AsciiZ<'_>>::decode(&mut Reader::new(&bytes)).unwrap();
        assert!(list.iter().eq([AsciiZ(b"a"), AsciiZ(b"")]));
    }

    #[test]
    fn a_sized_list_ends_with_its_size() {
        let bytes = [3, 0, b'a', 0, 0, 7];
        let mut input = Reader::new(&bytes);
        let list = SizedList::<AsciiZ<'_>>::decode(&mut input).unwrap();
        assert_eq!(list.0.len(), 2);
        assert_eq!(input.rest(), [7]);
        let mut out = Vec::new();
        list.encode(&mut out).unwrap();
        assert_eq!(out, bytes[..5]);
    }
}
