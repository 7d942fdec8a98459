//! Property and stream ROPs, case by case as MS-OXCPRPT tells them.

use ropewalk_props::Guid;
use ropewalk_tests::{
    client::{Cells as _, Client, Error, Handle, Logon, Name, NewRecipient, Problem, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::Reader;

const COMPUTED: u32 = 0x8004_011A;
const MESSAGE_CYCLE: u32 = 0x0000_0504;
const FOLDER_CYCLE: u32 = 0x8004_060B;
const MESSAGE_RECIPIENTS: u32 = 0x0E12_000D;
const MESSAGE_ATTACHMENTS: u32 = 0x0E13_000D;

const MOVE: u8 = 0x01;
const NO_OVERWRITE: u8 = 0x02;

/// A message in a folder of its own: its handle, the folder's, FID and MID.
fn message(client: &mut Client, logon: &Logon, subject: &str) -> (Handle, Handle, u64, u64) {
    let (folder, folder_id) = new_folder(client, logon);
    let (message, id) = new_message(client, folder, folder_id, subject);
    (message, folder, folder_id, id)
}

fn problems(input: &mut Reader<'_>) -> Result<Vec<Problem>, ropewalk_wire::DecodeError> {
    let count = input.u16()?;
    (0..count)
        .map(|_| {
            Ok(Problem {
                index: input.u16()?,
                tag: input.u32()?,
                code: input.u32()?,
            })
        })
        .collect()
}

/// RopCopyProperties from the first handle to the second.
fn copy_properties(
    client: &mut Client,
    handles: [Handle; 2],
    flags: u8,
    tags: &[u32],
) -> Result<Vec<Problem>, Error> {
    let rop = Rop::new(0x67, 0).u8(1).u8(0).u8(flags).tags(tags);
    client.rop(&rop, &handles)?.read(problems)
}

/// RopCopyTo from the first handle to the second.
fn copy_to(
    client: &mut Client,
    handles: [Handle; 2],
    want_sub_objects: u8,
    flags: u8,
    excluded: &[u32],
) -> Result<Vec<Problem>, Error> {
    let rop = Rop::new(0x39, 0)
        .u8(1)
        .u8(0)
        .u8(want_sub_objects)
        .u8(flags)
        .tags(excluded);
    client.rop(&rop, &handles)?.read(problems)
}

fn codes(problems: &[Problem]) -> Vec<(u16, u32, u32)> {
    let all = problems.iter();
    all.map(|problem| (problem.index, problem.tag, problem.code))
        .collect()
}

const FIRST: u32 = 0x7801_001F;
const SECOND: u32 = 0x7802_0003;
const THIRD: u32 = 0x7803_0102;

// MS-OXCPRPT 3.2.5.4, MS-OXCMSG 2.2: a property that the server computes is a problem, and the
// others of the same request are set.
#[test]
fn what_the_server_computes_is_told_as_a_problem_of_its_own() {
    let (mut client, logon) = ada();
    let (message, folder, ..) = message(&mut client, &logon, "computed");
    let (attachment, _) = client.create_attachment(message).unwrap();
    for (object, computed) in [
        (message, (tag::HAS_ATTACHMENTS, Value::Boolean(true))),
        (message, (tag::MESSAGE_SIZE, Value::Integer32(2))),
        (message, (tag::DISPLAY_TO, text("nobody"))),
        (message, (tag::CHANGE_KEY, Value::Binary(vec![1; 22]))),
        (attachment, (tag::ATTACH_NUMBER, Value::Integer32(77))),
        (folder, (tag::CONTENT_COUNT, Value::Integer32(9))),
    ] {
        let tag = computed.0;
        let before = client.get_props(object, &[tag]).unwrap();
        let values = [
            (FIRST, text("set")),
            computed,
            (SECOND, Value::Integer32(5)),
        ];
        let told = client.try_set_props(object, &values).unwrap();
        assert_eq!(codes(&told), [(1, tag, COMPUTED)]);
        let row = client.get_props(object, &[FIRST, SECOND]).unwrap();
        assert_eq!((row.text(0).as_str(), row.int(1)), ("set", 5));
        assert_eq!(client.get_props(object, &[tag]).unwrap(), before);
        let told = client.delete_props(object, &[tag, FIRST]).unwrap();
        assert_eq!(codes(&told), [(0, tag, COMPUTED)]);
        let row = client.get_props(object, &[FIRST]).unwrap();
        assert_eq!(row.error(0), code::NOT_FOUND);
    }
}

// MS-OXCPRPT 3.2.5.9, 3.2.5.10.
#[test]
fn names_and_ids_stand_for_each_other() {
    let (mut client, logon) = ada();
    let set = Guid([0x5A; 16]);
    let known = Name::Lid(set, 0x8501);
    let unknown = Name::Lid(set, 0x8502);
    let registered = client
        .property_ids(logon.handle, 2, std::slice::from_ref(&known))
        .unwrap()[0];
    assert!(registered > 0x8000 && registered != 0xFFFF);
    // ReturnValue is 0, whether all are mapped or not (MS-OXCROPS 2.2.8.1.2).
    let names = [unknown, known.clone(), Name::Lid(PS_MAPI, 0x3001)];
    let ids = client.property_ids(logon.handle, 0, &names).unwrap();
    assert_eq!(ids, [0, registered, 0x3001]);
    let names = client
        .property_names(logon.handle, &[registered, 0xFFFE, 0x3001])
        .unwrap();
    assert_eq!(names, [Some(known), None, Some(Name::Lid(PS_MAPI, 0x3001))]);
    let all = client.property_ids(logon.handle, 0, &[]).unwrap();
    assert!(all.contains(&registered));
}

const PS_MAPI: Guid = ropewalk_props::named::PS_MAPI;

// MS-OXCPRPT 2.2.14: messages and attachments have streams of binary, object and string
// properties, folders of binary ones alone.
#[test]
fn a_stream_opens_on_the_types_of_its_object() {
    const READ: u8 = 0;
    const CREATE: u8 = 2;
    let (mut client, logon) = ada();
    let (message, folder, ..) = message(&mut client, &logon, "streams");
    let (attachment, _) = client.create_attachment(message).unwrap();
    for object in [message, attachment] {
        for tag in [THIRD, FIRST] {
            fails(client.open_stream(object, tag, READ), code::NOT_FOUND);
            client.open_stream(object, tag, CREATE).unwrap();
        }
        let string8 = (FIRST & 0xFFFF_0000) | 0x001E;
        client.open_stream(object, string8, READ).unwrap();
        fails(
            client.open_stream(object, SECOND, CREATE),
            code::NOT_SUPPORTED,
        );
    }
    let (stream, _) = client.open_stream(folder, THIRD, CREATE).unwrap();
    // RopWriteAndCommitStream (2.2.26) is for the others.
    let write_and_commit = Rop::new(0x90, 0).sized(b"data");
    fails(
        client.rop(&write_and_commit, &[stream]),
        code::NOT_SUPPORTED,
    );
    for tag in [FIRST, tag::DISPLAY_NAME, tag::COMMENT] {
        for mode in [READ, CREATE] {
            fails(client.open_stream(folder, tag, mode), code::NOT_SUPPORTED);
        }
    }
    fails(
        client.open_stream(logon.handle, THIRD, CREATE),
        code::NOT_SUPPORTED,
    );
}

// MS-OXCPRPT 3.2.5.7.
#[test]
fn properties_are_copied_by_tag() {
    let (mut client, logon) = ada();
    let (source, folder, folder_id, _) = message(&mut client, &logon, "RE: source");
    let large = vec![7; 100_000];
    client
        .write_property_stream(source, tag::HTML, &large)
        .unwrap();
    let values = [
        (FIRST, text("first")),
        (SECOND, Value::Integer32(2)),
        (THIRD, Value::Binary(vec![3; 3])),
    ];
    client.set_props(source, &values).unwrap();
    let (dest, dest_id) = new_message(&mut client, folder, folder_id, "dest");
    client.set_props(dest, &[(FIRST, text("kept"))]).unwrap();
    let tags = [
        FIRST,
        0x7809_0003,
        SECOND,
        tag::MESSAGE_SIZE,
        tag::HTML,
        tag::NORMALIZED_SUBJECT,
    ];
    let told = copy_properties(&mut client, [source, dest], NO_OVERWRITE, &tags).unwrap();
    assert_eq!(
        codes(&told),
        [
            (1, 0x7809_0003, code::NOT_FOUND),
            (3, tag::MESSAGE_SIZE, COMPUTED)
        ]
    );
    let read = [FIRST, SECOND, THIRD, tag::SUBJECT];
    let row = client.get_props(dest, &read).unwrap();
    assert_eq!((row.text(0).as_str(), row.int(1)), ("kept", 2));
    assert_eq!(row.error(2), code::NOT_FOUND);
    assert_eq!(row.text(3), "dest");
    assert_eq!(client.read_property_stream(dest, tag::HTML).unwrap(), large);
    // On this handle only, until it is saved.
    let other = client.open_message(folder, folder_id, dest_id, 0).unwrap();
    let row = client.get_props(other.handle, &[SECOND]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    client.save_message(dest).unwrap();
    let other = client.open_message(folder, folder_id, dest_id, 0).unwrap();
    let row = client.get_props(other.handle, &[SECOND]).unwrap();
    assert_eq!(row.int(0), 2);
    assert_eq!(
        client
            .read_property_stream(other.handle, tag::HTML)
            .unwrap(),
        large
    );

    let told = copy_properties(
        &mut client,
        [source, dest],
        MOVE,
        &[FIRST, THIRD, tag::SUBJECT],
    );
    assert!(told.unwrap().is_empty());
    let row = client.get_props(dest, &read).unwrap();
    assert_eq!(row.text(0), "first");
    assert_eq!(row.binary(2), [3; 3]);
    assert_eq!(row.text(3), "RE: source");
    let row = client.get_props(source, &read).unwrap();
    assert_eq!((row.error(0), row.int(1)), (code::NOT_FOUND, 2));
    // Not before a save of the source is it gone there.
    let (attachment, _) = client.create_attachment(source).unwrap();
    let (other, _) = client.create_attachment(dest).unwrap();
    let name = [(tag::ATTACH_LONG_FILENAME, text("name.txt"))];
    client.set_props(attachment, &name).unwrap();
    let tags = [tag::ATTACH_LONG_FILENAME];
    copy_properties(&mut client, [attachment, other], 0, &tags).unwrap();
    let row = client.get_props(other, &tags).unwrap();
    assert_eq!(row.text(0), "name.txt");
}

// MS-OXCPRPT 3.2.5.7, 3.2.5.8; MS-OXCROPS 2.2.8.11.3, 2.2.8.12.3.
#[test]
fn copies_need_two_objects_of_one_kind() {
    let (mut client, logon) = ada();
    let (source, folder, folder_id, id) = message(&mut client, &logon, "source");
    let (dest, _) = new_message(&mut client, folder, folder_id, "dest");
    let read_only = client.open_message(folder, folder_id, id, 0).unwrap();
    let read_only = read_only.handle;
    let (other_folder, _) = new_folder(&mut client, &logon);
    for want in [false, true] {
        let mut copy = |handles: [Handle; 2], flags: u8| match want {
            false => copy_properties(&mut client, handles, flags, &[FIRST]),
            true => copy_to(&mut client, handles, 1, flags, &[]),
        };
        for flags in [MOVE | NO_OVERWRITE, 0x04, 0x80] {
            fails(copy([source, dest], flags), code::INVALID_PARAMETER);
        }
        fails(copy([u32::MAX, dest], 0), code::NULL_OBJECT);
        // The destination is looked for before the flags are looked at.
        match copy([source, u32::MAX], 0x80) {
            Err(Error::Rop { code, body, .. }) => {
                assert_eq!(code, code::NULL_DESTINATION_OBJECT);
                assert_eq!(body, [1, 0, 0, 0], "DestHandleIndex");
            }
            other => panic!("{other:?}"),
        }
        fails(copy([source, folder], 0), code::NOT_SUPPORTED);
        fails(copy([logon.handle, logon.handle], 0), code::NOT_SUPPORTED);
        fails(copy([source, read_only], 0), code::ACCESS_DENIED);
        fails(copy([read_only, dest], MOVE), code::ACCESS_DENIED);
        fails(copy([source, source], 0), code::ACCESS_DENIED);
    }
    fails(
        copy_properties(&mut client, [folder, other_folder], MOVE, &[FIRST]),
        code::NOT_SUPPORTED,
    );
}

// MS-OXCPRPT 3.2.5.8.
#[test]
fn a_message_is_copied_with_what_is_in_it() {
    let (mut client, logon) = ada();
    let (source, folder, folder_id, _) = message(&mut client, &logon, "FW: whole");
    let values = [(FIRST, text("first")), (SECOND, Value::Integer32(2))];
    client.set_props(source, &values).unwrap();
    let recipient = NewRecipient {
        row_id: 0,
        recipient_type: 2,
        display_name: "Grace",
        email_address: "grace@example.test",
        properties: Vec::new(),
    };
    client.modify_recipients(source, &[], &[recipient]).unwrap();
    let (attachment, _) = client.create_attachment(source).unwrap();
    let data = [(tag::ATTACH_DATA_BINARY, Value::Binary(vec![9; 50_000]))];
    client.set_props(attachment, &data[..0]).unwrap();
    client
        .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &[9; 50_000])
        .unwrap();
    client.save_attachment(source, attachment).unwrap();

    let bare = client.create_message(folder, folder_id).unwrap();
    let told = copy_to(&mut client, [source, bare], 0, 0, &[SECOND]).unwrap();
    assert_eq!(codes(&told), []);
    let id = client.save_message(bare).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.subject_prefix.as_deref(), Some("FW: "));
    assert_eq!(opened.recipient_count, 0);
    let tags = [FIRST, SECOND, tag::HAS_ATTACHMENTS, tag::SUBJECT];
    let row = client.get_props(opened.handle, &tags).unwrap();
    assert_eq!(row.text(0), "first");
    assert_eq!(row.error(1), code::NOT_FOUND);
    assert!(!row.flag(2));
    assert_eq!(row.text(3), "FW: whole");

    let whole = client.create_message(folder, folder_id).unwrap();
    copy_to(&mut client, [source, whole], 1, 0, &[]).unwrap();
    let id = client.save_message(whole).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.recipients[0].display_name.as_deref(), Some("Grace"));
    let row = client
        .get_props(opened.handle, &[tag::DISPLAY_CC, tag::HAS_ATTACHMENTS])
        .unwrap();
    assert_eq!(row.text(0), "Grace");
    assert!(row.flag(1));
    let copied = client.open_attachment(opened.handle, 0, 0).unwrap();
    assert_eq!(
        client
            .read_property_stream(copied, tag::ATTACH_DATA_BINARY)
            .unwrap(),
        [9; 50_000]
    );

    let excluding = client.create_message(folder, folder_id).unwrap();
    let excluded = [MESSAGE_ATTACHMENTS];
    copy_to(&mut client, [source, excluding], 1, 0, &excluded).unwrap();
    let reloaded = client.reload_cached_information(excluding).unwrap();
    assert_eq!(reloaded.recipient_count, 1);
    fails(client.open_attachment(excluding, 0, 0), code::NOT_FOUND);
    let told = copy_properties(&mut client, [source, bare], 0, &[MESSAGE_RECIPIENTS]);
    assert_eq!(codes(&told.unwrap()), []);
    let reloaded = client.reload_cached_information(bare).unwrap();
    assert_eq!(reloaded.recipient_count, 1);
}

