use ropewalk_props::{PropTag, PropType, PropValue, tags::*};
use ropewalk_wire::{
    ErrorCode,
    codec::{AsciiZ, Bytes16},
    recipient::{ModifyRecipientRow, OpenRecipientRow, Recipient, RecipientAddress, RecipientRow},
    rop::*,
    row::{PropertyRow, RowCell},
};

use crate::test_client::{Client, inbox, tagged, text};

const COLUMNS: [PropTag; 2] = [PID_TAG_DISPLAY_TYPE_EX, PropTag(0x6800_001E)];

fn row(recipient: Recipient<'_>, cells: Vec<RowCell>) -> Vec<u8> {
    let row = RecipientRow {
        recipient,
        properties: PropertyRow { cells },
    };
    let mut out = Vec::new();
    row.encode(&mut out, &COLUMNS).unwrap();
    out
}

fn modify(client: &mut Client, message: u32, rows: &[(u32, u8, Vec<u8>)]) -> Result<(), ErrorCode> {
    let rows: Vec<_> = rows
        .iter()
        .map(|(row_id, recipient_type, row)| ModifyRecipientRow {
            row_id: *row_id,
            recipient_type: *recipient_type,
            recipient_row: Bytes16::new(row),
        })
        .collect();
    let body = ModifyRecipientsRequest {
        recipient_columns: (&COLUMNS).into(),
        recipient_rows: (&rows).into(),
    };
    client
        .ask(message, RequestBody::ModifyRecipients(body))
        .map(drop)
}

/// RowId, RecipientType and address of what RopReadRecipients gives.
fn read(client: &mut Client, message: u32, row_id: u32) -> Result<Vec<(u32, u8)>, ErrorCode> {
    let body = ReadRecipientsRequest {
        row_id,
        reserved: 0,
    };
    match client.ask(message, RequestBody::ReadRecipients(body))? {
        ResponseBody::ReadRecipients(response) => Ok(response
            .recipient_rows
            .iter()
            .map(|row| (row.row_id, row.recipient_type))
            .collect()),
        other => panic!("{other:?}"),
    }
}

fn utf16(text: &str) -> Vec<u8> {
    ropewalk_props::Utf16Text::from(text).into_bytes()
}

fn smtp<'a>(name: &'a [u8], address: &'a [u8]) -> Recipient<'a> {
    Recipient {
        address: RecipientAddress::SMTP,
        unicode: true,
        email_address: Some(address),
        display_name: Some(name),
        ..Recipient::default()
    }
}

fn opened(client: &mut Client, message: u32) -> OpenMessageResponse<'static> {
    let body = ReloadCachedInformationRequest::default();
    match client
        .ask(message, RequestBody::ReloadCachedInformation(body))
        .unwrap()
    {
        ResponseBody::ReloadCachedInformation(response) => response,
        other => panic!("{other:?}"),
    }
}

fn cell(response: &OpenMessageResponse<'_>, row: &OpenRecipientRow<'_>, tag: PropTag) -> RowCell {
    let columns: Vec<PropTag> = response.recipient_columns.iter().collect();
    let row = row.row(columns.iter().copied()).unwrap();
    let index = columns.iter().position(|column| *column == tag).unwrap();
    row.properties.cells[index].clone()
}

