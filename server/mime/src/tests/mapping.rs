//! The rules of MS-OXCMAIL 2.2, one by one.

use ropewalk_props::{FileTime, named_tags::*};

use super::*;

fn time(bag: &Bag, tag: PropTag) -> i64 {
    bag.get(tag)
        .and_then(|value| value.as_time())
        .map_or(0, FileTime::to_unix_seconds)
}

fn integer(bag: &Bag, tag: PropTag) -> i32 {
    bag.get_i32(tag).unwrap_or(i32::MIN)
}

#[test]
fn from_is_the_represented_one_and_sender_the_sender() {
    let both = convert("From: Ada <ada@x>\nSender: Desk <desk@x>\n\nx").props;
    assert_eq!(text(&both, PID_TAG_SENDER_NAME), "Desk");
    assert_eq!(text(&both, PID_TAG_SENDER_SMTP_ADDRESS), "desk@x");
    assert_eq!(text(&both, PID_TAG_SENT_REPRESENTING_NAME), "Ada");
    assert_eq!(
        text(&both, PID_TAG_SENT_REPRESENTING_EMAIL_ADDRESS),
        "ada@x"
    );
    assert_eq!(text(&both, PID_TAG_SENT_REPRESENTING_ADDRESS_TYPE), "SMTP");
    assert_eq!(
        binary(&both, PID_TAG_SENT_REPRESENTING_SEARCH_KEY),
        b"SMTP:ADA@X\0"
    );
    assert!(binary(&both, PID_TAG_SENDER_ENTRY_ID).len() > 24);

    let from = convert("From: Ada <ada@x>, Bob <bob@x>\n\nx").props;
    for tag in [PID_TAG_SENDER_NAME, PID_TAG_SENT_REPRESENTING_NAME] {
        assert_eq!(text(&from, tag), "Ada");
    }
    let bare = convert("From: ada@x\n\nx").props;
    assert_eq!(text(&bare, PID_TAG_SENDER_NAME), "ada@x");
    assert_eq!(text(&bare, PID_TAG_SENDER_EMAIL_ADDRESS), "ada@x");
    let none = convert("Subject: x\n\nx").props;
    assert_eq!(text(&none, PID_TAG_SENDER_NAME), "-");
}

#[test]
fn recipients_come_from_to_cc_and_bcc_with_groups_taken_apart() {
    let message = convert(
        "To: Crew: Ada <ada@x>, bob@x;, \"Ó, Cy\" <cy@x>\nTo: dee@x\nCc: =?utf-8?Q?=C3=89va?= <eva@x>\n\
         Bcc: fay@x\n\nx",
    );
    let found: Vec<(u32, u8, String, String)> = message
        .recipients
        .iter()
        .map(|one| {
            (
                one.row_id,
                one.kind,
                text(&one.props, PID_TAG_DISPLAY_NAME),
                text(&one.props, PID_TAG_SMTP_ADDRESS),
            )
        })
        .collect();
    let expected = [
        (0, 1, "Ada", "ada@x"),
        (1, 1, "bob@x", "bob@x"),
        (2, 1, "Ó, Cy", "cy@x"),
        (3, 1, "dee@x", "dee@x"),
        (4, 2, "Éva", "eva@x"),
        (5, 3, "fay@x", "fay@x"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(row, kind, name, address)| (*row, *kind, name.to_string(), address.to_string()))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        text(&message.props, PID_TAG_DISPLAY_TO),
        "Ada; bob@x; Ó, Cy; dee@x"
    );
    assert_eq!(text(&message.props, PID_TAG_DISPLAY_CC), "Éva");
    assert_eq!(text(&message.props, PID_TAG_DISPLAY_BCC), "fay@x");
    for recipient in &message.recipients {
        assert!(!binary(&recipient.props, PID_TAG_ENTRY_ID).is_empty());
    }
}

