//! What a user may do in the mailbox of another one (MS-OXCPERM 2.2.7, MS-OXCSTOR 3.2.5.1).

mod across;
mod matrix;
mod searches;
mod world;

use std::ffi::OsStr;

use ropewalk_props::{Guid, PropTag, PropValue, PropertyName};
use ropewalk_tests::{
    client::{
        Cells as _, Client, Handle, NewFolder, Rop,
        permission::{ANONYMOUS, DEFAULT, add_user_row, modify_row, remove_row, user_entry_id},
    },
    fixture::{ADA, PASSWORD, code, fails, legacy_dn, log_on, new_folder, new_message, tag, text},
    server::{TestServer, add_user, run},
};
use ropewalk_wire::restriction::Restriction;

use world::*;

const CREATOR_ENTRY_ID: u32 = 0x3FF9_0102;
const FREE_BUSY: u32 = 0x1800;

/// The subjects in a contents table, from the start.
fn subjects(client: &mut Client, table: Handle) -> Vec<String> {
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    let _ = client.seek_row(table, 0, 0, false);
    let rows = client.query_all_rows(table, &[tag::SUBJECT]).unwrap();
    rows.iter().map(|row| row.text(0)).collect()
}

/// A server of their own for Ada and Bob, and their DNs.
fn of_two() -> (TestServer, String, String) {
    let server = TestServer::start(&[]);
    let dir = server.data_dir();
    for (email, name) in [(ADA, "Ada"), (BOB, "Bob")] {
        add_user(dir, email, name, PASSWORD);
    }
    let (ada_dn, bob_dn) = (legacy_dn(dir, ADA), legacy_dn(dir, BOB));
    (server, ada_dn, bob_dn)
}

// MS-OXCSTOR 3.2.5.1.3: ecAccessDenied.
#[test]
fn a_mailbox_is_open_to_its_owner_and_to_those_who_have_a_right_in_it() {
    let (server, ada_dn, bob_dn) = of_two();
    let (mut ada, logon) = log_on(&server, ADA, PASSWORD, &ada_dn);
    assert_eq!(logon.response_flags, 0x07);
    let mut bob = Client::connect(server.http(), BOB, PASSWORD, &bob_dn).unwrap();
    let mut opens = || bob.logon_with(0x01, 0x0100_0000, &ada_dn);
    fails(opens(), code::ACCESS_DENIED);

    let inbox = ada.open_folder(logon.handle, logon.inbox()).unwrap();
    // What is for anonymous clients is not for users.
    ada.modify_permissions(inbox, 0, &[modify_row(ANONYMOUS, ALL)])
        .unwrap();
    fails(opens(), code::ACCESS_DENIED);
    // Free/busy times are not read by a logon.
    let calendar = ada.open_folder(logon.handle, (15_u64 << 56) | 1).unwrap();
    ada.modify_permissions(calendar, 2, &[modify_row(DEFAULT, FREE_BUSY)])
        .unwrap();
    fails(opens(), code::ACCESS_DENIED);

    ada.modify_permissions(inbox, 0, &[modify_row(DEFAULT, VISIBLE)])
        .unwrap();
    let opened = opens().unwrap();
    assert_eq!(opened.response_flags, 0x01);
    assert_eq!(opened.folder_ids, logon.folder_ids);
    // An entry of his own counts alone.
    ada.modify_permissions(inbox, 0, &[add_user_row(&bob_dn, 0)])
        .unwrap();
    fails(opens(), code::ACCESS_DENIED);
    let rows = [modify_row(DEFAULT, 0), add_user_row(&bob_dn, READ_ANY)];
    ada.modify_permissions(inbox, 0, &rows).unwrap();
    opens().unwrap();
    // The other way round there is nothing.
    fails(
        ada.logon_with(0x01, 0x0100_0000, &bob_dn),
        code::ACCESS_DENIED,
    );
}

