//! The rows of a table by position, with the cursor and the bookmarks kept on their rows while rows
//! come and go.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use ropewalk_wire::sort::SortOrder;

use super::{
    compare::SortKey,
    order::{Leaving, Order},
};

/// What names a row for as long as it is in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId {
    /// The message's or folder's counter value, or the attachment's number.
    pub id: u64,
    /// Which value of a multi-valued column the row is for (PidTagInstanceNum); of a folder, how
    /// deep it lies (PidTagDepth).
    pub part: u32,
}

/// The values that a row is sorted by.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// The table has one sort column.
    One(SortKey),
    /// The table has several.
    Many(Box<[SortKey]>),
}

impl Keys {
    /// Bytes that they take besides their own size.
    pub fn heap_bytes(&self) -> usize {
        let inside: usize = self.as_slice().iter().map(SortKey::heap_bytes).sum();
        match self {
            Self::One(_) => inside,
            Self::Many(keys) => inside + size_of_val(&**keys),
        }
    }

    /// All of them, in order.
    pub fn as_slice(&self) -> &[SortKey] {
        match self {
            Self::One(key) => std::slice::from_ref(key),
            Self::Many(keys) => keys,
        }
    }
}

/// How a sort column orders rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The smallest first.
    Ascending,
    /// The largest first.
    Descending,
    /// Not at all: it orders categories.
    Aside,
}

/// How rows are ordered: by these keys, then by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directions {
    /// Of each sort column; empty for a table that is not sorted.
    pub columns: Vec<Direction>,
}

/// A row and its keys; none in a table that is not sorted.
pub type KeyedRow = (RowId, Option<Keys>);

impl Direction {
    /// The order of two keys.
    pub fn order(self, left: &SortKey, right: &SortKey) -> Ordering {
        match self {
            Self::Ascending => left.order(right),
            Self::Descending => right.order(left),
            Self::Aside => Ordering::Equal,
        }
    }
}

impl From<SortOrder> for Direction {
    fn from(order: SortOrder) -> Self {
        match order.order {
            SortOrder::MAXIMUM_CATEGORY => Self::Aside,
            SortOrder::DESCENDING => Self::Descending,
            _ => Self::Ascending,
        }
    }
}

impl Directions {
    /// The order of two rows.
    pub fn cmp(&self, left: (&RowId, Option<&Keys>), right: (&RowId, Option<&Keys>)) -> Ordering {
        // The usual table, which has many rows to compare, without a look for further columns.
        if let (Some(Keys::One(one)), Some(Keys::One(other)), [direction]) =
            (left.1, right.1, &*self.columns)
        {
            let order = direction.order(one, other);
            return order.then_with(|| left.0.cmp(right.0));
        }
        if let (Some(left), Some(right)) = (left.1, right.1) {
            let keys = left
                .as_slice()
                .iter()
                .zip(right.as_slice())
                .zip(&self.columns);
            for ((left, right), direction) in keys {
                let order = direction.order(left, right);
                if order != Ordering::Equal {
                    return order;
                }
            }
        }
        left.0.cmp(right.0)
    }
}

/// A remembered row (MS-OXCTABL 2.2.2.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bookmark {
    id: u32,
    /// Its row, or the one that took its place.
    at: usize,
    /// `None` if it was made at the end.
    row: Option<RowId>,
    /// The row has left the table.
    gone: bool,
}

/// Where a bookmark points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bookmarked {
    /// The position.
    pub at: usize,
    /// Whether its own row has left the table.
    pub gone: bool,
}

/// Bookmarks that a table keeps.
pub const BOOKMARKS_MAX: usize = 1024;

/// The rows of a table in order, with its cursor and bookmarks.
#[derive(Debug, Default)]
pub struct Rows {
    order: Arc<Order>,
    cursor: usize,
    bookmarks: Vec<Bookmark>,
    next_bookmark: u32,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The rows.
    pub fn order(&self) -> &Arc<Order> {
        &self.order
    }

    /// Bytes that the rows take in memory.
    pub fn bytes(&self) -> usize {
        self.order.bytes()
    }

    /// How rows are ordered.
    pub fn directions(&self) -> &Directions {
        self.order.directions()
    }

    /// The row at a position.
    pub fn get(&self, at: usize) -> Option<RowId> {
        self.order.get(at).map(|(row, _)| *row)
    }

    /// Where a row is.
    pub fn position(&self, row: RowId) -> Option<usize> {
        self.order.iter().position(|known| known == row)
    }

    /// The position of the next row to read forward.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Moves the cursor; past the end is the end.
    pub fn set_cursor(&mut self, at: usize) {
        self.cursor = at.min(self.len());
    }

    /// Forgets all rows and bookmarks, and starts again in another order.
    pub fn reset(&mut self, directions: Directions) {
        self.order = Arc::new(Order::new(directions));
        self.cursor = 0;
        self.bookmarks.clear();
    }

