//! What a message has and tells.

use ropewalk_tests::{
    client::{Cells as _, Client, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

use crate::look::{BEST_ACCESS, MF_READ, MF_UNSENT, READ};

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
