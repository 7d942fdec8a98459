//! Responses: their bodies, and the headers that they share (MS-OXCMAPIHTTP 2.2.3).

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Response, StatusCode,
    body::{Body, Frame, SizeHint},
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE},
};
use ropewalk_wire::mapihttp::{Endpoint, ResponseCode};
use tokio::sync::mpsc;

use super::{activity::UnderWay, service::Server};
use crate::session::{ContextId, cookie_names, sequence_text};

/// The version of the server whose protocol level this one has (MS-OXCRPC 3.1.4.1.3.2).
const SERVER_APPLICATION: HeaderValue = HeaderValue::from_static("Exchange/15.00.0847.4040");
const MAPI_HTTP: HeaderValue = HeaderValue::from_static("application/mapi-http");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// When a client that found the server busy may come again.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");
const PRIVATE: HeaderValue = HeaderValue::from_static("private");

pub const X_REQUEST_TYPE: HeaderName = HeaderName::from_static("x-requesttype");
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-requestid");
pub const X_CLIENT_INFO: HeaderName = HeaderName::from_static("x-clientinfo");
pub const X_RESPONSE_CODE: HeaderName = HeaderName::from_static("x-responsecode");
const X_SERVER_APPLICATION: HeaderName = HeaderName::from_static("x-serverapplication");
const X_EXPIRATION_INFO: HeaderName = HeaderName::from_static("x-expirationinfo");
const X_PENDING_PERIOD: HeaderName = HeaderName::from_static("x-pendingperiod");

/// The body of a response.
pub struct ReplyBody {
    content: Content,
    /// Its length is not told, so that HTTP/1.1 sends it in chunks.
    chunked: bool,
    /// The connection is not idle while this is being sent.
    under_way: Option<UnderWay>,
}

enum Content {
    /// All of it; `None` once it is sent.
    Whole(Option<Bytes>),
    /// Piece by piece, of a length that is not known.
    Pieces(mpsc::Receiver<Bytes>),
}

impl ReplyBody {
    /// A body that is there.
    pub fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            content: Content::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())),
            chunked: false,
            under_way: None,
        }
    }

    /// A body that comes piece by piece, until all senders are gone.
    pub fn pieces(receiver: mpsc::Receiver<Bytes>) -> Self {
        Self {
            content: Content::Pieces(receiver),
            chunked: true,
            under_way: None,
        }
    }

    /// Keeps the request under way until the body is sent or dropped.
    pub fn until_sent(mut self, under_way: UnderWay) -> Self {
        self.under_way = Some(under_way);
        self
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = match &mut self.content {
            Content::Whole(bytes) => Poll::Ready(bytes.take()),
            Content::Pieces(receiver) => receiver.poll_recv(cx),
        };
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) if !self.chunked => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64)
            }
            Content::Whole(_) | Content::Pieces(_) => SizeHint::default(),
        }
    }
}

/// A response outside MAPI over HTTP: a status and a sentence.
pub fn plain(status: StatusCode, sentence: &str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(page(status.as_str(), sentence)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HTML);
    response
        .headers_mut()
        .insert(X_SERVER_APPLICATION, SERVER_APPLICATION);
    response
}

/// Others want the same of the server: come again later.
pub fn busy(sentence: &str) -> Response<ReplyBody> {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, sentence);
    response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
    response
}

/// What a response says about its session context.
#[derive(Clone, Copy)]
pub struct SessionHeaders {
    /// The session context.
    pub id: ContextId,
    /// What the next request has to present.
    pub sequence: u64,
}

impl SessionHeaders {
    /// For this session context and this sequence.
    pub const fn new(id: ContextId, sequence: u64) -> Self {
        Self { id, sequence }
    }
}

/// Header values that are the same in all responses of a server.
#[derive(Clone)]
pub struct Constant {
    /// X-PendingPeriod: milliseconds between PENDING tags.
    pub pending_period: HeaderValue,
    /// X-ExpirationInfo: milliseconds until an idle session context expires.
    pub expiration_info: HeaderValue,
}

