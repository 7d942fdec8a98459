//! Logons as the specification's cases have them (MS-OXCSTOR 3.2.5 and 2.2.2.1).

mod open;
mod per_user;
mod properties;
mod receive;

use std::time::{SystemTime, UNIX_EPOCH};

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Result, Rop, Value},
    fixture::{ada, code, fails, new_folder, new_message, tag, text},
};
use ropewalk_wire::Reader;

const PRIVATE: u8 = 0x01;
const USE_PER_MDB_REPLID_MAPPING: u32 = 0x0100_0000;
const HOME_LOGON: u32 = 0x0000_0004;
const TAKE_OWNERSHIP: u32 = 0x0000_0008;
const NO_MAIL: u32 = 0x0002_0000;
const USE_ADMIN_PRIVILEGE: u32 = 0x0000_0001;

const OUT_OF_OFFICE_STATE: u32 = 0x661D_000B;
const EXTENDED_RULE_SIZE_LIMIT: u32 = 0x0E9B_0003;
const PROHIBIT_RECEIVE_QUOTA: u32 = 0x666A_0003;
const MAXIMUM_SUBMIT_MESSAGE_SIZE: u32 = 0x666D_0003;
const PROHIBIT_SEND_QUOTA: u32 = 0x666E_0003;
const MAILBOX_OWNER_ENTRY_ID: u32 = 0x661B_0102;
const USER_ENTRY_ID: u32 = 0x6619_0102;
const MESSAGE_SIZE_EXTENDED: u32 = 0x0E08_0014;
const STORE_STATE: u32 = 0x340E_0003;
const LOCALE_ID: u32 = 0x66A1_0003;
const SORT_LOCALE_ID: u32 = 0x6705_0003;
const CODE_PAGE_ID: u32 = 0x66C3_0003;
const SERIALIZED_REPLID_GUID_MAP: u32 = 0x6638_0102;
const DELETE_AFTER_SUBMIT: u32 = 0x0E01_000B;
const SENT_MAIL_SVR_EID: u32 = 0x6740_00FB;

/// RopSetReceiveFolder.
fn set_receive_folder(client: &mut Client, logon: Handle, class: &str, folder: u64) -> Result<()> {
    let rop = Rop::new(0x26, 0).u64(folder).ascii_z(class);
    client.rop(&rop, &[logon])?.empty()
}

/// RopGetReceiveFolderTable: message classes and folders.
fn receive_folder_table(client: &mut Client, logon: Handle) -> Vec<(String, u64)> {
    let answer = client.rop(&Rop::new(0x68, 0), &[logon]).unwrap();
    answer
        .read(|input| {
            let count = input.u32()?;
            (0..count)
                .map(|_| {
                    assert_eq!(input.u8()?, 0, "a StandardPropertyRow");
                    let folder = input.u64()?;
                    let class = String::from_utf8_lossy(input.ascii_z()?).to_uppercase();
                    assert_ne!(input.u64()?, 0, "PidTagLastModificationTime");
                    Ok((class, folder))
                })
                .collect()
        })
        .unwrap()
}

// MS-OXCSTOR 2.2.1.1.1 and 2.2.1.1.3.
#[test]
fn flags_that_are_hints_change_nothing_in_the_answer() {
    let (mut client, first) = ada();
    let dn = client.user_dn().to_owned();
    for open_flags in [
        0,
        USE_PER_MDB_REPLID_MAPPING,
        HOME_LOGON | USE_PER_MDB_REPLID_MAPPING,
        TAKE_OWNERSHIP | USE_PER_MDB_REPLID_MAPPING,
        NO_MAIL | USE_PER_MDB_REPLID_MAPPING | USE_ADMIN_PRIVILEGE,
    ] {
        let logon = client.logon_with(PRIVATE, open_flags, &dn).unwrap();
        assert_eq!(logon.logon_flags, PRIVATE);
        assert_eq!(logon.response_flags & 0x07, 0x07, "{open_flags:#x}");
        assert_eq!(logon.folder_ids, first.folder_ids);
        assert_eq!(logon.mailbox_guid, first.mailbox_guid);
        assert_eq!(
            (logon.repl_id, logon.repl_guid),
            (first.repl_id, first.repl_guid)
        );
        assert_eq!(logon.store_state, 0);
    }
    fails(
        client.logon_with(
            PRIVATE,
            USE_PER_MDB_REPLID_MAPPING,
            "/o=contoso/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=nobody",
        ),
        code::UNKNOWN_USER,
    );
    fails(client.logon_with(PRIVATE, 0, ""), code::UNKNOWN_USER);
    // MS-OXCSTOR 3.2.5.1.1: bits that the specification does not define.
    for (logon_flags, open_flags) in [(0x11, 0), (0x81, 0), (PRIVATE, 0x8000_0000)] {
        fails(client.logon_with(logon_flags, open_flags, &dn), code::ERROR);
    }
}

