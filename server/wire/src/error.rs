//! Protocol error codes, and what can be wrong with bytes.

use std::fmt;

use ropewalk_props::PropType;

/// An error code or ReturnValue of the protocols (MS-OXCDATA 2.4), one constant per name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub u32);

include!(concat!(env!("OUT_DIR"), "/errors.rs"));

impl ErrorCode {
    /// The specification's name; `None` for a code that has none.
    pub fn name(self) -> Option<&'static str> {
        let index = NAMES
            .binary_search_by_key(&self.0, |(code, _)| *code)
            .ok()?;
        NAMES.get(index).map(|(_, name)| *name)
    }

    /// True for 0 and for warnings (0x0004….): the response has its success body.
    pub const fn is_success(self) -> bool {
        self.0 == 0 || self.0 >> 16 == 0x0004
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (0x{:08X})", self.name().unwrap_or("unknown"), self.0)
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ErrorCode {}

/// Bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A field reaches past the end.
    #[error("{wanted} bytes wanted, {remaining} left")]
    UnexpectedEnd {
        /// Size of the field or, for a count, of its least possible items.
        wanted: usize,
        /// Bytes left.
        remaining: usize,
    },
    /// A string without its NUL.
    #[error("a string without terminator")]
    MissingTerminator,
    /// Bytes after the end of a structure whose size is given.
    #[error("{0} bytes after the end of a structure")]
    TrailingBytes(usize),
    /// A RopId that is reserved or that this side never receives (MS-OXCROPS 2.2.2).
    #[error("reserved RopId 0x{0:02X}")]
    ReservedRop(u8),
    /// A property type without a form in this place (MS-OXCDATA 2.11.1).
    #[error("no value of property type 0x{0:04X} can stand here")]
    PropertyType(u16),
    /// A field with a value that has no meaning.
    #[error("{field} cannot be 0x{value:X}")]
    Value {
        /// The field's name in the specification.
        field: &'static str,
        /// What it was.
        value: u64,
    },
    /// A structure nested deeper than is read.
    #[error("nested deeper than {0} levels")]
    TooDeep(usize),
    /// A structure with more parts than are read.
    #[error("more than {0} parts")]
    TooMany(usize),
    /// Compressed data that is not DIRECT2 (MS-OXCRPC 3.1.4.1.1.2.2).
    #[error("compressed data is damaged")]
    Compression,
    /// A response that answers none of the requests.
    #[error("a response to {found} where one to {wanted} was due")]
    UnexpectedResponse {
        /// The RopId found.
        found: crate::rop::RopId,
        /// The RopId of the request.
        wanted: crate::rop::RopId,
    },
    /// A response after every request has been answered.
    #[error("a response to {0}, which nobody asked for")]
    Unrequested(crate::rop::RopId),
    /// A RopsList that ends before every request has been answered.
    #[error("no response to {0}")]
    Unanswered(crate::rop::RopId),
}

/// A value that has no wire form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More bytes or items than the size field can say.
    #[error("{what} of length {len} does not fit its size field")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it is.
        len: usize,
    },
    /// A string with a NUL inside.
    #[error("a string with a NUL inside")]
    EmbeddedNul,
    /// A property type whose values are not sent inline (MS-OXCDATA 2.11.1.5), or no type at all.
    #[error("values of {0:?} are not sent here")]
    PropertyType(PropType),
    /// Bytes that are no value of their type.
    #[error("the bytes are no value of {0:?}")]
    Packed(PropType),
    /// A row with another number of cells than columns.
    #[error("{cells} cells for {columns} columns")]
    CellCount {
        /// Number of cells.
        cells: usize,
        /// Number of columns.
        columns: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        assert_eq!(ErrorCode::NOT_FOUND, ErrorCode(0x8004_010F));
        assert_eq!(ErrorCode::NULL_OBJECT.0, 0x4B9);
        assert_eq!(ErrorCode::BUFFER_TOO_SMALL.0, 0x47D);
        assert_eq!(ErrorCode::RPC_FORMAT.0, 0x4B6);
        assert_eq!(ErrorCode::RPC_FAILED.0, 0x8004_0115);
        assert_eq!(ErrorCode::OUT_OF_MEMORY, ErrorCode::NOT_ENOUGH_MEMORY);
        // Two codes share this name; the second goes by its MAPI name.
        assert_eq!(ErrorCode::SERVER_BUSY.0, 0x480);
        assert_eq!(ErrorCode::BUSY.0, 0x8004_010B);
        assert_eq!(ErrorCode::NOT_FOUND.to_string(), "NotFound (0x8004010F)");
        assert_eq!(ErrorCode(0x1234_5678).to_string(), "unknown (0x12345678)");
    }

    #[test]
    fn warnings_are_success() {
        assert!(ErrorCode(0).is_success());
        assert!(ErrorCode(0x0004_0380).is_success());
        assert!(!ErrorCode::NULL_OBJECT.is_success());
        assert!(!ErrorCode::NOT_FOUND.is_success());
    }
}
