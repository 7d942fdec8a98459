//! Header rows, and what expands and collapses them (MS-OXCTABL 2.2.1, 2.2.2.3.1, 3.2.5.3 and
//! 3.2.5.17 to 3.2.5.20).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Result, Rop, Value, take_row},
    fixture::{ada, code, fails, new_folder, new_message, tag},
};
use ropewalk_wire::Reader;

use crate::fixture::{BEGINNING, END, create_bookmark, reset_table, seek_row_bookmark, subject_is};

const NOT_COLLAPSED: u32 = 0x0000_04F8;
const NOT_EXPANDED: u32 = 0x0000_04F7;

const LEAF_ROW: i32 = 1;
const EXPANDED_CATEGORY: i32 = 3;
const COLLAPSED_CATEGORY: i32 = 4;

const ROW_TYPE: u32 = 0x0FF5_0003;

const COLUMNS: [u32; 7] = [
    ROW_TYPE,
    tag::DEPTH,
    tag::IMPORTANCE,
    tag::INST_ID,
    tag::SUBJECT,
    tag::CONTENT_COUNT,
    tag::CONTENT_UNREAD_COUNT,
];

/// What a test looks at in a row.
#[derive(Debug, PartialEq, Eq)]
enum Row {
    /// PidTagImportance, whether it is expanded, messages and unread ones.
    Header(i32, bool, i32, i32),
    /// PidTagSubject.
    Leaf(String),
}

fn leaf(subject: &str) -> Row {
    Row::Leaf(subject.to_owned())
}

/// RopSortTable by importance, then subject.
fn sort(client: &mut Client, table: Handle, categories: u16, expanded: u16) -> Result<u8> {
    sort_with(client, table, (categories, expanded), [0, 0])
}

/// The same in other orders, with all categories expanded.
fn sort_as(client: &mut Client, table: Handle, categories: u16, orders: [u8; 2]) -> Result<u8> {
    sort_with(client, table, (categories, categories), orders)
}

fn sort_with(
    client: &mut Client,
    table: Handle,
    (categories, expanded): (u16, u16),
    [importance, subject]: [u8; 2],
) -> Result<u8> {
    let rop = Rop::new(0x13, 0)
        .u8(0)
        .u16(2)
        .u16(categories)
        .u16(expanded)
        .u32(tag::IMPORTANCE)
        .u8(importance)
        .u32(tag::SUBJECT)
        .u8(subject);
    client.rop(&rop, &[table])?.read(Reader::u8)
}

fn expand(client: &mut Client, table: Handle, id: u64, rows: u16) -> Result<(u32, usize)> {
    let rop = Rop::new(0x59, 0).u16(rows).u64(id);
    client.rop(&rop, &[table])?.read(|input| {
        let expanded = input.u32()?;
        let count = input.u16()?;
        for _ in 0..count {
            take_row(input, &COLUMNS)?;
        }
        Ok((expanded, count.into()))
    })
}

fn collapse(client: &mut Client, table: Handle, id: u64) -> Result<u32> {
    client
        .rop(&Rop::new(0x5A, 0).u64(id), &[table])?
        .read(Reader::u32)
}

/// All rows from the first, and the PidTagInstID of each.
fn rows(client: &mut Client, table: Handle) -> (Vec<Row>, Vec<u64>) {
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    let all = client.query_rows(table, &COLUMNS, 0, true, 100).unwrap();
    assert_eq!(all.origin, END);
    let rows = all.rows.iter().map(|row| match row.int(0) {
        LEAF_ROW => {
            assert_eq!(row.int(1), 1, "PidTagDepth");
            leaf(&row.text(4))
        }
        kind => {
            assert!([EXPANDED_CATEGORY, COLLAPSED_CATEGORY].contains(&kind));
            assert_eq!(row.int(1), 0, "PidTagDepth");
            // It has the values that its messages share, and no others.
            assert_eq!(row.error(4), code::NOT_FOUND);
            let expanded = kind == EXPANDED_CATEGORY;
            Row::Header(row.int(2), expanded, row.int(5), row.int(6))
        }
    });
    (
        rows.collect(),
        all.rows.iter().map(|row| row.id(3)).collect(),
    )
}

