//! EntryIDs (MS-OXCDATA 2.2.4 and 2.2.5, MS-OXNSPI 2.2.9).

use ropewalk_props::{GlobCnt, Guid};

use crate::{
    DecodeError, EncodeError, Put, Reader,
    codec::{AsciiZ, Wire, put_text, take_text, wire_struct},
};

/// ProviderUIDs: which kind of EntryID follows.
pub mod provider {
    use ropewalk_props::Guid;

    /// Address book objects (GUID_NSPI).
    pub const ADDRESS_BOOK: Guid = guid(0xDCA7_40C8_C042_101A_B4B9_0800_2B2F_E182);
    /// One-off recipients.
    pub const ONE_OFF: Guid = guid(0x812B_1FA4_BEA3_1019_9D6E_00DD_010F_5402);
    /// Stores.
    pub const STORE: Guid = guid(0x38A1_BB10_05E5_101A_A1BB_0800_2B2A_56C2);
    /// In the EntryID of a store: a private mailbox.
    pub const STORE_PRIVATE: Guid = guid(0x1B55_FA20_AA66_11CD_9BC8_00AA_002F_C45A);
    /// In the EntryID of a store: public folders.
    pub const STORE_PUBLIC: Guid = guid(0x1C83_0210_AA66_11CD_9BC8_00AA_002F_C45A);
    /// Folders and messages of public folders.
    pub const PUBLIC: Guid = guid(0x1A44_7390_AA66_11CD_9BC8_00AA_002F_C45A);
    /// Contacts and personal distribution lists.
    pub const CONTACT: Guid = guid(0xFE42_AA0A_18C7_1A10_E885_0B65_1C24_0000);

    /// The digits are in the order of the bytes.
    const fn guid(bytes: u128) -> Guid {
        Guid(bytes.to_be_bytes())
    }
}

/// FolderType of a folder in a private mailbox (MS-OXCDATA 2.2.4.1).
pub const PRIVATE_FOLDER: u16 = 0x0001;
/// FolderType of a public folder.
pub const PUBLIC_FOLDER: u16 = 0x0003;
/// MessageType of a message in a private mailbox (MS-OXCDATA 2.2.4.2).
pub const PRIVATE_MESSAGE: u16 = 0x0007;
/// MessageType of a message in a public folder.
pub const PUBLIC_MESSAGE: u16 = 0x0009;
/// WrappedType of a mailbox (MS-OXCDATA 2.2.4.3).
pub const MAILBOX_STORE: u32 = 0x0000_000C;
/// WrappedType of public folders.
pub const PUBLIC_STORE: u32 = 0x0000_0006;

wire_struct! {
    /// The EntryID of a folder (MS-OXCDATA 2.2.4.1).
    #[derive(Copy, Default)]
    FolderEntryId {
        flags: u32,
        /// Of a private mailbox: its MailboxGuid. Of public folders: [`provider::PUBLIC`].
        provider_uid: Guid,
        folder_type: u16,
        database_guid: Guid,
        global_counter: GlobCnt,
        pad: u16,
    }

    /// The EntryID of a message (MS-OXCDATA 2.2.4.2).
    #[derive(Copy, Default)]
    MessageEntryId {
        flags: u32,
        /// As in [`FolderEntryId`].
        provider_uid: Guid,
        message_type: u16,
        folder_database_guid: Guid,
        folder_global_counter: GlobCnt,
        folder_pad: u16,
        message_database_guid: Guid,
        message_global_counter: GlobCnt,
        message_pad: u16,
    }

    /// The EntryID of an address book object (MS-OXCDATA 2.2.5.2).
    #[derive(Copy)]
    AddressBookEntryId<'a> {
        flags: u32,
        /// [`provider::ADDRESS_BOOK`].
        provider_uid: Guid,
        version: u32,
        entry_type: u32,
        x500_dn: AsciiZ<'a>,
    }

    /// The EntryID of an address book object for one session (MS-OXNSPI 2.2.9.2).
    #[derive(Copy)]
    EphemeralEntryId {
        /// The first byte is 0x87.
        id_type: u32,
        /// ServerGuid of Bind.
        provider_uid: Guid,
        r4: u32,
        display_type: u32,
        mid: u32,
    }

    /// The EntryID of an e-mail address of a contact, or of a personal distribution list
    /// (MS-OXOCNTC 2.2.1.2.5 and MS-OXCDATA 2.2.5.4).
    #[derive(Copy)]
    ContactEntryId {
        flags: u32,
        /// [`provider::CONTACT`].
        provider_uid: Guid,
        version: u32,
        /// 4 for a contact, 5 for a list.
        entry_type: u32,
        index: u32,
        entry_id_size: u32,
        message: MessageEntryId,
    }
}

