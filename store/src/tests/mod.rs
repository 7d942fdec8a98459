//! Tests of the store as a whole.

mod concurrency;
mod content;
mod disk;
mod fixture;
mod histories;
mod history;
mod model;
mod random;
mod recovery;
