//! Tests of whole calendar files.

use ropewalk_props::{Bag, BagView as _, FileTime, NamedTag, PropTag, PropValue, named_tags::*};

use super::*;
use crate::testing::{Names, now};

const ZONE: &str = "BEGIN:VTIMEZONE\nTZID:Berlin\nBEGIN:STANDARD\nDTSTART:19701025T030000\n\
    TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nEND:STANDARD\nBEGIN:DAYLIGHT\n\
    DTSTART:19700329T020000\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\n\
    END:DAYLIGHT\nEND:VTIMEZONE\n";

fn calendar(events: &str) -> String {
    let events = events
        .replace("[", "BEGIN:VEVENT\n")
        .replace("]", "\nEND:VEVENT\n");
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{ZONE}{events}END:VCALENDAR\n")
}

fn convert(events: &str, names: &Names) -> Vec<Bag> {
    let messages = crate::calendar(calendar(events).as_bytes(), names, now()).unwrap();
    messages.into_iter().map(|message| message.props).collect()
}

fn utc(text: &str) -> PropValue {
    PropValue::Time(time::file_time(time::stamp(text).unwrap().seconds))
}

#[test]
fn an_event_becomes_an_appointment() {
    let names = Names::default();
    let bags = convert(
        "[UID:1@x\nDTSTART;TZID=Berlin:20260701T100000\nDURATION:PT90M\nSUMMARY:Lunch\\, late\n\
         LOCATION:Quay\nTRANSP:TRANSPARENT\nCLASS:PRIVATE\nPRIORITY:1\nBEGIN:VALARM\nTRIGGER:-PT1H\nEND:VALARM]",
        &names,
    );
    let bag = &bags[0];
    assert_eq!(
        bag.get_text(PID_TAG_MESSAGE_CLASS).as_deref(),
        Some("IPM.Appointment")
    );
    assert_eq!(
        bag.get_text(PID_TAG_SUBJECT).as_deref(),
        Some("Lunch, late")
    );
    assert_eq!(bag.get_i32(PID_TAG_SENSITIVITY), Some(2));
    assert_eq!(bag.get_i32(PID_TAG_IMPORTANCE), Some(2));
    let expected: [(NamedTag, PropValue); 14] = [
        (PID_LID_APPOINTMENT_START_WHOLE, utc("20260701T080000")),
        (PID_LID_APPOINTMENT_END_WHOLE, utc("20260701T093000")),
        (PID_LID_CLIP_START, utc("20260701T080000")),
        (PID_LID_CLIP_END, utc("20260701T093000")),
        (PID_LID_COMMON_START, utc("20260701T080000")),
        (PID_LID_APPOINTMENT_DURATION, PropValue::Integer32(90)),
        (PID_LID_APPOINTMENT_SUB_TYPE, PropValue::Boolean(false)),
        (PID_LID_LOCATION, PropValue::text("Quay")),
        (PID_LID_BUSY_STATUS, PropValue::Integer32(0)),
        (PID_LID_PRIVATE, PropValue::Boolean(true)),
        (PID_LID_REMINDER_SET, PropValue::Boolean(true)),
        (PID_LID_REMINDER_DELTA, PropValue::Integer32(60)),
        (PID_LID_REMINDER_SIGNAL_TIME, utc("20260701T070000")),
        (PID_LID_RECURRING, PropValue::Boolean(false)),
    ];
    for (tag, value) in expected {
        assert_eq!(names.value(bag, tag), Some(value), "{tag:?}");
    }
}

#[test]
fn days_without_a_time_are_all_day_and_start_at_local_midnight() {
    let names = Names::default();
    let bags = convert(
        "[DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203][DTSTART;VALUE=DATE:20261201]",
        &names,
    );
    for (bag, end) in bags.iter().zip(["20261202T230000", "20261201T230000"]) {
        let value = |tag| names.value(bag, tag);
        assert_eq!(
            value(PID_LID_APPOINTMENT_SUB_TYPE),
            Some(PropValue::Boolean(true))
        );
        assert_eq!(
            value(PID_LID_APPOINTMENT_START_WHOLE),
            Some(utc("20261130T230000"))
        );
        assert_eq!(value(PID_LID_APPOINTMENT_END_WHOLE), Some(utc(end)));
    }
}

