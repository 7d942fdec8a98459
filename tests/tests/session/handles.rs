//! Handles: missing, closed, and of the wrong kind.

use ropewalk_tests::{
    client::{NO_HANDLE, Rop, framing},
    fixture::{ada, code},
};

use crate::slice::{get_display_name, lives, open_folder, slice};

// MS-OXCROPS 3.2.5.1.
#[test]
fn a_rop_on_a_handle_that_was_not_opened_fails_and_later_ones_run() {
    let (mut client, logon) = ada();
    let payload = client
        .execute(
            &[
                open_folder(0, 1, 0x7766_5544_3322_0001),
                get_display_name(1),
                open_folder(0, 2, logon.inbox()),
            ],
            &[logon.handle, NO_HANDLE, NO_HANDLE],
        )
        .unwrap();
    assert_eq!(payload.rops[..6], [0x02, 1, 0x0F, 0x01, 0x04, 0x80]);
    assert_eq!(payload.rops[6..12], [0x07, 1, 0xB9, 0x04, 0, 0]);
    assert_eq!(payload.rops[12..], [0x02, 2, 0, 0, 0, 0, 0, 0]);
}

// MS-OXCROPS 3.2.5.1: ecNullObject.
#[test]
fn a_handle_index_outside_of_the_table_is_a_null_object() {
    let (mut client, logon) = ada();
    for index in [1, 5, 0xFF] {
        for (name, rop) in slice(logon.inbox(), logon.inbox()) {
            let mut bytes = rop.as_bytes().to_vec();
            // RopLogon has no input; the others have theirs here, or one byte later.
            let at = match bytes[0] {
                0xFE => continue,
                0x0C | 0x11 | 0x25 => 3,
                _ => 2,
            };
            bytes[at] = index;
            let payload = client
                .execute_payload(&framing::rop_buffer(&bytes, &[logon.handle]))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            if bytes[0] == 0x01 {
                assert!(payload.rops.is_empty(), "{name}");
            } else {
                assert_eq!(payload.rops[0], bytes[0], "{name}");
                let code = u32::from_le_bytes(payload.rops[2..6].try_into().unwrap());
                assert_eq!(code, code::NULL_OBJECT, "{name}");
            }
        }
    }
    lives(&mut client, &logon);
}

#[test]
fn handles_that_are_not_open_are_refused() {
    let (mut client, logon) = ada();
    let folder = client.open_folder(logon.handle, logon.inbox()).unwrap();
    client.release(folder).unwrap();
    for handle in [folder, NO_HANDLE, 0x1234_5678, 0] {
        if handle == logon.handle {
            continue;
        }
        let error = client.hierarchy_table(handle, 0).unwrap_err();
        assert_ne!(error.code(), 0, "{handle:#x}");
        // Releasing it is no error, and no news either.
        client.release(handle).unwrap();
    }
    // A handle of another session is not one of this.
    let (mut other, _) = ada();
    let mut theirs = 0;
    for _ in 0..40 {
        let from = other.logon().unwrap().handle;
        theirs = other.open_folder(from, logon.inbox()).unwrap();
    }
    assert!(client.hierarchy_table(theirs, 0).is_err());
    lives(&mut client, &logon);
}

// MS-OXCTABL 3.2.5.9.
#[test]
fn a_seek_row_on_no_table_ends_the_buffer() {
    let (mut client, logon) = ada();
    let folder = client.open_folder(logon.handle, logon.inbox()).unwrap();
    let seek = Rop::new(0x18, 0).u8(0).u32(1).u8(1);
    let payload = client
        .execute(&[seek, get_display_name(0)], &[folder])
        .unwrap();
    assert_eq!(payload.rops, [0x18, 0, 0x02, 0x01, 0x04, 0x80]);
}