// MS-OXCPRPT 3.2.5.8: MessageCycle.
#[test]
fn a_message_is_not_copied_into_itself() {
    const CREATE: u8 = 0x02;
    let (mut client, logon) = ada();
    let (outer, folder, folder_id, _) = message(&mut client, &logon, "outer");
    let (attachment, _) = client.create_attachment(outer).unwrap();
    let (embedded, _) = client.open_embedded_message(attachment, CREATE).unwrap();
    let (inner, _) = client.create_attachment(embedded.handle).unwrap();
    let (innermost, _) = client.open_embedded_message(inner, CREATE).unwrap();
    for dest in [embedded.handle, innermost.handle] {
        fails(
            copy_to(&mut client, [outer, dest], 1, 0, &[]),
            MESSAGE_CYCLE,
        );
        copy_to(&mut client, [outer, dest], 0, 0, &[]).unwrap();
    }
    // The other way it is none.
    let row = client.get_props(innermost.handle, &[tag::SUBJECT]).unwrap();
    assert_eq!(row.text(0), "outer");
    client.save_message(innermost.handle).unwrap();
    client.save_attachment(embedded.handle, inner).unwrap();
    client.save_message(embedded.handle).unwrap();
    client.save_attachment(outer, attachment).unwrap();
    let other = client.create_message(folder, folder_id).unwrap();
    let (copy, _) = client.create_attachment(other).unwrap();
    copy_to(&mut client, [attachment, copy], 1, 0, &[]).unwrap();
    client.save_attachment(other, copy).unwrap();
    client.save_message(other).unwrap();
    let copied = client.open_attachment(other, 0, 0).unwrap();
    let (embedded, _) = client.open_embedded_message(copied, 0).unwrap();
    assert_eq!(embedded.normalized_subject.as_deref(), Some("outer"));
}

