//! The demo office, as a client that browses it sees it.

use std::collections::BTreeSet;

use ropewalk_tests::{
    client::{Cells as _, Client, Handle},
    fixture::{legacy_dn, log_on, tag},
    server::TestServer,
};

/// What the messages of a mailbox have been seen to have.
#[derive(Default)]
struct Tour {
    messages: usize,
    classes: BTreeSet<String>,
    with_html: usize,
    with_plain: usize,
    with_attachments: usize,
    with_embedded: usize,
    with_inline: usize,
    with_recipients: usize,
    non_latin: usize,
}

/// Email and password of each user, first and last in a line that the server printed.
fn users(server: &TestServer) -> Vec<(String, String)> {
    let lines = server.printed().iter();
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let email = words.next()?;
            let password = words.next_back()?;
            (!line.starts_with(' ') && email.contains("@example.test"))
                .then(|| (email.to_owned(), password.to_owned()))
        })
        .collect()
}

impl Tour {
    fn message(&mut self, client: &mut Client, from: Handle, fid: u64, mid: u64) {
        let opened = client.open_message(from, fid, mid, 0).unwrap();
        self.messages += 1;
        self.read(client, opened.handle);
        self.with_recipients += usize::from(opened.recipient_count > 0);
        assert_eq!(
            usize::from(opened.recipient_count),
            opened.recipients.len(),
            "few recipients fit into the response"
        );
        client.release(opened.handle).unwrap();
    }

    /// Everything of a message, with every attachment and every message in it.
    fn read(&mut self, client: &mut Client, message: Handle) {
        let all = client.get_all_props(message).unwrap();
        let list = client.list_props(message).unwrap();
        assert!(list.len() >= 10, "{list:x?}");
        let has = |id: u32| all.iter().any(|(tag, _)| tag >> 16 == id);
        let row = client
            .get_props(
                message,
                &[
                    tag::MESSAGE_CLASS,
                    tag::SUBJECT,
                    tag::MESSAGE_SIZE,
                    tag::HAS_ATTACHMENTS,
                ],
            )
            .unwrap();
        let class = row.text(0);
        assert!(
            class.starts_with("IPM.") || class.starts_with("REPORT.IPM."),
            "{class}"
        );
        self.classes.insert(class);
        self.non_latin += usize::from(row.text(1).chars().any(|c| c > '\u{24F}'));
        assert!(row.int(2) > 0);
        if has(tag::HTML >> 16) {
            self.with_html += 1;
            let html = client.read_property_stream(message, tag::HTML).unwrap();
            assert!(!html.is_empty());
        }
        if has(tag::BODY >> 16) {
            self.with_plain += 1;
            client.read_property_stream(message, tag::BODY).unwrap();
        }
        let table = client.attachment_table(message).unwrap();
        let rows = client
            .query_all_rows(table, &[tag::ATTACH_NUMBER, tag::ATTACH_METHOD])
            .unwrap();
        client.release(table).unwrap();
        if !rows.is_empty() {
            self.with_attachments += 1;
        }
        for row in rows {
            let number = row.int(0).cast_unsigned();
            let attachment = client.open_attachment(message, number, 0).unwrap();
            if row.int(1) == 5 {
                self.with_embedded += 1;
                let (inner, _) = client.open_embedded_message(attachment, 0).unwrap();
                self.read(client, inner.handle);
                client.release(inner.handle).unwrap();
            } else {
                client
                    .read_property_stream(attachment, tag::ATTACH_DATA_BINARY)
                    .unwrap();
            }
            // PidTagAttachContentId with PidTagAttachmentHidden or the flag for rendered parts.
            let cid = client.get_props(attachment, &[0x3712_001F]).unwrap();
            self.with_inline += usize::from(cid.cells[0].value().is_some());
            client.release(attachment).unwrap();
        }
    }
}

#[test]
fn every_message_of_the_demo_office_can_be_browsed_and_read() {
    let server = TestServer::demo();
    let users = users(&server);
    assert_eq!(users.len(), 3, "{:#?}", server.printed());
    let mut tour = Tour::default();
    for (email, password) in &users {
        let dn = legacy_dn(server.data_dir(), email);
        let (mut client, logon) = log_on(&server, email, password, &dn);
        let ipm = client
            .open_folder(logon.handle, logon.ipm_subtree())
            .unwrap();
        let (folders, _) = client.hierarchy_table(ipm, 0x04).unwrap();
        let rows = client
            .query_all_rows(folders, &[tag::FOLDER_ID, tag::CONTENT_COUNT])
            .unwrap();
        for row in rows {
            let fid = row.id(0);
            let folder = client.open_folder(logon.handle, fid).unwrap();
            let (table, count) = client.contents_table(folder, 0).unwrap();
            assert_eq!(i64::from(count), i64::from(row.int(1)));
            let messages = client
                .query_all_rows(
                    table,
                    &[
                        tag::MID,
                        tag::SUBJECT,
                        tag::MESSAGE_DELIVERY_TIME,
                        tag::MESSAGE_FLAGS,
                    ],
                )
                .unwrap();
            assert_eq!(messages.len(), count as usize);
            for message in &messages {
                tour.message(&mut client, folder, fid, message.id(0));
            }
            client.release(table).unwrap();
            client.release(folder).unwrap();
        }
        client.disconnect().unwrap();
    }
    // The office of the issue: about 30 messages of every shape, a contact, an appointment.
    assert!(tour.messages >= 30, "{}", tour.messages);
    assert!(tour.classes.contains("IPM.Note"), "{:?}", tour.classes);
    assert!(tour.classes.contains("IPM.Contact"), "{:?}", tour.classes);
    assert!(
        tour.classes.contains("IPM.Appointment"),
        "{:?}",
        tour.classes
    );
    assert!(
        tour.classes
            .iter()
            .any(|class| class.starts_with("IPM.Schedule.Meeting.Request")),
        "{:?}",
        tour.classes
    );
    for (what, count) in [
        ("HTML", tour.with_html),
        ("plain text", tour.with_plain),
        ("attachments", tour.with_attachments),
        ("a message inside", tour.with_embedded),
        ("an inline image", tour.with_inline),
        ("recipients", tour.with_recipients),
        ("a subject in another script", tour.non_latin),
    ] {
        assert!(count > 0, "no message with {what}");
    }
}