#[test]
fn rights_that_are_withdrawn_are_gone_from_what_is_open() {
    let mut both = Both::new(BOB, By::Name);
    let folder = both.folder("withdrawn", 1);
    let (table, _) = both.guest.contents_table(folder.handle, 0).unwrap();
    let (below, _) = both.guest.hierarchy_table(folder.handle, 0).unwrap();
    let permissions = both.guest.permissions_table(folder.handle, 0).unwrap();
    let rules = Rop::new(0x3F, 0).u8(1).u8(0);
    let rules = both.guest.rop(&rules, &[folder.handle, u32::MAX]).unwrap();
    let rules = rules.handle(1).unwrap();
    let tables = [table, below, permissions, rules];
    for table in tables {
        both.guest.set_columns(table, &[tag::ENTRY_ID]).unwrap();
        both.guest
            .query_rows(table, &[tag::ENTRY_ID], 0, true, 1)
            .unwrap();
    }
    both.permit(folder.ada_handle, CREATE);
    for table in tables {
        let rows = both.guest.query_rows(table, &[tag::ENTRY_ID], 0, true, 1);
        fails(rows, code::ACCESS_DENIED);
        fails(both.guest.query_position(table), code::ACCESS_DENIED);
    }
    fails(
        both.guest.get_props(folder.handle, &[tag::DISPLAY_NAME]),
        code::ACCESS_DENIED,
    );
}

#[test]
fn a_table_shows_what_its_reader_may_read_as_it_changes() {
    let mut both = Both::new(CAROL, By::Default);
    let folder = both.folder("seen", 1);
    both.permit(folder.ada_handle, VISIBLE | CREATE);
    let (table, count) = both.guest.contents_table(folder.handle, 0).unwrap();
    assert_eq!(count, 1);
    assert_eq!(subjects(&mut both.guest, table), ["the guest's"]);
    new_message(&mut both.ada, folder.ada_handle, folder.id, "hers");
    new_message(&mut both.guest, folder.handle, folder.id, "his");
    assert_eq!(subjects(&mut both.guest, table), ["the guest's", "his"]);
    both.permit(folder.ada_handle, VISIBLE | READ_ANY);
    assert_eq!(
        subjects(&mut both.guest, table),
        ["the guest's", "Ada's", "hers", "his"]
    );
    both.permit(folder.ada_handle, VISIBLE);
    assert_eq!(subjects(&mut both.guest, table), ["the guest's", "his"]);
    let (hers, _) = both.ada.contents_table(folder.ada_handle, 0).unwrap();
    assert_eq!(subjects(&mut both.ada, hers).len(), 4);
    // A restriction does not tell of what is not shown, in whatever order.
    for orders in [&[][..], &[(tag::SUBJECT, 0)], &[(tag::ACCESS, 1)]] {
        let sorted = both.guest.sort_table(table, orders);
        sorted.unwrap();
        let exists = ropewalk_wire::restriction::Restriction::Exist {
            prop_tag: ropewalk_props::PropTag(tag::SUBJECT),
        };
        both.guest.restrict(table, Some(&exists)).unwrap();
        assert_eq!(both.guest.query_position(table).unwrap().1, 2, "{orders:?}");
    }
}

#[test]
fn what_lies_below_a_folder_that_is_not_to_be_seen_is_not_listed() {
    let mut both = Both::new(BOB, By::Name);
    let outer = both.folder("outer", 0);
    let inner = both
        .ada
        .create_folder(outer.below[0].ada_handle, "inner")
        .unwrap();
    both.permit(outer.below[0].ada_handle, READ_ANY);
    for below in &outer.below[1..] {
        both.permit(below.ada_handle, 0);
    }
    for (flags, shown) in [(0, 0), (4, 0)] {
        let (table, count) = both.guest.hierarchy_table(outer.handle, flags).unwrap();
        assert_eq!(count, shown);
        both.guest.set_columns(table, &[tag::DISPLAY_NAME]).unwrap();
        assert_eq!(both.guest.query_position(table).unwrap().1, shown);
    }
    let row = both.guest.get_props(outer.handle, &[tag::SUBFOLDERS]);
    assert!(!row.unwrap().flag(0));
    let row = both.ada.get_props(outer.ada_handle, &[tag::SUBFOLDERS]);
    assert!(row.unwrap().flag(0));
    // It can be opened by who knows it.
    both.guest
        .open_folder(both.guest_logon.handle, inner.folder_id)
        .unwrap();
    both.permit(outer.below[0].ada_handle, VISIBLE);
    let (_, count) = both.guest.hierarchy_table(outer.handle, 4).unwrap();
    assert_eq!(count, 2);
    // One that is there is opened as RopOpenFolder does (MS-OXCFOLD 3.2.5.2).
    let existing = |name| NewFolder {
        open_existing: 1,
        ..NewFolder::named(name)
    };
    both.guest
        .create_folder_with(outer.handle, &existing("one"))
        .unwrap();
    let hidden = both
        .guest
        .create_folder_with(outer.handle, &existing("two"));
    fails(hidden, code::NOT_FOUND);
}

