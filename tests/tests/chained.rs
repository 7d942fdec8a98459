//! Chained responses: with the Chain flag, the last ROP of a request goes on in further extended
//! buffers (MS-OXCRPC 3.1.4.2.1.2 and 4.3).

use ropewalk_tests::{
    client::{
        CHAIN, Client, Handle, Rop,
        framing::{self, Payload},
    },
    fixture::{ada, new_folder, new_message, tag, text},
};

/// The Flags of RPC_HEADER_EXT: the last extended buffer (MS-OXCRPC 2.2.2.1).
const LAST: u16 = 0x4;
const READ: u8 = 0;
const SIZE_FOLLOWS: u16 = 0xBABE;

fn read_all() -> Rop {
    Rop::new(0x2C, 0).u16(SIZE_FOLLOWS).u32(0x7FFF_FFFF)
}

/// A stream of `len` bytes, and the bytes.
fn stream(len: u32) -> (Client, Handle, Handle, Vec<u8>) {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "chained");
    let data: Vec<u8> = (0..len).map(|i| (i / 7 % 251) as u8).collect();
    client
        .write_property_stream(message, tag::HTML, &data)
        .unwrap();
    let (stream, _) = client.open_stream(message, tag::HTML, READ).unwrap();
    client.max_rop_out = 0x4_0000;
    (client, message, stream, data)
}

/// The extended buffers of the response, and the bytes of all of them.
fn execute(client: &mut Client, rops: &[Rop], handles: &[Handle]) -> (Vec<Payload>, usize) {
    let rops: Vec<u8> = rops
        .iter()
        .flat_map(|rop| rop.as_bytes())
        .copied()
        .collect();
    let payload = framing::rop_buffer(&rops, handles);
    let buffer = client
        .execute_raw(&framing::extended_buffer(&payload, client.form))
        .unwrap();
    (framing::output_buffers(&buffer).unwrap(), buffer.len())
}

/// The data of one RopReadStream response.
fn data_of(rops: &[u8]) -> &[u8] {
    assert_eq!(rops[..6], [0x2C, 0, 0, 0, 0, 0]);
    let size = usize::from(u16::from_le_bytes([rops[6], rops[7]]));
    assert_eq!(rops.len(), 8 + size);
    &rops[8..]
}

fn all_data(payloads: &[Payload]) -> Vec<u8> {
    payloads
        .iter()
        .flat_map(|one| data_of(&one.rops))
        .copied()
        .collect()
}

#[test]
fn a_stream_comes_in_as_many_buffers_as_it_needs() {
    let (mut client, _, stream, data) = stream(200_000);
    client.flags |= CHAIN;
    let (payloads, _) = execute(&mut client, &[read_all()], &[stream]);
    assert_eq!(payloads.len(), 7);
    let (last, others) = payloads.split_last().unwrap();
    assert!(others.iter().all(|payload| payload.flags & LAST == 0));
    assert_eq!(last.flags & LAST, LAST);
    // Each buffer is a whole ROP output buffer.
    assert!(payloads.iter().all(|payload| payload.handles == [stream]));
    assert!(all_data(&payloads) == data);
    // Nothing is left, and nothing is chained to it.
    let (payloads, _) = execute(&mut client, &[read_all()], &[stream]);
    assert_eq!(payloads.len(), 1);
    assert!(all_data(&payloads).is_empty());
}

#[test]
fn no_more_comes_than_was_asked_for() {
    let (mut client, _, stream, data) = stream(200_000);
    client.flags |= CHAIN;
    let rop = Rop::new(0x2C, 0).u16(SIZE_FOLLOWS).u32(100_001);
    let (payloads, _) = execute(&mut client, &[rop], &[stream]);
    assert!(all_data(&payloads) == data[..100_001]);
    let (payloads, _) = execute(&mut client, &[Rop::new(0x2C, 0).u16(0xFFFF)], &[stream]);
    assert_eq!(payloads.len(), 3);
    assert!(all_data(&payloads) == data[100_001..165_536]);
}

#[test]
fn the_room_that_the_client_offers_is_never_exceeded() {
    for max_rop_out in [
        0x200, 0x8008, 0x8009, 0xA007, 0xA008, 0x1_0010, 0x1_8008, 0x4_0000,
    ] {
        let (mut client, _, stream, data) = stream(300_000);
        client.flags |= CHAIN;
        client.max_rop_out = max_rop_out;
        let mut read = Vec::new();
        while read.len() < data.len() {
            let (payloads, len) = execute(&mut client, &[read_all()], &[stream]);
            assert!(len <= max_rop_out as usize, "{len} of {max_rop_out}");
            // Less than 8 KB are left where the chain ends before the stream does.
            read.extend(all_data(&payloads));
            if read.len() < data.len() {
                assert!(
                    max_rop_out as usize - len < 0x2000,
                    "{len} of {max_rop_out}"
                );
            }
        }
        assert!(read == data);
    }
}

