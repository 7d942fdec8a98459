//! Random histories of a store, with crashes, checked against the model.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ropewalk_props::{
    Bag, FileTime, GlobCnt, Guid, PropValue, PropertyName, Utf16Text, named::PS_PUBLIC_STRINGS,
    tags,
};

use super::{
    content::MessageSpec,
    disk::{Fault, SimDisk},
    model::{INBOX, Model, ModelMailbox, ROOT, kind},
    random::Random,
};
use crate::{
    Clock, CompactOptions, CompactReport, Compaction, DeleteFolder, Durability, EmptyFolder,
    FolderKind, IndexKind, MasterKey, NewFolder, NewUser, OpenError, SaveMessage, Store,
    StoreError, StoreOptions, TemplateFolder,
    index::{Kv, Write, memory::MemoryKv, scan},
    open::Tuning,
};

/// One thing that is done to a store.
#[derive(Clone, Debug)]
pub enum Op {
    AddUser(u64),
    RemoveUser(u64),
    SetPassword(u64, String),
    In(u64, MailboxOp),
}

/// One thing that is done to a mailbox.
#[derive(Clone, Debug)]
pub enum MailboxOp {
    CreateFolder {
        parent: u64,
        name: String,
    },
    RenameFolder {
        id: u64,
        name: String,
    },
    DeleteFolder {
        id: u64,
        how: DeleteFolder,
    },
    MoveFolder {
        id: u64,
        to: u64,
        name: Option<String>,
    },
    CopyFolder {
        id: u64,
        to: u64,
        name: Option<String>,
        deep: bool,
    },
    Save {
        folder: u64,
        associated: bool,
        specs: Vec<MessageSpec>,
    },
    Resave {
        folder: u64,
        id: u64,
        /// Expect a change number that the message does not have.
        stale: bool,
        read: Option<bool>,
        spec: MessageSpec,
    },
    Delete {
        folder: u64,
        ids: Vec<u64>,
        hard: bool,
    },
    Empty {
        folder: u64,
        how: EmptyFolder,
    },
    Transfer {
        from: u64,
        to: u64,
        ids: Vec<u64>,
        remove: bool,
    },
    SetRead {
        folder: u64,
        ids: Vec<u64>,
        read: bool,
    },
    Names(Vec<PropertyName>),
    Replid(Guid),
    Reserve(u32),
    Comment(Option<String>),
    Receive(String, Option<u64>),
}

/// The mailbox of a user.
pub fn guid_of(user: u64) -> Guid {
    let mut bytes = [0xAB; 16];
    bytes[..8].copy_from_slice(&user.to_le_bytes());
    Guid(bytes)
}

/// A new user.
pub fn new_user(number: u64) -> NewUser {
    let folder = |id, parent, kind, name: &str| TemplateFolder {
        id: GlobCnt(id),
        parent: GlobCnt(parent),
        kind,
        props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]),
    };
    NewUser {
        email: format!("u{number}@example.test"),
        display_name: format!("User {number}"),
        legacy_dn: format!("/o=Ropewalk/cn=u{number}"),
        mailbox_guid: guid_of(number),
        repl_guid: Guid([number as u8; 16]),
        password_hash: "first".into(),
        folders: vec![
            folder(ROOT, ROOT, FolderKind::Root, ""),
            folder(INBOX, ROOT, FolderKind::Generic, "Inbox"),
        ],
        receive_folders: vec![(String::new(), GlobCnt(INBOX))],
        store_props: Bag::new(),
    }
}

fn ids(numbers: &[u64]) -> Vec<GlobCnt> {
    numbers.iter().map(|id| GlobCnt(*id)).collect()
}

fn numbers(ids: &[GlobCnt]) -> Vec<u64> {
    ids.iter().map(|id| id.0).collect()
}

/// Does `op` to a store; its answer as the model gives it.
pub fn perform(store: &Store, op: &Op) -> Result<String, StoreError> {
    match op {
        Op::AddUser(user) => Ok(store.add_user(new_user(*user))?.minimal_id.to_string()),
        Op::RemoveUser(user) => {
            store.remove_user(&format!("u{user}@example.test"))?;
            Ok(String::new())
        }
        Op::SetPassword(user, password) => {
            store.set_password(&format!("u{user}@example.test"), password)?;
            Ok(String::new())
        }
        Op::In(user, op) => perform_in(store, *user, op),
    }
}

