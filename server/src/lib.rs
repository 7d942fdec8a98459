//! The Ropewalk server.

pub mod autodiscover;
pub mod config;
pub mod nspi;
pub mod provision;
