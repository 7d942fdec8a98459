//! Table objects: rows over a folder's messages, its subfolders or a message's attachments
//! (MS-OXCTABL).
//!
//! A table is live: before a ROP looks at rows, the table takes in what changed since it last did
//! (MS-OXCTABL 1.3: tables reflect changes of their objects). The cursor and the bookmarks stay on
//! their rows meanwhile, which is what clients count on who delete what they page through, and what
//! RowNoLongerVisible is about. Within one ROP the rows are an immutable snapshot. Taking changes in
//! costs as much as the changes: the store's snapshots of a folder share what is alike in them.

pub mod categories;
pub mod cells;
pub mod collapse;
pub mod columns;
pub mod compare;
mod conversations;
pub mod filter;
pub mod find;
mod gathered;
mod grouping;
mod kept;
mod members;
pub mod message_row;
#[cfg(test)]
mod model_tests;
pub mod open;
pub mod order;
pub mod position;
pub mod query;
pub mod restrict;
pub mod rows;
mod source;
#[cfg(test)]
mod tests;
mod visible;

use ropewalk_props::{GlobCnt, PropTag};
use ropewalk_store::{Contents, ContentsView};
use ropewalk_wire::{ErrorCode, sort::SortOrder};

use self::{
    categories::Categories,
    conversations::ConversationId,
    filter::{Filter, Need},
    kept::By,
    rows::{Direction, Directions, Rows},
};
use crate::{
    budget::Share,
    exec::{Exec, Fail},
    rights::Viewer,
};

/// An open table.
pub struct TableObject {
    kind: TableKind,
    /// `None` before the first RopSetColumns, and after one that failed.
    columns: Option<Box<[PropTag]>>,
    /// What the columns show of a message.
    columns_need: Need,
    filter: Option<Filter>,
    sort: Box<[SortOrder]>,
    /// The grouping by the first of them; `None` for a table without header rows.
    categories: Option<Box<Categories>>,
    /// The multi-valued property of which every value makes a row of its own.
    expanded: Option<PropTag>,
    rows: Rows,
    /// What `rows` was made from.
    seen: Seen,
    /// Whom `rows` was made for.
    viewer: Viewer,
    /// The RestrictionData that the filter was made of; empty without one.
    restriction: Box<[u8]>,
    /// The code page of its PtypString8 values.
    code_page: u16,
    /// Whether RopResetTable made bookmarks invalid.
    was_reset: bool,
    share: Share,
}

/// What a table is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// The messages of a folder.
    Contents {
        /// The folder.
        folder: GlobCnt,
        /// Which of its messages.
        view: ContentsView,
    },
    /// What a search folder has found.
    Search {
        /// The search folder.
        folder: GlobCnt,
    },
    /// The messages of a conversation, from all folders of the mailbox.
    Members {
        /// The conversation; `None` before RopRestrict names one.
        conversation: Option<ConversationId>,
    },
    /// The folders below a folder.
    Hierarchy {
        /// The folder.
        folder: GlobCnt,
        /// All of them, not only the direct ones.
        deep: bool,
        /// The soft-deleted ones instead.
        deleted: bool,
    },
    /// The rules of a folder.
    Rules {
        /// The folder.
        folder: GlobCnt,
        /// Whether strings in conditions and actions are told in Unicode (TableFlags, MS-OXORULE
        /// 2.2.2.1).
        unicode: bool,
    },
    /// The permissions list of a folder.
    Permissions {
        /// The folder.
        folder: GlobCnt,
        /// Whether the free/busy rights are shown.
        free_busy: bool,
    },
    /// The attachments of an open message.
    Attachments {
        /// The message's handle.
        message: u32,
    },
}

impl TableKind {
    /// Whether its rows are messages.
    pub fn is_contents(self) -> bool {
        matches!(
            self,
            Self::Contents { .. } | Self::Search { .. } | Self::Members { .. }
        )
    }

