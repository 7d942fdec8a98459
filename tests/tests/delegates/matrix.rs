//! PITFALLS 18: every right and every ROP that asks for one (MS-OXCPERM 2.2.7).

use ropewalk_props::PropValue;
use ropewalk_tests::{
    client::{Cells as _, Result, Rop, permission::modify_row},
    fixture::{code, new_message, tag, text},
};

use crate::world::*;

/// What a guest tries to do in a folder.
struct Act {
    name: &'static str,
    /// Whether these rights are enough.
    needs: fn(u32) -> bool,
    /// Whether these rights are enough in a public folder.
    needs_if_public: fn(u32) -> bool,
    /// What it comes to in a public folder if they are.
    code_if_public: u32,
    /// Whether the folder is to be kept from those who may not see it: `ecNotFound`.
    hides: bool,
    run: fn(&mut Both, &mut Folder, &mut Kept) -> Result<()>,
}

/// What was opened while the guest had all rights.
struct Kept {
    own: u32,
    other: u32,
    /// A message of the free folder, and a folder in it.
    outside: u64,
    outside_folder: u64,
}

const fn act(
    name: &'static str,
    needs: fn(u32) -> bool,
    run: fn(&mut Both, &mut Folder, &mut Kept) -> Result<()>,
) -> Act {
    Act {
        name,
        needs,
        needs_if_public: needs,
        code_if_public: 0,
        hides: false,
        run,
    }
}

const fn hidden(
    name: &'static str,
    needs: fn(u32) -> bool,
    run: fn(&mut Both, &mut Folder, &mut Kept) -> Result<()>,
) -> Act {
    Act {
        name,
        needs,
        needs_if_public: needs,
        code_if_public: 0,
        hides: true,
        run,
    }
}

impl Act {
    /// In a public folder everybody has read states of his own (MS-OXCSTOR 3.2.5.12): it takes other rights.
    const fn in_public(self, needs: fn(u32) -> bool) -> Self {
        Self {
            needs_if_public: needs,
            ..self
        }
    }

    /// Public folders are neither copied by RopCopyTo nor written by streams (MS-OXCPRPT 3.2.5.8, 3.2.5.11).
    const fn not_in_public(self) -> Self {
        Self {
            code_if_public: code::NOT_SUPPORTED,
            ..self
        }
    }

    /// What it comes to with these rights.
    fn code(&self, store: Store, rights: u32) -> u32 {
        let (needs, code) = match store {
            Store::Private => (self.needs, 0),
            Store::Public => (self.needs_if_public, self.code_if_public),
        };
        match needs(rights) {
            true => code,
            false if self.hides && !has(rights, VISIBLE) => code::NOT_FOUND,
            false => code::ACCESS_DENIED,
        }
    }
}

const fn has(rights: u32, needed: u32) -> bool {
    rights & needed == needed
}

/// A binary property of folders that means nothing.
const BINARY: u32 = 0x7801_0102;
const MOVE: bool = false;
const COPY: bool = true;

fn subject() -> (u32, PropValue) {
    (tag::SUBJECT, text("changed"))
}

fn status(rop: u8, id: u64) -> Rop {
    let rop = Rop::new(rop, 0).u64(id);
    if rop.id() == 0x20 {
        rop.u32(4).u32(4)
    } else {
        rop
    }
}

fn get_rules() -> Rop {
    Rop::new(0x3F, 0).u8(1).u8(0)
}

/// RopCopyTo without subobjects, to the folder at index 1.
fn copy_to(with_contents: bool) -> Rop {
    Rop::new(0x39, 0)
        .u8(1)
        .u8(0)
        .u8(u8::from(with_contents))
        .u8(0)
        .tags(&[0x3001_001F])
}

/// RopSetMessageReadFlag, which has ClientData in the public store (MS-OXCMSG 2.2.3.11.1).
fn mark_open(both: &mut Both, folder: u32, message: u32) -> Result<()> {
    let rop = Rop::new(0x11, 0).u8(1).u8(0);
    let rop = match both.store {
        Store::Private => rop,
        Store::Public => rop.bytes(&[0; 24]),
    };
    both.guest.rop(&rop, &[folder, message]).map(drop)
}

