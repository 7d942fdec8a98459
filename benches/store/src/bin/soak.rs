//! The whole store at full write load for minutes: is there a hang, a stall, growth without end, a loss?
//!
//! ```text
//! cargo run --release -p ropewalk-store-benches --bin soak -- \
//!     [--minutes 10] [--threads 32] [--mailboxes 64] [--messages 500]
//! ```
//!
//! Each thread does what users do, as fast as it can, on any of the mailboxes: saves messages (mixed mail, as in
//! `src/mail.rs`), several at once too, writes large values as streams, saves again, marks read, moves, copies,
//! deletes softly and for good, empties folders, reads. Mailboxes stay at about `--messages` messages. The
//! durability is `always`, everything else as by default, compaction included.
//!
//! Every 10 seconds a line: commits per second, the longest of them, how far the index lags, memory, disk beside
//! live bytes. At the end: the longest commit of all, how many took over a second, whether the index was ever
//! distrusted; then every mailbox is compared before and after closing, with the index as it is and with the
//! index deleted. Exit code 1 if anything differs, was lost, or stood still for 30 seconds.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{ExitCode, exit},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use ropewalk_store::{
    ContentsView, Durability, EmptyFolder, Mailbox, Message, Store, StoreError,
    props::{GlobCnt, tags},
};
use ropewalk_store_benches::{
    INBOX, OTHER, Rng, Times, add_user, arg, disk_bytes, guid_of, mail, mib, open, peak, resident,
    scratch,
};

const HANG: Duration = Duration::from_secs(30);
const VIEWS: [ContentsView; 2] = [ContentsView::Normal, ContentsView::SoftDeleted];

struct Shared {
    store: Store,
    pool: mail::Pool,
    mailboxes: Vec<Arc<Mailbox>>,
    keep: usize,
    commits: AtomicU64,
    refused: AtomicU64,
    reads: AtomicU64,
    stop: AtomicBool,
    /// Of the last stretch.
    times: Mutex<Times>,
}

impl Shared {
    /// One commit, timed. That somebody else moved or deleted a message meanwhile is no failure.
    fn commit<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Option<T> {
        let start = Instant::now();
        let done = work();
        let took = start.elapsed();
        match done {
            Ok(done) => {
                self.commits.fetch_add(1, Relaxed);
                self.times.lock().expect("nobody panics").add(took);
                Some(done)
            }
            Err(StoreError::NotFound | StoreError::Conflict) => {
                self.refused.fetch_add(1, Relaxed);
                None
            }
            Err(error) => {
                println!("FAILED: {error}");
                exit(1);
            }
        }
    }

    fn work(&self, thread: u64) {
        let mut rng = Rng(thread + 1);
        while !self.stop.load(Relaxed) {
            let mailbox = &self.mailboxes[rng.below(self.mailboxes.len() as u64) as usize];
            let folder = if rng.below(3) == 0 { OTHER } else { INBOX };
            let contents = mailbox.contents(folder, ContentsView::Normal);
            let contents = contents.expect("the folder is there");
            let ids: Vec<GlobCnt> = contents.iter().map(|entry| entry.id).collect();
            let some = |rng: &mut Rng, most: u64| -> Vec<GlobCnt> {
                let count = 1 + rng.below(most) as usize;
                let start = rng.below(ids.len().max(1) as u64) as usize;
                ids.iter().skip(start).take(count).copied().collect()
            };
            let crowded = ids.len() > self.keep;
            match rng.below(100) {
                0..40 if !crowded => {
                    let message = self.pool.mixed(&mut rng);
                    self.commit(|| mailbox.save_message(mail::save(folder, message)));
                }
                0..40 => {
                    let gone = some(&mut rng, 10);
                    self.commit(|| mailbox.delete_messages(folder, &gone, true));
                }
                40..44 if !crowded => {
                    let messages = (0..10).map(|_| mail::save(folder, self.pool.mixed(&mut rng)));
                    let messages = messages.collect();
                    self.commit(|| mailbox.save_messages(messages));
                }
                44..47 if !crowded => self.stream(&mut rng, mailbox, folder),
                40..57 => {
                    let read = rng.below(2) == 0;
                    let changed = some(&mut rng, 50);
                    self.commit(|| mailbox.set_read(folder, &changed, read));
                }
                57..65 => {
                    let to = if folder == INBOX { OTHER } else { INBOX };
                    let moved = some(&mut rng, 20);
                    self.commit(|| mailbox.move_messages(folder, to, &moved));
                }
                65..68 if !crowded => {
                    let copied = some(&mut rng, 5);
                    self.commit(|| mailbox.copy_messages(folder, folder, &copied));
                }
                65..75 => {
                    let gone = some(&mut rng, 10);
                    self.commit(|| mailbox.delete_messages(folder, &gone, false));
                }
                75..80 => {
                    let deleted = mailbox.contents(folder, ContentsView::SoftDeleted);
                    let deleted = deleted.expect("the folder is there");
                    let gone: Vec<_> = deleted.iter().map(|entry| entry.id).take(100).collect();
                    self.commit(|| mailbox.delete_messages(folder, &gone, true));
                }
                80..85 => {
                    if let Some(id) = some(&mut rng, 1).first() {
                        let mut save = mail::save(folder, self.pool.mixed(&mut rng));
                        save.id = Some(*id);
                        self.commit(|| mailbox.save_message(save));
                    }
                }
                85 if ids.len() * 2 > self.keep => {
                    let how = EmptyFolder {
                        associated: true,
                        hard: rng.below(2) == 0,
                    };
                    self.commit(|| mailbox.empty_folder(folder, how, &|_| false));
                }
                _ => {
                    for id in some(&mut rng, 5) {
                        let Some(entry) = contents.get(id) else {
                            continue;
                        };
                        match mailbox.read_message(entry) {
                            Ok(_) => self.reads.fetch_add(1, Relaxed),
                            // Deleted for good since the folder was looked at, and compacted away.
                            Err(_) if is_gone(mailbox, folder, id) => 0,
                            Err(error) => {
                                println!("FAILED: reading {id:?}: {error}");
                                exit(1);
                            }
                        };
                    }
                }
            }
        }
    }

