//! Rows in groups: those that share what they are sorted by first stand below a header, which may
//! stand below another one (MS-OXCTABL 2.2.2.3.1).
//!
//! A grouping does not change, so that many tables of a folder can have the same one. A header is
//! named by a hash of the values that it stands for: it has the same name in any grouping.

use std::{collections::HashMap, sync::Arc};

use super::{
    compare::SortKey,
    order::Order,
    rows::{Direction, RowId},
};

/// What marks the id of a header: no message has so large a counter value.
pub const HEADER_BIT: u64 = 1 << 63;

/// Where a message's id has the REPLID, which is not zero; a header's id has zeros.
pub const REPLID_BITS: u64 = 0xFFFF;

/// Rows in groups.
#[derive(Debug, Default)]
pub struct Grouping {
    levels: usize,
    /// The rows without headers, in order.
    leaves: Arc<Order>,
    /// All headers, each before those below it.
    groups: Vec<Group>,
    by_id: HashMap<u64, u32>,
    /// What is shown as long as all headers are as their level starts out.
    shown: Arc<Order>,
}

/// A header, and the rows below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, with [`HEADER_BIT`].
    pub id: u64,
    /// How many headers it stands below.
    pub level: usize,
    /// The position of its first row among those without headers.
    start: usize,
    /// The position behind its last one.
    end: usize,
    /// Which header comes next that is not below it.
    next: usize,
    /// How many of its rows are unread.
    pub unread: u32,
}

impl Group {
    /// How many rows it has.
    pub fn messages(&self) -> u32 {
        u32::try_from(self.end.saturating_sub(self.start)).unwrap_or(u32::MAX)
    }
}

/// How rows are put into groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Sort columns that make headers.
    pub all: usize,
    /// How many of them start out expanded.
    pub expanded: usize,
    /// How the innermost headers are ordered by the greatest key below them in the column after
    /// theirs, if they are (MS-OXCDATA 2.13.1).
    pub by_maximum: Option<Direction>,
}

type KeyedLeaf<'a> = (RowId, &'a [SortKey]);

impl Grouping {
    /// Groups rows that are in order.
    pub fn new(leaves: Arc<Order>, levels: Levels, unread: impl Fn(RowId) -> bool) -> Self {
        let mut made = Self {
            levels: levels.all,
            ..Self::default()
        };
        made.leaves = match levels.by_maximum {
            None => {
                made.group(leaves.entries(), unread);
                leaves
            }
            Some(direction) => {
                let mut ordered: Vec<KeyedLeaf<'_>> = leaves.entries().collect();
                order_by_maximum(&mut ordered, levels.all, direction);
                made.group(ordered.iter().copied(), unread);
                let rows = ordered.iter().map(|(row, _)| (*row, None));
                Arc::new(Order::of(leaves.directions().clone(), rows))
            }
        };
        made.shown = Arc::new(made.show(|group| group.level < levels.expanded));
        made
    }

