use std::sync::Arc;

use ropewalk_props::{PropTag, PropType, PropValue, tags::*};
use ropewalk_wire::{ErrorCode, rop::*};

use super::{STREAM_ACCESS_DENIED, STREAM_INVALID_PARAM, STREAM_SEEK_ERROR};
use crate::{
    budget::{Budget, Pool},
    test_client::{Client, INBOX, tagged, text},
};

const BINARY: PropTag = PropTag(0x6801_0102);
const CREATE: u8 = 2;

fn binary(bytes: &[u8]) -> Result<PropValue, ErrorCode> {
    Ok(PropValue::Binary(bytes.to_vec()))
}

fn commit(client: &mut Client, stream: u32) -> Result<(), ErrorCode> {
    client
        .ask(stream, RequestBody::CommitStream(EmptyRequest {}))
        .map(drop)
}

fn size(client: &mut Client, stream: u32) -> u32 {
    match client.ask(stream, RequestBody::GetStreamSize(EmptyRequest {})) {
        Ok(ResponseBody::GetStreamSize(response)) => response.stream_size,
        other => panic!("{other:?}"),
    }
}

fn set_size(client: &mut Client, stream: u32, stream_size: u64) -> Result<(), ErrorCode> {
    let body = SetStreamSizeRequest { stream_size };
    client
        .ask(stream, RequestBody::SetStreamSize(body))
        .map(drop)
}

#[test]
fn a_stream_begins_with_the_value_and_reads_up_to_its_end() {
    let mut client = Client::new();
    let id = client.saved(&[tagged(BINARY, PropValue::Binary(b"0123456789".to_vec()))]);
    let message = client.open_message(id, 0);
    let (stream, length) = client.open_stream(message, BINARY, 0).unwrap();
    assert_eq!(length, 10);
    assert_eq!(client.read(stream, 4).unwrap(), b"0123");
    assert_eq!(client.read(stream, 100).unwrap(), b"456789");
    assert_eq!(client.read(stream, 100).unwrap(), b"");
    assert_eq!(client.seek(stream, 2, -3), Ok(7));
    assert_eq!(client.seek(stream, 1, 1), Ok(8));
    assert_eq!(client.read(stream, 0).unwrap(), b"");
    let body = ReadStreamRequest {
        byte_count: SIZE_FOLLOWS,
        maximum_byte_count: Some(70_000),
    };
    let answer = client.ask(stream, RequestBody::ReadStream(body)).unwrap();
    let ResponseBody::ReadStream(response) = answer else {
        panic!()
    };
    assert_eq!(&*response.data, b"89");
    assert_eq!(size(&mut client, stream), 10);
    // A read-only stream.
    assert_eq!(client.write(stream, b"x"), Err(STREAM_ACCESS_DENIED));
    assert_eq!(set_size(&mut client, stream, 1), Err(STREAM_ACCESS_DENIED));
    assert_eq!(commit(&mut client, stream), Ok(()));
}

#[test]
fn a_long_read_is_what_fits_the_response() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    for _ in 0..4 {
        client.write(stream, &[5; 20_000]).unwrap();
    }
    client.seek(stream, 0, 0).unwrap();
    let read = client.read(stream, 60_000).unwrap().len();
    assert!((30_000..32_768).contains(&read), "{read}");
    let body = ReadStreamRequest {
        byte_count: 0xFFFF,
        maximum_byte_count: None,
    };
    let answer = client
        .send_with_room(&mut [stream], 0, RequestBody::ReadStream(body), 1000)
        .unwrap();
    let ResponseBody::ReadStream(response) = answer.unwrap() else {
        panic!()
    };
    assert!((900..1000).contains(&response.data.len()));
}

