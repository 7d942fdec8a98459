//! Rows for each value of a multi-valued property (MS-OXCTABL 2.2.1.1, 2.2.1.2, 3.2.5.2 and 3.2.5.3).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Row, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use crate::fixture::{BEGINNING, CURRENT, END, create_bookmark, seek_row_bookmark};

const COLORS: u32 = 0x6810_101F;
/// The tag with the MultivalueInstance bit, and the type that its cells have.
const COLOR: u32 = 0x6810_301F;
const CELL: u32 = 0x6810_001F;
const NUMBERS: u32 = 0x6811_1003;
const NUMBER: u32 = 0x6811_3003;

const ROW_TYPE: u32 = 0x0FF5_0003;
const COLUMNS: [u32; 4] = [tag::SUBJECT, COLOR, tag::INST_ID, tag::INSTANCE_NUM];
const CELLS: [u32; 4] = [tag::SUBJECT, CELL, tag::INST_ID, tag::INSTANCE_NUM];

/// Messages "rb" (red, blue), "r" (red), "none" (no colour) and "gg" (green twice), and a table of
/// them that has a row for each colour, in their order.
fn table(client: &mut Client) -> (Handle, Handle, Vec<u64>) {
    let logon = client.logon().unwrap();
    let (folder, folder_id) = new_folder(client, &logon);
    let mut ids = Vec::new();
    for (subject, colors) in [
        ("rb", &["Red", "Blue"][..]),
        ("r", &["Red"]),
        ("none", &[]),
        ("gg", &["Green", "Green"]),
    ] {
        let (message, id) = new_message(client, folder, folder_id, subject);
        if !colors.is_empty() {
            let values = colors.iter().map(|color| (*color).into()).collect();
            let numbers = (0..).zip(colors).map(|(number, _)| number).collect();
            let props = [
                (COLORS, Value::MultipleString(values)),
                (NUMBERS, Value::MultipleInteger32(numbers)),
            ];
            client.set_props(message, &props).unwrap();
            client.save_message(message).unwrap();
        }
        client.release(message).unwrap();
        ids.push(id);
    }
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count, 4);
    client.set_columns(table, &COLUMNS).unwrap();
    client
        .sort_table(table, &[(COLOR, 0), (tag::SUBJECT, 0)])
        .unwrap();
    (folder, table, ids)
}

fn color(row: &Row) -> String {
    match &row.cells[1] {
        ropewalk_wire::row::RowCell::Value(_) => row.text(1),
        _ => {
            assert_eq!(row.error(1), code::NOT_FOUND);
            "-".to_owned()
        }
    }
}

/// Subject and colour of all rows from the first.
fn rows(client: &mut Client, table: Handle) -> Vec<String> {
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    let all = client.query_rows(table, &CELLS, 0, true, 50).unwrap();
    assert_eq!(all.origin, END);
    let rows: Vec<String> = (all.rows.iter())
        .map(|row| format!("{} {}", row.text(0), color(row)))
        .collect();
    assert_eq!(client.query_position(table).unwrap().1 as usize, rows.len());
    rows
}

fn is(rel_op: RelOp, prop_tag: u32, value: &str) -> Restriction {
    Restriction::Property {
        rel_op,
        prop_tag: PropTag(prop_tag),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(CELL),
            value: text(value),
        },
    }
}

