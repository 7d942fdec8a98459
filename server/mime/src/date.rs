//! Dates (RFC 5322 3.3 and 4.3), read leniently.

use mail_parser::DateTime;
use ropewalk_props::FileTime;

/// Characters of a date that are read.
const CHARS_MAX: usize = 256;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// The names of zones that say something, in hours (RFC 5322 4.3); all others are -0000.
const ZONES: [(&str, i32); 8] = [
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
];

/// What was found of a date.
#[derive(Default)]
struct Found {
    year: Option<u16>,
    month: Option<u8>,
    day: Option<u8>,
    time: Option<(u8, u8, u8)>,
    /// Minutes east of Greenwich; UTC if nothing is said (RFC 5322 3.3: the time is that, but says
    /// nothing of the place).
    zone: i32,
}

/// The time that a text tells: a date as RFC 5322 has it, with obsolete and common other forms (no
/// zone, no weekday, months in full, `Mon Nov 23 10:00:00 2026`, `2026-11-23 10:00:00`). `None` if
/// there is no date in it, or one that a FILETIME cannot hold.
pub fn parse(text: &str) -> Option<FileTime> {
    let text = without_comments(text);
    let mut found = Found::default();
    for token in text.split([' ', '\t', ',', '"']) {
        found.take(token);
    }
    let (hour, minute, second) = found.time.unwrap_or_default();
    let year = found.year?;
    let time = DateTime {
        year,
        month: found.month?,
        day: found.day?,
        hour,
        minute,
        second,
        tz_before_gmt: found.zone < 0,
        tz_hour: (found.zone.abs() / 60) as u8,
        tz_minute: (found.zone.abs() % 60) as u8,
    };
    let plausible = (1601..=9999).contains(&year) && (1..=31).contains(&time.day);
    // The first year of a FILETIME, less a day for the zone.
    let seconds = time.to_timestamp();
    (plausible && seconds > -11_644_387_200).then(|| FileTime::from_unix_seconds(seconds))
}

