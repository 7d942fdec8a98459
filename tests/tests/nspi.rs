//! The address book endpoint of a real server (MS-OXCMAPIHTTP 2.2.5, MS-OXNSPI 3.1.4).

use std::{
    collections::BTreeMap,
    path::Path,
    sync::OnceLock,
    sync::atomic::{AtomicU32, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ropewalk_props::{PropTag, PropValue, tags, text::decode_utf16le};
use ropewalk_tests::{
    client::{Client, Connection, HttpResponse},
    fixture::{ADA, PASSWORD, legacy_dn, shared},
    server::{TestServer, add_user},
};
use ropewalk_wire::{
    ErrorCode,
    codec::{AsciiZ, Bytes32, Utf16Z},
    nspi::{
        BindRequest, ColumnsAndRows, DnToMIdRequest, Filter, GetAddressBookUrlRequest,
        GetMailboxUrlRequest, GetMatchesRequest, GetPropsRequest, GetSpecialTableRequest,
        QueryRowsRequest, Request, RequestBody, ResolveNamesRequest, Response, SeekEntriesRequest,
        Stat, UnbindRequest, UpdateStatRequest,
    },
    restriction::Restriction,
    value::TaggedPropertyValue,
};

const NAME: PropTag = tags::PID_TAG_DISPLAY_NAME;

/// The users of the shared server beside Ada Lovelace, by name.
const OTHERS: [(&str, &str); 4] = [
    ("alan@example.test", "Alan Turing"),
    ("barbara@example.test", "barbara Liskov"),
    ("grace@example.test", "Grace Hopper"),
    ("zoe@example.test", "Zoë Ж"),
];

/// A server with Ada and the others.
fn office() -> &'static TestServer {
    static OTHERS_ADDED: OnceLock<()> = OnceLock::new();
    let server = &shared().server;
    OTHERS_ADDED.get_or_init(|| {
        for (email, name) in OTHERS {
            add_user(server.data_dir(), email, name, PASSWORD);
        }
    });
    server
}

/// A session on the address book endpoint.
struct Book {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

/// A response body with its ErrorCode not looked at yet.
struct Body(Vec<u8>);

impl Book {
    fn new(server: &TestServer) -> Self {
        Self {
            connection: Connection::new(server.http()),
            cookies: BTreeMap::new(),
        }
    }

    fn bind(server: &TestServer) -> Self {
        let mut book = Self::new(server);
        book.ask(bind_request(1252)).success::<BindRequest<'_>>();
        book
    }

    fn post(&mut self, request_type: &str, body: &[u8]) -> HttpResponse {
        static COUNTER: AtomicU32 = AtomicU32::new(1);
        let id = format!(
            "{{4E1F0F4E-8D3C-4C50-9D4B-6C1A2B3C4D5E}}:{}",
            COUNTER.fetch_add(1, Ordering::Relaxed)
        );
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let authorization = authorization();
        let mut headers = vec![
            ("Content-Type", "application/mapi-http"),
            ("Authorization", &authorization),
            ("X-RequestType", request_type),
            ("X-RequestId", &id),
            ("X-ClientInfo", &id),
            ("X-ClientApplication", "Outlook/16.0.10000.20000"),
        ];
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let response = self
            .connection
            .post("/mapi/nspi/", &headers, body)
            .expect("an HTTP response");
        for cookie in response.headers("Set-Cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }

    fn ask<'a>(&mut self, request: impl Into<Request<'a>>) -> Body {
        let request = request.into();
        let mut body = Vec::new();
        request.encode(&mut body).expect("a request body");
        let response = self.post(request.request_type().name(), &body);
        assert_eq!(response.status, 200);
        assert_eq!(response.header("X-ResponseCode"), Some("0"));
        let end = response
            .body
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .expect("a blank line after the meta-tags");
        let lines = String::from_utf8_lossy(&response.body[..end]).into_owned();
        assert!(lines.starts_with("PROCESSING\r\n"), "{lines}");
        Body(response.body[end + 4..].to_vec())
    }

    /// The names of a table from a STAT, and the STAT after them.
    fn names(&mut self, state: Stat, row_count: u32) -> (Vec<String>, Stat) {
        let body = self.ask(query_rows(state, row_count));
        let body = body.success::<QueryRowsRequest<'_>>();
        let rows = body.columns_and_rows.expect("rows");
        assert!(rows.row_count <= row_count);
        (first_cells(&rows), body.state.expect("a STAT"))
    }
}

impl Body {
    /// The body of an answer with this ErrorCode.
    #[track_caller]
    fn with<'r, R: RequestBody<'r>>(&'r self, code: ErrorCode) -> R::Response<'r> {
        match Response::from_bytes(&self.0).expect("a response body") {
            Response::Done {
                error_code, body, ..
            } => {
                assert_eq!(error_code, code);
                body
            }
            Response::Failed { status_code, .. } => panic!("StatusCode {status_code:#x}"),
        }
    }

    #[track_caller]
    fn success<'r, R: RequestBody<'r>>(&'r self) -> R::Response<'r> {
        self.with::<R>(ErrorCode(0))
    }
}

fn authorization() -> String {
    let credentials = BASE64_STANDARD.encode(format!("{ADA}:{PASSWORD}"));
    format!("Basic {credentials}")
}

fn no_aux() -> Bytes32<'static> {
    Bytes32::default()
}

fn stat() -> Stat {
    Stat {
        code_page: 1252,
        template_locale: 0x409,
        sort_locale: 0x409,
        ..Stat::default()
    }
}

fn bind_request(code_page: u32) -> BindRequest<'static> {
    let state = Stat {
        code_page,
        ..stat()
    };
    BindRequest {
        flags: 0,
        state: Some(state),
        auxiliary_buffer: no_aux(),
    }
}

fn query_rows(state: Stat, row_count: u32) -> QueryRowsRequest<'static> {
    QueryRowsRequest {
        flags: 0,
        state: Some(state),
        explicit_table: Default::default(),
        row_count,
        columns: Some([NAME].as_slice().into()),
        auxiliary_buffer: no_aux(),
    }
}

fn get_props(minimal_id: u32, tags: &[PropTag]) -> GetPropsRequest<'_> {
    let state = Stat {
        current_rec: minimal_id,
        ..stat()
    };
    GetPropsRequest {
        flags: 0,
        state: Some(state),
        property_tags: Some(tags.into()),
        auxiliary_buffer: no_aux(),
    }
}

fn first_cells(rows: &ColumnsAndRows<'_>) -> Vec<String> {
    rows.rows()
        .map(|row| {
            let row = row.expect("a row");
            match row.cells.first().and_then(|cell| cell.value()) {
                Some(PropValue::String(text)) => text.to_string(),
                other => panic!("{other:?}"),
            }
        })
        .collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn everyone() -> Vec<&'static str> {
    let mut names = vec!["Ada Lovelace"];
    names.extend(OTHERS.map(|(_, name)| name));
    names
}

#[test]
fn a_session_is_bound_used_and_unbound() {
    let mut book = Book::bind(office());
    assert!(!book.cookies.is_empty());
    let (names, state) = book.names(stat(), 100);
    assert_eq!(names, everyone());
    assert_eq!((state.num_pos, state.total_recs), (5, 5));
    let unbind = UnbindRequest {
        reserved: 0,
        auxiliary_buffer: no_aux(),
    };
    book.ask(unbind)
        .with::<UnbindRequest<'_>>(ErrorCode::UNBIND_SUCCESS);
    let response = book.post("QueryRows", &[0; 4]);
    assert_eq!(response.header("X-ResponseCode"), Some("10"));
}

#[test]
fn without_a_session_there_is_no_answer() {
    let response = Book::new(office()).post("QueryColumns", &[0; 12]);
    assert_eq!(response.status, 200);
    let code = response.header("X-ResponseCode").expect("X-ResponseCode");
    assert!(["10", "13"].contains(&code), "{code}");
}

#[test]
fn a_refused_bind_makes_no_session() {
    let mut book = Book::new(office());
    book.ask(bind_request(1200))
        .with::<BindRequest<'_>>(ErrorCode::INVALID_CODEPAGE);
    assert!(book.cookies.is_empty(), "{:?}", book.cookies);
}

#[test]
fn the_table_can_be_walked_in_small_steps_and_from_any_place() {
    let mut book = Book::bind(office());
    let (mut state, mut walked) = (stat(), Vec::new());
    for _ in 0..3 {
        let (names, next) = book.names(state, 2);
        walked.extend(names);
        state = next;
    }
    assert_eq!(walked, everyone());
    assert_eq!(state.current_rec, 2);
    let back = Stat { delta: -2, ..state };
    let update = UpdateStatRequest {
        reserved: 0,
        state: Some(back),
        delta_requested: true,
        auxiliary_buffer: no_aux(),
    };
    let body = book.ask(update);
    let body = body.success::<UpdateStatRequest<'_>>();
    assert_eq!(body.delta, Some(-2));
    assert_eq!(
        book.names(body.state.expect("a STAT"), 9).0,
        ["Grace Hopper", "Zoë Ж"]
    );
    let seek = SeekEntriesRequest {
        reserved: 0,
        state: Some(stat()),
        target: Some(ropewalk_wire::nspi::AddressBookTaggedPropertyValue(
            TaggedPropertyValue {
                tag: NAME,
                value: PropValue::text("B"),
            },
        )),
        explicit_table: None,
        columns: Some([NAME].as_slice().into()),
        auxiliary_buffer: no_aux(),
    };
    let body = book.ask(seek);
    let body = body.success::<SeekEntriesRequest<'_>>();
    assert_eq!(
        first_cells(&body.columns_and_rows.expect("rows"))[0],
        "barbara Liskov"
    );
    assert_eq!(body.state.expect("a STAT").num_pos, 2);
}

#[test]
fn names_resolve_to_permanent_entry_ids() {
    let server = office();
    let mut book = Book::bind(server);
    let typed = ["grace", "Nobody", "a", "SMTP:zoe@example.test", ""].map(utf16);
    let names = typed.each_ref().map(|name| Utf16Z(name));
    let columns = [
        NAME,
        tags::PID_TAG_ENTRY_ID,
        tags::PID_TAG_SMTP_ADDRESS,
        tags::PID_TAG_OFFICE_LOCATION,
    ];
    let request = ResolveNamesRequest {
        reserved: 0,
        state: Some(stat()),
        property_tags: Some(columns.as_slice().into()),
        names: Some((&names).into()),
        auxiliary_buffer: no_aux(),
    };
    let body = book.ask(request);
    let body = body.success::<ResolveNamesRequest<'_>>();
    let ids: Vec<_> = body
        .minimal_ids
        .expect("Minimal Entry IDs")
        .iter()
        .collect();
    assert_eq!(ids, [2, 0, 1, 2, 0]);
    let rows = body.rows_and_columns.expect("rows");
    assert_eq!(first_cells(&rows), ["Grace Hopper", "Zoë Ж"]);
    for (row, (email, _)) in rows.rows().zip([OTHERS[2], OTHERS[3]]) {
        let cells = row.expect("a row").cells;
        let Some(PropValue::Binary(entry_id)) = cells[1].value() else {
            panic!("{cells:?}")
        };
        let dn = legacy_dn(server.data_dir(), email);
        assert_eq!(entry_id[..4], [0; 4]);
        assert_eq!(entry_id[28..], [dn.as_bytes(), &[0]].concat());
        assert_eq!(cells[2].value(), Some(&PropValue::text(email)));
        assert_eq!(cells[3].value(), None);
    }
}

#[test]
fn a_dn_leads_to_the_properties_of_its_user() {
    let server = office();
    let mut book = Book::bind(server);
    let dn = legacy_dn(server.data_dir(), "grace@example.test");
    let dns = [AsciiZ(b"/o=nobody"), AsciiZ(dn.as_bytes())];
    let request = DnToMIdRequest {
        reserved: 0,
        names: Some((&dns).into()),
        auxiliary_buffer: no_aux(),
    };
    let body = book.ask(request);
    let ids: Vec<_> = body
        .success::<DnToMIdRequest<'_>>()
        .minimal_ids
        .expect("Minimal Entry IDs")
        .iter()
        .collect();
    assert_eq!(ids[0], 0);
    assert!(ids[1] >= 0x10);
    let tags = [
        tags::PID_TAG_EMAIL_ADDRESS,
        tags::PID_TAG_ADDRESS_TYPE,
        PropTag(0x3001_001E),
        tags::PID_TAG_OBJECT_TYPE,
    ];
    let body = book.ask(get_props(ids[1], &tags));
    let values = body
        .success::<GetPropsRequest<'_>>()
        .property_values
        .expect("values");
    let values: Vec<_> = values.iter().map(|value| value.0.value).collect();
    assert_eq!(
        values,
        [
            PropValue::text(&dn),
            PropValue::text("EX"),
            PropValue::String8(b"Grace Hopper".to_vec()),
            PropValue::Integer32(6),
        ]
    );
    let absent = [tags::PID_TAG_OFFICE_LOCATION];
    let body = book.ask(get_props(ids[1], &absent));
    let values = body.with::<GetPropsRequest<'_>>(ErrorCode::ERRORS_RETURNED);
    let values: Vec<_> = values.property_values.expect("values").iter().collect();
    assert_eq!(values[0].0.tag, PropTag(0x3A19_000A));
}

#[test]
fn a_search_finds_and_is_too_big_rather_than_too_long() {
    let mut book = Book::bind(office());
    let search = |row_count| GetMatchesRequest {
        reserved: 0,
        state: Some(stat()),
        minimal_ids: None,
        interface_option_flags: 0,
        filter: Some(Filter(Restriction::Property {
            rel_op: ropewalk_wire::restriction::RelOp::EQUAL,
            prop_tag: tags::PID_TAG_ANR,
            tagged_value: TaggedPropertyValue {
                tag: tags::PID_TAG_ANR,
                value: PropValue::text("a"),
            },
        })),
        property_name: None,
        row_count,
        columns: Some([NAME].as_slice().into()),
        auxiliary_buffer: no_aux(),
    };
    let body = book.ask(search(10));
    let body = body.success::<GetMatchesRequest<'_>>();
    assert_eq!(
        first_cells(&body.columns_and_rows.expect("rows")),
        ["Ada Lovelace", "Alan Turing"]
    );
    assert_eq!(body.minimal_ids.expect("Minimal Entry IDs").len(), 2);
    book.ask(search(1))
        .with::<GetMatchesRequest<'_>>(ErrorCode::TABLE_TOO_BIG);
}

#[test]
fn the_hierarchy_has_the_global_address_list() {
    let mut book = Book::bind(office());
    let request = GetSpecialTableRequest {
        flags: 4,
        state: Some(stat()),
        version: Some(0),
        auxiliary_buffer: no_aux(),
    };
    let body = book.ask(request);
    let body = body.success::<GetSpecialTableRequest<'_>>();
    assert_eq!(body.rows.expect("rows").len(), 1);
}

/// The path and query of a URL on the server that it was asked of.
fn path<'u>(server: &TestServer, url: &'u str) -> &'u str {
    url.strip_prefix(&format!("http://{}", server.http()))
        .unwrap_or_else(|| panic!("{url}"))
}

