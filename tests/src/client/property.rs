//! Property ROPs (MS-OXCPRPT 2.2.2 to 2.2.13).

use ropewalk_props::{PropTag, PropValue};
use ropewalk_wire::{
    DecodeError, Put as _, Reader,
    codec::Wire as _,
    property_name::PropertyNameRef,
    row::{PropertyRow, RowCell},
    value::{Form, TaggedPropertyValue},
};

use super::{Client, Handle, Result, Rop, table::take_row};

pub use ropewalk_props::{PropValue as Value, PropertyName as Name};

/// A row of a table, or the answer to a list of tags.
pub type Row = PropertyRow;

/// A PropertyProblem (MS-OXCDATA 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Problem {
    pub index: u16,
    pub tag: u32,
    pub code: u32,
}

/// What a test expects in a cell; each method panics if something else is there.
pub trait Cells {
    /// The value.
    fn value(&self, index: usize) -> &PropValue;
    /// A PtypString.
    fn text(&self, index: usize) -> String;
    /// A PtypInteger32.
    fn int(&self, index: usize) -> i32;
    /// A PtypInteger64 that is an identifier.
    fn id(&self, index: usize) -> u64;
    /// A PtypBoolean.
    fn flag(&self, index: usize) -> bool;
    /// A PtypBinary.
    fn binary(&self, index: usize) -> &[u8];
    /// A PtypTime, as a FILETIME.
    fn time(&self, index: usize) -> u64;
    /// The error code in place of a value.
    fn error(&self, index: usize) -> u32;
}

impl Cells for Row {
    fn value(&self, index: usize) -> &PropValue {
        match &self.cells[index] {
            RowCell::Value(value) => value,
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn text(&self, index: usize) -> String {
        match self.value(index) {
            PropValue::String(text) => text.to_string(),
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn int(&self, index: usize) -> i32 {
        match self.value(index) {
            PropValue::Integer32(value) => *value,
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn id(&self, index: usize) -> u64 {
        match self.value(index) {
            PropValue::Integer64(value) => value.cast_unsigned(),
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn flag(&self, index: usize) -> bool {
        match self.value(index) {
            PropValue::Boolean(value) => *value,
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn binary(&self, index: usize) -> &[u8] {
        match self.value(index) {
            PropValue::Binary(value) => value,
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn time(&self, index: usize) -> u64 {
        match self.value(index) {
            PropValue::Time(value) => value.0,
            other => panic!("cell {index} is {other:?}"),
        }
    }
    fn error(&self, index: usize) -> u32 {
        match &self.cells[index] {
            RowCell::Error(code) => code.0,
            other => panic!("cell {index} is {other:?}"),
        }
    }
}

fn take_problems(input: &mut Reader<'_>) -> Result<Vec<Problem>, DecodeError> {
    let count = input.u16()?;
    (0..count)
        .map(|_| {
            Ok(Problem {
                index: input.u16()?,
                tag: input.u32()?,
                code: input.u32()?,
            })
        })
        .collect()
}

fn take_tags(input: &mut Reader<'_>) -> Result<Vec<u32>, DecodeError> {
    let count = input.u16()?;
    (0..count).map(|_| input.u32()).collect()
}

/// PropertyValueCount and the values, as RopSetProperties and its like carry them.
pub fn tagged_values(values: &[(u32, PropValue)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.put_u16(u16::try_from(values.len()).expect("few values"));
    for (tag, value) in values {
        let value = TaggedPropertyValue {
            tag: PropTag(*tag),
            value: value.clone(),
        };
        value
            .put(&mut bytes, Form::Rop)
            .expect("the value has a wire form");
    }
    bytes
}

impl Client {
    /// RopGetPropertiesSpecific (MS-OXCROPS 2.2.8.3) without a limit, strings in Unicode.
    pub fn get_props(&mut self, object: Handle, tags: &[u32]) -> Result<Row> {
        self.get_props_with(object, tags, 0, 1)
    }

    /// RopGetPropertiesSpecific.
    pub fn get_props_with(
        &mut self,
        object: Handle,
        tags: &[u32],
        size_limit: u16,
        want_unicode: u16,
    ) -> Result<Row> {
        let rop = Rop::new(0x07, 0)
            .u16(size_limit)
            .u16(want_unicode)
            .tags(tags);
        self.rop(&rop, &[object])?
            .read(|input| take_row(input, tags))
    }

    /// RopGetPropertiesAll (2.2.8.4) without a limit, strings in Unicode.
    pub fn get_all_props(&mut self, object: Handle) -> Result<Vec<(u32, PropValue)>> {
        let rop = Rop::new(0x08, 0).u16(0).u16(1);
        self.rop(&rop, &[object])?.read(|input| {
            let count = input.u16()?;
            (0..count)
                .map(|_| {
                    let value = TaggedPropertyValue::take(input, Form::Rop)?;
                    Ok((value.tag.0, value.value))
                })
                .collect()
        })
    }

    /// RopGetPropertiesList (2.2.8.5).
    pub fn list_props(&mut self, object: Handle) -> Result<Vec<u32>> {
        self.rop(&Rop::new(0x09, 0), &[object])?.read(take_tags)
    }

    /// RopSetProperties (2.2.8.6).
    pub fn try_set_props(
        &mut self,
        object: Handle,
        values: &[(u32, PropValue)],
    ) -> Result<Vec<Problem>> {
        let rop = Rop::new(0x0A, 0).sized(&tagged_values(values));
        self.rop(&rop, &[object])?.read(take_problems)
    }

    /// RopSetProperties; panics if there are problems.
    pub fn set_props(&mut self, object: Handle, values: &[(u32, PropValue)]) -> Result<()> {
        let problems = self.try_set_props(object, values)?;
        assert!(problems.is_empty(), "{problems:x?}");
        Ok(())
    }

    /// RopDeleteProperties (2.2.8.8).
    pub fn delete_props(&mut self, object: Handle, tags: &[u32]) -> Result<Vec<Problem>> {
        self.rop(&Rop::new(0x0B, 0).tags(tags), &[object])?
            .read(take_problems)
    }

    /// RopGetPropertyIdsFromNames (2.2.8.1); `flags` 2 registers what is unknown.
    pub fn property_ids(&mut self, object: Handle, flags: u8, names: &[Name]) -> Result<Vec<u16>> {
        let mut bytes = Vec::new();
        bytes.put_u16(u16::try_from(names.len()).expect("few names"));
        for name in names {
            PropertyNameRef::from(name)
                .encode(&mut bytes)
                .expect("the name has a wire form");
        }
        let rop = Rop::new(0x56, 0).u8(flags).bytes(&bytes);
        self.rop(&rop, &[object])?.read(|input| {
            let count = input.u16()?;
            (0..count).map(|_| input.u16()).collect()
        })
    }

    /// RopGetNamesFromPropertyIds (2.2.8.2): `None` for Kind 0xFF.
    pub fn property_names(&mut self, object: Handle, ids: &[u16]) -> Result<Vec<Option<Name>>> {
        let mut rop = Rop::new(0x55, 0).u16(u16::try_from(ids.len()).expect("few ids"));
        for id in ids {
            rop = rop.u16(*id);
        }
        self.rop(&rop, &[object])?.read(|input| {
            let count = input.u16()?;
            (0..count)
                .map(|_| Ok(PropertyNameRef::decode(input)?.to_name()))
                .collect()
        })
    }
}
