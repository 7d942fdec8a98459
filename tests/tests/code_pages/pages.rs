//! Each code page, in every place that has 8-bit strings of a property.

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value},
    fixture::{code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::value::{Form, TaggedPropertyValue};

use super::{FREE, FREE_MULTIPLE, bytes, connect, narrow, try_connect, typed, unspecified, utf16};

/// A code page, text that it can say, and its bytes, by the tables of Windows.
const PAGES: [(u32, &str, &[u8]); 36] = [
    (866, "Привет", b"\x8F\xE0\xA8\xA2\xA5\xE2"),
    (874, "กขฃ ไทย €", b"\xA1\xA2\xA3 \xE4\xB7\xC2 \x80"),
    // The second byte of the last character is a backslash.
    (932, "日本ｱ表", b"\x93\xFA\x96\x7B\xB1\x95\x5C"),
    (936, "中文€", b"\xD6\xD0\xCE\xC4\x80"),
    // The last one is of the extension of 949 alone.
    (949, "한글똠", b"\xC7\xD1\xB1\xDB\x8C\x63"),
    (950, "中文功", b"\xA4\xA4\xA4\xE5\xA5\x5C"),
    (1250, "Łódź €", b"\xA3\xF3d\x9F \x80"),
    (1251, "Привет", b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    (1252, "Zoë €", b"Zo\xEB \x80"),
    (1253, "Αθήνα €", b"\xC1\xE8\xDE\xED\xE1 \x80"),
    (1254, "İstanbul ğş", b"\xDDstanbul \xF0\xFE"),
    (1255, "שלום ₪", b"\xF9\xEC\xE5\xED \xA4"),
    (1256, "سلام", b"\xD3\xE1\xC7\xE3"),
    (1257, "Šiauliai ž", b"\xD0iauliai \xFE"),
    (1258, "Đ ơ ư ₫", b"\xD0 \xF5 \xFD \xFE"),
    (10000, "Zoë", b"Zo\x91"),
    (20127, "Zoe", b"Zoe"),
    (20866, "Привет", b"\xF0\xD2\xC9\xD7\xC5\xD4"),
    (20936, "中文", b"\xD6\xD0\xCE\xC4"),
    (21866, "Їжа", b"\xB7\xD6\xC1"),
    // C1 controls, and no euro sign.
    (28591, "Zo\u{eb}\u{80}", b"Zo\xEB\x80"),
    (28592, "Łódź", b"\xA3\xF3d\xBC"),
    (28593, "Ħħ", b"\xA1\xB1"),
    (28594, "ĄŠ", b"\xA1\xA9"),
    (28595, "Привет", b"\xBF\xE0\xD8\xD2\xD5\xE2"),
    (28596, "سلام", b"\xD3\xE4\xC7\xE5"),
    (28597, "Αθήνα", b"\xC1\xE8\xDE\xED\xE1"),
    (28598, "שלום", b"\xF9\xEC\xE5\xED"),
    (28599, "İstanbul ğş\u{85}", b"\xDDstanbul \xF0\xFE\x85"),
    (28603, "Š ž", b"\xD0 \xFE"),
    (28605, "€ Š", b"\xA4 \xA6"),
    (50220, "日本", b"\x1B$BF|K\\\x1B(B"),
    (51932, "日本", b"\xC6\xFC\xCB\xDC"),
    (51936, "中文", b"\xD6\xD0\xCE\xC4"),
    (54936, "中€🚢", b"\xD6\xD0\xA2\xE3\x95\x30\x8E\x38"),
    (65001, "日本 🚢", "日本 🚢".as_bytes()),
];

/// RopGetPropertiesAll without WantUnicode.
fn all_narrow(client: &mut Client, object: Handle) -> Vec<(u32, Value)> {
    let rop = Rop::new(0x08, 0).u16(0).u16(0);
    let answer = client.rop(&rop, &[object]).unwrap();
    let read = answer.read(|input| {
        let count = input.u16()?;
        (0..count)
            .map(|_| {
                let value = TaggedPropertyValue::take(input, Form::Rop)?;
                Ok((value.tag.0, value.value))
            })
            .collect()
    });
    read.unwrap()
}

/// A string property of an object, set in the code page, is read in every form.
fn is_read_in_every_form(client: &mut Client, object: Handle, said: &str, page: &[u8]) {
    for tag in [FREE, tag::COMMENT] {
        let problems = client.set_props(object, &[(narrow(tag), bytes(page))]);
        problems.unwrap();
        for want_unicode in [0, 1] {
            let tags = [tag, narrow(tag), unspecified(tag)];
            let row = client
                .get_props_with(object, &tags, 0, want_unicode)
                .unwrap();
            assert_eq!(*row.value(0), text(said));
            assert_eq!(*row.value(1), bytes(page));
            let either = [bytes(page), text(said)];
            assert_eq!(*row.value(2), either[usize::from(want_unicode)]);
        }
    }
    let all = client.get_all_props(object).unwrap();
    assert!(all.contains(&(FREE, text(said))));
    let all = all_narrow(client, object);
    assert!(all.contains(&(narrow(FREE), bytes(page))));
    let is_wide = |tag: u32| [0x001F, 0x101F].contains(&(tag & 0xFFFF));
    assert!(all.iter().all(|(tag, _)| !is_wide(*tag)));
    // What is kept is Unicode (MS-OXCPRPT 3.2.5.3).
    assert!(client.list_props(object).unwrap().contains(&FREE));

    let several = Value::MultipleString8(vec![page.to_vec(), Vec::new(), b"b".to_vec()]);
    let tags = [
        FREE_MULTIPLE,
        typed(FREE_MULTIPLE, 0x101E),
        unspecified(FREE_MULTIPLE),
    ];
    client
        .set_props(object, &[(tags[1], several.clone())])
        .unwrap();
    let row = client.get_props_with(object, &tags, 0, 0).unwrap();
    let wide = Value::MultipleString(vec![said.into(), "".into(), "b".into()]);
    assert_eq!(*row.value(0), wide);
    assert_eq!(*row.value(1), several);
    assert_eq!(*row.value(2), several);

    // Set as Unicode, it is read the same.
    client.set_props(object, &[(FREE, text(said))]).unwrap();
    let row = client.get_props(object, &[narrow(FREE)]).unwrap();
    assert_eq!(*row.value(0), bytes(page));
}

fn is_streamed(client: &mut Client, object: Handle, said: &str, page: &[u8]) {
    let wide = utf16(said);
    client.write_property_stream(object, FREE, &wide).unwrap();
    let (stream, size) = client.open_stream(object, narrow(FREE), 0).unwrap();
    assert_eq!(size as usize, page.len());
    assert_eq!(client.read_stream(stream).unwrap(), page);
    assert_eq!(client.stream_size(stream).unwrap() as usize, page.len());
    client.release(stream).unwrap();

    client
        .write_property_stream(object, narrow(FREE), b"x")
        .unwrap();
    client
        .write_property_stream(object, narrow(FREE), page)
        .unwrap();
    assert_eq!(client.read_property_stream(object, FREE).unwrap(), wide);
    // At the end of what is there already. Escape sequences on end are not text on the Web, whose tables
    // are those of ISO-2022-JP here.
    if page.contains(&0x1B) {
        return;
    }
    let (stream, _) = client.open_stream(object, narrow(FREE), 1).unwrap();
    client.seek_stream(stream, 2, 0).unwrap();
    client.write_all(stream, page).unwrap();
    client.commit_stream(stream).unwrap();
    assert_eq!(client.stream_size(stream).unwrap() as usize, 2 * page.len());
    client.release(stream).unwrap();
    let row = client.get_props(object, &[FREE]).unwrap();
    assert_eq!(row.text(0), said.repeat(2));
    client
        .set_props(object, &[(narrow(FREE), bytes(page))])
        .unwrap();
}

#[test]
fn each_code_page_of_a_session_says_its_own_bytes() {
    for (page, said, encoded) in PAGES {
        eprintln!("code page {page}");
        let (mut client, logon) = connect(page);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, id) = new_message(&mut client, folder, folder_id, "");
        is_read_in_every_form(&mut client, message, said, encoded);
        is_streamed(&mut client, message, said, encoded);
        client
            .set_props(message, &[(narrow(tag::SUBJECT), bytes(encoded))])
            .unwrap();
        // MS-OXCMSG 2.2.1.4: that of the message.
        let row = client.get_props(message, &[0x3FFD_0003]).unwrap();
        assert_eq!(row.int(0) as u32, page);
        client.save_message(message).unwrap();

        let (attachment, _) = client.create_attachment(message).unwrap();
        is_read_in_every_form(&mut client, attachment, said, encoded);
        is_streamed(&mut client, attachment, said, encoded);
        client.save_attachment(message, attachment).unwrap();
        let columns = [narrow(FREE), FREE];
        let table = client.attachment_table(message).unwrap();
        let rows = client.query_all_rows(table, &columns).unwrap();
        assert_eq!(*rows[0].value(0), bytes(encoded));
        assert_eq!(rows[0].text(1), said);
        client.save_message(message).unwrap();

        is_read_in_every_form(&mut client, folder, said, encoded);
        let columns = [narrow(tag::SUBJECT), tag::SUBJECT];
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let rows = client.query_all_rows(table, &columns).unwrap();
        assert_eq!(*rows[0].value(0), bytes(encoded));
        assert_eq!(rows[0].text(1), said);
        let opened = client.open_message(folder, folder_id, id, 0).unwrap();
        assert_eq!(opened.normalized_subject.as_deref(), Some(said));
        client.disconnect().unwrap();
    }
}

/// RopCreateFolder, RopMoveFolder and RopCopyFolder with UseUnicodeStrings 0.
#[test]
fn folders_are_named_in_the_code_page_of_the_session() {
    for (page, name, encoded) in [
        (1251, "Привет", &b"\xCF\xF0\xE8\xE2\xE5\xF2"[..]),
        (932, "表", b"\x95\x5C"),
    ] {
        let (mut client, logon) = connect(page);
        let (parent, _) = new_folder(&mut client, &logon);
        let (other, _) = new_folder(&mut client, &logon);
        let rop = Rop::new(0x1C, 0)
            .bytes(&[1, 1, 0, 0, 0])
            .bytes(encoded)
            .bytes(b"\0a ")
            .bytes(encoded)
            .u8(0);
        let answer = client.rop(&rop, &[parent, u32::MAX]).unwrap();
        let folder = answer.handle(1).unwrap();
        let id = answer
            .read(|input| {
                let id = input.u64()?;
                input.u8()?;
                Ok(id)
            })
            .unwrap();
        let names = |client: &mut Client, parent: Handle| {
            let columns = [tag::DISPLAY_NAME, narrow(tag::DISPLAY_NAME), tag::COMMENT];
            let (table, _) = client.hierarchy_table(parent, 0).unwrap();
            client.query_all_rows(table, &columns).unwrap()
        };
        let rows = names(&mut client, parent);
        assert_eq!(rows[0].text(0), name);
        assert_eq!(*rows[0].value(1), bytes(encoded));
        assert_eq!(rows[0].text(2), format!("a {name}"));
        // The same name again, in Unicode.
        fails(client.create_folder(parent, name), code::DUPLICATE_NAME);

        let named = |id_of_rop: u8, rest: &[u8]| {
            let rop = Rop::new(id_of_rop, 0).u8(1).u8(0).bytes(rest);
            rop.u64(id).bytes(encoded).bytes(b" 2\0")
        };
        // WantAsynchronous, WantRecursive for a copy, UseUnicode.
        client.rop(&named(0x36, &[1, 0]), &[parent, other]).unwrap();
        assert_eq!(names(&mut client, other)[0].text(0), format!("{name} 2"));
        client.rop(&named(0x35, &[0]), &[parent, parent]).unwrap();
        assert_eq!(names(&mut client, parent)[0].text(0), format!("{name} 2"));
        client.release(folder).unwrap();
    }
}

#[test]
fn every_byte_that_a_code_page_of_one_byte_has_comes_back() {
    let all: Vec<u8> = (1..=255).collect();
    for page in [
        866, 874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 20866, 28591, 28592, 28599,
    ] {
        let (mut client, logon) = connect(page);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = new_message(&mut client, folder, folder_id, "");
        client
            .set_props(message, &[(narrow(FREE), bytes(&all))])
            .unwrap();
        let row = client.get_props(message, &[narrow(FREE), FREE]).unwrap();
        assert_eq!(*row.value(0), bytes(&all), "{page}");
        assert_eq!(row.text(1).chars().count(), 255, "{page}");
        assert!(!row.text(1).contains('\u{FFFD}'), "{page}");
    }
}

#[test]
fn bytes_that_say_nothing_in_a_code_page_are_neither_an_error_nor_the_end() {
    // Lead bytes without trail bytes, at the end too; escape sequences; bytes of no meaning.
    let odd: [&[u8]; 7] = [
        b"a\x81",
        b"a\xFE z",
        b"\x80\xFF \xA0\xF5\xC0\x80z",
        b"\x1B$B\xFF\x1B(Iz",
        b"\xED\xA0\x80 \xF8\x88\x80\x80\x80z",
        b"\x84\x31\xA4 \xE3\x32\x9A\x36 z",
        b"\xFF\xFE\xEF\xBB\xBF z",
    ];
    for (page, said, encoded) in PAGES {
        let (mut client, logon) = connect(page);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = new_message(&mut client, folder, folder_id, "");
        for odd in odd {
            client
                .set_props(message, &[(narrow(FREE), bytes(odd))])
                .unwrap();
            let row = client.get_props(message, &[FREE, narrow(FREE)]).unwrap();
            let text = row.text(0);
            assert_eq!(
                text.starts_with('a'),
                odd.starts_with(b"a"),
                "{page} {text:?}"
            );
            assert!(matches!(row.value(1), Value::String8(_)));
            client
                .write_property_stream(message, narrow(FREE), odd)
                .unwrap();
            assert_eq!(
                client.get_props(message, &[FREE]).unwrap().text(0),
                text,
                "{page}"
            );
            client
                .set_props(folder, &[(narrow(tag::COMMENT), bytes(odd))])
                .unwrap();
            assert_eq!(
                client.get_props(folder, &[tag::COMMENT]).unwrap().text(0),
                text
            );
        }
        client
            .set_props(message, &[(narrow(FREE), bytes(encoded))])
            .unwrap();
        assert_eq!(client.get_props(message, &[FREE]).unwrap().text(0), said);
    }
    // By the tables: a byte order mark is text, what is cut off is one U+FFFD.
    let (mut client, logon) = connect(65001);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "");
    for (given, said) in [
        (&b"\xEF\xBB\xBFa"[..], "\u{FEFF}a"),
        (b"a\xE6\x97", "a\u{FFFD}"),
        (b"a\xFFb", "a\u{FFFD}b"),
    ] {
        client
            .set_props(message, &[(narrow(FREE), bytes(given))])
            .unwrap();
        assert_eq!(client.get_props(message, &[FREE]).unwrap().text(0), said);
    }
}

