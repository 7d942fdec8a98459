//! From the user's key to the keys of a store, when it is opened and when the user's key is changed.

use std::{io, path::Path, sync::Arc};

use ropewalk_props::Guid;

use super::{FileKey, KEYS_VERSION, Keyring, Keys, KeysError, MasterKey, Nonces};
use crate::{OpenError, disk::Disk, open::Context};

/// The keys of a store that is being opened.
pub struct Unlocking<'a> {
    disk: &'a dyn Disk,
    dir: &'a Path,
    master: Option<&'a MasterKey>,
    found: Option<Keys>,
}

impl<'a> Unlocking<'a> {
    /// Looks for the keys of the log in `dir`, and changes nothing.
    pub fn begin(
        disk: &'a dyn Disk,
        dir: &'a Path,
        master: Option<&'a MasterKey>,
    ) -> Result<Self, KeysError> {
        Ok(Self {
            disk,
            dir,
            master,
            found: Keys::read(disk, dir, master)?,
        })
    }

    /// The store that the keys that were found are of.
    pub fn store(&self) -> Option<Guid> {
        self.found.as_ref().map(|keys| keys.store)
    }

    /// What does not fit together, if these are not the keys of this store, whose files are encrypted
    /// with `used`.
    pub fn misfit(&self, store: Guid, used: &[FileKey]) -> Option<String> {
        let mut used = used.iter().filter_map(|key| match key {
            FileKey::Sealed(number) => Some(*number),
            FileKey::Plain | FileKey::Unknown => None,
        });
        match &self.found {
            Some(keys) if keys.store != store => {
                Some("the file log/keys is another store's".to_owned())
            }
            Some(keys) => {
                let missing = used.find(|number| !keys.has(*number))?;
                Some(format!("the file log/keys lacks key {missing}, with which a part is encrypted"))
            }
            None => used.next().map(|_| {
                "it is encrypted, and the file log/keys, without which it cannot be read, is missing"
                    .to_owned()
            }),
        }
    }

    /// The keys that were found, for reading alone: nothing is written.
    pub fn look(&self) -> Result<Keyring, KeysError> {
        let nonces = Arc::new(Nonces::new()?);
        let keys = self.found.as_ref().map(|keys| keys.ring(&nonces));
        Ok(keys.unwrap_or_default())
    }

    /// Whether [`Unlocking::finish`] makes a key.
    pub fn makes_key(&self, another: bool) -> bool {
        let has_some = self.found.as_ref().is_some_and(|keys| !keys.is_empty());
        self.master.is_some() && (another || !has_some)
    }

    /// The keys to work with: those that were found, with a first one or, if `another` is wanted, one
    /// more, which is on disk then; those that no file names are forgotten with that. None without the
    /// user's key.
    pub fn finish(
        self,
        store: Guid,
        used: &[FileKey],
        another: bool,
    ) -> Result<Keyring, KeysError> {
        let Some(master) = self.master else {
            return Ok(Keyring::default());
        };
        let makes_key = self.makes_key(another);
        let mut keys = self.found.unwrap_or_else(|| Keys::none(store));
        let nonces = Arc::new(Nonces::new()?);
        if makes_key {
            // A file whose header is damaged may have been written with any of them. Otherwise nothing
            // is forgotten in passing: files that are missing may still be found.
            if !used.contains(&FileKey::Unknown) {
                keys.retain(|number| used.contains(&number.into()));
            }
            keys.add()?;
            keys.write(self.disk, self.dir, master, &nonces)?;
        }
        Ok(keys.ring(&nonces))
    }
}

/// Replaces the key of the closed store in `dir`: its data keys are wrapped anew, and nothing else is
/// written. From then on the old key opens it no more, but it does open older backups.
pub fn change_master_key(dir: &Path, old: &MasterKey, new: &MasterKey) -> Result<(), OpenError> {
    let log = dir.join("log");
    let context = Context { dir };
    if !log.join("keys").exists() {
        return Err(OpenError::NotEncrypted {
            dir: dir.to_owned(),
        });
    }
    let _lock = context.lock()?;
    let disk = crate::disk::OsDisk;
    let rewrap = || -> Result<(), KeysError> {
        let keys = Keys::read(&disk, &log, Some(old))?;
        let keys = keys.ok_or(KeysError::Io(io::ErrorKind::NotFound.into()))?;
        keys.write(&disk, &log, new, &Nonces::new()?)
    };
    rewrap().map_err(|error| context.keys(error))
}

impl Context<'_> {
    /// The sentence for the user.
    pub fn keys(&self, error: KeysError) -> OpenError {
        let dir = self.dir.to_owned();
        match error {
            KeysError::Io(source) => OpenError::Io { dir, source },
            KeysError::Newer(found) => OpenError::NewerFormat {
                dir,
                found,
                known: KEYS_VERSION,
            },
            KeysError::Needed => OpenError::KeyNeeded { dir },
            KeysError::Wrong => OpenError::WrongKey { dir },
            KeysError::Damaged => OpenError::BadLog {
                dir,
                reason: "the file log/keys is damaged".into(),
            },
            KeysError::TooMany => OpenError::BadLog {
                dir,
                reason: "no number is left for another key".into(),
            },
        }
    }
}
