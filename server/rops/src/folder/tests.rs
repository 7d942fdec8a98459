use ropewalk_props::{BagView, GlobCnt, PropTag, PropValue, tags};
use ropewalk_store::ContentsView;
use ropewalk_wire::{ErrorCode, Fid, Mid, client::RopBatch, list::List, rop::*};

use super::properties::FolderProperties;
use crate::{ids, logon::special, property::value::Properties, test_support::*};

fn create(name: &[u8], kind: u8, open_existing: bool) -> RequestBody<'_> {
    RequestBody::CreateFolder(CreateFolderRequest {
        output_handle_index: OUTPUT,
        folder_type: kind,
        use_unicode_strings: false,
        open_existing,
        reserved: 0,
        display_name: name,
        comment: b"",
    })
}

fn delete(folder: GlobCnt, flags: u8) -> RequestBody<'static> {
    RequestBody::DeleteFolder(DeleteFolderRequest {
        delete_folder_flags: flags,
        folder_id: ids::fid(folder),
    })
}

fn move_copy(mids: &[Mid], want_copy: bool, dest_handle_index: u8) -> RequestBody<'_> {
    RequestBody::MoveCopyMessages(MoveCopyMessagesRequest {
        dest_handle_index,
        message_ids: mids.into(),
        want_asynchronous: false,
        want_copy,
    })
}

fn delete_messages(mids: &[Mid]) -> DeleteMessagesRequest<'_> {
    DeleteMessagesRequest {
        want_asynchronous: false,
        notify_non_read: false,
        message_ids: mids.into(),
    }
}

fn set_read(mids: &[Mid], read_flags: u8) -> RequestBody<'_> {
    RequestBody::SetReadFlags(SetReadFlagsRequest {
        want_asynchronous: false,
        read_flags,
        message_ids: mids.into(),
    })
}

fn count(fixture: &Fixture, folder: GlobCnt, view: ContentsView) -> usize {
    fixture.mailbox().contents(folder, view).unwrap().len()
}

/// Creates a folder and tells its id and handle.
fn created(fixture: &mut Fixture, parent: u32, name: &[u8], kind: u8) -> (GlobCnt, u32) {
    fixture.call(
        parent,
        create(name, kind, false),
        &[],
        |response, handle| {
            let ResponseBody::CreateFolder(body) = &response.body else {
                panic!("{response:?}")
            };
            (body.folder_id.globcnt(), handle.unwrap())
        },
    )
}

#[test]
fn folders_open_from_logons_and_folders_whatever_the_mode() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let request = OpenFolderRequest {
        output_handle_index: OUTPUT,
        folder_id: ids::fid(special::OUTBOX),
        open_mode_flags: 0xFB,
    };
    let outbox = fixture.call(
        inbox,
        RequestBody::OpenFolder(request),
        &[],
        |response, handle| {
            assert_eq!(
                response.body,
                ResponseBody::OpenFolder(OpenFolderResponse::default())
            );
            handle.unwrap()
        },
    );
    let table = fixture.open(outbox, RequestBody::GetContentsTable(table_request(0)));
    for (handle, fid, code) in [
        (logon, Fid::new(1, GlobCnt(0x9999)), ErrorCode::NOT_FOUND),
        (logon, Fid::new(2, special::INBOX), ErrorCode::NOT_FOUND),
        (logon, Fid::default(), ErrorCode::NOT_FOUND),
        (table, ids::fid(special::INBOX), ErrorCode::NOT_SUPPORTED),
        (
            0x0001_0FFF,
            ids::fid(special::INBOX),
            ErrorCode::NULL_OBJECT,
        ),
        (
            0xFFFF_FFFF,
            ids::fid(special::INBOX),
            ErrorCode::NULL_OBJECT,
        ),
    ] {
        assert_eq!(fixture.code(handle, open_folder(fid)), code, "{fid:?}");
    }
}

