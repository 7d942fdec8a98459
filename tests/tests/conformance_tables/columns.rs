//! What columns there are (MS-OXCTABL 2.2.2.13, 3.2.5.13), and what cells hold (MS-OXCDATA 2.8.1).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value},
    fixture::{ada, code, new_folder, new_message, tag, text},
};

use crate::fixture::{BEGINNING, NO_ADVANCE, messages};

const ROW_TYPE: u32 = 0x0FF5_0003;
const DEEP: u8 = 0x04;

fn all_columns(client: &mut Client, table: Handle) -> Vec<u32> {
    let rop = Rop::new(0x37, 0);
    let answer = client.rop(&rop, &[table]).unwrap();
    let all = answer.read(|input| {
        let count = input.u16()?;
        (0..count)
            .map(|_| input.u32())
            .collect::<Result<Vec<_>, _>>()
    });
    all.unwrap()
}

// 3.2.5.13: all that can be asked for, whether or not there are rows.
#[test]
fn a_table_without_rows_has_columns() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "empty");
    let (empty, _) = new_folder(&mut client, &logon);
    let contents = client.contents_table(empty, 0).unwrap().0;
    let hierarchy = client.hierarchy_table(empty, 0).unwrap().0;
    let attachments = client.attachment_table(message).unwrap();
    let permissions = client.permissions_table(empty, 0).unwrap();
    let rules = Rop::new(0x3F, 0).u8(1).u8(0x40);
    let rules = client.rop(&rules, &[empty, u32::MAX]).unwrap();
    let rules = rules.handle(1).unwrap();
    let cases: [(Handle, &[u32]); 5] = [
        (
            contents,
            &[
                tag::MID,
                tag::FOLDER_ID,
                tag::SUBJECT,
                tag::MESSAGE_CLASS,
                tag::MESSAGE_FLAGS,
                tag::INST_ID,
                tag::INSTANCE_NUM,
                ROW_TYPE,
                tag::DEPTH,
                tag::CONTENT_COUNT,
                tag::CONTENT_UNREAD_COUNT,
            ],
        ),
        (
            hierarchy,
            &[
                tag::FOLDER_ID,
                tag::DISPLAY_NAME,
                tag::DEPTH,
                tag::CONTENT_COUNT,
                tag::SUBFOLDERS,
                tag::COMMENT,
            ],
        ),
        (
            attachments,
            &[
                tag::ATTACH_NUMBER,
                tag::ATTACH_SIZE,
                tag::RENDERING_POSITION,
            ],
        ),
        // MS-OXCPERM 2.2.4 to 2.2.7.
        (
            permissions,
            &[tag::ENTRY_ID, 0x6671_0014, 0x6672_001F, 0x6673_0003],
        ),
        // MS-OXORULE 2.2.1.3.1.
        (
            rules,
            &[
                0x6674_0014,
                0x6676_0003,
                0x6677_0003,
                0x6678_0003,
                0x6679_00FD,
                0x6680_00FE,
                0x6681_001F,
                0x6682_001F,
                0x6683_0003,
                0x6684_0102,
            ],
        ),
    ];
    for (table, wanted) in cases {
        let all = all_columns(&mut client, table);
        for column in wanted {
            assert!(all.contains(column), "{column:#010x} of {all:x?}");
        }
        let mut distinct = all.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
        // They can be asked for (3.2.5.2).
        client.set_columns(table, &all).unwrap();
    }
    // With a row there is what it has as well.
    let (message, _) = new_message(&mut client, folder, folder_id, "more");
    client
        .set_props(message, &[(0x6820_0003, Value::Integer32(1))])
        .unwrap();
    client.save_message(message).unwrap();
    let contents = client.contents_table(folder, 0).unwrap().0;
    assert!(all_columns(&mut client, contents).contains(&0x6820_0003));
}

