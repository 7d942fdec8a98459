//! The properties of a folder: those of its bag, and those the store counts (MS-OXCFOLD 2.2.2).

use ropewalk_props::{BagView, FileTime, PropTag, PropType, tags::*};
use ropewalk_store::{Folder, FolderCounts, FolderKind, Mailbox, Store};

use crate::{
    ids,
    logon::special,
    property::{
        identity,
        value::{Found, Properties, in_bag},
    },
    public,
    rights::{
        Access, Rights,
        list::{self, PermissionsList},
    },
    rules,
    search::{
        self,
        criteria::{CRITERIA, RESULTS},
    },
};

/// A folder as a property source.
#[derive(Clone, Copy)]
pub struct FolderProperties<'a> {
    /// The store.
    pub store: &'a Store,
    /// Its mailbox.
    pub mailbox: &'a Mailbox,
    /// The folder as of now.
    pub folder: &'a Folder,
    /// PidTagDepth in a hierarchy table: 0 outside one.
    pub depth: u32,
    /// Who looks.
    pub access: Access,
}

/// PidTagObjectType of a folder (MS-OXCPRPT 2.2.1.7).
const OBJECT_TYPE_FOLDER: i32 = 3;

const MESSAGE_SIZE_EXTENDED: PropTag = PID_TAG_MESSAGE_SIZE.with_type(PropType::INTEGER64);
/// PR_DELETED_MSG_COUNT, PR_DELETED_ASSOC_MSG_COUNT, PR_DELETED_FOLDER_COUNT.
const DELETED_MESSAGE_COUNT: PropTag = PropTag(0x6640_0003);
const DELETED_FOLDER_COUNT: PropTag = PropTag(0x6641_0003);
const DELETED_ASSOCIATED_COUNT: PropTag = PropTag(0x6643_0003);
/// PR_FOLDER_CHILD_COUNT.
const FOLDER_CHILD_COUNT: PropTag = PropTag(0x6638_0003);
/// PidTagChangeNumber, PidTagHierarchyChangeNumber and others that are no object property.
const COMPUTED: [PropTag; 40] = [
    PID_TAG_DELETED_ON,
    PID_TAG_FOLDER_ID,
    PID_TAG_PARENT_FOLDER_ID,
    PID_TAG_ENTRY_ID,
    PID_TAG_PARENT_ENTRY_ID,
    PID_TAG_RECORD_KEY,
    PID_TAG_INSTANCE_KEY,
    PID_TAG_STORE_ENTRY_ID,
    PID_TAG_STORE_RECORD_KEY,
    PID_TAG_MAPPING_SIGNATURE,
    PID_TAG_SOURCE_KEY,
    PID_TAG_PARENT_SOURCE_KEY,
    PID_TAG_CHANGE_KEY,
    PID_TAG_PREDECESSOR_CHANGE_LIST,
    PID_TAG_CHANGE_NUMBER,
    PID_TAG_FOLDER_TYPE,
    PID_TAG_OBJECT_TYPE,
    PID_TAG_ACCESS,
    PID_TAG_ACCESS_LEVEL,
    PID_TAG_RIGHTS,
    PID_TAG_CONTENT_COUNT,
    PID_TAG_CONTENT_UNREAD_COUNT,
    PID_TAG_ASSOCIATED_CONTENT_COUNT,
    PID_TAG_SUBFOLDERS,
    FOLDER_CHILD_COUNT,
    PID_TAG_MESSAGE_SIZE,
    MESSAGE_SIZE_EXTENDED,
    PID_TAG_DELETED_COUNT_TOTAL,
    DELETED_MESSAGE_COUNT,
    DELETED_ASSOCIATED_COUNT,
    DELETED_FOLDER_COUNT,
    PID_TAG_HIERARCHY_CHANGE_NUMBER,
    PID_TAG_LOCAL_COMMIT_TIME,
    PID_TAG_LOCAL_COMMIT_TIME_MAX,
    PID_TAG_CREATION_TIME,
    PID_TAG_LAST_MODIFICATION_TIME,
    PID_TAG_HAS_RULES,
    PID_TAG_FOLDER_FLAGS,
    PID_TAG_DEPTH,
    PID_TAG_ADDRESS_BOOK_ENTRY_ID,
];

/// Those that a folder has before they are set.
const DEFAULTED: [PropTag; 2] = [PID_TAG_COMMENT, PID_TAG_ATTRIBUTE_HIDDEN];

/// Columns that every hierarchy table has.
pub fn columns() -> Vec<PropTag> {
    let columns = COMPUTED.into_iter().chain(DEFAULTED);
    columns.chain([PID_TAG_DISPLAY_NAME]).collect()
}

/// What the server keeps in the bags of folders for itself: no client sees it, sets it or copies it.
const HIDDEN: [PropTag; 5] = [
    list::STORED,
    rules::RULES,
    CRITERIA,
    RESULTS,
    public::per_user::TABLE,
];

