//! Messages: making, opening, saving, marking, moving, deleting (MS-OXCMSG and MS-OXCFOLD 3.2.5).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, NO_HANDLE, NewRecipient, Rop, Value, save},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

const READ: u8 = 0;
const READ_WRITE: u8 = 1;
const BEST_ACCESS: u8 = 3;
const OPEN_SOFT_DELETED: u8 = 4;

const MF_READ: i32 = 0x01;
const MF_UNSENT: i32 = 0x08;

fn count(client: &mut Client, folder: Handle) -> i32 {
    client
        .get_props(folder, &[tag::CONTENT_COUNT])
        .unwrap()
        .int(0)
}

fn mids(client: &mut Client, folder: Handle, flags: u8) -> Vec<u64> {
    let (table, _) = client.contents_table(folder, flags).unwrap();
    let rows = client.query_all_rows(table, &[tag::MID]).unwrap();
    client.release(table).unwrap();
    let mut ids: Vec<u64> = rows.iter().map(|row| row.id(0)).collect();
    ids.sort_unstable();
    ids
}

fn subject_of(client: &mut Client, from: Handle, folder_id: u64, id: u64) -> String {
    let message = client.open_message(from, folder_id, id, READ).unwrap();
    let subject = client
        .get_props(message.handle, &[tag::SUBJECT])
        .unwrap()
        .text(0);
    client.release(message.handle).unwrap();
    subject
}

// MS-OXCMSG 3.2.5.2: initial properties.
#[test]
fn a_new_message_starts_with_the_properties_of_the_specification() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    let row = client
        .get_props(
            message,
            &[
                tag::IMPORTANCE,
                tag::MESSAGE_CLASS,
                tag::SENSITIVITY,
                tag::DISPLAY_BCC,
                tag::DISPLAY_CC,
                tag::DISPLAY_TO,
                tag::MESSAGE_FLAGS,
                tag::HAS_ATTACHMENTS,
                tag::TRUST_SENDER,
                tag::ACCESS,
                tag::ACCESS_LEVEL,
                tag::CREATION_TIME,
                tag::LAST_MODIFICATION_TIME,
                tag::SEARCH_KEY,
                0x3FF1_0003,
                0x3FF8_001F,
                0x3FF9_0102,
                0x3FFA_001F,
                0x3FFB_0102,
                tag::HAS_NAMED_PROPERTIES,
            ],
        )
        .unwrap();
    assert_eq!(row.int(0), 1);
    assert_eq!(row.text(1), "IPM.Note");
    assert_eq!(row.int(2), 0);
    for display in 3..6 {
        assert_eq!(row.text(display), "");
    }
    // mfRead and mfUnsent; mfEverRead may be told too.
    assert_eq!(row.int(6) & !0x400, MF_READ | MF_UNSENT);
    assert!(!row.flag(7));
    assert_eq!(row.int(8), 1);
    // MAPI_ACCESS_MODIFY and MAPI_ACCESS_READ; delete may be told too.
    assert_eq!(row.int(9) & 3, 3);
    assert_eq!(row.int(10), 1);
    assert_eq!(row.time(11), row.time(12));
    assert_ne!(row.time(11), 0);
    assert_eq!(row.binary(13).len(), 16);
    row.int(14);
    assert_eq!(row.text(15), "Ada Lovelace");
    assert_eq!(row.text(17), row.text(15));
    assert_eq!(row.binary(18), row.binary(16));
    assert!(!row.flag(19));
    let other = client.create_message(folder, folder_id).unwrap();
    let key = client.get_props(other, &[tag::SEARCH_KEY]).unwrap();
    assert_ne!(key.binary(0), row.binary(13));
}

#[test]
fn a_message_is_not_there_before_its_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, text("draft"))])
        .unwrap();
    // On its own handle the change is there at once.
    let row = client.get_props(message, &[tag::SUBJECT]).unwrap();
    assert_eq!(row.text(0), "draft");
    assert_eq!(count(&mut client, folder), 0);
    let id = client.save_message(message).unwrap();
    assert_eq!(id as u16, logon.repl_id);
    assert_eq!(count(&mut client, folder), 1);
    assert_eq!(mids(&mut client, folder, 0), [id]);
    let (mut other, other_logon) = ada();
    assert_eq!(
        subject_of(&mut other, other_logon.handle, folder_id, id),
        "draft"
    );
    let row = client
        .get_props(message, &[tag::MID, tag::PARENT_FOLDER_ID])
        .unwrap();
    assert_eq!(row.id(0), id);
    assert_eq!(row.id(1), folder_id);
}

