//! PtypString values: UTF-16LE code units, exactly as they came.

use std::fmt;

/// A PtypString value as UTF-16LE bytes without its terminator.
///
/// Kept in wire order so that sending it is a copy, and so that unpaired surrogates, which a
/// client may send, come back as they were given. Never holds a NUL unit: the wire form ends there.
#[derive(Clone, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct Utf16Text(Vec<u8>);

impl Utf16Text {
    /// Takes UTF-16LE bytes; stops at the first NUL unit, drops an odd last byte.
    pub fn from_le_bytes(bytes: &[u8]) -> Self {
        Self(until_nul(bytes).to_vec())
    }

    /// The UTF-16LE bytes, without a terminator.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives up the UTF-16LE bytes, without a terminator.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// UTF-16LE bytes up to the first NUL unit, without an odd last byte.
pub fn until_nul(bytes: &[u8]) -> &[u8] {
    let (units, _) = bytes.as_chunks::<2>();
    let is_nul = |unit: &[u8; 2]| *unit == [0, 0];
    // Some at a time without a branch for each: bodies are long, and hold none.
    let has_none = |some: &&[u8; 64]| {
        let (units, _) = some.as_chunks::<2>();
        !units.iter().fold(false, |found, unit| found | is_nul(unit))
    };
    let (blocks, _) = bytes.as_chunks::<64>();
    let clean = 32 * blocks.iter().take_while(has_none).count();
    let rest = units.get(clean..).unwrap_or_default();
    let end = rest.iter().position(is_nul).unwrap_or(rest.len());
    bytes.get(..(clean + end) * 2).unwrap_or_default()
}

/// Decodes UTF-16LE bytes; unpaired surrogates become U+FFFD.
pub fn decode_utf16le(bytes: &[u8]) -> String {
    char::decode_utf16(units(bytes))
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// The characters of UTF-16LE bytes, to compare them: each unpaired surrogate becomes a private
/// character of its own (U+10F000 to U+10F7FF), so that texts that differ in one are not equal.
pub fn comparable(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    const STAND_INS: u32 = 0x0010_F000;
    const SURROGATES: u32 = 0xD800;
    char::decode_utf16(units(bytes)).map(|unit| {
        unit.unwrap_or_else(|lone| {
            let nth = u32::from(lone.unpaired_surrogate()).saturating_sub(SURROGATES);
            char::from_u32(STAND_INS + nth).unwrap_or(char::REPLACEMENT_CHARACTER)
        })
    })
}

/// The code units of UTF-16LE bytes; an odd last byte is ignored.
pub fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|unit| match *unit {
        [low, high] => u16::from_le_bytes([low, high]),
        _ => 0,
    })
}

impl From<&str> for Utf16Text {
    fn from(text: &str) -> Self {
        Self(
            text.encode_utf16()
                .take_while(|unit| *unit != 0)
                .flat_map(u16::to_le_bytes)
                .collect(),
        )
    }
}

impl From<String> for Utf16Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl fmt::Display for Utf16Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decode_utf16le(&self.0))
    }
}

impl fmt::Debug for Utf16Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", decode_utf16le(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_in_an_unpaired_surrogate_are_not_equal() {
        let of = |units: &[u16]| -> String {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            comparable(&bytes).collect()
        };
        assert_eq!(of(&[0x41, 0xD83D, 0xDEA2]), "A\u{1F6A2}");
        assert_eq!(of(&[0xD800]), "\u{10F000}");
        assert_eq!(of(&[0xDFFF, 0x41]), "\u{10F7FF}A");
        assert_ne!(of(&[0xD800]), of(&[0xD801]));
        assert_ne!(of(&[0xD800]), of(&[0xFFFD]));
    }
}
