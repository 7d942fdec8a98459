//! Encoded words (RFC 2047). mail-parser decodes each alone, in fewer charsets, and without the
//! leniency that bodies get; here they become UTF-8 before it sees them.

use std::fmt::Write as _;

use encoding_rs::Encoding;

use crate::{charset, header::split_field, transfer};

/// Bytes of a charset label.
const LABEL_BYTES_MAX: usize = 64;
/// Fields whose values are taken as they stand.
const IDENTIFIERS: [&str; 4] = ["message-id:", "references:", "in-reply-to:", "content-id:"];

/// An encoded word at the beginning of a text, and its length there.
struct Word<'a> {
    label: &'a str,
    bytes: Vec<u8>,
    length: usize,
}

/// Rewrites the encoded words of a header, whose lines end with LF, as words in UTF-8. Neighbours in
/// one charset become one word: senders cut them within characters, although RFC 2047 5 forbids it.
/// Takes linear time.
pub fn to_utf8(header: &str) -> String {
    let mut out = String::with_capacity(header.len());
    let mut rest = header;
    while !rest.is_empty() {
        let (field, others) = split_field(rest);
        rest = others;
        let as_it_stands = IDENTIFIERS.iter().any(|name| {
            let start = field.get(..name.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        let mut text = field;
        while !as_it_stands && let Some(at) = text.find("=?") {
            let (before, words) = text.split_at_checked(at).unwrap_or((text, ""));
            out.push_str(before);
            let length = rewrite(words, &mut out);
            text = words.get(length..).unwrap_or_default();
        }
        out.push_str(text);
    }
    out
}

/// Decodes the encoded words of any text.
pub fn decode(text: &str) -> String {
    let words = to_utf8(text);
    let mut out = String::with_capacity(words.len());
    let mut rest = words.as_str();
    while let Some(at) = rest.find("=?") {
        let (before, words) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let (decoded, length) = run(words).unwrap_or_else(|| ("=?".to_owned(), 2));
        out.push_str(&decoded);
        rest = words.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Rewrites the run of words that `text` begins with; the length of what it stands for.
fn rewrite(text: &str, out: &mut String) -> usize {
    let Some((decoded, length)) = run(text) else {
        out.push_str("=?");
        return 2;
    };
    if decoded.is_empty() {
        out.push_str(text.get(..length).unwrap_or_default());
        return length;
    }
    out.push_str("=?utf-8?Q?");
    for byte in decoded.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "={byte:02X}");
        }
    }
    out.push_str("?=");
    length
}

/// Decodes the words that `text` begins with, up to one in another charset; with their length.
fn run(text: &str) -> Option<(String, usize)> {
    let mut word = word(text)?;
    // ISO-2022-JP comes back to ASCII in each word, and the joint would be an error.
    if charset::encoding(word.label).is_some_and(Encoding::is_ascii_compatible) {
        while let Some((next, blanks)) = neighbour(text.get(word.length..).unwrap_or_default())
            && next.label.eq_ignore_ascii_case(word.label)
        {
            word.bytes.extend_from_slice(&next.bytes);
            word.length += blanks + next.length;
        }
    }
    Some((charset::decode(&word.bytes, Some(word.label)), word.length))
}

/// The word after blanks and folds, and how many there are of them.
fn neighbour(text: &str) -> Option<(Word<'_>, usize)> {
    let start = text.trim_start_matches([' ', '\t', '\n']);
    let blanks = text.len() - start.len();
    let word = (blanks > 0).then(|| word(start))??;
    Some((word, blanks))
}

/// `=?charset*language?encoding?text?=`.
fn word(text: &str) -> Option<Word<'_>> {
    let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (content, rest) = rest.split_once('?')?;
    let rest = rest.strip_prefix('=')?;
    let plain = |c: char| c.is_ascii_graphic() && c != '"';
    let fits = (1..=LABEL_BYTES_MAX).contains(&label.len()) && label.chars().all(plain);
    if !fits || content.contains(['\n', '"']) {
        return None;
    }
    // RFC 2231 5.
    let label = label.split('*').next().unwrap_or(label);
    let bytes = match encoding {
        "B" | "b" => transfer::base64(content.as_bytes()),
        "Q" | "q" => transfer::quoted_printable(content.replace('_', "=20").as_bytes()),
        _ => return None,
    };
    Some(Word {
        label,
        bytes,
        length: text.len() - rest.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_decoded_with_their_neighbours() {
        for (text, decoded) in [
            ("=?utf-8?B?w4k=?= =?UTF-8?b?w4k=?=", "ÉÉ"),
            // Cut within a character, in either encoding.
            ("=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
            ("=?utf-8?Q?=E2?=\n =?utf-8?Q?=82=AC?=", "€"),
            ("=?gb2312?B?xA==?= =?gb2312?Q?=E3?=", "你"),
            ("=?cp932?B?k/qWew==?=", "日本"),
            ("=?hz-gb-2312?Q?~{Dc:C~}?=", "你好"),
            (
                "=?ISO-2022-JP?B?GyRCJUYbKEI=?= =?ISO-2022-JP?B?GyRCJUYbKEI=?=",
                "テテ",
            ),
            // Without padding, with a language, with blanks.
            ("=?utf-8?b?w6k?=", "é"),
            ("=?iso-8859-1*fr?Q?=E9t=E9?=", "été"),
            ("=?utf-8?Q?a_?= =?utf-8?Q?b c?=", "a b c"),
            ("=?utf-8?Q?a?= =?iso-8859-1?Q?b?= c =?utf-8?Q?d?=", "ab c d"),
            // Right before or after something else, which is not allowed.
            ("=?utf-8?Q?=C3=89?=.txt a=?utf-8?Q?b?=", "É.txt ab"),
            // No words.
            ("=?utf-8?x?abc?= =?", "=?utf-8?x?abc?= =?"),
            ("a =? b", "a =? b"),
        ] {
            assert_eq!(decode(text), decoded, "{text}");
        }
    }

    #[test]
    fn identifiers_and_other_text_stand_as_they_are() {
        let header = "Message-ID: <=?utf-8?Q?a?=@x>\n =?utf-8?Q?b?=\nTo: a\n b\n\n";
        assert_eq!(to_utf8(header), header);
        let header = "X: =?utf-8?Q?=E2?=\nY: =?utf-8?Q?a?=\n";
        assert_eq!(
            to_utf8(header),
            "X: =?utf-8?Q?=EF=BF=BD?=\nY: =?utf-8?Q?a?=\n"
        );
    }
}
