//! Identifiers as they go on the wire, made from what the store keeps.

use ropewalk_props::{GlobCnt, Guid};
use ropewalk_store::Mailbox;
use ropewalk_wire::{ErrorCode, Fid, LongTermId, Mid};

/// The REPLID of a mailbox's own objects; registered for its REPLGUID in every logon.
pub const OWN_REPLID: u16 = 1;

/// A folder's FID (MS-OXCDATA 2.2.1.1).
pub fn fid(id: GlobCnt) -> Fid {
    Fid::new(OWN_REPLID, id)
}

/// A message's MID (MS-OXCDATA 2.2.1.2).
pub fn mid(id: GlobCnt) -> Mid {
    Mid::new(OWN_REPLID, id)
}

/// The folder that a FID names; `ecNotFound` if it is not one of this mailbox's own ids.
pub fn folder_id(fid: Fid) -> Result<GlobCnt, ErrorCode> {
    own(fid.replid(), fid.globcnt())
}

/// The message that a MID names; `ecNotFound` if it is not one of this mailbox's own ids.
pub fn message_id(mid: Mid) -> Result<GlobCnt, ErrorCode> {
    own(mid.replid(), mid.globcnt())
}

fn own(replid: u16, id: GlobCnt) -> Result<GlobCnt, ErrorCode> {
    if replid == OWN_REPLID && id != GlobCnt(0) {
        Ok(id)
    } else {
        Err(ErrorCode::NOT_FOUND)
    }
}

/// A LongTermID in the mailbox's own replica (MS-OXCDATA 2.2.1.3.1).
pub fn long_term(mailbox: &Mailbox, id: GlobCnt) -> LongTermId {
    LongTermId {
        replguid: mailbox.repl_guid(),
        globcnt: id,
    }
}

/// A server-made source key or change key: a GID of 22 bytes (MS-OXCFXICS 2.2.1.2.5).
pub fn gid(replguid: Guid, id: GlobCnt) -> Vec<u8> {
    [&replguid.0[..], &id.to_bytes()].concat()
}

/// A folder EntryID (MS-OXCDATA 2.2.4.1), 46 bytes.
pub fn folder_entry_id(mailbox: &Mailbox, id: GlobCnt) -> Vec<u8> {
    const PRIVATE_FOLDER: u16 = 0x0001;
    let mut out = Vec::with_capacity(46);
    put_entry_id_head(&mut out, mailbox.guid(), PRIVATE_FOLDER);
    put_padded_id(&mut out, mailbox.repl_guid(), id);
    out
}

/// A message EntryID (MS-OXCDATA 2.2.4.2), 70 bytes.
pub fn message_entry_id(mailbox: &Mailbox, folder: GlobCnt, id: GlobCnt) -> Vec<u8> {
    const PRIVATE_MESSAGE: u16 = 0x0007;
    let mut out = Vec::with_capacity(70);
    put_entry_id_head(&mut out, mailbox.guid(), PRIVATE_MESSAGE);
    put_padded_id(&mut out, mailbox.repl_guid(), folder);
    put_padded_id(&mut out, mailbox.repl_guid(), id);
    out
}

/// The EntryID of the mailbox itself (MS-OXCDATA 2.2.4.3).
pub fn store_entry_id(server: &str, mailbox_dn: &str) -> Vec<u8> {
    const STORE_WRAP: [u8; 16] = [
        0x38, 0xA1, 0xBB, 0x10, 0x05, 0xE5, 0x10, 0x1A, 0xA1, 0xBB, 0x08, 0x00, 0x2B, 0x2A, 0x56,
        0xC2,
    ];
    const STORE_PRIVATE: [u8; 16] = [
        0x1B, 0x55, 0xFA, 0x20, 0xAA, 0x66, 0x11, 0xCD, 0x9B, 0xC8, 0x00, 0xAA, 0x00, 0x2F, 0xC4,
        0x5A,
    ];
    let mut out = Vec::with_capacity(64 + server.len() + mailbox_dn.len());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&STORE_WRAP);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(b"emsmdb.dll\0\0\0\0");
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&STORE_PRIVATE);
    out.extend_from_slice(&0x0000_000C_u32.to_le_bytes());
    out.extend_from_slice(server.as_bytes());
    out.push(0);
    out.extend_from_slice(mailbox_dn.as_bytes());
    out.push(0);
    out
}

/// A permanent address book EntryID (MS-OXCDATA 2.2.5.2) of a mail user.
pub fn address_book_entry_id(dn: &str) -> Vec<u8> {
    const EMSAB: [u8; 16] = [
        0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F, 0xE1,
        0x82,
    ];
    let mut out = vec![0; 4];
    out.extend_from_slice(&EMSAB);
    out.extend_from_slice(&1_u32.to_le_bytes());
    out.extend_from_slice(&0_u32.to_le_bytes());
    out.extend_from_slice(dn.as_bytes());
    out.push(0);
    out
}

/// DnPrefix of Connect (MS-OXCMAPIHTTP 2.2.4.1.2): what the X500 names of all users begin with, up
/// to the last `=`. AddressPrefixUsed of a RecipientRow counts its bytes (MS-OXCDATA 2.8.3.2).
pub fn dn_prefix(legacy_dn: &str) -> &str {
    legacy_dn
        .rfind('=')
        .and_then(|at| legacy_dn.get(..=at))
        .unwrap_or_default()
}

fn put_entry_id_head(out: &mut Vec<u8>, provider: Guid, kind: u16) {
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&provider.0);
    out.extend_from_slice(&kind.to_le_bytes());
}

fn put_padded_id(out: &mut Vec<u8>, replguid: Guid, id: GlobCnt) {
    out.extend_from_slice(&replguid.0);
    out.extend_from_slice(&id.to_bytes());
    out.extend_from_slice(&[0, 0]);
}
