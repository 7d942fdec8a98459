use proptest::prelude::*;
use ropewalk_props::{Guid, PropTag, PropType, PropValue, tags};

use super::*;
use crate::{
    ErrorCode, Put,
    codec::{AsciiZ, Bytes, Bytes32, Utf16Z},
    list::List,
    restriction::{RelOp, Restriction},
    row::{Cell, RowCell, put_row},
    value::{Form, TaggedPropertyValue, with_packed},
};

const STATE: Stat = Stat {
    sort_type: 0,
    container_id: 0,
    current_rec: 0x10,
    delta: -2,
    num_pos: 3,
    total_recs: 0xFFFF_FFFF,
    code_page: 1252,
    template_locale: 0x0409,
    sort_locale: 0x0809,
};
const STATE_BYTES: [u8; 36] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 3, 0, 0, 0, 0xFF, 0xFF, 0xFF,
    0xFF, 0xE4, 4, 0, 0, 9, 4, 0, 0, 9, 8, 0, 0,
];
const TAGS: [PropTag; 2] = [tags::PID_TAG_DISPLAY_NAME, tags::PID_TAG_ENTRY_ID];
const IDS: [u32; 2] = [0x10, 0x11];
const AUX: AuxiliaryBuffer<'static> = Bytes::new(&[7, 7, 7]);

fn tagged(tag: PropTag, value: PropValue) -> AddressBookTaggedPropertyValue {
    AddressBookTaggedPropertyValue(TaggedPropertyValue { tag, value })
}

fn values() -> Vec<AddressBookTaggedPropertyValue> {
    vec![
        tagged(tags::PID_TAG_DISPLAY_NAME, PropValue::text("Ada")),
        tagged(
            tags::PID_TAG_DISPLAY_NAME.with_type(PropType::STRING8),
            PropValue::String8(b"Ada".to_vec()),
        ),
        tagged(tags::PID_TAG_ENTRY_ID, PropValue::Binary(vec![1, 2])),
        tagged(tags::PID_TAG_OBJECT_TYPE, PropValue::Integer32(6)),
        tagged(
            tags::PID_TAG_ADDRESS_BOOK_PROXY_ADDRESSES,
            PropValue::MultipleString(vec!["SMTP:a@b".into(), "".into()]),
        ),
        tagged(
            PropTag::new(0x3001, PropType::ERROR_CODE),
            PropValue::ErrorCode(0x8004_010F),
        ),
        tagged(
            PropTag::new(0x8CAC, PropType::MULTIPLE_INTEGER32),
            PropValue::MultipleInteger32(vec![1, -1]),
        ),
        tagged(
            PropTag::new(0x8009, PropType::OBJECT),
            PropValue::Object(vec![]),
        ),
    ]
}

fn filter() -> Filter {
    let value = TaggedPropertyValue {
        tag: tags::PID_TAG_ANR,
        value: PropValue::text("ada"),
    };
    Filter(Restriction::And(vec![
        Restriction::Property {
            rel_op: RelOp::EQUAL,
            prop_tag: tags::PID_TAG_ANR,
            tagged_value: value,
        },
        Restriction::Not(Box::new(Restriction::Exist {
            prop_tag: tags::PID_TAG_ENTRY_ID,
        })),
    ]))
}

