//! Autodiscover over HTTP (MS-OXDSCLI 2.1): [`crate::autodiscover`] behind its two paths.

use std::time::SystemTime;

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Body,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};

use super::{
    body::{self, BodyError},
    reply::{self, ReplyBody},
    service::{Server, host},
};
use crate::autodiscover::{self, BODY_MAX, Query, json, urls::Urls};

/// The capabilities of a client (MS-OXDSCLI 2.2.2.3).
const X_CLIENT_CAN_HANDLE: &str = "x-clientcanhandle";

/// `/autodiscover/autodiscover.xml`, once the user is authenticated.
pub async fn answer_xml<B: Body<Data = Bytes>>(
    server: &Server,
    request: Request<B>,
    secure: bool,
) -> Response<ReplyBody> {
    let Some(urls) = urls(server, &request, secure) else {
        body::discard(request.into_body(), server.timing.body).await;
        return no_host();
    };
    let (head, sent) = request.into_parts();
    let body = match body::read(sent, BODY_MAX, server.timing.body).await {
        Ok(body) => body,
        // No request is so long, so it is an invalid one.
        Err(BodyError::TooLarge) => Bytes::new(),
        Err(BodyError::TooSlow) => {
            return reply::plain(StatusCode::REQUEST_TIMEOUT, "the body did not come in time");
        }
        Err(BodyError::Broken) => {
            return reply::plain(StatusCode::BAD_REQUEST, "the body is broken");
        }
    };
    let query = Query {
        client_can_handle: text(&head.headers, X_CLIENT_CAN_HANDLE),
        body: &body,
    };
    let answer = autodiscover::answer(&server.store, &urls, &query, SystemTime::now());
    document(StatusCode::OK, autodiscover::CONTENT_TYPE, answer)
}

/// `/autodiscover/autodiscover.json`, for everyone.
pub async fn answer_json<B: Body<Data = Bytes>>(
    server: &Server,
    request: Request<B>,
    secure: bool,
) -> Response<ReplyBody> {
    let urls = urls(server, &request, secure);
    let answer = urls.map(|urls| json::answer(&urls, request.uri().query()));
    body::discard(request.into_body(), server.timing.body).await;
    match answer {
        Some(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
            document(status, json::CONTENT_TYPE, answer.body)
        }
        None => no_host(),
    }
}

fn urls<B>(server: &Server, request: &Request<B>, secure: bool) -> Option<Urls> {
    server.urls(host(request.uri(), request.headers()).as_deref(), secure)
}

fn no_host() -> Response<ReplyBody> {
    let sentence = "the Host header is missing or names no host";
    reply::plain(StatusCode::BAD_REQUEST, sentence)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn document(status: StatusCode, content_type: &'static str, text: String) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::whole(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private"));
    response
}
