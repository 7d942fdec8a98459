//! Backups made while a client writes: what is restored is what had been acknowledged then.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use ropewalk_tests::{
    client::{Cells as _, Client, Logon},
    command::{complaint, done, json, on},
    fixture::{ADA, PASSWORD, new_folder, tag, text},
    server::{TestServer, add_user},
};

use super::house::{attach, dn, pattern, session};

/// What a client knows of a message: its MID, version and the seed of its attachment, if it has one.
type Known = BTreeMap<u32, (u64, u32, Option<u64>)>;

/// A commit, and what was acknowledged when it was the last one.
struct Point {
    lsn: u64,
    known: Known,
}

struct Writer {
    client: Client,
    logon: Logon,
    folder: u32,
    folder_id: u64,
    known: Known,
    next: u32,
    /// Every MID and change number that a client was told.
    told: BTreeSet<u64>,
}

fn subject(key: u32, version: u32) -> String {
    format!("message {key} version {version}")
}

/// An attachment's content; some are equal, some large.
fn content(seed: u64) -> Vec<u8> {
    let length = if seed.is_multiple_of(3) {
        400_000
    } else {
        20_000
    };
    pattern(seed, length)
}

impl Writer {
    fn learn(&mut self, id: u64) {
        let message = self
            .client
            .open_message(self.logon.handle, self.folder_id, id, 0)
            .unwrap();
        let row = self
            .client
            .get_props(message.handle, &[tag::CHANGE_NUMBER])
            .unwrap();
        self.told.extend([id, row.id(0)]);
        self.client.release(message.handle).unwrap();
    }

    fn step(&mut self) {
        let n = self.next;
        self.next += 1;
        let old = self.known.keys().nth(n as usize / 3).copied();
        match (n % 5, old) {
            (3, Some(key)) => {
                let (id, version, seed) = self.known[&key];
                let message = self
                    .client
                    .open_message(self.logon.handle, self.folder_id, id, 1)
                    .unwrap()
                    .handle;
                let version = version + 1;
                self.client
                    .set_props(message, &[(tag::SUBJECT, text(&subject(key, version)))])
                    .unwrap();
                self.client.save_message(message).unwrap();
                self.client.release(message).unwrap();
                self.known.insert(key, (id, version, seed));
                self.learn(id);
            }
            (4, Some(key)) => {
                let (id, ..) = self.known.remove(&key).unwrap();
                let deleted = if n.is_multiple_of(2) {
                    self.client.delete_messages(self.folder, &[id])
                } else {
                    self.client.hard_delete_messages(self.folder, &[id])
                };
                assert_eq!(deleted.unwrap(), 0);
            }
            _ => {
                let message = self
                    .client
                    .create_message(self.logon.handle, self.folder_id)
                    .unwrap();
                self.client
                    .set_props(message, &[(tag::SUBJECT, text(&subject(n, 0)))])
                    .unwrap();
                let seed = n.is_multiple_of(2).then_some(u64::from(n % 8) + 1);
                if let Some(seed) = seed {
                    attach(&mut self.client, message, &content(seed)).unwrap();
                }
                let id = self.client.save_message(message).unwrap();
                self.client.release(message).unwrap();
                self.known.insert(n, (id, 0, seed));
                self.learn(id);
            }
        }
    }
}

/// The folder on a server is what the client knew.
fn same(server: &TestServer, dn: &str, folder_id: u64, known: &Known, when: &str) {
    let (mut client, logon) = session(server, dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::SUBJECT, tag::MID])
        .unwrap();
    let found: BTreeMap<String, u64> = rows.iter().map(|row| (row.text(0), row.id(1))).collect();
    let expected: BTreeMap<String, u64> = known
        .iter()
        .map(|(key, (id, version, _))| (subject(*key, *version), *id))
        .collect();
    assert_eq!(rows.len(), found.len(), "{when}");
    assert_eq!(found, expected, "{when}");
    for (key, (id, _, seed)) in known {
        let opened = client.open_message(folder, folder_id, *id, 0).unwrap();
        let table = client.attachment_table(opened.handle).unwrap();
        let rows = client.query_all_rows(table, &[tag::ATTACH_NUMBER]).unwrap();
        assert_eq!(rows.len(), usize::from(seed.is_some()), "{when}: {key}");
        if let Some(seed) = seed {
            let attachment = client.open_attachment(opened.handle, 0, 0).unwrap();
            let data = client
                .read_property_stream(attachment, tag::ATTACH_DATA_BINARY)
                .unwrap();
            assert!(data == content(*seed), "{when}: attachment of {key}");
            client.release(attachment).unwrap();
        }
        client.release(table).unwrap();
        client.release(opened.handle).unwrap();
    }
}

