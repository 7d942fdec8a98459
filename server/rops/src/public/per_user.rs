//! The ROPs on per-user data: which messages of a public folder a user has read, as bytes that the user's
//! client carries from one public store to another, and keeps in the user's own mailbox meanwhile
//! (MS-OXCSTOR 2.2.1.10 to 2.2.1.13, 3.2.5.10 to 3.2.5.13).
//!
//! A mailbox keeps the table of such data in a hidden property of its root folder.

use ropewalk_props::{BagView, GlobCnt, Guid, PropTag, PropValue};
use ropewalk_store::Store;
use ropewalk_wire::{
    DecodeError, ErrorCode, LongTermId, Put, Reader,
    codec::{Bytes16, Wire as _},
    globset::GlobSet,
    rop::{
        GetPerUserGuidRequest, GetPerUserGuidResponse, GetPerUserLongTermIdsRequest,
        GetPerUserLongTermIdsResponse, ReadPerUserInformationRequest,
        ReadPerUserInformationResponse, WritePerUserInformationRequest,
    },
};

use super::reads;
use crate::{
    exec::{Exec, Fail, blocking},
    limits::{PER_USER_BYTES_MAX, PER_USER_ENTRIES_MAX},
    logon::special,
    object::LogonObject,
    property::value::{Found, in_bag},
    rights::{Access, Rights},
    table::cells::large_prefix,
};

/// The hidden property of the root folder.
pub const TABLE: PropTag = PropTag(0x67F3_0102);

/// Bytes that are sent when a client leaves their number to the server, and at most (MS-OXCSTOR
/// 3.2.5.12.1: what all products have).
const MAX_SIZE: u16 = 0x1000;

/// Data on its way in, of which there is more to come.
#[derive(Debug)]
pub struct Writing {
    logon_id: u8,
    folder: LongTermId,
    replguid: Guid,
    data: Vec<u8>,
}

/// An entry of a mailbox's table.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    folder: LongTermId,
    /// The REPLGUID of the public store that the data came from.
    replguid: Guid,
    data: Vec<u8>,
}

impl Entry {
    fn take(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let folder = LongTermId::decode(input)?;
        let replguid = input.guid()?;
        let len = input.u32()? as usize;
        Ok(Self {
            folder,
            replguid,
            data: input.bytes(len)?.to_vec(),
        })
    }

    fn put(&self, out: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let bad = |_| ErrorCode::INVALID_PARAM;
        self.folder.encode(out).map_err(bad)?;
        self.replguid.encode(out).map_err(bad)?;
        out.put_u32(u32::try_from(self.data.len()).map_err(|_| ErrorCode::NOT_ENOUGH_MEMORY)?);
        out.put_bytes(&self.data);
        Ok(())
    }
}

fn table(store: &Store, props: &dyn BagView) -> Result<Vec<Entry>, ErrorCode> {
    let found = in_bag(props, TABLE.id());
    let large;
    let bytes = match &found {
        None => return Ok(Vec::new()),
        Some(Found::Large(_, blob)) => {
            large = large_prefix(store, *blob, PER_USER_BYTES_MAX * PER_USER_ENTRIES_MAX);
            &large
        }
        Some(found) => found.value_ref().map_or(&[][..], |value| value.data),
    };
    let mut input = Reader::new(bytes);
    let mut all = Vec::new();
    while !input.is_empty() {
        all.push(Entry::take(&mut input).map_err(|_| ErrorCode::CORRUPT_DATA)?);
    }
    Ok(all)
}

/// The table of the logon's mailbox; `ecNotSupported` of the public store, which has none.
fn table_of(exec: &Exec<'_>) -> Result<Vec<Entry>, ErrorCode> {
    let mailbox = &exec.object()?.logon()?.private()?.mailbox;
    let root = mailbox.folder_props(special::ROOT);
    let (props, _) = root.ok_or(ErrorCode::NOT_FOUND)?;
    table(&exec.session.store, &*props)
}

/// RopGetPerUserLongTermIds: the folders of which the mailbox has data from one public store.
pub fn get_per_user_long_term_ids(
    exec: &mut Exec<'_>,
    request: &GetPerUserLongTermIdsRequest,
) -> Result<(), Fail> {
    let ids: Vec<LongTermId> = table_of(exec)?
        .into_iter()
        .filter(|entry| entry.replguid == request.database_guid)
        .map(|entry| entry.folder)
        .collect();
    exec.need(2 + ids.len() * LongTermId::LEN)?;
    exec.answer(&GetPerUserLongTermIdsResponse {
        long_term_ids: (&ids[..]).into(),
    })
}

/// RopGetPerUserGuid: the public store that the data of a folder came from; `ecNotFound` without data.
pub fn get_per_user_guid(exec: &mut Exec<'_>, request: &GetPerUserGuidRequest) -> Result<(), Fail> {
    exec.need(16)?;
    let all = table_of(exec)?;
    let found = all
        .iter()
        .find(|entry| entry.folder == request.long_term_id);
    let database_guid = found.ok_or(ErrorCode::NOT_FOUND)?.replguid;
    exec.answer(&GetPerUserGuidResponse { database_guid })
}

