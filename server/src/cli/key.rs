//! The key of an encrypted store.

use std::{env, path::Path};

use ropewalk_store::{MasterKey, StoreOptions};

use super::{Failure, args::StorePlace};

/// The variable that has the key if no file does.
pub const VARIABLE: &str = "ROPEWALK_STORE_KEY";

/// The key in the file, or in the variable; `None` without either.
pub fn master_key(file: Option<&Path>) -> Result<Option<MasterKey>, Failure> {
    if let Some(file) = file {
        return Ok(Some(MasterKey::read_file(file)?));
    }
    match env::var(VARIABLE) {
        Ok(text) => MasterKey::from_hex(&text)
            .map(Some)
            .map_err(|error| Failure(format!("the variable {VARIABLE}: {error}"))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Failure(format!("the variable {VARIABLE}: {error}"))),
    }
}

/// How a command opens the store.
pub fn options(place: &StorePlace) -> Result<StoreOptions, Failure> {
    Ok(StoreOptions {
        master_key: master_key(place.key_file.as_deref())?,
        ..StoreOptions::default()
    })
}