#[test]
fn a_message_released_without_a_save_leaves_nothing() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, text("gone"))])
        .unwrap();
    client.release(message).unwrap();
    assert_eq!(count(&mut client, folder), 0);
    // A change to a saved message likewise.
    let (message, id) = new_message(&mut client, folder, folder_id, "first");
    client
        .set_props(message, &[(tag::SUBJECT, text("second"))])
        .unwrap();
    client.release(message).unwrap();
    assert_eq!(subject_of(&mut client, folder, folder_id, id), "first");
}

// MS-OXCMSG 3.2.5.1.
#[test]
fn opening_a_message_that_is_not_there_fails() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "here");
    let nothing = u64::from(logon.repl_id) | 0x7766_5544_3322_0000;
    for (fid, mid) in [
        (folder_id, nothing),
        (folder_id, 0),
        (logon.inbox(), id),
        (nothing, id),
        (folder_id, folder_id),
    ] {
        fails(
            client.open_message(logon.handle, fid, mid, READ),
            code::NOT_FOUND,
        );
    }
    fails(
        client.open_message(message, folder_id, id, READ),
        code::NULL_OBJECT,
    );
    client
        .open_message(logon.handle, folder_id, id, BEST_ACCESS)
        .unwrap();
}

#[test]
fn opening_tells_the_subject_in_two_parts_and_the_recipients() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, id) = new_message(&mut client, folder, folder_id, "RE: Tauwerk \u{2693}");
    let opened = client.open_message(folder, folder_id, id, READ).unwrap();
    assert_eq!(opened.subject_prefix.as_deref(), Some("RE: "));
    assert_eq!(
        opened.normalized_subject.as_deref(),
        Some("Tauwerk \u{2693}")
    );
    assert_eq!(opened.recipient_count, 0);
    assert!(opened.recipients.is_empty());
    assert_eq!(opened.has_named_properties, 0);
    let reloaded = client.reload_cached_information(opened.handle).unwrap();
    assert_eq!(reloaded, opened);
    let row = client
        .get_props(
            opened.handle,
            &[tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT, tag::SUBJECT],
        )
        .unwrap();
    assert_eq!(row.text(0), "RE: ");
    assert_eq!(row.text(1), "Tauwerk \u{2693}");
    assert_eq!(row.text(2), "RE: Tauwerk \u{2693}");
}

// MS-OXCMSG 3.2.5.3.
#[test]
fn the_second_of_two_writers_has_to_force_its_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, id) = new_message(&mut client, folder, folder_id, "original");
    let (mut other, other_logon) = ada();
    let mine = client
        .open_message(folder, folder_id, id, READ_WRITE)
        .unwrap()
        .handle;
    let theirs = other
        .open_message(other_logon.handle, folder_id, id, READ_WRITE)
        .unwrap()
        .handle;
    client
        .set_props(mine, &[(tag::SUBJECT, text("mine"))])
        .unwrap();
    // Another transaction does not see it.
    let row = other.get_props(theirs, &[tag::SUBJECT]).unwrap();
    assert_eq!(row.text(0), "original");
    assert_eq!(client.save_message(mine).unwrap(), id);
    let row = other.get_props(theirs, &[tag::SUBJECT]).unwrap();
    assert_eq!(row.text(0), "original", "each open is its own transaction");
    other
        .set_props(theirs, &[(tag::SUBJECT, text("theirs"))])
        .unwrap();
    fails(other.save_message(theirs), code::OBJECT_MODIFIED);
    assert_eq!(subject_of(&mut client, folder, folder_id, id), "mine");
    other.save_message_with(theirs, save::FORCE_SAVE).unwrap();
    assert_eq!(subject_of(&mut client, folder, folder_id, id), "theirs");
}

#[test]
fn a_message_opened_or_kept_for_reading_is_not_saved() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (first, id) = new_message(&mut client, folder, folder_id, "as it was");
    let reading = client
        .open_message(folder, folder_id, id, READ)
        .unwrap()
        .handle;
    let _ = client.try_set_props(reading, &[(tag::SUBJECT, text("changed"))]);
    fails(client.save_message(reading), code::ERROR);
    client
        .save_message_with(first, save::KEEP_OPEN_READ_ONLY)
        .unwrap();
    let row = client
        .get_props(first, &[tag::ACCESS_LEVEL, tag::SUBJECT])
        .unwrap();
    assert_eq!(row.int(0), 0);
    let _ = client.try_set_props(first, &[(tag::SUBJECT, text("changed"))]);
    fails(client.save_message(first), code::ERROR);
    assert_eq!(subject_of(&mut client, folder, folder_id, id), "as it was");
}

