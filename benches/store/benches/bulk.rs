//! One change of many messages: what it takes, and what it writes.
//!
//! `cargo bench -p ropewalk-store-benches --bench bulk`
//!
//! Marks 2,000 messages read, moves 2,000, empties a folder of 100,000, softly and for good; each is one
//! commit (target: one fsync, and bytes written that grow with what changed, not with the messages' size).
//! The same with messages of 200 bytes and of 20 KB: the bytes must be the same. Beside each, a bare write and
//! fdatasync of as many bytes.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

use ropewalk_store::{
    ContentsView, Durability, EmptyFolder, Mailbox, Message,
    props::{GlobCnt, PropValue, tags},
};
use ropewalk_store_benches::{INBOX, OTHER, add_user, arg, guid_of, mail, open, scratch};

fn log_len(dir: &Path) -> u64 {
    let files = dir.join("log").read_dir().expect("there is a log");
    files
        .flatten()
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum()
}

fn fill(mailbox: &Mailbox, count: usize, size: usize) {
    let mut message = Message::default();
    message.props.set_text(tags::PID_TAG_SUBJECT, "a subject");
    // Under 8 KiB each, so that it stays in the message.
    for id in 0..size.div_ceil(8000) {
        let value = PropValue::Binary(vec![7; size.min(8000)]);
        message.props.set_id(0x6900 + id as u16, &value);
    }
    for _ in 0..count / 1_000 {
        let saves = (0..1_000).map(|_| mail::save(INBOX, message.clone()));
        mailbox.save_messages(saves.collect()).expect("saved");
    }
}

fn ids(mailbox: &Mailbox, folder: GlobCnt, count: usize) -> Vec<GlobCnt> {
    let contents = mailbox.contents(folder, ContentsView::Normal);
    let contents = contents.expect("the folder is there");
    contents.iter().map(|entry| entry.id).take(count).collect()
}

fn timed(dir: &Path, what: &str, work: impl FnOnce()) {
    let before = log_len(dir);
    let start = Instant::now();
    work();
    let took = start.elapsed();
    let bytes = log_len(dir) - before;
    let bare = bare(dir, bytes as usize);
    println!(
        "{what}: {:.1} ms, {bytes} bytes written; bare write and fdatasync of as many: {:.1} ms",
        took.as_secs_f64() * 1e3,
        bare.as_secs_f64() * 1e3
    );
}

fn bare(dir: &Path, len: usize) -> Duration {
    let path = dir.join("bare");
    let file = File::create(&path).expect("a file");
    let bytes = vec![0x5A; len];
    let start = Instant::now();
    file.write_all_at(&bytes, 0).expect("it is written");
    file.sync_data().expect("it is synced");
    let took = start.elapsed();
    std::fs::remove_file(path).expect("it is there");
    took
}

fn main() {
    let many: usize = arg("--messages").unwrap_or(100_000);
    for size in [200, 20_000] {
        println!("messages of {size} bytes");
        let dir = scratch();
        let store = open(dir.path(), Durability::None);
        fill(&add_user(&store, 0), 10_000, size);
        // The large folder needs no large messages twice.
        fill(&add_user(&store, 1), many, size.min(2_000));
        store.close().expect("the store closes");
        drop(store);

        let store = open(dir.path(), Durability::Always);
        let mailbox = store.mailbox(guid_of(0)).expect("the mailbox is there");
        let some = ids(&mailbox, INBOX, 2_000);
        timed(dir.path(), "  marking 2,000 read", || {
            mailbox.set_read(INBOX, &some, true).expect("marked");
        });
        timed(dir.path(), "  moving 2,000", || {
            mailbox.move_messages(INBOX, OTHER, &some).expect("moved");
        });
        let mailbox = store.mailbox(guid_of(1)).expect("the mailbox is there");
        assert_eq!(ids(&mailbox, INBOX, many).len(), many);
        let mut how = EmptyFolder {
            associated: true,
            hard: false,
        };
        timed(dir.path(), &format!("  emptying {many} softly"), || {
            mailbox.empty_folder(INBOX, how, &|_| false).expect("done");
        });
        how.hard = true;
        timed(dir.path(), &format!("  emptying {many} for good"), || {
            mailbox.empty_folder(INBOX, how, &|_| false).expect("done");
        });
        store.close().expect("the store closes");
    }
}
