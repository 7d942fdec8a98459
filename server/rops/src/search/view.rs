//! A search and what it has found, as of the last look.
//!
//! The first time, all messages of the scope are looked at, chunk by chunk, the newest of a folder
//! first; whoever waits for the results does some of it. From then on it takes what changed in the
//! folders of the scope, as a table does: the cost is that of the changes.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ropewalk_props::{Bag, FileTime, GlobCnt};
use ropewalk_store::{
    Contents, ContentsChange, ContentsView, FolderKind, Mailbox, MessageEntry, StoreError, Surveyed,
};
use ropewalk_wire::ErrorCode;

use super::{
    chunk::{self, Chunk, Done, Outcome, Place, Work, matches},
    criteria::{self, Criteria, RESULTS, Rule, set_flags},
    found::{self, Found},
};
use crate::{
    budget::{Pool, Share},
    exec::blocking,
    limits::SEARCH_RESULTS_BYTES_MAX,
    logon::special,
    store_error,
};

/// Changes that are taken in at once.
const FEW: usize = 64;

/// How often the folders of a scope are said to be in use: often enough to stay in memory, where they
/// are as long as the search has them.
const NOTE_EVERY: Duration = Duration::from_secs(60);

static POOL: LazyLock<Arc<Pool>> = LazyLock::new(|| Arc::new(Pool::new(SEARCH_RESULTS_BYTES_MAX)));

/// What the results of all searches of a mailbox may take: half of what there is.
struct OfMailbox(Arc<Pool>);

impl Default for OfMailbox {
    fn default() -> Self {
        let pool = Pool::within(SEARCH_RESULTS_BYTES_MAX / 2, Arc::clone(&POOL));
        Self(Arc::new(pool))
    }
}

/// How far a search is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Messages of the scope have yet to be looked at.
    Running,
    /// All were, and the results of a static search are being written down.
    Saving,
    /// All were.
    Complete,
    /// Not all were, and none will.
    Stopped,
}

/// A search.
#[derive(Debug)]
pub struct View {
    /// What it searches for.
    pub criteria: Arc<Criteria>,
    /// The folder's bag that they are from.
    pub props: Arc<Bag>,
    /// How far it is.
    pub stage: Stage,
    /// No other has it.
    id: u64,
    rule: Rule,
    /// Those of the folders named that are search folders themselves.
    nested: Vec<GlobCnt>,
    /// When its folders were last said to be in use.
    noted: Instant,
    /// When somebody last waited for it in vain.
    waited: Option<Instant>,
    /// The mailbox's version as of the last look.
    version: Option<u64>,
    /// Whether the folders to search were found, which a static search does once.
    is_laid_out: bool,
    /// The folders of the scope, as they were last looked at; `None` for those that were not yet.
    scope: HashMap<GlobCnt, Option<Seen>>,
    found: Found,
    changed: FileTime,
    todo: VecDeque<Todo>,
    /// Whether somebody writes the results down.
    is_saving: bool,
    /// Chunks that somebody is looking at.
    working: usize,
    share: Share,
}

/// A folder of the scope as it was last looked at.
#[derive(Debug)]
struct Seen {
    /// Its messages. Without their companion, which tables have use for.
    contents: Contents,
    /// Its version then, or before.
    version: u64,
}

/// What another search that is searched has found.
#[derive(Debug)]
pub struct Nested {
    /// The search folder.
    pub folder: GlobCnt,
    /// The messages.
    pub contents: Contents,
    /// See [`View::changed`].
    pub changed: FileTime,
}

/// Messages that have yet to be looked at.
#[derive(Debug)]
struct Todo {
    folder: GlobCnt,
    version: u64,
    /// The folder's messages, once they were read.
    contents: Option<Contents>,
    /// Those below this id are left.
    below: Option<GlobCnt>,
}

impl View {
    /// A search at its beginning, or with the results that were kept of it. `ecTooComplex` if
    /// criteria are kept that cannot be read any more.
    pub fn new(at: Place<'_>, criteria: Criteria, props: Arc<Bag>) -> Result<Self, ErrorCode> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let rule = Rule::of(&criteria)?;
        let named = at.mailbox.survey(&criteria.folders, false).folders;
        let nested = named
            .iter()
            .filter(|folder| folder.kind == FolderKind::Search);
        let pool = at.mailbox.derived::<OfMailbox>(special::ROOT);
        let pool = pool.map_err(store_error::fail)?;
        let mut view = Self {
            stage: Stage::Running,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            nested: nested.map(|folder| folder.id).collect(),
            noted: Instant::now(),
            waited: None,
            version: None,
            is_laid_out: false,
            scope: HashMap::new(),
            found: Found::new(rule.limit),
            changed: FileTime(0),
            todo: VecDeque::new(),
            is_saving: false,
            working: 0,
            share: pool.0.share(),
            criteria: Arc::new(criteria),
            rule,
            props,
        };
        if view.is_static() {
            view.take_kept(at)?;
        }
        if view.criteria.has(set_flags::STOP) {
            view.stage = Stage::Stopped;
        }
        Ok(view)
    }

