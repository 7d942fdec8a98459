//! Attachments, section by section (MS-OXCMSG 2.2.2, 3.2.5.12 to 3.2.5.17).

use ropewalk_props::FileTime;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Value, save},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

use crate::look::{BEST_ACCESS, READ, READ_WRITE};

const CREATE: u8 = 2;
const ATTACH_LONG_PATHNAME: u32 = 0x370D_001F;

const THEN: Value = Value::Time(FileTime(0x01C8_6DB7_0000_0000));
const LATER: Value = Value::Time(FileTime(0x01C8_6DB8_0000_0000));

fn numbers(client: &mut Client, message: Handle) -> Vec<i32> {
    let table = client.attachment_table(message).unwrap();
    let rows = client.query_all_rows(table, &[tag::ATTACH_NUMBER]).unwrap();
    client.release(table).unwrap();
    rows.iter().map(|row| row.int(0)).collect()
}

fn value(client: &mut Client, object: Handle, tag: u32) -> Value {
    let row = client.get_props(object, &[tag]).unwrap();
    row.value(0).clone()
}

fn level(client: &mut Client, object: Handle) -> i32 {
    let row = client.get_props(object, &[tag::ACCESS_LEVEL]);
    row.unwrap().int(0)
}

// MS-OXCMSG 2.2.2.2, 2.2.2.3, 4.5.3: the times may be those of the file, which the client knows.
#[test]
fn the_times_of_an_attachment_are_those_of_its_file_if_they_are_given() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "a file");
    let (attachment, number) = client.create_attachment(message).unwrap();
    let times = [
        (tag::CREATION_TIME, THEN),
        (tag::LAST_MODIFICATION_TIME, LATER),
        (tag::ATTACH_METHOD, Value::Integer32(1)),
    ];
    assert_eq!(client.try_set_props(attachment, &times).unwrap(), []);
    client
        .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, b"contents")
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();
    let told = |client: &mut Client, attachment: Handle| {
        [tag::CREATION_TIME, tag::LAST_MODIFICATION_TIME].map(|tag| value(client, attachment, tag))
    };
    assert_eq!(told(&mut client, attachment), [THEN, LATER]);
    let opened = client.open_message(folder, folder_id, id, READ_WRITE);
    let message = opened.unwrap().handle;
    let attachment = client.open_attachment(message, number, READ_WRITE).unwrap();
    assert_eq!(told(&mut client, attachment), [THEN, LATER]);
    // Who changes it and gives no time has changed it now.
    client
        .set_props(attachment, &[(tag::ATTACH_LONG_FILENAME, text("renamed"))])
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    let [created, modified] = told(&mut client, attachment);
    assert_eq!(created, THEN);
    assert_ne!(modified, LATER);
    client
        .set_props(attachment, &[(tag::LAST_MODIFICATION_TIME, LATER)])
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    assert_eq!(told(&mut client, attachment), [THEN, LATER]);
    // A save with nothing to save is no change.
    client.save_attachment(message, attachment).unwrap();
    let table = client.attachment_table(message).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::CREATION_TIME, tag::LAST_MODIFICATION_TIME])
        .unwrap();
    assert_eq!(rows[0].value(0), &THEN);
}

// MS-OXCMSG 2.2.2.7 to 2.2.2.9: what each method has its contents in comes back with it.
#[test]
fn every_attach_method_keeps_what_belongs_to_it() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "all methods");
    let path = text(r"\\server\share\a file.txt");
    let given = [
        (
            1,
            Some((tag::ATTACH_DATA_BINARY, Value::Binary(b"by value".to_vec()))),
        ),
        (2, Some((ATTACH_LONG_PATHNAME, path.clone()))),
        (4, Some((ATTACH_LONG_PATHNAME, path.clone()))),
        (7, Some((ATTACH_LONG_PATHNAME, path))),
        (6, None),
        (0, None),
    ];
    let mut made = Vec::new();
    for (method, content) in &given {
        let (attachment, number) = client.create_attachment(message).unwrap();
        // afNone: it has just been created.
        assert_eq!(
            value(&mut client, attachment, tag::ATTACH_METHOD),
            Value::Integer32(0)
        );
        if *method != 0 {
            let method = [(tag::ATTACH_METHOD, Value::Integer32(*method))];
            client.set_props(attachment, &method).unwrap();
        }
        if let Some(content) = content {
            client
                .set_props(attachment, std::slice::from_ref(content))
                .unwrap();
        }
        if *method == 6 {
            client
                .write_property_stream(attachment, tag::ATTACH_DATA_OBJECT, b"a storage")
                .unwrap();
        }
        client.save_attachment(message, attachment).unwrap();
        made.push(number);
    }
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    for ((method, content), number) in given.iter().zip(made) {
        let attachment = client.open_attachment(opened.handle, number, READ).unwrap();
        assert_eq!(
            value(&mut client, attachment, tag::ATTACH_METHOD),
            Value::Integer32(*method)
        );
        if let Some((tag, content)) = content {
            assert_eq!(&value(&mut client, attachment, *tag), content);
        }
        if *method == 6 {
            let data = client.read_property_stream(attachment, tag::ATTACH_DATA_OBJECT);
            assert_eq!(data.unwrap(), b"a storage");
        }
    }
}

