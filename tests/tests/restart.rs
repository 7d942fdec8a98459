//! A mailbox is after every kind of restart what it was before.

use std::{fs, path::Path};

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Name, NewRecipient, Value},
    fixture::{ADA, PASSWORD, legacy_dn, log_on, new_folder, new_message, tag, text},
    monkey::Monkey,
    server::{TestServer, add_user},
};

/// Everything that a client can see of a message, in one text.
fn dump_message(client: &mut Client, message: Handle, out: &mut String) {
    let mut props = client.get_all_props(message).unwrap();
    props.sort_by_key(|(tag, _)| *tag);
    out.push_str(&format!("{props:?}\n"));
    let opened = client.reload_cached_information(message).unwrap();
    out.push_str(&format!("{:?}\n", opened.recipients));
    let table = client.attachment_table(message).unwrap();
    let rows = client.query_all_rows(table, &[tag::ATTACH_NUMBER]).unwrap();
    client.release(table).unwrap();
    for row in rows {
        let number = row.int(0).cast_unsigned();
        let attachment = client.open_attachment(message, number, 0).unwrap();
        let mut props = client.get_all_props(attachment).unwrap();
        props.sort_by_key(|(tag, _)| *tag);
        out.push_str(&format!("attachment {props:?}\n"));
        if let Ok(data) = client.read_property_stream(attachment, tag::ATTACH_DATA_BINARY) {
            out.push_str(&format!("{data:02x?}\n"));
        }
        if let Ok((inner, _)) = client.open_embedded_message(attachment, 0) {
            dump_message(client, inner.handle, out);
            client.release(inner.handle).unwrap();
        }
        client.release(attachment).unwrap();
    }
}

/// Everything that a client can see of a mailbox.
fn dump(client: &mut Client, logon: &Logon) -> String {
    let mut out = format!("{:?} {:?}\n", logon.folder_ids, logon.repl_guid);
    let root = client.open_folder(logon.handle, logon.root()).unwrap();
    let (table, _) = client.hierarchy_table(root, 0x04).unwrap();
    let folders = client.query_all_rows(table, &[tag::FOLDER_ID]).unwrap();
    for row in folders {
        let folder = client.open_folder(logon.handle, row.id(0)).unwrap();
        let mut props = client.get_all_props(folder).unwrap();
        props.sort_by_key(|(tag, _)| *tag);
        out.push_str(&format!("folder {props:?}\n"));
        // Normal, associated and soft-deleted messages.
        for flags in [0x00, 0x02, 0x20] {
            let (table, _) = client.contents_table(folder, flags).unwrap();
            let columns = [tag::MID, tag::MESSAGE_FLAGS, tag::CHANGE_KEY];
            let mut rows = client.query_all_rows(table, &columns).unwrap();
            client.release(table).unwrap();
            rows.sort_by_key(|row| row.id(0));
            for message in rows {
                out.push_str(&format!("message {message:?}\n"));
                let opened = client
                    .open_message(folder, row.id(0), message.id(0), 0x04)
                    .unwrap();
                dump_message(client, opened.handle, &mut out);
                client.release(opened.handle).unwrap();
            }
        }
        client.release(folder).unwrap();
    }
    let ids = client.property_ids(logon.handle, 0, &[]).unwrap();
    let names = client.property_names(logon.handle, &ids).unwrap();
    out.push_str(&format!("{ids:x?} {names:?}\n"));
    out
}

/// Something of everything that the store keeps.
fn fill(client: &mut Client, logon: &Logon) {
    let (folder, folder_id) = new_folder(client, logon);
    let name = Name::Lid(ropewalk_props::Guid([0x77; 16]), 0x8100);
    let id = client.property_ids(logon.handle, 2, &[name]).unwrap()[0];
    let named = (u32::from(id) << 16) | 0x001F;
    for i in 0..5 {
        let (message, mid) = new_message(client, folder, folder_id, &format!("message {i}"));
        client
            .set_props(message, &[(named, text("named"))])
            .unwrap();
        client
            .write_property_stream(message, tag::HTML, &vec![i; 3000 * usize::from(i)])
            .unwrap();
        client
            .modify_recipients(
                message,
                &[],
                &[NewRecipient {
                    row_id: 0,
                    recipient_type: 1,
                    display_name: "Grace",
                    email_address: "grace@example.test",
                    properties: Vec::new(),
                }],
            )
            .unwrap();
        let (attachment, _) = client.create_attachment(message).unwrap();
        client
            .set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])
            .unwrap();
        client
            .write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &vec![i; 20_000])
            .unwrap();
        client.save_attachment(message, attachment).unwrap();
        client.save_message(message).unwrap();
        client.release(message).unwrap();
        client.set_read_flags(folder, &[mid], 0x05).unwrap();
        if i == 4 {
            client.delete_messages(folder, &[mid]).unwrap();
        }
    }
    let associated = client
        .create_message_with(folder, folder_id, true)
        .unwrap()
        .handle;
    client.save_message(associated).unwrap();
    client
        .set_props(folder, &[(tag::COMMENT, text("full"))])
        .unwrap();
    let gone = client.create_folder(folder, "gone").unwrap();
    assert_eq!(client.delete_folder(folder, gone.folder_id, 0).unwrap(), 0);
    // And what nobody would think of.
    let (folder, folder_id) = new_folder(client, logon);
    Monkey::new(0xB0A7, logon, folder, folder_id).run(client, 3000, |_, _, _| {});
}

fn session(dir: &Path, server: &TestServer) -> (Client, Logon) {
    log_on(server, ADA, PASSWORD, &legacy_dn(dir, ADA))
}

#[test]
fn a_mailbox_is_the_same_after_a_stop_a_kill_and_the_loss_of_the_index() {
    let dir = tempfile::tempdir().unwrap();
    add_user(dir.path(), ADA, "Ada Lovelace", PASSWORD);
    let mut server = TestServer::start_in(dir.path(), &[]);
    let (mut client, logon) = session(dir.path(), &server);
    fill(&mut client, &logon);
    let (mut client, logon) = session(dir.path(), &server);
    let before = dump(&mut client, &logon);
    for way in ["stop", "kill", "kill without index", "stop without index"] {
        if way.starts_with("stop") {
            assert!(server.stop().success(), "{way}");
        } else {
            server.kill();
        }
        if way.ends_with("without index") {
            fs::remove_dir_all(dir.path().join("index")).unwrap();
        }
        server = TestServer::start_in(dir.path(), &[]);
        let (mut client, logon) = session(dir.path(), &server);
        let after = dump(&mut client, &logon);
        for (old, new) in before.lines().zip(after.lines()) {
            assert_eq!(old, new, "after {way}");
        }
        assert_eq!(before.len(), after.len(), "after {way}");
    }
    // And it still takes changes.
    let (mut client, logon) = session(dir.path(), &server);
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    new_message(&mut client, inbox, logon.inbox(), "later");
}
