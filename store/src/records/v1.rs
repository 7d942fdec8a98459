//! Batches as format 1 had them, to be read only.

use ropewalk_props::{FileTime, GlobCnt, Guid};

use super::{BlobRecord, FolderMeta, MailboxMeta, NameRecord, ReceiveRecord, UserRecord};
use crate::{log::frame::Location, versions::Versions};

/// One commit.
#[derive(Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Batch {
    pub mailbox: Option<Guid>,
    pub counter: u64,
    pub ops: Vec<Op>,
}

/// One change. Locations in segment 0 are relative to the frame.
#[derive(Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Op {
    /// A user is added or changed.
    PutUser(UserRecord),
    /// A user is removed.
    RemoveUser(u32),
    /// A mailbox is made, or its own properties changed.
    PutMailbox(MailboxMeta),
    /// A mailbox is removed with all that is in it.
    RemoveMailbox(Guid),
    /// A folder is made or changed.
    PutFolder(FolderMeta),
    /// A folder is removed with its messages.
    RemoveFolder(GlobCnt),
    /// A message is made or changed.
    PutMessage(MessageEntry),
    /// A message is removed.
    RemoveMessage {
        /// The folder that it was in.
        folder: GlobCnt,
        /// Its id.
        id: GlobCnt,
    },
    /// A named property gets an id.
    PutName(u16, NameRecord),
    /// A replica GUID gets a REPLID.
    PutReplid(u16, Guid),
    /// A message class gets a receive folder.
    PutReceiveFolder(ReceiveRecord),
    /// A large value is complete.
    PutBlob(BlobRecord),
    /// A message class loses its receive folder.
    RemoveReceiveFolder(String),
}

/// The entry of a message as format 1 has it.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct MessageEntry {
    pub id: GlobCnt,
    pub folder: GlobCnt,
    pub cn: GlobCnt,
    pub read_cn: GlobCnt,
    pub read: bool,
    pub associated: bool,
    pub soft_deleted: bool,
    pub size: u64,
    pub created: FileTime,
    pub modified: FileTime,
    pub delivered: Option<FileTime>,
    pub repl_guid: Guid,
    pub versions: Option<Box<Versions>>,
    pub content: Location,
}

impl From<MessageEntry> for super::MessageEntry {
    fn from(old: MessageEntry) -> Self {
        Self {
            id: old.id,
            folder: old.folder,
            cn: old.cn,
            read_cn: old.read_cn,
            read: old.read,
            associated: old.associated,
            soft_deleted: old.soft_deleted,
            size: old.size,
            created: old.created,
            modified: old.modified,
            delivered: old.delivered,
            deleted_on: None,
            subject: None,
            repl_guid: old.repl_guid,
            versions: old.versions,
            content: old.content,
            blobs: None,
        }
    }
}

impl From<Batch> for super::Batch {
    fn from(old: Batch) -> Self {
        Self {
            mailbox: old.mailbox,
            counter: old.counter,
            ops: old.ops.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Op> for super::Op {
    fn from(old: Op) -> Self {
        match old {
            Op::PutUser(user) => Self::PutUser(Box::new(user)),
            Op::RemoveUser(id) => Self::RemoveUser(id),
            Op::PutMailbox(meta) => Self::PutMailbox(Box::new(meta)),
            Op::RemoveMailbox(guid) => Self::RemoveMailbox(guid),
            Op::PutFolder(folder) => Self::PutFolder(Box::new(folder)),
            Op::RemoveFolder(id) => Self::RemoveFolder(id),
            Op::PutMessage(entry) => Self::PutMessage(Box::new(entry.into())),
            Op::RemoveMessage { folder, id } => Self::RemoveMessage { folder, id },
            Op::PutName(id, name) => Self::PutName(id, Box::new(name)),
            Op::PutReplid(id, guid) => Self::PutReplid(id, guid),
            Op::PutReceiveFolder(folder) => Self::PutReceiveFolder(Box::new(folder)),
            Op::PutBlob(blob) => Self::PutBlob(Box::new(blob)),
            Op::RemoveReceiveFolder(class) => Self::RemoveReceiveFolder(class),
        }
    }
}
