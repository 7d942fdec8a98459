//! What is said over the admin socket.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::upkeep::{BackupOutcome, CompactInfo, StatsInfo, VerifyInfo};
use crate::import::{ItemHeader, Limits, Outcome};

/// Bytes of one line in either direction.
pub const LINE_BYTES_MAX: u64 = 16 << 20;
/// Items of one import request.
pub const BATCH_ITEMS_MAX: usize = 256;
/// Bytes at which a batch is sent; one more item may make it larger by that item.
pub const BATCH_BYTES: usize = 8 << 20;

/// A request, without the items of an import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Adds a user with an empty mailbox.
    AddUser {
        /// The address.
        email: String,
        /// The name that others see.
        display_name: String,
        /// What the password becomes in the store.
        password_hash: String,
    },
    /// All users.
    ListUsers,
    /// One user.
    ShowUser {
        /// The address.
        email: String,
    },
    /// Gives a user another password.
    SetPassword {
        /// The address.
        email: String,
        /// What the password becomes in the store.
        password_hash: String,
    },
    /// Says how large a mailbox may get.
    SetQuota {
        /// The address.
        email: String,
        /// The limits.
        quota: QuotaInfo,
    },
    /// Removes a user with the mailbox.
    RemoveUser {
        /// The address.
        email: String,
    },
    /// Asks what an import into a mailbox may send.
    PrepareImport {
        /// The address.
        user: String,
    },
    /// Saves items in a mailbox; their bytes follow the line, in order.
    Import {
        /// The address.
        user: String,
        /// The folder below the top of the mailbox; `None` for the one that suits each item.
        folder: Option<String>,
        /// What follows.
        items: Vec<ItemHeader>,
    },
    /// What is in the store.
    StoreStats,
    /// Whether the store is whole.
    StoreVerify,
    /// Gives back space.
    StoreCompact,
    /// Backs the store up.
    StoreBackup {
        /// The backup's directory; absolute.
        dir: PathBuf,
    },
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// It is done.
    Done,
    /// The user that was added.
    User(UserInfo),
    /// The user that was asked for.
    Details(UserDetails),
    /// All users, oldest first.
    Users(Vec<UserInfo>),
    /// The import may begin.
    Prepared(Limits),
    /// What became of each item, in order.
    Imported(Vec<Outcome>),
    /// What is in the store.
    StoreStats(Box<StatsInfo>),
    /// Whether it is whole.
    Verified(Box<VerifyInfo>),
    /// What compaction gave back.
    Compacted(CompactInfo),
    /// What was backed up.
    BackedUp(Box<BackupOutcome>),
    /// Work goes on; the answer proper is still to come.
    Progress {
        /// Bytes dealt with.
        done: u64,
        /// Bytes to deal with, as far as known.
        total: u64,
    },
    /// Nothing was done; a sentence for the user.
    Failed(String),
}

/// A user as scripts see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// The address.
    pub email: String,
    /// The name that others see.
    pub display_name: String,
    /// The X500 name.
    pub legacy_dn: String,
    /// The mailbox, in the usual text form.
    pub mailbox_guid: String,
}

/// A user with what is in the mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDetails {
    /// The user.
    #[serde(flatten)]
    pub user: UserInfo,
    /// Bytes of the mailbox.
    pub bytes: u64,
    /// How large it may get.
    pub quota: QuotaInfo,
    /// The folders below the top of the mailbox, each before its subfolders.
    pub folders: Vec<FolderInfo>,
}

/// How large a mailbox may get, in kilobytes of 1024 bytes; `None` for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuotaInfo {
    /// The user is warned from here on.
    pub warn: Option<u32>,
    /// Nothing is sent beyond this.
    pub send: Option<u32>,
    /// Nothing is saved or received beyond this.
    pub receive: Option<u32>,
}

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderInfo {
    /// Names from the top of the mailbox on, with `/` between them.
    pub path: String,
    /// Messages in it.
    pub messages: u32,
    /// Those that are not read.
    pub unread: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_stay_on_one_line() {
        let request = Request::ShowUser {
            email: "a\n@b.test".to_owned(),
        };
        let line = serde_json::to_string(&request).unwrap();
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
        for response in [
            Response::Done,
            Response::Imported(vec![Outcome::Saved(1), Outcome::Failed("x".to_owned())]),
        ] {
            let line = serde_json::to_string(&response).unwrap();
            assert_eq!(serde_json::from_str::<Response>(&line).unwrap(), response);
        }
    }

    #[test]
    fn unknown_requests_and_fields_are_refused() {
        for line in [
            r#"{"request":"format_disk"}"#,
            r#"{"request":"show_user","email":"a@b.test","all":true}"#,
        ] {
            assert!(serde_json::from_str::<Request>(line).is_err(), "{line}");
        }
    }
}
