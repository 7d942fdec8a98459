//! Time zones of a calendar (RFC 5545 3.6.5) and their MAPI structures (MS-OXOCAL 2.2.1.39 and
//! 2.2.1.41). Only what the calendar itself defines is known: there is no time zone database here.

use ropewalk_props::Utf16Text;

use super::time::{self, DAY, Stamp};
use crate::content_line::{Component, Line};

/// Characters of a time zone's name (MS-OXOCAL 2.2.1.41: KeyName).
const NAME_CHARS_MAX: usize = 128;
/// Zones of a calendar.
const ZONES_MAX: usize = 256;

/// A time zone: an offset, and perhaps another one in summer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub name: String,
    /// Seconds east of UTC.
    pub standard_offset: i64,
    pub daylight: Option<Daylight>,
}

/// Daylight saving time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daylight {
    /// Seconds east of UTC.
    pub offset: i64,
    /// When it begins, by the standard clock.
    pub begins: Change,
    /// When it ends, by its own clock.
    pub ends: Change,
}

/// A day of the year by weekday, with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub month: i64,
    /// Sunday is 0.
    pub weekday: i64,
    /// 1 to 4, or 5 for the last.
    pub week: i64,
    /// Seconds after midnight.
    pub seconds: i64,
}

/// The time zones that a VCALENDAR defines.
#[derive(Debug, Default)]
pub struct Zones(Vec<Zone>);

impl Zones {
    pub fn of(calendar: &Component) -> Self {
        let zones = calendar
            .children
            .iter()
            .filter(|child| child.name == "VTIMEZONE");
        Self(zones.take(ZONES_MAX).filter_map(Zone::read).collect())
    }

    /// The zone of a date: the one that it names, or the only one there is.
    pub fn of_line(&self, line: &Line) -> Option<&Zone> {
        let named = line
            .parameter("TZID")
            .and_then(|id| self.0.iter().find(|zone| zone.name == id));
        named.or(match &self.0[..] {
            [only] => Some(only),
            _ => None,
        })
    }
}

impl Zone {
    fn read(component: &Component) -> Option<Self> {
        let name = component.line("TZID")?.value.trim();
        let name: String = name.chars().take(NAME_CHARS_MAX).collect();
        let standard = newest(component, "STANDARD");
        let daylight = newest(component, "DAYLIGHT");
        let standard_offset = offset((standard.or(daylight))?)?;
        let daylight = standard.zip(daylight).and_then(|(standard, daylight)| {
            let begins = Change::read(daylight)?;
            let ends = Change::read(standard)?;
            let offset = offset(daylight)?;
            (begins.month != ends.month).then_some(Daylight {
                offset,
                begins,
                ends,
            })
        });
        Some(Self {
            name,
            standard_offset,
            daylight,
        })
    }

    /// Seconds east of UTC at a local time.
    pub fn offset(&self, local: i64) -> i64 {
        let Some(daylight) = &self.daylight else {
            return self.standard_offset;
        };
        let (year, ..) = time::date(local.div_euclid(DAY));
        let begins = daylight.begins.in_year(year);
        let ends = daylight.ends.in_year(year);
        let summer = if begins < ends {
            (begins..ends).contains(&local)
        } else {
            !(ends..begins).contains(&local)
        };
        if summer {
            daylight.offset
        } else {
            self.standard_offset
        }
    }

    fn biases(&self) -> [i32; 3] {
        let minutes = |seconds: i64| i32::try_from(seconds / 60).unwrap_or(0);
        let daylight = self
            .daylight
            .map_or(0, |daylight| self.standard_offset - daylight.offset);
        [minutes(-self.standard_offset), 0, minutes(daylight)]
    }

    fn system_times(&self) -> [[u8; 16]; 2] {
        match &self.daylight {
            Some(daylight) => [daylight.ends.system_time(), daylight.begins.system_time()],
            None => [[0; 16]; 2],
        }
    }

