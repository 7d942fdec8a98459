//! NotificationData to bytes and back (MS-OXCNOTIF 2.2.1.4.1.2).

use super::{
    NotificationData, NotificationEvent, NotificationObject, NotificationTags, TableRowId,
    notification_flags,
};
use crate::{
    DecodeError, EncodeError, Fid, Put, Reader,
    codec::{Wire, put_text, take_text},
    list::List,
};

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