fn perform_in(store: &Store, user: u64, op: &MailboxOp) -> Result<String, StoreError> {
    let mailbox = store.mailbox(guid_of(user))?;
    let save = |folder, id, associated, message| SaveMessage {
        folder: GlobCnt(folder),
        id,
        associated,
        read: None,
        expected_cn: None,
        message,
    };
    match op {
        MailboxOp::CreateFolder { parent, name } => {
            let folder = mailbox.create_folder(NewFolder {
                parent: GlobCnt(*parent),
                kind: FolderKind::Generic,
                props: Bag::from_iter([(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))]),
            })?;
            Ok(format!("{} {}", folder.id.0, folder.cn.0))
        }
        MailboxOp::RenameFolder { id, name } => {
            let set = [(tags::PID_TAG_DISPLAY_NAME, PropValue::text(name))];
            mailbox.update_folder(GlobCnt(*id), &set, &[])?;
            Ok(String::new())
        }
        MailboxOp::DeleteFolder { id, how } => {
            Ok(mailbox.delete_folder(GlobCnt(*id), *how)?.to_string())
        }
        MailboxOp::MoveFolder { id, to, name } => {
            let name = name.as_deref().map(Utf16Text::from);
            mailbox.move_folder(GlobCnt(*id), GlobCnt(*to), name.as_ref())?;
            Ok(String::new())
        }
        MailboxOp::CopyFolder { id, to, name, deep } => {
            let name = name.as_deref().map(Utf16Text::from);
            let copy = mailbox.copy_folder(GlobCnt(*id), GlobCnt(*to), name.as_ref(), *deep)?;
            Ok(copy.0.to_string())
        }
        MailboxOp::Save {
            folder,
            associated,
            specs,
        } => {
            let messages = specs.iter().map(|spec| spec.stored(store));
            let messages = messages.collect::<Result<Vec<_>, _>>()?;
            let saves = messages.into_iter();
            let saves = saves.map(|message| save(*folder, None, *associated, message));
            let saved = mailbox.save_messages(saves.collect())?;
            let saved: Vec<_> = saved.iter().map(|entry| (entry.id.0, entry.cn.0)).collect();
            Ok(format!("{saved:?}"))
        }
        MailboxOp::Resave {
            folder,
            id,
            stale,
            read,
            spec,
        } => {
            let id = Some(GlobCnt(*id));
            let saved = mailbox.save_message(SaveMessage {
                read: *read,
                expected_cn: stale.then_some(GlobCnt(3)),
                ..save(*folder, id, false, spec.stored(store)?)
            })?;
            Ok(format!("{:?}", [(saved.id.0, saved.cn.0)]))
        }
        MailboxOp::Delete {
            folder,
            ids: which,
            hard,
        } => {
            let missing = mailbox.delete_messages(GlobCnt(*folder), &ids(which), *hard)?;
            Ok(format!("{:?}", numbers(&missing)))
        }
        MailboxOp::Empty { folder, how } => {
            let complete = mailbox.empty_folder(GlobCnt(*folder), *how, &|_| false)?;
            Ok(complete.to_string())
        }
        MailboxOp::Transfer {
            from,
            to,
            ids: which,
            remove,
        } => {
            let (from, to) = (GlobCnt(*from), GlobCnt(*to));
            let done = match remove {
                true => mailbox.move_messages(from, to, &ids(which))?,
                false => mailbox.copy_messages(from, to, &ids(which))?,
            };
            let pairs = done.done.iter().map(|(old, new)| (old.0, new.0));
            let pairs: Vec<_> = pairs.collect();
            Ok(format!("{pairs:?} {:?}", numbers(&done.missing)))
        }
        MailboxOp::SetRead {
            folder,
            ids: which,
            read,
        } => {
            let outcome = mailbox.set_read(GlobCnt(*folder), &ids(which), *read)?;
            let (changed, missing) = (numbers(&outcome.changed), numbers(&outcome.missing));
            Ok(format!("{changed:?} {missing:?}"))
        }
        MailboxOp::Names(names) => {
            let ids: Option<Vec<u16>> = mailbox.named_ids(names, true)?.into_iter().collect();
            Ok(format!("{:?}", ids.unwrap_or_default()))
        }
        MailboxOp::Replid(guid) => {
            let id = mailbox.replid_of(*guid, true)?;
            Ok(id.unwrap_or(0).to_string())
        }
        MailboxOp::Reserve(count) => Ok(mailbox.reserve_ids(*count)?.0.to_string()),
        MailboxOp::Comment(comment) => {
            let tag = tags::PID_TAG_COMMENT;
            match comment {
                Some(text) => mailbox.update_store_props(&[(tag, PropValue::text(text))], &[])?,
                None => mailbox.update_store_props(&[], &[tag.id()])?,
            }
            Ok(String::new())
        }
        MailboxOp::Receive(class, folder) => {
            mailbox.set_receive_folder(class, folder.map(GlobCnt))?;
            Ok(String::new())
        }
    }
}

