//! Attachments and embedded messages (MS-OXCMSG 3.2.5.12 to 3.2.5.17).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, NO_HANDLE, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

const READ: u8 = 0;
const READ_WRITE: u8 = 1;
const CREATE: u8 = 2;

fn attach(client: &mut Client, message: Handle, name: &str, data: &[u8]) -> (Handle, u32) {
    let (attachment, id) = client.create_attachment(message).unwrap();
    client
        .set_props(
            attachment,
            &[
                (tag::ATTACH_METHOD, Value::Integer32(1)),
                (tag::ATTACH_LONG_FILENAME, text(name)),
                (tag::ATTACH_DATA_BINARY, Value::Binary(data.to_vec())),
            ],
        )
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    (attachment, id)
}

/// Numbers and names in the attachment table.
fn attachments(client: &mut Client, message: Handle) -> Vec<(i32, String)> {
    let table = client.attachment_table(message).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::ATTACH_NUMBER, tag::ATTACH_LONG_FILENAME])
        .unwrap();
    client.release(table).unwrap();
    rows.iter().map(|row| (row.int(0), row.text(1))).collect()
}

// MS-OXCMSG 3.2.5.13.
#[test]
fn a_new_attachment_starts_with_the_properties_of_the_specification() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "bare");
    let (attachment, id) = client.create_attachment(message).unwrap();
    let row = client
        .get_props(
            attachment,
            &[
                tag::ATTACH_NUMBER,
                tag::ATTACH_SIZE,
                tag::ACCESS_LEVEL,
                tag::RENDERING_POSITION,
                tag::CREATION_TIME,
                tag::LAST_MODIFICATION_TIME,
            ],
        )
        .unwrap();
    assert_eq!(row.int(0).cast_unsigned(), id);
    // What Exchange 2010 has, as the table does.
    assert_eq!(row.int(1), 0x40);
    assert_eq!(row.int(2), 1);
    assert_eq!(row.int(3), -1);
    assert_ne!(row.time(4), 0);
    assert_eq!(row.time(5), row.time(4));
    let (_, second) = client.create_attachment(message).unwrap();
    assert_ne!(second, id);
}

// MS-OXCMSG 3.2.5.14.
#[test]
fn an_attachment_is_stored_by_two_saves() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "with cargo");
    let seen = |client: &mut Client| {
        let opened = client.open_message(folder, folder_id, id, READ).unwrap();
        let found = attachments(client, opened.handle);
        let row = client
            .get_props(opened.handle, &[tag::HAS_ATTACHMENTS, tag::MESSAGE_FLAGS])
            .unwrap();
        client.release(opened.handle).unwrap();
        assert_eq!(row.flag(0), !found.is_empty());
        assert_eq!(row.int(1) & 0x10 != 0, !found.is_empty(), "mfHasAttach");
        found
    };
    let (attachment, number) = client.create_attachment(message).unwrap();
    client
        .set_props(
            attachment,
            &[
                (tag::ATTACH_METHOD, Value::Integer32(1)),
                (tag::ATTACH_LONG_FILENAME, text("bill of lading.txt")),
                (tag::ATTACH_DATA_BINARY, Value::Binary(b"hemp".to_vec())),
            ],
        )
        .unwrap();
    client.save_message(message).unwrap();
    assert!(seen(&mut client).is_empty(), "the attachment is not saved");
    client.save_attachment(message, attachment).unwrap();
    assert!(seen(&mut client).is_empty(), "the message is not saved");
    client.save_message(message).unwrap();
    assert_eq!(
        seen(&mut client),
        [(number.cast_signed(), "bill of lading.txt".to_owned())]
    );
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    let same = client.open_attachment(opened.handle, number, READ).unwrap();
    let row = client
        .get_props(
            same,
            &[
                tag::ATTACH_DATA_BINARY,
                tag::ATTACH_SIZE,
                tag::ATTACH_METHOD,
            ],
        )
        .unwrap();
    assert_eq!(row.binary(0), b"hemp");
    assert!(row.int(1) >= 4);
    assert_eq!(row.int(2), 1);
}

