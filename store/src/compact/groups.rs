//! Which files of the log are worth rewriting, and which of them together.

use std::ops::RangeInclusive;

/// A pack's header, and what follows its directory, twice.
const FRAME: u64 = 256;
/// Rewriting a file is to save at least one part in so many.
const SAVES: u64 = 5;
/// The same if as much space as possible is to be given back.
const SAVES_FULL: u64 = 64;
/// So many small files side by side become one.
const CROWD: usize = 8;
/// So many files become one at most: all are open for a while after that.
const MOST: usize = 64;
/// A file is small if so many of it fit into a pack.
const SMALL: u64 = 8;

/// A file of the log as compaction sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileState {
    /// The first segment that it stands for.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// Its bytes.
    pub bytes: u64,
    /// Bytes that would be left of it in a pack.
    pub live: u64,
    /// It may not be rewritten now: it is in use by its place, or damaged.
    pub blocked: bool,
    /// It is to be rewritten whatever it saves: its key goes.
    pub stale: bool,
}

/// Neighbouring files that become one pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The first segment.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// Bytes of the files.
    pub before: u64,
    /// About the bytes of the pack.
    pub after: u64,
}

/// How much to rewrite.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Bytes that a pack should have at most.
    pub limit: u64,
    /// Whether to give back as much space as possible.
    pub full: bool,
}

impl Group {
    /// The segments that it stands for.
    pub fn segments(&self) -> RangeInclusive<u32> {
        self.first..=self.last
    }
}

impl FileState {
    fn saves_enough(&self, rules: Rules) -> bool {
        let part = match rules.full {
            true => SAVES_FULL,
            false => SAVES,
        };
        let saved = self.bytes.saturating_sub(self.live + FRAME);
        saved > 0 && saved.saturating_mul(part) >= self.bytes
    }

    fn is_small(&self, rules: Rules) -> bool {
        !self.blocked && self.bytes <= rules.limit / SMALL
    }
}

/// Chooses what to rewrite. `files` stand for all segments that may be rewritten, ascending.
pub fn choose(files: &[FileState], rules: Rules) -> Vec<Group> {
    let wanted = wanted(files, rules);
    let mut groups: Vec<Group> = Vec::new();
    let mut open = false;
    let mut count = 0;
    for (file, wanted) in files.iter().zip(wanted) {
        let last = groups.last_mut().filter(|_| open);
        let fits = last
            .filter(|group| group.last + 1 == file.first && group.after + file.live <= rules.limit)
            .filter(|_| count < MOST);
        match fits {
            Some(group) if wanted || file.is_small(rules) => {
                count += 1;
                group.last = file.last;
                group.before += file.bytes;
                group.after += file.live;
            }
            _ if wanted => {
                (open, count) = (true, 1);
                groups.push(Group {
                    first: file.first,
                    last: file.last,
                    before: file.bytes,
                    after: file.live + FRAME,
                });
            }
            _ => open = false,
        }
    }
    groups
}

