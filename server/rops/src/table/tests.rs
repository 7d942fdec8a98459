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

const MID_AND_SUBJECT: [PropTag; 2] = [tags::PID_TAG_MID, tags::PID_TAG_SUBJECT];

fn sort_by(table: u32, fixture: &mut Fixture, orders: &[(PropTag, u8)]) -> ErrorCode {
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

fn restrict(table: u32, fixture: &mut Fixture, restriction: &Restriction) -> ErrorCode {
    let data = restriction_data(restriction);
    fixture.code(
        table,
        RequestBody::Restrict(RestrictRequest {
            restrict_flags: 0,
            restriction_data: Bytes16::new(&data),
        }),
    )
}

fn property(rel_op: RelOp, tag: PropTag, value: PropValue) -> Restriction {
    Restriction::Property {
        rel_op,
        prop_tag: tag,
        tagged_value: TaggedPropertyValue {
            tag: tag.with_type(value.ty()),
            value,
        },
    }
}

fn content(low: u16, high: u16, tag: PropTag, text: &str) -> Restriction {
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

fn position(fixture: &mut Fixture, table: u32) -> (u32, u32) {
    let body = RequestBody::QueryPosition(EmptyRequest {});
    fixture.call(table, body, &[], |response, _| {
        let ResponseBody::QueryPosition(body) = &response.body else {
            panic!("{response:?}")
        };
        (body.numerator, body.denominator)
    })
}

fn seek_outcome(fixture: &mut Fixture, table: u32, origin: u8, count: i32) -> (bool, i32) {
    fixture.call(table, seek(origin, count), &[], |response, _| {
        let ResponseBody::SeekRow(body) = &response.body else {
            panic!("{response:?}")
        };
        (body.has_sought_less, body.rows_sought)
    })
}

fn find(
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

fn bookmark(fixture: &mut Fixture, table: u32) -> Vec<u8> {
    let body = RequestBody::CreateBookmark(EmptyRequest {});
    fixture.call(table, body, &[], |response, _| {
        let ResponseBody::CreateBookmark(body) = &response.body else {
            panic!("{response:?}")
        };
        body.bookmark.get().to_vec()
    })
}

fn seek_bookmark(
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

fn free(bookmark: &[u8]) -> RequestBody<'_> {
    RequestBody::FreeBookmark(FreeBookmarkRequest {
        bookmark: Bytes16::new(bookmark),
    })
}

#[test]
fn tables_open_with_their_row_counts_and_refuse_bad_flags() {
    let (mut fixture, logon) = Fixture::logged_on();
    fixture.add_mail(special::INBOX, "one", 1);
    let root = fixture.open_folder(logon, special::ROOT);
    let inbox = fixture.open_folder(logon, special::INBOX);
    let rows = |fixture: &mut Fixture, handle, body| {
        fixture.call(handle, body, &[], |response, _| match &response.body {
            ResponseBody::GetHierarchyTable(body) | ResponseBody::GetContentsTable(body) => {
                Ok(body.row_count)
            }
            _ => Err(response.return_value),
        })
    };
    let hierarchy = |flags| RequestBody::GetHierarchyTable(table_request(flags));
    let contents = |flags| RequestBody::GetContentsTable(table_request(flags));
    for (handle, body, wanted) in [
        (root, hierarchy(0), Ok(8)),
        (root, hierarchy(0x04), Ok(12)),
        (root, hierarchy(0x20), Ok(0)),
        (root, hierarchy(0xD8), Ok(8)),
        (root, hierarchy(0x01), Err(ErrorCode::NOT_SUPPORTED)),
        (root, hierarchy(0x02), Err(ErrorCode::NOT_SUPPORTED)),
        (logon, hierarchy(0), Err(ErrorCode::NOT_SUPPORTED)),
        (inbox, contents(0), Ok(1)),
        (inbox, contents(0x02), Ok(0)),
        (inbox, contents(0x20), Ok(0)),
        (inbox, contents(0x58), Ok(1)),
        (inbox, contents(0x01), Err(ErrorCode::INVALID_PARAM)),
        (inbox, contents(0x04), Err(ErrorCode::INVALID_PARAM)),
        (inbox, contents(0x90), Err(ErrorCode::INVALID_PARAM)),
        (logon, contents(0), Err(ErrorCode::NOT_SUPPORTED)),
    ] {
        assert_eq!(rows(&mut fixture, handle, body.clone()), wanted, "{body:?}");
    }
    let attachments = RequestBody::GetAttachmentTable(table_request(0));
    assert_eq!(fixture.code(inbox, attachments), ErrorCode::NULL_OBJECT);
}

#[test]
fn table_rops_need_a_table() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let empty = EmptyRequest {};
    for body in [
        RequestBody::SetColumns(SetColumnsRequest::default()),
        RequestBody::SortTable(SortTableRequest::default()),
        RequestBody::Restrict(RestrictRequest::default()),
        RequestBody::QueryRows(forward(1)),
        RequestBody::FindRow(FindRowRequest::default()),
        RequestBody::QueryPosition(empty),
        seek(0, 1),
        RequestBody::SeekRowBookmark(SeekRowBookmarkRequest::default()),
        RequestBody::SeekRowFractional(SeekRowFractionalRequest::default()),
        RequestBody::CreateBookmark(empty),
        RequestBody::FreeBookmark(FreeBookmarkRequest::default()),
        RequestBody::QueryColumnsAll(empty),
        RequestBody::ResetTable(empty),
        RequestBody::GetStatus(empty),
        RequestBody::Abort(empty),
    ] {
        assert_eq!(
            fixture.code(folder, body.clone()),
            ErrorCode::NOT_SUPPORTED,
            "{body:?}"
        );
    }
}

#[test]
fn rows_are_read_in_steps_forward_and_backward() {
    let (mut fixture, logon) = Fixture::logged_on();
    let ids: Vec<GlobCnt> = (0..5)
        .map(|n| fixture.add_mail(special::INBOX, &format!("mail {n}"), n))
        .collect();
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    let read = |fixture: &mut Fixture, flags, forward_read, row_count| {
        let request = QueryRowsRequest {
            query_rows_flags: flags,
            forward_read,
            row_count,
        };
        let (origin, rows) = fixture.query(table, &MID_AND_SUBJECT, request);
        let subjects = rows.iter().map(|row| match row.cells[1].value() {
            Some(PropValue::String(text)) => text.to_string(),
            other => panic!("{other:?}"),
        });
        (origin, subjects.collect::<Vec<_>>())
    };
    assert_eq!(
        read(&mut fixture, 0, true, 2),
        (1, vec!["mail 0".into(), "mail 1".into()])
    );
    assert_eq!(read(&mut fixture, 1, true, 1), (1, vec!["mail 2".into()]));
    assert_eq!(read(&mut fixture, 0, true, 50).0, 2);
    assert_eq!(read(&mut fixture, 0, true, 50), (2, vec![]));
    assert_eq!(
        read(&mut fixture, 0, false, 2),
        (1, vec!["mail 3".into(), "mail 4".into()])
    );
    assert_eq!(position(&mut fixture, table), (3, 5));
    assert_eq!(read(&mut fixture, 0, false, 50).1.len(), 3);
    assert_eq!(read(&mut fixture, 0, false, 1), (0, vec![]));
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), ids);
    let bad = QueryRowsRequest {
        query_rows_flags: 0x04,
        ..forward(1)
    };
    assert_eq!(
        fixture.code(table, RequestBody::QueryRows(bad)),
        ErrorCode::INVALID_PARAM
    );
}

