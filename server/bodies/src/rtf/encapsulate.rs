//! HTML to RTF that has the HTML in it (MS-OXRTFEX 2.1.3.1, 2.2.2).

use super::from_text::{TABLES, put_byte, put_unit};
use crate::{
    Converted,
    html::{
        entity::{Entity, entity},
        token::{Tag, Token, tokens},
    },
    out::Out,
};

/// HTML to RTF of at most `max` bytes, from which a reader that knows of it gets the same HTML back,
/// and every other one a document that looks somewhat like it.
pub fn html_to_rtf(html: &str, max: usize) -> Converted {
    let mut out = Out::new(max, html.len().saturating_mul(2) + 512);
    out.bytes(b"{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 ");
    out.bytes(TABLES.as_bytes());
    // Before the first text that is seen (MS-OXRTFEX 2.2.2).
    out.bytes(b"{\\*\\htmltag64}");
    let mut writer = Writer {
        out,
        place: Place::Outside,
        pre: 0,
        bold: 0,
        italic: 0,
        underline: 0,
        breaks: true,
        space: true,
    };
    for token in tokens(html) {
        if writer.out.is_full() {
            break;
        }
        match token {
            Token::Tag(tag) => writer.tag(&tag),
            Token::Text(text) => writer.text(text),
            Token::Raw(source) | Token::Other(source) => writer.fragment(KIND_UNKNOWN, source),
        }
    }
    writer.out.bytes(b"}");
    writer.out.finish()
}

/// The part of the page that a fragment is in (MS-OXRTFEX 2.1.3.1.4.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Body = 0,
    Head = 1,
    Html = 2,
    Outside = 3,
}

struct Writer {
    out: Out,
    place: Place,
    pre: u32,
    bold: u32,
    italic: u32,
    underline: u32,
    /// Whether a new line has just begun, as RTF shows it.
    breaks: bool,
    /// Whether a space was the last to be shown.
    space: bool,
}

/// HTMLTagParameter: the bit of an end tag, and the kinds of tags (MS-OXRTFEX 2.1.3.1.4.1).
const CLOSES: u16 = 0x08;
const KIND_TEXT: u16 = 0x00;
const KIND_HTML: u16 = 0x10;
const KIND_HEAD: u16 = 0x20;
const KIND_BODY: u16 = 0x30;
const KIND_P: u16 = 0x40;
const KIND_START_PARAGRAPH: u16 = 0x50;
const KIND_END_PARAGRAPH: u16 = 0x60;
const KIND_BR: u16 = 0x70;
const KIND_PRE: u16 = 0x80;
const KIND_FONT: u16 = 0x90;
const KIND_UNKNOWN: u16 = 0xF0;

impl Writer {
    fn tag(&mut self, tag: &Tag<'_>) {
        let name = tag.name();
        let name = name.as_str();
        let opens = !tag.closes;
        match (name, opens) {
            ("body", true) => self.place = Place::Body,
            ("head", true) => self.place = Place::Head,
            ("html", true) => self.place = Place::Html,
            ("html", false) => self.place = Place::Outside,
            // A page without a body has one all the same.
            ("head" | "meta" | "title" | "style" | "script" | "link" | "base", _) => {}
            _ if opens && self.place != Place::Head => self.place = Place::Body,
            _ => {}
        }
        let kind = match name {
            "html" => KIND_HTML,
            "head" => KIND_HEAD,
            "body" => KIND_BODY,
            "p" => KIND_P,
            "br" => KIND_BR,
            "pre" => KIND_PRE,
            "font" => KIND_FONT,
            _ if opens && is_block(name) => KIND_START_PARAGRAPH,
            _ if is_block(name) => KIND_END_PARAGRAPH,
            _ => KIND_UNKNOWN,
        };
        let close = if opens { 0 } else { CLOSES };
        self.fragment(kind | close, tag.source);
        match (name, opens) {
            ("head", false) => self.place = Place::Html,
            ("body", false) => self.place = Place::Html,
            _ => {}
        }
        self.look(name, opens);
    }

    /// What readers see who do not know of the HTML.
    fn look(&mut self, name: &str, opens: bool) {
        match name {
            "br" => self.paragraph("\\line"),
            _ if is_block(name) => {
                if !self.breaks {
                    self.paragraph("\\par");
                }
                if name == "li" && opens {
                    self.rtf_only("\\bullet\\tab ");
                }
            }
            "td" | "th" if !opens => self.rtf_only("\\tab "),
            "b" | "strong" => toggle(&mut self.out, &mut self.bold, opens, ["\\b ", "\\b0 "]),
            "i" | "em" => toggle(&mut self.out, &mut self.italic, opens, ["\\i ", "\\i0 "]),
            "u" => toggle(
                &mut self.out,
                &mut self.underline,
                opens,
                ["\\ul ", "\\ulnone "],
            ),
            _ => {}
        }
        if name == "pre" {
            self.pre = if opens {
                self.pre.saturating_add(1)
            } else {
                self.pre.saturating_sub(1)
            };
        }
    }

    fn paragraph(&mut self, word: &str) {
        self.rtf_only(word);
        (self.breaks, self.space) = (true, true);
    }

    fn rtf_only(&mut self, rtf: &str) {
        put_rtf_only(&mut self.out, rtf.as_bytes());
    }

