//! Attachments (MS-OXCMAIL 2.2.3.4).

use std::collections::HashSet;

use ropewalk_props::{Bag, PropValue, tags::*};
use ropewalk_store::Attachment;

use crate::{
    body::File,
    context::Context,
    convert::{self, EMBEDDED_DEPTH_MAX},
    file_name,
    header::without_controls,
    part::Info,
    transfer,
};

/// PidTagAttachMethod (MS-OXCMSG 2.2.2.9).
const BY_VALUE: i32 = 1;
const EMBEDDED_MESSAGE: i32 = 5;
/// PidTagAttachFlags: rendered in the HTML body, ATT_MHTML_REF (MS-OXCMSG 2.2.2.18).
const RENDERED_IN_BODY: i32 = 4;
/// PidTagRenderingPosition: nowhere in the text (MS-OXCMSG 2.2.2.16).
const NOT_RENDERED: i32 = -1;
/// Characters of a Content-ID, a location or a MIME type.
const TEXT_CHARS_MAX: usize = 1024;
/// References that are looked for in HTML.
const REFERENCES_MAX: usize = 4096;

/// What HTML refers to: content ids after `cid:`, and the values of `src` attributes.
#[derive(Debug, Default)]
pub struct References(HashSet<String>);

impl References {
    /// Looks through HTML once.
    pub fn of(html: &str) -> Self {
        let mut found = HashSet::new();
        let starts = html.match_indices(['s', 'S', 'c', 'C', 'b', 'B']);
        let values = starts.filter_map(|(at, _)| {
            let rest = html.get(at..)?;
            ["cid:", "src=", "background="]
                .into_iter()
                .find_map(|word| {
                    let (start, value) = rest.split_at_checked(word.len())?;
                    start.eq_ignore_ascii_case(word).then_some(value)
                })
        });
        for value in values.take(REFERENCES_MAX) {
            let value = value.trim_start_matches(['"', '\'']);
            let end = value.char_indices().take(TEXT_CHARS_MAX);
            let end = end
                .skip_while(|(_, c)| !(c.is_whitespace() || "\"'<>)".contains(*c)))
                .map(|(at, _)| at)
                .next();
            let Some(value) = end.and_then(|end| value.get(..end)) else {
                continue;
            };
            let value = String::from_utf8_lossy(&transfer::percent(value)).into_owned();
            found.insert(
                value
                    .strip_prefix("cid:")
                    .map(str::to_owned)
                    .unwrap_or(value),
            );
        }
        Self(found)
    }

    fn name(&self, info: &Info) -> bool {
        let names = [&info.content_id, &info.content_location];
        names
            .into_iter()
            .flatten()
            .any(|name| self.0.contains(name))
    }
}

/// Converts a part to an attachment of a message that is embedded in `depth` others.
pub fn convert(
    file: File<'_, '_>,
    number: u32,
    references: &References,
    context: &Context<'_>,
    depth: usize,
) -> Attachment {
    let info = &file.part.info;
    let inline = is_inline(file, references);
    let mut props = common(number, context);
    set_mime(&mut props, info);
    if inline {
        props.set(
            PID_TAG_ATTACH_FLAGS,
            &PropValue::Integer32(RENDERED_IN_BODY),
        );
        props.set(PID_TAG_ATTACHMENT_HIDDEN, &PropValue::Boolean(true));
    }
    let is_message = info.main == "message" && ["rfc822", "global"].contains(&info.sub.as_str());
    let data = file.part.decoded();
    if is_message && depth < EMBEDDED_DEPTH_MAX && context.take_part() {
        return embedded(info, number, props, &data, context, depth);
    }
    // MS-OXCMAIL 2.2.3.4.1.1: the description comes last for the file, and first for the display.
    let description = info.description.as_deref().and_then(file_name::sanitize);
    let name = info.name.as_deref().and_then(file_name::sanitize);
    let name = name.or_else(|| description.clone());
    let name = name.unwrap_or_else(|| file_name::made_up(number + 1, &info.mime_type()));
    set_name(&mut props, &name);
    if let Some(description) = &description {
        props.set_text(PID_TAG_DISPLAY_NAME, description);
    }
    set_data(&mut props, &data);
    if let Some(label) = info.charset.as_deref().filter(|_| info.main == "text") {
        props.set_text(PID_TAG_TEXT_ATTACHMENT_CHARSET, label);
    }
    Attachment {
        number,
        props,
        embedded: None,
    }
}

