//! Header fields: found, made UTF-8, and parsed by mail-parser.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use mail_parser::{Addr, Address, ContentType, HeaderValue, MessageParser};
use ropewalk_props::FileTime;

use crate::{charset, date, encoded_word};

/// Bytes of a header that are read.
const HEADER_BYTES_MAX: usize = 512 << 10;
/// Fields of a header that are read.
const FIELDS_MAX: usize = 2_000;
/// Bytes of one field that are read; encoded words take quadratic time when they are broken.
const FIELD_BYTES_MAX: usize = 64 << 10;
/// The same for fields in which an encoded word begins that does not end.
const BROKEN_FIELD_BYTES_MAX: usize = 4 << 10;

const RESERVED: [&str; 2] = ["X-MS-Exchange-Organization-", "X-MS-Exchange-Forest-"];

/// A header.
#[derive(Debug, Default)]
pub struct Headers {
    /// Where the names and the values are, in `decodable` if there is that.
    fields: Vec<(Range<usize>, Range<usize>)>,
    /// As it came.
    text: String,
    /// The same with its encoded words in UTF-8, if there are any.
    decodable: Option<String>,
}

/// Splits an entity into its header and its body, without the empty line between them. Without
/// anything like a field at the beginning, all of it is body.
pub fn split(entity: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    let mut fields = 0;
    for line in entity.split_inclusive(|byte| *byte == b'\n') {
        let after = entity.get(at + line.len()..).unwrap_or_default();
        if line.trim_ascii().is_empty() && line.ends_with(b"\n") && !is_fold(line, after) {
            let header = entity.get(..at).unwrap_or_default();
            let body = entity.get(at + line.len()..).unwrap_or_default();
            if fields > 0 || header.is_empty() {
                return (header, body);
            }
            return (b"", entity);
        }
        fields += usize::from(is_field(line) || (at == 0 && is_separator(line)));
        // A line that can be nothing of a header ends one that has no empty line after it.
        if at == 0 && fields == 0 {
            return (b"", entity);
        }
        at += line.len();
    }
    if fields > 0 {
        (entity, b"")
    } else {
        (b"", entity)
    }
}

/// A line of nothing but blanks, which a fold of old may have (RFC 5322 4.2): it ends a header all the
/// same unless more of the header comes after it.
fn is_fold(line: &[u8], after: &[u8]) -> bool {
    let next = after
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let goes_on = next.starts_with(b" ") || next.starts_with(b"\t") || is_field(next);
    (line.starts_with(b" ") || line.starts_with(b"\t")) && goes_on
}

/// The first field of a header with the lines that belong to it, which are all that begin no other
/// one, and what comes after it.
pub fn split_field(header: &str) -> (&str, &str) {
    let mut at = 0;
    for line in header.split_inclusive('\n') {
        if at > 0 && begins_field(line) {
            break;
        }
        at += line.len();
    }
    header.split_at_checked(at).unwrap_or((header, ""))
}

fn begins_field(line: &str) -> bool {
    !line.starts_with([' ', '\t']) && is_field(line.as_bytes())
}

/// The line that an mbox file has before a message (RFC 4155).
fn is_separator(line: &[u8]) -> bool {
    line.strip_prefix(b"From ")
        .is_some_and(|rest| !rest.trim_ascii_start().starts_with(b":"))
}

/// A field name, perhaps blanks, and a colon (RFC 5322 2.2, 4.5).
fn is_field(line: &[u8]) -> bool {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    let name = name.trim_ascii_end();
    name.len() < line.len()
        && !name.is_empty()
        && name.iter().all(u8::is_ascii_graphic)
        && line.contains(&b':')
}

