use std::{cell::Cell, time::Duration};

use ropewalk_props::{BagView, GlobCnt, PropTag, PropValue, tags};
use ropewalk_store::{ContentsView, DeleteFolder, Mailbox, Message, NewFolder, Quota, SaveMessage};
use ropewalk_wire::{ErrorCode, Mid, client::RopBatch, list::List, rop::*};

use super::Slice;
use crate::{
    ids,
    logon::special,
    rights::{Rights, list::Who, tests::permit},
    test_support::*,
};

const INBOX: GlobCnt = special::INBOX;
const SOFT_ALL: DeleteFolder = DeleteFolder {
    messages: true,
    folders: true,
    hard: false,
};
/// PidTagContainerContents, PidTagFolderAssociatedContents, PidTagContainerHierarchy, and a property.
const SUBOBJECTS: [PropTag; 4] = [
    PropTag(0x360F_000D),
    PropTag(0x3610_000D),
    PropTag(0x360E_000D),
    tags::PID_TAG_COMMENT,
];

/// How a request was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// It goes on: so many tasks of so many are done.
    Going(u32, u32),
    /// This ROP says this, with PartialCompletion if it has that.
    Over(RopId, ErrorCode, Option<bool>),
}

impl Told {
    fn of(response: &Response<'_>) -> Self {
        let partial = match &response.body {
            ResponseBody::Progress(body) => {
                assert_eq!(body.logon_id, 0);
                return Self::Going(body.completed_task_count, body.total_task_count);
            }
            ResponseBody::EmptyFolder(body)
            | ResponseBody::HardDeleteMessagesAndSubfolders(body)
            | ResponseBody::DeleteMessages(body)
            | ResponseBody::HardDeleteMessages(body)
            | ResponseBody::MoveCopyMessages(body)
            | ResponseBody::MoveFolder(body)
            | ResponseBody::CopyFolder(body)
            | ResponseBody::SetReadFlags(body) => Some(body.partial_completion),
            _ => None,
        };
        Self::Over(response.rop_id, response.return_value, partial)
    }
}

/// Two fixtures with the same in them, of which one is asked asynchronously.
fn slices(fixture: &mut Fixture, items: usize) {
    fixture.context.set_slice(Slice {
        items,
        time: Duration::ZERO,
    });
}

/// Sends one ROP with handles at the indices 0 and 1.
fn send(fixture: &mut Fixture, handles: [u32; 2], body: RequestBody<'_>) -> Told {
    let mut batch = RopBatch::new();
    for handle in handles {
        batch.handle(handle);
    }
    batch.push(Request::new(0, 0, body));
    fixture.run(&batch, |output| {
        let response = output.responses().next().unwrap();
        assert_eq!(response.handle_index, 0);
        Told::of(response)
    })
}

fn go_on(fixture: &mut Fixture, handle: u32, want_cancel: bool) -> Told {
    let request = ProgressRequest { want_cancel };
    send(fixture, [handle, handle], RequestBody::Progress(request))
}

/// Asks for progress until it is over: how it ended, and how often it went on.
fn until_over(fixture: &mut Fixture, handle: u32, first: Told) -> (Told, usize) {
    let (mut told, mut times, mut before) = (first, 0, 0);
    while let Told::Going(done, of) = told {
        assert!(done >= before && done <= of, "{done} of {of}");
        (before, times) = (done, times + 1);
        told = go_on(fixture, handle, false);
    }
    (told, times)
}

fn create(mailbox: &Mailbox, parent: GlobCnt, name: &str) -> GlobCnt {
    let new = NewFolder {
        parent,
        kind: ropewalk_store::FolderKind::Generic,
        props: [
            (tags::PID_TAG_DISPLAY_NAME, PropValue::text(name)),
            (tags::PID_TAG_COMMENT, PropValue::text("what for")),
        ]
        .into_iter()
        .collect(),
    };
    mailbox.create_folder(new).unwrap().id
}

