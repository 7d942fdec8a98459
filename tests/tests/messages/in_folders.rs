//! Messages in their folders: marked, moved, copied, deleted.

use ropewalk_tests::{
    client::{Cells as _, Client, NO_HANDLE, NewRecipient, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

use crate::look::{MF_READ, OPEN_SOFT_DELETED, READ, count, mids};

// MS-OXCMSG 3.2.5.10 and 3.2.5.11.
#[test]
fn read_flags_are_set_at_once_and_change_nothing_else() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "unread");
    let tags = [
        tag::MESSAGE_FLAGS,
        tag::CHANGE_KEY,
        tag::LAST_MODIFICATION_TIME,
    ];
    let stored = |client: &mut Client| {
        let opened = client.open_message(folder, folder_id, id, READ).unwrap();
        let row = client.get_props(opened.handle, &tags).unwrap();
        client.release(opened.handle).unwrap();
        row
    };
    let before = stored(&mut client);
    assert_eq!(before.int(0) & MF_READ, MF_READ);
    // rfClearReadFlag with rfSuppressReceipt.
    client.set_read_flags(folder, &[id], 0x05).unwrap();
    let unread = stored(&mut client);
    assert_eq!(unread.int(0) & MF_READ, 0);
    assert_eq!(
        client.set_message_read_flag(folder, message, 0x01).unwrap(),
        0,
        "ReadStatusChanged is for public folders"
    );
    let read = stored(&mut client);
    assert_eq!(read.int(0) & MF_READ, MF_READ);
    for row in [unread, read] {
        assert_eq!(row.binary(1), before.binary(1), "PidTagChangeKey");
        assert_eq!(row.time(2), before.time(2), "PidTagLastModificationTime");
    }
    // rfGenerateReceiptOnly leaves the flag.
    client.set_read_flags(folder, &[id], 0x05).unwrap();
    client.set_read_flags(folder, &[id], 0x10).unwrap();
    assert_eq!(stored(&mut client).int(0) & MF_READ, 0);
    // A message that is open for writing elsewhere is no obstacle for its own later save.
    client
        .set_props(message, &[(tag::SUBJECT, text("saved after"))])
        .unwrap();
    client.save_message(message).unwrap();
}

#[test]
fn setting_read_flags_of_a_message_that_is_not_there_is_a_partial_completion() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "there");
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    assert_ne!(
        client.set_read_flags(folder, &[nothing, id], 0x05).unwrap(),
        0
    );
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    let row = client
        .get_props(opened.handle, &[tag::MESSAGE_FLAGS])
        .unwrap();
    assert_eq!(row.int(0) & MF_READ, 0, "the one that is there is changed");
    fails(
        client.set_read_flags(message, &[id], 0x05),
        code::NULL_OBJECT,
    );
    fails(
        client.set_message_read_flag(folder, folder, 0x05),
        code::NULL_OBJECT,
    );
}

// MS-OXCFOLD 3.2.5.11.
#[test]
fn deleted_messages_are_soft_deleted() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "going");
    let (_, kept) = new_message(&mut client, folder, folder_id, "staying");
    client.release(message).unwrap();
    assert_eq!(client.delete_messages(folder, &[id]).unwrap(), 0);
    assert_eq!(mids(&mut client, folder, 0), [kept]);
    assert_eq!(mids(&mut client, folder, 0x20), [id]);
    fails(
        client.open_message(folder, folder_id, id, READ),
        code::NOT_FOUND,
    );
    let opened = client
        .open_message(folder, folder_id, id, OPEN_SOFT_DELETED)
        .unwrap();
    let row = client.get_props(opened.handle, &[tag::SUBJECT]).unwrap();
    assert_eq!(row.text(0), "going");
    assert_eq!(count(&mut client, folder), 1);
    // Again, and one that never was: some could not be deleted.
    assert_ne!(client.delete_messages(folder, &[id]).unwrap(), 0);
    assert_ne!(
        client
            .delete_messages(folder, &[0x7766_5544_3322_0001, kept])
            .unwrap(),
        0
    );
    assert!(mids(&mut client, folder, 0).is_empty());
    // None is no error.
    assert_eq!(client.delete_messages(folder, &[]).unwrap(), 0);
    let other = client.create_message(folder, folder_id).unwrap();
    fails(client.delete_messages(other, &[kept]), code::NOT_SUPPORTED);
}

// MS-OXCFOLD 3.2.5.6.
#[test]
fn a_copied_message_is_another_one_and_a_moved_one_leaves() {
    let (mut client, logon) = ada();
    let (from, from_id) = new_folder(&mut client, &logon);
    let (to, to_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, from, from_id, "cargo");
    client
        .set_props(message, &[(tag::BODY, text("twelve fathoms"))])
        .unwrap();
    client.save_message(message).unwrap();
    client.release(message).unwrap();
    assert_eq!(client.move_copy_messages(from, to, &[id], true).unwrap(), 0);
    assert_eq!(mids(&mut client, from, 0), [id]);
    let copies = mids(&mut client, to, 0);
    assert_eq!(copies.len(), 1);
    assert_ne!(copies[0], id);
    assert_eq!(
        client.move_copy_messages(from, to, &[id], false).unwrap(),
        0
    );
    assert!(mids(&mut client, from, 0).is_empty());
    fails(
        client.open_message(from, from_id, id, READ),
        code::NOT_FOUND,
    );
    let both = mids(&mut client, to, 0);
    assert_eq!(both.len(), 2);
    // Identifiers are never reused, a moved message gets a new one (data.md 1, MS-OXCFXICS).
    assert!(!both.contains(&id), "{both:x?}");
    for mid in both {
        let opened = client.open_message(to, to_id, mid, READ).unwrap();
        let row = client
            .get_props(
                opened.handle,
                &[tag::SUBJECT, tag::BODY, tag::PARENT_FOLDER_ID],
            )
            .unwrap();
        assert_eq!(row.text(0), "cargo");
        assert_eq!(row.text(1), "twelve fathoms");
        assert_eq!(row.id(2), to_id);
    }
    assert_eq!((count(&mut client, from), count(&mut client, to)), (0, 2));
}

