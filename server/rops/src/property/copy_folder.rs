//! RopCopyTo and RopCopyProperties from folder to folder: first what is in the folder, as far as that is
//! wanted, then its properties (MS-OXCPRPT 3.2.5.7 and 3.2.5.8). An asynchronous request does it part by
//! part.

use std::collections::HashSet;

use ropewalk_props::{GlobCnt, PropTag};
use ropewalk_store::{
    ContentsView, Folder, FolderCopy, FolderKind, Mailbox, StoreError, folded_name,
};
use ropewalk_wire::{ErrorCode, value::PropertyProblem};

use super::{
    copy::{CopyFlags, Piece, put_folder},
    copy_parts::{ASSOCIATED_CONTENTS, CONTENTS, HIERARCHY},
};
use crate::{
    exec::{Exec, blocking},
    folder::{current, is_special, messages},
    operation::{Act, Bulk, Places},
    rights::gate,
    search, store_error,
};

/// What is to be copied from one folder to another.
pub struct CopyToFolder {
    source: GlobCnt,
    dest: GlobCnt,
    flags: CopyFlags,
    /// What is in the folder, the next part last.
    parts: Vec<Part>,
    /// Messages and folders in them.
    total: u64,
    /// The properties, which come last.
    pieces: Vec<Piece>,
    problems: Vec<PropertyProblem>,
}

/// A part of what is in a folder.
enum Part {
    /// Subfolders that are moved, the next one last.
    MoveFolders(Vec<GlobCnt>),
    /// A subfolder that is copied.
    CopyFolder(FolderCopy),
    /// Messages.
    Messages(Bulk),
}

impl CopyToFolder {
    /// Plans a copy of these properties, which had these problems, and of what is in the source and
    /// wanted. Nothing is copied yet.
    ///
    /// `FolderCycle` if the destination is in the source, `ecDuplicateName` if a subfolder's name is
    /// taken in it, `ecSearchFolder` if it takes nothing in.
    pub fn plan(
        exec: &Exec<'_>,
        (source, dest, flags): (GlobCnt, GlobCnt, CopyFlags),
        wanted: impl Fn(PropTag) -> bool,
        pieces: Vec<Piece>,
        problems: Vec<PropertyProblem>,
    ) -> Result<Self, ErrorCode> {
        let mut copy = Self {
            source,
            dest,
            flags,
            parts: Vec::new(),
            total: 0,
            pieces,
            problems,
        };
        let mailbox = exec.mailbox()?;
        if wanted(HIERARCHY) {
            copy.plan_subfolders(&mailbox)?;
        }
        if wanted(CONTENTS) && search::is_search(&mailbox, source) {
            // It has no others.
            let found = search::contents(&exec.session.store, exec.logon()?, source)?;
            let ids: Vec<GlobCnt> = found.iter().map(|entry| entry.id).collect();
            let places = messages::places(exec, source, &ids)?;
            copy.plan_messages(exec, &mailbox, Places::At(places))?;
        } else {
            for (tag, view) in [
                (CONTENTS, ContentsView::Normal),
                (ASSOCIATED_CONTENTS, ContentsView::Associated),
            ] {
                if wanted(tag) {
                    let contents = mailbox.contents(source, view).map_err(store_error::fail)?;
                    let ids = contents.iter().map(|entry| entry.id).collect();
                    copy.plan_messages(exec, &mailbox, Places::In(source, ids))?;
                }
            }
        }
        copy.parts.reverse();
        copy.total = copy.parts.iter().map(Part::len).sum();
        Ok(copy)
    }

    fn moves(&self) -> bool {
        self.flags == CopyFlags::Move
    }

    fn check_dest(&self, mailbox: &Mailbox) -> Result<(), ErrorCode> {
        if current(mailbox, self.dest)?.kind == FolderKind::Search {
            Err(ErrorCode::SEARCH_FOLDER)
        } else {
            Ok(())
        }
    }

    fn plan_messages(
        &mut self,
        exec: &Exec<'_>,
        mailbox: &Mailbox,
        places: Places,
    ) -> Result<(), ErrorCode> {
        let dest = self.dest;
        let act = if self.moves() {
            Act::Move { dest }
        } else {
            Act::Copy { dest }
        };
        let bulk = Bulk::new(exec.logon()?, act, places, false);
        if bulk.count() > 0 {
            self.check_dest(mailbox)?;
            self.parts.push(Part::Messages(bulk));
        }
        Ok(())
    }

