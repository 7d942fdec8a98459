//! Property values: owned, and borrowed in packed form.

use crate::{
    FileTime, Guid, PropType, Utf16Text,
    text::{decode_utf16le, units},
};

/// An owned property value (MS-OXCDATA 2.11.1). Convenient rather than compact: at rest, values
/// live packed in a [`Bag`](crate::Bag).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The names are those of the types.
pub enum PropValue {
    Null,
    Integer16(i16),
    Integer32(i32),
    Floating32(f32),
    Floating64(f64),
    Currency(i64),
    FloatingTime(f64),
    ErrorCode(u32),
    Boolean(bool),
    Object(Vec<u8>),
    Integer64(i64),
    /// Bytes in some code page, without the terminator.
    String8(Vec<u8>),
    String(Utf16Text),
    Time(FileTime),
    Guid(Guid),
    ServerId(Vec<u8>),
    /// A restriction in its ROP encoding (MS-OXCDATA 2.12).
    Restriction(Vec<u8>),
    /// A rule action in its ROP encoding (MS-OXORULE 2.2.5).
    RuleAction(Vec<u8>),
    Binary(Vec<u8>),
    MultipleInteger16(Vec<i16>),
    MultipleInteger32(Vec<i32>),
    MultipleFloating32(Vec<f32>),
    MultipleFloating64(Vec<f64>),
    MultipleCurrency(Vec<i64>),
    MultipleFloatingTime(Vec<f64>),
    MultipleInteger64(Vec<i64>),
    MultipleString8(Vec<Vec<u8>>),
    MultipleString(Vec<Utf16Text>),
    MultipleTime(Vec<FileTime>),
    MultipleGuid(Vec<Guid>),
    MultipleBinary(Vec<Vec<u8>>),
}

/// A borrowed value in packed form.
///
/// Packed form: fixed-size types little-endian (PtypBoolean one byte); PtypString UTF-16LE and
/// PtypString8 bytes, both without terminator; PtypBinary and its like as they are; multi-valued
/// fixed-size types back to back; multi-valued variable ones each as a u32 length and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueRef<'a> {
    /// The type of the value.
    pub ty: PropType,
    /// The packed bytes.
    pub data: &'a [u8],
}

impl PropValue {
    /// A PtypString.
    pub fn text(text: &str) -> Self {
        Self::String(text.into())
    }

    /// The value's type.
    pub const fn ty(&self) -> PropType {
        match self {
            Self::Null => PropType::NULL,
            Self::Integer16(_) => PropType::INTEGER16,
            Self::Integer32(_) => PropType::INTEGER32,
            Self::Floating32(_) => PropType::FLOATING32,
            Self::Floating64(_) => PropType::FLOATING64,
            Self::Currency(_) => PropType::CURRENCY,
            Self::FloatingTime(_) => PropType::FLOATING_TIME,
            Self::ErrorCode(_) => PropType::ERROR_CODE,
            Self::Boolean(_) => PropType::BOOLEAN,
            Self::Object(_) => PropType::OBJECT,
            Self::Integer64(_) => PropType::INTEGER64,
            Self::String8(_) => PropType::STRING8,
            Self::String(_) => PropType::STRING,
            Self::Time(_) => PropType::TIME,
            Self::Guid(_) => PropType::GUID,
            Self::ServerId(_) => PropType::SERVER_ID,
            Self::Restriction(_) => PropType::RESTRICTION,
            Self::RuleAction(_) => PropType::RULE_ACTION,
            Self::Binary(_) => PropType::BINARY,
            Self::MultipleInteger16(_) => PropType::MULTIPLE_INTEGER16,
            Self::MultipleInteger32(_) => PropType::MULTIPLE_INTEGER32,
            Self::MultipleFloating32(_) => PropType::MULTIPLE_FLOATING32,
            Self::MultipleFloating64(_) => PropType::MULTIPLE_FLOATING64,
            Self::MultipleCurrency(_) => PropType::MULTIPLE_CURRENCY,
            Self::MultipleFloatingTime(_) => PropType::MULTIPLE_FLOATING_TIME,
            Self::MultipleInteger64(_) => PropType::MULTIPLE_INTEGER64,
            Self::MultipleString8(_) => PropType::MULTIPLE_STRING8,
            Self::MultipleString(_) => PropType::MULTIPLE_STRING,
            Self::MultipleTime(_) => PropType::MULTIPLE_TIME,
            Self::MultipleGuid(_) => PropType::MULTIPLE_GUID,
            Self::MultipleBinary(_) => PropType::MULTIPLE_BINARY,
        }
    }

