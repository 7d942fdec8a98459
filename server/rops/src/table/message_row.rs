//! A message as a row of a contents table.

use ropewalk_props::{PropTag, PropType, ValueRef, tags::*};
use ropewalk_store::{Mailbox, MessageEntry, Store, StoredMessage};

use super::filter::Searched;
use crate::{
    message::{
        body::{Extent, Form},
        properties::{MessageProperties, flags, instance_key},
    },
    property::value::{Found, Properties},
    rights::messages::MessageAccess,
    view::MessageView,
};

/// The PidTagMessageFlags bits that are known without a message's content.
pub const FLAGS_OF_ENTRY: u32 = flags::READ | flags::FAI;

/// Columns of a row that are no properties of its message (MS-OXCTABL 2.2.1).
pub const COLUMNS: [PropTag; 4] = [
    PID_TAG_INST_ID,
    PID_TAG_INSTANCE_NUM,
    PID_TAG_ROW_TYPE,
    PID_TAG_DEPTH,
];

/// A message as a row of a contents table. What the store's entry says is answered from there.
pub struct MessageRow<'a> {
    entry: &'a MessageEntry,
    /// PidTagInstanceNum.
    part: u32,
    /// A large value that was read already: the property's id, and the value.
    read: Option<(u16, ValueRef<'a>)>,
    message: MessageProperties<'a>,
}

impl<'a> MessageRow<'a> {
    /// A row; without `content`, only what the entry says is there, and without the store no
    /// PidTagStoreEntryId. `access` is what its reader may do with the message.
    pub fn new(
        (store, mailbox): (Option<&'a Store>, &'a Mailbox),
        entry: &'a MessageEntry,
        content: Option<&'a StoredMessage>,
        part: u32,
        access: MessageAccess,
    ) -> Self {
        let message = MessageProperties {
            store,
            mailbox,
            entry: Some(entry),
            view: content.map(|content| MessageView::Stored(content.view())),
            conversions: None,
            extent: Extent::Whole,
            writable: access.allows(MessageAccess::MODIFY),
            access,
            associated: entry.associated,
        };
        Self {
            entry,
            part,
            read: None,
            message,
        }
    }

    /// The same row with a large value at hand.
    pub fn with_read(self, id: u16, value: ValueRef<'a>) -> Self {
        Self {
            read: Some((id, value)),
            ..self
        }
    }
}

impl Properties for MessageRow<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        let entry = self.entry;
        if let Some((id, value)) = self.read
            && id == tag.id()
        {
            return Some(Found::Stored(value));
        }
        match tag {
            PID_TAG_INSTANCE_NUM => Some(Found::u32(self.part)),
            PID_TAG_INSTANCE_KEY => Some(Found::binary(instance_key(entry, self.part))),
            PID_TAG_READ => Some(Found::bool(entry.read)),
            PID_TAG_CREATION_TIME => Some(Found::time(entry.created)),
            PID_TAG_LAST_MODIFICATION_TIME => Some(Found::time(entry.modified)),
            PID_TAG_MESSAGE_DELIVERY_TIME => entry.delivered.map(Found::time),
            PID_TAG_MESSAGE_FLAGS if self.message.view.is_none() => {
                let read = if entry.read { flags::READ } else { 0 };
                let associated = if entry.associated { flags::FAI } else { 0 };
                Some(Found::u32(read | associated))
            }
            tag if tag.id() == PID_TAG_SUBJECT.id() => match &entry.subject {
                Some(subject) => Some(Found::Stored(ValueRef {
                    ty: PropType::STRING,
                    data: subject,
                })),
                None => self.message.find(tag),
            },
            tag => self.message.find(tag),
        }
    }

    fn find_start(&self, tag: PropTag, max: usize) -> Option<Found<'_>> {
        match Form::of(tag.id()) {
            Some(_) => self.message.find_start(tag, max),
            None => self.find(tag),
        }
    }

    fn tags(&self) -> Vec<PropTag> {
        let mut tags = self.message.tags();
        for column in COLUMNS {
            if !tags.contains(&column) {
                tags.push(column);
            }
        }
        tags
    }
}

impl Searched for MessageRow<'_> {
    fn message(&self) -> Option<MessageView<'_>> {
        self.message.view
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        Some(self.message.mailbox)
    }
}
