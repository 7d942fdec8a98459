//! A folder's permissions list, as it lies in the folder's bag (MS-OXCPERM 3.2.1).
//!
//! A user stands in it with the minimal id, which nobody else ever gets: who has the name of a user that
//! is gone has none of that user's rights. It is the user's PidTagMemberId as well.

use std::collections::HashSet;

use ropewalk_props::{BagView, GlobCnt, PropTag, PropType, PropValue, Slot, ValueRef};

use super::Rights;
use crate::logon::special;

/// PidTagAccessControlListData (MS-OXCPERM 2.2.3): for clients a value without a meaning, which they
/// take from one folder to another.
pub const STORED: PropTag = PropTag(0x3FE0_0102);

/// Users in one list: as many as fit in a value that is not kept apart from its bag.
pub const MEMBERS_MAX: usize = 1000;

/// PidTagMemberId of the default user (MS-OXCPERM 2.2.5).
pub const DEFAULT_MEMBER: u64 = 0;
/// PidTagMemberId of the anonymous user.
pub const ANONYMOUS_MEMBER: u64 = u64::MAX;

/// The first byte of a stored list: how the rest is laid out. Behind it the rights of the default and
/// of the anonymous user, and a minimal id and rights for each member, all of four bytes.
const LAYOUT: u8 = 1;
const WORD: usize = 4;

/// Whose rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody who has no entry of his own.
    Default,
    /// Who has not said who he is.
    Anonymous,
    /// The user with this minimal id.
    User(u32),
}

impl Who {
    /// PidTagMemberId.
    pub fn member_id(self) -> u64 {
        match self {
            Self::Default => DEFAULT_MEMBER,
            Self::Anonymous => ANONYMOUS_MEMBER,
            Self::User(id) => id.into(),
        }
    }

    /// Whom a PidTagMemberId may name; `None` for one that the server never gives.
    pub fn of_member_id(id: u64) -> Option<Self> {
        match id {
            DEFAULT_MEMBER => Some(Self::Default),
            ANONYMOUS_MEMBER => Some(Self::Anonymous),
            id => u32::try_from(id).ok().map(Self::User),
        }
    }
}

/// Who may do what with one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PermissionsList {
    /// The rights of everybody else.
    pub default: Rights,
    /// The rights of anonymous clients.
    pub anonymous: Rights,
    /// Users and their rights, in the order in which they came in, each once.
    pub members: Vec<(u32, Rights)>,
}

impl PermissionsList {
    /// The list of a folder with these properties. A list that cannot be read gives nobody a right.
    pub fn of(props: &dyn BagView, folder: GlobCnt) -> Self {
        match stored(props) {
            None => Self {
                default: initial(folder),
                ..Self::default()
            },
            Some(data) => {
                let (heads, entries) = parts(data).unwrap_or_default();
                let [default, anonymous] = heads.map(Rights::from_bits);
                let members = entries.iter().map(entry).collect();
                Self {
                    default,
                    anonymous,
                    members,
                }
            }
        }
    }

    /// What somebody may do with a folder with these properties; no list is made for it. A user's own
    /// entry counts alone, even if it gives less than everybody has.
    pub fn rights(props: &dyn BagView, folder: GlobCnt, who: Who) -> Rights {
        let Some(data) = stored(props) else {
            return match who {
                Who::Anonymous => Rights::NONE,
                Who::Default | Who::User(_) => initial(folder),
            };
        };
        let Some(([default, anonymous], entries)) = parts(data) else {
            return Rights::NONE;
        };
        let own = match who {
            Who::Default => None,
            Who::Anonymous => return Rights::from_bits(anonymous),
            Who::User(id) => entries.iter().map(entry).find(|(known, _)| *known == id),
        };
        own.map_or(Rights::from_bits(default), |(_, rights)| rights)
    }

    /// What an entry of the list gives; `None` without that entry.
    pub fn get(&self, who: Who) -> Option<Rights> {
        match who {
            Who::Default => Some(self.default),
            Who::Anonymous => Some(self.anonymous),
            Who::User(id) => {
                let found = self.members.iter().find(|(known, _)| *known == id);
                found.map(|(_, rights)| *rights)
            }
        }
    }

    /// Gives an entry these rights, and makes it if there is none.
    pub fn set(&mut self, who: Who, rights: Rights) {
        match who {
            Who::Default => self.default = rights,
            Who::Anonymous => self.anonymous = rights,
            Who::User(id) => match self.members.iter_mut().find(|(known, _)| *known == id) {
                Some((_, known)) => *known = rights,
                None => self.members.push((id, rights)),
            },
        }
    }

