//! String8 in and out: the code page of a message or a logon, at the edge only.
//!
//! The store keeps UTF-16; PtypString8 exists on the wire alone (MS-OXCDATA 2.11.1.2).
//!
//! The tables are those of encoding_rs, which knows the encodings of the Web. Where a Windows code page
//! differs in what one byte says, or has private characters of its own, [`Narrow`], [`PRIVATE`] and
//! [`end_user_defined`] mend it. What is left: Big5 and EUC-KR have none of the private characters of
//! 950 and 949, and a character that a code page lacks becomes `?` and never one that looks like it.

use std::borrow::Cow;

use encoding_rs::{
    BIG5, DecoderResult, EUC_JP, EUC_KR, EncoderResult, Encoding, GB18030, GBK, IBM866,
    ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7,
    ISO_8859_8, ISO_8859_8_I, ISO_8859_13, ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS,
    UTF_8, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC,
};
use ropewalk_props::{Utf16Text, text::decode_utf16le};

/// A Windows code page identifier, resolved to something that can convert.
#[derive(Clone, Copy, Debug)]
pub struct CodePage {
    id: u16,
    encoding: &'static Encoding,
}

/// The code pages that can be converted, by identifier.
const KNOWN: [(u16, &Encoding); 42] = [
    (866, IBM866),
    (874, WINDOWS_874),
    (932, SHIFT_JIS),
    (936, GBK),
    (949, EUC_KR),
    (950, BIG5),
    (1250, WINDOWS_1250),
    (1251, WINDOWS_1251),
    (1252, WINDOWS_1252),
    (1253, WINDOWS_1253),
    (1254, WINDOWS_1254),
    (1255, WINDOWS_1255),
    (1256, WINDOWS_1256),
    (1257, WINDOWS_1257),
    (1258, WINDOWS_1258),
    (10000, MACINTOSH),
    (10007, X_MAC_CYRILLIC),
    (20127, WINDOWS_1252),
    (20866, KOI8_R),
    (20932, EUC_JP),
    (20936, GBK),
    (21866, KOI8_U),
    (28591, WINDOWS_1252),
    (28592, ISO_8859_2),
    (28593, ISO_8859_3),
    (28594, ISO_8859_4),
    (28595, ISO_8859_5),
    (28596, ISO_8859_6),
    (28597, ISO_8859_7),
    (28598, ISO_8859_8),
    (28599, WINDOWS_1254),
    (28603, ISO_8859_13),
    (28605, ISO_8859_15),
    (38598, ISO_8859_8_I),
    (50220, ISO_2022_JP),
    (50221, ISO_2022_JP),
    (50222, ISO_2022_JP),
    (51932, EUC_JP),
    (51936, GBK),
    (51949, EUC_KR),
    (54936, GB18030),
    (65001, UTF_8),
];

/// Whether an identifier stands for no code page of 8 bits in particular: CP_ACP, the system's own, which
/// is Windows-1252 here, and CP_WINUNICODE, with which clients say that they send Unicode alone.
pub fn names_none(id: u32) -> bool {
    const CP_ACP: u32 = 0;
    const CP_WINUNICODE: u32 = 1200;
    matches!(id, CP_ACP | CP_WINUNICODE)
}

impl CodePage {
    /// The code page with this identifier; Windows-1252 stands in for one that cannot be converted.
    pub fn new(id: u32) -> Self {
        const WESTERN: u16 = 1252;
        Self::known(id).unwrap_or(Self {
            id: WESTERN,
            encoding: WINDOWS_1252,
        })
    }

    /// The code page with this identifier, if it can be converted.
    pub fn known(id: u32) -> Option<Self> {
        let id = u16::try_from(id).ok()?;
        let index = KNOWN.binary_search_by_key(&id, |(known, _)| *known).ok()?;
        let (id, encoding) = *KNOWN.get(index)?;
        Some(Self { id, encoding })
    }

    /// Its identifier.
    pub fn id(self) -> u16 {
        self.id
    }

