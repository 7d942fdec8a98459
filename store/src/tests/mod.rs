//! Tests of the store as a whole.

mod backup;
mod blobs;
mod bulk;
mod chunks;
mod compaction;
mod concurrency;
mod content;
mod crypt;
pub(crate) mod disk;
mod fixture;
mod full;
mod histories;
pub(crate) mod history;
mod house;
mod model;
mod mutations;
mod packs;
mod place;
mod random;
mod recovery;
#[cfg(feature = "shuttle")]
mod shuttle;
mod stepwise;
mod streams;
mod upkeep;
mod verify;