    /// Takes an entry out; those of the default and the anonymous user stay, with no rights.
    pub fn remove(&mut self, who: Who) {
        match who {
            Who::Default => self.default = Rights::NONE,
            Who::Anonymous => self.anonymous = Rights::NONE,
            Who::User(id) => self.members.retain(|(known, _)| *known != id),
        }
    }

    /// The list of a folder from the value of PidTagAccessControlListData of another one; `None` if it is
    /// no such value. Free/busy rights are left out where there are none.
    pub fn of_other(data: &[u8], folder: GlobCnt) -> Option<Self> {
        let there = Rights::there(folder);
        let rights = |bits| Rights::from_bits(bits).and(there);
        let (heads, entries) = parts(data)?;
        let [default, anonymous] = heads.map(rights);
        let mut list = Self {
            default,
            anonymous,
            members: Vec::with_capacity(entries.len().min(MEMBERS_MAX)),
        };
        let mut known = HashSet::new();
        for [id, bits] in entries.iter().map(words) {
            if list.members.len() >= MEMBERS_MAX || !known.insert(id) {
                return None;
            }
            list.members.push((id, rights(bits)));
        }
        Some(list)
    }

    /// The property that keeps the list in the bag of its folder. It has at most [`MEMBERS_MAX`]
    /// members.
    pub fn to_property(&self) -> (PropTag, PropValue) {
        (STORED, PropValue::Binary(self.encode()))
    }

    /// The value of that property.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = Vec::with_capacity(1 + 2 * WORD * (1 + self.members.len()));
        data.push(LAYOUT);
        for rights in [self.default, self.anonymous] {
            data.extend_from_slice(&rights.bits().to_le_bytes());
        }
        for (id, rights) in &self.members {
            data.extend_from_slice(&id.to_le_bytes());
            data.extend_from_slice(&rights.bits().to_le_bytes());
        }
        data
    }
}

/// What everybody may do with a folder whose list was never changed: nothing, but of the Calendar see
/// when its owner is busy, and see the root, which tells where the special folders are (MS-OXOSFLD
/// 3.1.4).
pub fn initial(folder: GlobCnt) -> Rights {
    match folder {
        special::CALENDAR => Rights::FREE_BUSY_SIMPLE,
        special::ROOT => Rights::FOLDER_VISIBLE,
        _ => Rights::NONE,
    }
}

/// Whether a folder with these properties has a list of its own.
pub fn is_stored(props: &dyn BagView) -> bool {
    stored(props).is_some()
}

/// The stored list; empty if it is where lists never are.
fn stored(props: &dyn BagView) -> Option<&[u8]> {
    match props.slot(STORED.id())? {
        (
            _,
            Slot::Inline(ValueRef {
                ty: PropType::BINARY,
                data,
            }),
        ) => Some(data),
        _ => Some(&[]),
    }
}

type Parts<'a> = ([u32; 2], &'a [[u8; 2 * WORD]]);

fn parts(data: &[u8]) -> Option<Parts<'_>> {
    let (layout, rest) = data.split_first()?;
    let (heads, entries) = rest.split_first_chunk()?;
    let (entries, odd) = entries.as_chunks();
    (*layout == LAYOUT && odd.is_empty()).then_some((words(heads), entries))
}

fn entry(bytes: &[u8; 2 * WORD]) -> (u32, Rights) {
    let [id, rights] = words(bytes);
    (id, Rights::from_bits(rights))
}

fn words(&[a, b, c, d, e, f, g, h]: &[u8; 2 * WORD]) -> [u32; 2] {
    [
        u32::from_le_bytes([a, b, c, d]),
        u32::from_le_bytes([e, f, g, h]),
    ]
}

#[cfg(test)]
mod tests {
    use ropewalk_props::Bag;

    use super::*;

    const FOLDER: GlobCnt = GlobCnt(0x1_0001);

    fn bag(list: &PermissionsList) -> Bag {
        [list.to_property()].into_iter().collect()
    }

    #[test]
    fn a_list_comes_back_as_it_was_stored() {
        let mut list = PermissionsList {
            default: Rights::READ_ANY,
            anonymous: Rights::CREATE,
            members: vec![(0x10, Rights::OWNER), (0x12, Rights::NONE)],
        };
        let stored = bag(&list);
        assert_eq!(PermissionsList::of(&stored, FOLDER), list);
        for who in [
            Who::Default,
            Who::Anonymous,
            Who::User(0x10),
            Who::User(0x12),
        ] {
            let rights = PermissionsList::rights(&stored, FOLDER, who);
            assert_eq!(Some(rights), list.get(who), "{who:?}");
        }
        // Who has no entry gets what everybody gets, never what is for anonymous clients.
        let other = PermissionsList::rights(&stored, FOLDER, Who::User(0x11));
        assert_eq!(other, Rights::READ_ANY);
        assert_eq!(list.get(Who::User(0x11)), None);
        // The longest list is still a value of the bag itself.
        list.members = (0..1000).map(|id| (id, Rights::ALL)).collect();
        assert_eq!(list.members.len(), MEMBERS_MAX);
        assert!(bag(&list).data_len() <= 8 << 10);
    }

