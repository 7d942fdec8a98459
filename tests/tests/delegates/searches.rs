//! A search folder shows a guest what he may read where it lies (MS-OXCPERM 2.2.7).

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{
        Cells as _, NewFolder,
        permission::{DEFAULT, modify_row},
    },
    fixture::tag,
};
use ropewalk_wire::restriction::Restriction;

use super::{subjects, world::*};

const CONTENT_COUNT: u32 = 0x3602_0003;
const UNREAD_COUNT: u32 = 0x3603_0003;
const MESSAGE_SIZE: u32 = 0x0E08_0003;

#[test]
fn a_search_folder_shows_and_counts_what_its_reader_may_read() {
    for by in [By::Name, By::Default] {
        let mut both = Both::new(BOB, by);
        let [readable, own, hidden] =
            ["readable", "own", "hidden"].map(|name| both.folder(name, 2));
        both.permit(readable.ada_handle, VISIBLE | READ_ANY);
        both.permit(own.ada_handle, VISIBLE);
        both.permit(hidden.ada_handle, 0);
        let root = both.ada_parent;
        let search = NewFolder {
            folder_type: 2,
            ..NewFolder::named("found")
        };
        let search = both.ada.create_folder_with(root, &search).unwrap();
        let any = Restriction::Exist {
            prop_tag: PropTag(tag::SUBJECT),
        };
        let scope = [readable.id, own.id, hidden.id];
        both.ada
            .set_search_criteria(search.handle, Some(&any), &scope, 2)
            .unwrap();
        both.ada
            .modify_permissions(search.handle, 0, &[modify_row(DEFAULT, VISIBLE)])
            .unwrap();
        let found = both
            .guest
            .open_folder(both.guest_logon.handle, search.folder_id)
            .unwrap();

        let counts = [CONTENT_COUNT, UNREAD_COUNT, MESSAGE_SIZE];
        let whole = both.ada.get_props(search.handle, &counts).unwrap();
        assert_eq!(whole.int(0), 12);
        let (table, count) = both.guest.contents_table(found, 0).unwrap();
        assert_eq!(count, 6);
        let mut shown = subjects(&mut both.guest, table);
        shown.sort();
        assert_eq!(shown, [vec!["Ada's"; 2], vec!["the guest's"; 4]].concat());
        let told = both.guest.get_props(found, &counts).unwrap();
        assert_eq!(told.int(0), 6);
        assert_eq!(told.int(1), whole.int(1) * 6 / 12);
        assert!(told.int(2) < whole.int(2) && told.int(2) > 0);
        let mut open = |id| {
            let opened = both.guest.open_message(found, search.folder_id, id, 0);
            opened.map(|opened| both.guest.release(opened.handle).unwrap())
        };
        open(own.own[0]).unwrap();
        assert!(open(own.other[0]).is_err());
        // What is invisible stays so, though it is his.
        assert!(open(hidden.own[0]).is_err());
        // What is found is looked at anew: another becomes his to read, and one of his is no more there.
        both.permit(own.ada_handle, VISIBLE | READ_ANY);
        let (_, count) = both.guest.contents_table(found, 0).unwrap();
        assert_eq!(count, 8);
        both.permit(own.ada_handle, VISIBLE);
        both.ada
            .delete_messages(own.ada_handle, &own.own[..1])
            .unwrap();
        let (_, count) = both.guest.contents_table(found, 0).unwrap();
        assert_eq!(count, 5);
    }
}
