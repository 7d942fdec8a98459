//! Autodiscover requests (MS-OXDSCLI 2.2.3).

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

use super::{BODY_MAX, response::Failure};

/// The one AcceptableResponseSchema that is served (MS-OXDSCLI 2.2.3.1.1.1).
pub const RESPONSE_SCHEMA: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
/// Elements inside each other in a request; it needs three.
const DEPTH_MAX: usize = 16;

/// Whose settings are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// LegacyDN, which goes before EMailAddress (MS-OXDSCLI 2.2.3.1.1.3).
    LegacyDn(String),
    /// EMailAddress (MS-OXDSCLI 2.2.3.1.1.2).
    EmailAddress(String),
}

/// The children of the Request element.
#[derive(Default)]
struct Fields {
    acceptable_response_schema: Option<String>,
    legacy_dn: Option<String>,
    email_address: Option<String>,
}

/// Reads a request body: well-formed UTF-8 XML without a document type, in any namespace prefix.
pub fn parse(body: &[u8]) -> Result<Subject, Failure> {
    if body.len() > BODY_MAX {
        return Err(Failure::InvalidRequest);
    }
    let text = std::str::from_utf8(body).map_err(|_| Failure::InvalidRequest)?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let fields = fields(text).ok_or(Failure::InvalidRequest)?;
    let filled = |field: Option<String>| field.filter(|text| !text.is_empty());
    let schema = filled(fields.acceptable_response_schema).ok_or(Failure::InvalidRequest)?;
    if !schema.eq_ignore_ascii_case(RESPONSE_SCHEMA) {
        return Err(Failure::NoProvider);
    }
    let legacy_dn = filled(fields.legacy_dn).map(Subject::LegacyDn);
    let email_address = filled(fields.email_address).map(Subject::EmailAddress);
    legacy_dn.or(email_address).ok_or(Failure::InvalidRequest)
}

/// The fields of a document `Autodiscover/Request/*`; `None` for any other.
fn fields(text: &str) -> Option<Fields> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut fields = Fields::default();
    // The local names of the elements around, and the text of the innermost one.
    let mut path: Vec<String> = Vec::new();
    let mut content = String::new();
    let mut complete = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if path.len() >= DEPTH_MAX || complete {
                    return None;
                }
                let name = std::str::from_utf8(start.local_name().into_inner())
                    .ok()?
                    .to_owned();
                let level_is_right = match path.len() {
                    0 => name == "Autodiscover",
                    1 => name == "Request",
                    _ => true,
                };
                if !level_is_right {
                    return None;
                }
                path.push(name);
                content.clear();
            }
            Event::End(_) => {
                let name = path.pop()?;
                if path.len() == 2 {
                    fields.set(&name, content.trim());
                }
                content.clear();
                complete |= path.is_empty();
            }
            Event::Text(text) => content.push_str(&text.decode().ok()?),
            Event::CData(text) => content.push_str(&text.decode().ok()?),
            Event::GeneralRef(reference) => content.push_str(&resolve(&reference)?),
            // A document type could define entities.
            Event::DocType(_) => return None,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            // expand_empty_elements makes two events of these.
            Event::Empty(_) => return None,
            Event::Eof => return complete.then_some(fields),
        }
    }
}

/// A character reference, or one of the five entities that XML itself has.
fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref().ok()? {
        Some(char) => Some(char.to_string()),
        None => resolve_predefined_entity(&reference.decode().ok()?).map(str::to_owned),
    }
}

