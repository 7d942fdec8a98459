//! The same mail through this store, sled, redb, fjall and SQLite.
//!
//! ```text
//! cargo run --release -p ropewalk-store-benches --features compare --bin compare -- \
//!     [--messages 100000] [--threads 1] [--reads 50000] [--only ropewalk|sled|redb|fjall|sqlite]
//! ```
//!
//! Each engine in a process of its own does the same work on 8 mailboxes:
//!
//! 1. insert: mixed mail (`src/mail.rs`), each message durable before its thread goes on with the next;
//! 2. read: random messages, all bytes of their values;
//! 3. scan: after reopening, the folder of each mailbox in order of delivery time, with id, size, read state and
//!    subject of each message; 10 times;
//! 4. delete: every other message, 100 in a transaction, durable;
//! 5. compact: as the engine offers it (sled does not).
//!
//! What the others store: under (mailbox, folder, id) the message as an rkyv archive, the same that our log
//! holds; under (mailbox, folder, delivery time, id) the entry that a scan reads. Both change in one
//! transaction. With more than one thread, a thread of the test gathers what the others wait for into one
//! transaction: a group commit, which redb, SQLite and sled have no other way to (our store and fjall are
//! called from all threads; fjall is given the gathering as well, since it fsyncs once for each caller
//! otherwise). sled's flush is no fsync (its issue 1452): its file is synced beside it; what it puts into side
//! files, values over some 100 KiB, is never on disk for certain.

