//! Delivery status and disposition notifications (MS-OXCMAIL 2.2.3.7 and 2.2.3.8).

use ropewalk_props::{Bag, BagView as _, PropValue, tags::*};
use ropewalk_store::Message;

use crate::{
    address::{self, Mailbox},
    header::Headers,
    part::Part,
};

/// Bytes of a report that are read.
const REPORT_BYTES_MAX: usize = 256 << 10;
/// Recipients of a report.
const RECIPIENTS_MAX: usize = 1_000;

/// Actions from the worst to the best, with the end of the class (MS-OXCMAIL 2.2.3.7.1.1).
const ACTIONS: [(&str, &str); 5] = [
    ("failed", "NDR"),
    ("delayed", "Delayed.DR"),
    ("delivered", "DR"),
    ("relayed", "Relayed.DR"),
    ("expanded", "Expanded.DR"),
];

/// Gives a multipart/report the class of what it reports.
pub fn set(message: &mut Message, part: &Part<'_>) {
    if !part.info.is("multipart", "report") {
        return;
    }
    let children = |sub: &'static str| {
        let children = part.children.iter();
        children.filter(move |child| child.info.is("message", sub))
    };
    let statuses: Vec<Headers> = children("delivery-status").flat_map(groups).collect();
    if !statuses.is_empty() {
        set_delivery(message, &statuses);
    } else if let Some(notification) = children("disposition-notification").next() {
        set_disposition(&mut message.props, notification);
    }
}

fn set_class(bag: &mut Bag, end: &str) {
    bag.set_text(PID_TAG_MESSAGE_CLASS, &format!("REPORT.IPM.Note.{end}"));
    if let Some(time) = bag
        .get(PID_TAG_MESSAGE_DELIVERY_TIME)
        .and_then(|time| time.as_time())
    {
        bag.set(PID_TAG_REPORT_TIME, &PropValue::Time(time));
    }
}

/// The groups of fields in a delivery status: one of the message, then one for each recipient.
fn groups(status: &Part<'_>) -> Vec<Headers> {
    let text = status.text().replace('\r', "");
    let end = (0..=REPORT_BYTES_MAX.min(text.len())).rev();
    let end = end.into_iter().find(|end| text.is_char_boundary(*end));
    let text = text.get(..end.unwrap_or(0)).unwrap_or("");
    let groups = text.split("\n\n").filter(|group| !group.trim().is_empty());
    let groups = groups.take(RECIPIENTS_MAX + 1);
    groups
        .map(|group| Headers::parse(group.as_bytes(), None))
        .collect()
}

/// MS-OXCMAIL 2.2.3.7.1: the worst action counts, and the recipients that have it are listed.
fn set_delivery(message: &mut Message, groups: &[Headers]) {
    let worst = groups.iter().filter_map(action).min();
    let Some((_, end)) = worst.and_then(|worst| ACTIONS.get(worst)) else {
        return;
    };
    set_class(&mut message.props, end);
    if let Some(agent) = groups.iter().find_map(|group| group.raw("Reporting-MTA")) {
        let tag = PID_TAG_REPORTING_MESSAGE_TRANSFER_AGENT;
        message.props.set_text(tag, after_type(&agent));
    }
    let mut names = message
        .props
        .get_text(PID_TAG_DISPLAY_TO)
        .unwrap_or_default();
    let affected = groups.iter().filter(|group| action(group) == worst);
    for group in affected.take(RECIPIENTS_MAX) {
        let recipient = group.raw("Original-Recipient");
        let Some(recipient) = group.raw("Final-Recipient").or(recipient) else {
            continue;
        };
        let address = after_type(&recipient).trim_matches(['<', '>']);
        let Some(mailbox) = Mailbox::new("", address) else {
            continue;
        };
        let row_id = message.recipients.len() as u32;
        let mut row = mailbox.recipient(row_id, address::TO);
        for (name, tag) in [
            ("Remote-MTA", PID_TAG_REMOTE_MESSAGE_TRANSFER_AGENT),
            ("Diagnostic-Code", PID_TAG_SUPPLEMENTARY_INFO),
        ] {
            if let Some(value) = group.raw(name) {
                row.props.set_text(tag, after_type(&value));
            }
        }
        if let Some(code) = group.raw("Status").and_then(|status| status_code(&status)) {
            let tag = PID_TAG_NON_DELIVERY_REPORT_STATUS_CODE;
            row.props.set(tag, &PropValue::Integer32(code));
        }
        message.recipients.push(row);
        if !names.is_empty() {
            names.push_str("; ");
        }
        names.push_str(&mailbox.name);
    }
    message.props.set_text(PID_TAG_DISPLAY_TO, &names);
}

/// The position in [`ACTIONS`] of a recipient's action (RFC 3464 2.3.3).
fn action(group: &Headers) -> Option<usize> {
    let value = group.raw("Action")?;
    let value = value.split([' ', '(', ';']).next().unwrap_or("");
    ACTIONS
        .iter()
        .position(|(name, _)| value.eq_ignore_ascii_case(name))
}

/// `550 no such mailbox` of `smtp; 550 no such mailbox`.
fn after_type(value: &str) -> &str {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim()
}

/// PidTagNonDeliveryReportStatusCode: 511 for 5.1.1 (MS-OXOMSG 2.2.2.32).
fn status_code(status: &str) -> Option<i32> {
    let mut numbers = status.split([' ', '(']).next()?.split('.');
    let mut next = |max: i32| {
        let number = numbers.next()?.trim().parse::<i32>().ok()?;
        (0..=max).contains(&number).then_some(number)
    };
    Some(next(9)? * 100 + next(9)? * 10 + next(9)?)
}

/// MS-OXCMAIL 2.2.3.8, by the Disposition (RFC 8098 3.2.6).
fn set_disposition(bag: &mut Bag, notification: &Part<'_>) {
    let text = notification.decoded();
    let text = text.get(..REPORT_BYTES_MAX).unwrap_or(&text);
    let Some(disposition) = Headers::parse(text, None).raw("Disposition") else {
        return;
    };
    let Some((mode, kind)) = disposition.split_once(';') else {
        return;
    };
    bag.set_text(PID_TAG_REPORT_DISPOSITION_MODE, mode.trim());
    bag.set_text(PID_TAG_REPORT_DISPOSITION, kind.trim());
    let kind = kind.split(['/', ',']).next().unwrap_or("").trim();
    let read = ["displayed", "dispatched", "processed"];
    let read = read.iter().any(|name| kind.eq_ignore_ascii_case(name));
    set_class(bag, if read { "IPNRN" } else { "IPNNRN" });
}
