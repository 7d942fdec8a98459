//! Where a table's rows come from, and how the table keeps up with it.

use std::{collections::HashSet, sync::Arc};

use ropewalk_props::{GlobCnt, PropTag, PropType, ValueRef};
use ropewalk_store::{Contents, ContentsChange, Mailbox, MessageEntry, Store, StoredMessage, User};
use ropewalk_wire::{ErrorCode, sort::SortOrder};

use super::{
    Seen, TableKind, TableObject, cells,
    compare::SortKey,
    filter::{Filter, InstanceRow, Need, Searched, stored_type},
    grouping::{Grouping, Levels},
    kept::{By, Kept},
    members,
    message_row::MessageRow,
    order::{Leaving, Order},
    rows::{KeyedRow, Keys, RowId, Rows},
    visible,
};
use crate::{
    attachment::AttachmentProperties,
    context::Session,
    exec::{Exec, blocking},
    folder::{current, properties::FolderProperties},
    limits::{INSTANCES_BYTES_MAX, INSTANCES_MAX, SESSION_BYTES_MAX},
    object::LogonObject,
    property::value::{Found, Properties, convertible},
    public::reads,
    rights::{
        Access, Rights, Viewer,
        messages::{MessageAccess, is_creator},
        table::{PermissionRow, rows as permissions},
    },
    rules::{self, Rule, RuleRow},
    search,
    view::MessageView,
};

/// Messages whose rows take so long to make that other requests get the thread meanwhile.
const MANY: usize = 4096;

/// Changes that are taken in at once.
const FEW: usize = 64;

/// The objects behind a table's rows, at one moment.
pub struct Source<'a> {
    store: &'a Store,
    logon: &'a LogonObject,
    mailbox: &'a Mailbox,
    user: &'a User,
    viewer: Viewer,
    /// Whether what the user may do with a message depends on who created it.
    by_creator: bool,
    rows: SourceRows<'a>,
}

enum SourceRows<'a> {
    Contents(Contents),
    Hierarchy {
        folder: GlobCnt,
        deep: bool,
        deleted: bool,
    },
    Rules {
        rules: Vec<Rule>,
        version: u64,
    },
    Permissions {
        rows: Vec<PermissionRow>,
        version: u64,
    },
    Attachments(MessageView<'a>),
}

impl<'a> Source<'a> {
    /// The objects as of now. `ecNotFound` if the folder is gone, and what looking a handle up
    /// fails with if the message is; `ecAccessDenied` for a permissions list that the user may not
    /// see.
    pub fn new(session: &'a Session, logon_id: u8, kind: TableKind) -> Result<Self, ErrorCode> {
        let logon = session
            .logons
            .get(&logon_id)
            .ok_or(ErrorCode::NULL_OBJECT)?;
        let viewer = Viewer {
            access: logon.access,
            rights: rights(logon, kind)?,
        };
        let rows = match kind {
            TableKind::Contents { folder, view } => {
                SourceRows::Contents(reads::contents(&logon.mailbox, logon.access, folder, view)?)
            }
            TableKind::Search { folder } => {
                SourceRows::Contents(search::contents(&session.store, logon, folder)?)
            }
            TableKind::Members { conversation: None } => SourceRows::Contents(Contents::default()),
            TableKind::Members {
                conversation: Some(conversation),
            } => SourceRows::Contents(members::contents(logon, conversation)?),
            TableKind::Hierarchy {
                folder,
                deep,
                deleted,
            } => {
                if logon.mailbox.is_folder_deleted(folder).is_none() {
                    return Err(ErrorCode::NOT_FOUND);
                }
                SourceRows::Hierarchy {
                    folder,
                    deep,
                    deleted,
                }
            }
            TableKind::Rules { folder, unicode } => {
                // Asked first: what changes meanwhile is taken in next time.
                let version = logon.mailbox.folders_version();
                let folder = current(&logon.mailbox, folder)?;
                let mut rules = rules::of(&session.store, &*folder.props)?;
                if !unicode {
                    let narrowed = |rule| rules::strings::narrowed(rule, session.code_page);
                    rules = rules.into_iter().map(narrowed).collect();
                }
                SourceRows::Rules { rules, version }
            }
            TableKind::Permissions { folder, free_busy } => {
                let version = logon.mailbox.folders_version();
                let found = current(&logon.mailbox, folder)?;
                let rows = permissions(&session.store, &found, free_busy);
                SourceRows::Permissions { rows, version }
            }
            TableKind::Attachments { message } => {
                let message = session.objects.get(message, logon_id)?.message()?;
                SourceRows::Attachments(message.view())
            }
        };
        Ok(Self {
            store: &session.store,
            logon,
            mailbox: &logon.mailbox,
            user: &session.user,
            viewer,
            by_creator: !logon.is_owner() && MessageAccess::whoever_owns(viewer.rights).is_none(),
            rows,
        })
    }

