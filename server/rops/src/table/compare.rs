//! How property values compare: for restrictions (MS-OXCDATA 2.12) and sort orders (2.13).

use std::cmp::Ordering;

use ropewalk_props::{PropType, ValueRef, text::comparable};

/// Compares two values of one type; `None` if they cannot be compared.
///
/// Strings compare without regard to case, as tables do (MS-OXCTABL 3.2.5.3).
pub fn compare(left: ValueRef<'_>, right: ValueRef<'_>) -> Option<Ordering> {
    if left.ty != right.ty {
        return None;
    }
    Some(match left.ty {
        PropType::STRING => folded(left.data).cmp(folded(right.data)),
        PropType::STRING8 => left
            .data
            .to_ascii_lowercase()
            .cmp(&right.data.to_ascii_lowercase()),
        PropType::BINARY | PropType::SERVER_ID | PropType::OBJECT | PropType::GUID => {
            left.data.cmp(right.data)
        }
        PropType::BOOLEAN => left.as_bool()?.cmp(&right.as_bool()?),
        PropType::TIME => left.as_time()?.cmp(&right.as_time()?),
        PropType::FLOATING32 | PropType::FLOATING64 | PropType::FLOATING_TIME => {
            float(left)?.total_cmp(&float(right)?)
        }
        PropType::NULL => Ordering::Equal,
        _ => integer(left)?.cmp(&integer(right)?),
    })
}

/// The characters of UTF-16LE text, lower case; unpaired surrogates as [`comparable`] has them.
pub fn folded(utf16: &[u8]) -> impl Iterator<Item = char> + '_ {
    comparable(utf16).flat_map(char::to_lowercase)
}

fn integer(value: ValueRef<'_>) -> Option<i64> {
    Some(match value.ty {
        PropType::INTEGER16 => i64::from(value.as_i16()?),
        PropType::INTEGER32 => i64::from(value.as_i32()?),
        PropType::ERROR_CODE => i64::from(value.as_error_code()?),
        PropType::INTEGER64 | PropType::CURRENCY => i64::from_le_bytes(value.data.try_into().ok()?),
        _ => return None,
    })
}

fn float(value: ValueRef<'_>) -> Option<f64> {
    match value.data.len() {
        4 => Some(f64::from(f32::from_le_bytes(value.data.try_into().ok()?))),
        _ => Some(f64::from_le_bytes(value.data.try_into().ok()?)),
    }
}

/// A value prepared for sorting many rows: compared without looking at the message again.
#[derive(Clone, Debug, PartialEq)]
pub enum SortKey {
    /// The row lacks the property; such rows come first in ascending order.
    Missing,
    /// Integers, booleans and times.
    Integer(i64),
    /// Floating-point numbers.
    Float(f64),
    /// Text, folded.
    Text(Box<str>),
    /// Bytes.
    Bytes(Box<[u8]>),
}

impl SortKey {
    /// The key of a value.
    pub fn of(value: ValueRef<'_>) -> Self {
        match value.ty {
            PropType::STRING => Self::Text(folded_text(value.data)),
            PropType::BOOLEAN => Self::Integer(i64::from(value.as_bool() == Some(true))),
            PropType::TIME => {
                let ticks = value.as_time().map_or(0, |time| time.0);
                Self::Integer(i64::try_from(ticks).unwrap_or(i64::MAX))
            }
            PropType::FLOATING32 | PropType::FLOATING64 | PropType::FLOATING_TIME => {
                float(value).map_or(Self::Missing, Self::Float)
            }
            _ => match integer(value) {
                Some(number) => Self::Integer(number),
                None => Self::Bytes(value.data.into()),
            },
        }
    }

    /// Bytes that it takes besides its own size.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Missing | Self::Integer(_) | Self::Float(_) => 0,
        }
    }

    /// Ascending order.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// Its first bytes, which are in the order of the keys where they differ.
    pub fn begin(&self) -> u64 {
        const RANK_BITS: u32 = 3;
        let first = match self {
            Self::Missing => 0,
            Self::Integer(number) => number.cast_unsigned() ^ (1 << 63),
            Self::Float(number) => {
                let bits = number.to_bits();
                // The order of `total_cmp`.
                bits ^ (((bits.cast_signed() >> 63).cast_unsigned()) | (1 << 63))
            }
            Self::Text(text) => first_bytes(text.as_bytes()),
            Self::Bytes(bytes) => first_bytes(bytes),
        };
        (u64::from(self.rank()) << (64 - RANK_BITS)) | (first >> RANK_BITS)
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Missing => 0,
            Self::Integer(_) => 1,
            Self::Float(_) => 2,
            Self::Text(_) => 3,
            Self::Bytes(_) => 4,
        }
    }
}

fn first_bytes(bytes: &[u8]) -> u64 {
    if let Some(first) = bytes.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(first)
}

/// The characters of [`folded`].
fn folded_text(utf16: &[u8]) -> Box<str> {
    let (units, _) = utf16.as_chunks::<2>();
    if utf16.len().is_multiple_of(2) && units.iter().all(|[low, high]| *high == 0 && low.is_ascii())
    {
        // Most text, in a few instructions for each letter.
        let mut text = String::with_capacity(units.len());
        text.extend(
            units
                .iter()
                .map(|[low, _]| char::from(low.to_ascii_lowercase())),
        );
        return text.into();
    }
    folded(utf16).collect()
}

/// How text is matched by a content restriction (MS-OXCDATA 2.12.4).
#[derive(Clone, Copy, Debug)]
pub struct Fuzzy {
    /// FuzzyLevelLow.
    pub low: u16,
    /// FuzzyLevelHigh.
    pub high: u16,
}

