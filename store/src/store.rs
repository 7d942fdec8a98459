//! The store as a whole.

use std::{collections::HashMap, fmt, path::Path, sync::Arc, time::Duration};

use ropewalk_props::{BlobRef, FileTime, Guid};

use crate::{
    BlobReader, BlobWriter, CompactOptions, CompactReport, Mailbox, NewUser, OpenError, Progress,
    StoreError, StoreOptions, User, compact,
    core::Core,
    directory::Directory,
    disk::OsDisk,
    keeper,
    open::{self, Opened, Tuning},
    provision::{checked_user, provision},
    records::{Batch, Op},
    sync::{
        Mutex, RwLock,
        atomic::{AtomicU64, Ordering},
        thread::Thread,
    },
};

/// A damaged stretch of the log that held acknowledged changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FencedFrame {
    /// The log segment's number; [`u32::MAX`]: it is in the checkpoint.
    pub segment: u32,
    /// Byte offset in the segment.
    pub offset: u64,
    /// The first frame that is lost; in a checkpoint they are counted from 1.
    pub lsn: u64,
    /// The number of frames that are lost. 0: a pack, which holds what was in frames, cannot be read.
    pub frames: u64,
}

/// What opening the store found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Frames read from the log to catch the index up.
    pub frames_replayed: u64,
    /// Bytes at the log's end that were no whole acknowledged frame, moved to a side file.
    pub tail_bytes_cut: u64,
    /// Damaged stretches that were skipped.
    pub fenced: Vec<FencedFrame>,
    /// Whether the index was made anew, from the checkpoint and the log after it or from the whole log.
    pub index_rebuilt: bool,
}

/// A store: all users and mailboxes in one directory. Cloning it copies a pointer; dropping the last
/// one closes the store.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    /// Not with those who keep house for others.
    _handle: Option<Arc<Handle>>,
}

/// What all copies of a [`Store`] have in common: the store closes with it.
struct Handle {
    core: Arc<Core>,
    keeper: Thread,
}

pub(crate) struct Inner {
    pub(crate) core: Arc<Core>,
    /// See [`StoreOptions::idle`].
    pub(crate) idle: Duration,
    /// See [`StoreOptions::retention`].
    pub(crate) retention: Option<Duration>,
    recovery: RecoveryReport,
    directory: RwLock<Directory>,
    /// Held while users are added, removed and changed. Taken before a mailbox's slot.
    changing_users: Mutex<()>,
    mailboxes: Mutex<HashMap<Guid, Slot>>,
    /// The last commit that added or removed a mailbox.
    last_provision: AtomicU64,
}

/// A mailbox, once it is loaded. Locked while it is being loaded or removed.
type Slot = Arc<Mutex<Option<Arc<Mailbox>>>>;

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.store_guid())
    }
}

impl Store {
    /// Opens the store in `dir`, which is created if missing. One process at a time:
    /// [`OpenError::InUse`] for the next. The index is caught up from the log, or rebuilt if it
    /// cannot be trusted.
    pub fn open(dir: &Path, options: StoreOptions) -> Result<Self, OpenError> {
        Self::open_with(dir, options, Tuning::new(Arc::new(OsDisk)))
    }

    pub(crate) fn open_with(
        dir: &Path,
        options: StoreOptions,
        tuning: Tuning,
    ) -> Result<Self, OpenError> {
        let (idle, retention) = (options.idle, options.retention);
        let Opened {
            core,
            directory,
            recovery,
        } = open::open(dir, options, tuning)?;
        let inner = Arc::new(Inner {
            core,
            idle,
            retention,
            recovery,
            directory: RwLock::new(directory),
            changing_users: Mutex::default(),
            mailboxes: Mutex::default(),
            last_provision: AtomicU64::new(0),
        });
        let core = inner.core.clone();
        match keeper::start(&inner) {
            Ok(keeper) => Ok(Self {
                inner,
                _handle: Some(Arc::new(Handle { core, keeper })),
            }),
            Err(source) => {
                let _ = core.close();
                let dir = dir.to_owned();
                Err(OpenError::Io { dir, source })
            }
        }
    }

