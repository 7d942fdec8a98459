//! Notification ROPs (MS-OXCROPS 2.2.14, MS-OXCNOTIF 2.2.1).

use ropewalk_props::PropTag;

use super::RopId;
use crate::{
    DecodeError, EncodeError, Fid, Mid, Put, Reader,
    codec::{Bytes16, Wire, put_text, take_text, wire_struct},
    list::List,
    row::PropertyRow,
    value::Form,
};

/// The types and flag bits of NotificationTypes and NotificationFlags.
pub mod notification_flags {
    /// A new message was delivered.
    pub const NEW_MAIL: u16 = 0x0002;
    /// An object was created.
    pub const OBJECT_CREATED: u16 = 0x0004;
    /// An object was deleted.
    pub const OBJECT_DELETED: u16 = 0x0008;
    /// An object was modified.
    pub const OBJECT_MODIFIED: u16 = 0x0010;
    /// An object was moved.
    pub const OBJECT_MOVED: u16 = 0x0020;
    /// An object was copied.
    pub const OBJECT_COPIED: u16 = 0x0040;
    /// A search finished.
    pub const SEARCH_COMPLETE: u16 = 0x0080;
    /// A table changed.
    pub const TABLE_MODIFIED: u16 = 0x0100;
    /// An event that is defined between certain clients and servers.
    pub const EXTENDED: u16 = 0x0400;
    /// The bits that say the type.
    pub const TYPE_MASK: u16 = 0x0FFF;
    /// TotalMessageCount is present.
    pub const TOTAL_COUNT: u16 = 0x1000;
    /// UnreadMessageCount is present.
    pub const UNREAD_COUNT: u16 = 0x2000;
    /// The message is in a search folder.
    pub const SEARCH_FOLDER: u16 = 0x4000;
    /// The event is about a message.
    pub const MESSAGE: u16 = 0x8000;
}

/// RopRegisterNotification request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegisterNotificationRequest {
    /// Where the handle of the subscription goes.
    pub output_handle_index: u8,
    /// Which events.
    pub notification_types: u16,
    /// Present if NotificationTypes has [`notification_flags::EXTENDED`].
    pub reserved: u8,
    /// What is watched; `None` for the whole store (WantWholeStore).
    pub scope: Option<NotificationScope>,
}

wire_struct! {
    /// What a subscription is about.
    #[derive(Copy)]
    NotificationScope {
        folder_id: Fid,
        /// Zero for the folder itself.
        message_id: Mid,
    }
}

impl<'a> Wire<'a> for RegisterNotificationRequest {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let output_handle_index = input.u8()?;
        let notification_types = input.u16()?;
        let reserved = match notification_types & notification_flags::EXTENDED {
            0 => 0,
            _ => input.u8()?,
        };
        let want_whole_store = input.bool()?;
        let scope = (!want_whole_store)
            .then(|| Wire::decode(input))
            .transpose()?;
        Ok(Self {
            output_handle_index,
            notification_types,
            reserved,
            scope,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(self.output_handle_index);
        out.put_u16(self.notification_types);
        if self.notification_types & notification_flags::EXTENDED != 0 {
            out.put_u8(self.reserved);
        }
        out.put_bool(self.scope.is_none());
        self.scope.map_or(Ok(()), |scope| scope.encode(out))
    }
}

/// RopNotify: an event, sent without being asked for. It has no ReturnValue.
#[derive(Clone, Debug, PartialEq)]
pub struct NotifyResponse<'a> {
    /// The handle of the subscription, or of the table.
    pub notification_handle: u32,
    /// The logon of the handle.
    pub logon_id: u8,
    /// The event.
    pub notification_data: NotificationData<'a>,
}

impl<'a> Wire<'a> for NotifyResponse<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            notification_handle: input.u32()?,
            logon_id: input.u8()?,
            notification_data: Wire::decode(input)?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.notification_handle);
        out.put_u8(self.logon_id);
        self.notification_data.encode(out)
    }
}

impl NotifyResponse<'_> {
    /// Appends the whole RopNotify, its RopId first.
    pub fn put(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(RopId::NOTIFY.0);
        self.encode(out)
    }
}

/// NotificationData (MS-OXCNOTIF 2.2.1.4.1.2). The type in NotificationFlags follows from the
/// event, the rest of the flags from what is present.
#[derive(Clone, Debug, PartialEq)]
pub struct NotificationData<'a> {
    /// Whether the message is in a search folder (flag 0x4000).
    pub search_folder: bool,
    /// What happened.
    pub event: NotificationEvent<'a>,
    /// TotalMessageCount: messages in the folder now (flag 0x1000).
    pub total_message_count: Option<u32>,
    /// UnreadMessageCount: unread messages in the folder now (flag 0x2000).
    pub unread_message_count: Option<u32>,
}

