//! The server objects that a handle can stand for (MS-OXCROPS 1.3.1).

use std::sync::Arc;

use ropewalk_props::GlobCnt;
use ropewalk_store::Mailbox;
use ropewalk_wire::ErrorCode;

use super::{
    attachment::AttachmentObject, message::MessageObject, operation::Operation, rights::Access,
    stream::StreamObject, table::TableObject,
};

/// An open server object.
pub enum Object {
    /// A logon to a mailbox.
    Logon(LogonObject),
    /// A folder.
    Folder(FolderObject),
    /// A message, embedded or not.
    Message(Box<MessageObject>),
    /// An attachment.
    Attachment(Box<AttachmentObject>),
    /// A table over a folder or a message.
    Table(Box<TableObject>),
    /// A stream on one property.
    Stream(Box<StreamObject>),
}

/// A logon to a private mailbox.
#[derive(Clone)]
pub struct LogonObject {
    /// The mailbox.
    pub mailbox: Arc<Mailbox>,
    /// What the user may do in it.
    pub access: Access,
    /// Whether the client can do with RopProgress in answer to RopSetReadFlags (SUPPORT_PROGRESS,
    /// MS-OXCSTOR 2.2.1.1.1).
    pub progress: bool,
}

impl LogonObject {
    /// Whether it is a logon to the public store.
    pub fn is_public(&self) -> bool {
        crate::public::is_public(&self.mailbox)
    }

    /// Fails with `ecNotSupported` if it is a logon to the public store: for what only a private mailbox
    /// has.
    pub fn private(&self) -> Result<&Self, ErrorCode> {
        if self.is_public() {
            Err(ErrorCode::NOT_SUPPORTED)
        } else {
            Ok(self)
        }
    }
}

/// An open folder. Everything about it is read anew each time: folders change under their readers.
pub struct FolderObject {
    /// Its id.
    pub id: GlobCnt,
    /// What an asynchronous ROP has begun on it.
    pub operation: Option<Box<Operation>>,
}

impl FolderObject {
    /// A folder that has just been opened.
    pub const fn new(id: GlobCnt) -> Self {
        Self {
            id,
            operation: None,
        }
    }
}

macro_rules! narrow {
    ($($(#[$doc:meta])* $name:ident, $name_mut:ident, $variant:ident => $ty:ty;)*) => {
        impl Object {$(
            $(#[$doc])*
            pub fn $name(&self) -> Result<&$ty, ErrorCode> {
                match self {
                    Self::$variant(object) => Ok(object),
                    _ => Err(ErrorCode::NOT_SUPPORTED),
                }
            }

            $(#[$doc])*
            pub fn $name_mut(&mut self) -> Result<&mut $ty, ErrorCode> {
                match self {
                    Self::$variant(object) => Ok(object),
                    _ => Err(ErrorCode::NOT_SUPPORTED),
                }
            }
        )*}
    };
}

narrow! {
    /// The logon, or `ecNotSupported` for another kind of object.
    logon, logon_mut, Logon => LogonObject;
    /// The folder, or `ecNotSupported` for another kind of object.
    folder, folder_mut, Folder => FolderObject;
    /// The message, or `ecNotSupported` for another kind of object.
    message, message_mut, Message => MessageObject;
    /// The attachment, or `ecNotSupported` for another kind of object.
    attachment, attachment_mut, Attachment => AttachmentObject;
    /// The table, or `ecNotSupported` for another kind of object.
    table, table_mut, Table => TableObject;
    /// The stream, or `ecNotSupported` for another kind of object.
    stream, stream_mut, Stream => StreamObject;
}
