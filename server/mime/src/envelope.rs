//! From header fields to properties (MS-OXCMAIL 2.2.3.1 and 2.2.3.2).

use ropewalk_props::{Bag, FileTime, PropValue, named_tags, tags::*};
use ropewalk_store::{Message, Recipient};

use crate::{
    address::{self, Mailbox},
    context::Context,
    header::Headers,
    subject, transfer,
};

/// Recipients of a message.
const RECIPIENTS_MAX: usize = 10_000;
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 1_000;
/// Bytes of a conversation index (MS-OXOMSG 2.2.1.3: a header of 22 bytes, and 5 for each reply).
const CONVERSATION_INDEX_BYTES_MAX: usize = 22 + 5 * 200;

/// Sets everything that the header of a message says.
pub fn set(message: &mut Message, headers: &Headers, context: &Context<'_>) {
    let bag = &mut message.props;
    set_originators(bag, headers);
    set_receipts(bag, headers);
    set_subject(bag, headers);
    set_importance(bag, headers);
    set_identifiers(bag, headers);
    set_times(bag, headers, context.now);
    set_keywords(bag, headers, context);
    if let Some(class) = headers.raw("Content-Class") {
        // MS-OXCMAIL 2.2.3.2.15.
        context.set_text(bag, named_tags::PID_NAME_CONTENT_CLASS, &class);
    }
    let text = headers.text();
    if !text.is_empty() {
        // MS-OXCMAIL 2.2.3.2.28. Embedded messages get it too: nothing else keeps their header.
        bag.set_text(PID_TAG_TRANSPORT_MESSAGE_HEADERS, &text);
    }
    let recipients = [
        ("To", address::TO),
        ("Cc", address::CC),
        ("Bcc", address::BCC),
    ];
    let mut found: Vec<(Mailbox, u8)> = Vec::new();
    for (name, kind) in recipients {
        let left = RECIPIENTS_MAX.saturating_sub(found.len());
        found.extend(
            mailboxes(headers, name, left)
                .into_iter()
                .map(|one| (one, kind)),
        );
    }
    set_recipients(message, &found);
}

/// Replaces the recipients, and the display names that sum them up (MS-OXCMSG 2.2.1.47).
pub fn set_recipients(message: &mut Message, recipients: &[(Mailbox, u8)]) {
    let rows = recipients.iter().zip(0..);
    let rows = rows.map(|((mailbox, kind), row_id)| mailbox.recipient(row_id, *kind));
    message.recipients = rows.collect::<Vec<Recipient>>();
    for (tag, kind) in [
        (PID_TAG_DISPLAY_TO, address::TO),
        (PID_TAG_DISPLAY_CC, address::CC),
        (PID_TAG_DISPLAY_BCC, address::BCC),
    ] {
        let these = recipients.iter().filter(|(_, its)| *its == kind);
        let names = address::display_names(these.map(|(mailbox, _)| mailbox));
        message.props.set_text(tag, &names);
    }
}

fn mailboxes(headers: &Headers, name: &str, max: usize) -> Vec<Mailbox> {
    let all = headers.addresses(name, max);
    all.iter().filter_map(Mailbox::from_addr).collect()
}

/// MS-OXCMAIL 2.2.3.1.3 From, 2.2.3.1.4 Sender, 2.2.3.1.6 Reply-To.
fn set_originators(bag: &mut Bag, headers: &Headers) {
    let first = |name: &str| mailboxes(headers, name, 8).into_iter().next();
    let from = first("From").or_else(|| {
        // Some programs write what is not an address; it is shown all the same.
        Mailbox::new(&headers.decoded("From")?, "")
    });
    let sender = first("Sender");
    if let Some(sender) = sender.as_ref().or(from.as_ref()) {
        sender.set(bag, &address::SENDER);
    }
    if let Some(from) = from.as_ref().or(sender.as_ref()) {
        from.set(bag, &address::SENT_REPRESENTING);
    }
    let reply_to = mailboxes(headers, "Reply-To", 100);
    if !reply_to.is_empty() {
        let names = address::display_names(&reply_to);
        bag.set_text(PID_TAG_REPLY_RECIPIENT_NAMES, &names);
        let entries = PropValue::Binary(address::flat_entry_list(&reply_to));
        bag.set(PID_TAG_REPLY_RECIPIENT_ENTRIES, &entries);
    }
}

/// MS-OXCMAIL 2.2.3.1: read and delivery receipts.
fn set_receipts(bag: &mut Bag, headers: &Headers) {
    let to = mailboxes(headers, "Disposition-Notification-To", 1)
        .into_iter()
        .next();
    if let Some(to) = &to {
        to.set(bag, &address::READ_RECEIPT);
    }
    bag.set(
        PID_TAG_READ_RECEIPT_REQUESTED,
        &PropValue::Boolean(to.is_some()),
    );
    let delivery = headers.raw("Return-Receipt-To").is_some();
    bag.set(
        PID_TAG_ORIGINATOR_DELIVERY_REPORT_REQUESTED,
        &PropValue::Boolean(delivery),
    );
}

