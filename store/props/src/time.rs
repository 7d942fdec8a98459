//! PtypTime: 100-nanosecond intervals since 1601-01-01 UTC (MS-DTYP 2.3.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time as PtypTime has it.
#[derive(
    Clone,
    Copy,
    Debug,
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
pub struct FileTime(pub u64);

/// Seconds between 1601-01-01 and 1970-01-01.
const UNIX_EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS_PER_SECOND: i64 = 10_000_000;

impl FileTime {
    /// From seconds since 1970; clamps to what a FILETIME can say.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        let ticks = seconds
            .saturating_add(UNIX_EPOCH_SECONDS)
            .saturating_mul(TICKS_PER_SECOND);
        Self(u64::try_from(ticks).unwrap_or(0))
    }

    /// Whole seconds since 1970, rounded down.
    pub fn to_unix_seconds(self) -> i64 {
        (self.0 / TICKS_PER_SECOND as u64) as i64 - UNIX_EPOCH_SECONDS
    }
}

impl From<SystemTime> for FileTime {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let ticks =
            since.as_nanos() / 100 + (UNIX_EPOCH_SECONDS as u128) * (TICKS_PER_SECOND as u128);
        Self(u64::try_from(ticks).unwrap_or(u64::MAX))
    }
}
