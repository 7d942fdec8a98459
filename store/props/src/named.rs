//! Property names (MS-OXCDATA 2.6.1).

use crate::{Guid, PropType, Utf16Text};

/// The name of a named property: a property set and a number or a string in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PropertyName {
    /// Kind 0x00: a LID in a property set.
    Lid(Guid, u32),
    /// Kind 0x01: a string in a property set.
    Name(Guid, Utf16Text),
}

impl PropertyName {
    /// The property set.
    pub fn guid(&self) -> Guid {
        match self {
            Self::Lid(guid, _) | Self::Name(guid, _) => *guid,
        }
    }
}

/// PS_MAPI: names that stand for tagged properties (MS-OXPROPS 1.3.2).
pub const PS_MAPI: Guid = Guid::from_fields(0x0002_0328, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
/// PS_PUBLIC_STRINGS (MS-OXPROPS 1.3.2).
pub const PS_PUBLIC_STRINGS: Guid =
    Guid::from_fields(0x0002_0329, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
/// PS_INTERNET_HEADERS (MS-OXPROPS 1.3.2).
pub const PS_INTERNET_HEADERS: Guid =
    Guid::from_fields(0x0002_0386, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);

/// A named property known at compile time: its name and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedTag {
    guid: Guid,
    key: Key,
    ty: PropType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Lid(u32),
    Name(&'static str),
}

impl NamedTag {
    /// A property named by a LID.
    pub const fn lid(guid: Guid, lid: u32, ty: PropType) -> Self {
        Self {
            guid,
            key: Key::Lid(lid),
            ty,
        }
    }

    /// A property named by a string.
    pub const fn named(guid: Guid, name: &'static str, ty: PropType) -> Self {
        Self {
            guid,
            key: Key::Name(name),
            ty,
        }
    }

    /// Its type.
    pub const fn ty(self) -> PropType {
        self.ty
    }

    /// Its name, as a mailbox's mapping wants it.
    pub fn name(self) -> PropertyName {
        match self.key {
            Key::Lid(lid) => PropertyName::Lid(self.guid, lid),
            Key::Name(name) => PropertyName::Name(self.guid, name.into()),
        }
    }
}
