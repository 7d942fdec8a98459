//! Property rows: the cells of a table row, or the answers to a list of tags (MS-OXCDATA 2.8).

use ropewalk_props::{PropTag, PropType, PropValue, ValueRef};

use crate::{
    DecodeError, EncodeError, ErrorCode, Put, Reader,
    value::{Form, cell_type, put_value, skip_value, take_value, with_packed},
};

/// Flag of a row in which every column has a value (MS-OXCDATA 2.8.1.1).
pub const STANDARD: u8 = 0x00;
/// Flag of a row in which every cell has a flag of its own (MS-OXCDATA 2.8.1.2).
pub const FLAGGED: u8 = 0x01;

/// Flags of a FlaggedPropertyValue (MS-OXCDATA 2.11.5).
const CELL_VALUE: u8 = 0x00;
const CELL_ABSENT: u8 = 0x01;
const CELL_ERROR: u8 = 0x0A;

/// What a row has for a column, to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// A value of the column's type; of any type for a PtypUnspecified column.
    Value(ValueRef<'a>),
    /// Nothing, without a reason (flag 0x01).
    Absent,
    /// An error in its place.
    Error(ErrorCode),
}

/// Appends a row: a StandardPropertyRow if every cell has a value, else a FlaggedPropertyRow.
///
/// `cell` is asked for each column in order, and again from the start when a cell turns out to
/// lack a value. The value of a column must be of [`cell_type`] of the column's type. After an
/// error, `out` is as it was.
pub fn put_row<'v>(
    out: &mut Vec<u8>,
    form: Form,
    columns: impl Iterator<Item = PropTag> + Clone,
    mut cell: impl FnMut(PropTag) -> Cell<'v>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let result = put_standard_row(out, form, columns.clone(), &mut cell).and_then(|complete| {
        if complete {
            return Ok(());
        }
        out.truncate(start);
        out.put_u8(FLAGGED);
        columns
            .clone()
            .try_for_each(|column| put_flagged_cell(out, form, column, cell(column)))
    });
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Appends a StandardPropertyRow up to the first cell without a value; true if there was none.
fn put_standard_row<'v>(
    out: &mut Vec<u8>,
    form: Form,
    columns: impl Iterator<Item = PropTag>,
    cell: &mut impl FnMut(PropTag) -> Cell<'v>,
) -> Result<bool, EncodeError> {
    out.put_u8(STANDARD);
    for column in columns {
        match cell(column) {
            Cell::Value(value) => put_standard_cell(out, form, column, value)?,
            Cell::Absent | Cell::Error(_) => return Ok(false),
        }
    }
    Ok(true)
}

/// Appends a cell of a StandardPropertyRow: a PropertyValue, or a TypedPropertyValue for a
/// PtypUnspecified column.
pub fn put_standard_cell(
    out: &mut Vec<u8>,
    form: Form,
    column: PropTag,
    value: ValueRef<'_>,
) -> Result<(), EncodeError> {
    put_cell_type(out, column, value.ty)?;
    put_value(out, form, value)
}

/// Appends a cell of a FlaggedPropertyRow: a FlaggedPropertyValue, or a
/// FlaggedPropertyValueWithType for a PtypUnspecified column (MS-OXCDATA 2.11.5 and 2.11.6).
pub fn put_flagged_cell(
    out: &mut Vec<u8>,
    form: Form,
    column: PropTag,
    cell: Cell<'_>,
) -> Result<(), EncodeError> {
    match cell {
        Cell::Value(value) => {
            put_cell_type(out, column, value.ty)?;
            out.put_u8(CELL_VALUE);
            put_value(out, form, value)
        }
        Cell::Absent => {
            put_cell_type(out, column, cell_type(column.ty()))?;
            out.put_u8(CELL_ABSENT);
            Ok(())
        }
        Cell::Error(code) => {
            put_error_type(out, column);
            out.put_u8(CELL_ERROR);
            out.put_u32(code.0);
            Ok(())
        }
    }
}

fn put_cell_type(out: &mut Vec<u8>, column: PropTag, ty: PropType) -> Result<(), EncodeError> {
    if column.ty() == PropType::UNSPECIFIED {
        out.put_u16(ty.0);
        return Ok(());
    }
    if cell_type(column.ty()) != ty {
        return Err(EncodeError::Packed(column.ty()));
    }
    Ok(())
}

fn put_error_type(out: &mut Vec<u8>, column: PropTag) {
    if column.ty() == PropType::UNSPECIFIED {
        out.put_u16(PropType::ERROR_CODE.0);
    }
}

/// What a decoded row has for a column.
#[derive(Clone, Debug, PartialEq)]
pub enum RowCell {
    /// A value.
    Value(PropValue),
    /// Nothing, without a reason.
    Absent,
    /// An error in its place.
    Error(ErrorCode),
}

