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

    /// The cookie's value.
    pub fn text(self) -> [u8; 32] {
        hex(self.0.to_be_bytes())
    }

    fn parse(text: &[u8]) -> Option<Self> {
        unhex(text).map(u128::from_be_bytes).map(Self)
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
                let pair = pair.trim_ascii_start();
                if let Some(value) = value_of(pair, CONTEXT)
                    && cookies.context == Presented::Missing
                {
                    cookies.context = presented(ContextId::parse(value));
                } else if let Some(value) = value_of(pair, SEQUENCE)
                    && cookies.sequence == Presented::Missing
                {
                    cookies.sequence = presented(unhex(value).map(u64::from_be_bytes));
                }
            }
        }
        cookies
    }
}

/// The sequence cookie's value.
pub fn sequence_text(sequence: u64) -> [u8; 16] {
    hex(sequence.to_be_bytes())
}

/// Bytes from their hexadecimal digits, two for each.
fn unhex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    const NONE: u8 = 0xFF;
    let value = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => NONE,
    };
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    let pairs: &[[u8; 2]; N] = pairs.try_into().ok()?;
    let pairs = pairs.map(|pair| pair.map(value));
    let is_all = pairs.iter().flatten().all(|value| *value != NONE);
    is_all.then(|| pairs.map(|[high, low]| high << 4 | low))
}

/// Hexadecimal digits of bytes, two for each.
fn hex<const N: usize, const DIGITS: usize>(bytes: [u8; N]) -> [u8; DIGITS] {
    const { assert!(DIGITS == 2 * N) };
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut digits = [0; DIGITS];
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0F)];
    }
    digits
}

fn presented<T>(value: Option<T>) -> Presented<T> {
    value.map_or(Presented::Malformed, Presented::Value)
}

/// The value of the cookie with this name, without the quotes that RFC 6265 4.1.1 allows around it.
fn value_of<'a>(pair: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    let value = value.trim_ascii_end();
    let unquoted = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    Some(unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_come_back_as_they_were_sent() {
        let id = ContextId::random().unwrap();
        let text = |digits: &[u8]| String::from_utf8(digits.to_vec()).unwrap();
        let (id_text, sequence) = (text(&id.text()), text(&sequence_text(7)));
        assert_eq!(sequence, "0000000000000007");
        let header = format!("a=b; {CONTEXT}={id_text}; {SEQUENCE}={sequence}");
        let expected = Cookies {
            context: Presented::Value(id),
            sequence: Presented::Value(7),
        };
        assert_eq!(Cookies::parse([header.as_bytes()]), expected);
        // HTTP/2 may split them up; some clients quote.
        let one = format!("{CONTEXT}=\"{id_text}\"");
        let two = format!("{SEQUENCE}={sequence};path=/");
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
