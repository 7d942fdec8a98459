//! CodePageId of a message, and recipients (MS-OXCMSG 2.2.3.1.1, 2.2.3.16.1, MS-OXCDATA 2.8.3).

use ropewalk_tests::{
    client::{Answer, Cells as _, Client, Handle, NO_HANDLE, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::Reader;

use super::{FREE, bytes, connect, narrow};

const SAID: &str = "Привет";
/// It in 1251 and in KOI8-R.
const WINDOWS: &[u8] = b"\xCF\xF0\xE8\xE2\xE5\xF2";
const KOI8: &[u8] = b"\xF0\xD2\xC9\xD7\xC5\xD4";
/// PidTagMessageCodepage.
const MESSAGE_CODEPAGE: u32 = 0x3FFD_0003;
/// The logon's code page.
const OF_LOGON: u16 = 0x0FFF;

fn open_rop(folder_id: u64, id: u64, code_page: u16) -> Rop {
    Rop::new(0x03, 0)
        .u8(1)
        .u16(code_page)
        .u64(folder_id)
        .u8(1)
        .u64(id)
}

fn create_rop(folder_id: u64, code_page: u16) -> Rop {
    Rop::new(0x06, 0).u8(1).u16(code_page).u64(folder_id).u8(0)
}

fn opened(client: &mut Client, rop: &Rop, from: Handle) -> (Handle, Answer) {
    let answer = client.rop(rop, &[from, NO_HANDLE]).unwrap();
    (answer.handle(1).unwrap(), answer)
}

/// A string of the object comes and goes in `encoded`.
fn says(client: &mut Client, object: Handle, encoded: &[u8]) {
    client.set_props(object, &[(FREE, text(SAID))]).unwrap();
    let row = client.get_props(object, &[narrow(FREE)]).unwrap();
    assert_eq!(*row.value(0), bytes(encoded));
    client.set_props(object, &[(FREE, text(""))]).unwrap();
    client
        .set_props(object, &[(narrow(FREE), bytes(encoded))])
        .unwrap();
    assert_eq!(client.get_props(object, &[FREE]).unwrap().text(0), SAID);
    assert_eq!(
        client.read_property_stream(object, narrow(FREE)).unwrap(),
        encoded
    );
    client
        .write_property_stream(object, narrow(FREE), encoded)
        .unwrap();
    assert_eq!(client.get_props(object, &[FREE]).unwrap().text(0), SAID);
}

/// The message, its attachments, their table and messages in them.
#[test]
fn a_message_has_the_code_page_that_it_was_opened_in() {
    let (mut client, logon) = connect(1251);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, id) = new_message(&mut client, folder, folder_id, SAID);
    for (page, encoded) in [
        (20866, KOI8),
        (OF_LOGON, WINDOWS),
        (0, WINDOWS),
        (1200, WINDOWS),
    ] {
        let (message, _) = opened(&mut client, &open_rop(folder_id, id, page), folder);
        says(&mut client, message, encoded);
        let (attachment, number) = client.create_attachment(message).unwrap();
        says(&mut client, attachment, encoded);
        client.save_attachment(message, attachment).unwrap();
        let again = client.open_attachment(message, number, 1).unwrap();
        says(&mut client, again, encoded);
        let table = client.attachment_table(message).unwrap();
        let rows = client.query_all_rows(table, &[narrow(FREE)]).unwrap();
        assert_eq!(*rows[0].value(0), bytes(encoded), "{page}");
        for (inner_page, inner_encoded) in
            [(866, &b"\x8F\xE0\xA8\xA2\xA5\xE2"[..]), (OF_LOGON, WINDOWS)]
        {
            let rop = Rop::new(0x46, 0).u8(1).u16(inner_page).u8(2);
            let (inner, _) = opened(&mut client, &rop, attachment);
            says(&mut client, inner, inner_encoded);
            client.release(inner).unwrap();
        }
        // Folders and their tables stay with the session's.
        says_of_folder(&mut client, folder);
        client.release(message).unwrap();
    }
}

fn says_of_folder(client: &mut Client, folder: Handle) {
    client
        .set_props(folder, &[(narrow(tag::COMMENT), bytes(WINDOWS))])
        .unwrap();
    assert_eq!(
        client.get_props(folder, &[tag::COMMENT]).unwrap().text(0),
        SAID
    );
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client
        .query_all_rows(table, &[narrow(tag::SUBJECT)])
        .unwrap();
    assert_eq!(*rows[0].value(0), bytes(WINDOWS));
}

#[test]
fn a_new_message_has_the_code_page_that_it_was_made_in() {
    let (mut client, logon) = connect(1251);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for (page, is, encoded) in [
        (20866, 20866, KOI8),
        (OF_LOGON, 1251, WINDOWS),
        (0, 1251, WINDOWS),
    ] {
        let (message, _) = opened(&mut client, &create_rop(folder_id, page), folder);
        let row = client.get_props(message, &[MESSAGE_CODEPAGE]).unwrap();
        assert_eq!(row.int(0), is);
        says(&mut client, message, encoded);
        client.save_message(message).unwrap();
        says(&mut client, message, encoded);
    }
}

// MS-OXCDATA 2.4.1, MS-OXCMSG 3.2.5.16.
#[test]
fn a_code_page_that_cannot_be_converted_is_refused_and_nothing_opens() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "whole");
    let (attachment, _) = client.create_attachment(message).unwrap();
    for page in [1, 7, 0x0FFE, 1201, 65000, 0xFFFF] {
        let embedded = Rop::new(0x46, 0).u8(1).u16(page).u8(2);
        for (rop, on) in [
            (open_rop(folder_id, id, page), folder),
            (create_rop(folder_id, page), folder),
            (embedded, attachment),
        ] {
            fails(client.rop(&rop, &[on, NO_HANDLE]), code::UNKNOWN_CODE_PAGE);
        }
    }
    assert_eq!(
        client.get_props(message, &[tag::SUBJECT]).unwrap().text(0),
        "whole"
    );
    assert_eq!(client.contents_table(folder, 0).unwrap().1, 1);
}