/// One request of every type, with every optional part, encoded.
fn requests() -> Vec<(RequestType, Vec<u8>)> {
    let (values, tags) = (values(), LargePropertyTagArray::from(&TAGS[..]));
    let name = [b'a', 0, b'd', 0, b'a', 0];
    let unicode = Utf16Z(&name);
    let (names, dns) = ([unicode, Utf16Z::default()], [AsciiZ(b"/o=x"), AsciiZ(b"")]);
    let (state, columns, ids) = (Some(STATE), Some(tags), Some((&IDS).into()));
    let (entry_ids, aux) = (
        [Bytes32::new(&[1, 2, 3]), Bytes32::default()],
        auxiliary_buffer(),
    );
    let all: Vec<Request<'_>> = vec![
        BindRequest {
            flags: 0x20,
            state,
            auxiliary_buffer: aux,
        }
        .into(),
        UnbindRequest {
            reserved: 0,
            auxiliary_buffer: aux,
        }
        .into(),
        CompareMIdsRequest {
            reserved: 0,
            state,
            minimal_id1: 0x10,
            minimal_id2: 0x11,
            auxiliary_buffer: aux,
        }
        .into(),
        DnToMIdRequest {
            reserved: 0,
            names: Some((&dns).into()),
            auxiliary_buffer: aux,
        }
        .into(),
        GetMatchesRequest {
            reserved: 0,
            state,
            minimal_ids: ids,
            interface_option_flags: 0,
            filter: Some(filter()),
            property_name: Some(PropertyNameId {
                guid: Guid([9; 16]),
                id: 0x800E,
            }),
            row_count: 100,
            columns,
            auxiliary_buffer: aux,
        }
        .into(),
        GetPropListRequest {
            flags: 1,
            minimal_id: 0x10,
            code_page: 1200,
            auxiliary_buffer: aux,
        }
        .into(),
        GetPropsRequest {
            flags: 3,
            state,
            property_tags: columns,
            auxiliary_buffer: aux,
        }
        .into(),
        GetSpecialTableRequest {
            flags: 4,
            state,
            version: Some(1),
            auxiliary_buffer: aux,
        }
        .into(),
        GetTemplateInfoRequest {
            flags: 1,
            display_type: 0,
            template_dn: Some(AsciiZ(b"/cn=t")),
            code_page: 1252,
            locale_id: 0x409,
            auxiliary_buffer: aux,
        }
        .into(),
        ModLinkAttRequest {
            flags: 1,
            property_tag: PropTag(0x8015_101E),
            minimal_id: 0x10,
            entry_ids: Some((&entry_ids).into()),
            auxiliary_buffer: aux,
        }
        .into(),
        ModPropsRequest {
            reserved: 0,
            state,
            property_tags: columns,
            property_values: Some((&values).into()),
            auxiliary_buffer: aux,
        }
        .into(),
        QueryRowsRequest {
            flags: 2,
            state,
            explicit_table: (&IDS).into(),
            row_count: 5,
            columns,
            auxiliary_buffer: aux,
        }
        .into(),
        QueryColumnsRequest {
            reserved: 0,
            mapi_flags: 0x8000_0000,
            auxiliary_buffer: aux,
        }
        .into(),
        ResolveNamesRequest {
            reserved: 0,
            state,
            property_tags: columns,
            names: Some((&names).into()),
            auxiliary_buffer: aux,
        }
        .into(),
        ResortRestrictionRequest {
            reserved: 0,
            state,
            minimal_ids: ids,
            auxiliary_buffer: aux,
        }
        .into(),
        SeekEntriesRequest {
            reserved: 0,
            state,
            target: values.first().cloned(),
            explicit_table: ids,
            columns,
            auxiliary_buffer: aux,
        }
        .into(),
        UpdateStatRequest {
            reserved: 0,
            state,
            delta_requested: true,
            auxiliary_buffer: aux,
        }
        .into(),
        GetMailboxUrlRequest {
            flags: 0,
            server_dn: unicode,
            auxiliary_buffer: aux,
        }
        .into(),
        GetAddressBookUrlRequest {
            flags: 0,
            user_dn: unicode,
            auxiliary_buffer: aux,
        }
        .into(),
    ];
    all.iter()
        .map(|request| {
            let mut out = Vec::new();
            request.encode(&mut out).unwrap();
            assert_eq!(
                Request::decode(request.request_type(), &out).as_ref(),
                Ok(request)
            );
            (request.request_type(), out)
        })
        .collect()
}

fn auxiliary_buffer() -> AuxiliaryBuffer<'static> {
    AUX
}

fn done<B>(body: B) -> Response<'static, B> {
    Response::Done {
        error_code: ErrorCode(0),
        body,
        auxiliary_buffer: AUX,
    }
}

