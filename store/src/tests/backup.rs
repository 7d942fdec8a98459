//! Backups of stores that work, and what is restored from them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use ropewalk_props::{BagView, GlobCnt, PropValue, tags};

use super::{
    content::MessageSpec,
    disk::{Fault, SimDisk},
    fixture,
    history::{History, MailboxOp, Op, guid_of, new_user, random_op},
    model::{INBOX, Model},
};
use crate::{
    BackupReport, ContentsView, Durability, IndexKind, MasterKey, Message, OpenError, RestorePoint,
    RestoreReport, SaveMessage, Store, StoreOptions, UpkeepError,
    disk::OsDisk,
    list_backups,
    open::Tuning,
    upkeep::{backup::back_up, restore::restore_on},
};

/// How far counters move on when commits may have been taken back.
const LOST_NUMBERS: u64 = 1 << 26;

fn quiet(_: crate::Progress) {}

/// A simulated disk with the directory that its locks are in.
struct Place {
    disk: SimDisk,
    dir: tempfile::TempDir,
}

impl Place {
    fn new(seed: u64) -> Self {
        Self {
            disk: SimDisk::new(seed),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn back_up(&self, store: &Store) -> Result<BackupReport, UpkeepError> {
        back_up(store.core(), &self.disk, self.dir.path(), &mut quiet)
    }

    fn restore(&self, from: &Place, point: RestorePoint) -> Result<RestoreReport, UpkeepError> {
        let from = (&from.disk as _, from.dir.path());
        restore_on(from, (&self.disk, self.dir.path()), point, &mut quiet)
    }
}

/// What the model is after a restore.
fn moved_on(model: &Model) -> Model {
    let mut model = model.clone();
    for (_, mailbox) in model.users.values_mut() {
        mailbox.counter += LOST_NUMBERS;
    }
    model
}

/// A restored store is as the model has it.
fn check_restored(history: &mut History, place: &Place, model: &Model, what: &str) {
    let store = history.open_other(&place.disk, place.dir.path());
    let store = store.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(store.recovery().fenced, [], "{what}");
    assert_eq!(store.recovery().tail_bytes_cut, 0, "{what}");
    let checked = moved_on(model).check(&store);
    checked.unwrap_or_else(|error| panic!("{what}: {error}"));
    store.close().unwrap();
}

fn step_random(history: &mut History) {
    let op = random_op(&mut history.random, &history.model);
    history.step(&op);
}

fn save(seed: u64) -> Op {
    let spec = MessageSpec {
        seed,
        body: 2000,
        recipients: 1,
        attachments: 0,
        nested: false,
        blob: None,
    };
    Op::In(
        0,
        MailboxOp::Save {
            folder: INBOX,
            associated: false,
            specs: vec![spec],
        },
    )
}

#[test]
fn each_commit_and_each_moment_is_restored_from_one_backup() {
    for seed in 1..4 {
        let mut history = History::new(seed, Durability::Always);
        history.step(&Op::AddUser(0));
        let mut moments = Vec::new();
        for _ in 0..60 {
            step_random(&mut history);
            let lsn = history.store().core().log.last_lsn();
            moments.push((lsn, history.now(), history.model.clone()));
        }
        let backups = Place::new(seed);
        let report = backups.back_up(&history.store()).unwrap();
        assert_eq!((report.backup.min_lsn, report.damage.len()), (0, 0));
        assert_eq!(report.bytes_copied, report.backup.bytes);
        for (lsn, time, model) in &moments {
            let place = Place::new(seed);
            let report = place.restore(&backups, RestorePoint::Lsn(*lsn)).unwrap();
            assert_eq!(report.lsn, *lsn);
            check_restored(
                &mut history,
                &place,
                model,
                &format!("seed {seed} commit {lsn}"),
            );
            let place = Place::new(seed);
            let report = place.restore(&backups, RestorePoint::Time(*time)).unwrap();
            assert!(report.lsn <= *lsn && report.time <= *time);
            check_restored(
                &mut history,
                &place,
                model,
                &format!("seed {seed} time {time:?}"),
            );
        }
    }
}

#[test]
fn a_second_backup_copies_only_what_is_new() {
    let mut history = History::new(3, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..60 {
        history.step(&save(seed));
    }
    let backups = Place::new(3);
    let first = backups.back_up(&history.store()).unwrap();
    assert!(first.backup.files >= 3, "{first:?}");
    let before = history.model.clone();
    history.step(&save(100));
    let second = backups.back_up(&history.store()).unwrap();
    assert_eq!(
        second.bytes_copied + second.bytes_shared,
        second.backup.bytes
    );
    assert_eq!(second.bytes_shared, first.backup.bytes);
    assert!(second.bytes_copied < 8 << 10, "{second:?}");
    let third = backups.back_up(&history.store()).unwrap();
    assert_eq!(
        (third.bytes_copied, third.backup.lsn),
        (0, second.backup.lsn)
    );
    // All are still there.
    for (point, model) in [
        (RestorePoint::Latest, &history.model.clone()),
        (RestorePoint::Lsn(first.backup.lsn), &before),
    ] {
        let place = Place::new(3);
        place.restore(&backups, point).unwrap();
        check_restored(&mut history, &place, model, &format!("{point:?}"));
    }
}

#[test]
fn a_store_that_went_another_way_since_a_backup_does_not_spoil_that_one() {
    let mut history = History::new(4, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..25 {
        history.step(&save(seed));
    }
    let backups = Place::new(4);
    let early = backups.back_up(&history.store()).unwrap();
    let early_model = history.model.clone();
    for seed in 25..60 {
        history.step(&save(seed));
    }
    let late = backups.back_up(&history.store()).unwrap();
    let late_model = history.model.clone();
    // The store is restored to the earlier moment and goes on from there.
    let place = Place::new(5);
    place
        .restore(&backups, RestorePoint::Lsn(early.backup.lsn))
        .unwrap();
    let store = history.open_other(&place.disk, place.dir.path()).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    for _ in 0..80 {
        let message = Message::default();
        let saved = mailbox.save_message(new_message(message)).unwrap();
        assert!(saved.cn.0 > late_model.users[&0].1.counter);
    }
    let other = backups.back_up(&store).unwrap();
    assert_eq!(other.damage, []);
    let again = backups.back_up(&store).unwrap();
    assert_eq!(again.bytes_copied, 0, "{again:?}");
    store.close().unwrap();
    drop((mailbox, store));
    for (number, lsn, model) in [
        (early.backup.number, early.backup.lsn, &early_model),
        (late.backup.number, late.backup.lsn, &late_model),
    ] {
        // Without the later ones, which reach that commit as well.
        let alone = Place::new(6);
        for name in backups.disk.file_names() {
            alone.disk.put(&name, &backups.disk.get(&name));
        }
        for path in [&early, &late, &other, &again].map(|report| &report.backup) {
            if path.number != number {
                alone
                    .disk
                    .remove(path.manifest.file_name().unwrap().to_str().unwrap());
            }
        }
        let place = Place::new(7);
        place.restore(&alone, RestorePoint::Lsn(lsn)).unwrap();
        check_restored(&mut history, &place, model, &format!("backup {number}"));
    }
    let place = Place::new(8);
    place.restore(&backups, RestorePoint::Latest).unwrap();
    let store = history.open_other(&place.disk, place.dir.path()).unwrap();
    let mailbox = store.mailbox(guid_of(0)).unwrap();
    let contents = mailbox
        .contents(GlobCnt(INBOX), ContentsView::Normal)
        .unwrap();
    assert_eq!(contents.len(), 25 + 80);
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

type FaultAt = fn(u64) -> Fault;
const FAULTS: [FaultAt; 3] = [
    Fault::Stop,
    |at| Fault::Fail(at, io::ErrorKind::Other),
    |at| Fault::Fail(at, io::ErrorKind::StorageFull),
];

#[test]
fn a_backup_that_is_interrupted_at_any_disk_call_spoils_no_other_and_is_completed_by_the_next() {
    let mut history = History::new(9, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..30 {
        history.step(&save(seed));
    }
    let first = Place::new(9);
    let report = first.back_up(&history.store()).unwrap();
    let first_model = history.model.clone();
    for seed in 30..50 {
        history.step(&save(seed));
    }
    for fault in FAULTS {
        for at in 0.. {
            let place = Place {
                disk: first.disk.copy(),
                dir: tempfile::tempdir().unwrap(),
            };
            place.disk.set_fault(Some(fault(at)));
            let done = place.back_up(&history.store());
            match at % 2 {
                0 => place.disk.power_failure(),
                _ => place.disk.kill(),
            }
            let restored = Place::new(10);
            restored
                .restore(&place, RestorePoint::Lsn(report.backup.lsn))
                .unwrap();
            check_restored(
                &mut history,
                &restored,
                &first_model,
                &format!("the first, {at}"),
            );
            let again = place.back_up(&history.store()).unwrap();
            assert_eq!(again.damage, []);
            let restored = Place::new(11);
            restored.restore(&place, RestorePoint::Latest).unwrap();
            let model = history.model.clone();
            check_restored(
                &mut history,
                &restored,
                &model,
                &format!("the second, {at}"),
            );
            if done.is_ok() {
                assert!(at > 8, "a backup has more calls than that");
                break;
            }
        }
    }
}

#[test]
fn what_an_interrupted_backup_copied_is_not_copied_again() {
    let mut history = History::new(12, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..80 {
        history.step(&save(seed));
    }
    let whole = Place::new(12).back_up(&history.store()).unwrap();
    let place = Place::new(12);
    place.disk.set_fault(Some(Fault::Stop(12)));
    assert!(place.back_up(&history.store()).is_err());
    place.disk.kill();
    let again = place.back_up(&history.store()).unwrap();
    assert_eq!(again.bytes_copied + again.bytes_shared, whole.bytes_copied);
    assert!(again.bytes_shared > 40 << 10, "{again:?}");
}

#[test]
fn a_restore_that_is_interrupted_at_any_disk_call_is_refused_and_done_again() {
    let mut history = History::new(13, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..40 {
        history.step(&save(seed));
    }
    let backups = Place::new(13);
    backups.back_up(&history.store()).unwrap();
    let model = history.model.clone();
    for fault in FAULTS {
        for at in 0.. {
            let place = Place::new(14);
            place.disk.set_fault(Some(fault(at)));
            let done = place.restore(&backups, RestorePoint::Latest);
            match at % 2 {
                0 => place.disk.power_failure(),
                _ => place.disk.kill(),
            }
            let begun = place
                .disk
                .file_names()
                .iter()
                .any(|name| name.ends_with(".seg"));
            let opened = begun.then(|| history.open_other(&place.disk, place.dir.path()));
            match opened {
                Some(Ok(store)) => {
                    moved_on(&model).check(&store).unwrap();
                    store.close().unwrap();
                }
                Some(Err(OpenError::HalfRestored { .. })) | None => {
                    place.restore(&backups, RestorePoint::Latest).unwrap();
                    check_restored(&mut history, &place, &model, &format!("{at}"));
                }
                Some(Err(error)) => panic!("{error}"),
            }
            if done.is_ok() {
                assert!(at > 8, "a restore has more calls than that");
                break;
            }
        }
    }
}

#[test]
fn a_flipped_bit_in_a_backup_is_found_and_named() {
    let mut history = History::new(15, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..40 {
        history.step(&save(seed));
    }
    let backups = Place::new(15);
    let report = backups.back_up(&history.store()).unwrap();
    for _ in 0..20 {
        let damaged = Place {
            disk: backups.disk.copy(),
            dir: tempfile::tempdir().unwrap(),
        };
        let (name, _) = damaged.disk.flip_a_bit();
        let refused = Place::new(16).restore(&damaged, RestorePoint::Latest);
        let Err(UpkeepError::BadBackup { path, reason }) = refused else {
            panic!("{refused:?}")
        };
        assert!(path.ends_with(&name), "{path:?}");
        assert_eq!(reason, "its checksum is wrong");
    }
    let manifest = report
        .backup
        .manifest
        .file_name()
        .unwrap()
        .to_str()
        .unwrap();
    backups.disk.tamper(manifest, |bytes| {
        let at = bytes
            .windows(5)
            .position(|part| part == b"\"lsn\"")
            .unwrap();
        bytes[at + 7] ^= 1;
    });
    let refused = Place::new(16).restore(&backups, RestorePoint::Latest);
    let Err(UpkeepError::BadBackup { path, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(path.ends_with(manifest));
}

#[test]
fn damage_in_the_store_is_reported_and_a_good_earlier_copy_is_kept() {
    let mut history = History::new(17, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..30 {
        history.step(&save(seed));
    }
    let names = |disk: &SimDisk| -> Vec<String> {
        let names = disk.file_names().into_iter();
        names.filter(|name| name.ends_with(".seg")).collect()
    };
    let backups = Place::new(17);
    backups.back_up(&history.store()).unwrap();
    let copied = names(&history.disk);
    let growing = copied.last().unwrap().clone();
    for seed in 30..34 {
        history.step(&save(seed));
    }
    // In the part of the last segment that the backup has, and at the end of a whole one.
    history.disk.tamper(&growing, |bytes| bytes[300] ^= 1);
    history.disk.tamper(&copied[0], |bytes| {
        let at = bytes.len() - 200;
        bytes[at] ^= 1;
    });
    let report = backups.back_up(&history.store()).unwrap();
    let mut found: Vec<&str> = report
        .damage
        .iter()
        .map(|damage| damage.file.as_str())
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [format!("log/{}", copied[0]), format!("log/{growing}")]
    );
    assert_eq!(report.backup.damaged, 0, "nothing is lost");
    let place = Place::new(18);
    place.restore(&backups, RestorePoint::Latest).unwrap();
    let model = history.model.clone();
    check_restored(&mut history, &place, &model, "from the good copies");
    // A new backup has the damage and says so.
    let other = Place::new(19);
    let report = other.back_up(&history.store()).unwrap();
    assert_eq!((report.damage.len(), report.backup.damaged), (2, 2));
    let place = Place::new(20);
    let restored = place.restore(&other, RestorePoint::Latest).unwrap();
    assert_eq!(restored.damaged, 2);
    let store = history.open_other(&place.disk, place.dir.path()).unwrap();
    assert_eq!(store.recovery().fenced.len(), 2);
}

#[test]
fn the_fixture_of_format_1_is_backed_up_and_restored() {
    let mut history = History::new(21, Durability::Always);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(fixture::PATH);
    history.disk.put(fixture::NAME, &fs::read(path).unwrap());
    for (index, op) in fixture::ops().iter().enumerate() {
        history.model.apply(op, index as u64 + 1).unwrap();
    }
    let backups = Place::new(21);
    let report = backups.back_up(&history.store()).unwrap();
    assert_eq!(report.damage, []);
    assert_eq!(
        report.backup.min_time, None,
        "frames of format 1 have no time"
    );
    let place = Place::new(22);
    place.restore(&backups, RestorePoint::Latest).unwrap();
    let model = history.model.clone();
    check_restored(&mut history, &place, &model, "format 1");
    // Moments from the first commit of format 2 on can be had.
    history.step(&save(1));
    let (time, model) = (history.now(), history.model.clone());
    history.step(&save(2));
    let report = backups.back_up(&history.store()).unwrap();
    assert_eq!(report.backup.min_time, Some(time));
    let place = Place::new(22);
    place.restore(&backups, RestorePoint::Time(time)).unwrap();
    check_restored(&mut history, &place, &model, "format 2 after 1");
    let before = ropewalk_props::FileTime(time.0 - 1);
    let refused = Place::new(22).restore(&backups, RestorePoint::Time(before));
    assert!(
        matches!(refused, Err(UpkeepError::OutOfReach { .. })),
        "{refused:?}"
    );
}

fn open(dir: &Path) -> Store {
    let options = StoreOptions {
        index: IndexKind::Memory,
        compaction: crate::Compaction::Manual,
        ..StoreOptions::default()
    };
    let tuning = Tuning {
        segment_bytes: 64 << 10,
        ..Tuning::new(Arc::new(OsDisk))
    };
    Store::open_with(dir, options, tuning).unwrap()
}

fn numbered(number: u64) -> SaveMessage {
    let mut message = Message::default();
    let value = PropValue::Integer64(number as i64);
    message
        .props
        .set(tags::PID_TAG_MESSAGE_SIZE_EXTENDED, &value);
    new_message(message)
}

#[test]
fn backups_made_while_four_threads_write_have_all_that_was_acknowledged_before() {
    const MAILBOXES: u64 = 4;
    let dir = tempfile::tempdir().unwrap();
    let (data, backups) = (dir.path().join("data"), dir.path().join("backups"));
    let store = open(&data);
    for number in 0..MAILBOXES {
        store.add_user(new_user(number)).unwrap();
    }
    let saved: [AtomicU64; MAILBOXES as usize] = Default::default();
    let done = AtomicBool::new(false);
    let counts = || saved.each_ref().map(|saved| saved.load(Ordering::SeqCst));
    let mut reports = Vec::new();
    std::thread::scope(|scope| {
        for (number, saved) in saved.iter().enumerate() {
            let (store, done) = (&store, &done);
            scope.spawn(move || {
                let mailbox = store.mailbox(guid_of(number as u64)).unwrap();
                while !done.load(Ordering::Relaxed) {
                    let next = saved.load(Ordering::SeqCst);
                    mailbox.save_message(numbered(next)).unwrap();
                    saved.store(next + 1, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..4 {
            let begun = counts();
            // Something is to happen between two of them.
            while counts()
                .iter()
                .zip(begun)
                .any(|(now, begun)| *now < begun + 20)
            {
                std::thread::yield_now();
            }
            let before = counts();
            let report = store.backup(&backups, &mut quiet).unwrap();
            reports.push((before, report, counts()));
        }
        done.store(true, Ordering::Relaxed);
    });
    store.close().unwrap();
    let listed = list_backups(&backups).unwrap();
    assert_eq!(listed.backups.len(), 4);
    for (index, (before, report, after)) in reports.iter().enumerate() {
        assert_eq!(listed.backups[index], report.backup);
        assert!(index == 0 || report.bytes_shared > 0);
        let to = dir.path().join(format!("restored {index}"));
        let point = RestorePoint::Lsn(report.backup.lsn);
        crate::restore(&backups, &to, point, &mut quiet).unwrap();
        let store = open(&to);
        for number in 0..MAILBOXES {
            let mailbox = store.mailbox(guid_of(number)).unwrap();
            let contents = mailbox
                .contents(GlobCnt(INBOX), ContentsView::Normal)
                .unwrap();
            let len = contents.len() as u64;
            let bounds = (before[number as usize], after[number as usize] + 1);
            assert!(len >= bounds.0 && len <= bounds.1, "{len} {bounds:?}");
            for (expected, entry) in contents.iter().enumerate() {
                let stored = mailbox.read_message(entry).unwrap();
                let tag = tags::PID_TAG_MESSAGE_SIZE_EXTENDED;
                let found = stored.view().props.get(tag).unwrap().to_value();
                assert_eq!(found, Some(PropValue::Integer64(expected as i64)));
            }
        }
        store.close().unwrap();
    }
}

#[test]
fn backups_are_private_and_refuse_wrong_places_and_moments_with_a_sentence() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let store = open(&path("one"));
    store.add_user(new_user(0)).unwrap();
    let other = open(&path("two"));
    let refused = list_backups(&path("nowhere"));
    assert!(matches!(refused, Err(UpkeepError::Io { .. })));
    let report = store.backup(&path("backups"), &mut quiet).unwrap();
    let mut files: Vec<PathBuf> = vec![report.backup.manifest.clone()];
    let stored = fs::read_dir(path("backups").join("files")).unwrap();
    files.extend(stored.map(|entry| entry.unwrap().path()));
    assert_eq!(files.len(), 2);
    for file in files {
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
    let refused = other.backup(&path("backups"), &mut quiet).unwrap_err();
    assert!(
        matches!(refused, UpkeepError::AnotherStore { .. }),
        "{refused}"
    );
    let refused = store.backup(&path("two"), &mut quiet).unwrap_err();
    assert!(
        matches!(refused, UpkeepError::HoldsStore { .. }),
        "{refused}"
    );
    let refused = store
        .backup(&path("one").join("x"), &mut quiet)
        .unwrap_err();
    assert!(
        matches!(refused, UpkeepError::InsideStore { .. }),
        "{refused}"
    );
    let restore = |to: &str, point| crate::restore(&path("backups"), &path(to), point, &mut quiet);
    let refused = restore("two", RestorePoint::Latest).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    other.close().unwrap();
    let refused = restore("two", RestorePoint::Latest).unwrap_err();
    assert!(matches!(refused, UpkeepError::NotEmpty { .. }), "{refused}");
    let refused = restore("three", RestorePoint::Lsn(77)).unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("no backup reaches commit 77") && said.contains("commits 1 to 1"),
        "{said}"
    );
    assert!(!path("three").exists(), "nothing was begun");
    let refused = restore("three", RestorePoint::Time(ropewalk_props::FileTime(5))).unwrap_err();
    assert!(refused.to_string().contains("1601-01-01"), "{refused}");
    fs::create_dir(path("empty")).unwrap();
    let refused = crate::restore(
        &path("empty"),
        &path("three"),
        RestorePoint::Latest,
        &mut quiet,
    );
    assert!(
        matches!(refused, Err(UpkeepError::NoBackup { .. })),
        "{refused:?}"
    );
    restore("three", RestorePoint::Latest).unwrap();
}

#[test]
fn files_that_only_a_deleted_manifest_named_are_removed_by_the_next_backup() {
    let mut history = History::new(23, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..20 {
        history.step(&save(seed));
    }
    let backups = Place::new(23);
    let first = backups.back_up(&history.store()).unwrap();
    let manifest = first.backup.manifest.file_name().unwrap().to_str().unwrap();
    // A file that the store does not have any more.
    backups.disk.put("00000077.seg", b"gone");
    backups.disk.put("notes.txt", b"not ours");
    backups.disk.remove(manifest);
    let second = backups.back_up(&history.store()).unwrap();
    assert_eq!(second.files_removed, 1);
    let names = backups.disk.file_names();
    assert!(names.contains(&"notes.txt".to_owned()) && !names.contains(&"00000077.seg".to_owned()));
}

#[test]
fn a_damaged_copy_of_an_earlier_backup_is_found_in_time_and_made_anew() {
    let mut history = History::new(24, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..50 {
        history.step(&save(seed));
    }
    let backups = Place::new(24);
    let first = backups.back_up(&history.store()).unwrap();
    let whole = backups.disk.get("00000001.seg");
    backups
        .disk
        .tamper("00000001.seg", |bytes| bytes[5000] ^= 1);
    let mut found = Vec::new();
    for _ in 0..16 {
        let report = backups.back_up(&history.store()).unwrap();
        found.extend(report.damage.into_iter().map(|damage| damage.file));
    }
    assert_eq!(found, ["files/00000001.seg"]);
    assert!(backups.disk.get("00000001.seg") == whole);
    let place = Place::new(25);
    place
        .restore(&backups, RestorePoint::Lsn(first.backup.lsn))
        .unwrap();
    let model = history.model.clone();
    check_restored(&mut history, &place, &model, "mended");
}

#[test]
fn files_that_a_manifest_of_a_newer_version_names_are_left_alone() {
    let mut history = History::new(26, Durability::Always);
    history.step(&Op::AddUser(0));
    for seed in 0..50 {
        history.step(&save(seed));
    }
    let backups = Place::new(26);
    let first = backups.back_up(&history.store()).unwrap();
    let manifest = first.backup.manifest.file_name().unwrap().to_str().unwrap();
    backups.disk.tamper(manifest, |bytes| {
        let at = bytes
            .windows(8)
            .position(|part| part == b"\"format\"")
            .unwrap();
        bytes[at + 10] = b'9';
    });
    let before: Vec<_> = {
        let names = backups.disk.file_names().into_iter();
        names.map(|name| (backups.disk.get(&name), name)).collect()
    };
    for seed in 50..60 {
        history.step(&save(seed));
    }
    let second = backups.back_up(&history.store()).unwrap();
    assert_eq!((second.bytes_shared, second.files_removed), (0, 0));
    for (bytes, name) in before {
        assert!(backups.disk.get(&name) == bytes, "{name}");
    }
    let place = Place::new(27);
    place.restore(&backups, RestorePoint::Latest).unwrap();
    let model = history.model.clone();
    check_restored(&mut history, &place, &model, "beside the newer one");
}

#[test]
fn an_encrypted_store_is_backed_up_and_restored_with_the_key_of_that_time() {
    let key = |byte: u8| MasterKey::from_hex(&format!("{byte:02x}").repeat(32)).unwrap();
    let mut history = History::new(28, Durability::Always);
    history.step(&Op::AddUser(0));
    history.step(&save(1));
    history.close(&None);
    // Encrypted from here on.
    history.key = Some(key(7));
    let mut moments = Vec::new();
    for seed in 2..40 {
        history.step(&save(seed));
        moments.push((history.store().core().log.last_lsn(), history.model.clone()));
    }
    let backups = Place::new(28);
    let report = backups.back_up(&history.store()).unwrap();
    assert_eq!(report.damage, []);
    for (lsn, model) in moments.iter().step_by(5) {
        let place = Place::new(29);
        place.restore(&backups, RestorePoint::Lsn(*lsn)).unwrap();
        check_restored(&mut history, &place, model, &format!("commit {lsn}"));
    }
    let place = Place::new(30);
    place.restore(&backups, RestorePoint::Latest).unwrap();
    let given = history.key.take();
    let refused = history.open_other(&place.disk, place.dir.path());
    assert!(
        matches!(refused, Err(OpenError::KeyNeeded { .. })),
        "{refused:?}"
    );
    history.key = given;
    let store = history.open_other(&place.disk, place.dir.path()).unwrap();
    assert!(store.verify(&mut quiet).unwrap().is_ok());
}

#[test]
fn a_directory_that_is_half_restored_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let store = open(&path("data"));
    store.add_user(new_user(0)).unwrap();
    store.backup(&path("backups"), &mut quiet).unwrap();
    let restore = || {
        crate::restore(
            &path("backups"),
            &path("new"),
            RestorePoint::Latest,
            &mut quiet,
        )
    };
    restore().unwrap();
    for files in [2, 1, 0] {
        // As an interruption leaves it.
        fs::write(path("new").join("restore.part"), b"").unwrap();
        for number in files + 1..=2 {
            let _ = fs::remove_file(path("new").join(format!("log/{number:08}.seg")));
        }
        let refused = Store::open(&path("new"), StoreOptions::default());
        assert!(
            matches!(refused, Err(OpenError::HalfRestored { .. })),
            "{refused:?}"
        );
        let refused = crate::verify(&path("new"), &StoreOptions::default(), &mut quiet);
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("not restored whole"), "{said}");
    }
    restore().unwrap();
    let store = open(&path("new"));
    assert_eq!(store.users().len(), 1);
}
