//! The Ropewalk server.

pub mod provision;
