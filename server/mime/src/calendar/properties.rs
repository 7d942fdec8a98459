//! The properties of calendar objects and meeting objects (MS-OXOCAL 2.2).

use ropewalk_props::{Bag, PropValue, named_tags::*, tags::*};

use super::{
    event::Event,
    object_id,
    recurrence::Recurrence,
    time::{self, DAY},
    zone::Zone,
};
use crate::{
    address::{self, Mailbox},
    context::Context,
};

/// 4500-08-31 23:59, the PidLidClipEnd of a series without an end (MS-OXOCAL 2.2.1.15).
const FAR_FUTURE: u64 = 0x0CB3_4557_A3DD_4000;

/// PidLidAppointmentStateFlags (MS-OXOCAL 2.2.1.10).
const MEETING: i32 = 1;
const RECEIVED: i32 = 2;
const CANCELED: i32 = 4;

/// TZRule flags (MS-OXOCAL 2.2.1.41.1): recurring, effective.
const RULE_OF_RECURRENCE: u16 = 3;
const RULE_OF_DISPLAY: u16 = 2;

/// Sets what an event says. `method` is that of the meeting object, empty for an appointment.
pub fn set(bag: &mut Bag, event: &Event, method: &str, context: &Context<'_>) {
    let recurrence = Recurrence::of(event, context);
    set_times(bag, event, context);
    set_state(bag, event, method, recurrence.is_some(), context);
    set_identity(bag, event, context);
    set_recurrence(bag, event, recurrence.as_ref(), context);
    set_reminder(bag, event, context);
    set_people(bag, event, context);
    let location = event.location.as_deref().unwrap_or("");
    context.set_text(bag, PID_LID_LOCATION, location);
    if !method.is_empty() {
        context.set_text(bag, PID_LID_WHERE, location);
    }
    if !event.categories.is_empty() {
        let words = event.categories.iter().map(|word| word.as_str().into());
        context.set(
            bag,
            PID_NAME_KEYWORDS,
            &PropValue::MultipleString(words.collect()),
        );
    }
    let private = event.sensitivity == 2 || event.sensitivity == 3;
    context.set_bool(bag, PID_LID_PRIVATE, private);
}

/// MS-OXOCAL 2.2.1.5 to 2.2.1.9.
fn set_times(bag: &mut Bag, event: &Event, context: &Context<'_>) {
    let (start, end) = (time::file_time(event.start), time::file_time(event.end));
    for tag in [PID_LID_APPOINTMENT_START_WHOLE, PID_LID_COMMON_START] {
        context.set_time(bag, tag, start);
    }
    for tag in [PID_LID_APPOINTMENT_END_WHOLE, PID_LID_COMMON_END] {
        context.set_time(bag, tag, end);
    }
    bag.set(PID_TAG_START_DATE, &PropValue::Time(start));
    bag.set(PID_TAG_END_DATE, &PropValue::Time(end));
    let minutes = i32::try_from((event.end - event.start) / 60).unwrap_or(0);
    context.set_i32(bag, PID_LID_APPOINTMENT_DURATION, minutes);
    context.set_bool(bag, PID_LID_APPOINTMENT_SUB_TYPE, event.all_day);
    if let Some(zone) = &event.zone {
        context.set_text(bag, PID_LID_TIME_ZONE_DESCRIPTION, &zone.name);
        let display = zone.definition(RULE_OF_DISPLAY);
        let tag = PID_LID_APPOINTMENT_TIME_ZONE_DEFINITION_START_DISPLAY;
        context.set_binary(bag, tag, display.clone());
        let tag = PID_LID_APPOINTMENT_TIME_ZONE_DEFINITION_END_DISPLAY;
        context.set_binary(bag, tag, display);
    }
}

/// MS-OXOCAL 2.2.1.2, 2.2.1.10, 2.2.1.11, 2.2.6.
fn set_state(bag: &mut Bag, event: &Event, method: &str, recurs: bool, context: &Context<'_>) {
    let is_meeting = !event.attendees.is_empty();
    // Flags, response, icon, side effects, and the type of a meeting object.
    let (state, response, icon, side_effects, meeting_type) = match (method, is_meeting) {
        ("REQUEST", _) => (MEETING | RECEIVED, 5, 0x404, 0x1C61, Some(1)),
        ("CANCEL", _) => (MEETING | RECEIVED | CANCELED, 5, 0x408, 0x1C61, Some(0)),
        ("REPLY" | "COUNTER", _) => (MEETING | RECEIVED, 0, answer_icon(event), 0x1C61, None),
        (_, true) => (MEETING, 1, 0x402 + i32::from(recurs), 0x171, None),
        (_, false) => (0, 0, 0x400 + i32::from(recurs), 0x171, None),
    };
    context.set_i32(bag, PID_LID_APPOINTMENT_STATE_FLAGS, state);
    context.set_i32(bag, PID_LID_RESPONSE_STATUS, response);
    context.set_i32(bag, PID_LID_SIDE_EFFECTS, side_effects);
    context.set_i32(bag, PID_LID_APPOINTMENT_SEQUENCE, event.sequence);
    bag.set(PID_TAG_ICON_INDEX, &PropValue::Integer32(icon));
    if let Some(meeting_type) = meeting_type {
        context.set_i32(bag, PID_LID_MEETING_TYPE, meeting_type);
        context.set_i32(bag, PID_LID_INTENDED_BUSY_STATUS, event.busy);
        let stamp = event.stamp.unwrap_or(context.now);
        context.set_time(bag, PID_LID_OWNER_CRITICAL_CHANGE, stamp);
    } else if !method.is_empty() {
        let stamp = event.stamp.unwrap_or(context.now);
        context.set_time(bag, PID_LID_ATTENDEE_CRITICAL_CHANGE, stamp);
    }
    // Until it is answered, a meeting is tentative, and a cancelled one takes no time.
    let busy = match method {
        "REQUEST" => event.busy.min(1),
        "CANCEL" => 0,
        _ => event.busy,
    };
    context.set_i32(bag, PID_LID_BUSY_STATUS, busy);
}