/// Which files are worth it by themselves, or because there are many small ones side by side.
fn wanted(files: &[FileState], rules: Rules) -> Vec<bool> {
    let worth = |file: &FileState| !file.blocked && (file.stale || file.saves_enough(rules));
    let mut wanted: Vec<bool> = files.iter().map(worth).collect();
    let mut start = 0;
    for run in files.chunk_by(|a, b| a.is_small(rules) && b.is_small(rules)) {
        let end = start + run.len();
        if run.len() >= CROWD {
            wanted.get_mut(start..end).unwrap_or_default().fill(true);
        }
        start = end;
    }
    wanted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules {
        limit: 64_000,
        full: false,
    };

    fn files(all: &[(u64, u64)]) -> Vec<FileState> {
        let all = all.iter().enumerate();
        all.map(|(index, (bytes, live))| FileState {
            first: index as u32 + 1,
            last: index as u32 + 1,
            bytes: *bytes,
            live: *live,
            ..FileState::default()
        })
        .collect()
    }

    fn spans(files: &[FileState], rules: Rules) -> Vec<(u32, u32)> {
        let groups = choose(files, rules).into_iter();
        groups.map(|group| (group.first, group.last)).collect()
    }

    #[test]
    fn what_saves_a_fifth_is_rewritten_with_its_neighbours_up_to_the_limit() {
        let some = [
            (64_000, 60_000),
            (64_000, 30_000),
            (64_000, 30_000),
            (64_000, 10_000),
            (64_000, 52_000),
            (64_000, 0),
        ];
        let files = files(&some);
        assert_eq!(spans(&files, RULES), [(2, 3), (4, 4), (6, 6)]);
        let full = Rules {
            full: true,
            ..RULES
        };
        assert_eq!(spans(&files, full), [(1, 1), (2, 3), (4, 6)]);
    }

    #[test]
    fn what_may_not_be_rewritten_is_left_alone_and_parts_its_neighbours() {
        let mut files = files(&[(64_000, 0); 5]);
        assert_eq!(spans(&files, RULES), [(1, 5)]);
        files[2].blocked = true;
        assert_eq!(spans(&files, RULES), [(1, 2), (4, 5)]);
        files[2].stale = true;
        assert_eq!(spans(&files, RULES), [(1, 2), (4, 5)]);
        files[4] = FileState {
            live: 63_900,
            stale: true,
            ..files[4]
        };
        assert_eq!(spans(&files, RULES), [(1, 2), (4, 4), (5, 5)]);
    }

    #[test]
    fn many_small_files_side_by_side_become_one() {
        let small = (2_000, 1_950);
        assert_eq!(spans(&files(&[small; 7]), RULES), []);
        assert_eq!(spans(&files(&[small; 9]), RULES), [(1, 9)]);
        // A small one beside one that is rewritten goes along.
        let beside = [small, (64_000, 1_000), small, (64_000, 64_000), small];
        assert_eq!(spans(&files(&beside), RULES), [(2, 3)]);
        // Not so many that their handles become scarce.
        assert_eq!(
            spans(&files(&[(64_000, 0); 150]), RULES),
            [(1, 64), (65, 128), (129, 150)]
        );
        // What is empty already is not written again and again.
        assert_eq!(spans(&files(&[(256, 0); 3]), RULES), []);
    }

    proptest! {
        #[test]
        fn groups_are_apart_keep_to_the_limit_and_leave_little_waste(
            some in prop::collection::vec((0u64..70_000, 0u64..=100, any::<bool>(), any::<bool>()), 0..40),
            full in any::<bool>(),
        ) {
            let mut files = files(&[]);
            for (bytes, percent, blocked, stale) in some {
                let first = files.last().map_or(1, |file: &FileState| file.last + 1);
                let live = bytes * percent / 100;
                files.push(FileState { first, last: first + (bytes % 3) as u32, bytes, live, blocked, stale });
            }
            let rules = Rules { full, ..RULES };
            let groups = choose(&files, rules);
            prop_assert!(groups.windows(2).all(|pair| pair[0].last < pair[1].first));
            let mut left = (0, 0);
            for file in &files {
                let group = groups.iter().find(|group| group.first <= file.first && file.last <= group.last);
                let cut = groups.iter().any(|group| group.first <= file.last && file.first <= group.last);
                prop_assert_eq!(cut, group.is_some());
                prop_assert!(!file.blocked || group.is_none());
                prop_assert!(!file.stale || file.blocked || group.is_some());
                if group.is_none() && !file.blocked {
                    left = (left.0 + file.bytes, left.1 + file.live + FRAME);
                }
            }
            prop_assert!(left.0 <= left.1 * 5 / 4 + 1);
            for group in groups {
                let of_group: Vec<_> = files.iter().filter(|f| group.first <= f.first && f.last <= group.last).collect();
                let live: u64 = of_group.iter().map(|file| file.live).sum();
                prop_assert!(of_group.len() == 1 || live <= rules.limit);
                prop_assert_eq!(group.before, of_group.iter().map(|file| file.bytes).sum::<u64>());
            }
        }
    }
}