#[test]
fn messages_with_which_one_may_not_are_left_out() {
    let mut both = Both::new(BOB, By::Name);
    let folder = both.folder("some", 2);
    both.permit(folder.ada_handle, VISIBLE | DELETE_OWNED | EDIT_OWNED);
    let mixed = [folder.own[0], folder.other[0]];
    let guest = &mut both.guest;
    // PartialCompletion.
    assert_eq!(guest.set_read_flags(folder.handle, &mixed, 4).unwrap(), 1);
    assert_eq!(guest.set_read_flags(folder.handle, &[], 4).unwrap(), 1);
    let copied = guest.move_copy_messages(folder.handle, both.free, &mixed, true);
    assert_eq!(copied.unwrap(), 1);
    assert_eq!(guest.delete_messages(folder.handle, &mixed).unwrap(), 1);
    let mixed = [folder.own[1], folder.other[1]];
    let moved = guest.move_copy_messages(folder.handle, both.free, &mixed, false);
    assert_eq!(moved.unwrap(), 1);
    let (table, _) = both.ada.contents_table(folder.ada_handle, 0).unwrap();
    assert_eq!(subjects(&mut both.ada, table), ["Ada's", "Ada's"]);
    let (table, count) = both.guest.contents_table(both.free, 0).unwrap();
    assert_eq!(count, 2);
    assert_eq!(
        subjects(&mut both.guest, table),
        ["the guest's", "the guest's"]
    );
}

#[test]
fn nobody_makes_a_message_his_own() {
    let mut both = Both::new(BOB, By::Name);
    let folder = both.folder("claimed", 1);
    let rights = VISIBLE | READ_ANY | EDIT_ANY | EDIT_OWNED | CREATE | DELETE_OWNED;
    both.permit(folder.ada_handle, rights);
    let guest = &mut both.guest;
    let logon = both.guest_logon.handle;
    let hers = guest
        .open_message(logon, folder.id, folder.other[0], 1)
        .unwrap()
        .handle;
    let mine = user_entry_id(&both.guest_dn);
    let claim = (CREATOR_ENTRY_ID, PropValue::Binary(mine.clone()));
    let problems = guest.try_set_props(hers, &[claim]).unwrap();
    assert_eq!(problems.len(), 1);
    let removed = guest.delete_props(hers, &[CREATOR_ENTRY_ID]).unwrap();
    assert_eq!(removed.len(), 1);
    for mode in [1, 2] {
        let stream = guest.open_stream(hers, CREATOR_ENTRY_ID, mode);
        fails(stream, code::ACCESS_DENIED);
    }
    let own = guest
        .open_message(logon, folder.id, folder.own[0], 0)
        .unwrap()
        .handle;
    let copy_to = Rop::new(0x39, 0).u8(1).u8(0).u8(1).u8(0).u16(0);
    guest.rop(&copy_to, &[own, hers]).unwrap();
    guest
        .set_props(hers, &[(tag::SUBJECT, text("touched"))])
        .unwrap();
    guest.save_message(hers).unwrap();
    let row = guest.get_props(hers, &[CREATOR_ENTRY_ID]).unwrap();
    assert_ne!(row.binary(0), mine);
    fails(
        guest.delete_messages(folder.handle, &[folder.other[0]]),
        code::ACCESS_DENIED,
    );
    guest
        .delete_messages(folder.handle, &[folder.own[0]])
        .unwrap();
}