impl RowCell {
    /// The value, if there is one.
    pub const fn value(&self) -> Option<&PropValue> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Error(_) => None,
        }
    }
}

/// A decoded row.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PropertyRow {
    /// One cell per column.
    pub cells: Vec<RowCell>,
}

impl PropertyRow {
    /// Reads a row of these columns.
    pub fn decode(
        input: &mut Reader<'_>,
        form: Form,
        columns: impl Iterator<Item = PropTag>,
    ) -> Result<Self, DecodeError> {
        let flagged = take_row_flag(input)?;
        let cells = columns
            .map(|column| take_cell(input, form, flagged, column))
            .collect::<Result<_, _>>()?;
        Ok(Self { cells })
    }

    /// Appends the row, in the standard form if it can be.
    pub fn encode(
        &self,
        out: &mut Vec<u8>,
        form: Form,
        columns: &[PropTag],
    ) -> Result<(), EncodeError> {
        if self.cells.len() != columns.len() {
            return Err(EncodeError::CellCount {
                cells: self.cells.len(),
                columns: columns.len(),
            });
        }
        let flagged = self.cells.iter().any(|cell| cell.value().is_none());
        out.put_u8(if flagged { FLAGGED } else { STANDARD });
        for (cell, column) in self.cells.iter().zip(columns) {
            match (cell, flagged) {
                (RowCell::Value(value), true) => with_packed(value, |value| {
                    put_flagged_cell(out, form, *column, Cell::Value(value))
                })?,
                (RowCell::Value(value), false) => {
                    with_packed(value, |value| put_standard_cell(out, form, *column, value))?;
                }
                (RowCell::Absent, _) => put_flagged_cell(out, form, *column, Cell::Absent)?,
                (RowCell::Error(code), _) => {
                    put_flagged_cell(out, form, *column, Cell::Error(*code))?;
                }
            }
        }
        Ok(())
    }
}

/// Passes over a row of these columns.
pub fn skip_row(
    input: &mut Reader<'_>,
    form: Form,
    mut columns: impl Iterator<Item = PropTag>,
) -> Result<(), DecodeError> {
    let flagged = take_row_flag(input)?;
    columns.try_for_each(|column| {
        let ty = take_cell_type(input, column)?;
        match take_cell_flag(input, flagged)? {
            CELL_VALUE => skip_value(input, form, ty),
            CELL_ERROR => input.u32().map(drop),
            _ => Ok(()),
        }
    })
}

fn take_cell(
    input: &mut Reader<'_>,
    form: Form,
    flagged: bool,
    column: PropTag,
) -> Result<RowCell, DecodeError> {
    let ty = take_cell_type(input, column)?;
    Ok(match take_cell_flag(input, flagged)? {
        CELL_VALUE => RowCell::Value(take_value(input, form, ty)?),
        CELL_ERROR => RowCell::Error(ErrorCode(input.u32()?)),
        _ => RowCell::Absent,
    })
}

fn take_row_flag(input: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match input.u8()? {
        STANDARD => Ok(false),
        FLAGGED => Ok(true),
        other => Err(DecodeError::Value {
            field: "PropertyRow Flag",
            value: other.into(),
        }),
    }
}

fn take_cell_type(input: &mut Reader<'_>, column: PropTag) -> Result<PropType, DecodeError> {
    match column.ty() {
        PropType::UNSPECIFIED => input.u16().map(PropType),
        ty => Ok(ty),
    }
}

fn take_cell_flag(input: &mut Reader<'_>, flagged: bool) -> Result<u8, DecodeError> {
    if !flagged {
        return Ok(CELL_VALUE);
    }
    match input.u8()? {
        flag @ (CELL_VALUE | CELL_ABSENT | CELL_ERROR) => Ok(flag),
        other => Err(DecodeError::Value {
            field: "FlaggedPropertyValue Flag",
            value: other.into(),
        }),
    }
}

/// Rows back to back, with their columns known (MS-OXCDATA 2.8.2).
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, 'c> {
    input: Reader<'a>,
    form: Form,
    left: usize,
    columns: &'c [PropTag],
}

impl<'a, 'c> Rows<'a, 'c> {
    /// The first `count` rows of ROP-form `bytes`.
    pub const fn new(bytes: &'a [u8], count: usize, columns: &'c [PropTag]) -> Self {
        Self {
            input: Reader::new(bytes),
            form: Form::Rop,
            left: count,
            columns,
        }
    }
}

impl Iterator for Rows<'_, '_> {
    type Item = Result<PropertyRow, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let row = PropertyRow::decode(&mut self.input, self.form, self.columns.iter().copied());
        if row.is_err() {
            self.left = 0;
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests;
