//! What a check has found so far.

use super::{
    Affected, Damage, DamageKind, IndexState, OnProgress, VerifyReport, copy::Source,
    files::FileKind,
};
use crate::{Progress, log::frame::Location};

/// Damaged places that a report names, at most.
const MOST_DAMAGE: usize = 1000;
/// What was in one of them, at most.
const MOST_AFFECTED: usize = 100;

/// A stretch of a segment without whole frames.
pub struct Lost {
    /// The segment.
    pub segment: u32,
    /// Where it begins.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
    /// Which damage of the report it is.
    damage: usize,
}

/// The report in the making.
pub struct Findings<'a, 'p> {
    /// What was found.
    pub report: VerifyReport,
    /// Stretches that are lost.
    pub lost: Vec<Lost>,
    sources: &'a [Source],
    progress: &'a mut OnProgress<'p>,
    at: Progress,
}

impl<'a, 'p> Findings<'a, 'p> {
    /// Nothing was found yet in these files.
    pub fn new(sources: &'a [Source], progress: &'a mut OnProgress<'p>) -> Self {
        let bytes: u64 = sources.iter().map(|source| source.len).sum();
        Self {
            report: VerifyReport {
                store: sources
                    .first()
                    .map_or_else(Default::default, |source| source.store),
                bytes,
                frames: 0,
                last_lsn: 0,
                messages: 0,
                blobs: 0,
                torn_tail_bytes: 0,
                index: IndexState::Missing,
                damage: Vec::new(),
                damage_total: 0,
            },
            lost: Vec::new(),
            sources,
            progress,
            // Everything is read once in order, and what is in use once more.
            at: Progress {
                done: 0,
                total: bytes.saturating_mul(2),
            },
        }
    }

    /// Tells that so many bytes were read.
    pub fn step(&mut self, bytes: u64) {
        self.at.done = self.at.done.saturating_add(bytes).min(self.at.total);
        (self.progress)(self.at);
    }

    /// All is read.
    pub fn finish(mut self) -> VerifyReport {
        self.at.done = self.at.total;
        (self.progress)(self.at);
        self.report
            .damage
            .sort_by(|a, b| (&a.file, a.offset).cmp(&(&b.file, b.offset)));
        self.report
    }

    /// Notes damage.
    pub fn damage(&mut self, damage: Damage) {
        self.report.damage_total += 1;
        if self.report.damage.len() < MOST_DAMAGE {
            self.report.damage.push(damage);
        }
    }

    /// Notes a stretch without whole frames.
    pub fn lose(&mut self, segment: u32, (from, to): (u32, u32), damage: Damage) {
        let index = self.report.damage.len();
        self.damage(damage);
        if index < MOST_DAMAGE {
            self.lost.push(Lost {
                segment,
                from,
                to,
                damage: index,
            });
        }
    }

    /// The name of the file that a place is in.
    fn file_of(&self, segment: u32) -> String {
        if segment == 0 {
            return String::new();
        }
        let holds = |source: &&Source| {
            matches!(source.name.kind, FileKind::Segment | FileKind::Pack)
                && (source.name.first..=source.name.last).contains(&segment)
        };
        // A pack comes before what it replaced.
        match self.sources.iter().find(holds) {
            Some(source) => format!("log/{}", source.name.name),
            None => format!("log/{segment:08}.seg"),
        }
    }

    /// Notes that something in use cannot be read. What lies in a stretch that is lost is told there.
    pub fn unreadable(&mut self, at: Location, kind: DamageKind, affected: Affected) {
        if let Some(lost) = self.lost_at(at) {
            self.affect(lost, affected);
            return;
        }
        let damage = Damage {
            kind,
            file: self.file_of(at.segment),
            offset: u64::from(at.offset),
            lsn: None,
            affected: vec![affected],
        };
        self.damage(damage);
    }

    /// The lost stretch that a place is in.
    pub fn lost_at(&self, at: Location) -> Option<usize> {
        let holds =
            |lost: &Lost| lost.segment == at.segment && (lost.from..lost.to).contains(&at.offset);
        self.lost.iter().position(holds)
    }

    /// Notes what was in a lost stretch.
    pub fn affect(&mut self, lost: usize, affected: Affected) {
        let Some(lost) = self.lost.get(lost) else {
            return;
        };
        if let Some(damage) = self.report.damage.get_mut(lost.damage) {
            let known = damage.affected.contains(&affected);
            if !known && damage.affected.len() < MOST_AFFECTED {
                damage.affected.push(affected);
            }
        }
    }
}
