//! The rules of folders (MS-OXORULE 3.2.5).

use ropewalk_props::{PropTag, PropValue, tags};
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value, restriction_bytes, tagged_values},
    fixture::{self, ADA, PASSWORD, ada, code, fails, log_on, new_folder, tag, text},
    server::{TestServer, add_user},
};
use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

const RULE_ID: u32 = tags::PID_TAG_RULE_ID.0;
const SEQUENCE: u32 = tags::PID_TAG_RULE_SEQUENCE.0;
const STATE: u32 = tags::PID_TAG_RULE_STATE.0;
const NAME: u32 = tags::PID_TAG_RULE_NAME.0;
const PROVIDER: u32 = tags::PID_TAG_RULE_PROVIDER.0;
const PROVIDER_DATA: u32 = tags::PID_TAG_RULE_PROVIDER_DATA.0;
const CONDITION: u32 = tags::PID_TAG_RULE_CONDITION.0;
const ACTIONS: u32 = tags::PID_TAG_RULE_ACTIONS.0;
const HAS_RULES: u32 = tags::PID_TAG_HAS_RULES.0;

const ADD: u8 = 1;
const MODIFY: u8 = 2;
const REMOVE: u8 = 4;

/// OP_MARK_AS_READ.
const MARK_AS_READ: [u8; 13] = [1, 0, 9, 0, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0];

fn condition() -> Vec<u8> {
    let subject = Restriction::Content {
        fuzzy_level_low: 1,
        fuzzy_level_high: 1,
        property_tag: PropTag(tag::SUBJECT),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::SUBJECT),
            value: text("rope"),
        },
    };
    restriction_bytes(Some(&subject))
}

fn rule(name: &str, sequence: i32) -> Vec<(u32, Value)> {
    vec![
        (SEQUENCE, Value::Integer32(sequence)),
        (STATE, Value::Integer32(1)),
        (NAME, text(name)),
        (PROVIDER, text("RuleOrganizer")),
        (CONDITION, Value::Restriction(condition())),
        (ACTIONS, Value::RuleAction(MARK_AS_READ.to_vec())),
    ]
}

/// RopModifyRules with as many RuleData structures.
fn modify(
    client: &mut Client,
    folder: Handle,
    flags: u8,
    rules: &[(u8, &[(u32, Value)])],
) -> ropewalk_tests::client::Result<()> {
    let mut rop = Rop::new(0x41, 0)
        .u8(flags)
        .u16(u16::try_from(rules.len()).unwrap());
    for (flags, props) in rules {
        rop = rop.u8(*flags).bytes(&tagged_values(props));
    }
    client.rop(&rop, &[folder])?.read(|_| Ok(()))
}

fn table(client: &mut Client, folder: Handle, flags: u8) -> ropewalk_tests::client::Result<Handle> {
    let rop = Rop::new(0x3F, 0).u8(1).u8(flags);
    client.rop(&rop, &[folder, u32::MAX])?.handle(1)
}

/// PidTagRuleId and PidTagRuleName of all rules.
fn all(client: &mut Client, folder: Handle) -> Vec<(u64, String)> {
    let table = table(client, folder, 0x40).unwrap();
    client.set_columns(table, &[RULE_ID, NAME]).unwrap();
    let rows = client.query_all_rows(table, &[RULE_ID, NAME]).unwrap();
    client.release(table).unwrap();
    rows.iter().map(|row| (row.id(0), row.text(1))).collect()
}

fn names(client: &mut Client, folder: Handle) -> Vec<String> {
    let rules = all(client, folder);
    rules.into_iter().map(|(_, name)| name).collect()
}

fn has_rules(client: &mut Client, folder: Handle) -> bool {
    client.get_props(folder, &[HAS_RULES]).unwrap().flag(0)
}