    /// A message whose large value comes as a stream.
    fn stream(&self, rng: &mut Rng, mailbox: &Mailbox, folder: GlobCnt) {
        let mut writer = self.store.blob_writer();
        let len = rng.below(400 << 10);
        let piece: Vec<u8> = (0..4096).flat_map(|_| rng.number().to_le_bytes()).collect();
        while writer.len() < len {
            let at = writer.len();
            if let Err(error) = writer.write_at(at, &piece) {
                println!("FAILED: {error}");
                exit(1);
            }
        }
        let mut message = self.pool.message(rng, 2048, 0);
        self.commit(|| {
            let blob = writer.finish()?;
            message.props.set_external(tags::PID_TAG_HTML, blob);
            mailbox.save_message(mail::save(folder, message))
        });
    }
}

fn is_gone(mailbox: &Mailbox, folder: GlobCnt, id: GlobCnt) -> bool {
    matches!(mailbox.entry(folder, id), Ok(None))
}

/// Bytes of the values of all messages, soft-deleted ones included.
fn live(mailboxes: &[Arc<Mailbox>]) -> u64 {
    let folders = mailboxes
        .iter()
        .flat_map(|mailbox| [INBOX, OTHER].map(|folder| (mailbox, folder)));
    folders
        .flat_map(|(mailbox, folder)| VIEWS.map(|view| mailbox.contents(folder, view)))
        .flatten()
        .map(|contents| contents.iter().map(|entry| entry.size).sum::<u64>())
        .sum()
}

/// What a mailbox holds: of each message its change number, its state, and a sum over its content, large
/// values included.
type Seen = BTreeMap<(usize, GlobCnt, bool, GlobCnt), (GlobCnt, GlobCnt, bool, u64)>;

fn look(store: &Store, mailboxes: usize) -> Seen {
    let mut seen = Seen::new();
    for n in 0..mailboxes {
        let mailbox = store.mailbox(guid_of(n)).expect("the mailbox is there");
        for folder in [INBOX, OTHER] {
            for view in VIEWS {
                let contents = mailbox.contents(folder, view).expect("the folder is there");
                for entry in contents.iter() {
                    let stored = mailbox.read_message(entry);
                    let stored = stored.unwrap_or_else(|error| {
                        println!("FAILED: {n} {folder:?} {:?}: {error}", entry.id);
                        exit(1);
                    });
                    let sum = content_sum(store, &stored.to_message());
                    let at = (n, folder, entry.soft_deleted, entry.id);
                    seen.insert(at, (entry.cn, entry.read_cn, entry.read, sum));
                }
            }
        }
    }
    seen
}

fn content_sum(store: &Store, message: &Message) -> u64 {
    use ropewalk_store::props::{BagView as _, Slot};
    let attachments = message.attachments.iter().map(|row| &row.props);
    let mut sum = 0u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            sum = sum.rotate_left(5).wrapping_add(u64::from(*byte));
        }
    };
    for bag in [&message.props].into_iter().chain(attachments) {
        for (_, slot) in bag.iter() {
            match slot {
                Slot::Inline(value) => add(value.data),
                Slot::External(blob) => {
                    let reader = store.blob_reader(blob).expect("the large value is there");
                    let mut bytes = vec![0; blob.len as usize];
                    let read = reader.read_at(0, &mut bytes);
                    assert_eq!(read.expect("it can be read"), bytes.len());
                    add(&bytes);
                }
            }
        }
    }
    sum
}

