//! The properties of a logon that are not to be set (MS-OXCSTOR 2.2.2.1.1 and 2.2.2.2).

use ropewalk_props::{PropTag, PropType};
use ropewalk_tests::{
    client::{Cells as _, NO_HANDLE, Value, logon_rop},
    fixture::{ada, code, tag, text},
};

const USER_ENTRY_ID: u32 = 0x6619_0102;
const ADDRESS_BOOK_MESSAGE_ID: u32 = 0x674F_0014;

/// ecComputed (MS-OXCDATA 2.4).
const COMPUTED: u32 = 0x8004_011A;

/// 2.2.2.1.1.1 to 2.2.2.1.1.14, without the locales that are to be set, and what else the server alone
/// sets (MS-OXCPRPT 2.2.1).
const READ_ONLY: [u32; 21] = [
    0x0E9B_0003, // PidTagExtendedRuleSizeLimit
    0x666D_0003, // PidTagMaximumSubmitMessageSize
    0x666A_0003, // PidTagProhibitReceiveQuota
    0x666E_0003, // PidTagProhibitSendQuota
    0x340E_0003, // PidTagStoreState
    tag::CONTENT_COUNT,
    0x661B_0102, // PidTagMailboxOwnerEntryId
    tag::MAILBOX_OWNER_NAME,
    tag::MESSAGE_SIZE,
    0x0E08_0014, // PidTagMessageSizeExtended
    USER_ENTRY_ID,
    0x66C3_0003, // PidTagCodePageId
    0x6638_0102, // PidTagSerializedReplidGuidMap
    tag::ACCESS,
    tag::ACCESS_LEVEL,
    tag::MAPPING_SIGNATURE,
    tag::RECORD_KEY,
    tag::STORE_RECORD_KEY,
    tag::ENTRY_ID,
    tag::STORE_ENTRY_ID,
    tag::OBJECT_TYPE,
];

fn value(tag: u32) -> Value {
    match PropTag(tag).ty() {
        PropType::INTEGER32 => Value::Integer32(7),
        PropType::INTEGER64 => Value::Integer64(7),
        PropType::BINARY => Value::Binary(vec![7; 16]),
        PropType::STRING => text("seven"),
        other => panic!("{other:?}"),
    }
}

// MS-OXCPRPT 3.2.5.4, 3.2.5.5: a problem for each of them, and what else is asked for is done.
#[test]
fn each_read_only_property_is_a_problem_of_its_own() {
    let (mut client, logon) = ada();
    let before = client.get_props(logon.handle, &READ_ONLY).unwrap();
    let mut values: Vec<_> = READ_ONLY.iter().map(|tag| (*tag, value(*tag))).collect();
    values.insert(3, (tag::COMMENT, text("each_read_only_property")));
    let tags: Vec<u32> = values.iter().map(|(tag, _)| *tag).collect();
    let expected: Vec<_> = tags
        .iter()
        .enumerate()
        .filter(|(_, tag)| **tag != tag::COMMENT)
        .map(|(index, tag)| (index as u16, *tag, COMPUTED))
        .collect();
    let told = |problems: Vec<ropewalk_tests::client::Problem>| -> Vec<_> {
        let all = problems.into_iter();
        all.map(|problem| (problem.index, problem.tag, problem.code))
            .collect()
    };
    let problems = client.try_set_props(logon.handle, &values).unwrap();
    assert_eq!(told(problems), expected);
    let row = client.get_props(logon.handle, &[tag::COMMENT]).unwrap();
    assert_eq!(row.text(0), "each_read_only_property");
    let problems = client.delete_props(logon.handle, &tags).unwrap();
    assert_eq!(told(problems), expected);
    let row = client.get_props(logon.handle, &[tag::COMMENT]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    // Another type is the same property.
    let other_type = (0x340E_0014, Value::Integer64(7));
    let problems = client.try_set_props(logon.handle, &[other_type]).unwrap();
    assert_eq!(told(problems), [(0, 0x340E_0014, COMPUTED)]);
    let after = client.get_props(logon.handle, &READ_ONLY).unwrap();
    // What other tests do at the time counts in its size, and their searches in its state.
    for at in (0..READ_ONLY.len()).filter(|at| !matches!(at, 4 | 5 | 8 | 9)) {
        assert_eq!(
            format!("{:?}", after.cells[at]),
            format!("{:?}", before.cells[at]),
            "{:#010x}",
            READ_ONLY[at]
        );
    }
}

// 2.2.2.2: who is logged on is told by the public store too, and it has no offline address book.
#[test]
fn a_logon_to_the_public_store_has_properties_of_its_own() {
    let (mut client, logon) = ada();
    let answer = client
        .rop(&logon_rop(0, 2, "").logon_id(1), &[NO_HANDLE])
        .unwrap();
    let public = answer.handle(0).unwrap();
    let own = client.get_props(logon.handle, &[USER_ENTRY_ID]).unwrap();
    let rop = ropewalk_tests::client::Rop::new(0x07, 0)
        .logon_id(1)
        .u16(0)
        .u16(1)
        .tags(&[USER_ENTRY_ID, ADDRESS_BOOK_MESSAGE_ID]);
    let answer = client.rop(&rop, &[public]).unwrap();
    let row = answer
        .read(|input| {
            ropewalk_tests::client::take_row(input, &[USER_ENTRY_ID, ADDRESS_BOOK_MESSAGE_ID])
        })
        .unwrap();
    assert_eq!(row.binary(0), own.binary(0));
    assert_eq!(row.error(1), code::NOT_FOUND);
}
