//! Import: from files to saved messages.
//!
//! [`source`] takes files apart into [`Item`]s, one message or one vCard or iCalendar file each;
//! [`Importer`] converts items and saves them. The two halves may be in different processes.

mod convert;
mod folder;
mod mbox;
mod save;
pub mod source;

use serde::{Deserialize, Serialize};

pub use folder::FolderError;
pub use save::Importer;

/// What an import may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of one item.
    pub message_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 64 << 20,
        }
    }
}

/// What an item's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An internet message (RFC 5322).
    Message,
    /// vCards (RFC 6350).
    Contacts,
    /// An iCalendar object (RFC 5545).
    Calendar,
}

/// An item without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemHeader {
    /// What the bytes are.
    pub kind: Kind,
    /// The message was read already.
    pub read: bool,
    /// Number of bytes.
    pub length: u64,
}

/// One thing to import.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is.
    pub header: ItemHeader,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What became of one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// That many messages were saved from it.
    Saved(usize),
    /// None was; why.
    Failed(String),
}
