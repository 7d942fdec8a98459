//! Plain text to HTML.

use ropewalk_props::text::units;

use crate::{Converted, out::Out};

const CR: u16 = b'\r' as u16;
const LF: u16 = b'\n' as u16;
const SPACE: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;

/// What makes an address in a text a link.
const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "ftp://"];

/// Plain text, as UTF-16LE, to a page of HTML as UTF-16LE of at most `max` bytes. `charset` is what
/// the page says of itself, the code page that the caller puts it into.
pub fn text_to_html(text: &[u8], charset: &str, max: usize) -> Converted {
    let mut out = Out::new(max, text.len() + text.len() / 8 + 512);
    open(&mut out, charset);
    let text: Vec<u16> = units(text).collect();
    put_lines(&mut out, &text);
    close(&mut out);
    out.finish()
}

/// The beginning of a page.
pub fn open(out: &mut Out, charset: &str) {
    out.text("<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=");
    out.text(charset);
    out.text("\">\r\n</head>\r\n<body>\r\n");
}

/// The end of a page.
pub fn close(out: &mut Out) {
    out.text("\r\n</body>\r\n</html>\r\n");
}

fn put_lines(out: &mut Out, text: &[u16]) {
    let mut rest = text;
    // A space at the start of a line, or after another one, would not be seen.
    let mut after_space = true;
    let mut in_word = false;
    while let Some((unit, after)) = rest.split_first() {
        if out.is_full() {
            return;
        }
        if !in_word && let Some(len) = link_len(rest) {
            let (link, after) = rest.split_at(len);
            out.text("<a href=\"");
            link.iter().for_each(|unit| put_unit(out, *unit));
            out.text("\">");
            link.iter().for_each(|unit| put_unit(out, *unit));
            out.text("</a>");
            (rest, after_space, in_word) = (after, false, true);
            continue;
        }
        rest = after;
        in_word = u8::try_from(*unit).map_or(true, |byte| byte.is_ascii_alphanumeric());
        match *unit {
            CR | LF => {
                if *unit == CR && rest.first() == Some(&LF) {
                    rest = rest.get(1..).unwrap_or_default();
                }
                out.text("<br>\r\n");
                after_space = true;
            }
            SPACE if after_space => out.text("&nbsp;"),
            SPACE => {
                out.unit(SPACE);
                after_space = true;
            }
            TAB => {
                out.text("&nbsp;&nbsp;&nbsp; ");
                after_space = true;
            }
            unit => {
                put_unit(out, unit);
                after_space = false;
            }
        }
    }
}

/// A code unit of text with what HTML would take for markup escaped.
pub fn put_unit(out: &mut Out, unit: u16) {
    const QUOTE: u16 = b'"' as u16;
    const AND: u16 = b'&' as u16;
    const LESS: u16 = b'<' as u16;
    const MORE: u16 = b'>' as u16;
    match unit {
        QUOTE => out.text("&quot;"),
        AND => out.text("&amp;"),
        LESS => out.text("&lt;"),
        MORE => out.text("&gt;"),
        // As a reference it can be read again; most control characters HTML cannot say at all.
        0..0x20 if ![TAB, CR, LF].contains(&unit) => out.text("&#65533;"),
        unit => out.unit(unit),
    }
}

/// Code units of the address that a text begins with.
fn link_len(text: &[u16]) -> Option<usize> {
    /// Units of the longest address.
    const LINK_MAX: usize = 2083;
    let starts = |scheme: &&&str| {
        text.len() > scheme.len()
            && (scheme.bytes().zip(text)).all(|(byte, unit)| {
                u8::try_from(*unit).is_ok_and(|c| c.eq_ignore_ascii_case(&byte))
            })
    };
    let scheme = SCHEMES.iter().find(starts)?;
    let ends = |unit: &u16| *unit <= SPACE || matches!(u8::try_from(*unit), Ok(b'<' | b'>' | b'"'));
    let text = text.get(..LINK_MAX).unwrap_or(text);
    let mut len = text.iter().position(ends).unwrap_or(text.len());
    // What ends a sentence is no part of the address in it.
    while let Some(last) = len.checked_sub(1).and_then(|at| text.get(at))
        && u8::try_from(*last).is_ok_and(|byte| b".,;:!?)]}'".contains(&byte))
    {
        len -= 1;
    }
    (len > scheme.len()).then_some(len)
}
