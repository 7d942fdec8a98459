//! Rows of users, built for a response.

use ropewalk_props::{PropTag, PropType, tags};
use ropewalk_store::User;
use ropewalk_wire::{
    EncodeError, ErrorCode,
    nspi::{ColumnsAndRows, LargePropertyTagArray},
    row::{PropertyRow, RowCell},
    value::Form,
};

use super::{COLUMNS_MAX, property::View};

/// Bytes of rows after which no further one is begun.
const ROW_DATA_MAX: usize = 4 << 20;

/// The columns of a client that names none (MS-OXNSPI 3.1.4.1.8, constraint 6).
const DEFAULT_COLUMNS: [PropTag; 7] = [
    tags::PID_TAG_ADDRESS_BOOK_CONTAINER_ID,
    tags::PID_TAG_OBJECT_TYPE,
    tags::PID_TAG_DISPLAY_TYPE,
    tags::PID_TAG_DISPLAY_NAME.with_type(PropType::STRING8),
    tags::PID_TAG_PRIMARY_TELEPHONE_NUMBER.with_type(PropType::STRING8),
    tags::PID_TAG_DEPARTMENT_NAME.with_type(PropType::STRING8),
    tags::PID_TAG_OFFICE_LOCATION.with_type(PropType::STRING8),
];

/// Rows, encoded, and their columns.
pub struct Rows {
    columns: Vec<PropTag>,
    count: u32,
    data: Vec<u8>,
}

/// The columns that a client asks for, or the default ones; TableTooBig for more than
/// [`COLUMNS_MAX`].
pub fn columns(asked: Option<LargePropertyTagArray<'_>>) -> Result<Vec<PropTag>, ErrorCode> {
    match asked {
        None => Ok(DEFAULT_COLUMNS.to_vec()),
        Some(tags) if tags.len() > COLUMNS_MAX => Err(ErrorCode::TABLE_TOO_BIG),
        Some(tags) => Ok(tags.iter().collect()),
    }
}

impl Rows {
    /// No rows of these columns.
    pub const fn new(columns: Vec<PropTag>) -> Self {
        Self {
            columns,
            count: 0,
            data: Vec::new(),
        }
    }

    /// Appends a user's row; a row of errors where there is no user (MS-OXNSPI 3.1.4.1.7,
    /// constraint 11). False, and nothing appended, once there is enough for one response.
    pub fn push(&mut self, view: &View, user: Option<&User>) -> Result<bool, EncodeError> {
        if self.data.len() >= ROW_DATA_MAX {
            return Ok(false);
        }
        let cells = self.columns.iter().map(|column| match user {
            Some(user) => view.cell(user, *column),
            None => RowCell::Error(ErrorCode::NOT_FOUND),
        });
        let row = PropertyRow {
            cells: cells.collect(),
        };
        row.encode(&mut self.data, Form::AddressBook, &self.columns)?;
        self.count += 1;
        Ok(true)
    }

    /// Number of rows.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// As a response has them.
    pub fn as_wire(&self) -> ColumnsAndRows<'_> {
        ColumnsAndRows {
            columns: self.columns.as_slice().into(),
            row_count: self.count,
            row_data: &self.data,
        }
    }
}
