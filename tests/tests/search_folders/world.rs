//! What these tests share: a folder of mail, and search folders made beside it.

pub use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

pub use ropewalk_props::PropTag;
pub use ropewalk_tests::{
    client::{
        Cells as _, Client, Handle, Logon, NO_HANDLE, Name, NewFolder, Rop, Value, logon_rop,
        restriction_bytes,
    },
    fixture::{
        ADA, PASSWORD, ada, code, fails, legacy_dn, log_on, new_folder, new_message, tag, text,
    },
    server::{TestServer, add_user},
};
pub use ropewalk_wire::{
    Reader,
    restriction::{RelOp, Restriction},
    value::TaggedPropertyValue,
};

pub const STOP: u32 = 0x1;
pub const RESTART: u32 = 0x2;
pub const RECURSIVE: u32 = 0x4;
pub const SHALLOW: u32 = 0x8;
pub const CONTENT_INDEXED: u32 = 0x1_0000;
pub const NON_CONTENT_INDEXED: u32 = 0x2_0000;
pub const STATIC: u32 = 0x4_0000;

/// ReadFlags (MS-OXCMSG 2.2.3.10.1).
pub const CLEAR_READ_FLAG: u8 = 0x04;

/// SearchFlags of RopGetSearchCriteria.
pub const SEARCH_RUNNING: u32 = 0x1;
pub const SEARCH_REBUILD: u32 = 0x2;
pub const SEARCH_RECURSIVE: u32 = 0x4;
pub const SEARCH_COMPLETE: u32 = 0x1000;
pub const SEARCH_STATIC: u32 = 0x1_0000;
pub const TWIR_TOTALLY: u32 = 0x0800_0000;

pub const NOT_INITIALIZED: u32 = 0x8004_0605;
pub const NOT_SEARCH_FOLDER: u32 = 0x0000_0461;
pub const SCOPE_VIOLATION: u32 = 0x0000_0490;
pub const TOO_COMPLEX: u32 = 0x8004_0117;
pub const SEARCH_FOLDER: u32 = 0x0000_0460;

pub const FOLDER_FLAGS: u32 = 0x66A8_0003;
pub const LOCAL_COMMIT_TIME_MAX: u32 = 0x670A_0040;
pub const DELETED_COUNT_TOTAL: u32 = 0x670B_0003;
pub const MESSAGE_SIZE_EXTENDED: u32 = 0x0E08_0014;
pub const STORE_STATE: u32 = 0x340E_0003;

/// A search folder, below a folder: its handle and FID.
pub fn search_folder(client: &mut Client, parent: Handle, name: &str) -> (Handle, u64) {
    let folder = NewFolder {
        folder_type: 2,
        ..NewFolder::named(name)
    };
    let made = client.create_folder_with(parent, &folder).unwrap();
    (made.handle, made.folder_id)
}

/// A folder of its own, and a search folder in it.
pub struct Place {
    pub client: Client,
    pub logon: Logon,
    pub folder: Handle,
    pub folder_id: u64,
    pub search: Handle,
    pub search_id: u64,
}

pub fn place() -> Place {
    let (mut client, logon) = ada();
    let (folder, folder_id) = new_folder(&mut client, &logon);
    let (search, search_id) = search_folder(&mut client, folder, "Search");
    Place {
        client,
        logon,
        folder,
        folder_id,
        search,
        search_id,
    }
}

impl Place {
    pub fn mail(&mut self, subject: &str) -> u64 {
        let (message, id) = new_message(&mut self.client, self.folder, self.folder_id, subject);
        self.client.release(message).unwrap();
        id
    }

    pub fn set(&mut self, restriction: &Restriction, search_flags: u32) {
        let folders = [self.folder_id];
        self.client
            .set_search_criteria(self.search, Some(restriction), &folders, search_flags)
            .unwrap();
    }

    pub fn found(&mut self) -> Vec<u64> {
        found(&mut self.client, self.search)
    }

    pub fn flags(&mut self) -> u32 {
        let (_, _, flags) = self
            .client
            .search_criteria(self.search, [false; 3])
            .unwrap();
        flags
    }
}

/// PidTagMid of all rows of a folder's contents table, sorted; the count is that of the rows.
pub fn found(client: &mut Client, folder: Handle) -> Vec<u64> {
    let (table, count) = client.contents_table(folder, 0).unwrap();
    let rows = client.query_all_rows(table, &[tag::MID]).unwrap();
    client.release(table).unwrap();
    assert_eq!(count as usize, rows.len());
    let mut mids: Vec<u64> = rows.iter().map(|row| row.id(0)).collect();
    mids.sort_unstable_by_key(|mid| mid.swap_bytes());
    let row = client.get_props(folder, &[tag::CONTENT_COUNT]).unwrap();
    assert_eq!(row.int(0) as usize, mids.len());
    mids
}

pub fn content(part: &str) -> Restriction {
    Restriction::Content {
        // FL_SUBSTRING, FL_IGNORECASE.
        fuzzy_level_low: 0x0001,
        fuzzy_level_high: 0x0001,
        property_tag: PropTag(tag::SUBJECT),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(tag::SUBJECT),
            value: text(part),
        },
    }
}

pub fn equals(property: u32, value: Value) -> Restriction {
    Restriction::Property {
        rel_op: RelOp::EQUAL,
        prop_tag: PropTag(property),
        tagged_value: TaggedPropertyValue {
            tag: PropTag(property),
            value,
        },
    }
}

pub fn unread() -> Restriction {
    Restriction::BitMask {
        bitmap_rel_op: 0,
        prop_tag: PropTag(tag::MESSAGE_FLAGS),
        mask: 1,
    }
}

pub fn server(dir: &Path) -> (TestServer, String) {
    add_user(dir, ADA, "Ada Lovelace", PASSWORD);
    let dn = legacy_dn(dir, ADA);
    (TestServer::start_in(dir, &[]), dn)
}