/// Encodes a response, decodes it and expects the same; every prefix of it is an error.
fn check_response<'a, B: Wire<'a> + PartialEq + std::fmt::Debug>(
    response: &Response<'a, B>,
    out: &'a mut Vec<u8>,
) {
    response.encode(out).unwrap();
    let out: &'a [u8] = out;
    assert_eq!(Response::from_bytes(out).as_ref(), Ok(response));
    for end in 0..out.len() {
        let prefix = out.get(..end).unwrap();
        assert!(Response::<'_, B>::from_bytes(prefix).is_err(), "{end}");
    }
}

#[test]
fn every_request_comes_back_and_no_prefix_of_it_is_one() {
    let requests = requests();
    assert!(
        requests
            .iter()
            .map(|(ty, _)| *ty)
            .eq(RequestType::ALL.iter().copied())
    );
    for (request_type, body) in requests {
        for end in 0..body.len() {
            assert!(
                Request::decode(request_type, &body[..end]).is_err(),
                "{request_type:?} {end}"
            );
        }
        let longer = [&body[..], &[0]].concat();
        assert_eq!(
            Request::decode(request_type, &longer),
            Err(DecodeError::TrailingBytes(1))
        );
    }
}

#[test]
fn every_response_comes_back_and_no_prefix_of_it_is_one() {
    let (values, tags) = (values(), LargePropertyTagArray::from(&TAGS[..]));
    let lists: Vec<PropertyValueList<'_>> = vec![(&values).into(), List::default()];
    let mut row_data = Vec::new();
    for present in [true, false] {
        put_row(
            &mut row_data,
            Form::AddressBook,
            TAGS.into_iter(),
            |tag| match tag {
                tags::PID_TAG_ENTRY_ID if !present => Cell::Error(ErrorCode::NOT_FOUND),
                tags::PID_TAG_ENTRY_ID => Cell::Value(ropewalk_props::ValueRef {
                    ty: PropType::BINARY,
                    data: &[1, 2],
                }),
                _ => Cell::Value(ropewalk_props::ValueRef {
                    ty: PropType::STRING,
                    data: b"A\0",
                }),
            },
        )
        .unwrap();
    }
    let rows = Some(ColumnsAndRows {
        columns: tags,
        row_count: 2,
        row_data: &row_data,
    });
    let (state, minimal_ids) = (Some(STATE), Some((&IDS).into()));
    check_response(&done(EmptyResponse {}), &mut Vec::new());
    let guid = Guid([3; 16]);
    check_response(&done(BindResponse { server_guid: guid }), &mut Vec::new());
    check_response(&done(CompareMIdsResponse { result: -1 }), &mut Vec::new());
    check_response(&done(DnToMIdResponse { minimal_ids }), &mut Vec::new());
    check_response(
        &done(GetMatchesResponse {
            state,
            minimal_ids,
            columns_and_rows: rows,
        }),
        &mut Vec::new(),
    );
    let property_tags = Some(tags);
    check_response(
        &done(GetPropListResponse { property_tags }),
        &mut Vec::new(),
    );
    let property_values = Some((&values).into());
    check_response(
        &done(GetPropsResponse {
            code_page: 1252,
            property_values,
        }),
        &mut Vec::new(),
    );
    check_response(
        &done(GetSpecialTableResponse {
            code_page: 1200,
            version: Some(1),
            rows: Some((&lists).into()),
        }),
        &mut Vec::new(),
    );
    check_response(
        &done(GetTemplateInfoResponse {
            code_page: 1200,
            row: property_values,
        }),
        &mut Vec::new(),
    );
    check_response(
        &done(StateAndRowsResponse {
            state,
            columns_and_rows: rows,
        }),
        &mut Vec::new(),
    );
    check_response(
        &done(QueryColumnsResponse {
            columns: property_tags,
        }),
        &mut Vec::new(),
    );
    check_response(
        &done(ResolveNamesResponse {
            code_page: 1200,
            minimal_ids,
            rows_and_columns: rows,
        }),
        &mut Vec::new(),
    );
    check_response(
        &done(ResortRestrictionResponse { state, minimal_ids }),
        &mut Vec::new(),
    );
    check_response(
        &done(UpdateStatResponse {
            state,
            delta: Some(-3),
        }),
        &mut Vec::new(),
    );
    let server_url = Utf16Z(b"h\0");
    check_response(&done(UrlResponse { server_url }), &mut Vec::new());
    let failed: Response<'_, EmptyResponse> = Response::Failed {
        status_code: 0x6BB,
        auxiliary_buffer: AUX,
    };
    check_response(&failed, &mut Vec::new());
}

