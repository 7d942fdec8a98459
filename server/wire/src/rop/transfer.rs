//! Fast transfer ROPs (MS-OXCROPS 2.2.12).

use super::SIZE_FOLLOWS;
use crate::{
    DecodeError, EncodeError, Mid, Put, Reader,
    codec::{Bytes16, Wire, wire_struct},
    list::{List, TagArray},
};

wire_struct! {
    /// RopFastTransferDestinationConfigure request.
    #[derive(Copy, Default)]
    FastTransferDestinationConfigureRequest {
        output_handle_index: u8,
        source_operation: u8,
        copy_flags: u8,
    }

    /// RopFastTransferDestinationPutBuffer and RopFastTransferDestinationPutBufferExtended request.
    #[derive(Copy, Default)]
    FastTransferDestinationPutBufferRequest<'a> { transfer_data: Bytes16<'a> }

    /// RopFastTransferDestinationPutBuffer response.
    #[derive(Copy, Default)]
    FastTransferDestinationPutBufferResponse {
        transfer_status: u16,
        in_progress_count: u16,
        total_step_count: u16,
        reserved: u8,
        buffer_used_size: u16,
    }

    /// RopFastTransferDestinationPutBufferExtended response.
    #[derive(Copy, Default)]
    FastTransferDestinationPutBufferExtendedResponse {
        transfer_status: u16,
        in_progress_count: u32,
        total_step_count: u32,
        reserved: u8,
        buffer_used_size: u16,
    }

    /// RopFastTransferSourceGetBuffer response.
    #[derive(Copy, Default)]
    FastTransferSourceGetBufferResponse<'a> {
        transfer_status: u16,
        in_progress_count: u16,
        total_step_count: u16,
        reserved: u8,
        transfer_buffer: Bytes16<'a>,
    }

    /// RopFastTransferSourceGetBuffer response with ReturnValue 0x00000480, ServerBusy
    /// (2.2.12.4.3): no TransferBuffer, but the time to wait in milliseconds.
    #[derive(Copy, Default)]
    FastTransferBackoff {
        transfer_status: u16,
        in_progress_count: u16,
        total_step_count: u16,
        reserved: u8,
        transfer_buffer_size: u16,
        backoff_time: u32,
    }

    /// RopFastTransferSourceCopyFolder request.
    #[derive(Copy, Default)]
    FastTransferSourceCopyFolderRequest {
        output_handle_index: u8,
        copy_flags: u8,
        send_options: u8,
    }

    /// RopFastTransferSourceCopyMessages request.
    #[derive(Copy, Default)]
    FastTransferSourceCopyMessagesRequest<'a> {
        output_handle_index: u8,
        message_ids: List<'a, Mid>,
        copy_flags: u8,
        send_options: u8,
    }

    /// RopFastTransferSourceCopyTo request. PropertyTags are those left out.
    #[derive(Copy, Default)]
    FastTransferSourceCopyToRequest<'a> {
        output_handle_index: u8,
        level: u8,
        copy_flags: u32,
        send_options: u8,
        property_tags: TagArray<'a>,
    }

    /// RopFastTransferSourceCopyProperties request. PropertyTags are those sent.
    #[derive(Copy, Default)]
    FastTransferSourceCopyPropertiesRequest<'a> {
        output_handle_index: u8,
        level: u8,
        copy_flags: u8,
        send_options: u8,
        property_tags: TagArray<'a>,
    }

    /// RopTellVersion request: three words, as in MS-OXCRPC 3.1.4.1.3.
    #[derive(Copy, Default)]
    TellVersionRequest { major: u16, minor: u16, build: u16 }
}

/// RopFastTransferSourceGetBuffer request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct FastTransferSourceGetBufferRequest {
    /// Bytes to send at most, or [`SIZE_FOLLOWS`].
    pub buffer_size: u16,
    /// Present if BufferSize is [`SIZE_FOLLOWS`].
    pub maximum_buffer_size: Option<u16>,
}

impl FastTransferSourceGetBufferRequest {
    /// How many bytes the client wants at most.
    pub fn limit(&self) -> u16 {
        match self.buffer_size {
            SIZE_FOLLOWS => self.maximum_buffer_size.unwrap_or_default(),
            size => size,
        }
    }
}

impl<'a> Wire<'a> for FastTransferSourceGetBufferRequest {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let buffer_size = input.u16()?;
        let maximum_buffer_size = (buffer_size == SIZE_FOLLOWS)
            .then(|| input.u16())
            .transpose()?;
        Ok(Self {
            buffer_size,
            maximum_buffer_size,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u16(self.buffer_size);
        if self.buffer_size == SIZE_FOLLOWS {
            out.put_u16(self.maximum_buffer_size.unwrap_or_default());
        }
        Ok(())
    }
}