/// RopReadPerUserInformation: of the public store what the user has read, of a mailbox what its table
/// has; nothing, and no more of it, without data. `ecError` beyond its end.
pub fn read_per_user_information(
    exec: &mut Exec<'_>,
    request: &ReadPerUserInformationRequest,
) -> Result<(), Fail> {
    const FIXED: usize = 3;
    let logon = exec.object()?.logon()?;
    let data = if logon.is_public() {
        let (user, folder) = public_folder(logon, request.folder_id)?;
        let read = reads::read_by(&logon.mailbox, (user, folder))?;
        encoded(logon.mailbox.repl_guid(), &read)
    } else {
        let all = table_of(exec)?;
        let found = all
            .into_iter()
            .find(|entry| entry.folder == request.folder_id);
        found.map(|entry| entry.data).unwrap_or_default()
    };
    let from = data.get(request.data_offset as usize..);
    let rest = from.ok_or(ErrorCode::GENERAL_FAILURE)?;
    let size = match request.max_data_size {
        0 => MAX_SIZE,
        size => size.min(MAX_SIZE),
    };
    let part = rest.get(..usize::from(size)).unwrap_or(rest);
    exec.need(FIXED + part.len())?;
    exec.answer(&ReadPerUserInformationResponse {
        has_finished: part.len() == rest.len(),
        data: Bytes16::new(part),
    })
}

/// RopWritePerUserInformation: data comes in parts, one behind the other, and counts from the last one
/// on. `ecError` for a part out of place, `ecCorruptData` for data that is no set of change numbers,
/// `ecMAPIOOM` for too much of it.
pub fn write_per_user_information(
    exec: &mut Exec<'_>,
    request: &WritePerUserInformationRequest<'_>,
) -> Result<(), Fail> {
    exec.need(0)?;
    let logon = exec.object()?.logon()?.clone();
    // What has come is of no use any more unless this goes on with it.
    let known = exec.session.per_user.take();
    if logon.is_public() {
        public_folder(&logon, request.folder_id)?;
    }
    let logon_id = exec.logon_id;
    let mut writing = match known {
        _ if request.data_offset == 0 => Writing {
            logon_id,
            folder: request.folder_id,
            replguid: request.repl_guid.unwrap_or_default(),
            data: Vec::new(),
        },
        Some(known) if (known.logon_id, known.folder) == (logon_id, request.folder_id) => known,
        _ => return Err(ErrorCode::GENERAL_FAILURE.into()),
    };
    if writing.data.len() != request.data_offset as usize {
        return Err(ErrorCode::GENERAL_FAILURE.into());
    }
    let part = request.data.get();
    if writing.data.len() + part.len() > PER_USER_BYTES_MAX {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY.into());
    }
    writing.data.extend_from_slice(part);
    if !request.has_finished {
        exec.session.per_user = Some(writing);
    } else if logon.is_public() {
        let (user, folder) = public_folder(&logon, writing.folder)?;
        let read = decoded(logon.mailbox.repl_guid(), &writing.data)?;
        reads::replace(&logon.mailbox, (user, folder), read)?;
    } else {
        decoded(Guid::default(), &writing.data)?;
        keep(exec, &logon, writing)?;
    }
    exec.begin();
    Ok(())
}

/// Puts data into the mailbox's table, in place of what it has of the folder.
fn keep(exec: &Exec<'_>, logon: &LogonObject, writing: Writing) -> Result<(), Fail> {
    if !logon.is_owner() {
        return Err(ErrorCode::ACCESS_DENIED.into());
    }
    let store = &exec.session.store;
    blocking(|| {
        logon.mailbox.edit_folder(special::ROOT, |props| {
            let mut all = table(store, props)?;
            all.retain(|entry| entry.folder != writing.folder);
            all.push(Entry {
                folder: writing.folder,
                replguid: writing.replguid,
                data: writing.data,
            });
            if all.len() > PER_USER_ENTRIES_MAX {
                // Where nothing was read is what can be forgotten first.
                all.retain(|entry| !entry.data.is_empty());
            }
            if all.len() > PER_USER_ENTRIES_MAX {
                return Err(Fail::Code(ErrorCode::NOT_ENOUGH_MEMORY));
            }
            let mut bytes = Vec::new();
            all.iter().try_for_each(|entry| entry.put(&mut bytes))?;
            Ok((vec![(TABLE, PropValue::Binary(bytes))], Vec::new()))
        })
    })
}

/// The user of a logon to the public store and the folder that a LongTermID names there; `ecNotFound` if
/// the user can see none.
fn public_folder(logon: &LogonObject, id: LongTermId) -> Result<(u32, GlobCnt), ErrorCode> {
    let Access::Listed(user) = logon.access else {
        return Err(ErrorCode::NOT_SUPPORTED);
    };
    let folder = id.globcnt;
    let is_there = id.replguid == logon.mailbox.repl_guid()
        && logon.mailbox.has_folder(folder)
        && logon.rights(folder)?.contains(Rights::FOLDER_VISIBLE);
    if is_there {
        Ok((user, folder))
    } else {
        Err(ErrorCode::NOT_FOUND)
    }
}

/// A set of change numbers as clients carry it: an IDSET with REPLGUIDs (MS-OXCFXICS 2.2.2.4.2).
fn encoded(replguid: Guid, read: &GlobSet) -> Vec<u8> {
    let mut out = Vec::new();
    if !read.is_empty() {
        out.put_bytes(&replguid.0);
        read.encode(&mut out);
    }
    out
}

/// What such a set has of this replica: other ones have no messages here.
fn decoded(replguid: Guid, data: &[u8]) -> Result<GlobSet, ErrorCode> {
    let invalid = |_| ErrorCode::CORRUPT_DATA;
    let mut input = Reader::new(data);
    let mut all = GlobSet::default();
    while !input.is_empty() {
        let of = input.guid().map_err(invalid)?;
        let set = GlobSet::decode(&mut input).map_err(invalid)?;
        if of == replguid {
            all.extend(&set);
        }
    }
    Ok(all)
}
