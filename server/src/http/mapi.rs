//! MAPI over HTTP: from a request's headers to its request type and session context
//! (MS-OXCMAPIHTTP 2.2.2.1, 2.2.3 and 3.2.5).

use std::sync::Arc;

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Body,
    header::{CONTENT_TYPE, COOKIE, HeaderValue},
};
use ropewalk_rops::exec::blocking;
use ropewalk_store::User;
use ropewalk_wire::{
    mapihttp::{Endpoint, RequestType, ResponseCode},
    nspi,
};

use super::{
    address_book, body,
    body::BodyError,
    deliver::{Kind, Work, at_once, deliver, respond, whole},
    mailbox,
    payload::Payload,
    reply::{self, Reply, ReplyBody, SessionHeaders},
    service::Server,
    stream::{Started, StreamBuilder},
};
use crate::session::{Cookies, Presented};

/// Bytes of a request body: eight chained extended buffers of ROPs, and some more
/// (MS-OXCRPC 3.1.4.2).
const BODY_BYTES_MAX: usize = 512 << 10;
/// Bytes of a request body that any number of requests may have.
const SMALL_BODY_BYTES: u64 = 16 << 10;
/// Requests with larger bodies at a time; others wait.
pub const LARGE_BODIES_MAX: usize = 512;
/// Bytes of an X-RequestId: a GUID and a counter, with room.
const REQUEST_ID_BYTES_MAX: usize = 256;

