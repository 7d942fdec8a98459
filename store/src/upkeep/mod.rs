//! Looking after a store: what is in it, whether it is whole, copies of it, and bringing one back.
//!
//! All of this works on the files of the log, which are the truth; the index is derived from them.

mod against;
pub(crate) mod backup;
mod closed;
mod copy;
mod error;
mod files;
mod findings;
mod frames;
mod manifest;
mod moment;
mod reach;
pub(crate) mod restore;
mod share;
mod stats;
pub(crate) mod verify;
mod walk;

pub use backup::{BackupInfo, BackupList, BackupReport, list_backups};
pub use error::UpkeepError;
pub use restore::{RestorePoint, RestoreReport, restore};
pub use stats::{Counts, FileStats, StoreStats, stats};
pub use verify::{Affected, Damage, DamageKind, IndexState, VerifyReport, verify};

/// What long work calls now and then to tell how far it has come.
pub type OnProgress<'a> = dyn FnMut(crate::Progress) + 'a;

/// A moment as people read it.
fn utc(time: ropewalk_props::FileTime) -> String {
    let seconds = time.to_unix_seconds();
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years (146,097 days).
    let day = days + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = match month {
        0..10 => (era * 400 + year_of_era, month + 3),
        _ => (era * 400 + year_of_era + 1, month - 9),
    };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use ropewalk_props::FileTime;

    #[test]
    fn moments_are_printed_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (-11_644_473_600, "1601-01-01T00:00:00Z"),
        ] {
            assert_eq!(super::utc(FileTime::from_unix_seconds(seconds)), text);
        }
    }
}
