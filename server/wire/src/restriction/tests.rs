use proptest::prelude::*;

use super::*;

const SUBJECT: PropTag = PropTag(0x0037_001F);
const ID: PropTag = PropTag(0x674E_0003);

fn text(text: &str) -> TaggedPropertyValue {
    TaggedPropertyValue {
        tag: SUBJECT,
        value: PropValue::text(text),
    }
}

fn number(value: i32) -> TaggedPropertyValue {
    TaggedPropertyValue {
        tag: ID,
        value: PropValue::Integer32(value),
    }
}

fn exist() -> Restriction {
    Restriction::Exist { prop_tag: SUBJECT }
}

/// Every kind, with its bytes in ROP buffers (MS-OXCDATA 2.12).
fn examples() -> Vec<(Restriction, &'static [u8])> {
    vec![
        (
            Restriction::And(vec![exist(), exist()]),
            b"\0\x02\0\x08\x1F\0\x37\0\x08\x1F\0\x37\0",
        ),
        (Restriction::Or(vec![]), b"\x01\0\0"),
        (Restriction::Not(Box::new(exist())), b"\x02\x08\x1F\0\x37\0"),
        (
            Restriction::Content {
                fuzzy_level_low: 1,
                fuzzy_level_high: 2,
                property_tag: SUBJECT,
                tagged_value: text("a"),
            },
            b"\x03\x01\0\x02\0\x1F\0\x37\0\x1F\0\x37\0a\0\0\0",
        ),
        (
            Restriction::Property {
                rel_op: RelOp::EQUAL,
                prop_tag: ID,
                tagged_value: number(7),
            },
            b"\x04\x04\x03\0\x4E\x67\x03\0\x4E\x67\x07\0\0\0",
        ),
        (
            Restriction::CompareProperties {
                rel_op: RelOp::LESS_THAN,
                prop_tag1: ID,
                prop_tag2: SUBJECT,
            },
            b"\x05\0\x03\0\x4E\x67\x1F\0\x37\0",
        ),
        (
            Restriction::BitMask {
                bitmap_rel_op: 1,
                prop_tag: ID,
                mask: 0x10,
            },
            b"\x06\x01\x03\0\x4E\x67\x10\0\0\0",
        ),
        (
            Restriction::Size {
                rel_op: RelOp::GREATER_THAN,
                prop_tag: SUBJECT,
                size: 0x100,
            },
            b"\x07\x02\x1F\0\x37\0\0\x01\0\0",
        ),
        (exist(), b"\x08\x1F\0\x37\0"),
        (
            Restriction::SubObject {
                subobject: PropTag(0x0E12_000D),
                restriction: Box::new(exist()),
            },
            b"\x09\x0D\0\x12\x0E\x08\x1F\0\x37\0",
        ),
        (
            Restriction::Comment {
                tagged_values: vec![number(7)],
                restriction: Some(Box::new(exist())),
            },
            b"\x0A\x01\x03\0\x4E\x67\x07\0\0\0\x01\x08\x1F\0\x37\0",
        ),
        (
            Restriction::Comment {
                tagged_values: vec![],
                restriction: None,
            },
            b"\x0A\0\0",
        ),
        (
            Restriction::Count {
                count: 5,
                sub_restriction: Box::new(exist()),
            },
            b"\x0B\x05\0\0\0\x08\x1F\0\x37\0",
        ),
    ]
}

fn encoded(restriction: &Restriction, form: Form) -> Vec<u8> {
    let mut out = Vec::new();
    restriction.encode(&mut out, form).unwrap();
    out
}

#[test]
fn every_kind_has_its_bytes() {
    for (restriction, bytes) in examples() {
        assert_eq!(
            Restriction::from_bytes(bytes, Form::Rop),
            Ok(restriction.clone())
        );
        assert_eq!(encoded(&restriction, Form::Rop), bytes);
        let mut input = Reader::new(bytes);
        skip(&mut input, Form::Rop).unwrap();
        assert!(input.is_empty());
        for len in 0..bytes.len() {
            assert!(Restriction::from_bytes(&bytes[..len], Form::Rop).is_err());
            assert!(skip(&mut Reader::new(&bytes[..len]), Form::Rop).is_err());
        }
    }
}

#[test]
fn every_kind_round_trips_in_the_other_forms() {
    for (restriction, _) in examples() {
        for form in [Form::Extended, Form::AddressBook] {
            let bytes = encoded(&restriction, form);
            assert_eq!(
                Restriction::from_bytes(&bytes, form),
                Ok(restriction.clone())
            );
        }
    }
    let and = Restriction::And(vec![]);
    assert_eq!(encoded(&and, Form::Extended), [0, 0, 0, 0, 0]);
}

