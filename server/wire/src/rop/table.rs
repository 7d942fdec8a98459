//! Table ROPs (MS-OXCROPS 2.2.5).
//!
//! Rows stay in bytes: only their table's columns say where one ends. A server writes them in place
//! with [`crate::row::put_row`] behind [`super::put_response_header`] and the fields before them.

use ropewalk_props::PropTag;

use super::response::{ResponseContext, ResponseWire};
use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Bytes16, wire_struct},
    list::TagArray,
    row::{PropertyRow, Rows, skip_row},
    sort::SortOrderSet,
    value::Form,
};

wire_struct! {
    /// RopSetColumns request.
    #[derive(Copy, Default)]
    SetColumnsRequest<'a> { set_columns_flags: u8, property_tags: TagArray<'a> }

    /// RopSetColumns, RopSortTable, RopRestrict, RopAbort and RopGetStatus success response.
    #[derive(Copy, Default)]
    TableStatusResponse { table_status: u8 }

    /// RopSortTable request.
    #[derive(Default)]
    SortTableRequest<'a> { sort_table_flags: u8, sort_orders: SortOrderSet<'a> }

    /// RopRestrict request.
    #[derive(Copy, Default)]
    RestrictRequest<'a> {
        restrict_flags: u8,
        /// A restriction in the form of ROP buffers; empty for none.
        restriction_data: Bytes16<'a>,
    }

    /// RopQueryRows request.
    #[derive(Copy, Default)]
    QueryRowsRequest { query_rows_flags: u8, forward_read: bool, row_count: u16 }

    /// RopQueryPosition success response.
    #[derive(Copy, Default)]
    QueryPositionResponse { numerator: u32, denominator: u32 }

    /// RopSeekRow request.
    #[derive(Copy, Default)]
    SeekRowRequest { origin: u8, row_count: i32, want_row_moved_count: bool }

    /// RopSeekRow success response.
    #[derive(Copy, Default)]
    SeekRowResponse { has_sought_less: bool, rows_sought: i32 }

    /// RopSeekRowBookmark request.
    #[derive(Copy, Default)]
    SeekRowBookmarkRequest<'a> {
        bookmark: Bytes16<'a>,
        row_count: i32,
        want_row_moved_count: bool,
    }

    /// RopSeekRowBookmark success response.
    #[derive(Copy, Default)]
    SeekRowBookmarkResponse {
        row_no_longer_visible: bool,
        has_sought_less: bool,
        rows_sought: i32,
    }

    /// RopSeekRowFractional request.
    #[derive(Copy, Default)]
    SeekRowFractionalRequest { numerator: u32, denominator: u32 }

    /// RopCreateBookmark and RopSetCollapseState success response.
    #[derive(Copy, Default)]
    BookmarkResponse<'a> { bookmark: Bytes16<'a> }

    /// RopQueryColumnsAll and RopGetPropertiesList success response.
    #[derive(Copy, Default)]
    PropertyTagsResponse<'a> { property_tags: TagArray<'a> }

    /// RopFindRow request.
    #[derive(Copy, Default)]
    FindRowRequest<'a> {
        find_row_flags: u8,
        /// A restriction in the form of ROP buffers.
        restriction_data: Bytes16<'a>,
        origin: u8,
        bookmark: Bytes16<'a>,
    }

    /// RopFreeBookmark request.
    #[derive(Copy, Default)]
    FreeBookmarkRequest<'a> { bookmark: Bytes16<'a> }

    /// RopExpandRow request. CategoryId is the PidTagInstID of the header row.
    #[derive(Copy, Default)]
    ExpandRowRequest { max_row_count: u16, category_id: u64 }

    /// RopCollapseRow request.
    #[derive(Copy, Default)]
    CollapseRowRequest { category_id: u64 }

    /// RopCollapseRow success response.
    #[derive(Copy, Default)]
    CollapseRowResponse { collapsed_row_count: u32 }

    /// RopGetCollapseState request.
    #[derive(Copy, Default)]
    GetCollapseStateRequest { row_id: u64, row_instance_number: u32 }

    /// RopGetCollapseState success response.
    #[derive(Copy, Default)]
    GetCollapseStateResponse<'a> { collapse_state: Bytes16<'a> }

    /// RopSetCollapseState request.
    #[derive(Copy, Default)]
    SetCollapseStateRequest<'a> { collapse_state: Bytes16<'a> }
}