#[test]
fn undefined_save_flags_are_ignored() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "kept");
    // 0x0A is what Outlook sends (MS-OXCMSG 4.8.1), 0x0C its forced form.
    for flags in [0x0A, 0x0C, 0xF2] {
        assert_eq!(client.save_message_with(message, flags).unwrap(), id);
        client
            .set_props(message, &[(tag::IMPORTANCE, Value::Integer32(2))])
            .unwrap();
    }
    assert_eq!(client.save_message_with(message, 0x00).unwrap(), id);
}

#[test]
fn every_save_changes_the_change_key_and_the_modification_time() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "one");
    let tags = [
        tag::CHANGE_KEY,
        tag::CHANGE_NUMBER,
        tag::LAST_MODIFICATION_TIME,
        tag::PREDECESSOR_CHANGE_LIST,
        tag::SOURCE_KEY,
        tag::CREATION_TIME,
    ];
    let before = client.get_props(message, &tags).unwrap();
    assert_eq!(before.binary(0).len(), 22);
    assert_eq!(before.binary(0)[..16], logon.repl_guid);
    assert_eq!(before.binary(0)[16..], before.id(1).to_le_bytes()[2..]);
    // MS-OXCFXICS 2.2.2.3: the change key stands in the predecessor change list.
    let mut sized = vec![22];
    sized.extend(before.binary(0));
    assert_eq!(before.binary(3), sized);
    // MS-OXCFXICS 2.2.1.2.5: the source key is the GID of the MID.
    assert_eq!(before.binary(4)[..16], logon.repl_guid);
    assert_eq!(before.binary(4)[16..], id.to_le_bytes()[2..]);
    client
        .set_props(message, &[(tag::SUBJECT, text("two"))])
        .unwrap();
    client.save_message(message).unwrap();
    let after = client.get_props(message, &tags).unwrap();
    let counter = |row: &ropewalk_tests::client::Row| {
        let bytes = row.id(1).to_le_bytes();
        u64::from_be_bytes([
            0, 0, bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        ])
    };
    assert!(counter(&after) > counter(&before));
    assert!(after.time(2) >= before.time(2));
    assert_eq!(after.binary(4), before.binary(4));
    assert_eq!(after.time(5), before.time(5));
    let mut sized = vec![22];
    sized.extend(after.binary(0));
    assert_eq!(
        after.binary(3),
        sized,
        "the same replica: one entry, the newest"
    );
}

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
fn every_message_rop_refuses_what_is_no_message() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let (table, _) = client.contents_table(folder, 0).unwrap();
    for object in [logon.handle, folder, table] {
        fails(client.remove_all_recipients(object), code::NULL_OBJECT);
        fails(
            client.modify_recipients(object, &[], &[]),
            code::NULL_OBJECT,
        );
        fails(client.read_recipients(object, 0, &[]), code::NULL_OBJECT);
        fails(client.reload_cached_information(object), code::NULL_OBJECT);
        fails(client.create_attachment(object), code::NULL_OBJECT);
        fails(client.open_attachment(object, 0, READ), code::NULL_OBJECT);
        fails(client.delete_attachment(object, 0), code::NULL_OBJECT);
        fails(client.attachment_table(object), code::NULL_OBJECT);
        fails(
            client.open_embedded_message(object, READ),
            code::NULL_OBJECT,
        );
        fails(client.save_attachment(object, object), code::NOT_SUPPORTED);
        // MS-OXCMSG 3.2.5.3 does not say which error.
        assert_ne!(client.save_message(object).unwrap_err().code(), 0);
    }
}

#[test]
fn computed_properties_of_a_message_follow_its_content() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "sized");
    let size = |client: &mut Client| {
        client
            .get_props(message, &[tag::MESSAGE_SIZE])
            .unwrap()
            .int(0)
    };
    let before = size(&mut client);
    assert!(before > 0);
    client
        .set_props(message, &[(tag::BODY, text(&"x".repeat(2000)))])
        .unwrap();
    client.save_message(message).unwrap();
    assert!(size(&mut client) >= before + 2000);
    let row = client
        .get_props(
            message,
            &[
                tag::ENTRY_ID,
                tag::PARENT_ENTRY_ID,
                tag::OBJECT_TYPE,
                tag::STORE_RECORD_KEY,
                tag::PARENT_SOURCE_KEY,
                tag::MESSAGE_FLAGS,
            ],
        )
        .unwrap();
    // MS-OXCDATA 2.2.4.2: a Message EntryID.
    let mut entry_id = vec![0; 4];
    entry_id.extend(logon.mailbox_guid);
    entry_id.extend([7, 0]);
    entry_id.extend(logon.repl_guid);
    entry_id.extend(&folder_id.to_le_bytes()[2..]);
    entry_id.extend([0, 0]);
    entry_id.extend(logon.repl_guid);
    entry_id.extend(&id.to_le_bytes()[2..]);
    entry_id.extend([0, 0]);
    assert_eq!(row.binary(0), entry_id);
    assert_eq!(row.binary(1).len(), 46);
    assert_eq!(row.int(2), 5);
    assert_eq!(row.binary(3), logon.mailbox_guid);
    assert_eq!(row.binary(4)[16..], folder_id.to_le_bytes()[2..]);
    assert_eq!(row.int(5) & 0x10, 0, "mfHasAttach");
}

