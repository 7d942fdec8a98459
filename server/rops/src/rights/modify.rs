//! RopModifyPermissions (MS-OXCPERM 2.2.2, 3.2.5.2).

use ropewalk_props::{GlobCnt, PropValue, tags::*};
use ropewalk_store::Store;
use ropewalk_wire::{
    ErrorCode,
    entry_id::EntryId,
    rop::{ModifyPermissionsRequest, PermissionData},
};

use super::{
    Rights,
    list::{MEMBERS_MAX, PermissionsList, Who},
};
use crate::{
    exec::{Exec, Fail, blocking},
    folder::current,
};

/// ModifyFlags (2.2.2.1).
mod flags {
    /// The entries given take the place of all but the default user's.
    pub const REPLACE_ROWS: u8 = 0x01;
    /// The free/busy rights count.
    pub const INCLUDE_FREE_BUSY: u8 = 0x02;
}

/// PermissionDataFlags (2.2.2.1.1).
mod row {
    pub const ADD: u8 = 0x01;
    pub const MODIFY: u8 = 0x02;
    pub const REMOVE: u8 = 0x04;
}

/// A change to one entry.
enum Change {
    Add(Who, Rights),
    Modify(Who, Rights),
    Remove(Who),
}

/// RopModifyPermissions: all changes or none, in one commit.
///
/// `ecAccessDenied` without FolderOwner, `ecInvalidParam` for what is no change to an entry,
/// `ecUnknownUser` for a user that the address book does not have, `ecNotFound` for an entry that is not
/// there, `ecNotEnoughMemory` if the list gets longer than [`MEMBERS_MAX`] users.
pub fn modify_permissions(
    exec: &mut Exec<'_>,
    request: &ModifyPermissionsRequest<'_>,
) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(0)?;
    if request.modify_flags & !(flags::REPLACE_ROWS | flags::INCLUDE_FREE_BUSY) != 0 {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let replace = request.modify_flags & flags::REPLACE_ROWS != 0;
    let mailbox = exec.mailbox()?;
    if current(&mailbox, folder)?.deleted {
        return Err(ErrorCode::NOT_FOUND.into());
    }
    exec.need_rights(folder, Rights::FOLDER_OWNER)?;
    let store = &exec.session.store;
    let changes: Vec<Change> = request
        .permissions_data
        .iter()
        .map(|data| change(store, &data))
        .collect::<Result<_, _>>()?;
    let is_add = |change: &Change| matches!(change, Change::Add(..));
    if replace && !changes.iter().all(is_add) {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let writable = writable(folder, request.modify_flags);
    blocking(|| {
        mailbox.edit_folder(folder, |props| {
            let old = PermissionsList::of(props, folder);
            let new = changed(store, &old, replace, &changes, writable)?;
            Ok::<_, Fail>((vec![new.to_property()], Vec::new()))
        })
    })?;
    exec.begin();
    Ok(())
}

/// The rights that the changes are about; the others of an entry stay as they are.
fn writable(folder: GlobCnt, modify_flags: u8) -> Rights {
    if modify_flags & flags::INCLUDE_FREE_BUSY == 0 {
        Rights::OWNER
    } else {
        Rights::there(folder)
    }
}

/// A list after some changes.
fn changed(
    store: &Store,
    old: &PermissionsList,
    replace: bool,
    changes: &[Change],
    writable: Rights,
) -> Result<PermissionsList, ErrorCode> {
    let mut new = old.clone();
    if replace {
        new.anonymous = Rights::NONE;
        new.members.clear();
    } else {
        // Nobody can see them, so nobody could take them out.
        new.members
            .retain(|(id, _)| store.user_by_minimal_id(*id).is_some());
    }
    for change in changes {
        match *change {
            Change::Add(who, rights) => {
                let kept = old.get(who).unwrap_or_default().without(writable);
                new.set(who, rights.and(writable) | kept);
            }
            Change::Modify(who, rights) => {
                let known = new.get(who).ok_or(ErrorCode::NOT_FOUND)?;
                new.set(who, rights.and(writable) | known.without(writable));
            }
            Change::Remove(who) => {
                new.get(who).ok_or(ErrorCode::NOT_FOUND)?;
                new.remove(who);
            }
        }
    }
    if new.members.len() > MEMBERS_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    Ok(new)
}

/// What a PermissionData structure asks for.
///
/// An entry is added by its user's EntryID; those of the default and the anonymous user, which have
/// none, by their member id.
fn change(store: &Store, data: &PermissionData<'_>) -> Result<Change, ErrorCode> {
    let (mut member, mut user, mut rights) = (None, None, None);
    for property in data.property_values.iter() {
        match (property.tag, property.value) {
            (PID_TAG_MEMBER_ID, PropValue::Integer64(id)) => {
                let who = Who::of_member_id(id.cast_unsigned());
                member = Some(who.ok_or(ErrorCode::NOT_FOUND)?);
            }
            (PID_TAG_ENTRY_ID, PropValue::Binary(entry_id)) if !entry_id.is_empty() => {
                user = Some(Who::User(minimal_id(store, &entry_id)?));
            }
            (PID_TAG_MEMBER_RIGHTS, PropValue::Integer32(bits)) => {
                rights = Some(Rights::from_bits(bits.cast_unsigned()));
            }
            // What the server works out itself, such as a name.
            _ => {}
        }
    }
    let is_reserved = |who: &Who| !matches!(who, Who::User(_));
    let needed = |who: Option<Who>| who.ok_or(ErrorCode::INVALID_PARAM);
    let given = rights.ok_or(ErrorCode::INVALID_PARAM);
    match data.permission_data_flags {
        row::ADD => {
            let who = needed(user.or(member.filter(is_reserved)))?;
            Ok(Change::Add(who, given?))
        }
        row::MODIFY => Ok(Change::Modify(needed(member)?, given?)),
        row::REMOVE => Ok(Change::Remove(needed(member)?)),
        _ => Err(ErrorCode::INVALID_PARAM),
    }
}

/// The minimal id of the user whom an address book EntryID names; `ecUnknownUser` without him.
fn minimal_id(store: &Store, entry_id: &[u8]) -> Result<u32, ErrorCode> {
    let user = match EntryId::from_bytes(entry_id).map_err(|_| ErrorCode::INVALID_PARAM)? {
        EntryId::AddressBook(id) => std::str::from_utf8(id.x500_dn.0)
            .ok()
            .and_then(|dn| store.user_by_legacy_dn(dn)),
        // A client may have it from the address book of this server as it runs.
        EntryId::Ephemeral(id) if id.provider_uid == store.store_guid() => {
            store.user_by_minimal_id(id.mid)
        }
        _ => return Err(ErrorCode::INVALID_PARAM),
    };
    user.map(|user| user.minimal_id)
        .ok_or(ErrorCode::UNKNOWN_USER)
}
