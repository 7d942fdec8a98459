//! Categories: the header rows of a contents table whose rows are grouped by what they are sorted
//! by (MS-OXCTABL 2.2.1.3, 2.2.2.3.1).
//!
//! All messages' rows are kept in order; the table shows those whose headers are all expanded, and
//! the headers. A header is named by a hash of the values that it stands for, so that it stays
//! collapsed or expanded while messages come and go.

use std::collections::{HashMap, HashSet};

use ropewalk_props::{PropTag, tags::*};
use ropewalk_store::Mailbox;
use ropewalk_wire::{ErrorCode, Mid, sort::SortOrder};

use super::{
    TableObject,
    compare::SortKey,
    filter::{Filter, Need, Searched},
    rows::{Direction, KeyedRow, RowId},
    source::Source,
};
use crate::{
    ids::Key,
    property::value::{Found, Properties},
    view::MessageView,
};

/// PidTagRowType (MS-OXCTABL 2.2.1.3).
mod row_type {
    pub const EXPANDED_CATEGORY: i32 = 3;
    pub const COLLAPSED_CATEGORY: i32 = 4;
}

/// What marks the id of a header: no message has so large a counter value.
const HEADER_BIT: u64 = 1 << 63;

/// Where a message's id has the REPLID, which is not zero; a header's id has zeros.
const REPLID_BITS: u64 = 0xFFFF;

/// The grouping of a table.
#[derive(Debug)]
pub struct Categories {
    /// Sort columns that make headers.
    levels: usize,
    /// How many levels start out expanded.
    expanded_levels: usize,
    /// How the innermost headers are ordered by the greatest key below them in the column after
    /// theirs, if they are (MS-OXCDATA 2.13.1).
    by_maximum: Option<Direction>,
    /// Headers that are not as their level starts out.
    toggled: HashSet<u64>,
    /// All rows of messages, in order.
    leaves: Vec<Leaf>,
    headers: HashMap<u64, Header>,
}

#[derive(Debug)]
struct Leaf {
    row: RowId,
    keys: Box<[SortKey]>,
    unread: bool,
}

impl Leaf {
    /// The leaf; one without keys is left in its place.
    fn take(&mut self) -> Self {
        Self {
            keys: std::mem::take(&mut self.keys),
            ..*self
        }
    }
}

/// Whether two messages share their first `columns` keys.
fn same(left: &Leaf, right: &Leaf, columns: usize) -> bool {
    (left.keys.iter().zip(&right.keys))
        .take(columns)
        .all(|(left, right)| left.order(right).is_eq())
}

/// A header row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// How many headers it stands below.
    level: usize,
    /// The first message in the category.
    first: RowId,
    messages: u32,
    unread: u32,
    expanded: bool,
}