fn save(mailbox: &Mailbox, folder: GlobCnt, count: usize, associated: bool) -> Vec<GlobCnt> {
    let saves = (0..count).map(|number| {
        let mut message = Message::default();
        let subject = format!("{number}");
        message.props.set_text(tags::PID_TAG_SUBJECT, &subject);
        SaveMessage {
            folder,
            id: None,
            associated,
            read: Some(number % 3 == 0),
            expected_cn: None,
            message,
        }
    });
    let saved = mailbox.save_messages(saves.collect()).unwrap();
    saved.iter().map(|entry| entry.id).collect()
}

/// All that there is to see of a folder but ids, change numbers and times.
fn describe(mailbox: &Mailbox, id: GlobCnt, depth: usize, out: &mut Vec<String>) {
    use ContentsView::*;
    let folder = mailbox.folder(id).unwrap();
    let name = folder.props.get_text(tags::PID_TAG_DISPLAY_NAME);
    let comment = folder.props.get_text(tags::PID_TAG_COMMENT);
    let (deleted, counts) = (folder.deleted, folder.counts);
    out.push(format!("{depth} {name:?} {comment:?} {deleted} {counts:?}"));
    for view in [Normal, Associated, SoftDeleted, SoftDeletedAssociated] {
        for entry in mailbox.contents(id, view).unwrap().iter() {
            let stored = mailbox.read_message(entry).unwrap();
            let subject = stored.view().props.get_text(tags::PID_TAG_SUBJECT).unwrap();
            let flags = stored.view().props.get_i32(tags::PID_TAG_MESSAGE_FLAGS);
            out.push(format!("  {view:?} {subject} {} {flags:?}", entry.read));
        }
    }
    let live = mailbox.hierarchy(id, false, false);
    let gone = mailbox.hierarchy(id, false, true);
    for (child, _) in live.into_iter().chain(gone) {
        describe(mailbox, child, depth + 1, out);
    }
}

fn seen(fixture: &Fixture) -> Vec<String> {
    let mut out = Vec::new();
    describe(&fixture.mailbox(), special::ROOT, 0, &mut out);
    out
}

fn count(fixture: &Fixture, folder: GlobCnt) -> usize {
    let contents = fixture.mailbox().contents(folder, ContentsView::Normal);
    contents.unwrap().len()
}

fn mids(ids: &[GlobCnt]) -> Vec<Mid> {
    ids.iter().map(|id| ids::mid(*id)).collect()
}

/// What the tests work on: a tree of folders with messages of both kinds, and an empty folder.
struct World {
    fixture: Fixture,
    logon: u32,
    top: GlobCnt,
    messages: Vec<GlobCnt>,
    dest: GlobCnt,
}

impl World {
    fn new() -> Self {
        let (fixture, logon) = Fixture::logged_on();
        let mailbox = fixture.mailbox();
        let top = create(&mailbox, INBOX, "top");
        let a = create(&mailbox, top, "a");
        let b = create(&mailbox, top, "b");
        let below = create(&mailbox, a, "below");
        let gone = create(&mailbox, a, "gone");
        let dest = create(&mailbox, INBOX, "dest");
        let comment = (tags::PID_TAG_COMMENT, PropValue::text("another"));
        mailbox.update_folder(dest, &[comment], &[]).unwrap();
        let messages = save(&mailbox, top, 13, false);
        save(&mailbox, top, 3, true);
        save(&mailbox, a, 4, false);
        save(&mailbox, below, 5, false);
        save(&mailbox, below, 2, true);
        save(&mailbox, b, 1, false);
        save(&mailbox, gone, 2, false);
        mailbox
            .delete_messages(top, &messages[5..6], false)
            .unwrap();
        mailbox.delete_folder(gone, SOFT_ALL).unwrap();
        Self {
            fixture,
            logon,
            top,
            messages,
            dest,
        }
    }

    fn open(&mut self, folder: GlobCnt) -> u32 {
        self.fixture.open_folder(self.logon, folder)
    }
}

