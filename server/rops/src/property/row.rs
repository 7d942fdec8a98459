//! Rows of properties, fitted to the room that there is (MS-OXCPRPT 2.2.2.2, MS-OXCDATA 2.8.1).

use std::cell::OnceCell;

use ropewalk_props::{PropTag, PropType};
use ropewalk_store::Store;
use ropewalk_wire::{
    ErrorCode, Put,
    row::{Cell, FLAGGED, STANDARD, put_flagged_cell, put_standard_cell},
    value::{Form, put_tagged_value},
};

use super::value::{Found, Packed, Properties, Resolved, Strings};
use crate::{exec::Fail, store_error};

/// Bytes of a row or a list of values: what is left of a payload for one response, whatever the
/// size of the handle table.
pub const ROW_BYTES_MAX: usize = 0x7800;

/// RopId, handle index and ReturnValue before a row.
const RESPONSE_HEADER: usize = 6;

/// Bytes that a value may have to be returned. The first limit that makes the whole fit the
/// largest response is the one that counts; larger values are left to streams.
const VALUE_LIMITS: [usize; 7] = [ROW_BYTES_MAX, 0x2000, 0x800, 0x200, 0x80, 0x20, 0];

/// Where properties go and how.
pub struct RowWriter<'a> {
    /// The response buffer.
    pub out: &'a mut Vec<u8>,
    /// The length that it may grow to.
    pub out_max: usize,
    /// For values that are kept apart.
    pub store: &'a Store,
    /// For strings.
    pub strings: Strings,
}