#[test]
fn nothing_is_chained_unless_the_client_says_so() {
    let (mut client, _, stream, data) = stream(100_000);
    let (payloads, _) = execute(&mut client, &[read_all()], &[stream]);
    assert_eq!(payloads.len(), 1);
    assert!(data.starts_with(&all_data(&payloads)));
}

#[test]
fn only_the_last_rop_goes_on() {
    let (mut client, message, stream, data) = stream(100_000);
    client.flags |= CHAIN;
    // RopGetStreamSize is last: one buffer.
    let size = Rop::new(0x5E, 0);
    let read = Rop::new(0x2C, 0).u16(1000);
    let (payloads, _) = execute(&mut client, &[read, size], &[stream]);
    assert_eq!(payloads.len(), 1);
    // RopReadStream is last, behind the ROP that opens its stream.
    let open = Rop::new(0x2B, 0).u8(1).u32(tag::HTML).u8(READ);
    let read = Rop::new(0x2C, 1).u16(SIZE_FOLLOWS).u32(0x7FFF_FFFF);
    let (payloads, _) = execute(&mut client, &[open, read], &[message, 0xFFFF_FFFF]);
    assert_eq!(payloads.len(), 4);
    let opened = payloads[0].handles[1];
    assert!(payloads.iter().all(|one| one.handles == [message, opened]));
    let mut all = payloads[0].rops[10 + 8..].to_vec();
    for more in &payloads[1..] {
        assert_eq!(more.rops[..2], [0x2C, 1]);
        all.extend(&more.rops[8..]);
    }
    assert!(all == data);
    // One that fails is answered once.
    let (payloads, _) = execute(&mut client, &[read_all()], &[message]);
    assert_eq!(payloads.len(), 1);
    assert_ne!(payloads[0].rops[2..6], [0; 4]);
}

/// A table of 600 rows of more than 300 bytes.
fn table() -> (Client, Handle) {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let long = "y".repeat(150);
    for i in 0..600 {
        let message = client.create_message(folder, folder_id).unwrap();
        client
            .set_props(message, &[(tag::SUBJECT, text(&format!("{i:03}{long}")))])
            .unwrap();
        client.save_message(message).unwrap();
        client.release(message).unwrap();
    }
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.flags |= CHAIN;
    client.max_rop_out = 0x4_0000;
    (client, table)
}

/// Origin and RowCount of RopQueryRows responses.
fn rows_of(payloads: &[Payload]) -> Vec<(u8, u16)> {
    let rops = payloads.iter().map(|one| &one.rops);
    rops.map(|rops| {
        assert_eq!(rops[..6], [0x15, 0, 0, 0, 0, 0]);
        (rops[6], u16::from_le_bytes([rops[7], rops[8]]))
    })
    .collect()
}

#[test]
fn rows_are_packed_where_both_flags_are_set() {
    const ENABLE_PACKED_BUFFERS: u8 = 0x02;
    const NO_ADVANCE: u8 = 0x01;
    let (mut client, table) = table();
    let query =
        |flags: u8, forward: u8, count: u16| Rop::new(0x15, 0).u8(flags).u8(forward).u16(count);
    // Less than 32 KB are left when the chain ends before the rows do.
    client.max_rop_out = 0x2_0000;
    let (payloads, len) = execute(
        &mut client,
        &[query(ENABLE_PACKED_BUFFERS, 1, 600)],
        &[table],
    );
    let rows = rows_of(&payloads);
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(0x2_0000 - len < 0x8000 && len <= 0x2_0000);
    let first: u16 = rows.iter().map(|(_, count)| count).sum();
    assert!(rows.iter().all(|(origin, _)| *origin == 1));
    let (payloads, _) = execute(
        &mut client,
        &[query(ENABLE_PACKED_BUFFERS, 1, 600)],
        &[table],
    );
    let rows = rows_of(&payloads);
    assert_eq!(rows.last().unwrap().0, 2);
    let second: u16 = rows.iter().map(|(_, count)| count).sum();
    assert_eq!(first + second, 600);
    // Backwards; no more rows than asked for.
    let (payloads, _) = execute(
        &mut client,
        &[query(ENABLE_PACKED_BUFFERS, 0, 250)],
        &[table],
    );
    let rows = rows_of(&payloads);
    assert_eq!(rows.iter().map(|(_, count)| count).sum::<u16>(), 250);
    assert!(rows.len() > 1);
    // Without the flag, or where the cursor stays, there is one buffer.
    client.seek_row(table, 0, 0, false).unwrap();
    for flags in [0, NO_ADVANCE, NO_ADVANCE | ENABLE_PACKED_BUFFERS] {
        let (payloads, _) = execute(&mut client, &[query(flags, 1, 600)], &[table]);
        assert_eq!(payloads.len(), 1, "{flags}");
    }
    client.flags &= !CHAIN;
    let (payloads, _) = execute(
        &mut client,
        &[query(ENABLE_PACKED_BUFFERS, 1, 600)],
        &[table],
    );
    assert_eq!(payloads.len(), 1);
}
