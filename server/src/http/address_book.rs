//! The address book endpoint (MS-OXCMAPIHTTP 2.2.5): session contexts around [`crate::nspi`].

use ropewalk_wire::{
    ErrorCode, Put as _,
    mapihttp::{Endpoint, ResponseCode},
    nspi::RequestType,
};

use super::{
    deliver::Outcome,
    mailbox,
    mapi::{MapiRequest, Turn},
    payload::Payload,
    reply::SessionHeaders,
    service::Server,
    stream::StreamBuilder,
};
use crate::{
    nspi::{self, NspiContext},
    session::TooMany,
};

/// A body of a few rows.
const USUAL_BODY: usize = 4 << 10;

/// An Unbind request body: Reserved and AuxiliaryBufferSize.
const EMPTY_UNBIND: [u8; 8] = [0; 8];

/// Bind: makes a session context (MS-OXCMAPIHTTP 3.2.5.1).
pub fn bind(server: &Server, request: &MapiRequest) -> Outcome {
    let (stream, code) = match respond(server, request, RequestType::Bind) {
        Ok(answered) => answered,
        Err(refused) => return refused.outcome(None),
    };
    if code != ErrorCode(0) {
        return Outcome::Done(stream.finish(), None);
    }
    let owner = request.user.mailbox_guid;
    // MS-OXCMAPIHTTP 3.2.5.6.
    if let Ok(old) = server
        .sessions
        .find(Endpoint::AddressBook, owner, request.cookies.context)
    {
        server.sessions.remove(&old);
    }
    let made = server
        .sessions
        .create(Endpoint::AddressBook, owner, Payload::AddressBook);
    match made {
        Ok(context) => {
            let session = SessionHeaders::new(context.id(), context.sequence());
            Outcome::Done(stream.finish(), Some(session))
        }
        Err(error) => {
            tracing::warn!(%error, user = request.user.email, "Bind refused");
            // MS-OXNSPI 3.1.4.1.1, constraint 2.
            let code = match error {
                TooMany::OfUser | TooMany::InTotal => ErrorCode::LOGON_FAILED,
                TooMany::Random(_) => ErrorCode::OUT_OF_RESOURCES,
            };
            // ServerGuid and AuxiliaryBufferSize are zeros.
            let mut stream = StreamBuilder::new(request.started, USUAL_BODY);
            stream.body().put_u32(0);
            stream.body().put_u32(code.0);
            stream.body().put_bytes(&[0; 20]);
            Outcome::Done(stream.finish(), None)
        }
    }
}

/// Every other request type.
pub fn execute(
    server: &Server,
    turn: Turn,
    request: &MapiRequest,
    request_type: RequestType,
) -> Outcome {
    let (id, sequence) = (turn.context().id(), turn.sequence());
    let (stream, _) = match respond(server, request, request_type) {
        Ok(answered) => answered,
        Err(refused) => {
            return refused.outcome(Some(SessionHeaders::new(id, sequence)));
        }
    };
    let stream = stream.finish();
    if request_type == RequestType::Unbind {
        let session = SessionHeaders::new(id, turn.next_sequence());
        server.sessions.remove(turn.context());
        turn.finish();
        return Outcome::Done(stream, Some(session));
    }
    mailbox::finish(turn, stream)
}

/// Why there is no response body.
struct Refused(ResponseCode, String);

impl Refused {
    fn outcome(self, session: Option<SessionHeaders>) -> Outcome {
        Outcome::Failed(self.0, self.1.into(), session)
    }
}

/// The response body in its stream, and the ErrorCode in it.
fn respond(
    server: &Server,
    request: &MapiRequest,
    request_type: RequestType,
) -> Result<(StreamBuilder, ErrorCode), Refused> {
    let urls = server
        .urls(request.host.as_deref(), request.secure)
        .ok_or_else(|| {
            let sentence = "the Host header is missing or names no host";
            Refused(ResponseCode::InvalidHeader, sentence.to_owned())
        })?;
    let context = NspiContext {
        store: &server.store,
        user: &request.user,
        urls: &urls,
    };
    let mut stream = StreamBuilder::new(request.started, USUAL_BODY);
    let body = match &*request.body {
        // MS-OXCMAPIHTTP 3.1.5.4 says that an Unbind has no body, 2.2.5.2.1 that it has these fields.
        [] if request_type == RequestType::Unbind => &EMPTY_UNBIND,
        body => body,
    };
    nspi::respond(&context, request_type, body, stream.body())
        .map(|code| (stream, code))
        .map_err(|error| {
            tracing::debug!(%error, "request body");
            Refused(ResponseCode::InvalidRequestBody, error.to_string())
        })
}
