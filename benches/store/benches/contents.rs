//! What the first and each later look at a folder's messages takes.
//!
//! `cargo bench -p ropewalk-store-benches --bench contents`
//!
//! Folders of 1,000 and of 100,000 messages, in a store just opened (the entries come from the index) and
//! again (they are in memory).

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use ropewalk_store::{ContentsView, Durability};
use ropewalk_store_benches::{INBOX, Rng, add_user, guid_of, mail, open, scratch};

fn contents(c: &mut Criterion) {
    let pool = mail::Pool::default();
    let mut rng = Rng(1);
    let mut group = c.benchmark_group("contents view");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(2));
    for count in [1_000, 100_000] {
        let dir = scratch();
        let store = open(dir.path(), Durability::None);
        let mailbox = add_user(&store, 0);
        for _ in 0..count / 1000 {
            let saves = (0..1000).map(|_| mail::save(INBOX, pool.message(&mut rng, 1_000, 0)));
            mailbox
                .save_messages(saves.collect())
                .expect("they are saved");
        }
        group.bench_function(format!("of {count}, again"), |b| {
            b.iter(|| {
                let contents = mailbox.contents(INBOX, ContentsView::Normal);
                black_box(contents.expect("the folder is there").len())
            });
        });
        drop(mailbox);
        store.close().expect("the store closes");
        drop(store);
        group.bench_function(format!("of {count}, for the first time"), |b| {
            b.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    let store = open(dir.path(), Durability::None);
                    let mailbox = store.mailbox(guid_of(0)).expect("the mailbox is there");
                    let start = Instant::now();
                    let contents = mailbox.contents(INBOX, ContentsView::Normal);
                    assert_eq!(contents.expect("the folder is there").len(), count);
                    took += start.elapsed();
                    store.close().expect("the store closes");
                }
                took
            });
        });
    }
    group.finish();
}

criterion_group!(benches, contents);
criterion_main!(benches);
