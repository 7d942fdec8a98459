//! What listens on the network, and what lies on the disk, seen by somebody who means no good.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ropewalk_tests::{
    fixture::{ADA, PASSWORD, shared},
    http::Http,
    server::{TestServer, add_user},
};

/// A PING with these further header lines, and what follows them.
fn ping(more: &str) -> Vec<u8> {
    let credentials = BASE64_STANDARD.encode(format!("{ADA}:{PASSWORD}"));
    let id = "{6B2E7C1D-0F3A-4A7B-9C55-2D8E1F0A4B63}:1";
    format!(
        "POST /mapi/emsmdb/ HTTP/1.1\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/mapi-http\r\nX-RequestType: PING\r\nX-RequestId: {id}\r\n{more}"
    )
    .into_bytes()
}

/// The statuses of all responses to these bytes, and whether the server then hangs up.
fn answers(bytes: &[u8]) -> (Vec<u16>, bool) {
    let mut http = Http::plain(shared().server.http());
    // A server that has said no already may not take the rest.
    let _ = http.send(bytes);
    let mut statuses = Vec::new();
    loop {
        match http.response() {
            Ok(response) => statuses.push(response.status),
            Err(_) => return (statuses, true),
        }
        // One more request shows whether the connection is still one.
        if statuses.len() > 3 {
            return (statuses, false);
        }
        if http
            .send(&ping("Host: a\r\nContent-Length: 0\r\n\r\n"))
            .is_err()
        {
            return (statuses, true);
        }
    }
}

/// RFC 9112 6.3 and 11.2: where two servers could see different requests, there is none, or it is
/// the last one of its connection.
#[test]
fn ambiguous_lengths_do_not_smuggle_requests() {
    let smuggled = ping("Host: a\r\nContent-Length: 0\r\n\r\n");
    let smuggled = String::from_utf8(smuggled).unwrap();
    for (lengths, status) in [
        ("Content-Length: 4\r\nTransfer-Encoding: chunked", 200),
        ("Transfer-Encoding: chunked\r\nContent-Length: 4", 200),
        ("Content-Length: 0\r\nContent-Length: 5", 400),
        ("Content-Length: 0, 5", 400),
        ("Content-Length: +0", 400),
        ("Content-Length: -1", 400),
        ("Content-Length: 0x0", 400),
        ("Content-Length : 0", 400),
        ("Transfer-Encoding: identity", 400),
        ("Transfer-Encoding: chunked, identity", 400),
        ("X-A: b\r\n Content-Length: 0", 400),
    ] {
        let bytes = ping(&format!("Host: a\r\n{lengths}\r\n\r\n0\r\n\r\n{smuggled}"));
        assert_eq!(answers(&bytes), (vec![status], true), "{lengths}");
    }
}

/// RFC 9112 3.2.
#[test]
fn a_request_has_exactly_one_host() {
    for (hosts, status) in [
        ("Host: a\r\n", 200),
        ("", 400),
        ("Host: a\r\nHost: b\r\n", 400),
    ] {
        let bytes = ping(&format!("{hosts}Content-Length: 0\r\n\r\n"));
        let (statuses, _) = answers(&bytes);
        assert_eq!(statuses.first(), Some(&status), "{hosts:?}");
    }
}

fn all_below(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_below(&path, found);
        }
        found.push(path);
    }
}

/// A data directory that was made beforehand may be open to others; what is in it is not, but for
/// the certificate, which every client gets.
#[test]
fn what_a_server_keeps_is_its_owner_s_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    let _server = TestServer::start_in(dir.path(), &[]);
    let mut found = Vec::new();
    all_below(dir.path(), &mut found);
    assert!(found.iter().any(|path| path.ends_with("admin.sock")));
    for path in found {
        let mode = fs::symlink_metadata(&path).unwrap().permissions().mode();
        // The engine of the index makes its files as the umask has it, in a directory that is
        // private.
        let inside = path.starts_with(dir.path().join("index"))
            && path.as_path() != dir.path().join("index");
        let public = inside || path.ends_with("tls-certificate.pem");
        assert!(public || mode & 0o077 == 0, "{path:?}: {mode:o}");
    }
}

/// What a stranger writes into a user name stays out of the log; the peer is in it.
#[test]
fn wrong_passwords_are_logged_without_what_was_sent() {
    let server = TestServer::start(&[]);
    let mut http = Http::plain(server.http());
    let credentials = BASE64_STANDARD.encode("eve\u{1b}[31m\nINFO forged:wrong");
    let request = format!(
        "POST /mapi/emsmdb/ HTTP/1.1\r\nHost: a\r\nAuthorization: Basic {credentials}\r\n\
         X-RequestId: forged\u{9}\r\nContent-Length: 0\r\n\r\n"
    );
    http.send(request.as_bytes()).unwrap();
    assert_eq!(http.response().unwrap().status, 401);
    let logged = || {
        server
            .log()
            .contains("wrong user name or password peer=127.0.0.1:")
    };
    for _ in 0..200 {
        if logged() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let log = server.log();
    assert!(logged(), "{log}");
    assert!(!log.contains("forged") && !log.contains('\u{1b}'), "{log}");
}
