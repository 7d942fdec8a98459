//! The permissions list of a folder (MS-OXCPERM).

use std::sync::OnceLock;

use ropewalk_props::PropValue;
use ropewalk_tests::{
    client::{
        Cells as _, Client, Handle, Rop,
        permission::{
            ANONYMOUS, DEFAULT, PermissionData, add_user_row, modify_row, remove_row, user_entry_id,
        },
        restriction_bytes,
    },
    fixture::{ADA, PASSWORD, ada, code, fails, legacy_dn, log_on, new_folder, shared},
    server::{TestServer, add_user},
};

const FREE_BUSY_SIMPLE: u32 = 0x0800;
const FREE_BUSY_DETAILED: u32 = 0x1000;
const EDITOR: u32 = 0x047B;
const REPLACE: u8 = 1;
const INCLUDE_FREE_BUSY: u8 = 2;

/// The LegacyDNs of two other users.
fn others() -> &'static [String; 2] {
    static OTHERS: OnceLock<[String; 2]> = OnceLock::new();
    OTHERS.get_or_init(|| {
        let dir = shared().server.data_dir();
        ["bob", "carol"].map(|name| {
            let email = format!("{name}@example.test");
            add_user(dir, &email, &format!("{name} the other"), PASSWORD);
            legacy_dn(dir, &email)
        })
    })
}

/// Names and rights of a folder's list.
fn list(client: &mut Client, folder: Handle) -> Vec<(String, u32)> {
    let members = client.permissions(folder).unwrap();
    let pair = |member: ropewalk_tests::client::permission::Member| (member.name, member.rights);
    members.into_iter().map(pair).collect()
}

fn pairs<const N: usize>(pairs: [(&str, u32); N]) -> Vec<(String, u32)> {
    pairs.map(|(name, rights)| (name.to_owned(), rights)).into()
}

fn id_of(client: &mut Client, folder: Handle, name: &str) -> u64 {
    let members = client.permissions(folder).unwrap();
    members
        .iter()
        .find(|member| member.name == name)
        .unwrap()
        .id
}

#[test]
fn entries_are_added_changed_and_removed() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let [bob, carol] = others();
    assert_eq!(
        list(&mut client, folder),
        pairs([("", 0), ("Anonymous", 0)])
    );
    let rows = [add_user_row(bob, EDITOR), add_user_row(carol, 0x401)];
    client.modify_permissions(folder, 0, &rows).unwrap();
    let members = client.permissions(folder).unwrap();
    let ids: Vec<u64> = members.iter().map(|member| member.id).collect();
    assert_eq!(ids[..2], [DEFAULT, ANONYMOUS]);
    assert!(ids[2] != ids[3] && !ids[..2].contains(&ids[2]) && !ids[..2].contains(&ids[3]));
    let entry_ids: Vec<&[u8]> = members.iter().map(|member| &member.entry_id[..]).collect();
    assert_eq!(entry_ids[..2], [b"", b""]);
    assert_eq!(entry_ids[2..], [user_entry_id(bob), user_entry_id(carol)]);
    let expected = [
        ("", 0),
        ("Anonymous", 0),
        ("bob the other", EDITOR),
        ("carol the other", 0x401),
    ];
    assert_eq!(list(&mut client, folder), pairs(expected));

    let rows = [
        modify_row(ids[2], 0x400),
        modify_row(DEFAULT, 0x2),
        modify_row(ANONYMOUS, 0x8),
        remove_row(ids[3]),
    ];
    client.modify_permissions(folder, 0, &rows).unwrap();
    let expected = [("", 0x2), ("Anonymous", 0x8), ("bob the other", 0x400)];
    assert_eq!(list(&mut client, folder), pairs(expected));
    // A user has one entry, however often he is added.
    let rows = [add_user_row(bob, 0x1), add_user_row(bob, 0x3)];
    client.modify_permissions(folder, 0, &rows).unwrap();
    assert_eq!(
        list(&mut client, folder)[2..],
        pairs([("bob the other", 3)])
    );
}

#[test]
fn all_but_the_default_user_are_replaced() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let [bob, carol] = others();
    let rows = [
        add_user_row(bob, EDITOR),
        modify_row(DEFAULT, 0x400),
        modify_row(ANONYMOUS, 0x2),
    ];
    client.modify_permissions(folder, 0, &rows).unwrap();
    let rows = [add_user_row(carol, 0x401)];
    client.modify_permissions(folder, REPLACE, &rows).unwrap();
    let expected = [("", 0x400), ("Anonymous", 0), ("carol the other", 0x401)];
    assert_eq!(list(&mut client, folder), pairs(expected));
    // Those without an EntryID are named by their member id.
    let add = |(_, values): PermissionData| (1, values);
    let rows = [
        add(modify_row(DEFAULT, 0x1)),
        add(modify_row(ANONYMOUS, 0x3)),
    ];
    client.modify_permissions(folder, REPLACE, &rows).unwrap();
    assert_eq!(
        list(&mut client, folder),
        pairs([("", 1), ("Anonymous", 3)])
    );
}

