//! What a user may do with single messages. It depends on who created them (MS-OXCPERM 2.2.7).

use ropewalk_props::{BagView, GlobCnt, PropTag, tags::*};
use ropewalk_store::User;
use ropewalk_wire::{ErrorCode, entry_id::EntryId};

use super::Rights;
use crate::{
    exec::{Exec, blocking},
    store_error,
};

/// What may be done with one message: bits of PidTagAccess (MS-OXCPRPT 2.2.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageAccess(u8);

impl MessageAccess {
    /// Change it.
    pub const MODIFY: Self = Self(1);
    /// Read it.
    pub const READ: Self = Self(2);
    /// Delete it.
    pub const DELETE: Self = Self(4);
    /// All of these.
    pub const ALL: Self = Self(7);

    /// What rights on its folder allow with a message, which this user created if `owned`. Everybody
    /// may read what is his.
    pub fn of(rights: Rights, owned: bool) -> Self {
        let has = |any, own| rights.contains(any) || owned && rights.contains(own);
        let bit = |access: Self, allowed: bool| if allowed { access.0 } else { 0 };
        let modify = has(Rights::EDIT_ANY, Rights::EDIT_OWNED);
        let delete = has(Rights::DELETE_ANY, Rights::DELETE_OWNED);
        let read = has(Rights::READ_ANY, Rights::NONE);
        Self(bit(Self::MODIFY, modify) | bit(Self::READ, read) | bit(Self::DELETE, delete))
    }

    /// What rights allow if it does not matter who created the message; `None` if it does.
    pub fn whoever_owns(rights: Rights) -> Option<Self> {
        let access = Self::of(rights, false);
        (access == Self::of(rights, true)).then_some(access)
    }

    /// All of both.
    pub const fn and_also(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it allows all of `needed`.
    pub const fn allows(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// Whether a user created the message with these properties; one that says nothing of its creator is
/// its mailbox's owner's.
pub fn is_creator(user: &User, props: &dyn BagView) -> bool {
    let creator = props.get(PID_TAG_CREATOR_ENTRY_ID);
    match creator.map(|value| EntryId::from_bytes(value.data)) {
        Some(Ok(EntryId::AddressBook(id))) => {
            id.x500_dn.0.eq_ignore_ascii_case(user.legacy_dn.as_bytes())
        }
        _ => false,
    }
}

/// True for the properties that say who created a message: only its mailbox's owner may set them, as
/// rights depend on them.
pub fn says_creator(tag: PropTag) -> bool {
    [PID_TAG_CREATOR_ENTRY_ID, PID_TAG_CREATOR_NAME]
        .iter()
        .any(|known| known.id() == tag.id())
}

impl Exec<'_> {
    /// What this ROP's user may do with a message in a folder, which has these properties.
    pub fn message_access(
        &self,
        folder: GlobCnt,
        props: &dyn BagView,
    ) -> Result<MessageAccess, ErrorCode> {
        let logon = self.logon()?;
        if logon.is_owner() {
            return Ok(MessageAccess::ALL);
        }
        let rights = logon.rights(folder)?;
        Ok(MessageAccess::whoever_owns(rights)
            .unwrap_or_else(|| MessageAccess::of(rights, is_creator(&self.session.user, props))))
    }

    /// Fails if this ROP's user may not do that with a message: as [`Exec::denied`] does.
    pub fn need_access(
        &self,
        folder: GlobCnt,
        props: &dyn BagView,
        needed: MessageAccess,
    ) -> Result<MessageAccess, ErrorCode> {
        let access = self.message_access(folder, props)?;
        if access.allows(needed) {
            Ok(access)
        } else {
            Err(self.denied(folder))
        }
    }

    /// Those of a folder's messages with which this ROP's user may do that, and whether others were
    /// left out; `ecAccessDenied` if all were. Messages that are not there are not left out.
    pub fn permitted(
        &self,
        folder: GlobCnt,
        mut ids: Vec<GlobCnt>,
        needed: MessageAccess,
    ) -> Result<(Vec<GlobCnt>, bool), ErrorCode> {
        let logon = self.logon()?;
        if logon.is_owner() {
            return Ok((ids, false));
        }
        let rights = logon.rights(folder)?;
        if MessageAccess::of(rights, false).allows(needed) {
            return Ok((ids, false));
        }
        if !MessageAccess::of(rights, true).allows(needed) {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        let (mailbox, user) = (&logon.mailbox, &self.session.user);
        let asked = ids.len();
        blocking(|| {
            let mut kept = Vec::with_capacity(ids.len());
            for id in ids.drain(..) {
                let is_permitted = match mailbox.entry(folder, id)? {
                    Some(entry) => is_creator(user, &mailbox.read_message(&entry)?.view().props),
                    None => true,
                };
                if is_permitted {
                    kept.push(id);
                }
            }
            ids = kept;
            Ok(())
        })
        .map_err(|error: ropewalk_store::StoreError| store_error::fail(error))?;
        if ids.is_empty() && asked > 0 {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        let left_out = ids.len() < asked;
        Ok((ids, left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_owns_and_what_others_own() {
        let cases = [
            (Rights::NONE, 2, 0),
            (Rights::READ_ANY, 2, 2),
            (Rights::EDIT_OWNED, 3, 0),
            (Rights::EDIT_ANY, 3, 1),
            (Rights::DELETE_OWNED, 6, 0),
            (Rights::DELETE_ANY, 6, 4),
            (
                Rights::FOLDER_OWNER | Rights::CREATE | Rights::FOLDER_VISIBLE,
                2,
                0,
            ),
            (Rights::OWNER, 7, 7),
        ];
        for (rights, own, other) in cases {
            assert_eq!(MessageAccess::of(rights, true).bits(), own, "{rights:?}");
            assert_eq!(MessageAccess::of(rights, false).bits(), other, "{rights:?}");
            let settled = MessageAccess::whoever_owns(rights).is_some();
            assert_eq!(settled, own == other, "{rights:?}");
        }
    }
}
