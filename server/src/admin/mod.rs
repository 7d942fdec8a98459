//! Administration: the same requests, whether this process has the store or a running server does.
//!
//! A server answers them on the Unix socket `admin.sock` in its data directory, which only the
//! owner can open. A request is one line of JSON, after an import request come the raw bytes of its
//! items; the answer is one line of JSON. [`Admin`] is the side of the command line.

mod client;
mod operations;
mod protocol;
mod server;
mod socket;
mod upkeep;

pub use client::{Admin, AdminError, Reached, must_exist};
pub use operations::Operations;
pub use protocol::{
    BATCH_BYTES, BATCH_ITEMS_MAX, FolderInfo, QuotaInfo, Request, Response, UserDetails, UserInfo,
};
pub use server::AdminServer;
pub use upkeep::{
    AffectedInfo, BackupEntry, BackupOutcome, CompactInfo, DamageInfo, Files, MailboxCounts,
    RestoreInfo, StatsInfo, VerifyInfo,
};
