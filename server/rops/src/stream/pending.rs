//! Bringing what was written to streams into the messages and attachments that they belong to.
//!
//! What is written to a stream is visible on its object at once (MS-OXCPRPT 3.2.5.13), but moving
//! it there at every write would copy it as often. An object therefore notes which of its streams
//! were written to, and takes their content when it is next looked at.

use ropewalk_props::{Bag, PropTag, tags::*};
use ropewalk_wire::ErrorCode;

use super::{Change, Owner, Value};
use crate::{
    context::Session,
    message::{body::Parts, subject},
    object::Object,
};

/// The handles of streams with content that their object does not have yet.
#[derive(Clone, Debug, Default)]
pub struct PendingStreams(Vec<u32>);

impl PendingStreams {
    /// Notes a stream.
    pub fn note(&mut self, handle: u32) {
        if !self.0.contains(&handle) {
            self.0.push(handle);
        }
    }

    /// True if the object has everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn pending(object: &mut Object) -> Option<&mut PendingStreams> {
    match object {
        Object::Message(message) => Some(&mut message.streams),
        Object::Attachment(attachment) => Some(&mut attachment.streams),
        _ => None,
    }
}

/// Brings the content of all streams of an object into it. Those whose content it could not take
/// stay noted: nothing is to be saved without them.
pub fn settle(session: &mut Session, logon_id: u8, handle: u32) -> Result<(), ErrorCode> {
    let Ok(object) = session.objects.get_mut(handle, logon_id) else {
        return Ok(());
    };
    let Some(streams) = pending(object).filter(|streams| !streams.is_empty()) else {
        return Ok(());
    };
    let mut left = std::mem::take(&mut streams.0);
    while let Some(stream) = left.last() {
        if let Err(code) = settle_one(session, logon_id, *stream) {
            if let Some(streams) =
                (session.objects.get_mut(handle, logon_id).ok()).and_then(pending)
            {
                streams.0 = left;
            }
            return Err(code);
        }
        left.pop();
    }
    Ok(())
}

/// Brings the content of one stream into its object, if that is still open.
pub fn settle_one(session: &mut Session, logon_id: u8, stream: u32) -> Result<(), ErrorCode> {
    let Ok(Object::Stream(object)) = session.objects.get_mut(stream, logon_id) else {
        return Ok(());
    };
    let Owner::Object(owner) = object.owner else {
        return Ok(());
    };
    if !object.dirty {
        return Ok(());
    }
    // A change that is taken has to have its place: the stream does not give it twice.
    match session.objects.get_mut(owner, logon_id) {
        Ok(Object::Message(message)) => drop(message.edit()?),
        Ok(Object::Attachment(attachment)) => drop(attachment.edit()?),
        _ => return Ok(()),
    }
    let stream = session.objects.get_mut(stream, logon_id)?.stream_mut()?;
    let Some(change) = stream.take_change(&session.store)? else {
        return Ok(());
    };
    match session.objects.get_mut(owner, logon_id) {
        Ok(Object::Message(message)) => {
            let tag = change.tag;
            let props = &mut message.edit()?.props;
            put(props, change);
            settle_subject(props, tag);
            message.settle_body(Parts::of(tag.id()))?;
        }
        Ok(Object::Attachment(attachment)) => put(&mut attachment.edit()?.props, change),
        _ => {}
    }
    Ok(())
}

fn put(props: &mut Bag, change: Change) {
    match change.value {
        Value::Inline(bytes) => props.set_packed(change.tag, &bytes),
        Value::External(blob) => props.set_external(change.tag, blob),
    }
}

fn settle_subject(props: &mut Bag, tag: PropTag) {
    subject::settle(
        props,
        subject::Changed {
            subject: tag == PID_TAG_SUBJECT,
            prefix: tag == PID_TAG_SUBJECT_PREFIX,
            normalized: tag == PID_TAG_NORMALIZED_SUBJECT,
            deleted: false,
        },
    );
}

/// Notes at a stream's object that the stream was written to.
pub fn note(session: &mut Session, logon_id: u8, stream: u32, owner: Owner) {
    let Owner::Object(owner) = owner else { return };
    if let Ok(object) = session.objects.get_mut(owner, logon_id)
        && let Some(streams) = pending(object)
    {
        streams.note(stream);
    }
}
