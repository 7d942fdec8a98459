//! Restrictions that are put together of others (MS-OXCDATA 2.12.1 to 2.12.3, 2.12.11, 2.12.12), and
//! what is none.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Rop, Value},
    fixture::{ada, tag},
};
use ropewalk_wire::{restriction::Restriction, value::TaggedPropertyValue};

use super::{TOO_COMPLEX, left, not};
use crate::fixture::{messages, subject_is};

// MS-OXCDATA 2.12.1 to 2.12.3.
#[test]
fn restrictions_are_put_together() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a", "b", "c"]);
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    let (and, or) = (Restriction::And, Restriction::Or);
    let is = subject_is;
    let mut deep = is("b");
    for _ in 0..30 {
        deep = not(not(deep));
    }
    for (restriction, wanted) in [
        (and(vec![]), "abc"),
        (or(vec![]), ""),
        (not(and(vec![])), ""),
        (not(or(vec![])), "abc"),
        (or(vec![is("a"), is("c"), is("x")]), "ac"),
        (and(vec![not(is("a")), not(is("b"))]), "c"),
        (and(vec![or(vec![is("a"), is("b")]), not(is("a"))]), "b"),
        (deep, "b"),
        (
            Restriction::Comment {
                tagged_values: vec![],
                restriction: None,
            },
            "abc",
        ),
        (
            not(Restriction::Comment {
                tagged_values: vec![TaggedPropertyValue {
                    tag: PropTag(0x0001_0003),
                    value: Value::Integer32(9),
                }],
                restriction: Some(Box::new(is("a"))),
            }),
            "bc",
        ),
        (
            Restriction::Count {
                count: 0,
                sub_restriction: Box::new(not(is("a"))),
            },
            "",
        ),
        (
            Restriction::Count {
                count: 1,
                sub_restriction: Box::new(not(is("a"))),
            },
            "b",
        ),
        (
            Restriction::Count {
                count: u32::MAX,
                sub_restriction: Box::new(not(is("a"))),
            },
            "bc",
        ),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
    // The first ones as the table has them.
    client.sort_table(table, &[(tag::SUBJECT, 1)]).unwrap();
    let first = Restriction::Count {
        count: 2,
        sub_restriction: Box::new(and(vec![])),
    };
    assert_eq!(left(&mut client, table, &first), "cb");
}

// 3.2.5.4: bytes that are no restriction, in each of their forms.
#[test]
fn what_is_no_restriction_is_refused() {
    let (mut client, logon) = ada();
    let (_, table) = messages(&mut client, &logon, &["a"]);
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    let mut nested = vec![0x02; 300];
    nested.extend([0x08, 0x1F, 0x00, 0x37, 0x00]);
    let bad: [&[u8]; 8] = [
        &[0x0C],
        &[0xFF],
        &[0x02],
        &[0x00, 1, 0],
        &[0x01, 0xFF, 0xFF],
        &[0x0A, 1],
        &[0x0B, 1, 0, 0, 0],
        &nested,
    ];
    for data in bad {
        for rop in [
            Rop::new(0x14, 0).u8(0).sized(data),
            Rop::new(0x4F, 0).u8(0).sized(data).u8(0).sized(&[]),
        ] {
            let code = client.rop(&rop, &[table]).unwrap_err().code();
            assert!([0x8007_0057, TOO_COMPLEX].contains(&code), "{code:#x}");
        }
    }
    assert_eq!(client.query_position(table).unwrap(), (0, 1));
}
