//! Reading rows, and where the cursor goes (MS-OXCTABL 3.2.5.5, 3.2.5.8 to 3.2.5.11, 3.2.5.14).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use crate::fixture::{
    BEGINNING, COLUMNS, CURRENT, CUSTOM, END, NO_ADVANCE, messages, subject_is, subjects,
};

// MS-OXCTABL 3.2.5.5: Origin, and which rows.
#[test]
fn rows_are_read_in_both_directions_up_to_the_ends() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c", "d", "e"]);
    client.set_columns(table, &COLUMNS).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    let ask = |client: &mut Client, flags, forward, count| {
        let (origin, rows) = subjects(client, table, flags, forward, count);
        (
            origin,
            rows.concat(),
            client.query_position(table).unwrap().0,
        )
    };
    let row = |origin, rows: &str, at| (origin, rows.to_owned(), at);
    assert_eq!(
        ask(&mut client, NO_ADVANCE, true, 3),
        row(CURRENT, "abc", 0)
    );
    assert_eq!(ask(&mut client, 0, true, 3), row(CURRENT, "abc", 3));
    // More is asked for than there is.
    assert_eq!(ask(&mut client, NO_ADVANCE, true, 3), row(END, "de", 3));
    assert_eq!(ask(&mut client, 0, true, 3), row(END, "de", 5));
    assert_eq!(ask(&mut client, 0, true, 3), row(END, "", 5));
    assert_eq!(
        ask(&mut client, NO_ADVANCE, false, 2),
        row(CURRENT, "de", 5)
    );
    assert_eq!(ask(&mut client, 0, false, 2), row(CURRENT, "de", 3));
    assert_eq!(ask(&mut client, 0, false, 9), row(BEGINNING, "abc", 0));
    assert_eq!(ask(&mut client, 0, false, 9), row(BEGINNING, "", 0));
    // No rows asked for, none sent, and the cursor stays.
    assert_eq!(ask(&mut client, 0, true, 0), row(CURRENT, "", 0));
    // MS-OXCTABL 2.2.2.5.1: other bits must not be set.
    fails(
        client.query_rows(table, &COLUMNS, 0x04, true, 1),
        code::INVALID_PARAMETER,
    );
}

// MS-OXCTABL 3.2.5.9.
#[test]
fn seeking_past_either_end_tells_how_far_it_went() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c"]);
    let mut seek = |origin, rows, want| {
        let sought = client.seek_row(table, origin, rows, want).unwrap();
        let at = client.query_position(table).unwrap().0;
        (sought.has_sought_less, sought.rows_sought, at)
    };
    assert_eq!(seek(BEGINNING, 2, true), (0, 2, 2));
    assert_eq!(seek(CURRENT, 2, true), (1, 1, 3));
    assert_eq!(seek(END, 1, true), (1, 0, 3));
    assert_eq!(seek(END, -2, true), (0, -2, 1));
    assert_eq!(seek(CURRENT, -5, true), (1, -1, 0));
    assert_eq!(seek(BEGINNING, -1, true), (1, 0, 0));
    assert_eq!(seek(END, i32::MIN, true), (1, -3, 0));
    assert_eq!(seek(BEGINNING, i32::MAX, true), (1, 3, 3));
    assert_eq!(seek(CURRENT, 0, true), (0, 0, 3));
    // It moves all the same if the number is not wanted.
    assert_eq!(seek(BEGINNING, 1, false).2, 1);
    for origin in [CUSTOM, 0xFF] {
        fails(
            client.seek_row(table, origin, 0, true),
            code::INVALID_PARAMETER,
        );
    }
}

// MS-OXCTABL 3.2.5.11.
#[test]
fn a_fraction_of_the_table_is_sought_within_its_ends() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c", "d"]);
    for (numerator, denominator, at) in [
        (1, 2, 2),
        (0, 5, 0),
        (5, 5, 4),
        (6, 5, 4),
        (u32::MAX, 1, 4),
        (0, 0, 0),
        (1, 0, 4),
    ] {
        let rop = Rop::new(0x1A, 0).u32(numerator).u32(denominator);
        client.rop(&rop, &[table]).unwrap().empty().unwrap();
        assert_eq!(
            client.query_position(table).unwrap(),
            (at, 4),
            "{numerator}/{denominator}"
        );
    }
}