    /// The name that HTML knows it by.
    pub fn name(self) -> &'static str {
        self.encoding.name()
    }

    /// HTML as UTF-16LE bytes to this code page; what it cannot say becomes a character reference.
    pub fn html_from_utf16(self, utf16: &[u8]) -> Vec<u8> {
        let text = decode_utf16le(utf16);
        if self.encoding == UTF_8 {
            return text.into_bytes();
        }
        self.encoding.encode(&text).0.into_owned()
    }

    /// UTF-16LE bytes to this code page. Each code unit that it cannot say becomes `?`, an unpaired
    /// surrogate too; in UTF-8 and GB 18030, which can say all characters, that is U+FFFD.
    pub fn from_utf16(self, utf16: &[u8]) -> Vec<u8> {
        if let Some(ascii) = ascii(utf16).filter(|_| self.encoding.is_ascii_compatible()) {
            return ascii;
        }
        let text = decode_utf16le(utf16);
        if self.encoding == UTF_8 {
            return text.into_bytes();
        }
        let mut out = Vec::with_capacity(text.len());
        if let Some(narrow) = Narrow::of(self.id) {
            for c in text.chars() {
                match narrow.byte(c) {
                    Some(byte) => out.push(byte),
                    None => put_marks(&mut out, c),
                }
            }
            return out;
        }
        let mut encoder = self.encoding.new_encoder();
        let mut rest = text.as_str();
        loop {
            let needed = encoder
                .max_buffer_length_from_utf8_without_replacement(rest.len())
                .unwrap_or(rest.len().saturating_mul(4));
            out.reserve(needed);
            let (result, read) =
                encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
            rest = rest.get(read..).unwrap_or_default();
            match result {
                EncoderResult::Unmappable(c) => self.put_private(&mut out, c),
                EncoderResult::InputEmpty => return out,
                EncoderResult::OutputFull => {}
            }
        }
    }

    /// Appends a character that encoding_rs does not know in this code page.
    fn put_private(self, out: &mut Vec<u8>, c: char) {
        if let Some(byte) = private_byte(self.id, c) {
            out.push(byte);
        } else if let Some(bytes) = end_user_defined(self.id, c) {
            out.extend_from_slice(&bytes);
        } else {
            put_marks(out, c);
        }
    }

    /// Bytes in this code page to text; what says nothing in it becomes U+FFFD.
    pub fn to_utf16(self, bytes: &[u8]) -> Utf16Text {
        if let Some(narrow) = Narrow::of(self.id) {
            let text: String = bytes.iter().map(|byte| narrow.char(*byte)).collect();
            return Utf16Text::from(text);
        }
        if PRIVATE.iter().all(|(id, ..)| *id != self.id) {
            return self.html_to_utf16(bytes);
        }
        let mut text = String::with_capacity(bytes.len());
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut done = 0_usize;
        loop {
            let rest = bytes.get(done..).unwrap_or_default();
            let needed = decoder
                .max_utf8_buffer_length_without_replacement(rest.len())
                .unwrap_or(rest.len().saturating_mul(4));
            text.reserve(needed);
            let (result, read) =
                decoder.decode_to_string_without_replacement(rest, &mut text, true);
            done = done.saturating_add(read);
            match result {
                DecoderResult::InputEmpty => return Utf16Text::from(text),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(len, behind) => {
                    let end = done.saturating_sub(behind.into());
                    let start = end.saturating_sub(len.into());
                    let private = match bytes.get(start..end) {
                        Some([byte]) => private_char(self.id, *byte),
                        _ => None,
                    };
                    text.push(private.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
            }
        }
    }

    /// Bytes of HTML in this code page to text, as the Web has it: ISO-8859-1 there is Windows-1252.
    pub fn html_to_utf16(self, bytes: &[u8]) -> Utf16Text {
        Utf16Text::from(self.decode_cow(bytes).as_ref())
    }

    /// Bytes in this code page to UTF-8; nothing is copied that is UTF-8 already.
    pub fn decode_cow(self, bytes: &[u8]) -> Cow<'_, str> {
        self.encoding.decode_without_bom_handling(bytes).0
    }

    /// Bytes in this code page to UTF-8.
    pub fn decode(self, bytes: &[u8]) -> String {
        self.decode_cow(bytes).into_owned()
    }
}

/// Text that is all ASCII, in one byte each.
fn ascii(utf16: &[u8]) -> Option<Vec<u8>> {
    let (units, []) = utf16.as_chunks::<2>() else {
        return None;
    };
    let is_ascii = |[low, high]: &[u8; 2]| *high == 0 && low.is_ascii();
    (units.iter().all(is_ascii)).then(|| units.iter().map(|[low, _]| *low).collect())
}

/// A `?` for each code unit of a character that cannot be said: conversion goes unit by unit, which
/// keeps 255 of them 255 (MS-UCODEREF 3.1.5.1, MS-OXCDATA 2.8.2).
fn put_marks(out: &mut Vec<u8>, c: char) {
    out.extend(std::iter::repeat_n(b'?', c.len_utf16()));
}

/// The code pages of one byte for which the Web takes a larger one.
#[derive(Clone, Copy)]
enum Narrow {
    /// US-ASCII.
    Ascii,
    /// ISO-8859-1, with the C1 controls.
    Latin1,
    /// ISO-8859-9: six letters are Turkish instead of Icelandic.
    Latin5,
}

impl Narrow {
    const TURKISH: [(u8, char); 6] = [
        (0xD0, 'Ğ'),
        (0xDD, 'İ'),
        (0xDE, 'Ş'),
        (0xF0, 'ğ'),
        (0xFD, 'ı'),
        (0xFE, 'ş'),
    ];

