//! Restrictions on what the server works out.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Value},
    fixture::{ada, new_folder, new_message, tag, text},
};
use ropewalk_wire::restriction::{RelOp, Restriction};

use super::{content, left, sorted_table};
use crate::fixture::property;

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
