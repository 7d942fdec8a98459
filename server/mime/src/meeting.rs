//! Messages with a calendar object in them: meeting objects (MS-OXCICAL 2.1.3.1.1.1 METHOD).

use ropewalk_props::{BagView as _, PropValue, tags::*};
use ropewalk_store::Message;

use crate::{
    body::{self, Layout},
    calendar::{self, Event},
    context::Context,
};

/// Makes a message the meeting object that its calendar part describes; false if there is none.
pub fn set(message: &mut Message, layout: &Layout<'_, '_>, context: &Context<'_>) -> bool {
    let Some(part) = layout.calendar else {
        return false;
    };
    let text = part.text();
    let Ok(calendar) = calendar::parse(text.as_bytes()) else {
        return false;
    };
    let Some(event) = calendar.events.first() else {
        return false;
    };
    // The method in the object counts; RFC 6047 2.4 has the same one in the Content-Type.
    let method = match calendar.method.as_str() {
        "" => part
            .info
            .method
            .as_deref()
            .unwrap_or("")
            .to_ascii_uppercase(),
        method => method.to_owned(),
    };
    let Some(class) = class(&method, event) else {
        return false;
    };
    let bag = &mut message.props;
    bag.set_text(PID_TAG_MESSAGE_CLASS, class);
    calendar::set_properties(bag, event, &method, context);
    if bag.get(PID_TAG_BODY).is_none()
        && let Some(text) = &event.description
    {
        bag.set_text(PID_TAG_BODY, &body::with_crlf(text));
        bag.set(PID_TAG_NATIVE_BODY, &PropValue::Integer32(1));
    }
    if bag
        .get_text(PID_TAG_SUBJECT)
        .is_none_or(|subject| subject.is_empty())
        && let Some(summary) = &event.summary
    {
        for tag in [
            PID_TAG_SUBJECT,
            PID_TAG_NORMALIZED_SUBJECT,
            PID_TAG_CONVERSATION_TOPIC,
        ] {
            bag.set_text(tag, summary);
        }
    }
    true
}

/// `None` for what is no meeting object, as PUBLISH.
fn class(method: &str, event: &Event) -> Option<&'static str> {
    Some(match (method, event.answer.as_str()) {
        ("REQUEST", _) => "IPM.Schedule.Meeting.Request",
        ("CANCEL", _) => "IPM.Schedule.Meeting.Canceled",
        ("REPLY", "ACCEPTED") => "IPM.Schedule.Meeting.Resp.Pos",
        ("REPLY", "DECLINED") => "IPM.Schedule.Meeting.Resp.Neg",
        ("REPLY", "TENTATIVE") | ("COUNTER", _) => "IPM.Schedule.Meeting.Resp.Tent",
        _ => return None,
    })
}
