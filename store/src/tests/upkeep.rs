//! Backups, restores and checks of stores whose files compaction replaces, through random histories.

use std::sync::Arc;

use super::{
    disk::{Fault, SimDisk},
    history::{History, Op, random_op},
    model::Model,
};
use crate::{
    DamageKind, Durability, MasterKey, RestorePoint, StoreOptions, VerifyReport,
    upkeep::{backup::back_up, restore::restore_on, verify::verify_on},
};

fn quiet(_: crate::Progress) {}

/// How far counters move on when commits may have been taken back.
const LOST_NUMBERS: u64 = 1 << 26;

fn checked(history: &History) -> VerifyReport {
    let options = StoreOptions {
        master_key: history.key.clone(),
        ..StoreOptions::default()
    };
    let disk = Arc::new(history.disk.clone());
    verify_on(disk, history.dir(), &options, &mut quiet).unwrap()
}

/// A moment that a backup has.
struct Moment {
    lsn: u64,
    model: Model,
}

fn check_restored(
    history: &mut History,
    backups: (&SimDisk, &std::path::Path),
    lsn: u64,
    model: &Model,
) {
    let dir = tempfile::tempdir().unwrap();
    let disk = SimDisk::new(lsn);
    let point = RestorePoint::Lsn(lsn);
    let restored = restore_on(
        (backups.0, backups.1),
        (&disk, dir.path()),
        point,
        &mut quiet,
    );
    restored.unwrap_or_else(|error| panic!("commit {lsn}: {error}"));
    let store = history.open_other(&disk, dir.path());
    let store = store.unwrap_or_else(|error| panic!("commit {lsn}: {error}"));
    assert_eq!(store.recovery().fenced, [], "commit {lsn}");
    let mut expected = model.clone();
    for (_, mailbox) in expected.users.values_mut() {
        mailbox.counter += LOST_NUMBERS;
    }
    let same = expected.check(&store);
    same.unwrap_or_else(|error| panic!("commit {lsn}: {error}"));
    store.close().unwrap();
}

/// A history with compactions, whose backups reach every commit since the last compaction before each.
fn live(seed: u64) {
    let mut history = History::new(seed, Durability::Always);
    if seed.is_multiple_of(2) {
        history.key = Some(MasterKey::from_hex(&"5a".repeat(32)).unwrap());
    }
    let backups = SimDisk::new(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut moments: Vec<Moment> = Vec::new();
    let mut reached: Vec<(u64, u64)> = Vec::new();
    history.step(&Op::AddUser(0));
    for round in 0..6 {
        for _ in 0..25 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
            let lsn = history.store().core().log.last_lsn();
            let model = history.model.clone();
            // What a commit is followed by without changing anything visible does not count.
            moments.push(Moment { lsn, model });
        }
        if round % 2 == 1 {
            let report = history
                .compact(history.random.clone().once_in(2), 0)
                .unwrap();
            assert!(report.damaged.is_empty());
            assert_eq!(history.store().verify(&mut quiet).unwrap().damage, []);
        }
        let store = history.store();
        if history.random.once_in(2) {
            // One that is interrupted first.
            backups.set_fault(Some(Fault::Stop(history.random.below(12))));
            let _ = back_up(store.core(), &backups, dir.path(), &mut quiet);
            backups.power_failure();
        }
        let report = back_up(store.core(), &backups, dir.path(), &mut quiet).unwrap();
        assert_eq!(report.damage, [], "seed {seed}");
        assert!(round == 0 || round % 2 == 1 || report.bytes_shared > 0);
        reached.push((report.backup.min_lsn, report.backup.lsn));
        drop(store);
        if history.random.once_in(3) {
            history.close(&None);
            let report = checked(&history);
            assert_eq!(
                (report.damage, report.torn_tail_bytes),
                (Vec::new(), 0),
                "seed {seed}"
            );
        }
    }
    let mut checks = 0;
    for moment in &moments {
        let within = |(min, max): &(u64, u64)| (*min..=*max).contains(&moment.lsn);
        if reached.iter().any(within) && history.random.once_in(4) {
            check_restored(
                &mut history,
                (&backups, dir.path()),
                moment.lsn,
                &moment.model,
            );
            checks += 1;
        }
    }
    assert!(checks > 5, "seed {seed}");
}

#[test]
fn random_histories_with_compactions_are_restored_to_any_commit_that_their_backups_reach() {
    let count = std::env::var("ROPEWALK_HISTORIES").ok();
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(6);
    for seed in 1..=count {
        eprintln!("seed {seed}");
        live(seed);
    }
}

#[test]
fn a_flipped_bit_of_a_compacted_store_is_found_and_named() {
    let mut packs = 0;
    for seed in 1..25 {
        let mut history = History::new(seed, Durability::Always);
        for _ in 0..60 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
        }
        history.compact(true, 0).unwrap();
        for _ in 0..5 {
            let op = random_op(&mut history.random, &history.model);
            history.step(&op);
        }
        history.close(&None);
        assert_eq!(checked(&history).damage, [], "seed {seed}");
        let (name, at) = history.disk.flip_a_bit();
        let report = checked(&history);
        packs += u32::from(name.contains('-'));
        let padding = name.contains('-') && report.is_ok();
        if report.torn_tail_bytes > 0 || padding {
            continue;
        }
        let file = format!("log/{name}");
        let found = report
            .damage
            .iter()
            .any(|damage| damage.file == file && damage.offset <= at);
        assert!(found, "seed {seed}: {name} {at}: {report:?}");
    }
    assert!(packs > 3, "{packs}");
}

#[test]
fn a_record_of_a_pack_that_is_damaged_names_what_it_was() {
    let mut history = History::new(40, Durability::Always);
    history.step(&Op::AddUser(0));
    for _ in 0..80 {
        let op = random_op(&mut history.random, &history.model);
        history.step(&op);
    }
    history.compact(true, 0).unwrap();
    history.close(&None);
    let names = history.disk.file_names();
    let packs = names.iter().filter(|name| name.contains("-0000"));
    let pack = packs
        .max_by_key(|name| history.disk.get(name).len())
        .unwrap();
    // The data of its first records.
    history.disk.tamper(pack, |bytes| {
        for at in (64 + 20..2000).step_by(64) {
            bytes[at] ^= 4;
        }
    });
    let report = checked(&history);
    let records = report
        .damage
        .iter()
        .filter(|damage| damage.kind == DamageKind::Record);
    assert!(records.count() > 0);
    let told = report
        .damage
        .iter()
        .find(|damage| !damage.affected.is_empty())
        .unwrap();
    assert_eq!(told.file, format!("log/{pack}"));
    assert!(told.affected[0].mailbox.is_some());
}
