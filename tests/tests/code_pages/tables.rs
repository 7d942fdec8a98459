//! 8-bit strings in tables: columns, restrictions, FindRow, orders, and where cells are cut.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value},
    fixture::{new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use super::{FREE, FREE_MULTIPLE, bytes, connect, narrow, typed};

const SUBJECT8: u32 = narrow(tag::SUBJECT);
/// FuzzyLevelLow and FuzzyLevelHigh (MS-OXCDATA 2.12.4).
const FULL: u16 = 0;
const SUBSTRING: u16 = 1;
const PREFIX: u16 = 2;
const CASE: u16 = 0;
const NO_CASE: u16 = 1;

/// In 1251.
const PRIVET: &[u8] = b"\xCF\xF0\xE8\xE2\xE5\xF2";
const PRIVET_LOWER: &[u8] = b"\xEF\xF0\xE8\xE2\xE5\xF2";

fn content(tag: u32, value: (u32, Value), low: u16, high: u16) -> Restriction {
    Restriction::Content {
        fuzzy_level_low: low,
        fuzzy_level_high: high,
        property_tag: PropTag(tag),
        tagged_value: tagged(value),
    }
}

fn property(tag: u32, rel_op: RelOp, value: (u32, Value)) -> Restriction {
    Restriction::Property {
        rel_op,
        prop_tag: PropTag(tag),
        tagged_value: tagged(value),
    }
}

fn tagged((tag, value): (u32, Value)) -> TaggedPropertyValue {
    TaggedPropertyValue {
        tag: PropTag(tag),
        value,
    }
}

/// A folder with these subjects, and its contents table in order of arrival.
fn folder(client: &mut Client, folder: Handle, folder_id: u64, subjects: &[&str]) -> Handle {
    for subject in subjects {
        new_message(client, folder, folder_id, subject);
    }
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    table
}

#[test]
fn restrictions_take_strings_in_the_code_page_of_the_session() {
    let (mut client, logon) = connect(1251);
    let (place, folder_id) = new_folder(&mut client, &logon);
    let table = folder(
        &mut client,
        place,
        folder_id,
        &["Zoë", "ПРИВЕТ мир", "Привет", "Ещё привет"],
    );
    let (hello, world, more) = ("Привет", "ПРИВЕТ мир", "Ещё привет");
    let mixed = [
        // The tags and the value in any types.
        (SUBJECT8, SUBJECT8, bytes(PRIVET_LOWER)),
        (tag::SUBJECT, SUBJECT8, bytes(PRIVET_LOWER)),
        (tag::SUBJECT, tag::SUBJECT, text("привет")),
        (SUBJECT8, tag::SUBJECT, text("привет")),
    ];
    let mut cases = Vec::new();
    for (tag, value_tag, value) in mixed {
        let value = || (value_tag, value.clone());
        cases.extend([
            (
                content(tag, value(), SUBSTRING, NO_CASE),
                vec![more, hello, world],
            ),
            (content(tag, value(), SUBSTRING, CASE), vec![more]),
            (content(tag, value(), PREFIX, NO_CASE), vec![hello, world]),
            (content(tag, value(), FULL, NO_CASE), vec![hello]),
            (content(tag, value(), FULL, CASE), vec![]),
            (property(tag, RelOp::EQUAL, value()), vec![hello]),
            (property(tag, RelOp::GREATER_THAN, value()), vec![world]),
            (property(tag, RelOp::LESS_THAN, value()), vec!["Zoë", more]),
            (
                property(tag, RelOp::NOT_EQUAL, value()),
                vec!["Zoë", more, world],
            ),
        ]);
    }
    cases.push((
        Restriction::Exist {
            prop_tag: PropTag(SUBJECT8),
        },
        vec!["Zoë", more, hello, world],
    ));
    cases.push((
        Restriction::CompareProperties {
            rel_op: RelOp::EQUAL,
            prop_tag1: PropTag(SUBJECT8),
            prop_tag2: PropTag(tag::NORMALIZED_SUBJECT),
        },
        vec!["Zoë", more, hello, world],
    ));
    for (restriction, expected) in cases {
        client.restrict(table, Some(&restriction)).unwrap();
        let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
        assert_eq!(found, expected, "{restriction:?}");
        // RopFindRow finds the first of them.
        client.restrict(table, None).unwrap();
        client
            .set_columns(table, &[tag::SUBJECT, SUBJECT8])
            .unwrap();
        let columns = [tag::SUBJECT, SUBJECT8];
        let found = client.find_row(table, &columns, &restriction, false, 0);
        match expected.first() {
            Some(first) => {
                let row = found.unwrap().row.unwrap();
                assert_eq!(row.text(0), *first);
                assert!(matches!(row.value(1), Value::String8(_)));
            }
            None => assert!(found.is_err()),
        }
    }
}

/// What the same bytes say is up to the session.
#[test]
fn the_same_bytes_find_other_rows_in_another_code_page() {
    let (mut cyrillic, logon) = connect(1251);
    let (place, folder_id) = new_folder(&mut cyrillic, &logon);
    let table = folder(&mut cyrillic, place, folder_id, &["Привет", "Ïðèâåò"]);
    let restriction = property(SUBJECT8, RelOp::EQUAL, (SUBJECT8, bytes(PRIVET)));
    cyrillic.restrict(table, Some(&restriction)).unwrap();
    let rows = cyrillic.query_all_rows(table, &[tag::SUBJECT]).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.text(0)).collect::<Vec<_>>(),
        ["Привет"]
    );
    let (mut western, logon) = connect(1252);
    let place = western.open_folder(logon.handle, folder_id).unwrap();
    let (table, _) = western.contents_table(place, 0).unwrap();
    western.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    western.restrict(table, Some(&restriction)).unwrap();
    let rows = western.query_all_rows(table, &[tag::SUBJECT]).unwrap();
    assert_eq!(
        rows.iter().map(|row| row.text(0)).collect::<Vec<_>>(),
        ["Ïðèâåò"]
    );
}

