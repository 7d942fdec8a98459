use ropewalk_props::{PropValue, tags::*};
use ropewalk_store::{ContentsView, Quota, STORAGE_QUOTA_LIMIT};
use ropewalk_wire::{ErrorCode, Mid, rop::*, value::TypedString};

use crate::{
    ids,
    test_client::{Client, INBOX, OTHER, inbox, tagged, text},
};

fn count(client: &Client) -> usize {
    client
        .mailbox()
        .contents(INBOX, ContentsView::Normal)
        .unwrap()
        .len()
}

fn set_read(client: &mut Client, message: u32, read_flags: u8) -> Result<(), ErrorCode> {
    let body = SetMessageReadFlagRequest {
        input_handle_index: 0,
        read_flags,
        client_data: None,
    };
    match client.ask(message, RequestBody::SetMessageReadFlag(body))? {
        ResponseBody::SetMessageReadFlag(response) => {
            assert_eq!(response.read_status_changed, None);
            Ok(())
        }
        other => panic!("{other:?}"),
    }
}

fn flags(client: &mut Client, message: u32) -> i32 {
    match client.get(message, PID_TAG_MESSAGE_FLAGS) {
        Ok(PropValue::Integer32(flags)) => flags,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_message_is_seen_by_nobody_before_it_is_saved() {
    let mut client = Client::new();
    let message = client.create_message();
    client
        .set(message, &[text(PID_TAG_SUBJECT, "hello")])
        .unwrap();
    assert_eq!(count(&client), 0);
    assert_eq!(client.get(message, PID_TAG_MID), Err(ErrorCode::NOT_FOUND));
    let id = client.save(message, 2).unwrap();
    assert_eq!(count(&client), 1);
    assert_eq!(
        client.get(message, PID_TAG_MID),
        Ok(PropValue::Integer64(id.to_u64() as i64))
    );
    let unsaved = client.create_message();
    client.release(unsaved);
    assert_eq!(count(&client), 1);
    let mut other = client.other();
    let seen = other.open_message(id, 0);
    assert_eq!(
        other.get(seen, PID_TAG_SUBJECT),
        Ok(PropValue::text("hello"))
    );
}

/// MS-OXCMSG 3.2.5.2.
#[test]
fn a_new_message_has_its_first_properties() {
    let mut client = Client::new();
    let message = client.create_message();
    for (tag, value) in [
        (PID_TAG_IMPORTANCE, PropValue::Integer32(1)),
        (PID_TAG_MESSAGE_CLASS, PropValue::text("IPM.Note")),
        (PID_TAG_SENSITIVITY, PropValue::Integer32(0)),
        (PID_TAG_DISPLAY_BCC, PropValue::text("")),
        (PID_TAG_DISPLAY_CC, PropValue::text("")),
        (PID_TAG_DISPLAY_TO, PropValue::text("")),
        (PID_TAG_HAS_ATTACHMENTS, PropValue::Boolean(false)),
        (PID_TAG_TRUST_SENDER, PropValue::Integer32(1)),
        (PID_TAG_ACCESS, PropValue::Integer32(3)),
        (PID_TAG_ACCESS_LEVEL, PropValue::Integer32(1)),
        (PID_TAG_MESSAGE_LOCALE_ID, PropValue::Integer32(0x409)),
        (PID_TAG_LOCALE_ID, PropValue::Integer32(0x409)),
        (PID_TAG_CREATOR_NAME, PropValue::text("Ada Lovelace")),
        (PID_TAG_LAST_MODIFIER_NAME, PropValue::text("Ada Lovelace")),
        (PID_TAG_HAS_NAMED_PROPERTIES, PropValue::Boolean(false)),
    ] {
        assert_eq!(client.get(message, tag), Ok(value), "{tag:?}");
    }
    assert!(matches!(flags(&mut client, message), 0x9 | 0x409));
    let created = client.get(message, PID_TAG_CREATION_TIME).unwrap();
    assert_eq!(
        client.get(message, PID_TAG_LAST_MODIFICATION_TIME),
        Ok(created)
    );
    let key = client.get(message, PID_TAG_SEARCH_KEY).unwrap();
    assert!(matches!(&key, PropValue::Binary(key) if key.len() == 16));
    let other = client.create_message();
    assert_ne!(client.get(other, PID_TAG_SEARCH_KEY), Ok(key));
    assert!(client.get(message, PID_TAG_LOCAL_COMMIT_TIME).is_ok());
}

#[test]
fn a_saved_message_has_what_its_place_gives_it() {
    let mut client = Client::new();
    let id = client.saved(&[text(PID_TAG_SUBJECT, "RE: x")]);
    let message = client.open_message(id, 1);
    let lengths = [
        (PID_TAG_ENTRY_ID, 70),
        (PID_TAG_PARENT_ENTRY_ID, 46),
        (PID_TAG_SOURCE_KEY, 22),
        (PID_TAG_CHANGE_KEY, 22),
        (PID_TAG_PREDECESSOR_CHANGE_LIST, 23),
        (PID_TAG_CONVERSATION_INDEX, 22),
    ];
    for (tag, length) in lengths {
        let value = client.get(message, tag);
        assert!(
            matches!(&value, Ok(PropValue::Binary(key)) if key.len() == length),
            "{value:?}"
        );
    }
    assert_eq!(
        client.get(message, PID_TAG_CONVERSATION_TOPIC),
        Ok(PropValue::text("x"))
    );
    assert_eq!(
        client.get(message, PID_TAG_ACCESS),
        Ok(PropValue::Integer32(7))
    );
    let size = client.get(message, PID_TAG_MESSAGE_SIZE).unwrap();
    assert!(matches!(size, PropValue::Integer32(size) if size > 100));
    // A save changes the change key and keeps the search key and the creation time.
    let before = [
        PID_TAG_CHANGE_KEY,
        PID_TAG_SEARCH_KEY,
        PID_TAG_CREATION_TIME,
    ];
    let old = before.map(|tag| client.get(message, tag).unwrap());
    let list = client.get(message, PID_TAG_PREDECESSOR_CHANGE_LIST);
    client.set(message, &[text(PID_TAG_SUBJECT, "y")]).unwrap();
    assert_eq!(client.save(message, 2), Ok(id));
    let new = before.map(|tag| client.get(message, tag).unwrap());
    assert_ne!(old[0], new[0]);
    assert_eq!(old[1..], new[1..]);
    assert_ne!(client.get(message, PID_TAG_PREDECESSOR_CHANGE_LIST), list);
}

#[test]
fn what_is_not_there_is_not_opened() {
    let mut client = Client::new();
    let id = client.saved(&[]);
    let open = |client: &mut Client, folder, id, flags| {
        client.open_message_in(folder, id, flags).map(drop)
    };
    let unknown = ids::mid(ropewalk_props::GlobCnt(0x7777));
    assert_eq!(
        open(&mut client, inbox(), unknown, 0),
        Err(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        open(&mut client, inbox(), Mid::from_u64(0), 0),
        Err(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        open(&mut client, ids::fid(OTHER), id, 0),
        Err(ErrorCode::NOT_FOUND)
    );
    let nowhere = ids::fid(ropewalk_props::GlobCnt(0x6666));
    assert_eq!(open(&mut client, nowhere, id, 0), Err(ErrorCode::NOT_FOUND));
    // From any folder of the mailbox; not from a message.
    let body = OpenMessageRequest {
        output_handle_index: 1,
        code_page_id: 0x0FFF,
        folder_id: inbox(),
        open_mode_flags: 3,
        message_id: id,
    };
    let folder = client.open_folder(OTHER);
    let (message, _) = client.open(folder, RequestBody::OpenMessage(body)).unwrap();
    assert_eq!(
        client.get(message, PID_TAG_ACCESS_LEVEL),
        Ok(PropValue::Integer32(1))
    );
    let answer = client.open(message, RequestBody::OpenMessage(body));
    assert_eq!(answer.unwrap_err(), ErrorCode::NULL_OBJECT);
    let create = CreateMessageRequest {
        output_handle_index: 1,
        code_page_id: 0x0FFF,
        folder_id: inbox(),
        associated_flag: false,
    };
    let answer = client.open(message, RequestBody::CreateMessage(create));
    assert_eq!(answer.unwrap_err(), ErrorCode::NULL_OBJECT);
    // An OutputHandleIndex outside the table.
    let answer = client.ask(folder, RequestBody::OpenMessage(body));
    assert_eq!(answer.unwrap_err(), ErrorCode::NULL_OBJECT);

    client
        .mailbox()
        .delete_messages(INBOX, &[id.globcnt()], false)
        .unwrap();
    assert_eq!(open(&mut client, inbox(), id, 0), Err(ErrorCode::NOT_FOUND));
    assert_eq!(open(&mut client, inbox(), id, 4), Ok(()));
    client
        .set(message, &[text(PID_TAG_SUBJECT, "late")])
        .unwrap();
    assert_eq!(client.save(message, 2), Err(ErrorCode::OBJECT_DELETED));
}

#[test]
fn the_one_who_saves_second_is_told_unless_he_insists() {
    let mut client = Client::new();
    let id = client.saved(&[]);
    let (first, second) = (client.open_message(id, 1), client.open_message(id, 1));
    client
        .set(first, &[text(PID_TAG_SUBJECT, "first")])
        .unwrap();
    client
        .set(second, &[text(PID_TAG_SUBJECT, "second")])
        .unwrap();
    assert_eq!(client.save(first, 2), Ok(id));
    assert_eq!(client.save(second, 2), Err(ErrorCode::OBJECT_MODIFIED));
    // It stays as it was: still open, still changed, still writable.
    assert_eq!(
        client.get(second, PID_TAG_SUBJECT),
        Ok(PropValue::text("second"))
    );
    assert_eq!(client.save(second, 2), Err(ErrorCode::OBJECT_MODIFIED));
    assert_eq!(client.save(second, 4), Ok(id));
    let reader = client.open_message(id, 0);
    assert_eq!(
        client.get(reader, PID_TAG_SUBJECT),
        Ok(PropValue::text("second"))
    );
    client
        .set(second, &[text(PID_TAG_SUBJECT, "again")])
        .unwrap();
    assert_eq!(
        client.save(second, 2),
        Ok(id),
        "after its own save it is up to date"
    );
}

#[test]
fn save_flags_say_what_becomes_of_the_handle() {
    let mut client = Client::new();
    let message = client.create_message();
    assert_eq!(client.save(message, 3), Err(ErrorCode::NOT_SUPPORTED));
    // Bits without meaning, such as that of delayed calls, are ignored.
    let id = client.save(message, 0x0A).unwrap();
    client.set(message, &[text(PID_TAG_SUBJECT, "x")]).unwrap();
    assert_eq!(client.save(message, 0x09), Ok(id));
    let change = [text(PID_TAG_SUBJECT, "y")];
    assert_eq!(client.set(message, &change), Err(ErrorCode::ACCESS_DENIED));
    assert_eq!(client.save(message, 2), Err(ErrorCode::GENERAL_FAILURE));
    let reader = client.open_message(id, 0);
    assert_eq!(client.save(reader, 4), Err(ErrorCode::GENERAL_FAILURE));
    assert_eq!(client.save(client.logon, 2), Err(ErrorCode::NULL_OBJECT));
}

#[test]
fn reading_is_noted_at_once_and_is_no_change() {
    let mut client = Client::new();
    let id = client.saved(&[]);
    let message = client.open_message(id, 1);
    let key = client.get(message, PID_TAG_CHANGE_KEY);
    let modified = client.get(message, PID_TAG_LAST_MODIFICATION_TIME);
    assert_eq!(set_read(&mut client, message, 0x05), Ok(()));
    assert_eq!(flags(&mut client, message) & 1, 0);
    let mut other = client.other();
    let seen = other.open_message(id, 0);
    assert_eq!(flags(&mut other, seen) & 1, 0);
    assert_eq!(set_read(&mut client, message, 0x10), Ok(()));
    assert_eq!(flags(&mut client, message) & 1, 0);
    assert_eq!(
        set_read(&mut other, seen, 0x01),
        Ok(()),
        "a read-only handle will do"
    );
    assert_eq!(flags(&mut other, seen) & 1, 1);
    assert_eq!(other.get(seen, PID_TAG_CHANGE_KEY), key);
    assert_eq!(other.get(seen, PID_TAG_LAST_MODIFICATION_TIME), modified);
    // The writer of before does not clash with it.
    client.set(message, &[text(PID_TAG_SUBJECT, "x")]).unwrap();
    assert_eq!(client.save(message, 2), Ok(id));
    let seen = client.open_message(id, 0);
    assert_eq!(flags(&mut client, seen) & 1, 1);
    let folder = client.open_folder(INBOX);
    assert_eq!(
        set_read(&mut client, folder, 0),
        Err(ErrorCode::NULL_OBJECT)
    );
    // Of a message that is not saved, the flag goes along with the save.
    let draft = client.create_message();
    set_read(&mut client, draft, 0x04).unwrap();
    let id = client.save(draft, 2).unwrap();
    assert!(
        !client
            .mailbox()
            .entry(INBOX, id.globcnt())
            .unwrap()
            .unwrap()
            .read
    );
}

#[test]
fn message_flags_are_the_clients_before_the_first_save_and_the_servers_after() {
    let mut client = Client::new();
    let message = client.create_message();
    let set = |bits| [tagged(PID_TAG_MESSAGE_FLAGS, PropValue::Integer32(bits))];
    client.set(message, &set(0x08 | 0x10 | 0x40)).unwrap();
    assert_eq!(flags(&mut client, message), 0x08);
    client.save(message, 2).unwrap();
    client.set(message, &set(0x01)).unwrap();
    assert_eq!(flags(&mut client, message), 0x08 | 0x02);
}

#[test]
fn cached_information_is_that_of_the_handle() {
    let mut client = Client::new();
    let message = client.create_message();
    client
        .set(message, &[text(PID_TAG_SUBJECT, "RE: Zoë")])
        .unwrap();
    let reload = RequestBody::ReloadCachedInformation(ReloadCachedInformationRequest::default());
    let ResponseBody::ReloadCachedInformation(response) =
        client.ask(message, reload.clone()).unwrap()
    else {
        panic!()
    };
    assert_eq!(response.subject_prefix, TypedString::Reduced(b"RE: "));
    assert_eq!(
        response.normalized_subject,
        TypedString::Unicode(b"Z\0o\0\xEB\0")
    );
    assert_eq!(response.recipient_count, 0);
    let folder = client.open_folder(INBOX);
    assert_eq!(
        client.ask(folder, reload).unwrap_err(),
        ErrorCode::NULL_OBJECT
    );
    let id = client.saved(&[text(PID_TAG_SUBJECT, "x")]);
    let (_, opened) = client.open_message_in(inbox(), id, 0).unwrap();
    assert_eq!(opened.subject_prefix, TypedString::Empty);
    assert!(!opened.has_named_properties);
}

#[test]
fn a_status_is_read_and_set_of_a_message_that_is_not_open() {
    let mut client = Client::new();
    let id = client.saved(&[tagged(PID_TAG_MESSAGE_STATUS, PropValue::Integer32(0x1800))]);
    let folder = client.open_folder(INBOX);
    let get = RequestBody::GetMessageStatus(GetMessageStatusRequest { message_id: id });
    let status = |answer| match answer {
        Ok(ResponseBody::GetMessageStatus(response) | ResponseBody::SetMessageStatus(response)) => {
            Ok(response.message_status_flags)
        }
        Ok(other) => panic!("{other:?}"),
        Err(code) => Err(code),
    };
    assert_eq!(status(client.ask(folder, get.clone())), Ok(0x1800));
    let set = |message_id| {
        RequestBody::SetMessageStatus(SetMessageStatusRequest {
            message_id,
            message_status_flags: 0x2001,
            message_status_mask: 0x3000,
        })
    };
    assert_eq!(status(client.ask(folder, set(id))), Ok(0x1800));
    assert_eq!(status(client.ask(folder, get.clone())), Ok(0x2800));
    assert_eq!(
        status(client.ask(client.logon, get)),
        Err(ErrorCode::NULL_OBJECT)
    );
    assert_eq!(
        status(client.ask(client.logon, set(id))),
        Err(ErrorCode::NULL_OBJECT)
    );
    let unknown = ids::mid(ropewalk_props::GlobCnt(0x7777));
    assert_eq!(
        status(client.ask(folder, set(unknown))),
        Err(ErrorCode::NOT_FOUND)
    );
}

#[test]
fn associated_messages_are_apart() {
    let mut client = Client::new();
    let body = CreateMessageRequest {
        output_handle_index: 1,
        code_page_id: 0x0FFF,
        folder_id: inbox(),
        associated_flag: true,
    };
    let (message, _) = client
        .open(client.logon, RequestBody::CreateMessage(body))
        .unwrap();
    let id = client.save(message, 2).unwrap();
    assert_eq!(count(&client), 0);
    let contents = client
        .mailbox()
        .contents(INBOX, ContentsView::Associated)
        .unwrap();
    assert!(contents.get(id.globcnt()).is_some());
    assert_eq!(
        client.get(message, PID_TAG_ASSOCIATED),
        Ok(PropValue::Boolean(true))
    );
    assert_eq!(flags(&mut client, message) & 0x40, 0x40);
}

#[test]
fn a_mailbox_that_is_full_takes_no_message() {
    let mut client = Client::new();
    let logon = client.logon;
    let quota = |client: &mut Client, tag| client.get(logon, tag);
    let unlimited = Ok(PropValue::Integer32(-1));
    assert_eq!(
        quota(&mut client, PID_TAG_PROHIBIT_RECEIVE_QUOTA),
        unlimited
    );
    let limits = Quota {
        warning: Some(1),
        prohibit_send: Some(2),
        prohibit_receive: Some(3),
    };
    client.mailbox().set_quota(limits).unwrap();
    for (tag, limit) in [
        (STORAGE_QUOTA_LIMIT, 1),
        (PID_TAG_PROHIBIT_SEND_QUOTA, 2),
        (PID_TAG_PROHIBIT_RECEIVE_QUOTA, 3),
    ] {
        let limit = PropValue::Integer32(limit);
        assert_eq!(quota(&mut client, tag), Ok(limit));
        let more = tagged(tag, PropValue::Integer32(99));
        let problems = client.set(logon, &[more]).unwrap();
        assert_eq!(problems.len(), 1, "{tag:?}");
    }
    let shown = client.all(logon);
    assert!(shown.iter().any(|value| value.tag == STORAGE_QUOTA_LIMIT));
    let small = client.saved(&[text(PID_TAG_BODY, "x")]);
    let message = client.create_message();
    let large = text(PID_TAG_BODY, &"x".repeat(2000));
    client.set(message, std::slice::from_ref(&large)).unwrap();
    assert_eq!(client.save(message, 2), Err(ErrorCode::QUOTA_EXCEEDED));
    assert_eq!(count(&client), 1);
    let size = PropValue::Integer64(client.mailbox().size() as i64);
    assert_eq!(client.get(logon, PID_TAG_MESSAGE_SIZE_EXTENDED), Ok(size));
    let changed = client.open_message(small, 1);
    client.set(changed, &[large]).unwrap();
    assert_eq!(client.save(changed, 2), Err(ErrorCode::QUOTA_EXCEEDED));
    client.mailbox().set_quota(Quota::default()).unwrap();
    client.save(message, 2).unwrap();
    assert_eq!(count(&client), 2);
}
