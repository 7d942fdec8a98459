//! Search folders over the wire (MS-OXCFOLD 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5).

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{
        Cells as _, Client, Handle, Logon, NO_HANDLE, Name, NewFolder, Rop, Value, logon_rop,
        restriction_bytes,
    },
    fixture::{
        ADA, PASSWORD, ada, code, fails, legacy_dn, log_on, new_folder, new_message, tag, text,
    },
    server::{TestServer, add_user},
};
use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

const STOP: u32 = 0x1;
const RESTART: u32 = 0x2;
const RECURSIVE: u32 = 0x4;
const SHALLOW: u32 = 0x8;
const CONTENT_INDEXED: u32 = 0x1_0000;
const NON_CONTENT_INDEXED: u32 = 0x2_0000;
const STATIC: u32 = 0x4_0000;

/// ReadFlags (MS-OXCMSG 2.2.3.10.1).
const CLEAR_READ_FLAG: u8 = 0x04;

/// SearchFlags of RopGetSearchCriteria.
const SEARCH_RUNNING: u32 = 0x1;
const SEARCH_REBUILD: u32 = 0x2;
const SEARCH_RECURSIVE: u32 = 0x4;
const SEARCH_COMPLETE: u32 = 0x1000;
const SEARCH_STATIC: u32 = 0x1_0000;
const TWIR_TOTALLY: u32 = 0x0800_0000;

const NOT_INITIALIZED: u32 = 0x8004_0605;
const NOT_SEARCH_FOLDER: u32 = 0x0000_0461;
const SCOPE_VIOLATION: u32 = 0x0000_0490;
const TOO_COMPLEX: u32 = 0x8004_0117;
const SEARCH_FOLDER: u32 = 0x0000_0460;

const FOLDER_FLAGS: u32 = 0x66A8_0003;
const LOCAL_COMMIT_TIME_MAX: u32 = 0x670A_0040;
const DELETED_COUNT_TOTAL: u32 = 0x670B_0003;
const MESSAGE_SIZE_EXTENDED: u32 = 0x0E08_0014;
const STORE_STATE: u32 = 0x340E_0003;

/// A search folder, below a folder: its handle and FID.
fn search_folder(client: &mut Client, parent: Handle, name: &str) -> (Handle, u64) {
    let folder = NewFolder {
        folder_type: 2,
        ..NewFolder::named(name)
    };
    let made = client.create_folder_with(parent, &folder).unwrap();
    (made.handle, made.folder_id)
}

/// A folder of its own, and a search folder in it.
struct Place {
    client: Client,
    logon: Logon,
    folder: Handle,
    folder_id: u64,
    search: Handle,
    search_id: u64,
}

fn place() -> Place {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (search, search_id) = search_folder(&mut client, folder, "Search");
    Place {
        client,
        logon,
        folder,
        folder_id,
        search,
        search_id,
    }
}

impl Place {
    fn mail(&mut self, subject: &str) -> u64 {
        let (message, id) = new_message(&mut self.client, self.folder, self.folder_id, subject);
        self.client.release(message).unwrap();
        id
    }

    fn set(&mut self, restriction: &Restriction, search_flags: u32) {
        let folders = [self.folder_id];
        self.client
            .set_search_criteria(self.search, Some(restriction), &folders, search_flags)
            .unwrap();
    }

    fn found(&mut self) -> Vec<u64> {
        found(&mut self.client, self.search)
    }

    fn flags(&mut self) -> u32 {
        let (_, _, flags) = self
            .client
            .search_criteria(self.search, [false; 3])
            .unwrap();
        flags
    }
}

/// PidTagMid of all rows of a folder's contents table, sorted; the count is that of the rows.
fn found(client: &mut Client, folder: Handle) -> Vec<u64> {
    let (table, count) = client.contents_table(folder, 0).unwrap();
    let rows = client.query_all_rows(table, &[tag::MID]).unwrap();
    client.release(table).unwrap();
    assert_eq!(count as usize, rows.len());
    let mut mids: Vec<u64> = rows.iter().map(|row| row.id(0)).collect();
    mids.sort_unstable_by_key(|mid| mid.swap_bytes());
    let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0) as usize, mids.len());
    mids
}

fn content(part: &str) -> Restriction {
    Restriction::Content {
        // FL_SUBSTRING, FL_IGNORECASE.
        fuzzy_level_low: 0x0001,
        fuzzy_level_high: 0x0001,
        property_tag: PropTag(tag::SUBJECT),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::SUBJECT),
            value: text(part),
        },
    }
}