/// A request that is refused before anything is looked up.
type Refusal = (ResponseCode, &'static str);

/// A request on its way to an endpoint.
pub struct MapiRequest {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What it asks for.
    pub request_type: RequestType,
    /// The cookies.
    pub cookies: Cookies,
    /// Who asks.
    pub user: Arc<User>,
    /// The host, with a port, that the client used; the address book tells clients where to go.
    pub host: Option<String>,
    /// Came over TLS.
    pub secure: bool,
    /// The body.
    pub body: Bytes,
    /// When it had come.
    pub started: Started,
}

/// Answers an authenticated request at an endpoint.
pub async fn answer<B>(
    server: &Arc<Server>,
    endpoint: Endpoint,
    user: Arc<User>,
    request: Request<B>,
    secure: bool,
) -> Response<ReplyBody>
where
    B: Body<Data = Bytes>,
{
    let (head, body) = request.into_parts();
    let timing = &server.timing;
    let mut reply = Reply::new(server, endpoint, secure, &head.headers);
    if server.is_stopping() {
        let sentence = "the server is shutting down";
        return reply.failure(ResponseCode::EndpointShuttingDown, sentence, None);
    }
    let request_type = match check(endpoint, &head.method, &head.headers, &reply) {
        Ok(checked) => checked,
        Err((code, sentence)) => {
            body::discard(body, timing.body).await;
            return reply.failure(code, sentence, None);
        }
    };
    let is_small = |bytes| bytes <= SMALL_BODY_BYTES;
    let _room = if body.size_hint().exact().is_some_and(is_small) {
        None
    } else {
        let room = tokio::time::timeout(timing.body, server.large_bodies.acquire()).await;
        let Ok(Ok(room)) = room else {
            return reply::busy("too many large requests at once; try again");
        };
        Some(room)
    };
    reply.chunked = request_type == RequestType::Execute;
    let body = match body::read(body, BODY_BYTES_MAX, timing.body).await {
        Ok(body) => body,
        Err(BodyError::TooLarge) => {
            let sentence = "the body is larger than a request can be";
            return reply.failure(ResponseCode::TooLarge, sentence, None);
        }
        Err(BodyError::TooSlow) => {
            return reply::plain(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
        }
        Err(BodyError::Broken) => {
            return reply::plain(StatusCode::BAD_REQUEST, "the body is broken off");
        }
    };
    let cookies = head.headers.get_all(COOKIE);
    let request = MapiRequest {
        endpoint,
        request_type,
        cookies: Cookies::parse(cookies.iter().map(HeaderValue::as_bytes)),
        user,
        host: match endpoint {
            Endpoint::Mailbox => None,
            Endpoint::AddressBook => super::service::host(&head.uri, &head.headers),
        },
        secure,
        body,
        started: Started::now(),
    };
    dispatch(server, &reply, request).await
}

/// Holds the method and the headers to MS-OXCMAPIHTTP 2.2.2.1.
fn check(
    endpoint: Endpoint,
    method: &Method,
    headers: &HeaderMap,
    reply: &Reply,
) -> Result<RequestType, Refusal> {
    if method != Method::POST {
        return Err((ResponseCode::InvalidVerb, "only POST is possible here"));
    }
    let missing = |sentence| (ResponseCode::MissingHeader, sentence);
    let request_type =
        (reply.request_type.as_ref()).ok_or(missing("the header X-RequestType is missing"))?;
    let request_id =
        (reply.request_id.as_ref()).ok_or(missing("the header X-RequestId is missing"))?;
    let content_type = headers
        .get(CONTENT_TYPE)
        .ok_or(missing("the header Content-Type is missing"))?;
    let invalid = |sentence| (ResponseCode::InvalidHeader, sentence);
    if !is_mapi_http(content_type) {
        return Err(invalid("the Content-Type has to be application/mapi-http"));
    }
    if request_id.is_empty() || request_id.len() > REQUEST_ID_BYTES_MAX {
        return Err(invalid("the X-RequestId has to be a GUID and a counter"));
    }
    // The one that nearly all of them are of.
    let request_type = match request_type.as_bytes() {
        b"Execute" => Some(RequestType::Execute),
        _ => request_type
            .to_str()
            .ok()
            .and_then(|name| RequestType::from_name(name.trim())),
    };
    request_type
        .filter(|request_type| request_type.is_of(endpoint))
        .ok_or((
            ResponseCode::InvalidRequestType,
            "this endpoint has no such X-RequestType",
        ))
}

fn is_mapi_http(content_type: &HeaderValue) -> bool {
    const MAPI_HTTP: &[u8] = b"application/mapi-http";
    let value = content_type.as_bytes();
    let essence = value.split(|byte| *byte == b';').next().unwrap_or(value);
    essence.trim_ascii().eq_ignore_ascii_case(MAPI_HTTP)
}

async fn dispatch(
    server: &Arc<Server>,
    reply: &Reply,
    request: MapiRequest,
) -> Response<ReplyBody> {
    match request.request_type {
        RequestType::Ping => ping(server, reply, &request),
        RequestType::Connect => {
            let server = Arc::clone(server);
            let task = tokio::spawn(async move {
                let MapiRequest {
                    user,
                    cookies,
                    body,
                    started,
                    ..
                } = &request;
                mailbox::connect(&server, user, cookies, body, *started)
            });
            whole(reply, task).await
        }
        RequestType::AddressBook(nspi::RequestType::Bind) => {
            let server = Arc::clone(server);
            let task = tokio::spawn(async move { address_book::bind(&server, &request) });
            whole(reply, task).await
        }
        RequestType::NotificationWait => wait(server, reply, request).await,
        _ => in_turn(server, reply, request).await,
    }
}

/// PING: the endpoint is there, and the session context, if the request has one, lives on
/// (MS-OXCMAPIHTTP 3.2.5.3).
fn ping(server: &Server, reply: &Reply, request: &MapiRequest) -> Response<ReplyBody> {
    let session = match request.cookies.context {
        Presented::Missing => None,
        _ => {
            let owner = request.user.mailbox_guid;
            match server
                .sessions
                .touch(request.endpoint, owner, &request.cookies)
            {
                Ok(context) => Some(SessionHeaders::new(context.id(), context.sequence())),
                Err(code) => return refused(reply, code),
            }
        }
    };
    let stream = StreamBuilder::new(request.started, 0).finish();
    reply.success(ReplyBody::whole(stream), session.as_ref())
}

async fn wait(server: &Arc<Server>, reply: &Reply, request: MapiRequest) -> Response<ReplyBody> {
    let owner = request.user.mailbox_guid;
    let wait = server
        .sessions
        .begin_wait(request.endpoint, owner, &request.cookies);
    let wait = match wait {
        Ok(wait) => wait,
        Err(code) => return refused(reply, code),
    };
    if let Err(refused) = mailbox::check_wait(&wait, &request.body) {
        return respond(reply, refused);
    }
    let context = Arc::clone(wait.context());
    let started = request.started;
    let task = tokio::spawn(mailbox::notification_wait(
        Arc::clone(server),
        wait,
        started,
    ));
    let work = Work {
        started,
        context,
        task,
        kind: Kind::Wait,
    };
    deliver(server, reply, work).await
}

/// A request that needs its session context for itself.
async fn in_turn(server: &Arc<Server>, reply: &Reply, request: MapiRequest) -> Response<ReplyBody> {
    let owner = request.user.mailbox_guid;
    let begun = server
        .sessions
        .begin(request.endpoint, owner, &request.cookies);
    let turn = match begun {
        Ok(turn) => turn,
        Err(code) => return refused(reply, code),
    };
    let (started, kind) = (request.started, Kind::InTurn(turn.sequence()));
    let context = Arc::clone(turn.context());
    let mut begun = Ok(turn);
    if request.request_type == RequestType::Execute
        && mailbox::begins_brief(&request.body)
        && let Ok(turn) = begun
    {
        // A task of its own would take more time than the work (`benches/execute.rs`).
        let work = || mailbox::execute_brief(turn, &request.body, started);
        match at_once(server, &context, work) {
            Ok(outcome) => return respond(reply, outcome),
            Err(rest) => begun = Err(rest),
        }
    }
    let on_task = Arc::clone(server);
    let task = tokio::spawn(async move {
        let turn = match (begun, request.request_type) {
            (begun, RequestType::Execute) => {
                let running = on_task.load.enter();
                return mailbox::execute(begun, &request.body, started, running.delay());
            }
            (Ok(turn), _) => turn,
            (Err(_), _) => return mailbox::wrong_endpoint(),
        };
        match request.request_type {
            RequestType::Disconnect => mailbox::disconnect(&on_task, turn, &request.body, started),
            // A thousand names against as many users take a while.
            RequestType::AddressBook(request_type) => {
                blocking(|| address_book::execute(&on_task, turn, &request, request_type))
            }
            // Dispatched elsewhere.
            RequestType::Execute
            | RequestType::Connect
            | RequestType::NotificationWait
            | RequestType::Ping => mailbox::wrong_endpoint(),
        }
    });
    let work = Work {
        started,
        context,
        task,
        kind,
    };
    deliver(server, reply, work).await
}

/// A request whose cookies name no session context that it could use.
fn refused(reply: &Reply, code: ResponseCode) -> Response<ReplyBody> {
    let sentence = match code {
        ResponseCode::MissingCookie => "a cookie of the session context is missing",
        ResponseCode::InvalidContextCookie => "a cookie is not of this server's making",
        ResponseCode::InvalidSequence => {
            "another request of the session context is under way, or this is not the next one"
        }
        _ => "there is no such session context; connect anew",
    };
    reply.failure(code, sentence, None)
}

/// The payload type of this server's session contexts, for those who begin and end them.
pub type Turn = crate::session::Turn<Payload>;
