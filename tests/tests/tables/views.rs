//! Columns, kinds of tables and what they show.

use ropewalk_tests::{
    client::{Cells as _, NO_HANDLE, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::restriction::RelOp;

use crate::fixture::{BEGINNING, SUBJECTS, fixture, property, subject_is};

// MS-OXCTABL 3.2.5.2.
#[test]
fn columns_with_invalid_types_are_refused_and_make_the_column_set_invalid() {
    let mut f = fixture();
    for ty in [0x0000, 0x000A, 0x0099, 0x1FFF] {
        fails(
            f.client.set_columns(f.table, &[tag::MID, 0x0037_0000 | ty]),
            code::INVALID_PARAMETER,
        );
        fails(
            f.client.query_rows(f.table, &[], 0, true, 1),
            code::NULL_OBJECT,
        );
    }
    assert_eq!(f.client.set_columns(f.table, &[tag::SUBJECT]).unwrap(), 0);
    assert_eq!(f.read(0, true, 1).1.len(), 1);
}

#[test]
fn rows_need_columns_first() {
    let (mut client, logon) = ada();
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    let (contents, _) = client.contents_table(inbox, 0).unwrap();
    let (hierarchy, _) = client.hierarchy_table(inbox, 0).unwrap();
    for table in [contents, hierarchy] {
        fails(client.query_rows(table, &[], 0, true, 1), code::NULL_OBJECT);
        fails(
            client.find_row(table, &[], &subject_is("x"), false, BEGINNING),
            code::NULL_OBJECT,
        );
        // MS-OXCTABL 2.2.2.2.1: one column at least.
        assert!(client.set_columns(table, &[]).is_err());
    }
}

#[test]
fn cells_stand_in_the_order_of_the_columns_and_absent_ones_are_errors() {
    let mut f = fixture();
    let columns = [
        0x0042_001F,
        tag::MID,
        tag::SUBJECT,
        tag::INSTANCE_NUM,
        tag::INST_ID,
    ];
    let rows = f.client.query_all_rows(f.table, &columns).unwrap();
    assert_eq!(rows.len(), SUBJECTS.len());
    for row in rows {
        assert_eq!(row.error(0), code::NOT_FOUND);
        let index = f.ids.iter().position(|id| *id == row.id(1)).unwrap();
        assert_eq!(row.text(2), SUBJECTS[index]);
        assert_eq!(row.int(3), 0);
        assert_eq!(row.id(4), row.id(1));
    }
}

#[test]
fn a_hierarchy_table_cannot_be_sorted_but_restricted() {
    let (mut client, logon) = ada();
    let (parent, _) = new_folder(&mut client, &logon);
    for name in ["One", "Two", "Three"] {
        client.create_folder(parent, name).unwrap();
    }
    let (table, _) = client.hierarchy_table(parent, 0).unwrap();
    client.set_columns(table, &[tag::DISPLAY_NAME]).unwrap();
    fails(
        client.sort_table(table, &[(tag::DISPLAY_NAME, 0)]),
        code::NOT_SUPPORTED,
    );
    let two = property(RelOp::EQUAL, tag::DISPLAY_NAME, text("Two"));
    client.restrict(table, Some(&two)).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 1));
    let rows = client
        .query_rows(table, &[tag::DISPLAY_NAME], 0, true, 9)
        .unwrap();
    assert_eq!(rows.rows[0].text(0), "Two");
    client.restrict(table, None).unwrap();
    assert_eq!(client.query_position(table).unwrap(), (0, 3));
    let found = client
        .find_row(table, &[tag::DISPLAY_NAME], &two, false, BEGINNING)
        .unwrap();
    assert_eq!(found.row.unwrap().text(0), "Two");
}

#[test]
fn every_table_rop_refuses_what_is_no_table() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let message = client.create_message(folder, folder_id).unwrap();
    for object in [logon.handle, folder, message] {
        fails(client.set_columns(object, &[tag::MID]), code::NOT_SUPPORTED);
        fails(
            client.sort_table(object, &[(tag::MID, 0)]),
            code::NOT_SUPPORTED,
        );
        fails(client.restrict(object, None), code::NOT_SUPPORTED);
        fails(
            client.query_rows(object, &[], 0, true, 1),
            code::NOT_SUPPORTED,
        );
        fails(client.query_position(object), code::NOT_SUPPORTED);
        fails(
            client.seek_row(object, BEGINNING, 1, true),
            code::NOT_SUPPORTED,
        );
        fails(
            client.find_row(object, &[], &subject_is("x"), false, BEGINNING),
            code::NOT_SUPPORTED,
        );
    }
}

