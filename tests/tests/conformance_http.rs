//! MS-OXCMAPIHTTP as somebody would test it who has the specification and no knowledge of this
//! server: requests and responses are bytes, put together and taken apart here.

use ropewalk_tests::{
    client::HttpResponse,
    fixture::{ADA, PASSWORD, legacy_dn, shared},
    http::{Http, Request, cookies, response_code},
    server::add_user,
};

/// X-ResponseCodes (2.2.3.3.3).
const INVALID_CONTEXT_COOKIE: u32 = 6;
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

/// 2.2.4.1.1: UserDn, Flags, DefaultCodePage, LcidSort, LcidString, AuxiliaryBufferSize.
fn connect_body(dn: &str, flags: u32) -> Vec<u8> {
    let mut body = [dn.as_bytes(), &[0]].concat();
    for field in [flags, 1252, 0x409, 0x409, 0] {
        body.extend(field.to_le_bytes());
    }
    body
}

fn connect() -> Request {
    mapi("Connect", &connect_body(&shared().user_dn, 0))
}

/// 2.2.4.2.1: Flags, RopBufferSize, RopBuffer, MaxRopOut, AuxiliaryBufferSize.
fn execute_body(rop_buffer: &[u8]) -> Vec<u8> {
    let mut body = 3_u32.to_le_bytes().to_vec();
    body.extend((rop_buffer.len() as u32).to_le_bytes());
    body.extend(rop_buffer);
    body.extend(0x1_0008_u32.to_le_bytes());
    body.extend(0_u32.to_le_bytes());
    body
}

/// RPC_HEADER_EXT (MS-OXCRPC 2.2.2.1) and RopSize 2: no ROPs, no handles.
const NO_ROPS: [u8; 10] = [0, 0, 4, 0, 2, 0, 2, 0, 2, 0];

fn execute() -> Request {
    mapi("Execute", &execute_body(&NO_ROPS))
}

/// What follows the meta-tags and the additional headers (2.2.7) of a response with X-ResponseCode 0.
#[track_caller]
fn body(response: &HttpResponse) -> Vec<u8> {
    assert_eq!(response.status, 200);
    assert_eq!(response_code(response), 0, "{response:?}");
    assert_eq!(
        response.header("Content-Type"),
        Some("application/mapi-http")
    );
    let at = response
        .body
        .windows(4)
        .position(|four| four == b"\r\n\r\n");
    response.body[at.expect("an empty line") + 4..].to_vec()
}

fn u32_at(body: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(body[at..at + 4].try_into().unwrap())
}

#[track_caller]
fn assert_code(response: &HttpResponse, code: u32, what: &str) {
    assert_eq!(response.status, 200, "{what}");
    assert_eq!(response_code(response), code, "{what}");
}

/// 2.2.2.2 and 2.2.3.3: what every response has, also one that says no.
#[test]
fn every_answer_has_the_headers_of_the_protocol() {
    let mut http = http();
    let connected = http.request(&connect());
    let requests = [
        connect(),
        execute(),
        execute().after(&connected),
        mapi("Execute", b"?").after(&connected),
        mapi("Connect", b"?"),
        mapi("Bogus", b""),
        mapi("PING", b""),
        mapi("PING", b"").with("Content-Type", Some("text/plain")),
    ];
    for request in requests {
        let response = http.request(&request);
        let what = format!("{request:?}");
        assert_eq!(response.status, 200, "{what}");
        let succeeded = response_code(&response) == 0;
        for name in ["X-RequestType", "X-RequestId", "X-ClientInfo"] {
            let sent = request.headers.iter().find(|(known, _)| known == name);
            let sent = sent.map(|(_, value)| value.as_str());
            assert_eq!(response.header(name), sent, "{name}: {what}");
        }
        for name in ["X-ServerApplication", "X-PendingPeriod", "Cache-Control"] {
            assert!(response.header(name).is_some(), "{name}: {what}");
        }
        let content_type = response.header("Content-Type").unwrap_or_default();
        assert_eq!(content_type == "application/mapi-http", succeeded, "{what}");
        // All cookies of the session context, on every response that has one (3.2.5.2).
        let with_context = response.header("X-ExpirationInfo").is_some();
        let expected = if with_context { 2 } else { 0 };
        assert_eq!(response.headers("Set-Cookie").count(), expected, "{what}");
    }
}