fn now() -> String {
    let output = Command::new("date")
        .args(["-u", "+%Y-%m-%dT%H:%M:%SZ"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_is_restored_is_what_was_acknowledged_at_that_commit_or_moment() {
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    let backups = work.path().join("backups");
    let backups = backups.to_str().unwrap();
    add_user(&store, ADA, "Ada", PASSWORD);
    let dn = dn(&store);
    let server = TestServer::start_in(&store, &[]);
    let (mut client, logon) = session(&server, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let mut writer = Writer {
        client,
        logon,
        folder,
        folder_id,
        known: Known::new(),
        next: 1,
        told: BTreeSet::from([folder_id]),
    };
    for _ in 0..12 {
        writer.step();
    }
    // A moment with a second of silence before it.
    thread::sleep(Duration::from_millis(1100));
    let (moment, then) = (now(), writer.known.clone());
    let backed_up = AtomicBool::new(false);
    let mut points = Vec::new();
    thread::scope(|scope| {
        let (writer, points, backed_up, store) = (&mut writer, &mut points, &backed_up, &store);
        scope.spawn(move || {
            for _ in 0..200 {
                writer.step();
                let stats = json(store, None, &["store", "stats"]);
                points.push(Point {
                    lsn: stats["last_lsn"].as_u64().unwrap(),
                    known: writer.known.clone(),
                });
                if backed_up.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for round in 0..4 {
            json(store, None, &["store", "backup", backups]);
            if round == 1 {
                json(store, None, &["store", "compact"]);
            }
        }
        backed_up.store(true, Ordering::Relaxed);
    });
    json(&store, None, &["store", "backup", backups]);
    let list = json(&store, None, &["store", "backup", backups, "--list"]);
    let ranges: Vec<(u64, u64)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let number = |name: &str| entry[name].as_u64().unwrap();
            (number("first_lsn"), number("lsn"))
        })
        .collect();
    println!("{ranges:?}, {} points", points.len());
    let reached = |lsn: u64| {
        ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&lsn))
    };
    let (within, beyond): (Vec<&Point>, Vec<&Point>) =
        points.iter().partition(|point| reached(point.lsn));
    assert!(within.len() > 2, "{ranges:?}");
    let restore = ["store", "restore", backups];
    let mut last = None;
    for i in 0..4 {
        let point = within[i * (within.len() - 1) / 3];
        let restored = work.path().join(format!("restored-{i}"));
        let lsn = point.lsn.to_string();
        let report = json(&restored, None, &[&restore[..], &["--lsn", &lsn]].concat());
        assert_eq!(report["lsn"].as_u64(), Some(point.lsn), "{report}");
        assert_eq!(json(&restored, None, &["store", "verify"])["whole"], true);
        let server = TestServer::start_in(&restored, &[]);
        same(&server, &dn, folder_id, &point.known, &format!("at {lsn}"));
        // Nothing new has a number that a client of the old store may know.
        let (mut client, logon) = session(&server, &dn);
        let folder = client.open_folder(logon.handle, folder_id).unwrap();
        let made = client.create_folder(folder, "new").unwrap().folder_id;
        assert!(!writer.told.contains(&made), "FID {made:#x} at {lsn}");
        for _ in 0..3 {
            let message = client.create_message(folder, folder_id).unwrap();
            let id = client.save_message(message).unwrap();
            assert!(!writer.told.contains(&id), "MID {id:#x} at {lsn}");
            let row = client.get_props(message, &[tag::CHANGE_NUMBER]).unwrap();
            let number = row.id(0);
            assert!(
                !writer.told.contains(&number),
                "change {number:#x} at {lsn}"
            );
            client.release(message).unwrap();
        }
        last = Some(restored);
    }
    let restored = work.path().join("at-a-moment");
    json(
        &restored,
        None,
        &[&restore[..], &["--time", &moment]].concat(),
    );
    let server = TestServer::start_in(&restored, &[]);
    same(&server, &dn, folder_id, &then, &format!("at {moment}"));
    // The restored store is one like any other: it is backed up into a directory of its own.
    drop(server);
    let second = work.path().join("second");
    let (second, restored) = (second.to_str().unwrap(), last.unwrap());
    json(&restored, None, &["store", "backup", second]);
    done(
        &work.path().join("twice"),
        None,
        &["store", "restore", second],
    );
    for point in beyond.iter().take(2) {
        let lsn = point.lsn.to_string();
        let out = work.path().join("beyond");
        let output = on(&out, None, &[&restore[..], &["--lsn", &lsn]].concat());
        complaint(&output);
        assert!(!out.join("log").exists());
    }
}
