//! What is searched: criteria that are set, refused and told (MS-OXCFOLD 2.2.1.4, 2.2.1.5).

use super::world::*;

// MS-OXCFOLD 2.2.1.4.1 and 3.2.5.4.
#[test]
fn what_cannot_be_searched_is_refused_and_changes_nothing() {
    let mut here = place();
    let (client, folder) = (&mut here.client, here.folder);
    let (restriction, ids) = (content("x"), [here.folder_id]);
    let (message, _) = new_message(client, folder, here.folder_id, "x");
    let (table, _) = client.contents_table(folder, 0).unwrap();
    for handle in [message, table, here.logon.handle] {
        fails(
            client.set_search_criteria(handle, Some(&restriction), &ids, 0),
            code::NOT_SUPPORTED,
        );
        fails(
            client.search_criteria(handle, [true; 3]),
            code::NOT_SUPPORTED,
        );
    }
    fails(
        client.set_search_criteria(folder, Some(&restriction), &ids, 0),
        NOT_SEARCH_FOLDER,
    );
    fails(client.search_criteria(folder, [true; 3]), NOT_SEARCH_FOLDER);
    // The first time, both are needed.
    let search = here.search;
    for (restriction, ids) in [
        (None, &ids[..]),
        (Some(&restriction), &[][..]),
        (None, &[][..]),
    ] {
        fails(
            client.set_search_criteria(search, restriction, ids, RESTART),
            NOT_INITIALIZED,
        );
    }
    fails(client.search_criteria(search, [true; 3]), NOT_INITIALIZED);
    assert!(found(client, search).is_empty());
    for flags in [
        STOP | RESTART,
        RECURSIVE | SHALLOW,
        CONTENT_INDEXED | NON_CONTENT_INDEXED,
        0x40,
        0x8_0000,
        0x8000_0000,
    ] {
        fails(
            client.set_search_criteria(search, Some(&restriction), &ids, flags),
            code::INVALID_PARAMETER,
        );
    }
    let nowhere = (here.folder_id & 0xFFFF) | 0x7766_5544_3322_0000;
    for id in [0, here.folder_id & !0xFFFF, nowhere] {
        fails(
            client.set_search_criteria(search, Some(&restriction), &[ids[0], id], 0),
            code::NOT_FOUND,
        );
    }
    fails(
        client.set_search_criteria(search, Some(&restriction), &[ids[0], here.search_id], 0),
        SCOPE_VIOLATION,
    );
    // Restrictions: no operator of lists, nothing too deep, too wide or too long.
    let member = Restriction::Property {
        rel_op: RelOp(100),
        prop_tag: PropTag(tag::SUBJECT),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::SUBJECT),
            value: text("x"),
        },
    };
    let deep = (0..100).fold(unread(), |inner, _| Restriction::Not(Box::new(inner)));
    let wide = Restriction::Or(vec![unread(); 3000]);
    let long = content(&"x".repeat(15_000));
    for restriction in [
        member,
        deep,
        Restriction::Or(vec![wide.clone(), wide]),
        long,
    ] {
        if restriction_bytes(Some(&restriction)).len() < 0x7F00 {
            fails(
                client.set_search_criteria(search, Some(&restriction), &ids, 0),
                TOO_COMPLEX,
            );
        }
    }
    let broken = Rop::new(0x30, 0).sized(&[0x00, 0x02]).ids(&ids).u32(0);
    fails(client.rop(&broken, &[search]), code::INVALID_PARAMETER);
    fails(client.search_criteria(search, [true; 3]), NOT_INITIALIZED);
    client.release(search).unwrap();
    fails(
        client.set_search_criteria(search, Some(&restriction), &ids, 0),
        code::INVALID_OBJECT,
    );
}

