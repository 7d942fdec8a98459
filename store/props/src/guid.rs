//! GUIDs in their wire order (MS-DTYP 2.3.4).

use std::{fmt, str::FromStr};

/// A GUID, kept as the 16 bytes that go on the wire (first three fields little-endian).
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    rkyv::Archive,
    rkyv::Serialize,
    rkyv::Deserialize,
)]
pub struct Guid(pub [u8; 16]);

/// The text was not a GUID of the form `00000000-0000-0000-0000-000000000000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a GUID: 32 hexadecimal digits in groups of 8-4-4-4-12 are wanted")]
pub struct ParseGuidError;

impl Guid {
    /// All zeros.
    pub const NIL: Self = Self([0; 16]);

    /// Builds a GUID from the fields of its text form.
    pub const fn from_fields(a: u32, b: u16, c: u16, d: [u8; 8]) -> Self {
        let [a0, a1, a2, a3] = a.to_le_bytes();
        let [b0, b1] = b.to_le_bytes();
        let [c0, c1] = c.to_le_bytes();
        Self([
            a0, a1, a2, a3, b0, b1, c0, c1, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7],
        ])
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:02x}{:02x}-",
            u32::from_le_bytes([a0, a1, a2, a3]),
            u16::from_le_bytes([b0, b1]),
            u16::from_le_bytes([c0, c1]),
            d[0],
            d[1]
        )?;
        d[2..].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl FromStr for Guid {
    type Err = ParseGuidError;

    fn from_str(text: &str) -> Result<Self, ParseGuidError> {
        let groups: Vec<&str> = text.split('-').collect();
        let [a, b, c, d, e] = groups[..] else {
            return Err(ParseGuidError);
        };
        if [a.len(), b.len(), c.len(), d.len(), e.len()] != [8, 4, 4, 4, 12]
            || !text
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        {
            return Err(ParseGuidError);
        }
        let field = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| ParseGuidError);
        let (d, e) = (field(d)?, field(e)?);
        let tail = ((d << 48) | e).to_be_bytes();
        Ok(Self::from_fields(
            field(a)? as u32,
            field(b)? as u16,
            field(c)? as u16,
            tail,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_swaps_the_first_fields() {
        let guid: Guid = "00020329-0000-0000-c000-000000000046".parse().unwrap();
        assert_eq!(guid.0[..4], [0x29, 0x03, 0x02, 0x00]);
        assert_eq!(guid.0[8..], [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
        assert_eq!(guid.to_string(), "00020329-0000-0000-c000-000000000046");
        assert!(
            "00020329-0000-0000-c000-00000000004"
                .parse::<Guid>()
                .is_err()
        );
        assert!(
            "+0020329-0000-0000-c000-000000000046"
                .parse::<Guid>()
                .is_err()
        );
    }
}