#[test]
fn created_folders_are_in_the_store_and_names_are_taken_once() {
    let (mut fixture, logon) = Fixture::logged_on();
    let parent = fixture.open_folder(logon, special::INBOX);
    let unicode: Vec<u8> = "Zoë Ж".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let comment: Vec<u8> = "note".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let request = RequestBody::CreateFolder(CreateFolderRequest {
        output_handle_index: OUTPUT,
        folder_type: 1,
        use_unicode_strings: true,
        open_existing: true,
        reserved: 0,
        display_name: &unicode,
        comment: &comment,
    });
    let id = fixture.call(parent, request, &[], |response, _| {
        let ResponseBody::CreateFolder(body) = &response.body else {
            panic!("{response:?}")
        };
        assert_eq!(body.existing_folder, None);
        body.folder_id.globcnt()
    });
    let stored = fixture.mailbox().folder(id).unwrap();
    assert_eq!(stored.parent, special::INBOX);
    assert_eq!(
        stored.props.get_text(tags::PID_TAG_DISPLAY_NAME).as_deref(),
        Some("Zoë Ж")
    );
    assert_eq!(
        stored.props.get_text(tags::PID_TAG_COMMENT).as_deref(),
        Some("note")
    );

    let (first, _) = created(&mut fixture, parent, b"Z\xEB", 1);
    let stored = fixture.mailbox().folder(first).unwrap();
    assert_eq!(
        stored.props.get_text(tags::PID_TAG_DISPLAY_NAME).as_deref(),
        Some("Zë")
    );
    let dup = fixture.code(parent, create(b"z\xCB", 1, false));
    assert_eq!(dup, ErrorCode::DUPLICATE_NAME);
    fixture.call(
        parent,
        create(b"z\xCB", 1, true),
        &[],
        |response, handle| {
            let ResponseBody::CreateFolder(body) = &response.body else {
                panic!("{response:?}")
            };
            assert_eq!(body.folder_id.globcnt(), first);
            assert!(handle.is_some());
        },
    );
}

#[test]
fn folders_are_not_created_out_of_place() {
    let (mut fixture, logon) = Fixture::logged_on();
    let parent = fixture.open_folder(logon, special::INBOX);
    let (_, search) = created(&mut fixture, parent, b"Search", 2);
    let long = [b'a'; 256];
    for (handle, body, code) in [
        (parent, create(b"x", 0, false), ErrorCode::INVALID_PARAM),
        (parent, create(b"x", 3, false), ErrorCode::INVALID_PARAM),
        (parent, create(b"", 1, false), ErrorCode::INVALID_PARAM),
        (parent, create(&long, 1, false), ErrorCode::INVALID_PARAM),
        (parent, create(&long[1..], 1, false), ErrorCode(0)),
        (logon, create(b"x", 1, false), ErrorCode::NOT_SUPPORTED),
        (search, create(b"x", 1, false), ErrorCode::SEARCH_FOLDER),
    ] {
        assert_eq!(fixture.code(handle, body.clone()), code, "{body:?}");
    }
}

#[test]
fn folders_are_deleted_whole_or_not_at_all() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let (outer, outer_handle) = created(&mut fixture, inbox, b"outer", 1);
    let (inner, _) = created(&mut fixture, outer_handle, b"inner", 1);
    fixture.add_mail(outer, "mail", 1);
    assert!(fixture.partial(inbox, delete(outer, 0)));
    assert!(fixture.partial(inbox, delete(outer, 0x01)));
    assert!(fixture.partial(inbox, delete(outer, 0x14)));
    assert!(fixture.mailbox().has_folder(inner));
    assert!(!fixture.partial(inbox, delete(outer, 0x15)));
    assert!(!fixture.mailbox().has_folder(outer) && !fixture.mailbox().has_folder(inner));
    // The open handle is of no use any more.
    assert_eq!(
        fixture.code(
            outer_handle,
            RequestBody::GetContentsTable(table_request(0))
        ),
        ErrorCode::NOT_FOUND
    );
    for (handle, body, code) in [
        (inbox, delete(outer, 0), ErrorCode::NOT_FOUND),
        (
            inbox,
            delete(special::OUTBOX, 0x05),
            ErrorCode::ACCESS_DENIED,
        ),
        (inbox, delete(special::ROOT, 0x05), ErrorCode::NOT_SUPPORTED),
        (
            inbox,
            delete(special::OUTBOX, 0x02),
            ErrorCode::INVALID_PARAM,
        ),
        (
            logon,
            delete(special::OUTBOX, 0x05),
            ErrorCode::NOT_SUPPORTED,
        ),
    ] {
        assert_eq!(fixture.code(handle, body.clone()), code, "{body:?}");
    }
}