    /// Whether it is a static search.
    pub fn is_static(&self) -> bool {
        self.criteria.has(set_flags::STATIC)
    }

    /// Somebody looks: the folders of the scope stay in memory, so that what changes in them is found
    /// without reading them again.
    pub fn note_use(&mut self, mailbox: &Mailbox) {
        if self.noted.elapsed() >= NOTE_EVERY {
            mailbox.note_use(self.scope.keys());
            self.noted = Instant::now();
        }
    }

    /// Whether somebody waited for it in vain just now.
    pub fn is_slow(&self) -> bool {
        /// Until somebody waits again.
        const PAUSE: Duration = Duration::from_secs(1);
        self.waited.is_some_and(|waited| waited.elapsed() < PAUSE)
    }

    /// Somebody waited for it in vain.
    pub fn note_wait(&mut self) {
        self.waited = Some(Instant::now());
    }

    /// Whether nothing can have changed since a version of the mailbox.
    pub fn is_settled(&self, version: u64) -> bool {
        self.version == Some(version)
            && self.nested.is_empty()
            && matches!(self.stage, Stage::Complete | Stage::Stopped)
    }

    /// Whether there is more to do.
    pub fn is_working(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::Saving)
    }

    /// Whether the caller, and nobody else, is to write the results down.
    pub fn take_turn_to_save(&mut self) -> bool {
        !std::mem::replace(&mut self.is_saving, true)
    }

    /// Its results are written down.
    pub fn saved(&mut self) {
        self.is_saving = false;
        if self.stage == Stage::Saving {
            self.stage = Stage::Complete;
        }
    }

    /// The search folders that it searches.
    pub fn nested(&self) -> &[GlobCnt] {
        &self.nested
    }

    /// What it has found so far.
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// When something in the scope last changed: not before anything that was found did, and the same
    /// after a restart.
    pub fn changed(&self) -> FileTime {
        self.changed
    }

    /// Takes the kept results of a static search, if they are there.
    fn take_kept(&mut self, at: Place<'_>) -> Result<(), ErrorCode> {
        let kept = criteria::kept(&self.props, RESULTS, at.store)?;
        let kept = kept.and_then(|kept| found::decode(&kept, self.criteria.serial));
        let Some(folders) = kept else {
            return Ok(());
        };
        for (folder, ids) in folders {
            let version = self.version_of(at, folder);
            let contents = contents(at, folder).unwrap_or_default();
            for id in ids {
                let entry = contents.get(id).cloned();
                let entry = entry.unwrap_or_else(|| MessageEntry::lost(folder, id));
                self.found.put(entry);
            }
            self.scope
                .insert(folder, Some(Seen::new(&contents, version)));
        }
        self.stage = Stage::Complete;
        self.is_laid_out = true;
        self.charge();
        Ok(())
    }

    fn version_of(&self, at: Place<'_>, folder: GlobCnt) -> u64 {
        let survey = at.mailbox.survey(&[folder], false);
        survey.folders.first().map_or(0, |folder| folder.version)
    }

    /// Takes in what changed in the scope. `nested` are the results of the search folders in it.
    pub fn refresh(&mut self, at: Place<'_>, nested: &[Nested]) -> Result<(), ErrorCode> {
        let recursive = self.criteria.has(set_flags::RECURSIVE);
        let survey = at.mailbox.survey(&self.criteria.folders, recursive);
        // The messages of a search folder lie elsewhere: it is searched if it is named.
        let folders = survey
            .folders
            .iter()
            .filter(|folder| folder.kind != FolderKind::Search);
        let times = folders.clone().map(|folder| folder.local_commit_time_max);
        self.changed = times.fold(self.changed, FileTime::max);
        let mut changes = Vec::new();
        let mut still_there: HashMap<GlobCnt, Option<Seen>> = HashMap::new();
        let takes_folders = !self.is_laid_out || !self.is_static();
        for folder in folders {
            match self.scope.remove(&folder.id) {
                Some(Some(seen)) if seen.version == folder.version => {
                    still_there.insert(folder.id, Some(seen));
                }
                Some(Some(seen)) => {
                    let now = contents(at, folder.id)?;
                    note_changes(&mut changes, &seen.contents, &now);
                    let seen = Seen::new(&now, folder.version);
                    still_there.insert(folder.id, Some(seen));
                }
                // Somebody is reading it, or will.
                Some(None) if self.stage != Stage::Stopped => {
                    still_there.insert(folder.id, None);
                }
                None if !takes_folders => {}
                // What is there is not looked at, but what becomes of it is.
                Some(None) | None if self.stage == Stage::Stopped => {
                    let now = contents(at, folder.id)?;
                    let seen = Seen::new(&now, folder.version);
                    still_there.insert(folder.id, Some(seen));
                }
                Some(None) | None => {
                    self.todo.push_back(Todo::of(folder));
                    still_there.insert(folder.id, None);
                }
            }
        }
        for Nested {
            folder,
            contents: now,
            changed,
        } in nested
        {
            self.changed = self.changed.max(*changed);
            match self.scope.remove(folder).flatten() {
                Some(seen) => note_changes(&mut changes, &seen.contents, now),
                None if !takes_folders => continue,
                None if self.stage == Stage::Stopped => {}
                None => self.todo.push_back(Todo {
                    folder: *folder,
                    version: 0,
                    contents: Some(now.alone()),
                    below: None,
                }),
            }
            still_there.insert(*folder, Some(Seen::new(now, 0)));
        }
        // What is left is out of the scope. The results of a static search stay in it.
        for (folder, seen) in std::mem::replace(&mut self.scope, still_there) {
            self.todo.retain(|todo| todo.folder != folder);
            let Some(seen) = seen else {
                continue;
            };
            if self.is_static() && self.nested.contains(&folder) {
                self.scope.insert(folder, Some(seen));
            } else if self.is_static() && at.mailbox.has_folder(folder) {
                // Out of the scope, but not gone: its messages can be followed.
                let now = contents(at, folder)?;
                note_changes(&mut changes, &seen.contents, &now);
                let version = self.version_of(at, folder);
                self.scope.insert(folder, Some(Seen::new(&now, version)));
            } else {
                note_changes(&mut changes, &seen.contents, &Contents::default());
            }
        }
        if changes.len() > FEW {
            blocking(|| self.apply(at, changes));
        } else {
            self.apply(at, changes);
        }
        if !self.todo.is_empty() && self.stage == Stage::Complete {
            self.stage = Stage::Running;
        }
        self.is_laid_out = true;
        self.version = Some(survey.version);
        self.charge();
        self.settle();
        Ok(())
    }

    fn apply(&mut self, at: Place<'_>, changes: Vec<Change>) {
        for change in changes {
            match change.now {
                Some(entry) if self.is_static() => {
                    if self.found.has(entry.id) {
                        self.found.put(entry);
                    }
                }
                Some(entry) if matches(at, &self.rule, &entry).unwrap_or(false) => {
                    self.found.put(entry);
                }
                None if self.is_static() => self.found.lose(change.id),
                // It may still be in another folder of the scope, which is a search folder then.
                _ => match self.elsewhere(change.id) {
                    Some(entry) if matches(at, &self.rule, &entry).unwrap_or(false) => {
                        self.found.put(entry);
                    }
                    _ => self.found.remove(change.id),
                },
            }
        }
    }

    fn elsewhere(&self, id: GlobCnt) -> Option<MessageEntry> {
        if self.nested.is_empty() {
            return None;
        }
        let mut scope = self.scope.values().flatten();
        scope.find_map(|seen| seen.contents.get(id)).cloned()
    }

    /// The next piece of work, if there is one that nobody is at.
    pub fn claim(&mut self) -> Option<Chunk> {
        let todo = self.todo.front_mut()?;
        let folder = todo.folder;
        let mut is_last = true;
        let work = match &todo.contents {
            None => Work::Load {
                version: todo.version,
            },
            Some(contents) => {
                let size = chunk::size(&self.rule);
                let below = todo.below;
                let (mut from, mut count) = (GlobCnt(0), 0);
                contents.below(below).rev().take(size).for_each(|entry| {
                    from = entry.id;
                    count += 1;
                });
                todo.below = Some(from);
                is_last = count < size;
                Work::Scan {
                    contents: contents.clone(),
                    from,
                    below,
                }
            }
        };
        if is_last {
            self.todo.pop_front();
        }
        self.working += 1;
        Some(Chunk {
            view: self.id,
            folder,
            work,
        })
    }

    /// A piece of work will never be done.
    pub fn fail(&mut self) {
        self.working = self.working.saturating_sub(1);
        self.give_up();
        self.settle();
    }

    /// Takes in what came of a piece of work, unless it was one of another view.
    pub fn merge(&mut self, done: Done) {
        let Done {
            view,
            folder,
            outcome,
        } = done;
        if view != self.id {
            return;
        }
        self.working = self.working.saturating_sub(1);
        match outcome {
            Outcome::Gone => {
                self.scope.remove(&folder);
            }
            Outcome::Failed => self.give_up(),
            Outcome::Loaded { contents, version } => {
                // It may have left the scope, or the search may have been stopped.
                if let Some(seen @ None) = self.scope.get_mut(&folder)
                    && self.stage == Stage::Running
                {
                    *seen = Some(Seen::new(&contents, version));
                    self.todo.push_front(Todo {
                        folder,
                        version,
                        contents: Some(contents.alone()),
                        below: None,
                    });
                }
            }
            Outcome::Matches(matches) => {
                let seen = self.scope.get(&folder).and_then(Option::as_ref);
                for entry in matches {
                    let now = seen.and_then(|seen| seen.contents.get(entry.id));
                    match now {
                        // It changed meanwhile: a refresh has seen to it.
                        Some(now) if !self.is_static() && *now != entry => {}
                        Some(now) => self.found.put(now.clone()),
                        None if self.is_static() => self.found.put(entry.without_content()),
                        None => {}
                    }
                }
                self.charge();
                let is_enough = self
                    .rule
                    .limit
                    .is_some_and(|limit| self.is_static() && self.found.contents().len() >= limit);
                if is_enough {
                    self.todo.clear();
                }
            }
        }
        self.settle();
    }

    /// Stops: what was found stays.
    pub fn give_up(&mut self) {
        if self.stage == Stage::Running {
            self.todo.clear();
            self.stage = Stage::Stopped;
            // What is in the scope is what later changes are told from.
            self.version = None;
        }
    }

    /// Is complete, if all messages were looked at; a static search then has results to keep.
    fn settle(&mut self) {
        if self.stage == Stage::Running && self.todo.is_empty() && self.working == 0 {
            self.stage = if self.is_static() {
                Stage::Saving
            } else {
                Stage::Complete
            };
        }
    }

    /// Takes the memory that the results need; stops if there is none left.
    fn charge(&mut self) {
        if self.share.resize(self.found.bytes()).is_err() {
            tracing::warn!("there is no memory left for the results of searches");
            self.give_up();
        }
    }

    /// The value to keep of the results of a static search.
    pub fn to_keep(&self) -> Vec<u8> {
        self.found.encode(self.criteria.serial)
    }

    /// Whether it is the same search as before.
    pub fn is(&self, id: u64) -> bool {
        self.id == id
    }

    /// What no other search has.
    pub fn id(&self) -> u64 {
        self.id
    }
}

