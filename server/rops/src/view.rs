//! One way to read a message, whether it lies in the store or is being written.

use ropewalk_props::{Bag, BagView, Slot};
use ropewalk_store::{
    ArchivedAttachment, ArchivedMessage, ArchivedRecipient, Attachment, Message, Recipient,
    StoredMessage,
};

/// A message or an attachment somewhere inside a stored message, found anew at each look: the
/// message that the store gave, and the way down from it.
#[derive(Clone)]
pub struct StoredPart {
    root: StoredMessage,
    /// Positions in the lists of attachments, from the root's own downwards.
    path: Vec<u32>,
}

impl StoredPart {
    /// A stored message itself.
    pub fn root(root: StoredMessage) -> Self {
        Self {
            root,
            path: Vec::new(),
        }
    }

    /// The attachment at a position of this message, and the message embedded in it.
    pub fn child(&self, position: usize) -> Self {
        let mut path = Vec::with_capacity(self.path.len() + 1);
        path.extend_from_slice(&self.path);
        path.push(u32::try_from(position).unwrap_or(u32::MAX));
        Self {
            root: self.root.clone(),
            path,
        }
    }

    /// The message here; `None` if the way ends at an attachment without one.
    pub fn message(&self) -> Option<&ArchivedMessage> {
        down(self.root.view(), &self.path)
    }

    /// The attachment here; `None` at the root.
    pub fn attachment(&self) -> Option<&ArchivedAttachment> {
        let (last, above) = self.path.split_last()?;
        down(self.root.view(), above)?
            .attachments
            .get(*last as usize)
    }
}

fn down<'a>(message: &'a ArchivedMessage, path: &[u32]) -> Option<&'a ArchivedMessage> {
    path.iter().try_fold(message, |message, position| {
        message
            .attachments
            .get(*position as usize)?
            .embedded
            .as_ref()
            .map(|embedded| &**embedded)
    })
}

/// A message's content: as stored, read in place, or as a client's unsaved draft.
#[derive(Clone, Copy)]
pub enum MessageView<'a> {
    /// As the store has it.
    Stored(&'a ArchivedMessage),
    /// With changes that are not saved yet.
    Draft(&'a Message),
}

/// One recipient of a message.
#[derive(Clone, Copy)]
pub enum RecipientView<'a> {
    /// As the store has it.
    Stored(&'a ArchivedRecipient),
    /// Not saved yet.
    Draft(&'a Recipient),
}

/// One attachment of a message.
#[derive(Clone, Copy)]
pub enum AttachmentView<'a> {
    /// As the store has it.
    Stored(&'a ArchivedAttachment),
    /// Not saved yet.
    Draft(&'a Attachment),
}

impl<'a> MessageView<'a> {
    /// The message's own properties.
    pub fn props(self) -> &'a dyn BagView {
        match self {
            Self::Stored(message) => &message.props,
            Self::Draft(message) => &message.props,
        }
    }

    /// Number of recipients.
    pub fn recipient_count(self) -> usize {
        match self {
            Self::Stored(message) => message.recipients.len(),
            Self::Draft(message) => message.recipients.len(),
        }
    }

    /// The recipient at `index`.
    pub fn recipient(self, index: usize) -> Option<RecipientView<'a>> {
        match self {
            Self::Stored(message) => message.recipients.get(index).map(RecipientView::Stored),
            Self::Draft(message) => message.recipients.get(index).map(RecipientView::Draft),
        }
    }

    /// All recipients, in order.
    pub fn recipients(self) -> impl Iterator<Item = RecipientView<'a>> {
        (0..self.recipient_count()).filter_map(move |index| self.recipient(index))
    }

    /// Number of attachments.
    pub fn attachment_count(self) -> usize {
        match self {
            Self::Stored(message) => message.attachments.len(),
            Self::Draft(message) => message.attachments.len(),
        }
    }

    /// All attachments, in order.
    pub fn attachments(self) -> impl Iterator<Item = AttachmentView<'a>> {
        (0..self.attachment_count()).filter_map(move |index| match self {
            Self::Stored(message) => message.attachments.get(index).map(AttachmentView::Stored),
            Self::Draft(message) => message.attachments.get(index).map(AttachmentView::Draft),
        })
    }

    /// The attachment with this PidTagAttachNumber.
    pub fn attachment(self, number: u32) -> Option<AttachmentView<'a>> {
        self.attachments()
            .find(|attachment| attachment.number() == number)
    }

    /// An owned copy; large values stay where they are.
    pub fn to_message(self) -> Message {
        match self {
            Self::Draft(message) => message.clone(),
            Self::Stored(message) => Message {
                props: Bag::copy_of(&message.props),
                recipients: self.recipients().map(RecipientView::to_recipient).collect(),
                attachments: self
                    .attachments()
                    .map(AttachmentView::to_attachment)
                    .collect(),
            },
        }
    }

    /// Bytes of all values: the message's own, its recipients', its attachments', with those of
    /// embedded messages.
    pub fn size(self) -> u64 {
        let recipients: u64 = self
            .recipients()
            .map(|recipient| bag_size(recipient.props()))
            .sum();
        let attachments: u64 = self.attachments().map(AttachmentView::size).sum();
        bag_size(self.props())
            .saturating_add(recipients)
            .saturating_add(attachments)
    }

    /// Bytes that the values take in memory, large ones apart.
    pub fn memory(self) -> usize {
        let recipients: usize = self
            .recipients()
            .map(|recipient| PART_BYTES + memory(recipient.props()))
            .sum();
        let attachments: usize = self.attachments().map(AttachmentView::memory).sum();
        memory(self.props())
            .saturating_add(recipients)
            .saturating_add(attachments)
    }
}

