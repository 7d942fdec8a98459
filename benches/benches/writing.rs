//! What it costs to change a message for good, to move and copy a thousand of them, to copy a folder with
//! very many, and to write and read an attachment of 10 MiB.
//!
//! `cargo bench -p ropewalk-benches --bench writing -- [--json] [--saves N] [--moves N] [--copied N]
//! [--files N]`.
//! RopSetProperties and RopSaveChangesMessage in one Execute, and RopMoveCopyMessages, stand beside a bare
//! write and fdatasync of as many bytes as the log grows by, on the same disk. A stream is held against a hyper server
//! that gets or sends as much in as many requests. An asynchronous RopCopyFolder is held against the same ROP
//! at once: its requests one by one, and all together.

mod common;

use std::{env, fs::File, os::unix::fs::FileExt as _, path::Path, time::Duration};

use common::{Outcome, Server, Times, echo, echo::Echo, in_turns, inbox, timed, value_of};
use ropewalk_tests::{
    client::{Cells as _, Client, Rop, tagged_values},
    fixture::{new_message, tag, text},
};

const FILE: usize = 10 << 20;
/// Messages that are moved at once.
const MOVED: usize = 1_000;
/// Bytes of a RopWriteStream or RopReadStream.
const PART: usize = 0x7000;

fn main() {
    let args: Vec<String> = env::args().collect();
    if let Some(size) = value_of(&args, "--echo") {
        return echo::serve(size);
    }
    let json = args.iter().any(|arg| arg == "--json");
    let saves = value_of(&args, "--saves").unwrap_or(1_000);
    let files = value_of(&args, "--files").unwrap_or(10);

    let moves = value_of(&args, "--moves").unwrap_or(50);

    let dir = common::directory();
    common::add_user(dir.path());
    inbox::fill(dir.path(), MOVED);
    let server = Server::start(dir.path());
    let mut client = server.client();
    let logon = client.logon().expect("RopLogon");
    let inbox = client
        .open_folder(logon.handle, logon.inbox())
        .expect("the Inbox opens");
    let copied = value_of(&args, "--copied").unwrap_or(100_000);
    let moving = moving(&mut client, inbox, dir.path(), moves);
    let copying = copying(&mut client, inbox, copied);
    let (message, _) = new_message(&mut client, inbox, logon.inbox(), "a coil of rope");
    let mut outcomes = vec![saving(&mut client, message, dir.path(), saves)];
    outcomes.extend(moving);
    outcomes.extend(copying);
    outcomes.extend(streams(&mut client, message, files));
    common::report(json, outcomes.into_iter());
}

/// Saves one changed property of a message.
fn saving(client: &mut Client, message: u32, dir: &Path, saves: usize) -> Outcome {
    const KEEP_OPEN_READ_WRITE: u8 = 0x02;
    let body = text(&"rope ".repeat(400));
    client
        .set_props(message, &[(tag::BODY, body)])
        .expect("RopSetProperties");
    client.save_message(message).expect("RopSaveChangesMessage");
    let mut number = 0;
    let mut save = || {
        number += 1;
        let subject = text(&format!("coil {number:06}"));
        let values = tagged_values(&[(tag::SUBJECT, subject)]);
        let rops = [
            Rop::new(0x0A, 0).sized(&values),
            Rop::new(0x0C, 1).u8(0).u8(KEEP_OPEN_READ_WRITE),
        ];
        let payload = client.execute(&rops, &[message, message]).expect("Execute");
        assert!(payload.rops.len() > 12, "{:02x?}", payload.rops);
    };
    let before = log_bytes(dir);
    save();
    let bytes = log_bytes(dir) - before;
    let file = File::create_new(dir.join("bare")).expect("a file");
    let data = vec![0x5A; bytes];
    let mut at = 0;
    let bare = || {
        file.write_all_at(&data, at).expect("it is written");
        file.sync_data().expect("it is synced");
        at += bytes as u64;
    };
    let (ours, theirs) = in_turns(saves, 50, save, bare);
    Outcome {
        name: "setting a property and saving".to_owned(),
        ours,
        baseline: format!("write and fdatasync of {bytes} bytes"),
        theirs,
        bytes: None,
    }
}

/// Moves all messages of a folder to another one and back, and copies them.
fn moving(client: &mut Client, inbox: u32, dir: &Path, moves: usize) -> [Outcome; 2] {
    let to = client
        .create_folder(inbox, "elsewhere")
        .expect("RopCreateFolder")
        .handle;
    let ids = |client: &mut Client, folder: u32| -> Vec<u64> {
        let (table, _) = client.contents_table(folder, 0).expect("a table");
        client.set_columns(table, &[tag::MID]).expect("columns");
        let rows = client.query_all_rows(table, &[tag::MID]).expect("rows");
        client.release(table).expect("RopRelease");
        rows.iter().map(|row| row.id(0)).collect()
    };
    let mut folders = (inbox, to);
    let mut ours = (Vec::new(), Vec::new());
    let mut sizes = (0, 0);
    for _ in 0..moves {
        let all = ids(client, folders.0);
        assert_eq!(all.len(), MOVED);
        let mut transfer = |is_copy: bool| {
            let before = log_bytes(dir);
            let taken = timed(|| {
                let partial = client.move_copy_messages(folders.0, folders.1, &all, is_copy);
                assert_eq!(partial.expect("RopMoveCopyMessages"), 0);
            });
            (taken, log_bytes(dir) - before)
        };
        let copied = transfer(true);
        let moved = transfer(false);
        ours.0.push(moved.0);
        ours.1.push(copied.0);
        sizes = (moved.1, copied.1);
        let both = ids(client, folders.1);
        let (copies, rest) = both.split_at(both.len() - MOVED);
        assert_eq!((copies.len(), rest.len()), (MOVED, MOVED));
        client
            .hard_delete_messages(folders.1, copies)
            .expect("RopHardDeleteMessages");
        folders = (folders.1, folders.0);
    }
    let file = File::create_new(dir.join("bare for moves")).expect("a file");
    let mut at = 0;
    let mut bare = |bytes: usize| {
        let data = vec![0x5A; bytes];
        let times = (0..moves).map(|_| {
            timed(|| {
                file.write_all_at(&data, at).expect("it is written");
                file.sync_data().expect("it is synced");
                at += bytes as u64;
            })
        });
        Times::new(times.collect())
    };
    let mut outcome = |name: &str, times: Vec<Duration>, bytes: usize| Outcome {
        name: format!("{name} {MOVED} messages"),
        ours: Times::new(times),
        baseline: format!("write and fdatasync of {bytes} bytes"),
        theirs: bare(bytes),
        bytes: None,
    };
    [
        outcome("moving", ours.0, sizes.0),
        outcome("copying", ours.1, sizes.1),
    ]
}

