//! The rows of a table by position, with the cursor and the bookmarks kept on their rows while rows
//! come and go.

use std::{cmp::Ordering, collections::HashSet};

use ropewalk_wire::sort::SortOrder;

use super::compare::SortKey;

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
    pub fn into_slice(self) -> Box<[SortKey]> {
        match self {
            Self::One(key) => Box::new([key]),
            Self::Many(keys) => keys,
        }
    }

    fn as_slice(&self) -> &[SortKey] {
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

    fn sort(&self, rows: &mut [KeyedRow]) {
        rows.sort_unstable_by(|left, right| {
            self.cmp((&left.0, left.1.as_ref()), (&right.0, right.1.as_ref()))
        });
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
    ids: Vec<RowId>,
    /// As many as rows in a sorted table, else none.
    keys: Vec<Keys>,
    directions: Directions,
    cursor: usize,
    bookmarks: Vec<Bookmark>,
    next_bookmark: u32,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Bytes that the rows take in memory.
    pub fn bytes(&self) -> usize {
        let keys = self.keys.iter().map(Keys::heap_bytes).sum::<usize>();
        size_of_val(&*self.ids) + size_of_val(&*self.keys) + keys
    }

    /// The row at a position.
    pub fn get(&self, at: usize) -> Option<RowId> {
        self.ids.get(at).copied()
    }

    /// Where a row is.
    pub fn position(&self, row: RowId) -> Option<usize> {
        self.ids.iter().position(|known| *known == row)
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
        self.ids = Vec::new();
        self.keys = Vec::new();
        self.directions = directions;
        self.cursor = 0;
        self.bookmarks.clear();
    }

    /// Brings rows into this table's order.
    pub fn sort(&self, rows: &mut [KeyedRow]) {
        self.directions.sort(rows);
    }

    /// Puts other rows in place of all, in their order.
    pub fn replace(&mut self, mut rows: Vec<KeyedRow>) {
        self.directions.sort(&mut rows);
        self.replace_ordered(rows);
    }

    /// Puts other rows in place of all, which are in order already.
    pub fn replace_ordered(&mut self, rows: impl IntoIterator<Item = KeyedRow>) {
        let fresh = self.ids.is_empty();
        let old = std::mem::take(&mut self.ids);
        self.keys.clear();
        let rows = rows.into_iter();
        let (count, _) = rows.size_hint();
        self.ids.reserve(count);
        if !self.directions.columns.is_empty() {
            self.keys.reserve(count);
        }
        rows.for_each(|row| self.push(row));
        if fresh || (self.cursor == 0 && self.bookmarks.is_empty()) {
            self.cursor = self.cursor.min(self.len());
            return;
        }
        let places: std::collections::HashMap<RowId, usize> = self
            .ids
            .iter()
            .enumerate()
            .map(|(at, row)| (*row, at))
            .collect();
        // The next row that stayed, or behind the last one that did.
        let place = |at: usize| {
            let (before, from) = old.split_at_checked(at).unwrap_or((&old, &[]));
            let next = from.iter().find_map(|row| places.get(row).copied());
            let last = || {
                before
                    .iter()
                    .rev()
                    .find_map(|row| places.get(row).map(|at| at + 1))
            };
            next.or_else(last).unwrap_or(0)
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

    /// Takes out the rows that `removed` says and puts in `added`, each in its place.
    pub fn change(&mut self, removed: impl Fn(RowId) -> bool, mut added: Vec<KeyedRow>) {
        self.directions.sort(&mut added);
        // A row that would come back to where it was does not leave.
        let keeps_its_place = |(at, row): (usize, &RowId)| {
            let row = (row, self.keys.get(at));
            let compare = |other: &KeyedRow| self.directions.cmp((&other.0, other.1.as_ref()), row);
            added.binary_search_by(compare).is_ok()
        };
        let unchanged: HashSet<RowId> = (self.ids.iter().enumerate())
            .filter(|(at, row)| removed(**row) && keeps_its_place((*at, row)))
            .map(|(_, row)| *row)
            .collect();
        added.retain(|(row, _)| !unchanged.contains(row));
        let removed = |row| removed(row) && !unchanged.contains(&row);
        let old_ids = std::mem::take(&mut self.ids);
        let old_keys = std::mem::take(&mut self.keys);
        let mut old_keys = old_keys.into_iter();
        self.ids.reserve(old_ids.len() + added.len());
        let mut added = added.into_iter().peekable();
        let (old_cursor, old_len) = (self.cursor, old_ids.len());
        let mut marks: Vec<usize> = self.bookmarks.iter().map(|bookmark| bookmark.at).collect();
        let mut cursor = 0;
        for (old_at, row) in old_ids.into_iter().enumerate() {
            let keys = old_keys.next();
            let stays = !removed(row);
            if stays {
                while let Some(next) = added.next_if(|next| {
                    self.directions
                        .cmp((&next.0, next.1.as_ref()), (&row, keys.as_ref()))
                        == Ordering::Less
                }) {
                    self.push(next);
                }
            }
            let at = self.ids.len();
            // At the start the cursor is before whatever comes first.
            if old_at == old_cursor && old_cursor != 0 {
                cursor = at;
            }
            for (mark, bookmark) in marks.iter_mut().zip(&self.bookmarks) {
                if bookmark.at == old_at {
                    *mark = at;
                }
            }
            if stays {
                self.push((row, keys));
            }
        }
        let end = self.ids.len();
        if old_cursor >= old_len && old_cursor != 0 {
            cursor = end;
        }
        self.cursor = cursor;
        for (mark, bookmark) in marks.into_iter().zip(&mut self.bookmarks) {
            bookmark.gone |= bookmark.row.is_some_and(removed);
            bookmark.at = if bookmark.at >= old_len { end } else { mark };
        }
        added.for_each(|row| self.push(row));
        // A row that left and came back is visible again.
        for bookmark in self.bookmarks.iter_mut().filter(|bookmark| bookmark.gone) {
            let found = self.ids.iter().position(|row| Some(*row) == bookmark.row);
            if let Some(at) = found {
                (bookmark.at, bookmark.gone) = (at, false);
            }
        }
    }

    fn push(&mut self, (row, keys): KeyedRow) {
        self.ids.push(row);
        self.keys.extend(keys);
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
        rows.ids.iter().map(|row| row.id).collect()
    }

    /// By key descending: 5, 3, 4, 1.
    fn sample() -> Rows {
        let mut rows = Rows::default();
        rows.reset(Directions {
            columns: vec![Direction::Descending],
        });
        rows.replace(vec![keyed(1, 10), keyed(3, 30), keyed(4, 30), keyed(5, 50)]);
        assert_eq!(ids(&rows), [5, 3, 4, 1]);
        rows
    }

    #[test]
    fn rows_come_and_go_in_their_places() {
        let mut rows = sample();
        rows.change(
            |row| row.id == 3,
            vec![keyed(3, 5), keyed(9, 60), keyed(2, 30)],
        );
        assert_eq!(ids(&rows), [9, 5, 2, 4, 1, 3]);
        assert_eq!(rows.keys.len(), 6);
    }

    #[test]
    fn the_cursor_stays_on_its_row() {
        let mut rows = sample();
        rows.set_cursor(2);
        rows.change(|_| false, vec![keyed(9, 60)]);
        assert_eq!(rows.get(rows.cursor()), Some(row(4)));
        rows.change(|row| row.id == 4, vec![]);
        assert_eq!(rows.get(rows.cursor()), Some(row(1)));
        rows.set_cursor(usize::MAX);
        rows.change(|_| false, vec![keyed(2, 1)]);
        assert_eq!(
            rows.get(rows.cursor()),
            Some(row(2)),
            "what comes after the end is read next"
        );
        rows.set_cursor(0);
        rows.change(|_| false, vec![keyed(8, 99)]);
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
        rows.change(|row| row.id == 3, vec![keyed(9, 60)]);
        assert_eq!(
            rows.bookmark(at_three),
            Some(Bookmarked { at: 2, gone: true })
        );
        assert_eq!(
            rows.bookmark(at_end),
            Some(Bookmarked { at: 4, gone: false })
        );
        rows.replace(vec![keyed(9, 1), keyed(3, 2)]);
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