/// A ROP that may be asynchronous: on which folder, with which request.
struct Case {
    name: &'static str,
    on_parent: bool,
    body: fn(&World, &'static [Mid], bool) -> RequestBody<'static>,
    /// It is of a kind that has PartialCompletion.
    has_partial: bool,
}

fn move_copy(
    mids: &'static [Mid],
    want_asynchronous: bool,
    want_copy: bool,
) -> RequestBody<'static> {
    RequestBody::MoveCopyMessages(MoveCopyMessagesRequest {
        dest_handle_index: 1,
        message_ids: mids.into(),
        want_asynchronous,
        want_copy,
    })
}

fn delete(mids: &'static [Mid], want_asynchronous: bool) -> DeleteMessagesRequest<'static> {
    DeleteMessagesRequest {
        want_asynchronous,
        notify_non_read: false,
        message_ids: mids.into(),
    }
}

fn copy_folder(world: &World, want_asynchronous: bool, deep: bool) -> RequestBody<'static> {
    RequestBody::CopyFolder(CopyFolderRequest {
        dest_handle_index: 1,
        want_asynchronous,
        want_recursive: deep,
        use_unicode: false,
        folder_id: ids::fid(world.top),
        new_folder_name: b"copy",
    })
}

fn copy_to(want_asynchronous: bool, copy_flags: u8) -> RequestBody<'static> {
    // PidTagDisplayName stays.
    const EXCLUDED: &[PropTag] = &[tags::PID_TAG_DISPLAY_NAME];
    RequestBody::CopyTo(CopyToRequest {
        dest_handle_index: 1,
        want_asynchronous,
        want_sub_objects: true,
        copy_flags,
        excluded_tags: EXCLUDED.into(),
    })
}

const CASES: &[Case] = &[
    Case {
        name: "EmptyFolder",
        on_parent: false,
        body: |_, _, want_asynchronous| {
            RequestBody::EmptyFolder(EmptyFolderRequest {
                want_asynchronous,
                want_delete_associated: false,
            })
        },
        has_partial: true,
    },
    Case {
        name: "HardDeleteMessagesAndSubfolders",
        on_parent: false,
        body: |_, _, want_asynchronous| {
            RequestBody::HardDeleteMessagesAndSubfolders(EmptyFolderRequest {
                want_asynchronous,
                want_delete_associated: true,
            })
        },
        has_partial: true,
    },
    Case {
        name: "DeleteMessages",
        on_parent: false,
        body: |_, mids, is_async| RequestBody::DeleteMessages(delete(mids, is_async)),
        has_partial: true,
    },
    Case {
        name: "HardDeleteMessages",
        on_parent: false,
        body: |_, mids, is_async| RequestBody::HardDeleteMessages(delete(mids, is_async)),
        has_partial: true,
    },
    Case {
        name: "MoveCopyMessages, move",
        on_parent: false,
        body: |_, mids, is_async| move_copy(mids, is_async, false),
        has_partial: true,
    },
    Case {
        name: "MoveCopyMessages, copy",
        on_parent: false,
        body: |_, mids, is_async| move_copy(mids, is_async, true),
        has_partial: true,
    },
    Case {
        name: "SetReadFlags, named",
        on_parent: false,
        body: |_, mids, want_asynchronous| {
            RequestBody::SetReadFlags(SetReadFlagsRequest {
                want_asynchronous,
                read_flags: 0,
                message_ids: mids.into(),
            })
        },
        has_partial: true,
    },
    Case {
        name: "SetReadFlags, all",
        on_parent: false,
        body: |_, _, want_asynchronous| {
            RequestBody::SetReadFlags(SetReadFlagsRequest {
                want_asynchronous,
                read_flags: 0x24,
                message_ids: List::default(),
            })
        },
        has_partial: true,
    },
    Case {
        name: "CopyFolder",
        on_parent: true,
        body: |world, _, is_async| copy_folder(world, is_async, true),
        has_partial: true,
    },
    Case {
        name: "CopyFolder, without subfolders",
        on_parent: true,
        body: |world, _, is_async| copy_folder(world, is_async, false),
        has_partial: true,
    },
    Case {
        name: "CopyTo",
        on_parent: false,
        body: |_, _, is_async| copy_to(is_async, 0),
        has_partial: false,
    },
    Case {
        name: "CopyTo, move",
        on_parent: false,
        body: |_, _, is_async| copy_to(is_async, 1),
        has_partial: false,
    },
    Case {
        name: "CopyProperties",
        on_parent: false,
        body: |_, _, want_asynchronous| {
            RequestBody::CopyProperties(CopyPropertiesRequest {
                dest_handle_index: 1,
                want_asynchronous,
                copy_flags: 0,
                property_tags: (&SUBOBJECTS[..]).into(),
            })
        },
        has_partial: false,
    },
];