/// PidTagIconIndex of a response (MS-OXOCAL 2.2.1.49).
fn answer_icon(event: &Event) -> i32 {
    match event.answer.as_str() {
        "ACCEPTED" => 0x405,
        "DECLINED" => 0x406,
        _ => 0x407,
    }
}

/// UID (MS-OXCICAL 2.1.3.1.1.20.26) and RECURRENCE-ID.
fn set_identity(bag: &mut Bag, event: &Event, context: &Context<'_>) {
    if let Some(uid) = &event.uid {
        let clean = object_id::clean(uid);
        let id = match event.original_start {
            Some(original) => object_id::of_occurrence(&clean, original.div_euclid(DAY)),
            None => clean.clone(),
        };
        context.set_binary(bag, PID_LID_GLOBAL_OBJECT_ID, id);
        context.set_binary(bag, PID_LID_CLEAN_GLOBAL_OBJECT_ID, clean);
    }
    if let Some(id) = event.owner_appointment_id {
        bag.set(PID_TAG_OWNER_APPOINTMENT_ID, &PropValue::Integer32(id));
    }
}

/// MS-OXOCAL 2.2.1.12 to 2.2.1.15 and 2.2.1.44.
fn set_recurrence(
    bag: &mut Bag,
    event: &Event,
    recurrence: Option<&Recurrence>,
    context: &Context<'_>,
) {
    let recurs = recurrence.is_some();
    context.set_bool(bag, PID_LID_RECURRING, recurs);
    context.set_bool(
        bag,
        PID_LID_IS_RECURRING,
        recurs || event.original_start.is_some(),
    );
    let (mut clip_start, mut clip_end) = (time::file_time(event.start), time::file_time(event.end));
    if let Some(recurrence) = recurrence {
        let utc = |zone: &Option<Zone>, local: i64| {
            local - zone.as_ref().map_or(0, |zone| zone.offset(local))
        };
        clip_start = time::file_time(utc(&event.zone, event.local_start.div_euclid(DAY) * DAY));
        clip_end = match recurrence.last_day() {
            Some(last) => time::file_time(utc(&event.zone, last * DAY)),
            None => ropewalk_props::FileTime(FAR_FUTURE),
        };
        context.set_binary(bag, PID_LID_APPOINTMENT_RECUR, recurrence.blob(event));
        context.set_i32(bag, PID_LID_RECURRENCE_TYPE, recurrence.recurrence_type());
        if let Some(zone) = &event.zone {
            context.set_binary(bag, PID_LID_TIME_ZONE_STRUCT, zone.structure());
            let tag = PID_LID_APPOINTMENT_TIME_ZONE_DEFINITION_RECUR;
            context.set_binary(bag, tag, zone.definition(RULE_OF_RECURRENCE));
        }
    } else {
        context.set_i32(bag, PID_LID_RECURRENCE_TYPE, 0);
        if let Some(rule) = &event.rule {
            let rule: String = rule.chars().take(1000).collect();
            let value = PropValue::MultipleString(vec![rule.into()]);
            context.set(bag, PID_NAME_I_CALENDAR_RECURRENCE_RULE, &value);
        }
    }
    context.set_time(bag, PID_LID_CLIP_START, clip_start);
    context.set_time(bag, PID_LID_CLIP_END, clip_end);
}

/// VALARM (MS-OXORMDR 2.2.1).
fn set_reminder(bag: &mut Bag, event: &Event, context: &Context<'_>) {
    context.set_bool(bag, PID_LID_REMINDER_SET, event.reminder.is_some());
    let minutes = event.reminder.unwrap_or(15);
    context.set_i32(bag, PID_LID_REMINDER_DELTA, minutes);
    context.set_time(bag, PID_LID_REMINDER_TIME, time::file_time(event.start));
    if event.reminder.is_some() {
        let signal = event.start - i64::from(minutes) * 60;
        context.set_time(bag, PID_LID_REMINDER_SIGNAL_TIME, time::file_time(signal));
    }
}

/// MS-OXOCAL 2.2.1.16 to 2.2.1.18, 2.2.1.36.
fn set_people(bag: &mut Bag, event: &Event, context: &Context<'_>) {
    if event.attendees.is_empty() {
        return;
    }
    let names = |kinds: &[u8]| {
        let these = event
            .attendees
            .iter()
            .filter(|(_, kind)| kinds.contains(kind));
        let these: Vec<&Mailbox> = these.map(|(mailbox, _)| mailbox).collect();
        address::display_names(these)
    };
    let all = names(&[address::TO, address::CC, address::BCC]);
    context.set_text(bag, PID_LID_ALL_ATTENDEES_STRING, &all);
    context.set_text(bag, PID_LID_TO_ATTENDEES_STRING, &names(&[address::TO]));
    context.set_text(bag, PID_LID_CC_ATTENDEES_STRING, &names(&[address::CC]));
    bag.set(
        PID_TAG_RESPONSE_REQUESTED,
        &PropValue::Boolean(event.wants_answer),
    );
    bag.set(
        PID_TAG_REPLY_REQUESTED,
        &PropValue::Boolean(event.wants_answer),
    );
}
