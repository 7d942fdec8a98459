//! One way to read a message, whether it lies in the store or is being written.

use ropewalk_props::BagView;
use ropewalk_store::{
    ArchivedAttachment, ArchivedMessage, ArchivedRecipient, Attachment, Message, Recipient,
};

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
}

impl<'a> RecipientView<'a> {
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
