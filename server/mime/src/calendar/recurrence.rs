//! Recurrence: from RRULE to PidLidAppointmentRecur (MS-OXOCAL 2.2.1.44).

use std::collections::BTreeSet;

use super::{
    event::{Event, local},
    time::{self, DAY, Stamp},
};
use crate::context::Context;

/// Days that are looked at for the end of a series; one that goes on after them has none.
const SCAN_DAYS_MAX: i64 = 40_000;
/// Occurrences that are counted.
const COUNT_MAX: u32 = 10_000;
/// The EndDate of a series without an end (MS-OXOCAL 2.2.1.44.1).
const NO_END: u32 = 0x5AE9_80DF;

/// Sunday is 0.
pub fn weekday(name: &str) -> Option<i64> {
    let names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
    let at = names
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name.trim()));
    at.map(|at| at as i64)
}

/// When it happens again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    /// Every so many days.
    Daily,
    /// On these weekdays, Sunday being bit 0.
    Weekly(u32),
    /// On this day of the month, or on its last.
    Monthly(i64),
    /// On the so-manieth of these weekdays in the month; 5 is the last.
    MonthlyNth(u32, i64),
}

/// When it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Never,
    Count(u32),
    /// At this time at the latest.
    Until(Stamp),
}

/// A recurrence that MS-OXOCAL can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    pattern: Pattern,
    yearly: bool,
    interval: u32,
    end: End,
    /// The last possible local day.
    until: i64,
    first_weekday: i64,
    /// Local days since 1601.
    start: i64,
    last: Option<i64>,
    count: u32,
    excluded: BTreeSet<i64>,
}

impl Recurrence {
    /// The recurrence of an event; `None` if it has none, or none that can be said.
    ///
    /// Looking for the end of a series uses up the days that a conversion may look at.
    pub fn of(event: &Event, context: &Context<'_>) -> Option<Self> {
        let start = event.local_start.div_euclid(DAY);
        let mut recurrence = parse(event.rule.as_deref()?, start)?;
        if let End::Until(until) = recurrence.end {
            // UNTIL is the start of the last occurrence, or a time after it.
            let last = local(until, event.zone.as_ref());
            let of_day = if until.date_only {
                0
            } else {
                event.local_start.rem_euclid(DAY)
            };
            recurrence.until = (last - of_day).div_euclid(DAY);
        }
        if context.days_left() <= 0 {
            return None;
        }
        context.take_days(recurrence.find_end());
        let excluded = event.excluded.iter().map(|seconds| seconds.div_euclid(DAY));
        let excluded: Vec<i64> = excluded.filter(|day| recurrence.falls_on(*day)).collect();
        recurrence.excluded.extend(excluded);
        Some(recurrence)
    }

    /// PidLidRecurrenceType (MS-OXOCAL 2.2.1.45).
    pub fn recurrence_type(&self) -> i32 {
        match (self.pattern, self.yearly) {
            (_, true) => 4,
            (Pattern::Daily, _) => 1,
            (Pattern::Weekly(_), _) => 2,
            _ => 3,
        }
    }

    /// The last day, if there is one.
    pub fn last_day(&self) -> Option<i64> {
        self.last
    }

