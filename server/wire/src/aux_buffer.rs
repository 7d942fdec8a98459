//! The auxiliary buffer (MS-OXCRPC 2.2.2.2 and 3.1.4.1.2).
//!
//! On the wire its payload stands in one extended buffer. The payload is blocks, each behind an
//! AUX_HEADER. What a client sends is only of use to a log, so nothing in it is an error.

use crate::{EncodeError, Put, Reader};

/// Bytes of an auxiliary buffer, its RPC_HEADER_EXT included (MS-OXCRPC 3.1.4.1).
pub const AUX_BUFFER_BYTES_MAX: usize = 0x1008;

/// Size, Version and Type.
const HEADER_LEN: usize = 4;
const VERSION_1: u8 = 1;

/// Type of AUX_PERF_CLIENTINFO (2.2.2.2.4).
pub const TYPE_PERF_CLIENTINFO: u8 = 0x02;
/// Type of AUX_CLIENT_CONTROL (2.2.2.2.10).
pub const TYPE_CLIENT_CONTROL: u8 = 0x0A;
/// Type of AUX_EXORGINFO (2.2.2.2.17).
pub const TYPE_EXORGINFO: u8 = 0x17;
/// AUX_SERVER_CAPABILITIES.
pub const TYPE_SERVER_CAPABILITIES: u8 = 0x46;

/// One block, as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawBlock<'a> {
    /// Version of AUX_HEADER, 1 or 2.
    pub version: u8,
    /// Type of AUX_HEADER.
    pub block_type: u8,
    /// What follows AUX_HEADER.
    pub data: &'a [u8],
}

/// The blocks of a payload, up to its end or to the first one that does not fit.
pub fn blocks(payload: &[u8]) -> Blocks<'_> {
    Blocks(Reader::new(payload))
}

/// See [`blocks`].
#[derive(Clone, Debug)]
pub struct Blocks<'a>(Reader<'a>);

impl<'a> Iterator for Blocks<'a> {
    type Item = RawBlock<'a>;

    fn next(&mut self) -> Option<RawBlock<'a>> {
        let size = usize::from(self.0.u16().ok()?);
        let version = self.0.u8().ok()?;
        let block_type = self.0.u8().ok()?;
        let data = self.0.bytes(size.checked_sub(HEADER_LEN)?).ok()?;
        Some(RawBlock {
            version,
            block_type,
            data,
        })
    }
}

/// What AUX_PERF_CLIENTINFO says that is worth a line in a log (MS-OXCRPC 2.2.2.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// The client's name for its machine; empty if it is not given.
    pub machine_name: String,
    /// 0 unknown, 1 online, 2 cached.
    pub client_mode: u16,
}

impl ClientInfo {
    /// Reads the block; `None` for another or a damaged one.
    pub fn of(block: &RawBlock<'_>) -> Option<Self> {
        /// Bytes between MachineNameOffset and ClientMode.
        const BETWEEN: usize = 16;
        if (block.version, block.block_type) != (VERSION_1, TYPE_PERF_CLIENTINFO) {
            return None;
        }
        let mut fields = Reader::new(block.data);
        let _adapter_speed = fields.u32().ok()?;
        let _client_id = fields.u16().ok()?;
        let machine_name_offset = usize::from(fields.u16().ok()?);
        fields.bytes(BETWEEN).ok()?;
        let client_mode = fields.u16().ok()?;
        // Offsets count from the start of AUX_HEADER; 0 is no name.
        let machine_name = machine_name_offset
            .checked_sub(HEADER_LEN)
            .and_then(|at| block.data.get(at..))
            .and_then(|rest| Reader::new(rest).utf16_z().ok())
            .map(ropewalk_props::text::decode_utf16le)
            .unwrap_or_default();
        Some(Self {
            machine_name,
            client_mode,
        })
    }
}

/// A block that a server sends in a Connect response (MS-OXCRPC 3.1.4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerBlock {
    /// AUX_EXORGINFO (2.2.2.2.17): 1 public folders are there, 2 Autodiscover tells where.
    ExorgInfo {
        /// OrgFlags.
        org_flags: u32,
    },
    /// AUX_CLIENT_CONTROL (2.2.2.2.10).
    ClientControl {
        /// EnableFlags, see [`ENABLE_COMPRESSION`].
        enable_flags: u32,
        /// Milliseconds that a client keeps performance data it cannot send.
        expiry_time: u32,
    },
    /// AUX_SERVER_CAPABILITIES (2.2.2.2.19).
    ServerCapabilities {
        /// ServerCapabilityFlags, see [`PACKED_WRITE_STREAM_UPLOAD_BUFFERS`].
        flags: u32,
    },
}

/// EnableFlags of AUX_CLIENT_CONTROL: the client compresses what it sends.
pub const ENABLE_COMPRESSION: u32 = 0x0000_0004;

