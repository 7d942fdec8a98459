use std::{sync::Arc, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Method, Request, Response, StatusCode};
use ropewalk_store::{Store, StoreOptions, User};
use ropewalk_wire::{
    codec::{AsciiZ, Wire},
    mapihttp::{
        self, ConnectRequest, ConnectSuccess, DisconnectSuccess, Endpoint, NotificationWaitSuccess,
        ResponseCode, decode_body, framing::Framed,
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};

use super::{
    ServeConfig, Timing,
    deliver::{Kind, Outcome, Work, deliver},
    payload::Payload,
    reply::{Reply, ReplyBody},
    service::Server,
    stream::{Started, StreamBuilder},
};
use crate::{
    auth::hash_password,
    config::Tls,
    provision::{self, Email},
    session::{self, Cookies, Presented, SystemClock},
};

const ADA: &str = "ada@example.test";
const BOB: &str = "bob@example.test";

/// Short times, so that tests see them pass.
const TIMING: Timing = Timing {
    first_request: Duration::from_millis(300),
    idle: Duration::from_millis(300),
    body: Duration::from_millis(300),
    prompt: Duration::from_millis(20),
    pending_period: Duration::from_millis(20),
    notification_wait: Duration::from_millis(150),
    asynchronous_slice: Duration::from_millis(50),
};

/// A server with two users who have the same password.
struct Fixture {
    dir: TempDir,
    store: Store,
    server: Arc<Server>,
    ada: Arc<User>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(TIMING)
    }

    fn with(timing: Timing) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let hash = hash_password("secret").unwrap();
        for email in [ADA, BOB] {
            let email = Email::parse(email).unwrap();
            provision::add_user(&store, &email, "Somebody", hash.clone()).unwrap();
        }
        let ada = store.user_by_email(ADA).unwrap();
        let config = ServeConfig {
            timing,
            ..serve_config(&dir, &store)
        };
        let server = Arc::new(Server::new(&config, Arc::new(SystemClock)).unwrap());
        Self {
            dir,
            store,
            server,
            ada,
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = Arc::clone(&self.server).answer(request, true).await;
        Answer::read(response).await
    }

    async fn connect(&self) -> Answer {
        let body = connect_body(&self.ada.legacy_dn, 0);
        self.send(mapi("Connect", &body, "")).await
    }
}

fn serve_config(dir: &TempDir, store: &Store) -> ServeConfig {
    ServeConfig {
        http: ([127, 0, 0, 1], 0).into(),
        https: ([127, 0, 0, 1], 0).into(),
        tls: Tls::default(),
        data_dir: dir.path().to_owned(),
        public_host: None,
        contexts: session::Limits::default(),
        running_requests: 8,
        timing: TIMING,
        store: store.clone(),
    }
}

/// A response with all of its body.
struct Answer {
    status: StatusCode,
    headers: hyper::HeaderMap,
    body: Bytes,
}

impl Answer {
    async fn read(response: Response<ReplyBody>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status,
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn code(&self) -> Option<ResponseCode> {
        ResponseCode::from_header(self.header("X-ResponseCode")?)
    }

    fn framed(&self) -> Framed<'_> {
        Framed::parse(&self.body).unwrap()
    }

    fn success<'a, T: Wire<'a>>(&'a self) -> T {
        match decode_body(self.framed().body).unwrap() {
            mapihttp::Response::Success(success) => success,
            mapihttp::Response::Failure(failure) => panic!("{failure:?}"),
        }
    }

    /// The cookies to send with the next request.
    fn cookies(&self) -> String {
        let all = self.headers.get_all("Set-Cookie");
        let pairs: Vec<&str> = all
            .iter()
            .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
            .collect();
        pairs.join("; ")
    }
}

fn basic(user: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:secret")))
}

