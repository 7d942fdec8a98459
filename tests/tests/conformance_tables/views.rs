//! Columns, orders and restrictions (MS-OXCTABL 3.2.5.2 to 3.2.5.4, 3.2.5.13).

use ropewalk_props::{FileTime, Guid};
use ropewalk_tests::{
    client::{Cells as _, Client, Error, Result, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::Reader;

use crate::fixture::{
    BEGINNING, COLUMNS, END, NO_ADVANCE, messages, reset_table, subject_is, subjects,
};

// MS-OXCTABL 3.2.5.2: a RopSetColumns that fails takes the columns away.
#[test]
fn columns_that_make_no_sense_leave_the_table_without_any() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["one"]);
    let bad: [&[u32]; 5] = [
        &[],
        &[tag::SUBJECT & 0xFFFF_0000],
        &[tag::MID, 0x0037_000A],
        &[0x0037_0099],
        &[0x0037_301E & !0x1000],
    ];
    for columns in bad {
        client.set_columns(table, &COLUMNS).unwrap();
        assert_eq!(subjects(&mut client, table, NO_ADVANCE, true, 1).1, ["one"]);
        fails(client.set_columns(table, columns), code::INVALID_PARAMETER);
        fails(
            client.query_rows(table, &COLUMNS, 0, true, 1),
            code::NULL_OBJECT,
        );
    }
    // A row has no value for an object, nor for a property that the message does not have.
    let columns = [tag::ATTACH_DATA_OBJECT, 0x6901_0003, tag::SUBJECT];
    client.set_columns(table, &columns).unwrap();
    let rows = client.query_rows(table, &columns, 0, true, 1).unwrap();
    assert_eq!(rows.rows[0].error(0), code::NOT_FOUND);
    assert_eq!(rows.rows[0].error(1), code::NOT_FOUND);
    assert_eq!(rows.rows[0].text(2), "one");
}

// MS-OXCTABL 3.2.5.3: what a table sorts by, and what it does not.
#[test]
fn a_table_sorts_by_a_property_of_any_type() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let strings =
        |texts: &[&str]| Value::MultipleString(texts.iter().map(|text| (*text).into()).collect());
    let guid = |first| Value::Guid(Guid([first; 16]));
    // Lesser and greater values, each type under an id of its own.
    let pairs: Vec<(u32, Value, Value)> = vec![
        (0x6801_0002, Value::Integer16(-3), Value::Integer16(4)),
        (0x6802_0003, Value::Integer32(-70_000), Value::Integer32(1)),
        (
            0x6803_0004,
            Value::Floating32(-0.5),
            Value::Floating32(0.25),
        ),
        (
            0x6804_0005,
            Value::Floating64(-1e300),
            Value::Floating64(1.0),
        ),
        (0x6805_0006, Value::Currency(-10_000), Value::Currency(5)),
        (
            0x6806_0007,
            Value::FloatingTime(1.5),
            Value::FloatingTime(2.0),
        ),
        (0x6807_000B, Value::Boolean(false), Value::Boolean(true)),
        (0x6808_0014, Value::Integer64(-1), Value::Integer64(1 << 40)),
        (0x6809_001F, text("alpha"), text("Beta")),
        (
            0x680A_0040,
            Value::Time(FileTime(5)),
            Value::Time(FileTime(6)),
        ),
        (0x680B_0048, guid(1), guid(2)),
        (
            0x680C_0102,
            Value::Binary(vec![1, 2]),
            Value::Binary(vec![1, 3]),
        ),
        (
            0x680D_1003,
            Value::MultipleInteger32(vec![1, 9]),
            Value::MultipleInteger32(vec![2]),
        ),
        (0x680E_101F, strings(&["a", "z"]), strings(&["b"])),
    ];
    let mut add = |subject: &str, values: Vec<(u32, Value)>| {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        client.set_props(message, &values).unwrap();
        client.save_message_with(message, 0x0A).unwrap();
        client.release(message).unwrap();
    };
    add(
        "greater",
        pairs
            .iter()
            .map(|(tag, _, greater)| (*tag, greater.clone()))
            .collect(),
    );
    add(
        "lesser",
        pairs
            .iter()
            .map(|(tag, lesser, _)| (*tag, lesser.clone()))
            .collect(),
    );
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &COLUMNS).unwrap();
    for (sorted_by, _, _) in &pairs {
        for (order, wanted) in [(0, ["lesser", "greater"]), (1, ["greater", "lesser"])] {
            client.sort_table(table, &[(*sorted_by, order)]).unwrap();
            let (_, rows) = subjects(&mut client, table, 0, true, 9);
            assert_eq!(rows, wanted, "{sorted_by:#010x}");
        }
    }
    // Each value of its own (2.2.2.3.1): the rows of a message are as many as it has values.
    let instance = 0x680E_301F;
    client
        .set_columns(table, &[tag::SUBJECT, instance])
        .unwrap();
    client.sort_table(table, &[(instance, 0)]).unwrap();
    let rows = client
        .query_rows(table, &[tag::SUBJECT, 0x680E_001F], 0, true, 9)
        .unwrap();
    let rows: Vec<_> = rows
        .rows
        .iter()
        .map(|row| (row.text(1), row.text(0)))
        .collect();
    let row = |value: &str, subject: &str| (value.to_owned(), subject.to_owned());
    assert_eq!(
        rows,
        [row("a", "lesser"), row("b", "greater"), row("z", "lesser")]
    );

    client.set_columns(table, &COLUMNS).unwrap();
    for bad in [0x0037_0000, 0x0037_000A, 0x0037_0099] {
        fails(
            client.sort_table(table, &[(bad, 0)]),
            code::INVALID_PARAMETER,
        );
    }
    fails(
        client.sort_table(table, &[(tag::SUBJECT, 9)]),
        code::INVALID_PARAMETER,
    );
    // No sort orders: the default order.
    client.sort_table(table, &[]).unwrap();
    assert_eq!(subjects(&mut client, table, 0, true, 9).1.len(), 2);
}

