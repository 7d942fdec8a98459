//! The folders that a hierarchy table shows: those that its reader may see (MS-OXCPERM 2.2.7,
//! FolderVisible).

use ropewalk_props::GlobCnt;

use crate::{object::LogonObject, rights::Rights};

/// As [`ropewalk_store::Mailbox::hierarchy`], without folders that the logon's user may not see and
/// what is below them.
pub fn hierarchy(
    logon: &LogonObject,
    folder: GlobCnt,
    deep: bool,
    deleted: bool,
) -> Vec<(GlobCnt, u32)> {
    let mut found = logon.mailbox.hierarchy(folder, deep, deleted);
    if logon.is_owner() {
        return found;
    }
    // How deep the folder lies that hides those that come next, until one lies as high as it.
    let mut hidden_at = None;
    found.retain(|(id, depth)| {
        // Among soft-deleted folders stands nothing of what they are in.
        let is_below = !deleted && hidden_at.is_some_and(|at| *depth > at);
        if is_below {
            return false;
        }
        let is_visible = logon.may(*id, Rights::FOLDER_VISIBLE);
        hidden_at = (!is_visible).then_some(*depth);
        is_visible
    });
    found
}
