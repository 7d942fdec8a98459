//! What one writer knows to be in the store: changes that were acknowledged, and at most one that
//! may have happened or not.

use std::collections::{BTreeMap, HashSet};

use ropewalk_tests::{
    client::{Cells as _, Client, Handle, Logon, Result, Value},
    fixture::{tag, text},
};

/// Numbers that a seed decides: SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// A message as it has to be; its body and attachment follow from `key` and `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub version: u32,
    pub body: usize,
    pub attachment: Option<Attachment>,
    pub read: bool,
    /// Which of the two folders it is in.
    pub second: bool,
}

/// Bytes that a seed decides: several messages, of several mailboxes, may have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub seed: u32,
    pub length: usize,
}

/// A writer's two folders, the messages in them by their keys, and the subfolders of the first.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub messages: BTreeMap<u32, Message>,
    pub subfolders: BTreeMap<String, u64>,
}

/// A writer and what it knows.
pub struct Writer {
    pub name: String,
    pub random: Random,
    pub folders: [u64; 2],
    pub state: State,
    /// Large attachments that are made again and again: none, unless a test says so.
    pub large: &'static [Attachment],
    /// The MIDs that were deleted for good: nobody may see them again.
    purged: HashSet<u64>,
    /// The state if the change in flight has happened.
    pub pending: Option<State>,
    /// Every MID and FID that it has ever been told.
    pub used: HashSet<u64>,
    /// The MIDs of messages by their keys, where they are known: a move makes a new one.
    ids: BTreeMap<u32, u64>,
    /// The old MID of the message whose move is in flight.
    moving: Option<u64>,
    next: u32,
}

