//! Recipient ROPs (MS-OXCMSG) and RecipientRow (MS-OXCDATA 2.8.3).

use ropewalk_props::PropValue;
use ropewalk_wire::{DecodeError, Put as _, Reader, row::PropertyRow, value::Form};

use super::{Client, Handle, Result, Rop, property::Row, table::take_row};

/// A recipient as the server tells it.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Recipient {
    /// Only RopReadRecipients tells it.
    pub row_id: Option<u32>,
    pub recipient_type: u8,
    pub recipient_flags: u16,
    /// X500DN, with AddressPrefixUsed and DisplayType before it.
    pub x500_dn: Option<(u8, u8, String)>,
    pub address_type: Option<String>,
    pub email_address: Option<String>,
    pub display_name: Option<String>,
    pub simple_display_name: Option<String>,
    pub transmittable_display_name: Option<String>,
    /// RecipientProperties, over the first columns.
    pub properties: Row,
}

/// A recipient as a client gives it: SMTP, in Unicode.
#[derive(Clone, Debug)]
pub struct NewRecipient<'a> {
    /// RowId.
    pub row_id: u32,
    /// 1 To, 2 Cc, 3 Bcc.
    pub recipient_type: u8,
    /// Its name.
    pub display_name: &'a str,
    /// Its SMTP address.
    pub email_address: &'a str,
    /// Values of the first columns.
    pub properties: Vec<PropValue>,
}

fn take_text(input: &mut Reader<'_>, unicode: bool) -> Result<String, DecodeError> {
    Ok(if unicode {
        ropewalk_props::text::decode_utf16le(input.utf16_z()?)
    } else {
        String::from_utf8_lossy(input.ascii_z()?).into_owned()
    })
}

impl Recipient {
    /// An OpenRecipientRow (MS-OXCROPS 2.2.6.1.2.1).
    pub(super) fn take_open(input: &mut Reader<'_>, columns: &[u32]) -> Result<Self, DecodeError> {
        Self::take(input, None, columns)
    }

    fn take(
        input: &mut Reader<'_>,
        row_id: Option<u32>,
        columns: &[u32],
    ) -> Result<Self, DecodeError> {
        let recipient_type = input.u8()?;
        let _code_page_id = input.u16()?;
        let _reserved = input.u16()?;
        let size = usize::from(input.u16()?);
        let mut row = input.sub(size)?;
        let recipient = Self::take_row(&mut row, row_id, recipient_type, columns)?;
        row.finish()?;
        Ok(recipient)
    }

    fn take_row(
        input: &mut Reader<'_>,
        row_id: Option<u32>,
        recipient_type: u8,
        columns: &[u32],
    ) -> Result<Self, DecodeError> {
        let flags = input.u16()?;
        let unicode = flags & 0x0200 != 0;
        let mut x500_dn = None;
        let mut address_type = None;
        match flags & 0x0007 {
            1 => {
                let (prefix, display_type) = (input.u8()?, input.u8()?);
                x500_dn = Some((prefix, display_type, take_text(input, false)?));
            }
            6 | 7 => {
                for _ in 0..2 {
                    let size = usize::from(input.u16()?);
                    input.bytes(size)?;
                }
            }
            0 if flags & 0x8000 != 0 => address_type = Some(take_text(input, false)?),
            _ => {}
        }
        let mut optional = |mask: u16| {
            (flags & mask != 0)
                .then(|| take_text(input, unicode))
                .transpose()
        };
        let email_address = optional(0x0008)?;
        let display_name = optional(0x0010)?;
        let simple_display_name = optional(0x0400)?;
        let transmittable_display_name = optional(0x0020)?;
        let count = input.u16()?;
        let columns = columns
            .get(..usize::from(count))
            .ok_or(DecodeError::Value {
                field: "RecipientColumnCount",
                value: u64::from(count),
            })?;
        Ok(Self {
            row_id,
            recipient_type,
            recipient_flags: flags,
            x500_dn,
            address_type,
            email_address,
            display_name,
            simple_display_name,
            transmittable_display_name,
            properties: take_row(input, columns)?,
        })
    }
}

impl NewRecipient<'_> {
    /// A RecipientRow: SMTP, U, E, D and S.
    fn row(&self, columns: &[u32]) -> Vec<u8> {
        let mut row = Vec::new();
        row.put_u16(0x0003 | 0x0008 | 0x0010 | 0x0040 | 0x0200);
        for text in [self.email_address, self.display_name] {
            text.encode_utf16().for_each(|unit| row.put_u16(unit));
            row.put_u16(0);
        }
        let columns: Vec<_> = columns
            .iter()
            .take(self.properties.len())
            .map(|tag| ropewalk_props::PropTag(*tag))
            .collect();
        row.put_u16(u16::try_from(columns.len()).expect("few columns"));
        let cells = self.properties.iter().cloned();
        let properties = PropertyRow {
            cells: cells.map(ropewalk_wire::row::RowCell::Value).collect(),
        };
        properties
            .encode(&mut row, Form::Rop, &columns)
            .expect("the properties have a wire form");
        row
    }
}

impl Client {
    /// RopModifyRecipients (MS-OXCROPS 2.2.6.5): adds or replaces.
    pub fn modify_recipients(
        &mut self,
        message: Handle,
        columns: &[u32],
        recipients: &[NewRecipient<'_>],
    ) -> Result<()> {
        let count = u16::try_from(recipients.len()).expect("few recipients");
        let mut rop = Rop::new(0x0E, 0).tags(columns).u16(count);
        for recipient in recipients {
            rop = rop
                .u32(recipient.row_id)
                .u8(recipient.recipient_type)
                .sized(&recipient.row(columns));
        }
        self.rop(&rop, &[message])?.empty()
    }

    /// RopModifyRecipients: deletes one row, by a RecipientRowSize of 0.
    pub fn delete_recipient(&mut self, message: Handle, row_id: u32) -> Result<()> {
        let rop = Rop::new(0x0E, 0).tags(&[]).u16(1).u32(row_id).u8(1).u16(0);
        self.rop(&rop, &[message])?.empty()
    }

    /// RopReadRecipients (2.2.6.6). `columns` are those of the response that opened the message, or
    /// of the last RopReloadCachedInformation.
    pub fn read_recipients(
        &mut self,
        message: Handle,
        row_id: u32,
        columns: &[u32],
    ) -> Result<Vec<Recipient>> {
        let rop = Rop::new(0x0F, 0).u32(row_id).u16(0);
        self.rop(&rop, &[message])?.read(|input| {
            let count = input.u8()?;
            (0..count)
                .map(|_| {
                    let row_id = input.u32()?;
                    Recipient::take(input, Some(row_id), columns)
                })
                .collect()
        })
    }

    /// RopRemoveAllRecipients (2.2.6.4).
    pub fn remove_all_recipients(&mut self, message: Handle) -> Result<()> {
        self.rop(&Rop::new(0x0D, 0).u32(0), &[message])?.empty()
    }
}
