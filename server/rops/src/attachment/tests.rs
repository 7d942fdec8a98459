use ropewalk_props::{BagView, PropTag, PropValue, tags::*};
use ropewalk_store::ContentsView;
use ropewalk_wire::{ErrorCode, rop::*};

use std::sync::Arc;

use crate::{
    budget::Pool,
    test_client::{Client, INBOX, tagged, text},
};

const DATA: PropTag = PID_TAG_ATTACH_DATA_BINARY;

fn delete(client: &mut Client, message: u32, attachment_id: u32) -> Result<(), ErrorCode> {
    let body = DeleteAttachmentRequest { attachment_id };
    client
        .ask(message, RequestBody::DeleteAttachment(body))
        .map(drop)
}

#[test]
fn an_attachment_is_stored_after_its_own_save_and_that_of_the_message() {
    let mut client = Client::new();
    let id = client.saved(&[]);
    let message = client.open_message(id, 1);
    let (attachment, number) = client.create_attachment(message).unwrap();
    assert_eq!(number, 0);
    assert_eq!(
        client.get(attachment, PID_TAG_ATTACH_SIZE),
        Ok(PropValue::Integer32(0x40))
    );
    assert_eq!(
        client.get(attachment, PID_TAG_ATTACH_NUMBER),
        Ok(PropValue::Integer32(0))
    );
    assert_eq!(
        client.get(attachment, PID_TAG_RENDERING_POSITION),
        Ok(PropValue::Integer32(-1))
    );
    assert_eq!(
        client.get(attachment, PID_TAG_ACCESS_LEVEL),
        Ok(PropValue::Integer32(1))
    );
    let created = client.get(attachment, PID_TAG_CREATION_TIME).unwrap();
    assert_eq!(
        client.get(attachment, PID_TAG_LAST_MODIFICATION_TIME),
        Ok(created)
    );
    let values = [
        text(PID_TAG_ATTACH_LONG_FILENAME, "a.txt"),
        tagged(DATA, PropValue::Binary(b"abc".to_vec())),
        tagged(PID_TAG_ATTACH_NUMBER, PropValue::Integer32(9)),
    ];
    let problems = client.set(attachment, &values).unwrap();
    assert_eq!(
        (problems[0].index, problems[0].error_code),
        (2, ErrorCode::COMPUTED)
    );
    // Before its save the message does not have it, before the message's save the store.
    assert_eq!(
        client.open_attachment(message, 0, 0),
        Err(ErrorCode::NOT_FOUND)
    );
    client.save_attachment(attachment, 2).unwrap();
    let seen = client.open_attachment(message, 0, 0).unwrap();
    assert_eq!(
        client.get(seen, DATA),
        Ok(PropValue::Binary(b"abc".to_vec()))
    );
    let reader = client.open_message(id, 0);
    assert_eq!(
        client.open_attachment(reader, 0, 0),
        Err(ErrorCode::NOT_FOUND)
    );
    client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    let seen = client.open_attachment(reader, 0, 3).unwrap();
    assert_eq!(
        client.get(seen, PID_TAG_ATTACH_LONG_FILENAME),
        Ok(PropValue::text("a.txt"))
    );
    assert_eq!(
        client.get(seen, PID_TAG_ACCESS_LEVEL),
        Ok(PropValue::Integer32(0))
    );
    let size = client.get(seen, PID_TAG_ATTACH_SIZE).unwrap();
    assert!(
        matches!(size, PropValue::Integer32(size) if size > 3 + 10 && size < 400),
        "{size:?}"
    );
    assert_eq!(
        client.get(reader, PID_TAG_HAS_ATTACHMENTS),
        Ok(PropValue::Boolean(true))
    );
    let flags = client.get(reader, PID_TAG_MESSAGE_FLAGS).unwrap();
    assert!(matches!(flags, PropValue::Integer32(flags) if flags & 0x10 != 0));
    // The number of a deleted attachment is not given again to the same handle's next one.
    assert_eq!(
        client.open_attachment(reader, 0, 1),
        Err(ErrorCode::ACCESS_DENIED)
    );
    assert_eq!(
        delete(&mut client, reader, 0),
        Err(ErrorCode::ACCESS_DENIED)
    );
}