#[test]
fn rules_are_added_changed_removed_and_replaced() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    assert!(!has_rules(&mut client, folder));
    assert_eq!(names(&mut client, folder), <[String; 0]>::default());
    let opened = client.rop(
        &Rop::new(0x02, 0).u8(1).u64(folder_id).u8(0),
        &[logon.handle, u32::MAX],
    );
    assert_eq!(opened.unwrap().read(Reader::u16).unwrap(), 0);

    let (last, first) = (rule("last", 20), rule("first", 10));
    modify(&mut client, folder, 0, &[(ADD, &last), (ADD, &first)]).unwrap();
    assert!(has_rules(&mut client, folder));
    assert_eq!(names(&mut client, folder), ["first", "last"]);
    let opened = client.rop(
        &Rop::new(0x02, 0).u8(1).u64(folder_id).u8(0),
        &[logon.handle, u32::MAX],
    );
    assert_eq!(opened.unwrap().read(Reader::u16).unwrap(), 1);

    let rules = all(&mut client, folder);
    assert_ne!(rules[0].0, rules[1].0);
    let id = |at: usize| (RULE_ID, Value::Integer64(rules[at].0 as i64));
    let renamed = [
        id(0),
        (NAME, text("now the last")),
        (SEQUENCE, Value::Integer32(30)),
    ];
    modify(&mut client, folder, 0, &[(MODIFY, &renamed)]).unwrap();
    assert_eq!(names(&mut client, folder), ["last", "now the last"]);
    modify(&mut client, folder, 0, &[(REMOVE, &[id(1)])]).unwrap();
    assert_eq!(names(&mut client, folder), ["now the last"]);
    modify(&mut client, folder, 1, &[(ADD, &rule("alone", 1))]).unwrap();
    assert_eq!(names(&mut client, folder), ["alone"]);
    modify(&mut client, folder, 1, &[]).unwrap();
    assert!(!has_rules(&mut client, folder));
}

#[test]
fn a_rule_comes_back_as_it_went() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    // More than a cell of another table holds.
    let data: Vec<u8> = (0..2_000).map(|n| n as u8).collect();
    let mut props = rule("whole", 1);
    props.push((PROVIDER_DATA, Value::Binary(data.clone())));
    modify(&mut client, folder, 0, &[(ADD, &props)]).unwrap();
    let table = table(&mut client, folder, 0x40).unwrap();
    let columns = [SEQUENCE, STATE, PROVIDER, CONDITION, ACTIONS, PROVIDER_DATA];
    client.set_columns(table, &columns).unwrap();
    let rows = client.query_all_rows(table, &columns).unwrap();
    let [row] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!((row.int(0), row.int(1)), (1, 1));
    assert_eq!(row.text(2), "RuleOrganizer");
    assert_eq!(*row.value(3), PropValue::Restriction(condition()));
    assert_eq!(*row.value(4), PropValue::RuleAction(MARK_AS_READ.to_vec()));
    assert_eq!(row.binary(5), data);
    // It is no property of the folder.
    let row = client.get_props(folder, &[0x3FE1_0102]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
}

#[test]
fn a_rules_table_can_be_searched_and_restricted_but_not_sorted() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let rules: Vec<_> = (0..5).map(|n| rule(&format!("rule {n}"), n)).collect();
    let adds: Vec<(u8, &[_])> = rules.iter().map(|rule| (ADD, &rule[..])).collect();
    modify(&mut client, folder, 0, &adds).unwrap();
    let table = table(&mut client, folder, 0x40).unwrap();
    client.set_columns(table, &[NAME]).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 5));
    let sequence = |rel_op, value| Restriction::Property {
        rel_op,
        prop_tag: PropTag(SEQUENCE),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(SEQUENCE),
            value: Value::Integer32(value),
        },
    };
    let found = client
        .find_row(table, &[NAME], &sequence(RelOp::EQUAL, 3), false, 0)
        .unwrap();
    assert_eq!(found.row.unwrap().text(0), "rule 3");
    client
        .restrict(table, Some(&sequence(RelOp::LESS_THAN, 2)))
        .unwrap();
    let rows = client.query_all_rows(table, &[NAME]).unwrap();
    assert_eq!(rows.len(), 2);
    fails(client.sort_table(table, &[(NAME, 0)]), code::NOT_SUPPORTED);
    // A table shows what another handle changes.
    client.restrict(table, None).unwrap();
    modify(&mut client, folder, 0, &[(ADD, &rule("rule 9", 9))]).unwrap();
    assert_eq!(client.query_position(table).unwrap().1, 6);
}

