use proptest::prelude::*;
use ropewalk_body::{compressed, rtf_to_html, rtf_to_text};
use ropewalk_props::{PropTag, PropType, PropValue, tags::*, text::decode_utf16le};
use ropewalk_wire::{ErrorCode, row::RowCell, value::TaggedPropertyValue};

use super::*;
use crate::{
    property::value::Found,
    test_client::{Client, tagged, text},
};

const CREATE: u8 = 2;

fn binary(tag: PropTag, bytes: &[u8]) -> TaggedPropertyValue {
    tagged(tag, PropValue::Binary(bytes.to_vec()))
}

fn html(source: &str) -> TaggedPropertyValue {
    binary(PID_TAG_HTML, source.as_bytes())
}

fn rtf(source: &str) -> TaggedPropertyValue {
    binary(
        PID_TAG_RTF_COMPRESSED,
        &compressed::compress(source.as_bytes()),
    )
}

fn plain(source: &str) -> TaggedPropertyValue {
    text(PID_TAG_BODY, source)
}

fn in_sync(value: bool) -> TaggedPropertyValue {
    tagged(PID_TAG_RTF_IN_SYNC, PropValue::Boolean(value))
}

const RTF: &str = r"{\rtf1\ansi\ansicpg1252 Hi \b there\b0\par}";
const HTML: &str = "<html><body><p>Hi <b>there</b> \u{e9}</p></body></html>";

/// What a client sees: PidTagNativeBody, the text, the HTML as text, the RTF.
fn seen(
    client: &mut Client,
    message: u32,
) -> (i32, Option<String>, Option<String>, Option<String>) {
    let native = match client.get(message, PID_TAG_NATIVE_BODY) {
        Ok(PropValue::Integer32(native)) => native,
        other => panic!("{other:?}"),
    };
    let mut string = |tag| match client.get(message, tag) {
        Ok(PropValue::String(text)) => Some(text.to_string()),
        Err(ErrorCode::NOT_FOUND) => None,
        other => panic!("{other:?}"),
    };
    let (text, html) = (string(PID_TAG_BODY), string(PID_TAG_BODY_HTML));
    let rtf = match client.get(message, PID_TAG_RTF_COMPRESSED) {
        Ok(PropValue::Binary(bytes)) => {
            let rtf = compressed::decompress(&bytes, 1 << 20).unwrap();
            Some(String::from_utf8(rtf).unwrap())
        }
        Err(ErrorCode::NOT_FOUND) => None,
        other => panic!("{other:?}"),
    };
    (native, text, html, rtf)
}

#[test]
fn what_was_written_is_native_and_the_others_follow_from_it() {
    let mut client = Client::new();
    let message = client.create_message();
    assert_eq!(seen(&mut client, message), (0, None, None, None));
    assert_eq!(
        client.get(message, PID_TAG_RTF_IN_SYNC),
        Err(ErrorCode::NOT_FOUND)
    );

    client.set(message, &[html(HTML)]).unwrap();
    let (native, text, page, document) = seen(&mut client, message);
    assert_eq!((native, text.as_deref()), (3, Some("Hi there \u{e9}")));
    assert_eq!(page.as_deref(), Some(HTML));
    let back = rtf_to_html(document.unwrap().as_bytes(), "utf-8", 1 << 20);
    assert_eq!(decode_utf16le(&back.bytes), HTML);
    // MS-OXBBODY 2.1.3.1: HTML is best if RTF is not in sync, and says so.
    assert_eq!(
        client.get(message, PID_TAG_RTF_IN_SYNC),
        Ok(PropValue::Boolean(false))
    );

    client.save(message, 0x02).unwrap();
    client.set(message, &[rtf(RTF)]).unwrap();
    let (native, text, page, document) = seen(&mut client, message);
    assert_eq!((native, text.as_deref()), (2, Some("Hi there\r\n")));
    assert!(page.unwrap().contains("<b>there</b>"));
    assert_eq!(document.as_deref(), Some(RTF));
    assert_eq!(
        client.get(message, PID_TAG_RTF_IN_SYNC),
        Ok(PropValue::Boolean(true))
    );

    client.save(message, 0x02).unwrap();
    client.set(message, &[plain("a < b\r\nc")]).unwrap();
    let (native, text, page, document) = seen(&mut client, message);
    assert_eq!((native, text.as_deref()), (1, Some("a < b\r\nc")));
    assert!(page.unwrap().contains("a &lt; b<br>\r\nc"));
    let back = rtf_to_text(document.unwrap().as_bytes(), 1000);
    assert_eq!(decode_utf16le(&back.bytes), "a < b\r\nc");

    // What is converted is no property of its own that could be deleted.
    client
        .delete(message, &[PID_TAG_HTML, PID_TAG_RTF_COMPRESSED])
        .unwrap();
    assert_eq!(seen(&mut client, message).1.as_deref(), Some("a < b\r\nc"));
    client.delete(message, &[PID_TAG_BODY]).unwrap();
    assert_eq!(seen(&mut client, message), (0, None, None, None));
}

