//! Pieces of work on a search: some messages to look at, which takes no lock.

use ropewalk_props::GlobCnt;
use ropewalk_store::{Contents, ContentsView, Mailbox, MessageEntry, Store, StoreError};

use super::criteria::Rule;
use crate::table::{filter::Need, message_row::MessageRow};

/// The store and the mailbox of a search.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The store.
    pub store: &'a Store,
    /// The mailbox.
    pub mailbox: &'a Mailbox,
}

/// A piece of work on a search.
#[derive(Debug)]
pub struct Chunk {
    /// The view that it is a piece of.
    pub view: u64,
    /// The folder, of the scope.
    pub folder: GlobCnt,
    /// What there is to do.
    pub work: Work,
}

/// What there is to do.
#[derive(Debug)]
pub enum Work {
    /// Reads a folder's messages.
    Load {
        /// The folder's version, or one before.
        version: u64,
    },
    /// Looks at some of them.
    Scan {
        /// All of them.
        contents: Contents,
        /// Those from this one on,
        from: GlobCnt,
        /// below this one.
        below: Option<GlobCnt>,
    },
}

/// What came of a piece of work.
#[derive(Debug)]
pub struct Done {
    /// See [`Chunk::view`].
    pub view: u64,
    /// See [`Chunk::folder`].
    pub folder: GlobCnt,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a piece of work.
#[derive(Debug)]
pub enum Outcome {
    /// The folder is gone.
    Gone,
    /// Its messages were read.
    Loaded {
        /// The messages.
        contents: Contents,
        /// See [`Work::Load`].
        version: u64,
    },
    /// These match.
    Matches(Vec<MessageEntry>),
    /// It cannot go on: the store is closed, or the index failed.
    Failed,
}

/// Messages of one piece of work.
pub fn size(rule: &Rule) -> usize {
    match rule.filter.need() {
        Need::Entry => 8192,
        // Of most messages the entry has it.
        Need::Subject => 1024,
        Need::Content => 128,
    }
}

impl Chunk {
    /// Does it.
    pub fn run(self, at: Place<'_>, rule: &Rule) -> Done {
        let outcome = match self.work {
            Work::Load { version } => load(at, self.folder, version),
            Work::Scan {
                contents,
                from,
                below,
            } => {
                let entries = contents.below(below).rev();
                let entries = entries.take_while(|entry| entry.id >= from);
                scan(at, rule, entries)
            }
        };
        Done {
            view: self.view,
            folder: self.folder,
            outcome,
        }
    }
}

fn load(at: Place<'_>, folder: GlobCnt, version: u64) -> Outcome {
    match at.mailbox.contents(folder, ContentsView::Normal) {
        Ok(contents) => Outcome::Loaded { contents, version },
        Err(StoreError::NotFound) => Outcome::Gone,
        Err(error) => {
            tracing::error!(%error, "a folder cannot be searched");
            Outcome::Failed
        }
    }
}

fn scan<'e>(
    at: Place<'_>,
    rule: &Rule,
    entries: impl Iterator<Item = &'e MessageEntry>,
) -> Outcome {
    let mut found = Vec::new();
    for entry in entries {
        match matches(at, rule, entry) {
            Ok(true) => found.push(entry.clone()),
            Ok(false) => {}
            Err(_) => return Outcome::Failed,
        }
    }
    Outcome::Matches(found)
}

/// Whether a message matches. One that cannot be read does not; [`StoreError::Closed`] if the store is
/// closed.
pub fn matches(at: Place<'_>, rule: &Rule, entry: &MessageEntry) -> Result<bool, StoreError> {
    let content = if rule.filter.need().content_of(entry) {
        match at.mailbox.read_message(entry) {
            Ok(content) => Some(content),
            Err(StoreError::Closed) => return Err(StoreError::Closed),
            Err(error) => {
                tracing::error!(%error, id = entry.id.0, "a message cannot be searched");
                return Ok(false);
            }
        }
    } else {
        None
    };
    let row = MessageRow::new(
        (Some(at.store), at.mailbox),
        entry,
        content.as_ref(),
        0,
        crate::rights::messages::MessageAccess::ALL,
    );
    Ok(rule.filter.matches(at.store, &row))
}
