//! The body in each of its forms, by each way that a client has to ask for it (MS-OXCMSG 2.2.1.58,
//! 3.2.4.1; MS-OXBBODY 2.1.3.1).

use ropewalk_body::{compressed, rtf_to_html, rtf_to_text};
use ropewalk_props::{PropTag, text::decode_utf16le};
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{restriction::Restriction, value::TaggedPropertyValue};

use crate::look::READ;

const BODY_HTML: u32 = 0x1013_001F;
const BODY_STRING8: u32 = 0x1000_001E;
const RTF: u32 = 0x1009_0102;
const RTF_IN_SYNC: u32 = 0x0E1F_000B;
const NATIVE_BODY: u32 = 0x1016_0003;
const CODE_PAGE: u32 = 0x3FDE_0003;

const CREATE: u8 = 2;
const SHOWN: &str = "Belay the (port) brace \u{e9}\u{2693}";

/// What says [`SHOWN`] in each form.
fn native_forms() -> [(i32, u32, Value); 4] {
    let html = "<html><body><p>Belay the (<b>port</b>) brace &eacute;\u{2693}</p></body></html>";
    let rtf = br"{\rtf1\ansi\ansicpg1252 Belay the ({\b port}) brace \'e9\u9875?}";
    [
        (1, tag::BODY, text(SHOWN)),
        (2, RTF, Value::Binary(compressed::compress(rtf))),
        (3, tag::HTML, Value::Binary(html.into())),
        (3, BODY_HTML, text(html)),
    ]
}

/// Whether the bytes of a property, as a stream has them, say [`SHOWN`].
fn says_it(asked: u32, bytes: &[u8]) -> bool {
    match asked {
        tag::BODY => decode_utf16le(bytes) == SHOWN,
        // The code page of the logon has no anchor.
        BODY_STRING8 => bytes == b"Belay the (port) brace \xE9?",
        RTF => {
            let rtf = compressed::decompress(bytes, 1 << 20).unwrap();
            decode_utf16le(&rtf_to_text(&rtf, 1 << 20).bytes) == SHOWN
        }
        tag::HTML => shows_it(std::str::from_utf8(bytes).unwrap()),
        BODY_HTML => shows_it(&decode_utf16le(bytes)),
        _ => false,
    }
}

fn shows_it(html: &str) -> bool {
    let text = ropewalk_body::html_to_text(html, 1 << 20);
    decode_utf16le(&text.bytes) == SHOWN
}

/// The bytes of a value as a stream would have them.
fn bytes(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.as_bytes().to_vec(),
        Value::String8(bytes) | Value::Binary(bytes) => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

const ASKED: [u32; 5] = [tag::BODY, BODY_STRING8, RTF, tag::HTML, BODY_HTML];

fn check_object(client: &mut Client, message: Handle, native: i32, why: &str) {
    for asked in ASKED {
        let row = client.get_props(message, &[asked]).unwrap();
        assert!(says_it(asked, &bytes(row.value(0))), "{why}: {asked:08x}");
        let streamed = client.read_property_stream(message, asked).unwrap();
        assert!(says_it(asked, &streamed), "{why}, a stream: {asked:08x}");
        // Without a type it is what it is kept as.
        if asked == tag::BODY {
            let row = client.get_props(message, &[asked & 0xFFFF_0000]).unwrap();
            assert!(says_it(asked, &bytes(row.value(0))), "{why}");
        }
    }
    let row = client.get_props(message, &[NATIVE_BODY]).unwrap();
    assert_eq!(row.int(0), native, "{why}");
    // MS-OXBBODY 2.1.3.1, step 1: all at once, as Outlook does it.
    let all = [tag::BODY, RTF, tag::HTML, RTF_IN_SYNC, NATIVE_BODY];
    let row = client.get_props(message, &all).unwrap();
    for (index, asked) in all.into_iter().take(3).enumerate() {
        assert!(says_it(asked, &bytes(row.value(index))), "{why}");
    }
    match native {
        1 => assert_eq!(row.error(3), code::NOT_FOUND, "{why}"),
        2 => assert!(row.flag(3), "{why}"),
        _ => assert!(!row.flag(3), "{why}"),
    }
    assert_eq!(row.int(4), native, "{why}");
}

#[test]
fn every_form_is_to_be_had_of_every_other_before_and_after_a_save() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for (native, written, value) in native_forms() {
        for by_stream in [false, true] {
            let why = format!("{written:08x}, {by_stream}");
            let (message, id) = new_message(&mut client, folder, folder_id, "body");
            if by_stream {
                let (stream, _) = client.open_stream(message, written, CREATE).unwrap();
                client.write_all(stream, &bytes(&value)).unwrap();
            } else {
                client
                    .set_props(message, &[(written, value.clone())])
                    .unwrap();
            }
            check_object(&mut client, message, native, &why);
            client.save_message(message).unwrap();
            check_object(&mut client, message, native, &why);
            let other = client.open_message(folder, folder_id, id, READ).unwrap();
            check_object(&mut client, other.handle, native, &why);
        }
    }
}