#[test]
fn softly_deleted_folders_stay_and_are_out_of_the_way() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let (outer, outer_handle) = created(&mut fixture, inbox, b"outer", 1);
    let (inner, _) = created(&mut fixture, outer_handle, b"inner", 1);
    let mail = fixture.add_mail(outer, "mail", 1);
    let table = |flags| RequestBody::GetHierarchyTable(table_request(flags));
    let rows = |fixture: &mut Fixture, handle, flags| {
        fixture.call(handle, table(flags), &[], |response, _| {
            match &response.body {
                ResponseBody::GetHierarchyTable(body) => body.row_count,
                other => panic!("{other:?}"),
            }
        })
    };
    assert!(!fixture.partial(inbox, delete(outer, 0x05)));
    assert_eq!(
        (
            rows(&mut fixture, inbox, 0),
            rows(&mut fixture, inbox, 0x20)
        ),
        (0, 1)
    );
    assert_eq!(rows(&mut fixture, inbox, 0x24), 2);
    assert_eq!(
        fixture
            .mailbox()
            .folder(special::INBOX)
            .unwrap()
            .counts
            .child_folders,
        0
    );
    for folder in [outer, inner] {
        assert_eq!(
            fixture.code(logon, open_folder(ids::fid(folder))),
            ErrorCode::NOT_FOUND
        );
    }
    assert_eq!(
        fixture.code(inbox, delete(outer, 0x05)),
        ErrorCode::NOT_FOUND
    );

    let soft = |folder| {
        RequestBody::OpenFolder(OpenFolderRequest {
            output_handle_index: OUTPUT,
            folder_id: ids::fid(folder),
            open_mode_flags: 0x04,
        })
    };
    let handle = fixture.open(logon, soft(outer));
    assert_eq!(rows(&mut fixture, handle, 0x20), 1);
    // So are its messages and subfolders, whatever handle it is looked at through.
    for handle in [handle, outer_handle] {
        assert_eq!(rows(&mut fixture, handle, 0), 0);
        for (flags, row_count) in [(0, 0), (0x20, 1)] {
            let table = RequestBody::GetContentsTable(table_request(flags));
            fixture.call(handle, table, &[], |response, _| {
                let wanted = RowCountResponse { row_count };
                assert_eq!(response.body, ResponseBody::GetContentsTable(wanted));
            });
        }
    }
    for (open_mode_flags, code) in [(0, ErrorCode::NOT_FOUND), (0x04, ErrorCode(0))] {
        let open = RequestBody::OpenMessage(OpenMessageRequest {
            output_handle_index: OUTPUT,
            code_page_id: 0x0FFF,
            folder_id: ids::fid(outer),
            open_mode_flags,
            message_id: ids::mid(mail),
        });
        assert_eq!(fixture.code(handle, open), code);
    }
    // It takes no changes.
    let mids = [ids::mid(mail)];
    for body in [
        create(b"x", 1, false),
        set_read(&mids, 0),
        RequestBody::DeleteMessages(delete_messages(&mids)),
    ] {
        assert_eq!(
            fixture.code(handle, body.clone()),
            ErrorCode::NOT_FOUND,
            "{body:?}"
        );
    }
    // Its name is free; emptying the parent for good takes it along.
    created(&mut fixture, inbox, b"outer", 1);
    let request = EmptyFolderRequest {
        want_asynchronous: false,
        want_delete_associated: false,
    };
    assert!(!fixture.partial(inbox, RequestBody::EmptyFolder(request)));
    assert_eq!(rows(&mut fixture, inbox, 0x20), 2);
    assert!(!fixture.partial(inbox, RequestBody::HardDeleteMessagesAndSubfolders(request)));
    assert_eq!(rows(&mut fixture, inbox, 0x20), 0);
    assert_eq!(fixture.code(logon, soft(inner)), ErrorCode::NOT_FOUND);
}