impl Fields {
    /// Keeps the first of each.
    fn set(&mut self, name: &str, text: &str) {
        let field = match name {
            "AcceptableResponseSchema" => &mut self.acceptable_response_schema,
            "LegacyDN" => &mut self.legacy_dn,
            "EMailAddress" => &mut self.email_address,
            _ => return,
        };
        field.get_or_insert_with(|| text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMESPACE: &str =
        "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";

    fn request(inside: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Autodiscover xmlns=\"{NAMESPACE}\">\
             <Request>{inside}<AcceptableResponseSchema>{RESPONSE_SCHEMA}\
             </AcceptableResponseSchema></Request></Autodiscover>"
        )
    }

    fn parsed(inside: &str) -> Result<Subject, Failure> {
        parse(request(inside).as_bytes())
    }

    fn email(address: &str) -> Result<Subject, Failure> {
        Ok(Subject::EmailAddress(address.to_owned()))
    }

    #[test]
    fn the_legacy_dn_goes_before_the_address() {
        let address = "<EMailAddress> ada@example.test\n</EMailAddress>";
        assert_eq!(parsed(address), email("ada@example.test"));
        let both = format!("{address}<LegacyDN>/o=x/cn=ada</LegacyDN>");
        assert_eq!(
            parsed(&both),
            Ok(Subject::LegacyDn("/o=x/cn=ada".to_owned()))
        );
        assert_eq!(
            parsed(&format!("{address}<LegacyDN/>")),
            email("ada@example.test")
        );
    }

    #[test]
    fn prefixes_comments_character_data_and_references_are_understood() {
        let prefixed = format!(
            "\u{FEFF}<a:Autodiscover xmlns:a='{NAMESPACE}'><!-- x --><a:Request>\
             <a:AcceptableResponseSchema>{}</a:AcceptableResponseSchema>\
             <a:EMailAddress>a&#x26;b&#64;<![CDATA[example]]><!-- x -->.test&lt;</a:EMailAddress>\
             <a:Other><a:EMailAddress>no</a:EMailAddress></a:Other>\
             </a:Request></a:Autodiscover>",
            RESPONSE_SCHEMA.to_uppercase()
        );
        assert_eq!(parse(prefixed.as_bytes()), email("a&b@example.test<"));
    }

    #[test]
    fn other_schemas_have_no_provider() {
        let mobile = request("<EMailAddress>a@b</EMailAddress>").replace(
            RESPONSE_SCHEMA,
            "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006",
        );
        assert_eq!(parse(mobile.as_bytes()), Err(Failure::NoProvider));
    }

    #[test]
    fn everything_else_is_an_invalid_request() {
        let good = request("<EMailAddress>a@b</EMailAddress>");
        let entity = "<!DOCTYPE a [<!ENTITY e \"a@b\">]>";
        let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
        let cases = [
            String::new(),
            "no XML".to_owned(),
            "<Autodiscover/>".to_owned(),
            "<Autodiscover><Request/></Autodiscover>".to_owned(),
            request(""),
            request("<EMailAddress>  </EMailAddress>"),
            request("<EMailAddress>&e;</EMailAddress>"),
            request("<EMailAddress>&#0;&#xD800;</EMailAddress>"),
            request(&format!("<EMailAddress>a@b</EMailAddress>{deep}")),
            good.replace("Request>", "Response>"),
            good.replace("Autodiscover", "Autodiscovery"),
            good.replace("AcceptableResponseSchema", "Schema"),
            good.replace("</Request>", ""),
            good.replace("?>", &format!("?>{entity}")),
            format!("{good}<Autodiscover/>"),
            format!("{good}{}", " ".repeat(BODY_MAX)),
        ];
        for case in cases {
            assert_eq!(
                parse(case.as_bytes()),
                Err(Failure::InvalidRequest),
                "{case:.200}"
            );
        }
        assert_eq!(parse(&[0xFF, 0xFE, b'<', 0]), Err(Failure::InvalidRequest));
        for end in 0..good.len() {
            assert!(parse(&good.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_a_request_or_an_error(
            body in prop::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            piece in "[<>&;/!?A-Za-z#\\[\\]\"' -]{0,12}",
        ) {
            let _ = parse(&body);
            let mut damaged = request("<EMailAddress>a@b</EMailAddress>");
            damaged.insert_str(at.index(damaged.len()), &piece);
            let _ = parse(damaged.as_bytes());
        }
    }
}
