//! Addresses: their properties, one-off EntryIDs, search keys and recipient rows.

use mail_parser::Addr;
use ropewalk_props::{Bag, PropTag, PropValue, Utf16Text, tags::*};
use ropewalk_store::Recipient;

use crate::header::without_controls;

/// Characters of a name or an address.
const TEXT_CHARS_MAX: usize = 1024;

/// The provider of one-off EntryIDs (MS-OXCDATA 2.2.5.1).
const ONE_OFF_UID: [u8; 16] = [
    0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02,
];
/// U (Unicode) and M (no rich text): the flags of a one-off EntryID of an internet address.
const ONE_OFF_FLAGS: u16 = 0x9001;

const MAIL_USER: i32 = 0x0000_0006; // PidTagObjectType
const DT_MAILUSER: i32 = 0x0000_0000; // PidTagDisplayType

/// PidTagRecipientType (MS-OXOMSG 2.2.3.1).
pub const TO: u8 = 1;
/// The same, of a copy.
pub const CC: u8 = 2;
/// The same, of a blind copy.
pub const BCC: u8 = 3;

/// Someone with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Never empty unless the address is.
    pub name: String,
    /// The SMTP address; empty if there was only a name.
    pub address: String,
}

/// The tags that describe one mailbox on a message.
pub struct Group {
    name: PropTag,
    address_type: PropTag,
    address: PropTag,
    smtp_address: PropTag,
    entry_id: PropTag,
    search_key: PropTag,
}

/// PidTagSender (MS-OXCMAIL 2.6.4).
pub const SENDER: Group = Group {
    name: PID_TAG_SENDER_NAME,
    address_type: PID_TAG_SENDER_ADDRESS_TYPE,
    address: PID_TAG_SENDER_EMAIL_ADDRESS,
    smtp_address: PID_TAG_SENDER_SMTP_ADDRESS,
    entry_id: PID_TAG_SENDER_ENTRY_ID,
    search_key: PID_TAG_SENDER_SEARCH_KEY,
};
/// PidTagSentRepresenting (MS-OXCMAIL 2.6.5).
pub const SENT_REPRESENTING: Group = Group {
    name: PID_TAG_SENT_REPRESENTING_NAME,
    address_type: PID_TAG_SENT_REPRESENTING_ADDRESS_TYPE,
    address: PID_TAG_SENT_REPRESENTING_EMAIL_ADDRESS,
    smtp_address: PID_TAG_SENT_REPRESENTING_SMTP_ADDRESS,
    entry_id: PID_TAG_SENT_REPRESENTING_ENTRY_ID,
    search_key: PID_TAG_SENT_REPRESENTING_SEARCH_KEY,
};
/// PidTagReadReceipt (MS-OXCMAIL 2.6.1).
pub const READ_RECEIPT: Group = Group {
    name: PID_TAG_READ_RECEIPT_NAME,
    address_type: PID_TAG_READ_RECEIPT_ADDRESS_TYPE,
    address: PID_TAG_READ_RECEIPT_EMAIL_ADDRESS,
    smtp_address: PID_TAG_READ_RECEIPT_SMTP_ADDRESS,
    entry_id: PID_TAG_READ_RECEIPT_ENTRY_ID,
    search_key: PID_TAG_READ_RECEIPT_SEARCH_KEY,
};

impl Mailbox {
    /// A mailbox from a name and an address, either of which may be empty; `None` if both are.
    pub fn new(name: &str, address: &str) -> Option<Self> {
        let tidy = |text: &str| -> String {
            let text = without_controls(text);
            text.chars().take(TEXT_CHARS_MAX).collect()
        };
        let address = without_blanks(&tidy(address));
        let name = tidy(name);
        let name = name.trim_matches(['"', '\'']).trim();
        // The address stands in for a name.
        let name = if name.is_empty() {
            address.clone()
        } else {
            name.to_owned()
        };
        (!name.is_empty()).then_some(Self { name, address })
    }

