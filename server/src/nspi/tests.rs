//! Each request type over a store with users, through the bodies.

use std::sync::Arc;

use proptest::prelude::*;
use ropewalk_props::{PropTag, PropType, PropValue, tags};
use ropewalk_store::{Durability, IndexKind, Store, StoreOptions, User};
use ropewalk_wire::{
    ErrorCode, Put,
    codec::{AsciiZ, Bytes32, Utf16Z, Wire},
    nspi::{
        AddressBookTaggedPropertyValue, BindRequest, ColumnsAndRows, CompareMIdsRequest,
        DnToMIdRequest, Filter, GetAddressBookUrlRequest, GetMailboxUrlRequest, GetMatchesRequest,
        GetPropListRequest, GetPropsRequest, GetSpecialTableRequest, GetTemplateInfoRequest,
        ModLinkAttRequest, ModPropsRequest, PropertyNameId, QueryColumnsRequest, QueryRowsRequest,
        Request, RequestBody, RequestType, ResolveNamesRequest, ResortRestrictionRequest, Response,
        SeekEntriesRequest, Stat, UnbindRequest, UpdateStatRequest,
    },
    restriction::{RelOp, Restriction},
    row::RowCell,
    value::TaggedPropertyValue,
};
use tempfile::TempDir;

use super::{COLUMNS_MAX, NspiContext, respond};
use crate::{autodiscover::urls::Urls, provision};

const SUCCESS: ErrorCode = ErrorCode(0);
const NAME: PropTag = tags::PID_TAG_DISPLAY_NAME;
const SMTP: PropTag = tags::PID_TAG_SMTP_ADDRESS;
const PHONE: PropTag = tags::PID_TAG_PRIMARY_TELEPHONE_NUMBER;

struct Office {
    store: Store,
    users: Vec<Arc<User>>,
    urls: Urls,
    _dir: TempDir,
}

/// A store with users of these names; their aliases are the names' first words.
fn office(names: &[&str]) -> Office {
    let dir = TempDir::new().unwrap();
    let options = StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
        ..StoreOptions::default()
    };
    let store = Store::open(dir.path(), options).unwrap();
    let add = |name: &&str| {
        let alias = name.split(' ').next().unwrap().to_lowercase();
        let alias = alias.replace('ë', "e");
        let email = provision::Email::parse(&format!("{alias}@example.test")).unwrap();
        provision::add_user(&store, &email, name, "hash".to_owned()).unwrap()
    };
    Office {
        users: names.iter().map(add).collect(),
        store,
        urls: Urls::new(Some("mail.example.test"), None, true).unwrap(),
        _dir: dir,
    }
}

/// The office that most tests look at. Sorted: ada, Bob, Zoë.
fn three() -> Office {
    office(&["Zoë Łukasz", "ada Lovelace", "Bob Ada"])
}

/// A response body as it came, to be decoded.
struct Reply(ErrorCode, Vec<u8>);

impl Office {
    fn id(&self, index: usize) -> u32 {
        self.users[index].minimal_id
    }

    fn context(&self) -> NspiContext<'_> {
        NspiContext {
            store: &self.store,
            user: &self.users[0],
            urls: &self.urls,
        }
    }

    fn ask<'a>(&self, request: impl Into<Request<'a>>) -> Reply {
        let request = request.into();
        let (mut body, mut out) = (Vec::new(), Vec::new());
        request.encode(&mut body).unwrap();
        let code = respond(&self.context(), request.request_type(), &body, &mut out).unwrap();
        Reply(code, out)
    }

    /// QueryRows for display names, from a STAT.
    fn names_from(&self, stat: Stat, count: u32) -> (Vec<String>, Stat) {
        let reply = self.ask(query_rows(Some(stat), &[], count, &[NAME]));
        let body = reply.success::<QueryRowsRequest<'_>>();
        (names(&body.columns_and_rows.unwrap()), body.state.unwrap())
    }
}

