//! Transactions: what a save does and does not do.

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value, save},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

use crate::look::{READ, READ_WRITE, count, mids, subject_of};

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

// MS-OXCMSG 2.2.3.3.1: an error leaves the message open with its access level unchanged, and with the
// changes that could not be saved; the forced save overwrites and leaves it writable.
#[test]
fn a_save_that_fails_changes_nothing_of_the_handle() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let level = |client: &mut Client, message: Handle| {
        let row = client.get_props(message, &[tag::ACCESS_LEVEL]);
        row.unwrap().int(0)
    };
    let (first, id) = new_message(&mut client, folder, folder_id, "first");
    let opened = client.open_message(folder, folder_id, id, READ_WRITE);
    let second = opened.unwrap().handle;
    let subject = |subject| [(tag::SUBJECT, text(subject))];
    client.set_props(second, &subject("second")).unwrap();
    client.set_props(first, &subject("third")).unwrap();
    client.save_message(first).unwrap();
    for flags in [
        save::KEEP_OPEN_READ_ONLY,
        save::KEEP_OPEN_READ_WRITE,
        0x00,
        0x0A,
    ] {
        fails(
            client.save_message_with(second, flags),
            code::OBJECT_MODIFIED,
        );
        assert_eq!(level(&mut client, second), 1, "after SaveFlags {flags:#x}");
        let row = client.get_props(second, &[tag::SUBJECT]).unwrap();
        assert_eq!(row.text(0), "second");
    }
    assert_eq!(subject_of(&mut client, folder, folder_id, id), "third");
    let saved = client.save_message_with(second, save::FORCE_SAVE);
    assert_eq!(saved.unwrap(), id);
    assert_eq!(level(&mut client, second), 1);
    assert_eq!(subject_of(&mut client, folder, folder_id, id), "second");
    // The forced save is one more that the others did not see.
    client.set_props(first, &subject("fourth")).unwrap();
    fails(client.save_message(first), code::OBJECT_MODIFIED);
    // Deleted for good, it cannot be forced either.
    assert_eq!(client.hard_delete_messages(folder, &[id]).unwrap(), 0);
    for flags in [save::KEEP_OPEN_READ_WRITE, save::FORCE_SAVE] {
        client.save_message_with(first, flags).unwrap_err();
        assert_eq!(level(&mut client, first), 1);
    }
    assert_eq!(count(&mut client, folder), 0);
}

// MS-OXCMSG 2.2.1.49, 3.2.5.2, 3.2.5.3: first the time of creation, then of each save.
#[test]
fn the_commit_time_is_that_of_the_save() {
    const LOCAL_COMMIT_TIME: u32 = 0x6709_0040;
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let times = |client: &mut Client, message: Handle| {
        let tags = [
            LOCAL_COMMIT_TIME,
            tag::CREATION_TIME,
            tag::LAST_MODIFICATION_TIME,
        ];
        let row = client.get_props(message, &tags).unwrap();
        [row.time(0), row.time(1), row.time(2)]
    };
    let message = client.create_message(folder, folder_id).unwrap();
    let [committed, created, modified] = times(&mut client, message);
    assert_eq!((committed, modified), (created, created));
    let mut last = committed;
    for importance in [0, 2] {
        let value = [(tag::IMPORTANCE, Value::Integer32(importance))];
        client.set_props(message, &value).unwrap();
        assert_eq!(times(&mut client, message)[0], last);
        client.save_message(message).unwrap();
        let [committed, same, modified] = times(&mut client, message);
        assert_eq!((same, modified), (created, committed));
        assert!(committed > last);
        last = committed;
    }
}

// MS-OXCMSG 2.2.3.2.1, 2.2.3.4.1, 2.2.3.6.1: any value but 0 makes an FAI message; what is reserved is
// ignored.
#[test]
fn booleans_are_not_zero_and_reserved_fields_are_ignored() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for associated in [0x00, 0x01, 0x02, 0xFF] {
        let rop = Rop::new(0x06, 0)
            .u8(1)
            .u16(0x0FFF)
            .u64(folder_id)
            .u8(associated);
        let answer = client.rop(&rop, &[folder, 0xFFFF_FFFF]).unwrap();
        // HasMessageId is the last byte.
        assert_eq!(answer.body, [0]);
        let message = answer.handle(1).unwrap();
        let id = client.save_message(message).unwrap();
        let table_flags = if associated == 0 { 0x00 } else { 0x02 };
        assert!(mids(&mut client, folder, table_flags).contains(&id));
        assert!(!mids(&mut client, folder, table_flags ^ 0x02).contains(&id));
        let remove = Rop::new(0x0D, 0).u32(0xFFFF_FFFF);
        client.rop(&remove, &[message]).unwrap().empty().unwrap();
        let read = Rop::new(0x0F, 0).u32(0).u16(0xFFFF);
        fails(client.rop(&read, &[message]), code::NOT_FOUND);
        let reload = Rop::new(0x10, 0).u16(0xFFFF);
        client.rop(&reload, &[message]).unwrap();
    }
}

// MS-OXCMSG 2.2.3.1.1, 3.2.5.1: with OpenSoftDeleted all messages open, in each of the modes, and without
// it those that are not soft-deleted.
#[test]
fn soft_deleted_messages_open_for_who_asks() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, kept) = new_message(&mut client, folder, folder_id, "kept");
    let (_, deleted) = new_message(&mut client, folder, folder_id, "deleted");
    assert_eq!(client.delete_messages(folder, &[deleted]).unwrap(), 0);
    for (mode, level) in [(0x00, 0), (0x01, 1), (0x03, 1)] {
        for soft_deleted in [0x00, 0x04] {
            for id in [kept, deleted] {
                let mode = mode | soft_deleted;
                let opened = client.open_message(folder, folder_id, id, mode);
                if id == deleted && soft_deleted == 0 {
                    fails(opened, code::NOT_FOUND);
                    continue;
                }
                let message = opened.unwrap().handle;
                let row = client.get_props(message, &[tag::ACCESS_LEVEL]);
                assert_eq!(row.unwrap().int(0), level, "OpenModeFlags {mode:#x}");
                client.release(message).unwrap();
            }
        }
    }
}
