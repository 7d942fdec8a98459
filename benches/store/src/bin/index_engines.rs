//! Which engine for the index: each used as `store/src/index` does, with keys and values of its shapes,
//! one writer, batches of at most 512 writes, a flush every half second, a reader beside it.
//!
//! ```text
//! cargo run --release -p ropewalk-store-benches --features compare --bin index_engines -- \
//!     [--messages 400000] [--seconds 60] [--kills 20] [--only sled-0.34|sled-1.0|redb]
//! ```
//!
//! Prints a row of a table for each engine: writes, gets and scanned entries per second; writes per second
//! while messages come, change and go with a reader beside the writer, and the longest call then; memory; bytes
//! on disk beside live bytes, before and after that; how long closing and opening take; and what was left
//! after as many kills with SIGKILL as asked for. Each engine runs in a process of its own; a process in
//! which nothing moves for 30 seconds has hung.

use std::{
    collections::HashMap,
    error::Error,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio, exit},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use ropewalk_store_benches::{
    Rng, Times, arg, cpu, disk_bytes, guid_of, mib, peak, resident, scratch,
};

type Done<T = ()> = Result<T, Box<dyn Error>>;

const ENGINES: [&str; 3] = ["sled-0.34", "sled-1.0", "redb"];
/// As `store/src/index/sled.rs` has it.
const CACHE: usize = 64 << 20;
/// As `store/src/index/apply.rs` has it.
const AT_ONCE: usize = 512;
/// As `store/src/index/writer.rs` has it.
const FLUSH_EVERY: Duration = Duration::from_millis(500);
const HANG: Duration = Duration::from_secs(30);
const MAILBOXES: u64 = 20;
const FOLDERS: u64 = 10;
/// Exit codes of a child.
const HUNG: i32 = 3;
const LOST: i32 = 4;
const DAMAGED: i32 = 5;

/// What the index asks of an engine.
trait Engine: Send {
    /// One for another thread: handles of sled 1.0 belong to one each.
    fn another(&self) -> Box<dyn Engine>;
    fn get(&self, key: &[u8]) -> Done<Option<Vec<u8>>>;
    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done;
    /// Each key with its new value, or `None` to remove it.
    fn apply(&self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Done;
    fn flush(&self) -> Done;
}

#[derive(Clone)]
struct Sled034(sled::Db);

impl Engine for Sled034 {
    fn another(&self) -> Box<dyn Engine> {
        Box::new(self.clone())
    }

