use ropewalk_props::{GlobCnt, Guid};
use ropewalk_wire::{
    ErrorCode, Fid, LongTermId,
    client::RopBatch,
    codec::{AsciiZ, Bytes16},
    rop::*,
};

use crate::{ids, logon::special, test_support::*};

fn logon_code(fixture: &mut Fixture, body: RequestBody<'_>) -> ErrorCode {
    let mut batch = RopBatch::new();
    let slot = batch.slot();
    batch.push(Request::new(0, slot, body));
    fixture.run(&batch, |output| {
        output.responses().next().unwrap().return_value
    })
}

#[test]
fn logon_tells_the_folders_and_repeats_the_flags() {
    let mut fixture = Fixture::new();
    let essdn = essdn(&fixture.user).to_ascii_uppercase();
    let mut batch = RopBatch::new();
    let slot = batch.slot();
    let RequestBody::Logon(request) = logon_request(&essdn) else {
        unreachable!()
    };
    let request = LogonRequest {
        logon_flags: 0x0D,
        ..request
    };
    batch.push(Request::new(7, slot, RequestBody::Logon(request)));
    fixture.run(&batch, |output| {
        let response = output.responses().next().unwrap();
        let ResponseBody::Logon(LogonResponse::Private(body)) = &response.body else {
            panic!("{response:?}")
        };
        assert_eq!(body.logon_flags, 0x05);
        assert_eq!(body.folder_ids, special::LOGON_FOLDERS.map(ids::fid));
        assert_eq!(body.response_flags, 0x07);
        assert_eq!(body.mailbox_guid, Guid([1; 16]));
        assert_eq!(body.repl_id, 1);
        assert_eq!(body.repl_guid, Guid([0x81; 16]));
        assert_eq!(body.store_state, 0);
        assert!(body.logon_time.year >= 2024);
        assert!(output.handle(slot).is_some());
    });
}

#[test]
fn logon_is_refused_with_the_specified_codes() {
    let mut fixture = Fixture::new();
    let own = essdn(&fixture.user);
    let other = essdn(&fixture.other);
    let request = |essdn, logon_flags, open_flags| {
        RequestBody::Logon(LogonRequest {
            logon_flags,
            open_flags,
            store_state: 0,
            essdn: Bytes16::new(essdn),
        })
    };
    for (body, code) in [
        (request(b"/o=Ropewalk/cn=nobody\0", 1, 0), 0x3EB),
        (request(b"", 1, 0), 0x3EB),
        (request(b"/cn=\xFF\xFE\0", 1, 0), 0x3EB),
        (request(&other, 1, 0), 0x8007_0005),
        (request(&other, 1, 1), 0x8007_0005),
        (request(&own, 0x11, 0), 0x8000_4005),
        (request(&own, 1, 0x8000_0000), 0x8000_4005),
        (request(&own, 0, 0), 0x8004_0111),
        (request(&own, 1, 2), 0x8004_0111),
        (request(&own, 1, 0x2100_040C), 0),
    ] {
        assert_eq!(
            logon_code(&mut fixture, body.clone()),
            ErrorCode(code),
            "{body:?}"
        );
    }
}

#[test]
fn a_logon_under_the_same_id_replaces_the_old_one_and_others_are_apart() {
    let (mut fixture, first) = Fixture::logged_on();
    let folder = fixture.open_folder(first, special::INBOX);
    let third = fixture.logon(3);
    // A handle of another logon.
    assert_eq!(
        fixture.code(third, open_folder(ids::fid(special::INBOX))),
        ErrorCode::ACCESS_DENIED
    );
    let again = fixture.logon(0);
    assert_eq!(
        fixture.code(folder, RequestBody::GetContentsTable(table_request(0))),
        ErrorCode::INVALID_OBJECT
    );
    fixture.open_folder(again, special::INBOX);
    // The logon with the other id is still there.
    let mut batch = RopBatch::new();
    let (input, _) = (batch.handle(third), batch.slot());
    batch.push(Request::new(
        3,
        input,
        open_folder(ids::fid(special::INBOX)),
    ));
    fixture.run(&batch, |output| {
        assert_eq!(
            output.responses().next().unwrap().return_value,
            ErrorCode(0)
        );
    });
}

#[test]
fn releasing_a_logon_releases_what_was_opened_under_it() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let table = fixture.open(folder, RequestBody::GetContentsTable(table_request(0)));
    fixture.release(logon);
    for handle in [logon, folder, table] {
        let body = RequestBody::GetStatus(EmptyRequest {});
        assert_eq!(fixture.code(handle, body), ErrorCode::INVALID_OBJECT);
    }
    // Releasing again, or nothing at all, is no error.
    fixture.release(logon);
    fixture.release(0xFFFF_FFFF);
    fixture.release(0x1234_5678);
}