    /// Appends the packed form.
    pub fn pack(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => {}
            Self::Integer16(v) => out.extend_from_slice(&v.to_le_bytes()),
            Self::Integer32(v) => out.extend_from_slice(&v.to_le_bytes()),
            Self::Floating32(v) => out.extend_from_slice(&v.to_le_bytes()),
            Self::Floating64(v) | Self::FloatingTime(v) => out.extend_from_slice(&v.to_le_bytes()),
            Self::Currency(v) | Self::Integer64(v) => out.extend_from_slice(&v.to_le_bytes()),
            Self::ErrorCode(v) => out.extend_from_slice(&v.to_le_bytes()),
            Self::Boolean(v) => out.push(u8::from(*v)),
            Self::Time(v) => out.extend_from_slice(&v.0.to_le_bytes()),
            Self::Guid(v) => out.extend_from_slice(&v.0),
            Self::String(v) => out.extend_from_slice(v.as_bytes()),
            Self::String8(v) => out.extend_from_slice(until_nul(v)),
            Self::Object(v)
            | Self::ServerId(v)
            | Self::Restriction(v)
            | Self::RuleAction(v)
            | Self::Binary(v) => out.extend_from_slice(v),
            Self::MultipleInteger16(v) => v
                .iter()
                .for_each(|v| out.extend_from_slice(&v.to_le_bytes())),
            Self::MultipleInteger32(v) => v
                .iter()
                .for_each(|v| out.extend_from_slice(&v.to_le_bytes())),
            Self::MultipleFloating32(v) => v
                .iter()
                .for_each(|v| out.extend_from_slice(&v.to_le_bytes())),
            Self::MultipleFloating64(v) | Self::MultipleFloatingTime(v) => {
                v.iter()
                    .for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
            }
            Self::MultipleCurrency(v) | Self::MultipleInteger64(v) => {
                v.iter()
                    .for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
            }
            Self::MultipleTime(v) => v
                .iter()
                .for_each(|v| out.extend_from_slice(&v.0.to_le_bytes())),
            Self::MultipleGuid(v) => v.iter().for_each(|v| out.extend_from_slice(&v.0)),
            Self::MultipleString(v) => v.iter().for_each(|v| pack_element(out, v.as_bytes())),
            Self::MultipleString8(v) => v.iter().for_each(|v| pack_element(out, until_nul(v))),
            Self::MultipleBinary(v) => v.iter().for_each(|v| pack_element(out, v)),
        }
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn pack_element(out: &mut Vec<u8>, bytes: &[u8]) {
    // A value longer than 4 GiB cannot reach here: every source is bounded far below it.
    let bytes = bytes.get(..u32::MAX as usize).unwrap_or(bytes);
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}

macro_rules! fixed_getters {
    ($($(#[$doc:meta])* $name:ident: $ty:ty = $variant:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(self) -> Option<$ty> {
            if self.ty != $variant { return None; }
            Some(<$ty>::from_le_bytes(self.data.try_into().ok()?))
        }
    )*};
}

impl<'a> ValueRef<'a> {
    fixed_getters! {
        /// A PtypInteger16.
        as_i16: i16 = PropType::INTEGER16;
        /// A PtypInteger32.
        as_i32: i32 = PropType::INTEGER32;
        /// A PtypInteger64.
        as_i64: i64 = PropType::INTEGER64;
        /// A PtypErrorCode.
        as_error_code: u32 = PropType::ERROR_CODE;
    }

    /// A PtypBoolean.
    pub fn as_bool(self) -> Option<bool> {
        (self.ty == PropType::BOOLEAN).then(|| self.data.first().is_some_and(|byte| *byte != 0))
    }

    /// A PtypTime.
    pub fn as_time(self) -> Option<FileTime> {
        if self.ty != PropType::TIME {
            return None;
        }
        Some(FileTime(u64::from_le_bytes(self.data.try_into().ok()?)))
    }

    /// A PtypGuid.
    pub fn as_guid(self) -> Option<Guid> {
        if self.ty != PropType::GUID {
            return None;
        }
        Some(Guid(self.data.try_into().ok()?))
    }

