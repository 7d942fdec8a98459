//! The worked examples of the specifications against a server: the request bytes as printed, with only the
//! ids put in that the server gives out, and the response bytes as printed but for those ids. Handles lie in
//! the handle table where the printed indexes look for them. Where a specification's example is not to be had, its
//! bytes are laid out here from MS-OXCROPS 2.2, and a comment says so.

use std::{fs, ops::Range, path::Path};

use ropewalk_tests::{
    client::{Client, Handle, NO_HANDLE, NewFolder, Payload, Rop, framing, logon_rop},
    fixture::{ada, new_folder, new_message, shared},
};
use toml::Value;

/// The bytes of the example in a file of tests/vectors, by its section and direction, and by its RopId where
/// a section has several.
fn printed(spec: &str, section: &str, direction: &str, rop_id: i64) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("vectors/{spec}.toml"));
    let file: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
    let found = file["example"]
        .as_array()
        .unwrap()
        .iter()
        .find(|example| {
            let is = |name: &str, value: &str| example[name].as_str() == Some(value);
            is("section", section)
                && is("direction", direction)
                && example.get("rop_id").and_then(Value::as_integer) == Some(rop_id)
        })
        .unwrap_or_else(|| panic!("{spec} {section} has no such {direction}"));
    found["hex"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

fn request(spec: &str, section: &str, rop_id: i64) -> Vec<u8> {
    printed(spec, section, "request", rop_id)
}

fn response(spec: &str, section: &str, rop_id: i64) -> Vec<u8> {
    printed(spec, section, "response", rop_id)
}

fn put_id(bytes: &mut [u8], at: usize, id: u64) {
    bytes[at..at + 8].copy_from_slice(&id.to_le_bytes());
}

fn id_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn send(client: &mut Client, rops: &[u8], handles: &[Handle]) -> Payload {
    client
        .execute_payload(&framing::rop_buffer(rops, handles))
        .unwrap()
}

/// The same bytes, but for those in `ids`.
#[track_caller]
fn assert_same_but(found: &[u8], expected: &[u8], ids: Range<usize>) {
    assert_eq!(found.len(), expected.len(), "{found:02x?}");
    for (at, (found_byte, expected_byte)) in found.iter().zip(expected).enumerate() {
        assert!(
            ids.contains(&at) || found_byte == expected_byte,
            "byte {at}: {found:02x?}, not {expected:02x?}"
        );
    }
}

#[test]
fn oxcfold_4_1_and_4_2_create_and_delete_a_folder() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    let create = request("ms-oxcfold", "4.1.1", 0x1C);
    let created = send(&mut client, &create, &[parent, NO_HANDLE]);
    assert_same_but(&created.rops, &response("ms-oxcfold", "4.1.2", 0x1C), 6..14);
    let folder_id = id_at(&created.rops, 6);
    assert!(client.open_folder(parent, folder_id).is_ok());

    let mut delete = request("ms-oxcfold", "4.2.1", 0x1D);
    put_id(&mut delete, 4, folder_id);
    let deleted = send(&mut client, &delete, &[NO_HANDLE, parent]);
    assert_eq!(deleted.rops, response("ms-oxcfold", "4.2.2", 0x1D));
    assert!(client.open_folder(parent, folder_id).is_err());
}

#[test]
fn oxcfold_4_3_and_4_4_delete_and_move_messages() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (target, _) = new_folder(&mut client, &logon);
    let ids: Vec<u64> = ["One", "Two", "Three"]
        .iter()
        .map(|subject| new_message(&mut client, folder, folder_id, subject).1)
        .collect();
    let mut delete = request("ms-oxcfold", "4.3.1", 0x1E);
    put_id(&mut delete, 7, ids[0]);
    put_id(&mut delete, 15, ids[1]);
    let deleted = send(&mut client, &delete, &[folder]);
    assert_eq!(deleted.rops, response("ms-oxcfold", "4.3.2", 0x1E));
    assert_eq!(client.contents_table(folder, 0).unwrap().1, 1);

    let mut moving = request("ms-oxcfold", "4.4.1", 0x33);
    put_id(&mut moving, 6, ids[2]);
    let moved = send(&mut client, &moving, &[folder, target]);
    // 4.4.2, laid out from MS-OXCROPS 2.2.4.6.2.
    assert_eq!(moved.rops, [0x33, 0, 0, 0, 0, 0, 0]);
    assert_eq!(client.contents_table(folder, 0).unwrap().1, 0);
    assert_eq!(client.contents_table(target, 0).unwrap().1, 1);
}

