//! Receive folders (MS-OXCSTOR 2.2.1.2 to 2.2.1.4, 3.2.5.2 to 3.2.5.4), and how identifiers map
//! (3.2.5.8, 3.2.5.9).

use ropewalk_tests::{
    client::Rop,
    fixture::{PASSWORD, ada, code, fails, legacy_dn, log_on, new_folder},
    server::{TestServer, add_user},
};

use crate::{receive_folder_table, set_receive_folder};

// The examples of 3.2.5.2.
#[test]
fn a_class_goes_where_its_longest_prefix_goes() {
    let (mut client, logon) = ada();
    let (_, meetings) = new_folder(&mut client, &logon);
    let (_, mine) = new_folder(&mut client, &logon);
    let (class, sub) = ("IPM.Sched1.Meeting", "IPM.Sched1.Meeting.Request");
    set_receive_folder(&mut client, logon.handle, class, meetings).unwrap();
    set_receive_folder(&mut client, logon.handle, "MY1.Class", mine).unwrap();
    for (asked, explicit, folder) in [
        (sub, class, meetings),
        (class, class, meetings),
        ("ipm.sched1.MEETING.request", class, meetings),
        ("IPM.Sched1", "IPM", logon.inbox()),
        ("IPM.MY1.Class", "IPM", logon.inbox()),
        ("MY1.Class.SOMETHING", "MY1.Class", mine),
        ("MY1", "", logon.inbox()),
        ("", "", logon.inbox()),
    ] {
        let (found, told) = client.get_receive_folder(logon.handle, asked).unwrap();
        assert_eq!(found, folder, "{asked}");
        assert!(told.eq_ignore_ascii_case(explicit), "{asked}: {told}");
    }
    // Several classes may have one folder, and one is set again in another case.
    set_receive_folder(&mut client, logon.handle, "my1.CLASS", meetings).unwrap();
    let table = receive_folder_table(&mut client, logon.handle);
    let rows = table.iter().filter(|(class, _)| class == "MY1.CLASS");
    assert_eq!(rows.collect::<Vec<_>>(), [&("MY1.CLASS".into(), meetings)]);
    // 3.2.5.3: what there is no entry of is gone already.
    for class in [class, "MY1.Class", "MY1.Class", "Never.Was"] {
        set_receive_folder(&mut client, logon.handle, class, 0).unwrap();
    }
    let (found, _) = client.get_receive_folder(logon.handle, sub).unwrap();
    assert_eq!(found, logon.inbox());
}

// 2.2.1.2.1 and 2.2.1.3.1: 255 characters with the NUL, of 0x20 to 0x7E, and periods only between others.
#[test]
fn the_form_of_a_message_class_is_the_same_for_both() {
    let (mut client, logon) = ada();
    let longest = "A".repeat(254);
    for (class, is_good) in [
        (longest.as_str(), true),
        (&"A".repeat(255), false),
        ("A b~!", true),
        ("A\u{1F}b", false),
        ("A\u{7F}b", false),
        ("A.b.", false),
        (".A.b", false),
        ("A..b", false),
        (".", false),
    ] {
        let get = Rop::new(0x27, 0).ascii_z(class);
        let set = Rop::new(0x26, 0).u64(0).ascii_z(class);
        for rop in [get, set] {
            let answer = client.rop(&rop, &[logon.handle]);
            match is_good {
                true => drop(answer.unwrap()),
                false => fails(answer, code::INVALID_PARAMETER),
            }
        }
    }
    // No ASCII.
    let get = Rop::new(0x27, 0).bytes(b"Caf\xE9\0");
    fails(client.rop(&get, &[logon.handle]), code::INVALID_PARAMETER);
}

// 3.2.5.4: all rows are in one response, however many a client has set.
#[test]
fn the_table_of_receive_folders_always_fits_a_response() {
    let server = TestServer::start(&[]);
    let email = "many@example.test";
    add_user(server.data_dir(), email, "Many", PASSWORD);
    let dn = legacy_dn(server.data_dir(), email);
    let (mut client, logon) = log_on(&server, email, PASSWORD, &dn);
    let class = |n: usize| format!("Many.{n:03}.{}", "x".repeat(240));
    let mut set = |n, folder| set_receive_folder(&mut client, logon.handle, &class(n), folder);
    let full = (0..1000).find(|n| set(*n, logon.inbox()).is_err());
    let full = full.expect("there is an end");
    assert!(full >= 100, "{full}");
    fails(set(full, logon.inbox()), code::MEMORY);
    // What there is can be changed and removed.
    set(0, logon.deleted_items()).unwrap();
    set(1, 0).unwrap();
    set(full, logon.inbox()).unwrap();
    let table = receive_folder_table(&mut client, logon.handle);
    assert_eq!(table.len(), 4 + full);
    assert!(table.contains(&(class(0).to_uppercase(), logon.deleted_items())));
}

// 3.2.5.9: padding is ignored, a counter of zero is no error, and nothing has to be there.
#[test]
fn a_long_term_id_is_its_replica_and_its_counter() {
    let (mut client, logon) = ada();
    let long = client
        .long_term_id_from_id(logon.handle, logon.inbox())
        .unwrap();
    let mut padded = long;
    padded[22..].copy_from_slice(&[0xAB, 0xCD]);
    let id = client.id_from_long_term_id(logon.handle, &padded).unwrap();
    assert_eq!(id, logon.inbox());
    let mut never = long;
    never[16..22].fill(0xFE);
    let id = client.id_from_long_term_id(logon.handle, &never).unwrap();
    assert_eq!(id, 0xFEFE_FEFE_FEFE_0000 | u64::from(logon.repl_id));
    assert_eq!(
        client.long_term_id_from_id(logon.handle, id).unwrap(),
        never
    );
    let mut zero = long;
    zero[16..22].fill(0);
    let id = client.id_from_long_term_id(logon.handle, &zero).unwrap();
    assert_eq!(id, u64::from(logon.repl_id));
    let nothing = [0; 24];
    fails(
        client.id_from_long_term_id(logon.handle, &nothing),
        code::INVALID_PARAMETER,
    );
}
