//! Attachment objects (MS-OXCMSG 2.2.2, 3.2.5.12 ff.).

pub mod rops;
#[cfg(test)]
mod tests;

use ropewalk_props::{FileTime, PropTag, tags::*};
use ropewalk_store::{Attachment, Mailbox};
use ropewalk_wire::ErrorCode;

use super::{
    budget::Share,
    code_page::CodePage,
    limits::{DRAFT_BYTES_MAX, PAYLOAD_BYTES_MAX},
    property::{
        identity,
        value::{Found, Properties, in_bag},
    },
    stream::pending::PendingStreams,
    view::{AttachmentView, StoredPart, kept},
};

/// An open attachment: what its message has, and what the client changed of it, until
/// RopSaveChangesAttachment puts that into the message.
pub struct AttachmentObject {
    /// The message's handle.
    pub message: u32,
    /// PidTagAttachNumber.
    pub number: u32,
    /// Whether its message does not have it yet.
    pub is_new: bool,
    /// The attachment where it lies in the store.
    pub stored: Option<StoredPart>,
    /// The attachment as changed by this handle; `None` while nothing was changed.
    pub draft: Option<Box<Attachment>>,
    /// Whether this handle may change it.
    pub writable: bool,
    /// How deep its message is embedded: 0 for one in a folder.
    pub depth: usize,
    /// For its PtypString8 values: that of its message.
    pub code_page: CodePage,
    /// Streams whose content it does not have yet.
    pub streams: PendingStreams,
    /// PidTagLastModificationTime when it was made, opened or last saved.
    pub modified: Option<FileTime>,
    /// What it keeps in memory, apart from what its message does.
    pub share: Share,
}

/// PidTagLastModificationTime of an attachment.
pub fn modified(view: AttachmentView<'_>) -> Option<FileTime> {
    view.props().get(PID_TAG_LAST_MODIFICATION_TIME)?.as_time()
}

impl AttachmentObject {
    /// The attachment as this handle sees it.
    pub fn view(&self) -> AttachmentView<'_> {
        // An attachment object has a draft or stored content from its first moment on.
        static EMPTY: Attachment = Attachment {
            number: 0,
            props: ropewalk_props::Bag::new(),
            embedded: None,
        };
        match (&self.draft, &self.stored) {
            (Some(draft), _) => AttachmentView::Draft(draft),
            (None, Some(stored)) => stored
                .attachment()
                .map_or(AttachmentView::Draft(&EMPTY), AttachmentView::Stored),
            (None, None) => AttachmentView::Draft(&EMPTY),
        }
    }

    /// The content to change; copies it at the first change.
    ///
    /// `ecAccessDenied` on a handle that was opened read-only, `ecMAPIOOM` when the changes
    /// outgrow what is kept in memory.
    pub fn edit(&mut self) -> Result<&mut Attachment, ErrorCode> {
        if !self.writable {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        if self.draft.is_none() {
            self.share.resize(self.view().memory())?;
            self.draft = Some(Box::new(self.view().to_attachment()));
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
        Ok(draft)
    }

    /// The attachment as a property source.
    pub fn properties<'a>(&'a self, mailbox: &'a Mailbox) -> AttachmentProperties<'a> {
        AttachmentProperties {
            mailbox,
            view: self.view(),
            writable: self.writable,
        }
    }
}

/// An attachment as a property source.
#[derive(Clone, Copy)]
pub struct AttachmentProperties<'a> {
    /// Its mailbox.
    pub mailbox: &'a Mailbox,
    /// The attachment.
    pub view: AttachmentView<'a>,
    /// PidTagAccessLevel.
    pub writable: bool,
}

/// PidTagObjectType of an attachment (MS-OXCPRPT 2.2.1.7).
const OBJECT_TYPE_ATTACHMENT: i32 = 7;

/// What PidTagAttachSize counts beside the values: with those that a new attachment has, 0x40
/// (MS-OXCMSG 3.2.5.13).
const ATTACHMENT_OVERHEAD: u64 = 0x40 - NEW_VALUES;
/// PidTagRenderingPosition, PidTagCreationTime, PidTagLastModificationTime.
const NEW_VALUES: u64 = 4 + 8 + 8;

const COMPUTED: [PropTag; 8] = [
    PID_TAG_ATTACH_NUMBER,
    PID_TAG_ATTACH_SIZE,
    PID_TAG_ACCESS,
    PID_TAG_ACCESS_LEVEL,
    PID_TAG_OBJECT_TYPE,
    PID_TAG_RECORD_KEY,
    PID_TAG_STORE_RECORD_KEY,
    PID_TAG_MAPPING_SIGNATURE,
];

/// Columns that every table of attachments has.
pub fn columns() -> Vec<PropTag> {
    let given = [
        PID_TAG_RENDERING_POSITION,
        PID_TAG_CREATION_TIME,
        PID_TAG_LAST_MODIFICATION_TIME,
    ];
    COMPUTED.into_iter().chain(given).collect()
}

/// True for properties that only the server sets (MS-OXCMSG 2.2.2.1, 2.2.2.5, 2.2.2.6). The times are not
/// among them: they may be those of the file that is attached (2.2.2.2, 2.2.2.3, 4.5.3).
pub fn is_read_only(tag: PropTag) -> bool {
    is_computed(tag)
}

fn is_computed(tag: PropTag) -> bool {
    COMPUTED.iter().any(|known| known.id() == tag.id())
}

impl Properties for AttachmentProperties<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        Some(match tag {
            PID_TAG_ATTACH_NUMBER => Found::u32(self.view.number()),
            PID_TAG_RECORD_KEY => Found::binary(self.view.number().to_le_bytes().to_vec()),
            PID_TAG_ATTACH_SIZE => Found::u32(self.size()),
            PID_TAG_OBJECT_TYPE => Found::i32(OBJECT_TYPE_ATTACHMENT),
            PID_TAG_ACCESS => Found::i32(if self.writable { 0x3 } else { 0x2 }),
            PID_TAG_ACCESS_LEVEL => Found::i32(i32::from(self.writable)),
            PID_TAG_STORE_RECORD_KEY | PID_TAG_MAPPING_SIGNATURE => {
                identity::of_store(None, self.mailbox, tag)?
            }
            tag => {
                // MS-OXCMSG 2.2.2.9: afNone, until the client says how it is accessed.
                let is_method = tag.id() == PID_TAG_ATTACH_METHOD.id();
                let stored = in_bag(self.view.props(), tag.id());
                return stored.or_else(|| is_method.then(|| Found::i32(0)));
            }
        })
    }

    fn tags(&self) -> Vec<PropTag> {
        let bag = self.view.props();
        let stored = (0..bag.len())
            .filter_map(|index| bag.entry(index))
            .map(|(tag, _)| tag);
        let mut tags: Vec<PropTag> = COMPUTED.to_vec();
        tags.extend(stored.filter(|tag| !is_computed(*tag)));
        if self.view.embedded().is_some() {
            tags.push(PID_TAG_ATTACH_DATA_OBJECT);
        }
        tags
    }
}

impl AttachmentProperties<'_> {
    /// PidTagAttachSize (MS-OXCMSG 2.2.2.5).
    fn size(&self) -> u32 {
        let size = self.view.size().saturating_add(ATTACHMENT_OVERHEAD);
        u32::try_from(size).unwrap_or(i32::MAX as u32)
    }
}