const ACTS: &[Act] = &[
    hidden(
        "open the folder",
        |r| has(r, VISIBLE),
        |b, f, _| b.guest.open_folder(b.guest_logon.handle, f.id).map(drop),
    ),
    act(
        "read its properties",
        |r| has(r, VISIBLE),
        |b, f, _| b.guest.get_props(f.handle, &[tag::DISPLAY_NAME]).map(drop),
    ),
    act(
        "list its properties",
        |r| has(r, VISIBLE),
        |b, f, _| b.guest.list_props(f.handle).map(drop),
    ),
    act(
        "set its properties",
        |r| has(r, OWNER),
        |b, f, _| b.guest.set_props(f.handle, &[(tag::COMMENT, text("new"))]),
    ),
    act(
        "delete its properties",
        |r| has(r, OWNER),
        |b, f, _| b.guest.delete_props(f.handle, &[tag::COMMENT]).map(drop),
    ),
    act(
        "write a stream on it",
        |r| has(r, OWNER | VISIBLE),
        |b, f, _| b.guest.open_stream(f.handle, BINARY, 2).map(drop),
    )
    .in_public(|r| has(r, VISIBLE))
    .not_in_public(),
    act(
        "copy properties onto it",
        |r| has(r, OWNER),
        |b, f, _| b.guest.rop(&copy_to(false), &[b.free, f.handle]).map(drop),
    )
    .not_in_public(),
    act(
        "copy properties off it",
        |r| has(r, VISIBLE),
        |b, f, _| b.guest.rop(&copy_to(false), &[f.handle, b.free]).map(drop),
    )
    .not_in_public(),
    act(
        "copy all that is in it",
        |r| has(r, VISIBLE | READ_ANY),
        |b, f, _| {
            let created = b.guest.create_folder(b.free, &format!("{:x}", f.id))?;
            b.guest
                .rop(&copy_to(true), &[f.handle, created.handle])
                .map(drop)
        },
    )
    .not_in_public(),
    act(
        "list its folders",
        |r| has(r, VISIBLE),
        |b, f, _| b.guest.hierarchy_table(f.handle, 0).map(drop),
    ),
    act(
        "list its messages",
        |r| has(r, VISIBLE),
        |b, f, _| b.guest.contents_table(f.handle, 0).map(drop),
    ),
    act(
        "see its permissions",
        |r| has(r, OWNER),
        |b, f, _| b.guest.permissions(f.handle).map(drop),
    ),
    act(
        "change its permissions",
        |r| has(r, OWNER),
        |b, f, _| {
            let row = modify_row(u64::MAX, 0);
            b.guest.modify_permissions(f.handle, 0, &[row])
        },
    ),
    act(
        "see its rules",
        |r| has(r, OWNER),
        |b, f, _| b.guest.rop(&get_rules(), &[f.handle, u32::MAX]).map(drop),
    ),
    act(
        "change its rules",
        |r| has(r, OWNER),
        |b, f, _| {
            let none = Rop::new(0x41, 0).u8(1).u16(0);
            b.guest.rop(&none, &[f.handle]).map(drop)
        },
    ),
    act(
        "make a folder in it",
        |r| has(r, CREATE_SUBFOLDER),
        |b, f, _| b.guest.create_folder(f.handle, "new").map(drop),
    ),
    act(
        "move a folder into it",
        |r| has(r, CREATE_SUBFOLDER),
        |b, f, k| {
            b.guest
                .move_folder(b.free, f.handle, k.outside_folder, "moved in")
                .map(drop)
        },
    ),
    act(
        "copy a folder into it",
        |r| has(r, CREATE_SUBFOLDER),
        |b, f, k| {
            b.guest
                .copy_folder(b.free, f.handle, k.outside_folder, "copied in", true)
                .map(drop)
        },
    ),
    hidden(
        "move a folder out of it",
        |r| has(r, OWNER),
        |b, f, _| {
            let name = format!("moved {:x}", f.id);
            b.guest
                .move_folder(f.handle, b.free, f.below[0].id, &name)
                .map(drop)
        },
    ),
    hidden(
        "copy a folder out of it",
        |r| has(r, VISIBLE | READ_ANY),
        |b, f, _| {
            let name = format!("copied {:x}", f.id);
            b.guest
                .copy_folder(f.handle, b.free, f.below[1].id, &name, true)
                .map(drop)
        },
    ),
    hidden(
        "delete an empty folder",
        |r| has(r, OWNER),
        |b, f, _| b.guest.delete_folder(f.handle, f.below[1].id, 0).map(drop),
    ),
    hidden(
        "delete a folder with what is in it",
        |r| has(r, OWNER | DELETE_ANY),
        |b, f, _| b.guest.delete_folder(f.handle, f.below[2].id, 5).map(drop),
    ),
    act(
        "empty a folder",
        |r| has(r, DELETE_ANY),
        |b, f, _| b.guest.empty_folder(f.below[3].handle, false).map(drop),
    ),
    act(
        "empty a folder for good",
        |r| has(r, DELETE_ANY),
        |b, f, _| b.guest.empty_folder(f.below[3].handle, true).map(drop),
    ),
    hidden(
        "make a message",
        |r| has(r, CREATE),
        |b, f, _| {
            let message = b.guest.create_message(b.guest_logon.handle, f.id)?;
            b.guest.set_props(message, &[subject()])?;
            b.guest.save_message(message).map(drop)
        },
    ),
    hidden(
        "make an FAI message",
        |r| has(r, CREATE),
        |b, f, _| {
            let message = b.guest.create_message_with(f.handle, f.id, true)?.handle;
            b.guest.save_message(message).map(drop)
        },
    ),
    act(
        "copy a message into it",
        |r| has(r, CREATE),
        |b, f, k| {
            b.guest
                .move_copy_messages(b.free, f.handle, &[k.outside], COPY)
                .map(drop)
        },
    ),
    act(
        "move a message into it",
        |r| has(r, CREATE),
        |b, f, k| {
            b.guest
                .move_copy_messages(b.free, f.handle, &[k.outside], MOVE)
                .map(drop)
        },
    ),
    hidden(
        "read an own message",
        |r| r != 0,
        |b, f, _| {
            b.guest
                .open_message(b.guest_logon.handle, f.id, f.own[0], 0)
                .map(drop)
        },
    ),
    hidden(
        "read a message",
        |r| has(r, READ_ANY),
        |b, f, _| {
            b.guest
                .open_message(b.guest_logon.handle, f.id, f.other[0], 0)
                .map(drop)
        },
    ),
    hidden(
        "see the status of a message",
        |r| has(r, READ_ANY),
        |b, f, _| {
            b.guest
                .rop(&status(0x1F, f.other[0]), &[f.handle])
                .map(drop)
        },
    ),
    hidden(
        "set the status of an own message",
        |r| has(r, EDIT_OWNED) || has(r, EDIT_ANY),
        |b, f, _| b.guest.rop(&status(0x20, f.own[0]), &[f.handle]).map(drop),
    ),
    hidden(
        "set the status of a message",
        |r| has(r, EDIT_ANY),
        |b, f, _| {
            b.guest
                .rop(&status(0x20, f.other[0]), &[f.handle])
                .map(drop)
        },
    ),
    act(
        "mark an own message as read",
        |r| has(r, EDIT_OWNED) || has(r, EDIT_ANY),
        |b, f, _| b.guest.set_read_flags(f.handle, &f.own[..1], 4).map(drop),
    )
    .in_public(|_| true),
    act(
        "mark a message as read",
        |r| has(r, EDIT_ANY),
        |b, f, _| b.guest.set_read_flags(f.handle, &f.other[..1], 4).map(drop),
    )
    .in_public(|r| has(r, READ_ANY)),
    hidden(
        "mark an open own message as read",
        |r| has(r, EDIT_OWNED) || has(r, EDIT_ANY),
        |b, f, k| mark_open(b, f.handle, k.own),
    )
    .in_public(|_| true),
    hidden(
        "mark an open message as read",
        |r| has(r, EDIT_ANY),
        |b, f, k| mark_open(b, f.handle, k.other),
    )
    .in_public(|_| true),
    hidden(
        "save an own message",
        |r| has(r, EDIT_OWNED) || has(r, EDIT_ANY),
        |b, _, k| b.guest.save_message_with(k.own, 4).map(drop),
    ),
    hidden(
        "save a message",
        |r| has(r, EDIT_ANY),
        |b, _, k| b.guest.save_message_with(k.other, 4).map(drop),
    ),
    act(
        "copy an own message out of it",
        |_| true,
        |b, f, _| {
            b.guest
                .move_copy_messages(f.handle, b.free, &f.own[..1], COPY)
                .map(drop)
        },
    ),
    act(
        "copy a message out of it",
        |r| has(r, READ_ANY),
        |b, f, _| {
            b.guest
                .move_copy_messages(f.handle, b.free, &f.other[..1], COPY)
                .map(drop)
        },
    ),
    act(
        "move an own message out of it",
        |r| has(r, DELETE_OWNED) || has(r, DELETE_ANY),
        |b, f, _| {
            b.guest
                .move_copy_messages(f.handle, b.free, &f.own[1..2], MOVE)
                .map(drop)
        },
    ),
    act(
        "move a message out of it",
        |r| has(r, READ_ANY | DELETE_ANY),
        |b, f, _| {
            b.guest
                .move_copy_messages(f.handle, b.free, &f.other[1..2], MOVE)
                .map(drop)
        },
    ),
    act(
        "delete an own message",
        |r| has(r, DELETE_OWNED) || has(r, DELETE_ANY),
        |b, f, _| b.guest.delete_messages(f.handle, &f.own[2..3]).map(drop),
    ),
    act(
        "delete a message",
        |r| has(r, DELETE_ANY),
        |b, f, _| b.guest.delete_messages(f.handle, &f.other[2..3]).map(drop),
    ),
    act(
        "delete an own message for good",
        |r| has(r, DELETE_OWNED) || has(r, DELETE_ANY),
        |b, f, _| {
            b.guest
                .hard_delete_messages(f.handle, &f.own[3..4])
                .map(drop)
        },
    ),
    act(
        "delete a message for good",
        |r| has(r, DELETE_ANY),
        |b, f, _| {
            b.guest
                .hard_delete_messages(f.handle, &f.other[3..4])
                .map(drop)
        },
    ),
];

