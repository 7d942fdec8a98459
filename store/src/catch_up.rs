//! Bringing the index up to the log's end when a store is opened.

use std::{io, sync::Arc};

use ropewalk_props::Guid;

use crate::{
    FencedFrame, OpenError, Progress, RecoveryReport,
    crypto::{FileKey, Keyring},
    directory::Directory,
    index::{
        Applier, IndexError, Kv, keys,
        open::{NOWHERE_ELSE, Source},
    },
    log::{
        Tail,
        checkpoint::{Checkpoint, Part},
        frame::{BadRecord, Position, RecordKind, find_record},
        recovery::{self, RecoveryError},
        segment::Segments,
    },
    open::Context,
    records::Batch,
};

/// What bringing the index up to date needs.
pub struct ComingUp<'a> {
    pub context: &'a Context<'a>,
    pub segments: &'a Segments,
    pub store: Guid,
    /// What an index made anew begins with.
    pub checkpoint: Option<&'a Checkpoint>,
    /// Whether the log may end before what the index has seen.
    pub may_end_early: bool,
    /// The last frame that an index which is not there any more has seen.
    pub seen: u64,
    /// Told of bytes read: of the checkpoint and, twice, of the log.
    pub progress: &'a mut dyn FnMut(Progress),
    pub report: RecoveryReport,
}

/// An index that is up to date, the log's end, and the users.
pub type Ready = (Arc<dyn Kv>, Tail, Directory);

impl ComingUp<'_> {
    /// Opens the index and brings it up to date, or makes it anew if it cannot be trusted. `tail` is
    /// the end of a log that is new.
    pub fn index(&mut self, source: &Source<'_>, tail: Option<Tail>) -> Result<Ready, OpenError> {
        let failed = |e: IndexError| self.context.index(&e.0);
        let (kv, tail) = if let Some(tail) = tail {
            (source.renew(self.store).map_err(failed)?, tail)
        } else {
            let opened = source.open(self.store).map_err(failed)?;
            let known = [opened.1, self.checkpoint.map(|checkpoint| checkpoint.start)];
            for at in known.into_iter().flatten().filter(|_| !self.may_end_early) {
                self.context.check_end(self.segments, at)?;
            }
            self.catch_up(source, opened)?
        };
        match Directory::load(&*kv) {
            Ok(directory) => Ok((kv, tail, directory)),
            Err(reason) => {
                tracing::warn!(%reason, "the index is made anew");
                drop(kv);
                let new = source.renew(self.store);
                let new = new.map_err(|e| self.context.index(&e.0))?;
                let (kv, tail) = self.catch_up(source, (new, None))?;
                let directory = Directory::load(&*kv);
                let directory = directory.map_err(|e| self.context.index(&e.to_string()))?;
                Ok((kv, tail, directory))
            }
        }
    }

    /// Replays what the index does not have yet; makes it anew if it does not fit the log.
    pub fn catch_up(
        &mut self,
        source: &Source<'_>,
        opened: (Arc<dyn Kv>, Option<Position>),
    ) -> Result<(Arc<dyn Kv>, Tail), OpenError> {
        let Self {
            context,
            segments,
            store,
            ..
        } = *self;
        let (mut kv, applied) = opened;
        let packed = segments.packed();
        // An index that is behind the packs cannot be caught up, but then nothing is lost.
        let applied_in_log = applied.filter(|at| at.segment > packed);
        let mut from = None;
        if let Some(at) = applied_in_log {
            from = recovery::frame_after(segments, store, at)
                .map_err(|e| context.io(e))?
                .map(|offset| Position {
                    segment: at.segment,
                    offset,
                    lsn: at.lsn + 1,
                });
        }
        let anew = from.is_none();
        self.report.index_rebuilt = anew;
        if anew && packed > 0 && self.checkpoint.is_none() {
            return Err(context.index(NOWHERE_ELSE));
        }
        if anew && applied.is_some() {
            tracing::warn!("the index does not fit the log and is made anew");
            drop(kv);
            kv = source.renew(store).map_err(|e| context.index(&e.0))?;
        }
        let checkpoint = self.checkpoint.filter(|_| anew);
        let from = from.unwrap_or(checkpoint.map_or(Position::FIRST, |found| found.start));
        let mut replay = Replay {
            applier: Applier::new(kv.clone()),
            next: from.lsn,
        };
        if anew && applied_in_log.is_some() {
            // What it reflected is lost, in part at least.
            replay.fenced().map_err(|e| context.index(&e.0))?;
        }
        let failed = |error| match error {
            ReplayError::Log(error) => context.recovery(error),
            ReplayError::Index(error) => context.index(&error.0),
        };
        let mut progress = Progress {
            done: 0,
            total: bytes_to_read(segments, from, checkpoint).map_err(|e| context.io(e))?,
        };
        let mut read = |bytes: u64| {
            progress.done = progress.done.saturating_add(bytes);
            progress.total = progress.total.max(progress.done);
            (self.progress)(progress);
        };
        let mut fenced = Vec::new();
        if let Some(checkpoint) = checkpoint {
            fenced = replay
                .checkpoint(checkpoint, &segments.keys, &mut read)
                .map_err(failed)?;
        }
        let recovered = recovery::recover(segments, store, from, &mut read, |at, payload| {
            let key = segments.key(at.segment).map_err(RecoveryError::from)?;
            replay.frame(at, payload, (&segments.keys, key))
        })
        .map_err(failed)?;
        fenced.extend(recovered.fenced);
        let mut tail = recovered.tail;
        let marked = self.checkpoint.map_or(0, |found| found.header.mark_lsn);
        let reflected = applied.map_or(self.seen, |at| at.lsn).max(marked);
        if tail.next_lsn <= reflected {
            // Only what counted as done is ever in the index or in a checkpoint.
            tracing::error!(
                from = tail.next_lsn,
                to = reflected,
                "the log is older than the index: its last commits are lost"
            );
            fenced.push(FencedFrame {
                segment: tail.segment,
                offset: u64::from(tail.end),
                lsn: tail.next_lsn,
                frames: reflected - tail.next_lsn + 1,
            });
        }
        // Numbers that the checkpoint knows are not given again.
        tail.next_lsn = tail.next_lsn.max(marked.saturating_add(1));
        replay
            .finish(!fenced.is_empty())
            .and_then(|()| kv.flush())
            .map_err(|e| context.index(&e.0))?;
        self.report.frames_replayed = recovered.frames;
        self.report.tail_bytes_cut += recovered.cut;
        self.report.fenced = fenced;
        Ok((kv, tail))
    }
}