/// A table of three messages of low importance, one of them unread, and two of high.
fn table(client: &mut Client) -> (Handle, u64, Handle) {
    let logon = client.logon().unwrap();
    let (folder, folder_id) = new_folder(client, &logon);
    for (subject, importance) in [("d", 2), ("a", 0), ("e", 2), ("b", 0), ("c", 0)] {
        let (message, id) = new_message(client, folder, folder_id, subject);
        client
            .set_props(message, &[(tag::IMPORTANCE, Value::Integer32(importance))])
            .unwrap();
        client.save_message(message).unwrap();
        if subject == "c" {
            client.set_read_flags(folder, &[id], 0x05).unwrap();
        }
    }
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &COLUMNS).unwrap();
    (folder, folder_id, table)
}

#[test]
fn messages_stand_below_headers_that_count_them() {
    let (mut client, _) = ada();
    let (_, _, table) = table(&mut client);
    assert_eq!(sort(&mut client, table, 1, 1).unwrap(), 0);
    let (all, ids) = rows(&mut client, table);
    assert_eq!(
        all,
        [
            Row::Header(0, true, 3, 1),
            leaf("a"),
            leaf("b"),
            leaf("c"),
            Row::Header(2, true, 2, 0),
            leaf("d"),
            leaf("e"),
        ]
    );
    assert_eq!(client.query_position(table).unwrap(), (7, 7));
    let distinct: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 7);
    // Only the top headers show if nothing is to be expanded.
    sort(&mut client, table, 1, 0).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 2));
    assert_eq!(
        rows(&mut client, table).0,
        [Row::Header(0, false, 3, 1), Row::Header(2, false, 2, 0)]
    );
    // Every sort order may be a category.
    sort(&mut client, table, 2, 2).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 12));
    sort(&mut client, table, 2, 1).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 7));
    // And none.
    sort(&mut client, table, 0, 0).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 5));
}

#[test]
fn headers_are_ordered_by_the_largest_value_below_them() {
    let (mut client, _) = ada();
    let (folder, folder_id, table) = table(&mut client);
    let (message, _) = new_message(&mut client, folder, folder_id, "z");
    client
        .set_props(message, &[(tag::IMPORTANCE, Value::Integer32(1))])
        .unwrap();
    client.save_message(message).unwrap();
    for (order, wanted) in [(0, [0, 2, 1]), (1, [1, 2, 0])] {
        sort_as(&mut client, table, 1, [order, 4]).unwrap();
        let all = rows(&mut client, table).0;
        let headers: Vec<_> = all
            .iter()
            .filter_map(|row| match row {
                Row::Header(importance, ..) => Some(*importance),
                Row::Leaf(_) => None,
            })
            .collect();
        assert_eq!(headers, wanted);
        assert_eq!(all.len(), 9);
    }
}

#[test]
fn headers_are_collapsed_and_expanded() {
    let (mut client, _) = ada();
    let (_, _, table) = table(&mut client);
    sort(&mut client, table, 1, 1).unwrap();
    let (_, ids) = rows(&mut client, table);
    let (low, high, message) = (ids[0], ids[4], ids[1]);
    fails(expand(&mut client, table, low, 0), NOT_COLLAPSED);
    for id in [0, message, !low] {
        fails(expand(&mut client, table, id, 0), code::NOT_FOUND);
        fails(collapse(&mut client, table, id), code::NOT_FOUND);
    }
    // The cursor is on "b", and a bookmark is: they go to the next row that shows.
    client.seek_row(table, BEGINNING, 2, false).unwrap();
    let bookmark = create_bookmark(&mut client, table).unwrap();
    assert_eq!(collapse(&mut client, table, low).unwrap(), 3);
    assert_eq!(client.query_position(table).unwrap(), (1, 4));
    assert_eq!(
        seek_row_bookmark(&mut client, table, &bookmark, 0).unwrap(),
        (1, 0, 0)
    );
    fails(collapse(&mut client, table, low), NOT_EXPANDED);
    assert_eq!(
        rows(&mut client, table).0,
        [
            Row::Header(0, false, 3, 1),
            Row::Header(2, true, 2, 0),
            leaf("d"),
            leaf("e"),
        ]
    );
    // What does not show is not found.
    fails(
        client.find_row(table, &COLUMNS, &subject_is("a"), false, BEGINNING),
        code::NOT_FOUND,
    );
    assert_eq!(expand(&mut client, table, low, 2).unwrap(), (3, 2));
    assert_eq!(
        seek_row_bookmark(&mut client, table, &bookmark, 0).unwrap(),
        (0, 0, 0)
    );
    assert_eq!(client.query_position(table).unwrap(), (2, 7));
    let found = client
        .find_row(table, &COLUMNS, &subject_is("a"), false, BEGINNING)
        .unwrap();
    assert_eq!(found.row.unwrap().text(4), "a");
    assert_eq!(collapse(&mut client, table, high).unwrap(), 2);
    assert_eq!(expand(&mut client, table, high, 0).unwrap(), (2, 0));
}

