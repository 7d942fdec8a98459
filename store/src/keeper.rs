//! What a store does by itself now and then: it forgets what nobody used for a while, and deletes for
//! good what was soft-deleted long ago.

use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use ropewalk_props::{FileTime, Guid};

use crate::{
    Expired, Store, StoreError,
    index::keys::{self, Part},
    mailbox::has_soft_deleted,
    store::Inner,
    sync::thread::{self, Thread},
};

/// How often it looks for what nobody used.
const PAUSE: Duration = Duration::from_secs(30);
/// How often it looks for what is to expire, and how long after it was opened for the first time, at most:
/// nothing stays longer than a quarter more than its time, or these.
const EXPIRY: (Duration, Duration) = (Duration::from_secs(3600), Duration::from_secs(300));
/// It does not look more often.
const EXPIRY_MIN: Duration = Duration::from_secs(1);

/// [`EXPIRY`] for what is kept for so long.
fn expiry(retention: Option<Duration>) -> (Duration, Duration) {
    let quarter = retention.map_or(EXPIRY.0, |time| (time / 4).max(EXPIRY_MIN));
    (quarter.min(EXPIRY.0), quarter.min(EXPIRY.1))
}

/// A moment before another one.
fn earlier(time: FileTime, by: Duration) -> FileTime {
    FileTime(time.0.saturating_sub(ticks(by)))
}

fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_nanos() / 100).unwrap_or(u64::MAX)
}

/// Starts the thread that keeps house until the store is closed or gone.
pub fn start(inner: &Arc<Inner>) -> io::Result<Thread> {
    let weak: Weak<Inner> = Arc::downgrade(inner);
    let (often, first) = expiry(inner.retention);
    let pause = PAUSE.min(first);
    let mut next = FileTime(inner.core.now().0.saturating_add(ticks(first)));
    let thread = thread::Builder::new()
        .name("ropewalk-keeper".into())
        .spawn(move || {
            loop {
                thread::park_timeout(pause);
                let Some(inner) = weak.upgrade() else {
                    return;
                };
                if inner.core.is_closed() {
                    return;
                }
                let store = Store::within(inner);
                store.rest();
                let now = store.now();
                if now >= next {
                    next = FileTime(now.0.saturating_add(ticks(often)));
                    if let Err(error) = store.expire_now() {
                        tracing::warn!(%error, "what was soft-deleted long ago could not be deleted");
                    }
                }
            }
        })?;
    Ok(thread.thread().clone())
}

impl Store {
    /// Drops from memory what nobody used for a while ([`crate::StoreOptions::idle`]): messages of
    /// folders, contents of messages. Done by the store itself every half minute.
    pub fn rest(&self) {
        let core = &self.inner().core;
        core.note_time();
        let before = earlier(core.now(), self.inner().idle);
        for mailbox in self.loaded() {
            mailbox.rest(before);
        }
        core.cache.rest(before);
    }

    /// Deletes for good what was soft-deleted longer ago than [`crate::StoreOptions::retention`], in
    /// commits of some thousand messages; nothing if that is `None`. Done by the store itself every
    /// hour, or more often if that is short. The first error, after all mailboxes had their turn.
    pub fn expire_now(&self) -> Result<Expired, StoreError> {
        let mut expired = Expired::default();
        let Some(retention) = self.inner().retention else {
            return Ok(expired);
        };
        let before = earlier(self.now(), retention);
        let mut result = Ok(());
        for guid in self.mailbox_guids() {
            match self.expire_in(guid, before) {
                Ok(done) => {
                    expired.messages += done.messages;
                    expired.folders += done.folders;
                }
                // Removed meanwhile.
                Err(StoreError::NotFound) => {}
                Err(error) => result = result.and(Err(error)),
            }
        }
        result.map(|()| expired)
    }

    fn expire_in(&self, guid: Guid, before: FileTime) -> Result<Expired, StoreError> {
        let core = &self.inner().core;
        let has_any = match self.loaded_mailbox(guid) {
            Some(mailbox) => mailbox.has_soft_deleted(),
            None => {
                // Nothing was changed in it since the store was opened.
                let kv = core.index.kv()?;
                has_soft_deleted(&*kv, &keys::part(guid, Part::Folder))?
            }
        };
        if !has_any {
            return Ok(Expired::default());
        }
        let mailbox = self.mailbox(guid)?;
        let expired = mailbox.expire(before);
        if let Err(StoreError::Index(why)) = &expired {
            core.index.distrust(why);
        }
        mailbox.forget_gone();
        expired
    }
}
