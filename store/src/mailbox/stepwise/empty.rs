//! Emptying a folder step by step.

use ropewalk_props::GlobCnt;

use super::items;
use crate::{
    StoreError,
    mailbox::{
        Mailbox,
        txn::Txn,
        types::{ContentsView, EmptyFolder},
    },
};

/// A folder that is being emptied: [`Mailbox::begin_emptying`] begins it.
///
/// First go its own messages, then its subfolders, the deepest first.
#[derive(Debug)]
pub struct FolderEmptying {
    folder: GlobCnt,
    how: EmptyFolder,
    /// Its own messages are gone.
    own: bool,
    /// Its subfolders that are still to go, the next one last.
    children: Vec<GlobCnt>,
    /// The way down to the subfolder that is being deleted.
    way: Vec<Level>,
    /// Subfolders were kept.
    kept: bool,
    /// Ids of its own messages from here on came later.
    end: GlobCnt,
    /// Subfolders that were to go when it began, all of them.
    folders: usize,
    total: u64,
}

/// A subfolder that goes when all that is in it has gone.
#[derive(Debug)]
struct Level {
    folder: GlobCnt,
    /// Its subfolders, as far as they were not looked at.
    children: Vec<GlobCnt>,
    /// There is a subfolder below that is kept, so that this one stays too.
    is_kept: bool,
}

impl FolderEmptying {
    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.own && self.way.is_empty() && self.children.is_empty()
    }

    /// Whether subfolders stay that were to be kept, as far as it is known.
    pub fn has_kept(&self) -> bool {
        self.kept
    }

    /// Items that were to be deleted when it began. What a folder holds that is deleted for good goes
    /// with it and is no item.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that it takes in memory at most, folders that come meanwhile apart.
    pub fn memory(&self) -> usize {
        self.folders * size_of::<Level>()
    }
}

impl Mailbox {
    /// Begins to empty a folder as [`Mailbox::empty_folder`] does it; nothing is deleted yet.
    /// [`StoreError::NotFound`] without the folder.
    pub fn begin_emptying(
        &self,
        id: GlobCnt,
        how: EmptyFolder,
        keep: &dyn Fn(GlobCnt) -> bool,
    ) -> Result<FolderEmptying, StoreError> {
        let txn = Txn::begin(self)?;
        let counts = txn.folder(id)?.meta.counts;
        let own = match how {
            EmptyFolder { hard: true, .. } => 1,
            EmptyFolder {
                associated: true, ..
            } => items(&counts) - 1,
            _ => u64::from(counts.content),
        };
        let mut emptying = FolderEmptying {
            folder: id,
            how,
            own: false,
            children: Vec::new(),
            way: Vec::new(),
            kept: false,
            end: txn.upcoming(),
            folders: 0,
            total: own,
        };
        for child in self.children(id, how.hard) {
            let below = self.subtree(child, how.hard);
            if below.iter().copied().any(keep) {
                emptying.kept = true;
                continue;
            }
            emptying.children.push(child);
            emptying.folders += below.len();
            for id in below {
                let folder = txn.any_folder(id)?;
                let items = if how.hard {
                    1
                } else {
                    items(&folder.meta.counts)
                };
                emptying.total = emptying.total.saturating_add(items);
            }
        }
        emptying.children.reverse();
        Ok(emptying)
    }

    /// Deletes at most so many items more, in one commit; returns how many.
    /// [`StoreError::NotFound`] if the folder itself went; it cannot be gone on with then.
    ///
    /// Of a subfolder goes what is in it when it goes, whenever that came, but for subfolders that
    /// `keep` names, with those above them.
    pub fn empty_on(
        &self,
        emptying: &mut FolderEmptying,
        items: usize,
        keep: &dyn Fn(GlobCnt) -> bool,
    ) -> Result<usize, StoreError> {
        let mut txn = Txn::begin(self)?;
        txn.folder(emptying.folder)?;
        txn.leave_what_moved(emptying);
        let mut left = items;
        while left > 0 && !emptying.is_done() {
            left -= if !emptying.own {
                txn.empty_own(emptying, left)?
            } else {
                txn.delete_next(emptying, left, keep)?
            };
        }
        if left < items {
            txn.commit()?;
        }
        Ok(items - left)
    }
}

