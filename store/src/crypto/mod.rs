//! Encryption at rest: XChaCha20-Poly1305 over the data of every record and over the index's values.
//!
//! What an encrypted store hides, and what it does not, is in `DECISIONS.md`; the bytes are in
//! `FORMAT.md`.

#![allow(dead_code, unused_imports)] // Opening makes keys with the next commit.

mod cipher;
mod keyring;
mod nonce;

pub use cipher::{Cipher, OVERHEAD};
pub use keyring::{FileKey, Keyring};
pub use nonce::Nonces;