#[test]
fn a_released_attachment_was_never_there() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "nothing");
    let (attachment, number) = client.create_attachment(message).unwrap();
    client.release(attachment).unwrap();
    client.save_message(message).unwrap();
    assert!(attachments(&mut client, message).is_empty());
    fails(
        client.open_attachment(message, number, READ),
        code::NOT_FOUND,
    );
}

// MS-OXCMSG 3.2.5.12 and 3.2.5.15.
#[test]
fn a_deleted_attachment_is_gone_for_others_after_the_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "two");
    let (_, first) = attach(&mut client, message, "a.txt", b"a");
    let (_, second) = attach(&mut client, message, "b.txt", b"b");
    client.save_message(message).unwrap();
    fails(client.delete_attachment(message, 99), code::NOT_FOUND);
    fails(
        client.open_attachment(message, 99, READ_WRITE),
        code::NOT_FOUND,
    );
    client.delete_attachment(message, first).unwrap();
    fails(
        client.open_attachment(message, first, READ),
        code::NOT_FOUND,
    );
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    assert_eq!(attachments(&mut client, opened.handle).len(), 2);
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    assert_eq!(
        attachments(&mut client, opened.handle),
        [(second.cast_signed(), "b.txt".to_owned())]
    );
    client.delete_attachment(message, second).unwrap();
    client.save_message(message).unwrap();
    let row = client.get_props(message, &[tag::HAS_ATTACHMENTS]).unwrap();
    assert!(!row.flag(0));
}

#[test]
fn an_attachment_opened_for_writing_takes_changes() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "edit");
    let (attachment, number) = attach(&mut client, message, "a.txt", b"before");
    client.save_message(message).unwrap();
    client.release(attachment).unwrap();
    client.release(message).unwrap();
    let message = client
        .open_message(folder, folder_id, id, READ_WRITE)
        .unwrap()
        .handle;
    let attachment = client.open_attachment(message, number, READ_WRITE).unwrap();
    client
        .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, b"after")
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    let same = client.open_attachment(opened.handle, number, READ).unwrap();
    let data = client
        .read_property_stream(same, tag::ATTACH_DATA_BINARY)
        .unwrap();
    assert_eq!(data, b"after");
}

#[test]
fn a_large_attachment_comes_back_byte_for_byte() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "large");
    let data: Vec<u8> = (0..700_001_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let (attachment, number) = client.create_attachment(message).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])
        .unwrap();
    client
        .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &data)
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    let same = client.open_attachment(opened.handle, number, READ).unwrap();
    let row = client
        .get_props(same, &[tag::ATTACH_DATA_BINARY, tag::ATTACH_SIZE])
        .unwrap();
    // MS-OXCPRPT 2.2.2.2: too large for the response, to be read by a stream.
    let error = row.error(0);
    assert!(
        [code::MEMORY, code::TOO_BIG].contains(&error),
        "{error:#010x}"
    );
    assert!(row.int(1) >= 700_001);
    let read = client
        .read_property_stream(same, tag::ATTACH_DATA_BINARY)
        .unwrap();
    assert!(read == data, "{} bytes, {}", read.len(), data.len());
}

