//! `log/keys`: the data keys of an encrypted store, wrapped by the master key. FORMAT.md has it byte
//! by byte.

use std::{io, path::Path, sync::Arc};

use ropewalk_props::Guid;
use ropewalk_seal::{KEY, OVERHEAD, Secret};
use zeroize::Zeroizing;

use super::{Cipher, Keyring, MasterKey, Nonces};
use crate::{disk::Disk, log::frame::crc};

const MAGIC: [u8; 8] = *b"RopeKey\0";
/// The format of the file.
pub const KEYS_VERSION: u16 = 1;
const HEADER: usize = 64;
/// A number, six zeros, and a wrapped key.
const ENTRY: usize = 8 + KEY + OVERHEAD;
const NAME: &str = "keys";
/// What the file is called until it is whole.
const PART: &str = "keys.part";

/// Why the keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("format {0} is newer than this program")]
    Newer(u16),
    #[error("damaged")]
    Damaged,
    #[error("a master key is needed")]
    Needed,
    #[error("not the master key that wrapped them")]
    Wrong,
    #[error("no number is left for a key")]
    TooMany,
}

/// The data keys of a store.
pub struct Keys {
    /// The store that they are of.
    pub store: Guid,
    /// Keys and their numbers, which ascend. The last one is that of new files.
    keys: Vec<(u16, Secret)>,
}

impl Keys {
    /// No keys yet.
    pub fn none(store: Guid) -> Self {
        Self {
            store,
            keys: Vec::new(),
        }
    }

    /// Reads the file of the log in `dir`. `None` if there is none; [`KeysError::Needed`] if there is
    /// one, but no master key.
    pub fn read(
        disk: &dyn Disk,
        dir: &Path,
        master: Option<&MasterKey>,
    ) -> Result<Option<Self>, KeysError> {
        let file = match disk.open(&dir.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let len = file.len()?;
        if len > (HEADER + ENTRY * usize::from(u16::MAX)) as u64 {
            return Err(KeysError::Damaged);
        }
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, 0)?;
        Self::decode(&bytes, master).map(Some)
    }