#[test]
fn reply_recipients_are_a_list_of_entry_ids_and_their_names() {
    let bag = convert("Reply-To: Ada <ada@x>, Bob <bob@x>\n\nx").props;
    assert_eq!(text(&bag, PID_TAG_REPLY_RECIPIENT_NAMES), "Ada; Bob");
    assert_eq!(
        binary(&bag, PID_TAG_REPLY_RECIPIENT_ENTRIES)[..4],
        [2, 0, 0, 0]
    );
}

#[test]
fn subjects_are_split_and_make_the_topic() {
    for (header, prefix, normalized, topic) in [
        ("Subject: RE: lunch", "RE: ", "lunch", "lunch"),
        ("Subject: RE: AW: lunch", "RE: ", "AW: lunch", "lunch"),
        ("Subject: =?utf-8?B?w4k=?=", "", "É", "É"),
        ("Subject: Re: x\nThread-Topic: y", "Re: ", "x", "y"),
        ("X: y", "", "", ""),
    ] {
        let bag = convert(&format!("{header}\n\nx")).props;
        assert_eq!(text(&bag, PID_TAG_SUBJECT_PREFIX), prefix, "{header}");
        assert_eq!(
            text(&bag, PID_TAG_NORMALIZED_SUBJECT),
            normalized,
            "{header}"
        );
        assert_eq!(text(&bag, PID_TAG_CONVERSATION_TOPIC), topic, "{header}");
        assert_eq!(text(&bag, PID_TAG_SUBJECT), format!("{prefix}{normalized}"));
    }
}

#[test]
fn a_thread_index_becomes_the_conversation_index() {
    let bag = convert("Thread-Index: AQHdWhHA3hAREhMUFRYXGBkaGxwdHh8=\n\nx").props;
    assert_eq!(binary(&bag, PID_TAG_CONVERSATION_INDEX).len(), 22 + 1);
    let bag = convert("Thread-Index: AQ==\n\nx").props;
    assert!(bag.get(PID_TAG_CONVERSATION_INDEX).is_none());
}

#[test]
fn identifiers_stand_as_they_are_in_the_header() {
    let bag =
        convert("Message-ID: <1@x>\nIn-Reply-To: <2@x>\nReferences: <3@x>\n <2@x>\n\nx").props;
    assert_eq!(text(&bag, PID_TAG_INTERNET_MESSAGE_ID), "<1@x>");
    assert_eq!(text(&bag, PID_TAG_IN_REPLY_TO_ID), "<2@x>");
    assert_eq!(text(&bag, PID_TAG_INTERNET_REFERENCES), "<3@x> <2@x>");
    let headers = text(&bag, PID_TAG_TRANSPORT_MESSAGE_HEADERS);
    assert!(
        headers.starts_with("Message-ID: <1@x>\r\n") && headers.ends_with(" <2@x>\r\n"),
        "{headers}"
    );
}

#[test]
fn times_come_from_date_and_received_or_are_now() {
    let date = "Date: Mon, 23 Nov 2026 10:00:00 +0100";
    let received = "Received: from a by b; Mon, 23 Nov 2026 09:00:07 +0000";
    let nine = 1_795_424_400;
    for (header, submitted, delivered) in [
        (format!("{date}\n{received}"), nine, nine + 7),
        (date.to_owned(), nine, nine),
        (received.to_owned(), now().to_unix_seconds(), nine + 7),
        (
            "Date: yesterday".to_owned(),
            now().to_unix_seconds(),
            now().to_unix_seconds(),
        ),
    ] {
        let bag = convert(&format!("{header}\n\nx")).props;
        assert_eq!(
            time(&bag, PID_TAG_CLIENT_SUBMIT_TIME),
            submitted,
            "{header}"
        );
        assert_eq!(
            time(&bag, PID_TAG_MESSAGE_DELIVERY_TIME),
            delivered,
            "{header}"
        );
    }
}