fn reopened(dir: &Path, mailboxes: usize, before: &Seen, how: &str) -> bool {
    let start = Instant::now();
    let store = open(dir, Durability::Always);
    let took = start.elapsed();
    let report = store.recovery().clone();
    let after = look(&store, mailboxes);
    let same = after == *before && report.fenced.is_empty();
    println!(
        "{how}: opened in {:.2} s ({} frames replayed, rebuilt: {}), {} messages, {}",
        took.as_secs_f64(),
        report.frames_replayed,
        report.index_rebuilt,
        after.len(),
        if same {
            "all as before"
        } else {
            "NOT AS BEFORE"
        }
    );
    store.close().expect("the store closes");
    same
}

fn main() -> ExitCode {
    let minutes: f64 = arg("--minutes").unwrap_or(10.0);
    let threads: u64 = arg("--threads").unwrap_or(32);
    let mailboxes: usize = arg("--mailboxes").unwrap_or(64);
    let dir = scratch();
    let store = open(dir.path(), Durability::Always);
    let shared = Arc::new(Shared {
        mailboxes: (0..mailboxes).map(|n| add_user(&store, n)).collect(),
        store,
        pool: mail::Pool::default(),
        keep: arg("--messages").unwrap_or(500) / 2,
        commits: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        reads: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        times: Mutex::default(),
    });
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let shared = shared.clone();
            thread::spawn(move || shared.work(thread))
        })
        .collect();
    let start = Instant::now();
    let (mut longest, mut slow, mut last, mut moved) = (0.0f64, 0, 0, Instant::now());
    let mut next = Duration::from_secs(10);
    let mut lowest = f64::MAX;
    let mut written = 0;
    while start.elapsed().as_secs_f64() < minutes * 60.0 {
        thread::sleep(Duration::from_millis(200));
        let now = shared.commits.load(Relaxed);
        if now != last {
            (last, moved) = (now, Instant::now());
        } else if moved.elapsed() > HANG {
            println!("HANG: no commit for 30 seconds");
            exit(1);
        }
        if start.elapsed() < next {
            continue;
        }
        next += Duration::from_secs(10);
        let mut times = std::mem::take(&mut *shared.times.lock().expect("nobody panics"));
        let max = times.at(1_000) / 1e3;
        let rate = times.count() as f64 / 10.0;
        longest = longest.max(max);
        lowest = lowest.min(rate);
        slow += times.over(Duration::from_secs(1));
        written = disk_bytes(dir.path());
        println!(
            "{:5.0} s: {rate:.0} commits/s, p50 {:.1} ms, p99 {:.0} ms, longest {max:.0} ms; {:.0} MiB of memory; {:.0} MiB on disk, {}; live {:.0} MiB",
            start.elapsed().as_secs_f64(),
            times.at(500) / 1e3,
            times.at(990) / 1e3,
            mib(resident()),
            mib(written),
            log_line(dir.path()),
            mib(live(&shared.mailboxes)),
        );
    }
    shared.stop.store(true, Relaxed);
    for worker in workers {
        worker.join().expect("no worker panics");
    }
    let commits = shared.commits.load(Relaxed);
    println!(
        "{commits} commits in {:.0} s, {} refused, {} reads; fewest commits per second {lowest:.0}; longest commit {longest:.0} ms, {slow} over 1 s; peak memory {:.0} MiB; {:.0} MiB on disk",
        start.elapsed().as_secs_f64(),
        shared.refused.load(Relaxed),
        shared.reads.load(Relaxed),
        mib(peak()),
        mib(written),
    );
    let before = look(&shared.store, mailboxes);
    let live = live(&shared.mailboxes);
    println!(
        "{} messages of {:.0} MiB of values are there; disk / values {:.2}",
        before.len(),
        mib(live),
        disk_bytes(dir.path()) as f64 / live as f64
    );
    let suspect = |when: &str| {
        let there = dir.path().join("index.suspect").exists();
        if there {
            println!("the index is distrusted {when}");
        }
        there
    };
    let mut good = !suspect("after the load");
    let closing = Instant::now();
    shared.store.close().expect("the store closes");
    println!("closed in {:.2} s", closing.elapsed().as_secs_f64());
    drop(shared);
    good &= !suspect("after closing");
    good &= reopened(dir.path(), mailboxes, &before, "as it is");
    std::fs::remove_dir_all(dir.path().join("index")).expect("there is an index");
    good &= reopened(dir.path(), mailboxes, &before, "without its index");
    println!("{}", if good { "good" } else { "NOT GOOD" });
    ExitCode::from(u8::from(!good))
}

/// What lies in the log.
fn log_line(dir: &Path) -> String {
    let files = std::fs::read_dir(dir.join("log"))
        .into_iter()
        .flatten()
        .flatten();
    let names: Vec<_> = files
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .collect();
    let packs = names
        .iter()
        .filter(|name| name.contains('-') && name.ends_with(".seg"));
    let segments = names
        .iter()
        .filter(|name| !name.contains('-') && name.ends_with(".seg"));
    format!("{} segments, {} packs", segments.count(), packs.count())
}
