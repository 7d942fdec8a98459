//! Restrictions (MS-OXCDATA 2.12).

use ropewalk_props::{PropTag, PropType, PropValue};

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::Count,
    value::{Form, TaggedPropertyValue, cell_type, skip_value, take_value},
};

/// Levels of nesting that are read; a restriction inside another is one level down.
pub const DEPTH_MAX: usize = 64;
/// Restrictions and comment values that are read in one.
pub const NODES_MAX: usize = 4096;

/// The relational operator of a restriction (MS-OXCDATA 2.12.5.1). Any byte may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RelOp(pub u8);

#[allow(missing_docs)] // The names are those of the specification.
impl RelOp {
    pub const LESS_THAN: Self = Self(0x00);
    pub const LESS_THAN_OR_EQUAL: Self = Self(0x01);
    pub const GREATER_THAN: Self = Self(0x02);
    pub const GREATER_THAN_OR_EQUAL: Self = Self(0x03);
    pub const EQUAL: Self = Self(0x04);
    pub const NOT_EQUAL: Self = Self(0x05);
    pub const MEMBER_OF_DL: Self = Self(0x64);
}

/// A filter (MS-OXCDATA 2.12).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // Names and meanings are those of the specification.
pub enum Restriction {
    /// 0x00: all of them.
    And(Vec<Restriction>),
    /// 0x01: one of them at least.
    Or(Vec<Restriction>),
    /// 0x02.
    Not(Box<Restriction>),
    /// 0x03: part of a string or binary.
    Content {
        fuzzy_level_low: u16,
        fuzzy_level_high: u16,
        property_tag: PropTag,
        tagged_value: TaggedPropertyValue,
    },
    /// 0x04: a property against a constant.
    Property {
        rel_op: RelOp,
        prop_tag: PropTag,
        tagged_value: TaggedPropertyValue,
    },
    /// 0x05: a property against another.
    CompareProperties {
        rel_op: RelOp,
        prop_tag1: PropTag,
        prop_tag2: PropTag,
    },
    /// 0x06: BitmapRelOp 0 wants `value & mask` to be zero, 1 not to be.
    BitMask {
        bitmap_rel_op: u8,
        prop_tag: PropTag,
        mask: u32,
    },
    /// 0x07: the size in bytes of a value.
    Size {
        rel_op: RelOp,
        prop_tag: PropTag,
        size: u32,
    },
    /// 0x08.
    Exist { prop_tag: PropTag },
    /// 0x09: one recipient or attachment at least.
    SubObject {
        subobject: PropTag,
        restriction: Box<Restriction>,
    },
    /// 0x0A: a restriction, if any, with values that do not count.
    Comment {
        tagged_values: Vec<TaggedPropertyValue>,
        restriction: Option<Box<Restriction>>,
    },
    /// 0x0B: the first `count` matches.
    Count {
        count: u32,
        sub_restriction: Box<Restriction>,
    },
}

const AND: u8 = 0x00;
const OR: u8 = 0x01;
const NOT: u8 = 0x02;
const CONTENT: u8 = 0x03;
const PROPERTY: u8 = 0x04;
const COMPARE_PROPERTIES: u8 = 0x05;
const BIT_MASK: u8 = 0x06;
const SIZE: u8 = 0x07;
const EXIST: u8 = 0x08;
const SUB_OBJECT: u8 = 0x09;
const COMMENT: u8 = 0x0A;
const COUNT: u8 = 0x0B;

impl Restriction {
    /// Reads the whole of `bytes` as one restriction, such as a RestrictionData field.
    pub fn from_bytes(bytes: &[u8], form: Form) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let restriction = Self::decode(&mut input, form)?;
        input.finish()?;
        Ok(restriction)
    }

    /// Reads one restriction, at most [`DEPTH_MAX`] deep and of [`NODES_MAX`] nodes.
    pub fn decode(input: &mut Reader<'_>, form: Form) -> Result<Self, DecodeError> {
        let mut limits = Limits::new();
        decode_at(input, form, &mut limits, 0)
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>, form: Form) -> Result<(), EncodeError> {
        encode_node(self, out, form)
    }
}

/// Passes over one restriction, within the limits of [`Restriction::decode`].
pub fn skip(input: &mut Reader<'_>, form: Form) -> Result<(), DecodeError> {
    let mut limits = Limits::new();
    skip_at(input, form, &mut limits, 0)
}

/// What hostile input may make the reader do.
struct Limits {
    nodes_left: usize,
}

