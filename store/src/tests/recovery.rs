//! Opening what is damaged, half there, foreign, or in use.

use std::{fs, io, path::Path, process::Command};

use ropewalk_props::{
    Bag, BagView, GlobCnt, Guid, PropValue, PropertyName, named::PS_PUBLIC_STRINGS, tags,
};

use super::{
    content::MessageSpec,
    disk::{Fault, SimDisk},
    history::{History, MailboxOp, Op, dump, guid_of, new_user},
    model::{INBOX, ROOT},
};
use crate::{
    ContentsView, Durability, FencedFrame, FolderKind, IndexKind, Mailbox, Message, NewFolder,
    OpenError, SaveMessage, Store, StoreError, StoreOptions,
    log::{frame::crc, segment::SEGMENT_HEADER},
};

fn save(seed: u64) -> Op {
    Op::In(
        0,
        MailboxOp::Save {
            folder: INBOX,
            associated: false,
            specs: vec![MessageSpec {
                seed,
                body: 2000,
                recipients: 1,
                attachments: 0,
                nested: false,
                blob: None,
            }],
        },
    )
}

/// A closed store with a user and `count` messages, each in a frame of its own.
fn with_messages(count: u64) -> History {
    let mut history = History::new(1, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..count {
        history.step(&save(seed));
    }
    history.close(&None);
    history.forget_index();
    history
}

fn inbox_len(store: &Store) -> usize {
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let contents = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal);
    contents.unwrap().len()
}

/// The offsets of a segment's frames.
fn frames(disk: &SimDisk, name: &str) -> Vec<usize> {
    let bytes = disk.get(name);
    let mut at = SEGMENT_HEADER as usize;
    let mut found = Vec::new();
    while at < bytes.len() {
        assert_eq!(&bytes[at..at + 4], b"RWfr");
        found.push(at);
        let len = u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap());
        at += 64 + len as usize;
    }
    found
}

const FIRST: &str = "00000001.seg";
const SECOND: &str = "00000002.seg";

#[test]
fn a_damaged_frame_is_fenced_and_all_others_are_kept() {
    let history = with_messages(3);
    let frames = frames(&history.disk, FIRST);
    assert_eq!(frames.len(), 5, "a user, three messages, the end mark");
    history
        .disk
        .tamper(FIRST, |bytes| bytes[frames[2] + 100] ^= 4);
    let store = history.open_damaged();
    let fenced = FencedFrame {
        segment: 1,
        offset: frames[2] as u64,
        lsn: 3,
        frames: 1,
    };
    assert_eq!(store.recovery().fenced, [fenced]);
    assert_eq!(inbox_len(&store), 2);
}

#[test]
fn ids_of_names_and_replicas_that_damage_took_are_not_given_again() {
    let name = |lid| PropertyName::Lid(PS_PUBLIC_STRINGS, lid);
    let replica = |number| Guid([number; 16]);
    let mut history = with_messages(1);
    let before = frames(&history.disk, FIRST).len();
    history.step(&Op::In(0, MailboxOp::Names(vec![name(1), name(2)])));
    history.step(&Op::In(0, MailboxOp::Replid(replica(0xC1))));
    history.close(&None);
    history.forget_index();
    let lost = frames(&history.disk, FIRST);
    history.disk.tamper(FIRST, |bytes| {
        bytes[lost[before] + 100] ^= 4;
        bytes[lost[before + 1] + 100] ^= 4;
    });
    let mut store = history.open_damaged();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert_eq!(mailbox.named_property(0x8001), None, "it is lost");
    let id = mailbox.named_ids(&[name(2)], true).unwrap();
    assert_eq!(id, [Some(0x8401)]);
    assert_eq!(mailbox.replid_of(replica(0xC2), true).unwrap(), Some(0x402));
    // Ids are left out once, not at every start.
    for lid in 3..6 {
        store.close().unwrap();
        store = history.open_damaged();
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        let id = mailbox.named_ids(&[name(lid)], true).unwrap();
        assert_eq!(id, [Some(0x8401 + lid as u16 - 2)]);
    }
}

