//! One run of compaction, from the first note to the last pack.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use super::{
    Barrier, CompactOptions, CompactReport, GRACE_IF_MUCH, Mark, Notes, groups,
    groups::{FileState, Group, Rules},
    mark,
    pace::Pace,
    purge::{self, Grace, Unreferenced},
};
use crate::{
    Progress, StoreError,
    core::Core,
    crypto::{FileKey, OVERHEAD},
    log::{
        checkpoint::{CHECKPOINT_PART, CheckpointWriter, FinishedCheckpoint},
        damaged,
        frame::Position,
        pack::{FinishedPack, PACK_PART, PackWriter},
        sealed::reseal,
    },
    records::Batch,
};

/// Notes that are looked through while commits that refer to large values have to wait.
const FEW: usize = 256;
/// How often notes are looked through before that, at most.
const ROUNDS: usize = 4;
/// Replaced files that are open at a time, apart from those of one pack.
const MOST_REPLACED: usize = 128;
/// Files may take so many tenths of the bytes in use before compaction goes as fast as it can: below
/// twice as much, which is the bound.
const FAST_ABOVE: u64 = 16;
/// The same before large values that nothing refers to go sooner than they would.
const SOONER_ABOVE: u64 = 13;
/// The same before they go at once: when the next run ends, twice as much is close.
const AT_ONCE_ABOVE: u64 = 15;

/// Gives back space. Commits and readers go on meanwhile; those that refer to large values wait for a
/// moment. After an error the store is as it was, or some of the work is done.
pub fn run(
    core: &Core,
    options: CompactOptions,
    on_progress: &mut dyn FnMut(Progress),
) -> Result<CompactReport, StoreError> {
    let _running = core.compactor.begin();
    let mut run = Run {
        core,
        options,
        pace: Pace::new(core, options.bytes_per_second),
        on_progress,
        report: CompactReport::default(),
        in_use: 0,
        blocked: 0,
    };
    let done = run.run();
    // Waiting is of no use any more, be it done or not.
    core.compactor.pressure.lift();
    core.packing.lock().clear();
    if let Err(StoreError::Index(why)) = &done {
        core.index.distrust(why);
    }
    done?;
    Ok(run.report)
}

/// Keeps the barrier on.
struct Noting<'a>(&'a Barrier);

impl<'a> Noting<'a> {
    fn begin(barrier: &'a Barrier) -> Self {
        barrier.begin();
        Self(barrier)
    }

    fn take(&self) -> Result<Notes, StoreError> {
        let notes = self.0.take();
        match notes.overflowed {
            true => Err(StoreError::TooMany),
            false => Ok(notes),
        }
    }
}

impl Drop for Noting<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

struct Run<'a, 'p> {
    core: &'a Core,
    options: CompactOptions,
    pace: Pace<'a>,
    on_progress: &'p mut dyn FnMut(Progress),
    report: CompactReport,
    /// Bytes in use, without large values that only count as such for a while.
    in_use: u64,
    /// Bytes of older files that cannot be rewritten now.
    blocked: u64,
}

