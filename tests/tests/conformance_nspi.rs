//! The address book as somebody would test it who has MS-OXNSPI and MS-OXCMAPIHTTP 2.2.5 and no
//! knowledge of this server: requests and responses are bytes, put together and taken apart here.

use ropewalk_tests::{
    client::HttpResponse,
    fixture::{ADA, PASSWORD, legacy_dn},
    http::{Http, Request, response_code},
    server::{TestServer, add_user},
};

const BOB: &str = "bob@example.test";

/// ErrorCodes (MS-OXNSPI 2.2.1.2).
const UNBIND_SUCCESS: u32 = 1;
const ERRORS_RETURNED: u32 = 0x0004_0380;
const GENERAL_FAILURE: u32 = 0x8000_4005;
const NOT_SUPPORTED: u32 = 0x8004_0102;
const NOT_FOUND: u32 = 0x8004_010F;
const TOO_COMPLEX: u32 = 0x8004_0117;
const INVALID_CODEPAGE: u32 = 0x8004_011E;
const INVALID_LOCALE: u32 = 0x8004_011F;
const TABLE_TOO_BIG: u32 = 0x8004_0403;
const INVALID_BOOKMARK: u32 = 0x8004_0405;
const ACCESS_DENIED: u32 = 0x8007_0005;
const INVALID_PARAMETER: u32 = 0x8007_0057;

const CP_TELETEX: u32 = 20261;
const CP_WINUNICODE: u32 = 1200;
const DISPLAY_NAME_W: u32 = 0x3001_001F;
const DISPLAY_NAME_A: u32 = 0x3001_001E;
const DISPLAY_TYPE: u32 = 0x3900_0003;

/// A body in the making.
#[derive(Clone, Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn wide(self, text: &str) -> Self {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.raw(&bytes).raw(&[0, 0])
    }

    /// HasState and State.
    fn state(self, stat: [u32; 9]) -> Self {
        stat.iter()
            .fold(self.u8(0xFF), |body, field| body.u32(*field))
    }

    /// A presence byte and a LargePropertyTagArray (MS-OXCMAPIHTTP 2.2.1.8).
    fn tags(self, tags: &[u32]) -> Self {
        let body = self.u8(1).u32(tags.len() as u32);
        tags.iter().fold(body, |body, tag| body.u32(*tag))
    }

    /// A presence byte, a count and Minimal Entry IDs.
    fn ids(self, ids: &[u32]) -> Self {
        self.tags(ids)
    }
}

fn body() -> Bytes {
    Bytes::default()
}

/// SortType, ContainerID, CurrentRec, Delta, NumPos, TotalRecs, CodePage, TemplateLocale, SortLocale
/// (MS-OXNSPI 2.2.8).
const STAT: [u32; 9] = [0, 0, 0, 0, 0, 0, CP_TELETEX, 0x409, 0x409];

fn with(field: usize, value: u32) -> [u32; 9] {
    let mut stat = STAT;
    stat[field] = value;
    stat
}

const SORT_TYPE: usize = 0;
const CONTAINER: usize = 1;
const CURRENT_REC: usize = 2;
const DELTA: usize = 3;
const CODE_PAGE: usize = 6;

/// A session on a server with Ada and Bob.
struct Book {
    server: TestServer,
    http: Http,
    last: Option<HttpResponse>,
}

impl Book {
    fn bound() -> Self {
        let server = TestServer::start(&[]);
        add_user(server.data_dir(), ADA, "Ada Lovelace", PASSWORD);
        add_user(server.data_dir(), BOB, "Bob", PASSWORD);
        let mut book = Self {
            http: Http::plain(server.http()),
            server,
            last: None,
        };
        book.expect("Bind", &body().u32(0).state(STAT), 0);
        book
    }

