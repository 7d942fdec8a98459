//! Which parts are the body, and what becomes of it (MS-OXCMAIL 2.2.3.3).

use std::borrow::Cow;

use mail_parser::decoders::html::html_to_text;
use ropewalk_props::{Bag, PropTag, PropValue, tags::*};

use crate::{charset, part::Part};

/// Bytes at the beginning of HTML in which it may name its own charset.
const META_BYTES: usize = 1024;
/// Bytes of HTML that a plain body is made of.
const CONVERTED_BYTES_MAX: usize = 4 << 20;

/// PidTagNativeBody (MS-OXCMSG 2.2.1.58.2).
const NATIVE_PLAIN: i32 = 1;
const NATIVE_HTML: i32 = 3;

/// What the parts of a message are to it.
#[derive(Debug, Default)]
pub struct Layout<'p, 'a> {
    /// The plain body; several parts in a row are one.
    pub plain: Vec<&'p Part<'a>>,
    /// The HTML body.
    pub html: Option<&'p Part<'a>>,
    /// A calendar object with a method.
    pub calendar: Option<&'p Part<'a>>,
    /// All others, in order.
    pub files: Vec<File<'p, 'a>>,
}

/// A part that becomes an attachment.
#[derive(Clone, Copy, Debug)]
pub struct File<'p, 'a> {
    pub part: &'p Part<'a>,
    /// In a multipart/related.
    pub related: bool,
}

/// Where a part stands.
#[derive(Clone, Copy)]
struct Place {
    alternative: bool,
    related: bool,
    /// The alternatives around it are the body.
    open: bool,
}

impl<'p, 'a> Layout<'p, 'a> {
    /// Looks through a part and all in it (MS-OXCMAIL 2.2.3.3.2).
    pub fn of(part: &'p Part<'a>) -> Self {
        let mut layout = Self::default();
        let place = Place {
            alternative: false,
            related: false,
            open: false,
        };
        layout.visit(part, place);
        layout
    }

    fn has_body(&self) -> bool {
        self.html.is_some() || !self.plain.is_empty()
    }

    fn visit(&mut self, part: &'p Part<'a>, place: Place) {
        if !part.is_multipart() {
            return self.leaf(part, place);
        }
        let place = match part.info.sub.as_str() {
            "alternative" => Place {
                alternative: true,
                open: if place.alternative {
                    place.open
                } else {
                    !self.has_body()
                },
                ..place
            },
            "related" => Place {
                related: true,
                ..place
            },
            _ => Place {
                related: false,
                ..place
            },
        };
        for child in &part.children {
            self.visit(child, place);
        }
    }

    fn leaf(&mut self, part: &'p Part<'a>, place: Place) {
        let info = &part.info;
        let open = if place.alternative {
            place.open
        } else {
            !self.has_body()
        };
        let inline = !info.is_attachment;
        // A multipart that could not be taken apart is at least text.
        let plain = info.is("text", "plain")
            || info.is("text", "enriched")
            || (info.main == "multipart" && part.children.is_empty());
        if inline && info.is("text", "calendar") && info.method.is_some() && self.calendar.is_none()
        {
            self.calendar = Some(part);
        } else if inline && open && info.is("text", "html") && self.html.is_none() {
            self.html = Some(part);
        } else if inline && plain && (self.opens_body(open) || self.continues_body(part, place)) {
            self.plain.push(part);
        } else {
            self.files.push(File {
                part,
                related: place.related,
            });
        }
    }

    fn opens_body(&self, open: bool) -> bool {
        open && self.plain.is_empty()
    }

    /// MS-OXCMAIL 2.2.3.3.2.2: more text after a plain body is part of it.
    fn continues_body(&self, part: &Part<'_>, place: Place) -> bool {
        let aside = place.alternative || place.related || part.info.name.is_some();
        !aside && self.html.is_none() && !self.plain.is_empty()
    }
}