impl FolderEntryId {
    /// Bytes on the wire.
    pub const LEN: usize = 46;

    /// The EntryID of a folder of a private mailbox.
    pub const fn private(mailbox_guid: Guid, database_guid: Guid, folder: GlobCnt) -> Self {
        Self {
            flags: 0,
            provider_uid: mailbox_guid,
            folder_type: PRIVATE_FOLDER,
            database_guid,
            global_counter: folder,
            pad: 0,
        }
    }
}

impl MessageEntryId {
    /// Bytes on the wire.
    pub const LEN: usize = 70;

    /// The EntryID of a message of a private mailbox.
    pub const fn private(
        mailbox_guid: Guid,
        database_guid: Guid,
        folder: GlobCnt,
        message: GlobCnt,
    ) -> Self {
        Self {
            flags: 0,
            provider_uid: mailbox_guid,
            message_type: PRIVATE_MESSAGE,
            folder_database_guid: database_guid,
            folder_global_counter: folder,
            folder_pad: 0,
            message_database_guid: database_guid,
            message_global_counter: message,
            message_pad: 0,
        }
    }
}

impl<'a> AddressBookEntryId<'a> {
    /// The permanent EntryID of an object by its DN.
    pub const fn new(entry_type: u32, x500_dn: &'a [u8]) -> Self {
        Self {
            flags: 0,
            provider_uid: provider::ADDRESS_BOOK,
            version: 1,
            entry_type,
            x500_dn: AsciiZ(x500_dn),
        }
    }
}

/// The EntryID of a store (MS-OXCDATA 2.2.4.3).
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct StoreEntryId<'a> {
    pub flags: u32,
    pub version: u8,
    pub flag: u8,
    /// `emsmdb.dll` and NULs.
    pub dll_file_name: [u8; 14],
    pub wrapped_flags: u32,
    /// [`provider::STORE_PRIVATE`] or [`provider::STORE_PUBLIC`].
    pub wrapped_provider_uid: Guid,
    /// [`MAILBOX_STORE`] or [`PUBLIC_STORE`].
    pub wrapped_type: u32,
    pub server_shortname: AsciiZ<'a>,
    /// Present for a mailbox.
    pub mailbox_dn: Option<AsciiZ<'a>>,
}

impl<'a> StoreEntryId<'a> {
    /// The EntryID of a mailbox.
    pub const fn private(server_shortname: &'a [u8], mailbox_dn: &'a [u8]) -> Self {
        Self {
            flags: 0,
            version: 0,
            flag: 0,
            dll_file_name: *b"emsmdb.dll\0\0\0\0",
            wrapped_flags: 0,
            wrapped_provider_uid: provider::STORE_PRIVATE,
            wrapped_type: MAILBOX_STORE,
            server_shortname: AsciiZ(server_shortname),
            mailbox_dn: Some(AsciiZ(mailbox_dn)),
        }
    }
}

impl<'a> Wire<'a> for StoreEntryId<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = input.u32()?;
        expect_provider(input.guid()?, provider::STORE)?;
        let (version, flag) = (input.u8()?, input.u8()?);
        let dll_file_name = input.array()?;
        let wrapped_flags = input.u32()?;
        let wrapped_provider_uid = input.guid()?;
        Ok(Self {
            flags,
            version,
            flag,
            dll_file_name,
            wrapped_flags,
            wrapped_provider_uid,
            wrapped_type: input.u32()?,
            server_shortname: Wire::decode(input)?,
            mailbox_dn: (wrapped_provider_uid == provider::STORE_PRIVATE)
                .then(|| Wire::decode(input))
                .transpose()?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.flags);
        out.put_guid(provider::STORE);
        out.put_bytes(&[self.version, self.flag]);
        out.put_bytes(&self.dll_file_name);
        out.put_u32(self.wrapped_flags);
        out.put_guid(self.wrapped_provider_uid);
        out.put_u32(self.wrapped_type);
        self.server_shortname.encode(out)?;
        self.mailbox_dn.map_or(Ok(()), |dn| dn.encode(out))
    }
}