impl Reply {
    /// The body of an answer with this ErrorCode.
    fn with<'r, R: RequestBody<'r>>(&'r self, code: ErrorCode) -> R::Response<'r> {
        assert_eq!(self.0, code);
        match Response::from_bytes(&self.1).unwrap() {
            Response::Done {
                error_code, body, ..
            } => {
                assert_eq!(error_code, code);
                body
            }
            Response::Failed { status_code, .. } => panic!("StatusCode {status_code:X}"),
        }
    }

    fn success<'r, R: RequestBody<'r>>(&'r self) -> R::Response<'r> {
        self.with::<R>(SUCCESS)
    }

    /// The answer has this ErrorCode and nothing in its optional parts.
    fn refused<'r, R: RequestBody<'r>>(&'r self, code: ErrorCode)
    where
        R::Response<'r>: PartialEq + std::fmt::Debug,
    {
        assert_eq!(self.with::<R>(code), R::Response::default());
    }
}

fn stat() -> Stat {
    Stat {
        code_page: 1252,
        template_locale: 0x409,
        sort_locale: 0x409,
        ..Stat::default()
    }
}

fn query_rows<'a>(
    state: Option<Stat>,
    explicit_table: &'a [u32],
    row_count: u32,
    columns: &'a [PropTag],
) -> QueryRowsRequest<'a> {
    QueryRowsRequest {
        flags: 0,
        state,
        explicit_table: explicit_table.into(),
        row_count,
        columns: Some(columns.into()),
        auxiliary_buffer: Bytes32::default(),
    }
}

fn cells(rows: &ColumnsAndRows<'_>) -> Vec<Vec<RowCell>> {
    rows.rows().map(|row| row.unwrap().cells).collect()
}

/// The first cell of each row, which is a string.
fn names(rows: &ColumnsAndRows<'_>) -> Vec<String> {
    let first = |cells: Vec<RowCell>| match cells.first() {
        Some(RowCell::Value(PropValue::String(text))) => text.to_string(),
        other => panic!("{other:?}"),
    };
    cells(rows).into_iter().map(first).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn absent() -> RowCell {
    RowCell::Error(ErrorCode::NOT_FOUND)
}

fn text(text: &str) -> RowCell {
    RowCell::Value(PropValue::text(text))
}

#[test]
fn bind_gives_the_guid_of_the_store_and_unbind_has_its_own_success() {
    let office = three();
    let bind = |code_page| BindRequest {
        flags: 0,
        state: Some(Stat {
            code_page,
            ..stat()
        }),
        auxiliary_buffer: Bytes32::default(),
    };
    let guid = office
        .ask(bind(1252))
        .success::<BindRequest<'_>>()
        .server_guid;
    assert_eq!(guid, office.store.store_guid());
    for code_page in [1200, 4092] {
        office
            .ask(bind(code_page))
            .refused::<BindRequest<'_>>(ErrorCode::INVALID_CODEPAGE);
    }
    for (flags, code) in [(0x20, Some(ErrorCode::NOT_SUPPORTED)), (!0x20, None)] {
        let reply = office.ask(BindRequest {
            flags,
            ..bind(1252)
        });
        match code {
            Some(code) => reply.refused::<BindRequest<'_>>(code),
            None => drop(reply.success::<BindRequest<'_>>()),
        }
    }
    let unbind = UnbindRequest {
        reserved: 7,
        auxiliary_buffer: Bytes32::default(),
    };
    let reply = office.ask(unbind);
    reply.with::<UnbindRequest<'_>>(ErrorCode::UNBIND_SUCCESS);
    assert_eq!(reply.1, [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn query_rows_walks_the_table_in_the_order_of_names() {
    let office = three();
    let (first, state) = office.names_from(stat(), 2);
    assert_eq!(first, ["ada Lovelace", "Bob Ada"]);
    assert_eq!(state.current_rec, office.id(0));
    assert_eq!((state.num_pos, state.total_recs, state.delta), (2, 3, 0));
    assert_eq!((state.code_page, state.sort_locale), (1252, 0x409));
    let (rest, state) = office.names_from(state, 50);
    assert_eq!(rest, ["Zoë Łukasz"]);
    assert_eq!((state.current_rec, state.num_pos), (2, 3));
    let (none, state) = office.names_from(state, 50);
    assert!(none.is_empty());
    assert_eq!((state.current_rec, state.num_pos), (2, 3));
    let back = Stat { delta: -1, ..state };
    assert_eq!(office.names_from(back, 50).0, ["Zoë Łukasz"]);
}

#[test]
fn query_rows_never_returns_more_rows_than_asked() {
    let office = three();
    let ids = [office.id(0), office.id(1), office.id(2)];
    for count in 1..5 {
        let wanted = count.min(3) as usize;
        assert_eq!(office.names_from(stat(), count).0.len(), wanted);
        let reply = office.ask(query_rows(Some(stat()), &ids, count, &[NAME]));
        let rows = reply
            .success::<QueryRowsRequest<'_>>()
            .columns_and_rows
            .unwrap();
        assert_eq!(cells(&rows).len(), wanted);
        assert_eq!(rows.row_count as usize, wanted);
    }
}

#[test]
fn query_rows_of_an_explicit_table_keeps_its_order_and_the_stat() {
    let office = three();
    let state = Stat {
        container_id: 0x77,
        current_rec: 0x99,
        delta: 3,
        ..stat()
    };
    let table = [office.id(0), 0xFFFF, office.id(1)];
    let reply = office.ask(query_rows(Some(state), &table, 10, &[NAME, SMTP, PHONE]));
    let body = reply.success::<QueryRowsRequest<'_>>();
    assert_eq!(body.state, Some(state));
    assert_eq!(
        cells(&body.columns_and_rows.unwrap()),
        [
            [text("Zoë Łukasz"), text("zoe@example.test"), absent()],
            [absent(), absent(), absent()],
            [text("ada Lovelace"), text("ada@example.test"), absent()],
        ]
    );
}

#[test]
fn query_rows_without_columns_returns_the_default_ones() {
    let office = office(&["Zoë"]);
    let mut request = query_rows(Some(stat()), &[], 1, &[]);
    request.columns = None;
    let reply = office.ask(request);
    let rows = reply
        .success::<QueryRowsRequest<'_>>()
        .columns_and_rows
        .unwrap();
    let columns: Vec<_> = rows.columns.iter().map(|tag| tag.0).collect();
    assert_eq!(
        columns,
        [
            0xFFFD_0003,
            0x0FFE_0003,
            0x3900_0003,
            0x3001_001E,
            0x3A1A_001E,
            0x3A18_001E,
            0x3A19_001E
        ]
    );
    let integer = |value| RowCell::Value(PropValue::Integer32(value));
    assert_eq!(
        cells(&rows),
        [[
            integer(office.id(0) as i32),
            integer(6),
            integer(0),
            RowCell::Value(PropValue::String8(b"Zo\xEB".to_vec())),
            absent(),
            absent(),
            absent(),
        ]]
    );
}

#[test]
fn query_rows_errors_are_those_of_the_specification() {
    let office = three();
    let with = |change: fn(&mut Stat)| {
        let mut stat = stat();
        change(&mut stat);
        Some(stat)
    };
    let cases = [
        (None, ErrorCode::INVALID_PARAMETER),
        (
            with(|stat| stat.container_id = 1),
            ErrorCode::INVALID_BOOKMARK,
        ),
        (with(|stat| stat.current_rec = 0x99), ErrorCode::NOT_FOUND),
        (
            with(|stat| stat.code_page = 1200),
            ErrorCode::INVALID_CODEPAGE,
        ),
        (
            with(|stat| stat.code_page = 4092),
            ErrorCode::INVALID_CODEPAGE,
        ),
    ];
    for (state, code) in cases {
        office
            .ask(query_rows(state, &[], 5, &[NAME]))
            .refused::<QueryRowsRequest<'_>>(code);
    }
    office
        .ask(query_rows(Some(stat()), &[], 0, &[NAME]))
        .refused::<QueryRowsRequest<'_>>(ErrorCode::INVALID_PARAMETER);
    office
        .ask(query_rows(
            Some(stat()),
            &[],
            1,
            &vec![NAME; COLUMNS_MAX + 1],
        ))
        .refused::<QueryRowsRequest<'_>>(ErrorCode::TABLE_TOO_BIG);
}

/// MS-OXCMAPIHTTP 2.2.5.12.2, byte for byte.
#[test]
fn a_query_rows_response_is_laid_out_as_specified() {
    let office = office(&["Al"]);
    let reply = office.ask(query_rows(
        Some(stat()),
        &[],
        1,
        &[NAME, tags::PID_TAG_OBJECT_TYPE],
    ));
    let mut wanted = vec![0; 8]; // StatusCode, ErrorCode
    wanted.put_u8(1); // HasState
    let end = Stat {
        current_rec: 2,
        num_pos: 1,
        total_recs: 1,
        ..stat()
    };
    end.encode(&mut wanted).unwrap();
    wanted.put_u8(1); // HasColumnsAndRows
    wanted.put_bytes(&[2, 0, 0, 0, 0x1F, 0, 1, 0x30, 3, 0, 0xFE, 0x0F]);
    wanted.put_u32(1); // RowCount
    wanted.put_bytes(&[0, 0xFF, b'A', 0, b'l', 0, 0, 0, 6, 0, 0, 0]);
    wanted.put_u32(0); // AuxiliaryBufferSize
    assert_eq!(reply.1, wanted);
}

#[test]
fn entry_ids_are_permanent_unless_ephemeral_ones_are_asked_for() {
    let office = three();
    let table = [office.id(1)];
    let entry_id = |flags| {
        let mut request = query_rows(Some(stat()), &table, 1, &[tags::PID_TAG_ENTRY_ID]);
        request.flags = flags;
        let reply = office.ask(request);
        let rows = reply.success::<QueryRowsRequest<'_>>().columns_and_rows;
        match cells(&rows.unwrap()).remove(0).remove(0) {
            RowCell::Value(PropValue::Binary(bytes)) => bytes,
            other => panic!("{other:?}"),
        }
    };
    for flags in [0, 1, 0xFFFF_FFFD] {
        let permanent = entry_id(flags);
        assert_eq!(permanent[0], 0);
        assert!(permanent.ends_with(&[office.users[1].legacy_dn.as_bytes(), &[0]].concat()));
    }
    let ephemeral = entry_id(2);
    assert_eq!(ephemeral.len(), 32);
    assert_eq!(ephemeral[0], 0x87);
    assert_eq!(ephemeral[4..20], office.store.store_guid().0);
    assert_eq!(ephemeral[28..], office.id(1).to_le_bytes());
}

fn update_stat(state: Option<Stat>, delta_requested: bool) -> UpdateStatRequest<'static> {
    UpdateStatRequest {
        reserved: 9,
        state,
        delta_requested,
        auxiliary_buffer: Bytes32::default(),
    }
}

#[test]
fn update_stat_moves_and_says_how_far() {
    let office = three();
    let end = Stat {
        current_rec: 2,
        delta: -2,
        ..stat()
    };
    let reply = office.ask(update_stat(Some(end), true));
    let body = reply.success::<UpdateStatRequest<'_>>();
    assert_eq!(body.delta, Some(-2));
    let state = body.state.unwrap();
    assert_eq!(state.current_rec, office.id(2));
    assert_eq!((state.num_pos, state.total_recs, state.delta), (1, 3, 0));
    let reply = office.ask(update_stat(Some(end), false));
    assert_eq!(reply.success::<UpdateStatRequest<'_>>().delta, None);
}

#[test]
fn update_stat_errors_are_those_of_the_specification() {
    let office = three();
    let cases = [
        (None, ErrorCode::INVALID_PARAMETER),
        (
            Some(Stat {
                container_id: 5,
                ..stat()
            }),
            ErrorCode::INVALID_BOOKMARK,
        ),
        (
            Some(Stat {
                current_rec: 0xFF,
                ..stat()
            }),
            ErrorCode::NOT_FOUND,
        ),
        (
            Some(Stat {
                code_page: 1200,
                ..stat()
            }),
            ErrorCode::INVALID_CODEPAGE,
        ),
    ];
    for (state, code) in cases {
        office
            .ask(update_stat(state, true))
            .refused::<UpdateStatRequest<'_>>(code);
    }
}

fn get_props<'a>(stat: Stat, tags: Option<&'a [PropTag]>) -> GetPropsRequest<'a> {
    GetPropsRequest {
        flags: 0,
        state: Some(stat),
        property_tags: tags.map(Into::into),
        auxiliary_buffer: Bytes32::default(),
    }
}

#[test]
fn get_props_keeps_order_and_duplicates_and_marks_what_is_absent() {
    let office = three();
    let here = Stat {
        current_rec: office.id(0),
        ..stat()
    };
    let name8 = NAME.with_type(PropType::STRING8);
    let reply = office.ask(get_props(here, Some(&[SMTP, PHONE, name8, SMTP])));
    let body = reply.with::<GetPropsRequest<'_>>(ErrorCode::ERRORS_RETURNED);
    assert_eq!(body.code_page, 1252);
    let values: Vec<_> = body.property_values.unwrap().iter().map(|v| v.0).collect();
    let smtp = TaggedPropertyValue {
        tag: SMTP,
        value: PropValue::text("zoe@example.test"),
    };
    assert_eq!(
        values,
        [
            smtp.clone(),
            TaggedPropertyValue {
                tag: PropTag(0x3A1A_000A),
                value: PropValue::ErrorCode(0x8004_010F),
            },
            TaggedPropertyValue {
                tag: name8,
                value: PropValue::String8(b"Zo\xEB ?ukasz".to_vec()),
            },
            smtp,
        ]
    );
    office
        .ask(get_props(here, Some(&[SMTP])))
        .success::<GetPropsRequest<'_>>();
}

#[test]
fn get_props_without_tags_returns_what_get_prop_list_lists() {
    let office = three();
    let here = Stat {
        current_rec: office.id(1),
        ..stat()
    };
    let list = GetPropListRequest {
        flags: 1,
        minimal_id: office.id(1),
        code_page: 1252,
        auxiliary_buffer: Bytes32::default(),
    };
    let reply = office.ask(list.clone());
    let listed = reply
        .success::<GetPropListRequest<'_>>()
        .property_tags
        .unwrap();
    assert!(
        listed
            .iter()
            .any(|tag| tag == NAME.with_type(PropType::STRING8))
    );
    assert!(listed.iter().all(|tag| tag.ty() != PropType::STRING));
    let props = office.ask(get_props(here, None));
    let values = props
        .success::<GetPropsRequest<'_>>()
        .property_values
        .unwrap();
    assert!(values.iter().map(|value| value.0.tag).eq(listed.iter()));
    let of = |minimal_id| {
        let reply = office.ask(GetPropListRequest {
            minimal_id,
            ..list.clone()
        });
        let body = reply.success::<GetPropListRequest<'_>>();
        body.property_tags.unwrap().iter().collect::<Vec<_>>()
    };
    assert_eq!(of(0x99), []);
    // 0 is the Global Address List: everything that QueryColumns knows.
    let columns = office.ask(QueryColumnsRequest {
        reserved: 0,
        mapi_flags: 0,
        auxiliary_buffer: Bytes32::default(),
    });
    let columns = columns.success::<QueryColumnsRequest<'_>>().columns;
    assert_eq!(of(0), columns.unwrap().iter().collect::<Vec<_>>());
}

#[test]
fn get_props_of_nobody_has_only_errors_and_of_an_unknown_container_is_refused() {
    let office = three();
    let nobody = Stat {
        current_rec: 0x99,
        ..stat()
    };
    let reply = office.ask(get_props(nobody, Some(&[NAME])));
    let body = reply.with::<GetPropsRequest<'_>>(ErrorCode::ERRORS_RETURNED);
    let tags: Vec<_> = body
        .property_values
        .unwrap()
        .iter()
        .map(|value| value.0.tag.0)
        .collect();
    assert_eq!(tags, [0x3001_000A]);
    let elsewhere = Stat {
        container_id: 0x99,
        current_rec: office.id(0),
        ..stat()
    };
    office
        .ask(get_props(elsewhere, Some(&[NAME])))
        .refused::<GetPropsRequest<'_>>(ErrorCode::INVALID_BOOKMARK);
}

#[test]
fn get_props_accepts_cp_winunicode_as_long_as_no_8_bit_string_is_asked_for() {
    let office = three();
    let unicode = Stat {
        current_rec: office.id(0),
        code_page: 1200,
        ..stat()
    };
    office
        .ask(get_props(unicode, Some(&[NAME, PropTag(0x3001_0000)])))
        .success::<GetPropsRequest<'_>>();
    for tag in [PropTag(0x3001_001E), PropTag(0x800F_101E)] {
        office
            .ask(get_props(unicode, Some(&[NAME, tag])))
            .refused::<GetPropsRequest<'_>>(ErrorCode::INVALID_CODEPAGE);
    }
    // What has no value needs no code page.
    office
        .ask(get_props(unicode, Some(&[PropTag(0x0000_001E)])))
        .with::<GetPropsRequest<'_>>(ErrorCode::ERRORS_RETURNED);
    let unknown = Stat {
        code_page: 4092,
        ..unicode
    };
    office
        .ask(get_props(unknown, Some(&[NAME])))
        .refused::<GetPropsRequest<'_>>(ErrorCode::INVALID_CODEPAGE);
}

fn resolve_names<'a>(
    state: Option<Stat>,
    names: &'a [Utf16Z<'a>],
    tags: Option<&'a [PropTag]>,
) -> ResolveNamesRequest<'a> {
    ResolveNamesRequest {
        reserved: 0,
        state,
        property_tags: tags.map(Into::into),
        names: Some(names.into()),
        auxiliary_buffer: Bytes32::default(),
    }
}

#[test]
fn resolve_names_answers_each_name_and_has_rows_for_those_that_resolve() {
    let office = three();
    let typed = [
        utf16("zoe"),
        utf16(""),
        utf16("ada"),
        utf16("nobody"),
        utf16("SMTP:bob@example.test"),
        utf16("ad"),
        utf16(&office.users[1].legacy_dn),
    ];
    let typed: Vec<_> = typed.iter().map(|name| Utf16Z(name)).collect();
    let columns = [NAME, tags::PID_TAG_ENTRY_ID, PHONE];
    let reply = office.ask(resolve_names(Some(stat()), &typed, Some(&columns)));
    let body = reply.success::<ResolveNamesRequest<'_>>();
    assert_eq!(body.code_page, 1252);
    let ids: Vec<_> = body.minimal_ids.unwrap().iter().collect();
    assert_eq!(ids, [2, 0, 2, 0, 2, 1, 2]);
    let rows = cells(&body.rows_and_columns.unwrap());
    let wanted = [0, 1, 2, 1].map(|index| &office.users[index]);
    assert_eq!(rows.len(), wanted.len());
    for (row, user) in rows.iter().zip(wanted) {
        assert_eq!(row[0], text(&user.display_name));
        let Some(PropValue::Binary(entry_id)) = row[1].value() else {
            panic!("{row:?}")
        };
        // Permanent: it ends with the DN.
        assert!(entry_id.ends_with(&[user.legacy_dn.as_bytes(), &[0]].concat()));
        assert_eq!(row[2], absent());
    }
}

#[test]
fn resolve_names_without_columns_has_the_default_ones() {
    let office = three();
    let name = utf16("zoe");
    let names = [Utf16Z(&name)];
    let reply = office.ask(resolve_names(Some(stat()), &names, None));
    let body = reply.success::<ResolveNamesRequest<'_>>();
    let rows = body.rows_and_columns.unwrap();
    assert_eq!(rows.columns.len(), 7);
    assert_eq!(cells(&rows)[0][3].value().unwrap().ty(), PropType::STRING8);
}

#[test]
fn resolve_names_errors_are_those_of_the_specification() {
    let office = three();
    let elsewhere = Stat {
        container_id: 1,
        ..stat()
    };
    let unicode = Stat {
        code_page: 1200,
        ..stat()
    };
    let cases = [
        (None, ErrorCode::INVALID_PARAMETER),
        (Some(elsewhere), ErrorCode::INVALID_BOOKMARK),
        (Some(unicode), ErrorCode::INVALID_CODEPAGE),
    ];
    for (state, code) in cases {
        office
            .ask(resolve_names(state, &[], Some(&[NAME])))
            .refused::<ResolveNamesRequest<'_>>(code);
    }
    let many = vec![Utf16Z::default(); 1001];
    office
        .ask(resolve_names(Some(stat()), &many, Some(&[NAME])))
        .refused::<ResolveNamesRequest<'_>>(ErrorCode::TABLE_TOO_BIG);
}

#[test]
fn dn_to_mid_answers_each_dn_in_order() {
    let office = three();
    let upper = office.users[2].legacy_dn.to_uppercase();
    let dns = [
        AsciiZ(upper.as_bytes()),
        AsciiZ(b"/o=nobody"),
        AsciiZ(b"\xFF"),
        AsciiZ(office.users[0].legacy_dn.as_bytes()),
    ];
    let mut request = DnToMIdRequest {
        reserved: 0,
        names: Some((&dns).into()),
        auxiliary_buffer: Bytes32::default(),
    };
    let reply = office.ask(request.clone());
    let ids: Vec<_> = reply
        .success::<DnToMIdRequest<'_>>()
        .minimal_ids
        .unwrap()
        .iter()
        .collect();
    assert_eq!(ids, [office.id(2), 0, 0, office.id(0)]);
    request.names = None;
    let reply = office.ask(request);
    let none = reply.success::<DnToMIdRequest<'_>>().minimal_ids;
    assert_eq!(none.unwrap().len(), 0);
}

fn seek<'a>(
    stat: Stat,
    target: &str,
    explicit_table: Option<&'a [u32]>,
    columns: Option<&'a [PropTag]>,
) -> SeekEntriesRequest<'a> {
    SeekEntriesRequest {
        reserved: 0,
        state: Some(stat),
        target: Some(AddressBookTaggedPropertyValue(TaggedPropertyValue {
            tag: NAME,
            value: PropValue::text(target),
        })),
        explicit_table: explicit_table.map(Into::into),
        columns: columns.map(Into::into),
        auxiliary_buffer: Bytes32::default(),
    }
}

