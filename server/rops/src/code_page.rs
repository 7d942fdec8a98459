//! String8 in and out: the code page of a message or a logon, at the edge only.
//!
//! The store keeps UTF-16; PtypString8 exists on the wire alone (MS-OXCDATA 2.11.1.2).

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use ropewalk_props::{Utf16Text, text::decode_utf16le};

/// A Windows code page identifier, resolved to something that can convert.
#[derive(Clone, Copy, Debug)]
pub struct CodePage {
    encoding: &'static Encoding,
}

/// CP_UTF8, which the `codepage` table leaves out.
const UTF_8_ID: u32 = 65001;

impl CodePage {
    /// The code page with this identifier; Windows-1252 stands in for one that cannot be converted,
    /// as it does on the client.
    pub fn new(id: u32) -> Self {
        let encoding = if id == UTF_8_ID {
            UTF_8
        } else {
            u16::try_from(id)
                .ok()
                .and_then(codepage::to_encoding)
                .unwrap_or(WINDOWS_1252)
        };
        Self { encoding }
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
            let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
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

    /// Bytes in this code page to UTF-8.
    pub fn decode(self, bytes: &[u8]) -> String {
        self.encoding.decode_without_bom_handling(bytes).0.into_owned()
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
        assert_eq!(CodePage::new(65001).from_utf16(text.as_bytes()), "Zoë €1 Ж!".as_bytes());
        assert_eq!(CodePage::new(0).decode(b"\xE9"), "é");
    }
}