impl Run<'_, '_> {
    fn run(&mut self) -> Result<(), StoreError> {
        let core = self.core;
        self.pace.check()?;
        self.report.bytes_before = self.log_bytes()?;
        let live = core.compactor.state.lock().live;
        if let Some((live, _)) = live {
            self.hurry(live)?;
        }
        if self.options.full {
            core.log.roll_now()?;
        }
        let noting = Noting::begin(&core.compactor.barrier);
        let start = core.commit(core.frame(), Batch::default())?;
        core.index.wait_applied(start.lsn)?;
        let (mut mark, end) = self.checkpoint(start, &noting)?;
        mark.damaged.extend(&core.compactor.state.lock().damaged);
        self.report.mark_lsn = end;

        self.tell(self.pace.spent, self.report.bytes_before);
        let known = std::mem::take(&mut core.compactor.state.lock().unreferenced);
        let groups = self.choose(&mut mark, &known, noting, start)?;
        {
            let mut state = core.compactor.state.lock();
            state.live = Some((self.in_use, end));
            state.messages = mark.messages;
        }
        let mut done = self.pace.spent;
        let total = done + groups.iter().map(|group| group.before).sum::<u64>();
        self.tell(done, total);
        let mut groups = VecDeque::from(groups);
        while let Some(group) = groups.pop_front() {
            self.hurry(self.in_use)?;
            match self.rewrite(&mark, group, end) {
                Ok(()) => done += group.before,
                Err(StoreError::Damaged { segment, offset }) => {
                    tracing::error!(segment, offset, "damaged data in use: its file stays");
                    mark.damaged.insert(segment);
                    core.compactor.state.lock().damaged.insert(segment);
                    // The others of the group need not wait for it.
                    let within =
                        |file: &FileState| group.first <= file.first && file.last <= group.last;
                    let mut files = self.files(&mark, start)?;
                    files.retain(within);
                    for group in groups::choose(&files, self.rules()).into_iter().rev() {
                        groups.push_front(group);
                    }
                }
                Err(error) => return Err(error),
            }
            self.tell(done, total);
        }
        self.report.bytes_after = self.log_bytes()?;
        core.compactor.pressure.ran(self.in_use + self.blocked);
        Ok(())
    }

    fn tell(&mut self, done: u64, total: u64) {
        // What is looked through may be more than the log: the total is an estimate.
        let done = done.min(total);
        (self.on_progress)(Progress { done, total });
    }

    /// Looks through the index, writes what it says to a checkpoint and puts that in place.
    /// Returns what is in use, and the last frame that may have played a part.
    fn checkpoint(
        &mut self,
        start: Position,
        noting: &Noting<'_>,
    ) -> Result<(Mark, u64), StoreError> {
        let written = self.write_checkpoint(start, noting);
        let (mark, end, checkpoint) = written.inspect_err(|_| self.discard(CHECKPOINT_PART))?;
        self.report.checkpoint_bytes = checkpoint.bytes();
        let core = self.core;
        core.compactor
            .step(core, || core.log.install_checkpoint(checkpoint))
            .inspect_err(|_| self.discard(CHECKPOINT_PART))?;
        Ok((mark, end))
    }

    fn write_checkpoint(
        &mut self,
        start: Position,
        noting: &Noting<'_>,
    ) -> Result<(Mark, u64, FinishedCheckpoint), StoreError> {
        let core = self.core;
        let (segments, store, now) = (core.log.segments(), core.store_guid(), core.now());
        let mut checkpoint = core.compactor.step(core, || {
            Ok(CheckpointWriter::create(segments, store, start, now)?)
        })?;
        let total = self.report.bytes_before;
        let on_progress = &mut *self.on_progress;
        let mut on_page = |done: u64| {
            on_progress(Progress {
                done,
                total: total.max(done),
            });
        };
        let pace = &mut self.pace;
        let mut mark = mark::scan(core, pace, &mut on_page, &mut |batch| checkpoint.add(batch))?;
        // Whatever the index had was done by then.
        let end = core.index.visible();
        core.log.sync(end)?;
        // An index that has lost something is not to become the truth.
        mark.add(core, &noting.take()?)?;
        mark.check_refs()?;
        Ok((mark, end, checkpoint.finish(end)?))
    }