#[test]
fn seek_entries_finds_the_first_row_that_is_not_before_the_target() {
    let office = three();
    let here = Stat {
        current_rec: 0x77,
        delta: 4,
        ..stat()
    };
    let reply = office.ask(seek(here, "B", None, Some(&[NAME])));
    let body = reply.success::<SeekEntriesRequest<'_>>();
    let state = body.state.unwrap();
    assert_eq!(state.current_rec, office.id(2));
    assert_eq!((state.num_pos, state.total_recs, state.delta), (1, 3, 4));
    let rows = body.columns_and_rows.unwrap();
    assert_eq!(names(&rows), ["Bob Ada", "Zoë Łukasz"]);
    let reply = office.ask(seek(here, "", None, None));
    let body = reply.success::<SeekEntriesRequest<'_>>();
    assert_eq!(body.state.unwrap().current_rec, office.id(1));
    assert_eq!(body.columns_and_rows, None);
    office
        .ask(seek(here, "zz", None, Some(&[NAME])))
        .refused::<SeekEntriesRequest<'_>>(ErrorCode::NOT_FOUND);
}

#[test]
fn seek_entries_in_an_explicit_table_returns_what_is_left_of_it() {
    let office = three();
    let table = [office.id(1), 0x99, office.id(0)];
    let reply = office.ask(seek(stat(), "c", Some(&table), Some(&[NAME])));
    let body = reply.success::<SeekEntriesRequest<'_>>();
    let state = body.state.unwrap();
    assert_eq!(state.current_rec, office.id(0));
    assert_eq!((state.num_pos, state.total_recs), (2, 3));
    assert_eq!(names(&body.columns_and_rows.unwrap()), ["Zoë Łukasz"]);
    office
        .ask(seek(stat(), "a", Some(&[]), None))
        .refused::<SeekEntriesRequest<'_>>(ErrorCode::NOT_FOUND);
}

