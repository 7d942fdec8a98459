//! The collapse state that a client keeps (MS-OXCTABL 2.2.2.19, 2.2.2.20, 3.2.5.19, 3.2.5.20).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Result, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag},
};
use ropewalk_wire::Reader;

use crate::fixture::{BEGINNING, free_bookmark, seek_row_bookmark, subject_is};

const ROW_TYPE: u32 = 0x0FF5_0003;
const COLUMNS: [u32; 4] = [ROW_TYPE, tag::INST_ID, tag::INSTANCE_NUM, tag::SUBJECT];

/// RopSortTable by importance, sensitivity and subject.
fn sort(client: &mut Client, table: Handle, categories: u16, expanded: u16, order: u8) {
    let rop = Rop::new(0x13, 0)
        .u8(0)
        .u16(3)
        .u16(categories)
        .u16(expanded)
        .u32(tag::IMPORTANCE)
        .u8(order)
        .u32(tag::SENSITIVITY)
        .u8(0)
        .u32(tag::SUBJECT)
        .u8(0);
    client
        .rop(&rop, &[table])
        .unwrap()
        .read(Reader::u8)
        .unwrap();
}

fn sized(input: &mut Reader<'_>) -> Result<Vec<u8>, ropewalk_wire::DecodeError> {
    let len = input.u16()?;
    Ok(input.bytes(len.into())?.to_vec())
}

fn get(client: &mut Client, table: Handle, id: u64, number: u32) -> Vec<u8> {
    let rop = Rop::new(0x6B, 0).u64(id).u32(number);
    client.rop(&rop, &[table]).unwrap().read(sized).unwrap()
}

fn set(client: &mut Client, table: Handle, state: &[u8]) -> Result<Vec<u8>> {
    client
        .rop(&Rop::new(0x6C, 0).sized(state), &[table])?
        .read(sized)
}

/// PidTagRowType and PidTagInstID of all rows.
fn rows(client: &mut Client, table: Handle) -> (Vec<i32>, Vec<u64>) {
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    let all = client
        .query_rows(table, &COLUMNS, 0, true, 50)
        .unwrap()
        .rows;
    (
        all.iter().map(|row| row.int(0)).collect(),
        all.iter().map(|row| row.id(1)).collect(),
    )
}

/// A folder with four messages: (importance, sensitivity) are (0, 0), (0, 1), (2, 0), (2, 0).
fn folder(client: &mut Client) -> Handle {
    let logon = client.logon().unwrap();
    let (folder, folder_id) = new_folder(client, &logon);
    for (subject, importance, sensitivity) in [("a", 0, 0), ("b", 0, 1), ("c", 2, 0), ("d", 2, 0)] {
        let (message, _) = new_message(client, folder, folder_id, subject);
        let props = [
            (tag::IMPORTANCE, Value::Integer32(importance)),
            (tag::SENSITIVITY, Value::Integer32(sensitivity)),
        ];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap();
        client.release(message).unwrap();
    }
    folder
}

fn table(client: &mut Client, folder: Handle) -> Handle {
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &COLUMNS).unwrap();
    table
}

fn toggle(client: &mut Client, table: Handle, id: u64, expand: bool) {
    let rop = if expand {
        Rop::new(0x59, 0).u16(0).u64(id)
    } else {
        Rop::new(0x5A, 0).u64(id)
    };
    client.rop(&rop, &[table]).unwrap();
}

