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
            Special::Paragraph | Special::Line => self.out.text("\r\n"),
            Special::Tab => self.out.text("\t"),
            Special::Cell | Special::Row => {}
            Special::Named(char, _) if state.in_tag => {
                self.out.text(char.encode_utf8(&mut [0; 4]));
            }
            Special::Named(_, reference) => self.out.text(reference),
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}