impl Categories {
    /// The first `levels` sort columns make headers, the first `expanded_levels` of them expanded.
    pub fn new(sort: &[SortOrder], levels: u16, expanded_levels: u16) -> Self {
        let by_maximum = match sort.get(usize::from(levels).saturating_sub(1)..) {
            Some([category, next, ..]) if next.order == SortOrder::MAXIMUM_CATEGORY => {
                Some(Direction::from(*category))
            }
            _ => None,
        };
        Self {
            by_maximum,
            levels: levels.into(),
            expanded_levels: expanded_levels.into(),
            toggled: HashSet::new(),
            leaves: Vec::new(),
            headers: HashMap::new(),
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let toggled = self.toggled.len() * 2 * size_of::<u64>();
        let keys: usize = (self.leaves.iter())
            .map(|leaf| {
                let inside: usize = leaf.keys.iter().map(SortKey::heap_bytes).sum();
                size_of_val(&*leaf.keys) + inside
            })
            .sum();
        let headers = self.headers.len() * size_of::<(u64, Header)>();
        size_of_val(&*self.leaves) + keys + headers + toggled
    }

    /// Takes the rows of all messages, in order.
    pub fn set_leaves(&mut self, rows: Vec<KeyedRow>, unread: impl Fn(RowId) -> bool) {
        self.leaves = rows
            .into_iter()
            .map(|(row, keys)| Leaf {
                row,
                keys: keys.map(|keys| keys.into_slice()).unwrap_or_default(),
                unread: unread(row),
            })
            .collect();
        if let Some(direction) = self.by_maximum {
            self.order_by_maximum(direction);
        }
    }

    /// Puts the innermost categories below each header in order of their greatest key.
    fn order_by_maximum(&mut self, direction: Direction) {
        let Some(outer) = self.levels.checked_sub(1) else {
            return;
        };
        for siblings in self
            .leaves
            .chunk_by_mut(|left, right| same(left, right, outer))
        {
            let mut categories: Vec<(SortKey, Vec<Leaf>)> = siblings
                .chunk_by_mut(|left, right| same(left, right, self.levels))
                .map(|leaves| {
                    let keys = leaves.iter().filter_map(|leaf| leaf.keys.get(self.levels));
                    let maximum = keys.max_by(|left, right| left.order(right)).cloned();
                    let leaves = leaves.iter_mut().map(Leaf::take).collect();
                    (maximum.unwrap_or(SortKey::Missing), leaves)
                })
                .collect();
            categories.sort_by(|left, right| direction.order(&left.0, &right.0));
            let ordered = categories.into_iter().flat_map(|(_, leaves)| leaves);
            for (place, leaf) in siblings.iter_mut().zip(ordered) {
                *place = leaf;
            }
        }
    }

    /// Forgets the rows, but not which headers are collapsed.
    pub fn clear(&mut self) {
        self.leaves = Vec::new();
        self.headers = HashMap::new();
    }

    /// Makes the headers anew. What the table shows, in order.
    pub fn visible(&mut self) -> Vec<RowId> {
        self.headers.clear();
        let mut visible = Vec::new();
        // The headers that the current row is below.
        let mut path: Vec<u64> = Vec::with_capacity(self.levels);
        let mut before: &[SortKey] = &[];
        for leaf in &self.leaves {
            let same = (before.iter().zip(&leaf.keys))
                .take(path.len())
                .take_while(|(left, right)| left.order(right).is_eq())
                .count();
            path.truncate(same);
            before = &leaf.keys;
            for level in same..self.levels {
                let id = category_id(leaf.keys.get(..=level).unwrap_or_default());
                let expanded = (level < self.expanded_levels) != self.toggled.contains(&id);
                let header = Header {
                    level,
                    first: leaf.row,
                    messages: 0,
                    unread: 0,
                    expanded,
                };
                if is_shown(&self.headers, &path) {
                    visible.push(header_row(id));
                }
                self.headers.insert(id, header);
                path.push(id);
            }
            for id in &path {
                if let Some(header) = self.headers.get_mut(id) {
                    header.messages += 1;
                    header.unread += u32::from(leaf.unread);
                }
            }
            if is_shown(&self.headers, &path) {
                visible.push(leaf.row);
            }
        }
        visible
    }

    fn header(&self, row: RowId) -> Option<&Header> {
        (row.id & HEADER_BIT != 0)
            .then(|| self.headers.get(&row.id))
            .flatten()
    }

    /// Expands or collapses a header; `ecNotFound`, or `ecNotCollapsed` or `ecNotExpanded`.
    fn check(&self, id: u64, expand: bool) -> Result<RowId, ErrorCode> {
        let header = self.headers.get(&id).ok_or(ErrorCode::NOT_FOUND)?;
        match (expand, header.expanded) {
            (true, true) => Err(ErrorCode::NOT_COLLAPSED),
            (false, false) => Err(ErrorCode::NOT_EXPANDED),
            _ => Ok(header_row(id)),
        }
    }

    /// Headers that are not as their level starts out.
    pub fn toggled(&self) -> impl Iterator<Item = u64> {
        self.toggled.iter().copied()
    }

    /// Says which headers are not as their level starts out.
    pub fn set_toggled(&mut self, ids: impl Iterator<Item = u64>) {
        self.toggled = ids.collect();
    }

    fn toggle(&mut self, id: u64) {
        if !self.toggled.remove(&id) {
            self.toggled.insert(id);
        }
    }
}

/// Whether a row below these headers is shown.
fn is_shown(headers: &HashMap<u64, Header>, path: &[u64]) -> bool {
    path.iter()
        .all(|id| headers.get(id).is_some_and(|header| header.expanded))
}

/// The row that a PidTagInstID names; of a message's rows, the one with this PidTagInstanceNum.
pub fn row_of(inst_id: u64, instance_num: u32) -> RowId {
    if inst_id & REPLID_BITS == 0 {
        header_row(inst_id | HEADER_BIT)
    } else {
        RowId {
            id: Mid::from_u64(inst_id).globcnt().0,
            part: instance_num,
        }
    }
}

fn header_row(id: u64) -> RowId {
    RowId { id, part: 0 }
}

/// PidTagInstID of the header that stands for these values: the same whenever it is made.
fn category_id(keys: &[SortKey]) -> u64 {
    // FNV-1a.
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut put = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    };
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
    (hash | HEADER_BIT) & !REPLID_BITS
}

