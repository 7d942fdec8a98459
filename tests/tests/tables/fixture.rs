//! A folder with messages and a table of it.

use ropewalk_props::{PropTag, PropValue};
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Value},
    fixture::{ada, new_folder, tag, text},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

pub const SUBJECTS: [&str; 7] = [
    "delta", "alpha", "echo", "bravo", "Alpha", "charlie", "foxtrot",
];
pub const BEGINNING: u8 = 0;
pub const CURRENT: u8 = 1;
pub const END: u8 = 2;

pub struct Fixture {
    pub client: Client,
    pub folder: Handle,
    pub table: Handle,
    pub ids: Vec<u64>,
}

/// A folder with one message for each of [`SUBJECTS`], with its index as importance, and a table of
/// it whose column is the subject.
pub fn fixture() -> Fixture {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let mut ids = Vec::new();
    for (i, subject) in SUBJECTS.iter().enumerate() {
        let message = client.create_message(folder, folder_id).unwrap();
        client
            .set_props(
                message,
                &[
                    (tag::SUBJECT, text(subject)),
                    (tag::IMPORTANCE, Value::Integer32(i as i32 % 3)),
                ],
            )
            .unwrap();
        ids.push(client.save_message(message).unwrap());
        client.release(message).unwrap();
    }
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count as usize, SUBJECTS.len());
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    Fixture {
        client,
        folder,
        table,
        ids,
    }
}

impl Fixture {
    pub fn read(&mut self, flags: u8, forward: bool, count: u16) -> (u8, Vec<String>) {
        let rows = self
            .client
            .query_rows(self.table, &[tag::SUBJECT], flags, forward, count)
            .unwrap();
        let subjects = rows.rows.iter().map(|row| row.text(0)).collect();
        (rows.origin, subjects)
    }

    pub fn position(&mut self) -> (u32, u32) {
        self.client.query_position(self.table).unwrap()
    }

    pub fn sort(&mut self) {
        let orders = [(tag::SUBJECT, 0), (tag::IMPORTANCE, 0)];
        assert_eq!(self.client.sort_table(self.table, &orders).unwrap(), 0);
    }

    pub fn find(&mut self, restriction: &Restriction, backward: bool, origin: u8) -> String {
        self.client
            .find_row(self.table, &[tag::SUBJECT], restriction, backward, origin)
            .unwrap()
            .row
            .expect("the row fits")
            .text(0)
    }

    /// The subjects of the rows that a restriction leaves, sorted.
    pub fn matching(&mut self, restriction: &Restriction) -> Vec<String> {
        let status = self.client.restrict(self.table, Some(restriction)).unwrap();
        assert_eq!(status, 0);
        let mut subjects = self.read(0, true, 100).1;
        subjects.sort();
        assert_eq!(self.position().1 as usize, subjects.len());
        subjects
    }
}

pub fn property(rel_op: RelOp, tag: u32, value: PropValue) -> Restriction {
    let tag = PropTag(tag);
    Restriction::Property {
        rel_op,
        prop_tag: tag,
        tagged_value: TaggedPropertyValue { tag, value },
    }
}

pub fn subject_is(subject: &str) -> Restriction {
    property(RelOp::EQUAL, tag::SUBJECT, text(subject))
}

pub fn content(low: u16, high: u16, value: &str) -> Restriction {
    let tag = PropTag(tag::SUBJECT);
    Restriction::Content {
        fuzzy_level_low: low,
        fuzzy_level_high: high,
        property_tag: tag,
        tagged_value: TaggedPropertyValue {
            tag,
            value: text(value),
        },
    }
}
