//! The members of a conversation: RopGetContentsTable with ConversationMembers
//! (MS-OXCFOLD 2.2.1.14.1, MS-OXCTABL 3.1.4.6).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Value},
    fixture::{ada, code, fails, new_folder, tag, text},
};
use ropewalk_wire::restriction::{RelOp, Restriction};

use crate::fixture::property;

const CONVERSATION_MEMBERS: u8 = 0x80;
const CONVERSATION_TOPIC: u32 = 0x0070_001F;
const CONVERSATION_ID: u32 = 0x3013_0102;

fn add(client: &mut Client, folder: Handle, folder_id: u64, topic: &str) -> u64 {
    let message = client.create_message(folder, folder_id).unwrap();
    let props = [
        (CONVERSATION_TOPIC, text(topic)),
        (tag::SUBJECT, text(topic)),
    ];
    client.set_props(message, &props).unwrap();
    let id = client.save_message(message).unwrap();
    client.release(message).unwrap();
    id
}

/// PidTagConversationId of a message.
fn conversation(client: &mut Client, logon: &Logon, folder_id: u64, id: u64) -> Vec<u8> {
    let message = client.open_message(logon.handle, folder_id, id, 0).unwrap();
    let props = client
        .get_props(message.handle, &[CONVERSATION_ID])
        .unwrap();
    client.release(message.handle).unwrap();
    props.binary(0).to_vec()
}

fn is_in(id: &[u8]) -> Restriction {
    property(RelOp::EQUAL, CONVERSATION_ID, Value::Binary(id.to_vec()))
}

fn members(client: &mut Client, table: Handle) -> Vec<(u64, u64)> {
    client.seek_row(table, 0, 0, false).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::MID, tag::FOLDER_ID])
        .unwrap();
    let mut found: Vec<(u64, u64)> = rows.iter().map(|row| (row.id(0), row.id(1))).collect();
    found.sort_unstable();
    found
}

#[test]
fn members_are_found_in_all_folders_and_come_and_go() {
    let (mut client, logon) = ada();
    let (one, one_id) = new_folder(&mut client, &logon);
    let (other, other_id) = new_folder(&mut client, &logon);
    let topic = "the members of a conversation";
    let first = add(&mut client, one, one_id, topic);
    add(&mut client, one, one_id, "something else");
    let second = add(&mut client, other, other_id, &topic.to_uppercase());
    let id = conversation(&mut client, &logon, one_id, first);

    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let (table, _) = client.contents_table(root, CONVERSATION_MEMBERS).unwrap();
    client
        .set_columns(table, &[tag::MID, tag::FOLDER_ID])
        .unwrap();
    assert_eq!(members(&mut client, table), []);
    client.restrict(table, Some(&is_in(&id))).unwrap();
    let both = [(first, one_id), (second, other_id)];
    assert_eq!(members(&mut client, table), both);

    let third = add(&mut client, other, other_id, topic);
    let all = [(first, one_id), (second, other_id), (third, other_id)];
    assert_eq!(members(&mut client, table), all);
    client
        .delete_messages(one, &[first])
        .expect("RopDeleteMessages");
    assert_eq!(members(&mut client, table), all[1..]);

    // What else the restriction asks for holds as well.
    let also = Restriction::And(vec![
        is_in(&id),
        Restriction::Exist {
            prop_tag: PropTag(0x0042_001F),
        },
    ]);
    client.restrict(table, Some(&also)).unwrap();
    assert_eq!(members(&mut client, table), []);
    client.restrict(table, None).unwrap();
    assert_eq!(members(&mut client, table), []);
}

/// What the server keeps of a conversation between looks does not hide what became of its messages.
#[test]
fn what_members_are_like_is_never_of_an_earlier_look() {
    let (mut client, logon) = ada();
    let (one, one_id) = new_folder(&mut client, &logon);
    let topic = "kept between looks";
    let first = add(&mut client, one, one_id, topic);
    let id = conversation(&mut client, &logon, one_id, first);
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let look = |client: &mut Client| {
        let (table, _) = client.contents_table(root, CONVERSATION_MEMBERS).unwrap();
        let columns = [tag::MID, tag::SUBJECT, tag::MESSAGE_FLAGS];
        client.set_columns(table, &columns).unwrap();
        let restricted = client.restrict(table, Some(&is_in(&id)));
        let rows = restricted.map(|_| client.query_all_rows(table, &columns).unwrap());
        client.release(table).unwrap();
        rows
    };
    let now = look(&mut client).unwrap();
    assert_eq!(look(&mut client).unwrap(), now, "nothing happened");

    let message = client
        .open_message(logon.handle, one_id, first, 1)
        .unwrap()
        .handle;
    let subject = [(tag::SUBJECT, text("another subject"))];
    client.set_props(message, &subject).unwrap();
    client.save_message(message).unwrap();
    client.release(message).unwrap();
    let renamed = look(&mut client).unwrap();
    assert_eq!(renamed[0].text(1), "another subject");

    const MSGFLAG_READ: i32 = 1;
    let was_read = renamed[0].int(2) & MSGFLAG_READ;
    let flags = if was_read == 0 { 0 } else { 4 };
    client.set_read_flags(one, &[first], flags).unwrap();
    let flagged = look(&mut client).unwrap();
    assert_ne!(flagged[0].int(2) & MSGFLAG_READ, was_read);

    client.delete_messages(one, &[first]).unwrap();
    fails(look(&mut client), 0x0000_0496);
}

// MS-OXCTABL 3.2.5.4.
#[test]
fn a_conversation_that_nobody_took_part_in_is_not_found() {
    const CONVERSATION_NOT_FOUND: u32 = 0x0000_0496;
    let (mut client, logon) = ada();
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let (table, count) = client.contents_table(root, CONVERSATION_MEMBERS).unwrap();
    assert_eq!(count, 0);
    fails(
        client.restrict(table, Some(&is_in(&[0xEE; 16]))),
        CONVERSATION_NOT_FOUND,
    );
    // In a folder's own table it just shows no rows.
    let (folder, _) = new_folder(&mut client, &logon);
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.restrict(table, Some(&is_in(&[0xEE; 16]))).unwrap();
}

// MS-OXCFOLD 3.2.5.14.
#[test]
fn members_are_asked_for_at_the_root_without_other_flags() {
    let (mut client, logon) = ada();
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    for others in [0x01, 0x02, 0x04, 0x10, 0x20] {
        fails(
            client.contents_table(root, CONVERSATION_MEMBERS | others),
            code::INVALID_PARAMETER,
        );
    }
    client
        .contents_table(root, CONVERSATION_MEMBERS | 0x48)
        .unwrap();
    let (folder, _) = new_folder(&mut client, &logon);
    fails(
        client.contents_table(folder, CONVERSATION_MEMBERS),
        code::INVALID_PARAMETER,
    );
}
