//! Identifiers in their wire forms (MS-OXCDATA 2.2.1).

use std::fmt;

use ropewalk_props::{GlobCnt, Guid};

use crate::{DecodeError, EncodeError, Put, Reader, codec::Wire};

macro_rules! short_term_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// On the wire a REPLID, little-endian, then the six bytes of a GLOBCNT, most significant
        /// first. The number inside is those eight bytes read as a little-endian u64, which is what
        /// a PtypInteger64 property such as PidTagFolderId or PidTagMid holds.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
        pub struct $name(u64);

        impl $name {
            /// From its parts.
            pub const fn new(replid: u16, globcnt: GlobCnt) -> Self {
                let [r0, r1] = replid.to_le_bytes();
                let [a, b, c, d, e, f] = globcnt.to_bytes();
                Self(u64::from_le_bytes([r0, r1, a, b, c, d, e, f]))
            }

            /// The REPLID.
            pub const fn replid(self) -> u16 {
                self.0 as u16
            }

            /// The counter value.
            pub const fn globcnt(self) -> GlobCnt {
                let [_, _, a, b, c, d, e, f] = self.0.to_le_bytes();
                GlobCnt::from_bytes([a, b, c, d, e, f])
            }

            /// From the number that the wire bytes make, little-endian.
            pub const fn from_u64(value: u64) -> Self {
                Self(value)
            }

            /// The number that the wire bytes make, little-endian.
            pub const fn to_u64(self) -> u64 {
                self.0
            }
        }

        impl From<u64> for $name {
            fn from(value: u64) -> Self {
                Self(value)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:#x}-{:#x})", stringify!($name), self.replid(), self.globcnt().0)
            }
        }

        impl<'a> Wire<'a> for $name {
            const FIXED_SIZE: Option<usize> = Some(8);
            fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
                input.u64().map(Self)
            }
            fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
                out.put_u64(self.0);
                Ok(())
            }
        }
    };
}

short_term_id! {
    /// A Folder ID (MS-OXCDATA 2.2.1.1).
    Fid
}
short_term_id! {
    /// A Message ID (MS-OXCDATA 2.2.1.2).
    Mid
}

/// A Folder ID or Message ID with its REPLGUID written out (MS-OXCDATA 2.2.1.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct LongTermId {
    /// The replica.
    pub replguid: Guid,
    /// The counter value.
    pub globcnt: GlobCnt,
}

impl LongTermId {
    /// Bytes on the wire: 16 of GUID, 6 of counter, 2 of padding.
    pub const LEN: usize = 24;

    /// The 22 bytes of the Global Identifier, which is what PidTagSourceKey and PidTagChangeKey
    /// hold (MS-OXCFXICS 2.2.2.1).
    pub fn to_gid(self) -> [u8; 22] {
        let mut gid = [0; 22];
        let (guid, counter) = gid.split_at_mut(16);
        guid.copy_from_slice(&self.replguid.0);
        counter.copy_from_slice(&self.globcnt.to_bytes());
        gid
    }

    /// From the 22 bytes of a Global Identifier; `None` for any other length.
    pub fn from_gid(gid: &[u8]) -> Option<Self> {
        let (guid, counter) = gid.split_first_chunk::<16>()?;
        Some(Self {
            replguid: Guid(*guid),
            globcnt: GlobCnt::from_bytes(counter.try_into().ok()?),
        })
    }
}

impl<'a> Wire<'a> for LongTermId {
    const FIXED_SIZE: Option<usize> = Some(Self::LEN);

    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let replguid = input.guid()?;
        let globcnt = GlobCnt::from_bytes(input.array()?);
        input.u16()?;
        Ok(Self { replguid, globcnt })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_bytes(&self.to_gid());
        out.put_u16(0);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counter_bytes_stand_most_significant_first() {
        let fid = Fid::new(1, GlobCnt(0x0102_0304_0506));
        assert_eq!(fid.to_u64().to_le_bytes(), [1, 0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(fid.replid(), 1);
        assert_eq!(fid.globcnt(), GlobCnt(0x0102_0304_0506));
        assert_eq!(Fid::from(u64::from(fid)), fid);
    }

    #[test]
    fn long_term_id_round_trips() {
        let id = LongTermId {
            replguid: Guid([7; 16]),
            globcnt: GlobCnt(9),
        };
        let mut out = Vec::new();
        id.encode(&mut out).unwrap();
        assert_eq!(out.len(), LongTermId::LEN);
        assert_eq!(LongTermId::decode(&mut Reader::new(&out)), Ok(id));
        assert_eq!(LongTermId::from_gid(&id.to_gid()), Some(id));
        assert_eq!(LongTermId::from_gid(&out), None);
    }
}
