//! From an internet message to a message (MS-OXCMAIL 2.2).

use std::borrow::Cow;

use ropewalk_props::{PropValue, tags::*};
use ropewalk_store::Message;

use crate::{
    attachment::{self, References},
    body::{self, Layout},
    context::Context,
    envelope,
    header::{self, Headers},
    meeting,
    part::{Info, Part},
    report, smime,
};

/// Embedded messages nest this deep; the store takes 32.
pub const EMBEDDED_DEPTH_MAX: usize = 16;

/// PidTagMessageFlags of a message that came in: mfUnmodified and mfInternet (MS-OXCMSG 2.2.1.6).
const FLAGS: i32 = 0x2002;
/// The same of an embedded message, which is read with the one that it is in: mfRead.
const EMBEDDED_FLAGS: i32 = FLAGS | 1;
/// mfUnsent.
const UNSENT: i32 = 8;

/// Converts a message.
pub fn message(data: &[u8], context: &Context<'_>) -> Message {
    at_depth(data, context, 0)
}

/// Converts a message that is embedded in that many others.
pub fn at_depth(data: &[u8], context: &Context<'_>, depth: usize) -> Message {
    // The mark that editors put before UTF-8.
    let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
    let data = line_ends(data);
    let (block, content) = header::split(&data);
    let headers = Headers::parse(block, None);
    let mut message = Message::default();
    let mut flags = if depth == 0 { FLAGS } else { EMBEDDED_FLAGS };
    // The mark of a draft in a file, as clients write it.
    if headers.raw("X-Unsent").is_some_and(|value| value == "1") {
        flags |= UNSENT;
    }
    message
        .props
        .set(PID_TAG_MESSAGE_FLAGS, &PropValue::Integer32(flags));
    message.props.set_text(PID_TAG_MESSAGE_CLASS, "IPM.Note");
    message.props.set(
        PID_TAG_LAST_MODIFICATION_TIME,
        &PropValue::Time(context.now),
    );
    envelope::set(&mut message, &headers, context);
    let part = Part::new(Info::new(&headers, false), content, context);

    if smime::set_opaque(&mut message, &part) {
        return message;
    }
    let layout = Layout::of(&part);
    let html = body::set(&mut message.props, &layout);
    if smime::set_clear_signed(&mut message, &headers, &part) {
        return message;
    }
    report::set(&mut message, &part);
    let is_meeting = meeting::set(&mut message, &layout, context);
    let references = References::of(html.as_deref().unwrap_or(""));
    let calendar = layout.calendar.filter(|_| !is_meeting);
    let files = layout.files.iter().copied();
    let files = files.chain(calendar.map(|part| body::File {
        part,
        related: false,
    }));
    for (file, number) in files.zip(0..) {
        let attachment = attachment::convert(file, number, &references, context, depth);
        message.attachments.push(attachment);
    }
    message
}

/// Lines that end with CR alone, as old Macs had them, get LF.
fn line_ends(data: &[u8]) -> Cow<'_, [u8]> {
    if data.contains(&b'\n') || !data.contains(&b'\r') {
        return Cow::Borrowed(data);
    }
    let change = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
    Cow::Owned(data.iter().map(change).collect())
}