/// A folder, or a message in it (flag 0x8000).
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct NotificationObject {
    pub folder_id: Fid,
    pub message_id: Option<Mid>,
}

/// A row of a table: a folder of a hierarchy table, or a message of a contents table (flag 0x8000).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableRowId {
    /// The folder.
    pub folder_id: Fid,
    /// The message and the instance number of its row.
    pub message: Option<(Mid, u32)>,
}

/// What a notification says (MS-OXCNOTIF 2.2.1.4.1.2).
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub enum NotificationEvent<'a> {
    /// 0x0002.
    NewMail {
        object: NotificationObject,
        message_flags: u32,
        unicode: bool,
        /// Without its terminator.
        message_class: &'a [u8],
    },
    /// 0x0004.
    Created {
        object: NotificationObject,
        parent_folder_id: Option<Fid>,
        tags: NotificationTags<'a>,
    },
    /// 0x0008.
    Deleted {
        object: NotificationObject,
        parent_folder_id: Option<Fid>,
    },
    /// 0x0010.
    Modified {
        object: NotificationObject,
        tags: NotificationTags<'a>,
    },
    /// 0x0020, or 0x0040 if `copied`.
    MovedOrCopied {
        copied: bool,
        object: NotificationObject,
        parent_folder_id: Option<Fid>,
        old_folder_id: Fid,
        /// Of a message.
        old_message_id: Option<Mid>,
        /// Of a folder.
        old_parent_folder_id: Option<Fid>,
    },
    /// 0x0080.
    SearchComplete { object: NotificationObject },
    /// 0x0100 with a TableEventType without row: TableChanged 0x0001, RestrictionChanged 0x0007 and
    /// the like. `message` is flag 0x8000.
    Table {
        table_event_type: u16,
        message: bool,
    },
    /// 0x0100 with TableRowAdded 0x0003, or TableRowModified 0x0005 if `modified`. The row has the
    /// columns of the table.
    TableRow {
        modified: bool,
        row: TableRowId,
        insert_after: TableRowId,
        table_row_data: Bytes16<'a>,
    },
    /// 0x0100 with TableRowDeleted 0x0004.
    TableRowDeleted { row: TableRowId },
    /// 0x0400: nothing that is known here.
    Extended { message: bool },
}

/// TagCount and Tags of a created or modified object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NotificationTags<'a> {
    /// The properties that changed; empty for those that count messages.
    Known(List<'a, PropTag>),
    /// 0xFFFF: it is not known which.
    Unknown,
}

impl NotificationEvent<'_> {
    /// The row of a table event, decoded with the columns of the table.
    pub fn table_row(&self, columns: &[PropTag]) -> Result<Option<PropertyRow>, DecodeError> {
        match self {
            Self::TableRow { table_row_data, .. } => PropertyRow::decode(
                &mut Reader::new(table_row_data.get()),
                Form::Rop,
                columns.iter().copied(),
            )
            .map(Some),
            _ => Ok(None),
        }
    }

    fn type_and_kind(&self) -> (u16, bool) {
        let of = |ty, object: &NotificationObject| (ty, object.message_id.is_some());
        match self {
            Self::NewMail { object, .. } => of(notification_flags::NEW_MAIL, object),
            Self::Created { object, .. } => of(notification_flags::OBJECT_CREATED, object),
            Self::Deleted { object, .. } => of(notification_flags::OBJECT_DELETED, object),
            Self::Modified { object, .. } => of(notification_flags::OBJECT_MODIFIED, object),
            Self::MovedOrCopied {
                copied: false,
                object,
                ..
            } => of(notification_flags::OBJECT_MOVED, object),
            Self::MovedOrCopied { object, .. } => of(notification_flags::OBJECT_COPIED, object),
            Self::SearchComplete { object } => of(notification_flags::SEARCH_COMPLETE, object),
            Self::Table { message, .. } => (notification_flags::TABLE_MODIFIED, *message),
            Self::TableRow { row, .. } | Self::TableRowDeleted { row } => {
                (notification_flags::TABLE_MODIFIED, row.message.is_some())
            }
            Self::Extended { message } => (notification_flags::EXTENDED, *message),
        }
    }
}

const TABLE_ROW_ADDED: u16 = 0x0003;
const TABLE_ROW_DELETED: u16 = 0x0004;
const TABLE_ROW_MODIFIED: u16 = 0x0005;
const TAGS_UNKNOWN: u16 = 0xFFFF;