// MS-OXCPERM 2.2.1.1, 2.2.2.1.
#[test]
fn free_busy_rights_are_for_the_calendar_and_those_who_ask() {
    let (mut client, logon) = ada();
    let [bob, _] = others();
    // The Calendar has the same FID in each mailbox.
    let calendar_id = (15_u64 << 56) | 1;
    let calendar = client.open_folder(logon.handle, calendar_id).unwrap();
    assert_eq!(
        list(&mut client, calendar)[0],
        (String::new(), FREE_BUSY_SIMPLE)
    );
    let all = FREE_BUSY_SIMPLE | FREE_BUSY_DETAILED | 0x401;
    client
        .modify_permissions(calendar, 0, &[add_user_row(bob, all)])
        .unwrap();
    let bob_has = |client: &mut Client| list(client, calendar)[2].1;
    assert_eq!(bob_has(&mut client), 0x401);
    let id = id_of(&mut client, calendar, "bob the other");
    client
        .modify_permissions(calendar, INCLUDE_FREE_BUSY, &[modify_row(id, all)])
        .unwrap();
    assert_eq!(bob_has(&mut client), all);
    // Without the flag they stay as they are.
    client
        .modify_permissions(calendar, 0, &[modify_row(id, 0x400)])
        .unwrap();
    assert_eq!(bob_has(&mut client), all & !1);
    let table = client.permissions_table(calendar, 0).unwrap();
    client.set_columns(table, &[0x6673_0003]).unwrap();
    let rows = client.query_all_rows(table, &[0x6673_0003]).unwrap();
    let shown: Vec<i32> = rows.iter().map(|row| row.int(0)).collect();
    assert_eq!(shown, [0, 0, 0x400]);
    client
        .modify_permissions(calendar, 0, &[remove_row(id)])
        .unwrap();

    let (folder, _) = new_folder(&mut client, &logon);
    client
        .modify_permissions(folder, INCLUDE_FREE_BUSY, &[add_user_row(bob, all)])
        .unwrap();
    assert_eq!(list(&mut client, folder)[2].1, 0x401);
}

#[test]
fn what_is_no_change_is_refused_and_changes_nothing() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let [bob, carol] = others();
    client
        .modify_permissions(folder, 0, &[add_user_row(bob, 0x401)])
        .unwrap();
    let before = list(&mut client, folder);
    let good = add_user_row(carol, 0x401);
    let rights = (0x6673_0003, PropValue::Integer32(1));
    let member = |id: i64| (0x6671_0014, PropValue::Integer64(id));
    let entry = |bytes: &[u8]| (0x0FFF_0102, PropValue::Binary(bytes.to_vec()));
    let bob_id = id_of(&mut client, folder, "bob the other");
    let nobody = user_entry_id("/o=Ropewalk/cn=nobody");
    for (row, expected) in [
        ((0, good.1.clone()), code::INVALID_PARAMETER),
        ((3, good.1.clone()), code::INVALID_PARAMETER),
        ((8, good.1.clone()), code::INVALID_PARAMETER),
        ((1, vec![]), code::INVALID_PARAMETER),
        ((1, vec![rights.clone()]), code::INVALID_PARAMETER),
        (
            (1, vec![entry(&user_entry_id(bob))]),
            code::INVALID_PARAMETER,
        ),
        (
            (1, vec![entry(b"no id"), rights.clone()]),
            code::INVALID_PARAMETER,
        ),
        // Only the two that have no EntryID are added by their member ids.
        (
            (1, vec![member(bob_id as i64), rights.clone()]),
            code::INVALID_PARAMETER,
        ),
        (
            (1, vec![entry(&nobody), rights.clone()]),
            code::UNKNOWN_USER,
        ),
        ((2, vec![member(0)]), code::INVALID_PARAMETER),
        ((2, vec![rights.clone()]), code::INVALID_PARAMETER),
        (
            (2, vec![member(0x7FFF_FFFF), rights.clone()]),
            code::NOT_FOUND,
        ),
        ((2, vec![member(-2), rights.clone()]), code::NOT_FOUND),
        ((4, vec![rights.clone()]), code::INVALID_PARAMETER),
        ((4, vec![member(0x7FFF_FFFF)]), code::NOT_FOUND),
    ] {
        let result = client.modify_permissions(folder, 0, &[good.clone(), row.clone()]);
        fails(result, expected);
        assert_eq!(list(&mut client, folder), before, "{row:?}");
    }
    for flags in [0x04, 0x80, 0xFF] {
        let result = client.modify_permissions(folder, flags, std::slice::from_ref(&good));
        fails(result, code::INVALID_PARAMETER);
    }
    let rows = [good.clone(), remove_row(bob_id)];
    let result = client.modify_permissions(folder, REPLACE, &rows);
    fails(result, code::INVALID_PARAMETER);
    assert_eq!(list(&mut client, folder), before);
    // Flags that are no rights are not set.
    client
        .modify_permissions(folder, 0, &[modify_row(bob_id, 0xFFFF_E404)])
        .unwrap();
    assert_eq!(list(&mut client, folder)[2].1, 0x400);
}

