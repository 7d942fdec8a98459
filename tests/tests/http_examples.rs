//! The HTTP exchanges of MS-OXCMAPIHTTP section 4, as tests/vectors/ms-oxcmapihttp.toml has them, held
//! against a server: the headers that a request names are sent, and the response has the headers, the
//! meta-tags and the additional headers that are printed, in their order.

use std::{fs, path::Path};

use ropewalk_tests::{
    client::{HttpResponse, InputForm, framing},
    fixture::{ADA, PASSWORD, shared},
    http::{Http, Request, cookies},
};
use ropewalk_wire::{
    codec::{AsciiZ, Bytes32, Wire as _},
    mapihttp::{ConnectRequest, ExecuteRequest},
};
use toml::Value;

/// What is printed for a section: the client's request or the server's response.
struct Example {
    start_line: String,
    headers: Vec<String>,
    meta_tags: Vec<String>,
    trailing_headers: Vec<String>,
}

fn example(section: &str, direction: &str) -> Example {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/ms-oxcmapihttp.toml");
    let file: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let found = file["example"]
        .as_array()
        .unwrap()
        .iter()
        .find(|example| {
            example["section"].as_str() == Some(section)
                && example["direction"].as_str() == Some(direction)
        })
        .unwrap();
    let texts = |name: &str| -> Vec<String> {
        let list = found.get(name).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    Example {
        start_line: found["start_line"].as_str().unwrap().to_owned(),
        headers: texts("headers"),
        meta_tags: texts("meta_tags"),
        trailing_headers: texts("trailing_headers"),
    }
}

/// The name of a printed header, and its value unless that is left open.
fn printed(header: &str) -> (&str, Option<&str>) {
    match header.split_once(": ") {
        Some((name, value)) if !value.starts_with('<') && name != "Cookie" => (name, Some(value)),
        Some((name, _)) => (name, None),
        None => (header, None),
    }
}

/// The request has the method, the version and the headers of the example.
fn check_request(section: &str, request: &Request) {
    let example = example(section, "request");
    let (method, version) = example.start_line.split_once(" <").unwrap();
    assert_eq!(request.method, method);
    let bytes = request.to_bytes();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let version = version.rsplit(' ').next().unwrap();
    assert!(head.lines().next().unwrap().ends_with(version), "{head}");
    for header in &example.headers {
        let (name, value) = printed(header);
        let sent = head.lines().find_map(|line| {
            let (known, sent) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(sent)
        });
        let sent = sent.unwrap_or_else(|| panic!("{section}: {name} is not sent"));
        assert!(
            value.is_none_or(|value| value == sent),
            "{section}: {header}"
        );
    }
}

/// The response has the status and the headers of the example; returns what its body should begin with.
fn check_head(section: &str, response: &HttpResponse, without: &[&str]) -> Example {
    let example = example(section, "response");
    assert_eq!(example.start_line, "HTTP/1.1 200 OK");
    assert_eq!(response.status, 200, "{section}");
    for header in &example.headers {
        let (name, value) = printed(header);
        if without.contains(&name) {
            continue;
        }
        // 4.2 prints Cookie for what a server sends as Set-Cookie (2.2.3.2.3).
        let name = if name == "Cookie" { "Set-Cookie" } else { name };
        let found = response.header(name);
        assert!(found.is_some(), "{section}: no {name} in {response:?}");
        assert!(
            value.is_none_or(|value| found == Some(value)),
            "{section}: {header}, not {found:?}"
        );
    }
    example
}

/// The body has the meta-tags, the additional headers and the empty line; returns what follows.
fn check_body<'a>(section: &str, example: &Example, body: &'a [u8]) -> &'a [u8] {
    let end = body.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let lines = String::from_utf8(body[..end].to_vec()).unwrap();
    let lines: Vec<&str> = lines.split("\r\n").collect();
    let (tags, headers) = lines.split_at(example.meta_tags.len());
    assert_eq!(tags, example.meta_tags, "{section}");
    assert_eq!(
        headers.len(),
        example.trailing_headers.len(),
        "{section}: {headers:?}"
    );
    for (found, expected) in headers.iter().zip(&example.trailing_headers) {
        match printed(expected) {
            (_, Some(_)) => assert_eq!(found, expected, "{section}"),
            (name, None) => assert!(
                found.starts_with(&format!("{name}: ")),
                "{section}: {found}, not {expected}"
            ),
        }
    }
    &body[end + 4..]
}