// MS-OXCPRPT 3.2.5.7, 3.2.5.8: changes of folders are made at once.
#[test]
fn a_folder_is_copied_at_once() {
    let (mut client, logon) = ada();
    let (source, source_id) = new_folder(&mut client, &logon);
    let (dest, dest_id) = new_folder(&mut client, &logon);
    client
        .set_props(source, &[(FIRST, text("first")), (tag::COMMENT, text("c"))])
        .unwrap();
    new_message(&mut client, source, source_id, "in the folder");
    let told = copy_properties(&mut client, [source, dest], 0, &[FIRST, tag::FOLDER_ID]);
    assert_eq!(codes(&told.unwrap()), [(1, tag::FOLDER_ID, COMPUTED)]);
    let mut other = client.connect_again().unwrap();
    let logon = other.logon().unwrap();
    let seen = other.open_folder(logon.handle, dest_id).unwrap();
    let row = other.get_props(seen, &[FIRST]).unwrap();
    assert_eq!(row.text(0), "first");
    let name = client.get_props(dest, &[tag::DISPLAY_NAME]).unwrap();
    let told = copy_to(&mut client, [source, dest], 1, NO_OVERWRITE, &[]).unwrap();
    assert_eq!(codes(&told), []);
    let row = other
        .get_props(seen, &[tag::COMMENT, tag::CONTENT_COUNT])
        .unwrap();
    assert_eq!((row.text(0).as_str(), row.int(1)), ("c", 1));
    let now = client.get_props(dest, &[tag::DISPLAY_NAME]).unwrap();
    assert_eq!(now, name);
    // A name that is taken is a problem; a folder is not copied into itself.
    let told = copy_to(&mut client, [source, dest], 0, 0, &[]).unwrap();
    let told: Vec<_> = told.iter().map(|p| (p.tag, p.code)).collect();
    assert_eq!(told, [(tag::DISPLAY_NAME, code::DUPLICATE_NAME)]);
    let below = client.create_folder(source, "below").unwrap().handle;
    fails(
        copy_to(&mut client, [source, below], 1, 0, &[]),
        FOLDER_CYCLE,
    );
}

