//! Packs and checkpoints: what they hold, what is found of them when they are damaged, and what an
//! interruption leaves.

use std::{io, path::Path, sync::Arc, time::Duration};

use ropewalk_props::{FileTime, GlobCnt, Guid};

use super::{
    disk::{Fault, SimDisk},
    history::{History, Op as Step, guid_of, random_op},
};
use crate::{
    Durability, FencedFrame, OpenError, StoreError,
    crypto::{FileKey, Keyring},
    disk::{Disk, DiskFile},
    log::{
        Log, Purpose,
        checkpoint::{self, CHECKPOINT_SEGMENT, CheckpointWriter, Part},
        frame::{Location, Position, RECORD_HEADER, RecordKind, padding},
        pack::{FinishedPack, PACK_PART, PackWriter},
        recovery::{self, RecoveryError},
        segment::{Segments, Span},
    },
    open::rebuild_with,
    records::{Batch, Op},
};

const STORE: Guid = Guid([7; 16]);
const AT: FileTime = FileTime(1);

/// A log in segments of 4 KiB; made if there is none.
fn open(disk: &SimDisk) -> Result<Log, RecoveryError> {
    let segments = Segments::new(Arc::new(disk.clone()), "log".into())?;
    let identity = recovery::identify(&segments)?;
    recovery::tidy(&segments, &identity.leftovers)?;
    let tail = match identity.store {
        None => recovery::create(&segments, STORE)?,
        Some(store) => {
            let last = *segments.numbers().last().expect("the last one is no pack");
            let (header, _) = segments.header(last)?;
            let from = Position {
                segment: last,
                offset: 64,
                lsn: header.expect("a whole header").base_lsn,
            };
            let visit = |_: Position, _: &[u8]| Ok::<(), RecoveryError>(());
            recovery::recover(&segments, store, from, &mut |_| {}, visit)?.tail
        }
    };
    Ok(Log::new(segments, STORE, Durability::Always, 4096, tail))
}

/// The bytes of the chunk with this number.
fn bytes(number: usize) -> Vec<u8> {
    (0..900 + number % 50)
        .map(|at| (at * 7 + number) as u8)
        .collect()
}

/// Appends chunks, four of which fit into a segment.
fn fill(log: &Log, count: usize) -> Vec<Location> {
    (0..count)
        .map(|number| {
            let mut frame = log.frame();
            let relative = frame.add(RecordKind::Chunk, &bytes(number));
            let at = log.append(frame, AT, Purpose::Any, |_| {}).unwrap();
            log.sync(at.lsn).unwrap();
            relative.resolve(at)
        })
        .collect()
}

fn write(log: &Log, first: u32, last: u32, kept: &[Location]) -> Result<FinishedPack, StoreError> {
    let mut pack = PackWriter::create(log.segments(), first, last, STORE, 99, 0)?;
    for at in kept
        .iter()
        .filter(|at| (first..=last).contains(&at.segment))
    {
        pack.add(*at, &log.read_stored(*at)?.bytes)?;
    }
    Ok(pack.finish()?)
}

/// Puts a pack with these records in the place of segments.
fn pack(log: &Log, first: u32, last: u32, kept: &[Location]) -> Result<(), StoreError> {
    log.install_pack(write(log, first, last, kept)?)
}

fn check(log: &Log, all: &[Location], is_kept: impl Fn(usize) -> bool) {
    for (number, at) in all.iter().enumerate() {
        let found = log.read(*at, RecordKind::Chunk);
        match is_kept(number) {
            true => assert_eq!(found.unwrap()[RECORD_HEADER..], bytes(number)),
            false => assert!(matches!(found, Err(StoreError::Damaged { .. }))),
        }
        assert_eq!(log.contains(*at), is_kept(number), "{number}");
    }
}

fn names(log: &Log) -> Vec<String> {
    log.segments().spans().into_iter().map(Span::name).collect()
}

const PACK: &str = "00000001-00000003.seg";

#[test]
fn a_pack_serves_what_it_kept_under_the_old_places_and_what_it_dropped_for_a_while() {
    let disk = SimDisk::new(1);
    let log = open(&disk).unwrap();
    let all = fill(&log, 18);
    check(&log, &all, |_| true);
    let is_kept = |number: usize| all[number].segment > 3 || number.is_multiple_of(3);
    let kept: Vec<Location> = (0..18).filter(|n| is_kept(*n)).map(|n| all[n]).collect();
    pack(&log, 1, 3, &kept).unwrap();
    assert_eq!(
        names(&log)[..2],
        [PACK.to_owned(), "00000004.seg".to_owned()]
    );
    for (number, at) in all.iter().enumerate() {
        let found = log.read(*at, RecordKind::Chunk).unwrap();
        assert_eq!(found[RECORD_HEADER..], bytes(number), "for a while");
        assert_eq!(log.contains(*at), is_kept(number));
    }
    log.forget_retired(Duration::from_secs(60));
    assert!(log.read(all[1], RecordKind::Chunk).is_ok(), "not that old");
    log.forget_retired(Duration::ZERO);
    check(&log, &all, is_kept);
    // Another kind or length is not what is there.
    assert!(log.read(all[0], RecordKind::Bag).is_err());
    assert!(
        log.read(Location { len: 5, ..all[0] }, RecordKind::Chunk)
            .is_err()
    );
    drop(log);
    let log = open(&disk).unwrap();
    check(&log, &all, is_kept);
    let file = &log.segments().files().unwrap()[0];
    let header = file.header.unwrap();
    assert_eq!(
        (file.first, file.last, header.number, header.last),
        (1, 3, 1, 3)
    );
    assert_eq!((header.base_lsn, header.mark_lsn), (1, 99));
    // Packs become parts of larger ones and are themselves written anew.
    let fewer = |number: usize| all[number].segment > 4 || number.is_multiple_of(6);
    let kept: Vec<Location> = (0..18).filter(|n| fewer(*n)).map(|n| all[n]).collect();
    pack(&log, 1, 3, &kept).unwrap();
    pack(&log, 1, 4, &kept).unwrap();
    log.forget_retired(Duration::ZERO);
    check(&log, &all, fewer);
    assert!(!disk.file_names().contains(&PACK.to_owned()));
    drop(log);
    check(&open(&disk).unwrap(), &all, fewer);
}