// 3.2.5.2: a row for each value, the same value twice included; one for a message without any.
#[test]
fn a_message_has_a_row_for_each_of_its_values() {
    let (mut client, _) = ada();
    let (folder, table, ids) = table(&mut client);
    assert_eq!(
        rows(&mut client, table),
        [
            "none -", "rb Blue", "gg Green", "gg Green", "r Red", "rb Red"
        ]
    );
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    let all = client.query_rows(table, &CELLS, 0, true, 50).unwrap().rows;
    // 2.2.1.1, 2.2.1.2: one PidTagInstID, and a PidTagInstanceNum for each instance.
    let of = |id: u64| -> Vec<i32> {
        let mut numbers: Vec<i32> = (all.iter())
            .filter(|row| row.id(2) == id)
            .map(|row| row.int(3))
            .collect();
        numbers.sort_unstable();
        let before = numbers.len();
        numbers.dedup();
        assert_eq!(numbers.len(), before);
        numbers
    };
    let counts: Vec<usize> = ids.iter().map(|id| of(*id).len()).collect();
    assert_eq!(counts, [2, 1, 1, 2]);
    // 3.2.5.3: by the single values, the largest first.
    client
        .sort_table(table, &[(COLOR, 1), (tag::SUBJECT, 0)])
        .unwrap();
    assert_eq!(
        rows(&mut client, table),
        [
            "r Red", "rb Red", "gg Green", "gg Green", "rb Blue", "none -"
        ]
    );
    // With a message go all its rows; a bookmark on one of them knows.
    client.seek_row(table, BEGINNING, 3, false).unwrap();
    let bookmark = create_bookmark(&mut client, table).unwrap();
    client.delete_messages(folder, &[ids[3]]).unwrap();
    assert_eq!(
        rows(&mut client, table),
        ["r Red", "rb Red", "rb Blue", "none -"]
    );
    assert_eq!(
        seek_row_bookmark(&mut client, table, &bookmark, 0).unwrap(),
        (1, 0, 0)
    );
    assert_eq!(client.query_position(table).unwrap(), (2, 4));
    // Columns without the bit: a row for each message, unless it is still sorted by the bit.
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    client.set_columns(table, &[tag::SUBJECT, COLORS]).unwrap();
    assert_eq!(client.query_position(table).unwrap().1, 3);
    let all = client
        .query_rows(table, &[tag::SUBJECT, COLORS], 0, true, 9)
        .unwrap();
    assert_eq!(
        *all.rows[2].value(1),
        Value::MultipleString(vec!["Red".into(), "Blue".into()])
    );
    client.sort_table(table, &[(COLOR, 0)]).unwrap();
    assert_eq!(client.query_position(table).unwrap().1, 4);
}

// 3.2.5.4 with MS-OXCDATA 2.12: the tag with the bit is about the row's value, without it about any
// value of the message.
#[test]
fn a_restriction_on_an_instance_is_about_its_own_value() {
    let (mut client, _) = ada();
    let (_, table, _) = table(&mut client);
    let cases: [(Restriction, &[&str]); 7] = [
        (is(RelOp::EQUAL, COLOR, "red"), &["r Red", "rb Red"]),
        (
            is(RelOp::EQUAL, COLORS, "red"),
            &["rb Blue", "r Red", "rb Red"],
        ),
        (
            is(RelOp::NOT_EQUAL, COLOR, "Red"),
            &["rb Blue", "gg Green", "gg Green"],
        ),
        (
            Restriction::Not(Box::new(is(RelOp::EQUAL, COLOR, "Red"))),
            &["none -", "rb Blue", "gg Green", "gg Green"],
        ),
        (
            Restriction::And(vec![
                is(RelOp::EQUAL, COLORS, "Red"),
                is(RelOp::LESS_THAN, COLOR, "Green"),
            ]),
            &["rb Blue"],
        ),
        (
            Restriction::Content {
                fuzzy_level_low: 2,
                fuzzy_level_high: 1,
                property_tag: PropTag(COLOR),
                tagged_value: TaggedPropertyValue {
                    tag: PropTag(CELL),
                    value: text("bL"),
                },
            },
            &["rb Blue"],
        ),
        (
            Restriction::Count {
                count: 1,
                sub_restriction: Box::new(is(RelOp::EQUAL, COLOR, "Red")),
            },
            &["r Red"],
        ),
    ];
    for (restriction, wanted) in cases {
        client.restrict(table, Some(&restriction)).unwrap();
        assert_eq!(rows(&mut client, table), wanted, "{restriction:?}");
    }
    // Without a row for each value there is no other than any.
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    client
        .restrict(table, Some(&is(RelOp::EQUAL, COLOR, "Blue")))
        .unwrap();
    assert_eq!(client.query_position(table).unwrap().1, 1);
}

