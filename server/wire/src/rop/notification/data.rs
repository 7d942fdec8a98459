//! What a notification says.

use ropewalk_props::PropTag;

use super::notification_flags;
use crate::{
    DecodeError, Fid, Mid, Reader, codec::Bytes16, list::List, row::PropertyRow, value::Form,
};

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

    /// The type in NotificationFlags, and whether it is about a message.
    pub(super) fn type_and_kind(&self) -> (u16, bool) {
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
