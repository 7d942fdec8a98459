//! Rows, columns and cells.

use super::*;

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

#[test]
fn a_property_of_very_many_values_makes_a_bounded_number_of_rows() {
    let (mut fixture, logon) = Fixture::logged_on();
    let many = PropTag(0x6801_1002);
    let values = PropValue::MultipleInteger16((0..3000).collect());
    fixture.add_message(special::INBOX, &[(many, values)]);
    let instance = many.with_type(PropType(0x3002));
    let columns = [tags::PID_TAG_INSTANCE_NUM, instance];
    let table = fixture.contents_table(logon, special::INBOX, &columns);
    assert_eq!(position(&mut fixture, table).1, 1024);
    fixture.ok(table, seek(2, -1));
    let cells = fixture.query(table, &columns, forward(1));
    assert_eq!(
        cells.1[0].cells[1].value(),
        Some(&PropValue::Integer16(1023))
    );
}
