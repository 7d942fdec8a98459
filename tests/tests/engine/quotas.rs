//! Quotas over the wire (MS-OXCSTOR 2.2.2.1.1.2 to 2.2.2.1.1.4).

use std::fs;

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Problem, Rop, Value, tagged_values},
    command::{done, json, on},
    fixture::{ADA, PASSWORD, code, fails, new_folder, tag, text, user},
    server::{TestServer, add_user},
};

use super::house::{dn, message_with, pattern, session};

/// ecQuotaExceeded (MS-OXCDATA 2.4.2).
const QUOTA_EXCEEDED: u32 = 0x0000_04D9;
const STORAGE_QUOTA_LIMIT: u32 = 0x3FF5_0003;
const PROHIBIT_RECEIVE: u32 = 0x666A_0003;
const PROHIBIT_SEND: u32 = 0x666E_0003;
const MESSAGE_SIZE_EXTENDED: u32 = 0x0E08_0014;
const QUOTAS: [u32; 3] = [STORAGE_QUOTA_LIMIT, PROHIBIT_SEND, PROHIBIT_RECEIVE];

struct Office {
    _work: tempfile::TempDir,
    store: std::path::PathBuf,
    server: TestServer,
    client: Client,
    logon: Logon,
}

fn office() -> Office {
    let work = tempfile::tempdir().unwrap();
    let store = work.path().join("store");
    add_user(&store, ADA, "Ada", PASSWORD);
    let dn = dn(&store);
    let server = TestServer::start_in(&store, &[]);
    let (client, logon) = session(&server, &dn);
    Office {
        _work: work,
        store,
        server,
        client,
        logon,
    }
}

fn size(client: &mut Client, logon: Handle) -> u64 {
    client
        .get_props(logon, &[MESSAGE_SIZE_EXTENDED])
        .unwrap()
        .id(0)
}

#[test]
fn a_mailbox_beyond_its_quota_takes_nothing_more_until_something_is_gone() {
    let Office {
        store,
        mut client,
        logon,
        server,
        _work,
    } = office();
    let client = &mut client;
    let set = [
        "user", "quota", ADA, "--warn", "512 KiB", "--send", "768 KiB",
    ];
    done(&store, None, &[&set[..], &["--receive", "1 MiB"]].concat());
    let row = client.get_props(logon.handle, &QUOTAS).unwrap();
    assert_eq!((row.int(0), row.int(1), row.int(2)), (512, 768, 1024));
    // In kilobytes, as the properties.
    assert_eq!(user(&store, ADA)["quota"]["receive"], 1024);
    let all = client.get_all_props(logon.handle).unwrap();
    for quota in QUOTAS {
        assert!(all.iter().any(|(tag, _)| *tag == quota), "{quota:#010x}");
    }

    let (folder, folder_id) = new_folder(client, &logon);
    let mut saved = Vec::new();
    let refused = loop {
        let n = saved.len() as u64;
        match message_with(client, &logon, folder_id, "big", &pattern(n + 1, 200_000)) {
            Ok(id) => saved.push(id),
            Err(error) => break error,
        }
        assert!(saved.len() < 10, "no quota");
    };
    assert_eq!(refused.code(), QUOTA_EXCEEDED);
    let told = size(client, logon.handle);
    assert!(told > 600_000 && told <= (1 << 20) + 210_000, "{told}");
    assert_eq!(user(&store, ADA)["bytes"].as_u64(), Some(told));
    // Nothing of the refused one is there.
    let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0) as usize, saved.len());
    // Growing one that is there is refused as well; the old content stays.
    let opened = client
        .open_message(logon.handle, folder_id, saved[0], 1)
        .unwrap()
        .handle;
    client
        .write_property_stream(opened, tag::HTML, &pattern(77, 600_000))
        .unwrap();
    fails(client.save_message(opened), QUOTA_EXCEEDED);
    client.release(opened).unwrap();
    // A copy brings bytes, a move and a mark do not.
    let (other, other_id) = new_folder(client, &logon);
    fill_up(client, &logon, folder_id);
    let copied = client.move_copy_messages(folder, other, &[saved[0]], true);
    match copied {
        Ok(partial) => assert_eq!(partial, 1),
        Err(error) => assert_eq!(error.code(), QUOTA_EXCEEDED),
    }
    let row = client.get_props(other, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0), 0);
    assert_eq!(client.set_read_flags(folder, &[saved[0]], 0).unwrap(), 0);
    let moved = client.move_copy_messages(folder, other, &[saved[0]], false);
    assert_eq!(moved.unwrap(), 0);
    let row = client.get_props(other, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0), 1);
    assert_eq!(client.delete_messages(folder, &[saved[1]]).unwrap(), 0);
    assert_eq!(client.hard_delete_messages(folder, &saved[2..]).unwrap(), 0);
    let left = size(client, logon.handle);
    assert!(left < told, "{left}");
    message_with(client, &logon, other_id, "fits", &pattern(9, 100_000)).unwrap();
    // Without a quota again.
    done(&store, None, &["user", "quota", ADA]);
    let row = client.get_props(logon.handle, &QUOTAS).unwrap();
    assert_eq!((row.int(1), row.int(2)), (-1, -1));
    for n in 0..8 {
        message_with(client, &logon, other_id, "more", &pattern(50 + n, 200_000)).unwrap();
    }
    drop(server);
    assert_eq!(json(&store, None, &["store", "verify"])["whole"], true);
}

