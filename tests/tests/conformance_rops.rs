//! ROP buffers, case by case as MS-OXCROPS tells them.

use ropewalk_tests::{
    client::{NO_HANDLE, Name, Rop, Value, concat, framing, logon_rop, tagged_values},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{Reader, codec::Wire as _, property_name::PropertyNameRef};

// MS-OXCROPS 2.2.6.3, 2.2.6.11, 2.2.6.15: ResponseHandleIndex is repeated, whatever stands there;
// 3.2.5.2: the handle table has an entry for every index of the responses.
#[test]
fn a_response_handle_index_is_only_repeated() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "repeated");
    let (attachment, _) = client.create_attachment(message).unwrap();
    for (rop, handle, body) in [
        (Rop::new(0x25, 3).u8(0).u8(0x04), attachment, 0),
        (Rop::new(0x0C, 3).u8(0).u8(0x04), message, 9),
        (Rop::new(0x11, 3).u8(0).u8(0x00), message, 1),
    ] {
        let payload = client
            .execute(std::slice::from_ref(&rop), &[handle])
            .unwrap();
        assert_eq!(payload.rops[..6], [rop.id(), 3, 0, 0, 0, 0]);
        assert_eq!(payload.rops.len(), 6 + body);
        assert_eq!(payload.handles, [handle, NO_HANDLE, NO_HANDLE, NO_HANDLE]);
    }
}

// MS-OXCROPS 3.2.5.2: the order of the handle table is kept.
#[test]
fn the_handle_table_comes_back_in_its_order() {
    let (mut client, logon) = ada();
    let open = Rop::new(0x02, 3).u8(1).u64(logon.inbox()).u8(0);
    let table = [0x7000_0001, NO_HANDLE, 0x7000_0002, logon.handle];
    let payload = client.execute(&[open], &table).unwrap();
    let opened = payload.handles[1];
    assert_ne!(opened, NO_HANDLE);
    assert_eq!(
        payload.handles,
        [0x7000_0001, opened, 0x7000_0002, logon.handle]
    );
}

// MS-OXCROPS 3.2.5.1: what one ROP opens, the next ones use; one that fails is the only one that
// fails.
#[test]
fn a_message_is_made_in_one_buffer() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let subject = tagged_values(&[(tag::SUBJECT, text("in one buffer"))]);
    let name = tagged_values(&[(tag::ATTACH_LONG_FILENAME, text("a.txt"))]);
    let rops = [
        Rop::new(0x06, 0).u8(1).u16(0x0FFF).u64(folder_id).u8(0),
        Rop::new(0x0A, 1).sized(&subject),
        Rop::new(0x22, 1).u8(2).u8(0).u32(7),
        Rop::new(0x23, 1).u8(2),
        Rop::new(0x0A, 2).sized(&name),
        Rop::new(0x2B, 2).u8(3).u32(tag::ATTACH_DATA_BINARY).u8(2),
        Rop::new(0x2D, 3).sized(b"content"),
        Rop::new(0x5D, 3),
        Rop::new(0x01, 3),
        Rop::new(0x25, 1).u8(2).u8(0x02),
        Rop::new(0x0C, 0).u8(1).u8(0x02),
    ];
    let payload = client
        .execute(&rops, &[folder, NO_HANDLE, NO_HANDLE, NO_HANDLE])
        .unwrap();
    let expected: &[&[u8]] = &[
        &[0x06, 1, 0, 0, 0, 0, 0],
        &[0x0A, 1, 0, 0, 0, 0, 0, 0],
        &[0x22, 2, 0x0F, 0x01, 0x04, 0x80],
        &[0x23, 2, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x0A, 2, 0, 0, 0, 0, 0, 0],
        &[0x2B, 3, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x2D, 3, 0, 0, 0, 0, 7, 0],
        &[0x5D, 3, 0, 0, 0, 0],
        // No response to RopRelease (2.2.15.3).
        &[0x25, 1, 0, 0, 0, 0],
        &[0x0C, 0, 0, 0, 0, 0, 1],
    ];
    let expected = expected.concat();
    let (head, id) = payload.rops.split_at(expected.len());
    assert_eq!(head, expected);
    let id = u64::from_le_bytes(id.try_into().unwrap());
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_eq!(opened.normalized_subject.as_deref(), Some("in one buffer"));
    let attachment = client.open_attachment(opened.handle, 0, 0).unwrap();
    let data = client.read_property_stream(attachment, tag::ATTACH_DATA_BINARY);
    assert_eq!(data.unwrap(), b"content");
}

