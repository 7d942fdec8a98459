//! The command line as scripts use it: real processes, exit codes, both streams.

use std::{
    ffi::OsStr,
    fs,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use ropewalk_tests::server::{TestServer, add_user, ropewalk, run, run_with_input};
use serde_json::Value;

const ADA: &str = "ada@example.test";
const MAIL: &str = "From: Bob <bob@example.test>\r\nTo: ada@example.test\r\nSubject: Rope\r\n\
                    Date: Mon, 23 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@example.test>\r\n\r\n\
                    Twelve fathoms, please.\r\n";

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The one sentence that a failed command says; panics unless it failed with that exit code.
fn complaint(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("ropewalk: "), "{text}");
    text
}

/// Runs a command on a data directory; panics unless it succeeds.
fn done(data_dir: &Path, args: &[&str]) -> String {
    let output = on(data_dir, args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    stdout(&output)
}

fn on(data_dir: &Path, args: &[&str]) -> Output {
    let args = args.iter().map(OsStr::new);
    run(args.chain([OsStr::new("--data-dir"), data_dir.as_os_str()]))
}

fn show(data_dir: &Path, email: &str) -> Value {
    serde_json::from_str(&done(data_dir, &["user", "show", email, "--json"])).unwrap()
}

/// Messages in a folder, by its path.
fn messages(data_dir: &Path, folder: &str) -> Option<u64> {
    show(data_dir, ADA)["folders"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["path"] == folder)
        .and_then(|entry| entry["messages"].as_u64())
}

#[test]
fn help_and_version_succeed_and_nonsense_is_usage() {
    for args in [
        &["--help"][..],
        &["--version"],
        &["serve", "--help"],
        &["user", "passwd", "--help"],
        &["import", "--help"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{args:?}"
        );
    }
    for args in [
        &["frobnicate"][..],
        &["serve", "--port", "1"],
        &["serve", "--http", "nonsense"],
        &["user", "add", "no-address"],
        &["user", "show"],
        &["import", "x.eml"],
    ] {
        complaint(&run(args), 2);
    }
    assert_eq!(run([""; 0]).status.code(), Some(2));
}

/// Every `user` command, on a directory with or without a server.
fn manage_users(dir: &Path) {
    let args = [
        "user",
        "add",
        "Bob@Example.test",
        "--name",
        "Bob Ó",
        "--password-stdin",
    ];
    let args = args.iter().map(OsStr::new);
    let args: Vec<&OsStr> = args
        .chain([OsStr::new("--data-dir"), dir.as_os_str()])
        .collect();
    let output = run_with_input(args.clone(), "secret\n");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(stdout(&output), "added Bob@example.test\n");
    let again = run_with_input(args, "secret\n");
    assert!(complaint(&again, 1).contains("already a user"));

    let listed: Value = serde_json::from_str(&done(dir, &["user", "list", "--json"])).unwrap();
    let bob = listed.as_array().unwrap().last().unwrap();
    let shown = show(dir, "bob@example.test");
    for key in ["email", "display_name", "legacy_dn", "mailbox_guid"] {
        assert!(shown[key].is_string(), "{key}: {shown}");
        assert_eq!(shown[key], bob[key]);
    }
    assert_eq!(shown["email"], "Bob@example.test");
    assert_eq!(shown["display_name"], "Bob Ó");
    let dn = shown["legacy_dn"].as_str().unwrap();
    assert!(
        dn.starts_with("/o=Ropewalk/ou=") && dn.ends_with("-Bob"),
        "{dn}"
    );
    let folders = shown["folders"].as_array().unwrap();
    assert!(
        folders
            .iter()
            .any(|folder| folder["path"] == "Sync Issues/Conflicts")
    );
    assert!(done(dir, &["user", "list"]).contains("Bob@example.test  Bob Ó\n"));

    let made = done(dir, &["user", "passwd", "bob@example.test"]);
    assert!(made.contains("\npassword: "), "{made}");
    done(dir, &["user", "remove", "bob@example.test"]);
    for args in [
        &["user", "show", "bob@example.test"][..],
        &["user", "remove", "bob@example.test"],
        &["user", "passwd", "bob@example.test"],
    ] {
        assert!(complaint(&on(dir, args), 1).contains("there is no user bob@example.test"));
    }
}

#[test]
fn users_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    assert!(complaint(&on(dir.path(), &["user", "list"]), 1).contains("there is no store"));
    let store = dir.path().join("store");
    add_user(&store, ADA, "Ada", "first");
    manage_users(&store);
    assert_eq!(show(&store, ADA)["display_name"], "Ada");
}

#[test]
fn users_beside_a_server() {
    let mut server = TestServer::start(&[]);
    let dir = server.data_dir().to_owned();
    manage_users(&dir);
    add_user(&dir, ADA, "Ada", "first");
    let before = show(&dir, ADA);
    assert_eq!(server.stop().code(), Some(0));
    assert_eq!(show(&dir, ADA), before);
}