/// Copies a folder with very many messages, asynchronously and at once.
fn copying(client: &mut Client, inbox: u32, messages: usize) -> [Outcome; 2] {
    const TIMES: usize = 5;
    let create = |client: &mut Client, name: &str| {
        let created = client.create_folder(inbox, name);
        created.expect("RopCreateFolder")
    };
    let (many, dest) = (create(client, "many"), create(client, "copies"));
    // With the messages of the Inbox, but neither its name nor its subfolders.
    let fill = Rop::new(0x39, 0).u8(1).u8(0).u8(1).u8(0);
    let fill = fill.tags(&[tag::DISPLAY_NAME, 0x360E_000D]);
    for _ in 0..messages / MOVED {
        client.rop(&fill, &[inbox, many.handle]).expect("RopCopyTo");
    }
    let copy = |is_asynchronous: u8| {
        let rop = Rop::new(0x36, 0).u8(1).u8(is_asynchronous).u8(1).u8(1);
        rop.u64(many.folder_id).utf16_z("copy")
    };
    let (mut requests, mut whole, mut at_once) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let begun = requests.len();
        let mut rop = copy(1);
        while goes_on(client, &rop, [inbox, dest.handle], &mut requests) {
            rop = Rop::new(PROGRESS, 0).u8(0);
        }
        whole.push(requests.iter().skip(begun).sum());
        client.empty_folder(dest.handle, true).expect("it is empty");
        assert!(!goes_on(
            client,
            &copy(0),
            [inbox, dest.handle],
            &mut at_once
        ));
        client.empty_folder(dest.handle, true).expect("it is empty");
    }
    let outcome = |name: &str, ours: Vec<Duration>| Outcome {
        name: format!("{name} of {messages} messages"),
        ours: Times::new(ours),
        baseline: "the same ROP at once".to_owned(),
        theirs: Times::new(at_once.clone()),
        bytes: None,
    };
    [
        outcome("a request of an asynchronous copy", requests),
        outcome("an asynchronous copy", whole),
    ]
}

const PROGRESS: u8 = 0x50;

/// Whether a ROP is answered with RopProgress; how long that took is added to `times`.
fn goes_on(client: &mut Client, rop: &Rop, handles: [u32; 2], times: &mut Vec<Duration>) -> bool {
    let mut rops = Vec::new();
    times.push(timed(|| {
        let answer = client.execute(std::slice::from_ref(rop), &handles);
        rops = answer.expect("Execute").rops;
    }));
    assert_eq!(rops.get(2..6), Some(&[0; 4][..]), "{rops:02x?}");
    rops.first() == Some(&PROGRESS)
}

/// Bytes of the log's segments.
fn log_bytes(dir: &Path) -> usize {
    let segments = dir.join("log").read_dir().expect("there is a log");
    let sizes = segments.map(|entry| entry.and_then(|entry| entry.metadata()));
    sizes
        .map(|metadata| metadata.expect("a segment").len() as usize)
        .sum()
}

/// Writes attachments by RopWriteStream, saves them, and reads them back.
fn streams(client: &mut Client, message: u32, files: usize) -> [Outcome; 2] {
    let data: Vec<u8> = (0..FILE).map(|n| (n % 251) as u8).collect();
    let parts = FILE.div_ceil(PART);
    let mut last = 0;
    let mut to = Echo::start(PART + 60, 60);
    let write = || {
        let (attachment, number) = client
            .create_attachment(message)
            .expect("RopCreateAttachment");
        client
            .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &data)
            .expect("RopWriteStream");
        client
            .save_attachment(message, attachment)
            .expect("RopSaveChangesAttachment");
        client.release(attachment).expect("RopRelease");
        client.save_message(message).expect("RopSaveChangesMessage");
        last = number;
    };
    let (written, sent) = in_turns(files, 1, write, || {
        (0..parts).for_each(|_| to.ask_plainly())
    });
    let attachment = client
        .open_attachment(message, last, 0)
        .expect("RopOpenAttachment");
    let mut from = Echo::start(60, PART + 60);
    let read = || {
        let read = client
            .read_property_stream(attachment, tag::ATTACH_DATA_BINARY)
            .expect("RopReadStream");
        assert_eq!(read.len(), FILE);
    };
    let (read, got) = in_turns(files, 1, read, || {
        (0..parts).for_each(|_| from.ask_plainly())
    });
    let outcome = |name: &str, baseline: &str, ours: Times, theirs: Times| Outcome {
        name: name.to_owned(),
        ours,
        baseline: format!("hyper server that {baseline} as much"),
        theirs,
        bytes: Some(FILE),
    };
    [
        outcome("writing 10 MiB and saving", "gets", written, sent),
        outcome("reading 10 MiB", "sends", read, got),
    ]
}