// MS-OXCROPS 2.2.8.11.3, 2.2.8.12.3, 2.2.9.9.3, 2.2.4.6.3: the failure forms without a destination
// let the responses after them be read.
#[test]
fn a_null_destination_has_forms_of_its_own() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "nowhere");
    let (stream, _) = client.open_stream(message, 0x7801_0102, 2).unwrap();
    let rops = [
        Rop::new(0x67, 0).u8(3).u8(0).u8(0).tags(&[tag::SUBJECT]),
        Rop::new(0x39, 0).u8(3).u8(0).u8(0).u8(0).tags(&[]),
        Rop::new(0x3A, 1).u8(3).u64(1),
        Rop::new(0x33, 2).u8(3).ids(&[1]).u8(0).u8(1),
        Rop::new(0x5E, 1),
    ];
    let payload = client
        .execute(&rops, &[message, stream, folder, NO_HANDLE])
        .unwrap();
    let expected = [
        &[0x67, 0, 3, 5, 0, 0, 3, 0, 0, 0][..],
        &[0x39, 0, 3, 5, 0, 0, 3, 0, 0, 0],
        &[0x3A, 1, 3, 5, 0, 0, 3, 0, 0, 0],
        &[0; 16],
        &[0x33, 2, 3, 5, 0, 0, 3, 0, 0, 0, 0],
        &[0x5E, 1, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    assert_eq!(payload.rops, expected.concat());
}

// MS-OXCROPS 3.1.5.3, 2.2.15.3: with a logon go the objects opened under it.
#[test]
fn what_was_opened_under_a_logon_goes_with_it() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "gone");
    client.release(logon.handle).unwrap();
    for handle in [logon.handle, folder, message] {
        assert!(client.list_props(handle).is_err());
    }
    let logon = client.logon().unwrap();
    client.open_folder(logon.handle, folder_id).unwrap();
}

// MS-OXCROPS 3.2.5.1: a LogonId without a logon, and an object of another one.
#[test]
fn a_rop_needs_the_logon_of_its_object() {
    let (mut client, logon) = ada();
    let list = Rop::new(0x09, 0).logon_id(7);
    let error = client.rop(&list, &[logon.handle]).unwrap_err();
    assert_ne!(error.code(), 0);
    client.list_props(logon.handle).unwrap();
}

// MS-OXCROPS 3.2.5.4: a handle that was released, one that never was, and one of another logon.
#[test]
fn handles_that_name_no_object_of_the_logon_have_codes_of_their_own() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let dn = client.user_dn().to_owned();
    let other = logon_rop(1, 0x0100_0000, &dn).logon_id(5);
    let other = client.rop(&other, &[NO_HANDLE]).unwrap();
    let other = other.handle(0).unwrap();
    let list = Rop::new(0x09, 0);
    for handle in [folder, logon.handle] {
        let foreign = client.rop(&list.clone().logon_id(5), &[handle]);
        fails(foreign, code::ACCESS_DENIED);
    }
    fails(client.rop(&list, &[other]), code::ACCESS_DENIED);
    client.release(folder).unwrap();
    fails(client.rop(&list, &[folder]), code::INVALID_OBJECT);
    for never in [0x7777_7777, NO_HANDLE] {
        fails(client.rop(&list, &[never]), code::NULL_OBJECT);
    }
    // Releasing what belongs to another logon releases nothing, and is no error.
    let again = client.open_folder(logon.handle, folder_id).unwrap();
    let release = Rop::new(0x01, 0).logon_id(5);
    let payload = client.execute(&[release], &[again]).unwrap();
    assert!(payload.rops.is_empty());
    client.list_props(again).unwrap();
    // A new object has a handle that names no other one (3.2.5.1).
    let more: Vec<_> = (0..20)
        .map(|_| client.open_folder(logon.handle, folder_id).unwrap())
        .collect();
    for (at, handle) in more.iter().enumerate() {
        assert!(![again, logon.handle, other, NO_HANDLE].contains(handle));
        assert!(!more[..at].contains(handle));
    }
}