#[test]
fn every_kind_of_recipient_comes_back_as_it_went() {
    let mut client = Client::new();
    let message = client.create_message();
    let (name, address) = (utf16("Bob"), utf16("bob@example.test"));
    let (x500, list) = (b"/o=Ropewalk/cn=Recipients/cn=ada", b"key");
    let kinds = [
        smtp(&name, &address),
        Recipient {
            address: RecipientAddress::X500 {
                address_prefix_used: "/o=Ropewalk/cn=Recipients/cn=".len() as u8,
                display_type: 0,
                x500_dn: AsciiZ(b"ada"),
            },
            display_name: Some(b"Ad\xE0"),
            same_name: true,
            ..Recipient::default()
        },
        Recipient {
            address: RecipientAddress::Other {
                address_type: AsciiZ(b"X400"),
            },
            email_address: Some(b"c=us"),
            simple_display_name: Some(b"simple"),
            transmittable_display_name: Some(b"sent"),
            no_rich_info: true,
            responsibility: true,
            ..Recipient::default()
        },
        Recipient {
            address: RecipientAddress::PersonalDistributionList {
                recipient_type: 6,
                entry_id: Bytes16::new(b"id"),
                search_key: Bytes16::new(list),
            },
            display_name: Some(b"Friends"),
            ..Recipient::default()
        },
        Recipient {
            display_name: Some(b"Nobody"),
            ..Recipient::default()
        },
    ];
    let rows: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            let cells = vec![
                RowCell::Value(PropValue::Integer32(index as i32)),
                RowCell::Value(PropValue::String8(b"caf\xE9".to_vec())),
            ];
            (index as u32, 1, row(*kind, cells))
        })
        .collect();
    assert_eq!(modify(&mut client, message, &rows), Ok(()));
    let id = client.save(message, 2).unwrap();
    let (reopened, response) = client.open_message_in(inbox(), id, 0).unwrap();
    assert_eq!(response.recipient_count, 5);
    let columns: Vec<PropTag> = response.recipient_columns.iter().collect();
    let back: Vec<_> = response
        .recipient_rows
        .iter()
        .map(|row| row.row(columns.iter().copied()).unwrap().recipient)
        .collect();
    assert_eq!(back[0], smtp(&name, &address));
    assert_eq!(
        back[1].address,
        RecipientAddress::X500 {
            address_prefix_used: 0,
            display_type: 0,
            x500_dn: AsciiZ(x500),
        }
    );
    assert_eq!(back[1].display_name, Some(&utf16("Adà")[..]));
    assert!(back[1].same_name && back[1].transmittable_display_name.is_none());
    assert_eq!(back[2].address, kinds[2].address);
    assert_eq!(back[2].email_address, Some(&utf16("c=us")[..]));
    assert_eq!(
        back[2].display_name,
        Some(&utf16("c=us")[..]),
        "a name is made of the address"
    );
    assert_eq!(back[2].simple_display_name, Some(&utf16("simple")[..]));
    assert_eq!(back[2].transmittable_display_name, Some(&utf16("sent")[..]));
    assert!(back[2].no_rich_info && back[2].responsibility && back[2].unicode);
    assert_eq!(back[3].address, kinds[3].address);
    assert_eq!(back[4].address, RecipientAddress::None);

    let rows: Vec<_> = response.recipient_rows.iter().collect();
    let value = |row: usize, tag| cell(&response, &rows[row], tag).value().cloned();
    assert_eq!(
        value(2, PID_TAG_DISPLAY_TYPE_EX),
        Some(PropValue::Integer32(2))
    );
    assert_eq!(
        value(0, PropTag(0x6800_001F)),
        Some(PropValue::text("café"))
    );
    for row in 0..5 {
        for tag in [PID_TAG_ENTRY_ID, PID_TAG_SEARCH_KEY] {
            let value = value(row, tag);
            assert!(
                matches!(&value, Some(PropValue::Binary(key)) if !key.is_empty()),
                "{value:?}"
            );
        }
        assert!(
            value(row, PID_TAG_OBJECT_TYPE).is_some() && value(row, PID_TAG_DISPLAY_TYPE).is_some()
        );
    }
    assert_eq!(
        value(0, PID_TAG_SEARCH_KEY),
        Some(PropValue::Binary(b"SMTP:BOB@EXAMPLE.TEST\0".to_vec()))
    );
    assert_eq!(
        value(1, PID_TAG_SMTP_ADDRESS),
        Some(PropValue::text("ada@example.test"))
    );
    assert_eq!(value(3, PID_TAG_OBJECT_TYPE), Some(PropValue::Integer32(8)));
    assert_eq!(
        client.get(reopened, PID_TAG_DISPLAY_TO),
        Ok(PropValue::text("Bob; Adà; c=us; Friends; Nobody"))
    );
}