/// Bytes that a key and a version decide.
fn pattern(key: u32, version: u32, salt: u32, length: usize) -> Vec<u8> {
    let mut random = Random(u64::from(key) << 32 | u64::from(version) << 3 | u64::from(salt));
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(random.below(u64::MAX).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The subject that names a message and its version.
fn subject(key: u32, version: u32) -> String {
    format!("{key} {version}")
}

fn parse_subject(subject: &str) -> (u32, u32) {
    let (key, version) = subject.split_once(' ').expect("two numbers");
    (key.parse().unwrap(), version.parse().unwrap())
}

struct Seen {
    id: u64,
    second: bool,
    read: bool,
    version: u32,
}

impl Writer {
    /// Makes the writer's folders below the Inbox.
    pub fn new(client: &mut Client, logon: &Logon, name: &str, seed: u64) -> Self {
        let inbox = client.open_folder(logon.handle, logon.inbox()).unwrap();
        let folders = ["A", "B"].map(|folder| {
            client
                .create_folder(inbox, &format!("{name} {folder}"))
                .unwrap()
                .folder_id
        });
        Self {
            name: name.to_owned(),
            random: Random(seed),
            folders,
            state: State::default(),
            large: &[],
            purged: HashSet::new(),
            pending: None,
            used: HashSet::from(folders),
            ids: BTreeMap::new(),
            moving: None,
            next: 1,
        }
    }

    fn learn(&mut self, id: u64) {
        assert!(
            self.used.insert(id),
            "{}: the id {id:#018x} is used again",
            self.name
        );
    }

    /// A message that was being moved has its old id or a new one.
    fn learn_moved(&mut self, id: u64) {
        if self.moving != Some(id) {
            self.learn(id);
        }
    }

    /// One random change. An error is the server's end: the change is pending then.
    pub fn step(&mut self, client: &mut Client, logon: &Logon) -> Result<()> {
        let keys: Vec<u32> = self.state.messages.keys().copied().collect();
        let pick = |random: &mut Random| keys[random.below(keys.len() as u64) as usize];
        match self.random.below(if keys.is_empty() { 4 } else { 12 }) {
            0..=2 => self.create(client, logon),
            3 => self.subfolder(client, logon),
            4..=6 => {
                let key = pick(&mut self.random);
                self.change(client, logon, key)
            }
            7 | 8 => {
                let key = pick(&mut self.random);
                self.mark(client, logon, key)
            }
            9 | 10 => {
                let key = pick(&mut self.random);
                self.relocate(client, logon, key)
            }
            _ => {
                let key = pick(&mut self.random);
                self.delete(client, logon, key)
            }
        }
    }

    /// What is about to be done becomes pending.
    fn intend(&mut self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.clone();
        change(&mut state);
        self.pending = Some(state);
    }

    /// It was acknowledged.
    fn acknowledge(&mut self) {
        self.state = self.pending.take().expect("a change was intended");
    }

    pub fn new_message(&mut self) -> (u32, Message) {
        let key = self.next;
        self.next += 1;
        let attachment = (self.random.below(3) == 0).then(|| {
            let which = self.random.below(2 * self.large.len() as u64 + 1) as usize;
            self.large
                .get(which)
                .copied()
                .unwrap_or_else(|| Attachment {
                    seed: key,
                    length: self.random.below(60_000) as usize,
                })
        });
        let message = Message {
            version: 0,
            body: self.random.below(12_000) as usize,
            attachment,
            read: true,
            second: false,
        };
        (key, message)
    }

    /// A message with everything but its save.
    pub fn prepare(
        client: &mut Client,
        logon: &Logon,
        folder_id: u64,
        key: u32,
        message: &Message,
    ) -> Result<Handle> {
        let handle = client.create_message(logon.handle, folder_id)?;
        client.set_props(
            handle,
            &[(tag::SUBJECT, text(&subject(key, message.version)))],
        )?;
        let body = pattern(key, message.version, 0, message.body);
        client.write_property_stream(handle, tag::HTML, &body)?;
        if let Some(Attachment { seed, length }) = message.attachment {
            let (attachment, _) = client.create_attachment(handle)?;
            client.set_props(attachment, &[(tag::ATTACH_METHOD, Value::Integer32(1))])?;
            let data = pattern(seed, 0, 1, length);
            client.write_property_stream(attachment, tag::ATTACH_DATA_BINARY, &data)?;
            client.save_attachment(handle, attachment)?;
            client.release(attachment)?;
        }
        Ok(handle)
    }

    fn create(&mut self, client: &mut Client, logon: &Logon) -> Result<()> {
        let (key, message) = self.new_message();
        let handle = Self::prepare(client, logon, self.folders[0], key, &message)?;
        self.intend(|state| {
            state.messages.insert(key, message);
        });
        let id = client.save_message(handle)?;
        self.acknowledge();
        self.learn(id);
        self.ids.insert(key, id);
        client.release(handle)
    }

    /// The MID of a message.
    fn id(&mut self, client: &mut Client, logon: &Logon, key: u32) -> Result<u64> {
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        let message = &self.state.messages[&key];
        let folder_id = self.folders[usize::from(message.second)];
        let id = find(client, logon, folder_id, &subject(key, message.version))?;
        self.learn(id);
        self.ids.insert(key, id);
        Ok(id)
    }

    fn change(&mut self, client: &mut Client, logon: &Logon, key: u32) -> Result<()> {
        let old = self.state.messages[&key].clone();
        let folder_id = self.folders[usize::from(old.second)];
        let id = self.id(client, logon, key)?;
        let opened = client.open_message(logon.handle, folder_id, id, 1)?;
        let new = Message {
            version: old.version + 1,
            body: self.random.below(12_000) as usize,
            ..old
        };
        client.set_props(
            opened.handle,
            &[(tag::SUBJECT, text(&subject(key, new.version)))],
        )?;
        let body = pattern(key, new.version, 0, new.body);
        client.write_property_stream(opened.handle, tag::HTML, &body)?;
        self.intend(|state| {
            state.messages.insert(key, new);
        });
        assert_eq!(client.save_message(opened.handle)?, id);
        self.acknowledge();
        client.release(opened.handle)
    }

    fn mark(&mut self, client: &mut Client, logon: &Logon, key: u32) -> Result<()> {
        let old = self.state.messages[&key].clone();
        let folder_id = self.folders[usize::from(old.second)];
        let id = self.id(client, logon, key)?;
        let folder = client.open_folder(logon.handle, folder_id)?;
        let flags = if old.read { 0x05 } else { 0x01 };
        self.intend(|state| {
            let read = !old.read;
            state.messages.insert(key, Message { read, ..old });
        });
        assert_eq!(client.set_read_flags(folder, &[id], flags)?, 0);
        self.acknowledge();
        client.release(folder)
    }

    fn relocate(&mut self, client: &mut Client, logon: &Logon, key: u32) -> Result<()> {
        let old = self.state.messages[&key].clone();
        let from_id = self.folders[usize::from(old.second)];
        let to_id = self.folders[usize::from(!old.second)];
        let id = self.id(client, logon, key)?;
        let from = client.open_folder(logon.handle, from_id)?;
        let to = client.open_folder(logon.handle, to_id)?;
        self.intend(|state| {
            let second = !old.second;
            state.messages.insert(key, Message { second, ..old });
        });
        self.ids.remove(&key);
        self.moving = Some(id);
        assert_eq!(client.move_copy_messages(from, to, &[id], false)?, 0);
        self.acknowledge();
        self.moving = None;
        client.release(from)?;
        client.release(to)
    }

    fn delete(&mut self, client: &mut Client, logon: &Logon, key: u32) -> Result<()> {
        let old = self.state.messages[&key].clone();
        let folder_id = self.folders[usize::from(old.second)];
        let id = self.id(client, logon, key)?;
        let folder = client.open_folder(logon.handle, folder_id)?;
        self.intend(|state| {
            state.messages.remove(&key);
        });
        if self.random.below(2) == 0 {
            assert_eq!(client.delete_messages(folder, &[id])?, 0);
        } else {
            assert_eq!(client.hard_delete_messages(folder, &[id])?, 0);
            self.purged.insert(id);
        }
        self.acknowledge();
        client.release(folder)
    }

    /// Makes a subfolder, or deletes one.
    fn subfolder(&mut self, client: &mut Client, logon: &Logon) -> Result<()> {
        let folder = client.open_folder(logon.handle, self.folders[0])?;
        let first = self.state.subfolders.iter().next();
        let first = first.map(|(name, id)| (name.clone(), *id));
        if let Some((name, id)) = first.filter(|_| self.random.below(2) == 0) {
            self.intend(|state| {
                state.subfolders.remove(&name);
            });
            assert_eq!(client.delete_folder(folder, id, 0x15)?, 0);
            self.acknowledge();
        } else {
            let name = format!("sub {}", self.next);
            self.next += 1;
            self.intend(|state| {
                state.subfolders.insert(name.clone(), 0);
            });
            let id = client.create_folder(folder, &name)?.folder_id;
            self.acknowledge();
            self.state.subfolders.insert(name, id);
            self.learn(id);
        }
        client.release(folder)
    }

    /// Compares the store with what is known, and takes over what turned out to have happened.
    pub fn verify(&mut self, client: &mut Client, logon: &Logon) {
        let mut seen = BTreeMap::new();
        for (second, folder_id) in [(false, self.folders[0]), (true, self.folders[1])] {
            let folder = client.open_folder(logon.handle, folder_id).unwrap();
            let (table, _) = client.contents_table(folder, 0).unwrap();
            let rows = client
                .query_all_rows(table, &[tag::SUBJECT, tag::MID, tag::MESSAGE_FLAGS])
                .unwrap();
            let mut unread = 0;
            for row in &rows {
                let (key, version) = parse_subject(&row.text(0));
                let read = row.int(2) & 1 != 0;
                unread += i32::from(!read);
                let found = Seen {
                    id: row.id(1),
                    second,
                    read,
                    version,
                };
                assert!(
                    seen.insert(key, found).is_none(),
                    "{}: message {key} is there twice",
                    self.name
                );
            }
            let counts = client
                .get_props(folder, &[tag::CONTENT_COUNT, tag::CONTENT_UNREAD_COUNT])
                .unwrap();
            assert_eq!(
                (counts.int(0), counts.int(1)),
                (rows.len() as i32, unread),
                "{}: counts",
                self.name
            );
            client.release(table).unwrap();
            // SoftDeletes (MS-OXCFOLD 2.2.1.14.1).
            let (table, _) = client.contents_table(folder, 0x20).unwrap();
            for row in client.query_all_rows(table, &[tag::MID]).unwrap() {
                let id = row.id(0);
                assert!(
                    !self.purged.contains(&id),
                    "{}: {id:#018x} was deleted for good",
                    self.name
                );
            }
            client.release(table).unwrap();
            client.release(folder).unwrap();
        }
        let subfolders = self.subfolders(client, logon);

        let fits = |state: &State| {
            state.messages.len() == seen.len()
                && state.messages.iter().all(|(key, message)| {
                    seen.get(key).is_some_and(|seen| {
                        (seen.version, seen.second, seen.read)
                            == (message.version, message.second, message.read)
                    })
                })
                && state.subfolders.keys().eq(subfolders.keys())
        };
        if !fits(&self.state) {
            let pending = self.pending.take().filter(|pending| fits(pending));
            let seen: Vec<(u32, u32, bool, bool)> = seen
                .iter()
                .map(|(key, seen)| (*key, seen.version, seen.second, seen.read))
                .collect();
            self.state = pending.unwrap_or_else(|| {
                panic!(
                    "{}: acknowledged {:#?}\nfound (key, version, second, read) {seen:?}\n\
                     subfolders {subfolders:?}",
                    self.name, self.state
                )
            });
        }
        self.pending = None;
        for (name, id) in &subfolders {
            let known = self.state.subfolders.insert(name.clone(), *id);
            if known != Some(*id) {
                assert_eq!(known, Some(0), "{}: {name} has another id", self.name);
                self.learn(*id);
            }
        }
        for (key, found) in seen {
            match self.ids.insert(key, found.id) {
                Some(known) => assert_eq!(found.id, known, "{}: id of {key}", self.name),
                None => self.learn_moved(found.id),
            }
            self.verify_message(client, logon, key, &found);
        }
        self.moving = None;
    }

    fn subfolders(&self, client: &mut Client, logon: &Logon) -> BTreeMap<String, u64> {
        let folder = client.open_folder(logon.handle, self.folders[0]).unwrap();
        let (table, _) = client.hierarchy_table(folder, 0).unwrap();
        let rows = client
            .query_all_rows(table, &[tag::DISPLAY_NAME, tag::FOLDER_ID])
            .unwrap();
        client.release(table).unwrap();
        client.release(folder).unwrap();
        rows.iter().map(|row| (row.text(0), row.id(1))).collect()
    }

    /// The message is whole.
    fn verify_message(&self, client: &mut Client, logon: &Logon, key: u32, found: &Seen) {
        let message = &self.state.messages[&key];
        let folder_id = self.folders[usize::from(found.second)];
        let opened = client
            .open_message(logon.handle, folder_id, found.id, 0)
            .unwrap();
        let body = client
            .read_property_stream(opened.handle, tag::HTML)
            .unwrap();
        assert!(
            body == pattern(key, message.version, 0, message.body),
            "{}: the body of message {key}",
            self.name
        );
        let table = client.attachment_table(opened.handle).unwrap();
        let rows = client.query_all_rows(table, &[tag::ATTACH_NUMBER]).unwrap();
        assert_eq!(
            rows.len(),
            usize::from(message.attachment.is_some()),
            "{}: attachments of message {key}",
            self.name
        );
        if let Some(Attachment { seed, length }) = message.attachment {
            let number = rows[0].int(0).cast_unsigned();
            let attachment = client.open_attachment(opened.handle, number, 0).unwrap();
            let data = client
                .read_property_stream(attachment, tag::ATTACH_DATA_BINARY)
                .unwrap();
            assert!(
                data == pattern(seed, 0, 1, length),
                "{}: the attachment of message {key}",
                self.name
            );
            client.release(attachment).unwrap();
        }
        client.release(table).unwrap();
        client.release(opened.handle).unwrap();
    }
}

/// The MID of the message with this subject.
fn find(client: &mut Client, logon: &Logon, folder_id: u64, subject: &str) -> Result<u64> {
    let folder = client.open_folder(logon.handle, folder_id)?;
    let (table, _) = client.contents_table(folder, 0)?;
    let rows = client.query_all_rows(table, &[tag::SUBJECT, tag::MID])?;
    client.release(table)?;
    client.release(folder)?;
    let row = rows.iter().find(|row| row.text(0) == subject);
    Ok(row.expect("an acknowledged message is there").id(1))
}
