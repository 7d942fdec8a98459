//! Opening tables and sorting them.

use super::*;

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
        (1, 1, ErrorCode(0)),
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

/// PITFALLS 16: counting the messages of a large folder must not read them.
#[test]
fn messages_are_counted_without_being_read() {
    let (fixture, _) = Fixture::logged_on();
    for i in 0..50 {
        fixture.add_mail(special::INBOX, "counted", i);
    }
    let mut fixture = fixture.reopened();
    let logon = fixture.logon(0);
    let inbox = fixture.open_folder(logon, special::INBOX);
    let contents = RequestBody::GetContentsTable(table_request(0));
    let count = fixture.call(inbox, contents, &[], |response, _| match &response.body {
        ResponseBody::GetContentsTable(body) => body.row_count,
        _ => panic!("{response:?}"),
    });
    assert_eq!(count, 50);
    // All that a folder tells of itself, PidTagContentCount and PidTagContentUnreadCount with it.
    let all = RequestBody::GetPropertiesAll(GetPropertiesAllRequest {
        property_size_limit: 0,
        want_unicode: 1,
    });
    assert_eq!(fixture.code(inbox, all), ErrorCode(0));
    let hierarchy = RequestBody::GetHierarchyTable(table_request(0x04));
    let root = fixture.open_folder(logon, special::ROOT);
    let table = fixture.open(root, hierarchy);
    let columns = [
        tags::PID_TAG_CONTENT_COUNT,
        tags::PID_TAG_CONTENT_UNREAD_COUNT,
    ];
    let set = RequestBody::SetColumns(SetColumnsRequest {
        set_columns_flags: 0,
        property_tags: (&columns).into(),
    });
    assert_eq!(fixture.code(table, set), ErrorCode(0));
    let mut most = 0;
    fixture.call(
        table,
        RequestBody::QueryRows(forward(100)),
        &columns,
        |response, _| {
            if let ResponseBody::QueryRows(body) = &response.body {
                most = body.row_count;
            }
        },
    );
    assert!(most > 5);
    assert!(!fixture.mailbox().has_contents(special::INBOX));
}