/// The EntryID of a recipient that is in no address book (MS-OXCDATA 2.2.5.1).
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)] // The fields have the names of the specification.
pub struct OneOffEntryId<'a> {
    pub flags: u32,
    pub version: u16,
    /// [`OneOffEntryId::UNICODE`] and what formats the recipient wants.
    pub one_off_flags: u16,
    /// Without its terminator, like the next two: UTF-16LE if the flag says so.
    pub display_name: &'a [u8],
    pub address_type: &'a [u8],
    pub email_address: &'a [u8],
}

impl<'a> OneOffEntryId<'a> {
    /// The strings are UTF-16LE.
    pub const UNICODE: u16 = 0x8000;
    /// Send the recipient plain MIME.
    pub const NO_RICH_INFO: u16 = 0x0001;

    const fn is_unicode(&self) -> bool {
        self.one_off_flags & Self::UNICODE != 0
    }
}

impl<'a> Wire<'a> for OneOffEntryId<'a> {
    fn decode(input: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let flags = input.u32()?;
        expect_provider(input.guid()?, provider::ONE_OFF)?;
        let version = input.u16()?;
        let one_off_flags = input.u16()?;
        let unicode = one_off_flags & Self::UNICODE != 0;
        Ok(Self {
            flags,
            version,
            one_off_flags,
            display_name: take_text(input, unicode)?,
            address_type: take_text(input, unicode)?,
            email_address: take_text(input, unicode)?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.put_u32(self.flags);
        out.put_guid(provider::ONE_OFF);
        out.put_u16(self.version);
        out.put_u16(self.one_off_flags);
        [self.display_name, self.address_type, self.email_address]
            .into_iter()
            .try_for_each(|text| put_text(out, text, self.is_unicode()))
    }
}

fn expect_provider(found: Guid, wanted: Guid) -> Result<(), DecodeError> {
    if found == wanted {
        return Ok(());
    }
    let [a, b, c, d, ..] = found.0;
    let value = u32::from_be_bytes([a, b, c, d]).into();
    Err(DecodeError::Value {
        field: "ProviderUID",
        value,
    })
}

/// An EntryID of any kind.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // The names say it.
pub enum EntryId<'a> {
    Folder(FolderEntryId),
    Message(MessageEntryId),
    Store(StoreEntryId<'a>),
    AddressBook(AddressBookEntryId<'a>),
    Ephemeral(EphemeralEntryId),
    OneOff(OneOffEntryId<'a>),
    Contact(ContactEntryId),
}

/// The first byte of an ephemeral EntryID.
const EPHEMERAL: u8 = 0x87;

impl<'a> EntryId<'a> {
    /// The whole of `bytes` as an EntryID. The ProviderUID says the kind; that of folders and
    /// messages of a private mailbox is the mailbox's own, so these are told by their length.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut input = Reader::new(bytes);
        let mut ahead = input;
        let [first, ..] = ahead.array::<4>()?;
        let provider_uid = ahead.guid()?;
        let entry_id = match provider_uid {
            _ if first == EPHEMERAL => Self::Ephemeral(Wire::decode(&mut input)?),
            provider::STORE => Self::Store(Wire::decode(&mut input)?),
            provider::ADDRESS_BOOK => Self::AddressBook(Wire::decode(&mut input)?),
            provider::ONE_OFF => Self::OneOff(Wire::decode(&mut input)?),
            provider::CONTACT => Self::Contact(Wire::decode(&mut input)?),
            _ if bytes.len() == FolderEntryId::LEN => Self::Folder(Wire::decode(&mut input)?),
            _ if bytes.len() == MessageEntryId::LEN => Self::Message(Wire::decode(&mut input)?),
            other => {
                return Err(expect_provider(other, Guid::NIL).err().unwrap_or(
                    DecodeError::Value {
                        field: "ProviderUID",
                        value: 0,
                    },
                ));
            }
        };
        input.finish()?;
        Ok(entry_id)
    }

    /// Appends it.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self {
            Self::Folder(id) => id.encode(out),
            Self::Message(id) => id.encode(out),
            Self::Store(id) => id.encode(out),
            Self::AddressBook(id) => id.encode(out),
            Self::Ephemeral(id) => id.encode(out),
            Self::OneOff(id) => id.encode(out),
            Self::Contact(id) => id.encode(out),
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::new();
        self.encode(&mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests;
