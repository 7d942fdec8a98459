//! Table ROPs (MS-OXCTABL).

use ropewalk_props::PropTag;
use ropewalk_wire::{DecodeError, Reader, restriction::Restriction, row::PropertyRow, value::Form};

use super::{Client, Error, Handle, Result, Rop, property::Row};

/// The response to RopQueryRows.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// 0 the beginning, 1 in between, 2 the end.
    pub origin: u8,
    /// The rows.
    pub rows: Vec<Row>,
}

/// The response to RopSeekRow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Sought {
    pub has_sought_less: u8,
    pub rows_sought: i32,
}

/// The response to RopFindRow.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Found {
    pub row_no_longer_visible: u8,
    pub row: Option<Row>,
}

/// Reads one row with these columns.
pub fn take_row(input: &mut Reader<'_>, columns: &[u32]) -> Result<Row, DecodeError> {
    let columns = columns.iter().copied().map(PropTag);
    PropertyRow::decode(input, Form::Rop, columns)
}

/// A restriction in its ROP form.
pub fn restriction_bytes(restriction: Option<&Restriction>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(restriction) = restriction {
        restriction
            .encode(&mut bytes, Form::Rop)
            .expect("the restriction has a wire form");
    }
    bytes
}

impl Client {
    /// RopSetColumns (MS-OXCROPS 2.2.5.1): TableStatus.
    pub fn set_columns(&mut self, table: Handle, columns: &[u32]) -> Result<u8> {
        self.rop(&Rop::new(0x12, 0).u8(0).tags(columns), &[table])?
            .read(Reader::u8)
    }

    /// RopSortTable (2.2.5.2) without categories, by (tag, 0 ascending or 1 descending):
    /// TableStatus.
    pub fn sort_table(&mut self, table: Handle, orders: &[(u32, u8)]) -> Result<u8> {
        let count = u16::try_from(orders.len()).expect("few sort orders");
        let mut rop = Rop::new(0x13, 0).u8(0).u16(count).u16(0).u16(0);
        for (tag, order) in orders {
            rop = rop.u32(*tag).u8(*order);
        }
        self.rop(&rop, &[table])?.read(Reader::u8)
    }

    /// RopRestrict (2.2.5.3), or its removal: TableStatus.
    pub fn restrict(&mut self, table: Handle, restriction: Option<&Restriction>) -> Result<u8> {
        let rop = Rop::new(0x14, 0)
            .u8(0)
            .sized(&restriction_bytes(restriction));
        self.rop(&rop, &[table])?.read(Reader::u8)
    }

    /// RopQueryRows (2.2.5.4). `columns` are those of the last RopSetColumns.
    pub fn query_rows(
        &mut self,
        table: Handle,
        columns: &[u32],
        flags: u8,
        forward: bool,
        row_count: u16,
    ) -> Result<Rows> {
        let rop = Rop::new(0x15, 0)
            .u8(flags)
            .u8(u8::from(forward))
            .u16(row_count);
        self.rop(&rop, &[table])?.read(|input| {
            let origin = input.u8()?;
            let count = input.u16()?;
            let rows = (0..count)
                .map(|_| take_row(input, columns))
                .collect::<Result<_, _>>()?;
            Ok(Rows { origin, rows })
        })
    }

    /// RopSetColumns, and RopQueryRows forward until the table ends.
    pub fn query_all_rows(&mut self, table: Handle, columns: &[u32]) -> Result<Vec<Row>> {
        self.set_columns(table, columns)?;
        let mut all = Vec::new();
        loop {
            let mut rows = self.query_rows(table, columns, 0, true, 200)?;
            if rows.rows.is_empty() {
                return if rows.origin == 2 {
                    Ok(all)
                } else {
                    Err(Error::Malformed(format!(
                        "no rows, yet Origin is {}",
                        rows.origin
                    )))
                };
            }
            all.append(&mut rows.rows);
        }
    }

    /// RopQueryPosition (2.2.5.7): Numerator and Denominator.
    pub fn query_position(&mut self, table: Handle) -> Result<(u32, u32)> {
        self.rop(&Rop::new(0x17, 0), &[table])?
            .read(|input| Ok((input.u32()?, input.u32()?)))
    }

    /// RopSeekRow (2.2.5.8).
    pub fn seek_row(
        &mut self,
        table: Handle,
        origin: u8,
        row_count: i32,
        want_row_moved_count: bool,
    ) -> Result<Sought> {
        let rop = Rop::new(0x18, 0)
            .u8(origin)
            .u32(row_count.cast_unsigned())
            .u8(u8::from(want_row_moved_count));
        self.rop(&rop, &[table])?.read(|input| {
            Ok(Sought {
                has_sought_less: input.u8()?,
                rows_sought: input.i32()?,
            })
        })
    }

    /// RopFindRow (2.2.5.13) without a bookmark.
    pub fn find_row(
        &mut self,
        table: Handle,
        columns: &[u32],
        restriction: &Restriction,
        backward: bool,
        origin: u8,
    ) -> Result<Found> {
        let rop = Rop::new(0x4F, 0)
            .u8(u8::from(backward))
            .sized(&restriction_bytes(Some(restriction)))
            .u8(origin)
            .sized(&[]);
        self.rop(&rop, &[table])?.read(|input| {
            let row_no_longer_visible = input.u8()?;
            let row = if input.bool()? {
                Some(take_row(input, columns)?)
            } else {
                None
            };
            Ok(Found {
                row_no_longer_visible,
                row,
            })
        })
    }
}
