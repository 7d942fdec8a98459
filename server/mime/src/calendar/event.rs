//! A VEVENT, as far as it is understood (MS-OXCICAL 2.1.3.1.1.20).

use ropewalk_props::FileTime;

use super::{
    alarm,
    time::{self, DAY, Stamp},
    zone::{Zone, Zones},
};
use crate::{
    address::{self, Mailbox},
    content_line::{Component, Line},
};

/// Attendees of an event.
const ATTENDEES_MAX: usize = 2_000;
/// Excluded occurrences of an event.
pub const EXCLUDED_MAX: usize = 2_000;
/// Characters of a summary or a location.
const TEXT_CHARS_MAX: usize = 1_000;

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    pub uid: Option<String>,
    pub summary: Option<String>,
    pub location: Option<String>,
    pub description: Option<String>,
    /// When the object was made.
    pub stamp: Option<FileTime>,
    /// Seconds since 1601, UTC.
    pub start: i64,
    pub end: i64,
    /// The same by the clock of its zone.
    pub local_start: i64,
    pub local_end: i64,
    pub all_day: bool,
    /// `None` for times in UTC, and for those of a zone that is not known.
    pub zone: Option<Zone>,
    /// RRULE as it stands.
    pub rule: Option<String>,
    /// Local starts of occurrences that do not take place, in seconds since 1601.
    pub excluded: Vec<i64>,
    /// RECURRENCE-ID: the local start of the occurrence that this one replaces.
    pub original_start: Option<i64>,
    pub organizer: Option<Mailbox>,
    pub attendees: Vec<(Mailbox, u8)>,
    /// PARTSTAT of the first attendee, in upper case: the answer of a reply.
    pub answer: String,
    /// An attendee is asked for an answer.
    pub wants_answer: bool,
    /// PidLidBusyStatus (MS-OXOCAL 2.2.1.2).
    pub busy: i32,
    /// PidTagImportance.
    pub importance: i32,
    /// PidTagSensitivity.
    pub sensitivity: i32,
    pub sequence: i32,
    /// Minutes before the start.
    pub reminder: Option<i32>,
    pub categories: Vec<String>,
    pub owner_appointment_id: Option<i32>,
}

impl Event {
    /// Reads an event; `None` without a start.
    pub fn read(event: &Component, zones: &Zones) -> Option<Self> {
        let start_line = event.line("DTSTART")?;
        let start = time::stamp(&start_line.value)?;
        let zone = if start.utc {
            None
        } else {
            zones.of_line(start_line)
        };
        let local_end = local_end(event, start, zone, zones);
        let utc = |local: i64| local - zone.map_or(0, |zone| zone.offset(local));
        let text = |name: &str| {
            let text = event.text(name)?.replace(['\r', '\n', '\t'], " ");
            Some(text.chars().take(TEXT_CHARS_MAX).collect::<String>())
        };
        let number = |name: &str| event.text(name)?.parse::<i32>().ok();
        let attendees: Vec<(Mailbox, u8)> = event
            .lines("ATTENDEE")
            .take(ATTENDEES_MAX)
            .filter_map(|line| Some((mailbox(line)?, kind(line))))
            .collect();
        let answer = event
            .line("ATTENDEE")
            .and_then(|line| line.parameter("PARTSTAT"));
        let local_of = |value: &str| Some(local(time::stamp(value)?, zone));
        let excluded = event.lines("EXDATE").flat_map(|line| line.value.split(','));
        Some(Self {
            uid: event.text("UID"),
            summary: text("SUMMARY"),
            location: text("LOCATION"),
            description: event.text("DESCRIPTION"),
            stamp: event
                .line("DTSTAMP")
                .and_then(|line| time::stamp(&line.value))
                .map(|stamp| time::file_time(stamp.seconds)),
            start: utc(start.seconds),
            end: utc(local_end),
            local_start: start.seconds,
            local_end,
            all_day: is_all_day(event, start, local_end),
            zone: zone.cloned(),
            rule: event.text("RRULE"),
            excluded: excluded.take(EXCLUDED_MAX).filter_map(local_of).collect(),
            original_start: event
                .line("RECURRENCE-ID")
                .and_then(|line| local_of(&line.value)),
            organizer: event.line("ORGANIZER").and_then(mailbox),
            wants_answer: event.lines("ATTENDEE").any(|line| {
                line.parameter("RSVP")
                    .is_some_and(|value| value.eq_ignore_ascii_case("TRUE"))
            }),
            attendees,
            answer: answer.unwrap_or("").to_ascii_uppercase(),
            busy: busy(event),
            importance: importance(event),
            sensitivity: sensitivity(event),
            sequence: number("SEQUENCE").unwrap_or(0).max(0),
            reminder: alarm(event),
            categories: event
                .lines("CATEGORIES")
                .flat_map(Line::list)
                .take(100)
                .collect(),
            owner_appointment_id: number("X-MICROSOFT-CDO-OWNERAPPTID"),
        })
    }
}

