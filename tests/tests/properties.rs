//! Properties of objects (MS-OXCPRPT 3.2.5.1 to 3.2.5.5).

use ropewalk_props::{FileTime, Guid, PropTag, Utf16Text};
use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

fn message() -> (Client, Handle, u64, Handle, u64) {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "valued");
    (client, folder, folder_id, message, id)
}

/// One value of every type that a client may set (MS-OXCDATA 2.11.1), at ids that are free for
/// messages (MS-OXPROPS 1.3.3).
fn every_type() -> Vec<(u32, Value)> {
    [
        (0x0002, Value::Integer16(-2)),
        (0x0003, Value::Integer32(i32::MIN)),
        (0x0004, Value::Floating32(1.5)),
        (0x0005, Value::Floating64(-0.25)),
        (0x0006, Value::Currency(123_456)),
        (0x0007, Value::FloatingTime(44_000.5)),
        (0x000B, Value::Boolean(true)),
        (0x0014, Value::Integer64(i64::MAX)),
        (0x001F, text("d\u{e9}ck \u{1F6A2}")),
        (0x0040, Value::Time(FileTime(0x01DC_0000_1234_5678))),
        (0x0048, Value::Guid(Guid([9; 16]))),
        (0x0102, Value::Binary(vec![0, 255, 0, 1])),
        (0x1002, Value::MultipleInteger16(vec![1, -1])),
        (0x1003, Value::MultipleInteger32(vec![i32::MAX, 0])),
        (0x1004, Value::MultipleFloating32(vec![0.5])),
        (0x1005, Value::MultipleFloating64(vec![0.5, 2.0])),
        (0x1006, Value::MultipleCurrency(vec![5])),
        (0x1007, Value::MultipleFloatingTime(vec![1.0])),
        (0x1014, Value::MultipleInteger64(vec![-5, 5])),
        (
            0x101F,
            Value::MultipleString(vec!["".into(), "\u{2693}".into()]),
        ),
        (0x1040, Value::MultipleTime(vec![FileTime(7)])),
        (
            0x1048,
            Value::MultipleGuid(vec![Guid([1; 16]), Guid([2; 16])]),
        ),
        (
            0x1102,
            Value::MultipleBinary(vec![vec![1, 2], Vec::new(), vec![3]]),
        ),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, (ty, value))| (((0x6600 + 0x1200 + i as u32) << 16) | ty, value))
    .collect()
}

#[test]
fn values_of_every_type_come_back_as_they_were_set() {
    let (mut client, folder, folder_id, message, id) = message();
    let values = every_type();
    client.set_props(message, &values).unwrap();
    client.save_message(message).unwrap();
    let tags: Vec<u32> = values.iter().map(|(tag, _)| *tag).collect();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    for handle in [message, opened.handle] {
        let row = client.get_props(handle, &tags).unwrap();
        for (i, (tag, value)) in values.iter().enumerate() {
            assert_eq!(row.value(i), value, "{tag:#010x}");
        }
    }
    let all = client.get_all_props(opened.handle).unwrap();
    let list = client.list_props(opened.handle).unwrap();
    for (tag, value) in &values {
        let found = all.iter().find(|(found, _)| found == tag);
        assert_eq!(found.map(|(_, value)| value), Some(value), "{tag:#010x}");
        assert!(list.contains(tag), "{tag:#010x}");
    }
    assert!(list.contains(&tag::SUBJECT));
    // No tag stands twice.
    let mut sorted = list.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), list.len());
    assert!(!sorted.is_empty());
}

#[test]
fn an_absent_property_is_an_error_in_its_place() {
    let (mut client, _, _, message, _) = message();
    let row = client
        .get_props(message, &[0x0042_001F, tag::SUBJECT, 0x7801_0102])
        .unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    assert_eq!(row.text(1), "valued");
    assert_eq!(row.error(2), code::NOT_FOUND);
}

