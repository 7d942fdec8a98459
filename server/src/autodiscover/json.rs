//! The JSON service, which tells where the XML one is.
//!
//! `GET /autodiscover/autodiscover.json?Email=…&Protocol=…` and
//! `GET /autodiscover/autodiscover.json/v1.0/…?Protocol=…`, without authentication. The answer does
//! not depend on the address, so it tells nobody who has a mailbox here.

use serde_json::json;

use super::urls::Urls;

/// The Content-Type of an answer.
pub const CONTENT_TYPE: &str = "application/json";
/// The one protocol that is served here.
const AUTODISCOVER_V1: &str = "AutodiscoverV1";

/// An answer: HTTP status and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonAnswer {
    /// 200 or 400.
    pub status: u16,
    /// A JSON object.
    pub body: String,
}

/// Answers a request with this query string, the part of the URL after `?`.
pub fn answer(urls: &Urls, query: Option<&str>) -> JsonAnswer {
    let Some(query) = query.filter(|query| !query.is_empty()) else {
        let message = "A valid value must be provided for the query parameter 'Protocol'.";
        return refused("MandatoryParameterMissing", message);
    };
    let protocol = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("Protocol"))
        .map(|(_, value)| value);
    match protocol {
        None | Some("") => refused("MissingProtocol", "The query names no protocol."),
        Some(protocol) if protocol.eq_ignore_ascii_case(AUTODISCOVER_V1) => JsonAnswer {
            status: 200,
            body: json!({ "Protocol": AUTODISCOVER_V1, "Url": urls.autodiscover() }).to_string(),
        },
        Some(_) => {
            let message = "The protocol is not served here. Supported protocols: AutodiscoverV1.";
            refused("ProtocolNotSupported", message)
        }
    }
}

fn refused(code: &str, message: &str) -> JsonAnswer {
    JsonAnswer {
        status: 400,
        body: json!({ "ErrorCode": code, "ErrorMessage": message }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn asked(query: Option<&str>) -> (u16, Value) {
        let urls = Urls::new(Some("mail.example.test"), None, true).unwrap();
        let answer = answer(&urls, query);
        (answer.status, serde_json::from_str(&answer.body).unwrap())
    }

    #[test]
    fn autodiscover_v1_is_the_xml_service() {
        for query in [
            "Email=ada@example.test&Protocol=AutodiscoverV1&RedirectCount=1",
            "protocol=autodiscoverv1",
        ] {
            let wanted = json!({
                "Protocol": "AutodiscoverV1",
                "Url": "https://mail.example.test/autodiscover/autodiscover.xml"
            });
            assert_eq!(asked(Some(query)), (200, wanted));
        }
    }

    #[test]
    fn other_questions_have_an_error_code() {
        let cases = [
            (None, "MandatoryParameterMissing"),
            (Some(""), "MandatoryParameterMissing"),
            (Some("Email=ada@example.test"), "MissingProtocol"),
            (Some("Protocol="), "MissingProtocol"),
            (Some("Protocol=Ews"), "ProtocolNotSupported"),
            (Some("Protocol=\"}"), "ProtocolNotSupported"),
        ];
        for (query, code) in cases {
            let (status, body) = asked(query);
            assert_eq!((status, body["ErrorCode"].as_str()), (400, Some(code)));
            assert!(body["ErrorMessage"].is_string());
        }
    }
}
