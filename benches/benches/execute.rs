//! What an Execute costs that reads properties of one open message, over loopback keep-alive, beside
//! a hyper server that does nothing but send back as many bytes.
//!
//! `cargo bench -p ropewalk-benches --bench execute [-- --json] [-- --requests N]`. Both servers are
//! processes of their own, both are asked by the same client, in turns of a thousand requests, so
//! that whatever else the machine does meets both.

use std::{
    env,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use ropewalk_tests::{
    client::{Client, Connection, Rop, framing},
    fixture::{new_message, tag, text},
    server::TestServer,
};
use serde_json::json;

/// The server as it is released.
const BINARY: &str = env!("CARGO_BIN_EXE_ropewalk-under-bench");
const EMAIL: &str = "ada@example.test";
const PASSWORD: &str = "counterweight";
const REQUEST_ID: &str = "{8F1E0F4E-8D3C-4C50-9D4B-6C1A2B3C4D5E}:123456";
/// Requests to each server before the other's turn.
const TURN: usize = 1_000;

/// Eight properties that a client asks of a message that it shows.
const EIGHT: [u32; 8] = [
    tag::MESSAGE_CLASS,
    tag::SUBJECT,
    tag::NORMALIZED_SUBJECT,
    tag::MESSAGE_FLAGS,
    tag::MESSAGE_SIZE,
    tag::HAS_ATTACHMENTS,
    tag::LAST_MODIFICATION_TIME,
    tag::IMPORTANCE,
];

/// Twelve more.
const TWELVE: [u32; 12] = [
    tag::DISPLAY_TO,
    tag::DISPLAY_CC,
    tag::DISPLAY_BCC,
    tag::SENSITIVITY,
    tag::CREATION_TIME,
    tag::ENTRY_ID,
    tag::RECORD_KEY,
    tag::SEARCH_KEY,
    tag::CHANGE_KEY,
    tag::PREDECESSOR_CHANGE_LIST,
    tag::ACCESS,
    tag::BODY,
];

fn main() {
    let args: Vec<String> = env::args().collect();
    if let Some(size) = value_of(&args, "--echo") {
        return echo::serve(size);
    }
    let requests = value_of(&args, "--requests").unwrap_or(20_000);
    let json = args.iter().any(|arg| arg == "--json");

    let dir = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start(dir.path());
    let mut client = server.client();
    let message = open_message(&mut client);
    let twenty: Vec<u32> = EIGHT.iter().chain(&TWELVE).copied().collect();

    let mut results = Vec::new();
    results.push(compare(&server, &mut client, requests, "PING", None));
    for (name, tags) in [("8 properties", &EIGHT[..]), ("20 properties", &twenty)] {
        let rop = Rop::new(0x07, 0).u16(0).u16(1).tags(tags);
        let payload = framing::rop_buffer(rop.as_bytes(), &[message]);
        let buffer = framing::extended_buffer(&payload, framing::InputForm::default());
        results.push(compare(&server, &mut client, requests, name, Some(&buffer)));
    }
    if json {
        let all: Vec<_> = results.iter().map(Outcome::json).collect();
        println!("{}", json!({ "requests": requests, "results": all }));
    } else {
        results.iter().for_each(Outcome::print);
    }
}

fn value_of(args: &[String], name: &str) -> Option<usize> {
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1)?.parse().ok()
}

/// Runs a command on a data directory, with `input` on standard input.
fn ropewalk(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut child = Command::new(BINARY)
        .args(args)
        .arg("--data-dir")
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("ropewalk runs");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A command that does not read its input may be gone already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("ropewalk ends")
}

struct Server {
    process: TestServer,
    user_dn: String,
}

impl Server {
    fn start(dir: &Path) -> Self {
        let added = ropewalk(dir, &["user", "add", EMAIL, "--password-stdin"], PASSWORD);
        assert!(added.status.success(), "user add: {added:?}");
        let shown = ropewalk(dir, &["user", "show", EMAIL, "--json"], "");
        let user: serde_json::Value =
            serde_json::from_slice(&shown.stdout).expect("user show prints JSON");
        let user_dn = user["legacy_dn"].as_str().expect("legacy_dn").to_owned();
        let mut command = Command::new(BINARY);
        command
            .arg("serve")
            .args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"])
            .arg("--data-dir")
            .arg(dir);
        let process = TestServer::spawn(command, dir);
        Self { process, user_dn }
    }

    fn client(&self) -> Client {
        Client::connect(self.process.http(), EMAIL, PASSWORD, &self.user_dn).expect("Connect")
    }
}

/// Makes a message with a body of 4 KiB and opens it as it is stored.
fn open_message(client: &mut Client) -> u32 {
    let logon = client.logon().expect("RopLogon");
    let inbox = client
        .open_folder(logon.handle, logon.inbox())
        .expect("the Inbox opens");
    let (draft, _) = new_message(client, inbox, logon.inbox(), "RE: twelve fathoms of rope");
    client
        .set_props(draft, &[(tag::BODY, text(&"rope ".repeat(400)))])
        .expect("RopSetProperties");
    let id = client.save_message(draft).expect("RopSaveChangesMessage");
    client.release(draft).expect("RopRelease");
    let opened = client
        .open_message(logon.handle, logon.inbox(), id, 0)
        .expect("RopOpenMessage");
    opened.handle
}

