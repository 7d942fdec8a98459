//! E-mail addresses and the X500 names made from them.

use ropewalk_props::Guid;

/// Bytes of a whole address (RFC 5321 4.5.3.1.3, without the angle brackets).
const ADDRESS_BYTES_MAX: usize = 254;
/// Bytes before the `@` (RFC 5321 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes of one label of a domain name (RFC 1035 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// An e-mail address that a mailbox can have: `local@domain`, ASCII, no quoted local part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

/// Why a text is no e-mail address for a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// No `@`, or more than one.
    #[error("an e-mail address has exactly one '@', as in ada@example.test")]
    At,
    /// The part before the `@` is empty, too long or has characters that need quotes.
    #[error(
        "the part before '@' must be 1 to 64 letters, digits, dots or signs of !#$%&'*+-/=?^_`{{|}}~"
    )]
    Local,
    /// The part after the `@` is not a domain name.
    #[error("the part after '@' must be a domain name, as in example.test")]
    Domain,
    /// Longer than 254 bytes.
    #[error("an e-mail address has at most 254 characters")]
    TooLong,
}

impl Email {
    /// Checks an address; the domain becomes lower case.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.split_once('@').ok_or(EmailError::At)?;
        if domain.contains('@') {
            return Err(EmailError::At);
        }
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(EmailError::TooLong);
        }
        if local.len() > LOCAL_BYTES_MAX || !local.split('.').all(is_atom) {
            return Err(EmailError::Local);
        }
        if !domain.split('.').all(is_label) {
            return Err(EmailError::Domain);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }
}

/// A run of `atext` (RFC 5322 3.2.3).
fn is_atom(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
}

fn is_label(text: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The LegacyDN of a mailbox, in the form that clients know from Exchange (MS-OXOABK 2.2.1.1).
///
/// The digits come from the mailbox's GUID, so the name of a removed user never comes back.
pub fn legacy_dn(email: &Email, mailbox: Guid) -> String {
    let digits: String = mailbox
        .0
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    // '/' and '=' would make a new part of the name.
    let local = email.local().replace(['/', '='], "_");
    format!(
        "/o=Ropewalk/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={digits}-{local}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_a_mailbox_can_have() {
        for good in ["ada@example.test", "a.b+c@x", "O'Neil@mail.example.test"] {
            assert_eq!(Email::parse(good).map(|email| email.0), Ok(good.to_owned()));
        }
        assert_eq!(
            Email::parse("Ada@EXAMPLE.Test").unwrap().as_str(),
            "Ada@example.test"
        );
    }

    #[test]
    fn addresses_that_it_cannot_have() {
        let long = format!("{}@{}.test", "a".repeat(64), "b.".repeat(93) + "b");
        let cases = [
            ("ada", EmailError::At),
            ("ada@b@c", EmailError::At),
            ("@example.test", EmailError::Local),
            (".ada@example.test", EmailError::Local),
            ("a b@example.test", EmailError::Local),
            ("a\u{7}@example.test", EmailError::Local),
            ("ådå@example.test", EmailError::Local),
            ("ada@", EmailError::Domain),
            ("ada@-x.test", EmailError::Domain),
            ("ada@exa mple.test", EmailError::Domain),
            ("ada@example..test", EmailError::Domain),
            (long.as_str(), EmailError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(Email::parse(text), Err(error), "{text}");
        }
        assert_eq!(
            Email::parse(&format!("{}@x.test", "a".repeat(65))),
            Err(EmailError::Local)
        );
    }

    #[test]
    fn a_legacy_dn_has_sixteen_digits_and_stays_one_path() {
        let guid = Guid([0xAB; 16]);
        let email = Email::parse("a/cn=b@example.test").unwrap();
        assert_eq!(
            legacy_dn(&email, guid),
            "/o=Ropewalk/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)\
             /cn=Recipients/cn=abababababababab-a_cn_b"
        );
    }
}