#[test]
fn seek_entries_errors_are_those_of_the_specification() {
    let office = three();
    for sort_type in [3, 0x3E8, 0x3E9, 7] {
        let sorted = Stat {
            sort_type,
            ..stat()
        };
        office
            .ask(seek(sorted, "a", None, None))
            .refused::<SeekEntriesRequest<'_>>(ErrorCode::GENERAL_FAILURE);
    }
    let elsewhere = Stat {
        container_id: 1,
        ..stat()
    };
    office
        .ask(seek(elsewhere, "a", None, None))
        .refused::<SeekEntriesRequest<'_>>(ErrorCode::INVALID_BOOKMARK);
    let mut by_address = seek(stat(), "a", None, None);
    by_address.target = Some(AddressBookTaggedPropertyValue(TaggedPropertyValue {
        tag: SMTP,
        value: PropValue::text("a"),
    }));
    office
        .ask(by_address)
        .refused::<SeekEntriesRequest<'_>>(ErrorCode::GENERAL_FAILURE);
}

fn get_matches<'a>(
    stat: Stat,
    filter: Option<Restriction>,
    row_count: u32,
    columns: Option<&'a [PropTag]>,
) -> GetMatchesRequest<'a> {
    GetMatchesRequest {
        reserved: 0,
        state: Some(stat),
        minimal_ids: None,
        interface_option_flags: 0,
        filter: filter.map(Filter),
        property_name: None,
        row_count,
        columns: columns.map(Into::into),
        auxiliary_buffer: Bytes32::default(),
    }
}