// MS-OXCPRPT 2.2.12.2: a name that the user may not register has no id. MS-OXCPERM 2.2.7: what is
// invisible is in no criteria of a search.
#[test]
fn who_can_only_look_registers_no_names_and_reads_of_no_folder_that_he_cannot_see() {
    let (server, ada_dn, bob_dn) = of_two();
    let (mut ada, logon) = log_on(&server, ADA, PASSWORD, &ada_dn);
    let (folder, folder_id) = new_folder(&mut ada, &logon);
    let (_, hidden_id) = new_folder(&mut ada, &logon);
    let search = NewFolder {
        folder_type: 2,
        ..NewFolder::named("found")
    };
    let root = ada.open_folder(logon.handle, logon.root()).unwrap();
    let search = ada.create_folder_with(root, &search).unwrap();
    let any = Restriction::Exist {
        prop_tag: PropTag(tag::SUBJECT),
    };
    let scope = [folder_id, hidden_id];
    ada.set_search_criteria(search.handle, Some(&any), &scope, 2)
        .unwrap();
    for folder in [folder, search.handle] {
        ada.modify_permissions(folder, 0, &[modify_row(DEFAULT, VISIBLE)])
            .unwrap();
    }

    let mut bob = Client::connect(server.http(), BOB, PASSWORD, &bob_dn).unwrap();
    let to_ada = bob.logon_with(0x01, 0x0100_0000, &ada_dn).unwrap();
    let found = bob.open_folder(to_ada.handle, search.folder_id).unwrap();
    let wanted = [true; 3];
    assert_eq!(ada.search_criteria(search.handle, wanted).unwrap().1, scope);
    assert_eq!(bob.search_criteria(found, wanted).unwrap().1, [folder_id]);

    let name = |lid| [PropertyName::Lid(Guid([0x5A; 16]), lid)];
    let id = ada.property_ids(logon.handle, 2, &name(1)).unwrap();
    assert_eq!(bob.property_ids(to_ada.handle, 2, &name(1)).unwrap(), id);
    assert_eq!(bob.property_ids(to_ada.handle, 2, &name(2)).unwrap(), [0]);
    ada.modify_permissions(folder, 0, &[modify_row(DEFAULT, VISIBLE | CREATE)])
        .unwrap();
    let created = bob.property_ids(to_ada.handle, 2, &name(2)).unwrap();
    assert_eq!(
        ada.property_ids(logon.handle, 0, &name(2)).unwrap(),
        created
    );
    assert_ne!(created, [0]);
}

// MS-OXCPERM 2.2.7: what there is in folders that he does not see, a guest does not learn from the whole.
#[test]
fn how_much_there_is_in_a_mailbox_is_told_to_its_owner_alone() {
    const OF_THE_WHOLE: [u32; 6] = [
        // Sizes, PidTagContentCount, and the three quotas.
        0x0E08_0003,
        0x0E08_0014,
        0x3602_0003,
        0x666A_0003,
        0x666E_0003,
        0x3FF5_0003,
    ];
    let (server, ada_dn, bob_dn) = of_two();
    let quota = [
        "user",
        "quota",
        ADA,
        "--warn",
        "60 KiB",
        "--send",
        "70 KiB",
        "--receive",
        "80 KiB",
    ];
    let dir = [OsStr::new("--data-dir"), server.data_dir().as_os_str()];
    let output = run(quota.map(OsStr::new).into_iter().chain(dir));
    assert!(output.status.success(), "{output:?}");
    let (mut ada, logon) = log_on(&server, ADA, PASSWORD, &ada_dn);
    let inbox = ada.open_folder(logon.handle, logon.inbox()).unwrap();
    new_message(&mut ada, inbox, logon.inbox(), "one");
    ada.modify_permissions(inbox, 0, &[modify_row(DEFAULT, VISIBLE)])
        .unwrap();
    let mut bob = Client::connect(server.http(), BOB, PASSWORD, &bob_dn).unwrap();
    let to_ada = bob.logon_with(0x01, 0x0100_0000, &ada_dn).unwrap();

    let row = ada.get_props(logon.handle, &OF_THE_WHOLE).unwrap();
    assert!(row.int(0) > 0);
    assert_eq!([3, 4, 5].map(|at| row.int(at)), [80, 70, 60]);
    let row = bob.get_props(to_ada.handle, &OF_THE_WHOLE).unwrap();
    for (at, asked) in OF_THE_WHOLE.iter().enumerate() {
        assert_eq!(row.error(at), code::NOT_FOUND, "{asked:#x}");
    }
    let listed = ada.list_props(logon.handle).unwrap();
    assert!(OF_THE_WHOLE.iter().all(|asked| listed.contains(asked)));
    let listed = bob.list_props(to_ada.handle).unwrap();
    assert!(OF_THE_WHOLE.iter().all(|asked| !listed.contains(asked)));
}

