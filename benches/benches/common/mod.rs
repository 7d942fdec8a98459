//! What the measurements over the wire share: a server process, an echo to hold it against, and
//! times.

#![allow(dead_code)] // Each of them uses a part.

pub mod echo;
pub mod inbox;
pub mod stopwatch;

use std::{
    env,
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use ropewalk_tests::{client::Client, server::TestServer};
use serde_json::json;

/// The server as it is released.
const BINARY: &str = env!("CARGO_BIN_EXE_ropewalk-under-bench");
pub const EMAIL: &str = "ada@example.test";
const PASSWORD: &str = "counterweight";

/// The number behind an argument.
pub fn value_of(args: &[String], name: &str) -> Option<usize> {
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1)?.parse().ok()
}

/// A directory on the disk that the program was built on, which a temporary one may not be.
pub fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory on the disk")
}

/// Runs a command on a data directory, with `input` on standard input.
fn ropewalk(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(BINARY)
        .args(args)
        .arg("--data-dir")
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ropewalk runs");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A command that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("ropewalk ends")
}

/// Adds the one user.
pub fn add_user(dir: &Path) {
    let added = ropewalk(dir, &["user", "add", EMAIL, "--password-stdin"], PASSWORD);
    assert!(added.status.success(), "user add: {added:?}");
}

/// A server process with one user.
pub struct Server {
    pub process: TestServer,
    user_dn: String,
}

impl Server {
    /// Starts on a data directory that has the user; under what `ROPEWALK_BENCH_UNDER` says, such as
    /// `valgrind --tool=callgrind`.
    pub fn start(dir: &Path) -> Self {
        let shown = ropewalk(dir, &["user", "show", EMAIL, "--json"], "");
        let user: serde_json::Value =
            serde_json::from_slice(&shown.stdout).expect("user show prints JSON");
        let user_dn = user["legacy_dn"].as_str().expect("legacy_dn").to_owned();
        let mut command = match env::var("ROPEWALK_BENCH_UNDER") {
            Ok(under) => {
                let mut words = under.split_whitespace();
                let mut command = Command::new(words.next().expect("a command"));
                command.args(words).arg(BINARY);
                command
            }
            Err(_) => Command::new(BINARY),
        };
        command
            .arg("serve")
            .args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(dir);
        let process = TestServer::spawn(command, dir);
        Self { process, user_dn }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.process.http(), EMAIL, PASSWORD, &self.user_dn).expect("Connect")
    }
}

/// What something takes.
pub fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Times `ours` and `theirs` in turns of `turn`, so that whatever else the machine does meets both.
pub fn in_turns(
    count: usize,
    turn: usize,
    mut ours: impl FnMut(),
    mut theirs: impl FnMut(),
) -> (Times, Times) {
    let (mut a, mut b) = (Turns::default(), Turns::default());
    while a.all.len() < count {
        a.take(turn, &mut ours);
        b.take(turn, &mut theirs);
    }
    (a.into(), b.into())
}

/// Times of one kind of work, turn by turn.
#[derive(Default)]
struct Turns {
    all: Vec<Duration>,
    medians: Vec<Duration>,
}

impl Turns {
    fn take(&mut self, turn: usize, mut work: impl FnMut()) {
        let mut times: Vec<_> = (0..turn).map(|_| timed(&mut work)).collect();
        times.sort_unstable();
        self.medians.push(times[times.len() / 2]);
        self.all.append(&mut times);
    }
}

impl From<Turns> for Times {
    fn from(turns: Turns) -> Self {
        Self {
            medians: turns.medians,
            ..Self::new(turns.all)
        }
    }
}

/// Sorted times of one kind of work.
pub struct Times {
    all: Vec<Duration>,
    /// That of each turn, in the order in which they were taken.
    medians: Vec<Duration>,
}

impl Times {
    pub fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self {
            all: times,
            medians: Vec::new(),
        }
    }

    /// By how much this is more than `theirs`. What is taken in turns is compared turn by turn, since the
    /// machine is faster or slower from one moment to the next, and the median of that is told.
    fn ratio(&self, theirs: &Self) -> f64 {
        let turns = self.medians.iter().zip(&theirs.medians);
        let mut ratios: Vec<f64> = turns
            .map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64())
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        match ratios.get(ratios.len() / 2) {
            Some(ratio) => *ratio,
            None => self.p50() / theirs.p50(),
        }
    }

    /// Microseconds that so many per mille of all took at most.
    fn at(&self, per_mille: usize) -> f64 {
        let index = (self.all.len() - 1) * per_mille / 1_000;
        self.all[index].as_nanos() as f64 / 1_000.0
    }

    fn p50(&self) -> f64 {
        self.at(500)
    }

    fn p99(&self) -> f64 {
        self.at(990)
    }
}

/// What was measured, beside its baseline.
pub struct Outcome {
    pub name: String,
    pub ours: Times,
    /// What the baseline is.
    pub baseline: String,
    pub theirs: Times,
    /// Of work on so many bytes, to tell how many pass in a second.
    pub bytes: Option<usize>,
}

impl Outcome {
    fn json(&self) -> serde_json::Value {
        json!({
            "name": self.name,
            "samples": self.ours.all.len(),
            "p50_us": self.ours.p50(),
            "p99_us": self.ours.p99(),
            "baseline": self.baseline,
            "baseline_p50_us": self.theirs.p50(),
            "baseline_p99_us": self.theirs.p99(),
            "ratio": self.ours.ratio(&self.theirs),
            "bytes": self.bytes,
        })
    }

    fn print(&self) {
        let (ours, theirs) = (&self.ours, &self.theirs);
        println!(
            "{}: p50 {:.1} us, p99 {:.1} us; {}: p50 {:.1} us, p99 {:.1} us; ratio {:.2}",
            self.name,
            ours.p50(),
            ours.p99(),
            self.baseline,
            theirs.p50(),
            theirs.p99(),
            ours.ratio(theirs)
        );
        if let Some(bytes) = self.bytes {
            // Bytes per microsecond are megabytes per second.
            let rate = |times: &Times| bytes as f64 / times.p50();
            println!("  {:.0} MB/s beside {:.0} MB/s", rate(ours), rate(theirs));
        }
    }
}

/// Prints each outcome as it comes, or all as JSON.
pub fn report(json: bool, outcomes: impl Iterator<Item = Outcome>) {
    if json {
        let all: Vec<_> = outcomes.map(|outcome| outcome.json()).collect();
        println!("{}", json!({ "results": all }));
    } else {
        outcomes.for_each(|outcome| outcome.print());
    }
}

/// A child process that goes with its owner.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
