use proptest::prelude::*;

use super::*;
use crate::value::with_packed;

const ID: PropTag = PropTag(0x674E_0003);
const SUBJECT: PropTag = PropTag(0x0037_001F);
/// The same with its type left open.
const ANY_SUBJECT: PropTag = PropTag(0x0037_0000);

fn string(text: &str) -> RowCell {
    RowCell::Value(PropValue::text(text))
}

fn row(cells: &[RowCell]) -> PropertyRow {
    PropertyRow {
        cells: cells.to_vec(),
    }
}

/// A row, its columns and its bytes (MS-OXCDATA 2.8.1).
fn examples() -> Vec<(PropertyRow, Vec<PropTag>, &'static [u8])> {
    let id = RowCell::Value(PropValue::Integer32(7));
    let error = RowCell::Error(ErrorCode::NOT_FOUND);
    vec![
        (row(&[]), vec![], b"\0"),
        (
            row(&[id.clone(), string("Hi")]),
            vec![ID, SUBJECT],
            b"\0\x07\0\0\0H\0i\0\0\0",
        ),
        (
            row(&[id.clone(), error.clone()]),
            vec![ID, SUBJECT],
            b"\x01\0\x07\0\0\0\x0A\x0F\x01\x04\x80",
        ),
        (
            row(&[RowCell::Absent, string("Hi")]),
            vec![ID, SUBJECT],
            b"\x01\x01\0H\0i\0\0\0",
        ),
        // A column without type: the type stands before the value, in a flagged row before the flag.
        (
            row(&[string("Hi")]),
            vec![ANY_SUBJECT],
            b"\0\x1F\0H\0i\0\0\0",
        ),
        (
            row(&[string("Hi"), error.clone()]),
            vec![ANY_SUBJECT, ID],
            b"\x01\x1F\0\0H\0i\0\0\0\x0A\x0F\x01\x04\x80",
        ),
        (
            row(&[error]),
            vec![ANY_SUBJECT],
            b"\x01\x0A\0\x0A\x0F\x01\x04\x80",
        ),
    ]
}

#[test]
fn rows_have_their_bytes() {
    for (row, columns, bytes) in examples() {
        let columns_of = || columns.iter().copied();
        let mut input = Reader::new(bytes);
        let read = PropertyRow::decode(&mut input, Form::Rop, columns_of());
        assert_eq!(read.as_ref(), Ok(&row));
        assert!(input.is_empty());
        let mut input = Reader::new(bytes);
        skip_row(&mut input, Form::Rop, columns_of()).unwrap();
        assert!(input.is_empty());
        let mut out = Vec::new();
        row.encode(&mut out, Form::Rop, &columns).unwrap();
        assert_eq!(out, bytes);
        for len in 0..bytes.len() {
            let cut = &bytes[..len];
            assert!(PropertyRow::decode(&mut Reader::new(cut), Form::Rop, columns_of()).is_err());
            assert!(skip_row(&mut Reader::new(cut), Form::Rop, columns_of()).is_err());
        }
    }
}

/// What [`put_row`] writes when it is given the cells of a row.
fn put_cells(row: &PropertyRow, columns: &[PropTag]) -> Result<Vec<u8>, EncodeError> {
    let packed: Vec<_> = row
        .cells
        .iter()
        .map(|cell| {
            cell.value()
                .map(|value| (value.ty(), with_packed(value, packed_bytes)))
        })
        .collect();
    let mut out = b"before".to_vec();
    put_row(&mut out, Form::Rop, columns.iter().copied(), |column| {
        let index = columns.iter().position(|known| *known == column).unwrap();
        match (&packed[index], &row.cells[index]) {
            (Some((ty, data)), _) => Cell::Value(ValueRef { ty: *ty, data }),
            (None, RowCell::Error(code)) => Cell::Error(*code),
            _ => Cell::Absent,
        }
    })
    .inspect_err(|_| assert_eq!(out, b"before"))?;
    Ok(out.split_off(6))
}

fn packed_bytes(value: ValueRef<'_>) -> Vec<u8> {
    value.data.to_vec()
}

#[test]
fn a_row_written_cell_by_cell_has_the_same_bytes() {
    for (row, columns, bytes) in examples() {
        assert_eq!(put_cells(&row, &columns).unwrap(), bytes);
    }
}

#[test]
fn a_value_of_another_type_than_its_column_is_refused_and_leaves_nothing() {
    assert_eq!(
        put_cells(&row(&[string("Hi")]), &[ID]),
        Err(EncodeError::Packed(PropType::INTEGER32))
    );
    let cells = row(&[string("Hi")]);
    assert!(cells.encode(&mut Vec::new(), Form::Rop, &[]).is_err());
}

#[test]
fn flags_without_meaning_are_refused() {
    let columns = || [ID].into_iter();
    let refused = |bytes: &[u8]| {
        assert!(PropertyRow::decode(&mut Reader::new(bytes), Form::Rop, columns()).is_err());
        assert!(skip_row(&mut Reader::new(bytes), Form::Rop, columns()).is_err());
    };
    refused(b"\x02\x07\0\0\0");
    refused(b"\x01\x02\x07\0\0\0");
}

#[test]
fn rows_back_to_back_end_at_the_first_that_is_damaged() {
    let bytes = b"\0\x07\0\0\0\0\x08\0\0\0\x05";
    let rows: Vec<_> = Rows::new(bytes, 4, &[ID]).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].is_ok() && rows[1].is_ok());
    assert!(rows[2].is_err());
    assert_eq!(Rows::new(bytes, 2, &[ID]).count(), 2);
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_skipped_alike(
        bytes in prop::collection::vec(prop_oneof![0u8..3, any::<u8>()], 0..60),
        columns in prop::collection::vec(
            prop::sample::select(&[ID, SUBJECT, ANY_SUBJECT, PropTag(0x65E2_0102)][..]),
            0..4,
        ),
    ) {
        let columns_of = || columns.iter().copied();
        let (mut taken, mut skipped) = (Reader::new(&bytes), Reader::new(&bytes));
        let row = PropertyRow::decode(&mut taken, Form::Rop, columns_of());
        let skip = skip_row(&mut skipped, Form::Rop, columns_of());
        prop_assert_eq!(row.is_ok(), skip.is_ok());
        if let Ok(row) = row {
            prop_assert_eq!(taken.position(), skipped.position());
            let mut out = Vec::new();
            row.encode(&mut out, Form::Rop, &columns).unwrap();
            let again = PropertyRow::decode(&mut Reader::new(&out), Form::Rop, columns_of());
            prop_assert_eq!(format!("{:?}", again.unwrap()), format!("{row:?}"));
        }
    }
}