#[test]
fn rows_are_decoded_with_their_columns() {
    let mut row_data = Vec::new();
    row_data.put_bytes(&[0, 0xFF, b'A', 0, 0, 0, 0xFF, 1, 0, 0, 0, 9]);
    row_data.put_bytes(&[1, 0, 0xFF, b'B', 0, 0, 0, 0x0A, 0x0F, 0x01, 0x04, 0x80]);
    let rows = ColumnsAndRows {
        columns: (&TAGS[..]).into(),
        row_count: 2,
        row_data: &row_data,
    };
    let cells: Vec<_> = rows.rows().map(|row| row.unwrap().cells).collect();
    assert_eq!(
        cells,
        [
            [
                RowCell::Value(PropValue::text("A")),
                RowCell::Value(PropValue::Binary(vec![9]))
            ],
            [
                RowCell::Value(PropValue::text("B")),
                RowCell::Error(ErrorCode::NOT_FOUND)
            ],
        ]
    );
}

/// The requests of [`requests`], laid out by hand from the tables of MS-OXCMAPIHTTP 2.2.5.
#[test]
fn every_request_is_laid_out_as_specified() {
    let zero = &[0, 0, 0, 0][..];
    let state = [&[1], &STATE_BYTES[..]].concat();
    let tags = [2, 0, 0, 0, 0x1F, 0, 0x01, 0x30, 0x02, 0x01, 0xFF, 0x0F];
    let tags = [&[1], &tags[..]].concat();
    let ids = [2, 0, 0, 0, 0x10, 0, 0, 0, 0x11, 0, 0, 0];
    let some_ids = [&[1], &ids[..]].concat();
    let ada = [b'a', 0, b'd', 0, b'a', 0, 0, 0];
    let aux = [3, 0, 0, 0, 7, 7, 7];
    let mut values = vec![1];
    PropertyValueList::from(&self::values())
        .encode(&mut values)
        .unwrap();
    let target = [
        1, 0x1F, 0, 0x01, 0x30, 0xFF, b'A', 0, b'd', 0, b'a', 0, 0, 0,
    ];
    let filter = [
        &[1, 0x00, 2, 0, 0, 0][..],         // HasFilter; AND of two
        &[0x04, 0x04, 0x1F, 0, 0x0C, 0x36], // PidTagAnr =
        &[0x1F, 0, 0x0C, 0x36, 0xFF],       // TaggedValue
        &ada,
        &[0x02, 0x08, 0x02, 0x01, 0xFF, 0x0F], // NOT EXIST PidTagEntryId
    ]
    .concat();
    let property_name = [&[1][..], &[9; 16], &[0x0E, 0x80, 0, 0]].concat();
    let names = [&[1, 2, 0, 0, 0][..], &ada, &[0, 0]].concat();
    let layouts: [(RequestType, &[&[u8]]); 19] = [
        (RequestType::Bind, &[&[0x20, 0, 0, 0], &state]),
        (RequestType::Unbind, &[zero]),
        (RequestType::CompareMIds, &[zero, &state, &ids[4..]]),
        (
            RequestType::DnToMId,
            &[zero, &[1, 2, 0, 0, 0], b"/o=x\0", b"\0"],
        ),
        (
            RequestType::GetMatches,
            &[
                zero,
                &state,
                &some_ids,
                zero,
                &filter,
                &property_name,
                &[100, 0, 0, 0],
                &tags,
            ],
        ),
        (
            RequestType::GetPropList,
            &[&[1, 0, 0, 0], &[0x10, 0, 0, 0], &[0xB0, 4, 0, 0]],
        ),
        (RequestType::GetProps, &[&[3, 0, 0, 0], &state, &tags]),
        (
            RequestType::GetSpecialTable,
            &[&[4, 0, 0, 0], &state, &[1, 1, 0, 0, 0]],
        ),
        (
            RequestType::GetTemplateInfo,
            &[
                &[1, 0, 0, 0],
                zero,
                b"\x01/cn=t\0",
                &[0xE4, 4, 0, 0],
                &[9, 4, 0, 0],
            ],
        ),
        (
            RequestType::ModLinkAtt,
            &[
                &[1, 0, 0, 0],
                &[0x1E, 0x10, 0x15, 0x80],
                &[0x10, 0, 0, 0],
                &[1, 2, 0, 0, 0],
                &[3, 0, 0, 0, 1, 2, 3],
                zero,
            ],
        ),
        (RequestType::ModProps, &[zero, &state, &tags, &values]),
        (
            RequestType::QueryRows,
            &[&[2, 0, 0, 0], &state, &ids, &[5, 0, 0, 0], &tags],
        ),
        (RequestType::QueryColumns, &[zero, &[0, 0, 0, 0x80]]),
        (RequestType::ResolveNames, &[zero, &state, &tags, &names]),
        (RequestType::ResortRestriction, &[zero, &state, &some_ids]),
        (
            RequestType::SeekEntries,
            &[zero, &state, &target, &some_ids, &tags],
        ),
        (RequestType::UpdateStat, &[zero, &state, &[1]]),
        (RequestType::GetMailboxUrl, &[zero, &ada]),
        (RequestType::GetAddressBookUrl, &[zero, &ada]),
    ];
    for ((request_type, body), (wanted_type, wanted)) in requests().into_iter().zip(layouts) {
        assert_eq!(request_type, wanted_type);
        assert_eq!(
            body,
            [&wanted.concat()[..], &aux].concat(),
            "{request_type:?}"
        );
    }
}