// MS-OXCTABL 3.2.5.4 and MS-OXCDATA 2.12.
#[test]
fn a_restriction_holds_until_another_takes_its_place() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "a"]);
    client.set_columns(table, &COLUMNS).unwrap();
    client.seek_row(table, BEGINNING, 2, false).unwrap();
    assert_eq!(client.restrict(table, Some(&subject_is("a"))).unwrap(), 0);
    assert_eq!(client.query_position(table).unwrap(), (0, 2));
    assert_eq!(subjects(&mut client, table, 0, true, 9).1, ["a", "a"]);
    // The asynchronous form is done when it is answered (3.2.5.1).
    let rop = Rop::new(0x14, 0).u8(0x01).u16(0);
    assert_eq!(
        client
            .rop(&rop, &[table])
            .unwrap()
            .read(Reader::u8)
            .unwrap(),
        0
    );
    assert_eq!(client.query_position(table).unwrap(), (0, 3));
    for data in [
        &[0xEE][..],
        &[0x00],
        &[0x00, 5, 0],
        &[0x04, 0x04],
        &[0x08, 0x1F, 0x00],
        &[0x08, 0x1F, 0x00, 0x37, 0x00, 0x00],
    ] {
        let rop = Rop::new(0x14, 0).u8(0).sized(data);
        match client.rop(&rop, &[table]) {
            Err(Error::Rop { code, .. }) => assert_eq!(code, code::INVALID_PARAMETER, "{data:x?}"),
            other => panic!("{data:x?}: {other:?}"),
        }
    }
    assert_eq!(client.query_position(table).unwrap(), (0, 3));
    client.restrict(table, Some(&subject_is("x"))).unwrap();
    assert_eq!(subjects(&mut client, table, 0, true, 9), (END, vec![]));
    reset_table(&mut client, table).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 3));
    fails(
        client.query_rows(table, &COLUMNS, 0, true, 9),
        code::NULL_OBJECT,
    );
}

// MS-OXCTABL 3.2.5.13.
#[test]
fn the_columns_that_there_are_include_those_of_the_rows() {
    let (mut client, logon) = ada();
    let (folder, table) = messages(&mut client, &logon, &["a"]);
    let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
    let all = |client: &mut Client, table| {
        client
            .rop(&Rop::new(0x37, 0), &[table])
            .unwrap()
            .read(|input| {
                let count = input.u16()?;
                (0..count)
                    .map(|_| input.u32())
                    .collect::<Result<Vec<_>, _>>()
            })
            .unwrap()
    };
    let columns = all(&mut client, table);
    for tag in [
        tag::SUBJECT,
        tag::MESSAGE_CLASS,
        tag::MID,
        tag::INSTANCE_KEY,
    ] {
        assert!(columns.contains(&tag), "{tag:#010x} of {columns:x?}");
    }
    all(&mut client, hierarchy);
}