/// MS-OXBBODY 2.1.3.1, as the server has to decide it for a client that does not.
#[test]
fn several_forms_in_one_save_stay_and_the_best_one_is_native() {
    let cases: [(&[TaggedPropertyValue], i32, [bool; 3]); 10] = [
        // Which of text, RTF and HTML are what was written.
        (
            &[plain("x"), rtf(RTF), in_sync(true)],
            2,
            [true, true, false],
        ),
        (
            &[plain("x"), rtf(RTF), in_sync(false)],
            1,
            [true, true, false],
        ),
        (&[plain("x"), rtf(RTF)], 2, [true, true, false]),
        (&[plain("x"), html(HTML)], 3, [true, false, true]),
        (&[rtf(RTF), html(HTML)], 3, [false, true, true]),
        (
            &[rtf(RTF), html(HTML), in_sync(true)],
            2,
            [false, true, true],
        ),
        (
            &[rtf(RTF), html(HTML), in_sync(false)],
            3,
            [false, true, true],
        ),
        (
            &[plain("x"), rtf(RTF), html(HTML), in_sync(false)],
            3,
            [true, true, true],
        ),
        (
            &[
                plain("x"),
                html(HTML),
                tagged(PID_TAG_NATIVE_BODY, PropValue::Integer32(1)),
            ],
            1,
            [true, false, true],
        ),
        // What it says it has not got.
        (
            &[
                plain("x"),
                tagged(PID_TAG_NATIVE_BODY, PropValue::Integer32(3)),
            ],
            1,
            [true, false, false],
        ),
    ];
    for (set, native, kept) in cases {
        for at_once in [true, false] {
            let mut client = Client::new();
            let message = client.create_message();
            if at_once {
                client.set(message, set).unwrap();
            } else {
                for property in set {
                    client.set(message, std::slice::from_ref(property)).unwrap();
                }
            }
            client.save(message, 0x02).unwrap();
            let (found, text, html, rtf) = seen(&mut client, message);
            assert_eq!(found, native, "{set:?}");
            let is = [
                text.as_deref() == Some("x"),
                rtf.as_deref() == Some(RTF),
                html.as_deref() == Some(HTML),
            ];
            assert_eq!(is, kept, "{set:?}");
        }
    }
}

#[test]
fn one_form_written_later_puts_the_others_out() {
    let mut client = Client::new();
    for (index, (written, native)) in [(plain("new"), 1), (rtf(RTF), 2), (html(HTML), 3)]
        .into_iter()
        .enumerate()
    {
        let id = client.saved(&[
            plain("old"),
            rtf(r"{\rtf1 old}"),
            html("<p>old"),
            in_sync(true),
            tagged(PID_TAG_NATIVE_BODY, PropValue::Integer32(3)),
        ]);
        let message = client.open_message(id, 1);
        client.set(message, std::slice::from_ref(&written)).unwrap();
        let (found, text, page, document) = seen(&mut client, message);
        assert_eq!(found, native, "{index}");
        for form in [text, page, document] {
            assert!(!form.unwrap().contains("old"), "{index}");
        }
        // As it is saved, and to others.
        client.save(message, 0).unwrap();
        let message = client.open_message(id, 0);
        assert_eq!(seen(&mut client, message).0, native);
    }
}

#[test]
fn streams_read_and_write_every_form() {
    let mut client = Client::new();
    let message = client.create_message();
    let (stream, _) = client.open_stream(message, PID_TAG_HTML, CREATE).unwrap();
    client.write(stream, HTML.as_bytes()).unwrap();
    let (read, length) = client.open_stream(message, PID_TAG_BODY, 0).unwrap();
    let text = client.read(read, 1000).unwrap();
    assert_eq!(length as usize, text.len());
    assert_eq!(decode_utf16le(&text), "Hi there \u{e9}");
    let narrow = PID_TAG_BODY.with_type(PropType::STRING8);
    let (read, _) = client.open_stream(message, narrow, 0).unwrap();
    assert_eq!(client.read(read, 1000).unwrap(), b"Hi there \xE9");
    let (read, _) = client
        .open_stream(message, PID_TAG_RTF_COMPRESSED, 0)
        .unwrap();
    let packed = client.read(read, 4000).unwrap();
    assert!(compressed::decompress(&packed, 10_000).is_ok());
    client.save(message, 0x02).unwrap();

    // A converted form that is written to is what the client wrote from then on.
    let (stream, length) = client.open_stream(message, PID_TAG_BODY, 1).unwrap();
    client.seek(stream, 0, length.into()).unwrap();
    client.write(stream, b"!\0").unwrap();
    let (native, text, page, _) = seen(&mut client, message);
    assert_eq!((native, text.as_deref()), (1, Some("Hi there \u{e9}!")));
    assert!(page.unwrap().contains("Hi there \u{e9}!"));
}

