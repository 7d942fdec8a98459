//! A response stream in one buffer: the lines of MS-OXCMAPIHTTP 2.2.7 and a body after them.

use std::{
    cell::Cell,
    io::Write as _,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use httpdate::HttpDate;
use ropewalk_wire::mapihttp::{ResponseCode, framing};

/// Room for the lines, which are written when the body is there: they say how long it took.
const HEAD_ROOM: usize = 192;

/// When the work on a request began.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    date: SystemTime,
    clock: Instant,
}

impl Started {
    /// Now.
    pub fn now() -> Self {
        Self {
            date: SystemTime::now(),
            clock: Instant::now(),
        }
    }
}

/// Makes a response stream.
pub struct StreamBuilder {
    started: Started,
    out: Vec<u8>,
}

impl StreamBuilder {
    /// A stream for a body of some `capacity` bytes.
    pub fn new(started: Started, capacity: usize) -> Self {
        let mut out = Vec::with_capacity(HEAD_ROOM + capacity);
        out.resize(HEAD_ROOM, 0);
        Self { started, out }
    }

    /// Where the body is appended. What is there already is not to be touched.
    pub fn body(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// The stream, from PROCESSING to the end of the body.
    pub fn finish(self) -> Bytes {
        self.finish_with(ResponseCode::Success, "")
    }

    fn finish_with(mut self, code: ResponseCode, more: &str) -> Bytes {
        // PROCESSING and DONE, the additional headers, the empty line.
        let mut head = Head::default();
        head.put(framing::PROCESSING);
        head.put(framing::DONE);
        head.put(b"X-ResponseCode: ");
        head.put_number(code.number().into());
        head.put(b"\r\n");
        head.put(more.as_bytes());
        head.put(b"X-ElapsedTime: ");
        head.put_number(self.started.clock.elapsed().as_millis());
        head.put(b"\r\nX-StartTime: ");
        head.put(&http_date(self.started.date));
        head.put(b"\r\n\r\n");
        let head = head.written();
        let at = HEAD_ROOM.saturating_sub(head.len());
        if let Some(room) = self.out.get_mut(at..HEAD_ROOM) {
            room.copy_from_slice(head);
        }
        // One that waits for a slow client takes at most four times what it has.
        if self.out.len() < self.out.capacity() / 4 {
            self.out.shrink_to_fit();
        }
        let mut stream = Bytes::from(self.out);
        stream.split_off(at)
    }
}

/// The lines before a body, as far as they have room.
struct Head {
    bytes: [u8; HEAD_ROOM],
    length: usize,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            bytes: [0; HEAD_ROOM],
            length: 0,
        }
    }
}

impl Head {
    fn put(&mut self, text: &[u8]) {
        let end = self.length + text.len();
        match self.bytes.get_mut(self.length..end) {
            Some(room) => {
                room.copy_from_slice(text);
                self.length = end;
            }
            // Only longer lines can have no room.
            None => tracing::error!(end, "the lines before a body"),
        }
    }

    fn put_number(&mut self, number: u128) {
        self.put(itoa::Buffer::new().format(number).as_bytes());
    }

    fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Bytes of a date in HTTP.
const DATE_LEN: usize = 29;

/// A date in HTTP (RFC 9110 5.6.7). Requests come many to a second: the last one is remembered.
fn http_date(time: SystemTime) -> [u8; DATE_LEN] {
    thread_local! {
        static LAST: Cell<(u64, [u8; DATE_LEN])> = const { Cell::new((u64::MAX, [b' '; DATE_LEN])) };
    }
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (second, text) = LAST.get();
    if second == since.as_secs() {
        return text;
    }
    let mut text = [b' '; DATE_LEN];
    // A date that is longer is cut: RFC 9110 has none.
    let _ = write!(&mut text[..], "{}", HttpDate::from(UNIX_EPOCH + since));
    LAST.set((since.as_secs(), text));
    text
}

/// The stream of a request that failed after its response began: the additional headers take back
/// the code that the response began with (MS-OXCMAPIHTTP 2.2.2.2).
pub fn late_failure(started: Started, code: ResponseCode, sentence: &str) -> Bytes {
    let mut builder = StreamBuilder::new(started, sentence.len());
    builder.body().extend_from_slice(sentence.as_bytes());
    builder.finish_with(code, "Content-Type: text/html\r\n")
}

/// What is left of a stream whose PROCESSING has been sent.
pub fn after_processing(stream: &Bytes) -> Bytes {
    match stream.strip_prefix(framing::PROCESSING) {
        Some(rest) => stream.slice_ref(rest),
        None => stream.clone(),
    }
}

#[cfg(test)]
mod tests {
    use ropewalk_wire::mapihttp::framing::Framed;

    use super::*;

    #[test]
    fn a_stream_has_its_lines_and_its_body() {
        let mut builder = StreamBuilder::new(Started::now(), 4);
        builder.body().extend_from_slice(b"body");
        let stream = builder.finish();
        assert!(stream.starts_with(b"PROCESSING\r\nDONE\r\n"));
        let framed = Framed::parse(&stream).unwrap();
        assert_eq!(framed.body, b"body");
        assert_eq!(framed.header("X-ResponseCode"), Some("0"));
        let elapsed = framed.header("X-ElapsedTime").unwrap();
        assert!(elapsed.parse::<u64>().unwrap() < 60_000);
        assert!(httpdate::parse_http_date(framed.header("X-StartTime").unwrap()).is_ok());
        assert!(after_processing(&stream).starts_with(b"DONE\r\n"));
    }

    #[test]
    fn a_late_failure_takes_the_first_code_back() {
        let stream = late_failure(Started::now(), ResponseCode::UnknownFailure, "no");
        let framed = Framed::parse(&stream).unwrap();
        assert_eq!(framed.header("X-ResponseCode"), Some("1"));
        assert_eq!(framed.header("Content-Type"), Some("text/html"));
        assert_eq!(framed.body, b"no");
    }

    #[test]
    fn the_longest_lines_have_room() {
        let far = Started {
            date: SystemTime::now(),
            clock: Instant::now(),
        };
        let stream = late_failure(far, ResponseCode::EndpointShuttingDown, "");
        // A hundred years in milliseconds have twelve more digits than no time at all.
        assert!(stream.len() + 12 <= HEAD_ROOM, "{}", stream.len());
    }
}