#[test]
fn an_unsaved_attachment_is_discarded() {
    let mut client = Client::new();
    let message = client.create_message();
    let (attachment, _) = client.create_attachment(message).unwrap();
    client.release(attachment);
    let (_, number) = client.create_attachment(message).unwrap();
    assert_eq!(number, 1);
    let id = client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    assert_eq!(
        client.open_attachment(reader, 0, 0),
        Err(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        client.get(reader, PID_TAG_HAS_ATTACHMENTS),
        Ok(PropValue::Boolean(false))
    );
}

fn with_attachment(client: &mut Client) -> (ropewalk_wire::Mid, u32) {
    let message = client.create_message();
    let (attachment, _) = client.create_attachment(message).unwrap();
    client
        .set(
            attachment,
            &[tagged(DATA, PropValue::Binary(b"abc".to_vec()))],
        )
        .unwrap();
    client.save_attachment(attachment, 2).unwrap();
    let id = client.save(message, 2).unwrap();
    (id, message)
}

#[test]
fn a_deleted_attachment_is_gone_for_good_with_the_save() {
    let mut client = Client::new();
    let (id, message) = with_attachment(&mut client);
    let opened = client.open_attachment(message, 0, 1).unwrap();
    assert_eq!(delete(&mut client, message, 7), Err(ErrorCode::NOT_FOUND));
    assert_eq!(delete(&mut client, message, 0), Ok(()));
    assert_eq!(delete(&mut client, message, 0), Err(ErrorCode::NOT_FOUND));
    assert_eq!(
        client.get(message, PID_TAG_HAS_ATTACHMENTS),
        Ok(PropValue::Boolean(false))
    );
    // What is left of it cannot be saved into the message any more.
    client
        .set(opened, &[text(PID_TAG_DISPLAY_NAME, "x")])
        .unwrap();
    assert_eq!(
        client.save_attachment(opened, 2),
        Err(ErrorCode::OBJECT_DELETED)
    );
    let reader = client.open_message(id, 0);
    assert!(client.open_attachment(reader, 0, 0).is_ok());
    client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    assert_eq!(
        client.open_attachment(reader, 0, 0),
        Err(ErrorCode::NOT_FOUND)
    );
}

#[test]
fn wrong_objects_and_flags_have_their_codes() {
    let mut client = Client::new();
    let (_, message) = with_attachment(&mut client);
    let logon = client.logon;
    let folder = client.open_folder(INBOX);
    for handle in [logon, folder] {
        assert_eq!(
            client.create_attachment(handle).unwrap_err(),
            ErrorCode::NULL_OBJECT
        );
        assert_eq!(
            client.open_attachment(handle, 0, 0),
            Err(ErrorCode::NULL_OBJECT)
        );
        assert_eq!(delete(&mut client, handle, 0), Err(ErrorCode::NULL_OBJECT));
        assert_eq!(client.open_embedded(handle, 0), Err(ErrorCode::NULL_OBJECT));
        assert_eq!(
            client.save_attachment(handle, 2),
            Err(ErrorCode::NOT_SUPPORTED)
        );
    }
    let attachment = client.open_attachment(message, 0, 0).unwrap();
    assert_eq!(
        client.save_attachment(attachment, 2),
        Err(ErrorCode::GENERAL_FAILURE)
    );
    let attachment = client.open_attachment(message, 0, 1).unwrap();
    assert_eq!(
        client.save_attachment(attachment, 3),
        Err(ErrorCode::NOT_SUPPORTED)
    );
    assert_eq!(client.save_attachment(attachment, 1), Ok(()));
    let change = [text(PID_TAG_DISPLAY_NAME, "x")];
    assert_eq!(
        client.set(attachment, &change),
        Err(ErrorCode::ACCESS_DENIED)
    );
    assert_eq!(
        client.open_embedded(attachment, 0),
        Err(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        client.open_embedded(attachment, 2),
        Err(ErrorCode::ACCESS_DENIED)
    );
    let body = OpenEmbeddedMessageRequest {
        output_handle_index: 1,
        code_page_id: 7,
        open_mode_flags: 0,
    };
    let answer = client.open(attachment, RequestBody::OpenEmbeddedMessage(body));
    assert_eq!(answer.unwrap_err(), ErrorCode::UNKNOWN_CODE_PAGE);
}

/// Subjects of a message and of those embedded in it, each in the first attachment of the one above.
fn subjects(client: &mut Client, mut message: u32) -> Vec<PropValue> {
    let mut subjects = Vec::new();
    loop {
        subjects.push(client.get(message, PID_TAG_SUBJECT).unwrap());
        let Ok(attachment) = client.open_attachment(message, 0, 0) else {
            return subjects;
        };
        message = client.open_embedded(attachment, 0).unwrap();
    }
}

#[test]
fn messages_are_embedded_three_deep() {
    let mut client = Client::new();
    let top = client.create_message();
    client.set(top, &[text(PID_TAG_SUBJECT, "0")]).unwrap();
    let mut way = vec![top];
    for level in 1..=3 {
        let (attachment, _) = client.create_attachment(way[way.len() - 1]).unwrap();
        let message = client.open_embedded(attachment, 2).unwrap();
        client
            .set(message, &[text(PID_TAG_SUBJECT, &level.to_string())])
            .unwrap();
        way.extend([attachment, message]);
    }
    // From the innermost outwards; until then the outer ones know nothing of it.
    while let Some(handle) = way.pop() {
        match way.len() % 2 {
            0 => drop(client.save(handle, 2).unwrap()),
            _ => client.save_attachment(handle, 2).unwrap(),
        }
    }
    let mailbox = client.mailbox();
    let contents = mailbox.contents(INBOX, ContentsView::Normal).unwrap();
    let id = crate::ids::mid(contents.iter().next().unwrap().id);
    let expected: Vec<_> = ["0", "1", "2", "3"].map(PropValue::text).to_vec();
    let top = client.open_message(id, 1);
    assert_eq!(subjects(&mut client, top), expected);
    let attachment = client.open_attachment(top, 0, 1).unwrap();
    let method = client.get(attachment, PID_TAG_ATTACH_METHOD);
    assert_eq!(method, Ok(PropValue::Integer32(5)));

    // Change the one in the middle, and only that.
    let first = client.open_embedded(attachment, 1).unwrap();
    let inner = client.open_attachment(first, 0, 1).unwrap();
    let second = client.open_embedded(inner, 1).unwrap();
    client.set(second, &[text(PID_TAG_SUBJECT, "two")]).unwrap();
    client.save(second, 2).unwrap();
    client.save_attachment(inner, 2).unwrap();
    client.save(first, 2).unwrap();
    client.save_attachment(attachment, 2).unwrap();
    let before = client.open_message(id, 0);
    assert_eq!(subjects(&mut client, before), expected);
    client.save(top, 2).unwrap();
    let after = client.open_message(id, 0);
    let expected: Vec<_> = ["0", "1", "two", "3"].map(PropValue::text).to_vec();
    assert_eq!(subjects(&mut client, after), expected);
    assert_eq!(client.open_embedded(attachment, 1).map(drop), Ok(()));
    // The embedded one is read-only where its attachment is.
    let read_only = client.open_attachment(after, 0, 0).unwrap();
    assert_eq!(
        client.open_embedded(read_only, 1),
        Err(ErrorCode::ACCESS_DENIED)
    );
    assert_eq!(client.save(after, 2), Err(ErrorCode::GENERAL_FAILURE));
}

#[test]
fn embedding_has_an_end() {
    let mut client = Client::new();
    let mut message = client.create_message();
    for depth in 0.. {
        let (attachment, _) = client.create_attachment(message).unwrap();
        match client.open_embedded(attachment, 2) {
            Ok(embedded) => message = embedded,
            Err(code) => {
                assert_eq!(
                    (code, depth),
                    (ErrorCode::TOO_COMPLEX, crate::limits::EMBEDDING_MAX)
                );
                break;
            }
        }
    }
}

#[test]
fn the_number_of_attachments_has_a_bound() {
    let mut client = Client::new();
    let message = client.create_message();
    for _ in 0..crate::limits::ATTACHMENTS_MAX {
        let (attachment, _) = client.create_attachment(message).unwrap();
        client.save_attachment(attachment, 2).unwrap();
        client.release(attachment);
    }
    assert_eq!(
        client.create_attachment(message).unwrap_err(),
        ErrorCode::MAX_ATTACHMENT_EXCEEDED
    );
}

#[test]
fn ten_mebibytes_go_in_and_come_out_by_streams() {
    const SIZE: usize = 10 << 20;
    let byte = |at: usize| (at * 31 + at / 251) as u8;
    let content: Vec<u8> = (0..SIZE).map(byte).collect();
    let mut client = Client::new();
    let message = client.create_message();
    let (attachment, number) = client.create_attachment(message).unwrap();
    let (stream, _) = client.open_stream(attachment, DATA, 2).unwrap();
    for part in content.chunks(30_000) {
        assert_eq!(client.write(stream, part), Ok(part.len() as u16));
    }
    client.release(stream);
    client.save_attachment(attachment, 2).unwrap();
    let id = client.save(message, 2).unwrap();
    let mut other = client.other();
    let message = other.open_message(id, 0);
    let attachment = other.open_attachment(message, number, 0).unwrap();
    assert_eq!(
        other.get(attachment, DATA),
        Err(ErrorCode::NOT_ENOUGH_MEMORY)
    );
    let (stream, size) = other.open_stream(attachment, DATA, 0).unwrap();
    assert_eq!(size as usize, SIZE);
    let mut read = Vec::new();
    loop {
        let part = other.read(stream, 32_000).unwrap();
        if part.is_empty() {
            break;
        }
        read.extend_from_slice(&part);
    }
    assert!(read == content);
    assert_eq!(other.seek(stream, 0, 5_000_000), Ok(5_000_000));
    assert_eq!(
        other.read(stream, 3).unwrap(),
        content[5_000_000..5_000_003]
    );
    // The content itself is not in the message.
    let entry = other.mailbox().entry(INBOX, id.globcnt()).unwrap().unwrap();
    assert!(entry.size > SIZE as u64);
    let stored = other.mailbox().read_message(&entry).unwrap();
    assert!(stored.view().attachments[0].props.get(DATA).is_none());
}

#[test]
fn copies_of_a_large_attachment_have_a_bound_in_all() {
    let mut client = Client::new();
    let message = client.create_message();
    let (attachment, number) = client.create_attachment(message).unwrap();
    for id in 0..130 {
        let tag = PropTag(0x6900_0102 + (id << 16));
        client
            .set(
                attachment,
                &[tagged(tag, PropValue::Binary(vec![1; 30_000]))],
            )
            .unwrap();
    }
    client.save_attachment(attachment, 2).unwrap();
    let mut open = Vec::new();
    let code = loop {
        match client.open_attachment(message, number, 0) {
            Ok(handle) => open.push(handle),
            Err(code) => break code,
        }
        assert!(open.len() < 100);
    };
    assert_eq!(code, ErrorCode::NOT_ENOUGH_MEMORY);
    assert!(open.len() > 50);
    client.release(open[0]);
    assert!(client.open_attachment(message, number, 0).is_ok());
}

#[test]
fn an_embedded_message_is_read_on_when_its_attachment_is_released() {
    let mut client = Client::new();
    let top = client.create_message();
    let (outer, _) = client.create_attachment(top).unwrap();
    let first = client.open_embedded(outer, 2).unwrap();
    let (inner, _) = client.create_attachment(first).unwrap();
    let second = client.open_embedded(inner, 2).unwrap();
    client
        .set(second, &[text(PID_TAG_SUBJECT, "deep")])
        .unwrap();
    client.save(second, 2).unwrap();
    client.save_attachment(inner, 2).unwrap();
    client.save(first, 2).unwrap();
    client.save_attachment(outer, 2).unwrap();
    let id = client.save(top, 2).unwrap();
    let top = client.open_message(id, 0);
    let outer = client.open_attachment(top, 0, 0).unwrap();
    let first = client.open_embedded(outer, 0).unwrap();
    client.release(outer);
    client.release(top);
    let inner = client.open_attachment(first, 0, 0).unwrap();
    let second = client.open_embedded(inner, 0).unwrap();
    assert_eq!(
        client.get(second, PID_TAG_SUBJECT),
        Ok(PropValue::text("deep"))
    );
}

#[test]
fn what_was_put_into_an_attachment_or_a_message_is_counted_there() {
    const MAX: usize = 64 << 20;
    const VALUES: u32 = 40;
    let owner = Client::new();
    let pool = Arc::new(Pool::new(MAX));
    let mut client = owner.within(&pool);
    let id = client.saved(&[]);
    let message = client.open_message(id, 1);
    let (attachment, number) = client.create_attachment(message).unwrap();
    let embedded = client.open_embedded(attachment, 2).unwrap();
    client.save(embedded, 2).unwrap();
    client.save_attachment(attachment, 2).unwrap();
    client.save(message, 2).unwrap();
    for handle in [embedded, attachment, message] {
        client.release(handle);
    }
    // All of them as they are in the store, and only the innermost changed.
    let message = client.open_message(id, 1);
    let attachment = client.open_attachment(message, number, 1).unwrap();
    let embedded = client.open_embedded(attachment, 1).unwrap();
    for n in 0..VALUES {
        let tag = PropTag(0x6801_0102 + (n << 16));
        let value = tagged(tag, PropValue::Binary(vec![1; 30_000]));
        client.set(embedded, &[value]).unwrap();
    }
    let bytes = VALUES as usize * 30_000;
    client.save(embedded, 2).unwrap();
    client.release(embedded);
    assert!(pool.used() >= bytes, "{}", pool.used());
    client.save_attachment(attachment, 2).unwrap();
    assert!(pool.used() >= 2 * bytes, "{}", pool.used());
    client.release(attachment);
    assert!(pool.used() >= bytes, "{}", pool.used());
    client.release(message);
    assert!(pool.used() < bytes, "{}", pool.used());
}
