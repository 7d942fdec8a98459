//! Delivery status and disposition notifications (MS-OXCMAIL 2.2.3.7 and 2.2.3.8).

use ropewalk_props::{Bag, BagView as _, PropValue, tags::*};

use crate::{header::Headers, part::Part};

/// Bytes of a report that are read.
const REPORT_BYTES_MAX: usize = 64 << 10;

/// Gives a multipart/report the class of what it reports.
pub fn set(bag: &mut Bag, part: &Part<'_>) {
    if !part.info.is("multipart", "report") {
        return;
    }
    let child = |sub: &str| {
        part.children
            .iter()
            .find(|child| child.info.is("message", sub))
    };
    let class = if let Some(status) = child("delivery-status") {
        delivery_class(status)
    } else if let Some(disposition) = child("disposition-notification") {
        disposition_class(bag, disposition)
    } else {
        None
    };
    let Some(class) = class else { return };
    bag.set_text(PID_TAG_MESSAGE_CLASS, class);
    if let Some(time) = bag
        .get(PID_TAG_MESSAGE_DELIVERY_TIME)
        .and_then(|time| time.as_time())
    {
        bag.set(PID_TAG_REPORT_TIME, &PropValue::Time(time));
    }
}

/// By the first recipient's Action (RFC 3464 2.3.3).
fn delivery_class(status: &Part<'_>) -> Option<&'static str> {
    let text = status.text();
    let text = text.get(..REPORT_BYTES_MAX).unwrap_or(&text);
    let action = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("Action")
            .then_some(value.trim())
    })?;
    let action = action.split([' ', '(', ';']).next().unwrap_or("");
    Some(match action.to_ascii_lowercase().as_str() {
        "failed" => "REPORT.IPM.Note.NDR",
        "delivered" => "REPORT.IPM.Note.DR",
        "expanded" => "REPORT.IPM.Note.Expanded.DR",
        "relayed" => "REPORT.IPM.Note.Relayed.DR",
        "delayed" => "REPORT.IPM.Note.Delayed.DR",
        _ => return None,
    })
}

/// By the Disposition (RFC 8098 3.2.6).
fn disposition_class(bag: &mut Bag, notification: &Part<'_>) -> Option<&'static str> {
    let text = notification.decoded();
    let text = text.get(..REPORT_BYTES_MAX).unwrap_or(&text);
    let disposition = Headers::parse(text, None).raw("Disposition")?;
    let (mode, kind) = disposition.split_once(';')?;
    bag.set_text(PID_TAG_REPORT_DISPOSITION_MODE, mode.trim());
    bag.set_text(PID_TAG_REPORT_DISPOSITION, kind.trim());
    let kind = kind.split(['/', ',']).next().unwrap_or("").trim();
    Some(match kind.to_ascii_lowercase().as_str() {
        "displayed" | "dispatched" | "processed" => "REPORT.IPM.Note.IPNRN",
        _ => "REPORT.IPM.Note.IPNNRN",
    })
}
