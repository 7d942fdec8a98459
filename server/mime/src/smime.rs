//! Signed and encrypted messages (MS-OXOSMIME 2.1).

use ropewalk_props::{Bag, PropValue, tags::*};
use ropewalk_store::{Attachment, Message};

use crate::{attachment, header::Headers, part::Part};

/// The name that clients give the one attachment.
const FILE_NAME: &str = "smime.p7m";

/// An opaque-signed or encrypted message: no body, one attachment (MS-OXOSMIME 2.1.3).
pub fn set_opaque(message: &mut Message, part: &Part<'_>) -> bool {
    let info = &part.info;
    let named = info
        .name
        .as_deref()
        .is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"));
    let pkcs7 = info.main == "application"
        && match info.sub.as_str() {
            "pkcs7-mime" | "x-pkcs7-mime" => true,
            "octet-stream" => named,
            _ => false,
        };
    if pkcs7 {
        let code_page = PropValue::Integer32(crate::charset::UTF_8 as i32);
        message.props.set(PID_TAG_INTERNET_CODEPAGE, &code_page);
        let mime_type = info.mime_type();
        set(message, "IPM.Note.SMIME", &mime_type, &part.decoded());
    }
    pkcs7
}

/// A clear-signed message: the body of the first part, and all as one attachment (MS-OXOSMIME
/// 2.1.1).
pub fn set_clear_signed(message: &mut Message, headers: &Headers, part: &Part<'_>) -> bool {
    let protocol = part
        .info
        .protocol
        .as_deref()
        .unwrap_or("")
        .to_ascii_lowercase();
    let signed = part.info.is("multipart", "signed")
        && [
            "application/pkcs7-signature",
            "application/x-pkcs7-signature",
        ]
        .contains(&protocol.as_str());
    if signed {
        let ty = headers.folded("Content-Type").unwrap_or("multipart/signed");
        let ty = ty.replace("\r\n", "\n").replace('\n', "\r\n");
        let mut entity = format!("Content-Type: {ty}\r\n\r\n").into_bytes();
        entity.extend_from_slice(part.body);
        let class = "IPM.Note.SMIME.MultipartSigned";
        set(message, class, "multipart/signed", &entity);
    }
    signed
}

fn set(message: &mut Message, class: &str, mime_type: &str, data: &[u8]) {
    use ropewalk_props::BagView as _;
    message.props.set_text(PID_TAG_MESSAGE_CLASS, class);
    let mut props = Bag::new();
    props.set(PID_TAG_ATTACH_NUMBER, &PropValue::Integer32(0));
    props.set(PID_TAG_ATTACH_METHOD, &PropValue::Integer32(1));
    props.set(PID_TAG_RENDERING_POSITION, &PropValue::Integer32(-1));
    props.set(PID_TAG_ATTACH_FLAGS, &PropValue::Integer32(0));
    props.set_text(PID_TAG_ATTACH_MIME_TAG, mime_type);
    if let Some(now) = message
        .props
        .get(PID_TAG_LAST_MODIFICATION_TIME)
        .and_then(|time| time.as_time())
    {
        props.set(PID_TAG_CREATION_TIME, &PropValue::Time(now));
        props.set(PID_TAG_LAST_MODIFICATION_TIME, &PropValue::Time(now));
    }
    attachment::set_name(&mut props, FILE_NAME);
    attachment::set_data(&mut props, data);
    message.attachments = vec![Attachment {
        number: 0,
        props,
        embedded: None,
    }];
}
