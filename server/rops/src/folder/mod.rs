//! Folder objects: opening, creating and deleting folders, and what is done to many messages of one
//! at once (MS-OXCFOLD).

pub mod messages;
pub mod open;
pub mod properties;
pub mod relocate;
pub mod remove;
#[cfg(test)]
mod tests;

use ropewalk_props::GlobCnt;
use ropewalk_store::{Folder, Mailbox};
use ropewalk_wire::ErrorCode;

/// The first id that is not that of a folder which every mailbox begins with: the counter of a
/// mailbox starts here.
const FIRST_OWN_ID: GlobCnt = GlobCnt(0x1_0000);

/// True for the folders that every mailbox begins with; they cannot be deleted
/// (MS-OXCFOLD 3.2.5.3).
pub fn is_special(id: GlobCnt) -> bool {
    id < FIRST_OWN_ID
}

/// A folder as of now, soft-deleted or not; `ecNotFound` if it was deleted for good since it was
/// opened.
pub fn current(mailbox: &Mailbox, id: GlobCnt) -> Result<Folder, ErrorCode> {
    mailbox.folder(id).ok_or(ErrorCode::NOT_FOUND)
}
