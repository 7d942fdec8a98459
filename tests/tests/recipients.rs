//! Recipients of a message (MS-OXCMSG 3.2.5.4 to 3.2.5.7).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, NewRecipient, Recipient, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag},
};

const TO: u8 = 1;
const CC: u8 = 2;
const BCC: u8 = 3;
const SMTP_ADDRESS: u32 = 0x39FE_001F;
const DISPLAY_TYPE: u32 = 0x3900_0003;

fn recipient<'a>(
    row_id: u32,
    recipient_type: u8,
    name: &'a str,
    address: &'a str,
) -> NewRecipient<'a> {
    NewRecipient {
        row_id,
        recipient_type,
        display_name: name,
        email_address: address,
        properties: Vec::new(),
    }
}

fn three() -> [NewRecipient<'static>; 3] {
    [
        recipient(0, TO, "Grace Hopper", "grace@example.test"),
        recipient(1, CC, "\u{17B}aneta", "zaneta@example.test"),
        recipient(5, BCC, "Max", "max@example.test"),
    ]
}

/// What RopReadRecipients tells from a row on.
fn read(client: &mut Client, message: Handle, from: u32) -> Vec<Recipient> {
    let columns = client
        .reload_cached_information(message)
        .unwrap()
        .recipient_columns;
    client.read_recipients(message, from, &columns).unwrap()
}

fn names(recipients: &[Recipient]) -> Vec<(u32, u8, String)> {
    recipients
        .iter()
        .map(|r| {
            (
                r.row_id.unwrap(),
                r.recipient_type,
                r.display_name.clone().unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn recipients_are_seen_at_once_and_by_others_after_the_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "to three");
    client.modify_recipients(message, &[], &three()).unwrap();
    let mine = read(&mut client, message, 0);
    assert_eq!(
        names(&mine),
        [
            (0, TO, "Grace Hopper".into()),
            (1, CC, "\u{17B}aneta".into()),
            (5, BCC, "Max".into()),
        ]
    );
    assert_eq!(mine[0].email_address.as_deref(), Some("grace@example.test"));
    assert_eq!(mine[0].recipient_flags & 0x0007, 3, "SMTP");
    let (mut other, other_logon) = ada();
    let opened = other
        .open_message(other_logon.handle, folder_id, id, 0)
        .unwrap();
    assert_eq!(opened.recipient_count, 0);
    client.save_message(message).unwrap();
    let opened = other
        .open_message(other_logon.handle, folder_id, id, 0)
        .unwrap();
    assert_eq!(opened.recipient_count, 3);
    let types: Vec<u8> = opened.recipients.iter().map(|r| r.recipient_type).collect();
    assert_eq!(types, [TO, CC, BCC]);
    assert_eq!(
        opened.recipients[1].display_name.as_deref(),
        Some("\u{17B}aneta")
    );
    // MS-OXOMSG 2.2.1: the display properties follow the recipients.
    let row = other
        .get_props(
            opened.handle,
            &[tag::DISPLAY_TO, tag::DISPLAY_CC, tag::DISPLAY_BCC],
        )
        .unwrap();
    assert_eq!(row.text(0), "Grace Hopper");
    assert_eq!(row.text(1), "\u{17B}aneta");
    assert_eq!(row.text(2), "Max");
}

#[test]
fn reading_starts_at_a_row_and_an_unknown_one_is_not_found() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "rows");
    fails(client.read_recipients(message, 0, &[]), code::NOT_FOUND);
    client.modify_recipients(message, &[], &three()).unwrap();
    assert_eq!(read(&mut client, message, 0).len(), 3);
    let rest = read(&mut client, message, 1);
    assert_eq!(rest[0].row_id, Some(1));
    assert_eq!(read(&mut client, message, 5).len(), 1);
    fails(client.read_recipients(message, 3, &[]), code::NOT_FOUND);
    fails(client.read_recipients(message, 6, &[]), code::NOT_FOUND);
}

