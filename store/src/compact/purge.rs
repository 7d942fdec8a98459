//! Large values that nothing refers to any more.

use std::{collections::HashMap, time::Duration};

use ropewalk_props::FileTime;

use super::{Mark, mark::page, pace::Pace};
use crate::{
    StoreError,
    core::Core,
    index::{keys, value},
    log::frame::Location,
    records::{Batch, Op},
};

/// A large value that was completed and that no commit refers to counts as in use for so long: somebody
/// may still be about to save what it belongs to.
const UNSAVED: Duration = Duration::from_secs(24 * 3600);
/// Removals in one change.
const AT_ONCE: usize = 4096;

/// Large values that nothing referred to, each with the time when that was first seen.
#[derive(Debug, Default)]
pub struct Unreferenced {
    since: HashMap<u64, FileTime>,
}

/// What decides whether a large value goes.
pub struct Grace<'a> {
    /// What was seen in earlier runs.
    pub known: &'a Unreferenced,
    /// Those that no commit refers to yet, since when.
    pub unsaved: HashMap<u64, FileTime>,
    /// The time.
    pub now: FileTime,
    /// A large value goes once nothing has referred to it for so long.
    pub grace: Duration,
}

impl Grace<'_> {
    /// Whether a large value is kept.
    pub fn keeps(&self, mark: &Mark, id: u64) -> bool {
        if mark.is_referred_to(id) {
            return true;
        }
        let is_within = |since: &FileTime, time: Duration| {
            let ticks = u64::try_from(time.as_nanos() / 100).unwrap_or(u64::MAX);
            self.now.0 < since.0.saturating_add(ticks)
        };
        if let Some(since) = self.unsaved.get(&id) {
            return is_within(since, UNSAVED);
        }
        let since = self.known.since.get(&id).unwrap_or(&self.now);
        is_within(since, self.grace)
    }

    /// What nothing refers to now, for the next run.
    pub fn seen(&self, mark: &Mark) -> Unreferenced {
        let kept = mark.blobs.iter().filter(|blob| blob.listed);
        let unreferenced = kept.filter(|blob| !mark.is_referred_to(blob.id));
        let since = unreferenced.map(|blob| {
            let since = self.known.since.get(&blob.id).unwrap_or(&self.now);
            (blob.id, *since)
        });
        Unreferenced {
            since: since.collect(),
        }
    }
}

impl Unreferenced {
    /// How many there are, without those that no commit refers to yet.
    pub fn count(&self, unsaved: &HashMap<u64, FileTime>) -> u64 {
        let ids = self.since.keys();
        ids.filter(|id| !unsaved.contains_key(id)).count() as u64
    }
}

/// Removes the large values of a mark that do not count as in use, so that nobody finds them any more.
/// The caller holds [`Core::refs`] for writing. Returns how many there were, and the last commit.
pub fn remove_blobs(core: &Core, mark: &Mark) -> Result<(u64, Option<u64>), StoreError> {
    let dead = mark.blobs.iter().filter(|blob| !blob.listed);
    let dead: Vec<u64> = dead.map(|blob| blob.id).collect();
    let mut last = None;
    for ids in dead.chunks(AT_ONCE) {
        let batch = Batch::of_store(vec![Op::RemoveBlobs(ids.to_vec())]);
        last = Some(core.append(core.frame(), batch)?.lsn);
        core.unsaved.remove(ids);
    }
    Ok((dead.len() as u64, last))
}

/// Removes from the index the chunks that are about to go from the log. That nobody refers to one
/// meanwhile is seen to by `is_going`'s segments, which are being packed.
pub fn remove_chunks(
    core: &Core,
    pace: &mut Pace<'_>,
    is_going: &dyn Fn(Location) -> bool,
) -> Result<u64, StoreError> {
    let kv = core.index.kv()?;
    let mut dead = Vec::new();
    let (mut from, end) = (keys::CHUNKS.to_vec(), keys::after_prefix(keys::CHUNKS));
    loop {
        let page = page(&*kv, &from, &end)?;
        let Some((last, _)) = page.last() else { break };
        from = [last, &[0][..]].concat();
        for (key, found) in &page {
            pace.spend((key.len() + found.len()) as u64)?;
            if let Some(keys::Key::Chunk(hash)) = keys::parse(key)
                && is_going(value::decode(found)?)
            {
                dead.push(hash);
            }
        }
    }
    for hashes in dead.chunks(AT_ONCE) {
        let batch = Batch::of_store(vec![Op::RemoveChunks(hashes.to_vec())]);
        core.append(core.frame(), batch)?;
    }
    Ok(dead.len() as u64)
}
