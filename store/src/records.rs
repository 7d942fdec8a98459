//! What a commit says: absolute new states, so that replaying a frame twice does no harm.
//!
//! The archives of these types are on disk: a change to any of them is a change of format. What format 1
//! had is in [`v1`].

pub mod v1;

use rkyv::rancor;
use ropewalk_props::{FileTime, GlobCnt, Guid, PropertyName, Utf16Text};

use crate::{
    FolderCounts, FolderKind, MessageEntry,
    crypto::{FileKey, Keyring},
    log::{
        frame::{Location, Position, RecordKind},
        sealed::plain_data,
    },
    versions::Versions,
};

/// One commit.
#[derive(Clone, Debug, Default, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct Batch {
    /// The mailbox that the changes are in.
    pub mailbox: Option<Guid>,
    /// The mailbox's next counter value after this commit.
    pub counter: u64,
    /// The changes, in order.
    pub ops: Vec<Op>,
}

impl Batch {
    /// The batch of a record that was found, version and data as stored; `None` if it is none.
    pub fn read(found: (u8, &[u8]), key: (&Keyring, FileKey)) -> Option<Self> {
        let archive = plain_data(found, RecordKind::Batch, key)?;
        match found.0 {
            1 => {
                let old = rkyv::from_bytes::<v1::Batch, rancor::Error>(&archive).ok()?;
                Some(old.into())
            }
            _ => rkyv::from_bytes::<Self, rancor::Error>(&archive).ok(),
        }
    }

    /// A commit that concerns no mailbox's counter.
    pub fn of_store(ops: Vec<Op>) -> Self {
        Self {
            ops,
            ..Self::default()
        }
    }

    /// Whether this lets go of something: such commits are taken on a full disk too, as long as they
    /// are small. So are empty ones, which mark a place in the log.
    pub fn frees_space(&self) -> bool {
        let lets_go = |op: &Op| match op {
            Op::RemoveUser(_)
            | Op::RemoveMailbox(_)
            | Op::RemoveFolder(_)
            | Op::RemoveMessage { .. }
            | Op::RemoveBlobs(_)
            | Op::RemoveChunks(_) => true,
            Op::PutMessage(entry) => entry.soft_deleted,
            _ => false,
        };
        self.ops.is_empty() || self.ops.iter().any(lets_go)
    }
}

/// One change. Locations in segment 0 are relative to the frame.
///
/// What takes more than 16 bytes is boxed: an archived enum is as large as its largest variant, and new
/// variants (at the end) must not change that.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum Op {
    /// A user is added or changed.
    PutUser(Box<UserRecord>),
    /// A user is removed.
    RemoveUser(u32),
    /// A mailbox is made, or its own properties changed.
    PutMailbox(Box<MailboxMeta>),
    /// A mailbox is removed with all that is in it.
    RemoveMailbox(Guid),
    /// A folder is made or changed.
    PutFolder(Box<FolderMeta>),
    /// A folder is removed with its messages.
    RemoveFolder(GlobCnt),
    /// A message is made or changed.
    PutMessage(Box<MessageEntry>),
    /// A message is removed.
    RemoveMessage {
        /// The folder that it was in.
        folder: GlobCnt,
        /// Its id.
        id: GlobCnt,
    },
    /// A named property gets an id.
    PutName(u16, Box<NameRecord>),
    /// A replica GUID gets a REPLID.
    PutReplid(u16, Guid),
    /// A message class gets a receive folder.
    PutReceiveFolder(Box<ReceiveRecord>),
    /// A large value is complete.
    PutBlob(Box<BlobRecord>),
    /// A message class loses its receive folder.
    RemoveReceiveFolder(String),
    /// Large values that nothing refers to any more.
    RemoveBlobs(Vec<u64>),
    /// A chunk of large values can be found by the hash of its bytes.
    PutChunk(Box<ChunkRecord>),
    /// Chunks that cannot be found by their hashes any more.
    RemoveChunks(Vec<[u8; 32]>),
    /// No user gets a minimal id up to this one.
    LargestId(u32),
    /// Commits were lost, or taken back by a restore to an earlier moment: folder counts are taken anew
    /// and counters moved on.
    Fenced,
}

/// A user.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct UserRecord {
    pub email: String,
    pub display_name: String,
    pub legacy_dn: String,
    pub mailbox_guid: Guid,
    pub password_hash: String,
    pub minimal_id: u32,
    pub created: FileTime,
}

/// A mailbox.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct MailboxMeta {
    pub guid: Guid,
    pub repl_guid: Guid,
    pub props: Location,
}

/// A folder, without its properties.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct FolderMeta {
    pub id: GlobCnt,
    pub parent: GlobCnt,
    pub kind: FolderKind,
    pub cn: GlobCnt,
    pub versions: Option<Box<Versions>>,
    pub created: FileTime,
    pub modified: FileTime,
    pub counts: FolderCounts,
    pub local_commit_time: FileTime,
    pub local_commit_time_max: FileTime,
    pub hierarchy_change: u64,
    pub version: u64,
    pub props: Location,
}

/// The name of a named property.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct NameRecord {
    pub guid: Guid,
    pub kind: NameKind,
}

/// A LID, or a name in UTF-16LE.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub enum NameKind {
    Lid(u32),
    Name(Vec<u8>),
}

/// The receive folder of a message class.
#[derive(Clone, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ReceiveRecord {
    pub message_class: String,
    pub folder: GlobCnt,
    pub modified: FileTime,
}

/// A chunk of a large value, by the hash of its bytes.
#[derive(Clone, Copy, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct ChunkRecord {
    /// See `blob::hash`.
    pub hash: [u8; 32],
    pub at: Location,
}

/// A large value.
#[derive(Clone, Copy, Debug, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct BlobRecord {
    pub id: u64,
    pub len: u64,
    /// Where the list of its chunks is.
    pub map: Location,
}

impl From<&PropertyName> for NameRecord {
    fn from(name: &PropertyName) -> Self {
        let kind = match name {
            PropertyName::Lid(_, lid) => NameKind::Lid(*lid),
            PropertyName::Name(_, text) => NameKind::Name(text.as_bytes().to_vec()),
        };
        Self {
            guid: name.guid(),
            kind,
        }
    }
}

impl From<NameRecord> for PropertyName {
    fn from(record: NameRecord) -> Self {
        match record.kind {
            NameKind::Lid(lid) => Self::Lid(record.guid, lid),
            NameKind::Name(bytes) => Self::Name(record.guid, Utf16Text::from_le_bytes(&bytes)),
        }
    }
}

impl Op {
    /// Makes every location in it absolute.
    pub fn resolve(&mut self, frame: Position) {
        let location = match self {
            Self::PutMailbox(mailbox) => &mut mailbox.props,
            Self::PutFolder(folder) => &mut folder.props,
            Self::PutMessage(entry) => &mut entry.content,
            Self::PutChunk(chunk) => &mut chunk.at,
            Self::PutBlob(blob) => &mut blob.map,
            _ => return,
        };
        *location = location.resolve(frame);
    }
}