#[test]
fn a_known_row_is_replaced_whole_and_an_empty_one_deletes() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "changes");
    let mut first = recipient(0, TO, "Grace Hopper", "grace@example.test");
    first.properties = vec![Value::Integer32(6)];
    client
        .modify_recipients(message, &[DISPLAY_TYPE], &[first])
        .unwrap();
    client
        .modify_recipients(message, &[], &three()[1..])
        .unwrap();
    client.save_message(message).unwrap();
    client
        .modify_recipients(message, &[], &[recipient(0, BCC, "G", "g@example.test")])
        .unwrap();
    let all = read(&mut client, message, 0);
    assert_eq!(names(&all)[0], (0, BCC, "G".into()));
    client.delete_recipient(message, 1).unwrap();
    let left = names(&read(&mut client, message, 0));
    assert_eq!(left, [(0, BCC, "G".into()), (5, BCC, "Max".into())]);
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.recipient_count, 2);
    let row = client
        .get_props(opened.handle, &[tag::DISPLAY_TO, tag::DISPLAY_BCC])
        .unwrap();
    assert_eq!(row.text(0), "");
    assert_eq!(row.text(1), "G; Max");
}

#[test]
fn removing_all_recipients_waits_for_the_save_and_none_is_fine() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "nobody");
    client.remove_all_recipients(message).unwrap();
    client.modify_recipients(message, &[], &three()).unwrap();
    client.save_message(message).unwrap();
    client.remove_all_recipients(message).unwrap();
    assert_eq!(
        client
            .reload_cached_information(message)
            .unwrap()
            .recipient_count,
        0
    );
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.recipient_count, 3);
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.recipient_count, 0);
}

#[test]
fn properties_of_a_recipient_come_back_under_their_columns() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "columns");
    let mut one = recipient(0, TO, "Grace", "grace@example.test");
    one.properties = vec![Value::text("grace@example.test"), Value::Integer32(0)];
    client
        .modify_recipients(message, &[SMTP_ADDRESS, DISPLAY_TYPE], &[one])
        .unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    let at = opened
        .recipient_columns
        .iter()
        .position(|tag| *tag == SMTP_ADDRESS)
        .expect("the column that the client gave");
    assert_eq!(
        opened.recipients[0].properties.text(at),
        "grace@example.test"
    );
}

#[test]
fn more_recipients_than_fit_are_read_row_by_row() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "a crowd");
    let names: Vec<String> = (0..600)
        .map(|i| format!("Recipient number {i:03} with a long and winding name"))
        .collect();
    for (part, names) in names.chunks(100).enumerate() {
        let some: Vec<NewRecipient<'_>> = (part as u32 * 100..)
            .zip(names)
            .map(|(row_id, name)| recipient(row_id, TO, name, "crowd@example.test"))
            .collect();
        client.modify_recipients(message, &[], &some).unwrap();
    }
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.recipient_count, 600);
    assert!(opened.recipients.len() < 256);
    let mut seen = Vec::new();
    while seen.len() < 600 {
        let next = seen.len() as u32;
        let some = client
            .read_recipients(opened.handle, next, &opened.recipient_columns)
            .unwrap();
        assert!(!some.is_empty());
        for (i, recipient) in some.iter().enumerate() {
            assert_eq!(recipient.row_id, Some(next + i as u32));
        }
        seen.extend(some.into_iter().map(|r| r.display_name.unwrap()));
    }
    assert_eq!(seen, names);
}

// MS-OXCMSG 2.2.3.6.2, 3.2.5.6: RowCount is less than 0xFF, and the rest is read from the next RowId on.
#[test]
fn a_response_has_fewer_than_255_recipients() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "many");
    let many: Vec<_> = (0..300).map(|id| recipient(id, TO, "n", "a")).collect();
    client.modify_recipients(message, &[], &many).unwrap();
    let ids =
        |rows: Vec<Recipient>| -> Vec<u32> { rows.iter().filter_map(|row| row.row_id).collect() };
    let first = ids(client.read_recipients(message, 0, &[]).unwrap());
    assert_eq!(first, (0..254).collect::<Vec<_>>());
    let rest = ids(client.read_recipients(message, 254, &[]).unwrap());
    assert_eq!(rest, (254..300).collect::<Vec<_>>());
    fails(client.read_recipients(message, 300, &[]), code::NOT_FOUND);
    let opened = client.reload_cached_information(message).unwrap();
    assert_eq!(opened.recipient_count, 300);
    assert!(opened.recipients.len() < 255);
}