#[test]
fn columns_come_first_and_must_be_ones() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let table = fixture.open(folder, RequestBody::GetContentsTable(table_request(0)));
    let everything = Restriction::And(vec![]);
    assert_eq!(
        fixture.code(table, RequestBody::QueryRows(forward(1))),
        ErrorCode::NULL_OBJECT
    );
    assert_eq!(
        find(&mut fixture, table, &everything, 0, 0, &[]),
        Err(ErrorCode::NULL_OBJECT)
    );
    let set = |columns: &[PropTag], fixture: &mut Fixture| {
        let request = SetColumnsRequest {
            set_columns_flags: 0,
            property_tags: columns.into(),
        };
        fixture.code(table, RequestBody::SetColumns(request))
    };
    let many = vec![tags::PID_TAG_MID; 1025];
    for (columns, code) in [
        (&[][..], ErrorCode::INVALID_PARAM),
        (&[PropTag(0x0037_0000)], ErrorCode::INVALID_PARAM),
        (&[PropTag(0x0037_000A)], ErrorCode::INVALID_PARAM),
        (&[PropTag(0x0037_00FF)], ErrorCode::INVALID_PARAM),
        (&[PropTag(0x0037_201F)], ErrorCode::INVALID_PARAM),
        (&many[..], ErrorCode::TOO_MANY_COLUMNS),
        (&many[1..], ErrorCode(0)),
    ] {
        assert_eq!(set(columns, &mut fixture), code);
    }
    // A failure leaves no columns behind.
    set(&[], &mut fixture);
    assert_eq!(
        fixture.code(table, RequestBody::QueryRows(forward(1))),
        ErrorCode::NULL_OBJECT
    );
}

#[test]
fn cells_are_cut_converted_or_say_why_not() {
    let (mut fixture, logon) = Fixture::logged_on();
    let long: String = "é".repeat(300);
    let huge: String = "x".repeat(20_000);
    fixture.add_message(
        special::INBOX,
        &[
            (tags::PID_TAG_SUBJECT, PropValue::text(&long)),
            (tags::PID_TAG_BODY, PropValue::text(&huge)),
            (PropTag(0x6800_0102), PropValue::Binary(vec![7; 300])),
            (PropTag(0x6801_0102), PropValue::Binary(vec![7; 30_000])),
            (PropTag(0x6802_0102), PropValue::Binary(vec![7; 255])),
        ],
    );
    let columns = [
        tags::PID_TAG_SUBJECT,
        tags::PID_TAG_SUBJECT.with_type(PropType::STRING8),
        tags::PID_TAG_BODY,
        PropTag(0x6800_0102),
        PropTag(0x6801_0102),
        PropTag(0x6802_0102),
        PropTag(0x6803_001F),
        tags::PID_TAG_SUBJECT.with_type(PropType::INTEGER32),
    ];
    let table = fixture.contents_table(logon, special::INBOX, &columns);
    let (_, rows) = fixture.query(table, &columns, forward(1));
    let cells = &rows[0].cells;
    let value = |index: usize| cells[index].value().unwrap();
    assert_eq!(*value(0), PropValue::text(&"é".repeat(255)));
    assert_eq!(*value(1), PropValue::String8(vec![0xE9; 255]));
    assert_eq!(*value(2), PropValue::text(&"x".repeat(255)));
    for index in 3..6 {
        assert_eq!(*value(index), PropValue::Binary(vec![7; 255]));
    }
    assert_eq!(cells[6], RowCell::Error(ErrorCode::NOT_FOUND));
    assert_eq!(cells[7], RowCell::Error(ErrorCode::NOT_FOUND));
}