    #[test]
    fn without_a_list_nobody_has_rights_but_free_busy_times_of_the_calendar() {
        let rights = |folder, who| PermissionsList::rights(&Bag::new(), folder, who);
        for who in [Who::Default, Who::Anonymous, Who::User(0x10)] {
            assert_eq!(rights(special::INBOX, who), Rights::NONE);
        }
        let free_busy = Rights::FREE_BUSY_SIMPLE;
        assert_eq!(rights(special::CALENDAR, Who::Default), free_busy);
        assert_eq!(rights(special::CALENDAR, Who::User(0x10)), free_busy);
        assert_eq!(rights(special::CALENDAR, Who::Anonymous), Rights::NONE);
        let list = PermissionsList::of(&Bag::new(), special::CALENDAR);
        assert_eq!((list.default, list.anonymous), (free_busy, Rights::NONE));
    }

    #[test]
    fn what_cannot_be_read_gives_no_rights() {
        let list = PermissionsList {
            default: Rights::ALL,
            anonymous: Rights::ALL,
            members: vec![(0x10, Rights::ALL)],
        };
        let bag = bag(&list);
        let data = bag.get(STORED).unwrap().data.to_vec();
        let mut layout = data.clone();
        layout[0] = 2;
        let long = [&data[..], &[0]].concat();
        for bad in [&[], &data[..1], &data[..8], &data[..10], &long, &layout] {
            let mut bag = Bag::new();
            bag.set_packed(STORED, bad);
            for who in [Who::Default, Who::Anonymous, Who::User(0x10)] {
                let rights = PermissionsList::rights(&bag, special::CALENDAR, who);
                assert_eq!(rights, Rights::NONE, "{bad:?}");
            }
            let list = PermissionsList::of(&bag, special::CALENDAR);
            assert_eq!(list, PermissionsList::default());
        }
    }

    #[test]
    fn entries_are_set_and_removed() {
        let mut list = PermissionsList::default();
        for who in [Who::Default, Who::Anonymous, Who::User(7), Who::User(8)] {
            list.set(who, Rights::CREATE);
            list.set(who, Rights::READ_ANY);
            assert_eq!(list.get(who), Some(Rights::READ_ANY));
        }
        assert_eq!(list.members.len(), 2);
        for (who, left) in [
            (Who::User(7), None),
            (Who::Default, Some(Rights::NONE)),
            (Who::Anonymous, Some(Rights::NONE)),
        ] {
            list.remove(who);
            assert_eq!(list.get(who), left);
        }
        assert_eq!(list.members, [(8, Rights::READ_ANY)]);
    }

    #[test]
    fn member_ids() {
        for who in [Who::Default, Who::Anonymous, Who::User(0x10)] {
            assert_eq!(Who::of_member_id(who.member_id()), Some(who));
        }
        assert_eq!(Who::of_member_id(u64::MAX - 1), None);
    }

    #[test]
    fn a_list_that_comes_from_another_folder_is_looked_at() {
        let mut list = PermissionsList {
            default: Rights::FREE_BUSY | Rights::READ_ANY,
            anonymous: Rights::NONE,
            members: vec![(0x10, Rights::ALL)],
        };
        let data = list.encode();
        let of = |data: &[u8]| PermissionsList::of_other(data, FOLDER);
        let calendar = PermissionsList::of_other(&data, special::CALENDAR);
        assert_eq!(calendar.as_ref(), Some(&list));
        let elsewhere = of(&data).unwrap();
        assert_eq!(elsewhere.default, Rights::READ_ANY);
        assert_eq!(elsewhere.members, [(0x10, Rights::OWNER)]);
        for length in 0..data.len() {
            // With its heads alone it is one without members.
            assert_eq!(of(&data[..length]).is_some(), length == 9, "{length}");
        }
        assert_eq!(of(&[&[9], &data[1..]].concat()), None);
        list.members = vec![(0x10, Rights::NONE); 2];
        assert_eq!(of(&list.encode()), None);
        list.members = (0..=MEMBERS_MAX as u32)
            .map(|id| (id, Rights::NONE))
            .collect();
        assert_eq!(of(&list.encode()), None);
        list.members.pop();
        list.default = Rights::READ_ANY;
        assert_eq!(of(&list.encode()), Some(list));
    }
}
