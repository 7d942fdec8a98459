//! Restrictions on recipients and attachments (MS-OXCDATA 2.12.10).

use ropewalk_tests::{
    client::{NewRecipient, Value},
    fixture::{ada, new_folder, new_message, tag, text},
};
use ropewalk_wire::restriction::{RelOp, Restriction};

use super::{ATTACHMENTS, RECIPIENTS, left, not, sorted_table, within};
use crate::fixture::property;

// MS-OXCDATA 2.12.10: what is asked of a recipient or an attachment is asked of one of them.
#[test]
fn one_subobject_has_to_match_alone() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    for (subject, people, files) in [
        ("a", &[("Ann", 1), ("Bob", 2)][..], &["x.txt"][..]),
        ("b", &[("Ann", 2), ("Bob", 1)], &["x.txt", "y.png"]),
        ("c", &[], &[]),
    ] {
        let (message, _) = new_message(&mut client, folder, folder_id, subject);
        let people: Vec<_> = (0..)
            .zip(people)
            .map(|(row_id, (name, kind))| NewRecipient {
                row_id,
                recipient_type: *kind,
                display_name: name,
                email_address: "someone@example.test",
                properties: Vec::new(),
            })
            .collect();
        client.modify_recipients(message, &[], &people).unwrap();
        for file in files {
            let (attachment, _) = client.create_attachment(message).unwrap();
            let props = [
                (tag::ATTACH_METHOD, Value::Integer32(1)),
                (tag::ATTACH_LONG_FILENAME, text(file)),
                (tag::ATTACH_DATA_BINARY, Value::Binary(vec![1, 2])),
            ];
            client.set_props(attachment, &props).unwrap();
            client.save_attachment(message, attachment).unwrap();
        }
        client.save_message(message).unwrap();
    }
    let table = sorted_table(&mut client, folder);
    let named = |name| property(RelOp::EQUAL, tag::DISPLAY_NAME, text(name));
    let kind = |kind| property(RelOp::EQUAL, tag::RECIPIENT_TYPE, Value::Integer32(kind));
    let file = |name| property(RelOp::EQUAL, tag::ATTACH_LONG_FILENAME, text(name));
    let and = Restriction::And;
    for (restriction, wanted) in [
        (within(RECIPIENTS, and(vec![named("Ann"), kind(1)])), "a"),
        (
            and(vec![
                within(RECIPIENTS, named("Ann")),
                within(RECIPIENTS, kind(1)),
            ]),
            "ab",
        ),
        (within(RECIPIENTS, and(vec![])), "ab"),
        (not(within(RECIPIENTS, and(vec![]))), "c"),
        (within(RECIPIENTS, not(named("Ann"))), "ab"),
        (within(ATTACHMENTS, file("y.png")), "b"),
        (
            within(ATTACHMENTS, and(vec![file("x.txt"), file("y.png")])),
            "",
        ),
        (
            within(
                ATTACHMENTS,
                property(RelOp::EQUAL, tag::ATTACH_NUMBER, Value::Integer32(1)),
            ),
            "b",
        ),
        (within(ATTACHMENTS, not(file("x.txt"))), "b"),
    ] {
        assert_eq!(
            left(&mut client, table, &restriction),
            wanted,
            "{restriction:?}"
        );
    }
}
