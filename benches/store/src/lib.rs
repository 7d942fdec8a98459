//! What the measurements of the store share: random numbers, mail, and looks at the process and the
//! disk.
//!
//! Each program and bench says in its head what it measures, beside which baseline, and how it is run;
//! `benches/README.md` lists them.

pub mod counting;
pub mod mail;

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ropewalk_store::{
    CompactOptions, Durability, FolderKind, Mailbox, NewUser, Store, StoreOptions, TemplateFolder,
    props::{Bag, GlobCnt, Guid, PropValue, tags},
};

/// Where most messages are.
pub const INBOX: GlobCnt = GlobCnt(2);
/// Where some are moved.
pub const OTHER: GlobCnt = GlobCnt(3);

/// Splitmix64: the same numbers from the same seed, everywhere.
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// At least 0, below 1.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Of the standard normal distribution (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.unit(), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

/// The value behind an argument of the program, such as `--minutes 10`.
pub fn arg<T: FromStr>(name: &str) -> Option<T> {
    let mut args = env::args().skip_while(|arg| arg != name);
    args.next();
    args.next()?.parse().ok()
}

/// Whether the program has this argument.
pub fn has_arg(name: &str) -> bool {
    env::args().any(|arg| arg == name)
}

/// A new directory that goes with its owner: below `--dir` or `ROPEWALK_BENCH_DIR`, else below the
/// target directory, which is on a disk where the place for temporary files may be in memory.
pub fn scratch() -> tempfile::TempDir {
    let named =
        arg::<PathBuf>("--dir").or_else(|| env::var_os("ROPEWALK_BENCH_DIR").map(Into::into));
    let below = named.unwrap_or_else(target_tmp);
    fs::create_dir_all(&below).expect("a place for the measurements");
    tempfile::tempdir_in(below).expect("a directory")
}

fn target_tmp() -> PathBuf {
    let program = env::current_exe().expect("the path of this program");
    let mut dirs = program.ancestors();
    let target = dirs.find(|dir| dir.join("CACHEDIR.TAG").exists());
    target.map_or_else(|| ".".into(), |target| target.join("tmp"))
}

/// Opens a store with its other options as they are by default.
pub fn open(dir: &Path, durability: Durability) -> Store {
    let options = StoreOptions {
        durability,
        ..StoreOptions::default()
    };
    Store::open(dir, options).expect("the store opens")
}

/// Compaction as it gives back the most, for a store that nobody else uses.
pub fn all_now() -> CompactOptions {
    CompactOptions {
        full: true,
        grace: Duration::ZERO,
        bytes_per_second: None,
    }
}

/// The mailbox of user number `n`.
pub fn guid_of(n: usize) -> Guid {
    let mut guid = [7; 16];
    guid[..8].copy_from_slice(&(n as u64 + 1).to_le_bytes());
    Guid(guid)
}

/// Adds user number `n`, with a root and two folders.
pub fn add_user(store: &Store, n: usize) -> Arc<Mailbox> {
    let folder = |id, parent, kind, name: &str| TemplateFolder {
        id,
        parent,
        kind,
        props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]),
    };
    let root = GlobCnt(1);
    store
        .add_user(NewUser {
            email: format!("bench{n}@example.test"),
            display_name: format!("Bench {n}"),
            legacy_dn: format!("/o=Ropewalk/cn=bench{n}"),
            mailbox_guid: guid_of(n),
            repl_guid: Guid([8; 16]),
            password_hash: String::new(),
            folders: vec![
                folder(root, root, FolderKind::Root, ""),
                folder(INBOX, root, FolderKind::Generic, "Inbox"),
                folder(OTHER, root, FolderKind::Generic, "Other"),
            ],
            receive_folders: Vec::new(),
            store_props: Bag::new(),
        })
        .expect("the user is new");
    store.mailbox(guid_of(n)).expect("the mailbox is there")
}

/// Bytes that a directory takes on the disk.
pub fn disk_bytes(path: &Path) -> u64 {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return 0; // Gone meanwhile.
    };
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    meta.blocks() * 512 + entries.map(|entry| disk_bytes(&entry.path())).sum::<u64>()
}

/// A line of `/proc/self/status` in bytes, such as `VmRSS`.
fn status(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.unwrap_or(0) << 10
}

/// Bytes of memory that this process has now.
pub fn resident() -> u64 {
    status("VmRSS")
}

/// The most that it ever had, or since [`forget_peak`].
pub fn peak() -> u64 {
    status("VmHWM")
}

/// Starts the measurement of the peak anew.
pub fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Processor time of this process so far, all threads, in the kernel too.
pub fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Bytes that this process has written so far, whether they are on the disk yet or not.
pub fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Drops what the operating system has cached of all files; only root may. The error says why not.
pub fn drop_caches() -> io::Result<()> {
    rustix::fs::sync();
    fs::write("/proc/sys/vm/drop_caches", "1")
}

/// Megabytes (of 2^20 bytes), for people.
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Does `work` over and over in `threads` threads for this long; how often a second it was done. The
/// number of the thread is told to `work`.
pub fn rate(threads: usize, time: Duration, work: impl Fn(usize) + Sync) -> f64 {
    let start = Instant::now();
    let done: u64 = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|n| {
                let work = &work;
                scope.spawn(move || {
                    let mut done = 0u64;
                    while start.elapsed() < time {
                        work(n);
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.map(|done| done.expect("no worker panics")).sum()
    });
    done as f64 / start.elapsed().as_secs_f64()
}

/// Times of one kind of work.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// How many took longer than this.
    pub fn over(&self, time: Duration) -> usize {
        self.0.iter().filter(|took| **took > time).count()
    }

    /// All together.
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// Microseconds that so many per mille took at most; sorts them.
    pub fn at(&mut self, per_mille: usize) -> f64 {
        self.0.sort_unstable();
        let index = self.0.len().saturating_sub(1) * per_mille / 1_000;
        let time = self.0.get(index).copied().unwrap_or_default();
        time.as_nanos() as f64 / 1e3
    }
}
