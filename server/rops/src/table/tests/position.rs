//! Cursors, bookmarks and searches, while the folder changes.

use super::*;

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
        (0, 0, 0),
        (1, 0, 5),
    ] {
        fixture.ok(table, fraction(numerator, denominator));
        assert_eq!(position(&mut fixture, table), (at, 5));
    }
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
    for _ in 0..crate::table::rows::BOOKMARKS_MAX {
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
