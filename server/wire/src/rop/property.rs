//! Property ROPs (MS-OXCROPS 2.2.8).

use ropewalk_props::{Guid, PropTag};

use super::{
    RequestBody,
    response::{ResponseContext, ResponseWire},
};
use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Count, Wire, wire_struct},
    list::{List, TagArray, put_sized},
    property_name::PropertyNameRef,
    row::{PropertyRow, skip_row},
    value::{Form, PropertyProblem, TaggedPropertyValue},
};

wire_struct! {
    /// RopGetPropertyIdsFromNames request.
    #[derive(Copy, Default)]
    GetPropertyIdsFromNamesRequest<'a> {
        flags: u8,
        property_names: List<'a, PropertyNameRef<'a>>,
    }

    /// RopGetPropertyIdsFromNames success response.
    #[derive(Copy, Default)]
    PropertyIdsResponse<'a> { property_ids: List<'a, u16> }

    /// RopGetNamesFromPropertyIds request.
    #[derive(Copy, Default)]
    GetNamesFromPropertyIdsRequest<'a> { property_ids: List<'a, u16> }

    /// RopGetNamesFromPropertyIds success response.
    #[derive(Copy, Default)]
    PropertyNamesResponse<'a> { property_names: List<'a, PropertyNameRef<'a>> }

    /// RopGetPropertiesSpecific request.
    #[derive(Copy, Default)]
    GetPropertiesSpecificRequest<'a> {
        property_size_limit: u16,
        want_unicode: u16,
        property_tags: TagArray<'a>,
    }

    /// RopGetPropertiesAll request.
    #[derive(Copy, Default)]
    GetPropertiesAllRequest { property_size_limit: u16, want_unicode: u16 }

    /// RopGetPropertiesAll success response.
    #[derive(Copy, Default)]
    GetPropertiesAllResponse<'a> { property_values: List<'a, TaggedPropertyValue> }

    /// RopDeleteProperties and RopDeletePropertiesNoReplicate request.
    #[derive(Copy, Default)]
    DeletePropertiesRequest<'a> { property_tags: TagArray<'a> }

    /// Success response of the ROPs that set, delete and copy properties.
    #[derive(Copy, Default)]
    PropertyProblemsResponse<'a> { property_problems: List<'a, PropertyProblem> }

    /// RopQueryNamedProperties request.
    #[derive(Copy, Default)]
    QueryNamedPropertiesRequest {
        query_flags: u8,
        /// Present if HasGuid.
        property_guid: Option<Guid>,
    }

    /// RopCopyProperties request. Byte 3 of the request is its SourceHandleIndex.
    #[derive(Copy, Default)]
    CopyPropertiesRequest<'a> {
        dest_handle_index: u8,
        want_asynchronous: bool,
        copy_flags: u8,
        property_tags: TagArray<'a>,
    }

    /// RopCopyTo request. Byte 3 of the request is its SourceHandleIndex.
    #[derive(Copy, Default)]
    CopyToRequest<'a> {
        dest_handle_index: u8,
        want_asynchronous: bool,
        want_sub_objects: bool,
        copy_flags: u8,
        excluded_tags: TagArray<'a>,
    }

    /// RopProgress request.
    #[derive(Copy, Default)]
    ProgressRequest { want_cancel: bool }

    /// RopProgress success response.
    #[derive(Copy, Default)]
    ProgressResponse { logon_id: u8, completed_task_count: u32, total_task_count: u32 }
}

/// RopSetProperties and RopSetPropertiesNoReplicate request.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct SetPropertiesRequest<'a> {
    /// The values, behind PropertyValueSize and PropertyValueCount.
    pub property_values: List<'a, TaggedPropertyValue>,
}

impl<'a> Wire<'a> for SetPropertiesRequest<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let size = usize::from(input.u16()?);
        let mut values = input.sub(size)?;
        let property_values = List::decode(&mut values)?;
        values.finish()?;
        Ok(Self { property_values })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_sized(out, |out| self.property_values.encode(out))
    }
}

/// RopGetPropertiesSpecific success response: a row of the tags asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GetPropertiesSpecificResponse<'a> {
    /// The row.
    pub row_data: &'a [u8],
}

impl GetPropertiesSpecificResponse<'_> {
    /// The row, decoded with the tags of the request.
    pub fn row(&self, tags: &[PropTag]) -> Result<PropertyRow, DecodeError> {
        PropertyRow::decode(
            &mut Reader::new(self.row_data),
            Form::Rop,
            tags.iter().copied(),
        )
    }
}

impl<'a> ResponseWire<'a> for GetPropertiesSpecificResponse<'a> {
    fn take_body(
        input: &mut Reader<'a>,
        context: &ResponseContext<'_>,
    ) -> Result<Self, DecodeError> {
        let start = input.position();
        if let RequestBody::GetPropertiesSpecific(request) = &context.request.body {
            skip_row(input, Form::Rop, request.property_tags.iter())?;
        }
        Ok(Self {
            row_data: input.since(start),
        })
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_bytes(self.row_data);
        Ok(())
    }
}

/// RopQueryNamedProperties success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct QueryNamedPropertiesResponse<'a> {
    /// The property ids.
    pub property_ids: List<'a, u16>,
    /// Their names: as many.
    pub property_names: List<'a, PropertyNameRef<'a>>,
}

impl<'a> Wire<'a> for QueryNamedPropertiesResponse<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let id_count = usize::from(input.u16()?);
        Ok(Self {
            property_ids: List::take(input, id_count)?,
            property_names: List::take(input, id_count)?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (ids, names) = (self.property_ids.len(), self.property_names.len());
        if ids != names {
            return Err(EncodeError::CellCount {
                cells: names,
                columns: ids,
            });
        }
        u16::put(out, "a list of named properties", ids)?;
        self.property_ids.put_items(out)?;
        self.property_names.put_items(out)
    }
}
