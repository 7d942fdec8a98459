//! What commits refer to while the index is being looked through.
//!
//! The index is read entry by entry while commits go on, so that a message that is moved from a folder
//! that was not read yet to one that was, would be missed. Every commit that is written from some
//! moment on therefore notes what it refers to. What is in use at any later moment was either put
//! there by an earlier commit and not touched since, and then the index has it whenever it is read; or
//! by a later one, and then it was noted.

use std::collections::HashMap;

use ropewalk_props::{GlobCnt, Guid};

use crate::{
    log::frame::Location,
    records::{Batch, BlobRecord, Op},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

/// Notes of each kind that are kept at most: some 100 MB in all.
const MOST: usize = 2 << 20;
/// Notes of one kind that are worth looking through for what is there twice.
const MANY: usize = 1 << 14;

/// Notes what commits refer to, while it is on.
#[derive(Debug, Default)]
pub struct Barrier {
    on: AtomicBool,
    notes: Mutex<Notes>,
}

/// What commits referred to.
#[derive(Debug, Default)]
pub struct Notes {
    /// Contents of messages.
    pub contents: Vec<Location>,
    /// Those among them of which only the content tells to which large values it refers.
    pub unread: Vec<Location>,
    /// The properties of folders and of mailboxes.
    pub bags: Vec<Location>,
    /// Large values that were completed.
    pub made: Vec<BlobRecord>,
    /// Large values that messages refer to.
    pub blobs: Vec<u64>,
    /// How many messages were removed from each folder of each mailbox since the barrier is on; any
    /// number if all were. Of no folder: from all of the mailbox.
    removed: HashMap<(Guid, Option<GlobCnt>), u64>,
    /// There were too many: something is missing.
    pub overflowed: bool,
}

impl Barrier {
    /// Begins to note. Commits that are written after a frame that the caller writes next are noted.
    pub fn begin(&self) {
        *self.notes.lock() = Notes::default();
        self.on.store(true, Ordering::Release);
    }

    /// What was noted so far, which is forgotten here.
    pub fn take(&self) -> Notes {
        let mut notes = self.notes.lock();
        let removed = std::mem::take(&mut notes.removed);
        let taken = std::mem::take(&mut *notes);
        notes.removed = removed;
        taken
    }

    /// Whether there are so many notes that they should be taken.
    pub fn is_long(&self) -> bool {
        self.notes.lock().longest() > MOST / 4
    }

    /// How many messages were removed from a folder since it is on.
    pub fn removed(&self, mailbox: Guid, folder: GlobCnt) -> u64 {
        let notes = self.notes.lock();
        let removed = [Some(folder), None].map(|of| notes.removed.get(&(mailbox, of)).copied());
        removed.into_iter().flatten().max().unwrap_or(0)
    }

    /// Stops noting.
    pub fn end(&self) {
        self.on.store(false, Ordering::Release);
        *self.notes.lock() = Notes::default();
    }

    /// Notes a commit whose locations are absolute, if that is wanted. Called by the log's one writer,
    /// whose lock orders it after [`Barrier::begin`].
    pub fn note(&self, batch: &Batch) {
        if self.on.load(Ordering::Relaxed) {
            self.notes.lock().add(batch);
        }
    }
}

impl Notes {
    fn add(&mut self, batch: &Batch) {
        if self.overflowed {
            return;
        }
        for op in &batch.ops {
            match op {
                Op::PutMailbox(meta) => push(&mut self.bags, meta.props),
                Op::PutFolder(folder) => push(&mut self.bags, folder.props),
                Op::PutMessage(entry) => {
                    push(&mut self.contents, entry.content);
                    match &entry.blobs {
                        Some(blobs) => blobs.iter().for_each(|id| push(&mut self.blobs, *id)),
                        None => push(&mut self.unread, entry.content),
                    }
                }
                Op::PutBlob(blob) => self.made.push(**blob),
                Op::RemoveMessage { folder, .. } => {
                    let mailbox = batch.mailbox.unwrap_or(Guid::NIL);
                    let removed = self.removed.entry((mailbox, Some(*folder))).or_default();
                    *removed = removed.saturating_add(1);
                }
                // It may be there again already.
                Op::RemoveFolder(folder) => {
                    let mailbox = batch.mailbox.unwrap_or(Guid::NIL);
                    self.removed.insert((mailbox, Some(*folder)), u64::MAX);
                }
                Op::RemoveMailbox(mailbox) => {
                    self.removed.insert((*mailbox, None), u64::MAX);
                }
                // That a chunk can be found keeps nothing.
                Op::PutChunk(_) => {}
                Op::PutUser(_)
                | Op::RemoveUser(_)
                | Op::PutName(..)
                | Op::PutReplid(..)
                | Op::PutReceiveFolder(_)
                | Op::RemoveReceiveFolder(_)
                | Op::RemoveBlobs(_)
                | Op::RemoveChunks(_)
                | Op::LargestId(_)
                | Op::Fenced => {}
            }
        }
        if self.longest() > MOST {
            *self = Self {
                overflowed: true,
                ..Self::default()
            };
        }
    }

    fn longest(&self) -> usize {
        let lengths = [
            self.contents.len(),
            self.unread.len(),
            self.bags.len(),
            self.made.len(),
            self.blobs.len(),
        ];
        lengths.into_iter().max().unwrap_or(0)
    }

    /// How many there are of the kinds that cost reading.
    pub fn to_read(&self) -> usize {
        self.unread.len() + self.bags.len() + self.made.len() + self.blobs.len()
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.to_read() == 0 && !self.overflowed
    }
}

/// Adds a note. Many commits refer to the same: what is there twice goes before the memory grows.
fn push<T: Ord>(notes: &mut Vec<T>, note: T) {
    if notes.len() == notes.capacity() && notes.len() >= MANY {
        notes.sort_unstable();
        notes.dedup();
    }
    notes.push(note);
}

#[cfg(test)]
mod tests {
    use ropewalk_props::{FileTime, GlobCnt, Guid};

    use super::*;
    use crate::MessageEntry;

    fn entry(offset: u32, blobs: Option<Box<[u64]>>) -> MessageEntry {
        MessageEntry {
            id: GlobCnt(1),
            folder: GlobCnt(2),
            cn: GlobCnt(3),
            read_cn: GlobCnt(3),
            read: false,
            associated: false,
            soft_deleted: false,
            size: 0,
            created: FileTime(1),
            modified: FileTime(1),
            delivered: None,
            deleted_on: None,
            subject: None,
            repl_guid: Guid::NIL,
            versions: None,
            content: Location {
                segment: 1,
                offset,
                len: 10,
            },
            blobs,
        }
    }

    fn put(offset: u32, blobs: Option<Box<[u64]>>) -> Batch {
        Batch {
            mailbox: Some(Guid::NIL),
            counter: 1,
            ops: vec![Op::PutMessage(Box::new(entry(offset, blobs)))],
        }
    }

    #[test]
    fn commits_are_noted_while_it_is_on() {
        let barrier = Barrier::default();
        barrier.note(&put(16, None));
        barrier.begin();
        assert!(barrier.take().is_empty());
        barrier.note(&put(32, None));
        barrier.note(&put(48, Some(vec![7, 8].into())));
        let notes = barrier.take();
        assert_eq!(notes.contents.len(), 2);
        assert_eq!(notes.unread.len(), 1);
        assert_eq!(notes.blobs, [7, 8]);
        assert!(barrier.take().is_empty());
        barrier.note(&put(64, None));
        barrier.end();
        assert!(barrier.take().is_empty());
    }

    #[test]
    fn what_was_removed_is_counted_also_of_folders_that_were_emptied_at_once() {
        let barrier = Barrier::default();
        let folder = GlobCnt(2);
        let note = |ops| {
            barrier.note(&Batch {
                ops,
                ..put(16, None)
            });
        };
        let remove = |id| Op::RemoveMessage {
            folder,
            id: GlobCnt(id),
        };
        note(vec![remove(1)]);
        barrier.begin();
        note(vec![remove(2), remove(3)]);
        barrier.take();
        assert_eq!(barrier.removed(Guid::NIL, folder), 2);
        assert_eq!(barrier.removed(Guid::NIL, GlobCnt(3)), 0);
        note(vec![Op::RemoveFolder(folder), remove(4)]);
        assert_eq!(barrier.removed(Guid::NIL, folder), u64::MAX);
        assert_eq!(barrier.removed(Guid::NIL, GlobCnt(3)), 0);
        note(vec![Op::RemoveMailbox(Guid::NIL)]);
        assert_eq!(barrier.removed(Guid::NIL, GlobCnt(3)), u64::MAX);
        barrier.begin();
        assert_eq!(barrier.removed(Guid::NIL, folder), 0);
    }

    #[test]
    fn notes_have_a_bound_and_what_goes_beyond_is_told() {
        let barrier = Barrier::default();
        barrier.begin();
        // The same messages over and over take no more memory.
        let mut batch = put(16, None);
        batch.ops = vec![batch.ops[0].clone(); 1000];
        for _ in 0..300 {
            barrier.note(&batch);
        }
        assert!(barrier.notes.lock().contents.capacity() <= 4 * MANY);
        let blobs = put(16, Some((0..MOST as u64 + 1).collect()));
        barrier.note(&blobs);
        let notes = barrier.take();
        assert!(notes.overflowed && !notes.is_empty() && notes.blobs.is_empty());
    }
}