    /// Replaces the file, if there is one, and returns once the new one is sure to survive. Whatever
    /// happens on the way, one of the two is there, whole.
    pub fn write(
        &self,
        disk: &dyn Disk,
        dir: &Path,
        master: &MasterKey,
        nonces: &Nonces,
    ) -> Result<(), KeysError> {
        let bytes = self.encode(master, nonces).ok_or(KeysError::Damaged)?;
        let part = dir.join(PART);
        let file = match disk.create(&part) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let file = disk.open(&part)?;
                file.set_len(0)?;
                file
            }
            other => other?,
        };
        file.write_all_at(&bytes, 0)?;
        file.sync_data()?;
        disk.rename(&part, &dir.join(NAME))?;
        disk.sync_dir(dir)?;
        Ok(())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether there is a key with this number.
    pub fn has(&self, number: u16) -> bool {
        self.keys.iter().any(|(known, _)| *known == number)
    }

    /// Makes a key for new files.
    pub fn add(&mut self) -> Result<(), KeysError> {
        let last = self.keys.last().map_or(0, |(number, _)| *number);
        let number = last.checked_add(1).ok_or(KeysError::TooMany)?;
        let mut key = Zeroizing::new([0; KEY]);
        getrandom::fill(&mut *key).map_err(io::Error::other)?;
        self.keys.push((number, key));
        Ok(())
    }

    /// Forgets all keys but that of new files and those that `used` names.
    pub fn retain(&mut self, used: impl Fn(u16) -> bool) {
        let last = self.keys.last().map(|(number, _)| *number);
        self.keys
            .retain(|(number, _)| Some(*number) == last || used(*number));
    }

    /// The keys, ready for use.
    pub fn ring(&self, nonces: &Arc<Nonces>) -> Keyring {
        let cipher =
            |(number, key): &_| Arc::new(Cipher::new(*number, key, self.store, nonces.clone()));
        Keyring::new(self.keys.iter().map(cipher).collect())
    }

    fn encode(&self, master: &MasterKey, nonces: &Nonces) -> Option<Vec<u8>> {
        let mut entries = Vec::with_capacity(self.keys.len() * ENTRY);
        let sealer = master.sealer();
        for (number, key) in &self.keys {
            let mut key = key.clone();
            let end = sealer.seal(nonces.take(), &self.associated(*number), &mut *key)?;
            entries.extend_from_slice(&number.to_le_bytes());
            entries.extend_from_slice(&[0; 6]);
            entries.extend_from_slice(&*key);
            entries.extend_from_slice(&end);
        }
        let mut header = [0; HEADER];
        header[0..8].copy_from_slice(&MAGIC);
        header[8..10].copy_from_slice(&KEYS_VERSION.to_le_bytes());
        let count = u16::try_from(self.keys.len()).ok()?;
        header[10..12].copy_from_slice(&count.to_le_bytes());
        header[16..32].copy_from_slice(&self.store.0);
        let check = crc(&[&header[..60], &entries]);
        header[60..64].copy_from_slice(&check.to_le_bytes());
        Some([&header[..], &entries].concat())
    }

    fn decode(bytes: &[u8], master: Option<&MasterKey>) -> Result<Self, KeysError> {
        let (header, entries) = bytes
            .split_first_chunk::<HEADER>()
            .ok_or(KeysError::Damaged)?;
        let [body @ .., c0, c1, c2, c3] = header;
        let check = u32::from_le_bytes([*c0, *c1, *c2, *c3]);
        if !header.starts_with(&MAGIC) || crc(&[body, entries]) != check {
            return Err(KeysError::Damaged);
        }
        let version = u16::from_le_bytes([header[8], header[9]]);
        if version > KEYS_VERSION {
            return Err(KeysError::Newer(version));
        }
        let count = usize::from(u16::from_le_bytes([header[10], header[11]]));
        if count == 0 || entries.len() != count * ENTRY {
            return Err(KeysError::Damaged);
        }
        let store = header.get(16..).and_then(|rest| rest.first_chunk::<16>());
        let mut keys = Self::none(Guid(*store.ok_or(KeysError::Damaged)?));
        let sealer = master.ok_or(KeysError::Needed)?.sealer();
        for entry in entries.chunks_exact(ENTRY) {
            let (number, wrapped) = entry.split_first_chunk::<8>().ok_or(KeysError::Damaged)?;
            let number = u16::from_le_bytes([number[0], number[1]]);
            let ascends = keys.keys.last().map_or(0, |(last, _)| *last) < number;
            if !ascends {
                return Err(KeysError::Damaged);
            }
            let mut wrapped = Zeroizing::new(wrapped.to_vec());
            sealer
                .open(&keys.associated(number), &mut wrapped)
                .ok_or(KeysError::Wrong)?;
            let key = wrapped.first_chunk::<KEY>().ok_or(KeysError::Damaged)?;
            keys.keys.push((number, Zeroizing::new(*key)));
        }
        Ok(keys)
    }

    /// Binds a wrapped key to its store and its number.
    fn associated(&self, number: u16) -> Vec<u8> {
        [&MAGIC[..], &self.store.0, &number.to_le_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::disk::{Fault, SimDisk};

    const DIR: &str = "log";

    fn master(digit: &str) -> MasterKey {
        MasterKey::from_hex(&digit.repeat(64)).ok().unwrap()
    }

    fn sample() -> Keys {
        let mut keys = Keys::none(Guid([7; 16]));
        keys.add().unwrap();
        keys.add().unwrap();
        keys
    }

    fn secrets(keys: &Keys) -> Vec<(u16, [u8; KEY])> {
        let pairs = keys.keys.iter().map(|(number, key)| (*number, **key));
        pairs.collect()
    }

    #[test]
    fn keys_read_back_with_their_master_key_only() {
        let nonces = Nonces::new().unwrap();
        let keys = sample();
        let bytes = keys.encode(&master("a"), &nonces).unwrap();
        assert_eq!(bytes.len(), HEADER + 2 * ENTRY);
        let found = Keys::decode(&bytes, Some(&master("a"))).unwrap();
        assert_eq!((found.store, secrets(&found)), (keys.store, secrets(&keys)));
        for (_, secret) in secrets(&keys) {
            assert!(!bytes.windows(KEY).any(|part| part == secret));
        }
        let wrong = Keys::decode(&bytes, Some(&master("b")));
        assert!(matches!(wrong, Err(KeysError::Wrong)));
        assert!(matches!(Keys::decode(&bytes, None), Err(KeysError::Needed)));
    }

    #[test]
    fn a_flipped_bit_is_damage_and_no_wrong_key() {
        let nonces = Nonces::new().unwrap();
        let bytes = sample().encode(&master("a"), &nonces).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let found = Keys::decode(&damaged, Some(&master("a")));
            assert!(matches!(found, Err(KeysError::Damaged)), "bit {bit}");
        }
        for len in 0..bytes.len() {
            let found = Keys::decode(&bytes[..len], Some(&master("a")));
            assert!(matches!(found, Err(KeysError::Damaged)), "{len} bytes");
        }
    }

    #[test]
    fn wrapped_keys_cannot_be_exchanged() {
        let nonces = Nonces::new().unwrap();
        let mut bytes = sample().encode(&master("a"), &nonces).unwrap();
        let (first, second) = bytes[HEADER..].split_at_mut(ENTRY);
        first[8..].swap_with_slice(&mut second[8..]);
        let check = crc(&[&bytes[..60], &bytes[HEADER..]]);
        bytes[60..64].copy_from_slice(&check.to_le_bytes());
        let found = Keys::decode(&bytes, Some(&master("a")));
        assert!(matches!(found, Err(KeysError::Wrong)));
    }

    #[test]
    fn a_later_format_is_told_from_damage() {
        let nonces = Nonces::new().unwrap();
        let mut bytes = sample().encode(&master("a"), &nonces).unwrap();
        bytes[8] = 9;
        let check = crc(&[&bytes[..60], &bytes[HEADER..]]);
        bytes[60..64].copy_from_slice(&check.to_le_bytes());
        assert!(matches!(
            Keys::decode(&bytes, None),
            Err(KeysError::Newer(9))
        ));
    }

    #[test]
    fn the_last_key_and_those_in_use_stay_and_numbers_are_not_given_again() {
        let mut keys = sample();
        keys.add().unwrap();
        keys.retain(|_| true);
        assert!(keys.has(2));
        keys.retain(|number| number == 1);
        assert!(keys.has(1) && !keys.has(2) && keys.has(3));
        keys.add().unwrap();
        assert!(keys.has(4));
        assert_eq!(
            keys.ring(&Arc::new(Nonces::new().unwrap()))
                .current_number(),
            4
        );
    }

    #[test]
    fn a_crash_while_the_file_is_replaced_leaves_the_old_or_the_new_keys() {
        let (old, new) = (sample(), sample());
        let nonces = Nonces::new().unwrap();
        let dir = Path::new(DIR);
        let mut stopped = 0;
        for seed in 0..20 {
            for at in 0.. {
                let disk = SimDisk::new(seed);
                old.write(&disk, dir, &master("a"), &nonces).unwrap();
                disk.set_fault(Some(Fault::Stop(at)));
                let done = new.write(&disk, dir, &master("b"), &nonces).is_ok();
                disk.power_failure();
                let with = |digit| Keys::read(&disk, dir, Some(&master(digit)));
                match with("b") {
                    Ok(Some(found)) => assert_eq!(secrets(&found), secrets(&new)),
                    _ => {
                        assert!(!done, "what is acknowledged is there");
                        let found = with("a").unwrap().unwrap();
                        assert_eq!(secrets(&found), secrets(&old));
                        // And it can be tried again.
                        new.write(&disk, dir, &master("b"), &nonces).unwrap();
                        assert_eq!(secrets(&with("b").unwrap().unwrap()), secrets(&new));
                    }
                }
                if done {
                    break;
                }
                stopped += 1;
            }
        }
        assert!(stopped >= 20 * 4);
    }
}