    /// Who looks.
    pub fn viewer(&self) -> Viewer {
        self.viewer
    }

    /// What the user may do with a message with this content.
    fn access(&self, content: Option<&StoredMessage>) -> MessageAccess {
        if self.viewer.access == Access::Owner {
            return MessageAccess::ALL;
        }
        let is_own = |content: &StoredMessage| is_creator(self.user, &content.view().props);
        MessageAccess::of(
            self.viewer.rights,
            self.by_creator && content.is_some_and(is_own),
        )
    }

    /// A message as a row.
    fn row<'r>(
        &'r self,
        entry: &'r MessageEntry,
        content: Option<&'r StoredMessage>,
        part: u32,
    ) -> MessageRow<'r> {
        let at = (Some(self.store), self.mailbox);
        MessageRow::new(at, entry, content, part, self.access(content))
    }

    /// The messages of a folder, and what is kept of them; `None` for another table.
    pub fn kept(&self) -> Option<(&Contents, Arc<Kept>)> {
        match &self.rows {
            SourceRows::Contents(contents) => Some((contents, contents.companion()?)),
            _ => None,
        }
    }

    /// Shows the object of a row; of a message, what is needed. What was lost meanwhile shows no
    /// properties.
    pub fn with_row<T>(&self, row: RowId, need: Need, show: impl FnOnce(&dyn Searched) -> T) -> T {
        match &self.rows {
            SourceRows::Contents(contents) => match contents.get(GlobCnt(row.id)) {
                Some(entry) => {
                    let content = self.content(entry, need);
                    show(&self.row(entry, content.as_ref(), row.part))
                }
                None => show(&Lost),
            },
            SourceRows::Hierarchy { .. } => match self.mailbox.folder(GlobCnt(row.id)) {
                Some(folder) => show(&FolderProperties {
                    store: self.store,
                    mailbox: self.mailbox,
                    folder: &folder,
                    depth: row.part,
                    access: self.viewer.access,
                }),
                None => show(&Lost),
            },
            SourceRows::Rules { rules, .. } => {
                let rule = rules.iter().find(|rule| rule.id.cast_unsigned() == row.id);
                match rule {
                    Some(rule) => show(&RuleRow(rule)),
                    None => show(&Lost),
                }
            }
            SourceRows::Permissions { rows, .. } => {
                let found = rows.iter().find(|known| known.who.member_id() == row.id);
                match found {
                    Some(found) => show(found),
                    None => show(&Lost),
                }
            }
            SourceRows::Attachments(message) => {
                let number = u32::try_from(row.id).ok();
                match number.and_then(|number| message.attachment(number)) {
                    Some(view) => show(&AttachmentProperties {
                        mailbox: self.mailbox,
                        view,
                        writable: true,
                    }),
                    None => show(&Lost),
                }
            }
        }
    }

    fn content(&self, entry: &MessageEntry, need: Need) -> Option<StoredMessage> {
        let needed = (self.by_creator || need.content_of(entry)) && entry.has_content();
        needed.then(|| self.read(entry)).flatten()
    }

    /// A message's content. One that cannot be read must not take its whole folder with it.
    fn read(&self, entry: &MessageEntry) -> Option<StoredMessage> {
        let content = self.mailbox.read_message(entry);
        content
            .inspect_err(|error| {
                tracing::error!(%error, id = entry.id.0, "a message in a table cannot be read");
            })
            .ok()
    }

    /// Whether an object of a row passes a filter.
    pub fn passes(&self, filter: &Filter, row: RowId) -> bool {
        self.with_row(row, filter.need(), |object| self.matches(filter, object))
    }

    /// Whether an object passes a filter.
    pub fn matches(&self, filter: &Filter, object: &dyn Searched) -> bool {
        filter.matches(self.store, object)
    }

    /// Whether a row of a table that is `expanded` passes a filter: the one for the value at `part`.
    pub fn matches_part(
        &self,
        filter: &Filter,
        object: &dyn Searched,
        expanded: Option<PropTag>,
        part: u32,
    ) -> bool {
        match expanded {
            Some(tag) => {
                let id = tag.id();
                self.matches(filter, &InstanceRow { object, id, part })
            }
            None => self.matches(filter, object),
        }
    }
}

