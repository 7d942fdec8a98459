//! kill -9 while the store is compacted and backed up beside the server, and while what looks after
//! the store runs as a process of its own.

use std::{
    fs, io,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use ropewalk_tests::{
    client::{Client, Error, Logon},
    command::{command, complaint, done, json, on},
    fixture::{legacy_dn, log_on},
    server::{TestServer, add_user, ropewalk},
};

use super::{
    PASSWORD, USERS, WRITERS,
    model::{Attachment, Random, Writer},
    provision, rounds, seed, sessions,
};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Sent to several mailboxes again and again.
static LARGE: [Attachment; 3] = [
    Attachment {
        seed: 1_000_001,
        length: 1_500_000,
    },
    Attachment {
        seed: 1_000_002,
        length: 700_001,
    },
    Attachment {
        seed: 1_000_003,
        length: 66_000,
    },
];

fn serve(dir: &Path, key: Option<&str>) -> TestServer {
    let mut serve = ropewalk();
    serve
        .args(["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(dir);
    if let Some(key) = key {
        serve.env("ROPEWALK_STORE_KEY", key);
    }
    TestServer::spawn(serve, dir)
}

/// The closed store is whole, as `store verify` sees it.
pub fn whole(dir: &Path, key: Option<&str>, when: &str) {
    let output = on(dir, key, &["store", "verify", "--json"]);
    assert!(output.status.success(), "{when}: {output:?}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["whole"], true, "{when}: {report}");
}

/// Writes until the connection ends.
fn write(writer: &mut Writer, client: &mut Client, logon: &Logon) {
    loop {
        match writer.step(client, logon) {
            Ok(()) => {}
            Err(Error::Io(_)) => break,
            Err(error) => panic!("{}: {error}", writer.name),
        }
    }
}

fn churn(seed: u64, rounds: u64, encrypted: bool) {
    let work = tempfile::tempdir().unwrap();
    let (dir, backups) = (work.path().join("store"), work.path().join("backups"));
    let backup = ["store", "backup", backups.to_str().unwrap()];
    let dns = provision(&dir);
    let mut random = Random(seed);
    let mut key = None;
    let mut server = serve(&dir, key);
    let mut all = sessions(&server, &dns);
    let mut writers: Vec<Writer> = all
        .iter_mut()
        .enumerate()
        .map(|(i, (client, logon))| {
            let mut writer = Writer::new(client, logon, &format!("writer {i}"), seed + i as u64);
            writer.large = &LARGE;
            writer
        })
        .collect();
    let mut upkeep = [0_u64; 2];
    for round in 0..rounds {
        let life = Duration::from_millis(200 + random.below(2500));
        println!("round {round}: {life:?}");
        let killed = AtomicBool::new(false);
        thread::scope(|scope| {
            for (writer, (client, logon)) in writers.iter_mut().zip(&mut all) {
                scope.spawn(move || write(writer, client, logon));
            }
            let looking_after = scope.spawn(|| {
                let mut succeeded = [0; 2];
                while !killed.load(Ordering::Relaxed) {
                    let kinds: [&[&str]; 2] = [&["store", "compact"], &backup];
                    for (args, succeeded) in kinds.into_iter().zip(&mut succeeded) {
                        // Beside a server that was just killed it may open the store itself, which
                        // is another test's business.
                        if killed.load(Ordering::Relaxed) {
                            break;
                        }
                        let output = on(&dir, key, args);
                        if output.status.success() {
                            *succeeded += 1;
                        } else {
                            let said = complaint(&output);
                            assert!(
                                killed.load(Ordering::Relaxed) || said.contains("server"),
                                "{args:?}: {said}"
                            );
                        }
                    }
                }
                succeeded
            });
            // The moment of the kill is the point of the test.
            thread::sleep(life);
            killed.store(true, Ordering::Relaxed);
            server.kill();
            for (sum, more) in upkeep.iter_mut().zip(looking_after.join().unwrap()) {
                *sum += more;
            }
        });
        whole(&dir, key, &format!("round {round}"));
        if random.below(3) == 0 {
            fs::remove_dir_all(dir.join("index")).unwrap();
        }
        if encrypted && round >= 1 {
            key = Some(KEY);
        }
        server = serve(&dir, key);
        all = sessions(&server, &dns);
        for (writer, (client, logon)) in writers.iter_mut().zip(&mut all) {
            writer.verify(client, logon);
        }
    }
    println!("{upkeep:?} compactions and backups went through");
    // What was backed up last has everything, in a store of its own.
    let lsn = json(&dir, key, &backup)["lsn"].as_u64().unwrap();
    server.kill();
    let restored = work.path().join("restored");
    let restore = ["store", "restore", backups.to_str().unwrap()];
    let report = json(&restored, key, &restore);
    assert_eq!(report["lsn"].as_u64(), Some(lsn), "{report}");
    whole(&restored, key, "restored");
    let server = serve(&restored, key);
    let mut all = sessions(&server, &dns);
    for (writer, (client, logon)) in writers.iter_mut().zip(&mut all) {
        writer.verify(client, logon);
        for _ in 0..5 {
            writer.step(client, logon).unwrap();
        }
        writer.verify(client, logon);
    }
    assert_eq!(writers.len(), USERS.len() * WRITERS);
}

#[test]
fn what_was_acknowledged_survives_kill_9_beside_compaction_and_backup() {
    churn(seed(), rounds(5), false);
}

#[test]
fn a_store_that_gets_encrypted_survives_kill_9_beside_compaction_and_backup() {
    churn(seed(), rounds(5), true);
}

/// A store with one writer's messages, closed.
struct Closed {
    _work: tempfile::TempDir,
    dir: std::path::PathBuf,
    backups: std::path::PathBuf,
    dn: String,
    writer: Writer,
    random: Random,
}

impl Closed {
    fn new() -> Self {
        let seed = seed();
        let work = tempfile::tempdir().unwrap();
        let dir = work.path().join("store");
        add_user(&dir, USERS[0], USERS[0], PASSWORD);
        let dn = legacy_dn(&dir, USERS[0]);
        let mut server = serve(&dir, None);
        let (mut client, logon) = log_on(&server, USERS[0], PASSWORD, &dn);
        let mut writer = Writer::new(&mut client, &logon, "writer", seed);
        writer.large = &LARGE;
        for _ in 0..60 {
            writer.step(&mut client, &logon).unwrap();
        }
        server.kill();
        Self {
            dir,
            backups: work.path().join("backups"),
            _work: work,
            dn,
            writer,
            random: Random(seed ^ 0xC105),
        }
    }

    fn backups(&self) -> &str {
        self.backups.to_str().unwrap()
    }

    /// All is there, and some of it changes.
    fn verify_and_change(&mut self, dir: &Path, key: Option<&str>) {
        let mut server = serve(dir, key);
        let (mut client, logon) = log_on(&server, USERS[0], PASSWORD, &self.dn);
        self.writer.verify(&mut client, &logon);
        for _ in 0..8 {
            self.writer.step(&mut client, &logon).unwrap();
        }
        if self.random.below(2) == 0 {
            server.kill();
        } else {
            assert!(server.stop().success());
        }
    }

    /// Runs a command and kills it at a random moment of `within`; true if it was not done yet.
    fn killed(&mut self, dir: &Path, key: Option<&str>, args: &[&str], within: Duration) -> bool {
        let moment = self.random.below(within.as_micros() as u64 + 1);
        let mut child = command(dir, key, args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_micros(moment));
        let _ = child.kill();
        let done = end(&mut child);
        println!("{args:?} killed after {moment} us: done {done}");
        !done
    }
}

/// Whether it had succeeded; panics if it had failed by itself.
fn end(child: &mut Child) -> bool {
    let status = child.wait().unwrap();
    let mut said = String::new();
    let mut stderr = child.stderr.take().unwrap();
    io::Read::read_to_string(&mut stderr, &mut said).unwrap();
    assert!(
        status.code().is_none_or(|code| code == 0),
        "{status}: {said}"
    );
    status.success()
}

/// How long a command takes that runs to its end.
fn time(dir: &Path, key: Option<&str>, args: &[&str]) -> Duration {
    let start = Instant::now();
    done(dir, key, args);
    start.elapsed()
}

#[test]
fn upkeep_killed_as_a_process_of_its_own_leaves_the_store_whole() {
    let mut closed = Closed::new();
    let dir = closed.dir.clone();
    let backups = closed.backups().to_owned();
    let kinds: [&[&str]; 4] = [
        &["store", "compact"],
        &["store", "backup", &backups],
        &["store", "rebuild"],
        &["store", "verify"],
    ];
    for args in kinds {
        let took = time(&dir, None, args);
        for round in 0..rounds(3) {
            closed.killed(&dir, None, args, took);
            whole(&dir, None, &format!("{args:?}, round {round}"));
            closed.verify_and_change(&dir, None);
        }
    }
    // A backup after those that were killed.
    json(&dir, None, &["store", "backup", &backups]);
    let restored = closed.dir.with_file_name("restored");
    done(&restored, None, &["store", "restore", &backups]);
    whole(&restored, None, "restored");
    closed.verify_and_change(&restored, None);
}

#[test]
fn a_new_key_that_is_killed_in_its_middle_leaves_the_store_readable_with_it() {
    let mut closed = Closed::new();
    let dir = closed.dir.clone();
    let args = ["store", "compact", "--new-key"];
    let took = time(&dir, Some(KEY), &args);
    for round in 0..rounds(6) {
        closed.killed(&dir, Some(KEY), &args, took);
        whole(&dir, Some(KEY), &format!("round {round}"));
        closed.verify_and_change(&dir, Some(KEY));
    }
    done(&dir, Some(KEY), &args);
    closed.verify_and_change(&dir, Some(KEY));
    let refused = on(&dir, None, &["user", "list"]);
    assert!(complaint(&refused).contains("key"), "{refused:?}");
}

#[test]
fn a_restore_that_is_killed_is_never_taken_for_a_store() {
    let mut closed = Closed::new();
    let dir = closed.dir.clone();
    let backups = closed.backups().to_owned();
    json(&dir, None, &["store", "backup", &backups]);
    let expected = json(&dir, None, &["store", "stats"])["mailboxes"].clone();
    let args = ["store", "restore", &backups];
    let took = time(&dir.with_file_name("first"), None, &args);
    for round in 0..rounds(6) {
        let restored = dir.with_file_name(format!("restored-{round}"));
        let unfinished = closed.killed(&restored, None, &args, took);
        let users = on(&restored, None, &["user", "list"]);
        let all_there = users.status.success();
        if all_there {
            // It was killed after the last step.
            whole(&restored, None, "a restore that was killed at its end");
            let stats = json(&restored, None, &["store", "stats"]);
            assert_eq!(stats["mailboxes"], expected, "round {round}");
        } else {
            assert!(unfinished);
            let said = complaint(&users);
            println!("{said}");
            // Emptied, the directory can be filled.
            let _ = fs::remove_dir_all(&restored);
            done(&restored, None, &args);
            whole(&restored, None, "restored again");
        }
    }
}
