use proptest::prelude::*;
use ropewalk_props::{PropType, PropValue, ValueRef};

use super::*;
use crate::row::RowCell;

const DISPLAY_TYPE: PropTag = PropTag(0x3900_0003);
const OBJECT_TYPE: PropTag = PropTag(0x0FFE_0003);

fn round_trip(row: &RecipientRow<'_>, columns: &[PropTag]) -> Vec<u8> {
    let mut out = Vec::new();
    row.encode(&mut out, columns).unwrap();
    assert_eq!(
        RecipientRow::from_bytes(&out, columns.iter().copied()).unwrap(),
        *row
    );
    for len in 0..out.len() {
        assert!(RecipientRow::from_bytes(&out[..len], columns.iter().copied()).is_err());
    }
    out
}

fn row(recipient: Recipient<'_>) -> RecipientRow<'_> {
    let cells = vec![RowCell::Value(PropValue::Integer32(2))];
    RecipientRow {
        recipient,
        properties: PropertyRow { cells },
    }
}

/// The row of tests/vectors/ms-oxcrops-layout.toml.
const BOB: &[u8] = b"\x1B\x02b\0@\0x\0\0\0B\0o\0b\0\0\0\x01\0\0\x02\0\0\0";

fn bob() -> Recipient<'static> {
    Recipient {
        address: RecipientAddress::SMTP,
        unicode: true,
        email_address: Some(b"b\0@\0x\0"),
        display_name: Some(b"B\0o\0b\0"),
        ..Recipient::default()
    }
}

#[test]
fn an_smtp_recipient_has_its_address_and_name() {
    assert_eq!(round_trip(&row(bob()), &[DISPLAY_TYPE]), BOB);
}

#[test]
fn fewer_cells_than_columns_are_those_of_the_first_columns() {
    assert_eq!(round_trip(&row(bob()), &[DISPLAY_TYPE, OBJECT_TYPE]), BOB);
    assert!(RecipientRow::from_bytes(BOB, [].into_iter()).is_err());
    assert!(row(bob()).encode(&mut Vec::new(), &[]).is_err());
}

#[test]
fn every_kind_of_address_round_trips() {
    let addresses = [
        (RecipientAddress::None, 0x0000),
        (
            RecipientAddress::X500 {
                address_prefix_used: 3,
                display_type: 1,
                x500_dn: AsciiZ(b"/o=a"),
            },
            0x0001,
        ),
        (RecipientAddress::Known(2), 0x0002),
        (
            RecipientAddress::PersonalDistributionList {
                recipient_type: 6,
                entry_id: Bytes16::new(b"id"),
                search_key: Bytes16::new(b"key"),
            },
            0x0006,
        ),
        (
            RecipientAddress::Other {
                address_type: AsciiZ(b"X400"),
            },
            0x8000,
        ),
    ];
    for (address, flags) in addresses {
        let recipient = Recipient {
            address,
            responsibility: true,
            no_rich_info: true,
            same_name: true,
            simple_display_name: Some(b"s"),
            transmittable_display_name: Some(b"t"),
            ..Recipient::default()
        };
        let out = round_trip(&row(recipient), &[DISPLAY_TYPE]);
        assert_eq!(out[..2], (flags | 0x05E0u16).to_le_bytes());
    }
}

#[test]
fn a_server_writes_a_row_cell_by_cell() {
    let mut out = Vec::new();
    let two = 2i32.to_le_bytes();
    OpenRecipientRow::put(&mut out, 1, 0x0FFF, &bob(), &[DISPLAY_TYPE], |tag| {
        assert_eq!(tag, DISPLAY_TYPE);
        Cell::Value(ValueRef {
            ty: PropType::INTEGER32,
            data: &two,
        })
    })
    .unwrap();
    assert_eq!(out[..7], [1, 0xFF, 0x0F, 0, 0, 0x19, 0]);
    assert_eq!(out[7..], *BOB);
    let read = OpenRecipientRow::decode(&mut Reader::new(&out)).unwrap();
    assert_eq!(read.row([DISPLAY_TYPE].into_iter()).unwrap(), row(bob()));
}

#[test]
fn a_row_of_size_zero_deletes() {
    let row = ModifyRecipientRow::default();
    assert_eq!(row.row([].into_iter()), Ok(None));
}

proptest! {
    #[test]
    fn what_is_read_from_any_bytes_is_written_and_read_again(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let columns = [DISPLAY_TYPE, OBJECT_TYPE];
        let mut input = Reader::new(&bytes);
        if let Ok(row) = RecipientRow::decode(&mut input, columns.into_iter()) {
            let mut out = Vec::new();
            row.encode(&mut out, &columns).unwrap();
            prop_assert_eq!(RecipientRow::from_bytes(&out, columns.into_iter()).unwrap(), row);
        }
    }
}
