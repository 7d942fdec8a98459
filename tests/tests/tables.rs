//! Contents and hierarchy tables (MS-OXCTABL 3.2.5).

use ropewalk_props::{PropTag, PropValue};
use ropewalk_tests::{
    client::{
        CHAIN, Cells as _, Client, Handle, NO_HANDLE, NewRecipient, Rop, Sought, Value,
        restriction_bytes, take_row,
    },
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

const SUBJECTS: [&str; 7] = [
    "delta", "alpha", "echo", "bravo", "Alpha", "charlie", "foxtrot",
];
const BEGINNING: u8 = 0;
const CURRENT: u8 = 1;
const END: u8 = 2;

struct Fixture {
    client: Client,
    folder: Handle,
    table: Handle,
    ids: Vec<u64>,
}

/// A folder with one message for each of [`SUBJECTS`], with its index as importance, and a table of
/// it whose column is the subject.
fn fixture() -> Fixture {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let mut ids = Vec::new();
    for (i, subject) in SUBJECTS.iter().enumerate() {
        let message = client.create_message(folder, folder_id).unwrap();
        client
            .set_props(
                message,
                &[
                    (tag::SUBJECT, text(subject)),
                    (tag::IMPORTANCE, Value::Integer32(i as i32 % 3)),
                ],
            )
            .unwrap();
        ids.push(client.save_message(message).unwrap());
        client.release(message).unwrap();
    }
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count as usize, SUBJECTS.len());
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    Fixture {
        client,
        folder,
        table,
        ids,
    }
}

impl Fixture {
    fn read(&mut self, flags: u8, forward: bool, count: u16) -> (u8, Vec<String>) {
        let rows = self
            .client
            .query_rows(self.table, &[tag::SUBJECT], flags, forward, count)
            .unwrap();
        let subjects = rows.rows.iter().map(|row| row.text(0)).collect();
        (rows.origin, subjects)
    }

    fn position(&mut self) -> (u32, u32) {
        self.client.query_position(self.table).unwrap()
    }

    fn sort(&mut self) {
        let orders = [(tag::SUBJECT, 0), (tag::IMPORTANCE, 0)];
        assert_eq!(self.client.sort_table(self.table, &orders).unwrap(), 0);
    }

    fn find(&mut self, restriction: &Restriction, backward: bool, origin: u8) -> String {
        self.client
            .find_row(self.table, &[tag::SUBJECT], restriction, backward, origin)
            .unwrap()
            .row
            .expect("the row fits")
            .text(0)
    }

    /// The subjects of the rows that a restriction leaves, sorted.
    fn matching(&mut self, restriction: &Restriction) -> Vec<String> {
        let status = self.client.restrict(self.table, Some(restriction)).unwrap();
        assert_eq!(status, 0);
        let mut subjects = self.read(0, true, 100).1;
        subjects.sort();
        assert_eq!(self.position().1 as usize, subjects.len());
        subjects
    }
}

fn property(rel_op: RelOp, tag: u32, value: PropValue) -> Restriction {
    let tag = PropTag(tag);
    Restriction::Property {
        rel_op,
        prop_tag: tag,
        tagged_value: TaggedPropertyValue { tag, value },
    }
}

fn subject_is(subject: &str) -> Restriction {
    property(RelOp::EQUAL, tag::SUBJECT, text(subject))
}

fn content(low: u16, high: u16, value: &str) -> Restriction {
    let tag = PropTag(tag::SUBJECT);
    Restriction::Content {
        fuzzy_level_low: low,
        fuzzy_level_high: high,
        property_tag: tag,
        tagged_value: TaggedPropertyValue {
            tag,
            value: text(value),
        },
    }
}

