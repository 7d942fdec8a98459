//! A store that an earlier build wrote still opens, and holds what was put into it.
//!
//! `ROPEWALK_WRITE_FIXTURE=1 cargo test -p ropewalk-store fixture` writes the file anew. That is right
//! only while no format has been released; afterwards a new format gets a new file beside this one.

use ropewalk_props::{Guid, PropertyName, named::PS_PUBLIC_STRINGS};

use super::{
    content::{BlobSpec, MessageSpec},
    history::{History, MailboxOp, Op, master},
    model::{INBOX, ROOT},
};
use crate::Durability;

pub const PATH: &str = "../data/store/v1/00000001.seg";
pub const NAME: &str = "00000001.seg";

pub fn ops() -> Vec<Op> {
    let plain = MessageSpec {
        seed: 1,
        body: 300,
        recipients: 2,
        attachments: 0,
        nested: false,
        blob: None,
    };
    let rich = MessageSpec {
        seed: 2,
        body: 8300,
        attachments: 1,
        nested: true,
        blob: Some(BlobSpec {
            writes: vec![(10, 3000), (70_000, 10)],
            cut: Some(2000),
        }),
        ..plain.clone()
    };
    let save = |specs: &[MessageSpec]| MailboxOp::Save {
        folder: INBOX,
        associated: false,
        specs: specs.to_vec(),
    };
    // The counter starts at 0x10000; two folders have taken a change number each.
    let (folder, first) = (0x1_0002, 0x1_0004);
    let ops = vec![
        MailboxOp::CreateFolder {
            parent: ROOT,
            name: "Straße".into(),
        },
        save(&[plain.clone(), rich]),
        save(std::slice::from_ref(&plain)),
        MailboxOp::Resave {
            folder: INBOX,
            id: first,
            stale: false,
            read: Some(true),
            spec: plain.clone(),
        },
        MailboxOp::SetRead {
            folder: INBOX,
            ids: vec![first],
            read: false,
        },
        MailboxOp::Transfer {
            from: INBOX,
            to: folder,
            ids: vec![first],
            remove: false,
        },
        MailboxOp::Delete {
            folder: INBOX,
            ids: vec![first],
            hard: false,
        },
        MailboxOp::Names(vec![
            PropertyName::Lid(PS_PUBLIC_STRINGS, 0x8501),
            PropertyName::Name(PS_PUBLIC_STRINGS, "Keywords".into()),
        ]),
        MailboxOp::Replid(Guid([9; 16])),
        MailboxOp::Reserve(0x1_0000),
        MailboxOp::Comment(Some("a comment".into())),
        MailboxOp::Receive("IPM.Note".into(), Some(folder)),
        MailboxOp::Receive("IPM.Gone".into(), Some(folder)),
        MailboxOp::Receive("IPM.Gone".into(), None),
    ];
    let mut all = vec![Op::AddUser(0), Op::AddUser(1)];
    all.extend(ops.into_iter().map(|op| Op::In(0, op)));
    all.push(Op::SetPassword(0, "another".into()));
    all.push(Op::RemoveUser(1));
    all
}

#[test]
fn the_fixture_of_format_1_opens_and_can_be_encrypted_from_then_on() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let mut history = History::new(5, Durability::Always);
    history.key = Some(master('a'));
    history
        .disk
        .put(NAME, &std::fs::read(&path).expect("the fixture is there"));
    for (index, op) in ops().iter().enumerate() {
        let expected = history.model.apply(op, index as u64 + 1);
        assert!(expected.is_ok(), "{op:?}");
    }
    history.check();
    assert!(history.step(&Op::SetPassword(0, "a third".into())));
    history.close(&None);
    history.check();
    let names = history.disk.file_names();
    assert!(names.contains(&"keys".to_owned()) && names.len() > 2);
}

#[test]
fn the_fixture_of_format_1_opens() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    if std::env::var_os("ROPEWALK_WRITE_FIXTURE").is_some() {
        let mut written = History::new(5, Durability::Always);
        for op in ops() {
            assert!(written.step(&op));
        }
        written.close(&None);
        assert_eq!(written.disk.file_names(), [NAME], "it fits one segment");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, written.disk.get(NAME)).unwrap();
    }
    of_format_1().check();
}

/// The store of format 1, and what should be in it.
pub fn of_format_1() -> History {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
    let mut history = History::new(5, Durability::Always);
    history
        .disk
        .put(NAME, &std::fs::read(&path).expect("the fixture is there"));
    for (index, op) in ops().iter().enumerate() {
        let expected = history.model.apply(op, index as u64 + 1);
        assert!(expected.is_ok(), "{op:?}");
    }
    history
}