// 3.2.5.14: what is found is the row with the value.
#[test]
fn the_row_with_the_value_is_found() {
    let (mut client, _) = ada();
    let (_, table, _) = table(&mut client);
    let red = is(RelOp::EQUAL, COLOR, "Red");
    let mut find = |restriction: &Restriction, backward, origin| {
        let found = client.find_row(table, &CELLS, restriction, backward, origin)?;
        let row = found.row.unwrap();
        Ok((
            format!("{} {}", row.text(0), color(&row)),
            client.query_position(table)?.0,
        ))
    };
    let row = |row: &str, at| (row.to_owned(), at);
    assert_eq!(find(&red, false, BEGINNING).unwrap(), row("r Red", 4));
    assert_eq!(find(&red, true, END).unwrap(), row("rb Red", 5));
    assert_eq!(find(&red, true, CURRENT).unwrap(), row("r Red", 4));
    fails(find(&red, true, CURRENT), code::NOT_FOUND);
    let any = is(RelOp::EQUAL, COLORS, "Red");
    assert_eq!(find(&any, false, BEGINNING).unwrap(), row("rb Blue", 1));
}

// 2.2.2.3.1, 2.2.1.5: a category for each value, which counts rows.
#[test]
fn messages_stand_in_the_category_of_each_value() {
    let (mut client, _) = ada();
    let (folder, table, ids) = table(&mut client);
    client.set_read_flags(folder, &[ids[0]], 0x05).unwrap();
    let columns = [
        ROW_TYPE,
        COLOR,
        tag::SUBJECT,
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
        tag::INST_ID,
        tag::DEPTH,
    ];
    client.set_columns(table, &columns).unwrap();
    let sort = Rop::new(0x13, 0)
        .u8(0)
        .u16(2)
        .u16(1)
        .u16(1)
        .u32(COLOR)
        .u8(0)
        .u32(tag::SUBJECT)
        .u8(0);
    assert_eq!(
        client
            .rop(&sort, &[table])
            .unwrap()
            .read(Reader::u8)
            .unwrap(),
        0
    );
    let mut cells = columns;
    cells[1] = CELL;
    let all = |client: &mut Client| {
        client.seek_row(table, BEGINNING, 0, false).unwrap();
        let all = client.query_rows(table, &cells, 0, true, 50).unwrap().rows;
        let show = |row: &Row| match row.int(0) {
            1 => {
                assert_eq!(row.int(6), 1);
                format!("{} {}", row.text(2), color(row))
            }
            3 => format!("[{}] {} {}", color(row), row.int(3), row.int(4)),
            kind => panic!("PidTagRowType {kind}"),
        };
        let shown: Vec<String> = all.iter().map(show).collect();
        shown
    };
    assert_eq!(
        all(&mut client),
        [
            "[-] 1 0",
            "none -",
            "[Blue] 1 1",
            "rb Blue",
            "[Green] 2 0",
            "gg Green",
            "gg Green",
            "[Red] 2 1",
            "r Red",
            "rb Red",
        ]
    );
    let red = is(RelOp::EQUAL, COLOR, "Red");
    client.restrict(table, Some(&red)).unwrap();
    assert_eq!(all(&mut client), ["[Red] 2 1", "r Red", "rb Red"]);
}

// 3.2.5.2: numbers are expanded like text, and no table by two properties.
#[test]
fn a_table_is_expanded_by_one_property_of_any_type() {
    let (mut client, _) = ada();
    let (_, table, _) = table(&mut client);
    client.sort_table(table, &[]).unwrap();
    client.set_columns(table, &[tag::SUBJECT, NUMBER]).unwrap();
    client
        .sort_table(table, &[(NUMBER, 1), (tag::SUBJECT, 0)])
        .unwrap();
    let cells = [tag::SUBJECT, 0x6811_0003];
    let all = client.query_rows(table, &cells, 0, true, 9).unwrap().rows;
    let all: Vec<String> = (all.iter().take(5))
        .map(|row| format!("{}{}", row.text(0), row.int(1)))
        .collect();
    assert_eq!(all, ["gg1", "rb1", "gg0", "r0", "rb0"]);
    // Of another type it is a property that no message has.
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    client.set_columns(table, &[0x6811_301F]).unwrap();
    assert_eq!(client.query_position(table).unwrap().1, 4);
    // ecTooComplex: that is left to the server.
    fails(client.set_columns(table, &[NUMBER, COLOR]), 0x8004_0117);
    fails(
        client.query_rows(table, &cells, 0, true, 9),
        code::NULL_OBJECT,
    );
    // The bit is for multi-valued types alone.
    fails(
        client.set_columns(table, &[0x0037_201F]),
        code::INVALID_PARAMETER,
    );
}