    /// A mailbox as it was parsed.
    pub fn from_addr(addr: &Addr<'_>) -> Option<Self> {
        let name = addr.name.as_deref().unwrap_or("");
        let address = addr.address.as_deref().unwrap_or("");
        // RFC 5322 4.4: the route before an address of old is not for us.
        let address = match address.rsplit_once(':') {
            Some((route, address)) if route.starts_with('@') => address,
            _ => address,
        };
        // A field with nothing but an address may have been read as a name, and a quoted local part
        // always is.
        match (name, address) {
            (name, address) if address.starts_with('@') && !name.is_empty() => {
                Self::new("", &format!("\"{name}\"{address}"))
            }
            (name, "") if name.contains('@') && !name.contains(' ') => Self::new("", name),
            _ => Self::new(name, address),
        }
    }

    /// A one-off EntryID (MS-OXCDATA 2.2.5.1).
    pub fn entry_id(&self) -> Vec<u8> {
        let mut id = vec![0; 4];
        id.extend_from_slice(&ONE_OFF_UID);
        id.extend_from_slice(&0_u16.to_le_bytes());
        id.extend_from_slice(&ONE_OFF_FLAGS.to_le_bytes());
        for text in [self.name.as_str(), "SMTP", self.address.as_str()] {
            id.extend_from_slice(Utf16Text::from(text).as_bytes());
            id.extend_from_slice(&[0, 0]);
        }
        id
    }

    /// PidTagSearchKey: `SMTP:` and the address in upper case, with a NUL (MS-OXCPRPT 2.2.1.9).
    pub fn search_key(&self) -> Vec<u8> {
        let mut key = format!("SMTP:{}", self.address.to_uppercase()).into_bytes();
        key.push(0);
        key
    }

    /// Sets the properties of a group.
    pub fn set(&self, bag: &mut Bag, group: &Group) {
        bag.set_text(group.name, &self.name);
        bag.set_text(group.address_type, "SMTP");
        bag.set_text(group.address, &self.address);
        bag.set_text(group.smtp_address, &self.address);
        bag.set(group.entry_id, &PropValue::Binary(self.entry_id()));
        bag.set(group.search_key, &PropValue::Binary(self.search_key()));
    }

    /// A recipient row with all that clients rely on (MS-OXCMAIL 2.1.3.1.1, MS-OXOMSG 2.2.3).
    pub fn recipient(&self, row_id: u32, kind: u8) -> Recipient {
        let mut props = Bag::new();
        let integer = |number: i32| PropValue::Integer32(number);
        props.set(PID_TAG_ROWID, &integer(row_id as i32));
        props.set(PID_TAG_RECIPIENT_TYPE, &integer(i32::from(kind)));
        props.set(PID_TAG_OBJECT_TYPE, &integer(MAIL_USER));
        props.set(PID_TAG_DISPLAY_TYPE, &integer(DT_MAILUSER));
        props.set_text(PID_TAG_DISPLAY_NAME, &self.name);
        props.set_text(PID_TAG_ADDRESS_TYPE, "SMTP");
        props.set_text(PID_TAG_EMAIL_ADDRESS, &self.address);
        props.set_text(PID_TAG_SMTP_ADDRESS, &self.address);
        props.set_text(PID_TAG_TRANSMITTABLE_DISPLAY_NAME, &self.name);
        props.set_text(PID_TAG_RECIPIENT_DISPLAY_NAME, &self.name);
        let entry_id = PropValue::Binary(self.entry_id());
        props.set(PID_TAG_ENTRY_ID, &entry_id);
        props.set(PID_TAG_RECIPIENT_ENTRY_ID, &entry_id);
        props.set(PID_TAG_RECORD_KEY, &entry_id);
        props.set(PID_TAG_SEARCH_KEY, &PropValue::Binary(self.search_key()));
        props.set(PID_TAG_RESPONSIBILITY, &PropValue::Boolean(true));
        props.set(PID_TAG_SEND_RICH_INFO, &PropValue::Boolean(false));
        props.set(PID_TAG_RECIPIENT_FLAGS, &integer(1)); // recipSendable
        props.set(PID_TAG_RECIPIENT_ORDER, &integer(row_id as i32));
        props.set(PID_TAG_RECIPIENT_TRACK_STATUS, &integer(0));
        Recipient {
            row_id,
            kind,
            props,
        }
    }
}

