//! ROP responses.

use ropewalk_props::PropTag;

use super::{failure::take_failure, table_of_rops::for_each_rop, *};
use crate::{DecodeError, EncodeError, ErrorCode, Put, Reader, codec::Wire};

/// Appends what every response but a few begins with: RopId, handle index, ReturnValue.
pub fn put_response_header(
    out: &mut Vec<u8>,
    rop_id: RopId,
    handle_index: u8,
    return_value: ErrorCode,
) {
    out.put_u8(rop_id.0);
    out.put_u8(handle_index);
    out.put_u32(return_value.0);
}

/// What a decoder must know that is not in the bytes of a response.
pub(super) struct ResponseContext<'c> {
    /// The request that it answers.
    pub request: &'c Request<'c>,
    /// The columns of the table that rows are read from.
    pub columns: &'c [PropTag],
}

/// The body of a response: what has one wire form, and what depends on the request.
pub(super) trait ResponseWire<'a>: Sized {
    fn take_body(
        input: &mut Reader<'a>,
        context: &ResponseContext<'_>,
    ) -> Result<Self, DecodeError>;
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

impl<'a, T: Wire<'a>> ResponseWire<'a> for T {
    fn take_body(input: &mut Reader<'a>, _: &ResponseContext<'_>) -> Result<Self, DecodeError> {
        T::decode(input)
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.encode(out)
    }
}

/// The answer to one ROP request. RopRelease has none.
#[derive(Clone, Debug, PartialEq)]
pub struct Response<'a> {
    /// Which ROP: that of the request.
    pub rop_id: RopId,
    /// The handle index that the response echoes.
    pub handle_index: u8,
    /// ReturnValue.
    pub return_value: ErrorCode,
    /// The fields after it. A few ROPs have the same fields on failure.
    pub body: ResponseBody<'a>,
}

impl<'a> Response<'a> {
    /// Reads the response to `request`. `columns` are those of the table that it reads rows of; for
    /// any other request they do not matter.
    ///
    /// A request that the server carries out in the background is answered with RopProgress
    /// (MS-OXCPRPT 2.2.23): that is the response then. RopProgress itself is answered with the response to
    /// the request that it asks about, once that is done (MS-OXCPRPT 3.2.5.20).
    pub fn decode(
        input: &mut Reader<'a>,
        request: &Request<'_>,
        columns: &[PropTag],
    ) -> Result<Self, DecodeError> {
        let rop_id = RopId(input.u8()?);
        let in_background = rop_id == RopId::PROGRESS;
        let original;
        let mut request = request;
        if rop_id != request.rop_id && !in_background {
            let body = asynchronous(rop_id).filter(|_| request.rop_id == RopId::PROGRESS);
            let body = body.ok_or(DecodeError::UnexpectedResponse {
                found: rop_id,
                wanted: request.rop_id,
            })?;
            original = Request {
                rop_id,
                body,
                ..*request
            };
            request = &original;
        }
        let handle_index = input.u8()?;
        let return_value = ErrorCode(input.u32()?);
        let context = ResponseContext { request, columns };
        let body = if return_value.is_success() {
            if in_background {
                ResponseBody::Progress(Wire::decode(input)?)
            } else {
                ResponseBody::decode(input, &context)?
            }
        } else if in_background {
            ResponseBody::Failed(Failure::Plain)
        } else {
            take_failure(input, &context, return_value)?
        };
        Ok(Self {
            rop_id,
            handle_index,
            return_value,
            body,
        })
    }

    /// The body of a response that says success, or its ReturnValue.
    pub fn into_result(self) -> Result<ResponseBody<'a>, ErrorCode> {
        if self.return_value.is_success() {
            Ok(self.body)
        } else {
            Err(self.return_value)
        }
    }

    /// Appends it. After an error `out` may hold a part of it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        put_response_header(out, self.rop_id, self.handle_index, self.return_value);
        self.body.encode(out)
    }
}

/// A request of each ROP that may be carried out in the background (MS-OXCFOLD 3.1.5.2, MS-OXCMSG
/// 2.2.3.10.1, MS-OXCPRPT 2.2.10.1 and 2.2.11.1), to read its response by.
fn asynchronous(rop_id: RopId) -> Option<RequestBody<'static>> {
    Some(match rop_id {
        RopId::MOVE_COPY_MESSAGES => RequestBody::MoveCopyMessages(Default::default()),
        RopId::MOVE_FOLDER => RequestBody::MoveFolder(Default::default()),
        RopId::COPY_FOLDER => RequestBody::CopyFolder(Default::default()),
        RopId::EMPTY_FOLDER => RequestBody::EmptyFolder(Default::default()),
        RopId::HARD_DELETE_MESSAGES_AND_SUBFOLDERS => {
            RequestBody::HardDeleteMessagesAndSubfolders(Default::default())
        }
        RopId::DELETE_MESSAGES => RequestBody::DeleteMessages(Default::default()),
        RopId::HARD_DELETE_MESSAGES => RequestBody::HardDeleteMessages(Default::default()),
        RopId::SET_READ_FLAGS => RequestBody::SetReadFlags(Default::default()),
        RopId::COPY_TO => RequestBody::CopyTo(Default::default()),
        RopId::COPY_PROPERTIES => RequestBody::CopyProperties(Default::default()),
        _ => return None,
    })
}

macro_rules! response_bodies {
    ($(
        $id:literal $constant:ident $name:ident $section:literal $index:ident
        $request:ident $(<$request_lifetime:lifetime>)?
        => $response:ident $(<$response_lifetime:lifetime>)?, $failure:ident;
    )*) => {
        /// The fields of a response after its ReturnValue, one variant per ROP and one for those
        /// failures that have fields of their own.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ResponseBody<'a> {
            $(
                #[doc = concat!("Rop", stringify!($name), " (MS-OXCROPS ", $section, ").")]
                $name($response $(<$response_lifetime>)?),
            )*
            /// Failure.
            Failed(Failure<'a>),
        }

        impl<'a> ResponseBody<'a> {
            fn decode(
                input: &mut Reader<'a>,
                context: &ResponseContext<'_>,
            ) -> Result<Self, DecodeError> {
                match &context.request.body {
                    $(RequestBody::$name(_) => {
                        ResponseWire::take_body(input, context).map(Self::$name)
                    })*
                }
            }

            /// Appends the fields alone.
            pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                match self {
                    $(Self::$name(body) => ResponseWire::put_body(body, out),)*
                    Self::Failed(failure) => failure.encode(out),
                }
            }
        }
    };
}
for_each_rop!(response_bodies);
