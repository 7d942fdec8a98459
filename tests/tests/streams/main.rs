//! Streams (MS-OXCPRPT 3.2.5.11 to 3.2.5.18).

mod packed;
mod shared;

use ropewalk_tests::{
    client::{CHAIN, Cells as _, Client, Handle, Logon, Rop},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};

const READ: u8 = 0;
const READ_WRITE: u8 = 1;
const CREATE: u8 = 2;
const BEST_ACCESS: u8 = 3;
const BEGINNING: u8 = 0;
const CURRENT: u8 = 1;
const END: u8 = 2;

fn message() -> (Client, Logon, Handle, u64, Handle, u64) {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "streamed");
    (client, logon, folder, folder_id, message, id)
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_stream_of_a_property_that_is_not_there_has_to_be_created() {
    let (mut client, _, _, _, message, _) = message();
    for mode in [READ, READ_WRITE, BEST_ACCESS] {
        fails(
            client.open_stream(message, tag::HTML, mode),
            code::NOT_FOUND,
        );
    }
    let (stream, size) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    assert_eq!(size, 0);
    assert_eq!(client.write_stream(stream, b"<p>").unwrap(), 3);
    assert_eq!(client.stream_size(stream).unwrap(), 3);
    client.commit_stream(stream).unwrap();
    assert_eq!(
        client.get_props(message, &[tag::HTML]).unwrap().binary(0),
        b"<p>"
    );
    // Create starts empty, whatever was there.
    let (_, size) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    assert_eq!(size, 0);
}

#[test]
fn a_stream_reads_the_value_from_its_beginning() {
    let (mut client, _, _, _, message, _) = message();
    client
        .set_props(message, &[(tag::BODY, text("twelve fathoms"))])
        .unwrap();
    let (stream, size) = client.open_stream(message, tag::BODY, READ).unwrap();
    // MS-OXCPRPT 2.2.14: a PtypString is a stream of UTF-16LE.
    assert_eq!(size, 28);
    assert_eq!(
        client.read_stream_once(stream, 12, None).unwrap(),
        utf16("twelve")
    );
    assert_eq!(
        client.read_stream_once(stream, 0xFFFF, None).unwrap(),
        utf16(" fathoms")
    );
    assert!(client.read_stream_once(stream, 5, None).unwrap().is_empty());
    assert!(client.read_stream_once(stream, 0, None).unwrap().is_empty());
}

#[test]
fn maximum_byte_count_counts_when_byte_count_is_babe() {
    let (mut client, _, _, _, message, _) = message();
    client
        .write_property_stream(message, tag::HTML, &[7; 90_000])
        .unwrap();
    let (stream, _) = client.open_stream(message, tag::HTML, READ).unwrap();
    let some = client.read_stream_once(stream, 0xBABE, Some(10)).unwrap();
    assert_eq!(some.len(), 10);
    let more = client
        .read_stream_once(stream, 0xBABE, Some(0x8000_0000))
        .unwrap();
    assert!(!more.is_empty() && more.len() < 0x8000, "{}", more.len());
    assert_eq!(
        client.seek_stream(stream, CURRENT, 0).unwrap(),
        10 + more.len() as u64
    );
    // MS-OXCROPS 2.2.9.2.1: a larger MaximumByteCount fails the call.
    fails(
        client.read_stream_once(stream, 0xBABE, Some(0x8000_0001)),
        code::RPC_FORMAT,
    );
    client.read_stream_once(stream, 1, None).unwrap();
}