    /// Adds what commits referred to meanwhile, finds out what nothing refers to any more, and says
    /// which files are to be rewritten. From then on what is not in use stays so.
    fn choose(
        &mut self,
        mark: &mut Mark,
        known: &Unreferenced,
        noting: Noting<'_>,
        start: Position,
    ) -> Result<Vec<Group>, StoreError> {
        let core = self.core;
        let mut grace = Grace {
            known,
            unsaved: core.unsaved.all(),
            now: core.now(),
            grace: self.options.grace,
        };
        // What is in use without those that only count as such for a while.
        let strictly = Grace {
            grace: Duration::ZERO,
            unsaved: grace.unsaved.clone(),
            ..grace
        };
        mark.list(core, &mut self.pace, |mark, id| strictly.keeps(mark, id))?;
        mark.live.sort();
        let in_use = mark.live.bytes_within(0, u32::MAX, self.overhead());
        let in_use = in_use + self.report.checkpoint_bytes;
        self.in_use = in_use;
        // Who overwrites large values without end would fill the disk with them.
        let segment = core.log.segment_bytes();
        self.report.runs_away = self.report.bytes_before > in_use / 10 * SOONER_ABOVE + segment / 2;
        if self.report.bytes_before > in_use / 10 * AT_ONCE_ABOVE + segment {
            grace.grace = Duration::ZERO;
        } else if self.report.runs_away {
            grace.grace = grace.grace.min(GRACE_IF_MUCH);
        }
        for _ in 0..ROUNDS {
            let notes = noting.take()?;
            mark.add(core, &notes)?;
            mark.list(core, &mut self.pace, |mark, id| grace.keeps(mark, id))?;
            mark.live.sort();
            self.tell(self.pace.spent, self.report.bytes_before);
            if notes.to_read() <= FEW {
                break;
            }
        }
        let groups;
        let (removed, last);
        {
            let _refs = core.refs.write();
            mark.add(core, &noting.take()?)?;
            grace.unsaved = core.unsaved.all();
            let mut unpaced = Pace::new(core, None);
            mark.list(core, &mut unpaced, |mark, id| grace.keeps(mark, id))?;
            mark.live.sort();
            groups = groups::choose(&self.files(mark, start)?, self.rules());
            *core.packing.lock() = groups.iter().flat_map(Group::segments).collect();
            (removed, last) = purge::remove_blobs(core, mark)?;
            drop(noting);
        }
        let unreferenced = grace.seen(mark);
        self.report.blobs_waiting = unreferenced.count(&grace.unsaved);
        core.compactor.state.lock().unreferenced = unreferenced;
        self.report.blobs_removed = removed;
        if let Some(last) = last {
            // Nobody finds them again, whatever happens, once their chunks are gone.
            core.log.sync(last)?;
            core.index.advance(last);
        }
        let going: BTreeSet<u32> = groups.iter().flat_map(Group::segments).collect();
        let stale = self.with_older_keys()?;
        purge::remove_chunks(core, &mut self.pace, &|at| {
            stale.contains(&at.segment) || going.contains(&at.segment) && !mark.live.has(at)
        })?;
        Ok(groups)
    }

    /// The segments whose key is to go. Their chunks are not found by their hashes any more, which were
    /// made with the older key, or with none and tell everybody what is in them.
    fn with_older_keys(&self) -> Result<BTreeSet<u32>, StoreError> {
        let segments = self.core.log.segments();
        let key = segments.keys.current_number();
        let files = match self.options.full {
            true => segments.files()?,
            false => Vec::new(),
        };
        let older = files
            .iter()
            .filter(|file| file.header.is_some_and(|header| header.key != key));
        Ok(older.flat_map(|file| file.first..=file.last).collect())
    }

    fn rules(&self) -> Rules {
        Rules {
            limit: self.core.log.segment_bytes(),
            full: self.options.full,
        }
    }

    /// The files that may be rewritten, with what is in use of each.
    fn files(&mut self, mark: &Mark, start: Position) -> Result<Vec<FileState>, StoreError> {
        let core = self.core;
        let key = core.log.segments().keys.current_number();
        let extra = self.overhead();
        let pinned = core.pins.segments();
        let mut states = Vec::new();
        self.report.live_bytes = self.report.checkpoint_bytes;
        self.blocked = 0;
        for file in core.log.segments().files()? {
            let live = mark.live.bytes_within(file.first, file.last, extra);
            self.report.live_bytes += live;
            if file.last >= start.segment {
                continue;
            }
            let has = |set: &BTreeSet<u32>| set.range(file.first..=file.last).next().is_some();
            let damaged = has(&mark.damaged) || file.first <= mark.keep_to;
            if damaged && !self.report.damaged.contains(&file.first) {
                self.report.damaged.push(file.first);
            }
            let blocked = damaged || has(&pinned);
            if blocked {
                self.blocked += file.len.saturating_sub(live);
            }
            states.push(FileState {
                first: file.first,
                last: file.last,
                bytes: file.len,
                live,
                blocked,
                stale: self.options.full && file.header.map(|header| header.key) != Some(key),
            });
        }
        Ok(states)
    }

