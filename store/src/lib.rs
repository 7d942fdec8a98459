//! The mailbox store of Ropewalk: users, folders, messages and large values, kept on disk.
//!
//! A commit log is the truth ([`Store::open`] replays it); an index beside it may be thrown away at
//! any moment. Readers work on immutable snapshots and never wait for the disk; each mailbox has one
//! writer at a time, and writers of different mailboxes share an fsync. The crate knows no protocol.
//! The files are described byte by byte in `FORMAT.md`, the reasons are in `DECISIONS.md`.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

mod blob;
mod cache;
mod catch_up;
mod clock;
mod compact;
mod core;
mod crypto;
mod directory;
mod disk;
mod error;
mod index;
mod keeper;
mod log;
mod mailbox;
mod message;
mod open;
mod options;
mod place;
mod progress;
mod provision;
mod records;
mod store;
mod sync;
#[cfg(test)]
mod tests;
mod upkeep;
mod versions;

pub use blob::{BlobReader, BlobWriter};
pub use clock::{Clock, SystemClock};
pub use compact::{CompactOptions, CompactReport, Compaction};
pub use crypto::{KeyError, MasterKey, change_master_key};
pub use directory::{NewUser, PUBLIC_STORE, TemplateFolder, User};
pub use error::{OpenError, StoreError};
pub use mailbox::{
    Contents, ContentsChange, ContentsView, DeleteFolder, EmptyFolder, Expired, Folder, FolderCopy,
    FolderCounts, FolderEdit, FolderEmptying, FolderKind, Mailbox, MessageEntry, MessagePlace,
    Missing, NewFolder, Quota, ReadOutcome, ReceiveFolder, STORAGE_QUOTA_LIMIT, SaveMessage,
    Survey, Surveyed, Transfer, folded_name,
};
pub use message::{
    ArchivedAttachment, ArchivedMessage, ArchivedRecipient, Attachment, Message, Recipient,
    StoredMessage,
};
pub use open::rebuild;
pub use options::{Durability, IndexKind, StoreOptions};
pub use progress::Progress;
pub use ropewalk_props as props;
pub use store::{FencedFrame, RecoveryReport, Store};
pub use upkeep::{
    Affected, BackupInfo, BackupList, BackupReport, Counts, Damage, DamageKind, FileStats,
    IndexState, OnProgress, RestorePoint, RestoreReport, StoreStats, UpkeepError, VerifyReport,
    list_backups, restore, stats, verify,
};