#[test]
fn what_a_code_page_cannot_say_is_marked_and_kept() {
    const SAID: &str = "Zoë Привет 日本 🚢 €";
    for (page, encoded) in [
        (1252, &b"Zo\xEB ?????? ?? ?? \x80"[..]),
        (1251, b"Zo? \xCF\xF0\xE8\xE2\xE5\xF2 ?? ?? \x88"),
        (28591, b"Zo\xEB ?????? ?? ?? ?"),
        (20127, b"Zo? ?????? ?? ?? ?"),
        // Of the euro sign, 932 has none.
        (
            932,
            b"Zo? \x84\x50\x84\x82\x84\x79\x84\x72\x84\x75\x84\x84 \x93\xFA\x96\x7B ?? ?",
        ),
    ] {
        let (mut client, logon) = connect(page);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, id) = new_message(&mut client, folder, folder_id, SAID);
        let row = client.get_props(message, &[narrow(tag::SUBJECT)]).unwrap();
        assert_eq!(*row.value(0), bytes(encoded), "{page}");
        let read = client
            .read_property_stream(message, narrow(tag::SUBJECT))
            .unwrap();
        assert_eq!(read, encoded, "{page}");
        // A stream that may write and does not changes nothing.
        let (stream, _) = client
            .open_stream(message, narrow(tag::SUBJECT), 1)
            .unwrap();
        client.commit_stream(stream).unwrap();
        client.release(stream).unwrap();
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let columns = [narrow(tag::SUBJECT), tag::SUBJECT];
        let rows = client.query_all_rows(table, &columns).unwrap();
        assert_eq!(*rows[0].value(0), bytes(encoded), "{page}");
        assert_eq!(rows[0].text(1), SAID, "{page}");
        client.save_message(message).unwrap();
        let opened = client.open_message(folder, folder_id, id, 0).unwrap();
        let row = client.get_props(opened.handle, &[tag::SUBJECT]).unwrap();
        assert_eq!(row.text(0), SAID, "{page}");
    }
}