#[test]
fn oxcfold_4_5_moves_a_folder_and_4_6_copies_one() {
    let (mut client, logon) = ada();
    let (source, _) = new_folder(&mut client, &logon);
    let (target, _) = new_folder(&mut client, &logon);
    let folder_id = client.create_folder(source, "Before").unwrap().folder_id;

    let mut copying = request("ms-oxcfold", "4.6.1", 0x36);
    put_id(&mut copying, 7, folder_id);
    let copied = send(&mut client, &copying, &[source, target, target]);
    assert_eq!(copied.rops, response("ms-oxcfold", "4.6.2", 0x36));
    assert_eq!(client.hierarchy_table(source, 0).unwrap().1, 1);
    assert_eq!(client.hierarchy_table(target, 0).unwrap().1, 1);

    let (other, _) = new_folder(&mut client, &logon);
    let mut moving = request("ms-oxcfold", "4.5.1", 0x35);
    put_id(&mut moving, 6, folder_id);
    let moved = send(&mut client, &moving, &[source, other, other]);
    assert_eq!(moved.rops, response("ms-oxcfold", "4.5.2", 0x35));
    assert_eq!(client.hierarchy_table(source, 0).unwrap().1, 0);
    assert_eq!(client.hierarchy_table(other, 0).unwrap().1, 1);
}

#[test]
fn oxcfold_4_8_and_4_9_set_and_get_search_criteria() {
    let (mut client, logon) = ada();
    let (source, source_id) = new_folder(&mut client, &logon);
    let search = NewFolder {
        folder_type: 2,
        ..NewFolder::named("Search")
    };
    let search = client.create_folder_with(source, &search).unwrap().handle;
    // 4.8.1, laid out from MS-OXCROPS 2.2.4.4.1: messages that have a subject, in one folder.
    let restriction = [&[0x08][..], &0x0037_001F_u32.to_le_bytes()].concat();
    let setting = Rop::new(0x30, 1)
        .sized(&restriction)
        .u16(1)
        .u64(source_id)
        .u32(0x0000_0002);
    let answer = send(&mut client, setting.as_bytes(), &[source, search]);
    assert_eq!(answer.rops, response("ms-oxcfold", "4.8.2", 0x30));

    let getting = request("ms-oxcfold", "4.9.1", 0x31);
    let answer = send(&mut client, &getting, &[search]);
    // 4.9.2, laid out from MS-OXCROPS 2.2.4.5.2: the restriction, no folders, a search that has just
    // begun and is shallow, dynamic and done without an index.
    let state = 0x0800_0003_u32;
    let expected = [
        &[0x31, 0, 0, 0, 0, 0, 5, 0][..],
        &restriction,
        &[0, 0, 0],
        &state.to_le_bytes(),
    ];
    assert_eq!(answer.rops, expected.concat());
}

#[test]
fn oxctabl_4_list_a_folder_s_messages() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, message_id) = new_message(&mut client, folder, folder_id, "Hello World");
    let list = request("ms-oxctabl", "4.1.1", 0x05);
    let listed = send(&mut client, &list, &[folder, NO_HANDLE]);
    // 4.1.2, laid out from MS-OXCROPS 2.2.4.14.2.
    assert_eq!(listed.rops, [5, 1, 0, 0, 0, 0, 1, 0, 0, 0]);
    let table = listed.handles[1];

    let columns = request("ms-oxctabl", "4.2.1", 0x12);
    let set = send(&mut client, &columns, &[NO_HANDLE, table]);
    // MS-OXORULE prints what 4.2.2 should.
    assert_eq!(set.rops, response("ms-oxorule", "4.2.2", 0x12));

    // 4.3.1, laid out from MS-OXCROPS 2.2.5.2.1: by PidTagMessageDeliveryTime, the latest first.
    let sort = Rop::new(0x13, 1)
        .bytes(&[0, 1, 0, 0, 0, 0, 0, 0x40, 0, 6, 0x0E, 1])
        .as_bytes()
        .to_vec();
    let sorted = send(&mut client, &sort, &[NO_HANDLE, table]);
    assert_eq!(sorted.rops, response("ms-oxctabl", "4.3.2", 0x13));

    let query = request("ms-oxctabl", "4.5.3.1", 0x15);
    let rows = send(&mut client, &query, &[table]).rops;
    // As 4.5.3.2 begins: BOOKMARK_END. Then one row, flagged if it has no delivery time.
    let expected = response("ms-oxctabl", "4.5.3.2", 0x15);
    assert_eq!(rows[..7], expected[..7], "{rows:02x?}");
    assert_eq!(rows[7..9], [1, 0]);
    let (fid_at, mid_at) = if rows[9] == 0 { (10, 18) } else { (11, 20) };
    assert_eq!(id_at(&rows, fid_at), folder_id, "{rows:02x?}");
    assert_eq!(id_at(&rows, mid_at), message_id, "{rows:02x?}");
}

