//! Content transfer encodings (RFC 2045 6), read leniently.

use std::borrow::Cow;

/// Undoes a content transfer encoding; an unknown one is taken for none.
pub fn decode<'a>(body: &'a [u8], encoding: &str) -> Cow<'a, [u8]> {
    // Comments are allowed before and after it (RFC 2045 6.1); "base64 ; x=y", "quoted-printable ,"
    // and quotes have been seen.
    let encoding = encoding.trim();
    let comment = encoding.starts_with('(').then(|| encoding.split_once(')'));
    let name = comment.flatten().map_or(encoding, |(_, name)| name.trim());
    let name = name.split([';', ',', ' ', '(']).next().unwrap_or("");
    let name = name.trim_matches(['"', '\'']);
    match name.to_ascii_lowercase().as_str() {
        "base64" => Cow::Owned(base64(body)),
        "quoted-printable" => Cow::Owned(quoted_printable(body)),
        "x-uuencode" | "uuencode" | "x-uue" | "x-uu" => Cow::Owned(uuencode(body)),
        _ => Cow::Borrowed(body),
    }
}

/// Base64: characters outside the alphabet are skipped, padding may be missing or in the middle.
pub fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let mut bits: u32 = 0;
    let mut count = 0;
    let mut flush = |bits: &mut u32, count: &mut u32| {
        let [_, a, b, c] = match *count {
            2 => (*bits << 12).to_be_bytes(),
            3 => (*bits << 6).to_be_bytes(),
            _ => bits.to_be_bytes(),
        };
        let whole = [a, b, c];
        out.extend_from_slice(
            whole
                .get(..count.saturating_sub(1) as usize)
                .unwrap_or(&whole),
        );
        *bits = 0;
        *count = 0;
    };
    for byte in body {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => {
                flush(&mut bits, &mut count);
                continue;
            }
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            flush(&mut bits, &mut count);
        }
    }
    flush(&mut bits, &mut count);
    out
}

/// Quoted-printable: an `=` that begins no escape stands for itself.
pub fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (content, end) = split_line_end(line);
        // Blanks at the end of a line are not the author's (RFC 2045 6.7, rule 3).
        let content = content.trim_ascii_end();
        let (content, end) = match content.strip_suffix(b"=") {
            Some(content) => (content, &b""[..]),
            None => (content, end),
        };
        let mut rest = content;
        while let Some((byte, tail)) = rest.split_first() {
            rest = tail;
            match (byte, tail) {
                (b'=', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => {
                        out.push(high << 4 | low);
                        rest = after;
                    }
                    _ => out.push(b'='),
                },
                _ => out.push(*byte),
            }
        }
        out.extend_from_slice(end);
    }
    out
}

fn split_line_end(line: &[u8]) -> (&[u8], &[u8]) {
    let content = line.strip_suffix(b"\n").unwrap_or(line);
    let content = content.strip_suffix(b"\r").unwrap_or(content);
    line.split_at_checked(content.len()).unwrap_or((line, b""))
}

/// Percent-encoding, as in URIs and RFC 2231; a `%` that begins no escape stands for itself.
pub fn percent(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        let escape = match tail {
            [high, low, after @ ..] if *byte == b'%' => hex(*high).zip(hex(*low)).zip(Some(after)),
            _ => None,
        };
        match escape {
            Some(((high, low), after)) => {
                out.push(high << 4 | low);
                rest = after;
            }
            None => out.push(*byte),
        }
    }
    out
}

/// The value of a hexadecimal digit.
pub fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// Uuencode, from the line after `begin` to `end`.
fn uuencode(body: &[u8]) -> Vec<u8> {
    let mut lines = body.split(|byte| *byte == b'\n');
    if !lines.any(|line| line.starts_with(b"begin ")) {
        return body.to_vec();
    }
    let mut out = Vec::with_capacity(body.len() / 4 * 3);
    for line in lines {
        let line = line.trim_ascii_end();
        let Some((length, data)) = line.split_first() else {
            continue;
        };
        if line == b"end" {
            break;
        }
        let length = usize::from(length.wrapping_sub(b' ') & 0x3F);
        let before = out.len();
        for group in data.chunks(4) {
            let bits = (0..4).fold(0_u32, |bits, at| {
                let byte = group.get(at).copied().unwrap_or(b' ');
                bits << 6 | u32::from(byte.wrapping_sub(b' ') & 0x3F)
            });
            let [_, a, b, c] = bits.to_be_bytes();
            out.extend_from_slice(&[a, b, c]);
        }
        out.truncate(before.saturating_add(length));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_survives_what_mail_does_to_it() {
        for (encoded, plain) in [
            (&b"aGVsbG8="[..], &b"hello"[..]),
            (b"aGVs\r\nbG8=\r\n", b"hello"),
            (b"aGVsbG8", b"hello"),
            (b"aGVs!bG8#=", b"hello"),
            (b"aGk=aGk=", b"hihi"),
            (b"a", b""),
            (b"====", b""),
            (b"", b""),
        ] {
            assert_eq!(base64(encoded), plain, "{encoded:?}");
        }
    }

    #[test]
    fn quoted_printable_keeps_broken_escapes() {
        for (encoded, plain) in [
            (&b"caf=C3=A9"[..], "café".as_bytes()),
            (b"one=\r\ntwo", b"onetwo"),
            (b"one= \t\r\ntwo", b"onetwo"),
            (b"a  \r\nb", b"a\r\nb"),
            (b"1=2 =zz =", b"1=2 =zz "),
            (b"x=\xFF\xFE", b"x=\xFF\xFE"),
            (b"=4", b"=4"),
        ] {
            assert_eq!(quoted_printable(encoded), plain, "{encoded:?}");
        }
    }

    #[test]
    fn other_encodings() {
        for name in ["BASE64;", "(short) base64", "base64(short)", "\"base64\""] {
            assert_eq!(&*decode(b"aGk=", name), b"hi", "{name}");
        }
        assert_eq!(&*decode(b"aGk=", "8bit"), b"aGk=");
        assert_eq!(
            &*decode(b"begin 644 x\n#0V%T\n`\nend\n", "x-uuencode"),
            b"Cat"
        );
    }
}
