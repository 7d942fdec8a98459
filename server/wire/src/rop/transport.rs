//! Transport ROPs (MS-OXCROPS 2.2.7).

use crate::{
    DecodeError, EncodeError, Fid, Mid, Reader,
    codec::{AsciiZ, Bytes16, Count, Wire, wire_struct},
    list::{List, put_sized},
    value::TaggedPropertyValue,
};

wire_struct! {
    /// RopSubmitMessage request.
    #[derive(Copy, Default)]
    SubmitMessageRequest { submit_flags: u8 }

    /// RopAbortSubmit request.
    #[derive(Copy)]
    AbortSubmitRequest { folder_id: Fid, message_id: Mid }

    /// RopSpoolerLockMessage request.
    #[derive(Copy)]
    SpoolerLockMessageRequest { message_id: Mid, lock_state: u8 }

    /// RopTransportSend success response.
    #[derive(Copy, Default)]
    TransportSendResponse<'a> {
        no_properties_returned: bool,
        property_values: List<'a, TaggedPropertyValue>,
    }

    /// RopTransportNewMail request.
    #[derive(Copy)]
    TransportNewMailRequest<'a> {
        message_id: Mid,
        folder_id: Fid,
        message_class: AsciiZ<'a>,
        message_flags: u32,
    }

    /// RopGetTransportFolder success response.
    #[derive(Copy)]
    GetTransportFolderResponse { folder_id: Fid }

    /// RopOptionsData request.
    #[derive(Copy, Default)]
    OptionsDataRequest<'a> { address_type: AsciiZ<'a>, want_win32: bool }
}

/// RopGetAddressTypes success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct GetAddressTypesResponse<'a> {
    /// The types, such as `EX` and `SMTP`.
    pub address_types: List<'a, AsciiZ<'a>>,
}

impl<'a> Wire<'a> for GetAddressTypesResponse<'a> {
    /// AddressTypeCount, AddressTypeSize, AddressTypes.
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = usize::from(input.u16()?);
        let size = usize::from(input.u16()?);
        let mut strings = input.sub(size)?;
        let address_types = List::take(&mut strings, count)?;
        strings.finish()?;
        Ok(Self { address_types })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        u16::put(out, "an address type list", self.address_types.len())?;
        put_sized(out, |out| self.address_types.put_items(out))
    }
}

/// RopOptionsData success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct OptionsDataResponse<'a> {
    pub reserved: u8,
    pub options_info: Bytes16<'a>,
    pub help_file: Bytes16<'a>,
    /// Present if HelpFile is not empty.
    pub help_file_name: Option<AsciiZ<'a>>,
}

impl<'a> Wire<'a> for OptionsDataResponse<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let reserved = input.u8()?;
        let options_info = Wire::decode(input)?;
        let help_file = Bytes16::decode(input)?;
        let help_file_name = (!help_file.is_empty())
            .then(|| Wire::decode(input))
            .transpose()?;
        Ok(Self {
            reserved,
            options_info,
            help_file,
            help_file_name,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.reserved.encode(out)?;
        self.options_info.encode(out)?;
        self.help_file.encode(out)?;
        match self.help_file.is_empty() {
            true => Ok(()),
            false => self.help_file_name.unwrap_or_default().encode(out),
        }
    }
}