#[test]
fn contents_rows_have_the_columns_of_tables() {
    let (mut fixture, logon) = Fixture::logged_on();
    let id = fixture.add_mail(special::INBOX, "mail", 77);
    let columns = [
        tags::PID_TAG_MID,
        tags::PID_TAG_INST_ID,
        tags::PID_TAG_INSTANCE_NUM,
        tags::PID_TAG_ROW_TYPE,
        tags::PID_TAG_DEPTH,
        tags::PID_TAG_FOLDER_ID,
        tags::PID_TAG_PARENT_FOLDER_ID,
        tags::PID_TAG_OBJECT_TYPE,
        tags::PID_TAG_MESSAGE_FLAGS,
        tags::PID_TAG_MESSAGE_DELIVERY_TIME,
        tags::PID_TAG_ENTRY_ID,
        tags::PID_TAG_INSTANCE_KEY,
        tags::PID_TAG_SOURCE_KEY,
        tags::PID_TAG_CHANGE_KEY,
    ];
    let table = fixture.contents_table(logon, special::INBOX, &columns);
    let (_, rows) = fixture.query(table, &columns, forward(1));
    let cells: Vec<&PropValue> = rows[0]
        .cells
        .iter()
        .map(|cell| cell.value().unwrap())
        .collect();
    let mid = PropValue::Integer64(ids::mid(id).to_u64() as i64);
    let fid = PropValue::Integer64(ids::fid(special::INBOX).to_u64() as i64);
    let number = PropValue::Integer32;
    let wanted = [
        mid.clone(),
        mid,
        number(0),
        number(1),
        number(0),
        fid.clone(),
        fid,
        number(5),
        number(0),
    ];
    assert_eq!(cells[..9], wanted.iter().collect::<Vec<_>>());
    assert_eq!(*cells[9], PropValue::Time(FileTime(77)));
    for (index, len) in [(10, 70), (11, 20), (12, 22), (13, 22)] {
        let PropValue::Binary(bytes) = cells[index] else {
            panic!("{:?}", cells[index])
        };
        assert_eq!(bytes.len(), len, "column {index}");
    }
}

#[test]
fn tables_sort_by_any_column_and_keep_rows_without_it_first() {
    let (mut fixture, logon) = Fixture::logged_on();
    let b = fixture.add_mail(special::INBOX, "bravo", 30);
    let a = fixture.add_mail(special::INBOX, "Alpha", 20);
    let c = fixture.add_mail(special::INBOX, "charlie", 20);
    let none = fixture.add_message(
        special::INBOX,
        &[(tags::PID_TAG_IMPORTANCE, PropValue::Integer32(2))],
    );
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    let time = tags::PID_TAG_MESSAGE_DELIVERY_TIME;
    for (orders, wanted) in [
        (&[(time, 1)][..], [b, a, c, none]),
        (&[(time, 0)], [none, a, c, b]),
        (&[(tags::PID_TAG_SUBJECT, 0)], [none, a, b, c]),
        (
            &[(tags::PID_TAG_SUBJECT.with_type(PropType::STRING8), 1)],
            [c, b, a, none],
        ),
        (&[(time, 0), (tags::PID_TAG_SUBJECT, 1)], [none, c, a, b]),
        (&[(tags::PID_TAG_MID, 1)], [none, c, a, b]),
        (&[], [b, a, c, none]),
    ] {
        assert_eq!(sort_by(table, &mut fixture, orders), ErrorCode(0));
        // The row without subject has no value in its second column.
        assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), wanted, "{orders:?}");
    }
    let many = vec![(time, 0); 17];
    for (orders, code) in [
        (&[(PropTag(0x0037_0000), 0)][..], ErrorCode::INVALID_PARAM),
        (&[(time, 2)], ErrorCode::INVALID_PARAM),
        (&[(time, 4)], ErrorCode::INVALID_PARAM),
        (&many, ErrorCode::TOO_COMPLEX),
    ] {
        assert_eq!(sort_by(table, &mut fixture, orders), code, "{orders:?}");
    }
    let orders = [SortOrder {
        tag: time,
        order: 0,
    }];
    for (categorized_count, expanded_count, code) in [
        (1, 1, ErrorCode::NOT_SUPPORTED),
        (2, 0, ErrorCode::INVALID_PARAM),
        (0, 1, ErrorCode::INVALID_PARAM),
    ] {
        let sort_orders = SortOrderSet {
            categorized_count,
            expanded_count,
            sort_orders: (&orders).into(),
        };
        let request = SortTableRequest {
            sort_table_flags: 0,
            sort_orders,
        };
        assert_eq!(fixture.code(table, RequestBody::SortTable(request)), code);
    }
    let root = fixture.open_folder(logon, special::ROOT);
    let hierarchy = fixture.open(root, RequestBody::GetHierarchyTable(table_request(0)));
    assert_eq!(
        sort_by(hierarchy, &mut fixture, &[(time, 0)]),
        ErrorCode::NOT_SUPPORTED
    );
}

