//! Search folders (MS-OXCFOLD 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5).
//!
//! The criteria lie in the folder's bag, and so do the results of a static search, which do not change
//! by themselves. What a search has found is a view like that of a folder, kept in memory while
//! somebody looks at it and brought up to date by whoever looks next: with nothing changed in the
//! mailbox that is a comparison of two numbers. A look at a search that is not complete does some of
//! the work; the rest is done by a few threads that all searches have in common.

mod chunk;
pub mod criteria;
mod found;
mod readable;
pub mod rops;
#[cfg(test)]
mod tests;
mod view;
mod work;

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ropewalk_props::{FileTime, GlobCnt, PropValue};
use ropewalk_store::{
    Contents, Folder, FolderCounts, FolderKind, Mailbox, MessageEntry, MessagePlace, Store,
    StoreError,
};
use ropewalk_wire::ErrorCode;

use self::{
    chunk::Place,
    criteria::{CRITERIA, Criteria, RESULTS, Rule, set_flags},
    readable::readable,
    view::{Nested, Stage, View},
};
use crate::{exec::blocking, object::LogonObject, rights::Access, store_error};

/// How long a look at the messages of a search waits for it to be complete.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// How long a look at their number does, or at how far the search is.
pub const PATIENCE_FOR_COUNTS: Duration = Duration::from_millis(50);

/// Searches that search each other's results, at most.
const NESTED_MAX: usize = 8;

/// A search folder's search, in memory as long as somebody looks at it.
#[derive(Debug, Default)]
pub struct Search {
    view: Mutex<Option<View>>,
    /// Told when a piece of work is done.
    done: Condvar,
    /// Whether it waits for a thread that goes on with it, or has one.
    is_queued: AtomicBool,
}

/// What a search has found.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The messages.
    pub contents: Contents,
    /// Their number and size.
    pub counts: FolderCounts,
    /// When something where it searches last changed.
    pub changed: FileTime,
    /// How far the search is.
    stage: Stage,
    /// Its criteria.
    criteria: Arc<Criteria>,
}

/// The messages that a search folder has found, as far as the logon's user may read them; none before
/// it has criteria.
pub fn contents(
    store: &Store,
    logon: &LogonObject,
    folder: GlobCnt,
) -> Result<Contents, ErrorCode> {
    let mailbox = &*logon.mailbox;
    let looked = look(store, mailbox, folder, PATIENCE)?;
    let contents = looked.map(|looked| looked.contents).unwrap_or_default();
    Ok(readable(store, mailbox, logon.access, folder, contents))
}

/// The number and size of what a search folder has found, as far as one may read it, and when
/// something where it searches, or the folder itself, last changed.
pub fn counts(
    store: &Store,
    mailbox: &Mailbox,
    access: Access,
    folder: &Folder,
) -> (FolderCounts, FileTime) {
    let looked = look(store, mailbox, folder.id, PATIENCE_FOR_COUNTS);
    let (found, changed) = match looked {
        Ok(Some(looked)) if access == Access::Owner => (looked.counts, looked.changed),
        Ok(Some(looked)) => {
            let mut counts = FolderCounts::default();
            let readable = readable(store, mailbox, access, folder.id, looked.contents);
            readable.iter().for_each(|entry| counts.add(entry));
            (counts, looked.changed)
        }
        _ => (FolderCounts::default(), FileTime(0)),
    };
    let counts = FolderCounts {
        content: found.content,
        unread: found.unread,
        size: found.size,
        ..folder.counts
    };
    (counts, changed.max(folder.local_commit_time_max))
}

/// Whether a folder is a search folder: what it holds lies elsewhere.
pub fn is_search(mailbox: &Mailbox, folder: GlobCnt) -> bool {
    mailbox.folder_kind(folder) == Some(FolderKind::Search)
}

/// Where the messages with these ids lie, that a search folder has found; those that it has not, or
/// that the logon's user may not read, are left out.
pub fn places(
    store: &Store,
    logon: &LogonObject,
    folder: GlobCnt,
    ids: &[GlobCnt],
) -> Result<Vec<MessagePlace>, ErrorCode> {
    let contents = contents(store, logon, folder)?;
    let entries = ids.iter().filter_map(|id| contents.get(*id));
    Ok(entries.map(|entry| (entry.folder, entry.id)).collect())
}