/// An operation that makes some sense for what the model has.
pub fn random_op(random: &mut Random, model: &Model) -> Op {
    let users: Vec<u64> = model.users.keys().copied().collect();
    let number = random.below(3);
    match random.below(40) {
        0 => return Op::RemoveUser(number),
        1 => return Op::SetPassword(number, format!("hash {}", random.below(9))),
        2..4 => return Op::AddUser(number),
        _ => {}
    }
    let Some(user) = random.pick(&users) else {
        return Op::AddUser(number);
    };
    Op::In(user, random_in(random, &model.users[&user].1))
}

fn random_in(random: &mut Random, mailbox: &ModelMailbox) -> MailboxOp {
    let folders: Vec<u64> = mailbox.folders.keys().copied().collect();
    // Now and then one that is not there.
    let folder = |random: &mut Random| match random.once_in(40) {
        true => random.below(0x1_0100),
        false => random.pick(&folders).unwrap_or(ROOT),
    };
    let names = ["Work", "WORK", "Straße", "STRASSE", "mail", "Notes", "ΟΔΟΣ"];
    let name = |random: &mut Random| random.pick(&names).unwrap_or_default().to_owned();
    let from = folder(random);
    let known: Vec<u64> = mailbox
        .folders
        .get(&from)
        .map(|folder| folder.messages.keys().copied().collect())
        .unwrap_or_default();
    let some = |random: &mut Random| -> Vec<u64> {
        let mut some: Vec<u64> = Vec::new();
        for _ in 0..1 + random.below(4) {
            let id = match random.once_in(20) {
                true => Some(random.below(0x1_0200)),
                false => random.pick(&known),
            };
            some.extend(id.filter(|id| !some.contains(id)));
        }
        some
    };
    match random.below(100) {
        0..10 => MailboxOp::CreateFolder {
            parent: from,
            name: name(random),
        },
        10..15 => MailboxOp::RenameFolder {
            id: from,
            name: name(random),
        },
        15..18 => MailboxOp::DeleteFolder {
            id: from,
            how: DeleteFolder {
                messages: !random.once_in(3),
                folders: !random.once_in(3),
                hard: random.once_in(2),
            },
        },
        18..21 => MailboxOp::MoveFolder {
            id: from,
            to: folder(random),
            name: (!random.once_in(3)).then(|| name(random)),
        },
        21..23 => MailboxOp::CopyFolder {
            id: from,
            to: folder(random),
            name: (!random.once_in(3)).then(|| name(random)),
            deep: !random.once_in(3),
        },
        23..45 => MailboxOp::Save {
            folder: from,
            associated: random.once_in(6),
            specs: (0..1 + random.below(4).saturating_sub(1))
                .map(|_| MessageSpec::random(random))
                .collect(),
        },
        45..55 => MailboxOp::Resave {
            folder: from,
            id: some(random).first().copied().unwrap_or(7),
            stale: random.once_in(6),
            read: random.pick(&[None, Some(true), Some(false)]).flatten(),
            spec: MessageSpec::random(random),
        },
        55 => MailboxOp::Empty {
            folder: from,
            how: EmptyFolder {
                associated: random.once_in(2),
                hard: random.once_in(2),
            },
        },
        56..65 => MailboxOp::Delete {
            folder: from,
            ids: some(random),
            hard: random.once_in(2),
        },
        65..78 => MailboxOp::Transfer {
            from,
            to: folder(random),
            ids: some(random),
            remove: random.once_in(2),
        },
        78..88 => MailboxOp::SetRead {
            folder: from,
            ids: some(random),
            read: random.once_in(2),
        },
        88..91 => MailboxOp::Names(
            (0..1 + random.below(3))
                .map(|_| match random.once_in(2) {
                    true => PropertyName::Lid(PS_PUBLIC_STRINGS, random.below(9) as u32),
                    false => {
                        let name = format!("Name {}", random.below(9));
                        PropertyName::Name(PS_PUBLIC_STRINGS, name.as_str().into())
                    }
                })
                .collect(),
        ),
        91..93 => MailboxOp::Replid(Guid([0xC0 + random.below(6) as u8; 16])),
        93..96 => MailboxOp::Reserve(1 + random.below(1000) as u32),
        96..98 => MailboxOp::Comment(random.once_in(3).then(|| "a comment".into())),
        _ => {
            let class = format!("IPM.{}", random.below(3));
            MailboxOp::Receive(class, (!random.once_in(3)).then(|| folder(random)))
        }
    }
}