/// What a folder looks like with these rights.
fn looks(both: &mut Both, folder: &Folder, rights: u32) {
    let seen = |needed: u32| has(rights, needed);
    let (table, count) = both.guest.hierarchy_table(both.parent, 0).unwrap();
    both.guest.set_columns(table, &[tag::FOLDER_ID]).unwrap();
    let rows = both.guest.query_all_rows(table, &[tag::FOLDER_ID]).unwrap();
    both.guest.release(table).unwrap();
    let is_listed = rows.iter().any(|row| row.id(0) == folder.id);
    assert_eq!(is_listed, seen(VISIBLE), "{rights:#x}: listed");
    assert_eq!(count as usize, rows.len(), "{rights:#x}: RowCount");
    if !seen(VISIBLE) {
        return;
    }
    const RIGHTS: u32 = 0x6639_0003;
    let row = both
        .guest
        .get_props(folder.handle, &[RIGHTS, tag::ACCESS, tag::ACCESS_LEVEL])
        .unwrap();
    let bit = |needed: u32, bits: i32| if seen(needed) { bits } else { 0 };
    let access = bit(OWNER, 0x05) | 0x02 | bit(CREATE_SUBFOLDER, 0x08) | bit(CREATE, 0x30);
    assert_eq!(row.int(0) as u32, rights, "{rights:#x}: PidTagRights");
    assert_eq!(row.int(1), access, "{rights:#x}: PidTagAccess");
    assert_eq!(row.int(2), i32::from(seen(OWNER)), "{rights:#x}");

    let (table, count) = both.guest.contents_table(folder.handle, 0).unwrap();
    let columns = [tag::MID, tag::ACCESS, tag::ACCESS_LEVEL];
    both.guest.set_columns(table, &columns).unwrap();
    let rows = both.guest.query_all_rows(table, &columns).unwrap();
    let sorted = both.guest.sort_table(table, &[(tag::SUBJECT, 1)]);
    sorted.unwrap();
    let again = both.guest.query_all_rows(table, &columns).unwrap();
    both.guest.release(table).unwrap();
    let mut expected = folder.own.clone();
    if seen(READ_ANY) {
        expected.extend(&folder.other);
    }
    expected.sort_unstable_by_key(|id| id.swap_bytes());
    let shown: Vec<u64> = rows.iter().map(|row| row.id(0)).collect();
    assert_eq!(shown, expected, "{rights:#x}: messages");
    assert_eq!(count as usize, rows.len(), "{rights:#x}: RowCount");
    assert_eq!(again.len(), rows.len(), "{rights:#x}: sorted");
    for row in rows {
        let is_own = folder.own.contains(&row.id(0));
        let may = |any: u32, own: u32| seen(any) || is_own && seen(own);
        let edits = may(EDIT_ANY, EDIT_OWNED);
        let access = i32::from(edits) | 2 | (4 * i32::from(may(DELETE_ANY, DELETE_OWNED)));
        assert_eq!(row.int(1), access, "{rights:#x}: own {is_own}");
        assert_eq!(row.int(2), i32::from(edits), "{rights:#x}: own {is_own}");
        let opened = both
            .guest
            .open_message(both.guest_logon.handle, folder.id, row.id(0), 3)
            .unwrap();
        let row = both
            .guest
            .get_props(opened.handle, &[tag::ACCESS, tag::ACCESS_LEVEL])
            .unwrap();
        assert_eq!((row.int(0), row.int(1)), (access, i32::from(edits)));
        both.guest.release(opened.handle).unwrap();
    }
}