// MS-OXCTABL 3.2.5.2.
#[test]
fn columns_with_invalid_types_are_refused_and_make_the_column_set_invalid() {
    let mut f = fixture();
    for ty in [0x0000, 0x000A, 0x0099, 0x1FFF] {
        fails(
            f.client.set_columns(f.table, &[tag::MID, 0x0037_0000 | ty]),
            code::INVALID_PARAMETER,
        );
        fails(
            f.client.query_rows(f.table, &[], 0, true, 1),
            code::NULL_OBJECT,
        );
    }
    assert_eq!(f.client.set_columns(f.table, &[tag::SUBJECT]).unwrap(), 0);
    assert_eq!(f.read(0, true, 1).1.len(), 1);
}

#[test]
fn rows_need_columns_first() {
    let (mut client, logon) = ada();
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    let (contents, _) = client.contents_table(inbox, 0).unwrap();
    let (hierarchy, _) = client.hierarchy_table(inbox, 0).unwrap();
    for table in [contents, hierarchy] {
        fails(client.query_rows(table, &[], 0, true, 1), code::NULL_OBJECT);
        fails(
            client.find_row(table, &[], &subject_is("x"), false, BEGINNING),
            code::NULL_OBJECT,
        );
        // MS-OXCTABL 2.2.2.2.1: one column at least.
        assert!(client.set_columns(table, &[]).is_err());
    }
}

#[test]
fn cells_stand_in_the_order_of_the_columns_and_absent_ones_are_errors() {
    let mut f = fixture();
    let columns = [
        0x0042_001F,
        tag::MID,
        tag::SUBJECT,
        tag::INSTANCE_NUM,
        tag::INST_ID,
    ];
    let rows = f.client.query_all_rows(f.table, &columns).unwrap();
    assert_eq!(rows.len(), SUBJECTS.len());
    for row in rows {
        assert_eq!(row.error(0), code::NOT_FOUND);
        let index = f.ids.iter().position(|id| *id == row.id(1)).unwrap();
        assert_eq!(row.text(2), SUBJECTS[index]);
        assert_eq!(row.int(3), 0);
        assert_eq!(row.id(4), row.id(1));
    }
}

// MS-OXCTABL 3.2.5.5.
#[test]
fn reading_forward_ends_at_the_end() {
    let mut f = fixture();
    f.sort();
    let (origin, first) = f.read(0, true, 3);
    assert_eq!((origin, first.len()), (CURRENT, 3));
    assert_eq!(f.position(), (3, 7));
    let (origin, rest) = f.read(0, true, 100);
    assert_eq!((origin, rest.len()), (END, 4));
    assert_eq!(rest, ["charlie", "delta", "echo", "foxtrot"]);
    assert_eq!(f.read(0, true, 100), (END, Vec::new()));
    assert_eq!(f.position(), (7, 7));
}

#[test]
fn reading_backward_ends_at_the_beginning() {
    let mut f = fixture();
    f.sort();
    assert_eq!(f.read(0, false, 10), (BEGINNING, Vec::new()));
    f.client.seek_row(f.table, END, 0, false).unwrap();
    // The rows before the cursor.
    let (origin, last) = f.read(0, false, 2);
    assert_eq!(origin, CURRENT);
    let mut last_sorted = last.clone();
    last_sorted.sort();
    assert_eq!(last_sorted, ["echo", "foxtrot"]);
    assert_eq!(f.position(), (5, 7));
    let (origin, rest) = f.read(0, false, 100);
    assert_eq!((origin, rest.len()), (BEGINNING, 5));
    assert_eq!(f.position(), (0, 7));
}

#[test]
fn no_advance_leaves_the_cursor() {
    let mut f = fixture();
    f.sort();
    f.client.seek_row(f.table, BEGINNING, 3, false).unwrap();
    let first = f.read(1, true, 2).1;
    assert_eq!(first, ["charlie", "delta"]);
    assert_eq!(f.position(), (3, 7));
    assert_eq!(f.read(1, true, 2).1, first);
    assert_eq!(f.read(1, false, 1).1, ["bravo"]);
    assert_eq!(f.position(), (3, 7));
}

