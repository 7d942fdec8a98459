//! The types that a mailbox takes and gives.

use std::{
    any::Any,
    fmt,
    ops::Bound,
    sync::{Arc, OnceLock},
};

use imbl::{OrdMap, ordmap::DiffItem};
use ropewalk_props::{Bag, FileTime, GlobCnt, Guid, PropTag, PropValue};

use crate::{
    Message,
    log::frame::Location,
    versions::{self, Versions},
};

/// What kind of folder (PidTagFolderType).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub enum FolderKind {
    /// The root of the mailbox.
    Root,
    /// A folder with messages and subfolders.
    Generic,
    /// A folder whose contents are the result of a search.
    Search,
}

/// What a folder holds, as numbers.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize,
)]
pub struct FolderCounts {
    /// Normal messages.
    pub content: u32,
    /// Normal messages that are unread.
    pub unread: u32,
    /// Folder-associated messages.
    pub associated: u32,
    /// Soft-deleted normal messages.
    pub deleted: u32,
    /// Soft-deleted folder-associated messages.
    pub deleted_associated: u32,
    /// Bytes of the normal messages.
    pub size: u64,
    /// Bytes of the folder-associated messages.
    pub associated_size: u64,
    /// Direct subfolders.
    pub child_folders: u32,
    /// Messages that were ever deleted from the folder.
    pub deleted_total: u32,
}

/// A folder at one moment.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its id.
    pub id: GlobCnt,
    /// Its parent; the root is its own.
    pub parent: GlobCnt,
    /// What kind of folder.
    pub kind: FolderKind,
    /// Its properties, PidTagDisplayName among them.
    pub props: Arc<Bag>,
    /// The change number of its last change.
    pub cn: GlobCnt,
    /// PidTagChangeKey (MS-OXCFXICS 2.2.1.2.7).
    pub change_key: Vec<u8>,
    /// PidTagPredecessorChangeList (MS-OXCFXICS 2.2.1.2.8).
    pub predecessor_change_list: Vec<u8>,
    /// When it was made.
    pub created: FileTime,
    /// When its properties last changed.
    pub modified: FileTime,
    /// What it holds.
    pub counts: FolderCounts,
    /// PidTagLocalCommitTime: when the folder itself last changed.
    pub local_commit_time: FileTime,
    /// PidTagLocalCommitTimeMax: when a message or a direct subfolder in it last changed.
    pub local_commit_time_max: FileTime,
    /// Rises when a subfolder is added or removed.
    pub hierarchy_change: u64,
    /// Rises with any change in or of the folder, and of the properties of its subfolders.
    pub version: u64,
    /// Whether it is soft-deleted, as then all is that it holds. Such a folder is out of the hierarchy
    /// and takes no changes.
    pub deleted: bool,
}

/// What becomes of a folder's properties: those to set, and the ids of those to remove.
pub type FolderEdit = (Vec<(PropTag, PropValue)>, Vec<u16>);

/// A folder to create.
#[derive(Clone, Debug)]
pub struct NewFolder {
    /// Where.
    pub parent: GlobCnt,
    /// What kind; not [`FolderKind::Root`].
    pub kind: FolderKind,
    /// Its properties, PidTagDisplayName among them.
    pub props: Bag,
}

/// What may go along with a deleted folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeleteFolder {
    /// Also its messages.
    pub messages: bool,
    /// Also its subfolders, with all that is in them.
    pub folders: bool,
    /// For good, and what is soft-deleted in it as well; else it is kept, soft-deleted.
    pub hard: bool,
}

/// What goes when a folder is emptied, besides its normal messages and its subfolders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptyFolder {
    /// Also its folder-associated messages; otherwise those that are soft-deleted stay as well.
    pub associated: bool,
    /// For good, and what is soft-deleted as well.
    pub hard: bool,
}

/// Which of a folder's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentsView {
    /// Normal messages.
    Normal,
    /// Folder-associated messages.
    Associated,
    /// Soft-deleted normal messages.
    SoftDeleted,
    /// Soft-deleted folder-associated messages.
    SoftDeletedAssociated,
}

/// The receive folder of a message class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveFolder {
    /// The message class; empty for all that no other matches.
    pub message_class: String,
    /// The folder.
    pub folder: GlobCnt,
    /// When this was set.
    pub modified: FileTime,
}

