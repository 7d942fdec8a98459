//! A server that the tests of one file share, and what they say about its answers.

use std::{
    fmt::Debug,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;

use crate::{
    client::{Client, Handle, Logon, Result},
    server::{TestServer, add_user, run},
};

/// The user that every shared server has.
pub const ADA: &str = "ada@example.test";
/// And the password.
pub const PASSWORD: &str = "counterweight";

/// A server for all tests of a file, with the user [`ADA`].
///
/// A static is never dropped, so a shell waits for the end of the test process and ends the server.
pub struct Shared {
    /// The server.
    pub server: TestServer,
    /// The LegacyDN of [`ADA`].
    pub user_dn: String,
    _watch: Child,
}

/// The server that the tests of this file share.
pub fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let server = TestServer::start(&[]);
        // Standard input ends when this process does; then server and directory go.
        let watch = Command::new("sh")
            .args(["-c", "cat >/dev/null; kill -9 \"$0\"; rm -rf \"$1\""])
            .arg(server.pid().to_string())
            .arg(server.data_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        add_user(server.data_dir(), ADA, "Ada Lovelace", PASSWORD);
        Shared {
            user_dn: legacy_dn(server.data_dir(), ADA),
            server,
            _watch: watch,
        }
    })
}

/// A new session of [`ADA`] on the shared server, logged on.
pub fn ada() -> (Client, Logon) {
    let shared = shared();
    log_on(&shared.server, ADA, PASSWORD, &shared.user_dn)
}

/// A new session, logged on to the user's mailbox.
pub fn log_on(server: &TestServer, email: &str, password: &str, user_dn: &str) -> (Client, Logon) {
    let mut client = Client::connect(server.http(), email, password, user_dn).expect("Connect");
    let logon = client.logon().expect("RopLogon");
    (client, logon)
}

/// What `ropewalk user show --json` tells of a user.
pub fn user(data_dir: &Path, email: &str) -> Value {
    let data_dir = data_dir
        .to_str()
        .expect("the data directory's name is UTF-8");
    let output = run(["user", "show", email, "--json", "--data-dir", data_dir]);
    assert!(output.status.success(), "user show: {output:?}");
    serde_json::from_slice(&output.stdout).expect("user show prints JSON")
}

/// The LegacyDN of a user.
pub fn legacy_dn(data_dir: &Path, email: &str) -> String {
    user(data_dir, email)["legacy_dn"]
        .as_str()
        .expect("user show tells legacy_dn")
        .to_owned()
}

