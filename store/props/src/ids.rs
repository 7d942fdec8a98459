//! Identifiers inside one mailbox (MS-OXCDATA 2.2.1, MS-OXCFXICS 3.1.5.3).

use std::fmt;

/// A global counter value: 48 bits, unique within a mailbox's replica, never reused.
///
/// Folders, messages and changes all draw from the same counter (MS-OXCFXICS 2.2.2.5). The store
/// knows nothing else of an identifier; a REPLID is put in front of it on the wire.
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
#[rkyv(derive(PartialEq, Eq, Debug))]
pub struct GlobCnt(pub u64);

impl GlobCnt {
    /// The largest 48-bit value.
    pub const MAX: Self = Self((1 << 48) - 1);

    /// The six wire bytes, most significant first (MS-OXCDATA 2.2.1.3).
    pub const fn to_bytes(self) -> [u8; 6] {
        let [_, _, a, b, c, d, e, f] = self.0.to_be_bytes();
        [a, b, c, d, e, f]
    }

    /// Reads the six wire bytes.
    pub const fn from_bytes([a, b, c, d, e, f]: [u8; 6]) -> Self {
        Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }
}

impl fmt::Debug for GlobCnt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GlobCnt({:#x})", self.0)
    }
}
