//! Large values, written and read by range.
//!
//! A value is cut into chunks, each its own checksummed record in the log. A blob map lists where
//! they are; a commit makes the map known under the blob's id. Nothing is ever changed in place:
//! editing a blob writes the chunks that changed and a new map. A chunk that the store has already is
//! not written again, whichever value it is of.

pub mod dedup;
pub mod map;
pub mod pins;
mod reader;
mod spill;
mod writer;

pub use map::read as read_map;
pub use map::read_from as read_map_from;
pub use reader::BlobReader;
pub use spill::{Spill, Spilled};
pub use writer::BlobWriter;

/// Bytes of a chunk; the last one of a value may be shorter.
pub const CHUNK: usize = 64 << 10;
/// Bytes of the longest value.
pub const MAX_BLOB: u64 = 1 << 31;