#[test]
fn rows_come_whole_as_many_as_fit() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let long = "x".repeat(200);
    for i in 0..120 {
        let message = client.create_message(folder, folder_id).unwrap();
        let subject = format!("{i:03}{long}");
        client
            .set_props(message, &[(tag::SUBJECT, text(&subject))])
            .unwrap();
        client.save_message(message).unwrap();
        client.release(message).unwrap();
    }
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
    let mut subjects: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
    subjects.sort();
    assert_eq!(subjects.len(), 120);
    assert!(
        subjects
            .iter()
            .enumerate()
            .all(|(i, s)| *s == format!("{i:03}{long}"))
    );

    // Less than one row fits into a small response (MS-OXCTABL 3.2.5.5), or the ROP does not fit
    // (MS-OXCROPS 3.2.5.2): the row is not cut and the cursor does not move.
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    let wide = [tag::SUBJECT; 2];
    client.set_columns(table, &wide).unwrap();
    client.max_rop_out = 0x200;
    let rop = Rop::new(0x15, 0).u8(0).u8(1).u16(50);
    match client.execute(&[rop], &[table]) {
        Ok(payload) => assert!(
            payload.rops[0] == 0xFF
                || u32::from_le_bytes(payload.rops[2..6].try_into().unwrap())
                    == code::BUFFER_TOO_SMALL,
            "{:02x?}",
            payload.rops
        ),
        Err(error) => assert_eq!(error.code(), code::BUFFER_TOO_SMALL),
    }
    client.max_rop_out = ropewalk_tests::client::MAX_ROP_OUT;
    assert_eq!(client.query_position(table).unwrap(), (0, 120));
}

// MS-OXCTABL 3.2.5.8 and 3.2.5.9.
#[test]
fn seeking_stops_at_both_ends_and_tells_how_far_it_went() {
    let mut f = fixture();
    let mut seek = |origin, count, want| f.client.seek_row(f.table, origin, count, want).unwrap();
    let sought = |has_sought_less, rows_sought| Sought {
        has_sought_less,
        rows_sought,
    };
    assert_eq!(seek(BEGINNING, 2, true), sought(0, 2));
    assert_eq!(seek(CURRENT, 3, true), sought(0, 3));
    assert_eq!(seek(CURRENT, 3, true), sought(1, 2));
    assert_eq!(seek(END, -2, true), sought(0, -2));
    assert_eq!(seek(CURRENT, -100, true), sought(1, -5));
    assert_eq!(seek(BEGINNING, -1, true), sought(1, 0));
    assert_eq!(seek(END, 1, true), sought(1, 0));
    seek(BEGINNING, i32::MAX, true);
    seek(END, i32::MIN, true);
    assert_eq!(f.position(), (0, 7));
    f.client.seek_row(f.table, BEGINNING, 4, false).unwrap();
    assert_eq!(f.position(), (4, 7));
    // MS-OXCTABL 2.2.2.8.1: only the three predefined origins.
    assert!(f.client.seek_row(f.table, 3, 0, true).is_err());
    assert!(f.client.seek_row(f.table, 9, 0, true).is_err());
}

// MS-OXCTABL 3.2.5.3.
#[test]
fn sorting_orders_text_without_case_and_moves_the_cursor_to_the_beginning() {
    let mut f = fixture();
    f.read(0, true, 4);
    f.sort();
    assert_eq!(f.position(), (0, 7));
    let subjects = f.read(0, true, 100).1;
    assert_eq!(
        subjects[2..],
        ["bravo", "charlie", "delta", "echo", "foxtrot"]
    );
    assert!(
        subjects[..2]
            .iter()
            .all(|s| s.eq_ignore_ascii_case("alpha"))
    );
    f.client.sort_table(f.table, &[(tag::SUBJECT, 1)]).unwrap();
    let subjects = f.read(0, true, 5).1;
    assert_eq!(subjects, ["foxtrot", "echo", "delta", "charlie", "bravo"]);
}