impl Txn<'_> {
    /// Whether a folder is still to be deleted, and where it was found.
    fn is_to_go(&self, id: GlobCnt, parent: GlobCnt, hard: bool) -> bool {
        self.any_folder(id)
            .is_ok_and(|folder| folder.meta.parent == parent && (hard || !folder.deleted))
    }

    /// Between two steps somebody may have put a subfolder elsewhere, or deleted it.
    fn leave_what_moved(&self, emptying: &mut FolderEmptying) {
        let mut parent = emptying.folder;
        let hard = emptying.how.hard;
        let stays = emptying.way.iter().take_while(|level| {
            let stays = self.is_to_go(level.folder, parent, hard);
            parent = level.folder;
            stays
        });
        let stays = stays.count();
        emptying.way.truncate(stays);
    }

    /// Deletes at most so many of the folder's own messages; returns how many.
    fn empty_own(
        &mut self,
        emptying: &mut FolderEmptying,
        most: usize,
    ) -> Result<usize, StoreError> {
        let EmptyFolder { associated, hard } = emptying.how;
        if hard {
            emptying.own = true;
            return Ok(usize::from(self.clear_own(emptying.folder, associated)?));
        }
        let views = [ContentsView::Normal, ContentsView::Associated];
        let views = if associated { &views[..] } else { &views[..1] };
        let end = Some(emptying.end);
        let deleted = self.soft_delete_messages(emptying.folder, views, end, most)?;
        emptying.own = deleted < most;
        Ok(deleted)
    }

    /// Soft-deletes at most so many messages of a folder with ids below `end`; returns how many. Of each
    /// folder once in a commit: it takes the messages as they were before.
    fn soft_delete_messages(
        &mut self,
        folder: GlobCnt,
        views: &[ContentsView],
        end: Option<GlobCnt>,
        most: usize,
    ) -> Result<usize, StoreError> {
        let all = self.entries(folder)?;
        let wanted = views.iter().filter_map(|view| all.get(*view as usize));
        let mut deleted = 0;
        for entry in wanted.flat_map(|contents| contents.below(end)).take(most) {
            self.delete_message(entry, false)?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Looks at the next subfolder, or deletes some of one; returns how many items.
    fn delete_next(
        &mut self,
        emptying: &mut FolderEmptying,
        most: usize,
        keep: &dyn Fn(GlobCnt) -> bool,
    ) -> Result<usize, StoreError> {
        let hard = emptying.how.hard;
        let (parent, next) = match emptying.way.last_mut() {
            Some(level) => (level.folder, level.children.pop()),
            None => (emptying.folder, emptying.children.pop()),
        };
        if let Some(child) = next {
            if keep(child) {
                emptying.kept = true;
            } else if self.is_to_go(child, parent, hard) {
                let children = self.mailbox.children(child, hard);
                emptying.way.push(Level {
                    folder: child,
                    children,
                    is_kept: false,
                });
            }
            return Ok(0);
        }
        let Some(level) = emptying.way.last_mut() else {
            return Ok(0);
        };
        let folder = level.folder;
        // What came while the others went; and what was kept, which keeps this one.
        let mut more = self.mailbox.children(folder, hard);
        more.retain(|child| self.is_to_go(*child, folder, hard));
        if !more.is_empty() {
            if more.iter().copied().all(keep) || level.is_kept {
                emptying.kept = true;
                emptying.way.pop();
                if let Some(above) = emptying.way.last_mut() {
                    above.is_kept = true;
                }
            } else {
                level.children = more;
            }
            return Ok(0);
        }
        let mut deleted = 0;
        if !hard {
            let views = [ContentsView::Normal, ContentsView::Associated];
            deleted = self.soft_delete_messages(folder, &views, None, most)?;
            if deleted == most {
                return Ok(deleted);
            }
        }
        emptying.way.pop();
        let above = emptying.way.last();
        let parent = above.map_or(emptying.folder, |level| level.folder);
        let was_counted = !self.any_folder(folder)?.deleted;
        if hard {
            self.remove_folder(folder);
        } else {
            self.mark_deleted(folder)?;
        }
        self.lose_child(parent, was_counted)?;
        Ok(deleted + 1)
    }
}
