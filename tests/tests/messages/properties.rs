//! What the server tells of a message by itself (MS-OXCMSG 2.2.1).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value, save},
    fixture::{ada, new_folder, new_message, tag, text},
};

use crate::look::{MF_READ, MF_UNSENT, READ, READ_WRITE};

const MF_UNMODIFIED: i32 = 0x02;
const MF_HAS_ATTACH: i32 = 0x10;
const MF_EVER_READ: i32 = 0x400;
const ATTACHMENT_HIDDEN: u32 = 0x7FFE_000B;

fn flags(client: &mut Client, message: Handle) -> i32 {
    let row = client.get_props(message, &[tag::MESSAGE_FLAGS]);
    row.unwrap().int(0)
}

fn set_importance(client: &mut Client, message: Handle, importance: i32) {
    let value = [(tag::IMPORTANCE, Value::Integer32(importance))];
    client.set_props(message, &value).unwrap();
}

// MS-OXCMSG 2.2.1.6: mfUnmodified says that the message has not been modified since it was first saved.
#[test]
fn a_message_is_unmodified_until_it_is_saved_again_with_changes() {
    const NEW: i32 = MF_READ | MF_UNSENT | MF_EVER_READ;
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for associated in [false, true] {
        let fai = i32::from(associated) * 0x40;
        let message = client
            .create_message_with(folder, folder_id, associated)
            .unwrap()
            .handle;
        assert_eq!(flags(&mut client, message), NEW | fai);
        let id = client.save_message(message).unwrap();
        assert_eq!(flags(&mut client, message), NEW | fai | MF_UNMODIFIED);
        // Neither a save without changes, nor a status, nor a receipt is a change.
        client.save_message(message).unwrap();
        client.save_message_with(message, save::FORCE_SAVE).unwrap();
        let status = Rop::new(0x20, 0).u64(id).u32(0x1000).u32(0x1000);
        client.rop(&status, &[folder]).unwrap();
        client.set_message_read_flag(folder, message, 0x20).unwrap();
        let other = client.open_message(folder, folder_id, id, READ_WRITE);
        let other = other.unwrap().handle;
        assert_eq!(flags(&mut client, other), NEW | fai | MF_UNMODIFIED);
        // A change is one once it is saved.
        set_importance(&mut client, other, 2);
        assert_eq!(flags(&mut client, message) & MF_UNMODIFIED, MF_UNMODIFIED);
        client.save_message(other).unwrap();
        assert_eq!(flags(&mut client, other), NEW | fai);
        client.save_message(other).unwrap();
        assert_eq!(flags(&mut client, other), NEW | fai);
    }
}

// MS-OXCMSG 2.2.1.6: it is the server's.
#[test]
fn unmodified_is_not_for_clients_to_say() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for given in [0, MF_UNMODIFIED] {
        let message = client.create_message(folder, folder_id).unwrap();
        let given = [(tag::MESSAGE_FLAGS, Value::Integer32(given))];
        client.set_props(message, &given).unwrap();
        assert_eq!(flags(&mut client, message), 0);
        client.save_message(message).unwrap();
        assert_eq!(flags(&mut client, message), MF_UNMODIFIED);
    }
}

// MS-OXCMSG 2.2.1.2, 2.2.1.6, 3.2.5.15: at least one attachment, hidden or not; worked out as
// attachments come and go on the handle, and for others with the save.
#[test]
fn a_hidden_attachment_is_an_attachment() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "a picture inside");
    let has = |client: &mut Client, message: Handle| {
        let row = client
            .get_props(message, &[tag::HAS_ATTACHMENTS, tag::MESSAGE_FLAGS])
            .unwrap();
        assert_eq!(row.flag(0), row.int(1) & MF_HAS_ATTACH != 0);
        row.flag(0)
    };
    let seen = |client: &mut Client| {
        let opened = client.open_message(folder, folder_id, id, READ).unwrap();
        let seen = has(client, opened.handle);
        client.release(opened.handle).unwrap();
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let rows = client.query_all_rows(table, &[tag::HAS_ATTACHMENTS]);
        assert_eq!(rows.unwrap()[0].flag(0), seen, "in the contents table");
        client.release(table).unwrap();
        seen
    };
    let (attachment, number) = client.create_attachment(message).unwrap();
    client
        .set_props(attachment, &[(ATTACHMENT_HIDDEN, Value::Boolean(true))])
        .unwrap();
    assert!(!has(&mut client, message));
    client.save_attachment(message, attachment).unwrap();
    assert!(has(&mut client, message));
    assert!(!seen(&mut client));
    client.save_message(message).unwrap();
    assert!(seen(&mut client));
    client.delete_attachment(message, number).unwrap();
    assert!(!has(&mut client, message));
    assert!(seen(&mut client));
    client.save_message(message).unwrap();
    assert!(!seen(&mut client));
}

// MS-OXCMSG 2.2.1.46: the subject is its two parts, one after the other, and without a prefix it is
// the normalized subject.
#[test]
fn a_subject_is_what_is_left_of_its_parts() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let parts = [tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT, tag::SUBJECT];
    let told = |client: &mut Client, message: Handle| {
        let row = client.get_props(message, &parts).unwrap();
        [0, 1, 2].map(|cell| row.cells[cell].value().map(|_| row.text(cell)))
    };
    let some = |text: &str| Some(text.to_owned());
    let new = |client: &mut Client| new_message(client, folder, folder_id, "RE: rope").0;
    let message = new(&mut client);
    assert_eq!(
        told(&mut client, message),
        [some("RE: "), some("rope"), some("RE: rope")]
    );
    client
        .delete_props(message, &[tag::SUBJECT_PREFIX])
        .unwrap();
    assert_eq!(
        told(&mut client, message),
        [None, some("rope"), some("rope")]
    );
    let id = client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    assert_eq!(opened.normalized_subject, some("rope"));
    assert_eq!(opened.subject_prefix.unwrap_or_default(), "");
    client
        .set_props(message, &[(tag::SUBJECT_PREFIX, text("FW: "))])
        .unwrap();
    assert_eq!(told(&mut client, message)[2], some("FW: rope"));
    client
        .set_props(message, &[(tag::SUBJECT_PREFIX, text(""))])
        .unwrap();
    assert_eq!(told(&mut client, message)[2], some("rope"));
    let message = new(&mut client);
    client
        .delete_props(message, &[tag::NORMALIZED_SUBJECT])
        .unwrap();
    assert_eq!(
        told(&mut client, message),
        [some("RE: "), None, some("RE: ")]
    );
    for deleted in [
        &[tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT][..],
        &[tag::SUBJECT],
        &[tag::SUBJECT, tag::SUBJECT_PREFIX],
    ] {
        let message = new(&mut client);
        client.delete_props(message, deleted).unwrap();
        assert_eq!(told(&mut client, message), [None, None, None]);
    }
}
