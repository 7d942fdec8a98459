//! What rows a restriction leaves (MS-OXCTABL 3.2.5.4, MS-OXCDATA 2.12).

use ropewalk_props::{FileTime, Guid, PropTag};
use ropewalk_tests::{
    client::{Cells as _, Client, Error, Handle, NewRecipient, Rop, Value},
    fixture::{ada, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use crate::fixture::{BEGINNING, END, messages, property, subject_is};

const TOO_COMPLEX: u32 = 0x8004_0117;
const RECIPIENTS: u32 = 0x0E12_000D;
const ATTACHMENTS: u32 = 0x0E13_000D;

const OPERATORS: [RelOp; 6] = [
    RelOp::LESS_THAN,
    RelOp::LESS_THAN_OR_EQUAL,
    RelOp::GREATER_THAN,
    RelOp::GREATER_THAN_OR_EQUAL,
    RelOp::EQUAL,
    RelOp::NOT_EQUAL,
];

fn content(low: u16, high: u16, property_tag: u32, value_tag: u32, value: Value) -> Restriction {
    Restriction::Content {
        fuzzy_level_low: low,
        fuzzy_level_high: high,
        property_tag: PropTag(property_tag),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(value_tag),
            value,
        },
    }
}

fn not(restriction: Restriction) -> Restriction {
    Restriction::Not(Box::new(restriction))
}

fn exist(tag: u32) -> Restriction {
    Restriction::Exist {
        prop_tag: PropTag(tag),
    }
}

fn within(tag: u32, restriction: Restriction) -> Restriction {
    Restriction::SubObject {
        subobject: PropTag(tag),
        restriction: Box::new(restriction),
    }
}

/// The subjects that a restriction leaves, one after the other.
fn left(client: &mut Client, table: Handle, restriction: &Restriction) -> String {
    client.restrict(table, Some(restriction)).unwrap();
    let columns = [tag::SUBJECT];
    let rows = client.query_rows(table, &columns, 0, true, 50).unwrap();
    assert_eq!(rows.origin, END);
    let left: Vec<String> = rows.rows.iter().map(|row| row.text(0)).collect();
    // RopFindRow goes by the same rules (3.2.5.14).
    client.restrict(table, None).unwrap();
    let found = client.find_row(table, &columns, restriction, false, BEGINNING);
    assert_eq!(
        found.ok().map(|found| found.row.unwrap().text(0)).as_ref(),
        left.first(),
        "{restriction:?}"
    );
    left.concat()
}

fn sorted_table(client: &mut Client, folder: Handle) -> Handle {
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    table
}

// MS-OXCDATA 2.12.5.1: every operator for every type that has an order, and what has no such property.
#[test]
fn values_of_each_type_compare() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let time = |ticks| Value::Time(FileTime(ticks));
    let guid = |last| {
        let mut bytes = [9; 16];
        bytes[15] = last;
        Value::Guid(Guid(bytes))
    };
    // Smaller, the constant, larger.
    let triples: Vec<(u32, [Value; 3])> = vec![
        (0x6901_0002, [-300, 7, 300].map(Value::Integer16)),
        (0x6902_0003, [i32::MIN, -1, i32::MAX].map(Value::Integer32)),
        (0x6903_0004, [-1.5, 0.25, 3e9].map(Value::Floating32)),
        (0x6904_0005, [-1e300, 0.0, 1e-300].map(Value::Floating64)),
        (0x6905_0006, [-70_000, 0, 1 << 40].map(Value::Currency)),
        (0x6906_0007, [1.0, 1.5, 40_000.0].map(Value::FloatingTime)),
        (
            0x6908_0014,
            [i64::MIN, 1 << 33, i64::MAX].map(Value::Integer64),
        ),
        (0x6909_001F, ["Able", "baker", "Charlie"].map(text)),
        (0x690A_0040, [1, 1 << 40, 1 << 60].map(time)),
        (0x690B_0048, [1, 2, 3].map(guid)),
        (
            0x690C_0102,
            [&[1, 2][..], &[1, 2, 0], &[1, 3]].map(|bytes| Value::Binary(bytes.to_vec())),
        ),
    ];
    for (at, subject) in ["s", "e", "l"].into_iter().enumerate() {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let props: Vec<_> = (triples.iter())
            .map(|(tag, values)| (*tag, values[at].clone()))
            .collect();
        client.set_props(message, &props).unwrap();
        let flag = (0x6907_000B, Value::Boolean(at == 2));
        client.set_props(message, &[flag]).unwrap();
        client.save_message(message).unwrap();
    }
    new_message(&mut client, folder, folder_id, "without");
    let table = sorted_table(&mut client, folder);
    for (tag, [_, constant, _]) in &triples {
        for (operator, wanted) in OPERATORS.into_iter().zip(["s", "es", "l", "el", "e", "ls"]) {
            let restriction = property(operator, *tag, constant.clone());
            assert_eq!(
                left(&mut client, table, &restriction),
                wanted,
                "{restriction:?}"
            );
        }
        let is_there = exist(*tag);
        assert_eq!(left(&mut client, table, &is_there), "els");
        assert_eq!(left(&mut client, table, &not(is_there)), "without");
        // What is not there does not compare, and that is denied like anything else.
        let equal = property(RelOp::EQUAL, *tag, constant.clone());
        assert_eq!(left(&mut client, table, &not(equal)), "lswithout");
        // The value has the property's type.
        let other = property(RelOp::EQUAL, (tag & 0xFFFF_0000) | 0x1003, {
            Value::MultipleInteger32(vec![1])
        });
        assert_eq!(left(&mut client, table, &other), "");
    }
    let flag = |value| property(RelOp::EQUAL, 0x6907_000B, Value::Boolean(value));
    assert_eq!(left(&mut client, table, &flag(true)), "l");
    assert_eq!(left(&mut client, table, &flag(false)), "es");
}