#[test]
fn rows_are_added_replaced_and_removed_on_their_handle_alone() {
    let mut client = Client::new();
    let id = client.saved(&[]);
    let message = client.open_message(id, 1);
    let recipient = |name: &str| {
        let (name, address) = (utf16(name), utf16("x@example.test"));
        row(smtp(&name, &address), vec![])
    };
    assert_eq!(read(&mut client, message, 0), Err(ErrorCode::NOT_FOUND));
    modify(
        &mut client,
        message,
        &[(5, 1, recipient("a")), (2, 2, recipient("b"))],
    )
    .unwrap();
    modify(
        &mut client,
        message,
        &[(5, 3, recipient("c")), (9, 1, recipient("d"))],
    )
    .unwrap();
    assert_eq!(
        read(&mut client, message, 0),
        Ok(vec![(2, 2), (5, 3), (9, 1)])
    );
    assert_eq!(read(&mut client, message, 5), Ok(vec![(5, 3), (9, 1)]));
    assert_eq!(read(&mut client, message, 6), Err(ErrorCode::NOT_FOUND));
    for (tag, names) in [
        (PID_TAG_DISPLAY_TO, "d"),
        (PID_TAG_DISPLAY_CC, "b"),
        (PID_TAG_DISPLAY_BCC, "c"),
    ] {
        assert_eq!(client.get(message, tag), Ok(PropValue::text(names)));
    }
    modify(&mut client, message, &[(2, 0, vec![]), (77, 0, vec![])]).unwrap();
    assert_eq!(read(&mut client, message, 0), Ok(vec![(5, 3), (9, 1)]));
    let reader = client.open_message(id, 0);
    assert_eq!(read(&mut client, reader, 0), Err(ErrorCode::NOT_FOUND));
    client.save(message, 2).unwrap();
    let reader = client.open_message(id, 0);
    assert_eq!(read(&mut client, reader, 0), Ok(vec![(5, 3), (9, 1)]));
    assert_eq!(
        modify(&mut client, reader, &[(5, 1, vec![])]),
        Err(ErrorCode::ACCESS_DENIED)
    );

    let remove = || RequestBody::RemoveAllRecipients(RemoveAllRecipientsRequest { reserved: 7 });
    assert!(client.ask(message, remove()).is_ok());
    assert!(client.ask(message, remove()).is_ok(), "of none");
    assert_eq!(read(&mut client, message, 0), Err(ErrorCode::NOT_FOUND));
    assert_eq!(
        client.get(message, PID_TAG_DISPLAY_TO),
        Ok(PropValue::text(""))
    );
    assert_eq!(read(&mut client, reader, 0).map(|rows| rows.len()), Ok(2));
    let folder = client.open_folder(crate::test_client::INBOX);
    assert_eq!(
        client.ask(folder, remove()).unwrap_err(),
        ErrorCode::NULL_OBJECT
    );
    assert_eq!(
        modify(&mut client, folder, &[]),
        Err(ErrorCode::NULL_OBJECT)
    );
    assert_eq!(read(&mut client, folder, 0), Err(ErrorCode::NULL_OBJECT));
}

#[test]
fn rows_are_read_in_the_columns_in_which_they_were_written() {
    let mut client = Client::new();
    let message = client.create_message();
    let (name, address) = (utf16("Bob"), utf16("bob@example.test"));
    let cells = vec![RowCell::Value(PropValue::Integer32(4))];
    modify(
        &mut client,
        message,
        &[(0, 1, row(smtp(&name, &address), cells))],
    )
    .unwrap();
    let body = ReadRecipientsRequest {
        row_id: 0,
        reserved: 0,
    };
    let answer = client
        .ask(message, RequestBody::ReadRecipients(body))
        .unwrap();
    let ResponseBody::ReadRecipients(response) = answer else {
        panic!()
    };
    let first = response.recipient_rows.iter().next().unwrap();
    let row = first.row(COLUMNS.into_iter()).unwrap();
    assert_eq!(
        row.properties.cells,
        [
            RowCell::Value(PropValue::Integer32(4)),
            RowCell::Error(ErrorCode::NOT_FOUND)
        ]
    );
    // After a reload, in the columns that it told.
    let response = opened(&mut client, message);
    let columns: Vec<PropTag> = response.recipient_columns.iter().collect();
    let answer = client
        .ask(message, RequestBody::ReadRecipients(body))
        .unwrap();
    let ResponseBody::ReadRecipients(response) = answer else {
        panic!()
    };
    assert!(
        response
            .recipient_rows
            .iter()
            .next()
            .unwrap()
            .row(columns.into_iter())
            .is_ok()
    );
}

#[test]
fn many_recipients_come_as_many_as_fit_and_the_rest_by_reading() {
    const COUNT: u32 = 400;
    let mut client = Client::new();
    let message = client.create_message();
    for start in (0..COUNT).step_by(100) {
        let rows: Vec<_> = (start..start + 100)
            .map(|id| {
                let name = utf16(&format!("Recipient with a longish name, number {id}"));
                let address = utf16(&format!("recipient.{id}@example.test"));
                (id, 1, row(smtp(&name, &address), vec![]))
            })
            .collect();
        modify(&mut client, message, &rows).unwrap();
    }
    let id = client.save(message, 2).unwrap();
    let (message, response) = client.open_message_in(inbox(), id, 0).unwrap();
    assert_eq!(response.recipient_count, COUNT as u16);
    assert!(response.recipient_rows.len() < COUNT as usize && !response.recipient_rows.is_empty());
    let mut next = 0;
    while next < COUNT {
        let rows = read(&mut client, message, next).unwrap();
        assert_eq!(rows[0].0, next);
        next = rows[rows.len() - 1].0 + 1;
    }
}

