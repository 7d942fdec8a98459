//! The permissions table of a folder: a row for each entry of its list (MS-OXCPERM 3.2.5.1).

use ropewalk_props::{PropTag, tags::*};
use ropewalk_store::{Folder, Store};

use super::{
    Rights,
    list::{PermissionsList, Who},
};
use crate::{
    ids,
    property::value::{Found, Properties},
    table::filter::Searched,
};

/// An entry of a permissions list, as the table shows it.
#[derive(Clone, Debug)]
pub struct PermissionRow {
    /// Whose.
    pub who: Who,
    /// PidTagEntryId: the user's permanent EntryID, nothing for the default and the anonymous user
    /// (MS-OXCPERM 2.2.4).
    entry_id: Vec<u8>,
    /// PidTagMemberName (MS-OXCPERM 2.2.6).
    name: String,
    rights: Rights,
}

/// The rows of a folder's permissions table: the default user, the anonymous user, then all others in
/// the order in which they came in. A user who is gone has none. The free/busy rights are shown if
/// `free_busy` (MS-OXCPERM 2.2.1.1).
pub fn rows(store: &Store, folder: &Folder, free_busy: bool) -> Vec<PermissionRow> {
    let list = PermissionsList::of(&*folder.props, folder.id);
    let shown = |rights: Rights| {
        if free_busy {
            rights
        } else {
            rights.without(Rights::FREE_BUSY)
        }
    };
    let reserved = [
        (Who::Default, "", list.default),
        (Who::Anonymous, "Anonymous", list.anonymous),
    ];
    let reserved = reserved.map(|(who, name, rights)| PermissionRow {
        who,
        entry_id: Vec::new(),
        name: name.into(),
        rights: shown(rights),
    });
    let members = list.members.iter().filter_map(|(id, rights)| {
        let user = store.user_by_minimal_id(*id)?;
        Some(PermissionRow {
            who: Who::User(*id),
            entry_id: ids::address_book_entry_id(&user.legacy_dn),
            name: user.display_name.clone(),
            rights: shown(*rights),
        })
    });
    reserved.into_iter().chain(members).collect()
}

/// What a row shows (MS-OXCPERM 2.2.4 to 2.2.7).
pub const COLUMNS: [PropTag; 4] = [
    PID_TAG_ENTRY_ID,
    PID_TAG_MEMBER_ID,
    PID_TAG_MEMBER_NAME,
    PID_TAG_MEMBER_RIGHTS,
];

impl Properties for PermissionRow {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        Some(match COLUMNS.into_iter().find(|c| c.id() == tag.id())? {
            PID_TAG_ENTRY_ID => Found::binary(self.entry_id.clone()),
            PID_TAG_MEMBER_ID => Found::u64(self.who.member_id()),
            PID_TAG_MEMBER_NAME => Found::text(&self.name),
            _ => Found::u32(self.rights.bits()),
        })
    }

    fn tags(&self) -> Vec<PropTag> {
        COLUMNS.to_vec()
    }
}

impl Searched for PermissionRow {}
