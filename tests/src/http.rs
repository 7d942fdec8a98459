//! HTTP as bytes: what a test wants to send, valid or not, and the response to it.

use std::{
    fmt::Write as _,
    io::{self, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::client::{HttpResponse, read_response};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection, plain or over TLS.
pub struct Http {
    stream: BufReader<Box<dyn Stream>>,
    /// What TLS negotiated by ALPN.
    pub alpn: Option<Vec<u8>>,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

impl Http {
    /// Connects without TLS.
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            stream: BufReader::new(Box::new(connect(address))),
            alpn: None,
        }
    }

    /// Connects with TLS, trusts nothing but the self-signed certificate in the data directory, and
    /// offers these protocols.
    pub fn tls(address: SocketAddr, data_dir: &Path, alpn: &[&str]) -> Self {
        let certificate = CertificateDer::from_pem_file(data_dir.join("tls-certificate.pem"))
            .expect("the server has a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate");
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").expect("a name");
        let mut session = ClientConnection::new(Arc::new(config), name).expect("a TLS client");
        let mut socket = connect(address);
        while session.is_handshaking() {
            session.complete_io(&mut socket).expect("a TLS handshake");
        }
        let alpn = session.alpn_protocol().map(<[u8]>::to_vec);
        Self {
            stream: BufReader::new(Box::new(StreamOwned::new(session, socket))),
            alpn,
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)?;
        self.stream.get_mut().flush()
    }

    /// Reads exactly so many bytes.
    pub fn receive(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.stream.read_exact(bytes)
    }

    /// Reads the response that comes next.
    pub fn response(&mut self) -> io::Result<HttpResponse> {
        read_response(&mut self.stream)
    }

    /// Sends a request and reads its response; panics if there is none.
    pub fn request(&mut self, request: &Request) -> HttpResponse {
        self.send(&request.to_bytes()).expect("the request is sent");
        self.response().expect("a response")
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket option");
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(PATIENCE)).expect("a socket option");
    }
    stream
}

/// A request to be changed and sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// All headers but Content-Length, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The sizes of the chunks that the body is sent in; Content-Length if there are none.
    pub chunks: Vec<usize>,
}

impl Request {
    /// A request type at the mailbox endpoint with everything that it needs but cookies.
    pub fn mapi(user: &str, password: &str, request_type: &str, body: &[u8]) -> Self {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let headers = [
            ("Host", "localhost"),
            ("Authorization", &format!("Basic {credentials}")),
            ("Content-Type", "application/mapi-http"),
            ("X-RequestType", request_type),
            ("X-RequestId", "{6B2E7C1D-0F3A-4A7B-9C55-2D8E1F0A4B63}:1"),
            ("X-ClientInfo", "{11111111-2222-3333-4444-555555555555}:2"),
            ("X-ClientApplication", "Outlook/16.0.10000.20000"),
        ];
        Self {
            method: "POST".to_owned(),
            path: "/mapi/emsmdb/?MailboxId=somebody@example.test".to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: body.to_vec(),
            chunks: Vec::new(),
        }
    }

    /// With this header in place of those of its name; without any if `value` is `None`.
    pub fn with(mut self, name: &str, value: Option<&str>) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        let value = value.map(|value| (name.to_owned(), value.to_owned()));
        self.headers.extend(value);
        self
    }

    /// With the cookies that a response has set.
    pub fn after(self, response: &HttpResponse) -> Self {
        self.with("Cookie", Some(&cookies(response)))
    }

    /// At another path.
    pub fn at(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    /// The bytes of the request.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if self.chunks.is_empty() {
            let _ = write!(head, "Content-Length: {}\r\n\r\n", self.body.len());
            return [head.as_bytes(), &self.body].concat();
        }
        let mut bytes = (head + "Transfer-Encoding: chunked\r\n\r\n").into_bytes();
        let mut rest = self.body.as_slice();
        for size in &self.chunks {
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
            bytes.extend([chunk, b"\r\n"].concat());
        }
        assert!(rest.is_empty(), "chunks for the whole body");
        bytes.extend(b"0\r\n\r\n");
        bytes
    }
}

/// What a Cookie header has to say after a response: `NAME=VALUE; NAME=VALUE`.
pub fn cookies(response: &HttpResponse) -> String {
    let pairs: Vec<&str> = response
        .headers("Set-Cookie")
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    pairs.join("; ")
}

/// X-ResponseCode as a number; panics if it is missing.
pub fn response_code(response: &HttpResponse) -> u32 {
    response
        .header("X-ResponseCode")
        .and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("no X-ResponseCode: {response:?}"))
}