#[test]
fn hierarchies_show_direct_or_all_folders_in_order_of_name() {
    let (mut fixture, logon) = Fixture::logged_on();
    let columns = [
        tags::PID_TAG_FOLDER_ID,
        tags::PID_TAG_DEPTH,
        tags::PID_TAG_DISPLAY_NAME,
    ];
    let root = fixture.open_folder(logon, special::ROOT);
    let table = fixture.open(root, RequestBody::GetHierarchyTable(table_request(0x04)));
    fixture.set_columns(table, &columns);
    let (origin, rows) = fixture.query(table, &columns, forward(100));
    assert_eq!((origin, rows.len()), (2, 12));
    let depths = rows
        .iter()
        .filter(|row| *row.cells[1].value().unwrap() == PropValue::Integer32(2));
    assert_eq!(depths.count(), 4);
    let named = |name: &str| content(0, 1, tags::PID_TAG_DISPLAY_NAME, name);
    assert_eq!(
        restrict(table, &mut fixture, &named("folder 5")),
        ErrorCode(0)
    );
    assert_eq!(position(&mut fixture, table), (0, 1));
    let (_, rows) = fixture.query(table, &columns, forward(100));
    let inbox = PropValue::Integer64(ids::fid(special::INBOX).to_u64() as i64);
    assert_eq!(*rows[0].cells[0].value().unwrap(), inbox);
    // Folders come and go while the table is open.
    let body = RequestBody::CreateFolder(CreateFolderRequest {
        output_handle_index: OUTPUT,
        folder_type: 1,
        use_unicode_strings: false,
        open_existing: false,
        reserved: 0,
        display_name: b"FOLDER 5",
        comment: b"",
    });
    fixture.open(root, body);
    assert_eq!(position(&mut fixture, table), (1, 2));
}

