//! Unpaired surrogates are kept and returned as they were given, by every way.

use ropewalk_props::{Guid, PropTag, Utf16Text};
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NO_HANDLE, Name, Rop, Value},
    fixture::{ADA, PASSWORD, code, fails, legacy_dn, log_on, new_folder, new_message, tag},
    server::{TestServer, add_user},
};

use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use super::{FREE, FREE_MULTIPLE, bytes, connect, narrow};

/// `A`, half a pair, `: B`, the other half twice, as they never stand together.
const LONE: [u8; 14] = *b"A\0\x00\xD8:\0 \0B\0\xFF\xDF\x00\xDC";

fn lone() -> Value {
    Value::String(Utf16Text::from_le_bytes(&LONE))
}

fn several() -> Value {
    let one = Utf16Text::from_le_bytes(&LONE);
    Value::MultipleString(vec![one.clone(), "".into(), one])
}

fn is_whole(client: &mut Client, object: Handle) {
    let row = client.get_props(object, &[FREE, FREE_MULTIPLE]).unwrap();
    assert_eq!((row.value(0), row.value(1)), (&lone(), &several()));
    let all = client.get_all_props(object).unwrap();
    assert!(all.contains(&(FREE, lone())));
    assert!(all.contains(&(FREE_MULTIPLE, several())));
}

fn set(client: &mut Client, object: Handle) {
    client
        .set_props(object, &[(FREE, lone()), (FREE_MULTIPLE, several())])
        .unwrap();
    is_whole(client, object);
}

fn streamed(client: &mut Client, object: Handle) {
    assert_eq!(client.read_property_stream(object, FREE).unwrap(), LONE);
    for count in [1, 10_000] {
        let long = LONE.repeat(count);
        client.write_property_stream(object, FREE, &long).unwrap();
        assert_eq!(client.read_property_stream(object, FREE).unwrap(), long);
    }
    client.write_property_stream(object, FREE, &LONE).unwrap();
    is_whole(client, object);
}

/// RopCopyTo, everything and over what is there.
fn copy_to(client: &mut Client, from: Handle, to: Handle) {
    let rop = Rop::new(0x39, 0).u8(1).u8(0).u8(1).u8(0).tags(&[]);
    client.rop(&rop, &[from, to]).unwrap();
}

/// RopCopyProperties.
fn copy_properties(client: &mut Client, from: Handle, to: Handle) {
    let rop = Rop::new(0x67, 0)
        .u8(1)
        .u8(0)
        .u8(0)
        .tags(&[FREE, FREE_MULTIPLE]);
    client.rop(&rop, &[from, to]).unwrap();
}

