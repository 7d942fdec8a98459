//! Clones of streams, and regions that are locked (MS-OXCPRPT 2.2.24, 2.2.25, 2.2.27).

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, NO_HANDLE, Result, Rop},
    fixture::{ada, code, fails, new_folder, new_message, tag},
};

use crate::{BEGINNING, CREATE, CURRENT, READ, READ_WRITE};

const OTHERS_MAY_READ: u32 = 1;

/// RopCloneStream.
fn clone(client: &mut Client, stream: Handle) -> Result<Handle> {
    client
        .rop(&Rop::new(0x3B, 0).u8(1), &[stream, NO_HANDLE])?
        .handle(1)
}

fn region(
    client: &mut Client,
    id: u8,
    stream: Handle,
    (at, len, flags): (u64, u64, u32),
) -> Result<()> {
    let rop = Rop::new(id, 0).u64(at).u64(len).u32(flags);
    client.rop(&rop, &[stream])?.empty()
}

fn lock(client: &mut Client, stream: Handle, what: (u64, u64, u32)) -> Result<()> {
    region(client, 0x5B, stream, what)
}

fn unlock(client: &mut Client, stream: Handle, what: (u64, u64, u32)) -> Result<()> {
    region(client, 0x5C, stream, what)
}

/// A message, and a stream of its PidTagHtml with these bytes.
fn stream(bytes: &[u8]) -> (Client, Handle, Handle) {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "shared streams");
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    client.write_all(stream, bytes).unwrap();
    (client, message, stream)
}

#[test]
fn a_clone_has_the_same_bytes_and_a_position_of_its_own() {
    let (mut client, message, first) = stream(b"twelve fathoms");
    client.seek_stream(first, BEGINNING, 7).unwrap();
    let second = clone(&mut client, first).unwrap();
    assert_eq!(client.seek_stream(second, CURRENT, 0).unwrap(), 7);
    client.seek_stream(second, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream_once(second, 6, None).unwrap(), b"twelve");
    assert_eq!(
        client.read_stream_once(first, 100, None).unwrap(),
        b"fathoms"
    );
    assert_eq!(client.seek_stream(second, CURRENT, 0).unwrap(), 6);

    // What is written to one is read from the other, and from the message.
    client.seek_stream(second, BEGINNING, 0).unwrap();
    client.write_all(second, b"eleven").unwrap();
    client.seek_stream(first, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(first).unwrap(), b"eleven fathoms");
    let read = client.get_props(message, &[tag::HTML]).unwrap();
    assert_eq!(read.binary(0), b"eleven fathoms");
    client.set_stream_size(first, 3).unwrap();
    assert_eq!(client.stream_size(second).unwrap(), 3);

    // A clone of a clone is one of the same stream.
    let third = clone(&mut client, second).unwrap();
    client.set_stream_size(third, 2).unwrap();
    assert_eq!(client.stream_size(first).unwrap(), 2);
}

#[test]
fn a_clone_outlives_its_stream() {
    let (mut client, message, first) = stream(b"a coil of rope");
    let second = clone(&mut client, first).unwrap();
    client.seek_stream(second, BEGINNING, 2).unwrap();
    let third = clone(&mut client, second).unwrap();
    client.release(first).unwrap();
    assert_eq!(client.read_stream_once(second, 4, None).unwrap(), b"coil");
    client.write_all(third, b"hank").unwrap();
    client.release(second).unwrap();
    client.seek_stream(third, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(third).unwrap(), b"a hank of rope");
    client.release(third).unwrap();
    let read = client.get_props(message, &[tag::HTML]).unwrap();
    assert_eq!(read.binary(0), b"a hank of rope");
}

#[test]
fn a_clone_of_what_may_only_be_read_may_only_be_read() {
    let (mut client, message, first) = stream(b"read only");
    client.release(first).unwrap();
    let (stream, _) = client.open_stream(message, tag::HTML, READ).unwrap();
    let second = clone(&mut client, stream).unwrap();
    fails(
        client.write_stream(second, b"x"),
        code::STREAM_ACCESS_DENIED,
    );
    assert_eq!(client.read_stream(second).unwrap(), b"read only");
    fails(clone(&mut client, message), code::NOT_SUPPORTED);
}

#[test]
fn large_streams_are_copied_between_their_clones() {
    let bytes: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut client, _, first) = stream(&bytes);
    let second = clone(&mut client, first).unwrap();
    client.seek_stream(first, BEGINNING, 0).unwrap();
    client.seek_stream(second, BEGINNING, 200_000).unwrap();
    let copy = Rop::new(0x3A, 0).u8(1).u64(u64::MAX);
    client.rop(&copy, &[first, second]).unwrap();
    assert_eq!(client.stream_size(first).unwrap(), 400_000);
    client.seek_stream(first, BEGINNING, 200_000).unwrap();
    assert_eq!(client.read_stream(first).unwrap(), bytes);
}