/// A header as a row: what it counts, and the values that the messages below it share.
struct HeaderRow<'a> {
    id: u64,
    header: &'a Header,
    /// The columns that make headers down to this one.
    columns: &'a [SortOrder],
    first: &'a dyn Searched,
}

impl Properties for HeaderRow<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        let header = self.header;
        Some(match tag {
            PID_TAG_INST_ID => Found::u64(self.id),
            PID_TAG_INSTANCE_NUM => Found::u32(0),
            PID_TAG_INSTANCE_KEY => Found::binary(Key::of(&[&self.id.to_le_bytes()])),
            PID_TAG_ROW_TYPE if header.expanded => Found::i32(row_type::EXPANDED_CATEGORY),
            PID_TAG_ROW_TYPE => Found::i32(row_type::COLLAPSED_CATEGORY),
            PID_TAG_DEPTH => Found::u32(u32::try_from(header.level).unwrap_or(u32::MAX)),
            PID_TAG_CONTENT_COUNT => Found::u32(header.messages),
            PID_TAG_CONTENT_UNREAD_COUNT => Found::u32(header.unread),
            tag if self.columns.iter().any(|order| order.tag.id() == tag.id()) => {
                return self.first.find(tag);
            }
            _ => return None,
        })
    }

    fn tags(&self) -> Vec<PropTag> {
        let shared = self.columns.iter().map(|order| order.tag);
        [
            PID_TAG_INST_ID,
            PID_TAG_INSTANCE_NUM,
            PID_TAG_INSTANCE_KEY,
            PID_TAG_ROW_TYPE,
            PID_TAG_DEPTH,
            PID_TAG_CONTENT_COUNT,
            PID_TAG_CONTENT_UNREAD_COUNT,
        ]
        .into_iter()
        .chain(shared)
        .collect()
    }
}

impl Searched for HeaderRow<'_> {}

/// A message's row below headers.
struct LeafRow<'a> {
    depth: usize,
    leaf: &'a dyn Searched,
}

impl Properties for LeafRow<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        match tag {
            PID_TAG_DEPTH => Some(Found::u32(u32::try_from(self.depth).unwrap_or(u32::MAX))),
            tag => self.leaf.find(tag),
        }
    }

    fn tags(&self) -> Vec<PropTag> {
        self.leaf.tags()
    }
}

impl Searched for LeafRow<'_> {
    fn message(&self) -> Option<MessageView<'_>> {
        self.leaf.message()
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        self.leaf.mailbox()
    }
}

impl TableObject {
    /// Shows a row, and which value of a multi-valued column it has.
    pub(super) fn with_row<T>(
        &self,
        source: &Source<'_>,
        row: RowId,
        need: Need,
        show: impl FnOnce(&dyn Searched, u32) -> T,
    ) -> T {
        let Some(categories) = &self.categories else {
            return source.with_row(row, need, |object| show(object, row.part));
        };
        match categories.header(row) {
            Some(header) => source.with_row(header.first, need, |first| {
                let columns = self.sort.get(..=header.level).unwrap_or_default();
                let row = HeaderRow {
                    id: row.id,
                    header,
                    columns,
                    first,
                };
                show(&row, header.first.part)
            }),
            None => source.with_row(row, need, |leaf| {
                let depth = categories.levels;
                show(&LeafRow { depth, leaf }, row.part)
            }),
        }
    }

    /// Whether a row passes a filter.
    pub(super) fn passes(&self, source: &Source<'_>, filter: &Filter, row: RowId) -> bool {
        self.with_row(source, row, filter.need(), |object, _| {
            source.matches(filter, object)
        })
    }

    /// Expands or collapses a header. Its row, and how many rows came or went.
    pub(super) fn toggle(&mut self, id: u64, expand: bool) -> Result<(RowId, usize), ErrorCode> {
        let categories = self.categories.as_mut().ok_or(ErrorCode::NOT_FOUND)?;
        let row = categories.check(id, expand)?;
        self.columns.as_ref().ok_or(ErrorCode::NULL_OBJECT)?;
        categories.toggle(id);
        let before = self.rows.len();
        if let Err(code) = self.show_categories() {
            if let Some(categories) = &mut self.categories {
                categories.toggle(id);
            }
            return Err(code);
        }
        Ok((row, self.rows.len().abs_diff(before)))
    }