/// True for properties that only the server sets; PidTagAccessControlListData is set by what knows about
/// permissions lists.
pub fn is_read_only(tag: PropTag) -> bool {
    COMPUTED.iter().any(|known| known.id() == tag.id()) || is_hidden(tag.id())
}

fn is_hidden(id: u16) -> bool {
    HIDDEN.iter().any(|known| known.id() == id)
}

impl Properties for FolderProperties<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        if let Some(found) = self.identity(tag).or_else(|| self.counted(tag)) {
            return Some(found);
        }
        if tag.id() == list::STORED.id() {
            return self.permissions_list();
        }
        if is_hidden(tag.id()) {
            return None;
        }
        in_bag(&*self.folder.props, tag.id()).or_else(|| match tag.id() {
            // MS-OXCFOLD 2.2.2.2.2.2: a folder without a comment has an empty one.
            id if id == PID_TAG_COMMENT.id() => Some(Found::text("")),
            // MS-OXCFOLD 2.2.2.2.2.1: zero unless the folder is hidden.
            id if id == PID_TAG_ATTRIBUTE_HIDDEN.id() => Some(Found::bool(false)),
            _ => None,
        })
    }

    fn tags(&self) -> Vec<PropTag> {
        let bag: &dyn BagView = &*self.folder.props;
        let stored = (0..bag.len())
            .filter_map(|index| bag.entry(index))
            .map(|(tag, _)| tag);
        let is_stored = |tag: PropTag| in_bag(&*self.folder.props, tag.id()).is_some();
        COMPUTED
            .into_iter()
            .filter(|tag| self.find(*tag).is_some() && *tag != PID_TAG_DEPTH)
            .chain(stored.filter(|tag| !is_read_only(*tag)))
            .chain(DEFAULTED.into_iter().filter(|tag| !is_stored(*tag)))
            .collect()
    }
}

impl FolderProperties<'_> {
    fn rights(&self) -> Rights {
        self.access.rights(self.folder.id, &self.folder.props)
    }

    /// PidTagAccessControlListData (MS-OXCPERM 2.2.3), for those who may see the permissions list. It is
    /// told who asks for it, and in no list.
    fn permissions_list(&self) -> Option<Found<'static>> {
        if !self.rights().contains(Rights::FOLDER_OWNER) {
            return None;
        }
        let list = PermissionsList::of(&*self.folder.props, self.folder.id);
        Some(Found::binary(list.encode()))
    }

    /// The direct subfolders that can be seen.
    fn child_folders(&self) -> u32 {
        if self.access == Access::Owner {
            return self.folder.counts.child_folders;
        }
        let children = self.mailbox.child_folders(self.folder.id);
        let is_visible = |child: &&Folder| {
            let rights = self.access.rights(child.id, &child.props);
            rights.contains(Rights::FOLDER_VISIBLE)
        };
        let count = children.iter().filter(is_visible).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn identity(&self, tag: PropTag) -> Option<Found<'static>> {
        let (mailbox, folder) = (self.mailbox, self.folder);
        Some(match tag {
            PID_TAG_FOLDER_ID => Found::u64(ids::fid(folder.id).to_u64()),
            PID_TAG_PARENT_FOLDER_ID => Found::u64(ids::fid(folder.parent).to_u64()),
            PID_TAG_ENTRY_ID | PID_TAG_RECORD_KEY => {
                Found::binary(ids::folder_entry_id(mailbox, folder.id))
            }
            PID_TAG_INSTANCE_KEY => {
                Found::binary(ids::fid(folder.id).to_u64().to_le_bytes().to_vec())
            }
            PID_TAG_PARENT_ENTRY_ID => Found::binary(ids::folder_entry_id(mailbox, folder.parent)),
            PID_TAG_STORE_ENTRY_ID | PID_TAG_STORE_RECORD_KEY | PID_TAG_MAPPING_SIGNATURE => {
                identity::of_store(Some(self.store), mailbox, tag)?
            }
            PID_TAG_SOURCE_KEY => Found::binary(ids::gid(mailbox.repl_guid(), folder.id)),
            PID_TAG_PARENT_SOURCE_KEY => {
                Found::binary(ids::gid(mailbox.repl_guid(), folder.parent))
            }
            PID_TAG_CHANGE_KEY => Found::binary(folder.change_key.clone()),
            PID_TAG_PREDECESSOR_CHANGE_LIST => {
                Found::binary(folder.predecessor_change_list.clone())
            }
            PID_TAG_CHANGE_NUMBER => Found::u64(ids::mid(folder.cn).to_u64()),
            PID_TAG_OBJECT_TYPE => Found::i32(OBJECT_TYPE_FOLDER),
            PID_TAG_ACCESS => Found::u32(access(self.rights())),
            PID_TAG_ACCESS_LEVEL => Found::i32(self.rights().contains(Rights::FOLDER_OWNER).into()),
            PID_TAG_RIGHTS => Found::u32(self.rights().without(Rights::FREE_BUSY).bits()),
            PID_TAG_FOLDER_TYPE => Found::i32(folder_type(folder.kind)),
            PID_TAG_DEPTH => Found::u32(self.depth),
            _ => return None,
        })
    }

    /// What the folder holds, or has found, and when that last changed.
    fn holds(&self) -> (FolderCounts, FileTime) {
        let folder = self.folder;
        match folder.kind {
            FolderKind::Search => search::counts(self.store, self.mailbox, self.access, folder),
            _ => (folder.counts, folder.local_commit_time_max),
        }
    }

    fn counted(&self, tag: PropTag) -> Option<Found<'static>> {
        const OF_MESSAGES: [PropTag; 5] = [
            PID_TAG_CONTENT_COUNT,
            PID_TAG_CONTENT_UNREAD_COUNT,
            PID_TAG_MESSAGE_SIZE,
            MESSAGE_SIZE_EXTENDED,
            PID_TAG_LOCAL_COMMIT_TIME_MAX,
        ];
        let folder = self.folder;
        let (counts, changed) = if OF_MESSAGES.contains(&tag) {
            self.holds()
        } else {
            (folder.counts, folder.local_commit_time_max)
        };
        let size = counts.size.saturating_add(counts.associated_size);
        Some(match tag {
            PID_TAG_CONTENT_COUNT => Found::u32(counts.content),
            // Of a public folder: those that this user has not read.
            PID_TAG_CONTENT_UNREAD_COUNT => Found::u32(
                public::reads::unread(self.mailbox, self.access, folder.id)
                    .unwrap_or(counts.unread),
            ),
            PID_TAG_ASSOCIATED_CONTENT_COUNT => Found::u32(counts.associated),
            PID_TAG_SUBFOLDERS => Found::bool(self.child_folders() > 0),
            FOLDER_CHILD_COUNT => Found::u32(self.child_folders()),
            PID_TAG_MESSAGE_SIZE => Found::u32(u32::try_from(size).unwrap_or(i32::MAX as u32)),
            MESSAGE_SIZE_EXTENDED => Found::u64(size),
            PID_TAG_DELETED_COUNT_TOTAL => Found::u32(counts.deleted_total),
            DELETED_MESSAGE_COUNT => Found::u32(counts.deleted),
            DELETED_ASSOCIATED_COUNT => Found::u32(counts.deleted_associated),
            DELETED_FOLDER_COUNT => Found::u32(self.mailbox.soft_deleted_folders(folder.id)),
            PID_TAG_HIERARCHY_CHANGE_NUMBER => Found::u32(folder.hierarchy_change as u32),
            PID_TAG_LOCAL_COMMIT_TIME => Found::time(folder.local_commit_time),
            PID_TAG_LOCAL_COMMIT_TIME_MAX => Found::time(changed),
            PID_TAG_CREATION_TIME => Found::time(folder.created),
            PID_TAG_LAST_MODIFICATION_TIME => Found::time(folder.modified),
            PID_TAG_HAS_RULES => Found::bool(rules::has_rules(&folder.props)),
            PID_TAG_FOLDER_FLAGS => Found::u32(self.flags()),
            _ => return None,
        })
    }
}