#[test]
fn sorting_by_two_columns_orders_ties_by_the_second() {
    let mut f = fixture();
    f.client
        .sort_table(f.table, &[(tag::IMPORTANCE, 1), (tag::SUBJECT, 0)])
        .unwrap();
    let rows = f
        .client
        .query_all_rows(f.table, &[tag::IMPORTANCE, tag::SUBJECT])
        .unwrap();
    let rows: Vec<(i32, String)> = rows.iter().map(|row| (row.int(0), row.text(1))).collect();
    let expected = [
        (2, "charlie"),
        (2, "echo"),
        (1, "Alpha"),
        (1, "alpha"),
        (0, "bravo"),
        (0, "delta"),
        (0, "foxtrot"),
    ];
    for ((importance, subject), (expected_importance, expected_subject)) in
        rows.iter().zip(expected)
    {
        assert_eq!(*importance, expected_importance, "{rows:?}");
        assert!(subject.eq_ignore_ascii_case(expected_subject), "{rows:?}");
    }
}

#[test]
fn a_hierarchy_table_cannot_be_sorted_but_restricted() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    for name in ["One", "Two", "Three"] {
        client.create_folder(parent, name).unwrap();
    }
    let (table, _) = client.hierarchy_table(parent, 0).unwrap();
    client.set_columns(table, &[tag::DISPLAY_NAME]).unwrap();
    fails(
        client.sort_table(table, &[(tag::DISPLAY_NAME, 0)]),
        code::NOT_SUPPORTED,
    );
    let two = property(RelOp::EQUAL, tag::DISPLAY_NAME, text("Two"));
    client.restrict(table, Some(&two)).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 1));
    let rows = client
        .query_rows(table, &[tag::DISPLAY_NAME], 0, true, 9)
        .unwrap();
    assert_eq!(rows.rows[0].text(0), "Two");
    client.restrict(table, None).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 3));
    let found = client
        .find_row(table, &[tag::DISPLAY_NAME], &two, false, BEGINNING)
        .unwrap();
    assert_eq!(found.row.unwrap().text(0), "Two");
}

// MS-OXCTABL 3.2.5.4 and MS-OXCDATA 2.12.
#[test]
fn a_restriction_leaves_the_rows_that_match() {
    let mut f = fixture();
    f.read(0, true, 5);
    assert_eq!(f.matching(&subject_is("delta")), ["delta"]);
    assert_eq!(
        f.matching(&Restriction::Not(Box::new(content(1, 1, "A")))),
        ["echo", "foxtrot"].map(String::from)
    );
    // FL_PREFIX with FL_IGNORECASE, FL_SUBSTRING without, FL_FULLSTRING with.
    assert_eq!(f.matching(&content(2, 1, "ALP")), ["Alpha", "alpha"]);
    assert_eq!(f.matching(&content(1, 0, "lp")), ["Alpha", "alpha"]);
    assert_eq!(f.matching(&content(1, 0, "Al")), ["Alpha"]);
    assert_eq!(f.matching(&content(0, 1, "ALPHA")), ["Alpha", "alpha"]);
    assert!(f.matching(&content(0, 1, "ALPH")).is_empty());
    let importance = |rel_op, value| property(rel_op, tag::IMPORTANCE, Value::Integer32(value));
    assert_eq!(f.matching(&importance(RelOp::GREATER_THAN, 1)).len(), 2);
    assert_eq!(
        f.matching(&importance(RelOp::GREATER_THAN_OR_EQUAL, 1))
            .len(),
        4
    );
    assert_eq!(f.matching(&importance(RelOp::LESS_THAN, 1)).len(), 3);
    assert_eq!(
        f.matching(&importance(RelOp::LESS_THAN_OR_EQUAL, 1)).len(),
        5
    );
    assert_eq!(f.matching(&importance(RelOp::NOT_EQUAL, 1)).len(), 5);
    assert_eq!(
        f.matching(&Restriction::And(vec![
            importance(RelOp::EQUAL, 1),
            content(2, 1, "alpha"),
        ])),
        ["Alpha", "alpha"]
    );
    assert_eq!(
        f.matching(&Restriction::Or(vec![
            subject_is("echo"),
            subject_is("bravo"),
            subject_is("zulu"),
        ])),
        ["bravo", "echo"]
    );
    assert_eq!(f.matching(&Restriction::And(Vec::new())).len(), 7);
    assert!(f.matching(&Restriction::Or(Vec::new())).is_empty());
    let exist = |tag| Restriction::Exist {
        prop_tag: PropTag(tag),
    };
    assert_eq!(f.matching(&exist(tag::SUBJECT)).len(), 7);
    assert!(f.matching(&exist(0x0042_001F)).is_empty());
    let mask = |bitmap_rel_op, mask| Restriction::BitMask {
        bitmap_rel_op,
        prop_tag: PropTag(tag::IMPORTANCE),
        mask,
    };
    assert_eq!(f.matching(&mask(1, 2)).len(), 2);
    assert_eq!(f.matching(&mask(0, 2)).len(), 5);
    // An absent property fails every comparison.
    let absent = property(RelOp::NOT_EQUAL, 0x0042_001F, text("x"));
    assert!(f.matching(&absent).is_empty());
    // No restriction: all rows again.
    f.client.restrict(f.table, None).unwrap();
    assert_eq!(f.position(), (0, 7));
}

