//! String8 in and out: the code page of a message or a logon, at the edge only.
//!
//! The store keeps UTF-16; PtypString8 exists on the wire alone (MS-OXCDATA 2.11.1.2).

use std::borrow::Cow;

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, ISO_8859_2, ISO_8859_3,
    ISO_8859_4, ISO_8859_5, ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_8_I, ISO_8859_13,
    ISO_8859_15, KOI8_R, KOI8_U, MACINTOSH, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1250,
    WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254, WINDOWS_1255, WINDOWS_1256,
    WINDOWS_1257, WINDOWS_1258, X_MAC_CYRILLIC,
};
use ropewalk_props::{Utf16Text, text::decode_utf16le};

/// A Windows code page identifier, resolved to something that can convert.
#[derive(Clone, Copy, Debug)]
pub struct CodePage {
    id: u16,
    encoding: &'static Encoding,
}

/// The code pages that can be converted, by identifier.
const KNOWN: [(u16, &Encoding); 39] = [
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
    (20866, KOI8_R),
    (20932, EUC_JP),
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
    (51949, EUC_KR),
    (54936, GB18030),
    (65001, UTF_8),
];

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

    /// UTF-16LE bytes to this code page; what it cannot say becomes `?`.
    pub fn from_utf16(self, utf16: &[u8]) -> Vec<u8> {
        let text = decode_utf16le(utf16);
        if self.encoding == UTF_8 {
            return text.into_bytes();
        }
        let mut out = Vec::with_capacity(text.len());
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
                encoding_rs::EncoderResult::Unmappable(_) => out.push(b'?'),
                encoding_rs::EncoderResult::InputEmpty => return out,
                encoding_rs::EncoderResult::OutputFull => {}
            }
        }
    }

    /// Bytes in this code page to text.
    pub fn to_utf16(self, bytes: &[u8]) -> Utf16Text {
        let (text, _) = self.encoding.decode_without_bom_handling(bytes);
        Utf16Text::from(text.as_ref())
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
}
