//! Tables while other sessions change what they are over (MS-OXCTABL 1.3, 3.2.5.10, 3.2.5.14).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value},
    fixture::{ada, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
};

use crate::fixture::{
    BEGINNING, COLUMNS, create_bookmark, find_from_bookmark, property, seek_row_bookmark,
};

const ROW_TYPE: u32 = 0x0FF5_0003;
const MESSAGE_STATUS: u32 = 0x0E17_0003;

/// A folder of one session with a message for each subject, the same folder in another session, and
/// there a table of it in order of the subjects.
struct Two {
    writer: Client,
    folder: Handle,
    folder_id: u64,
    ids: Vec<u64>,
    reader: Client,
    same: Handle,
    table: Handle,
}

fn two(subjects: &[&str]) -> Two {
    let (mut writer, logon) = ada();
    let (folder, folder_id) = new_folder(&mut writer, &logon);
    let ids = (subjects.iter())
        .map(|subject| new_message(&mut writer, folder, folder_id, subject).1)
        .collect();
    let (mut reader, logon) = ada();
    let same = reader.open_folder(logon.handle, folder_id).unwrap();
    let (table, _) = reader.contents_table(same, 0).unwrap();
    reader.set_columns(table, &COLUMNS).unwrap();
    reader.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    Two {
        writer,
        folder,
        folder_id,
        ids,
        reader,
        same,
        table,
    }
}

impl Two {
    fn set(&mut self, at: usize, props: &[(u32, Value)]) {
        let id = self.ids[at];
        let message = self
            .writer
            .open_message(self.folder, self.folder_id, id, 1)
            .unwrap()
            .handle;
        self.writer.set_props(message, props).unwrap();
        self.writer.save_message(message).unwrap();
        self.writer.release(message).unwrap();
    }

    fn subjects(&mut self) -> String {
        (self.reader)
            .seek_row(self.table, BEGINNING, 0, false)
            .unwrap();
        let rows = self.reader.query_rows(self.table, &COLUMNS, 0, true, 50);
        let rows = rows.unwrap().rows;
        rows.iter().map(|row| row.text(1)).collect()
    }
}

// 3.2.5.10, 3.2.5.14: the bookmark's row does not match any more, matches again, and goes elsewhere.
#[test]
fn a_bookmark_follows_its_row() {
    let mut two = two(&["a", "b", "c", "d"]);
    for at in 0..4 {
        two.set(at, &[(tag::IMPORTANCE, Value::Integer32(1))]);
    }
    let normal = property(RelOp::EQUAL, tag::IMPORTANCE, Value::Integer32(1));
    two.reader.restrict(two.table, Some(&normal)).unwrap();
    assert_eq!(two.subjects(), "abcd");
    two.reader.seek_row(two.table, BEGINNING, 1, false).unwrap();
    let bookmark = create_bookmark(&mut two.reader, two.table).unwrap();
    let seek = |two: &mut Two| {
        let (gone, less, _) = seek_row_bookmark(&mut two.reader, two.table, &bookmark, 0).unwrap();
        assert_eq!(less, 0);
        (gone, two.reader.query_position(two.table).unwrap())
    };
    assert_eq!(seek(&mut two), (0, (1, 4)));
    // It does not match: the next row.
    two.set(1, &[(tag::IMPORTANCE, Value::Integer32(2))]);
    assert_eq!(seek(&mut two), (1, (1, 3)));
    assert_eq!(two.subjects(), "acd");
    let found = find_from_bookmark(&mut two.reader, two.table, &bookmark).unwrap();
    assert_eq!(found, (1, 1));
    assert_eq!(two.reader.query_position(two.table).unwrap(), (1, 3));
    // It matches again.
    two.set(1, &[(tag::IMPORTANCE, Value::Integer32(1))]);
    assert_eq!(seek(&mut two), (0, (1, 4)));
    // It stands elsewhere in the order: it is the row that counts.
    two.set(1, &[(tag::SUBJECT, text("x"))]);
    assert_eq!(two.subjects(), "acdx");
    assert_eq!(seek(&mut two), (0, (3, 4)));
    // From there on, and for good.
    let (folder, id) = (two.folder, two.ids[1]);
    two.writer.hard_delete_messages(folder, &[id]).unwrap();
    assert_eq!(seek(&mut two), (1, (3, 3)));
    assert_eq!(
        seek_row_bookmark(&mut two.reader, two.table, &bookmark, -1).unwrap(),
        (1, 0, -1)
    );
}