/// 2.2.4.1.2: a Connect that was executed and failed has a StatusCode of 0 and the ErrorCode of
/// MS-OXCRPC 3.1.4.1; there is no session context then.
#[test]
fn connect_failures_are_error_codes_and_make_no_session_context() {
    let server = &shared().server;
    let bob = "bob.conformance@example.test";
    add_user(server.data_dir(), bob, "Bob", PASSWORD);
    let (ada_dn, bob_dn) = (&shared().user_dn, legacy_dn(server.data_dir(), bob));
    let mut http = http();
    for (dn, flags, code) in [
        ("", 0, 0x8007_0005),
        ("/o=Nowhere/cn=nobody", 0, 0x3EB),
        (bob_dn.as_str(), 0, 0x8007_0005),
        (ada_dn, 1, 0x3F2),
        // Without public folders it can do.
        (ada_dn, 0x8000, 0),
        (&ada_dn.to_uppercase(), 0, 0),
    ] {
        let response = http.request(&mapi("Connect", &connect_body(dn, flags)));
        let body = body(&response);
        assert_eq!(u32_at(&body, 0), 0, "StatusCode for {dn}");
        assert_eq!(u32_at(&body, 4), code, "ErrorCode for {dn}");
        let cookies = response.headers("Set-Cookie").count();
        assert_eq!(cookies == 0, code != 0, "{dn}");
        if code != 0 {
            // PollsMax, RetryCount, RetryDelay, DnPrefix, DisplayName, AuxiliaryBufferSize.
            assert_eq!(body.len(), 8 + 12 + 1 + 2 + 4, "{dn}");
        }
    }
}

/// 2.2.4.1.2, field by field.
#[test]
fn a_connect_response_is_laid_out_as_specified() {
    let body = body(&http().request(&connect()));
    assert_eq!((u32_at(&body, 0), u32_at(&body, 4)), (0, 0));
    let rest = &body[20..];
    let end = rest.iter().position(|byte| *byte == 0).unwrap();
    let dn_prefix = std::str::from_utf8(&rest[..end]).unwrap();
    assert!(shared().user_dn.starts_with(dn_prefix), "{dn_prefix}");
    let units: Vec<u16> = rest[end + 1..]
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    assert_eq!(String::from_utf16(&units).unwrap(), "Ada Lovelace");
    let aux_at = 20 + end + 1 + (units.len() + 1) * 2;
    let aux_size = u32_at(&body, aux_at) as usize;
    assert_eq!(body.len(), aux_at + 4 + aux_size);
    // MS-OXCRPC 2.2.2.2.19: what may be packed, which is RopWriteStreamExtended.
    let capabilities = [8, 0, 1, 0x46, 2, 0, 0, 0];
    let aux = &body[aux_at + 4 + 8..];
    assert!(
        aux.windows(8).any(|block| block == capabilities),
        "{aux:x?}"
    );
}

/// 3.2.5.6 and 3.1.5.7: a Connect with cookies, whatever has become of them, makes a new session
/// context, and ends the one that they name.
#[test]
fn connect_with_old_cookies_makes_a_new_session_context() {
    let mut http = http();
    let first = http.request(&connect());
    let second = http.request(&connect().after(&first));
    assert_eq!(u32_at(&body(&second), 4), 0);
    assert_ne!(cookies(&first), cookies(&second));
    assert_code(
        &http.request(&execute().after(&first)),
        CONTEXT_NOT_FOUND,
        "the old one",
    );
    let ended = http.request(&mapi("Disconnect", &[0; 4]).after(&second));
    assert_eq!(body(&ended), [0; 12]);
    let context_only = cookies(&second);
    let context_only = context_only.split(';').next().unwrap_or_default();
    for old in [
        cookies(&second).as_str(),
        context_only,
        "MapiContext=garbage; MapiSequence=garbage",
        "MapiContext=; MapiSequence=",
        "somebody=else",
    ] {
        let again = http.request(&connect().with("Cookie", Some(old)));
        assert_eq!(u32_at(&body(&again), 4), 0, "{old}");
        let next = http.request(&execute().after(&again));
        assert_eq!(u32_at(&body(&next), 4), 0, "{old}");
    }
}

