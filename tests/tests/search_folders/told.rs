//! What a search folder and its store tell of a search (MS-OXCFOLD 2.2.2.2.1, MS-OXCSTOR 2.2.1.5).

use super::world::*;

// MS-OXCFOLD 2.2.2.2.1.
#[test]
fn a_search_folder_counts_what_it_has_found() {
    let mut here = place();
    let tags = [
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
        tag::ASSOCIATED_CONTENT_COUNT,
        DELETED_COUNT_TOTAL,
        tag::MESSAGE_SIZE,
    ];
    let counts = |here: &mut Place| {
        let row = here.client.get_props(here.search, &tags).unwrap();
        [0, 1, 2, 3, 4].map(|at| row.int(at))
    };
    let time = |here: &mut Place| {
        let row = here.client.get_props(here.search, &[LOCAL_COMMIT_TIME_MAX]);
        row.unwrap().time(0)
    };
    assert_eq!(counts(&mut here), [0; 5]);
    let made = time(&mut here);
    let ids: Vec<u64> = (0..3).map(|i| here.mail(&format!("fox {i}"))).collect();
    here.mail("owl");
    here.client
        .set_read_flags(here.folder, &ids, CLEAR_READ_FLAG)
        .unwrap();
    here.set(&content("fox"), 0);
    let all = counts(&mut here);
    assert_eq!(all[..4], [3, 3, 0, 0]);
    let row = here
        .client
        .get_props(here.search, &[MESSAGE_SIZE_EXTENDED])
        .unwrap();
    assert_eq!(row.id(0), all[4] as u64);
    here.client
        .set_read_flags(here.folder, &ids[..2], 0)
        .unwrap();
    assert_eq!(counts(&mut here)[..2], [3, 1]);
    let changed = time(&mut here);
    assert!(changed > made);
    here.client.delete_messages(here.folder, &ids[..1]).unwrap();
    let fewer = counts(&mut here);
    assert_eq!(fewer[..4], [2, 1, 0, 0]);
    assert!(fewer[4] > 0 && fewer[4] < all[4]);
    assert!(time(&mut here) > changed);
    // In its parent's hierarchy table too.
    let (table, _) = here.client.hierarchy_table(here.folder, 0).unwrap();
    let columns = [
        tag::FOLDER_ID,
        tag::CONTENT_COUNT,
        tag::CONTENT_UNREAD_COUNT,
    ];
    let rows = here.client.query_all_rows(table, &columns).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].id(0), rows[0].int(1), rows[0].int(2)),
        (here.search_id, 2, 1)
    );
    // Neither associated nor soft-deleted messages are its own.
    for flags in [0x02, 0x20, 0x22] {
        assert_eq!(here.client.contents_table(here.search, flags).unwrap().1, 0);
    }
}

// What the server keeps of a search is nobody's property.
#[test]
fn what_is_kept_of_a_search_is_not_to_be_seen_set_or_copied() {
    let mut here = place();
    let id = here.mail("fox");
    here.set(&content("fox"), STATIC);
    assert_eq!(here.found(), [id]);
    for hidden in [0x67FC_0102, 0x67FD_0102] {
        let row = here.client.get_props(here.search, &[hidden]).unwrap();
        assert_eq!(row.error(0), code::NOT_FOUND);
        let set = [(hidden, Value::Binary(vec![1; 20]))];
        let problems = here.client.try_set_props(here.search, &set).unwrap();
        assert_eq!(problems.len(), 1);
        assert_eq!(
            here.client
                .delete_props(here.search, &[hidden])
                .unwrap()
                .len(),
            1
        );
        fails(
            here.client.open_stream(here.search, hidden, 0),
            code::NOT_FOUND,
        );
        fails(
            here.client.open_stream(here.search, hidden, 2),
            code::ACCESS_DENIED,
        );
    }
    let hidden = |tag: u32| tag >> 16 == 0x67FC || tag >> 16 == 0x67FD;
    let listed = here.client.list_props(here.search).unwrap();
    assert!(!listed.into_iter().any(hidden));
    let all = here.client.get_all_props(here.search).unwrap();
    assert!(!all.into_iter().any(|(tag, _)| hidden(tag)));
    assert_eq!(here.found(), [id]);
    // RopCopyTo gives another search folder properties, not the search.
    let (other, _) = search_folder(&mut here.client, here.folder, "Other");
    let rop = Rop::new(0x39, 0)
        .u8(1)
        .u8(0)
        .u8(0)
        .u8(0)
        .tags(&[tag::DISPLAY_NAME]);
    here.client.rop(&rop, &[here.search, other]).unwrap();
    fails(
        here.client.search_criteria(other, [true; 3]),
        NOT_INITIALIZED,
    );
}