#[test]
fn properties_streams_and_copies_keep_them() {
    let (mut client, logon) = connect(1252);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "");
    set(&mut client, message);
    streamed(&mut client, message);
    // In 8 bits a mark for each, and what is kept is what it was.
    let row = client.get_props(message, &[narrow(FREE)]).unwrap();
    assert_eq!(*row.value(0), bytes(b"A?: B??"));
    let marks = client.read_property_stream(message, narrow(FREE)).unwrap();
    assert_eq!(marks, b"A?: B??");
    is_whole(&mut client, message);

    let (attachment, number) = client.create_attachment(message).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_LONG_FILENAME, lone())])
        .unwrap();
    set(&mut client, attachment);
    streamed(&mut client, attachment);
    let (inner, _) = client.open_embedded_message(attachment, 2).unwrap();
    set(&mut client, inner.handle);
    client
        .set_props(inner.handle, &[(tag::SUBJECT, lone())])
        .unwrap();
    client.save_message(inner.handle).unwrap();
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();

    let check = |client: &mut Client, folder: Handle, folder_id: u64, id: u64| {
        let opened = client.open_message(folder, folder_id, id, 0).unwrap();
        is_whole(client, opened.handle);
        let attachment = client.open_attachment(opened.handle, number, 0).unwrap();
        is_whole(client, attachment);
        let row = client
            .get_props(attachment, &[tag::ATTACH_LONG_FILENAME])
            .unwrap();
        assert_eq!(*row.value(0), lone());
        let table = client.attachment_table(opened.handle).unwrap();
        let rows = client
            .query_all_rows(table, &[tag::ATTACH_LONG_FILENAME])
            .unwrap();
        assert_eq!(*rows[0].value(0), lone());
        let (inner, _) = client.open_embedded_message(attachment, 0).unwrap();
        is_whole(client, inner.handle);
        let row = client.get_props(inner.handle, &[tag::SUBJECT]).unwrap();
        assert_eq!(*row.value(0), lone());
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let rows = client
            .query_all_rows(table, &[tag::MID, FREE, FREE_MULTIPLE])
            .unwrap();
        let row = rows.iter().find(|row| row.id(0) == id).unwrap();
        assert_eq!((row.value(1), row.value(2)), (&lone(), &several()));
    };
    check(&mut client, folder, folder_id, id);
    let (other, other_id) = new_folder(&mut client, &logon);
    client
        .move_copy_messages(folder, other, &[id], true)
        .unwrap();
    let (table, _) = client.contents_table(other, 0).unwrap();
    let copy = client.query_all_rows(table, &[tag::MID]).unwrap()[0].id(0);
    check(&mut client, other, other_id, copy);

    let (second, second_id) = new_message(&mut client, folder, folder_id, "");
    copy_to(&mut client, message, second);
    client.save_message(second).unwrap();
    check(&mut client, folder, folder_id, second_id);
    let (third, _) = new_message(&mut client, folder, folder_id, "");
    copy_properties(&mut client, message, third);
    is_whole(&mut client, third);
}

#[test]
fn the_parts_of_a_subject_keep_them() {
    let (mut client, logon) = connect(1252);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, lone())])
        .unwrap();
    let id = client.save_message(message).unwrap();
    let (prefix, rest) = LONE.split_at(8);
    let part = |bytes: &[u8]| Value::String(Utf16Text::from_le_bytes(bytes));
    let tags = [tag::SUBJECT, tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT];
    let row = client.get_props(message, &tags).unwrap();
    assert_eq!(*row.value(0), lone());
    assert_eq!(*row.value(1), part(prefix));
    assert_eq!(*row.value(2), part(rest));
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client.query_all_rows(table, &tags).unwrap();
    assert_eq!(*rows[0].value(0), lone());
    assert_eq!(*rows[0].value(2), part(rest));

    // Set apart, they make the whole.
    let values = [(tags[1], part(rest)), (tags[2], part(prefix))];
    client.set_props(message, &values).unwrap();
    let row = client.get_props(message, &tags).unwrap();
    assert_eq!(*row.value(0), part(&[rest, prefix].concat()));
    assert_eq!((row.value(1), row.value(2)), (&part(rest), &part(prefix)));

    let rop = Rop::new(0x03, 0)
        .u8(1)
        .u16(0x0FFF)
        .u64(folder_id)
        .u8(0)
        .u64(id);
    let answer = client.rop(&rop, &[folder, NO_HANDLE]).unwrap();
    // HasNamedProperties, and two TypedStrings in Unicode.
    let expected = [b"\0\x04", prefix, b"\0\0\x04", rest, b"\0\0"].concat();
    assert_eq!(answer.body[..expected.len()], expected);
}