/// A clock that the test sets.
#[derive(Default)]
pub struct TestClock(pub AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> FileTime {
        FileTime(self.0.load(Ordering::Relaxed))
    }
}

/// How long a history is.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub ops: u64,
}

/// A store on a simulated disk, and what should be in it.
pub struct History {
    pub random: Random,
    pub disk: SimDisk,
    pub model: Model,
    clock: Arc<TestClock>,
    dir: tempfile::TempDir,
    durability: Durability,
    /// The store opens even if the end of its log is missing.
    pub accept_loss: bool,
    /// Says when the disk gets full, and when it has room again.
    pub space: Option<Random>,
    /// Changes that were refused since the disk was full.
    pub refused: u64,
    /// What the index is when the store is opened next.
    index: Option<Arc<dyn Kv>>,
    /// The key that the store is opened with.
    pub key: Option<MasterKey>,
    /// The key that it gets at some later opening.
    pub later_key: Option<MasterKey>,
    /// Whether the next opening makes another data key.
    pub new_data_key: bool,
    store: Option<Store>,
}

/// A user's key.
pub fn master(digit: char) -> MasterKey {
    let key = MasterKey::from_hex(&digit.to_string().repeat(64));
    key.expect("64 digits are a key")
}

/// All keys and values of an index.
pub fn dump(kv: &dyn Kv) -> Vec<Write> {
    let mut all = Vec::new();
    scan(kv, &[], &mut |key, value| {
        all.push(Write::Put(key.to_vec(), value.to_vec()));
        Ok(())
    })
    .expect("an index in memory can be read");
    all
}

fn kv_of(all: &[Write]) -> Arc<dyn Kv> {
    let kv = MemoryKv::default();
    kv.apply(all).expect("an index in memory can be written");
    Arc::new(kv)
}

impl History {
    pub fn new(seed: u64, durability: Durability) -> Self {
        Self {
            random: Random::new(seed),
            disk: SimDisk::new(seed),
            model: Model::default(),
            clock: Arc::default(),
            dir: tempfile::tempdir().expect("a temporary directory"),
            durability,
            accept_loss: false,
            space: None,
            refused: 0,
            index: None,
            key: None,
            later_key: None,
            new_data_key: false,
            store: None,
        }
    }