    /// What has no likeness in RTF.
    fn fragment(&mut self, kind: u16, source: &str) {
        self.open_fragment(kind);
        self.source(source);
        self.out.bytes(b"}");
    }

    fn open_fragment(&mut self, kind: u16) {
        let parameter = kind | self.place as u16;
        self.out.bytes(b"{\\*\\htmltag");
        self.out.bytes(parameter.to_string().as_bytes());
        self.out.bytes(b" ");
    }

    /// HTML as it stands there.
    fn source(&mut self, source: &str) {
        let bytes = source.as_bytes();
        if source.is_ascii() {
            let mut rest = bytes;
            while !rest.is_empty() {
                let special = |byte: &u8| !matches!(byte, 0x20..0x7F) || b"{}\\".contains(byte);
                let end = rest.iter().position(special).unwrap_or(rest.len());
                let (plain, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
                self.out.bytes(plain);
                rest = self.special(after);
            }
            return;
        }
        let mut units = source.encode_utf16().peekable();
        while let Some(unit) = units.next() {
            match u8::try_from(unit) {
                Ok(b'\r') if units.next_if_eq(&u16::from(b'\n')).is_some() => {
                    self.out.bytes(b"\\par\r\n");
                }
                Ok(byte @ (b'\r' | b'\n')) => put_byte(&mut self.out, byte),
                _ => put_unit(&mut self.out, unit),
            }
        }
    }

    /// One character that RTF writes differently, and what comes after it.
    fn special<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        match bytes {
            [] => bytes,
            [b'\r', b'\n', rest @ ..] => {
                self.out.bytes(b"\\par\r\n");
                rest
            }
            // A line end of another kind is another one when it comes back.
            [byte @ (b'\r' | b'\n'), rest @ ..] => {
                put_byte(&mut self.out, *byte);
                rest
            }
            [byte, rest @ ..] => {
                put_unit(&mut self.out, (*byte).into());
                rest
            }
        }
    }

    fn text(&mut self, mut text: &str) {
        if matches!(self.place, Place::Head | Place::Outside | Place::Html)
            && text.trim_ascii().is_empty()
        {
            return self.fragment(KIND_UNKNOWN, text);
        }
        if self.place == Place::Outside {
            self.place = Place::Body;
        }
        while !text.is_empty() && !self.out.is_full() {
            let special = |c: char| c == '&' || c.is_ascii_whitespace() || c == '\0';
            let end = text.find(special).unwrap_or(text.len());
            let (plain, after) = text.split_at_checked(end).unwrap_or((text, ""));
            if !plain.is_empty() {
                self.source(plain);
                (self.breaks, self.space) = (false, false);
            }
            text = self.text_special(after);
        }
    }

    /// A reference or white space, and what comes after it.
    fn text_special<'a>(&mut self, text: &'a str) -> &'a str {
        if text.is_empty() {
            return text;
        }
        if text.starts_with('&') {
            let (shown, len) = match entity(text) {
                Some((Entity::Chars(first, second), len)) => ((Some(first), second), len),
                Some((Entity::Unit(_), len)) => ((None, None), len),
                None => ((Some('&'), None), 1),
            };
            let (source, after) = text.split_at_checked(len).unwrap_or((text, ""));
            self.fragment(KIND_TEXT, source);
            self.out.bytes(b"\\htmlrtf ");
            for char in [shown.0, shown.1].into_iter().flatten() {
                char.encode_utf16(&mut [0; 2])
                    .iter()
                    .for_each(|unit| put_unit(&mut self.out, *unit));
            }
            self.out.bytes(b"\\htmlrtf0 ");
            (self.breaks, self.space) = (false, false);
            return after;
        }
        let end = text
            .find(|c: char| !(c.is_ascii_whitespace() || c == '\0'))
            .unwrap_or(text.len());
        let (white, after) = text.split_at_checked(end).unwrap_or((text, ""));
        if white == " " {
            self.out.bytes(b" ");
            self.space = true;
            return after;
        }
        self.fragment(KIND_TEXT, white);
        if self.pre > 0 {
            for byte in white.bytes() {
                match byte {
                    b'\n' => self.paragraph("\\line"),
                    b'\t' => self.rtf_only("\\tab "),
                    b' ' => self.rtf_only(" "),
                    _ => {}
                }
            }
        } else if !self.space {
            self.rtf_only(" ");
            self.space = true;
        }
        after
    }
}

/// Whether an element stands on lines of its own.
fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "tr"
            | "li"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "pre"
            | "blockquote"
            | "ul"
            | "ol"
            | "table"
            | "hr"
    )
}

/// What is not in the HTML.
fn put_rtf_only(out: &mut Out, rtf: &[u8]) {
    out.bytes(b"\\htmlrtf ");
    out.bytes(rtf);
    out.bytes(b"\\htmlrtf0 ");
}

/// Turns something on with the first tag that asks for it, and off with the last one.
fn toggle(out: &mut Out, open: &mut u32, opens: bool, [on, off]: [&str; 2]) {
    if opens {
        *open = open.saturating_add(1);
        if *open == 1 {
            put_rtf_only(out, on.as_bytes());
        }
    } else if *open > 0 {
        *open -= 1;
        if *open == 0 {
            put_rtf_only(out, off.as_bytes());
        }
    }
}