/// The user's rights on what a table is over, if they are enough to read it: `ecAccessDenied` else.
fn rights(logon: &LogonObject, kind: TableKind) -> Result<Rights, ErrorCode> {
    if logon.is_owner() {
        return Ok(Rights::OWNER);
    }
    let (folder, needed) = match kind {
        TableKind::Contents { folder, .. } | TableKind::Hierarchy { folder, .. } => {
            (folder, Rights::FOLDER_VISIBLE)
        }
        // MS-OXCPERM 3.2.5.1.
        TableKind::Permissions { folder, .. } | TableKind::Rules { folder, .. } => {
            (folder, Rights::FOLDER_OWNER)
        }
        TableKind::Search { folder } => {
            let seen = logon.rights(folder)?.contains(Rights::FOLDER_VISIBLE);
            return if seen {
                Ok(Rights::READ_ANY)
            } else {
                Err(ErrorCode::ACCESS_DENIED)
            };
        }
        // Messages that may be read, of folders on which the rights are not the same.
        TableKind::Members { .. } | TableKind::Attachments { .. } => return Ok(Rights::READ_ANY),
    };
    let rights = logon.rights(folder)?;
    if rights.contains(needed) {
        Ok(rights)
    } else {
        Err(ErrorCode::ACCESS_DENIED)
    }
}

/// An object that is not there any more.
struct Lost;

impl Properties for Lost {
    fn find(&self, _: PropTag) -> Option<Found<'_>> {
        None
    }

    fn tags(&self) -> Vec<PropTag> {
        Vec::new()
    }
}

impl Searched for Lost {}

impl Searched for FolderProperties<'_> {
    fn mailbox(&self) -> Option<&Mailbox> {
        Some(self.mailbox)
    }
}

impl TableObject {
    /// Takes in what changed since the rows were last looked at. `ecMAPIOOM` if the session's
    /// budget has no room for the rows.
    pub(super) fn refresh(&mut self, source: &Source<'_>) -> Result<(), ErrorCode> {
        if self.viewer != source.viewer {
            self.viewer = source.viewer;
            self.seen = Seen::Nothing;
        }
        match (&source.rows, &self.seen) {
            (SourceRows::Contents(now), Seen::Contents(seen)) if seen.is_same(now) => Ok(()),
            (SourceRows::Contents(now), _) if now.len() >= MANY && !self.is_quick(source, now) => {
                blocking(|| self.refresh_now(source))
            }
            _ => self.refresh_now(source),
        }
    }

