//! What a response has after a ReturnValue that says failure.

use super::{
    CopyToStreamResponse, FastTransferBackoff, FastTransferSourceGetBufferResponse,
    PartialCompletionResponse, Request, RequestBody, ResponseBody,
    response::{ResponseContext, ResponseWire, put_response_header},
    table_of_rops::for_each_rop,
};
use crate::{
    DecodeError, EncodeError, ErrorCode, Put, Reader,
    codec::{AsciiZ, Count, Wire},
};

/// What a failure response has after its ReturnValue, where that is not what a success response
/// has.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure<'a> {
    /// Nothing.
    Plain,
    /// ReturnValue 0x00000503: the destination's handle is not one (MS-OXCROPS 2.2.4.6.3 and
    /// others). PartialCompletion follows for the folder ROPs.
    NullDestination {
        /// DestHandleIndex of the request.
        dest_handle_index: u32,
        /// What the folder ROPs have besides.
        partial_completion: Option<PartialCompletionResponse>,
        /// What RopCopyToStream has besides.
        byte_counts: Option<CopyToStreamResponse>,
    },
    /// ReturnValue 0x00000478 of RopLogon: the mailbox is on another server (2.2.3.1.4).
    Redirect {
        /// LogonFlags of the request.
        logon_flags: u8,
        /// The server to go to, at most 254 bytes.
        server_name: AsciiZ<'a>,
    },
    /// ReturnValue 0x00000480 of RopFastTransferSourceGetBuffer: come again later.
    Backoff(FastTransferBackoff),
}

impl Failure<'_> {
    pub(super) fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Plain => Ok(()),
            Self::NullDestination {
                dest_handle_index,
                partial_completion,
                byte_counts,
            } => {
                out.put_u32(*dest_handle_index);
                if let Some(body) = partial_completion {
                    body.encode(out)?;
                }
                byte_counts.map_or(Ok(()), |body| body.encode(out))
            }
            Self::Redirect {
                logon_flags,
                server_name,
            } => {
                out.put_u8(*logon_flags);
                u8::put(out, "a server name", server_name.0.len().saturating_add(1))?;
                server_name.encode(out)
            }
            Self::Backoff(body) => body.encode(out),
        }
    }
}

/// Appends the whole failure response to a request: its header, and what the failure response of
/// the ROP has after it, with nothing done and nothing written.
///
/// `code` must say failure. For RopLogon and 0x00000478 the server name is empty: a server that
/// knows another one encodes a [`super::Response`] with [`Failure::Redirect`].
pub fn put_failure(out: &mut Vec<u8>, request: &Request<'_>, code: ErrorCode) {
    put_response_header(out, request.rop_id, request.response_handle_index(), code);
    // All of these bodies are of fixed-size fields and empty strings: none fails.
    let _ = failure_of(&request.body, code).encode(out);
}

macro_rules! failures {
    ($(
        $id:literal $constant:ident $name:ident $section:literal $index:ident
        $request:ident $(<$request_lifetime:lifetime>)?
        => $response:ident $(<$response_lifetime:lifetime>)?, $failure:ident;
    )*) => {
        /// The failure form of the response to a request, with nothing done.
        fn failure_of<'a>(body: &RequestBody<'_>, code: ErrorCode) -> ResponseBody<'a> {
            match body {
                $(RequestBody::$name(_) => empty_failure!($failure $name body code),)*
            }
        }

        /// Reads what follows a ReturnValue that says failure.
        pub(super) fn take_failure<'a>(
            input: &mut Reader<'a>,
            context: &ResponseContext<'_>,
            code: ErrorCode,
        ) -> Result<ResponseBody<'a>, DecodeError> {
            let body = &context.request.body;
            match body {
                $(RequestBody::$name(_) => {
                    take_failure_form!($failure $name input context body code)
                })*
            }
        }
    };
}

