//! `ropewalk store` as its users call it: beside a running server and without one.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use ropewalk_tests::server::{TestServer, add_user, ropewalk, run};
use serde_json::Value;

const ADA: &str = "ada@example.test";
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER_KEY: &str = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn on(data_dir: &Path, args: &[&str]) -> Output {
    let args = args.iter().map(OsStr::new);
    run(args.chain([OsStr::new("--data-dir"), data_dir.as_os_str()]))
}

/// Runs a command; panics unless it succeeds.
fn done(data_dir: &Path, args: &[&str]) -> String {
    let output = on(data_dir, args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    stdout(&output)
}

fn json(data_dir: &Path, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&done(data_dir, &args)).unwrap()
}

/// The one sentence that a failed command says.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("ropewalk: "), "{text}");
    text
}

fn mail(number: usize) -> String {
    let body = "A fathom is six feet. ".repeat(40 + number);
    format!(
        "From: Bob <bob@example.test>\r\nTo: ada@example.test\r\nSubject: marker-{number}\r\n\
         Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{number}@example.test>\r\n\r\n{body}\r\n"
    )
}

/// Imports messages with these numbers.
fn import(data_dir: &Path, numbers: std::ops::Range<usize>) {
    let files = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = numbers
        .map(|number| {
            let path = files.path().join(format!("{number}.eml"));
            fs::write(&path, mail(number)).unwrap();
            path
        })
        .collect();
    let mut args = vec!["import", "--user", ADA];
    args.extend(paths.iter().map(|path| path.to_str().unwrap()));
    done(data_dir, &args);
}

fn inbox(data_dir: &Path) -> u64 {
    let user = json(data_dir, &["user", "show", ADA]);
    let folders = user["folders"].as_array().unwrap();
    let inbox = folders.iter().find(|folder| folder["path"] == "Inbox");
    inbox.unwrap()["messages"].as_u64().unwrap()
}

fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => open.push(path),
                Ok(meta) if meta.is_file() => found.push((path.clone(), fs::read(&path).unwrap())),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The segments of the log, oldest first.
fn segments(data_dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(data_dir.join("log"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "seg"))
        .collect();
    found.sort();
    found
}

fn store() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    add_user(&store, ADA, "Ada", "first");
    import(&store, 0..20);
    (dir, store)
}

/// What each command says of a store that is whole, wherever it runs.
fn look_after(dir: &Path, store: &Path) {
    let stats = json(store, &["store", "stats"]);
    assert_eq!(stats["mailboxes"]["users"], 1);
    assert_eq!(stats["mailboxes"]["messages"], 20);
    assert!(stats["disk_bytes"].as_u64().unwrap() > 20_000);
    assert!(done(store, &["store", "stats"]).contains("messages      20"));
    let report = json(store, &["store", "verify"]);
    assert_eq!(report["whole"], true);
    assert_eq!(report["messages"], 20);
    assert!(done(store, &["store", "verify"]).ends_with("all is whole\n"));
    let compacted = json(store, &["store", "compact"]);
    assert!(compacted["bytes_after"].as_u64().unwrap() > 0);
    assert_eq!(inbox(store), 20);

    let backups = dir.join("backups");
    let first = json(store, &["store", "backup", backups.to_str().unwrap()]);
    let lsn = first["lsn"].as_u64().unwrap();
    import(store, 20..23);
    let second = json(store, &["store", "backup", backups.to_str().unwrap()]);
    assert!(second["lsn"].as_u64().unwrap() > lsn);
    assert!(
        second["bytes_copied"].as_u64() < first["bytes_copied"].as_u64(),
        "{second} after {first}"
    );
    let list = json(
        store,
        &["store", "backup", backups.to_str().unwrap(), "--list"],
    );
    assert_eq!(list.as_array().unwrap().len(), 2);

    for (point, messages) in [(None, 23), (Some(lsn), 20)] {
        let restored = dir.join(format!("restored-{messages}"));
        let lsn = point.map(|lsn| lsn.to_string());
        let mut args = vec!["store", "restore", backups.to_str().unwrap()];
        args.extend(lsn.iter().flat_map(|lsn| ["--lsn", lsn.as_str()]));
        json(&restored, &args);
        assert_eq!(json(&restored, &["store", "verify"])["whole"], true);
        assert_eq!(inbox(&restored), messages);
        let again = on(&restored, &args);
        assert!(complaint(&again).contains("is not empty"));
    }
    let never = on(
        &dir.join("never"),
        &[
            "store",
            "restore",
            backups.to_str().unwrap(),
            "--lsn",
            "1000000",
        ],
    );
    complaint(&never);
    let early = on(
        &dir.join("early"),
        &[
            "store",
            "restore",
            backups.to_str().unwrap(),
            "--time",
            "2001-01-01T00:00:00Z",
        ],
    );
    complaint(&early);
}

#[test]
fn a_store_is_looked_after_without_a_server() {
    let (dir, store) = store();
    look_after(dir.path(), &store);
    done(&store, &["store", "rebuild"]);
    assert_eq!(inbox(&store), 23);
}