    /// Makes the headers of rows in order.
    fn group<'a>(
        &mut self,
        leaves: impl Iterator<Item = KeyedLeaf<'a>>,
        unread: impl Fn(RowId) -> bool,
    ) {
        // The headers that the current row is below.
        let mut path: Vec<usize> = Vec::with_capacity(self.levels);
        let mut before: &[SortKey] = &[];
        let mut count = 0;
        for (at, (row, keys)) in leaves.enumerate() {
            let same = shared(before, keys).min(path.len());
            self.close(path.drain(same..), at);
            before = keys;
            for level in same..self.levels {
                path.push(self.groups.len());
                self.groups.push(Group {
                    id: category_id(keys.get(..=level).unwrap_or_default()),
                    level,
                    start: at,
                    end: at,
                    next: 0,
                    unread: 0,
                });
            }
            if unread(row) {
                for group in &path {
                    if let Some(group) = self.groups.get_mut(*group) {
                        group.unread += 1;
                    }
                }
            }
            count = at + 1;
        }
        self.close(path.drain(..), count);
        let ids = self.groups.iter().zip(0..);
        self.by_id = ids.map(|(group, at)| (group.id, at)).collect();
    }

    /// The groups end before a row.
    fn close(&mut self, path: impl Iterator<Item = usize>, at: usize) {
        let next = self.groups.len();
        for group in path {
            if let Some(group) = self.groups.get_mut(group) {
                (group.end, group.next) = (at, next);
            }
        }
    }

    /// What is shown as long as all headers are as their level starts out.
    pub fn shown(&self) -> &Arc<Order> {
        &self.shown
    }

    /// What is shown with these headers expanded: the headers below expanded ones, and the rows.
    pub fn show(&self, is_expanded: impl Fn(&Group) -> bool) -> Order {
        let mut rows = Vec::new();
        let mut next = 0;
        while let Some(group) = self.groups.get(next) {
            rows.push(header_row(group.id));
            if !is_expanded(group) {
                next = group.next.max(next + 1);
                continue;
            }
            if group.level + 1 == self.levels {
                let leaves = (group.start..group.end).filter_map(|at| self.leaves.get(at));
                rows.extend(leaves.map(|(row, _)| *row));
            }
            next += 1;
        }
        let rows = rows.into_iter().map(|row| (row, None));
        Order::of(self.leaves.directions().clone(), rows)
    }

    /// The header of this name.
    pub fn get(&self, id: u64) -> Option<&Group> {
        let at = usize::try_from(*self.by_id.get(&id)?).ok()?;
        self.groups.get(at)
    }

    /// The headers above a row that is not one, from the outermost; of a header, itself last.
    pub fn above(&self, row: RowId) -> Option<impl Iterator<Item = &Group>> {
        let (at, level) = match self.get(row.id) {
            Some(header) => (header.start, header.level),
            None => (self.leaves.iter().position(|leaf| leaf == row)?, usize::MAX),
        };
        let is_above =
            move |group: &&Group| (group.start..group.end).contains(&at) && group.level <= level;
        Some(self.groups.iter().filter(is_above))
    }

    /// The first row below a header.
    pub fn first(&self, group: &Group) -> Option<RowId> {
        self.leaves.get(group.start).map(|(row, _)| *row)
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        const NAMED: usize = 2 * size_of::<(u64, u32)>();
        let groups = self.groups.len() * (size_of::<Group>() + NAMED);
        self.leaves.bytes() + self.shown.bytes() + groups
    }
}

/// How many of their first keys two rows share.
fn shared(left: &[SortKey], right: &[SortKey]) -> usize {
    (left.iter().zip(right))
        .take_while(|(left, right)| left.order(right).is_eq())
        .count()
}

/// Puts the innermost groups below each header in order of their greatest key.
fn order_by_maximum(leaves: &mut [KeyedLeaf<'_>], levels: usize, direction: Direction) {
    let Some(outer) = levels.checked_sub(1) else {
        return;
    };
    let same = |columns| {
        move |left: &KeyedLeaf<'_>, right: &KeyedLeaf<'_>| shared(left.1, right.1) >= columns
    };
    for siblings in leaves.chunk_by_mut(same(outer)) {
        let mut groups: Vec<(&SortKey, Vec<KeyedLeaf<'_>>)> = siblings
            .chunk_by(same(levels))
            .map(|leaves| {
                let keys = leaves.iter().filter_map(|(_, keys)| keys.get(levels));
                let maximum = keys.max_by(|left, right| left.order(right));
                (maximum.unwrap_or(&SortKey::Missing), leaves.to_vec())
            })
            .collect();
        groups.sort_by(|left, right| direction.order(left.0, right.0));
        let ordered = groups.into_iter().flat_map(|(_, leaves)| leaves);
        for (place, leaf) in siblings.iter_mut().zip(ordered) {
            *place = leaf;
        }
    }
}

/// A header as a row.
pub fn header_row(id: u64) -> RowId {
    RowId { id, part: 0 }
}

/// PidTagInstID of the header that stands for these values: the same whenever it is made.
fn category_id(keys: &[SortKey]) -> u64 {
    let mut hash = Fnv::default();
    let mut put = |bytes: &[u8]| hash.put(bytes);
    for key in keys {
        match key {
            SortKey::Missing => put(&[0]),
            SortKey::Integer(number) => {
                put(&[1]);
                put(&number.to_le_bytes());
            }
            SortKey::Float(number) => {
                put(&[2]);
                put(&number.to_bits().to_le_bytes());
            }
            SortKey::Text(text) => {
                put(&[3]);
                put(text.as_bytes());
            }
            SortKey::Bytes(bytes) => {
                put(&[4]);
                put(bytes);
            }
        }
        put(&[0xFF]);
    }
    (hash.0 | HEADER_BIT) & !REPLID_BITS
}

/// FNV-1a: the same on every machine, whenever it is made.
#[derive(Clone, Copy, Debug)]
pub struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }
}