    /// Whether the rows of many messages are at hand all the same, but for a few.
    fn is_quick(&self, source: &Source<'_>, now: &Contents) -> bool {
        if self.expanded.is_some() || self.filter.as_ref().is_some_and(Filter::counts) {
            return false;
        }
        // Headers are made anew with each change.
        let few = if self.categories.is_some() { 1 } else { FEW };
        now.companion::<Kept>()
            .is_some_and(|kept| kept.orders.is_near(self.by(source.viewer), now, few))
    }

    /// Whether giving the table back takes no time: it has few rows, or others keep them.
    pub fn is_dropped_soon(&self) -> bool {
        self.rows.len() < MANY || Arc::strong_count(self.rows.order()) > 1
    }

    /// Whether the messages behind a contents table of the user's own are in memory.
    pub(super) fn is_in_memory(&self, exec: &Exec<'_>) -> Result<bool, ErrorCode> {
        let logon = exec.logon()?;
        Ok(match self.kind {
            TableKind::Contents { folder, .. } => {
                logon.is_owner() && logon.mailbox.has_contents(folder)
            }
            TableKind::Members {
                conversation: Some(conversation),
            } => members::at_hand(logon, conversation).is_some(),
            _ => false,
        })
    }

    /// Whether the rows are there as they are now, so that [`TableObject::refresh`] takes no time.
    pub(super) fn is_at_hand(&self, source: &Source<'_>) -> bool {
        let SourceRows::Contents(now) = &source.rows else {
            return false;
        };
        if self.viewer == source.viewer
            && matches!(&self.seen, Seen::Contents(seen) if seen.is_same(now))
        {
            return true;
        }
        if self.expanded.is_some() || self.filter.as_ref().is_some_and(Filter::counts) {
            return false;
        }
        let Some(kept) = now.companion::<Kept>() else {
            return false;
        };
        let by = self.by(source.viewer);
        match &self.categories {
            Some(categories) => {
                let levels = categories.levels();
                let levels = (levels.all, levels.expanded);
                kept.groupings.is_there(by, levels, now)
            }
            None => kept.orders.is_near(by, now, 1),
        }
    }

    fn refresh_now(&mut self, source: &Source<'_>) -> Result<(), ErrorCode> {
        match &source.rows {
            SourceRows::Contents(now) => {
                let made = RowMaker {
                    source,
                    filter: self.filter.as_ref(),
                    by: By {
                        sort: &self.sort,
                        restriction: &self.restriction,
                        code_page: self.code_page,
                        viewer: source.viewer,
                    },
                    expanded: self.expanded,
                    need: Need::most(
                        self.expanded
                            .into_iter()
                            .chain(self.sort.iter().map(|order| order.tag))
                            .map(Need::of),
                    ),
                };
                match (&self.seen, &mut self.categories) {
                    // Its headers depend on all rows.
                    (_, Some(categories)) => {
                        let grouping = made.kept_grouping(now, &self.rows, categories.levels())?;
                        categories.set_grouping(grouping);
                        self.rows.replace(categories.visible());
                    }
                    (Seen::Contents(_), None) if made.rows_are_independent() => {
                        let order = made.kept_order(now, &self.rows)?;
                        self.rows.advance(order, made.locate(now));
                    }
                    (_, None) => self.rows.replace(made.order(now, &self.rows)?),
                }
                self.seen = Seen::Contents(now.clone());
                self.charge()?;
            }
            SourceRows::Hierarchy {
                folder,
                deep,
                deleted,
            } => {
                let version = source.mailbox.folders_version();
                if matches!(self.seen, Seen::Folders(seen) if seen == version) {
                    return Ok(());
                }
                let all = visible::hierarchy(source.logon, *folder, *deep, *deleted);
                let rows = all.into_iter().map(|(id, depth)| RowId {
                    id: id.0,
                    part: depth,
                });
                self.replace_filtered(source, rows);
                self.seen = Seen::Folders(version);
                self.charge()?;
            }
            SourceRows::Rules { rules, version } => {
                if matches!(self.seen, Seen::Folders(seen) if seen == *version) {
                    return Ok(());
                }
                let rows = rules.iter().map(|rule| RowId {
                    id: rule.id.cast_unsigned(),
                    part: 0,
                });
                self.replace_filtered(source, rows);
                self.seen = Seen::Folders(*version);
                self.charge()?;
            }
            SourceRows::Permissions { rows, version } => {
                if matches!(self.seen, Seen::Folders(seen) if seen == *version) {
                    return Ok(());
                }
                let rows = rows.iter().map(|row| RowId {
                    id: row.who.member_id(),
                    part: 0,
                });
                self.replace_filtered(source, rows);
                self.seen = Seen::Folders(*version);
                self.charge()?;
            }
            SourceRows::Attachments(message) => {
                let numbers = message.attachments().map(|attachment| attachment.number());
                let rows = numbers.map(|number| RowId {
                    id: number.into(),
                    part: 0,
                });
                self.replace_filtered(source, rows);
            }
        }
        Ok(())
    }