fn anr(name: &str) -> Option<Restriction> {
    Some(Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: tags::PID_TAG_ANR,
        tagged_value: TaggedPropertyValue {
            tag: tags::PID_TAG_ANR,
            value: PropValue::text(name),
        },
    })
}

#[test]
fn get_matches_returns_the_rows_that_satisfy_the_filter() {
    let office = three();
    let here = Stat {
        current_rec: 0x20,
        delta: 2,
        ..stat()
    };
    let reply = office.ask(get_matches(here, anr("ada"), 10, Some(&[NAME])));
    let body = reply.success::<GetMatchesRequest<'_>>();
    // ContainerID becomes CurrentRec; the rest stays.
    assert_eq!(
        body.state,
        Some(Stat {
            container_id: 0x20,
            ..here
        })
    );
    let ids: Vec<_> = body.minimal_ids.unwrap().iter().collect();
    assert_eq!(ids, [office.id(1), office.id(2)]);
    let rows = body.columns_and_rows.unwrap();
    assert_eq!(names(&rows), ["ada Lovelace", "Bob Ada"]);
    let reply = office.ask(get_matches(stat(), anr("nobody"), 10, None));
    let body = reply.success::<GetMatchesRequest<'_>>();
    assert!(body.minimal_ids.unwrap().is_empty());
    assert_eq!(body.columns_and_rows, None);
}

