//! Which files of the log's directory count, and which an interrupted compaction left behind.

use std::{io, path::PathBuf};

use super::{
    checkpoint::{self, CHECKPOINT_PART},
    pack::{PACK_PART, Pack},
    recovery::RecoveryError,
    segment::{Segments, Span},
};

/// Files that do not count and may be removed.
#[derive(Debug, Default)]
pub struct Leftovers {
    files: Vec<PathBuf>,
}

impl Leftovers {
    /// Adds files.
    pub fn add(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        self.files.extend(files);
    }
}

/// Looks at the directory and says which files count: together they stand for all segments from 1 to
/// the last, each for some of its own. Changes nothing on the disk.
pub fn arrange(segments: &Segments) -> Result<Leftovers, RecoveryError> {
    let names = segments.names()?;
    let mut spans: Vec<Span> = names
        .iter()
        .filter_map(|name| Span::of_name(name))
        .collect();
    // What stands for more comes first, a pack before a plain segment.
    spans.sort_unstable_by_key(|span| (span.first, u32::MAX - span.last, !span.pack));
    let mut leftovers = Leftovers::default();
    for part in [PACK_PART, CHECKPOINT_PART] {
        if names.iter().any(|name| name == part) {
            leftovers.files.push(segments.dir().join(part));
        }
    }
    let mut files = Vec::with_capacity(spans.len());
    choose(segments, &spans, &mut files, &mut leftovers)?;
    let mut next = 1;
    for file in &files {
        if file.first > next {
            return Err(missing(next));
        }
        if file.first < next {
            let reason = format!(
                "{} and another file stand for segment {}",
                file.name(),
                file.first
            );
            return Err(RecoveryError::Bad(reason));
        }
        next = file.last.saturating_add(1);
    }
    // Frames are appended to plain segments only, and a pack never stands for the last one.
    if files.last().is_some_and(|file| file.pack) {
        return Err(missing(next));
    }
    if files.is_empty()
        && names
            .iter()
            .any(|name| checkpoint::mark_of_name(name).is_some())
    {
        return Err(missing(1));
    }
    segments.set_files(&files);
    Ok(leftovers)
}

fn missing(segment: u32) -> RecoveryError {
    RecoveryError::Bad(format!("segment {segment} is missing"))
}

/// Sorts out the files that lie within the range of another one. That one was whole and durable before
/// the first of them was removed; but should it be damaged by now and they be all there, they are
/// what counts.
fn choose(
    segments: &Segments,
    spans: &[Span],
    files: &mut Vec<Span>,
    leftovers: &mut Leftovers,
) -> Result<(), RecoveryError> {
    let mut rest = spans;
    while let Some((outer, others)) = rest.split_first() {
        let within = others.iter().take_while(|other| outer.covers(**other));
        let (inner, after) = others.split_at(within.count());
        rest = after;
        if inner.is_empty() {
            files.push(*outer);
            continue;
        }
        if is_whole(segments, *outer)? {
            files.push(*outer);
            leftovers
                .files
                .extend(inner.iter().map(|span| segments.path(*span)));
            continue;
        }
        let (mut chosen, mut left) = (Vec::new(), Leftovers::default());
        choose(segments, inner, &mut chosen, &mut left)?;
        if tiles(&chosen, *outer) {
            tracing::error!(file = %outer.name(), "a damaged pack; what it was made of is still there");
            files.append(&mut chosen);
            leftovers.files.append(&mut left.files);
            leftovers.files.push(segments.path(*outer));
        } else {
            // Both have something that the other one lacks: nothing is removed.
            tracing::error!(file = %outer.name(), "a damaged pack");
            files.push(*outer);
        }
    }
    Ok(())
}

fn is_whole(segments: &Segments, span: Span) -> Result<bool, RecoveryError> {
    let file = segments.disk().open(&segments.path(span))?;
    match Pack::open(file, span) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn tiles(files: &[Span], span: Span) -> bool {
    let mut next = span.first;
    let gapless = files.iter().all(|file| {
        let fits = file.first == next;
        next = file.last.saturating_add(1);
        fits
    });
    gapless && next == span.last.saturating_add(1)
}

/// Removes what does not count. Nothing depends on it: the next start can do it as well.
pub fn tidy(segments: &Segments, leftovers: &Leftovers) -> io::Result<()> {
    if leftovers.files.is_empty() {
        return Ok(());
    }
    // The names of what replaced them may be as new as the last start's end.
    segments.disk().sync_dir(segments.dir())?;
    for path in &leftovers.files {
        if let Err(error) = segments.disk().remove(path) {
            tracing::warn!(%error, file = %path.display(), "what a compaction left behind stays");
        }
    }
    Ok(())
}
