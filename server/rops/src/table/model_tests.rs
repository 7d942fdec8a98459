//! Tables against a plain list of rows with a cursor.

use proptest::prelude::*;
use ropewalk_props::{GlobCnt, PropTag, PropValue, tags};
use ropewalk_wire::{
    Mid,
    codec::Bytes16,
    restriction::{RelOp, Restriction},
    rop::*,
    sort::{SortOrder, SortOrderSet},
    value::TaggedPropertyValue,
};

use crate::{ids, logon::special, test_support::*};

const COLUMNS: [PropTag; 1] = [tags::PID_TAG_MID];
const IMPORTANCE: PropTag = tags::PID_TAG_IMPORTANCE;

#[derive(Clone, Debug)]
enum Step {
    /// Another session adds a message of this importance.
    Add(i32),
    /// Another session deletes the nth message.
    Delete(usize),
    /// Another session reads the nth message.
    Read(usize),
    Seek {
        origin: u8,
        count: i32,
    },
    Query {
        forward: bool,
        advance: bool,
        count: u16,
    },
    Find {
        importance: i32,
        origin: u8,
        backward: bool,
    },
    /// By importance, descending or not; or not at all.
    Sort(Option<bool>),
    /// Those of at least this importance.
    Restrict(Option<i32>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_i32).prop_map(Step::Add),
        (0..9_usize).prop_map(Step::Delete),
        (0..9_usize).prop_map(Step::Read),
        (0..3_u8, -9..9_i32).prop_map(|(origin, count)| Step::Seek { origin, count }),
        (any::<bool>(), any::<bool>(), 0..6_u16).prop_map(|(forward, advance, count)| {
            Step::Query {
                forward,
                advance,
                count,
            }
        }),
        (0..4_i32, 0..3_u8, any::<bool>()).prop_map(|(importance, origin, backward)| {
            Step::Find {
                importance,
                origin,
                backward,
            }
        }),
        proptest::option::of(any::<bool>()).prop_map(Step::Sort),
        proptest::option::of(0..4_i32).prop_map(Step::Restrict),
    ]
}

/// What a table should be.
#[derive(Default)]
struct Model {
    /// All messages of the folder: id and importance.
    messages: Vec<(GlobCnt, i32)>,
    descending: Option<bool>,
    at_least: Option<i32>,
    cursor: usize,
}

impl Model {
    fn rows(&self) -> Vec<(GlobCnt, i32)> {
        let mut rows: Vec<_> = self.messages.clone();
        rows.retain(|(_, importance)| self.at_least.is_none_or(|least| *importance >= least));
        rows.sort_by_key(|(id, importance)| match self.descending {
            None => (0, *id),
            Some(false) => (*importance, *id),
            Some(true) => (-importance, *id),
        });
        rows
    }

    /// Changes the messages; the cursor stays on its row, or goes to the one after it. At the start
    /// it stays there, at the end it stays behind the row that was the last.
    fn change(&mut self, change: impl FnOnce(&mut Vec<(GlobCnt, i32)>)) {
        let before = self.rows();
        change(&mut self.messages);
        let after = self.rows();
        if self.cursor == 0 {
            return;
        }
        let place = |row: &(GlobCnt, i32)| after.iter().position(|other| other == row);
        let next = before[self.cursor..].iter().find_map(place);
        let last = before[..self.cursor]
            .iter()
            .rev()
            .find_map(|row| place(row).map(|at| at + 1));
        self.cursor = next.or(last).unwrap_or(0);
    }
}

struct Run {
    fixture: Fixture,
    table: u32,
    model: Model,
}

impl Run {
    fn step(&mut self, step: &Step) {
        let mailbox = self.fixture.mailbox();
        let nth = |model: &Model, n: usize| model.messages.get(n).map(|(id, _)| *id);
        match step {
            Step::Add(importance) => {
                let value = PropValue::Integer32(*importance);
                let id = self
                    .fixture
                    .add_message(special::INBOX, &[(IMPORTANCE, value)]);
                self.model
                    .change(|messages| messages.push((id, *importance)));
            }
            Step::Delete(n) => {
                if let Some(id) = nth(&self.model, *n) {
                    mailbox
                        .delete_messages(special::INBOX, &[id], false)
                        .unwrap();
                    self.model
                        .change(|messages| messages.retain(|(other, _)| *other != id));
                }
            }
            Step::Read(n) => {
                if let Some(id) = nth(&self.model, *n) {
                    mailbox.set_read(special::INBOX, &[id], true).unwrap();
                }
            }
            Step::Seek { origin, count } => self.seek(*origin, *count),
            Step::Query {
                forward,
                advance,
                count,
            } => self.query(*forward, *advance, *count),
            Step::Find {
                importance,
                origin,
                backward,
            } => {
                self.find(*importance, *origin, *backward);
            }
            Step::Sort(descending) => {
                let order = |descending| SortOrder {
                    tag: IMPORTANCE,
                    order: u8::from(descending),
                };
                let orders: Vec<SortOrder> = descending.iter().copied().map(order).collect();
                let sort_orders = SortOrderSet {
                    categorized_count: 0,
                    expanded_count: 0,
                    sort_orders: (&orders).into(),
                };
                let request = SortTableRequest {
                    sort_table_flags: 0,
                    sort_orders,
                };
                self.fixture.ok(self.table, RequestBody::SortTable(request));
                self.model.descending = *descending;
                self.model.cursor = 0;
            }
            Step::Restrict(at_least) => {
                let data = at_least.map(|least| compare(RelOp::GREATER_THAN_OR_EQUAL, least));
                let data = data.unwrap_or_default();
                let request = RestrictRequest {
                    restrict_flags: 0,
                    restriction_data: Bytes16::new(&data),
                };
                self.fixture.ok(self.table, RequestBody::Restrict(request));
                self.model.at_least = *at_least;
                self.model.cursor = 0;
            }
        }
        self.check_position();
    }

