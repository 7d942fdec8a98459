use proptest::prelude::*;
use ropewalk_props::{FileTime, Guid, PropTag, PropType, PropValue, Utf16Text};

use super::*;
use crate::{EncodeError, Reader};

const FORMS: [Form; 3] = [Form::Rop, Form::Extended, Form::AddressBook];

fn put(value: &PropValue, form: Form) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    with_packed(value, |value| put_value(&mut out, form, value)).map(|()| out)
}

/// A value and its bytes in ROP buffers, extended rules and address book bodies (MS-OXCDATA 2.11.1,
/// MS-OXORULE 2.2.4, MS-OXCMAPIHTTP 2.2.1.1); `None` where it has no form.
fn examples() -> Vec<(PropValue, [Option<&'static [u8]>; 3])> {
    let same = |value, bytes: &'static [u8]| (value, [Some(bytes); 3]);
    let marked = |value, plain: &'static [u8], marked: &'static [u8]| {
        (value, [Some(plain), Some(plain), Some(marked)])
    };
    vec![
        same(PropValue::Null, b""),
        same(PropValue::Integer16(-2), b"\xFE\xFF"),
        same(PropValue::Integer32(-2), b"\xFE\xFF\xFF\xFF"),
        same(PropValue::Floating32(1.0), b"\0\0\x80\x3F"),
        same(PropValue::Floating64(1.0), b"\0\0\0\0\0\0\xF0\x3F"),
        same(PropValue::Currency(1), b"\x01\0\0\0\0\0\0\0"),
        same(PropValue::FloatingTime(1.0), b"\0\0\0\0\0\0\xF0\x3F"),
        same(PropValue::ErrorCode(0x8004_010F), b"\x0F\x01\x04\x80"),
        same(PropValue::Boolean(true), b"\x01"),
        same(PropValue::Integer64(2), b"\x02\0\0\0\0\0\0\0"),
        same(PropValue::Time(FileTime(3)), b"\x03\0\0\0\0\0\0\0"),
        same(PropValue::Guid(Guid([7; 16])), &[7; 16]),
        marked(
            PropValue::String("Hi".into()),
            b"H\0i\0\0\0",
            b"\xFFH\0i\0\0\0",
        ),
        marked(PropValue::String8(b"Hi".to_vec()), b"Hi\0", b"\xFFHi\0"),
        (
            PropValue::Binary(vec![1, 2]),
            [
                Some(b"\x02\0\x01\x02"),
                Some(b"\x02\0\0\0\x01\x02"),
                Some(b"\xFF\x02\0\0\0\x01\x02"),
            ],
        ),
        (
            PropValue::ServerId(vec![1]),
            [Some(b"\x01\0\x01"), Some(b"\x01\0\0\0\x01"), None],
        ),
        (
            PropValue::Restriction(b"\x08\x1F\0\x37\0".to_vec()),
            [Some(b"\x08\x1F\0\x37\0"), None, None],
        ),
        (
            PropValue::RuleAction(b"\x01\0\x01\0\x0A".to_vec()),
            [Some(b"\x01\0\x01\0\x0A"), None, None],
        ),
        (PropValue::Object(vec![]), [None, None, Some(b"")]),
        marked(
            PropValue::MultipleInteger16(vec![1, 2]),
            b"\x02\0\0\0\x01\0\x02\0",
            b"\xFF\x02\0\0\0\x01\0\x02\0",
        ),
        marked(
            PropValue::MultipleInteger32(vec![1]),
            b"\x01\0\0\0\x01\0\0\0",
            b"\xFF\x01\0\0\0\x01\0\0\0",
        ),
        marked(
            PropValue::MultipleString(vec!["a".into(), "".into()]),
            b"\x02\0\0\0a\0\0\0\0\0",
            b"\xFF\x02\0\0\0\xFFa\0\0\0\xFF\0\0",
        ),
        marked(
            PropValue::MultipleString8(vec![b"a".to_vec()]),
            b"\x01\0\0\0a\0",
            b"\xFF\x01\0\0\0\xFFa\0",
        ),
        (
            PropValue::MultipleBinary(vec![vec![1], vec![]]),
            [
                Some(b"\x02\0\0\0\x01\0\x01\0\0"),
                Some(b"\x02\0\0\0\x01\0\0\0\x01\0\0\0\0"),
                Some(b"\xFF\x02\0\0\0\xFF\x01\0\0\0\x01\xFF\0\0\0\0"),
            ],
        ),
    ]
}

#[test]
fn every_type_has_its_bytes_in_every_form() {
    for (value, forms) in examples() {
        for (form, bytes) in FORMS.into_iter().zip(forms) {
            let Some(bytes) = bytes else {
                assert!(put(&value, form).is_err(), "{value:?} {form:?}");
                continue;
            };
            assert_eq!(put(&value, form).unwrap(), bytes, "{value:?} {form:?}");
            let mut input = Reader::new(bytes);
            let taken = take_value(&mut input, form, value.ty());
            assert_eq!(taken.as_ref(), Ok(&value), "{form:?}");
            assert!(input.is_empty());
            let mut input = Reader::new(bytes);
            skip_value(&mut input, form, value.ty()).unwrap();
            assert!(input.is_empty(), "{value:?} {form:?}");
        }
    }
}

#[test]
fn a_value_cut_short_is_an_error() {
    for (value, forms) in examples() {
        for (form, bytes) in FORMS.into_iter().zip(forms) {
            let bytes = bytes.unwrap_or_default();
            for len in 0..bytes.len() {
                let mut input = Reader::new(&bytes[..len]);
                let taken = take_value(&mut input, form, value.ty());
                assert!(taken.is_err(), "{value:?} {form:?} cut to {len}");
                assert!(skip_value(&mut Reader::new(&bytes[..len]), form, value.ty()).is_err());
            }
        }
    }
}

#[test]
fn a_value_is_no_longer_than_value_len_says() {
    for (value, _) in examples() {
        for form in FORMS {
            if let Ok(bytes) = put(&value, form) {
                let most = with_packed(&value, |value| value_len(form, value));
                assert!(bytes.len() <= most, "{value:?} {form:?}");
            }
        }
    }
}

#[test]
fn an_absent_value_of_an_address_book_reads_as_an_empty_one() {
    let take = |ty| take_value(&mut Reader::new(&[0]), Form::AddressBook, ty);
    assert_eq!(take(PropType::STRING), Ok(PropValue::text("")));
    assert_eq!(take(PropType::BINARY), Ok(PropValue::Binary(vec![])));
    assert_eq!(
        take(PropType::MULTIPLE_STRING),
        Ok(PropValue::MultipleString(vec![]))
    );
    // Any value but zero says that there is one.
    let marked = take_value(
        &mut Reader::new(b"\x07a\0\0\0"),
        Form::AddressBook,
        PropType::STRING,
    );
    assert_eq!(marked, Ok(PropValue::text("a")));
}

/// MS-OXCTABL 2.2.2.2.1: a column with the MultivalueInstance bit has one value per row.
#[test]
fn a_multi_value_instance_is_one_value() {
    let instance = PropType(0x301F);
    assert_eq!(cell_type(instance), PropType::STRING);
    let taken = take_value(&mut Reader::new(b"a\0\0\0"), Form::Rop, instance);
    assert_eq!(taken, Ok(PropValue::text("a")));
}

#[test]
fn counts_are_not_believed() {
    let many = [0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3];
    for ty in [
        PropType::MULTIPLE_INTEGER64,
        PropType::MULTIPLE_STRING,
        PropType::MULTIPLE_BINARY,
        PropType::MULTIPLE_GUID,
    ] {
        assert!(take_value(&mut Reader::new(&many), Form::Rop, ty).is_err());
        assert!(skip_value(&mut Reader::new(&many), Form::Rop, ty).is_err());
    }
}

#[test]
fn a_string_ends_at_its_first_nul_when_it_is_sent() {
    let value = PropValue::String8(b"a\0b".to_vec());
    assert_eq!(put(&value, Form::Rop).unwrap(), b"a\0");
}

#[test]
fn values_that_do_not_fit_their_form_are_refused() {
    let long = PropValue::Binary(vec![0; 0x1_0000]);
    assert!(matches!(
        put(&long, Form::Rop),
        Err(EncodeError::TooLong { len: 0x1_0000, .. })
    ));
    assert!(put(&long, Form::AddressBook).is_ok());
    let mut out = Vec::new();
    let odd = ropewalk_props::ValueRef {
        ty: PropType::INTEGER32,
        data: &[1],
    };
    assert_eq!(
        put_value(&mut out, Form::Rop, odd),
        Err(EncodeError::Packed(PropType::INTEGER32))
    );
    let tag = PropTag(0x0037_001F);
    assert!(put_tagged_value(&mut out, Form::Rop, tag, odd).is_err());
}

#[test]
fn typed_strings_say_their_form() {
    use crate::codec::Wire;
    // MS-OXCDATA 2.11.7.
    let examples: [(TypedString<'_>, &[u8]); 5] = [
        (TypedString::None, b"\0"),
        (TypedString::Empty, b"\x01"),
        (TypedString::String8(b"Hi"), b"\x02Hi\0"),
        (TypedString::Reduced(b"Hi"), b"\x03Hi\0"),
        (TypedString::Unicode(b"H\0"), b"\x04H\0\0\0"),
    ];
    for (text, bytes) in examples {
        assert_eq!(TypedString::decode(&mut Reader::new(bytes)), Ok(text));
        let mut out = Vec::new();
        text.encode(&mut out).unwrap();
        assert_eq!(out, bytes);
    }
    assert!(TypedString::decode(&mut Reader::new(&[5])).is_err());
    assert_eq!(TypedString::unicode(b""), TypedString::Empty);
}

fn any_value() -> impl Strategy<Value = PropValue> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    let text = || ".{0,10}".prop_map(|text: String| Utf16Text::from(text));
    let text8 = || prop::collection::vec(1u8.., 0..10);
    prop_oneof![
        any::<i16>().prop_map(PropValue::Integer16),
        any::<i32>().prop_map(PropValue::Integer32),
        any::<i64>().prop_map(PropValue::Integer64),
        any::<f64>().prop_map(PropValue::Floating64),
        any::<bool>().prop_map(PropValue::Boolean),
        bytes().prop_map(PropValue::Binary),
        text().prop_map(PropValue::String),
        text8().prop_map(PropValue::String8),
        prop::collection::vec(any::<i32>(), 0..5).prop_map(PropValue::MultipleInteger32),
        prop::collection::vec(text(), 0..5).prop_map(PropValue::MultipleString),
        prop::collection::vec(text8(), 0..5).prop_map(PropValue::MultipleString8),
        prop::collection::vec(bytes(), 0..5).prop_map(PropValue::MultipleBinary),
    ]
}

proptest! {
    #[test]
    fn values_round_trip_in_every_form(value in any_value(), form in 0usize..3) {
        let form = FORMS[form];
        let bytes = put(&value, form).unwrap();
        let mut input = Reader::new(&bytes);
        prop_assert_eq!(take_value(&mut input, form, value.ty()), Ok(value));
        prop_assert!(input.is_empty());
    }

    #[test]
    fn any_bytes_of_any_type_are_read_or_refused_and_skipped_alike(
        ty in prop_oneof![any::<u16>(), 0u16..0x50, 0x1000u16..0x1050, Just(0x102), Just(0x1102)],
        bytes in prop::collection::vec(any::<u8>(), 0..60),
        form in 0usize..3,
    ) {
        let (ty, form) = (PropType(ty), FORMS[form]);
        let (mut taken, mut skipped) = (Reader::new(&bytes), Reader::new(&bytes));
        let value = take_value(&mut taken, form, ty);
        let skip = skip_value(&mut skipped, form, ty);
        prop_assert_eq!(value.is_ok(), skip.is_ok());
        if value.is_ok() {
            prop_assert_eq!(taken.position(), skipped.position());
        }
    }
}
