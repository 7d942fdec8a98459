//! Notifications and what else a server sends unasked (MS-OXCROPS 2.2.14 and 2.2.15).

use super::*;

#[test]
fn notification_requests() {
    let scope = NotificationScope {
        folder_id: fid(7),
        message_id: Mid::default(),
    };
    request(
        "05 7C00 00 0100000000000007 0000000000000000",
        RequestBody::RegisterNotification(RegisterNotificationRequest {
            output_handle_index: 5,
            notification_types: 0x007C,
            reserved: 0,
            scope: Some(scope),
        }),
    );
    request(
        "05 0201 01",
        RequestBody::RegisterNotification(RegisterNotificationRequest {
            output_handle_index: 5,
            notification_types: 0x0102,
            reserved: 0,
            scope: None,
        }),
    );
    request(
        "05 0204 00 01",
        RequestBody::RegisterNotification(RegisterNotificationRequest {
            output_handle_index: 5,
            notification_types: 0x0402,
            reserved: 0,
            scope: None,
        }),
    );
}

/// A RopNotify with NotificationHandle 6 and LogonId 1.
fn notify(digits: &str, data: NotificationData<'_>) {
    let bytes = [vec![0x2A, 6, 0, 0, 0, 1], bytes(digits)].concat();
    let expected = OutputRop::Notify(NotifyResponse {
        notification_handle: 6,
        logon_id: 1,
        notification_data: data,
    });
    let mut input = Reader::new(&bytes);
    assert_eq!(OutputRop::decode(&mut input, None, &[]).unwrap(), expected);
    assert!(input.is_empty(), "{expected:?}");
    let mut out = Vec::new();
    expected.encode(&mut out).unwrap();
    assert_eq!(out, bytes);
    for len in 0..bytes.len() {
        let cut = OutputRop::decode(&mut Reader::new(&bytes[..len]), None, &[]);
        assert!(cut.is_err(), "{expected:?} cut to {len}");
    }
}

fn plain(event: NotificationEvent<'_>) -> NotificationData<'_> {
    NotificationData {
        search_folder: false,
        event,
        total_message_count: None,
        unread_message_count: None,
    }
}

/// MS-OXCNOTIF 2.2.1.4.1.2.
#[test]
fn notifications_of_objects() {
    let folder = NotificationObject {
        folder_id: fid(7),
        message_id: None,
    };
    let message = NotificationObject {
        folder_id: fid(7),
        message_id: Some(mid(9)),
    };
    let (folder_digits, message_digits) = ("0100000000000007", "0100000000000009");
    notify(
        &format!("0280 {folder_digits} {message_digits} 01000000 01 49004D000000"),
        plain(NotificationEvent::NewMail {
            object: message,
            message_flags: 1,
            unicode: true,
            message_class: b"I\0M\0",
        }),
    );
    notify(
        &format!("0400 {folder_digits} 0100000000000008 0000"),
        plain(NotificationEvent::Created {
            object: folder,
            parent_folder_id: Some(fid(8)),
            tags: NotificationTags::Known(List::default()),
        }),
    );
    // A message has no ParentFolderId, but in a search folder.
    notify(
        &format!("0880 {folder_digits} {message_digits}"),
        plain(NotificationEvent::Deleted {
            object: message,
            parent_folder_id: None,
        }),
    );
    notify(
        &format!("08C0 {folder_digits} {message_digits} 0100000000000008"),
        NotificationData {
            search_folder: true,
            ..plain(NotificationEvent::Deleted {
                object: message,
                parent_folder_id: Some(fid(8)),
            })
        },
    );
    notify(
        &format!("1030 {folder_digits} 0200 03000236 03000336 2A000000 05000000"),
        NotificationData {
            total_message_count: Some(42),
            unread_message_count: Some(5),
            ..plain(NotificationEvent::Modified {
                object: folder,
                tags: NotificationTags::Known(
                    (&[PropTag(0x3602_0003), PropTag(0x3603_0003)]).into(),
                ),
            })
        },
    );
    notify(
        &format!("1080 {folder_digits} {message_digits} FFFF"),
        plain(NotificationEvent::Modified {
            object: message,
            tags: NotificationTags::Unknown,
        }),
    );
    notify(
        &format!("2000 {folder_digits} 0100000000000008 0100000000000005 0100000000000006"),
        plain(NotificationEvent::MovedOrCopied {
            copied: false,
            object: folder,
            parent_folder_id: Some(fid(8)),
            old_folder_id: fid(5),
            old_message_id: None,
            old_parent_folder_id: Some(fid(6)),
        }),
    );
    notify(
        &format!("4080 {folder_digits} {message_digits} 0100000000000005 0100000000000006"),
        plain(NotificationEvent::MovedOrCopied {
            copied: true,
            object: message,
            parent_folder_id: None,
            old_folder_id: fid(5),
            old_message_id: Some(mid(6)),
            old_parent_folder_id: None,
        }),
    );
    notify(
        &format!("8000 {folder_digits}"),
        plain(NotificationEvent::SearchComplete { object: folder }),
    );
}

/// MS-OXCNOTIF 2.2.1.4.1.2 and 2.2.1.1.1.
#[test]
fn notifications_of_tables() {
    notify(
        "0001 0100",
        plain(NotificationEvent::Table {
            table_event_type: 1,
            message: false,
        }),
    );
    let row = TableRowId {
        folder_id: fid(7),
        message: Some((mid(9), 0)),
    };
    let insert_after = TableRowId {
        folder_id: fid(7),
        message: Some((mid(8), 1)),
    };
    let event = NotificationEvent::TableRow {
        modified: false,
        row,
        insert_after,
        table_row_data: Bytes::new(&[0, 7, 0, 0, 0]),
    };
    let decoded = event.table_row(&COLUMNS).unwrap().unwrap();
    assert_eq!(decoded.cells[0].value(), Some(&PropValue::Integer32(7)));
    notify(
        "0081 0300 0100000000000007 0100000000000009 00000000 \
         0100000000000007 0100000000000008 01000000 0500 00 07000000",
        plain(event),
    );
    // In a hierarchy table.
    let folder = |counter| TableRowId {
        folder_id: fid(counter),
        message: None,
    };
    notify(
        "0001 0500 0100000000000007 0100000000000008 0500 00 07000000",
        plain(NotificationEvent::TableRow {
            modified: true,
            row: folder(7),
            insert_after: folder(8),
            table_row_data: Bytes::new(&[0, 7, 0, 0, 0]),
        }),
    );
    notify(
        "0081 0400 0100000000000007 0100000000000009 00000000",
        plain(NotificationEvent::TableRowDeleted { row }),
    );
}

#[test]
fn a_backoff_lists_rops() {
    let bytes = bytes("F9 01 E8030000 01 15 D0070000 0200 AABB");
    let expected = OutputRop::Backoff(BackoffResponse {
        logon_id: 1,
        duration: 1000,
        backoff_rop_data: (&[BackoffRop {
            rop_id_backoff: 0x15,
            duration: 2000,
        }])
            .into(),
        additional_data: Bytes::new(&[0xAA, 0xBB]),
    });
    let read = OutputRop::decode(&mut Reader::new(&bytes), None, &[]).unwrap();
    assert_eq!(read, expected);
    let mut out = Vec::new();
    expected.encode(&mut out).unwrap();
    assert_eq!(out, bytes);
}
