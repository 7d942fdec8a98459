//! What rows a restriction leaves (MS-OXCTABL 3.2.5.4, MS-OXCDATA 2.12).

mod combined;
mod content;
mod sizes;
mod subobjects;
mod values;
mod worked_out;

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Value},
    fixture::tag,
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use crate::fixture::{BEGINNING, END};

const TOO_COMPLEX: u32 = 0x8004_0117;
const RECIPIENTS: u32 = 0x0E12_000D;
const ATTACHMENTS: u32 = 0x0E13_000D;

fn content(low: u16, high: u16, property_tag: u32, value_tag: u32, value: Value) -> Restriction {
    Restriction::Content {
        fuzzy_level_low: low,
        fuzzy_level_high: high,
        property_tag: PropTag(property_tag),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(value_tag),
            value,
        },
    }
}

fn not(restriction: Restriction) -> Restriction {
    Restriction::Not(Box::new(restriction))
}

fn exist(tag: u32) -> Restriction {
    Restriction::Exist {
        prop_tag: PropTag(tag),
    }
}

fn within(tag: u32, restriction: Restriction) -> Restriction {
    Restriction::SubObject {
        subobject: PropTag(tag),
        restriction: Box::new(restriction),
    }
}

/// The subjects that a restriction leaves, one after the other.
fn left(client: &mut Client, table: Handle, restriction: &Restriction) -> String {
    client.restrict(table, Some(restriction)).unwrap();
    let columns = [tag::SUBJECT];
    let rows = client.query_rows(table, &columns, 0, true, 50).unwrap();
    assert_eq!(rows.origin, END);
    let left: Vec<String> = rows.rows.iter().map(|row| row.text(0)).collect();
    // RopFindRow goes by the same rules (3.2.5.14).
    client.restrict(table, None).unwrap();
    let found = client.find_row(table, &columns, restriction, false, BEGINNING);
    assert_eq!(
        found.ok().map(|found| found.row.unwrap().text(0)).as_ref(),
        left.first(),
        "{restriction:?}"
    );
    left.concat()
}

fn sorted_table(client: &mut Client, folder: Handle) -> Handle {
    let (table, _) = client.contents_table(folder, 0).unwrap();
    client.set_columns(table, &[tag::SUBJECT]).unwrap();
    client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    table
}

/// A restriction on a property whose value has another tag.
fn property_of(rel_op: RelOp, prop_tag: u32, value_tag: u32, value: Value) -> Restriction {
    Restriction::Property {
        rel_op,
        prop_tag: PropTag(prop_tag),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(value_tag),
            value,
        },
    }
}
