//! RopSetColumns, RopSortTable and what columns there are (MS-OXCTABL 3.2.5.2, 3.2.5.3, 3.2.5.13).

use ropewalk_props::{PropTag, PropType, tags};
use ropewalk_wire::{
    ErrorCode,
    list::List,
    rop::{PropertyTagsResponse, SetColumnsRequest, SortTableRequest, TableStatusResponse},
    sort::SortOrder,
    value::cell_type,
};

use super::{
    Seen, TableKind, categories::Categories, filter::Need, message_row, source::Source, with_table,
};
use crate::{
    attachment,
    exec::{Exec, Fail},
    folder,
    limits::{COLUMNS_MAX, SORT_ORDERS_MAX},
    message, rights, rules,
};

/// TableStatus of a table with nothing going on (MS-OXCTABL 2.2.2.1.3): everything that could be
/// asynchronous is done by the time of its response.
pub const TBLSTAT_COMPLETE: u8 = 0x00;

/// Rows whose properties RopQueryColumnsAll gathers.
const ROWS_GATHERED: usize = 50;

/// RopSetColumns.
pub fn set_columns(exec: &mut Exec<'_>, request: &SetColumnsRequest<'_>) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(1)?;
    with_table(exec, |exec, table| {
        // Columns that fail leave the table without any (MS-OXCTABL 3.2.5.2).
        table.columns = None;
        let columns = checked_columns(&request.property_tags)?;
        let expanded = expanded_property(&columns, &table.sort)?;
        table.columns_need = Need::most(columns.iter().copied().map(Need::of));
        table.columns = Some(columns);
        if let Err(code) = table.charge() {
            table.columns = None;
            return Err(code.into());
        }
        if table.expanded != expanded {
            table.expanded = expanded;
            table.seen = Seen::Nothing;
        }
        exec.answer(&TableStatusResponse {
            table_status: TBLSTAT_COMPLETE,
        })
    })
}

fn checked_columns(tags: &List<'_, PropTag>) -> Result<Box<[PropTag]>, ErrorCode> {
    if tags.is_empty() {
        return Err(ErrorCode::INVALID_PARAM);
    }
    if tags.len() > COLUMNS_MAX {
        return Err(ErrorCode::TOO_MANY_COLUMNS);
    }
    if tags.iter().all(|tag| is_column_type(tag.ty())) {
        Ok(tags.iter().collect())
    } else {
        Err(ErrorCode::INVALID_PARAM)
    }
}

/// True for types that a column can have: all that have values but PtypErrorCode; the instance bit
/// on multi-valued ones only (MS-OXCTABL 2.2.2.2.1).
fn is_column_type(ty: PropType) -> bool {
    let is_instance = ty.0 & PropType::INSTANCE != 0;
    let stored = PropType(ty.0 & !PropType::INSTANCE);
    let single = cell_type(ty);
    stored.is_known() && single != PropType::ERROR_CODE && (!is_instance || stored.is_multi())
}

/// The property that rows are expanded by: the one whose columns or sort columns have the instance
/// bit. `ecTooComplex` for several.
fn expanded_property(
    columns: &[PropTag],
    sort: &[SortOrder],
) -> Result<Option<PropTag>, ErrorCode> {
    let mut found: Option<PropTag> = None;
    let tags = columns
        .iter()
        .copied()
        .chain(sort.iter().map(|order| order.tag));
    for tag in tags.filter(|tag| tag.ty().0 & PropType::INSTANCE != 0) {
        match found {
            Some(known) if known.id() != tag.id() => return Err(ErrorCode::TOO_COMPLEX),
            _ => found = Some(tag.with_type(PropType(tag.ty().0 & !PropType::INSTANCE))),
        }
    }
    Ok(found)
}

