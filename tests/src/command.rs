//! `ropewalk` on a data directory, and what it has to say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::server::ropewalk;

/// `ropewalk ARGS --data-dir DIR`, with the store's key in its environment if there is one.
pub fn command(data_dir: &Path, key: Option<&str>, args: &[&str]) -> Command {
    let mut command = ropewalk();
    command.args(args).arg("--data-dir").arg(data_dir);
    match key {
        Some(key) => command.env("ROPEWALK_STORE_KEY", key),
        None => command.env_remove("ROPEWALK_STORE_KEY"),
    };
    command.stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn on(data_dir: &Path, key: Option<&str>, args: &[&str]) -> Output {
    command(data_dir, key, args).output().expect("it runs")
}

/// Runs it to its end, and panics unless it succeeds: its standard output.
#[track_caller]
pub fn done(data_dir: &Path, key: Option<&str>, args: &[&str]) -> String {
    let output = on(data_dir, key, args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs it with `--json`, and panics unless it prints one document and succeeds.
#[track_caller]
pub fn json(data_dir: &Path, key: Option<&str>, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&done(data_dir, key, &args)).expect("one JSON document")
}

/// The one sentence that a failed command says on standard error; its exit code has to be 1.
#[track_caller]
pub fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("ropewalk: "), "{text}");
    text
}

/// Every file below a directory with its bytes, and every directory, sorted.
pub fn files(dir: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        let Ok(entries) = fs::read_dir(&dir) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_dir() => {
                    found.push((path.clone(), None));
                    open.push(path);
                }
                Ok(meta) if meta.is_file() => {
                    let bytes = fs::read(&path).ok();
                    found.push((path, bytes));
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Bytes of all files below a directory.
pub fn bytes_on_disk(dir: &Path) -> u64 {
    let mut sum = 0;
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        // Files come and go beside a running server.
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => open.push(entry.path()),
                Ok(meta) if meta.is_file() => sum += meta.len(),
                _ => {}
            }
        }
    }
    sum
}