    /// Goes as fast as it can, and holds writers back, if the files take too much space by now: what is written during the run
    /// counts as well, else a store that is written to faster than the pace allows grows without end.
    fn hurry(&mut self, live: u64) -> Result<(), StoreError> {
        let segment = self.core.log.segment_bytes();
        let bytes = self.log_bytes()?;
        if bytes > live / 10 * FAST_ABOVE + segment {
            self.pace.lift();
        }
        if self.core.compactor.thread.get().is_some() {
            self.core.compactor.pressure.set(bytes, live, segment);
        }
        Ok(())
    }

    /// What encryption adds to each record.
    fn overhead(&self) -> u32 {
        let keys = &self.core.log.segments().keys;
        keys.current().map_or(0, |_| OVERHEAD as u32)
    }

    /// Writes a pack in the place of some files. [`StoreError::Damaged`] if something in use in them is;
    /// then they stay.
    fn rewrite(&mut self, mark: &Mark, group: Group, end: u64) -> Result<(), StoreError> {
        let core = self.core;
        let spans = core.log.segments().spans();
        let within = |first: u32, last: u32| group.first <= first && last <= group.last;
        let of_group = spans.iter().filter(|span| within(span.first, span.last));
        let written = self
            .write_pack(mark, group, end)
            .and_then(|pack| core.compactor.step(core, || core.log.install_pack(pack)));
        written.inspect_err(|_| self.discard(PACK_PART))?;
        core.packing
            .lock()
            .retain(|segment| !within(*segment, *segment));
        self.report.packs_written += 1;
        self.report.files_replaced += of_group.count() as u64;
        self.forget_replaced()
    }

    /// Closes files that were replaced and nobody may look for any more; waits if there are many others:
    /// the process has not so many handles.
    fn forget_replaced(&self) -> Result<(), StoreError> {
        loop {
            self.core.log.forget_retired(self.options.grace);
            if self.core.log.segments().retired() <= MOST_REPLACED {
                return Ok(());
            }
            self.pace.check()?;
            self.core.compactor.pressure.lift();
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn write_pack(
        &mut self,
        mark: &Mark,
        group: Group,
        end: u64,
    ) -> Result<FinishedPack, StoreError> {
        let core = self.core;
        let (first, last) = (group.first, group.last);
        let (segments, store) = (core.log.segments(), core.store_guid());
        let keys = &segments.keys;
        let mut pack = core.compactor.step(core, || {
            let key = keys.current_number();
            Ok(PackWriter::create(segments, first, last, store, end, key)?)
        })?;
        for at in mark.live.within(first, last) {
            let stored = core.log.read_stored(*at)?;
            self.pace.spend(stored.bytes.len() as u64 * 2)?;
            if stored.key == FileKey::from(keys.current_number()) {
                pack.add(*at, &stored.bytes)?;
            } else {
                let from = (keys, stored.key);
                let again = reseal(&stored.bytes, from, keys.current().map(|key| &**key));
                pack.add(*at, &again.ok_or(damaged(*at))?)?;
            }
        }
        Ok(pack.finish()?)
    }

    /// Removes a file that will not be finished.
    fn discard(&self, part: &str) {
        let core = self.core;
        let segments = core.log.segments();
        // What cannot be removed is written anew by the next run.
        let _ = core.compactor.step(core, || {
            let path = segments.dir().join(part);
            Ok(segments.disk().remove(&path)?)
        });
    }

    /// Bytes of all files of the log.
    fn log_bytes(&self) -> Result<u64, StoreError> {
        let files = self.core.log.segments().files()?;
        let files: u64 = files.iter().map(|file| file.len).sum();
        Ok(files + self.report.checkpoint_bytes)
    }
}