#[test]
fn what_is_no_rule_is_refused_and_changes_nothing() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    modify(&mut client, folder, 0, &[(ADD, &rule("kept", 1))]).unwrap();
    let good = rule("good", 2);
    let without = |tag: u32| -> Vec<(u32, Value)> {
        let rest = good.iter().filter(|(known, _)| *known != tag);
        rest.cloned().collect()
    };
    let with = |tag: u32, value: Value| {
        let mut props = good.clone();
        props.push((tag, value));
        props
    };
    let unknown_id = (RULE_ID, Value::Integer64(0x7777));
    let invalid: [(u8, Vec<(u32, Value)>); 9] = [
        (ADD, without(PROVIDER)),
        (ADD, without(CONDITION)),
        (ADD, without(ACTIONS)),
        (ADD, Vec::new()),
        (ADD, with(tag::SUBJECT, text("no property of a rule"))),
        (ADD, with(SEQUENCE & 0xFFFF_0000 | 0x1F, text("no number"))),
        (MODIFY, without(RULE_ID)),
        (0, good.clone()),
        (ADD | REMOVE, good.clone()),
    ];
    for (flags, props) in &invalid {
        fails(
            modify(&mut client, folder, 0, &[(ADD, &good), (*flags, props)]),
            code::INVALID_PARAMETER,
        );
    }
    for flags in [MODIFY, REMOVE] {
        fails(
            modify(
                &mut client,
                folder,
                0,
                &[(ADD, &good), (flags, std::slice::from_ref(&unknown_id))],
            ),
            code::NOT_FOUND,
        );
    }
    for flags in [0x02, 0x80, 0xFF] {
        fails(
            modify(&mut client, folder, flags, &[(ADD, &good)]),
            code::INVALID_PARAMETER,
        );
    }
    fails(
        modify(&mut client, folder, 1, &[(REMOVE, &[unknown_id])]),
        code::INVALID_PARAMETER,
    );
    assert_eq!(names(&mut client, folder), ["kept"]);
    for flags in [0x01, 0x02, 0x20, 0x80] {
        fails(table(&mut client, folder, flags), code::NOT_SUPPORTED);
    }
    fails(
        modify(&mut client, logon.handle, 0, &[(ADD, &good)]),
        code::NOT_SUPPORTED,
    );
    fails(table(&mut client, logon.handle, 0), code::NOT_SUPPORTED);
}

// MS-OXORULE 2.2.1.3.1.3, 2.2.5.1, 3.2.5.2: incorrect data is an error, but for the bits of the state
// that are the server's: they are ignored.
#[test]
fn actions_are_looked_at_and_the_state_of_the_server_is_its_own() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let with = |tag: u32, value: Value| {
        let mut props = rule("one", 1);
        props.retain(|(known, _)| *known != tag);
        props.push((tag, value));
        props
    };
    let block = |kind: u8, data: &[u8]| {
        let len = u8::try_from(9 + data.len()).unwrap();
        [&[1, 0, len, 0, kind], &[0; 8][..], data].concat()
    };
    for bad in [
        vec![0, 0],
        block(0x00, &[]),
        block(0x0C, &[]),
        block(0x06, &[1, 0, 0, 0]),
        block(0x03, &[0; 31]),
        block(0x0A, &[1]),
        vec![1, 0, 1, 0, 0x0A],
    ] {
        let props = with(ACTIONS, Value::RuleAction(bad));
        let added = modify(&mut client, folder, 0, &[(ADD, &props)]);
        fails(added, code::INVALID_PARAMETER);
    }
    assert!(!has_rules(&mut client, folder));
    let good = [
        block(0x06, &[0x26, 0, 0, 0]),
        block(0x05, b"a sound"),
        block(0x0A, &[]),
        block(0x03, &[9; 32]),
    ];
    for good in good {
        let props = with(ACTIONS, Value::RuleAction(good));
        modify(&mut client, folder, 0, &[(ADD, &props)]).unwrap();
    }
    let props = with(STATE, Value::Integer32(0x43));
    modify(&mut client, folder, 1, &[(ADD, &props)]).unwrap();
    let states = |client: &mut Client| {
        let table = table(client, folder, 0).unwrap();
        let rows = client.query_all_rows(table, &[STATE, RULE_ID]).unwrap();
        assert_eq!(rows.len(), 1);
        (rows[0].int(0), rows[0].id(1))
    };
    let (state, id) = states(&mut client);
    assert_eq!(state, 0x01);
    let change = [
        (RULE_ID, Value::Integer64(id as i64)),
        (STATE, Value::Integer32(0x52)),
    ];
    modify(&mut client, folder, 0, &[(MODIFY, &change)]).unwrap();
    assert_eq!(states(&mut client), (0x10, id));
}