impl FolderProperties<'_> {
    /// PidTagFolderFlags (MS-OXCFOLD 2.2.2.2.1.5).
    fn flags(&self) -> u32 {
        const IPM: u32 = 0x0000_0001;
        const SEARCH: u32 = 0x0000_0002;
        const NORMAL: u32 = 0x0000_0004;
        const RULES: u32 = 0x0000_0008;
        let is_ipm = self.mailbox.is_within(self.folder.id, special::IPM_SUBTREE);
        let kind = match self.folder.kind {
            FolderKind::Root => 0,
            FolderKind::Generic => NORMAL,
            FolderKind::Search => SEARCH,
        };
        let flag = |is_set: bool, flag: u32| if is_set { flag } else { 0 };
        let has_rules = rules::has_rules(&self.folder.props);
        kind | flag(is_ipm, IPM) | flag(has_rules, RULES)
    }
}

/// PidTagAccess of a folder on which one has these rights (MS-OXCPRPT 2.2.1.1).
fn access(rights: Rights) -> u32 {
    const MODIFY: u32 = 0x01;
    const READ: u32 = 0x02;
    const DELETE: u32 = 0x04;
    const CREATE_HIERARCHY: u32 = 0x08;
    const CREATE_CONTENTS: u32 = 0x10;
    const CREATE_ASSOCIATED: u32 = 0x20;
    let bit = |needed: Rights, bits: u32| if rights.contains(needed) { bits } else { 0 };
    bit(Rights::FOLDER_OWNER, MODIFY | DELETE)
        | bit(Rights::FOLDER_VISIBLE, READ)
        | bit(Rights::CREATE_SUBFOLDER, CREATE_HIERARCHY)
        | bit(Rights::CREATE, CREATE_CONTENTS | CREATE_ASSOCIATED)
}

/// PidTagFolderType (MS-OXCFOLD 2.2.2.2.1.6).
fn folder_type(kind: FolderKind) -> i32 {
    match kind {
        FolderKind::Root => 0,
        FolderKind::Generic => 1,
        FolderKind::Search => 2,
    }
}
