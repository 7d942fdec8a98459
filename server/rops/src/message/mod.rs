//! Message objects: opening, creating, changing and saving messages (MS-OXCMSG).

pub mod body;
pub mod conversation;
pub mod create;
pub mod open;
pub mod properties;
pub mod read_flags;
pub mod receipts;
pub mod recipients;
pub mod save;
pub mod status;
pub mod subject;
#[cfg(test)]
mod tests;

use ropewalk_props::{GlobCnt, PropTag};
use ropewalk_store::{Mailbox, Message, MessageEntry, Store};
use ropewalk_wire::ErrorCode;

use self::properties::MessageProperties;
use super::{
    budget::Share,
    code_page::CodePage,
    exec::Exec,
    limits::{DRAFT_BYTES_MAX, PAYLOAD_BYTES_MAX},
    object::Object,
    rights::messages::MessageAccess,
    stream::pending::PendingStreams,
    view::{MessageView, StoredPart, kept},
};

/// An open message: what is stored, and what the client changed of it.
pub struct MessageObject {
    /// Where it lies or will lie.
    pub place: Place,
    /// The store's entry when it was opened or last saved; `None` before the first save and for an
    /// embedded message.
    pub entry: Option<MessageEntry>,
    /// Its content as of then.
    pub stored: Option<StoredPart>,
    /// The content as changed by this handle; `None` while nothing was changed.
    pub draft: Option<Box<Message>>,
    /// Whether the draft differs from what was saved last.
    pub dirty: bool,
    /// Whether this handle may change it.
    pub writable: bool,
    /// What its user might do with it when it was opened.
    pub access: MessageAccess,
    /// CodePageId of the open (MS-OXCMSG 2.2.3.1.1), for its PtypString8 values.
    pub code_page: CodePage,
    /// The number for the next new attachment.
    pub next_attachment: u32,
    /// The columns that recipients are read in: those of the last open response, or those in
    /// which the client wrote recipients since.
    pub recipient_columns: Vec<PropTag>,
    /// Streams whose content it does not have yet.
    pub streams: PendingStreams,
    /// What it keeps in memory.
    pub share: Share,
    /// The parts of its body that were set since it was opened or last saved.
    pub body_set: body::Parts,
    /// Its body in other forms.
    pub conversions: body::Conversions,
}

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a folder.
    Folder {
        /// The folder.
        folder: GlobCnt,
        /// Whether it is an FAI message.
        associated: bool,
    },
    /// In an attachment, by that attachment's handle.
    Attachment {
        /// The handle.
        handle: u32,
        /// How deep the message is embedded: 1 in an attachment of a message in a folder.
        depth: usize,
    },
}

impl Place {
    /// How deep a message here is embedded: 0 in a folder.
    pub const fn depth(self) -> usize {
        match self {
            Self::Folder { .. } => 0,
            Self::Attachment { depth, .. } => depth,
        }
    }
}

impl MessageObject {
    /// A message that is in the store, or embedded in one that is.
    pub fn stored(
        place: Place,
        entry: Option<MessageEntry>,
        part: StoredPart,
        writable: bool,
        code_page: CodePage,
        mut share: Share,
    ) -> Result<Self, ErrorCode> {
        let view = part.message().map(MessageView::Stored);
        share.resize(view.map_or(0, MessageView::memory))?;
        let mut object = Self::empty(place, writable, code_page, share);
        object.entry = entry;
        object.next_attachment = view.map_or(0, next_attachment_number);
        object.stored = Some(part);
        Ok(object)
    }

    /// A message that is not saved yet.
    pub fn draft(
        place: Place,
        draft: Message,
        writable: bool,
        code_page: CodePage,
        share: Share,
    ) -> Self {
        let mut object = Self::empty(place, writable, code_page, share);
        object.next_attachment = next_attachment_number(MessageView::Draft(&draft));
        object.draft = Some(Box::new(draft));
        object
    }

    fn empty(place: Place, writable: bool, code_page: CodePage, share: Share) -> Self {
        Self {
            place,
            entry: None,
            stored: None,
            draft: None,
            dirty: false,
            writable,
            access: MessageAccess::ALL,
            code_page,
            next_attachment: 0,
            recipient_columns: Vec::new(),
            streams: PendingStreams::default(),
            share,
            body_set: body::Parts::default(),
            conversions: body::Conversions::default(),
        }
    }

