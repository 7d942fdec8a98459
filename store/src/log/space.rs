//! Space for frames, taken from the file system before they are written: a write or an fsync that
//! meets a full disk in the middle would cost the store its trust in the file.

use super::Tail;
use crate::{
    StoreError,
    disk::{Disk, Space, is_full},
};

/// Space is taken in steps of this many bytes.
const STEP: u64 = 4 << 20;
/// Bytes of the space taken that only what frees space gets.
const BALLAST: u64 = 1 << 20;
/// While the file system has less than this, the log takes only what frees space: the index needs
/// some to take up what the log has, and compaction to free more. On small disks: a quarter.
const SPARE: u64 = 64 << 20;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Anything.
    Any,
    /// To free space, or to end the log.
    Relief,
}

/// Sees to it that `len` more bytes fit behind the log's end. [`StoreError::DiskFull`] if they do not.
pub fn make_room(
    disk: &dyn Disk,
    dir: &std::path::Path,
    tail: &mut Tail,
    segment_bytes: u64,
    len: u64,
    purpose: Purpose,
) -> Result<(), StoreError> {
    let end = u64::from(tail.end).saturating_add(len);
    let with_ballast = end.saturating_add(BALLAST);
    let needed = match purpose {
        Purpose::Any => with_ballast,
        Purpose::Relief => end,
    };
    if tail.reserved >= needed {
        return Ok(());
    }
    // A file system that does not tell is one that is not full.
    let space = disk.space(dir).ok().flatten();
    if purpose == Purpose::Any && space.is_some_and(|space| is_low(space, len)) {
        return Err(StoreError::DiskFull);
    }
    let most = segment_bytes.saturating_add(BALLAST).max(with_ballast);
    let ahead = with_ballast.next_multiple_of(STEP).min(most);
    for up_to in [ahead, with_ballast, needed] {
        match tail.file.reserve(up_to) {
            Err(error) if is_full(&error) => {}
            // Where space cannot be taken ahead, writing tells whether there is some.
            Ok(_) | Err(_) => {
                tail.reserved = up_to;
                return Ok(());
            }
        }
    }
    Err(StoreError::DiskFull)
}

fn is_low(space: Space, len: u64) -> bool {
    space.free < SPARE.min(space.total / 4).saturating_add(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_is_low_below_64_mib_or_a_quarter() {
        let space = |free: u64, total: u64| Space {
            free: free << 20,
            total: total << 20,
        };
        assert!(is_low(space(63, 10_000), 0));
        assert!(!is_low(space(64, 10_000), 0));
        assert!(is_low(space(64, 10_000), 1));
        assert!(!is_low(space(16, 64), 0));
        assert!(is_low(space(15, 64), 0));
    }
}
