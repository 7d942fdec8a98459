//! Property bags: an object's properties, sorted by id, readable in place.

use crate::{PropTag, PropType, PropValue, ValueRef};

/// An object's properties, at most one per property id.
///
/// A sorted array of entries over one run of packed bytes (see [`ValueRef`]); its rkyv archive has
/// the same shape, so a stored bag is read where it lies. Cheap to read, plain to change: a
/// replaced value leaves its old bytes behind until [`Bag::compact`].
#[derive(Clone, Debug, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
#[rkyv(derive(Debug))]
pub struct Bag {
    entries: Vec<Entry>,
    data: Vec<u8>,
}

#[derive(Clone, Copy, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
#[rkyv(derive(Debug))]
struct Entry {
    tag: u32,
    start: u32,
    /// Bytes of packed data, or [`EXTERNAL`] for a [`BlobRef`].
    len: u32,
}

/// Marks an entry whose bytes are a [`BlobRef`] instead of a value.
const EXTERNAL: u32 = u32::MAX;

/// A value too large to sit in a bag: it lies in a blob of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlobRef {
    /// The blob's number in its store.
    pub id: u64,
    /// Its packed size in bytes.
    pub len: u64,
}

/// Where a property's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot<'a> {
    /// In the bag.
    Inline(ValueRef<'a>),
    /// In a blob of the store, as packed bytes of the tag's type.
    External(BlobRef),
}

/// Read access, the same for a bag in memory and for one archived on disk.
pub trait BagView {
    /// Number of properties.
    fn len(&self) -> usize;

    /// The property at `index` in order of tag; `None` past the end.
    fn entry(&self, index: usize) -> Option<(PropTag, Slot<'_>)>;

    /// The index of the property with this id.
    fn position(&self, id: u16) -> Option<usize>;

    /// True without any property.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The property with this id, with the tag that tells its stored type.
    fn slot(&self, id: u16) -> Option<(PropTag, Slot<'_>)> {
        self.entry(self.position(id)?)
    }

    /// The value of exactly this tag (id and type), if it is in the bag itself.
    fn get(&self, tag: PropTag) -> Option<ValueRef<'_>> {
        match self.slot(tag.id())? {
            (stored, Slot::Inline(value)) if stored == tag => Some(value),
            _ => None,
        }
    }

    /// All properties in order of tag.
    fn iter(&self) -> impl Iterator<Item = (PropTag, Slot<'_>)>
    where
        Self: Sized,
    {
        (0..self.len()).filter_map(|index| self.entry(index))
    }

    /// A PtypInteger32 by its tag.
    fn get_i32(&self, tag: PropTag) -> Option<i32> {
        self.get(tag)?.as_i32()
    }

    /// A PtypString by its tag, decoded.
    fn get_text(&self, tag: PropTag) -> Option<String> {
        self.get(tag)?.to_text()
    }
}

fn read_slot<'a>(data: &'a [u8], tag: u32, start: u32, len: u32) -> Option<(PropTag, Slot<'a>)> {
    let tag = PropTag(tag);
    let tail = data.get(start as usize..)?;
    if len == EXTERNAL {
        let (id, rest) = tail.split_first_chunk::<8>()?;
        let (len, _) = rest.split_first_chunk::<8>()?;
        let blob = BlobRef {
            id: u64::from_le_bytes(*id),
            len: u64::from_le_bytes(*len),
        };
        return Some((tag, Slot::External(blob)));
    }
    let value = ValueRef {
        ty: tag.ty(),
        data: tail.get(..len as usize)?,
    };
    Some((tag, Slot::Inline(value)))
}

impl BagView for Bag {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn entry(&self, index: usize) -> Option<(PropTag, Slot<'_>)> {
        let entry = self.entries.get(index)?;
        read_slot(&self.data, entry.tag, entry.start, entry.len)
    }

    fn position(&self, id: u16) -> Option<usize> {
        self.search(id).ok()
    }
}

impl BagView for ArchivedBag {
    fn len(&self) -> usize {
        self.entries.len()
    }

    fn entry(&self, index: usize) -> Option<(PropTag, Slot<'_>)> {
        let entry = self.entries.get(index)?;
        read_slot(
            &self.data,
            entry.tag.into(),
            entry.start.into(),
            entry.len.into(),
        )
    }

    fn position(&self, id: u16) -> Option<usize> {
        self.entries
            .binary_search_by_key(&id, |entry| (entry.tag.to_native() >> 16) as u16)
            .ok()
    }
}

