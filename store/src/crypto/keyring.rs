//! The data keys of a store, and which one opens a file.

use std::sync::Arc;

use super::Cipher;

/// What the records of a file are encrypted with, as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKey {
    /// Nothing.
    Plain,
    /// The data key with this number.
    Sealed(u16),
    /// The file's header is damaged: the records themselves show it, since a key opens nothing that
    /// another one sealed.
    Unknown,
}

impl From<u16> for FileKey {
    fn from(number: u16) -> Self {
        match number {
            0 => Self::Plain,
            number => Self::Sealed(number),
        }
    }
}

/// The keys of a store. Empty if it is not encrypted.
#[derive(Clone, Default)]
pub struct Keyring {
    /// The last one is that of new files.
    ciphers: Vec<Arc<Cipher>>,
}

impl Keyring {
    /// Holds these; new files are written with the last one.
    pub fn new(ciphers: Vec<Arc<Cipher>>) -> Self {
        Self { ciphers }
    }

    /// What is used for new files.
    pub fn current(&self) -> Option<&Arc<Cipher>> {
        self.ciphers.last()
    }

    /// The number of the key of new files; 0 without one.
    pub fn current_number(&self) -> u16 {
        self.current().map_or(0, |cipher| cipher.number())
    }

    /// The key with this number.
    pub fn get(&self, number: u16) -> Option<&Arc<Cipher>> {
        self.ciphers.iter().find(|cipher| cipher.number() == number)
    }

    /// Makes plain data of a record's stored data, where it lies, and returns the bytes of it. `None`
    /// if the key is not here or the data is not what it sealed. The checksum was verified before.
    pub fn open(&self, key: FileKey, kind: u8, version: u8, stored: &mut [u8]) -> Option<usize> {
        match key {
            FileKey::Plain => Some(stored.len()),
            FileKey::Sealed(number) => self.get(number)?.open_record(kind, version, stored),
            FileKey::Unknown => {
                let mut ciphers = self.ciphers.iter().rev();
                let opened = ciphers.find_map(|cipher| cipher.open_record(kind, version, stored));
                // Such files are older than the first key.
                Some(opened.unwrap_or(stored.len()))
            }
        }
    }
}
