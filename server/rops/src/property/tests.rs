use std::collections::BTreeMap;

use proptest::prelude::*;
use ropewalk_props::{
    Guid, PropTag, PropType, PropValue, PropertyName, Utf16Text,
    named::{PS_INTERNET_HEADERS, PS_MAPI, PS_PUBLIC_STRINGS},
    tags::*,
};
use ropewalk_wire::{
    ErrorCode, Mid,
    property_name::PropertyNameRef,
    rop::*,
    row::{FLAGGED, RowCell, STANDARD},
};

use crate::test_client::{Client, INBOX, OTHER, tagged, text};

const CUSTOM: PropTag = PropTag(0x6800_001F);
const CUSTOM_BINARY: PropTag = PropTag(0x6801_0102);

fn unspecified(tag: PropTag) -> PropTag {
    tag.with_type(PropType::UNSPECIFIED)
}

#[test]
fn a_row_is_standard_if_all_is_there_and_flagged_if_not() {
    let mut client = Client::new();
    let id = client.saved(&[text(PID_TAG_SUBJECT, "RE: lunch")]);
    let message = client.open_message(id, 0);
    let tags = [
        PID_TAG_NORMALIZED_SUBJECT,
        PID_TAG_IMPORTANCE,
        PID_TAG_SUBJECT_PREFIX,
    ];
    let values = ["lunch", "RE: "].map(PropValue::text);
    let expected = vec![
        RowCell::Value(values[0].clone()),
        RowCell::Value(PropValue::Integer32(1)),
        RowCell::Value(values[1].clone()),
    ];
    assert_eq!(client.row(message, &tags, 1), Ok((STANDARD, expected)));
    let tags = [PID_TAG_SUBJECT, CUSTOM, unspecified(CUSTOM_BINARY)];
    let expected = vec![
        RowCell::Value(PropValue::text("RE: lunch")),
        RowCell::Error(ErrorCode::NOT_FOUND),
        RowCell::Error(ErrorCode::NOT_FOUND),
    ];
    assert_eq!(client.row(message, &tags, 1), Ok((FLAGGED, expected)));
}

#[test]
fn strings_go_out_as_they_are_asked_for() {
    let mut client = Client::new();
    let id = client.saved(&[
        text(CUSTOM, "Zoë"),
        tagged(
            PropTag(0x6802_101F),
            PropValue::MultipleString(vec!["é".into(), "x".into()]),
        ),
    ]);
    let message = client.open_message(id, 0);
    let eight_bit = PropValue::String8(b"Zo\xEB".to_vec());
    let unicode = PropValue::text("Zoë");
    let tag8 = CUSTOM.with_type(PropType::STRING8);
    assert_eq!(client.get(message, tag8), Ok(eight_bit.clone()));
    assert_eq!(client.get(message, CUSTOM), Ok(unicode.clone()));
    let any = unspecified(CUSTOM);
    let cells = |client: &mut Client, want| client.row(message, &[any, tag8], want).unwrap().1;
    assert_eq!(
        cells(&mut client, 1),
        [RowCell::Value(unicode), RowCell::Value(eight_bit.clone())]
    );
    assert_eq!(
        cells(&mut client, 0),
        [RowCell::Value(eight_bit.clone()), RowCell::Value(eight_bit)]
    );
    assert_eq!(
        client.get(message, PropTag(0x6802_101E)),
        Ok(PropValue::MultipleString8(vec![
            b"\xE9".to_vec(),
            b"x".to_vec()
        ]))
    );
    // Computed properties are found without their type as well.
    assert!(matches!(
        client.get(message, unspecified(PID_TAG_ENTRY_ID)),
        Ok(PropValue::Binary(id)) if id.len() == 70
    ));
    assert_eq!(
        client.get(message, CUSTOM.with_type(PropType::INTEGER32)),
        Err(ErrorCode::NOT_FOUND)
    );
}

