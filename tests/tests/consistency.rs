//! What one ROP tells of an object agrees with what another tells: lists, all properties, single
//! ones, and cells of tables, over everything in the demo office.

use std::collections::BTreeSet;

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Row, Value},
    fixture::{legacy_dn, log_on, tag},
    server::TestServer,
};

/// The demo's first user, as the server prints it.
const USER: (&str, &str) = ("mira@example.test", "harbour-lantern-7");

/// PidTagBody, PidTagRtfCompressed and PidTagHtml (MS-OXBBODY 2.1.1).
const BODY_FORMS: [u32; 3] = [0x1000_001F, 0x1009_0102, 0x1013_0102];

/// A cell agrees with a value: it is the value, or the beginning of a long one (MS-OXCTABL lets a
/// server cut long strings and binaries in tables), or an error because it is too long.
fn agrees(cell: Option<&Value>, value: &Value) -> bool {
    match (cell, value) {
        (None, Value::String(_) | Value::Binary(_) | Value::Object(_)) => size(value) > 255,
        (None, _) => false,
        (Some(Value::String(cell)), Value::String(value)) => {
            cell == value
                || cell.as_bytes().len() >= 500 && value.as_bytes().starts_with(cell.as_bytes())
        }
        (Some(Value::Binary(cell)), Value::Binary(value)) => {
            cell == value || cell.len() >= 255 && value.starts_with(cell)
        }
        (Some(cell), value) => cell == value,
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_bytes().len(),
        Value::Binary(bytes) | Value::Object(bytes) => bytes.len(),
        _ => 0,
    }
}

/// The tags and values of an object, told in three ways that have to agree.
fn properties(client: &mut Client, object: Handle, what: &str) -> Vec<(u32, Value)> {
    let list: BTreeSet<u32> = client.list_props(object).unwrap().into_iter().collect();
    let all = client.get_all_props(object).unwrap();
    let mut values = Vec::new();
    for (tag, value) in &all {
        if let Value::ErrorCode(_) = value {
            // Too large; the list has its real type.
            assert!(
                list.iter().any(|listed| listed >> 16 == tag >> 16),
                "{what}: {tag:#010x} is not in the list"
            );
            continue;
        }
        assert!(list.contains(tag), "{what}: {tag:#010x} is not in the list");
        let row = client.get_props(object, &[*tag]).unwrap();
        assert_eq!(row.cells[0].value(), Some(value), "{what}: {tag:#010x}");
        values.push((*tag, value.clone()));
    }
    // A PtypObject has no value outside of a stream.
    for tag in list.into_iter().filter(|tag| tag & 0xFFFF != 0x000D) {
        assert!(
            all.iter().any(|(told, _)| told >> 16 == tag >> 16),
            "{what}: {tag:#010x} is in the list alone"
        );
    }
    // A body in a form that is not kept is converted when it is asked for, and is in no list.
    let forms = BODY_FORMS.into_iter();
    for tag in forms.filter(|form| all.iter().all(|(told, _)| told >> 16 != form >> 16)) {
        let row = client.get_props(object, &[tag]).unwrap();
        values.extend(row.cells[0].value().map(|value| (tag, value.clone())));
    }
    values
}

/// The rows of a table agree with the values of the objects that they are of.
fn check_rows(
    client: &mut Client,
    table: Handle,
    key: u32,
    objects: &[(u64, Vec<(u32, Value)>)],
    what: &str,
) {
    let tags: BTreeSet<u32> = objects
        .iter()
        .flat_map(|(_, values)| values.iter().map(|(tag, _)| *tag))
        .collect();
    let tags: Vec<u32> = tags.into_iter().collect();
    for part in tags.chunks(20) {
        let mut columns = vec![key];
        columns.extend(part);
        client.seek_row(table, 0, 0, false).unwrap();
        let rows: Vec<Row> = client.query_all_rows(table, &columns).unwrap();
        assert_eq!(rows.len(), objects.len(), "{what}");
        for row in rows {
            let id = match row.value(0) {
                Value::Integer32(number) => u64::from(number.cast_unsigned()),
                _ => row.id(0),
            };
            let (_, values) = objects
                .iter()
                .find(|(known, _)| *known == id)
                .unwrap_or_else(|| panic!("{what}: a row of {id:#x}"));
            for (i, tag) in part.iter().enumerate() {
                let cell = row.cells[i + 1].value();
                match values.iter().find(|(known, _)| known == tag) {
                    Some((_, value)) => assert!(
                        agrees(cell, value),
                        "{what}: {tag:#010x} is {:?} in the table and {value:?} on the object",
                        row.cells[i + 1]
                    ),
                    None => assert_eq!(cell, None, "{what}: {tag:#010x}"),
                }
            }
        }
    }
}

#[test]
fn tables_and_objects_tell_the_same() {
    let server = TestServer::demo();
    let (email, password) = USER;
    let dn = legacy_dn(server.data_dir(), email);
    let (mut client, logon) = log_on(&server, email, password, &dn);
    let client = &mut client;
    properties(client, logon.handle, "the logon");
    let ipm = client
        .open_folder(logon.handle, logon.ipm_subtree())
        .unwrap();
    let (hierarchy, _) = client.hierarchy_table(ipm, 0).unwrap();
    let rows = client
        .query_all_rows(hierarchy, &[tag::FOLDER_ID, tag::DISPLAY_NAME])
        .unwrap();
    let mut folders = Vec::new();
    let mut messages_seen = 0;
    for row in rows {
        let (fid, name) = (row.id(0), row.text(1));
        let folder = client.open_folder(logon.handle, fid).unwrap();
        folders.push((fid, properties(client, folder, &name)));
        let (contents, _) = client.contents_table(folder, 0).unwrap();
        let rows = client.query_all_rows(contents, &[tag::MID]).unwrap();
        let mut messages = Vec::new();
        for row in rows {
            let mid = row.id(0);
            let opened = client.open_message(folder, fid, mid, 3).unwrap();
            let what = format!("message {mid:#x} of {name}");
            messages.push((mid, properties(client, opened.handle, &what)));
            let table = client.attachment_table(opened.handle).unwrap();
            let rows = client.query_all_rows(table, &[tag::ATTACH_NUMBER]).unwrap();
            let mut attachments = Vec::new();
            for row in rows {
                let number = row.int(0).cast_unsigned();
                let attachment = client.open_attachment(opened.handle, number, 3).unwrap();
                let what = format!("attachment {number} of {what}");
                let values = properties(client, attachment, &what);
                attachments.push((u64::from(number), values));
            }
            check_rows(client, table, tag::ATTACH_NUMBER, &attachments, &what);
        }
        messages_seen += messages.len();
        check_rows(client, contents, tag::MID, &messages, &name);
    }
    assert!(messages_seen > 5, "{messages_seen}");
    check_rows(client, hierarchy, tag::FOLDER_ID, &folders, "the hierarchy");
}