    fn check_position(&mut self) {
        let wanted = QueryPositionResponse {
            numerator: self.model.cursor as u32,
            denominator: self.model.rows().len() as u32,
        };
        let body = RequestBody::QueryPosition(EmptyRequest {});
        self.fixture.call(self.table, body, &[], |response, _| {
            assert_eq!(response.body, ResponseBody::QueryPosition(wanted));
        });
    }

    fn base(&self, origin: u8) -> usize {
        match origin {
            0 => 0,
            1 => self.model.cursor,
            _ => self.model.rows().len(),
        }
    }

    fn seek(&mut self, origin: u8, count: i32) {
        let base = self.base(origin) as i32;
        let target = (base + count).clamp(0, self.model.rows().len() as i32);
        self.model.cursor = target as usize;
        let wanted = SeekRowResponse {
            has_sought_less: target != base + count,
            rows_sought: target - base,
        };
        self.fixture
            .call(self.table, seek(origin, count), &[], |response, _| {
                assert_eq!(response.body, ResponseBody::SeekRow(wanted));
            });
    }

    fn query(&mut self, forward_read: bool, advance: bool, row_count: u16) {
        let rows = self.model.rows();
        let (cursor, count) = (self.model.cursor, usize::from(row_count));
        let (from, to) = if forward_read {
            (cursor, rows.len().min(cursor + count))
        } else {
            (cursor.saturating_sub(count), cursor)
        };
        let after = if forward_read { to } else { from };
        let origin = match forward_read {
            true if after == rows.len() => 2,
            false if after == 0 => 0,
            _ => 1,
        };
        let query_rows_flags = u8::from(!advance);
        let request = QueryRowsRequest {
            query_rows_flags,
            forward_read,
            row_count,
        };
        let (found_origin, found) = self.fixture.query(self.table, &COLUMNS, request);
        let wanted: Vec<PropValue> = rows[from..to].iter().map(|(id, _)| mid(*id)).collect();
        let found: Vec<PropValue> = found
            .iter()
            .map(|row| row.cells[0].value().unwrap().clone())
            .collect();
        assert_eq!((found_origin, found), (origin, wanted));
        if advance {
            self.model.cursor = after;
        }
    }

    fn find(&mut self, importance: i32, origin: u8, backward: bool) {
        let rows = self.model.rows();
        let from = self.base(origin);
        let matches = |at: &usize| rows[*at].1 == importance;
        let wanted = if backward {
            (0..from).rev().find(matches)
        } else {
            (from..rows.len()).find(matches)
        };
        let data = compare(RelOp::EQUAL, importance);
        let request = FindRowRequest {
            find_row_flags: u8::from(backward),
            restriction_data: Bytes16::new(&data),
            origin,
            bookmark: Bytes16::new(&[]),
        };
        let body = RequestBody::FindRow(request);
        let found = self
            .fixture
            .call(self.table, body, &COLUMNS, |response, _| {
                match &response.body {
                    ResponseBody::FindRow(body) => {
                        let row = body.row(&COLUMNS).unwrap().unwrap();
                        Some(row.cells[0].value().unwrap().clone())
                    }
                    _ => None,
                }
            });
        assert_eq!(found, wanted.map(|at| mid(rows[at].0)));
        if let Some(at) = wanted {
            self.model.cursor = at;
        }
    }
}

fn mid(id: GlobCnt) -> PropValue {
    let mid: Mid = ids::mid(id);
    PropValue::Integer64(mid.to_u64() as i64)
}

fn compare(rel_op: RelOp, importance: i32) -> Vec<u8> {
    let value = PropValue::Integer32(importance);
    restriction_data(&Restriction::Property {
        rel_op,
        prop_tag: IMPORTANCE,
        tagged_value: TaggedPropertyValue {
            tag: IMPORTANCE,
            value,
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_where_a_list_would_be(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut fixture, logon) = Fixture::logged_on();
        let table = fixture.contents_table(logon, special::INBOX, &COLUMNS);
        let mut run = Run { fixture, table, model: Model::default() };
        // As a client has it that looked at the table once.
        run.check_position();
        for step in &steps {
            run.step(step);
        }
    }
}
