//! Expanding and collapsing header rows: RopExpandRow, RopCollapseRow, RopGetCollapseState and
//! RopSetCollapseState (MS-OXCTABL 3.2.5.17 to 3.2.5.20).

use ropewalk_wire::{
    ErrorCode, Put, Reader,
    codec::Bytes16,
    rop::{
        BookmarkResponse, CollapseRowRequest, CollapseRowResponse, ExpandRowRequest,
        GetCollapseStateRequest, GetCollapseStateResponse, SetCollapseStateRequest,
    },
};

use super::{
    Seen, TableObject, categories::row_of, cells::RowWriter, grouping::Fnv, source::Source,
    with_table,
};
use crate::{
    exec::{Exec, Fail},
    property::value::Strings,
};

fn check_contents_table(exec: &Exec<'_>) -> Result<(), ErrorCode> {
    if exec.object()?.table()?.kind.is_contents() {
        Ok(())
    } else {
        Err(ErrorCode::NOT_SUPPORTED)
    }
}

/// RopExpandRow: the rows that come, as many as are asked for and fit.
pub fn expand_row(exec: &mut Exec<'_>, request: &ExpandRowRequest) -> Result<(), Fail> {
    const BODY_LEN: usize = 6;
    check_contents_table(exec)?;
    exec.need(BODY_LEN)?;
    with_table(exec, |exec, table| {
        exec.begin();
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        table.refresh(&source)?;
        let (header, added) = table.toggle(request.category_id, true)?;
        let writer = RowWriter {
            store: &exec.session.store,
            columns: table.columns()?,
            strings: Strings {
                code_page: exec.session.code_page,
                unicode: true,
            },
            whole: table.kind.has_whole_cells(),
        };
        exec.out.put_u32(u32::try_from(added).unwrap_or(u32::MAX));
        let count_at = exec.out.len();
        exec.out.put_u16(0);
        let first = table.rows.position(header).map_or(0, |at| at + 1);
        let wanted = added.min(request.max_row_count.into());
        let mut count = 0_u16;
        for row in (first..first + wanted).filter_map(|at| table.rows.get(at)) {
            let start = exec.out.len();
            table.with_row(&source, row, table.columns_need, |object, part| {
                writer.put(exec.out, object, part);
            });
            if exec.out.len() > exec.out_max {
                exec.out.truncate(start);
                break;
            }
            count += 1;
        }
        if let Some(place) = exec.out.get_mut(count_at..count_at + 2) {
            place.copy_from_slice(&count.to_le_bytes());
        }
        Ok(())
    })
}

/// RopCollapseRow.
pub fn collapse_row(exec: &mut Exec<'_>, request: &CollapseRowRequest) -> Result<(), Fail> {
    check_contents_table(exec)?;
    exec.need(4)?;
    with_table(exec, |exec, table| {
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        table.refresh(&source)?;
        drop(source);
        let (_, removed) = table.toggle(request.category_id, false)?;
        exec.answer(&CollapseRowResponse {
            collapsed_row_count: u32::try_from(removed).unwrap_or(u32::MAX),
        })
    })
}

// CollapseState: PidTagInstID and PidTagInstanceNum of the row that the client was at, a hash of how
// the table was sorted and restricted, how many levels of headers started out expanded, then the ids
// of the headers that are not as their level starts out.

/// What a collapse state is about: the same for tables that are sorted and restricted alike
/// (MS-OXCTABL 2.2.2.20), however many levels start out expanded; 0 for a table as it was opened.
fn view_hash(table: &TableObject) -> u64 {
    if table.sort.is_empty() && table.restriction.is_empty() {
        return 0;
    }
    let mut hash = Fnv::default();
    let levels = table
        .categories
        .as_ref()
        .map_or(0, |made| made.levels().all);
    hash.put(&(levels as u64).to_le_bytes());
    for order in &table.sort {
        hash.put(&order.tag.0.to_le_bytes());
        hash.put(&[order.order]);
    }
    hash.put(&table.restriction);
    hash.0
}

/// Runs a ROP on the rows of a contents table with columns.
fn with_contents<'e>(
    exec: &mut Exec<'e>,
    run: impl FnOnce(&mut Exec<'e>, &mut TableObject) -> Result<(), Fail>,
) -> Result<(), Fail> {
    check_contents_table(exec)?;
    with_table(exec, |exec, table| {
        table.columns()?;
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        table.refresh(&source)?;
        drop(source);
        run(exec, table)
    })
}

/// RopGetCollapseState. `ecMAPIOOM` if the state is too large to be sent.
pub fn get_collapse_state(
    exec: &mut Exec<'_>,
    request: &GetCollapseStateRequest,
) -> Result<(), Fail> {
    with_contents(exec, |exec, table| {
        let mut state = Vec::new();
        state.put_u64(request.row_id);
        state.put_u32(request.row_instance_number);
        state.put_u64(view_hash(table));
        let levels = table.categories.as_ref().map(|made| made.levels().expanded);
        state.put_u16(u16::try_from(levels.unwrap_or_default()).unwrap_or(u16::MAX));
        for id in table.categories.iter().flat_map(|made| made.toggled()) {
            state.put_u64(id);
        }
        if state.len() > usize::from(u16::MAX) {
            return Err(ErrorCode::NOT_ENOUGH_MEMORY.into());
        }
        exec.need(2 + state.len())?;
        exec.answer(&GetCollapseStateResponse {
            collapse_state: Bytes16::new(&state),
        })
    })
}

/// RopSetCollapseState: the bookmark is of the row that the state was asked for at, or of the header
/// that hides it, or of the first row if it is gone. The cursor goes there (3.2.5.20).
///
/// `ecInvalidParam` for what is no state, and for one of a table with another sort order or
/// restriction (2.2.2.20).
pub fn set_collapse_state(
    exec: &mut Exec<'_>,
    request: &SetCollapseStateRequest<'_>,
) -> Result<(), Fail> {
    exec.need(6)?;
    with_contents(exec, |exec, table| {
        let invalid = |_| ErrorCode::INVALID_PARAM;
        let mut state = Reader::new(request.collapse_state.get());
        let row_id = state.u64().map_err(invalid)?;
        let row_instance_number = state.u32().map_err(invalid)?;
        let hash = state.u64().map_err(invalid)?;
        let expanded = state.u16().map_err(invalid)?;
        let ids = state.take_rest();
        if !ids.len().is_multiple_of(8) || hash != view_hash(table) {
            return Err(ErrorCode::INVALID_PARAM.into());
        }
        if !table.rows.has_room_for_bookmark() {
            return Err(ErrorCode::NOT_ENOUGH_MEMORY.into());
        }
        if let Some(categories) = &mut table.categories {
            let ids = ids.chunks_exact(8).filter_map(|id| id.try_into().ok());
            categories.set_toggled(ids.map(u64::from_le_bytes));
            categories.set_expanded_levels(expanded.into());
            table.seen = Seen::Nothing;
            let source = Source::new(exec.session, exec.logon_id, table.kind)?;
            table.refresh(&source)?;
        }
        let row = row_of(row_id, row_instance_number);
        let at = (table.rows.position(row))
            .or_else(|| {
                let categories = table.categories.as_ref()?;
                table.rows.position(categories.hiding(row)?)
            })
            .unwrap_or(0);
        table.rows.set_cursor(at);
        let id = table
            .rows
            .create_bookmark_at(at)
            .ok_or(ErrorCode::NOT_ENOUGH_MEMORY)?;
        exec.answer(&BookmarkResponse {
            bookmark: Bytes16::new(&id.to_le_bytes()),
        })
    })
}
