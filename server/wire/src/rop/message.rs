//! Message ROPs (MS-OXCROPS 2.2.6.1 to 2.2.6.11).

use super::request::RequestWire;
use crate::{
    DecodeError, EncodeError, Fid, Mid, Put, Reader,
    codec::{Wire, wire_struct},
    list::{List, TagArray},
    recipient::{ModifyRecipientRow, OpenRecipientRow, ReadRecipientRow},
    value::TypedString,
};

wire_struct! {
    /// RopOpenMessage request.
    #[derive(Copy)]
    OpenMessageRequest {
        output_handle_index: u8,
        code_page_id: u16,
        folder_id: Fid,
        open_mode_flags: u8,
        message_id: Mid,
    }

    /// RopOpenMessage and RopReloadCachedInformation success response.
    #[derive(Copy, Default)]
    OpenMessageResponse<'a> {
        has_named_properties: bool,
        subject_prefix: TypedString<'a>,
        normalized_subject: TypedString<'a>,
        /// Number of recipients of the message; the rows may be fewer.
        recipient_count: u16,
        recipient_columns: TagArray<'a>,
        recipient_rows: List<'a, OpenRecipientRow<'a>, u8>,
    }

    /// RopCreateMessage request.
    #[derive(Copy)]
    CreateMessageRequest {
        output_handle_index: u8,
        code_page_id: u16,
        folder_id: Fid,
        associated_flag: bool,
    }

    /// RopCreateMessage success response.
    #[derive(Copy, Default)]
    CreateMessageResponse {
        /// Present if HasMessageId.
        message_id: Option<Mid>,
    }

    /// RopSaveChangesMessage and RopSaveChangesAttachment request. Byte 3 of the request is its
    /// ResponseHandleIndex.
    #[derive(Copy, Default)]
    SaveChangesRequest { input_handle_index: u8, save_flags: u8 }

    /// RopSaveChangesMessage success response.
    #[derive(Copy)]
    SaveChangesMessageResponse { input_handle_index: u8, message_id: Mid }

    /// RopRemoveAllRecipients request.
    #[derive(Copy, Default)]
    RemoveAllRecipientsRequest { reserved: u32 }

    /// RopModifyRecipients request.
    #[derive(Copy, Default)]
    ModifyRecipientsRequest<'a> {
        recipient_columns: TagArray<'a>,
        recipient_rows: List<'a, ModifyRecipientRow<'a>>,
    }

    /// RopReadRecipients request.
    #[derive(Copy, Default)]
    ReadRecipientsRequest { row_id: u32, reserved: u16 }

    /// RopReadRecipients success response. The columns are those of the open response.
    #[derive(Copy, Default)]
    ReadRecipientsResponse<'a> { recipient_rows: List<'a, ReadRecipientRow<'a>, u8> }

    /// RopReloadCachedInformation request.
    #[derive(Copy, Default)]
    ReloadCachedInformationRequest { reserved: u16 }

    /// RopSetMessageStatus request.
    #[derive(Copy)]
    SetMessageStatusRequest { message_id: Mid, message_status_flags: u32, message_status_mask: u32 }

    /// RopGetMessageStatus request.
    #[derive(Copy)]
    GetMessageStatusRequest { message_id: Mid }

    /// RopSetMessageStatus and RopGetMessageStatus success response.
    #[derive(Copy, Default)]
    MessageStatusResponse { message_status_flags: u32 }

    /// RopSetReadFlags request.
    #[derive(Copy, Default)]
    SetReadFlagsRequest<'a> {
        want_asynchronous: bool,
        read_flags: u8,
        message_ids: List<'a, Mid>,
    }

    /// RopSetMessageReadFlag success response.
    #[derive(Copy, Default)]
    SetMessageReadFlagResponse {
        /// Present if ReadStatusChanged, which it is in public folders only.
        read_status_changed: Option<ReadStatusChanged>,
    }

    /// What follows ReadStatusChanged.
    #[derive(Copy)]
    ReadStatusChanged { logon_id: u8, client_data: [u8; 24] }
}

/// RopSetMessageReadFlag request. Byte 3 of the request is its ResponseHandleIndex.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct SetMessageReadFlagRequest {
    pub input_handle_index: u8,
    pub read_flags: u8,
    /// Present if the logon is that of public folders.
    pub client_data: Option<[u8; 24]>,
}

impl<'a> RequestWire<'a> for SetMessageReadFlagRequest {
    fn take_body(input: &mut Reader<'a>, public: bool) -> Result<Self, DecodeError> {
        Ok(Self {
            input_handle_index: input.u8()?,
            read_flags: input.u8()?,
            client_data: public.then(|| input.array()).transpose()?,
        })
    }
    fn put_body(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u8(self.input_handle_index);
        out.put_u8(self.read_flags);
        self.client_data.map_or(Ok(()), |data| data.encode(out))
    }
}
