//! The division of a message into MIME parts (RFC 2046 5.1).

use std::borrow::Cow;

use crate::{
    charset,
    context::Context,
    encoded_word,
    header::{self, Headers},
    parameter, transfer,
};

/// Multiparts nest this deep; what is nested deeper is not taken apart.
const DEPTH_MAX: usize = 24;
/// Bytes of a part's header that are read.
const PART_HEADER_BYTES_MAX: usize = 64 << 10;
/// Bytes of a boundary (RFC 2046 5.1.1 has 70).
const BOUNDARY_BYTES_MAX: usize = 256;

/// What the header of a part says about its body.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// `text`, in lower case.
    pub main: String,
    /// `plain`, in lower case.
    pub sub: String,
    pub charset: Option<String>,
    pub boundary: Option<String>,
    /// The `method` of a text/calendar part.
    pub method: Option<String>,
    /// The `report-type` of a multipart/report.
    pub report_type: Option<String>,
    /// The `protocol` of a multipart/signed.
    pub protocol: Option<String>,
    /// The file name, decoded, as the sender gave it.
    pub name: Option<String>,
    /// Content-Disposition is `attachment`.
    pub is_attachment: bool,
    pub encoding: String,
    /// Content-Description, decoded.
    pub description: Option<String>,
    pub content_id: Option<String>,
    pub content_location: Option<String>,
    pub content_base: Option<String>,
}

/// A part: a leaf, or a multipart with its children.
#[derive(Debug)]
pub struct Part<'a> {
    pub info: Info,
    /// The body as it came.
    pub body: &'a [u8],
    /// Empty for a leaf.
    pub children: Vec<Part<'a>>,
}

impl Info {
    /// Reads a header. `digest`: within multipart/digest, where messages are the default.
    pub fn new(headers: &Headers, digest: bool) -> Self {
        let mut info = Self {
            encoding: headers.raw("Content-Transfer-Encoding").unwrap_or_default(),
            content_id: headers.raw("Content-ID").map(|id| bare_id(&id)),
            description: headers.decoded("Content-Description"),
            content_location: headers.decoded("Content-Location"),
            content_base: headers.decoded("Content-Base"),
            ..Self::default()
        };
        info.content_id = info.content_id.filter(|id| !id.is_empty());
        if let Some(ty) = headers.content_type("Content-Type") {
            let text = |name: &str| ty.attribute(name).map(|value| value.trim().to_owned());
            info.main = ty.ctype().trim().to_ascii_lowercase();
            info.sub = ty.subtype().unwrap_or("").trim().to_ascii_lowercase();
            info.charset = text("charset").filter(|label| !label.is_empty());
            info.boundary = text("boundary").filter(|boundary| !boundary.is_empty());
            info.method = text("method");
            info.report_type = text("report-type");
            info.protocol = text("protocol");
            let extended = parameter::extended(headers.raw("Content-Type"), "name");
            info.name = extended.or_else(|| ty.attribute("name").map(encoded_word::decode));
        }
        if let Some(disposition) = headers.content_type("Content-Disposition") {
            info.is_attachment = disposition.ctype().eq_ignore_ascii_case("attachment");
            let extended = parameter::extended(headers.raw("Content-Disposition"), "filename");
            let name =
                extended.or_else(|| disposition.attribute("filename").map(encoded_word::decode));
            info.name = name.filter(|name| !name.is_empty()).or(info.name);
        }
        match (info.main.as_str(), info.sub.is_empty()) {
            // RFC 2046 5.1.5.
            ("", _) if digest => info.set_type("message", "rfc822"),
            // RFC 2045 5.2.
            ("", _) | ("text", true) => info.set_type("text", "plain"),
            ("html", true) => info.set_type("text", "html"),
            (_, true) => info.set_type("application", "octet-stream"),
            _ => {}
        }
        info
    }