/// 2.2.4.2.2: an Execute that fails as a whole has a StatusCode of 0, an ErrorCode and an empty
/// RopBuffer, and the session context lives on (MS-OXCRPC 3.1.4.2).
#[test]
fn an_execute_that_fails_as_a_whole_leaves_the_session_context() {
    let mut http = http();
    let mut last = http.request(&connect());
    let mut lying = NO_ROPS;
    lying[4] = 200;
    let mut not_last = NO_ROPS;
    not_last[2] = 0;
    for (what, rop_buffer) in [
        ("nothing", &b""[..]),
        ("half a header", &NO_ROPS[..5]),
        ("a size past the end", &lying),
        ("not the last, and no other", &not_last),
        ("RopSize past the end", &[0, 0, 4, 0, 2, 0, 2, 0, 99, 0]),
        ("RopSize too small", &[0, 0, 4, 0, 2, 0, 2, 0, 1, 0]),
        ("compressed garbage", &[0, 0, 5, 0, 2, 0, 9, 0, 0xFF, 0xFF]),
    ] {
        let response = http.request(&mapi("Execute", &execute_body(rop_buffer)).after(&last));
        let body = body(&response);
        assert_eq!(u32_at(&body, 0), 0, "StatusCode: {what}");
        assert_ne!(u32_at(&body, 4), 0, "ErrorCode: {what}");
        assert_eq!(&body[8..], [0; 12], "Flags, RopBufferSize, aux: {what}");
        assert_ne!(cookies(&response), cookies(&last), "{what}");
        last = response;
    }
    let good = http.request(&execute().after(&last));
    assert_eq!(u32_at(&body(&good), 4), 0);
}

/// Sizes that do not fit into the body: Invalid Request Body, and nothing has happened.
#[test]
fn sizes_past_the_end_of_a_body_are_refused() {
    let mut http = http();
    let connected = http.request(&connect());
    let with_size = |mut body: Vec<u8>, size: u32| {
        let at = body.len() - 4;
        body[at..].copy_from_slice(&size.to_le_bytes());
        body
    };
    let dn = &shared().user_dn;
    for size in [1, 0x1008, 0x7FFF_FFFF, u32::MAX] {
        for (request_type, body) in [
            ("Connect", connect_body(dn, 0)),
            ("Execute", execute_body(&NO_ROPS)),
            ("Disconnect", vec![0; 4]),
            ("NotificationWait", vec![0; 8]),
        ] {
            let request = mapi(request_type, &with_size(body, size)).after(&connected);
            let what = format!("{request_type} {size:#x}");
            assert_code(&http.request(&request), INVALID_REQUEST_BODY, &what);
        }
        let mut lying = execute_body(&NO_ROPS);
        lying[4..8].copy_from_slice(&size.max(100).to_le_bytes());
        let request = mapi("Execute", &lying).after(&connected);
        assert_code(
            &http.request(&request),
            INVALID_REQUEST_BODY,
            "RopBufferSize",
        );
    }
    // The cookies of before are still the ones to present.
    let good = http.request(&execute().after(&connected));
    assert_eq!(u32_at(&body(&good), 4), 0);
}

/// 2.2.3.2.4: what is wrong with the cookies.
#[test]
fn each_wrong_cookie_has_its_code() {
    let mut http = http();
    let connected = http.request(&connect());
    let good = cookies(&connected);
    let (context, sequence) = good.split_once("; ").unwrap();
    let other = http.request(&connect());
    let other = cookies(&other);
    let (_, other_sequence) = other.split_once("; ").unwrap();
    for (cookie, code) in [
        ("", MISSING_COOKIE),
        ("a=b; c=d", MISSING_COOKIE),
        (sequence, MISSING_COOKIE),
        (context, MISSING_COOKIE),
        (
            "MapiContext=Invalid cookie; MapiSequence=Invalid cookie",
            INVALID_CONTEXT_COOKIE,
        ),
        (
            &format!("MapiContext={}; {sequence}", "f".repeat(32)),
            CONTEXT_NOT_FOUND,
        ),
        (&format!("{context}; {other_sequence}"), INVALID_SEQUENCE),
    ] {
        let response = http.request(&execute().with("Cookie", Some(cookie)));
        assert_code(&response, code, cookie);
    }
    // Order, white space and other cookies do not matter.
    let odd = format!("a=b;{sequence} ;  {context};MapiRouting=x");
    let response = http.request(&execute().with("Cookie", Some(&odd)));
    assert_eq!(u32_at(&body(&response), 4), 0);
}