// MS-OXCROPS 2.2.3.1.2: LogonTime and GwartTime.
#[test]
fn the_times_of_a_logon_are_the_present_in_utc() {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let before = seconds(SystemTime::now());
    let (_, logon) = ada();
    let after = seconds(SystemTime::now());
    let [second, minute, hour, day_of_week, day, month] = logon.logon_time.map(u64::from);
    assert!((1..=31).contains(&day) && (1..=12).contains(&month));
    // Days since 1970-01-01, with years that begin in March.
    let year = u64::from(logon.logon_year) - u64::from(month < 3);
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day
            - 719_469;
    let time = days * 86_400 + hour * 3600 + minute * 60 + second;
    assert!((before..=after).contains(&time), "{:?}", logon.logon_time);
    // 1970-01-01 was a Thursday.
    assert_eq!(day_of_week, (days + 4) % 7);
    let gwart = logon.gwart_time / 10_000_000 - 11_644_473_600;
    assert!((before..=after).contains(&gwart), "{gwart}");
}

// MS-OXCSTOR 2.2.1.1.3 and 2.2.2.1.2.4.
#[test]
fn the_out_of_office_state_is_told_by_the_next_logon() {
    let (mut client, logon) = ada();
    let row = client
        .get_props(logon.handle, &[OUT_OF_OFFICE_STATE])
        .unwrap();
    assert!(!row.flag(0));
    assert_eq!(logon.response_flags & 0x10, 0);
    for away in [true, false] {
        client
            .set_props(logon.handle, &[(OUT_OF_OFFICE_STATE, Value::Boolean(away))])
            .unwrap();
        let (mut other, again) = ada();
        assert_eq!(again.response_flags & 0x10 != 0, away);
        let row = other
            .get_props(again.handle, &[OUT_OF_OFFICE_STATE])
            .unwrap();
        assert_eq!(row.flag(0), away);
    }
}

// MS-OXCSTOR 2.2.2.1.1.
#[test]
fn read_only_properties_of_a_logon_are_there_and_stay() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    new_message(&mut client, folder, folder_id, "counted");
    let numbers = [
        EXTENDED_RULE_SIZE_LIMIT,
        MAXIMUM_SUBMIT_MESSAGE_SIZE,
        PROHIBIT_RECEIVE_QUOTA,
        PROHIBIT_SEND_QUOTA,
        tag::CONTENT_COUNT,
        tag::MESSAGE_SIZE,
        STORE_STATE,
        CODE_PAGE_ID,
    ];
    for tag in numbers {
        let before = client.get_props(logon.handle, &[tag]).unwrap().int(0);
        // Some request, or a problem for this property: it is never set (MS-OXCPRPT 3.2.5.4).
        let other = before.wrapping_add(77);
        let _ = client.try_set_props(logon.handle, &[(tag, Value::Integer32(other))]);
        let after = client.get_props(logon.handle, &[tag]).unwrap().int(0);
        assert_ne!(after, other, "{tag:#010x}");
    }
    let binaries = [
        MAILBOX_OWNER_ENTRY_ID,
        USER_ENTRY_ID,
        SERIALIZED_REPLID_GUID_MAP,
    ];
    for tag in binaries {
        let before = client.get_props(logon.handle, &[tag]).unwrap();
        let _ = client.try_set_props(logon.handle, &[(tag, Value::Binary(vec![0, 0]))]);
        let after = client.get_props(logon.handle, &[tag]).unwrap();
        assert_eq!(after.binary(0), before.binary(0), "{tag:#010x}");
    }
    let _ = client.try_set_props(logon.handle, &[(tag::MAILBOX_OWNER_NAME, text("50"))]);
    let tags = [
        tag::MAILBOX_OWNER_NAME,
        MESSAGE_SIZE_EXTENDED,
        LOCALE_ID,
        SORT_LOCALE_ID,
    ];
    let row = client.get_props(logon.handle, &tags).unwrap();
    assert_eq!(row.text(0), "Ada Lovelace");
    assert_ne!(row.id(1), 0);
    assert_eq!((row.int(2), row.int(3)), (1033, 1033));
}

