//! The properties of a user as an Address Book object (MS-OXOABK 2.2.3 and 2.2.4).

use ropewalk_props::{Guid, PropTag, PropType, PropValue, tags};
use ropewalk_store::User;
use ropewalk_wire::{ErrorCode, Put, entry_id::provider, row::RowCell};

use super::{code_page::CodePage, names::alias};
use crate::autodiscover::urls::mailbox_id;

/// Display type of a user (MS-OXNSPI 2.2.1.3).
const DT_MAILUSER: u32 = 0;
/// Display type of an address book container (MS-OXNSPI 2.2.1.3).
pub const DT_CONTAINER: u32 = 0x100;
/// PidTagObjectType of a user (MS-OXOABK 2.2.3.10).
const MAPI_MAILUSER: i32 = 6;
/// PidTagDisplayTypeEx of a user of this server, who can be given permissions (MS-OXOABK 2.2.3.12).
const DTE_FLAG_ACL_CAPABLE: i32 = 0x4000_0000;

/// PidTagAddressBookHomeMessageDatabase: a string here, as clients ask for it.
const HOME_MESSAGE_DATABASE: PropTag =
    tags::PID_TAG_ADDRESS_BOOK_HOME_MESSAGE_DATABASE.with_type(PropType::STRING);

/// Every property that a user has, with its native type, by ascending id.
pub const USER_PROPERTIES: [PropTag; 24] = [
    tags::PID_TAG_INSTANCE_KEY,
    tags::PID_TAG_MAPPING_SIGNATURE,
    tags::PID_TAG_RECORD_KEY,
    tags::PID_TAG_OBJECT_TYPE,
    tags::PID_TAG_ENTRY_ID,
    tags::PID_TAG_DISPLAY_NAME,
    tags::PID_TAG_ADDRESS_TYPE,
    tags::PID_TAG_EMAIL_ADDRESS,
    tags::PID_TAG_CREATION_TIME,
    tags::PID_TAG_SEARCH_KEY,
    tags::PID_TAG_DISPLAY_TYPE,
    tags::PID_TAG_TEMPLATEID,
    tags::PID_TAG_DISPLAY_TYPE_EX,
    tags::PID_TAG_SMTP_ADDRESS,
    tags::PID_TAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE,
    tags::PID_TAG_ACCOUNT,
    tags::PID_TAG_TRANSMITTABLE_DISPLAY_NAME,
    tags::PID_TAG_SEND_RICH_INFO,
    tags::PID_TAG_INITIAL_DETAILS_PANE,
    HOME_MESSAGE_DATABASE,
    tags::PID_TAG_ADDRESS_BOOK_PROXY_ADDRESSES,
    tags::PID_TAG_ADDRESS_BOOK_OBJECT_DISTINGUISHED_NAME,
    tags::PID_TAG_ADDRESS_BOOK_OBJECT_GUID,
    tags::PID_TAG_ADDRESS_BOOK_CONTAINER_ID,
];

/// The properties that only a container has.
pub const CONTAINER_PROPERTIES: [PropTag; 3] = [
    tags::PID_TAG_DEPTH,
    tags::PID_TAG_CONTAINER_FLAGS,
    tags::PID_TAG_ADDRESS_BOOK_IS_MASTER,
];

/// How values are given out.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The ProviderUID of ephemeral EntryIDs.
    pub server_guid: Guid,
    /// The code page of 8-bit strings.
    pub code_page: CodePage,
    /// PidTagEntryId as an EphemeralEntryID instead of a PermanentEntryID.
    pub ephemeral: bool,
}

impl View {
    /// What a user has for a column; NotFound for what it lacks, or has in another type. A column
    /// of type PtypUnspecified gets the native type; strings are converted to what is asked
    /// (MS-OXNSPI 3.1.4.3.3).
    pub fn cell(&self, user: &User, column: PropTag) -> RowCell {
        self.native(user, column.id())
            .and_then(|value| self.typed(value, column.ty()))
            .map_or(RowCell::Error(ErrorCode::NOT_FOUND), RowCell::Value)
    }

    /// A value as another type of string.
    fn typed(&self, value: PropValue, ty: PropType) -> Option<PropValue> {
        match (ty, value) {
            (PropType::UNSPECIFIED, value) => Some(value),
            (PropType::STRING8, PropValue::String(text)) => {
                Some(PropValue::String8(self.code_page.encode(&text)))
            }
            (PropType::MULTIPLE_STRING8, PropValue::MultipleString(texts)) => {
                let texts = texts.iter().map(|text| self.code_page.encode(text));
                Some(PropValue::MultipleString8(texts.collect()))
            }
            (ty, value) => (value.ty() == ty).then_some(value),
        }
    }