// 3.2.5.4: what matches changes with the state of a message, not only with its content.
#[test]
fn a_restriction_follows_status_and_read_state() {
    let mut two = two(&["a", "b"]);
    let flagged = Restriction::BitMask {
        bitmap_rel_op: 1,
        prop_tag: PropTag(MESSAGE_STATUS),
        mask: 0x1000,
    };
    two.reader.restrict(two.table, Some(&flagged)).unwrap();
    assert_eq!(two.subjects(), "");
    // RopSetMessageStatus (MS-OXCMSG 2.2.3.8).
    let mark = |two: &mut Two, status: u32| {
        let rop = Rop::new(0x20, 0).u64(two.ids[1]).u32(status).u32(0x1000);
        two.writer.rop(&rop, &[two.folder]).unwrap();
    };
    mark(&mut two, 0x1000);
    assert_eq!(two.subjects(), "b");
    mark(&mut two, 0);
    assert_eq!(two.subjects(), "");
    let unread = property(RelOp::EQUAL, 0x0E69_000B, Value::Boolean(false));
    two.reader.restrict(two.table, Some(&unread)).unwrap();
    assert_eq!(two.subjects(), "");
    let (folder, id) = (two.folder, two.ids[0]);
    two.writer.set_read_flags(folder, &[id], 0x05).unwrap();
    assert_eq!(two.subjects(), "a");
    two.writer.set_read_flags(folder, &[id], 0x01).unwrap();
    assert_eq!(two.subjects(), "");
    // The columns are as new as the rows.
    two.reader.restrict(two.table, None).unwrap();
    let columns = [MESSAGE_STATUS, 0x0E69_000B, tag::MESSAGE_FLAGS];
    two.reader.set_columns(two.table, &columns).unwrap();
    let first = |two: &mut Two| {
        let rows = two.reader.query_rows(two.table, &columns, 1, true, 1);
        let row = rows.unwrap().rows.remove(0);
        (row.int(0), row.flag(1), row.int(2) & 1)
    };
    assert_eq!(first(&mut two), (0, true, 1));
    two.writer.set_read_flags(folder, &[id], 0x05).unwrap();
    assert_eq!(first(&mut two), (0, false, 0));
    two.ids.swap(0, 1);
    mark(&mut two, 0x1000);
    assert_eq!(first(&mut two), (0x1000, false, 0));
}

// 2.2.1.5, 2.2.1.6, 2.2.2.3.1: a message that changes goes to another category.
#[test]
fn categories_come_and_go() {
    let mut two = two(&["a", "b", "c"]);
    let columns = [
        ROW_TYPE,
        tag::IMPORTANCE,
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
        tag::SUBJECT,
        tag::INST_ID,
    ];
    for at in 0..3 {
        two.set(at, &[(tag::IMPORTANCE, Value::Integer32(1))]);
    }
    two.reader.set_columns(two.table, &columns).unwrap();
    let sort = Rop::new(0x13, 0)
        .u8(0)
        .u16(2)
        .u16(1)
        .u16(1)
        .u32(tag::IMPORTANCE)
        .u8(1)
        .u32(tag::SUBJECT)
        .u8(0);
    let sorted = two.reader.rop(&sort, &[two.table]).unwrap();
    sorted.read(Reader::u8).unwrap();
    let rows = |two: &mut Two| {
        (two.reader)
            .seek_row(two.table, BEGINNING, 0, false)
            .unwrap();
        let rows = two.reader.query_rows(two.table, &columns, 0, true, 50);
        let rows = rows.unwrap().rows;
        let shown: Vec<String> = (rows.iter())
            .map(|row| match row.int(0) {
                1 => row.text(4),
                kind => format!("{kind}:{} {}/{}", row.int(1), row.int(3), row.int(2)),
            })
            .collect();
        (shown.join(" "), rows[0].id(5))
    };
    assert_eq!(rows(&mut two).0, "3:1 0/3 a b c");
    two.set(1, &[(tag::IMPORTANCE, Value::Integer32(2))]);
    assert_eq!(rows(&mut two).0, "3:2 0/1 b 3:1 0/2 a c");
    let (folder, ids) = (two.folder, two.ids.clone());
    two.writer.set_read_flags(folder, &ids, 0x05).unwrap();
    let (shown, high) = rows(&mut two);
    assert_eq!(shown, "3:2 1/1 b 3:1 2/2 a c");
    // A header stays collapsed while it is gone.
    let collapse = Rop::new(0x5A, 0).u64(high);
    two.reader.rop(&collapse, &[two.table]).unwrap();
    assert_eq!(rows(&mut two).0, "4:2 1/1 3:1 2/2 a c");
    two.set(1, &[(tag::IMPORTANCE, Value::Integer32(1))]);
    assert_eq!(rows(&mut two).0, "3:1 3/3 a b c");
    two.set(0, &[(tag::IMPORTANCE, Value::Integer32(2))]);
    assert_eq!(rows(&mut two).0, "4:2 1/1 3:1 2/2 b c");
    two.writer.delete_messages(folder, &ids).unwrap();
    assert_eq!(two.reader.query_position(two.table).unwrap(), (0, 0));
}