    fn try_open(&self, disk: &SimDisk, dir: &std::path::Path) -> Result<Store, OpenError> {
        let options = StoreOptions {
            durability: self.durability,
            index: IndexKind::Memory,
            cache_bytes: 64 << 10,
            clock: self.clock.clone(),
            master_key: self.key.clone(),
            new_data_key: self.new_data_key,
            accept_loss: self.accept_loss,
            compaction: Compaction::Manual,
            ..StoreOptions::default()
        };
        let tuning = Tuning {
            disk: Arc::new(disk.clone()),
            segment_bytes: 48 << 10,
            index: self.index.clone(),
        };
        Store::open_with(dir, options, tuning)
    }

    /// Opens a store on another disk, without an index.
    pub fn open_other(
        &mut self,
        disk: &SimDisk,
        dir: &std::path::Path,
    ) -> Result<Store, OpenError> {
        let given = self.index.take();
        let opened = self.try_open(disk, dir);
        self.index = given;
        opened
    }

    /// The store's directory.
    pub fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// The clock's time.
    pub fn now(&self) -> FileTime {
        self.clock.now()
    }

    /// Opens the store, whose disk may fail on the way.
    fn open(&mut self) {
        let mut tries = 0;
        let store = loop {
            if self.random.once_in(8) {
                let at = self.random.below(12);
                self.disk.set_fault(Some(Fault::Stop(at)));
            }
            match self.try_open(&self.disk, self.dir.path()) {
                Ok(store) => break store,
                Err(OpenError::DiskFull { .. }) if self.space.is_some() => {
                    self.disk.set_fault(None);
                    self.disk.set_capacity(None);
                }
                Err(error) => {
                    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
                    self.crash_disk();
                }
            }
            tries += 1;
            assert!(tries < 100, "the store does not open");
        };
        self.disk.set_fault(None);
        self.new_data_key = false;
        assert_eq!(store.recovery().fenced, [], "nothing is damaged");
        assert!(!self.suspects_index(), "the index was right");
        self.store = Some(store);
    }

    /// Opens a store that may be damaged.
    pub fn open_damaged(&self) -> Store {
        let opened = self.try_open(&self.disk, self.dir.path());
        opened.expect("a damaged store opens")
    }

    /// What opening answers, for those who expect an error.
    pub fn try_open_again(&self) -> Result<Store, OpenError> {
        self.try_open(&self.disk, self.dir.path())
    }

    /// What the index is at the next opening.
    pub fn index(&self) -> Option<Arc<dyn Kv>> {
        self.index.clone()
    }

    /// The next opening finds this index.
    pub fn use_index(&mut self, index: Arc<dyn Kv>) {
        self.index = Some(index);
    }

    /// The next opening makes the index anew.
    pub fn forget_index(&mut self) {
        self.index = None;
        let _ = std::fs::remove_file(self.dir.path().join("index.suspect"));
    }

    /// Closes the store; the next opening finds the index as it is then.
    pub fn close_keeping_index(&mut self) {
        let store = self.store();
        let kv = store.core().index.kv().expect("it is open");
        store.close().expect("closing succeeds");
        self.index = Some(kv);
        self.store = None;
    }

    /// Removes keys of the index that is found at the next opening.
    pub fn damage_index(&mut self, damaged: impl Fn(&[u8]) -> bool, value: Option<&[u8]>) {
        let kv = self.index.clone().expect("the index was kept");
        let mut writes = Vec::new();
        for write in dump(&*kv) {
            if let Write::Put(key, _) = write
                && damaged(&key)
            {
                writes.push(match value {
                    Some(value) => Write::Put(key, value.to_vec()),
                    None => Write::Remove(key),
                });
            }
        }
        assert!(!writes.is_empty());
        kv.apply(&writes)
            .expect("an index in memory can be written");
    }

    pub fn tick_clock(&self) {
        self.clock.0.fetch_add(1, Ordering::Relaxed);
    }

    pub fn store(&mut self) -> Store {
        if self.store.is_none() {
            self.open();
        }
        self.store.clone().expect("it is open")
    }

    fn crash_disk(&mut self) {
        match self.durability == Durability::Always && self.random.once_in(2) {
            true => self.disk.power_failure(),
            false => self.disk.kill(),
        }
    }

    /// Whether the index was found to be wrong.
    pub fn suspects_index(&self) -> bool {
        self.dir.path().join("index.suspect").exists()
    }

