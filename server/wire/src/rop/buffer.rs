//! ROP input and output buffers (MS-OXCROPS 2.2.1): what a payload of an extended buffer holds.

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Count, Wire},
    list::List,
};

/// The handle of nothing: an unused place in the Server object handle table.
pub const NO_HANDLE: u32 = 0xFFFF_FFFF;

/// Bytes of RopSize, which counts itself.
const SIZE_LEN: usize = 2;

/// RopSize, RopsList, ServerObjectHandleTable.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct RopBuffer<'a> {
    /// The ROPs, one after another.
    pub rops: &'a [u8],
    /// The Server object handle table: what follows, to the end.
    pub handles: List<'a, u32>,
}

impl<'a> Wire<'a> for RopBuffer<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let rop_size = input.u16()?;
        let rops_len = usize::from(rop_size)
            .checked_sub(SIZE_LEN)
            .ok_or(DecodeError::Value {
                field: "RopSize",
                value: rop_size.into(),
            })?;
        let rops = input.bytes(rops_len)?;
        let handles = input.take_rest();
        Ok(Self {
            rops,
            handles: List::take_all(Reader::new(handles))?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        u16::put(out, "a RopsList", self.rops.len().saturating_add(SIZE_LEN))?;
        out.put_bytes(self.rops);
        self.handles.put_items(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<RopBuffer<'_>, DecodeError> {
        RopBuffer::decode(&mut Reader::new(bytes))
    }

    #[test]
    fn the_handle_table_is_what_follows_the_rops() {
        let bytes = [4, 0, 0xAA, 0xBB, 5, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
        let buffer = decode(&bytes).unwrap();
        assert_eq!(buffer.rops, [0xAA, 0xBB]);
        assert!(buffer.handles.iter().eq([5, NO_HANDLE]));
        let mut out = Vec::new();
        buffer.encode(&mut out).unwrap();
        assert_eq!(out, bytes);
        // It may be empty, and so may the RopsList.
        assert_eq!(decode(&[2, 0]), Ok(RopBuffer::default()));
    }

    #[test]
    fn sizes_that_cannot_be_are_refused() {
        for rop_size in [0, 1] {
            let refused = DecodeError::Value {
                field: "RopSize",
                value: rop_size.into(),
            };
            assert_eq!(decode(&[rop_size, 0, 0, 0]), Err(refused));
        }
        assert!(decode(&[5, 0, 0xAA, 0xBB]).is_err());
        assert!(decode(&[2, 0, 1, 2, 3]).is_err());
        assert!(decode(&[2]).is_err());
    }
}