#[test]
fn a_damaged_last_frame_of_a_closed_store_is_not_taken_for_a_torn_one() {
    let history = with_messages(3);
    let frames = frames(&history.disk, FIRST);
    history
        .disk
        .tamper(FIRST, |bytes| bytes[frames[3] + 70] ^= 4);
    let store = history.open_damaged();
    assert_eq!(store.recovery().fenced[0].lsn, 4);
    assert_eq!(store.recovery().tail_bytes_cut, 0);
}

#[test]
fn a_torn_end_is_moved_aside_and_cut() {
    let mut history = with_messages(2);
    let whole = history.disk.get(FIRST);
    history
        .disk
        .tamper(FIRST, |bytes| bytes.extend_from_slice(&[0x55; 77]));
    let store = history.open_damaged();
    assert_eq!(store.recovery().tail_bytes_cut, 77);
    assert_eq!(store.recovery().fenced, []);
    let names = history.disk.file_names();
    assert!(names.iter().any(|name| name == "cut-5.bin"), "{names:?}");
    assert_eq!(history.disk.get("cut-5.bin"), [0x55; 77]);
    store.close().unwrap();
    assert_eq!(history.disk.get(FIRST), whole);
    history.check();
}

#[test]
fn starts_that_fail_for_want_of_space_leave_one_side_file() {
    let mut history = with_messages(2);
    let last = *frames(&history.disk, FIRST).last().unwrap();
    history
        .disk
        .tamper(FIRST, |bytes| bytes.truncate(last - 100));
    let full = |at| Some(Fault::Fail(at, io::ErrorKind::StorageFull));
    for start in 0..30 {
        history.disk.set_fault(full(start % 5));
        let _ = history.try_open_again();
        history.disk.set_fault(None);
        assert!(history.disk.file_names().len() <= 3, "{start}");
    }
    history.store();
    assert!(history.disk.file_names().len() <= 3);
    assert!(!history.disk.file_names().contains(&"cut.part".to_owned()));
}

#[test]
fn a_segment_that_lost_its_end_costs_only_what_was_there() {
    // Segments hold 48 KiB in these tests.
    let history = with_messages(40);
    let first = frames(&history.disk, FIRST);
    let last_two = first[first.len() - 2];
    history.disk.tamper(FIRST, |bytes| bytes.truncate(last_two));
    let store = history.open_damaged();
    assert_eq!(store.recovery().fenced.len(), 1);
    assert_eq!(store.recovery().fenced[0].frames, 2);
    assert_eq!(inbox_len(&store), 38);
    store.close().unwrap();
    // Cut in the middle of a frame.
    let history = with_messages(40);
    history
        .disk
        .tamper(FIRST, |bytes| bytes.truncate(last_two + 70));
    let store = history.open_damaged();
    assert_eq!(store.recovery().fenced[0].frames, 2);
    assert_eq!(inbox_len(&store), 38);
}

#[test]
fn a_damaged_header_of_a_segment_costs_nothing() {
    let mut history = with_messages(40);
    for name in [FIRST, SECOND] {
        history.disk.tamper(name, |bytes| bytes[17] ^= 1);
        let store = history.open_damaged();
        assert_eq!(store.recovery().fenced, []);
        store.close().unwrap();
        history.check();
        history.close(&None);
        history.forget_index();
    }
}