impl Limits {
    const fn new() -> Self {
        Self {
            nodes_left: NODES_MAX,
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), DecodeError> {
        if depth >= DEPTH_MAX {
            return Err(DecodeError::TooDeep(DEPTH_MAX));
        }
        self.node()
    }

    fn node(&mut self) -> Result<(), DecodeError> {
        self.nodes_left = self
            .nodes_left
            .checked_sub(1)
            .ok_or(DecodeError::TooMany(NODES_MAX))?;
        Ok(())
    }
}

fn decode_at(
    input: &mut Reader<'_>,
    form: Form,
    limits: &mut Limits,
    depth: usize,
) -> Result<Restriction, DecodeError> {
    limits.enter(depth)?;
    let below = depth + 1;
    let child = |input: &mut Reader<'_>, limits: &mut Limits| {
        decode_at(input, form, limits, below).map(Box::new)
    };
    Ok(match input.u8()? {
        kind @ (AND | OR) => {
            let count = take_count(input, form)?;
            let children = (0..count)
                .map(|_| decode_at(input, form, limits, below))
                .collect::<Result<_, _>>()?;
            if kind == AND {
                Restriction::And(children)
            } else {
                Restriction::Or(children)
            }
        }
        NOT => Restriction::Not(child(input, limits)?),
        CONTENT => Restriction::Content {
            fuzzy_level_low: input.u16()?,
            fuzzy_level_high: input.u16()?,
            property_tag: PropTag(input.u32()?),
            tagged_value: take_tagged(input, form)?,
        },
        PROPERTY => Restriction::Property {
            rel_op: RelOp(input.u8()?),
            prop_tag: PropTag(input.u32()?),
            tagged_value: take_tagged(input, form)?,
        },
        COMPARE_PROPERTIES => Restriction::CompareProperties {
            rel_op: RelOp(input.u8()?),
            prop_tag1: PropTag(input.u32()?),
            prop_tag2: PropTag(input.u32()?),
        },
        BIT_MASK => Restriction::BitMask {
            bitmap_rel_op: input.u8()?,
            prop_tag: PropTag(input.u32()?),
            mask: input.u32()?,
        },
        SIZE => Restriction::Size {
            rel_op: RelOp(input.u8()?),
            prop_tag: PropTag(input.u32()?),
            size: input.u32()?,
        },
        EXIST => Restriction::Exist {
            prop_tag: PropTag(input.u32()?),
        },
        SUB_OBJECT => Restriction::SubObject {
            subobject: PropTag(input.u32()?),
            restriction: child(input, limits)?,
        },
        COMMENT => {
            let count = input.u8()?;
            let tagged_values = (0..count)
                .map(|_| {
                    limits.node()?;
                    let tag = take_tag(input)?;
                    let value = take_value(input, form, tag.ty())?;
                    Ok(TaggedPropertyValue { tag, value })
                })
                .collect::<Result<_, _>>()?;
            let restriction = match input.bool()? {
                true => Some(child(input, limits)?),
                false => None,
            };
            Restriction::Comment {
                tagged_values,
                restriction,
            }
        }
        COUNT => Restriction::Count {
            count: input.u32()?,
            sub_restriction: child(input, limits)?,
        },
        other => return Err(unknown(other)),
    })
}

fn skip_at(
    input: &mut Reader<'_>,
    form: Form,
    limits: &mut Limits,
    depth: usize,
) -> Result<(), DecodeError> {
    limits.enter(depth)?;
    let below = depth + 1;
    match input.u8()? {
        AND | OR => {
            let count = take_count(input, form)?;
            (0..count).try_for_each(|_| skip_at(input, form, limits, below))
        }
        NOT => skip_at(input, form, limits, below),
        CONTENT => {
            input.bytes(8)?;
            skip_tagged(input, form)
        }
        PROPERTY => {
            input.bytes(5)?;
            skip_tagged(input, form)
        }
        COMPARE_PROPERTIES | BIT_MASK | SIZE => input.bytes(9).map(drop),
        EXIST => input.bytes(4).map(drop),
        SUB_OBJECT | COUNT => {
            input.bytes(4)?;
            skip_at(input, form, limits, below)
        }
        COMMENT => {
            for _ in 0..input.u8()? {
                limits.node()?;
                let tag = take_tag(input)?;
                skip_value(input, form, tag.ty())?;
            }
            if input.bool()? {
                skip_at(input, form, limits, below)
            } else {
                Ok(())
            }
        }
        other => Err(unknown(other)),
    }
}

fn unknown(kind: u8) -> DecodeError {
    DecodeError::Value {
        field: "RestrictType",
        value: kind.into(),
    }
}

/// RestrictCount: u16 in ROP buffers, u32 elsewhere (MS-OXCDATA 2.12.1.1).
fn take_count(input: &mut Reader<'_>, form: Form) -> Result<usize, DecodeError> {
    match form {
        Form::Rop => u16::take(input),
        Form::Extended | Form::AddressBook => u32::take(input),
    }
}

