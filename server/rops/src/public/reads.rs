//! Which messages of public folders each user has read (MS-OXCSTOR 1.3.3): by change number, so that a
//! message that was changed is unread again.
//!
//! What a user has read of a folder is a message in a folder that nobody has a right on; all of them are
//! in memory while somebody looks at public folders. To a table a folder's messages are as this user has
//! them: a view of their own that is brought up to date with what changed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ropewalk_props::{Bag, BagView, GlobCnt, PropTag, PropValue, tags};
use ropewalk_store::{
    Contents, ContentsChange, ContentsView, Mailbox, Message, MessageEntry, SaveMessage, StoreError,
};
use ropewalk_wire::{ErrorCode, Reader, globset::GlobSet};

use super::PER_USER;
use crate::{exec::blocking, object::LogonObject, rights::Access, store_error};

/// What a record has: the user's minimal id, the folder, and the change numbers of what was read.
const USER: PropTag = PropTag(0x67F0_0003);
const FOLDER: PropTag = PropTag(0x67F1_0014);

/// The first ranges of change numbers are in the first of these, the next ones in the next: so that each
/// is short enough to be kept with the message.
fn read_tag(part: u16) -> Option<PropTag> {
    const FIRST: u16 = 0x7000;
    const PARTS_MAX: u16 = 0x0800;
    let id = FIRST + Some(part).filter(|part| *part < PARTS_MAX)?;
    Some(PropTag(u32::from(id) << 16 | 0x0102))
}

/// Ranges of one part.
const PART: usize = 512;

/// All that users have read.
#[derive(Default)]
struct Records(Mutex<Option<HashMap<Whose, Record>>>);

/// A user, by minimal id, and a folder.
type Whose = (u32, GlobCnt);

#[derive(Clone, Default)]
struct Record {
    /// The message that it is kept in.
    id: Option<GlobCnt>,
    read: Arc<GlobSet>,
}

/// A folder's messages as users have them.
#[derive(Default)]
struct Views(Mutex<HashMap<u32, View>>);

struct View {
    /// What it was made of.
    base: Contents,
    read: Arc<GlobSet>,
    contents: Contents,
}

impl View {
    fn new() -> Self {
        Self {
            base: Contents::default(),
            read: Arc::default(),
            contents: Contents::gathered(),
        }
    }

    fn advance(&mut self, now: &Contents, read: &Arc<GlobSet>) {
        if !Arc::ptr_eq(&self.read, read) {
            self.read = Arc::clone(read);
            for entry in self.base.iter() {
                let is_read = read.contains(entry.cn);
                let known = self.contents.get(entry.id);
                if known.is_some_and(|known| known.read != is_read) {
                    self.contents.insert(as_read(entry, is_read));
                }
            }
        }
        if !self.base.is_same(now) {
            for change in now.changes_since(&self.base) {
                match change {
                    ContentsChange::Added(entry) | ContentsChange::Changed(entry) => {
                        let is_read = read.contains(entry.cn);
                        self.contents.insert(as_read(entry, is_read));
                    }
                    ContentsChange::Removed(id) => {
                        self.contents.remove(id);
                    }
                }
            }
            self.base = now.alone();
        }
    }
}

