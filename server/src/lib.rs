//! The Ropewalk server.

pub mod admin;
pub mod auth;
pub mod autodiscover;
pub mod cli;
pub mod config;
pub mod demo;
pub mod http;
pub mod import;
pub mod nspi;
pub mod provision;
pub mod session;