    /// The AppointmentRecurrencePattern (MS-OXOCAL 2.2.1.44.5), without changed occurrences.
    pub fn blob(&self, event: &Event) -> Vec<u8> {
        let mut out = Vec::with_capacity(96);
        let (frequency, pattern_type) = match (self.pattern, self.yearly) {
            (Pattern::Daily, _) => (0x200A_u16, 0_u16),
            (Pattern::Weekly(_), _) => (0x200B, 1),
            (Pattern::Monthly(_), false) => (0x200C, 2),
            (Pattern::Monthly(_), true) => (0x200D, 2),
            (Pattern::MonthlyNth(..), false) => (0x200C, 3),
            (Pattern::MonthlyNth(..), true) => (0x200D, 3),
        };
        for field in [0x3004, 0x3004, frequency, pattern_type, 0] {
            out.extend_from_slice(&field.to_le_bytes());
        }
        let mut put = |field: u32| out.extend_from_slice(&field.to_le_bytes());
        put(self.first_date_time());
        put(match self.pattern {
            Pattern::Daily => self.interval.saturating_mul(1440),
            _ => self.interval,
        });
        put(0); // SlidingFlag
        match self.pattern {
            Pattern::Daily => {}
            Pattern::Weekly(days) => put(days),
            Pattern::Monthly(day) => put(day as u32),
            Pattern::MonthlyNth(days, week) => {
                put(days);
                put(week as u32);
            }
        }
        put(match self.end {
            End::Until(_) if self.last.is_some() => 0x2021,
            End::Count(_) if self.last.is_some() => 0x2022,
            _ => 0x2023,
        });
        put(if self.last.is_some() { self.count } else { 10 });
        put(self.first_weekday as u32);
        put(self.excluded.len() as u32);
        self.excluded.iter().for_each(|day| put(minutes(*day)));
        put(0); // ModifiedInstanceCount
        put(minutes(self.start));
        put(self.last.map_or(NO_END, minutes));
        let offset = event.local_start.rem_euclid(DAY) / 60;
        let length = (event.local_end - event.local_start) / 60;
        for field in [0x3006, 0x3009, offset as u32, (offset + length) as u32] {
            put(field);
        }
        out.extend_from_slice(&0_u16.to_le_bytes()); // ExceptionCount
        out.extend_from_slice(&[0; 8]); // ReservedBlock1Size, ReservedBlock2Size
        out
    }

    /// MS-OXOCAL 2.2.1.44.1, FirstDateTime.
    fn first_date_time(&self) -> u32 {
        let interval = i64::from(self.interval);
        match self.pattern {
            Pattern::Daily => minutes(self.start % interval),
            Pattern::Weekly(_) => {
                let week =
                    self.start - (time::weekday(self.start) - self.first_weekday).rem_euclid(7);
                minutes(week.rem_euclid(7 * interval))
            }
            _ => {
                let (year, month, _) = time::date(self.start);
                let months = ((year - 1601) * 12 + month - 1) % interval;
                minutes(time::days(1601 + months / 12, 1 + months % 12, 1))
            }
        }
    }

    /// True if an occurrence falls on a day, whatever the end.
    fn falls_on(&self, day: i64) -> bool {
        if day < self.start {
            return false;
        }
        let interval = i64::from(self.interval);
        let in_set = |days: u32, day: i64| days & 1 << time::weekday(day) != 0;
        let (year, month, of_month) = time::date(day);
        let (first_year, first_month, _) = time::date(self.start);
        let months = (year - first_year) * 12 + month - first_month;
        match self.pattern {
            Pattern::Daily => (day - self.start) % interval == 0,
            Pattern::Weekly(days) => {
                let week =
                    |day: i64| (day - (time::weekday(day) - self.first_weekday).rem_euclid(7)) / 7;
                in_set(days, day) && (week(day) - week(self.start)) % interval == 0
            }
            Pattern::Monthly(wanted) => {
                let wanted = wanted.min(time::days_in_month(year, month));
                months % interval == 0 && of_month == wanted
            }
            Pattern::MonthlyNth(days, week) => {
                if months % interval != 0 || !in_set(days, day) {
                    return false;
                }
                let first = day - of_month + 1;
                // Whole weeks have each weekday once; the days left over are looked at.
                let matching = |from: i64, to: i64| {
                    let weeks = (to - from) / 7;
                    let rest = (from + weeks * 7..to).filter(|day| in_set(days, *day));
                    weeks * i64::from(days.count_ones()) + rest.count() as i64
                };
                let before = matching(first, day);
                let after = matching(day + 1, first + time::days_in_month(year, month));
                if week == 5 {
                    after == 0
                } else {
                    before == week - 1
                }
            }
        }
    }

