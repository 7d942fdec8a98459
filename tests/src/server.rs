//! A real server process for a test, and the real command line.
//!
//! The processes run `ropewalk-under-test`: the same `main.rs` as `ropewalk`, built as a binary of
//! this package because cargo builds a package's own binaries before its tests.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// How long a server may take to start, on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// The `ropewalk` command, ready for arguments. Its log is quiet unless the test says otherwise.
pub fn ropewalk() -> Command {
    let test = env::current_exe().expect("the test knows its own path");
    // A test is target/PROFILE/deps/NAME-HASH, a binary target/PROFILE/NAME.
    let profile = test
        .parent()
        .and_then(Path::parent)
        .expect("the test is in a target directory");
    let mut command = Command::new(profile.join("ropewalk-under-test"));
    command.env_remove("RUST_LOG");
    command
}

/// Runs `ropewalk` to its end with nothing on standard input.
pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Output {
    ropewalk()
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("ropewalk runs")
}

/// Runs `ropewalk` to its end with `input` on standard input.
pub fn run_with_input<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>, input: &str) -> Output {
    let mut child = ropewalk()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ropewalk runs");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A command that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("ropewalk ends")
}

/// Adds a user; panics if that fails.
pub fn add_user(data_dir: &Path, email: &str, name: &str, password: &str) {
    let args = ["user", "add", email, "--name", name, "--password-stdin"];
    let args = args.iter().map(OsStr::new);
    let output = run_with_input(
        args.chain([OsStr::new("--data-dir"), data_dir.as_os_str()]),
        password,
    );
    assert!(output.status.success(), "user add: {output:?}");
}

/// A running server on free ports; killed when it is dropped.
pub struct TestServer {
    child: Child,
    data_dir: PathBuf,
    /// Removed with the server, if it was made for it.
    _temporary: Option<TempDir>,
    http: SocketAddr,
    https: SocketAddr,
    printed: Vec<String>,
    log: Arc<Mutex<String>>,
}

impl TestServer {
    /// Starts `ropewalk serve` with a new data directory and these further arguments.
    pub fn start(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut server = Self::start_in(dir.path(), args);
        server._temporary = Some(dir);
        server
    }

    /// Starts `ropewalk serve --demo` with a new data directory.
    pub fn demo() -> Self {
        Self::start(&["--demo"])
    }

    /// Starts `ropewalk serve` on a data directory that outlives it.
    pub fn start_in(data_dir: &Path, args: &[&str]) -> Self {
        let mut command = ropewalk();
        command
            .arg("serve")
            .args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(data_dir)
            .args(args);
        Self::spawn(command, data_dir)
    }

    /// Starts a `ropewalk serve` command line of the test's own; it has to use port 0.
    pub fn spawn(mut command: Command, data_dir: &Path) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("ropewalk runs");
        let log = collect_log(&mut child);
        let printed = match lines_until_ready(&mut child) {
            Ok(lines) => lines,
            Err(lines) => {
                // Its log is complete once it is gone.
                let _ = child.kill();
                let status = child.wait();
                thread::sleep(Duration::from_millis(100));
                let log = log.lock().map(|log| log.clone()).unwrap_or_default();
                panic!("not ready: {status:?}\nstandard output: {lines:#?}\nlog:\n{log}");
            }
        };
        Self {
            child,
            data_dir: data_dir.to_owned(),
            _temporary: None,
            http: address(&printed, "http="),
            https: address(&printed, "https="),
            printed,
            log,
        }
    }

    /// Where it serves plain HTTP.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where it serves HTTPS, with a self-signed certificate.
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The lines that it printed before `ready`.
    pub fn printed(&self) -> &[String] {
        &self.printed
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().map(|log| log.clone()).unwrap_or_default()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sends it a signal by name (`"INT"`, `"TERM"`).
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "kill -s {name}: {status}");
    }

    /// Asks it to stop as Ctrl-C does, and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("INT");
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + STOP_PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the server is a child") {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the server does not stop:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Reads standard error for as long as there is one.
fn collect_log(child: &mut Child) -> Arc<Mutex<String>> {
    let stderr = child.stderr.take().expect("standard error is a pipe");
    let log = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&log);
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Ok(mut log) = shared.lock() {
                log.push_str(&line);
                log.push('\n');
            }
        }
    });
    log
}

/// The lines before `ready`; an error with the lines so far if it does not come.
fn lines_until_ready(child: &mut Child) -> Result<Vec<String>, Vec<String>> {
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        for line in reader.by_ref().lines().map_while(Result::ok) {
            let ready = line == "ready";
            if sender.send(line).is_err() || ready {
                break;
            }
        }
        // Whatever comes later must not block the server.
        let _ = std::io::copy(&mut reader, &mut std::io::sink());
    });
    let deadline = Instant::now() + START_PATIENCE;
    let mut lines = Vec::new();
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line == "ready" => return Ok(lines),
            Ok(line) => lines.push(line),
            Err(_) => return Err(lines),
        }
    }
}

fn address(lines: &[String], prefix: &str) -> SocketAddr {
    lines
        .iter()
        .find_map(|line| line.strip_prefix(prefix)?.parse().ok())
        .unwrap_or_else(|| panic!("no line {prefix}ADDRESS in {lines:#?}"))
}