#[test]
fn eight_bit_strings_come_in_by_the_code_page_and_unpaired_surrogates_stay() {
    let mut client = Client::new();
    let broken = PropValue::String(Utf16Text::from_le_bytes(&[0x00, 0xD8, 0x41, 0x00]));
    let id = client.saved(&[
        tagged(
            CUSTOM.with_type(PropType::STRING8),
            PropValue::String8(b"\x80 caf\xE9".to_vec()),
        ),
        tagged(PropTag(0x6803_001F), broken.clone()),
    ]);
    let message = client.open_message(id, 0);
    assert_eq!(client.get(message, CUSTOM), Ok(PropValue::text("€ café")));
    assert_eq!(client.get(message, PropTag(0x6803_001F)), Ok(broken));
}

#[test]
fn values_that_fit_a_response_are_in_it_and_larger_ones_are_left_to_streams() {
    let mut client = Client::new();
    let large = vec![7; 20_000];
    let id = client.saved(&[tagged(CUSTOM_BINARY, PropValue::Binary(large.clone()))]);
    let message = client.open_message(id, 1);
    assert_eq!(
        client.get(message, CUSTOM_BINARY),
        Ok(PropValue::Binary(large.clone()))
    );
    // Two of them do not fit together; the row comes all the same.
    let second = PropTag(0x6804_0102);
    assert_eq!(
        client.set(message, &[tagged(second, PropValue::Binary(large))]),
        Ok(vec![])
    );
    let (_, cells) = client
        .row(message, &[CUSTOM_BINARY, second, PID_TAG_IMPORTANCE], 1)
        .unwrap();
    let too_large = RowCell::Error(ErrorCode::NOT_ENOUGH_MEMORY);
    assert_eq!(cells[..2], [too_large.clone(), too_large.clone()]);
    assert_eq!(cells[2], RowCell::Value(PropValue::Integer32(1)));
    let all = client.all(message);
    let errors: Vec<_> = all
        .iter()
        .filter(|property| property.tag.ty() == PropType::ERROR_CODE)
        .collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(errors[0].value, PropValue::ErrorCode(0x8007_000E));
    // 100 KB through a stream.
    let (stream, _) = client.open_stream(message, CUSTOM_BINARY, 2).unwrap();
    for _ in 0..5 {
        client.write(stream, &[1; 20_000]).unwrap();
    }
    assert_eq!(
        client.get(message, CUSTOM_BINARY),
        Err(ErrorCode::NOT_ENOUGH_MEMORY)
    );
}

#[test]
fn a_row_is_whole_or_does_not_come() {
    let mut client = Client::new();
    let message = client.create_message();
    let absent = PropTag(0x6803_0003);
    let (_, cells) = client.row(message, &vec![absent; 6_200], 1).unwrap();
    assert_eq!(cells.len(), 6_200);
    let tags = vec![absent; 7_000];
    let body = GetPropertiesSpecificRequest {
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: (&tags).into(),
    };
    let body = RequestBody::GetPropertiesSpecific(body);
    let answer = client.send_with_room(&mut [message], 0, body, 0x8008);
    assert_eq!(answer.err(), Some(ErrorCode::BUFFER_TOO_SMALL));
}

#[test]
fn thousands_of_properties_are_set_found_without_type_and_copied() {
    const COUNT: u16 = 4_000;
    let mut client = Client::new();
    let message = client.create_message();
    let tags = || (0..COUNT).map(|n| PropTag::new(0x5000 + n, PropType::BOOLEAN));
    let values: Vec<_> = tags()
        .map(|tag| tagged(tag, PropValue::Boolean(true)))
        .collect();
    assert_eq!(client.set(message, &values), Ok(vec![]));
    let untyped: Vec<_> = (0..2_000)
        .map(|n| unspecified(PropTag(0x4000_0000 + (n << 16))))
        .collect();
    let (_, cells) = client.row(message, &untyped, 1).unwrap();
    assert!(
        cells
            .iter()
            .all(|cell| *cell == RowCell::Error(ErrorCode::NOT_FOUND))
    );
    let copy = client.create_message();
    let body = RequestBody::CopyTo(CopyToRequest {
        dest_handle_index: 1,
        want_asynchronous: false,
        want_sub_objects: true,
        copy_flags: 0,
        excluded_tags: (&[][..]).into(),
    });
    client.send(&mut [message, copy], 0, body).unwrap();
    for tag in tags().step_by(500) {
        assert_eq!(client.get(copy, tag), Ok(PropValue::Boolean(true)));
    }
    let all: Vec<_> = tags().collect();
    assert_eq!(client.delete(message, &all), Ok(vec![]));
    assert_eq!(client.get(message, all[7]), Err(ErrorCode::NOT_FOUND));
}