#[test]
fn restrictions_of_every_kind() {
    let (mut fixture, logon) = Fixture::logged_on();
    let subject = tags::PID_TAG_SUBJECT;
    let categories = PropTag(0x8001_101F);
    let recipient = |name: &str| Recipient {
        row_id: 0,
        kind: 1,
        props: [(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]
            .into_iter()
            .collect(),
    };
    let attachment = |name: &str| Attachment {
        number: 0,
        props: [(tags::PID_TAG_ATTACH_LONG_FILENAME, PropValue::text(name))]
            .into_iter()
            .collect(),
        embedded: None,
    };
    let lunch = fixture.save(
        special::INBOX,
        Message {
            props: [
                (subject, PropValue::text("Résumé of lunch")),
                (tags::PID_TAG_IMPORTANCE, PropValue::Integer32(2)),
                (
                    tags::PID_TAG_MESSAGE_DELIVERY_TIME,
                    PropValue::Time(FileTime(100)),
                ),
                (
                    tags::PID_TAG_CLIENT_SUBMIT_TIME,
                    PropValue::Time(FileTime(90)),
                ),
                (
                    categories,
                    PropValue::MultipleString(vec!["red".into(), "Blue".into()]),
                ),
                (PropTag(0x6800_0102), PropValue::Binary(vec![1, 2, 3])),
            ]
            .into_iter()
            .collect(),
            recipients: vec![recipient("Zoë"), recipient("Bob")],
            attachments: vec![attachment("menu.pdf")],
        },
    );
    let other = fixture.add_message(
        special::INBOX,
        &[
            (subject, PropValue::text("dinner")),
            (tags::PID_TAG_IMPORTANCE, PropValue::Integer32(1)),
            (
                tags::PID_TAG_MESSAGE_DELIVERY_TIME,
                PropValue::Time(FileTime(50)),
            ),
            (
                tags::PID_TAG_CLIENT_SUBMIT_TIME,
                PropValue::Time(FileTime(50)),
            ),
        ],
    );
    fixture
        .mailbox()
        .set_read(special::INBOX, &[other], true)
        .unwrap();
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    let all = [lunch, other];
    let importance = tags::PID_TAG_IMPORTANCE;
    let number = PropValue::Integer32;
    let delivered = tags::PID_TAG_MESSAGE_DELIVERY_TIME;
    let bits = |op, tag, mask| Restriction::BitMask {
        bitmap_rel_op: op,
        prop_tag: tag,
        mask,
    };
    let size = |rel_op, tag, size| Restriction::Size {
        rel_op,
        prop_tag: tag,
        size,
    };
    let sub = |subobject: u32, restriction| Restriction::SubObject {
        subobject: PropTag(subobject),
        restriction: Box::new(restriction),
    };
    let compare = |rel_op| Restriction::CompareProperties {
        rel_op,
        prop_tag1: delivered,
        prop_tag2: tags::PID_TAG_CLIENT_SUBMIT_TIME,
    };
    let exist = |tag| Restriction::Exist { prop_tag: tag };
    let not = |restriction| Restriction::Not(Box::new(restriction));
    let string8 = Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: subject.with_type(PropType::STRING8),
        tagged_value: TaggedPropertyValue {
            tag: subject.with_type(PropType::STRING8),
            value: PropValue::String8(b"r\xE9sum\xE9 of LUNCH".to_vec()),
        },
    };
    for (restriction, wanted) in [
        (property(RelOp::EQUAL, importance, number(2)), &all[..1]),
        (property(RelOp::NOT_EQUAL, importance, number(2)), &all[1..]),
        (property(RelOp::LESS_THAN, importance, number(2)), &all[1..]),
        (
            property(RelOp::LESS_THAN_OR_EQUAL, importance, number(2)),
            &all,
        ),
        (
            property(RelOp::GREATER_THAN, importance, number(1)),
            &all[..1],
        ),
        (
            property(RelOp::GREATER_THAN_OR_EQUAL, importance, number(1)),
            &all,
        ),
        (
            property(RelOp::EQUAL, tags::PID_TAG_SENSITIVITY, number(0)),
            &[],
        ),
        (
            property(RelOp::NOT_EQUAL, tags::PID_TAG_SENSITIVITY, number(0)),
            &[],
        ),
        (
            property(
                RelOp::GREATER_THAN,
                delivered,
                PropValue::Time(FileTime(60)),
            ),
            &all[..1],
        ),
        (
            property(
                RelOp::EQUAL,
                categories.with_type(PropType::MULTIPLE_STRING),
                PropValue::text("blue"),
            ),
            &all[..1],
        ),
        (
            property(RelOp::EQUAL, tags::PID_TAG_READ, PropValue::Boolean(true)),
            &all[1..],
        ),
        (string8, &all[..1]),
        (content(1, 3, subject, "RESUME"), &all[..1]),
        (content(2, 0, subject, "din"), &all[1..]),
        (content(0, 1, subject, "DINNER"), &all[1..]),
        (content(0, 1, subject, "DINN"), &[]),
        (
            content(1, 1, categories.with_type(PropType::MULTIPLE_STRING), "LU"),
            &all[..1],
        ),
        (bits(0, tags::PID_TAG_MESSAGE_FLAGS, 1), &all[..1]),
        (bits(1, tags::PID_TAG_MESSAGE_FLAGS, 1), &all[1..]),
        (bits(1, tags::PID_TAG_MESSAGE_FLAGS, 0x10), &all[..1]),
        (size(RelOp::EQUAL, PropTag(0x6800_0102), 3), &all[..1]),
        (size(RelOp::GREATER_THAN, subject, 14), &all[..1]),
        (size(RelOp::EQUAL, subject, 14), &all[1..]),
        (exist(PropTag(0x6800_0102)), &all[..1]),
        (exist(PropTag(0x6800_0003)), &[]),
        (not(exist(categories)), &all[1..]),
        (
            sub(
                0x0E12_000D,
                content(0, 3, tags::PID_TAG_DISPLAY_NAME, "zoe"),
            ),
            &all[..1],
        ),
        (
            sub(
                0x0E12_000D,
                property(RelOp::EQUAL, tags::PID_TAG_RECIPIENT_TYPE, number(2)),
            ),
            &[],
        ),
        (
            sub(
                0x0E13_000D,
                content(1, 0, tags::PID_TAG_ATTACH_LONG_FILENAME, ".pdf"),
            ),
            &all[..1],
        ),
        (compare(RelOp::EQUAL), &all[1..]),
        (compare(RelOp::GREATER_THAN), &all[..1]),
        (
            Restriction::And(vec![exist(subject), content(1, 0, subject, "inn")]),
            &all[1..],
        ),
        (Restriction::And(vec![]), &all),
        (Restriction::Or(vec![]), &[]),
        (
            Restriction::Or(vec![
                content(1, 0, subject, "inn"),
                content(1, 0, subject, "unc"),
            ]),
            &all,
        ),
        (
            Restriction::Comment {
                tagged_values: vec![],
                restriction: None,
            },
            &all,
        ),
        (
            Restriction::Comment {
                tagged_values: vec![],
                restriction: Some(Box::new(content(2, 0, subject, "d"))),
            },
            &all[1..],
        ),
        (
            Restriction::Count {
                count: 1,
                sub_restriction: Box::new(exist(subject)),
            },
            &all[..1],
        ),
        (
            Restriction::Count {
                count: 0,
                sub_restriction: Box::new(exist(subject)),
            },
            &[],
        ),
        (
            Restriction::Count {
                count: 9,
                sub_restriction: Box::new(exist(subject)),
            },
            &all,
        ),
    ] {
        assert_eq!(
            restrict(table, &mut fixture, &restriction),
            ErrorCode(0),
            "{restriction:?}"
        );
        assert_eq!(
            fixture.mids(table, &MID_AND_SUBJECT),
            wanted,
            "{restriction:?}"
        );
    }
    for (restriction, code) in [
        (
            property(RelOp::MEMBER_OF_DL, importance, number(2)),
            ErrorCode::TOO_COMPLEX,
        ),
        (
            property(RelOp(0x06), importance, number(2)),
            ErrorCode::TOO_COMPLEX,
        ),
        (
            property(RelOp::EQUAL, importance, PropValue::text("2")),
            ErrorCode::TOO_COMPLEX,
        ),
        (content(7, 0, subject, "x"), ErrorCode::TOO_COMPLEX),
        (content(0, 8, subject, "x"), ErrorCode::TOO_COMPLEX),
        (
            bits(2, tags::PID_TAG_MESSAGE_FLAGS, 1),
            ErrorCode::TOO_COMPLEX,
        ),
        (bits(0, subject, 1), ErrorCode::TOO_COMPLEX),
        (sub(0x0E14_000D, exist(subject)), ErrorCode::TOO_COMPLEX),
    ] {
        assert_eq!(
            restrict(table, &mut fixture, &restriction),
            code,
            "{restriction:?}"
        );
    }
    for data in [
        &[0x0C][..],
        &[0x08, 0x1F, 0x00],
        &[0x08, 0x1F, 0x00, 0x37, 0x00, 0x00],
    ] {
        let request = RestrictRequest {
            restrict_flags: 0,
            restriction_data: Bytes16::new(data),
        };
        assert_eq!(
            fixture.code(table, RequestBody::Restrict(request)),
            ErrorCode::INVALID_PARAM
        );
    }
    fixture.ok(table, RequestBody::Restrict(RestrictRequest::default()));
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), all);
}