/// What the store knows of a message besides its content.
// Its archive is on disk: a change to it is a change of format.
#[derive(Clone, Debug, PartialEq, Eq, rkyv::Archive, rkyv::Serialize, rkyv::Deserialize)]
pub struct MessageEntry {
    /// Its id.
    pub id: GlobCnt,
    /// The folder that it is in.
    pub folder: GlobCnt,
    /// The change number of its last change.
    pub cn: GlobCnt,
    /// The change number of the last change of its read state; equal to `cn` if there was none since.
    pub read_cn: GlobCnt,
    /// Whether it was read.
    pub read: bool,
    /// Whether it is a folder-associated message.
    pub associated: bool,
    /// Whether it is soft-deleted.
    pub soft_deleted: bool,
    /// Bytes of all its properties, recipients and attachments, large values included.
    pub size: u64,
    /// PidTagCreationTime.
    pub created: FileTime,
    /// PidTagLastModificationTime.
    pub modified: FileTime,
    /// PidTagMessageDeliveryTime, if the message has one: what most folders are sorted by, at hand
    /// without reading messages.
    pub delivered: Option<FileTime>,
    /// When it was soft-deleted; `None` if it is not, or was by a version that did not note it.
    pub deleted_on: Option<FileTime>,
    /// PidTagSubject in UTF-16LE, so that folders are sorted by it without reading messages. `None`: the
    /// content tells (it has none, or a long one, or an earlier version wrote the message).
    pub subject: Option<Box<[u8]>>,
    pub(crate) repl_guid: Guid,
    pub(crate) versions: Option<Box<Versions>>,
    pub(crate) content: Location,
    /// The large values that the content refers to. `None`: the content tells (there are many, or an
    /// earlier version wrote the message).
    pub(crate) blobs: Option<Box<[u64]>>,
}

impl MessageEntry {
    /// PidTagChangeKey (MS-OXCFXICS 2.2.1.2.7).
    pub fn change_key(&self) -> Vec<u8> {
        versions::change_key(self.repl_guid, self.cn, self.versions.as_deref())
    }

    /// PidTagPredecessorChangeList (MS-OXCFXICS 2.2.1.2.8).
    pub fn predecessor_change_list(&self) -> Vec<u8> {
        versions::predecessors(self.repl_guid, self.cn, self.versions.as_deref())
    }

    /// What is left to say of a normal message that is gone, where it has to be shown nevertheless:
    /// where it was.
    pub fn lost(folder: GlobCnt, id: GlobCnt) -> Self {
        Self {
            id,
            folder,
            cn: id,
            read_cn: id,
            read: true,
            associated: false,
            soft_deleted: false,
            size: 0,
            created: FileTime(0),
            modified: FileTime(0),
            delivered: None,
            deleted_on: None,
            subject: None,
            repl_guid: Guid([0; 16]),
            versions: None,
            content: Location::default(),
            blobs: None,
        }
    }

    /// The same without the content, of which nothing says whether it is still there.
    pub fn without_content(&self) -> Self {
        Self {
            content: Location::default(),
            blobs: None,
            ..self.clone()
        }
    }

    /// Whether there is content to read: not of what [`MessageEntry::lost`] and
    /// [`MessageEntry::without_content`] gave.
    pub fn has_content(&self) -> bool {
        self.content != Location::default()
    }

    /// The view of the folder that it is in.
    pub fn view(&self) -> ContentsView {
        match (self.soft_deleted, self.associated) {
            (false, false) => ContentsView::Normal,
            (false, true) => ContentsView::Associated,
            (true, false) => ContentsView::SoftDeleted,
            (true, true) => ContentsView::SoftDeletedAssociated,
        }
    }
}

/// A folder's messages at one moment, in order of id. Cloning it copies a pointer.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    pub(crate) map: OrdMap<GlobCnt, MessageEntry>,
    pub(crate) companion: Companion,
}

/// See [`Contents::companion`].
#[derive(Clone, Default)]
pub(crate) struct Companion(Option<Arc<OnceLock<Arc<dyn Any + Send + Sync>>>>);

impl Companion {
    /// For the messages of a view that has come into memory.
    pub fn new() -> Self {
        Self(Some(Arc::default()))
    }
}

impl fmt::Debug for Companion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Companion")
    }
}

