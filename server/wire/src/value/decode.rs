//! Bytes to values.

use ropewalk_props::{FileTime, Guid, PropType, PropValue, Utf16Text};

use super::{Form, cell_type};
use crate::{DecodeError, Reader, restriction, rule};

/// Reads a value of type `ty`; for a column type with the multi-value instance bit, one of its
/// values. In the address book form, a value that is marked as absent reads as an empty one.
pub fn take_value(
    input: &mut Reader<'_>,
    form: Form,
    ty: PropType,
) -> Result<PropValue, DecodeError> {
    let ty = cell_type(ty);
    if ty.is_multi() {
        return take_multi(input, form, ty);
    }
    Ok(match ty {
        PropType::NULL => PropValue::Null,
        PropType::INTEGER16 => PropValue::Integer16(input.i16()?),
        PropType::INTEGER32 => PropValue::Integer32(input.i32()?),
        PropType::FLOATING32 => PropValue::Floating32(f32::from_le_bytes(input.array()?)),
        PropType::FLOATING64 => PropValue::Floating64(f64::from_le_bytes(input.array()?)),
        PropType::CURRENCY => PropValue::Currency(input.i64()?),
        PropType::FLOATING_TIME => PropValue::FloatingTime(f64::from_le_bytes(input.array()?)),
        PropType::ERROR_CODE => PropValue::ErrorCode(input.u32()?),
        PropType::BOOLEAN => PropValue::Boolean(input.bool()?),
        PropType::INTEGER64 => PropValue::Integer64(input.i64()?),
        PropType::TIME => PropValue::Time(FileTime(input.u64()?)),
        PropType::GUID => PropValue::Guid(input.guid()?),
        PropType::STRING => PropValue::String(Utf16Text::from_le_bytes(variable(input, form, ty)?)),
        PropType::STRING8 => PropValue::String8(variable(input, form, ty)?.to_vec()),
        PropType::BINARY => PropValue::Binary(variable(input, form, ty)?.to_vec()),
        PropType::SERVER_ID => PropValue::ServerId(variable(input, form, ty)?.to_vec()),
        PropType::RESTRICTION => PropValue::Restriction(structure(input, form, ty)?.to_vec()),
        PropType::RULE_ACTION => PropValue::RuleAction(structure(input, form, ty)?.to_vec()),
        PropType::OBJECT if form == Form::AddressBook => PropValue::Object(Vec::new()),
        _ => return Err(DecodeError::PropertyType(ty.0)),
    })
}

/// Passes over a value without building it.
pub fn skip_value(input: &mut Reader<'_>, form: Form, ty: PropType) -> Result<(), DecodeError> {
    let ty = cell_type(ty);
    if !ty.is_known() {
        return Err(DecodeError::PropertyType(ty.0));
    }
    if ty.is_multi() {
        if !marked(input, form)? {
            return Ok(());
        }
        let count = input.u32()? as usize;
        let element = ty.element();
        return match element.fixed_size() {
            Some(size) => input.bytes(count.saturating_mul(size)).map(drop),
            None => (0..count).try_for_each(|_| variable(input, form, element).map(drop)),
        };
    }
    match (ty, ty.fixed_size()) {
        (_, Some(size)) => input.bytes(size).map(drop),
        (PropType::RESTRICTION | PropType::RULE_ACTION, _) => structure(input, form, ty).map(drop),
        (PropType::OBJECT, _) if form == Form::AddressBook => Ok(()),
        (PropType::OBJECT, _) => Err(DecodeError::PropertyType(ty.0)),
        _ => variable(input, form, ty).map(drop),
    }
}

/// The HasValue byte of the address book form, 0xFF or 0x00; any value but zero is true. True where
/// there is no such byte.
fn marked(input: &mut Reader<'_>, form: Form) -> Result<bool, DecodeError> {
    match form {
        Form::AddressBook => input.bool(),
        Form::Rop | Form::Extended => Ok(true),
    }
}

/// The bytes of one string or binary.
fn variable<'a>(input: &mut Reader<'a>, form: Form, ty: PropType) -> Result<&'a [u8], DecodeError> {
    if ty == PropType::SERVER_ID && form == Form::AddressBook {
        return Err(DecodeError::PropertyType(ty.0));
    }
    if !marked(input, form)? {
        return Ok(&[]);
    }
    match ty {
        PropType::STRING => input.utf16_z(),
        PropType::STRING8 => input.ascii_z(),
        _ => {
            let len = match form {
                Form::Rop => usize::from(input.u16()?),
                Form::Extended | Form::AddressBook => input.u32()? as usize,
            };
            input.bytes(len)
        }
    }
}

