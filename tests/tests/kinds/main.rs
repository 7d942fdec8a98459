//! Every ROP on every kind of object: what it is for, and what it answers on others (MS-OXCROPS 3.2.5.1
//! and the specification of each ROP).

mod reserved;
mod rows;
mod world;

use ropewalk_tests::{
    client::{NO_HANDLE, Rop, framing},
    fixture::code,
};
use ropewalk_wire::rop::RopId;

use rows::{ROWS, Row, Wrong};
use world::{Kind, World};

/// ReturnValue of the only response; `None` without one.
fn ask(world: &mut World, rop: &Rop, handles: &[u32]) -> Option<u32> {
    let payload = world
        .client
        .execute_payload(&framing::rop_buffer(rop.as_bytes(), handles))
        .unwrap_or_else(|error| panic!("{rop:02x?}: {error}"));
    let code = payload.rops.get(2..6)?;
    assert_eq!(payload.rops[0], rop.id());
    let code = u32::from_le_bytes(code.try_into().unwrap());
    if code != 0 {
        let more = payload.rops.len() - 6;
        assert_eq!(
            more,
            failure_len(rop.id()),
            "{rop:02x?}: {:02x?}",
            payload.rops
        );
    }
    Some(code)
}

/// Bytes after the ReturnValue of a ROP that failed (MS-OXCROPS 2.2).
fn failure_len(rop_id: u8) -> usize {
    match rop_id {
        // PartialCompletion.
        0x1D | 0x1E | 0x33 | 0x35 | 0x36 | 0x58 | 0x66 | 0x91 | 0x92 => 1,
        // DataSize, WrittenSize.
        0x2C | 0x2D | 0x90 => 2,
        0xA3 => 4,
        _ => 0,
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
}

/// The handles of a request: the object, and what the ROP needs besides.
fn handles(world: &World, row: &Row, object: u32) -> [u32; 2] {
    [
        object,
        row.second.map_or(NO_HANDLE, |kind| world.handle(kind)),
    ]
}

#[test]
fn every_rop_that_is_served_has_its_row() {
    let known: Vec<u8> = rows().map(|row| row.id).collect();
    let missing: Vec<&str> = RopId::ALL
        .iter()
        .filter(|rop| !known.contains(&rop.0) && !rows::NOT_SERVED.contains(&rop.0))
        .map(|rop| rop.name())
        .collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
    for id in rows::NOT_SERVED {
        assert!(!known.contains(&id), "{id:#04x} has a row");
    }
}

/// ROPS.md, which `rops_md.rs` holds to what a server answers, and this table agree on what is not served.
#[test]
fn what_is_not_served_is_what_the_page_says() {
    let page = include_str!("../../../ROPS.md");
    let not_yet = page.lines().filter(|line| line.contains("| not yet |"));
    let mut listed: Vec<u8> = not_yet
        .map(|line| u8::from_str_radix(&line[4..6], 16).unwrap())
        .collect();
    let mut known = rows::NOT_SERVED.to_vec();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, listed);
}

#[test]
fn every_rop_does_its_work_on_the_kinds_it_is_for() {
    let mut wrong = Vec::new();
    for row in rows() {
        for kind in row.on {
            let mut world = World::new();
            let rop = (row.request)(&world);
            let handles = handles(&world, row, world.handle(*kind));
            let got = ask(&mut world, &rop, &handles);
            let but = row.but.iter().find(|(known, _)| known == kind);
            let expected = but.map_or(0, |(_, code)| *code);
            // RopRelease has no response.
            if got.unwrap_or(0) != expected {
                wrong.push(format!(
                    "{:#04x} on {kind:?}: {:#010x} instead of {expected:#010x}",
                    row.id,
                    got.unwrap_or(0)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rop_refuses_the_kinds_it_is_not_for() {
    let mut wrong = Vec::new();
    for row in rows() {
        let mut world = World::new();
        for kind in Kind::ALL.into_iter().filter(|kind| !row.on.contains(kind)) {
            let rop = (row.request)(&world);
            let handles = handles(&world, row, world.handle(kind));
            let got = ask(&mut world, &rop, &handles).unwrap_or(0);
            if !row.wrong.is(got) {
                wrong.push(format!("{:#04x} on {kind:?}: {got:#010x}", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// MS-OXCROPS 3.2.5.1: an error. Exchange's are ecNullObject, and ecInvalidObject for a handle that was
// one.
#[test]
fn every_rop_refuses_a_handle_that_stands_for_nothing() {
    let mut wrong = Vec::new();
    for row in rows().filter(|row| row.wrong != Wrong::Never) {
        let mut world = World::new();
        let rop = (row.request)(&world);
        let released = world.released();
        for handle in [NO_HANDLE, 0x1234_5678, released] {
            let handles = handles(&world, row, handle);
            let got = ask(&mut world, &rop, &handles).unwrap_or(0);
            let was_one = handle == released && got == code::INVALID_OBJECT;
            if got != code::NULL_OBJECT && !was_one {
                wrong.push(format!("{:#04x} on {handle:#x}: {got:#010x}", row.id));
            }
        }
        // The handle of another logon of this session.
        let other = world.other_logon();
        let handles = handles(&world, row, other);
        let got = ask(&mut world, &rop, &handles).unwrap_or(0);
        if got == 0 {
            wrong.push(format!("{:#04x} on another logon's handle", row.id));
        }
        // No such place in the table of handles.
        let got = ask(&mut world, &rop, &[]).unwrap_or(0);
        if got != code::NULL_OBJECT {
            wrong.push(format!("{:#04x} without handles: {got:#010x}", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
