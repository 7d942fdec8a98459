//! The HTML that RTF was made from (MS-OXRTFEX 2.2.3.2).

use super::reader::{Document, Handler, Special, State, read};
use crate::{Converted, out::Out};

/// The HTML that is in RTF, as UTF-16LE of at most `max` bytes. What was not HTML before gives what
/// no browser would take for the same.
pub fn rtf_to_original_html(rtf: &[u8], max: usize) -> Converted {
    let mut writer = Writer {
        out: Out::new(max, rtf.len()),
    };
    read(rtf, &mut writer);
    writer.out.finish()
}

/// What `\_` stands for.
const NON_BREAKING_HYPHEN: char = '\u{2011}';

/// The characters whose control words mean something in a fragment of HTML; others are ignored there
/// (MS-OXRTFEX 2.1.3.1.4.2, 2.2.3.2).
const IN_FRAGMENTS: [char; 8] = [
    '\u{A0}', '\u{2013}', '\u{2014}', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}', '\u{2022}',
];

struct Writer {
    out: Out,
}

impl Handler for Writer {
    fn text(&mut self, _: &Document, state: &State, text: &str) {
        if !state.rtf_only {
            self.out.text(text);
        }
    }

    fn unit(&mut self, _: &Document, state: &State, unit: u16) {
        if !state.rtf_only {
            self.out.unit(unit);
        }
    }

    fn special(&mut self, _: &Document, state: &State, special: Special) {
        if state.rtf_only {
            return;
        }
        match special {
            Special::Paragraph => self.out.text("\r\n"),
            Special::Tab => self.out.text("\t"),
            // MS-OXRTFEX 2.1.3.1.4.2 has it so, though RTF means a hyphen.
            Special::Named(NON_BREAKING_HYPHEN, _) => self.out.text("&shy;"),
            Special::Named(char, reference) if !state.in_tag || IN_FRAGMENTS.contains(&char) => {
                self.out.text(reference);
            }
            Special::Line if !state.in_tag => self.out.text("\r\n"),
            Special::Named(..) | Special::Line | Special::Cell | Special::Row => {}
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}