#[test]
fn get_matches_with_more_matches_than_wanted_is_too_big() {
    let office = three();
    for (wanted, code) in [(1, ErrorCode::TABLE_TOO_BIG), (2, SUCCESS)] {
        let reply = office.ask(get_matches(stat(), anr("ada"), wanted, Some(&[NAME])));
        assert_eq!(reply.0, code);
    }
}

#[test]
fn get_matches_errors_are_those_of_the_specification() {
    let office = three();
    let refused = |request: GetMatchesRequest<'_>, code| {
        office.ask(request).refused::<GetMatchesRequest<'_>>(code);
    };
    let reserved = GetMatchesRequest {
        minimal_ids: Some((&[0x10_u32]).into()),
        ..get_matches(stat(), anr("ada"), 9, None)
    };
    refused(reserved, ErrorCode::TOO_COMPLEX);
    let elsewhere = Stat {
        container_id: 1,
        ..stat()
    };
    refused(
        get_matches(elsewhere, anr("a"), 9, None),
        ErrorCode::INVALID_BOOKMARK,
    );
    let writable = Stat {
        sort_type: 0x3E9,
        ..stat()
    };
    refused(
        get_matches(writable, anr("a"), 9, None),
        ErrorCode::GENERAL_FAILURE,
    );
    let complex = Restriction::SubObject {
        subobject: PropTag(0x0E12_000D),
        restriction: Box::new(anr("a").unwrap()),
    };
    refused(
        get_matches(stat(), Some(complex), 9, None),
        ErrorCode::TOO_COMPLEX,
    );
    let phonetic = Stat {
        sort_type: 3,
        ..stat()
    };
    office
        .ask(get_matches(phonetic, anr("a"), 9, None))
        .success::<GetMatchesRequest<'_>>();
}

#[test]
fn get_matches_of_an_explicit_table_are_those_of_its_objects_that_exist() {
    let office = three();
    let table = [office.id(2), 0x99, office.id(0)];
    let request = GetMatchesRequest {
        minimal_ids: Some((&table).into()),
        ..get_matches(stat(), None, 2, Some(&[NAME]))
    };
    let reply = office.ask(request.clone());
    let body = reply.success::<GetMatchesRequest<'_>>();
    let ids: Vec<_> = body.minimal_ids.unwrap().iter().collect();
    assert_eq!(ids, [office.id(2), office.id(0)]);
    assert_eq!(body.columns_and_rows.unwrap().row_count, 2);
    let fewer = GetMatchesRequest {
        row_count: 1,
        ..request
    };
    office
        .ask(fewer)
        .refused::<GetMatchesRequest<'_>>(ErrorCode::TABLE_TOO_BIG);
}

#[test]
fn get_matches_without_a_filter_follows_references_that_no_user_has() {
    let office = three();
    let delegates = Stat {
        sort_type: 0x3E8,
        container_id: 0x8015_000D,
        current_rec: office.id(0),
        ..stat()
    };
    let reply = office.ask(get_matches(delegates, None, 9, Some(&[NAME])));
    let body = reply.success::<GetMatchesRequest<'_>>();
    assert!(body.minimal_ids.unwrap().is_empty());
    assert_eq!(body.state.unwrap().container_id, office.id(0));
    let refused = |stat, code| {
        office
            .ask(get_matches(stat, None, 9, None))
            .refused::<GetMatchesRequest<'_>>(code);
    };
    refused(
        Stat {
            current_rec: 0x99,
            ..delegates
        },
        ErrorCode::GENERAL_FAILURE,
    );
    refused(
        Stat {
            sort_type: 0x3E9,
            ..delegates
        },
        ErrorCode::NOT_SUPPORTED,
    );
    refused(
        Stat {
            container_id: NAME.0,
            ..delegates
        },
        ErrorCode::NOT_SUPPORTED,
    );
    let mut named = get_matches(
        Stat {
            container_id: 0,
            ..delegates
        },
        None,
        9,
        None,
    );
    named.property_name = Some(PropertyNameId {
        guid: ropewalk_props::Guid::NIL,
        id: 0x800E,
    });
    office.ask(named).success::<GetMatchesRequest<'_>>();
}

#[test]
fn resort_restriction_sorts_what_exists() {
    let office = three();
    let table = [office.id(0), 0x99, office.id(2), office.id(1)];
    let resort = |stat: Stat, table: Option<&'static [u32]>| {
        let table = table.map(Into::into);
        office.ask(ResortRestrictionRequest {
            reserved: 0,
            state: Some(stat),
            minimal_ids: table,
            auxiliary_buffer: Bytes32::default(),
        })
    };
    let table: &'static [u32] = Vec::from(table).leak();
    let here = Stat {
        current_rec: office.id(2),
        delta: 1,
        ..stat()
    };
    let reply = resort(here, Some(table));
    let body = reply.success::<ResortRestrictionRequest<'_>>();
    let ids: Vec<_> = body.minimal_ids.unwrap().iter().collect();
    assert_eq!(ids, [office.id(1), office.id(2), office.id(0)]);
    assert_eq!(
        body.state,
        Some(Stat {
            num_pos: 1,
            total_recs: 3,
            ..here
        })
    );
    let gone = Stat {
        current_rec: 0x99,
        num_pos: 2,
        ..here
    };
    let state = resort(gone, Some(table))
        .success::<ResortRestrictionRequest<'_>>()
        .state
        .unwrap();
    assert_eq!((state.current_rec, state.num_pos), (0, 0));
    let phonetic = Stat {
        sort_type: 3,
        ..here
    };
    resort(phonetic, Some(table))
        .refused::<ResortRestrictionRequest<'_>>(ErrorCode::GENERAL_FAILURE);
    resort(here, None).refused::<ResortRestrictionRequest<'_>>(ErrorCode::INVALID_PARAMETER);
}