#[test]
fn moves_that_cannot_be_made() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "fixed");
    fails(
        client.move_copy_messages(message, folder, &[id], true),
        code::NOT_SUPPORTED,
    );
    fails(
        client.move_copy_messages(folder, message, &[id], true),
        code::NOT_SUPPORTED,
    );
    // The spooler queue is a search folder (MS-OXCSTOR 2.2.1.1.3).
    let search = client
        .open_folder(logon.handle, logon.folder_ids[2])
        .unwrap();
    fails(
        client.move_copy_messages(folder, search, &[id], true),
        0x0000_0460,
    );
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    let (to, _) = new_folder(&mut client, &logon);
    assert_ne!(
        client
            .move_copy_messages(folder, to, &[nothing, id], false)
            .unwrap(),
        0
    );
    assert_eq!(mids(&mut client, to, 0).len(), 1);
    // MS-OXCROPS 2.2.4.6.3: the null destination response.
    let rop = Rop::new(0x33, 0).u8(1).ids(&[id]).u8(0).u8(0);
    let payload = client.execute(&[rop], &[folder, NO_HANDLE]).unwrap();
    assert_eq!(
        payload.rops,
        [0x33, 0, 0x03, 0x05, 0, 0, 1, 0, 0, 0, payload.rops[10]]
    );
}

#[test]
fn a_copy_has_the_recipients_and_attachments_of_its_original() {
    let (mut client, logon) = ada();
    let (from, from_id) = new_folder(&mut client, &logon);
    let (to, to_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, from, from_id, "whole");
    client
        .modify_recipients(
            message,
            &[],
            &[NewRecipient {
                row_id: 0,
                recipient_type: 1,
                display_name: "Grace",
                email_address: "grace@example.test",
                properties: Vec::new(),
            }],
        )
        .unwrap();
    let data = vec![0xA5; 50_000];
    let (attachment, number) = client.create_attachment(message).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])
        .unwrap();
    client
        .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &data)
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    client.save_message(message).unwrap();
    assert_eq!(client.move_copy_messages(from, to, &[id], true).unwrap(), 0);
    // The original goes, the copy does not depend on it.
    assert_eq!(client.delete_messages(from, &[id]).unwrap(), 0);
    let copy = mids(&mut client, to, 0)[0];
    let opened = client.open_message(to, to_id, copy, READ).unwrap();
    assert_eq!(opened.recipient_count, 1);
    assert_eq!(opened.recipients[0].display_name.as_deref(), Some("Grace"));
    let attachment = client.open_attachment(opened.handle, number, READ).unwrap();
    let read = client
        .read_property_stream(attachment, tag::ATTACH_DATA_BINARY)
        .unwrap();
    assert!(read == data);
    // A copy into the same folder is another message too.
    assert_eq!(client.move_copy_messages(to, to, &[copy], true).unwrap(), 0);
    assert_eq!(mids(&mut client, to, 0).len(), 2);
}

#[test]
fn messages_of_another_folder_are_not_deleted_moved_or_marked() {
    let (mut client, logon) = ada();
    let (here, here_id) = new_folder(&mut client, &logon);
    let (there, _) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, here, here_id, "mine");
    client.release(message).unwrap();
    assert_ne!(client.delete_messages(there, &[id]).unwrap(), 0);
    assert_ne!(
        client
            .move_copy_messages(there, there, &[id], false)
            .unwrap(),
        0
    );
    assert_ne!(client.set_read_flags(there, &[id], 0x05).unwrap(), 0);
    let opened = client.open_message(here, here_id, id, READ).unwrap();
    let row = client
        .get_props(opened.handle, &[tag::MESSAGE_FLAGS])
        .unwrap();
    assert_eq!(row.int(0) & MF_READ, MF_READ);
    assert_eq!(
        (count(&mut client, here), count(&mut client, there)),
        (1, 0)
    );
}

#[test]
fn the_messages_of_a_deleted_folder_are_gone_with_it() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let made = client.create_folder(parent, "Doomed").unwrap();
    let (message, id) = new_message(&mut client, made.handle, made.folder_id, "inside");
    client.release(message).unwrap();
    assert_eq!(
        client.delete_folder(parent, made.folder_id, 0x15).unwrap(),
        0
    );
    fails(
        client.open_message(logon.handle, made.folder_id, id, READ),
        code::NOT_FOUND,
    );
    assert!(client.create_message(logon.handle, made.folder_id).is_err());
}
