//! HTML cut into tags, text and the rest. Each token is a piece of the source; put together they are
//! the source again.

/// A piece of HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Text with character references.
    Text(&'a str),
    /// What is in an element that has no text to show: a script, a style sheet, a title.
    Raw(&'a str),
    /// A start or end tag.
    Tag(Tag<'a>),
    /// A comment, a document type, a conditional or a processing instruction.
    Other(&'a str),
}

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Its source.
    pub source: &'a str,
    /// Whether it is an end tag.
    pub closes: bool,
    /// What stands between its brackets, without the slash of an end tag.
    inner: &'a str,
}

/// Bytes of the longest name of an element that means something here.
const NAME_MAX: usize = 12;

/// The name of an element in lower case.
#[derive(Clone, Copy)]
pub struct Name {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Name {
    /// As text; empty if it is longer than any that is known.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl<'a> Tag<'a> {
    fn name_source(&self) -> &'a str {
        let bytes = self.inner.as_bytes();
        let end = bytes
            .iter()
            .position(|byte| byte.is_ascii_whitespace() || *byte == b'/')
            .unwrap_or(bytes.len());
        self.inner.get(..end).unwrap_or_default()
    }

    /// The name of its element.
    pub fn name(&self) -> Name {
        let mut name = Name {
            bytes: [0; NAME_MAX],
            len: 0,
        };
        let source = self.name_source().as_bytes();
        if let Some(target) = name.bytes.get_mut(..source.len()) {
            for (to, from) in target.iter_mut().zip(source) {
                *to = from.to_ascii_lowercase();
            }
            name.len = source.len();
        }
        name
    }

    /// The value of an attribute as it stands there, with character references.
    pub fn attribute(&self, wanted: &str) -> Option<&'a str> {
        let mut rest = self.inner.get(self.name_source().len()..)?;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '=' | '/'))
                .map_or(rest.len(), |(at, _)| at);
            let (name, after) = rest.split_at_checked(end)?;
            let after = after.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let Some(value) = after.strip_prefix('=') else {
                if name.eq_ignore_ascii_case(wanted) {
                    return Some("");
                }
                rest = after;
                continue;
            };
            let value = value.trim_start_matches(|c: char| c.is_ascii_whitespace());
            let (value, after) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let value = value.get(1..)?;
                    value.split_once(quote).unwrap_or((value, ""))
                }
                _ => {
                    let end = value
                        .find(|c: char| c.is_ascii_whitespace())
                        .unwrap_or(value.len());
                    value.split_at_checked(end)?
                }
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(value);
            }
            rest = after;
        }
    }
}

/// Elements whose content is neither markup nor text to show.
const RAW: [&str; 7] = [
    "script", "style", "title", "xmp", "iframe", "noembed", "noframes",
];

/// The tokens of HTML.
pub struct Tokens<'a> {
    rest: &'a str,
    /// The element whose end tag ends what is not markup.
    raw: Option<&'static str>,
}

/// Cuts HTML up.
pub fn tokens(html: &str) -> Tokens<'_> {
    Tokens {
        rest: html,
        raw: None,
    }
}

impl<'a> Tokens<'a> {
    fn take(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Up to and with what ends it, or everything.
    fn take_until(&mut self, from: usize, end: &str) -> &'a str {
        let found = self.rest.get(from..).and_then(|rest| rest.find(end));
        self.take(found.map_or(self.rest.len(), |at| from + at + end.len()))
    }

    fn tag(&mut self, closes: bool) -> Token<'a> {
        let start = 1 + usize::from(closes);
        let len = tag_len(self.rest.as_bytes(), start);
        let source = self.take(len);
        let inner = source.get(start..).unwrap_or_default();
        let inner = inner.strip_suffix('>').unwrap_or(inner);
        let tag = Tag {
            source,
            closes,
            inner,
        };
        if !closes {
            let name = tag.name();
            self.raw = RAW.into_iter().find(|raw| *raw == name.as_str());
        }
        Token::Tag(tag)
    }
}

/// Bytes of a tag: quotes hide its end, but only around the value of an attribute.
fn tag_len(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(rest) = bytes.get(at..) {
        let ends = |byte: &u8| matches!(byte, b'>' | b'"' | b'\'');
        let Some((found, byte)) = rest.iter().enumerate().find(|(_, byte)| ends(byte)) else {
            break;
        };
        if *byte == b'>' {
            return at + found + 1;
        }
        at += found + 1;
        let before = bytes.get(..at - 1).unwrap_or_default();
        if before.trim_ascii_end().last() == Some(&b'=') {
            let rest = bytes.get(at..).unwrap_or_default();
            match rest.iter().position(|other| other == byte) {
                Some(close) => at += close + 1,
                None => break,
            }
        }
    }
    bytes.len()
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if let Some(name) = self.raw.take() {
            let len = raw_len(self.rest.as_bytes(), name.as_bytes());
            if len > 0 {
                return Some(Token::Raw(self.take(len)));
            }
        }
        let bytes = self.rest.as_bytes();
        let token = match bytes {
            [] => return None,
            [b'<', b'!', b'-', b'-', ..] => Token::Other(self.take_until(4, "-->")),
            [b'<', b'!' | b'?', ..] => Token::Other(self.take_until(2, ">")),
            [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => self.tag(true),
            [b'<', letter, ..] if letter.is_ascii_alphabetic() => self.tag(false),
            [_, rest @ ..] => {
                let end = rest.iter().position(|byte| *byte == b'<');
                Token::Text(self.take(end.map_or(bytes.len(), |at| at + 1)))
            }
        };
        Some(token)
    }
}

/// Bytes before the end tag of a raw element.
fn raw_len(bytes: &[u8], name: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        let Some(next) = rest.iter().position(|byte| *byte == b'<') else {
            break;
        };
        let after = rest.get(next + 1..).unwrap_or_default();
        if let Some((b'/', tag)) = after.split_first()
            && tag
                .get(..name.len())
                .is_some_and(|tag| tag.eq_ignore_ascii_case(name))
        {
            return at + next;
        }
        at += next + 1;
    }
    bytes.len()
}
