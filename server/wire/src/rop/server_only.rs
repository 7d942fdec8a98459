//! ROPs that a server sends and no client asks for (MS-OXCROPS 2.2.14.3 and 2.2.15).

use super::{NotifyResponse, Request, Response, RopId};
use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{Bytes16, Wire, wire_struct},
    list::List,
};
use ropewalk_props::PropTag;

wire_struct! {
    /// RopPending: there are notifications that did not fit.
    #[derive(Copy, Default)]
    PendingResponse { session_index: u16 }

    /// RopBackoff: do not send certain ROPs for a while.
    #[derive(Copy, Default)]
    BackoffResponse<'a> {
        logon_id: u8,
        /// In milliseconds; for the whole logon.
        duration: u32,
        backoff_rop_data: List<'a, BackoffRop, u8>,
        additional_data: Bytes16<'a>,
    }

    /// For how long not to send a ROP, in milliseconds.
    #[derive(Copy, Default)]
    BackoffRop { rop_id_backoff: u8, duration: u32 }
}

/// RopBufferTooSmall: the requests from some on were not executed, since the response to the first
/// of them does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct BufferTooSmallResponse<'a> {
    /// Bytes that the response would take.
    pub size_needed: u16,
    /// Those requests, to the end of the RopsList.
    pub request_buffers: &'a [u8],
}

impl<'a> Wire<'a> for BufferTooSmallResponse<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            size_needed: input.u16()?,
            request_buffers: input.take_rest(),
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u16(self.size_needed);
        out.put_bytes(self.request_buffers);
        Ok(())
    }
}

/// One entry of the RopsList of a ROP output buffer.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputRop<'a> {
    /// The answer to a request.
    Response(Response<'a>),
    /// RopNotify.
    Notify(NotifyResponse<'a>),
    /// RopPending.
    Pending(PendingResponse),
    /// RopBufferTooSmall. Nothing follows it.
    BufferTooSmall(BufferTooSmallResponse<'a>),
    /// RopBackoff, in the place of a response.
    Backoff(BackoffResponse<'a>),
}

impl<'a> OutputRop<'a> {
    /// Reads one. `request` is the first that is not answered yet, `columns` those of the table
    /// that it reads rows of, if it does.
    pub fn decode(
        input: &mut Reader<'a>,
        request: Option<&Request<'_>>,
        columns: &[PropTag],
    ) -> Result<Self, DecodeError> {
        let mut ahead = *input;
        let rop_id = RopId(ahead.u8()?);
        let own = |read: fn(&mut Reader<'a>) -> Result<Self, DecodeError>,
                   input: &mut Reader<'a>| {
            input.u8()?;
            read(input)
        };
        match (rop_id, request) {
            (RopId::NOTIFY, _) => own(|input| Wire::decode(input).map(Self::Notify), input),
            (RopId::PENDING, _) => own(|input| Wire::decode(input).map(Self::Pending), input),
            (RopId::BUFFER_TOO_SMALL, _) => {
                own(|input| Wire::decode(input).map(Self::BufferTooSmall), input)
            }
            (RopId::BACKOFF, _) => own(|input| Wire::decode(input).map(Self::Backoff), input),
            (_, Some(request)) => Response::decode(input, request, columns).map(Self::Response),
            (other, None) => Err(DecodeError::Unrequested(other)),
        }
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Response(response) => response.encode(out),
            Self::Notify(notify) => notify.put(out),
            Self::Pending(pending) => {
                out.put_u8(RopId::PENDING.0);
                pending.encode(out)
            }
            Self::BufferTooSmall(too_small) => {
                out.put_u8(RopId::BUFFER_TOO_SMALL.0);
                too_small.encode(out)
            }
            Self::Backoff(backoff) => {
                out.put_u8(RopId::BACKOFF.0);
                backoff.encode(out)
            }
        }
    }
}