    fn replace_filtered(&mut self, source: &Source<'_>, rows: impl Iterator<Item = RowId>) {
        if let Some(filter) = &self.filter {
            filter.restart();
        }
        let passes = |row: &RowId| {
            self.filter
                .as_ref()
                .is_none_or(|filter| source.passes(filter, *row))
        };
        let rows: Vec<RowId> = rows.filter(passes).collect();
        self.rows
            .replace_ordered(rows.into_iter().map(|row| (row, None)));
    }
}

/// Makes the rows of a contents table from messages.
struct RowMaker<'a> {
    source: &'a Source<'a>,
    filter: Option<&'a Filter>,
    by: By<'a>,
    expanded: Option<PropTag>,
    /// What orders and expands rows.
    need: Need,
}

impl RowMaker<'_> {
    /// Whether a message has one row or none, whatever the others are like.
    fn rows_are_independent(&self) -> bool {
        self.expanded.is_none() && !self.filter.is_some_and(Filter::counts)
    }

    /// The order of the rows.
    fn order(&self, now: &Contents, rows: &Rows) -> Result<Arc<Order>, ErrorCode> {
        if self.rows_are_independent() {
            return self.kept_order(now, rows);
        }
        let order = Order::of(rows.directions().clone(), self.sorted(now, rows)?);
        Ok(Arc::new(order))
    }

    /// The order of rows that are independent, which tables of the folder have in common.
    fn kept_order(&self, now: &Contents, rows: &Rows) -> Result<Arc<Order>, ErrorCode> {
        let make = || {
            let directions = rows.directions().clone();
            if !self.by.sort.is_empty() || self.filter.is_some() || self.source.by_creator {
                return Ok(Order::of(directions, self.sorted(now, rows)?));
            }
            // Messages come in order of id, which is the order of a table that is not sorted.
            let ids = now.iter().map(|entry| entry.id.0);
            let rows = ids.map(|id| (RowId { id, part: 0 }, None));
            Ok(Order::of(directions, rows))
        };
        let update = |order: &mut Order, seen: &Contents| {
            let (leaving, added) = self.changes(seen, now);
            order.change(leaving, added);
        };
        match now.companion::<Kept>() {
            Some(kept) => kept.orders.get(self.by, now, make, update),
            None => make().map(Arc::new),
        }
    }

    /// The rows in groups, which tables of the folder have in common if the rows are independent.
    fn kept_grouping(
        &self,
        now: &Contents,
        rows: &Rows,
        levels: Levels,
    ) -> Result<Arc<Grouping>, ErrorCode> {
        let make = || {
            let order = self.order(now, rows)?;
            let unread = now.iter().filter(|entry| !entry.read);
            let unread: HashSet<u64> = unread.map(|entry| entry.id.0).collect();
            let is_unread = |row: RowId| unread.contains(&row.id);
            Ok(Grouping::new(order, levels, is_unread))
        };
        match now.companion::<Kept>() {
            Some(kept) if self.rows_are_independent() => {
                let levels = (levels.all, levels.expanded);
                kept.groupings.get(self.by, levels, now, make)
            }
            _ => make().map(Arc::new),
        }
    }

    /// Finds a message's row in an order of `now`.
    fn locate<'a>(&'a self, now: &'a Contents) -> impl Fn(&Order, RowId) -> Option<usize> + 'a {
        move |order, row| {
            let mut made = Vec::new();
            self.make(now.get(GlobCnt(row.id))?, true, &mut made);
            let found = made.iter().find(|(made, _)| *made == row)?;
            order.find((&found.0, found.1.as_ref()))
        }
    }

    /// The rows that go, and those that come.
    fn changes(&self, seen: &Contents, now: &Contents) -> (Vec<Leaving>, Vec<KeyedRow>) {
        let mut leaving = Vec::new();
        let mut added = Vec::new();
        for change in now.changes_since(seen) {
            match change {
                ContentsChange::Added(entry) => self.make(entry, true, &mut added),
                ContentsChange::Changed(entry) => {
                    leaving.push(self.leaving(seen, entry.id));
                    self.make(entry, true, &mut added);
                }
                ContentsChange::Removed(id) => leaving.push(self.leaving(seen, id)),
            }
        }
        (leaving, added)
    }

    fn leaving(&self, seen: &Contents, id: GlobCnt) -> Leaving {
        // The content of what is not there any more may not be there either.
        let is_known =
            |entry: &&MessageEntry| !self.source.by_creator && !self.need.content_of(entry);
        let keys = seen.get(id).filter(is_known).map(|entry| {
            let row = self.source.row(entry, None, 0);
            self.keys(&row, 0)
        });
        Leaving { id: id.0, keys }
    }

    /// All rows in the table's order. The first matches of a restriction are meant as the table has
    /// them.
    ///
    /// `ecMAPIOOM` for more than a session may keep: that is found out before all are made.
    fn sorted(&self, now: &Contents, rows: &Rows) -> Result<Vec<KeyedRow>, ErrorCode> {
        let counting = self.filter.filter(|filter| filter.counts());
        let mut made = Vec::new();
        let mut bytes = 0;
        let mut make = |entry| {
            let before = made.len();
            self.make(entry, counting.is_none(), &mut made);
            let new = made.get(before..).unwrap_or_default();
            bytes += new.iter().map(row_bytes).sum::<usize>();
            if bytes > SESSION_BYTES_MAX {
                return Err(ErrorCode::NOT_ENOUGH_MEMORY);
            }
            Ok(())
        };
        match self.candidates(now) {
            Some(some) => some
                .into_iter()
                .filter_map(|id| now.get(id))
                .try_for_each(&mut make)?,
            None => now.iter().try_for_each(&mut make)?,
        }
        if !self.by.sort.is_empty() {
            rows.sort(&mut made);
        }
        if let Some(filter) = counting {
            filter.restart();
            made.retain(|(row, _)| {
                self.source.with_row(*row, filter.need(), |object| {
                    (self.source).matches_part(filter, object, self.expanded, row.part)
                })
            });
        }
        Ok(made)
    }

    /// The messages that may pass the filter, by ascending id, if it takes no look at all of them to
    /// tell.
    fn candidates(&self, now: &Contents) -> Option<Vec<GlobCnt>> {
        let conversation = self.filter.and_then(Filter::conversation)?;
        members::in_folder(self.source.mailbox, now, conversation)
    }

    /// Appends the rows of a message: none if it does not pass the filter.
    fn make(&self, entry: &MessageEntry, filtered: bool, rows: &mut Vec<KeyedRow>) {
        let filter = self.filter.filter(|_| filtered);
        let need = self.need.max(filter.map_or(Need::Entry, Filter::need));
        let content = self.source.content(entry, need);
        // What others created is not to be seen without ReadAny (MS-OXCPERM 2.2.7).
        if self.source.by_creator
            && !self
                .source
                .access(content.as_ref())
                .allows(MessageAccess::READ)
        {
            return;
        }
        let row = |part| self.source.row(entry, content.as_ref(), part);
        let first = row(0);
        // A restriction may be about the message, or about each of its rows.
        let by_part = filter
            .zip(self.expanded)
            .filter(|(filter, tag)| filter.asks_instances(tag.id()));
        if by_part.is_none()
            && filter.is_some_and(|filter| !filter.matches(self.source.store, &first))
        {
            return;
        }
        let found = self.expanded.and_then(|tag| {
            let found = first.find_start(tag, INSTANCES_BYTES_MAX)?;
            // Of another type it is another property.
            (stored_type(found.ty()) == stored_type(tag.ty())).then_some((tag, found))
        });
        let large;
        // Read once, not for each of its rows.
        let read = match &found {
            Some((tag, Found::Large(ty, blob))) => {
                large = cells::large_prefix(self.source.store, *blob, INSTANCES_BYTES_MAX);
                let data = &large[..];
                Some((tag.id(), ValueRef { ty: *ty, data }))
            }
            _ => None,
        };
        let value = match read {
            Some((_, value)) => Some(value),
            None => found.as_ref().and_then(|(_, found)| found.value_ref()),
        };
        let values = value
            .map_or(0, |value| value.elements().take(INSTANCES_MAX).count())
            .max(1);
        for part in 0..u32::try_from(values).unwrap_or(u32::MAX) {
            let id = RowId {
                id: entry.id.0,
                part,
            };
            let row = match read {
                Some((id, value)) => row(part).with_read(id, value),
                None => row(part),
            };
            let passes = by_part.is_none_or(|(filter, tag)| {
                self.source.matches_part(filter, &row, Some(tag), part)
            });
            if passes {
                rows.push((id, self.keys(&row, part)));
            }
        }
    }

    fn keys(&self, row: &MessageRow<'_>, part: u32) -> Option<Keys> {
        let key = |order: &SortOrder| sort_key(self.source.store, row, order.tag, part);
        match self.by.sort {
            [] => None,
            [order] => Some(Keys::One(key(order))),
            orders => Some(Keys::Many(orders.iter().map(key).collect())),
        }
    }
}