impl Headers {
    /// Parses a header. Bytes that are not UTF-8 are in the charset `label`, or in the one that the
    /// header itself names.
    pub fn parse(block: &[u8], label: Option<&str>) -> Self {
        let block = block.get(..HEADER_BYTES_MAX).unwrap_or(block);
        let text = match std::str::from_utf8(block) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let named = charset_in(block);
                Cow::Owned(charset::decode(block, label.or(named.as_deref())))
            }
        };
        let text = normalize(&text);
        let decodable = text.contains("=?").then(|| encoded_word::to_utf8(&text));
        let mut fields = Vec::new();
        let mut at = 0;
        let mut rest = decodable.as_ref().unwrap_or(&text).as_str();
        while !rest.is_empty() {
            let (field, others) = split_field(rest);
            if let Some((name, _)) = field.split_once(':') {
                let end = at + field.len();
                fields.push((at..at + name.trim_end().len(), at + name.len() + 1..end));
            }
            at += field.len();
            rest = others;
        }
        Self {
            fields,
            text,
            decodable,
        }
    }

    /// The header as text, lines ending with CR LF, without the fields that are reserved for a
    /// server (MS-OXCMAIL 2.2.3.2.28).
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + self.text.len() / 32);
        let mut reserved = false;
        for line in self.text.lines().filter(|line| !line.is_empty()) {
            if !line.starts_with([' ', '\t']) {
                reserved = RESERVED.iter().any(|prefix| {
                    let start = line.split_at_checked(prefix.len());
                    start.is_some_and(|(start, _)| start.eq_ignore_ascii_case(prefix))
                });
            }
            if !reserved {
                out.extend([line, "\r\n"]);
            }
        }
        out
    }

    /// The value of the first field with this name, unfolded but not decoded; encoded words are in
    /// UTF-8.
    pub fn raw(&self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        let value = words.join(" ");
        (!value.is_empty()).then_some(value)
    }

    /// The value of the first field with this name with its folds.
    pub fn folded(&self, name: &str) -> Option<&str> {
        self.value(name).map(str::trim)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let text = self.decodable.as_ref().unwrap_or(&self.text);
        self.fields.iter().filter_map(move |(its_name, value)| {
            let found = text.get(its_name.clone())?.eq_ignore_ascii_case(name);
            found.then(|| text.get(value.clone()))?
        })
    }

    /// The value of the first field with this name, encoded words decoded.
    pub fn decoded(&self, name: &str) -> Option<String> {
        let value = unfold(self.value(name)?);
        let value = encoded_word::decode(&value);
        Some(without_controls(&value))
    }

    /// The addresses of all fields with this name, groups taken apart; at most `max`.
    pub fn addresses(&self, name: &str, max: usize) -> Vec<Addr<'static>> {
        let mut found = Vec::new();
        for value in self.values(name) {
            let Some(HeaderValue::Address(addresses)) = parse_as("To", value) else {
                continue;
            };
            let left = max.saturating_sub(found.len());
            match addresses {
                Address::List(list) => found.extend(list.into_iter().take(left)),
                Address::Group(groups) => {
                    let all = groups.into_iter().flat_map(|group| group.addresses);
                    found.extend(all.take(left));
                }
            }
        }
        found
    }

    /// The time that the first field with this name tells; in a Received field, it comes last (RFC
    /// 5321 4.4).
    pub fn time(&self, name: &str) -> Option<FileTime> {
        let value = self.raw(name)?;
        let value = value.rsplit(';').next().unwrap_or(&value);
        date::parse(value)
    }

    /// A Content-Type or Content-Disposition field.
    pub fn content_type(&self, name: &str) -> Option<ContentType<'static>> {
        match parse_as("Content-Type", self.value(name)?)? {
            HeaderValue::ContentType(ty) => Some(ty),
            _ => None,
        }
    }
}

/// A value on one line.
fn unfold(value: &str) -> String {
    let mut lines = value.split('\n').map(str::trim_ascii);
    let mut out = lines.next().unwrap_or_default().to_owned();
    for line in lines.filter(|line| !line.is_empty()) {
        out.extend([" ", line]);
    }
    out
}