    /// Brings rows into this table's order.
    pub fn sort(&self, rows: &mut Vec<KeyedRow>) {
        self.directions().sort(rows);
    }

    /// Puts other rows in place of all, which are in order already.
    pub fn replace_ordered(&mut self, rows: impl IntoIterator<Item = KeyedRow>) {
        let order = Order::of(self.directions().clone(), rows);
        self.replace(Arc::new(order));
    }

    /// Puts other rows in place of all. The cursor and the bookmarks go to the next row that stayed,
    /// or behind the last one that did.
    pub fn replace(&mut self, order: Arc<Order>) {
        let old = std::mem::replace(&mut self.order, order);
        if old.is_empty() || (self.cursor == 0 && self.bookmarks.is_empty()) {
            self.cursor = self.cursor.min(self.len());
            return;
        }
        let places: HashMap<RowId, usize> = self.order.iter().zip(0..).collect();
        // For each old position, and the end.
        let mut to = Vec::with_capacity(old.len() + 1);
        let mut behind = 0;
        for row in old.iter() {
            let place = places.get(&row).copied();
            behind = place.map_or(behind, |at| at + 1);
            to.push((place, behind));
        }
        let last = behind;
        let mut next = None;
        for place in to.iter_mut().rev() {
            next = place.0.or(next);
            place.0 = next;
        }
        let place = |at: usize| {
            let next = to.get(at).and_then(|(next, _)| *next);
            next.unwrap_or(last)
        };
        if self.cursor != 0 {
            self.cursor = place(self.cursor);
        }
        for bookmark in &mut self.bookmarks {
            match bookmark.row.and_then(|row| places.get(&row)) {
                Some(at) => (bookmark.at, bookmark.gone) = (*at, false),
                None => {
                    bookmark.at = place(bookmark.at);
                    bookmark.gone = bookmark.row.is_some();
                }
            }
        }
    }

    /// Takes out rows and puts in others, each in its place; see [`Rows::advance`].
    pub fn change(
        &mut self,
        leaving: Vec<Leaving>,
        added: Vec<KeyedRow>,
        locate: impl Fn(&Order, RowId) -> Option<usize>,
    ) {
        let mut order = Order::clone(&self.order);
        order.change(leaving, added);
        self.advance(Arc::new(order), locate);
    }

    /// Goes on to a later version of the order. The cursor and the bookmarks stay on their rows; one
    /// whose row left, or went elsewhere, is where it was: behind the row before it that stayed. A
    /// bookmark follows its row, which `locate` finds wherever it went.
    pub fn advance(&mut self, order: Arc<Order>, locate: impl Fn(&Order, RowId) -> Option<usize>) {
        let old = std::mem::replace(&mut self.order, order);
        let new = &self.order;
        let mut places = Places::new(&old, new);
        let mut wanted: Vec<usize> = self.bookmarks.iter().map(|mark| mark.at).collect();
        wanted.push(self.cursor);
        wanted.sort_unstable();
        wanted.dedup();
        let found: HashMap<usize, usize> =
            wanted.into_iter().map(|at| (at, places.of(at))).collect();
        let place = |at: usize| found.get(&at).copied().unwrap_or_default();
        // At the start the cursor is before whatever comes first.
        if self.cursor != 0 {
            self.cursor = place(self.cursor);
        }
        for bookmark in &mut self.bookmarks {
            bookmark.at = place(bookmark.at);
            let Some(row) = bookmark.row else {
                continue;
            };
            if !bookmark.gone && new.get(bookmark.at).is_some_and(|(found, _)| *found == row) {
                continue;
            }
            // A row that left and came back is visible again.
            match locate(new, row) {
                Some(at) => (bookmark.at, bookmark.gone) = (at, false),
                None => bookmark.gone = true,
            }
        }
    }

    /// Remembers the cursor; `None` beyond [`BOOKMARKS_MAX`].
    pub fn create_bookmark(&mut self) -> Option<u32> {
        self.create_bookmark_at(self.cursor)
    }

    /// Whether one more position can be remembered.
    pub fn has_room_for_bookmark(&self) -> bool {
        self.bookmarks.len() < BOOKMARKS_MAX
    }

    /// Remembers a position; `None` beyond [`BOOKMARKS_MAX`].
    pub fn create_bookmark_at(&mut self, at: usize) -> Option<u32> {
        if !self.has_room_for_bookmark() {
            return None;
        }
        let id = self.next_bookmark;
        self.next_bookmark = self.next_bookmark.wrapping_add(1);
        let row = self.get(at);
        self.bookmarks.push(Bookmark {
            id,
            at,
            row,
            gone: false,
        });
        Some(id)
    }

    /// Where a bookmark points; `None` if there is no such one any more.
    pub fn bookmark(&self, id: u32) -> Option<Bookmarked> {
        let bookmark = self.bookmarks.iter().find(|bookmark| bookmark.id == id)?;
        Some(Bookmarked {
            at: bookmark.at,
            gone: bookmark.gone,
        })
    }

