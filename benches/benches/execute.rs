//! What requests cost that look at one message, over loopback keep-alive, beside a hyper server that
//! does nothing but send back as many bytes.
//!
//! `cargo bench -p ropewalk-benches --bench execute -- [--json] [--requests N] [--only NAME]`. Both
//! servers are processes of their own, both are asked by the same client, in turns of a thousand
//! requests, so that whatever else the machine does meets both.

mod common;

use std::env;

use common::{Outcome, Server, echo, echo::Echo, in_turns, stopwatch::Stopwatch, value_of};
use ropewalk_tests::{
    client::{Client, NO_HANDLE, Rop, concat, framing},
    fixture::{new_message, tag, text},
};

/// Requests to each server before the other's turn.
const TURN: usize = 1_000;

/// Eight properties that a client asks of a message that it shows.
const EIGHT: [u32; 8] = [
    tag::MESSAGE_CLASS,
    tag::SUBJECT,
    tag::NORMALIZED_SUBJECT,
    tag::MESSAGE_FLAGS,
    tag::MESSAGE_SIZE,
    tag::HAS_ATTACHMENTS,
    tag::LAST_MODIFICATION_TIME,
    tag::IMPORTANCE,
];

/// Twelve more.
const TWELVE: [u32; 12] = [
    tag::DISPLAY_TO,
    tag::DISPLAY_CC,
    tag::DISPLAY_BCC,
    tag::SENSITIVITY,
    tag::CREATION_TIME,
    tag::ENTRY_ID,
    tag::RECORD_KEY,
    tag::SEARCH_KEY,
    tag::CHANGE_KEY,
    tag::PREDECESSOR_CHANGE_LIST,
    tag::ACCESS,
    tag::BODY,
];

fn main() {
    let args: Vec<String> = env::args().collect();
    if let Some(size) = value_of(&args, "--echo") {
        return echo::serve(size);
    }
    let requests = value_of(&args, "--requests").unwrap_or(20_000);
    let json = args.iter().any(|arg| arg == "--json");
    let only = args.iter().position(|arg| arg == "--only");
    let only = only.and_then(|at| args.get(at + 1));

    let dir = tempfile::tempdir().expect("a temporary directory");
    common::add_user(dir.path());
    let mut server = Server::start(dir.path());
    let mut client = server.client();
    let message = Message::make(&mut client);
    let twenty: Vec<u32> = EIGHT.iter().chain(&TWELVE).copied().collect();
    let read = |tags: &[u32]| Rop::new(0x07, 0).u16(0).u16(1).tags(tags);
    let open = Rop::new(0x03, 0)
        .u8(1)
        .u16(0x0FFF)
        .u64(message.folder_id)
        .u8(0)
        .u64(message.id);
    let read_opened = Rop::new(0x07, 1).u16(0).u16(1).tags(&twenty);
    let release = Rop::new(0x01, 1);
    let kinds = [
        ("PING", None),
        (
            "8 properties",
            Some((vec![read(&EIGHT)], vec![message.handle])),
        ),
        (
            "20 properties",
            Some((vec![read(&twenty)], vec![message.handle])),
        ),
        (
            "opening, 20 properties, releasing",
            Some((
                vec![open, read_opened, release],
                vec![message.logon, NO_HANDLE],
            )),
        ),
    ];
    let wanted = |name: &str| only.is_none_or(|only| name == only);
    let kinds = kinds.into_iter().filter(|(name, _)| wanted(name));
    let outcomes = kinds.map(|(name, rops)| {
        let buffer = rops.map(|(rops, handles)| {
            let payload = framing::rop_buffer(&concat(&rops), &handles);
            framing::extended_buffer(&payload, framing::InputForm::default())
        });
        compare(&mut client, requests, name, buffer.as_deref())
    });
    common::report(json, outcomes);
    server.process.stop();
}

/// A message with a body of 4 KiB, as it is stored, open.
struct Message {
    logon: u32,
    folder_id: u64,
    id: u64,
    handle: u32,
}

impl Message {
    fn make(client: &mut Client) -> Self {
        let logon = client.logon().expect("RopLogon");
        let folder_id = logon.inbox();
        let inbox = client
            .open_folder(logon.handle, folder_id)
            .expect("the Inbox opens");
        let (draft, _) = new_message(client, inbox, folder_id, "RE: twelve fathoms of rope");
        client
            .set_props(draft, &[(tag::BODY, text(&"rope ".repeat(400)))])
            .expect("RopSetProperties");
        let id = client.save_message(draft).expect("RopSaveChangesMessage");
        client.release(draft).expect("RopRelease");
        let opened = client
            .open_message(logon.handle, folder_id, id, 0)
            .expect("RopOpenMessage");
        Self {
            logon: logon.handle,
            folder_id,
            id,
            handle: opened.handle,
        }
    }
}

/// Times requests to the server and to the echo.
fn compare(client: &mut Client, requests: usize, name: &str, rop_buffer: Option<&[u8]>) -> Outcome {
    let mut stopwatch = match rop_buffer {
        Some(buffer) => Stopwatch::executing(client, buffer),
        None => Stopwatch::pinging(client),
    };
    // What is sent back apart from the HTTP head; the echo has a head of the same length.
    let bytes = stopwatch.ask();
    let mut echo = Echo::start(rop_buffer.map_or(0, <[u8]>::len) + 16, bytes);
    let (ours, theirs) = in_turns(
        requests,
        TURN,
        || {
            stopwatch.ask();
        },
        || echo.ask(),
    );
    stopwatch.give_back(client);
    Outcome {
        name: name.to_owned(),
        ours,
        baseline: format!("hyper echo of {bytes} bytes"),
        theirs,
        bytes: None,
    }
}
