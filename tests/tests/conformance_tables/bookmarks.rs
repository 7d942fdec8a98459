//! Bookmarks (MS-OXCTABL 3.2.5.10, 3.2.5.12, 3.2.5.14, 3.2.5.15).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop},
    fixture::{ada, code, fails, new_folder, new_message, tag},
};

use crate::fixture::{
    BEGINNING, COLUMNS, END, INVALID_BOOKMARK, create_bookmark, find_from_bookmark, free_bookmark,
    messages, reset_table, seek_row_bookmark, subject_is, subjects,
};

// MS-OXCTABL 3.2.5.2, 3.2.5.5, 3.2.5.14, and the bookmark ROPs beside them.
#[test]
fn rows_and_bookmarks_are_not_to_be_had_before_set_columns() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["one", "two"]);
    fails(
        client.query_rows(table, &COLUMNS, 0, true, 10),
        code::NULL_OBJECT,
    );
    fails(
        client.find_row(table, &COLUMNS, &subject_is("two"), false, BEGINNING),
        code::NULL_OBJECT,
    );
    // Where the cursor is does not depend on columns.
    assert_eq!(client.query_position(table).unwrap(), (0, 2));
    assert_eq!(
        client
            .seek_row(table, BEGINNING, 1, true)
            .unwrap()
            .rows_sought,
        1
    );
    let bookmark = create_bookmark(&mut client, table).unwrap();
    fails(
        seek_row_bookmark(&mut client, table, &bookmark, 0),
        code::NULL_OBJECT,
    );
    fails(
        free_bookmark(&mut client, table, &bookmark),
        code::NULL_OBJECT,
    );
    client.set_columns(table, &COLUMNS).unwrap();
    assert_eq!(
        seek_row_bookmark(&mut client, table, &bookmark, 0).unwrap(),
        (0, 0, 0)
    );
    assert_eq!(subjects(&mut client, table, 0, true, 1).1, ["two"]);
    free_bookmark(&mut client, table, &bookmark).unwrap();
}

// MS-OXCTABL 3.2.5.3, 3.2.5.4, 3.2.5.10, 3.2.5.14, 3.2.5.15.
#[test]
fn a_bookmark_is_invalid_after_sort_restrict_reset_and_free() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c"]);
    let invalidate: [fn(&mut Client, Handle, &[u8]); 4] = [
        |client, table, _| {
            client.sort_table(table, &[(tag::SUBJECT, 1)]).unwrap();
        },
        |client, table, _| {
            client.restrict(table, None).unwrap();
        },
        |client, table, _| reset_table(client, table).unwrap(),
        |client, table, bookmark| free_bookmark(client, table, bookmark).unwrap(),
    ];
    for (case, invalidate) in invalidate.into_iter().enumerate() {
        client.set_columns(table, &COLUMNS).unwrap();
        client.seek_row(table, BEGINNING, 2, false).unwrap();
        let bookmark = create_bookmark(&mut client, table).unwrap();
        client.seek_row(table, BEGINNING, 0, false).unwrap();
        assert_eq!(
            seek_row_bookmark(&mut client, table, &bookmark, -9).unwrap(),
            (0, 1, -2)
        );
        assert_eq!(
            find_from_bookmark(&mut client, table, &bookmark).unwrap(),
            (0, 1)
        );
        assert_eq!(client.query_position(table).unwrap().0, 2);
        invalidate(&mut client, table, &bookmark);
        if case < 3 {
            assert_eq!(client.query_position(table).unwrap(), (0, 3));
        }
        fails(
            seek_row_bookmark(&mut client, table, &bookmark, 0),
            INVALID_BOOKMARK,
        );
        fails(
            find_from_bookmark(&mut client, table, &bookmark),
            INVALID_BOOKMARK,
        );
        // RopResetTable took the columns as well.
        let code = if case == 2 {
            code::NULL_OBJECT
        } else {
            INVALID_BOOKMARK
        };
        fails(free_bookmark(&mut client, table, &bookmark), code);
    }
}

// MS-OXCTABL 3.2.5.10 and 3.2.5.14: the row is gone, the bookmark is not.
#[test]
fn a_bookmark_whose_row_is_gone_points_to_the_next_row() {
    let (mut client, logon) = ada();
    let (folder, table) = messages(&mut client, &logon, &["a", "b", "c"]);
    client.set_columns(table, &COLUMNS).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    client.seek_row(table, BEGINNING, 1, false).unwrap();
    let bookmark = create_bookmark(&mut client, table).unwrap();
    let rows = client.query_rows(table, &COLUMNS, 0, true, 1).unwrap().rows;
    client.delete_messages(folder, &[rows[0].id(0)]).unwrap();
    assert_eq!(
        seek_row_bookmark(&mut client, table, &bookmark, 0).unwrap(),
        (1, 0, 0)
    );
    assert_eq!(
        subjects(&mut client, table, 0, true, 9),
        (END, vec!["c".to_owned()])
    );
    assert_eq!(
        find_from_bookmark(&mut client, table, &bookmark).unwrap(),
        (1, 1)
    );
    assert_eq!(client.query_position(table).unwrap(), (1, 2));
}

// MS-OXCTABL 3.2.5.9 and 3.2.5.10: what fails there ends the buffer.
#[test]
fn nothing_after_a_seek_that_failed_is_executed() {
    let (mut client, logon) = ada();
    let (folder, table) = messages(&mut client, &logon, &["a"]);
    client.set_columns(table, &COLUMNS).unwrap();
    let seek = || Rop::new(0x19, 0).sized(&[1, 2, 3, 4]).u32(0).u8(1);
    for handle in [folder, table] {
        let position = Rop::new(0x17, 1);
        let payload = client
            .execute(&[seek(), position], &[handle, table])
            .unwrap();
        assert_eq!(payload.rops.len(), 6, "{:02x?}", payload.rops);
        assert_eq!(payload.rops[0], 0x19);
    }
    // 3.2.5.12: RopCreateBookmark is no different; RopFreeBookmark and RopFindRow are.
    let (other, other_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, other, other_id, "b");
    let attachments = client.attachment_table(message).unwrap();
    for handle in [folder, attachments] {
        let create = Rop::new(0x1B, 0);
        let rops = [create, Rop::new(0x17, 1)];
        let payload = client.execute(&rops, &[handle, table]).unwrap();
        assert_eq!(payload.rops, [0x1B, 0, 0x02, 0x01, 0x04, 0x80]);
        let free = Rop::new(0x89, 0).sized(&[0; 4]);
        let payload = client
            .execute(&[free, Rop::new(0x17, 1)], &[handle, table])
            .unwrap();
        assert_eq!(payload.rops.len(), 6 + 14);
    }
}
