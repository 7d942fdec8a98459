//! Looking through the index: what a checkpoint says, and what is in use.

use std::collections::{BTreeSet, HashMap};

use ropewalk_props::{GlobCnt, Guid};

use super::{Notes, live::LiveSet, live::SortedSet, pace::Pace};
use crate::{
    MessageEntry, StoreError, StoredMessage,
    blob::read_map,
    core::Core,
    index::{self, Entry, IndexError, Kv, keys, value},
    log::frame::{Location, RecordKind},
    message::{externals, for_each_external},
    records::{Batch, BlobRecord, FolderMeta, Op, UserRecord},
};

/// Keys and values read from the index at a time: who writes to it does not wait for more. Tests do
/// something between any two.
const PAGE: usize = if cfg!(test) { 16 } else { 512 };
/// How often a folder that changes all the time is counted anew.
const RECOUNTS: usize = 3;

/// A large value that the index has.
#[derive(Clone, Copy, Debug)]
pub struct Blob {
    /// Its number.
    pub id: u64,
    len: u32,
    map: Location,
    /// Whether it counts as in use: its list of chunks was read.
    pub listed: bool,
}

/// What is in use.
#[derive(Debug, Default)]
pub struct Mark {
    /// The records.
    pub live: LiveSet,
    /// The large values, by number.
    pub blobs: Vec<Blob>,
    /// The large values that something refers to.
    pub refs: SortedSet<u64>,
    /// Records that were read to know what they refer to.
    read: SortedSet<Location>,
    /// Segments with damaged records that are in use.
    pub damaged: BTreeSet<u32>,
    /// It is not known to which large values some damaged record refers.
    pub blind: bool,
    /// Chunks of a large value whose list is damaged may be in any segment up to this one.
    pub keep_to: u32,
    /// Whether the index should have all that its entries speak of. That tells of one that has lost some:
    /// what they referred to would be taken for dead.
    is_complete: bool,
    /// The number of users.
    pub users: u64,
    /// The number of messages.
    pub messages: u64,
}

impl Mark {
    /// Adds what is in use by commits that were noted.
    pub fn add(&mut self, core: &Core, notes: &Notes) -> Result<(), StoreError> {
        self.read.sort();
        for at in &notes.contents {
            self.live.add(*at);
        }
        for id in &notes.blobs {
            self.refs.add(*id);
        }
        for blob in &notes.made {
            self.blobs.push(blob.into());
        }
        for at in &notes.bags {
            self.live.add(*at);
            if !self.read.has(at) {
                self.bag(core, *at)?;
            }
        }
        for at in &notes.unread {
            if !self.read.has(at) {
                self.content(core, *at)?;
            }
        }
        // One that was seen already comes first and stays.
        self.blobs.sort_by_key(|blob| blob.id);
        self.blobs.dedup_by_key(|blob| blob.id);
        self.refs.sort();
        Ok(())
    }

    /// Notes to which large values the content of a message refers.
    fn content(&mut self, core: &Core, at: Location) -> Result<(), StoreError> {
        self.read.add(at);
        let message = match core.log.read(at, RecordKind::Message) {
            Err(StoreError::Damaged { .. }) => None,
            other => StoredMessage::new(other?),
        };
        match message {
            Some(message) => for_each_external(message.view(), &mut |blob| self.refs.add(blob.id)),
            None => self.unreadable(at),
        }
        Ok(())
    }