impl RowWriter<'_> {
    /// Appends a row with a cell for each tag: a StandardPropertyRow if all have values, else a
    /// FlaggedPropertyRow with errors in the places of those that have none or too large ones.
    ///
    /// Fails with [`Fail::NoRoom`] if the row is too long for this response, but not for every one.
    pub fn put_row(
        &mut self,
        tags: impl Iterator<Item = PropTag> + Clone,
        source: &impl Properties,
    ) -> Result<(), Fail> {
        let source = Known::new(source);
        self.fit(|writer, limit| {
            let start = writer.out.len();
            writer.out.put_u8(STANDARD);
            let mut flagged = false;
            for tag in tags.clone() {
                if !writer.put_standard(tag, &source, limit) {
                    flagged = true;
                    break;
                }
            }
            if flagged {
                writer.out.truncate(start);
                writer.out.put_u8(FLAGGED);
                for tag in tags.clone() {
                    writer.put_flagged(tag, &source, limit);
                    if is_hopeless(writer.out.len() - start, limit) {
                        break;
                    }
                }
            }
        })
    }

    /// Appends the number of an object's properties and each one's tag and value; errors as values
    /// of those that are too large (MS-OXCPRPT 2.2.3.2).
    pub fn put_all(&mut self, source: &impl Properties) -> Result<(), Fail> {
        let tags = source.tags();
        self.fit(|writer, limit| {
            let start = writer.out.len();
            writer.out.put_u16(0);
            let mut count = 0_u16;
            for tag in &tags {
                let Some(found) = source.find(*tag) else {
                    continue;
                };
                if writer.put_tagged(*tag, found, limit) {
                    count = count.saturating_add(1);
                }
                if is_hopeless(writer.out.len() - start, limit) {
                    break;
                }
            }
            if let Some(place) = writer.out.get_mut(start..start + 2) {
                place.copy_from_slice(&count.to_le_bytes());
            }
        })
    }

    /// Tries one limit after the other.
    fn fit(&mut self, mut put: impl FnMut(&mut Self, usize)) -> Result<(), Fail> {
        let start = self.out.len();
        let mut len = 0;
        for limit in VALUE_LIMITS {
            self.out.truncate(start);
            put(self, limit);
            len = self.out.len() - start;
            if len <= ROW_BYTES_MAX {
                break;
            }
        }
        if self.out.len() <= self.out_max {
            return Ok(());
        }
        self.out.truncate(start);
        Err(Fail::NoRoom(RESPONSE_HEADER + len))
    }

    /// Appends a cell of a standard row; false, and an undefined end of `out`, if it has no value.
    fn put_standard(
        &mut self,
        tag: PropTag,
        source: &Known<'_, impl Properties>,
        limit: usize,
    ) -> bool {
        let Some(found) = source.find(tag) else {
            return false;
        };
        let Ok(found) = self.load(found, tag.ty(), limit) else {
            return false;
        };
        match resolve(&found, tag.ty(), self.strings, limit) {
            Ok(value) => put_standard_cell(self.out, Form::Rop, tag, value.value_ref()).is_ok(),
            Err(_) => false,
        }
    }

    fn put_flagged(&mut self, tag: PropTag, source: &Known<'_, impl Properties>, limit: usize) {
        let start = self.out.len();
        let code = match source.find(tag).ok_or(ErrorCode::NOT_FOUND) {
            Err(code) => code,
            Ok(found) => {
                let found = self.load(found, tag.ty(), limit);
                match found
                    .as_ref()
                    .map_err(|code| *code)
                    .and_then(|found| resolve(found, tag.ty(), self.strings, limit))
                {
                    Err(code) => code,
                    Ok(value) => {
                        let cell = Cell::Value(value.value_ref());
                        if put_flagged_cell(self.out, Form::Rop, tag, cell).is_ok() {
                            return;
                        }
                        // A type that is never inline: it opens as a stream.
                        ErrorCode::NOT_ENOUGH_MEMORY
                    }
                }
            }
        };
        self.out.truncate(start);
        // An error has a form for every column.
        let _ = put_flagged_cell(self.out, Form::Rop, tag, Cell::Error(code));
    }

    fn put_tagged(&mut self, tag: PropTag, found: Found<'_>, limit: usize) -> bool {
        let start = self.out.len();
        let code = match self.load(found, PropType::UNSPECIFIED, limit) {
            Err(code) => code,
            Ok(found) => match resolve(&found, PropType::UNSPECIFIED, self.strings, limit) {
                Err(code) => code,
                Ok(value) => {
                    let tag = tag.with_type(value.ty);
                    if put_tagged_value(self.out, Form::Rop, tag, value.value_ref()).is_ok() {
                        return true;
                    }
                    ErrorCode::NOT_ENOUGH_MEMORY
                }
            },
        };
        self.out.truncate(start);
        self.out.put_u32(tag.with_type(PropType::ERROR_CODE).0);
        self.out.put_u32(code.0);
        true
    }

    /// Brings a value that is kept apart into memory, if it can be within the limit as type `want`.
    fn load<'f>(
        &self,
        found: Found<'f>,
        want: PropType,
        limit: usize,
    ) -> Result<Found<'f>, ErrorCode> {
        match found {
            Found::Large(ty, blob) => {
                let is_narrow = match want {
                    PropType::UNSPECIFIED => !self.strings.unicode,
                    want => want == PropType::STRING8,
                };
                // A code unit is no less than a byte in any code page.
                let units = usize::from(ty == PropType::STRING && is_narrow) + 1;
                let max = limit.saturating_mul(units) as u64;
                store_error::load(self.store, blob, max)
                    .map(|bytes| Found::Computed(ty, Packed::Long(bytes)))
            }
            found => Ok(found),
        }
    }
}

/// Whether a row is too long to be finished. With the last limit it goes on all the same: a row
/// that ends early would be taken for another one.
fn is_hopeless(len: usize, limit: usize) -> bool {
    limit > 0 && len > ROW_BYTES_MAX
}

/// An object whose properties are also found without their types.
struct Known<'a, P> {
    source: &'a P,
    /// Made when it is first needed.
    tags: OnceCell<Vec<PropTag>>,
}

impl<'a, P: Properties> Known<'a, P> {
    fn new(source: &'a P) -> Self {
        Self {
            source,
            tags: OnceCell::new(),
        }
    }

    /// Finds a property; one that is asked for without its type under the type that it has.
    fn find(&self, tag: PropTag) -> Option<Found<'a>> {
        self.source.find(tag).or_else(|| {
            if tag.ty() != PropType::UNSPECIFIED {
                return None;
            }
            let tags = self.tags.get_or_init(|| self.source.tags());
            let known = tags.iter().find(|known| known.id() == tag.id())?;
            self.source.find(*known)
        })
    }
}

fn resolve<'f>(
    found: &'f Found<'_>,
    want: PropType,
    strings: Strings,
    limit: usize,
) -> Result<Resolved<'f>, ErrorCode> {
    let value = found.resolve(want, strings)?;
    if value.data.len() > limit && value.ty.fixed_size().is_none() {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    Ok(value)
}
