//! Whether all that an index says is there can be read, and fits together.

use std::collections::{HashMap, HashSet};

use rkyv::rancor;
use ropewalk_props::{Bag, BagView, GlobCnt, Guid, Slot, Utf16Text, tags};

use super::{Affected, DamageKind, UpkeepError, findings::Findings};
use crate::{
    ArchivedMessage, FolderCounts, MessageEntry, StoreError, StoredMessage,
    blob::{CHUNK, read_map_from},
    index::{
        Kv,
        keys::{self, Part},
        scan, value,
    },
    log::{
        Log,
        frame::{Location, RECORD_HEADER, RecordKind},
    },
    records::{BlobRecord, FolderMeta, MailboxMeta, UserRecord},
};

/// Chunks remembered as read: so many take some 40 MB.
const REMEMBERED: usize = 1 << 20;

/// Checks what an index says against a log.
pub struct Reach<'a, 'f, 'p> {
    /// What the records are read from.
    pub log: &'a Log,
    /// The index, which reflects what is to be checked.
    pub kv: &'a dyn Kv,
    /// Where damage goes.
    pub findings: &'f mut Findings<'a, 'p>,
    /// Whether folders' counts may be wrong, since commits are lost.
    pub recount: bool,
    /// Large values that cannot be read, with the place that is damaged.
    bad_blobs: HashMap<u64, Location>,
    chunks: HashSet<Location>,
}

struct FolderSeen {
    meta: FolderMeta,
    name: Option<String>,
    deleted: bool,
    counted: FolderCounts,
}

impl<'a, 'f, 'p> Reach<'a, 'f, 'p> {
    /// Begins.
    pub fn new(
        log: &'a Log,
        kv: &'a dyn Kv,
        findings: &'f mut Findings<'a, 'p>,
        recount: bool,
    ) -> Self {
        Self {
            log,
            kv,
            findings,
            recount,
            bad_blobs: HashMap::new(),
            chunks: HashSet::new(),
        }
    }

    /// Checks everything.
    pub fn check(mut self) -> Result<(), UpkeepError> {
        self.blobs()?;
        self.chunks = HashSet::new();
        let owners = owners(self.kv)?;
        for guid in mailboxes(self.kv)? {
            let whose = Affected {
                mailbox: Some(guid),
                owner: owners.get(&guid).cloned(),
                ..Affected::default()
            };
            self.mailbox(guid, &whose)?;
        }
        for (guid, owner) in owners {
            if self
                .kv
                .get(&keys::part(guid, Part::Meta))
                .map_err(StoreError::from)?
                .is_none()
            {
                let whose = Affected {
                    mailbox: Some(guid),
                    owner: Some(owner),
                    ..Affected::default()
                };
                self.misfit("the user has no mailbox".into(), Location::default(), whose);
            }
        }
        Ok(())
    }

    /// Reads a record; `None` if it is damaged, which an error of the operating system is not.
    fn read(
        &mut self,
        at: Location,
        kind: RecordKind,
    ) -> Result<Option<rkyv::util::AlignedVec>, UpkeepError> {
        self.findings.step(u64::from(at.len) + RECORD_HEADER as u64);
        undamaged(self.log.read(at, kind))
    }

    fn blobs(&mut self) -> Result<(), UpkeepError> {
        let mut after = keys::BLOBS.to_vec();
        let end = keys::after_prefix(keys::BLOBS);
        // In portions: nobody else is to wait for this one.
        loop {
            let portion = portion(self.kv, &after, &end)?;
            let Some((last, _)) = portion.last() else {
                return Ok(());
            };
            after = [&last[..], &[0]].concat();
            for (_, bytes) in &portion {
                let blob: BlobRecord = value::decode(bytes).map_err(StoreError::from)?;
                self.findings.report.blobs += 1;
                if let Some(place) = self.blob(&blob)? {
                    self.bad_blobs.insert(blob.id, place);
                }
            }
        }
    }

    /// The damaged place of a large value, if there is one.
    fn blob(&mut self, blob: &BlobRecord) -> Result<Option<Location>, UpkeepError> {
        self.findings.step(u64::from(blob.map.len));
        let Some(chunks) = undamaged(read_map_from(self.log, blob))? else {
            return Ok(Some(blob.map));
        };
        for chunk in chunks {
            if chunk.len == 0 || self.chunks.contains(&chunk) {
                continue;
            }
            if chunk.len as usize > CHUNK || self.read(chunk, RecordKind::Chunk)?.is_none() {
                return Ok(Some(chunk));
            }
            if self.chunks.len() >= REMEMBERED {
                self.chunks.clear();
            }
            self.chunks.insert(chunk);
        }
        Ok(None)
    }

    fn bag(&mut self, at: Location, whose: &Affected) -> Result<Option<Bag>, UpkeepError> {
        if at.len == 0 {
            return Ok(Some(Bag::new()));
        }
        let record = self.read(at, RecordKind::Bag)?;
        let bag = record.and_then(|record| {
            let archive = record.get(RECORD_HEADER..).unwrap_or_default();
            rkyv::from_bytes::<Bag, rancor::Error>(archive).ok()
        });
        match &bag {
            None => self
                .findings
                .unreadable(at, DamageKind::Properties, whose.clone()),
            Some(bag) => self.values(bag, at, whose)?,
        }
        Ok(bag)
    }