#[test]
fn bytes_after_a_restriction_and_unknown_kinds_are_refused() {
    assert_eq!(
        Restriction::from_bytes(b"\x08\x1F\0\x37\0\0", Form::Rop),
        Err(DecodeError::TrailingBytes(1))
    );
    let unknown = Err(DecodeError::Value {
        field: "RestrictType",
        value: 0x0C,
    });
    assert_eq!(Restriction::from_bytes(&[0x0C], Form::Rop), unknown);
}

#[test]
fn nesting_is_read_to_its_limit_and_no_further() {
    let nested = |levels: usize| {
        let mut bytes = vec![0x02; levels - 1];
        bytes.extend(b"\x08\x1F\0\x37\0");
        bytes
    };
    assert!(Restriction::from_bytes(&nested(DEPTH_MAX), Form::Rop).is_ok());
    let deep = nested(DEPTH_MAX + 1);
    let refused = DecodeError::TooDeep(DEPTH_MAX);
    assert_eq!(
        Restriction::from_bytes(&deep, Form::Rop),
        Err(refused.clone())
    );
    assert_eq!(skip(&mut Reader::new(&deep), Form::Rop), Err(refused));
}

#[test]
fn nodes_are_read_to_their_limit_and_no_further() {
    let wide = |count: usize| {
        let mut bytes = vec![0x00];
        bytes.extend(u16::try_from(count).unwrap().to_le_bytes());
        bytes.extend(b"\x01\0\0".repeat(count));
        bytes
    };
    assert!(Restriction::from_bytes(&wide(NODES_MAX - 1), Form::Rop).is_ok());
    let refused = DecodeError::TooMany(NODES_MAX);
    let bytes = wide(NODES_MAX);
    assert_eq!(
        Restriction::from_bytes(&bytes, Form::Rop),
        Err(refused.clone())
    );
    assert_eq!(skip(&mut Reader::new(&bytes), Form::Rop), Err(refused));
}

#[test]
fn a_value_that_is_a_restriction_is_refused() {
    let bytes = b"\x04\x04\xFD\0\x79\x66\xFD\0\x79\x66\x08\x1F\0\x37\0";
    assert_eq!(
        Restriction::from_bytes(bytes, Form::Rop),
        Err(DecodeError::PropertyType(0x00FD))
    );
}

/// Some clients write a HasValue byte before the value of an address book restriction.
#[test]
fn an_address_book_value_may_be_marked() {
    let plain = Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: ID,
        tagged_value: number(7),
    };
    let marked = b"\x04\x04\x03\0\x4E\x67\xFF\x03\0\x4E\x67\x07\0\0\0";
    assert_eq!(
        Restriction::from_bytes(marked, Form::AddressBook),
        Ok(plain)
    );
    let absent = b"\x04\x04\x03\0\x4E\x67\0";
    assert!(matches!(
        Restriction::from_bytes(absent, Form::AddressBook),
        Ok(Restriction::Property {
            tagged_value: TaggedPropertyValue {
                value: PropValue::Null,
                ..
            },
            ..
        })
    ));
}

fn any_restriction() -> impl Strategy<Value = Restriction> {
    let leaf = prop::sample::select(examples()).prop_map(|(restriction, _)| restriction);
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Restriction::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Restriction::Or),
            inner
                .clone()
                .prop_map(|inner| Restriction::Not(Box::new(inner))),
            inner.prop_map(|inner| Restriction::Count {
                count: 1,
                sub_restriction: Box::new(inner),
            }),
        ]
    })
}

proptest! {
    #[test]
    fn restrictions_round_trip(restriction in any_restriction(), form in 0usize..3) {
        let form = [Form::Rop, Form::Extended, Form::AddressBook][form];
        let bytes = encoded(&restriction, form);
        prop_assert_eq!(Restriction::from_bytes(&bytes, form), Ok(restriction));
    }

    #[test]
    fn any_bytes_are_read_and_skipped_alike(
        bytes in prop::collection::vec(prop_oneof![0u8..12, any::<u8>()], 0..80),
        form in 0usize..3,
    ) {
        let form = [Form::Rop, Form::Extended, Form::AddressBook][form];
        let (mut taken, mut skipped) = (Reader::new(&bytes), Reader::new(&bytes));
        let restriction = Restriction::decode(&mut taken, form);
        let skip = skip(&mut skipped, form);
        prop_assert_eq!(restriction.is_ok(), skip.is_ok());
        if restriction.is_ok() {
            prop_assert_eq!(taken.position(), skipped.position());
        }
    }
}