#[test]
fn tables_and_restrictions_know_every_form() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, none) = new_message(&mut client, folder, folder_id, "none");
    for (_, written, value) in native_forms() {
        let (message, _) = new_message(&mut client, folder, folder_id, "body");
        client.set_props(message, &[(written, value)]).unwrap();
        client.save_message(message).unwrap();
    }
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count, 5);
    let columns = [tag::MID, tag::BODY, tag::HTML, BODY_HTML];
    for row in client.query_all_rows(table, &columns).unwrap() {
        if row.id(0) == none {
            assert_eq!(row.error(1), code::NOT_FOUND);
            continue;
        }
        assert_eq!(row.text(1), SHOWN);
        // Cut to 255 bytes or characters (MS-OXCDATA 2.8.2).
        assert!(row.binary(2).starts_with(b"<html>") && row.binary(2).len() <= 255);
        assert!(row.text(3).starts_with("<html>"));
    }
    let content = |tag: u32, value: Value| Restriction::Content {
        fuzzy_level_low: 1,
        fuzzy_level_high: 1,
        property_tag: PropTag(tag),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag),
            value,
        },
    };
    let exist = |tag: u32| Restriction::Exist {
        prop_tag: PropTag(tag),
    };
    for (restriction, found) in [
        (content(tag::BODY, text("the (PORT) brace")), 4),
        (content(tag::BODY, text("starboard")), 0),
        (content(tag::BODY, text("<b>")), 0),
        (content(BODY_HTML, text("brace")), 4),
        (exist(tag::BODY), 4),
        (exist(RTF), 4),
        (exist(tag::HTML), 4),
    ] {
        client.restrict(table, Some(&restriction)).unwrap();
        let rows = client.query_all_rows(table, &[tag::MID]).unwrap();
        assert_eq!(rows.len(), found, "{restriction:?}");
    }
}

#[test]
fn a_cell_shows_the_beginning_of_a_long_body() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "long");
    let page = format!(
        "<style>{}</style>{}",
        "p{} ".repeat(9000),
        "<p>line &amp;</p>".repeat(9000)
    );
    client
        .write_property_stream(message, tag::HTML, page.as_bytes())
        .unwrap();
    client.save_message(message).unwrap();
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client.query_all_rows(table, &[tag::BODY]).unwrap();
    let shown = rows[0].text(0);
    assert_eq!(shown.chars().count(), 255);
    assert!(shown.starts_with("line &\r\n\r\nline &\r\n\r\n"));
    // A row of properties says only that it is long; a stream has it.
    let row = client.get_props(message, &[tag::BODY, RTF]).unwrap();
    assert_eq!((row.error(0), row.error(1)), (code::MEMORY, code::MEMORY));
    let streamed = client.read_property_stream(message, tag::BODY).unwrap();
    assert_eq!(streamed.len(), ("line &\r\n\r\n".len() * 9000 - 4) * 2);
    let packed = client.read_property_stream(message, RTF).unwrap();
    let rtf = compressed::decompress(&packed, 16 << 20).unwrap();
    let back = rtf_to_html(&rtf, "utf-8", 16 << 20);
    assert!(decode_utf16le(&back.bytes) == page);
}

/// A message in an attachment of another one.
fn embedded(client: &mut Client, logon: &Logon) -> (Handle, Handle, Handle) {
    let (folder, folder_id) = new_folder(client, logon);
    let (outer, _) = new_message(client, folder, folder_id, "outer");
    let (attachment, _) = client.create_attachment(outer).unwrap();
    client
        .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(5))])
        .unwrap();
    let (inner, _) = client.open_embedded_message(attachment, 2).unwrap();
    (outer, attachment, inner.handle)
}

#[test]
fn embedded_messages_have_bodies_like_others() {
    let (mut client, logon) = ada();
    for (native, written, value) in native_forms() {
        let why = format!("embedded {written:08x}");
        let (outer, attachment, inner) = embedded(&mut client, &logon);
        client.set_props(inner, &[(written, value)]).unwrap();
        check_object(&mut client, inner, native, &why);
        client.save_message(inner).unwrap();
        client.save_attachment(outer, attachment).unwrap();
        client.save_message(outer).unwrap();
        let attachment = client.open_attachment(outer, 0, READ).unwrap();
        let (again, _) = client.open_embedded_message(attachment, READ).unwrap();
        check_object(&mut client, again.handle, native, &why);
    }
}