#[test]
fn a_restriction_that_cannot_be_parsed_is_refused() {
    let mut f = fixture();
    let and = restriction_bytes(Some(&Restriction::And(vec![subject_is("x")])));
    let mut bad: Vec<Vec<u8>> = (1..and.len()).map(|len| and[..len].to_vec()).collect();
    // An unknown type, a count that lies, a nesting without end.
    bad.push(vec![0x77]);
    bad.push(vec![0x00, 0xFF, 0xFF]);
    bad.push([0x02].repeat(30_000));
    for bytes in bad {
        let rop = Rop::new(0x14, 0).u8(0).sized(&bytes);
        let error = f.client.rop(&rop, &[f.table]).unwrap_err();
        assert_ne!(error.code(), 0, "{error}");
        // MS-OXCTABL 3.2.5.4: a valid restriction makes the table usable again.
        f.client.restrict(f.table, None).unwrap();
    }
    assert_eq!(f.position(), (0, 7));
}

// MS-OXCTABL 3.2.5.14.
#[test]
fn finding_a_row_moves_the_cursor_to_it() {
    let mut f = fixture();
    f.sort();
    assert_eq!(f.find(&subject_is("delta"), false, BEGINNING), "delta");
    assert_eq!(f.position(), (4, 7));
    // From the cursor, which stands on the row: it is found again.
    assert_eq!(f.find(&content(2, 1, "d"), false, CURRENT), "delta");
    assert_eq!(f.find(&content(1, 1, "o"), false, CURRENT), "echo");
    assert_eq!(f.find(&content(1, 1, "a"), true, END), "delta");
    assert_eq!(f.find(&subject_is("bravo"), true, CURRENT), "bravo");
    assert_eq!(f.position(), (2, 7));
    assert_eq!(f.read(0, true, 1).1, ["bravo"]);
    fails(
        f.client.find_row(
            f.table,
            &[tag::SUBJECT],
            &subject_is("zulu"),
            false,
            BEGINNING,
        ),
        code::NOT_FOUND,
    );
    f.client.seek_row(f.table, BEGINNING, 3, false).unwrap();
    fails(
        f.client.find_row(
            f.table,
            &[tag::SUBJECT],
            &subject_is("bravo"),
            false,
            CURRENT,
        ),
        code::NOT_FOUND,
    );
}