#[test]
fn all_properties_are_those_of_the_list_and_each_once() {
    let mut client = Client::new();
    let id = client.saved(&[text(PID_TAG_SUBJECT, "x"), text(CUSTOM, "y")]);
    let folder = {
        let mailbox = client.mailbox();
        assert!(mailbox.folder(INBOX).is_some());
        client.open_folder(INBOX)
    };
    let message = client.open_message(id, 0);
    let logon = client.logon;
    for handle in [message, folder, logon] {
        let all: Vec<PropTag> = client
            .all(handle)
            .iter()
            .map(|property| property.tag)
            .collect();
        let answer = client
            .ask(handle, RequestBody::GetPropertiesList(EmptyRequest {}))
            .unwrap();
        let ResponseBody::GetPropertiesList(list) = answer else {
            panic!("{answer:?}")
        };
        let listed: Vec<PropTag> = list.property_tags.iter().collect();
        let mut unique = listed.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), listed.len(), "{listed:?}");
        assert_eq!(all, listed);
        for tag in listed {
            assert!(client.get(handle, tag).is_ok(), "{tag:?}");
        }
    }
}

#[test]
fn what_cannot_be_set_is_a_problem_and_the_rest_is_set() {
    let mut client = Client::new();
    let message = client.create_message();
    let problems = client
        .set(
            message,
            &[
                text(CUSTOM, "set"),
                tagged(PID_TAG_MID, PropValue::Integer64(5)),
                tagged(PropTag(0x8123_0003), PropValue::Integer32(5)),
                tagged(PID_TAG_ACCESS_LEVEL, PropValue::Integer32(0)),
            ],
        )
        .unwrap();
    let codes: Vec<_> = problems
        .iter()
        .map(|problem| (problem.index, problem.error_code))
        .collect();
    assert_eq!(
        codes,
        [
            (1, ErrorCode::COMPUTED),
            (2, ErrorCode::UNREGISTERED_NAME_PROP),
            (3, ErrorCode::COMPUTED),
        ]
    );
    assert_eq!(problems[0].property_tag, PID_TAG_MID);
    assert_eq!(client.get(message, CUSTOM), Ok(PropValue::text("set")));
    assert_eq!(
        client.get(message, PID_TAG_ACCESS_LEVEL),
        Ok(PropValue::Integer32(1))
    );
    // Deleting what is not there is no problem; deleting what the server keeps is one.
    let problems = client
        .delete(message, &[CUSTOM_BINARY, PID_TAG_MID, CUSTOM])
        .unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(
        (problems[0].index, problems[0].error_code),
        (1, ErrorCode::COMPUTED)
    );
    assert_eq!(client.get(message, CUSTOM), Err(ErrorCode::NOT_FOUND));
}

#[test]
fn a_read_only_message_is_not_changed() {
    let mut client = Client::new();
    let id = client.saved(&[text(CUSTOM, "x")]);
    let message = client.open_message(id, 0);
    assert_eq!(
        client.set(message, &[text(CUSTOM, "y")]),
        Err(ErrorCode::ACCESS_DENIED)
    );
    assert_eq!(
        client.delete(message, &[CUSTOM]),
        Err(ErrorCode::ACCESS_DENIED)
    );
    assert_eq!(
        client.get(message, PID_TAG_ACCESS_LEVEL),
        Ok(PropValue::Integer32(0))
    );
    assert_eq!(
        client.open_stream(message, CUSTOM, 1).unwrap_err(),
        ErrorCode::ACCESS_DENIED
    );
    assert_eq!(
        client.create_attachment(message).unwrap_err(),
        ErrorCode::ACCESS_DENIED
    );
}

