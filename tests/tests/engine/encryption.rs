//! The whole life of an encrypted store through the server and the command line.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use ropewalk_tests::{
    client::{Client, Logon},
    command::{complaint, done, files, json, on},
    fixture::{ADA, PASSWORD, tag, text},
    server::{ropewalk, run_with_input},
};

use super::house::{KEY, OTHER_KEY, attach, attachment_of, serve_with, serve_with_key, session};

const SUBJECT: &str = "Quarterdeck rendezvous";
const BODY: &str = "belaying pins and marlinspikes ";
const FOLDER: &str = "Forecastle papers";
const FILE: &str = "halyard-manifest.pdf";
const SECRETS: [&str; 6] = [SUBJECT, BODY, FOLDER, FILE, ADA, "cathead grapnel"];

/// A large attachment that repeats, and would compress.
fn data() -> Vec<u8> {
    "cathead grapnel ".repeat(20_000).into_bytes()
}

/// The first file that has a text in it, in UTF-8 or UTF-16.
fn readable(dir: &Path, secret: &str) -> Option<PathBuf> {
    let wide: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let has = |bytes: &[u8], needle: &[u8]| {
        let first = needle[0];
        bytes
            .windows(needle.len())
            .any(|window| window[0] == first && window == needle)
    };
    files(dir)
        .into_iter()
        .find(|(_, bytes)| {
            bytes
                .as_ref()
                .is_some_and(|bytes| has(bytes, secret.as_bytes()) || has(bytes, &wide))
        })
        .map(|(path, _)| path)
}

#[track_caller]
fn nothing_readable(dir: &Path, when: &str) {
    for secret in SECRETS {
        assert_eq!(readable(dir, secret), None, "{when}: {secret}");
    }
}

fn add_user_with_key(store: &Path, key_file: Option<&str>) {
    let mut args = vec!["user", "add", ADA, "--name", "Ada", "--password-stdin"];
    args.extend(["--data-dir", store.to_str().unwrap()]);
    args.extend(key_file.iter().flat_map(|file| ["--key-file", file]));
    let output = run_with_input(args, PASSWORD);
    assert!(output.status.success(), "{output:?}");
}

fn fill(client: &mut Client, logon: &Logon) -> (u64, u64) {
    let ipm = client
        .open_folder(logon.handle, logon.ipm_subtree())
        .unwrap();
    let folder = client.create_folder(ipm, FOLDER).unwrap();
    let message = client
        .create_message(logon.handle, folder.folder_id)
        .unwrap();
    let body = BODY.repeat(10);
    client
        .set_props(
            message,
            &[(tag::SUBJECT, text(SUBJECT)), (tag::BODY, text(&body))],
        )
        .unwrap();
    client
        .write_property_stream(message, tag::HTML, BODY.repeat(3000).as_bytes())
        .unwrap();
    attach(client, message, &data()).unwrap();
    let attachment = client.open_attachment(message, 0, 1).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_LONG_FILENAME, text(FILE))])
        .unwrap();
    client.save_attachment(message, attachment).unwrap();
    let id = client.save_message(message).unwrap();
    (folder.folder_id, id)
}

fn whole(client: &mut Client, logon: &Logon, (folder_id, id): (u64, u64)) {
    assert!(attachment_of(client, logon, folder_id, id) == data());
    let opened = client.open_message(logon.handle, folder_id, id, 0).unwrap();
    assert_eq!(opened.normalized_subject.as_deref(), Some(SUBJECT));
    let html = client
        .read_property_stream(opened.handle, tag::HTML)
        .unwrap();
    assert!(html == BODY.repeat(3000).into_bytes());
    client.release(opened.handle).unwrap();
}

