//! Logon ROPs (MS-OXCROPS 2.2.3).

use ropewalk_props::{FileTime, Guid, PropTag};

use super::request::RequestWire;
use crate::{
    DecodeError, EncodeError, Fid, LongTermId, Put, Reader,
    codec::{AsciiZ, Bytes16, Wire, wire_struct},
    list::List,
    row::{Rows, skip_row},
    value::Form,
};

/// The Private bit of LogonFlags.
const LOGON_PRIVATE: u8 = 0x01;

wire_struct! {
    /// RopLogon request. Byte 3 of the request is its OutputHandleIndex.
    #[derive(Copy, Default)]
    LogonRequest<'a> {
        logon_flags: u8,
        open_flags: u32,
        store_state: u32,
        /// Of EssdnSize bytes, its NUL among them.
        essdn: Bytes16<'a>,
    }

    /// When the user logged on, in UTC.
    #[derive(Copy, Default)]
    LogonTime {
        seconds: u8,
        minutes: u8,
        hour: u8,
        day_of_week: u8,
        day: u8,
        month: u8,
        year: u16,
    }

    /// RopLogon success response of a private mailbox (2.2.3.1.2).
    #[derive(Default)]
    PrivateLogonResponse {
        logon_flags: u8,
        folder_ids: [Fid; 13],
        response_flags: u8,
        mailbox_guid: Guid,
        repl_id: u16,
        repl_guid: Guid,
        logon_time: LogonTime,
        gwart_time: FileTime,
        store_state: u32,
    }

    /// RopLogon success response of public folders (2.2.3.1.3).
    #[derive(Default)]
    PublicLogonResponse {
        logon_flags: u8,
        folder_ids: [Fid; 13],
        repl_id: u16,
        repl_guid: Guid,
        per_user_guid: Guid,
    }
}

impl LogonRequest<'_> {
    /// The ESSDN without its NUL.
    pub fn essdn_text(&self) -> &[u8] {
        let bytes = self.essdn.get();
        bytes.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

impl<'a> Wire<'a> for [Fid; 13] {
    const FIXED_SIZE: Option<usize> = Some(13 * 8);
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut ids = [Fid::default(); 13];
        for id in &mut ids {
            *id = Fid::decode(input)?;
        }
        Ok(ids)
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.iter().try_for_each(|id| id.encode(out))
    }
}

/// RopLogon success response: the Private bit of its LogonFlags says which.
#[derive(Clone, Debug, PartialEq)]
pub enum LogonResponse {
    /// A private mailbox.
    Private(PrivateLogonResponse),
    /// Public folders.
    Public(PublicLogonResponse),
}

impl<'a> Wire<'a> for LogonResponse {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut ahead = *input;
        if ahead.u8()? & LOGON_PRIVATE != 0 {
            PrivateLogonResponse::decode(input).map(Self::Private)
        } else {
            PublicLogonResponse::decode(input).map(Self::Public)
        }
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Private(response) => response.encode(out),
            Self::Public(response) => response.encode(out),
        }
    }
}

wire_struct! {
    /// RopGetReceiveFolder request.
    #[derive(Copy)]
    GetReceiveFolderRequest<'a> { message_class: AsciiZ<'a> }

    /// RopGetReceiveFolder success response.
    #[derive(Copy)]
    GetReceiveFolderResponse<'a> { folder_id: Fid, explicit_message_class: AsciiZ<'a> }

    /// RopSetReceiveFolder request.
    #[derive(Copy)]
    SetReceiveFolderRequest<'a> { folder_id: Fid, message_class: AsciiZ<'a> }

    /// RopGetStoreState success response.
    #[derive(Copy, Default)]
    GetStoreStateResponse { store_state: u32 }

    /// RopGetOwningServers request.
    #[derive(Copy)]
    GetOwningServersRequest { folder_id: Fid }

    /// RopPublicFolderIsGhosted request.
    #[derive(Copy)]
    PublicFolderIsGhostedRequest { folder_id: Fid }

    /// RopPublicFolderIsGhosted success response.
    #[derive(Copy, Default)]
    PublicFolderIsGhostedResponse<'a> {
        /// Present if IsGhosted.
        servers: Option<GhostServers<'a>>,
    }

    /// RopLongTermIdFromId request. ObjectId is a Folder ID or a Message ID.
    #[derive(Copy)]
    LongTermIdFromIdRequest { object_id: u64 }

    /// RopLongTermIdFromId success response.
    #[derive(Copy)]
    LongTermIdFromIdResponse { long_term_id: LongTermId }

    /// RopIdFromLongTermId request.
    #[derive(Copy)]
    IdFromLongTermIdRequest { long_term_id: LongTermId }

    /// RopIdFromLongTermId success response.
    #[derive(Copy)]
    IdFromLongTermIdResponse { object_id: u64 }

    /// RopGetPerUserLongTermIds request.
    #[derive(Copy)]
    GetPerUserLongTermIdsRequest { database_guid: Guid }

    /// RopGetPerUserLongTermIds success response.
    #[derive(Copy, Default)]
    GetPerUserLongTermIdsResponse<'a> { long_term_ids: List<'a, LongTermId> }

    /// RopGetPerUserGuid request.
    #[derive(Copy)]
    GetPerUserGuidRequest { long_term_id: LongTermId }

    /// RopGetPerUserGuid success response.
    #[derive(Copy)]
    GetPerUserGuidResponse { database_guid: Guid }

    /// RopReadPerUserInformation request.
    #[derive(Copy)]
    ReadPerUserInformationRequest {
        folder_id: LongTermId,
        reserved: u8,
        data_offset: u32,
        max_data_size: u16,
    }

    /// RopReadPerUserInformation success response.
    #[derive(Copy, Default)]
    ReadPerUserInformationResponse<'a> { has_finished: bool, data: Bytes16<'a> }
}