// MS-OXCROPS 4.4 and 3.2.5.3: releases have no responses, the handle table comes back, and what was
// released is gone for the ROPs behind them. What was opened from it is not.
#[test]
fn releases_have_no_responses_and_count_at_once() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "released");
    let (attachment, _) = client.create_attachment(message).unwrap();
    let (stream, _) = client.open_stream(message, 0x7801_0102, 2).unwrap();
    let rops = [
        Rop::new(0x01, 0),
        Rop::new(0x01, 1),
        Rop::new(0x09, 0),
        Rop::new(0x01, 0),
        Rop::new(0x09, 2),
    ];
    let handles = [message, folder, attachment];
    let payload = client.execute(&rops, &handles).unwrap();
    assert_eq!(payload.rops[..6], [0x09, 0, 0x08, 0x01, 0x04, 0x80]);
    assert_eq!(payload.rops[6..12], [0x09, 2, 0, 0, 0, 0]);
    assert_eq!(payload.handles, handles);
    client.stream_size(stream).unwrap();
    let payload = client
        .execute(&[Rop::new(0x01, 0), Rop::new(0x01, 1)], &[stream, 0x6E])
        .unwrap();
    assert!(payload.rops.is_empty());
    assert_eq!(payload.handles, [stream, 0x6E]);
}

// MS-OXCROPS 3.2.5.1: an index outside of the handle table is as wrong for an output as for an input, and
// nothing is made that nobody has a handle of.
#[test]
fn an_output_index_outside_of_the_handle_table_makes_nothing() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "outside");
    let name = "nobody has a handle of it";
    let create = Rop::new(0x1C, 0).u8(9).u8(1).u8(1).u8(0).u8(0);
    let create = create.utf16_z(name).utf16_z("");
    let dn = client.user_dn().to_owned();
    let mut far = Rop::new(0xFE, 9).u8(1).u32(0x0100_0000).u32(0);
    far = far.sized(&[dn.as_bytes(), b"\0"].concat()).logon_id(6);
    for (rop, handle) in [
        (create, folder),
        (Rop::new(0x02, 0).u8(9).u64(folder_id).u8(0), logon.handle),
        (
            Rop::new(0x06, 0).u8(9).u16(0xFFF).u64(folder_id).u8(0),
            folder,
        ),
        (Rop::new(0x04, 0).u8(9).u8(0), folder),
        (Rop::new(0x05, 0).u8(9).u8(0), folder),
        (Rop::new(0x23, 0).u8(9), message),
        (Rop::new(0x2B, 0).u8(9).u32(0x7801_0102).u8(2), message),
        (far, logon.handle),
    ] {
        let payload = client
            .execute(std::slice::from_ref(&rop), &[handle])
            .unwrap();
        assert_eq!(payload.rops[..2], [rop.id(), 9]);
        let code = u32::from_le_bytes(payload.rops[2..6].try_into().unwrap());
        assert_eq!(code, code::NULL_OBJECT, "{:#04x}", rop.id());
    }
    let (hierarchy, count) = client.hierarchy_table(folder, 0).unwrap();
    assert_eq!(count, 0);
    client.release(hierarchy).unwrap();
    let sixth = Rop::new(0x09, 0).logon_id(6);
    assert!(client.rop(&sixth, &[logon.handle]).is_err());
    let attachments = client.attachment_table(message).unwrap();
    assert_eq!(client.query_position(attachments).unwrap().1, 0);
}