#[test]
fn headers_follow_the_folder_and_the_restriction() {
    let (mut client, _) = ada();
    let (folder, folder_id, table) = table(&mut client);
    sort(&mut client, table, 1, 1).unwrap();
    let (_, ids) = rows(&mut client, table);
    collapse(&mut client, table, ids[0]).unwrap();
    let (message, _) = new_message(&mut client, folder, folder_id, "f");
    client
        .set_props(message, &[(tag::IMPORTANCE, Value::Integer32(0))])
        .unwrap();
    client.save_message(message).unwrap();
    client.delete_messages(folder, &[ids[5], ids[6]]).unwrap();
    // The collapsed header has one more, the other one is gone with its last message.
    assert_eq!(
        rows(&mut client, table),
        (vec![Row::Header(0, false, 4, 1)], vec![ids[0]])
    );
    client.restrict(table, Some(&subject_is("f"))).unwrap();
    assert_eq!(rows(&mut client, table).0, [Row::Header(0, false, 1, 0)]);
    reset_table(&mut client, table).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 4));
}

#[test]
fn the_collapse_state_is_kept_by_the_client() {
    let (mut client, _) = ada();
    let (_, _, table) = table(&mut client);
    sort(&mut client, table, 1, 1).unwrap();
    let (_, ids) = rows(&mut client, table);
    collapse(&mut client, table, ids[0]).unwrap();
    let set = |state: &[u8]| Rop::new(0x6C, 0).sized(state);
    let sized = |input: &mut Reader<'_>| {
        let len = input.u16()?;
        Ok(input.bytes(len.into())?.to_vec())
    };
    let mut state = Vec::new();
    // A header, and messages whose ids are next to each other.
    for id in [ids[4], ids[5], ids[6]] {
        let get = Rop::new(0x6B, 0).u64(id).u32(0);
        state = client.rop(&get, &[table]).unwrap().read(sized).unwrap();
        sort(&mut client, table, 1, 1).unwrap();
        assert_eq!(client.query_position(table).unwrap(), (0, 7));
        let rop = client.rop(&set(&state), &[table]).unwrap();
        let bookmark = rop.read(sized).unwrap();
        assert_eq!(client.query_position(table).unwrap().1, 4);
        seek_row_bookmark(&mut client, table, &bookmark, 0).unwrap();
        let row = client.query_rows(table, &COLUMNS, 0, true, 1).unwrap();
        assert_eq!(row.rows[0].id(3), id);
    }
    for bad in [&state[..5], &state[..state.len() - 1], &[]] {
        fails(client.rop(&set(bad), &[table]), code::INVALID_PARAMETER);
    }
}

#[test]
fn what_makes_no_categories() {
    let (mut client, _) = ada();
    let (folder, _, table) = table(&mut client);
    for (categories, expanded) in [(3, 0), (0, 1), (1, 2), (0xFFFF, 0xFFFF)] {
        fails(
            sort(&mut client, table, categories, expanded),
            code::INVALID_PARAMETER,
        );
    }
    // The largest value orders the innermost categories alone (MS-OXCDATA 2.13.1).
    for (categories, orders) in [(0, [0, 4]), (1, [4, 0]), (2, [0, 4]), (1, [0, 8])] {
        let sort = sort_as(&mut client, table, categories, orders);
        fails(sort, code::INVALID_PARAMETER);
    }
    sort(&mut client, table, 1, 0).unwrap();
    let (_, ids) = rows(&mut client, table);
    let rops = [
        Rop::new(0x59, 0).u16(0).u64(ids[0]),
        Rop::new(0x5A, 0).u64(ids[0]),
        Rop::new(0x6B, 0).u64(ids[0]).u32(0),
        Rop::new(0x6C, 0).sized(&[0; 12]),
    ];
    // Without columns there are no rows (3.2.5.2), whatever the header.
    fails(client.set_columns(table, &[]), code::INVALID_PARAMETER);
    for rop in &rops {
        fails(client.rop(rop, &[table]), code::NULL_OBJECT);
    }
    let (unsorted, _) = client.contents_table(folder, 0).unwrap();
    for rop in &rops {
        fails(client.rop(rop, &[unsorted]), code::NULL_OBJECT);
    }
    let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
    for handle in [hierarchy, folder] {
        for rop in &rops {
            fails(client.rop(rop, &[handle]), code::NOT_SUPPORTED);
        }
    }
}