/// MS-OXCMAIL 2.2.3.2.6 subject, 2.2.3.2.7 conversation topic, and the conversation index.
fn set_subject(bag: &mut Bag, headers: &Headers) {
    let subject = headers.decoded("Subject").unwrap_or_default();
    let subject: String = subject.chars().take(SUBJECT_CHARS_MAX).collect();
    let (prefix, normalized) = subject::split(&subject);
    bag.set_text(PID_TAG_SUBJECT, &subject);
    bag.set_text(PID_TAG_SUBJECT_PREFIX, prefix);
    bag.set_text(PID_TAG_NORMALIZED_SUBJECT, normalized);
    let topic = headers.decoded("Thread-Topic");
    let topic = topic.filter(|topic| !topic.is_empty());
    let topic: String = match &topic {
        Some(topic) => topic.chars().take(SUBJECT_CHARS_MAX).collect(),
        // Outlook's topic is the subject of the first message, which all prefixes are off.
        None => without_prefixes(normalized).to_owned(),
    };
    bag.set_text(PID_TAG_CONVERSATION_TOPIC, &topic);
    if let Some(index) = headers.raw("Thread-Index") {
        let mut index = transfer::base64(index.as_bytes());
        index.truncate(CONVERSATION_INDEX_BYTES_MAX);
        if index.len() >= 22 {
            bag.set(PID_TAG_CONVERSATION_INDEX, &PropValue::Binary(index));
        }
    }
}

fn without_prefixes(subject: &str) -> &str {
    let mut rest = subject;
    // Each step makes it shorter.
    while let (prefix, shorter) = subject::split(rest)
        && !prefix.is_empty()
    {
        rest = shorter;
    }
    rest
}

/// MS-OXCMAIL 2.2.3.2.5 importance, with PidTagPriority, and sensitivity.
fn set_importance(bag: &mut Bag, headers: &Headers) {
    let value = |name: &str| headers.raw(name).map(|value| value.to_ascii_lowercase());
    let by_word = |value: String| match value.as_str() {
        "low" | "non-urgent" => Some(0),
        "normal" => Some(1),
        "high" | "urgent" => Some(2),
        _ => None,
    };
    let by_digit = |value: String| match value.bytes().next() {
        Some(b'4' | b'5') => Some(0),
        Some(b'3') => Some(1),
        Some(b'1' | b'2') => Some(2),
        _ => None,
    };
    let importance = value("Importance")
        .and_then(by_word)
        .or_else(|| value("X-Priority").and_then(by_digit))
        .or_else(|| value("Priority").and_then(by_word))
        .or_else(|| value("X-MSMail-Priority").and_then(by_word))
        .unwrap_or(1);
    let priority = value("Priority").and_then(by_word).unwrap_or(importance);
    bag.set(PID_TAG_IMPORTANCE, &PropValue::Integer32(importance));
    bag.set(PID_TAG_PRIORITY, &PropValue::Integer32(priority - 1));
    let sensitivity = match value("Sensitivity").as_deref() {
        Some("personal") => 1,
        Some("private") => 2,
        Some("company-confidential") => 3,
        _ => 0,
    };
    bag.set(PID_TAG_SENSITIVITY, &PropValue::Integer32(sensitivity));
}

/// MS-OXCMAIL 2.2.3.2: the fields as they stand, angle brackets and all.
fn set_identifiers(bag: &mut Bag, headers: &Headers) {
    for (name, tag) in [
        ("Message-ID", PID_TAG_INTERNET_MESSAGE_ID),
        ("References", PID_TAG_INTERNET_REFERENCES),
        ("In-Reply-To", PID_TAG_IN_REPLY_TO_ID),
        ("Organization", PID_TAG_INTERNET_ORGANIZATION),
        ("Return-Path", PID_TAG_INTERNET_RETURN_PATH),
    ] {
        if let Some(value) = headers.raw(name) {
            bag.set_text(tag, &value);
        }
    }
}

/// MS-OXCMAIL 2.2.3.2: the client's time from Date, or, without a valid one, the current time; the
/// delivery's from the newest Received.
fn set_times(bag: &mut Bag, headers: &Headers, now: FileTime) {
    let date = headers.time("Date");
    let submitted = date.unwrap_or(now);
    let delivered = headers.time("Received").unwrap_or(submitted);
    bag.set(PID_TAG_CLIENT_SUBMIT_TIME, &PropValue::Time(submitted));
    bag.set(PID_TAG_MESSAGE_DELIVERY_TIME, &PropValue::Time(delivered));
    bag.set(PID_TAG_CREATION_TIME, &PropValue::Time(now));
    if let Some(expires) = headers.time("Expires") {
        bag.set(PID_TAG_EXPIRY_TIME, &PropValue::Time(expires));
    }
}

/// MS-OXCMAIL 2.2.3.2: Keywords are categories.
fn set_keywords(bag: &mut Bag, headers: &Headers, context: &Context<'_>) {
    let Some(keywords) = headers.decoded("Keywords") else {
        return;
    };
    let keywords = keywords.split([',', ';']).map(str::trim);
    let keywords = keywords.filter(|word| !word.is_empty()).take(100);
    let keywords: Vec<_> = keywords.map(Into::into).collect();
    if !keywords.is_empty() {
        let value = PropValue::MultipleString(keywords);
        context.set(bag, named_tags::PID_NAME_KEYWORDS, &value);
    }
}