#[test]
fn a_pack_takes_records_in_order_from_its_own_segments_and_never_the_last() {
    let disk = SimDisk::new(1);
    let log = open(&disk).unwrap();
    let all = fill(&log, 12);
    let mut writer = PackWriter::create(log.segments(), 1, 2, STORE, 9, 0).unwrap();
    let record = |at: Location| log.read_stored(at).unwrap().bytes;
    writer.add(all[1], &record(all[1])).unwrap();
    assert!(writer.add(all[0], &record(all[0])).is_err());
    assert!(writer.add(all[1], &record(all[1])).is_err());
    assert!(writer.add(all[11], &record(all[11])).is_err());
    let last = log.end().segment;
    assert!(pack(&log, 1, last, &all).is_err());
    pack(&log, 1, 2, &all).unwrap();
    // It would cut the pack in two.
    assert!(pack(&log, 2, 2, &all).is_err());
    check(&log, &all, |_| true);
}

type OnOpen = Arc<parking_lot::Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// Does something once a file was opened, before whoever opened it goes on.
struct Interrupted(SimDisk, OnOpen);

impl Disk for Interrupted {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = self.0.open(path)?;
        let then = self.1.lock().take();
        if let Some(then) = then {
            then();
        }
        Ok(file)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        self.0.create(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.0.create_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<std::path::PathBuf>> {
        self.0.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk::remove(&self.0, path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.0.sync_dir(path)
    }
}

/// Otherwise a chunk that is gone would be found once more, and a large value be made of it.
#[test]
fn who_opened_a_pack_just_before_another_one_took_its_name_goes_on_with_that_one() {
    let disk = SimDisk::new(1);
    let log = open(&disk).unwrap();
    let all = fill(&log, 14);
    pack(&log, 1, 3, &all).unwrap();
    drop(log);
    let then = OnOpen::default();
    let disk = Interrupted(disk, then.clone());
    let segments = Segments::new(Arc::new(disk), "log".into()).unwrap();
    recovery::identify(&segments).unwrap();
    let visit = |_: Position, _: &[u8]| Ok::<(), RecoveryError>(());
    let (header, _) = segments.header(4).unwrap();
    let from = Position {
        segment: 4,
        offset: 64,
        lsn: header.unwrap().base_lsn,
    };
    let recovered = recovery::recover(&segments, STORE, from, &mut |_| {}, visit);
    let tail = recovered.unwrap().tail;
    let log = Arc::new(Log::new(segments, STORE, Durability::Always, 4096, tail));
    let next = write(&log, 1, 3, &all[1..]).unwrap();
    // Nothing is open.
    log.segments().set_files(&log.segments().spans());
    let other = log.clone();
    *then.lock() = Some(Box::new(move || {
        other.install_pack(next).unwrap();
        other.segments().set_files(&other.segments().spans());
    }));
    assert!(!log.contains(all[0]));
    assert!(then.lock().is_none());
    for at in &all {
        assert_eq!(log.contains(*at), *at != all[0]);
    }
}

/// A closed log with a pack of three segments, and where its records end.
fn packed() -> (SimDisk, Vec<Location>, usize) {
    let disk = SimDisk::new(3);
    let log = open(&disk).unwrap();
    let all = fill(&log, 14);
    pack(&log, 1, 3, &all).unwrap();
    let entries = log.segments().pack(2).unwrap().entries().to_vec();
    let last = entries.last().unwrap();
    let len = RECORD_HEADER + last.len as usize;
    let end = last.physical as usize + len + padding(len);
    (disk, all, end)
}

#[test]
fn any_flipped_bit_of_a_packs_header_and_directory_is_found_and_costs_nothing() {
    let (disk, all, records_end) = packed();
    let whole = disk.get(PACK);
    assert!(open(&disk).unwrap().segments().pack(1).unwrap().whole);
    for at in (0..64).chain(records_end..whole.len()) {
        for bit in 0..8 {
            disk.tamper(PACK, |bytes| bytes[at] ^= 1 << bit);
            let log = open(&disk).unwrap();
            let pack = log.segments().pack(1).unwrap();
            assert!(!pack.whole, "byte {at}, bit {bit}");
            if bit == at % 8 {
                check(&log, &all, |_| true);
            }
            disk.tamper(PACK, |bytes| bytes[at] ^= 1 << bit);
        }
    }
}

#[test]
fn a_damaged_record_of_a_pack_is_never_served_and_a_pack_without_directory_serves_nothing() {
    let (disk, all, records_end) = packed();
    let whole = disk.get(PACK);
    for at in (64..records_end).step_by(61) {
        disk.tamper(PACK, |bytes| bytes[at] ^= 16);
        let log = open(&disk).unwrap();
        for (number, at) in all.iter().enumerate() {
            if let Ok(found) = log.read(*at, RecordKind::Chunk) {
                assert_eq!(found[RECORD_HEADER..], bytes(number));
            }
        }
        disk.tamper(PACK, |bytes| bytes[at] ^= 16);
    }
    // Both copies, and a file that was cut.
    let half = records_end + (whole.len() - records_end) / 2;
    type Damage = Box<dyn Fn(&mut Vec<u8>)>;
    let cases: [Damage; 3] = [
        Box::new(move |bytes: &mut Vec<u8>| {
            bytes[records_end] ^= 1;
            bytes[half] ^= 1;
        }),
        Box::new(move |bytes: &mut Vec<u8>| bytes.truncate(records_end)),
        Box::new(|bytes: &mut Vec<u8>| bytes.clear()),
    ];
    for damage in cases {
        disk.tamper(PACK, |bytes| damage(bytes));
        let log = open(&disk).unwrap();
        let broken = log.segments().pack(1).map(|_| ()).unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::InvalidData);
        check(&log, &all, |number| all[number].segment > 3);
        disk.tamper(PACK, |bytes| bytes.clone_from(&whole));
    }
    // Its second half alone is lost: the first copy of the directory is still there.
    disk.tamper(PACK, |bytes| bytes.truncate(half));
    check(&open(&disk).unwrap(), &all, |_| true);
}

#[test]
fn what_an_interrupted_compaction_left_is_removed_and_gaps_are_named() {
    let disk = SimDisk::new(4);
    let log = open(&disk).unwrap();
    let all = fill(&log, 22);
    let old: Vec<(String, Vec<u8>)> = disk
        .file_names()
        .into_iter()
        .map(|name| (name.clone(), disk.get(&name)))
        .collect();
    pack(&log, 2, 3, &all).unwrap();
    let inner = (
        "00000002-00000003.seg".to_owned(),
        disk.get("00000002-00000003.seg"),
    );
    pack(&log, 1, 3, &all).unwrap();
    drop(log);
    let good = disk.get(PACK);
    let put_back = || {
        for (name, bytes) in old[..3].iter().chain([&inner]) {
            disk.put(name, bytes);
        }
        disk.put(PACK_PART, b"half");
        disk.put("checkpoint.part", b"half");
    };
    put_back();
    let log = open(&disk).unwrap();
    check(&log, &all, |_| true);
    drop(log);
    let left = disk.file_names();
    assert_eq!(left.len(), old.len() - 3 + 1, "{left:?}");
    assert!(left.contains(&PACK.to_owned()));
    // A pack that is damaged does not replace what is still there.
    put_back();
    disk.tamper(PACK, |bytes| bytes.truncate(100));
    let log = open(&disk).unwrap();
    check(&log, &all, |_| true);
    assert_eq!(
        names(&log)[..2],
        ["00000001.seg".to_owned(), inner.0.clone()]
    );
    drop(log);
    assert!(!disk.file_names().contains(&PACK.to_owned()));
    // Unless some of it is gone.
    disk.put(PACK, &good[..100]);
    disk.remove("00000001.seg");
    let log = open(&disk).unwrap();
    assert_eq!(names(&log)[0], PACK);
    assert!(
        disk.file_names().contains(&inner.0),
        "nothing is thrown away"
    );
    drop(log);
    disk.remove(PACK);
    disk.remove(&inner.0);
    disk.put(PACK, &good);
    check(&open(&disk).unwrap(), &all, |_| true);
    let reason = || match open(&disk) {
        Err(RecoveryError::Bad(reason)) => reason,
        other => panic!("{:?}", other.map(|log| names(&log))),
    };
    let fourth = disk.get("00000004.seg");
    disk.remove("00000004.seg");
    assert_eq!(reason(), "segment 4 is missing");
    disk.put("00000004.seg", &fourth);
    disk.put("00000003-00000004.seg", &good);
    assert!(reason().contains("stand for segment 3"));
    disk.remove("00000003-00000004.seg");
    for name in disk.file_names() {
        if name != PACK {
            disk.remove(&name);
        }
    }
    assert_eq!(reason(), "segment 4 is missing");
    disk.remove(PACK);
    disk.put("checkpoint-9.ckp", b"");
    assert_eq!(reason(), "segment 1 is missing");
}

#[test]
fn a_pack_of_another_range_or_store_is_refused() {
    let (disk, ..) = packed();
    let good = disk.get(PACK);
    let other = SimDisk::new(5);
    let log = open(&other).unwrap();
    let all = fill(&log, 22);
    pack(&log, 1, 4, &all).unwrap();
    let wide = other.get("00000001-00000004.seg");
    disk.tamper(PACK, |bytes| *bytes = wide);
    assert!(matches!(open(&disk), Err(RecoveryError::Bad(_))));
    disk.tamper(PACK, |bytes| bytes.clone_from(&good));
    // A plain segment under a pack's name.
    let plain = disk.get("00000004.seg");
    disk.tamper(PACK, |bytes| *bytes = plain);
    assert!(matches!(open(&disk), Err(RecoveryError::Bad(_))));
}

/// Fails or stops at each disk call of `work`; returns once a run met no fault.
fn at_each_call(work: impl Fn(&SimDisk, Option<Fault>, u64) -> bool) {
    let faults: [fn(u64) -> Fault; 3] = [
        Fault::Stop,
        |at| Fault::Fail(at, io::ErrorKind::Other),
        |at| Fault::Fail(at, io::ErrorKind::StorageFull),
    ];
    for fault in faults {
        for at in 0..1000 {
            // A power failure has many outcomes.
            let mut whole = true;
            for seed in 0..4 {
                let disk = SimDisk::new(at * 4 + seed);
                whole &= work(&disk, Some(fault(at)), seed);
            }
            if whole {
                assert!(at > 4, "there are more calls than that");
                break;
            }
            assert!(at < 999, "it ends");
        }
    }
}

#[test]
fn a_pack_that_is_interrupted_at_any_disk_call_loses_nothing() {
    at_each_call(|disk, fault, seed| {
        let log = open(disk).unwrap();
        let all = fill(&log, 18);
        let is_kept = |number: usize| all[number].segment > 4 || number.is_multiple_of(2);
        let kept: Vec<Location> = (0..18).filter(|n| is_kept(*n)).map(|n| all[n]).collect();
        disk.set_fault(fault);
        let packed = pack(&log, 1, 2, &kept)
            .and_then(|()| pack(&log, 1, 2, &kept))
            .and_then(|()| pack(&log, 1, 4, &kept));
        let whole = packed.is_ok();
        if disk.is_on() {
            // The same run goes on.
            disk.set_fault(None);
            for at in &kept {
                assert!(log.read(*at, RecordKind::Chunk).is_ok());
            }
            if log.check().is_ok() && seed == 1 {
                pack(&log, 1, 3, &kept)
                    .or_else(|_| pack(&log, 1, 4, &kept))
                    .unwrap();
            }
        }
        disk.stop();
        drop(log);
        match seed {
            0 => disk.kill(),
            _ => disk.power_failure(),
        }
        let log = open(disk).unwrap();
        for (number, at) in all.iter().enumerate().filter(|(n, _)| is_kept(*n)) {
            let found = log.read(*at, RecordKind::Chunk).unwrap();
            assert_eq!(found[RECORD_HEADER..], bytes(number));
        }
        assert!(!disk.file_names().contains(&PACK_PART.to_owned()));
        assert_eq!(disk.file_names().len(), names(&log).len(), "no leftovers");
        // And again, undisturbed.
        pack(&log, 1, 4, &kept).unwrap();
        log.forget_retired(Duration::ZERO);
        check(&log, &all, is_kept);
        whole
    });
}

fn ops(mailbox: u8, count: u16) -> Batch {
    Batch {
        mailbox: Some(Guid([mailbox; 16])),
        counter: u64::from(count),
        ops: (0..count)
            .map(|id| Op::PutReplid(id, Guid([mailbox; 16])))
            .collect(),
    }
}

/// Pairs of mailbox and id, and of mailbox and counter.
type Told = (Vec<(u8, u16)>, Vec<(u8, u64)>);

/// What batches say, in order.
fn told(batches: &[Batch]) -> Told {
    let (mut ids, mut counters) = (Vec::new(), Vec::new());
    for batch in batches {
        let mailbox = batch.mailbox.map_or(0, |guid| guid.0[0]);
        for op in &batch.ops {
            match op {
                Op::PutReplid(id, _) => ids.push((mailbox, *id)),
                Op::LargestId(id) => ids.push((mailbox, *id as u16)),
                other => panic!("{other:?}"),
            }
        }
        if batch.counter != 0 {
            counters.push((mailbox, batch.counter));
        }
    }
    (ids, counters)
}

fn start() -> Position {
    Position {
        segment: 1,
        offset: 64,
        lsn: 1,
    }
}

/// Writes and installs a checkpoint of four mailboxes and a user's number.
fn write_checkpoint(log: &Log, mark: u64) -> Result<Vec<Batch>, StoreError> {
    let given = vec![
        ops(1, 2500),
        Batch {
            ops: ops(1, 10).ops,
            counter: 77,
            ..ops(1, 0)
        },
        ops(2, 3),
        Batch::of_store(vec![Op::LargestId(9)]),
        Batch {
            counter: 5,
            ..ops(3, 0)
        },
        ops(4, 2048),
    ];
    let mut writer = CheckpointWriter::create(log.segments(), STORE, start(), AT)?;
    for batch in given.clone() {
        writer.add(batch)?;
    }
    log.install_checkpoint(writer.finish(mark)?)?;
    Ok(given)
}

fn read_checkpoint(log: &Log) -> Option<(u64, Vec<Batch>, Vec<FencedFrame>)> {
    let keys = Keyring::default();
    let found = checkpoint::latest(log.segments(), STORE).unwrap()?;
    assert_eq!(found.start, start());
    let mut parts = found.parts(&keys);
    let (mut batches, mut fenced) = (Vec::new(), Vec::new());
    while let Some(part) = parts.next().unwrap() {
        match part {
            Part::Batch(batch) => batches.push(batch),
            Part::Fenced(frame) => fenced.push(frame),
        }
    }
    assert_eq!(parts.bytes(), found.len);
    Some((found.header.mark_lsn, batches, fenced))
}

#[test]
fn a_checkpoint_gives_what_was_put_in_and_the_next_one_takes_its_place() {
    let disk = SimDisk::new(1);
    let log = open(&disk).unwrap();
    fill(&log, 30);
    assert!(read_checkpoint(&log).is_none());
    write_checkpoint(&log, 10).unwrap();
    let given = write_checkpoint(&log, 30).unwrap();
    let (mark, found, fenced) = read_checkpoint(&log).unwrap();
    assert_eq!((mark, fenced), (30, vec![]));
    let ((ids, counters), (found_ids, found_counters)) = (told(&given), told(&found));
    assert_eq!(found_ids, ids);
    // Of one mailbox's counters the last one counts.
    let last = |all: &[(u8, u64)], mailbox| {
        let of_mailbox = all.iter().rev().find(|(of, _)| *of == mailbox);
        of_mailbox.map(|(_, counter)| *counter)
    };
    for mailbox in 0..5 {
        assert_eq!(
            last(&found_counters, mailbox),
            last(&counters, mailbox),
            "{mailbox}"
        );
    }
    assert!(found.len() > 6, "large batches are taken apart");
    assert!(found.iter().all(|batch| batch.ops.len() <= 1024));
    let checkpoints = || {
        let mut names = disk.file_names();
        names.retain(|name| name.contains("checkpoint"));
        names
    };
    assert_eq!(checkpoints(), ["checkpoint-30.ckp"]);
    // The same once more.
    write_checkpoint(&log, 30).unwrap();
    assert_eq!(read_checkpoint(&log).unwrap().0, 30);
    // One that is not behind all packs is of no use.
    pack(&log, 1, 2, &[]).unwrap();
    assert!(checkpoint::latest(log.segments(), STORE).unwrap().is_none());
}

#[test]
fn damage_in_a_checkpoint_is_fenced_and_one_without_head_or_end_does_not_count() {
    let disk = SimDisk::new(1);
    let log = open(&disk).unwrap();
    fill(&log, 10);
    let given = told(&write_checkpoint(&log, 10).unwrap());
    let name = "checkpoint-10.ckp";
    let whole = disk.get(name);
    let mut frames = vec![64];
    while let Some(at) = frames.last().copied().filter(|at| *at < whole.len()) {
        let len = u32::from_le_bytes(whole[at + 24..at + 28].try_into().unwrap());
        frames.push(at + 64 + len as usize);
    }
    // The last two are the end mark and the file's end.
    for (number, at) in frames[..frames.len() - 2].iter().enumerate() {
        for place in [*at + 3, *at + 90] {
            disk.tamper(name, |bytes| bytes[place] ^= 4);
            let (_, found, fenced) = read_checkpoint(&log).unwrap();
            let expected = FencedFrame {
                segment: CHECKPOINT_SEGMENT,
                offset: *at as u64,
                lsn: number as u64 + 1,
                frames: 1,
            };
            assert_eq!(fenced, [expected]);
            let (ids, _) = told(&found);
            assert!(ids.iter().all(|id| given.0.contains(id)));
            assert_eq!(found.len(), frames.len() - 3);
            disk.tamper(name, |bytes| bytes[place] ^= 4);
        }
    }
    let end = frames[frames.len() - 2];
    for bit in (0..64 * 8).chain(end * 8..whole.len() * 8) {
        disk.tamper(name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let found = checkpoint::latest(log.segments(), STORE).unwrap();
        assert!(found.is_none(), "bit {bit}");
        disk.tamper(name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
    }
    for len in [0, 63, 64, end, whole.len() - 1] {
        disk.tamper(name, |bytes| bytes.truncate(len));
        assert!(checkpoint::latest(log.segments(), STORE).unwrap().is_none());
        disk.tamper(name, |bytes| bytes.clone_from(&whole));
    }
    assert!(
        checkpoint::latest(log.segments(), Guid([8; 16]))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_checkpoint_that_is_interrupted_at_any_disk_call_leaves_the_one_before_or_itself() {
    at_each_call(|disk, fault, seed| {
        let log = open(disk).unwrap();
        fill(&log, 6);
        let given = told(&write_checkpoint(&log, 3).unwrap());
        disk.set_fault(fault);
        let whole = write_checkpoint(&log, 6).is_ok();
        disk.stop();
        drop(log);
        match seed {
            0 => disk.kill(),
            _ => disk.power_failure(),
        }
        let log = open(disk).unwrap();
        let (mark, found, fenced) = read_checkpoint(&log).unwrap();
        assert!(mark == 6 || (mark == 3 && !whole));
        assert_eq!(fenced, []);
        assert_eq!(told(&found).0, given.0);
        write_checkpoint(&log, 6).unwrap();
        assert_eq!(read_checkpoint(&log).unwrap().0, 6);
        whole
    });
}

/// All batches of a closed store's log up to the frame `last`, with absolute locations, where that frame
/// is, and all records.
fn batches(segments: &Segments, store: Guid, last: u64) -> (Vec<Batch>, Position, Vec<Location>) {
    let (mut found, mut at_last, mut records) = (Vec::new(), Position::FIRST, Vec::new());
    let keys = Keyring::default();
    let visit = |at: Position, payload: &[u8]| {
        let mut offset = 0;
        while offset < payload.len() {
            let len = u32::from_le_bytes(payload[offset + 4..offset + 8].try_into().unwrap());
            records.push(Location {
                segment: at.segment,
                offset: at.offset + 64 + offset as u32,
                len,
            });
            let whole = RECORD_HEADER + len as usize;
            offset += whole + padding(whole);
        }
        if at.lsn <= last {
            at_last = at;
            let record = crate::log::frame::find_record(payload, RecordKind::Batch).unwrap();
            if let Some(record) = record {
                let mut batch = Batch::read(record, (&keys, FileKey::Plain)).unwrap();
                batch.ops.iter_mut().for_each(|op| op.resolve(at));
                found.push(batch);
            }
        }
        Ok::<(), RecoveryError>(())
    };
    recovery::recover(segments, store, Position::FIRST, &mut |_| {}, visit).unwrap();
    (found, at_last, records)
}

/// A closed store whose log has segments of 48 KiB, most of which are packs then, all of whose
/// records were kept; and the frame that its checkpoint begins with.
fn compacted(seed: u64, checkpoint: bool) -> (History, Position) {
    let mut history = History::new(seed, Durability::Always);
    history.step(&Step::AddUser(0));
    // Until there are some segments.
    while history.disk.file_names().len() < 8 {
        let op = random_op(&mut history.random, &history.model);
        history.step(&op);
    }
    history.close_keeping_index();
    let disk: Arc<dyn crate::disk::Disk> = Arc::new(history.disk.clone());
    let segments = Segments::new(disk, "log".into()).unwrap();
    let store = recovery::identify(&segments).unwrap().store.unwrap();
    let (_, end, _) = batches(&segments, store, u64::MAX);
    let (found, start, records) = batches(&segments, store, end.lsn * 4 / 5);
    let visit = |_: Position, _: &[u8]| Ok::<(), RecoveryError>(());
    let tail = recovery::recover(&segments, store, Position::FIRST, &mut |_| {}, visit);
    let tail = tail.unwrap().tail;
    let log = Log::new(segments, store, Durability::Always, 48 << 10, tail);
    if checkpoint {
        let mut writer = CheckpointWriter::create(log.segments(), store, start, AT).unwrap();
        found
            .into_iter()
            .for_each(|batch| writer.add(batch).unwrap());
        log.install_checkpoint(writer.finish(start.lsn).unwrap())
            .unwrap();
    }
    let packs = [(1, 2), (3, start.segment - 1)];
    for (first, last) in packs {
        let mut writer =
            PackWriter::create(log.segments(), first, last, store, start.lsn, 0).unwrap();
        for at in records
            .iter()
            .filter(|at| (first..=last).contains(&at.segment))
        {
            writer
                .add(*at, &log.read_stored(*at).unwrap().bytes)
                .unwrap();
        }
        log.install_pack(writer.finish().unwrap()).unwrap();
    }
    (history, start)
}

#[test]
fn a_checkpoint_and_the_log_after_it_give_what_the_whole_log_gave() {
    for seed in 1..4 {
        let (mut history, start) = compacted(seed, true);
        assert!(start.segment > 4);
        let kept = history.index().unwrap();
        // The index goes on where it was.
        let store = history.store();
        assert!(!store.recovery().index_rebuilt);
        history.check();
        history.close_keeping_index();
        history.forget_index();
        let store = history.open_damaged();
        let report = store.recovery();
        assert!(report.index_rebuilt && report.fenced.is_empty());
        assert!(report.frames_replayed < start.lsn / 2 + 2, "{report:?}");
        let rebuilt = super::history::dump(&*store.core().index.kv().unwrap());
        assert!(super::history::dump(&*kept) == rebuilt);
        store.close().unwrap();
        drop(store);
        history.check();
        // Commits go on.
        history.step(&Step::AddUser(1));
        history.close(&None);
        history.check();
    }
}

#[test]
fn a_store_that_was_closed_opens_with_its_files_headers_and_its_last_frame() {
    let (mut history, _) = compacted(9, true);
    history.store();
    history.step(&Step::SetPassword(0, "new".into()));
    history.close_keeping_index();
    let files = history.disk.file_names().len() as u64;
    let before = history.disk.bytes_read();
    let store = history.store();
    let read = history.disk.bytes_read() - before;
    assert_eq!(store.recovery().frames_replayed, 1, "the end mark");
    // A header now and then again, the ends of the checkpoint and of the log.
    assert!(read < files * 256 + 4096, "{read} bytes of {files} files");
}

#[test]
fn an_index_that_is_behind_the_packs_is_made_anew_and_nothing_counts_as_lost() {
    let (mut history, _) = compacted(5, true);
    let kv = history.index().unwrap();
    let old = Position {
        segment: 2,
        offset: 64,
        lsn: 7,
    };
    let value = crate::index::value::encode(&old).unwrap();
    let key = crate::index::keys::APPLIED.to_vec();
    kv.apply(&[crate::index::Write::Put(key, value)]).unwrap();
    let store = history.store();
    assert!(store.recovery().index_rebuilt);
    assert_eq!(store.recovery().fenced, []);
    let fenced = crate::index::keys::FENCED;
    assert_eq!(store.core().index.kv().unwrap().get(fenced).unwrap(), None);
    history.check();
}

#[test]
fn packs_without_a_checkpoint_are_no_store_once_the_index_is_gone() {
    let (mut history, _) = compacted(6, false);
    history.check();
    history.close_keeping_index();
    history.check();
    history.close_keeping_index();
    history.forget_index();
    let before = history.disk.file_names();
    let refused = history.try_open_again();
    let Err(OpenError::BadLog { reason, .. }) = &refused else {
        panic!("{refused:?}")
    };
    assert!(
        reason.contains("checkpoint is missing or damaged"),
        "{reason}"
    );
    assert_eq!(history.disk.file_names(), before);
}

#[test]
fn a_pack_that_was_cut_short_is_reported_and_all_else_is_there() {
    let (mut history, _) = compacted(10, true);
    let name = "00000001-00000002.seg";
    let whole = history.disk.get(name);
    history
        .disk
        .tamper(name, |bytes| bytes.truncate(bytes.len() / 2));
    for _ in 0..2 {
        let store = history.open_damaged();
        let fenced = &store.recovery().fenced;
        assert_eq!(fenced.len(), 1);
        assert_eq!((fenced[0].segment, fenced[0].frames), (1, 0));
        assert!(!store.users().is_empty());
        store.close().unwrap();
    }
    // It can be put back.
    history.disk.tamper(name, |bytes| *bytes = whole);
    history.check();
}

#[test]
fn damage_in_the_checkpoint_is_reported_and_the_rest_is_kept() {
    let (history, start) = compacted(7, true);
    let mut history = history;
    history.forget_index();
    let name = checkpoint::name(start.lsn);
    history.disk.tamper(&name, |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let store = history.open_damaged();
    let fenced = &store.recovery().fenced;
    assert_eq!(fenced.len(), 1);
    assert_eq!(fenced[0].segment, CHECKPOINT_SEGMENT);
    let next = history
        .model
        .users
        .get(&0)
        .map(|(_, mailbox)| mailbox.counter);
    if let (Some(next), Ok(mailbox)) = (next, store.mailbox(guid_of(0))) {
        assert!(mailbox.reserve_ids(1).unwrap() >= GlobCnt(next));
    }
}

#[test]
fn numbers_that_a_checkpoint_knows_are_not_given_again_by_an_older_log() {
    let (history, start) = compacted(8, true);
    let mut history = history;
    history.forget_index();
    history.accept_loss = true;
    // All after the frame that the checkpoint begins with is gone, and a little more was marked.
    let segments = Segments::new(Arc::new(history.disk.clone()), "log".into()).unwrap();
    let store = recovery::identify(&segments).unwrap().store.unwrap();
    let earlier = checkpoint::latest(&segments, store).unwrap().unwrap();
    let mut writer = CheckpointWriter::create(&segments, store, start, AT).unwrap();
    let keys = Keyring::default();
    let mut parts = earlier.parts(&keys);
    while let Some(Part::Batch(batch)) = parts.next().unwrap() {
        writer.add(batch).unwrap();
    }
    let mark = start.lsn + 5;
    writer.finish(mark).unwrap();
    let written = history.disk.get("checkpoint.part");
    history.disk.remove("checkpoint.part");
    history.disk.put(&checkpoint::name(mark), &written);
    for span in segments.spans() {
        if span.first > start.segment {
            history.disk.remove(&span.name());
        }
    }
    let name = Span::plain(start.segment).name();
    history.disk.tamper(&name, |bytes| {
        let at = start.offset as usize;
        let len = u32::from_le_bytes(bytes[at + 24..at + 28].try_into().unwrap());
        bytes.truncate(at + 64 + len as usize);
    });
    drop(segments);
    let store = history.open_damaged();
    let lost = FencedFrame {
        lsn: start.lsn + 1,
        frames: 5,
        ..store.recovery().fenced[0].clone()
    };
    assert_eq!(store.recovery().fenced, [lost]);
    assert_eq!(store.core().log.last_lsn(), mark);
    store.add_user(super::history::new_user(9)).unwrap();
    store.close().unwrap();
    drop(store);
    // The gap is where it was told to be.
    let store = history.open_damaged();
    assert!(store.user_by_email("u9@example.test").is_some());
    assert_eq!(store.recovery().fenced.len(), 1);
    assert_eq!(store.recovery().fenced[0].frames, 5);
}

#[test]
fn an_index_is_made_anew_on_a_closed_store_with_progress() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = crate::rebuild(dir.path(), crate::StoreOptions::default(), &mut |_| {});
    assert!(nothing.is_err());
    assert!(!dir.path().join("log").exists() && !dir.path().join("index").exists());
    let store = crate::Store::open(dir.path(), crate::StoreOptions::default()).unwrap();
    store.add_user(super::history::new_user(1)).unwrap();
    store.close().unwrap();
    let mut told = Vec::new();
    let rebuilt = rebuild_with(
        dir.path(),
        crate::StoreOptions::default(),
        crate::open::Tuning::new(Arc::new(crate::disk::OsDisk)),
        &mut |progress| told.push(progress),
    );
    let report = rebuilt.unwrap();
    assert!(report.index_rebuilt && report.fenced.is_empty());
    let last = told.last().unwrap();
    assert_eq!(last.done, last.total);
    assert!(told.is_sorted_by_key(|progress| progress.done));
    assert!(Path::new(&dir.path().join("index")).exists());
    let store = crate::Store::open(dir.path(), crate::StoreOptions::default()).unwrap();
    assert!(!store.recovery().index_rebuilt);
    assert_eq!(store.users().len(), 1);
}

#[test]
fn an_index_that_cannot_be_made_again_is_not_thrown_away() {
    let dir = tempfile::tempdir().unwrap();
    let options = || crate::StoreOptions {
        durability: Durability::None,
        compaction: crate::Compaction::Manual,
        ..crate::StoreOptions::default()
    };
    let tuning = || crate::open::Tuning {
        segment_bytes: 16 << 10,
        ..crate::open::Tuning::new(Arc::new(crate::disk::OsDisk))
    };
    let open = || crate::Store::open_with(dir.path(), options(), tuning());
    let store = open().unwrap();
    store.add_user(super::history::new_user(1)).unwrap();
    for number in 0..200 {
        store
            .set_password("u1@example.test", &format!("{number}"))
            .unwrap();
    }
    store
        .compact(crate::CompactOptions::default(), &mut |_| {})
        .unwrap();
    store.close().unwrap();
    drop(store);
    let names = || -> Vec<String> {
        let all = std::fs::read_dir(dir.path().join("log")).unwrap();
        let names = all.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.collect()
    };
    assert!(
        names().iter().any(|name| name.contains("-0")),
        "{:?}",
        names()
    );
    for name in names().iter().filter(|name| name.ends_with(".ckp")) {
        std::fs::write(dir.path().join("log").join(name), b"damaged").unwrap();
    }
    let is_refused = |error: OpenError| {
        let OpenError::BadLog { reason, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(reason.contains("checkpoint is missing or damaged"));
    };
    for _ in 0..2 {
        is_refused(rebuild_with(dir.path(), options(), tuning(), &mut |_| {}).unwrap_err());
    }
    // Nor if it is not trusted: somebody may find out what is the matter with it.
    let suspect = dir.path().join("index.suspect");
    std::fs::write(&suspect, b"").unwrap();
    for _ in 0..2 {
        is_refused(open().unwrap_err());
    }
    std::fs::remove_file(&suspect).unwrap();
    // Under a key another one would be needed.
    let encrypted = || crate::StoreOptions {
        master_key: Some(super::history::master('a')),
        ..options()
    };
    let opened = crate::Store::open_with(dir.path(), encrypted(), tuning());
    is_refused(opened.unwrap_err());
    let store = open().unwrap();
    assert!(!store.recovery().index_rebuilt);
    assert_eq!(store.users().len(), 1);
    // The next run writes another checkpoint.
    store
        .compact(crate::CompactOptions::default(), &mut |_| {})
        .unwrap();
    store.close().unwrap();
    drop(store);
    rebuild_with(dir.path(), options(), tuning(), &mut |_| {}).unwrap();
    assert_eq!(open().unwrap().users().len(), 1);
}

#[test]
fn a_first_segment_that_was_emptied_is_no_new_store_if_there_is_a_checkpoint() {
    let disk = SimDisk::new(3);
    let log = open(&disk).unwrap();
    fill(&log, 2);
    write_checkpoint(&log, 1).unwrap();
    drop(log);
    let before = disk.file_names();
    disk.tamper("00000001.seg", |bytes| bytes.clear());
    let segments = Segments::new(Arc::new(disk.clone()), "log".into()).unwrap();
    let refused = recovery::identify(&segments);
    assert!(matches!(refused, Err(RecoveryError::Bad(_))), "{refused:?}");
    assert_eq!(disk.file_names(), before);
}

#[test]
fn without_a_file_handle_nothing_is_done_and_the_log_goes_on_later() {
    let disk = SimDisk::new(7);
    let log = open(&disk).unwrap();
    let mut all = fill(&log, 14);
    let next = |log: &Log| {
        let mut frame = log.frame();
        let relative = frame.add(RecordKind::Chunk, &bytes(14));
        let at = log.append(frame, AT, Purpose::Any, |_| {})?;
        log.sync(at.lsn)?;
        Ok::<_, StoreError>(relative.resolve(at))
    };
    // The segment is full.
    while u64::from(log.end().offset) + 1000 < log.segment_bytes() {
        next(&log).unwrap();
    }
    disk.no_handles(true);
    let segment = log.end().segment;
    for _ in 0..2 {
        let refused = next(&log);
        assert!(matches!(refused, Err(StoreError::Io(_))), "{refused:?}");
    }
    log.check().unwrap();
    // A pack whose name is not sure to survive: what it replaces stays.
    disk.no_handles(false);
    let finished = write(&log, 1, 3, &all).unwrap();
    disk.no_handles(true);
    let refused = log.install_pack(finished);
    assert!(matches!(refused, Err(StoreError::Io(_))), "{refused:?}");
    log.check().unwrap();
    disk.no_handles(false);
    assert!(disk.file_names().contains(&"00000002.seg".to_owned()));
    all.push(next(&log).unwrap());
    assert_eq!(all[14].segment, segment + 1);
    check(&log, &all, |_| true);
    drop(log);
    disk.power_failure();
    let log = open(&disk).unwrap();
    check(&log, &all, |_| true);
    log.check().unwrap();
}
