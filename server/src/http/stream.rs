//! A response stream in one buffer: the lines of MS-OXCMAPIHTTP 2.2.7 and a body after them.

use std::{
    io::{Cursor, Write as _},
    time::{Instant, SystemTime},
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
        let mut head = Cursor::new([0; HEAD_ROOM]);
        // PROCESSING and DONE, the additional headers, the empty line.
        let written = head
            .write_all(framing::PROCESSING)
            .and_then(|()| head.write_all(framing::DONE))
            .and_then(|()| {
                write!(
                    head,
                    "X-ResponseCode: {}\r\n{more}X-ElapsedTime: {}\r\nX-StartTime: {}\r\n\r\n",
                    code.number(),
                    self.started.clock.elapsed().as_millis(),
                    HttpDate::from(self.started.date),
                )
            });
        if let Err(error) = written {
            // Only a change of the lines above can make them longer than the room.
            tracing::error!(%error, "the lines before a body");
        }
        let length = usize::try_from(head.position()).unwrap_or(HEAD_ROOM);
        let at = HEAD_ROOM - length.min(HEAD_ROOM);
        if let Some((room, head)) = self
            .out
            .get_mut(at..HEAD_ROOM)
            .zip(head.get_ref().get(..length))
        {
            room.copy_from_slice(head);
        }
        self.out.shrink_to_fit();
        let mut stream = Bytes::from(self.out);
        stream.split_off(at)
    }
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