#[test]
fn copies_have_the_body_that_was_asked_for() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for (native, written, value) in native_forms() {
        let (from, _) = new_message(&mut client, folder, folder_id, "from");
        client.set_props(from, &[(written, value)]).unwrap();
        // RopCopyTo: the native form, in place of what was there.
        let (to, _) = new_message(&mut client, folder, folder_id, "to");
        let old = [
            (tag::BODY, text("old")),
            (tag::HTML, Value::Binary(b"old".to_vec())),
        ];
        client.set_props(to, &old).unwrap();
        client.save_message(to).unwrap();
        let copy = |flags: u8| Rop::new(0x39, 0).u8(1).u8(0).u8(0).u8(flags).tags(&[]);
        client.rop(&copy(0), &[from, to]).unwrap();
        check_object(&mut client, to, native, "copied");
        // Not over one that is there, in whatever form.
        let (kept, _) = new_message(&mut client, folder, folder_id, "kept");
        client.set_props(kept, &old[1..]).unwrap();
        client.save_message(kept).unwrap();
        client.rop(&copy(2), &[from, kept]).unwrap();
        let row = client.get_props(kept, &[tag::BODY, NATIVE_BODY]).unwrap();
        assert_eq!((row.text(0).as_str(), row.int(1)), ("old", 1));
        let row = client.get_props(kept, &[NATIVE_BODY]).unwrap();
        assert_eq!(row.int(0), 3);
        // RopCopyProperties: the form that is named.
        for (asked, becomes) in [(tag::BODY, 1), (RTF, 2), (tag::HTML, 3)] {
            let (to, _) = new_message(&mut client, folder, folder_id, "to");
            let rop = Rop::new(0x67, 0).u8(1).u8(0).u8(0).tags(&[asked]);
            client.rop(&rop, &[from, to]).unwrap();
            check_object(&mut client, to, becomes, "copied as such");
        }
    }
}

/// PITFALLS 14: what Outlook does, and what it makes of the answers: the rows of this table are what users of
/// other servers met.
#[test]
fn the_quirks_of_clients() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = |client: &mut Client, set: &[&[(u32, Value)]]| {
        let (message, id) = new_message(client, folder, folder_id, "quirk");
        for set in set {
            client.set_props(message, set).unwrap();
        }
        client.save_message(message).unwrap();
        (message, id)
    };
    let forms = native_forms();
    let html = (forms[2].1, forms[2].2.clone());
    let rtf = (forms[1].1, forms[1].2.clone());
    let plain = (forms[0].1, forms[0].2.clone());

    // PidTagBody, PidTagRtfCompressed and PidTagRtfInSync in one save: RTF it is, and the text stays.
    let in_sync = (RTF_IN_SYNC, Value::Boolean(true));
    let (rich, _) = message(
        &mut client,
        &[std::slice::from_ref(&plain), &[rtf.clone(), in_sync]],
    );
    check_object(&mut client, rich, 2, "Outlook's three");

    // HTML of others without PidTagRtfInSync is shown as plain text: it is there, and FALSE.
    let (page, _) = message(&mut client, &[std::slice::from_ref(&html)]);
    let row = client.get_props(page, &[RTF_IN_SYNC]).unwrap();
    assert!(!row.flag(0));

    // PidTagBody is asked for although a client has left it out of what it listed.
    let listed = client.list_props(page).unwrap();
    assert!(!listed.contains(&tag::BODY) && listed.contains(&tag::HTML));
    let row = client.get_props(page, &[tag::BODY]).unwrap();
    assert_eq!(row.text(0), SHOWN);

    // "Plain text" in the ribbon: HTML deleted and text set, in either order.
    let (changed, _) = message(&mut client, &[std::slice::from_ref(&html)]);
    client.delete_props(changed, &[tag::HTML, RTF]).unwrap();
    client
        .set_props(changed, std::slice::from_ref(&plain))
        .unwrap();
    check_object(&mut client, changed, 1, "to plain text");
    let (changed, _) = message(&mut client, &[std::slice::from_ref(&html)]);
    client
        .set_props(changed, std::slice::from_ref(&plain))
        .unwrap();
    client.delete_props(changed, &[tag::HTML, RTF]).unwrap();
    check_object(&mut client, changed, 1, "to plain text");

    // An empty body is one.
    let (empty, _) = message(&mut client, &[&[(tag::BODY, text(""))]]);
    let row = client.get_props(empty, &[tag::BODY, NATIVE_BODY]).unwrap();
    assert_eq!((row.text(0).as_str(), row.int(1)), ("", 1));

    // The preview is what a client set, not the body.
    const PREVIEW: u32 = 0x3FD9_001F;
    let (previewed, _) = message(&mut client, &[&[(PREVIEW, text("look")), html.clone()]]);
    let row = client.get_props(previewed, &[PREVIEW]).unwrap();
    assert_eq!(row.text(0), "look");

    // HTML in a code page that is not UTF-8, and says so only in PidTagInternetCodepage.
    let (cyrillic, _) = message(
        &mut client,
        &[&[
            (CODE_PAGE, Value::Integer32(1251)),
            (tag::HTML, Value::Binary(b"<p>\xCF\xF0\xE8".to_vec())),
        ]],
    );
    let row = client.get_props(cyrillic, &[tag::BODY]).unwrap();
    assert_eq!(row.text(0), "При");

    // A body that cannot be read is none, and takes nothing else with it.
    let (broken, id) = message(&mut client, &[&[(RTF, Value::Binary(b"LZFu".to_vec()))]]);
    let row = client
        .get_props(broken, &[tag::BODY, RTF, tag::SUBJECT])
        .unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    assert_eq!(
        (row.binary(1), row.text(2).as_str()),
        (&b"LZFu"[..], "quirk")
    );
    fails(client.open_stream(broken, tag::HTML, 0), code::NOT_FOUND);
    let (table, _) = client.contents_table(folder, 0).unwrap();
    let rows = client
        .query_all_rows(table, &[tag::MID, tag::BODY])
        .unwrap();
    let row = rows.iter().find(|row| row.id(0) == id).unwrap();
    assert_eq!(row.error(1), code::NOT_FOUND);

    // A converted form cannot be written through a handle for reading.
    let (_, id) = message(&mut client, &[std::slice::from_ref(&html)]);
    let reader = client.open_message(folder, folder_id, id, READ).unwrap();
    fails(
        client.open_stream(reader.handle, tag::BODY, 1),
        code::ACCESS_DENIED,
    );
}

