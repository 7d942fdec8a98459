//! Property tags and property types (MS-OXCDATA 2.9 and 2.11.1).

use std::fmt;

/// A property data type (MS-OXCDATA 2.11.1). Any 16-bit value may arrive from outside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PropType(pub u16);

/// A property tag: the property id in the high 16 bits, its type in the low 16 (MS-OXCDATA 2.9).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PropTag(pub u32);

#[allow(missing_docs)] // The names are those of MS-OXCDATA 2.11.1.
impl PropType {
    pub const UNSPECIFIED: Self = Self(0x0000);
    pub const NULL: Self = Self(0x0001);
    pub const INTEGER16: Self = Self(0x0002);
    pub const INTEGER32: Self = Self(0x0003);
    pub const FLOATING32: Self = Self(0x0004);
    pub const FLOATING64: Self = Self(0x0005);
    pub const CURRENCY: Self = Self(0x0006);
    pub const FLOATING_TIME: Self = Self(0x0007);
    pub const ERROR_CODE: Self = Self(0x000A);
    pub const BOOLEAN: Self = Self(0x000B);
    pub const OBJECT: Self = Self(0x000D);
    pub const INTEGER64: Self = Self(0x0014);
    pub const STRING8: Self = Self(0x001E);
    pub const STRING: Self = Self(0x001F);
    pub const TIME: Self = Self(0x0040);
    pub const GUID: Self = Self(0x0048);
    pub const SERVER_ID: Self = Self(0x00FB);
    pub const RESTRICTION: Self = Self(0x00FD);
    pub const RULE_ACTION: Self = Self(0x00FE);
    pub const BINARY: Self = Self(0x0102);
    pub const MULTIPLE_INTEGER16: Self = Self(0x1002);
    pub const MULTIPLE_INTEGER32: Self = Self(0x1003);
    pub const MULTIPLE_FLOATING32: Self = Self(0x1004);
    pub const MULTIPLE_FLOATING64: Self = Self(0x1005);
    pub const MULTIPLE_CURRENCY: Self = Self(0x1006);
    pub const MULTIPLE_FLOATING_TIME: Self = Self(0x1007);
    pub const MULTIPLE_INTEGER64: Self = Self(0x1014);
    pub const MULTIPLE_STRING8: Self = Self(0x101E);
    pub const MULTIPLE_STRING: Self = Self(0x101F);
    pub const MULTIPLE_TIME: Self = Self(0x1040);
    pub const MULTIPLE_GUID: Self = Self(0x1048);
    pub const MULTIPLE_BINARY: Self = Self(0x1102);

    /// The multi-value bit.
    pub const MULTI_VALUE: u16 = 0x1000;
    /// The multi-value instance bit of table columns (MS-OXCTABL 2.2.2.2.1).
    pub const INSTANCE: u16 = 0x2000;

    /// True for the `PtypMultiple…` types.
    pub const fn is_multi(self) -> bool {
        self.0 & Self::MULTI_VALUE != 0
    }

    /// The type of one element: the type itself for a single-valued one.
    pub const fn element(self) -> Self {
        Self(self.0 & !(Self::MULTI_VALUE | Self::INSTANCE))
    }

    /// Bytes of one value of a single-valued fixed-size type; `None` for the others.
    pub const fn fixed_size(self) -> Option<usize> {
        match self {
            Self::NULL => Some(0),
            Self::BOOLEAN => Some(1),
            Self::INTEGER16 => Some(2),
            Self::INTEGER32 | Self::FLOATING32 | Self::ERROR_CODE => Some(4),
            Self::FLOATING64
            | Self::CURRENCY
            | Self::FLOATING_TIME
            | Self::INTEGER64
            | Self::TIME => Some(8),
            Self::GUID => Some(16),
            _ => None,
        }
    }

    /// True for the types of MS-OXCDATA 2.11.1 that can hold a value.
    pub const fn is_known(self) -> bool {
        if self.is_multi() {
            return matches!(
                self,
                Self::MULTIPLE_INTEGER16
                    | Self::MULTIPLE_INTEGER32
                    | Self::MULTIPLE_FLOATING32
                    | Self::MULTIPLE_FLOATING64
                    | Self::MULTIPLE_CURRENCY
                    | Self::MULTIPLE_FLOATING_TIME
                    | Self::MULTIPLE_INTEGER64
                    | Self::MULTIPLE_STRING8
                    | Self::MULTIPLE_STRING
                    | Self::MULTIPLE_TIME
                    | Self::MULTIPLE_GUID
                    | Self::MULTIPLE_BINARY
            );
        }
        self.fixed_size().is_some()
            || matches!(
                self,
                Self::STRING8
                    | Self::STRING
                    | Self::BINARY
                    | Self::SERVER_ID
                    | Self::OBJECT
                    | Self::RESTRICTION
                    | Self::RULE_ACTION
            )
    }

    /// True for PtypString and PtypString8.
    pub const fn is_string(self) -> bool {
        matches!(self, Self::STRING | Self::STRING8)
    }
}

impl PropTag {
    /// The tag of property `id` as type `ty`.
    pub const fn new(id: u16, ty: PropType) -> Self {
        Self(((id as u32) << 16) | ty.0 as u32)
    }

    /// The property id.
    pub const fn id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The property type.
    pub const fn ty(self) -> PropType {
        PropType(self.0 as u16)
    }

    /// The same property as another type.
    pub const fn with_type(self, ty: PropType) -> Self {
        Self::new(self.id(), ty)
    }

    /// True for ids of named properties, 0x8000 to 0xFFFE (MS-OXCDATA 2.6).
    pub const fn is_named(self) -> bool {
        self.id() >= 0x8000
    }
}

impl fmt::Debug for PropType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PropType(0x{:04X})", self.0)
    }
}

impl fmt::Debug for PropTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PropTag(0x{:08X})", self.0)
    }
}

impl fmt::Display for PropTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)
    }
}
