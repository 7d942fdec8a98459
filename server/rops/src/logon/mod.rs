//! Logons: a client's way into a mailbox, and what it asks the mailbox as a whole (MS-OXCSTOR).

pub mod identifiers;
pub mod open;
pub mod receive_folder;
pub mod special;
#[cfg(test)]
mod tests;
mod time;

use ropewalk_wire::rop::GetStoreStateResponse;

use crate::{
    exec::{Exec, Fail},
    stream,
};

/// RopGetStoreState (MS-OXCSTOR 2.2.1.5): no search is active.
pub fn get_store_state(exec: &mut Exec<'_>) -> Result<(), Fail> {
    exec.object()?.logon()?;
    exec.need(4)?;
    exec.answer(&GetStoreStateResponse { store_state: 0 })
}

/// RopRelease (MS-OXCROPS 3.2.5.3): no response, whatever the handle is. Releasing a logon releases
/// everything that was opened under it.
pub fn release(exec: &mut Exec<'_>) {
    let Ok(handle) = exec.handle_at(exec.handle_index) else {
        return;
    };
    if exec.session.objects.get(handle, exec.logon_id).is_err() {
        return;
    }
    stream::rops::before_release(exec.session, exec.logon_id, handle);
    let is_logon = exec.object().is_ok_and(|object| object.logon().is_ok());
    if is_logon {
        exec.session.objects.remove_logon(exec.logon_id);
        exec.session.logons.remove(&exec.logon_id);
    } else {
        exec.session.objects.remove(handle);
    }
}
