//! Attachment ROPs (MS-OXCROPS 2.2.6.12 to 2.2.6.18).

use super::OpenMessageResponse;
use crate::{Mid, codec::wire_struct, list::List};

wire_struct! {
    /// RopOpenAttachment request.
    #[derive(Copy, Default)]
    OpenAttachmentRequest { output_handle_index: u8, open_attachment_flags: u8, attachment_id: u32 }

    /// RopCreateAttachment success response.
    #[derive(Copy, Default)]
    CreateAttachmentResponse { attachment_id: u32 }

    /// RopDeleteAttachment request.
    #[derive(Copy, Default)]
    DeleteAttachmentRequest { attachment_id: u32 }

    /// RopOpenEmbeddedMessage request.
    #[derive(Copy, Default)]
    OpenEmbeddedMessageRequest { output_handle_index: u8, code_page_id: u16, open_mode_flags: u8 }

    /// RopOpenEmbeddedMessage success response.
    #[derive(Copy)]
    OpenEmbeddedMessageResponse<'a> {
        reserved: u8,
        message_id: Mid,
        /// The fields from HasNamedProperties on, as RopOpenMessage has them.
        message: OpenMessageResponse<'a>,
    }

    /// RopGetValidAttachments success response.
    #[derive(Copy, Default)]
    GetValidAttachmentsResponse<'a> { attachment_ids: List<'a, u32> }
}