#[test]
fn a_locked_region_is_for_the_one_that_locked_it() {
    let (mut client, _, first) = stream(b"0123456789");
    let second = clone(&mut client, first).unwrap();
    lock(&mut client, first, (2, 4, 0)).unwrap();
    for (at, readable) in [(0, true), (1, false), (5, false), (6, true)] {
        client.seek_stream(second, BEGINNING, at).unwrap();
        match client.read_stream_once(second, 2, None) {
            Ok(bytes) => assert!(readable && bytes.len() == 2, "{at}"),
            Err(error) => assert_eq!((readable, error.code()), (false, code::ACCESS_DENIED)),
        }
        client.seek_stream(second, BEGINNING, at).unwrap();
        let written = client.write_stream(second, b"xx");
        assert_eq!(written.is_ok(), readable, "{at}");
    }
    fails(client.set_stream_size(second, 4), code::ACCESS_DENIED);
    // Nor does it grow into one, by its size or by a seek (MS-OXCPRPT 3.2.5.18).
    lock(&mut client, first, (12, 2, 0)).unwrap();
    fails(client.set_stream_size(second, 13), code::ACCESS_DENIED);
    fails(
        client.seek_stream(second, BEGINNING, 13),
        code::ACCESS_DENIED,
    );
    assert_eq!(client.seek_stream(second, BEGINNING, 12).unwrap(), 12);
    assert_eq!(client.seek_stream(first, BEGINNING, 14).unwrap(), 14);
    client.set_stream_size(first, 10).unwrap();
    unlock(&mut client, first, (12, 2, 0)).unwrap();
    // Its holder may.
    client.seek_stream(first, BEGINNING, 2).unwrap();
    client.write_all(first, b"abcd").unwrap();
    // Nobody locks what is locked, and only who locked it unlocks it (MS-OXCPRPT 3.2.5.22).
    for (handle, what) in [(first, (5, 9, 0)), (second, (0, 3, 1)), (second, (2, 4, 0))] {
        fails(lock(&mut client, handle, what), code::ACCESS_DENIED);
    }
    unlock(&mut client, second, (2, 4, 0)).unwrap();
    unlock(&mut client, first, (6, 4, 0)).unwrap();
    fails(lock(&mut client, second, (2, 4, 0)), code::ACCESS_DENIED);
    unlock(&mut client, first, (2, 4, 0)).unwrap();
    // What is not locked is unlocked all the same.
    unlock(&mut client, first, (2, 4, 0)).unwrap();
    client.seek_stream(second, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(second).unwrap().len(), 10);
}

// MS-OXCPRPT 2.2.25.1, 3.2.5.22.
#[test]
fn unlocking_frees_every_lock_of_its_holder_that_is_in_the_region() {
    let (mut client, _, first) = stream(b"0123456789");
    let second = clone(&mut client, first).unwrap();
    lock(&mut client, first, (0, 4, 0)).unwrap();
    lock(&mut client, second, (4, 2, 0)).unwrap();
    lock(&mut client, first, (6, 4, OTHERS_MAY_READ)).unwrap();
    // Some of two of its own, one of another in between, and LockFlags of neither.
    unlock(&mut client, first, (3, 4, 0xFFFF_FFFE)).unwrap();
    fails(lock(&mut client, first, (5, 1, 0)), code::ACCESS_DENIED);
    lock(&mut client, second, (0, 4, 0)).unwrap();
    lock(&mut client, second, (6, 4, 0)).unwrap();
}

#[test]
fn a_lock_can_let_others_read_and_goes_with_its_holder() {
    let (mut client, message, first) = stream(b"0123456789");
    let second = clone(&mut client, first).unwrap();
    lock(&mut client, first, (0, u64::MAX, OTHERS_MAY_READ)).unwrap();
    client.seek_stream(second, BEGINNING, 0).unwrap();
    assert_eq!(client.read_stream(second).unwrap(), b"0123456789");
    fails(client.write_stream(second, b"x"), code::ACCESS_DENIED);
    client.release(first).unwrap();
    client.write_all(second, b"x").unwrap();
    fails(lock(&mut client, message, (0, 1, 0)), code::NOT_SUPPORTED);
    fails(unlock(&mut client, message, (0, 1, 0)), code::NOT_SUPPORTED);
}

#[test]
fn a_stream_has_so_many_locks_and_no_more() {
    let (mut client, message, first) = stream(b"0123456789");
    client.release(first).unwrap();
    let (stream, _) = client.open_stream(message, tag::HTML, READ_WRITE).unwrap();
    let locked = (0..300).map(|at| lock(&mut client, stream, (at, 1, 0)));
    assert_eq!(locked.take_while(Result::is_ok).count(), 256);
    fails(lock(&mut client, stream, (1000, 1, 0)), code::MEMORY);
}
