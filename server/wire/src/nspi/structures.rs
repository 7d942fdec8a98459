//! The structures that the bodies share (MS-OXCMAPIHTTP 2.2.1, MS-OXNSPI 2.2.8 and 2.2.9).

use ropewalk_props::PropTag;

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{AsciiZ, Bytes32, Utf16Z, Wire, wire_struct},
    list::{Iter, List},
    restriction::Restriction,
    row::{PropertyRow, skip_row},
    value::{Form, TaggedPropertyValue, skip_value},
};

/// The auxiliary buffer at the end of each body, behind its u32 size.
pub type AuxiliaryBuffer<'a> = Bytes32<'a>;
/// Names in UTF-16LE behind their u32 count.
pub type Utf16Names<'a> = List<'a, Utf16Z<'a>, u32>;
/// Names in 8-bit characters behind their u32 count.
pub type AsciiNames<'a> = List<'a, AsciiZ<'a>, u32>;
/// Minimal Entry IDs behind their u32 count.
pub type MinimalIds<'a> = List<'a, u32, u32>;
/// AddressBookPropertyValueList (MS-OXCMAPIHTTP 2.2.1.3).
pub type PropertyValueList<'a> = List<'a, AddressBookTaggedPropertyValue, u32>;

/// The smallest Minimal Entry ID that an object can have (MS-OXNSPI 2.2.9.1).
pub const MID_FIRST: u32 = 0x10;
/// As a position: before the first row (MS-OXNSPI 2.2.1.8).
pub const MID_BEGINNING_OF_TABLE: u32 = 0;
/// As a position: by the fraction NumPos / TotalRecs (MS-OXNSPI 2.2.1.8).
pub const MID_CURRENT: u32 = 1;
/// As a position: after the last row (MS-OXNSPI 2.2.1.8).
pub const MID_END_OF_TABLE: u32 = 2;
/// The answer to a name that nobody has (MS-OXNSPI 2.2.1.9).
pub const MID_UNRESOLVED: u32 = 0;
/// The answer to a name that several have (MS-OXNSPI 2.2.1.9).
pub const MID_AMBIGUOUS: u32 = 1;
/// The answer to a name that one has (MS-OXNSPI 2.2.1.9).
pub const MID_RESOLVED: u32 = 2;

wire_struct! {
    /// The table that a client looks at and its place there (MS-OXNSPI 2.2.8).
    #[derive(Copy, Eq, Default)]
    Stat {
        sort_type: u32,
        container_id: u32,
        current_rec: u32,
        delta: i32,
        num_pos: u32,
        total_recs: u32,
        code_page: u32,
        template_locale: u32,
        sort_locale: u32,
    }

    /// A named property (MS-OXCMAPIHTTP 2.2.5.5.1, PropertyNameGuid and PropertyNameId).
    #[derive(Copy, Eq)]
    PropertyNameId { guid: ropewalk_props::Guid, id: u32 }
}

/// PropertyTags behind their u32 count, at most [`LargePropertyTagArray::COUNT_MAX`]
/// (MS-OXCMAPIHTTP 2.2.1.8).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LargePropertyTagArray<'a>(pub List<'a, PropTag, u32>);

impl<'a> LargePropertyTagArray<'a> {
    /// The most PropertyTags in one.
    pub const COUNT_MAX: usize = 100_000;

    /// The tags, in order.
    pub fn iter(&self) -> Iter<'a, PropTag> {
        self.0.iter()
    }

    /// Number of tags.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True without tags.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> From<&'a [PropTag]> for LargePropertyTagArray<'a> {
    fn from(tags: &'a [PropTag]) -> Self {
        Self(tags.into())
    }
}

impl<'a> Wire<'a> for LargePropertyTagArray<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = input.u32()? as usize;
        if count > Self::COUNT_MAX {
            return Err(DecodeError::TooMany(Self::COUNT_MAX));
        }
        List::take(input, count).map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.encode(out)
    }
}

/// A PropertyTag and its value in the address book form (MS-OXCMAPIHTTP 2.2.1.2).
#[derive(Clone, Debug, PartialEq)]
pub struct AddressBookTaggedPropertyValue(pub TaggedPropertyValue);

impl<'a> Wire<'a> for AddressBookTaggedPropertyValue {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        TaggedPropertyValue::take(input, Form::AddressBook).map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.put(out, Form::AddressBook)
    }
    fn skip(input: &mut Reader<'a>) -> Result<(), DecodeError> {
        let tag = PropTag(input.u32()?);
        skip_value(input, Form::AddressBook, tag.ty())
    }
}

/// A restriction in the address book form: u32 counts (MS-OXCDATA 2.12).
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(pub Restriction);

impl<'a> Wire<'a> for Filter {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Restriction::decode(input, Form::AddressBook).map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.0.encode(out, Form::AddressBook)
    }
}

/// Columns and AddressBookPropertyRows of them: `Columns; RowCount u32; RowData`
/// (MS-OXCMAPIHTTP 2.2.5.12.2). The rows are those that [`put_row`](crate::row::put_row) writes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColumnsAndRows<'a> {
    /// The columns.
    pub columns: LargePropertyTagArray<'a>,
    /// Number of rows.
    pub row_count: u32,
    /// The rows, back to back.
    pub row_data: &'a [u8],
}

impl<'a> ColumnsAndRows<'a> {
    /// The rows, decoded.
    pub fn rows(&self) -> impl Iterator<Item = Result<PropertyRow, DecodeError>> + 'a {
        let mut input = Reader::new(self.row_data);
        let columns = self.columns;
        (0..self.row_count)
            .map(move |_| PropertyRow::decode(&mut input, Form::AddressBook, columns.iter()))
    }
}

impl<'a> Wire<'a> for ColumnsAndRows<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let columns = LargePropertyTagArray::decode(input)?;
        let row_count = input.u32()?;
        let start = input.position();
        (0..row_count).try_for_each(|_| skip_row(input, Form::AddressBook, columns.iter()))?;
        Ok(Self {
            columns,
            row_count,
            row_data: input.since(start),
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.columns.encode(out)?;
        out.put_u32(self.row_count);
        out.put_bytes(self.row_data);
        Ok(())
    }
}
