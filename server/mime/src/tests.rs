//! Tests of whole messages: the mapping rules, the demo office, real mail, and arbitrary bytes.

mod demo;
mod mapping;
mod robust;

use std::fmt::Write as _;

use ropewalk_props::{Bag, BagView as _, PropTag, PropValue, tags::*};
use ropewalk_store::Message;

use crate::testing::{Names, now};

fn convert(text: &str) -> Message {
    crate::message(text.as_bytes(), &Names::default(), now())
}

fn text(bag: &Bag, tag: PropTag) -> String {
    bag.get_text(tag).unwrap_or_else(|| "-".to_owned())
}

fn binary(bag: &Bag, tag: PropTag) -> Vec<u8> {
    match bag.value(tag) {
        Some(PropValue::Binary(bytes)) => bytes,
        other => panic!("{tag}: {other:?}"),
    }
}

/// A message in a few lines: class, subject, people, body, and what is attached.
fn summary(message: &Message) -> String {
    let bag = &message.props;
    let mut out = String::new();
    let body = text(bag, PID_TAG_BODY);
    let first = body
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("");
    let _ = writeln!(
        out,
        "{} | {}",
        text(bag, PID_TAG_MESSAGE_CLASS),
        text(bag, PID_TAG_SUBJECT)
    );
    let _ = writeln!(
        out,
        "{} <{}> to {} / {} / {}",
        text(bag, PID_TAG_SENT_REPRESENTING_NAME),
        text(bag, PID_TAG_SENT_REPRESENTING_SMTP_ADDRESS),
        text(bag, PID_TAG_DISPLAY_TO),
        text(bag, PID_TAG_DISPLAY_CC),
        text(bag, PID_TAG_DISPLAY_BCC),
    );
    let _ = writeln!(
        out,
        "body {:?}, page {:?}: {first}",
        bag.get_i32(PID_TAG_NATIVE_BODY).unwrap_or(0),
        bag.get_i32(PID_TAG_INTERNET_CODEPAGE).unwrap_or(0)
    );
    for attachment in &message.attachments {
        let bag = &attachment.props;
        let name = match &attachment.embedded {
            Some(embedded) => format!("[{}]", text(&embedded.props, PID_TAG_SUBJECT)),
            None => text(bag, PID_TAG_ATTACH_LONG_FILENAME),
        };
        let hidden = bag
            .get(PID_TAG_ATTACHMENT_HIDDEN)
            .and_then(|value| value.as_bool());
        let _ = writeln!(
            out,
            "+ {name} {}{}",
            text(bag, PID_TAG_ATTACH_MIME_TAG),
            if hidden == Some(true) { " inline" } else { "" }
        );
    }
    out
}