// MS-OXCRPC 3.1.4.2.1.2: with the Chain flag a server may answer with more buffers than one.
#[test]
fn a_chained_read_returns_every_byte_once_and_in_order() {
    let (mut client, _, _, _, message, _) = message();
    let data: Vec<u8> = (0..200_000_u32).map(|i| (i / 7) as u8).collect();
    client
        .write_property_stream(message, tag::HTML, &data)
        .unwrap();
    let (stream, _) = client.open_stream(message, tag::HTML, READ).unwrap();
    client.flags |= CHAIN;
    client.max_rop_out = 0x4_0000;
    let mut read = Vec::new();
    while read.len() < data.len() {
        let some = client
            .read_stream_once(stream, 0xBABE, Some(0x4_0000))
            .unwrap();
        assert!(!some.is_empty());
        read.extend(some);
    }
    assert!(read == data);
    assert!(
        client
            .read_stream_once(stream, 0xBABE, Some(9))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_is_written_is_seen_at_once_on_the_handle_and_stored_by_the_save() {
    let (mut client, logon, _, folder_id, message, id) = message();
    let (stream, _) = client.open_stream(message, tag::BODY, CREATE).unwrap();
    client.write_all(stream, &utf16("one")).unwrap();
    let row = client.get_props(message, &[tag::BODY]).unwrap();
    assert_eq!(row.text(0), "one");
    client.commit_stream(stream).unwrap();
    client.release(stream).unwrap();
    let (mut other, other_logon) = ada();
    let theirs = other
        .open_message(other_logon.handle, folder_id, id, 0)
        .unwrap();
    assert_eq!(
        other
            .get_props(theirs.handle, &[tag::BODY])
            .unwrap()
            .error(0),
        code::NOT_FOUND
    );
    client.save_message(message).unwrap();
    let theirs = other
        .open_message(other_logon.handle, folder_id, id, 0)
        .unwrap();
    let row = other.get_props(theirs.handle, &[tag::BODY]).unwrap();
    assert_eq!(row.text(0), "one");
    assert_ne!(logon.handle, 0xFFFF_FFFF);
}

#[test]
fn writing_overwrites_in_place_and_appends_at_the_end() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    client.write_all(stream, b"0123456789").unwrap();
    assert_eq!(client.seek_stream(stream, BEGINNING, 3).unwrap(), 3);
    client.write_all(stream, b"abc").unwrap();
    assert_eq!(client.seek_stream(stream, CURRENT, 0).unwrap(), 6);
    assert_eq!(client.seek_stream(stream, END, -1).unwrap(), 9);
    client.write_all(stream, b"XYZ").unwrap();
    client.seek_stream(stream, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(stream).unwrap(), b"012abc678XYZ");
}

#[test]
fn a_stream_grows_with_zeros_and_shrinks_from_its_end() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    client.write_all(stream, b"abcdef").unwrap();
    client.set_stream_size(stream, 3).unwrap();
    assert_eq!(client.stream_size(stream).unwrap(), 3);
    client.set_stream_size(stream, 6).unwrap();
    client.seek_stream(stream, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(stream).unwrap(), b"abc\0\0\0");
    // MS-OXCPRPT 3.2.5.18: past the end the stream is extended with zeros.
    assert_eq!(client.seek_stream(stream, END, 2).unwrap(), 8);
    client.write_all(stream, b"z").unwrap();
    client.seek_stream(stream, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(stream).unwrap(), b"abc\0\0\0\0\0z");
}

#[test]
fn seeking_out_of_range_fails_and_moves_nothing() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    client.write_all(stream, b"abc").unwrap();
    for (origin, offset) in [
        (BEGINNING, -1),
        (CURRENT, -4),
        (END, -4),
        (BEGINNING, 0x8000_0001),
        (BEGINNING, i64::MAX),
        (CURRENT, i64::MAX),
        (END, i64::MIN),
    ] {
        fails(
            client.seek_stream(stream, origin, offset),
            code::STREAM_SEEK_ERROR,
        );
    }
    for origin in [3, 0xFF] {
        fails(
            client.seek_stream(stream, origin, 0),
            code::STREAM_INVALID_PARAM,
        );
    }
    assert_eq!(client.seek_stream(stream, CURRENT, 0).unwrap(), 3);
    assert_eq!(client.stream_size(stream).unwrap(), 3);
}