// MS-OXCSTOR 3.2.5.1.1 and 3.2.5.1.3.
#[test]
fn a_session_in_a_code_page_that_cannot_be_converted_does_not_log_on() {
    // No identifiers, UTF-16 in another order, UTF-7, EBCDIC, and what no identifier can be.
    for page in [
        1,
        7,
        500,
        1201,
        12345,
        28600,
        28604,
        65000,
        65535,
        0x0001_04E4,
        u32::MAX,
    ] {
        fails(try_connect(page).map(|_| ()), code::UNKNOWN_CODE_PAGE);
    }
    // No code page of 8 bits in particular (CP_ACP, CP_WINUNICODE): Windows-1252.
    for page in [0, 1200] {
        let (mut client, logon) = connect(page);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = new_message(&mut client, folder, folder_id, "Zoë €");
        let row = client
            .get_props(message, &[narrow(tag::SUBJECT), 0x3FFD_0003])
            .unwrap();
        assert_eq!(*row.value(0), bytes(b"Zo\xEB \x80"));
        assert_eq!(row.int(1), 1252);
    }
}

#[test]
fn another_session_reads_in_its_own_code_page() {
    let (mut cyrillic, logon) = connect(1251);
    let (folder, folder_id) = new_folder(&mut cyrillic, &logon);
    let (message, id) = new_message(&mut cyrillic, folder, folder_id, "");
    let value = (narrow(tag::SUBJECT), bytes(b"\xCF\xF0\xE8\xE2\xE5\xF2"));
    cyrillic.set_props(message, &[value]).unwrap();
    cyrillic.save_message(message).unwrap();
    for (page, encoded) in [
        (20866, &b"\xF0\xD2\xC9\xD7\xC5\xD4"[..]),
        (866, b"\x8F\xE0\xA8\xA2\xA5\xE2"),
        (1252, b"??????"),
        (1251, b"\xCF\xF0\xE8\xE2\xE5\xF2"),
    ] {
        let (mut client, logon) = connect(page);
        let folder = client.open_folder(logon.handle, folder_id).unwrap();
        let opened = client.open_message(folder, folder_id, id, 0).unwrap();
        let row = client
            .get_props(opened.handle, &[narrow(tag::SUBJECT)])
            .unwrap();
        assert_eq!(*row.value(0), bytes(encoded), "{page}");
        // Rows that one session was sent are not those of another.
        let (table, _) = client.contents_table(folder, 0).unwrap();
        let rows = client
            .query_all_rows(table, &[narrow(tag::SUBJECT)])
            .unwrap();
        assert_eq!(*rows[0].value(0), bytes(encoded), "{page}");
    }
}