#[test]
fn changes_of_a_message_are_seen_on_their_handle_until_they_are_saved() {
    let mut client = Client::new();
    let id = client.saved(&[text(CUSTOM, "old")]);
    let (writer, reader) = (client.open_message(id, 1), client.open_message(id, 0));
    client.set(writer, &[text(CUSTOM, "new")]).unwrap();
    assert_eq!(client.get(writer, CUSTOM), Ok(PropValue::text("new")));
    assert_eq!(client.get(reader, CUSTOM), Ok(PropValue::text("old")));
    client.release(writer);
    let writer = client.open_message(id, 1);
    assert_eq!(client.get(writer, CUSTOM), Ok(PropValue::text("old")));
    client.set(writer, &[text(CUSTOM, "new")]).unwrap();
    client.save(writer, 2).unwrap();
    assert_eq!(
        client.get(reader, CUSTOM),
        Ok(PropValue::text("old")),
        "a snapshot"
    );
    let reader = client.open_message(id, 0);
    assert_eq!(client.get(reader, CUSTOM), Ok(PropValue::text("new")));
}

#[test]
fn folders_and_logons_change_at_once() {
    let mut client = Client::new();
    let folder = client.open_folder(OTHER);
    assert_eq!(
        client.set(folder, &[text(PID_TAG_COMMENT, "here")]),
        Ok(vec![])
    );
    let logon = client.logon;
    let state = tagged(PID_TAG_OUT_OF_OFFICE_STATE, PropValue::Boolean(true));
    assert_eq!(client.set(logon, std::slice::from_ref(&state)), Ok(vec![]));
    let mut other = client.other();
    let seen = other.open_folder(OTHER);
    assert_eq!(
        other.get(seen, PID_TAG_COMMENT),
        Ok(PropValue::text("here"))
    );
    assert_eq!(
        other.get(other.logon, PID_TAG_OUT_OF_OFFICE_STATE),
        Ok(state.value)
    );
    assert_eq!(
        other.get(other.logon, PID_TAG_MAILBOX_OWNER_NAME),
        Ok(PropValue::text("Ada Lovelace"))
    );
    // A sibling has the name; the comment is set all the same.
    let problems = client
        .set(
            folder,
            &[
                text(PID_TAG_COMMENT, "there"),
                text(PID_TAG_DISPLAY_NAME, "inbox"),
            ],
        )
        .unwrap();
    assert_eq!(
        (problems[0].index, problems[0].error_code),
        (1, ErrorCode::DUPLICATE_NAME)
    );
    assert_eq!(
        other.get(seen, PID_TAG_COMMENT),
        Ok(PropValue::text("there"))
    );
    assert_eq!(
        client
            .delete(folder, &[PID_TAG_COMMENT, PID_TAG_CONTENT_COUNT])
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        other.get(seen, PID_TAG_DISPLAY_NAME),
        Ok(PropValue::text("Other"))
    );
    let problems = client
        .set(logon, &[text(PID_TAG_MAILBOX_OWNER_NAME, "Eve")])
        .unwrap();
    assert_eq!(problems[0].error_code, ErrorCode::COMPUTED);
}

#[test]
fn streams_and_tables_have_no_properties() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, CUSTOM_BINARY, 2).unwrap();
    assert_eq!(
        client.get(stream, CUSTOM).unwrap_err(),
        ErrorCode::NOT_SUPPORTED
    );
    assert_eq!(
        client.set(stream, &[text(CUSTOM, "x")]).unwrap_err(),
        ErrorCode::NOT_SUPPORTED
    );
    assert_eq!(
        client.get(0x7777_0001, CUSTOM).unwrap_err(),
        ErrorCode::NULL_OBJECT
    );
}

