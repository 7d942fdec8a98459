//! What clients may not write, and what saves and streams refuse, case by case as MS-OXCMSG and MS-OXCPRPT
//! tell them.

use ropewalk_props::FileTime;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, NO_HANDLE, Result, Rop, Value, save},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

const READ_WRITE: u8 = 1;
const CREATE: u8 = 2;
const BEGINNING: u8 = 0;
const END: u8 = 2;

const COMPUTED: u32 = 0x8004_011A;
const OBJECT_DELETED: u32 = 0x8004_010A;
const LAST_MODIFIER_NAME: u32 = 0x3FFA_001F;
/// 2^31, which a stream may have and not exceed.
const STREAM_MAX: u64 = 0x8000_0000;

fn message() -> (Client, Logon, Handle, u64, Handle, u64) {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "a case");
    (client, logon, folder, folder_id, message, id)
}

/// Whatever the client does to it, the property stays, and each attempt is a problem.
#[track_caller]
fn stays(client: &mut Client, object: Handle, (tag, value): (u32, Value)) {
    let before = client.get_props(object, &[tag]).unwrap();
    let set = client.try_set_props(object, &[(tag, value)]).unwrap();
    let deleted = client.delete_props(object, &[tag]).unwrap();
    for problems in [set, deleted] {
        let told: Vec<_> = problems.iter().map(|p| (p.index, p.tag, p.code)).collect();
        assert_eq!(told, [(0, tag, COMPUTED)]);
    }
    assert_eq!(client.get_props(object, &[tag]).unwrap(), before);
}

// MS-OXCPRPT 2.2.1.4 to 2.2.1.6, 2.2.1.9: read-only for clients, before the first save and after it.
#[test]
fn who_and_when_and_the_search_key_are_the_servers() {
    let (mut client, _, folder, folder_id, saved, _) = message();
    let new = client.create_message(folder, folder_id).unwrap();
    let then = Value::Time(FileTime(0x01C0_0000_0000_0000));
    for message in [saved, new] {
        for property in [
            (tag::CREATION_TIME, then.clone()),
            (tag::LAST_MODIFICATION_TIME, then.clone()),
            (LAST_MODIFIER_NAME, text("Nobody")),
            (tag::SEARCH_KEY, Value::Binary(vec![7; 16])),
        ] {
            stays(&mut client, message, property);
        }
        fails(
            client.open_stream(message, tag::SEARCH_KEY, CREATE),
            code::ACCESS_DENIED,
        );
    }
}

// MS-OXCPRPT 2.2.1.9, 3.2.5.8: a copy has the search key of its original, and its own times.
#[test]
fn a_copy_has_the_search_key_of_its_original() {
    let (mut client, _, folder, folder_id, source, _) = message();
    let dest = client.create_message(folder, folder_id).unwrap();
    let tags = [tag::SEARCH_KEY, tag::CREATION_TIME, tag::SUBJECT];
    let before = client.get_props(dest, &tags).unwrap();
    // RopCopyTo: WantAsynchronous, WantSubObjects, CopyFlags, no exclusions.
    let copy = Rop::new(0x39, 0).u8(1).u8(0).u8(1).u8(0).tags(&[]);
    client.rop(&copy, &[source, dest]).unwrap();
    let original = client.get_props(source, &tags).unwrap();
    let copied = client.get_props(dest, &tags).unwrap();
    assert_eq!(copied.binary(0), original.binary(0));
    assert_eq!(copied.time(1), before.time(1));
    assert_eq!(copied.text(2), "a case");
}

// MS-OXCMSG 3.2.5.3: once one handle has saved, saves on the others fail, also without changes.
#[test]
fn a_save_without_changes_fails_as_any_other_after_another_ones() {
    let (mut client, _, folder, folder_id, first, id) = message();
    let opened = client.open_message(folder, folder_id, id, READ_WRITE);
    let second = opened.unwrap().handle;
    assert_eq!(client.save_message(second).unwrap(), id);
    let importance = [(tag::IMPORTANCE, Value::Integer32(2))];
    client.set_props(first, &importance).unwrap();
    client.save_message(first).unwrap();
    fails(client.save_message(second), code::OBJECT_MODIFIED);
    fails(
        client.save_message_with(second, save::KEEP_OPEN_READ_ONLY),
        code::OBJECT_MODIFIED,
    );
    // It is open as it was.
    let row = client.get_props(second, &[tag::ACCESS_LEVEL, tag::IMPORTANCE]);
    let row = row.unwrap();
    assert_eq!((row.int(0), row.int(1)), (1, 1));
    let forced = client.save_message_with(second, save::FORCE_SAVE);
    assert_eq!(forced.unwrap(), id);
    // What changes without a save is in nobody's way (3.2.5.8, 3.2.5.11).
    client.set_message_read_flag(folder, first, 0x04).unwrap();
    client.save_message(first).unwrap();
    client.delete_messages(folder, &[id]).unwrap();
    fails(client.save_message(first), OBJECT_DELETED);
}

