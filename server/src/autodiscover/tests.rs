//! Answers, read back as XML.

use std::time::{Duration, UNIX_EPOCH};

use quick_xml::{Reader, events::Event};
use ropewalk_store::{Durability, IndexKind, StoreOptions};
use tempfile::TempDir;

use super::*;
use crate::provision;

struct Office {
    store: Store,
    user: Arc<User>,
    _dir: TempDir,
}

fn office(name: &str) -> Office {
    let dir = TempDir::new().unwrap();
    let options = StoreOptions {
        durability: Durability::None,
        index: IndexKind::Memory,
        ..StoreOptions::default()
    };
    let store = Store::open(dir.path(), options).unwrap();
    let email = provision::Email::parse("ada@example.test").unwrap();
    let user = provision::add_user(&store, &email, name, "hash".to_owned()).unwrap();
    Office {
        store,
        user,
        _dir: dir,
    }
}

fn body(inside: &str) -> String {
    format!(
        "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
         <Request>{inside}<AcceptableResponseSchema>{}</AcceptableResponseSchema></Request></Autodiscover>",
        request::RESPONSE_SCHEMA
    )
}

impl Office {
    fn ask(&self, body: &str, client_can_handle: Option<&str>) -> Vec<(String, String)> {
        let urls = Urls::new(None, Some("127.0.0.1:8443"), true).unwrap();
        let query = Query {
            client_can_handle,
            body: body.as_bytes(),
        };
        let now = UNIX_EPOCH + Duration::new(86_400 + 3_661, 1_234_500);
        elements(&answer(&self.store, &urls, &query, now))
    }
}

/// Every element, as a path with attributes, and its text.
fn elements(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut found) = (Vec::new(), Vec::<(String, String)>::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(String::from_utf8(start.to_vec()).unwrap());
                found.push((path.join("/"), String::new()));
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                let text = text.decode().unwrap();
                // White space between elements.
                if !text.trim().is_empty() || !text.contains('\n') {
                    found.last_mut().unwrap().1.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().unwrap();
                let text = quick_xml::escape::resolve_predefined_entity(&name).unwrap();
                found.last_mut().unwrap().1.push_str(text);
            }
            Event::Decl(_) => {}
            Event::Eof => return found,
            other => panic!("{other:?}"),
        }
    }
}

/// The texts of the elements whose path ends so.
fn texts<'e>(elements: &'e [(String, String)], end: &str) -> Vec<&'e str> {
    elements
        .iter()
        .filter(|(path, _)| path.ends_with(end))
        .map(|(_, text)| text.as_str())
        .collect()
}

#[test]
fn the_settings_lead_to_the_mailbox_and_the_address_book() {
    let office = office("Ada <&> \"Lovelace\" \u{1}");
    let answer = office.ask(&body("<EMailAddress>ADA@example.test</EMailAddress>"), None);
    assert_eq!(
        answer[0].0,
        "Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\""
    );
    assert!(answer[1].0.ends_with(
        "/Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\""
    ));
    let text = |end| texts(&answer, end);
    assert_eq!(text("/User/DisplayName"), ["Ada <&> \"Lovelace\" \u{FFFD}"]);
    assert_eq!(text("/User/LegacyDN"), [office.user.legacy_dn.as_str()]);
    assert_eq!(text("/User/AutoDiscoverSMTPAddress"), ["ada@example.test"]);
    let deployment = office.store.store_guid().to_string();
    assert_eq!(text("/User/DeploymentId"), [deployment.as_str()]);
    assert_eq!(text("/Account/AccountType"), ["email"]);
    assert_eq!(text("/Account/Action"), ["settings"]);
    let url = |endpoint| {
        format!(
            "https://127.0.0.1:8443/mapi/{endpoint}/?MailboxId={}@example.test",
            office.user.mailbox_guid
        )
    };
    let protocol = "/Account/Protocol Type=\"mapiHttp\" Version=\"1\"";
    for (element, endpoint) in [("MailStore", "emsmdb"), ("AddressBook", "nspi")] {
        for name in ["InternalUrl", "ExternalUrl"] {
            let path = format!("{protocol}/{element}/{name}");
            assert_eq!(texts(&answer, &path), [url(endpoint)]);
        }
    }
    // MS-OXDSCLI 3.2.5.1: no EXCH or EXPR beside mapiHttp.
    assert!(text("/Protocol/Type").is_empty());
}

#[test]
fn a_user_is_found_by_legacy_dn_too() {
    let office = office("Ada");
    let by_dn = format!(
        "<LegacyDN>{}</LegacyDN>",
        office.user.legacy_dn.to_uppercase()
    );
    let answer = office.ask(&body(&by_dn), None);
    assert_eq!(
        texts(&answer, "/AutoDiscoverSMTPAddress"),
        ["ada@example.test"]
    );
    let both = "<LegacyDN>/o=nobody</LegacyDN><EMailAddress>ada@example.test</EMailAddress>";
    assert_eq!(texts(&office.ask(&body(both), None), "/ErrorCode"), ["500"]);
}

#[test]
fn clients_that_understand_it_get_an_exhttp_block() {
    let office = office("Ada");
    let body = body("<EMailAddress>ada@example.test</EMailAddress>");
    let types = |header| {
        let answer = office.ask(&body, Some(header));
        texts(&answer, "/Account/Protocol/Type").len()
    };
    assert_eq!(types("Negotiate, exhttpinfo"), 1);
    assert_eq!(types("Negotiate,ExHttpInfo2"), 0);
    let answer = office.ask(&body, Some("ExHttpInfo"));
    assert_eq!(texts(&answer, "/Protocol/Server"), ["127.0.0.1:8443"]);
    assert_eq!(texts(&answer, "/Protocol/SSL"), ["On"]);
}

#[test]
fn errors_have_their_codes() {
    let office = office("Ada");
    let cases = [
        (body("<EMailAddress>bob@example.test</EMailAddress>"), "500"),
        (String::new(), "600"),
        ("<Autodiscover>".to_owned(), "600"),
        (
            body("<EMailAddress>ada@example.test</EMailAddress>").replace("2006a", "2007"),
            "601",
        ),
    ];
    for (body, code) in cases {
        let answer = office.ask(&body, None);
        let [a, b, c, d, ..] = office.store.store_guid().0;
        let error = format!(
            "/Response/Error Time=\"01:01:01.0012345\" Id=\"{}\"",
            u32::from_le_bytes([a, b, c, d])
        );
        assert_eq!(texts(&answer, &format!("{error}/ErrorCode")), [code]);
        assert_eq!(texts(&answer, &format!("{error}/Message")).len(), 1);
        assert_eq!(texts(&answer, &format!("{error}/DebugData")), [""]);
        assert!(texts(&answer, "/Account").is_empty());
    }
}
