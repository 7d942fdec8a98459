//! ROP requests.

use super::{table_of_rops::for_each_rop, *};
use crate::{DecodeError, EncodeError, Put, Reader, codec::Wire};

/// What a decoder must know that is not in the bytes of a request: which logons are those of public
/// folders. By default none is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct DecodeContext {
    public: [u64; 4],
}

impl DecodeContext {
    /// Says whether a logon is that of public folders.
    pub fn set_public(&mut self, logon_id: u8, public: bool) {
        if let Some(word) = self.public.get_mut(usize::from(logon_id / 64)) {
            let bit = 1 << (logon_id % 64);
            *word = if public { *word | bit } else { *word & !bit };
        }
    }

    /// Whether a logon is that of public folders.
    pub fn is_public(&self, logon_id: u8) -> bool {
        self.public
            .get(usize::from(logon_id / 64))
            .is_some_and(|word| word >> (logon_id % 64) & 1 != 0)
    }
}

/// The body of a request: what has one wire form, and what has one for private mailboxes and
/// another for public folders.
pub(super) trait RequestWire<'a>: Sized {
    fn take_body(input: &mut Reader<'a>, public: bool) -> Result<Self, DecodeError>;
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

impl<'a, T: Wire<'a>> RequestWire<'a> for T {
    fn take_body(input: &mut Reader<'a>, _public: bool) -> Result<Self, DecodeError> {
        T::decode(input)
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode(out)
    }
}

/// One ROP request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// Which ROP: that of the body, when encoded.
    pub rop_id: RopId,
    /// Which logon it is about.
    pub logon_id: u8,
    /// The byte after LogonId: InputHandleIndex, SourceHandleIndex, ResponseHandleIndex, or the
    /// OutputHandleIndex of RopLogon.
    pub handle_index: u8,
    /// The fields after it.
    pub body: RequestBody<'a>,
}

impl<'a> Request<'a> {
    /// With the RopId of the body.
    pub const fn new(logon_id: u8, handle_index: u8, body: RequestBody<'a>) -> Self {
        Self {
            rop_id: body.rop_id(),
            logon_id,
            handle_index,
            body,
        }
    }

    /// Reads one. A RopId that no client sends is an error: where the request ends is not known.
    pub fn decode(input: &mut Reader<'a>, context: &DecodeContext) -> Result<Self, DecodeError> {
        let rop_id = RopId(input.u8()?);
        let logon_id = input.u8()?;
        let handle_index = input.u8()?;
        let body = RequestBody::decode(input, rop_id, context.is_public(logon_id))?;
        Ok(Self {
            rop_id,
            logon_id,
            handle_index,
            body,
        })
    }

    /// Appends it. After an error `out` may hold a part of it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_bytes(&[self.body.rop_id().0, self.logon_id, self.handle_index]);
        self.body.encode(out)
    }

    /// The handle index that the response echoes: the OutputHandleIndex of a ROP that opens
    /// something, else the byte after LogonId.
    pub const fn response_handle_index(&self) -> u8 {
        match self.body.output_handle_index() {
            Some(index) => index,
            None => self.handle_index,
        }
    }
}

/// Whether the response echoes an OutputHandleIndex of the body.
macro_rules! output_handle_index {
    (byte3 $body:ident) => {{
        let _ = $body;
        None
    }};
    (output_handle_index $body:ident) => {
        Some($body.output_handle_index)
    };
}

macro_rules! request_bodies {
    ($(
        $id:literal $constant:ident $name:ident $section:literal $index:ident
        $request:ident $(<$request_lifetime:lifetime>)?
        => $response:ident $(<$response_lifetime:lifetime>)?, $failure:ident;
    )*) => {
        /// The fields of a request after its first three bytes, one variant per ROP.
        #[derive(Clone, Debug, PartialEq)]
        pub enum RequestBody<'a> {
            $(
                #[doc = concat!("Rop", stringify!($name), " (MS-OXCROPS ", $section, ").")]
                $name($request $(<$request_lifetime>)?),
            )*
        }

        impl<'a> RequestBody<'a> {
            /// Which ROP it is the body of.
            pub const fn rop_id(&self) -> RopId {
                match self {
                    $(Self::$name(_) => RopId::$constant,)*
                }
            }

            /// The index in the body that the response echoes, of a ROP that opens something.
            pub const fn output_handle_index(&self) -> Option<u8> {
                match self {
                    $(Self::$name(body) => output_handle_index!($index body),)*
                }
            }

            fn decode(
                input: &mut Reader<'a>,
                rop_id: RopId,
                public: bool,
            ) -> Result<Self, DecodeError> {
                match rop_id {
                    $(RopId::$constant => RequestWire::take_body(input, public).map(Self::$name),)*
                    RopId(other) => Err(DecodeError::ReservedRop(other)),
                }
            }

            fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(body) => RequestWire::put_body(body, out),)*
                }
            }
        }
    };
}
for_each_rop!(request_bodies);

impl RequestBody<'_> {
    /// The DestHandleIndex of a ROP that has one.
    pub const fn dest_handle_index(&self) -> Option<u8> {
        match self {
            Self::MoveCopyMessages(body) => Some(body.dest_handle_index),
            Self::MoveFolder(body) => Some(body.dest_handle_index),
            Self::CopyFolder(body) => Some(body.dest_handle_index),
            Self::CopyProperties(body) => Some(body.dest_handle_index),
            Self::CopyTo(body) => Some(body.dest_handle_index),
            Self::CopyToStream(body) => Some(body.dest_handle_index),
            _ => None,
        }
    }
}
