//! Identifiers as they go on the wire, made from what the store keeps.

use ropewalk_props::{GlobCnt, Guid};
use ropewalk_store::Mailbox;
use ropewalk_wire::{ErrorCode, Fid, LongTermId, Mid, entry_id};

use crate::public;

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
pub fn gid(replguid: Guid, id: GlobCnt) -> Key {
    Key::of(&[&replguid.0, &id.to_bytes()])
}

/// A few bytes, off the heap: identifiers are worked out for every row of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    bytes: [u8; Key::LEN_MAX],
    len: u8,
}

impl Key {
    /// Bytes of the longest, a message EntryID.
    pub const LEN_MAX: usize = 70;

    /// The parts one after another; what is beyond the longest length is left out.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut bytes = [0; Self::LEN_MAX];
        let mut len = 0;
        for part in parts {
            let room = bytes.get_mut(len..).unwrap_or_default();
            let kept = part.len().min(room.len());
            if let Some((to, from)) = room.get_mut(..kept).zip(part.get(..kept)) {
                to.copy_from_slice(from);
                len += kept;
            }
        }
        Self {
            bytes,
            len: len as u8,
        }
    }
}

impl std::ops::Deref for Key {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

/// A folder EntryID (MS-OXCDATA 2.2.4.1), 46 bytes.
pub fn folder_entry_id(mailbox: &Mailbox, id: GlobCnt) -> Key {
    let (provider, kind) = match public::is_public(mailbox) {
        true => (entry_id::provider::PUBLIC, entry_id::PUBLIC_FOLDER),
        false => (mailbox.guid(), entry_id::PRIVATE_FOLDER),
    };
    let (kind, replica) = (kind.to_le_bytes(), mailbox.repl_guid());
    let folder = id.to_bytes();
    Key::of(&[&FLAGS, &provider.0, &kind, &replica.0, &folder, &PAD])
}

/// A message EntryID (MS-OXCDATA 2.2.4.2), 70 bytes.
pub fn message_entry_id(mailbox: &Mailbox, folder: GlobCnt, id: GlobCnt) -> Key {
    let (provider, kind) = match public::is_public(mailbox) {
        true => (entry_id::provider::PUBLIC, entry_id::PUBLIC_MESSAGE),
        false => (mailbox.guid(), entry_id::PRIVATE_MESSAGE),
    };
    let (kind, replica) = (kind.to_le_bytes(), mailbox.repl_guid());
    let (folder, message) = (folder.to_bytes(), id.to_bytes());
    Key::of(&[
        &FLAGS,
        &provider.0,
        &kind,
        &replica.0,
        &folder,
        &PAD,
        &replica.0,
        &message,
        &PAD,
    ])
}

/// Flags of a long-term EntryID, and the padding behind a counter.
const FLAGS: [u8; 4] = [0; 4];
const PAD: [u8; 2] = [0; 2];

/// The EntryID of the mailbox itself (MS-OXCDATA 2.2.4.3).
pub fn store_entry_id(server: &str, mailbox_dn: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + server.len() + mailbox_dn.len());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&entry_id::provider::STORE.0);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(b"emsmdb.dll\0\0\0\0");
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&entry_id::provider::STORE_PRIVATE.0);
    out.extend_from_slice(&0x0000_000C_u32.to_le_bytes());
    out.extend_from_slice(server.as_bytes());
    out.push(0);
    out.extend_from_slice(mailbox_dn.as_bytes());
    out.push(0);
    out
}

/// The EntryID of the public store (MS-OXCDATA 2.2.4.3).
pub fn public_store_entry_id(server: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + server.len());
    out.extend_from_slice(&FLAGS);
    out.extend_from_slice(&entry_id::provider::STORE.0);
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(b"emsmdb.dll\0\0\0\0");
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&entry_id::provider::STORE_PUBLIC.0);
    out.extend_from_slice(&entry_id::PUBLIC_STORE.to_le_bytes());
    out.extend_from_slice(server.as_bytes());
    out.push(0);
    out
}

/// A permanent address book EntryID (MS-OXCDATA 2.2.5.2) of a mail user.
pub fn address_book_entry_id(dn: &str) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend_from_slice(&entry_id::provider::ADDRESS_BOOK.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_parts_up_to_its_length() {
        assert_eq!(&*Key::of(&[b"ab", b"", b"c"]), b"abc");
        assert_eq!(Key::of(&[&[1; 50], &[2; 50]]).len(), Key::LEN_MAX);
        let gid = gid(Guid([7; 16]), GlobCnt(0x0102));
        assert_eq!(gid[..16], [7; 16]);
        assert_eq!(gid[16..], [0, 0, 0, 0, 1, 2]);
    }
}
