//! The users of the store, each with one mailbox.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use ropewalk_props::{Bag, FileTime, GlobCnt, Guid};

use crate::{
    FolderKind, StoreError,
    index::{Kv, keys, scan, value},
    records::UserRecord,
};

/// The first minimal id (MS-OXNSPI 2.2.9.1: smaller ones are reserved).
const FIRST_MINIMAL_ID: u32 = 0x10;

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

/// The mailbox of the public store. The user that it belongs to is nobody: it can be found by this GUID
/// alone, and is in no list.
pub const PUBLIC_STORE: Guid = Guid(*b"Ropewalk public!");

impl User {
    /// Whether this is a user that somebody can be.
    pub(crate) fn is_somebody(&self) -> bool {
        self.mailbox_guid != PUBLIC_STORE
    }
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

/// All users in memory.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    users: BTreeMap<u32, Arc<User>>,
    by_email: HashMap<String, u32>,
    by_dn: HashMap<String, u32>,
    by_mailbox: HashMap<Guid, u32>,
    /// The largest minimal id that a user ever had.
    largest_id: u32,
}

impl Directory {
    /// Reads the users from the index, which must be up to date.
    pub fn load(kv: &dyn Kv) -> Result<Self, StoreError> {
        let mut directory = Self::default();
        scan(kv, keys::USERS, &mut |_, bytes| {
            directory.put(Arc::new(value::decode::<UserRecord>(bytes)?.into()));
            Ok(())
        })?;
        if let Some(bytes) = kv.get(keys::MINIMAL_ID)? {
            directory.largest_id = directory.largest_id.max(value::decode(&bytes)?);
        }
        Ok(directory)
    }

    /// All users, by ascending minimal id.
    pub fn all(&self) -> Vec<Arc<User>> {
        self.users.values().cloned().collect()
    }

    /// The user with this e-mail address.
    pub fn by_email(&self, email: &str) -> Option<Arc<User>> {
        self.user(self.by_email.get(&email.to_lowercase()))
    }

    /// The user with this distinguished name.
    pub fn by_dn(&self, dn: &str) -> Option<Arc<User>> {
        self.user(self.by_dn.get(&dn.to_lowercase()))
    }

    /// The user with this minimal id.
    pub fn by_id(&self, id: u32) -> Option<Arc<User>> {
        self.users.get(&id).cloned()
    }

    /// The user whose mailbox this is.
    pub fn by_mailbox(&self, guid: Guid) -> Option<Arc<User>> {
        self.user(self.by_mailbox.get(&guid))
    }

    /// Whether a new user would collide with one that is there.
    pub fn collides(&self, new: &NewUser) -> bool {
        self.by_email(&new.email).is_some()
            || self.by_dn(&new.legacy_dn).is_some()
            || self.by_mailbox(new.mailbox_guid).is_some()
    }

    /// A minimal id that no user ever had.
    pub fn next_id(&self) -> Result<u32, StoreError> {
        let next = self.largest_id.max(FIRST_MINIMAL_ID - 1).checked_add(1);
        next.ok_or(StoreError::TooMany)
    }

    /// Adds or replaces a user.
    pub fn put(&mut self, user: Arc<User>) {
        let id = user.minimal_id;
        self.largest_id = self.largest_id.max(id);
        self.by_email.insert(user.email.to_lowercase(), id);
        self.by_dn.insert(user.legacy_dn.to_lowercase(), id);
        self.by_mailbox.insert(user.mailbox_guid, id);
        self.users.insert(id, user);
    }

    /// Removes a user.
    pub fn remove(&mut self, user: &User) {
        self.by_email.remove(&user.email.to_lowercase());
        self.by_dn.remove(&user.legacy_dn.to_lowercase());
        self.by_mailbox.remove(&user.mailbox_guid);
        self.users.remove(&user.minimal_id);
    }

    fn user(&self, id: Option<&u32>) -> Option<Arc<User>> {
        self.users.get(id?).cloned()
    }
}

impl From<UserRecord> for User {
    fn from(record: UserRecord) -> Self {
        Self {
            email: record.email,
            display_name: record.display_name,
            legacy_dn: record.legacy_dn,
            mailbox_guid: record.mailbox_guid,
            password_hash: record.password_hash,
            minimal_id: record.minimal_id,
            created: record.created,
        }
    }
}

impl From<&User> for UserRecord {
    fn from(user: &User) -> Self {
        Self {
            email: user.email.clone(),
            display_name: user.display_name.clone(),
            legacy_dn: user.legacy_dn.clone(),
            mailbox_guid: user.mailbox_guid,
            password_hash: user.password_hash.clone(),
            minimal_id: user.minimal_id,
            created: user.created,
        }
    }
}