    /// Shows the rows below the headers that are expanded now.
    pub(super) fn show_categories(&mut self) -> Result<(), ErrorCode> {
        if let Some(categories) = &mut self.categories {
            let visible = categories.visible();
            self.rows
                .replace_ordered(visible.into_iter().map(|row| (row, None)));
        }
        self.charge()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::rows::Keys;

    fn leaf(id: u64, keys: &[i64]) -> KeyedRow {
        let keys: Box<[SortKey]> = keys.iter().copied().map(SortKey::Integer).collect();
        (RowId { id, part: 0 }, Some(Keys::Many(keys)))
    }

    /// Headers as their level with a minus sign before it, less one; messages as their ids.
    fn shown(categories: &mut Categories) -> Vec<i64> {
        let visible = categories.visible();
        visible
            .iter()
            .map(|row| match categories.header(*row) {
                Some(header) => -1 - header.level as i64,
                None => row.id as i64,
            })
            .collect()
    }

    fn sample(expanded: u16) -> Categories {
        let mut categories = Categories::new(&[], 2, expanded);
        let rows = vec![
            leaf(1, &[1, 1, 0]),
            leaf(2, &[1, 2, 0]),
            leaf(3, &[1, 2, 5]),
            leaf(4, &[2, 2, 0]),
        ];
        categories.set_leaves(rows, |row| row.id > 2);
        categories
    }

    #[test]
    fn rows_show_below_expanded_headers_alone() {
        assert_eq!(shown(&mut sample(0)), [-1, -1]);
        assert_eq!(shown(&mut sample(1)), [-1, -2, -2, -1, -2]);
        assert_eq!(shown(&mut sample(2)), [-1, -2, 1, -2, 2, 3, -1, -2, 4]);
    }

    #[test]
    fn headers_count_their_messages_and_stay_as_they_are() {
        let mut categories = sample(1);
        let visible = categories.visible();
        let header = *categories.header(visible[0]).unwrap();
        assert_eq!(
            (header.messages, header.unread, header.expanded),
            (3, 1, true)
        );
        let inner = visible[2];
        assert_eq!(categories.header(inner).unwrap().messages, 2);
        assert_eq!(categories.check(inner.id, true), Ok(inner));
        assert_eq!(
            categories.check(inner.id, false),
            Err(ErrorCode::NOT_EXPANDED)
        );
        assert_eq!(categories.check(7, true), Err(ErrorCode::NOT_FOUND));
        categories.toggle(inner.id);
        assert_eq!(shown(&mut categories), [-1, -2, -2, 2, 3, -1, -2]);
        assert_eq!(
            categories.check(inner.id, true),
            Err(ErrorCode::NOT_COLLAPSED)
        );
        // It is the same header when its messages are others.
        categories.set_leaves(vec![leaf(9, &[1, 2, 8])], |_| false);
        assert_eq!(shown(&mut categories), [-1, -2, 9]);
    }

    #[test]
    fn innermost_headers_come_in_the_order_of_their_greatest_key() {
        let order = |order| SortOrder {
            tag: PID_TAG_SUBJECT,
            order,
        };
        for (way, wanted) in [
            (SortOrder::ASCENDING, [3, 1, 2, 4]),
            (SortOrder::DESCENDING, [1, 2, 3, 4]),
        ] {
            let sort = [order(0), order(way), order(SortOrder::MAXIMUM_CATEGORY)];
            let mut categories = Categories::new(&sort, 2, 2);
            let rows = vec![
                leaf(1, &[1, 1, 2]),
                leaf(2, &[1, 1, 9]),
                leaf(3, &[1, 2, 5]),
                leaf(4, &[2, 1, 7]),
            ];
            categories.set_leaves(rows, |_| false);
            let mut ids = shown(&mut categories);
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

    #[test]
    fn messages_and_headers_are_told_apart_by_their_ids() {
        let message = RowId { id: 0x85, part: 2 };
        let mid = crate::ids::mid(ropewalk_props::GlobCnt(message.id)).to_u64();
        assert_eq!(row_of(mid, 2), message);
        let header = header_row(category_id(&[SortKey::Integer(5)]));
        assert_eq!(row_of(header.id, 0), header);
    }
}
