//! Recipients in ROP buffers (MS-OXCDATA 2.8.3, MS-OXCROPS 2.2.6).

use ropewalk_props::PropTag;

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{AsciiZ, Bytes16, Count, Wire, put_text, take_text, wire_struct},
    list::put_sized,
    row::{Cell, PropertyRow, put_row},
    value::Form,
};

/// Bits of RecipientFlags (MS-OXCDATA 2.8.3.1).
mod flag {
    pub(super) const TYPE: u16 = 0x0007;
    pub(super) const EMAIL_ADDRESS: u16 = 0x0008;
    pub(super) const DISPLAY_NAME: u16 = 0x0010;
    pub(super) const TRANSMITTABLE_NAME: u16 = 0x0020;
    pub(super) const SAME_NAME: u16 = 0x0040;
    pub(super) const RESPONSIBILITY: u16 = 0x0080;
    pub(super) const NO_RICH_INFO: u16 = 0x0100;
    pub(super) const UNICODE: u16 = 0x0200;
    pub(super) const SIMPLE_NAME: u16 = 0x0400;
    pub(super) const NON_STANDARD: u16 = 0x8000;
}

const TYPE_X500: u16 = 1;
const TYPES_LIST: [u16; 2] = [6, 7];

/// The address type of a recipient, and what comes with it.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub enum RecipientAddress<'a> {
    /// Type 0 without the O bit.
    #[default]
    None,
    /// Type 1: in an address book.
    X500 {
        /// How many bytes of Connect's DnPrefix go before the DN.
        address_prefix_used: u8,
        display_type: u8,
        x500_dn: AsciiZ<'a>,
    },
    /// Type 2 to 5: MsMail, SMTP (3), fax, professional office system.
    Known(u8),
    /// Type 6 or 7: a personal distribution list.
    PersonalDistributionList {
        recipient_type: u8,
        entry_id: Bytes16<'a>,
        search_key: Bytes16<'a>,
    },
    /// Type 0 with the O bit: another address type, by name.
    Other { address_type: AsciiZ<'a> },
}

impl RecipientAddress<'_> {
    /// SMTP.
    pub const SMTP: Self = Self::Known(3);
}

/// The fields of a RecipientRow before its columns.
///
/// Strings are without terminators: UTF-16LE if `unicode`, else in a code page.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct Recipient<'a> {
    pub address: RecipientAddress<'a>,
    /// R: a transport has taken over the delivery.
    pub responsibility: bool,
    /// N: no rich text.
    pub no_rich_info: bool,
    /// S: the transmittable display name is the display name.
    pub same_name: bool,
    /// U.
    pub unicode: bool,
    pub email_address: Option<&'a [u8]>,
    pub display_name: Option<&'a [u8]>,
    pub simple_display_name: Option<&'a [u8]>,
    pub transmittable_display_name: Option<&'a [u8]>,
}

/// A RecipientRow (MS-OXCDATA 2.8.3.2).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RecipientRow<'a> {
    /// What is known of every recipient.
    pub recipient: Recipient<'a>,
    /// Values for the first of the columns that the ROP gives.
    pub properties: PropertyRow,
}

impl<'a> Wire<'a> for Recipient<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = input.u16()?;
        let has = |bit| flags & bit != 0;
        let unicode = has(flag::UNICODE);
        let address = take_address(input, flags)?;
        let mut text = |bit| has(bit).then(|| take_text(input, unicode)).transpose();
        Ok(Self {
            address,
            responsibility: has(flag::RESPONSIBILITY),
            no_rich_info: has(flag::NO_RICH_INFO),
            same_name: has(flag::SAME_NAME),
            unicode,
            email_address: text(flag::EMAIL_ADDRESS)?,
            display_name: text(flag::DISPLAY_NAME)?,
            simple_display_name: text(flag::SIMPLE_NAME)?,
            transmittable_display_name: text(flag::TRANSMITTABLE_NAME)?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u16(self.flags());
        match self.address {
            RecipientAddress::None | RecipientAddress::Known(_) => {}
            RecipientAddress::X500 {
                address_prefix_used,
                display_type,
                x500_dn,
            } => {
                out.put_bytes(&[address_prefix_used, display_type]);
                x500_dn.encode(out)?;
            }
            RecipientAddress::PersonalDistributionList {
                entry_id,
                search_key,
                ..
            } => {
                entry_id.encode(out)?;
                search_key.encode(out)?;
            }
            RecipientAddress::Other { address_type } => address_type.encode(out)?,
        }
        self.texts()
            .into_iter()
            .filter_map(|(_, text)| text)
            .try_for_each(|text| put_text(out, text, self.unicode))
    }
}