#[test]
fn a_store_is_looked_after_beside_a_server() {
    let (dir, store) = store();
    let _server = TestServer::start_in(&store, &[]);
    look_after(dir.path(), &store);
    let refused = on(&store, &["store", "rebuild"]);
    assert!(complaint(&refused).contains("in use"));
}

#[test]
fn without_a_store_or_a_backup_a_sentence_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let backups = dir.path().join("backups");
    let backups = backups.to_str().unwrap();
    for args in [
        &["store", "stats"][..],
        &["store", "verify"],
        &["store", "rebuild"],
        &["store", "compact"],
        &["store", "backup", backups],
    ] {
        let sentence = complaint(&on(&dir.path().join("none"), args));
        assert!(sentence.contains("no store in"), "{args:?}: {sentence}");
    }
    complaint(&on(
        &dir.path().join("none"),
        &["store", "restore", backups],
    ));
    assert!(!dir.path().join("none").join("log").exists());
}

#[test]
fn verify_names_the_damage_changes_nothing_and_fails() {
    let (_dir, store) = store();
    let segment = segments(&store).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    fs::write(&segment, &bytes).unwrap();
    let before = files(&store);
    let output = on(&store, &["store", "verify", "--json"]);
    assert!(complaint(&output).contains("is damaged"));
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["whole"], false);
    assert!(report["damaged_places"].as_u64().unwrap() >= 1);
    let place = &report["damage"][0];
    assert!(place["file"].as_str().unwrap().ends_with(".seg"), "{place}");
    assert!(place["offset"].as_u64().unwrap() <= middle as u64);
    let after = files(&store);
    for ((path, before), (_, after)) in before.iter().zip(&after) {
        assert!(before == after, "{} changed", path.display());
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn a_store_without_its_index_is_whole_and_gets_another() {
    let (_dir, store) = store();
    fs::remove_dir_all(store.join("index")).unwrap();
    let report = json(&store, &["store", "verify"]);
    assert_eq!(
        (&report["whole"], &report["index"]),
        (&true.into(), &"missing".into())
    );
    done(&store, &["store", "rebuild"]);
    let report = json(&store, &["store", "verify"]);
    assert_eq!(report["index"], "good");
    assert_eq!(inbox(&store), 20);
}

/// Runs a command with a key in its environment.
fn with_key(data_dir: &Path, key: Option<&str>, args: &[&str]) -> Output {
    let mut command = ropewalk();
    command.args(args).arg("--data-dir").arg(data_dir);
    match key {
        Some(key) => command.env("ROPEWALK_STORE_KEY", key),
        None => command.env_remove("ROPEWALK_STORE_KEY"),
    };
    command.output().unwrap()
}

fn holds(data_dir: &Path, text: &str) -> bool {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    files(data_dir).iter().any(|(_, bytes)| {
        let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        has(text.as_bytes()) || has(&utf16)
    })
}

#[test]
fn a_store_is_encrypted_after_the_fact_and_wants_its_key_from_then_on() {
    let (_dir, store) = store();
    assert!(holds(&store, "marker-7"));
    let without = with_key(&store, None, &["store", "compact", "--new-key"]);
    assert!(complaint(&without).contains("--key-file"));
    let compact = &["store", "compact", "--new-key"];
    let output = with_key(&store, Some(KEY), compact);
    assert!(output.status.success(), "{output:?}");
    // What was moved away is not the store's any more; sled keeps old pages until it is made anew.
    let _ = fs::remove_dir_all(store.join("index.old"));
    for text in ["marker-7", "A fathom is six feet", ADA] {
        assert!(!holds(&store, text), "{text}");
    }
    for key in [None, Some(OTHER_KEY), Some("nonsense")] {
        complaint(&with_key(&store, key, &["store", "verify"]));
        complaint(&with_key(&store, key, &["user", "show", ADA]));
    }
    let verify = with_key(&store, Some(KEY), &["store", "verify", "--json"]);
    assert!(verify.status.success(), "{verify:?}");
    let stats = with_key(&store, Some(KEY), &["store", "stats", "--json"]);
    let stats: Value = serde_json::from_str(&stdout(&stats)).unwrap();
    assert_eq!(stats["encrypted"], true);
    assert_eq!(stats["mailboxes"]["messages"], 20);
    // Again, with yet another data key.
    let output = with_key(&store, Some(KEY), compact);
    assert!(output.status.success(), "{output:?}");
    let shown = with_key(&store, Some(KEY), &["user", "show", ADA, "--json"]);
    assert!(shown.status.success(), "{shown:?}");
}

#[test]
fn a_key_file_must_be_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let (dir, store) = store();
    let key = dir.path().join("store.key");
    fs::write(&key, format!("{KEY}\n")).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let args = ["store", "stats", "--key-file", key.to_str().unwrap()];
    complaint(&on(&store, &args));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(json(&store, &args)["mailboxes"]["users"], 1);
}