#[test]
fn an_order_by_8_bit_strings_is_that_of_the_text_without_its_case() {
    let (mut client, logon) = connect(1251);
    let (place, folder_id) = new_folder(&mut client, &logon);
    // In 1251 the letter Ё (0xA8, 0xB8) stands before all others and Я is 0xDF, а 0xE0.
    let table = folder(
        &mut client,
        place,
        folder_id,
        &["я", "Б", "а", "В", "ё", "zoo"],
    );
    let mut orders = Vec::new();
    for column in [tag::SUBJECT, SUBJECT8] {
        for direction in [0, 1] {
            client.sort_table(table, &[(column, direction)]).unwrap();
            let rows = client
                .query_all_rows(table, &[SUBJECT8, tag::SUBJECT])
                .unwrap();
            let subjects: Vec<String> = rows.iter().map(|row| row.text(1)).collect();
            orders.push(subjects);
        }
    }
    assert_eq!(orders[0], ["zoo", "а", "Б", "В", "я", "ё"]);
    assert_eq!(orders[2], orders[0]);
    assert_eq!(orders[3], orders[1]);

    // Grouped by it: a header row has the value that its rows share.
    let (_, _) = new_message(&mut client, place, folder_id, "Я");
    let rop = Rop::new(0x13, 0)
        .u8(0)
        .u16(1)
        .u16(1)
        .u16(1)
        .u32(SUBJECT8)
        .u8(0);
    client.rop(&rop, &[table]).unwrap();
    // PidTagRowType, PidTagContentCount.
    let columns = [SUBJECT8, 0x0FF5_0003, tag::CONTENT_COUNT];
    let rows = client.query_all_rows(table, &columns).unwrap();
    let headers: Vec<(Value, i32)> = rows
        .iter()
        .filter(|row| row.int(1) == 3)
        .map(|row| (row.value(0).clone(), row.int(2)))
        .collect();
    assert_eq!(headers.len(), 6);
    let is_ya = |value: &Value| [bytes(b"\xFF"), bytes(b"\xDF")].contains(value);
    assert_eq!(
        headers
            .iter()
            .filter(|(value, count)| is_ya(value) && *count == 2)
            .count(),
        1
    );
}

#[test]
fn each_value_of_a_multi_valued_8_bit_column_makes_a_row() {
    const INSTANCE: u32 = 0x3000;
    let (mut client, logon) = connect(1251);
    let (place, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, place, folder_id, "two");
    let values = Value::MultipleString8(vec![b"\xC1".to_vec(), b"\xE0\x80".to_vec()]);
    client
        .set_props(message, &[(typed(FREE_MULTIPLE, 0x101E), values.clone())])
        .unwrap();
    client.save_message(message).unwrap();
    let (table, _) = client.contents_table(place, 0).unwrap();
    let rows = client
        .query_all_rows(table, &[typed(FREE_MULTIPLE, 0x101E)])
        .unwrap();
    assert_eq!(*rows[0].value(0), values);
    let instance = typed(FREE_MULTIPLE, INSTANCE | 0x001E);
    let instance = instance | 0x1000;
    client.set_columns(table, &[instance]).unwrap();
    client.sort_table(table, &[(instance, 0)]).unwrap();
    let rows = client.query_all_rows(table, &[instance]).unwrap();
    let cells: Vec<&Value> = rows.iter().map(|row| row.value(0)).collect();
    assert_eq!(cells, [&bytes(b"\xE0\x80"), &bytes(b"\xC1")]);
    let restriction = property(
        typed(FREE_MULTIPLE, 0x101E),
        RelOp::EQUAL,
        (narrow(FREE_MULTIPLE), bytes(b"\xE1")),
    );
    client.sort_table(table, &[]).unwrap();
    client.restrict(table, Some(&restriction)).unwrap();
    let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
    assert_eq!(rows.len(), 1);
}

