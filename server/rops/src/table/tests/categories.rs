use std::sync::Arc;

use super::*;
use crate::{
    ConnectParams, RopContext,
    budget::{Budget, Pool},
};

const COLUMNS: [PropTag; 2] = [tags::PID_TAG_INST_ID, tags::PID_TAG_SUBJECT];

/// Sorted by subject, with a header for each.
fn categorize(fixture: &mut Fixture, table: u32, expanded_count: u16) {
    let orders = [SortOrder {
        tag: tags::PID_TAG_SUBJECT,
        order: SortOrder::ASCENDING,
    }];
    let sort_orders = SortOrderSet {
        categorized_count: 1,
        expanded_count,
        sort_orders: (&orders[..]).into(),
    };
    let body = SortTableRequest {
        sort_table_flags: 0,
        sort_orders,
    };
    fixture.ok(table, RequestBody::SortTable(body));
}

fn expand(category_id: u64) -> RequestBody<'static> {
    RequestBody::ExpandRow(ExpandRowRequest {
        max_row_count: 0,
        category_id,
    })
}

fn collapse(category_id: u64) -> RequestBody<'static> {
    RequestBody::CollapseRow(CollapseRowRequest { category_id })
}

fn first_id(fixture: &mut Fixture, table: u32) -> u64 {
    fixture.ok(table, seek(0, 0));
    match fixture.first_cells(table, &COLUMNS, 1)[0] {
        PropValue::Integer64(id) => id as u64,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_header_that_there_is_no_room_to_expand_stays_collapsed() {
    const MAX: usize = 1 << 20;
    let mut fixture = Fixture::new();
    for n in 0..300 {
        fixture.add_mail(special::INBOX, "same", n);
    }
    let pool = Arc::new(Pool::new(MAX));
    let connect = ConnectParams {
        code_page: 1252,
        sort_lcid: 0x409,
        string_lcid: 0x409,
    };
    let (store, user) = (fixture.store.clone(), Arc::clone(&fixture.user));
    let budget = Budget::within(Arc::clone(&pool));
    fixture.context = RopContext::with_budget(store, user, connect, budget);
    let logon = fixture.logon(0);
    let table = fixture.contents_table(logon, special::INBOX, &COLUMNS);
    categorize(&mut fixture, table, 0);
    let header = first_id(&mut fixture, table);
    assert_eq!(position(&mut fixture, table).1, 1);
    let others = Budget::within(Arc::clone(&pool));
    let mut rest = others.share();
    rest.resize(MAX - pool.used()).unwrap();
    assert_eq!(
        fixture.code(table, expand(header)),
        ErrorCode::NOT_ENOUGH_MEMORY
    );
    drop(rest);
    fixture.ok(table, expand(header));
    assert_eq!(position(&mut fixture, table).1, 301);
    assert_eq!(
        fixture.code(table, expand(header)),
        ErrorCode::NOT_COLLAPSED
    );
}

#[test]
fn headers_go_with_their_messages_and_come_back_as_they_were() {
    let (mut fixture, logon) = Fixture::logged_on();
    fixture.add_mail(special::INBOX, "b", 1);
    let gone = fixture.add_mail(special::INBOX, "a", 2);
    let table = fixture.contents_table(logon, special::INBOX, &COLUMNS);
    categorize(&mut fixture, table, 1);
    let header = first_id(&mut fixture, table);
    fixture.ok(table, collapse(header));
    assert_eq!(position(&mut fixture, table).1, 3);
    // Another session takes the category's only message away.
    fixture
        .mailbox()
        .delete_messages(special::INBOX, &[gone], true)
        .unwrap();
    for body in [expand(header), collapse(header)] {
        assert_eq!(fixture.code(table, body), ErrorCode::NOT_FOUND);
    }
    assert_eq!(position(&mut fixture, table).1, 2);
    fixture.add_mail(special::INBOX, "A", 3);
    assert_eq!(first_id(&mut fixture, table), header);
    assert_eq!(
        fixture.code(table, collapse(header)),
        ErrorCode::NOT_EXPANDED
    );
    assert_eq!(position(&mut fixture, table).1, 3);
}

#[test]
fn a_collapse_state_without_room_for_its_bookmark_changes_nothing() {
    let (mut fixture, logon) = Fixture::logged_on();
    fixture.add_mail(special::INBOX, "a", 1);
    let table = fixture.contents_table(logon, special::INBOX, &COLUMNS);
    categorize(&mut fixture, table, 1);
    let header = first_id(&mut fixture, table);
    fixture.ok(table, collapse(header));
    let body = RequestBody::GetCollapseState(GetCollapseStateRequest {
        row_id: header,
        row_instance_number: 0,
    });
    let state = fixture.call(table, body, &[], |response, _| match &response.body {
        ResponseBody::GetCollapseState(body) => body.collapse_state.get().to_vec(),
        other => panic!("{other:?}"),
    });
    fixture.ok(table, expand(header));
    let set = || {
        RequestBody::SetCollapseState(SetCollapseStateRequest {
            collapse_state: Bytes16::new(&state),
        })
    };
    let marks: Vec<_> = (0..1024).map(|_| bookmark(&mut fixture, table)).collect();
    assert_eq!(fixture.code(table, set()), ErrorCode::NOT_ENOUGH_MEMORY);
    assert_eq!(position(&mut fixture, table).1, 2);
    fixture.ok(table, free(&marks[0]));
    fixture.ok(table, set());
    assert_eq!(position(&mut fixture, table).1, 1);
}
