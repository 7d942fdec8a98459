//! Logon and the ROPs of the Logon object (MS-OXCSTOR).

use ropewalk_wire::Reader;

use super::{Client, Handle, NO_HANDLE, Result, Rop};

/// The response to RopLogon on a private mailbox (MS-OXCROPS 2.2.3.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Logon {
    pub handle: Handle,
    pub logon_flags: u8,
    pub folder_ids: [u64; 13],
    pub response_flags: u8,
    pub mailbox_guid: [u8; 16],
    pub repl_id: u16,
    pub repl_guid: [u8; 16],
    /// Seconds, minutes, hour, day of week, day, month.
    pub logon_time: [u8; 6],
    pub logon_year: u16,
    pub gwart_time: u64,
    pub store_state: u32,
}

/// The order of FolderIds (MS-OXCSTOR 2.2.1.1.3).
#[allow(missing_docs)]
impl Logon {
    pub const ROOT: usize = 0;
    pub const DEFERRED_ACTION: usize = 1;
    pub const SPOOLER_QUEUE: usize = 2;
    pub const IPM_SUBTREE: usize = 3;
    pub const INBOX: usize = 4;
    pub const OUTBOX: usize = 5;
    pub const SENT_ITEMS: usize = 6;
    pub const DELETED_ITEMS: usize = 7;
    pub const COMMON_VIEWS: usize = 8;
    pub const SCHEDULE: usize = 9;
    pub const SEARCH: usize = 10;
    pub const VIEWS: usize = 11;
    pub const SHORTCUTS: usize = 12;

    pub const fn root(&self) -> u64 {
        self.folder_ids[Self::ROOT]
    }
    pub const fn ipm_subtree(&self) -> u64 {
        self.folder_ids[Self::IPM_SUBTREE]
    }
    pub const fn inbox(&self) -> u64 {
        self.folder_ids[Self::INBOX]
    }
    pub const fn deleted_items(&self) -> u64 {
        self.folder_ids[Self::DELETED_ITEMS]
    }
}

/// The answer to a RopLogon to the public store (MS-OXCSTOR 2.2.1.1.4).
#[derive(Clone, Debug)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct PublicLogon {
    pub handle: Handle,
    pub logon_flags: u8,
    pub folder_ids: [u64; 13],
    pub repl_id: u16,
    pub repl_guid: [u8; 16],
    pub per_user_guid: [u8; 16],
}

#[allow(missing_docs)]
impl PublicLogon {
    pub const IPM_SUBTREE: usize = 1;

    pub const fn ipm_subtree(&self) -> u64 {
        self.folder_ids[Self::IPM_SUBTREE]
    }
}

/// A RopLogon request to a private mailbox; its OutputHandleIndex is 0.
pub fn logon_rop(logon_flags: u8, open_flags: u32, essdn: &str) -> Rop {
    let mut name = essdn.as_bytes().to_vec();
    name.push(0);
    Rop::new(0xFE, 0)
        .u8(logon_flags)
        .u32(open_flags)
        .u32(0)
        .sized(&name)
}

/// FolderIds of the response, of either form.
fn folder_ids(
    input: &mut Reader<'_>,
) -> std::result::Result<[u64; 13], ropewalk_wire::DecodeError> {
    let mut folder_ids = [0; 13];
    for id in &mut folder_ids {
        *id = input.u64()?;
    }
    Ok(folder_ids)
}

impl Client {
    /// RopLogon to the user's own mailbox, as LogonId 0.
    pub fn logon(&mut self) -> Result<Logon> {
        let essdn = self.user_dn().to_owned();
        // SUPPORT_PROGRESS | USE_PER_MDB_REPLID_MAPPING | HOME_LOGON | TAKE_OWNERSHIP, as Outlook
        // sends them.
        self.logon_with(0x01, 0x2100_000C, &essdn)
    }

    /// RopLogon (2.2.3.1).
    pub fn logon_with(&mut self, logon_flags: u8, open_flags: u32, essdn: &str) -> Result<Logon> {
        let rop = logon_rop(logon_flags, open_flags, essdn);
        let answer = self.rop(&rop, &[NO_HANDLE])?;
        let handle = answer.handle(0)?;
        answer.read(|input| {
            let logon_flags = input.u8()?;
            Ok(Logon {
                handle,
                logon_flags,
                folder_ids: folder_ids(input)?,
                response_flags: input.u8()?,
                mailbox_guid: input.array()?,
                repl_id: input.u16()?,
                repl_guid: input.array()?,
                logon_time: input.array()?,
                logon_year: input.u16()?,
                gwart_time: input.u64()?,
                store_state: input.u32()?,
            })
        })
    }

    /// RopLogon to the public store, as LogonId 0.
    pub fn public_logon(&mut self) -> Result<PublicLogon> {
        // PUBLIC | USE_PER_MDB_REPLID_MAPPING.
        let rop = logon_rop(0, 0x0100_0002, "");
        let answer = self.rop(&rop, &[NO_HANDLE])?;
        let handle = answer.handle(0)?;
        answer.read(|input| {
            let logon_flags = input.u8()?;
            Ok(PublicLogon {
                handle,
                logon_flags,
                folder_ids: folder_ids(input)?,
                repl_id: input.u16()?,
                repl_guid: input.array()?,
                per_user_guid: input.array()?,
            })
        })
    }

    /// RopGetReceiveFolder (2.2.3.2): FolderId and ExplicitMessageClass.
    pub fn get_receive_folder(&mut self, logon: Handle, class: &str) -> Result<(u64, String)> {
        self.rop(&Rop::new(0x27, 0).ascii_z(class), &[logon])?
            .read(|input| {
                let id = input.u64()?;
                Ok((id, String::from_utf8_lossy(input.ascii_z()?).into_owned()))
            })
    }

    /// RopLongTermIdFromId (2.2.3.8).
    pub fn long_term_id_from_id(&mut self, logon: Handle, id: u64) -> Result<[u8; 24]> {
        self.rop(&Rop::new(0x43, 0).u64(id), &[logon])?
            .read(Reader::array)
    }

    /// RopIdFromLongTermId (2.2.3.9).
    pub fn id_from_long_term_id(&mut self, logon: Handle, id: &[u8; 24]) -> Result<u64> {
        self.rop(&Rop::new(0x44, 0).bytes(id), &[logon])?
            .read(Reader::u64)
    }
}
