//! Restrictions on bits, sizes and pairs of properties (MS-OXCDATA 2.12.6 to 2.12.8).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Error, Value},
    fixture::{ada, new_folder, new_message, tag, text},
};
use ropewalk_wire::restriction::{RelOp, Restriction};

use super::{TOO_COMPLEX, content, exist, left, sorted_table, within};
use crate::fixture::property;

// MS-OXCDATA 2.12.6 to 2.12.8.
#[test]
fn bits_sizes_and_pairs() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    const BITS: u32 = 0x6920_0003;
    const OTHER: u32 = 0x6921_0003;
    const NAME: u32 = 0x6922_001F;
    const BYTES: u32 = 0x6923_0102;
    for (subject, bits, other, name, bytes) in [
        ("a", 0, 1, "x", 0),
        ("b", 5, 5, "xyz", 300),
        ("c", i32::MIN, 0, "", 9000),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let props = [
            (BITS, Value::Integer32(bits)),
            (OTHER, Value::Integer32(other)),
            (NAME, text(name)),
            (BYTES, Value::Binary(vec![7; bytes])),
        ];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap();
    }
    new_message(&mut client, folder, folder_id, "n");
    let table = sorted_table(&mut client, folder);
    let bits = |bitmap_rel_op, mask| Restriction::BitMask {
        bitmap_rel_op,
        prop_tag: PropTag(BITS),
        mask,
    };
    let size = |rel_op, tag, size| Restriction::Size {
        rel_op,
        prop_tag: PropTag(tag),
        size,
    };
    let pair = |rel_op, left, right| Restriction::CompareProperties {
        rel_op,
        prop_tag1: PropTag(left),
        prop_tag2: PropTag(right),
    };
    for (restriction, wanted) in [
        (bits(0, 1), "ac"),
        (bits(1, 1), "b"),
        (bits(1, 0x8000_0004), "bc"),
        (bits(0, 0), "abc"),
        (bits(1, 0), ""),
        // The terminator counts: what is sent (2.11.1).
        (size(RelOp::EQUAL, NAME, 4), "a"),
        (size(RelOp::GREATER_THAN, NAME, 2), "ab"),
        (size(RelOp::LESS_THAN_OR_EQUAL, BYTES, 300), "ab"),
        (size(RelOp::GREATER_THAN, BYTES, 8999), "c"),
        (size(RelOp::EQUAL, BITS, 4), "abc"),
        (pair(RelOp::EQUAL, BITS, OTHER), "b"),
        (pair(RelOp::LESS_THAN, BITS, OTHER), "ac"),
        (pair(RelOp::NOT_EQUAL, BITS, OTHER), "ac"),
        (pair(RelOp::GREATER_THAN_OR_EQUAL, tag::SUBJECT, NAME), "c"),
        (pair(RelOp::EQUAL, BITS, 0x6999_0003), ""),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
    // Left to the server, and not to be passed over in silence: operators and pairs without a meaning.
    for restriction in [
        bits(2, 1),
        pair(RelOp::EQUAL, BITS, NAME),
        // 2.12.6.1: single-valued, and booleans are equal or not.
        pair(RelOp::EQUAL, 0x6924_101F, 0x6925_101F),
        pair(RelOp::LESS_THAN, 0x6926_000B, 0x6927_000B),
        // 2.12.4.1: no list is compared with another.
        property(RelOp::EQUAL, 0x6928_1003, Value::MultipleInteger32(vec![1])),
        size(RelOp(6), BYTES, 1),
        property(RelOp::MEMBER_OF_DL, BITS, Value::Integer32(1)),
        Restriction::BitMask {
            bitmap_rel_op: 0,
            prop_tag: PropTag(NAME),
            mask: 1,
        },
        within(0x0E99_000D, exist(BITS)),
        content(3, 0, tag::SUBJECT, tag::SUBJECT, text("a")),
        content(0, 0, BITS, BITS, Value::Integer32(1)),
    ] {
        let result = client.restrict(table, Some(&restriction));
        match result {
            Err(Error::Rop { code, .. }) => assert_eq!(code, TOO_COMPLEX, "{restriction:?}"),
            other => panic!("{restriction:?}: {other:?}"),
        }
    }
}

// MS-OXCDATA 2.12.8.1: of several values it is the size of one of them.
#[test]
fn each_of_several_values_has_a_size() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    const WORDS: u32 = 0x6929_101F;
    const NUMBERS: u32 = 0x692A_1003;
    for (subject, words, numbers) in [
        ("a", &["one", "three"][..], &[1][..]),
        ("b", &["four"], &[1, 2, 3]),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let words = words.iter().map(|word| (*word).into()).collect();
        let props = [
            (WORDS, Value::MultipleString(words)),
            (NUMBERS, Value::MultipleInteger32(numbers.to_vec())),
        ];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap();
    }
    let table = sorted_table(&mut client, folder);
    for (rel_op, tag, size, wanted) in [
        (RelOp::EQUAL, WORDS, 8, "a"),
        (RelOp::EQUAL, WORDS, 10, "b"),
        (RelOp::EQUAL, WORDS, 12, "a"),
        (RelOp::GREATER_THAN, WORDS, 12, ""),
        (RelOp::LESS_THAN, WORDS, 9, "a"),
        // In the 8-bit form.
        (RelOp::EQUAL, 0x6929_101E, 5, "b"),
        (RelOp::EQUAL, 0x6929_101E, 6, "a"),
        (RelOp::EQUAL, NUMBERS, 4, "ab"),
        (RelOp::NOT_EQUAL, NUMBERS, 4, ""),
    ] {
        let restriction = Restriction::Size {
            rel_op,
            prop_tag: PropTag(tag),
            size,
        };
        let found = left(&mut client, table, &restriction);
        assert_eq!(found, wanted, "{restriction:?}");
    }
    // Of a row that shows one of them it is the size of that one.
    const ROWS: u32 = WORDS | 0x2000;
    client.set_columns(table, &[tag::SUBJECT, ROWS]).unwrap();
    let restriction = Restriction::Size {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(ROWS),
        size: 12,
    };
    client.restrict(table, Some(&restriction)).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 1));
}