    /// Keeps the index for the next opening, an older one, or none.
    fn keep_index(&mut self, older: &Option<Vec<Write>>) {
        let kv = self.store().core().index.kv().ok();
        self.index = match self.random.below(3) {
            0 => None,
            1 => older.as_deref().map(kv_of),
            _ => kv.map(|kv| kv_of(&dump(&*kv))),
        };
    }

    /// Does `op`; false if the store cannot take changes any more.
    pub fn step(&mut self, op: &Op) -> bool {
        let store = self.store();
        let now = self.clock.0.fetch_add(1, Ordering::Relaxed) + 1;
        let mut after = self.model.clone();
        let expected = after.apply(op, now);
        match (perform(&store, op), expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found, expected, "{op:?}");
                self.model = after;
                true
            }
            (Err(StoreError::ReadOnly { .. }), expected) => {
                let again = perform(&store, op);
                let refused = matches!(&again, Err(error) if kind(error) != "another");
                assert!(refused || again.is_ok(), "{again:?}");
                self.settle(expected.is_ok().then_some(after));
                false
            }
            // Nothing was changed.
            (Err(StoreError::DiskFull), _) => {
                self.refused += 1;
                false
            }
            (Err(found), Err(expected)) => {
                assert_eq!(kind(&found), expected, "{op:?}: {found:?}");
                true
            }
            (found, expected) => panic!("{op:?}: {found:?} instead of {expected:?}"),
        }
    }

    /// The store failed in the middle of a change: crashes it, opens it, and sees whether all of the
    /// change is there or nothing.
    fn settle(&mut self, after: Option<Model>) {
        // Until then readers go on as before.
        if self.disk.is_on() {
            let store = self.store();
            let checked = self.model.check(&store);
            checked.unwrap_or_else(|error| panic!("before the crash: {error}"));
        }
        self.crash(&None);
        let store = self.store();
        let Err(before) = self.model.check(&store) else {
            return;
        };
        let after = after.unwrap_or_else(|| panic!("nothing was to change, but: {before}"));
        if let Err(error) = after.check(&store) {
            panic!("half a change\nas before, but: {before}\nor as after, but: {error}");
        }
        self.model = after;
    }

    /// Stops the store without closing it, and the disk under it.
    pub fn crash(&mut self, older: &Option<Vec<Write>>) {
        self.store();
        self.keep_index(older);
        self.disk.stop();
        if let Some(store) = self.store.take() {
            // Lets go of threads and of the directory; it cannot write any more.
            let _ = store.close();
        }
        self.crash_disk();
        self.choose_keys();
    }

    /// Now and then another key, of a store that has one or is to get one.
    fn choose_keys(&mut self) {
        if self.key.is_some() {
            self.new_data_key = self.random.once_in(4);
        } else if self.later_key.is_some() && self.random.once_in(3) {
            self.key = self.later_key.take();
        }
    }

    pub fn close(&mut self, older: &Option<Vec<Write>>) {
        let store = self.store();
        self.disk.set_fault(None);
        self.keep_index(older);
        store.close().expect("closing succeeds");
        self.store = None;
        self.choose_keys();
    }

    /// Everything is as the model has it, and the index is what the log alone would give.
    pub fn check(&mut self) {
        let store = self.store();
        self.model
            .check(&store)
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(!self.suspects_index(), "the index was right");
    }

    /// All is as it should be, also once the store was opened anew with its index, and without it.
    pub fn check_all(&mut self) {
        self.check();
        self.close_keeping_index();
        self.store();
        self.check_index();
        self.check();
    }

    /// The index that was caught up is the one that is made from the log alone.
    fn check_index(&mut self) {
        let store = self.store();
        let caught_up = dump(&*store.core().index.kv().expect("it is open"));
        let dir = tempfile::tempdir().expect("a temporary directory");
        let copy = self.disk.copy();
        let given = self.index.take();
        let rebuilt = self.try_open(&copy, dir.path()).expect("a copy opens");
        self.index = given;
        let rebuilt = dump(&*rebuilt.core().index.kv().expect("it is open"));
        assert_eq!(caught_up.len(), rebuilt.len());
        assert!(caught_up == rebuilt, "the index differs from the log");
    }

    /// Gives back space. Meanwhile other things are done, `busy` times out of ten where it can be.
    pub fn compact(&mut self, full: bool, busy: u64) -> Result<CompactReport, StoreError> {
        let store = self.store();
        let options = CompactOptions {
            full,
            grace: Duration::ZERO,
            bytes_per_second: None,
        };
        store.compact(options, &mut |progress| {
            assert!(progress.done <= progress.total);
            if self.random.below(10) < busy && self.disk.is_on() {
                let op = random_op(&mut self.random, &self.model);
                self.step(&op);
            }
        })
    }

    /// Gives back space, perhaps on a disk that fails.
    fn compact_at_random(&mut self, older: &Option<Vec<Write>>) {
        let (full, busy) = (self.random.once_in(3), self.random.below(8));
        self.store();
        if self.random.once_in(2) {
            let at = self.random.below(60);
            let fault = match self.random.below(3) {
                0 => Fault::Stop(at),
                1 => Fault::Fail(at, io::ErrorKind::StorageFull),
                _ => Fault::Fail(at, io::ErrorKind::Other),
            };
            self.disk.set_fault(Some(fault));
        }
        let told = match self.compact(full, busy) {
            Ok(report) => {
                assert!(report.damaged.is_empty());
                false
            }
            Err(StoreError::ReadOnly { .. }) => true,
            Err(StoreError::Io(_) | StoreError::DiskFull | StoreError::Closed) => false,
            Err(error) => panic!("{error:?}"),
        };
        let fails = self.store().core().check_writable().is_err();
        assert!(told || !fails, "nobody was told that the log takes no more");
        if fails || !self.disk.is_on() {
            self.crash(older);
            self.check();
        }
    }

    /// A history that goes on from here on another disk. The store must be closed.
    pub fn fork(&self, seed: u64) -> Self {
        assert!(self.store.is_none());
        Self {
            space: None,
            refused: 0,
            random: Random::new(seed),
            disk: self.disk.copy(),
            model: self.model.clone(),
            clock: self.clock.clone(),
            dir: tempfile::tempdir().expect("a temporary directory"),
            index: self.index.as_ref().map(|kv| kv_of(&dump(&**kv))),
            durability: self.durability,
            accept_loss: self.accept_loss,
            key: self.key.clone(),
            later_key: self.later_key.clone(),
            new_data_key: self.new_data_key,
            store: None,
        }
    }

    /// Lives through `plan`.
    pub fn run(&mut self, plan: Plan) {
        let mut older = None;
        for _ in 0..plan.ops {
            match self.space.as_mut().map(|space| space.below(12)) {
                Some(0) => {
                    let left = [0, 10, 1000, 30_000, 1 << 20, 2 << 20, 5 << 20];
                    let left = self.space.as_mut().and_then(|space| space.pick(&left));
                    self.store();
                    self.disk.set_free(left.unwrap_or(0));
                }
                Some(1 | 2) => self.disk.set_capacity(None),
                _ => {}
            }
            match self.random.below(40) {
                0 => {
                    self.close(&older);
                    self.store();
                    self.check_index();
                    self.check();
                }
                1 => {
                    self.crash(&older);
                    self.store();
                    self.check_index();
                    self.check();
                }
                2 => self.store().core().tick(),
                5..7 => self.compact_at_random(&older),
                3 => {
                    let kv = self.store().core().index.kv().expect("it is open");
                    older = Some(dump(&*kv));
                }
                4 => {
                    let at = self.random.below(6);
                    let fault = match self.random.below(3) {
                        0 => Fault::Stop(at),
                        1 => Fault::Fail(at, io::ErrorKind::StorageFull),
                        _ => Fault::Fail(at, io::ErrorKind::Other),
                    };
                    self.store();
                    self.disk.set_fault(Some(fault));
                }
                _ => {
                    let op = random_op(&mut self.random, &self.model);
                    self.step(&op);
                }
            }
        }
        self.check();
    }
}