// MS-OXCTABL 3.2.5.14.
#[test]
fn a_find_without_a_match_fails_and_leaves_the_table_usable() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c", "b"]);
    client.set_columns(table, &COLUMNS).unwrap();
    client.sort_table(table, &[(tag::MID, 0)]).unwrap();
    let mut find = |subject, backward, origin| {
        let found = client.find_row(table, &COLUMNS, &subject_is(subject), backward, origin);
        let at = client.query_position(table).unwrap().0;
        match found {
            Ok(found) => {
                assert_eq!(found.row_no_longer_visible, 0);
                assert_eq!(found.row.unwrap().text(1), subject);
                Ok(at)
            }
            Err(error) => Err((error.code(), at)),
        }
    };
    assert_eq!(find("b", false, BEGINNING), Ok(1));
    // From the cursor on, the row under it included.
    assert_eq!(find("b", false, CURRENT), Ok(1));
    assert_eq!(find("c", false, CURRENT), Ok(2));
    assert_eq!(find("x", false, BEGINNING), Err((code::NOT_FOUND, 2)));
    assert_eq!(find("a", false, CURRENT), Err((code::NOT_FOUND, 2)));
    assert_eq!(find("b", true, END), Ok(3));
    assert_eq!(find("b", true, CURRENT), Ok(1));
    assert_eq!(find("b", true, CURRENT), Err((code::NOT_FOUND, 1)));
    assert_eq!(find("a", false, END), Err((code::NOT_FOUND, 1)));
    assert_eq!(find("a", true, BEGINNING), Err((code::NOT_FOUND, 1)));
    // It goes by the restriction of the table as well (3.2.5.4).
    client.restrict(table, Some(&subject_is("b"))).unwrap();
    fails(
        client.find_row(table, &COLUMNS, &subject_is("a"), false, BEGINNING),
        code::NOT_FOUND,
    );
}

// MS-OXCTABL 1.3 and MS-OXCFOLD 2.2.2.2.1: what another session did shows at once.
#[test]
fn counts_and_rows_follow_another_session_at_once() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (mut other, other_logon) = ada();
    let inbox = other
        .open_folder(other_logon.handle, other_logon.inbox())
        .unwrap();
    let (hierarchy, _) = other.hierarchy_table(inbox, 0).unwrap();
    let same = other.open_folder(other_logon.handle, folder_id).unwrap();
    let (table, _) = other.contents_table(same, 0).unwrap();
    let count_tags = [
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
        tag::ASSOCIATED_CONTENT_COUNT,
    ];
    let this = Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(tag::FOLDER_ID),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::FOLDER_ID),
            value: Value::Integer64(folder_id.cast_signed()),
        },
    };
    other.set_columns(hierarchy, &count_tags).unwrap();
    let counts = |other: &mut Client, wanted: (i32, i32, i32)| {
        let props = other.get_props(same, &count_tags).unwrap();
        let row = other
            .find_row(hierarchy, &count_tags, &this, false, BEGINNING)
            .unwrap()
            .row
            .unwrap();
        for row in [props, row] {
            assert_eq!((row.int(0), row.int(1), row.int(2)), wanted);
        }
        assert_eq!(
            other.query_position(table).unwrap().1,
            wanted.0.cast_unsigned()
        );
    };
    counts(&mut other, (0, 0, 0));
    let (_, first) = new_message(&mut client, folder, folder_id, "one");
    counts(&mut other, (1, 0, 0));
    client.set_read_flags(folder, &[first], 0x05).unwrap();
    counts(&mut other, (1, 1, 0));
    client
        .move_copy_messages(folder, folder, &[first], true)
        .unwrap();
    counts(&mut other, (2, 2, 0));
    let associated = client.create_message_with(folder, folder_id, true).unwrap();
    client.save_message(associated.handle).unwrap();
    counts(&mut other, (2, 2, 1));
    client.delete_messages(folder, &[first]).unwrap();
    counts(&mut other, (1, 1, 1));
    client.set_read_flags(folder, &[], 0x01).unwrap();
    counts(&mut other, (1, 0, 1));
}