#[test]
fn a_second_server_is_refused() {
    let server = TestServer::start(&[]);
    let second = on(
        server.data_dir(),
        &["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"],
    );
    let sentence = complaint(&second, 1);
    assert!(
        sentence.contains(&server.data_dir().display().to_string()),
        "{sentence}"
    );
    assert!(sentence.contains("in use"), "{sentence}");
    done(server.data_dir(), &["user", "list"]);
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let output = on(
        dir.path(),
        &["serve", "--http", &address, "--https", "127.0.0.1:0"],
    );
    assert!(complaint(&output, 1).contains(&address));
}

#[test]
fn the_configuration_is_read_and_checked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ropewalk.toml");
    let config = file.to_str().unwrap();
    let store = dir.path().join("store");

    fs::write(&file, "allow_plain = true\n").unwrap();
    let sentence = complaint(&on(&store, &["serve", "--config", config]), 1);
    assert!(
        sentence.contains("'allow_plain'") && sentence.contains("'allow_plaintext'"),
        "{sentence}"
    );

    fs::write(&file, "http = \"0.0.0.0:0\"\n").unwrap();
    let sentence = complaint(&on(&store, &["serve", "--config", config]), 1);
    assert!(sentence.contains("allow_plaintext = true"), "{sentence}");

    let missing = dir.path().join("missing.toml");
    let output = on(&store, &["serve", "--config", missing.to_str().unwrap()]);
    assert!(complaint(&output, 1).contains("missing.toml"));

    let data_dir = store.to_str().unwrap();
    fs::write(
        &file,
        format!("data_dir = {data_dir:?}\nhttp = \"0.0.0.0:0\"\nhttps = \"127.0.0.1:0\"\nallow_plaintext = true\n"),
    )
    .unwrap();
    let mut command = ropewalk();
    command.args(["serve", "--config", config]);
    let server = TestServer::spawn(command, &store);
    assert!(server.http().ip().is_unspecified());
    done(&store, &["user", "list"]);
}

#[test]
fn signals_stop_the_server_and_a_demo_leaves_nothing() {
    for signal in ["INT", "TERM"] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = ropewalk();
        command
            .args([
                "serve",
                "--demo",
                "--http",
                "127.0.0.1:0",
                "--https",
                "127.0.0.1:0",
            ])
            .env("TMPDIR", dir.path());
        let mut server = TestServer::spawn(command, dir.path());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0), "{}", server.log());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

