//! A hyper server that reads each request and answers with a number of bytes: what HTTP costs by
//! itself.

use std::{
    convert::Infallible,
    env,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::HeaderValue,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use ropewalk_tests::client::Connection;
use tokio::net::TcpListener;

use super::{Killed, stopwatch::Stopwatch};

const REQUEST_ID: &str = "{8F1E0F4E-8D3C-4C50-9D4B-6C1A2B3C4D5E}:123456";

/// Headers as many and as long as those of a request to execute.
const REQUEST_HEADERS: [(&str, &str); 7] = [
    ("Content-Type", "application/mapi-http"),
    (
        "Authorization",
        "Basic YWRhQGV4YW1wbGUudGVzdDpjb3VudGVyd2VpZ2h0",
    ),
    ("X-RequestType", "Execute"),
    ("X-RequestId", REQUEST_ID),
    ("X-ClientInfo", REQUEST_ID),
    ("X-ClientApplication", "Outlook/16.0.10000.20000"),
    (
        "Cookie",
        "MapiContext=00000000000000000000000000000000; MapiSequence=0000000000000000",
    ),
];

/// Headers as many and as long as those of a response to an Execute.
const HEADERS: [(&str, &str); 11] = [
    ("content-type", "application/mapi-http"),
    ("cache-control", "private"),
    ("x-requesttype", "Execute"),
    ("x-requestid", REQUEST_ID),
    ("x-clientinfo", REQUEST_ID),
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

/// This program again, as the echo, and a connection to it.
pub struct Echo {
    _child: Killed,
    stopwatch: Stopwatch,
    connection: Connection,
    body: Vec<u8>,
}

impl Echo {
    /// Starts one that answers requests of `asked` bytes with `answered` bytes.
    pub fn start(asked: usize, answered: usize) -> Self {
        let mut child = Command::new(env::current_exe().expect("the path of this program"))
            .args(["--echo", &answered.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the echo starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("standard output is a pipe");
        let child = Killed(child);
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the echo tells its address");
        let address = line.trim().parse().expect("an address");
        let connection = Connection::new(address);
        let body = vec![0; asked];
        let request = connection.request_bytes("/mapi/emsmdb", &REQUEST_HEADERS, &body);
        Self {
            _child: child,
            stopwatch: Stopwatch::new(address, request),
            connection,
            body,
        }
    }

    /// One request, beside one of a [`Stopwatch`].
    pub fn ask(&mut self) {
        self.stopwatch.ask();
    }

    /// One request, beside one of the tests' client.
    pub fn ask_plainly(&mut self) {
        self.connection
            .post("/mapi/emsmdb", &REQUEST_HEADERS, &self.body)
            .expect("the echo answers");
    }
}

/// Is the echo.
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