    fn of(id: u16) -> Option<Self> {
        match id {
            20127 => Some(Self::Ascii),
            28591 => Some(Self::Latin1),
            28599 => Some(Self::Latin5),
            _ => None,
        }
    }

    fn byte(self, c: char) -> Option<u8> {
        let latin1 = u8::try_from(c).ok();
        match self {
            Self::Ascii => latin1.filter(u8::is_ascii),
            Self::Latin1 => latin1,
            Self::Latin5 => match Self::TURKISH.iter().find(|(_, turkish)| *turkish == c) {
                Some((byte, _)) => Some(*byte),
                None => latin1.filter(|byte| Self::TURKISH.iter().all(|(known, _)| known != byte)),
            },
        }
    }

    fn char(self, byte: u8) -> char {
        match self {
            Self::Ascii if !byte.is_ascii() => char::REPLACEMENT_CHARACTER,
            Self::Ascii | Self::Latin1 => char::from(byte),
            Self::Latin5 => match Self::TURKISH.iter().find(|(known, _)| *known == byte) {
                Some((_, turkish)) => *turkish,
                None => char::from(byte),
            },
        }
    }
}

/// Bytes that Windows gives private characters, so that they come back: the code page, the first byte,
/// its character, how many there are (the best fit tables that MS-UCODEREF 2.2.2 is about).
const PRIVATE: [(u16, u8, u32, u8); 12] = [
    (874, 0xDB, 0xF8C1, 4),
    (874, 0xFC, 0xF8C5, 4),
    (932, 0xA0, 0xF8F0, 1),
    (932, 0xFD, 0xF8F1, 3),
    (1253, 0xAA, 0xF8F9, 1),
    (1253, 0xD2, 0xF8FA, 1),
    (1253, 0xFF, 0xF8FB, 1),
    (1255, 0xD9, 0xF88D, 7),
    (1255, 0xFB, 0xF894, 2),
    (1255, 0xFF, 0xF896, 1),
    (1257, 0xA1, 0xF8FC, 1),
    (1257, 0xA5, 0xF8FD, 1),
];

fn private_char(id: u16, byte: u8) -> Option<char> {
    PRIVATE.iter().find_map(|(page, first, c, count)| {
        let nth = byte.checked_sub(*first).filter(|nth| nth < count)?;
        char::from_u32(c.checked_add(nth.into())?).filter(|_| *page == id)
    })
}

fn private_byte(id: u16, c: char) -> Option<u8> {
    PRIVATE.iter().find_map(|(page, first, start, count)| {
        let nth = u8::try_from(u32::from(c).checked_sub(*start)?).ok()?;
        let is_its = nth < *count && *page == id;
        first.checked_add(nth).filter(|_| is_its)
    })
}

