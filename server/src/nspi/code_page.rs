//! The code pages that 8-bit strings can be asked in (MS-OXNSPI 2.2.1.4 and 3.1.4.3.2).

use encoding_rs::{self as encodings, EncoderResult, Encoding};
use ropewalk_props::{Utf16Text, text::decode_utf16le};
use ropewalk_wire::ErrorCode;

/// CP_WINUNICODE: strings that are not 8-bit.
pub const CP_WINUNICODE: u32 = 1200;
/// CP_TELETEX, which every server converts.
const CP_TELETEX: u32 = 20261;
/// CP_ACP: the system's own, which is Windows-1252 here.
const CP_ACP: u32 = 0;
const CP_US_ASCII: u32 = 20127;

/// A code page for 8-bit strings.
#[derive(Clone, Copy, Debug)]
pub enum CodePage {
    /// The characters that Teletex (ITU-T T.61) and ASCII share; others become `?`.
    Ascii,
    /// What encoding_rs converts; characters that it lacks become `?`.
    Encoding(&'static Encoding),
}

impl CodePage {
    /// The code page with this identifier. InvalidCodepage for CP_WINUNICODE, which is no 8-bit one,
    /// and for one that cannot be converted.
    pub fn new(id: u32) -> Result<Self, ErrorCode> {
        Ok(Self::Encoding(match id {
            CP_TELETEX | CP_US_ASCII => return Ok(Self::Ascii),
            CP_ACP | 1252 | 28591 => encodings::WINDOWS_1252,
            866 => encodings::IBM866,
            874 => encodings::WINDOWS_874,
            932 => encodings::SHIFT_JIS,
            936 => encodings::GBK,
            949 => encodings::EUC_KR,
            950 => encodings::BIG5,
            1250 => encodings::WINDOWS_1250,
            1251 => encodings::WINDOWS_1251,
            1253 => encodings::WINDOWS_1253,
            1254 | 28599 => encodings::WINDOWS_1254,
            1255 => encodings::WINDOWS_1255,
            1256 => encodings::WINDOWS_1256,
            1257 => encodings::WINDOWS_1257,
            1258 => encodings::WINDOWS_1258,
            10000 => encodings::MACINTOSH,
            20866 => encodings::KOI8_R,
            21866 => encodings::KOI8_U,
            28592 => encodings::ISO_8859_2,
            28593 => encodings::ISO_8859_3,
            28594 => encodings::ISO_8859_4,
            28595 => encodings::ISO_8859_5,
            28596 => encodings::ISO_8859_6,
            28597 => encodings::ISO_8859_7,
            28598 => encodings::ISO_8859_8,
            28603 => encodings::ISO_8859_13,
            28605 => encodings::ISO_8859_15,
            20932 | 51932 => encodings::EUC_JP,
            51949 => encodings::EUC_KR,
            54936 => encodings::GB18030,
            65001 => encodings::UTF_8,
            _ => return Err(ErrorCode::INVALID_CODEPAGE),
        }))
    }

    /// Text in this code page.
    pub fn encode(self, text: &Utf16Text) -> Vec<u8> {
        let text = decode_utf16le(text.as_bytes());
        match self {
            Self::Ascii => text
                .chars()
                .map(|c| if c.is_ascii() { c as u8 } else { b'?' })
                .collect(),
            Self::Encoding(encoding) => encode(encoding, &text),
        }
    }

    /// Bytes in this code page as text.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Ascii => bytes
                .iter()
                .map(|byte| match byte.is_ascii() {
                    true => char::from(*byte),
                    false => char::REPLACEMENT_CHARACTER,
                })
                .collect(),
            Self::Encoding(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }
}

fn encode(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = encoding.new_encoder();
    let mut rest = text;
    loop {
        let most = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
        out.reserve(most.unwrap_or(rest.len()));
        let (result, read) =
            encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            EncoderResult::InputEmpty => return out,
            EncoderResult::Unmappable(_) => out.push(b'?'),
            // More room is reserved in the next round.
            EncoderResult::OutputFull => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(id: u32, text: &str) -> Vec<u8> {
        CodePage::new(id).unwrap().encode(&text.into())
    }

    #[test]
    fn text_is_converted_and_what_a_code_page_lacks_is_marked() {
        assert_eq!(encoded(1252, "Zoë Ж!"), b"Zo\xEB ?!");
        assert_eq!(encoded(1251, "Ж"), b"\xC6");
        assert_eq!(encoded(932, "日本"), b"\x93\xFA\x96\x7B");
        assert_eq!(encoded(65001, "Ж"), "Ж".as_bytes());
        assert_eq!(encoded(20261, "Zoë"), b"Zo?");
        assert_eq!(encoded(0, ""), b"");
        assert_eq!(CodePage::new(1252).unwrap().decode(b"Zo\xEB"), "Zoë");
        assert_eq!(CodePage::new(20261).unwrap().decode(b"a\xEB"), "a\u{FFFD}");
    }

    #[test]
    fn unicode_and_unknown_code_pages_are_refused() {
        for id in [CP_WINUNICODE, 1201, 4092, u32::MAX] {
            assert_eq!(
                CodePage::new(id).map(|_| ()),
                Err(ErrorCode::INVALID_CODEPAGE)
            );
        }
    }
}
