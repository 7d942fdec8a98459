//! RopRestrict, RopResetTable, RopAbort and RopGetStatus (MS-OXCTABL 3.2.5.4, 3.2.5.6, 3.2.5.7,
//! 3.2.5.16).

use ropewalk_wire::{
    ErrorCode,
    rop::{RestrictRequest, TableStatusResponse},
};

use super::{
    TableKind, columns::TBLSTAT_COMPLETE, conversations::ConversationId, filter::Filter, members,
    with_table,
};
use crate::exec::{Exec, Fail};

/// RopRestrict. Bookmarks become invalid, the cursor goes to the start.
pub fn restrict(exec: &mut Exec<'_>, request: &RestrictRequest<'_>) -> Result<(), Fail> {
    exec.object()?.table()?;
    exec.need(1)?;
    with_table(exec, |exec, table| {
        if matches!(
            table.kind,
            TableKind::Attachments { .. } | TableKind::Permissions { .. }
        ) {
            return Err(ErrorCode::NOT_SUPPORTED.into());
        }
        match request.restriction_data.get() {
            [] => table.lift_restriction(),
            data => {
                let code_page = exec.session.code_page;
                let filter = Filter::parse(data, code_page)?;
                if let TableKind::Members { conversation } = &mut table.kind {
                    *conversation = known_conversation(exec, &filter)?;
                }
                table.filter = Some(filter);
                table.restriction = data.into();
                table.code_page = code_page.id();
            }
        }
        table.reset_rows();
        if let Err(code) = table.charge() {
            table.lift_restriction();
            return Err(code.into());
        }
        exec.answer(&TableStatusResponse {
            table_status: TBLSTAT_COMPLETE,
        })
    })
}

/// The conversation whose members a restriction asks for; `ecConversationNotFound` if it has none
/// (MS-OXCTABL 3.2.5.4).
fn known_conversation(exec: &Exec<'_>, filter: &Filter) -> Result<Option<ConversationId>, Fail> {
    let Some(conversation) = filter.conversation() else {
        return Ok(None);
    };
    let logon = exec.logon()?;
    let members = match members::at_hand(logon, conversation) {
        Some(known) => known,
        None => {
            exec.may_take_long()?;
            members::contents(logon, conversation)?
        }
    };
    if members.is_empty() {
        return Err(ErrorCode::CONVERSATION_NOT_FOUND.into());
    }
    Ok(Some(conversation))
}

/// RopResetTable, of contents tables alone: no columns, no restriction, no order, no bookmarks; the
/// cursor at the start.
pub fn reset_table(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.need(0)?;
    with_table(exec, |exec, table| {
        if !table.kind.is_contents() {
            return Err(ErrorCode::NOT_SUPPORTED.into());
        }
        table.columns = None;
        table.was_reset = true;
        table.lift_restriction();
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
        TableKind::Attachments { .. } | TableKind::Permissions { .. } | TableKind::Rules { .. } => {
            ErrorCode::NOT_SUPPORTED.into()
        }
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