#[test]
fn recipients_keep_them() {
    let (mut client, logon) = connect(1252);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    const COLUMN: u32 = 0x7803_001F;
    // SMTP, with an address, Unicode; with and without a name.
    let with_name = |row_id: u32, has_name: bool| {
        let flags = 0x0003 | 0x0008 | 0x0200 | if has_name { 0x0010 } else { 0 };
        let mut row = u16::to_le_bytes(flags).to_vec();
        for _ in 0..=u8::from(has_name) {
            row.extend_from_slice(&LONE);
            row.extend_from_slice(&[0, 0]);
        }
        row.extend_from_slice(&[1, 0, 0]);
        row.extend_from_slice(&LONE);
        row.extend_from_slice(&[0, 0]);
        let mut whole = row_id.to_le_bytes().to_vec();
        whole.push(1);
        whole.extend_from_slice(&u16::try_from(row.len()).unwrap().to_le_bytes());
        whole.extend_from_slice(&row);
        whole
    };
    let rows = [with_name(0, true), with_name(1, false)].concat();
    let rop = Rop::new(0x0E, 0).tags(&[COLUMN]).u16(2).bytes(&rows);
    client.rop(&rop, &[message]).unwrap().empty().unwrap();
    let names = [&LONE[..], b";\0 \0", &LONE].concat();
    let names = Value::String(Utf16Text::from_le_bytes(&names));
    let row = client.get_props(message, &[tag::DISPLAY_TO]).unwrap();
    assert_eq!(*row.value(0), names);
    let id = client.save_message(message).unwrap();
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client.query_all_rows(table, &[tag::DISPLAY_TO]).unwrap();
    assert_eq!(*rows[0].value(0), names);

    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    let columns = opened.recipient_columns.clone();
    let at = columns.iter().position(|tag| *tag == COLUMN).unwrap();
    for recipient in client.read_recipients(opened.handle, 0, &columns).unwrap() {
        assert_eq!(*recipient.properties.value(at), lone());
    }
    // In the fields of the rows too: each has them as address, name and column, the first one more than
    // that in its EntryID.
    let answer = client
        .rop(&Rop::new(0x0F, 0).u32(0).u16(0), &[opened.handle])
        .unwrap();
    let found = answer
        .body
        .windows(LONE.len())
        .filter(|window| *window == LONE);
    assert!(found.count() >= 6);
    let replaced = answer.body.windows(2).any(|window| window == [0xFD, 0xFF]);
    assert!(!replaced, "U+FFFD stands in place of something");
}

#[test]
fn folders_and_names_of_properties_keep_them() {
    let (mut client, logon) = connect(1252);
    let (parent, _) = new_folder(&mut client, &logon);
    let rop = Rop::new(0x1C, 0)
        .bytes(&[1, 1, 1, 0, 0])
        .bytes(&LONE)
        .bytes(&[0, 0])
        .bytes(&LONE)
        .bytes(&[0, 0]);
    let folder = client
        .rop(&rop, &[parent, NO_HANDLE])
        .unwrap()
        .handle(1)
        .unwrap();
    set(&mut client, folder);
    let row = client
        .get_props(folder, &[tag::DISPLAY_NAME, tag::COMMENT])
        .unwrap();
    assert_eq!((row.value(0), row.value(1)), (&lone(), &lone()));
    let (table, _) = client.hierarchy_table(parent, 0).unwrap();
    let columns = [tag::DISPLAY_NAME, tag::COMMENT, FREE];
    let rows = client.query_all_rows(table, &columns).unwrap();
    for at in 0..columns.len() {
        assert_eq!(*rows[0].value(at), lone());
    }

    // A name that differs in one is another name.
    let other = |name: &[u8]| {
        let rop = Rop::new(0x1C, 0).bytes(&[1, 1, 1, 0, 0]).bytes(name);
        rop.bytes(&[0, 0, 0, 0])
    };
    for name in [&LONE[..12], b"A\0\x01\xD8", b"A\0\x02\xD8", b"A\0\xFD\xFF"] {
        client.rop(&other(name), &[parent, NO_HANDLE]).unwrap();
    }
    let again = client.rop(&other(b"a\0\x01\xD8"), &[parent, NO_HANDLE]);
    fails(again, code::DUPLICATE_NAME);
    let (table, _) = client.hierarchy_table(parent, 0).unwrap();
    let rows = client.query_all_rows(table, &[tag::DISPLAY_NAME]).unwrap();
    assert_eq!(rows.len(), 5);

    let guid = Guid([0x5A; 16]);
    let names = [
        Name::Name(guid, Utf16Text::from_le_bytes(&LONE)),
        Name::Name(guid, Utf16Text::from_le_bytes(&LONE[..12])),
        Name::Name(guid, "A\u{FFFD}: B\u{FFFD}".into()),
    ];
    let ids = client.property_ids(logon.handle, 2, &names).unwrap();
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);
    let told = client.property_names(logon.handle, &ids).unwrap();
    assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), names);
}