impl Case {
    /// Asks for it: the handle, and what was told.
    fn begin(&self, world: &mut World, is_asynchronous: bool) -> (u32, Told) {
        let on = world.open(if self.on_parent { INBOX } else { world.top });
        let dest = world.open(world.dest);
        let mut named = mids(&world.messages);
        // One that is not there, and one that can be none of this mailbox.
        named.extend([Mid::new(1, GlobCnt(0x77_7777)), Mid::new(9, GlobCnt(1))]);
        let body = (self.body)(world, named.leak(), is_asynchronous);
        let told = send(&mut world.fixture, [on, dest], body);
        (on, told)
    }
}

#[test]
fn step_by_step_it_comes_to_the_same() {
    for case in CASES {
        let mut expected = World::new();
        let (_, at_once) = case.begin(&mut expected, false);
        assert!(
            matches!(at_once, Told::Over(_, ErrorCode(0), _)),
            "{}",
            case.name
        );
        for items in 1..7 {
            let mut world = World::new();
            slices(&mut world.fixture, items);
            let (handle, first) = case.begin(&mut world, true);
            // What is deleted for good goes as a whole, but for its folders.
            let is_little = case.name.starts_with("HardDeleteMessagesAnd") && items >= 5;
            let is_going = matches!(first, Told::Going(..));
            assert_ne!(is_going, is_little, "{}: {first:?}", case.name);
            let (told, times) = until_over(&mut world.fixture, handle, first);
            assert_eq!(told, at_once, "{}", case.name);
            let least = 3 / items;
            assert!(
                is_little || times >= least.max(1),
                "{}: {times} of {items}",
                case.name
            );
            assert_eq!(
                seen(&world.fixture),
                seen(&expected.fixture),
                "{}",
                case.name
            );
            // It is over.
            let again = go_on(&mut world.fixture, handle, false);
            let none = Told::Over(RopId::PROGRESS, ErrorCode::NOT_SUPPORTED, None);
            assert_eq!(again, none, "{}", case.name);
        }
    }
}

#[test]
fn what_one_commit_takes_is_done_at_once() {
    for case in CASES {
        let mut world = World::new();
        let (handle, told) = case.begin(&mut world, true);
        assert!(matches!(told, Told::Over(..)), "{}: {told:?}", case.name);
        let none = Told::Over(RopId::PROGRESS, ErrorCode::NOT_SUPPORTED, None);
        assert_eq!(
            go_on(&mut world.fixture, handle, true),
            none,
            "{}",
            case.name
        );
    }
    // However many they are: as long as there is time.
    let mut world = World::new();
    world.fixture.context.set_slice(Slice {
        items: 1,
        time: Duration::from_secs(60),
    });
    let (_, told) = CASES[2].begin(&mut world, true);
    let over = Told::Over(RopId::DELETE_MESSAGES, ErrorCode(0), Some(true));
    assert_eq!(told, over);
    assert_eq!(count(&world.fixture, world.top), 0);
}