    /// Notes to which large values the properties of a folder or mailbox refer.
    fn bag(&mut self, core: &Core, at: Location) -> Result<(), StoreError> {
        self.read.add(at);
        match core.read_bag(at) {
            Ok(bag) => externals(&*bag, &mut |blob| self.refs.add(blob.id)),
            Err(StoreError::Damaged { .. }) => self.unreadable(at),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn unreadable(&mut self, at: Location) {
        tracing::error!(
            segment = at.segment,
            offset = at.offset,
            "damaged data in use: large values are kept whether or not they are"
        );
        self.damaged.insert(at.segment);
        self.blind = true;
    }

    /// Counts large values as in use that `are`, with their lists and chunks.
    pub fn list(
        &mut self,
        core: &Core,
        pace: &mut Pace<'_>,
        are: impl Fn(&Self, u64) -> bool,
    ) -> Result<(), StoreError> {
        let mut blobs = std::mem::take(&mut self.blobs);
        let listed = blobs
            .iter_mut()
            .filter(|blob| !blob.listed)
            .try_for_each(|blob| {
                if are(self, blob.id) {
                    pace.spend(u64::from(blob.map.len))?;
                    self.list_one(core, blob)?;
                }
                Ok(())
            });
        self.blobs = blobs;
        listed
    }

    fn list_one(&mut self, core: &Core, blob: &mut Blob) -> Result<(), StoreError> {
        blob.listed = true;
        self.live.add(blob.map);
        match read_map(core, &blob.record()) {
            Ok(chunks) => chunks.into_iter().for_each(|chunk| self.live.add(chunk)),
            Err(StoreError::Damaged { .. }) => {
                let Location {
                    segment, offset, ..
                } = blob.map;
                tracing::error!(segment, offset, "the list of a large value is damaged");
                self.damaged.insert(segment);
                // A list names chunks that were there before it.
                self.keep_to = self.keep_to.max(segment);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// An error if something refers to a large value that the index does not have. All that was noted has
    /// been added.
    pub fn check_refs(&self) -> Result<(), StoreError> {
        let mut blobs = self.blobs.iter();
        let mut has = |id: &u64| {
            blobs
                .find(|blob| blob.id >= *id)
                .is_some_and(|blob| blob.id == *id)
        };
        if self.is_complete && !self.refs.members().iter().all(&mut has) {
            let why = "the index lacks a large value that something refers to";
            return Err(IndexError(why.into()).into());
        }
        Ok(())
    }

    /// Whether something refers to a large value.
    pub fn is_referred_to(&self, id: u64) -> bool {
        self.blind || self.refs.has(&id)
    }
}

impl Blob {
    fn record(&self) -> BlobRecord {
        BlobRecord {
            id: self.id,
            len: u64::from(self.len),
            map: self.map,
        }
    }
}

impl From<&BlobRecord> for Blob {
    fn from(record: &BlobRecord) -> Self {
        Self {
            id: record.id,
            // No value is longer; one that says so is damaged, and found to be so.
            len: u32::try_from(record.len).unwrap_or(u32::MAX),
            map: record.map,
            listed: false,
        }
    }
}

/// Looks through the whole index; `put` gets all that it says as changes, `on_page` now and then how much
/// was read. Large values and what they
/// consist of are not counted as in use yet: see [`Mark::list`].
pub fn scan(
    core: &Core,
    pace: &mut Pace<'_>,
    on_page: &mut dyn FnMut(u64),
    put: &mut dyn FnMut(Batch) -> Result<(), StoreError>,
) -> Result<Mark, StoreError> {
    let kv = core.index.kv()?;
    // After damage things are missing, and nothing is wrong with the index; and what was just made from
    // the log will not get better.
    let is_complete = kv.get(keys::FENCED)?.is_none() && !core.index_is_new;
    let mut scan = Scan {
        core,
        kv: &*kv,
        mark: Mark {
            is_complete,
            ..Mark::default()
        },
        mailbox: None,
        owned: BTreeSet::new(),
    };
    let (mut from, end) = (Vec::new(), keys::after_prefix(&[]));
    loop {
        let page = page(&*kv, &from, &end)?;
        let Some((last, _)) = page.last() else { break };
        from = [last, &[0][..]].concat();
        for (key, bytes) in &page {
            pace.spend((key.len() + bytes.len()) as u64)?;
            scan.entry(key, bytes, pace, put)?;
        }
        if core.compactor.barrier.is_long() {
            let notes = core.compactor.barrier.take();
            if notes.overflowed {
                return Err(StoreError::TooMany);
            }
            scan.mark.add(core, &notes)?;
        }
        on_page(pace.spent);
    }
    scan.end_mailbox(None)?;
    scan.missing_mailboxes()?;
    scan.mark.refs.sort();
    Ok(scan.mark)
}

pub type Page = Vec<(Vec<u8>, Vec<u8>)>;

/// The first entries from `from` on and before `to`.
pub fn page(kv: &dyn Kv, from: &[u8], to: &[u8]) -> Result<Page, IndexError> {
    let mut page = Vec::with_capacity(PAGE);
    let read = kv.range(from, to, &mut |key, bytes| {
        page.push((key.to_vec(), bytes.to_vec()));
        match page.len() < PAGE {
            true => Ok(()),
            false => Err(IndexError("that is enough".into())),
        }
    });
    match read {
        Err(error) if page.len() < PAGE => Err(error),
        _ => Ok(page),
    }
}

/// What a folder says it has, and what was found.
struct Counted {
    version: u64,
    expected: u64,
    found: u64,
}

struct Scan<'a> {
    core: &'a Core,
    kv: &'a dyn Kv,
    mark: Mark,
    /// The mailbox whose entries are read.
    mailbox: Option<InMailbox>,
    /// Mailboxes of users that were not come across yet.
    owned: BTreeSet<Guid>,
}

/// What was seen of a mailbox so far.
struct InMailbox {
    guid: Guid,
    counter: u64,
    folders: HashMap<GlobCnt, Counted>,
    /// Folders that have messages and are not there themselves.
    missing: BTreeSet<GlobCnt>,
}

impl Scan<'_> {
    fn entry(
        &mut self,
        key: &[u8],
        bytes: &[u8],
        pace: &mut Pace<'_>,
        put: &mut dyn FnMut(Batch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match index::entry(key, bytes)? {
            Entry::Own => Ok(()),
            Entry::Store(op) => {
                self.store_op(&op);
                put(Batch::of_store(vec![op]))
            }
            Entry::Counter(guid, counter) => {
                self.in_mailbox(guid)?.counter = counter;
                put(Batch {
                    mailbox: Some(guid),
                    counter,
                    ops: Vec::new(),
                })
            }
            Entry::Mailbox(guid, op) => {
                let counter = self.in_mailbox(guid)?.counter;
                self.mailbox_op(&op, pace)?;
                put(Batch {
                    mailbox: Some(guid),
                    counter,
                    ops: vec![op],
                })
            }
        }
    }

    fn store_op(&mut self, op: &Op) {
        match op {
            Op::PutUser(user) => {
                self.mark.users += 1;
                self.owned.insert(user.mailbox_guid);
            }
            Op::PutBlob(blob) => self.mark.blobs.push((&**blob).into()),
            _ => {}
        }
    }

    fn in_mailbox(&mut self, guid: Guid) -> Result<&mut InMailbox, StoreError> {
        if self.mailbox.as_ref().is_none_or(|known| known.guid != guid) {
            self.end_mailbox(Some(guid))?;
        }
        self.mailbox.as_mut().ok_or(StoreError::NotFound)
    }

    fn mailbox_op(&mut self, op: &Op, pace: &mut Pace<'_>) -> Result<(), StoreError> {
        match op {
            Op::PutMailbox(meta) => {
                self.owned.remove(&meta.guid);
                self.bag(meta.props, pace)?;
            }
            Op::PutFolder(folder) => {
                if let Some(mailbox) = &mut self.mailbox {
                    mailbox.folders.insert(folder.id, Counted::new(folder));
                }
                self.bag(folder.props, pace)?;
            }
            Op::PutMessage(entry) => self.message(entry, pace)?,
            _ => {}
        }
        Ok(())
    }

    fn bag(&mut self, at: Location, pace: &mut Pace<'_>) -> Result<(), StoreError> {
        pace.spend(u64::from(at.len))?;
        self.mark.live.add(at);
        self.mark.bag(self.core, at)
    }

    fn message(&mut self, entry: &MessageEntry, pace: &mut Pace<'_>) -> Result<(), StoreError> {
        self.mark.messages += 1;
        self.mark.live.add(entry.content);
        match &entry.blobs {
            Some(blobs) => blobs.iter().for_each(|id| self.mark.refs.add(*id)),
            None => {
                pace.spend(u64::from(entry.content.len))?;
                self.mark.content(self.core, entry.content)?;
            }
        }
        if let Some(mailbox) = &mut self.mailbox {
            match mailbox.folders.get_mut(&entry.folder) {
                Some(folder) => folder.found += 1,
                None => {
                    mailbox.missing.insert(entry.folder);
                }
            }
        }
        Ok(())
    }

    /// Looks whether the folders of the mailbox had all the messages that they should have, and goes on
    /// with another mailbox.
    fn end_mailbox(&mut self, next: Option<Guid>) -> Result<(), StoreError> {
        if let Some(mailbox) = self.mailbox.take()
            && self.mark.is_complete
        {
            for (id, counted) in mailbox.folders {
                if counted.found < counted.expected {
                    self.recount(mailbox.guid, id, &counted)?;
                }
            }
            for id in mailbox.missing {
                let folder = keys::folder(mailbox.guid, id);
                self.both_or_none(&folder, &keys::messages(mailbox.guid, id))?;
            }
        }
        self.mailbox = next.map(|guid| InMailbox {
            guid,
            counter: 0,
            folders: HashMap::new(),
            missing: BTreeSet::new(),
        });
        Ok(())
    }

    /// Looks whether users have mailboxes.
    fn missing_mailboxes(&self) -> Result<(), StoreError> {
        if self.owned.is_empty() || !self.mark.is_complete {
            return Ok(());
        }
        for _ in 0..2 {
            self.core.index.wait_applied(self.core.index.visible())?;
        }
        let mut missing = false;
        index::scan(self.kv, keys::USERS, &mut |_, bytes| {
            let user = value::decode::<UserRecord>(bytes)?;
            let meta = keys::part(user.mailbox_guid, keys::Part::Meta);
            missing |= self.owned.contains(&user.mailbox_guid) && self.kv.get(&meta)?.is_none();
            Ok(())
        })?;
        match missing {
            true => Err(IndexError("a user of the index has no mailbox".into()).into()),
            false => Ok(()),
        }
    }

    /// There were keys that begin with `children`, and `parent` was not there. Perhaps all of them are
    /// just being removed; once that is done they are gone.
    fn both_or_none(&self, parent: &[u8], children: &[u8]) -> Result<(), StoreError> {
        for last in [false, true] {
            self.core.index.wait_applied(self.core.index.visible())?;
            let mut found = false;
            index::scan(self.kv, children, &mut |_, _| {
                found = true;
                Ok(())
            })?;
            if !found || self.kv.get(parent)?.is_some() {
                return Ok(());
            }
            if last {
                let why = "a folder of the index has messages and is not there";
                return Err(IndexError(why.into()).into());
            }
        }
        Ok(())
    }

    /// A folder had fewer messages than it should have. Perhaps some were just moved; or the index has
    /// lost them. If it lacks some twice, with no change in between that was not complete, it has.
    fn recount(&self, guid: Guid, id: GlobCnt, first: &Counted) -> Result<(), StoreError> {
        let mut version = first.version;
        for _ in 0..RECOUNTS {
            self.core.index.wait_applied(self.core.index.visible())?;
            let Some(mut before) = self.folder(guid, id)? else {
                return Ok(());
            };
            index::scan(self.kv, &keys::messages(guid, id), &mut |_, _| {
                before.found += 1;
                Ok(())
            })?;
            let Some(after) = self.folder(guid, id)? else {
                return Ok(());
            };
            if before.version == after.version {
                if before.found >= before.expected {
                    return Ok(());
                }
                if before.version == version {
                    let why =
                        "a folder of the index does not have the messages that it should have";
                    return Err(IndexError(why.into()).into());
                }
            }
            version = before.version;
        }
        // It changes all the time. What it lacked was removed since the run began.
        let removed = self.core.compactor.barrier.removed(guid, id);
        if first.found.saturating_add(removed) >= first.expected {
            return Ok(());
        }
        let why = "a folder of the index lacks more messages than were removed from it";
        Err(IndexError(why.into()).into())
    }

    fn folder(&self, guid: Guid, id: GlobCnt) -> Result<Option<Counted>, StoreError> {
        let Some(bytes) = self.kv.get(&keys::folder(guid, id))? else {
            return Ok(None);
        };
        Ok(Some(Counted::new(&value::decode::<FolderMeta>(&bytes)?)))
    }
}

impl Counted {
    fn new(folder: &FolderMeta) -> Self {
        let counts = &folder.counts;
        let all = [
            counts.content,
            counts.associated,
            counts.deleted,
            counts.deleted_associated,
        ];
        Self {
            version: folder.version,
            expected: all.into_iter().map(u64::from).sum(),
            found: 0,
        }
    }
}
