//! The key that the user keeps: it wraps the data keys and touches nothing else.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use ropewalk_seal::{KEY, Sealer, Secret};
use zeroize::Zeroizing;

/// Bytes of a key file that are looked at; a key is 64.
const MAX_FILE: u64 = 1024;
/// Permissions that nobody but the owner may have.
const OTHERS: u32 = 0o077;
/// Those that a file of root may give to a group: it is for the program.
const GROUP_READ: u32 = 0o040;

/// Why there is no key. Each sentence is shown to users as it is.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not 64 hexadecimal digits.
    #[error("the store's key must be 64 hexadecimal digits: make one with `openssl rand -hex 32`")]
    NotHex,
    /// The file can be read or written by others.
    #[error("the key file {} is open to other users: run `chmod 600` on it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused it.
    #[error("the key file {} cannot be read: {source}; check its name and permissions", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

/// The key of an encrypted store, as its owner has it. It is wiped when it is dropped, and never
/// shown.
#[derive(Clone)]
pub struct MasterKey(Secret);

impl MasterKey {
    /// Reads 64 hexadecimal digits; white space around them does not count.
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let digits = text.trim().as_bytes();
        let mut key = Zeroizing::new([0; KEY]);
        if digits.len() != KEY * 2 {
            return Err(KeyError::NotHex);
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or(KeyError::NotHex)?;
                *byte = (*byte << 4) | value as u8;
            }
        }
        Ok(Self(key))
    }

    /// Reads a file of 64 hexadecimal digits. One that others than its owner can read is refused; a
    /// file of root may be readable by a group.
    pub fn read_file(path: &Path) -> Result<Self, KeyError> {
        let refused = |source| KeyError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(refused)?;
        // Of the file that is open, not of what has its name by then.
        let about = file.metadata().map_err(refused)?;
        let allowed = match about.uid() {
            0 => GROUP_READ,
            _ => 0,
        };
        if about.mode() & OTHERS & !allowed != 0 {
            return Err(KeyError::Exposed {
                path: path.to_owned(),
            });
        }
        let mut text = Zeroizing::new(String::with_capacity(MAX_FILE as usize));
        let read = file.take(MAX_FILE).read_to_string(&mut text);
        match read {
            // Not text.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(KeyError::NotHex),
            Err(error) => Err(refused(error)),
            Ok(_) => Self::from_hex(&text),
        }
    }

    pub(super) fn sealer(&self) -> Sealer {
        Sealer::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    const HEX: &str = "00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff";

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        let key = MasterKey::from_hex(&format!("  {HEX}\n")).ok().unwrap();
        assert_eq!(key.0[..3], [0x00, 0x11, 0x22]);
        assert_eq!(key.0[31], 0xFF);
        let (short, long) = (&HEX[1..], format!("{HEX}0"));
        let (odd, wide) = (HEX.replace('A', "G"), "é".repeat(32));
        for bad in ["", short, &long, &odd, &wide, &HEX.replace('A', "+")] {
            assert!(matches!(MasterKey::from_hex(bad), Err(KeyError::NotHex)));
        }
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        let refused = |path: &Path| MasterKey::read_file(path).err().map(|e| e.to_string());
        assert!(refused(&path).unwrap().contains("cannot be read"));
        fs::write(&path, format!("{HEX}\n")).unwrap();
        for (mode, fine) in [(0o600, true), (0o400, true), (0o604, false), (0o622, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let said = refused(&path);
            assert_eq!(said.is_none(), fine, "{mode:o}: {said:?}");
            assert!(fine || said.unwrap().contains("chmod 600"));
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let roots = fs::metadata(&path).unwrap().uid() == 0;
        assert_eq!(refused(&path).is_none(), roots);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, [0xFF; 64]).unwrap();
        assert!(matches!(MasterKey::read_file(&path), Err(KeyError::NotHex)));
    }
}
