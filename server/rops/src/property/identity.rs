//! Properties that tell which mailbox an object is in: one declaration for objects, rows of tables,
//! restrictions and streams.

use ropewalk_props::{PropTag, tags::*};
use ropewalk_store::{Mailbox, Store};

use super::value::Found;
use crate::{ids, public};

/// What messages, folders and logons have of their mailbox: PidTagStoreEntryId, PidTagStoreRecordKey,
/// PidTagMappingSignature; `None` for every other tag. PidTagStoreSupportMask is not among them: it is of
/// files (MS-OXMSG 2.1.1.1). Without the store, which knows who owns a mailbox, there is no
/// PidTagStoreEntryId.
pub fn of_store(store: Option<&Store>, mailbox: &Mailbox, tag: PropTag) -> Option<Found<'static>> {
    match tag {
        // MS-OXCMSG 2.2.1.44.
        PID_TAG_STORE_ENTRY_ID => store_entry_id(store?, mailbox),
        PID_TAG_STORE_RECORD_KEY => Some(Found::binary(mailbox.guid().0)),
        PID_TAG_MAPPING_SIGNATURE => Some(Found::binary(mailbox.repl_guid().0)),
        _ => None,
    }
}

/// PidTagStoreEntryId of a mailbox and of what is in it (MS-OXCDATA 2.2.4.3); `None` if nobody owns it
/// any more.
pub fn store_entry_id(store: &Store, mailbox: &Mailbox) -> Option<Found<'static>> {
    const SERVER: &str = "ropewalk";
    if public::is_public(mailbox) {
        return Some(Found::binary(ids::public_store_entry_id(SERVER)));
    }
    let owner = store.user_by_mailbox(mailbox.guid())?;
    Some(Found::binary(ids::store_entry_id(SERVER, &owner.legacy_dn)))
}