fn mapi(request_type: &str, body: &[u8], cookies: &str) -> Request<Full<Bytes>> {
    let mut request = Request::post("/mapi/emsmdb/?MailboxId=x@example.test")
        .header("Host", "mail.example.test:443")
        .header("Authorization", basic(ADA))
        .header("Content-Type", "application/mapi-http")
        .header("X-RequestType", request_type)
        .header("X-RequestId", "{A0B1}:1")
        .header("X-ClientInfo", "{C2D3}:7");
    if !cookies.is_empty() {
        request = request.header("Cookie", cookies);
    }
    request
        .body(Full::new(Bytes::copy_from_slice(body)))
        .unwrap()
}

fn connect_body(dn: &str, flags: u32) -> Vec<u8> {
    let mut body = Vec::new();
    let request = ConnectRequest {
        user_dn: AsciiZ(dn.as_bytes()),
        flags,
        default_code_page: 1252,
        ..ConnectRequest::default()
    };
    request.encode(&mut body).unwrap();
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_answers_with_everything_and_disconnect_ends_it() {
    let fixture = Fixture::new();
    let connected = fixture.connect().await;
    assert_eq!(connected.status, StatusCode::OK);
    for (name, value) in [
        ("Content-Type", "application/mapi-http"),
        ("X-ResponseCode", "0"),
        ("X-RequestType", "Connect"),
        ("X-RequestId", "{A0B1}:1"),
        ("X-ClientInfo", "{C2D3}:7"),
        ("X-PendingPeriod", "20"),
        ("X-ExpirationInfo", "900000"),
        ("Cache-Control", "private"),
    ] {
        assert_eq!(connected.header(name), Some(value), "{name}");
    }
    let version = connected.header("X-ServerApplication").unwrap();
    assert!(version.starts_with("Exchange/15."), "{version}");
    let cookie = connected.header("Set-Cookie").unwrap();
    assert!(
        cookie.ends_with("; Path=/mapi/emsmdb; HttpOnly; Secure"),
        "{cookie}"
    );
    let success: ConnectSuccess<'_> = connected.success();
    assert_eq!(success.error_code, 0);
    let prefix = String::from_utf8_lossy(success.dn_prefix.0);
    assert!(fixture.ada.legacy_dn.starts_with(&*prefix), "{prefix}");
    assert!(prefix.ends_with("/cn=Recipients/cn="), "{prefix}");
    assert_eq!(success.display_name.0, b"S\0o\0m\0e\0b\0o\0d\0y\0");

    let cookies = connected.cookies();
    let ended = fixture.send(mapi("Disconnect", &[0; 4], &cookies)).await;
    assert_eq!(ended.success::<DisconnectSuccess<'_>>().error_code, 0);
    assert_eq!(ended.cookies().split(';').count(), 2);
    let after = fixture
        .send(mapi("Disconnect", &[0; 4], &ended.cookies()))
        .await;
    assert_eq!(after.code(), Some(ResponseCode::ContextNotFound));
    assert_eq!(
        after.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert!(fixture.server.sessions.is_empty());
}

/// MS-OXCRPC 3.1.4.1.
#[tokio::test(flavor = "multi_thread")]
async fn connect_is_refused_by_its_error_code() {
    let fixture = Fixture::new();
    let ada = &fixture.ada.legacy_dn;
    let bob = &fixture.store.user_by_email(BOB).unwrap().legacy_dn;
    for (dn, flags, code) in [
        (ada.to_uppercase().as_str(), 0x8000, 0),
        ("", 0, 0x8007_0005),
        ("/o=Nowhere/cn=nobody", 0, 0x3EB),
        (bob.as_str(), 0, 0x8007_0005),
        (ada.as_str(), 1, 0x3F2),
    ] {
        let body = connect_body(dn, flags);
        let answer = fixture.send(mapi("Connect", &body, "")).await;
        assert_eq!(answer.code(), Some(ResponseCode::Success));
        assert_eq!(
            answer.success::<ConnectSuccess<'_>>().error_code,
            code,
            "{dn}"
        );
        assert_eq!(answer.cookies().is_empty(), code != 0, "{dn}");
    }
    assert_eq!(fixture.server.sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconnecting_client_s_old_context_goes() {
    let fixture = Fixture::new();
    let first = fixture.connect().await;
    let old = first.cookies();
    let body = connect_body(&fixture.ada.legacy_dn, 0);
    let second = fixture.send(mapi("Connect", &body, &old)).await;
    assert_eq!(second.code(), Some(ResponseCode::Success));
    assert_ne!(second.cookies(), old);
    assert_eq!(fixture.server.sessions.len(), 1);
    // Cookies of a context that is gone, or of another server, are no obstacle.
    for old in [&old, "MapiContext=elsewhere"] {
        let third = fixture.send(mapi("Connect", &body, old)).await;
        assert_eq!(third.success::<ConnectSuccess<'_>>().error_code, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_header_has_its_code() {
    let fixture = Fixture::new();
    type Change = fn(&mut Request<Full<Bytes>>);
    let cases: [(Change, ResponseCode); 9] = [
        (|r| *r.method_mut() = Method::GET, ResponseCode::InvalidVerb),
        (
            |r| drop(r.headers_mut().remove("X-RequestType")),
            ResponseCode::MissingHeader,
        ),
        (
            |r| drop(r.headers_mut().remove("X-RequestId")),
            ResponseCode::MissingHeader,
        ),
        (
            |r| drop(r.headers_mut().remove("Content-Type")),
            ResponseCode::MissingHeader,
        ),
        (
            |r| {
                drop(
                    r.headers_mut()
                        .insert("Content-Type", "text/xml".parse().unwrap()),
                )
            },
            ResponseCode::InvalidHeader,
        ),
        (
            |r| drop(r.headers_mut().insert("X-RequestId", "".parse().unwrap())),
            ResponseCode::InvalidHeader,
        ),
        (
            |r| {
                drop(
                    r.headers_mut()
                        .insert("X-RequestType", "Explode".parse().unwrap()),
                )
            },
            ResponseCode::InvalidRequestType,
        ),
        // Of the other endpoint.
        (
            |r| {
                drop(
                    r.headers_mut()
                        .insert("X-RequestType", "Bind".parse().unwrap()),
                )
            },
            ResponseCode::InvalidRequestType,
        ),
        (
            |r| *r.body_mut() = Full::new(vec![0; (512 << 10) + 1].into()),
            ResponseCode::TooLarge,
        ),
    ];
    for (change, code) in cases {
        let mut request = mapi("PING", b"", "");
        change(&mut request);
        let answer = fixture.send(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::OK, Some(code)));
        let content_type = answer.header("Content-Type").unwrap();
        assert!(content_type.starts_with("text/html"), "{content_type}");
        assert_eq!(answer.header("X-ClientInfo"), Some("{C2D3}:7"));
        assert!(answer.header("X-ServerApplication").is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_do_not_parse_leave_the_context_as_it_was() {
    let fixture = Fixture::new();
    let connected = fixture.connect().await;
    let cookies = connected.cookies();
    for (request_type, body) in [
        ("Connect", &b"no terminator"[..]),
        ("Execute", &[0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
        ("Execute", b""),
        ("Disconnect", &[1, 0, 0, 0]),
        ("NotificationWait", &[0; 3]),
    ] {
        let answer = fixture.send(mapi(request_type, body, &cookies)).await;
        let code = answer.code();
        assert_eq!(
            code,
            Some(ResponseCode::InvalidRequestBody),
            "{request_type}"
        );
    }
    let ended = fixture.send(mapi("Disconnect", &[0; 4], &cookies)).await;
    assert_eq!(ended.code(), Some(ResponseCode::Success));
}

#[tokio::test(flavor = "multi_thread")]
async fn anonymous_and_wrong_paths() {
    let fixture = Fixture::new();
    let mut anonymous = mapi("PING", b"", "");
    anonymous.headers_mut().remove("Authorization");
    let answer = fixture.send(anonymous).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.header("WWW-Authenticate"),
        Some("Basic realm=\"Ropewalk\", charset=\"UTF-8\"")
    );
    for (path, code) in [("/", None), ("/mapi/x", Some(ResponseCode::InvalidPath))] {
        let mut request = mapi("PING", b"", "");
        *request.uri_mut() = path.parse().unwrap();
        let answer = fixture.send(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::NOT_FOUND, code)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ping_works_with_and_without_a_context() {
    let fixture = Fixture::new();
    let answer = fixture.send(mapi("ping", b"", "")).await;
    assert_eq!(answer.code(), Some(ResponseCode::Success));
    assert_eq!(answer.framed().body, b"");
    assert!(answer.cookies().is_empty() && answer.header("X-ExpirationInfo").is_none());
    let cookies = fixture.connect().await.cookies();
    let answer = fixture.send(mapi("PING", b"", &cookies)).await;
    // The sequence does not move.
    assert_eq!(answer.cookies(), cookies);
    assert_eq!(answer.header("X-ExpirationInfo"), Some("900000"));
    let answer = fixture.send(mapi("PING", b"", "MapiContext=x")).await;
    assert_eq!(answer.code(), Some(ResponseCode::InvalidContextCookie));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_says_pending_until_it_ends() {
    let fixture = Fixture::new();
    let cookies = fixture.connect().await.cookies();
    let answer = fixture
        .send(mapi("NotificationWait", &[0; 8], &cookies))
        .await;
    assert_eq!(answer.cookies(), cookies);
    let framed = answer.framed();
    assert!(framed.pending >= 1);
    assert_eq!(framed.header("X-ResponseCode"), Some("0"));
    let success: NotificationWaitSuccess<'_> = answer.success();
    assert_eq!((success.error_code, success.event_pending), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_with_disconnect() {
    let fixture = Fixture::with(Timing {
        notification_wait: Duration::from_secs(300),
        ..TIMING
    });
    let cookies = fixture.connect().await.cookies();
    let request = mapi("NotificationWait", &[0; 8], &cookies);
    let server = Arc::clone(&fixture.server);
    let waiting = server.answer(request, true).await;
    // Its headers are there; the context serves other requests meanwhile.
    let ended = fixture.send(mapi("Disconnect", &[0; 4], &cookies)).await;
    assert_eq!(ended.code(), Some(ResponseCode::Success));
    let answer = Answer::read(waiting).await;
    assert_eq!(
        answer
            .success::<NotificationWaitSuccess<'_>>()
            .event_pending,
        0
    );
}

/// The same request at the other endpoint.
fn nspi(request_type: &str, body: &[u8], cookies: &str) -> Request<Full<Bytes>> {
    let mut request = mapi(request_type, body, cookies);
    *request.uri_mut() = "/mapi/nspi/".parse().unwrap();
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_book_has_contexts_of_its_own() {
    let fixture = Fixture::new();
    let bind = |code_page: u32| {
        let mut stat = [0; 36];
        stat[24..28].copy_from_slice(&code_page.to_le_bytes());
        nspi("Bind", &[&[0, 0, 0, 0, 1][..], &stat, &[0; 4]].concat(), "")
    };
    // InvalidCodepage makes no context.
    let refused = fixture.send(bind(1)).await;
    assert_eq!(refused.code(), Some(ResponseCode::Success));
    assert_eq!(refused.framed().body[4..8], 0x8004_011E_u32.to_le_bytes());
    assert!(refused.cookies().is_empty() && fixture.server.sessions.is_empty());

    let bound = fixture.send(bind(1252)).await;
    assert_eq!(bound.code(), Some(ResponseCode::Success));
    assert_eq!(bound.framed().body[..8], [0; 8]);
    assert_eq!(bound.framed().body[8..24], fixture.store.store_guid().0);
    let cookie = bound.header("Set-Cookie").unwrap();
    assert!(cookie.contains("; Path=/mapi/nspi;"), "{cookie}");

    let url = nspi("GetMailboxUrl", &[0; 10], &bound.cookies());
    let url = fixture.send(url).await;
    let text: String = url.framed().body[8..]
        .iter()
        .map(|byte| *byte as char)
        .collect();
    let text = text.replace('\0', "");
    assert!(
        text.starts_with("https://mail.example.test:443/mapi/emsmdb/?MailboxId="),
        "{text}"
    );

    // The contexts of the other endpoint are not known here, nor these there.
    let mailbox = fixture.connect().await.cookies();
    let stranger = fixture.send(nspi("Unbind", &[0; 8], &mailbox)).await;
    assert_eq!(stranger.code(), Some(ResponseCode::ContextNotFound));
    let stranger = fixture
        .send(mapi("Disconnect", &[0; 4], &url.cookies()))
        .await;
    assert_eq!(stranger.code(), Some(ResponseCode::ContextNotFound));

    let garbage = fixture
        .send(nspi("QueryRows", &[0xFF; 30], &url.cookies()))
        .await;
    assert_eq!(garbage.code(), Some(ResponseCode::InvalidRequestBody));
    let mut homeless = nspi("GetMailboxUrl", &[0; 10], &url.cookies());
    homeless.headers_mut().insert("Host", "?".parse().unwrap());
    let homeless = fixture.send(homeless).await;
    assert_eq!(homeless.code(), Some(ResponseCode::InvalidHeader));

    let unbound = fixture.send(nspi("Unbind", &[0; 8], &url.cookies())).await;
    // MS-OXCMAPIHTTP 2.2.5.2.2: UnbindSuccess.
    assert_eq!(unbound.framed().body[..8], [0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(fixture.server.sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_too_many_is_refused_in_the_way_of_its_endpoint() {
    let fixture = Fixture::new();
    let (sessions, owner) = (&fixture.server.sessions, fixture.ada.mailbox_guid);
    for _ in 0..sessions.limits().per_user {
        sessions
            .create(Endpoint::Mailbox, owner, Payload::AddressBook)
            .unwrap();
    }
    let connected = fixture.connect().await;
    let connected: ConnectSuccess<'_> = connected.success();
    let too_many = ropewalk_wire::ErrorCode::TOO_MANY_SESSIONS;
    assert_eq!(connected.error_code, too_many.0);
    // MS-OXNSPI 3.1.4.1.1, constraint 2: LogonFailed.
    let bound = fixture.send(nspi("Bind", &[0; 9], "")).await;
    let body = bound.framed().body;
    assert_eq!(body[..4], [0; 4]);
    assert_eq!(body[4..8], 0x8004_0111_u32.to_le_bytes());
    assert_eq!(body[8..], [0; 20]);
    assert!(bound.cookies().is_empty());
}

/// A context of Ada with a request under way, and the reply to it.
fn under_way(
    fixture: &Fixture,
) -> (
    Arc<session::Context<Payload>>,
    session::Turn<Payload>,
    Reply,
) {
    let sessions = &fixture.server.sessions;
    let owner = fixture.ada.mailbox_guid;
    let context = sessions
        .create(Endpoint::Mailbox, owner, Payload::AddressBook)
        .unwrap();
    let request = mapi("Execute", b"", "");
    let cookies = Cookies {
        context: Presented::Value(context.id()),
        sequence: Presented::Value(context.sequence()),
    };
    let begun = sessions.begin(Endpoint::Mailbox, owner, &cookies);
    let Ok(turn) = begun else {
        panic!("a turn");
    };
    let reply = Reply::new(&fixture.server, Endpoint::Mailbox, true, request.headers());
    (context, turn, reply)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_work_streams_and_moves_the_sequence_whatever_comes_of_it() {
    for fails in [false, true] {
        let fixture = Fixture::new();
        let (context, turn, reply) = under_way(&fixture);
        let before = context.sequence();
        let started = Started::now();
        let kind = Kind::InTurn(turn.sequence());
        let task = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(120)).await;
            drop(turn);
            if fails {
                return Outcome::Failed(ResponseCode::InvalidRequestBody, "no".into(), None);
            }
            let mut stream = StreamBuilder::new(started, 4);
            stream.body().extend_from_slice(b"body");
            Outcome::Done(stream.finish(), None)
        });
        let work = Work {
            started,
            context: Arc::clone(&context),
            task,
            kind,
        };
        let answer = Answer::read(deliver(&fixture.server, &reply, work).await).await;
        assert_eq!(answer.code(), Some(ResponseCode::Success));
        let told = format!("MapiSequence={:016x}", context.sequence());
        assert!(answer.cookies().contains(&told), "{}", answer.cookies());
        assert_ne!(context.sequence(), before);
        let framed = answer.framed();
        assert!(framed.pending >= 1);
        let (code, body) = if fails {
            ("12", b"no".as_slice())
        } else {
            ("0", b"body".as_slice())
        };
        assert_eq!(
            (framed.header("X-ResponseCode"), framed.body),
            (Some(code), body)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_its_context_and_nothing_else() {
    let fixture = Fixture::with(Timing {
        prompt: Duration::from_secs(60),
        ..TIMING
    });
    let other = fixture.connect().await.cookies();
    let (context, turn, reply) = under_way(&fixture);
    let kind = Kind::InTurn(turn.sequence());
    let task = tokio::spawn(async move {
        let _turn = turn;
        panic!("as a test of panics");
    });
    let work = Work {
        started: Started::now(),
        context,
        task,
        kind,
    };
    let answer = Answer::read(deliver(&fixture.server, &reply, work).await).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.code(), Some(ResponseCode::UnknownFailure));
    assert_eq!(fixture.server.sessions.len(), 1);
    let answer = fixture.send(mapi("PING", b"", &other)).await;
    assert_eq!(answer.code(), Some(ResponseCode::Success));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_server_says_so() {
    let fixture = Fixture::new();
    let cookies = fixture.connect().await.cookies();
    fixture.server.stop();
    let answer = fixture.send(mapi("PING", b"", &cookies)).await;
    assert_eq!(answer.code(), Some(ResponseCode::EndpointShuttingDown));
    assert!(fixture.server.sessions.is_empty());
}

/// What a connection gets that sends `bytes` and then nothing, until the server closes it.
async fn sent_and_silent(fixture: &Fixture, bytes: &[u8]) -> Vec<u8> {
    let bound = super::bind(&serve_config(&fixture.dir, &fixture.store)).unwrap();
    let address = bound.http_addr();
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(bound.run(stopped));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut received = Vec::new();
    tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut received))
        .await
        .expect("the server closes the connection")
        .unwrap();
    stop.send_replace(true);
    running.await.unwrap();
    received
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_closed() {
    let fixture = Fixture::new();
    for bytes in [
        &b""[..],
        b"PRI * HT",
        b"POST /mapi/emsmdb HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ] {
        let received = sent_and_silent(&fixture, bytes).await;
        assert_eq!(received, b"", "{}", bytes.escape_ascii());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_a_timeout_and_an_idle_connection_is_closed() {
    let fixture = Fixture::new();
    let head = format!(
        "POST /mapi/emsmdb HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nX-RequestType: PING\r\n\
         X-RequestId: {{A}}:1\r\nContent-Type: application/mapi-http\r\n",
        basic(ADA)
    );
    let slow = format!("{head}Content-Length: 10\r\n\r\nabc");
    let received = sent_and_silent(&fixture, slow.as_bytes()).await;
    assert!(
        received.starts_with(b"HTTP/1.1 408 "),
        "{}",
        received.escape_ascii()
    );
    let whole = format!("{head}Content-Length: 0\r\n\r\n");
    let received = sent_and_silent(&fixture, whole.as_bytes()).await;
    assert!(
        received.starts_with(b"HTTP/1.1 200 "),
        "{}",
        received.escape_ascii()
    );
    assert!(
        received.ends_with(b"\r\n\r\n"),
        "{}",
        received.escape_ascii()
    );
}