    /// Forgets a bookmark; false if there is no such one.
    pub fn free_bookmark(&mut self, id: u32) -> bool {
        let before = self.bookmarks.len();
        self.bookmarks.retain(|bookmark| bookmark.id != id);
        self.bookmarks.len() != before
    }
}

/// Where positions of one version of an order are in a later one.
struct Places<'a> {
    old: &'a Order,
    new: &'a Order,
    /// The last position asked for, and where it is.
    last: Option<(usize, usize)>,
}

impl<'a> Places<'a> {
    fn new(old: &'a Order, new: &'a Order) -> Self {
        let last = None;
        Self { old, new, last }
    }

    fn row(&self, at: usize) -> Option<usize> {
        self.new.find(self.old.get(at)?)
    }

    /// Where the row at a position is, or behind the last one before it that is still there.
    /// Positions are asked for in ascending order: all of them together cost no more than the
    /// farthest.
    fn of(&mut self, at: usize) -> usize {
        let (from, known) = self.last.unwrap_or((0, 0));
        let end = at.min(self.old.len());
        let place = self.row(at).unwrap_or_else(|| {
            let mut before = (from..end).rev().filter_map(|at| self.row(at));
            before.next().map_or(known, |at| at + 1)
        });
        self.last = Some((at, place));
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u64) -> RowId {
        RowId { id, part: 0 }
    }

    fn keyed(id: u64, key: i64) -> KeyedRow {
        (row(id), Some(Keys::One(SortKey::Integer(key))))
    }

    fn ids(rows: &Rows) -> Vec<u64> {
        rows.order.iter().map(|row| row.id).collect()
    }

    fn replace(rows: &mut Rows, mut new: Vec<KeyedRow>) {
        rows.sort(&mut new);
        rows.replace_ordered(new);
    }

    fn change(rows: &mut Rows, removed: &[u64], added: Vec<KeyedRow>) {
        let leaving = removed.iter().map(|id| Leaving {
            id: *id,
            keys: None,
        });
        let locate = |order: &Order, row| order.iter().position(|known| known == row);
        rows.change(leaving.collect(), added, locate);
    }

    /// By key descending: 5, 3, 4, 1.
    fn sample() -> Rows {
        let mut rows = Rows::default();
        rows.reset(Directions {
            columns: vec![Direction::Descending],
        });
        replace(
            &mut rows,
            vec![keyed(1, 10), keyed(3, 30), keyed(4, 30), keyed(5, 50)],
        );
        assert_eq!(ids(&rows), [5, 3, 4, 1]);
        rows
    }

    #[test]
    fn rows_come_and_go_in_their_places() {
        let mut rows = sample();
        change(
            &mut rows,
            &[3],
            vec![keyed(3, 5), keyed(9, 60), keyed(2, 30)],
        );
        assert_eq!(ids(&rows), [9, 5, 2, 4, 1, 3]);
    }

    #[test]
    fn the_cursor_stays_on_its_row() {
        let mut rows = sample();
        rows.set_cursor(2);
        change(&mut rows, &[], vec![keyed(9, 60)]);
        assert_eq!(rows.get(rows.cursor()), Some(row(4)));
        change(&mut rows, &[4], vec![]);
        assert_eq!(rows.get(rows.cursor()), Some(row(1)));
        rows.set_cursor(usize::MAX);
        change(&mut rows, &[], vec![keyed(2, 1)]);
        assert_eq!(
            rows.get(rows.cursor()),
            Some(row(2)),
            "what comes after the end is read next"
        );
        rows.set_cursor(0);
        change(&mut rows, &[], vec![keyed(8, 99)]);
        assert_eq!(
            rows.get(rows.cursor()),
            Some(row(8)),
            "the start is the start"
        );
    }

    #[test]
    fn bookmarks_know_when_their_row_left() {
        let mut rows = sample();
        rows.set_cursor(1);
        let at_three = rows.create_bookmark().unwrap();
        rows.set_cursor(4);
        let at_end = rows.create_bookmark().unwrap();
        change(&mut rows, &[3], vec![keyed(9, 60)]);
        assert_eq!(
            rows.bookmark(at_three),
            Some(Bookmarked { at: 2, gone: true })
        );
        assert_eq!(
            rows.bookmark(at_end),
            Some(Bookmarked { at: 4, gone: false })
        );
        replace(&mut rows, vec![keyed(9, 1), keyed(3, 2)]);
        assert_eq!(
            rows.bookmark(at_three),
            Some(Bookmarked { at: 0, gone: false })
        );
        assert!(rows.free_bookmark(at_three));
        assert!(!rows.free_bookmark(at_three));
        assert_eq!(rows.bookmark(at_three), None);
        rows.reset(Directions::default());
        assert_eq!(rows.bookmark(at_end), None);
    }
}