// MS-OXCFOLD 2.2.2.2.1.5.
#[test]
fn folder_flags_tell_what_a_folder_is() {
    let mut here = place();
    let logon = &here.logon;
    let mut flags = |id: u64| {
        let folder = here.client.open_folder(logon.handle, id).unwrap();
        here.client
            .get_props(folder, &[FOLDER_FLAGS])
            .unwrap()
            .int(0)
    };
    assert_eq!(flags(here.folder_id), 0x5);
    assert_eq!(flags(here.search_id), 0x3);
    assert_eq!(flags(logon.root()), 0);
    // The IPM subtree, the Finder, the spooler queue.
    assert_eq!(flags(logon.folder_ids[3]), 0x5);
    assert_eq!(flags(logon.folder_ids[Logon::SEARCH]), 0x4);
    assert_eq!(flags(logon.folder_ids[2]), 0x2);
    let problems = here
        .client
        .try_set_props(here.folder, &[(FOLDER_FLAGS, Value::Integer32(1))])
        .unwrap();
    assert_eq!(problems.len(), 1);
}

/// A server of its own, with one user who has a folder for searches.
// MS-OXCSTOR 2.2.1.5.
#[test]
fn the_store_says_whether_it_has_searches() {
    let dir = tempfile::tempdir().unwrap();
    let (server, dn) = server(dir.path());
    let (mut client, logon) = log_on(&server, ADA, PASSWORD, &dn);
    let state = |client: &mut Client| {
        let answer = client.rop(&Rop::new(0x7B, 0), &[logon.handle]).unwrap();
        let state = answer.read(Reader::u32).unwrap();
        let row = client.get_props(logon.handle, &[STORE_STATE]).unwrap();
        assert_eq!(row.int(0) as u32, state);
        state
    };
    assert_eq!(state(&mut client), 0);
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (search, search_id) = search_folder(&mut client, folder, "Search");
    assert_eq!(state(&mut client), 0);
    client
        .set_search_criteria(search, Some(&unread()), &[folder_id], 0)
        .unwrap();
    assert_eq!(state(&mut client), 0x0100_0000);
    fails(
        client.rop(&Rop::new(0x7B, 0), &[search]),
        code::NOT_SUPPORTED,
    );
    client.delete_folder(folder, search_id, 0).unwrap();
    assert_eq!(state(&mut client), 0);
}

// MS-OXCFOLD 2.2.1.5.2: SEARCH_RUNNING until the folder is filled, which happens without being looked
// at.
#[test]
fn a_search_that_has_begun_runs_until_it_is_complete() {
    let mut here = place();
    let id = here.mail("fox");
    here.set(&content("fox"), NON_CONTENT_INDEXED | RESTART);
    let running = SEARCH_RUNNING | SEARCH_REBUILD | TWIR_TOTALLY;
    assert_eq!(here.flags(), running);
    let until = Instant::now() + Duration::from_secs(20);
    while here.flags() == running && Instant::now() < until {
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(here.flags(), SEARCH_COMPLETE | TWIR_TOTALLY);
    assert_eq!(here.found(), [id]);
    here.set(&content("fox"), STATIC);
    assert_eq!(here.flags(), SEARCH_COMPLETE | SEARCH_STATIC | TWIR_TOTALLY);
}

#[test]
fn the_flags_of_a_complete_search_stay_when_it_is_stopped() {
    let mut here = place();
    let id = here.mail("fox");
    here.set(&content("fox"), RECURSIVE);
    assert_eq!(here.found(), [id]);
    let flags = here.flags();
    here.client
        .set_search_criteria(here.search, None, &[], STOP)
        .unwrap();
    assert_eq!(here.flags(), flags);
    let next = here.mail("fox two");
    assert_eq!(here.found(), [id, next]);
}