/// A restriction or a rule action. They carry no length, so they are parsed to find their end; a
/// value holds the encoding of ROP buffers and no other.
fn structure<'a>(
    input: &mut Reader<'a>,
    form: Form,
    ty: PropType,
) -> Result<&'a [u8], DecodeError> {
    if form != Form::Rop {
        return Err(DecodeError::PropertyType(ty.0));
    }
    let start = input.position();
    if ty == PropType::RESTRICTION {
        restriction::skip(input, form)?;
    } else {
        rule::skip_actions(input)?;
    }
    Ok(input.since(start))
}

fn take_multi(input: &mut Reader<'_>, form: Form, ty: PropType) -> Result<PropValue, DecodeError> {
    let count = match marked(input, form)? {
        true => input.u32()? as usize,
        false => 0,
    };
    macro_rules! integers {
        ($variant:ident, $number:ty) => {
            PropValue::$variant(fixed(input, count, <$number>::from_le_bytes)?)
        };
    }
    Ok(match ty {
        PropType::MULTIPLE_INTEGER16 => integers!(MultipleInteger16, i16),
        PropType::MULTIPLE_INTEGER32 => integers!(MultipleInteger32, i32),
        PropType::MULTIPLE_FLOATING32 => integers!(MultipleFloating32, f32),
        PropType::MULTIPLE_FLOATING64 => integers!(MultipleFloating64, f64),
        PropType::MULTIPLE_CURRENCY => integers!(MultipleCurrency, i64),
        PropType::MULTIPLE_FLOATING_TIME => integers!(MultipleFloatingTime, f64),
        PropType::MULTIPLE_INTEGER64 => integers!(MultipleInteger64, i64),
        PropType::MULTIPLE_TIME => PropValue::MultipleTime(fixed(input, count, |bytes| {
            FileTime(u64::from_le_bytes(bytes))
        })?),
        PropType::MULTIPLE_GUID => PropValue::MultipleGuid(fixed(input, count, Guid)?),
        PropType::MULTIPLE_STRING => {
            PropValue::MultipleString(elements(input, form, ty, count, Utf16Text::from_le_bytes)?)
        }
        PropType::MULTIPLE_STRING8 => {
            PropValue::MultipleString8(elements(input, form, ty, count, <[u8]>::to_vec)?)
        }
        PropType::MULTIPLE_BINARY => {
            PropValue::MultipleBinary(elements(input, form, ty, count, <[u8]>::to_vec)?)
        }
        _ => return Err(DecodeError::PropertyType(ty.0)),
    })
}

fn fixed<T, const N: usize>(
    input: &mut Reader<'_>,
    count: usize,
    from_bytes: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, DecodeError> {
    let bytes = input.bytes(count.saturating_mul(N))?;
    let (chunks, _) = bytes.as_chunks::<N>();
    Ok(chunks.iter().map(|chunk| from_bytes(*chunk)).collect())
}

fn elements<T>(
    input: &mut Reader<'_>,
    form: Form,
    ty: PropType,
    count: usize,
    from_bytes: impl Fn(&[u8]) -> T,
) -> Result<Vec<T>, DecodeError> {
    // Not reserved by `count`: only the input itself bounds the number of items.
    (0..count)
        .map(|_| variable(input, form, ty.element()).map(&from_bytes))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MS-OXCMAPIHTTP 2.2.1.1 has no PtypServerId, so there is no absent one either.
    #[test]
    fn an_address_book_has_no_server_ids_not_even_absent_ones() {
        let mut input = Reader::new(&[0, 0]);
        let refused = Err(DecodeError::PropertyType(PropType::SERVER_ID.0));
        let form = Form::AddressBook;
        assert_eq!(skip_value(&mut input, form, PropType::SERVER_ID), refused);
        assert!(take_value(&mut input, form, PropType::SERVER_ID).is_err());
        let taken = take_value(&mut Reader::new(&[0, 0]), Form::Rop, PropType::SERVER_ID);
        assert_eq!(taken, Ok(PropValue::ServerId(Vec::new())));
    }
}