/// `serve` that is to fail at start, with a configuration.
fn refused(store: &Path, config: &str) -> Output {
    let file = store.with_extension("refused.toml");
    fs::write(&file, config).unwrap();
    ropewalk()
        .args(["serve", "--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
        .args(["--config", file.to_str().unwrap(), "--data-dir"])
        .arg(store)
        .env_remove("ROPEWALK_STORE_KEY")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn key_file(dir: &Path, name: &str, key: &str, mode: u32) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, format!("{key}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn config(key: &Path) -> String {
    format!("[store]\nkey_file = \"{}\"\n", key.display())
}

fn legacy_dn(store: &Path, key: &str) -> String {
    let shown = json(store, Some(key), &["user", "show", ADA]);
    shown["legacy_dn"].as_str().unwrap().to_owned()
}

#[test]
fn nothing_of_an_encrypted_store_can_be_read_without_its_key_and_all_of_it_with() {
    let work = tempfile::tempdir().unwrap();
    let keys = work.path();
    let store = work.path().join("store");
    let key = key_file(keys, "key", KEY, 0o600);
    add_user_with_key(&store, Some(key.to_str().unwrap()));
    let dn = legacy_dn(&store, KEY);
    let mut server = serve_with(&store, &config(&key));
    let (mut client, logon) = session(&server, &dn);
    let made = fill(&mut client, &logon);
    whole(&mut client, &logon, made);
    nothing_readable(&store, "while it runs");
    // Beside the server the command line needs no key of its own.
    let backups = work.path().join("backups");
    let backups = backups.to_str().unwrap();
    done(&store, None, &["store", "backup", backups]);
    done(&store, None, &["store", "compact"]);
    done(&store, None, &["store", "backup", backups]);
    assert_eq!(json(&store, None, &["store", "stats"])["encrypted"], true);
    nothing_readable(&store, "after compaction");
    nothing_readable(Path::new(backups), "in backups");
    assert!(server.stop().success());
    nothing_readable(&store, "closed");

    let other = key_file(keys, "other", OTHER_KEY, 0o600);
    let open = key_file(keys, "open", KEY, 0o644);
    let short = key_file(keys, "short", &KEY[..60], 0o600);
    let before = files(&store);
    let missing = keys.join("missing");
    for config in [
        String::new(),
        config(&other),
        config(&open),
        config(&short),
        config(&missing),
        config(keys),
    ] {
        let said = complaint(&refused(&store, &config));
        assert!(said.contains("key"), "{config}: {said}");
        assert!(!said.contains(KEY) && !said.contains(&KEY[..60]), "{said}");
    }
    for key in [
        None,
        Some(OTHER_KEY),
        Some("nonsense"),
        Some(&KEY[..60]),
        Some(""),
    ] {
        for args in [
            &["user", "list"][..],
            &["store", "verify"],
            &["store", "stats"],
            &["store", "compact"],
            &["store", "rebuild"],
            &["store", "backup", backups],
        ] {
            let said = complaint(&on(&store, key, args));
            assert!(said.contains("key"), "{key:?} {args:?}: {said}");
        }
    }
    assert!(files(&store) == before, "a refusal changed the store");
    assert_eq!(json(&store, Some(KEY), &["store", "verify"])["whole"], true);

    // A backup has the key's wrapped data keys with it, and no more.
    let restored = work.path().join("restored");
    done(&restored, Some(KEY), &["store", "restore", backups]);
    nothing_readable(&restored, "restored");
    for key in [None, Some(OTHER_KEY)] {
        complaint(&on(&restored, key, &["user", "list"]));
    }
    let server = serve_with_key(&restored, Some(KEY));
    let (mut client, logon) = session(&server, &dn);
    whole(&mut client, &logon, made);
    drop(server);

    // Without its index, too.
    fs::remove_dir_all(store.join("index")).unwrap();
    let server = serve_with_key(&store, Some(KEY));
    let (mut client, logon) = session(&server, &dn);
    whole(&mut client, &logon, made);
    nothing_readable(&store, "with a new index");
}

#[test]
fn a_plain_store_is_served_with_a_key_and_encrypted_altogether() {
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    add_user_with_key(&store, None);
    let dn = ropewalk_tests::fixture::legacy_dn(&store, ADA);
    let mut server = serve_with_key(&store, None);
    let (mut client, logon) = session(&server, &dn);
    let made = fill(&mut client, &logon);
    assert!(server.stop().success());
    assert!(readable(&store, SUBJECT).is_some(), "the test can see");
    let backups = work.path().join("backups");
    let backups = backups.to_str().unwrap();
    done(&store, None, &["store", "backup", backups]);

    // From now on with a key: what is new is encrypted, what was there is readable.
    let mut server = serve_with_key(&store, Some(KEY));
    let (mut client, logon) = session(&server, &dn);
    whole(&mut client, &logon, made);
    let message = client.create_message(logon.handle, logon.inbox()).unwrap();
    client
        .set_props(message, &[(tag::SUBJECT, text("binnacle lamp"))])
        .unwrap();
    client.save_message(message).unwrap();
    done(&store, None, &["store", "backup", backups]);
    server.kill();
    assert_eq!(readable(&store, "binnacle lamp"), None);
    complaint(&on(&store, None, &["user", "list"]));

    for round in 0..2 {
        done(&store, Some(KEY), &["store", "compact", "--new-key"]);
        let _ = fs::remove_dir_all(store.join("index.old"));
        nothing_readable(&store, &format!("new key {round}"));
        assert_eq!(json(&store, Some(KEY), &["store", "verify"])["whole"], true);
        let mut server = serve_with_key(&store, Some(KEY));
        let (mut client, logon) = session(&server, &dn);
        whole(&mut client, &logon, made);
        done(&store, None, &["store", "backup", backups]);
        server.kill();
        complaint(&on(&store, Some(OTHER_KEY), &["user", "list"]));
    }
    // The moment before the key, too: it comes from the last backup, which knows all numbers that were given
    // out, and wants the key.
    let list = json(&store, Some(KEY), &["store", "backup", backups, "--list"]);
    let first = list.as_array().unwrap().iter();
    let first = first.map(|b| b["lsn"].as_u64().unwrap()).min().unwrap();
    let early = work.path().join("early");
    done(
        &early,
        None,
        &["store", "restore", backups, "--lsn", &first.to_string()],
    );
    let server = serve_with_key(&early, Some(KEY));
    let (mut client, logon) = session(&server, &dn);
    whole(&mut client, &logon, made);
    drop(server);
    let last = work.path().join("last");
    done(&last, Some(KEY), &["store", "restore", backups]);
    nothing_readable(&last, "the last backup, restored");
    let server = serve_with_key(&last, Some(KEY));
    let (mut client, logon) = session(&server, &dn);
    whole(&mut client, &logon, made);
}