fn equals(property: u32, value: Value) -> Restriction {
    Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(property),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(property),
            value,
        },
    }
}

fn unread() -> Restriction {
    Restriction::BitMask {
        bitmap_rel_op: 0,
        prop_tag: PropTag(tag::MESSAGE_FLAGS),
        mask: 1,
    }
}

// MS-OXCFOLD 3.2.5.4: a dynamic search.
#[test]
fn a_dynamic_search_is_kept_up_to_date_also_by_other_sessions_and_in_open_tables() {
    let mut here = place();
    let first = here.mail("red fox");
    here.mail("grey owl");
    here.set(&content("FOX"), RESTART);
    assert_eq!(here.found(), [first]);
    let (table, _) = here.client.contents_table(here.search, 0).unwrap();
    let rows = |client: &mut Client| {
        client.seek_row(table, 0, 0, false).unwrap();
        let rows = client
            .query_rows(table, &[tag::SUBJECT], 0, true, 50)
            .unwrap();
        let subjects = rows.rows.iter().map(|row| row.text(0));
        subjects.collect::<Vec<_>>()
    };
    here.client.set_columns(table, &[tag::SUBJECT]).unwrap();
    here.client.sort_table(table, &[(tag::SUBJECT, 0)]).unwrap();
    assert_eq!(rows(&mut here.client), ["red fox"]);

    let (mut other, other_logon) = ada();
    let folder = other
        .open_folder(other_logon.handle, here.folder_id)
        .unwrap();
    let (message, second) = new_message(&mut other, folder, here.folder_id, "arctic fox");
    assert_eq!(rows(&mut here.client), ["arctic fox", "red fox"]);
    other
        .set_props(message, &[(tag::SUBJECT, text("arctic hare"))])
        .unwrap();
    other.save_message(message).unwrap();
    assert_eq!(rows(&mut here.client), ["red fox"]);
    other
        .set_props(message, &[(tag::SUBJECT, text("a fox again"))])
        .unwrap();
    other.save_message(message).unwrap();
    assert_eq!(rows(&mut here.client), ["a fox again", "red fox"]);
    other.delete_messages(folder, &[first]).unwrap();
    assert_eq!(rows(&mut here.client), ["a fox again"]);
    let (elsewhere, _) = new_folder(&mut other, &other_logon);
    other
        .move_copy_messages(folder, elsewhere, &[second], false)
        .unwrap();
    assert!(rows(&mut here.client).is_empty());
    assert!(here.found().is_empty());
}