fn http() -> Http {
    Http::plain(shared().server.http())
}

fn mapi(request_type: &str, body: &[u8]) -> Request {
    Request::mapi(ADA, PASSWORD, request_type, body)
}

fn connect() -> Request {
    let mut body = Vec::new();
    ConnectRequest {
        user_dn: AsciiZ(shared().user_dn.as_bytes()),
        default_code_page: 1252,
        lcid_sort: 1033,
        lcid_string: 1033,
        ..ConnectRequest::default()
    }
    .encode(&mut body)
    .unwrap();
    mapi("Connect", &body)
}

fn execute() -> Request {
    let rops = framing::extended_buffer(&framing::rop_buffer(&[], &[]), InputForm::default());
    let mut body = Vec::new();
    ExecuteRequest {
        flags: 3,
        rop_buffer: Bytes32::new(&rops),
        max_rop_out: 0x1_0008,
        ..ExecuteRequest::default()
    }
    .encode(&mut body)
    .unwrap();
    mapi("Execute", &body)
}

/// StatusCode and ErrorCode of a response body are 0 (2.2.4).
fn assert_success(section: &str, body: &[u8]) {
    assert_eq!(body[..8], [0; 8], "{section}: {body:?}");
}

#[test]
fn example_4_1_establishes_a_new_session_context() {
    let request = connect();
    check_request("4.1", &request);
    let response = http().request(&request);
    let example = check_head("4.1", &response, &[]);
    assert_eq!(response.headers("Set-Cookie").count(), 2);
    assert_success("4.1", check_body("4.1", &example, &response.body));
}

#[test]
fn example_4_2_issues_rop_commands() {
    let mut http = http();
    let connected = http.request(&connect());
    let request = execute().after(&connected);
    check_request("4.2", &request);
    let response = http.request(&request);
    let example = check_head("4.2", &response, &[]);
    // PENDING is what comes every X-PendingPeriod until then.
    let at_once = Example {
        meta_tags: example
            .meta_tags
            .into_iter()
            .filter(|tag| tag != "PENDING")
            .collect(),
        trailing_headers: ["X-ResponseCode: 0", "X-ElapsedTime", "X-StartTime"]
            .map(str::to_owned)
            .to_vec(),
        ..example
    };
    assert_success("4.2", check_body("4.2", &at_once, &response.body));
}

#[test]
fn example_4_2_frames_the_first_chunk_as_printed() {
    let mut http = http();
    let connected = http.request(&connect());
    let mut waiting = self::http();
    let wait = mapi("NotificationWait", &[0; 8]).after(&connected);
    waiting.send(&wait.to_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        waiting.receive(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    let mut chunk = [0; 17];
    waiting.receive(&mut chunk).unwrap();
    assert_eq!(chunk.to_ascii_uppercase(), b"C\r\nPROCESSING\r\n\r\n");
    let ended = http.request(&mapi("Disconnect", &[0; 4]).after(&connected));
    assert_eq!(ended.header("X-ResponseCode"), Some("0"));
}

#[test]
fn example_4_3_refreshes_an_idle_session_context() {
    let mut http = http();
    let connected = http.request(&connect());
    let request = mapi("PING", b"").after(&connected);
    check_request("4.3", &request);
    let response = http.request(&request);
    let example = check_head("4.3", &response, &[]);
    assert!(check_body("4.3", &example, &response.body).is_empty());
}

#[test]
fn example_4_4_reestablishes_a_session_context() {
    let mut http = http();
    let connected = http.request(&connect());
    // A Session Context that is no more: its client has not heard.
    let gone = http.request(&mapi("Disconnect", &[0; 4]).after(&connected));
    assert_eq!(gone.header("X-ResponseCode"), Some("0"));
    let request = connect().after(&connected);
    check_request("4.4", &request);
    let response = http.request(&request);
    let example = check_head("4.4", &response, &[]);
    assert_eq!(response.headers("Set-Cookie").count(), 2);
    assert_ne!(cookies(&response), cookies(&connected));
    assert_success("4.4", check_body("4.4", &example, &response.body));
}

#[test]
fn example_4_5_disconnects() {
    let mut http = http();
    let connected = http.request(&connect());
    let request = mapi("Disconnect", &[0; 4]).after(&connected);
    check_request("4.5", &request);
    let response = http.request(&request);
    let example = check_head("4.5", &response, &[]);
    assert_success("4.5", check_body("4.5", &example, &response.body));
}