    /// A property in its native type.
    pub fn native(&self, user: &User, id: u16) -> Option<PropValue> {
        let index = USER_PROPERTIES
            .binary_search_by_key(&id, |tag| tag.id())
            .ok()?;
        let integer = |value: u32| PropValue::Integer32(value as i32);
        Some(match *USER_PROPERTIES.get(index)? {
            tags::PID_TAG_MAPPING_SIGNATURE => PropValue::Binary(provider::ADDRESS_BOOK.0.to_vec()),
            tags::PID_TAG_INSTANCE_KEY => PropValue::Binary(user.minimal_id.to_le_bytes().to_vec()),
            // MS-OXOABK 2.2.3.4: the same as PidTagTemplateid.
            tags::PID_TAG_RECORD_KEY | tags::PID_TAG_TEMPLATEID => {
                PropValue::Binary(permanent_entry_id(DT_MAILUSER, &user.legacy_dn))
            }
            tags::PID_TAG_OBJECT_TYPE => PropValue::Integer32(MAPI_MAILUSER),
            tags::PID_TAG_ENTRY_ID => PropValue::Binary(if self.ephemeral {
                ephemeral_entry_id(self.server_guid, DT_MAILUSER, user.minimal_id)
            } else {
                permanent_entry_id(DT_MAILUSER, &user.legacy_dn)
            }),
            tags::PID_TAG_DISPLAY_NAME | tags::PID_TAG_TRANSMITTABLE_DISPLAY_NAME => {
                PropValue::text(&user.display_name)
            }
            tags::PID_TAG_ADDRESS_TYPE => PropValue::text("EX"),
            tags::PID_TAG_EMAIL_ADDRESS | tags::PID_TAG_ADDRESS_BOOK_OBJECT_DISTINGUISHED_NAME => {
                PropValue::text(&user.legacy_dn)
            }
            tags::PID_TAG_CREATION_TIME => PropValue::Time(user.created),
            tags::PID_TAG_SEARCH_KEY => PropValue::Binary(search_key(&user.legacy_dn)),
            tags::PID_TAG_DISPLAY_TYPE => integer(DT_MAILUSER),
            tags::PID_TAG_DISPLAY_TYPE_EX => PropValue::Integer32(DTE_FLAG_ACL_CAPABLE),
            tags::PID_TAG_SMTP_ADDRESS => PropValue::text(&user.email),
            tags::PID_TAG_ADDRESS_BOOK_DISPLAY_NAME_PRINTABLE => PropValue::text(printable(user)),
            tags::PID_TAG_ACCOUNT => PropValue::text(alias(user)),
            tags::PID_TAG_SEND_RICH_INFO => PropValue::Boolean(true),
            tags::PID_TAG_INITIAL_DETAILS_PANE => integer(0),
            HOME_MESSAGE_DATABASE => {
                PropValue::text(&format!("{}/cn=Microsoft Private MDB", server_dn(user)))
            }
            tags::PID_TAG_ADDRESS_BOOK_PROXY_ADDRESSES => {
                PropValue::MultipleString(vec![format!("SMTP:{}", user.email).into()])
            }
            tags::PID_TAG_ADDRESS_BOOK_OBJECT_GUID => {
                PropValue::Binary(user.mailbox_guid.0.to_vec())
            }
            tags::PID_TAG_ADDRESS_BOOK_CONTAINER_ID => integer(user.minimal_id),
            _ => return None,
        })
    }
}

/// Every property of a list with strings as PtypString8, or as PtypString where `unicode`.
pub fn with_strings(properties: impl IntoIterator<Item = PropTag>, unicode: bool) -> Vec<PropTag> {
    properties
        .into_iter()
        .map(|tag| match tag.ty() {
            PropType::STRING if !unicode => tag.with_type(PropType::STRING8),
            PropType::MULTIPLE_STRING if !unicode => tag.with_type(PropType::MULTIPLE_STRING8),
            _ => tag,
        })
        .collect()
}

/// PermanentEntryID (MS-OXNSPI 2.2.9.3).
pub fn permanent_entry_id(display_type: u32, dn: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(29 + dn.len());
    out.put_u32(0); // IDType, R1, R2, R3
    out.put_guid(provider::ADDRESS_BOOK);
    out.put_u32(1); // R4
    out.put_u32(display_type);
    out.put_ascii_z(dn.as_bytes());
    out
}

/// EphemeralEntryID (MS-OXNSPI 2.2.9.2).
fn ephemeral_entry_id(server_guid: Guid, display_type: u32, minimal_id: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(32);
    out.put_u32(0x87); // IDType, R1, R2, R3
    out.put_guid(server_guid);
    out.put_u32(1); // R4
    out.put_u32(display_type);
    out.put_u32(minimal_id);
    out
}

/// PidTagSearchKey: address type and address in upper case, and a NUL (MS-OXOABK 2.2.3.5).
fn search_key(dn: &str) -> Vec<u8> {
    let mut out = format!("EX:{dn}").to_ascii_uppercase().into_bytes();
    out.push(0);
    out
}

/// The display name where it is printable ASCII, else the alias, which always is
/// (MS-OXOABK 2.2.3.7).
fn printable(user: &User) -> &str {
    let name = user.display_name.as_str();
    if !name.is_empty() && name.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        name
    } else {
        alias(user)
    }
}

