//! Autodiscover responses (MS-OXDSCLI 2.2.4).

use std::time::{SystemTime, UNIX_EPOCH};

use quick_xml::escape::escape;
use ropewalk_props::Guid;
use ropewalk_store::User;

use super::{request::RESPONSE_SCHEMA, urls::Urls};

/// The namespace of the Autodiscover element, and of Response in an error.
const NAMESPACE: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";

/// Why there are no settings (MS-OXDSCLI 2.2.4.1.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No user has the address or the DN.
    NotFound,
    /// The request is none.
    InvalidRequest,
    /// The AcceptableResponseSchema is not served.
    NoProvider,
}

impl Failure {
    /// ErrorCode and Message.
    const fn code_and_message(self) -> (u32, &'static str) {
        match self {
            Self::NotFound => (500, "The email address can't be found."),
            Self::InvalidRequest => (600, "Invalid Request"),
            Self::NoProvider => (601, "Provider is not available"),
        }
    }
}

/// The settings of a user (MS-OXDSCLI 2.2.4.1.1 and 4.4).
pub fn settings(user: &User, deployment: Guid, urls: &Urls, ex_http: bool) -> String {
    let mut xml = Xml::new();
    xml.open(&format!("Autodiscover xmlns=\"{NAMESPACE}\""));
    xml.open(&format!("Response xmlns=\"{RESPONSE_SCHEMA}\""));
    xml.open("User");
    xml.text("DisplayName", &user.display_name);
    xml.text("LegacyDN", &user.legacy_dn);
    xml.text("AutoDiscoverSMTPAddress", &user.email);
    xml.text("DeploymentId", &deployment.to_string());
    xml.close();
    xml.open("Account");
    xml.text("AccountType", "email");
    xml.text("Action", "settings");
    xml.text("MicrosoftOnline", "False");
    map_http(&mut xml, user, urls);
    if ex_http {
        ex_http_block(&mut xml, urls);
    }
    xml.finish()
}

/// `<Protocol Type="mapiHttp">`: here Type is an attribute (MS-OXDSCLI 2.2.4.1.1.2.6).
fn map_http(xml: &mut Xml, user: &User, urls: &Urls) {
    xml.open("Protocol Type=\"mapiHttp\" Version=\"1\"");
    for (name, url) in [
        ("MailStore", urls.mail_store(user)),
        ("AddressBook", urls.address_book(user)),
    ] {
        xml.open(name);
        // A client falls back from one to the other; the server has only one name.
        xml.text("InternalUrl", &url);
        xml.text("ExternalUrl", &url);
        xml.close();
    }
    xml.close();
}

/// `<Protocol><Type>EXHTTP</Type>`, for clients that say that they understand it. The web services
/// whose URLs could stand in it are not there.
fn ex_http_block(xml: &mut Xml, urls: &Urls) {
    let secure = if urls.is_secure() { "On" } else { "Off" };
    xml.open("Protocol");
    xml.text("Type", "EXHTTP");
    xml.text("Server", urls.host());
    xml.text("SSL", secure);
    xml.text("CertPrincipalName", "None");
    xml.text("AuthPackage", "basic");
    xml.text("ServerExclusiveConnect", "on");
    xml.close();
}

/// An error (MS-OXDSCLI 2.2.4.1.1.3), with the time of day in UTC and a number for the server.
pub fn error(failure: Failure, deployment: Guid, now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs() % 86_400;
    let time = format!(
        "{:02}:{:02}:{:02}.{:07}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_nanos() / 100
    );
    let [a, b, c, d, ..] = deployment.0;
    let id = u32::from_le_bytes([a, b, c, d]);
    let (code, message) = failure.code_and_message();
    let mut xml = Xml::new();
    xml.open(&format!("Autodiscover xmlns=\"{NAMESPACE}\""));
    xml.open("Response");
    xml.open(&format!("Error Time=\"{time}\" Id=\"{id}\""));
    xml.text("ErrorCode", &code.to_string());
    xml.text("Message", message);
    xml.text("DebugData", "");
    xml.finish()
}

/// An XML document in the making.
struct Xml {
    out: String,
    open: Vec<String>,
}

impl Xml {
    fn new() -> Self {
        Self {
            out: "<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned(),
            open: Vec::new(),
        }
    }

    /// Begins an element; `tag` is its name and, if it has any, its attributes.
    fn open(&mut self, tag: &str) {
        let name = tag.split(' ').next().unwrap_or(tag);
        self.line();
        self.out.push('<');
        self.out.push_str(tag);
        self.out.push('>');
        self.open.push(name.to_owned());
    }

    /// Ends the innermost element.
    fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.line();
            self.out.push_str("</");
            self.out.push_str(&name);
            self.out.push('>');
        }
    }

    /// An element that has only text. A character that XML cannot say becomes U+FFFD.
    fn text(&mut self, name: &str, text: &str) {
        let text: String = text
            .chars()
            .map(|c| {
                if is_xml_char(c) {
                    c
                } else {
                    char::REPLACEMENT_CHARACTER
                }
            })
            .collect();
        self.line();
        self.out
            .push_str(&format!("<{name}>{}</{name}>", escape(&text)));
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend(self.open.iter().map(|_| "  "));
    }

    /// Ends every element.
    fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.out.push('\n');
        self.out
    }
}

/// Char of XML 1.0, 2.2, without the white space that a parser may change.
fn is_xml_char(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}
