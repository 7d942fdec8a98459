//! Logons: a client's way into a mailbox, and what it asks the mailbox as a whole (MS-OXCSTOR).

pub mod identifiers;
pub mod open;
pub mod receive_folder;
pub mod special;
#[cfg(test)]
mod tests;
mod time;

use ropewalk_store::{Mailbox, Store};
use ropewalk_wire::{
    ErrorCode, Fid,
    codec::AsciiZ,
    rop::{
        GetOwningServersRequest, GetStoreStateResponse, GhostServers, PublicFolderIsGhostedRequest,
        PublicFolderIsGhostedResponse,
    },
};

use crate::{
    context::Session,
    exec::{Exec, Fail},
    ids,
    object::{LogonObject, Object},
    public::PUBLIC_STORE,
    rights::Rights,
    search, stream,
};

/// STORE_HAS_SEARCHES (MS-OXCSTOR 2.2.1.5.2).
const STORE_HAS_SEARCHES: u32 = 0x0100_0000;

/// StoreState, and PidTagStoreState: whether a search of the mailbox is active.
pub fn store_state(store: &Store, mailbox: &Mailbox) -> u32 {
    if search::is_any_active(store, mailbox) {
        STORE_HAS_SEARCHES
    } else {
        0
    }
}

/// RopGetStoreState (MS-OXCSTOR 2.2.1.5).
pub fn get_store_state(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.object()?.logon()?.private()?;
    exec.need(4)?;
    let store_state = store_state(&exec.session.store, &exec.logon()?.mailbox);
    exec.answer(&GetStoreStateResponse { store_state })
}

/// RopPublicFolderIsGhosted (MS-OXCSTOR 3.2.5.7): no folder is. Of the public store there is one
/// replica, which has the contents of all folders. `ecNotFound` for a public folder that is not there.
pub fn public_folder_is_ghosted(
    exec: &mut Exec<'_>,
    request: &PublicFolderIsGhostedRequest,
) -> Result<(), Fail> {
    let logon = exec.object()?.logon()?;
    if logon.is_public() {
        check_visible(logon, request.folder_id)?;
    }
    exec.need(1)?;
    exec.answer(&PublicFolderIsGhostedResponse { servers: None })
}

/// RopGetOwningServers (MS-OXCSTOR 2.2.1.6, 3.2.5.6): the one there is. `ecNotFound` for a public folder that is
/// not there, `ecNotSupported` for a private mailbox.
pub fn get_owning_servers(
    exec: &mut Exec<'_>,
    request: &GetOwningServersRequest,
) -> Result<(), Fail> {
    let logon = exec.object()?.logon()?;
    if !logon.is_public() {
        return Err(ErrorCode::NOT_SUPPORTED.into());
    }
    check_visible(logon, request.folder_id)?;
    // The ESSDN of the mailbox with the contents of public folders, as a logon to it takes it (2.2.1.1.1).
    let owner = exec.session.store.user_by_mailbox(PUBLIC_STORE);
    let owner = owner.ok_or(ErrorCode::NO_REPLICA_AVAILABLE)?;
    let essdn = owner.legacy_dn.as_bytes();
    exec.need(4 + essdn.len() + 1)?;
    exec.answer(&GhostServers {
        cheap_server_count: 1,
        servers: (&[AsciiZ(essdn)][..]).into(),
    })
}

/// Fails with `ecNotFound` unless the logon's user can see the folder.
fn check_visible(logon: &LogonObject, folder: Fid) -> Result<(), ErrorCode> {
    let folder = ids::folder_id(folder)?;
    let rights = logon.rights(folder)?;
    if logon.mailbox.has_folder(folder) && rights.contains(Rights::FOLDER_VISIBLE) {
        Ok(())
    } else {
        Err(ErrorCode::NOT_FOUND)
    }
}

/// RopRelease (MS-OXCROPS 3.2.5.3): no response, whatever the handle is. Releasing a logon releases
/// everything that was opened under it.
pub fn release(exec: &mut Exec<'_>) -> Result<(), Fail> {
    let Ok(handle) = exec.handle_at(exec.handle_index) else {
        return Ok(());
    };
    let Ok(object) = exec.session.objects.get(handle, exec.logon_id) else {
        return Ok(());
    };
    let is_quick = match object {
        Object::Logon(_) | Object::Stream(_) => false,
        Object::Table(table) => table.is_dropped_soon(),
        Object::Folder(_) | Object::Message(_) | Object::Attachment(_) => true,
    };
    if !is_quick {
        exec.may_take_long()?;
    }
    if exec.object().is_ok_and(|object| object.logon().is_ok()) {
        release_logon(exec.session, exec.logon_id);
    } else {
        stream::rops::before_release(exec.session, exec.logon_id, handle);
        exec.session.objects.remove(handle);
    }
    Ok(())
}

/// Releases a logon, if there is one under this LogonId, and everything that was opened under it.
fn release_logon(session: &mut Session, logon_id: u8) {
    let logon = session
        .objects
        .iter()
        .find(|(_, entry)| entry.logon_id == logon_id && matches!(entry.object, Object::Logon(_)));
    if let Some(handle) = logon.map(|(handle, _)| handle) {
        stream::rops::before_release(session, logon_id, handle);
    }
    session.objects.remove_logon(logon_id);
    session.logons.remove(&logon_id);
    session.public.set_public(logon_id, false);
}
