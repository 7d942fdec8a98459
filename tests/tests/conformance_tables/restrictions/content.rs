//! Restrictions on a part of a value (MS-OXCDATA 2.12.4).

use ropewalk_tests::{
    client::Value,
    fixture::{ada, new_folder, new_message, tag, text},
};

use super::{content, exist, left, sorted_table};

// MS-OXCDATA 2.12.4.
#[test]
fn content_matches_whole_in_part_and_at_the_start() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    const WORDS: u32 = 0x6910_101F;
    const BYTES: u32 = 0x6911_0102;
    let long = format!("{}needle{}", "hay ".repeat(1500), " hay".repeat(1500));
    for (subject, words, bytes) in [
        ("Caf\u{e9} au lait", &["one", "Two"][..], &[1, 2, 3][..]),
        ("cafe", &["twofold"], &[2, 3]),
        ("The CAFE", &[], &[]),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let words = words.iter().map(|word| (*word).into()).collect();
        let props = [
            (WORDS, Value::MultipleString(words)),
            (BYTES, Value::Binary(bytes.to_vec())),
            (tag::BODY, text(&long)),
        ];
        client.set_props(message, &props).unwrap();
        client.save_message(message).unwrap();
    }
    let table = sorted_table(&mut client, folder);
    let (accent, plain, the) = ("Caf\u{e9} au lait", "cafe", "The CAFE");
    let subject = |low, high, value| content(low, high, tag::SUBJECT, tag::SUBJECT, text(value));
    let all = left(&mut client, table, &exist(tag::SUBJECT));
    for (restriction, wanted) in [
        (subject(0, 0, "cafe"), plain.to_owned()),
        (subject(0, 1, "CAFE"), plain.to_owned()),
        (subject(0, 0, "CAFE"), String::new()),
        (subject(0, 2, "Cafe au lait"), accent.to_owned()),
        (subject(0, 2, "cafe au lait"), String::new()),
        (subject(0, 3, "cafe au lait"), accent.to_owned()),
        (subject(0, 4, "CAFE AU LAIT"), accent.to_owned()),
        (subject(1, 0, "caf"), plain.to_owned()),
        (subject(1, 4, "caf\u{e9}"), all.clone()),
        (subject(1, 0, "CAFE"), the.to_owned()),
        (subject(2, 0, "Caf"), accent.to_owned()),
        (subject(2, 1, "the c"), the.to_owned()),
        (subject(2, 0, "the c"), String::new()),
        (subject(1, 0, ""), all.clone()),
        // Any of several values; the value is of the single type.
        (content(2, 1, WORDS, 0x6910_001F, text("TWO")), {
            format!("{plain}{accent}")
        }),
        (
            content(0, 0, WORDS, 0x6910_001F, text("one")),
            accent.to_owned(),
        ),
        // Bytes have no case.
        (
            content(1, 1, BYTES, BYTES, Value::Binary(vec![2, 3])),
            format!("{plain}{accent}"),
        ),
        (
            content(2, 0, BYTES, BYTES, Value::Binary(vec![2])),
            plain.to_owned(),
        ),
        (
            content(0, 0, BYTES, BYTES, Value::Binary(vec![1, 2, 3])),
            accent.to_owned(),
        ),
        // More than a cell holds.
        (
            content(1, 0, tag::BODY, tag::BODY, text(" needle ")),
            all.clone(),
        ),
        // The 8-bit form of a string, on either side.
        (
            content(
                0,
                1,
                0x0037_001E,
                0x0037_001E,
                Value::String8(b"Cafe".to_vec()),
            ),
            plain.to_owned(),
        ),
        (
            content(
                0,
                1,
                tag::SUBJECT,
                0x0037_001E,
                Value::String8(b"Cafe".to_vec()),
            ),
            plain.to_owned(),
        ),
    ] {
        let mut found = left(&mut client, table, &restriction);
        let mut wanted = wanted;
        if found != wanted {
            // Where "Café" stands among the others is the sort order's business.
            for order in [&mut found, &mut wanted] {
                let mut chars: Vec<char> = order.chars().collect();
                chars.sort_unstable();
                *order = chars.into_iter().collect();
            }
        }
        assert_eq!(found, wanted, "{restriction:?}");
    }
}
