//! From a property as it is kept to a property as it was asked for.

use std::borrow::Cow;

use ropewalk_props::{BagView, BlobRef, PropTag, PropType, PropValue, Slot, Utf16Text, ValueRef};
use ropewalk_wire::ErrorCode;

use crate::{code_page::CodePage, ids::Key};

/// A property as an object has it.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// In a bag; nothing is copied.
    Stored(ValueRef<'a>),
    /// Worked out on demand.
    Computed(PropType, Packed),
    /// In a blob, too large for a row (MS-OXCDATA 2.4.2).
    Large(PropType, BlobRef),
    /// Too large to be worked out.
    TooLarge(PropType),
}

/// The packed bytes of a computed value; short ones stay off the heap.
#[derive(Clone, Debug)]
pub enum Packed {
    /// An integer or an identifier.
    Short(Key),
    /// Anything.
    Long(Vec<u8>),
}

impl From<Key> for Packed {
    fn from(key: Key) -> Self {
        Self::Short(key)
    }
}

impl From<[u8; 16]> for Packed {
    fn from(guid: [u8; 16]) -> Self {
        Self::Short(Key::of(&[&guid]))
    }
}

impl From<Vec<u8>> for Packed {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Long(bytes)
    }
}

impl Packed {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short(key) => key,
            Self::Long(bytes) => bytes,
        }
    }
}

impl Found<'_> {
    /// A computed PtypInteger32.
    pub fn i32(value: i32) -> Self {
        Self::short(PropType::INTEGER32, &value.to_le_bytes())
    }

    /// A computed PtypInteger32 from a count or a bit mask.
    pub fn u32(value: u32) -> Self {
        Self::short(PropType::INTEGER32, &value.to_le_bytes())
    }

    /// A computed PtypInteger64.
    pub fn u64(value: u64) -> Self {
        Self::short(PropType::INTEGER64, &value.to_le_bytes())
    }

    /// A computed PtypTime.
    pub fn time(value: ropewalk_props::FileTime) -> Self {
        Self::short(PropType::TIME, &value.0.to_le_bytes())
    }

    /// A computed PtypBoolean.
    pub fn bool(value: bool) -> Self {
        Self::short(PropType::BOOLEAN, &[u8::from(value)])
    }

    /// A computed PtypBinary.
    pub fn binary(value: impl Into<Packed>) -> Self {
        Self::Computed(PropType::BINARY, value.into())
    }

    /// A computed PtypString.
    pub fn text(value: &str) -> Self {
        let text = ropewalk_props::Utf16Text::from(value);
        Self::Computed(PropType::STRING, Packed::Long(text.into_bytes()))
    }

    /// A computed value of any type.
    pub fn value(value: &PropValue) -> Self {
        let mut packed = Vec::new();
        value.pack(&mut packed);
        Self::Computed(value.ty(), Packed::Long(packed))
    }

    fn short(ty: PropType, bytes: &[u8]) -> Self {
        Self::Computed(ty, Packed::Short(Key::of(&[bytes])))
    }

    /// The type that the object keeps.
    pub fn ty(&self) -> PropType {
        match self {
            Self::Stored(value) => value.ty,
            Self::Computed(ty, _) | Self::Large(ty, _) | Self::TooLarge(ty) => *ty,
        }
    }

    /// The value, unless it lies in a blob.
    pub fn value_ref(&self) -> Option<ValueRef<'_>> {
        match self {
            Self::Stored(value) => Some(*value),
            Self::Computed(ty, packed) => Some(ValueRef {
                ty: *ty,
                data: packed.as_slice(),
            }),
            Self::Large(..) | Self::TooLarge(_) => None,
        }
    }

    /// The value as type `want`, or the property error code to put in its place.
    ///
    /// `want` may be PtypUnspecified: the kept type then, with strings as `strings` says
    /// (MS-OXCPRPT 2.2.2.1).
    pub fn resolve(&self, want: PropType, strings: Strings) -> Result<Resolved<'_>, ErrorCode> {
        let have = self.ty();
        let target = if want == PropType::UNSPECIFIED {
            strings.unspecified(have)
        } else {
            want
        };
        if !convertible(have, target) {
            return Err(ErrorCode::NOT_FOUND);
        }
        let value = self.value_ref().ok_or(ErrorCode::NOT_ENOUGH_MEMORY)?;
        let data = match (have, target) {
            (have, target) if have == target => Cow::Borrowed(value.data),
            (PropType::STRING, _) => Cow::Owned(strings.code_page.from_utf16(value.data)),
            (PropType::STRING8, _) => {
                Cow::Owned(strings.code_page.to_utf16(value.data).into_bytes())
            }
            (PropType::MULTIPLE_STRING, _) => Cow::Owned(convert_elements(value, |utf16| {
                strings.code_page.from_utf16(utf16)
            })),
            _ => Cow::Owned(convert_elements(value, |bytes| {
                strings.code_page.to_utf16(bytes).into_bytes()
            })),
        };
        Ok(Resolved { ty: target, data })
    }
}

