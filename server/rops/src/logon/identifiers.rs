//! Short identifiers to long ones and back (MS-OXCSTOR 3.2.5.8 and 3.2.5.9).

use ropewalk_props::Guid;
use ropewalk_store::StoreError;
use ropewalk_wire::{
    ErrorCode, Fid, LongTermId,
    rop::{
        IdFromLongTermIdRequest, IdFromLongTermIdResponse, LongTermIdFromIdRequest,
        LongTermIdFromIdResponse,
    },
};

use crate::{
    exec::{Exec, Fail, blocking},
    store_error,
};

/// RopLongTermIdFromId. The object need not exist, its REPLID must.
pub fn long_term_id_from_id(
    exec: &mut Exec<'_>,
    request: &LongTermIdFromIdRequest,
) -> Result<(), Fail> {
    exec.object()?.logon()?;
    exec.need(LongTermId::LEN)?;
    // Folder IDs and Message IDs are laid out alike.
    let id = Fid::from_u64(request.object_id);
    let replguid = exec
        .logon()?
        .mailbox
        .replguid_of(id.replid())
        .ok_or(ErrorCode::NOT_FOUND)?;
    let long_term_id = LongTermId {
        replguid,
        globcnt: id.globcnt(),
    };
    exec.answer(&LongTermIdFromIdResponse { long_term_id })
}

/// RopIdFromLongTermId. An unknown REPLGUID gets a REPLID, for good.
pub fn id_from_long_term_id(
    exec: &mut Exec<'_>,
    request: &IdFromLongTermIdRequest,
) -> Result<(), Fail> {
    exec.object()?.logon()?;
    exec.need(8)?;
    let LongTermId { replguid, globcnt } = request.long_term_id;
    if replguid == Guid([0; 16]) {
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    let mailbox = exec.mailbox()?;
    let known = mailbox.replid_of(replguid, false)?;
    let replid = match known {
        Some(known) => known,
        // Numbers are the mailbox's, and there are not many.
        None if !exec.logon()?.is_owner() => return Err(ErrorCode::NOT_FOUND.into()),
        None => blocking(|| mailbox.replid_of(replguid, true))
            .map_err(|error| match error {
                StoreError::ReplidsExhausted => ErrorCode::PARAMETER_OVERFLOW,
                error => store_error::code(&error),
            })?
            .ok_or(ErrorCode::NOT_FOUND)?,
    };
    exec.answer(&IdFromLongTermIdResponse {
        object_id: Fid::new(replid, globcnt).to_u64(),
    })
}
