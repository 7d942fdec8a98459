//! RopLogon (MS-OXCSTOR 2.2.1.1, 3.2.5.1).

use ropewalk_props::{BagView, tags};
use ropewalk_store::{Mailbox, StoreError};
use ropewalk_wire::{
    ErrorCode,
    rop::{LogonRequest, LogonResponse, PrivateLogonResponse},
};

use super::{release_logon, special, store_state, time::logon_time};
use crate::{
    exec::{Exec, Fail},
    ids,
    object::{LogonObject, Object},
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
    pub const USE_PER_MDB_REPLID_MAPPING: u32 = 0x0100_0000;
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

/// RopLogon.
pub fn logon(exec: &mut Exec<'_>, request: &LogonRequest<'_>) -> Result<(), Fail> {
    exec.check_index(exec.handle_index)?;
    exec.need(RESPONSE_LEN)?;
    if request.logon_flags & !logon_flags::ALL != 0 || request.open_flags & !open_flags::KNOWN != 0
    {
        return Err(ErrorCode::ERROR.into());
    }
    // No code page identifier is larger than this (MS-OXCSTOR 3.2.5.1.1).
    if exec.session.code_page_id > u32::from(u16::MAX) {
        return Err(ErrorCode::UNKNOWN_CODE_PAGE.into());
    }
    if request.logon_flags & logon_flags::PRIVATE == 0
        || request.open_flags & open_flags::PUBLIC != 0
    {
        // There are no public folders here.
        return Err(ErrorCode::LOGIN_FAILURE.into());
    }
    let essdn = std::str::from_utf8(request.essdn_text()).map_err(|_| ErrorCode::UNKNOWN_USER)?;
    let user = exec
        .session
        .store
        .user_by_legacy_dn(essdn)
        .ok_or(ErrorCode::UNKNOWN_USER)?;
    let is_to_another = |logon: &LogonObject| logon.mailbox.guid() != user.mailbox_guid;
    if request.open_flags & open_flags::USE_PER_MDB_REPLID_MAPPING == 0
        && exec.session.logons.values().any(is_to_another)
    {
        // The REPLIDs of the session are the first mailbox's (MS-OXCSTOR 3.2.5.1.1).
        return Err(ErrorCode::INVALID_PARAM.into());
    }
    // Every mailbox is open to its owner alone.
    if user.mailbox_guid != exec.session.user.mailbox_guid {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    let mailbox = exec
        .session
        .store
        .mailbox(user.mailbox_guid)
        .map_err(|error| match error {
            StoreError::NotFound => ErrorCode::UNKNOWN_USER,
            error => store_error::code(&error),
        })?;

    // A LogonId that is in use is given to the new logon.
    release_logon(exec.session, exec.logon_id);
    let access = Access::of(&exec.session.user, &mailbox);
    let logon = LogonObject { mailbox, access };
    let mailbox = logon.mailbox.clone();
    exec.open(exec.handle_index, Object::Logon(logon.clone()))?;
    exec.session.logons.insert(exec.logon_id, logon);

    let now = exec.session.store.now();
    exec.answer(&LogonResponse::Private(PrivateLogonResponse {
        logon_flags: request.logon_flags & logon_flags::RETURNED,
        folder_ids: special::LOGON_FOLDERS.map(ids::fid),
        response_flags: response_flags(&mailbox),
        mailbox_guid: mailbox.guid(),
        repl_id: ids::OWN_REPLID,
        repl_guid: mailbox.repl_guid(),
        logon_time: logon_time(now),
        gwart_time: now,
        store_state: store_state(&exec.session.store, &mailbox),
    }))
}

fn response_flags(mailbox: &Mailbox) -> u8 {
    let props = mailbox.store_props();
    let oof = props
        .get(tags::PID_TAG_OUT_OF_OFFICE_STATE)
        .and_then(|value| value.as_bool());
    let oof = if oof == Some(true) {
        response_flags::OOF
    } else {
        0
    };
    response_flags::RESERVED | response_flags::OWNER_RIGHT | response_flags::SEND_AS_RIGHT | oof
}
