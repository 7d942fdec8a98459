//! Remote operations (MS-OXCROPS).

/// Which remote operation (MS-OXCROPS 2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RopId(pub u8);
impl std::fmt::Display for RopId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RopId 0x{:02X}", self.0)
    }
}
