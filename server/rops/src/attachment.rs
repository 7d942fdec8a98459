//! Attachment objects (MS-OXCMSG 2.2.2, 3.2.5.12 ff.).

use ropewalk_props::{PropTag, PropType, tags::*};
use ropewalk_store::{Attachment, Mailbox};
use ropewalk_wire::ErrorCode;

use super::{
    limits::DRAFT_BYTES_MAX,
    property::value::{Found, Properties, in_bag},
    view::AttachmentView,
};

/// An open attachment: a copy of its own until RopSaveChangesAttachment puts it in its message.
pub struct AttachmentObject {
    /// The message's handle.
    pub message: u32,
    /// The attachment as this handle sees it.
    pub content: Attachment,
    /// Whether this handle may change it.
    pub writable: bool,
}

impl AttachmentObject {
    /// The content to change; `ecAccessDenied` on a handle that was opened read-only.
    pub fn edit(&mut self) -> Result<&mut Attachment, ErrorCode> {
        if !self.writable {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        if self.content.props.data_len() > DRAFT_BYTES_MAX {
            self.content.props.compact();
            if self.content.props.data_len() > DRAFT_BYTES_MAX {
                return Err(ErrorCode::NOT_ENOUGH_MEMORY);
            }
        }
        Ok(&mut self.content)
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

/// What PidTagAttachSize counts beside the values: the fixed part of an attachment.
const ATTACHMENT_OVERHEAD: u64 = 0x40;

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

/// True for properties that only the server sets.
pub fn is_read_only(tag: PropTag) -> bool {
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
            PID_TAG_STORE_RECORD_KEY => Found::binary(self.mailbox.guid().0.to_vec()),
            PID_TAG_MAPPING_SIGNATURE => Found::binary(self.mailbox.repl_guid().0.to_vec()),
            tag => return in_bag(self.view.props(), tag.id()),
        })
    }

    fn tags(&self) -> Vec<PropTag> {
        let bag = self.view.props();
        let stored = (0..bag.len())
            .filter_map(|index| bag.entry(index))
            .map(|(tag, _)| tag);
        let mut tags: Vec<PropTag> = COMPUTED.to_vec();
        tags.extend(stored.filter(|tag| !is_read_only(*tag)));
        if self.view.embedded().is_some() {
            tags.push(PID_TAG_ATTACH_DATA_OBJECT);
        }
        tags
    }
}

impl AttachmentProperties<'_> {
    /// PidTagAttachSize (MS-OXCMSG 2.2.2.5).
    fn size(&self) -> u32 {
        let bag = self.view.props();
        let values: u64 = (0..bag.len())
            .filter_map(|index| bag.entry(index))
            .map(|(_, slot)| match slot {
                ropewalk_props::Slot::Inline(value) => value.data.len() as u64,
                ropewalk_props::Slot::External(blob) => blob.len,
            })
            .sum();
        let embedded = self.view.embedded().map_or(0, |message| {
            let bag = message.props();
            (0..bag.len())
                .filter_map(|index| bag.entry(index))
                .map(|(_, slot)| match slot {
                    ropewalk_props::Slot::Inline(value) => value.data.len() as u64,
                    ropewalk_props::Slot::External(blob) => blob.len,
                })
                .sum()
        });
        u32::try_from(values + embedded + ATTACHMENT_OVERHEAD).unwrap_or(i32::MAX as u32)
    }
}

/// True if `ty` asks for an attachment's embedded message.
pub fn is_embedded_tag(tag: PropTag) -> bool {
    tag.id() == PID_TAG_ATTACH_DATA_OBJECT.id() && tag.ty() == PropType::OBJECT
}