#[test]
fn a_weekly_series_has_the_structure_of_the_specification() {
    let names = Names::default();
    let bags = convert(
        "[UID:w\nDTSTART;TZID=Berlin:20261102T083000\nDTEND;TZID=Berlin:20261102T084500\n\
         RRULE:FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20261210T073000Z\nEXDATE;TZID=Berlin:20261112T083000]",
        &names,
    );
    let bag = &bags[0];
    let Some(PropValue::Binary(blob)) = names.value(bag, PID_LID_APPOINTMENT_RECUR) else {
        panic!()
    };
    let day = |year, month, day| (time::days(year, month, day) * 1440) as u32;
    let first = time::days(2026, 11, 2) % 7 * 1440;
    let mut expected = Vec::new();
    for field in [0x3004_u16, 0x3004, 0x200B, 1, 0] {
        expected.extend_from_slice(&field.to_le_bytes());
    }
    for field in [
        first as u32, // FirstDateTime
        1,            // Period
        0,            // SlidingFlag
        0x12,         // Monday and Thursday
        0x2021,       // EndType
        12,           // OccurrenceCount
        1,            // FirstDOW
        1,            // DeletedInstanceCount
        day(2026, 11, 12),
        0, // ModifiedInstanceCount
        day(2026, 11, 2),
        day(2026, 12, 10),
        0x3006,
        0x3009,
        510,
        525,
    ] {
        expected.extend_from_slice(&field.to_le_bytes());
    }
    expected.extend_from_slice(&[0; 10]);
    assert_eq!(blob, expected);
    assert_eq!(
        names.value(bag, PID_LID_CLIP_END),
        Some(utc("20261209T230000"))
    );
    assert_eq!(
        names.value(bag, PID_LID_RECURRENCE_TYPE),
        Some(PropValue::Integer32(2))
    );
    let Some(PropValue::Binary(zone)) = names.value(bag, PID_LID_TIME_ZONE_STRUCT) else {
        panic!()
    };
    let mut expected = (-60_i32).to_le_bytes().to_vec();
    expected.extend_from_slice(&0_i32.to_le_bytes());
    expected.extend_from_slice(&(-60_i32).to_le_bytes());
    for change in [
        [0_u16, 0, 10, 0, 5, 3, 0, 0, 0],
        [0, 0, 3, 0, 5, 2, 0, 0, 0],
    ] {
        expected.extend(change.into_iter().flat_map(u16::to_le_bytes));
    }
    assert_eq!(zone, expected);
    let definition = names.value(bag, PID_LID_APPOINTMENT_TIME_ZONE_DEFINITION_RECUR);
    let Some(PropValue::Binary(definition)) = definition else {
        panic!()
    };
    assert_eq!(definition[..4], [2, 1, 18, 0]);
    assert_eq!(definition.len(), 4 + 18 + 66);
}

#[test]
fn rules_that_cannot_be_said_leave_a_single_occurrence_with_the_rule_as_text() {
    let names = Names::default();
    let bags = convert(
        "[DTSTART:20261102T083000Z\nRRULE:FREQ=HOURLY;COUNT=3]",
        &names,
    );
    assert_eq!(
        names.value(&bags[0], PID_LID_RECURRING),
        Some(PropValue::Boolean(false))
    );
    assert_eq!(names.value(&bags[0], PID_LID_APPOINTMENT_RECUR), None);
    let rule = PropValue::MultipleString(vec!["FREQ=HOURLY;COUNT=3".into()]);
    assert_eq!(
        names.value(&bags[0], PID_NAME_I_CALENDAR_RECURRENCE_RULE),
        Some(rule)
    );
}

