//! Message content: owned, and read in place from its archive.

use std::{fmt, sync::Arc};

use rkyv::{rancor, util::AlignedVec};
use ropewalk_props::Bag;

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
    pub fn view(&self) -> &ArchivedMessage {
        // Checked anew each time: some 40 ns for a usual message, half a microsecond for one with 200
        // recipients (bags are checked as two runs of plain bytes). Too little to go without the
        // check, which would take unsafe code.
        let archive = self.record.get(RECORD_HEADER..).unwrap_or_default();
        rkyv::access::<ArchivedMessage, rancor::Error>(archive)
            .expect("the archive was validated when it was loaded")
    }

    /// An owned copy of the content.
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

impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredMessage({} bytes)", self.record.len())
    }
}
