//! Making a user: the address, the X500 name, and the folders of a fresh mailbox.

pub mod address;
pub mod identification;
pub mod special;

pub use address::{Email, EmailError};
