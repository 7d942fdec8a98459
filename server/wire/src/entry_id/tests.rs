use proptest::prelude::*;

use super::*;

const MAILBOX: Guid = Guid([0x11; 16]);
const REPLICA: Guid = Guid([0x22; 16]);

fn examples() -> Vec<(EntryId<'static>, usize)> {
    let message = MessageEntryId::private(MAILBOX, REPLICA, GlobCnt(1), GlobCnt(0x0203));
    let one_off = OneOffEntryId {
        flags: 0,
        version: 0,
        one_off_flags: OneOffEntryId::NO_RICH_INFO,
        display_name: b"Bob",
        address_type: b"SMTP",
        email_address: b"b@x",
    };
    vec![
        (
            EntryId::Folder(FolderEntryId::private(MAILBOX, REPLICA, GlobCnt(13))),
            46,
        ),
        (EntryId::Message(message), 70),
        (
            EntryId::Store(StoreEntryId::private(b"srv", b"/o=a/cn=u")),
            60 + 4 + 10,
        ),
        (
            EntryId::AddressBook(AddressBookEntryId::new(0, b"/o=a/cn=u")),
            28 + 10,
        ),
        (
            EntryId::Ephemeral(EphemeralEntryId {
                id_type: EPHEMERAL.into(),
                provider_uid: REPLICA,
                r4: 1,
                display_type: 0,
                mid: 0x10,
            }),
            32,
        ),
        (EntryId::OneOff(one_off), 24 + 4 + 5 + 4),
        (
            EntryId::OneOff(OneOffEntryId {
                one_off_flags: OneOffEntryId::UNICODE,
                display_name: b"B\0",
                address_type: b"S\0",
                email_address: b"",
                ..one_off
            }),
            24 + 4 + 4 + 2,
        ),
        (
            EntryId::Contact(ContactEntryId {
                flags: 0,
                provider_uid: provider::CONTACT,
                version: 3,
                entry_type: 4,
                index: 0,
                entry_id_size: MessageEntryId::LEN as u32,
                message,
            }),
            106,
        ),
    ]
}

#[test]
fn every_kind_round_trips_in_its_length() {
    for (entry_id, len) in examples() {
        let bytes = entry_id.to_bytes().unwrap();
        assert_eq!(bytes.len(), len, "{entry_id:?}");
        assert_eq!(EntryId::from_bytes(&bytes).unwrap(), entry_id);
        for end in 0..bytes.len() {
            assert!(
                EntryId::from_bytes(&bytes[..end]).is_err() || end == FolderEntryId::LEN,
                "{entry_id:?} cut to {end}"
            );
        }
    }
}

/// MS-OXCDATA 2.2.4.1, field by field.
#[test]
fn the_fields_of_a_folder_stand_in_order() {
    let id = FolderEntryId::private(MAILBOX, REPLICA, GlobCnt(0x0102_0304_0506));
    let bytes = EntryId::Folder(id).to_bytes().unwrap();
    assert_eq!(bytes[..4], [0; 4]);
    assert_eq!(bytes[4..20], [0x11; 16]);
    assert_eq!(bytes[20..22], [1, 0]);
    assert_eq!(bytes[22..38], [0x22; 16]);
    assert_eq!(bytes[38..], [1, 2, 3, 4, 5, 6, 0, 0]);
}

#[test]
fn provider_uids_are_the_bytes_of_the_specification() {
    assert_eq!(provider::ADDRESS_BOOK.0[..4], [0xDC, 0xA7, 0x40, 0xC8]);
    assert_eq!(provider::ONE_OFF.0[12..], [0x01, 0x0F, 0x54, 0x02]);
}

proptest! {
    #[test]
    fn what_is_read_from_changed_bytes_is_written_and_read_again(
        kind in 0usize..8,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = examples()[kind].0.to_bytes().unwrap();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(entry_id) = EntryId::from_bytes(&bytes) {
            let again = entry_id.to_bytes().unwrap();
            prop_assert_eq!(EntryId::from_bytes(&again).unwrap(), entry_id);
        }
    }
}