    /// The response body: StatusCode is 0, ErrorCode the one that is expected.
    #[track_caller]
    fn expect(&mut self, request_type: &str, request: &Bytes, code: u32) -> Vec<u8> {
        let request = request.clone().u32(0).0;
        let mut request = Request::mapi(ADA, PASSWORD, request_type, &request).at("/mapi/nspi/");
        if let Some(last) = &self.last {
            request = request.after(last);
        }
        let response = self.http.request(&request);
        assert_eq!(response_code(&response), 0, "{request_type}");
        let at = response
            .body
            .windows(4)
            .position(|four| four == b"\r\n\r\n");
        let body = response.body[at.unwrap() + 4..].to_vec();
        assert_eq!(u32_at(&body, 0), 0, "{request_type}: StatusCode");
        let found = u32_at(&body, 4);
        assert_eq!(found, code, "{request_type}: {found:#x}, not {code:#x}");
        if response.headers("Set-Cookie").next().is_some() {
            self.last = Some(response);
        }
        body[8..].to_vec()
    }

    fn minimal_id(&mut self, email: &str) -> u32 {
        let dn = legacy_dn(self.server.data_dir(), email);
        let request = body().u32(0).u8(1).u32(1).raw(dn.as_bytes()).u8(0);
        let answer = self.expect("DNToMId", &request, 0);
        assert_eq!(u32_at(&answer[1..], 0), 1);
        u32_at(&answer[1..], 4)
    }
}

fn u32_at(body: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(body[at..at + 4].try_into().unwrap())
}

/// The STAT of an answer that begins with one.
fn stat_of(answer: &[u8]) -> [u32; 9] {
    assert_ne!(answer[0], 0, "HasState");
    std::array::from_fn(|field| u32_at(answer, 1 + field * 4))
}