/// Saves ever smaller messages until not even a small one fits.
fn fill_up(client: &mut Client, logon: &Logon, folder_id: u64) {
    let mut length = 100_000;
    while length >= 100 {
        match message_with(
            client,
            logon,
            folder_id,
            "fill",
            &pattern(length, length as usize),
        ) {
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.code(), QUOTA_EXCEEDED);
                length /= 4;
            }
        }
    }
}

/// MAPI_E_COMPUTED or ecAccessDenied (MS-OXCDATA 2.4): it is not the client's to change.
fn refuses(problem: &Problem) -> bool {
    [0x8004_011A, code::ACCESS_DENIED].contains(&problem.code)
}

#[test]
fn a_client_cannot_change_its_own_quota() {
    let Office {
        store,
        mut client,
        logon,
        server: _server,
        _work,
    } = office();
    let set = ["user", "quota", ADA, "--warn", "1 MiB", "--send", "2 MiB"];
    done(&store, None, &[&set[..], &["--receive", "3 MiB"]].concat());
    let values: Vec<(u32, Value)> = QUOTAS
        .iter()
        .map(|tag| (*tag, Value::Integer32(1 << 20)))
        .collect();
    let problems = client.try_set_props(logon.handle, &values).unwrap();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(refuses), "{problems:x?}");
    let problems = client.delete_props(logon.handle, &QUOTAS).unwrap();
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems.iter().all(refuses), "{problems:x?}");
    // As another type, and the ROPs without replication (MS-OXCROPS 2.2.8.7 and 2.2.8.9).
    for quota in QUOTAS {
        let wide = (quota & 0xFFFF_0000) | 0x14;
        let _ = client.try_set_props(logon.handle, &[(wide, Value::Integer64(1 << 20))]);
        let _ = client.delete_props(logon.handle, &[wide]);
    }
    let rop = Rop::new(0x79, 0).sized(&tagged_values(&values));
    let _ = client.rop(&rop, &[logon.handle]);
    let _ = client.rop(&Rop::new(0x7A, 0).tags(&QUOTAS), &[logon.handle]);
    // Nor by copying from something that has them: RopCopyProperties and RopCopyTo (2.2.8.11, .12).
    let message = client.create_message(logon.handle, logon.inbox()).unwrap();
    let _ = client.try_set_props(message, &values);
    let rop = Rop::new(0x67, 0).u8(1).u8(0).u8(0).tags(&QUOTAS);
    let _ = client.rop(&rop, &[message, logon.handle]);
    let rop = Rop::new(0x39, 0).u8(1).u8(0).u8(0).u8(0).tags(&[]);
    let _ = client.rop(&rop, &[message, logon.handle]);
    let row = client.get_props(logon.handle, &QUOTAS).unwrap();
    assert_eq!((row.int(0), row.int(1), row.int(2)), (1024, 2048, 3072));
    let told = user(&store, ADA);
    assert_eq!(told["quota"]["receive"], 3072);
    // And their sizes are the server's.
    let sizes = [
        (tag::MESSAGE_SIZE, Value::Integer32(0)),
        (MESSAGE_SIZE_EXTENDED, Value::Integer64(0)),
    ];
    let problems = client.try_set_props(logon.handle, &sizes).unwrap();
    assert_eq!(problems.len(), 2, "{problems:?}");
    // It is a user's own bag otherwise.
    client
        .set_props(logon.handle, &[(tag::COMMENT, text("mine"))])
        .unwrap();
}

#[test]
fn an_import_beyond_the_quota_says_so() {
    let Office {
        store,
        mut client,
        logon,
        server,
        _work,
    } = office();
    done(
        &store,
        None,
        &["user", "quota", ADA, "--receive", "300 KiB"],
    );
    let mut mbox = String::new();
    for n in 0..10 {
        let body = "A fathom is six feet.\n".repeat(5000);
        mbox.push_str(&format!(
            "From bob@example.test Mon Nov 23 09:00:00 2026\nFrom: bob@example.test\n\
             Subject: number {n}\n\n{body}\n"
        ));
    }
    let file = store.with_extension("mbox");
    fs::write(&file, mbox).unwrap();
    let import = ["import", "--user", ADA, file.to_str().unwrap()];
    let output = on(&store, None, &import);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("quota") || said.contains("full"), "{said}");
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    let row = client.get_props(inbox, &[tag::CONTENT_COUNT]).unwrap();
    let there = row.int(0);
    assert!((1..10).contains(&there), "{there}");
    // And without the server.
    drop(server);
    let output = on(&store, None, &import);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(said.contains("quota") || said.contains("full"), "{said}");
}
