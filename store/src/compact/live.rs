//! What is in use: records by their places, large values by their numbers.

use crate::log::frame::{Location, RECORD_HEADER, padding};

/// Entries that may wait before they are sorted, at least.
const FEW: usize = 1 << 16;
/// What a record takes in a pack besides itself: its entry in both copies of the directory.
const ENTRIES: u64 = 32;

/// A set that takes no more memory than its members do.
#[derive(Clone, Debug)]
pub struct SortedSet<T> {
    all: Vec<T>,
    /// So many at the front are sorted, and each is there once.
    sorted: usize,
}

impl<T> Default for SortedSet<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            sorted: 0,
        }
    }
}

impl<T: Ord + Copy> SortedSet<T> {
    /// Adds a member, which does not count before [`SortedSet::sort`].
    pub fn add(&mut self, member: T) {
        // Many messages refer to the same: what is there twice goes before the memory grows.
        if self.all.len() >= FEW.max(self.sorted.saturating_mul(2)) {
            self.sort();
        }
        self.all.push(member);
    }

    /// Makes all that was added count.
    pub fn sort(&mut self) {
        if self.sorted < self.all.len() {
            // Stable, since that is quick with a few new ones behind many sorted ones.
            self.all.sort();
            self.all.dedup();
            self.sorted = self.all.len();
        }
    }

    /// The members, ascending.
    pub fn members(&self) -> &[T] {
        self.all.get(..self.sorted).unwrap_or_default()
    }

    /// Whether it has this member.
    pub fn has(&self, member: &T) -> bool {
        self.members().binary_search(member).is_ok()
    }
}

/// Records that are in use, each once. 12 bytes of memory for each.
#[derive(Clone, Debug, Default)]
pub struct LiveSet {
    places: SortedSet<Location>,
}

impl LiveSet {
    /// Adds a record, which does not count before [`LiveSet::sort`]; length 0 is none.
    pub fn add(&mut self, at: Location) {
        if at.len > 0 {
            self.places.add(at);
        }
    }

    /// Makes all that was added count.
    pub fn sort(&mut self) {
        self.places.sort();
    }

    /// The records of the segments from `first` to `last`, by place.
    pub fn within(&self, first: u32, last: u32) -> &[Location] {
        let places = self.places.members();
        let from = places.partition_point(|at| at.segment < first);
        let to = places.partition_point(|at| at.segment <= last);
        places.get(from..to).unwrap_or_default()
    }

    /// Whether this record is in use.
    pub fn has(&self, at: Location) -> bool {
        self.places.has(&at)
    }

    /// Bytes that the records of the segments from `first` to `last` take in a pack, what finds them
    /// there included. `extra` is what encryption adds to each.
    pub fn bytes_within(&self, first: u32, last: u32, extra: u32) -> u64 {
        let within = self.within(first, last).iter();
        within.map(|at| packed_len(at.len, extra)).sum()
    }
}

/// Bytes that a record with so much data takes in a pack.
fn packed_len(len: u32, extra: u32) -> u64 {
    let record = RECORD_HEADER + len as usize + extra as usize;
    (record + padding(record)) as u64 + ENTRIES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(segment: u32, offset: u32) -> Location {
        Location {
            segment,
            offset,
            len: 100,
        }
    }

    #[test]
    fn each_record_counts_once_and_is_found_by_its_segment() {
        let mut live = LiveSet::default();
        for _ in 0..3 {
            for offset in (0..100_000).rev() {
                live.add(at(1 + offset % 5, offset * 16));
            }
            assert!(live.places.all.len() <= 200_000);
        }
        live.add(Location::default());
        live.sort();
        assert_eq!(live.places.members().len(), 100_000);
        assert_eq!(live.within(2, 3).len(), 40_000);
        assert!(live.within(2, 3).is_sorted());
        assert_eq!(live.within(0, 0).len() + live.within(6, 9).len(), 0);
        assert!(live.has(at(1, 0)) && !live.has(at(1, 16)) && !live.has(at(2, 0)));
        // A header of 16 bytes, 100 of data, 12 of padding, 32 in the directory.
        assert_eq!(live.bytes_within(5, 5, 0), 20_000 * 160);
        assert_eq!(live.bytes_within(5, 5, 40), 20_000 * 192);
    }

    #[test]
    fn members_count_once_sorted() {
        let mut set = SortedSet::default();
        for id in [5u64, 3, 5] {
            set.add(id);
        }
        assert!(!set.has(&5));
        set.sort();
        set.add(4);
        assert!(set.has(&5) && !set.has(&4));
        set.sort();
        assert_eq!(set.members(), [3, 4, 5]);
    }
}