#[test]
fn long_bodies_are_streams_in_every_form() {
    let mut client = Client::new();
    let message = client.create_message();
    let line = "<p>All the same &amp; a line</p>\r\n";
    let (stream, _) = client.open_stream(message, PID_TAG_HTML, CREATE).unwrap();
    let page = line.repeat(20_000);
    for chunk in page.as_bytes().chunks(30_000) {
        client.write(stream, chunk).unwrap();
    }
    client.save(message, 0x02).unwrap();
    for tag in [
        PID_TAG_HTML,
        PID_TAG_BODY,
        PID_TAG_BODY_HTML,
        PID_TAG_RTF_COMPRESSED,
    ] {
        assert_eq!(
            client.get(message, tag),
            Err(ErrorCode::NOT_ENOUGH_MEMORY),
            "{tag:?}"
        );
    }
    let (_, length) = client.open_stream(message, PID_TAG_BODY, 0).unwrap();
    assert_eq!(
        length as usize,
        ("All the same & a line\r\n\r\n".len() * 20_000 - 4) * 2
    );
    let (_, length) = client.open_stream(message, PID_TAG_BODY_HTML, 0).unwrap();
    assert_eq!(length as usize, page.len() * 2);
    // Of middle length: long for the store, short enough for a row.
    let id = client.saved(&[html(&line.repeat(400))]);
    let message = client.open_message(id, 0);
    assert_eq!(
        client.get(message, PID_TAG_BODY_HTML),
        Ok(PropValue::text(&line.repeat(400)))
    );
    assert!(client.get(message, PID_TAG_BODY).is_ok());
}

#[test]
fn a_body_that_is_none_is_not_converted() {
    let mut client = Client::new();
    let message = client.create_message();
    client
        .set(
            message,
            &[binary(PID_TAG_RTF_COMPRESSED, b"not compressed RTF at all")],
        )
        .unwrap();
    for tag in [PID_TAG_BODY, PID_TAG_HTML, PID_TAG_BODY_HTML] {
        assert_eq!(
            client.get(message, tag),
            Err(ErrorCode::NOT_FOUND),
            "{tag:?}"
        );
        assert_eq!(
            client.open_stream(message, tag, 0),
            Err(ErrorCode::NOT_FOUND)
        );
    }
    // Types that a body does not have.
    let odd = PID_TAG_BODY.with_type(PropType::INTEGER32);
    let other = client.create_message();
    client
        .set(other, &[tagged(odd, PropValue::Integer32(7)), html(HTML)])
        .unwrap();
    assert_eq!(client.get(other, odd), Ok(PropValue::Integer32(7)));
    assert_eq!(client.get(other, PID_TAG_BODY), Err(ErrorCode::NOT_FOUND));
    client.delete(other, &[odd]).unwrap();
    assert_eq!(client.get(other, odd), Err(ErrorCode::NOT_FOUND));
    assert_eq!(
        client.get(other, PID_TAG_BODY),
        Ok(PropValue::text("Hi there \u{e9}"))
    );
}

#[test]
fn lists_name_what_was_set_and_not_what_follows_from_it() {
    let mut client = Client::new();
    let message = client.create_message();
    client.set(message, &[html(HTML)]).unwrap();
    let tags: Vec<PropTag> = client.all(message).iter().map(|found| found.tag).collect();
    assert!(tags.contains(&PID_TAG_HTML));
    assert!(tags.contains(&PID_TAG_NATIVE_BODY));
    assert!(!tags.contains(&PID_TAG_BODY));
    assert!(!tags.contains(&PID_TAG_RTF_COMPRESSED));
}

#[test]
fn the_code_page_is_that_of_the_message() {
    let mut client = Client::new();
    let message = client.create_message();
    let page = tagged(PID_TAG_INTERNET_CODEPAGE, PropValue::Integer32(1251));
    client.set(message, &[page, plain("При \u{4e2d}")]).unwrap();
    let Ok(PropValue::Binary(bytes)) = client.get(message, PID_TAG_HTML) else {
        panic!();
    };
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    assert!(has(b"charset=windows-1251"));
    // What it cannot say it says as a reference.
    assert!(has(b"\xCF\xF0\xE8 &#20013;"));
}