/// MS-OXNSPI 3.1.4.1, each method's constraints on what it is given. An error has nothing in the
/// optional parts of its body, so the client's STAT is left as it is.
#[test]
fn every_method_has_the_error_codes_of_its_constraints() {
    let mut book = Book::bound();
    let ada = book.minimal_id(ADA);
    let elsewhere = with(CONTAINER, 1);
    let no_code_page = with(CODE_PAGE, 0xFF);
    let nobody = with(CURRENT_REC, 0x7FFF_FFFF);
    let phonetic = with(SORT_TYPE, 3);
    let read_only = with(SORT_TYPE, 0x3E8);
    let name = |tag: u32| {
        let value = match tag {
            DISPLAY_NAME_W => body().u8(0xFF).wide("A"),
            DISPLAY_NAME_A => body().u8(0xFF).raw(b"A\0"),
            _ => body().u32(0),
        };
        // AddressBookTaggedPropertyValue: type, id, value.
        body().u32(tag).raw(&value.0)
    };
    let exist = |tag: u32| body().u8(8).u32(tag);

    let update_stat = |stat| body().u32(0).state(stat).u8(1);
    let query_rows = |stat, count: u32| {
        let table = body().u32(0).state(stat).u32(0);
        table.u32(count).tags(&[DISPLAY_NAME_W])
    };
    let seek = |stat, tag| {
        let target = body().u32(0).state(stat).u8(1).raw(&name(tag).0);
        target.u8(0).tags(&[DISPLAY_NAME_W])
    };
    let matches = |stat, ids: Option<&[u32]>, filter: Option<u32>, count: u32| {
        let ids = match ids {
            Some(ids) => body().u32(0).state(stat).ids(ids),
            None => body().u32(0).state(stat).u8(0),
        };
        let filter = match filter {
            Some(tag) => ids.u32(0).u8(1).raw(&exist(tag).0),
            None => ids.u32(0).u8(0),
        };
        filter.u8(0).u32(count).tags(&[DISPLAY_NAME_W])
    };
    let resort = |stat| body().u32(0).state(stat).ids(&[ada]);
    let compare = |stat, one, other| body().u32(0).state(stat).u32(one).u32(other);
    let get_props = |stat, tags: &[u32]| body().u32(0).state(stat).tags(tags);
    let resolve = |stat| {
        let tags = body().u32(0).state(stat).u8(0);
        tags.u8(1).u32(1).wide("Ada")
    };
    let mod_props = |stat, tags: Option<&[u32]>| {
        let tags = match tags {
            Some(tags) => body().u32(0).state(stat).tags(tags),
            None => body().u32(0).state(stat).u8(0),
        };
        tags.u8(0)
    };
    let mod_link = |tag: u32, id: u32| body().u32(0).u32(tag).u32(id).u8(0);
    let template = |code_page, locale| body().u32(1).u32(0).u8(0).u32(code_page).u32(locale);
    let special = |flags, stat| body().u32(flags).state(stat).u8(0);

    // With the bytes that follow ErrorCode.
    let none = [0_u8; 16];
    let cases: Vec<(&str, Bytes, u32, &[u8])> = vec![
        // 3.1.4.1.3.
        (
            "GetSpecialTable",
            special(0, no_code_page),
            INVALID_CODEPAGE,
            &none[..10],
        ),
        (
            "GetSpecialTable",
            special(0, with(CODE_PAGE, CP_WINUNICODE)),
            INVALID_CODEPAGE,
            &none[..10],
        ),
        // 3.1.4.1.4.
        (
            "UpdateStat",
            update_stat(elsewhere),
            INVALID_BOOKMARK,
            &none[..6],
        ),
        ("UpdateStat", update_stat(nobody), NOT_FOUND, &none[..6]),
        (
            "UpdateStat",
            update_stat(no_code_page),
            INVALID_CODEPAGE,
            &none[..6],
        ),
        (
            "UpdateStat",
            body().u32(0).u8(0).u8(1),
            INVALID_PARAMETER,
            &none[..6],
        ),
        // 3.1.4.1.8.
        (
            "QueryRows",
            query_rows(elsewhere, 5),
            INVALID_BOOKMARK,
            &none[..6],
        ),
        ("QueryRows", query_rows(nobody, 5), NOT_FOUND, &none[..6]),
        (
            "QueryRows",
            query_rows(no_code_page, 5),
            INVALID_CODEPAGE,
            &none[..6],
        ),
        (
            "QueryRows",
            query_rows(STAT, 0),
            INVALID_PARAMETER,
            &none[..6],
        ),
        // 3.1.4.1.9.
        (
            "SeekEntries",
            seek(elsewhere, DISPLAY_NAME_W),
            INVALID_BOOKMARK,
            &none[..6],
        ),
        (
            "SeekEntries",
            seek(phonetic, DISPLAY_NAME_W),
            GENERAL_FAILURE,
            &none[..6],
        ),
        (
            "SeekEntries",
            seek(read_only, DISPLAY_NAME_W),
            GENERAL_FAILURE,
            &none[..6],
        ),
        (
            "SeekEntries",
            seek(STAT, DISPLAY_TYPE),
            GENERAL_FAILURE,
            &none[..6],
        ),
        // 3.1.4.1.10.
        (
            "GetMatches",
            matches(elsewhere, None, Some(DISPLAY_NAME_W), 9),
            INVALID_BOOKMARK,
            &none[..7],
        ),
        (
            "GetMatches",
            matches(with(SORT_TYPE, 4), None, Some(DISPLAY_NAME_W), 9),
            GENERAL_FAILURE,
            &none[..7],
        ),
        (
            "GetMatches",
            matches(STAT, None, Some(DISPLAY_NAME_W), 0),
            TABLE_TOO_BIG,
            &none[..7],
        ),
        (
            "GetMatches",
            matches(STAT, Some(&[0x0FFF_0102]), Some(0), 9),
            TOO_COMPLEX,
            &none[..7],
        ),
        (
            "GetMatches",
            matches(STAT, None, None, 9),
            GENERAL_FAILURE,
            &none[..7],
        ),
        // 3.1.4.1.11.
        (
            "ResortRestriction",
            resort(phonetic),
            GENERAL_FAILURE,
            &none[..6],
        ),
        (
            "ResortRestriction",
            resort(read_only),
            GENERAL_FAILURE,
            &none[..6],
        ),
        // 3.1.4.1.12.
        (
            "CompareMIds",
            compare(elsewhere, ada, ada),
            INVALID_BOOKMARK,
            &none[..8],
        ),
        (
            "CompareMIds",
            compare(STAT, 0, 1),
            GENERAL_FAILURE,
            &none[..8],
        ),
        (
            "CompareMIds",
            compare(STAT, ada, 0x7FFF_FFFF),
            GENERAL_FAILURE,
            &none[..8],
        ),
        // 3.1.4.1.7.
        (
            "GetProps",
            get_props(no_code_page, &[0x0FFF_0102]),
            INVALID_CODEPAGE,
            &none[..9],
        ),
        (
            "GetProps",
            get_props(elsewhere, &[DISPLAY_NAME_W]),
            INVALID_BOOKMARK,
            &none[..9],
        ),
        // 3.1.4.1.17.
        (
            "ResolveNames",
            resolve(elsewhere),
            INVALID_BOOKMARK,
            &none[..10],
        ),
        (
            "ResolveNames",
            resolve(no_code_page),
            INVALID_CODEPAGE,
            &none[..10],
        ),
        // 3.1.4.1.14.
        (
            "ModProps",
            mod_props(with(CURRENT_REC, ada), None),
            INVALID_PARAMETER,
            &none[..4],
        ),
        (
            "ModProps",
            mod_props(with(CURRENT_REC, 1), Some(&[0x8C6A_1102])),
            INVALID_PARAMETER,
            &none[..4],
        ),
        (
            "ModProps",
            mod_props(with(CURRENT_REC, ada), Some(&[0x8C6A_1102])),
            ACCESS_DENIED,
            &none[..4],
        ),
        // 3.1.4.1.15.
        (
            "ModLinkAtt",
            mod_link(0x8009_000D, 0x7FFF_FFFF),
            INVALID_PARAMETER,
            &none[..4],
        ),
        (
            "ModLinkAtt",
            mod_link(DISPLAY_NAME_W, ada),
            NOT_FOUND,
            &none[..4],
        ),
        (
            "ModLinkAtt",
            mod_link(0x8009_000D, ada),
            ACCESS_DENIED,
            &none[..4],
        ),
        (
            "ModLinkAtt",
            mod_link(0x8015_101E, ada),
            ACCESS_DENIED,
            &none[..4],
        ),
        // 3.1.4.1.18.
        (
            "GetTemplateInfo",
            template(CP_WINUNICODE, 0x409),
            INVALID_CODEPAGE,
            &none[..9],
        ),
        (
            "GetTemplateInfo",
            template(0xFF, 0x409),
            INVALID_CODEPAGE,
            &none[..9],
        ),
        (
            "GetTemplateInfo",
            template(CP_TELETEX, 0),
            INVALID_LOCALE,
            &none[..9],
        ),
    ];
    for (number, (request_type, request, code, rest)) in cases.iter().enumerate() {
        let answer = book.expect(request_type, request, *code);
        assert_eq!(answer, *rest, "case {number}: {request_type}");
    }
    // The session is as it was.
    book.expect("UpdateStat", &update_stat(STAT), 0);
}

