//! The code pages that 8-bit strings can be asked in (MS-OXNSPI 2.2.1.4 and 3.1.4.3.2).

use ropewalk_props::Utf16Text;
use ropewalk_rops::code_page;
use ropewalk_wire::ErrorCode;

/// CP_WINUNICODE: strings that are not 8-bit.
pub const CP_WINUNICODE: u32 = 1200;

/// CP_TELETEX, which every server converts: here, the characters that it shares with ASCII.
pub const CP_TELETEX: u32 = 20261;

/// A code page for 8-bit strings.
#[derive(Clone, Copy, Debug)]
pub struct CodePage(code_page::CodePage);

impl CodePage {
    /// The code page with this identifier. InvalidCodepage for CP_WINUNICODE, which is no 8-bit one,
    /// and for one that cannot be converted.
    pub fn new(id: u32) -> Result<Self, ErrorCode> {
        const CP_US_ASCII: u32 = 20127;
        /// CP_ACP: the system's own, which is Windows-1252 here.
        const CP_ACP: u32 = 0;
        let id = match id {
            CP_TELETEX => CP_US_ASCII,
            CP_ACP => 1252,
            id => id,
        };
        let known = code_page::CodePage::known(id);
        known.map(Self).ok_or(ErrorCode::INVALID_CODEPAGE)
    }

    /// Text in this code page; what it cannot say becomes `?`.
    pub fn encode(self, text: &Utf16Text) -> Vec<u8> {
        self.0.from_utf16(text.as_bytes())
    }

    /// Bytes in this code page as text.
    pub fn decode(self, bytes: &[u8]) -> String {
        self.0.to_utf16(bytes).to_string()
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