// MS-OXCFOLD 2.2.1.14.1.
#[test]
fn associated_messages_have_a_table_of_their_own() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    new_message(&mut client, folder, folder_id, "normal");
    let fai = client
        .create_message_with(folder, folder_id, true)
        .unwrap()
        .handle;
    client
        .set_props(fai, &[(tag::SUBJECT, text("associated"))])
        .unwrap();
    client.save_message(fai).unwrap();
    for (flags, subject) in [(0x00, "normal"), (0x02, "associated")] {
        let (table, count) = client.contents_table(folder, flags).unwrap();
        assert_eq!(count, 1);
        let rows = client
            .query_all_rows(table, &[tag::SUBJECT, tag::MESSAGE_FLAGS])
            .unwrap();
        assert_eq!(rows[0].text(0), subject);
        // mfFAI (MS-OXCMSG 2.2.1.6).
        assert_eq!(rows[0].int(1) & 0x40 != 0, flags == 0x02);
    }
}

// MS-OXCTABL 3.2.5.2: MultivalueInstance.
#[test]
fn a_multivalue_instance_column_makes_one_row_per_value() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (message, id) = new_message(&mut client, folder, folder_id, "both");
    let name = ropewalk_tests::client::Name::Name(
        ropewalk_props::Guid::from_fields(0x0002_0329, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]),
        "Keywords".into(),
    );
    let property_id = client.property_ids(logon.handle, 2, &[name]).unwrap()[0];
    let many = (u32::from(property_id) << 16) | 0x101F;
    let categories = Value::MultipleString(vec!["Green".into(), "Blue".into()]);
    client.set_props(message, &[(many, categories)]).unwrap();
    client.save_message(message).unwrap();
    let (table, count) = client.contents_table(folder, 0).unwrap();
    assert_eq!(count, 1);
    let instance = many | 0x2000;
    client
        .set_columns(table, &[instance, tag::MID, tag::INSTANCE_NUM])
        .unwrap();
    client.sort_table(table, &[(instance, 0)]).unwrap();
    // The cells are of the single type.
    let columns = [(many & 0xFFFF_0000) | 0x001F, tag::MID, tag::INSTANCE_NUM];
    let rows = client.query_rows(table, &columns, 0, true, 9).unwrap().rows;
    let values: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
    assert_eq!(values, ["Blue", "Green"]);
    assert!(rows.iter().all(|row| row.id(1) == id));
    assert_ne!(rows[0].int(2), rows[1].int(2));
}

#[test]
fn a_table_that_is_asked_again_shows_what_was_saved_since() {
    let mut f = fixture();
    let (again, count) = f.client.contents_table(f.folder, 0).unwrap();
    assert_eq!(count, 7);
    let row = f.client.get_props(f.folder, &[tag::FOLDER_ID]).unwrap();
    new_message(&mut f.client, f.folder, row.id(0), "golf");
    f.client.delete_messages(f.folder, &[f.ids[0]]).unwrap();
    // Both the old view and a new one follow the folder (MS-OXCTABL 3.2.5: rows are in the table
    // as they are in the folder).
    let mut subjects: Vec<String> = f
        .client
        .query_all_rows(again, &[tag::SUBJECT])
        .unwrap()
        .iter()
        .map(|row| row.text(0))
        .collect();
    subjects.sort();
    assert_eq!(
        subjects,
        [
            "Alpha", "alpha", "bravo", "charlie", "echo", "foxtrot", "golf"
        ]
    );
}

#[test]
fn a_released_table_is_gone_and_its_folder_is_not() {
    let mut f = fixture();
    f.client.release(f.table).unwrap();
    assert!(f.client.query_position(f.table).is_err());
    assert_eq!(f.client.contents_table(f.folder, 0).unwrap().1, 7);
    let rop = Rop::new(0x05, 0).u8(1).u8(0);
    let answer = f.client.rop(&rop, &[f.folder, NO_HANDLE]).unwrap();
    assert_ne!(answer.handle(1).unwrap(), NO_HANDLE);
}
