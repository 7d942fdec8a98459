//! The lines before a response body: meta-tags and additional headers (MS-OXCMAPIHTTP 2.2.7 and
//! 2.2.2.2).

use crate::Put;

/// The request has been received and is being worked on.
pub const PROCESSING: &[u8] = b"PROCESSING\r\n";
/// It still is; sent again and again while that takes long.
pub const PENDING: &[u8] = b"PENDING\r\n";
/// The additional headers follow, an empty line, and the body.
pub const DONE: &[u8] = b"DONE\r\n";

/// Lines that a response has before its empty line; more are refused.
const LINES_MAX: usize = 10_000;

/// Appends one additional header.
pub fn put_header(out: &mut Vec<u8>, name: &str, value: &str) {
    out.put_bytes(name.as_bytes());
    out.put_bytes(b": ");
    out.put_bytes(value.as_bytes());
    out.put_bytes(b"\r\n");
}

/// Appends the empty line between the additional headers and the body.
pub fn put_end_of_headers(out: &mut Vec<u8>) {
    out.put_bytes(b"\r\n");
}

/// A response stream taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed<'a> {
    /// Number of PENDING tags.
    pub pending: usize,
    /// The additional headers, in order.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The response body.
    pub body: &'a [u8],
}

/// A response stream that has not the form of MS-OXCMAPIHTTP 2.2.2.2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    /// It ends before the body begins.
    #[error("the response stream ends before its body")]
    Unfinished,
    /// A line that is no meta-tag, or not in its place.
    #[error("no meta-tag where one was due")]
    MetaTag,
    /// A line that is no header.
    #[error("an additional header that is none")]
    Header,
    /// More lines than are read.
    #[error("more than {LINES_MAX} lines")]
    TooMany,
}

impl<'a> Framed<'a> {
    /// Takes a complete response stream apart: PROCESSING, PENDING any number of times, DONE,
    /// headers, an empty line, the body.
    pub fn parse(stream: &'a [u8]) -> Result<Self, FramingError> {
        let mut lines = Lines {
            rest: stream,
            left: LINES_MAX,
        };
        let mut pending = 0;
        let mut line = lines.next()?;
        // PROCESSING is the first if it is there at all.
        if line == "PROCESSING" {
            line = lines.next()?;
        }
        while line == "PENDING" {
            pending += 1;
            line = lines.next()?;
        }
        if line != "DONE" {
            return Err(FramingError::MetaTag);
        }
        let mut headers = Vec::new();
        loop {
            let line = lines.next()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or(FramingError::Header)?;
            headers.push((name.trim(), value.trim()));
        }
        Ok(Self {
            pending,
            headers,
            body: lines.rest,
        })
    }

    /// The first additional header of this name, whatever the case of its letters.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

struct Lines<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Result<&'a str, FramingError> {
        self.left = self.left.checked_sub(1).ok_or(FramingError::TooMany)?;
        let end = self
            .rest
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .ok_or(FramingError::Unfinished)?;
        let (line, rest) = self
            .rest
            .split_at_checked(end)
            .ok_or(FramingError::Unfinished)?;
        self.rest = rest.get(2..).unwrap_or_default();
        std::str::from_utf8(line).map_err(|_| FramingError::MetaTag)
    }
}
