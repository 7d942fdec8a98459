//! MAPI over HTTP as MS-OXCMAPIHTTP 2.2.2 and 2.2.3 have it, seen from outside: headers, cookies,
//! X-ResponseCodes, framing, TLS, HTTP/2, and what is no HTTP at all.

use std::{fs, thread, time::Duration};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use ropewalk_tests::{
    client::{HttpResponse, InputForm, framing},
    fixture::{ADA, PASSWORD, legacy_dn, shared},
    http::{Http, Request, cookies, response_code},
    server::{TestServer, add_user, run_with_input},
};
use ropewalk_wire::{
    codec::{AsciiZ, Bytes32, Wire},
    mapihttp::{
        ConnectRequest, ConnectSuccess, ExecuteRequest, ExecuteSuccess, NotificationWaitSuccess,
        Response, decode_body, framing::Framed,
    },
};

/// X-ResponseCodes (MS-OXCMAPIHTTP 2.2.3.3.3).
const INVALID_VERB: u32 = 2;
const INVALID_PATH: u32 = 3;
const INVALID_HEADER: u32 = 4;
const INVALID_REQUEST_TYPE: u32 = 5;
const INVALID_CONTEXT_COOKIE: u32 = 6;
const MISSING_HEADER: u32 = 7;
const TOO_LARGE: u32 = 9;
const CONTEXT_NOT_FOUND: u32 = 10;
const INVALID_REQUEST_BODY: u32 = 12;
const MISSING_COOKIE: u32 = 13;
const INVALID_SEQUENCE: u32 = 15;

fn http() -> Http {
    Http::plain(shared().server.http())
}

fn mapi(request_type: &str, body: &[u8]) -> Request {
    Request::mapi(ADA, PASSWORD, request_type, body)
}

fn connect_body(dn: &str) -> Vec<u8> {
    let request = ConnectRequest {
        user_dn: AsciiZ(dn.as_bytes()),
        default_code_page: 1252,
        lcid_sort: 1033,
        lcid_string: 1033,
        ..ConnectRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body).unwrap();
    body
}

fn ada_connects() -> Request {
    mapi("Connect", &connect_body(&shared().user_dn))
}

/// An Execute without ROPs.
fn execute_body() -> Vec<u8> {
    let rops = framing::extended_buffer(&framing::rop_buffer(&[], &[]), InputForm::default());
    let request = ExecuteRequest {
        flags: 3,
        rop_buffer: Bytes32::new(&rops),
        max_rop_out: 0x1_0008,
        ..ExecuteRequest::default()
    };
    let mut body = Vec::new();
    request.encode(&mut body).unwrap();
    body
}

fn execute() -> Request {
    mapi("Execute", &execute_body())
}

/// The response body of a request that succeeded in the transport.
fn success<'a, T: Wire<'a>>(response: &'a HttpResponse) -> T {
    assert_eq!(response.status, 200);
    assert_eq!(response_code(response), 0, "{response:?}");
    let framed = Framed::parse(&response.body).unwrap();
    assert_eq!(framed.header("X-ResponseCode").unwrap_or("0"), "0");
    match decode_body(framed.body).unwrap() {
        Response::Success(success) => success,
        Response::Failure(failure) => panic!("{failure:?}"),
    }
}

/// A failure in the transport: HTTP 200, a page for people.
fn assert_refused(response: &HttpResponse, code: u32, what: &str) {
    assert_eq!(response.status, 200, "{what}");
    assert_eq!(response_code(response), code, "{what}");
    let content_type = response.header("Content-Type").unwrap();
    assert!(
        content_type.starts_with("text/html"),
        "{what}: {content_type}"
    );
    assert!(response.header("X-ServerApplication").is_some(), "{what}");
    assert!(response.body.starts_with(b"<!DOCTYPE html>"), "{what}");
}