// MS-OXCMSG 2.2.2.6, 3.2.5.13, 3.2.5.15, 3.2.5.17: a number is one attachment's, and what is deleted
// is gone from the table of the same message at once.
#[test]
fn numbers_are_unique_and_deleted_attachments_leave_the_table_at_once() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "three");
    let mut made: Vec<i32> = Vec::new();
    let add = |client: &mut Client, message: Handle| {
        let (attachment, number) = client.create_attachment(message).unwrap();
        client.save_attachment(message, attachment).unwrap();
        client.release(attachment).unwrap();
        number.cast_signed()
    };
    for _ in 0..3 {
        made.push(add(&mut client, message));
    }
    assert_eq!(numbers(&mut client, message), made);
    client
        .delete_attachment(message, made[1].cast_unsigned())
        .unwrap();
    assert_eq!(numbers(&mut client, message), [made[0], made[2]]);
    let fourth = add(&mut client, message);
    assert!(!made.contains(&fourth));
    assert_eq!(numbers(&mut client, message), [made[0], made[2], fourth]);
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ_WRITE);
    let again = opened.unwrap().handle;
    assert_eq!(numbers(&mut client, again), [made[0], made[2], fourth]);
    let fifth = add(&mut client, again);
    assert!(![made[0], made[2], fourth].contains(&fifth));
    // An attachment that was open when it was deleted is not brought back by its save.
    let open = client
        .open_attachment(again, fifth.cast_unsigned(), READ_WRITE)
        .unwrap();
    client
        .delete_attachment(again, fifth.cast_unsigned())
        .unwrap();
    let name = [(tag::ATTACH_LONG_FILENAME, text("too late"))];
    client.set_props(open, &name).unwrap();
    client.save_attachment(again, open).unwrap_err();
    assert_eq!(numbers(&mut client, again), [made[0], made[2], fourth]);
}

// MS-OXCMSG 2.2.3.12.1, 3.2.5.12, 3.2.5.14.
#[test]
fn an_attachment_is_as_writable_as_it_was_opened() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "modes");
    let (attachment, number) = client.create_attachment(message).unwrap();
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();
    let name = [(tag::ATTACH_LONG_FILENAME, text("a name"))];
    for (message_mode, mode, writable) in [
        (READ_WRITE, READ, Some(false)),
        (READ_WRITE, READ_WRITE, Some(true)),
        (READ_WRITE, BEST_ACCESS, Some(true)),
        (READ_WRITE, 0xF8, Some(false)),
        (READ, READ, Some(false)),
        (READ, READ_WRITE, None),
        (READ, BEST_ACCESS, Some(false)),
    ] {
        let opened = client.open_message(folder, folder_id, id, message_mode);
        let message = opened.unwrap().handle;
        let opened = client.open_attachment(message, number, mode);
        let Some(writable) = writable else {
            fails(opened, code::ACCESS_DENIED);
            continue;
        };
        let attachment = opened.unwrap();
        assert_eq!(level(&mut client, attachment), i32::from(writable));
        if writable {
            client.set_props(attachment, &name).unwrap();
            let kept = save::KEEP_OPEN_READ_ONLY;
            client
                .save_attachment_with(message, attachment, kept)
                .unwrap();
            assert_eq!(level(&mut client, attachment), 0);
        }
        fails(client.try_set_props(attachment, &name), code::ACCESS_DENIED);
        fails(client.save_attachment(message, attachment), code::ERROR);
        let created = client.create_attachment(message);
        if message_mode == READ {
            fails(created, code::ACCESS_DENIED);
            fails(
                client.delete_attachment(message, number),
                code::ACCESS_DENIED,
            );
        } else {
            created.unwrap();
        }
    }
}

// MS-OXCMSG 2.2.3.16.1, 3.2.5.16.
#[test]
fn an_embedded_message_opens_as_its_attachment_lets_it() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "outside");
    let (attachment, number) = client.create_attachment(message).unwrap();
    let method = [(tag::ATTACH_METHOD, Value::Integer32(5))];
    client.set_props(attachment, &method).unwrap();
    for mode in [READ, READ_WRITE] {
        fails(
            client.open_embedded_message(attachment, mode),
            code::NOT_FOUND,
        );
    }
    let (inside, _) = client.open_embedded_message(attachment, CREATE).unwrap();
    assert_eq!(inside.recipient_count, 0);
    let subject = [(tag::SUBJECT, text("RE: inside"))];
    client.set_props(inside.handle, &subject).unwrap();
    // Not in the attachment before its own save, nor in the message before the attachment's.
    fails(
        client.open_embedded_message(attachment, READ),
        code::NOT_FOUND,
    );
    client.save_message(inside.handle).unwrap();
    let (again, _) = client.open_embedded_message(attachment, CREATE).unwrap();
    assert_eq!(again.subject_prefix.as_deref(), Some("RE: "));
    assert_eq!(again.normalized_subject.as_deref(), Some("inside"));
    assert!(numbers(&mut client, message).is_empty());
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();
    for (mode, embedded_modes) in [
        (READ, &[(READ, 0)][..]),
        (READ_WRITE, &[(READ, 0), (READ_WRITE, 1), (CREATE, 1)]),
    ] {
        let opened = client.open_message(folder, folder_id, id, mode).unwrap();
        let attachment = client.open_attachment(opened.handle, number, mode).unwrap();
        for (embedded_mode, access_level) in embedded_modes {
            let (inside, _) = client
                .open_embedded_message(attachment, *embedded_mode)
                .unwrap();
            assert_eq!(inside.normalized_subject.as_deref(), Some("inside"));
            assert_eq!(level(&mut client, inside.handle), *access_level);
            let saved = client.save_message(inside.handle);
            if *access_level == 0 {
                fails(saved, code::ERROR);
            } else {
                saved.unwrap();
            }
        }
        if mode == READ {
            for embedded_mode in [READ_WRITE, CREATE] {
                fails(
                    client.open_embedded_message(attachment, embedded_mode),
                    code::ACCESS_DENIED,
                );
            }
        }
    }
}
