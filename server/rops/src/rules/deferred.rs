//! RopUpdateDeferredActionMessages (MS-OXORULE 2.2.3, 3.2.5.1).

use ropewalk_props::{BagView, PropType, PropValue, tags::*};
use ropewalk_store::{ContentsView, Message, StoreError};
use ropewalk_wire::rop::UpdateDeferredActionMessagesRequest;

use crate::{
    exec::{Exec, Fail, blocking},
    logon::special,
};

/// RopUpdateDeferredActionMessages: in all deferred action messages (DAMs) about the message that the
/// server's EntryID names, PidTagDamOriginalEntryId becomes the client's.
pub fn update_deferred_action_messages(
    exec: &mut Exec<'_>,
    request: &UpdateDeferredActionMessagesRequest<'_>,
) -> Result<(), Fail> {
    exec.object()?.logon()?.private()?;
    exec.need(0)?;
    let (server, client) = (request.server_entry_id.get(), request.client_entry_id.get());
    let mailbox = exec.mailbox()?;
    let folder = special::DEFERRED_ACTION;
    let update = |message: &mut Message| {
        let about = message
            .props
            .get(PID_TAG_DEFERRED_ACTION_MESSAGE_ORIGINAL_ENTRY_ID);
        let is_about = about.is_some_and(|about| {
            matches!(about.ty, PropType::SERVER_ID | PropType::BINARY) && about.data == server
        });
        is_about.then(|| {
            let client = PropValue::Binary(client.to_vec());
            message.props.set(PID_TAG_DAM_ORIGINAL_ENTRY_ID, &client);
            let patched = PropValue::Boolean(true);
            message.props.set(PID_TAG_DAM_BACK_PATCHED, &patched);
        })
    };
    blocking(|| {
        let all = mailbox.contents(folder, ContentsView::Normal)?;
        for entry in all.iter() {
            match mailbox.amend_message(folder, entry.id, update) {
                Ok(_) | Err(StoreError::NotFound) => {}
                Err(error) => return Err(Fail::from(error)),
            }
        }
        Ok(())
    })?;
    exec.begin();
    Ok(())
}