#[test]
fn what_is_soft_deleted_is_counted_and_can_be_deleted_for_good() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let (outer, outer_handle) = created(&mut fixture, inbox, b"outer", 1);
    let (inner, _) = created(&mut fixture, outer_handle, b"inner", 1);
    fixture.add_mail(outer, "mail", 1);
    let counts = |fixture: &Fixture, id| {
        let mailbox = fixture.mailbox();
        let folder = &mailbox.folder(id).unwrap();
        let properties = FolderProperties {
            store: &fixture.store,
            mailbox: &mailbox,
            folder,
            access: crate::rights::Access::Owner,
            depth: 0,
        };
        // PR_DELETED_FOLDER_COUNT, PidTagFolderChildCount.
        [0x6641_0003, 0x6638_0003].map(|tag| {
            let found = properties.find(PropTag(tag)).unwrap();
            found.value_ref().unwrap().as_i32().unwrap()
        })
    };
    let cn = |fixture: &Fixture, id| fixture.mailbox().folder(id).unwrap().cn;
    assert_eq!(counts(&fixture, special::INBOX), [0, 1]);
    let before = cn(&fixture, outer);
    assert!(!fixture.partial(inbox, delete(outer, 0x05)));
    assert!(cn(&fixture, outer) > before);
    assert_eq!(counts(&fixture, special::INBOX), [1, 0]);
    assert_eq!(counts(&fixture, outer), [1, 0]);
    // Nothing in it needs a flag of its own any more.
    assert!(!fixture.partial(inbox, delete(outer, 0x10)));
    assert_eq!(counts(&fixture, special::INBOX), [0, 0]);
    for id in [outer, inner] {
        assert_eq!(fixture.mailbox().is_folder_deleted(id), None);
        assert_eq!(fixture.code(inbox, delete(id, 0x15)), ErrorCode::NOT_FOUND);
    }
    assert_eq!(
        fixture.code(outer_handle, create(b"x", 1, false)),
        ErrorCode::NOT_FOUND
    );
}

#[test]
fn soft_deletion_outlives_a_restart() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let (folder, _) = created(&mut fixture, inbox, b"folder", 1);
    assert!(!fixture.partial(inbox, delete(folder, 0)));
    let fixture = fixture.reopened();
    assert_eq!(fixture.mailbox().is_folder_deleted(folder), Some(true));
    assert_eq!(
        fixture.mailbox().hierarchy(special::INBOX, false, true),
        [(folder, 1)]
    );
    assert!(
        fixture
            .mailbox()
            .hierarchy(special::INBOX, false, false)
            .is_empty()
    );
}

#[test]
fn emptying_spares_the_folder_itself_and_special_ones() {
    let (mut fixture, logon) = Fixture::logged_on();
    let ipm = fixture.open_folder(logon, special::IPM_SUBTREE);
    let inbox = fixture.open_folder(logon, special::INBOX);
    let (child, _) = created(&mut fixture, inbox, b"child", 1);
    let mail = fixture.add_mail(special::INBOX, "mail", 1);
    let request = EmptyFolderRequest {
        want_asynchronous: false,
        want_delete_associated: false,
    };
    assert!(!fixture.partial(inbox, RequestBody::EmptyFolder(request)));
    assert!(!fixture.mailbox().has_folder(child));
    assert_eq!(count(&fixture, special::INBOX, ContentsView::Normal), 0);
    assert!(
        fixture
            .mailbox()
            .contents(special::INBOX, ContentsView::SoftDeleted)
            .unwrap()
            .get(mail)
            .is_some()
    );
    assert!(!fixture.partial(inbox, RequestBody::HardDeleteMessagesAndSubfolders(request)));
    assert_eq!(
        count(&fixture, special::INBOX, ContentsView::SoftDeleted),
        0
    );
    assert!(
        fixture.partial(ipm, RequestBody::EmptyFolder(request)),
        "special folders stay"
    );
    assert!(fixture.mailbox().has_folder(special::OUTBOX));
    let root = fixture.open_folder(logon, special::ROOT);
    let queue = fixture.open_folder(logon, special::SPOOLER_QUEUE);
    for handle in [root, queue, logon] {
        let code = fixture.code(handle, RequestBody::EmptyFolder(request));
        assert_eq!(code, ErrorCode::NOT_SUPPORTED);
    }
}

