//! Should messages be read in place through a memory map, or by positioned reads into a cache?
//!
//! ```text
//! cargo run --release -p ropewalk-store-benches --features compare --bin map_or_read -- [--messages 50000]
//! ```
//!
//! A file of messages of some 4 KB, as the log has them (rkyv archives, aligned). Ten properties of a message
//! picked at random are read: for the first time, which checks the CRC and the archive, with the operating
//! system's cache cold and warm; and again, unchecked, from the cache or in the map. In nanoseconds; the time
//! of one read in a hundred that takes longest, too, since a page fault stalls its thread.

// The map that is measured has to be made and read without a check, which is unsafe: the file is this
// program's own and nobody changes it.
#![allow(unsafe_code)]

use std::{
    collections::HashMap, fs::File, hint::black_box, io::Write as _, os::unix::fs::FileExt as _,
    sync::Arc, time::Instant,
};

use memmap2::{Advice, Mmap};
use parking_lot::RwLock;
use rkyv::{rancor, util::AlignedVec};
use ropewalk_store::{
    ArchivedMessage,
    props::{BagView as _, PropTag, PropType},
};
use ropewalk_store_benches::{Rng, Times, arg, drop_caches, mail, scratch};

type Place = (u64, usize, u32);

fn ten(message: &ArchivedMessage) -> usize {
    let tags = (0..10).map(|id| PropTag::new(0x6820 + id, PropType::INTEGER32));
    tags.filter_map(|tag| message.props.get(tag))
        .map(|value| usize::from(value.data[0]))
        .sum()
}

fn checked(bytes: &[u8], crc: u32) -> &ArchivedMessage {
    assert_eq!(crc32fast::hash(bytes), crc, "damaged");
    rkyv::access::<ArchivedMessage, rancor::Error>(bytes).expect("an archive")
}

fn report(name: &str, places: &[Place], mut read: impl FnMut(Place) -> usize) {
    let mut times = Times::default();
    for place in places {
        let start = Instant::now();
        black_box(read(*place));
        times.add(start.elapsed());
    }
    let mean = times.total().as_nanos() as f64 / times.count() as f64;
    println!(
        "{name}: mean {mean:.0} ns, p50 {:.0}, p99 {:.0}, longest {:.0}",
        times.at(500) * 1e3,
        times.at(990) * 1e3,
        times.at(1_000) * 1e3
    );
}

fn main() {
    let messages: u64 = arg("--messages").unwrap_or(50_000);
    let dir = scratch();
    let path = dir.path().join("messages");
    let pool = mail::Pool::default();
    let mut rng = Rng(1);
    let mut places = Vec::new();
    {
        let mut file = std::io::BufWriter::new(File::create(&path).expect("a file"));
        let mut at = 0u64;
        for _ in 0..messages {
            let message = pool.message(&mut rng, 4096, 0);
            let archive = rkyv::to_bytes::<rancor::Error>(&message).expect("it fits");
            places.push((at, archive.len(), crc32fast::hash(&archive)));
            let padded = archive.len().next_multiple_of(16);
            file.write_all(&archive).expect("written");
            file.write_all(&vec![0; padded - archive.len()])
                .expect("written");
            at += padded as u64;
        }
        let file = file.into_inner().expect("written");
        file.sync_all().expect("synced");
    }
    for n in (1..places.len()).rev() {
        places.swap(n, rng.below(n as u64 + 1) as usize);
    }
    // What is cold takes long: a part of it does.
    let some = &places[..places.len().min(5_000)];
    let file = File::open(&path).expect("the file");
    let cache: RwLock<HashMap<u64, Arc<AlignedVec>>> = RwLock::default();
    let by_read = |place: Place| {
        let mut record: AlignedVec = AlignedVec::new();
        record.resize(place.1, 0);
        file.read_exact_at(&mut record, place.0).expect("read");
        let ten = ten(checked(&record, place.2));
        cache.write().insert(place.0, Arc::new(record));
        ten
    };
    let is_cold = drop_caches().is_ok();
    println!("cold: {is_cold}");
    report("first, cold, pread", some, by_read);
    // SAFETY: nobody changes the file.
    let map = unsafe { Mmap::map(&file) }.expect("a map");
    map.advise(Advice::Random).expect("advice");
    drop(map);
    drop_caches().ok();
    // SAFETY: as above.
    let map = unsafe { Mmap::map(&file) }.expect("a map");
    map.advise(Advice::Random).expect("advice");
    let by_map = |place: Place| {
        let at = place.0 as usize;
        ten(checked(&map[at..at + place.1], place.2))
    };
    report("first, cold, map", some, by_map);
    // Everything into the operating system's cache.
    std::fs::read(&path).expect("read");
    cache.write().clear();
    report("first, warm, pread", &places, by_read);
    drop(by_map);
    // SAFETY: as above. A new one: no page of it is mapped yet.
    let map = unsafe { Mmap::map(&file) }.expect("a map");
    report("first, warm, map", &places, |place| {
        let at = place.0 as usize;
        ten(checked(&map[at..at + place.1], place.2))
    });
    report("again, cache", &places, |place| {
        let found = cache.read().get(&place.0).cloned().expect("kept");
        // SAFETY: checked when it was put there.
        ten(unsafe { rkyv::access_unchecked::<ArchivedMessage>(&found) })
    });
    report("again, map", &places, |place| {
        let at = place.0 as usize;
        let bytes = &map[at..at + place.1];
        // SAFETY: checked above.
        ten(unsafe { rkyv::access_unchecked::<ArchivedMessage>(bytes) })
    });
    report("again, map, checked anew", &places, |place| {
        let at = place.0 as usize;
        ten(checked(&map[at..at + place.1], place.2))
    });
}