/// The DN of the mailbox server as the user sees it: like Exchange's since 2013, it ends with the
/// MailboxId.
pub fn server_dn(user: &User) -> String {
    let organization = user
        .legacy_dn
        .split_once("/cn=Recipients/")
        .map_or("/o=Ropewalk", |(organization, _)| organization);
    format!(
        "{organization}/cn=Configuration/cn=Servers/cn={}",
        mailbox_id(user)
    )
}

#[cfg(test)]
mod tests {
    use super::{super::book::tests::user, *};

    fn view(ephemeral: bool) -> View {
        View {
            server_guid: Guid([0x5A; 16]),
            code_page: CodePage::new(1252).unwrap(),
            ephemeral,
        }
    }

    #[test]
    fn the_list_is_sorted_and_a_user_has_all_of_it_in_the_native_type() {
        assert!(USER_PROPERTIES.is_sorted_by_key(|tag| tag.id()));
        let user = user(0x10, "Ada", "ada");
        for tag in USER_PROPERTIES {
            let value = view(false).native(&user, tag.id()).unwrap();
            assert_eq!(value.ty(), tag.ty(), "{tag}");
        }
    }

    /// MS-OXNSPI 3.1.4.2: what the server must maintain for every object.
    #[test]
    fn the_required_properties_are_there() {
        let user = user(0x10, "Ada", "ada");
        for id in [
            0x0FFE, 0x3F08, 0x39FF, 0xFFFD, 0x0FFF, 0x0FF6, 0x300B, 0x0FF9, 0x3002, 0x3003, 0x3900,
            0x3902, 0x3A20, 0x3001, 0x0FF8, 0x803C,
        ] {
            assert!(view(false).native(&user, id).is_some(), "{id:04X}");
        }
    }

    #[test]
    fn strings_come_in_the_type_that_is_asked_for() {
        let user = user(0x10, "Zoë", "zoe");
        let cell = |tag: PropTag| view(false).cell(&user, tag);
        let name = tags::PID_TAG_DISPLAY_NAME;
        let missing = RowCell::Error(ErrorCode::NOT_FOUND);
        assert_eq!(cell(name), RowCell::Value(PropValue::text("Zoë")));
        assert_eq!(
            cell(name.with_type(PropType::STRING8)),
            RowCell::Value(PropValue::String8(b"Zo\xEB".to_vec()))
        );
        assert_eq!(
            cell(name.with_type(PropType::UNSPECIFIED)),
            RowCell::Value(PropValue::text("Zoë"))
        );
        assert_eq!(cell(name.with_type(PropType::INTEGER32)), missing);
        assert_eq!(
            cell(PropTag(0x800F_101E)),
            RowCell::Value(PropValue::MultipleString8(vec![
                b"SMTP:zoe@example.test".to_vec()
            ]))
        );
        assert_eq!(
            cell(PropTag(0x39FF_001F)),
            RowCell::Value(PropValue::text("zoe"))
        );
        assert_eq!(cell(tags::PID_TAG_OFFICE_LOCATION), missing);
        assert_eq!(
            cell(PropTag(0x8006_001E)).value().map(PropValue::ty),
            Some(PropType::STRING8)
        );
    }

    #[test]
    fn entry_ids_are_laid_out_as_specified() {
        let user = user(0x1234, "Ada", "ada");
        let Some(PropValue::Binary(permanent)) = view(false).native(&user, 0x0FFF) else {
            panic!("PidTagEntryId")
        };
        assert_eq!(permanent[..4], [0; 4]);
        let guid_nspi = [
            0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9, 0x08, 0x00, 0x2B, 0x2F,
            0xE1, 0x82,
        ];
        assert_eq!(permanent[4..20], guid_nspi);
        assert_eq!(permanent[20..28], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(permanent[28..], [user.legacy_dn.as_bytes(), &[0]].concat());
        let Some(PropValue::Binary(ephemeral)) = view(true).native(&user, 0x0FFF) else {
            panic!("PidTagEntryId")
        };
        assert_eq!(ephemeral[..4], [0x87, 0, 0, 0]);
        assert_eq!(ephemeral[4..20], [0x5A; 16]);
        assert_eq!(ephemeral[20..], [1, 0, 0, 0, 0, 0, 0, 0, 0x34, 0x12, 0, 0]);
    }

    #[test]
    fn a_search_key_is_the_address_in_upper_case() {
        assert_eq!(search_key("/o=Ab/cn=c"), b"EX:/O=AB/CN=C\0");
    }

    #[test]
    fn a_server_dn_ends_with_the_mailbox_id() {
        let user = user(0x10, "Ada", "ada");
        assert_eq!(
            server_dn(&user),
            format!(
                "/o=Ropewalk/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)\
                 /cn=Configuration/cn=Servers/cn={}@example.test",
                user.mailbox_guid
            )
        );
    }
}