/// The servers of a folder whose contents are elsewhere: RopGetOwningServers success response, and
/// a part of others.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct GhostServers<'a> {
    /// How many of the servers, from the first, are cheap to reach.
    pub cheap_server_count: u16,
    /// Their names.
    pub servers: List<'a, AsciiZ<'a>>,
}

impl<'a> Wire<'a> for GhostServers<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let server_count = input.u16()?;
        Ok(Self {
            cheap_server_count: input.u16()?,
            servers: List::take(input, usize::from(server_count))?,
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        <u16 as crate::codec::Count>::put(out, "a server list", self.servers.len())?;
        out.put_u16(self.cheap_server_count);
        self.servers.put_items(out)
    }
}

/// The columns of the Receive folder table (MS-OXCROPS 2.2.3.4.2.1): PidTagFolderId,
/// PidTagMessageClass (String8), PidTagLastModificationTime.
pub const RECEIVE_FOLDER_COLUMNS: [PropTag; 3] = [
    PropTag(0x6748_0014),
    PropTag(0x001A_001E),
    PropTag(0x3008_0040),
];

/// RopGetReceiveFolderTable success response.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct GetReceiveFolderTableResponse<'a> {
    /// Number of rows.
    pub row_count: u32,
    /// The rows, of [`RECEIVE_FOLDER_COLUMNS`].
    pub rows: &'a [u8],
}

impl<'a> GetReceiveFolderTableResponse<'a> {
    /// The rows, decoded.
    pub fn rows(&self) -> Rows<'a, 'static> {
        Rows::new(self.rows, self.row_count as usize, &RECEIVE_FOLDER_COLUMNS)
    }
}

impl<'a> Wire<'a> for GetReceiveFolderTableResponse<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let row_count = input.u32()?;
        let start = input.position();
        for _ in 0..row_count {
            skip_row(input, Form::Rop, RECEIVE_FOLDER_COLUMNS.into_iter())?;
        }
        Ok(Self {
            row_count,
            rows: input.since(start),
        })
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.row_count);
        out.put_bytes(self.rows);
        Ok(())
    }
}

/// RopWritePerUserInformation request.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct WritePerUserInformationRequest<'a> {
    pub folder_id: LongTermId,
    pub has_finished: bool,
    pub data_offset: u32,
    pub data: Bytes16<'a>,
    /// Present if DataOffset is zero and the logon is that of a private mailbox.
    pub repl_guid: Option<Guid>,
}

impl<'a> RequestWire<'a> for WritePerUserInformationRequest<'a> {
    fn take_body(input: &mut Reader<'a>, public: bool) -> Result<Self, DecodeError> {
        let mut request = Self {
            folder_id: Wire::decode(input)?,
            has_finished: input.bool()?,
            data_offset: input.u32()?,
            data: Wire::decode(input)?,
            repl_guid: None,
        };
        if request.data_offset == 0 && !public {
            request.repl_guid = Some(input.guid()?);
        }
        Ok(request)
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.folder_id.encode(out)?;
        out.put_bool(self.has_finished);
        out.put_u32(self.data_offset);
        self.data.encode(out)?;
        if let Some(guid) = self.repl_guid {
            out.put_guid(guid);
        }
        Ok(())
    }
}