    /// A PtypBinary.
    pub fn as_binary(self) -> Option<&'a [u8]> {
        (self.ty == PropType::BINARY).then_some(self.data)
    }

    /// A PtypString, decoded; unpaired surrogates become U+FFFD.
    pub fn to_text(self) -> Option<String> {
        (self.ty == PropType::STRING).then(|| decode_utf16le(self.data))
    }

    /// The code units of a PtypString.
    pub fn utf16_units(self) -> Option<impl Iterator<Item = u16> + 'a> {
        (self.ty == PropType::STRING).then(|| units(self.data))
    }

    /// The values of a multi-valued type, each as a single-valued one; nothing for other types.
    pub fn elements(self) -> Elements<'a> {
        let element = self.ty.element();
        let rest = if self.ty.is_multi() { self.data } else { &[] };
        Elements { ty: element, rest }
    }

    /// An owned copy. `None` if the bytes do not fit the type, which a [`Bag`](crate::Bag) never
    /// lets happen.
    pub fn to_value(self) -> Option<PropValue> {
        if self.ty.is_multi() {
            return self.to_multi_value();
        }
        Some(match self.ty {
            PropType::NULL => PropValue::Null,
            PropType::INTEGER16 => {
                PropValue::Integer16(i16::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::INTEGER32 => {
                PropValue::Integer32(i32::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::FLOATING32 => {
                PropValue::Floating32(f32::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::FLOATING64 => {
                PropValue::Floating64(f64::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::CURRENCY => {
                PropValue::Currency(i64::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::FLOATING_TIME => {
                PropValue::FloatingTime(f64::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::ERROR_CODE => {
                PropValue::ErrorCode(u32::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::BOOLEAN => PropValue::Boolean(self.as_bool()?),
            PropType::INTEGER64 => {
                PropValue::Integer64(i64::from_le_bytes(self.data.try_into().ok()?))
            }
            PropType::TIME => PropValue::Time(self.as_time()?),
            PropType::GUID => PropValue::Guid(self.as_guid()?),
            PropType::STRING => PropValue::String(Utf16Text::from_le_bytes(self.data)),
            PropType::STRING8 => PropValue::String8(self.data.to_vec()),
            PropType::BINARY => PropValue::Binary(self.data.to_vec()),
            PropType::SERVER_ID => PropValue::ServerId(self.data.to_vec()),
            PropType::RESTRICTION => PropValue::Restriction(self.data.to_vec()),
            PropType::RULE_ACTION => PropValue::RuleAction(self.data.to_vec()),
            PropType::OBJECT => PropValue::Object(self.data.to_vec()),
            _ => return None,
        })
    }

    fn to_multi_value(self) -> Option<PropValue> {
        macro_rules! collect {
            ($variant:ident, $ty:ty) => {
                PropValue::$variant(
                    self.elements()
                        .map(|e| Some(<$ty>::from_le_bytes(e.data.try_into().ok()?)))
                        .collect::<Option<_>>()?,
                )
            };
        }
        Some(match self.ty {
            PropType::MULTIPLE_INTEGER16 => collect!(MultipleInteger16, i16),
            PropType::MULTIPLE_INTEGER32 => collect!(MultipleInteger32, i32),
            PropType::MULTIPLE_FLOATING32 => collect!(MultipleFloating32, f32),
            PropType::MULTIPLE_FLOATING64 => collect!(MultipleFloating64, f64),
            PropType::MULTIPLE_CURRENCY => collect!(MultipleCurrency, i64),
            PropType::MULTIPLE_FLOATING_TIME => collect!(MultipleFloatingTime, f64),
            PropType::MULTIPLE_INTEGER64 => collect!(MultipleInteger64, i64),
            PropType::MULTIPLE_TIME => PropValue::MultipleTime(
                self.elements()
                    .map(|e| e.as_time())
                    .collect::<Option<_>>()?,
            ),
            PropType::MULTIPLE_GUID => PropValue::MultipleGuid(
                self.elements()
                    .map(|e| e.as_guid())
                    .collect::<Option<_>>()?,
            ),
            PropType::MULTIPLE_STRING => PropValue::MultipleString(
                self.elements()
                    .map(|e| Utf16Text::from_le_bytes(e.data))
                    .collect(),
            ),
            PropType::MULTIPLE_STRING8 => {
                PropValue::MultipleString8(self.elements().map(|e| e.data.to_vec()).collect())
            }
            PropType::MULTIPLE_BINARY => {
                PropValue::MultipleBinary(self.elements().map(|e| e.data.to_vec()).collect())
            }
            _ => return None,
        })
    }
}

/// The elements of a multi-valued property; see [`ValueRef::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    ty: PropType,
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        let (data, rest) = match self.ty.fixed_size() {
            Some(0) => return None,
            Some(size) => self.rest.split_at_checked(size)?,
            None => {
                let (len, rest) = self.rest.split_first_chunk::<4>()?;
                rest.split_at_checked(u32::from_le_bytes(*len) as usize)?
            }
        };
        self.rest = rest;
        Some(ValueRef { ty: self.ty, data })
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn text() -> impl Strategy<Value = Utf16Text> {
        // Unpaired surrogates too.
        vec(1u16.., 0..20).prop_map(|units| {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            Utf16Text::from_le_bytes(&bytes)
        })
    }

    fn string8() -> impl Strategy<Value = Vec<u8>> {
        vec(1u8.., 0..20)
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        vec(any::<u8>(), 0..40)
    }

    fn value() -> impl Strategy<Value = PropValue> {
        let single = prop_oneof![
            Just(PropValue::Null),
            any::<i16>().prop_map(PropValue::Integer16),
            any::<i32>().prop_map(PropValue::Integer32),
            (-1e9f32..1e9).prop_map(PropValue::Floating32),
            (-1e9..1e9).prop_map(PropValue::Floating64),
            any::<i64>().prop_map(PropValue::Currency),
            (-1e9..1e9).prop_map(PropValue::FloatingTime),
            any::<u32>().prop_map(PropValue::ErrorCode),
            any::<bool>().prop_map(PropValue::Boolean),
            bytes().prop_map(PropValue::Object),
            any::<i64>().prop_map(PropValue::Integer64),
            string8().prop_map(PropValue::String8),
            text().prop_map(PropValue::String),
            any::<u64>().prop_map(|v| PropValue::Time(FileTime(v))),
            any::<[u8; 16]>().prop_map(|v| PropValue::Guid(Guid(v))),
            bytes().prop_map(PropValue::ServerId),
            bytes().prop_map(PropValue::Restriction),
            bytes().prop_map(PropValue::RuleAction),
            bytes().prop_map(PropValue::Binary),
        ];
        let multiple = prop_oneof![
            vec(any::<i16>(), 0..9).prop_map(PropValue::MultipleInteger16),
            vec(any::<i32>(), 0..9).prop_map(PropValue::MultipleInteger32),
            vec(-1e9f32..1e9, 0..9).prop_map(PropValue::MultipleFloating32),
            vec(-1e9..1e9, 0..9).prop_map(PropValue::MultipleFloating64),
            vec(any::<i64>(), 0..9).prop_map(PropValue::MultipleCurrency),
            vec(-1e9..1e9, 0..9).prop_map(PropValue::MultipleFloatingTime),
            vec(any::<i64>(), 0..9).prop_map(PropValue::MultipleInteger64),
            vec(string8(), 0..9).prop_map(PropValue::MultipleString8),
            vec(text(), 0..9).prop_map(PropValue::MultipleString),
            vec(any::<u64>().prop_map(FileTime), 0..9).prop_map(PropValue::MultipleTime),
            vec(any::<[u8; 16]>().prop_map(Guid), 0..9).prop_map(PropValue::MultipleGuid),
            vec(bytes(), 0..9).prop_map(PropValue::MultipleBinary),
        ];
        prop_oneof![single, multiple]
    }

    proptest! {
        #[test]
        fn a_packed_value_reads_back(value in value()) {
            let mut data = Vec::new();
            value.pack(&mut data);
            let packed = ValueRef { ty: value.ty(), data: &data };
            prop_assert_eq!(packed.to_value(), Some(value.clone()));
            prop_assert_eq!(packed.elements().count() > 0, value.ty().is_multi() && !data.is_empty());
        }

        #[test]
        fn no_bytes_make_reading_panic(ty in any::<u16>(), data in bytes()) {
            let packed = ValueRef { ty: PropType(ty), data: &data };
            let _ = (packed.to_value(), packed.to_text(), packed.as_bool(), packed.as_time());
            prop_assert!(packed.elements().count() <= data.len());
        }
    }
}
