//! The thread that gives back space whenever it is worth it.

use std::{
    io,
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{CompactOptions, Compaction, GRACE, GRACE_IF_MUCH, run};
use crate::{StoreError, core::Core, log::segment::SegmentKind};

/// How often it looks whether it is worth it.
const LOOK: Duration = match cfg!(test) {
    true => Duration::from_millis(5),
    false => Duration::from_secs(1),
};
/// After a run that failed it waits so long, and twice as long each time, up to [`RARELY`].
const AGAIN: Duration = match cfg!(test) {
    true => Duration::from_millis(10),
    false => Duration::from_secs(60),
};
/// Whether something was removed since the last run is looked at this often.
const RARELY: Duration = Duration::from_secs(3600);
/// A run is due when this part of the bytes in use was written since the last one, and about a segment:
/// frames do not fill one up, and files are looked at when another one begins.
const GROWTH: u64 = 4;

/// Starts the thread, if that is wanted. It ends when the store is closed or gone. `owed` if a run is
/// due whatever there is to gain.
pub fn start(core: &Arc<Core>, compaction: Compaction, owed: bool) -> io::Result<()> {
    let Compaction::Background { bytes_per_second } = compaction else {
        return Ok(());
    };
    let weak: Weak<Core> = Arc::downgrade(core);
    let thread = std::thread::Builder::new()
        .name("ropewalk-compact".into())
        .spawn(move || look_after(&weak, bytes_per_second, owed))?;
    let _ = core.compactor.thread.set(thread.thread().clone());
    Ok(())
}

fn look_after(weak: &Weak<Core>, bytes_per_second: u64, owed: bool) {
    let options = CompactOptions {
        bytes_per_second: Some(bytes_per_second),
        ..CompactOptions::default()
    };
    let mut due = Due {
        owed,
        ..Due::default()
    };
    let mut not_before = Instant::now();
    let mut pause = AGAIN;
    // Whether the files took much more space than was in use when the last run began.
    let mut much = false;
    // The last segment when the sizes of files were last looked at for the sake of writers.
    let mut measured = 0;
    loop {
        std::thread::park_timeout(if much { LOOK / 4 } else { LOOK });
        let Some(core) = weak.upgrade().filter(|core| !core.is_closed()) else {
            return;
        };
        // Their space is not free before.
        core.log
            .forget_retired(if much { GRACE_IF_MUCH } else { GRACE });
        if core.check_writable().is_err() {
            continue;
        }
        // Sizes of files are looked at when another segment began, not every second for ever.
        let segment = core.log.end().segment;
        let changed = segment != measured || core.compactor.pressure.is_on();
        measured = segment;
        let pressed = pause == AGAIN && changed && is_pressed(&core);
        if Instant::now() < not_before && !pressed {
            continue;
        }
        match due.look(&core).map(|due| due || pressed) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(error) => {
                tracing::warn!(%error, "it cannot be told whether space is to be given back");
                not_before = Instant::now() + AGAIN;
                continue;
            }
        }
        match run(&core, options, &mut |_| {}) {
            Ok(report) => {
                tracing::info!(
                    before = report.bytes_before,
                    after = report.bytes_after,
                    live = report.live_bytes,
                    "space was given back"
                );
                pause = AGAIN;
                much = report.runs_away;
                due.done(&core);
                if report.runs_away && report.blobs_waiting > 0 {
                    not_before = Instant::now() + GRACE_IF_MUCH;
                    due.owed = true;
                }
            }
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "space could not be given back");
                due.seen = 0;
                not_before = Instant::now() + pause;
                pause = (pause * 2).min(RARELY);
            }
        }
    }
}

/// Whether the files take so much space that writers are held back, by now. After a run that failed they
/// are not.
fn is_pressed(core: &Core) -> bool {
    let Some((live, _)) = core.compactor.live() else {
        return false;
    };
    let Ok(files) = core.log.segments().files() else {
        return false;
    };
    let bytes = files.iter().map(|file| file.len).sum();
    let pressure = &core.compactor.pressure;
    pressure.set(bytes, live, core.log.segment_bytes());
    pressure.is_on()
}

/// Tells when a run is due.
#[derive(Default)]
struct Due {
    /// The segment in which the last run began, and the bytes in use that it found or, before the first
    /// run, that there seem to be.
    last: Option<(u32, u64)>,
    /// The last segment when the sizes of files were last looked at.
    seen: u32,
    ran: Option<Instant>,
    /// A run is due in any case.
    owed: bool,
}

impl Due {
    fn look(&mut self, core: &Core) -> Result<bool, StoreError> {
        let removed = core.compactor.removed.load(Ordering::Relaxed);
        let enough = core.compactor.state.lock().messages / 20;
        let is_long_ago = self.ran.is_some_and(|ran| ran.elapsed() > RARELY);
        if self.owed || removed > enough.max(1000) || removed > 0 && is_long_ago {
            return Ok(true);
        }
        let end = core.log.end();
        if end.segment == self.seen {
            return Ok(false);
        }
        let segments = core.log.segments();
        let (from, live) = match self.last {
            Some(last) => last,
            None => {
                let checkpoint = crate::log::checkpoint::files(segments)?.into_iter().next();
                let files = segments.files()?.into_iter();
                let packs = files.filter(|file| file.kind == SegmentKind::Pack);
                let live = packs.map(|file| file.len).sum::<u64>();
                let from = checkpoint.as_ref().map_or(0, |file| file.first);
                *self
                    .last
                    .insert((from, live + checkpoint.map_or(0, |file| file.len)))
            }
        };
        let written = segments.files()?.into_iter();
        let written = written.filter(|file| file.kind == SegmentKind::Log && file.first >= from);
        let written: u64 = written.map(|file| file.len).sum();
        self.seen = end.segment;
        Ok(written > (live / GROWTH).max(core.log.segment_bytes() / 4 * 3))
    }

    fn done(&mut self, core: &Core) {
        let live = core.compactor.live().map_or(0, |(live, _)| live);
        let end = core.log.end();
        self.last = Some((end.segment, live));
        self.seen = end.segment;
        self.ran = Some(Instant::now());
        self.owed = false;
        core.compactor.removed.store(0, Ordering::Relaxed);
    }
}