// 2.2.1.3, 2.2.1.4: without categories all rows are leaves; PidTagDepth of a folder is how deep it lies
// (MS-OXCFOLD 2.2.2.2.2.7).
#[test]
fn rows_without_categories_are_leaves() {
    let (mut client, logon) = ada();
    let (folder, table) = messages(&mut client, &logon, &["a", "b"]);
    let columns = [
        ROW_TYPE,
        tag::DEPTH,
        tag::INST_ID,
        tag::MID,
        tag::INSTANCE_NUM,
    ];
    for row in client.query_all_rows(table, &columns).unwrap() {
        assert_eq!((row.int(0), row.int(1)), (1, 0));
        assert_eq!(row.id(2), row.id(3));
        assert_eq!(row.int(4), 0);
    }
    // What only header rows have.
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    for row in client.query_all_rows(table, &[tag::CONTENT_COUNT]).unwrap() {
        assert_eq!(row.error(0), code::NOT_FOUND);
    }
    let below = client.create_folder(folder, "below").unwrap();
    client.create_folder(below.handle, "deeper").unwrap();
    let (hierarchy, count) = client.hierarchy_table(folder, DEEP).unwrap();
    assert_eq!(count, 2);
    let rows = client
        .query_all_rows(hierarchy, &[tag::DISPLAY_NAME, tag::DEPTH])
        .unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.text(0), row.int(1))).collect();
    assert_eq!(rows, [("below".to_owned(), 1), ("deeper".to_owned(), 2)]);
}

// MS-OXCDATA 2.8.1.1, 2.8.1.2: the Flag is about the whole row, 2.11.5 about each cell.
#[test]
fn a_row_is_flagged_if_a_cell_is_missing() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a"]);
    let read = |client: &mut Client, columns: &[u32]| {
        client.set_columns(table, columns).unwrap();
        let rop = Rop::new(0x15, 0).u8(NO_ADVANCE).u8(1).u16(1);
        let answer = client.rop(&rop, &[table]).unwrap();
        answer.read(|input| Ok(input.take_rest().to_vec())).unwrap()
    };
    assert_eq!(
        read(&mut client, &[tag::SUBJECT]),
        [2, 1, 0, 0, b'a', 0, 0, 0]
    );
    assert_eq!(
        read(&mut client, &[tag::SUBJECT, 0x6821_0003]),
        [2, 1, 0, 1, 0, b'a', 0, 0, 0, 0x0A, 0x0F, 0x01, 0x04, 0x80]
    );
    // The same column twice, and as 8-bit text.
    assert_eq!(
        read(&mut client, &[0x0037_001E, tag::SUBJECT]),
        [2, 1, 0, 0, b'a', 0, b'a', 0, 0, 0]
    );
    // Another type than the property has: no value.
    assert_eq!(
        read(&mut client, &[0x0037_0003]),
        [2, 1, 0, 1, 0x0A, 0x0F, 0x01, 0x04, 0x80]
    );
}

// MS-OXCTABL 3.2.5.5: whole rows, as many as fit; ecBufferTooSmall if not one does.
#[test]
fn a_row_that_fits_no_buffer_is_told() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "wide");
    // Cells are cut, but there may be so many that a row does not fit in 32 KiB.
    let columns: Vec<u32> = (0..80).map(|n| ((0x6840 + n) << 16) | 0x001F).collect();
    for chunk in columns.chunks(20) {
        let props: Vec<_> = chunk
            .iter()
            .map(|tag| (*tag, text(&"x".repeat(600))))
            .collect();
        client.set_props(message, &props).unwrap();
    }
    client.save_message(message).unwrap();
    new_message(&mut client, folder, folder_id, "narrow");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 1)]).unwrap();
    client.set_columns(table, &columns).unwrap();
    let error = client.query_rows(table, &columns, 0, true, 5).unwrap_err();
    assert_eq!(error.code(), code::BUFFER_TOO_SMALL);
    // The cursor stayed, and the other row is to be had.
    assert_eq!(client.query_position(table).unwrap(), (0, 2));
    client.seek_row(table, BEGINNING, 1, false).unwrap();
    let rows = client.query_rows(table, &columns, 0, true, 5).unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].error(79), code::NOT_FOUND);
    // Half of the columns fit, and the values are cut to 255 characters.
    client.seek_row(table, BEGINNING, 0, false).unwrap();
    client.set_columns(table, &columns[..40]).unwrap();
    let rows = client
        .query_rows(table, &columns[..40], 0, true, 5)
        .unwrap()
        .rows;
    assert_eq!(rows[0].text(0).len(), 255);
}