// MS-OXCPRPT 3.2.5.1 and MS-OXCDATA 2.11.1: string types.
#[test]
fn strings_come_in_the_type_that_was_asked_for() {
    let (mut client, _, _, message, _) = message();
    client
        .set_props(message, &[(tag::SUBJECT, text("d\u{e9}ck"))])
        .unwrap();
    let narrow = (tag::SUBJECT & 0xFFFF_0000) | 0x001E;
    let unspecified = tag::SUBJECT & 0xFFFF_0000;
    let latin = Value::String8(b"d\xe9ck".to_vec());
    for want_unicode in [0, 1] {
        let row = client
            .get_props_with(
                message,
                &[tag::SUBJECT, narrow, unspecified],
                0,
                want_unicode,
            )
            .unwrap();
        assert_eq!(row.text(0), "d\u{e9}ck");
        assert_eq!(*row.value(1), latin);
        let expected = if want_unicode == 1 {
            text("d\u{e9}ck")
        } else {
            latin.clone()
        };
        assert_eq!(*row.value(2), expected, "WantUnicode {want_unicode}");
    }
    // Set in the code page of the logon, read in Unicode.
    client
        .set_props(message, &[(narrow, Value::String8(b"\x80uro".to_vec()))])
        .unwrap();
    let row = client.get_props(message, &[tag::SUBJECT]).unwrap();
    assert_eq!(row.text(0), "\u{20AC}uro");
}

#[test]
fn a_property_of_another_type_than_asked_for_is_not_there() {
    let (mut client, _, _, message, _) = message();
    client
        .set_props(message, &[(0x7801_0003, Value::Integer32(7))])
        .unwrap();
    let row = client
        .get_props(message, &[0x7801_0003, 0x7801_0000, 0x7801_0102])
        .unwrap();
    assert_eq!(row.int(0), 7);
    assert_eq!(*row.value(1), Value::Integer32(7));
    assert_eq!(row.error(2), code::NOT_FOUND);
    // Setting it as another type replaces it: an id has one type (MS-OXCDATA 2.9).
    client
        .set_props(message, &[(0x7801_001F, text("seven"))])
        .unwrap();
    let row = client
        .get_props(message, &[0x7801_001F, 0x7801_0003])
        .unwrap();
    assert_eq!(row.text(0), "seven");
    assert_eq!(row.error(1), code::NOT_FOUND);
}

#[test]
fn the_property_size_limit_is_ignored() {
    let (mut client, _, _, message, _) = message();
    client
        .set_props(message, &[(tag::BODY, text(&"y".repeat(500)))])
        .unwrap();
    let row = client
        .get_props_with(message, &[tag::BODY], 100, 1)
        .unwrap();
    assert_eq!(row.text(0).len(), 500);
}

#[test]
fn a_value_too_large_for_the_response_is_an_error_in_its_place() {
    let (mut client, _, _, message, _) = message();
    client
        .write_property_stream(message, tag::HTML, &[b'h'; 40_000])
        .unwrap();
    let row = client
        .get_props(message, &[tag::SUBJECT, tag::HTML])
        .unwrap();
    assert_eq!(row.text(0), "valued");
    let error = row.error(1);
    assert!(
        [code::MEMORY, code::TOO_BIG].contains(&error),
        "{error:#010x}"
    );
    let all = client.get_all_props(message).unwrap();
    let html = all
        .iter()
        .find(|(tag, _)| tag >> 16 == 0x1013)
        .expect("a too large value is told as an error");
    // MS-OXCPRPT 2.2.3.2: its type is PtypErrorCode.
    assert_eq!(html.0 & 0xFFFF, 0x000A);
}

#[test]
fn values_that_do_not_fit_together_leave_the_small_ones_readable() {
    let (mut client, _, _, message, _) = message();
    let mut tags: Vec<u32> = (0..8).map(|i| ((0x7810 + i) << 16) | 0x0102).collect();
    for tag in &tags {
        client
            .set_props(message, &[(*tag, Value::Binary(vec![1; 7000]))])
            .unwrap();
    }
    // 56,000 bytes do not fit into 32 KB: what is left out is an error in its place.
    tags.push(tag::SUBJECT);
    let row = client.get_props(message, &tags).unwrap();
    assert_eq!(row.text(8), "valued");
    tags.pop();
    assert!((0..8).any(|i| row.cells[i].value().is_none()));
    for tag in tags {
        let row = client.get_props(message, &[tag]).unwrap();
        assert_eq!(row.binary(0).len(), 7000);
    }
}