#[test]
fn who_makes_a_folder_owns_it() {
    let mut both = Both::new(CAROL, By::Default);
    let folder = both.folder("made", 0);
    both.permit(folder.ada_handle, VISIBLE | CREATE_SUBFOLDER);
    let made = both.guest.create_folder(folder.handle, "hers").unwrap();
    let members = both.guest.permissions(made.handle).unwrap();
    let rights = |name: &str| {
        let found = members.iter().find(|member| member.name == name);
        found.map(|member| member.rights)
    };
    assert_eq!(rights("Carol"), Some(ALL));
    assert_eq!(rights(""), Some(VISIBLE | CREATE_SUBFOLDER));
    assert_eq!(rights("Ada Lovelace"), None);
    // The owner of the mailbox does what she likes all the same.
    let (id, logon) = (made.folder_id, both.ada_free);
    let opened = both.ada.open_folder(logon, id).unwrap();
    let rows = [remove_row(
        members.iter().find(|m| m.name == "Carol").unwrap().id,
    )];
    both.ada.modify_permissions(opened, 0, &rows).unwrap();
    fails(both.guest.permissions(made.handle), code::ACCESS_DENIED);
}

#[test]
fn what_is_the_mailboxs_own_is_its_owners() {
    const OWNER_NAME: u32 = tag::MAILBOX_OWNER_NAME;
    let mut both = Both::new(BOB, By::Name);
    let (guest, logon) = (&mut both.guest, both.guest_logon.handle);
    let inbox = both.guest_logon.inbox();
    assert_eq!(guest.get_receive_folder(logon, "IPM").unwrap().0, inbox);
    let row = guest
        .get_props(logon, &[OWNER_NAME, tag::ACCESS, tag::ACCESS_LEVEL])
        .unwrap();
    assert_eq!(row.text(0), "Ada Lovelace");
    assert_eq!((row.int(1), row.int(2)), (2, 0));
    let name = (tag::DISPLAY_NAME, text("mine"));
    fails(guest.set_props(logon, &[name]), code::ACCESS_DENIED);
    fails(
        guest.delete_props(logon, &[tag::DISPLAY_NAME]),
        code::ACCESS_DENIED,
    );
    let set_receive = Rop::new(0x26, 0).u64(inbox).ascii_z("IPM.Mine");
    fails(guest.rop(&set_receive, &[logon]), code::ACCESS_DENIED);
    let update = Rop::new(0x57, 0).sized(&[1]).sized(&[2]);
    fails(guest.rop(&update, &[logon]), code::ACCESS_DENIED);
    // A replica that the mailbox does not know gets no number.
    let mut foreign = [7; 24];
    foreign[22..].fill(0);
    fails(guest.id_from_long_term_id(logon, &foreign), code::NOT_FOUND);
    // The root tells where the special folders are, and shows none that is not to be seen.
    let root = guest
        .open_folder(logon, both.guest_logon.folder_ids[0])
        .unwrap();
    let (_, count) = guest.hierarchy_table(root, 0).unwrap();
    assert_eq!(count, 0);
    for hidden in &both.guest_logon.folder_ids[1..4] {
        fails(guest.open_folder(logon, *hidden), code::NOT_FOUND);
    }
    // In the session's own mailbox nothing is different.
    let own = guest.user_dn().to_owned();
    let own = guest.logon_with(0x01, 0x0100_0000, &own).unwrap();
    let (folder, _) = new_folder(guest, &own);
    guest
        .set_props(folder, &[(tag::COMMENT, text("mine"))])
        .unwrap();
}