// MS-OXCSTOR 2.2.2.1.2.
#[test]
fn read_write_properties_of_a_logon_are_kept() {
    let (mut client, logon) = ada();
    let name = |client: &mut Client, logon: &Logon| {
        let row = client.get_props(logon.handle, &[tag::DISPLAY_NAME]);
        row.unwrap().text(0)
    };
    assert_eq!(name(&mut client, &logon), "Ada Lovelace");
    let problems = client
        .try_set_props(
            logon.handle,
            &[
                (tag::DISPLAY_NAME, text("Engine room")),
                (tag::COMMENT, text("a mailbox")),
                (DELETE_AFTER_SUBMIT, Value::Boolean(false)),
            ],
        )
        .unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let (mut other, other_logon) = ada();
    assert_eq!(name(&mut other, &other_logon), "Engine room");
    let tags = [tag::COMMENT, DELETE_AFTER_SUBMIT];
    let row = other.get_props(other_logon.handle, &tags).unwrap();
    assert_eq!(row.text(0), "a mailbox");
    assert!(!row.flag(1));
    // All of them can be deleted, there or not.
    let problems = client
        .delete_props(
            logon.handle,
            &[
                DELETE_AFTER_SUBMIT,
                SENT_MAIL_SVR_EID,
                tag::COMMENT,
                tag::DISPLAY_NAME,
            ],
        )
        .unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let row = other.get_props(other_logon.handle, &tags).unwrap();
    assert_eq!(row.error(0), code::NOT_FOUND);
    assert_eq!(row.error(1), code::NOT_FOUND);
    // The mailbox has the name of its owner again.
    assert_eq!(name(&mut other, &other_logon), "Ada Lovelace");
}

// MS-OXCSTOR 3.2.5.2, 3.2.5.3, 3.2.5.4 and 3.2.3.
#[test]
fn a_receive_folder_is_set_changed_and_removed() {
    let (mut client, logon) = ada();
    let class = "My.Class.Of.Conformance";
    set_receive_folder(&mut client, logon.handle, class, 0).unwrap();
    assert_eq!(
        client.get_receive_folder(logon.handle, class).unwrap(),
        (logon.inbox(), String::new())
    );
    for folder in [logon.ipm_subtree(), logon.deleted_items()] {
        set_receive_folder(&mut client, logon.handle, class, folder).unwrap();
        for asked in [
            class.to_owned(),
            class.to_uppercase(),
            format!("{class}.Sub"),
        ] {
            let (found, explicit) = client.get_receive_folder(logon.handle, &asked).unwrap();
            assert_eq!(found, folder);
            assert!(explicit.eq_ignore_ascii_case(class));
        }
        let table = receive_folder_table(&mut client, logon.handle);
        for row in [
            (String::new(), logon.inbox()),
            ("IPM".into(), logon.inbox()),
            ("REPORT.IPM".into(), logon.inbox()),
            ("IPC".into(), logon.root()),
            (class.to_uppercase(), folder),
        ] {
            assert!(table.contains(&row), "{row:?} of {table:?}");
        }
    }
    set_receive_folder(&mut client, logon.handle, &class.to_lowercase(), 0).unwrap();
    assert_eq!(
        client.get_receive_folder(logon.handle, class).unwrap(),
        (logon.inbox(), String::new())
    );
    for (class, folder, code) in [
        ("", 0, code::ERROR),
        ("My.Class", logon.inbox() ^ 1, code::ERROR),
        ("IPM", logon.inbox(), code::ACCESS_DENIED),
        ("IPM", 0, code::ACCESS_DENIED),
        ("Ipm", logon.inbox() ^ 1, code::ACCESS_DENIED),
        ("My Class.\u{7F}", logon.inbox(), code::INVALID_PARAMETER),
        ("My..Class", 0, code::INVALID_PARAMETER),
        ("report.ipm", logon.inbox(), code::ACCESS_DENIED),
        (".My", logon.inbox(), code::INVALID_PARAMETER),
    ] {
        fails(
            set_receive_folder(&mut client, logon.handle, class, folder),
            code,
        );
    }
}