/// The characters that users of Shift-JIS define themselves: U+E000 on are 0xF040 on. encoding_rs
/// decodes them, and does not encode them.
fn end_user_defined(id: u16, c: char) -> Option<[u8; 2]> {
    const TRAILS: u32 = 188;
    const LEADS: u32 = 10;
    let nth = u32::from(c).checked_sub(0xE000)?;
    if id != 932 || nth >= LEADS * TRAILS {
        return None;
    }
    let (lead, trail) = (0xF0 + nth / TRAILS, nth % TRAILS);
    // 0x7F is no trail byte.
    let trail = trail + if trail < 0x3F { 0x40 } else { 0x41 };
    Some([u8::try_from(lead).ok()?, u8::try_from(trail).ok()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_both_ways_and_marks_what_cannot_be_said() {
        let western = CodePage::new(1252);
        let text = Utf16Text::from("Zoë €1 Ж!");
        assert_eq!(western.from_utf16(text.as_bytes()), b"Zo\xEB \x801 ?!");
        assert_eq!(western.to_utf16(b"Zo\xEB").to_string(), "Zoë");
        assert_eq!(CodePage::new(932).decode(b"\x93\xFA\x96\x7B"), "日本");
        assert_eq!(
            CodePage::new(65001).from_utf16(text.as_bytes()),
            "Zoë €1 Ж!".as_bytes()
        );
        assert_eq!(CodePage::new(0).decode(b"\xE9"), "é");
        assert!(KNOWN.is_sorted_by_key(|(id, _)| *id));
    }

    /// What a Windows client sends comes back, byte for byte.
    #[test]
    fn every_byte_of_a_code_page_of_one_byte_comes_back() {
        let all: Vec<u8> = (1..=255).collect();
        for id in [
            866, 874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 10000, 20866, 21866,
            28591, 28592, 28594, 28595, 28599, 28603, 28605,
        ] {
            let page = CodePage::known(id).unwrap();
            let text = page.to_utf16(&all);
            assert_eq!(text.as_bytes().len(), 2 * all.len(), "{id}");
            assert_eq!(page.from_utf16(text.as_bytes()), all, "{id}");
        }
    }

    #[test]
    fn iso_pages_are_not_the_larger_ones_of_the_web() {
        let utf16 = |text: &str| Utf16Text::from(text).into_bytes();
        let (ascii, latin1, latin5) = (
            CodePage::new(20127),
            CodePage::new(28591),
            CodePage::new(28599),
        );
        assert_eq!(latin1.from_utf16(&utf16("ë € \u{80}")), b"\xEB ? \x80");
        assert_eq!(latin1.to_utf16(b"\x80\xEB").to_string(), "\u{80}ë");
        assert_eq!(
            latin5.from_utf16(&utf16("ğ Ğ ë ð €")),
            b"\xF0 \xD0 \xEB ? ?"
        );
        assert_eq!(latin5.to_utf16(b"\xFE\x80").to_string(), "ş\u{80}");
        assert_eq!(ascii.from_utf16(&utf16("Zoë")), b"Zo?");
        assert_eq!(ascii.to_utf16(b"Zo\xEB").to_string(), "Zo\u{FFFD}");
        // In HTML they are.
        assert_eq!(latin1.html_to_utf16(b"\x80").to_string(), "€");
        assert_eq!(latin1.html_from_utf16(&utf16("€Ж")), b"\x80&#1046;");
    }

    #[test]
    fn marks_are_one_for_each_code_unit_and_stand_in_ascii() {
        let utf16 = |text: &str| Utf16Text::from(text).into_bytes();
        assert_eq!(CodePage::new(1252).from_utf16(&utf16("a🚢b")), b"a??b");
        assert_eq!(
            CodePage::new(50220).from_utf16(&utf16("日🚢本")),
            b"\x1B$BF|\x1B(B??\x1B$BK\\\x1B(B"
        );
        let lone = [0x41, 0, 0x00, 0xD8, 0x42, 0];
        assert_eq!(CodePage::new(1252).from_utf16(&lone), b"A?B");
        assert_eq!(CodePage::new(932).from_utf16(&lone), b"A?B");
        assert_eq!(
            CodePage::new(65001).from_utf16(&lone),
            "A\u{FFFD}B".as_bytes()
        );
        assert_eq!(
            CodePage::new(54936).from_utf16(&lone),
            b"A\x84\x31\xA4\x37B"
        );
    }

    #[test]
    fn shift_jis_keeps_what_users_define_and_single_bytes_that_say_nothing() {
        let page = CodePage::new(932);
        let bytes = b"a\xF0\x40\xF0\x7E\xF0\x80\xF0\xFC\xF1\x40\xF9\xFC\xA0\xFD\xFE\xFFz";
        let text = page.to_utf16(bytes);
        assert_eq!(
            text.to_string(),
            "a\u{E000}\u{E03E}\u{E03F}\u{E0BB}\u{E0BC}\u{E757}\u{F8F0}\u{F8F1}\u{F8F2}\u{F8F3}z"
        );
        assert_eq!(page.from_utf16(text.as_bytes()), bytes);
        assert_eq!(
            page.from_utf16(Utf16Text::from("\u{E758}").as_bytes()),
            b"?"
        );
        // A lead byte without its trail byte, and with one that is none.
        assert_eq!(page.to_utf16(b"a\x81").to_string(), "a\u{FFFD}");
        assert_eq!(page.to_utf16(b"\x81\xFFb").to_string(), "\u{FFFD}b");
    }

    /// Apart from characters that stand for others, which is what encoding_rs adds to the tables.
    #[test]
    fn what_is_said_in_two_bytes_means_what_was_said() {
        type IsStandIn = fn(char) -> bool;
        let stand_ins: [(u32, IsStandIn); 4] = [
            (932, |c| ['\u{A5}', '\u{203E}', '\u{2212}'].contains(&c)),
            // They have characters of their own since GB 18030-2022.
            (936, |c| ('\u{E78D}'..='\u{E864}').contains(&c)),
            (949, |_| false),
            (950, |_| false),
        ];
        for (id, is_stand_in) in stand_ins {
            let page = CodePage::known(id).unwrap();
            let all = ('\u{1}'..='\u{D7FF}').chain('\u{E000}'..='\u{FFFD}');
            let mut said = 0;
            for c in all.filter(|c| *c != '?' && !is_stand_in(*c)) {
                let text = Utf16Text::from(c.to_string());
                let bytes = page.from_utf16(text.as_bytes());
                if bytes != b"?" {
                    said += 1;
                    assert_eq!(page.to_utf16(&bytes), text, "{id} {bytes:02x?}");
                }
            }
            assert!(said > 9000, "{id} {said}");
        }
    }
}
