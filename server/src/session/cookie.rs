//! The two cookies of a session context (MS-OXCMAPIHTTP 2.2.3.2.3 and 2.2.3.2.4).

use std::fmt;

/// Name of the session context cookie.
pub const CONTEXT: &str = "MapiContext";
/// Name of the request sequence cookie.
pub const SEQUENCE: &str = "MapiSequence";

/// What names a session context to its client: nobody can guess it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContextId(u128);

impl ContextId {
    /// A new random one.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }

    fn parse(text: &str) -> Option<Self> {
        (text.len() == 32 && is_hex(text))
            .then(|| u128::from_str_radix(text, 16).ok())
            .flatten()
            .map(Self)
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The cookie lets in whoever knows it, so it stays out of logs.
impl fmt::Debug for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextId(..)")
    }
}

/// A cookie as a request has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented<T> {
    /// Not there.
    Missing,
    /// Of a form that this server does not make.
    Malformed,
    /// Of the right form.
    Value(T),
}

impl<T> Presented<T> {
    /// The value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Malformed => None,
        }
    }
}

/// The cookies of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookies {
    /// Names the session context.
    pub context: Presented<ContextId>,
    /// Says that the request is the next one.
    pub sequence: Presented<u64>,
}

impl Cookies {
    /// Reads the Cookie headers of a request; of two cookies with one name the first counts. Other
    /// cookies are passed over.
    pub fn parse<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut cookies = Self {
            context: Presented::Missing,
            sequence: Presented::Missing,
        };
        for header in headers {
            for pair in header.split(|byte| *byte == b';') {
                let Ok(pair) = std::str::from_utf8(pair) else {
                    continue;
                };
                match pair.trim().split_once('=') {
                    Some((CONTEXT, value)) if cookies.context == Presented::Missing => {
                        cookies.context = presented(ContextId::parse(unquoted(value)));
                    }
                    Some((SEQUENCE, value)) if cookies.sequence == Presented::Missing => {
                        cookies.sequence = presented(parse_sequence(unquoted(value)));
                    }
                    _ => {}
                }
            }
        }
        cookies
    }
}

/// The sequence cookie's value, as text.
#[derive(Clone, Copy, Debug)]
pub struct SequenceText(pub u64);

impl fmt::Display for SequenceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

fn parse_sequence(text: &str) -> Option<u64> {
    (text.len() == 16 && is_hex(text))
        .then(|| u64::from_str_radix(text, 16).ok())
        .flatten()
}

fn presented<T>(value: Option<T>) -> Presented<T> {
    value.map_or(Presented::Malformed, Presented::Value)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Without the quotes that RFC 6265 4.1.1 allows around a value.
fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_come_back_as_they_were_sent() {
        let id = ContextId::random().unwrap();
        let header = format!("a=b; {CONTEXT}={id}; {SEQUENCE}={}", SequenceText(7));
        let expected = Cookies {
            context: Presented::Value(id),
            sequence: Presented::Value(7),
        };
        assert_eq!(Cookies::parse([header.as_bytes()]), expected);
        // HTTP/2 may split them up; some clients quote.
        let one = format!("{CONTEXT}=\"{id}\"");
        let two = format!("{SEQUENCE}={};path=/", SequenceText(7));
        assert_eq!(Cookies::parse([one.as_bytes(), two.as_bytes()]), expected);
    }

    #[test]
    fn missing_and_malformed_are_told_apart() {
        let context = |header: &str| Cookies::parse([header.as_bytes()]).context;
        assert_eq!(context(""), Presented::Missing);
        assert_eq!(context("Other=1; MapiContextX=2"), Presented::Missing);
        for value in ["", "x", "+0000000000000000000000000000001", &"0".repeat(33)] {
            assert_eq!(
                context(&format!("{CONTEXT}={value}")),
                Presented::Malformed,
                "{value}"
            );
        }
        let sequence = |header: &str| Cookies::parse([header.as_bytes()]).sequence;
        assert_eq!(sequence("MapiSequence=1"), Presented::Malformed);
        assert_eq!(
            sequence("MapiSequence=+000000000000001"),
            Presented::Malformed
        );
        assert_eq!(
            sequence("MapiSequence=00000000000000ff"),
            Presented::Value(255)
        );
    }
}
