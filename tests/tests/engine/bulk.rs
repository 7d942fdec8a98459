//! A ROP that touches many messages is one commit.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use ropewalk_tests::{
    client::{Cells as _, Client, Handle},
    command::{done, json},
    fixture::{ADA, PASSWORD, tag},
    server::{TestServer, add_user},
};

use super::house::{dn, eventually, session, setting};

/// An strace that counts what reaches the disk; `None` where there is none or it may not.
struct Trace {
    child: Child,
    file: std::path::PathBuf,
}

impl Trace {
    fn start(pid: u32, file: &Path) -> Option<Self> {
        let child = Command::new("strace")
            .args([
                "-f",
                "-y",
                "-e",
                "trace=fsync,fdatasync,msync,sync_file_range",
            ])
            .arg("-o")
            .arg(file)
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut trace = Self {
            child,
            file: file.to_owned(),
        };
        // Attached once the kernel says so, of every thread.
        for _ in 0..100 {
            thread::sleep(Duration::from_millis(50));
            if trace.child.try_wait().ok()?.is_some() {
                return None;
            }
            let traced = fs::read_dir(format!("/proc/{pid}/task"))
                .ok()?
                .flatten()
                .all(|task| {
                    fs::read_to_string(task.path().join("status"))
                        .is_ok_and(|status| !status.contains("TracerPid:\t0"))
                });
            if traced {
                return Some(trace);
            }
        }
        None
    }

    /// Syncs of the log's segments so far; compaction writes files of other names.
    fn count(&self) -> usize {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let syncs = text
            .lines()
            .filter(|line| line.contains("sync(") && line.contains(".seg>"));
        syncs.count()
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // It lets go of the server at a signal.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", "INT", &pid]).status();
        let _ = self.child.wait();
    }
}

fn import(store: &Path, count: u64) {
    let mut mbox = String::new();
    for n in 0..count {
        let _ = write!(
            mbox,
            "From bob@example.test Mon Nov 23 09:00:00 2026\nFrom: bob@example.test\n\
             Subject: number {n}\n\nA fathom is six feet, and this is number {n}.\n\n"
        );
    }
    let file = store.with_extension("mbox");
    fs::write(&file, mbox).unwrap();
    let file = file.to_str().unwrap();
    done(
        store,
        None,
        &["import", "--user", ADA, "--folder", "Many", file],
    );
}

fn counts(client: &mut Client, folder: Handle) -> (i32, i32) {
    let row = client
        .get_props(folder, &[tag::CONTENT_COUNT, tag::CONTENT_UNREAD_COUNT])
        .unwrap();
    (row.int(0), row.int(1))
}

#[test]
fn many_messages_are_marked_moved_and_emptied_in_one_commit_each() {
    let many = setting("ROPEWALK_ENGINE_MANY", 2_000);
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    add_user(&store, ADA, "Ada", PASSWORD);
    // Without a server, which fsyncs each one.
    import(&store, many);
    let dn = dn(&store);
    let mut server = TestServer::start_in(&store, &[]);
    let (mut client, logon) = session(&server, &dn);
    let client = &mut client;
    let ipm = client
        .open_folder(logon.handle, logon.ipm_subtree())
        .unwrap();
    let (table, _) = client.hierarchy_table(ipm, 0).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::DISPLAY_NAME, tag::FOLDER_ID])
        .unwrap();
    let from_id = rows.iter().find(|row| row.text(0) == "Many").unwrap().id(1);
    let from = client.open_folder(logon.handle, from_id).unwrap();
    let to = client.create_folder(ipm, "Moved").unwrap();
    let (table, _) = client.contents_table(from, 0).unwrap();
    let ids: Vec<u64> = client
        .query_all_rows(table, &[tag::MID])
        .unwrap()
        .iter()
        .map(|row| row.id(0))
        .collect();
    client.release(table).unwrap();
    assert_eq!(ids.len() as u64, many);
    // As many as one ROP of 32 KiB names.
    let some = &ids[..ids.len().min(2_000)];
    let unread = counts(client, from).1;
    println!("{unread} of {many} unread");

    let trace = Trace::start(server.pid(), &work.path().join("trace"));
    let lsn = || {
        let stats = json(&store, None, &["store", "stats"]);
        stats["last_lsn"].as_u64().unwrap()
    };
    let syncs = || trace.as_ref().map_or(0, Trace::count);
    let mut last = lsn();
    // Runs one ROP, and sees that it was one commit and one sync; compaction may look in.
    let mut one_commit = |what: &str, rop: &mut dyn FnMut() -> u8| {
        let before = syncs();
        assert_eq!(rop(), 0, "{what}: PartialCompletion");
        let after = syncs() - before;
        let next = lsn();
        println!("{what}: {after} syncs, {} commits", next - last);
        assert!((1..=4).contains(&(next - last)), "{what}: commits");
        if trace.is_some() {
            assert!((1..=3).contains(&after), "{what}: {after} syncs");
        }
        last = next;
    };
    // All to one state first, if they are read already.
    if unread == 0 {
        one_commit("mark unread", &mut || {
            client.set_read_flags(from, some, 0x05).unwrap()
        });
        assert_eq!(counts(client, from).1 as usize, some.len());
    }
    one_commit("mark read", &mut || {
        client.set_read_flags(from, some, 0x01).unwrap()
    });
    let left = (unread as usize).saturating_sub(some.len());
    assert_eq!(counts(client, from).1 as usize, left);
    one_commit("move", &mut || {
        client
            .move_copy_messages(from, to.handle, some, false)
            .unwrap()
    });
    assert_eq!(counts(client, from).0 as usize, ids.len() - some.len());
    assert_eq!(counts(client, to.handle).0 as usize, some.len());
    one_commit("empty", &mut || {
        client.empty_folder(to.handle, false).unwrap()
    });
    assert_eq!(counts(client, to.handle).0, 0);
    let (table, deleted) = client.contents_table(to.handle, 0x20).unwrap();
    client.release(table).unwrap();
    assert_eq!(deleted as usize, some.len());
    if ids.len() > some.len() {
        one_commit("empty for good", &mut || {
            client.empty_folder(from, true).unwrap()
        });
    }
    drop(trace);
    // It is so after a kill as well.
    server.kill();
    let server = TestServer::start_in(&store, &[]);
    let (mut client, logon) = session(&server, &dn);
    let folder = client.open_folder(logon.handle, to.folder_id).unwrap();
    assert_eq!(counts(&mut client, folder), (0, 0));
    let (_, deleted) = client.contents_table(folder, 0x20).unwrap();
    assert_eq!(deleted as usize, some.len());
    eventually(Duration::from_secs(30), "verify", || {
        json(&store, None, &["store", "verify"])["whole"] == true
    });
}
