//! Order, cursor and reading.

use ropewalk_tests::{
    client::{CHAIN, Cells as _, Rop, Sought, take_row},
    fixture::{ada, code, new_folder, new_message, tag, text},
};
use ropewalk_wire::Reader;

use crate::fixture::{BEGINNING, CURRENT, END, fixture};

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