// MS-OXCDATA 2.12.1 to 2.12.3.
#[test]
fn restrictions_are_put_together() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c"]);
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    let (and, or) = (Restriction::And, Restriction::Or);
    let is = subject_is;
    let mut deep = is("b");
    for _ in 0..30 {
        deep = not(not(deep));
    }
    for (restriction, wanted) in [
        (and(vec![]), "abc"),
        (or(vec![]), ""),
        (not(and(vec![])), ""),
        (not(or(vec![])), "abc"),
        (or(vec![is("a"), is("c"), is("x")]), "ac"),
        (and(vec![not(is("a")), not(is("b"))]), "c"),
        (and(vec![or(vec![is("a"), is("b")]), not(is("a"))]), "b"),
        (deep, "b"),
        (
            Restriction::Comment {
                tagged_values: vec![],
                restriction: None,
            },
            "abc",
        ),
        (
            not(Restriction::Comment {
                tagged_values: vec![TaggedPropertyValue {
                    tag: PropTag(0x0001_0003),
                    value: Value::Integer32(9),
                }],
                restriction: Some(Box::new(is("a"))),
            }),
            "bc",
        ),
        (
            Restriction::Count {
                count: 0,
                sub_restriction: Box::new(not(is("a"))),
            },
            "",
        ),
        (
            Restriction::Count {
                count: 1,
                sub_restriction: Box::new(not(is("a"))),
            },
            "b",
        ),
        (
            Restriction::Count {
                count: u32::MAX,
                sub_restriction: Box::new(not(is("a"))),
            },
            "bc",
        ),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
    // The first ones as the table has them.
    client.sort_table(table, &[(tag::SUBJECT, 1)]).unwrap();
    let first = Restriction::Count {
        count: 2,
        sub_restriction: Box::new(and(vec![])),
    };
    assert_eq!(left(&mut client, table, &first), "cb");
}

