//! Values to bytes.

use ropewalk_props::{PropType, ValueRef};

use super::{Form, HAS_VALUE};
use crate::{EncodeError, Put, codec::Count};

/// Appends a value. Fails on a type that has no inline form, on bytes that do not fit the type,
/// and on a PtypBinary too long for its count; `out` then ends with a part of it.
///
/// A string is cut at its first NUL: with one inside, whatever follows would be misread.
pub fn put_value(out: &mut Vec<u8>, form: Form, value: ValueRef<'_>) -> Result<(), EncodeError> {
    if value.ty.is_multi() {
        return put_multi(out, form, value);
    }
    if let Some(size) = value.ty.fixed_size() {
        if value.data.len() != size {
            return Err(EncodeError::Packed(value.ty));
        }
        out.put_bytes(value.data);
        return Ok(());
    }
    match (value.ty, form) {
        (PropType::STRING | PropType::STRING8 | PropType::BINARY, _)
        | (PropType::SERVER_ID, Form::Rop | Form::Extended) => put_variable(out, form, value),
        // Packed in the encoding of ROP buffers.
        (PropType::RESTRICTION | PropType::RULE_ACTION, Form::Rop) => {
            out.put_bytes(value.data);
            Ok(())
        }
        // PtypEmbeddedTable: a client asks for the table by other means (MS-OXNSPI 2.2.1).
        (PropType::OBJECT, Form::AddressBook) => Ok(()),
        (ty, _) => Err(EncodeError::PropertyType(ty)),
    }
}

/// Bytes that [`put_value`] appends at most, so that a caller can tell whether it fits.
pub fn value_len(form: Form, value: ValueRef<'_>) -> usize {
    let mark = usize::from(form == Form::AddressBook);
    // Per item: a HasValue byte, and a count or a terminator of four bytes at most.
    let frame = mark + 4;
    match value.ty.fixed_size() {
        Some(size) => size,
        None => value.data.len() + frame + value.elements().count() * frame,
    }
}

fn put_multi(out: &mut Vec<u8>, form: Form, value: ValueRef<'_>) -> Result<(), EncodeError> {
    if !value.ty.is_known() {
        return Err(EncodeError::PropertyType(value.ty));
    }
    put_mark(out, form);
    u32::put(out, "a multi-valued property", value.elements().count())?;
    if value.ty.element().fixed_size().is_some() {
        let size = value.ty.element().fixed_size().unwrap_or(1);
        if !value.data.len().is_multiple_of(size) {
            return Err(EncodeError::Packed(value.ty));
        }
        out.put_bytes(value.data);
        return Ok(());
    }
    value
        .elements()
        .try_for_each(|element| put_variable(out, form, element))
}

fn put_variable(out: &mut Vec<u8>, form: Form, value: ValueRef<'_>) -> Result<(), EncodeError> {
    put_mark(out, form);
    match value.ty {
        PropType::STRING => out.put_utf16_z(value.data),
        PropType::STRING8 => out.put_ascii_z(value.data),
        _ => {
            let (what, len) = ("a binary property", value.data.len());
            match form {
                Form::Rop => u16::put(out, what, len)?,
                Form::Extended | Form::AddressBook => u32::put(out, what, len)?,
            }
            out.put_bytes(value.data);
        }
    }
    Ok(())
}

fn put_mark(out: &mut Vec<u8>, form: Form) {
    if form == Form::AddressBook {
        out.put_u8(HAS_VALUE);
    }
}