// MS-OXCPRPT 2.2.2.2: an error stands for a value that is too large, and a shorter form may not be.
#[test]
fn a_long_string_is_read_in_8_bits_where_it_is_too_long_in_unicode() {
    let (mut client, logon) = connect(1252);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "");
    for (units, fits) in [(15_000, true), (20_000, false), (25_000, false)] {
        let long = "é".repeat(units);
        client
            .write_property_stream(message, FREE, &utf16(&long))
            .unwrap();
        for want_unicode in [0, 1] {
            let tags = [narrow(FREE)];
            let row = client
                .get_props_with(message, &tags, 0, want_unicode)
                .unwrap();
            assert_eq!(*row.value(0), bytes(&vec![0xE9; units]), "{units}");
        }
        let row = client
            .get_props_with(message, &[unspecified(FREE)], 0, 0)
            .unwrap();
        assert_eq!(*row.value(0), bytes(&vec![0xE9; units]));
        let all = all_narrow(&mut client, message);
        assert!(
            all.contains(&(narrow(FREE), bytes(&vec![0xE9; units]))),
            "{units}"
        );
        let row = client.get_props(message, &[FREE]).unwrap();
        if fits {
            assert_eq!(row.text(0), long);
        } else {
            assert_eq!(row.error(0), code::MEMORY);
        }
    }
    let long = "é".repeat(40_000);
    client
        .write_property_stream(message, FREE, &utf16(&long))
        .unwrap();
    let row = client.get_props(message, &[narrow(FREE), FREE]).unwrap();
    assert_eq!([row.error(0), row.error(1)], [code::MEMORY; 2]);
}