// MS-OXCPRPT 2.2.19.2, 2.2.20.1, 3.2.5.13, 3.2.5.18.
#[test]
fn a_stream_has_two_gibibytes_and_no_more() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    for size in [STREAM_MAX + 1, u64::MAX] {
        fails(client.set_stream_size(stream, size), code::TOO_BIG);
    }
    client.set_stream_size(stream, STREAM_MAX).unwrap();
    assert_eq!(client.stream_size(stream).unwrap(), 0x8000_0000);
    assert_eq!(client.seek_stream(stream, END, 0).unwrap(), STREAM_MAX);
    fails(client.write_stream(stream, b"x"), code::TOO_BIG);
    fails(client.seek_stream(stream, END, 1), code::STREAM_SEEK_ERROR);
    client.seek_stream(stream, END, -1).unwrap();
    fails(client.write_stream(stream, b"xy"), code::TOO_BIG);
    client.set_stream_size(stream, 3).unwrap();
    client.seek_stream(stream, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(stream).unwrap(), [0; 3]);
    // By a seek, too.
    let far = client.seek_stream(stream, BEGINNING, STREAM_MAX.cast_signed());
    assert_eq!(far.unwrap(), STREAM_MAX);
    assert_eq!(client.stream_size(stream).unwrap(), 0x8000_0000);
}

/// RopLockRegionStream (0x5B) and RopUnlockRegionStream (0x5C).
fn region(client: &mut Client, id: u8, stream: Handle, at: u64, len: u64) -> Result<()> {
    let rop = Rop::new(id, 0).u64(at).u64(len).u32(0);
    client.rop(&rop, &[stream])?.empty()
}

// MS-OXCPRPT 3.2.5.21, 3.2.5.22.
#[test]
fn a_stream_grows_and_shrinks_around_what_others_have_locked() {
    let (mut client, _, _, _, message, _) = message();
    let (first, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    client.write_all(first, b"0123456789").unwrap();
    let clone = client.rop(&Rop::new(0x3B, 0).u8(1), &[first, NO_HANDLE]);
    let second = clone.unwrap().handle(1).unwrap();
    // A region may lie beyond the end.
    region(&mut client, 0x5B, first, 20, 10).unwrap();
    client.set_stream_size(second, 15).unwrap();
    client.set_stream_size(second, 12).unwrap();
    assert_eq!(client.seek_stream(second, BEGINNING, 20).unwrap(), 20);
    for size in [21, 40] {
        fails(client.set_stream_size(second, size), code::ACCESS_DENIED);
        fails(
            client.seek_stream(second, BEGINNING, size.cast_signed()),
            code::ACCESS_DENIED,
        );
    }
    assert_eq!(client.stream_size(first).unwrap(), 20);
    client.set_stream_size(first, 40).unwrap();
    client.set_stream_size(second, 35).unwrap();
    fails(client.set_stream_size(second, 25), code::ACCESS_DENIED);
    // Unlocking takes what it covers, if only in part, and none of another one's.
    region(&mut client, 0x5B, second, 0, 5).unwrap();
    region(&mut client, 0x5C, second, 0, 100).unwrap();
    fails(client.set_stream_size(second, 25), code::ACCESS_DENIED);
    client.seek_stream(first, BEGINNING, 0).unwrap();
    client.write_all(first, b"abc").unwrap();
    region(&mut client, 0x5C, first, 25, 1).unwrap();
    client.set_stream_size(second, 25).unwrap();
}

// MS-OXCMSG 2.2.1.44, 2.2.2.9.
#[test]
fn a_message_tells_its_store_and_an_attachment_that_it_is_new() {
    let (mut client, logon, folder, folder_id, saved, _) = message();
    let store = client
        .get_props(logon.handle, &[tag::STORE_ENTRY_ID])
        .unwrap();
    let new = client.create_message(folder, folder_id).unwrap();
    for message in [saved, new] {
        let asked = [tag::SUBJECT, tag::STORE_ENTRY_ID, tag::IMPORTANCE];
        let row = client.get_props(message, &asked).unwrap();
        assert_eq!(row.binary(1), store.binary(0));
        assert_eq!(row.int(2), 1);
    }
    let (attachment, _) = client.create_attachment(saved).unwrap();
    let method = client.get_props(attachment, &[tag::ATTACH_METHOD]);
    assert_eq!(method.unwrap().int(0), 0);
    let by_reference = [(tag::ATTACH_METHOD, Value::Integer32(2))];
    client.set_props(attachment, &by_reference).unwrap();
    let method = client.get_props(attachment, &[tag::ATTACH_METHOD]);
    assert_eq!(method.unwrap().int(0), 2);
}