#[test]
fn the_parts_of_a_subject_are_kept_in_step() {
    let mut client = Client::new();
    let message = client.create_message();
    let subject = |client: &mut Client| {
        [
            PID_TAG_SUBJECT,
            PID_TAG_SUBJECT_PREFIX,
            PID_TAG_NORMALIZED_SUBJECT,
        ]
        .map(|tag| client.get(message, tag).ok())
    };
    let is = |parts: [&str; 3]| parts.map(|part| Some(PropValue::text(part)));
    client
        .set(message, &[text(PID_TAG_SUBJECT, "FW: tea")])
        .unwrap();
    assert_eq!(subject(&mut client), is(["FW: tea", "FW: ", "tea"]));
    client
        .set(
            message,
            &[
                text(PID_TAG_SUBJECT_PREFIX, "RE: "),
                text(PID_TAG_NORMALIZED_SUBJECT, "coffee"),
            ],
        )
        .unwrap();
    assert_eq!(subject(&mut client), is(["RE: coffee", "RE: ", "coffee"]));
    client.delete(message, &[PID_TAG_SUBJECT]).unwrap();
    assert_eq!(subject(&mut client), [None, None, None]);
}

#[test]
fn html_is_one_property_as_bytes_and_as_text() {
    let mut client = Client::new();
    let message = client.create_message();
    client
        .set(
            message,
            &[
                tagged(PID_TAG_INTERNET_CODEPAGE, PropValue::Integer32(28591)),
                tagged(PID_TAG_HTML, PropValue::Binary(b"<p>caf\xE9".to_vec())),
            ],
        )
        .unwrap();
    assert_eq!(
        client.get(message, PID_TAG_BODY_HTML),
        Ok(PropValue::text("<p>café"))
    );
    assert_eq!(
        client.get(message, PID_TAG_NATIVE_BODY),
        Ok(PropValue::Integer32(3))
    );
    client
        .set(message, &[text(PID_TAG_BODY_HTML, "<p>é")])
        .unwrap();
    assert_eq!(
        client.get(message, PID_TAG_HTML),
        Ok(PropValue::Binary(b"<p>\xE9".to_vec()))
    );
}

