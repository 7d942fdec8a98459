//! What the tests of messages look at.

use ropewalk_tests::{
    client::{Cells as _, Client, Handle},
    fixture::tag,
};

pub const READ: u8 = 0;
pub const READ_WRITE: u8 = 1;
pub const BEST_ACCESS: u8 = 3;
pub const OPEN_SOFT_DELETED: u8 = 4;

pub const MF_READ: i32 = 0x01;
pub const MF_UNSENT: i32 = 0x08;

pub fn count(client: &mut Client, folder: Handle) -> i32 {
    client
        .get_props(folder, &[tag::CONTENT_COUNT])
        .unwrap()
        .int(0)
}

pub fn mids(client: &mut Client, folder: Handle, flags: u8) -> Vec<u64> {
    let (table, _) = client.contents_table(folder, flags).unwrap();
    let rows = client.query_all_rows(table, &[tag::MID]).unwrap();
    client.release(table).unwrap();
    let mut ids: Vec<u64> = rows.iter().map(|row| row.id(0)).collect();
    ids.sort_unstable();
    ids
}

pub fn subject_of(client: &mut Client, from: Handle, folder_id: u64, id: u64) -> String {
    let message = client.open_message(from, folder_id, id, READ).unwrap();
    let subject = client
        .get_props(message.handle, &[tag::SUBJECT])
        .unwrap()
        .text(0);
    client.release(message.handle).unwrap();
    subject
}