#[test]
fn the_urls_that_are_given_out_work() {
    let server = office();
    let mut book = Book::bind(server);
    let dn = legacy_dn(server.data_dir(), ADA);
    let user_dn = utf16(&dn);
    let body = book.ask(GetMailboxUrlRequest {
        flags: 0,
        server_dn: Utf16Z(&user_dn),
        auxiliary_buffer: no_aux(),
    });
    let url = decode_utf16le(body.success::<GetMailboxUrlRequest<'_>>().server_url.0);
    let mailbox = path(server, &url);
    assert!(mailbox.starts_with("/mapi/emsmdb/?MailboxId="));
    let body = book.ask(GetAddressBookUrlRequest {
        flags: 0,
        user_dn: Utf16Z(&user_dn),
        auxiliary_buffer: no_aux(),
    });
    let url = decode_utf16le(body.success::<GetAddressBookUrlRequest<'_>>().server_url.0);
    let address_book = path(server, &url);
    assert!(address_book.starts_with("/mapi/nspi/?MailboxId="));
    let authorization = authorization();
    for path in [mailbox, address_book] {
        let headers = [
            ("Content-Type", "application/mapi-http"),
            ("Authorization", authorization.as_str()),
            ("X-RequestType", "PING"),
            ("X-RequestId", "{00000000-0000-0000-0000-000000000001}:1"),
        ];
        let response = Connection::new(server.http())
            .post(path, &headers, &[])
            .expect("an HTTP response");
        // The path and the endpoint are right; a PING without a session is another matter.
        assert_eq!(response.status, 200);
        let code = response.header("X-ResponseCode").expect("X-ResponseCode");
        assert!(["0", "10", "13"].contains(&code), "{path}: {code}");
    }
}

#[test]
fn a_malformed_body_is_refused_and_the_session_lives_on() {
    let mut book = Book::bind(office());
    let mut long = Vec::new();
    Request::from(query_rows(stat(), 5))
        .encode(&mut long)
        .expect("a request body");
    let counts_too_much = {
        let mut body = long.clone();
        body[41..45].copy_from_slice(&[0xFF; 4]);
        body
    };
    long.push(0);
    for body in [&[][..], &[0; 9], &long, &counts_too_much] {
        let response = book.post("QueryRows", body);
        assert_eq!(response.status, 200);
        assert_eq!(response.header("X-ResponseCode"), Some("12"));
    }
    let response = book.post("QueryRowz", &[]);
    assert_eq!(response.header("X-ResponseCode"), Some("5"));
    assert_eq!(book.names(stat(), 1).0, ["Ada Lovelace"]);
}

#[test]
fn the_address_book_follows_the_users() {
    let server = TestServer::start(&[]);
    let dir: &Path = server.data_dir();
    add_user(dir, ADA, "Ada Lovelace", PASSWORD);
    let mut book = Book::bind(&server);
    assert_eq!(book.names(stat(), 9).0, ["Ada Lovelace"]);
    add_user(dir, "aa@example.test", "Aaron", PASSWORD);
    assert_eq!(book.names(stat(), 9).0, ["Aaron", "Ada Lovelace"]);
}

#[test]
fn both_endpoints_have_sessions_of_their_own() {
    let server = office();
    let dn = legacy_dn(server.data_dir(), ADA);
    let mut mailbox = Client::connect(server.http(), ADA, PASSWORD, &dn).expect("Connect");
    let mut book = Book::bind(server);
    // The mailbox's cookies are nothing to the address book.
    std::mem::swap(&mut book.cookies, mailbox.cookies());
    let response = book.post("QueryColumns", &[0; 12]);
    let code = response.header("X-ResponseCode").expect("X-ResponseCode");
    assert!(["6", "10"].contains(&code), "{code}");
}
