//! Charsets: their labels, their code page identifiers, and text out of bytes.

use encoding_rs::{EUC_KR, Encoding, GBK, REPLACEMENT, WINDOWS_1252};
use mail_parser::decoders::charsets::map::charset_decoder;

/// The code page identifier of UTF-8.
pub const UTF_8: u32 = 65001;

/// The encoding that a MIME charset label names.
pub fn encoding(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().trim_matches(['"', '\'']);
    Encoding::for_label_no_replacement(label.as_bytes()).or_else(|| {
        let lower = label.to_ascii_lowercase();
        let known = match lower.as_str() {
            "cp932" | "ms932" | "shift-jis" | "x-sjis-jp" => "shift_jis",
            "cp936" | "ms936" | "gb_2312" => "gbk",
            "cp949" | "ms949" | "uhc" => "euc-kr",
            "cp950" | "ms950" => "big5",
            "cp65001" => "utf-8",
            _ => return None,
        };
        Encoding::for_label(known.as_bytes())
    })
}

/// Decodes bytes in a labelled charset. An unknown or missing label means UTF-8 if the bytes are
/// that, and Windows-1252 otherwise.
pub fn decode(bytes: &[u8], label: Option<&str>) -> String {
    let label = label.map(|label| label.trim().trim_matches(['"', '\'']));
    let label = label.filter(|label| !is_ascii(label));
    if let Some(text) = label.and_then(|label| shifted(bytes, label)) {
        return text;
    }
    match label.map(|label| (encoding(label), other_decoder(label))) {
        Some((Some(encoding), _)) => encoding.decode(bytes).0.into_owned(),
        Some((None, Some(decode))) => decode(bytes),
        _ => match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{FEFF}').to_owned(),
            Err(_) => WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
                .into_owned(),
        },
    }
}

/// What mail-parser has beyond the encodings of the web, UTF-7 among them.
fn other_decoder(label: &str) -> Option<fn(&[u8]) -> String> {
    // It has the replacement too, of which nothing is left but U+FFFD.
    let replaced = Encoding::for_label(label.as_bytes()) == Some(REPLACEMENT);
    charset_decoder(label.as_bytes()).filter(|_| !replaced)
}