/// ServerCapabilityFlags of AUX_SERVER_CAPABILITIES: a RopWriteStreamExtended may go on in further extended
/// buffers of its request.
pub const PACKED_WRITE_STREAM_UPLOAD_BUFFERS: u32 = 0x0000_0002;

/// Appends a whole auxiliary buffer: RPC_HEADER_EXT and the blocks, neither compressed nor
/// obfuscated (MS-OXCRPC 2.2.2.1).
pub fn encode(blocks: &[ServerBlock], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    const RPC_HEADER_EXT_VERSION: u16 = 0;
    const RPC_HEADER_EXT_LAST: u16 = 0x0004;
    let mut payload = Vec::with_capacity(blocks.len() * 16);
    for block in blocks {
        block.put(&mut payload)?;
    }
    let size = u16::try_from(payload.len()).map_err(|_| EncodeError::TooLong {
        what: "an auxiliary buffer",
        len: payload.len(),
    })?;
    out.put_u16(RPC_HEADER_EXT_VERSION);
    out.put_u16(RPC_HEADER_EXT_LAST);
    out.put_u16(size);
    out.put_u16(size);
    out.put_bytes(&payload);
    Ok(())
}

impl ServerBlock {
    fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match *self {
            Self::ExorgInfo { org_flags } => put_block(out, TYPE_EXORGINFO, &[org_flags]),
            Self::ClientControl {
                enable_flags,
                expiry_time,
            } => put_block(out, TYPE_CLIENT_CONTROL, &[enable_flags, expiry_time]),
            Self::ServerCapabilities { flags } => {
                put_block(out, TYPE_SERVER_CAPABILITIES, &[flags])
            }
        }
    }
}

fn put_block(out: &mut Vec<u8>, block_type: u8, fields: &[u32]) -> Result<(), EncodeError> {
    let size = HEADER_LEN + fields.len() * 4;
    out.put_u16(u16::try_from(size).map_err(|_| EncodeError::TooLong {
        what: "an auxiliary block",
        len: size,
    })?);
    out.put_u8(VERSION_1);
    out.put_u8(block_type);
    fields.iter().for_each(|field| out.put_u32(*field));
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_server_s_blocks_have_the_bytes_of_their_field_tables() {
        let mut out = Vec::new();
        let blocks_sent = [
            ServerBlock::ExorgInfo { org_flags: 0 },
            ServerBlock::ClientControl {
                enable_flags: ENABLE_COMPRESSION,
                expiry_time: 604_800_000,
            },
            ServerBlock::ServerCapabilities {
                flags: PACKED_WRITE_STREAM_UPLOAD_BUFFERS,
            },
        ];
        encode(&blocks_sent, &mut out).unwrap();
        assert_eq!(
            out,
            [
                0, 0, 4, 0, 28, 0, 28, 0, // RPC_HEADER_EXT
                8, 0, 1, 0x17, 0, 0, 0, 0, // AUX_EXORGINFO
                12, 0, 1, 0x0A, 4, 0, 0, 0, 0x00, 0x84, 0x0C, 0x24, // AUX_CLIENT_CONTROL
                8, 0, 1, 0x46, 2, 0, 0, 0, // AUX_SERVER_CAPABILITIES
            ]
        );
        let read: Vec<_> = blocks(&out[8..]).collect();
        assert_eq!(read.len(), 3);
        assert_eq!((read[0].block_type, read[0].data), (0x17, &[0; 4][..]));
        assert_eq!((read[1].block_type, read[1].data.len()), (0x0A, 8));
    }

    #[test]
    fn unknown_blocks_are_passed_over_and_damage_ends_the_list() {
        let payload = [
            5, 0, 9, 0x77, 1, // unknown version and type
            4, 0, 1, 0x01, // no data
            3, 0, 1, 0x01, // smaller than its header
            4, 0, 1, 0x01,
        ];
        assert_eq!(blocks(&payload).count(), 2);
        assert_eq!(blocks(&[200, 0, 1, 1, 0]).count(), 0);
        assert_eq!(blocks(&[0; 16]).count(), 0);
    }

    #[test]
    fn a_client_s_machine_name_is_found_at_its_offset() {
        let mut data = vec![0; 28];
        data[6] = 32;
        data[24] = 2;
        data.extend([b'P', 0, b'C', 0, 0, 0]);
        let block = RawBlock {
            version: 1,
            block_type: TYPE_PERF_CLIENTINFO,
            data: &data,
        };
        let info = ClientInfo::of(&block).unwrap();
        assert_eq!((info.machine_name.as_str(), info.client_mode), ("PC", 2));
        let nameless = RawBlock {
            data: &[0; 28],
            ..block
        };
        assert_eq!(ClientInfo::of(&nameless).unwrap().machine_name, "");
        let short = RawBlock {
            data: &[0; 10],
            ..block
        };
        assert_eq!(ClientInfo::of(&short), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for block in blocks(&bytes) {
                prop_assert!(block.data.len() <= bytes.len());
                let _ = ClientInfo::of(&block);
            }
        }
    }
}
