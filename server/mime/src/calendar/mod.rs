//! Calendar objects: from iCalendar to appointments and meeting objects (MS-OXCICAL, MS-OXOCAL).

mod event;
mod object_id;
mod properties;
mod recurrence;
mod time;
mod zone;

use ropewalk_props::{PropValue, tags::*};
use ropewalk_store::Message;

use crate::{
    ConvertError,
    content_line::{self, Component},
    context::Context,
    envelope,
};

use event::EXCLUDED_MAX;
pub use event::Event;
pub use properties::set as set_properties;
use zone::Zones;

/// Events of a file.
const EVENTS_MAX: usize = 10_000;

/// A VCALENDAR.
#[derive(Debug)]
pub struct Calendar {
    /// In upper case.
    pub method: String,
    pub events: Vec<Event>,
}

/// Reads the first VCALENDAR with an event in it, and the events of the others too.
pub fn parse(data: &[u8]) -> Result<Calendar, ConvertError> {
    let mut calendar = Calendar {
        method: String::new(),
        events: Vec::new(),
    };
    let components = content_line::components(data)?;
    for component in components
        .iter()
        .filter(|component| component.name == "VCALENDAR")
    {
        if calendar.method.is_empty() {
            calendar.method = component
                .text("METHOD")
                .unwrap_or_default()
                .to_ascii_uppercase();
        }
        let zones = Zones::of(component);
        let events = component
            .children
            .iter()
            .filter(|child| child.name == "VEVENT");
        for event in events.filter_map(|event| Event::read(event, &zones)) {
            if calendar.events.len() == EVENTS_MAX {
                return Err(ConvertError::TooMany);
            }
            calendar.events.push(event);
        }
    }
    except_changed(&mut calendar.events);
    if calendar.events.is_empty() {
        return Err(ConvertError::NoAppointment);
    }
    Ok(calendar)
}

/// A changed occurrence is an appointment of its own here: its series goes without it.
fn except_changed(events: &mut [Event]) {
    let mut changed = std::collections::HashMap::<String, Vec<i64>>::new();
    for event in events.iter() {
        if let (Some(uid), Some(original)) = (&event.uid, event.original_start) {
            changed.entry(uid.clone()).or_default().push(original);
        }
    }
    for event in events
        .iter_mut()
        .filter(|event| event.original_start.is_none())
    {
        if let Some(originals) = event.uid.as_ref().and_then(|uid| changed.get(uid)) {
            let room = EXCLUDED_MAX.saturating_sub(event.excluded.len());
            event.excluded.extend(originals.iter().take(room));
        }
    }
}

/// Converts all events of a file to appointments.
pub fn appointments(data: &[u8], context: &Context<'_>) -> Result<Vec<Message>, ConvertError> {
    let calendar = parse(data)?;
    let messages = calendar
        .events
        .iter()
        .map(|event| appointment(event, context));
    Ok(messages.collect())
}

fn appointment(event: &Event, context: &Context<'_>) -> Message {
    let mut message = Message::default();
    let bag = &mut message.props;
    let subject = event.summary.as_deref().unwrap_or("");
    bag.set_text(PID_TAG_MESSAGE_CLASS, "IPM.Appointment");
    bag.set_text(PID_TAG_SUBJECT, subject);
    bag.set_text(PID_TAG_SUBJECT_PREFIX, "");
    bag.set_text(PID_TAG_NORMALIZED_SUBJECT, subject);
    bag.set_text(PID_TAG_CONVERSATION_TOPIC, subject);
    bag.set(PID_TAG_MESSAGE_FLAGS, &PropValue::Integer32(3)); // mfRead, mfUnmodified
    let integer = |number: i32| PropValue::Integer32(number);
    bag.set(PID_TAG_IMPORTANCE, &integer(event.importance));
    bag.set(PID_TAG_PRIORITY, &integer(event.importance - 1));
    bag.set(PID_TAG_SENSITIVITY, &integer(event.sensitivity));
    let code_page = integer(crate::charset::UTF_8 as i32);
    bag.set(PID_TAG_INTERNET_CODEPAGE, &code_page);
    for tag in [PID_TAG_CREATION_TIME, PID_TAG_LAST_MODIFICATION_TIME] {
        bag.set(tag, &PropValue::Time(context.now));
    }
    for tag in [PID_TAG_CLIENT_SUBMIT_TIME, PID_TAG_MESSAGE_DELIVERY_TIME] {
        bag.set(tag, &PropValue::Time(event.stamp.unwrap_or(context.now)));
    }
    if let Some(organizer) = &event.organizer {
        organizer.set(bag, &crate::address::SENDER);
        organizer.set(bag, &crate::address::SENT_REPRESENTING);
    }
    if let Some(text) = &event.description {
        bag.set_text(PID_TAG_BODY, &crate::body::with_crlf(text));
        bag.set(PID_TAG_NATIVE_BODY, &integer(1));
    }
    envelope::set_recipients(&mut message, &event.attendees);
    properties::set(&mut message.props, event, "", context);
    message
}

/// The day since 1601-01-01 of a date.
pub fn date_of(text: &str) -> Option<i64> {
    Some(time::stamp(text)?.seconds.div_euclid(time::DAY))
}

/// Noon of a day, UTC.
pub fn noon_of(day: i64) -> ropewalk_props::FileTime {
    time::file_time(day.saturating_mul(time::DAY) + time::DAY / 2)
}

/// The alarm of an event in minutes before its start, and nothing of it that is not there.
fn alarm(event: &Component) -> Option<i32> {
    let alarm = event.children.iter().find(|child| child.name == "VALARM")?;
    let trigger = alarm.line("TRIGGER")?;
    let seconds = time::duration(&trigger.value)?;
    i32::try_from((-seconds / 60).max(0)).ok()
}

#[cfg(test)]
mod tests;