#[test]
fn only_folders_have_a_list_and_the_table_is_read_from_end_to_end() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let [bob, _] = others();
    for flags in [0x01, 0x04, 0x80] {
        fails(client.permissions_table(folder, flags), code::NOT_SUPPORTED);
    }
    fails(
        client.permissions_table(logon.handle, 0),
        code::NOT_SUPPORTED,
    );
    let result = client.modify_permissions(logon.handle, 0, &[]);
    fails(result, code::NOT_SUPPORTED);
    let table = client.permissions_table(folder, 0).unwrap();
    let columns = [0x6671_0014];
    let unset = client.query_rows(table, &columns, 0, true, 1);
    fails(unset, code::NULL_OBJECT);
    client.set_columns(table, &columns).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 2));
    // It shows what is changed while it is open.
    client
        .modify_permissions(folder, 0, &[add_user_row(bob, 1)])
        .unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 3));
    let back = client.query_rows(table, &columns, 0, false, 10).unwrap();
    assert!(back.rows.is_empty());
    assert_eq!(client.query_all_rows(table, &columns).unwrap().len(), 3);
    assert_eq!(client.query_position(table).unwrap(), (3, 3));
    fails(
        client.sort_table(table, &[(columns[0], 0)]),
        code::NOT_SUPPORTED,
    );
    fails(client.restrict(table, None), code::NOT_SUPPORTED);
    let find = Rop::new(0x4F, 0)
        .u8(0)
        .sized(&restriction_bytes(None))
        .u8(0)
        .u16(0);
    fails(client.rop(&find, &[table]), code::NOT_SUPPORTED);
    client.release(folder).unwrap();
    fails(client.permissions_table(folder, 0), code::INVALID_OBJECT);
}

// MS-OXCPERM 4.1, as far as the bytes do not depend on who is in the list.
#[test]
fn the_example_of_the_specification() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let run = |client: &mut Client, rops: &[u8], handles: &[u32]| {
        let payload = ropewalk_tests::client::framing::rop_buffer(rops, handles);
        client.execute_payload(&payload).unwrap()
    };
    let open = [0x2B, 0x00, 0x01, 0x02, 0x1F, 0x00, 0x6A, 0x0E, 0x00];
    let answer = run(&mut client, &open, &[logon.handle, folder, u32::MAX]);
    assert_eq!(answer.rops, [0x2B, 0x02, 0x02, 0x01, 0x04, 0x80]);
    let three = [
        &[0x3E, 0x00, 0x00, 0x01, 0x02][..],
        &[
            0x12, 0x00, 0x01, 0x00, 0x04, 0x00, 0x14, 0x00, 0x71, 0x66, 0x1F, 0x00, 0x72, 0x66,
            0x03, 0x00, 0x73, 0x66, 0x02, 0x01, 0xFF, 0x0F,
        ],
        &[0x15, 0x00, 0x01, 0x00, 0x01, 0x00, 0x10],
    ]
    .concat();
    let answer = run(&mut client, &three, &[folder, u32::MAX]);
    let default = [&[0; 1][..], &[0; 8], &[0, 0], &[0; 4], &[0, 0]].concat();
    let name: Vec<u8> = "Anonymous\0"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let anonymous = [&[0; 1][..], &[0xFF; 8], &name, &[0; 4], &[0, 0]].concat();
    let expected = [
        &[0x3E, 0x01, 0, 0, 0, 0][..],
        &[0x12, 0x01, 0, 0, 0, 0, 0],
        &[0x15, 0x01, 0, 0, 0, 0, 0x02, 0x02, 0x00],
        &default,
        &anonymous,
    ]
    .concat();
    assert_eq!(answer.rops, expected);
}

