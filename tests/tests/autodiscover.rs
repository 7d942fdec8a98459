//! Autodiscover of a real server (MS-OXDSCLI), and that it leads to the mailbox.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use quick_xml::{Reader, events::Event};
use ropewalk_tests::{
    client::{Client, Connection, HttpResponse},
    fixture::{ADA, PASSWORD, legacy_dn, shared, user},
    server::TestServer,
};

const PATH: &str = "/autodiscover/autodiscover.xml";
const SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";

fn request(inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">\
         <Request>{inside}<AcceptableResponseSchema>{SCHEMA}</AcceptableResponseSchema></Request>\
         </Autodiscover>"
    )
}

fn for_ada() -> String {
    request(&format!("<EMailAddress>{ADA}</EMailAddress>"))
}

fn post(path: &str, password: &str, body: &str) -> HttpResponse {
    let credentials = BASE64_STANDARD.encode(format!("{ADA}:{password}"));
    let authorization = format!("Basic {credentials}");
    let headers = [
        ("Content-Type", "text/xml; charset=utf-8"),
        ("Authorization", authorization.as_str()),
        ("X-MapiHttpCapability", "1"),
    ];
    Connection::new(shared().server.http())
        .post(path, &headers, body.as_bytes())
        .expect("an HTTP response")
}

/// The text of each element by its path of local names; a path can come more than once.
fn elements(response: &HttpResponse) -> Vec<(String, String)> {
    assert_eq!(response.status, 200);
    let kind = response.header("Content-Type").expect("Content-Type");
    assert!(kind.starts_with("text/xml"), "{kind}");
    let xml = std::str::from_utf8(&response.body).expect("UTF-8");
    let mut reader = Reader::from_str(xml);
    let (mut path, mut found) = (Vec::<String>::new(), Vec::<(String, String)>::new());
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) => {
                let name = String::from_utf8_lossy(start.local_name().into_inner()).into_owned();
                path.push(name);
                found.push((path.join("/"), String::new()));
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(text) => {
                let text = text.decode().expect("UTF-8");
                if let Some((_, all)) = found.last_mut().filter(|_| !text.trim().is_empty()) {
                    all.push_str(&text);
                }
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[track_caller]
fn text(elements: &[(String, String)], end: &str) -> String {
    let mut found = elements.iter().filter(|(path, _)| path.ends_with(end));
    let (_, text) = found.next().unwrap_or_else(|| panic!("no {end}"));
    assert!(found.next().is_none(), "two {end}");
    text.clone()
}

fn path<'u>(server: &TestServer, url: &'u str) -> &'u str {
    url.strip_prefix(&format!("http://{}", server.http()))
        .unwrap_or_else(|| panic!("{url}"))
}

#[test]
fn the_answer_leads_to_a_mailbox_that_opens() {
    let server = &shared().server;
    let elements = elements(&post(PATH, PASSWORD, &for_ada()));
    let dn = text(&elements, "/User/LegacyDN");
    assert_eq!(dn, legacy_dn(server.data_dir(), ADA));
    assert_eq!(text(&elements, "/User/DisplayName"), "Ada Lovelace");
    assert_eq!(text(&elements, "/User/AutoDiscoverSMTPAddress"), ADA);
    assert_eq!(text(&elements, "/Account/AccountType"), "email");
    assert_eq!(text(&elements, "/Account/Action"), "settings");
    let show = user(server.data_dir(), ADA);
    let mailbox = show["mailbox_guid"].as_str().expect("mailbox_guid");
    for (endpoint, element) in [("emsmdb", "MailStore"), ("nspi", "AddressBook")] {
        for kind in ["InternalUrl", "ExternalUrl"] {
            let url = text(&elements, &format!("/Protocol/{element}/{kind}"));
            let wanted = format!("/mapi/{endpoint}/?MailboxId={mailbox}@example.test");
            assert_eq!(path(server, &url), wanted);
        }
    }
    let mut client = Client::connect(server.http(), ADA, PASSWORD, &dn).expect("Connect");
    client.logon().expect("RopLogon");
}

#[test]
fn the_path_may_be_written_in_any_case() {
    for path in [
        "/Autodiscover/Autodiscover.xml",
        "/AUTODISCOVER/AUTODISCOVER.XML",
    ] {
        let elements = elements(&post(path, PASSWORD, &for_ada()));
        assert_eq!(text(&elements, "/Account/Action"), "settings");
    }
}

#[test]
fn a_user_is_found_by_legacy_dn() {
    let dn = legacy_dn(shared().server.data_dir(), ADA);
    let body = request(&format!("<LegacyDN>{dn}</LegacyDN>"));
    let elements = elements(&post(PATH, PASSWORD, &body));
    assert_eq!(text(&elements, "/User/AutoDiscoverSMTPAddress"), ADA);
}

#[test]
fn errors_come_with_status_200_and_a_code() {
    let unknown = request("<EMailAddress>nobody@example.test</EMailAddress>");
    let entity = format!("<!DOCTYPE a [<!ENTITY e \"x\">]>{}", for_ada());
    let cases = [
        (unknown.as_str(), "500"),
        ("", "600"),
        ("<Autodiscover>", "600"),
        (entity.as_str(), "600"),
        (&for_ada().replace("2006a", "2042"), "601"),
    ];
    for (body, code) in cases {
        let elements = elements(&post(PATH, PASSWORD, body));
        assert_eq!(text(&elements, "/Response/Error/ErrorCode"), code, "{body}");
    }
}

#[test]
fn a_wrong_password_is_asked_for_again() {
    let response = post(PATH, "wrong", &for_ada());
    assert_eq!(response.status, 401);
    let challenge = response.header("WWW-Authenticate").expect("a challenge");
    assert!(challenge.starts_with("Basic"), "{challenge}");
}

/// Sends a GET without credentials; the response as it comes.
fn get(path: &str) -> String {
    let mut stream = TcpStream::connect(shared().server.http()).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a timeout");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response
}

#[test]
fn the_json_service_tells_everyone_where_the_xml_one_is() {
    for path in [
        "/autodiscover/autodiscover.json?Email=x@y&Protocol=AutodiscoverV1&RedirectCount=1",
        "/Autodiscover/Autodiscover.json/v1.0/x@y?Protocol=autodiscoverv1",
    ] {
        let response = get(path);
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
        let (_, body) = response.split_once("\r\n\r\n").expect("a body");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body["Protocol"], "AutodiscoverV1");
        assert_eq!(
            body["Url"],
            "http://localhost:1/autodiscover/autodiscover.xml"
        );
    }
    let response = get("/autodiscover/autodiscover.json?Protocol=Ews");
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    assert!(response.contains("ProtocolNotSupported"));
}