/// RecipientFlags (MS-OXCDATA 2.8.3.1).
mod flags {
    pub const X500: u16 = 0x0001;
    pub const SMTP: u16 = 0x0003;
    pub const HAS_EMAIL: u16 = 0x0008;
    pub const HAS_NAME: u16 = 0x0010;
    pub const HAS_TRANSMITTABLE: u16 = 0x0020;
    pub const UNICODE: u16 = 0x0200;
    pub const HAS_SIMPLE: u16 = 0x0400;
    pub const OTHER: u16 = 0x8000;
}

/// A recipient in 8-bit strings: `fields` between the flags and the columns, one PtypString8 column and
/// one PtypMultipleString8 one.
fn narrow_recipient(row_id: u32, flags: u16, fields: &[&[u8]], value: &[u8]) -> Vec<u8> {
    let mut row = flags.to_le_bytes().to_vec();
    for field in fields {
        row.extend_from_slice(field);
        row.push(0);
    }
    // RecipientColumnCount, StandardPropertyRow.
    row.extend_from_slice(&[2, 0, 0]);
    row.extend_from_slice(value);
    row.extend_from_slice(&[0, 1, 0, 0, 0]);
    row.extend_from_slice(value);
    row.push(0);
    let mut whole = row_id.to_le_bytes().to_vec();
    whole.push(1);
    whole.extend_from_slice(&u16::try_from(row.len()).unwrap().to_le_bytes());
    whole.extend_from_slice(&row);
    whole
}

