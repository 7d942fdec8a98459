//! Response bodies: the frame that all have, and what is in it.

use ropewalk_props::Guid;

use super::{
    AuxiliaryBuffer, ColumnsAndRows, LargePropertyTagArray, MinimalIds, PropertyValueList, Stat,
};
use crate::{
    DecodeError, EncodeError, ErrorCode, Put, Reader,
    codec::{Utf16Z, Wire, wire_struct},
    list::List,
};

/// The frame of every response body (MS-OXCMAPIHTTP 2.2.5).
#[derive(Clone, Debug, PartialEq)]
pub enum Response<'a, B> {
    /// StatusCode is not 0: the request was not carried out at all.
    Failed {
        /// The StatusCode.
        status_code: u32,
        /// The auxiliary buffer.
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    },
    /// StatusCode is 0. ErrorCode still can be one; the body then has nothing in its optional parts.
    Done {
        /// The outcome.
        error_code: ErrorCode,
        /// What is between ErrorCode and the auxiliary buffer.
        body: B,
        /// The auxiliary buffer.
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    },
}

impl<'a, B: Wire<'a>> Response<'a, B> {
    /// Reads the whole of `body`.
    pub fn from_bytes(body: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(body);
        let response = Self::decode(&mut input)?;
        input.finish()?;
        Ok(response)
    }
}

impl<'a, B: Wire<'a>> Wire<'a> for Response<'a, B> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(match input.u32()? {
            0 => Self::Done {
                error_code: ErrorCode(input.u32()?),
                body: B::decode(input)?,
                auxiliary_buffer: Wire::decode(input)?,
            },
            status_code => Self::Failed {
                status_code,
                auxiliary_buffer: Wire::decode(input)?,
            },
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Failed {
                status_code,
                auxiliary_buffer,
            } => {
                out.put_u32(*status_code);
                auxiliary_buffer.encode(out)
            }
            Self::Done {
                error_code,
                body,
                auxiliary_buffer,
            } => {
                out.put_u32(0);
                out.put_u32(error_code.0);
                body.encode(out)?;
                auxiliary_buffer.encode(out)
            }
        }
    }
}

wire_struct! {
    /// Nothing but the ErrorCode (MS-OXCMAPIHTTP 2.2.5.2.2, 2.2.5.10.2, 2.2.5.11.2).
    #[derive(Copy, Default)]
    EmptyResponse {}

    /// MS-OXCMAPIHTTP 2.2.5.1.2.
    #[derive(Default)]
    BindResponse { server_guid: Guid }

    /// MS-OXCMAPIHTTP 2.2.5.3.2.
    #[derive(Default)]
    CompareMIdsResponse { result: i32 }

    /// MS-OXCMAPIHTTP 2.2.5.4.2.
    #[derive(Default)]
    DnToMIdResponse<'a> { minimal_ids: Option<MinimalIds<'a>> }

    /// MS-OXCMAPIHTTP 2.2.5.5.2.
    #[derive(Default)]
    GetMatchesResponse<'a> {
        state: Option<Stat>,
        minimal_ids: Option<MinimalIds<'a>>,
        columns_and_rows: Option<ColumnsAndRows<'a>>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.6.2.
    #[derive(Default)]
    GetPropListResponse<'a> { property_tags: Option<LargePropertyTagArray<'a>> }

    /// MS-OXCMAPIHTTP 2.2.5.7.2.
    #[derive(Default)]
    GetPropsResponse<'a> {
        code_page: u32,
        property_values: Option<PropertyValueList<'a>>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.8.2.
    #[derive(Default)]
    GetSpecialTableResponse<'a> {
        code_page: u32,
        version: Option<u32>,
        rows: Option<List<'a, PropertyValueList<'a>, u32>>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.9.2.
    #[derive(Default)]
    GetTemplateInfoResponse<'a> {
        code_page: u32,
        row: Option<PropertyValueList<'a>>,
    }

    /// QueryRows and SeekEntries (MS-OXCMAPIHTTP 2.2.5.12.2 and 2.2.5.16.2).
    #[derive(Default)]
    StateAndRowsResponse<'a> {
        state: Option<Stat>,
        columns_and_rows: Option<ColumnsAndRows<'a>>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.13.2.
    #[derive(Default)]
    QueryColumnsResponse<'a> { columns: Option<LargePropertyTagArray<'a>> }

    /// MS-OXCMAPIHTTP 2.2.5.14.2.
    #[derive(Default)]
    ResolveNamesResponse<'a> {
        code_page: u32,
        minimal_ids: Option<MinimalIds<'a>>,
        rows_and_columns: Option<ColumnsAndRows<'a>>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.15.2.
    #[derive(Default)]
    ResortRestrictionResponse<'a> {
        state: Option<Stat>,
        minimal_ids: Option<MinimalIds<'a>>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.17.2.
    #[derive(Default)]
    UpdateStatResponse {
        state: Option<Stat>,
        delta: Option<i32>,
    }

    /// GetMailboxUrl and GetAddressBookUrl (MS-OXCMAPIHTTP 2.2.5.18.2 and 2.2.5.19.2).
    #[derive(Default)]
    UrlResponse<'a> { server_url: Utf16Z<'a> }
}
