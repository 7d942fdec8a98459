//! A large store: how long opening takes, and how much memory it wants when nobody does anything.
//!
//! ```text
//! cargo run --release -p ropewalk-store-benches --bin scale -- --gib 10
//! cargo run --release -p ropewalk-store-benches --bin scale -- --messages 1000000
//! ```
//!
//! With `--gib`: mixed mail in 20 mailboxes until the log has so many GiB, without waiting for the disk; closed;
//! the operating system's caches are dropped (needs root; it says so if it may not). Then a new process opens
//! the store (target: under 2 s), and another one with the caches warm. Beside them: reading all of the index
//! directory, cold and warm, which is what an engine that loads its index whole would take at least.
//!
//! With `--messages`: that many messages of 1 KB in 100 mailboxes; closed; a new process opens the store, loads
//! all mailboxes (target: under 100 MB of memory with 1 million messages), then opens the largest folder of one.
//!
//! With `--compact`: after that the store is compacted; its size beside the bytes of all property values
//! (target: at most 1.25 times).

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use ropewalk_store::{ContentsView, Durability};
use ropewalk_store_benches::{
    INBOX, Rng, add_user, all_now, arg, disk_bytes, drop_caches, guid_of, has_arg, mail, mib, open,
    peak, resident, scratch,
};

/// Fills a store; prints what was put in.
fn make(dir: &Path) {
    let limit = arg::<u64>("--gib").map_or(u64::MAX, |gib| gib << 30);
    let messages = arg::<u64>("--messages").unwrap_or(u64::MAX);
    let mixed = limit < u64::MAX;
    let users = if mixed { 20 } else { 100 };
    let start = Instant::now();
    let store = open(dir, Durability::None);
    let mailboxes: Vec<_> = (0..users).map(|n| add_user(&store, n)).collect();
    let pool = mail::Pool::default();
    let mut rng = Rng(3);
    let (mut count, mut raw) = (0, 0);
    'full: loop {
        for mailbox in &mailboxes {
            if count >= messages || raw >= limit {
                break 'full;
            }
            let some = (0..100).map(|_| match mixed {
                true => pool.mixed(&mut rng),
                false => pool.message(&mut rng, 1_000, 0),
            });
            let some: Vec<_> = some.collect();
            raw += some.iter().map(mail::raw_bytes).sum::<u64>();
            count += some.len() as u64;
            let saves = some.into_iter().map(|message| mail::save(INBOX, message));
            mailbox
                .save_messages(saves.collect())
                .expect("they are saved");
        }
    }
    store.close().expect("the store closes");
    println!(
        "made in {:.0} s: {count} messages, {:.0} MiB of values, {:.0} MiB on disk (index {:.0}), peak {:.0} MiB of memory",
        start.elapsed().as_secs_f64(),
        mib(raw),
        mib(disk_bytes(dir)),
        mib(disk_bytes(&dir.join("index"))),
        mib(peak())
    );
}

/// Opens a store and looks around; prints times and memory.
fn look(dir: &Path) {
    let start = Instant::now();
    let store = open(dir, Durability::Always);
    let opened = start.elapsed();
    let report = store.recovery();
    println!(
        "  opened in {:.3} s, {} frames replayed, rebuilt: {}; {:.0} MiB of memory",
        opened.as_secs_f64(),
        report.frames_replayed,
        report.index_rebuilt,
        mib(resident())
    );
    let start = Instant::now();
    let users = store.users().len();
    let mailboxes: Vec<_> = (0..users)
        .map(|n| store.mailbox(guid_of(n)).expect("the mailbox is there"))
        .collect();
    println!(
        "  {users} mailboxes loaded in {:.3} s; {:.0} MiB of memory",
        start.elapsed().as_secs_f64(),
        mib(resident())
    );
    let start = Instant::now();
    let contents = mailboxes[0].contents(INBOX, ContentsView::Normal);
    let contents = contents.expect("the folder is there");
    println!(
        "  a folder of {} opened in {:.3} s; {:.0} MiB of memory",
        contents.len(),
        start.elapsed().as_secs_f64(),
        mib(resident())
    );
    store.close().expect("the store closes");
}

/// Reads all files of a directory and those below it.
fn read_all(dir: &Path) -> u64 {
    let mut bytes = 0;
    let mut buffer = vec![0; 1 << 20];
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            bytes += read_all(&entry.path());
            continue;
        }
        let Ok(mut file) = fs::File::open(entry.path()) else {
            continue;
        };
        while let Ok(read @ 1..) = file.read(&mut buffer) {
            bytes += read as u64;
        }
    }
    bytes
}

/// Compacts; prints the size beside the bytes of all values.
fn compact(dir: &Path) {
    let store = open(dir, Durability::Always);
    let values: u64 = store
        .users()
        .iter()
        .filter_map(|user| store.mailbox(user.mailbox_guid).ok()?.folder(INBOX))
        .map(|folder| folder.counts.size)
        .sum();
    let start = Instant::now();
    let report = store
        .compact(all_now(), &mut |_| {})
        .expect("it is compacted");
    println!(
        "compacted in {:.1} s: {:.0} MiB of log, checkpoint included ({:.0}), for {:.0} MiB of values: {:.3}; {:.0} MiB of memory at most",
        start.elapsed().as_secs_f64(),
        mib(report.bytes_after),
        mib(report.checkpoint_bytes),
        mib(values),
        report.bytes_after as f64 / values as f64,
        mib(peak())
    );
    store.close().expect("the store closes");
    let all = disk_bytes(dir);
    println!(
        "  on disk {:.0} MiB, index included: {:.3}",
        mib(all),
        all as f64 / values as f64
    );
}

fn child(task: &str, dir: &Path) {
    let status = Command::new(std::env::current_exe().expect("the path of this program"))
        .args(["--task", task, "--in"])
        .arg(dir)
        .args(std::env::args().skip(1))
        .status();
    assert!(status.expect("it runs").success(), "{task} failed");
}

fn cold() {
    match drop_caches() {
        Ok(()) => println!("caches dropped:"),
        Err(error) => println!("caches could not be dropped ({error}); warm:"),
    }
}

fn main() {
    let dir: PathBuf = arg("--in").unwrap_or_default();
    match arg::<String>("--task").as_deref() {
        Some("make") => return make(&dir),
        Some("look") => return look(&dir),
        _ => {}
    }
    let scratch = scratch();
    let dir = scratch.path();
    child("make", dir);
    cold();
    child("look", dir);
    cold();
    for how in ["cold or as above", "warm"] {
        let start = Instant::now();
        let bytes = read_all(&dir.join("index"));
        println!(
            "  reading the index's files ({:.0} MiB), {how}: {:.3} s",
            mib(bytes),
            start.elapsed().as_secs_f64()
        );
    }
    println!("caches warm:");
    child("look", dir);
    if has_arg("--compact") {
        compact(dir);
    }
}