#[test]
fn oxctabl_4_5_2_sorts_by_category() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    new_message(&mut client, folder, folder_id, "Hello World");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let sort = request("ms-oxctabl", "4.5.2.1", 0x13);
    let sorted = send(&mut client, &sort, &[table]);
    // MS-OXCROPS 2.2.5.2.2.
    assert_eq!(sorted.rops, [0x13, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn oxcprpt_4_2_and_oxcmsg_4_8_set_properties_and_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    let set = request("ms-oxcprpt", "4.2.1", 0x0A);
    let done = send(&mut client, &set, &[message]);
    assert_eq!(done.rops, response("ms-oxcprpt", "4.2.2", 0x0A));

    let save = request("ms-oxcmsg", "4.8.1", 0x0C);
    let saved = send(&mut client, &save, &[folder, message]).rops;
    // 4.8.2, laid out from MS-OXCROPS 2.2.6.3.2.
    assert_eq!(saved[..7], [0x0C, 0, 0, 0, 0, 0, 1], "{saved:02x?}");
    assert_eq!(saved.len(), 15);
    let opened = client.open_message(logon.handle, folder_id, id_at(&saved, 7), 0);
    let opened = format!("{:?}", opened.unwrap());
    assert!(opened.contains("Hello World"), "{opened}");
}

#[test]
fn oxcprpt_4_1_and_4_3_name_and_get_properties() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "Hello World");
    // 4.1.1, laid out from MS-OXCROPS 2.2.8.1.1: two names, to be created.
    let mut names = Rop::new(0x56, 0).u8(2).u16(2);
    for name in ["TestProp1", "TestProp2"] {
        let size = u8::try_from(2 * (name.len() + 1)).unwrap();
        names = names.u8(1).bytes(&[0x5A; 16]).u8(size).utf16_z(name);
    }
    let named = send(&mut client, names.as_bytes(), &[message]).rops;
    assert_same_but(&named, &response("ms-oxcprpt", "4.1.2", 0x56), 8..12);

    let mut get = request("ms-oxcprpt", "4.3.1", 0x07);
    get[11..13].copy_from_slice(&named[8..10]);
    get[15..17].copy_from_slice(&named[10..12]);
    let got = send(&mut client, &get, &[message]).rops;
    // A flagged row (MS-OXCDATA 2.8.1.2): the two names have no values here, PidTagChangeKey has.
    let not_found = [0x0A, 0x0F, 0x01, 0x04, 0x80];
    assert_eq!(got[..7], [7, 0, 0, 0, 0, 0, 1], "{got:02x?}");
    assert_eq!(got[7..17], [not_found, not_found].concat(), "{got:02x?}");
    assert_eq!(got[17], 0, "{got:02x?}");
    assert_eq!(
        got.len(),
        20 + usize::from(u16::from_le_bytes([got[18], got[19]]))
    );
}

#[test]
fn oxcprpt_4_4_opens_a_stream_on_the_second_logon() {
    let (mut client, logon) = ada();
    let (_, folder_id) = new_folder(&mut client, &logon);
    let logon_again = logon_rop(1, 0x0100_0000, &shared().user_dn).logon_id(1);
    let second = send(&mut client, logon_again.as_bytes(), &[NO_HANDLE]);
    assert_eq!(second.rops[2..6], [0; 4], "{:02x?}", second.rops);
    // RopCreateMessage and RopSetProperties on that logon, so that the property is there.
    let create = Rop::new(0x06, 0)
        .u8(1)
        .u16(0x0FFF)
        .u64(folder_id)
        .u8(0)
        .logon_id(1);
    let created = send(
        &mut client,
        create.as_bytes(),
        &[second.handles[0], NO_HANDLE],
    );
    assert_eq!(created.rops[2..6], [0; 4], "{:02x?}", created.rops);
    let message = created.handles[1];
    let set = Rop::new(0x0A, 0)
        .u16(11)
        .u16(1)
        .u32(0x0E9A_0102)
        .sized(b"abc")
        .logon_id(1);
    let done = send(&mut client, set.as_bytes(), &[message]);
    assert_eq!(done.rops, response("ms-oxcprpt", "4.2.2", 0x0A));

    let open = request("ms-oxcprpt", "4.4.1.1", 0x2B);
    let opened = send(&mut client, &open, &[message, NO_HANDLE]);
    // 4.4.1.2, laid out from MS-OXCROPS 2.2.9.1.2: three bytes are there.
    assert_eq!(opened.rops, [0x2B, 1, 0, 0, 0, 0, 3, 0, 0, 0]);
    assert_ne!(opened.handles[1], NO_HANDLE);
}

#[test]
fn oxorule_4_2_list_the_rules_of_a_folder() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let ids = [0x3F, 0x12, 0x15];
    let rops = ids.map(|id| request("ms-oxorule", "4.2.1", id));
    let answer = send(&mut client, &rops.concat(), &[folder, NO_HANDLE]).rops;
    // RopQueryRows with no row, and the cursor at the end (MS-OXCROPS 2.2.5.4.2).
    let expected = [
        response("ms-oxorule", "4.2.2", 0x3F),
        response("ms-oxorule", "4.2.2", 0x12),
        vec![0x15, 1, 0, 0, 0, 0, 2, 0, 0],
    ];
    assert_eq!(answer, expected.concat());
}