#[test]
fn a_cancelled_one_has_done_a_part_and_says_so() {
    for case in CASES {
        for slices_done in 1..4 {
            let mut world = World::new();
            let before = seen(&world.fixture);
            slices(&mut world.fixture, 1);
            let (handle, mut told) = case.begin(&mut world, true);
            for _ in 1..slices_done {
                assert!(matches!(told, Told::Going(..)), "{}: {told:?}", case.name);
                told = go_on(&mut world.fixture, handle, false);
            }
            let then = seen(&world.fixture);
            let over = go_on(&mut world.fixture, handle, true);
            let Told::Over(rop_id, code, partial) = over else {
                panic!("{}: {over:?}", case.name)
            };
            assert_eq!(rop_id, (case.body)(&world, &[], true).rop_id());
            if case.has_partial {
                assert_eq!((code, partial), (ErrorCode(0), Some(true)), "{}", case.name);
            } else {
                assert_eq!(
                    (code, partial),
                    (ErrorCode::USER_CANCELED, None),
                    "{}",
                    case.name
                );
            }
            // What was done stays, and no more is.
            assert_eq!(seen(&world.fixture), then, "{}", case.name);
            if !case.name.starts_with("SetReadFlags") && slices_done > 1 {
                assert_ne!(then, before, "{}", case.name);
            }
            let none = Told::Over(RopId::PROGRESS, ErrorCode::NOT_SUPPORTED, None);
            assert_eq!(
                go_on(&mut world.fixture, handle, false),
                none,
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn messages_go_in_the_order_in_which_they_were_named() {
    let mut world = World::new();
    slices(&mut world.fixture, 2);
    let (handle, told) = CASES[4].begin(&mut world, true);
    assert_eq!(told, Told::Going(2, 14));
    assert_eq!(go_on(&mut world.fixture, handle, false), Told::Going(4, 14));
    let over = Told::Over(RopId::MOVE_COPY_MESSAGES, ErrorCode(0), Some(true));
    assert_eq!(go_on(&mut world.fixture, handle, true), over);
    let mailbox = world.fixture.mailbox();
    for (index, id) in world.messages.iter().enumerate() {
        let is_there = mailbox.entry(world.top, *id).unwrap().is_some();
        assert_eq!(is_there, index >= 4, "{index}");
    }
    assert_eq!(count(&world.fixture, world.dest), 4);
}

#[test]
fn two_go_on_beside_each_other_and_a_second_on_one_object_is_done_at_once() {
    let mut world = World::new();
    slices(&mut world.fixture, 2);
    let (first, told) = CASES[5].begin(&mut world, true);
    assert_eq!(told, Told::Going(2, 14));
    let (second, told) = CASES[8].begin(&mut world, true);
    assert!(matches!(told, Told::Going(2, _)), "{told:?}");
    // Other ROPs on the object do what they always do.
    let named = mids(&world.messages[..3]).leak();
    let body = RequestBody::DeleteMessages(delete(named, true));
    let over = Told::Over(RopId::DELETE_MESSAGES, ErrorCode(0), Some(false));
    assert_eq!(send(&mut world.fixture, [first, first], body), over);
    let told = go_on(&mut world.fixture, first, false);
    assert_eq!(told, Told::Going(4, 14));
    let told_second = go_on(&mut world.fixture, second, false);
    let (over, _) = until_over(&mut world.fixture, second, told_second);
    assert_eq!(
        over,
        Told::Over(RopId::COPY_FOLDER, ErrorCode(0), Some(false))
    );
    let (over, _) = until_over(&mut world.fixture, first, told);
    let expected = Told::Over(RopId::MOVE_COPY_MESSAGES, ErrorCode(0), Some(true));
    assert_eq!(over, expected);
    // All but the third one, and those two that were none: the first two were copied before, and what is
    // soft-deleted is copied as what it is.
    assert_eq!(count(&world.fixture, world.dest), 13);
}

#[test]
fn it_goes_with_its_object() {
    use std::sync::Arc;

    use crate::budget::{Budget, Pool};
    let mut world = World::new();
    let pool = Arc::new(Pool::new(1 << 20));
    let (store, user) = (world.fixture.store.clone(), world.fixture.user.clone());
    let connect = crate::ConnectParams {
        code_page: 1252,
        sort_lcid: 0x409,
        string_lcid: 0x409,
    };
    let budget = Budget::within(Arc::clone(&pool));
    world.fixture.context = crate::RopContext::with_budget(store, user, connect, budget);
    world.logon = world.fixture.logon(0);
    for end in 0..3 {
        slices(&mut world.fixture, 1);
        world.messages = save(&world.fixture.mailbox(), world.top, 5, false);
        let before = pool.used();
        let (handle, told) = CASES[3].begin(&mut world, true);
        assert_eq!(told, Told::Going(1, 6));
        assert!(pool.used() > before);
        match end {
            0 => world.fixture.release(handle),
            1 => world.fixture.release(world.logon),
            // The same LogonId again: all that was opened under it is released.
            _ => drop(world.fixture.logon(0)),
        }
        assert_eq!(pool.used(), before, "{end}");
        let left = world.messages.iter().filter(|id| {
            let entry = world.fixture.mailbox().entry(world.top, **id);
            entry.unwrap().is_some()
        });
        assert_eq!(left.count(), 4, "{end}");
        let told = go_on(&mut world.fixture, handle, false);
        assert!(matches!(told, Told::Over(RopId::PROGRESS, code, None) if code.0 != 0));
        world.logon = world.fixture.logon(0);
    }
}

#[test]
fn without_memory_nothing_is_begun() {
    use std::sync::Arc;

    use crate::budget::{Budget, Pool};
    let mut world = World::new();
    let pool = Arc::new(Pool::new(64));
    let (store, user) = (world.fixture.store.clone(), world.fixture.user.clone());
    let connect = crate::ConnectParams {
        code_page: 1252,
        sort_lcid: 0x409,
        string_lcid: 0x409,
    };
    let budget = Budget::within(pool);
    world.fixture.context = crate::RopContext::with_budget(store, user, connect, budget);
    world.logon = world.fixture.logon(0);
    slices(&mut world.fixture, 1);
    let before = seen(&world.fixture);
    for case in CASES {
        let (_, told) = case.begin(&mut world, true);
        let Told::Over(_, code, partial) = told else {
            panic!("{}: {told:?}", case.name)
        };
        assert_eq!(code, ErrorCode::NOT_ENOUGH_MEMORY, "{}", case.name);
        assert_ne!(partial, Some(true), "{}", case.name);
    }
    assert_eq!(seen(&world.fixture), before);
}

#[test]
fn a_response_that_does_not_fit_is_asked_for_again() {
    let mut world = World::new();
    slices(&mut world.fixture, 1);
    let (handle, told) = CASES[3].begin(&mut world, true);
    assert_eq!(told, Told::Going(1, 14));
    let before = seen(&world.fixture);
    let mut batch = RopBatch::new();
    let index = batch.handle(handle);
    let request = RequestBody::Progress(ProgressRequest::default());
    batch.push(Request::new(0, index, request));
    // Header, RopSize and one handle: room for 14 of the 15 bytes.
    let room = |bytes: u32| 8 + 2 + 4 + bytes;
    let told = world.fixture.run_into(&batch, room(14), |output| {
        assert!(output.buffer_too_small().is_some());
    });
    assert_eq!(told, Ok(()));
    assert_eq!(seen(&world.fixture), before);
    let told = world.fixture.run_into(&batch, room(15), |output| {
        Told::of(output.responses().next().unwrap())
    });
    assert_eq!(told, Ok(Told::Going(2, 14)));
}

#[test]
fn a_failure_half_way_is_told_with_what_was_done() {
    let mut world = World::new();
    slices(&mut world.fixture, 2);
    let quota = |kilobytes| Quota {
        prohibit_receive: Some(kilobytes),
        ..Quota::default()
    };
    let mailbox = world.fixture.mailbox();
    save(&mailbox, world.top, 300, false);
    let (handle, told) = CASES[8].begin(&mut world, true);
    assert!(matches!(told, Told::Going(2, _)), "{told:?}");
    mailbox.set_quota(quota(1)).unwrap();
    let failed = Told::Over(RopId::COPY_FOLDER, ErrorCode::QUOTA_EXCEEDED, Some(true));
    assert_eq!(go_on(&mut world.fixture, handle, false), failed);
    let none = Told::Over(RopId::PROGRESS, ErrorCode::NOT_SUPPORTED, None);
    assert_eq!(go_on(&mut world.fixture, handle, false), none);
    // Before anything was done it fails as it does at once.
    let before = seen(&world.fixture);
    for case in [&CASES[5], &CASES[10]] {
        let (_, told) = case.begin(&mut world, true);
        let (_, at_once) = case.begin(&mut world, false);
        assert_eq!(told, at_once, "{}", case.name);
        assert!(
            matches!(told, Told::Over(_, ErrorCode::QUOTA_EXCEEDED, _)),
            "{told:?}"
        );
    }
    assert_eq!(seen(&world.fixture), before);
    mailbox.set_quota(Quota::default()).unwrap();
    // The folder goes, or the one that it goes to.
    let (handle, told) = CASES[0].begin(&mut world, true);
    assert!(matches!(told, Told::Going(2, _)), "{told:?}");
    mailbox.delete_folder(world.dest, SOFT_ALL).unwrap();
    mailbox.delete_folder(world.top, SOFT_ALL).unwrap();
    let failed = Told::Over(RopId::EMPTY_FOLDER, ErrorCode::NOT_FOUND, Some(true));
    assert_eq!(go_on(&mut world.fixture, handle, false), failed);
}

#[test]
fn only_folders_have_operations() {
    let mut world = World::new();
    let top = world.open(world.top);
    let table = RequestBody::GetContentsTable(table_request(0));
    let table = world.fixture.open(top, table);
    for handle in [world.logon, top, table] {
        for want_cancel in [false, true] {
            let told = go_on(&mut world.fixture, handle, want_cancel);
            let none = Told::Over(RopId::PROGRESS, ErrorCode::NOT_SUPPORTED, None);
            assert_eq!(told, none);
        }
    }
    let told = go_on(&mut world.fixture, 0xFFFF_FFFF, false);
    let none = Told::Over(RopId::PROGRESS, ErrorCode::NULL_OBJECT, None);
    assert_eq!(told, none);
}

/// A world as another user has it, and what gives that user these rights on all of it.
fn as_guest() -> (World, impl Fn(&Fixture, Rights)) {
    let mut world = World::new();
    let mailbox = world.fixture.mailbox();
    let who = Who::User(world.fixture.other.minimal_id);
    let hard = DeleteFolder {
        hard: true,
        ..SOFT_ALL
    };
    for (gone, _) in mailbox.hierarchy(world.top, true, true) {
        mailbox.delete_folder(gone, hard).unwrap();
    }
    let below = mailbox.hierarchy(world.top, true, false);
    let mut all = vec![INBOX, world.top, world.dest];
    all.extend(below.into_iter().map(|(id, _)| id));
    let grant = move |fixture: &Fixture, rights| {
        for folder in &all {
            permit(fixture, *folder, who, rights);
        }
    };
    grant(&world.fixture, Rights::OWNER);
    let essdn = essdn(&world.fixture.user);
    world.fixture.context = session(&world.fixture.store, &world.fixture.other);
    let mut batch = RopBatch::new();
    let slot = batch.slot();
    batch.push(Request::new(0, slot, logon_request(&essdn)));
    world.logon = world
        .fixture
        .run(&batch, |output| output.handle(slot).unwrap());
    slices(&mut world.fixture, 1);
    (world, grant)
}

#[test]
fn who_loses_the_right_does_not_go_on() {
    for case in CASES {
        let (mut world, grant) = as_guest();
        let (handle, told) = case.begin(&mut world, true);
        assert!(matches!(told, Told::Going(..)), "{}: {told:?}", case.name);
        grant(&world.fixture, Rights::FOLDER_VISIBLE);
        let before = seen(&world.fixture);
        let told = go_on(&mut world.fixture, handle, false);
        let (over, _) = until_over(&mut world.fixture, handle, told);
        let Told::Over(_, code, partial) = over else {
            panic!("{}: {over:?}", case.name)
        };
        match case.name {
            // Each message is asked for by itself: as if the others had been named alone.
            "DeleteMessages"
            | "HardDeleteMessages"
            | "SetReadFlags, named"
            | "SetReadFlags, all" => {
                assert_eq!((code.0, partial), (0, Some(true)), "{}", case.name)
            }
            _ => assert_eq!(code, ErrorCode::ACCESS_DENIED, "{}", case.name),
        }
        assert_eq!(seen(&world.fixture), before, "{}", case.name);
    }
    // Who never had it is told so.
    let (mut world, grant) = as_guest();
    grant(&world.fixture, Rights::FOLDER_VISIBLE);
    let (handle, told) = CASES[2].begin(&mut world, true);
    let (over, _) = until_over(&mut world.fixture, handle, told);
    let denied = Told::Over(
        RopId::DELETE_MESSAGES,
        ErrorCode::ACCESS_DENIED,
        Some(false),
    );
    assert_eq!(over, denied);
}

/// What is in a folder is copied for who may read it, whichever ROP asks for it.
#[test]
fn copied_properties_take_no_messages_along_that_may_not_be_read() {
    let (mut world, _) = as_guest();
    let who = Who::User(world.fixture.other.minimal_id);
    permit(&world.fixture, world.top, who, Rights::FOLDER_VISIBLE);
    let before = seen(&world.fixture);
    for case in [&CASES[10], &CASES[12]] {
        for is_asynchronous in [false, true] {
            let (_, told) = case.begin(&mut world, is_asynchronous);
            let Told::Over(_, code, _) = told else {
                panic!("{}: {told:?}", case.name)
            };
            assert_eq!(code, ErrorCode::ACCESS_DENIED, "{}", case.name);
            assert_eq!(seen(&world.fixture), before, "{}", case.name);
        }
    }
}

#[test]
fn what_a_search_has_found_is_done_part_by_part_where_it_lies() {
    use std::collections::BTreeSet;

    use ropewalk_wire::restriction::Restriction;
    let mut world = World::new();
    let search = Cell::new(0);
    let parent = world.open(INBOX);
    let body = RequestBody::CreateFolder(CreateFolderRequest {
        output_handle_index: OUTPUT,
        folder_type: 2,
        use_unicode_strings: false,
        open_existing: false,
        reserved: 0,
        display_name: b"found",
        comment: b"",
    });
    let handle = world.fixture.open(parent, body);
    search.set(handle);
    let criteria = restriction_data(&Restriction::Exist {
        prop_tag: tags::PID_TAG_SUBJECT,
    });
    let scope = [ids::fid(world.top)];
    world.fixture.ok(
        handle,
        RequestBody::SetSearchCriteria(SetSearchCriteriaRequest {
            restriction_data: criteria.as_slice().into(),
            folder_ids: (&scope[..]).into(),
            // RESTART_SEARCH, RECURSIVE_SEARCH.
            search_flags: 0x0000_0006,
        }),
    );
    slices(&mut world.fixture, 2);
    let all = RequestBody::SetReadFlags(SetReadFlagsRequest {
        want_asynchronous: true,
        read_flags: 0,
        message_ids: List::default(),
    });
    let first = send(&mut world.fixture, [handle, handle], all);
    let Told::Going(2, total) = first else {
        panic!("{first:?}")
    };
    assert_eq!(total, 12 + 4 + 5 + 1);
    let (over, _) = until_over(&mut world.fixture, handle, first);
    assert_eq!(
        over,
        Told::Over(RopId::SET_READ_FLAGS, ErrorCode(0), Some(false))
    );
    let states: BTreeSet<bool> = (world.fixture.mailbox().hierarchy(world.top, true, false))
        .into_iter()
        .flat_map(|(id, _)| {
            let contents = world.fixture.mailbox().contents(id, ContentsView::Normal);
            contents
                .unwrap()
                .iter()
                .map(|entry| entry.read)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(states, BTreeSet::from([true]));
}
