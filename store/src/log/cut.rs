//! Moving what is no whole acknowledged frame from the log's end to side files.

use std::{io, path::PathBuf, sync::Arc};

use super::{
    frame::Position,
    scan::Scanner,
    segment::{SEGMENT_HEADER, Segments, Span},
};
use crate::disk::DiskFile;

/// Bytes copied at a time.
const STEP: u64 = 1 << 20;

/// Moves everything from `at` on to side files; `at` becomes the place for the next frame. Returns
/// the bytes moved.
pub fn cut(scanner: &Scanner<'_>, at: &mut Position) -> io::Result<u64> {
    let segments = scanner.segments;
    let mut cut = 0;
    // The last one first: a crash in between leaves no gap.
    let later = scanner.numbers.iter().copied().rev();
    for segment in later.take_while(|segment| *segment > at.segment) {
        cut += segments.file(segment)?.len()?;
        rename_aside(segments, segment, at.lsn)?;
    }
    let file = segments.file(at.segment)?;
    let header_is_bad = segments.header(at.segment)?.0.is_err();
    if header_is_bad && at.offset <= SEGMENT_HEADER && at.segment > 1 {
        // The machine stopped while the segment was being created: go on in the one before.
        cut += file.len()?;
        rename_aside(segments, at.segment, at.lsn)?;
        at.segment -= 1;
        let len = segments.file(at.segment)?.len()?;
        at.offset = u32::try_from(len).map_err(io::Error::other)?;
    } else {
        let len = file.len()?;
        cut += len.saturating_sub(u64::from(at.offset));
        let (part, side) = unfinished_side(segments)?;
        copy(&*file, u64::from(at.offset), len, |bytes, from| {
            side.write_all_at(bytes, from - u64::from(at.offset))
        })?;
        side.sync_data()?;
        let path = side_path(segments, at.lsn)?;
        segments.disk().rename(&part, &path)?;
        segments.disk().sync_dir(segments.dir())?;
        file.set_len(u64::from(at.offset))?;
        file.sync_data()?;
    }
    tracing::warn!(
        lsn = at.lsn,
        bytes = cut,
        "an unfinished end of the log was moved aside"
    );
    Ok(cut)
}

/// Gives a segment the name of a side file.
pub fn rename_aside(segments: &Segments, number: u32, lsn: u64) -> io::Result<()> {
    let side = side_path(segments, lsn)?;
    segments
        .disk()
        .rename(&segments.path(Span::plain(number)), &side)?;
    segments.forget(number);
    segments.disk().sync_dir(segments.dir())
}

/// Hands the bytes from `from` to `to` on in steps, each with its offset.
pub fn copy(
    file: &dyn DiskFile,
    from: u64,
    to: u64,
    mut step: impl FnMut(&[u8], u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let mut bytes = vec![0; STEP.min(to - at) as usize];
        file.read_exact_at(&mut bytes, at)?;
        step(&bytes, at)?;
        at += bytes.len() as u64;
    }
    Ok(())
}

/// An empty side file that has no name of its own yet. One that an earlier start left behind is used
/// again: a start that fails for want of space is not to take more of it each time.
fn unfinished_side(segments: &Segments) -> io::Result<(PathBuf, Arc<dyn DiskFile>)> {
    let path = segments.dir().join("cut.part");
    let side = match segments.disk().create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let side = segments.disk().open(&path)?;
            side.set_len(0)?;
            side
        }
        other => other?,
    };
    Ok((path, side))
}

/// A name for a side file that no file has yet.
fn side_path(segments: &Segments, lsn: u64) -> io::Result<PathBuf> {
    let taken = segments.disk().list(segments.dir())?;
    let names = (0..).map(|n| match n {
        0 => format!("cut-{lsn}.bin"),
        n => format!("cut-{lsn}.{n}.bin"),
    });
    names
        .map(|name| segments.dir().join(name))
        .find(|path| !taken.contains(path))
        .ok_or_else(|| io::Error::other("no name is left for a side file"))
}