    fn set_type(&mut self, main: &str, sub: &str) {
        self.main = main.to_owned();
        self.sub = sub.to_owned();
    }

    pub fn is(&self, main: &str, sub: &str) -> bool {
        self.main == main && self.sub == sub
    }

    /// `text/plain`.
    pub fn mime_type(&self) -> String {
        format!("{}/{}", self.main, self.sub)
    }
}

fn bare_id(id: &str) -> String {
    id.trim()
        .trim_start_matches('<')
        .trim_end_matches('>')
        .to_owned()
}

impl<'a> Part<'a> {
    /// Takes apart the body of an entity whose header was read already.
    pub fn new(info: Info, body: &'a [u8], context: &Context<'_>) -> Self {
        Self::nested(info, body, context, 0)
    }

    fn nested(info: Info, body: &'a [u8], context: &Context<'_>, depth: usize) -> Self {
        let mut part = Self {
            info,
            body,
            children: Vec::new(),
        };
        if part.info.main != "multipart" || depth == DEPTH_MAX {
            return part;
        }
        let Some(boundary) = part.info.boundary.clone() else {
            return part;
        };
        let boundary = boundary.get(..BOUNDARY_BYTES_MAX).unwrap_or(&boundary);
        let digest = part.info.sub == "digest";
        for entity in Entities::new(body, boundary.as_bytes(), context) {
            let (block, body) = header::split(entity);
            let block = block.get(..PART_HEADER_BYTES_MAX).unwrap_or(block);
            let info = Info::new(&Headers::parse(block, None), digest);
            part.children
                .push(Self::nested(info, body, context, depth + 1));
        }
        part
    }

    pub fn is_multipart(&self) -> bool {
        !self.children.is_empty()
    }

    /// The body with its transfer encoding undone.
    pub fn decoded(&self) -> Cow<'a, [u8]> {
        transfer::decode(self.body, &self.info.encoding)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        charset::decode(&self.decoded(), self.info.charset.as_deref())
    }
}

/// The entities between the boundaries of a multipart, without preamble and epilogue.
struct Entities<'a, 'c> {
    rest: &'a [u8],
    boundary: &'c [u8],
    context: &'c Context<'c>,
    started: bool,
    done: bool,
}

impl<'a, 'c> Entities<'a, 'c> {
    fn new(body: &'a [u8], boundary: &'c [u8], context: &'c Context<'c>) -> Self {
        Self {
            rest: body,
            boundary,
            context,
            started: false,
            done: false,
        }
    }

    /// Takes everything up to the next boundary; the bytes before it, and whether there is one.
    fn take(&mut self) -> (&'a [u8], Option<Delimiter>) {
        let whole = self.rest;
        let mut at = 0;
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            if let Some(delimiter) = delimiter(line, self.boundary) {
                let before = whole.get(..at).unwrap_or_default();
                self.rest = whole.get(at + line.len()..).unwrap_or_default();
                // The line end before a boundary belongs to it.
                let before = before.strip_suffix(b"\n").unwrap_or(before);
                return (
                    before.strip_suffix(b"\r").unwrap_or(before),
                    Some(delimiter),
                );
            }
            at += line.len();
        }
        self.rest = b"";
        (whole, None)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Next,
    Close,
}

fn delimiter(line: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match rest.trim_ascii_end() {
        b"" => Some(Delimiter::Next),
        b"--" => Some(Delimiter::Close),
        _ => None,
    }
}