/// A character may come in two writes, and a commit between them may see half of it.
#[test]
fn a_character_may_come_in_parts_to_a_stream() {
    let (mut client, logon) = connect(932);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "");
    let (stream, _) = client.open_stream(message, narrow(FREE), 2).unwrap();
    client.write_all(stream, b"a\x95").unwrap();
    client.commit_stream(stream).unwrap();
    assert_eq!(
        client.get_props(message, &[FREE]).unwrap().text(0),
        "a\u{FFFD}"
    );
    client.write_all(stream, b"\x5Cb").unwrap();
    assert_eq!(client.stream_size(stream).unwrap(), 4);
    client.commit_stream(stream).unwrap();
    assert_eq!(client.get_props(message, &[FREE]).unwrap().text(0), "a表b");
    // Cut in the middle.
    client.set_stream_size(stream, 2).unwrap();
    client.commit_stream(stream).unwrap();
    assert_eq!(
        client.get_props(message, &[FREE]).unwrap().text(0),
        "a\u{FFFD}"
    );
    client.release(stream).unwrap();
    // Read in parts.
    client.set_props(message, &[(FREE, text("a表b"))]).unwrap();
    let (stream, size) = client.open_stream(message, narrow(FREE), 0).unwrap();
    assert_eq!(size, 4);
    assert_eq!(client.read_stream_once(stream, 2, None).unwrap(), b"a\x95");
    assert_eq!(client.read_stream_once(stream, 9, None).unwrap(), b"\x5Cb");
    // A long one is kept apart from its message.
    let long = b"\x95\x5C".repeat(70_001);
    client
        .write_property_stream(message, narrow(FREE), &long)
        .unwrap();
    let wide = client.read_property_stream(message, FREE).unwrap();
    assert_eq!(wide, utf16(&"表".repeat(70_001)));
    assert_eq!(
        client.read_property_stream(message, narrow(FREE)).unwrap(),
        long
    );
}