/// What a property takes beside its value.
const ENTRY_BYTES: usize = 24;
/// What a recipient or an attachment takes beside its properties.
pub const PART_BYTES: usize = 128;

/// Bytes that a bag takes which is being changed: values that were replaced count until it is
/// compacted.
pub fn kept(bag: &Bag) -> usize {
    bag.data_len() + bag.len() * ENTRY_BYTES
}

/// Bytes of all values of a bag.
fn bag_size(bag: &dyn BagView) -> u64 {
    slots(bag)
        .map(|slot| match slot {
            Slot::Inline(value) => value.data.len() as u64,
            Slot::External(blob) => blob.len,
        })
        .fold(0, u64::saturating_add)
}

/// Bytes of the values that lie in the bag itself.
fn memory(bag: &dyn BagView) -> usize {
    slots(bag)
        .map(|slot| match slot {
            Slot::Inline(value) => ENTRY_BYTES + value.data.len(),
            Slot::External(_) => ENTRY_BYTES,
        })
        .sum()
}

fn slots(bag: &dyn BagView) -> impl Iterator<Item = Slot<'_>> {
    (0..bag.len())
        .filter_map(|index| bag.entry(index))
        .map(|(_, slot)| slot)
}

impl<'a> RecipientView<'a> {
    fn to_recipient(self) -> Recipient {
        match self {
            Self::Draft(recipient) => recipient.clone(),
            Self::Stored(recipient) => Recipient {
                row_id: recipient.row_id.to_native(),
                kind: recipient.kind,
                props: Bag::copy_of(&recipient.props),
            },
        }
    }

    /// PidTagRowid.
    pub fn row_id(self) -> u32 {
        match self {
            Self::Stored(recipient) => recipient.row_id.to_native(),
            Self::Draft(recipient) => recipient.row_id,
        }
    }

    /// The RecipientType byte (MS-OXCMSG 2.2.3.1.2).
    pub fn kind(self) -> u8 {
        match self {
            Self::Stored(recipient) => recipient.kind,
            Self::Draft(recipient) => recipient.kind,
        }
    }

    /// Its properties.
    pub fn props(self) -> &'a dyn BagView {
        match self {
            Self::Stored(recipient) => &recipient.props,
            Self::Draft(recipient) => &recipient.props,
        }
    }
}

impl<'a> AttachmentView<'a> {
    /// An owned copy; large values stay where they are.
    pub fn to_attachment(self) -> Attachment {
        match self {
            Self::Draft(attachment) => attachment.clone(),
            Self::Stored(attachment) => Attachment {
                number: attachment.number.to_native(),
                props: Bag::copy_of(&attachment.props),
                embedded: self
                    .embedded()
                    .map(|message| Box::new(message.to_message())),
            },
        }
    }

    /// Bytes of all values, with those of an embedded message.
    pub fn size(self) -> u64 {
        bag_size(self.props()).saturating_add(self.embedded().map_or(0, MessageView::size))
    }

    /// Bytes that the values take in memory, large ones apart.
    pub fn memory(self) -> usize {
        let embedded = self.embedded().map_or(0, MessageView::memory);
        (PART_BYTES + memory(self.props())).saturating_add(embedded)
    }

    /// PidTagAttachNumber.
    pub fn number(self) -> u32 {
        match self {
            Self::Stored(attachment) => attachment.number.to_native(),
            Self::Draft(attachment) => attachment.number,
        }
    }

    /// Its properties.
    pub fn props(self) -> &'a dyn BagView {
        match self {
            Self::Stored(attachment) => &attachment.props,
            Self::Draft(attachment) => &attachment.props,
        }
    }

    /// The embedded message, if it holds one.
    pub fn embedded(self) -> Option<MessageView<'a>> {
        match self {
            Self::Stored(attachment) => attachment
                .embedded
                .as_ref()
                .map(|message| MessageView::Stored(message)),
            Self::Draft(attachment) => attachment.embedded.as_deref().map(MessageView::Draft),
        }
    }
}
