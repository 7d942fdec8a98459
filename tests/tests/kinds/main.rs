//! Every ROP on every kind of object: what it is for, and what it answers on others (MS-OXCROPS 3.2.5.1
//! and the specification of each ROP).

mod counts;
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
            failure_len(rop.id(), code),
            "{rop:02x?}: {:02x?}",
            payload.rops
        );
    }
    Some(code)
}

/// Bytes after the ReturnValue of a ROP that failed (MS-OXCROPS 2.2).
fn failure_len(rop_id: u8, code: u32) -> usize {
    let of_destination = code == code::NULL_DESTINATION_OBJECT;
    match rop_id {
        // DestHandleIndex, and as much as the others have.
        0x33 | 0x35 | 0x36 if of_destination => 5,
        0x39 | 0x67 if of_destination => 4,
        0x3A if of_destination => 20,
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

/// The request on an object of this kind, and its handles: the object, and what the ROP needs besides.
fn request(world: &mut World, row: &Row, kind: Kind) -> (Rop, [u32; 2]) {
    let handles = [world.handle(kind), second(world, row, kind)];
    let rop = (row.request)(&world.ids(kind)).logon_id(kind.logon_id());
    (rop, handles)
}

/// What stands at handle index 1, of the same logon as an object of this kind.
fn second(world: &mut World, row: &Row, kind: Kind) -> u32 {
    let second = match row.second {
        Some(second) if kind.is_public() => second.in_public(),
        second => second,
    };
    second.map_or(NO_HANDLE, |second| world.handle(second))
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
        let mut world = None;
        for kind in Kind::ALL.into_iter().filter(|kind| row.is_for(*kind)) {
            let mut fresh = world.take().unwrap_or_else(World::new);
            let (rop, handles) = request(&mut fresh, row, kind);
            // RopRelease has no response.
            let got = ask(&mut fresh, &rop, &handles).unwrap_or(0);
            let expected = row.expected(kind);
            if got != expected {
                wrong.push(format!(
                    "{:#04x} on {kind:?}: {got:#010x} instead of {expected:#010x}",
                    row.id
                ));
            }
            world = Some(fresh).filter(|_| !row.uses_up());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rop_refuses_the_kinds_it_is_not_for() {
    let mut wrong = Vec::new();
    for row in rows().filter(|row| row.wrong != Wrong::Never) {
        let mut world = World::new();
        for kind in Kind::ALL.into_iter().filter(|kind| !row.is_for(*kind)) {
            let (rop, handles) = request(&mut world, row, kind);
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
        let released = world.released();
        let (rop, [_, second]) = request(&mut world, row, Kind::Folder);
        for handle in [NO_HANDLE, 0x1234_5678, released] {
            let got = ask(&mut world, &rop, &[handle, second]).unwrap_or(0);
            let was_one = handle == released && got == code::INVALID_OBJECT;
            if got != code::NULL_OBJECT && !was_one {
                wrong.push(format!("{:#04x} on {handle:#x}: {got:#010x}", row.id));
            }
        }
        // No such place in the table of handles.
        let got = ask(&mut world, &rop, &[]).unwrap_or(0);
        if got != code::NULL_OBJECT {
            wrong.push(format!("{:#04x} without handles: {got:#010x}", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// MS-OXCROPS 3.2.1: each logon has a Server Object Map of its own.
#[test]
fn every_rop_refuses_the_objects_of_another_logon() {
    // RopSetMessageReadFlag has one code for whatever is no message of the logon (MS-OXCMSG 3.2.5.11).
    let refused = |rop: &Rop, got: u32| match rop.id() {
        0x11 => got == code::NULL_OBJECT,
        _ => got == code::ACCESS_DENIED,
    };
    let mut wrong = Vec::new();
    let mut world = World::new();
    let other = world.other_logon();
    for row in rows().filter(|row| row.wrong != Wrong::Never) {
        let (rop, [_, second]) = request(&mut world, row, Kind::Folder);
        let got = ask(&mut world, &rop, &[other, second]).unwrap_or(0);
        if !refused(&rop, got) {
            wrong.push(format!("{:#04x} on a folder: {got:#010x}", row.id));
        }
        for kind in row.on.iter().copied() {
            let Some(public) = kind.in_public() else {
                continue;
            };
            // The public store's object under the mailbox's LogonId, and the other way round.
            for (asked, given) in [(kind, public), (public, kind)] {
                let (rop, [_, second]) = request(&mut world, row, asked);
                let given = world.handle(given);
                let got = ask(&mut world, &rop, &[given, second]).unwrap_or(0);
                if !refused(&rop, got) {
                    wrong.push(format!("{:#04x} under {asked:?}: {got:#010x}", row.id));
                }
            }
        }
        // What it does its work on is another logon's.
        let Some(second) = row.second.and_then(Kind::in_public) else {
            continue;
        };
        let (rop, [object, _]) = request(&mut world, row, row.on[0]);
        let second = world.handle(second);
        let got = ask(&mut world, &rop, &[object, second]).unwrap_or(0);
        if got != code::NULL_DESTINATION_OBJECT {
            wrong.push(format!("{:#04x} to another logon: {got:#010x}", row.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// MS-OXCFOLD 2.2.1.6 to 2.2.1.8: a search folder is where messages come from, never where they go to.
#[test]
fn nothing_is_put_into_a_search_folder() {
    let mut world = World::new();
    let search = world.handle(Kind::SearchFolder);
    for row in rows().filter(|row| matches!(row.id, 0x33 | 0x35 | 0x36)) {
        let (rop, [object, _]) = request(&mut world, row, Kind::Folder);
        let got = ask(&mut world, &rop, &[object, search]);
        assert_eq!(got, Some(rows::SEARCH_FOLDER), "{:#04x}", row.id);
    }
}

// MS-OXCROPS 3.2.5.1: a buffer that cannot be parsed fails as a whole. Each byte of a request is needed, and
// there are no more of what it counts than it has bytes for.
#[test]
fn every_rop_needs_all_its_bytes() {
    let mut wrong = Vec::new();
    let mut world = World::new();
    for row in rows() {
        let kind = row.on.first().copied().unwrap_or(Kind::Logon);
        let rop = (row.request)(&world.ids(kind));
        for len in 1..rop.as_bytes().len() {
            let buffer = framing::rop_buffer(&rop.as_bytes()[..len], &[NO_HANDLE; 2]);
            match world.client.execute_payload(&buffer) {
                Err(error) if error.code() == code::RPC_FORMAT => {}
                other => wrong.push(format!("{:#04x} of {len} bytes: {other:?}", row.id)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