    /// PidLidTimeZoneStruct (MS-OXOCAL 2.2.1.39).
    pub fn structure(&self) -> Vec<u8> {
        let [standard, daylight] = self.system_times();
        let mut out = Vec::with_capacity(48);
        for bias in self.biases() {
            out.extend_from_slice(&bias.to_le_bytes());
        }
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&standard);
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&daylight);
        out
    }

    /// PidLidAppointmentTimeZoneDefinitionRecur and its like (MS-OXOCAL 2.2.1.41), with one rule.
    pub fn definition(&self, rule_flags: u16) -> Vec<u8> {
        let name = Utf16Text::from(self.name.as_str());
        let units = (name.as_bytes().len() / 2) as u16;
        let mut out = vec![0x02, 0x01];
        out.extend_from_slice(&(6 + 2 * units).to_le_bytes());
        out.extend_from_slice(&0x0002_u16.to_le_bytes());
        out.extend_from_slice(&units.to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&1_u16.to_le_bytes());
        // TZRule.
        out.extend_from_slice(&[0x02, 0x01]);
        out.extend_from_slice(&0x003E_u16.to_le_bytes());
        out.extend_from_slice(&rule_flags.to_le_bytes());
        out.extend_from_slice(&1601_u16.to_le_bytes());
        out.extend_from_slice(&[0; 14]);
        for bias in self.biases() {
            out.extend_from_slice(&bias.to_le_bytes());
        }
        for system_time in self.system_times() {
            out.extend_from_slice(&system_time);
        }
        out
    }
}

/// The component that began last; the others are history.
fn newest<'a>(zone: &'a Component, name: &str) -> Option<&'a Component> {
    let start = |child: &Component| {
        child
            .line("DTSTART")
            .and_then(|line| time::stamp(&line.value))
    };
    let these = zone.children.iter().filter(|child| child.name == name);
    these.max_by_key(|child| start(child).map_or(i64::MIN, |stamp: Stamp| stamp.seconds))
}

/// `+0100`, `-033000`.
fn offset(component: &Component) -> Option<i64> {
    let text = component.line("TZOFFSETTO")?.value.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..4)?.parse().ok()?;
    let plausible = (0..24).contains(&hours) && (0..60).contains(&minutes);
    plausible.then_some(sign * (hours * 3600 + minutes * 60))
}

impl Change {
    fn read(component: &Component) -> Option<Self> {
        let start = time::stamp(&component.line("DTSTART")?.value)?;
        let (_, month, day) = time::date(start.seconds.div_euclid(DAY));
        let mut change = Self {
            month,
            weekday: time::weekday(start.seconds.div_euclid(DAY)),
            week: if day > 28 { 5 } else { (day + 6) / 7 },
            seconds: start.seconds.rem_euclid(DAY),
        };
        let rule = component
            .line("RRULE")
            .map_or("", |line| line.value.as_str());
        for part in rule.split(';') {
            let Some((name, value)) = part.split_once('=') else {
                continue;
            };
            match name.trim().to_ascii_uppercase().as_str() {
                "BYMONTH" => {
                    if let Ok(month @ 1..=12) = value.trim().parse() {
                        change.month = month;
                    }
                }
                "BYDAY" => {
                    let value = value.trim();
                    let at = value.len().saturating_sub(2);
                    if let Some(weekday) = value.get(at..).and_then(super::recurrence::weekday) {
                        change.weekday = weekday;
                    }
                    match value.get(..at).and_then(|week| week.parse::<i64>().ok()) {
                        Some(-1) => change.week = 5,
                        Some(week @ 1..=5) => change.week = week,
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        Some(change)
    }

    /// Local seconds of the change in a year.
    fn in_year(&self, year: i64) -> i64 {
        let first = time::days(year, self.month, 1);
        let to_weekday = (self.weekday - time::weekday(first)).rem_euclid(7);
        let mut day = to_weekday + (self.week - 1) * 7;
        if day >= time::days_in_month(year, self.month) {
            day -= 7;
        }
        (first + day) * DAY + self.seconds
    }

    /// A SYSTEMTIME that means the same in every year.
    fn system_time(&self) -> [u8; 16] {
        let fields = [
            0,
            self.month,
            self.weekday,
            self.week,
            self.seconds / 3600,
            self.seconds / 60 % 60,
            self.seconds % 60,
            0,
        ];
        let mut out = [0; 16];
        for (place, field) in out.chunks_exact_mut(2).zip(fields) {
            place.copy_from_slice(&(field as u16).to_le_bytes());
        }
        out
    }
}