macro_rules! empty_failure {
    (plain $name:ident $body:ident $code:ident) => {
        ResponseBody::Failed(Failure::Plain)
    };
    (same $name:ident $body:ident $code:ident) => {
        ResponseBody::$name(Default::default())
    };
    (partial $name:ident $body:ident $code:ident) => {
        match null_destination($body, $code) {
            Some(dest_handle_index) => ResponseBody::Failed(Failure::NullDestination {
                dest_handle_index,
                partial_completion: Some(PartialCompletionResponse::default()),
                byte_counts: None,
            }),
            None => ResponseBody::$name(Default::default()),
        }
    };
    (dest $name:ident $body:ident $code:ident) => {
        match null_destination($body, $code) {
            Some(dest_handle_index) => ResponseBody::Failed(Failure::NullDestination {
                dest_handle_index,
                partial_completion: None,
                byte_counts: None,
            }),
            None => ResponseBody::Failed(Failure::Plain),
        }
    };
    (dest_stream $name:ident $body:ident $code:ident) => {
        match null_destination($body, $code) {
            Some(dest_handle_index) => ResponseBody::Failed(Failure::NullDestination {
                dest_handle_index,
                partial_completion: None,
                byte_counts: Some(CopyToStreamResponse::default()),
            }),
            None => ResponseBody::Failed(Failure::Plain),
        }
    };
    (redirect $name:ident $body:ident $code:ident) => {
        ResponseBody::Failed(match ($code, $body) {
            (ErrorCode::WRONG_SERVER, RequestBody::$name(request)) => Failure::Redirect {
                logon_flags: request.logon_flags,
                server_name: AsciiZ::default(),
            },
            _ => Failure::Plain,
        })
    };
    (get_buffer $name:ident $body:ident $code:ident) => {
        match $code {
            ErrorCode::SERVER_BUSY => {
                ResponseBody::Failed(Failure::Backoff(FastTransferBackoff::default()))
            }
            _ => ResponseBody::$name(FastTransferSourceGetBufferResponse::default()),
        }
    };
}

macro_rules! take_failure_form {
    (plain $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        Ok(ResponseBody::Failed(Failure::Plain))
    };
    (same $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        ResponseWire::take_body($input, $context).map(ResponseBody::$name)
    };
    (partial $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        match null_destination($body, $code) {
            Some(_) => Ok(ResponseBody::Failed(Failure::NullDestination {
                dest_handle_index: $input.u32()?,
                partial_completion: Some(Wire::decode($input)?),
                byte_counts: None,
            })),
            None => Wire::decode($input).map(ResponseBody::$name),
        }
    };
    (dest $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        Ok(ResponseBody::Failed(match null_destination($body, $code) {
            Some(_) => Failure::NullDestination {
                dest_handle_index: $input.u32()?,
                partial_completion: None,
                byte_counts: None,
            },
            None => Failure::Plain,
        }))
    };
    (dest_stream $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        Ok(ResponseBody::Failed(match null_destination($body, $code) {
            Some(_) => Failure::NullDestination {
                dest_handle_index: $input.u32()?,
                partial_completion: None,
                byte_counts: Some(Wire::decode($input)?),
            },
            None => Failure::Plain,
        }))
    };
    (redirect $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        Ok(ResponseBody::Failed(match $code {
            ErrorCode::WRONG_SERVER => take_redirect($input)?,
            _ => Failure::Plain,
        }))
    };
    (get_buffer $name:ident $input:ident $context:ident $body:ident $code:ident) => {
        match $code {
            ErrorCode::SERVER_BUSY => {
                Wire::decode($input).map(|body| ResponseBody::Failed(Failure::Backoff(body)))
            }
            _ => Wire::decode($input).map(ResponseBody::$name),
        }
    };
}
for_each_rop!(failures);

/// The DestHandleIndex that a failure response has, if it has one.
fn null_destination(body: &RequestBody<'_>, code: ErrorCode) -> Option<u32> {
    match code {
        ErrorCode::DST_NULL_OBJECT => body.dest_handle_index().map(u32::from),
        _ => None,
    }
}

fn take_redirect<'a>(input: &mut Reader<'a>) -> Result<Failure<'a>, DecodeError> {
    let logon_flags = input.u8()?;
    let size = usize::from(input.u8()?);
    let mut name = input.sub(size)?;
    let server_name = Wire::decode(&mut name)?;
    name.finish()?;
    Ok(Failure::Redirect {
        logon_flags,
        server_name,
    })
}