impl Contents {
    /// Messages of any folders. They have no companion.
    pub fn of(entries: impl IntoIterator<Item = MessageEntry>) -> Self {
        let entries = entries.into_iter().map(|entry| (entry.id, entry));
        Self {
            map: entries.collect(),
            companion: Companion(None),
        }
    }

    /// No messages, with a companion: a view of what is gathered from folders.
    pub fn gathered() -> Self {
        Self {
            map: OrdMap::new(),
            companion: Companion::new(),
        }
    }

    /// Puts a message in, in place of one with its id, which is returned.
    pub fn insert(&mut self, entry: MessageEntry) -> Option<MessageEntry> {
        self.map.insert(entry.id, entry)
    }

    /// Takes a message out and returns it.
    pub fn remove(&mut self, id: GlobCnt) -> Option<MessageEntry> {
        self.map.remove(&id)
    }

    /// The messages with an id below this one, by ascending id; all of them without one.
    pub fn below(&self, id: Option<GlobCnt>) -> impl DoubleEndedIterator<Item = &MessageEntry> {
        let end = id.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.map.range((Bound::Unbounded, end));
        range.map(|(_, entry)| entry)
    }

    /// What readers work out from these messages and keep for each other, such as an order: made
    /// empty when first asked for, the same for all moments of a view of a folder, and dropped when
    /// the folder's messages leave memory. `None` for what [`Contents::alone`] gave, and for another
    /// `T` than the first.
    pub fn companion<T: Default + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let kept = self.companion.0.as_ref()?;
        let kept = kept.get_or_init(|| Arc::new(T::default()));
        Arc::clone(kept).downcast().ok()
    }

    /// The same messages without the companion, which can keep them without keeping itself.
    pub fn alone(&self) -> Self {
        Self {
            map: self.map.clone(),
            companion: Companion(None),
        }
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// True without any message.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The message with this id.
    pub fn get(&self, id: GlobCnt) -> Option<&MessageEntry> {
        self.map.get(&id)
    }

    /// All messages, by ascending id.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &MessageEntry> {
        self.map.values()
    }

    /// True if nothing can have changed between two moments; it takes no look at the messages.
    pub fn is_same(&self, other: &Self) -> bool {
        self.map.ptr_eq(&other.map)
    }

    /// What changed between an earlier moment and this one, by ascending id. The cost is that of
    /// the changes, not of the folder.
    pub fn changes_since<'a>(
        &'a self,
        earlier: &'a Self,
    ) -> impl Iterator<Item = ContentsChange<'a>> {
        earlier.map.diff(&self.map).map(|change| match change {
            DiffItem::Add(_, new) => ContentsChange::Added(new),
            DiffItem::Update { new: (_, new), .. } => ContentsChange::Changed(new),
            DiffItem::Remove(id, _) => ContentsChange::Removed(*id),
        })
    }
}

/// One difference between a folder's messages at two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentsChange<'a> {
    /// A message that was not there.
    Added(&'a MessageEntry),
    /// A message whose entry is another one.
    Changed(&'a MessageEntry),
    /// A message that is not there any more.
    Removed(GlobCnt),
}

/// A message to save.
#[derive(Clone, Debug)]
pub struct SaveMessage {
    /// The folder that it is or will be in.
    pub folder: GlobCnt,
    /// An existing message, or `None` for a new one.
    pub id: Option<GlobCnt>,
    /// Whether a new message is a folder-associated one.
    pub associated: bool,
    /// Its read state; `None` keeps it, and means unread for a new message.
    pub read: Option<bool>,
    /// Refuse with [`crate::StoreError::Conflict`] if the message's change number is another one.
    pub expected_cn: Option<GlobCnt>,
    /// The whole new content.
    pub message: Message,
}

/// What went for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Messages, those in folders included.
    pub messages: u64,
    /// Folders.
    pub folders: u64,
}

/// The ids that were not there.
pub type Missing = Vec<GlobCnt>;

/// What became of messages to move or copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Old and new id of each one done.
    pub done: Vec<(GlobCnt, GlobCnt)>,
    /// The ids that were not there.
    pub missing: Missing,
}

/// What became of read states to set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOutcome {
    /// The messages whose state was another one before.
    pub changed: Vec<GlobCnt>,
    /// The ids that were not there.
    pub missing: Missing,
}
