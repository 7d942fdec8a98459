//! RTF to HTML: the HTML that it was made from, or paragraphs that look like it.

use super::{
    Origin,
    deencapsulate::rtf_to_original_html,
    origin,
    reader::{Alignment, Document, Handler, Special, State, Style, read},
    to_text::rtf_to_text,
};
use crate::{
    Converted,
    html::from_text::{close, open, put_unit, text_to_html},
    out::Out,
};

/// RTF to HTML as UTF-16LE of at most `max` bytes. `charset` is what a page that is made here says
/// of itself; one that is in the RTF says what it says.
pub fn rtf_to_html(rtf: &[u8], charset: &str, max: usize) -> Converted {
    match origin(rtf) {
        Origin::Html => rtf_to_original_html(rtf, max),
        Origin::Text => {
            let text = rtf_to_text(rtf, max);
            let mut html = text_to_html(&text.bytes, charset, max);
            html.complete &= text.complete;
            html
        }
        Origin::Rtf => {
            let mut out = Out::new(max, rtf.len().saturating_mul(2));
            open(&mut out, charset);
            let mut writer = Writer {
                out,
                paragraph: false,
                style: None,
                space: true,
            };
            read(rtf, &mut writer);
            writer.end_paragraph();
            close(&mut writer.out);
            writer.out.finish()
        }
    }
}

struct Writer {
    out: Out,
    /// Whether one is open.
    paragraph: bool,
    /// That of the run that is open.
    style: Option<Style>,
    /// Whether a space would not be seen.
    space: bool,
}

impl Writer {
    fn start_run(&mut self, document: &Document, state: &State) {
        if !self.paragraph {
            let alignment = match state.alignment {
                Alignment::Left => "",
                Alignment::Right => ";text-align:right",
                Alignment::Centre => ";text-align:center",
                Alignment::Justified => ";text-align:justify",
            };
            self.out.text("<p style=\"margin:0");
            self.out.text(alignment);
            self.out.text("\">");
            self.paragraph = true;
            self.space = true;
        }
        if self.style == Some(state.style) {
            return;
        }
        self.end_run();
        let style = state.style;
        if let Some(address) = document.link(style.link) {
            self.out.text("<a href=\"");
            self.escaped(address);
            self.out.text("\">");
        }
        self.out.text("<span style=\"");
        if let Some(font) = document.font(style.font) {
            self.out.text("font-family:'");
            let name = font.replace(['\'', '"', '<', '>', '&', ';', '\\'], "");
            self.out.text(&name);
            self.out.text("';");
        }
        if style.size > 0 {
            let half = if style.size % 2 == 1 { ".5" } else { "" };
            self.out
                .text(&format!("font-size:{}{half}pt;", style.size / 2));
        }
        if let Some([red, green, blue]) = document.colour(style.colour) {
            self.out
                .text(&format!("color:#{red:02x}{green:02x}{blue:02x};"));
        }
        self.out.text("\">");
        for (on, tag) in [
            (style.bold, "<b>"),
            (style.italic, "<i>"),
            (style.underline, "<u>"),
            (style.strike, "<s>"),
        ] {
            if on {
                self.out.text(tag);
            }
        }
        self.style = Some(style);
    }

    fn end_run(&mut self) {
        let Some(style) = self.style.take() else {
            return;
        };
        for (on, tag) in [
            (style.strike, "</s>"),
            (style.underline, "</u>"),
            (style.italic, "</i>"),
            (style.bold, "</b>"),
            (true, "</span>"),
            (style.link > 0, "</a>"),
        ] {
            if on {
                self.out.text(tag);
            }
        }
    }

    fn end_paragraph(&mut self) {
        if self.paragraph {
            self.end_run();
            self.out.text("</p>\r\n");
            self.paragraph = false;
        }
    }

    fn escaped(&mut self, text: &str) {
        for unit in text.encode_utf16() {
            put_unit(&mut self.out, unit);
        }
    }

    fn put(&mut self, unit: u16) {
        const SPACE: u16 = b' ' as u16;
        if unit == SPACE && self.space {
            self.out.text("&nbsp;");
        } else {
            put_unit(&mut self.out, unit);
            self.space = unit == SPACE;
        }
    }
}

impl Handler for Writer {
    fn text(&mut self, document: &Document, state: &State, text: &str) {
        if !state.is_shown() || text.is_empty() {
            return;
        }
        self.start_run(document, state);
        for unit in text.encode_utf16() {
            self.put(unit);
        }
    }

    fn unit(&mut self, document: &Document, state: &State, unit: u16) {
        if state.is_shown() {
            self.start_run(document, state);
            self.put(unit);
        }
    }

    fn special(&mut self, document: &Document, state: &State, special: Special) {
        if !state.is_shown() {
            return;
        }
        match special {
            Special::Paragraph | Special::Row => {
                if !self.paragraph {
                    self.start_run(document, state);
                    self.out.text("&nbsp;");
                }
                self.end_paragraph();
            }
            Special::Line => {
                self.start_run(document, state);
                self.out.text("<br>\r\n");
                self.space = true;
            }
            Special::Tab | Special::Cell => {
                self.start_run(document, state);
                self.out.text("&nbsp;&nbsp;&nbsp; ");
                self.space = true;
            }
            Special::Named(_, reference) => {
                self.start_run(document, state);
                self.out.text(reference);
                self.space = false;
            }
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}