/// A parser has a table of its own, which takes longer to make than most fields to parse.
static PARSER: LazyLock<MessageParser> = LazyLock::new(MessageParser::default);

/// Has mail-parser parse the value of a field as that of another one. Each is parsed alone: some
/// values make it take the next field for a part of them.
fn parse_as(name: &str, value: &str) -> Option<HeaderValue<'static>> {
    let field = format!("{name}: {}\n\n", unfold(value));
    let message = PARSER.parse_headers(field.as_bytes())?;
    let part = message.parts.into_iter().next()?;
    let header = part.headers.into_iter().next()?;
    Some(header.into_owned().value)
}

/// Text without control characters, which clients show as boxes or choke on.
pub fn without_controls(text: &str) -> String {
    let kept = text.chars().map(|c| match c {
        '\t' | '\r' | '\n' => ' ',
        other => other,
    });
    let kept: String = kept.filter(|c| !c.is_control()).collect();
    kept.trim().to_owned()
}

/// The charset in a header that is not UTF-8, looked for without parsing.
fn charset_in(block: &[u8]) -> Option<String> {
    let lower = block.to_ascii_lowercase();
    let mark = b"charset=";
    let at = lower
        .windows(mark.len())
        .position(|window| window == mark)?;
    let label = lower.get(at + mark.len()..)?;
    let label: String = label
        .iter()
        .skip_while(|byte| **byte == b'"')
        .take_while(|byte| byte.is_ascii_graphic() && !b"\";,".contains(byte))
        .take(40)
        .map(|byte| char::from(*byte))
        .collect();
    // ISO-2022-JP and its like have no 8-bit bytes: whatever these are, they are not that.
    (!label.starts_with("iso-2022")).then_some(label)
}

/// LF line ends, no NUL, bounded in fields and in bytes of a field, and an empty line at the end.
fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut fields = 0;
    let mut field_start = 0;
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if index == 0 && is_separator(line.as_bytes()) {
            continue;
        }
        if begins_field(line) {
            bound_field(&mut out, field_start);
            field_start = out.len();
            fields += 1;
            if fields > FIELDS_MAX {
                break;
            }
        }
        if line.trim().is_empty() {
            continue;
        }
        out.extend(line.chars().filter(|c| !matches!(c, '\0' | '\r')));
        out.push('\n');
    }
    bound_field(&mut out, field_start);
    out.push('\n');
    out
}