fn as_read(entry: &MessageEntry, read: bool) -> MessageEntry {
    let mut entry = entry.clone();
    entry.read = read;
    entry
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic leaves behind is as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The user whose read state is shown to who has this access; `None` in a private mailbox, where there is
/// one for all.
fn reader(mailbox: &Mailbox, access: Access) -> Option<u32> {
    match access {
        Access::Listed(user) if super::is_public(mailbox) => Some(user),
        _ => None,
    }
}

/// A folder's messages, as who has this access has read them.
pub fn contents(
    mailbox: &Mailbox,
    access: Access,
    folder: GlobCnt,
    view: ContentsView,
) -> Result<Contents, ErrorCode> {
    let now = if mailbox.has_contents(folder) {
        mailbox.contents(folder, view)
    } else {
        blocking(|| mailbox.contents(folder, view))
    };
    let now = now.map_err(store_error::fail)?;
    let Some(user) = reader(mailbox, access).filter(|_| view == ContentsView::Normal) else {
        return Ok(now);
    };
    let read = read_by(mailbox, (user, folder))?;
    let views = mailbox
        .derived::<Views>(folder)
        .map_err(store_error::fail)?;
    let mut views = lock(&views.0);
    let view = views.entry(user).or_insert_with(View::new);
    view.advance(&now, &read);
    Ok(view.contents.clone())
}

/// How many messages of a folder who has this access has not read; `None` if the store knows.
pub fn unread(mailbox: &Mailbox, access: Access, folder: GlobCnt) -> Option<u32> {
    reader(mailbox, access)?;
    let contents = contents(mailbox, access, folder, ContentsView::Normal).ok()?;
    let unread = contents.iter().filter(|entry| !entry.read);
    Some(u32::try_from(unread.count()).unwrap_or(u32::MAX))
}

/// A message as the logon's user has read it.
pub fn settle(logon: &LogonObject, entry: &mut MessageEntry) -> Result<(), ErrorCode> {
    if let Some(user) = reader(&logon.mailbox, logon.access) {
        let read = read_by(&logon.mailbox, (user, entry.folder))?;
        entry.read = read.contains(entry.cn);
    }
    Ok(())
}

/// Sets the read state of messages for the logon's user, durably; `None` in a private mailbox, whose
/// store has it. Else whether some of the messages are not there.
pub fn set_read(
    logon: &LogonObject,
    folder: GlobCnt,
    ids: &[GlobCnt],
    read: bool,
) -> Result<Option<bool>, ErrorCode> {
    let Some(user) = reader(&logon.mailbox, logon.access) else {
        return Ok(None);
    };
    let all = logon
        .mailbox
        .contents(folder, ContentsView::Normal)
        .map_err(store_error::fail)?;
    let there: Vec<GlobCnt> = ids
        .iter()
        .filter_map(|id| all.get(*id))
        .map(|entry| entry.cn)
        .collect();
    let is_some_missing = there.len() != ids.len();
    edit(&logon.mailbox, (user, folder), |known| {
        let changed = there.into_iter().filter(|cn| match read {
            true => known.insert(*cn),
            false => known.remove(*cn),
        });
        changed.count() > 0
    })?;
    Ok(Some(is_some_missing))
}

/// The change numbers of what a user has read of a folder.
pub fn read_by(mailbox: &Mailbox, whose: Whose) -> Result<Arc<GlobSet>, ErrorCode> {
    with_records(mailbox, |records| {
        let record = records.get(&whose);
        Ok(record.map_or_else(Arc::default, |record| Arc::clone(&record.read)))
    })
}

/// Puts another set in place of what a user has read of a folder, durably.
pub fn replace(mailbox: &Mailbox, whose: Whose, read: GlobSet) -> Result<(), ErrorCode> {
    edit(mailbox, whose, |known| {
        let changed = *known != read;
        *known = read;
        changed
    })
}

/// Changes what a user has read of a folder, durably; false from `edit` for no change.
fn edit(
    mailbox: &Mailbox,
    whose: Whose,
    edit: impl FnOnce(&mut GlobSet) -> bool,
) -> Result<(), ErrorCode> {
    with_records(mailbox, |records| {
        let record = records.get(&whose).cloned().unwrap_or_default();
        let mut read = GlobSet::clone(&record.read);
        if !edit(&mut read) {
            return Ok(());
        }
        let id = blocking(|| save(mailbox, whose, record.id, &read))?;
        let record = Record {
            id: Some(id),
            read: Arc::new(read),
        };
        records.insert(whose, record);
        Ok(())
    })
}

fn save(
    mailbox: &Mailbox,
    (user, folder): Whose,
    id: Option<GlobCnt>,
    read: &GlobSet,
) -> Result<GlobCnt, ErrorCode> {
    let mut props = Bag::new();
    props.set_text(tags::PID_TAG_MESSAGE_CLASS, "IPM.Ropewalk.PerUser");
    props.set(USER, &PropValue::Integer32(user.cast_signed()));
    props.set(FOLDER, &PropValue::Integer64(folder.0.cast_signed()));
    for (part, set) in (0..).zip(read.parts(PART)) {
        let tag = read_tag(part).ok_or(ErrorCode::NOT_ENOUGH_MEMORY)?;
        let mut encoded = Vec::new();
        set.encode(&mut encoded);
        props.set(tag, &PropValue::Binary(encoded));
    }
    let saved = mailbox.save_message(SaveMessage {
        folder: PER_USER,
        id,
        associated: false,
        read: Some(true),
        expected_cn: None,
        message: Message {
            props,
            ..Message::default()
        },
    });
    Ok(saved.map_err(store_error::fail)?.id)
}

fn with_records<T>(
    mailbox: &Mailbox,
    work: impl FnOnce(&mut HashMap<Whose, Record>) -> Result<T, ErrorCode>,
) -> Result<T, ErrorCode> {
    let records = mailbox
        .derived::<Records>(PER_USER)
        .map_err(store_error::fail)?;
    let mut records = lock(&records.0);
    let records = match &mut *records {
        Some(records) => records,
        empty => empty.insert(blocking(|| load(mailbox)).map_err(store_error::fail)?),
    };
    work(records)
}

fn load(mailbox: &Mailbox) -> Result<HashMap<Whose, Record>, StoreError> {
    let mut records = HashMap::new();
    for entry in mailbox.contents(PER_USER, ContentsView::Normal)?.iter() {
        let message = mailbox.read_message(entry)?.to_message();
        match record(&message.props) {
            Some((whose, read)) => {
                let id = Some(entry.id);
                let read = Arc::new(read);
                records.insert(whose, Record { id, read });
            }
            None => tracing::error!(
                id = entry.id.0,
                "a record of what a user has read is damaged"
            ),
        }
    }
    Ok(records)
}

fn record(props: &Bag) -> Option<(Whose, GlobSet)> {
    let user = props.get_i32(USER)?.cast_unsigned();
    let folder = props.get(FOLDER)?.as_i64()?.cast_unsigned();
    let mut read = GlobSet::default();
    let parts = (0..).map_while(|part| props.get(read_tag(part)?)?.as_binary());
    for part in parts {
        read.extend(&GlobSet::decode(&mut Reader::new(part)).ok()?);
    }
    Some(((user, GlobCnt(folder)), read))
}