// MS-OXCFOLD 2.2.1.5.
#[test]
fn criteria_come_back_as_far_as_they_are_wanted_in_the_strings_that_are() {
    let mut here = place();
    let string8 = |text: &[u8]| {
        Restriction::And(vec![
            equals(0x0037_001E, Value::String8(text.to_vec())),
            Restriction::Exist {
                prop_tag: PropTag(0x0037_001E),
            },
            unread(),
        ])
    };
    let unicode = |part: &str| {
        Restriction::And(vec![
            equals(tag::SUBJECT, text(part)),
            Restriction::Exist {
                prop_tag: PropTag(tag::SUBJECT),
            },
            unread(),
        ])
    };
    let id = here.mail("naïve");
    here.client
        .set_read_flags(here.folder, &[id], CLEAR_READ_FLAG)
        .unwrap();
    for restriction in [string8(b"na\xEFve"), unicode("naïve")] {
        here.set(&restriction, RECURSIVE | NON_CONTENT_INDEXED);
        assert_eq!(here.found(), [id]);
        let ids = vec![here.folder_id];
        let mut get = |wanted| here.client.search_criteria(here.search, wanted).unwrap();
        let flags = SEARCH_RECURSIVE | SEARCH_COMPLETE | TWIR_TOTALLY;
        let unicode = restriction_bytes(Some(&unicode("naïve")));
        let string8 = restriction_bytes(Some(&string8(b"na\xEFve")));
        assert_eq!(get([true, true, true]), (unicode, ids.clone(), flags));
        assert_eq!(get([false, true, false]), (string8, vec![], flags));
        assert_eq!(get([true, false, true]), (vec![], ids, flags));
        assert_eq!(get([false; 3]), (vec![], vec![], flags));
    }
    // What is not given stays; the flags are those of the last request.
    here.client
        .set_search_criteria(here.search, None, &[], STATIC)
        .unwrap();
    let (restriction, ids, flags) = here.client.search_criteria(here.search, [true; 3]).unwrap();
    assert_eq!(restriction, restriction_bytes(Some(&unicode("naïve"))));
    assert_eq!(ids, [here.folder_id]);
    assert_eq!(flags, SEARCH_STATIC | SEARCH_COMPLETE | TWIR_TOTALLY);
    let other = here.logon.inbox();
    here.client
        .set_search_criteria(
            here.search,
            None,
            &[other, here.folder_id, other],
            CONTENT_INDEXED,
        )
        .unwrap();
    let (restriction, ids, flags) = here.client.search_criteria(here.search, [true; 3]).unwrap();
    assert_eq!(restriction, restriction_bytes(Some(&unicode("naïve"))));
    assert_eq!(ids, [other, here.folder_id, other]);
    // It has just begun; who looks at what it has found has it done.
    assert_eq!(flags, SEARCH_RUNNING | SEARCH_REBUILD | TWIR_TOTALLY);
    here.found();
    assert_eq!(here.flags(), SEARCH_COMPLETE | TWIR_TOTALLY);
}

#[test]
fn named_properties_and_parts_of_messages_can_be_searched() {
    let mut here = place();
    let name = Name::Lid(ropewalk_props::Guid([0x5E; 16]), 0x8233);
    let id = here
        .client
        .property_ids(here.logon.handle, 2, &[name])
        .unwrap()[0];
    let named = (u32::from(id) << 16) | 0x0003;
    let (message, wanted) = new_message(&mut here.client, here.folder, here.folder_id, "named");
    here.client
        .set_props(message, &[(named, Value::Integer32(7))])
        .unwrap();
    here.client.save_message(message).unwrap();
    let (attachment, _) = here.client.create_attachment(message).unwrap();
    here.client
        .set_props(attachment, &[(tag::ATTACH_LONG_FILENAME, text("plan.pdf"))])
        .unwrap();
    here.client.save_attachment(message, attachment).unwrap();
    here.client.save_message(message).unwrap();
    here.mail("plain");
    here.set(&equals(named, Value::Integer32(7)), 0);
    assert_eq!(here.found(), [wanted]);
    let by_name = equals(tag::ATTACH_LONG_FILENAME, text("plan.pdf"));
    let attached = Restriction::SubObject {
        subobject: PropTag(0x0E13_000D),
        restriction: Box::new(by_name),
    };
    here.set(&attached, 0);
    assert_eq!(here.found(), [wanted]);
    here.set(&Restriction::Not(Box::new(attached)), 0);
    assert_eq!(here.found().len(), 1);
    assert_ne!(here.found(), [wanted]);
}

// MS-OXCFOLD 3.2.5.2 and 3.2.5.4: no search folder in a public store, and no recursive search on a
// public folder.
#[test]
fn public_folders_are_not_searched() {
    const PUBLIC: u32 = 0x0000_0002;
    let (mut client, _) = ada();
    let answer = client
        .rop(&logon_rop(0, PUBLIC | 0x0100_0000, ""), &[NO_HANDLE])
        .unwrap();
    let logon = answer.handle(0).unwrap();
    let tree = answer
        .read(|input| {
            input.u8()?;
            let ids: Vec<u64> = (0..13).map(|_| input.u64()).collect::<Result<_, _>>()?;
            input.bytes(2 + 16 + 16)?;
            Ok(ids[1])
        })
        .unwrap();
    let tree = client.open_folder(logon, tree).unwrap();
    let search = NewFolder {
        folder_type: 2,
        ..NewFolder::named("Search")
    };
    fails(
        client.create_folder_with(tree, &search),
        code::NOT_SUPPORTED,
    );
    let folder = client.create_folder(tree, "Searched").unwrap();
    for (flags, error) in [
        (0, NOT_SEARCH_FOLDER),
        (SHALLOW | RESTART, NOT_SEARCH_FOLDER),
        (RECURSIVE, code::NOT_SUPPORTED),
    ] {
        fails(
            client.set_search_criteria(folder.handle, Some(&unread()), &[folder.folder_id], flags),
            error,
        );
    }
    fails(
        client.search_criteria(folder.handle, [true; 3]),
        NOT_SEARCH_FOLDER,
    );
}