impl<'a> Wire<'a> for NotificationData<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = input.u16()?;
        let has = |bit| flags & bit != 0;
        let message = has(notification_flags::MESSAGE);
        let search_folder = has(notification_flags::SEARCH_FOLDER);
        let ty = flags & notification_flags::TYPE_MASK;
        let (mut event, new_mail) = match ty {
            notification_flags::TABLE_MODIFIED => (take_table_event(input, message)?, false),
            notification_flags::EXTENDED => (NotificationEvent::Extended { message }, false),
            _ => take_object_event(input, ty, message, search_folder)?,
        };
        let total_message_count = has(notification_flags::TOTAL_COUNT)
            .then(|| input.u32())
            .transpose()?;
        let unread_message_count = has(notification_flags::UNREAD_COUNT)
            .then(|| input.u32())
            .transpose()?;
        if let (
            true,
            NotificationEvent::NewMail {
                message_flags,
                unicode,
                message_class,
                ..
            },
        ) = (new_mail, &mut event)
        {
            *message_flags = input.u32()?;
            *unicode = input.bool()?;
            *message_class = take_text(input, *unicode)?;
        }
        Ok(Self {
            search_folder,
            event,
            total_message_count,
            unread_message_count,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (ty, message) = self.event.type_and_kind();
        let flag = |on: bool, bit: u16| if on { bit } else { 0 };
        out.put_u16(
            ty | flag(message, notification_flags::MESSAGE)
                | flag(self.search_folder, notification_flags::SEARCH_FOLDER)
                | flag(
                    self.total_message_count.is_some(),
                    notification_flags::TOTAL_COUNT,
                )
                | flag(
                    self.unread_message_count.is_some(),
                    notification_flags::UNREAD_COUNT,
                ),
        );
        put_event(
            out,
            &self.event,
            parent_present(ty, message, self.search_folder),
        )?;
        for count in [self.total_message_count, self.unread_message_count]
            .into_iter()
            .flatten()
        {
            out.put_u32(count);
        }
        match &self.event {
            NotificationEvent::NewMail {
                message_flags,
                unicode,
                message_class,
                ..
            } => {
                out.put_u32(*message_flags);
                out.put_bool(*unicode);
                put_text(out, message_class, *unicode)
            }
            _ => Ok(()),
        }
    }
}

/// Whether an event has a ParentFolderId: of a message in a search folder, and of a folder.
const fn parent_present(ty: u16, message: bool, search_folder: bool) -> bool {
    let types = notification_flags::OBJECT_CREATED
        | notification_flags::OBJECT_DELETED
        | notification_flags::OBJECT_MOVED
        | notification_flags::OBJECT_COPIED;
    ty & types != 0 && message == search_folder
}

fn take_object_event<'a>(
    input: &mut Reader<'a>,
    ty: u16,
    message: bool,
    search_folder: bool,
) -> Result<(NotificationEvent<'a>, bool), DecodeError> {
    let known = matches!(
        ty,
        notification_flags::NEW_MAIL
            | notification_flags::OBJECT_CREATED
            | notification_flags::OBJECT_DELETED
            | notification_flags::OBJECT_MODIFIED
            | notification_flags::OBJECT_MOVED
            | notification_flags::OBJECT_COPIED
            | notification_flags::SEARCH_COMPLETE
    );
    if !known {
        return Err(DecodeError::Value {
            field: "NotificationFlags",
            value: ty.into(),
        });
    }
    let object = NotificationObject {
        folder_id: Wire::decode(input)?,
        message_id: message.then(|| Wire::decode(input)).transpose()?,
    };
    let parent_folder_id = parent_present(ty, message, search_folder)
        .then(|| Wire::decode(input))
        .transpose()?;
    let event = match ty {
        notification_flags::NEW_MAIL => {
            let (message_flags, unicode, message_class) = (0, false, &[][..]);
            let event = NotificationEvent::NewMail {
                object,
                message_flags,
                unicode,
                message_class,
            };
            return Ok((event, true));
        }
        notification_flags::OBJECT_CREATED => NotificationEvent::Created {
            object,
            parent_folder_id,
            tags: take_tags(input)?,
        },
        notification_flags::OBJECT_DELETED => NotificationEvent::Deleted {
            object,
            parent_folder_id,
        },
        notification_flags::OBJECT_MODIFIED => NotificationEvent::Modified {
            object,
            tags: take_tags(input)?,
        },
        notification_flags::SEARCH_COMPLETE => NotificationEvent::SearchComplete { object },
        _ => NotificationEvent::MovedOrCopied {
            copied: ty == notification_flags::OBJECT_COPIED,
            object,
            parent_folder_id,
            old_folder_id: Wire::decode(input)?,
            old_message_id: message.then(|| Wire::decode(input)).transpose()?,
            old_parent_folder_id: (!message).then(|| Wire::decode(input)).transpose()?,
        },
    };
    Ok((event, false))
}

