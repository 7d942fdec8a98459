//! Encryption at rest: XChaCha20-Poly1305 over the data of every record and over the index's values.
//!
//! What an encrypted store hides, and what it does not, is in `DECISIONS.md`; the bytes are in
//! `FORMAT.md`.

mod cipher;
mod keyring;
mod keys_file;
mod master;
mod nonce;
mod unlock;

pub use cipher::Cipher;
pub use keyring::{FileKey, Keyring};
pub use keys_file::{KEYS_VERSION, Keys, KeysError};
pub use master::{KeyError, MasterKey};
pub use nonce::Nonces;
pub use ropewalk_seal::OVERHEAD;
pub use unlock::{Unlocking, change_master_key};
