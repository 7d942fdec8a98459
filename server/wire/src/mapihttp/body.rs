//! Request and response bodies of the mailbox endpoint (MS-OXCMAPIHTTP 2.2.4).

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{AsciiZ, Bytes32, Utf16Z, Wire, wire_struct},
};

/// Flags of a Connect request (MS-OXCMAPIHTTP 2.2.4.1.1, MS-OXCRPC 3.1.4.1).
pub mod connect_flags {
    /// Administrative access is wanted.
    pub const ADMINISTRATIVE: u32 = 0x0000_0001;
    /// The client gets on without public folders.
    pub const IGNORE_NO_PUBLIC_FOLDERS: u32 = 0x0000_8000;
}

/// Flags of an Execute request (MS-OXCMAPIHTTP 2.2.4.2.1).
pub mod execute_flags {
    /// The response must not be compressed.
    pub const NO_COMPRESSION: u32 = 0x0000_0001;
    /// The response must not be obfuscated.
    pub const NO_XOR_MAGIC: u32 = 0x0000_0002;
    /// The response may have several extended buffers.
    pub const CHAIN: u32 = 0x0000_0004;
}

wire_struct! {
    /// 2.2.4.1.1.
    #[derive(Default)]
    ConnectRequest<'a> {
        /// The legacy DN of the user.
        user_dn: AsciiZ<'a>,
        /// See [`connect_flags`].
        flags: u32,
        default_code_page: u32,
        lcid_sort: u32,
        lcid_string: u32,
        auxiliary_buffer: Bytes32<'a>,
    }
    /// 2.2.4.1.2, after StatusCode.
    #[derive(Default)]
    ConnectSuccess<'a> {
        error_code: u32,
        /// Milliseconds between a client's polls for notifications, at most.
        polls_max: u32,
        retry_count: u32,
        /// Milliseconds before a retry.
        retry_delay: u32,
        dn_prefix: AsciiZ<'a>,
        display_name: Utf16Z<'a>,
        auxiliary_buffer: Bytes32<'a>,
    }
    /// 2.2.4.2.1.
    #[derive(Default)]
    ExecuteRequest<'a> {
        /// See [`execute_flags`].
        flags: u32,
        rop_buffer: Bytes32<'a>,
        max_rop_out: u32,
        auxiliary_buffer: Bytes32<'a>,
    }
    /// 2.2.4.2.2, after StatusCode.
    #[derive(Default)]
    ExecuteSuccess<'a> {
        error_code: u32,
        /// Reserved, 0.
        flags: u32,
        rop_buffer: Bytes32<'a>,
        auxiliary_buffer: Bytes32<'a>,
    }
    /// 2.2.4.3.1.
    #[derive(Default)]
    DisconnectRequest<'a> { auxiliary_buffer: Bytes32<'a> }
    /// 2.2.4.3.2, after StatusCode.
    #[derive(Default)]
    DisconnectSuccess<'a> { error_code: u32, auxiliary_buffer: Bytes32<'a> }
    /// 2.2.4.4.1.
    #[derive(Default)]
    NotificationWaitRequest<'a> {
        /// Reserved, 0.
        flags: u32,
        auxiliary_buffer: Bytes32<'a>,
    }
    /// 2.2.4.4.2, after StatusCode.
    #[derive(Default)]
    NotificationWaitSuccess<'a> {
        error_code: u32,
        /// 1 if an Execute request will bring notifications, else 0.
        event_pending: u32,
        auxiliary_buffer: Bytes32<'a>,
    }
    /// 2.2.6.1: nothing.
    #[derive(Default)]
    PingRequest {}
    /// 2.2.6.2: nothing, not even a StatusCode.
    #[derive(Default)]
    PingSuccess {}
    /// 2.2.4.1.3, 2.2.4.2.3, 2.2.4.3.3 and 2.2.4.4.3, after StatusCode.
    #[derive(Default)]
    FailureRest<'a> { auxiliary_buffer: Bytes32<'a> }
}

/// The body of a request that the server could not carry out.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure<'a> {
    /// Not 0.
    pub status_code: u32,
    /// Perhaps diagnostics.
    pub auxiliary_buffer: Bytes32<'a>,
}

/// A response body: StatusCode 0 and the fields of its type, or another StatusCode and an auxiliary
/// buffer.
#[derive(Clone, Debug, PartialEq)]
pub enum Response<'a, T> {
    /// StatusCode 0. Its ErrorCode may still tell of an error.
    Success(T),
    /// Any other StatusCode.
    Failure(Failure<'a>),
}

impl<'a, T: Wire<'a>> Wire<'a> for Response<'a, T> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        match input.u32()? {
            0 => T::decode(input).map(Self::Success),
            status_code => FailureRest::decode(input).map(|rest| {
                Self::Failure(Failure {
                    status_code,
                    auxiliary_buffer: rest.auxiliary_buffer,
                })
            }),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Success(success) => {
                out.put_u32(0);
                success.encode(out)
            }
            Self::Failure(failure) => {
                out.put_u32(failure.status_code);
                failure.auxiliary_buffer.encode(out)
            }
        }
    }
}

/// Decodes a whole body: nothing may follow.
pub fn decode_body<'a, T: Wire<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes);
    let body = T::decode(&mut reader)?;
    reader.finish()?;
    Ok(body)
}