#[test]
fn messages_are_deleted_softly_or_for_good_and_what_is_missing_is_told() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let mids: Vec<Mid> = (0..3)
        .map(|n| ids::mid(fixture.add_mail(special::INBOX, "mail", n)))
        .collect();
    let soft = RequestBody::DeleteMessages(delete_messages(&mids[..1]));
    assert!(!fixture.partial(inbox, soft.clone()));
    assert_eq!(
        count(&fixture, special::INBOX, ContentsView::SoftDeleted),
        1
    );
    assert!(fixture.partial(inbox, soft), "it is deleted already");
    let hard = RequestBody::HardDeleteMessages(delete_messages(&mids[1..2]));
    assert!(!fixture.partial(inbox, hard));
    assert_eq!(
        count(&fixture, special::INBOX, ContentsView::SoftDeleted),
        1
    );
    let with_foreign = [mids[2], Mid::new(9, GlobCnt(1))];
    let body = RequestBody::DeleteMessages(delete_messages(&with_foreign));
    assert!(fixture.partial(inbox, body));
    assert_eq!(count(&fixture, special::INBOX, ContentsView::Normal), 0);
    let on_logon = RequestBody::DeleteMessages(delete_messages(&[]));
    assert_eq!(fixture.code(logon, on_logon), ErrorCode::NOT_SUPPORTED);
}

/// Executes RopMoveCopyMessages from one handle to another.
fn transfer(
    fixture: &mut Fixture,
    from: u32,
    to: u32,
    mids: &[Mid],
    want_copy: bool,
) -> (ErrorCode, ResponseBody<'static>) {
    let mut batch = RopBatch::new();
    let (from, to) = (batch.handle(from), batch.handle(to));
    batch.push(Request::new(0, from, move_copy(mids, want_copy, to)));
    fixture.run(&batch, |output| {
        let response = output.responses().next().unwrap();
        let body = match &response.body {
            ResponseBody::MoveCopyMessages(body) => ResponseBody::MoveCopyMessages(*body),
            ResponseBody::Failed(Failure::NullDestination {
                dest_handle_index,
                partial_completion,
                ..
            }) => ResponseBody::Failed(Failure::NullDestination {
                dest_handle_index: *dest_handle_index,
                partial_completion: *partial_completion,
                byte_counts: None,
            }),
            other => panic!("{other:?}"),
        };
        (response.return_value, body)
    })
}

