//! What may be too much for one commit, step by step: each step is a commit of its own, of as many
//! items as its caller has time for. What was done stays done, whenever the caller stops; others see
//! how far it has come, and what they change meanwhile is heeded.
//!
//! An item is a message or a folder. Each step takes what is there as it finds it, by ids that were
//! there when it all began: what came later is left alone, and what went meanwhile is not missed.

mod copy;
mod empty;

pub use copy::FolderCopy;
pub use empty::FolderEmptying;

use super::types::FolderCounts;

/// Messages that are not soft-deleted, with the folder itself.
fn items(counts: &FolderCounts) -> u64 {
    1 + u64::from(counts.content) + u64::from(counts.associated)
}
