//! Message content: owned, and read in place from its archive.

use std::{fmt, sync::Arc};

use rkyv::{rancor, util::AlignedVec};
use ropewalk_props::{Bag, BagView, BlobRef, Slot};

use crate::{StoreError, log::frame::RECORD_HEADER};

/// Embedded messages may nest this deep.
const MAX_NESTING: usize = 32;

/// A message's content: what a client writes and reads, without identity and change tracking.
#[derive(Clone, Debug, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
#[rkyv(
    serialize_bounds(__S: rkyv::ser::Writer + rkyv::ser::Allocator, __S::Error: rancor::Source),
    deserialize_bounds(__D::Error: rancor::Source),
    bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: rancor::Source))
)]
pub struct Message {
    /// The message's own properties.
    pub props: Bag,
    /// The recipients, in order.
    pub recipients: Vec<Recipient>,
    /// The attachments, in order.
    #[rkyv(omit_bounds)]
    pub attachments: Vec<Attachment>,
}

/// One recipient row.
#[derive(Clone, Debug, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Recipient {
    /// PidTagRowid.
    pub row_id: u32,
    /// The low byte of PidTagRecipientType.
    pub kind: u8,
    /// The recipient's properties.
    pub props: Bag,
}

/// One attachment.
#[derive(Clone, Debug, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
#[rkyv(
    serialize_bounds(__S: rkyv::ser::Writer + rkyv::ser::Allocator, __S::Error: rancor::Source),
    deserialize_bounds(__D::Error: rancor::Source),
    bytecheck(bounds(__C: rkyv::validation::ArchiveContext, __C::Error: rancor::Source))
)]
pub struct Attachment {
    /// PidTagAttachNumber.
    pub number: u32,
    /// The attachment's properties.
    pub props: Bag,
    /// The embedded message, if the attachment is one. They nest up to 32 deep.
    #[rkyv(omit_bounds)]
    pub embedded: Option<Box<Message>>,
}

/// A message's content as it lies in the store. Cloning it copies a pointer.
#[derive(Clone)]
pub struct StoredMessage {
    /// A record of the log: its header and its archive, whose checksum was verified.
    record: Arc<AlignedVec>,
}

impl StoredMessage {
    /// Takes a record whose checksum was verified; `None` if it is not the archive of a message.
    pub(crate) fn new(record: AlignedVec) -> Option<Self> {
        let archive = record.get(RECORD_HEADER..)?;
        rkyv::access::<ArchivedMessage, rancor::Error>(archive).ok()?;
        let record = Arc::new(record);
        Some(Self { record })
    }

    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.record.len()
    }

    /// The content, read in place.
    // Checking the archive anew at each look took four fifths of an Execute that reads eight
    // properties of a message of 2.5 KB: every byte of every value is visited.
    // `new` has seen that the record is longer than its header.
    #[allow(unsafe_code, clippy::indexing_slicing)]
    pub fn view(&self) -> &ArchivedMessage {
        let archive = &self.record[RECORD_HEADER..];
        // SAFETY: `new`, which alone makes a `StoredMessage`, found these very bytes to be a valid
        // archive of a message. They lie where they lay then, so that they are aligned as they were:
        // the vector's buffer does not move with the vector. Nobody has changed them since: the
        // vector is private, shared, and never borrowed mutably, and an archive has no cells.
        unsafe { rkyv::access_unchecked::<ArchivedMessage>(archive) }
    }

    /// An owned copy of the content.
    #[allow(clippy::expect_used)] // Only allocating could fail, which ends the process anyway.
    pub fn to_message(&self) -> Message {
        rkyv::deserialize::<Message, rancor::Error>(self.view())
            .expect("a validated archive of a message always deserializes")
    }
}

/// Calls `change` for every bag of a message: its own, its recipients', its attachments', and those of
/// embedded messages. Stops at the first error; [`StoreError::TooDeep`] beyond 32 levels.
pub(crate) fn for_each_bag(
    message: &mut Message,
    depth: usize,
    change: &mut dyn FnMut(&mut Bag) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    if depth > MAX_NESTING {
        return Err(StoreError::TooDeep);
    }
    change(&mut message.props)?;
    for recipient in &mut message.recipients {
        change(&mut recipient.props)?;
    }
    for attachment in &mut message.attachments {
        change(&mut attachment.props)?;
        if let Some(embedded) = &mut attachment.embedded {
            for_each_bag(embedded, depth + 1, change)?;
        }
    }
    Ok(())
}