use std::{
    collections::HashMap,
    error::Error,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rkyv::{rancor, util::AlignedVec};
use ropewalk_store::{
    ArchivedMessage, ContentsView, Durability, Mailbox, Message, Store, StoredMessage,
    props::{BagView, BlobRef, GlobCnt, PropValue, Slot, tags},
};
use ropewalk_store_benches::{
    INBOX, Rng, add_user, all_now, arg, cpu, disk_bytes, guid_of, mail, mib, open, peak, scratch,
};

type Done<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

const ENGINES: [&str; 5] = ["ropewalk", "sled", "redb", "fjall", "sqlite"];
const MAILBOXES: usize = 8;
const DELETE_AT_ONCE: usize = 100;
const CACHE: usize = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(900);

/// A message that was inserted: its mailbox, delivery time and id.
#[derive(Clone, Copy, Debug)]
struct At {
    mailbox: usize,
    time: u64,
    id: u64,
}

impl At {
    fn message_key(self) -> Vec<u8> {
        let mut key = vec![self.mailbox as u8];
        key.extend_from_slice(&INBOX.0.to_be_bytes());
        key.extend_from_slice(&self.id.to_be_bytes());
        key
    }

    fn entry_key(self) -> Vec<u8> {
        let mut key = folder_key(self.mailbox);
        key.extend_from_slice(&self.time.to_be_bytes());
        key.extend_from_slice(&self.id.to_be_bytes());
        key
    }
}

fn folder_key(mailbox: usize) -> Vec<u8> {
    let mut key = vec![mailbox as u8];
    key.extend_from_slice(&INBOX.0.to_be_bytes());
    key
}

/// What all engines do. Everything is durable when it returns.
trait Engine: Sync {
    fn insert(&self, mailbox: usize, message: Message) -> Done<At>;
    /// Bytes of all values of the message.
    fn read(&self, at: At) -> Done<u64>;
    /// The folder's messages by delivery time: how many, and bytes of what was seen of them.
    fn scan(&self, mailbox: usize) -> Done<(u64, u64)>;
    fn delete(&self, gone: &[At]) -> Done;
    fn compact(&mut self) -> Done<bool>;
}

// --- ropewalk

struct Ropewalk {
    store: Store,
    mailboxes: Vec<Arc<Mailbox>>,
}

impl Ropewalk {
    fn open(dir: &Path) -> Self {
        let store = open(dir, Durability::Always);
        let there = !store.users().is_empty();
        let mailboxes = (0..MAILBOXES).map(|n| match there {
            true => store.mailbox(guid_of(n)).expect("the mailbox is there"),
            false => add_user(&store, n),
        });
        let mailboxes = mailboxes.collect();
        Self { store, mailboxes }
    }

    fn sum(&self, bag: &impl BagView) -> Done<u64> {
        let mut sum = 0;
        let mut n = 0;
        while let Some((_, slot)) = bag.entry(n) {
            n += 1;
            match slot {
                Slot::Inline(value) => sum += count(value.data),
                Slot::External(blob) => sum += self.blob(blob)?,
            }
        }
        Ok(sum)
    }

    fn blob(&self, blob: BlobRef) -> Done<u64> {
        let reader = self.store.blob_reader(blob)?;
        let mut piece = vec![0; 64 << 10];
        let (mut at, mut sum) = (0, 0);
        loop {
            let read = reader.read_at(at, &mut piece)?;
            if read == 0 {
                return Ok(sum);
            }
            at += read as u64;
            sum += count(&piece[..read]);
        }
    }
}

impl Engine for Ropewalk {
    fn insert(&self, mailbox: usize, message: Message) -> Done<At> {
        let saved = self.mailboxes[mailbox].save_message(mail::save(INBOX, message))?;
        Ok(At {
            mailbox,
            time: saved.delivered.map_or(0, |time| time.0),
            id: saved.id.0,
        })
    }

    fn read(&self, at: At) -> Done<u64> {
        let mailbox = &self.mailboxes[at.mailbox];
        let entry = mailbox.entry(INBOX, GlobCnt(at.id))?.ok_or("it is gone")?;
        let stored: StoredMessage = mailbox.read_message(&entry)?;
        let view = stored.view();
        let mut sum = self.sum(&view.props)?;
        for attachment in view.attachments.iter() {
            sum += self.sum(&attachment.props)?;
        }
        Ok(sum)
    }

    fn scan(&self, mailbox: usize) -> Done<(u64, u64)> {
        let contents = self.mailboxes[mailbox].contents(INBOX, ContentsView::Normal)?;
        let mut entries: Vec<_> = contents.iter().collect();
        entries.sort_unstable_by_key(|entry| (entry.delivered, entry.id));
        let mut bytes = 0;
        for entry in &entries {
            let subject = entry.subject.as_ref().map_or(0, |subject| count(subject));
            bytes += entry.id.0 % 7 + entry.size + u64::from(entry.read) + subject;
        }
        Ok((entries.len() as u64, bytes))
    }

    fn delete(&self, gone: &[At]) -> Done {
        for n in 0..MAILBOXES {
            let ids = gone.iter().filter(|at| at.mailbox == n);
            let ids: Vec<_> = ids.map(|at| GlobCnt(at.id)).collect();
            if !ids.is_empty() {
                self.mailboxes[n].delete_messages(INBOX, &ids, true)?;
            }
        }
        Ok(())
    }

    fn compact(&mut self) -> Done<bool> {
        self.store.compact(all_now(), &mut |_| {})?;
        Ok(true)
    }
}

/// Looks at every byte.
fn count(bytes: &[u8]) -> u64 {
    let sum: u64 = bytes.iter().map(|byte| u64::from(byte & 1)).sum();
    std::hint::black_box(sum);
    bytes.len() as u64
}

fn sum_of(bag: &impl BagView) -> u64 {
    let mut sum = 0;
    let mut n = 0;
    while let Some((_, slot)) = bag.entry(n) {
        n += 1;
        if let Slot::Inline(value) = slot {
            sum += count(value.data);
        }
    }
    sum
}

/// Bytes of all values in an archive, which is checked first.
fn sum_of_archive(bytes: &[u8]) -> Done<u64> {
    let mut aligned: AlignedVec = AlignedVec::with_capacity(bytes.len());
    aligned.extend_from_slice(bytes);
    let message = rkyv::access::<ArchivedMessage, rancor::Error>(&aligned)?;
    let attachments = message.attachments.iter().map(|row| sum_of(&row.props));
    Ok(sum_of(&message.props) + attachments.sum::<u64>())
}

// --- the others

/// An ordered store of keys and values with transactions.
trait Tables: Send + Sync {
    /// Puts messages with their entries, or removes both where there is no value; durable.
    fn transact(&self, writes: &[(At, Option<(Vec<u8>, Vec<u8>)>)]) -> Done;
    fn get(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Done;
    fn entries(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done;
    /// False if it cannot.
    fn compact(&mut self) -> Done<bool>;
}

type Pending = Vec<(u64, At, Option<(Vec<u8>, Vec<u8>)>)>;

/// Gives messages their numbers and gathers what several threads want written.
struct Others {
    tables: Box<dyn Tables>,
    next: AtomicU64,
    alone: bool,
    /// What waits, the last ticket given and the last one done, and whether someone is at work.
    queue: Mutex<(Pending, u64, u64, bool)>,
    changed: Condvar,
}

impl Others {
    fn write(&self, writes: Vec<(At, Option<(Vec<u8>, Vec<u8>)>)>) -> Done {
        if self.alone {
            return self.tables.transact(&writes);
        }
        let mut queue = self.queue.lock().expect("nobody panics");
        queue.1 += 1;
        let ticket = queue.1;
        queue
            .0
            .extend(writes.into_iter().map(|(at, value)| (ticket, at, value)));
        loop {
            if queue.2 >= ticket {
                return Ok(());
            }
            if queue.3 {
                queue = self.changed.wait(queue).expect("nobody panics");
                continue;
            }
            queue.3 = true;
            let last = queue.1;
            let group = std::mem::take(&mut queue.0);
            drop(queue);
            let group: Vec<_> = group
                .into_iter()
                .map(|(_, at, value)| (at, value))
                .collect();
            let done = self.tables.transact(&group);
            queue = self.queue.lock().expect("nobody panics");
            queue.3 = false;
            queue.2 = last;
            self.changed.notify_all();
            done?;
        }
    }
}

impl Engine for Others {
    fn insert(&self, mailbox: usize, message: Message) -> Done<At> {
        let time = match message.props.value(tags::PID_TAG_MESSAGE_DELIVERY_TIME) {
            Some(PropValue::Time(time)) => time.0,
            _ => 0,
        };
        let id = self.next.fetch_add(1, Relaxed);
        let at = At { mailbox, time, id };
        // Size, read state and times, as our entry has them, and the subject.
        let mut entry = vec![0; 60];
        entry[..8].copy_from_slice(&mail::raw_bytes(&message).to_le_bytes());
        if let Some(subject) = message.props.get(tags::PID_TAG_SUBJECT) {
            entry.extend_from_slice(subject.data);
        }
        let archive = rkyv::to_bytes::<rancor::Error>(&message)?;
        self.write(vec![(at, Some((archive.to_vec(), entry)))])?;
        Ok(at)
    }

    fn read(&self, at: At) -> Done<u64> {
        let mut sum = Err("it is gone".into());
        self.tables
            .get(&at.message_key(), &mut |bytes| sum = sum_of_archive(bytes))?;
        sum
    }

    fn scan(&self, mailbox: usize) -> Done<(u64, u64)> {
        let (mut seen, mut bytes) = (0, 0);
        let mut visit = |key: &[u8], entry: &[u8]| {
            seen += 1;
            bytes += u64::from(key[key.len() - 1] % 7) + count(&entry[60..]);
        };
        self.tables.entries(&folder_key(mailbox), &mut visit)?;
        Ok((seen, bytes))
    }

    fn delete(&self, gone: &[At]) -> Done {
        self.write(gone.iter().map(|at| (*at, None)).collect())
    }

    fn compact(&mut self) -> Done<bool> {
        self.tables.compact()
    }
}

struct Sled {
    db: sled::Db,
    messages: sled::Tree,
    entries: sled::Tree,
    file: std::fs::File,
}

impl Sled {
    fn open(dir: &Path) -> Done<Self> {
        let config = sled::Config::new().path(dir).cache_capacity(CACHE as u64);
        let mut tries = 0;
        let db = loop {
            match config.open() {
                Ok(db) => break db,
                Err(_) if tries < 100 => thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(error.into()),
            }
            tries += 1;
        };
        Ok(Self {
            messages: db.open_tree("messages")?,
            entries: db.open_tree("entries")?,
            file: std::fs::File::open(dir.join("db"))?,
            db,
        })
    }
}

impl Tables for Sled {
    fn transact(&self, writes: &[(At, Option<(Vec<u8>, Vec<u8>)>)]) -> Done {
        // Not one transaction over both trees, which sled does by locking out everyone: in its favour.
        let (mut messages, mut entries) = (sled::Batch::default(), sled::Batch::default());
        for (at, value) in writes {
            match value {
                Some((message, entry)) => {
                    messages.insert(at.message_key(), message.as_slice());
                    entries.insert(at.entry_key(), entry.as_slice());
                }
                None => {
                    messages.remove(at.message_key());
                    entries.remove(at.entry_key());
                }
            }
        }
        self.messages.apply_batch(messages)?;
        self.entries.apply_batch(entries)?;
        self.db.flush()?;
        Ok(self.file.sync_data()?)
    }

    fn get(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Done {
        if let Some(value) = self.messages.get(key)? {
            found(&value);
        }
        Ok(())
    }

    fn entries(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        for pair in self.entries.scan_prefix(prefix) {
            let (key, value) = pair?;
            visit(&key, &value);
        }
        Ok(())
    }

    fn compact(&mut self) -> Done<bool> {
        Ok(false)
    }
}

const MESSAGES: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("messages");
const ENTRIES: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("entries");

struct Redb(redb::Database);

impl Redb {
    fn open(dir: &Path) -> Done<Self> {
        let db = redb::Builder::new()
            .set_cache_size(CACHE)
            .create(dir.join("redb"))?;
        let txn = db.begin_write()?;
        txn.open_table(MESSAGES)?;
        txn.open_table(ENTRIES)?;
        txn.commit()?;
        Ok(Self(db))
    }
}

impl Tables for Redb {
    fn transact(&self, writes: &[(At, Option<(Vec<u8>, Vec<u8>)>)]) -> Done {
        let txn = self.0.begin_write()?;
        {
            let mut messages = txn.open_table(MESSAGES)?;
            let mut entries = txn.open_table(ENTRIES)?;
            for (at, value) in writes {
                let (message, entry) = (at.message_key(), at.entry_key());
                match value {
                    Some((content, summary)) => {
                        messages.insert(message.as_slice(), content.as_slice())?;
                        entries.insert(entry.as_slice(), summary.as_slice())?;
                    }
                    None => {
                        messages.remove(message.as_slice())?;
                        entries.remove(entry.as_slice())?;
                    }
                }
            }
        }
        Ok(txn.commit()?)
    }

    fn get(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Done {
        use redb::ReadableDatabase as _;
        let table = self.0.begin_read()?.open_table(MESSAGES)?;
        if let Some(value) = table.get(key)? {
            found(value.value());
        }
        Ok(())
    }

    fn entries(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        use redb::ReadableDatabase as _;
        let table = self.0.begin_read()?.open_table(ENTRIES)?;
        let mut end = prefix.to_vec();
        end.push(0xFF);
        for pair in table.range(prefix..end.as_slice())? {
            let (key, value) = pair?;
            visit(key.value(), value.value());
        }
        Ok(())
    }

    fn compact(&mut self) -> Done<bool> {
        while self.0.compact()? {}
        Ok(true)
    }
}

struct Fjall {
    db: fjall::Database,
    messages: fjall::Keyspace,
    entries: fjall::Keyspace,
}

impl Fjall {
    fn open(dir: &Path) -> Done<Self> {
        let db = fjall::Database::builder(dir)
            .cache_size(CACHE as u64)
            .open()?;
        // As its documentation has it for large values.
        let messages = db.keyspace("messages", || {
            fjall::KeyspaceCreateOptions::default()
                .with_kv_separation(Some(fjall::KvSeparationOptions::default()))
        })?;
        let entries = db.keyspace("entries", fjall::KeyspaceCreateOptions::default)?;
        Ok(Self {
            db,
            messages,
            entries,
        })
    }
}

impl Tables for Fjall {
    fn transact(&self, writes: &[(At, Option<(Vec<u8>, Vec<u8>)>)]) -> Done {
        let mut batch = self
            .db
            .batch()
            .durability(Some(fjall::PersistMode::SyncData));
        for (at, value) in writes {
            match value {
                Some((message, entry)) => {
                    batch.insert(&self.messages, at.message_key(), message.as_slice());
                    batch.insert(&self.entries, at.entry_key(), entry.as_slice());
                }
                None => {
                    batch.remove(&self.messages, at.message_key());
                    batch.remove(&self.entries, at.entry_key());
                }
            }
        }
        Ok(batch.commit()?)
    }

    fn get(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Done {
        if let Some(value) = self.messages.get(key)? {
            found(&value);
        }
        Ok(())
    }

    fn entries(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        for pair in self.entries.prefix(prefix) {
            let (key, value) = pair.into_inner()?;
            visit(&key, &value);
        }
        Ok(())
    }

    fn compact(&mut self) -> Done<bool> {
        for keyspace in [&self.messages, &self.entries] {
            keyspace.rotate_memtable_and_wait()?;
            keyspace.major_compact()?;
        }
        Ok(true)
    }
}

struct Sqlite {
    writer: Mutex<rusqlite::Connection>,
    readers: Mutex<Vec<rusqlite::Connection>>,
    path: PathBuf,
}

impl Sqlite {
    fn connect(path: &Path) -> Done<rusqlite::Connection> {
        let db = rusqlite::Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // In KiB.
        db.pragma_update(None, "cache_size", -((CACHE >> 10) as i64))?;
        db.set_prepared_statement_cache_capacity(16);
        Ok(db)
    }

    fn open(dir: &Path) -> Done<Self> {
        let path = dir.join("mail.sqlite");
        let db = Self::connect(&path)?;
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS messages (key BLOB PRIMARY KEY, content BLOB);
             CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, entry BLOB) WITHOUT ROWID;",
        )?;
        Ok(Self {
            writer: Mutex::new(db),
            readers: Mutex::default(),
            path,
        })
    }

    fn reading<T>(&self, work: impl FnOnce(&rusqlite::Connection) -> Done<T>) -> Done<T> {
        let free = self.readers.lock().expect("nobody panics").pop();
        let db = match free {
            Some(db) => db,
            None => Self::connect(&self.path)?,
        };
        let done = work(&db);
        self.readers.lock().expect("nobody panics").push(db);
        done
    }
}

impl Tables for Sqlite {
    fn transact(&self, writes: &[(At, Option<(Vec<u8>, Vec<u8>)>)]) -> Done {
        let mut db = self.writer.lock().expect("nobody panics");
        let txn = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        {
            let mut put = txn.prepare_cached("INSERT INTO messages VALUES (?1, ?2)")?;
            let mut put_entry = txn.prepare_cached("INSERT INTO entries VALUES (?1, ?2)")?;
            let mut remove = txn.prepare_cached("DELETE FROM messages WHERE key = ?1")?;
            let mut remove_entry = txn.prepare_cached("DELETE FROM entries WHERE key = ?1")?;
            for (at, value) in writes {
                match value {
                    Some((message, entry)) => {
                        put.execute((at.message_key(), message))?;
                        put_entry.execute((at.entry_key(), entry))?;
                    }
                    None => {
                        remove.execute([at.message_key()])?;
                        remove_entry.execute([at.entry_key()])?;
                    }
                }
            }
        }
        Ok(txn.commit()?)
    }

    fn get(&self, key: &[u8], found: &mut dyn FnMut(&[u8])) -> Done {
        self.reading(|db| {
            let mut select = db.prepare_cached("SELECT content FROM messages WHERE key = ?1")?;
            let mut rows = select.query([key])?;
            if let Some(row) = rows.next()? {
                found(row.get_ref(0)?.as_blob()?);
            }
            Ok(())
        })
    }

    fn entries(&self, prefix: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Done {
        let mut end = prefix.to_vec();
        end.push(0xFF);
        self.reading(|db| {
            let mut select = db.prepare_cached(
                "SELECT key, entry FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY key",
            )?;
            let mut rows = select.query([prefix, end.as_slice()])?;
            while let Some(row) = rows.next()? {
                visit(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            }
            Ok(())
        })
    }

    fn compact(&mut self) -> Done<bool> {
        self.readers.lock().expect("nobody panics").clear();
        let db = self.writer.lock().expect("nobody panics");
        db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
        Ok(true)
    }
}

fn open_engine(engine: &str, dir: &Path, threads: usize, next: u64) -> Done<Box<dyn Engine>> {
    let tables: Box<dyn Tables> = match engine {
        "ropewalk" => return Ok(Box::new(Ropewalk::open(dir))),
        "sled" => Box::new(Sled::open(dir)?),
        "redb" => Box::new(Redb::open(dir)?),
        "fjall" => Box::new(Fjall::open(dir)?),
        "sqlite" => Box::new(Sqlite::open(dir)?),
        other => return Err(format!("no engine is called {other}").into()),
    };
    Ok(Box::new(Others {
        tables,
        next: AtomicU64::new(next),
        alone: threads == 1,
        queue: Mutex::default(),
        changed: Condvar::new(),
    }))
}

/// Does a phase in all threads and prints what it took.
fn phase<T: Send>(
    name: &str,
    threads: usize,
    work: impl Fn(usize) -> Done<T> + Sync,
) -> Done<Vec<T>> {
    let (start, before) = (Instant::now(), cpu());
    let done = thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..threads).map(|n| scope.spawn(move || work(n))).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.map(|done| done.expect("no worker panics"))
            .collect::<Done<Vec<T>>>()
    })?;
    println!("{name}={}", start.elapsed().as_secs_f64());
    println!("{name}_cpu={}", (cpu() - before).as_secs_f64());
    Ok(done)
}

fn measure(engine: &str, dir: &Path) -> Done {
    let messages: usize = arg("--messages").unwrap_or(100_000);
    let threads: usize = arg("--threads").unwrap_or(1);
    let reads: usize = arg("--reads").unwrap_or(50_000);
    let mut store = open_engine(engine, dir, threads, 1)?;
    let pool = mail::Pool::default();
    let inserted = phase("insert", threads, |thread| {
        let mut done = Vec::new();
        for n in (thread..messages).step_by(threads) {
            let message = pool.mixed(&mut Rng(n as u64));
            let raw = mail::raw_bytes(&message);
            done.push((store.insert(n % MAILBOXES, message)?, raw));
        }
        Ok(done)
    })?;
    let inserted: Vec<_> = inserted.concat();
    let raw: u64 = inserted.iter().map(|(_, raw)| raw).sum();
    println!("raw_mib={}", mib(raw));
    println!("inserted_disk={}", disk_bytes(dir) as f64 / raw as f64);
    let sums = phase("read", threads, |thread| {
        let mut rng = Rng(thread as u64);
        let mut sum = 0;
        for _ in 0..reads / threads {
            let (at, _) = inserted[rng.below(inserted.len() as u64) as usize];
            sum += store.read(at)?;
        }
        Ok(sum)
    })?;
    println!("read_bytes={}", sums.iter().sum::<u64>());
    let start = Instant::now();
    drop(store);
    println!("close={}", start.elapsed().as_secs_f64());
    let start = Instant::now();
    store = open_engine(engine, dir, threads, messages as u64 + 1)?;
    println!("reopen={}", start.elapsed().as_secs_f64());
    let seen = phase("scan_first", 1, |_| {
        (0..MAILBOXES).try_fold(0, |sum, n| Ok(sum + store.scan(n)?.0))
    })?;
    assert_eq!(seen, [messages as u64]);
    phase("scan", 1, |_| {
        for _ in 0..10 {
            for n in 0..MAILBOXES {
                store.scan(n)?;
            }
        }
        Ok(())
    })?;
    let (gone, kept): (Vec<_>, Vec<_>) = inserted.iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let gone: Vec<_> = gone.into_iter().map(|(_, (at, _))| *at).collect();
    phase("delete", threads, |thread| {
        let share = gone.len().div_ceil(threads);
        let gone = gone.iter().skip(thread * share).take(share);
        let mut by_mailbox: HashMap<usize, Vec<At>> = HashMap::new();
        for at in gone {
            let some = by_mailbox.entry(at.mailbox).or_default();
            some.push(*at);
            if some.len() == DELETE_AT_ONCE {
                store.delete(some)?;
                some.clear();
            }
        }
        by_mailbox.values().try_for_each(|some| store.delete(some))
    })?;
    let left: u64 = kept.iter().map(|(_, (_, raw))| raw).sum();
    println!("left_mib={}", mib(left));
    println!("deleted_disk={}", disk_bytes(dir) as f64 / left as f64);
    let start = Instant::now();
    let before = cpu();
    let can = store.compact()?;
    println!("compact={}", start.elapsed().as_secs_f64());
    println!("compact_cpu={}", (cpu() - before).as_secs_f64());
    println!("can_compact={}", u8::from(can));
    for (_, (at, _)) in kept.iter().step_by(97) {
        store.read(*at)?;
    }
    println!("peak_mib={}", mib(peak()));
    drop(store);
    // sled goes on for a moment after it was dropped.
    thread::sleep(Duration::from_millis(300));
    println!("disk={}", disk_bytes(dir) as f64 / left as f64);
    println!("disk_mib={}", mib(disk_bytes(dir)));
    Ok(())
}

/// Runs an engine in a process of its own: what it printed, and what became of it.
fn run(engine: &str) -> Done<(HashMap<String, f64>, Option<String>)> {
    let dir = scratch();
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--engine", engine, "--in"])
        .arg(dir.path())
        .args(std::env::args().skip(1))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let start = Instant::now();
    while child.try_wait()?.is_none() && start.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(50));
    }
    let failed = match child.try_wait()? {
        Some(status) if status.success() => None,
        Some(status) => Some(status.to_string()),
        None => {
            child.kill()?;
            Some(format!("killed after {} s", PATIENCE.as_secs()))
        }
    };
    let output = child.wait_with_output()?;
    let failed = failed.map(|failed| {
        let error = String::from_utf8_lossy(&output.stderr);
        let error: Vec<_> = error.lines().take(3).collect();
        format!("{failed} {error:?}")
    });
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = stdout.lines().filter_map(|line| line.split_once('='));
    let values = lines.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)));
    Ok((values.collect(), failed))
}

