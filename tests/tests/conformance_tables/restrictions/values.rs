//! Restrictions on the value of a property (MS-OXCDATA 2.12.5, 2.12.9).

use ropewalk_props::{FileTime, Guid};
use ropewalk_tests::{
    client::Value,
    fixture::{ada, new_folder, new_message, text},
};
use ropewalk_wire::restriction::RelOp;

use super::{exist, left, not, property_of, sorted_table};
use crate::fixture::property;

const OPERATORS: [RelOp; 6] = [
    RelOp::LESS_THAN,
    RelOp::LESS_THAN_OR_EQUAL,
    RelOp::GREATER_THAN,
    RelOp::GREATER_THAN_OR_EQUAL,
    RelOp::EQUAL,
    RelOp::NOT_EQUAL,
];

// MS-OXCDATA 2.12.5.1: every operator for every type that has an order, and what has no such property.
#[test]
fn values_of_each_type_compare() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let time = |ticks| Value::Time(FileTime(ticks));
    let guid = |last| {
        let mut bytes = [9; 16];
        bytes[15] = last;
        Value::Guid(Guid(bytes))
    };
    // Smaller, the constant, larger.
    let triples: Vec<(u32, [Value; 3])> = vec![
        (0x6901_0002, [-300, 7, 300].map(Value::Integer16)),
        (0x6902_0003, [i32::MIN, -1, i32::MAX].map(Value::Integer32)),
        (0x6903_0004, [-1.5, 0.25, 3e9].map(Value::Floating32)),
        (0x6904_0005, [-1e300, 0.0, 1e-300].map(Value::Floating64)),
        (0x6905_0006, [-70_000, 0, 1 << 40].map(Value::Currency)),
        (0x6906_0007, [1.0, 1.5, 40_000.0].map(Value::FloatingTime)),
        (
            0x6908_0014,
            [i64::MIN, 1 << 33, i64::MAX].map(Value::Integer64),
        ),
        (0x6909_001F, ["Able", "baker", "Charlie"].map(text)),
        (0x690A_0040, [1, 1 << 40, 1 << 60].map(time)),
        (0x690B_0048, [1, 2, 3].map(guid)),
        (
            0x690C_0102,
            [&[1, 2][..], &[1, 2, 0], &[1, 3]].map(|bytes| Value::Binary(bytes.to_vec())),
        ),
    ];
    for (at, subject) in ["s", "e", "l"].into_iter().enumerate() {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let props: Vec<_> = (triples.iter())
            .map(|(tag, values)| (*tag, values[at].clone()))
            .collect();
        client.set_props(message, &props).unwrap();
        let flag = (0x6907_000B, Value::Boolean(at == 2));
        client.set_props(message, &[flag]).unwrap();
        client.save_message(message).unwrap();
    }
    new_message(&mut client, folder, folder_id, "without");
    let table = sorted_table(&mut client, folder);
    for (tag, [_, constant, _]) in &triples {
        for (operator, wanted) in OPERATORS.into_iter().zip(["s", "es", "l", "el", "e", "ls"]) {
            let restriction = property(operator, *tag, constant.clone());
            assert_eq!(
                left(&mut client, table, &restriction),
                wanted,
                "{restriction:?}"
            );
        }
        let is_there = exist(*tag);
        assert_eq!(left(&mut client, table, &is_there), "els");
        assert_eq!(left(&mut client, table, &not(is_there)), "without");
        // What is not there does not compare, and that is denied like anything else.
        let equal = property(RelOp::EQUAL, *tag, constant.clone());
        assert_eq!(left(&mut client, table, &not(equal)), "lswithout");
        // The property has the type that it is asked for in.
        let other = property_of(RelOp::EQUAL, (tag & 0xFFFF_0000) | 0x1003, 0x0001_0003, {
            Value::Integer32(1)
        });
        assert_eq!(left(&mut client, table, &other), "");
    }
    let flag = |value| property(RelOp::EQUAL, 0x6907_000B, Value::Boolean(value));
    assert_eq!(left(&mut client, table, &flag(true)), "l");
    assert_eq!(left(&mut client, table, &flag(false)), "es");
}
