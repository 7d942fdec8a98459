//! Stream ROPs (MS-OXCROPS 2.2.9).

use ropewalk_props::PropTag;

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Bytes16, Wire, wire_struct},
};

/// The ByteCount and BufferSize that say that a maximum follows.
pub const SIZE_FOLLOWS: u16 = 0xBABE;

/// A larger MaximumByteCount fails the whole call (MS-OXCPRPT 2.2.15.1).
pub const MAXIMUM_BYTE_COUNT_MAX: u32 = 0x8000_0000;

wire_struct! {
    /// RopOpenStream request.
    #[derive(Copy)]
    OpenStreamRequest { output_handle_index: u8, property_tag: PropTag, open_mode_flags: u8 }

    /// RopOpenStream and RopGetStreamSize success response.
    #[derive(Copy, Default)]
    StreamSizeResponse { stream_size: u32 }

    /// RopReadStream response.
    #[derive(Copy, Default)]
    ReadStreamResponse<'a> { data: Bytes16<'a> }

    /// RopWriteStream, RopWriteStreamExtended and RopWriteAndCommitStream request.
    #[derive(Copy, Default)]
    WriteStreamRequest<'a> { data: Bytes16<'a> }

    /// RopWriteStream and RopWriteAndCommitStream response.
    #[derive(Copy, Default)]
    WriteStreamResponse { written_size: u16 }

    /// RopWriteStreamExtended response.
    #[derive(Copy, Default)]
    WriteStreamExtendedResponse { written_size: u32 }

    /// RopSetStreamSize request.
    #[derive(Copy, Default)]
    SetStreamSizeRequest { stream_size: u64 }

    /// RopSeekStream request.
    #[derive(Copy, Default)]
    SeekStreamRequest { origin: u8, offset: i64 }

    /// RopSeekStream success response.
    #[derive(Copy, Default)]
    SeekStreamResponse { new_position: u64 }

    /// RopCopyToStream request. Byte 3 of the request is its SourceHandleIndex.
    #[derive(Copy, Default)]
    CopyToStreamRequest { dest_handle_index: u8, byte_count: u64 }

    /// RopCopyToStream success response.
    #[derive(Copy, Default)]
    CopyToStreamResponse { read_byte_count: u64, written_byte_count: u64 }

    /// RopLockRegionStream and RopUnlockRegionStream request.
    #[derive(Copy, Default)]
    RegionStreamRequest { region_offset: u64, region_size: u64, lock_flags: u32 }
}

/// RopReadStream request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReadStreamRequest {
    /// Bytes to read at most, or [`SIZE_FOLLOWS`].
    pub byte_count: u16,
    /// Present if ByteCount is [`SIZE_FOLLOWS`].
    pub maximum_byte_count: Option<u32>,
}

impl ReadStreamRequest {
    /// How many bytes the client wants at most.
    pub fn limit(&self) -> u32 {
        match self.byte_count {
            SIZE_FOLLOWS => self.maximum_byte_count.unwrap_or_default(),
            count => count.into(),
        }
    }
}

impl<'a> Wire<'a> for ReadStreamRequest {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let byte_count = input.u16()?;
        let maximum_byte_count = (byte_count == SIZE_FOLLOWS)
            .then(|| input.u32())
            .transpose()?;
        if let Some(value) = maximum_byte_count.filter(|count| *count > MAXIMUM_BYTE_COUNT_MAX) {
            return Err(DecodeError::Value {
                field: "MaximumByteCount",
                value: value.into(),
            });
        }
        Ok(Self {
            byte_count,
            maximum_byte_count,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u16(self.byte_count);
        if self.byte_count == SIZE_FOLLOWS {
            out.put_u32(self.maximum_byte_count.unwrap_or_default());
        }
        Ok(())
    }
}