#[test]
fn a_list_outlasts_the_server_and_is_inherited_and_those_who_are_gone_are_not_in_it() {
    const BOB: &str = "bob@example.test";
    let dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::start_in(dir.path(), &[]);
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    add_user(dir.path(), BOB, "Bob", PASSWORD);
    let (dn, bob) = (legacy_dn(dir.path(), ADA), legacy_dn(dir.path(), BOB));
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let rows = [add_user_row(&bob, EDITOR), modify_row(DEFAULT, 0x400)];
    client.modify_permissions(folder, 0, &rows).unwrap();
    let before = client.permissions(folder).unwrap();
    server.stop();
    let mut server = TestServer::start_in(dir.path(), &[]);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    assert_eq!(client.permissions(folder).unwrap(), before);
    let below = client.create_folder(folder, "below").unwrap();
    assert_eq!(client.permissions(below.handle).unwrap(), before);

    let dir_name = dir.path().to_str().unwrap();
    let removed = ropewalk_tests::server::run(["user", "remove", BOB, "--data-dir", dir_name]);
    assert!(removed.status.success(), "{removed:?}");
    let expected = pairs([("", 0x400), ("Anonymous", 0)]);
    assert_eq!(list(&mut client, folder), expected);
    // Another one with the name has none of the rights.
    add_user(dir.path(), BOB, "Bob", PASSWORD);
    assert_eq!(list(&mut client, folder), expected);
    server.stop();
}

// MS-OXCPERM 2.2.3: PidTagAccessControlListData takes a list from one folder to another.
#[test]
fn a_list_is_taken_from_one_folder_to_another_as_a_value() {
    const ACL_DATA: u32 = 0x3FE0_0102;
    const COMPUTED: u32 = 0x8004_011A;
    let [bob, carol] = others();
    let (mut client, logon) = ada();
    let (from, _) = new_folder(&mut client, &logon);
    let rows = [
        modify_row(DEFAULT, 0x0400),
        add_user_row(bob, EDITOR),
        add_user_row(carol, 0x0401),
    ];
    client.modify_permissions(from, 0, &rows).unwrap();
    let row = client.get_props(from, &[ACL_DATA]).unwrap();
    let data = row.binary(0).to_vec();
    assert!(!client.list_props(from).unwrap().contains(&ACL_DATA));

    // By its value, by RopCopyProperties, and not by RopCopyTo of all that there is.
    let expected = list(&mut client, from);
    let (by_value, _) = new_folder(&mut client, &logon);
    let initial = list(&mut client, by_value);
    assert_ne!(initial, expected);
    let given = PropValue::Binary(data.clone());
    client.set_props(by_value, &[(ACL_DATA, given)]).unwrap();
    assert_eq!(list(&mut client, by_value), expected);
    let (by_copy, _) = new_folder(&mut client, &logon);
    let copy = Rop::new(0x67, 0).u8(1).u8(0).u8(0).tags(&[ACL_DATA]);
    let copied = client.rop(&copy, &[from, by_copy]).unwrap();
    assert_eq!(copied.read(|input| input.u16()).unwrap(), 0);
    assert_eq!(list(&mut client, by_copy), expected);
    let (other, _) = new_folder(&mut client, &logon);
    let copy_to = Rop::new(0x39, 0)
        .u8(1)
        .u8(0)
        .u8(0)
        .u8(0)
        .tags(&[0x3001_001F]);
    client.rop(&copy_to, &[from, other]).unwrap();
    assert_eq!(list(&mut client, other), initial);

    for wrong in [&data[..data.len() - 1], &[], b"\0\0\0\0\0\0\0\0\0"] {
        let value = (ACL_DATA, PropValue::Binary(wrong.to_vec()));
        let problems = client.try_set_props(by_value, &[value]).unwrap();
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].code, code::INVALID_PARAMETER);
    }
    let problems = client.delete_props(by_value, &[ACL_DATA]).unwrap();
    assert_eq!(problems[0].code, COMPUTED);
    // A stream would not be looked at.
    fails(
        client.open_stream(by_value, ACL_DATA, 1),
        code::ACCESS_DENIED,
    );
    assert_eq!(list(&mut client, by_value), expected);

    // Who does not own the folder does not see it.
    let email = "bob@example.test";
    let mut guest = Client::connect(shared().server.http(), email, PASSWORD, bob).unwrap();
    let to_ada = guest
        .logon_with(0x01, 0x0100_0000, &shared().user_dn)
        .unwrap();
    let id = client.get_props(from, &[0x6748_0014]).unwrap().id(0);
    let folder = guest.open_folder(to_ada.handle, id).unwrap();
    let row = guest.get_props(folder, &[ACL_DATA]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
}