// MS-OXCDATA 2.12.4.
#[test]
fn content_matches_whole_in_part_and_at_the_start() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    const WORDS: u32 = 0x6910_101F;
    const BYTES: u32 = 0x6911_0102;
    let long = format!("{}needle{}", "hay ".repeat(1500), " hay".repeat(1500));
    for (subject, words, bytes) in [
        ("Caf\u{e9} au lait", &["one", "Two"][..], &[1, 2, 3][..]),
        ("cafe", &["twofold"], &[2, 3]),
        ("The CAFE", &[], &[]),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let words = words.iter().map(|word| (*word).into()).collect();
        let props = [
            (WORDS, Value::MultipleString(words)),
            (BYTES, Value::Binary(bytes.to_vec())),
            (tag::BODY, text(&long)),
        ];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap();
    }
    let table = sorted_table(&mut client, folder);
    let (accent, plain, the) = ("Caf\u{e9} au lait", "cafe", "The CAFE");
    let subject = |low, high, value| content(low, high, tag::SUBJECT, tag::SUBJECT, text(value));
    let all = left(&mut client, table, &exist(tag::SUBJECT));
    for (restriction, wanted) in [
        (subject(0, 0, "cafe"), plain.to_owned()),
        (subject(0, 1, "CAFE"), plain.to_owned()),
        (subject(0, 0, "CAFE"), String::new()),
        (subject(0, 2, "Cafe au lait"), accent.to_owned()),
        (subject(0, 2, "cafe au lait"), String::new()),
        (subject(0, 3, "cafe au lait"), accent.to_owned()),
        (subject(0, 4, "CAFE AU LAIT"), accent.to_owned()),
        (subject(1, 0, "caf"), plain.to_owned()),
        (subject(1, 4, "caf\u{e9}"), all.clone()),
        (subject(1, 0, "CAFE"), the.to_owned()),
        (subject(2, 0, "Caf"), accent.to_owned()),
        (subject(2, 1, "the c"), the.to_owned()),
        (subject(2, 0, "the c"), String::new()),
        (subject(1, 0, ""), all.clone()),
        // Any of several values; the value is of the single type.
        (content(2, 1, WORDS, 0x6910_001F, text("TWO")), {
            format!("{plain}{accent}")
        }),
        (
            content(0, 0, WORDS, 0x6910_001F, text("one")),
            accent.to_owned(),
        ),
        // Bytes have no case.
        (
            content(1, 1, BYTES, BYTES, Value::Binary(vec![2, 3])),
            format!("{plain}{accent}"),
        ),
        (
            content(2, 0, BYTES, BYTES, Value::Binary(vec![2])),
            plain.to_owned(),
        ),
        (
            content(0, 0, BYTES, BYTES, Value::Binary(vec![1, 2, 3])),
            accent.to_owned(),
        ),
        // More than a cell holds.
        (
            content(1, 0, tag::BODY, tag::BODY, text(" needle ")),
            all.clone(),
        ),
        // The 8-bit form of a string, on either side.
        (
            content(
                0,
                1,
                0x0037_001E,
                0x0037_001E,
                Value::String8(b"Cafe".to_vec()),
            ),
            plain.to_owned(),
        ),
        (
            content(
                0,
                1,
                tag::SUBJECT,
                0x0037_001E,
                Value::String8(b"Cafe".to_vec()),
            ),
            plain.to_owned(),
        ),
    ] {
        let mut found = left(&mut client, table, &restriction);
        let mut wanted = wanted;
        if found != wanted {
            // Where "Café" stands among the others is the sort order's business.
            for order in [&mut found, &mut wanted] {
                let mut chars: Vec<char> = order.chars().collect();
                chars.sort_unstable();
                *order = chars.into_iter().collect();
            }
        }
        assert_eq!(found, wanted, "{restriction:?}");
    }
}

// MS-OXCDATA 2.12.6 to 2.12.8.
#[test]
fn bits_sizes_and_pairs() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    const BITS: u32 = 0x6920_0003;
    const OTHER: u32 = 0x6921_0003;
    const NAME: u32 = 0x6922_001F;
    const BYTES: u32 = 0x6923_0102;
    for (subject, bits, other, name, bytes) in [
        ("a", 0, 1, "x", 0),
        ("b", 5, 5, "xyz", 300),
        ("c", i32::MIN, 0, "", 9000),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let props = [
            (BITS, Value::Integer32(bits)),
            (OTHER, Value::Integer32(other)),
            (NAME, text(name)),
            (BYTES, Value::Binary(vec![7; bytes])),
        ];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap();
    }
    new_message(&mut client, folder, folder_id, "n");
    let table = sorted_table(&mut client, folder);
    let bits = |bitmap_rel_op, mask| Restriction::BitMask {
        bitmap_rel_op,
        prop_tag: PropTag(BITS),
        mask,
    };
    let size = |rel_op, tag, size| Restriction::Size {
        rel_op,
        prop_tag: PropTag(tag),
        size,
    };
    let pair = |rel_op, left, right| Restriction::CompareProperties {
        rel_op,
        prop_tag1: PropTag(left),
        prop_tag2: PropTag(right),
    };
    for (restriction, wanted) in [
        (bits(0, 1), "ac"),
        (bits(1, 1), "b"),
        (bits(1, 0x8000_0004), "bc"),
        (bits(0, 0), "abc"),
        (bits(1, 0), ""),
        // The terminator counts: what is sent (2.11.1).
        (size(RelOp::EQUAL, NAME, 4), "a"),
        (size(RelOp::GREATER_THAN, NAME, 2), "ab"),
        (size(RelOp::LESS_THAN_OR_EQUAL, BYTES, 300), "ab"),
        (size(RelOp::GREATER_THAN, BYTES, 8999), "c"),
        (size(RelOp::EQUAL, BITS, 4), "abc"),
        (pair(RelOp::EQUAL, BITS, OTHER), "b"),
        (pair(RelOp::LESS_THAN, BITS, OTHER), "ac"),
        (pair(RelOp::NOT_EQUAL, BITS, OTHER), "ac"),
        (pair(RelOp::GREATER_THAN_OR_EQUAL, tag::SUBJECT, NAME), "c"),
        (pair(RelOp::EQUAL, BITS, 0x6999_0003), ""),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
    // Left to the server, and not to be passed over in silence: operators and pairs without a meaning.
    for restriction in [
        bits(2, 1),
        pair(RelOp::EQUAL, BITS, NAME),
        size(RelOp(6), BYTES, 1),
        property(RelOp::MEMBER_OF_DL, BITS, Value::Integer32(1)),
        Restriction::BitMask {
            bitmap_rel_op: 0,
            prop_tag: PropTag(NAME),
            mask: 1,
        },
        within(0x0E99_000D, exist(BITS)),
        content(3, 0, tag::SUBJECT, tag::SUBJECT, text("a")),
        content(0, 0, BITS, BITS, Value::Integer32(1)),
    ] {
        let result = client.restrict(table, Some(&restriction));
        match result {
            Err(Error::Rop { code, .. }) => assert_eq!(code, TOO_COMPLEX, "{restriction:?}"),
            other => panic!("{restriction:?}: {other:?}"),
        }
    }
}

