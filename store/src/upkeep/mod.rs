//! Looking after a store: what is in it, whether it is whole, copies of it, and bringing one back.
//!
//! All of this works on the files of the log, which are the truth; the index is derived from them.

mod backup;
mod error;
mod manifest;
mod restore;
mod stats;
mod verify;

pub use backup::{BackupInfo, BackupList, BackupReport, list_backups};
pub use error::UpkeepError;
pub use restore::{RestorePoint, RestoreReport, restore};
pub use stats::{Counts, FileStats, StoreStats, stats};
pub use verify::{Affected, Damage, DamageKind, IndexState, VerifyReport, verify};

/// What long work calls now and then to tell how far it has come.
pub type OnProgress<'a> = dyn FnMut(crate::Progress) + 'a;
