//! A value larger than the memory that is used for it.

use std::{path::Path, process::Command, time::Instant};

use ropewalk_props::{GlobCnt, tags};

use super::{
    history::{guid_of, new_user},
    model::INBOX,
    random::Random,
};
use crate::{BlobReader, BlobWriter, Message, SaveMessage, Store, StoreOptions, blob::CHUNK};

/// Bytes of resident memory, at most.
const MEMORY: u64 = 64 << 20;
/// What a client writes or reads at once.
const STEP: usize = 32 << 10;

/// The bytes of the value at a step.
fn step(number: u64) -> Vec<u8> {
    Random::new(number).bytes(STEP)
}

fn write(mut writer: BlobWriter, steps: u64) -> ropewalk_props::BlobRef {
    for number in 0..steps {
        let at = number * STEP as u64;
        writer.write_at(at, &step(number)).unwrap();
    }
    writer.finish().unwrap()
}

fn check(reader: &BlobReader, steps: u64) {
    assert_eq!(reader.len(), steps * STEP as u64);
    let mut found = vec![0; STEP];
    for number in 0..steps {
        let at = number * STEP as u64;
        assert_eq!(reader.read_at(at, &mut found).unwrap(), STEP);
        assert!(found == step(number), "step {number}");
    }
}

/// The largest resident memory of this process so far.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap() << 10
}

/// Says what was done, how long it took and how much memory was used so far.
fn tell(what: &str, since: Instant) {
    let (ms, mib) = (since.elapsed().as_millis(), peak() as f64 / 1048576.0);
    println!("{what}: {ms} ms, peak {mib:.1} MiB");
}

fn stream(dir: &Path, steps: u64) {
    let started = Instant::now();
    let store = Store::open(dir, StoreOptions::default()).unwrap();
    store.add_user(new_user(0)).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    tell("opened", started);
    let started = Instant::now();
    let blob = write(store.blob_writer(), steps);
    let mut message = Message::default();
    let tag = tags::PID_TAG_ATTACH_DATA_BINARY;
    message.props.set_external(tag, blob);
    let save = |message| SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    };
    mailbox.save_message(save(message.clone())).unwrap();
    tell("written", started);
    let started = Instant::now();
    check(&store.blob_reader(blob).unwrap(), steps);
    tell("read", started);
    let started = Instant::now();
    let again = write(store.blob_writer(), steps);
    tell("written again", started);
    let started = Instant::now();
    let mut copy = store.blob_editor(again).unwrap();
    copy.write_at(CHUNK as u64 * 3 + 5, b"changed").unwrap();
    message.props.set_external(tag, copy.finish().unwrap());
    mailbox.save_message(save(message)).unwrap();
    tell("copied", started);
    store.close().unwrap();
    let files = std::fs::read_dir(dir.join("log")).unwrap();
    let bytes: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    let most = steps * STEP as u64 * 102 / 100 + (1 << 20);
    println!("the log has {bytes} bytes");
    assert!(bytes < most, "{bytes} bytes for {most}");
    drop((mailbox, store));
    let started = Instant::now();
    let store = Store::open(dir, StoreOptions::default()).unwrap();
    check(&store.blob_reader(blob).unwrap(), steps);
    tell("opened and read", started);
}

/// `ROPEWALK_LARGE=1 cargo test --release -p ropewalk-store streams -- --nocapture` does it with 1 GiB.
#[test]
fn a_large_attachment_streams_through_in_little_memory() {
    let large = std::env::var_os("ROPEWALK_LARGE").is_some();
    let bytes: u64 = if large { 1 << 30 } else { 80 << 20 };
    if let Some(dir) = std::env::var_os("ROPEWALK_STREAM_IN_CHILD") {
        stream(Path::new(&dir), bytes / STEP as u64);
        assert!(peak() < MEMORY, "{} bytes of memory", peak());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let name = "tests::streams::a_large_attachment_streams_through_in_little_memory";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("ROPEWALK_STREAM_IN_CHILD", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    println!("{said}");
    let failed = String::from_utf8_lossy(&child.stderr);
    let passed = child.status.success() && said.contains("1 passed");
    assert!(passed, "{said}\n{failed}");
}