fn interrupt(child: &std::process::Child) {
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_demo_that_is_stopped_while_it_starts_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for pause in [0, 10, 30, 60, 120, 250] {
        let mut command = ropewalk();
        let mut child = command
            .args(["serve", "--demo", "--http", "127.0.0.1:0"])
            .args(["--https", "127.0.0.1:0"])
            .env("TMPDIR", dir.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Whatever it is at.
        std::thread::sleep(Duration::from_millis(pause));
        // Where the shell has it ignored, as for jobs in the background, the first one may be lost.
        while child.try_wait().unwrap().is_none() {
            interrupt(&child);
            let patience = Instant::now() + Duration::from_secs(10);
            while child.try_wait().unwrap().is_none() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{pause} ms");
    }
}

#[test]
fn an_interrupted_import_tells_what_it_saved() {
    let server = TestServer::start(&[]);
    let dir = server.data_dir();
    add_user(dir, ADA, "Ada", "secret");
    let files = tempfile::tempdir().unwrap();
    let unix = MAIL.replace("\r\n", "\n");
    let one = format!("From bob@example.test Mon Nov 23 09:00:00 2026\n{unix}\n");
    fs::write(files.path().join("big.mbox"), one.repeat(50_000)).unwrap();
    let child = ropewalk()
        .args(["import", "--user", ADA, "--folder", "Old", "--data-dir"])
        .arg(dir)
        .arg(files.path().join("big.mbox"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = (0..1000).any(|_| messages(dir, "Old").is_some_and(|count| count > 0));
    assert!(begun);
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    assert!(complaint(&output, 1).contains("interrupted"));
    let saved = messages(dir, "Old").unwrap();
    assert!(saved < 50_000);
    assert_eq!(stdout(&output), format!("imported {saved}, failed 0\n"));
}

#[test]
fn the_demo_tells_how_to_try_it() {
    let server = TestServer::demo();
    let printed = server.printed().join("\n");
    let http = server.http();
    for part in [
        "/mapi/emsmdb",
        "/mapi/nspi",
        "/autodiscover/autodiscover.xml",
    ] {
        assert!(
            printed.contains(&format!("http://{http}{part}")),
            "{printed}"
        );
    }
    let users: Value =
        serde_json::from_str(&done(server.data_dir(), &["user", "list", "--json"])).unwrap();
    let users = users.as_array().unwrap();
    assert_eq!(users.len(), 3);
    for user in users {
        assert!(
            printed.contains(user["email"].as_str().unwrap()),
            "{printed}"
        );
    }
    let messages: u64 = users
        .iter()
        .map(|user| show(server.data_dir(), user["email"].as_str().unwrap()))
        .flat_map(|user| user["folders"].as_array().unwrap().clone())
        .map(|folder| folder["messages"].as_u64().unwrap())
        .sum();
    assert!(messages >= 30, "{messages}");
}

#[test]
fn a_killed_server_leaves_a_store_that_works() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::start_in(dir.path(), &[]);
    add_user(dir.path(), ADA, "Ada", "first");
    server.kill();
    assert!(dir.path().join("admin.sock").exists());
    assert_eq!(show(dir.path(), ADA)["email"], ADA);
    let _again = TestServer::start_in(dir.path(), &[]);
    assert_eq!(show(dir.path(), ADA)["email"], ADA);
}

/// Files of every shape in a directory: 1 message, 2 in an mbox, 2 in a maildir, 3 bad ones.
fn write_sources(dir: &Path) {
    let unix = MAIL.replace("\r\n", "\n");
    fs::write(dir.join("good.eml"), MAIL).unwrap();
    let from = "From bob@example.test Mon Nov 23 09:00:00 2026\n";
    fs::write(
        dir.join("two.mbox"),
        format!("{from}{unix}\n{from}{unix}\n"),
    )
    .unwrap();
    for part in ["cur", "new", "tmp"] {
        fs::create_dir_all(dir.join("Maildir").join(part)).unwrap();
    }
    fs::write(dir.join("Maildir/cur/1.host:2,S"), MAIL).unwrap();
    fs::write(dir.join("Maildir/new/2.host"), MAIL).unwrap();
    fs::write(dir.join("Maildir/new/3.host"), "").unwrap();
    fs::write(dir.join("noise.bin"), [0x7F, b'E', b'L', b'F', 0, 1, 2]).unwrap();
}

fn import(data_dir: &Path, files: &Path, args: &[&str], names: &[&str]) -> Output {
    let mut command: Command = ropewalk();
    command
        .current_dir(files)
        .args(["import", "--user", ADA, "--data-dir"])
        .arg(data_dir)
        .args(args)
        .args(names);
    command.output().unwrap()
}

fn import_everything(data_dir: &Path) {
    let files = tempfile::tempdir().unwrap();
    write_sources(files.path());
    let all = [
        "missing.eml",
        "good.eml",
        "noise.bin",
        "two.mbox",
        "Maildir",
    ];
    let output = import(data_dir, files.path(), &["--folder", "Archive/2026"], &all);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(stdout(&output), "imported 5, failed 3\n");
    let told = String::from_utf8_lossy(&output.stderr);
    for name in ["missing.eml: ", "noise.bin: ", "Maildir/new/3.host: "] {
        let lines: Vec<&str> = told.lines().filter(|line| line.contains(name)).collect();
        let [line] = lines[..] else {
            panic!("{name} in {told}")
        };
        assert!(line.starts_with("ropewalk: cannot import "), "{line}");
    }
    assert_eq!(messages(data_dir, "Archive/2026"), Some(5));
    assert_eq!(messages(data_dir, "Archive"), Some(0));

    let output = import(data_dir, files.path(), &[], &["good.eml"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(stdout(&output), "imported 1, failed 0\n");
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(messages(data_dir, "Inbox"), Some(1));
}

#[test]
fn import_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    add_user(dir.path(), ADA, "Ada", "secret");
    import_everything(dir.path());
    let output = import(dir.path(), dir.path(), &["--folder", "/"], &["x.eml"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn import_beside_a_server() {
    let server = TestServer::start(&[]);
    add_user(server.data_dir(), ADA, "Ada", "secret");
    import_everything(server.data_dir());
}

#[test]
fn contacts_and_appointments_find_their_folders() {
    let dir = tempfile::tempdir().unwrap();
    add_user(dir.path(), ADA, "Ada", "secret");
    let files = tempfile::tempdir().unwrap();
    fs::write(
        files.path().join("people.vcf"),
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Boole;George;;;\r\nFN:George Boole\r\n\
         EMAIL:george@example.test\r\nEND:VCARD\r\n",
    )
    .unwrap();
    fs::write(
        files.path().join("meeting.ics"),
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1@example.test\r\n\
         DTSTAMP:20261123T090000Z\r\nDTSTART:20261124T090000Z\r\nDTEND:20261124T100000Z\r\n\
         SUMMARY:Splicing\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    )
    .unwrap();
    let output = import(
        dir.path(),
        files.path(),
        &[],
        &["people.vcf", "meeting.ics"],
    );
    assert_eq!(stdout(&output), "imported 2, failed 0\n", "{output:?}");
    assert_eq!(messages(dir.path(), "Contacts"), Some(1));
    assert_eq!(messages(dir.path(), "Calendar"), Some(1));
}

#[test]
fn an_import_for_nobody_says_so_once() {
    let dir = tempfile::tempdir().unwrap();
    add_user(dir.path(), "other@example.test", "Other", "secret");
    fs::write(dir.path().join("good.eml"), MAIL).unwrap();
    let output = import(dir.path(), dir.path(), &[], &["good.eml", "good.eml"]);
    assert!(complaint(&output, 1).contains(ADA));
}
