//! Dates and times of iCalendar, as seconds and days since 1601-01-01.

use ropewalk_props::FileTime;

pub const DAY: i64 = 86_400;

/// A date, or a date with a time, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Seconds since 1601 by the clock that it is given in.
    pub seconds: i64,
    /// That clock is UTC's.
    pub utc: bool,
    /// A date without a time.
    pub date_only: bool,
}

/// Reads `20261124`, `20261124T0900`, `20261124T090000Z`, and the same with `-` and `:`.
pub fn stamp(text: &str) -> Option<Stamp> {
    let text: String = text.trim().chars().filter(|c| !"-:".contains(*c)).collect();
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text.as_str(), None),
    };
    let days = date_days(date)?;
    let Some(time) = time else {
        return Some(Stamp {
            seconds: days * DAY,
            utc: false,
            date_only: true,
        });
    };
    let digits = time.trim_end_matches(['Z', 'z']);
    let part = |at: usize| -> Option<i64> {
        match digits.get(at..at + 2) {
            Some(two) => two.parse().ok(),
            None => Some(0),
        }
    };
    let (hour, minute, second) = (part(0)?, part(2)?, part(4)?);
    let plausible = hour < 24 && minute < 60 && second <= 60 && hour.min(minute).min(second) >= 0;
    plausible.then_some(Stamp {
        seconds: days * DAY + hour * 3600 + minute * 60 + second.min(59),
        utc: digits.len() < time.len(),
        date_only: false,
    })
}

fn date_days(date: &str) -> Option<i64> {
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let plausible = (1601..=4500).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    plausible.then(|| days(year, month, day))
}

/// Days since 1601-01-01 of a date of the Gregorian calendar.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 584_694
}

/// Year, month and day of a day since 1601-01-01.
pub fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 584_694;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let year = year + era * 400;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
}

/// Sunday is 0. 1601-01-01 was a Monday.
pub fn weekday(days: i64) -> i64 {
    (days + 1).rem_euclid(7)
}

pub fn days_in_month(year: i64, month: i64) -> i64 {
    let (next_year, next) = if month == 12 {
        (year + 1, 1)
    } else {
        (year, month + 1)
    };
    days(next_year, next, 1) - days(year, month, 1)
}

/// Seconds of a duration as `-PT15M`, `P1DT2H` or `P2W`.
pub fn duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut seconds: i64 = 0;
    let mut number: i64 = 0;
    for c in text.strip_prefix(['P', 'p'])?.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
            continue;
        }
        let unit = match c.to_ascii_uppercase() {
            'W' => 7 * DAY,
            'D' => DAY,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            'T' => 0,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    // Ten years are more than any event or alarm has.
    (seconds <= 3660 * DAY).then_some(sign * seconds)
}

/// The FILETIME of seconds since 1601.
pub fn file_time(seconds: i64) -> FileTime {
    FileTime(
        u64::try_from(seconds)
            .unwrap_or(0)
            .saturating_mul(10_000_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        assert_eq!(days(1601, 1, 1), 0);
        assert_eq!(days(1970, 1, 1), 134_774);
        for day in (0..400_000).step_by(17) {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(weekday(days(2026, 11, 25)), 3);
        assert_eq!(days_in_month(2024, 2), 29);
        assert_eq!(days_in_month(2100, 2), 28);
    }

    #[test]
    fn stamps_and_durations_are_read() {
        let nine = days(2026, 11, 24) * DAY + 9 * 3600;
        for (text, seconds, utc, date_only) in [
            ("20261124T090000Z", nine, true, false),
            ("20261124T090000", nine, false, false),
            ("2026-11-24T09:00:00", nine, false, false),
            ("20261124T0900", nine, false, false),
            ("20261124", nine - 9 * 3600, false, true),
        ] {
            let expected = Stamp {
                seconds,
                utc,
                date_only,
            };
            assert_eq!(stamp(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "2026",
            "20261324",
            "20260230",
            "20261124T99",
            "T",
            "99999999",
            "2026é124",
            "20261124Té0",
        ] {
            assert_eq!(stamp(text), None, "{text}");
        }
        for (text, seconds) in [
            ("-PT15M", Some(-900)),
            ("P1DT2H", Some(DAY + 7200)),
            ("P2W", Some(14 * DAY)),
            ("+PT0S", Some(0)),
            ("15M", None),
            ("P99999999999999999999D", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }
}