/// A new folder in the Inbox that no other test uses: its handle and FID.
pub fn new_folder(client: &mut Client, logon: &Logon) -> (Handle, u64) {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let name = format!("Test folder {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let inbox = client
        .open_folder(logon.handle, logon.inbox())
        .expect("the Inbox opens");
    let folder = client
        .create_folder(inbox, &name)
        .expect("a folder can be made in the Inbox");
    (folder.handle, folder.folder_id)
}

/// A saved message with this subject in a folder: its handle, open for writing, and its MID.
pub fn new_message(
    client: &mut Client,
    folder: Handle,
    folder_id: u64,
    subject: &str,
) -> (Handle, u64) {
    let message = client
        .create_message(folder, folder_id)
        .expect("RopCreateMessage");
    client
        .set_props(message, &[(tag::SUBJECT, text(subject))])
        .expect("RopSetProperties");
    let id = client.save_message(message).expect("RopSaveChangesMessage");
    (message, id)
}

/// A PtypString.
pub fn text(text: &str) -> ropewalk_props::PropValue {
    ropewalk_props::PropValue::text(text)
}

/// The operation has to fail with this code.
#[track_caller]
pub fn fails<T: Debug>(result: Result<T>, code: u32) {
    match result {
        Ok(value) => panic!("expected {code:#010x}, got {value:?}"),
        Err(error) => assert_eq!(
            error.code(),
            code,
            "expected {code:#010x}, got {:#010x}",
            error.code()
        ),
    }
}

/// Error codes (MS-OXCDATA 2.4).
#[allow(missing_docs)] // The names are the specification's.
pub mod code {
    pub const NOT_FOUND: u32 = 0x8004_010F;
    pub const NOT_SUPPORTED: u32 = 0x8004_0102;
    pub const INVALID_PARAMETER: u32 = 0x8007_0057;
    pub const ACCESS_DENIED: u32 = 0x8007_0005;
    pub const NULL_OBJECT: u32 = 0x0000_04B9;
    pub const INVALID_OBJECT: u32 = 0x8004_0108;
    pub const ERROR: u32 = 0x8000_4005;
    pub const DUPLICATE_NAME: u32 = 0x8004_0604;
    pub const OBJECT_MODIFIED: u32 = 0x8004_0109;
    pub const BUFFER_TOO_SMALL: u32 = 0x0000_047D;
    pub const RPC_FORMAT: u32 = 0x0000_04B6;
    pub const RPC_FAILED: u32 = 0x8004_0115;
    pub const UNKNOWN_CODE_PAGE: u32 = 0x0000_03EF;
    pub const UNKNOWN_USER: u32 = 0x0000_03EB;
    pub const NULL_DESTINATION_OBJECT: u32 = 0x0000_0503;
    pub const MEMORY: u32 = 0x8007_000E;
    pub const STREAM_ACCESS_DENIED: u32 = 0x8003_0005;
    pub const STREAM_SEEK_ERROR: u32 = 0x8003_0019;
    pub const STREAM_INVALID_PARAM: u32 = 0x8003_0057;
    pub const TOO_BIG: u32 = 0x8004_0305;
}

/// Property tags (MS-OXPROPS).
#[allow(missing_docs)] // The names are the specification's, without PidTag.
pub mod tag {
    pub const IMPORTANCE: u32 = 0x0017_0003;
    pub const MESSAGE_CLASS: u32 = 0x001A_001F;
    pub const SENSITIVITY: u32 = 0x0036_0003;
    pub const SUBJECT: u32 = 0x0037_001F;
    pub const CLIENT_SUBMIT_TIME: u32 = 0x0039_0040;
    pub const SUBJECT_PREFIX: u32 = 0x003D_001F;
    pub const RECIPIENT_TYPE: u32 = 0x0C15_0003;
    pub const DISPLAY_BCC: u32 = 0x0E02_001F;
    pub const DISPLAY_CC: u32 = 0x0E03_001F;
    pub const DISPLAY_TO: u32 = 0x0E04_001F;
    pub const MESSAGE_DELIVERY_TIME: u32 = 0x0E06_0040;
    pub const MESSAGE_FLAGS: u32 = 0x0E07_0003;
    pub const MESSAGE_SIZE: u32 = 0x0E08_0003;
    pub const PARENT_ENTRY_ID: u32 = 0x0E09_0102;
    pub const HAS_ATTACHMENTS: u32 = 0x0E1B_000B;
    pub const NORMALIZED_SUBJECT: u32 = 0x0E1D_001F;
    pub const ATTACH_SIZE: u32 = 0x0E20_0003;
    pub const ATTACH_NUMBER: u32 = 0x0E21_0003;
    pub const TRUST_SENDER: u32 = 0x0E79_0003;
    pub const ACCESS: u32 = 0x0FF4_0003;
    pub const INSTANCE_KEY: u32 = 0x0FF6_0102;
    pub const ACCESS_LEVEL: u32 = 0x0FF7_0003;
    pub const MAPPING_SIGNATURE: u32 = 0x0FF8_0102;
    pub const RECORD_KEY: u32 = 0x0FF9_0102;
    pub const STORE_RECORD_KEY: u32 = 0x0FFA_0102;
    pub const STORE_ENTRY_ID: u32 = 0x0FFB_0102;
    pub const OBJECT_TYPE: u32 = 0x0FFE_0003;
    pub const ENTRY_ID: u32 = 0x0FFF_0102;
    pub const BODY: u32 = 0x1000_001F;
    pub const HTML: u32 = 0x1013_0102;
    pub const ATTRIBUTE_HIDDEN: u32 = 0x10F4_000B;
    pub const ROW_ID: u32 = 0x3000_0003;
    pub const DISPLAY_NAME: u32 = 0x3001_001F;
    pub const ADDRESS_TYPE: u32 = 0x3002_001F;
    pub const EMAIL_ADDRESS: u32 = 0x3003_001F;
    pub const COMMENT: u32 = 0x3004_001F;
    pub const DEPTH: u32 = 0x3005_0003;
    pub const CREATION_TIME: u32 = 0x3007_0040;
    pub const LAST_MODIFICATION_TIME: u32 = 0x3008_0040;
    pub const SEARCH_KEY: u32 = 0x300B_0102;
    pub const FOLDER_TYPE: u32 = 0x3601_0003;
    pub const CONTENT_COUNT: u32 = 0x3602_0003;
    pub const CONTENT_UNREAD_COUNT: u32 = 0x3603_0003;
    pub const SUBFOLDERS: u32 = 0x360A_000B;
    pub const CONTAINER_CLASS: u32 = 0x3613_001F;
    pub const ASSOCIATED_CONTENT_COUNT: u32 = 0x3617_0003;
    pub const ATTACH_DATA_BINARY: u32 = 0x3701_0102;
    pub const ATTACH_DATA_OBJECT: u32 = 0x3701_000D;
    pub const ATTACH_METHOD: u32 = 0x3705_0003;
    pub const ATTACH_LONG_FILENAME: u32 = 0x3707_001F;
    pub const RENDERING_POSITION: u32 = 0x370B_0003;
    pub const HAS_NAMED_PROPERTIES: u32 = 0x664A_000B;
    pub const MAILBOX_OWNER_NAME: u32 = 0x661C_001F;
    pub const FOLDER_ID: u32 = 0x6748_0014;
    pub const PARENT_FOLDER_ID: u32 = 0x6749_0014;
    pub const MID: u32 = 0x674A_0014;
    pub const INST_ID: u32 = 0x674D_0014;
    pub const INSTANCE_NUM: u32 = 0x674E_0003;
    pub const CHANGE_NUMBER: u32 = 0x67A4_0014;
    pub const SOURCE_KEY: u32 = 0x65E0_0102;
    pub const PARENT_SOURCE_KEY: u32 = 0x65E1_0102;
    pub const CHANGE_KEY: u32 = 0x65E2_0102;
    pub const PREDECESSOR_CHANGE_LIST: u32 = 0x65E3_0102;
}