    fn get(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        Ok(self.0.get(key)?.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        for pair in self.0.range(from..to) {
            let (key, value) = pair?;
            visit(&key, &value);
        }
        Ok(())
    }

    fn apply(&self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Done {
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        Ok(self.0.apply_batch(batch)?)
    }

    fn flush(&self) -> Done {
        self.0.flush()?;
        Ok(())
    }
}

#[derive(Clone)]
struct Sled10(sled_alpha::Db<1024>);

impl Engine for Sled10 {
    fn another(&self) -> Box<dyn Engine> {
        Box::new(self.clone())
    }

    fn get(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        Ok(self.0.get(key)?.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        for pair in self.0.range::<&[u8], _>(from..to) {
            let (key, value) = pair?;
            visit(&key, &value);
        }
        Ok(())
    }

    fn apply(&self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Done {
        let mut batch = sled_alpha::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        Ok(self.0.apply_batch(batch)?)
    }

    fn flush(&self) -> Done {
        self.0.flush()?;
        Ok(())
    }
}

const TABLE: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("index");

#[derive(Clone)]
struct Redb(Arc<redb::Database>);

impl Redb {
    fn write(&self, durable: bool, writes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Done {
        let mut txn = self.0.begin_write()?;
        if !durable {
            txn.set_durability(redb::Durability::None)?;
        }
        {
            let mut table = txn.open_table(TABLE)?;
            for (key, value) in writes {
                match value {
                    Some(value) => table.insert(key.as_slice(), value.as_slice())?,
                    None => table.remove(key.as_slice())?,
                };
            }
        }
        Ok(txn.commit()?)
    }
}

impl Engine for Redb {
    fn another(&self) -> Box<dyn Engine> {
        Box::new(self.clone())
    }

    fn get(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        use redb::ReadableDatabase as _;
        let table = self.0.begin_read()?.open_table(TABLE)?;
        Ok(table.get(key)?.map(|value| value.value().to_vec()))
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        use redb::ReadableDatabase as _;
        let table = self.0.begin_read()?.open_table(TABLE)?;
        for pair in table.range(from..to)? {
            let (key, value) = pair?;
            visit(key.value(), value.value());
        }
        Ok(())
    }

    fn apply(&self, writes: &[(Vec<u8>, Option<Vec<u8>>)]) -> Done {
        self.write(false, writes)
    }

    fn flush(&self) -> Done {
        self.write(true, &[])
    }
}

fn open(engine: &str, dir: &Path) -> Done<Box<dyn Engine>> {
    Ok(match engine {
        "sled-0.34" => {
            let config = sled::Config::new().path(dir.join("sled"));
            let config = config.cache_capacity(CACHE as u64).flush_every_ms(None);
            Box::new(Sled034(config.open()?))
        }
        "sled-1.0" => {
            let config = sled_alpha::Config::new().path(dir.join("sled"));
            let config = config.cache_capacity_bytes(CACHE).flush_every_ms(None);
            Box::new(Sled10(config.open()?))
        }
        "redb" => {
            let db = redb::Builder::new()
                .set_cache_size(CACHE)
                .create(dir.join("redb"))?;
            let redb = Redb(Arc::new(db));
            redb.write(true, &[])?;
            Box::new(redb)
        }
        other => return Err(format!("no engine is called {other}").into()),
    })
}

/// The key of a message: 10, mailbox, 04, FID, MID.
fn message_key(mailbox: u64, folder: u64, id: u64) -> Vec<u8> {
    let mut key = folder_key(mailbox, folder);
    key.extend_from_slice(&id.to_be_bytes()[2..]);
    key
}

fn folder_key(mailbox: u64, folder: u64) -> Vec<u8> {
    let mut key = vec![0x10];
    key.extend_from_slice(&guid_of(mailbox as usize).0);
    key.push(4);
    key.extend_from_slice(&folder.to_be_bytes()[2..]);
    key
}

fn counter_key(mailbox: u64) -> Vec<u8> {
    let mut key = folder_key(mailbox, 0);
    key.truncate(17);
    key.push(2);
    key
}

const APPLIED: &[u8] = &[1, 2];

/// A value as a message's entry is: some 300 bytes, up to 1,000 now and then, half of them numbers that
/// differ and half what repeats; a check in front.
fn entry(rng: &mut Rng) -> Vec<u8> {
    let len = match rng.below(100) {
        0 => 200 + rng.below(800),
        _ => 200 + rng.below(200),
    } as usize;
    let mut value = vec![0u8; 8];
    while value.len() < len {
        value.extend_from_slice(&rng.number().to_le_bytes());
        value.extend_from_slice(b"\0\0\0s\0u\0\0");
    }
    value.truncate(len);
    let check = check_of(&value[8..]);
    value[..8].copy_from_slice(&check.to_le_bytes());
    value
}

/// FNV-1a.
fn check_of(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

fn is_whole(value: &[u8]) -> bool {
    match value.split_first_chunk::<8>() {
        Some((check, rest)) => u64::from_le_bytes(*check) == check_of(rest),
        None => false,
    }
}

/// Ends the process if `moved` stands still.
fn watch(moved: &'static AtomicU64) {
    thread::spawn(move || {
        let (mut seen, mut since) = (0, Instant::now());
        loop {
            thread::sleep(Duration::from_millis(100));
            let now = moved.load(Relaxed);
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > HANG {
                println!("hang=1");
                exit(HUNG);
            }
        }
    });
}

static MOVED: AtomicU64 = AtomicU64::new(0);

/// The messages that there are, and what writing them takes.
struct Load {
    kv: Box<dyn Engine>,
    rng: Rng,
    live: Vec<(u64, u64, u64)>,
    sizes: HashMap<(u64, u64, u64), u32>,
    live_bytes: u64,
    next: u64,
    flushed: Instant,
    writes: u64,
    calls: Times,
}

impl Load {
    fn put(&mut self, at: (u64, u64, u64)) -> (Vec<u8>, Option<Vec<u8>>) {
        let (key, value) = (message_key(at.0, at.1, at.2), entry(&mut self.rng));
        let bytes = (key.len() + value.len()) as u32;
        let old = self.sizes.insert(at, bytes).unwrap_or(0);
        self.live_bytes = self.live_bytes + u64::from(bytes) - u64::from(old);
        (key, Some(value))
    }

    fn new_message(&mut self) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mailbox, folder) = (self.rng.below(MAILBOXES), self.rng.below(FOLDERS));
        self.next += 2;
        let at = (mailbox, folder, self.next);
        self.live.push(at);
        self.put(at)
    }

    fn apply(&mut self, mut writes: Vec<(Vec<u8>, Option<Vec<u8>>)>) -> Done {
        // What changes with every batch.
        let mailbox = self.rng.below(MAILBOXES);
        writes.push((counter_key(mailbox), Some(entry(&mut self.rng))));
        writes.push((APPLIED.to_vec(), Some(entry(&mut self.rng))));
        self.writes += writes.len() as u64;
        let start = Instant::now();
        self.kv.apply(&writes)?;
        self.calls.add(start.elapsed());
        MOVED.fetch_add(1, Relaxed);
        if self.flushed.elapsed() >= FLUSH_EVERY {
            let start = Instant::now();
            self.kv.flush()?;
            self.calls.add(start.elapsed());
            self.flushed = Instant::now();
            MOVED.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    /// A batch of new, changed and removed messages, as many there as before.
    fn churn(&mut self) -> Done {
        let count = 1 + self.rng.below(AT_ONCE as u64 - 2);
        let mut writes = Vec::new();
        for _ in 0..count {
            let pick = self.rng.below(self.live.len() as u64) as usize;
            writes.push(match self.rng.below(10) {
                0..4 => self.new_message(),
                4..8 => {
                    let gone = self.live.swap_remove(pick);
                    let bytes = self.sizes.remove(&gone).unwrap_or(0);
                    self.live_bytes -= u64::from(bytes);
                    (message_key(gone.0, gone.1, gone.2), None)
                }
                _ => self.put(self.live[pick]),
            });
        }
        self.apply(writes)
    }
}

/// Prints what was measured, `name=value` each on a line.
fn measure(engine: &str, dir: &Path) -> Done {
    let messages: u64 = arg("--messages").unwrap_or(400_000);
    let seconds: u64 = arg("--seconds").unwrap_or(60);
    watch(&MOVED);
    let kv = open(engine, dir)?;
    let mut load = Load {
        kv: kv.another(),
        rng: Rng(5),
        live: Vec::new(),
        sizes: HashMap::new(),
        live_bytes: 0,
        next: 0x1_0000,
        flushed: Instant::now(),
        writes: 0,
        calls: Times::default(),
    };
    let (start, before) = (Instant::now(), cpu());
    while (load.live.len() as u64) < messages {
        let writes = (0..AT_ONCE - 2).map(|_| load.new_message()).collect();
        load.apply(writes)?;
    }
    kv.flush()?;
    println!(
        "fill={}",
        load.writes as f64 / start.elapsed().as_secs_f64()
    );
    let each = |before: Duration, count: u64| (cpu() - before).as_secs_f64() * 1e6 / count as f64;
    println!("fill_cpu_us={}", each(before, load.writes));
    println!(
        "fill_disk={}",
        disk_bytes(dir) as f64 / load.live_bytes as f64
    );

    let (start, before) = (Instant::now(), cpu());
    let mut rng = Rng(6);
    for _ in 0..200_000 {
        let at = load.live[rng.below(load.live.len() as u64) as usize];
        let found = kv.get(&message_key(at.0, at.1, at.2))?;
        assert!(found.is_some_and(|value| is_whole(&value)));
        MOVED.fetch_add(1, Relaxed);
    }
    println!("gets={}", 200_000.0 / start.elapsed().as_secs_f64());
    println!("get_cpu_us={}", each(before, 200_000));

    let (start, before) = (Instant::now(), cpu());
    let mut seen = 0u64;
    for mailbox in 0..MAILBOXES {
        for folder in 0..FOLDERS {
            kv.range(
                &folder_key(mailbox, folder),
                &folder_key(mailbox, folder + 1),
                &mut |_, value| {
                    assert!(is_whole(value));
                    seen += 1;
                },
            )?;
            MOVED.fetch_add(1, Relaxed);
        }
    }
    assert_eq!(seen, load.live.len() as u64);
    println!("scan={}", seen as f64 / start.elapsed().as_secs_f64());

    println!("scan_cpu_us={}", each(before, seen));
    (load.writes, load.calls) = (0, Times::default());
    let (start, before) = (Instant::now(), cpu());
    let done = Arc::new(AtomicBool::new(false));
    let reader = thread::spawn({
        let (kv, done) = (kv.another(), done.clone());
        move || -> (u64, Times) {
            let (mut rng, mut times) = (Rng(7), Times::default());
            let mut seen = 0;
            while !done.load(Relaxed) {
                let (mailbox, folder) = (rng.below(MAILBOXES), rng.below(FOLDERS));
                let start = Instant::now();
                let (from, to) = (folder_key(mailbox, folder), folder_key(mailbox, folder + 1));
                let scanned = kv.range(&from, &to, &mut |_, _| seen += 1);
                assert!(scanned.is_ok(), "{scanned:?}");
                times.add(start.elapsed());
                // Folders are read when they are opened, not all the time.
                thread::sleep(Duration::from_millis(20));
            }
            (seen, times)
        }
    });
    let mut most = 0;
    let mut looked = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds) {
        load.churn()?;
        if looked.elapsed() > Duration::from_secs(1) {
            most = most.max(disk_bytes(dir));
            looked = Instant::now();
        }
    }
    let took = start.elapsed();
    done.store(true, Relaxed);
    let (_, mut scans) = reader.join().map_err(|_| "the reader failed")?;
    kv.flush()?;
    println!("churn={}", load.writes as f64 / took.as_secs_f64());
    println!("churn_cpu_us={}", each(before, load.writes));
    println!("churned={}", load.writes);
    println!("call_p99_ms={}", load.calls.at(990) / 1e3);
    println!("call_max_ms={}", load.calls.at(1_000) / 1e3);
    println!("scan_max_ms={}", scans.at(1_000) / 1e3);
    println!("disk_mib={}", mib(disk_bytes(dir)));
    println!("disk={}", disk_bytes(dir) as f64 / load.live_bytes as f64);
    println!("most_disk={}", most as f64 / load.live_bytes as f64);
    println!("live_mib={}", mib(load.live_bytes));
    // What the test itself keeps in memory is the same for all.
    println!("resident_mib={}", mib(resident()));
    println!("peak_mib={}", mib(peak()));
    let start = Instant::now();
    let count = load.live.len();
    drop((load, kv));
    println!("close_ms={}", start.elapsed().as_millis());
    MOVED.fetch_add(1, Relaxed);
    let start = Instant::now();
    let kv = loop {
        match open(engine, dir) {
            Ok(kv) => break kv,
            // sled lets go of its lock some time later.
            Err(_) if start.elapsed() < Duration::from_secs(5) => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(error),
        }
    };
    kv.get(APPLIED)?.ok_or("it is empty")?;
    println!("open_ms={}", start.elapsed().as_millis());
    let mut seen = 0;
    kv.range(&folder_key(0, 0)[..1], &[0x11], &mut |key, _| {
        seen += usize::from(key.len() > 20);
    })?;
    if seen != count {
        println!("missing={}", count as i64 - seen as i64);
        exit(LOST);
    }
    Ok(())
}

/// Batches without end: batch `n` sets as many keys as it has, each to `n`, and 01 02 to `n`; says which
/// are flushed.
fn write_until_killed(engine: &str, dir: &Path) -> Done {
    watch(&MOVED);
    let kv = open(engine, dir)?;
    let mut n = match kv.get(APPLIED)? {
        Some(bytes) => u64::from_le_bytes(bytes.try_into().map_err(|_| "a bad number")?),
        None => 0,
    };
    let mut rng = Rng(n);
    let mut flushed = Instant::now();
    println!("open");
    loop {
        n += 1;
        let mut writes = Vec::new();
        for i in 0..10 + rng.below(400) {
            let folder = rng.below(FOLDERS);
            let key = message_key(n % MAILBOXES, folder, (n << 16) | i);
            writes.push((key, Some(entry(&mut rng))));
            if rng.below(3) == 0 && n > 50 {
                let old = n - 1 - rng.below(50);
                let key = message_key(old % MAILBOXES, folder, (old << 16) | i);
                writes.push((key, None));
            }
        }
        writes.push((counter_key(n % MAILBOXES), Some(n.to_le_bytes().to_vec())));
        writes.push((APPLIED.to_vec(), Some(n.to_le_bytes().to_vec())));
        kv.apply(&writes)?;
        MOVED.fetch_add(1, Relaxed);
        if flushed.elapsed() > Duration::from_millis(100) {
            kv.flush()?;
            println!("{n}");
            flushed = Instant::now();
        }
    }
}

/// After a kill: whether all is whole and what was flushed is there.
fn verify(engine: &str, dir: &Path) -> Done {
    let expected: u64 = arg("--expect").unwrap_or(0);
    watch(&MOVED);
    let start = Instant::now();
    let kv = open(engine, dir)?;
    println!("open_ms={}", start.elapsed().as_millis());
    let number = |key: &[u8]| -> Done<u64> {
        Ok(match kv.get(key)? {
            Some(bytes) => u64::from_le_bytes(bytes.try_into().map_err(|_| "a bad number")?),
            None => 0,
        })
    };
    let reached = number(APPLIED)?;
    if reached < expected {
        println!("lost: {reached} instead of {expected}");
        exit(LOST);
    }
    for mailbox in 0..MAILBOXES {
        // The last batch that wrote to this mailbox, if batches are all or nothing.
        let expected = (reached.saturating_sub(MAILBOXES - 1)..=reached)
            .find(|n| n % MAILBOXES == mailbox && *n > 0);
        let found = number(&counter_key(mailbox))?;
        if reached >= MAILBOXES && Some(found) != expected {
            println!("torn: mailbox {mailbox} is at {found}, not {expected:?}");
            exit(DAMAGED);
        }
    }
    let mut damaged = 0;
    kv.range(&[0x10], &[0x11], &mut |key, value| {
        damaged += usize::from(key.len() > 20 && !is_whole(value));
    })?;
    if damaged > 0 {
        println!("{damaged} damaged values");
        exit(DAMAGED);
    }
    Ok(())
}

fn child(task: &str, engine: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command
        .args(["--task", task, "--engine", engine, "--in"])
        .arg(dir)
        .args(std::env::args().skip(1))
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// What became of an engine after kills.
fn kills(engine: &str, rounds: u64) -> Done<String> {
    let mut rng = Rng(9);
    let mut dir = scratch();
    let mut outcomes: HashMap<String, u64> = HashMap::new();
    let mut opening = Times::default();
    for round in 0..rounds {
        if round % 10 == 0 {
            dir = scratch();
        }
        let mut writer = child("write", engine, dir.path()).spawn()?;
        let stdout = BufReader::new(writer.stdout.take().ok_or("no output")?);
        let last = Arc::new(Mutex::new(None));
        let listener = thread::spawn({
            let last = last.clone();
            move || {
                for line in stdout.lines().map_while(Result::ok) {
                    let number = line.parse::<u64>().unwrap_or(0);
                    *last.lock().expect("nobody panics") = Some(number);
                }
            }
        });
        while last.lock().map_err(|_| "poisoned")?.is_none() && writer.try_wait()?.is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(rng.below(2_000)));
        let early = writer.try_wait()?.is_some();
        writer.kill()?;
        writer.wait()?;
        listener.join().map_err(|_| "the listener failed")?;
        let expected = last.lock().map_err(|_| "poisoned")?.unwrap_or(0);
        let mut check = child("verify", engine, dir.path());
        let check = check.args(["--expect", &expected.to_string()]).output()?;
        let output = String::from_utf8_lossy(&check.stdout);
        for line in output.lines() {
            if let Some(ms) = line.strip_prefix("open_ms=") {
                opening.add(Duration::from_millis(ms.parse()?));
            }
        }
        let outcome = match check.status.code() {
            Some(0) if early => "ended by itself",
            Some(0) => "whole",
            Some(HUNG) => "hang",
            Some(LOST) => "flushed writes lost",
            Some(DAMAGED) => "damaged",
            _ => "not opened",
        };
        if outcome != "whole" {
            let error = String::from_utf8_lossy(&check.stderr);
            let error: Vec<_> = error.lines().take(3).collect();
            eprintln!(
                "{engine}, round {round}: {outcome}: {} {error:?}",
                output.trim()
            );
            dir = scratch();
        }
        *outcomes.entry(outcome.into()).or_default() += 1;
    }
    let mut outcomes: Vec<_> = outcomes.into_iter().collect();
    outcomes.sort();
    let outcomes: Vec<_> = outcomes
        .iter()
        .map(|(what, n)| format!("{what} {n}"))
        .collect();
    let slowest = opening.at(1_000) / 1e3;
    Ok(format!(
        "{}; open at most {slowest:.0} ms",
        outcomes.join(", ")
    ))
}

fn compare() -> Done {
    let rounds: u64 = arg("--kills").unwrap_or(20);
    for engine in ENGINES {
        if arg::<String>("--only").is_some_and(|only| only != engine) {
            continue;
        }
        println!("{engine}");
        let dir = scratch();
        let output = child("measure", engine, dir.path()).output()?;
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            match line.split_once('=') {
                Some((name, value)) => {
                    let value: f64 = value.parse()?;
                    println!("  {name:<14} {value:.2}");
                }
                None => println!("  {line}"),
            }
        }
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            println!("  FAILED {} {error}", output.status);
        }
        println!("  {rounds} kills: {}", kills(engine, rounds)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let (task, engine) = (arg::<String>("--task"), arg::<String>("--engine"));
    let dir: PathBuf = arg("--in").unwrap_or_default();
    let engine = engine.unwrap_or_default();
    let done = match task.as_deref() {
        None => compare(),
        Some("measure") => measure(&engine, &dir),
        Some("write") => write_until_killed(&engine, &dir),
        _ => verify(&engine, &dir),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