impl Fnv {
    /// Takes in bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::rows::{Directions, KeyedRow, Keys};

    fn leaf(id: u64, keys: &[i64]) -> KeyedRow {
        let keys: Box<[SortKey]> = keys.iter().copied().map(SortKey::Integer).collect();
        (RowId { id, part: 0 }, Some(Keys::Many(keys)))
    }

    fn grouping(leaves: Vec<KeyedRow>, levels: Levels) -> Grouping {
        let leaves = Arc::new(Order::of(Directions::default(), leaves));
        Grouping::new(leaves, levels, |row| row.id > 2)
    }

    fn levels(all: usize, expanded: usize) -> Levels {
        Levels {
            all,
            expanded,
            by_maximum: None,
        }
    }

    fn sample(expanded: usize) -> Grouping {
        let rows = vec![
            leaf(1, &[1, 1, 0]),
            leaf(2, &[1, 2, 0]),
            leaf(3, &[1, 2, 5]),
            leaf(4, &[2, 2, 0]),
        ];
        grouping(rows, levels(2, expanded))
    }

    /// Headers as their level with a minus sign before it, less one; messages as their ids.
    fn shown(grouping: &Grouping, order: &Order) -> Vec<i64> {
        let shown = order.iter().map(|row| match grouping.get(row.id) {
            Some(group) => -1 - group.level as i64,
            None => row.id as i64,
        });
        shown.collect()
    }

    #[test]
    fn rows_show_below_expanded_headers_alone() {
        let at_first = |expanded| {
            let grouping = sample(expanded);
            shown(&grouping, grouping.shown())
        };
        assert_eq!(at_first(0), [-1, -1]);
        assert_eq!(at_first(1), [-1, -2, -2, -1, -2]);
        assert_eq!(at_first(2), [-1, -2, 1, -2, 2, 3, -1, -2, 4]);
        let none = grouping(Vec::new(), levels(2, 2));
        assert!(shown(&none, none.shown()).is_empty());
    }

    #[test]
    fn each_header_is_expanded_or_not() {
        let grouping = sample(0);
        let inner = grouping.groups[2].id;
        let order = grouping.show(|group| group.level == 0 || group.id == inner);
        assert_eq!(shown(&grouping, &order), [-1, -2, -2, 2, 3, -1, -2]);
        // A header below one that is collapsed is not to be seen, expanded or not.
        let order = grouping.show(|group| group.level == 1);
        assert_eq!(shown(&grouping, &order), [-1, -1]);
    }

    #[test]
    fn headers_count_their_messages() {
        let grouping = sample(1);
        let outer = grouping.groups[0];
        assert_eq!((outer.messages(), outer.unread), (3, 1));
        assert_eq!(grouping.first(&outer), Some(RowId { id: 1, part: 0 }));
        let inner = grouping.groups[2];
        assert_eq!((inner.messages(), inner.unread), (2, 1));
        assert_eq!(grouping.first(&inner), Some(RowId { id: 2, part: 0 }));
        let last = grouping.groups[4];
        assert_eq!((last.messages(), last.unread), (1, 1));
    }

    #[test]
    fn innermost_headers_come_in_the_order_of_their_greatest_key() {
        for (direction, wanted) in [
            (Direction::Ascending, [3, 1, 2, 4]),
            (Direction::Descending, [1, 2, 3, 4]),
        ] {
            let rows = vec![
                leaf(1, &[1, 1, 2]),
                leaf(2, &[1, 1, 9]),
                leaf(3, &[1, 2, 5]),
                leaf(4, &[2, 1, 7]),
            ];
            let levels = Levels {
                by_maximum: Some(direction),
                ..levels(2, 2)
            };
            let grouping = grouping(rows, levels);
            let mut ids = shown(&grouping, grouping.shown());
            ids.retain(|id| *id > 0);
            assert_eq!(ids, wanted);
        }
    }

    #[test]
    fn headers_of_other_values_or_levels_have_other_names() {
        let id = |keys: &[i64]| {
            let keys: Vec<SortKey> = keys.iter().copied().map(SortKey::Integer).collect();
            category_id(&keys)
        };
        assert_ne!(id(&[1]), id(&[2]));
        assert_ne!(id(&[1]), id(&[1, 1]));
        assert_eq!(id(&[1, 2]), id(&[1, 2]));
        assert_ne!(id(&[]) & HEADER_BIT, 0);
    }
}