// MS-OXCROPS 2.2.15.1: SizeNeeded is enough, and the requests come back as they were sent.
#[test]
fn what_was_too_much_fits_a_buffer_of_the_size_that_is_told() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "large");
    let value = Value::Binary(vec![5; 12_000]);
    client.set_props(message, &[(0x7801_0102, value)]).unwrap();
    let get = Rop::new(0x07, 0).u16(0).u16(1).tags(&[0x7801_0102]);
    let size = Rop::new(0x09, 0);
    client.max_rop_out = 0x4000;
    let rops = [get.clone(), get, size];
    let payload = client.execute(&rops, &[message]).unwrap();
    let first = 6 + 1 + 2 + 12_000;
    let rest = &payload.rops[first..];
    assert_eq!(rest[0], 0xFF);
    assert_eq!(rest[3..], concat(&rops[1..]));
    client.max_rop_out = u16::from_le_bytes([rest[1], rest[2]]).into();
    let payload = client
        .execute_payload(&framing::rop_buffer(&rest[3..], &[message]))
        .unwrap();
    assert_eq!(payload.rops[..6], [0x07, 0, 0, 0, 0, 0]);
    assert!(payload.rops.len() >= first);
}

// MS-OXCPRPT 2.2.9, 3.2.5.6; MS-OXCROPS 2.2.8.10.
#[test]
fn named_properties_are_queried_by_kind_and_set() {
    const NO_STRINGS: u8 = 0x01;
    const NO_IDS: u8 = 0x02;
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, _) = new_message(&mut client, folder, folder_id, "named");
    let (one, other) = (
        ropewalk_props::Guid([0x31; 16]),
        ropewalk_props::Guid([0x32; 16]),
    );
    let names = [
        Name::Lid(one, 1),
        Name::Name(one, "by name".into()),
        Name::Lid(other, 2),
        Name::Lid(other, 3),
    ];
    let ids = client.property_ids(logon.handle, 2, &names).unwrap();
    // The last is registered, and the message does not have it.
    let values: Vec<_> = ids[..3]
        .iter()
        .map(|id| (u32::from(*id) << 16 | 0x0003, Value::Integer32(1)))
        .collect();
    client.set_props(message, &values).unwrap();
    let mut query = |handle, flags: u8, guid: Option<ropewalk_props::Guid>| {
        let rop = Rop::new(0x5F, 0).u8(flags).u8(u8::from(guid.is_some()));
        let rop = match guid {
            Some(guid) => rop.bytes(&guid.0),
            None => rop,
        };
        let answer = client.rop(&rop, &[handle]).unwrap();
        let read = |input: &mut Reader<'_>| {
            let count = input.u16()?;
            let ids: Vec<u16> = (0..count).map(|_| input.u16()).collect::<Result<_, _>>()?;
            for _ in 0..count {
                PropertyNameRef::decode(input)?;
            }
            Ok(ids)
        };
        let mut found = answer.read(read).unwrap();
        found.sort_unstable();
        found
    };
    let sorted = |ids: &[u16]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    assert_eq!(query(message, 0, None), sorted(&ids[..3]));
    assert_eq!(query(message, NO_STRINGS, None), sorted(&[ids[0], ids[2]]));
    assert_eq!(query(message, NO_IDS, None), [ids[1]]);
    assert!(query(message, NO_IDS | NO_STRINGS, None).is_empty());
    assert_eq!(query(message, 0, Some(other)), [ids[2]]);
    assert_eq!(query(logon.handle, 0, Some(other)), sorted(&ids[2..]));
    let rop = Rop::new(0x5F, 0).u8(0).u8(0);
    fails(client.rop(&rop, &[NO_HANDLE]), code::NULL_OBJECT);
}
