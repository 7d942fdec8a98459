//! What reading properties of a stored message takes, and whether it allocates.
//!
//! `cargo bench -p ropewalk-store-benches --bench read`
//!
//! Ten properties of a message of 50, whose content is in memory (target: under a microsecond, no
//! allocation), beside the same ten out of a `HashMap` of owned values, as a program has them that keeps
//! all in memory; then with the message looked up by its id first.

use std::{collections::HashMap, hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use ropewalk_store::{
    Durability, Message,
    props::{BagView as _, PropTag, PropType, PropValue},
};
use ropewalk_store_benches::{
    INBOX, add_user,
    counting::{Counting, allocations},
    mail, open, scratch,
};

#[global_allocator]
static COUNTING: Counting = Counting;

fn message(count: u16, bytes: usize) -> Message {
    let mut message = Message::default();
    let each = bytes / usize::from(count) / 2;
    for id in 0..count {
        let tag = PropTag::new(0x1000 + id, PropType::STRING);
        message.props.set(tag, &PropValue::text(&"x".repeat(each)));
    }
    message
}

fn reads(c: &mut Criterion) {
    let dir = scratch();
    let store = open(dir.path(), Durability::None);
    let mailbox = add_user(&store, 0);
    let entry = mailbox
        .save_message(mail::save(INBOX, message(50, 4096)))
        .expect("it is saved");
    let stored = mailbox.read_message(&entry).expect("it is there");
    let wanted: Vec<PropTag> = (0..20)
        .map(|n| PropTag::new(0x1000 + n * 2, PropType::STRING))
        .collect();
    let in_memory: HashMap<PropTag, Vec<u8>> = (0..50)
        .map(|n| PropTag::new(0x1000 + n, PropType::STRING))
        .map(|tag| (tag, vec![b'x'; 80]))
        .collect();
    let sum = |find: &dyn Fn(PropTag) -> usize, count: usize| -> usize {
        wanted.iter().take(count).map(|tag| find(*tag)).sum()
    };
    let through_view = |count| {
        let bag = &black_box(&stored).view().props;
        sum(&|tag| bag.get(tag).map_or(0, |v| v.data.len()), count)
    };
    let looked_up = || {
        let entry = mailbox.entry(INBOX, entry.id).expect("the folder is there");
        let stored = mailbox.read_message(&entry.expect("it is there"));
        let stored = stored.expect("it can be read");
        let bag = &stored.view().props;
        sum(&|tag| bag.get(tag).map_or(0, |v| v.data.len()), 10)
    };
    let from_map = || {
        let map = black_box(&in_memory);
        sum(&|tag| map.get(&tag).map_or(0, Vec::len), 10)
    };

    let counted = |name: &str, work: &dyn Fn() -> usize| {
        black_box(work());
        let before = allocations();
        for _ in 0..1_000 {
            black_box(work());
        }
        let each = (allocations() - before) as f64 / 1_000.0;
        println!("{name}: {each} allocations");
    };
    counted("10 properties through one view", &|| through_view(10));
    counted("looking the message up and 10 properties", &looked_up);

    let mut group = c.benchmark_group("message of 50 properties");
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(2));
    group.bench_function("10 properties through one view", |b| {
        b.iter(|| black_box(through_view(10)));
    });
    group.bench_function("10 properties from a HashMap of owned values", |b| {
        b.iter(|| black_box(from_map()));
    });
    group.bench_function("20 properties through one view", |b| {
        b.iter(|| black_box(through_view(20)));
    });
    group.bench_function("20 properties, a view for each", |b| {
        b.iter(|| {
            let len = |tag| {
                let bag = &black_box(&stored).view().props;
                bag.get(tag).map_or(0, |v| v.data.len())
            };
            black_box(sum(&len, 20))
        });
    });
    group.bench_function("looking the message up and 10 properties", |b| {
        b.iter(|| black_box(looked_up()));
    });
    group.finish();
}

criterion_group!(benches, reads);
criterion_main!(benches);