#[test]
fn rows_that_lie_and_rows_without_end_are_refused() {
    let mut client = Client::new();
    let message = client.create_message();
    let (name, address) = (utf16("Bob"), utf16("bob@example.test"));
    let good = row(smtp(&name, &address), vec![]);
    let mut cut = good.clone();
    cut.pop();
    // All of the rows or none.
    let rows = [(0, 1, good.clone()), (1, 1, cut)];
    assert_eq!(
        modify(&mut client, message, &rows),
        Err(ErrorCode::RPC_FORMAT)
    );
    assert_eq!(read(&mut client, message, 0), Err(ErrorCode::NOT_FOUND));
    let mut added = 0;
    let result = (0..200).try_for_each(|batch| {
        let rows: Vec<_> = (0..100)
            .map(|id| (batch * 100 + id, 1, good.clone()))
            .collect();
        added += rows.len();
        modify(&mut client, message, &rows)
    });
    assert_eq!(result, Err(ErrorCode::TOO_MANY_RECIPS));
    assert_eq!(added, crate::limits::RECIPIENTS_MAX + 100);
}

#[test]
fn a_recipient_that_a_mailer_stored_has_its_row() {
    // Without the columns that RopModifyRecipients adds.
    let mut client = Client::new();
    let mailbox = client.mailbox();
    let props = [
        (PID_TAG_DISPLAY_NAME, PropValue::text("Bob")),
        (PID_TAG_ADDRESS_TYPE, PropValue::text("SMTP")),
        (PID_TAG_EMAIL_ADDRESS, PropValue::text("bob@example.test")),
    ];
    let message = ropewalk_store::Message {
        recipients: vec![ropewalk_store::Recipient {
            row_id: 0,
            kind: 1,
            props: props.into_iter().collect(),
        }],
        ..Default::default()
    };
    let entry = mailbox
        .save_message(ropewalk_store::SaveMessage {
            folder: crate::test_client::INBOX,
            id: None,
            associated: false,
            read: None,
            expected_cn: None,
            message,
        })
        .unwrap();
    let id = crate::ids::mid(entry.id);
    let (message, response) = client.open_message_in(inbox(), id, 0).unwrap();
    let row = response.recipient_rows.iter().next().unwrap();
    assert_eq!(
        cell(&response, &row, PID_TAG_DISPLAY_TYPE),
        RowCell::Error(ErrorCode::NOT_FOUND)
    );
    assert_eq!(
        client.set(message, &[text(PID_TAG_SUBJECT, "x")]),
        Err(ErrorCode::ACCESS_DENIED)
    );
    let search_key = client.get(message, PID_TAG_SEARCH_KEY);
    assert!(matches!(search_key, Ok(PropValue::Binary(key)) if key.len() == 16));
    let unknown = tagged(
        PID_TAG_SUBJECT.with_type(PropType::STRING8),
        PropValue::String8(vec![]),
    );
    assert_eq!(client.get(message, unknown.tag), Err(ErrorCode::NOT_FOUND));
}

#[test]
fn a_recipient_that_is_too_large_does_not_stand_before_the_others() {
    let mut client = Client::new();
    let message = client.create_message();
    let (name, address) = (utf16("Bob"), utf16("bob@example.test"));
    // In Unicode it is twice as long.
    let long = PropValue::String8(vec![b'x'; 20_000]);
    let cells = |value| {
        vec![
            RowCell::Value(PropValue::Integer32(0)),
            RowCell::Value(value),
        ]
    };
    let rows = [
        (0, 1, row(smtp(&name, &address), cells(long))),
        (
            1,
            2,
            row(
                smtp(&name, &address),
                cells(PropValue::String8(b"y".to_vec())),
            ),
        ),
    ];
    modify(&mut client, message, &rows).unwrap();
    let response = opened(&mut client, message);
    assert_eq!(
        (response.recipient_count, response.recipient_rows.len()),
        (2, 0)
    );
    assert_eq!(read(&mut client, message, 0), Ok(vec![(0, 1)]));
    assert_eq!(read(&mut client, message, 1), Ok(vec![(1, 2)]));
}
