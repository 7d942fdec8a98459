//! Searches that stay: after kill -9, below the root, in copies.

use super::world::*;

// MS-OXCFOLD 3.2.5.4: a static search.
#[test]
fn searches_are_after_kill_9_what_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (mut server, dn) = server(dir.path());
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (fixed, fixed_id) = search_folder(&mut client, folder, "Static");
    let (moving, moving_id) = search_folder(&mut client, folder, "Dynamic");
    let mail = |client: &mut Client, folder: Handle, subject: &str| {
        let (message, id) = new_message(client, folder, folder_id, subject);
        client.release(message).unwrap();
        id
    };
    let mut ids: Vec<u64> = (0..3).map(|_| mail(&mut client, folder, "a fox")).collect();
    for (search, flags) in [(fixed, STATIC), (moving, 0)] {
        client
            .set_search_criteria(search, Some(&content("fox")), &[folder_id], flags)
            .unwrap();
        assert_eq!(found(&mut client, search), ids);
    }
    let at_first = ids.clone();
    ids.push(mail(&mut client, folder, "another fox"));
    client.hard_delete_messages(folder, &ids[..1]).unwrap();
    let kept = [fixed, moving].map(|search| client.search_criteria(search, [true; 3]).unwrap());
    let time = |client: &mut Client, search: Handle| {
        let row = client.get_props(search, &[LOCAL_COMMIT_TIME_MAX]);
        row.unwrap().time(0)
    };
    let changed = time(&mut client, moving);
    server.kill();

    let server = TestServer::start_in(dir.path(), &[]);
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let folder = client.open_folder(logon.handle, folder_id).unwrap();
    let fixed = client.open_folder(logon.handle, fixed_id).unwrap();
    let moving = client.open_folder(logon.handle, moving_id).unwrap();
    assert_eq!(found(&mut client, fixed), at_first);
    assert_eq!(found(&mut client, moving), ids[1..]);
    let again = [fixed, moving].map(|search| client.search_criteria(search, [true; 3]).unwrap());
    assert_eq!(again, kept);
    assert_eq!(time(&mut client, moving), changed);
    // Of a message that is gone there is a row, and nothing to open.
    fails(
        client.open_message(fixed, fixed_id, ids[0], 0),
        code::NOT_FOUND,
    );
    client.open_message(fixed, fixed_id, ids[1], 0).unwrap();
    let (table, _) = client.contents_table(fixed, 0).unwrap();
    let columns = [tag::MID, tag::FOLDER_ID, tag::SUBJECT];
    let rows = client.query_all_rows(table, &columns).unwrap();
    let gone = rows.iter().find(|row| row.id(0) == ids[0]).unwrap();
    assert_eq!((gone.id(1), gone.error(2)), (folder_id, code::NOT_FOUND));
    ids.push(mail(&mut client, folder, "the last fox"));
    assert_eq!(found(&mut client, moving), ids[1..]);
    assert_eq!(found(&mut client, fixed), at_first);
    client
        .set_search_criteria(fixed, None, &[], STATIC | RESTART)
        .unwrap();
    assert_eq!(found(&mut client, fixed), ids[1..]);
}

// MS-OXOSFLD: the client makes the Reminders and To-Do search folders below the root, and sets what
// they search; the Finder is the place for those that its user makes.
#[test]
fn a_client_makes_its_searches_below_the_root_and_the_finder() {
    let mut here = place();
    let (client, logon) = (&mut here.client, &here.logon);
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let finder = logon.folder_ids[Logon::SEARCH];
    let finder = client.open_folder(logon.handle, finder).unwrap();
    let (reminders, _) = search_folder(client, root, "Reminders");
    let (unread_mail, _) = search_folder(client, finder, "Unread Mail");
    let class = [(tag::CONTAINER_CLASS, text("Outlook.Reminder"))];
    client.set_props(reminders, &class).unwrap();
    // All that the user sees, without what is deleted (MS-OXORMDR 2.2.1).
    let deleted = client
        .open_folder(logon.handle, logon.folder_ids[7])
        .unwrap();
    let deleted = client.get_props(deleted, &[tag::ENTRY_ID]).unwrap();
    let elsewhere = Restriction::Property {
        rel_op: RelOp::NOT_EQUAL,
        prop_tag: PropTag(tag::PARENT_ENTRY_ID),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::PARENT_ENTRY_ID),
            value: Value::Binary(deleted.binary(0).to_vec()),
        },
    };
    let restriction = Restriction::And(vec![elsewhere, content("remember")]);
    let ipm = [logon.folder_ids[3]];
    client
        .set_search_criteria(reminders, Some(&restriction), &ipm, RECURSIVE)
        .unwrap();
    client
        .set_search_criteria(unread_mail, Some(&restriction), &ipm, RECURSIVE)
        .unwrap();
    let (_, id) = new_message(client, here.folder, here.folder_id, "remember the milk");
    let bin = logon.folder_ids[7];
    let bin_handle = client.open_folder(logon.handle, bin).unwrap();
    new_message(client, bin_handle, bin, "remember nothing");
    assert_eq!(found(client, reminders), [id]);
    assert_eq!(found(client, unread_mail), [id]);
}

// MS-OXCPRPT 2.2.11.1, WantSubObjects: what a search folder holds is what it has found.
#[test]
fn copy_to_takes_along_what_was_found() {
    let mut here = place();
    let found_id = here.mail("found");
    let other_id = here.mail("other");
    here.set(&content("found"), 0);
    let (to, _) = new_folder(&mut here.client, &here.logon);
    // Without PidTagDisplayName; flags: 1 moves.
    let copy_to = |flags: u8| {
        let rop = Rop::new(0x39, 0).u8(1).u8(0).u8(1).u8(flags);
        rop.u16(1).u32(tag::DISPLAY_NAME)
    };
    here.client.rop(&copy_to(0), &[here.search, to]).unwrap();
    let copies = found(&mut here.client, to);
    assert_eq!(copies.len(), 1);
    assert!(![found_id, other_id].contains(&copies[0]));
    assert_eq!(here.found(), [found_id]);
    here.client.rop(&copy_to(1), &[here.search, to]).unwrap();
    assert_eq!(found(&mut here.client, to).len(), 2);
    assert_eq!(found(&mut here.client, here.folder), [other_id]);
    assert!(here.found().is_empty());
    // Nothing goes into a search folder, however it is asked for.
    fails(
        here.client.rop(&copy_to(0), &[to, here.search]).map(|_| ()),
        SEARCH_FOLDER,
    );
}