#[test]
fn conversions_are_kept_until_the_message_changes() {
    let mut conversions = Conversions::default();
    let mut client = Client::new();
    let id = client.saved(&[html(HTML)]);
    let mailbox = client.mailbox();
    let share = crate::budget::Budget::default().share();
    let message = ropewalk_store::Message {
        props: Bag::from_iter([(PID_TAG_HTML, PropValue::Binary(HTML.into()))]),
        ..Default::default()
    };
    let view = crate::view::MessageView::Draft(&message);
    let text = |kept: &Conversions, extent| match find(
        &mailbox,
        view,
        Some((kept, &share)),
        PID_TAG_BODY,
        extent,
    ) {
        Some(Found::Stored(value)) => Some(value.data.as_ptr()),
        Some(Found::Computed(..)) => None,
        other => panic!("{other:?}"),
    };
    let first = text(&conversions, Extent::Row);
    assert!(first.is_some());
    assert_eq!(text(&conversions, Extent::Row), first);
    // What is not for a row is not kept.
    assert_eq!(text(&conversions, Extent::Whole), None);
    conversions.clear();
    // And by a handle.
    let message = client.open_message(id, 1);
    assert_eq!(
        seen(&mut client, message).1.as_deref(),
        Some("Hi there \u{e9}")
    );
    client.set(message, &[html("<p>other")]).unwrap();
    assert_eq!(seen(&mut client, message).1.as_deref(), Some("other"));
}

#[test]
fn a_client_that_asks_for_some_forms_hears_of_the_best_of_them() {
    let all = Parts::of(PID_TAG_BODY.id())
        .and(Parts::of(PID_TAG_RTF_COMPRESSED.id()))
        .and(Parts::of(PID_TAG_HTML.id()));
    let of = |tag: PropTag| Parts::of(tag.id());
    let page = Bag::from_iter([(PID_TAG_HTML, PropValue::Binary(b"x".to_vec()))]);
    let document = Bag::from_iter([(PID_TAG_RTF_COMPRESSED, PropValue::Binary(b"x".to_vec()))]);
    let signed = Bag::from_iter([
        (PID_TAG_HTML, PropValue::Binary(b"x".to_vec())),
        (PID_TAG_NATIVE_BODY, PropValue::Integer32(4)),
    ]);
    for (props, asked, told) in [
        (&page, Parts::default(), 3),
        (&page, all, 3),
        (&page, of(PID_TAG_BODY), 1),
        (&page, of(PID_TAG_BODY).and(of(PID_TAG_RTF_COMPRESSED)), 2),
        (&document, of(PID_TAG_BODY).and(of(PID_TAG_HTML)), 3),
        (&document, of(PID_TAG_RTF_IN_SYNC), 2),
        (&signed, all, 4),
        (&Bag::new(), of(PID_TAG_BODY), 0),
    ] {
        assert_eq!(best_of(native_body(props), asked), told);
    }
    // As the ROP has it.
    let mut client = Client::new();
    let message = client.create_message();
    client.set(message, &[html(HTML)]).unwrap();
    let tags = [PID_TAG_BODY, PID_TAG_NATIVE_BODY];
    let (_, row) = client.row(message, &tags, 1).unwrap();
    assert_eq!(row[1], RowCell::Value(PropValue::Integer32(1)));
}

proptest! {
    /// Whatever is set and deleted in whatever order: every form there is can be asked for, and the
    /// native one is among them.
    #[test]
    fn a_body_is_there_in_all_forms_or_in_none(
        steps in proptest::collection::vec((0_u8..5, any::<bool>(), any::<bool>()), 0..12)
    ) {
        let mut props = Bag::new();
        let mut fresh = Parts::default();
        for (part, sets, saves) in steps {
            let id = Parts::IDS[usize::from(part)];
            if sets {
                let value = match id {
                    id if id == PID_TAG_BODY.id() => PropValue::text("x"),
                    id if id == PID_TAG_NATIVE_BODY.id() => PropValue::Integer32(2),
                    id if id == PID_TAG_RTF_IN_SYNC.id() => PropValue::Boolean(true),
                    _ => PropValue::Binary(b"x".to_vec()),
                };
                props.set_id(id, &value);
                settle(&mut props, &mut fresh, Parts::of(id));
                prop_assert!(props.position(id).is_some());
            } else {
                props.remove(id);
            }
            if saves {
                fresh = Parts::default();
            }
            let some = Form::ALL.into_iter().any(|form| form.is_in(&props));
            prop_assert_eq!(native(&props).is_some(), some);
            if let Some(form) = native(&props) {
                prop_assert!(form.is_in(&props));
                prop_assert_eq!(native_body(&props), form.number());
            }
        }
    }
}