// MS-OXCMSG 2.2.1.6: mfRead and mfUnsent are the client's until the first save.
#[test]
fn flags_set_before_the_first_save_hold_and_later_ones_do_not() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    client
        .set_props(message, &[(tag::MESSAGE_FLAGS, Value::Integer32(0))])
        .unwrap();
    let id = client.save_message(message).unwrap();
    let flags = |client: &mut Client| {
        let opened = client.open_message(folder, folder_id, id, READ).unwrap();
        let row = client
            .get_props(opened.handle, &[tag::MESSAGE_FLAGS])
            .unwrap();
        client.release(opened.handle).unwrap();
        row.int(0) & (MF_READ | MF_UNSENT)
    };
    assert_eq!(flags(&mut client), 0);
    let row = client
        .get_props(folder, &[tag::CONTENT_COUNT, tag::CONTENT_UNREAD_COUNT])
        .unwrap();
    assert_eq!((row.int(0), row.int(1)), (1, 1));
    let _ = client.try_set_props(
        message,
        &[(tag::MESSAGE_FLAGS, Value::Integer32(MF_READ | MF_UNSENT))],
    );
    let _ = client.save_message(message);
    assert_eq!(flags(&mut client), 0);
}

// MS-OXCMSG 2.2.1.9, 2.2.1.10 and 2.2.1.46.
#[test]
fn a_subject_is_its_prefix_and_the_rest() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let parts = [tag::SUBJECT_PREFIX, tag::NORMALIZED_SUBJECT, tag::SUBJECT];
    for (subject, prefix) in [
        ("Re: rope", "Re: "),
        ("FW: RE: rope", "FW: "),
        ("R: rope", "R: "),
        ("AW:rope", ""),
        ("Reply: rope", ""),
        ("1: rope", ""),
        ("12: rope", ""),
        (": rope", ""),
        ("rope", ""),
        ("", ""),
        ("\u{56DE}\u{590D}: rope", "\u{56DE}\u{590D}: "),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let row = client.get_props(message, &parts).unwrap();
        let told = row.cells[0].value().map_or(String::new(), |_| row.text(0));
        assert_eq!(told, prefix, "{subject:?}");
        assert_eq!(row.text(1), subject[prefix.len()..], "{subject:?}");
        assert_eq!(row.text(2), subject);
    }
    let message = client.create_message(folder, folder_id).unwrap();
    client
        .set_props(
            message,
            &[
                (tag::SUBJECT_PREFIX, text("Antwort: ")),
                (tag::NORMALIZED_SUBJECT, text("rope")),
            ],
        )
        .unwrap();
    client.save_message(message).unwrap();
    let row = client.get_props(message, &parts).unwrap();
    assert_eq!(row.text(0), "Antwort: ");
    assert_eq!(row.text(1), "rope");
    assert_eq!(row.text(2), "Antwort: rope");
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

// MS-OXCMSG 3.2.5.3: a save that lost its message must not bring it back.
#[test]
fn a_message_deleted_elsewhere_is_not_brought_back_by_a_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "contended");
    let (mut other, other_logon) = ada();
    let theirs = other.open_folder(other_logon.handle, folder_id).unwrap();
    let partial = other.delete_messages(theirs, &[id]).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, text("changed"))])
        .unwrap();
    let saved = client.save_message(message);
    let left = mids(&mut client, folder, 0);
    if partial == 0 {
        assert!(saved.is_err(), "{saved:?}");
        assert!(left.is_empty(), "{left:x?}");
    } else {
        // A server may keep a message that is open for writing (MS-OXCFOLD 3.2.5.12).
        assert_eq!(saved.unwrap(), id);
        assert_eq!(left, [id]);
    }
}