/// In the address book form some clients write a HasValue byte before the TaggedValue. No tag
/// begins with 0x00 or 0xFF in its low type byte, so the byte can be told apart.
fn take_mark(input: &mut Reader<'_>, form: Form) -> Result<bool, DecodeError> {
    if form == Form::AddressBook {
        match input.rest().first() {
            Some(0xFF) => {
                input.u8()?;
            }
            Some(0x00) => {
                input.u8()?;
                return Ok(false);
            }
            _ => {}
        }
    }
    Ok(true)
}

fn take_tagged(input: &mut Reader<'_>, form: Form) -> Result<TaggedPropertyValue, DecodeError> {
    if !take_mark(input, form)? {
        return Ok(TaggedPropertyValue {
            tag: PropTag::new(0, PropType::NULL),
            value: PropValue::Null,
        });
    }
    let tag = take_tag(input)?;
    let value = take_value(input, form, tag.ty())?;
    Ok(TaggedPropertyValue { tag, value })
}

fn skip_tagged(input: &mut Reader<'_>, form: Form) -> Result<(), DecodeError> {
    if !take_mark(input, form)? {
        return Ok(());
    }
    let tag = take_tag(input)?;
    skip_value(input, form, tag.ty())
}

/// The tag of a value in a restriction. Such a value is never a restriction itself: that would
/// nest past the limits.
fn take_tag(input: &mut Reader<'_>) -> Result<PropTag, DecodeError> {
    let tag = PropTag(input.u32()?);
    match cell_type(tag.ty()) {
        PropType::RESTRICTION => Err(DecodeError::PropertyType(tag.ty().0)),
        _ => Ok(tag),
    }
}

fn encode_node(
    restriction: &Restriction,
    out: &mut Vec<u8>,
    form: Form,
) -> Result<(), EncodeError> {
    match restriction {
        Restriction::And(children) => encode_list(AND, children, out, form),
        Restriction::Or(children) => encode_list(OR, children, out, form),
        Restriction::Not(child) => {
            out.put_u8(NOT);
            encode_node(child, out, form)
        }
        Restriction::Content {
            fuzzy_level_low,
            fuzzy_level_high,
            property_tag,
            tagged_value,
        } => {
            out.put_u8(CONTENT);
            out.put_u16(*fuzzy_level_low);
            out.put_u16(*fuzzy_level_high);
            out.put_u32(property_tag.0);
            tagged_value.put(out, form)
        }
        Restriction::Property {
            rel_op,
            prop_tag,
            tagged_value,
        } => {
            out.put_bytes(&[PROPERTY, rel_op.0]);
            out.put_u32(prop_tag.0);
            tagged_value.put(out, form)
        }
        Restriction::CompareProperties {
            rel_op,
            prop_tag1,
            prop_tag2,
        } => put_pair(out, [COMPARE_PROPERTIES, rel_op.0], *prop_tag1, prop_tag2.0),
        Restriction::BitMask {
            bitmap_rel_op,
            prop_tag,
            mask,
        } => put_pair(out, [BIT_MASK, *bitmap_rel_op], *prop_tag, *mask),
        Restriction::Size {
            rel_op,
            prop_tag,
            size,
        } => put_pair(out, [SIZE, rel_op.0], *prop_tag, *size),
        Restriction::Exist { prop_tag } => {
            out.put_u8(EXIST);
            out.put_u32(prop_tag.0);
            Ok(())
        }
        Restriction::SubObject {
            subobject,
            restriction,
        } => {
            out.put_u8(SUB_OBJECT);
            out.put_u32(subobject.0);
            encode_node(restriction, out, form)
        }
        Restriction::Comment {
            tagged_values,
            restriction,
        } => {
            out.put_u8(COMMENT);
            u8::put(out, "a comment restriction", tagged_values.len())?;
            tagged_values
                .iter()
                .try_for_each(|value| value.put(out, form))?;
            out.put_bool(restriction.is_some());
            match restriction {
                Some(child) => encode_node(child, out, form),
                None => Ok(()),
            }
        }
        Restriction::Count {
            count,
            sub_restriction,
        } => {
            out.put_u8(COUNT);
            out.put_u32(*count);
            encode_node(sub_restriction, out, form)
        }
    }
}

fn encode_list(
    kind: u8,
    children: &[Restriction],
    out: &mut Vec<u8>,
    form: Form,
) -> Result<(), EncodeError> {
    out.put_u8(kind);
    match form {
        Form::Rop => u16::put(out, "a restriction", children.len())?,
        Form::Extended | Form::AddressBook => u32::put(out, "a restriction", children.len())?,
    }
    children
        .iter()
        .try_for_each(|child| encode_node(child, out, form))
}

fn put_pair(
    out: &mut Vec<u8>,
    head: [u8; 2],
    tag: PropTag,
    operand: u32,
) -> Result<(), EncodeError> {
    out.put_bytes(&head);
    out.put_u32(tag.0);
    out.put_u32(operand);
    Ok(())
}

#[cfg(test)]
mod tests;
