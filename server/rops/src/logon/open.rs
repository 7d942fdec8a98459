//! RopLogon (MS-OXCSTOR 2.2.1.1, 3.2.5.1).

use std::sync::Arc;

use ropewalk_props::{BagView, Guid, tags};
use ropewalk_store::{Mailbox, StoreError};
use ropewalk_wire::{
    ErrorCode,
    rop::{LogonRequest, LogonResponse, PrivateLogonResponse, PublicLogonResponse},
};

use super::{release_logon, special, time::logon_time};
use crate::{
    code_page::{self, CodePage},
    exec::{Exec, Fail, blocking},
    ids,
    object::{LogonObject, Object},
    public,
    rights::Access,
    store_error,
};

/// LogonFlags (MS-OXCSTOR 2.2.1.1.1).
mod logon_flags {
    pub const PRIVATE: u8 = 0x01;
    pub const UNDERCOVER: u8 = 0x02;
    pub const GHOSTED: u8 = 0x04;
    pub const SPOOLER_PROCESS: u8 = 0x08;
    pub const ALL: u8 = PRIVATE | UNDERCOVER | GHOSTED | SPOOLER_PROCESS;
    /// Those that the response repeats.
    pub const RETURNED: u8 = PRIVATE | UNDERCOVER | GHOSTED;
}

/// OpenFlags (MS-OXCSTOR 2.2.1.1.1).
mod open_flags {
    pub const PUBLIC: u32 = 0x0000_0002;
    pub const ALTERNATE_SERVER: u32 = 0x0000_0100;
    pub const USE_PER_MDB_REPLID_MAPPING: u32 = 0x0100_0000;
    pub const SUPPORT_PROGRESS: u32 = 0x2000_0000;
    /// All that the specification names, and the others below 0x0040_0000 that MAPI's client
    /// library knows and sends at times (edkmdb.h).
    pub const KNOWN: u32 = 0x213F_FFFF;
}

/// ResponseFlags (MS-OXCSTOR 2.2.1.1.3).
mod response_flags {
    pub const RESERVED: u8 = 0x01;
    pub const OWNER_RIGHT: u8 = 0x02;
    pub const SEND_AS_RIGHT: u8 = 0x04;
    pub const OOF: u8 = 0x10;
}

/// The body of the success response for a private mailbox.
const RESPONSE_LEN: usize = 160;

/// The body of the success response for the public store.
const PUBLIC_RESPONSE_LEN: usize = 139;