// MS-OXCPRPT 2.2.22, 3.2.5.19; MS-OXCROPS 2.2.9.9.
#[test]
fn a_stream_is_copied_from_position_to_position() {
    const READ: u8 = 0;
    const CREATE: u8 = 2;
    let (mut client, logon) = ada();
    let (source, folder, folder_id, _) = message(&mut client, &logon, "source");
    let (dest, _) = new_message(&mut client, folder, folder_id, "dest");
    let data: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    client.write_property_stream(source, THIRD, &data).unwrap();
    let (from, _) = client.open_stream(source, THIRD, READ).unwrap();
    let (to, _) = client.open_stream(dest, THIRD, CREATE).unwrap();
    let copy = |count: u64| Rop::new(0x3A, 0).u8(1).u64(count);
    let counts = |input: &mut Reader<'_>| Ok((input.u64()?, input.u64()?));
    client.seek_stream(from, 0, 10).unwrap();
    client.write_stream(to, b"head").unwrap();
    let answer = client.rop(&copy(150_000), &[from, to]).unwrap();
    assert_eq!(answer.read(counts).unwrap(), (150_000, 150_000));
    // What is left, and no more.
    let answer = client.rop(&copy(u64::MAX), &[from, to]).unwrap();
    assert_eq!(answer.read(counts).unwrap(), (49_990, 49_990));
    let answer = client.rop(&copy(1), &[from, to]).unwrap();
    assert_eq!(answer.read(counts).unwrap(), (0, 0));
    assert_eq!(client.seek_stream(to, 1, 0).unwrap(), 4 + 199_990);
    let copied = client.read_property_stream(dest, THIRD).unwrap();
    assert_eq!(copied[..4], *b"head");
    assert_eq!(copied[4..], data[10..]);
    fails(
        client.rop(&copy(1), &[to, from]),
        code::STREAM_ACCESS_DENIED,
    );
    fails(client.rop(&copy(1), &[source, to]), code::NOT_SUPPORTED);
    match client.rop(&copy(1), &[from, u32::MAX]) {
        Err(Error::Rop { code, body, .. }) => {
            assert_eq!(code, code::NULL_DESTINATION_OBJECT);
            let mut expected = [0; 20];
            expected[0] = 1;
            assert_eq!(body, expected);
        }
        other => panic!("{other:?}"),
    }
}
