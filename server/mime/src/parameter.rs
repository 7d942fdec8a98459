//! Parameters that are cut into pieces (RFC 2231 3 and 4.1). mail-parser joins them too, but decodes
//! the charset of the first piece only.

use std::collections::BTreeMap;

use crate::{charset, transfer};

/// Pieces of one parameter.
const PIECES_MAX: u32 = 256;

/// The value of a parameter that comes as `name*0`, `name*1*` and so on; `None` if it does not.
pub fn continued(field: Option<String>, name: &str) -> Option<String> {
    let field = field?;
    let first = format!("{name}*0");
    if !field.to_ascii_lowercase().contains(&first) {
        return None;
    }
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
            continue;
        };
        if its_name.eq_ignore_ascii_case(name)
            && let Ok(number @ 0..PIECES_MAX) = number.parse()
        {
            pieces.entry(number).or_insert((value.trim(), encoded));
        }
    }
    let mut bytes = Vec::new();
    let mut label = None;
    for ((number, (value, encoded)), expected) in pieces.into_iter().zip(0..) {
        if number != expected {
            break;
        }
        let mut value = value.trim_matches('"');
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
    fn pieces_are_joined_in_order_and_decoded_together() {
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
        ] {
            let found = continued(Some(field.to_owned()), "filename");
            assert_eq!(found.as_deref(), name, "{field}");
        }
    }
}
