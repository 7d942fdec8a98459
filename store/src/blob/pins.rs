//! What compaction leaves alone: segments that a reader or writer of a large value points into, and
//! large values that no commit refers to yet.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use ropewalk_props::FileTime;

use crate::{
    core::Core,
    sync::{Mutex, RwLockReadGuard},
};

/// How many pins each pinned segment has.
#[derive(Debug, Default)]
pub struct Pins {
    counts: Arc<Mutex<BTreeMap<u32, usize>>>,
}

/// Keeps segments from being rewritten as long as it lives.
#[derive(Debug)]
pub struct Pin {
    counts: Arc<Mutex<BTreeMap<u32, usize>>>,
    segments: BTreeSet<u32>,
}

impl Pins {
    /// A pin on no segment yet.
    pub fn pin(&self) -> Pin {
        Pin {
            counts: self.counts.clone(),
            segments: BTreeSet::new(),
        }
    }

    /// The segments that may not be rewritten. Under [`Core::refs`], held for writing, none is added.
    pub fn segments(&self) -> BTreeSet<u32> {
        self.counts.lock().keys().copied().collect()
    }
}

impl Pin {
    /// Pins further segments. The caller holds [`Core::refs`] since it learned of what it points to.
    pub fn add(&mut self, segments: impl IntoIterator<Item = u32>) {
        for segment in segments {
            if segment != 0 && self.segments.insert(segment) {
                *self.counts.lock().entry(segment).or_default() += 1;
            }
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        for segment in &self.segments {
            if let Some(count) = counts.get_mut(segment) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    counts.remove(segment);
                }
            }
        }
    }
}

/// Large values that were completed in this run of the program and that no commit refers to yet, with
/// the time when they were.
#[derive(Debug, Default)]
pub struct Unsaved {
    since: Mutex<HashMap<u64, FileTime>>,
}

impl Unsaved {
    /// A value is about to be completed.
    pub fn add(&self, id: u64, now: FileTime) {
        self.since.lock().insert(id, now);
    }

    /// A commit refers to these, or they were not completed.
    pub fn remove<'a>(&self, ids: impl IntoIterator<Item = &'a u64>) {
        let mut since = self.since.lock();
        for id in ids {
            since.remove(id);
        }
    }

    /// All of them.
    pub fn all(&self) -> HashMap<u64, FileTime> {
        self.since.lock().clone()
    }
}

/// Held from the first look at an existing large value or chunk until the commit that refers to it is
/// in the log: compaction finds nothing dead meanwhile. Made by [`Core::refer`], one in a thread.
pub struct Referring<'a> {
    core: &'a Core,
    _refs: RwLockReadGuard<'a, ()>,
    /// The large values that the commit refers to.
    pub blobs: BTreeSet<u64>,
}

impl<'a> Referring<'a> {
    /// Waits for compaction, if it is just looking.
    pub fn new(core: &'a Core) -> Self {
        Self {
            core,
            _refs: core.refs.read(),
            blobs: BTreeSet::new(),
        }
    }

    /// The commit is in the log.
    pub fn done(self) {
        self.core.unsaved.remove(&self.blobs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_pinned_as_long_as_any_pin_on_it_lives() {
        let pins = Pins::default();
        let (mut first, mut second) = (pins.pin(), pins.pin());
        first.add([3, 3, 0, 5]);
        second.add([5]);
        second.add([5, 8]);
        assert_eq!(pins.segments(), BTreeSet::from([3, 5, 8]));
        drop(first);
        assert_eq!(pins.segments(), BTreeSet::from([5, 8]));
        drop(second);
        assert_eq!(pins.segments(), BTreeSet::new());
    }
}