/// 2.2.6 and 3.2.5.3.
#[test]
fn ping_needs_no_session_context_and_keeps_one_alive() {
    let mut http = http();
    for path in ["/mapi/emsmdb/", "/mapi/nspi/"] {
        let response = http.request(&mapi("PING", b"").at(path));
        assert_eq!(body(&response), b"", "{path}");
        assert_eq!(response.headers("Set-Cookie").count(), 0, "{path}");
    }
    let connected = http.request(&connect());
    let alive = http.request(&mapi("PING", b"").after(&connected));
    assert_eq!(body(&alive), b"");
    assert!(alive.header("X-ExpirationInfo").is_some());
    assert_eq!(cookies(&alive), cookies(&connected));
    let at_the_other = mapi("PING", b"").at("/mapi/nspi/").after(&connected);
    assert_code(
        &http.request(&at_the_other),
        CONTEXT_NOT_FOUND,
        "a cookie of the other endpoint",
    );
}

/// 3.1.5.4 says that Disconnect and Unbind have no body, 2.2.4.3.1 and 2.2.5.2.1 that they have one.
#[test]
fn disconnect_and_unbind_do_without_a_body() {
    let mut http = http();
    let connected = http.request(&connect());
    let ended = http.request(&mapi("Disconnect", b"").after(&connected));
    assert_eq!(body(&ended), [0; 12]);
    // Cookies are set on this response as well, and lead nowhere.
    assert_eq!(ended.headers("Set-Cookie").count(), 2);
    for request in [execute(), mapi("Disconnect", b""), mapi("PING", b"")] {
        let response = http.request(&request.after(&ended));
        assert_code(&response, CONTEXT_NOT_FOUND, "after Disconnect");
    }
    let bind = mapi("Bind", &[0; 9]).at("/mapi/nspi/");
    let bound = http.request(&bind);
    assert_eq!(u32_at(&body(&bound), 4), 0);
    let unbind = mapi("Unbind", b"").at("/mapi/nspi/").after(&bound);
    let unbound = http.request(&unbind);
    assert_eq!(body(&unbound), [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    let again = mapi("Unbind", b"").at("/mapi/nspi/").after(&unbound);
    assert_code(&http.request(&again), CONTEXT_NOT_FOUND, "after Unbind");
}

/// 2.2.3.3.2: the server sends an X-RequestId back as it came; a GUID has braces or none.
#[test]
fn request_ids_come_back_as_they_were_sent() {
    let mut http = http();
    for id in [
        "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:123456",
        "e2ea6c1c-e61b-49e9-9cfb-38184f907552:1",
        "R:{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:4294967296",
    ] {
        let response = http.request(&mapi("PING", b"").with("X-RequestId", Some(id)));
        assert_code(&response, 0, id);
        assert_eq!(response.header("X-RequestId"), Some(id));
    }
}

/// MS-OXCMAPIHTTP 4.1 and 4.2: the response to a Connect tells its length, that to an Execute comes
/// in chunks.
#[test]
fn a_connect_tells_its_length_and_an_execute_comes_in_chunks() {
    let mut http = http();
    let connected = http.request(&connect());
    assert!(connected.header("Content-Length").is_some());
    assert!(connected.header("Transfer-Encoding").is_none());
    let executed = http.request(&execute().after(&connected));
    assert_code(&executed, 0, "Execute");
    assert_eq!(executed.header("Transfer-Encoding"), Some("chunked"));
    assert!(executed.header("Content-Length").is_none());
    assert!(executed.body.starts_with(b"PROCESSING\r\nDONE\r\n"));
}
