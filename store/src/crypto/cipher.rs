//! One data key at work.

use std::sync::Arc;

use ropewalk_props::Guid;
use ropewalk_seal::{KEY, OVERHEAD, Sealer, Secret};

use super::Nonces;

/// The place of the record kind in what is authenticated, of values of the index; kinds of records
/// are larger.
const INDEX_VALUE: u8 = 0;
/// See [`Cipher::dedup_key`].
const DEDUP: [u8; 16] = *b"hashes of chunks";

/// Seals and opens with one key of one store.
pub struct Cipher {
    number: u16,
    store: Guid,
    sealer: Sealer,
    nonces: Arc<Nonces>,
}

impl Cipher {
    /// Uses the key with this number.
    pub fn new(number: u16, key: &Secret, store: Guid, nonces: Arc<Nonces>) -> Self {
        Self {
            number,
            store,
            sealer: Sealer::new(key),
            nonces,
        }
    }

    /// The key's number in the headers of files, at least 1.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Encrypts the data of a record where it lies; returns what follows it. `None` if it is longer
    /// than the cipher takes, 256 GiB.
    pub fn seal_record(&self, kind: u8, version: u8, data: &mut [u8]) -> Option<[u8; OVERHEAD]> {
        self.sealer
            .seal(self.nonces.take(), &self.of_record(kind, version), data)
    }

    /// Decrypts what [`Cipher::seal_record`] made, where it lies; returns the bytes of data at its
    /// start. `None`, and nothing is changed, if it is not exactly that, of this kind and version.
    pub fn open_record(&self, kind: u8, version: u8, stored: &mut [u8]) -> Option<usize> {
        self.sealer.open(&self.of_record(kind, version), stored)
    }

    /// A value of the index under this key, sealed.
    pub fn seal_value(&self, key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(value.len() + OVERHEAD);
        out.extend_from_slice(value);
        let end = self
            .sealer
            .seal(self.nonces.take(), &self.of_value(key), &mut out)?;
        out.extend_from_slice(&end);
        Some(out)
    }

    /// Makes of what [`Cipher::seal_value`] sealed under this key what it was; else `None`, and
    /// nothing is changed.
    pub fn open_value(&self, key: &[u8], sealed: &mut Vec<u8>) -> Option<()> {
        let len = self.sealer.open(&self.of_value(key), sealed)?;
        sealed.truncate(len);
        Some(())
    }

    /// A key for hashes of plain text, so that nobody without it can tell from a hash what is in the
    /// store. It changes with the data key.
    pub fn dedup_key(&self) -> Option<[u8; KEY]> {
        let mut key = [0; KEY];
        self.sealer.seal(Nonces::derived(DEDUP), &[], &mut key)?;
        Some(key)
    }

    fn of_record(&self, kind: u8, version: u8) -> [u8; 18] {
        let mut out = [0; 18];
        let (store, rest) = out.split_at_mut(16);
        store.copy_from_slice(&self.store.0);
        rest.copy_from_slice(&[kind, version]);
        out
    }

    fn of_value(&self, key: &[u8]) -> Vec<u8> {
        [&self.store.0[..], &[INDEX_VALUE], key].concat()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn cipher(number: u16, key: u8) -> Cipher {
        let nonces = Arc::new(Nonces::new().unwrap());
        Cipher::new(number, &Zeroizing::new([key; KEY]), Guid([7; 16]), nonces)
    }

    fn sealed(cipher: &Cipher, kind: u8, version: u8, data: &[u8]) -> Vec<u8> {
        let mut out = data.to_vec();
        let end = cipher.seal_record(kind, version, &mut out).unwrap();
        out.extend_from_slice(&end);
        out
    }

    #[test]
    fn any_flipped_bit_and_any_other_place_is_refused() {
        let cipher = cipher(1, 3);
        let whole = sealed(&cipher, 2, 1, b"some data");
        let open = |cipher: &Cipher, kind, version, stored: &[u8]| {
            let mut stored = stored.to_vec();
            let before = stored.clone();
            let opened = cipher.open_record(kind, version, &mut stored);
            assert!(opened.is_some() || stored == before, "nothing is changed");
            opened.map(|len| stored[..len].to_vec())
        };
        assert_eq!(open(&cipher, 2, 1, &whole), Some(b"some data".to_vec()));
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&cipher, 2, 1, &damaged), None, "bit {bit}");
        }
        for len in 0..whole.len() {
            assert_eq!(open(&cipher, 2, 1, &whole[..len]), None, "{len} bytes");
        }
        assert_eq!(open(&cipher, 3, 1, &whole), None, "another kind");
        assert_eq!(open(&cipher, 2, 2, &whole), None, "another version");
        assert_eq!(open(&self::cipher(1, 4), 2, 1, &whole), None, "another key");
        let foreign = Cipher {
            store: Guid([8; 16]),
            ..self::cipher(1, 3)
        };
        assert_eq!(open(&foreign, 2, 1, &whole), None, "another store");
    }

    #[test]
    fn a_value_of_the_index_opens_under_its_own_key_only() {
        let cipher = cipher(1, 3);
        let sealed = cipher.seal_value(b"key", b"value").unwrap();
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        let open = |key: &[u8], sealed: &[u8]| {
            let mut value = sealed.to_vec();
            cipher.open_value(key, &mut value).map(|()| value)
        };
        assert_eq!(open(b"key", &sealed).as_deref(), Some(&b"value"[..]));
        assert_eq!(open(b"kez", &sealed), None);
        assert_eq!(open(b"key", b"value"), None);
        // Nor is a record ever taken for a value.
        let mut record = b"value".to_vec();
        let end = cipher.seal_record(2, b'k', &mut record).unwrap();
        record.extend_from_slice(&end);
        assert_eq!(open(b"k", &record), None);
    }

    #[test]
    fn the_key_for_hashes_is_the_data_keys_own_and_always_the_same() {
        let key = |byte| cipher(1, byte).dedup_key().unwrap();
        assert_eq!(key(3), key(3));
        assert_ne!(key(3), key(4));
        assert_ne!(key(3), [0; KEY]);
        assert_ne!(key(3), [3; KEY]);
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_shows_nothing(
            data in prop::collection::vec(any::<u8>(), 0..5000),
            kind in 1u8..6,
            version in 1u8..3,
        ) {
            let cipher = cipher(9, 1);
            let mut stored = sealed(&cipher, kind, version, &data);
            let again = sealed(&cipher, kind, version, &data);
            prop_assert_eq!(stored.len(), data.len() + OVERHEAD);
            prop_assert_ne!(&stored, &again);
            if data.len() >= 16 {
                prop_assert!(!stored.windows(16).any(|part| part == &data[..16]));
            }
            let len = cipher.open_record(kind, version, &mut stored).unwrap();
            prop_assert_eq!(&stored[..len], &data);
        }
    }
}