// MS-OXCDATA 2.12.10: what is asked of a recipient or an attachment is asked of one of them.
#[test]
fn one_subobject_has_to_match_alone() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for (subject, people, files) in [
        ("a", &[("Ann", 1), ("Bob", 2)][..], &["x.txt"][..]),
        ("b", &[("Ann", 2), ("Bob", 1)], &["x.txt", "y.png"]),
        ("c", &[], &[]),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let people: Vec<_> = (0..)
            .zip(people)
            .map(|(row_id, (name, kind))| NewRecipient {
                row_id,
                recipient_type: *kind,
                display_name: name,
                email_address: "someone@example.test",
                properties: Vec::new(),
            })
            .collect();
        client.modify_recipients(message, &[], &people).unwrap();
        for file in files {
            let (attachment, _) = client.create_attachment(message).unwrap();
            let props = [
                (tag::ATTACH_METHOD, Value::Integer32(1)),
                (tag::ATTACH_LONG_FILENAME, text(file)),
                (tag::ATTACH_DATA_BINARY, Value::Binary(vec![1, 2])),
            ];
            client.set_props(attachment, &props).unwrap();
            client.save_attachment(message, attachment).unwrap();
        }
        client.save_message(message).unwrap();
    }
    let table = sorted_table(&mut client, folder);
    let named = |name| property(RelOp::EQUAL, tag::DISPLAY_NAME, text(name));
    let kind = |kind| property(RelOp::EQUAL, tag::RECIPIENT_TYPE, Value::Integer32(kind));
    let file = |name| property(RelOp::EQUAL, tag::ATTACH_LONG_FILENAME, text(name));
    let and = Restriction::And;
    for (restriction, wanted) in [
        (within(RECIPIENTS, and(vec![named("Ann"), kind(1)])), "a"),
        (
            and(vec![
                within(RECIPIENTS, named("Ann")),
                within(RECIPIENTS, kind(1)),
            ]),
            "ab",
        ),
        (within(RECIPIENTS, and(vec![])), "ab"),
        (not(within(RECIPIENTS, and(vec![]))), "c"),
        (within(RECIPIENTS, not(named("Ann"))), "ab"),
        (within(ATTACHMENTS, file("y.png")), "b"),
        (
            within(ATTACHMENTS, and(vec![file("x.txt"), file("y.png")])),
            "",
        ),
        (
            within(
                ATTACHMENTS,
                property(RelOp::EQUAL, tag::ATTACH_NUMBER, Value::Integer32(1)),
            ),
            "b",
        ),
        (within(ATTACHMENTS, not(file("x.txt"))), "b"),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
}

