//! Reading a log in order, without changing it: every header, frame and record.

use super::{
    Damage, DamageKind, UpkeepError,
    copy::Source,
    files::FileKind,
    findings::Findings,
    walk::{Piece, Stretch, Walk},
};
use crate::{
    OpenError,
    crypto::{FileKey, Keyring},
    log::{
        checkpoint::CHECKPOINT_SEGMENT,
        frame::{
            FORMAT_VERSION, FRAME_HEADER, FrameHeader, Position, RECORD_HEADER, RecordKind,
            check_record, padding, record_len,
        },
        segment::{BadSegment, SEGMENT_HEADER, SegmentHeader},
    },
    records::Batch,
};

/// What takes the batches that are found, their locations absolute.
pub type Take<'a> = dyn FnMut(Position, Batch) -> Result<(), UpkeepError> + 'a;

/// A log that is read in order.
pub struct Reading<'a> {
    /// Its files.
    pub sources: &'a [Source],
    /// What opens its records.
    pub keys: &'a Keyring,
    /// Whether all that is there was acknowledged. Else what nobody vouches for at the end is no damage.
    pub acknowledged: bool,
    /// Changes up to this frame are not needed any more.
    pub done: u64,
}

impl Reading<'_> {
    fn segments(&self) -> impl Iterator<Item = &Source> {
        let sources = self.sources.iter();
        sources.filter(|source| source.name.kind == FileKind::Segment)
    }

    /// Whether there is a file for each segment, and one that tells what packs do not.
    pub fn files(&self, findings: &mut Findings<'_, '_>) {
        let mut spans: Vec<(u32, u32)> = self
            .sources
            .iter()
            .filter(|source| matches!(source.name.kind, FileKind::Segment | FileKind::Pack))
            .map(|source| (source.name.first, source.name.last))
            .collect();
        spans.sort_unstable();
        let mut missing = |name: String| {
            findings.damage(Damage {
                kind: DamageKind::MissingFile,
                file: format!("log/{name}"),
                offset: 0,
                lsn: None,
                affected: Vec::new(),
            });
        };
        let mut next = 1;
        for (first, last) in spans {
            if first > next {
                missing(format!("{next:08}.seg"));
            }
            next = last.saturating_add(1).max(next);
        }
        let has = |kind| self.sources.iter().any(|source| source.name.kind == kind);
        if has(FileKind::Pack) && !has(FileKind::Checkpoint) {
            missing("checkpoint".into());
        }
    }

    /// Reads all packs: their directories and each record.
    pub fn packs(&self, findings: &mut Findings<'_, '_>) -> Result<(), UpkeepError> {
        let packs = self.sources.iter();
        for source in packs.filter(|source| source.name.kind == FileKind::Pack) {
            let label = std::path::PathBuf::from("log").join(&source.name.name);
            let found = source.pack(&mut |bytes| findings.step(bytes));
            for damage in found.map_err(UpkeepError::io(&label))? {
                findings.damage(damage);
            }
        }
        Ok(())
    }

    /// Reads all segments. Returns the position behind the last frame.
    pub fn segments_in_order(
        &self,
        findings: &mut Findings<'_, '_>,
        take: &mut Take<'_>,
    ) -> Result<Position, UpkeepError> {
        let mut at = Position::default();
        let count = self.segments().count();
        for (index, source) in self.segments().enumerate() {
            let is_last = index + 1 == count;
            let label = std::path::PathBuf::from("log").join(&source.name.name);
            let header = source.raw_header().map_err(UpkeepError::io(&label))?;
            if !self.enter(source, header, is_last, &mut at, findings)? {
                return Ok(at);
            }
            let key = header.map_or(FileKey::Unknown, |header| header.key.into());
            let whole = self.segment(index, key, &mut at, findings, take);
            if !whole? {
                return Ok(at);
            }
        }
        Ok(at)
    }

    /// Looks at a segment's header. False if the log ends before it.
    fn enter(
        &self,
        source: &Source,
        header: Result<SegmentHeader, BadSegment>,
        is_last: bool,
        at: &mut Position,
        findings: &mut Findings<'_, '_>,
    ) -> Result<bool, UpkeepError> {
        let number = source.name.first;
        let begun = at.segment != 0;
        match header {
            Err(BadSegment::Newer(found)) => return Err(newer(found)),
            Err(BadSegment::Damaged) => {
                let half_made = is_last && begun && source.len <= u64::from(SEGMENT_HEADER);
                if half_made && !self.acknowledged {
                    findings.report.torn_tail_bytes += source.len;
                    return Ok(false);
                }
                findings.damage(source.damage(DamageKind::Header, 0, None));
            }
            Ok(header) if header.number != number || header.store != source.store => {
                let reason = format!("segment {number} is not its own");
                return Err(OpenError::BadLog {
                    dir: "log".into(),
                    reason,
                }
                .into());
            }
            Ok(header) => {
                if number == at.segment + 1 && begun && header.base_lsn > at.lsn {
                    // The end of the one before is missing.
                    let frames = DamageKind::Frames(header.base_lsn - at.lsn);
                    let before = self
                        .segments()
                        .find(|before| before.name.first == at.segment);
                    if let Some(before) = before {
                        let damage = before.damage(frames, u64::from(at.offset), Some(at.lsn));
                        findings.lose(at.segment, (at.offset, u32::MAX), damage);
                    }
                }
                at.lsn = at.lsn.max(header.base_lsn);
            }
        }
        at.segment = number;
        at.offset = SEGMENT_HEADER;
        findings.step(u64::from(SEGMENT_HEADER));
        Ok(true)
    }

    /// Reads one segment from its first frame on. False if the log ends in it.
    fn segment(
        &self,
        index: usize,
        key: FileKey,
        at: &mut Position,
        findings: &mut Findings<'_, '_>,
        take: &mut Take<'_>,
    ) -> Result<bool, UpkeepError> {
        let Some(source) = self.segments().nth(index) else {
            return Ok(false);
        };
        let label = std::path::PathBuf::from("log").join(&source.name.name);
        let io = || UpkeepError::io(&label);
        let mut walk = source.walk(u64::from(SEGMENT_HEADER));
        let mut open = false;
        while let Some(stretch) = walk.next().map_err(io())? {
            match stretch.piece {
                Piece::Newer(found) => return Err(newer(found)),
                Piece::Frame(header) if header.lsn > source.last_lsn => break,
                Piece::Frame(header) if at.lsn == 0 || header.lsn == at.lsn && !open => {
                    self.frame(source, stretch, header, key, &mut walk, findings, take)?;
                    at.lsn = header.lsn + 1;
                    at.offset = stretch.at + stretch.len;
                }
                Piece::Frame(header) if header.lsn >= at.lsn => {
                    // Frames are missing before this one, or there is something else between them.
                    if !self.vouched(index, *at)? {
                        return Ok(self.torn(index, *at, findings));
                    }
                    let lost = (header.lsn - at.lsn).max(1);
                    let kind = DamageKind::Frames(lost);
                    let damage = source.damage(kind, u64::from(at.offset), Some(at.lsn));
                    findings.lose(source.name.first, (at.offset, stretch.at), damage);
                    open = false;
                    self.frame(source, stretch, header, key, &mut walk, findings, take)?;
                    at.lsn = header.lsn + 1;
                    at.offset = stretch.at + stretch.len;
                }
                Piece::Frame(_) | Piece::Damaged => open = true,
            }
            findings.step(u64::from(stretch.len));
        }
        if open {
            if !self.vouched(index, *at)? {
                return Ok(self.torn(index, *at, findings));
            }
            let next = self.segments().nth(index + 1).map(Source::header);
            let next = next.transpose().map_err(io())?.flatten();
            let lost = next.map_or(1, |next| next.base_lsn.saturating_sub(at.lsn).max(1));
            let damage =
                source.damage(DamageKind::Frames(lost), u64::from(at.offset), Some(at.lsn));
            findings.lose(source.name.first, (at.offset, u32::MAX), damage);
            at.lsn += lost;
        }
        Ok(true)
    }

    /// What is behind the end of the log. False, since the log ends.
    fn torn(&self, index: usize, at: Position, findings: &mut Findings<'_, '_>) -> bool {
        let rest = self.segments().skip(index);
        let bytes: u64 = rest.map(|source| source.len).sum();
        findings.report.torn_tail_bytes += bytes.saturating_sub(u64::from(at.offset));
        false
    }

    /// Whether something later says that the frame that should be at `at` was on disk: a whole frame, or
    /// a segment, which is made only once all before it is.
    fn vouched(&self, index: usize, at: Position) -> Result<bool, UpkeepError> {
        if self.acknowledged {
            return Ok(true);
        }
        for (skipped, source) in self.segments().skip(index).enumerate() {
            let label = std::path::PathBuf::from("log").join(&source.name.name);
            let mut from = u64::from(at.offset);
            if skipped > 0 {
                let header = source.header().map_err(UpkeepError::io(&label))?;
                if header.is_some_and(|header| header.base_lsn > at.lsn) {
                    return Ok(true);
                }
                from = u64::from(SEGMENT_HEADER);
            }
            let mut walk = source.walk(from);
            while let Some(stretch) = walk.next().map_err(UpkeepError::io(&label))? {
                if let Piece::Frame(header) = stretch.piece
                    && header.lsn > at.lsn
                    && header.durable >= at.lsn
                {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    #[allow(clippy::too_many_arguments)] // One frame, and who wants to know of it.
    fn frame(
        &self,
        source: &Source,
        stretch: Stretch,
        header: FrameHeader,
        key: FileKey,
        walk: &mut Walk<'_>,
        findings: &mut Findings<'_, '_>,
        take: &mut Take<'_>,
    ) -> Result<(), UpkeepError> {
        let bytes = walk.frame(stretch);
        let bytes = bytes.map_err(UpkeepError::io("log".as_ref()))?;
        findings.report.frames += 1;
        let payload = bytes.get(FRAME_HEADER..).unwrap_or_default();
        let mut batch = None;
        let mut offset = FRAME_HEADER;
        let mut bad = None;
        for record in records(payload) {
            match record {
                Some((RecordKind::Batch, version, data)) => {
                    let found = Batch::read((version, data), (self.keys, key));
                    if found.is_none() {
                        bad.get_or_insert(offset);
                    }
                    batch = found.or(batch);
                }
                Some(_) => {}
                None => {
                    bad.get_or_insert(offset);
                }
            }
            if let Some((_, _, data)) = record {
                let whole = RECORD_HEADER + data.len();
                offset += whole + padding(whole);
            }
        }
        if let Some(offset) = bad {
            let at = u64::from(stretch.at) + offset as u64;
            findings.damage(source.damage(DamageKind::Record, at, Some(header.lsn)));
        }
        let at = Position {
            segment: source.name.first,
            offset: stretch.at,
            lsn: header.lsn,
        };
        if header.lsn <= self.done {
            return Ok(());
        }
        let mut batch = batch.unwrap_or_default();
        batch.ops.iter_mut().for_each(|op| op.resolve(at));
        take(at, batch)
    }

    /// Reads a checkpoint, whose batches are taken as of the frame that it begins with. False if its end is
    /// missing.
    pub fn checkpoint(
        &self,
        source: &Source,
        findings: &mut Findings<'_, '_>,
        take: &mut Take<'_>,
    ) -> Result<bool, UpkeepError> {
        let label = std::path::PathBuf::from("log").join(&source.name.name);
        let io = || UpkeepError::io(&label);
        let header = source.raw_header().map_err(io())?;
        let key = header.map_or(FileKey::Unknown, |header| header.key.into());
        match header {
            Err(BadSegment::Newer(found)) => return Err(newer(found)),
            Err(BadSegment::Damaged) => findings.damage(source.damage(DamageKind::Header, 0, None)),
            Ok(_) => {}
        }
        let start = u64::from(SEGMENT_HEADER);
        let start = u32::try_from(start.min(source.len)).unwrap_or(SEGMENT_HEADER);
        let mut walk = Walk::new(
            &*source.file,
            source.store,
            CHECKPOINT_SEGMENT,
            start,
            source.len,
        );
        let mut ended = false;
        let mut next = 1;
        while let Some(stretch) = walk.next().map_err(io())? {
            findings.step(u64::from(stretch.len));
            let header = match stretch.piece {
                Piece::Newer(found) => return Err(newer(found)),
                Piece::Damaged => {
                    let at = u64::from(stretch.at);
                    findings.damage(source.damage(DamageKind::Frames(1), at, None));
                    next += 1;
                    continue;
                }
                Piece::Frame(header) => header,
            };
            next = next.max(header.lsn) + 1;
            self.frame(
                source,
                stretch,
                header,
                key,
                &mut walk,
                findings,
                &mut |at, batch| {
                    ended = batch.ops.is_empty() && batch.counter == 0;
                    take(at, batch)
                },
            )?;
        }
        if !ended {
            findings.damage(source.damage(DamageKind::Frames(1), source.len, None));
        }
        Ok(ended)
    }
}

fn newer(found: u16) -> UpkeepError {
    OpenError::NewerFormat {
        dir: "log".into(),
        found,
        known: FORMAT_VERSION,
    }
    .into()
}

/// The records of a payload: kind, version and stored data; `None` for one that is not right, after which
/// nothing more is found.
fn records(payload: &[u8]) -> impl Iterator<Item = Option<(RecordKind, u8, &[u8])>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let record = first_record(rest);
        rest = record.map_or(&[][..], |(_, _, data)| {
            let whole = RECORD_HEADER + data.len();
            rest.get(whole + padding(whole)..).unwrap_or_default()
        });
        Some(record)
    })
}

fn first_record(bytes: &[u8]) -> Option<(RecordKind, u8, &[u8])> {
    let header = bytes.first_chunk::<RECORD_HEADER>()?;
    let kind = RecordKind::from_byte(header[0])?;
    let data = check_record(bytes, kind, record_len(header))?;
    Some((kind, header[1], data))
}
