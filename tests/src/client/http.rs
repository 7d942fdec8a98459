//! A small HTTP/1.1 client: one keep-alive connection, POST only.

use std::{
    io::{self, BufRead, BufReader, Read, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// No response of the server is larger.
const BODY_MAX: u64 = 64 << 20;

/// A response, with its body whole and without chunk framing.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names as they came, values without surrounding blanks.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// All headers of that name, in any case.
    pub fn headers<'s, 'n>(&'s self, name: &'n str) -> impl Iterator<Item = &'s str> + use<'s, 'n> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A keep-alive connection, opened at its first request.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// A connection to be opened to `address`.
    pub const fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// Where to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the connection; the next request opens another.
    pub fn close(&mut self) {
        self.stream = None;
    }

    /// Sends a POST and waits for its response. After an error the connection is closed.
    pub fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<HttpResponse> {
        let result = self.try_post(path, headers, body);
        let close = match &result {
            Ok(response) => response
                .header("Connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close")),
            Err(_) => true,
        };
        if close {
            self.close();
        }
        result
    }

    /// Sends a POST and does not wait for anything.
    pub fn send(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        let request = self.request_bytes(path, headers, body);
        self.stream()?.get_mut().write_all(&request)
    }

    /// What [`Connection::send`] sends.
    pub fn request_bytes(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        request
    }

    fn try_post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<HttpResponse> {
        self.send(path, headers, body)?;
        read_response(self.stream()?)
    }

    fn stream(&mut self) -> io::Result<&mut BufReader<TcpStream>> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            self.stream = Some(BufReader::new(stream));
        }
        self.stream
            .as_mut()
            .ok_or_else(|| io::Error::other("no connection"))
    }
}

/// Reads one response, whatever it says.
pub fn read_response(input: &mut impl BufRead) -> io::Result<HttpResponse> {
    let status_line = read_line(input)?;
    let status = status_line
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| bad(format!("status line {status_line:?}")))?;
    let mut response = HttpResponse {
        status,
        headers: read_headers(input)?,
        body: Vec::new(),
    };
    if response
        .header("Transfer-Encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        response.body = read_chunks(input)?;
    } else if let Some(length) = response.header("Content-Length") {
        let length = length
            .parse()
            .map_err(|_| bad(format!("Content-Length {length:?}")))?;
        response.body = read_exactly(input, length)?;
    }
    Ok(response)
}

fn read_headers(input: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = read_line(input)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| bad(format!("header line {line:?}")))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_chunks(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(input)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length =
            u64::from_str_radix(digits, 16).map_err(|_| bad(format!("chunk size {line:?}")))?;
        if length == 0 {
            read_headers(input)?;
            return Ok(body);
        }
        body.append(&mut read_exactly(input, length)?);
        read_line(input)?;
    }
}

fn read_exactly(input: &mut impl BufRead, length: u64) -> io::Result<Vec<u8>> {
    if length > BODY_MAX {
        return Err(bad(format!("{length} bytes")));
    }
    let mut bytes = Vec::new();
    input.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn read_line(input: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.take(64 << 10).read_line(&mut line)?;
    if !line.ends_with('\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(line)
}

fn bad(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_response_loses_its_chunk_framing() {
        let mut wire = &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n\
                          3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"[..];
        let response = read_response(&mut wire).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.header("x-a"), Some("1"));
        assert_eq!(response.body, b"abc0123456789");
        assert!(wire.is_empty());
    }

    #[test]
    fn a_response_cut_short_is_an_error() {
        let wire = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde";
        assert_eq!(read_response(&mut &wire[..]).unwrap().body, b"abcde");
        for len in 0..wire.len() {
            assert!(read_response(&mut &wire[..len]).is_err(), "{len}");
        }
    }
}
