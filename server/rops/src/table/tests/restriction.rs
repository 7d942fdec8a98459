//! Restrictions.

use super::*;

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
