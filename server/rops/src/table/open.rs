//! RopGetHierarchyTable, RopGetContentsTable (MS-OXCFOLD 3.2.5.13, 3.2.5.14) and
//! RopGetAttachmentTable (MS-OXCMSG 3.2.5.17).

use ropewalk_props::GlobCnt;
use ropewalk_store::{ContentsView, Mailbox};
use ropewalk_wire::{
    ErrorCode,
    rop::{GetTableRequest, RowCountResponse},
};

use super::{TableKind, TableObject, source::Source, visible};
use crate::{
    exec::{Exec, Fail},
    folder::current,
    logon::special,
    object::Object,
    rights::Rights,
    search,
};

/// TableFlags (MS-OXCFOLD 2.2.1.13.1 and 2.2.1.14.1).
mod flags {
    pub const RESERVED: u8 = 0x01;
    pub const ASSOCIATED: u8 = 0x02;
    pub const DEPTH: u8 = 0x04;
    pub const DEFERRED_ERRORS: u8 = 0x08;
    pub const SOFT_DELETES: u8 = 0x20;
    pub const USE_UNICODE: u8 = 0x40;
    pub const CONVERSATION_MEMBERS: u8 = 0x80;
}

/// RopGetHierarchyTable.
pub fn get_hierarchy_table(exec: &mut Exec<'_>, request: &GetTableRequest) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(4)?;
    let given = request.table_flags;
    if given & (flags::RESERVED | flags::ASSOCIATED) != 0 {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    let logon = exec.logon()?;
    let direct = current(&logon.mailbox, folder)?.counts.child_folders;
    let (deep, deleted) = (given & flags::DEPTH != 0, given & flags::SOFT_DELETES != 0);
    let row_count = match (deep, deleted) {
        (false, false) if logon.is_owner() => direct,
        _ => {
            let rows = visible::hierarchy(logon, folder, deep, deleted);
            u32::try_from(rows.len()).unwrap_or(u32::MAX)
        }
    };
    let table = TableObject::new(
        TableKind::Hierarchy {
            folder,
            deep,
            deleted,
        },
        exec.session.budget.share(),
    );
    exec.open(request.output_handle_index, Object::Table(Box::new(table)))?;
    exec.answer(&RowCountResponse { row_count })
}

/// RopGetContentsTable.
pub fn get_contents_table(exec: &mut Exec<'_>, request: &GetTableRequest) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(4)?;
    let given = request.table_flags;
    if given & (flags::RESERVED | flags::DEPTH) != 0 {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    if given & flags::CONVERSATION_MEMBERS != 0 {
        return get_members_table(exec, request, folder);
    }
    let view = match (
        given & flags::ASSOCIATED != 0,
        given & flags::SOFT_DELETES != 0,
    ) {
        (false, false) => ContentsView::Normal,
        (true, false) => ContentsView::Associated,
        (false, true) => ContentsView::SoftDeleted,
        (true, true) => ContentsView::SoftDeletedAssociated,
    };
    let mailbox = &exec.logon()?.mailbox;
    // A search folder has no other messages than those that it has found.
    let is_search = view == ContentsView::Normal && search::is_search(mailbox, folder);
    let kind = if is_search {
        TableKind::Search { folder }
    } else {
        TableKind::Contents { folder, view }
    };
    let mut table = TableObject::new(kind, exec.session.budget.share());
    let counted = !is_search && exec.rights(folder)?.contains(Rights::READ_ANY);
    let row_count = if is_search {
        exec.may_take_long()?;
        let found = search::contents(&exec.session.store, exec.logon()?, folder)?;
        u32::try_from(found.len()).unwrap_or(u32::MAX)
    } else if counted {
        count(mailbox, folder, view)?
    } else {
        exec.may_take_long()?;
        let source = Source::new(exec.session, exec.logon_id, kind)?;
        table.refresh(&source)?;
        u32::try_from(table.rows.len()).unwrap_or(u32::MAX)
    };
    exec.open(request.output_handle_index, Object::Table(Box::new(table)))?;
    exec.answer(&RowCountResponse { row_count })
}

/// The number of a folder's messages. They are not read to count them.
fn count(mailbox: &Mailbox, folder: GlobCnt, view: ContentsView) -> Result<u32, Fail> {
    if mailbox.has_contents(folder) {
        let count = mailbox.contents(folder, view)?.len();
        return Ok(u32::try_from(count).unwrap_or(u32::MAX));
    }
    let counts = current(mailbox, folder)?.counts;
    Ok(match view {
        ContentsView::Normal => counts.content,
        ContentsView::Associated => counts.associated,
        ContentsView::SoftDeleted => counts.deleted,
        ContentsView::SoftDeletedAssociated => counts.deleted_associated,
    })
}

/// RopGetContentsTable with ConversationMembers, which is for the root folder alone: the messages of
/// the conversation that RopRestrict names, from all folders; none before that.
fn get_members_table(
    exec: &mut Exec<'_>,
    request: &GetTableRequest,
    folder: GlobCnt,
) -> Result<(), Fail> {
    let allowed = flags::CONVERSATION_MEMBERS | flags::USE_UNICODE | flags::DEFERRED_ERRORS;
    if request.table_flags & !allowed != 0 || folder != special::ROOT {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let kind = TableKind::Members { conversation: None };
    let table = TableObject::new(kind, exec.session.budget.share());
    exec.open(request.output_handle_index, Object::Table(Box::new(table)))?;
    exec.answer(&RowCountResponse { row_count: 0 })
}

/// RopGetRulesTable (MS-OXORULE 3.2.5.3).
pub fn get_rules_table(exec: &mut Exec<'_>, request: &GetTableRequest) -> Result<(), Fail> {
    let folder = exec.object()?.folder()?.id;
    exec.need(0)?;
    if request.table_flags & !flags::USE_UNICODE != 0 {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    current(&exec.logon()?.mailbox, folder)?;
    let kind = TableKind::Rules {
        folder,
        unicode: request.table_flags & flags::USE_UNICODE != 0,
    };
    let table = TableObject::new(kind, exec.session.budget.share());
    exec.open(request.output_handle_index, Object::Table(Box::new(table)))?;
    exec.begin();
    Ok(())
}

/// RopGetPermissionsTable (MS-OXCPERM 3.2.5.1). Who may not see the list is told when he asks for its
/// rows.
pub fn get_permissions_table(exec: &mut Exec<'_>, request: &GetTableRequest) -> Result<(), Fail> {
    /// TableFlags (MS-OXCPERM 2.2.1.1).
    const INCLUDE_FREE_BUSY: u8 = 0x02;
    let folder = exec.object()?.folder()?.id;
    exec.need(0)?;
    if request.table_flags & !(INCLUDE_FREE_BUSY | flags::USE_UNICODE) != 0 {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    current(&exec.logon()?.mailbox, folder)?;
    let kind = TableKind::Permissions {
        folder,
        free_busy: request.table_flags & INCLUDE_FREE_BUSY != 0,
    };
    let table = TableObject::new(kind, exec.session.budget.share());
    exec.open(request.output_handle_index, Object::Table(Box::new(table)))?;
    exec.begin();
    Ok(())
}

/// RopGetAttachmentTable.
pub fn get_attachment_table(exec: &mut Exec<'_>, request: &GetTableRequest) -> Result<(), Fail> {
    exec.object()?
        .message()
        .map_err(|_| ErrorCode::NULL_OBJECT)?;
    exec.need(0)?;
    let message = exec.handle_at(exec.handle_index)?;
    let table = TableObject::new(
        TableKind::Attachments { message },
        exec.session.budget.share(),
    );
    exec.open(request.output_handle_index, Object::Table(Box::new(table)))?;
    exec.begin();
    Ok(())
}
