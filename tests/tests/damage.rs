//! A log that lost its tail, or holds a byte that is not what was written: the server starts, says
//! so, and never serves what is damaged.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ropewalk_tests::{
    client::{Cells as _, Client, Logon},
    fixture::{ADA, PASSWORD, legacy_dn, log_on, tag, text},
    server::{TestServer, add_user},
};

const MESSAGES: usize = 12;

/// A body that a number decides; every third one is large.
fn body(number: usize) -> Vec<u8> {
    let length = if number.is_multiple_of(3) {
        30_000
    } else {
        700
    };
    (0..length).map(|i| (i * 7 + number * 13) as u8).collect()
}

struct Office {
    dir: tempfile::TempDir,
    dn: String,
    folder_id: u64,
    /// Bytes of the last segment before the first message.
    setup: u64,
}

impl Office {
    /// A folder with [`MESSAGES`] acknowledged messages; the server has been killed.
    fn killed() -> Self {
        let dir = tempfile::tempdir().unwrap();
        add_user(dir.path(), ADA, "Ada Lovelace", PASSWORD);
        let dn = legacy_dn(dir.path(), ADA);
        let mut server = TestServer::start_in(dir.path(), &[]);
        let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
        let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
        let folder = client.create_folder(inbox, "Log").unwrap();
        let setup = fs::metadata(last_segment(dir.path())).unwrap().len();
        for number in 0..MESSAGES {
            let message = client
                .create_message(folder.handle, folder.folder_id)
                .unwrap();
            client
                .set_props(message, &[(tag::SUBJECT, text(&number.to_string()))])
                .unwrap();
            client
                .write_property_stream(message, tag::HTML, &body(number))
                .unwrap();
            client.save_message(message).unwrap();
            client.release(message).unwrap();
        }
        server.kill();
        Self {
            dir,
            dn,
            folder_id: folder.folder_id,
            setup,
        }
    }

    fn start(&self) -> (TestServer, Client, Logon) {
        let server = TestServer::start_in(self.dir.path(), &[]);
        let (client, logon) = log_on(&server, ADA, PASSWORD, &self.dn);
        (server, client, logon)
    }

    /// The numbers of the messages that can be read, each of which has to be whole; the counts of
    /// the folder agree with its rows.
    fn read(&self, client: &mut Client, logon: &Logon) -> Vec<usize> {
        let folder = client.open_folder(logon.handle, self.folder_id).unwrap();
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let rows = client
            .query_all_rows(table, &[tag::MID, tag::SUBJECT])
            .unwrap();
        let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
        assert_eq!(row.int(0) as usize, rows.len());
        let mut numbers = Vec::new();
        for row in rows {
            // A damaged message may still have its row, but no content.
            let Ok(opened) = client.open_message(folder, self.folder_id, row.id(0), 0) else {
                continue;
            };
            let Ok(html) = client.read_property_stream(opened.handle, tag::HTML) else {
                continue;
            };
            let number: usize = row.text(1).parse().unwrap();
            assert!(html == body(number), "message {number} is damaged");
            numbers.push(number);
        }
        numbers.sort_unstable();
        numbers
    }
}

fn last_segment(dir: &Path) -> PathBuf {
    let mut segments: Vec<PathBuf> = fs::read_dir(dir.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    segments.sort();
    segments.pop().expect("there is a log")
}

/// Numbers that look random and are the same in every run.
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

#[test]
fn a_log_that_lost_its_tail_has_everything_before_it() {
    let office = Office::killed();
    let mut state = 1;
    let mut before = MESSAGES;
    for round in 0..6 {
        let segment = last_segment(office.dir.path());
        let length = fs::metadata(&segment).unwrap().len();
        let cut = 1 + random(&mut state, 9_000);
        let left = length.saturating_sub(cut).max(office.setup);
        let file = fs::OpenOptions::new().write(true).open(&segment).unwrap();
        file.set_len(left).unwrap();
        drop(file);
        // The index may know commits that the log has lost, or may be lost itself.
        if round % 2 == 1 {
            fs::remove_dir_all(office.dir.path().join("index")).unwrap();
        }
        let (mut server, mut client, logon) = office.start();
        let numbers = office.read(&mut client, &logon);
        let expected: Vec<usize> = (0..numbers.len()).collect();
        assert_eq!(
            numbers, expected,
            "round {round}: a prefix of what was saved"
        );
        assert!(numbers.len() < before, "round {round}: the last one is cut");
        before = numbers.len();
        if before == 0 {
            break;
        }
        server.kill();
    }
    // The store takes new messages again.
    let (_server, mut client, logon) = office.start();
    let folder = client.open_folder(logon.handle, office.folder_id).unwrap();
    let message = client.create_message(folder, office.folder_id).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, text(&before.to_string()))])
        .unwrap();
    client
        .write_property_stream(message, tag::HTML, &body(before))
        .unwrap();
    client.save_message(message).unwrap();
    assert_eq!(office.read(&mut client, &logon).len(), before + 1);
}

#[test]
fn a_damaged_byte_in_the_log_is_never_served() {
    let office = Office::killed();
    let segment = last_segment(office.dir.path());
    let whole = fs::read(&segment).unwrap();
    let mut state = 7;
    for round in 0..10 {
        let room = whole.len() as u64 - office.setup;
        let at = (office.setup + random(&mut state, room)) as usize;
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << random(&mut state, 8);
        fs::write(&segment, &damaged).unwrap();
        let _ = fs::remove_dir_all(office.dir.path().join("index"));
        let (mut server, mut client, logon) = office.start();
        let numbers = office.read(&mut client, &logon);
        // One byte is in one commit: the others stay.
        assert!(
            numbers.len() + 1 >= MESSAGES,
            "round {round}, byte {at}: only {numbers:?} left\n{}",
            server.log()
        );
        server.kill();
    }
    fs::write(&segment, &whole).unwrap();
    let _ = fs::remove_dir_all(office.dir.path().join("index"));
    let (_server, mut client, logon) = office.start();
    assert_eq!(office.read(&mut client, &logon).len(), MESSAGES);
}
