//! Property values on the wire (MS-OXCDATA 2.11).
//!
//! Encoding takes a [`ValueRef`], whose packed form is laid out for it: a string is its bytes and a
//! terminator, a fixed-size value a copy. The server can write a value to a buffer without
//! allocating.

mod decode;
mod encode;
mod tagged;
#[cfg(test)]
mod tests;

pub use decode::{skip_value, take_value};
pub use encode::{put_value, value_len};
pub(crate) use tagged::with_packed;
pub use tagged::{
    PropertyProblem, TaggedPropertyValue, TypedPropertyValue, TypedString, put_tagged_value,
    put_typed_value,
};

use ropewalk_props::PropType;

/// Where a value stands, which decides how counts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// In a ROP buffer: PtypBinary and restrictions with u16 counts.
    Rop,
    /// In an extended rule: like ROP buffers, with u32 counts (MS-OXORULE 2.2.4).
    Extended,
    /// In an address book body of MAPI over HTTP: u32 counts, and a HasValue byte before
    /// everything of variable size (MS-OXCMAPIHTTP 2.2.1.1).
    AddressBook,
}

/// The HasValue byte before a value that is there (MS-OXCMAPIHTTP 2.2.1.1).
pub(crate) const HAS_VALUE: u8 = 0xFF;

/// The type that a cell of a column has: that of one value for a column with the multi-value
/// instance bit, 0x3000 (MS-OXCTABL 2.2.2.2.1).
pub const fn cell_type(column: PropType) -> PropType {
    if column.0 & PropType::INSTANCE != 0 {
        column.element()
    } else {
        column
    }
}