/// Calls `visit` for every large value that a stored message refers to, embedded messages included.
pub(crate) fn for_each_external(message: &ArchivedMessage, visit: &mut dyn FnMut(BlobRef)) {
    let mut messages = vec![message];
    while let Some(message) = messages.pop() {
        externals(&message.props, visit);
        for recipient in message.recipients.iter() {
            externals(&recipient.props, visit);
        }
        for attachment in message.attachments.iter() {
            externals(&attachment.props, visit);
            messages.extend(attachment.embedded.as_ref().map(|embedded| &**embedded));
        }
    }
}

/// Calls `visit` for every large value that a bag refers to.
pub(crate) fn externals(bag: &impl BagView, visit: &mut dyn FnMut(BlobRef)) {
    for (_, slot) in bag.iter() {
        if let Slot::External(blob) = slot {
            visit(blob);
        }
    }
}

impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredMessage({} bytes)", self.record.len())
    }
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{BagView, PropValue, tags};

    use super::*;

    /// A record as the log gives it.
    fn record(message: &Message) -> AlignedVec {
        let archive = rkyv::to_bytes::<rancor::Error>(message).unwrap();
        let mut record = AlignedVec::new();
        record.extend_from_slice(&[0; RECORD_HEADER]);
        record.extend_from_slice(&archive);
        record
    }

    fn message(depth: u32) -> Message {
        let mut message = Message::default();
        message
            .props
            .set_text(tags::PID_TAG_SUBJECT, &format!("{depth}"));
        let props = message.props.clone();
        message.recipients.push(Recipient {
            row_id: depth,
            kind: 1,
            props: props.clone(),
        });
        if depth > 0 {
            let embedded = Some(Box::new(self::message(depth - 1)));
            message.attachments.push(Attachment {
                number: depth,
                props,
                embedded,
            });
        }
        message
    }

    /// Without any file, so that it runs under Miri:
    /// `cargo +nightly miri test -p ropewalk-store message::tests`.
    #[test]
    fn a_stored_message_is_read_in_place_wherever_it_is_moved() {
        let stored = StoredMessage::new(record(&message(3))).unwrap();
        let moved = Box::new(stored.clone());
        drop(stored);
        let mut at = moved.view();
        for depth in (1..=3).rev() {
            let expected = PropValue::text(&depth.to_string());
            let found = |bag: &ropewalk_props::ArchivedBag| {
                bag.get(tags::PID_TAG_SUBJECT)
                    .and_then(|value| value.to_value())
            };
            assert_eq!(found(&at.props), Some(expected.clone()));
            assert_eq!(found(&at.recipients[0].props), Some(expected.clone()));
            let attachment = &at.attachments[0];
            assert_eq!(
                (attachment.number.to_native(), found(&attachment.props)),
                (depth, Some(expected))
            );
            at = attachment.embedded.as_ref().unwrap();
        }
        assert!(at.attachments.is_empty());
        let threads = [moved.clone(), moved];
        let lengths = std::thread::scope(|scope| {
            let readers = threads.map(|stored| scope.spawn(move || stored.view().props.len()));
            readers.map(|reader| reader.join().unwrap())
        });
        assert_eq!(lengths, [1, 1]);
    }

    #[test]
    fn what_is_no_archive_of_a_message_is_never_looked_at() {
        let whole = record(&message(2));
        for len in [
            0,
            1,
            RECORD_HEADER - 1,
            RECORD_HEADER,
            RECORD_HEADER + 4,
            whole.len() / 2,
        ] {
            let mut cut = AlignedVec::new();
            cut.extend_from_slice(&whole[..len]);
            assert!(StoredMessage::new(cut).is_none(), "{len}");
        }
        // A position that reaches out of the archive.
        let mut broken = AlignedVec::new();
        broken.extend_from_slice(&whole);
        let end = broken.len();
        broken[end - 8..].fill(0x7F);
        assert!(StoredMessage::new(broken).is_none());
    }
}