// 3.2.5.2: however large the property is. Each row has a key of its own.
#[test]
fn a_property_of_many_values_makes_many_rows() {
    const VALUES: usize = 250;
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "many");
    // More than is kept beside the other properties.
    let value = |at: usize| format!("{:03} {}", at * 7 % VALUES, "x".repeat(40));
    let values: Vec<_> = (0..VALUES).map(|at| value(at).as_str().into()).collect();
    client
        .set_props(message, &[(COLORS, Value::MultipleString(values))])
        .unwrap();
    client.save_message(message).unwrap();
    new_message(&mut client, folder, folder_id, "none");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let columns = [COLOR, tag::INSTANCE_NUM, tag::INSTANCE_KEY];
    let cells = [CELL, tag::INSTANCE_NUM, tag::INSTANCE_KEY];
    client.set_columns(table, &columns).unwrap();
    client.sort_table(table, &[(COLOR, 0)]).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 251));
    let mut all = Vec::new();
    loop {
        let rows = client.query_rows(table, &cells, 0, true, 400).unwrap();
        all.extend(rows.rows);
        if rows.origin == END {
            break;
        }
    }
    assert_eq!(all.len(), VALUES + 1);
    assert_eq!(all[0].error(0), code::NOT_FOUND);
    let mut keys = std::collections::HashSet::new();
    for (at, row) in all.iter().enumerate() {
        assert!(keys.insert(row.binary(2).to_vec()));
        if at > 0 {
            assert!(row.text(0).starts_with(&format!("{:03} x", at - 1)), "{at}");
            assert_eq!(row.int(1) as usize * 7 % VALUES, at - 1);
        }
    }
    let one = Restriction::Content {
        fuzzy_level_low: 2,
        fuzzy_level_high: 0,
        property_tag: PropTag(COLOR),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(CELL),
            value: text("24"),
        },
    };
    client.restrict(table, Some(&one)).unwrap();
    let rows = client.query_rows(table, &cells, 0, true, 400).unwrap().rows;
    let found: Vec<String> = rows.iter().map(|row| row.text(0)[..3].to_owned()).collect();
    let wanted: Vec<String> = (240..VALUES).map(|at| format!("{at:03}")).collect();
    assert_eq!(found, wanted);
}

// MS-OXCDATA 2.11.1: the 8-bit form of a string property names the same property.
#[test]
fn instances_in_the_eight_bit_form() {
    const COLOR_8: u32 = 0x6810_301E;
    const CELL_8: u32 = 0x6810_001E;
    let (mut client, _) = ada();
    let (_, table, _) = table(&mut client);
    client.set_columns(table, &[tag::SUBJECT, COLOR_8]).unwrap();
    client
        .sort_table(table, &[(COLOR_8, 0), (0x0037_001E, 0)])
        .unwrap();
    let cells = [tag::SUBJECT, CELL_8];
    let shown = |client: &mut Client| {
        client.seek_row(table, BEGINNING, 0, false).unwrap();
        let rows = client.query_rows(table, &cells, 0, true, 50).unwrap().rows;
        let shown: Vec<String> = (rows.iter())
            .map(|row| match &row.cells[1] {
                ropewalk_wire::row::RowCell::Value(Value::String8(value)) => {
                    row.text(0) + &String::from_utf8_lossy(value)
                }
                _ => row.text(0),
            })
            .collect();
        shown
    };
    assert_eq!(
        shown(&mut client),
        ["none", "rbBlue", "ggGreen", "ggGreen", "rRed", "rbRed"]
    );
    let blue = Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(COLOR_8),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(CELL_8),
            value: Value::String8(b"blue".to_vec()),
        },
    };
    client.restrict(table, Some(&blue)).unwrap();
    assert_eq!(shown(&mut client), ["rbBlue"]);
    // A value that says that it is an instance has the single type as well (2.11.1).
    let data = [
        &[0x04, 0x04][..],
        &COLOR.to_le_bytes(),
        &COLOR.to_le_bytes(),
        &[b'R', 0, b'e', 0, b'd', 0, 0, 0],
    ]
    .concat();
    let restrict = Rop::new(0x14, 0).u8(0).sized(&data);
    client.rop(&restrict, &[table]).unwrap();
    assert_eq!(shown(&mut client), ["rRed", "rbRed"]);
}
