//! Transactions: what a save does and does not do.

use ropewalk_tests::{
    client::{Cells as _, Value, save},
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