// 2.2.2.20: it need not be the same table, but one that is sorted and restricted alike.
#[test]
fn a_state_is_for_any_table_that_is_sorted_and_restricted_alike() {
    let (mut client, _) = ada();
    let folder = folder(&mut client);
    let first = table(&mut client, folder);
    sort(&mut client, first, 2, 2, 0);
    let (kinds, ids) = rows(&mut client, first);
    assert_eq!(kinds, [3, 3, 1, 3, 1, 3, 3, 1, 1]);
    toggle(&mut client, first, ids[1], false);
    toggle(&mut client, first, ids[5], false);
    let wanted = rows(&mut client, first);
    assert_eq!(wanted.0, [3, 4, 3, 1, 4]);
    let state = get(&mut client, first, ids[5], 0);

    // However many levels of the other table start out expanded.
    for expanded in [0, 1, 2] {
        let other = table(&mut client, folder);
        sort(&mut client, other, 2, expanded, 0);
        let bookmark = set(&mut client, other, &state).unwrap();
        assert_eq!(rows(&mut client, other), wanted);
        seek_row_bookmark(&mut client, other, &bookmark, 0).unwrap();
        let row = client.query_rows(other, &COLUMNS, 0, true, 1).unwrap();
        assert_eq!(row.rows[0].id(1), ids[5]);
        free_bookmark(&mut client, other, &bookmark).unwrap();
        // What it is like is told again the same.
        assert_eq!(get(&mut client, other, ids[5], 0).len(), state.len());
        // Below the header that the state keeps collapsed all is as it was.
        toggle(&mut client, other, ids[5], true);
        assert_eq!(rows(&mut client, other).0, [3, 4, 3, 1, 3, 3, 1, 1]);
    }

    // Another session's table is like any other.
    let (mut second, _) = ada();
    let own = self::folder(&mut second);
    let other = table(&mut second, own);
    sort(&mut second, other, 2, 2, 0);
    set(&mut second, other, &state).unwrap();
    assert_eq!(rows(&mut second, other).0, [3, 4, 3, 1, 4]);

    let other = table(&mut client, folder);
    let differently: [fn(&mut Client, Handle); 4] = [
        |_, _| (),
        |client, table| sort(client, table, 1, 1, 0),
        |client, table| sort(client, table, 2, 2, 1),
        |client, table| {
            sort(client, table, 2, 2, 0);
            client.restrict(table, Some(&subject_is("a"))).unwrap();
        },
    ];
    for differ in differently {
        differ(&mut client, other);
        let before = rows(&mut client, other);
        fails(set(&mut client, other, &state), code::INVALID_PARAMETER);
        assert_eq!(rows(&mut client, other), before);
    }
    client.restrict(other, None).unwrap();
    set(&mut client, other, &state).unwrap();
    assert_eq!(rows(&mut client, other), wanted);
}

// 3.2.5.20: the cursor goes to the row of the bookmark.
#[test]
fn the_cursor_goes_where_the_state_was_asked_for() {
    let (mut client, _) = ada();
    let folder = folder(&mut client);
    let table = table(&mut client, folder);
    sort(&mut client, table, 2, 2, 0);
    let (_, ids) = rows(&mut client, table);
    // The message "c", and the header above it.
    for (at, id) in [(7, ids[7]), (6, ids[6]), (0, ids[0])] {
        let state = get(&mut client, table, id, 0);
        client.seek_row(table, BEGINNING, 3, false).unwrap();
        set(&mut client, table, &state).unwrap();
        assert_eq!(client.query_position(table).unwrap(), (at, 9));
    }
    // Of what does not show it is the header that it is to be found below.
    toggle(&mut client, table, ids[5], false);
    for hidden in [ids[6], ids[7], ids[8]] {
        let state = get(&mut client, table, hidden, 0);
        client.seek_row(table, BEGINNING, 0, false).unwrap();
        let bookmark = set(&mut client, table, &state).unwrap();
        assert_eq!(client.query_position(table).unwrap(), (5, 6));
        let row = client.query_rows(table, &COLUMNS, 0, true, 1).unwrap();
        assert_eq!(row.rows[0].id(1), ids[5]);
        free_bookmark(&mut client, table, &bookmark).unwrap();
    }
}

// 3.2.5.19: a table without categories has a state as well.
#[test]
fn a_table_without_categories_keeps_its_place() {
    let (mut client, _) = ada();
    let folder = folder(&mut client);
    let table = table(&mut client, folder);
    client.sort_table(table, &[(tag::SUBJECT, 1)]).unwrap();
    let (kinds, ids) = rows(&mut client, table);
    assert_eq!(kinds, [1; 4]);
    let state = get(&mut client, table, ids[2], 0);
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    let bookmark = set(&mut client, table, &state).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (2, 4));
    assert_eq!(
        seek_row_bookmark(&mut client, table, &bookmark, -1).unwrap(),
        (0, 0, -1)
    );
}