    /// The same store, for work that must not keep it open.
    pub(crate) fn within(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            _handle: None,
        }
    }

    /// The same store, for work in the background: it closes although this is still there, and then
    /// gives [`StoreError::Closed`].
    pub fn beside(&self) -> Self {
        Self::within(Arc::clone(&self.inner))
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The mailboxes in memory that nobody is loading or removing.
    pub(crate) fn loaded(&self) -> Vec<Arc<Mailbox>> {
        let slots: Vec<Slot> = self.inner.mailboxes.lock().values().cloned().collect();
        let loaded = slots.iter().filter_map(|slot| slot.try_lock()?.clone());
        loaded.collect()
    }

    /// A mailbox, if it is in memory.
    pub(crate) fn loaded_mailbox(&self, guid: Guid) -> Option<Arc<Mailbox>> {
        let slot = self.inner.mailboxes.lock().get(&guid).cloned();
        slot?.lock().clone()
    }

    /// The engine.
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.inner.core
    }

    /// The store's own GUID, made when it was created.
    pub fn store_guid(&self) -> Guid {
        self.inner.core.store_guid()
    }

    /// The time by the store's clock.
    pub fn now(&self) -> FileTime {
        self.inner.core.now()
    }

    /// What opening the store found and did.
    pub fn recovery(&self) -> &RecoveryReport {
        &self.inner.recovery
    }

    /// Writes everything out and stops; later writes fail with [`StoreError::Closed`]. Closing again
    /// does nothing.
    pub fn close(&self) -> Result<(), StoreError> {
        self.inner.core.close()
    }

    /// Gives back the space of what is not in use any more; see [`CompactOptions`]. Others may go on using
    /// the store. One at a time: a second call waits.
    ///
    /// A file with something in it that is in use and damaged stays as it is, and is reported.
    /// [`StoreError::Index`] if the index fails or is wrong, [`StoreError::Io`] and
    /// [`StoreError::DiskFull`] if the disk does, [`StoreError::Closed`] if the store is closed
    /// meanwhile; the store is whole then, and some of the work may be done.
    pub fn compact(
        &self,
        options: CompactOptions,
        on_progress: &mut dyn FnMut(Progress),
    ) -> Result<CompactReport, StoreError> {
        compact::run(&self.inner.core, options, on_progress)
    }

    /// Adds a user with a mailbox, in one commit. [`StoreError::EmailTaken`] if another user has the
    /// address, the distinguished name or the mailbox; [`StoreError::Invalid`] if the folders do not
    /// fit together; [`StoreError::TooLarge`] beyond about 900 bytes of text.
    pub fn add_user(&self, new: NewUser) -> Result<Arc<User>, StoreError> {
        let inner = &*self.inner;
        let _changing = inner.changing_users.lock();
        let minimal_id = {
            let directory = inner.directory.read();
            if directory.collides(&new) {
                return Err(StoreError::EmailTaken);
            }
            directory.next_id()?
        };
        let user = Arc::new(User {
            email: new.email.clone(),
            display_name: new.display_name.clone(),
            legacy_dn: new.legacy_dn.clone(),
            mailbox_guid: new.mailbox_guid,
            password_hash: new.password_hash.clone(),
            minimal_id,
            created: inner.core.now(),
        });
        let (frame, batch, refs) = provision(&inner.core, new, &user)?;
        let at = inner.core.commit_with(frame, batch, refs, |_| {})?;
        inner.last_provision.store(at.lsn, Ordering::Release);
        inner.directory.write().put(user.clone());
        Ok(user)
    }

    /// Removes a user and the mailbox. [`StoreError::NotFound`] without the user.
    pub fn remove_user(&self, email: &str) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let _changing = inner.changing_users.lock();
        let user = self.user_by_email(email).ok_or(StoreError::NotFound)?;
        let slot = self.slot(user.mailbox_guid);
        let mut loaded = slot.lock();
        let remove = || {
            let ops = vec![
                Op::RemoveUser(user.minimal_id),
                Op::RemoveMailbox(user.mailbox_guid),
            ];
            let at = inner
                .core
                .commit(inner.core.frame(), Batch::of_store(ops))?;
            inner.last_provision.store(at.lsn, Ordering::Release);
            Ok(())
        };
        match &*loaded {
            Some(mailbox) => mailbox.retire(remove)?,
            None => remove()?,
        }
        *loaded = None;
        // The slot stays: whoever waits for it must not load the mailbox beside another one, should a
        // user be added with the same GUID.
        inner.directory.write().remove(&user);
        Ok(())
    }

    fn slot(&self, guid: Guid) -> Slot {
        let mut slots = self.inner.mailboxes.lock();
        slots.entry(guid).or_default().clone()
    }

    /// Replaces a user's password hash. [`StoreError::NotFound`] without the user.
    pub fn set_password(&self, email: &str, password_hash: &str) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let _changing = inner.changing_users.lock();
        let user = self.user_by_email(email).ok_or(StoreError::NotFound)?;
        let mut user = User::clone(&user);
        user.password_hash = password_hash.to_owned();
        let ops = vec![Op::PutUser(Box::new(checked_user(&user)?))];
        inner
            .core
            .commit(inner.core.frame(), Batch::of_store(ops))?;
        inner.directory.write().put(Arc::new(user));
        Ok(())
    }

    /// All users, by ascending minimal id.
    pub fn users(&self) -> Vec<Arc<User>> {
        let mut all = self.inner.directory.read().all();
        all.retain(|user| user.is_somebody());
        all
    }

    /// The mailboxes of all users, and the public store.
    pub(crate) fn mailbox_guids(&self) -> Vec<Guid> {
        let all = self.inner.directory.read().all();
        all.iter().map(|user| user.mailbox_guid).collect()
    }

    /// The user with this e-mail address, without regard to case.
    pub fn user_by_email(&self, email: &str) -> Option<Arc<User>> {
        let user = self.inner.directory.read().by_email(email);
        user.filter(|user| user.is_somebody())
    }

    /// The user with this distinguished name, without regard to case.
    pub fn user_by_legacy_dn(&self, dn: &str) -> Option<Arc<User>> {
        let user = self.inner.directory.read().by_dn(dn);
        user.filter(|user| user.is_somebody())
    }

    /// The user with this minimal id.
    pub fn user_by_minimal_id(&self, id: u32) -> Option<Arc<User>> {
        let user = self.inner.directory.read().by_id(id);
        user.filter(|user| user.is_somebody())
    }

    /// The user whose mailbox this is.
    pub fn user_by_mailbox(&self, guid: Guid) -> Option<Arc<User>> {
        self.inner.directory.read().by_mailbox(guid)
    }

    /// A mailbox, loaded when first asked for. [`StoreError::NotFound`] if no user has it.
    pub fn mailbox(&self, guid: Guid) -> Result<Arc<Mailbox>, StoreError> {
        let inner = &*self.inner;
        self.user_by_mailbox(guid).ok_or(StoreError::NotFound)?;
        let slot = self.slot(guid);
        let mut loaded = slot.lock();
        if let Some(mailbox) = &*loaded {
            return Ok(mailbox.clone());
        }
        // Looked up again: the user may have been removed meanwhile.
        let user = self.user_by_mailbox(guid).ok_or(StoreError::NotFound)?;
        let provisioned = inner.last_provision.load(Ordering::Acquire);
        inner.core.index.wait_applied(provisioned)?;
        let mailbox = Mailbox::load(inner.core.clone(), guid, &user.email);
        if let Err(StoreError::Index(why)) = &mailbox {
            inner.core.index.distrust(why);
        }
        let mailbox = mailbox?;
        let mailbox = Arc::new(mailbox);
        *loaded = Some(mailbox.clone());
        Ok(mailbox)
    }

    /// Starts a new large value.
    pub fn blob_writer(&self) -> BlobWriter {
        BlobWriter::new(self.inner.core.clone())
    }

    /// Starts a large value that begins as a copy of another, whose bytes are shared.
    /// [`StoreError::NotFound`] without that one.
    pub fn blob_editor(&self, blob: BlobRef) -> Result<BlobWriter, StoreError> {
        BlobWriter::edit(self.inner.core.clone(), blob)
    }

    /// Reads a large value. [`StoreError::NotFound`] if there is none with this number.
    pub fn blob_reader(&self, blob: BlobRef) -> Result<BlobReader, StoreError> {
        BlobReader::open(self.inner.core.clone(), blob)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.core.close() {
            tracing::error!(%error, "the store did not close cleanly");
        }
        self.keeper.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::history::{guid_of, new_user};

    #[test]
    fn who_looks_for_a_mailbox_while_its_user_is_replaced_gets_the_same_as_all_others() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), StoreOptions::default()).unwrap();
        store.add_user(new_user(1)).unwrap();
        // As someone has it who waits for the removal to be done.
        let waiting = store.slot(guid_of(1));
        store.remove_user("u1@example.test").unwrap();
        assert!(store.mailbox(guid_of(1)).is_err());
        store.add_user(new_user(1)).unwrap();
        let found = store.mailbox(guid_of(1)).unwrap();
        let waited = waiting.lock().clone();
        assert!(waited.is_some_and(|waited| Arc::ptr_eq(&waited, &found)));
    }
}
