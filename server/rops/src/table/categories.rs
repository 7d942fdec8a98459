//! Categories: the header rows of a contents table whose rows are grouped by what they are sorted
//! by (MS-OXCTABL 2.2.1.3, 2.2.2.3.1).
//!
//! The table shows the rows whose headers are all expanded, and the headers. Headers stay collapsed or
//! expanded while messages come and go.

use std::{collections::HashSet, sync::Arc};

use ropewalk_props::{PropTag, tags::*};
use ropewalk_store::Mailbox;
use ropewalk_wire::{ErrorCode, Mid, sort::SortOrder};

use super::{
    TableObject,
    filter::{Filter, Need, Searched},
    grouping::{Group, Grouping, HEADER_BIT, Levels, REPLID_BITS, header_row},
    order::Order,
    rows::{Direction, RowId},
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

/// The grouping of a table, and which headers are expanded.
#[derive(Debug)]
pub struct Categories {
    levels: Levels,
    /// Headers that are not as their level starts out.
    toggled: HashSet<u64>,
    grouping: Arc<Grouping>,
}

/// A header row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    group: Group,
    /// The first message in the category.
    first: RowId,
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
            levels: Levels {
                all: levels.into(),
                expanded: expanded_levels.into(),
                by_maximum,
            },
            toggled: HashSet::new(),
            grouping: Arc::default(),
        }
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        let toggled = self.toggled.len() * 2 * size_of::<u64>();
        self.grouping.bytes() + toggled
    }

    /// How rows are grouped.
    pub fn levels(&self) -> Levels {
        self.levels
    }

    /// Says how many levels of headers start out expanded; the rows must be made anew then.
    pub fn set_expanded_levels(&mut self, expanded: usize) {
        self.levels.expanded = expanded.min(self.levels.all);
    }

    /// The header that a row is to be found below as long as it does not show.
    pub fn hiding(&self, row: RowId) -> Option<RowId> {
        let hiding = (self.grouping.above(row)?).find(|group| !self.is_expanded(group))?;
        (hiding.id != row.id).then(|| header_row(hiding.id))
    }

    /// Takes the rows of all messages.
    pub fn set_grouping(&mut self, grouping: Arc<Grouping>) {
        self.grouping = grouping;
    }

    /// Forgets the rows, but not which headers are collapsed.
    pub fn clear(&mut self) {
        self.grouping = Arc::default();
    }

    /// What the table shows, in order.
    pub fn visible(&self) -> Arc<Order> {
        if self.toggled.is_empty() {
            return Arc::clone(self.grouping.shown());
        }
        Arc::new(self.grouping.show(|group| self.is_expanded(group)))
    }

    fn is_expanded(&self, group: &Group) -> bool {
        (group.level < self.levels.expanded) != self.toggled.contains(&group.id)
    }

    fn header(&self, row: RowId) -> Option<Header> {
        if row.id & HEADER_BIT == 0 {
            return None;
        }
        let group = self.grouping.get(row.id)?;
        Some(Header {
            group: *group,
            first: self.grouping.first(group)?,
            expanded: self.is_expanded(group),
        })
    }

    /// Expands or collapses a header; `ecNotFound`, or `ecNotCollapsed` or `ecNotExpanded`.
    fn check(&self, id: u64, expand: bool) -> Result<RowId, ErrorCode> {
        let group = self.grouping.get(id).ok_or(ErrorCode::NOT_FOUND)?;
        match (expand, self.is_expanded(group)) {
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

/// A header as a row: what it counts, and the values that the messages below it share.
struct HeaderRow<'a> {
    header: Header,
    /// The columns that make headers down to this one.
    columns: &'a [SortOrder],
    first: &'a dyn Searched,
}

impl Properties for HeaderRow<'_> {
    fn find(&self, tag: PropTag) -> Option<Found<'_>> {
        let (header, group) = (self.header, self.header.group);
        Some(match tag {
            PID_TAG_INST_ID => Found::u64(group.id),
            PID_TAG_INSTANCE_NUM => Found::u32(0),
            PID_TAG_INSTANCE_KEY => Found::binary(Key::of(&[&group.id.to_le_bytes()])),
            PID_TAG_ROW_TYPE if header.expanded => Found::i32(row_type::EXPANDED_CATEGORY),
            PID_TAG_ROW_TYPE => Found::i32(row_type::COLLAPSED_CATEGORY),
            PID_TAG_DEPTH => Found::u32(u32::try_from(group.level).unwrap_or(u32::MAX)),
            PID_TAG_CONTENT_COUNT => Found::u32(group.messages()),
            PID_TAG_CONTENT_UNREAD_COUNT => Found::u32(group.unread),
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

    fn find_start(&self, tag: PropTag, max: usize) -> Option<Found<'_>> {
        match tag {
            PID_TAG_DEPTH => self.find(tag),
            tag => self.leaf.find_start(tag, max),
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
                let columns = self.sort.get(..=header.group.level).unwrap_or_default();
                let row = HeaderRow {
                    header,
                    columns,
                    first,
                };
                show(&row, header.first.part)
            }),
            None => source.with_row(row, need, |leaf| {
                let depth = categories.levels.all;
                show(&LeafRow { depth, leaf }, row.part)
            }),
        }
    }

    /// Whether a row passes a filter.
    pub(super) fn passes(&self, source: &Source<'_>, filter: &Filter, row: RowId) -> bool {
        self.with_row(source, row, filter.need(), |object, part| {
            source.matches_part(filter, object, self.expanded, part)
        })
    }

    /// Expands or collapses a header. Its row, and how many rows came or went.
    pub(super) fn toggle(&mut self, id: u64, expand: bool) -> Result<(RowId, usize), ErrorCode> {
        // MS-OXCTABL 3.2.5.2: whatever the header, there is none before RopSetColumns.
        self.columns()?;
        let categories = self.categories.as_mut().ok_or(ErrorCode::NOT_FOUND)?;
        let row = categories.check(id, expand)?;
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
        if let Some(categories) = &self.categories {
            self.rows.replace(categories.visible());
        }
        self.charge()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{
        compare::SortKey,
        rows::{Directions, Keys},
    };

    /// One message in the category of each key.
    fn grouping(keys: &[i64]) -> Arc<Grouping> {
        let leaf = |(id, key): (u64, &i64)| {
            let keys = Keys::One(SortKey::Integer(*key));
            (RowId { id, part: 0 }, Some(keys))
        };
        let leaves = Order::of(Directions::default(), (1..).zip(keys).map(leaf));
        let levels = Categories::new(&[], 1, 1).levels();
        Arc::new(Grouping::new(Arc::new(leaves), levels, |_| false))
    }

    #[test]
    fn a_header_stays_as_it_is_when_its_messages_are_others() {
        let mut categories = Categories::new(&[], 1, 1);
        categories.set_grouping(grouping(&[5, 6]));
        let header = categories.visible().iter().next().unwrap();
        assert!(categories.header(header).unwrap().expanded);
        assert_eq!(categories.check(header.id, false), Ok(header));
        assert_eq!(
            categories.check(header.id, true),
            Err(ErrorCode::NOT_COLLAPSED)
        );
        assert_eq!(categories.check(7, true), Err(ErrorCode::NOT_FOUND));
        categories.toggle(header.id);
        assert_eq!(categories.visible().len(), 3);
        categories.set_grouping(grouping(&[5, 5, 6]));
        assert_eq!(categories.visible().len(), 3);
        assert_eq!(categories.header(header).unwrap().group.messages(), 2);
        assert_eq!(
            categories.check(header.id, false),
            Err(ErrorCode::NOT_EXPANDED)
        );
        categories.toggle(header.id);
        assert_eq!(categories.visible().len(), 5);
    }

    #[test]
    fn messages_and_headers_are_told_apart_by_their_ids() {
        let message = RowId { id: 0x85, part: 2 };
        let mid = crate::ids::mid(ropewalk_props::GlobCnt(message.id)).to_u64();
        assert_eq!(row_of(mid, 2), message);
        let mut categories = Categories::new(&[], 1, 0);
        categories.set_grouping(grouping(&[5]));
        let header = categories.visible().iter().next().unwrap();
        assert_eq!(row_of(header.id, 0), header);
    }
}
