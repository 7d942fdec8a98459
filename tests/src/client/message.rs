//! Message ROPs (MS-OXCMSG).

use ropewalk_wire::{DecodeError, Reader, codec::Wire as _, value::TypedString};

use super::{Client, Handle, Result, Rop, recipient::Recipient};

/// SaveFlags (MS-OXCMSG 2.2.3.3.1).
pub mod save {
    /// The message stays open for reading.
    pub const KEEP_OPEN_READ_ONLY: u8 = 0x01;
    /// The message stays open for reading and writing.
    pub const KEEP_OPEN_READ_WRITE: u8 = 0x02;
    /// Whatever others have saved since is overwritten.
    pub const FORCE_SAVE: u8 = 0x04;
}

/// The response to RopCreateMessage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedMessage {
    /// The message.
    pub handle: Handle,
    /// MessageId, if the server tells it before the save.
    pub message_id: Option<u64>,
}

/// The response to RopOpenMessage, RopOpenEmbeddedMessage and RopReloadCachedInformation.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct OpenedMessage {
    /// The message; of the request, for RopReloadCachedInformation.
    pub handle: Handle,
    pub has_named_properties: u8,
    /// `None` if there is no string (StringType 0).
    pub subject_prefix: Option<String>,
    /// `None` if there is no string (StringType 0).
    pub normalized_subject: Option<String>,
    pub recipient_count: u16,
    pub recipient_columns: Vec<u32>,
    pub recipients: Vec<Recipient>,
}

/// A TypedString (MS-OXCDATA 2.11.7).
fn take_typed_string(input: &mut Reader<'_>) -> Result<Option<String>, DecodeError> {
    Ok(match TypedString::decode(input)? {
        TypedString::None => None,
        TypedString::Empty => Some(String::new()),
        TypedString::String8(text) | TypedString::Reduced(text) => {
            Some(text.iter().map(|byte| char::from(*byte)).collect())
        }
        TypedString::Unicode(text) => Some(ropewalk_props::text::decode_utf16le(text)),
    })
}

pub(super) fn take_opened(
    input: &mut Reader<'_>,
    handle: Handle,
) -> Result<OpenedMessage, DecodeError> {
    let has_named_properties = input.u8()?;
    let subject_prefix = take_typed_string(input)?;
    let normalized_subject = take_typed_string(input)?;
    let recipient_count = input.u16()?;
    let columns = input.u16()?;
    let recipient_columns: Vec<u32> = (0..columns)
        .map(|_| input.u32())
        .collect::<Result<_, _>>()?;
    let rows = input.u8()?;
    let recipients = (0..rows)
        .map(|_| Recipient::take_open(input, &recipient_columns))
        .collect::<Result<_, _>>()?;
    Ok(OpenedMessage {
        handle,
        has_named_properties,
        subject_prefix,
        normalized_subject,
        recipient_count,
        recipient_columns,
        recipients,
    })
}

impl Client {
    /// RopOpenMessage (MS-OXCROPS 2.2.6.1) from a folder or the Logon, in the logon's code page.
    /// `mode` is 0 to read, 1 to read and write, 3 the best there is.
    pub fn open_message(
        &mut self,
        from: Handle,
        folder_id: u64,
        message_id: u64,
        mode: u8,
    ) -> Result<OpenedMessage> {
        let rop = Rop::new(0x03, 0)
            .u8(1)
            .u16(0x0FFF)
            .u64(folder_id)
            .u8(mode)
            .u64(message_id);
        let (handle, answer) = self.open(&rop, from)?;
        answer.read(|input| take_opened(input, handle))
    }

    /// RopCreateMessage (2.2.6.2) of a normal message, in the logon's code page.
    pub fn create_message(&mut self, from: Handle, folder_id: u64) -> Result<Handle> {
        Ok(self.create_message_with(from, folder_id, false)?.handle)
    }

    /// RopCreateMessage.
    pub fn create_message_with(
        &mut self,
        from: Handle,
        folder_id: u64,
        associated: bool,
    ) -> Result<CreatedMessage> {
        let rop = Rop::new(0x06, 0)
            .u8(1)
            .u16(0x0FFF)
            .u64(folder_id)
            .u8(u8::from(associated));
        let (handle, answer) = self.open(&rop, from)?;
        answer.read(|input| {
            let message_id = if input.bool()? {
                Some(input.u64()?)
            } else {
                None
            };
            Ok(CreatedMessage { handle, message_id })
        })
    }

    /// RopSaveChangesMessage (2.2.6.3), keeping the message open for writing: MessageId.
    pub fn save_message(&mut self, message: Handle) -> Result<u64> {
        self.save_message_with(message, save::KEEP_OPEN_READ_WRITE)
    }

    /// RopSaveChangesMessage: MessageId.
    pub fn save_message_with(&mut self, message: Handle, save_flags: u8) -> Result<u64> {
        // ResponseHandleIndex and InputHandleIndex differ, to see which one comes back where.
        let rop = Rop::new(0x0C, 1).u8(0).u8(save_flags);
        self.rop(&rop, &[message, message])?.read(|input| {
            let input_handle_index = input.u8()?;
            if input_handle_index != 0 {
                return Err(DecodeError::Value {
                    field: "InputHandleIndex",
                    value: input_handle_index.into(),
                });
            }
            input.u64()
        })
    }

    /// RopReloadCachedInformation (2.2.6.7).
    pub fn reload_cached_information(&mut self, message: Handle) -> Result<OpenedMessage> {
        self.rop(&Rop::new(0x10, 0).u16(0), &[message])?
            .read(|input| take_opened(input, message))
    }

    /// RopSetMessageReadFlag (2.2.6.11) on a private mailbox: ReadStatusChanged. ResponseHandleIndex
    /// is the folder, InputHandleIndex the message (MS-OXCMSG 2.2.3.11).
    pub fn set_message_read_flag(
        &mut self,
        folder: Handle,
        message: Handle,
        read_flags: u8,
    ) -> Result<u8> {
        let rop = Rop::new(0x11, 0).u8(1).u8(read_flags);
        self.rop(&rop, &[folder, message])?.read(|input| {
            let changed = input.u8()?;
            if changed != 0 {
                // LogonId and ClientData.
                input.bytes(25)?;
            }
            Ok(changed)
        })
    }
}
