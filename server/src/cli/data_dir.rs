//! Making a data directory.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt as _, path::Path};

use super::Failure;

/// Makes the directory, for its owner alone, unless it is there.
pub fn make(dir: &Path) -> Result<(), Failure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| {
            Failure(format!(
                "cannot make the data directory {}: {error}; choose another with --data-dir",
                dir.display()
            ))
        })
}