/// RTF that says what it was made from gives that back, in the code page of the message, and other
/// RTF does not (MS-OXRTFEX 2.1.3.1.1, 2.2.3.1, 2.2.3.2, 2.2.3.3; MS-OXCMSG 3.2.4.1).
#[test]
fn what_rtf_was_made_from_comes_out_of_it() {
    const CYRILLIC: i32 = 1251;
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let mut made_of = |rtf: &str| {
        let (message, _) = new_message(&mut client, folder, folder_id, "encapsulated");
        let rtf = compressed::compress(rtf.as_bytes());
        let values = [
            (CODE_PAGE, Value::Integer32(CYRILLIC)),
            (RTF, Value::Binary(rtf.clone())),
        ];
        client.set_props(message, &values).unwrap();
        client.save_message(message).unwrap();
        let asked = [BODY_HTML, tag::HTML, tag::BODY, NATIVE_BODY, RTF];
        let row = client.get_props(message, &asked).unwrap();
        // It is kept as it was written.
        assert_eq!((row.int(3), row.binary(4)), (2, &rtf[..]));
        (row.text(0), row.binary(1).to_vec(), row.text(2))
    };
    let content = r"\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset238 Arial;}}
{\*\htmltag19 <html>}{\*\htmltag50 <body>}{\*\htmltag64 <p title=\'e8>}\htmlrtf {\f1 x\htmlrtf0 {\*\mhtmltag84 y}\'e8
\htmlrtf }\htmlrtf0 \f0\'e8\u1046?\~\lquote{\*\htmltag72 </p>\par}\htmlrtf\par\htmlrtf0{\*\htmltag27 </html>}}";
    let (html, bytes, text) = made_of(&format!(r"{{\rtf1\ansi\ansicpg1251\fromhtml1 {content}"));
    let expected = "<html><body><p title=и>čиЖ&nbsp;&lsquo;</p>\r\n</html>";
    assert_eq!(html, expected);
    assert!(bytes.starts_with(b"<html><body><p title=\xE8>"));
    assert!(bytes.ends_with(b"\xE8\xC6&nbsp;&lsquo;</p>\r\n</html>"));
    assert!(text.replace('\u{a0}', " ").starts_with("čиЖ ‘"), "{text}");
    // No other word, no other heading, and not behind the tenth token.
    for header in [
        r"\rtf1\ansi\ansicpg1251\fromhtml ",
        r"\rtf1\ansi\ansicpg1251\fromhtml0 ",
        r"\ansi\rtf1\ansicpg1251\fromhtml1 ",
        r"\rtf1\ansi\ansicpg1251\a\b\c\d\e\f\fromhtml1 ",
    ] {
        let (html, _, _) = made_of(&format!("{{{header}{content}"));
        assert!(!html.contains("title="), "{header}: {html}");
    }
    let (html, bytes, text) =
        made_of(r"{\rtf1\ansi\ansicpg1251\fromtext \pard\b a<\tab\'e8\par\u9875?\line\{b\}}");
    assert_eq!(text, "a<\tи\r\n\u{2693}\r\n{b}");
    assert!(html.contains("a&lt;") && !html.contains("<b>"), "{html}");
    assert!(bytes.contains(&0xE8));
}