    /// Looks at the large values that a bag refers to.
    fn values(
        &mut self,
        bag: &impl BagView,
        at: Location,
        whose: &Affected,
    ) -> Result<(), UpkeepError> {
        for (_, slot) in bag.iter() {
            let Slot::External(blob) = slot else { continue };
            if let Some(place) = self.bad_blobs.get(&blob.id).copied() {
                self.findings
                    .unreadable(place, DamageKind::LargeValue, whose.clone());
            } else if self
                .kv
                .get(&keys::blob(blob.id))
                .map_err(StoreError::from)?
                .is_none()
            {
                self.findings
                    .unreadable(at, DamageKind::LargeValue, whose.clone());
            }
        }
        Ok(())
    }

    fn misfit(&mut self, what: String, at: Location, whose: Affected) {
        self.findings
            .unreadable(at, DamageKind::Hierarchy(what), whose);
    }

    fn mailbox(&mut self, guid: Guid, whose: &Affected) -> Result<(), UpkeepError> {
        let get = |part| {
            self.kv
                .get(&keys::part(guid, part))
                .map_err(StoreError::from)
        };
        let counter = get(Part::Counter)?;
        let meta = get(Part::Meta)?;
        let mut props = Location::default();
        match meta {
            Some(bytes) => {
                let meta: MailboxMeta = value::decode(&bytes).map_err(StoreError::from)?;
                props = meta.props;
                self.bag(props, whose)?;
            }
            None => self.misfit("the mailbox itself is missing".into(), props, whose.clone()),
        }
        if counter.is_none() {
            self.misfit("the mailbox has no counter".into(), props, whose.clone());
        }
        let mut folders = self.folders(guid, whose)?;
        self.messages(guid, whose, &mut folders)?;
        self.hierarchy(whose, &folders);
        Ok(())
    }

    fn folders(
        &mut self,
        guid: Guid,
        whose: &Affected,
    ) -> Result<HashMap<GlobCnt, FolderSeen>, UpkeepError> {
        let mut metas = Vec::new();
        scan(self.kv, &keys::part(guid, Part::Folder), &mut |_, bytes| {
            metas.push(value::decode::<FolderMeta>(bytes)?);
            Ok(())
        })
        .map_err(StoreError::from)?;
        let mut folders = HashMap::with_capacity(metas.len());
        for meta in metas {
            let whose = Affected {
                folder: Some(meta.id),
                ..whose.clone()
            };
            let bag = self.bag(meta.props, &whose)?.unwrap_or_default();
            let seen = FolderSeen {
                name: bag.get_text(tags::PID_TAG_DISPLAY_NAME),
                deleted: bag.position(tags::PID_TAG_DELETED_ON.id()).is_some(),
                counted: FolderCounts {
                    deleted_total: meta.counts.deleted_total,
                    ..FolderCounts::default()
                },
                meta,
            };
            folders.insert(seen.meta.id, seen);
        }
        Ok(folders)
    }

    fn messages(
        &mut self,
        guid: Guid,
        whose: &Affected,
        folders: &mut HashMap<GlobCnt, FolderSeen>,
    ) -> Result<(), UpkeepError> {
        let prefix = keys::part(guid, Part::Message);
        let (mut after, end) = (prefix.clone(), keys::after_prefix(&prefix));
        loop {
            let portion = portion(self.kv, &after, &end)?;
            let Some((last, _)) = portion.last() else {
                return Ok(());
            };
            after = [&last[..], &[0]].concat();
            for (_, bytes) in &portion {
                let entry: MessageEntry = value::decode(bytes).map_err(StoreError::from)?;
                let folder = folders.get_mut(&entry.folder);
                let mut whose = Affected {
                    folder: Some(entry.folder),
                    folder_name: folder.as_ref().and_then(|folder| folder.name.clone()),
                    ..of_entry(whose, &entry)
                };
                match folder {
                    Some(folder) => folder.counted.add(&entry),
                    None => self.misfit(
                        "a message is in no folder".into(),
                        entry.content,
                        whose.clone(),
                    ),
                }
                self.message(&entry, &mut whose)?;
            }
        }
    }

    fn message(&mut self, entry: &MessageEntry, whose: &mut Affected) -> Result<(), UpkeepError> {
        self.findings.report.messages += 1;
        let record = self.read(entry.content, RecordKind::Message)?;
        match record.and_then(StoredMessage::new) {
            None => self
                .findings
                .unreadable(entry.content, DamageKind::Message, whose.clone()),
            Some(message) => {
                let view = message.view();
                if whose.subject.is_none() {
                    whose.subject = view.props.get_text(tags::PID_TAG_SUBJECT);
                }
                self.content(view, entry.content, whose)?;
            }
        }
        Ok(())
    }

