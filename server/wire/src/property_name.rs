//! Property names on the wire (MS-OXCDATA 2.6.1).

use ropewalk_props::{Guid, PropertyName, Utf16Text};

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Count, Wire, fmt_hex},
};

/// A borrowed PropertyName structure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PropertyNameRef<'a> {
    /// Kind 0x00: a LID in a property set.
    Lid(Guid, u32),
    /// Kind 0x01: a name in a property set, UTF-16LE without its terminator.
    Name(Guid, &'a [u8]),
    /// Kind 0xFF: a property without a name.
    NoName(Guid),
}

const KIND_LID: u8 = 0x00;
const KIND_NAME: u8 = 0x01;
const KIND_NONE: u8 = 0xFF;

impl<'a> PropertyNameRef<'a> {
    /// The structure that says "no name".
    pub const NONE: Self = Self::NoName(Guid::NIL);

    /// An owned name; `None` for a property without one.
    pub fn to_name(self) -> Option<PropertyName> {
        match self {
            Self::Lid(guid, lid) => Some(PropertyName::Lid(guid, lid)),
            Self::Name(guid, name) => {
                Some(PropertyName::Name(guid, Utf16Text::from_le_bytes(name)))
            }
            Self::NoName(_) => None,
        }
    }
}

impl<'a> From<&'a PropertyName> for PropertyNameRef<'a> {
    fn from(name: &'a PropertyName) -> Self {
        match name {
            PropertyName::Lid(guid, lid) => Self::Lid(*guid, *lid),
            PropertyName::Name(guid, name) => Self::Name(*guid, name.as_bytes()),
        }
    }
}

impl<'a> Wire<'a> for PropertyNameRef<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let kind = input.u8()?;
        let guid = input.guid()?;
        match kind {
            KIND_LID => Ok(Self::Lid(guid, input.u32()?)),
            KIND_NAME => {
                let size = usize::from(input.u8()?);
                let name = input.bytes(size)?;
                // NameSize counts the terminator (2.6.1); a name without one is taken as it is.
                let mut inner = Reader::new(name);
                let whole_units = name.get(..name.len() & !1).unwrap_or_default();
                let name = inner.utf16_z().unwrap_or(whole_units);
                Ok(Self::Name(guid, name))
            }
            KIND_NONE => Ok(Self::NoName(guid)),
            other => Err(DecodeError::Value {
                field: "Kind",
                value: other.into(),
            }),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Lid(guid, lid) => {
                out.put_u8(KIND_LID);
                out.put_guid(*guid);
                out.put_u32(*lid);
            }
            Self::Name(guid, name) => {
                out.put_u8(KIND_NAME);
                out.put_guid(*guid);
                u8::put(out, "a property name", name.len().saturating_add(2))?;
                crate::codec::put_text(out, name, true)?;
            }
            Self::NoName(guid) => {
                out.put_u8(KIND_NONE);
                out.put_guid(*guid);
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for PropertyNameRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lid(guid, lid) => write!(f, "{guid:?}/0x{lid:08X}"),
            Self::Name(guid, name) => {
                write!(f, "{guid:?}/")?;
                match ropewalk_props::text::decode_utf16le(name) {
                    text if text.contains(char::REPLACEMENT_CHARACTER) => fmt_hex(f, name),
                    text => write!(f, "{text:?}"),
                }
            }
            Self::NoName(_) => f.write_str("no name"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SET: Guid = Guid([0x11; 16]);

    fn bytes(kind: u8, guid: Guid, rest: &[u8]) -> Vec<u8> {
        [&[kind][..], &guid.0, rest].concat()
    }

    #[test]
    fn names_have_the_bytes_of_their_kind() {
        let examples = [
            (
                PropertyNameRef::Lid(SET, 0x8503),
                bytes(0, SET, b"\x03\x85\0\0"),
            ),
            (
                PropertyNameRef::Name(SET, b"K\0y\0"),
                bytes(1, SET, b"\x06K\0y\0\0\0"),
            ),
            (PropertyNameRef::NONE, bytes(0xFF, Guid::NIL, b"")),
        ];
        for (name, bytes) in examples {
            assert_eq!(PropertyNameRef::decode(&mut Reader::new(&bytes)), Ok(name));
            let mut out = Vec::new();
            name.encode(&mut out).unwrap();
            assert_eq!(out, bytes);
            for len in 0..bytes.len() {
                assert!(PropertyNameRef::decode(&mut Reader::new(&bytes[..len])).is_err());
            }
        }
        assert!(PropertyNameRef::decode(&mut Reader::new(&bytes(2, SET, b"\0\0\0\0"))).is_err());
    }

    #[test]
    fn a_name_without_its_terminator_is_taken_as_it_is() {
        let unterminated = bytes(1, SET, b"\x04K\0y\0");
        let name = PropertyNameRef::decode(&mut Reader::new(&unterminated));
        assert_eq!(name, Ok(PropertyNameRef::Name(SET, b"K\0y\0")));
    }

    /// NameSize is a byte and counts the terminator (MS-OXCDATA 2.6.1).
    #[test]
    fn a_name_has_at_most_126_units() {
        let put = |units| {
            let text = b"a\0".repeat(units);
            PropertyNameRef::Name(SET, &text).encode(&mut Vec::new())
        };
        assert!(put(126).is_ok());
        assert!(put(127).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_written_and_read_again(
            kind in prop_oneof![0u8..3, Just(0xFF)],
            rest in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let bytes = [vec![kind], rest].concat();
            if let Ok(name) = PropertyNameRef::decode(&mut Reader::new(&bytes)) {
                let mut out = Vec::new();
                if name.encode(&mut out).is_ok() {
                    prop_assert_eq!(PropertyNameRef::decode(&mut Reader::new(&out)), Ok(name));
                }
            }
        }
    }
}