// MS-OXORULE 2.2.5.1: nothing is moved, copied or left to a client by a public folder's rule.
#[test]
fn a_public_folder_has_no_rules_that_move_messages() {
    let (mut client, _) = ada();
    let public = client.public_logon().unwrap();
    let subtree = client
        .open_folder(public.handle, public.ipm_subtree())
        .unwrap();
    let folder = client.create_folder(subtree, "ruled").unwrap().handle;
    let with = |actions: &[u8]| {
        let mut rule = rule("one", 1);
        rule.retain(|(tag, _)| *tag != ACTIONS);
        rule.push((ACTIONS, Value::RuleAction(actions.to_vec())));
        rule
    };
    let move_to = [1, 0, 14, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    let result = modify(&mut client, folder, 0, &[(ADD, &with(&move_to))]);
    fails(result, code::INVALID_PARAMETER);
    modify(&mut client, folder, 0, &[(ADD, &with(&MARK_AS_READ))]).unwrap();
    assert_eq!(names(&mut client, folder), ["one"]);
}

#[test]
fn a_folder_has_so_many_rules_and_no_more() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let mut big = rule("big", 1);
    big.push((PROVIDER_DATA, Value::Binary(vec![7; 30_000])));
    let added = (0..40)
        .map(|_| modify(&mut client, folder, 0, &[(ADD, &big)]))
        .take_while(Result::is_ok);
    assert_eq!(added.count(), 8);
    // Those in excess are kept (3.2.5.2), though not without end.
    for _ in 0..20 {
        fails(modify(&mut client, folder, 0, &[(ADD, &big)]), code::MEMORY);
    }
    assert_eq!(all(&mut client, folder).len(), 17);
    modify(&mut client, folder, 1, &[(ADD, &rule("alone", 1))]).unwrap();
    assert_eq!(names(&mut client, folder), ["alone"]);
}

#[test]
fn rules_outlast_the_server_and_go_along_with_a_copy_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = TestServer::start_in(dir.path(), &[]);
    add_user(dir.path(), ADA, "Ada", PASSWORD);
    let dn = fixture::legacy_dn(dir.path(), ADA);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    modify(&mut client, folder, 0, &[(ADD, &rule("to stay", 1))]).unwrap();
    let before = all(&mut client, folder);
    server.stop();
    let mut server = TestServer::start_in(dir.path(), &[]);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    assert_eq!(all(&mut client, folder), before);
    assert!(has_rules(&mut client, folder));

    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    client
        .copy_folder(inbox, inbox, folder_id, "copy", false)
        .unwrap();
    let (hierarchy, _) = client.hierarchy_table(inbox, 0).unwrap();
    let columns = [tag::FOLDER_ID, tag::DISPLAY_NAME];
    client.set_columns(hierarchy, &columns).unwrap();
    let rows = client.query_all_rows(hierarchy, &columns).unwrap();
    let copy = rows.iter().find(|row| row.text(1) == "copy").unwrap();
    let copy = client.open_folder(logon.handle, copy.id(0)).unwrap();
    assert_eq!(names(&mut client, copy), ["to stay"]);
    server.stop();
}

// MS-OXORULE 3.2.5.1.
#[test]
fn deferred_action_messages_get_the_entry_id_of_the_client() {
    const ORIGINAL: u32 = tags::PID_TAG_DEFERRED_ACTION_MESSAGE_ORIGINAL_ENTRY_ID.0;
    const DAM_ENTRY_ID: u32 = tags::PID_TAG_DAM_ORIGINAL_ENTRY_ID.0;
    const BACK_PATCHED: u32 = tags::PID_TAG_DAM_BACK_PATCHED.0;
    let (mut client, logon) = ada();
    let folder_id = logon.folder_ids[1];
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    let mut dam = |about: &[u8]| {
        let message = client.create_message(folder, folder_id).unwrap();
        let props = [(ORIGINAL, Value::ServerId(about.to_vec()))];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap()
    };
    let (wanted, other) = (dam(&[1; 21]), dam(&[2; 21]));
    let update = Rop::new(0x57, 0).sized(&[1; 21]).sized(b"the client's");
    client
        .rop(&update, &[logon.handle])
        .unwrap()
        .read(|_| Ok(()))
        .unwrap();
    let mut read = |id: u64| {
        let message = client.open_message(logon.handle, folder_id, id, 0).unwrap();
        client
            .get_props(message.handle, &[DAM_ENTRY_ID, BACK_PATCHED])
            .unwrap()
    };
    let row = read(wanted);
    assert_eq!(row.binary(0), b"the client's");
    assert!(row.flag(1));
    assert_eq!(read(other).error(0), code::NOT_FOUND);
    fails(client.rop(&update, &[folder]), code::NOT_SUPPORTED);
}