/// Times requests to the server and to the echo, in turns.
fn compare(
    server: &Server,
    client: &mut Client,
    requests: usize,
    name: &'static str,
    rop_buffer: Option<&[u8]>,
) -> Outcome {
    let mut ask = || match rop_buffer {
        Some(buffer) => client.execute_raw(buffer).expect("Execute").len(),
        None => client.request("PING", &[]).expect("PING").body.len(),
    };
    // What is sent back apart from the HTTP head and the lines before the body, some 100 bytes; the
    // echo has a head of the same length.
    let bytes = ask();
    let echo = Echo::start(bytes);
    let mut connection = Connection::new(echo.address);
    let body = vec![0; rop_buffer.map_or(0, <[u8]>::len) + 16];
    let context = format!("MapiContext={:032x}; MapiSequence={:016x}", 0, 0);
    let headers = [
        ("Content-Type", "application/mapi-http"),
        (
            "Authorization",
            "Basic YWRhQGV4YW1wbGUudGVzdDpjb3VudGVyd2VpZ2h0",
        ),
        ("X-RequestType", "Execute"),
        ("X-RequestId", REQUEST_ID),
        ("X-ClientInfo", REQUEST_ID),
        ("X-ClientApplication", "Outlook/16.0.10000.20000"),
        ("Cookie", context.as_str()),
    ];
    let mut ours = Vec::with_capacity(requests);
    let mut theirs = Vec::with_capacity(requests);
    while ours.len() < requests {
        for _ in 0..TURN {
            let start = Instant::now();
            ask();
            ours.push(start.elapsed());
        }
        for _ in 0..TURN {
            let start = Instant::now();
            connection
                .post("/mapi/emsmdb", &headers, &body)
                .expect("the echo answers");
            theirs.push(start.elapsed());
        }
    }
    let _ = server;
    ours.sort_unstable();
    theirs.sort_unstable();
    Outcome {
        name,
        bytes,
        ours,
        theirs,
    }
}

/// Sorted times of one kind of request.
struct Outcome {
    name: &'static str,
    bytes: usize,
    ours: Vec<Duration>,
    theirs: Vec<Duration>,
}

impl Outcome {
    fn at(times: &[Duration], per_mille: usize) -> f64 {
        let index = (times.len() - 1) * per_mille / 1_000;
        times[index].as_nanos() as f64 / 1_000.0
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "name": self.name,
            "bytes": self.bytes,
            "p50_us": Self::at(&self.ours, 500),
            "p99_us": Self::at(&self.ours, 990),
            "echo_p50_us": Self::at(&self.theirs, 500),
            "echo_p99_us": Self::at(&self.theirs, 990),
        })
    }

    fn print(&self) {
        let (p50, p99) = (Self::at(&self.ours, 500), Self::at(&self.ours, 990));
        let (echo50, echo99) = (Self::at(&self.theirs, 500), Self::at(&self.theirs, 990));
        println!(
            "{:>13}: p50 {p50:6.1} us, p99 {p99:6.1} us; hyper echo of {} bytes: p50 {echo50:6.1} us, \
             p99 {echo99:6.1} us; ratio of p50 {:.2}",
            self.name,
            self.bytes,
            p50 / echo50
        );
    }
}

/// This program again, as the echo.
struct Echo {
    child: Child,
    address: SocketAddr,
}

impl Echo {
    fn start(bytes: usize) -> Self {
        use std::io::{BufRead as _, BufReader};
        let mut child = Command::new(env::current_exe().expect("the path of this program"))
            .args(["--echo", &bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the echo starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the echo tells its address");
        let address = line.trim().parse().expect("an address");
        Self { child, address }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

mod echo {
    //! A hyper server that reads each request and answers with a number of bytes.

    use std::convert::Infallible;

    use http_body_util::{BodyExt as _, Full};
    use hyper::{
        Request, Response,
        body::{Bytes, Incoming},
        header::HeaderValue,
        service::service_fn,
    };
    use hyper_util::rt::TokioIo;
    use tokio::net::TcpListener;

    /// Headers as many and as long as those of a response to an Execute.
    const HEADERS: [(&str, &str); 11] = [
        ("content-type", "application/mapi-http"),
        ("cache-control", "private"),
        ("x-requesttype", "Execute"),
        ("x-requestid", super::REQUEST_ID),
        ("x-clientinfo", super::REQUEST_ID),
        ("x-responsecode", "0"),
        ("x-serverapplication", "Exchange/15.00.0847.4040"),
        ("x-pendingperiod", "15000"),
        ("x-expirationinfo", "900000"),
        (
            "x-context",
            "MapiContext=00000000000000000000000000000000; Path=/mapi/emsmdb; HttpOnly",
        ),
        (
            "x-sequence",
            "MapiSequence=0000000000000000; Path=/mapi/emsmdb; HttpOnly",
        ),
    ];

    pub fn serve(size: usize) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            println!("{}", listener.local_addr().expect("an address"));
            let body = Bytes::from(vec![0x5A; size]);
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let _ = stream.set_nodelay(true);
                let body = body.clone();
                let answer = service_fn(move |request: Request<Incoming>| {
                    let body = body.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        let mut response = Response::new(Full::new(body));
                        for (name, value) in HEADERS {
                            response
                                .headers_mut()
                                .insert(name, HeaderValue::from_static(value));
                        }
                        Ok::<_, Infallible>(response)
                    }
                });
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), answer)
                        .await;
                });
            }
        });
    }
}