#[test]
fn positions_have_bounds() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    client.write(stream, b"abc").unwrap();
    assert_eq!(client.seek(stream, 0, -1), Err(STREAM_SEEK_ERROR));
    assert_eq!(client.seek(stream, 1, -4), Err(STREAM_SEEK_ERROR));
    assert_eq!(client.seek(stream, 0, 0x8000_0001), Err(STREAM_SEEK_ERROR));
    assert_eq!(client.seek(stream, 2, i64::MAX), Err(STREAM_SEEK_ERROR));
    assert_eq!(client.seek(stream, 2, i64::MIN), Err(STREAM_SEEK_ERROR));
    assert_eq!(client.seek(stream, 3, 0), Err(STREAM_INVALID_PARAM));
    assert_eq!(client.seek(message, 0, 0), Err(ErrorCode::NOT_SUPPORTED));
    // Beyond the end it grows by zeros.
    assert_eq!(client.seek(stream, 2, 2), Ok(5));
    assert_eq!(size(&mut client, stream), 5);
    assert_eq!(client.get(message, BINARY), binary(b"abc\0\0"));
    assert_eq!(client.seek(stream, 0, 0x7FFF_FFF0), Ok(0x7FFF_FFF0));
    assert_eq!(client.write(stream, &[1; 0x20]), Err(ErrorCode::TOO_BIG));
    assert_eq!(
        set_size(&mut client, stream, 1 << 40),
        Err(ErrorCode::TOO_BIG)
    );
    assert_eq!(set_size(&mut client, stream, 2), Ok(()));
    assert_eq!(client.get(message, BINARY), binary(b"ab"));
    assert_eq!(set_size(&mut client, stream, 4), Ok(()));
    assert_eq!(client.get(message, BINARY), binary(b"ab\0\0"));
}

#[test]
fn only_strings_and_bytes_of_objects_with_properties_open() {
    let mut client = Client::new();
    let message = client.create_message();
    let open =
        |client: &mut Client, handle, tag, mode| client.open_stream(handle, tag, mode).map(drop);
    for (tag, mode, code) in [
        (BINARY, 0, ErrorCode::NOT_FOUND),
        (BINARY, 1, ErrorCode::NOT_FOUND),
        (BINARY, 3, ErrorCode::NOT_FOUND),
        (BINARY, 9, ErrorCode::INVALID_PARAM),
        (PID_TAG_IMPORTANCE, 0, ErrorCode::NOT_SUPPORTED),
        (
            PID_TAG_IMPORTANCE.with_type(PropType::BINARY),
            0,
            ErrorCode::NOT_FOUND,
        ),
        (PID_TAG_SOURCE_KEY, CREATE, ErrorCode::ACCESS_DENIED),
    ] {
        assert_eq!(
            open(&mut client, message, tag, mode),
            Err(code),
            "{tag:?} {mode}"
        );
    }
    let logon = client.logon;
    assert_eq!(
        open(&mut client, logon, BINARY, CREATE),
        Err(ErrorCode::NOT_SUPPORTED)
    );
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    assert_eq!(
        open(&mut client, stream, BINARY, 0),
        Err(ErrorCode::NOT_SUPPORTED)
    );
    let id = client.save(message, 1).unwrap();
    // What the server computes can be read.
    let message = client.open_message(id, 0);
    let (stream, length) = client.open_stream(message, PID_TAG_ENTRY_ID, 0).unwrap();
    assert_eq!((length, client.read(stream, 100).unwrap().len()), (70, 70));
}

