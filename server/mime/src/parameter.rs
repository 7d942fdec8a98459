//! Parameters that are encoded or cut into pieces (RFC 2231 3 and 4). mail-parser reads them too, but
//! decodes the charset of the first piece only, and prefers what comes first to what is encoded.

use std::collections::BTreeMap;

use crate::{charset, encoded_word, transfer};

/// Pieces of one parameter.
const PIECES_MAX: u32 = 256;

/// The value of a parameter that comes as `name*`, or as `name*0`, `name*1*` and so on; `None` if it
/// does not.
pub fn extended(field: Option<String>, name: &str) -> Option<String> {
    let field = field?;
    if !field.to_ascii_lowercase().contains(&format!("{name}*")) {
        return None;
    }
    let mut whole = None;
    let mut pieces: BTreeMap<u32, (&str, bool)> = BTreeMap::new();
    for parameter in Parameters(&field) {
        let Some((key, value)) = parameter.split_once('=') else {
            continue;
        };
        let key = key.trim();
        let (key, encoded) = match key.strip_suffix('*') {
            Some(key) => (key, true),
            None => (key, false),
        };
        let Some((its_name, number)) = key.rsplit_once('*') else {
            if encoded && key.eq_ignore_ascii_case(name) {
                whole.get_or_insert(value.trim());
            }
            continue;
        };
        if its_name.eq_ignore_ascii_case(name)
            && let Ok(number @ 0..PIECES_MAX) = number.parse()
        {
            pieces.entry(number).or_insert((value.trim(), encoded));
        }
    }
    if let Some(value) = whole.filter(|_| pieces.is_empty()) {
        pieces.insert(0, (value, true));
    }
    let mut bytes = Vec::new();
    let mut label = None;
    let mut any_encoded = false;
    for ((number, (value, encoded)), expected) in pieces.into_iter().zip(0..) {
        if number != expected {
            break;
        }
        let mut value = value.trim_matches('"');
        any_encoded |= encoded;
        if number == 0
            && encoded
            && let [charset, _language, rest] = value.splitn(3, '\'').collect::<Vec<_>>()[..]
        {
            label = Some(charset.to_owned());
            value = rest;
        }
        match encoded {
            true => bytes.extend(transfer::percent(value)),
            false => bytes.extend_from_slice(value.replace("\\\"", "\"").as_bytes()),
        }
    }
    let text = charset::decode(&bytes, label.as_deref());
    let text = match any_encoded {
        true => text,
        // Not allowed, but written.
        false => encoded_word::decode(&text),
    };
    (!text.is_empty()).then_some(text)
}

/// What stands between the semicolons that are not in quotes.
struct Parameters<'a>(&'a str);

impl<'a> Iterator for Parameters<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let mut quoted = false;
        let end = self.0.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            !quoted && *c == ';'
        });
        let (parameter, rest) = match end {
            Some((at, _)) => (self.0.get(..at)?, self.0.get(at + 1..)?),
            None => (self.0, ""),
        };
        self.0 = rest;
        Some(parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_values_and_pieces_are_decoded() {
        for (field, name) in [
            ("x; filename*1=b.txt; filename*0=a", Some("ab.txt")),
            (
                "x; FILENAME*0*=koi8-r'ru'%F2%D5; filename*1*=%D3%D8; filename*2=\"; x.txt\"",
                Some("Русь; x.txt"),
            ),
            ("x; filename*0*=utf-8''%E2%82; filename*1*=%AC", Some("€")),
            ("x; filename*0=a; filename*2=c", Some("a")),
            ("x; filename*1=b; note=filename*0", None),
            ("x; filename=a", None),
            ("x; filename=a; filename*=utf-8''%C3%A9", Some("é")),
            ("x; filename*=utf-8''a; filename*0=b", Some("b")),
            ("x; filename*=cp932''%93%FA", Some("日")),
            (
                "x; filename*0=\"=?utf-8?Q?=C3=89?=\"; filename*1=.txt",
                Some("É.txt"),
            ),
        ] {
            let found = extended(Some(field.to_owned()), "filename");
            assert_eq!(found.as_deref(), name, "{field}");
        }
    }
}