// 3.2.5.4: properties that the server works out restrict like those that were set.
#[test]
fn what_the_server_works_out_restricts_as_well() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, a) = new_message(&mut client, folder, folder_id, "a");
    let (message, b) = new_message(&mut client, folder, folder_id, "b");
    let body = [(tag::BODY, text(&"body ".repeat(2000)))];
    client.set_props(message, &body).unwrap();
    client.save_message(message).unwrap();
    client.set_read_flags(folder, &[b], 0x05).unwrap();
    let table = sorted_table(&mut client, folder);
    let columns = [
        tag::ENTRY_ID,
        tag::SOURCE_KEY,
        tag::CHANGE_KEY,
        tag::LAST_MODIFICATION_TIME,
        tag::INSTANCE_KEY,
        tag::RECORD_KEY,
        tag::CHANGE_NUMBER,
    ];
    let rows = client.query_all_rows(table, &columns).unwrap();
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    let id = |id: u64| Value::Integer64(id.cast_signed());
    for (at, tag) in columns.iter().enumerate() {
        let first = property(RelOp::EQUAL, *tag, rows[0].value(at).clone());
        let wanted =
            if *tag == tag::LAST_MODIFICATION_TIME && rows[0].value(at) == rows[1].value(at) {
                "ab"
            } else {
                "a"
            };
        assert_eq!(left(&mut client, table, &first), wanted, "{tag:#010x}");
    }
    for (restriction, wanted) in [
        (property(RelOp::EQUAL, tag::MID, id(a)), "a"),
        (property(RelOp::EQUAL, tag::INST_ID, id(b)), "b"),
        (property(RelOp::EQUAL, tag::FOLDER_ID, id(folder_id)), "ab"),
        (
            property(RelOp::EQUAL, tag::PARENT_FOLDER_ID, id(folder_id)),
            "ab",
        ),
        (
            property(
                RelOp::GREATER_THAN,
                tag::MESSAGE_SIZE,
                Value::Integer32(9000),
            ),
            "b",
        ),
        (
            Restriction::BitMask {
                bitmap_rel_op: 1,
                prop_tag: PropTag(tag::MESSAGE_FLAGS),
                mask: 1,
            },
            "a",
        ),
        (
            property(RelOp::EQUAL, tag::HAS_ATTACHMENTS, Value::Boolean(false)),
            "ab",
        ),
        (
            property(RelOp::EQUAL, 0x0E69_000B, Value::Boolean(false)),
            "b",
        ),
        (
            property(RelOp::EQUAL, tag::MESSAGE_CLASS, text("ipm.note")),
            "ab",
        ),
        (
            property(RelOp::EQUAL, 0x0FF5_0003, Value::Integer32(1)),
            "ab",
        ),
        (
            property(RelOp::EQUAL, tag::OBJECT_TYPE, Value::Integer32(5)),
            "ab",
        ),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
    // So do those of folders.
    let child = client.create_folder(folder, "child").unwrap();
    client.create_folder(child.handle, "grandchild").unwrap();
    let (hierarchy, _) = client.hierarchy_table(folder, 0x04).unwrap();
    let columns = [tag::DISPLAY_NAME];
    client.set_columns(hierarchy, &columns).unwrap();
    for (restriction, wanted) in [
        (
            property(RelOp::EQUAL, tag::DEPTH, Value::Integer32(2)),
            "grandchild",
        ),
        (
            property(RelOp::EQUAL, tag::SUBFOLDERS, Value::Boolean(true)),
            "child",
        ),
        (
            property(RelOp::EQUAL, tag::PARENT_FOLDER_ID, id(child.folder_id)),
            "grandchild",
        ),
        (
            property(RelOp::EQUAL, tag::CONTENT_COUNT, Value::Integer32(0)),
            "childgrandchild",
        ),
        (
            content(1, 0, tag::DISPLAY_NAME, tag::DISPLAY_NAME, text("grand")),
            { "grandchild" },
        ),
    ] {
        client.restrict(hierarchy, Some(&restriction)).unwrap();
        let rows = client
            .query_rows(hierarchy, &columns, 0, true, 9)
            .unwrap()
            .rows;
        let names: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
        assert_eq!(names.concat(), wanted, "{restriction:?}");
    }
}

// 3.2.5.4: bytes that are no restriction, in each of their forms.
#[test]
fn what_is_no_restriction_is_refused() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a"]);
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    let mut nested = vec![0x02; 300];
    nested.extend([0x08, 0x1F, 0x00, 0x37, 0x00]);
    let bad: [&[u8]; 8] = [
        &[0x0C],
        &[0xFF],
        &[0x02],
        &[0x00, 1, 0],
        &[0x01, 0xFF, 0xFF],
        &[0x0A, 1],
        &[0x0B, 1, 0, 0, 0],
        &nested,
    ];
    for data in bad {
        for rop in [
            Rop::new(0x14, 0).u8(0).sized(data),
            Rop::new(0x4F, 0).u8(0).sized(data).u8(0).sized(&[]),
        ] {
            let code = client.rop(&rop, &[table]).unwrap_err().code();
            assert!([0x8007_0057, TOO_COMPLEX].contains(&code), "{code:#x}");
        }
    }
    assert_eq!(client.query_position(table).unwrap(), (0, 1));
}