#[test]
fn messages_are_moved_and_copied() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let outbox = fixture.open_folder(logon, special::OUTBOX);
    let first = ids::mid(fixture.add_mail(special::INBOX, "first", 1));
    let second = ids::mid(fixture.add_mail(special::INBOX, "second", 2));
    let done = |partial_completion| {
        ResponseBody::MoveCopyMessages(PartialCompletionResponse { partial_completion })
    };
    let ok = ErrorCode(0);
    assert_eq!(
        transfer(&mut fixture, inbox, outbox, &[first], true),
        (ok, done(false))
    );
    assert_eq!(count(&fixture, special::INBOX, ContentsView::Normal), 2);
    assert_eq!(
        transfer(&mut fixture, inbox, outbox, &[first, second], false),
        (ok, done(false))
    );
    assert_eq!(count(&fixture, special::INBOX, ContentsView::Normal), 0);
    assert_eq!(count(&fixture, special::OUTBOX, ContentsView::Normal), 3);
    assert_eq!(
        transfer(&mut fixture, inbox, outbox, &[first], false),
        (ok, done(true))
    );

    let queue = fixture.open_folder(logon, special::SPOOLER_QUEUE);
    let failed = done(false);
    assert_eq!(
        transfer(&mut fixture, outbox, queue, &[first], false),
        (ErrorCode::SEARCH_FOLDER, failed.clone())
    );
    assert_eq!(
        transfer(&mut fixture, logon, outbox, &[first], false),
        (ErrorCode::NOT_SUPPORTED, failed.clone())
    );
    assert_eq!(
        transfer(&mut fixture, outbox, logon, &[first], false),
        (ErrorCode::NOT_SUPPORTED, failed)
    );
    let (code, body) = transfer(&mut fixture, outbox, 0xFFFF_FFFF, &[first], false);
    assert_eq!(code, ErrorCode::NULL_DESTINATION_OBJECT);
    assert!(matches!(
        body,
        ResponseBody::Failed(Failure::NullDestination {
            dest_handle_index: 1,
            ..
        })
    ));
}

#[test]
fn read_flags_are_set_on_some_or_all_without_a_new_change_key() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let mids: Vec<Mid> = (0..3)
        .map(|n| ids::mid(fixture.add_mail(special::INBOX, "mail", n)))
        .collect();
    let entry = |fixture: &Fixture, mid: Mid| {
        fixture
            .mailbox()
            .entry(special::INBOX, mid.globcnt())
            .unwrap()
            .unwrap()
    };
    let before = entry(&fixture, mids[0]);
    assert!(!fixture.partial(inbox, set_read(&mids[..1], 0x01)));
    let after = entry(&fixture, mids[0]);
    assert!(after.read && !entry(&fixture, mids[1]).read);
    assert_eq!(
        (before.cn, before.change_key()),
        (after.cn, after.change_key())
    );
    assert!(!fixture.partial(inbox, set_read(&[], 0x00)));
    assert!(mids.iter().all(|mid| entry(&fixture, *mid).read));
    assert!(!fixture.partial(inbox, set_read(&mids, 0x04)));
    assert!(mids.iter().all(|mid| !entry(&fixture, *mid).read));
    let missing = [mids[0], Mid::new(1, GlobCnt(0x9999))];
    assert!(fixture.partial(inbox, set_read(&missing, 0x10)));
    assert!(
        !entry(&fixture, mids[0]).read,
        "only a receipt was asked for"
    );
    assert!(fixture.partial(inbox, set_read(&missing, 0x00)));
    assert_eq!(
        fixture.code(logon, set_read(&mids, 0)),
        ErrorCode::NULL_OBJECT
    );
    assert_eq!(
        fixture.code(inbox, set_read(&mids, 0x80)),
        ErrorCode::INVALID_PARAM
    );
}

#[test]
fn a_rop_that_changes_many_messages_is_one_commit() {
    let (mut fixture, logon) = Fixture::logged_on();
    let inbox = fixture.open_folder(logon, special::INBOX);
    let props = [(tags::PID_TAG_SUBJECT, PropValue::text("mail"))];
    let mids: Vec<Mid> = (0..20)
        .map(|_| ids::mid(fixture.add_message(special::INBOX, &props)))
        .collect();
    let list: List<'_, Mid> = List::from(&mids);
    assert_eq!(list.len(), 20);
    let mailbox = fixture.mailbox();
    for body in [
        set_read(&mids, 0),
        RequestBody::DeleteMessages(delete_messages(&mids)),
        RequestBody::HardDeleteMessages(delete_messages(&mids)),
    ] {
        let before = mailbox.folders_version();
        assert!(!fixture.partial(inbox, body));
        assert_eq!(mailbox.folders_version(), before + 1);
    }
}