/// MS-OXNSPI 3.1.4.1.1.
#[test]
fn bind_ignores_all_flags_but_one_and_needs_a_code_page_for_8_bit_strings() {
    let mut book = Book::bound();
    let guid = book.expect("Bind", &body().u32(0).state(STAT), 0);
    for flags in [1, !0x20] {
        assert_eq!(book.expect("Bind", &body().u32(flags).state(STAT), 0), guid);
    }
    let anonymous = body().u32(0x20).state(STAT);
    book.expect("Bind", &anonymous, NOT_SUPPORTED);
    for code_page in [CP_WINUNICODE, 0xFF] {
        let request = body().u32(0).state(with(CODE_PAGE, code_page));
        book.expect("Bind", &request, INVALID_CODEPAGE);
    }
    let unbound = book.expect("Unbind", &body().u32(5), UNBIND_SUCCESS);
    assert_eq!(unbound, [0; 4]);
}

/// MS-OXNSPI 3.1.4.5 and 3.1.4.1.4: positions, and the STAT that says where a client is.
#[test]
fn positions_are_absolute_fractional_and_bounded() {
    let mut book = Book::bound();
    let (ada, bob) = (book.minimal_id(ADA), book.minimal_id(BOB));
    let mut update = |stat: [u32; 9], wanted: (u32, u32, i32)| {
        let answer = book.expect("UpdateStat", &body().u32(0).state(stat).u8(1), 0);
        let now = stat_of(&answer);
        let mut expected = stat;
        (expected[2], expected[3], expected[4], expected[5]) = (wanted.0, 0, wanted.1, 2);
        assert_eq!(now, expected);
        assert_ne!(answer[37], 0, "HasDelta");
        assert_eq!(u32_at(&answer, 38) as i32, wanted.2, "Delta");
        assert_eq!(answer.len(), 37 + 5 + 4);
    };
    update(STAT, (ada, 0, 0));
    update(with(DELTA, 1), (bob, 1, 1));
    update(with(DELTA, 2), (2, 2, 2));
    update(with(DELTA, 9), (2, 2, 2));
    update(with(DELTA, -1_i32 as u32), (ada, 0, 0));
    update(with(CURRENT_REC, bob), (bob, 1, 0));
    let mut end = with(CURRENT_REC, 2);
    update(end, (2, 2, 0));
    end[DELTA] = -1_i32 as u32;
    update(end, (bob, 1, -1));
    let mut half = with(CURRENT_REC, 1);
    (half[4], half[5]) = (5, 10);
    update(half, (bob, 1, 0));
    (half[4], half[5]) = (0, 0);
    update(half, (ada, 0, 0));
    // DeltaRequested is not set: there is none.
    let answer = book.expect("UpdateStat", &body().u32(0).state(STAT).u8(0), 0);
    assert_eq!(answer[37..], [0; 5]);
}

