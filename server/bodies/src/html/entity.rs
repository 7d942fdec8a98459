//! Character references.

use std::sync::LazyLock;

use encoding_rs::WINDOWS_1252;

/// What a character reference stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// One character or two.
    Chars(char, Option<char>),
    /// Half of a surrogate pair, which is no character but may be half of one that a neighbour
    /// makes whole.
    Unit(u16),
}

/// The names of the HTML standard with what they stand for, sorted by name. Those with a semicolon
/// have it in the name; the others may go without.
static NAMES: LazyLock<Vec<(&'static str, Entity)>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (name, codes) = line.split_once('\t')?;
        let mut codes = codes
            .split(' ')
            .filter_map(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        Some((name, Entity::Chars(codes.next()?, codes.next())))
    };
    include_str!("entities.txt")
        .lines()
        .filter_map(line)
        .collect()
});

/// Bytes of the longest name that may go without a semicolon.
const BARE_MAX: usize = 6;
/// Bytes of the longest name.
const NAME_MAX: usize = 33;

/// The character reference at the beginning of a text, and its bytes; `None` if the ampersand there
/// is only an ampersand.
pub fn entity(text: &str) -> Option<(Entity, usize)> {
    let rest = text.strip_prefix('&')?;
    if let Some(digits) = rest.strip_prefix('#') {
        let (digits, radix, prefix) = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16, 3),
            None => (digits, 10, 2),
        };
        let end = digits
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(digits.len());
        let (number, after) = digits.split_at_checked(end)?;
        if number.is_empty() {
            return None;
        }
        let semicolon = usize::from(after.starts_with(';'));
        let code = u32::from_str_radix(number, radix).unwrap_or(u32::MAX);
        return Some((numbered(code), prefix + end + semicolon));
    }
    let bytes = rest.as_bytes();
    let len = bytes
        .iter()
        .take(NAME_MAX)
        .position(|byte| !byte.is_ascii_alphanumeric())
        .unwrap_or(bytes.len().min(NAME_MAX));
    if bytes.get(len) == Some(&b';')
        && let Some(entity) = named(rest.get(..=len)?)
    {
        return Some((entity, len + 2));
    }
    (2..=len.min(BARE_MAX))
        .rev()
        .find_map(|len| Some((named(rest.get(..len)?)?, len + 1)))
}

fn named(name: &str) -> Option<Entity> {
    let at = NAMES.binary_search_by_key(&name, |(name, _)| name).ok()?;
    NAMES.get(at).map(|(_, entity)| *entity)
}

fn numbered(code: u32) -> Entity {
    let char = match code {
        // What was meant by those who thought of Windows-1252.
        0x80..=0x9F => {
            let byte = [code as u8];
            WINDOWS_1252
                .decode_without_bom_handling(&byte)
                .0
                .chars()
                .next()
        }
        0xD800..=0xDFFF => return Entity::Unit(code as u16),
        0 => None,
        code => char::from_u32(code),
    };
    Entity::Chars(char.unwrap_or(char::REPLACEMENT_CHARACTER), None)
}

/// Decodes the character references of a text.
pub fn decode(mut text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    while let Some(at) = text.find('&') {
        let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
        out.push_str(before);
        let len = match entity(rest) {
            Some((Entity::Chars(first, second), len)) => {
                out.push(first);
                out.extend(second);
                len
            }
            Some((Entity::Unit(_), len)) => {
                out.push(char::REPLACEMENT_CHARACTER);
                len
            }
            None => {
                out.push('&');
                1
            }
        };
        text = rest.get(len..).unwrap_or_default();
    }
    out.push_str(text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_every_kind() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(
            decode(
                "a&amp;b &lt;&gt; &copy &Auml;&auml; &#8364;&#x20AC;&#128; &hellip; &notit; & &x;"
            ),
            "a&b <> © Ää €€€ … ¬it; & &x;"
        );
        assert_eq!(
            decode("&#0;&#x110000;&#99999999999;"),
            "\u{FFFD}\u{FFFD}\u{FFFD}"
        );
        assert_eq!(decode("&#;&#x;&"), "&#;&#x;&");
        assert_eq!(entity("&#55357;"), Some((Entity::Unit(0xD83D), 8)));
        assert_eq!(decode("&NotEqualTilde;"), "\u{2242}\u{338}");
    }
}
