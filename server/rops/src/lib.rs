//! The ROP executor: one session context's objects, and what each ROP does to them.
//!
//! A request runs top to bottom through [`context::RopContext::execute`]: extended buffer, ROP
//! input buffer, and then each ROP through [`dispatch`] to its handler. Handlers stand with the
//! objects that they work on: `logon`, `folder`, `table`, `message`, `attachment`, `property`,
//! `stream`.

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

pub mod attachment;
pub mod brief;
pub mod budget;
mod chain;
pub mod context;
pub mod dispatch;
pub mod exec;
pub mod folder;
pub mod handles;
pub mod ids;
pub mod limits;
pub mod logon;
pub mod message;
pub mod object;
pub mod operation;
pub mod property;
pub mod public;
mod response_size;
pub mod rights;
pub mod rules;
pub mod search;
pub mod store_error;
pub mod stream;
pub mod table;
#[cfg(test)]
mod test_client;
#[cfg(test)]
pub(crate) mod test_support;
pub mod view;

pub use brief::begins_brief;
pub use context::{ConnectParams, Rest, RopContext};
pub use operation::Slice;
pub use ropewalk_body::code_page;