/// MS-OXCMAPIHTTP 2.2.5.1.2 to 2.2.5.19.2, those that are not laid out elsewhere.
#[test]
fn responses_are_laid_out_as_specified() {
    fn check<'r, B: Wire<'r>>(body: B, wanted: &[&[u8]]) {
        let mut out = Vec::new();
        done(body).encode(&mut out).unwrap();
        let aux = [3, 0, 0, 0, 7, 7, 7];
        assert_eq!(out, [&[0; 8], &wanted.concat()[..], &aux].concat());
    }
    let state = [&[1], &STATE_BYTES[..]].concat();
    let ids = [1, 2, 0, 0, 0, 0x10, 0, 0, 0, 0x11, 0, 0, 0];
    let row_data = [0, 3, 0, 0, 0];
    let tags = [tags::PID_TAG_OBJECT_TYPE];
    let columns = [1, 1, 0, 0, 0, 3, 0, 0xFE, 0x0F];
    let rows = [&columns[..], &[1, 0, 0, 0], &row_data].concat();
    let columns_and_rows = Some(ColumnsAndRows {
        columns: (&tags[..]).into(),
        row_count: 1,
        row_data: &row_data,
    });
    let minimal_ids = Some((&IDS).into());
    let server_guid = Guid([3; 16]);
    check(BindResponse { server_guid }, &[&[3; 16]]);
    check(EmptyResponse {}, &[]);
    check(CompareMIdsResponse { result: -1 }, &[&[0xFF; 4]]);
    check(DnToMIdResponse { minimal_ids }, &[&ids]);
    check(
        GetMatchesResponse {
            state: Some(STATE),
            minimal_ids,
            columns_and_rows,
        },
        &[&state, &ids, &rows],
    );
    check(
        GetPropListResponse {
            property_tags: Some((&tags[..]).into()),
        },
        &[&columns],
    );
    let value = tagged(tags::PID_TAG_OBJECT_TYPE, PropValue::Integer32(6));
    let values = [value];
    let list = PropertyValueList::from(&values);
    let listed = [1, 0, 0, 0, 3, 0, 0xFE, 0x0F, 6, 0, 0, 0];
    check(
        GetSpecialTableResponse {
            code_page: 1200,
            version: Some(7),
            rows: Some((&[list]).into()),
        },
        &[
            &[0xB0, 4, 0, 0],
            &[1, 7, 0, 0, 0],
            &[1, 1, 0, 0, 0],
            &listed,
        ],
    );
    check(
        GetTemplateInfoResponse {
            code_page: 1252,
            row: Some(list),
        },
        &[&[0xE4, 4, 0, 0], &[1], &listed],
    );
    check(
        StateAndRowsResponse {
            state: None,
            columns_and_rows,
        },
        &[&[0], &rows],
    );
    check(
        QueryColumnsResponse {
            columns: Some((&tags[..]).into()),
        },
        &[&columns],
    );
    check(
        ResolveNamesResponse {
            code_page: 1252,
            minimal_ids,
            rows_and_columns: columns_and_rows,
        },
        &[&[0xE4, 4, 0, 0], &ids, &rows],
    );
    check(
        ResortRestrictionResponse {
            state: Some(STATE),
            minimal_ids: None,
        },
        &[&state, &[0]],
    );
    check(
        UpdateStatResponse {
            state: Some(STATE),
            delta: Some(-3),
        },
        &[&state, &[1, 0xFD, 0xFF, 0xFF, 0xFF]],
    );
    let server_url = Utf16Z(b"h\0");
    check(UrlResponse { server_url }, &[&[b'h', 0, 0, 0]]);
}