#[test]
fn a_changed_occurrence_is_taken_out_of_its_series() {
    let names = Names::default();
    let bags = convert(
        "[UID:s\nDTSTART:20261102T080000Z\nRRULE:FREQ=DAILY;COUNT=5]\
         [UID:s\nRECURRENCE-ID:20261104T080000Z\nDTSTART:20261104T100000Z]",
        &names,
    );
    let Some(PropValue::Binary(blob)) = names.value(&bags[0], PID_LID_APPOINTMENT_RECUR) else {
        panic!()
    };
    // Daily: 10 bytes, then six fields before the number of deleted instances.
    assert_eq!(blob[34..38], 1_u32.to_le_bytes());
    assert_eq!(
        blob[38..42],
        ((time::days(2026, 11, 4) * 1440) as u32).to_le_bytes()
    );
    let id = |bag: &Bag, tag: NamedTag| match names.value(bag, tag) {
        Some(PropValue::Binary(id)) => id,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        id(&bags[0], PID_LID_CLEAN_GLOBAL_OBJECT_ID),
        id(&bags[1], PID_LID_CLEAN_GLOBAL_OBJECT_ID)
    );
    assert_eq!(
        id(&bags[1], PID_LID_GLOBAL_OBJECT_ID)[16..20],
        [7, 0xEA, 11, 4]
    );
}

#[test]
fn times_change_with_the_clock() {
    let component = content_line::components(calendar("[DTSTART:20260101]").as_bytes()).unwrap();
    let zones = Zones::of(&component[0]);
    let line = content_line::components(b"BEGIN:X\nDTSTART;TZID=Berlin:1\nEND:X").unwrap();
    let zone = zones.of_line(&line[0].lines[0]).unwrap();
    for (local, hours) in [
        ("20260329T015959", 1),
        ("20260329T030000", 2),
        ("20261025T015959", 2),
        ("20261025T030000", 1),
        ("20260101T000000", 1),
        ("20260701T000000", 2),
    ] {
        let seconds = time::stamp(local).unwrap().seconds;
        assert_eq!(zone.offset(seconds), hours * 3600, "{local}");
    }
}

#[test]
fn files_without_an_event_are_refused() {
    let names = Names::default();
    for text in [
        "",
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR",
        "BEGIN:VCALENDAR\nBEGIN:VTODO\nDTSTART:20260101\nEND:VTODO\nEND:VCALENDAR",
    ] {
        let result = crate::calendar(text.as_bytes(), &names, now());
        assert_eq!(result.err(), Some(ConvertError::NoAppointment), "{text}");
    }
}

#[test]
fn a_series_without_end_is_clipped_in_the_far_future() {
    let names = Names::default();
    let bags = convert("[DTSTART:20261102T080000Z\nRRULE:FREQ=YEARLY]", &names);
    let far = PropValue::Time(FileTime(0x0CB3_4557_A3DD_4000));
    assert_eq!(names.value(&bags[0], PID_LID_CLIP_END), Some(far));
    let tag: PropTag = PID_TAG_ICON_INDEX;
    assert_eq!(bags[0].get_i32(tag), Some(0x401));
}

#[test]
fn a_file_with_more_than_can_be_taken_is_refused_whole() {
    let names = Names::default();
    let event = "BEGIN:VEVENT\nDTSTART:20260101\nEND:VEVENT\n";
    for text in [
        format!("BEGIN:VCALENDAR\n{}", event.repeat(EVENTS_MAX + 1)),
        format!("BEGIN:VCALENDAR\n{event}{}", "X:1\n".repeat(500_000)),
    ] {
        let result = crate::calendar(text.as_bytes(), &names, now());
        assert_eq!(result.err(), Some(ConvertError::TooMany));
    }
    let cards = "BEGIN:VCARD\nFN:x\nEND:VCARD\n".repeat(10_001);
    let result = crate::contacts(cards.as_bytes(), &names, now());
    assert_eq!(result.err(), Some(ConvertError::TooMany));
}
