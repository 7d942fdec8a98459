//! Named properties (MS-OXCPRPT 3.2.5.9 and 3.2.5.10).

use ropewalk_props::Guid;
use ropewalk_tests::{
    client::{Cells as _, Name, Value},
    fixture::{ada, code, legacy_dn, log_on, new_folder, new_message, shared, text},
    server::add_user,
};

const CREATE: u8 = 0x02;

const PS_MAPI: Guid = Guid::from_fields(0x0002_0328, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
const PS_INTERNET_HEADERS: Guid =
    Guid::from_fields(0x0002_0386, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);

/// A set that no other test uses.
fn set(of_test: u8) -> Guid {
    Guid([0xE0 | of_test; 16])
}

#[test]
fn a_name_gets_one_id_for_all_time_when_it_is_to_be_created() {
    let (mut client, logon) = ada();
    let names = [
        Name::Lid(set(1), 0x8501),
        Name::Name(set(1), "Splice".into()),
        Name::Lid(set(1), 0),
        Name::Name(set(1), "splice".into()),
        Name::Name(set(1), "\u{2693}".into()),
    ];
    assert_eq!(
        client.property_ids(logon.handle, 0, &names).unwrap(),
        [0; 5],
        "unknown"
    );
    let ids = client.property_ids(logon.handle, CREATE, &names).unwrap();
    for (i, id) in ids.iter().enumerate() {
        assert!((0x8001..0xFFFF).contains(id), "{id:#x}");
        assert!(!ids[..i].contains(id), "{id:#x} twice");
    }
    assert_eq!(client.property_ids(logon.handle, 0, &names).unwrap(), ids);
    let (mut other, other_logon) = ada();
    assert_eq!(
        other
            .property_ids(other_logon.handle, CREATE, &names)
            .unwrap(),
        ids
    );
    let told = client.property_names(logon.handle, &ids).unwrap();
    for (name, told) in names.iter().zip(told) {
        assert_eq!(told.as_ref(), Some(name));
    }
}

#[test]
fn known_and_unknown_names_stand_in_their_places() {
    let (mut client, logon) = ada();
    let known = Name::Lid(set(2), 1);
    let id = client
        .property_ids(logon.handle, CREATE, std::slice::from_ref(&known))
        .unwrap()[0];
    let names = [Name::Lid(set(2), 2), known, Name::Name(set(2), "x".into())];
    assert_eq!(
        client.property_ids(logon.handle, 0, &names).unwrap(),
        [0, id, 0]
    );
}

#[test]
fn ps_mapi_names_are_the_ids_themselves() {
    let (mut client, logon) = ada();
    let name = Name::Lid(PS_MAPI, 0x0037);
    for flags in [0, CREATE] {
        assert_eq!(
            client
                .property_ids(logon.handle, flags, std::slice::from_ref(&name))
                .unwrap(),
            [0x0037]
        );
    }
    let names = client
        .property_names(logon.handle, &[0x0037, 0x7FFF])
        .unwrap();
    assert_eq!(names, [Some(name), Some(Name::Lid(PS_MAPI, 0x7FFF))]);
}

#[test]
fn internet_header_names_have_no_case() {
    let (mut client, logon) = ada();
    let upper = Name::Name(PS_INTERNET_HEADERS, "X-Ropewalk-Test".into());
    let lower = Name::Name(PS_INTERNET_HEADERS, "x-ropewalk-test".into());
    let ids = client
        .property_ids(logon.handle, CREATE, &[upper, lower.clone()])
        .unwrap();
    assert_eq!(ids[0], ids[1]);
    let names = client.property_names(logon.handle, &ids[..1]).unwrap();
    assert_eq!(names, [Some(lower)]);
}

#[test]
fn an_id_that_is_not_registered_has_no_name() {
    let (mut client, logon) = ada();
    let names = client
        .property_names(logon.handle, &[0xFFFE, 0x0037])
        .unwrap();
    assert_eq!(names[0], None);
    assert!(names[1].is_some());
}

#[test]
fn no_names_on_a_logon_tell_all_ids() {
    let (mut client, logon) = ada();
    let id = client
        .property_ids(logon.handle, CREATE, &[Name::Lid(set(3), 9)])
        .unwrap()[0];
    let all = client.property_ids(logon.handle, 0, &[]).unwrap();
    assert!(all.contains(&id), "{all:x?}");
}

#[test]
fn a_named_property_holds_a_value_and_shows_in_has_named_properties() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "named");
    let name = Name::Name(set(4), "Length".into());
    let property = client
        .property_ids(message, CREATE, std::slice::from_ref(&name))
        .unwrap()[0];
    let tag = (u32::from(property) << 16) | 0x001F;
    client.set_props(message, &[(tag, text("twelve"))]).unwrap();
    client.save_message(message).unwrap();
    let opened = client.open_message(folder, folder_id, id, 0).unwrap();
    assert_ne!(opened.has_named_properties, 0);
    let row = client
        .get_props(opened.handle, &[tag, 0x664A_000B, tag & 0xFFFF_0000])
        .unwrap();
    assert_eq!(row.text(0), "twelve");
    assert!(row.flag(1));
    assert_eq!(*row.value(2), Value::text("twelve"));
    assert!(client.list_props(opened.handle).unwrap().contains(&tag));
    // An id without a name is no property.
    let row = client.get_props(opened.handle, &[0xFFFD_001F]).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
}

// MS-OXCPRPT 3.2.5.10: at most 32,767 names, then OutOfMemory.
#[test]
fn names_run_out_and_those_that_are_there_stay() {
    let server = &shared().server;
    let (email, password) = ("cap@example.test", "a full locker");
    add_user(server.data_dir(), email, "Cap", password);
    let dn = legacy_dn(server.data_dir(), email);
    let (mut client, logon) = log_on(server, email, password, &dn);
    let name = |lid: u32| Name::Lid(set(5), lid);
    let mut registered = Vec::new();
    let error = loop {
        let first = u32::try_from(registered.len()).unwrap();
        let names: Vec<Name> = (first..first + 1000).map(name).collect();
        match client.property_ids(logon.handle, CREATE, &names) {
            Ok(ids) => registered.extend(ids),
            Err(error) => break error,
        }
        assert!(registered.len() <= 0x8000, "more ids than there are");
    };
    assert_eq!(error.code(), code::MEMORY);
    assert!(registered.len() > 30_000, "{}", registered.len());
    // Each id once, all of named properties.
    let mut sorted = registered.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), registered.len());
    assert!(sorted[0] > 0x8000 && sorted[sorted.len() - 1] < 0xFFFF);
    let last = u32::try_from(registered.len() - 1).unwrap();
    assert_eq!(
        client
            .property_ids(logon.handle, CREATE, &[name(0), name(last)])
            .unwrap(),
        [registered[0], registered[last as usize]]
    );
}