#[test]
fn connect_has_every_header_of_the_specification() {
    let response = http().request(&ada_connects());
    for (name, value) in [
        ("Content-Type", "application/mapi-http"),
        ("X-RequestType", "Connect"),
        ("X-RequestId", "{6B2E7C1D-0F3A-4A7B-9C55-2D8E1F0A4B63}:1"),
        ("X-ClientInfo", "{11111111-2222-3333-4444-555555555555}:2"),
        ("X-ResponseCode", "0"),
        ("X-PendingPeriod", "15000"),
        ("X-ExpirationInfo", "900000"),
        ("Cache-Control", "private"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    let version = response.header("X-ServerApplication").unwrap();
    assert!(version.starts_with("Exchange/15."), "{version}");
    assert!(response.header("Content-Length").is_some());
    let names: Vec<&str> = response
        .headers("Set-Cookie")
        .filter_map(|cookie| cookie.split('=').next())
        .collect();
    assert_eq!(names, ["MapiContext", "MapiSequence"]);

    // MS-OXCMAPIHTTP 4.1: PROCESSING, DONE, additional headers, the body.
    assert!(response.body.starts_with(b"PROCESSING\r\nDONE\r\n"));
    let framed = Framed::parse(&response.body).unwrap();
    for name in ["X-ResponseCode", "X-ElapsedTime", "X-StartTime"] {
        assert!(framed.header(name).is_some(), "{name}");
    }
    let connected: ConnectSuccess<'_> = success(&response);
    assert_eq!(connected.error_code, 0);
    assert!(connected.polls_max > 0 && connected.retry_delay > 0);
}

#[test]
fn both_endpoints_are_there_in_every_form_of_their_paths() {
    let mut http = http();
    for path in [
        "/mapi/emsmdb",
        "/mapi/emsmdb/",
        "/mapi/emsmdb/?MailboxId=0@example.test",
        "/mapi/emsmdb?MailboxId=0@example.test",
        "/MAPI/EmsMdb/",
        "/mapi/nspi",
        "/mapi/nspi/?MailboxId=0@example.test",
        "/Mapi/NSPI",
    ] {
        let response = http.request(&mapi("PING", b"").at(path));
        assert_eq!(response_code(&response), 0, "{path}");
        assert_eq!(Framed::parse(&response.body).unwrap().body, b"", "{path}");
        assert_eq!(response.headers("Set-Cookie").count(), 0, "{path}");
    }
    for path in ["/mapi", "/mapi/", "/mapi/owa", "/mapi/emsmdb/x"] {
        let response = http.request(&mapi("PING", b"").at(path));
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response_code(&response), INVALID_PATH, "{path}");
    }
    for path in ["/", "/index.html", "/mapi2", "/%2e%2e/x"] {
        assert_eq!(http.request(&mapi("PING", b"").at(path)).status, 404);
    }
}

#[test]
fn each_wrong_header_has_its_code_and_the_connection_lives_on() {
    let mut http = http();
    let ping = || mapi("PING", b"ignored");
    let mut get = ping();
    get.method = "GET".to_owned();
    let mut put = ping();
    put.method = "PUT".to_owned();
    for (request, code) in [
        (get, INVALID_VERB),
        (put, INVALID_VERB),
        (ping().with("X-RequestType", None), MISSING_HEADER),
        (ping().with("X-RequestId", None), MISSING_HEADER),
        (ping().with("Content-Type", None), MISSING_HEADER),
        (
            ping().with("Content-Type", Some("application/json")),
            INVALID_HEADER,
        ),
        (ping().with("X-RequestId", Some("")), INVALID_HEADER),
        (
            ping().with("X-RequestType", Some("Explode")),
            INVALID_REQUEST_TYPE,
        ),
        (ping().with("X-RequestType", Some("")), INVALID_REQUEST_TYPE),
        (
            ping().with("X-RequestType", Some("Bind")),
            INVALID_REQUEST_TYPE,
        ),
        (
            ping()
                .with("X-RequestType", Some("Execute"))
                .at("/mapi/nspi"),
            INVALID_REQUEST_TYPE,
        ),
        (mapi("Connect", b"no terminator"), INVALID_REQUEST_BODY),
        (mapi("Connect", b""), INVALID_REQUEST_BODY),
        (mapi("Execute", b""), MISSING_COOKIE),
        (mapi("Disconnect", &[0; 4]), MISSING_COOKIE),
        (mapi("NotificationWait", &[0; 8]), MISSING_COOKIE),
        (mapi("Unbind", &[0; 8]).at("/mapi/nspi"), MISSING_COOKIE),
        (
            execute().with("Cookie", Some("MapiContext=nonsense")),
            INVALID_CONTEXT_COOKIE,
        ),
        (
            execute().with("Cookie", Some(&format!("MapiContext={}", "0".repeat(32)))),
            CONTEXT_NOT_FOUND,
        ),
    ] {
        let what = format!("{} {:?}", request.method, request.headers);
        assert_refused(&http.request(&request), code, &what);
    }
    // The type of the content may have parameters, and names have no case.
    let odd = mapi("pInG", b"").with("Content-Type", Some("Application/MAPI-HTTP; charset=x"));
    assert_eq!(response_code(&http.request(&odd)), 0);
}

#[test]
fn cookies_change_hands_with_each_request() {
    let mut http = http();
    let connected = http.request(&ada_connects());
    let first = http.request(&execute().after(&connected));
    assert_eq!(success::<ExecuteSuccess<'_>>(&first).error_code, 0);
    assert_eq!(first.header("X-ExpirationInfo"), Some("900000"));
    assert_ne!(cookies(&first), cookies(&connected));

    let stale = execute().after(&connected);
    assert_refused(&http.request(&stale), INVALID_SEQUENCE, "a stale sequence");
    // Neither a PING nor a failure changes them.
    let ping = http.request(&mapi("PING", b"").after(&first));
    assert_eq!(cookies(&ping), cookies(&first));
    let garbage = http.request(&mapi("Execute", &[0xFF; 9]).after(&first));
    assert_refused(&garbage, INVALID_REQUEST_BODY, "garbage");
    assert_eq!(cookies(&garbage), cookies(&first));

    let context_only = cookies(&first);
    let context_only = context_only.split(';').next().unwrap();
    let half = execute().with("Cookie", Some(context_only));
    assert_refused(&http.request(&half), MISSING_COOKIE, "no sequence");

    // Another connection is no other session.
    let second = Http::plain(shared().server.http()).request(&execute().after(&first));
    assert_eq!(response_code(&second), 0);
    let ended = http.request(&mapi("Disconnect", &[0; 4]).after(&second));
    assert_eq!(response_code(&ended), 0);
    assert_eq!(ended.headers("Set-Cookie").count(), 2);
    for request in [execute(), mapi("PING", b""), mapi("Disconnect", &[0; 4])] {
        let after = http.request(&request.after(&ended));
        assert_refused(&after, CONTEXT_NOT_FOUND, "after Disconnect");
    }
}

/// MS-OXCMAPIHTTP 3.1.7.2: a client that lost a response connects anew; the same request again is
/// one out of its turn, whatever its X-RequestId.
#[test]
fn a_request_is_not_executed_twice() {
    let mut http = http();
    let connected = http.request(&ada_connects());
    let request = execute().after(&connected);
    let first = http.request(&request);
    assert_eq!(response_code(&first), 0);
    assert_refused(&http.request(&request), INVALID_SEQUENCE, "again");
    let next = http.request(&execute().after(&first));
    assert_eq!(response_code(&next), 0);
}

#[test]
fn another_user_s_cookie_is_no_use() {
    let server = &shared().server;
    let bob = "bob.cookies@example.test";
    add_user(server.data_dir(), bob, "Bob", PASSWORD);
    let mut http = http();
    let connected = http.request(&ada_connects());
    let stolen = Request::mapi(bob, PASSWORD, "Execute", &execute_body()).after(&connected);
    assert_refused(&http.request(&stolen), CONTEXT_NOT_FOUND, "stolen");
    // And he may not connect as her (MS-OXCRPC 3.1.4.1).
    let body = connect_body(&shared().user_dn);
    let as_ada = http.request(&Request::mapi(bob, PASSWORD, "Connect", &body));
    assert_eq!(
        success::<ConnectSuccess<'_>>(&as_ada).error_code,
        0x8007_0005
    );
    assert_eq!(as_ada.headers("Set-Cookie").count(), 0);
    let nobody = http.request(&mapi("Connect", &connect_body("/o=Nowhere/cn=nobody")));
    assert_eq!(success::<ConnectSuccess<'_>>(&nobody).error_code, 0x3EB);
    // Ada goes on.
    assert_eq!(
        response_code(&http.request(&execute().after(&connected))),
        0
    );
}

#[test]
fn of_requests_at_the_same_time_one_wins() {
    let connected = http().request(&ada_connects());
    let codes: Vec<u32> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number| {
                let request = execute()
                    .with("X-RequestId", Some(&format!("{{A}}:{number}")))
                    .after(&connected);
                scope.spawn(move || response_code(&http().request(&request)))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        codes.iter().filter(|code| **code == 0).count(),
        1,
        "{codes:?}"
    );
    assert!(
        codes
            .iter()
            .all(|code| [0, INVALID_SEQUENCE].contains(code)),
        "{codes:?}"
    );
}

#[test]
fn reconnecting_ends_the_old_context() {
    let mut http = http();
    let old = http.request(&ada_connects());
    let new = http.request(&ada_connects().after(&old));
    assert_ne!(cookies(&new), cookies(&old));
    let stale = http.request(&execute().after(&old));
    assert_refused(&stale, CONTEXT_NOT_FOUND, "the old context");
    assert_eq!(response_code(&http.request(&execute().after(&new))), 0);
    // Cookies that mean nothing here are no obstacle.
    let foreign = ada_connects().with("Cookie", Some("MapiContext=MAPIAAAA; MapiSequence=7-x"));
    assert_eq!(response_code(&http.request(&foreign)), 0);
}

#[test]
fn rop_buffers_that_do_not_parse_fail_in_the_body() {
    let mut http = http();
    let connected = http.request(&ada_connects());
    for (rop_buffer, code) in [
        // MS-OXCROPS 3.2.5.1: ecRpcFormat.
        (&[0xFF; 40][..], 0x4B6),
        // MS-OXCRPC 3.1.4.2: too small for an RPC_HEADER_EXT.
        (b"", 0x8004_0115),
    ] {
        let request = ExecuteRequest {
            rop_buffer: Bytes32::new(rop_buffer),
            max_rop_out: 0x1_0008,
            ..ExecuteRequest::default()
        };
        let mut body = Vec::new();
        request.encode(&mut body).unwrap();
        // Each in its own context: what matters is the answer.
        let connected = http.request(&ada_connects());
        let response = http.request(&mapi("Execute", &body).after(&connected));
        let executed: ExecuteSuccess<'_> = success(&response);
        assert_eq!(executed.error_code, code, "{rop_buffer:02x?}");
        assert_eq!(executed.rop_buffer.get(), b"");
    }
    assert_eq!(
        response_code(&http.request(&execute().after(&connected))),
        0
    );
}

#[test]
fn bodies_come_chunked_and_not_too_large() {
    let mut http = http();
    let mut chunked = ada_connects();
    chunked.chunks = vec![1, 2, 3, 5, 8, 1000];
    assert_eq!(
        success::<ConnectSuccess<'_>>(&http.request(&chunked)).error_code,
        0
    );
    let large = mapi("PING", &vec![0; 600 << 10]);
    assert_refused(&http.request(&large), TOO_LARGE, "Content-Length");
    let mut large = large;
    large.chunks = vec![100_000; 7];
    let response = Http::plain(shared().server.http()).request(&large);
    assert_refused(&response, TOO_LARGE, "chunked");
    // What is only announced is refused as well.
    let head = mapi("PING", b"").to_bytes();
    let text = String::from_utf8(head).unwrap();
    let lie = text.replace("Content-Length: 0", "Content-Length: 99999999999");
    let mut liar = Http::plain(shared().server.http());
    liar.send(lie.as_bytes()).unwrap();
    assert_refused(&liar.response().unwrap(), TOO_LARGE, "announced");
}

#[test]
fn who_does_not_authenticate_is_told_how() {
    let mut http = http();
    let wrong_name = Request::mapi("nobody@example.test", PASSWORD, "PING", b"");
    for request in [
        mapi("PING", b"").with("Authorization", None),
        mapi("PING", b"").with("Authorization", Some("Basic !")),
        mapi("PING", b"").with("Authorization", Some("Bearer abc")),
        Request::mapi(ADA, "wrong", "PING", b""),
        Request::mapi(ADA, "", "PING", b""),
        wrong_name,
    ] {
        let response = http.request(&request);
        assert_eq!(response.status, 401);
        let challenge = response.header("WWW-Authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
    }
    let other_case = Request::mapi("ADA@Example.Test", PASSWORD, "PING", b"");
    assert_eq!(http.request(&other_case).status, 200);
}

#[test]
fn a_new_password_counts_at_once_and_a_removed_user_is_out() {
    let data_dir = shared().server.data_dir();
    let eve = "eve@example.test";
    add_user(data_dir, eve, "Eve", "f\u{fc}nf");
    let mut http = http();
    let body = connect_body(&legacy_dn(data_dir, eve));
    let connected = http.request(&Request::mapi(eve, "f\u{fc}nf", "Connect", &body));
    assert_eq!(success::<ConnectSuccess<'_>>(&connected).error_code, 0);
    let dir = data_dir.to_str().unwrap();
    let passwd = ["user", "passwd", eve, "--password-stdin", "--data-dir", dir];
    assert!(run_with_input(passwd, "sechs").status.success());
    let ping = |password| Request::mapi(eve, password, "PING", b"").after(&connected);
    assert_eq!(http.request(&ping("f\u{fc}nf")).status, 401);
    assert_eq!(response_code(&http.request(&ping("sechs"))), 0);
    let remove = ["user", "remove", eve, "--data-dir", dir];
    assert!(run_with_input(remove, "").status.success());
    assert_eq!(http.request(&ping("sechs")).status, 401);
}

#[test]
fn an_idle_session_expires() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("ropewalk.toml");
    fs::write(&config, "[limits]\ncontext_idle_timeout = \"2500 ms\"\n").unwrap();
    let data_dir = dir.path().join("data");
    let server = TestServer::start_in(&data_dir, &["--config", config.to_str().unwrap()]);
    add_user(&data_dir, ADA, "Ada", PASSWORD);
    let mut http = Http::plain(server.http());
    let body = connect_body(&legacy_dn(&data_dir, ADA));
    let connected = http.request(&mapi("Connect", &body));
    assert_eq!(connected.header("X-ExpirationInfo"), Some("2500"));
    let idle = http.request(&mapi("Connect", &body));
    // PINGs keep the one alive for longer than the other lives.
    for _ in 0..4 {
        thread::sleep(Duration::from_millis(700));
        let ping = http.request(&mapi("PING", b"").after(&connected));
        assert_eq!(response_code(&ping), 0);
    }
    let expired = http.request(&execute().after(&idle));
    assert_refused(&expired, CONTEXT_NOT_FOUND, "expired");
    assert_eq!(
        response_code(&http.request(&execute().after(&connected))),
        0
    );
}

#[test]
fn a_wait_begins_at_once_beside_other_requests_and_ends_with_its_session() {
    let mut http = http();
    let connected = http.request(&ada_connects());
    let mut waiting = Http::plain(shared().server.http());
    let wait = mapi("NotificationWait", &[0; 8]).after(&connected);
    waiting.send(&wait.to_bytes()).unwrap();
    // Its headers and PROCESSING come before anything has happened.
    let mut begin = Vec::new();
    while !begin.ends_with(b"PROCESSING\r\n\r\n") {
        let mut byte = [0];
        waiting.receive(&mut byte).unwrap();
        begin.push(byte[0]);
    }
    let head = String::from_utf8(begin).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 200 "), "{head}");
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!(head.contains("x-pendingperiod: 15000"), "{head}");

    let executed = http.request(&execute().after(&connected));
    assert_eq!(response_code(&executed), 0);
    let ended = http.request(&mapi("Disconnect", &[0; 4]).after(&executed));
    assert_eq!(response_code(&ended), 0);
    // The rest of the wait, in chunks that a whole response is made of here.
    let mut rest = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    while !rest.ends_with(b"\r\n0\r\n\r\n") {
        let mut byte = [0];
        waiting.receive(&mut byte).unwrap();
        rest.push(byte[0]);
    }
    let rest = ropewalk_tests::client::read_response(&mut rest.as_slice()).unwrap();
    let framed = Framed::parse(&rest.body).unwrap();
    let body: Response<'_, NotificationWaitSuccess<'_>> = decode_body(framed.body).unwrap();
    let Response::Success(success) = body else {
        panic!("{body:?}");
    };
    assert_eq!((success.error_code, success.event_pending), (0, 0));
}

#[test]
fn a_server_with_a_wait_stops_at_once_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::start_in(dir.path(), &[]);
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    let mut http = Http::plain(server.http());
    let connected = http.request(&mapi("Connect", &connect_body(&legacy_dn(dir.path(), ADA))));
    let wait = mapi("NotificationWait", &[0; 8]).after(&connected);
    http.send(&wait.to_bytes()).unwrap();
    let mut begin = [0; 12];
    http.receive(&mut begin).unwrap();
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(!server.log().contains("cut off"), "{}", server.log());
}

#[test]
fn https_is_the_same_with_cookies_that_stay_there() {
    let server = &shared().server;
    let mut https = Http::tls(server.https(), server.data_dir(), &["http/1.1"]);
    assert_eq!(https.alpn.as_deref(), Some(&b"http/1.1"[..]));
    let connected = https.request(&ada_connects());
    assert_eq!(success::<ConnectSuccess<'_>>(&connected).error_code, 0);
    for cookie in connected.headers("Set-Cookie") {
        assert!(
            cookie.ends_with("; Path=/mapi/emsmdb; HttpOnly; Secure"),
            "{cookie}"
        );
    }
    // The session is not tied to its connection.
    let executed = http().request(&execute().after(&connected));
    assert_eq!(response_code(&executed), 0);
    let plain = executed.header("Set-Cookie").unwrap();
    assert!(plain.ends_with("; HttpOnly"), "{plain}");
}

/// One field of HPACK, as a literal without indexing (RFC 7541 6.2.2).
fn literal(name: &str, value: &str) -> Vec<u8> {
    let mut field = vec![0];
    for text in [name, value] {
        // Lengths below 127 are one byte.
        field.push(
            u8::try_from(text.len())
                .ok()
                .filter(|len| *len < 127)
                .unwrap(),
        );
        field.extend(text.bytes());
    }
    field
}

/// A frame (RFC 9113 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[test]
fn http_2_works_over_tls_and_with_prior_knowledge() {
    const DATA: u8 = 0;
    const HEADERS: u8 = 1;
    const SETTINGS: u8 = 4;
    let server = &shared().server;
    for tls in [false, true] {
        let mut http = if tls {
            Http::tls(server.https(), server.data_dir(), &["h2", "http/1.1"])
        } else {
            http()
        };
        assert_eq!(http.alpn.as_deref(), tls.then_some(&b"h2"[..]));
        let mut fields = [
            literal(":method", "POST"),
            literal(":scheme", if tls { "https" } else { "http" }),
            literal(":authority", "localhost"),
            literal(":path", "/mapi/nspi/"),
        ]
        .concat();
        for (name, value) in mapi("PING", b"").headers {
            if name != "Host" {
                fields.extend(literal(&name.to_lowercase(), &value));
            }
        }
        let request = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(SETTINGS, 0, 0, &[]),
            // END_STREAM and END_HEADERS.
            frame(HEADERS, 0x5, 1, &fields),
        ]
        .concat();
        http.send(&request).unwrap();
        let body = loop {
            let mut head = [0; 9];
            http.receive(&mut head).unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            http.receive(&mut payload).unwrap();
            if head[3] == DATA {
                break payload;
            }
        };
        assert!(
            body.starts_with(b"PROCESSING\r\nDONE\r\n"),
            "{}",
            body.escape_ascii()
        );
    }
}

#[test]
fn what_is_no_http_is_turned_away() {
    let garbage = &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..];
    let huge = [
        &b"POST /mapi/emsmdb HTTP/1.1\r\nHost: x\r\nX-Long: "[..],
        &vec![b'a'; 200 << 10],
        b"\r\n\r\n",
    ]
    .concat();
    let many = format!(
        "POST /mapi/emsmdb HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(1000)
    );
    for (bytes, statuses) in [
        (garbage, &[400][..]),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", &[400]),
        (&huge, &[431]),
        (many.as_bytes(), &[431]),
    ] {
        let mut http = http();
        // The server may have closed the connection before it has all of it.
        let _ = http.send(bytes);
        if let Ok(response) = http.response() {
            assert!(statuses.contains(&response.status), "{response:?}");
        }
    }
    assert_eq!(response_code(&http().request(&mapi("PING", b""))), 0);
}

#[test]
fn garbage_in_any_body_is_answered_and_the_server_lives() {
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let request_type = prop::sample::select(vec![
        ("Connect", "/mapi/emsmdb"),
        ("Execute", "/mapi/emsmdb"),
        ("PING", "/mapi/emsmdb"),
        ("Bind", "/mapi/nspi"),
        ("QueryRows", "/mapi/nspi"),
        ("ResolveNames", "/mapi/nspi"),
        ("GetMatches", "/mapi/nspi"),
        ("ModProps", "/mapi/nspi"),
        ("SeekEntries", "/mapi/nspi"),
    ]);
    let mut stat = [0; 36];
    stat[24..28].copy_from_slice(&1252_u32.to_le_bytes());
    let bind = [&[0, 0, 0, 0, 1][..], &stat, &[0; 4]].concat();
    let bytes = prop::collection::vec(any::<u8>(), 0..120);
    let connection = std::cell::RefCell::new(http());
    runner
        .run(&(request_type, bytes), |((request_type, path), bytes)| {
            let http = &mut *connection.borrow_mut();
            let mut request = mapi(request_type, &bytes).at(path);
            if !["Connect", "Bind"].contains(&request_type) {
                let opened = match path {
                    "/mapi/nspi" => mapi("Bind", &bind).at(path),
                    _ => ada_connects(),
                };
                request = request.after(&http.request(&opened));
            }
            let response = http.request(&request);
            prop_assert_eq!(response.status, 200);
            let code = response_code(&response);
            prop_assert!([0, INVALID_REQUEST_BODY].contains(&code), "{}", code);
            Ok(())
        })
        .unwrap();
    assert!(!shared().server.log().contains("panicked"));
}
