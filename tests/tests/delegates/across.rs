//! From one logon to another: an object belongs to the logon that it was opened with, so what one may do
//! on one side does nothing on the other (MS-OXCROPS 3.2.5.1).

use ropewalk_tests::{
    client::{NO_HANDLE, Rop, logon_rop},
    fixture::{code, fails},
};

use super::world::*;

/// What is said of a destination that there is not.
const NULL_DESTINATION: u32 = 0x0000_0503;
/// The LogonId of the guest's own mailbox.
const OWN: u8 = 5;

#[test]
fn nothing_is_copied_or_moved_from_one_logon_to_another() {
    let mut both = Both::new(BOB, By::Name);
    let folder = both.folder("across", 2);
    both.permit(folder.ada_handle, VISIBLE | READ_ANY);
    let guest = &mut both.guest;
    let logon = logon_rop(0x01, 0x0100_0000, &dn(BOB)).logon_id(OWN);
    let own = guest.rop(&logon, &[NO_HANDLE]).unwrap();
    // Special folders have the same ids in all mailboxes.
    let open = Rop::new(0x02, 0)
        .u8(1)
        .u64(both.guest_logon.inbox())
        .u8(0)
        .logon_id(OWN);
    let inbox = [own.handle(0).unwrap(), NO_HANDLE];
    let inbox = guest.rop(&open, &inbox).unwrap().handle(1).unwrap();

    let move_copy = |copy: u8| {
        Rop::new(0x33, 0)
            .u8(1)
            .ids(&[folder.own[0], folder.other[0]])
            .u8(0)
            .u8(copy)
    };
    let move_folder = Rop::new(0x35, 0)
        .u8(1)
        .u8(0)
        .u8(1)
        .u64(folder.below[0].id)
        .bytes(b"m\0\0\0");
    let copy_folder = Rop::new(0x36, 0)
        .u8(1)
        .u8(0)
        .u8(1)
        .u8(1)
        .u64(folder.below[0].id)
        .bytes(b"c\0\0\0");
    let copy_to = |flags: u8| Rop::new(0x39, 0).u8(1).u8(0).u8(1).u8(flags).u16(0);
    let rops = [
        move_copy(0),
        move_copy(1),
        move_folder,
        copy_folder,
        copy_to(0),
        copy_to(1),
    ];
    for rop in rops {
        for handles in [[folder.handle, inbox], [inbox, folder.handle]] {
            for logon_id in [0, OWN] {
                let rop = rop.clone().logon_id(logon_id);
                // Of the two that is of the other logon which has an answer of its own (MS-OXCFOLD 2.2.1.6.2).
                let is_source = (logon_id == OWN) == (handles[0] == inbox);
                let code = if is_source {
                    NULL_DESTINATION
                } else {
                    code::ACCESS_DENIED
                };
                fails(guest.rop(&rop, &handles), code);
            }
        }
    }
    let (_, count) = both.ada.contents_table(folder.ada_handle, 0).unwrap();
    assert_eq!(count, 4);
    let (_, count) = both.ada.hierarchy_table(folder.ada_handle, 0).unwrap();
    assert_eq!(count, 4);
    let table = Rop::new(0x05, 0).u8(1).u8(0).logon_id(OWN);
    let table = guest_table(&mut both, &table, inbox);
    assert_eq!(table, 0);
}

/// RowCount of a table that a ROP opens.
fn guest_table(both: &mut Both, rop: &Rop, over: u32) -> u32 {
    let opened = both.guest.rop(rop, &[over, NO_HANDLE]).unwrap();
    opened.read(|input| input.u32()).unwrap()
}