fn ids(client: &mut Client, handle: u32, flags: u8, names: &[PropertyNameRef<'_>]) -> Vec<u16> {
    let body = GetPropertyIdsFromNamesRequest {
        flags,
        property_names: names.into(),
    };
    match client
        .ask(handle, RequestBody::GetPropertyIdsFromNames(body))
        .unwrap()
    {
        ResponseBody::GetPropertyIdsFromNames(response) => response.property_ids.iter().collect(),
        other => panic!("{other:?}"),
    }
}

fn names(client: &mut Client, handle: u32, ids: &[u16]) -> Vec<Option<PropertyName>> {
    let body = GetNamesFromPropertyIdsRequest {
        property_ids: ids.into(),
    };
    match client
        .ask(handle, RequestBody::GetNamesFromPropertyIds(body))
        .unwrap()
    {
        ResponseBody::GetNamesFromPropertyIds(response) => response
            .property_names
            .iter()
            .map(PropertyNameRef::to_name)
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn names_get_ids_that_stay() {
    let mut client = Client::new();
    let logon = client.logon;
    let text = |text: &str| Utf16Text::from(text).into_bytes();
    let (upper, lower) = (text("X-Spam"), text("x-spam"));
    let wanted = [
        PropertyNameRef::Lid(PS_PUBLIC_STRINGS, 0x8501),
        PropertyNameRef::Name(PS_INTERNET_HEADERS, &upper),
        PropertyNameRef::Lid(PS_MAPI, 0x0037),
        PropertyNameRef::Lid(PS_MAPI, 0x8001),
        PropertyNameRef::Name(PS_MAPI, &upper),
        PropertyNameRef::NONE,
        PropertyNameRef::Lid(PS_PUBLIC_STRINGS, 0x8501),
    ];
    assert_eq!(
        ids(&mut client, logon, 0, &wanted),
        [0, 0, 0x37, 0, 0, 0, 0]
    );
    let made = ids(&mut client, logon, 2, &wanted);
    assert_eq!(
        (made[2..6].to_vec(), made[6]),
        (vec![0x37, 0, 0, 0], made[0])
    );
    assert!(made[0] >= 0x8000 && made[1] >= 0x8000 && made[0] != made[1]);
    let again = [PropertyNameRef::Name(PS_INTERNET_HEADERS, &lower)];
    assert_eq!(ids(&mut client.other(), logon, 0, &again), [made[1]]);
    // Without names, a logon tells all; anything else none.
    let mut all = ids(&mut client, logon, 0, &[]);
    all.sort_unstable();
    assert_eq!(all, [made[0].min(made[1]), made[0].max(made[1])]);
    let message = client.create_message();
    assert_eq!(ids(&mut client, message, 0, &[]), [] as [u16; 0]);

    assert_eq!(
        names(&mut client, message, &[made[0], made[1], 0x37, 0xF000]),
        [
            Some(PropertyName::Lid(PS_PUBLIC_STRINGS, 0x8501)),
            Some(PropertyName::Name(PS_INTERNET_HEADERS, "x-spam".into())),
            Some(PropertyName::Lid(PS_MAPI, 0x37)),
            None,
        ]
    );
}

#[test]
fn named_properties_run_out() {
    const MOST: u32 = 32_766;
    let mut client = Client::new();
    let names: Vec<_> = (1..=MOST)
        .map(|lid| PropertyName::Lid(PS_PUBLIC_STRINGS, lid))
        .collect();
    assert!(client.mailbox().named_ids(&names, true).is_ok());
    let wanted = [PropertyNameRef::Lid(PS_PUBLIC_STRINGS, MOST + 1)];
    let ask = |client: &mut Client, flags| {
        let body = GetPropertyIdsFromNamesRequest {
            flags,
            property_names: (&wanted).into(),
        };
        client
            .ask(client.logon, RequestBody::GetPropertyIdsFromNames(body))
            .map(drop)
    };
    assert_eq!(ask(&mut client, 2), Err(ErrorCode::OUT_OF_MEMORY));
    assert_eq!(ask(&mut client, 0), Ok(()));
}

#[test]
fn an_object_tells_its_named_properties() {
    let mut client = Client::new();
    let message = client.create_message();
    let name = Utf16Text::from("colour").into_bytes();
    let wanted = [
        PropertyNameRef::Name(PS_PUBLIC_STRINGS, &name),
        PropertyNameRef::Lid(PS_PUBLIC_STRINGS, 7),
    ];
    let made = ids(&mut client, message, 2, &wanted);
    let query = |client: &mut Client, query_flags, property_guid| -> Vec<u16> {
        let body = QueryNamedPropertiesRequest {
            query_flags,
            property_guid,
        };
        match client
            .ask(message, RequestBody::QueryNamedProperties(body))
            .unwrap()
        {
            ResponseBody::QueryNamedProperties(response) => response.property_ids.iter().collect(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(query(&mut client, 0, None), [] as [u16; 0]);
    let tag = |id| PropTag::new(id, PropType::INTEGER32);
    let set = made
        .iter()
        .map(|id| tagged(tag(*id), PropValue::Integer32(1)))
        .collect::<Vec<_>>();
    assert_eq!(client.set(message, &set), Ok(vec![]));
    assert_eq!(query(&mut client, 0, None).len(), 2);
    assert_eq!(query(&mut client, 1, None), [made[1]]);
    assert_eq!(query(&mut client, 2, None), [made[0]]);
    assert_eq!(query(&mut client, 0, Some(Guid([9; 16]))), [] as [u16; 0]);
    assert_eq!(query(&mut client, 0, Some(PS_PUBLIC_STRINGS)).len(), 2);
    // HasNamedProperties of the open response.
    let id = client.save(message, 2).unwrap();
    let (_, opened) = client
        .open_message_in(crate::test_client::inbox(), id, 0)
        .unwrap();
    assert!(opened.has_named_properties);
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<(u8, PropValue)>),
    Delete(Vec<u8>),
    Stream(u8, Vec<u8>),
    Save,
    Reopen,
    Discard,
}

fn value() -> impl Strategy<Value = PropValue> {
    prop_oneof![
        any::<i32>().prop_map(PropValue::Integer32),
        any::<bool>().prop_map(PropValue::Boolean),
        "[a-zé€𝄞]{0,12}".prop_map(|text| PropValue::text(&text)),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(PropValue::Binary),
        (7000_usize..12_000, any::<u8>())
            .prop_map(|(len, byte)| PropValue::Binary(vec![byte; len])),
        prop::collection::vec(any::<i64>(), 0..4).prop_map(PropValue::MultipleInteger64),
        prop::collection::vec("[a-z]{0,4}", 0..4).prop_map(|texts| PropValue::MultipleString(
            texts.iter().map(|text| text.as_str().into()).collect()
        )),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec((0..6_u8, value()), 1..4).prop_map(Step::Set),
        2 => prop::collection::vec(0..6_u8, 1..3).prop_map(Step::Delete),
        2 => (0..6_u8, prop::collection::vec(any::<u8>(), 0..9000))
            .prop_map(|(id, bytes)| Step::Stream(id, bytes)),
        2 => Just(Step::Save),
        1 => Just(Step::Reopen),
        1 => Just(Step::Discard),
    ]
}

fn check(client: &mut Client, message: u32, model: &BTreeMap<u8, PropValue>) {
    for id in 0..6 {
        let any = PropTag::new(0x6900 + u16::from(id), PropType::UNSPECIFIED);
        assert_eq!(
            client.get(message, any).ok(),
            model.get(&id).cloned(),
            "{id}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_message_is_what_was_set_deleted_and_saved(
        steps in prop::collection::vec(step(), 1..24),
    ) {
        let mut client = Client::new();
        let id: Mid = client.saved(&[]);
        let mut message = client.open_message(id, 1);
        let mut saved: BTreeMap<u8, PropValue> = BTreeMap::new();
        let mut current = saved.clone();
        for step in steps {
            match step {
                Step::Set(values) => {
                    let set: Vec<_> = values
                        .iter()
                        .map(|(id, value)| {
                            let tag = PropTag::new(0x6900 + u16::from(*id), value.ty());
                            tagged(tag, value.clone())
                        })
                        .collect();
                    prop_assert_eq!(client.set(message, &set), Ok(vec![]));
                    current.extend(values);
                }
                Step::Delete(ids) => {
                    let tags: Vec<_> = ids
                        .iter()
                        .map(|id| PropTag::new(0x6900 + u16::from(*id), PropType::UNSPECIFIED))
                        .collect();
                    prop_assert_eq!(client.delete(message, &tags), Ok(vec![]));
                    current.retain(|id, _| !ids.contains(id));
                }
                Step::Stream(id, bytes) => {
                    let tag = PropTag::new(0x6900 + u16::from(id), PropType::BINARY);
                    let (stream, _) = client.open_stream(message, tag, 2).unwrap();
                    for part in bytes.chunks(700) {
                        client.write(stream, part).unwrap();
                    }
                    client.release(stream);
                    current.insert(id, PropValue::Binary(bytes));
                }
                Step::Save => {
                    prop_assert_eq!(client.save(message, 2), Ok(id));
                    saved = current.clone();
                }
                Step::Reopen | Step::Discard => {
                    client.release(message);
                    message = client.open_message(id, 1);
                    current = saved.clone();
                }
            }
            check(&mut client, message, &current);
        }
        let mut other = client.other();
        let reader = other.open_message(id, 0);
        check(&mut other, reader, &saved);
    }
}

#[test]
fn message_flags_of_another_type_are_a_problem() {
    let mut client = Client::new();
    let message = client.create_message();
    let flags = client.get(message, PID_TAG_MESSAGE_FLAGS);
    let value = text(PID_TAG_MESSAGE_FLAGS.with_type(PropType::STRING), "x");
    let problems = client.set(message, &[value]).unwrap();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].error_code, ErrorCode::COMPUTED);
    assert_eq!(client.get(message, PID_TAG_MESSAGE_FLAGS), flags);
}