/// MS-OXNSPI 3.1.4.1.8, constraint 6, and MS-OXCMAPIHTTP 2.2.1.7: default columns and rows, byte by
/// byte.
#[test]
fn rows_of_default_columns_are_laid_out_as_specified() {
    let mut book = Book::bound();
    let ada = book.minimal_id(ADA);
    let columns = [
        0xFFFD_0003_u32,
        0x0FFE_0003,
        DISPLAY_TYPE,
        DISPLAY_NAME_A,
        0x3A1A_001E,
        0x3A18_001E,
        0x3A19_001E,
    ];
    let absent = || body().u8(0x0A).u32(NOT_FOUND);
    // Flags 1: FlaggedPropertyValues, as three of them have no value.
    let row = body()
        .u8(1)
        .raw(&body().u8(0).u32(ada).0)
        .raw(&body().u8(0).u32(6).0)
        .raw(&body().u8(0).u32(0).0)
        .raw(&body().u8(0).u8(0xFF).raw(b"Ada Lovelace\0").0)
        .raw(&absent().0)
        .raw(&absent().0)
        .raw(&absent().0);
    let columns = body().tags(&columns);
    let rows = columns.u32(1).raw(&row.0);

    let query = body().u32(0).state(STAT).u32(0).u32(1).u8(0);
    let answer = book.expect("QueryRows", &query, 0);
    let stat = stat_of(&answer);
    assert_eq!((stat[4], stat[5]), (1, 2), "NumPos and TotalRecs");
    let found = &answer[37..answer.len() - 4];
    assert_eq!((found[0] != 0, &found[1..]), (true, &rows.0[1..]));

    // The same of ResolveNames, after the CodePage and the results.
    let names = ["Ada", "", "nobody", "Bo"];
    let request = names.iter().fold(
        body()
            .u32(0)
            .state(STAT)
            .u8(0)
            .u8(1)
            .u32(names.len() as u32),
        |body, name| body.wide(name),
    );
    let answer = book.expect("ResolveNames", &request, 0);
    assert_eq!(u32_at(&answer, 0), CP_TELETEX);
    let ids = body().ids(&[2, 0, 0, 2]);
    assert_eq!(answer[5..4 + ids.0.len()], ids.0[1..]);
    let at = 4 + ids.0.len() + 1 + 4 + 7 * 4;
    assert_eq!(u32_at(&answer, at), 2, "a row for each name that resolves");
    assert_eq!(answer[at + 4..at + 4 + row.0.len()], row.0);
}