#[test]
fn the_first_matches_of_a_count_are_those_of_the_sorted_table() {
    let (mut fixture, logon) = Fixture::logged_on();
    let ids: Vec<GlobCnt> = (0..4)
        .map(|n| fixture.add_mail(special::INBOX, "mail", n))
        .collect();
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    sort_by(
        table,
        &mut fixture,
        &[(tags::PID_TAG_MESSAGE_DELIVERY_TIME, 1)],
    );
    let two = Restriction::Count {
        count: 2,
        sub_restriction: Box::new(Restriction::And(vec![])),
    };
    assert_eq!(restrict(table, &mut fixture, &two), ErrorCode(0));
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), [ids[3], ids[2]]);
    let newest = fixture.add_mail(special::INBOX, "mail", 9);
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), [newest, ids[3]]);
}

#[test]
fn multivalue_instances_have_a_row_for_each_value() {
    let (mut fixture, logon) = Fixture::logged_on();
    let categories = PropTag(0x8001_101F);
    let two = fixture.add_message(
        special::INBOX,
        &[(
            categories,
            PropValue::MultipleString(vec!["red".into(), "blue".into()]),
        )],
    );
    let none = fixture.add_mail(special::INBOX, "plain", 1);
    let instance = PropTag(0x8001_301F);
    let columns = [tags::PID_TAG_MID, tags::PID_TAG_INSTANCE_NUM, instance];
    let table = fixture.contents_table(logon, special::INBOX, &columns);
    assert_eq!(position(&mut fixture, table), (0, 3));
    assert_eq!(sort_by(table, &mut fixture, &[(instance, 0)]), ErrorCode(0));
    let (_, rows) = fixture.query(table, &columns, forward(9));
    let row = |index: usize| {
        let cells = &rows[index].cells;
        let Some(PropValue::Integer64(mid)) = cells[0].value() else {
            panic!("{cells:?}")
        };
        let Some(PropValue::Integer32(number)) = cells[1].value() else {
            panic!("{cells:?}")
        };
        (
            ropewalk_wire::Mid::from_u64(*mid as u64).globcnt(),
            *number,
            cells[2].clone(),
        )
    };
    assert_eq!(row(0), (none, 0, RowCell::Error(ErrorCode::NOT_FOUND)));
    assert_eq!(row(1), (two, 1, RowCell::Value(PropValue::text("blue"))));
    assert_eq!(row(2), (two, 0, RowCell::Value(PropValue::text("red"))));
}

#[test]
fn seeking_stops_at_the_ends() {
    let (mut fixture, logon) = Fixture::logged_on();
    for n in 0..5 {
        fixture.add_mail(special::INBOX, "mail", n);
    }
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    for (origin, count, moved, at) in [
        (0, 3, (false, 3), 3),
        (1, -2, (false, -2), 1),
        (1, -5, (true, -1), 0),
        (2, -1, (false, -1), 4),
        (1, 7, (true, 1), 5),
        (2, 1, (true, 0), 5),
        (0, i32::MIN, (true, 0), 0),
        (0, i32::MAX, (true, 5), 5),
        (1, 0, (false, 0), 5),
    ] {
        assert_eq!(
            seek_outcome(&mut fixture, table, origin, count),
            moved,
            "{origin} {count}"
        );
        assert_eq!(position(&mut fixture, table), (at, 5));
    }
    assert_eq!(fixture.code(table, seek(3, 0)), ErrorCode::INVALID_PARAM);
    let unasked = SeekRowRequest {
        origin: 0,
        row_count: 9,
        want_row_moved_count: false,
    };
    fixture.call(table, RequestBody::SeekRow(unasked), &[], |response, _| {
        let ResponseBody::SeekRow(body) = &response.body else {
            panic!("{response:?}")
        };
        assert_eq!((body.has_sought_less, body.rows_sought), (false, 0));
    });
    let fraction = |numerator, denominator| {
        RequestBody::SeekRowFractional(SeekRowFractionalRequest {
            numerator,
            denominator,
        })
    };
    for (numerator, denominator, at) in [
        (1, 2, 2),
        (0, 7, 0),
        (7, 7, 5),
        (9, 7, 5),
        (u32::MAX, u32::MAX, 5),
    ] {
        fixture.ok(table, fraction(numerator, denominator));
        assert_eq!(position(&mut fixture, table), (at, 5));
    }
    assert_eq!(
        fixture.code(table, fraction(1, 0)),
        ErrorCode::INVALID_PARAM
    );
}

