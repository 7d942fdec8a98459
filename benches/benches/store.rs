//! What the store takes for a durable commit, for reading properties, and for a folder's contents.
//!
//! `cargo bench -p ropewalk-benches --bench store`. The commit is measured beside a bare write and
//! fdatasync of as many bytes on the same disk: what is above that is the store's own.

use std::{
    fs::File,
    hint::black_box,
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use ropewalk_props::{Bag, BagView, GlobCnt, Guid, PropTag, PropType, PropValue, tags};
use ropewalk_store::{
    ContentsView, Durability, FolderKind, Mailbox, Message, NewUser, SaveMessage, Store,
    StoreOptions, TemplateFolder,
};

const INBOX: GlobCnt = GlobCnt(2);
const MAILBOX: Guid = Guid([7; 16]);

fn open(dir: &Path, durability: Durability) -> Store {
    let options = StoreOptions {
        durability,
        ..StoreOptions::default()
    };
    Store::open(dir, options).expect("the store opens")
}

fn add_user(store: &Store) -> Arc<Mailbox> {
    let folder = |id, parent, kind, name: &str| TemplateFolder {
        id,
        parent,
        kind,
        props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]),
    };
    let root = GlobCnt(1);
    store
        .add_user(NewUser {
            email: "bench@example.test".into(),
            display_name: "Bench".into(),
            legacy_dn: "/o=Ropewalk/cn=bench".into(),
            mailbox_guid: MAILBOX,
            repl_guid: Guid([8; 16]),
            password_hash: String::new(),
            folders: vec![
                folder(root, root, FolderKind::Root, ""),
                folder(INBOX, root, FolderKind::Generic, "Inbox"),
            ],
            receive_folders: Vec::new(),
            store_props: Bag::new(),
        })
        .expect("the user is new");
    store.mailbox(MAILBOX).expect("the mailbox is there")
}

/// A message of `count` properties, `bytes` of values in all.
fn message(count: u16, bytes: usize) -> SaveMessage {
    let mut message = Message::default();
    let each = bytes / usize::from(count) / 2;
    for id in 0..count {
        let tag = PropTag::new(0x1000 + id, PropType::STRING);
        message.props.set(tag, &PropValue::text(&"x".repeat(each)));
    }
    SaveMessage {
        folder: INBOX,
        id: None,
        associated: false,
        read: None,
        expected_cn: None,
        message,
    }
}

fn directory() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory on the disk")
}

fn commits(c: &mut Criterion) {
    let mut group = c.benchmark_group("durable commit of 4 KiB");
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(4));
    let dir = directory();
    let store = open(dir.path(), Durability::Always);
    let mailbox = add_user(&store);
    let message = message(20, 4096);
    let log = dir.path().join("log/00000001.seg");
    let before = log.metadata().expect("there is a log").len();
    mailbox.save_message(message.clone()).expect("it is saved");
    let frame = (log.metadata().expect("there is a log").len() - before) as usize;
    group.bench_function("store", |b| {
        b.iter(|| mailbox.save_message(message.clone()).expect("it is saved"));
    });
    let file = File::create_new(dir.path().join("bare")).expect("a file");
    let bytes = vec![0x5A; frame];
    let mut at = 0;
    group.bench_function(format!("bare write and fdatasync of {frame} bytes"), |b| {
        b.iter(|| {
            file.write_all_at(&bytes, at).expect("it is written");
            file.sync_data().expect("it is synced");
            at += frame as u64;
        });
    });
    group.finish();
    store.close().expect("the store closes");
}

fn reads(c: &mut Criterion) {
    let mut group = c.benchmark_group("message of 50 properties");
    group.sample_size(20);
    group.measurement_time(Duration::from_secs(2));
    let dir = directory();
    let store = open(dir.path(), Durability::None);
    let mailbox = add_user(&store);
    let entry = mailbox
        .save_message(message(50, 4096))
        .expect("it is saved");
    let stored = mailbox.read_message(&entry).expect("it is there");
    let wanted: Vec<PropTag> = (0..20)
        .map(|n| PropTag::new(0x1000 + n * 2, PropType::STRING))
        .collect();
    let sum = |bag: &dyn Fn(PropTag) -> usize, count: usize| -> usize {
        wanted.iter().take(count).map(|tag| bag(*tag)).sum()
    };
    group.bench_function("view alone", |b| {
        b.iter(|| black_box(black_box(&stored).view().props.len()));
    });
    group.bench_function("10 properties through one view", |b| {
        b.iter(|| {
            let bag = &black_box(&stored).view().props;
            black_box(sum(&|tag| bag.get(tag).map_or(0, |v| v.data.len()), 10))
        });
    });
    group.bench_function("20 properties through one view", |b| {
        b.iter(|| {
            let bag = &black_box(&stored).view().props;
            black_box(sum(&|tag| bag.get(tag).map_or(0, |v| v.data.len()), 20))
        });
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
        b.iter(|| {
            let entry = mailbox.entry(INBOX, entry.id).expect("the folder is there");
            let stored = mailbox.read_message(&entry.expect("it is there"));
            let stored = stored.expect("it can be read");
            let bag = &stored.view().props;
            black_box(sum(&|tag| bag.get(tag).map_or(0, |v| v.data.len()), 10))
        });
    });
    group.finish();
}

fn contents(c: &mut Criterion) {
    let mut group = c.benchmark_group("contents view");
    group.sample_size(10);
    group.measurement_time(Duration::from_secs(2));
    for count in [1_000, 100_000] {
        let dir = directory();
        let store = open(dir.path(), Durability::None);
        let mailbox = add_user(&store);
        for _ in 0..count / 1000 {
            let messages = (0..1000).map(|_| message(5, 200)).collect();
            mailbox.save_messages(messages).expect("they are saved");
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
                    let mailbox = store.mailbox(MAILBOX).expect("the mailbox is there");
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

criterion_group!(benches, commits, reads, contents);
criterion_main!(benches);