// MS-OXCPRPT 3.2.5.5.
#[test]
fn a_deleted_property_reads_as_not_found_and_others_see_it_until_the_save() {
    let (mut client, folder, folder_id, message, id) = message();
    client
        .set_props(message, &[(tag::BODY, text("here"))])
        .unwrap();
    client.save_message(message).unwrap();
    assert!(
        client
            .delete_props(message, &[tag::BODY, 0x7801_0003])
            .unwrap()
            .is_empty()
    );
    let row = client.get_props(message, &[tag::BODY]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    let row = client.get_props(opened.handle, &[tag::BODY]).unwrap();
    assert_eq!(row.text(0), "here");
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    let row = client.get_props(opened.handle, &[tag::BODY]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
}

#[test]
fn read_only_properties_are_never_set() {
    let (mut client, folder, folder_id, message, id) = message();
    let tags = [
        tag::MID,
        tag::PARENT_FOLDER_ID,
        tag::ENTRY_ID,
        tag::SOURCE_KEY,
        tag::ACCESS,
        tag::ACCESS_LEVEL,
        tag::OBJECT_TYPE,
        tag::HAS_ATTACHMENTS,
        tag::MESSAGE_SIZE,
    ];
    let before = client.get_props(message, &tags).unwrap();
    let values = [
        (tag::MID, Value::Integer64(1)),
        (tag::PARENT_FOLDER_ID, Value::Integer64(1)),
        (tag::ENTRY_ID, Value::Binary(vec![1])),
        (tag::ACCESS, Value::Integer32(0)),
        (tag::ACCESS_LEVEL, Value::Integer32(0)),
        (tag::OBJECT_TYPE, Value::Integer32(99)),
        (tag::HAS_ATTACHMENTS, Value::Boolean(true)),
        (tag::MESSAGE_SIZE, Value::Integer32(1)),
    ];
    for (i, value) in values.iter().enumerate() {
        // MS-OXCPRPT 3.2.5.4: a problem, a failing save, or silence.
        for problem in client
            .try_set_props(message, &[(tag::BODY, text("b")), value.clone()])
            .unwrap()
        {
            assert_eq!((problem.index, problem.tag), (1, value.0), "{i}");
        }
    }
    let _ = client.save_message(message);
    let opened = client.open_message(folder, folder_id, id, 1).unwrap();
    let after = client.get_props(opened.handle, &tags).unwrap();
    for (i, tag) in tags.iter().enumerate().take(8) {
        assert_eq!(after.value(i), before.value(i), "{tag:#010x}");
    }
    assert_ne!(after.int(8), 1);
}

#[test]
fn property_rops_refuse_objects_without_properties() {
    let (mut client, folder, _, _, _) = message();
    let (table, _) = client.contents_table(folder, 0).unwrap();
    assert!(client.get_props(table, &[tag::SUBJECT]).is_err());
    assert!(client.get_all_props(table).is_err());
    assert!(client.list_props(table).is_err());
    assert!(client.try_set_props(table, &[]).is_err());
    assert!(client.delete_props(table, &[]).is_err());
}

#[test]
fn a_property_value_size_that_lies_is_refused_and_the_session_lives_on() {
    let (mut client, _, _, message, _) = message();
    // PropertyValueSize reaches past the end, or ends inside of a value.
    for (size, count) in [(0xFFFF, 1), (9, 1), (11, 1), (0, 1), (2, 5), (1, 0)] {
        let rop = Rop::new(0x0A, 0)
            .u16(size)
            .u16(count)
            .u32(tag::SUBJECT)
            .utf16_z("x");
        assert!(
            client.execute(&[rop], &[message]).is_err(),
            "{size} {count}"
        );
        let row = client.get_props(message, &[tag::SUBJECT]).unwrap();
        assert_eq!(row.text(0), "valued");
    }
}

#[test]
fn tags_of_an_unknown_type_are_errors_and_not_the_end() {
    let (mut client, _, _, message, _) = message();
    match client.get_props(message, &[0x0037_0777, tag::SUBJECT]) {
        Ok(row) => {
            assert!(row.cells[0].value().is_none());
            assert_eq!(row.text(1), "valued");
        }
        Err(error) => assert_eq!(error.code(), code::INVALID_PARAMETER),
    }
    client.get_props(message, &[tag::SUBJECT]).unwrap();
    fails(
        client.get_props(0x00F0_F0F0, &[tag::SUBJECT]),
        code::NULL_OBJECT,
    );
}

#[test]
fn strings_and_binaries_keep_what_is_odd_about_them() {
    let (mut client, folder, folder_id, message, id) = message();
    // An unpaired surrogate, an empty string, no bytes at all, a NUL in a binary.
    let surrogate = Utf16Text::from_le_bytes(&[0x41, 0, 0x00, 0xD8, 0x42, 0]);
    let values = [
        (0x7801_001F, Value::String(surrogate)),
        (0x7802_001F, text("")),
        (0x7803_0102, Value::Binary(Vec::new())),
        (0x7804_0102, Value::Binary(vec![0; 3])),
        (0x7805_001E, Value::String8(Vec::new())),
        (0x7806_0102, Value::Binary(vec![0xFF; 8191])),
        (0x7807_0102, Value::Binary(vec![0xFE; 8193])),
    ];
    client.set_props(message, &values).unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    let tags: Vec<u32> = values.iter().map(|(tag, _)| *tag).collect();
    let row = client.get_props(opened.handle, &tags).unwrap();
    for (i, (tag, value)) in values.iter().enumerate() {
        assert_eq!(row.value(i), value, "{tag:#010x}");
    }
}

// MS-OXCPRPT 2.2.3.2 and MS-OXCROPS 3.2.5.2.
#[test]
fn all_properties_of_a_fat_message_are_told_or_the_request_says_why_not() {
    let (mut client, _, _, message, _) = message();
    let tags: Vec<u32> = (0..60).map(|i| ((0x7810 + i) << 16) | 0x0102).collect();
    for tag in &tags {
        client
            .set_props(message, &[(*tag, Value::Binary(vec![3; 1000]))])
            .unwrap();
    }
    match client.get_all_props(message) {
        Ok(all) => {
            for tag in &tags {
                assert!(
                    all.iter().any(|(told, _)| told >> 16 == tag >> 16),
                    "{tag:#010x}"
                );
            }
        }
        Err(error) => assert_eq!(error.code(), 0x0000_03F0),
    }
    let list = client.list_props(message).unwrap();
    assert!(tags.iter().all(|tag| list.contains(tag)));
    assert_eq!(
        client.get_props(message, &tags[..1]).unwrap().binary(0),
        [3; 1000]
    );
}

// MS-OXCMSG 2.2.1.44: the same value whichever way it is asked for.
#[test]
fn what_tells_the_mailbox_is_told_by_single_reads_lists_tables_and_restrictions() {
    let told = [0x0FFF_0102, tag::STORE_ENTRY_ID, 0x0FFA_0102, 0x0FF8_0102];
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "valued");
    let below = client.create_folder(folder, "below").unwrap().handle;
    let store = client.get_props(logon.handle, &told).unwrap();
    assert_eq!(store.binary(0), store.binary(1));
    let expected = [1, 2, 3].map(|at| store.binary(at).to_vec());
    let message = {
        client.release(message).unwrap();
        client
            .open_message(folder, folder_id, id, 1)
            .unwrap()
            .handle
    };
    for object in [folder, below, message] {
        let row = client.get_props(object, &told).unwrap();
        assert_eq!([1, 2, 3].map(|at| row.binary(at).to_vec()), expected);
        let all = client.get_all_props(object).unwrap();
        let listed = client.list_props(object).unwrap();
        for (tag, value) in told[1..].iter().zip(&expected) {
            let value = Value::Binary(value.clone());
            assert!(all.contains(&(*tag, value)), "{tag:#x}");
            assert!(listed.contains(tag), "{tag:#x}");
        }
        let problems = client.delete_props(object, &told[1..2]).unwrap();
        assert_eq!(problems.len(), 1);
        let (stream, size) = client.open_stream(object, tag::STORE_ENTRY_ID, 0).unwrap();
        assert_eq!(size as usize, expected[0].len());
        assert_eq!(client.read_stream(stream).unwrap(), expected[0]);
    }
    let (contents, _) = client.contents_table(folder, 0).unwrap();
    let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
    for table in [contents, hierarchy] {
        let same = Restriction::Property {
            rel_op: RelOp::EQUAL,
            prop_tag: PropTag(tag::STORE_ENTRY_ID),
            tagged_value: TaggedPropertyValue {
                tag: PropTag(tag::STORE_ENTRY_ID),
                value: Value::Binary(expected[0].clone()),
            },
        };
        client.set_columns(table, &told).unwrap();
        client.restrict(table, Some(&same)).unwrap();
        let rows = client.query_all_rows(table, &told).unwrap();
        assert_eq!(rows.len(), 1);
        let row = &rows[0];
        assert_eq!([1, 2, 3].map(|at| row.binary(at).to_vec()), expected);
    }
}
