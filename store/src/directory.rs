//! The users of the store, each with one mailbox.

use ropewalk_props::{Bag, FileTime, GlobCnt, Guid};

use crate::FolderKind;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The e-mail address; compared without regard to case.
    pub email: String,
    /// The name to show.
    pub display_name: String,
    /// The distinguished name; compared without regard to case.
    pub legacy_dn: String,
    /// The user's mailbox.
    pub mailbox_guid: Guid,
    /// As the caller made it; the store only keeps it.
    pub password_hash: String,
    /// A number of at least 0x10 that is never given to another user.
    pub minimal_id: u32,
    /// When the user was added.
    pub created: FileTime,
}

/// A user to add, with a mailbox.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The e-mail address.
    pub email: String,
    /// The name to show.
    pub display_name: String,
    /// The distinguished name.
    pub legacy_dn: String,
    /// The mailbox's GUID.
    pub mailbox_guid: Guid,
    /// The GUID of the mailbox's replica, REPLID 1.
    pub repl_guid: Guid,
    /// The password's hash.
    pub password_hash: String,
    /// The folders to begin with, parents before their children.
    pub folders: Vec<TemplateFolder>,
    /// The receive folder of each message class.
    pub receive_folders: Vec<(String, GlobCnt)>,
    /// The properties of the mailbox itself.
    pub store_props: Bag,
}

/// A folder that a mailbox begins with.
#[derive(Clone, Debug)]
pub struct TemplateFolder {
    /// Its id, below 0x10000, where the mailbox's counter starts.
    pub id: GlobCnt,
    /// Its parent; its own id for the root.
    pub parent: GlobCnt,
    /// What kind of folder.
    pub kind: FolderKind,
    /// Its properties, PidTagDisplayName among them.
    pub props: Bag,
}