/// Sets the body's properties; gives the HTML as text.
pub fn set(bag: &mut Bag, layout: &Layout<'_, '_>) -> Option<String> {
    let plain: Vec<String> = layout.plain.iter().map(|part| part.text()).collect();
    let plain = plain.join("\r\n");
    let Some(part) = layout.html else {
        if !layout.plain.is_empty() {
            bag.set_text(PID_TAG_BODY, &with_crlf(&plain));
            set_i32(bag, PID_TAG_NATIVE_BODY, NATIVE_PLAIN);
        }
        let label = layout
            .plain
            .first()
            .and_then(|part| part.info.charset.as_deref());
        let id = label.and_then(charset::code_page_of_label);
        set_i32(
            bag,
            PID_TAG_INTERNET_CODEPAGE,
            id.unwrap_or(charset::UTF_8) as i32,
        );
        return None;
    };
    let html = Html::new(part);
    set_i32(bag, PID_TAG_INTERNET_CODEPAGE, html.code_page as i32);
    set_i32(bag, PID_TAG_NATIVE_BODY, NATIVE_HTML);
    // MS-OXBBODY 2.1.3.1: with it, HTML is the best body.
    bag.set(PID_TAG_RTF_IN_SYNC, &PropValue::Boolean(false));
    let plain = match plain.trim().is_empty() {
        // A message with HTML alone gets a plain body too.
        true => html_to_text(up_to(&html.text, CONVERTED_BYTES_MAX)),
        false => plain,
    };
    bag.set_text(PID_TAG_BODY, &with_crlf(&plain));
    bag.set(PID_TAG_HTML, &PropValue::Binary(html.bytes.into_owned()));
    Some(html.text)
}

/// PidTagHtml, with the code page that it is in, and as text.
struct Html<'a> {
    bytes: Cow<'a, [u8]>,
    code_page: u32,
    text: String,
}

impl<'a> Html<'a> {
    fn new(part: &Part<'a>) -> Self {
        let bytes = part.decoded();
        let label = part
            .info
            .charset
            .clone()
            .filter(|label| !charset::is_ascii(label));
        let utf8 = std::str::from_utf8(&bytes).is_ok();
        let label = label.or_else(|| if utf8 { None } else { meta_charset(&bytes) });
        let text = charset::decode(&bytes, label.as_deref());
        let known = match &label {
            Some(label) => charset::code_page_of_label(label).map(|id| windows(id, &bytes)),
            None if utf8 => Some(charset::UTF_8),
            None => Some(1252),
        };
        match known {
            Some(code_page) => Self {
                bytes,
                code_page,
                text,
            },
            // Clients could not read it: it becomes UTF-8.
            None => Self {
                bytes: Cow::Owned(text.clone().into_bytes()),
                code_page: charset::UTF_8,
                text,
            },
        }
    }
}

/// The code page that text in a code page of ISO is really in, if it has what are controls there and
/// letters here.
fn windows(code_page: u32, bytes: &[u8]) -> u32 {
    let controls = bytes.iter().any(|byte| (0x80..0xA0).contains(byte));
    match code_page {
        28591 if controls => 1252,
        28599 if controls => 1254,
        _ => code_page,
    }
}

fn meta_charset(html: &[u8]) -> Option<String> {
    let head = html.get(..META_BYTES).unwrap_or(html);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let (_, rest) = head.split_once("charset=")?;
    let label: String = rest
        .trim_start_matches(['"', '\''])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_:.".contains(*c))
        .collect();
    (!label.is_empty()).then_some(label)
}

fn up_to(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or("")
}

/// Text with CR LF at the end of each line, as clients expect it, whatever was there.
pub fn with_crlf(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let before = std::iter::once(&b' ').chain(bytes);
    let mut pairs = before.zip(bytes.iter().chain(std::iter::once(&b' ')));
    if pairs.all(|(before, byte)| (*before == b'\r') == (*byte == b'\n')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    let mut rest = text;
    while let Some(at) = rest.find(['\r', '\n']) {
        let (line, end) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.extend([line, "\r\n"]);
        rest = end
            .strip_prefix("\r\n")
            .or_else(|| end.get(1..))
            .unwrap_or("");
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn set_i32(bag: &mut Bag, tag: PropTag, number: i32) {
    bag.set(tag, &PropValue::Integer32(number));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_cr_lf() {
        for (text, expected) in [
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\r\nb", "a\r\nb"),
            ("\n\r\n\n", "\r\n\r\n\r\n"),
            ("a\rb\r\r\nc\r", "a\r\nb\r\n\r\nc\r\n"),
            ("", ""),
        ] {
            assert_eq!(with_crlf(text), expected);
        }
    }

    #[test]
    fn html_may_name_its_own_charset() {
        let html = b"<meta http-equiv=x content=\"text/html; charset=koi8-r\">";
        assert_eq!(meta_charset(html).as_deref(), Some("koi8-r"));
        assert_eq!(meta_charset(b"<p>"), None);
        assert_eq!(up_to("aé", 2), "a");
    }
}
