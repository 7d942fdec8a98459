//! The Ropewalk server.

pub mod config;
pub mod provision;
