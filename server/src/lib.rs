//! The Ropewalk server.

#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unwrap_used
    )
)]

pub mod admin;
pub mod auth;
pub mod autodiscover;
pub mod cli;
pub mod config;
pub mod demo;
pub mod http;
pub mod import;
mod moment;
pub mod nspi;
pub mod provision;
pub mod session;

/// What the program allocates with; see `main.rs`.
pub use mimalloc::MiMalloc as Allocator;