fn all_acts(both: &mut Both, rights: u32) {
    let mut folder = both.folder(&format!("{rights:#x}"), 5);
    let outside = new_message(&mut both.ada, both.ada_free, both.free_id, "outside").1;
    let name = format!("outside {rights:#x}");
    let outside_folder = both.ada.create_folder(both.ada_free, &name).unwrap();
    let (own_id, other_id) = (folder.own[4], folder.other[4]);
    let mut open = |id| {
        let opened = both
            .guest
            .open_message(both.guest_logon.handle, folder.id, id, 1)
            .unwrap();
        both.guest.set_props(opened.handle, &[subject()]).unwrap();
        opened.handle
    };
    let mut kept = Kept {
        own: open(own_id),
        other: open(other_id),
        outside,
        outside_folder: outside_folder.folder_id,
    };
    for handle in folder.below.iter().map(|below| below.ada_handle) {
        both.permit(handle, rights);
    }
    both.permit(folder.ada_handle, rights);
    looks(both, &folder, rights);
    for act in ACTS {
        let expected = act.code(both.store, rights);
        let result = (act.run)(both, &mut folder, &mut kept);
        let code = result.as_ref().map_or_else(|error| error.code(), |()| 0);
        let (store, by) = (both.store, both.by);
        assert_eq!(code, expected, "{store:?} {by:?} {rights:#x}: {}", act.name);
    }
    for handle in [kept.own, kept.other, folder.handle] {
        both.guest.release(handle).unwrap();
    }
}

fn masks() -> Vec<u32> {
    let single = BITS.iter().copied();
    let seen = BITS.iter().map(|bit| bit | VISIBLE);
    let but_one = BITS.iter().map(|bit| ALL & !bit);
    let pairs = [
        READ_ANY | EDIT_ANY | VISIBLE,
        READ_ANY | DELETE_ANY,
        OWNER | DELETE_ANY,
        0,
        ALL,
    ];
    let mut all: Vec<u32> = single.chain(seen).chain(but_one).chain(pairs).collect();
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn a_user_with_an_entry_has_the_rights_of_the_entry_and_no_others() {
    let mut both = Both::new(BOB, By::Name);
    for rights in masks() {
        all_acts(&mut both, rights);
    }
}

#[test]
fn a_user_without_an_entry_has_the_rights_of_the_default_user_and_no_others() {
    let mut both = Both::new(CAROL, By::Default);
    for rights in masks() {
        all_acts(&mut both, rights);
    }
}

#[test]
fn in_public_folders_rights_are_the_same() {
    for (email, by) in [(BOB, By::Name), (CAROL, By::Default)] {
        let mut both = Both::within(Store::Public, email, by);
        for rights in masks() {
            all_acts(&mut both, rights);
        }
    }
}