fn take_address<'a>(
    input: &mut Reader<'a>,
    flags: u16,
) -> Result<RecipientAddress<'a>, DecodeError> {
    Ok(match flags & flag::TYPE {
        0 if flags & flag::NON_STANDARD != 0 => RecipientAddress::Other {
            address_type: Wire::decode(input)?,
        },
        0 => RecipientAddress::None,
        TYPE_X500 => RecipientAddress::X500 {
            address_prefix_used: input.u8()?,
            display_type: input.u8()?,
            x500_dn: Wire::decode(input)?,
        },
        list if TYPES_LIST.contains(&list) => RecipientAddress::PersonalDistributionList {
            recipient_type: list as u8,
            entry_id: Wire::decode(input)?,
            search_key: Wire::decode(input)?,
        },
        known => RecipientAddress::Known(known as u8),
    })
}

impl<'a> Recipient<'a> {
    /// The strings in their order, each with its bit in RecipientFlags.
    fn texts(&self) -> [(u16, Option<&'a [u8]>); 4] {
        [
            (flag::EMAIL_ADDRESS, self.email_address),
            (flag::DISPLAY_NAME, self.display_name),
            (flag::SIMPLE_NAME, self.simple_display_name),
            (flag::TRANSMITTABLE_NAME, self.transmittable_display_name),
        ]
    }

    fn flags(&self) -> u16 {
        let address = match self.address {
            RecipientAddress::None => 0,
            RecipientAddress::X500 { .. } => TYPE_X500,
            RecipientAddress::Known(ty) => u16::from(ty) & flag::TYPE,
            RecipientAddress::PersonalDistributionList { recipient_type, .. } => {
                u16::from(recipient_type) & flag::TYPE
            }
            RecipientAddress::Other { .. } => flag::NON_STANDARD,
        };
        let bits = [
            (flag::RESPONSIBILITY, self.responsibility),
            (flag::NO_RICH_INFO, self.no_rich_info),
            (flag::SAME_NAME, self.same_name),
            (flag::UNICODE, self.unicode),
        ];
        let texts = self.texts().map(|(bit, text)| (bit, text.is_some()));
        bits.into_iter()
            .chain(texts)
            .filter_map(|(bit, on)| on.then_some(bit))
            .fold(address, |flags, bit| flags | bit)
    }
}

impl<'a> RecipientRow<'a> {
    /// Reads the whole of a RecipientRow field, with the columns of the ROP.
    pub fn from_bytes(
        bytes: &'a [u8],
        columns: impl Iterator<Item = PropTag>,
    ) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let row = Self::decode(&mut input, columns)?;
        input.finish()?;
        Ok(row)
    }

    /// Reads one, with the columns of the ROP.
    pub fn decode(
        input: &mut Reader<'a>,
        columns: impl Iterator<Item = PropTag>,
    ) -> Result<Self, DecodeError> {
        let recipient = Recipient::decode(input)?;
        let count = usize::from(input.u16()?);
        let properties = PropertyRow::decode(input, Form::Rop, columns.take(count))?;
        if properties.cells.len() != count {
            return Err(DecodeError::Value {
                field: "RecipientColumnCount",
                value: count as u64,
            });
        }
        Ok(Self {
            recipient,
            properties,
        })
    }

    /// Appends it. `columns` are those of the ROP, as many as the row has cells or more.
    pub fn encode(&self, out: &mut Vec<u8>, columns: &[PropTag]) -> Result<(), EncodeError> {
        let cells = self.properties.cells.len();
        let Some(columns) = columns.get(..cells) else {
            return Err(EncodeError::CellCount {
                cells,
                columns: columns.len(),
            });
        };
        self.recipient.encode(out)?;
        u16::put(out, "a recipient row", cells)?;
        self.properties.encode(out, Form::Rop, columns)
    }
}

