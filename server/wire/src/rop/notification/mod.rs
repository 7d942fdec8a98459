//! Notification ROPs (MS-OXCROPS 2.2.14, MS-OXCNOTIF 2.2.1).

mod codec;
mod data;

pub use data::*;

use super::RopId;
use crate::{
    DecodeError, EncodeError, Fid, Mid, Put, Reader,
    codec::{Wire, wire_struct},
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
