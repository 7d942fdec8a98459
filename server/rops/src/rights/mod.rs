//! Folder permissions: who may do what with a folder and with what is in it (MS-OXCPERM).
//!
//! The owner of a private mailbox may do everything in it, and is told by one compare. Of everybody
//! else the folder's permissions list is asked, at each ROP anew: rights that are withdrawn are gone
//! from open handles too, but that a message which is open can still be read. A list lies in a hidden property of its folder, so that it is as durable as
//! the folder is and goes where the folder goes.

pub mod gate;
pub mod list;
pub mod messages;
pub mod modify;
pub mod table;
#[cfg(test)]
pub(crate) mod tests;

use std::ops::BitOr;

use ropewalk_props::{Bag, GlobCnt};
use ropewalk_store::{Folder, FolderKind, Mailbox, User};
use ropewalk_wire::ErrorCode;

use self::list::{PermissionsList, Who};
use crate::{logon::special, object::LogonObject};

/// What a user may do with a folder and its messages: bits of PidTagMemberRights (MS-OXCPERM 2.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights(u32);

impl Rights {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Read any message.
    pub const READ_ANY: Self = Self(0x0001);
    /// Make messages.
    pub const CREATE: Self = Self(0x0002);
    /// Change the messages that this user created.
    pub const EDIT_OWNED: Self = Self(0x0008);
    /// Delete the messages that this user created.
    pub const DELETE_OWNED: Self = Self(0x0010);
    /// Change any message.
    pub const EDIT_ANY: Self = Self(0x0020);
    /// Delete any message.
    pub const DELETE_ANY: Self = Self(0x0040);
    /// Make folders below the folder.
    pub const CREATE_SUBFOLDER: Self = Self(0x0080);
    /// Change the properties of the folder itself and its permissions list, see that list, and delete
    /// the folder.
    pub const FOLDER_OWNER: Self = Self(0x0100);
    /// To be named as who is in charge of the folder.
    pub const FOLDER_CONTACT: Self = Self(0x0200);
    /// See the folder in hierarchy tables, and open it.
    pub const FOLDER_VISIBLE: Self = Self(0x0400);
    /// See free/busy times; of a Calendar folder alone.
    pub const FREE_BUSY_SIMPLE: Self = Self(0x0800);
    /// See subject and location too; of a Calendar folder alone.
    pub const FREE_BUSY_DETAILED: Self = Self(0x1000);

    /// The two that are about free/busy times.
    pub const FREE_BUSY: Self = Self(0x1800);
    /// Every right but the free/busy ones: those of the owner of a mailbox.
    pub const OWNER: Self = Self(0x07FB);
    /// All that there are.
    pub const ALL: Self = Self(0x1FFB);

    /// Those that there are on a folder: free/busy rights on the Calendar alone.
    pub fn there(folder: GlobCnt) -> Self {
        if folder == special::CALENDAR {
            Self::ALL
        } else {
            Self::OWNER
        }
    }

    /// From bits of which some may have no meaning; these are left out.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` are among them.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` are among them.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Those that `other` has as well.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Without `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How a logon gets to do things in its mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The mailbox is the user's own: everything.
    Owner,
    /// As the permissions list of each folder has it for the user with this minimal id.
    Listed(u32),
}

impl Access {
    /// That of a user to a private mailbox.
    pub fn of(user: &User, mailbox: &Mailbox) -> Self {
        if user.mailbox_guid == mailbox.guid() {
            Self::Owner
        } else {
            Self::Listed(user.minimal_id)
        }
    }
}

impl Access {
    /// The rights on a folder with these properties.
    pub fn rights(self, folder: GlobCnt, props: &Bag) -> Rights {
        match self {
            Self::Owner => Rights::OWNER,
            Self::Listed(user) => PermissionsList::rights(props, folder, Who::User(user)),
        }
    }

    /// Whether this opens the mailbox: its owner's does, and that of those who have a right on any of
    /// its folders. Free/busy times are not had by a logon; that the root can be seen by all who get in
    /// lets nobody in.
    pub fn opens(self, mailbox: &Mailbox) -> bool {
        let counts = |id: GlobCnt, props: &Bag| {
            let rights = self.rights(id, props).without(Rights::FREE_BUSY);
            let nothing = if id == special::ROOT {
                list::initial(id)
            } else {
                Rights::NONE
            };
            rights.without(nothing) != Rights::NONE
        };
        self == Self::Owner || mailbox.any_folder(counts)
    }
}

/// Who looks at a folder or at what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// How the logon gets there.
    pub access: Access,
    /// What that allows now.
    pub rights: Rights,
}

impl Viewer {
    /// Who owns all of it.
    pub const OWNER: Self = Self {
        access: Access::Owner,
        rights: Rights::OWNER,
    };
}

impl LogonObject {
    /// Whether the user may do everything in the mailbox.
    pub fn is_owner(&self) -> bool {
        self.access == Access::Owner
    }

    /// Whether the logon's user has these rights on a folder; not on one that is not there.
    pub fn may(&self, folder: GlobCnt, rights: Rights) -> bool {
        self.rights(folder).is_ok_and(|has| has.contains(rights))
    }

    /// Whether the user may give property names ids (MS-OXCPRPT 2.2.12.2, which does not say who): the
    /// owner, and whoever may write something in one of the mailbox's folders.
    pub fn may_register_names(&self) -> bool {
        let writes = [
            Rights::CREATE,
            Rights::EDIT_OWNED,
            Rights::EDIT_ANY,
            Rights::FOLDER_OWNER,
        ];
        let may_write = |id: GlobCnt, props: &Bag| {
            let rights = self.access.rights(id, props);
            writes.into_iter().any(|write| rights.contains(write))
        };
        self.is_owner() || self.mailbox.any_folder(may_write)
    }

    /// What the logon's user may do with a folder, soft-deleted or not. `ecNotFound` without it.
    pub fn rights(&self, folder: GlobCnt) -> Result<Rights, ErrorCode> {
        if self.is_owner() {
            return Ok(Rights::OWNER);
        }
        let props = self.mailbox.folder_props(folder);
        let (props, _) = props.ok_or(ErrorCode::NOT_FOUND)?;
        Ok(self.access.rights(folder, &props))
    }
}

/// Gives a new folder of this kind the permissions list of the folder that it comes into, if that has
/// one, but for the free/busy rights, which only the Calendar has. Who makes a folder in another one's
/// mailbox is its owner. A search folder shows what lies elsewhere, which others get to see there.
pub fn inherit(access: Access, parent: &Folder, kind: FolderKind, props: &mut Bag) {
    let is_stored = list::is_stored(&*parent.props) && kind != FolderKind::Search;
    let mut list = if is_stored {
        PermissionsList::of(&*parent.props, parent.id)
    } else {
        PermissionsList::default()
    };
    list.default = list.default.without(Rights::FREE_BUSY);
    list.anonymous = list.anonymous.without(Rights::FREE_BUSY);
    for (_, rights) in &mut list.members {
        *rights = rights.without(Rights::FREE_BUSY);
    }
    if let Access::Listed(user) = access {
        list.set(Who::User(user), Rights::OWNER);
    }
    if list != PermissionsList::default() {
        let (tag, value) = list.to_property();
        props.set(tag, &value);
    }
}