impl Bag {
    /// An empty bag.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            data: Vec::new(),
        }
    }

    /// Sets the property `id` to `value`, whatever type it had before.
    pub fn set_id(&mut self, id: u16, value: &PropValue) {
        let start = self.data.len();
        value.pack(&mut self.data);
        self.put(PropTag::new(id, value.ty()), start, self.data.len() - start);
    }

    /// Sets a property. The stored type is that of `value`; only the id of `tag` counts.
    pub fn set(&mut self, tag: PropTag, value: &PropValue) {
        self.set_id(tag.id(), value);
    }

    /// Sets a PtypString.
    pub fn set_text(&mut self, tag: PropTag, text: &str) {
        self.set(tag, &PropValue::text(text));
    }

    /// Sets a property from packed bytes that are known to fit the type of `tag`.
    pub fn set_packed(&mut self, tag: PropTag, packed: &[u8]) {
        let start = self.data.len();
        self.data.extend_from_slice(packed);
        self.put(tag, start, packed.len());
    }

    /// Makes the property a reference to a blob that holds its packed bytes.
    pub fn set_external(&mut self, tag: PropTag, blob: BlobRef) {
        let start = self.data.len();
        self.data.extend_from_slice(&blob.id.to_le_bytes());
        self.data.extend_from_slice(&blob.len.to_le_bytes());
        self.put(tag, start, EXTERNAL as usize);
    }

    /// Copies one property as it is, inline or external.
    pub fn set_slot(&mut self, tag: PropTag, slot: Slot<'_>) {
        match slot {
            Slot::Inline(value) => self.set_packed(tag.with_type(value.ty), value.data),
            Slot::External(blob) => self.set_external(tag, blob),
        }
    }

    /// Removes a property; false if there was none.
    pub fn remove(&mut self, id: u16) -> bool {
        let found = self.search(id);
        if let Ok(index) = found {
            self.entries.remove(index);
        }
        found.is_ok()
    }

    /// An owned copy of any bag, without dead bytes.
    pub fn copy_of(view: &impl BagView) -> Self {
        let mut bag = Self::new();
        bag.entries.reserve(view.len());
        for (tag, slot) in view.iter() {
            bag.set_slot(tag, slot);
        }
        bag
    }

    /// Drops the bytes that replaced and removed values left behind.
    pub fn compact(&mut self) {
        *self = Self::copy_of(self);
    }

    /// Bytes that the bag's values take, dead ones included.
    pub fn data_len(&self) -> usize {
        self.data.len()
    }

    /// A PtypBinary, PtypString… of any inline property as an owned value.
    pub fn value(&self, tag: PropTag) -> Option<PropValue> {
        self.get(tag)?.to_value()
    }

    fn search(&self, id: u16) -> Result<usize, usize> {
        self.entries
            .binary_search_by_key(&id, |entry| (entry.tag >> 16) as u16)
    }

    fn put(&mut self, tag: PropTag, start: usize, len: usize) {
        debug_assert!(start <= u32::MAX as usize && len <= u32::MAX as usize);
        let entry = Entry {
            tag: tag.0,
            start: start as u32,
            len: len as u32,
        };
        match self.search(tag.id()) {
            Ok(index) => {
                if let Some(known) = self.entries.get_mut(index) {
                    *known = entry;
                }
            }
            Err(index) => self.entries.insert(index, entry),
        }
    }
}

impl FromIterator<(PropTag, PropValue)> for Bag {
    fn from_iter<I: IntoIterator<Item = (PropTag, PropValue)>>(values: I) -> Self {
        let mut bag = Self::new();
        for (tag, value) in values {
            bag.set(tag, &value);
        }
        bag
    }
}

/// True if `data` is a well-formed packed value of type `ty`.
pub fn packed_is_valid(ty: PropType, data: &[u8]) -> bool {
    ValueRef { ty, data }.to_value().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;

    #[test]
    fn one_value_per_id_sorted_and_read_alike_in_memory_and_archived() {
        let mut bag = Bag::new();
        bag.set_text(tags::PID_TAG_SUBJECT, "long ago");
        bag.set(tags::PID_TAG_IMPORTANCE, &PropValue::Integer32(2));
        bag.set_text(tags::PID_TAG_SUBJECT, "ångström");
        bag.set(
            tags::PID_TAG_BODY,
            &PropValue::MultipleString(vec!["a".into(), "".into()]),
        );
        bag.set_external(
            tags::PID_TAG_ATTACH_DATA_BINARY,
            BlobRef {
                id: 7,
                len: 1 << 33,
            },
        );
        assert!(bag.remove(tags::PID_TAG_IMPORTANCE.id()));
        assert!(!bag.remove(tags::PID_TAG_IMPORTANCE.id()));
        bag.compact();

        let archive = rkyv::to_bytes::<rkyv::rancor::Error>(&bag).unwrap();
        let archived = rkyv::access::<ArchivedBag, rkyv::rancor::Error>(&archive).unwrap();
        assert_eq!(bag.len(), 3);
        for index in 0..3 {
            assert_eq!(bag.entry(index), archived.entry(index));
        }
        assert_eq!(
            archived.get_text(tags::PID_TAG_SUBJECT).as_deref(),
            Some("ångström")
        );
        assert_eq!(
            archived
                .slot(tags::PID_TAG_ATTACH_DATA_BINARY.id())
                .map(|(_, slot)| slot),
            Some(Slot::External(BlobRef {
                id: 7,
                len: 1 << 33
            }))
        );
        let multi = archived.slot(tags::PID_TAG_BODY.id());
        let Some((tag, Slot::Inline(value))) = multi else {
            panic!("inline")
        };
        assert_eq!(tag.ty(), PropType::MULTIPLE_STRING);
        assert_eq!(
            value.to_value(),
            Some(PropValue::MultipleString(vec!["a".into(), "".into()]))
        );
    }
}
