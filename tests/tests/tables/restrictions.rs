//! Rows that match: RopRestrict and RopFindRow (MS-OXCDATA 2.12).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, NewRecipient, Rop, Value, restriction_bytes},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use crate::fixture::{BEGINNING, CURRENT, END, content, fixture, property, subject_is};

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