// A row is that of the message where it lies; what is done through the search folder is done to it.
#[test]
fn the_messages_found_are_the_real_ones() {
    let mut here = place();
    let ids: Vec<u64> = (0..4).map(|i| here.mail(&format!("found {i}"))).collect();
    here.set(&content("found"), 0);
    let columns = [
        tag::MID,
        tag::FOLDER_ID,
        tag::PARENT_ENTRY_ID,
        tag::ENTRY_ID,
    ];
    let parent = here
        .client
        .get_props(here.folder, &[tag::ENTRY_ID])
        .unwrap();
    let (table, _) = here.client.contents_table(here.search, 0).unwrap();
    let rows = here.client.query_all_rows(table, &columns).unwrap();
    assert_eq!(rows.len(), 4);
    for row in &rows {
        assert_eq!(row.id(1), here.folder_id);
        assert_eq!(row.binary(2), parent.binary(0));
    }

    // By the FID of the search folder or of its own, for writing too.
    for folder_id in [here.search_id, here.folder_id] {
        let opened = here
            .client
            .open_message(here.search, folder_id, ids[0], 1)
            .unwrap();
        let row = here.client.get_props(opened.handle, &columns).unwrap();
        assert_eq!((row.id(0), row.id(1)), (ids[0], here.folder_id));
        let comment = [(tag::COMMENT, text("changed"))];
        here.client.set_props(opened.handle, &comment).unwrap();
        assert_eq!(here.client.save_message(opened.handle).unwrap(), ids[0]);
        here.client.release(opened.handle).unwrap();
    }

    // RopSetMessageStatus and RopGetMessageStatus.
    let status = |client: &mut Client, folder: Handle| {
        let rop = Rop::new(0x1F, 0).u64(ids[1]);
        client
            .rop(&rop, &[folder])
            .unwrap()
            .read(Reader::u32)
            .unwrap()
    };
    let rop = Rop::new(0x20, 0).u64(ids[1]).u32(0x2).u32(0x2);
    here.client.rop(&rop, &[here.search]).unwrap();
    assert_eq!(status(&mut here.client, here.search), 2);
    assert_eq!(status(&mut here.client, here.folder), 2);

    // RopSetReadFlags: those named, and all.
    let cleared = here
        .client
        .set_read_flags(here.search, &[], CLEAR_READ_FLAG);
    assert_eq!(cleared.unwrap(), 0);
    let unread = |client: &mut Client, folder: Handle| {
        let tags = [tag::CONTENT_UNREAD_COUNT];
        client.get_props(folder, &tags).unwrap().int(0)
    };
    assert_eq!(
        here.client
            .set_read_flags(here.search, &ids[..1], 0)
            .unwrap(),
        0
    );
    assert_eq!(unread(&mut here.client, here.folder), 3);
    assert_eq!(unread(&mut here.client, here.search), 3);
    assert_eq!(here.client.set_read_flags(here.search, &[], 0).unwrap(), 0);
    assert_eq!(unread(&mut here.client, here.folder), 0);
    assert_eq!(unread(&mut here.client, here.search), 0);

    // RopMoveCopyMessages with a search folder as the source, and RopDeleteMessages.
    let (to, _) = new_folder(&mut here.client, &here.logon);
    let copied = here
        .client
        .move_copy_messages(here.search, to, &ids[..1], true);
    assert_eq!(copied.unwrap(), 0);
    let moved = here
        .client
        .move_copy_messages(here.search, to, &ids[..2], false);
    assert_eq!(moved.unwrap(), 0);
    assert_eq!(found(&mut here.client, to).len(), 3);
    assert_eq!(here.found(), ids[2..]);
    assert_eq!(
        here.client
            .delete_messages(here.search, &ids[2..3])
            .unwrap(),
        0
    );
    let hard = here.client.hard_delete_messages(here.search, &ids[3..]);
    assert_eq!(hard.unwrap(), 0);
    assert!(found(&mut here.client, here.folder).is_empty());
    assert_eq!(here.client.contents_table(here.folder, 0x20).unwrap().1, 1);

    // What it has not found, it does not have.
    let outside = here.mail("outside");
    assert_ne!(
        here.client
            .delete_messages(here.search, &[outside])
            .unwrap(),
        0
    );
    assert_ne!(
        here.client
            .set_read_flags(here.search, &[outside], 0)
            .unwrap(),
        0
    );
    let moved = here
        .client
        .move_copy_messages(here.search, to, &[outside], false);
    assert_ne!(moved.unwrap(), 0);
    fails(
        here.client
            .open_message(here.search, here.search_id, outside, 0),
        code::NOT_FOUND,
    );
    let rop = Rop::new(0x1F, 0).u64(outside);
    fails(here.client.rop(&rop, &[here.search]), code::NOT_FOUND);
    assert_eq!(found(&mut here.client, here.folder), [outside]);
}

#[test]
fn a_search_folder_takes_nothing_and_is_neither_emptied_nor_missed_by_its_messages() {
    let mut here = place();
    let id = here.mail("found");
    here.set(&content("found"), 0);
    for associated in [false, true] {
        fails(
            here.client
                .create_message_with(here.search, here.search_id, associated),
            code::NOT_SUPPORTED,
        );
    }
    fails(here.client.create_folder(here.search, "x"), SEARCH_FOLDER);
    for copy in [false, true] {
        fails(
            here.client
                .move_copy_messages(here.folder, here.search, &[id], copy),
            SEARCH_FOLDER,
        );
    }
    for hard in [false, true] {
        fails(
            here.client.empty_folder(here.search, hard),
            code::NOT_SUPPORTED,
        );
    }
    // Its messages are not in it: it goes without a flag that says so, and they stay.
    let deleted = here.client.delete_folder(here.folder, here.search_id, 0);
    assert_eq!(deleted.unwrap(), 0);
    fails(
        here.client.open_folder(here.logon.handle, here.search_id),
        code::NOT_FOUND,
    );
    assert_eq!(found(&mut here.client, here.folder), [id]);
}

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
fn server(dir: &Path) -> (TestServer, String) {
    add_user(dir, ADA, "Ada Lovelace", PASSWORD);
    let dn = legacy_dn(dir, ADA);
    (TestServer::start_in(dir, &[]), dn)
}

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