const FULL_STRING: u16 = 0x0000;
const SUBSTRING: u16 = 0x0001;
const PREFIX: u16 = 0x0002;
const IGNORE_CASE: u16 = 0x0001;
const IGNORE_NON_SPACE: u16 = 0x0002;
const LOOSE: u16 = 0x0004;

impl Fuzzy {
    /// True if `value` matches `wanted`; both packed values of one type.
    pub fn matches(self, value: ValueRef<'_>, wanted: ValueRef<'_>) -> bool {
        if value.ty != wanted.ty {
            return false;
        }
        match value.ty {
            PropType::STRING => {
                let prepare = |data| self.prepare(comparable(data).collect());
                let (value, wanted) = (prepare(value.data), prepare(wanted.data));
                match self.low {
                    // In time that does not grow with the product of both lengths.
                    SUBSTRING => value.contains(&wanted),
                    _ => self.found(value.as_bytes(), wanted.as_bytes()),
                }
            }
            PropType::STRING8 => {
                let prepare = |data: &[u8]| {
                    if self.ignores_case() {
                        data.to_ascii_lowercase()
                    } else {
                        data.to_vec()
                    }
                };
                self.found(&prepare(value.data), &prepare(wanted.data))
            }
            PropType::BINARY => self.found(value.data, wanted.data),
            _ => compare(value, wanted) == Some(Ordering::Equal),
        }
    }

    /// True for levels that the specification knows.
    pub fn is_known(self) -> bool {
        self.low <= PREFIX && self.high & !(IGNORE_CASE | IGNORE_NON_SPACE | LOOSE) == 0
    }

    fn ignores_case(self) -> bool {
        self.high & (IGNORE_CASE | LOOSE) != 0
    }

    fn prepare(self, text: String) -> String {
        let text = if self.ignores_case() {
            text.to_lowercase()
        } else {
            text
        };
        if self.high & (IGNORE_NON_SPACE | LOOSE) == 0 {
            return text;
        }
        use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
        text.nfd().filter(|c| !is_combining_mark(*c)).collect()
    }

    fn found(self, value: &[u8], wanted: &[u8]) -> bool {
        match self.low {
            FULL_STRING => value == wanted,
            SUBSTRING => {
                wanted.is_empty() || value.windows(wanted.len()).any(|window| window == wanted)
            }
            PREFIX => value.starts_with(wanted),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ropewalk_props::Utf16Text;

    fn text(bytes: &Utf16Text) -> ValueRef<'_> {
        ValueRef {
            ty: PropType::STRING,
            data: bytes.as_bytes(),
        }
    }

    #[test]
    fn fuzzy_levels() {
        let value = Utf16Text::from("Résumé of Zoë");
        let cases = [
            ("résumé of zoë", 0, 1, true),
            ("résumé of zoë", 0, 0, false),
            ("of", 1, 0, true),
            ("OF", 1, 0, false),
            ("resume", 2, 1 | 2, true),
            ("resume", 2, 1, false),
            ("ZOE", 1, 4, true),
            ("Zoë", 2, 0, false),
            ("", 1, 0, true),
        ];
        for (wanted, low, high, matches) in cases {
            let wanted_text = Utf16Text::from(wanted);
            let found = Fuzzy { low, high }.matches(text(&value), text(&wanted_text));
            assert_eq!(found, matches, "{wanted} {low} {high}");
        }
    }

    #[test]
    fn text_is_folded_alike_whatever_letters_it_has() {
        for sample in [
            "",
            "RE: Lunch at 12",
            "Zo\u{cb}",
            "\u{c4}B",
            "\u{130}x",
            "\0A",
        ] {
            let utf16 = Utf16Text::from(sample);
            let expected: String = folded(utf16.as_bytes()).collect();
            assert_eq!(*folded_text(utf16.as_bytes()), *expected, "{sample:?}");
        }
        let cut = [0x41, 0, 0x42];
        let expected: String = folded(&cut).collect();
        assert_eq!(*folded_text(&cut), *expected);
    }

    #[test]
    fn strings_compare_without_case_and_types_must_agree() {
        let (a, b) = (Utf16Text::from("abc"), Utf16Text::from("ABD"));
        assert_eq!(compare(text(&a), text(&b)), Some(Ordering::Less));
        let number = ValueRef {
            ty: PropType::INTEGER32,
            data: &[1, 0, 0, 0],
        };
        assert_eq!(compare(text(&a), number), None);
        assert_eq!(SortKey::Missing.order(&SortKey::of(number)), Ordering::Less);
    }

    #[test]
    fn unpaired_surrogates_are_not_alike() {
        let lone = |unit: u16| {
            let mut utf16 = Utf16Text::from("Ab").into_bytes();
            utf16.extend(unit.to_le_bytes());
            Utf16Text::from_le_bytes(&utf16)
        };
        let (one, other) = (lone(0xD800), lone(0xD801));
        assert_eq!(compare(text(&one), text(&one)), Some(Ordering::Equal));
        assert_eq!(compare(text(&one), text(&other)), Some(Ordering::Less));
        let keys = [&one, &other].map(|lone| SortKey::of(text(lone)));
        assert_eq!(keys[0].order(&keys[1]), Ordering::Less);
        for high in [0, 1, 4] {
            let fuzzy = Fuzzy { low: 0, high };
            assert!(fuzzy.matches(text(&one), text(&one)), "{high}");
            assert!(!fuzzy.matches(text(&one), text(&other)), "{high}");
        }
        // Half of a pair is not in it.
        let ship = Utf16Text::from("🚢");
        let half = Utf16Text::from_le_bytes(&ship.as_bytes()[..2]);
        assert!(!Fuzzy { low: 1, high: 0 }.matches(text(&ship), text(&half)));
    }
}