    /// The content as this handle sees it.
    pub fn view(&self) -> MessageView<'_> {
        // A message object has a draft or stored content from its first moment on.
        static EMPTY: Message = Message {
            props: ropewalk_props::Bag::new(),
            recipients: Vec::new(),
            attachments: Vec::new(),
        };
        match (&self.draft, &self.stored) {
            (Some(draft), _) => MessageView::Draft(draft),
            (None, Some(stored)) => stored
                .message()
                .map_or(MessageView::Draft(&EMPTY), MessageView::Stored),
            (None, None) => MessageView::Draft(&EMPTY),
        }
    }

    /// The content to change; copies it at the first change.
    ///
    /// `ecAccessDenied` on a handle that was opened read-only, `ecMAPIOOM` when the changes
    /// outgrow what is kept in memory.
    pub fn edit(&mut self) -> Result<&mut Message, ErrorCode> {
        if !self.writable {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        if self.draft.is_none() {
            // What is stored stays where it is besides.
            self.share.resize(self.view().memory().saturating_mul(2))?;
            self.draft = Some(Box::new(self.view().to_message()));
        }
        let draft = self.draft.as_mut().ok_or(ErrorCode::GENERAL_FAILURE)?;
        // What this edit adds is taken before it is known.
        let bytes = kept(&draft.props) + PAYLOAD_BYTES_MAX;
        self.share.grow(bytes)?;
        if draft.props.data_len() > DRAFT_BYTES_MAX {
            draft.props.compact();
            if draft.props.data_len() > DRAFT_BYTES_MAX {
                return Err(ErrorCode::NOT_ENOUGH_MEMORY);
            }
        }
        self.conversions.clear();
        self.dirty = true;
        Ok(draft)
    }

    /// As [`body::settle`], after parts of its body were set.
    pub fn settle_body(&mut self, set: body::Parts) -> Result<(), ErrorCode> {
        if !set.is_empty() {
            let mut fresh = self.body_set;
            body::settle(&mut self.edit()?.props, &mut fresh, set);
            self.body_set = fresh;
        }
        Ok(())
    }

    /// The message as a property source.
    pub fn properties<'a>(
        &'a self,
        store: &'a Store,
        mailbox: &'a Mailbox,
    ) -> MessageProperties<'a> {
        MessageProperties {
            store: Some(store),
            mailbox,
            entry: self.entry.as_ref(),
            view: Some(self.view()),
            conversions: Some((&self.conversions, &self.share)),
            extent: body::Extent::Whole,
            writable: self.writable,
            access: self.access,
            associated: matches!(
                self.place,
                Place::Folder {
                    associated: true,
                    ..
                }
            ),
        }
    }

    /// HasNamedProperties of the open response (MS-OXCROPS 2.2.6.1.2).
    pub fn has_named_properties(&self) -> bool {
        has_named_properties(self.view())
    }
}

/// Whether a message has a property with an id that a name stands for.
pub fn has_named_properties(view: MessageView<'_>) -> bool {
    let props = view.props();
    // Bags are sorted by tag, so named ids come last.
    props
        .len()
        .checked_sub(1)
        .and_then(|last| props.entry(last))
        .is_some_and(|(tag, _)| tag.is_named())
}

/// The number after the highest attachment number in use.
pub fn next_attachment_number(view: MessageView<'_>) -> u32 {
    view.attachments()
        .map(|attachment| attachment.number().saturating_add(1))
        .max()
        .unwrap_or(0)
}

/// The message whose handle stands at an index; `ecNullObject` for another kind of object, as
/// MS-OXCMSG 3.2.5 has it.
pub fn message_at<'e>(exec: &'e Exec<'_>, index: u8) -> Result<&'e MessageObject, ErrorCode> {
    match exec.object_at(index)? {
        Object::Message(message) => Ok(message),
        _ => Err(ErrorCode::NULL_OBJECT),
    }
}

/// As [`message_at`], to change it.
pub fn message_at_mut<'e>(
    exec: &'e mut Exec<'_>,
    index: u8,
) -> Result<&'e mut MessageObject, ErrorCode> {
    match exec.object_at_mut(index)? {
        Object::Message(message) => Ok(message),
        _ => Err(ErrorCode::NULL_OBJECT),
    }
}