#[test]
fn a_stream_for_reading_cannot_be_written() {
    let (mut client, _, _, _, message, _) = message();
    client
        .set_props(message, &[(tag::BODY, text("as it is"))])
        .unwrap();
    let (stream, _) = client.open_stream(message, tag::BODY, READ).unwrap();
    fails(
        client.write_stream(stream, b"x"),
        code::STREAM_ACCESS_DENIED,
    );
    assert_eq!(client.read_stream(stream).unwrap(), utf16("as it is"));
    // MS-OXCROPS 2.2.9.3.2: WrittenSize follows a failure too, and 2.2.9.2.2 DataSize.
    let payload = client
        .execute(&[Rop::new(0x2D, 0).sized(b"x")], &[stream])
        .unwrap();
    assert_eq!(payload.rops.len(), 8);
    assert_eq!(payload.rops[6..], [0, 0]);
    let payload = client
        .execute(&[Rop::new(0x2C, 0).u16(9)], &[message])
        .unwrap();
    assert_eq!(payload.rops.len(), 8, "{:02x?}", payload.rops);
    assert_eq!(payload.rops[6..], [0, 0]);
}

#[test]
fn stream_rops_refuse_what_is_no_stream_and_streams_what_they_cannot_be_of() {
    let (mut client, logon, folder, _, message, _) = message();
    for object in [logon.handle, folder, message] {
        assert!(client.read_stream_once(object, 1, None).is_err());
        assert!(client.write_stream(object, b"x").is_err());
        assert!(client.commit_stream(object).is_err());
        assert!(client.stream_size(object).is_err());
        assert!(client.set_stream_size(object, 1).is_err());
        assert!(client.seek_stream(object, BEGINNING, 0).is_err());
    }
    // MS-OXCPRPT 3.2.5.11: a table has no streams.
    let (table, _) = client.contents_table(folder, 0).unwrap();
    fails(
        client.open_stream(table, tag::HTML, READ),
        code::NOT_SUPPORTED,
    );
}

// MS-OXCPRPT 3.2.5.13.
#[test]
fn a_folder_stream_is_stored_by_commit_or_release() {
    let (mut client, _, folder, folder_id, _, _) = message();
    let (mut other, other_logon) = ada();
    let theirs = other.open_folder(other_logon.handle, folder_id).unwrap();
    let property = 0x36DF_0102;
    let (stream, _) = client.open_stream(folder, property, CREATE).unwrap();
    client.write_all(stream, b"views").unwrap();
    client.commit_stream(stream).unwrap();
    let row = other.get_props(theirs, &[property]).unwrap();
    assert_eq!(row.binary(0), b"views");
    client.write_all(stream, b" more").unwrap();
    client.release(stream).unwrap();
    let row = other.get_props(theirs, &[property]).unwrap();
    assert_eq!(row.binary(0), b"views more");
}

#[test]
fn a_stream_too_large_for_a_message_is_refused_and_takes_no_memory() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    for size in [0x8000_0001, u64::from(u32::MAX), u64::MAX] {
        assert!(client.set_stream_size(stream, size).is_err(), "{size:#x}");
    }
    assert_eq!(client.stream_size(stream).unwrap(), 0);
    client.write_all(stream, b"fine").unwrap();
}

#[test]
fn a_large_body_is_read_and_written_in_parts() {
    let (mut client, _, folder, folder_id, message, id) = message();
    let body = "Tauwerk \u{2693} ".repeat(20_000);
    client
        .write_property_stream(message, tag::BODY, &utf16(&body))
        .unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    let read = client
        .read_property_stream(opened.handle, tag::BODY)
        .unwrap();
    assert!(read == utf16(&body));
    let row = client.get_props(opened.handle, &[tag::BODY]).unwrap();
    let error = row.error(0);
    assert!(
        [code::MEMORY, code::TOO_BIG].contains(&error),
        "{error:#010x}"
    );
}