/// A message of a folder, or one that a search folder has found; `None` if there is none.
/// `ecNotFound` without the folder.
pub fn entry(
    store: &Store,
    logon: &LogonObject,
    folder: GlobCnt,
    id: GlobCnt,
) -> Result<Option<MessageEntry>, ErrorCode> {
    let mailbox = &*logon.mailbox;
    let entry = mailbox.entry(folder, id).map_err(store_error::fail)?;
    if entry.is_some() || !is_search(mailbox, folder) {
        return Ok(entry);
    }
    let Some((folder, id)) = places(store, logon, folder, &[id])?.pop() else {
        return Ok(None);
    };
    match mailbox.entry(folder, id) {
        // What a static search has found may be gone with its folder.
        Err(StoreError::NotFound) => Ok(None),
        entry => entry.map_err(store_error::fail),
    }
}

/// Whether a search of the mailbox is active (MS-OXCSTOR 2.2.1.5.2, STORE_HAS_SEARCHES).
pub fn is_any_active(store: &Store, mailbox: &Mailbox) -> bool {
    let mut folders = mailbox.search_folders().into_iter();
    folders.any(|folder| Criteria::are_active(&folder.props, store))
}

/// Has a search begin, or begin again, with the criteria that its folder has now. Nothing is done of it
/// before somebody looks.
fn open(at: Place<'_>, folder: GlobCnt) -> Result<(), ErrorCode> {
    let search: Arc<Search> = at.mailbox.derived(folder).map_err(store_error::fail)?;
    bring_in(at, folder, &mut search.lock()).map(|_| ())
}

/// Whether somebody looked at a search lately, or it was begun.
fn is_open(mailbox: &Mailbox, folder: GlobCnt) -> bool {
    let search = mailbox.derived::<Search>(folder);
    search.is_ok_and(|search| search.lock().is_some())
}

/// Looks at a search folder: `None` before it has criteria. If the search is not complete, does some
/// of it, for `patience` at most. `ecNotFound` without the folder.
pub fn look(
    store: &Store,
    mailbox: &Mailbox,
    folder: GlobCnt,
    patience: Duration,
) -> Result<Option<Looked>, ErrorCode> {
    look_within(Place { store, mailbox }, folder, patience, NESTED_MAX)
}

fn look_within(
    at: Place<'_>,
    folder: GlobCnt,
    patience: Duration,
    depth: usize,
) -> Result<Option<Looked>, ErrorCode> {
    let search: Arc<Search> = at.mailbox.derived(folder).map_err(store_error::fail)?;
    // Before anything else is looked at: what changes meanwhile is taken in by the next look.
    let version = at.mailbox.folders_version();
    let nested = {
        let mut view = search.lock();
        if let Some(view) = view.as_mut().filter(|view| view.is_settled(version)) {
            view.note_use(at.mailbox);
            return Ok(Some(Looked::of(view)));
        }
        match bring_in(at, folder, &mut view)? {
            Some(view) => view.nested().to_vec(),
            None => return Ok(None),
        }
    };
    let is_slow;
    // No search is locked while another one is: they may search each other by now.
    let mut results = Vec::with_capacity(nested.len());
    for nested in nested.into_iter().filter(|_| depth > 0) {
        match look_within(at, nested, patience, depth - 1) {
            Ok(looked) => results.extend(looked.map(|looked| Nested {
                folder: nested,
                contents: looked.contents,
                changed: looked.changed,
            })),
            // It is out of the scope.
            Err(ErrorCode::NOT_FOUND) => {}
            Err(error) => return Err(error),
        }
    }
    {
        let mut locked = search.lock();
        let Some(view) = bring_in(at, folder, &mut locked)? else {
            return Ok(None);
        };
        view.note_use(at.mailbox);
        if let Err(error) = view.refresh(at, &results) {
            // Half of it may be taken in.
            *locked = None;
            return Err(error);
        }
        // A search that takes long shows what it has, rather than let every ROP wait.
        is_slow = view.is_slow();
        if !view.is_working() {
            return Ok(Some(Looked::of(view)));
        }
    }
    let patience = if is_slow && patience <= PATIENCE {
        Duration::ZERO
    } else {
        patience
    };
    if !patience.is_zero()
        && blocking(|| search.help(at, folder, Instant::now() + patience))
        && let Some(view) = search.lock().as_mut()
    {
        view.note_wait();
    }
    let looked = search.lock().as_ref().map(Looked::of);
    let is_working = |looked: &Looked| matches!(looked.stage, Stage::Running | Stage::Saving);
    if looked.as_ref().is_some_and(is_working)
        && !search.is_queued.swap(true, Ordering::Relaxed)
        && !work::queue(at, folder, &search)
    {
        search.is_queued.store(false, Ordering::Relaxed);
    }
    Ok(looked)
}