#[test]
fn rows_are_found_from_anywhere_in_both_directions() {
    let (mut fixture, logon) = Fixture::logged_on();
    let ids: Vec<GlobCnt> = ["a", "b", "a", "c"]
        .iter()
        .map(|subject| fixture.add_mail(special::INBOX, subject, 1))
        .collect();
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    let is = |subject: &str| content(0, 0, tags::PID_TAG_SUBJECT, subject);
    let a = is("a");
    assert_eq!(
        find(&mut fixture, table, &a, 0, 0, &[]),
        Ok((false, ids[0]))
    );
    // The cursor is on the row that was found, which is found again.
    assert_eq!(
        find(&mut fixture, table, &a, 1, 0, &[]),
        Ok((false, ids[0]))
    );
    fixture.ok(table, seek(1, 1));
    assert_eq!(
        find(&mut fixture, table, &a, 1, 0, &[]),
        Ok((false, ids[2]))
    );
    assert_eq!(position(&mut fixture, table), (2, 4));
    assert_eq!(
        find(&mut fixture, table, &a, 1, 1, &[]),
        Ok((false, ids[0])),
        "the row before"
    );
    assert_eq!(
        find(&mut fixture, table, &a, 2, 1, &[]),
        Ok((false, ids[2]))
    );
    assert_eq!(
        find(&mut fixture, table, &a, 2, 0, &[]),
        Err(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        find(&mut fixture, table, &is("d"), 0, 0, &[]),
        Err(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        find(&mut fixture, table, &a, 4, 0, &[]),
        Err(ErrorCode::INVALID_PARAM)
    );
    assert_eq!(
        find(&mut fixture, table, &a, 0, 2, &[]),
        Err(ErrorCode::INVALID_PARAM)
    );
    assert_eq!(
        find(&mut fixture, table, &a, 3, 0, &[1]),
        Err(ErrorCode::INVALID_BOOKMARK)
    );
    let wrong = property(
        RelOp::MEMBER_OF_DL,
        tags::PID_TAG_SUBJECT,
        PropValue::text("a"),
    );
    assert_eq!(
        find(&mut fixture, table, &wrong, 0, 0, &[]),
        Err(ErrorCode::TOO_COMPLEX)
    );
}

#[test]
fn bookmarks_hold_their_rows_until_the_view_changes() {
    let (mut fixture, logon) = Fixture::logged_on();
    let ids: Vec<GlobCnt> = (0..4)
        .map(|n| fixture.add_mail(special::INBOX, "mail", n))
        .collect();
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    fixture.ok(table, seek(0, 2));
    let third = bookmark(&mut fixture, table);
    fixture.ok(table, seek(0, 0));
    assert_eq!(
        seek_bookmark(&mut fixture, table, &third, 1),
        Ok((false, false, 1))
    );
    assert_eq!(position(&mut fixture, table), (3, 4));
    assert_eq!(
        seek_bookmark(&mut fixture, table, &third, -9),
        Ok((false, true, -2))
    );

    // Others change the folder.
    let mailbox = fixture.mailbox();
    mailbox
        .delete_messages(special::INBOX, &[ids[0]], false)
        .unwrap();
    assert_eq!(
        seek_bookmark(&mut fixture, table, &third, 0),
        Ok((false, false, 0))
    );
    assert_eq!(position(&mut fixture, table), (1, 3));
    mailbox
        .delete_messages(special::INBOX, &[ids[2]], true)
        .unwrap();
    assert_eq!(
        seek_bookmark(&mut fixture, table, &third, 0),
        Ok((true, false, 0))
    );
    let everything = Restriction::And(vec![]);
    let found = find(&mut fixture, table, &everything, 3, 0, &third);
    assert_eq!(
        found,
        Ok((true, ids[3])),
        "the search goes on from the next row"
    );

    let second = bookmark(&mut fixture, table);
    fixture.ok(table, free(&second));
    assert_eq!(
        fixture.code(table, free(&second)),
        ErrorCode::INVALID_BOOKMARK
    );
    assert_eq!(
        fixture.code(table, free(&[0; 3])),
        ErrorCode::INVALID_BOOKMARK
    );
    sort_by(table, &mut fixture, &[(tags::PID_TAG_SUBJECT, 0)]);
    let gone = Err(ErrorCode::INVALID_BOOKMARK);
    assert_eq!(seek_bookmark(&mut fixture, table, &third, 0), gone);
    assert_eq!(
        find(&mut fixture, table, &everything, 3, 0, &third),
        Err(ErrorCode::INVALID_BOOKMARK)
    );
    let fourth = bookmark(&mut fixture, table);
    fixture.ok(table, RequestBody::Restrict(RestrictRequest::default()));
    assert_eq!(seek_bookmark(&mut fixture, table, &fourth, 0), gone);
    let fifth = bookmark(&mut fixture, table);
    fixture.ok(table, RequestBody::ResetTable(EmptyRequest {}));
    assert_eq!(seek_bookmark(&mut fixture, table, &fifth, 0), gone);
    assert_eq!(
        fixture.code(table, RequestBody::QueryRows(forward(1))),
        ErrorCode::NULL_OBJECT
    );
    for _ in 0..super::rows::BOOKMARKS_MAX {
        bookmark(&mut fixture, table);
    }
    let one_more = fixture.code(table, RequestBody::CreateBookmark(EmptyRequest {}));
    assert_eq!(one_more, ErrorCode::NOT_ENOUGH_MEMORY);
}

#[test]
fn an_open_table_follows_its_folder() {
    let (mut fixture, logon) = Fixture::logged_on();
    let old = fixture.add_mail(special::INBOX, "old", 10);
    let older = fixture.add_mail(special::INBOX, "older", 5);
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    sort_by(
        table,
        &mut fixture,
        &[(tags::PID_TAG_MESSAGE_DELIVERY_TIME, 1)],
    );
    let unread = Restriction::BitMask {
        bitmap_rel_op: 0,
        prop_tag: tags::PID_TAG_MESSAGE_FLAGS,
        mask: 1,
    };
    restrict(table, &mut fixture, &unread);
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), [old, older]);
    fixture.ok(table, seek(0, 1));
    let new = fixture.add_mail(special::INBOX, "new", 20);
    assert_eq!(
        position(&mut fixture, table),
        (2, 3),
        "the cursor stays on its row"
    );
    fixture
        .mailbox()
        .set_read(special::INBOX, &[old], true)
        .unwrap();
    assert_eq!(position(&mut fixture, table), (1, 2));
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), [new, older]);
    fixture
        .mailbox()
        .set_read(special::INBOX, &[old], false)
        .unwrap();
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), [new, old, older]);
    fixture
        .mailbox()
        .move_messages(special::INBOX, special::OUTBOX, &[new])
        .unwrap();
    assert_eq!(fixture.mids(table, &MID_AND_SUBJECT), [old, older]);
}