/// An address without the blanks that may stand around its dots and its `@` (RFC 5322 4.4); those of a
/// quoted local part stay.
fn without_blanks(address: &str) -> String {
    if address.contains('"') {
        return address.to_owned();
    }
    let mut out = String::with_capacity(address.len());
    for word in address.split_ascii_whitespace() {
        if !(out.is_empty() || out.ends_with(['.', '@']) || word.starts_with(['.', '@'])) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// PidTagReplyRecipientEntries: a FlatEntryList of one-off EntryIDs (MS-OXCDATA 2.3.3).
pub fn flat_entry_list(mailboxes: &[Mailbox]) -> Vec<u8> {
    let mut entries = Vec::new();
    for mailbox in mailboxes {
        let id = mailbox.entry_id();
        entries.extend_from_slice(&(id.len() as u32).to_le_bytes());
        entries.extend_from_slice(&id);
        entries.resize(entries.len().next_multiple_of(4), 0);
    }
    let mut list = (mailboxes.len() as u32).to_le_bytes().to_vec();
    list.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    list.append(&mut entries);
    list
}

/// Names with `; ` between them, as PidTagDisplayTo has them (MS-OXOMSG 2.2.1.7 to 2.2.1.9).
pub fn display_names<'a>(mailboxes: impl IntoIterator<Item = &'a Mailbox>) -> String {
    let names: Vec<&str> = mailboxes
        .into_iter()
        .map(|mailbox| mailbox.name.as_str())
        .collect();
    names.join("; ")
}

#[cfg(test)]
mod tests {
    use ropewalk_props::BagView as _;

    use super::*;

    #[test]
    fn a_one_off_entry_id_has_the_layout_of_its_structure() {
        let mailbox = Mailbox::new("Å", "a@b").unwrap();
        let mut expected = vec![0, 0, 0, 0];
        expected.extend_from_slice(&ONE_OFF_UID);
        expected.extend_from_slice(&[0, 0, 0x01, 0x90]);
        for text in ["Å\0", "SMTP\0", "a@b\0"] {
            expected.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        }
        assert_eq!(mailbox.entry_id(), expected);
        assert_eq!(mailbox.search_key(), b"SMTP:A@B\0");
        let list = flat_entry_list(std::slice::from_ref(&mailbox));
        assert_eq!(list[..4], [1, 0, 0, 0]);
        assert_eq!(list[4..8], ((list.len() - 8) as u32).to_le_bytes());
        assert_eq!(list[8..12], (expected.len() as u32).to_le_bytes());
        assert_eq!(list.len() % 4, 0);
    }

    #[test]
    fn routes_and_blanks_of_old_addresses_go_and_quoted_local_parts_stay() {
        for (field, name, address) in [
            ("<@relay.x,@y:ada@x>", "ada@x", "ada@x"),
            ("Ada <ada @ mail . x>", "Ada", "ada@mail.x"),
            ("\"ada l\"@x", "\"ada l\"@x", "\"ada l\"@x"),
            ("Ada <\"ada l\"@x>", "Ada", "\"ada l\"@x"),
            ("Ada . L <ada@x>", "Ada . L", "ada@x"),
        ] {
            let header = format!("To: {field}\n");
            let headers = crate::header::Headers::parse(header.as_bytes(), None);
            let found = headers.addresses("To", 1);
            let found = Mailbox::from_addr(&found[0]).unwrap();
            assert_eq!((&*found.name, &*found.address), (name, address), "{field}");
        }
    }

    #[test]
    fn a_recipient_always_has_the_mandatory_properties() {
        for (name, address) in [("Ada", "ada@x"), ("", "ada@x"), ("undisclosed", "")] {
            let recipient = Mailbox::new(name, address).unwrap().recipient(3, CC);
            for tag in [
                PID_TAG_ROWID,
                PID_TAG_RECIPIENT_TYPE,
                PID_TAG_ENTRY_ID,
                PID_TAG_SEARCH_KEY,
                PID_TAG_DISPLAY_NAME,
                PID_TAG_ADDRESS_TYPE,
                PID_TAG_EMAIL_ADDRESS,
                PID_TAG_OBJECT_TYPE,
                PID_TAG_DISPLAY_TYPE,
            ] {
                assert!(recipient.props.get(tag).is_some(), "{tag}");
            }
            assert!(
                !recipient
                    .props
                    .get_text(PID_TAG_DISPLAY_NAME)
                    .unwrap()
                    .is_empty()
            );
        }
        assert_eq!(Mailbox::new(" ", "\0"), None);
    }
}
