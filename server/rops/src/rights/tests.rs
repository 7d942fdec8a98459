use ropewalk_props::{GlobCnt, PropTag, PropValue, tags::*};
use ropewalk_wire::{
    ErrorCode,
    rop::{
        CreateFolderRequest, DeletePropertiesRequest, GetPropertiesAllRequest,
        GetPropertiesSpecificRequest, RequestBody, ResponseBody, SetPropertiesRequest,
    },
    row::RowCell,
    value::TaggedPropertyValue,
};

use super::{
    Access, Rights,
    list::{PermissionsList, STORED, Who},
};
use crate::{
    logon::special,
    object::LogonObject,
    test_support::{Fixture, OUTPUT},
};

/// Puts a list onto a folder, past all ROPs.
pub fn permit(fixture: &Fixture, folder: GlobCnt, who: Who, rights: Rights) {
    let mailbox = fixture.mailbox();
    let edit = |bag: &ropewalk_props::Bag| {
        let mut list = PermissionsList::of(bag, folder);
        list.set(who, rights);
        Ok::<_, ropewalk_store::StoreError>((vec![list.to_property()], Vec::new()))
    };
    mailbox.edit_folder(folder, edit).unwrap();
}

fn list(fixture: &Fixture, folder: GlobCnt) -> PermissionsList {
    let (props, _) = fixture.mailbox().folder_props(folder).unwrap();
    PermissionsList::of(&*props, folder)
}

fn create(fixture: &mut Fixture, parent: u32) -> GlobCnt {
    let request = RequestBody::CreateFolder(CreateFolderRequest {
        output_handle_index: OUTPUT,
        folder_type: 1,
        use_unicode_strings: false,
        open_existing: false,
        reserved: 0,
        display_name: b"below",
        comment: b"",
    });
    fixture.call(parent, request, &[], |response, _| match &response.body {
        ResponseBody::CreateFolder(body) => body.folder_id.globcnt(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn the_owner_may_do_all_and_others_what_the_list_says() {
    let fixture = Fixture::new();
    let mailbox = fixture.mailbox();
    let logon = |access| LogonObject {
        mailbox: mailbox.clone(),
        access,
        progress: false,
    };
    let owner = logon(Access::of(&fixture.user, &mailbox));
    let other = logon(Access::of(&fixture.other, &mailbox));
    assert!(owner.is_owner() && !other.is_owner());
    assert_eq!(owner.rights(special::INBOX), Ok(Rights::OWNER));
    assert_eq!(other.rights(special::INBOX), Ok(Rights::NONE));
    let minimal_id = fixture.other.minimal_id;
    permit(&fixture, special::INBOX, Who::Default, Rights::READ_ANY);
    assert_eq!(other.rights(special::INBOX), Ok(Rights::READ_ANY));
    permit(
        &fixture,
        special::INBOX,
        Who::User(minimal_id),
        Rights::NONE,
    );
    assert_eq!(other.rights(special::INBOX), Ok(Rights::NONE));
    assert_eq!(owner.rights(special::INBOX), Ok(Rights::OWNER));
    assert_eq!(other.rights(GlobCnt(0x9999)), Err(ErrorCode::NOT_FOUND));
}

#[test]
fn the_stored_list_is_told_who_asks_for_it_alone_and_set_to_lists_alone() {
    let (mut fixture, logon) = Fixture::logged_on();
    permit(&fixture, special::INBOX, Who::Default, Rights::READ_ANY);
    let before = list(&fixture, special::INBOX);
    let inbox = fixture.open_folder(logon, special::INBOX);
    let all = GetPropertiesAllRequest {
        property_size_limit: 0,
        want_unicode: 1,
    };
    let is_shown = |tags: &[PropTag]| tags.iter().any(|tag| tag.id() == STORED.id());
    fixture.call(inbox, RequestBody::GetPropertiesAll(all), &[], |got, _| {
        let ResponseBody::GetPropertiesAll(body) = &got.body else {
            panic!("{got:?}")
        };
        let tags: Vec<_> = body.property_values.iter().map(|value| value.tag).collect();
        assert!(!is_shown(&tags));
    });
    fixture.call(
        inbox,
        RequestBody::GetPropertiesList(Default::default()),
        &[],
        |got, _| {
            let ResponseBody::GetPropertiesList(body) = &got.body else {
                panic!("{got:?}")
            };
            let tags: Vec<_> = body.property_tags.iter().collect();
            assert!(!is_shown(&tags));
        },
    );
    let columns = [STORED, PID_TAG_DISPLAY_NAME];
    let specific = RequestBody::GetPropertiesSpecific(GetPropertiesSpecificRequest {
        property_size_limit: 0,
        want_unicode: 1,
        property_tags: (&columns[..]).into(),
    });
    fixture.call(inbox, specific, &columns, |got, _| {
        let ResponseBody::GetPropertiesSpecific(body) = &got.body else {
            panic!("{got:?}")
        };
        let row = body.row(&columns).unwrap();
        assert!(matches!(row.cells[0], RowCell::Value(PropValue::Binary(_))));
    });
    let values = [TaggedPropertyValue {
        tag: STORED,
        value: PropValue::Binary(vec![1]),
    }];
    let set = RequestBody::SetProperties(SetPropertiesRequest {
        property_values: (&values[..]).into(),
    });
    let delete = RequestBody::DeleteProperties(DeletePropertiesRequest {
        property_tags: (&columns[..1]).into(),
    });
    for (body, code) in [
        (set, ErrorCode::INVALID_PARAM),
        (delete, ErrorCode::COMPUTED),
    ] {
        fixture.call(inbox, body, &[], |got, _| {
            let problems = match &got.body {
                ResponseBody::SetProperties(body) | ResponseBody::DeleteProperties(body) => {
                    &body.property_problems
                }
                other => panic!("{other:?}"),
            };
            let codes: Vec<_> = problems.iter().map(|problem| problem.error_code).collect();
            assert_eq!(codes, [code]);
        });
    }
    assert_eq!(list(&fixture, special::INBOX), before);
}

#[test]
fn a_list_is_inherited_and_outlives_the_store() {
    let (mut fixture, logon) = Fixture::logged_on();
    let (inbox, outbox) = (special::INBOX, special::OUTBOX);
    permit(&fixture, inbox, Who::User(0x10), Rights::ALL);
    permit(&fixture, inbox, Who::Default, Rights::CREATE);
    let inbox = fixture.open_folder(logon, inbox);
    let below = create(&mut fixture, inbox);
    let expected = PermissionsList {
        default: Rights::CREATE,
        anonymous: Rights::NONE,
        members: vec![(0x10, Rights::OWNER)],
    };
    assert_eq!(list(&fixture, below), expected);
    let outbox = fixture.open_folder(logon, outbox);
    let plain = create(&mut fixture, outbox);
    assert_eq!(list(&fixture, plain), PermissionsList::default());
    let (props, _) = fixture.mailbox().folder_props(plain).unwrap();
    assert!(ropewalk_props::BagView::slot(&*props, STORED.id()).is_none());
    let fixture = fixture.reopened();
    assert_eq!(list(&fixture, below), expected);
}
