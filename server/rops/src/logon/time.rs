//! The LogonTime structure (MS-OXCROPS 2.2.3.1.2).

use ropewalk_props::FileTime;
use ropewalk_wire::rop::LogonTime;

/// A point in time, in UTC, as a LogonTime has it; DayOfWeek counts from Sunday, 0.
pub fn logon_time(time: FileTime) -> LogonTime {
    const SECONDS_PER_DAY: i64 = 86_400;
    /// 1970-01-01 was a Thursday.
    const EPOCH_DAY_OF_WEEK: i64 = 4;
    let seconds = time.to_unix_seconds();
    let (days, second) = (
        seconds.div_euclid(SECONDS_PER_DAY),
        seconds.rem_euclid(SECONDS_PER_DAY),
    );
    let (year, month, day) = civil(days);
    LogonTime {
        seconds: (second % 60) as u8,
        minutes: (second / 60 % 60) as u8,
        hour: (second / 3600) as u8,
        day_of_week: (days + EPOCH_DAY_OF_WEEK).rem_euclid(7) as u8,
        day: day as u8,
        month: month as u8,
        year: year as u16,
    }
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar. The years are taken
/// to begin in March, so that the leap day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_PER_ERA: i64 = 146_097; // 400 years
    const MARCH_OF_YEAR_0: i64 = 719_468; // days before 1970-01-01
    let days = days + MARCH_OF_YEAR_0;
    let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leap_days_and_year_ends() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(19_722), (2023, 12, 31));
        assert_eq!(civil(-1), (1969, 12, 31));
        // 2024-02-29 13:14:15 UTC, a Thursday.
        let time = logon_time(FileTime::from_unix_seconds(1_709_212_455));
        assert_eq!(
            (time.year, time.month, time.day, time.day_of_week),
            (2024, 2, 29, 4)
        );
        assert_eq!((time.hour, time.minutes, time.seconds), (13, 14, 15));
    }
}