#[test]
fn importance_priority_and_sensitivity_follow_their_tables() {
    for (header, importance, priority, sensitivity) in [
        ("X: y", 1, 0, 0),
        ("Importance: High", 2, 1, 0),
        ("Importance: low\nX-Priority: 1", 0, -1, 0),
        ("X-Priority: 1 (Highest)", 2, 1, 0),
        ("X-Priority: 5", 0, -1, 0),
        ("X-MSMail-Priority: High", 2, 1, 0),
        ("Priority: non-urgent", 0, -1, 0),
        ("Importance: high\nPriority: normal", 2, 0, 0),
        ("Sensitivity: Personal", 1, 0, 1),
        ("Sensitivity: Private", 1, 0, 2),
        ("Sensitivity: Company-Confidential", 1, 0, 3),
    ] {
        let bag = convert(&format!("{header}\n\nx")).props;
        assert_eq!(integer(&bag, PID_TAG_IMPORTANCE), importance, "{header}");
        assert_eq!(integer(&bag, PID_TAG_PRIORITY), priority, "{header}");
        assert_eq!(integer(&bag, PID_TAG_SENSITIVITY), sensitivity, "{header}");
    }
}

#[test]
fn a_receipt_that_is_asked_for_is_remembered() {
    let bag = convert("Disposition-Notification-To: Ada <ada@x>\n\nx").props;
    assert_eq!(
        bag.get(PID_TAG_READ_RECEIPT_REQUESTED).unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(text(&bag, PID_TAG_READ_RECEIPT_SMTP_ADDRESS), "ada@x");
    let bag = convert("X: y\n\nx").props;
    assert_eq!(
        bag.get(PID_TAG_READ_RECEIPT_REQUESTED).unwrap().as_bool(),
        Some(false)
    );
}

#[test]
fn bodies_are_chosen_and_the_rest_is_attached() {
    let mixed = |parts: &[&str]| {
        let parts: String = parts.iter().map(|part| format!("--b\n{part}\n")).collect();
        format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n")
    };
    let plain = "Content-Type: text/plain\n\nplain";
    let html = "Content-Type: text/html\n\n<p>html</p>";
    let alternative = format!(
        "Content-Type: multipart/alternative; boundary=a\n\n--a\n{plain}\n--a\n{html}\n--a--"
    );
    let file = "Content-Type: text/plain\nContent-Disposition: attachment; filename=f.txt\n\nfile";
    for (entity, native, body, attached) in [
        (plain.to_owned(), 1, "plain", 0),
        (html.to_owned(), 3, "html", 0),
        (alternative.clone(), 3, "plain", 0),
        (mixed(&[plain, plain]), 1, "plain\r\nplain", 0),
        (mixed(&[plain, html]), 1, "plain", 1),
        (mixed(&[html, plain]), 3, "html", 1),
        (mixed(&[file, plain]), 1, "plain", 1),
        (mixed(&[&alternative, file]), 3, "plain", 1),
        (mixed(&[file]), i32::MIN, "-", 1),
        (
            mixed(&["Content-Type: text/plain; name=x.txt\n\nplain"]),
            1,
            "plain",
            0,
        ),
        (
            mixed(&[plain, "Content-Type: text/plain; name=x.txt\n\nplain"]),
            1,
            "plain",
            1,
        ),
    ] {
        let message = convert(&entity);
        assert_eq!(
            integer(&message.props, PID_TAG_NATIVE_BODY),
            native,
            "{entity}"
        );
        assert_eq!(text(&message.props, PID_TAG_BODY).trim(), body, "{entity}");
        assert_eq!(message.attachments.len(), attached, "{entity}");
    }
}

#[test]
fn html_keeps_its_bytes_and_names_its_code_page() {
    let convert = |charset: &str, bytes: &[u8]| {
        let mut data = format!("Content-Type: text/html{charset}\n\n").into_bytes();
        data.extend_from_slice(bytes);
        crate::message(&data, &Names::default(), now()).props
    };
    for (charset, bytes, page, html) in [
        (
            "; charset=koi8-r",
            &b"<p>\xF2\xD5"[..],
            20866,
            &b"<p>\xF2\xD5"[..],
        ),
        (
            "; charset=utf-8",
            "<p>Ж".as_bytes(),
            65001,
            "<p>Ж".as_bytes(),
        ),
        (
            "",
            b"<meta charset=\"windows-1255\"><p>\xF9",
            1255,
            b"<meta charset=\"windows-1255\"><p>\xF9",
        ),
        ("", b"<p>\xE9", 1252, b"<p>\xE9"),
        ("; charset=iso-8859-1", b"<p>\xE9", 28591, b"<p>\xE9"),
        (
            "; charset=iso-8859-1",
            b"<p>\x93\xE9\x94",
            1252,
            b"<p>\x93\xE9\x94",
        ),
        ("; charset=utf-7", b"<p>+BBY-", 65001, "<p>Ж".as_bytes()),
    ] {
        let bag = convert(charset, bytes);
        assert_eq!(integer(&bag, PID_TAG_INTERNET_CODEPAGE), page, "{charset}");
        assert_eq!(binary(&bag, PID_TAG_HTML), html, "{charset}");
    }
}

#[test]
fn attachments_have_names_types_and_positions() {
    let message = convert(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\n\
         Content-Type: application/pdf; name=\"../The long report.pdf\"\n\
         Content-Transfer-Encoding: base64\nContent-ID: <id@x>\nContent-Location: http://x/y\n\
         Content-Disposition: attachment\n\naGVsbG8=\n--b\nContent-Type: image/gif\n\nGIF\n--b--\n",
    );
    let [report, gif] = &message.attachments[..] else {
        panic!("{}", summary(&message))
    };
    let bag = &report.props;
    assert_eq!(
        text(bag, PID_TAG_ATTACH_LONG_FILENAME),
        "The long report.pdf"
    );
    assert_eq!(text(bag, PID_TAG_ATTACH_FILENAME), "THELON~1.PDF");
    assert_eq!(text(bag, PID_TAG_ATTACH_EXTENSION), ".pdf");
    assert_eq!(text(bag, PID_TAG_ATTACH_MIME_TAG), "application/pdf");
    assert_eq!(text(bag, PID_TAG_ATTACH_CONTENT_ID), "id@x");
    assert_eq!(text(bag, PID_TAG_ATTACH_CONTENT_LOCATION), "http://x/y");
    assert_eq!(binary(bag, PID_TAG_ATTACH_DATA_BINARY), b"hello");
    assert_eq!(integer(bag, PID_TAG_ATTACH_SIZE), 5);
    assert_eq!(integer(bag, PID_TAG_ATTACH_METHOD), 1);
    assert_eq!(integer(bag, PID_TAG_RENDERING_POSITION), -1);
    assert_eq!((report.number, gif.number), (0, 1));
    assert_eq!(
        text(&gif.props, PID_TAG_ATTACH_LONG_FILENAME),
        "ATT00002.gif"
    );
}

#[test]
fn a_description_names_an_attachment_that_has_no_other_name() {
    for (name, file) in [("", "Floor plan"), ("; name=plan.dwg", "plan.dwg")] {
        let message = convert(&format!(
            "Content-Type: application/x-dwg{name}\nContent-Description: Floor plan\n\nx"
        ));
        let bag = &message.attachments[0].props;
        assert_eq!(text(bag, PID_TAG_ATTACH_LONG_FILENAME), file);
        assert_eq!(text(bag, PID_TAG_DISPLAY_NAME), "Floor plan");
    }
}

#[test]
fn only_images_that_the_html_shows_are_inline() {
    let related = |html: &str, part: &str| {
        convert(&format!(
            "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n{html}\n--b\n{part}\n\nx\n--b--\n"
        ))
    };
    for (html, part, inline) in [
        (
            "<img src=\"cid:i@x\">",
            "Content-Type: image/png\nContent-ID: <i@x>",
            true,
        ),
        (
            "<img src=pic.png >",
            "Content-Type: image/png\nContent-Location: pic.png",
            true,
        ),
        ("<p>", "Content-Type: image/png\nContent-ID: <i@x>", false),
        (
            "<img src=\"cid:i@x\">",
            "Content-Type: application/pdf\nContent-ID: <i@x>",
            false,
        ),
        ("<img src=\"cid:i@x\">", "Content-Type: image/png", false),
    ] {
        let message = related(html, part);
        let bag = &message.attachments[0].props;
        let hidden = bag.get(PID_TAG_ATTACHMENT_HIDDEN).unwrap().as_bool();
        assert_eq!(hidden, Some(inline), "{html} {part}");
        assert_eq!(
            integer(bag, PID_TAG_ATTACH_FLAGS),
            if inline { 4 } else { 0 }
        );
    }
}

#[test]
fn messages_in_messages_are_embedded() {
    for encoding in ["7bit", "base64"] {
        let inner = "Subject: inner\nTo: ada@x\n\ninner body";
        let inner = match encoding {
            "base64" => "U3ViamVjdDogaW5uZXIKVG86IGFkYUB4Cgppbm5lciBib2R5".to_owned(),
            _ => inner.to_owned(),
        };
        let message = convert(&format!(
            "Subject: outer\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nouter body\n--b\n\
             Content-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n{inner}\n--b--\n"
        ));
        let [attachment] = &message.attachments[..] else {
            panic!()
        };
        assert_eq!(integer(&attachment.props, PID_TAG_ATTACH_METHOD), 5);
        assert_eq!(text(&attachment.props, PID_TAG_DISPLAY_NAME), "inner");
        assert!(attachment.props.get(PID_TAG_ATTACH_DATA_BINARY).is_none());
        let embedded = attachment.embedded.as_ref().unwrap();
        assert_eq!(
            text(&embedded.props, PID_TAG_BODY),
            "inner body",
            "{encoding}"
        );
        assert_eq!(embedded.recipients.len(), 1);
    }
}

#[test]
fn signed_and_encrypted_messages_are_kept_whole() {
    let signed = "Content-Type: multipart/signed; boundary=b;\n protocol=\"application/pkcs7-signature\"\n\n\
                  --b\n\nclear\n--b\nContent-Type: application/pkcs7-signature\n\nx\n--b--\n";
    let message = convert(signed);
    assert_eq!(
        text(&message.props, PID_TAG_MESSAGE_CLASS),
        "IPM.Note.SMIME.MultipartSigned"
    );
    assert_eq!(text(&message.props, PID_TAG_BODY), "clear");
    let [whole] = &message.attachments[..] else {
        panic!()
    };
    assert_eq!(
        text(&whole.props, PID_TAG_ATTACH_LONG_FILENAME),
        "smime.p7m"
    );
    assert_eq!(
        text(&whole.props, PID_TAG_ATTACH_MIME_TAG),
        "multipart/signed"
    );
    let data = String::from_utf8(binary(&whole.props, PID_TAG_ATTACH_DATA_BINARY)).unwrap();
    let (header, body) = data.split_once("\r\n\r\n").unwrap();
    assert!(header.starts_with("Content-Type: multipart/signed; boundary=b;"));
    assert_eq!(body, signed.split_once("\n\n").unwrap().1);

    let message = convert(
        "Content-Type: application/pkcs7-mime; name=smime.p7m\nContent-Transfer-Encoding: base64\n\naGk=\n",
    );
    assert_eq!(
        text(&message.props, PID_TAG_MESSAGE_CLASS),
        "IPM.Note.SMIME"
    );
    assert_eq!(text(&message.props, PID_TAG_BODY), "-");
    assert_eq!(
        binary(&message.attachments[0].props, PID_TAG_ATTACH_DATA_BINARY),
        b"hi"
    );

    let pgp = signed.replace("pkcs7", "pgp");
    let message = convert(&pgp);
    assert_eq!(text(&message.props, PID_TAG_MESSAGE_CLASS), "IPM.Note");
    assert_eq!(message.attachments.len(), 1);
}

#[test]
fn reports_have_the_class_of_what_they_tell() {
    let report = |kind: &str, text: &str| {
        let message = convert(&format!(
            "Content-Type: multipart/report; report-type={kind}; boundary=b\n\n--b\n\nx\n--b\n\
             Content-Type: message/{kind}\n\n{text}\n--b--\n"
        ));
        super::text(&message.props, PID_TAG_MESSAGE_CLASS)
    };
    for (kind, text, class) in [
        (
            "delivery-status",
            "Reporting-MTA: x\n\nAction: failed",
            "REPORT.IPM.Note.NDR",
        ),
        (
            "delivery-status",
            "Reporting-MTA: x\n\nAction: Delivered (ok)",
            "REPORT.IPM.Note.DR",
        ),
        ("delivery-status", "Reporting-MTA: x", "IPM.Note"),
        (
            "disposition-notification",
            "Disposition: manual-action/MDN-sent-manually; displayed",
            "REPORT.IPM.Note.IPNRN",
        ),
        (
            "disposition-notification",
            "Disposition: automatic-action/x; deleted",
            "REPORT.IPM.Note.IPNNRN",
        ),
    ] {
        assert_eq!(report(kind, text), class, "{text}");
    }
}

#[test]
fn the_worst_action_of_a_report_counts_and_names_its_recipients() {
    let message = convert(
        "To: ada@x\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\n\
         Content-Type: message/delivery-status\n\nReporting-MTA: dns; mail.x\n\n\
         Final-Recipient: rfc822; one@x\nAction: delayed\nStatus: 4.4.1\n\n\
         Final-Recipient: rfc822; <two@x>\nAction: failed\nStatus: 5.1.1 (no such user)\n\
         Remote-MTA: dns; far.y\nDiagnostic-Code: smtp; 550 no\n such user\n--b--\n",
    );
    let bag = &message.props;
    assert_eq!(text(bag, PID_TAG_MESSAGE_CLASS), "REPORT.IPM.Note.NDR");
    assert_eq!(
        text(bag, PID_TAG_REPORTING_MESSAGE_TRANSFER_AGENT),
        "mail.x"
    );
    assert_eq!(text(bag, PID_TAG_DISPLAY_TO), "ada@x; two@x");
    let [_, two] = &message.recipients[..] else {
        panic!("{:?}", message.recipients)
    };
    assert_eq!(text(&two.props, PID_TAG_SMTP_ADDRESS), "two@x");
    assert_eq!(
        text(&two.props, PID_TAG_REMOTE_MESSAGE_TRANSFER_AGENT),
        "far.y"
    );
    assert_eq!(
        text(&two.props, PID_TAG_SUPPLEMENTARY_INFO),
        "550 no such user"
    );
    let code = two.props.get_i32(PID_TAG_NON_DELIVERY_REPORT_STATUS_CODE);
    assert_eq!(code, Some(511));
}

#[test]
fn calendar_parts_make_meeting_objects() {
    let meeting = |method: &str, answer: &str| {
        let names = Names::default();
        let text = format!(
            "Subject: x\nContent-Type: text/calendar; method={method}\n\nBEGIN:VCALENDAR\nMETHOD:{method}\n\
             BEGIN:VEVENT\nUID:1@x\nDTSTART:20261126T090000Z\nDTEND:20261126T100000Z\nSUMMARY:y\nLOCATION:Loft\n\
             DESCRIPTION:text\nATTENDEE;PARTSTAT={answer}:mailto:ada@x\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let message = crate::message(text.as_bytes(), &names, now());
        (message, names)
    };
    for (method, answer, class) in [
        ("REQUEST", "", "IPM.Schedule.Meeting.Request"),
        ("CANCEL", "", "IPM.Schedule.Meeting.Canceled"),
        ("REPLY", "ACCEPTED", "IPM.Schedule.Meeting.Resp.Pos"),
        ("REPLY", "DECLINED", "IPM.Schedule.Meeting.Resp.Neg"),
        ("REPLY", "TENTATIVE", "IPM.Schedule.Meeting.Resp.Tent"),
        ("PUBLISH", "", "IPM.Note"),
    ] {
        let (message, names) = meeting(method, answer);
        assert_eq!(text(&message.props, PID_TAG_MESSAGE_CLASS), class);
        if class == "IPM.Note" {
            assert_eq!(message.attachments.len(), 1);
            continue;
        }
        assert!(message.attachments.is_empty());
        assert_eq!(text(&message.props, PID_TAG_BODY), "text");
        let location = names.text(&message.props, PID_LID_LOCATION);
        assert_eq!(location.as_deref(), Some("Loft"));
        assert!(
            names
                .value(&message.props, PID_LID_APPOINTMENT_START_WHOLE)
                .is_some()
        );
        assert!(
            names
                .value(&message.props, PID_LID_GLOBAL_OBJECT_ID)
                .is_some()
        );
    }
    let (message, names) = meeting("REQUEST", "");
    for (tag, value) in [
        (PID_LID_APPOINTMENT_STATE_FLAGS, 3),
        (PID_LID_RESPONSE_STATUS, 5),
        (PID_LID_BUSY_STATUS, 1),
        (PID_LID_INTENDED_BUSY_STATUS, 2),
        (PID_LID_MEETING_TYPE, 1),
    ] {
        assert_eq!(
            names.value(&message.props, tag),
            Some(PropValue::Integer32(value)),
            "{tag:?}"
        );
    }
}

#[test]
fn keywords_become_categories_and_the_content_class_is_kept() {
    let names = Names::default();
    let text = b"Keywords: rope, twine\nContent-Class: urn:content-classes:message\n\nx";
    let bag = crate::message(text, &names, now()).props;
    let class = names.text(&bag, PID_NAME_CONTENT_CLASS);
    assert_eq!(class.as_deref(), Some("urn:content-classes:message"));
    let words = PropValue::MultipleString(vec!["rope".into(), "twine".into()]);
    assert_eq!(names.value(&bag, PID_NAME_KEYWORDS), Some(words));
}

#[test]
fn odd_but_seen_messages_keep_what_they_say() {
    // A byte order mark before the header.
    let bag = convert("\u{FEFF}Subject: x\n\nbody").props;
    assert_eq!(text(&bag, PID_TAG_SUBJECT), "x");
    assert_eq!(text(&bag, PID_TAG_BODY), "body");
    // Line ends of all kinds in one body.
    let bag = convert("Content-Transfer-Encoding: quoted-printable\n\na=0Db=0D=0Ac=0Ad=\ne").props;
    assert_eq!(text(&bag, PID_TAG_BODY), "a\r\nb\r\nc\r\nde");
    // A date that ends with a name of UTC, and the field after it.
    let bag = convert("Date: Mon, 23 Nov 2026 09:00:00 UT\nSubject: x\n\nb").props;
    assert_eq!(time(&bag, PID_TAG_CLIENT_SUBMIT_TIME), 1_795_424_400);
    assert_eq!(text(&bag, PID_TAG_SUBJECT), "x");
    // Both forms of a file name, and one cut into encoded words.
    for (header, name) in [
        ("filename=\"a.txt\"; filename*=utf-8''%C3%A9.txt", "é.txt"),
        (
            "filename=\"=?utf-8?B?4oI=?=\n =?utf-8?B?rA==?=.txt\"",
            "€.txt",
        ),
    ] {
        let message = convert(&format!(
            "Content-Type: application/x-y\nContent-Disposition: attachment; {header}\n\nx"
        ));
        let bag = &message.attachments[0].props;
        assert_eq!(text(bag, PID_TAG_ATTACH_LONG_FILENAME), name, "{header}");
    }
}
