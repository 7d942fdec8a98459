//! A client that does no more than HTTP asks of it, so that what is measured is the server: the same one for
//! both that are held beside each other.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    str,
};

use ropewalk_tests::client::Client;

/// What is before the value of the sequence cookie, in requests and responses.
const SEQUENCE: &[u8] = b"MapiSequence=";
/// Digits of that value.
const DIGITS: usize = 16;
/// Bytes of a response.
const RESPONSE_MAX: usize = 64 << 20;

/// One request that is sent again and again on one connection, each time with the sequence that the
/// response before it told.
pub struct Stopwatch {
    stream: TcpStream,
    request: Vec<u8>,
    /// Where in the request the sequence is.
    sequence_at: usize,
    response: Vec<u8>,
}

impl Stopwatch {
    /// For a request that has a sequence cookie.
    pub fn new(address: SocketAddr, request: Vec<u8>) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let sequence_at = after(&request, SEQUENCE).expect("a sequence cookie");
        Self {
            stream,
            request,
            sequence_at,
            response: vec![0; 64 << 10],
        }
    }

    /// For an Execute with this RopBuffer in the client's session context.
    pub fn executing(client: &mut Client, rop_buffer: &[u8]) -> Self {
        let request = client.execute_bytes(rop_buffer);
        Self::new(client.connection().address(), request)
    }

    /// For a PING in the client's session context.
    pub fn pinging(client: &mut Client) -> Self {
        let request = client.request_bytes("PING", &[]);
        Self::new(client.connection().address(), request)
    }

    /// Has the client go on with its session context.
    pub fn give_back(self, client: &mut Client) {
        let sequence = &self.request[self.sequence_at..][..DIGITS];
        let sequence = str::from_utf8(sequence).expect("digits").to_owned();
        client.cookies().insert("MapiSequence".to_owned(), sequence);
    }

    /// Sends the request and takes its response in; the length of its body, as it is sent.
    pub fn ask(&mut self) -> usize {
        self.try_ask().expect("a response")
    }

    fn try_ask(&mut self) -> io::Result<usize> {
        self.stream.write_all(&self.request)?;
        let mut filled = 0;
        let mut head = None;
        loop {
            if filled == self.response.len() {
                assert!(filled < RESPONSE_MAX, "a response that does not end");
                self.response.resize(filled * 2, 0);
            }
            match self.stream.read(&mut self.response[filled..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => filled += read,
            }
            let come = &self.response[..filled];
            if head.is_none() {
                head = after(come, b"\r\n\r\n");
            }
            if head.is_some_and(|at| is_whole(&come[..at], &come[at..])) {
                break;
            }
        }
        let (head, body) = self.response[..filled].split_at(head.unwrap_or(filled));
        assert!(head.starts_with(b"HTTP/1.1 200"), "a request is refused");
        let told = after(head, SEQUENCE).expect("a sequence cookie");
        self.request[self.sequence_at..][..DIGITS].copy_from_slice(&head[told..][..DIGITS]);
        Ok(body.len())
    }
}

/// Whether all of a body has come, with what its headers tell of its length.
fn is_whole(head: &[u8], body: &[u8]) -> bool {
    match after(head, b"content-length: ") {
        Some(at) => {
            let digits = head[at..].iter().take_while(|byte| byte.is_ascii_digit());
            let length = digits.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            body.len() >= length
        }
        None => all_chunks(body).unwrap_or(false),
    }
}

/// Whether the last chunk has come; `None` if one before it has not.
fn all_chunks(mut body: &[u8]) -> Option<bool> {
    loop {
        let line = after(body, b"\r\n")?;
        let digits = str::from_utf8(&body[..line - 2]).ok()?;
        let length = usize::from_str_radix(digits, 16).ok()?;
        let rest = body.get(line + length + 2..)?;
        if length == 0 {
            return Some(true);
        }
        body = rest;
    }
}

/// The place behind the first `wanted`.
fn after(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + bytes[from..].iter().position(|byte| *byte == first)?;
        if bytes[at..].starts_with(wanted) {
            return Some(at + wanted.len());
        }
        from = at + 1;
    }
}