// MS-OXCDATA 2.8.2: 255 characters; a character of several bytes is never cut.
#[test]
fn a_cell_is_cut_between_characters() {
    for (page, character, encoded) in [
        (932, "表", &b"\x95\x5C"[..]),
        (936, "中", b"\xD6\xD0"),
        (949, "한", b"\xC7\xD1"),
        (950, "功", b"\xA5\x5C"),
        (54936, "\u{100}", b"\x81\x30\x8B\x38"),
        (65001, "日", "日".as_bytes()),
        (1252, "é", b"\xE9"),
    ] {
        let (mut client, logon) = connect(page);
        let (place, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = new_message(&mut client, place, folder_id, "");
        let columns = [narrow(FREE), FREE];
        // The last one is kept apart from its message.
        for (ascii, count) in [
            (0, 254),
            (0, 255),
            (1, 300),
            (254, 2),
            (255, 2),
            (1, 20_000),
        ] {
            let whole = format!("{}{}", "a".repeat(ascii), character.repeat(count));
            client
                .write_property_stream(message, FREE, &super::utf16(&whole))
                .unwrap();
            client.save_message(message).unwrap();
            let (table, _) = client.contents_table(place, 0).unwrap();
            let rows = client.query_all_rows(table, &columns).unwrap();
            client.release(table).unwrap();
            let shown: String = whole.chars().take(255).collect();
            let expected = [
                b"a".repeat(ascii),
                encoded.repeat(shown.chars().count() - ascii),
            ];
            assert_eq!(
                *rows[0].value(0),
                bytes(&expected.concat()),
                "{page} {ascii} {count}"
            );
            assert_eq!(rows[0].text(1), shown, "{page}");
            // A stream has all of it.
            let read = client.read_property_stream(message, narrow(FREE)).unwrap();
            assert_eq!(read, [b"a".repeat(ascii), encoded.repeat(count)].concat());
        }
    }
}

/// Of a pair of surrogates the cut leaves one half, which is a mark: 255 of something, which is the sign
/// that there is more.
#[test]
fn a_cell_that_is_cut_through_a_pair_of_surrogates_still_says_that_there_is_more() {
    for (page, half) in [
        (1252, &b"?"[..]),
        (932, b"?"),
        (65001, "\u{FFFD}".as_bytes()),
    ] {
        let (mut client, logon) = connect(page);
        let (place, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = new_message(&mut client, place, folder_id, "");
        let whole = format!("{}🚢🚢", "a".repeat(254));
        client.set_props(message, &[(FREE, text(&whole))]).unwrap();
        client.save_message(message).unwrap();
        let (table, _) = client.contents_table(place, 0).unwrap();
        let rows = client.query_all_rows(table, &[narrow(FREE), FREE]).unwrap();
        let expected = [&b"a".repeat(254)[..], half].concat();
        assert_eq!(*rows[0].value(0), bytes(&expected), "{page}");
        let wide = &super::utf16(&whole)[..510];
        assert!(matches!(rows[0].value(1), Value::String(text) if text.as_bytes() == wide));
    }
}

// MS-OXCDATA 2.12.8: bytes of the value as it is sent, its terminator included.
#[test]
fn the_size_of_an_8_bit_string_is_that_of_its_bytes() {
    let (mut client, logon) = connect(1251);
    let (place, folder_id) = new_folder(&mut client, &logon);
    let table = folder(&mut client, place, folder_id, &["Привет", "日本", ""]);
    for (tag, size, expected) in [
        (SUBJECT8, 7, vec!["Привет"]),
        (SUBJECT8, 3, vec!["日本"]),
        (SUBJECT8, 1, vec![""]),
        (SUBJECT8, 14, vec![]),
        (tag::SUBJECT, 14, vec!["Привет"]),
        (tag::SUBJECT, 2, vec![""]),
    ] {
        let restriction = Restriction::Size {
            rel_op: RelOp::EQUAL,
            prop_tag: PropTag(tag),
            size,
        };
        client.restrict(table, Some(&restriction)).unwrap();
        let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
        assert_eq!(found, expected, "{tag:#x} {size}");
    }
}
