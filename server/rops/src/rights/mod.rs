//! Folder permissions: who may do what with a folder and with what is in it (MS-OXCPERM).
//!
//! The owner of a private mailbox may do everything in it, and is told by one compare. Of everybody
//! else the folder's permissions list is asked, at each ROP anew: rights that are withdrawn are gone
//! from open handles too. A list lies in a hidden property of its folder, so that it is as durable as
//! the folder is and goes where the folder goes.

pub mod list;
pub mod modify;
pub mod table;
#[cfg(test)]
mod tests;

use std::ops::BitOr;

use ropewalk_props::{Bag, GlobCnt};
use ropewalk_store::{Folder, Mailbox, User};
use ropewalk_wire::ErrorCode;

use self::list::{PermissionsList, Who};
use crate::object::LogonObject;

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

impl LogonObject {
    /// Whether the user may do everything in the mailbox.
    pub fn is_owner(&self) -> bool {
        self.access == Access::Owner
    }

    /// What the logon's user may do with a folder, soft-deleted or not. `ecNotFound` without it.
    pub fn rights(&self, folder: GlobCnt) -> Result<Rights, ErrorCode> {
        match self.access {
            Access::Owner => Ok(Rights::OWNER),
            Access::Listed(user) => {
                let props = self.mailbox.folder_props(folder);
                let (props, _) = props.ok_or(ErrorCode::NOT_FOUND)?;
                Ok(PermissionsList::rights(&*props, folder, Who::User(user)))
            }
        }
    }
}

/// Gives a user rights on a new folder.
pub fn give(props: &mut Bag, user: &User, rights: Rights) {
    // No folder has an id of 0, whose list would be another one to begin with.
    let mut list = PermissionsList::of(&*props, GlobCnt(0));
    list.set(Who::User(user.minimal_id), rights);
    let (tag, value) = list.to_property();
    props.set(tag, &value);
}

/// Gives a new folder the permissions list of the folder that it comes into, but for the free/busy
/// rights, which only the Calendar has.
pub fn inherit(parent: &Folder, props: &mut Bag) {
    let mut list = PermissionsList::of(&*parent.props, parent.id);
    list.default = list.default.without(Rights::FREE_BUSY);
    list.anonymous = list.anonymous.without(Rights::FREE_BUSY);
    for (_, rights) in &mut list.members {
        *rights = rights.without(Rights::FREE_BUSY);
    }
    if list != PermissionsList::default() {
        let (tag, value) = list.to_property();
        props.set(tag, &value);
    }
}