#[test]
fn a_missing_segment_is_named() {
    let history = with_messages(40);
    history.disk.remove(FIRST);
    let refused = history.try_open_again();
    let Err(OpenError::BadLog { reason, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(reason, "segment 1 is missing");
}

#[test]
fn a_segment_of_another_store_is_refused() {
    let history = with_messages(40);
    let other = with_messages(40);
    history
        .disk
        .tamper(SECOND, |bytes| *bytes = other.disk.get(SECOND));
    let refused = history.try_open_again();
    assert!(
        matches!(refused, Err(OpenError::BadLog { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    for segment in [true, false] {
        let history = with_messages(2);
        let store = history.disk.get(FIRST)[16..32].to_vec();
        let third = frames(&history.disk, FIRST)[2];
        history.disk.tamper(FIRST, |bytes| {
            let (at, salt) = match segment {
                true => (0, &[][..]),
                false => (third, &store[..]),
            };
            let version = if segment { at + 8 } else { at + 4 };
            bytes[version] = 3;
            let check = crc(&[salt, &bytes[at..at + 60]]);
            bytes[at + 60..at + 64].copy_from_slice(&check.to_le_bytes());
        });
        let before = history.disk.get(FIRST);
        let refused = history.try_open_again();
        let newer = matches!(refused, Err(OpenError::NewerFormat { found: 3, .. }));
        assert!(newer, "{refused:?}");
        assert_eq!(history.disk.get(FIRST), before);
        assert_eq!(history.disk.file_names(), [FIRST]);
    }
}

#[test]
fn a_log_older_than_the_index_is_reported_and_its_numbers_are_not_given_again() {
    let mut history = with_messages(2);
    let older = history.disk.get(FIRST);
    // More than an end that was torn could lack.
    for seed in 9..15 {
        history.step(&save(seed));
    }
    let next = history.model.users[&0].1.counter;
    history.close_keeping_index();
    let index = dump(&*history.index().unwrap());
    history.disk.tamper(FIRST, |bytes| bytes.clone_from(&older));
    for _ in 0..2 {
        let refused = history.try_open_again();
        let early = matches!(
            refused,
            Err(OpenError::LogEndsEarly {
                known: 10,
                segment: 1,
                ..
            })
        );
        assert!(early, "{refused:?}");
        assert_eq!(history.disk.file_names(), [FIRST]);
        assert_eq!(history.disk.get(FIRST), older, "nothing is changed");
        assert_eq!(dump(&*history.index().unwrap()), index);
    }
    history.accept_loss = true;
    let store = history.open_damaged();
    let fenced = &store.recovery().fenced;
    assert_eq!(fenced.len(), 1);
    assert!(store.recovery().index_rebuilt);
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert!(mailbox.reserve_ids(1).unwrap().0 >= next);
    assert_eq!(inbox_len(&store), 2);
}

#[test]
fn a_failed_fsync_or_write_makes_the_store_read_only_for_good() {
    for fault in [
        Fault::Fail(0, io::ErrorKind::Other),
        Fault::Fail(1, io::ErrorKind::StorageFull),
    ] {
        let mut history = with_messages(1);
        let store = history.store();
        history.disk.set_fault(Some(fault));
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        let message = Message::default;
        let save = || mailbox.save_message(new_message(message()));
        for _ in 0..3 {
            let refused = save();
            assert!(
                matches!(refused, Err(StoreError::ReadOnly { .. })),
                "{refused:?}"
            );
        }
        let refused = store.add_user(new_user(5));
        assert!(matches!(refused, Err(StoreError::ReadOnly { .. })));
        assert_eq!(inbox_len(&store), 1, "readers go on");
        assert!(store.user_by_email("u5@example.test").is_none());
    }
}

fn new_message(message: Message) -> SaveMessage {
    SaveMessage {
        folder: GlobCnt(INBOX),
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

#[test]
fn a_durable_commit_is_one_write_and_one_fsync() {
    let mut history = with_messages(1);
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let before = history.disk.counts();
    for _ in 0..5 {
        mailbox
            .save_message(new_message(Message::default()))
            .unwrap();
    }
    let after = history.disk.counts();
    assert_eq!((after.0 - before.0, after.1 - before.1), (5, 5));
}

#[test]
fn a_closed_store_takes_no_changes_and_opens_with_nothing_to_catch_up_but_its_mark() {
    let mut history = with_messages(3);
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    history.close_keeping_index();
    let refused = mailbox.save_message(new_message(Message::default()));
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
    store.close().unwrap();
    let again = history.store();
    assert!(!again.recovery().index_rebuilt);
    assert_eq!(again.recovery().frames_replayed, 0);
    assert_eq!(inbox_len(&again), 3);
}

#[test]
fn a_folder_whose_properties_are_damaged_stays_within_reach() {
    let mut history = with_messages(1);
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let folder = create(&mailbox, "Precious").unwrap();
    mailbox
        .save_message(SaveMessage {
            folder,
            ..new_message(Message::default())
        })
        .unwrap();
    drop((mailbox, store));
    history.close_keeping_index();
    history.disk.tamper(FIRST, |bytes| {
        let name: Vec<u8> = "Precious"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let at = bytes.windows(name.len()).position(|part| part == name);
        bytes[at.unwrap()] ^= 1;
    });
    let store = history.open_damaged();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let found = mailbox.folder(folder).unwrap();
    let name = found.props.get_text(tags::PID_TAG_DISPLAY_NAME).unwrap();
    assert!(name.starts_with("Damaged folder"), "{name}");
    let contents = mailbox.contents(folder, ContentsView::Normal).unwrap();
    assert_eq!(contents.len(), 1);
}

fn create(mailbox: &Mailbox, name: &str) -> Result<GlobCnt, StoreError> {
    let folder = mailbox.create_folder(NewFolder {
        parent: GlobCnt(ROOT),
        kind: FolderKind::Generic,
        props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]),
    });
    folder.map(|folder| folder.id)
}

#[test]
fn names_and_messages_have_bounds() {
    let mut history = with_messages(0);
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    assert!(create(&mailbox, &"n".repeat(255)).is_ok());
    assert!(matches!(
        create(&mailbox, &"n".repeat(256)),
        Err(StoreError::TooLarge)
    ));
    assert!(matches!(create(&mailbox, ""), Err(StoreError::Invalid(_))));
    let mut deep = Message::default();
    for _ in 0..33 {
        let attachment = crate::Attachment {
            embedded: Some(Box::new(deep)),
            ..crate::Attachment::default()
        };
        deep = Message {
            attachments: vec![attachment],
            ..Message::default()
        };
    }
    let refused = mailbox.save_message(new_message(deep));
    assert!(matches!(refused, Err(StoreError::TooDeep)), "{refused:?}");
}

#[test]
fn the_modification_time_moves_on_unless_the_caller_sets_it() {
    let mut history = with_messages(0);
    let store = history.store();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let time = |n| PropValue::Time(ropewalk_props::FileTime(n));
    let first = mailbox
        .save_message(new_message(Message::default()))
        .unwrap();
    history.tick_clock();
    let stored = mailbox.read_message(&first).unwrap().to_message();
    let again = |mut message: Message, set: Option<u64>| {
        if let Some(n) = set {
            let tag = tags::PID_TAG_LAST_MODIFICATION_TIME;
            message.props.set(tag, &time(n));
        }
        let save = SaveMessage {
            id: Some(first.id),
            ..new_message(message)
        };
        mailbox.save_message(save).unwrap().modified.0
    };
    assert!(again(stored.clone(), None) > first.modified.0);
    assert_eq!(again(stored, Some(77)), 77);
}

fn options(index: IndexKind) -> StoreOptions {
    StoreOptions {
        index,
        ..StoreOptions::default()
    }
}

fn fill(dir: &Path, count: usize) {
    let store = Store::open(dir, options(IndexKind::Sled)).unwrap();
    if store.users().is_empty() {
        store.add_user(new_user(0)).unwrap();
    }
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    for _ in 0..count {
        mailbox
            .save_message(new_message(Message::default()))
            .unwrap();
    }
    store.close().unwrap();
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_dir(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[test]
fn an_index_that_is_gone_older_foreign_suspect_or_garbage_is_replaced() {
    let root = tempfile::tempdir().unwrap();
    let (dir, other) = (root.path().join("a"), root.path().join("b"));
    let (index, older) = (dir.join("index"), root.path().join("older"));
    fill(&other, 9);
    fill(&dir, 2);
    copy_dir(&index, &older);
    fill(&dir, 3);
    let replaced: [(bool, &dyn Fn()); 5] = [
        (true, &|| fs::remove_dir_all(&index).unwrap()),
        (false, &|| {
            fs::remove_dir_all(&index).unwrap();
            copy_dir(&older, &index);
        }),
        (true, &|| {
            fs::remove_dir_all(&index).unwrap();
            copy_dir(&other.join("index"), &index);
        }),
        (true, &|| fs::write(dir.join("index.suspect"), b"").unwrap()),
        (true, &|| {
            for entry in fs::read_dir(&index).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let garbage = vec![0x5A; fs::metadata(&path).unwrap().len() as usize];
                    fs::write(&path, garbage).unwrap();
                }
            }
        }),
    ];
    for (number, (rebuilt, change)) in replaced.iter().enumerate() {
        change();
        let store = Store::open(&dir, options(IndexKind::Sled)).unwrap();
        assert_eq!(store.recovery().index_rebuilt, *rebuilt, "case {number}");
        assert_eq!(inbox_len(&store), 5, "case {number}");
        store.close().unwrap();
        let again = Store::open(&dir, options(IndexKind::Sled)).unwrap();
        assert!(!again.recovery().index_rebuilt, "case {number}");
        again.close().unwrap();
    }
}

#[test]
fn a_directory_is_opened_once_here_and_in_other_processes() {
    if let Some(dir) = std::env::var_os("ROPEWALK_OPEN_IN_CHILD") {
        let refused = Store::open(Path::new(&dir), options(IndexKind::Memory));
        assert!(
            matches!(refused, Err(OpenError::InUse { .. })),
            "{refused:?}"
        );
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), options(IndexKind::Memory)).unwrap();
    let refused = Store::open(dir.path(), options(IndexKind::Memory));
    assert!(matches!(refused, Err(OpenError::InUse { .. })));
    let name = "tests::recovery::a_directory_is_opened_once_here_and_in_other_processes";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env("ROPEWALK_OPEN_IN_CHILD", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
    store.close().unwrap();
    Store::open(dir.path(), options(IndexKind::Memory)).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let refused = Store::open(&file.join("store"), options(IndexKind::Memory)).unwrap_err();
    assert!(
        refused.to_string().contains("file is not a directory"),
        "{refused}"
    );
}

#[test]
fn an_index_with_a_damaged_user_is_made_anew_at_once() {
    let mut history = with_messages(2);
    history.close_keeping_index();
    history.damage_index(|key| key[0] == 2, Some(&[1, 2, 3, 4, 5]));
    let store = history.store();
    assert!(store.recovery().index_rebuilt);
    history.check();
}

#[test]
fn an_index_that_lacks_a_message_or_has_a_damaged_one_is_distrusted() {
    for value in [None, Some(&[9, 9, 9, 9, 9][..])] {
        let mut history = with_messages(2);
        history.close_keeping_index();
        let mut seen = 0;
        let first = |key: &[u8]| key[0] == 0x10 && key[17] == 4 && key.len() == 30;
        history.damage_index(first, value);
        let store = history.store();
        let mailbox = store.mailbox(guid_of(0)).unwrap();
        assert!(!history.suspects_index());
        if let Ok(contents) = mailbox.contents(GlobCnt(INBOX), ContentsView::Normal) {
            seen = contents.len();
        }
        assert_eq!(seen, 0);
        assert!(history.suspects_index());
    }
}

#[test]
fn blob_ids_of_one_run_are_never_those_of_the_next() {
    let mut history = with_messages(1);
    let store = history.store();
    let mut last = 0;
    let refused = loop {
        match store.core().new_blob_id() {
            Ok(id) => last = last.max(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::TooMany));
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    mailbox
        .save_message(new_message(Message::default()))
        .unwrap();
    assert_eq!(store.core().new_blob_id().unwrap(), last + 1);
    drop((mailbox, store));
    history.crash(&None);
    assert!(history.store().core().new_blob_id().unwrap() > last);
}
