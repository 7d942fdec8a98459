//! What issue 3 and the documents promise of the storage engine, seen from outside: over the wire,
//! with the command line, and in the bytes of the data directory.
//!
//! `ROPEWALK_ENGINE_SECONDS` makes the churn longer, `ROPEWALK_ENGINE_MANY` the bulk operations
//! larger, `ROPEWALK_ENGINE_MIB` the large attachment.

mod bulk;
mod disk_use;
mod encryption;
mod expiry;
mod house;
mod large;
mod places;
mod quotas;
mod restore_points;
