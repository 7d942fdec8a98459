//! An index whose values are encrypted. Its keys are not: see DECISIONS.md for what they show.

use std::sync::Arc;

use super::{IndexError, Kv, Visit, Write};
use crate::crypto::Cipher;

/// Seals what goes into another index and opens what comes out of it.
pub struct SealedKv<K> {
    kv: K,
    cipher: Arc<Cipher>,
}

impl<K: Kv> SealedKv<K> {
    /// Keeps everything in `kv`.
    pub fn new(kv: K, cipher: Arc<Cipher>) -> Self {
        Self { kv, cipher }
    }

    fn open(&self, key: &[u8], value: &mut Vec<u8>) -> Result<(), IndexError> {
        let opened = self.cipher.open_value(key, value);
        opened.ok_or_else(|| IndexError("a value of the index does not open with its key".into()))
    }

    fn sealed(&self, write: &Write) -> Result<Write, IndexError> {
        Ok(match write {
            Write::Put(key, value) => {
                let sealed = self.cipher.seal_value(key, value);
                let too_long = || IndexError("a value is too long to be encrypted".into());
                Write::Put(key.clone(), sealed.ok_or_else(too_long)?)
            }
            Write::Remove(key) => Write::Remove(key.clone()),
        })
    }
}

impl<K: Kv> Kv for SealedKv<K> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        let Some(mut value) = self.kv.get(key)? else {
            return Ok(None);
        };
        self.open(key, &mut value)?;
        Ok(Some(value))
    }

    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
        let mut plain = Vec::new();
        self.kv.range(from, to, &mut |key, value| {
            plain.clear();
            plain.extend_from_slice(value);
            self.open(key, &mut plain)?;
            visit(key, &plain)
        })
    }

    fn apply(&self, writes: &[Write]) -> Result<(), IndexError> {
        let sealed = writes.iter().map(|write| self.sealed(write));
        self.kv.apply(&sealed.collect::<Result<Vec<_>, _>>()?)
    }

    fn flush(&self) -> Result<(), IndexError> {
        self.kv.flush()
    }
}