    /// Finds the last occurrence and their number; gives the number of days that it looked at.
    fn find_end(&mut self) -> i64 {
        let (count_max, until) = match self.end {
            End::Never => return 0,
            End::Count(count) => (count, i64::MAX),
            End::Until(_) => (COUNT_MAX, self.until),
        };
        let mut last = None;
        let mut count = 0;
        let mut day = self.start;
        while day <= until && count < count_max {
            if day - self.start > SCAN_DAYS_MAX || count == COUNT_MAX {
                self.end = End::Never;
                return day - self.start;
            }
            if self.falls_on(day) {
                last = Some(day);
                count += 1;
            }
            day += 1;
        }
        self.last = last;
        self.count = count;
        day - self.start
    }
}

/// Minutes since 1601 of the beginning of a day.
fn minutes(day: i64) -> u32 {
    u32::try_from(day.saturating_mul(1440)).unwrap_or(0)
}

/// Reads an RRULE; `None` for one that no pattern fits.
fn parse(rule: &str, start: i64) -> Option<Recurrence> {
    let (_, start_month, start_day) = time::date(start);
    let mut frequency = String::new();
    let mut recurrence = Recurrence {
        pattern: Pattern::Daily,
        yearly: false,
        interval: 1,
        end: End::Never,
        until: i64::MAX,
        first_weekday: 1,
        start,
        last: None,
        count: 0,
        excluded: BTreeSet::new(),
    };
    let mut days: Vec<(i64, i64)> = Vec::new();
    let mut month_day = None;
    let mut position = None;
    for part in rule.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=')?;
        let value = value.trim();
        match name.trim().to_ascii_uppercase().as_str() {
            "FREQ" => frequency = value.to_ascii_uppercase(),
            "INTERVAL" => {
                recurrence.interval = value.parse().ok().filter(|n| (1..=999).contains(n))?
            }
            "COUNT" => {
                recurrence.end =
                    End::Count(value.parse().ok().filter(|n| (1..=COUNT_MAX).contains(n))?)
            }
            "UNTIL" => {
                let until = time::stamp(value)?;
                recurrence.end = End::Until(until);
                recurrence.until = until.seconds.div_euclid(DAY);
            }
            "WKST" => recurrence.first_weekday = weekday(value)?,
            "BYDAY" => {
                for day in value.split(',').take(7) {
                    let day = day.trim();
                    let (week, name) = day.split_at_checked(day.len().checked_sub(2)?)?;
                    let week = if week.is_empty() {
                        0
                    } else {
                        week.parse().ok()?
                    };
                    days.push((week, weekday(name)?));
                }
            }
            "BYMONTHDAY" => month_day = Some(value.parse::<i64>().ok()?),
            "BYSETPOS" => position = Some(value.parse::<i64>().ok()?),
            // Only the month of the start can be said.
            "BYMONTH" if value.parse() == Ok(start_month) => {}
            _ => return None,
        }
    }
    let bits = days.iter().fold(0, |bits, (_, day)| bits | 1_u32 << day);
    let plain = days.iter().all(|(week, _)| *week == 0);
    recurrence.pattern = match (frequency.as_str(), &days[..], month_day, position) {
        ("DAILY", [], None, None) => Pattern::Daily,
        // Every weekday is a weekly pattern (MS-OXOCAL 2.2.1.44.1).
        ("DAILY", [_, ..], None, None) if plain && recurrence.interval == 1 => {
            Pattern::Weekly(bits)
        }
        ("WEEKLY", [], None, None) => Pattern::Weekly(1 << time::weekday(start)),
        ("WEEKLY", _, None, None) if plain => Pattern::Weekly(bits),
        ("MONTHLY" | "YEARLY", [], None, None) => Pattern::Monthly(start_day),
        ("MONTHLY" | "YEARLY", [], Some(-1), None) => Pattern::Monthly(31),
        ("MONTHLY" | "YEARLY", [], Some(day @ 1..=31), None) => Pattern::Monthly(day),
        ("MONTHLY" | "YEARLY", [(week, _)], None, None) if *week != 0 => {
            Pattern::MonthlyNth(bits, nth(*week)?)
        }
        ("MONTHLY" | "YEARLY", [_, ..], None, Some(week)) if plain => {
            Pattern::MonthlyNth(bits, nth(week)?)
        }
        _ => return None,
    };
    if frequency == "YEARLY" {
        recurrence.yearly = true;
        recurrence.interval = recurrence.interval.checked_mul(12)?;
    }
    Some(recurrence)
}