fn compare() -> Done {
    let phases = [
        "insert",
        "read",
        "reopen",
        "scan_first",
        "scan",
        "delete",
        "compact",
    ];
    println!(
        "| engine | insert s | read s | reopen s | first scan s | 10 scans s | delete s | compact s | all s | CPU s | disk / values, inserted | half deleted | at the end | peak MiB |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for engine in ENGINES {
        if arg::<String>("--only").is_some_and(|only| only != engine) {
            continue;
        }
        let (values, failed) = run(engine)?;
        let value = |name: &str| values.get(name).copied().unwrap_or(f64::NAN);
        let mut row = format!("| {engine} |");
        for name in phases {
            match name {
                "compact" if value("can_compact") == 0.0 => row.push_str(" none |"),
                _ => row.push_str(&format!(" {:.2} |", value(name))),
            }
        }
        let all: f64 = phases.iter().map(|name| value(name)).sum();
        let cpu = phases
            .iter()
            .filter_map(|name| values.get(&format!("{name}_cpu")));
        row.push_str(&format!(" {all:.1} | {:.1} |", cpu.sum::<f64>()));
        for name in ["inserted_disk", "deleted_disk", "disk"] {
            row.push_str(&format!(" {:.2} |", value(name)));
        }
        println!("{row} {:.0} |", value("peak_mib"));
        if let Some(failed) = failed {
            println!("{engine} FAILED: {failed}");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let done = match arg::<String>("--engine") {
        Some(engine) => measure(&engine, &arg::<PathBuf>("--in").unwrap_or_default()),
        None => compare(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