#[test]
fn what_is_written_is_seen_on_the_message_at_once_and_stored_by_its_save() {
    let mut client = Client::new();
    let id = client.saved(&[tagged(BINARY, PropValue::Binary(b"old".to_vec()))]);
    let message = client.open_message(id, 1);
    let (stream, length) = client.open_stream(message, BINARY, 1).unwrap();
    assert_eq!(length, 3);
    assert_eq!(client.write(stream, b"new value"), Ok(9));
    assert_eq!(client.get(message, BINARY), binary(b"new value"));
    client.seek(stream, 0, 0).unwrap();
    let body = WriteStreamRequest {
        data: b"NEW"[..].into(),
    };
    assert!(
        client
            .ask(stream, RequestBody::WriteAndCommitStream(body))
            .is_ok()
    );
    client.release(stream);
    let reader = client.open_message(id, 0);
    assert_eq!(client.get(reader, BINARY), binary(b"old"));
    client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    assert_eq!(client.get(reader, BINARY), binary(b"NEW value"));
    // Creating deletes what was there.
    let (_, length) = client.open_stream(message, BINARY, CREATE).unwrap();
    assert_eq!((length, client.get(message, BINARY)), (0, binary(b"")));
    // A large one is changed in its middle.
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    for _ in 0..8 {
        client.write(stream, &[7; 25_000]).unwrap();
    }
    client.save(message, 2).unwrap();
    client.release(stream);
    let (stream, length) = client.open_stream(message, BINARY, 1).unwrap();
    assert_eq!(length, 200_000);
    client.seek(stream, 0, 100_000).unwrap();
    client.write(stream, b"middle").unwrap();
    client.save(message, 2).unwrap();
    client.seek(stream, 0, 50_000).unwrap();
    client.write(stream, b"later").unwrap();
    client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    let (stream, length) = client.open_stream(reader, BINARY, 0).unwrap();
    assert_eq!(length, 200_000);
    for (at, expected) in [(99_999, &b"\x07middle\x07"[..]), (50_000, b"later\x07")] {
        client.seek(stream, 0, at).unwrap();
        assert_eq!(
            client.read(stream, expected.len() as u16).unwrap(),
            expected
        );
    }
}

#[test]
fn text_is_streamed_without_terminator_in_the_form_asked_for() {
    let mut client = Client::new();
    let id = client.saved(&[text(PID_TAG_BODY, "Zoë")]);
    let message = client.open_message(id, 1);
    let (stream, length) = client.open_stream(message, PID_TAG_BODY, 0).unwrap();
    assert_eq!(
        (length, client.read(stream, 99).unwrap()),
        (6, b"Z\0o\0\xEB\0".to_vec())
    );
    let eight_bit = PID_TAG_BODY.with_type(PropType::STRING8);
    let (stream, length) = client.open_stream(message, eight_bit, 1).unwrap();
    assert_eq!(
        (length, client.read(stream, 99).unwrap()),
        (3, b"Zo\xEB".to_vec())
    );
    client.write(stream, b" \x80").unwrap();
    assert_eq!(
        client.get(message, PID_TAG_BODY),
        Ok(PropValue::text("Zoë €"))
    );
    // A large one, both ways.
    let (stream, _) = client.open_stream(message, eight_bit, CREATE).unwrap();
    for _ in 0..5 {
        client.write(stream, &[0xE9; 20_000]).unwrap();
    }
    client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    assert_eq!(
        client.get(reader, PID_TAG_BODY),
        Err(ErrorCode::NOT_ENOUGH_MEMORY)
    );
    let (stream, length) = client.open_stream(reader, PID_TAG_BODY, 0).unwrap();
    assert_eq!(
        (length, client.read(stream, 4).unwrap()),
        (200_000, b"\xE9\0\xE9\0".to_vec())
    );
    let (stream, length) = client.open_stream(reader, eight_bit, 3).unwrap();
    assert_eq!(
        (length, client.read(stream, 2).unwrap()),
        (100_000, b"\xE9\xE9".to_vec())
    );
    assert_eq!(
        client.write(stream, b"x"),
        Err(STREAM_ACCESS_DENIED),
        "best access is reading"
    );
    // The subject's parts follow its stream.
    let (stream, _) = client
        .open_stream(message, PID_TAG_SUBJECT, CREATE)
        .unwrap();
    client.write(stream, b"R\0E\0:\0 \0x\0").unwrap();
    assert_eq!(
        client.get(message, PID_TAG_NORMALIZED_SUBJECT),
        Ok(PropValue::text("x"))
    );
}