/// MS-OXNSPI 3.1.4.1.7, constraints 1, 11 and 12.
#[test]
fn get_props_tells_what_is_not_there() {
    let mut book = Book::bound();
    let ada = book.minimal_id(ADA);
    let mut unicode = with(CURRENT_REC, ada);
    unicode[CODE_PAGE] = CP_WINUNICODE;
    for (stat, tags, code) in [
        (with(CURRENT_REC, ada), [0x8C6A_1102], ERRORS_RETURNED),
        (unicode, [0x0000_001E], ERRORS_RETURNED),
        (unicode, [DISPLAY_NAME_W], 0),
        (unicode, [DISPLAY_NAME_A], INVALID_CODEPAGE),
        (with(CURRENT_REC, 1), [DISPLAY_NAME_W], ERRORS_RETURNED),
        (with(CURRENT_REC, 2), [DISPLAY_NAME_W], ERRORS_RETURNED),
    ] {
        let request = body().u32(2).state(stat).tags(&tags);
        let answer = book.expect("GetProps", &request, code);
        if code == ERRORS_RETURNED {
            let error = (tags[0] & 0xFFFF_0000) | 0x000A;
            let values = body().u8(1).u32(1).u32(error).u32(NOT_FOUND).u32(0);
            assert_eq!(answer[5..], values.0[1..], "{:#x}", tags[0]);
        }
    }
}

/// MS-OXCMAPIHTTP 2.2.5: what is optional may be left out, and is then answered, or refused by its
/// ErrorCode.
#[test]
fn what_a_request_leaves_out_is_no_fault_of_the_transport() {
    let mut book = Book::bound();
    let dn_to_mid = body().u32(0).u8(0);
    let answer = book.expect("DNToMId", &dn_to_mid, 0);
    assert_eq!(&answer[1..], [0; 8], "no Minimal Entry IDs");
    let columns = book.expect("QueryColumns", &body().u32(0).u32(0), 0);
    let of_the_list = book.expect("GetPropList", &body().u32(1).u32(0).u32(CP_TELETEX), 0);
    assert_eq!(columns, of_the_list);
    for (request_type, request) in [
        ("CompareMIds", body().u32(0).u8(0).u32(0x10).u32(0x10)),
        ("ResortRestriction", body().u32(0).u8(0).u8(0)),
        ("ResortRestriction", body().u32(0).state(STAT).u8(0)),
        ("QueryRows", body().u32(0).u8(0).u32(0).u32(5).u8(0)),
        ("ResolveNames", body().u32(0).u8(0).u8(0).u8(0)),
        ("ResolveNames", body().u32(0).state(STAT).u8(0).u8(0)),
        ("GetProps", body().u32(0).u8(0).u8(0)),
        ("SeekEntries", body().u32(0).state(STAT).u8(0).u8(0).u8(0)),
        (
            "GetMatches",
            body().u32(0).u8(0).u8(0).u32(0).u8(0).u8(0).u32(9).u8(0),
        ),
    ] {
        book.expect(request_type, &request, INVALID_PARAMETER);
    }
    book.expect("GetSpecialTable", &body().u32(4).u8(0).u8(0), 0);
}