/// RopLogon.
pub fn logon(exec: &mut Exec<'_>, request: &LogonRequest<'_>) -> Result<(), Fail> {
    exec.check_index(exec.handle_index)?;
    if request.logon_flags & !logon_flags::ALL != 0 || request.open_flags & !open_flags::KNOWN != 0
    {
        return Err(ErrorCode::ERROR.into());
    }
    // MS-OXCSTOR 3.2.5.1.1: text in it would be mangled.
    let code_page_id = exec.session.code_page_id;
    if !code_page::names_none(code_page_id) && CodePage::known(code_page_id).is_none() {
        return Err(ErrorCode::UNKNOWN_CODE_PAGE.into());
    }
    match (
        is_public(request),
        request.open_flags & open_flags::PUBLIC != 0,
    ) {
        (true, true) => return public_logon(exec, request),
        (false, false) => {}
        // 3.2.5.1.2: the public store is asked for with both.
        _ => return Err(ErrorCode::LOGIN_FAILURE.into()),
    }
    exec.need(RESPONSE_LEN)?;
    let essdn = std::str::from_utf8(request.essdn_text()).map_err(|_| ErrorCode::UNKNOWN_USER)?;
    let user = exec
        .session
        .store
        .user_by_legacy_dn(essdn)
        .ok_or(ErrorCode::UNKNOWN_USER)?;
    check_replids(exec, request, user.mailbox_guid)?;
    let mailbox = exec
        .session
        .store
        .mailbox(user.mailbox_guid)
        .map_err(|error| match error {
            StoreError::NotFound => ErrorCode::UNKNOWN_USER,
            error => store_error::code(&error),
        })?;

    // MS-OXCSTOR 3.2.5.1.3.
    let access = Access::of(&exec.session.user, &mailbox);
    if !access.opens(&mailbox) {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    let mailbox = put(exec, mailbox, request)?;
    let now = exec.session.store.now();
    exec.answer(&LogonResponse::Private(PrivateLogonResponse {
        logon_flags: request.logon_flags & logon_flags::RETURNED,
        folder_ids: special::LOGON_FOLDERS.map(ids::fid),
        response_flags: response_flags(&mailbox, access),
        mailbox_guid: mailbox.guid(),
        repl_id: ids::OWN_REPLID,
        repl_guid: mailbox.repl_guid(),
        logon_time: logon_time(now),
        gwart_time: now,
        // 2.2.1.1.3: not used; searches are told of by PidTagStoreState.
        store_state: 0,
    }))
}

/// Whether a logon to the public store is asked for.
pub fn is_public(request: &LogonRequest<'_>) -> bool {
    request.logon_flags & logon_flags::PRIVATE == 0
}

/// The public store (MS-OXCSTOR 2.2.1.1.4, 3.2.5.1.2). There is one, and it is here: who wants another
/// gets `ecLoginFailure`.
fn public_logon(exec: &mut Exec<'_>, request: &LogonRequest<'_>) -> Result<(), Fail> {
    exec.need(PUBLIC_RESPONSE_LEN)?;
    if request.open_flags & open_flags::ALTERNATE_SERVER != 0 {
        return Err(ErrorCode::LOGIN_FAILURE.into());
    }
    let mailbox = blocking(|| public::open(&exec.session.store))?;
    let mailbox = put(exec, mailbox, request)?;
    exec.answer(&LogonResponse::Public(PublicLogonResponse {
        logon_flags: request.logon_flags & logon_flags::RETURNED,
        folder_ids: public::logon_folders(),
        repl_id: ids::OWN_REPLID,
        repl_guid: mailbox.repl_guid(),
        // Not used.
        per_user_guid: Guid::default(),
    }))
}

/// Fails with `ecInvalidParam` if the session's first logon is to another mailbox, unless the client
/// knows that each mailbox has REPLIDs of its own (MS-OXCSTOR 3.2.5.1.1). Logons to the public store do
/// not count (2.2.1.1.1).
fn check_replids(
    exec: &Exec<'_>,
    request: &LogonRequest<'_>,
    mailbox: Guid,
) -> Result<(), ErrorCode> {
    let knows = request.open_flags & open_flags::USE_PER_MDB_REPLID_MAPPING != 0;
    let first = exec.session.first_mailbox;
    if !knows && has_private_logon(exec) && first.is_some_and(|first| first != mailbox) {
        return Err(ErrorCode::INVALID_PARAM);
    }
    Ok(())
}

fn has_private_logon(exec: &Exec<'_>) -> bool {
    let mut logons = exec.session.logons.values();
    logons.any(|logon| !logon.is_public())
}

/// Opens the logon. A LogonId that is in use is given to the new one.
fn put(
    exec: &mut Exec<'_>,
    mailbox: Arc<Mailbox>,
    request: &LogonRequest<'_>,
) -> Result<Arc<Mailbox>, Fail> {
    release_logon(exec.session, exec.logon_id);
    let access = Access::of(&exec.session.user, &mailbox);
    exec.session.guarded |= access != Access::Owner;
    let logon = LogonObject {
        mailbox,
        access,
        progress: request.open_flags & open_flags::SUPPORT_PROGRESS != 0,
    };
    let mailbox = Arc::clone(&logon.mailbox);
    if !logon.is_public() && !has_private_logon(exec) {
        exec.session.first_mailbox = Some(mailbox.guid());
    }
    exec.open(exec.handle_index, Object::Logon(logon.clone()))?;
    exec.session.logons.insert(exec.logon_id, logon);
    exec.session
        .public
        .set_public(exec.logon_id, is_public(request));
    Ok(mailbox)
}

fn response_flags(mailbox: &Mailbox, access: Access) -> u8 {
    let props = mailbox.store_props();
    let oof = props
        .get(tags::PID_TAG_OUT_OF_OFFICE_STATE)
        .and_then(|value| value.as_bool());
    let oof = if oof == Some(true) {
        response_flags::OOF
    } else {
        0
    };
    let owner = match access {
        Access::Owner => response_flags::OWNER_RIGHT | response_flags::SEND_AS_RIGHT,
        Access::Listed(_) => 0,
    };
    response_flags::RESERVED | owner | oof
}