/// Text in the charsets that shift between ASCII and 7-bit double bytes: ISO-2022-KR (RFC 1557) and
/// HZ (RFC 1843). `None` for all other labels.
fn shifted(bytes: &[u8], label: &str) -> Option<String> {
    let is_any = |names: &[&str]| names.iter().any(|name| label.eq_ignore_ascii_case(name));
    let (encoding, hz) = if is_any(&["iso-2022-kr", "csiso2022kr"]) {
        (EUC_KR, false)
    } else if is_any(&["hz-gb-2312", "hz"]) {
        (GBK, true)
    } else {
        return None;
    };
    let mut out = Vec::with_capacity(bytes.len());
    let mut double = false;
    let mut rest = bytes;
    while let Some((byte, tail)) = rest.split_first() {
        let mut length = 1;
        match (byte, tail) {
            (0x0E, _) if !hz => double = true,
            (0x0F, _) if !hz => double = false,
            // The designator at the beginning of a text or a line.
            (0x1B, [b'$', b')', b'C', ..]) if !hz => length = 4,
            (b'~', [b'{', ..]) if hz => (double, length) = (true, 2),
            (b'~', [b'}', ..]) if hz => (double, length) = (false, 2),
            (b'~', [b'\n', ..]) if hz => length = 2,
            (b'~', [b'~', ..]) if hz && !double => {
                out.push(b'~');
                length = 2;
            }
            (b'\n', _) => {
                double = false;
                out.push(b'\n');
            }
            (0x21..=0x7E, _) if double => out.push(byte | 0x80),
            _ => out.push(*byte),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    Some(encoding.decode_without_bom_handling(&out).0.into_owned())
}

/// A label that promises ASCII; what is there is often something else.
pub fn is_ascii(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968"]
        .iter()
        .any(|name| label.eq_ignore_ascii_case(name))
}

/// The code page identifier of an encoding; `None` for those that have none that clients know.
pub fn code_page(encoding: &'static Encoding) -> Option<u32> {
    Some(match encoding.name() {
        "UTF-8" => UTF_8,
        "IBM866" => 866,
        "ISO-8859-2" => 28592,
        "ISO-8859-3" => 28593,
        "ISO-8859-4" => 28594,
        "ISO-8859-5" => 28595,
        "ISO-8859-6" => 28596,
        "ISO-8859-7" => 28597,
        "ISO-8859-8" => 28598,
        "ISO-8859-8-I" => 38598,
        "ISO-8859-13" => 28603,
        "ISO-8859-15" => 28605,
        "KOI8-R" => 20866,
        "KOI8-U" => 21866,
        "macintosh" => 10000,
        "windows-874" => 874,
        "windows-1250" => 1250,
        "windows-1251" => 1251,
        "windows-1252" => 1252,
        "windows-1253" => 1253,
        "windows-1254" => 1254,
        "windows-1255" => 1255,
        "windows-1256" => 1256,
        "windows-1257" => 1257,
        "windows-1258" => 1258,
        "x-mac-cyrillic" => 10007,
        "GBK" => 936,
        "gb18030" => 54936,
        "Big5" => 950,
        "EUC-JP" => 51932,
        "ISO-2022-JP" => 50220,
        "Shift_JIS" => 932,
        "EUC-KR" => 949,
        _ => return None,
    })
}

/// The code page identifier for a charset label, as PidTagInternetCodepage has it (MS-OXCMSG
/// 2.2.1.58.6). The label decides where one encoding goes by several of them.
pub fn code_page_of_label(label: &str) -> Option<u32> {
    let lower = label.trim().to_ascii_lowercase();
    match lower.as_str() {
        "us-ascii" | "ascii" => Some(20127),
        "iso-8859-1" | "latin1" => Some(28591),
        "iso-8859-9" => Some(28599),
        _ => encoding(&lower).and_then(code_page),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_decoded_and_have_code_pages() {
        for (label, bytes, text, id) in [
            ("KOI8-R", &b"\xF2\xD5\xD3\xD8"[..], "Русь", 20866),
            ("iso-2022-jp", b"\x1b$B8fMW\x1b(B", "御要", 50220),
            ("GB18030", b"\xC4\xE3\xBA\xC3", "你好", 54936),
            ("gb2312", b"\xC4\xE3\xBA\xC3", "你好", 936),
            ("Shift_JIS", b"\x93\xFA\x96\x7B", "日本", 932),
            ("windows-1255", b"\xF9\xEC\xE5\xED", "שלום", 1255),
            ("ks_c_5601-1987", b"\xBE\xC8", "안", 949),
            ("UTF-8", "😀".as_bytes(), "😀", 65001),
            ("ISO-8859-1", b"\xE9", "é", 28591),
            ("us-ascii", "é".as_bytes(), "é", 20127),
            ("us-ascii", b"\xE9", "é", 20127),
        ] {
            assert_eq!(decode(bytes, Some(label)), text, "{label}");
            assert_eq!(code_page_of_label(label), Some(id), "{label}");
        }
        for (label, bytes, text) in [
            (
                "ISO-2022-KR",
                &b"\x1b$)C\x0e>H3g\x0f ok\n~"[..],
                "안녕 ok\n~",
            ),
            ("hz-gb-2312", b"~{Dc:C~} ~~ a~\nb", "你好 ~ ab"),
            ("\"utf-8\"", "é".as_bytes(), "é"),
            // Nothing decodes it; its ASCII is there.
            ("iso-2022-cn", b"abc", "abc"),
        ] {
            assert_eq!(decode(bytes, Some(label)), text, "{label}");
        }
        assert_eq!(decode(b"+ZYeB9FH6ckh5Pg-", Some("utf-7")), "文致出版社");
        assert_eq!(code_page_of_label("utf-7"), None);
    }

    #[test]
    fn unknown_charsets_are_guessed() {
        assert_eq!(decode("naïve".as_bytes(), Some("x-unknown")), "naïve");
        assert_eq!(decode(b"na\xEFve", None), "naïve");
        assert_eq!(decode(b"na\xEFve", Some("")), "naïve");
    }
}