/// Appends a RecipientRow whose cells are asked for one by one, as [`put_row`] does.
pub fn put_recipient_row<'v>(
    out: &mut Vec<u8>,
    recipient: &Recipient<'_>,
    columns: &[PropTag],
    cell: impl FnMut(PropTag) -> Cell<'v>,
) -> Result<(), EncodeError> {
    recipient.encode(out)?;
    u16::put(out, "a recipient row", columns.len())?;
    put_row(out, Form::Rop, columns.iter().copied(), cell)
}

wire_struct! {
    /// A recipient of RopOpenMessage and its like (MS-OXCROPS 2.2.6.1.2.1).
    #[derive(Copy, Default)]
    OpenRecipientRow<'a> {
        recipient_type: u8,
        code_page_id: u16,
        reserved: u16,
        /// RecipientRowSize, and a RecipientRow in that many bytes.
        recipient_row: Bytes16<'a>,
    }

    /// A recipient of RopModifyRecipients (MS-OXCROPS 2.2.6.5.1.1).
    #[derive(Copy, Default)]
    ModifyRecipientRow<'a> {
        row_id: u32,
        recipient_type: u8,
        /// RecipientRowSize, and a RecipientRow in that many bytes; none deletes the recipient.
        recipient_row: Bytes16<'a>,
    }

    /// A recipient of RopReadRecipients (MS-OXCROPS 2.2.6.6.2.1).
    #[derive(Copy, Default)]
    ReadRecipientRow<'a> {
        row_id: u32,
        recipient_type: u8,
        code_page_id: u16,
        reserved: u16,
        /// RecipientRowSize, and a RecipientRow in that many bytes.
        recipient_row: Bytes16<'a>,
    }
}

impl<'a> OpenRecipientRow<'a> {
    /// The RecipientRow, with the columns of the response.
    pub fn row(
        &self,
        columns: impl Iterator<Item = PropTag>,
    ) -> Result<RecipientRow<'a>, DecodeError> {
        RecipientRow::from_bytes(self.recipient_row.get(), columns)
    }

    /// Appends one whose cells are asked for one by one. After an error `out` may hold a part.
    pub fn put<'v>(
        out: &mut Vec<u8>,
        recipient_type: u8,
        code_page_id: u16,
        recipient: &Recipient<'_>,
        columns: &[PropTag],
        cell: impl FnMut(PropTag) -> Cell<'v>,
    ) -> Result<(), EncodeError> {
        out.put_u8(recipient_type);
        out.put_u16(code_page_id);
        out.put_u16(0);
        put_sized(out, |out| put_recipient_row(out, recipient, columns, cell))
    }
}

impl<'a> ModifyRecipientRow<'a> {
    /// The RecipientRow, with the columns of the request; `None` to delete the recipient.
    pub fn row(
        &self,
        columns: impl Iterator<Item = PropTag>,
    ) -> Result<Option<RecipientRow<'a>>, DecodeError> {
        match self.recipient_row.get() {
            [] => Ok(None),
            bytes => RecipientRow::from_bytes(bytes, columns).map(Some),
        }
    }
}

impl<'a> ReadRecipientRow<'a> {
    /// The RecipientRow, with the columns of the message's open response.
    pub fn row(
        &self,
        columns: impl Iterator<Item = PropTag>,
    ) -> Result<RecipientRow<'a>, DecodeError> {
        RecipientRow::from_bytes(self.recipient_row.get(), columns)
    }

    /// Appends one whose cells are asked for one by one. After an error `out` may hold a part.
    pub fn put<'v>(
        out: &mut Vec<u8>,
        row_id: u32,
        recipient_type: u8,
        code_page_id: u16,
        recipient: &Recipient<'_>,
        columns: &[PropTag],
        cell: impl FnMut(PropTag) -> Cell<'v>,
    ) -> Result<(), EncodeError> {
        out.put_u32(row_id);
        OpenRecipientRow::put(out, recipient_type, code_page_id, recipient, columns, cell)
    }
}

#[cfg(test)]
mod tests;