/// Cuts the last field if it is too long.
fn bound_field(out: &mut String, start: usize) {
    let field = out.get(start..).unwrap_or_default();
    let broken = match (field.rfind("=?"), field.rfind("?=")) {
        (Some(begin), Some(end)) => begin > end,
        (Some(_), None) => true,
        _ => false,
    };
    let max = if broken {
        BROKEN_FIELD_BYTES_MAX
    } else {
        FIELD_BYTES_MAX
    };
    if field.len() > max {
        let mut end = start + max;
        while !out.is_char_boundary(end) {
            end -= 1;
        }
        out.truncate(end);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_ends_at_the_first_empty_line() {
        let cases: [(&[u8], &[u8], &[u8]); 9] = [
            (b"A: b\n \n c\n\nbody", b"A: b\n \n c\n", b"body"),
            (b"A: b\n \nbody", b"A: b\n", b"body"),
            (b"A: b\r\n\r\nbody", b"A: b\r\n", b"body"),
            (b"A: b\n c\n\nbody\n\nmore", b"A: b\n c\n", b"body\n\nmore"),
            (b"A: b", b"A: b", b""),
            (b"\r\nbody", b"", b"body"),
            (
                b"no header at all\n\nbody",
                b"",
                b"no header at all\n\nbody",
            ),
            (b"From x Thu\nA: b\n\nbody", b"From x Thu\nA: b\n", b"body"),
            (b"", b"", b""),
        ];
        for (entity, header, body) in cases {
            assert_eq!(split(entity), (header, body), "{entity:?}");
        }
    }

    #[test]
    fn a_separator_is_no_field_and_a_blank_before_a_colon_is_no_separator() {
        let headers = Headers::parse(b"From ada@x Mon Nov 23 09:00:00 2026\nSubject: x\n", None);
        assert_eq!(headers.raw("From"), None);
        assert_eq!(headers.raw("Subject").as_deref(), Some("x"));
        let headers = Headers::parse(b"From  : ada@x\n", None);
        assert_eq!(headers.raw("From").as_deref(), Some("ada@x"));
    }

    #[test]
    fn fields_are_found_unfolded_and_decoded() {
        let headers = Headers::parse(
            b"Subject: =?UTF-8?Q?caf=C3=A9?=\r\n =?UTF-8?Q?_noir?=\r\nX-Note:  one\r\n\ttwo\r\n\
              References: <a@b>\r\n <c@d>\r\nThread-Topic: =?iso-8859-1?Q?=E9t=E9?=\r\n",
            None,
        );
        assert_eq!(headers.decoded("subject").as_deref(), Some("café noir"));
        assert_eq!(headers.raw("x-note").as_deref(), Some("one two"));
        assert_eq!(headers.raw("References").as_deref(), Some("<a@b> <c@d>"));
        assert_eq!(headers.decoded("Thread-Topic").as_deref(), Some("été"));
        assert_eq!(headers.raw("Missing"), None);
        assert!(headers.text().contains("X-Note:  one\r\n\ttwo\r\n"));
        let headers = Headers::parse(b"X-MS-Exchange-Organization-SCL: 1\n 2\nA: b\n", None);
        assert_eq!(headers.text(), "A: b\r\n");
    }

    #[test]
    fn a_field_takes_nothing_of_the_next_one_and_lines_that_are_no_field() {
        let headers = Headers::parse(
            b"Date: Tue, 22 Jan 2002 14:35:28 UT\r\nSubject: x\r\nTo: Ada\r\n__\r\n <ada@x>,\r\nCc: bob@x\r\n",
            None,
        );
        assert_eq!(headers.decoded("Subject").as_deref(), Some("x"));
        assert_eq!(headers.raw("To").as_deref(), Some("Ada __ <ada@x>,"));
        let addresses = |name| -> Vec<_> {
            let all = headers.addresses(name, 10).into_iter();
            all.filter_map(|one| one.address).collect()
        };
        assert_eq!(addresses("To"), ["ada@x"]);
        assert_eq!(addresses("Cc"), ["bob@x"]);
    }

    #[test]
    fn eight_bit_headers_take_the_charset_of_the_content_type_or_a_guess() {
        let cyrillic =
            b"Subject: \xD0\xD2\xC9\xD7\xC5\xD4\nContent-Type: text/plain; charset=\"koi8-r\"\n";
        let headers = Headers::parse(cyrillic, None);
        assert_eq!(headers.decoded("Subject").as_deref(), Some("привет"));
        let headers = Headers::parse(b"Subject: caf\xE9\n", None);
        assert_eq!(headers.decoded("Subject").as_deref(), Some("café"));
        let headers = Headers::parse("Subject: café\n".as_bytes(), None);
        assert_eq!(headers.decoded("Subject").as_deref(), Some("café"));
    }

    #[test]
    fn broken_and_huge_headers_take_no_time() {
        let start = std::time::Instant::now();
        for unit in [
            "=?aa?q?x ",
            "=?",
            "=?utf-8?b?AAAA",
            "\"",
            "(",
            "<",
            ",",
            "a:\n",
            "(\\",
        ] {
            for name in [
                "Subject",
                "To",
                "Content-Type",
                "References",
                "Received",
                "Date",
                "X",
            ] {
                let header = format!("{name}: {}\n", unit.repeat((600 << 10) / unit.len()));
                Headers::parse(header.as_bytes(), None);
            }
        }
        let taken = start.elapsed();
        assert!(taken.as_secs() < 30, "{taken:?}");
    }
}
