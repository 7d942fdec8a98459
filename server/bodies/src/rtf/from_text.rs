//! Plain text to RTF that says so (MS-OXRTFEX 2.1.3.2).

use ropewalk_props::text::units;

use crate::{Converted, out::Out};

/// What the documents made here have in common behind what they were made from.
pub const TABLES: &str = "\\fbidi \\deff0{\\fonttbl\r\n{\\f0\\fswiss\\fcharset0 Arial;}\r\n\
{\\f1\\fmodern\\fcharset0 Courier New;}\r\n{\\f2\\fnil\\fcharset2 Symbol;}}\r\n\
{\\colortbl\\red0\\green0\\blue0;\\red0\\green0\\blue255;}\r\n\
\\uc1\\pard\\plain\\deftab360 \\f0\\fs20 ";

/// Plain text, as UTF-16LE, to RTF of at most `max` bytes. Line ends of every kind become the one
/// that RTF has, which is read back as CRLF.
pub fn text_to_rtf(text: &[u8], max: usize) -> Converted {
    let mut out = Out::new(max, text.len() / 2 + text.len() / 8 + 512);
    out.bytes(b"{\\rtf1\\ansi\\ansicpg1252\\fromtext ");
    out.bytes(TABLES.as_bytes());
    let mut units = units(text).peekable();
    while let Some(unit) = units.next() {
        if out.is_full() {
            break;
        }
        match u8::try_from(unit) {
            Ok(b'\r') => {
                let _ = units.next_if_eq(&u16::from(b'\n'));
                out.bytes(b"\\par\r\n");
            }
            Ok(b'\n') => out.bytes(b"\\par\r\n"),
            _ => put_unit(&mut out, unit),
        }
    }
    out.bytes(b"}");
    out.finish()
}

/// A code unit of text.
pub fn put_unit(out: &mut Out, unit: u16) {
    match u8::try_from(unit) {
        Ok(byte @ (b'{' | b'}' | b'\\')) => out.bytes(&[b'\\', byte]),
        Ok(b'\t') => out.bytes(b"\\tab "),
        Ok(byte @ 0x20..0x7F) => out.bytes(&[byte]),
        Ok(byte @ (0..0x20 | 0x7F)) => put_byte(out, byte),
        _ => {
            // Numbers above 32767 are written as negative ones (MSFT-RTF, "Unicode RTF").
            let mut text = [0; 10];
            out.bytes(number(&mut text, unit.cast_signed()));
        }
    }
}

/// A byte as two hexadecimal digits.
pub fn put_byte(out: &mut Out, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    out.bytes(&[b'\\', b'\'', digit(byte >> 4), digit(byte & 0xF)]);
}

/// `\uN?`.
fn number(text: &mut [u8; 10], unit: i16) -> &[u8] {
    let mut at = text.len();
    let mut put = |byte: u8| {
        at -= 1;
        if let Some(place) = text.get_mut(at) {
            *place = byte;
        }
    };
    put(b'?');
    let mut rest = unit.unsigned_abs();
    loop {
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if unit < 0 {
        put(b'-');
    }
    put(b'u');
    put(b'\\');
    text.get(at..).unwrap_or_default()
}