#[test]
fn receive_folders_are_found_set_and_removed() {
    let (mut fixture, logon) = Fixture::logged_on();
    let get = |fixture: &mut Fixture, class: &[u8]| {
        let body = RequestBody::GetReceiveFolder(GetReceiveFolderRequest {
            message_class: AsciiZ(class),
        });
        fixture.call(logon, body, &[], |response, _| match &response.body {
            ResponseBody::GetReceiveFolder(body) => Ok((
                body.folder_id.globcnt(),
                String::from_utf8(body.explicit_message_class.0.to_vec()).unwrap(),
            )),
            _ => Err(response.return_value),
        })
    };
    let set = |folder: Fid, class: &'static [u8]| {
        RequestBody::SetReceiveFolder(SetReceiveFolderRequest {
            folder_id: folder,
            message_class: AsciiZ(class),
        })
    };
    let found = |folder, class: &str| Ok((folder, class.to_owned()));
    assert_eq!(
        get(&mut fixture, b"IPM.MY.Class"),
        found(special::INBOX, "IPM")
    );
    assert_eq!(get(&mut fixture, b"MY.Class"), found(special::INBOX, ""));
    assert_eq!(get(&mut fixture, b".MY"), Err(ErrorCode::INVALID_PARAM));

    let outbox = ids::fid(special::OUTBOX);
    fixture.ok(logon, set(outbox, b"MY.Class"));
    assert_eq!(
        get(&mut fixture, b"my.class.SOMETHING"),
        found(special::OUTBOX, "MY.Class")
    );
    fixture.ok(logon, set(ids::fid(special::INBOX), b"MY.CLASS"));
    assert_eq!(
        get(&mut fixture, b"my.class.SOMETHING"),
        found(special::INBOX, "MY.CLASS")
    );
    let rows = fixture.call(
        logon,
        RequestBody::GetReceiveFolderTable(EmptyRequest {}),
        &[],
        |response, _| match &response.body {
            ResponseBody::GetReceiveFolderTable(body) => {
                body.rows().collect::<Result<Vec<_>, _>>().unwrap().len()
            }
            other => panic!("{other:?}"),
        },
    );
    assert_eq!(rows, 5);
    fixture.ok(logon, set(Fid::default(), b"my.class"));
    assert_eq!(get(&mut fixture, b"my.class"), found(special::INBOX, ""));

    for (body, code) in [
        (set(Fid::default(), b""), ErrorCode::ERROR),
        (set(outbox, b"ipm"), ErrorCode::ACCESS_DENIED),
        (set(outbox, b"Report.IPM"), ErrorCode::ACCESS_DENIED),
        (set(outbox, b"a..b"), ErrorCode::INVALID_PARAM),
        (set(Fid::new(1, GlobCnt(0x9999)), b"X"), ErrorCode::ERROR),
    ] {
        assert_eq!(fixture.code(logon, body), code);
    }
}

#[test]
fn ids_go_long_and_back() {
    let (mut fixture, logon) = Fixture::logged_on();
    let long = |fixture: &mut Fixture, id: u64| {
        let body = RequestBody::LongTermIdFromId(LongTermIdFromIdRequest { object_id: id });
        fixture.call(logon, body, &[], |response, _| match &response.body {
            ResponseBody::LongTermIdFromId(body) => Ok(body.long_term_id),
            _ => Err(response.return_value),
        })
    };
    let short = |fixture: &mut Fixture, long_term_id| {
        let body = RequestBody::IdFromLongTermId(IdFromLongTermIdRequest { long_term_id });
        fixture.call(logon, body, &[], |response, _| match &response.body {
            ResponseBody::IdFromLongTermId(body) => Ok(body.object_id),
            _ => Err(response.return_value),
        })
    };
    // The object need not exist.
    let id = Fid::new(1, GlobCnt(0x1234_5678)).to_u64();
    let own = long(&mut fixture, id).unwrap();
    assert_eq!(
        own,
        LongTermId {
            replguid: Guid([0x81; 16]),
            globcnt: GlobCnt(0x1234_5678)
        }
    );
    assert_eq!(short(&mut fixture, own), Ok(id));
    assert_eq!(
        long(&mut fixture, Fid::new(9, GlobCnt(1)).to_u64()),
        Err(ErrorCode::NOT_FOUND)
    );

    let foreign = LongTermId {
        replguid: Guid([0x55; 16]),
        globcnt: GlobCnt(7),
    };
    let registered = short(&mut fixture, foreign).unwrap();
    assert_eq!(short(&mut fixture, foreign), Ok(registered));
    assert_ne!(Fid::from_u64(registered).replid(), 1);
    assert_eq!(long(&mut fixture, registered), Ok(foreign));
    let nothing = LongTermId::default();
    assert_eq!(short(&mut fixture, nothing), Err(ErrorCode::INVALID_PARAM));
}

#[test]
fn rops_of_a_logon_need_one() {
    let (mut fixture, logon) = Fixture::logged_on();
    let folder = fixture.open_folder(logon, special::INBOX);
    let class = GetReceiveFolderRequest {
        message_class: AsciiZ(b"IPM"),
    };
    let long_term_id = LongTermId {
        replguid: Guid([1; 16]),
        globcnt: GlobCnt(1),
    };
    for body in [
        RequestBody::GetReceiveFolder(class),
        RequestBody::GetReceiveFolderTable(EmptyRequest {}),
        RequestBody::GetStoreState(EmptyRequest {}),
        RequestBody::LongTermIdFromId(LongTermIdFromIdRequest { object_id: 1 }),
        RequestBody::IdFromLongTermId(IdFromLongTermIdRequest { long_term_id }),
    ] {
        assert_eq!(fixture.code(folder, body), ErrorCode::NOT_SUPPORTED);
    }
    fixture.ok(logon, RequestBody::GetStoreState(EmptyRequest {}));
}
