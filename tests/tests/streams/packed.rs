//! RopWriteStreamExtended over several extended buffers of one request (MS-OXCRPC 3.1.4.2.1.2.1).

use ropewalk_tests::client::{Result, framing};

use super::*;

const NO_HANDLE: Handle = Handle::MAX;
const RPC_FORMAT: u32 = 0x0000_04B6;
/// Of RPC_HEADER_EXT.
const LAST: u16 = 0x0004;

fn write(handle_index: u8, data: &[u8]) -> Rop {
    Rop::new(0xA3, handle_index).sized(data)
}

/// A RopBuffer of these payloads, the flag Last on the last.
fn buffer(payloads: &[(Vec<Rop>, framing::InputForm)], handles: &[Handle]) -> Vec<u8> {
    let mut all = Vec::new();
    for (at, (rops, form)) in payloads.iter().enumerate() {
        let rops: Vec<u8> = rops
            .iter()
            .flat_map(|rop| rop.as_bytes().to_vec())
            .collect();
        let mut one = framing::extended_buffer(&framing::rop_buffer(&rops, handles), *form);
        if at + 1 < payloads.len() {
            let flags = u16::from_le_bytes([one[2], one[3]]) & !LAST;
            one[2..4].copy_from_slice(&flags.to_le_bytes());
        }
        all.extend(one);
    }
    all
}

fn plain(payloads: Vec<Vec<Rop>>) -> Vec<(Vec<Rop>, framing::InputForm)> {
    let form = framing::InputForm::default();
    payloads.into_iter().map(|rops| (rops, form)).collect()
}

/// The responses to the one buffer that is executed.
fn execute(client: &mut Client, buffer: &[u8]) -> Result<Vec<u8>> {
    let response = client.execute_raw(buffer)?;
    let mut buffers = framing::output_buffers(&response)?;
    assert_eq!(buffers.len(), 1);
    Ok(buffers.remove(0).rops)
}

fn content(client: &mut Client, stream: Handle) -> Vec<u8> {
    client.seek_stream(stream, BEGINNING, 0).unwrap();
    client.read_stream(stream).unwrap()
}

#[test]
fn one_write_comes_in_many_buffers() {
    let (mut client, _, _, _, message, _) = message();
    let data: Vec<u8> = (0..240_000_u32).map(|n| (n % 251) as u8).collect();
    let forms = [(false, false), (true, false), (false, true), (true, true)];
    let mut payloads: Vec<_> = data
        .chunks(30_000)
        .zip(forms.into_iter().cycle())
        .map(|(piece, (compress, xor))| {
            (vec![write(1, piece)], framing::InputForm { compress, xor })
        })
        .collect();
    assert_eq!(payloads.len(), 8);
    // Behind the ROP that opens the stream.
    let open = Rop::new(0x2B, 0).u8(1).u32(tag::HTML).u8(CREATE);
    payloads[0].0.insert(0, open);
    let response = buffer(&payloads, &[message, NO_HANDLE]);
    let response = client.execute_raw(&response).unwrap();
    let mut output = framing::output_buffers(&response).unwrap();
    assert_eq!(output.len(), 1);
    let output = output.remove(0);
    let written = [&[0xA3, 1, 0, 0, 0, 0][..], &240_000_u32.to_le_bytes()].concat();
    assert_eq!(output.rops[output.rops.len() - 10..], written);
    let stream = output.handles[1];
    assert_eq!(content(&mut client, stream), data);
    client.commit_stream(stream).unwrap();
    // Written on at the position, with nothing in one of the pieces.
    let more = plain(vec![
        vec![write(0, b"a")],
        vec![write(0, b"")],
        vec![write(0, b"bc")],
    ]);
    let response = execute(&mut client, &buffer(&more, &[stream])).unwrap();
    assert_eq!(response, [0xA3, 0, 0, 0, 0, 0, 3, 0, 0, 0]);
    assert_eq!(content(&mut client, stream)[240_000..], *b"abc");
}

#[test]
fn a_packed_write_fails_as_one() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::SUBJECT, READ).unwrap();
    let packed = plain(vec![vec![write(0, b"ab")], vec![write(0, b"cd")]]);
    let response = execute(&mut client, &buffer(&packed, &[stream])).unwrap();
    assert_eq!(response[..2], [0xA3, 0]);
    assert_ne!(response[2..6], [0; 4]);
    assert_eq!(response[6..], [0; 4], "nothing is written");
    assert_eq!(content(&mut client, stream), utf16("streamed"));
}

#[test]
fn nothing_else_is_packed() {
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    let one = || vec![write(0, b"one")];
    let other = Rop::new(0x2D, 0).sized(b"other");
    let status = Rop::new(0x5E, 0);
    let wrong = [
        plain(vec![one(), vec![other.clone()]]),
        plain(vec![vec![other], one()]),
        plain(vec![vec![write(0, b"one"), status], one()]),
        plain(vec![one(), vec![]]),
        plain(vec![vec![], one()]),
        plain(vec![one(), vec![write(0, b"two"), write(0, b"three")]]),
        plain(vec![one(), vec![write(1, b"two")]]),
        plain(vec![one(), vec![write(0, b"two").logon_id(1)]]),
    ];
    let mut buffers: Vec<_> = wrong
        .iter()
        .map(|payloads| buffer(payloads, &[stream, stream]))
        .collect();
    let good = buffer(&plain(vec![one(), one()]), &[stream]);
    // Last where it is not, and not where it is.
    for (at, is_last) in [(2, true), (good.len() / 2 + 2, false)] {
        let mut wrong = good.clone();
        let flags = if is_last { LAST } else { 0 };
        wrong[at..at + 2].copy_from_slice(&flags.to_le_bytes());
        buffers.push(wrong);
    }
    buffers.push(good[..good.len() - 1].to_vec());
    buffers.push([&good[..], &[0; 8]].concat());
    for wrong in buffers {
        fails(client.execute_raw(&wrong), RPC_FORMAT);
    }
    assert_eq!(client.stream_size(stream).unwrap(), 0);
    execute(&mut client, &good).unwrap();
    assert_eq!(content(&mut client, stream), b"oneone");
}

#[test]
fn a_small_request_does_not_become_a_large_one() {
    /// Bytes of all payloads, uncompressed.
    const MOST: usize = 0x4_0000;
    let (mut client, _, _, _, message, _) = message();
    let (stream, _) = client.open_stream(message, tag::HTML, CREATE).unwrap();
    // RopSize, RopId, LogonId, InputHandleIndex, DataSize and one handle.
    let around = 2 + 5 + 4;
    let compressed = framing::InputForm {
        compress: true,
        xor: false,
    };
    let of = |sizes: &[usize]| {
        let payloads: Vec<_> = sizes
            .iter()
            .map(|size| (vec![write(0, &vec![7; size - around])], compressed))
            .collect();
        buffer(&payloads, &[stream])
    };
    let mut sizes = [0x7000; 9];
    sizes[8] = MOST - 8 * 0x7000;
    let good = of(&sizes);
    sizes[8] += 1;
    let one_more = of(&sizes);
    assert!(one_more.len() < MOST / 16);
    let many = of(&[0x7000; 1000]);
    for wrong in [one_more, many] {
        fails(client.execute_raw(&wrong), RPC_FORMAT);
    }
    assert_eq!(client.stream_size(stream).unwrap(), 0);
    execute(&mut client, &good).unwrap();
    let written = MOST - 9 * around;
    assert_eq!(client.stream_size(stream).unwrap() as usize, written);
}