#[test]
fn compare_mids_compares_positions() {
    let office = three();
    let compare = |stat: Stat, one, other| {
        office.ask(CompareMIdsRequest {
            reserved: 0,
            state: Some(stat),
            minimal_id1: one,
            minimal_id2: other,
            auxiliary_buffer: Bytes32::default(),
        })
    };
    let result = |one, other| {
        compare(stat(), one, other)
            .success::<CompareMIdsRequest<'_>>()
            .result
    };
    let (zoe, ada) = (office.id(0), office.id(1));
    assert!(result(ada, zoe) < 0);
    assert!(result(zoe, ada) > 0);
    assert_eq!(result(ada, ada), 0);
    compare(stat(), ada, 0x99).refused::<CompareMIdsRequest<'_>>(ErrorCode::GENERAL_FAILURE);
    let elsewhere = Stat {
        container_id: 3,
        ..stat()
    };
    compare(elsewhere, ada, zoe).refused::<CompareMIdsRequest<'_>>(ErrorCode::INVALID_BOOKMARK);
}

#[test]
fn query_columns_reports_strings_in_the_type_that_is_asked_for() {
    let office = three();
    let columns = |mapi_flags| {
        let reply = office.ask(QueryColumnsRequest {
            reserved: 0,
            mapi_flags,
            auxiliary_buffer: Bytes32::default(),
        });
        let body = reply.success::<QueryColumnsRequest<'_>>();
        body.columns.unwrap().iter().collect::<Vec<_>>()
    };
    let (ansi, unicode) = (columns(0x7FFF_FFFF), columns(0x8000_0000));
    assert_eq!(ansi.len(), unicode.len());
    assert!(unicode.contains(&NAME) && !unicode.contains(&PropTag(0x3001_001E)));
    assert!(ansi.contains(&PropTag(0x3001_001E)) && !ansi.contains(&NAME));
    assert!(ansi.contains(&PropTag(0x800F_101E)));
}

fn special_table(
    flags: u32,
    code_page: u32,
    version: Option<u32>,
) -> GetSpecialTableRequest<'static> {
    GetSpecialTableRequest {
        flags,
        state: Some(Stat {
            code_page,
            ..stat()
        }),
        version,
        auxiliary_buffer: Bytes32::default(),
    }
}

#[test]
fn the_hierarchy_table_has_the_global_address_list() {
    let office = three();
    for (flags, code_page, name_type) in [(4, 1200, 0x3001_001F), (0, 1252, 0x3001_001E)] {
        let reply = office.ask(special_table(flags, code_page, Some(0)));
        let body = reply.success::<GetSpecialTableRequest<'_>>();
        assert_eq!(body.code_page, code_page);
        let version = body.version.unwrap();
        let rows: Vec<_> = body.rows.unwrap().iter().collect();
        assert_eq!(rows.len(), 1);
        let values: Vec<_> = rows[0].iter().map(|value| value.0).collect();
        let tags: Vec<_> = values.iter().map(|value| value.tag.0).collect();
        assert_eq!(
            tags,
            [
                0x0FFF_0102,
                0x3600_0003,
                0x3005_0003,
                0xFFFD_0003,
                name_type,
                0xFFFB_000B
            ]
        );
        let PropValue::Binary(entry_id) = &values[0].value else {
            panic!("PidTagEntryId")
        };
        assert_eq!(entry_id[20..], [1, 0, 0, 0, 0, 1, 0, 0, b'/', 0]);
        // A client that has this version already gets no rows.
        let reply = office.ask(special_table(flags, code_page, Some(version)));
        let body = reply.success::<GetSpecialTableRequest<'_>>();
        assert_eq!((body.version, body.rows.unwrap().len()), (Some(version), 0));
    }
    office
        .ask(special_table(0, 1200, None))
        .refused::<GetSpecialTableRequest<'_>>(ErrorCode::INVALID_CODEPAGE);
}

#[test]
fn there_are_no_templates() {
    let office = three();
    for flags in [2, 6] {
        let reply = office.ask(special_table(flags, 1252, None));
        let body = reply.success::<GetSpecialTableRequest<'_>>();
        assert!(body.rows.unwrap().is_empty());
    }
    let template = |code_page| GetTemplateInfoRequest {
        flags: 1,
        display_type: 0,
        template_dn: None,
        code_page,
        locale_id: 0x409,
        auxiliary_buffer: Bytes32::default(),
    };
    let cases = [
        (1252, ErrorCode::INVALID_LOCALE),
        (1200, ErrorCode::INVALID_CODEPAGE),
        (4092, ErrorCode::INVALID_CODEPAGE),
    ];
    for (code_page, code) in cases {
        office
            .ask(template(code_page))
            .refused::<GetTemplateInfoRequest<'_>>(code);
    }
}

#[test]
fn nothing_can_be_changed_through_the_protocol() {
    let office = three();
    let values = [AddressBookTaggedPropertyValue(TaggedPropertyValue {
        tag: NAME,
        value: PropValue::text("Eve"),
    })];
    let mod_props = |current_rec, tags: Option<&'static [PropTag]>| {
        office.ask(ModPropsRequest {
            reserved: 0,
            state: Some(Stat {
                current_rec,
                ..stat()
            }),
            property_tags: tags.map(Into::into),
            property_values: Some((&values).into()),
            auxiliary_buffer: Bytes32::default(),
        })
    };
    let zoe = office.id(0);
    let refused = |reply: Reply, code| reply.refused::<ModPropsRequest<'_>>(code);
    refused(mod_props(zoe, Some(&[NAME])), ErrorCode::ACCESS_DENIED);
    refused(mod_props(zoe, None), ErrorCode::INVALID_PARAMETER);
    refused(mod_props(0x99, Some(&[NAME])), ErrorCode::INVALID_PARAMETER);
    let mod_link = |tag, minimal_id| {
        office.ask(ModLinkAttRequest {
            flags: 0,
            property_tag: PropTag(tag),
            minimal_id,
            entry_ids: None,
            auxiliary_buffer: Bytes32::default(),
        })
    };
    let refused = |reply: Reply, code| reply.refused::<ModLinkAttRequest<'_>>(code);
    refused(mod_link(0x8015_000D, zoe), ErrorCode::ACCESS_DENIED);
    refused(mod_link(0x8009_000D, zoe), ErrorCode::ACCESS_DENIED);
    refused(mod_link(0x8015_000D, 0x99), ErrorCode::INVALID_PARAMETER);
    refused(mod_link(NAME.0, zoe), ErrorCode::NOT_FOUND);
}