/// RopQueryRows success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct QueryRowsResponse<'a> {
    /// Where the cursor is now: 0 at the start, 1 between, 2 at the end.
    pub origin: u8,
    /// Number of rows.
    pub row_count: u16,
    /// The rows, back to back.
    pub row_data: &'a [u8],
}

impl<'a> QueryRowsResponse<'a> {
    /// The rows, decoded with the columns of the table.
    pub fn rows<'c>(&self, columns: &'c [PropTag]) -> Rows<'a, 'c> {
        Rows::new(self.row_data, usize::from(self.row_count), columns)
    }
}

impl<'a> ResponseWire<'a> for QueryRowsResponse<'a> {
    fn take_body(
        input: &mut Reader<'a>,
        context: &ResponseContext<'_>,
    ) -> Result<Self, DecodeError> {
        let origin = input.u8()?;
        let row_count = input.u16()?;
        let row_data = take_rows(input, row_count, context.columns)?;
        Ok(Self {
            origin,
            row_count,
            row_data,
        })
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(self.origin);
        out.put_u16(self.row_count);
        out.put_bytes(self.row_data);
        Ok(())
    }
}

/// RopFindRow success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct FindRowResponse<'a> {
    /// Whether the bookmark's row has left the table.
    pub row_no_longer_visible: bool,
    /// The row; present if HasRowData.
    pub row_data: Option<&'a [u8]>,
}

impl FindRowResponse<'_> {
    /// The row, decoded with the columns of the table.
    pub fn row(&self, columns: &[PropTag]) -> Result<Option<PropertyRow>, DecodeError> {
        let decode =
            |row| PropertyRow::decode(&mut Reader::new(row), Form::Rop, columns.iter().copied());
        self.row_data.map(decode).transpose()
    }
}

impl<'a> ResponseWire<'a> for FindRowResponse<'a> {
    fn take_body(
        input: &mut Reader<'a>,
        context: &ResponseContext<'_>,
    ) -> Result<Self, DecodeError> {
        let row_no_longer_visible = input.bool()?;
        let has_row_data = input.bool()?;
        let row_data = has_row_data
            .then(|| take_rows(input, 1, context.columns))
            .transpose()?;
        Ok(Self {
            row_no_longer_visible,
            row_data,
        })
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_bool(self.row_no_longer_visible);
        out.put_bool(self.row_data.is_some());
        out.put_bytes(self.row_data.unwrap_or_default());
        Ok(())
    }
}

/// RopExpandRow success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct ExpandRowResponse<'a> {
    /// Number of rows that the category holds.
    pub expanded_row_count: u32,
    /// Number of rows that follow.
    pub row_count: u16,
    /// The rows, back to back.
    pub row_data: &'a [u8],
}

impl<'a> ExpandRowResponse<'a> {
    /// The rows, decoded with the columns of the table.
    pub fn rows<'c>(&self, columns: &'c [PropTag]) -> Rows<'a, 'c> {
        Rows::new(self.row_data, usize::from(self.row_count), columns)
    }
}

impl<'a> ResponseWire<'a> for ExpandRowResponse<'a> {
    fn take_body(
        input: &mut Reader<'a>,
        context: &ResponseContext<'_>,
    ) -> Result<Self, DecodeError> {
        let expanded_row_count = input.u32()?;
        let row_count = input.u16()?;
        let row_data = take_rows(input, row_count, context.columns)?;
        Ok(Self {
            expanded_row_count,
            row_count,
            row_data,
        })
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.expanded_row_count);
        out.put_u16(self.row_count);
        out.put_bytes(self.row_data);
        Ok(())
    }
}

fn take_rows<'a>(
    input: &mut Reader<'a>,
    count: u16,
    columns: &[PropTag],
) -> Result<&'a [u8], DecodeError> {
    let start = input.position();
    (0..count).try_for_each(|_| skip_row(input, Form::Rop, columns.iter().copied()))?;
    Ok(input.since(start))
}
