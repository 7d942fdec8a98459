//! The URLs that clients are sent to.

use ropewalk_props::Guid;
use ropewalk_store::User;

/// Scheme and authority of every URL that is given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    base: String,
}

impl Urls {
    /// `public_host` of the configuration, always behind HTTPS; else the host that the client asked,
    /// by the way it came. `None` without either, or for a Host header that names no host.
    pub fn new(public_host: Option<&str>, host_header: Option<&str>, tls: bool) -> Option<Self> {
        let (scheme, host) = match (public_host, host_header) {
            (Some(host), _) => ("https", host),
            (None, Some(host)) if is_authority(host) => (if tls { "https" } else { "http" }, host),
            _ => return None,
        };
        Some(Self {
            base: format!("{scheme}://{host}"),
        })
    }

    /// The mailbox endpoint of a user's mailbox.
    pub fn mail_store(&self, user: &User) -> String {
        format!("{}/mapi/emsmdb/?MailboxId={}", self.base, mailbox_id(user))
    }

    /// The address book endpoint of a user.
    pub fn address_book(&self, user: &User) -> String {
        format!("{}/mapi/nspi/?MailboxId={}", self.base, mailbox_id(user))
    }

    /// Where Autodiscover is.
    pub fn autodiscover(&self) -> String {
        format!("{}/autodiscover/autodiscover.xml", self.base)
    }

    /// Whether the URLs lead to HTTPS.
    pub fn is_secure(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// Host and perhaps port.
    pub fn host(&self) -> &str {
        self.base.split_once("//").map_or("", |(_, host)| host)
    }
}

/// The MailboxId of a mailbox: `GUID@domain`.
pub fn mailbox_id(user: &User) -> String {
    let domain = user.email.split_once('@').map_or("", |(_, domain)| domain);
    format!("{}@{domain}", user.mailbox_guid)
}

/// The mailbox that a MailboxId names.
pub fn mailbox_guid(mailbox_id: &str) -> Option<Guid> {
    let (guid, _) = mailbox_id.split_once('@').unwrap_or((mailbox_id, ""));
    guid.parse().ok()
}

/// Host and perhaps port, in the characters of RFC 3986 3.2.2 that need no escape anywhere.
fn is_authority(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 300
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configured_host_goes_before_the_one_that_was_asked() {
        let base = |public, host, tls| Urls::new(public, host, tls).map(|urls| urls.base);
        assert_eq!(
            base(Some("mail.example.test"), Some("127.0.0.1:8080"), false).as_deref(),
            Some("https://mail.example.test")
        );
        assert_eq!(
            base(None, Some("127.0.0.1:8080"), false).as_deref(),
            Some("http://127.0.0.1:8080")
        );
        assert_eq!(
            base(None, Some("[::1]:8443"), true).as_deref(),
            Some("https://[::1]:8443")
        );
        assert_eq!(base(None, Some("evil\"host"), true), None);
        assert_eq!(base(None, Some(""), true), None);
        assert_eq!(base(None, None, true), None);
    }

    #[test]
    fn a_mailbox_id_names_its_mailbox() {
        let guid = Guid([7; 16]);
        assert_eq!(mailbox_guid(&format!("{guid}@example.test")), Some(guid));
        assert_eq!(mailbox_guid(&guid.to_string()), Some(guid));
        assert_eq!(mailbox_guid("example.test"), None);
    }
}
