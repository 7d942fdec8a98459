//! The properties by which a client finds the special folders (MS-OXOSFLD 2.2.3 to 2.2.6).

use ropewalk_props::{Bag, GlobCnt, Guid, PropTag, PropValue, tags};

use super::special;

/// Bytes of a folder EntryID.
const FOLDER_ENTRY_ID_LEN: usize = 46;

/// The EntryID of a folder in a private mailbox (MS-OXCDATA 2.2.4.1).
pub fn folder_entry_id(mailbox: Guid, repl: Guid, folder: GlobCnt) -> Vec<u8> {
    const EIT_LT_PRIVATE_FOLDER: [u8; 2] = 0x0001_u16.to_le_bytes();
    let mut out = Vec::with_capacity(FOLDER_ENTRY_ID_LEN);
    out.extend([0; 4]);
    out.extend(mailbox.0);
    out.extend(EIT_LT_PRIVATE_FOLDER);
    out.extend(repl.0);
    out.extend(folder.to_bytes());
    out.extend([0; 2]);
    out
}

/// One property for one folder (MS-OXOSFLD 2.2.3).
const SINGLE: [(PropTag, GlobCnt); 6] = [
    (tags::PID_TAG_IPM_APPOINTMENT_ENTRY_ID, special::CALENDAR),
    (tags::PID_TAG_IPM_CONTACT_ENTRY_ID, special::CONTACTS),
    (tags::PID_TAG_IPM_JOURNAL_ENTRY_ID, special::JOURNAL),
    (tags::PID_TAG_IPM_NOTE_ENTRY_ID, special::NOTES),
    (tags::PID_TAG_IPM_TASK_ENTRY_ID, special::TASKS),
    (tags::PID_TAG_IPM_DRAFTS_ENTRY_ID, special::DRAFTS),
];

/// The fixed indexes of PidTagAdditionalRenEntryIds (MS-OXOSFLD 2.2.4).
const INDEXED: [GlobCnt; 5] = [
    special::CONFLICTS,
    special::SYNC_ISSUES,
    special::LOCAL_FAILURES,
    special::SERVER_FAILURES,
    special::JUNK_EMAIL,
];

/// The PersistIDs of PidTagAdditionalRenEntryIdsEx (MS-OXOSFLD 2.2.5.1) of folders made here.
const PERSISTED: [(u16, GlobCnt); 3] = [
    (0x8006, special::CONVERSATION_ACTION_SETTINGS),
    (0x800A, special::IM_CONTACT_LIST),
    (0x800B, special::QUICK_CONTACTS),
];

/// Adds the identification properties to the bag of the Inbox or of the root.
pub fn add(bag: &mut Bag, mailbox: Guid, repl: Guid) {
    let entry_id = |folder| folder_entry_id(mailbox, repl, folder);
    for (tag, folder) in SINGLE {
        bag.set(tag, &PropValue::Binary(entry_id(folder)));
    }
    let indexed = INDEXED.map(entry_id).to_vec();
    bag.set(
        tags::PID_TAG_ADDITIONAL_REN_ENTRY_IDS,
        &PropValue::MultipleBinary(indexed),
    );
    bag.set(
        tags::PID_TAG_ADDITIONAL_REN_ENTRY_IDS_EX,
        &PropValue::Binary(persist_data(mailbox, repl)),
    );
    // MS-OXOSFLD 2.2.6: the first three are messages, which clients make.
    let free_busy = vec![vec![], vec![], vec![], entry_id(special::FREEBUSY_DATA)];
    bag.set(
        tags::PID_TAG_FREE_BUSY_ENTRY_IDS,
        &PropValue::MultipleBinary(free_busy),
    );
}

/// The PersistData blocks of the folders made here, each with its EntryID (MS-OXOSFLD 2.2.5).
fn persist_data(mailbox: Guid, repl: Guid) -> Vec<u8> {
    const RSF_ELID_ENTRYID: u16 = 0x0001;
    const PERSIST_SENTINEL: [u8; 4] = [0; 4];
    let mut out = Vec::new();
    for (persist_id, folder) in PERSISTED {
        let entry_id = folder_entry_id(mailbox, repl, folder);
        for field in [
            persist_id,
            (4 + FOLDER_ENTRY_ID_LEN) as u16,
            RSF_ELID_ENTRYID,
            FOLDER_ENTRY_ID_LEN as u16,
        ] {
            out.extend(field.to_le_bytes());
        }
        out.extend(entry_id);
    }
    out.extend(PERSIST_SENTINEL);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAILBOX: Guid = Guid([0xAA; 16]);
    const REPL: Guid = Guid([0xBB; 16]);

    #[test]
    fn a_folder_entry_id_is_laid_out_as_specified() {
        let entry_id = folder_entry_id(MAILBOX, REPL, special::CALENDAR);
        assert_eq!(entry_id.len(), 46);
        assert_eq!(entry_id[..4], [0; 4]);
        assert_eq!(entry_id[4..20], MAILBOX.0);
        assert_eq!(entry_id[20..22], [1, 0]);
        assert_eq!(entry_id[22..38], REPL.0);
        assert_eq!(entry_id[38..], [0, 0, 0, 0, 0, 15, 0, 0]);
    }

    #[test]
    fn persist_data_has_one_block_per_folder_and_a_sentinel() {
        let data = persist_data(MAILBOX, REPL);
        assert_eq!(data.len(), 3 * (8 + 46) + 4);
        assert_eq!(data[..8], [0x06, 0x80, 0x32, 0x00, 0x01, 0x00, 0x2E, 0x00]);
        let settings = folder_entry_id(MAILBOX, REPL, special::CONVERSATION_ACTION_SETTINGS);
        assert_eq!(data[8..54], settings[..]);
        assert_eq!(data[54..56], [0x0A, 0x80]);
        assert_eq!(data[data.len() - 4..], [0; 4]);
    }

    #[test]
    fn arrays_keep_their_fixed_indexes() {
        let mut bag = Bag::new();
        add(&mut bag, MAILBOX, REPL);
        let Some(PropValue::MultipleBinary(indexed)) =
            bag.value(tags::PID_TAG_ADDITIONAL_REN_ENTRY_IDS)
        else {
            panic!("PidTagAdditionalRenEntryIds")
        };
        assert_eq!(
            indexed[4],
            folder_entry_id(MAILBOX, REPL, special::JUNK_EMAIL)
        );
        let Some(PropValue::MultipleBinary(free_busy)) =
            bag.value(tags::PID_TAG_FREE_BUSY_ENTRY_IDS)
        else {
            panic!("PidTagFreeBusyEntryIds")
        };
        assert_eq!(free_busy.len(), 4);
        assert_eq!(
            free_busy[3],
            folder_entry_id(MAILBOX, REPL, special::FREEBUSY_DATA)
        );
    }
}