#[test]
fn rows_that_do_not_fit_wait_for_the_next_request() {
    let (mut fixture, logon) = Fixture::logged_on();
    let subject = "s".repeat(200);
    for n in 0..200 {
        fixture.add_mail(special::INBOX, &subject, n);
    }
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    let mut read = 0;
    for _ in 0..10 {
        let (origin, rows) = fixture.query(table, &MID_AND_SUBJECT, forward(u16::MAX));
        read += rows.len();
        assert!(!rows.is_empty());
        if origin == 2 {
            break;
        }
        // 411 bytes each in at most 32 KiB.
        assert!(rows.len() > 70);
    }
    assert_eq!(read, 200);
    let backward = QueryRowsRequest {
        forward_read: false,
        ..forward(u16::MAX)
    };
    let (origin, rows) = fixture.query(table, &MID_AND_SUBJECT, backward);
    assert_eq!(
        (origin, position(&mut fixture, table).0 as usize),
        (1, 200 - rows.len())
    );

    // Not even one row fits.
    let mut batch = ropewalk_wire::client::RopBatch::new();
    let input = batch.handle(table);
    fixture.ok(table, seek(0, 0));
    let query = Request::new(0, input, RequestBody::QueryRows(forward(1)));
    batch.push_with_columns(query.clone(), &MID_AND_SUBJECT);
    fixture
        .run_into(&batch, 300, |output| {
            let code = output.responses().next().unwrap().return_value;
            assert_eq!(code, ErrorCode::BUFFER_TOO_SMALL);
        })
        .unwrap();
    // Behind another response it may fit when it is sent again.
    let mut batch = ropewalk_wire::client::RopBatch::new();
    let input = batch.handle(table);
    batch.push(Request::new(
        0,
        input,
        RequestBody::GetStatus(EmptyRequest {}),
    ));
    batch.push_with_columns(query, &MID_AND_SUBJECT);
    let needed = fixture
        .run_into(&batch, 300, |output| {
            output.buffer_too_small().unwrap().size_needed
        })
        .unwrap();
    assert!(needed > 400 && needed < 500, "{needed}");
}

#[test]
fn status_columns_and_abort() {
    let (mut fixture, logon) = Fixture::logged_on();
    fixture.add_message(
        special::INBOX,
        &[(PropTag(0x6800_0003), PropValue::Integer32(1))],
    );
    let table = fixture.contents_table(logon, special::INBOX, &MID_AND_SUBJECT);
    let status = RequestBody::GetStatus(EmptyRequest {});
    fixture.call(table, status, &[], |response, _| {
        let wanted = TableStatusResponse { table_status: 0 };
        assert_eq!(response.body, ResponseBody::GetStatus(wanted));
    });
    let abort = RequestBody::Abort(EmptyRequest {});
    assert_eq!(fixture.code(table, abort), ErrorCode::UNABLE_TO_ABORT);
    let all = RequestBody::QueryColumnsAll(EmptyRequest {});
    fixture.call(table, all, &[], |response, _| {
        let ResponseBody::QueryColumnsAll(body) = &response.body else {
            panic!("{response:?}")
        };
        let columns: Vec<PropTag> = body.property_tags.iter().collect();
        for tag in [
            PropTag(0x6800_0003),
            tags::PID_TAG_MID,
            tags::PID_TAG_INST_ID,
            tags::PID_TAG_INSTANCE_KEY,
        ] {
            assert!(columns.contains(&tag), "{tag:?}");
        }
    });
}

#[test]
fn what_tables_keep_in_memory_is_bounded() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let long = content(1, 0, tags::PID_TAG_SUBJECT, &"x".repeat(15_000));
    let mut tables = Vec::new();
    let refused = loop {
        let table = fixture.open(folder, RequestBody::GetContentsTable(table_request(0)));
        tables.push(table);
        let code = restrict(table, &mut fixture, &long);
        if code != ErrorCode(0) || tables.len() > 1000 {
            break code;
        }
    };
    assert_eq!(refused, ErrorCode::NOT_ENOUGH_MEMORY);
    assert!(tables.len() > 200, "{}", tables.len());
    // What is released makes room.
    fixture.release(tables[0]);
    assert_eq!(restrict(tables[1], &mut fixture, &long), ErrorCode(0));
    assert_eq!(
        restrict(*tables.last().unwrap(), &mut fixture, &long),
        ErrorCode(0)
    );
}