// 3.2.5.2: the rows of a message follow its values.
#[test]
fn instances_come_and_go() {
    const MANY: u32 = 0x6930_101F;
    let mut two = two(&["a", "b"]);
    let columns = [tag::SUBJECT, MANY | 0x2000];
    let cells = [tag::SUBJECT, 0x6930_001F];
    two.reader.set_columns(two.table, &columns).unwrap();
    let orders = [(MANY | 0x2000, 0), (tag::SUBJECT, 0)];
    two.reader.sort_table(two.table, &orders).unwrap();
    let rows = |two: &mut Two| {
        (two.reader)
            .seek_row(two.table, BEGINNING, 0, false)
            .unwrap();
        let rows = two.reader.query_rows(two.table, &cells, 0, true, 50);
        let rows = rows.unwrap().rows;
        let shown: Vec<String> = (rows.iter())
            .map(|row| match &row.cells[1] {
                ropewalk_wire::row::RowCell::Value(_) => row.text(0) + &row.text(1),
                _ => row.text(0),
            })
            .collect();
        shown.join(" ")
    };
    let values = |values: &[&str]| {
        let values = values.iter().map(|value| (*value).into()).collect();
        [(MANY, Value::MultipleString(values))]
    };
    assert_eq!(rows(&mut two), "a b");
    two.set(0, &values(&["2", "1"]));
    assert_eq!(rows(&mut two), "b a1 a2");
    two.set(1, &values(&["1", "3", "0"]));
    assert_eq!(rows(&mut two), "b0 a1 b1 a2 b3");
    two.set(0, &values(&["9"]));
    assert_eq!(rows(&mut two), "b0 b1 b3 a9");
    let (folder, id) = (two.folder, two.ids[1]);
    two.writer.delete_messages(folder, &[id]).unwrap();
    assert_eq!(rows(&mut two), "a9");
}

// MS-OXCFOLD 2.2.1.13.1, 2.2.1.14.1: what was deleted is in another table, whoever deleted it.
#[test]
fn deleted_items_go_from_one_table_to_another() {
    const SOFT_DELETES: u8 = 0x20;
    let mut two = two(&["a", "b"]);
    let (deleted, count) = two.reader.contents_table(two.same, SOFT_DELETES).unwrap();
    assert_eq!(count, 0);
    let (folder, ids) = (two.folder, two.ids.clone());
    two.writer.delete_messages(folder, &ids[..1]).unwrap();
    assert_eq!(two.subjects(), "b");
    let rows = two.reader.query_all_rows(deleted, &COLUMNS).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].id(0), rows[0].text(1)), (ids[0], "a".to_owned()));
    two.writer.hard_delete_messages(folder, &ids[1..]).unwrap();
    assert_eq!(two.subjects(), "");
    assert_eq!(two.reader.query_position(deleted).unwrap().1, 1);
    // Folders alike.
    let child = two.writer.create_folder(folder, "child").unwrap();
    let (children, count) = two.reader.hierarchy_table(two.same, 0).unwrap();
    assert_eq!(count, 1);
    let (gone, count) = two.reader.hierarchy_table(two.same, SOFT_DELETES).unwrap();
    assert_eq!(count, 0);
    two.writer
        .delete_folder(folder, child.folder_id, 0)
        .unwrap();
    assert_eq!(two.reader.query_position(children).unwrap().1, 0);
    let rows = two.reader.query_all_rows(gone, &[tag::FOLDER_ID]).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].id(0), child.folder_id);
}

// A hierarchy table is restricted by what folders are like now.
#[test]
fn a_restricted_hierarchy_follows_its_folders() {
    let mut two = two(&[]);
    let child = two.writer.create_folder(two.folder, "child").unwrap();
    let (children, _) = two.reader.hierarchy_table(two.same, 0x04).unwrap();
    let columns = [tag::DISPLAY_NAME, tag::CONTENT_COUNT];
    two.reader.set_columns(children, &columns).unwrap();
    let full = property(RelOp::GREATER_THAN, tag::CONTENT_COUNT, Value::Integer32(0));
    two.reader.restrict(children, Some(&full)).unwrap();
    assert_eq!(two.reader.query_position(children).unwrap(), (0, 0));
    let (_, id) = new_message(&mut two.writer, child.handle, child.folder_id, "one");
    assert_eq!(two.reader.query_position(children).unwrap(), (0, 1));
    let rows = two.reader.query_rows(children, &columns, 1, true, 9);
    assert_eq!(rows.unwrap().rows[0].int(1), 1);
    two.writer.delete_messages(child.handle, &[id]).unwrap();
    assert_eq!(two.reader.query_position(children).unwrap(), (0, 0));
    // A folder that comes, with all that is in it.
    two.reader.restrict(children, None).unwrap();
    two.writer.create_folder(child.handle, "deeper").unwrap();
    assert_eq!(two.reader.query_position(children).unwrap(), (0, 2));
    two.writer
        .set_props(child.handle, &[(tag::DISPLAY_NAME, text("renamed"))])
        .unwrap();
    let rows = two.reader.query_rows(children, &columns, 1, true, 9);
    assert_eq!(rows.unwrap().rows[0].text(0), "renamed");
}