fn take_table_event<'a>(
    input: &mut Reader<'a>,
    message: bool,
) -> Result<NotificationEvent<'a>, DecodeError> {
    let table_event_type = input.u16()?;
    Ok(match table_event_type {
        TABLE_ROW_ADDED | TABLE_ROW_MODIFIED => NotificationEvent::TableRow {
            modified: table_event_type == TABLE_ROW_MODIFIED,
            row: take_row_id(input, message)?,
            insert_after: take_row_id(input, message)?,
            table_row_data: Wire::decode(input)?,
        },
        TABLE_ROW_DELETED => NotificationEvent::TableRowDeleted {
            row: take_row_id(input, message)?,
        },
        _ => NotificationEvent::Table {
            table_event_type,
            message,
        },
    })
}

fn take_row_id(input: &mut Reader<'_>, message: bool) -> Result<TableRowId, DecodeError> {
    let folder_id = Wire::decode(input)?;
    let message = match message {
        true => Some((Wire::decode(input)?, input.u32()?)),
        false => None,
    };
    Ok(TableRowId { folder_id, message })
}

fn take_tags<'a>(input: &mut Reader<'a>) -> Result<NotificationTags<'a>, DecodeError> {
    match input.u16()? {
        TAGS_UNKNOWN => Ok(NotificationTags::Unknown),
        count => List::take(input, usize::from(count)).map(NotificationTags::Known),
    }
}

fn put_event(
    out: &mut Vec<u8>,
    event: &NotificationEvent<'_>,
    parent_present: bool,
) -> Result<(), EncodeError> {
    let put_object = |out: &mut Vec<u8>, object: &NotificationObject, parent: &Option<Fid>| {
        out.put_u64(object.folder_id.to_u64());
        if let Some(message_id) = object.message_id {
            out.put_u64(message_id.to_u64());
        }
        if parent_present {
            out.put_u64(parent.unwrap_or_default().to_u64());
        }
    };
    match event {
        NotificationEvent::NewMail { object, .. }
        | NotificationEvent::SearchComplete { object } => put_object(out, object, &None),
        NotificationEvent::Created {
            object,
            parent_folder_id,
            tags,
        } => {
            put_object(out, object, parent_folder_id);
            put_tags(out, tags)?;
        }
        NotificationEvent::Deleted {
            object,
            parent_folder_id,
        } => {
            put_object(out, object, parent_folder_id);
        }
        NotificationEvent::Modified { object, tags } => {
            put_object(out, object, &None);
            put_tags(out, tags)?;
        }
        NotificationEvent::MovedOrCopied {
            object,
            parent_folder_id,
            old_folder_id,
            old_message_id,
            old_parent_folder_id,
            ..
        } => {
            put_object(out, object, parent_folder_id);
            out.put_u64(old_folder_id.to_u64());
            match object.message_id {
                Some(_) => out.put_u64(old_message_id.unwrap_or_default().to_u64()),
                None => out.put_u64(old_parent_folder_id.unwrap_or_default().to_u64()),
            }
        }
        NotificationEvent::Table {
            table_event_type, ..
        } => out.put_u16(*table_event_type),
        NotificationEvent::TableRow {
            modified,
            row,
            insert_after,
            table_row_data,
        } => {
            out.put_u16(if *modified {
                TABLE_ROW_MODIFIED
            } else {
                TABLE_ROW_ADDED
            });
            let message = row.message.is_some();
            put_row_id(out, row, message);
            put_row_id(out, insert_after, message);
            table_row_data.encode(out)?;
        }
        NotificationEvent::TableRowDeleted { row } => {
            out.put_u16(TABLE_ROW_DELETED);
            put_row_id(out, row, row.message.is_some());
        }
        NotificationEvent::Extended { .. } => {}
    }
    Ok(())
}

fn put_row_id(out: &mut Vec<u8>, row: &TableRowId, message: bool) {
    out.put_u64(row.folder_id.to_u64());
    if message {
        let (message_id, instance) = row.message.unwrap_or_default();
        out.put_u64(message_id.to_u64());
        out.put_u32(instance);
    }
}

fn put_tags(out: &mut Vec<u8>, tags: &NotificationTags<'_>) -> Result<(), EncodeError> {
    match tags {
        NotificationTags::Known(tags) => tags.encode(out),
        NotificationTags::Unknown => {
            out.put_u16(TAGS_UNKNOWN);
            Ok(())
        }
    }
}
