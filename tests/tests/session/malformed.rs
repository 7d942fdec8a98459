//! Bytes that cannot be understood.

use ropewalk_tests::{
    client::{
        Error, InputForm, MAX_ROP_OUT, NO_HANDLE, Rop,
        framing::{self, COMPRESSED, LAST, XOR_MAGIC},
    },
    fixture::{ada, code, fails, new_folder, new_message, tag},
};

use crate::slice::{get_display_name, lives, open_folder, slice};

// MS-OXCROPS 2.2.2 and 3.2.5.1.
#[test]
fn reserved_rop_ids_fail_the_request() {
    let (mut client, logon) = ada();
    let reserved = [
        0x00, 0x28, 0x3C, 0x3D, 0x62, 0x65, 0x6A, 0x71, 0x7C, 0x7D, 0xFA, 0xFD,
    ]
    .into_iter()
    .chain(0x83..=0x85)
    .chain(0x8A..=0x8F)
    .chain(0x94..=0x9C)
    .chain(0xA4..=0xF8);
    for id in reserved {
        let result = client.execute(&[Rop::new(id, 0)], &[logon.handle]);
        match result {
            Err(error) => assert_ne!(error.code(), 0, "{id:#04x}"),
            Ok(payload) => panic!("{id:#04x}: {:02x?}", payload.rops),
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn a_rop_that_is_not_served_fails_alone() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let more = [
        ("RopGetStatus", Rop::new(0x16, 0), table),
        ("RopAbort", Rop::new(0x38, 0), table),
        ("RopCreateBookmark", Rop::new(0x1B, 0), table),
        ("RopQueryColumnsAll", Rop::new(0x37, 0), table),
        ("RopResetTable", Rop::new(0x81, 0), table),
        ("RopGetStoreState", Rop::new(0x7B, 0), logon.handle),
        ("RopGetReceiveFolderTable", Rop::new(0x68, 0), logon.handle),
        ("RopGetAddressTypes", Rop::new(0x49, 0), logon.handle),
        ("RopGetTransportFolder", Rop::new(0x6D, 0), logon.handle),
        (
            "RopGetLocalReplicaIds",
            Rop::new(0x7F, 0).u32(4),
            logon.handle,
        ),
        ("RopEmptyFolder", Rop::new(0x58, 0).u8(0).u8(0), folder),
        (
            "RopSetMessageStatus",
            Rop::new(0x20, 0).u64(1).u32(0).u32(0),
            folder,
        ),
        ("RopSubmitMessage", Rop::new(0x32, 0).u8(0), folder),
        (
            "RopGetPermissionsTable",
            Rop::new(0x3E, 0).u8(1).u8(0),
            folder,
        ),
        ("RopGetRulesTable", Rop::new(0x3F, 0).u8(1).u8(0), folder),
        (
            "RopSynchronizationOpenCollector",
            Rop::new(0x7E, 0).u8(1).u8(1),
            folder,
        ),
    ];
    for (name, rop, handle) in more {
        // A ROP after it is still understood and answered.
        let after = Rop::new(0x09, 2);
        let payload = client
            .execute(&[rop.clone(), after], &[handle, NO_HANDLE, folder])
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(payload.rops[0], rop.id(), "{name}");
        let rest = &payload.rops[6..];
        assert!(
            rest.windows(6).any(|part| part == [0x09, 2, 0, 0, 0, 0]),
            "{name}: {:02x?}",
            payload.rops
        );
    }
    lives(&mut client, &logon);
}

#[test]
fn a_rop_cut_short_fails_the_request_with_rpc_format() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, mid) = new_message(&mut client, folder, folder_id, "cut");
    let ahead = get_display_name(0);
    for (name, rop) in slice(folder_id, mid) {
        let bytes = rop.as_bytes();
        for length in 1..bytes.len() {
            for before in [&[][..], ahead.as_bytes()] {
                let rops = [before, &bytes[..length]].concat();
                let payload = framing::rop_buffer(&rops, &[folder, NO_HANDLE]);
                match client.execute_payload(&payload) {
                    Err(error) => {
                        assert_eq!(error.code(), code::RPC_FORMAT, "{name} cut to {length}");
                    }
                    Ok(payload) => panic!("{name} cut to {length}: {:02x?}", payload.rops),
                }
            }
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn counts_that_do_not_fit_fail_the_request() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let lies = [
        Rop::new(0x07, 0).u16(0).u16(1).u16(0xFFFF).u32(tag::MID),
        Rop::new(0x0A, 0).u16(0xFFFF).u16(0xFFFF),
        Rop::new(0x0B, 0).u16(2).u32(tag::MID),
        Rop::new(0x0E, 0).u16(0xFFFF).u32(0),
        Rop::new(0x0E, 0).u16(0).u16(0xFFFF).u32(0).u8(1).u16(0),
        Rop::new(0x0E, 0).u16(0).u16(1).u32(0).u8(1).u16(0xFFFF),
        Rop::new(0x12, 0).u8(0).u16(0xFFFF).u32(tag::MID),
        Rop::new(0x13, 0).u8(0).u16(0xFFFF).u16(0).u16(0),
        Rop::new(0x14, 0).u8(0).u16(0xFFFF).bytes(&[0; 9]),
        Rop::new(0x1C, 0)
            .u8(1)
            .u8(1)
            .u8(1)
            .u8(0)
            .u8(0)
            .bytes(b"no terminator"),
        Rop::new(0x1E, 0).u8(0).u8(0).u16(0xFFFF).u64(1),
        Rop::new(0x27, 0).bytes(b"IPM"),
        Rop::new(0x2D, 0).u16(0xFFFF).bytes(b"x"),
        Rop::new(0x33, 0).u8(0).u16(0xFFFF).u64(1),
        Rop::new(0x4F, 0).u8(0).u16(0xFFFF),
        Rop::new(0x55, 0).u16(0xFFFF).u16(1),
        Rop::new(0x56, 0).u8(2).u16(0xFFFF).u8(0),
        Rop::new(0x66, 0).u8(0).u8(0).u16(0xFFFF).u64(1),
        Rop::new(0xFE, 0)
            .u8(1)
            .u32(0)
            .u32(0)
            .u16(0xFFFF)
            .bytes(b"/o=x\0"),
    ];
    for rop in lies {
        fails(
            client.execute(std::slice::from_ref(&rop), &[folder, NO_HANDLE]),
            code::RPC_FORMAT,
        );
        lives(&mut client, &logon);
    }
}

#[test]
fn extended_buffers_and_rop_sizes_that_lie_fail_the_request() {
    let (mut client, logon) = ada();
    let payload = framing::rop_buffer(
        open_folder(0, 1, logon.inbox()).as_bytes(),
        &[logon.handle, NO_HANDLE],
    );
    let header = |version: u16, flags: u16, size: u16, size_actual: u16| {
        let mut buffer = Vec::new();
        for field in [version, flags, size, size_actual] {
            buffer.extend(field.to_le_bytes());
        }
        buffer.extend(&payload);
        buffer
    };
    let length = u16::try_from(payload.len()).unwrap();
    // The honest one works.
    client
        .execute_raw(&header(0, LAST, length, length))
        .unwrap();
    let mut lies = vec![
        Vec::new(),
        vec![0; 7],
        vec![0; 8],
        header(7, LAST, length, length),
        header(0, LAST, length + 1, length + 1),
        header(0, LAST, length - 1, length - 1),
        header(0, LAST, length, length + 4),
        header(0, LAST, length, length - 4),
        header(0, LAST, 0xFFFF, 0xFFFF),
        header(0, LAST, 0, 0),
        header(0, 0, length, length),
        header(0, LAST | COMPRESSED, length, 0xFFFF),
        header(0, LAST | COMPRESSED, length, length + 1),
        header(0, LAST | XOR_MAGIC, length, length),
    ];
    // RopSize beyond the payload, less than itself, and short of the ROP.
    for rop_size in [0_u16, 1, 3, 0x00FF, 0xFFFF] {
        let mut lie = header(0, LAST, length, length);
        lie[8..10].copy_from_slice(&rop_size.to_le_bytes());
        lies.push(lie);
    }
    // A bomb: one literal and matches up to the end.
    let mut bomb = vec![0; 8];
    bomb.extend(0x7FFF_FFFF_u32.to_le_bytes());
    bomb.extend([0, 7, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let size = u16::try_from(bomb.len() - 8).unwrap();
    bomb[2] = 0x05;
    bomb[4..6].copy_from_slice(&size.to_le_bytes());
    bomb[6..8].copy_from_slice(&0xFFFF_u16.to_le_bytes());
    lies.push(bomb);
    // More than a request may have (MS-OXCRPC 3.1.4.2).
    lies.push(header(0, LAST, length, length).repeat(10_000));
    for (i, lie) in lies.iter().enumerate() {
        let error = client.execute_raw(lie).expect_err(&format!("lie {i}"));
        assert!(
            matches!(error, Error::Request { .. } | Error::ResponseCode { .. }),
            "lie {i}: {error}"
        );
        lives(&mut client, &logon);
    }
}

#[test]
fn a_request_body_cut_short_is_refused_at_every_byte() {
    let (mut client, logon) = ada();
    let payload = framing::rop_buffer(
        open_folder(0, 1, logon.inbox()).as_bytes(),
        &[logon.handle, NO_HANDLE],
    );
    let buffer = framing::extended_buffer(&payload, InputForm::default());
    let mut body = Vec::new();
    body.extend(3_u32.to_le_bytes());
    body.extend(u32::try_from(buffer.len()).unwrap().to_le_bytes());
    body.extend(&buffer);
    body.extend(MAX_ROP_OUT.to_le_bytes());
    body.extend(0_u32.to_le_bytes());
    for length in 0..body.len() {
        let refused = match client.request("Execute", &body[..length]) {
            // StatusCode or ErrorCode.
            Ok(response) => response.body[..response.body.len().min(8)] != [0; 8],
            Err(Error::ResponseCode { .. }) => true,
            Err(error) => panic!("cut to {length}: {error}"),
        };
        assert!(refused, "cut to {length}");
    }
    let response = client.request("Execute", &body).unwrap();
    assert_eq!(response.body[..8], [0; 8]);
    // RopBufferSize and AuxiliaryBufferSize beyond the body.
    for at in [4, body.len() - 4] {
        let mut lie = body.clone();
        lie[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        match client.request("Execute", &lie) {
            Ok(response) => assert_ne!(response.body[..8], [0; 8]),
            Err(Error::ResponseCode { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn mutated_requests_never_end_the_session_or_the_server() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, mid) = new_message(&mut client, folder, folder_id, "mutated");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rops = slice(folder_id, mid);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for round in 0..1500 {
        let mut bytes = Vec::new();
        for _ in 0..=random(3) {
            bytes.extend(rops[random(rops.len())].1.as_bytes());
        }
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = 0xFF,
                1 => bytes[at] ^= 1 << random(8),
                2 => bytes.insert(at, random(256) as u8),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let payload = framing::rop_buffer(&bytes, &[folder, message, table]);
        match client.execute_payload(&payload) {
            Ok(_) | Err(Error::Request { .. }) => {}
            Err(error) => panic!("round {round}: {bytes:02x?}: {error}"),
        }
    }
    lives(&mut client, &logon);
}