impl<'a> Found<'a> {
    /// As [`Found::resolve`], for as long as what it was found in.
    pub fn into_resolved(
        self,
        want: PropType,
        strings: Strings,
    ) -> Result<Resolved<'a>, ErrorCode> {
        if let Self::Stored(value) = self
            && value.ty == want
        {
            return Ok(Resolved {
                ty: want,
                data: Cow::Borrowed(value.data),
            });
        }
        let resolved = self.resolve(want, strings)?;
        Ok(Resolved {
            ty: resolved.ty,
            data: Cow::Owned(resolved.data.into_owned()),
        })
    }
}

/// A value of the type that was asked for, packed.
#[derive(Clone, Debug)]
pub struct Resolved<'a> {
    /// Its type.
    pub ty: PropType,
    /// Its packed bytes.
    pub data: Cow<'a, [u8]>,
}

impl Resolved<'_> {
    /// The value borrowed.
    pub fn value_ref(&self) -> ValueRef<'_> {
        ValueRef {
            ty: self.ty,
            data: &self.data,
        }
    }
}

/// How strings leave the server.
#[derive(Clone, Copy, Debug)]
pub struct Strings {
    /// For PtypString8.
    pub code_page: CodePage,
    /// Whether a property asked for as PtypUnspecified is sent as PtypString.
    pub unicode: bool,
}

impl Strings {
    fn unspecified(self, have: PropType) -> PropType {
        match (have, self.unicode) {
            (PropType::STRING | PropType::STRING8, true) => PropType::STRING,
            (PropType::STRING | PropType::STRING8, false) => PropType::STRING8,
            (PropType::MULTIPLE_STRING | PropType::MULTIPLE_STRING8, true) => {
                PropType::MULTIPLE_STRING
            }
            (PropType::MULTIPLE_STRING | PropType::MULTIPLE_STRING8, false) => {
                PropType::MULTIPLE_STRING8
            }
            _ => have,
        }
    }
}

/// Strings convert between their two types; everything else is asked for as what it is.
pub fn convertible(have: PropType, want: PropType) -> bool {
    have == want
        || (have.is_string() && want.is_string())
        || matches!(
            (have, want),
            (PropType::MULTIPLE_STRING, PropType::MULTIPLE_STRING8)
                | (PropType::MULTIPLE_STRING8, PropType::MULTIPLE_STRING)
        )
}

fn convert_elements(value: ValueRef<'_>, convert: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.data.len());
    for element in value.elements() {
        let bytes = convert(element.data);
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&bytes);
    }
    out
}

/// Looks a property up in a bag.
pub fn in_bag(bag: &dyn BagView, id: u16) -> Option<Found<'_>> {
    let (tag, slot) = bag.slot(id)?;
    Some(match slot {
        Slot::Inline(value) => Found::Stored(value),
        Slot::External(blob) => Found::Large(tag.ty(), blob),
    })
}

/// An object's properties, stored and computed alike.
pub trait Properties {
    /// The property with this tag. The type matters only for computed ones that exist in several.
    fn find(&self, tag: PropTag) -> Option<Found<'_>>;

    /// The same where its first bytes are enough, so many; of a value that is at hand it is the whole.
    fn find_start(&self, tag: PropTag, _max: usize) -> Option<Found<'_>> {
        self.find(tag)
    }

    /// The tags of all its properties, computed ones included.
    fn tags(&self) -> Vec<PropTag>;
}

/// Turns the strings of a client into what the store keeps: PtypString8 becomes PtypString.
pub fn to_stored(value: PropValue, code_page: CodePage) -> PropValue {
    match value {
        PropValue::String8(bytes) => PropValue::String(code_page.to_utf16(&bytes)),
        PropValue::MultipleString8(values) => PropValue::MultipleString(
            values
                .iter()
                .map(|bytes| code_page.to_utf16(bytes))
                .collect(),
        ),
        other => other,
    }
}

/// The strings of a client that wants them in 8 bits: PtypString becomes PtypString8.
pub fn to_narrow(value: PropValue, code_page: CodePage) -> PropValue {
    let narrow = |text: &Utf16Text| code_page.from_utf16(text.as_bytes());
    match value {
        PropValue::String(text) => PropValue::String8(narrow(&text)),
        PropValue::MultipleString(texts) => {
            PropValue::MultipleString8(texts.iter().map(narrow).collect())
        }
        other => other,
    }
}