    /// Whether its cells hold values as long as they are: what a client cannot open to see the rest
    /// of.
    pub fn has_whole_cells(self) -> bool {
        matches!(self, Self::Rules { .. } | Self::Permissions { .. })
    }
}

/// The moment that a table's rows are of.
#[derive(Debug, Default)]
enum Seen {
    /// The rows must be made anew.
    #[default]
    Nothing,
    /// A folder's messages.
    Contents(Contents),
    /// A mailbox's folders, by their version, or what one of them keeps.
    Folders(u64),
}

impl TableObject {
    /// A table in its first state: no columns, no restriction, in order of id or name.
    pub fn new(kind: TableKind, share: Share) -> Self {
        Self {
            kind,
            columns: None,
            columns_need: Need::Entry,
            filter: None,
            sort: Box::default(),
            categories: None,
            expanded: None,
            rows: Rows::default(),
            seen: Seen::Nothing,
            viewer: Viewer::OWNER,
            restriction: Box::default(),
            code_page: 0,
            was_reset: false,
            share,
        }
    }

    /// Takes what the table keeps in memory from its session's budget. `ecMAPIOOM`, and a table
    /// without rows, if there is not as much left.
    fn charge(&mut self) -> Result<(), ErrorCode> {
        /// Bytes of a filter for each byte of its restriction, at most.
        const FILTER_FACTOR: usize = 32;
        let columns = self
            .columns
            .as_ref()
            .map_or(0, |columns| size_of_val(&**columns));
        let filter = self.restriction.len().saturating_mul(FILTER_FACTOR);
        let categories = self.categories.as_ref().map_or(0, |made| made.bytes());
        let rows = self.rows.bytes() + categories;
        self.share
            .resize(columns + filter + rows)
            .inspect_err(|_| self.reset_rows())
    }

    /// What the order of its rows is made by.
    fn by(&self, viewer: Viewer) -> By<'_> {
        By {
            sort: &self.sort,
            restriction: &self.restriction,
            code_page: self.code_page,
            viewer,
        }
    }

    /// Shows all rows again.
    fn lift_restriction(&mut self) {
        if let TableKind::Members { conversation } = &mut self.kind {
            *conversation = None;
        }
        self.filter = None;
        self.restriction = Box::default();
        self.code_page = 0;
    }

    /// The columns; `ecNullObject` before RopSetColumns (MS-OXCTABL 3.2.5.2).
    fn columns(&self) -> Result<&[PropTag], ErrorCode> {
        self.columns.as_deref().ok_or(ErrorCode::NULL_OBJECT)
    }

    /// What a ROP that goes by a bookmark asks of its table: columns, as RopQueryRows does. A
    /// bookmark from before RopResetTable is invalid (MS-OXCTABL 3.2.5.10, 3.2.5.14), whether or
    /// not RopSetColumns came again.
    fn needs_columns_or_reset(&self) -> Result<(), ErrorCode> {
        if self.was_reset {
            Ok(())
        } else {
            self.columns().map(|_| ())
        }
    }

    /// Starts again at the beginning, without rows and bookmarks.
    fn reset_rows(&mut self) {
        self.seen = Seen::Nothing;
        if let Some(categories) = &mut self.categories {
            categories.clear();
        }
        let columns = self.sort.iter().copied().map(Direction::from);
        self.rows.reset(Directions {
            columns: columns.collect(),
        });
    }
}

/// Runs a ROP on its table, with everything else of the session at hand. `ecNotSupported` if the
/// object is not a table.
fn with_table<'e, T>(
    exec: &mut Exec<'e>,
    run: impl FnOnce(&mut Exec<'e>, &mut TableObject) -> Result<T, Fail>,
) -> Result<T, Fail> {
    let handle = exec.handle_at(exec.handle_index)?;
    let mut table = exec.session.objects.take_table(handle, exec.logon_id)?;
    let result = run(exec, &mut table);
    exec.session.objects.put_back(handle, exec.logon_id, table);
    result
}