#[test]
fn every_table_rop_refuses_what_is_no_table() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    for object in [logon.handle, folder, message] {
        fails(client.set_columns(object, &[tag::MID]), code::NOT_SUPPORTED);
        fails(
            client.sort_table(object, &[(tag::MID, 0)]),
            code::NOT_SUPPORTED,
        );
        fails(client.restrict(object, None), code::NOT_SUPPORTED);
        fails(
            client.query_rows(object, &[], 0, true, 1),
            code::NOT_SUPPORTED,
        );
        fails(client.query_position(object), code::NOT_SUPPORTED);
        fails(
            client.seek_row(object, BEGINNING, 1, true),
            code::NOT_SUPPORTED,
        );
        fails(
            client.find_row(object, &[], &subject_is("x"), false, BEGINNING),
            code::NOT_SUPPORTED,
        );
    }
}

// MS-OXCFOLD 2.2.1.14.1.
#[test]
fn associated_messages_have_a_table_of_their_own() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    new_message(&mut client, folder, folder_id, "normal");
    let fai = client
        .create_message_with(folder, folder_id, true)
        .unwrap()
        .handle;
    client
        .set_props(fai, &[(tag::SUBJECT, text("associated"))])
        .unwrap();
    client.save_message(fai).unwrap();
    for (flags, subject) in [(0x00, "normal"), (0x02, "associated")] {
        let (table, count) = client.contents_table(folder, flags).unwrap();
        assert_eq!(count, 1);
        let rows = client
            .query_all_rows(table, &[tag::SUBJECT, tag::MESSAGE_FLAGS])
            .unwrap();
        assert_eq!(rows[0].text(0), subject);
        // mfFAI (MS-OXCMSG 2.2.1.6).
        assert_eq!(rows[0].int(1) & 0x40 != 0, flags == 0x02);
    }
}

// MS-OXCTABL 3.2.5.2: MultivalueInstance.
#[test]
fn a_multivalue_instance_column_makes_one_row_per_value() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "both");
    let name = ropewalk_tests::client::Name::Name(
        ropewalk_props::Guid::from_fields(0x0002_0329, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]),
        "Keywords".into(),
    );
    let property_id = client.property_ids(logon.handle, 2, &[name]).unwrap()[0];
    let many = (u32::from(property_id) << 16) | 0x101F;
    let categories = Value::MultipleString(vec!["Green".into(), "Blue".into()]);
    client.set_props(message, &[(many, categories)]).unwrap();
    client.save_message(message).unwrap();
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count, 1);
    let instance = many | 0x2000;
    client
        .set_columns(table, &[instance, tag::MID, tag::INSTANCE_NUM])
        .unwrap();
    client.sort_table(table, &[(instance, 0)]).unwrap();
    // The cells are of the single type.
    let columns = [(many & 0xFFFF_0000) | 0x001F, tag::MID, tag::INSTANCE_NUM];
    let rows = client.query_rows(table, &columns, 0, true, 9).unwrap().rows;
    let values: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
    assert_eq!(values, ["Blue", "Green"]);
    assert!(rows.iter().all(|row| row.id(1) == id));
    assert_ne!(rows[0].int(2), rows[1].int(2));
}

#[test]
fn a_table_that_is_asked_again_shows_what_was_saved_since() {
    let mut f = fixture();
    let (again, count) = f.client.contents_table(f.folder, 0).unwrap();
    assert_eq!(count, 7);
    let row = f.client.get_props(f.folder, &[tag::FOLDER_ID]).unwrap();
    new_message(&mut f.client, f.folder, row.id(0), "golf");
    f.client.delete_messages(f.folder, &[f.ids[0]]).unwrap();
    // Both the old view and a new one follow the folder (MS-OXCTABL 3.2.5: rows are in the table
    // as they are in the folder).
    let mut subjects: Vec<String> = f
        .client
        .query_all_rows(again, &[tag::SUBJECT])
        .unwrap()
        .iter()
        .map(|row| row.text(0))
        .collect();
    subjects.sort();
    assert_eq!(
        subjects,
        [
            "Alpha", "alpha", "bravo", "charlie", "echo", "foxtrot", "golf"
        ]
    );
}

