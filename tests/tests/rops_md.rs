//! ROPS.md says what a real server answers.
//!
//! `ROPEWALK_WRITE=1 cargo test -p ropewalk-tests --test rops_md` writes it anew.

use std::{env, fmt::Write as _, fs, path::Path};

use ropewalk_tests::{
    client::{Client, Error, NO_HANDLE, framing},
    fixture::{ada, code},
};
use ropewalk_wire::{
    Reader,
    rop::{DecodeContext, Request, RopId},
};

#[test]
fn rops_md_is_what_the_server_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ROPS.md");
    let page = page();
    if env::var_os("ROPEWALK_WRITE").is_some() {
        fs::write(&path, &page).expect("ROPS.md can be written");
    }
    let written = fs::read_to_string(&path).expect("ROPS.md is there");
    assert!(
        written == page,
        "ROPS.md is out of date: write it anew as this file says"
    );
}

fn page() -> String {
    let (mut client, _) = ada();
    let mut rops: Vec<RopId> = RopId::ALL.to_vec();
    rops.sort_by_key(|rop| order(rop.section()));
    let served: Vec<bool> = rops.iter().map(|rop| serves(&mut client, *rop)).collect();
    let count = served.iter().filter(|served| **served).count();
    let mut page = format!(
        "# Remote operations\n\n\
         Every ROP that a client can send (MS-OXCROPS 2.2.2) is decoded; {count} of {} are served, the \
         others answer ecNotSupported\n(0x80040102) in the form that their section gives. \
         The server also sends RopBufferTooSmall (2.2.15.1) and RopBackoff (2.2.15.2). \
         `tests/tests/rops_md.rs` asks a real server and holds this page to it.\n\n\
         | RopId | ROP | MS-OXCROPS | status | tests in `tests/tests` |\n|---|---|---|---|---|\n",
        rops.len()
    );
    for (rop, served) in rops.iter().zip(served) {
        let (status, tests) = match served {
            true => ("served", tests_of(rop.section())),
            false => ("not yet", ""),
        };
        let _ = writeln!(
            page,
            "| 0x{:02X} | {} | {} | {status} | {tests} |",
            rop.0,
            rop.name(),
            rop.section(),
        );
    }
    page
}

/// Whether a server does more with a ROP than to say that it does not know it. It is asked with
/// fields that are all zero and a handle that stands for nothing, which is an error of its own.
fn serves(client: &mut Client, rop: RopId) -> bool {
    let payload = framing::rop_buffer(&least_request(rop), &[NO_HANDLE, NO_HANDLE]);
    let answer = match client.execute_payload(&payload) {
        Ok(answer) => answer.rops,
        Err(error @ Error::Request { .. }) => panic!("{}: {error}", rop.name()),
        Err(error) => panic!("{}: {error}", rop.name()),
    };
    if answer.is_empty() {
        assert_eq!(rop, RopId::RELEASE, "only a release is not answered");
        return true;
    }
    let return_value = answer.get(2..6).expect("RopId, index and ReturnValue");
    return_value != code::NOT_SUPPORTED.to_le_bytes()
}

/// A request of zeros, but for a size field with which some begin and which counts a count.
fn least_request(rop: RopId) -> Vec<u8> {
    const COMMON: usize = 3;
    (0..8)
        .find_map(|size| {
            let mut bytes = vec![0; 256];
            bytes[0] = rop.0;
            bytes[COMMON] = size;
            let mut reader = Reader::new(&bytes);
            Request::decode(&mut reader, &DecodeContext::default()).ok()?;
            Some(bytes[..reader.position()].to_vec())
        })
        .unwrap_or_else(|| panic!("{}: no request of zeros", rop.name()))
}

/// Sections as numbers, to sort by.
fn order(section: &str) -> Vec<u32> {
    section
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect()
}

fn tests_of(section: &str) -> &'static str {
    if section == "2.2.8.13" {
        return "progress";
    }
    let group = section.rsplit_once('.').map_or("", |(group, _)| group);
    match group {
        "2.2.3" => "logon, conformance_logon, public",
        "2.2.4" => "folders, special_folders, search_folders, conformance_folders",
        "2.2.5" => "tables, conformance_tables",
        "2.2.6" => "messages, recipients, attachments, conformance_messages",
        "2.2.8" => "properties, named_properties, conformance_properties",
        "2.2.9" => "streams, conformance_properties",
        "2.2.10" => "permissions, delegates",
        "2.2.11" => "rules",
        _ => "session",
    }
}
