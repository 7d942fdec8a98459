//! The index of a closed store, looked at through a copy of it.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use ropewalk_props::Guid;

use super::IndexState;
use crate::{
    IndexKind,
    crypto::Cipher,
    index::{
        IndexError, Kv, keys,
        open::{Source, path, suspect_path},
    },
    log::frame::Position,
};

/// A copy of a store's index, which is removed when this is dropped.
pub struct IndexCopy {
    /// The copy, if it opens.
    pub kv: Option<Arc<dyn Kv>>,
    /// The last frame that it reflects.
    pub applied: Option<Position>,
    /// What is to say of it, if it cannot be compared.
    state: IndexState,
    dir: Option<PathBuf>,
}

impl IndexCopy {
    /// Copies the index in `dir` to the directory for temporary files and opens it there: opening it
    /// where it is would change it.
    pub fn open(dir: &Path, store: Guid, cipher: Option<Arc<Cipher>>) -> Self {
        let mut copy = Self {
            kv: None,
            applied: None,
            state: IndexState::Missing,
            dir: None,
        };
        if !path(dir).exists() {
            return copy;
        }
        if suspect_path(dir).exists() {
            copy.state = IndexState::NeedsRebuild("it failed, or was found wrong, earlier".into());
            return copy;
        }
        if let Err(error) = copy.take(&path(dir)) {
            copy.state = IndexState::NotCompared(format!("it cannot be copied: {error}"));
            return copy;
        }
        let Some(there) = copy.dir.clone() else {
            return copy;
        };
        let source = Source {
            dir: &there,
            kind: IndexKind::Sled,
            given: None,
            cipher,
            nowhere_else: false,
        };
        match source.open(store) {
            Ok((kv, Some(applied))) => {
                copy.kv = Some(kv);
                copy.applied = Some(applied);
            }
            Ok((_, None)) => {
                let why = "it does not open, or is of another store, format or key";
                copy.state = IndexState::NeedsRebuild(why.into());
            }
            Err(error) => copy.state = IndexState::NotCompared(error.0),
        }
        copy
    }

    fn take(&mut self, from: &Path) -> io::Result<()> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let name = format!("ropewalk-index-{:016x}", u64::from_le_bytes(random));
        let there = std::env::temp_dir().join(name);
        fs::DirBuilder::new().mode(0o700).create(&there)?;
        self.dir = Some(there.clone());
        copy_tree(from, &path(&there))
    }

    /// How the index fits one that was made from the log; it was caught up with the log before.
    pub fn compare(&mut self, expected: &dyn Kv) -> IndexState {
        let Some(kv) = &self.kv else {
            return self.state.clone();
        };
        match differences(expected, &**kv) {
            Ok(0) => IndexState::Good,
            Ok(n) => IndexState::NeedsRebuild(format!("{n} of its entries differ from the log")),
            Err(error) => IndexState::NeedsRebuild(error.0),
        }
    }
}

impl Drop for IndexCopy {
    fn drop(&mut self) {
        self.kv = None;
        if let Some(dir) = &self.dir
            && let Err(error) = fs::remove_dir_all(dir)
        {
            tracing::warn!(%error, dir = %dir.display(), "a copy of the index was not removed");
        }
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_tree(&entry.path(), &target)?,
            false => {
                fs::copy(entry.path(), target)?;
            }
        }
    }
    Ok(())
}

/// How many entries differ; what the index says of itself is not looked at.
fn differences(expected: &dyn Kv, found: &dyn Kv) -> Result<u64, IndexError> {
    let (mut differ, mut entries) = (0, 0u64);
    let (from, end) = (keys::USERS, [0xFF; 64]);
    expected.range(from, &end, &mut |key, value| {
        match found.get(key)? {
            Some(other) => {
                entries += 1;
                differ += u64::from(other != value);
            }
            None => differ += 1,
        }
        Ok(())
    })?;
    let mut all = 0u64;
    found.range(from, &end, &mut |_, _| {
        all += 1;
        Ok(())
    })?;
    Ok(differ + all.saturating_sub(entries))
}
