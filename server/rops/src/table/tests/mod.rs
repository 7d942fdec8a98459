//! Tables through the client half of the codec.

mod categories;
mod kept;
mod position;
mod restriction;
mod rows;
mod view;

use ropewalk_props::{FileTime, GlobCnt, PropTag, PropType, PropValue, tags};
use ropewalk_store::{Attachment, Message, Recipient};
use ropewalk_wire::{
    ErrorCode,
    codec::Bytes16,
    restriction::{RelOp, Restriction},
    rop::*,
    row::RowCell,
    sort::{SortOrder, SortOrderSet},
    value::TaggedPropertyValue,
};

use crate::{ids, logon::special, test_support::*};

pub const MID_AND_SUBJECT: [PropTag; 2] = [tags::PID_TAG_MID, tags::PID_TAG_SUBJECT];

pub fn sort_by(table: u32, fixture: &mut Fixture, orders: &[(PropTag, u8)]) -> ErrorCode {
    let orders: Vec<SortOrder> = orders
        .iter()
        .map(|(tag, order)| SortOrder {
            tag: *tag,
            order: *order,
        })
        .collect();
    let sort_orders = SortOrderSet {
        categorized_count: 0,
        expanded_count: 0,
        sort_orders: (&orders).into(),
    };
    fixture.code(
        table,
        RequestBody::SortTable(SortTableRequest {
            sort_table_flags: 0,
            sort_orders,
        }),
    )
}

pub fn restrict(table: u32, fixture: &mut Fixture, restriction: &Restriction) -> ErrorCode {
    let data = restriction_data(restriction);
    fixture.code(
        table,
        RequestBody::Restrict(RestrictRequest {
            restrict_flags: 0,
            restriction_data: Bytes16::new(&data),
        }),
    )
}

pub fn property(rel_op: RelOp, tag: PropTag, value: PropValue) -> Restriction {
    Restriction::Property {
        rel_op,
        prop_tag: tag,
        tagged_value: TaggedPropertyValue {
            tag: tag.with_type(value.ty()),
            value,
        },
    }
}

pub fn content(low: u16, high: u16, tag: PropTag, text: &str) -> Restriction {
    Restriction::Content {
        fuzzy_level_low: low,
        fuzzy_level_high: high,
        property_tag: tag,
        tagged_value: TaggedPropertyValue {
            tag: tag.with_type(PropType::STRING),
            value: PropValue::text(text),
        },
    }
}

pub fn position(fixture: &mut Fixture, table: u32) -> (u32, u32) {
    let body = RequestBody::QueryPosition(EmptyRequest {});
    fixture.call(table, body, &[], |response, _| {
        let ResponseBody::QueryPosition(body) = &response.body else {
            panic!("{response:?}")
        };
        (body.numerator, body.denominator)
    })
}

pub fn seek_outcome(fixture: &mut Fixture, table: u32, origin: u8, count: i32) -> (bool, i32) {
    fixture.call(table, seek(origin, count), &[], |response, _| {
        let ResponseBody::SeekRow(body) = &response.body else {
            panic!("{response:?}")
        };
        (body.has_sought_less, body.rows_sought)
    })
}

pub fn find(
    fixture: &mut Fixture,
    table: u32,
    restriction: &Restriction,
    origin: u8,
    flags: u8,
    bookmark: &[u8],
) -> Result<(bool, GlobCnt), ErrorCode> {
    let data = restriction_data(restriction);
    let body = RequestBody::FindRow(FindRowRequest {
        find_row_flags: flags,
        restriction_data: Bytes16::new(&data),
        origin,
        bookmark: Bytes16::new(bookmark),
    });
    fixture.call(table, body, &MID_AND_SUBJECT, |response, _| {
        let ResponseBody::FindRow(body) = &response.body else {
            return Err(response.return_value);
        };
        let row = body.row(&MID_AND_SUBJECT).unwrap().unwrap();
        let Some(PropValue::Integer64(mid)) = row.cells[0].value() else {
            panic!("{row:?}")
        };
        Ok((
            body.row_no_longer_visible,
            ropewalk_wire::Mid::from_u64(*mid as u64).globcnt(),
        ))
    })
}

pub fn bookmark(fixture: &mut Fixture, table: u32) -> Vec<u8> {
    let body = RequestBody::CreateBookmark(EmptyRequest {});
    fixture.call(table, body, &[], |response, _| {
        let ResponseBody::CreateBookmark(body) = &response.body else {
            panic!("{response:?}")
        };
        body.bookmark.get().to_vec()
    })
}

pub fn seek_bookmark(
    fixture: &mut Fixture,
    table: u32,
    bookmark: &[u8],
    row_count: i32,
) -> Result<(bool, bool, i32), ErrorCode> {
    let body = RequestBody::SeekRowBookmark(SeekRowBookmarkRequest {
        bookmark: Bytes16::new(bookmark),
        row_count,
        want_row_moved_count: true,
    });
    fixture.call(table, body, &[], |response, _| match &response.body {
        ResponseBody::SeekRowBookmark(body) => Ok((
            body.row_no_longer_visible,
            body.has_sought_less,
            body.rows_sought,
        )),
        _ => Err(response.return_value),
    })
}

pub fn free(bookmark: &[u8]) -> RequestBody<'_> {
    RequestBody::FreeBookmark(FreeBookmarkRequest {
        bookmark: Bytes16::new(bookmark),
    })
}
