//! What a durable commit of a message of 4 KiB takes.
//!
//! `cargo bench -p ropewalk-store-benches --bench commit`
//!
//! - One thread, beside a bare write and fdatasync of as many bytes at the end of a file in the same
//!   directory, in turns of 20 (target: at most 1.3 times). The bare file twice: as it is, and with space
//!   taken ahead as the log does.
//! - 32 threads with a mailbox each, beside one thread (target: at least 8 times the commits per second).

use std::{
    cell::{Cell, RefCell},
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use ropewalk_store::{Durability, Message, props::PropTag, props::PropType, props::PropValue};
use ropewalk_store_benches::{INBOX, Times, add_user, cpu, mail, open, rate, scratch};
use rustix::fs::{FallocateFlags, fallocate};

const TURNS: usize = 100;
const TURN: usize = 20;
const THREADS: usize = 32;
/// Space is taken ahead in such steps.
const AHEAD: u64 = 8 << 20;

fn message() -> Message {
    let mut message = Message::default();
    for id in 0..20 {
        let tag = PropTag::new(0x1000 + id, PropType::STRING);
        message.props.set(tag, &PropValue::text(&"x".repeat(102)));
    }
    message
}

/// A file that is appended to.
struct Bare {
    file: File,
    at: Cell<u64>,
    ahead: Option<Cell<u64>>,
    bytes: Vec<u8>,
}

impl Bare {
    fn new(path: &Path, ahead: bool, len: usize) -> Self {
        Self {
            file: File::create_new(path).expect("a file"),
            at: Cell::new(0),
            ahead: ahead.then(Cell::default),
            bytes: vec![0x5A; len],
        }
    }

    fn append(&self) {
        let at = self.at.get();
        self.at.set(at + self.bytes.len() as u64);
        if let Some(ahead) = &self.ahead
            && self.at.get() > ahead.get()
        {
            fallocate(&self.file, FallocateFlags::KEEP_SIZE, ahead.get(), AHEAD)
                .expect("there is space");
            ahead.set(ahead.get() + AHEAD);
        }
        self.file
            .write_all_at(&self.bytes, at)
            .expect("it is written");
        self.file.sync_data().expect("it is synced");
    }
}

/// Bytes that the log has.
fn log_len(dir: &Path) -> u64 {
    let files = dir.join("log").read_dir().expect("there is a log");
    files
        .flatten()
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum()
}

fn one_thread(c: &mut Criterion) {
    let dir = scratch();
    let store = open(dir.path(), Durability::Always);
    let mailbox = add_user(&store, 0);
    let saved = message();
    let commit = || {
        let saved = mailbox.save_message(mail::save(INBOX, saved.clone()));
        saved.expect("it is saved");
    };
    let before = log_len(dir.path());
    commit();
    let frame = (log_len(dir.path()) - before) as usize;
    let bare = Bare::new(&dir.path().join("bare"), false, frame);
    let ahead = Bare::new(&dir.path().join("ahead"), true, frame);

    let mut group = c.benchmark_group("durable commit of 4 KiB");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(2));
    group.bench_function("store", |b| b.iter(commit));
    group.bench_function("bare", |b| b.iter(|| bare.append()));
    group.bench_function("bare, space taken ahead", |b| b.iter(|| ahead.append()));
    group.finish();

    let times = RefCell::new([Times::default(), Times::default(), Times::default()]);
    let cpus = RefCell::new([Duration::ZERO; 3]);
    let timed = |which: usize, work: &dyn Fn()| {
        let before = cpu();
        for _ in 0..TURN {
            let start = Instant::now();
            work();
            times.borrow_mut()[which].add(start.elapsed());
        }
        cpus.borrow_mut()[which] += cpu() - before;
    };
    for _ in 0..TURNS {
        timed(0, &commit);
        timed(1, &|| bare.append());
        timed(2, &|| ahead.append());
    }
    let mut times = times.into_inner();
    let names = ["store", "bare", "bare, space taken ahead"];
    for ((name, times), cpu) in names.iter().zip(&mut times).zip(cpus.into_inner()) {
        let cpu = cpu.as_secs_f64() * 1e6 / times.count() as f64;
        let mean = times.total().as_secs_f64() * 1e6 / times.count() as f64;
        println!(
            "{name}, {frame} bytes: p50 {:.0} us, p90 {:.0} us, p99 {:.0} us, mean {mean:.0} us, processor {cpu:.0} us",
            times.at(500),
            times.at(900),
            times.at(990),
        );
    }
    let [store_times, bare_times, ahead_times] = &mut times;
    println!(
        "store / bare: {:.2} of p50, {:.2} of all; store / bare with space ahead: {:.2} of p50, {:.2} of all",
        store_times.at(500) / bare_times.at(500),
        store_times.total().as_secs_f64() / bare_times.total().as_secs_f64(),
        store_times.at(500) / ahead_times.at(500),
        store_times.total().as_secs_f64() / ahead_times.total().as_secs_f64(),
    );
    store.close().expect("the store closes");
}

fn many_threads(_: &mut Criterion) {
    let dir = scratch();
    let store = open(dir.path(), Durability::Always);
    let mailboxes: Vec<_> = (0..THREADS).map(|n| add_user(&store, n)).collect();
    let saved = message();
    let commit = |n: usize| {
        let saved = mailboxes[n].save_message(mail::save(INBOX, saved.clone()));
        saved.expect("it is saved");
    };
    let time = Duration::from_secs(2);
    let (mut one, mut many) = (0.0, 0.0);
    for _ in 0..3 {
        let (a, b) = (rate(1, time, commit), rate(THREADS, time, commit));
        println!("1 thread: {a:.0} commits/s; {THREADS} threads: {b:.0} commits/s");
        one += a;
        many += b;
    }
    println!("{THREADS} threads / 1 thread: {:.1}", many / one);
    store.close().expect("the store closes");
}

criterion_group!(benches, one_thread, many_threads);
criterion_main!(benches);
