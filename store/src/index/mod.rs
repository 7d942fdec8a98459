//! The index: finds things by key. Never the only place where anything is; thrown away and rebuilt
//! from the log whenever in doubt.

mod apply;
mod entry;
pub mod keys;
pub mod memory;
pub mod open;
mod sealed;
mod sled;
pub mod value;
mod writer;

pub use apply::Applier;
pub use entry::{Entry, entry};
pub use writer::{Index, Job};

/// The index failed; the sentence is the engine's.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct IndexError(pub String);

/// Whether an engine's sentence is about a full disk (ENOSPC, EDQUOT); engines hand on what the operating
/// system said as text.
pub fn says_full(reason: &str) -> bool {
    let said = [
        "(os error 28)",
        "(os error 122)",
        "StorageFull",
        "QuotaExceeded",
    ];
    said.iter().any(|part| reason.contains(part))
}

impl From<IndexError> for crate::StoreError {
    fn from(error: IndexError) -> Self {
        Self::Index(error.0)
    }
}

/// One change of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key, if it is there.
    Remove(Vec<u8>),
}

/// What [`Kv::range`] calls for each key and value.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), IndexError> + 'a;

/// An ordered map of bytes to bytes: all that is asked of an index engine.
pub trait Kv: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;
    /// Visits all keys from `from` up to but not including `to`, ascending.
    fn range(&self, from: &[u8], to: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError>;
    /// Does all the writes, in order, or none.
    fn apply(&self, writes: &[Write]) -> Result<(), IndexError>;
    /// Hands everything to the operating system.
    fn flush(&self) -> Result<(), IndexError>;
}

/// Visits all keys that begin with `prefix`, ascending.
pub fn scan(kv: &dyn Kv, prefix: &[u8], visit: &mut Visit<'_>) -> Result<(), IndexError> {
    kv.range(prefix, &keys::after_prefix(prefix), visit)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ropewalk_props::Guid;
    use zeroize::Zeroizing;

    use super::*;
    use crate::crypto::{Cipher, Nonces};

    fn put(key: &[u8], value: &[u8]) -> Write {
        Write::Put(key.to_vec(), value.to_vec())
    }

    fn all(kv: &dyn Kv, from: &[u8], to: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found = Vec::new();
        kv.range(from, to, &mut |key, value| {
            found.push((key.to_vec(), value.to_vec()));
            Ok(())
        })
        .unwrap();
        found
    }

    fn suite(kv: &dyn Kv) {
        assert_eq!(kv.get(b"a").unwrap(), None);
        kv.apply(&[put(b"b", b"1"), put(b"a", b"2"), put(b"a\xFF", b"3")])
            .unwrap();
        kv.apply(&[put(b"b", b"4"), Write::Remove(b"b".to_vec())])
            .unwrap();
        kv.apply(&[Write::Remove(b"c".to_vec()), put(b"c", b"5")])
            .unwrap();
        assert_eq!(kv.get(b"a").unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(kv.get(b"b").unwrap(), None);
        let pairs = |keys: &[(&[u8], &[u8])]| -> Vec<(Vec<u8>, Vec<u8>)> {
            keys.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect()
        };
        let everything = pairs(&[(b"a", b"2"), (b"a\xFF", b"3"), (b"c", b"5")]);
        assert_eq!(all(kv, b"", b"\xFF\xFF"), everything);
        assert_eq!(all(kv, b"a", b"c"), everything[..2]);
        assert_eq!(all(kv, b"a\0", b"c"), everything[1..2]);
        assert_eq!(all(kv, b"c", b"c"), []);
        let mut seen = 0;
        scan(kv, b"a", &mut |_, _| {
            seen += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, 2);
        let stopped = scan(kv, b"", &mut |_, _| Err(IndexError("enough".into())));
        assert!(stopped.is_err());
        kv.flush().unwrap();
        let many: Vec<Write> = (0..2000u32)
            .map(|n| put(&[b"m", &n.to_be_bytes()[..]].concat(), &n.to_le_bytes()))
            .collect();
        kv.apply(&many).unwrap();
        let found = all(kv, b"m", b"n");
        assert_eq!(found.len(), 2000);
        assert!(found.is_sorted());
    }

    #[test]
    fn memory_passes_the_suite() {
        suite(&memory::MemoryKv::default());
    }

    fn cipher(key: u8) -> Arc<Cipher> {
        let nonces = Arc::new(Nonces::new().unwrap());
        let key = Zeroizing::new([key; 32]);
        Arc::new(Cipher::new(1, &key, Guid([1; 16]), nonces))
    }

    #[test]
    fn a_sealed_index_passes_the_suite_and_opens_with_its_own_key_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let sled = || sled::SledKv::open(&path).unwrap();
        let kv = sealed::SealedKv::new(sled(), cipher(1));
        suite(&kv);
        kv.apply(&[put(b"secret", b"a value to be looked for")])
            .unwrap();
        drop(kv);
        let plain = sled();
        let found = plain.get(b"secret").unwrap().unwrap();
        assert!(!found.windows(5).any(|part| part == b"value"));
        // Under another key of the index it is nothing.
        plain.apply(&[put(b"other", &found)]).unwrap();
        drop(plain);
        let wrong = sealed::SealedKv::new(sled(), cipher(2));
        assert!(wrong.get(b"secret").is_err());
        assert!(scan(&wrong, b"secret", &mut |_, _| Ok(())).is_err());
        drop(wrong);
        let again = sealed::SealedKv::new(sled(), cipher(1));
        let found = again.get(b"secret").unwrap();
        assert_eq!(found.as_deref(), Some(&b"a value to be looked for"[..]));
        assert!(again.get(b"other").is_err());
    }

    #[test]
    fn sled_passes_the_suite_and_keeps_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        suite(&sled::SledKv::open(&path).unwrap());
        let again = sled::SledKv::open(&path).unwrap();
        assert_eq!(again.get(b"c").unwrap().as_deref(), Some(&b"5"[..]));
        assert_eq!(all(&again, b"m", b"n").len(), 2000);
    }
}
