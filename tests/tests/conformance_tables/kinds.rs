//! What each kind of table is for, and what is no table.

use ropewalk_props::PropTag;
use ropewalk_tests::{
    client::{Logon, Rop},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::{
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

use crate::fixture::{
    BEGINNING, COLUMNS, END, INVALID_BOOKMARK, UNABLE_TO_ABORT, create_bookmark, free_bookmark,
    reset_table, seek_row_bookmark, status,
};

// MS-OXCTABL 3.2.5.3, 3.2.5.6, 3.2.5.10, 3.2.5.12, 3.2.5.15, 3.2.5.16.
#[test]
fn not_every_table_takes_every_rop() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    client.create_folder(folder, "below").unwrap();
    let (hierarchy, _) = client.hierarchy_table(folder, 0).unwrap();
    let columns = [tag::FOLDER_ID, tag::DISPLAY_NAME];
    client.set_columns(hierarchy, &columns).unwrap();
    fails(
        client.sort_table(hierarchy, &[(tag::DISPLAY_NAME, 0)]),
        code::NOT_SUPPORTED,
    );
    fails(reset_table(&mut client, hierarchy), code::NOT_SUPPORTED);
    fails(status(&mut client, 0x38, hierarchy), UNABLE_TO_ABORT);
    assert_eq!(status(&mut client, 0x16, hierarchy).unwrap(), 0);
    let bookmark = create_bookmark(&mut client, hierarchy).unwrap();
    seek_row_bookmark(&mut client, hierarchy, &bookmark, 1).unwrap();
    free_bookmark(&mut client, hierarchy, &bookmark).unwrap();
    fails(
        seek_row_bookmark(&mut client, hierarchy, &bookmark, 0),
        INVALID_BOOKMARK,
    );
    let below = Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(tag::DISPLAY_NAME),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::DISPLAY_NAME),
            value: text("below"),
        },
    };
    client
        .find_row(hierarchy, &columns, &below, false, BEGINNING)
        .unwrap();

    let (message, _) = new_message(&mut client, folder, folder_id, "with an attachment");
    let (attachment, _) = client.create_attachment(message).unwrap();
    client.save_attachment(message, attachment).unwrap();
    let attachments = client.attachment_table(message).unwrap();
    let columns = [tag::ATTACH_NUMBER];
    client.set_columns(attachments, &columns).unwrap();
    fails(
        client.sort_table(attachments, &[(tag::ATTACH_NUMBER, 0)]),
        code::NOT_SUPPORTED,
    );
    fails(client.restrict(attachments, None), code::NOT_SUPPORTED);
    fails(reset_table(&mut client, attachments), code::NOT_SUPPORTED);
    fails(status(&mut client, 0x38, attachments), code::NOT_SUPPORTED);
    fails(
        create_bookmark(&mut client, attachments),
        code::NOT_SUPPORTED,
    );
    fails(
        seek_row_bookmark(&mut client, attachments, &[1, 0, 0, 0], 0),
        code::NOT_SUPPORTED,
    );
    fails(
        free_bookmark(&mut client, attachments, &[1, 0, 0, 0]),
        code::NOT_SUPPORTED,
    );
    fails(
        client.find_row(attachments, &columns, &below, false, BEGINNING),
        code::NOT_SUPPORTED,
    );
    // But it is read and moved through like any other.
    assert_eq!(status(&mut client, 0x16, attachments).unwrap(), 0);
    assert_eq!(
        client
            .seek_row(attachments, END, -1, true)
            .unwrap()
            .rows_sought,
        -1
    );
    assert_eq!(client.query_position(attachments).unwrap(), (0, 1));
    let rows = client
        .query_rows(attachments, &columns, 0, true, 9)
        .unwrap();
    assert_eq!((rows.origin, rows.rows.len()), (END, 1));
}

// MS-OXCTABL 3.2.5: on what is no table, and by a handle that is none.
#[test]
fn table_rops_need_a_table() {
    let (mut client, logon) = ada();
    let (folder, _) = new_folder(&mut client, &logon);
    let rops = || {
        [
            Rop::new(0x12, 0).u8(0).tags(&COLUMNS),
            Rop::new(0x13, 0).u8(0).u16(0).u16(0).u16(0),
            Rop::new(0x14, 0).u8(0).u16(0),
            Rop::new(0x15, 0).u8(0).u8(1).u16(1),
            Rop::new(0x16, 0),
            Rop::new(0x17, 0),
            Rop::new(0x18, 0).u8(0).u32(0).u8(1),
            Rop::new(0x19, 0).sized(&[0; 4]).u32(0).u8(1),
            Rop::new(0x1A, 0).u32(0).u32(1),
            Rop::new(0x1B, 0),
            Rop::new(0x37, 0),
            Rop::new(0x38, 0),
            Rop::new(0x4F, 0).u8(0).u16(0).u8(0).u16(0),
            Rop::new(0x81, 0),
            Rop::new(0x89, 0).sized(&[0; 4]),
        ]
    };
    for rop in rops() {
        for (handle, code) in [
            (folder, code::NOT_SUPPORTED),
            (logon.handle, code::NOT_SUPPORTED),
            (u32::MAX, code::NULL_OBJECT),
        ] {
            fails(client.rop(&rop, &[handle]), code);
        }
    }
}

// MS-OXCFOLD 3.2.5.14 and 2.2.1.14.1.
#[test]
fn contents_tables_of_special_folders_and_flags_that_do_not_go_together() {
    let (mut client, logon) = ada();
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let spooler = client
        .open_folder(logon.handle, logon.folder_ids[Logon::SPOOLER_QUEUE])
        .unwrap();
    for folder in [root, spooler] {
        let (table, count) = client.contents_table(folder, 0x40).unwrap();
        assert_eq!(count, 0);
        assert!(client.query_all_rows(table, &COLUMNS).unwrap().is_empty());
        for flags in [0x02, 0x08, 0x10, 0x20, 0x22, 0x7A] {
            client.contents_table(folder, flags).unwrap();
        }
        for flags in [0x01, 0x04, 0x05, 0x82, 0x84, 0x90, 0xA0] {
            fails(
                client.contents_table(folder, flags),
                code::INVALID_PARAMETER,
            );
        }
    }
    fails(client.contents_table(logon.handle, 0), code::NOT_SUPPORTED);
    fails(client.hierarchy_table(logon.handle, 0), code::NOT_SUPPORTED);
}