#[test]
fn html_streams_as_bytes_or_as_text() {
    let mut client = Client::new();
    let message = client.create_message();
    client
        .set(
            message,
            &[tagged(PID_TAG_HTML, PropValue::Binary("é".into()))],
        )
        .unwrap();
    let (stream, length) = client.open_stream(message, PID_TAG_BODY_HTML, 0).unwrap();
    assert_eq!(
        (length, client.read(stream, 9).unwrap()),
        (2, b"\xE9\0".to_vec())
    );
    let (stream, length) = client.open_stream(message, PID_TAG_HTML, 0).unwrap();
    assert_eq!(
        (length, client.read(stream, 9).unwrap()),
        (2, "é".as_bytes().to_vec())
    );
}

#[test]
fn a_folder_takes_the_value_at_a_commit_or_at_the_release() {
    let mut client = Client::new();
    let folder = client.open_folder(INBOX);
    let (stream, _) = client.open_stream(folder, BINARY, CREATE).unwrap();
    client.write(stream, b"one").unwrap();
    assert_eq!(client.get(folder, BINARY), Err(ErrorCode::NOT_FOUND));
    assert_eq!(commit(&mut client, stream), Ok(()));
    assert_eq!(client.get(folder, BINARY), binary(b"one"));
    client.write(stream, b" two").unwrap();
    client.release(stream);
    let mut other = client.other();
    let seen = other.open_folder(INBOX);
    assert_eq!(other.get(seen, BINARY), binary(b"one two"));
    // Values that a row does not have are read by a stream.
    let (stream, _) = client.open_stream(folder, BINARY, CREATE).unwrap();
    for _ in 0..5 {
        client.write(stream, &[9; 20_000]).unwrap();
    }
    commit(&mut client, stream).unwrap();
    assert_eq!(
        client.get(folder, BINARY),
        Err(ErrorCode::NOT_ENOUGH_MEMORY)
    );
    assert_eq!(
        client
            .open_stream(folder, BINARY, 0)
            .map(|(_, length)| length),
        Ok(100_000)
    );
    set_size(&mut client, stream, 5 << 20).unwrap();
    assert_eq!(commit(&mut client, stream), Err(ErrorCode::TOO_BIG));
    // With the logon, its streams are released.
    let (stream, _) = client
        .open_stream(folder, PropTag(0x6802_0102), CREATE)
        .unwrap();
    client.write(stream, b"last").unwrap();
    client.release(client.logon);
    assert_eq!(other.get(seen, PropTag(0x6802_0102)), binary(b"last"));
}

#[test]
fn a_stream_outlives_its_message_without_harm() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    client.release(message);
    assert_eq!(client.write(stream, b"abc"), Ok(3));
    assert_eq!(commit(&mut client, stream), Ok(()));
    client.release(stream);
    assert_eq!(client.write(stream, b"abc"), Err(ErrorCode::INVALID_OBJECT));
}

#[test]
fn a_maximum_byte_count_without_meaning_fails_the_call() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    let read = |client: &mut Client, count| {
        let body = ReadStreamRequest {
            byte_count: SIZE_FOLLOWS,
            maximum_byte_count: Some(count),
        };
        client
            .send_with_room(&mut [stream], 0, RequestBody::ReadStream(body), 0x8000)
            .map(drop)
    };
    assert_eq!(read(&mut client, 0x8000_0000), Ok(()));
    assert_eq!(read(&mut client, 0x8000_0001), Err(ErrorCode::RPC_FORMAT));
}

#[test]
fn a_stream_cannot_change_a_message_that_a_save_left_read_only() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    client.write(stream, b"abc").unwrap();
    client.save(message, 1).unwrap();
    assert_eq!(client.write(stream, b"def"), Err(STREAM_ACCESS_DENIED));
    assert_eq!(client.get(message, BINARY), binary(b"abc"));
}