fn nth(week: i64) -> Option<i64> {
    match week {
        -1 => Some(5),
        1..=4 => Some(week),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rule: &str, start: i64) -> Option<Recurrence> {
        let mut recurrence = parse(rule, start)?;
        recurrence.find_end();
        Some(recurrence)
    }

    #[test]
    fn rules_become_patterns() {
        let start = time::days(2026, 11, 24); // a Tuesday
        for (rule, pattern, interval) in [
            ("FREQ=DAILY;INTERVAL=3", Pattern::Daily, 3),
            ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", Pattern::Weekly(0x3E), 1),
            ("FREQ=WEEKLY", Pattern::Weekly(4), 1),
            (
                "FREQ=WEEKLY;BYDAY=MO,FR;INTERVAL=2;WKST=SU",
                Pattern::Weekly(0x22),
                2,
            ),
            ("FREQ=MONTHLY", Pattern::Monthly(24), 1),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", Pattern::Monthly(31), 1),
            ("FREQ=MONTHLY;BYDAY=4TU", Pattern::MonthlyNth(4, 4), 1),
            (
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
                Pattern::MonthlyNth(0x3E, 5),
                1,
            ),
            ("FREQ=YEARLY", Pattern::Monthly(24), 12),
            (
                "FREQ=YEARLY;BYMONTH=11;BYDAY=4TU",
                Pattern::MonthlyNth(4, 4),
                12,
            ),
        ] {
            let recurrence = parse(rule, start).unwrap_or_else(|| panic!("{rule}"));
            assert_eq!(
                (recurrence.pattern, recurrence.interval),
                (pattern, interval),
                "{rule}"
            );
        }
        for rule in [
            "",
            "FREQ=HOURLY",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=YEARLY;BYMONTH=3",
            "FREQ=MONTHLY;BYMONTHDAY=1,15",
            "FREQ=WEEKLY;BYDAY=1MO",
            "FREQ=MONTHLY;BYDAY=é",
            "FREQ=DAILY;COUNT=-1",
        ] {
            assert_eq!(parse(rule, start), None, "{rule}");
        }
    }

    #[test]
    fn the_last_occurrence_and_their_number_are_found() {
        let start = time::days(2026, 11, 24);
        for (rule, last, count) in [
            ("FREQ=DAILY;COUNT=3", Some((2026, 11, 26)), 3),
            (
                "FREQ=WEEKLY;UNTIL=20261222T235959Z",
                Some((2026, 12, 22)),
                5,
            ),
            ("FREQ=WEEKLY;BYDAY=MO,TU;COUNT=3", Some((2026, 12, 1)), 3),
            ("FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4", Some((2027, 2, 28)), 4),
            ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", Some((2026, 12, 25)), 2),
            ("FREQ=YEARLY;COUNT=2", Some((2027, 11, 24)), 2),
            ("FREQ=WEEKLY", None, 0),
            ("FREQ=YEARLY;INTERVAL=999;COUNT=10000", None, 0),
        ] {
            let recurrence = of(rule, start).unwrap();
            let last = last.map(|(year, month, day)| time::days(year, month, day));
            assert_eq!((recurrence.last, recurrence.count), (last, count), "{rule}");
        }
    }
}