    fn content(
        &mut self,
        message: &ArchivedMessage,
        at: Location,
        whose: &Affected,
    ) -> Result<(), UpkeepError> {
        self.values(&message.props, at, whose)?;
        for recipient in message.recipients.iter() {
            self.values(&recipient.props, at, whose)?;
        }
        for attachment in message.attachments.iter() {
            self.values(&attachment.props, at, whose)?;
            if let Some(embedded) = attachment.embedded.as_ref() {
                self.content(embedded, at, whose)?;
            }
        }
        Ok(())
    }

    /// One root, all others below it, and counts that are right.
    fn hierarchy(&mut self, whose: &Affected, folders: &HashMap<GlobCnt, FolderSeen>) {
        let mut children: HashMap<GlobCnt, u32> = HashMap::new();
        let mut roots = 0;
        let mut misfits = Vec::new();
        for (id, folder) in folders {
            let parent = folder.meta.parent;
            if parent == *id {
                roots += 1;
            } else if !folders.contains_key(&parent) {
                misfits.push((*id, format!("its parent {:X} is missing", parent.0)));
            } else if !folder.deleted {
                *children.entry(parent).or_default() += 1;
            }
        }
        if roots != 1 && !folders.is_empty() {
            let what = format!("the mailbox has {roots} roots");
            self.misfit(what, Location::default(), whose.clone());
        }
        let mut below: HashSet<GlobCnt> = HashSet::new();
        for (id, folder) in folders {
            // Up to the root, or to a folder that is known to be below it.
            let (mut path, mut at) = (vec![*id], folder.meta.parent);
            while path.last() != Some(&at) && !below.contains(&at) && path.len() <= folders.len() {
                path.push(at);
                match folders.get(&at) {
                    Some(folder) => at = folder.meta.parent,
                    None => break,
                }
            }
            if path.len() > folders.len() {
                misfits.push((*id, "it is below itself".into()));
            } else {
                below.extend(path);
            }
            if self.recount {
                continue;
            }
            let counted = FolderCounts {
                child_folders: match folder.deleted {
                    // What is below a soft-deleted folder is soft-deleted with it.
                    true => folder.meta.counts.child_folders,
                    false => children.get(id).copied().unwrap_or(0),
                },
                ..folder.counted
            };
            if counted != folder.meta.counts {
                let (found, said) = (counted, folder.meta.counts);
                misfits.push((*id, format!("it should hold {said:?} and holds {found:?}")));
            }
        }
        for (id, what) in misfits {
            let folder = folders.get(&id);
            let whose = Affected {
                folder: Some(id),
                folder_name: folder.and_then(|folder| folder.name.clone()),
                ..whose.clone()
            };
            let at = folder.map_or_else(Location::default, |folder| folder.meta.props);
            self.misfit(what, at, whose);
        }
    }
}

/// Keys and their values.
type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Some keys from `from` on, with their values.
fn portion(kv: &dyn Kv, from: &[u8], to: &[u8]) -> Result<Pairs, UpkeepError> {
    const PORTION: usize = 512;
    let mut found = Vec::with_capacity(PORTION);
    let stopped = kv.range(from, to, &mut |key, value| {
        if found.len() >= PORTION {
            return Err(crate::index::IndexError("enough".into()));
        }
        found.push((key.to_vec(), value.to_vec()));
        Ok(())
    });
    match stopped {
        Err(error) if found.len() < PORTION => Err(StoreError::from(error).into()),
        _ => Ok(found),
    }
}

fn undamaged<T>(read: Result<T, StoreError>) -> Result<Option<T>, UpkeepError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Damaged { .. }) => Ok(None),
        // A file of the log that is missing was reported already.
        Err(StoreError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The owners of mailboxes.
pub fn owners(kv: &dyn Kv) -> Result<HashMap<Guid, String>, StoreError> {
    let mut owners = HashMap::new();
    scan(kv, keys::USERS, &mut |_, bytes| {
        let user: UserRecord = value::decode(bytes)?;
        owners.insert(user.mailbox_guid, user.email);
        Ok(())
    })?;
    Ok(owners)
}

/// The mailboxes that an index has anything of.
pub fn mailboxes(kv: &dyn Kv) -> Result<Vec<Guid>, StoreError> {
    let mut found = Vec::new();
    let (mut from, end) = (
        keys::MAILBOXES.to_vec(),
        keys::after_prefix(keys::MAILBOXES),
    );
    loop {
        let mut next = None;
        let stopped = kv.range(&from, &end, &mut |key, _| {
            next = key
                .get(1..17)
                .and_then(|guid| guid.first_chunk::<16>().copied());
            Err(crate::index::IndexError("enough".into()))
        });
        match (stopped, next) {
            (Ok(()), None) => return Ok(found),
            (_, Some(guid)) => {
                found.push(Guid(guid));
                from = keys::after_prefix(&keys::mailbox(Guid(guid)));
            }
            (Err(error), None) => return Err(error.into()),
        }
    }
}

/// A message, as far as its entry tells.
pub fn of_entry(whose: &Affected, entry: &MessageEntry) -> Affected {
    let subject = entry.subject.as_deref();
    let subject = subject.map(|bytes| Utf16Text::from_le_bytes(bytes).to_string());
    Affected {
        message: Some(entry.id),
        subject,
        ..whose.clone()
    }
}