#[test]
fn nothing_is_saved_without_what_was_written_to_a_stream() {
    const MAX: usize = 4 << 20;
    const SECOND: PropTag = PropTag(0x6802_0102);
    let owner = Client::new();
    let pool = Arc::new(Pool::new(MAX));
    let mut client = owner.within(&pool);
    let message = client.create_message();
    let (first, _) = client.open_stream(message, BINARY, CREATE).unwrap();
    client.write(first, b"one").unwrap();
    let (second, _) = client.open_stream(message, SECOND, CREATE).unwrap();
    client.write(second, b"two").unwrap();
    client.write(first, b" and one").unwrap();
    // Others take what there is.
    let others = Budget::within(Arc::clone(&pool));
    let mut rest = others.share();
    rest.resize(MAX - pool.used()).unwrap();
    for _ in 0..2 {
        assert_eq!(client.save(message, 2), Err(ErrorCode::NOT_ENOUGH_MEMORY));
    }
    // A write that there is no room for has not been done.
    assert_eq!(
        client.write(second, &[0; 30_000]),
        Err(ErrorCode::NOT_ENOUGH_MEMORY)
    );
    assert_eq!(size(&mut client, second), 3);
    drop(rest);
    let id = client.save(message, 2).unwrap();
    let mut other = owner.other();
    let seen = other.open_message(id, 0);
    assert_eq!(other.get(seen, BINARY), binary(b"one and one"));
    assert_eq!(other.get(seen, SECOND), binary(b"two"));
}

#[test]
fn a_stream_of_text_grows_no_longer_than_can_be_converted() {
    let mut client = Client::new();
    let message = client.create_message();
    let body = PID_TAG_BODY.with_type(PropType::STRING8);
    let (stream, _) = client.open_stream(message, body, CREATE).unwrap();
    assert_eq!(
        set_size(&mut client, stream, (16 << 20) + 1),
        Err(ErrorCode::TOO_BIG)
    );
    client.write(stream, b"short").unwrap();
    assert_eq!(
        client.get(message, PID_TAG_BODY),
        Ok(PropValue::text("short"))
    );
}

#[test]
fn a_stream_makes_no_property_that_cannot_be_set() {
    let mut client = Client::new();
    let id = client.saved(&[]);
    let message = client.open_message(id, 1);
    let flags = client.get(message, PID_TAG_MESSAGE_FLAGS);
    for (tag, code) in [
        (0x0000_0102, ErrorCode::INVALID_PARAM),
        (0xFFFF_0102, ErrorCode::INVALID_PARAM),
        (0xF123_0102, ErrorCode::UNREGISTERED_NAME_PROP),
        (0x0E07_0102, ErrorCode::ACCESS_DENIED),
        (0x0E17_0102, ErrorCode::ACCESS_DENIED),
    ] {
        let opened = client.open_stream(message, PropTag(tag), CREATE);
        assert_eq!(opened, Err(code), "{tag:#x}");
    }
    client.save(message, 2).unwrap();
    assert_eq!(client.get(message, PID_TAG_MESSAGE_FLAGS), flags);
}

#[test]
fn text_of_an_odd_number_of_bytes_loses_the_last_however_it_was_written() {
    let mut client = Client::new();
    let message = client.create_message();
    let letters = b"a\0b\0c";
    for once in [5, 100_000] {
        let (stream, _) = client.open_stream(message, PID_TAG_BODY, CREATE).unwrap();
        // A stream that was long once is not kept as a short one is.
        set_size(&mut client, stream, once).unwrap();
        set_size(&mut client, stream, 5).unwrap();
        client.seek(stream, 0, 0).unwrap();
        client.write(stream, letters).unwrap();
        assert_eq!(client.get(message, PID_TAG_BODY), Ok(PropValue::text("ab")));
        let (stream, _) = client.open_stream(message, PID_TAG_BODY, 1).unwrap();
        set_size(&mut client, stream, 70_001).unwrap();
        commit(&mut client, stream).unwrap();
        let (_, length) = client.open_stream(message, PID_TAG_BODY, 0).unwrap();
        assert_eq!(length, 70_000);
    }
}