#[test]
fn urls_lead_to_the_mailbox_that_is_asked_for() {
    let office = three();
    let url = |reply: &Reply| {
        let Response::Done { body, .. } =
            Response::<'_, ropewalk_wire::nspi::UrlResponse<'_>>::from_bytes(&reply.1).unwrap()
        else {
            panic!("StatusCode")
        };
        ropewalk_props::text::decode_utf16le(body.server_url.0)
    };
    let mailbox = |dn: &str| {
        office.ask(GetMailboxUrlRequest {
            flags: 0,
            server_dn: Utf16Z(&utf16(dn)),
            auxiliary_buffer: Bytes32::default(),
        })
    };
    let book = |dn: &str| {
        office.ask(GetAddressBookUrlRequest {
            flags: 0,
            user_dn: Utf16Z(&utf16(dn)),
            auxiliary_buffer: Bytes32::default(),
        })
    };
    let wanted = |endpoint, user: &User| {
        format!(
            "https://mail.example.test/mapi/{endpoint}/?MailboxId={}@example.test",
            user.mailbox_guid
        )
    };
    let (asking, other) = (&office.users[0], &office.users[1]);
    // The home server's DN as the address book gives it.
    let here = Stat {
        current_rec: office.id(1),
        ..stat()
    };
    let home = [PropTag(0x8006_001F)];
    let reply = office.ask(get_props(here, Some(&home)));
    let values = reply
        .success::<GetPropsRequest<'_>>()
        .property_values
        .unwrap();
    let Some(PropValue::String(home)) = values.iter().next().map(|value| value.0.value) else {
        panic!("PidTagAddressBookHomeMessageDatabase")
    };
    let home = home.to_string();
    let server = home.strip_suffix("/cn=Microsoft Private MDB").unwrap();
    for dn in [&home, server, &other.legacy_dn] {
        assert_eq!(url(&mailbox(dn)), wanted("emsmdb", other), "{dn}");
    }
    for dn in ["", "/o=Elsewhere/cn=Servers/cn=EX1"] {
        assert_eq!(url(&mailbox(dn)), wanted("emsmdb", asking), "{dn}");
    }
    let gone = "/cn=Servers/cn=00000000-0000-0000-0000-000000000000@example.test";
    assert_eq!(mailbox(gone).0, ErrorCode::NOT_FOUND);
    assert_eq!(url(&book(&other.legacy_dn)), wanted("nspi", other));
    assert_eq!(url(&book("")), wanted("nspi", asking));
    assert_eq!(book("/o=nobody").0, ErrorCode::NOT_FOUND);
}

#[test]
fn an_empty_address_book_is_empty_and_no_error() {
    let office = three();
    for user in &office.users {
        office.store.remove_user(&user.email).unwrap();
    }
    let (names, state) = office.names_from(stat(), 10);
    assert!(names.is_empty());
    assert_eq!((state.current_rec, state.total_recs), (2, 0));
}

#[test]
fn a_malformed_body_is_an_error_that_names_its_request_type() {
    let office = three();
    let mut out = Vec::new();
    let error = respond(&office.context(), RequestType::Bind, &[1, 2], &mut out).unwrap_err();
    assert_eq!(error.request_type, RequestType::Bind);
    assert!(
        error
            .to_string()
            .starts_with("the Bind request body is malformed")
    );
    assert!(out.is_empty());
}

#[test]
fn the_response_is_bounded_and_the_client_goes_on_from_its_stat() {
    let office = office(&["a", "b", "c", "d", "e", "f"]);
    let dn = tags::PID_TAG_EMAIL_ADDRESS;
    // One row is most of a response, so the table comes in several.
    let columns = vec![dn; COLUMNS_MAX];
    let mut here = stat();
    let mut rows = 0;
    for _ in 0..10 {
        let reply = office.ask(query_rows(Some(here), &[], 100, &columns));
        assert!(reply.1.len() < 6 << 20);
        let body = reply.success::<QueryRowsRequest<'_>>();
        rows += body.columns_and_rows.unwrap().row_count;
        here = body.state.unwrap();
        assert_eq!(here.num_pos, rows);
    }
    assert_eq!(rows, 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn arbitrary_bodies_get_an_answer_or_an_error(body in prop::collection::vec(any::<u8>(), 0..120)) {
        let office = office(&["Ada", "Bob"]);
        for request_type in RequestType::ALL {
            let mut out = Vec::new();
            let answered = respond(&office.context(), *request_type, &body, &mut out);
            prop_assert_eq!(answered.is_err(), out.is_empty());
        }
    }

    #[test]
    fn any_stat_gets_an_answer(
        fields in prop::array::uniform4(prop_oneof![0_u32..0x14, any::<u32>()]),
        delta in any::<i32>(),
        count in any::<u32>(),
    ) {
        let office = office(&["Ada", "Bob"]);
        let [sort_type, current_rec, num_pos, total_recs] = fields;
        let any = Stat { sort_type, current_rec, num_pos, total_recs, delta, ..stat() };
        for reply in [
            office.ask(query_rows(Some(any), &[], count, &[NAME])),
            office.ask(update_stat(Some(any), true)),
            office.ask(seek(any, "b", None, Some(&[NAME]))),
            office.ask(get_matches(any, anr("b"), count, Some(&[NAME]))),
            office.ask(get_props(any, None)),
        ] {
            prop_assert!(!reply.1.is_empty());
        }
    }
}