// MS-OXCMSG 3.2.5.16.
#[test]
fn an_embedded_message_is_saved_from_the_inside_out() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (outer, id) = new_message(&mut client, folder, folder_id, "outer");
    let (attachment, number) = client.create_attachment(outer).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(5))])
        .unwrap();
    assert!(client.open_embedded_message(attachment, READ).is_err());
    let (inner, _) = client.open_embedded_message(attachment, CREATE).unwrap();
    client
        .set_props(
            inner.handle,
            &[(tag::SUBJECT, text("FW: inner")), (tag::BODY, text("deep"))],
        )
        .unwrap();
    client.save_message(inner.handle).unwrap();
    client.save_attachment(outer, attachment).unwrap();
    client.save_message(outer).unwrap();
    for handle in [inner.handle, attachment, outer] {
        client.release(handle).unwrap();
    }
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    let attachment = client.open_attachment(opened.handle, number, READ).unwrap();
    let (inner, _) = client.open_embedded_message(attachment, READ).unwrap();
    assert_eq!(inner.subject_prefix.as_deref(), Some("FW: "));
    assert_eq!(inner.normalized_subject.as_deref(), Some("inner"));
    let row = client
        .get_props(inner.handle, &[tag::SUBJECT, tag::BODY, tag::MESSAGE_CLASS])
        .unwrap();
    assert_eq!(row.text(0), "FW: inner");
    assert_eq!(row.text(1), "deep");
    assert_eq!(row.text(2), "IPM.Note");
    let row = client.get_props(attachment, &[tag::ATTACH_METHOD]).unwrap();
    assert_eq!(row.int(0), 5);
    // It is no message of the folder.
    let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0), 1);
}

#[test]
fn an_embedded_message_that_is_not_saved_is_not_there() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (outer, id) = new_message(&mut client, folder, folder_id, "outer");
    let (attachment, number) = client.create_attachment(outer).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(5))])
        .unwrap();
    let (inner, _) = client.open_embedded_message(attachment, CREATE).unwrap();
    client
        .set_props(inner.handle, &[(tag::SUBJECT, text("lost"))])
        .unwrap();
    client.release(inner.handle).unwrap();
    client.save_attachment(outer, attachment).unwrap();
    client.save_message(outer).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    let attachment = client.open_attachment(opened.handle, number, READ).unwrap();
    if let Ok((inner, _)) = client.open_embedded_message(attachment, READ) {
        assert_ne!(inner.normalized_subject.as_deref(), Some("lost"));
    }
}

#[test]
fn an_embedded_message_in_an_unknown_code_page_is_refused() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (outer, _) = new_message(&mut client, folder, folder_id, "outer");
    let (attachment, _) = client.create_attachment(outer).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(5))])
        .unwrap();
    let rop = Rop::new(0x46, 0).u8(1).u16(0xFFF0).u8(CREATE);
    fails(
        client.rop(&rop, &[attachment, NO_HANDLE]),
        code::UNKNOWN_CODE_PAGE,
    );
    client.open_embedded_message(attachment, CREATE).unwrap();
}

#[test]
fn save_flags_of_an_attachment_have_to_make_sense() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "flags");
    let (attachment, _) = client.create_attachment(message).unwrap();
    // MS-OXCMSG 3.2.5.14: both keep-open flags are no supported combination.
    fails(
        client.save_attachment_with(message, attachment, 0x03),
        code::NOT_SUPPORTED,
    );
    client
        .save_attachment_with(message, attachment, 0x0A)
        .unwrap();
    client
        .save_attachment_with(message, attachment, 0x01)
        .unwrap();
}

/// RopGetValidAttachments (MS-OXCMSG 2.2.3.18): what was saved into the message, and nothing else.
#[test]
fn valid_attachments_are_those_that_were_saved() {
    fn valid(client: &mut Client, message: Handle) -> Vec<u32> {
        let answer = client.rop(&Rop::new(0x52, 0), &[message]).unwrap();
        let numbers = answer.read(|input| {
            let count = input.u16()?;
            (0..count).map(|_| input.u32()).collect()
        });
        numbers.unwrap()
    }
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "valid");
    assert!(valid(&mut client, message).is_empty());
    let (_, first) = attach(&mut client, message, "first", b"1");
    let (unsaved, _) = client.create_attachment(message).unwrap();
    let (_, third) = attach(&mut client, message, "third", b"3");
    assert_eq!(valid(&mut client, message), [first, third]);
    client.delete_attachment(message, first).unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    assert_eq!(valid(&mut client, opened.handle), [third]);
    fails(
        client.rop(&Rop::new(0x52, 0), &[unsaved]),
        code::NULL_OBJECT,
    );
}