#[test]
fn a_released_table_is_gone_and_its_folder_is_not() {
    let mut f = fixture();
    f.client.release(f.table).unwrap();
    assert!(f.client.query_position(f.table).is_err());
    assert_eq!(f.client.contents_table(f.folder, 0).unwrap().1, 7);
    let rop = Rop::new(0x05, 0).u8(1).u8(0);
    let answer = f.client.rop(&rop, &[f.folder, NO_HANDLE]).unwrap();
    assert_ne!(answer.handle(1).unwrap(), NO_HANDLE);
}

// What a client that pages through a table relies on: no row twice, none left out.
#[test]
fn changes_before_the_cursor_do_not_repeat_or_skip_rows_after_it() {
    let mut f = fixture();
    f.sort();
    let row = f.client.get_props(f.folder, &[tag::FOLDER_ID]).unwrap();
    let folder_id = row.id(0);
    let first = f.read(0, true, 3).1;
    assert_eq!(first[2], "bravo");
    new_message(&mut f.client, f.folder, folder_id, "aaa");
    new_message(&mut f.client, f.folder, folder_id, "aab");
    assert_eq!(
        f.read(0, true, 100).1,
        ["charlie", "delta", "echo", "foxtrot"]
    );
    f.client.seek_row(f.table, BEGINNING, 0, false).unwrap();
    let bravo = f.ids[3];
    let read = f.read(0, true, 5).1;
    assert_eq!(f.client.delete_messages(f.folder, &[bravo]).unwrap(), 0);
    let rest = f.read(0, true, 100).1;
    let mut all = [read, rest].concat();
    all.dedup();
    for subject in ["charlie", "delta", "echo", "foxtrot"] {
        assert_eq!(
            all.iter().filter(|read| *read == subject).count(),
            1,
            "{all:?}"
        );
    }
}