#[test]
fn a_restart_keeps_them() {
    let mut server = TestServer::start(&[]);
    let data_dir = server.data_dir().to_owned();
    add_user(&data_dir, ADA, "Ada Lovelace", PASSWORD);
    let dn = legacy_dn(&data_dir, ADA);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    set(&mut client, folder);
    let (message, id) = new_message(&mut client, folder, folder_id, "");
    set(&mut client, message);
    client
        .set_props(message, &[(tag::SUBJECT, lone())])
        .unwrap();
    let long = LONE.repeat(10_000);
    client
        .write_property_stream(message, tag::BODY, &long)
        .unwrap();
    client.save_message(message).unwrap();
    let check = |client: &mut Client, logon: &Logon| {
        let folder = client.open_folder(logon.handle, folder_id).unwrap();
        is_whole(client, folder);
        let opened = client.open_message(folder, folder_id, id, 0).unwrap();
        is_whole(client, opened.handle);
        let row = client.get_props(opened.handle, &[tag::SUBJECT]).unwrap();
        assert_eq!(*row.value(0), lone());
        assert_eq!(
            client
                .read_property_stream(opened.handle, tag::BODY)
                .unwrap(),
            long
        );
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let rows = client.query_all_rows(table, &[tag::SUBJECT, FREE]).unwrap();
        assert_eq!((rows[0].value(0), rows[0].value(1)), (&lone(), &lone()));
    };
    check(&mut client, &logon);
    // In order, and then not.
    server.stop();
    let mut server = TestServer::start_in(&data_dir, &[]);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    check(&mut client, &logon);
    server.kill();
    let server = TestServer::start_in(&data_dir, &[]);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    check(&mut client, &logon);
}

#[test]
fn restrictions_and_orders_tell_them_apart() {
    let (mut client, logon) = connect(1252);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let subject = |unit: u16| {
        let [low, high] = unit.to_le_bytes();
        Value::String(Utf16Text::from_le_bytes(&[b'A', 0, low, high]))
    };
    // The second one twice.
    let subjects = [0xD801, 0xD802, 0xD802, 0xDC00].map(subject);
    for subject in [0, 1, 3, 2].map(|at: usize| subjects[at].clone()) {
        let (message, _) = new_message(&mut client, folder, folder_id, "");
        client
            .set_props(message, &[(tag::SUBJECT, subject)])
            .unwrap();
        client.save_message(message).unwrap();
    }
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
    let shown: Vec<&Value> = rows.iter().map(|row| row.value(0)).collect();
    assert_eq!(shown, subjects.iter().collect::<Vec<_>>());
    let tagged_value = TaggedPropertyValue {
        tag: PropTag(tag::SUBJECT),
        value: subjects[1].clone(),
    };
    let equal = Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(tag::SUBJECT),
        tagged_value: tagged_value.clone(),
    };
    let content = Restriction::Content {
        fuzzy_level_low: 1,
        fuzzy_level_high: 1,
        property_tag: PropTag(tag::SUBJECT),
        tagged_value,
    };
    for restriction in [equal, content] {
        client.restrict(table, Some(&restriction)).unwrap();
        let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
        let shown: Vec<&Value> = rows.iter().map(|row| row.value(0)).collect();
        assert_eq!(shown, [&subjects[1]; 2], "{restriction:?}");
    }
    // In groups of their own.
    client.restrict(table, None).unwrap();
    let rop = Rop::new(0x13, 0).u8(0).u16(1).u16(1).u16(0);
    client.rop(&rop.u32(tag::SUBJECT).u8(0), &[table]).unwrap();
    let columns = [tag::SUBJECT, tag::CONTENT_COUNT];
    let headers = client.query_all_rows(table, &columns).unwrap();
    let counts: Vec<i32> = headers.iter().map(|header| header.int(1)).collect();
    assert_eq!(counts, [1, 2, 1]);
    assert_eq!(*headers[1].value(0), subjects[1]);
}
