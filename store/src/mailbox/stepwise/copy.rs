//! Copying a folder step by step.

use std::{
    collections::HashMap,
    ops::Bound::{Excluded, Unbounded},
};

use ropewalk_props::{GlobCnt, Utf16Text};

use super::items;
use crate::{
    StoreError,
    mailbox::{Mailbox, folders::MAX_DEPTH, relocate::named, txn::Txn},
};

/// A copy of a folder in the making: [`Mailbox::begin_copy`] begins it.
#[derive(Debug)]
pub struct FolderCopy {
    to: GlobCnt,
    name: Option<Utf16Text>,
    /// The folders to copy, each with the one above it, which comes before it.
    folders: Vec<(GlobCnt, GlobCnt)>,
    /// The one that is being copied.
    at: usize,
    /// The messages of that one; `None` before its copy is there.
    messages: Option<Messages>,
    /// Of each folder copied, the copy.
    copies: HashMap<GlobCnt, GlobCnt>,
    /// Ids from here on came later.
    end: GlobCnt,
    bytes: u64,
    total: u64,
}

/// How far the messages of a folder are copied.
#[derive(Clone, Copy, Debug, Default)]
struct Messages {
    /// All normal ones are: it is about the associated ones.
    associated: bool,
    /// The last one.
    after: Option<GlobCnt>,
}

impl FolderCopy {
    /// Whether everything is copied.
    pub fn is_done(&self) -> bool {
        self.at >= self.folders.len()
    }

    /// Items that were to be copied when it began.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        // Each with its copy.
        const FOLDER: usize = size_of::<[GlobCnt; 6]>();
        self.folders.len() * FOLDER
    }

    /// The next folder.
    fn next_folder(&mut self) {
        self.at += 1;
        self.messages = None;
    }
}

impl Mailbox {
    /// Begins to copy a folder as [`Mailbox::copy_folder`] does it; nothing is copied yet.
    /// [`StoreError::NotFound`] without the folder, [`StoreError::Invalid`] for the root.
    pub fn begin_copy(
        &self,
        id: GlobCnt,
        to: GlobCnt,
        name: Option<&Utf16Text>,
        deep: bool,
    ) -> Result<FolderCopy, StoreError> {
        let txn = Txn::begin(self)?;
        let source = txn.folder(id)?;
        if source.meta.parent == id {
            return Err(StoreError::Invalid("the root cannot be copied"));
        }
        let below = if deep {
            self.hierarchy(id, true, false)
        } else {
            Vec::new()
        };
        let mut folders = vec![(id, source.meta.parent)];
        let (mut bytes, mut total) = (source.meta.counts.bytes(), items(&source.meta.counts));
        for (id, _) in below {
            let folder = txn.folder(id)?;
            folders.push((id, folder.meta.parent));
            bytes = bytes.saturating_add(folder.meta.counts.bytes());
            total = total.saturating_add(items(&folder.meta.counts));
        }
        Ok(FolderCopy {
            to,
            name: name.cloned(),
            folders,
            at: 0,
            messages: None,
            copies: HashMap::new(),
            end: txn.upcoming(),
            bytes,
            total,
        })
    }

    /// Copies at most so many items more, in one commit; returns how many. It fails as
    /// [`Mailbox::copy_folder`] does: in the first step if there is no room for all, or there is no
    /// such place; later if the copy went, or other things came that took its room. The copy cannot be
    /// gone on with then.
    pub fn copy_on(&self, copy: &mut FolderCopy, items: usize) -> Result<usize, StoreError> {
        let mut txn = Txn::begin(self)?;
        let mut left = items;
        let mut changed = false;
        while left > 0 {
            let Some((source, parent)) = copy.folders.get(copy.at).copied() else {
                break;
            };
            match copy.messages {
                None => {
                    changed |= txn.copy_next_folder(copy, source, parent)?;
                    left -= 1;
                }
                Some(messages) => {
                    let copied = txn.copy_messages_of(copy, source, messages, left)?;
                    changed |= copied > 0;
                    left -= copied;
                }
            }
        }
        if changed {
            txn.check_quota()?;
            txn.commit()?;
        }
        Ok(items - left)
    }
}

impl Txn<'_> {
    /// Copies the next folder without its messages, unless it went meanwhile, or what it was in did.
    fn copy_next_folder(
        &mut self,
        copy: &mut FolderCopy,
        source: GlobCnt,
        parent: GlobCnt,
    ) -> Result<bool, StoreError> {
        let is_first = copy.copies.is_empty();
        let to = match copy.copies.get(&parent) {
            _ if copy.at == 0 => Some(copy.to),
            above => above.copied(),
        };
        let folder = match self.folder(source) {
            Ok(folder) => Some(folder),
            // Before anything was copied it is an error.
            Err(StoreError::NotFound) if !is_first => None,
            Err(error) => return Err(error),
        };
        let (Some(to), Some(folder)) = (to, folder) else {
            copy.next_folder();
            return Ok(false);
        };
        let mailbox = self.mailbox;
        if copy.at == 0 {
            let is_deep = copy.folders.len() > 1;
            let height = if is_deep { mailbox.height(source) } else { 0 };
            mailbox.check_destination(source, to, height)?;
            mailbox.check_room(copy.folders.len())?;
            mailbox.check_room_for(copy.bytes)?;
        } else if mailbox.has_folder(to) {
            // It was copied by an earlier step: somebody may have put it elsewhere.
            if mailbox.depth(to, None)? + 1 >= MAX_DEPTH {
                return Err(StoreError::TooDeep);
            }
            mailbox.check_room(1)?;
        }
        let name = copy.name.as_ref().filter(|_| copy.at == 0);
        let bag = named(&folder, name);
        mailbox.check_name(to, None, &bag)?;
        // The place may have gone.
        self.folder(to)?;
        let id = self.copy_alone(&folder, to, bag)?;
        copy.copies.insert(source, id);
        copy.messages = Some(Messages::default());
        Ok(true)
    }

    /// Copies at most so many messages of a folder whose copy is there; returns how many.
    fn copy_messages_of(
        &mut self,
        copy: &mut FolderCopy,
        source: GlobCnt,
        mut at: Messages,
        most: usize,
    ) -> Result<usize, StoreError> {
        let to = *copy.copies.get(&source).ok_or(StoreError::NotFound)?;
        self.folder(to)?;
        let [normal, associated, ..] = self.entries(source)?;
        let contents = if at.associated { associated } else { normal };
        let after = at.after.map_or(Unbounded, Excluded);
        let mut copied = 0;
        for (id, entry) in contents.map.range((after, Excluded(copy.end))).take(most) {
            self.copy_message(entry, to)?;
            at.after = Some(*id);
            copied += 1;
        }
        if copied == most {
            copy.messages = Some(at);
        } else if at.associated {
            copy.next_folder();
        } else {
            copy.messages = Some(Messages {
                associated: true,
                after: None,
            });
        }
        Ok(copied)
    }
}
