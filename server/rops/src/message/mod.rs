//! Message objects: opening, creating, changing and saving messages (MS-OXCMSG).

pub mod properties;
pub mod subject;

use std::sync::LazyLock;

use ropewalk_props::GlobCnt;
use ropewalk_store::{Mailbox, Message, MessageEntry, StoredMessage};
use ropewalk_wire::ErrorCode;

use self::properties::MessageProperties;
use super::{code_page::CodePage, limits::DRAFT_BYTES_MAX, view::MessageView};

/// An open message: what is stored, and what the client changed of it.
pub struct MessageObject {
    /// Where it lies or will lie.
    pub place: Place,
    /// The store's entry when it was opened or last saved; `None` before the first save.
    pub entry: Option<MessageEntry>,
    /// Its content as of then.
    pub stored: Option<StoredMessage>,
    /// The content with unsaved changes; `None` while there are none.
    pub draft: Option<Box<Message>>,
    /// Whether this handle may change it.
    pub writable: bool,
    /// CodePageId of the open (MS-OXCMSG 2.2.3.1.1), for its PtypString8 values.
    pub code_page: CodePage,
    /// The number for the next new attachment.
    pub next_attachment: u32,
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
    },
}

impl MessageObject {
    /// The content as this handle sees it.
    pub fn view(&self) -> MessageView<'_> {
        // A message object has a draft or stored content from its first moment on.
        static EMPTY: LazyLock<Message> = LazyLock::new(Message::default);
        match (&self.draft, &self.stored) {
            (Some(draft), _) => MessageView::Draft(draft),
            (None, Some(stored)) => MessageView::Stored(stored.view()),
            (None, None) => MessageView::Draft(&EMPTY),
        }
    }

    /// The content to change; copies it at the first change.
    ///
    /// `ecAccessDenied` on a handle that was opened read-only.
    pub fn edit(&mut self) -> Result<&mut Message, ErrorCode> {
        if !self.writable {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        let stored = &self.stored;
        let draft = self.draft.get_or_insert_with(|| {
            Box::new(
                stored
                    .as_ref()
                    .map(StoredMessage::to_message)
                    .unwrap_or_default(),
            )
        });
        if draft.props.data_len() > DRAFT_BYTES_MAX {
            draft.props.compact();
            if draft.props.data_len() > DRAFT_BYTES_MAX {
                return Err(ErrorCode::NOT_ENOUGH_MEMORY);
            }
        }
        Ok(draft)
    }

    /// The message as a property source.
    pub fn properties<'a>(&'a self, mailbox: &'a Mailbox) -> MessageProperties<'a> {
        MessageProperties {
            mailbox,
            entry: self.entry.as_ref(),
            view: Some(self.view()),
            writable: self.writable,
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
        let props = self.view().props();
        // Bags are sorted by tag, so named ids come last.
        props
            .len()
            .checked_sub(1)
            .and_then(|last| props.entry(last))
            .is_some_and(|(tag, _)| tag.is_named())
    }
}

/// The number after the highest attachment number in use.
pub fn next_attachment_number(view: MessageView<'_>) -> u32 {
    view.attachments()
        .map(|attachment| attachment.number().saturating_add(1))
        .max()
        .unwrap_or(0)
}