// MS-OXCDATA 2.12.5 to 2.12.10.
#[test]
fn restrictions_look_into_sizes_pairs_recipients_and_attachments() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (plain, _) = new_message(&mut client, folder, folder_id, "plain");
    client
        .set_props(plain, &[(tag::COMMENT, text("plain"))])
        .unwrap();
    client.save_message(plain).unwrap();
    let (to_grace, to_grace_id) = new_message(&mut client, folder, folder_id, "to Grace");
    client
        .modify_recipients(
            to_grace,
            &[],
            &[NewRecipient {
                row_id: 0,
                recipient_type: 1,
                display_name: "Grace",
                email_address: "grace@example.test",
                properties: Vec::new(),
            }],
        )
        .unwrap();
    client
        .set_props(to_grace, &[(tag::COMMENT, text("other"))])
        .unwrap();
    client.save_message(to_grace).unwrap();
    client.set_read_flags(folder, &[to_grace_id], 0x05).unwrap();
    let (attached, _) = new_message(&mut client, folder, folder_id, "with attachment");
    let (attachment, _) = client.create_attachment(attached).unwrap();
    client
        .set_props(
            attachment,
            &[
                (tag::ATTACH_METHOD, Value::Integer32(1)),
                (tag::ATTACH_LONG_FILENAME, text("knots.txt")),
                (tag::ATTACH_DATA_BINARY, Value::Binary(vec![0; 9000])),
            ],
        )
        .unwrap();
    client.save_attachment(attached, attachment).unwrap();
    client.save_message(attached).unwrap();

    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    let mut matching = |restriction: Restriction| {
        client.restrict(table, Some(&restriction)).unwrap();
        let rows = client
            .query_rows(table, &[tag::SUBJECT], 0, true, 10)
            .unwrap();
        let mut subjects: Vec<String> = rows.rows.iter().map(|row| row.text(0)).collect();
        subjects.sort();
        subjects
    };
    let recipients = PropTag(0x0E12_000D);
    let attachments = PropTag(0x0E13_000D);
    assert_eq!(
        matching(Restriction::SubObject {
            subobject: recipients,
            restriction: Box::new(property(RelOp::EQUAL, tag::DISPLAY_NAME, text("Grace"))),
        }),
        ["to Grace"]
    );
    assert_eq!(
        matching(Restriction::SubObject {
            subobject: attachments,
            restriction: Box::new(property(
                RelOp::EQUAL,
                tag::ATTACH_LONG_FILENAME,
                text("knots.txt")
            )),
        }),
        ["with attachment"]
    );
    assert_eq!(
        matching(Restriction::CompareProperties {
            rel_op: RelOp::EQUAL,
            prop_tag1: PropTag(tag::SUBJECT),
            prop_tag2: PropTag(tag::COMMENT),
        }),
        ["plain"]
    );
    assert_eq!(
        matching(Restriction::Size {
            rel_op: RelOp::GREATER_THAN,
            prop_tag: PropTag(tag::SUBJECT),
            size: 20,
        }),
        ["with attachment"]
    );
    assert_eq!(
        matching(property(
            RelOp::EQUAL,
            tag::HAS_ATTACHMENTS,
            Value::Boolean(true)
        )),
        ["with attachment"]
    );
    // Unread ones: mfRead is not set.
    assert_eq!(
        matching(Restriction::BitMask {
            bitmap_rel_op: 0,
            prop_tag: PropTag(tag::MESSAGE_FLAGS),
            mask: 1,
        }),
        ["to Grace"]
    );
    assert_eq!(
        matching(property(
            RelOp::GREATER_THAN,
            tag::MESSAGE_SIZE,
            Value::Integer32(9000)
        )),
        ["with attachment"]
    );
    // A comment does not count, a count takes the first ones.
    assert_eq!(
        matching(Restriction::Comment {
            tagged_values: vec![TaggedPropertyValue {
                tag: PropTag(tag::SUBJECT),
                value: text("ignored"),
            }],
            restriction: Some(Box::new(subject_is("plain"))),
        }),
        ["plain"]
    );
    assert_eq!(
        matching(Restriction::Count {
            count: 2,
            sub_restriction: Box::new(Restriction::Exist {
                prop_tag: PropTag(tag::SUBJECT),
            }),
        })
        .len(),
        2
    );
}

// MS-OXCTABL 2.2.2.5.1: EnablePackedBuffers, with the Chain flag of the Execute.
#[test]
fn packed_rows_come_once_and_in_order() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let long = "y".repeat(150);
    for i in 0..150 {
        let message = client.create_message(folder, folder_id).unwrap();
        client
            .set_props(message, &[(tag::SUBJECT, text(&format!("{i:03}{long}")))])
            .unwrap();
        client.save_message(message).unwrap();
        client.release(message).unwrap();
    }
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    client.flags |= CHAIN;
    client.max_rop_out = 0x4_0000;
    let rop = Rop::new(0x15, 0).u8(0x02).u8(1).u16(1000);
    let mut subjects = Vec::new();
    loop {
        let answer = client.rop(&rop, &[table]).unwrap();
        let mut bodies = vec![answer.body];
        // Further buffers have whole responses: RopId, handle index and ReturnValue first.
        bodies.extend(answer.chained.iter().map(|more| more[6..].to_vec()));
        let before = subjects.len();
        for body in bodies {
            let mut input = Reader::new(&body);
            let _origin = input.u8().unwrap();
            for _ in 0..input.u16().unwrap() {
                subjects.push(take_row(&mut input, &[tag::SUBJECT]).unwrap().text(0));
            }
            input.finish().unwrap();
        }
        if subjects.len() == before {
            break;
        }
    }
    let expected: Vec<String> = (0..150).map(|i| format!("{i:03}{long}")).collect();
    assert_eq!(subjects, expected);
}
