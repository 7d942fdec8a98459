//! What these tests do over and over.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Result, Rop, Value},
    fixture::{new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

pub const INVALID_BOOKMARK: u32 = 0x8004_0405;
pub const UNABLE_TO_ABORT: u32 = 0x8004_0114;

pub const BEGINNING: u8 = 0;
pub const CURRENT: u8 = 1;
pub const END: u8 = 2;
pub const CUSTOM: u8 = 3;

pub const NO_ADVANCE: u8 = 0x01;

pub const COLUMNS: [u32; 2] = [tag::MID, tag::SUBJECT];

/// A folder of its own with a message for each subject, and a contents table of it.
pub fn messages(client: &mut Client, logon: &Logon, subjects: &[&str]) -> (Handle, Handle) {
    let (folder, folder_id) = new_folder(client, logon);
    for subject in subjects {
        let (message, _) = new_message(client, folder, folder_id, subject);
        client.release(message).unwrap();
    }
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count as usize, subjects.len());
    (folder, table)
}

pub fn subjects(
    client: &mut Client,
    table: Handle,
    flags: u8,
    forward: bool,
    count: u16,
) -> (u8, Vec<String>) {
    let rows = client
        .query_rows(table, &COLUMNS, flags, forward, count)
        .unwrap();
    (
        rows.origin,
        rows.rows.iter().map(|row| row.text(1)).collect(),
    )
}

pub fn subject_is(subject: &str) -> Restriction {
    property(RelOp::EQUAL, tag::SUBJECT, text(subject))
}

pub fn create_bookmark(client: &mut Client, table: Handle) -> Result<Vec<u8>> {
    client.rop(&Rop::new(0x1B, 0), &[table])?.read(|input| {
        let len = input.u16()?;
        Ok(input.bytes(len.into())?.to_vec())
    })
}

/// RopSeekRowBookmark: RowNoLongerVisible, HasSoughtLess, RowsSought.
pub fn seek_row_bookmark(
    client: &mut Client,
    table: Handle,
    bookmark: &[u8],
    rows: i32,
) -> Result<(u8, u8, i32)> {
    let rop = Rop::new(0x19, 0)
        .sized(bookmark)
        .u32(rows.cast_unsigned())
        .u8(1);
    client
        .rop(&rop, &[table])?
        .read(|input| Ok((input.u8()?, input.u8()?, input.i32()?)))
}

pub fn free_bookmark(client: &mut Client, table: Handle, bookmark: &[u8]) -> Result<()> {
    let rop = Rop::new(0x89, 0).sized(bookmark);
    client.rop(&rop, &[table])?.empty()
}

pub fn reset_table(client: &mut Client, table: Handle) -> Result<()> {
    client.rop(&Rop::new(0x81, 0), &[table])?.empty()
}

/// RopFindRow from a bookmark of the client's, for any row.
pub fn find_from_bookmark(client: &mut Client, table: Handle, bookmark: &[u8]) -> Result<(u8, u8)> {
    let rop = Rop::new(0x4F, 0)
        .u8(0)
        .sized(&[])
        .u8(CUSTOM)
        .sized(bookmark);
    client.rop(&rop, &[table])?.read(|input| {
        let found = (input.u8()?, input.u8()?);
        input.take_rest();
        Ok(found)
    })
}

pub fn status(client: &mut Client, id: u8, table: Handle) -> Result<u8> {
    client.rop(&Rop::new(id, 0), &[table])?.read(Reader::u8)
}

/// A restriction on the value of one property.
pub fn property(rel_op: RelOp, tag: u32, value: Value) -> Restriction {
    Restriction::Property {
        rel_op,
        prop_tag: PropTag(tag),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag),
            value,
        },
    }
}