// MS-OXCSTOR 3.2.5.8 and 3.2.5.9.
#[test]
fn identifiers_map_both_ways_and_for_good() {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (_, message_id) = new_message(&mut client, folder, folder_id, "named");
    // The REPLID alone names the replica.
    let ids = [
        u64::from(logon.repl_id),
        folder_id,
        message_id,
        logon.inbox(),
    ];
    for id in ids {
        let long = client.long_term_id_from_id(logon.handle, id).unwrap();
        assert_eq!(long[..16], logon.repl_guid);
        assert_eq!(long[16..22], id.to_le_bytes()[2..]);
        assert_eq!(long[22..], [0, 0]);
        if id > 0xFFFF {
            assert_eq!(
                client.id_from_long_term_id(logon.handle, &long).unwrap(),
                id
            );
        }
    }
    let mut foreign = client
        .long_term_id_from_id(logon.handle, logon.inbox())
        .unwrap();
    foreign[0] ^= 0xFF;
    foreign[16] = 0xFF;
    let id = client.id_from_long_term_id(logon.handle, &foreign).unwrap();
    assert_ne!(id as u16, logon.repl_id);
    assert_eq!(
        client.long_term_id_from_id(logon.handle, id).unwrap(),
        foreign
    );
    let (mut other, other_logon) = ada();
    assert_eq!(
        other
            .id_from_long_term_id(other_logon.handle, &foreign)
            .unwrap(),
        id
    );
    fails(client.open_folder(logon.handle, id), code::NOT_FOUND);
    for unknown in [0, 0x7FFE] {
        fails(
            client.long_term_id_from_id(logon.handle, unknown),
            code::NOT_FOUND,
        );
    }
    let mut nil = foreign;
    nil[..16].fill(0);
    fails(
        client.id_from_long_term_id(logon.handle, &nil),
        code::INVALID_PARAMETER,
    );
}

// MS-OXCSTOR 3.2.5.7: no folder of a private mailbox is ghosted, and no servers follow.
#[test]
fn no_folder_of_a_private_mailbox_is_ghosted() {
    let (mut client, logon) = ada();
    let rop = Rop::new(0x45, 0).u64(logon.root());
    let ghosted = client.rop(&rop, &[logon.handle]).unwrap().read(Reader::u8);
    assert_eq!(ghosted.unwrap(), 0);
}

// MS-OXCSTOR: the ROPs of a Logon object, on what is none.
#[test]
fn rops_of_a_logon_need_a_logon() {
    let (mut client, logon) = ada();
    let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
    for rop in [
        Rop::new(0x27, 0).ascii_z("IPM"),
        Rop::new(0x26, 0).u64(logon.inbox()).ascii_z("My"),
        Rop::new(0x68, 0),
        Rop::new(0x43, 0).u64(logon.inbox()),
        Rop::new(0x44, 0).bytes(&[1; 24]),
        Rop::new(0x45, 0).u64(logon.inbox()),
    ] {
        fails(client.rop(&rop, &[inbox]), code::NOT_SUPPORTED);
        fails(client.rop(&rop, &[u32::MAX]), code::NULL_OBJECT);
    }
}
