//! kill -9 at any moment: what was acknowledged is there and whole afterwards, nothing is half
//! there, counts are right, and identifiers are never used again.
//!
//! `ROPEWALK_KILL9_ROUNDS` sets how often the server is killed, `ROPEWALK_KILL9_SEED` repeats a run.

mod model;
mod operations;
mod upkeep;

use std::{
    collections::HashSet,
    env, fs,
    path::Path,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use model::{Random, Writer};
use ropewalk_tests::{
    client::{Client, Error, Logon, Rop},
    fixture::{legacy_dn, log_on},
    server::{TestServer, add_user},
};

const PASSWORD: &str = "counterweight";
const USERS: [&str; 2] = ["ada@example.test", "bob@example.test"];
/// Writers of each user.
const WRITERS: usize = 2;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn rounds(default: u64) -> u64 {
    number("ROPEWALK_KILL9_ROUNDS").unwrap_or(default)
}

fn seed() -> u64 {
    let seed = number("ROPEWALK_KILL9_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |now| u64::from(now.subsec_nanos()))
    });
    // Shown when the test fails.
    println!("ROPEWALK_KILL9_SEED={seed}");
    seed
}

/// A store with its users; their LegacyDNs.
fn provision(dir: &Path) -> Vec<String> {
    USERS
        .iter()
        .map(|email| {
            add_user(dir, email, email, PASSWORD);
            legacy_dn(dir, email)
        })
        .collect()
}

/// Each writer's own session, on the user it belongs to.
fn sessions(server: &TestServer, dns: &[String]) -> Vec<(Client, Logon)> {
    let mut sessions = Vec::new();
    for (email, dn) in USERS.iter().zip(dns) {
        for _ in 0..WRITERS {
            sessions.push(log_on(server, email, PASSWORD, dn));
        }
    }
    sessions
}

/// Writes with all writers until the server is killed, `rounds` times, and verifies each time.
fn write_kill_verify(rounds: u64, seed: u64, between: impl Fn(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    let dns = provision(dir.path());
    let mut random = Random(seed);
    let mut server = TestServer::start_in(dir.path(), &[]);
    let mut sessions = sessions(&server, &dns);
    let mut writers: Vec<Writer> = sessions
        .iter_mut()
        .enumerate()
        .map(|(i, (client, logon))| {
            Writer::new(client, logon, &format!("writer {i}"), seed + i as u64)
        })
        .collect();
    for round in 0..rounds {
        let life = Duration::from_millis(20 + random.below(500));
        println!("round {round}: {life:?}");
        thread::scope(|scope| {
            for (writer, (client, logon)) in writers.iter_mut().zip(&mut sessions) {
                scope.spawn(move || {
                    loop {
                        match writer.step(client, logon) {
                            Ok(()) => {}
                            Err(Error::Io(_)) => break,
                            Err(error) => panic!("{}: {error}", writer.name),
                        }
                    }
                });
            }
            // The moment of the kill is the point of the test.
            thread::sleep(life);
            server.kill();
        });
        between(dir.path());
        server = TestServer::start_in(dir.path(), &[]);
        sessions = self::sessions(&server, &dns);
        for (writer, (client, logon)) in writers.iter_mut().zip(&mut sessions) {
            writer.verify(client, logon);
        }
        for of_one_user in writers.chunks(WRITERS) {
            let all: HashSet<u64> = of_one_user.iter().flat_map(|w| &w.used).copied().collect();
            let sum: usize = of_one_user.iter().map(|writer| writer.used.len()).sum();
            assert_eq!(all.len(), sum, "two writers have been told the same id");
        }
    }
    let written: usize = writers.iter().map(|writer| writer.used.len()).sum();
    println!("{written} identifiers");
    assert!(written > writers.len() * 2, "the writers wrote nothing");
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    write_kill_verify(rounds(12), seed(), |_| {});
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_the_loss_of_the_index() {
    write_kill_verify(rounds(6), seed(), |dir| {
        let index = dir.join("index");
        assert!(index.is_dir(), "{:?}", entries(dir));
        fs::remove_dir_all(index).unwrap();
    });
}

fn entries(dir: &Path) -> Vec<String> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_save_in_flight_at_kill_9_happens_whole_or_not_at_all() {
    let seed = seed();
    let mut random = Random(seed);
    let dir = tempfile::tempdir().unwrap();
    let dns = provision(dir.path());
    let mut server = TestServer::start_in(dir.path(), &[]);
    let (mut client, mut logon) = log_on(&server, USERS[0], PASSWORD, &dns[0]);
    let mut writer = Writer::new(&mut client, &logon, "in flight", seed);
    for round in 0..rounds(16) {
        // A few that are acknowledged, then one that is not waited for.
        for _ in 0..3 {
            writer.step(&mut client, &logon).unwrap();
        }
        let (key, message) = writer.new_message();
        let handle =
            Writer::prepare(&mut client, &logon, writer.folders[0], key, &message).unwrap();
        let mut after = writer.state.clone();
        after.messages.insert(key, message);
        writer.pending = Some(after);
        let delay = Duration::from_micros(random.below(4000));
        println!("round {round}: {delay:?}");
        let save = Rop::new(0x0C, 0).u8(0).u8(2);
        client.send_execute(&[save], &[handle]).unwrap();
        thread::sleep(delay);
        server.kill();
        server = TestServer::start_in(dir.path(), &[]);
        (client, logon) = log_on(&server, USERS[0], PASSWORD, &dns[0]);
        writer.verify(&mut client, &logon);
    }
}