impl<'a> Iterator for Entities<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if !self.started {
            self.started = true;
            let (_, delimiter) = self.take();
            self.done = delimiter.is_none();
        }
        if self.done {
            return None;
        }
        if !self.context.take_part() {
            // Nothing is lost: all that is left becomes one part.
            self.done = true;
            return Some(self.rest).filter(|rest| !rest.is_empty());
        }
        let (entity, delimiter) = self.take();
        // Without a closing boundary, the last part goes to the end.
        self.done = delimiter != Some(Delimiter::Next);
        if entity.is_empty() && delimiter.is_none() {
            return None;
        }
        Some(entity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::now;

    fn parse(entity: &str) -> String {
        let names = |_: &ropewalk_props::PropertyName| None;
        let context = Context::new(&names, now());
        let (block, body) = header::split(entity.as_bytes());
        let info = Info::new(&Headers::parse(block, None), false);
        outline(&Part::new(info, body, &context))
    }

    fn outline(part: &Part<'_>) -> String {
        let children: Vec<String> = part.children.iter().map(outline).collect();
        match children[..] {
            [] => format!("{}={:?}", part.info.mime_type(), part.text()),
            _ => format!("{}[{}]", part.info.mime_type(), children.join(" ")),
        }
    }

    #[test]
    fn multiparts_are_taken_apart() {
        for (entity, expected) in [
            ("\n\nx", "text/plain=\"\\nx\""),
            (
                "Content-Type: multipart/mixed; boundary=b\n\npre\n--b\n\none\n--b \nContent-Type: text/html\n\ntwo\n--b--\npost",
                "multipart/mixed[text/plain=\"one\" text/html=\"two\"]",
            ),
            // A boundary that begins like another one.
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\none\n--bb--\n--b\n\ntwo\n--b--\n",
                "multipart/mixed[multipart/alternative[text/plain=\"one\"] text/plain=\"two\"]",
            ),
            // Boundaries that do not close.
            (
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/related; boundary=c\n\n--c\n\none\n--b\n\ntwo",
                "multipart/mixed[multipart/related[text/plain=\"one\"] text/plain=\"two\"]",
            ),
            // None, or none of the sort.
            (
                "Content-Type: multipart/mixed\n\nx",
                "multipart/mixed=\"x\"",
            ),
            (
                "Content-Type: multipart/mixed; boundary=b\n\nx",
                "multipart/mixed=\"x\"",
            ),
            (
                "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\n--b--",
                "multipart/digest[message/rfc822=\"Subject: x\\n\"]",
            ),
            ("Content-Type: text\n\nx", "text/plain=\"x\""),
            (
                "Content-Type: nonsense\n\nx",
                "application/octet-stream=\"x\"",
            ),
        ] {
            assert_eq!(parse(entity), expected, "{entity}");
        }
    }

    #[test]
    fn depth_and_number_of_parts_are_bounded() {
        let deep: String = (0..5_000)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
            .collect();
        assert_eq!(parse(&deep).matches("[").count(), DEPTH_MAX);
        let wide = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n{}",
            "--b\n\nx\n".repeat(10_000)
        );
        let wide = parse(&wide);
        assert_eq!(wide.matches("text/plain").count(), 4097);
        // Every body is still there; the types have an x each as well.
        assert_eq!(wide.matches('x').count(), 10_000 + 4097 + 1);
    }

    #[test]
    fn file_names_come_from_either_header_in_any_encoding() {
        for (header, name) in [
            ("Content-Type: application/pdf; name=\"a.pdf\"\n", "a.pdf"),
            (
                "Content-Disposition: attachment; filename=\"b c.pdf\"\n",
                "b c.pdf",
            ),
            (
                "Content-Disposition: attachment; filename*=UTF-8''na%C3%AFve.txt\n",
                "naïve.txt",
            ),
            (
                "Content-Disposition: attachment; filename*0*=koi8-r''%F2%D5; filename*1*=%D3%D8.txt\n",
                "Русь.txt",
            ),
            (
                "Content-Type: image/png; name=\"=?ISO-2022-JP?B?GyRCRnxLXBsoQi5wbmc=?=\"\n",
                "日本.png",
            ),
        ] {
            let info = Info::new(&Headers::parse(header.as_bytes(), None), false);
            assert_eq!(info.name.as_deref(), Some(name), "{header}");
        }
    }
}
