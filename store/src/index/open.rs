//! Opening the index, or making a new one when it cannot be trusted.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use ropewalk_props::Guid;

use super::{
    Applier, IndexError, Kv, keys, memory::MemoryKv, says_full, sealed::SealedKv, sled::SledKv,
    value,
};
use crate::{
    IndexKind,
    crypto::Cipher,
    disk::{Disk as _, OsDisk},
    log::frame::Position,
};

/// The format of keys and values. Another one in an existing index means: make it anew.
const INDEX_FORMAT: u32 = 2;

/// Why an index is not made anew that says what nothing else does.
pub const NOWHERE_ELSE: &str = "it was compacted, and its checkpoint is missing or damaged";

/// Where the index of the store in `dir` is.
pub fn path(dir: &Path) -> PathBuf {
    dir.join("index")
}

/// The file whose presence says that the index is not to be trusted.
pub fn suspect_path(dir: &Path) -> PathBuf {
    dir.join("index.suspect")
}

/// Where a store's index is, or comes from.
pub struct Source<'a> {
    /// The store's directory.
    pub dir: &'a Path,
    /// Which engine.
    pub kind: IndexKind,
    /// Instead of what is in the directory (for tests).
    pub given: Option<Arc<dyn Kv>>,
    /// Encrypts what is on disk.
    pub cipher: Option<Arc<Cipher>>,
    /// Another one cannot be made from the log: the one that is there is left as it is.
    pub nowhere_else: bool,
}

impl Source<'_> {
    /// Opens the index. The position is that of the last frame it reflects; `None` if it is new.
    pub fn open(&self, store: Guid) -> Result<(Arc<dyn Kv>, Option<Position>), IndexError> {
        let opened = match &self.given {
            Some(kv) => applied(&**kv, store).map(|position| (kv.clone(), position)),
            None if self.kind == IndexKind::Memory => return Ok((self.renew(store)?, None)),
            None if suspect_path(self.dir).exists() || !path(self.dir).exists() => {
                return Ok((self.renew(store)?, None));
            }
            None => self.sled().and_then(|kv| {
                let position = applied(&*kv, store)?;
                Ok((kv, position))
            }),
        };
        self.drop_plain();
        match opened {
            Ok((kv, Some(position))) => Ok((kv, Some(position))),
            // That of a store in which nothing was ever written.
            Ok((_, None)) => Ok((self.renew(store)?, None)),
            // It is as good as it was; there is no room for another one either.
            Err(reason) if says_full(&reason.0) => Err(reason),
            Err(reason) => {
                tracing::warn!(%reason, "the index is made anew");
                Ok((self.renew(store)?, None))
            }
        }
    }

    /// Moves the index aside, if there is one, and makes an empty one.
    pub fn renew(&self, store: Guid) -> Result<Arc<dyn Kv>, IndexError> {
        if self.nowhere_else {
            return Err(IndexError(NOWHERE_ELSE.into()));
        }
        if self.kind == IndexKind::Memory || self.given.is_some() {
            return fresh(Arc::new(MemoryKv::default()), store);
        }
        // The engine makes its files as the umask has it, so they need a directory that is private.
        set_aside(self.dir)
            .and_then(|()| OsDisk.create_dir(&path(self.dir)))
            .map_err(|error| IndexError(error.to_string()))?;
        self.drop_plain();
        fresh(self.sled()?, store)
    }

    fn sled(&self) -> Result<Arc<dyn Kv>, IndexError> {
        let kv = SledKv::open(&path(self.dir))?;
        Ok(match &self.cipher {
            Some(cipher) => Arc::new(SealedKv::new(kv, cipher.clone())),
            None => Arc::new(kv),
        })
    }

    /// An encrypted store keeps no index that was set aside: it may be from before.
    fn drop_plain(&self) {
        let old = old_path(self.dir);
        if self.cipher.is_none() || !old.exists() {
            return;
        }
        if let Err(error) = fs::remove_dir_all(&old) {
            let dir = old.display();
            tracing::warn!(%error, %dir, "an old index, which is not encrypted, cannot be removed");
        }
    }
}

/// Where the index that was replaced last is.
fn old_path(dir: &Path) -> PathBuf {
    dir.join("index.old")
}

fn set_aside(dir: &Path) -> io::Result<()> {
    let old = old_path(dir);
    if path(dir).exists() {
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
        fs::rename(path(dir), &old)?;
    }
    match fs::remove_file(suspect_path(dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn fresh(kv: Arc<dyn Kv>, store: Guid) -> Result<Arc<dyn Kv>, IndexError> {
    let mut applier = Applier::new(kv.clone());
    applier.put(keys::STORE.to_vec(), &(INDEX_FORMAT, store))?;
    applier.commit()?;
    Ok(kv)
}

/// The position of the last frame reflected in an index of this store and of this format; `None` if
/// no frame is.
fn applied(kv: &dyn Kv, store: Guid) -> Result<Option<Position>, IndexError> {
    let missing = || IndexError("the index does not say of which store it is".into());
    let identity = kv.get(keys::STORE)?.ok_or_else(missing)?;
    if value::decode::<(u32, Guid)>(&identity)? != (INDEX_FORMAT, store) {
        return Err(IndexError("the index is of another store or format".into()));
    }
    match kv.get(keys::APPLIED)? {
        Some(position) => value::decode(&position).map(Some),
        None => Ok(None),
    }
}