#[test]
fn recipients_are_in_the_code_page_of_their_message() {
    const COLUMNS: [u32; 2] = [0x7803_001E, 0x7804_101E];
    for (page, encoded) in [(20866, KOI8), (OF_LOGON, WINDOWS)] {
        let (mut client, logon) = connect(1251);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = opened(&mut client, &create_rop(folder_id, page), folder);
        let smtp = flags::SMTP
            | flags::HAS_EMAIL
            | flags::HAS_NAME
            | flags::HAS_SIMPLE
            | flags::HAS_TRANSMITTABLE;
        let email = [encoded, b"@example.test"].concat();
        let other = flags::OTHER | flags::HAS_EMAIL | flags::HAS_NAME;
        // AddressPrefixUsed 0, DisplayType 0.
        let dn = [b"/o=example/cn=", encoded].concat();
        let x500 = narrow_recipient(2, flags::X500 | flags::HAS_NAME, &[&dn, encoded], encoded);
        let x500 = {
            let mut row = x500;
            row[5] += 2;
            row.splice(9..9, [0, 0]);
            row
        };
        let rows = [
            narrow_recipient(0, smtp, &[&email, encoded, b"simple", b"sent"], encoded),
            narrow_recipient(1, other, &[encoded, b"address", encoded], encoded),
            x500,
        ];
        let rop = Rop::new(0x0E, 0)
            .tags(&COLUMNS)
            .u16(3)
            .bytes(&rows.concat());
        client.rop(&rop, &[message]).unwrap().empty().unwrap();
        let display = client
            .get_props(message, &[tag::DISPLAY_TO, narrow(tag::DISPLAY_TO)])
            .unwrap();
        assert_eq!(display.text(0), [SAID; 3].join("; "));
        assert_eq!(*display.value(1), bytes(&[encoded; 3].join(&b"; "[..])));

        // The columns are those that were given, in the types that they were given.
        let answer = client
            .rop(&Rop::new(0x0F, 0).u32(0).u16(0), &[message])
            .unwrap();
        let is = if page == OF_LOGON { 1251 } else { page };
        let mut input = Reader::new(&answer.body);
        assert_eq!(input.u8().unwrap(), 3);
        for row_id in 0..3 {
            assert_eq!(input.u32().unwrap(), row_id);
            assert_eq!(input.u8().unwrap(), 1);
            assert_eq!(input.u16().unwrap(), is, "CodePageId");
            assert_eq!(input.u16().unwrap(), 0);
            let size = input.u16().unwrap();
            let row = input.bytes(size.into()).unwrap();
            let given = u16::from_le_bytes([row[0], row[1]]);
            assert_ne!(given & flags::UNICODE, 0);
        }
        input.finish().unwrap();
        let read = client.read_recipients(message, 0, &COLUMNS).unwrap();
        for recipient in &read {
            assert_eq!(recipient.display_name.as_deref(), Some(SAID));
            assert_eq!(*recipient.properties.value(0), bytes(encoded));
            let several = Value::MultipleString8(vec![encoded.to_vec()]);
            assert_eq!(*recipient.properties.value(1), several);
        }
        assert_eq!(read[0].email_address, Some(format!("{SAID}@example.test")));
        assert_eq!(read[0].simple_display_name.as_deref(), Some("simple"));
        assert_eq!(read[0].transmittable_display_name.as_deref(), Some("sent"));
        assert_eq!(read[1].email_address.as_deref(), Some("address"));
        // 8-bit whatever the flags are: told in the code page of the message.
        assert!(read[1].address_type.is_some());
        let addresses = [&encoded, &dn.as_slice()].map(|text| {
            answer
                .body
                .windows(text.len())
                .any(|window| window == *text)
        });
        assert_eq!(addresses, [true; 2]);

        // To another reader they are Unicode, under tags that say so.
        let id = client.save_message(message).unwrap();
        let answer = client
            .rop(&open_rop(folder_id, id, 1252), &[folder, NO_HANDLE])
            .unwrap();
        let second = client.open_message(folder, folder_id, id, 0).unwrap();
        assert!(second.recipient_columns.contains(&0x7803_001F));
        assert!(second.recipient_columns.contains(&0x7804_101F));
        let at = second
            .recipient_columns
            .iter()
            .position(|tag| *tag == 0x7803_001F)
            .unwrap();
        for recipient in &second.recipients {
            assert_eq!(recipient.display_name.as_deref(), Some(SAID));
            assert_eq!(recipient.properties.text(at), SAID);
        }
        let said = [0xE4, 0x04, 0, 0];
        // RecipientType, CodePageId, Reserved.
        let head = [&[1][..], &said].concat();
        assert!(answer.body.windows(5).any(|window| window == head));
    }
}

// MS-OXCDATA 2.11.7 and MS-OXCROPS 2.2.6.1.2.
#[test]
fn the_subject_of_an_open_message_comes_whole_in_any_code_page() {
    let (mut client, logon) = connect(1252);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for (subject, prefix, rest) in [
        // StringType 3 is one byte for each unit, 4 is UTF-16, 1 is empty.
        ("RE: rope", &b"\x03RE: \0"[..], &b"\x03rope\0"[..]),
        ("é", b"\x01", b"\x04\xE9\0\0\0"),
        ("RE: Ж", b"\x03RE: \0", b"\x04\x16\x04\0\0"),
        ("", b"\x01", b"\x01"),
    ] {
        let (_, id) = new_message(&mut client, folder, folder_id, subject);
        for page in [OF_LOGON, 1251, 65001] {
            let answer = client
                .rop(&open_rop(folder_id, id, page), &[folder, NO_HANDLE])
                .unwrap();
            let expected = [b"\0", prefix, rest].concat();
            assert_eq!(answer.body[..expected.len()], expected, "{subject} {page}");
            client.release(answer.handle(1).unwrap()).unwrap();
        }
    }
}
