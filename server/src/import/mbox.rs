//! Mbox files, one message at a time (RFC 4155, with the quoting of mboxrd).

use std::{
    io::{self, BufRead},
    mem,
};

use super::source::too_large;

/// Bytes of a line that are looked at together; a longer line comes in parts.
const LINE_PART_BYTES: u64 = 64 << 10;

/// Reads messages from an mbox file; keeps one in memory.
pub struct Mbox<R> {
    reader: R,
    message_bytes_max: u64,
    /// A part of a line, with its line end if the line ends with it.
    part: Vec<u8>,
    /// The last separator line was read, and its message was not.
    in_message: bool,
    /// Bytes read since the last message was given away.
    bytes_read: u64,
    done: bool,
}

/// One message of an mbox file.
#[derive(Debug)]
pub struct MboxMessage {
    /// Its bytes without separator and quoting, or why they cannot be had.
    pub data: Result<Vec<u8>, String>,
    /// Bytes that it takes in the file.
    pub bytes_read: u64,
}

impl<R: BufRead> Mbox<R> {
    /// The messages in `reader`; larger ones than the limit are skipped with a reason.
    pub fn new(reader: R, message_bytes_max: u64) -> Self {
        Self {
            reader,
            message_bytes_max,
            part: Vec::new(),
            in_message: false,
            bytes_read: 0,
            done: false,
        }
    }

    /// Reads the next part of a line into `self.part`; false at the end of the file.
    fn read_part(&mut self) -> io::Result<bool> {
        self.part.clear();
        let mut limited = io::Read::take(&mut self.reader, LINE_PART_BYTES);
        let read = limited.read_until(b'\n', &mut self.part)?;
        self.bytes_read += read as u64;
        Ok(read > 0)
    }

    /// Reads up to the next separator; `None` if the file ends without a message.
    fn read_message(&mut self) -> io::Result<Option<Result<Vec<u8>, String>>> {
        let mut data = Vec::new();
        let mut oversized = false;
        let mut line_start = true;
        let mut after_blank = true;
        loop {
            if !self.read_part()? {
                self.done = true;
                break;
            }
            let first_line = !self.in_message;
            let mark = &b"\xEF\xBB\xBF"[..];
            if first_line && self.part.starts_with(mark) {
                self.part.drain(..mark.len());
            }
            let part = &self.part[..];
            if line_start && after_blank && is_separator(part, first_line) {
                // The rest of an overlong separator is no part of the message.
                while self.part.last() != Some(&b'\n') && self.read_part()? {}
                if mem::replace(&mut self.in_message, true) {
                    break;
                }
                continue;
            }
            if self.in_message && !oversized {
                data.extend_from_slice(if line_start { unquoted(part) } else { part });
                oversized = data.len() as u64 > self.message_bytes_max;
            }
            after_blank = line_start && matches!(part, b"\n" | b"\r\n");
            line_start = part.last() == Some(&b'\n');
        }
        if oversized {
            return Ok(Some(Err(too_large(self.message_bytes_max))));
        }
        if !self.in_message || (self.done && data.is_empty()) {
            return Ok(None);
        }
        // The blank line before a separator belongs to the separator.
        let blank = [&b"\r\n\r\n"[..], b"\n\n"];
        if let Some(end) = blank.iter().find(|end| data.ends_with(end)) {
            data.truncate(data.len() - end.len() / 2);
        }
        Ok(Some(Ok(data)))
    }
}

impl<R: BufRead> Iterator for Mbox<R> {
    type Item = MboxMessage;

    fn next(&mut self) -> Option<MboxMessage> {
        if self.done {
            return None;
        }
        let data = match self.read_message() {
            Ok(None) => return None,
            Ok(Some(data)) => data,
            Err(error) => {
                self.done = true;
                Err(format!("the file cannot be read further: {error}"))
            }
        };
        Some(MboxMessage {
            data,
            bytes_read: mem::take(&mut self.bytes_read),
        })
    }
}

/// `From `, and, unless it begins the file, a time: text that was not quoted has none.
fn is_separator(line: &[u8], first: bool) -> bool {
    let has_time = || {
        line.windows(5).any(|window| {
            matches!(window, [a, b, b':', c, d]
                if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()))
        })
    };
    line.starts_with(b"From ") && (first || has_time())
}

/// A line without the `>` that keeps it from being a separator.
fn unquoted(line: &[u8]) -> &[u8] {
    let quotes = line.iter().take_while(|byte| **byte == b'>').count();
    match line.get(quotes..) {
        Some(rest) if quotes > 0 && rest.starts_with(b"From ") => line.get(1..).unwrap_or(line),
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(mbox: &[u8], bytes_max: u64) -> Vec<Result<String, String>> {
        Mbox::new(mbox, bytes_max)
            .map(|message| message.data.map(|data| String::from_utf8(data).unwrap()))
            .collect()
    }

    #[test]
    fn messages_are_taken_apart_and_unquoted() {
        let mbox = b"From a Thu Jan  1 00:00:00 1970\nSubject: 1\n\n>From here\n>>From there\n\n\
                     From now on, no separator\n\n\
                     From b Thu Jan  1 00:00:00 1970\nSubject: 2\n\nFrom right here 12:00\n";
        assert_eq!(
            messages(mbox, 1000),
            [
                Ok(
                    "Subject: 1\n\nFrom here\n>From there\n\nFrom now on, no separator\n"
                        .to_owned()
                ),
                // The blank line before the body makes its first line look like a separator.
                Ok("Subject: 2\n".to_owned()),
            ]
        );
    }

    #[test]
    fn nothing_in_it_is_nothing() {
        for mbox in [&b""[..], b"\n\n", b"no separator\n"] {
            assert_eq!(messages(mbox, 1000), []);
        }
    }

    #[test]
    fn a_byte_order_mark_before_the_first_separator_is_skipped() {
        let mbox = "\u{FEFF}From a\nSubject: 1\n\nFrom me\n";
        let expected = Ok("Subject: 1\n\nFrom me\n".to_owned());
        assert_eq!(messages(mbox.as_bytes(), 1000), [expected]);
    }

    #[test]
    fn an_oversized_message_is_skipped_whatever_its_lines() {
        let mut mbox = b"From a\nSubject: 1\n\n".to_vec();
        mbox.extend(vec![b'x'; 200_000]);
        mbox.extend(b"\n\nFrom b 00:00\r\nSubject: 2\r\n\r\nbody\r\n\r\n");
        let found = messages(&mbox, 1000);
        assert!(
            found[0]
                .as_ref()
                .is_err_and(|reason| reason.contains("1000"))
        );
        assert_eq!(found[1], Ok("Subject: 2\r\n\r\nbody\r\n".to_owned()));
        assert_eq!(found.len(), 2);
        let total: u64 = Mbox::new(&mbox[..], 10)
            .map(|message| message.bytes_read)
            .sum();
        assert_eq!(total, mbox.len() as u64);
    }
}
