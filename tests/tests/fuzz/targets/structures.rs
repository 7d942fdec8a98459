//! Structures of MS-OXCDATA.

use ropewalk_props::PropTag;
use ropewalk_wire::{
    Reader,
    codec::Wire,
    entry_id::EntryId,
    property_name::PropertyNameRef,
    recipient::RecipientRow,
    restriction::{self, Restriction},
    row::{PropertyRow, skip_row},
    sort::SortOrderSet,
    value::{Form, TaggedPropertyValue, skip_value},
};

use super::{check_again, rops::COLUMNS, text};

macro_rules! wire_checks {
    ($($check:ident $name:ident;)*) => {$(
        pub fn $check(bytes: &[u8]) -> bool {
            let (mut input, mut skipped) = (Reader::new(bytes), Reader::new(bytes));
            let skip = $name::skip(&mut skipped);
            let Ok(value) = $name::decode(&mut input) else {
                assert!(skip.is_err());
                return false;
            };
            assert_eq!(skip, Ok(()));
            assert_eq!(skipped.position(), input.position());
            check_again(&value, Wire::encode, |bytes| {
                let mut input = Reader::new(bytes);
                let value = $name::decode(&mut input)?;
                Ok((format!("{value:?}"), input.position()))
            })
        }
    )*};
}
wire_checks! {
    check_sort_orders SortOrderSet;
    check_property_name PropertyNameRef;
}

/// The first byte of an input says which form the rest is in.
const FORMS: [Form; 3] = [Form::Rop, Form::Extended, Form::AddressBook];

fn form(bytes: &[u8]) -> Option<(Form, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    Some((FORMS[usize::from(*first) % FORMS.len()], rest))
}

fn in_every_form(inputs: &[&[u8]]) -> Vec<Vec<u8>> {
    inputs
        .iter()
        .flat_map(|input| (0..3u8).map(move |form| [&[form][..], input].concat()))
        .collect()
}

const VALUES: [&[u8]; 12] = [
    b"\x03\0\x76\x66\x0a\0\0\0",
    b"\x02\0\x76\x66\x0a\0",
    b"\x0B\0\x76\x66\x01",
    b"\x14\0\x76\x66\x0a\0\0\0\0\0\0\0",
    b"\x1F\0\x37\0H\0i\0\0\0",
    b"\x1E\0\x37\0Hi\0",
    b"\x02\x01\xE2\x65\x02\0\xAA\xBB",
    b"\x1F\x10\x37\0\x02\0\0\0H\0\0\0\0\0",
    b"\x02\x11\xE2\x65\x01\0\0\0\x02\0\xAA\xBB",
    b"\x03\x10\xE2\x65\x02\0\0\0\x01\0\0\0\x02\0\0\0",
    b"\xFD\0\x79\x66\x08\x1F\0\x37\0",
    b"\xFE\0\x80\x66\x01\0\x09\0\x0A\0\0\0\0\0\0\0\0",
];

pub fn values() -> Vec<Vec<u8>> {
    in_every_form(&VALUES)
}

pub fn check_value(bytes: &[u8]) -> bool {
    let Some((form, bytes)) = form(bytes) else {
        return false;
    };
    let mut skipped = Reader::new(bytes);
    let skip = skipped
        .u32()
        .and_then(|tag| skip_value(&mut skipped, form, PropTag(tag).ty()));
    let mut input = Reader::new(bytes);
    let Ok(value) = TaggedPropertyValue::take(&mut input, form) else {
        assert!(skip.is_err());
        return false;
    };
    assert_eq!(skip, Ok(()));
    assert_eq!(skipped.position(), input.position());
    check_again(
        &value,
        |value, out| value.put(out, form),
        |bytes| text(bytes, |input| TaggedPropertyValue::take(input, form)),
    )
}

pub fn restrictions() -> Vec<Vec<u8>> {
    let content = b"\x03\x01\0\x01\0\x1F\0\x37\0\x1F\0\x37\0a\0b\0c\0\0\0";
    let property = b"\x04\x04\x03\0\x4E\x67\x03\0\x4E\x67\x07\0\0\0";
    let exist = b"\x08\x1F\0\x37\0";
    let and = [&b"\0\x02\0"[..], content, property].concat();
    let wide_and = [&b"\0\x02\0\0\0"[..], content, property].concat();
    let not = [&b"\x02"[..], &and].concat();
    let sub_object = [&b"\x09\x0D\0\x12\x0E"[..], exist].concat();
    let comment = [&b"\x0A\x01\x03\0\x4E\x67\x07\0\0\0\x01"[..], exist].concat();
    let count = [&b"\x0B\x05\0\0\0"[..], exist].concat();
    let mask = b"\x06\x01\x03\0\x07\x0E\x01\0\0\0";
    in_every_form(&[
        content,
        property,
        exist,
        &and,
        &wide_and,
        &not,
        &sub_object,
        &comment,
        &count,
        mask,
    ])
}

