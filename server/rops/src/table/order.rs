//! Rows in order, in blocks that versions of an order share: a version costs as much as what is
//! different in it, and many tables can have the same one.

use std::{cmp::Ordering, sync::Arc};

use super::{
    compare::SortKey,
    rows::{Direction, Directions, KeyedRow, Keys, RowId},
};

/// Rows of a block when an order is made; twice as many are split.
const BLOCK: usize = 256;

/// Rows in order.
#[derive(Clone, Debug, Default)]
pub struct Order {
    directions: Directions,
    blocks: Vec<Arc<Block>>,
    /// The position of each block's first row.
    starts: Vec<usize>,
    len: usize,
    bytes: usize,
}

/// Neighbouring rows.
#[derive(Clone, Debug, Default)]
struct Block {
    rows: Vec<RowId>,
    /// As many as rows in a sorted table, else none.
    keys: Vec<Keys>,
}

/// A row that leaves an order.
#[derive(Debug)]
pub struct Leaving {
    /// The message's counter value.
    pub id: u64,
    /// What its one row was sorted by; `None` if that is not known.
    pub keys: Option<Option<Keys>>,
}

/// A row and its keys, borrowed.
type RowRef<'a> = (&'a RowId, Option<&'a Keys>);

impl Block {
    fn get(&self, at: usize) -> Option<RowRef<'_>> {
        Some((self.rows.get(at)?, self.keys.get(at)))
    }

    fn last(&self) -> Option<RowRef<'_>> {
        Some((self.rows.last()?, self.keys.last()))
    }

    fn push(&mut self, (row, keys): KeyedRow) {
        self.rows.push(row);
        self.keys.extend(keys);
    }

    fn insert(&mut self, at: usize, (row, keys): KeyedRow) {
        self.rows.insert(at, row);
        if let Some(keys) = keys {
            self.keys.insert(at.min(self.keys.len()), keys);
        }
    }

    fn remove(&mut self, at: usize) {
        if at < self.rows.len() {
            self.rows.remove(at);
        }
        if at < self.keys.len() {
            self.keys.remove(at);
        }
    }

    /// Takes out its second half.
    fn split(&mut self) -> Self {
        let half = self.rows.len() / 2;
        Self {
            rows: self.rows.split_off(half),
            keys: self.keys.split_off(half.min(self.keys.len())),
        }
    }

    fn first_not_before(&self, directions: &Directions, row: RowRef<'_>) -> usize {
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let is_before = |found| directions.cmp(found, row) == Ordering::Less;
            if self.get(middle).is_some_and(is_before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn bytes(&self) -> usize {
        let keys = self.keys.iter().map(Keys::heap_bytes).sum::<usize>();
        size_of_val(&*self.rows) + size_of_val(&*self.keys) + keys
    }
}

impl Order {
    /// An order without rows.
    pub fn new(directions: Directions) -> Self {
        Self {
            directions,
            ..Self::default()
        }
    }

    /// An order of rows that are in order already.
    pub fn of(directions: Directions, rows: impl IntoIterator<Item = KeyedRow>) -> Self {
        let mut order = Self::new(directions);
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut block = Block {
                rows: Vec::with_capacity(BLOCK),
                keys: Vec::new(),
            };
            if rows.peek().is_some_and(|(_, keys)| keys.is_some()) {
                block.keys.reserve_exact(BLOCK);
            }
            rows.by_ref().take(BLOCK).for_each(|row| block.push(row));
            order.blocks.push(Arc::new(block));
        }
        order.bytes = order.blocks.iter().map(|block| block.bytes()).sum();
        order.settle();
        order
    }

    /// How it is ordered.
    pub fn directions(&self) -> &Directions {
        &self.directions
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes that the rows take in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The row at a position, and what it is sorted by.
    pub fn get(&self, at: usize) -> Option<RowRef<'_>> {
        let block = self.starts.partition_point(|start| *start <= at);
        let block = block.checked_sub(1)?;
        let start = self.starts.get(block)?;
        self.blocks.get(block)?.get(at - start)
    }

    /// All rows.
    pub fn iter(&self) -> impl Iterator<Item = RowId> {
        let blocks = self.blocks.iter();
        blocks.flat_map(|block| block.rows.iter().copied())
    }

    /// All rows, and what they are sorted by.
    pub fn entries(&self) -> impl Iterator<Item = (RowId, &[SortKey])> {
        self.blocks.iter().flat_map(|block| {
            let keys = |at| block.keys.get(at).map(Keys::as_slice).unwrap_or_default();
            block
                .rows
                .iter()
                .zip(0..)
                .map(move |(row, at)| (*row, keys(at)))
        })
    }

    /// Where a row with these keys is.
    pub fn find(&self, row: RowRef<'_>) -> Option<usize> {
        let block = self.block_of(row);
        let found = self.blocks.get(block)?;
        let at = found.first_not_before(&self.directions, row);
        let is_it = self.directions.cmp(found.get(at)?, row) == Ordering::Equal;
        is_it.then_some(self.starts.get(block)? + at)
    }

    /// The first block whose last row does not come before a row.
    fn block_of(&self, row: RowRef<'_>) -> usize {
        self.blocks.partition_point(|block| {
            let last = block.last();
            last.is_some_and(|last| self.directions.cmp(last, row) == Ordering::Less)
        })
    }

    /// Takes rows out and puts others in, each in its place. Each message has one row or none.
    pub fn change(&mut self, leaving: Vec<Leaving>, mut added: Vec<KeyedRow>) {
        let leaving = self.locate(leaving);
        if leaving.len() + added.len() > BLOCK + self.len / 16 {
            self.directions.sort(&mut added);
            *self = self.merged(&leaving, added);
            return;
        }
        // From the end, so that the positions of the others hold.
        for at in leaving.into_iter().rev() {
            let block = self.starts.partition_point(|start| *start <= at);
            let block = block.saturating_sub(1);
            let start = self.starts.get(block).copied().unwrap_or_default();
            if let Some(block) = self.blocks.get_mut(block) {
                Self::edit(block, &mut self.bytes, |block| block.remove(at - start));
            }
        }
        self.blocks.retain(|block| !block.rows.is_empty());
        for (row, keys) in added {
            self.insert((row, keys));
        }
        self.settle();
    }

    fn insert(&mut self, row: KeyedRow) {
        let by = (&row.0, row.1.as_ref());
        // Behind all others it goes into the last block.
        let block = self.block_of(by).min(self.blocks.len().saturating_sub(1));
        if self.blocks.is_empty() {
            self.blocks.push(Arc::default());
        }
        let Some(found) = self.blocks.get_mut(block) else {
            return;
        };
        let at = found.first_not_before(&self.directions, by);
        let mut split = None;
        Self::edit(found, &mut self.bytes, |found| {
            found.insert(at, row);
            split = (found.rows.len() > 2 * BLOCK).then(|| found.split());
        });
        if let Some(split) = split {
            self.bytes += split.bytes();
            self.blocks.insert(block + 1, Arc::new(split));
        }
    }

    fn edit(block: &mut Arc<Block>, bytes: &mut usize, edit: impl FnOnce(&mut Block)) {
        let before = block.bytes();
        edit(Arc::make_mut(block));
        *bytes = bytes.saturating_sub(before) + block.bytes();
    }

    /// The positions of rows, ascending. Those that are not there have none.
    fn locate(&self, leaving: Vec<Leaving>) -> Vec<usize> {
        let mut found = Vec::with_capacity(leaving.len());
        let mut unknown = std::collections::HashSet::new();
        for Leaving { id, keys } in leaving {
            match keys {
                Some(keys) => found.extend(self.find((&RowId { id, part: 0 }, keys.as_ref()))),
                None => {
                    unknown.insert(id);
                }
            }
        }
        if !unknown.is_empty() {
            let rows = self.iter().enumerate();
            let unknown = rows.filter(|(_, row)| unknown.contains(&row.id));
            found.extend(unknown.map(|(at, _)| at));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The order without some positions and with other rows, which are in order.
    fn merged(&self, leaving: &[usize], added: Vec<KeyedRow>) -> Self {
        let mut leaving = leaving.iter().copied().peekable();
        let mut added = added.into_iter().peekable();
        let blocks = self.blocks.iter();
        let all = blocks.flat_map(|block| (0..block.rows.len()).filter_map(|at| block.get(at)));
        let mut all = all
            .enumerate()
            .filter(|(at, _)| leaving.next_if_eq(at).is_none())
            .map(|(_, row)| row)
            .peekable();
        let merged = std::iter::from_fn(|| {
            let comes_first = match (all.peek(), added.peek()) {
                (Some(row), Some((id, keys))) => {
                    self.directions.cmp((id, keys.as_ref()), *row) == Ordering::Less
                }
                (None, _) => true,
                (Some(_), None) => false,
            };
            if comes_first {
                return added.next();
            }
            all.next().map(|(row, keys)| (*row, keys.cloned()))
        });
        Self::of(self.directions.clone(), merged)
    }

    fn settle(&mut self) {
        let mut start = 0;
        self.starts.clear();
        for block in &self.blocks {
            self.starts.push(start);
            start += block.rows.len();
        }
        self.len = start;
    }
}

impl Directions {
    /// Brings rows into order.
    pub fn sort(&self, rows: &mut Vec<KeyedRow>) {
        let [direction] = *self.columns else {
            rows.sort_unstable_by(|left, right| {
                self.cmp((&left.0, left.1.as_ref()), (&right.0, right.1.as_ref()))
            });
            return;
        };
        // Most pairs of many rows differ in the first bytes of their keys: compared side by side,
        // without a look at texts that lie all over the memory.
        let begin = |row: &KeyedRow| match (&row.1, direction) {
            (Some(Keys::One(key)), Direction::Ascending) => key.begin(),
            (Some(Keys::One(key)), Direction::Descending) => !key.begin(),
            _ => 0,
        };
        let mut begun: Vec<(u64, KeyedRow)> =
            rows.drain(..).map(|row| (begin(&row), row)).collect();
        begun.sort_unstable_by(|(left_begin, left), (right_begin, right)| {
            left_begin
                .cmp(right_begin)
                .then_with(|| self.cmp((&left.0, left.1.as_ref()), (&right.0, right.1.as_ref())))
        });
        rows.extend(begun.into_iter().map(|(_, row)| row));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keyed(id: u64, key: i64) -> KeyedRow {
        (
            RowId { id, part: 0 },
            Some(Keys::One(SortKey::Integer(key))),
        )
    }

    fn directions(descending: bool) -> Directions {
        Directions {
            columns: vec![if descending {
                Direction::Descending
            } else {
                Direction::Ascending
            }],
        }
    }

    /// What an order must be like: its rows, their positions, their keys, its bytes.
    fn check(order: &Order, wanted: &[KeyedRow]) {
        assert_eq!(order.len(), wanted.len());
        let ids: Vec<RowId> = wanted.iter().map(|row| row.0).collect();
        assert_eq!(order.iter().collect::<Vec<_>>(), ids);
        for (at, (row, keys)) in wanted.iter().enumerate() {
            assert_eq!(order.get(at), Some((row, keys.as_ref())));
            assert_eq!(order.find((row, keys.as_ref())), Some(at));
        }
        assert_eq!(order.get(wanted.len()), None);
        let fresh = Order::of(order.directions.clone(), wanted.to_vec());
        assert_eq!(order.bytes(), fresh.bytes());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn an_order_that_changes_is_as_one_made_anew(
            descending: bool,
            first in prop::collection::vec(0i64..40, 0..1500),
            rounds in prop::collection::vec(
                prop::collection::vec((0u64..2000, prop::option::of(0i64..40), any::<bool>()), 0..400),
                1..6,
            ),
        ) {
            let directions = directions(descending);
            let mut rows: std::collections::BTreeMap<u64, i64> =
                (0..).zip(first).collect();
            let sorted = |rows: &std::collections::BTreeMap<u64, i64>| {
                let mut all: Vec<KeyedRow> = rows.iter().map(|(id, key)| keyed(*id, *key)).collect();
                directions.sort(&mut all);
                all
            };
            let mut order = Order::of(directions.clone(), sorted(&rows));
            check(&order, &sorted(&rows));
            for round in rounds {
                let (earlier, was) = (order.clone(), sorted(&rows));
                let mut leaving = Vec::new();
                let mut added = std::collections::BTreeMap::new();
                for (id, key, is_known) in round {
                    if added.contains_key(&id) {
                        continue;
                    }
                    if let Some(old) = rows.remove(&id) {
                        let keys = is_known.then_some(Some(Keys::One(SortKey::Integer(old))));
                        leaving.push(Leaving { id, keys });
                    }
                    if let Some(key) = key {
                        added.insert(id, key);
                    }
                }
                order.change(leaving, added.iter().map(|(id, key)| keyed(*id, *key)).collect());
                rows.extend(added);
                check(&order, &sorted(&rows));
                check(&earlier, &was);
            }
        }

        #[test]
        fn the_beginnings_of_keys_are_in_the_order_of_the_keys(
            left in prop::collection::vec(key(), 2..40),
        ) {
            for (a, b) in left.iter().zip(left.iter().skip(1)) {
                let begins = a.begin().cmp(&b.begin());
                prop_assert!(begins == Ordering::Equal || begins == a.order(b), "{:?} {:?}", a, b);
            }
        }
    }

    fn key() -> impl Strategy<Value = SortKey> {
        prop_oneof![
            Just(SortKey::Missing),
            any::<i64>().prop_map(SortKey::Integer),
            (-9i64..9).prop_map(SortKey::Integer),
            any::<f64>().prop_map(SortKey::Float),
            "[a-c\u{e4}\u{4e00}]{0,10}".prop_map(|text| SortKey::Text(text.into())),
            prop::collection::vec(any::<u8>(), 0..10)
                .prop_map(|bytes| SortKey::Bytes(bytes.into())),
        ]
    }

    #[test]
    fn rows_come_into_an_empty_order_and_all_leave_again() {
        let mut order = Order::new(directions(false));
        order.change(Vec::new(), vec![keyed(2, 5), keyed(1, 9)]);
        check(&order, &[keyed(2, 5), keyed(1, 9)]);
        let gone = |id| Leaving { id, keys: None };
        order.change(vec![gone(1), gone(2), gone(3)], Vec::new());
        check(&order, &[]);
        assert!(order.is_empty());
    }
}
