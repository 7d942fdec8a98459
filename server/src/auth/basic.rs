//! The Authorization header of HTTP Basic (RFC 7617 2).

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Tolerates missing padding, which some clients leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A user name and a password.
pub struct Credentials {
    /// The part before the first colon.
    pub user: String,
    /// The rest, which may have colons.
    pub password: String,
}

impl Credentials {
    /// Reads the header's value; `None` if it is not HTTP Basic.
    ///
    /// The bytes are UTF-8, which the challenge asks for, or else Latin-1, which older clients send
    /// all the same.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let header = std::str::from_utf8(header).ok()?;
        let (scheme, rest) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return None;
        }
        let bytes = BASE64.decode(rest.trim()).ok()?;
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let bytes = error.into_bytes();
            bytes.into_iter().map(char::from).collect()
        });
        let (user, password) = text.split_once(':')?;
        Some(Self {
            user: user.to_owned(),
            password: password.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Option<(String, String)> {
        Credentials::parse(header.as_bytes()).map(|found| (found.user, found.password))
    }

    #[test]
    fn credentials_are_read() {
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        // RFC 7617 2: "Aladdin" with "open sesame".
        let aladdin = pair("Aladdin", "open sesame");
        assert_eq!(parsed("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), aladdin);
        assert_eq!(parsed("basic   QWxhZGRpbjpvcGVuIHNlc2FtZQ"), aladdin);
        // RFC 7617 2.1: "test" with "123£", in UTF-8; then the same in Latin-1.
        assert_eq!(parsed("Basic dGVzdDoxMjPCow=="), pair("test", "123\u{a3}"));
        assert_eq!(parsed("Basic dGVzdDoxMjOj"), pair("test", "123\u{a3}"));
        assert_eq!(parsed("Basic YTpiOmM="), pair("a", "b:c"));
    }

    #[test]
    fn anything_else_is_refused() {
        for header in [
            "",
            "Basic",
            "Basic !!!",
            "Basic YWJj",
            "Bearer YTpi",
            "Basic\tYTpi",
        ] {
            assert_eq!(parsed(header), None, "{header}");
        }
        assert!(Credentials::parse(b"Basic \xFF").is_none());
    }
}