// MS-OXCMSG 2.2.1.56: the text of a message in HTML, which has a code page of its own.
#[test]
fn a_body_is_told_in_the_code_page_of_the_session_whatever_its_html_is_in() {
    const INTERNET_CODEPAGE: u32 = 0x3FDE_0003;
    for (page, encoded) in [
        (20866, &b"\xF0\xD2\xC9\xD7\xC5\xD4"[..]),
        (1252, b"??????"),
        (65001, "Привет".as_bytes()),
    ] {
        let (mut client, logon) = connect(page);
        let (folder, folder_id) = new_folder(&mut client, &logon);
        let (message, _) = new_message(&mut client, folder, folder_id, "");
        client
            .set_props(message, &[(INTERNET_CODEPAGE, Value::Integer32(1251))])
            .unwrap();
        let html = b"<html><body><p>\xCF\xF0\xE8\xE2\xE5\xF2</p></body></html>";
        client
            .write_property_stream(message, tag::HTML, html)
            .unwrap();
        client.save_message(message).unwrap();
        let row = client
            .get_props(message, &[tag::BODY, narrow(tag::BODY)])
            .unwrap();
        assert_eq!(row.text(0).trim_end(), "Привет", "{page}");
        let Value::String8(body) = row.value(1) else {
            panic!("{:?}", row.value(1));
        };
        assert_eq!(body.trim_ascii_end(), encoded, "{page}");
        let read = client
            .read_property_stream(message, narrow(tag::BODY))
            .unwrap();
        assert_eq!(read, *body, "{page}");
        // As text, which is PidTagBodyHtml, it is a string like others.
        let wide = client
            .read_property_stream(message, typed(tag::HTML, 0x001F))
            .unwrap();
        assert_eq!(
            wide,
            utf16("<html><body><p>Привет</p></body></html>"),
            "{page}"
        );
        let same = client
            .read_property_stream(message, narrow(tag::HTML))
            .unwrap();
        let expected = [b"<html><body><p>", encoded, b"</p></body></html>"].concat();
        assert_eq!(same, expected, "{page}");

        // A body that was set in 8 bits, read as HTML in the code page that HTML is to be in.
        let (plain, _) = new_message(&mut client, folder, folder_id, "");
        let body = (narrow(tag::BODY), bytes(encoded));
        let charset = (INTERNET_CODEPAGE, Value::Integer32(1251));
        client.set_props(plain, &[charset, body]).unwrap();
        client.save_message(plain).unwrap();
        let html = client.read_property_stream(plain, tag::HTML).unwrap();
        let said: &[u8] = if page == 1252 {
            b"??????"
        } else {
            b"\xCF\xF0\xE8\xE2\xE5\xF2"
        };
        assert!(
            html.windows(6).any(|part| part == said),
            "{page} {html:02x?}"
        );
    }
}