/// RopSortTable. Bookmarks become invalid, the cursor goes to the start.
pub fn sort_table(exec: &mut Exec<'_>, request: &SortTableRequest<'_>) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(1)?;
    with_table(exec, |exec, table| {
        if !table.kind.is_contents() {
            return Err(ErrorCode::NOT_SUPPORTED.into());
        }
        let orders = &request.sort_orders;
        let count = orders.sort_orders.len();
        if usize::from(orders.categorized_count) > count
            || orders.expanded_count > orders.categorized_count
        {
            return Err(ErrorCode::INVALID_PARAM.into());
        }
        if count > SORT_ORDERS_MAX {
            return Err(ErrorCode::TOO_COMPLEX.into());
        }
        let sort: Box<[SortOrder]> = orders.sort_orders.iter().collect();
        let categories = usize::from(orders.categorized_count);
        let is_valid = |(at, order): (usize, &SortOrder)| {
            let is_valid_order = match order.order {
                SortOrder::ASCENDING | SortOrder::DESCENDING => true,
                // For the innermost categories alone.
                SortOrder::MAXIMUM_CATEGORY => categories > 0 && at == categories,
                _ => false,
            };
            is_column_type(order.tag.ty()) && is_valid_order
        };
        if !sort.iter().enumerate().all(is_valid) {
            return Err(ErrorCode::INVALID_PARAM.into());
        }
        let columns = table.columns.as_deref().unwrap_or_default();
        table.expanded = expanded_property(columns, &sort)?;
        table.categories = (orders.categorized_count > 0).then(|| {
            Box::new(Categories::new(
                &sort,
                orders.categorized_count,
                orders.expanded_count,
            ))
        });
        table.sort = sort;
        table.reset_rows();
        exec.answer(&TableStatusResponse {
            table_status: TBLSTAT_COMPLETE,
        })
    })
}

/// Columns that tables of a kind have whatever their rows are: what the server works out.
fn columns_of(kind: TableKind) -> Vec<PropTag> {
    match kind {
        TableKind::Contents { .. } | TableKind::Search { .. } | TableKind::Members { .. } => {
            let mut columns = message_row::COLUMNS.to_vec();
            // Of header rows (MS-OXCTABL 2.2.1.5, 2.2.1.6).
            columns.extend([
                tags::PID_TAG_CONTENT_COUNT,
                tags::PID_TAG_CONTENT_UNREAD_COUNT,
            ]);
            columns.extend(message::properties::columns());
            columns
        }
        TableKind::Hierarchy { .. } => folder::properties::columns(),
        TableKind::Rules { .. } => rules::modify::PROPERTIES.to_vec(),
        TableKind::Permissions { .. } => rights::table::COLUMNS.to_vec(),
        TableKind::Attachments { .. } => attachment::columns(),
    }
}

/// RopQueryColumnsAll: the columns that tables of the kind have, and those that the rows have values
/// for. Other columns can be set as well.
pub fn query_columns_all(exec: &mut Exec<'_>) -> Result<(), Fail> {
    with_table(exec, |exec, table| {
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        table.refresh(&source)?;
        let mut tags = columns_of(table.kind);
        for row in (0..table.rows.len().min(ROWS_GATHERED)).filter_map(|at| table.rows.get(at)) {
            table.with_row(&source, row, Need::Content, |object, _| {
                tags.extend(object.tags())
            });
        }
        tags.sort_unstable();
        tags.dedup();
        drop(source);
        tags.truncate(usize::from(u16::MAX));
        exec.need(2 + tags.len() * 4)?;
        exec.answer(&PropertyTagsResponse {
            property_tags: List::from(&tags),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_types() {
        for good in [
            0x0003, 0x001E, 0x001F, 0x0102, 0x101F, 0x301F, 0x0001, 0x000D,
        ] {
            assert!(is_column_type(PropType(good)), "{good:#06x}");
        }
        for bad in [0x0000, 0x000A, 0x0099, 0x201F, 0x100B, 0x2000] {
            assert!(!is_column_type(PropType(bad)), "{bad:#06x}");
        }
    }

    #[test]
    fn rows_are_expanded_by_one_property() {
        let categories = PropTag(0x8001_301F);
        assert_eq!(expanded_property(&[PropTag(0x0037_001F)], &[]), Ok(None));
        assert_eq!(
            expanded_property(&[categories, categories], &[]),
            Ok(Some(PropTag(0x8001_101F)))
        );
        assert_eq!(
            expanded_property(&[categories, PropTag(0x8002_301F)], &[]),
            Err(ErrorCode::TOO_COMPLEX)
        );
    }
}
