//! RTF to plain text (MS-OXRTFEX 2.2.3.3 for what was plain text before).

use super::{
    Origin, deencapsulate, origin,
    reader::{Document, Handler, Special, State, read},
};
use crate::{Converted, html::text::html_to_text, out::Out};

/// RTF to plain text as UTF-16LE, at most `max` bytes of it, with CRLF between lines.
pub fn rtf_to_text(rtf: &[u8], max: usize) -> Converted {
    if origin(rtf) == Origin::Html {
        // Markup is longer than the text in it, but not by so much.
        const MARKUP: usize = 64;
        let html_max = rtf.len().saturating_mul(2).min(max.saturating_mul(MARKUP));
        let html = deencapsulate::rtf_to_original_html(rtf, html_max);
        let mut text = html_to_text(&ropewalk_props::text::decode_utf16le(&html.bytes), max);
        text.complete &= html.complete;
        return text;
    }
    let mut writer = Writer {
        out: Out::new(max, rtf.len()),
    };
    read(rtf, &mut writer);
    writer.out.finish()
}

struct Writer {
    out: Out,
}

impl Handler for Writer {
    fn text(&mut self, _: &Document, state: &State, text: &str) {
        if !state.is_shown() {
            return;
        }
        if text.contains('\0') {
            // The store's text ends at it.
            return self.out.text(&text.replace('\0', "\u{FFFD}"));
        }
        self.out.text(text);
    }

    fn unit(&mut self, _: &Document, state: &State, unit: u16) {
        if state.is_shown() {
            self.out.unit(if unit == 0 { 0xFFFD } else { unit });
        }
    }

    fn special(&mut self, _: &Document, state: &State, special: Special) {
        if !state.is_shown() {
            return;
        }
        match special {
            Special::Paragraph | Special::Line | Special::Row => self.out.text("\r\n"),
            Special::Tab | Special::Cell => self.out.text("\t"),
            Special::Named('\u{AD}', _) => {}
            Special::Named(char, _) => self.out.text(char.encode_utf8(&mut [0; 4])),
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}
