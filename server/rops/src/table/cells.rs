//! From an object's properties to the cells of a table row (MS-OXCDATA 2.8, MS-OXCTABL 2.2.2.5).

use ropewalk_props::{BlobRef, PropTag, PropType, ValueRef};
use ropewalk_store::Store;
use ropewalk_wire::{
    EncodeError, ErrorCode, Put,
    row::{Cell, FLAGGED, STANDARD, put_flagged_cell, put_standard_cell},
    value::{Form, cell_type},
};

use crate::{
    limits::{CELL_LENGTH_MAX, INSTANCES_BYTES_MAX},
    property::value::{Found, Properties, Strings},
};

/// How rows of a table are written.
#[derive(Clone, Copy)]
pub struct RowWriter<'a> {
    /// Where large values are.
    pub store: &'a Store,
    /// The columns.
    pub columns: &'a [PropTag],
    /// How strings are sent.
    pub strings: Strings,
    /// See [`super::TableKind::has_whole_cells`].
    pub whole: bool,
}

impl RowWriter<'_> {
    /// Appends a row straight from its properties: a StandardPropertyRow if it has a value for
    /// every column, else a FlaggedPropertyRow. `part` is which value it has for a multi-valued
    /// column with the instance bit.
    pub fn put(self, out: &mut Vec<u8>, row: &dyn Properties, part: u32) {
        let start = out.len();
        out.put_u8(STANDARD);
        let complete = self.columns.iter().all(|column| {
            self.with_cell(row, *column, part, |cell| match cell {
                Cell::Value(value) => put_standard_cell(out, Form::Rop, *column, value).is_ok(),
                Cell::Absent | Cell::Error(_) => false,
            })
        });
        if complete {
            return;
        }
        out.truncate(start);
        out.put_u8(FLAGGED);
        for column in self.columns {
            let at = out.len();
            let result = self.with_cell(row, *column, part, |cell| {
                put_flagged_cell(out, Form::Rop, *column, cell)
            });
            if result.is_err() {
                // A value that no row can hold, such as an element of 64 KiB.
                out.truncate(at);
                let too_large = Cell::Error(ErrorCode::NOT_ENOUGH_MEMORY);
                let _: Result<(), EncodeError> =
                    put_flagged_cell(out, Form::Rop, *column, too_large);
            }
        }
    }

    fn with_cell<T>(
        self,
        row: &dyn Properties,
        column: PropTag,
        part: u32,
        then: impl FnOnce(Cell<'_>) -> T,
    ) -> T {
        let want = cell_type(column.ty());
        let is_instance = column.ty().0 & PropType::INSTANCE != 0;
        let asked = PropType(column.ty().0 & !PropType::INSTANCE);
        // A string is longest; where it is shown whole, as long as a cell can be.
        let max = if self.whole {
            usize::from(u16::MAX)
        } else {
            cell_bytes_max(PropType::STRING)
        };
        let Some(found) = row.find_start(column.with_type(asked), max) else {
            return then(Cell::Error(ErrorCode::NOT_FOUND));
        };
        let large;
        let value = match &found {
            Found::Large(ty, blob) if is_instance => {
                large = large_prefix(self.store, *blob, INSTANCES_BYTES_MAX);
                let all = ValueRef {
                    ty: *ty,
                    data: &large,
                };
                match all.elements().nth(part as usize) {
                    Some(element) => element,
                    None => return then(Cell::Error(ErrorCode::NOT_FOUND)),
                }
            }
            Found::Large(ty @ (PropType::STRING | PropType::BINARY), blob) => {
                let max = if self.whole {
                    usize::from(u16::MAX)
                } else {
                    cell_bytes_max(*ty)
                };
                large = large_prefix(self.store, *blob, max);
                ValueRef {
                    ty: *ty,
                    data: &large,
                }
            }
            found => match found.value_ref() {
                Some(value) if is_instance => match value.elements().nth(part as usize) {
                    Some(element) => element,
                    None => return then(Cell::Error(ErrorCode::NOT_FOUND)),
                },
                Some(value) => value,
                None => return then(Cell::Error(ErrorCode::NOT_ENOUGH_MEMORY)),
            },
        };
        let value = if self.whole { value } else { cut(value) };
        match Found::Stored(value).resolve(want, self.strings) {
            Ok(resolved) => then(Cell::Value(resolved.value_ref())),
            Err(code) => then(Cell::Error(code)),
        }
    }
}

/// Bytes that a cell of this type may hold.
pub fn cell_bytes_max(ty: PropType) -> usize {
    if ty == PropType::STRING {
        CELL_LENGTH_MAX * 2
    } else {
        CELL_LENGTH_MAX
    }
}

/// A string or binary, cut to what a table cell holds: 255 characters or bytes. A client takes that
/// very length for the sign that there may be more (MS-OXCDATA 2.8.2), so it is kept even where the
/// cut goes through a surrogate pair.
pub fn cut(value: ValueRef<'_>) -> ValueRef<'_> {
    match value.ty {
        PropType::STRING | PropType::BINARY => ValueRef {
            ty: value.ty,
            data: value
                .data
                .get(..cell_bytes_max(value.ty))
                .unwrap_or(value.data),
        },
        _ => value,
    }
}

/// The first bytes of a large value, at most `max`; none if it cannot be read.
pub fn large_prefix(store: &Store, blob: BlobRef, max: usize) -> Vec<u8> {
    let len = usize::try_from(blob.len).unwrap_or(usize::MAX).min(max);
    let mut bytes = vec![0; len];
    let read = store.blob_reader(blob).and_then(|reader| {
        let mut done = 0;
        while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match reader.read_at(done as u64, rest)? {
                0 => break,
                count => done += count,
            }
        }
        Ok(done)
    });
    match read {
        Ok(done) => bytes.truncate(done),
        Err(error) => {
            tracing::error!(%error, "a large value cannot be read");
            bytes.clear();
        }
    }
    bytes
}
