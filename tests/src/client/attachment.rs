//! Attachment ROPs (MS-OXCMSG).

use ropewalk_wire::Reader;

use super::{Client, Handle, OpenedMessage, Result, Rop, message::take_opened};

impl Client {
    /// RopCreateAttachment (MS-OXCROPS 2.2.6.13): the attachment and its AttachmentID.
    pub fn create_attachment(&mut self, message: Handle) -> Result<(Handle, u32)> {
        let (handle, answer) = self.open(&Rop::new(0x23, 0).u8(1), message)?;
        Ok((handle, answer.read(Reader::u32)?))
    }

    /// RopOpenAttachment (2.2.6.12); `mode` is 0 to read, 1 to read and write, 3 the best there is.
    pub fn open_attachment(&mut self, message: Handle, id: u32, mode: u8) -> Result<Handle> {
        let (handle, answer) = self.open(&Rop::new(0x22, 0).u8(1).u8(mode).u32(id), message)?;
        answer.empty()?;
        Ok(handle)
    }

    /// RopSaveChangesAttachment (2.2.6.15) of an attachment, keeping it open for writing.
    pub fn save_attachment(&mut self, message: Handle, attachment: Handle) -> Result<()> {
        self.save_attachment_with(message, attachment, 0x02)
    }

    /// RopSaveChangesAttachment. ResponseHandleIndex is 0, the message; InputHandleIndex is 1.
    pub fn save_attachment_with(
        &mut self,
        message: Handle,
        attachment: Handle,
        save_flags: u8,
    ) -> Result<()> {
        let rop = Rop::new(0x25, 0).u8(1).u8(save_flags);
        self.rop(&rop, &[message, attachment])?.empty()
    }

    /// RopDeleteAttachment (2.2.6.14).
    pub fn delete_attachment(&mut self, message: Handle, id: u32) -> Result<()> {
        self.rop(&Rop::new(0x24, 0).u32(id), &[message])?.empty()
    }

    /// RopGetAttachmentTable (2.2.6.17).
    pub fn attachment_table(&mut self, message: Handle) -> Result<Handle> {
        let (handle, answer) = self.open(&Rop::new(0x21, 0).u8(1).u8(0), message)?;
        answer.empty()?;
        Ok(handle)
    }

    /// RopOpenEmbeddedMessage (2.2.6.16) in the logon's code page; `mode` is 0 to read, 1 to read
    /// and write, 2 to create. Returns MessageId too.
    pub fn open_embedded_message(
        &mut self,
        attachment: Handle,
        mode: u8,
    ) -> Result<(OpenedMessage, u64)> {
        let rop = Rop::new(0x46, 0).u8(1).u16(0x0FFF).u8(mode);
        let (handle, answer) = self.open(&rop, attachment)?;
        answer.read(|input| {
            let _reserved = input.u8()?;
            let message_id = input.u64()?;
            Ok((take_opened(input, handle)?, message_id))
        })
    }
}