impl Seen {
    fn new(contents: &Contents, version: u64) -> Self {
        Self {
            contents: contents.alone(),
            version,
        }
    }
}

impl Todo {
    fn of(folder: &Surveyed) -> Self {
        Self {
            folder: folder.id,
            version: folder.version,
            contents: None,
            below: None,
        }
    }
}

/// A change of a message in the scope.
struct Change {
    id: GlobCnt,
    /// The message now; `None` if it is gone.
    now: Option<MessageEntry>,
}

fn note_changes(changes: &mut Vec<Change>, seen: &Contents, now: &Contents) {
    changes.extend(now.changes_since(seen).map(|change| match change {
        ContentsChange::Added(entry) | ContentsChange::Changed(entry) => Change {
            id: entry.id,
            now: Some(entry.clone()),
        },
        ContentsChange::Removed(id) => Change { id, now: None },
    }));
}

/// The normal messages of a folder; none if it is gone.
fn contents(at: Place<'_>, folder: GlobCnt) -> Result<Contents, ErrorCode> {
    let read = || at.mailbox.contents(folder, ContentsView::Normal);
    let contents = if at.mailbox.has_contents(folder) {
        read()
    } else {
        blocking(read)
    };
    match contents {
        Err(StoreError::NotFound) => Ok(Contents::default()),
        contents => contents.map_err(store_error::fail),
    }
}