// MS-OXORULE 2.2.2.1 and MS-OXCDATA 2.11.1.2: who does not want Unicode gets the code page of his session.
#[test]
fn strings_in_conditions_and_actions_are_in_the_code_page_of_the_session() {
    const PRIVET: &[u8] = b"\xCF\xF0\xE8\xE2\xE5\xF2";
    const KOI8: &[u8] = b"\xF0\xD2\xC9\xD7\xC5\xD4";
    const UNICODE: u8 = 0x40;
    let narrow = |tag: u32| tag & 0xFFFF_0000 | 0x001E;
    let condition = |tag: u32, value: Value| {
        let subject = Restriction::Content {
            fuzzy_level_low: 1,
            fuzzy_level_high: 1,
            property_tag: PropTag(tag),
            tagged_value: TaggedPropertyValue {
                tag: PropTag(tag),
                value,
            },
        };
        Value::Restriction(restriction_bytes(Some(&Restriction::Not(Box::new(
            subject,
        )))))
    };
    // OP_TAG, and OP_FORWARD to one recipient with two properties.
    let actions = |tag: u32, text: &Value| {
        let value = tagged_values(&[(tag, text.clone())]).split_off(2);
        let kind = tagged_values(&[(tag::RECIPIENT_TYPE, Value::Integer32(1))]).split_off(2);
        let forward = [&[1, 0, 1, 2, 0][..], &kind, &value].concat();
        let block = |kind: u8, data: &[u8]| {
            let len = u16::try_from(9 + data.len()).unwrap().to_le_bytes();
            // Forwarding keeps the sender.
            let flavor = u8::from(kind == 7);
            [&len[..], &[kind, flavor, 0, 0, 0, 2, 0, 0, 0], data].concat()
        };
        let blocks = [block(9, &value), block(7, &forward), block(0x0B, &[])];
        Value::RuleAction([&[3, 0][..], &blocks.concat()].concat())
    };
    let said = |page: u32, folder_id: u64, flags: u8| {
        let (mut client, logon) = connect_in(page);
        let folder = client.open_folder(logon.handle, folder_id).unwrap();
        let table = table(&mut client, folder, flags).unwrap();
        let columns = [CONDITION, ACTIONS, narrow(NAME), NAME];
        let rows = client.query_all_rows(table, &columns).unwrap();
        let row = &rows[0];
        assert_eq!(row.text(3), "Привет");
        [0, 1, 2].map(|at| row.value(at).clone())
    };
    let (mut client, logon) = connect_in(1251);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let text8 = Value::String8(PRIVET.to_vec());
    let subject8 = narrow(tag::SUBJECT);
    let rule = [
        (SEQUENCE, Value::Integer32(1)),
        (STATE, Value::Integer32(1)),
        (narrow(NAME), text8.clone()),
        (narrow(PROVIDER), Value::String8(b"RuleOrganizer".to_vec())),
        (CONDITION, condition(subject8, text8.clone())),
        (ACTIONS, actions(subject8, &text8)),
    ];
    modify(&mut client, folder, 0, &[(ADD, &rule)]).unwrap();
    let wide = text("Привет");
    let koi8 = Value::String8(KOI8.to_vec());
    for (page, narrow) in [(1251, &text8), (20866, &koi8)] {
        let expected = [
            condition(subject8, narrow.clone()),
            actions(subject8, narrow),
            narrow.clone(),
        ];
        assert_eq!(said(page, folder_id, 0), expected, "{page}");
        let expected = [
            condition(tag::SUBJECT, wide.clone()),
            actions(tag::SUBJECT, &wide),
            narrow.clone(),
        ];
        assert_eq!(said(page, folder_id, UNICODE), expected, "{page}");
    }
}

/// A session of [`ADA`] with this DefaultCodePage.
fn connect_in(page: u32) -> (Client, ropewalk_tests::client::Logon) {
    let shared = fixture::shared();
    let mut client = Client::new(shared.server.http(), ADA, PASSWORD, &shared.user_dn);
    client.code_page = page;
    client.send_connect().unwrap();
    let logon = client.logon().unwrap();
    (client, logon)
}