/// Bytes of the checkpoint and, twice, of the log from `from` on.
fn bytes_to_read(
    segments: &Segments,
    from: Position,
    checkpoint: Option<&Checkpoint>,
) -> io::Result<u64> {
    let mut log: u64 = 0;
    for number in segments.numbers() {
        if number >= from.segment {
            log = log.saturating_add(segments.file(number)?.len()?);
        }
    }
    let log = log.saturating_sub(u64::from(from.offset));
    let checkpoint = checkpoint.map_or(0, |checkpoint| checkpoint.len);
    Ok(log.saturating_mul(2).saturating_add(checkpoint))
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error(transparent)]
    Log(#[from] RecoveryError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

struct Replay {
    applier: Applier,
    /// The frame that comes next if nothing is lost.
    next: u64,
}

impl Replay {
    /// Fills an empty index from a checkpoint, without saying that it reflects any frame: if the start is
    /// interrupted, the next one begins again.
    fn checkpoint(
        &mut self,
        checkpoint: &Checkpoint,
        keys: &Keyring,
        read: &mut dyn FnMut(u64),
    ) -> Result<Vec<FencedFrame>, ReplayError> {
        let mut fenced = Vec::new();
        let mut parts = checkpoint.parts(keys);
        let mut done = 0;
        while let Some(part) = parts.next()? {
            match part {
                Part::Batch(batch) => self.applier.add(&batch)?,
                Part::Fenced(damage) => {
                    tracing::error!(offset = damage.offset, "damage in the checkpoint: skipped");
                    fenced.push(damage);
                }
            }
            if self.applier.is_full() {
                self.applier.commit()?;
            }
            read(parts.bytes() - done);
            done = parts.bytes();
        }
        Ok(fenced)
    }

    fn frame(
        &mut self,
        at: Position,
        payload: &[u8],
        key: (&Keyring, FileKey),
    ) -> Result<(), ReplayError> {
        let nonsense = || RecoveryError::Bad(format!("frame {} makes no sense", at.lsn));
        // Frames without a batch hold parts of large values only.
        let batch = match find_record(payload, RecordKind::Batch) {
            Ok(Some(found)) => Batch::read(found, key).ok_or_else(nonsense)?,
            Ok(None) => Batch::default(),
            Err(BadRecord) => return Err(nonsense().into()),
        };
        if at.lsn != self.next {
            self.fenced()?;
        }
        self.next = at.lsn + 1;
        self.applier.push(at, &resolved(batch, at))?;
        if self.applier.is_full() {
            self.applier.commit()?;
        }
        Ok(())
    }

    /// Notes that commits are lost, before the index reflects a later one: a start that is
    /// interrupted after that does not come across the damage again.
    fn fenced(&mut self) -> Result<(), IndexError> {
        self.applier.put(keys::FENCED.to_vec(), &true)
    }

    fn finish(&mut self, fenced: bool) -> Result<(), IndexError> {
        if fenced {
            self.fenced()?;
        }
        self.applier.commit()
    }
}

fn resolved(mut batch: Batch, at: Position) -> Batch {
    batch.ops.iter_mut().for_each(|op| op.resolve(at));
    batch
}

#[cfg(test)]
mod tests {
    use rkyv::rancor;

    use super::*;
    use crate::{
        index::memory::MemoryKv,
        log::frame::{FrameBuilder, RecordKind},
    };

    #[test]
    fn what_is_lost_is_noted_before_the_index_reflects_a_later_frame() {
        let kv = Arc::new(MemoryKv::default());
        let mut replay = Replay {
            applier: Applier::new(kv.clone()),
            next: 5,
        };
        let fenced = || kv.get(keys::FENCED).unwrap().is_some();
        let archive = rkyv::to_bytes::<rancor::Error>(&Batch::default()).unwrap();
        let mut frame = FrameBuilder::new(None);
        frame.add(RecordKind::Batch, &archive);
        let at = |lsn| Position {
            segment: 1,
            offset: 64,
            lsn,
        };
        let frame = frame.seal(Guid::NIL, at(5), 0, ropewalk_props::FileTime(1));
        for (lsn, lost) in [(5, false), (6, false), (9, true)] {
            let key = (&Keyring::default(), FileKey::Plain);
            replay.frame(at(lsn), &frame[64..], key).unwrap();
            // As a long log has it now and then. The machine may stop after that.
            replay.applier.commit().unwrap();
            assert!(kv.get(keys::APPLIED).unwrap().is_some());
            assert_eq!(fenced(), lost, "{lsn}");
        }
    }
}