pub fn check_restriction(bytes: &[u8]) -> bool {
    let Some((form, bytes)) = form(bytes) else {
        return false;
    };
    let mut skipped = Reader::new(bytes);
    let skip = restriction::skip(&mut skipped, form);
    let mut input = Reader::new(bytes);
    let Ok(restriction) = Restriction::decode(&mut input, form) else {
        assert!(skip.is_err());
        return false;
    };
    assert_eq!(skip, Ok(()));
    assert_eq!(skipped.position(), input.position());
    check_again(
        &restriction,
        |restriction, out| restriction.encode(out, form),
        |bytes| text(bytes, |input| Restriction::decode(input, form)),
    )
}

pub fn property_rows() -> Vec<Vec<u8>> {
    let standard = b"\0\x07\0\0\0H\0i\0\0\0\x0B\0\x01\x02\0\xAA\xBBH\0\0\0";
    let flagged = b"\x01\0\x07\0\0\0\x0A\x0F\x01\x04\x80\x0B\0\0\x01\x01\0H\0\0\0";
    in_every_form(&[standard, flagged])
}

pub fn check_property_row(bytes: &[u8]) -> bool {
    let Some((form, bytes)) = form(bytes) else {
        return false;
    };
    let columns = || COLUMNS.into_iter();
    let mut skipped = Reader::new(bytes);
    let skip = skip_row(&mut skipped, form, columns());
    let mut input = Reader::new(bytes);
    let Ok(row) = PropertyRow::decode(&mut input, form, columns()) else {
        assert!(skip.is_err());
        return false;
    };
    assert_eq!(skip, Ok(()));
    assert_eq!(skipped.position(), input.position());
    check_again(
        &row,
        |row, out| row.encode(out, form, &COLUMNS),
        |bytes| text(bytes, |input| PropertyRow::decode(input, form, columns())),
    )
}

pub fn recipient_rows() -> Vec<Vec<u8>> {
    [
        &b"\x1B\x02b\0@\0x\0\0\0B\0o\0b\0\0\0\x01\0\0\x02\0\0\0"[..],
        b"\x51\x02\x00\x00/o=a/cn=u\0B\0\0\0\0\0\0",
        b"\x06\0\x02\0\xAA\xBB\x01\0\xCC\0\0\0",
        b"\x18\x84X400\0a\0b\0c\0\0\0\0",
    ]
    .map(<[u8]>::to_vec)
    .to_vec()
}

pub fn check_recipient_row(bytes: &[u8]) -> bool {
    let columns = || COLUMNS.into_iter();
    let Ok(row) = RecipientRow::decode(&mut Reader::new(bytes), columns()) else {
        return false;
    };
    check_again(
        &row,
        |row, out| row.encode(out, &COLUMNS),
        |bytes| {
            let mut input = Reader::new(bytes);
            let row = RecipientRow::decode(&mut input, columns())?;
            Ok((format!("{row:?}"), input.position()))
        },
    )
}

pub fn entry_ids() -> Vec<Vec<u8>> {
    use ropewalk_props::{GlobCnt, Guid};
    use ropewalk_wire::entry_id::*;
    let (mailbox, replica) = (Guid([1; 16]), Guid([2; 16]));
    let message = MessageEntryId::private(mailbox, replica, GlobCnt(1), GlobCnt(2));
    let one_off = OneOffEntryId {
        flags: 0,
        version: 0,
        one_off_flags: OneOffEntryId::UNICODE,
        display_name: b"B\0",
        address_type: b"S\0",
        email_address: b"b\0",
    };
    let ephemeral = EphemeralEntryId {
        id_type: 0x87,
        provider_uid: replica,
        r4: 1,
        display_type: 0,
        mid: 16,
    };
    let contact = ContactEntryId {
        flags: 0,
        provider_uid: provider::CONTACT,
        version: 3,
        entry_type: 4,
        index: 0,
        entry_id_size: 70,
        message,
    };
    [
        EntryId::Folder(FolderEntryId::private(mailbox, replica, GlobCnt(1))),
        EntryId::Message(message),
        EntryId::Store(StoreEntryId::private(b"srv", b"/o=a/cn=u")),
        EntryId::AddressBook(AddressBookEntryId::new(0, b"/o=a/cn=u")),
        EntryId::OneOff(one_off),
        EntryId::Ephemeral(ephemeral),
        EntryId::Contact(contact),
    ]
    .map(|id| id.to_bytes().unwrap())
    .to_vec()
}

pub fn check_entry_id(bytes: &[u8]) -> bool {
    let Ok(entry_id) = EntryId::from_bytes(bytes) else {
        return false;
    };
    check_again(&entry_id, EntryId::encode, |bytes| {
        EntryId::from_bytes(bytes).map(|id| (format!("{id:?}"), bytes.len()))
    })
}

pub fn sort_orders() -> Vec<Vec<u8>> {
    vec![
        b"\x02\0\x01\0\x01\0\x1f\x30\x08\x80\0\x40\0\x06\x0e\x01".to_vec(),
        vec![0; 6],
    ]
}

pub fn property_names() -> Vec<Vec<u8>> {
    vec![
        [&[0][..], &[0x11; 16], &[3, 0x85, 0, 0]].concat(),
        [&[1][..], &[0x11; 16], b"\x08K\0e\0y\0\0\0"].concat(),
        [&[0xFF][..], &[0; 16]].concat(),
    ]
}
