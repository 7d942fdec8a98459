//! RopFindRow (MS-OXCTABL 2.2.2.14, 3.2.5.14).

use ropewalk_wire::{ErrorCode, Put, rop::FindRowRequest};

use super::{
    TableKind, cells::RowWriter, filter::Filter, position::find_bookmark, query::bookmark,
    rows::Bookmarked, source::Source, with_table,
};
use crate::{
    exec::{Exec, Fail},
    property::value::Strings,
};

/// FindRowFlags (MS-OXCTABL 2.2.2.14.1): search backward.
const BACKWARD: u8 = 0x01;

/// RopFindRow: the first row that matches, from the given one on; backward, from the one before it.
pub fn find_row(exec: &mut Exec<'_>, request: &FindRowRequest<'_>) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(2)?;
    with_table(exec, |exec, table| {
        if matches!(
            table.kind,
            TableKind::Attachments { .. } | TableKind::Permissions { .. }
        ) {
            return Err(ErrorCode::NOT_SUPPORTED.into());
        }
        if request.origin == bookmark::CUSTOM {
            table.needs_columns_or_reset()?;
        } else {
            table.columns()?;
        }
        if request.find_row_flags & !BACKWARD != 0 {
            return Err(ErrorCode::INVALID_PARAM.into());
        }
        let filter = match request.restriction_data.get() {
            [] => Filter::And(Vec::new()),
            data => Filter::parse(data, exec.session.code_page)?,
        };
        exec.begin();
        let source = Source::new(exec.session, exec.logon_id, table.kind)?;
        table.refresh(&source)?;
        let Bookmarked { at: from, gone } = match request.origin {
            bookmark::BEGINNING => Bookmarked { at: 0, gone: false },
            bookmark::CURRENT => Bookmarked {
                at: table.rows.cursor(),
                gone: false,
            },
            bookmark::END => Bookmarked {
                at: table.rows.len(),
                gone: false,
            },
            bookmark::CUSTOM => find_bookmark(table, request.bookmark)?,
            _ => return Err(ErrorCode::INVALID_PARAM.into()),
        };
        let passes = |at: &usize| {
            table
                .rows
                .get(*at)
                .is_some_and(|row| table.passes(&source, &filter, row))
        };
        let found = if request.find_row_flags & BACKWARD != 0 {
            (0..from).rev().find(passes)
        } else {
            (from..table.rows.len()).find(passes)
        };
        let at = found.ok_or(ErrorCode::NOT_FOUND)?;
        exec.out.put_bool(gone);
        exec.out.put_bool(true);
        let row_at = exec.out.len();
        let writer = RowWriter {
            store: &exec.session.store,
            columns: table.columns()?,
            strings: Strings {
                code_page: exec.session.code_page,
                unicode: true,
            },
            whole: table.kind.has_whole_cells(),
        };
        if let Some(row) = table.rows.get(at) {
            table.with_row(&source, row, table.columns_need, |object, part| {
                writer.put(exec.out, object, part);
            });
        }
        if exec.out.len() > exec.out_max {
            // The row is found all the same; it can be read with RopQueryRows.
            exec.out.truncate(row_at - 1);
            exec.out.put_bool(false);
        }
        table.rows.set_cursor(at);
        Ok(())
    })
}
