//! RopRestrict, RopResetTable, RopAbort and RopGetStatus (MS-OXCTABL 3.2.5.4, 3.2.5.6, 3.2.5.7,
//! 3.2.5.16).

use ropewalk_wire::{
    ErrorCode,
    rop::{RestrictRequest, TableStatusResponse},
};

use super::{TableKind, columns::TBLSTAT_COMPLETE, filter::Filter, with_table};
use crate::exec::{Exec, Fail};

/// RopRestrict. Bookmarks become invalid, the cursor goes to the start.
pub fn restrict(exec: &mut Exec<'_>, request: &RestrictRequest<'_>) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(1)?;
    with_table(exec, |exec, table| {
        if matches!(table.kind, TableKind::Attachments { .. }) {
            return Err(ErrorCode::NOT_SUPPORTED.into());
        }
        let data = request.restriction_data.get();
        table.filter = match data {
            [] => None,
            data => Some(Filter::parse(data, exec.session.code_page)?),
        };
        table.filter_len = data.len();
        table.reset_rows();
        if let Err(code) = table.charge() {
            table.filter = None;
            table.filter_len = 0;
            return Err(code.into());
        }
        exec.answer(&TableStatusResponse {
            table_status: TBLSTAT_COMPLETE,
        })
    })
}

/// RopResetTable, of contents tables alone: no columns, no restriction, no order, no bookmarks; the
/// cursor at the start.
pub fn reset_table(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.need(0)?;
    with_table(exec, |exec, table| {
        if !matches!(table.kind, TableKind::Contents { .. }) {
            return Err(ErrorCode::NOT_SUPPORTED.into());
        }
        table.columns = None;
        table.was_reset = true;
        table.filter = None;
        table.filter_len = 0;
        table.sort = Box::default();
        table.categories = None;
        table.expanded = None;
        table.reset_rows();
        exec.begin();
        Ok(())
    })
}

/// RopAbort, of contents and hierarchy tables alone: nothing ever is under way when it comes.
pub fn abort(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let table = exec.object()?.table()?;
    Err(match table.kind {
        TableKind::Attachments { .. } => ErrorCode::NOT_SUPPORTED.into(),
        _ => ErrorCode::UNABLE_TO_ABORT.into(),
    })
}

/// RopGetStatus.
pub fn get_status(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(1)?;
    exec.answer(&TableStatusResponse {
        table_status: TBLSTAT_COMPLETE,
    })
}