/// Seconds since 1601 by the clock of a zone.
pub fn local(stamp: Stamp, zone: Option<&Zone>) -> i64 {
    match zone {
        Some(zone) if stamp.utc => {
            stamp.seconds + zone.offset(stamp.seconds + zone.standard_offset)
        }
        _ => stamp.seconds,
    }
}

/// DTEND or DURATION, by the clock of the start.
fn local_end(event: &Component, start: Stamp, zone: Option<&Zone>, zones: &Zones) -> i64 {
    let default = if start.date_only { DAY } else { 0 };
    let end = event.line("DTEND").and_then(|line| {
        let mut end = time::stamp(&line.value)?;
        let end_zone = if end.utc { None } else { zones.of_line(line) };
        // An end by another clock takes the way over UTC.
        if end_zone != zone {
            end.seconds -= end_zone.map_or(0, |zone| zone.offset(end.seconds));
            end.utc = true;
        }
        Some(local(end, zone))
    });
    let duration = || {
        event
            .line("DURATION")
            .and_then(|line| time::duration(&line.value))
    };
    let end = end.or_else(|| Some(start.seconds + duration()?));
    end.filter(|end| *end >= start.seconds)
        .unwrap_or(start.seconds + default)
}

/// Two dates, or X-MICROSOFT-CDO-ALLDAYEVENT (MS-OXCICAL 2.1.3.1.1.20.28).
fn is_all_day(event: &Component, start: Stamp, local_end: i64) -> bool {
    let said = [
        "X-MICROSOFT-CDO-ALLDAYEVENT",
        "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT",
    ]
    .iter()
    .find_map(|name| event.text(name));
    match said {
        Some(value) => value.eq_ignore_ascii_case("TRUE"),
        None => start.date_only && (local_end - start.seconds) % DAY == 0,
    }
}

/// ORGANIZER or ATTENDEE: `CN` and a `mailto:`.
fn mailbox(line: &Line) -> Option<Mailbox> {
    let value = line.value.trim();
    let address = match value.split_at_checked(7) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ if value.contains('@') => value,
        _ => line.parameter("EMAIL").unwrap_or(""),
    };
    Mailbox::new(line.parameter("CN").unwrap_or(""), address)
}

/// Required, optional, or a resource (MS-OXCICAL 2.1.3.1.1.20).
fn kind(line: &Line) -> u8 {
    let is = |name: &str, value: &str| {
        line.parameter(name)
            .is_some_and(|its| its.eq_ignore_ascii_case(value))
    };
    if is("CUTYPE", "RESOURCE") || is("CUTYPE", "ROOM") {
        address::BCC
    } else if is("ROLE", "OPT-PARTICIPANT") || is("ROLE", "NON-PARTICIPANT") {
        address::CC
    } else {
        address::TO
    }
}

/// X-MICROSOFT-CDO-BUSYSTATUS, TRANSP and STATUS (MS-OXCICAL 2.1.3.1.1.20).
fn busy(event: &Component) -> i32 {
    let value = |name: &str| event.text(name).unwrap_or_default().to_ascii_uppercase();
    match value("X-MICROSOFT-CDO-BUSYSTATUS").as_str() {
        "FREE" => return 0,
        "TENTATIVE" => return 1,
        "BUSY" => return 2,
        "OOF" => return 3,
        "WORKINGELSEWHERE" => return 4,
        _ => {}
    }
    match (value("TRANSP").as_str(), value("STATUS").as_str()) {
        ("TRANSPARENT", _) => 0,
        (_, "TENTATIVE") => 1,
        _ => 2,
    }
}

/// X-MICROSOFT-CDO-IMPORTANCE (MS-OXCICAL 2.1.3.1.1.20.32) and PRIORITY.
fn importance(event: &Component) -> i32 {
    let number = |name: &str| event.text(name)?.parse::<i32>().ok();
    match (number("X-MICROSOFT-CDO-IMPORTANCE"), number("PRIORITY")) {
        (Some(importance @ 0..=2), _) => importance,
        (_, Some(1..=4)) => 2,
        (_, Some(6..=9)) => 0,
        _ => 1,
    }
}

/// CLASS (MS-OXCICAL 2.1.3.1.1.20).
fn sensitivity(event: &Component) -> i32 {
    match event
        .text("CLASS")
        .unwrap_or_default()
        .to_ascii_uppercase()
        .as_str()
    {
        "PERSONAL" => 1,
        "PRIVATE" => 2,
        "CONFIDENTIAL" => 3,
        _ => 0,
    }
}
