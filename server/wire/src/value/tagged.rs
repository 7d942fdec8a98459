//! Values with their tag or type beside them (MS-OXCDATA 2.11.3 and 2.11.4).

use ropewalk_props::{PropTag, PropType, PropValue, ValueRef};

use super::{Form, cell_type, put_value, skip_value, take_value};
use crate::{
    DecodeError, EncodeError, ErrorCode, Put, Reader,
    codec::{Wire, put_text},
};

/// A PropertyTag and a value of its type (MS-OXCDATA 2.11.4), as ROP buffers have it.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedPropertyValue {
    /// The tag.
    pub tag: PropTag,
    /// The value, of the type that the tag says.
    pub value: PropValue,
}

/// A PropertyType and a value of it (MS-OXCDATA 2.11.3), as ROP buffers have it.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedPropertyValue(pub PropValue);

/// Appends a tag and a value of its type.
pub fn put_tagged_value(
    out: &mut Vec<u8>,
    form: Form,
    tag: PropTag,
    value: ValueRef<'_>,
) -> Result<(), EncodeError> {
    if cell_type(tag.ty()) != value.ty {
        return Err(EncodeError::Packed(tag.ty()));
    }
    out.put_u32(tag.0);
    put_value(out, form, value)
}

/// Appends a type and a value of it.
pub fn put_typed_value(
    out: &mut Vec<u8>,
    form: Form,
    value: ValueRef<'_>,
) -> Result<(), EncodeError> {
    out.put_u16(value.ty.0);
    put_value(out, form, value)
}

impl TaggedPropertyValue {
    /// Reads one in any form.
    pub fn take(input: &mut Reader<'_>, form: Form) -> Result<Self, DecodeError> {
        let tag = PropTag(input.u32()?);
        let value = take_value(input, form, tag.ty())?;
        Ok(Self { tag, value })
    }

    /// Appends it in any form.
    pub fn put(&self, out: &mut Vec<u8>, form: Form) -> Result<(), EncodeError> {
        with_packed(&self.value, |value| {
            put_tagged_value(out, form, self.tag, value)
        })
    }
}

/// The packed form of an owned value.
pub(crate) fn with_packed<T>(value: &PropValue, then: impl FnOnce(ValueRef<'_>) -> T) -> T {
    let mut packed = Vec::new();
    value.pack(&mut packed);
    then(ValueRef {
        ty: value.ty(),
        data: &packed,
    })
}

impl<'a> Wire<'a> for TaggedPropertyValue {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Self::take(input, Form::Rop)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.put(out, Form::Rop)
    }
    fn skip(input: &mut Reader<'a>) -> Result<(), DecodeError> {
        let tag = PropTag(input.u32()?);
        skip_value(input, Form::Rop, tag.ty())
    }
}

impl<'a> Wire<'a> for TypedPropertyValue {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let ty = PropType(input.u16()?);
        take_value(input, Form::Rop, ty).map(Self)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        with_packed(&self.0, |value| put_typed_value(out, Form::Rop, value))
    }
    fn skip(input: &mut Reader<'a>) -> Result<(), DecodeError> {
        let ty = PropType(input.u16()?);
        skip_value(input, Form::Rop, ty)
    }
}

/// One property that an operation could not handle (MS-OXCDATA 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertyProblem {
    /// Its place in the request's list.
    pub index: u16,
    /// Its tag.
    pub property_tag: PropTag,
    /// What was wrong.
    pub error_code: ErrorCode,
}

impl<'a> Wire<'a> for PropertyProblem {
    const FIXED_SIZE: Option<usize> = Some(10);
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            index: input.u16()?,
            property_tag: PropTag(input.u32()?),
            error_code: ErrorCode(input.u32()?),
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u16(self.index);
        out.put_u32(self.property_tag.0);
        out.put_u32(self.error_code.0);
        Ok(())
    }
}

/// A string that says its own form (MS-OXCDATA 2.11.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TypedString<'a> {
    /// 0x00: no string.
    #[default]
    None,
    /// 0x01: an empty string.
    Empty,
    /// 0x02: 8-bit bytes, without the NUL.
    String8(&'a [u8]),
    /// 0x03: UTF-16 units below 0x100, one byte each, without the NUL.
    Reduced(&'a [u8]),
    /// 0x04: UTF-16LE, without the terminator.
    Unicode(&'a [u8]),
}

impl<'a> TypedString<'a> {
    /// The form for UTF-16LE bytes: empty, or Unicode. The reduced form is never chosen.
    pub const fn unicode(text: &'a [u8]) -> Self {
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Unicode(text)
        }
    }
}

impl<'a> Wire<'a> for TypedString<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match input.u8()? {
            0 => Self::None,
            1 => Self::Empty,
            2 => Self::String8(input.ascii_z()?),
            3 => Self::Reduced(input.ascii_z()?),
            4 => Self::Unicode(input.utf16_z()?),
            other => {
                return Err(DecodeError::Value {
                    field: "StringType",
                    value: other.into(),
                });
            }
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::None => out.put_u8(0),
            Self::Empty => out.put_u8(1),
            Self::String8(text) => {
                out.put_u8(2);
                put_text(out, text, false)?;
            }
            Self::Reduced(text) => {
                out.put_u8(3);
                put_text(out, text, false)?;
            }
            Self::Unicode(text) => {
                out.put_u8(4);
                put_text(out, text, true)?;
            }
        }
        Ok(())
    }
}
