//! Directories that are not what a store should be: a sentence, exit code 1, nothing changed.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use ropewalk_tests::{
    command::{command, complaint, done, files, json, on},
    fixture::{ADA, PASSWORD, new_folder},
    server::{TestServer, add_user, ropewalk},
};

use super::house::{KEY, dn, message_with, pattern, session};

/// A closed store with a little in it.
fn store(work: &Path, name: &str) -> PathBuf {
    let store = work.join(name);
    add_user(&store, ADA, "Ada", PASSWORD);
    let dn = dn(&store);
    let mut server = TestServer::start_in(&store, &[]);
    let (mut client, logon) = session(&server, &dn);
    let (_, folder_id) = new_folder(&mut client, &logon);
    message_with(&mut client, &logon, folder_id, "one", &pattern(5, 100_000)).unwrap();
    assert!(server.stop().success());
    store
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .args(["-a", "--"])
        .args([from, to])
        .status();
    assert!(status.unwrap().success());
}

/// `serve` that should end by itself; `None` if it did not.
fn serve(store: &Path) -> Option<Output> {
    let mut child = ropewalk()
        .args(["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(store)
        .env_remove("ROPEWALK_STORE_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            return Some(child.wait_with_output().unwrap());
        }
        thread::sleep(Duration::from_millis(50));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

/// Every command refuses the directory, and leaves it as it was.
fn refused_by_all(dir: &Path, what: &str, words: &[&str]) {
    let before = kept(dir);
    let work = tempfile::tempdir().unwrap();
    let backups = work.path().join("backups");
    let backups = backups.to_str().unwrap();
    let output = serve(dir).unwrap_or_else(|| panic!("{what}: it is served"));
    let mut said = vec![complaint(&output)];
    assert_eq!(output.stdout, b"", "{what}: serve");
    for args in [
        &["user", "list"][..],
        &["store", "stats"],
        &["store", "stats", "--json"],
        &["store", "verify"],
        &["store", "verify", "--json"],
        &["store", "compact"],
        &["store", "backup", backups],
        &["store", "rebuild"],
    ] {
        let output = on(dir, None, args);
        println!(
            "{what}: {args:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        // What is damaged can be looked at, and its index made anew: those who ask for it get it.
        said.push(complaint(&output));
        let stdout = String::from_utf8(output.stdout).unwrap();
        if !stdout.is_empty() {
            assert!(args.contains(&"verify"), "{what}: {args:?}: {stdout}");
            if args.contains(&"--json") {
                serde_json::from_str::<serde_json::Value>(&stdout).unwrap();
            }
        }
        assert!(kept(dir) == before, "{what}: {args:?} changed something");
    }
    for said in said {
        let found = words.iter().any(|word| said.contains(word));
        assert!(found, "{what}: {said}");
        for code in ["os error", "Error {", "Err("] {
            assert!(!said.contains(code), "{what}: {said}");
        }
    }
    assert!(!Path::new(backups).join("files").exists(), "{what}");
}

#[test]
fn a_store_of_a_newer_format_is_left_alone() {
    let work = tempfile::tempdir().unwrap();
    let store = store(work.path(), "store");
    let segment = store.join("log/00000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[8] = 3;
    let crc = crc32(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    fs::write(&segment, &bytes).unwrap();
    refused_by_all(&store, "newer", &["newer", "version"]);
    // Whatever the newer version keeps in the rest of the header.
    bytes[60] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    refused_by_all(&store, "newer, another header", &["newer", "not whole"]);
}

/// CRC-32 (IEEE), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn a_store_that_was_copied_in_part_is_left_alone() {
    let work = tempfile::tempdir().unwrap();
    let store = store(work.path(), "store");
    done(&store, None, &["store", "compact"]);
    // A pack, a checkpoint, and a segment now.
    let log: Vec<PathBuf> = files(&store.join("log"))
        .into_iter()
        .map(|(path, _)| path.strip_prefix(&store).unwrap().to_owned())
        .collect();
    assert!(log.len() >= 3, "{log:?}");
    for file in &log {
        let name = file.file_name().unwrap().to_str().unwrap();
        let half = work.path().join(format!("without-{name}"));
        copy(&store, &half);
        fs::remove_file(half.join(file)).unwrap();
        if fs::read_dir(half.join("log")).unwrap().next().is_some() {
            println!("without {name}");
            if name.ends_with(".ckp") {
                // The index has what it had; only if that goes as well, the store is not whole.
                let said = on(&half, None, &["store", "verify"]);
                assert!(complaint(&said).contains("is damaged"), "{said:?}");
                assert_eq!(json(&half, None, &["user", "show", ADA])["email"], ADA);
                fs::remove_dir_all(half.join("index")).unwrap();
            }
            half_copied(&half, name);
        }
    }
    let empty = work.path().join("empty-log");
    copy(&store, &empty);
    fs::remove_dir_all(empty.join("log")).unwrap();
    fs::create_dir(empty.join("log")).unwrap();
    half_copied(&empty, "all of the log");
    let index_alone = work.path().join("index-alone");
    copy(&store, &index_alone);
    fs::remove_dir_all(index_alone.join("log")).unwrap();
    half_copied(&index_alone, "the log directory");
}

/// The files, but the one that is locked, and an index that is made anew whenever it is missing.
fn kept(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let index = [dir.join("index"), dir.join("index.old")];
    let mut found = files(dir);
    found.retain(|(path, _)| {
        !path.ends_with("lock") && !index.iter().any(|index| path.starts_with(index))
    });
    found
}

/// What each command has to do with a store that lacks a file: refuse, and change nothing; but
/// `verify` may find nothing wrong only if nothing is lost.
fn half_copied(dir: &Path, missing: &str) {
    let before = kept(dir);
    for args in [
        &["store", "verify", "--json"][..],
        &["user", "list"],
        &["user", "show", ADA],
        &["store", "compact"],
    ] {
        let output = on(dir, None, args);
        println!(
            "{missing}: {args:?}: {}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
        let _ = complaint(&output);
        assert!(kept(dir) == before, "{missing}: {args:?} changed something");
    }
    let output = serve(dir).unwrap_or_else(|| panic!("without {missing} it is served"));
    complaint(&output);
    assert!(kept(dir) == before, "{missing}: serve changed something");
}

#[test]
fn a_file_and_a_foreign_directory_are_left_alone() {
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("file");
    fs::write(&file, "not a store").unwrap();
    refused_by_all(
        &file,
        "a file",
        &["not a directory", "no store in", "is a file"],
    );
    assert_eq!(fs::read(&file).unwrap(), b"not a store");
    let below = file.join("below");
    refused_by_all(&below, "below a file", &["not a directory", "no store in"]);
    let foreign = work.path().join("foreign");
    fs::create_dir_all(foreign.join("photos")).unwrap();
    fs::write(foreign.join("photos/1.jpg"), "not a store").unwrap();
    refused_by_all(
        &foreign,
        "foreign",
        &["no store in", "not a store", "other files"],
    );
    // One with a directory of that name, and with what looks like a segment.
    fs::create_dir(foreign.join("log")).unwrap();
    fs::write(foreign.join("log/access.log"), "GET /").unwrap();
    refused_by_all(
        &foreign,
        "a foreign log",
        &["no store in", "not a store", "other files"],
    );
    let noise = work.path().join("noise");
    fs::create_dir_all(noise.join("log")).unwrap();
    fs::write(noise.join("log/00000001.seg"), pattern(3, 5000)).unwrap();
    refused_by_all(&noise, "noise", &["no store in", "not whole"]);
    let backups = work.path().join("backups");
    let store = store(work.path(), "store");
    done(
        &store,
        None,
        &["store", "backup", backups.to_str().unwrap()],
    );
    refused_by_all(
        &backups,
        "a backup",
        &["backup", "no store in", "not a store"],
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_left_alone() {
    let work = tempfile::tempdir().unwrap();
    let store = store(work.path(), "store");
    let probe = work.path().join("probe");
    fs::create_dir(&probe).unwrap();
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(probe.join("file"), "").is_ok() {
        println!("root writes everywhere: skipped");
        return;
    }
    let mut dirs = vec![store.clone(), store.join("log"), store.join("index")];
    dirs.retain(|dir| dir.is_dir());
    for mode in [0o500, 0o000] {
        for dir in dirs.iter().rev() {
            fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
        }
        let said = complaint(&serve(&store).expect("it is served"));
        assert!(said.contains("permissions"), "{said}");
        for args in [
            &["user", "list"][..],
            &["store", "compact"],
            &["store", "rebuild"],
        ] {
            let said = complaint(&on(&store, None, args));
            assert!(said.contains("permissions"), "{args:?}: {said}");
        }
        // What only looks may succeed where reading is allowed.
        for args in [&["store", "verify"][..], &["store", "stats"]] {
            let output = on(&store, None, args);
            if mode == 0 {
                let said = complaint(&output);
                assert!(said.contains("permissions"), "{args:?}: {said}");
            }
        }
        for dir in &dirs {
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
        }
    }
    assert_eq!(json(&store, None, &["store", "verify"])["whole"], true);
}

#[test]
fn a_restore_goes_into_an_empty_directory_only_and_from_a_backup_only() {
    let work = tempfile::tempdir().unwrap();
    let store = store(work.path(), "store");
    let backups = work.path().join("backups");
    done(
        &store,
        None,
        &["store", "backup", backups.to_str().unwrap()],
    );
    let restore = ["store", "restore", backups.to_str().unwrap()];
    let before = files(&store);
    complaint(&on(&store, None, &restore));
    complaint(&on(&store, Some(KEY), &restore));
    assert!(files(&store) == before);
    let file = work.path().join("file");
    fs::write(&file, "not a store").unwrap();
    complaint(&on(&file, None, &restore));
    assert_eq!(fs::read(&file).unwrap(), b"not a store");
    let foreign = work.path().join("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("1.jpg"), "not a store").unwrap();
    complaint(&on(&foreign, None, &restore));
    for from in [&store, &foreign, &file, &work.path().join("nowhere")] {
        let to = work.path().join("to");
        let args = ["store", "restore", from.to_str().unwrap()];
        complaint(&on(&to, None, &args));
        assert!(!to.join("log").exists(), "{}", from.display());
    }
    // Backups of two stores do not mix.
    let other = self::store(work.path(), "other");
    complaint(&on(
        &other,
        None,
        &["store", "backup", backups.to_str().unwrap()],
    ));
    // Nor does a backup go into a store, its own or another one.
    for into in [&store, &other, &store.join("log")] {
        // To open the store is to touch its index.
        let logged = |dir: &Path| {
            let mut found = files(dir);
            found.retain(|(path, _)| !path.starts_with(store.join("index")));
            found
        };
        let before = logged(into);
        let output = on(&store, None, &["store", "backup", into.to_str().unwrap()]);
        println!("{}", complaint(&output).trim_end());
        assert!(logged(into) == before, "{}", into.display());
    }
    // A damaged backup says so.
    let segment = files(&backups.join("files"))
        .into_iter()
        .map(|(path, _)| path)
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let to = work.path().join("damaged");
    let said = complaint(&on(&to, None, &restore));
    println!("{said}");
    complaint(&on(&to, None, &["user", "list"]));
}

#[test]
fn ctrl_c_of_upkeep_leaves_nothing_broken() {
    let work = tempfile::tempdir().unwrap();
    let store = store(work.path(), "store");
    let backups = work.path().join("backups");
    let backups = backups.to_str().unwrap();
    for (round, args) in [
        &["store", "verify"][..],
        &["store", "backup", backups],
        &["store", "compact"],
        &["store", "rebuild"],
        &["store", "stats"],
    ]
    .into_iter()
    .cycle()
    .take(15)
    .enumerate()
    {
        let mut child = command(&store, None, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(15 * round as u64));
        let pid = child.id().to_string();
        let _ = Command::new("kill").args(["-s", "INT", &pid]).status();
        let mut said = String::new();
        let mut stderr = child.stderr.take().unwrap();
        stderr.read_to_string(&mut said).unwrap();
        let status = child.wait().unwrap();
        assert!(!said.contains("panicked"), "{args:?}: {said}");
        println!("{args:?}: {status}");
        let report = json(&store, None, &["store", "verify"]);
        assert_eq!(report["whole"], true, "{args:?}");
    }
    json(&store, None, &["store", "backup", backups]);
    let restored = work.path().join("restored");
    json(&restored, None, &["store", "restore", backups]);
    assert_eq!(json(&restored, None, &["store", "verify"])["whole"], true);
    assert_eq!(json(&restored, None, &["user", "show", ADA])["email"], ADA);
}