/// Text in small letters without comments, and without the blanks that obsolete times may have.
fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_u32;
    for c in text.chars().take(CHARS_MAX) {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            ':' => {
                out.truncate(out.trim_end().len());
                out.push(':');
            }
            ' ' | '\t' if out.ends_with(':') => {}
            _ => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

impl Found {
    fn take(&mut self, token: &str) {
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = token.split_at_checked(digits).unwrap_or((token, ""));
        if digits == 0 {
            self.take_word(token);
        } else if rest.is_empty() {
            self.take_number(number);
        } else if rest.starts_with([':', '.']) {
            self.take_time(token);
        } else if rest.starts_with('-') && self.year.is_none() {
            self.take_date(token);
        }
    }

    /// A month, a zone or a weekday.
    fn take_word(&mut self, token: &str) {
        if token.starts_with(['+', '-']) {
            self.zone = offset(token).unwrap_or(self.zone);
            return;
        }
        let month = token.get(..3).and_then(month);
        if self.month.is_none() && month.is_some() {
            self.month = month;
        } else if self.time.is_some() {
            self.take_zone_name(token);
        }
    }

    fn take_zone_name(&mut self, name: &str) {
        // "GMT+0100".
        let (name, offset) = match name.find(['+', '-']) {
            Some(at) => (
                name.get(..at).unwrap_or(name),
                name.get(at..).and_then(offset),
            ),
            None => (name, None),
        };
        let known = ZONES.iter().find(|(known, _)| *known == name);
        self.zone = offset
            .or(known.map(|(_, hours)| hours * 60))
            .unwrap_or(self.zone);
    }

    /// A day, or a year (RFC 5322 4.3: of two digits, or of three).
    fn take_number(&mut self, digits: &str) {
        let Ok(number) = digits.parse::<u16>() else {
            return;
        };
        if digits.len() <= 2 && self.day.is_none() {
            self.day = u8::try_from(number).ok();
        } else if self.year.is_none() {
            self.year = Some(match number {
                0..50 => number + 2000,
                50..1000 => number + 1900,
                _ => number,
            });
        }
    }

    /// `10:00`, `10:00:00`, `10.00.00`, with a fraction or a zone behind.
    fn take_time(&mut self, token: &str) {
        let end = token.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.'));
        let (time, zone) = token
            .split_at_checked(end.unwrap_or(token.len()))
            .unwrap_or((token, ""));
        let mut numbers = time
            .split([':', '.'])
            .map(|number| number.parse::<u8>().ok());
        let (hour, minute) = (numbers.next().flatten(), numbers.next().flatten());
        let second = numbers.next().flatten().unwrap_or(0);
        let time = hour
            .zip(minute)
            .map(|(hour, minute)| (hour, minute, second));
        self.time = time
            .filter(|(hour, minute, second)| *hour < 24 && *minute < 60 && *second <= 60)
            .or(self.time);
        if !zone.is_empty() {
            self.take_word(zone);
        }
    }

    /// `2026-11-23`, perhaps with a time after a `t`, or `23-nov-2026`.
    fn take_date(&mut self, token: &str) {
        let (date, time) = match token.split_once('t') {
            Some((date, time)) if time.starts_with(|c: char| c.is_ascii_digit()) => (date, time),
            _ => (token, ""),
        };
        let [first, middle, last] = date.split('-').collect::<Vec<_>>()[..] else {
            return;
        };
        let number = middle.parse().ok().filter(|month| (1..=12).contains(month));
        self.month = number.or_else(|| month(middle)).or(self.month);
        let (year, day) = if first.len() > 2 {
            (first, last)
        } else {
            (last, first)
        };
        self.day = day.parse().ok();
        self.take_number(year);
        self.take(time);
    }
}

/// The number of a month by the first three letters of its name.
fn month(name: &str) -> Option<u8> {
    let at = MONTHS.iter().position(|month| *month == name)?;
    u8::try_from(at + 1).ok()
}

/// `+hhmm` in minutes; `+hh` and `+hh:mm` have been seen.
fn offset(text: &str) -> Option<i32> {
    let (sign, digits) = text.split_at_checked(1)?;
    let digits = digits.replace(':', "");
    let number: i32 = digits.parse().ok().filter(|_| digits.len() <= 4)?;
    let minutes = match digits.len() {
        1 | 2 => number * 60,
        _ => number / 100 * 60 + number % 100,
    };
    Some(if sign == "-" { -minutes } else { minutes }).filter(|minutes| minutes.abs() < 24 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_sorts_are_read() {
        let ten = 1_795_428_000;
        for (text, seconds) in [
            ("Mon, 23 Nov 2026 10:00:00 +0000", Some(ten)),
            ("Mon, 23 Nov 2026 11:00:00 +0100 (CET; winter)", Some(ten)),
            ("23 Nov 26 10:00 GMT", Some(ten)),
            ("Mon,23 Nov 2026 05:00:00 EST", Some(ten)),
            // RFC 5322 4.3: zones and years of old, comments and blanks anywhere.
            ("Mon, 23 Nov 2026 10:00:00 A", Some(ten)),
            ("23 Nov 126 10 : 00 (o'clock) : 00 UT", Some(ten)),
            ("1 Jan 70 00:00 Z", Some(0)),
            // What programs write.
            ("Mon, 23 Nov 2026 10:00:00", Some(ten)),
            ("Mon, 23 November 2026 10.00.00 -0000", Some(ten)),
            ("Mon Nov 23 10:00:00 2026", Some(ten)),
            ("Mon Nov 23 02:00:00 PST 2026", Some(ten)),
            ("2026-11-23T10:00:00.5Z", Some(ten)),
            ("2026-11-23 12:00:00+02:00", Some(ten)),
            ("23-Nov-2026 10:00:00 +0000", Some(ten)),
            ("Mon, 23 Nov 2026 11:00:00 GMT+0100", Some(ten)),
            ("Mon, 23 Nov 2026 04:30:00 -0530", Some(ten)),
            ("23 Nov 2026", Some(ten - 36_000)),
            ("Mon, 23 Nov 2026 99:00:00 +0000", Some(ten - 36_000)),
            ("Mon, 99 Nov 2026 10:00:00 +0000", None),
            ("23 Nov 99999 10:00:00", None),
            ("23 Nov 1600 10:00:00", None),
            ("1 Jan 1601 00:00:00 +0100", None),
            ("23 Foo 2026", None),
            ("yesterday", None),
            ("", None),
        ] {
            let found = parse(text).map(FileTime::to_unix_seconds);
            assert_eq!(found, seconds, "{text}");
        }
    }
}