/// MS-OXCMAPIHTTP 2.2.5.12.1, field by field.
#[test]
fn a_query_rows_request_is_laid_out_as_specified() {
    let mut body = vec![2, 0, 0, 0, 0xFF];
    body.put_bytes(&STATE_BYTES);
    body.put_bytes(&[1, 0, 0, 0, 0x10, 0, 0, 0]); // ExplicitTable
    body.put_bytes(&[5, 0, 0, 0]); // RowCount
    body.put_bytes(&[1, 1, 0, 0, 0, 0x1F, 0, 0x01, 0x30]); // Columns
    body.put_bytes(&[0, 0, 0, 0]); // AuxiliaryBufferSize
    let Ok(Request::QueryRows(request)) = Request::decode(RequestType::QueryRows, &body) else {
        panic!("QueryRows")
    };
    assert_eq!(request.flags, 2);
    assert_eq!(request.state, Some(STATE));
    assert!(request.explicit_table.iter().eq([0x10]));
    assert_eq!(request.row_count, 5);
    assert!(
        request
            .columns
            .unwrap()
            .iter()
            .eq([tags::PID_TAG_DISPLAY_NAME])
    );
}

/// MS-OXCMAPIHTTP 2.2.5.7.2, field by field.
#[test]
fn a_get_props_response_is_laid_out_as_specified() {
    let values = values();
    let response = done(GetPropsResponse {
        code_page: 1252,
        property_values: Some(values[..5].into()),
    });
    let mut out = Vec::new();
    response.encode(&mut out).unwrap();
    let mut wanted = vec![0, 0, 0, 0, 0, 0, 0, 0, 0xE4, 4, 0, 0, 1, 5, 0, 0, 0];
    wanted.put_bytes(&[
        0x1F, 0, 0x01, 0x30, 0xFF, b'A', 0, b'd', 0, b'a', 0, 0, 0, // PtypString
        0x1E, 0, 0x01, 0x30, 0xFF, b'A', b'd', b'a', 0, // PtypString8
        0x02, 1, 0xFF, 0x0F, 0xFF, 2, 0, 0, 0, 1, 2, // PtypBinary
        0x03, 0, 0xFE, 0x0F, 6, 0, 0, 0, // PtypInteger32
        0x1F, 0x10, 0x0F, 0x80, 0xFF, 2, 0, 0, 0, // PtypMultipleString
    ]);
    wanted.put_u8(0xFF);
    wanted.put_utf16_z(
        &"SMTP:a@b"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<_>>(),
    );
    wanted.put_bytes(&[0xFF, 0, 0, 3, 0, 0, 0, 7, 7, 7]);
    assert_eq!(out, wanted);
}

/// Exchange's parser wants a HasValue byte between the tag and the value of a restriction, which
/// MS-OXCDATA 2.12.5 does not show; both are read.
#[test]
fn a_restriction_with_a_has_value_byte_reads_like_one_without() {
    let head = [0x04, 0x04, 0x1F, 0, 0x0E, 0x36];
    let value = [0x1F, 0, 0x0E, 0x36, 0xFF, b'a', 0, 0, 0];
    let decode = |bytes: &[u8]| Filter::decode(&mut Reader::new(bytes)).unwrap();
    let plain = decode(&[&head[..], &value].concat());
    assert_eq!(plain, decode(&[&head[..], &[0xFF], &value].concat()));
}