/// The search that a folder's criteria ask for: the one that is there, if it has them. `None`
/// without criteria, and in a folder that is soft-deleted.
fn bring_in<'v>(
    at: Place<'_>,
    folder: GlobCnt,
    view: &'v mut Option<View>,
) -> Result<Option<&'v mut View>, ErrorCode> {
    let own = at.mailbox.folder(folder).ok_or(ErrorCode::NOT_FOUND)?;
    if own.deleted {
        *view = None;
        return Ok(None);
    }
    let is_known = |view: &View| Arc::ptr_eq(&view.props, &own.props);
    if !view.as_ref().is_some_and(is_known) {
        let kept = Criteria::of(&own.props, at.store)?;
        match (kept, &mut *view) {
            (None, view) => *view = None,
            (Some(kept), Some(view)) if *view.criteria == kept => view.props = own.props,
            // The results of a static search are looked up in their folders.
            (Some(kept), view) => *view = Some(blocking(|| View::new(at, kept, own.props))?),
        }
    }
    Ok(view.as_mut())
}

impl Looked {
    fn of(view: &View) -> Self {
        Self {
            contents: view.found().contents().clone(),
            counts: view.found().counts(),
            changed: view.changed(),
            stage: view.stage,
            criteria: Arc::clone(&view.criteria),
        }
    }
}

impl Search {
    fn lock(&self) -> MutexGuard<'_, Option<View>> {
        // A panic leaves a view that the next look brings up to date, or a piece of work undone.
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on a search until it is complete or time is up. True if there is more to do.
    fn help(&self, at: Place<'_>, folder: GlobCnt, until: Instant) -> bool {
        let known = self.lock().as_ref().map(|view| {
            let criteria = Arc::clone(&view.criteria);
            (view.id(), criteria)
        });
        let Some((id, rule)) =
            known.and_then(|(id, criteria)| Some((id, Rule::of(&criteria).ok()?)))
        else {
            return false;
        };
        loop {
            let mut locked = self.lock();
            let Some(view) = locked.as_mut().filter(|view| view.is(id)) else {
                return false;
            };
            match view.stage {
                Stage::Running => {}
                Stage::Saving => {
                    if view.take_turn_to_save() {
                        let (results, serial) = (view.to_keep(), view.criteria.serial);
                        drop(locked);
                        self.save(at, folder, id, (results, serial));
                        continue;
                    }
                }
                Stage::Complete | Stage::Stopped => return false,
            }
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return true;
            }
            match view.claim() {
                Some(chunk) => {
                    drop(locked);
                    let working = Working { search: self, id };
                    let done = chunk.run(at, &rule);
                    std::mem::forget(working);
                    if let Some(view) = self.lock().as_mut() {
                        view.merge(done);
                    }
                    self.done.notify_all();
                }
                // Others are at what is left.
                None => drop(self.done.wait_timeout(locked, left)),
            }
        }
    }

    /// Writes the results of a static search down: from then on it is complete.
    fn save(&self, at: Place<'_>, folder: GlobCnt, id: u64, (results, serial): (Vec<u8>, u32)) {
        let own = at.mailbox.folder(folder);
        let is_current = own.is_some_and(|own| {
            let kept = Criteria::of(&own.props, at.store).ok().flatten();
            kept.is_some_and(|kept| kept.serial == serial)
        });
        if is_current {
            let set = [(RESULTS, PropValue::Binary(results))];
            if let Err(error) = at.mailbox.amend_folder(folder, &set, &[]) {
                tracing::error!(%error, "the results of a search cannot be kept");
            }
        }
        if let Some(view) = self.lock().as_mut().filter(|view| view.is(id)) {
            view.saved();
        }
        self.done.notify_all();
    }

    /// Stops a search that is running, and keeps what it has found so far.
    fn stop(&self, at: Place<'_>, folder: GlobCnt) -> Result<(), ErrorCode> {
        let mut locked = self.lock();
        let Some(view) = locked.as_mut().filter(|view| view.stage == Stage::Running) else {
            return Ok(());
        };
        let stopped = Criteria {
            flags: view.criteria.flags | set_flags::STOP,
            ..Criteria::clone(&view.criteria)
        };
        let mut set = vec![(CRITERIA, PropValue::Binary(stopped.encode()))];
        if view.is_static() {
            set.push((RESULTS, PropValue::Binary(view.to_keep())));
        }
        at.mailbox
            .amend_folder(folder, &set, &[])
            .map_err(store_error::fail)?;
        view.criteria = Arc::new(stopped);
        view.give_up();
        if view.nested().is_empty()
            && let Err(error) = view.refresh(at, &[])
        {
            *locked = None;
            return Err(error);
        }
        drop(locked);
        self.done.notify_all();
        Ok(())
    }
}

/// Somebody at a piece of work. Dropped, it was not done: the thread panicked.
struct Working<'a> {
    search: &'a Search,
    id: u64,
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if let Some(view) = self.search.lock().as_mut().filter(|view| view.is(self.id)) {
            view.fail();
        }
        self.search.done.notify_all();
    }
}
