//! Request bodies.

use ropewalk_props::PropTag;

use super::{
    AddressBookTaggedPropertyValue, AsciiNames, AuxiliaryBuffer, Filter, LargePropertyTagArray,
    MinimalIds, PropertyNameId, PropertyValueList, Stat, Utf16Names,
};
use crate::{
    codec::{AsciiZ, Bytes32, Utf16Z, wire_struct},
    list::List,
};

wire_struct! {
    /// MS-OXCMAPIHTTP 2.2.5.1.1.
    BindRequest<'a> {
        flags: u32,
        state: Option<Stat>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.2.1.
    UnbindRequest<'a> {
        reserved: u32,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.3.1.
    CompareMIdsRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        minimal_id1: u32,
        minimal_id2: u32,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.4.1.
    DnToMIdRequest<'a> {
        reserved: u32,
        names: Option<AsciiNames<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.5.1.
    GetMatchesRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        minimal_ids: Option<MinimalIds<'a>>,
        interface_option_flags: u32,
        filter: Option<Filter>,
        property_name: Option<PropertyNameId>,
        row_count: u32,
        columns: Option<LargePropertyTagArray<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.6.1.
    GetPropListRequest<'a> {
        flags: u32,
        minimal_id: u32,
        code_page: u32,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.7.1.
    GetPropsRequest<'a> {
        flags: u32,
        state: Option<Stat>,
        property_tags: Option<LargePropertyTagArray<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.8.1.
    GetSpecialTableRequest<'a> {
        flags: u32,
        state: Option<Stat>,
        version: Option<u32>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.9.1.
    GetTemplateInfoRequest<'a> {
        flags: u32,
        display_type: u32,
        template_dn: Option<AsciiZ<'a>>,
        code_page: u32,
        locale_id: u32,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.10.1.
    ModLinkAttRequest<'a> {
        flags: u32,
        property_tag: PropTag,
        minimal_id: u32,
        entry_ids: Option<List<'a, Bytes32<'a>, u32>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.11.1.
    ModPropsRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        property_tags: Option<LargePropertyTagArray<'a>>,
        property_values: Option<PropertyValueList<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.12.1.
    QueryRowsRequest<'a> {
        flags: u32,
        state: Option<Stat>,
        explicit_table: MinimalIds<'a>,
        row_count: u32,
        columns: Option<LargePropertyTagArray<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.13.1.
    QueryColumnsRequest<'a> {
        reserved: u32,
        mapi_flags: u32,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.14.1.
    ResolveNamesRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        property_tags: Option<LargePropertyTagArray<'a>>,
        names: Option<Utf16Names<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.15.1.
    ResortRestrictionRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        minimal_ids: Option<MinimalIds<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.16.1.
    SeekEntriesRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        target: Option<AddressBookTaggedPropertyValue>,
        explicit_table: Option<MinimalIds<'a>>,
        columns: Option<LargePropertyTagArray<'a>>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.17.1.
    UpdateStatRequest<'a> {
        reserved: u32,
        state: Option<Stat>,
        delta_requested: bool,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.18.1.
    GetMailboxUrlRequest<'a> {
        flags: u32,
        server_dn: Utf16Z<'a>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }

    /// MS-OXCMAPIHTTP 2.2.5.19.1.
    GetAddressBookUrlRequest<'a> {
        flags: u32,
        user_dn: Utf16Z<'a>,
        auxiliary_buffer: AuxiliaryBuffer<'a>,
    }
}