/// Bytes that a row takes while it is made.
fn row_bytes((_, keys): &KeyedRow) -> usize {
    size_of::<KeyedRow>() + keys.as_ref().map_or(0, Keys::heap_bytes)
}

/// What a row is sorted by: of strings and binaries no more than a table cell holds.
fn sort_key(store: &Store, row: &MessageRow<'_>, tag: PropTag, part: u32) -> SortKey {
    let is_instance = tag.ty().0 & PropType::INSTANCE != 0;
    let asked = PropType(tag.ty().0 & !PropType::INSTANCE);
    let max = cells::cell_bytes_max(PropType::STRING);
    let Some(found) = row.find_start(tag.with_type(asked), max) else {
        return SortKey::Missing;
    };
    let have = found.ty();
    if !convertible(have, asked) {
        return SortKey::Missing;
    }
    if let Found::Large(ty @ (PropType::STRING | PropType::BINARY), blob) = &found {
        let data = cells::large_prefix(store, *blob, cells::cell_bytes_max(*ty));
        return SortKey::of(ValueRef {
            ty: *ty,
            data: &data,
        });
    }
    match found.value_ref() {
        Some(value) if is_instance => value
            .elements()
            .nth(part as usize)
            .map_or(SortKey::Missing, |element| SortKey::of(cells::cut(element))),
        Some(value) => SortKey::of(cells::cut(value)),
        None => SortKey::Missing,
    }
}