#[test]
fn request_types_are_found_by_both_spellings_in_any_case() {
    for request_type in RequestType::ALL {
        let name = request_type.name();
        assert_eq!(RequestType::from_name(name), Some(*request_type));
        assert_eq!(
            RequestType::from_name(&name.to_lowercase()),
            Some(*request_type)
        );
    }
    for (name, request_type) in [
        ("CompareMinIds", Some(RequestType::CompareMIds)),
        ("CompareMIds", Some(RequestType::CompareMIds)),
        ("DnToMinId", Some(RequestType::DnToMId)),
        ("DNToMId", Some(RequestType::DnToMId)),
        ("Connect", None),
        ("", None),
    ] {
        assert_eq!(RequestType::from_name(name), request_type, "{name}");
    }
}

#[test]
fn counts_that_the_body_cannot_hold_are_refused() {
    // ExplicitTableCount 0xFFFFFFFF, and a PropertyTagCount above its limit.
    let explicit = [0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
    assert!(Request::decode(RequestType::QueryRows, &explicit).is_err());
    let mut tags = 100_001_u32.to_le_bytes().to_vec();
    tags.resize(4 + 4 * 100_001, 0);
    assert_eq!(
        LargePropertyTagArray::decode(&mut Reader::new(&tags)),
        Err(DecodeError::TooMany(100_000))
    );
    tags[..4].copy_from_slice(&100_000_u32.to_le_bytes());
    assert!(LargePropertyTagArray::decode(&mut Reader::new(&tags)).is_ok());
}

fn any_value() -> impl Strategy<Value = PropValue> {
    let text = "[a-zα-ω]{0,5}";
    prop_oneof![
        any::<i32>().prop_map(PropValue::Integer32),
        any::<bool>().prop_map(PropValue::Boolean),
        text.prop_map(|text| PropValue::text(&text)),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(PropValue::Binary),
        prop::collection::vec(1_u8.., 0..9).prop_map(PropValue::String8),
        prop::collection::vec(any::<i64>(), 0..4).prop_map(PropValue::MultipleInteger64),
        prop::collection::vec(text, 0..4).prop_map(|texts| {
            PropValue::MultipleString(texts.iter().map(|text| text.as_str().into()).collect())
        }),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..4)
            .prop_map(PropValue::MultipleBinary),
    ]
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        for request_type in RequestType::ALL {
            let _ = Request::decode(*request_type, &body);
        }
        let _ = Response::<'_, GetMatchesResponse<'_>>::from_bytes(&body);
        let _ = Response::<'_, GetSpecialTableResponse<'_>>::from_bytes(&body);
        let _ = Response::<'_, ResolveNamesResponse<'_>>::from_bytes(&body);
    }

    #[test]
    fn damaged_requests_are_errors_or_requests_that_come_back(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for (request_type, mut body) in requests() {
            for (at, byte) in &damage {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            let Ok(request) = Request::decode(request_type, &body) else { continue };
            let mut out = Vec::new();
            // A value of a type that is not encoded, such as a restriction's, may be refused.
            if request.encode(&mut out).is_ok() {
                let again = Request::decode(request_type, &out).unwrap();
                let mut same = Vec::new();
                again.encode(&mut same).unwrap();
                prop_assert_eq!(out, same);
            }
        }
    }

    #[test]
    fn values_come_back(values in prop::collection::vec((any::<u16>(), any_value()), 0..6)) {
        let values: Vec<_> = values
            .into_iter()
            .map(|(id, value)| tagged(PropTag::new(id, value.ty()), value))
            .collect();
        let list = PropertyValueList::from(&values);
        let mut out = Vec::new();
        list.encode(&mut out).unwrap();
        let read = PropertyValueList::decode(&mut Reader::new(&out)).unwrap();
        prop_assert_eq!(read, list);
        prop_assert!(PropertyValueList::decode(&mut Reader::new(&out[..out.len() - 1])).is_err());
        for AddressBookTaggedPropertyValue(value) in &values {
            let len = with_packed(&value.value, |packed| {
                let mut out = Vec::new();
                crate::value::put_value(&mut out, Form::AddressBook, packed).unwrap();
                (out.len(), crate::value::value_len(Form::AddressBook, packed))
            });
            prop_assert!(len.0 <= len.1);
        }
    }
}