    /// All subfolders; none of them if a name of theirs is taken there (MS-OXCPRPT 3.2.5.8).
    fn plan_subfolders(&mut self, mailbox: &Mailbox) -> Result<(), ErrorCode> {
        let children = mailbox.child_folders(self.source);
        if children.is_empty() {
            return Ok(());
        }
        if is_below(mailbox, self.dest, self.source)? {
            return Err(ErrorCode::FOLDER_CYCLE);
        }
        self.check_dest(mailbox)?;
        if self.moves() && children.iter().any(|child| is_special(child.id)) {
            return Err(ErrorCode::ACCESS_DENIED);
        }
        let taken = mailbox.child_folders(self.dest);
        let name = |folder: &Folder| folded_name(&folder.props);
        let taken: HashSet<String> = taken.iter().map(name).collect();
        if children.iter().any(|child| taken.contains(&name(child))) {
            return Err(ErrorCode::DUPLICATE_NAME);
        }
        let ids = children.iter().map(|child| child.id);
        if self.moves() {
            self.parts.push(Part::MoveFolders(ids.rev().collect()));
            return Ok(());
        }
        for id in ids {
            let copy = blocking(|| mailbox.begin_copy(id, self.dest, None, true));
            let copy = copy.map_err(store_error::fail)?;
            self.parts.push(Part::CopyFolder(copy));
        }
        Ok(())
    }

    /// Messages and folders that are to be copied or moved.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        let parts = self.parts.iter().map(Part::memory);
        let pieces = self.pieces.iter().map(Piece::memory);
        parts.chain(pieces).fold(0, usize::saturating_add)
    }

    /// Property problems that it can have at most.
    pub fn problems_max(&self) -> usize {
        self.problems.len() + self.pieces.len()
    }

    /// The problems that it had.
    pub fn into_problems(mut self) -> Vec<PropertyProblem> {
        self.problems.sort_unstable_by_key(|problem| problem.index);
        self.problems
    }

    /// Whether what is in the folder is copied.
    pub fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    /// Copies everything; each part is a commit.
    pub fn all(&mut self, exec: &Exec<'_>) -> Result<(), ErrorCode> {
        while !self.is_done() {
            self.step(exec, usize::MAX)?;
        }
        self.finish(exec)
    }

    /// Copies or moves at most so many messages and folders more, of one part; returns how many.
    pub fn step(&mut self, exec: &Exec<'_>, most: usize) -> Result<usize, ErrorCode> {
        let mailbox = exec.mailbox()?;
        let (source, dest) = (self.source, self.dest);
        let Some(part) = self.parts.last_mut() else {
            return Ok(0);
        };
        let (done, is_done) = match part {
            Part::MoveFolders(folders) => {
                let most = if most == usize::MAX {
                    most
                } else {
                    MOVED_AT_ONCE
                };
                let moved = blocking(|| move_some(&mailbox, folders, (source, dest), most));
                (moved.map_err(store_error::fail)?, folders.is_empty())
            }
            Part::CopyFolder(copy) => {
                let copied = blocking(|| mailbox.copy_on(copy, most));
                (copied.map_err(store_error::fail)?, copy.is_done())
            }
            Part::Messages(bulk) => {
                let done = bulk.step(exec, most)?;
                if bulk.is_done() {
                    bulk.finish()?;
                }
                (done, bulk.is_done())
            }
        };
        if is_done {
            self.parts.pop();
        }
        Ok(done)
    }

    /// Copies the properties.
    pub fn finish(&mut self, exec: &Exec<'_>) -> Result<(), ErrorCode> {
        let pieces = std::mem::take(&mut self.pieces);
        let keeps = self.flags == CopyFlags::NoOverwrite;
        put_folder(exec, self.dest, pieces, keeps, &mut self.problems)
    }

    /// Whether the user may go on with it.
    pub fn check_rights(&self, exec: &Exec<'_>) -> Result<(), ErrorCode> {
        gate::may_copy_contents(exec, self.source, self.dest, self.moves())
    }
}

/// Each is a commit of its own.
const MOVED_AT_ONCE: usize = 32;

/// Moves at most so many subfolders that are still where they were.
fn move_some(
    mailbox: &Mailbox,
    folders: &mut Vec<GlobCnt>,
    (source, dest): (GlobCnt, GlobCnt),
    most: usize,
) -> Result<usize, StoreError> {
    let first = folders.len().saturating_sub(most);
    let next: Vec<GlobCnt> = folders.drain(first..).rev().collect();
    for id in &next {
        let folder = mailbox.folder(*id);
        if folder.is_some_and(|folder| folder.parent == source && !folder.deleted) {
            mailbox.move_folder(*id, dest, None)?;
        }
    }
    Ok(next.len())
}

impl Part {
    fn len(&self) -> u64 {
        match self {
            Self::MoveFolders(folders) => folders.len() as u64,
            Self::CopyFolder(copy) => copy.total(),
            Self::Messages(bulk) => bulk.count() as u64,
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::MoveFolders(folders) => size_of_val(folders.as_slice()),
            Self::CopyFolder(copy) => copy.memory(),
            Self::Messages(bulk) => bulk.memory(),
        }
    }
}

/// Whether a folder is another one or below it.
fn is_below(mailbox: &Mailbox, folder: GlobCnt, above: GlobCnt) -> Result<bool, ErrorCode> {
    /// More than folders can be nested.
    const LEVELS: usize = 1024;
    let mut at = folder;
    for _ in 0..LEVELS {
        if at == above {
            return Ok(true);
        }
        let parent = current(mailbox, at)?.parent;
        if parent == at {
            return Ok(false);
        }
        at = parent;
    }
    Ok(false)
}
