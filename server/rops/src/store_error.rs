//! From what the store says to what a client is told.

use ropewalk_props::BlobRef;
use ropewalk_store::{Store, StoreError};
use ropewalk_wire::ErrorCode;

use super::exec::Fail;

/// The ReturnValue for a store error; the cause goes to the log, where it is one to act on.
pub fn code(error: &StoreError) -> ErrorCode {
    match error {
        StoreError::NotFound => ErrorCode::NOT_FOUND,
        StoreError::DuplicateName(_) => ErrorCode::DUPLICATE_NAME,
        StoreError::FolderCycle => ErrorCode::FOLDER_CYCLE,
        StoreError::Conflict => ErrorCode::OBJECT_MODIFIED,
        StoreError::TooLarge => ErrorCode::TOO_BIG,
        StoreError::TooDeep => ErrorCode::TOO_COMPLEX,
        StoreError::TooMany | StoreError::NamedPropertiesExhausted => ErrorCode::NOT_ENOUGH_MEMORY,
        // MS-OXCDATA 2.4, OutOfDisk. The store said so in the log, once.
        // ecQuotaExceeded (MS-OXCDATA 2.4.1); the client's MAPI_E_STORE_FULL is no code of the wire.
        StoreError::QuotaExceeded => ErrorCode::QUOTA_EXCEEDED,
        StoreError::DiskFull => ErrorCode::OUT_OF_DISK,
        _ => {
            tracing::error!(%error, "the store could not do what a client asked");
            ErrorCode::GENERAL_FAILURE
        }
    }
}

/// As [`code`], by value, for `map_err`.
pub fn fail(error: StoreError) -> ErrorCode {
    code(&error)
}

/// A large value as a whole; `ecMAPIOOM` if it is more than `max` bytes.
pub fn load(store: &Store, blob: BlobRef, max: u64) -> Result<Vec<u8>, ErrorCode> {
    if blob.len > max {
        return Err(ErrorCode::NOT_ENOUGH_MEMORY);
    }
    let reader = store.blob_reader(blob).map_err(fail)?;
    // The reader's length is that of the value; the reference only repeats it.
    let mut bytes = vec![0; reader.len().min(max) as usize];
    let read = reader.read_at(0, &mut bytes).map_err(fail)?;
    bytes.truncate(read);
    Ok(bytes)
}

impl From<StoreError> for Fail {
    fn from(error: StoreError) -> Self {
        Self::Code(code(&error))
    }
}