/// What every response to one request has.
pub struct Reply {
    /// The endpoint, whose path the cookies have.
    pub endpoint: Endpoint,
    /// Came over TLS, so the cookies may not leave without it.
    pub secure: bool,
    /// The values that are the same in all responses.
    pub constant: Constant,
    /// A response stream is sent in chunks, though it may be there whole: so is that of an Execute
    /// (MS-OXCMAPIHTTP 4.2, 3.2.5.2).
    pub chunked: bool,
    /// X-RequestType, X-RequestId and X-ClientInfo, to be sent back as they came.
    pub request_type: Option<HeaderValue>,
    /// See `request_type`.
    pub request_id: Option<HeaderValue>,
    /// See `request_type`.
    pub client_info: Option<HeaderValue>,
}

impl Reply {
    /// Takes what is to be sent back from the headers of a request.
    pub fn new(server: &Server, endpoint: Endpoint, secure: bool, request: &HeaderMap) -> Self {
        Self {
            endpoint,
            secure,
            constant: server.constant.clone(),
            chunked: false,
            request_type: request.get(X_REQUEST_TYPE).cloned(),
            request_id: request.get(X_REQUEST_ID).cloned(),
            client_info: request.get(X_CLIENT_INFO).cloned(),
        }
    }

    /// The request was executed, or is being: a response stream.
    pub fn success(
        &self,
        mut body: ReplyBody,
        session: Option<&SessionHeaders>,
    ) -> Response<ReplyBody> {
        body.chunked |= self.chunked;
        self.response(ResponseCode::Success, MAPI_HTTP, body, session)
    }

    /// The request was not executed: a page that says why (MS-OXCMAPIHTTP 2.2.2.2).
    pub fn failure(
        &self,
        code: ResponseCode,
        sentence: &str,
        session: Option<&SessionHeaders>,
    ) -> Response<ReplyBody> {
        let title = format!("{} ({code:?})", code.number());
        let body = ReplyBody::whole(page(&title, sentence));
        self.response(code, HTML, body, session)
    }

    fn response(
        &self,
        code: ResponseCode,
        content_type: HeaderValue,
        body: ReplyBody,
        session: Option<&SessionHeaders>,
    ) -> Response<ReplyBody> {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.reserve(12);
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, PRIVATE);
        for (name, value) in [
            (X_REQUEST_TYPE, &self.request_type),
            (X_REQUEST_ID, &self.request_id),
            (X_CLIENT_INFO, &self.client_info),
        ] {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        let code = match code {
            ResponseCode::Success => HeaderValue::from_static("0"),
            _ => HeaderValue::from(code.number()),
        };
        headers.insert(X_RESPONSE_CODE, code);
        headers.insert(X_SERVER_APPLICATION, SERVER_APPLICATION);
        headers.insert(X_PENDING_PERIOD, self.constant.pending_period.clone());
        if let Some(session) = session {
            headers.insert(X_EXPIRATION_INFO, self.constant.expiration_info.clone());
            self.set_cookies(headers, session);
        }
        response
    }

    /// All cookies of the session context, on every response (MS-OXCMAPIHTTP 3.2.5.1).
    fn set_cookies(&self, headers: &mut HeaderMap, session: &SessionHeaders) {
        let path = match self.endpoint {
            Endpoint::Mailbox => "/mapi/emsmdb",
            Endpoint::AddressBook => "/mapi/nspi",
        };
        for (name, value) in [
            (cookie_names::CONTEXT, &session.id.text()[..]),
            (cookie_names::SEQUENCE, &sequence_text(session.sequence)[..]),
        ] {
            let mut cookie = Vec::with_capacity(COOKIE_LEN_MAX);
            cookie.extend_from_slice(name.as_bytes());
            cookie.push(b'=');
            cookie.extend_from_slice(value);
            cookie.extend_from_slice(b"; Path=");
            cookie.extend_from_slice(path.as_bytes());
            cookie.extend_from_slice(b"; HttpOnly");
            if self.secure {
                cookie.extend_from_slice(b"; Secure");
            }
            if let Ok(cookie) = HeaderValue::from_maybe_shared(Bytes::from(cookie)) {
                headers.append(SET_COOKIE, cookie);
            }
        }
    }
}

/// Bytes of the longer of the two cookies, with all that is behind its value.
const COOKIE_LEN_MAX: usize = 96;

fn page(title: &str, sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    for c in sentence.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            c => text.push(c),
        }
    }
    format!(
        "<!DOCTYPE html>\n<html><head><title>{title}</title></head>\
         <body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )
}