/// A message within a message (MS-OXCMAIL 2.2.3.4).
fn embedded(
    info: &Info,
    number: u32,
    mut props: Bag,
    data: &[u8],
    context: &Context<'_>,
    depth: usize,
) -> Attachment {
    use ropewalk_props::BagView as _;
    let message = convert::at_depth(data, context, depth + 1);
    let subject = message.props.get_text(PID_TAG_SUBJECT).unwrap_or_default();
    let name = if subject.is_empty() {
        "Message"
    } else {
        &subject
    };
    if let Some(name) = info.name.as_deref().and_then(file_name::sanitize) {
        set_name(&mut props, &name);
    }
    props.set_text(PID_TAG_DISPLAY_NAME, name);
    props.set(
        PID_TAG_ATTACH_METHOD,
        &PropValue::Integer32(EMBEDDED_MESSAGE),
    );
    props.set(PID_TAG_ATTACH_SIZE, &PropValue::Integer32(size(data)));
    Attachment {
        number,
        props,
        embedded: Some(Box::new(message)),
    }
}

/// What every attachment has (MS-OXCMSG 2.2.2).
pub fn common(number: u32, context: &Context<'_>) -> Bag {
    let mut props = Bag::new();
    let integer = |number: i32| PropValue::Integer32(number);
    props.set(PID_TAG_ATTACH_NUMBER, &integer(number as i32));
    props.set(PID_TAG_ATTACH_METHOD, &integer(BY_VALUE));
    props.set(PID_TAG_RENDERING_POSITION, &integer(NOT_RENDERED));
    props.set(PID_TAG_ATTACH_FLAGS, &integer(0));
    props.set(PID_TAG_ATTACHMENT_FLAGS, &integer(0));
    props.set(PID_TAG_ATTACHMENT_LINK_ID, &integer(0));
    props.set(PID_TAG_ATTACHMENT_HIDDEN, &PropValue::Boolean(false));
    props.set(PID_TAG_ATTACH_ENCODING, &PropValue::Binary(Vec::new()));
    props.set(PID_TAG_CREATION_TIME, &PropValue::Time(context.now));
    props.set(
        PID_TAG_LAST_MODIFICATION_TIME,
        &PropValue::Time(context.now),
    );
    props
}

/// The file name in all its forms (MS-OXCMAIL 2.2.3.4.1.1).
pub fn set_name(props: &mut Bag, name: &str) {
    props.set_text(PID_TAG_ATTACH_LONG_FILENAME, name);
    props.set_text(PID_TAG_ATTACH_FILENAME, &file_name::short(name));
    props.set_text(PID_TAG_DISPLAY_NAME, name);
    let extension = file_name::extension(name);
    if !extension.is_empty() {
        props.set_text(PID_TAG_ATTACH_EXTENSION, extension);
    }
}

/// The bytes, and their number.
pub fn set_data(props: &mut Bag, data: &[u8]) {
    // PtypBinary is packed as it is.
    props.set_packed(PID_TAG_ATTACH_DATA_BINARY, data);
    props.set(PID_TAG_ATTACH_SIZE, &PropValue::Integer32(size(data)));
}

fn size(data: &[u8]) -> i32 {
    i32::try_from(data.len()).unwrap_or(i32::MAX)
}

/// MS-OXCMAIL 2.2.3.4.1.4: type, content id, location and base.
fn set_mime(props: &mut Bag, info: &Info) {
    let mime_type = info.mime_type();
    let texts = [
        (PID_TAG_ATTACH_MIME_TAG, Some(&mime_type)),
        (PID_TAG_ATTACH_CONTENT_ID, info.content_id.as_ref()),
        (
            PID_TAG_ATTACH_CONTENT_LOCATION,
            info.content_location.as_ref(),
        ),
        (PID_TAG_ATTACH_CONTENT_BASE, info.content_base.as_ref()),
    ];
    for (tag, text) in texts {
        if let Some(text) = text {
            let text: String = without_controls(text)
                .chars()
                .take(TEXT_CHARS_MAX)
                .collect();
            props.set_text(tag, &text);
        }
    }
}

/// MS-OXCMAIL 2.2.3.4.1.4.1: in a multipart/related, with an id or a location, an image, and one
/// that the HTML refers to. All else stays visible.
fn is_inline(file: File<'_, '_>, references: &References) -> bool {
    file.related && file.part.info.main == "image" && references.name(&file.part.info)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_html_are_found() {
        let html = "<IMG SRC=\"cid:a@b\"> <img src='pic.png'> <td background=\"cid:b%40c\"> url(cid:d) cid:";
        let found = References::of(html).0;
        let mut found: Vec<String> = found.into_iter().collect();
        found.sort();
        assert_eq!(found, ["a@b", "b@c", "d", "pic.png"]);
    }
}
